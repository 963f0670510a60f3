/**
 * What is aimed at, beside which docs/speed.md puts what was reached, and why where it was not. A reason is written by hand, from
 * what was measured or tried.
 */

/** Times as long as C++ at the same vectors and instructions: `ceilings`, f32. */
export interface CeilingGoal {
  op: string;
  shape: string;
  base: number;
  relaxed: number;
  resident?: number;
  /** Why it is missed, if it is. */
  reason?: string;
}

const goal = (
  op: string,
  shape: string,
  base: number,
  relaxed: number,
  resident?: number,
  reason?: string,
): CeilingGoal => ({
  op,
  shape,
  base,
  relaxed,
  ...(resident !== undefined && { resident }),
  ...(reason !== undefined && { reason }),
});

export const CEILINGS: readonly CeilingGoal[] = [
  goal("softmax", "128x1000", 1.25, 1.4, 1.15),
  goal("softmax", "4096x64", 1.15, 1.25, 1.0),
  goal("softmax", "2000x10", 0.5, 0.5, 0.4),
  goal("logSoftmax", "128x1000", 1.3, 1.45, 1.2),
  goal("logSoftmax", "4096x64", 1.3, 1.4, 1.15),
  goal("logSoftmax", "2000x10", 0.6, 0.6, 0.5),
  goal("logSumExp", "128x1000", 1.2, 1.3, 1.25),
  goal("logSumExp", "4096x64", 1.3, 1.4, 1.2),
  goal("logSumExp", "2000x10", 0.6, 0.6, 0.6),
  goal("crossEntropy", "128x1000", 1.3, 1.4, 1.25),
  goal("crossEntropy", "32x10", 1.1, 1.1, 1.0),
  goal("crossEntropy", "2000x10", 0.6, 0.6, 0.6, "labels are checked, copied and read one by one, and losses are f64"),
  goal("crossEntropyWithGrad", "128x1000", 1.35, 1.45, 1.25),
  goal("crossEntropyWithGrad", "32x10", 1.3, 1.3, 1.1, "residents of a short call are copied as any other array is"),
  goal(
    "crossEntropyWithGrad",
    "2000x10",
    0.7,
    0.7,
    0.7,
    "the gradients of the maximum and of the label are made in f64, and written one by one",
  ),
  // C++ reads in place; ours copies tile by tile
  ...["softmax", "logSoftmax", "logSumExp", "crossEntropy", "crossEntropyWithGrad"].flatMap((op) =>
    ["64x32000", "8x128256"].map((shape) =>
      goal(op, shape, 1.45, 1.45, undefined, "accuracy, as of 128×1000: a degree more, sums in f64"),
    ),
  ),
  goal(
    "klDivergence",
    "128x1000",
    1.5,
    1.35,
    1.2,
    "C++ neither normalises nor keeps the digits of nearly equal rows: ours takes the sums and the bound of their errors as well",
  ),
  goal("jsDivergence", "128x1000", 1.5, 1.6, 1.4, "C++ sums in f32, ours in f64"),
  ...["1024x1024", "256x256", "64x512", "64x50176"].map((shape) => goal("gram", shape, 1.35, 1.05)),
];

/** How many times as long f64 may take as f32, at any shape of `ceilings`. */
export const DOUBLE = 2.3;

/** How many times as long softmax [256, 4096] may take along axis 0 as along the last. */
export const ACROSS = 1.5;

/** How many times as long as the plain loop a call may take at any shape of `small`; what cannot be won not more than the second. */
export const SMALL = { goal: 1, bearable: 1.1 };

/** How many times as fast as its plain loop a function should at least be; kept by the family of the bench. Without a goal the figure alone is shown. */
export interface LoopGoal {
  family: string;
  op: string;
  dtype: "f32" | "f64";
  shape: string;
  times?: number;
  reason?: string;
}

// in a profile the kernels take 53 % of a call (f32), 58 % (f64)
const HISTOGRAM =
  "the kernels, half of a call, are nearly as fast as that; the rest are copies and checks, which the loop does without";

const BATCH = "128x1000";
export const LOOPS: readonly LoopGoal[] = [
  ...["binaryCrossEntropy", "sigmoid", "softplus", "entropy"].flatMap((op) => [
    { family: "losses", op, dtype: "f32", shape: BATCH } as const,
    { family: "losses", op, dtype: "f64", shape: BATCH } as const,
  ]),
  { family: "divergences", op: "pairwiseDivergence", dtype: "f32", shape: "100x100x256" },
  { family: "divergences", op: "pairwiseDivergence", dtype: "f64", shape: "100x100x256" },
  { family: "wasserstein", op: "wassersteinHistogram", dtype: "f32", shape: "1000x256", times: 4, reason: HISTOGRAM },
  { family: "wasserstein", op: "wassersteinHistogram", dtype: "f64", shape: "1000x256", times: 2.5, reason: HISTOGRAM },
];

/** emd of many points on a line and a few others: the time of 40,000 × 3 in times that of 10,000 × 3. */
export const LONG = { family: "emd", op: "emd on a line", from: "10000x3", to: "40000x3", times: 14 };

/** What functions of pairs are to reach, at least: `of` names the contestant that a rate is divided by, its variant's own unless it is another's. */
export const PAIRS = {
  nearest: {
    title: "nearest f32 20000x20000x128, k = 10",
    beside: [
      { of: "gram", goal: 0.7 },
      { of: "plain", goal: 20 },
      { of: "simsimd, a call a pair", goal: 3 },
      { of: "simsimd's fallback in JavaScript", goal: 3 },
      { of: "usearch exactSearch, native", goal: 3 },
      { of: "tfjs wasm, matMul and topk", goal: undefined },
      { of: "scikit-learn brute force, native", goal: undefined },
    ],
  },
  kernelProduct: { title: "kernelProduct rbf and kernelDensity f32 20000x20000x3", goal: 0.2 },
  /** As shares of gram's rate. */
  linear: { loss: 0.75, gradients: 0.6, shape: "512x4096x1024" },
} as const;
