/**
 * A program of a user, for the type checker: what compiles, what does not, and the type of what comes back, which is what
 * comes back at run time. It needs nothing but the library es2022.
 */
import {
  agreementMeter,
  binaryCrossEntropy,
  binaryCrossEntropyWithGrad,
  type CrossEntropyMeter,
  calibrationMeter,
  cka,
  contrastiveLoss,
  contrastiveLossWithGrad,
  crossEntropy,
  crossEntropyMeter,
  crossEntropyWithGrad,
  type DivergenceBounds,
  divergenceBounds,
  divergenceMeter,
  type EmdResult,
  emd,
  entropy,
  entropyBounds,
  entropyMeter,
  type FloatArray,
  type From,
  type Gaussian,
  gram,
  type Input,
  info,
  init,
  initSync,
  jsDistance,
  jsDivergenceWithGrad,
  type Kernel,
  kernelDensity,
  kernelMatrix,
  kernelProduct,
  klDivergence,
  klDivergenceWithGrad,
  klGaussian,
  type Labels,
  linearCrossEntropy,
  linearCrossEntropyWithGrad,
  logit,
  logSoftmax,
  logSumExp,
  logSumExpMeter,
  type Metric,
  meterFrom,
  mmd,
  type NearestResult,
  type NestedNumbers,
  nearest,
  type PairsProgress,
  pairwiseDistance,
  pairwiseDivergence,
  perceptualLossWithGrad,
  perplexity,
  type Reduced,
  type Reduction,
  type Resident,
  type ResultOf,
  resident,
  type SavedMeter,
  sigmoid,
  sinkhorn,
  sinkhornDivergence,
  sinkhornDivergenceWithGrad,
  softmax,
  styleGram,
  styleLoss,
  styleLossWithGrad,
  surprisal,
  type Tensor,
  type TensorLike,
  type TokenScores,
  tokenScores,
  type Variant,
  wasserstein,
  wassersteinHistogram,
} from "surprisal";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles where the value is of this type and of no other. */
declare function exactly<Wanted>(): <Got>(value: Got, same: Same<Wanted, Got>) => void;

declare const f32: Float32Array;
declare const f64: Float64Array;
declare const either: FloatArray;
declare const anything: Input;
declare const perhaps: Float32Array | undefined;
declare const untyped: ReturnType<typeof JSON.parse>;
declare const list: readonly number[];
declare const labels: Labels;
declare const unknownTensor: { readonly data: Float32Array | Int32Array | string[]; readonly dims: readonly number[] };
declare const reduction: Reduction;

// the type that comes in is the type that goes out
exactly<Float32Array>()(softmax(f32, { shape: [2, 3], axis: 0, temperature: 2, allMasked: "zero" }), true);
exactly<Float64Array>()(logSoftmax(f64, { out: f64 }), true);
exactly<Float64Array>()(logSumExp([1, 2, 3]), true);
exactly<Float64Array>()(sigmoid(list), true);
exactly<Float32Array>()(softmax({ data: f32, shape: [2, 3] }), true);
exactly<Float64Array>()(softmax({ data: f64, dims: [2, 3] as const }), true);
exactly<FloatArray>()(logit(either), true);
exactly<FloatArray>()(logit(anything), true);

// nested lists are f64
exactly<Float64Array>()(
  softmax([
    [1, 2],
    [3, 4],
  ]),
  true,
);
exactly<Float64Array>()(
  gram([
    [1, 2],
    [3, 4],
  ] as const),
  true,
);
exactly<Float64Array>()(
  softmax([
    [[1], [2]],
    [[3], [4]],
  ] as NestedNumbers),
  true,
);

// a tensor whose data may be anything, as ONNX Runtime's types leave it, needs no cast
const like: TensorLike = unknownTensor;
exactly<FloatArray>()(softmax(unknownTensor), true);
exactly<FloatArray>()(softmax(like), true);

// residents
const kept: Resident<Float32Array> = resident("f32", 6);
exactly<Float32Array>()(sigmoid(kept, { out: kept.array }), true);
exactly<Float64Array>()(surprisal(resident("f64", 6)), true);
exactly<Resident<FloatArray>>()(resident("f32" as "f32" | "f64", 6), true);

// numbers of rows
exactly<number>()(entropy(f32), true);
exactly<number>()(entropy(f32, { base: 2 }), true);
exactly<Float32Array>()(entropy(f32, { reduction: "none", out: f32 }), true);
exactly<number>()(crossEntropy(f32, labels, { reduction: "sum" }), true);
exactly<Float64Array>()(crossEntropy([1, 2], [0], { reduction: "none" }), true);
exactly<number>()(jsDistance(f32, f32), true);
exactly<Float32Array>()(klDivergence(f32, [1, 2], { reduction: "none" }), true);
exactly<number | Float64Array>()(binaryCrossEntropy(f64, [1, 0], { reduction }), true);
exactly<Float32Array>()(wassersteinHistogram(f32, f32, { reduction: "none" }), true);
exactly<number | Float32Array>()(null as unknown as Reduced<Reduction, ResultOf<Float32Array>>, true);

// a list beside f32 adopts it, so that f64 alone would be wrong
const adopted: readonly FloatArray[] = [
  klDivergence([1, 2], f32, { reduction: "none" }),
  klDivergenceWithGrad([1, 2], f32).gradP,
  crossEntropy([1, 2], [0], { weight: f32, reduction: "none" }),
  crossEntropy([1, 2], f32, { reduction: "none" }),
  binaryCrossEntropy([1, 2], f32, { reduction: "none" }),
  logSumExp([1, 2], { weights: f32 }),
  pairwiseDivergence([[1, 2]], f32, { metric: "kl" }),
  kernelMatrix([[1, 2]], f32, { kernel: "rbf" }),
  pairwiseDistance([[1, 2]], f32),
  nearest([[1, 2]], f32).values,
  kernelProduct([[1, 2]], [[1, 2]], f32, { kernel: "rbf" }),
  kernelDensity([[1, 2]], [[1, 2]], { bandwidth: 1, weights: f32 }),
  wassersteinHistogram([1, 2], f32, { reduction: "none" }),
  sinkhorn(f32, f32, [[1]], { epsilon: 1 }).f,
];
// @ts-expect-error: p adopts the type of q
exactly<Float64Array>()(klDivergence([1, 2], f32, { reduction: "none" }), true);
// @ts-expect-error: likewise its gradient
exactly<Float64Array>()(klDivergenceWithGrad([1, 2], f32).gradP, true);
// @ts-expect-error: logits that of the weights
exactly<Float64Array>()(crossEntropy([1, 2], [0], { weight: f32, reduction: "none" }), true);
// @ts-expect-error: logits that of soft targets
exactly<Float64Array>()(crossEntropy([1, 2], f32, { reduction: "none" }), true);
// @ts-expect-error: x that of the targets
exactly<Float64Array>()(binaryCrossEntropy([1, 2], f32, { reduction: "none" }), true);
// @ts-expect-error: x that of the weights
exactly<Float64Array>()(logSumExp([1, 2], { weights: f32 }), true);
// @ts-expect-error: P that of Q
exactly<Float64Array>()(pairwiseDivergence([[1, 2]], f32, { metric: "kl" }), true);
// @ts-expect-error: x that of y
exactly<Float64Array>()(kernelMatrix([[1, 2]], f32, { kernel: "rbf" }), true);
// @ts-expect-error: p that of q
exactly<Float64Array>()(wassersteinHistogram([1, 2], f32, { reduction: "none" }), true);
// @ts-expect-error: costs that of the masses
exactly<Float64Array>()(sinkhorn(f32, f32, [[1]], { epsilon: 1 }).f, true);

// an option's arrays take part, be they one of several
exactly<Float32Array>()(crossEntropy([1, 2], [0], { sampleWeight: f32, reduction: "none" }), true);
exactly<Float32Array>()(crossEntropyWithGrad([1, 2], [0], { weight: [1, 2], sampleWeight: f32, out: f32 }).grad, true);
exactly<FloatArray>()(crossEntropyWithGrad([1, 2], [0], { weight: perhaps }).grad, true);
exactly<NearestResult<Float32Array>>()(
  nearest(f32, undefined, { shape: [3, 1], progress: ({ fraction }: PairsProgress) => fraction }),
  true,
);
exactly<Float32Array>()(binaryCrossEntropyWithGrad([1, 2], [0, 1], { weight: f32, posWeight: 3 }).grad, true);
exactly<Float32Array>()(binaryCrossEntropy([1], [1], { weight: 2, posWeight: f32, reduction: "none" }), true);
exactly<Float64Array>()(binaryCrossEntropy([1], [1], { weight: 2, posWeight: [1], reduction: "none" }), true);
exactly<Float32Array>()(wassersteinHistogram([1, 2], [1, 2], { support: f32, reduction: "none" }), true);
exactly<Float32Array>()(sinkhornDivergenceWithGrad([[1]], [[1]], { epsilon: 1, xWeights: f32, out: f32 }).grad, true);
exactly<Float32Array>()(sinkhornDivergenceWithGrad([[1]], [[1]], { epsilon: 1, yWeights: f32 }).grad, true);
// labels say nothing, in a tensor neither
exactly<Float64Array>()(crossEntropy([1, 2], { data: new Int32Array(1), shape: [1] }, { reduction: "none" }), true);
exactly<Float64Array>()(binaryCrossEntropy([1, 2], labels, { reduction: "none" }), true);
// nor does a tensor of numbers, and of one whose data is any only that it is floats
exactly<Float64Array>()(softmax({ data: [1, 2], dims: [2] }), true);
exactly<FloatArray>()(softmax({ data: untyped, dims: [2] }), true);
exactly<FloatArray>()(softmax(untyped), true);
// f32 beside f64 is a TypeError
exactly<never>()(klDivergence(f32, f64, { reduction: "none" }), true);

// gradients
const { value, grad } = crossEntropyWithGrad(f32, labels, { sampleWeight: f32, normalize: false, out: f32 });
exactly<number>()(value, true);
exactly<Float32Array>()(grad, true);
exactly<Float32Array>()(crossEntropyWithGrad(f32, labels, { reduction: "none" }).value, true);
const both = klDivergenceWithGrad(f64, f64, { from: ["probabilities", "logProbabilities"], out: { gradQ: f64 } });
exactly<Float64Array>()(both.gradP, true);
exactly<Float64Array>()(both.gradQ, true);
exactly<Float32Array>()(jsDivergenceWithGrad(f32, f32, { wrt: "p" }).gradP, true);
exactly<Float32Array>()(jsDivergenceWithGrad(f32, f32, { wrt: "q", out: { gradQ: f32 } }).gradQ, true);
exactly<Float32Array>()(sinkhornDivergenceWithGrad(f32, f32, { shape: [3, 1], epsilon: 1, out: f32 }).grad, true);
exactly<Float32Array>()(styleLossWithGrad(f32, f32, { shape: [2, 1, 2], targetShape: [2, 2, 2], out: f32 }).grad, true);
const layers = perceptualLossWithGrad([f32, f64] as const, [f32, f64], { shape: [[4], [2, 2]], layerWeights: [1, 2] });
exactly<Float32Array>()(layers.grad[0], true);
exactly<Float64Array>()(layers.grad[1], true);
exactly<Float32Array>()(perceptualLossWithGrad([1, 2], f32, { out: f32 }).grad, true);
exactly<Float64Array[]>()(perceptualLossWithGrad([[1], [2]], [[1], [2]]).grad, true);
exactly<Float32Array[]>()(styleLossWithGrad([[1], [1]], { grams: [f32, f32] }, { out: [f32, f32] }).grad, true);
exactly<Float32Array[]>()(styleLossWithGrad([[1], [1]], [{ grams: f32 }, f32]).grad, true);

const head = linearCrossEntropyWithGrad(f32, [1, 2], labels, { shape: [3, 1], bias: [0, 0] });
exactly<number>()(head.value, true);
exactly<Float32Array>()(head.gradX, true);
exactly<Float32Array>()(head.gradWeight, true);
exactly<Float32Array>()(head.gradBias, true);
// @ts-expect-error: no bias, no gradient of it
linearCrossEntropyWithGrad(f32, [1, 2], labels, { shape: [3, 1] }).gradBias;
exactly<Float32Array>()(linearCrossEntropy([[1]], [[1], [2]], [0], { bias: f32, reduction: "none" }), true);
const contrast = contrastiveLossWithGrad([[1]], f32, { kind: "sigmoid", bias: -10 });
exactly<Float32Array>()(contrast.gradX, true);
exactly<Float32Array>()(contrast.gradY, true);
exactly<number>()(contrast.gradTemperature, true);

// everything else
const gaussian: Gaussian = {
  mean: [0, 1],
  covariance: [
    [1, 0],
    [0, 1],
  ],
};
const kernel: Kernel = "rbf";
const metric: Metric = "jsDistance";
const from: From = "logits";
const variant: Variant = info().variant;
const scores: TokenScores<Float32Array> = tokenScores(f32, labels, { top: 2 });
const bounds: { lower: Float64Array; upper: Float64Array } = entropyBounds([-1, -2], { size: 10, base: 2 });
const apart: DivergenceBounds<Float32Array> = divergenceBounds(
  { indices: labels, logProbs: f32 },
  { indices: [0, 1, 2], logProbs: [-1, -2, -3] },
  { size: 10, metric: "js" },
);
const meter = crossEntropyMeter({ base: 2 }).update(f32, labels, { shape: [1, 3], sampleWeight: [1] });
const stream: Promise<unknown> = meter.updateFrom([[f32, labels]], { progress: ({ count }) => count });
const again: CrossEntropyMeter = meterFrom(meter.toJSON());
const wrote: SavedMeter<"entropy"> = entropyMeter().toJSON();
const drift = agreementMeter({ from: "logits", top: 5 }).update(f32, f32);
const calibration = calibrationMeter({ bins: 10 }).update(f32, labels);
const numbers: readonly number[] = [
  again.perplexity,
  entropyMeter().update(f32).merge(meterFrom(wrote)).value,
  divergenceMeter({ metric: "js" }).update(f32, f32).quantile(0.9),
  logSumExpMeter().update(f32).standardError,
  drift.kl.quantile(0.5),
  calibration.table.length + calibration.ece,
  ...(scores.top?.indices ?? []),
  ...bounds.lower,
  ...apart.upper,
  klGaussian(gaussian, { mean: f32, variance: f32 }),
  mmd(f32, f32, { kernel, shape: [3, 1], unbiased: true }),
  cka([[1], [2], [3], [4]], f64, { yShape: [4, 2] }),
  linearCrossEntropy(f32, f32, labels, {
    shape: [3, 1],
    progress: ({ tiles, fraction }: PairsProgress) => tiles * fraction,
  }),
  contrastiveLoss(f32, f32, { shape: [3, 1], temperature: 1, normalize: false, symmetric: false, kind: "infoNCE" }),
  perplexity(f32, labels, { shape: [1, 3], axis: -1 }),
  perplexity(f32, { data: new BigInt64Array(1), dims: [1] }),
  crossEntropy(f32, { data: new BigInt64Array(1), dims: [1] }),
  crossEntropy([[1, 2]], [[0.5, 0.5]]),
  binaryCrossEntropy(f32, f32, { weight: 2, posWeight: { data: f32, shape: [2, 1] } }),
  styleLoss(f32, { grams: f32 }, { shape: [2, 1, 2] }),
  wasserstein(f32, f32, { uWeights: [1, 2], order: Number.POSITIVE_INFINITY }),
  klDivergence([[1, 2]], [[1, 2]], { from: [from, from], temperature: 1, base: 2, normalize: true }),
];
exactly<Float32Array>()(pairwiseDivergence(f32, undefined, { shape: [3, 1], metric }), true);
exactly<Float32Array>()(styleGram(f32, { shape: [2, 1, 2], normalize: "spatial" }), true);
const flow: EmdResult<Float64Array> = emd([1], [1], [[0]], { plan: true, progress: () => undefined });
const divergence: { value: number; converged: boolean; iterations: number; marginalError: number } = sinkhornDivergence(
  f32,
  f32,
  { shape: [3, 1], epsilon: 1 },
);
const tensor: Tensor<Float64Array> = { data: f64, shape: [6] };
const about: { variant: "base" | "relaxed"; memoryBytes: number; version: string } = info();
const ready: Promise<void> = init({ variant: "base" });
initSync({ variant: "auto", modules: { softmax: new Uint8Array(), gram: undefined } });
// what is not given may be said to be so
softmax(f32, { shape: undefined, axis: undefined, out: undefined });
kept.dispose();

// @ts-expect-error: f32 does not give f64
exactly<Float64Array>()(softmax(f32), true);
// @ts-expect-error: `out` is of the input's type
softmax(f32, { out: f64 });
// @ts-expect-error: of a list it is f64
softmax([1, 2, 3], { out: f32 });
// @ts-expect-error: no such option
softmax(f32, { axes: 1 });
// @ts-expect-error: "zero" or "nan"
softmax(f32, { allMasked: "one" });
// @ts-expect-error: null is a value
softmax(f32, { shape: null });
// @ts-expect-error: no string
softmax("1, 2, 3");
// @ts-expect-error: no list of strings
softmax(["1", "2"]);
// @ts-expect-error: integers are labels, not logits
softmax(new Int32Array(3));
// @ts-expect-error: not in a tensor of shape either
softmax({ data: new Int32Array(3), shape: [3] });
// @ts-expect-error: weights are for logSumExp
softmax(f32, { weights: f32 });
// @ts-expect-error: two types of residents
resident("f16", 3);
// @ts-expect-error: floats are no labels
perplexity(f32, f32);
// @ts-expect-error: one argument has one kind
crossEntropy(f32, f32, { from: ["logits", "logits"] });
// @ts-expect-error: probabilities or logits
binaryCrossEntropy(f32, f32, { from: "logProbabilities" });
// @ts-expect-error: one for each of two
klDivergence(f32, f32, { from: ["logits", "logits", "logits"] });
// @ts-expect-error: gradients are for …WithGrad
klDivergence(f32, f32, { wrt: "p" });
// @ts-expect-error: asked for p alone
klDivergenceWithGrad(f32, f32, { wrt: "p" }).gradQ;
// @ts-expect-error: asked for q alone
klDivergenceWithGrad(f32, f32, { wrt: "q" }).gradP;
// @ts-expect-error: there are two gradients
klDivergenceWithGrad(f32, f32, { out: f32 });
// @ts-expect-error: of the type of p
klDivergenceWithGrad(f32, f32, { out: { gradP: f64 } });
// @ts-expect-error: of the types of the layers
perceptualLossWithGrad([f32, f64] as const, [f32, f64], { out: [f64, f64] });
// @ts-expect-error: no path
init({ modules: { softmax: "softmax.base.wasm" } });
// @ts-expect-error: no family
init({ modules: { fft: new Uint8Array() } });
// @ts-expect-error: no signal
emd([1], [1], [[0]], { signal: {} });
// @ts-expect-error: of the type of v
exactly<Float64Array>()(kernelProduct([[1, 2]], [[1, 2]], f32, { kernel: "rbf" }), true);
// @ts-expect-error: how wide?
kernelDensity(f32, f32, { shape: [3, 1] });
// @ts-expect-error: no metric of nearest
nearest(f32, f32, { shape: [3, 1], metric: "manhattan" });
// @ts-expect-error: which kernel?
kernelMatrix(f32, f32, { shape: [3, 1] });
// @ts-expect-error: which metric?
pairwiseDivergence(f32, f32, { shape: [3, 1] });
// @ts-expect-error: which ε?
sinkhorn(f32, f32, f32, {});
// @ts-expect-error: either variances or covariances
klGaussian({ mean: f32, variance: f32, covariance: f32 }, gaussian);

export { about, adopted, divergence, flow, like, numbers, ready, stream, tensor, variant };
