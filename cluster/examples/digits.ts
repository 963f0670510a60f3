/**
 * `npx tsx cluster/examples/digits.ts`: the JS divergence of each of 10,000 handwritten digits from each other one, by what a classifier thinks
 * of them, and the nearest neighbours of their pixels, on a Redis and two workers of its own, of which one is killed on the way.
 *
 * Writes digits.png, the matrix with the digits in order: ten light squares on its diagonal are digits that are taken for themselves, lighter ones
 * beside it those that are taken for one another. `-- --nth 4` takes every fourth digit, `--data` and `--png` say where files go.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import FileSystemStore from "@zarrita/storage/fs";
import { rgb } from "d3-color";
import { interpolateMagma } from "d3-scale-chromatic";
import { encode } from "fast-png";
import { softmax } from "surprisal";
import { type Progress, type Request, type Result, run, saveNpy, verify } from "surprisal-cluster";
import * as zarr from "zarrita";
import { allDigits, CLASSES, type Digits, loadDigits, PIXELS } from "../../examples/support/digits.ts";
import { heading, progress, table } from "../../examples/support/show.ts";
import { SoftmaxRegression, TRAINING } from "../../examples/support/softmaxRegression.ts";
import { startRedis } from "../test/support/redis.ts";

const { values: options } = parseArgs({
  options: { nth: { type: "string", default: "1" }, png: { type: "string", default: "digits.png" } },
});

const data = mkdtempSync(join(tmpdir(), "surprisal-digits-"));
const redis = await startRedis();
const workers = new Set<ChildProcess>();
try {
  const digits = allDigits(Number(options.nth));
  await writeInputs(digits);
  await Promise.all([startWorker(), startWorker()]);

  const js = { function: "pairwiseDivergence", options: { metric: "js", base: 2 }, inputs: { p: "p.npy" }, edge: 1024 };
  const { folder } = await watched("JS divergence of all pairs, in bits; a worker is killed half-way", js, async () => {
    const [victim] = workers;
    victim?.kill("SIGKILL");
    await startWorker();
  });
  const { checked, different } = await verify(js, { data, sample: 5 });
  console.log(`\n${checked} tiles made again, ${different.length} of them with other bytes`);
  await drawMatrix(join(folder, "matrix"), digits.count, options.png);

  const nearest = { function: "nearest", options: { k: 5 }, inputs: { x: "pixels.npy" } };
  const graph = await watched("The 5 nearest neighbours of their pixels", nearest);
  await showNeighbours(join(graph.folder, "indices"), digits);
} finally {
  for (const worker of workers) worker.kill("SIGKILL");
  await redis.remove();
  rmSync(data, { recursive: true, force: true });
}

/** Pixels, and the class probabilities of a softmax regression. */
async function writeInputs({ count, pixels }: Digits): Promise<void> {
  const model = new SoftmaxRegression();
  for (const _ of model.train(loadDigits().train, { ...TRAINING, epochs: 3 }));
  const probabilities = softmax(model.logits(pixels), { shape: [count, CLASSES] });
  await saveNpy(join(data, "p.npy"), probabilities, [count, CLASSES]);
  await saveNpy(join(data, "pixels.npy"), pixels, [count, PIXELS]);
}

/** What `npx surprisal-cluster worker` starts; on one core, as there are two of them. Of one that is killed another has its tile in seconds. */
function startWorker(): Promise<void> {
  const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
  // biome-ignore format: a command
  const args = [cli, "worker", "--data", data, "--redis", redis.socket, "--concurrency", "1", "--lock", "2"];
  const worker = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  workers.add(worker);
  worker.once("exit", () => workers.delete(worker));
  return new Promise((resolve, reject) => {
    worker.stderr.on("data", (text: Buffer) => text.includes("ready") && resolve());
    worker.once("exit", (status) => reject(new Error(`the worker ended with ${status}`)));
  });
}

/** Runs a job before one's eyes; `halfWay` once half of its tiles are there. */
async function watched(title: string, job: Request, halfWay?: () => Promise<void>): Promise<Result> {
  console.log(heading(title));
  let show: ReturnType<typeof progress> | undefined;
  let shown = -1;
  let waiting = halfWay;
  let happening: Promise<void> | undefined;
  const start = performance.now();
  const told = ({ done, total, workers }: Progress): void => {
    if (done === shown) return;
    shown = done;
    show ??= progress(total);
    const seconds = (performance.now() - start) / 1000;
    show(done, `${done} of ${total} tiles, ${workers} workers, ${seconds.toFixed(1)} s`);
    if (done < total / 2 || !waiting) return;
    happening = waiting();
    waiting = undefined;
  };
  const result = await run(job, { data, connection: redis.socket, progress: told });
  await happening;
  return result;
}

/** The means of squares of the matrix, dark where rows are far apart. */
async function drawMatrix(path: string, count: number, png: string): Promise<void> {
  const array = await zarr.open(new FileSystemStore(path), { kind: "array" });
  const side = Math.max(1, Math.floor(count / 1000));
  const width = Math.floor(count / side);
  const pixels = new Uint8Array(3 * width * width);
  // one of 256 colours
  const palette = Array.from({ length: 256 }, (_, k) => rgb(interpolateMagma(1 - k / 255)));
  const bands = 64;
  for (let top = 0; top < width; top += bands) {
    const rows = Math.min(bands, width - top);
    const { data: values } = await zarr.get(array, [zarr.slice(top * side, (top + rows) * side), null]);
    const band = values as Float32Array;
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < width; c++) {
        let sum = 0;
        for (let i = 0; i < side; i++)
          for (let j = 0; j < side; j++) sum += band[(r * side + i) * count + c * side + j] as number;
        const colour = palette[Math.round((255 * sum) / (side * side))];
        pixels.set([colour?.r ?? 0, colour?.g ?? 0, colour?.b ?? 0], 3 * ((top + r) * width + c));
      }
  }
  writeFileSync(png, encode({ width, height: width, data: pixels, channels: 3, depth: 8 }));
  console.log(`${png}: ${width} × ${width} pixels, each the mean of ${side * side} divergences`);
}

/** Of each digit, how many of its neighbours are the same one, and which other one is most of the rest. */
async function showNeighbours(path: string, { labels }: Digits): Promise<void> {
  const array = await zarr.open(new FileSystemStore(path), { kind: "array" });
  const indices = (await zarr.get(array, null)).data as Int32Array;
  const counts = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0));
  const k = indices.length / labels.length;
  indices.forEach((neighbour, at) => {
    const row = counts[labels[Math.floor(at / k)] as number] as number[];
    const label = labels[neighbour] as number;
    row[label] = (row[label] as number) + 1;
  });
  const rows = counts.map((row, digit) => {
    const total = row.reduce((sum, one) => sum + one, 0);
    const others = row.map((one, label) => (label === digit ? 0 : one));
    const most = others.indexOf(Math.max(...others));
    const percent = (one: number): string => `${((100 * one) / total).toFixed(1)} %`;
    return [`${digit}`, percent(row[digit] as number), `${most}`, percent(others[most] as number)];
  });
  console.log(table(["digit", "same among its neighbours", "most others", ""], rows));
}
