/**
 * The functions of a pool. `arrays` come before the options; `cost` is what a unit of work takes in one thread, in nanoseconds: an element that
 * is read of functions of rows, a multiply-add of those of pairs (f32, base kernels). It decides whether a call is worth dividing, for which half
 * or twice of it will do.
 */
import {
  cka,
  crossEntropy,
  crossEntropyWithGrad,
  entropy,
  gram,
  jsDistance,
  jsDivergence,
  jsDivergenceWithGrad,
  kernelDensity,
  kernelMatrix,
  kernelProduct,
  klDivergence,
  klDivergenceWithGrad,
  linearCrossEntropy,
  logSoftmax,
  logSumExp,
  mmd,
  nearest,
  pairwiseDistance,
  pairwiseDivergence,
  softmax,
} from "../index.ts";

export interface Divided {
  readonly run: (...args: unknown[]) => unknown;
  readonly arrays: number;
  readonly cost: number;
  /** Whether the function itself takes `signal` and `progress`. */
  readonly watched: boolean;
}

const divided =
  (watched: boolean) =>
  (run: unknown, arrays: number, cost: number): Divided => ({ run: run as Divided["run"], arrays, cost, watched });
const plain = divided(false);
const watched = divided(true);

export const FUNCTIONS = {
  softmax: plain(softmax, 1, 1),
  logSoftmax: plain(logSoftmax, 1, 1),
  logSumExp: plain(logSumExp, 1, 0.7),
  entropy: plain(entropy, 1, 1.5),
  crossEntropy: plain(crossEntropy, 2, 0.7),
  crossEntropyWithGrad: plain(crossEntropyWithGrad, 2, 1),
  klDivergence: plain(klDivergence, 2, 2),
  klDivergenceWithGrad: plain(klDivergenceWithGrad, 2, 4),
  jsDivergence: plain(jsDivergence, 2, 2),
  jsDivergenceWithGrad: plain(jsDivergenceWithGrad, 2, 4),
  jsDistance: plain(jsDistance, 2, 2),
  gram: plain(gram, 1, 0.1),
  kernelMatrix: plain(kernelMatrix, 2, 0.1),
  pairwiseDistance: watched(pairwiseDistance, 2, 0.1),
  pairwiseDivergence: plain(pairwiseDivergence, 2, 0.3),
  nearest: watched(nearest, 2, 0.1),
  kernelProduct: watched(kernelProduct, 3, 0.1),
  kernelDensity: watched(kernelDensity, 2, 0.1),
  mmd: plain(mmd, 2, 0.1),
  cka: plain(cka, 2, 0.1),
  linearCrossEntropy: watched(linearCrossEntropy, 3, 0.1),
} satisfies Record<string, Divided>;

export type Name = keyof typeof FUNCTIONS;
