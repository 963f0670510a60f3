import { floats } from "./data.ts";
import { bench, type Contestants, type Dtype, type FloatArray } from "./harness.ts";
import { caseOf, type Inputs, OPERATIONS, type Shape } from "./operations.ts";
import type { Node, Tensor } from "./peers/onnx.ts";
import { ort } from "./peers/ort.ts";
import { type Tf, type TfTensor, tfjs } from "./peers/tfjs.ts";

/** The mean over the rows; and with it the gradient with respect to the logits. */
type Op = "crossEntropy" | "crossEntropyWithGrad";
const OPS: readonly Op[] = ["crossEntropy", "crossEntropyWithGrad"];
const SHAPES: readonly Shape[] = [
  [1, 10],
  [32, 10],
  [2000, 10],
  [128, 1000],
  [64, 32000],
];
/** What there is of each number, or of each distribution, beside the plain loop alone. */
const OTHERS = ["binaryCrossEntropy", "sigmoid", "softplus", "entropy"] as const;
const BATCH: Shape = [128, 1000];

const cases = (["f32", "f64"] as const).flatMap((dtype) => [
  ...OPS.flatMap((op) => SHAPES.map((shape) => caseOf(OPERATIONS[op], dtype, shape, withRivals(op, dtype, shape)))),
  ...OTHERS.map((op) => caseOf(OPERATIONS[op], dtype, BATCH)),
]);
// a training loop does not allocate its gradient anew at every step
await bench({ name: "losses", cases, baseline: ["relaxed out", "relaxed", "base out", "base"], share: 0.6 });

function withRivals(op: Op, dtype: Dtype, shape: Shape) {
  return (able: Contestants, [x, y]: Inputs): Contestants => {
    const labels = y as Int32Array;
    return {
      ...able,
      ...(dtype === "f32" && ofTfjs(op, x as Float32Array, labels, shape)),
      ...ofOrt(op, dtype, x, labels, shape),
    };
  };
}

function ofTfjs(op: Op, x: Float32Array, labels: Int32Array, shape: Shape) {
  const [rows, cols] = shape;
  const inputs = [
    { data: x, shape },
    { data: labels, shape: [rows] },
  ];
  return tfjs(inputs, (tf: Tf, logits: TfTensor, target: TfTensor) =>
    tf.tidy((): TfTensor[] => {
      const t = tf.oneHot(target, cols);
      if (op === "crossEntropy") return [tf.losses.softmaxCrossEntropy(t, logits)];
      // under Node tfjs-core alone has no gradient of the mean, so the chain rule begins at the rows' losses
      const losses = (z: TfTensor) => tf.losses.softmaxCrossEntropy(t, z, undefined, 0, tf.Reduction.NONE);
      const { value, grad } = tf.valueAndGrad(losses)(logits, tf.fill([rows], 1 / rows));
      return [grad, tf.mean(value)];
    }),
  );
}

/** The gradient in two ways: (softmax − one-hot)/N as it is written, and with −1/N scattered into softmax/N. */
function ofOrt(op: Op, dtype: Dtype, x: FloatArray, labels: Int32Array, shape: Shape) {
  const [rows, cols] = shape;
  const inputs = {
    x: { data: x, dims: shape },
    labels: { data: BigInt64Array.from(labels, BigInt), dims: [rows, 1] },
  };
  const loss: Node[] = [
    { op: "LogSoftmax", inputs: ["x"], outputs: ["logp"], attributes: { axis: -1 } },
    { op: "GatherElements", inputs: ["logp", "labels"], outputs: ["picked"], attributes: { axis: 1 } },
    { op: "ReduceMean", inputs: ["picked"], outputs: ["mean"], attributes: { keepdims: 0 } },
    { op: "Neg", inputs: ["mean"], outputs: ["loss"] },
  ];
  if (op === "crossEntropy") return ort(loss, inputs, "loss");

  const share: Tensor = { data: floats(dtype, 1).fill(1 / rows), dims: [1] };
  const int64 = (n: number): Tensor => ({ data: BigInt64Array.of(BigInt(n)), dims: [1] });
  // OneHot is not there in f64
  const oneHot: Node[] = [
    { op: "Softmax", inputs: ["x"], outputs: ["p"], attributes: { axis: -1 } },
    { op: "Squeeze", inputs: ["labels", "last"], outputs: ["classes"] },
    { op: "OneHot", inputs: ["classes", "cols", "zeroOne"], outputs: ["t32"] },
    { op: "Cast", inputs: ["t32"], outputs: ["t"], attributes: { to: dtype === "f32" ? 1 : 11 } },
    { op: "Sub", inputs: ["p", "t"], outputs: ["p-t"] },
    { op: "Mul", inputs: ["p-t", "share"], outputs: ["grad"] },
  ];
  const scatter: Node[] = [
    { op: "Exp", inputs: ["logp"], outputs: ["p"] },
    { op: "Mul", inputs: ["p", "share"], outputs: ["p/N"] },
    {
      op: "ScatterElements",
      inputs: ["p/N", "labels", "minusShares"],
      outputs: ["grad"],
      attributes: { axis: 1, reduction: "add" },
    },
  ];
  const zeroOne = { data: Float32Array.of(0, 1), dims: [2] };
  const minusShares = { data: floats(dtype, rows).fill(-1 / rows), dims: [rows, 1] };
  return {
    ...ort([...loss, ...oneHot], inputs, ["grad", "loss"], { share, zeroOne, cols: int64(cols), last: int64(1) }),
    ...ort([...loss, ...scatter], inputs, ["grad", "loss"], { share, minusShares }, "scatter"),
  };
}
