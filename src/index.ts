/** surprisal: softmax, losses, divergences and Gram matrices for flat typed arrays, in SIMD. */
export { type AsyncInitOptions, type InitOptions, info, init, initSync, type Variant } from "./kernels.ts";
export { resident } from "./resident.ts";
export {
  type ElementwiseOptions,
  logit,
  logSigmoid,
  logSoftmax,
  logSumExp,
  type LogSumExpOptions,
  sigmoid,
  softmax,
  type SoftmaxOptions,
  softplus,
} from "./softmax.ts";
export type { FloatArray, Input, Resident, ResultOf, Tensor } from "./types.ts";
