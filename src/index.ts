/** surprisal: softmax, losses, divergences and Gram matrices for flat typed arrays, in SIMD. */
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
export { type EntropyOptions, entropy, type SurprisalOptions, surprisal } from "./information.ts";
export { type AsyncInitOptions, type InitOptions, info, init, initSync, type Variant } from "./kernels.ts";
export type { Reduced, Reduction } from "./reduction.ts";
export { resident } from "./resident.ts";
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
export type { FloatArray, Input, Labels, Resident, ResultOf, Tensor } from "./types.ts";
