/** Linear memory: bounded whatever the input, and not a page more after many calls, failing ones included. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Resident } from "../../src/index.ts";
import * as surprisal from "../../src/index.ts";
import { ERRORS } from "../conformance/errors.js";
import { bounded } from "../conformance/memory.js";
import { FUNCTIONS } from "../conformance/table.js";
import { pseudorandom } from "../support/fixture.ts";
import { heldBytes, reservedBytes } from "../support/linearMemory.ts";
import type { Name } from "../support/variants.ts";
import { elementwise, f32, f64, family, forEachType, forEachVariant, resident, rowwise } from "../support/variants.ts";

const MiB = 2 ** 20;
const memory = () => surprisal.info().memoryBytes;
/** As the conformance suite takes it. */
const api = surprisal as unknown as Parameters<typeof bounded>[0];

describe("a large input", () => {
  forEachType((dtype) => {
    const { array } = dtype;
    const bytes = 32 * MiB;
    const n = bytes / array.BYTES_PER_ELEMENT;
    let x: InstanceType<typeof array>;
    let out: typeof x;
    beforeAll(() => {
      x = pseudorandom(dtype, 1, n, 16);
      out = new array(n);
    });
    const shapes: [string, object][] = [
      ["one row", {}],
      ["rows of 4096", { shape: [n / 4096, 4096] }],
      ["columns", { shape: [1024, n / 1024], axis: 0 }],
      ["two columns", { shape: [n / 2, 2], axis: 0 }],
    ];
    const calls: [Name, string, object][] = [
      ...rowwise.flatMap((name) => shapes.map(([what, options]): [Name, string, object] => [name, what, options])),
      ...elementwise.map((name): [Name, string, object] => [name, "elementwise", {}]),
    ];
    it.each(calls)("%s, %s: 32 MiB pass through 4", (name, _, options) => {
      family[name](x, { ...options, ...(name !== "logSumExp" && { out }) });
      expect(memory()).toBeLessThanOrEqual(4 * MiB);
    });
    it("weights too", () => {
      family.logSumExp(x, { weights: x });
      expect(memory()).toBeLessThanOrEqual(4 * MiB);
    });
  });
});

const ones = (n: number) => new Float64Array(n).fill(1 / n);
const costs = (n: number, m: number) => pseudorandom(f64, 3, n * m, 1, 1) as Float64Array;
const samples = (seed: number, n: number) => pseudorandom(f64, seed, n, 1, 1) as Float64Array;
const singles = (seed: number, n: number) => pseudorandom(f32, seed, n, 1, 1) as Float32Array;

/** Large problems: the bytes of what is given, and the call. Some fail when they have their memory. */
const LARGE: Record<string, [bytes: number, call: () => unknown]> = {
  emd: [8 * 400 * 400, () => surprisal.emd(ones(400), ones(400), costs(400, 400), { plan: true })],
  "emd, where mass has nowhere to go": [
    8 * 400 * 400,
    () => expect(() => surprisal.emd(ones(400), ones(400), new Float64Array(160_000).fill(Infinity))).toThrow(),
  ],
  sinkhorn: [8 * 500 * 300, () => surprisal.sinkhorn(ones(500), ones(300), costs(500, 300), { epsilon: 0.1 })],
  "sinkhorn, stopped by its progress": [
    8 * 500 * 300,
    () => {
      const progress = () => {
        throw new Error("stop");
      };
      const stopped = () => surprisal.sinkhorn(ones(500), ones(300), costs(500, 300), { epsilon: 0.01, progress });
      expect(stopped).toThrow("stop");
    },
  ],
  "sinkhornDivergenceWithGrad, without its matrix": [
    8 * 2 * 1800,
    () =>
      surprisal.sinkhornDivergenceWithGrad(samples(1, 2000), samples(2, 1600), {
        shape: [1000, 2],
        yShape: [800, 2],
        epsilon: 0.5,
        maxIterations: 10,
      }),
  ],
  "wasserstein, f32": [4 * 300_000, () => surprisal.wasserstein(singles(1, 150_000), singles(2, 150_000))],
  "wasserstein, f64": [8 * 300_000, () => surprisal.wasserstein(samples(1, 150_000), samples(2, 150_000))],
  "wasserstein, with weights": [
    8 * 400_001,
    () => surprisal.wasserstein(samples(1, 150_000), samples(2, 100_001), { uWeights: samples(3, 150_000) }),
  ],
  wassersteinHistogram: [
    8 * 100_000,
    () => surprisal.wassersteinHistogram(samples(1, 50_000), samples(2, 50_000), { order: 2 }),
  ],
};

describe("what is in the tables below", () => {
  it("calls every function, and fails in each", () => {
    const exported = Object.keys(surprisal).filter((name) => !["info", "init"].includes(name));
    const failing = ERRORS.map(([, message]) => message.split(":")[0]);
    expect(exported.filter((name) => !failing.includes(name))).toEqual([]);
    const calling = [...Object.keys(FUNCTIONS), "initSync", "resident"];
    expect(exported.filter((name) => !calling.includes(name))).toEqual([]);
  });
});

forEachVariant(() => {
  it("calls of every function, failing ones among them, take no more memory", () => {
    const signal = AbortSignal.abort();
    const aborted = (calls: number) => {
      for (let i = 0; i < calls; i++) {
        expect(() => surprisal.sinkhorn([0.5, 0.5], [0.5, 0.5], [0, 1, 1, 0], { epsilon: 1, signal })).toThrow();
        expect(() => surprisal.sinkhornDivergence([0], [1], { shape: [1, 1], epsilon: 1, signal })).toThrow();
        expect(() => surprisal.emd([0.5, 0.5], [0.5, 0.5], [0, 1, 1, 0], { signal })).toThrow();
      }
    };
    bounded(api, 0);
    aborted(1);
    const before = reservedBytes();
    // five hundred of each: the smallest block of linear memory is 128 bytes, and that many fill a page
    bounded(api, 110_000);
    aborted(500);
    expect(reservedBytes() - before).toBe(0);
  });

  it.each(Object.entries(LARGE))("%s: memory of its size at most, given back", async (_, [bytes, call]) => {
    const start = reservedBytes();
    call();
    const first = reservedBytes() - start;
    // as it is given and as it is worked on, and an instance with a stage of its own
    expect(first).toBeLessThanOrEqual(2.5 * bytes + 1.25 * MiB);
    const held = await heldBytes();
    for (let i = 0; i < 3; i++) {
      const before = reservedBytes();
      call();
      expect(reservedBytes() - before).toBeLessThanOrEqual(first);
    }
    expect(await heldBytes()).toBe(held);
  });

  it("10⁴ residents allocated and disposed do not grow it", () => {
    const lengths = [1, 3, 1000, 16_384, 100_000, 7];
    const cycle = (i: number) => {
      const r = resident(i % 2 ? "f32" : "f64", lengths[i % lengths.length] as number);
      r.set([i]);
      r.dispose();
    };
    for (let i = 0; i < lengths.length * 2; i++) cycle(i);
    const before = memory();
    for (let i = 0; i < 1e4; i++) cycle(i);
    expect(memory()).toBe(before);
  });

  it.each(["first in, first out", "last in, first out", "every other one, then the rest"])(
    "many residents at a time, disposed %s, leave room for as many",
    (order) => {
      const round = () => {
        const all: Resident[] = Array.from({ length: 100 }, (_, i) => resident("f32", 4096 + 64 * (i % 5)));
        if (order.startsWith("last")) all.reverse();
        if (order.startsWith("every")) all.sort((a, b) => (all.indexOf(a) % 2) - (all.indexOf(b) % 2));
        for (const r of all) r.dispose();
      };
      round();
      const before = memory();
      for (let i = 0; i < 50; i++) round();
      expect(memory()).toBe(before);
    },
  );

  it("the room of small residents serves a large one: free neighbours are joined", () => {
    const small = Array.from({ length: 64 }, () => resident("f32", 16_384));
    const before = memory();
    for (const r of small) r.dispose();
    const large = resident("f32", 60 * 16_384);
    expect(memory()).toBe(before);
    large.dispose();
  });

  it("a failed call with residents leaves them as they were", () => {
    const r = resident("f32", 3);
    r.set([1, 2, 3]);
    expect(() => family.softmax(r, { shape: [7] })).toThrow(RangeError);
    expect(() => family.softmax(r, { out: new Float32Array(2) })).toThrow(RangeError);
    expect(r.array).toEqual(new Float32Array([1, 2, 3]));
    r.dispose();
  });
});
