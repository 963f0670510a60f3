/** A program of a user, for the type checker: the type that comes in is the type that goes out. */
import {
  type FloatArray,
  type Input,
  info,
  init,
  initSync,
  logit,
  logSoftmax,
  logSumExp,
  type Resident,
  resident,
  sigmoid,
  softmax,
  type Tensor,
} from "surprisal";

const f32: Float32Array = softmax(new Float32Array(6), { shape: [2, 3], axis: 0, temperature: 2, allMasked: "zero" });
const f64: Float64Array = logSoftmax(new Float64Array(6), { out: new Float64Array(6) });
const numbers: Float64Array = logSumExp([1, 2, 3], { weights: [1, 1, 0] });
const ndarray: Float32Array = softmax({ data: f32, shape: [2, 3] });
const onnx: Float64Array = softmax({ data: f64, dims: [2, 3] as const });
const kept: Resident<Float32Array> = resident("f32", 6);
const fromResident: Float32Array = sigmoid(kept, { out: kept.array });
const tensor: Tensor<Float64Array> = { data: f64, shape: [6] };
const anything = (x: Input): FloatArray => logit(x);
const { variant, memoryBytes, version }: { variant: "base" | "relaxed"; memoryBytes: number; version: string } = info();
const ready: Promise<void> = init({ module: Promise.resolve(new Uint8Array(8)) });
initSync({ variant: "base" });
kept[Symbol.dispose]();

// @ts-expect-error: f32 does not give f64
const wrongResult: Float64Array = softmax(new Float32Array(3));
// @ts-expect-error: `out` is of the input's type
softmax(new Float32Array(3), { out: new Float64Array(3) });
// @ts-expect-error: no such option
softmax(f32, { axes: 1 });
// @ts-expect-error: "zero" or "nan"
softmax(f32, { allMasked: "one" });
// @ts-expect-error: no string
softmax("1, 2, 3");
// @ts-expect-error: integers are labels, not logits
softmax(new Int32Array(3));
// @ts-expect-error: weights are for logSumExp
softmax(f32, { weights: f32 });
// @ts-expect-error: two types of residents
resident("f16", 3);

export { anything, fromResident, memoryBytes, ndarray, numbers, onnx, ready, tensor, variant, version, wrongResult };
