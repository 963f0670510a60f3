/**
 * The functions of a pool. `arrays` come before the options; `cost` is what a unit of work takes in one thread, in nanoseconds: an element that
 * is read of functions of rows, a multiply-add of those of pairs, a coordinate of a difference of those of points, in f32 with the relaxed kernels and the options that take least. It decides whether a
 * call is worth dividing: of one that takes longer that is found a little later, and none is divided too early.
 * `npm run bench -- parallel --only costs` measures them.
 */
import {
  cka,
  contrastiveLoss,
  contrastiveLossWithGrad,
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
  linearCrossEntropyWithGrad,
  logSoftmax,
  logSumExp,
  mmd,
  nearest,
  pairwiseDistance,
  pairwiseDivergence,
  sinkhornDivergence,
  sinkhornDivergenceWithGrad,
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
  softmax: plain(softmax, 1, 1.1),
  logSoftmax: plain(logSoftmax, 1, 1.1),
  logSumExp: plain(logSumExp, 1, 0.8),
  entropy: plain(entropy, 1, 1.5),
  crossEntropy: plain(crossEntropy, 2, 0.7),
  crossEntropyWithGrad: plain(crossEntropyWithGrad, 2, 1.1),
  klDivergence: plain(klDivergence, 2, 0.75),
  klDivergenceWithGrad: plain(klDivergenceWithGrad, 2, 6),
  jsDivergence: plain(jsDivergence, 2, 1.5),
  jsDivergenceWithGrad: plain(jsDivergenceWithGrad, 2, 9),
  jsDistance: plain(jsDistance, 2, 1.5),
  gram: plain(gram, 1, 0.05),
  kernelMatrix: plain(kernelMatrix, 2, 0.05),
  pairwiseDistance: watched(pairwiseDistance, 2, 0.06),
  pairwiseDivergence: plain(pairwiseDivergence, 2, 0.4),
  nearest: watched(nearest, 2, 0.055),
  kernelProduct: watched(kernelProduct, 3, 0.06),
  kernelDensity: watched(kernelDensity, 2, 0.065),
  mmd: plain(mmd, 2, 0.05),
  cka: plain(cka, 2, 0.05),
  linearCrossEntropy: watched(linearCrossEntropy, 3, 0.045),
  linearCrossEntropyWithGrad: watched(linearCrossEntropyWithGrad, 3, 0.045),
  contrastiveLoss: watched(contrastiveLoss, 2, 0.05),
  contrastiveLossWithGrad: watched(contrastiveLossWithGrad, 2, 0.05),
  sinkhornDivergence: plain(sinkhornDivergence, 2, 0.1),
  sinkhornDivergenceWithGrad: plain(sinkhornDivergenceWithGrad, 2, 0.1),
} satisfies Record<string, Divided>;

export type Name = keyof typeof FUNCTIONS;
