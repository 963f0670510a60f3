/** surprisal: softmax, losses, divergences, Gram matrices and optimal transport for flat typed arrays, in SIMD. */
export type { LayerGradients, LayerOutputs, Layers } from "./check/layers.ts";
export {
  type AgreementBatch,
  type AgreementMeter,
  type AgreementMeterOptions,
  agreementMeter,
  type DivergenceReading,
} from "./families/agreementMeter.ts";
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithGrad,
} from "./families/binaryCrossEntropy.ts";
export {
  type CalibrationBatch,
  type CalibrationMeter,
  type CalibrationMeterOptions,
  calibrationMeter,
  type ReliabilityBin,
} from "./families/calibrationMeter.ts";
export { type CkaOptions, cka } from "./families/cka.ts";
export {
  type ContrastiveLossGradients,
  type ContrastiveLossOptions,
  contrastiveLoss,
  contrastiveLossWithGrad,
} from "./families/contrastiveLoss.ts";
export { type CrossEntropyOptions, crossEntropy, crossEntropyWithGrad, perplexity } from "./families/crossEntropy.ts";
export {
  type CrossEntropyBatch,
  type CrossEntropyBatchOptions,
  type CrossEntropyMeter,
  type CrossEntropyMeterOptions,
  crossEntropyMeter,
} from "./families/crossEntropyMeter.ts";
export {
  type DivergenceGradients,
  type DivergenceGradOptions,
  type DivergenceOptions,
  jsDistance,
  jsDivergence,
  jsDivergenceWithGrad,
  klDivergence,
  klDivergenceWithGrad,
  type Metric,
  type Wrt,
} from "./families/divergence.ts";
export {
  type DivergenceBounds,
  type DivergenceBoundsOptions,
  divergenceBounds,
  type TopOutcomes,
} from "./families/divergenceBounds.ts";
export {
  type DivergenceBatch,
  type DivergenceMeter,
  type DivergenceMeterOptions,
  divergenceMeter,
} from "./families/divergenceMeter.ts";
export {
  type ElementwiseOptions,
  logit,
  logSigmoid,
  type SurprisalOptions,
  sigmoid,
  softplus,
  surprisal,
} from "./families/elementwise.ts";
export { type EmdOptions, type EmdProgress, type EmdResult, emd } from "./families/emd.ts";
export { type EntropyOptions, entropy } from "./families/entropy.ts";
export { type EntropyBounds, type EntropyBoundsOptions, entropyBounds } from "./families/entropyBounds.ts";
export {
  type EntropyBatch,
  type EntropyMeter,
  type EntropyMeterOptions,
  entropyMeter,
} from "./families/entropyMeter.ts";
export { type Gaussian, klGaussian } from "./families/gaussian.ts";
export { type GramOptions, gram } from "./families/gram.ts";
export { type KernelDensityOptions, kernelDensity } from "./families/kernelDensity.ts";
export { type Kernel, type KernelMatrixOptions, type KernelOptions, kernelMatrix } from "./families/kernelMatrix.ts";
export { type KernelProductOptions, kernelProduct } from "./families/kernelProduct.ts";
export {
  type LinearCrossEntropyGradients,
  type LinearCrossEntropyOptions,
  linearCrossEntropy,
  linearCrossEntropyWithGrad,
} from "./families/linearCrossEntropy.ts";
export {
  type LogSumExpBatch,
  type LogSumExpMeter,
  type LogSumExpMeterOptions,
  logSumExpMeter,
} from "./families/logSumExpMeter.ts";
export type { BatchOptions, Meter, MeterProgress, SavedMeter, UpdateFromOptions } from "./families/meter.ts";
export { type Meters, meterFrom } from "./families/meterFrom.ts";
export { type MmdOptions, mmd } from "./families/mmd.ts";
export {
  type NearestMetric,
  type NearestOptions,
  type NearestResult,
  nearest,
} from "./families/nearest.ts";
export { type DistanceMetric, type PairwiseDistanceOptions, pairwiseDistance } from "./families/pairwiseDistance.ts";
export { type PairwiseOptions, pairwiseDivergence } from "./families/pairwiseDivergence.ts";
export {
  type PerceptualLossGradOptions,
  type PerceptualLossOptions,
  perceptualLoss,
  perceptualLossWithGrad,
} from "./families/perceptual.ts";
export {
  type SinkhornControls,
  type SinkhornOptions,
  type SinkhornProgress,
  type SinkhornResult,
  sinkhorn,
} from "./families/sinkhorn.ts";
export {
  type SinkhornDivergenceGradOptions,
  type SinkhornDivergenceOptions,
  type SinkhornDivergenceResult,
  sinkhornDivergence,
  sinkhornDivergenceWithGrad,
} from "./families/sinkhornDivergence.ts";
export { type LogSumExpOptions, logSoftmax, logSumExp, type SoftmaxOptions, softmax } from "./families/softmax.ts";
export {
  type Normalize,
  type StyleGramOptions,
  type StyleGrams,
  type StyleLossGradOptions,
  type StyleLossOptions,
  type StyleTarget,
  styleGram,
  styleLoss,
  styleLossWithGrad,
} from "./families/style.ts";
export { type TokenScores, type TokenScoresOptions, type TopScores, tokenScores } from "./families/tokenScores.ts";
export { type WassersteinOptions, wasserstein } from "./families/wasserstein.ts";
export { type WassersteinHistogramOptions, wassersteinHistogram } from "./families/wassersteinHistogram.ts";
export { type AsyncInitOptions, type InitOptions, info, init, initSync } from "./memory/init.ts";
export { resident } from "./memory/resident.ts";
export type {
  FloatArray,
  From,
  Input,
  Labels,
  LabelsLike,
  NestedNumbers,
  Out,
  PairsProgress,
  Reduced,
  Reduction,
  Resident,
  ResultOf,
  Signal,
  Tensor,
  TensorLike,
  Variant,
} from "./types.ts";
