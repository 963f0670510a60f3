/**
 * A pool against the synchronous functions, the calls in turns: how many times as fast it is, by the medians and by the best of either, and how
 * many µs a call of 1 ms or less is slower. As many threads as there are cores; inputs and outputs of functions of rows stand in shared
 * memory. "not shared" is what a page has that is not cross-origin isolated.
 *
 * Then what to divide a call costs, by calls of a few sizes that are divided whatever they are worth: that is src/parallel/worth.ts. And what
 * a unit of work takes, and a call of a pool that is not divided: that is src/parallel/functions.ts. `--only overhead` and `--only costs` do these alone.
 */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import * as library from "../dist/index.js";
import { createPool } from "../dist/parallel.js";
import { Crew } from "../src/parallel/crew.ts";
import { FUNCTIONS, type Name } from "../src/parallel/functions.ts";
import { runAs, Survey } from "../src/parallel/work.ts";
import { CASES as CALLS, dataOf, titleOf } from "../test/parallel/calls.ts";
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

// logits of size 1: of larger ones most probabilities are too small for f32's normal numbers, which take several times as long
const [tokens, head] = [
  points(1024, 256, 5),
  shared(normals("f32", 8192 * 256, { seed: 6 }).map((value) => value / 16)),
];
const words = Int32Array.from({ length: 1024 }, (_, i) => (i * 499) % 8192);
const head8192 = { shape: [1024, 256], weightShape: [8192, 256] };
const [cloud, moved] = [
  points(2000, 2, 9),
  shared(normals("f32", 4000, { seed: 10 }).map((value) => 0.7 * value + 0.5)),
];
const [some, others64] = [x.subarray(0, 64_000), y.subarray(0, 64_000)];
const blurred = { shape: [2000, 2], epsilon: 0.1 };
const [texts, images, of4096] = [points(4096, 256, 7), points(4096, 256, 8), { shape: [4096, 256] }];
const [own, ownToo] = [x.slice(), y.slice()].map((values) => new Float32Array(values)) as [Float32Array, Float32Array];

/** What `run` does where there is no shared memory: that is looked at when a call begins. */
function unshared<T>(run: () => Promise<T>): Promise<T> {
  const shared = globalThis.SharedArrayBuffer;
  globalThis.SharedArrayBuffer = undefined as never;
  try {
    return run();
  } finally {
    globalThis.SharedArrayBuffer = shared;
  }
}

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
  "linearCrossEntropy 1024×256, 8192 classes": {
    alone: () => library.linearCrossEntropy(tokens, head, words, head8192),
    pooled: () => pool.linearCrossEntropy(tokens, head, words, head8192),
  },
  "linearCrossEntropyWithGrad 1024×256, 8192 classes": {
    alone: () => library.linearCrossEntropyWithGrad(tokens, head, words, head8192),
    pooled: () => pool.linearCrossEntropyWithGrad(tokens, head, words, head8192),
  },
  "contrastiveLoss 4096×256": {
    alone: () => library.contrastiveLoss(texts, images, of4096),
    pooled: () => pool.contrastiveLoss(texts, images, of4096),
  },
  "contrastiveLossWithGrad 4096×256": {
    alone: () => library.contrastiveLossWithGrad(texts, images, of4096),
    pooled: () => pool.contrastiveLossWithGrad(texts, images, of4096),
  },
  "contrastiveLossWithGrad sigmoid 4096×256": {
    alone: () => library.contrastiveLossWithGrad(texts, images, { ...of4096, kind: "sigmoid" }),
    pooled: () => pool.contrastiveLossWithGrad(texts, images, { ...of4096, kind: "sigmoid" }),
  },
  "sinkhornDivergence 2000×2000×2, ε = 0.1": {
    alone: () => library.sinkhornDivergence(cloud, moved, blurred),
    pooled: () => pool.sinkhornDivergence(cloud, moved, blurred),
  },
  "sinkhornDivergence 1000×1000×64, ε = 10": {
    alone: () => library.sinkhornDivergence(some, others64, { shape: [1000, 64], epsilon: 10 }),
    pooled: () => pool.sinkhornDivergence(some, others64, { shape: [1000, 64], epsilon: 10 }),
  },
  "mmd rbf 2000×2000×256": { alone: () => library.mmd(x, y, { shape }), pooled: () => pool.mmd(x, y, { shape }) },
  "cka 2000×256, 256": { alone: () => library.cka(x, y, { shape }), pooled: () => pool.cka(x, y, { shape }) },
  "gram 2000×256, not shared": {
    alone: () => library.gram(own, { shape }),
    pooled: () => unshared(() => pool.gram(own, { shape })),
  },
  "nearest 2000×2000×256, not shared": {
    alone: () => library.nearest(own, ownToo, { shape, k: 5 }),
    pooled: () => unshared(() => pool.nearest(own, ownToo, { shape, k: 5 })),
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

interface Times {
  readonly alone: number[];
  readonly pooled: number[];
}

/** Times of both in µs, in turns. Kernels are compiled, and shared memory is made, in the first rounds. */
async function timesOf({ alone, pooled }: Pair, often = 1): Promise<Times> {
  const times: Times = { alone: [], pooled: [] };
  for (let round = 0; round < often * ROUNDS + 2; round++) {
    for (const turn of round % 2 ? [0, 1] : [1, 0]) {
      const start = performance.now();
      await (turn ? pooled() : alone());
      if (round >= 2) (turn ? times.pooled : times.alone).push(1000 * (performance.now() - start));
    }
  }
  return times;
}

const best = (times: readonly number[]): number => Math.min(...times);

interface Figure {
  readonly alone: number;
  readonly pooled: number;
  readonly ratio: number;
  /** That of the best times of either. */
  readonly best: number;
}
const figures: Record<string, Figure> = {};
for (const [name, pair] of Object.entries(CASES)) {
  if (!options.only.test(name)) continue;
  const { alone, pooled } = await timesOf(pair);
  figures[name] = {
    alone: spread(alone).median,
    pooled: spread(pooled).median,
    ratio: spread(alone.map((time, round) => time / (pooled[round] as number))).median,
    best: best(alone) / best(pooled),
  };
}
const workers = pool.size;
await pool.close();

const rows = Object.entries(figures).map(([name, { alone, pooled, ratio, best }]) => [
  name,
  digits(alone),
  digits(pooled),
  `${ratio.toFixed(2)}×`,
  `${best.toFixed(2)}×`,
  alone < 1500 ? `${digits(pooled - alone)}` : "",
]);
const HEAD = ["µs", "alone", "pooled", "as fast", "best", "slower by"];
console.log(`\n${workers} workers, ${library.info().variant}\n${columns([HEAD, ...rows])}`);

/** What a divided call takes beside its tiles: a of the line a + b·alone through the best times of calls of a few sizes. */
const overheads: Record<string, { readonly micros: number; readonly share: number }> = {};
if (options.only.test("overhead")) {
  const worker = (): Worker => new Worker(new URL("../dist/parallel.worker.js", import.meta.url));
  const crew = new Crew(availableParallelism(), worker, () => true);
  await crew.fill("createPool");
  const sizes = [260, 320, 380, 440, 500];
  const given: Record<string, (n: number) => readonly [Name, readonly unknown[]]> = {
    gram: (n) => ["gram", [x.subarray(0, n * 256), { shape: [n, 256], out: matrix.subarray(0, n * n) }]],
    softmax: (n) => {
      const [rows, end] = [n >> 4, (n >> 4) * 32_000];
      return ["softmax", [logits.subarray(0, end), { shape: [rows, 32_000], out: out.subarray(0, end) }]];
    },
    "gram, not shared": (n) => ["gram", [own.subarray(0, n * 256), { shape: [n, 256] }]],
  };
  for (const [name, of] of Object.entries(given)) {
    const times: [number, number][] = [];
    for (const n of sizes) {
      const [fn, args] = of(n);
      const alone = (): unknown => (library as unknown as Record<Name, (...all: unknown[]) => unknown>)[fn](...args);
      const call = (): Promise<unknown> => crew.call(fn, args);
      const pooled = name.endsWith("not shared") ? () => unshared(call) : call;
      const both = await timesOf({ alone, pooled });
      times.push([best(both.alone), best(both.pooled)]);
    }
    const mean = (of: (pair: [number, number]) => number): number =>
      times.reduce((sum, pair) => sum + of(pair), 0) / times.length;
    const [a, p] = [mean(([alone]) => alone), mean(([, pooled]) => pooled)];
    const share = mean(([alone, pooled]) => (alone - a) * (pooled - p)) / mean(([alone]) => (alone - a) ** 2);
    overheads[name] = { micros: p - share * a, share };
  }
  await crew.close();
  const lines = Object.entries(overheads).map(([name, { micros, share }]) => [name, digits(micros), share.toFixed(2)]);
  console.log(`\nµs = a + b·alone\n${columns([["overhead", "a", "b"], ...lines])}`);
}

/** What a unit of work takes, which is `cost` of src/parallel/functions.ts; and how many µs a call is slower that a pool leaves in the calling thread. */
if (options.only.test("costs")) {
  const worker = (): Worker => new Worker(new URL("../dist/parallel.worker.js", import.meta.url));
  const crew = new Crew(2, worker, () => false);
  await crew.fill("createPool");
  const lines: string[][] = [];
  for (const one of CALLS) {
    // a millisecond of most of them
    const isDivergence = one.name === "pairwiseDivergence" || one.how === "kl";
    const isPairs = /gram|matrix|pairwise|nearest|kernel|mmd|cka|linear|contrastive|sinkhorn/i.test(one.name);
    const [n, m, d] = isDivergence ? [64, 64, 64] : isPairs ? [384, 384, 128] : [32, 0, 20_000];
    const args = one.of(dataOf("f32", 1, true), n, m, d);
    const { run, cost } = FUNCTIONS[one.name];
    const survey = new Survey(() => false);
    runAs(survey, (shared) => run(...args.slice(0, -1), { ...(args.at(-1) as object), ...shared }));
    const both = await timesOf({ alone: () => run(...args), pooled: () => crew.call(one.name, args) }, 4);
    const [alone, pooled] = [best(both.alone), best(both.pooled)];
    const unit = (1000 * alone) / survey.work;
    lines.push([titleOf(one), digits(alone), unit.toFixed(3), `${cost}`, digits(pooled - alone)]);
  }
  await crew.close();
  console.log(`\n${columns([["costs", "µs", "ns a unit", "cost", "in a pool, µs more"], ...lines])}`);
}
if (options.complete) save("parallel", { workers, rounds: ROUNDS, figures, overheads });
