/** Tensors of ONNX Runtime and of transformers.js, for the type checker: taken as their own types leave them, without a cast. */
import type { Tensor as TransformersTensor } from "@huggingface/transformers";
import type { InferenceSession, Tensor as OnnxTensor, TypedTensor } from "onnxruntime-common";
import {
  binaryCrossEntropy,
  crossEntropy,
  crossEntropyWithGrad,
  entropy,
  type FloatArray,
  gram,
  type Input,
  kernelMatrix,
  klDivergence,
  logSumExp,
  perplexity,
  sinkhorn,
  softmax,
  styleLoss,
  type TensorLike,
  wasserstein,
} from "surprisal";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles where the value is of this type and of no other. */
declare function exactly<Wanted>(): <Got>(value: Got, same: Same<Wanted, Got>) => void;

declare const f32: Float32Array;
declare const output: InferenceSession.OnnxValueMapType[string];
declare const onnx: OnnxTensor;
declare const single: TypedTensor<"float32">;
declare const double: TypedTensor<"float64">;
declare const ids: TypedTensor<"int64">;
declare const transformers: TransformersTensor;

const inputs: readonly Input[] = [onnx, single, double, transformers];
const likes: readonly TensorLike[] = [onnx, single, ids, transformers];

exactly<FloatArray>()(softmax(onnx, { axis: -1 }), true);
exactly<FloatArray>()(softmax(output), true);
exactly<FloatArray>()(softmax(transformers), true);
exactly<Float32Array>()(softmax(single), true);
exactly<Float64Array>()(logSumExp(double), true);
exactly<Float32Array>()(klDivergence(single, transformers, { from: "logits", reduction: "none" }), true);
exactly<FloatArray>()(gram(transformers), true);
exactly<FloatArray>()(kernelMatrix(onnx, transformers, { kernel: "cosine" }), true);
exactly<Float32Array>()(sinkhorn(onnx, onnx, single, { epsilon: 1 }).f, true);
exactly<FloatArray>()(crossEntropyWithGrad(onnx, ids).grad, true);

const numbers: readonly number[] = [
  entropy(transformers, { from: "logits" }),
  crossEntropy(onnx, ids),
  crossEntropy(output, output, { ignoreIndex: -100 }),
  crossEntropy(transformers, transformers),
  crossEntropy(f32, onnx, { weight: transformers, sampleWeight: onnx }),
  perplexity(onnx, ids),
  perplexity(transformers, transformers),
  binaryCrossEntropy(onnx, ids, { weight: transformers }),
  styleLoss([onnx, single], [transformers, single]),
  wasserstein(onnx, single, { uWeights: transformers }),
];

export { inputs, likes, numbers };
