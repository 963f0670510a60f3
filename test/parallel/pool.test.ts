/** Pools of real workers, which run the built package: their bits, and what becomes of a call where something fails. */
import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as library from "../../src/index.ts";
import { supports } from "../../src/memory/kernels.ts";
import { FUNCTIONS } from "../../src/parallel/functions.ts";
import { createPool, type Pool } from "../../src/parallel/index.ts";
import { type Args, bitsOf, CASES, type Case, dataOf, titleOf } from "./calls.ts";
import { eagerPool } from "./eager.ts";

const url = new URL("../../dist/parallel.worker.js", import.meta.url);
const worker = (): Worker => new Worker(url);

type Functions = Record<string, (...args: unknown[]) => Promise<unknown>>;
const call = (pool: Pool, { name }: Case, args: Args): Promise<unknown> =>
  ((pool as unknown as Functions)[name] as Functions[string])(...args);
const alone = ({ name }: Case, args: Args): unknown => FUNCTIONS[name].run(...args);

/** Large enough to have tiles: more than SHARED_WORK of src/place/blocks.ts, of rows more than one tile has. */
const sizeOf = ({ name, how }: Case): [number, number, number] => {
  const pairs = ["Matrix", "pairwise", "gram", "nearest", "kernel", "mmd", "cka", "linear"].some((word) =>
    name.includes(word),
  );
  // three blocks, or four, along either side
  if (name.startsWith("contrastive")) return [1200, 0, 60];
  // problems are tiles, however small
  if (name.startsWith("sinkhorn")) return [200, 150, 3];
  if (!pairs) return [28, 0, 40_000];
  // divergences are logarithms of each element, the others a product
  return how === "kl" || how === "own js" ? [500, 400, 64] : [600, 700, 400];
};

const variants = (["base", "relaxed"] as const).filter(supports);

describe.each(variants)("%s kernels", (variant) => {
  const pools: Pool[] = [];
  beforeAll(async () => {
    library.initSync({ variant });
    for (const size of [1, 2, 3, 5]) pools.push(await eagerPool({ size, worker }));
  });
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.close()));
    library.initSync();
  });

  it.each(CASES.map((one) => [titleOf(one), one] as const))(
    "%s: the same bits with 1, 2, 3 and 5 workers",
    async (_, one) => {
      for (const type of ["f32", "f64"] as const) {
        const args = one.of(dataOf(type, 1, true), ...sizeOf(one));
        const want = bitsOf(alone(one, args));
        for (const pool of pools) {
          let last = { tiles: 0, fraction: 0 };
          const progress = (now: typeof last): void => {
            expect(now.tiles).toBeGreaterThan(last.tiles);
            last = now;
          };
          const options = { ...(args.at(-1) as object), progress };
          expect(bitsOf(await call(pool, one, [...args.slice(0, -1), options]))).toEqual(want);
          expect(last.fraction).toBe(1);
          if (pool.size > 1) expect(last.tiles).toBeGreaterThan(1);
        }
      }
    },
  );
});

describe("arguments", () => {
  it("and outputs in shared memory are read and written where they stand", async () => {
    const two = await eagerPool({ size: 2, worker });
    const [rows, width] = [64, 40_000];
    const options = { shape: [rows, width] };
    const shared = (): Float32Array =>
      new Float32Array(new SharedArrayBuffer(4 * rows * width) as unknown as ArrayBuffer);
    const data = dataOf("f32", 7, true);
    const x = data.positives(rows * width) as Float32Array;
    const y = data.positives(rows * width) as Float32Array;
    const labels = data.labels(rows, width);
    let tiles = 0;
    const progress = (now: { tiles: number }): void => {
      tiles = now.tiles;
    };
    const [a, b] = [shared(), shared()];
    expect(await two.softmax(x, { ...options, out: a, progress })).toBe(a);
    expect(tiles).toBeGreaterThan(1);
    expect(bitsOf(a)).toBe(bitsOf(library.softmax(x, options)));
    tiles = 0;
    expect((await two.crossEntropyWithGrad(x, labels, { ...options, out: a, progress })).grad).toBe(a);
    expect(tiles).toBeGreaterThan(1);
    expect(bitsOf(a)).toBe(bitsOf(library.crossEntropyWithGrad(x, labels, options).grad));
    tiles = 0;
    const got = await two.jsDivergenceWithGrad(x, y, { ...options, out: { gradP: a, gradQ: b }, progress });
    expect(tiles).toBeGreaterThan(1);
    expect(got.gradP).toBe(a);
    expect(got.gradQ).toBe(b);
    expect(bitsOf(got)).toEqual(bitsOf(library.jsDivergenceWithGrad(x, y, options)));
    await two.close();
  });

  let pool: Pool;
  beforeAll(async () => {
    pool = await eagerPool({ size: 2, worker });
  });
  afterAll(() => pool.close());
  const [n, d] = [700, 512];
  const x = dataOf("f32", 3).reals(n * d) as Float32Array;
  const want = library.gram(x, { shape: [n, d] });

  it("are taken as tensors, views, residents, in shared memory or not", async () => {
    const offset = new Float32Array(n * d + 3);
    offset.set(x, 3);
    const kept = library.resident("f32", n * d);
    kept.set(x);
    const shared = new Float32Array(new SharedArrayBuffer(4 * n * d));
    shared.set(x);
    for (const given of [{ data: x, shape: [n, d] }, { data: x, dims: [n, d] }, offset.subarray(3), kept, shared])
      expect(bitsOf(await pool.gram(given, { shape: [n, d] }))).toBe(bitsOf(want));
    const lazy = { data: x, dims: [n, d], stride: () => [d, 1] };
    for (const given of [lazy, { data: x, shape: [n, d], strides: [d, 1] }])
      expect(bitsOf(await pool.gram(given))).toBe(bitsOf(want));
    const transposed = { data: x, shape: [d, n], stride: [1, d] };
    await expect(pool.gram(transposed)).rejects.toThrow(/gram: "x" must be a tensor whose elements stand row by row/);
    kept.dispose();
  });

  it("may be outputs too, overlapping in any way, in shared memory or not", async () => {
    for (const Buffer of [ArrayBuffer, SharedArrayBuffer]) {
      const memory = new Float32Array(new Buffer(4 * (n * n + 100)) as ArrayBuffer);
      memory.set(x, 50);
      const out = memory.subarray(0, n * n);
      expect(await pool.gram(memory.subarray(50, 50 + n * d), { shape: [n, d], out })).toBe(out);
      expect(bitsOf(out)).toBe(bitsOf(want));
      const rows = new Float32Array(new Buffer(4 * 64 * 40_000) as ArrayBuffer);
      rows.set(dataOf("f32", 4).reals(rows.length));
      const expected = bitsOf(library.softmax(rows, { shape: [64, 40_000] }));
      expect(await pool.softmax(rows, { shape: [64, 40_000], out: rows })).toBe(rows);
      expect(bitsOf(rows)).toBe(expected);
    }
  });

  it("that are wrong are the errors of the function", async () => {
    const shape = [n, d + 1];
    expect(() => library.gram(x, { shape })).toThrow(RangeError);
    await expect(pool.gram(x, { shape })).rejects.toThrow(/^gram: "shape" \[700, 513\] holds 359100 elements/);
    await expect(pool.gram(x, { shpae: shape } as object)).rejects.toThrow(/did you mean "shape"/);
    await expect(pool.gram(null as never)).rejects.toThrow(TypeError);
    await expect(pool.gram(x, null as never)).rejects.toThrow(TypeError);
    await expect(pool.gram(x, { shape: [n, d], progress: 1 as never })).rejects.toThrow(/"progress"/);
    await expect(pool.gram(x, { shape: [n, d], signal: {} as never })).rejects.toThrow(/"signal"/);
    const labels = new Int32Array(64).fill(1);
    labels[63] = 40_000;
    const logits = dataOf("f32", 1, true).reals(64 * 40_000);
    await expect(pool.crossEntropy(logits, labels, { shape: [64, 40_000] })).rejects.toThrow(/row 63/);
  });

  it("with what a script has put on the prototype of all objects", async () => {
    Object.defineProperty(Object.prototype, "polluted", {
      value: 1,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    try {
      expect(bitsOf(await pool.gram(x, { shape: [n, d] }))).toBe(bitsOf(want));
      await expect(pool.gram(x, { shape: [n, d], polluted: 2 } as object)).rejects.toThrow(/unknown option "polluted"/);
    } finally {
      delete (Object.prototype as { polluted?: number }).polluted;
    }
  });

  it("that are detached while other calls have their turn are a TypeError", async () => {
    const one = x.slice();
    const first = pool.gram(x, { shape: [n, d] });
    const second = pool.gram(one, { shape: [n, d] });
    structuredClone(one.buffer, { transfer: [one.buffer] });
    expect(bitsOf(await first)).toBe(bitsOf(want));
    await expect(second).rejects.toThrow(/^gram: .*detached/);
    expect(bitsOf(await pool.gram(x, { shape: [n, d] }))).toBe(bitsOf(want));
  });

  it("of calls at the same time stay apart, and two pools do", async () => {
    const other = await eagerPool({ size: 2, worker });
    const scaled = library.gram(x, { shape: [n, d], scale: 2 });
    const results = await Promise.all(
      [0, 1, 2, 3, 4, 5].map((k) => (k < 3 ? pool : other).gram(x, { shape: [n, d], scale: 1 + (k % 2) })),
    );
    results.forEach((result, k) => {
      expect(bitsOf(result)).toBe(bitsOf(k % 2 ? scaled : want));
    });
    await other.close();
  });

  it("of 10,000 calls leave nothing behind", { timeout: 120_000 }, async () => {
    const small = new Float32Array(1000).fill(1);
    await pool.gram(x, { shape: [n, d] });
    const { memoryBytes } = library.info();
    const before = process.memoryUsage().arrayBuffers;
    for (let k = 0; k < 10_000; k++) await pool.softmax(small);
    for (let k = 0; k < 50; k++) await pool.logSumExp(dataShared, { shape: [64, 40_000] });
    expect(library.info().memoryBytes).toBe(memoryBytes);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 27);
    expect(pool.size).toBe(2);
  });
  const dataShared = dataOf("f32", 5, true).reals(64 * 40_000);
});

describe("signals and progress", () => {
  const [n, d] = [2000, 256];
  const x = dataOf("f32", 3).reals(n * d);

  it("stop a call, and the next one works", async () => {
    const pool = await eagerPool({ size: 2, worker });
    const controller = new AbortController();
    const reason = new Error("enough");
    let tiles = 0;
    const stopped = pool.nearest(x, undefined, {
      shape: [n, d],
      k: 5,
      signal: controller.signal,
      progress: (now) => {
        tiles = now.tiles;
        controller.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    expect(tiles).toBeLessThan(8);
    await expect(pool.gram(x, { shape: [n, d], signal: controller.signal })).rejects.toBe(reason);
    const want = library.nearest(x, undefined, { shape: [n, d], k: 5 });
    expect(bitsOf(await pool.nearest(x, undefined, { shape: [n, d], k: 5 }))).toEqual(bitsOf(want));
    await pool.close();
  });

  it("stop a call whose tiles wait for each other, before the last of them", async () => {
    const pool = await eagerPool({ size: 2, worker });
    const options = { shape: [1500, 200], weightShape: [3000, 200] };
    const labels = Int32Array.from({ length: 1500 }, (_, i) => (7 * i) % 3000);
    const data = dataOf("f32", 4);
    const args = [data.reals(300_000), data.reals(600_000), labels] as const;
    // six tiles, and six that wait for them: some 20 ms each at least, after which progress is called
    const want = bitsOf(library.linearCrossEntropyWithGrad(...args, options));
    for (const last of [1, 7]) {
      const controller = new AbortController();
      const reason = new Error("enough");
      const progress = ({ tiles }: { tiles: number }): void => {
        if (tiles >= last) controller.abort(reason);
      };
      const stopped = pool.linearCrossEntropyWithGrad(...args, { ...options, signal: controller.signal, progress });
      await expect(stopped).rejects.toBe(reason);
      expect(bitsOf(await pool.linearCrossEntropyWithGrad(...args, options))).toEqual(want);
    }
    await pool.close();
  });

  it("stop a tile that takes long, which looks itself", async () => {
    const pool = await eagerPool({ size: 2, worker });
    const data = dataOf("f64", 6);
    const [one, two] = [data.reals(600), data.positives(600)];
    const reason = new Error("enough");
    const controller = new AbortController();
    // it would never end
    const endless = { shape: [300, 2], epsilon: 1e-6, tolerance: 0, maxIterations: 2 ** 50 };
    const stopped = pool.sinkhornDivergence(one, two, { ...endless, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 30);
    await expect(stopped).rejects.toBe(reason);
    const options = { shape: [300, 2], epsilon: 0.1 };
    const want = bitsOf(library.sinkhornDivergence(one, two, options));
    expect(bitsOf(await pool.sinkhornDivergence(one, two, options))).toEqual(want);
    await pool.close();
  });

  it("throw at the last tile, and what is not in shared memory is as it was", async () => {
    const pool = await eagerPool({ size: 2, worker });
    const controller = new AbortController();
    const last = { gram: new Error("the last"), pairwiseDistance: new Error("the last") };
    for (const name of ["gram", "pairwiseDistance"] as const) {
      const out = new Float32Array(n * n).fill(7);
      const progress = ({ fraction }: { fraction: number }): void => {
        if (fraction === 1) throw last[name];
      };
      const options = { shape: [n, d], out, progress };
      const result = name === "gram" ? pool.gram(x, options) : pool.pairwiseDistance(x, undefined, options);
      await expect(result).rejects.toBe(last[name]);
      expect(out.every((value) => value === 7)).toBe(true);
    }
    const aborts = ({ fraction }: { fraction: number }): void => {
      if (fraction === 1) controller.abort(last.gram);
    };
    const { signal } = controller;
    await expect(pool.gram(x, { shape: [n, d], signal, progress: aborts })).rejects.toBe(last.gram);
    await pool.close();
  });

  it("of a call of one tile are those of the function", async () => {
    const pool = await createPool({ size: 2, worker });
    const [few, many] = [100, 60_000];
    const options = { shape: [few, d], yShape: [many, d], k: 3 };
    const y = dataOf("f32", 6).reals(many * d);
    let told = 0;
    const tell = (): void => {
      told++;
    };
    const want = library.nearest(x.subarray(0, few * d), y, { ...options, progress: tell });
    const alone = told;
    expect(alone).toBeGreaterThan(1);
    told = 0;
    const got = await pool.nearest(x.subarray(0, few * d), y, { ...options, progress: tell });
    expect(bitsOf(got)).toEqual(bitsOf(want));
    expect(told).toBe(alone);
    await pool.close();
  });

  it("that throw when they are looked at end the call, and not the process", async () => {
    const pool = await eagerPool({ size: 2, worker });
    let looks = 0;
    const signal = {
      get aborted(): boolean {
        if (looks++ > 3) throw new Error("looked at");
        return false;
      },
      reason: undefined,
    };
    await expect(pool.nearest(x, undefined, { shape: [n, d], k: 5, signal })).rejects.toThrow("looked at");
    expect(await pool.softmax([0, 0])).toEqual(Float64Array.of(0.5, 0.5));
    await pool.close();
  });

  it("a progress that throws ends its call", async () => {
    const pool = await eagerPool({ size: 2, worker });
    const progress = (): void => {
      throw new Error("no more");
    };
    await expect(pool.nearest(x, undefined, { shape: [n, d], progress })).rejects.toThrow("no more");
    expect(await pool.softmax([0, 0])).toEqual(Float64Array.of(0.5, 0.5));
    await pool.close();
  });
});

/** A worker that is not one: it says `ready`, and to each message what `answer` makes of it. */
class Fake extends EventEmitter {
  readonly answer: (this: Fake, message: { id: number }) => void;
  isEnded = false;
  constructor(answer: (this: Fake, message: { id: number }) => void, says = true) {
    super();
    this.answer = answer;
    if (says) queueMicrotask(() => this.emit("message", { ready: true }));
  }
  postMessage(message: { id: number }): void {
    this.answer(message);
  }
  terminate(): void {
    this.isEnded = true;
    this.emit("exit", 1);
  }
}

describe("where no memory is shared, as in pages that are not isolated", () => {
  const shared = SharedArrayBuffer;
  let pools: Pool[];
  beforeAll(async () => {
    pools = [await eagerPool({ size: 2, worker }), await eagerPool({ size: 3, worker })];
    vi.stubGlobal("SharedArrayBuffer", undefined);
  });
  afterAll(async () => {
    vi.unstubAllGlobals();
    expect(globalThis.SharedArrayBuffer).toBe(shared);
    await Promise.all(pools.map((pool) => pool.close()));
  });

  it.each(CASES.map((one) => [titleOf(one), one] as const))(
    "%s: the same bits, of tiles that workers send",
    async (_, one) => {
      for (const [k, type] of (["f32", "f64"] as const).entries()) {
        // one for each pool
        const args = one.of(dataOf(type, 1), ...sizeOf(one));
        const want = bitsOf(alone(one, args));
        let [tiles, fraction] = [0, 0];
        const progress = (now: { tiles: number; fraction: number }): void => {
          expect(now.tiles).toBeGreaterThan(tiles);
          ({ tiles, fraction } = now);
        };
        const options = { ...(args.at(-1) as object), progress };
        expect(bitsOf(await call(pools[k] as Pool, one, [...args.slice(0, -1), options]))).toEqual(want);
        expect(tiles).toBeGreaterThan(1);
        expect(fraction).toBe(1);
      }
    },
  );

  it("an out that overlaps the input, or is a part of something, is written at the end", async () => {
    const [n, d] = [900, 512];
    const x = dataOf("f32", 3).reals(n * d);
    const want = bitsOf(library.gram(x, { shape: [n, d] }));
    const memory = new Float32Array(n * n + 100);
    memory.set(x, 50);
    const out = memory.subarray(0, n * n);
    expect(await (pools[0] as Pool).gram(memory.subarray(50, 50 + n * d), { shape: [n, d], out })).toBe(out);
    expect(bitsOf(out)).toBe(want);
    expect(memory.subarray(n * n).some((value) => value !== 0)).toBe(false);
  });

  it("a signal stops a call, a worker that is terminated is replaced, close ends calls", async () => {
    const workers: Worker[] = [];
    const make = (): Worker => {
      const one = worker();
      workers.push(one);
      return one;
    };
    const pool = await eagerPool({ size: 2, worker: make });
    const x = dataOf("f32", 3).reals(3000 * 256);
    const options = { shape: [3000, 256], k: 5 };
    const want = bitsOf(library.nearest(x, undefined, options));
    const controller = new AbortController();
    const reason = new Error("enough");
    const progress = (): void => controller.abort(reason);
    await expect(pool.nearest(x, undefined, { ...options, signal: controller.signal, progress })).rejects.toBe(reason);
    const result = pool.nearest(x, undefined, options);
    setTimeout(() => void workers[0]?.terminate(), 15);
    expect(bitsOf(await result)).toEqual(want);
    await vi.waitFor(() => expect(pool.size).toBe(2), 20_000);
    expect(bitsOf(await pool.nearest(x, undefined, options))).toEqual(want);
    const running = expect(pool.nearest(x, undefined, options)).rejects.toThrow("nearest: the pool was closed");
    await new Promise((resolve) => setTimeout(resolve, 5));
    await pool.close();
    await running;
  });

  it("a worker that is terminated, whatever it was doing: those after it are sent what others found", async () => {
    const options = { shape: [1000, 100], weightShape: [2000, 100] };
    const labels = Int32Array.from({ length: 1000 }, (_, i) => (7 * i) % 2000);
    const data = dataOf("f32", 4);
    const args = [data.reals(100_000), data.reals(200_000), labels] as const;
    const want = bitsOf(library.linearCrossEntropyWithGrad(...args, options));
    for (const last of [1, 2, 4, 5, 7]) {
      const workers: Worker[] = [];
      const make = (): Worker => {
        const one = worker();
        workers.push(one);
        return one;
      };
      const pool = await eagerPool({ size: 3, worker: make });
      const progress = ({ tiles }: { tiles: number }): void => {
        if (tiles >= last) void workers[last % 3]?.terminate();
      };
      expect(bitsOf(await pool.linearCrossEntropyWithGrad(...args, { ...options, progress }))).toEqual(want);
      await pool.close();
    }
  });

  it("workers that fail at every turn: the calling thread does it", async () => {
    const make = (): Fake =>
      new Fake(function ({ id }) {
        queueMicrotask(() => this.emit("message", { id, told: false, error: "out of memory" }));
      });
    const pool = await eagerPool({ size: 2, worker: make });
    const x = dataOf("f32", 3).reals(900 * 512);
    const want = bitsOf(library.gram(x, { shape: [900, 512] }));
    expect(bitsOf(await pool.gram(x, { shape: [900, 512] }))).toBe(want);
    await pool.close();
  });
});

describe("faults", () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  const [n, d] = [700, 512];
  const x = dataOf("f32", 3).reals(n * d);
  const want = bitsOf(library.gram(x, { shape: [n, d] }));

  it("a worker terminated in the middle: its tiles are done by others, and another takes its place", async () => {
    const workers: Worker[] = [];
    const make = (): Worker => {
      const one = worker();
      workers.push(one);
      return one;
    };
    const pool = await eagerPool({ size: 2, worker: make });
    const points = dataOf("f32", 3).reals(2000 * 256);
    const expected = library.nearest(points, undefined, { shape: [2000, 256], k: 5 });
    const result = pool.nearest(points, undefined, { shape: [2000, 256], k: 5 });
    setTimeout(() => void workers[0]?.terminate(), 15);
    expect(bitsOf(await result)).toEqual(bitsOf(expected));
    await vi.waitFor(() => expect(pool.size).toBe(2), 20_000);
    expect(bitsOf(await pool.gram(x, { shape: [n, d] }))).toBe(want);
    await pool.close();
  });

  it("a worker terminated while there is nothing to do: another takes its place at the next call", async () => {
    const workers: Worker[] = [];
    const make = (): Worker => {
      const one = worker();
      workers.push(one);
      return one;
    };
    const pool = await eagerPool({ size: 2, worker: make });
    await workers[0]?.terminate();
    await vi.waitFor(() => expect(pool.size).toBe(1), 20_000);
    expect(bitsOf(await pool.gram(x, { shape: [n, d] }))).toBe(want);
    await vi.waitFor(() => expect(pool.size).toBe(2), 20_000);
    expect(workers).toHaveLength(3);
    await pool.close();
  });

  it("workers that fail at every call: the calling thread does it", async () => {
    const make = () =>
      new Fake(function ({ id }) {
        queueMicrotask(() => this.emit("message", { id, told: false, error: "out of memory" }));
      });
    const pool = await eagerPool({ size: 2, worker: make });
    expect(bitsOf(await pool.gram(x, { shape: [n, d] }))).toBe(want);
    // of which half of the tiles wait for the others, and rows that are ignored hold what is no number
    const rows = x.slice();
    rows[3 * d] = Number.NaN;
    rows[5 * d] = Number.POSITIVE_INFINITY;
    const weight = dataOf("f32", 5).reals(n * d);
    weight[7] = Number.POSITIVE_INFINITY;
    const labels = Int32Array.from({ length: n }, (_, i) => (i === 3 || i === 5 ? -100 : i));
    const options = { shape: [n, d], weightShape: [n, d] };
    const gradients = library.linearCrossEntropyWithGrad(rows, weight, labels, options);
    expect(bitsOf(await pool.linearCrossEntropyWithGrad(rows, weight, labels, options))).toEqual(bitsOf(gradients));
    await pool.close();
  });

  it("workers that take nothing: the calling thread does it", async () => {
    const make = () =>
      new Fake(() => {
        throw new DOMException("could not be cloned", "DataCloneError");
      });
    const pool = await eagerPool({ size: 2, worker: make });
    expect(bitsOf(await pool.gram(x, { shape: [n, d] }))).toBe(want);
    await pool.close();
  });

  /** A pool whose workers never answer. */
  async function silentPool(): Promise<{ readonly pool: Pool; readonly fakes: readonly Fake[] }> {
    const fakes: Fake[] = [];
    const make = (): Fake => {
      const fake = new Fake(() => undefined);
      fakes.push(fake);
      return fake;
    };
    return { pool: await eagerPool({ size: 2, worker: make }), fakes };
  }

  it("workers that never answer are ended after a minute in which no tile was done", async () => {
    const { pool, fakes } = await silentPool();
    vi.useFakeTimers();
    const result = pool.gram(x, { shape: [n, d] });
    await vi.advanceTimersByTimeAsync(180_000);
    expect(bitsOf(await result)).toBe(want);
    expect(fakes.slice(0, 2).every(({ isEnded }) => isEnded)).toBe(true);
    await pool.close();
  });

  it("tiles of hours are waited for", async () => {
    const { pool, fakes } = await silentPool();
    const n = 2 ** 20;
    const points = new Float32Array(n).fill(1);
    vi.useFakeTimers();
    const result = pool.sinkhornDivergence(points, points.slice().fill(2), { shape: [n, 1], epsilon: 1 });
    const ended = expect(result).rejects.toThrow("the pool was closed");
    await vi.advanceTimersByTimeAsync(180_000);
    expect(fakes.some(({ isEnded }) => isEnded)).toBe(false);
    await pool.close();
    await ended;
  });

  it("a worker that tells of an error and goes on is ended, and has no memory of a later call", async () => {
    const memories: ArrayBufferLike[][] = [[], []];
    const fakes: Fake[] = [];
    const make = (): Fake => {
      const k = fakes.length;
      const fake = new Fake(function (message) {
        memories[k % 2]?.push((message as unknown as { control: Int32Array }).control.buffer);
        queueMicrotask(() =>
          k === 0 ? this.emit("error", new Error("of a page")) : this.emit("message", { id: message.id, told: false }),
        );
      });
      fakes.push(fake);
      return fake;
    };
    const pool = await eagerPool({ size: 2, worker: make });
    for (let k = 0; k < 2; k++) expect(bitsOf(await pool.gram(x, { shape: [n, d] }))).toBe(want);
    const [first, second] = memories as [ArrayBufferLike[], ArrayBufferLike[]];
    expect(fakes[0]?.isEnded).toBe(true);
    expect(second).toHaveLength(2);
    expect(second[1]).not.toBe(first[0]);
    await pool.close();
  });

  it("workers that cannot be made, or never say that they are there, are an error that says so", async () => {
    const refused = (): never => {
      throw new DOMException("blocked by worker-src 'none'", "SecurityError");
    };
    await expect(createPool({ size: 2, worker: refused })).rejects.toThrow(
      /^createPool: a worker could not be started: blocked by worker-src/,
    );
    const failing = (): Fake => {
      const fake = new Fake(() => undefined, false);
      queueMicrotask(() => fake.emit("error", new Error("no such file")));
      return fake;
    };
    await expect(createPool({ size: 3, worker: failing })).rejects.toThrow(/no such file/);
    const later = (async () => new Fake(() => undefined)) as never;
    await expect(createPool({ size: 2, worker: later })).rejects.toThrow(/what was made is no worker/);
    vi.useFakeTimers();
    const silent = createPool({ size: 2, worker: () => new Fake(() => undefined, false) });
    const failed = expect(silent).rejects.toThrow(/waited for 30 s/);
    await vi.advanceTimersByTimeAsync(31_000);
    await failed;
  });

  it("close ends calls that run and those that wait, with errors that say so", async () => {
    const pool = await eagerPool({ size: 2, worker });
    const points = dataOf("f32", 3).reals(2000 * 256);
    const running = pool.nearest(points, undefined, { shape: [2000, 256] });
    const waiting = pool.nearest(points, undefined, { shape: [2000, 256] });
    const ended = Promise.all([
      expect(running).rejects.toThrow("nearest: the pool was closed"),
      expect(waiting).rejects.toThrow("nearest: the pool was closed"),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await pool.close();
    await ended;
    await pool.close();
    await expect(pool.softmax([1, 2])).rejects.toThrow("softmax: the pool is closed");
    const disposed = await createPool({ size: 1 });
    await disposed[Symbol.asyncDispose]();
    await expect(disposed.softmax([1, 2])).rejects.toThrow("softmax: the pool is closed");
  });

  it("options that are wrong", async () => {
    await expect(createPool({ size: 0 })).rejects.toThrow(RangeError);
    await expect(createPool({ size: "2" as never })).rejects.toThrow(TypeError);
    await expect(createPool({ worker: {} as never })).rejects.toThrow(TypeError);
    await expect(createPool({ sise: 2 } as never)).rejects.toThrow(/did you mean "size"/);
  });
});

/** A program, in a process of its own; what it printed, once it has ended by itself. */
function program(source: string): Promise<string> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--expose-gc", "--input-type=module", "--eval", source], { cwd: root });
    let [text, errors] = ["", ""];
    child.stdout.on("data", (data) => {
      text += data;
    });
    child.stderr.on("data", (data) => {
      errors += data;
    });
    const timer = setTimeout(() => child.kill(), 40_000);
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(text);
      else reject(new Error(`ended with ${code ?? signal}: ${errors}`));
    });
  });
}

describe("a process", () => {
  it("finds its workers, waits for a call, and ends although its pool was not closed", async () => {
    const text = await program(`
      import { createPool } from "surprisal/parallel";
      import { mmd } from "surprisal";
      const pool = await createPool({ size: 2 });
      const x = Float32Array.from({ length: 700 * 512 }, (_, i) => Math.sin(i));
      const [shape, y] = [[700, 512], x.map((value) => value + 0.1)];
      let tiles = 0;
      const got = await pool.mmd(x, y, { shape, progress: (now) => { tiles = now.tiles; } });
      console.log(pool.size, tiles > 1, got === mmd(x, y, { shape }));`);
    expect(text.trim()).toBe("2 true true");
  });

  it("ends the workers of a pool that is forgotten", async () => {
    const text = await program(`
      import { createPool } from "surprisal/parallel";
      import { Worker } from "node:worker_threads";
      let ended = 0;
      const worker = () => new Worker(new URL(import.meta.resolve("surprisal/parallel/worker")), { execArgv: [] }).on("exit", () => ended++);
      await (async () => { await (await createPool({ size: 2, worker })).softmax([1, 2]); })();
      for (let k = 0; k < 200 && ended < 2; k++) { await new Promise((next) => setTimeout(next, 20)); gc(); }
      console.log(ended);`);
    expect(text.trim()).toBe("2");
  });

  it("keeps a pool of which it waits for a call, or has a function; and no result", async () => {
    const text = await program(`
      import { createPool } from "surprisal/parallel";
      const [n, d] = [3000, 256];
      const x = Float32Array.from({ length: n * d }, (_, i) => Math.sin(i));
      const pause = (ms) => new Promise((next) => setTimeout(next, ms));
      const timer = setInterval(gc, 5);
      const { values } = await (await createPool({ size: 2 })).nearest(x, undefined, { shape: [n, d], k: 5 });
      const { gram } = await createPool({ size: 2 });
      await pause(100);
      const reference = await (async () => new WeakRef(await gram(x, { shape: [n, d] })))();
      await pause(100);
      clearInterval(timer);
      console.log(values.length, reference.deref() === undefined, (await gram(x, { shape: [n, d] })).length);`);
    expect(text.trim()).toBe("15000 true 9000000");
  });
});
