import { floats, joined, labels as labelsOf, normals, total } from "./data.ts";
import { bench, type Call, type Case, type Contestants, type Dtype, type FloatArray } from "./harness.ts";
import { ours, type Surprisal } from "./ours.ts";
import type { Node, Tensor } from "./peers/onnx.ts";
import { ort } from "./peers/ort.ts";
import { type Tf, type TfTensor, tfjs } from "./peers/tfjs.ts";

type Shape = readonly [rows: number, cols: number];
type Result = number | { value: number; grad: FloatArray };

const SHAPES: readonly Shape[] = [
  [32, 10],
  [128, 1000],
  [64, 32000],
];

/** The mean over the rows, and its gradient with respect to the logits. */
const OPS = ["crossEntropy", "crossEntropyWithGrad"] as const;
type Op = (typeof OPS)[number];

const cases = (["f32", "f64"] as const).flatMap((dtype) =>
  OPS.flatMap((op) => SHAPES.map((shape) => caseOf(op, dtype, shape))),
);
// where there is a gradient, into an array of the caller: a training loop does not allocate one a step
await bench({ name: "losses", cases, baseline: ["relaxed out", "relaxed", "base out", "base"] });

function caseOf(op: Op, dtype: Dtype, shape: Shape): Case {
  const [rows, cols] = shape;
  const setup = () => {
    const x = normals(dtype, rows * cols, { sigma: 3 });
    const labels = labelsOf(rows, cols);
    const plain = op === "crossEntropy" ? plainCrossEntropy : plainWithGrad;
    const inputs = {
      x: { data: x, dims: shape },
      labels: { data: BigInt64Array.from(labels, BigInt), dims: [rows, 1] },
    };
    const share = (value: number): Tensor => ({ data: floats(dtype, 1).fill(value / rows), dims: [1] });
    const minusOnes = { data: floats(dtype, rows).fill(-1 / rows), dims: [rows, 1] };
    const contestants: Contestants = {
      ...ours((copy) => ways(copy, op, dtype, x, labels, shape)),
      "plain loop": () => keeping(() => plain(x, labels, cols)),
      ...(x instanceof Float32Array &&
        tfjs(
          [
            { data: x, shape },
            { data: labels, shape: [rows] },
          ],
          op === "crossEntropy" ? tfLoss : (tf, logits, target) => tfWithGrad(tf, logits, target),
        )),
      ...(op === "crossEntropy"
        ? ort(LOSS, inputs, "loss")
        : ort([...LOSS, ...GRAD], inputs, ["loss", "grad"], { share: share(1), minusOnes })),
    };
    return { reference: reference(op, x, labels, shape), contestants };
  };
  return { op, dtype, shape, tolerance: dtype === "f32" ? 1e-4 : 1e-12, floor: 0, setup };

  function tfLoss(tf: Tf, logits: TfTensor, target: TfTensor): TfTensor {
    return tf.tidy(() => tf.losses.softmaxCrossEntropy(tf.oneHot(target, cols), logits));
  }

  function tfWithGrad(tf: Tf, logits: TfTensor, target: TfTensor): TfTensor[] {
    return tf.tidy(() => {
      const { value, grad } = tf.valueAndGrad((x) => tf.losses.softmaxCrossEntropy(tf.oneHot(target, cols), x))(logits);
      return [value, grad];
    });
  }
}
