/** Calls of all functions of a pool. */
import type { Name } from "../../src/parallel/functions.ts";
import type { FloatArray } from "../../src/types.ts";

export type Args = readonly unknown[];

export interface Case {
  readonly name: Name;
  /** Arguments and options; pairs of n and m rows of d numbers, or n rows of d. */
  readonly of: (data: Data, n: number, m: number, d: number) => Args;
  /** What it is besides the name. */
  readonly how?: string;
}

export interface Data {
  readonly type: "f32" | "f64";
  /** Numbers from −1 to 1. */
  reals(length: number): FloatArray;
  /** Numbers from 0.01 to 1. */
  positives(length: number): FloatArray;
  labels(length: number, classes: number): Int32Array;
}

/** Reproducible numbers (Park & Miller 1988), in shared memory or not. */
export function dataOf(type: "f32" | "f64", seed: number, shared = false): Data {
  let state = (seed % 2147483646) + 1;
  const next = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const bytes = type === "f32" ? 4 : 8;
  const make = (length: number, value: () => number): FloatArray => {
    const buffer = shared ? new SharedArrayBuffer(bytes * length) : new ArrayBuffer(bytes * length);
    const array = type === "f32" ? new Float32Array(buffer) : new Float64Array(buffer);
    for (let i = 0; i < length; i++) array[i] = value();
    return array as FloatArray;
  };
  return {
    type,
    reals: (length) => make(length, () => 2 * next() - 1),
    positives: (length) => make(length, () => 0.01 + 0.99 * next()),
    labels: (length, classes) => {
      const buffer = shared ? new SharedArrayBuffer(4 * length) : new ArrayBuffer(4 * length);
      const array = new Int32Array(buffer as ArrayBuffer);
      for (let i = 0; i < length; i++) array[i] = Math.floor(next() * classes);
      return array;
    },
  };
}

const rows = (name: Name, options: object = {}, how?: string): Case => ({
  name,
  ...(how !== undefined && { how }),
  of: (data, n, _, d) => [data.positives(n * d), { shape: [n, d], ...options }],
});
const twoRows = (name: Name, options: object = {}, how?: string): Case => ({
  name,
  ...(how !== undefined && { how }),
  of: (data, n, _, d) => [data.positives(n * d), data.positives(n * d), { shape: [n, d], ...options }],
});
const own = (name: Name, options: object, how: string): Case => ({
  name,
  how,
  of: (data, n, _, d) => [data.positives(n * d), undefined, { shape: [n, d], ...options }],
});
const pairs = (name: Name, options: object, how: string, otherShape = "yShape"): Case => ({
  name,
  how,
  of: (data, n, m, d) => [
    data.positives(n * d),
    data.positives(m * d),
    { shape: [n, d], [otherShape]: [m, d], ...options },
  ],
});

const twins = (name: Name, options: object, how?: string): Case => ({
  name,
  ...(how !== undefined && { how }),
  of: (data, n, _, d) => [data.reals(n * d), data.reals(n * d), { shape: [n, d], ...options }],
});

/** Of points of few coordinates, with weights. */
const transported = (name: Name, options: object, how?: string): Case => ({
  name,
  ...(how !== undefined && { how }),
  of: (data, n, m) => [
    data.reals(n * 3),
    data.positives(m * 3),
    { shape: [n, 3], yShape: [m, 3], xWeights: data.positives(n), ...options },
  ],
});

export const CASES: readonly Case[] = [
  rows("softmax"),
  rows("softmax", { temperature: 0.25 }, "T"),
  {
    name: "softmax",
    how: "along an inner axis",
    of: (data, n, _, d) => {
      const inner = Math.ceil(d / 3);
      return [data.reals(3 * n * inner), { shape: [n, 3, inner], axis: 1 }];
    },
  },
  rows("logSoftmax"),
  rows("logSumExp"),
  {
    name: "logSumExp",
    how: "weights",
    of: (data, n, _, d) => [data.reals(n * d), { shape: [n, d], weights: data.positives(d) }],
  },
  rows("entropy"),
  rows("entropy", { reduction: "none", base: 2 }, "none"),
  { name: "crossEntropy", of: (data, n, _, d) => [data.reals(n * d), data.labels(n, d), { shape: [n, d] }] },
  {
    name: "crossEntropy",
    how: "weights",
    of: (data, n, _, d) => [
      data.reals(n * d),
      data.labels(n, d),
      {
        shape: [n, d],
        weight: data.positives(d),
        sampleWeight: data.positives(n),
        labelSmoothing: 0.1,
        ignoreIndex: 0,
      },
    ],
  },
  {
    name: "crossEntropy",
    how: "along an inner axis",
    of: (data, n, _, d) => {
      const inner = Math.ceil(d / 3);
      return [data.reals(3 * n * inner), data.labels(n * inner, 3), { shape: [n, 3, inner], axis: 1 }];
    },
  },
  twoRows("crossEntropy", { from: "probabilities", reduction: "sum" }, "soft"),
  {
    name: "crossEntropyWithGrad",
    of: (data, n, _, d) => [data.reals(n * d), data.labels(n, d), { shape: [n, d], labelSmoothing: 0.1 }],
  },
  twoRows("klDivergence"),
  twoRows("klDivergence", { from: "logits", temperature: 2, reduction: "none" }, "logits"),
  twoRows("jsDivergence"),
  twoRows("jsDistance", { base: 2 }),
  twoRows("klDivergenceWithGrad"),
  twoRows("klDivergenceWithGrad", { wrt: "q", reduction: "none" }, "q"),
  twoRows("jsDivergenceWithGrad", { reduction: "sum" }),
  { name: "gram", of: (data, n, _, d) => [data.reals(n * d), { shape: [n, d] }] },
  {
    name: "gram",
    how: "centred",
    of: (data, n, _, d) => [data.reals(n * d), { shape: [n, d], center: true, scale: 0.3 }],
  },
  { name: "gram", how: "batch", of: (data, n, _, d) => [data.reals(3 * n * d), { shape: [3, n, d], center: true }] },
  own("kernelMatrix", { kernel: "rbf" }, "own rbf"),
  own("kernelMatrix", { kernel: "polynomial", degree: 2.5 }, "own, a power"),
  pairs("kernelMatrix", { kernel: "cosine" }, "cosine"),
  pairs("kernelMatrix", { kernel: "laplacian", gamma: 1e-30 }, "laplacian"),
  own("pairwiseDistance", {}, "own"),
  pairs("pairwiseDistance", { metric: "cosine" }, "cosine"),
  pairs("pairwiseDistance", { metric: "manhattan" }, "manhattan"),
  own("pairwiseDivergence", { metric: "js" }, "own js"),
  pairs("pairwiseDivergence", { metric: "kl" }, "kl", "qShape"),
  own("nearest", { k: 2 }, "own"),
  pairs("nearest", { k: 3, metric: "cosine" }, "cosine"),
  pairs("nearest", { k: 1, metric: "dot" }, "dot"),
  pairs("nearest", { k: 2, metric: "kl" }, "kl"),
  {
    name: "kernelProduct",
    of: (data, n, m, d) => [
      data.reals(n * d),
      data.reals(m * d),
      data.reals(m * 3),
      { shape: [n, d], yShape: [m, d], kernel: "rbf" },
    ],
  },
  pairs("mmd", {}, "rbf"),
  pairs("mmd", { kernel: "polynomial", degree: 2.5, unbiased: true }, "unbiased, a power"),
  pairs("mmd", { kernel: "cosine" }, "cosine"),
  {
    name: "cka",
    of: (data, n, m, d) => [
      data.reals((n + m) * d),
      data.reals((n + m) * (m + d)),
      { shape: [n + m, d], yShape: [n + m, m + d] },
    ],
  },
  {
    name: "linearCrossEntropy",
    of: (data, n, m, d) => [
      data.reals(n * d),
      data.reals((n + m) * d),
      data.labels(n, n + m),
      { shape: [n, d], weightShape: [n + m, d] },
    ],
  },
  {
    name: "linearCrossEntropy",
    how: "none",
    of: (data, n, m, d) => [
      data.reals(n * d),
      data.reals((n + m) * d),
      data.labels(n, n + m),
      {
        shape: [n, d],
        weightShape: [n + m, d],
        bias: data.reals(n + m),
        labelSmoothing: 0.1,
        ignoreIndex: 3,
        reduction: "none",
      },
    ],
  },
  {
    name: "linearCrossEntropyWithGrad",
    of: (data, n, m, d) => [
      data.reals(n * d),
      data.reals((n + m) * d),
      data.labels(n, n + m),
      { shape: [n, d], weightShape: [n + m, d] },
    ],
  },
  {
    name: "linearCrossEntropyWithGrad",
    how: "none",
    of: (data, n, m, d) => [
      data.reals(n * d),
      data.reals((n + m) * d),
      data.labels(n, n + m),
      {
        shape: [n, d],
        weightShape: [n + m, d],
        bias: data.reals(n + m),
        labelSmoothing: 0.1,
        ignoreIndex: 3,
        reduction: "none",
      },
    ],
  },
  twins("contrastiveLoss", {}),
  twins("contrastiveLoss", { symmetric: false, normalize: false }, "of the first among the second"),
  twins("contrastiveLoss", { kind: "sigmoid", bias: -2 }, "sigmoid"),
  twins("contrastiveLossWithGrad", {}),
  twins("contrastiveLossWithGrad", { symmetric: false }, "of the first among the second"),
  twins("contrastiveLossWithGrad", { kind: "sigmoid", temperature: 0.1, bias: -2 }, "sigmoid"),
  transported("sinkhornDivergence", { epsilon: 0.1 }),
  transported("sinkhornDivergence", { epsilon: 0.05, order: 1, maxIterations: 7 }, "order 1, ended"),
  transported("sinkhornDivergenceWithGrad", { epsilon: 0.1 }),
  transported("sinkhornDivergenceWithGrad", { epsilon: 0.2, order: 1 }, "order 1"),
  {
    name: "kernelDensity",
    of: (data, n, m, d) => [
      data.reals(n * d),
      data.reals(m * d),
      { shape: [n, d], yShape: [m, d], bandwidth: 0.5, weights: data.positives(m) },
    ],
  },
];

export const titleOf = ({ name, how }: Case): string => (how === undefined ? name : `${name}, ${how}`);

/** The bytes of a result, so that NaN and −0 are told apart; of a record those of each field. */
export function bitsOf(value: unknown): unknown {
  if (typeof value === "number") return bitsOf(Float64Array.of(value));
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return `${value.constructor.name} ${bytes.toString("base64")}`;
  }
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value as object).map(([key, one]) => [key, bitsOf(one)]));
}
