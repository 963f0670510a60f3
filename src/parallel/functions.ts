/**
 * The functions of a pool. `arrays` come before the options; `cost` is what a unit of work takes in one thread, in nanoseconds: an element that
 * is read of functions of rows, a multiply-add of those of pairs (2 cores, Node 20, f32, base kernels).
 */

interface Divided {
  readonly arrays: number;
  readonly cost: number;
  /** Whether the function itself takes `signal` and `progress`. */
  readonly watched: boolean;
}

const rows = (arrays: number, cost: number): Divided => ({ arrays, cost, watched: false });
const pairs = (arrays: number, cost: number, watched = false): Divided => ({ arrays, cost, watched });

export const FUNCTIONS = {
  softmax: rows(1, 1),
  logSoftmax: rows(1, 1),
  logSumExp: rows(1, 0.7),
  entropy: rows(1, 1.5),
  crossEntropy: rows(2, 0.7),
  crossEntropyWithGrad: rows(2, 1),
  klDivergence: rows(2, 2),
  klDivergenceWithGrad: rows(2, 4),
  jsDivergence: rows(2, 2),
  jsDivergenceWithGrad: rows(2, 4),
  jsDistance: rows(2, 2),
  gram: pairs(1, 0.1),
  kernelMatrix: pairs(2, 0.1),
  pairwiseDistance: pairs(2, 0.1, true),
  pairwiseDivergence: pairs(2, 0.3),
  nearest: pairs(2, 0.1, true),
  kernelProduct: pairs(3, 0.1, true),
  kernelDensity: pairs(2, 0.1, true),
} as const satisfies Record<string, Divided>;

export type Name = keyof typeof FUNCTIONS;
