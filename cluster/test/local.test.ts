/** A job that is run without a queue: its tiles are divided over a pool of this machine's threads, and have the bytes of one thread. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { info, initSync } from "surprisal";
import { beforeAll, expect, test } from "vitest";
// as it is built: threads are files
import { type Request, run } from "../dist/index.js";
import { saveNpy } from "../src/inputs/npy.ts";
import { bytesOfJob, runHere, temporary } from "./support/job.ts";
import { uniform } from "./support/random.ts";

const data = temporary();
const pooled = join(data, "pooled");

beforeAll(async () => {
  initSync({ variant: "base" });
  mkdirSync(pooled);
  // blocks of 400 rows are worth dividing, which takes milliseconds of work; the last of them has 100, of y 50
  for (const type of ["f32", "f64"] as const)
    for (const [name, rows, d] of [
      ["x", 900, 96],
      ["y", 450, 96],
      ["z", 900, 7],
    ] as const) {
      const file = `${name}-${type}.npy`;
      await saveNpy(join(data, file), uniform(rows + d, rows * d, type), [rows, d]);
      copyFileSync(join(data, file), join(pooled, file));
    }
});

const requests: readonly (readonly [string, object, Record<string, string>])[] = [
  ["pairwiseDivergence", { metric: "js" }, { p: "x" }],
  ["pairwiseDivergence", { metric: "kl", base: 2 }, { p: "x", q: "y" }],
  ["pairwiseDistance", {}, { x: "x" }],
  ["pairwiseDistance", { metric: "manhattan" }, { x: "x", y: "y" }],
  ["kernelMatrix", { kernel: "rbf" }, { x: "x", y: "y" }],
  ["gram", { scale: 0.3 }, { x: "x" }],
  ["gram", { center: true }, { x: "x" }],
  ["nearest", { k: 5 }, { x: "x" }],
  ["nearest", { k: 5, metric: "js" }, { x: "x", y: "y" }],
  ["mmd", {}, { x: "x", y: "y" }],
  ["cka", { unbiased: true }, { x: "x", y: "z" }],
  ["divergenceMeter", { metric: "js" }, { p: "x", q: "x" }],
];

test.each(["f32", "f64"] as const)(
  "%s: the same bytes on a pool as in one thread",
  { timeout: 180_000 },
  async (type) => {
    for (const [fn, options, names] of requests) {
      const inputs = Object.fromEntries(Object.entries(names).map(([name, file]) => [name, `${file}-${type}.npy`]));
      const request: Request = { function: fn, options: options as Request["options"], inputs, edge: 400 };
      const { id } = await runHere(request, data);
      const seen: number[] = [];
      // without a connection a run is local
      const where = type === "f32" ? { local: 3 } : {};
      const result = await run(request, { data: pooled, ...where, progress: ({ done }) => seen.push(done) });
      expect(result.id).toBe(id);
      expect(bytesOfJob(pooled, id), `${fn} ${JSON.stringify(options)}`).toEqual(bytesOfJob(data, id));
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
    }
  },
);

test("the kernels of the calling thread stay what they are", async () => {
  const { variant } = info();
  await run({ function: "gram", inputs: { x: "z-f32.npy" }, edge: 100 }, { data: pooled });
  expect(info().variant).toBe(variant);
});

test("a run that is to use a queue needs one", async () => {
  const request = { function: "gram", inputs: { x: "z-f32.npy" } };
  await expect(run(request, { data: pooled, local: false })).rejects.toThrow("needs a connection, to Redis");
});
