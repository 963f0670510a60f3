/** surprisal: softmax, losses, divergences, Gram matrices and optimal transport for flat typed arrays, in SIMD. */
export type { Variant } from "./abi.ts";
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithGrad,
} from "./binaryCrossEntropy.ts";
export {
  type CrossEntropyOptions,
  crossEntropy,
  crossEntropyWithGrad,
  perplexity,
} from "./crossEntropy.ts";
export {
  type DivergenceGradients,
  type DivergenceOptions,
  jsDistance,
  jsDivergence,
  jsDivergenceWithGrad,
  klDivergence,
  klDivergenceWithGrad,
  type PairwiseOptions,
  pairwiseDivergence,
} from "./divergence.ts";
export { type EmdOptions, type EmdResult, emd } from "./emd.ts";
export { type Gaussian, klGaussian } from "./gaussian.ts";
export {
  type GramOptions,
  gram,
  type Kernel,
  type KernelMatrixOptions,
  type KernelOptions,
  kernelMatrix,
} from "./gram.ts";
export { type EntropyOptions, entropy, type SurprisalOptions, surprisal } from "./information.ts";
export { type CkaOptions, cka, type MmdOptions, mmd } from "./kernelStatistics.ts";
export { type AsyncInitOptions, type InitOptions, info, init, initSync } from "./kernels.ts";
export type { Reduced, Reduction } from "./reduction.ts";
export { resident } from "./resident.ts";
export {
  type SinkhornControls,
  type SinkhornOptions,
  type SinkhornProgress,
  type SinkhornResult,
  sinkhorn,
} from "./sinkhorn.ts";
export {
  type SinkhornDivergenceOptions,
  sinkhornDivergence,
  sinkhornDivergenceWithGrad,
} from "./sinkhornDivergence.ts";
export {
  type ElementwiseOptions,
  type LogSumExpOptions,
  logit,
  logSigmoid,
  logSoftmax,
  logSumExp,
  type SoftmaxOptions,
  sigmoid,
  softmax,
  softplus,
} from "./softmax.ts";
export {
  type LayerGradients,
  type Layers,
  type PerceptualLossOptions,
  perceptualLoss,
  perceptualLossWithGrad,
  type StyleGramOptions,
  type StyleLossOptions,
  styleGram,
  styleLoss,
  styleLossWithGrad,
} from "./style.ts";
export type { FloatArray, Input, Labels, Resident, ResultOf, Tensor } from "./types.ts";
export {
  type WassersteinHistogramOptions,
  type WassersteinOptions,
  wasserstein,
  wassersteinHistogram,
} from "./wasserstein.ts";
