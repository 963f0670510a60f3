/**
 * A pool against the synchronous functions, the calls in turns: how many times as fast it is, by the medians, and by how many µs a call of 1 ms
 * or less is slower. As many threads as there are cores; inputs and outputs of functions of rows stand in shared memory.
 */

import * as library from "../dist/index.js";
import { createPool } from "../dist/parallel.js";
import { normals, uniforms } from "./data.ts";
import { spread } from "./harness.ts";
import { options } from "./options.ts";
import { columns, digits, save } from "./report.ts";

type Run = () => unknown;
interface Pair {
  readonly alone: Run;
  readonly pooled: Run;
}

const pool = await createPool();
const ROUNDS = options.rounds(41, 7);

const shared = (values: ArrayLike<number>): Float32Array => {
  const array = new Float32Array(new SharedArrayBuffer(4 * values.length) as unknown as ArrayBuffer);
  array.set(values);
  return array;
};
const points = (n: number, d: number, seed = 1): Float32Array => shared(normals("f32", n * d, { seed }));

const [x, y] = [points(2000, 256), points(2000, 256, 2)];
const [shape, many] = [
  [2000, 256],
  [64, 32_000],
];
const logits = shared(uniforms(64 * 32_000, 3));
const others = shared(uniforms(64 * 32_000, 4));
const out = shared(new Float64Array(64 * 32_000));
const matrix = shared(new Float64Array(2000 * 2000));
const labels = Int32Array.from({ length: 64 }, (_, i) => (i * 499) % 32_000);

const CASES: Record<string, Pair> = {
  "softmax 64×32000": {
    alone: () => library.softmax(logits, { shape: many, out }),
    pooled: () => pool.softmax(logits, { shape: many, out }),
  },
  "logSumExp 64×32000": {
    alone: () => library.logSumExp(logits, { shape: many }),
    pooled: () => pool.logSumExp(logits, { shape: many }),
  },
  "crossEntropyWithGrad 64×32000": {
    alone: () => library.crossEntropyWithGrad(logits, labels, { shape: many, out }),
    pooled: () => pool.crossEntropyWithGrad(logits, labels, { shape: many, out }),
  },
  "klDivergence 64×32000": {
    alone: () => library.klDivergence(logits, others, { shape: many }),
    pooled: () => pool.klDivergence(logits, others, { shape: many }),
  },
  "gram 2000×256": {
    alone: () => library.gram(x, { shape, out: matrix }),
    pooled: () => pool.gram(x, { shape, out: matrix }),
  },
  "gram 2000×256, a new array": { alone: () => library.gram(x, { shape }), pooled: () => pool.gram(x, { shape }) },
  "kernelMatrix rbf 2000×2000×256": {
    alone: () => library.kernelMatrix(x, y, { shape, kernel: "rbf", out: matrix }),
    pooled: () => pool.kernelMatrix(x, y, { shape, kernel: "rbf", out: matrix }),
  },
  "pairwiseDistance 2000×2000×256": {
    alone: () => library.pairwiseDistance(x, y, { shape, out: matrix }),
    pooled: () => pool.pairwiseDistance(x, y, { shape, out: matrix }),
  },
  "nearest 2000×2000×256, k = 5": {
    alone: () => library.nearest(x, y, { shape, k: 5 }),
    pooled: () => pool.nearest(x, y, { shape, k: 5 }),
  },
  "kernelDensity 2000×2000×256": {
    alone: () => library.kernelDensity(x, y, { shape, bandwidth: 8 }),
    pooled: () => pool.kernelDensity(x, y, { shape, bandwidth: 8 }),
  },
  // calls around the size from which they are divided
  ...Object.fromEntries(
    [4, 8, 16, 32, 64].map((rows): [string, Pair] => {
      const few = { shape: [rows, 32_000], out: out.subarray(0, rows * 32_000) };
      const some = logits.subarray(0, rows * 32_000);
      return [
        `softmax ${rows}×32000, around the threshold`,
        { alone: () => library.softmax(some, few), pooled: () => pool.softmax(some, few) },
      ];
    }),
  ),
  ...Object.fromEntries(
    [128, 256, 384, 512, 768].map((n): [string, Pair] => {
      const few = { shape: [n, 256], out: matrix.subarray(0, n * n) };
      const some = x.subarray(0, n * 256);
      return [
        `gram ${n}×256, around the threshold`,
        { alone: () => library.gram(some, few), pooled: () => pool.gram(some, few) },
      ];
    }),
  ),
};

const figures: Record<string, { alone: number; pooled: number; ratio: number }> = {};
for (const [name, { alone, pooled }] of Object.entries(CASES)) {
  if (!options.only.test(name)) continue;
  const [a, p, ratios]: number[][] = [[], [], []];
  for (let round = 0; round < ROUNDS + 2; round++) {
    const times = [0, 0];
    for (const turn of round % 2 ? [0, 1] : [1, 0]) {
      const start = performance.now();
      await (turn ? pooled() : alone());
      times[turn] = 1000 * (performance.now() - start);
    }
    // kernels are compiled, and shared memory is made, in the first rounds
    if (round < 2) continue;
    a?.push(times[0] as number);
    p?.push(times[1] as number);
    ratios?.push((times[0] as number) / (times[1] as number));
  }
  figures[name] = { alone: spread(a ?? []).median, pooled: spread(p ?? []).median, ratio: spread(ratios ?? []).median };
}
const workers = pool.size;
await pool.close();

const rows = Object.entries(figures).map(([name, { alone, pooled, ratio }]) => [
  name,
  digits(alone),
  digits(pooled),
  `${ratio.toFixed(2)}×`,
]);
console.log(
  `\n${workers} workers, ${library.info().variant}\n${columns([["µs", "alone", "pooled", "as fast"], ...rows])}`,
);
if (options.complete) save("parallel", { workers, rounds: ROUNDS, figures });
