import { bench, type Contestants, type Dtype } from "./harness.ts";
import { caseOf, type Inputs, OPERATIONS, type Shape } from "./operations.ts";
import { baseline } from "./ours.ts";
import type { Node } from "./peers/onnx.ts";
import { ort } from "./peers/ort.ts";
import { type Tf, type TfTensor, tfjs } from "./peers/tfjs.ts";

interface Op {
  name: "softmax" | "logSoftmax" | "logSumExp";
  shapes: readonly Shape[];
  tf(tf: Tf, x: TfTensor): TfTensor;
  onnx: Pick<Node, "op" | "attributes">;
}

const FEWER: readonly Shape[] = [
  [1, 10],
  [1, 1000],
  [128, 1000],
  [64, 32000],
  [4096, 64],
  [2000, 10],
  [32, 10],
];

const OPS: readonly Op[] = [
  {
    name: "softmax",
    shapes: [
      [1, 10],
      [1, 1000],
      [32, 1000],
      [128, 1000],
      [64, 32000],
      [8, 128256],
      [4096, 64],
      [2000, 10],
      [32, 10],
    ],
    tf: (tf, x) => tf.softmax(x),
    onnx: { op: "Softmax", attributes: { axis: -1 } },
  },
  {
    name: "logSoftmax",
    shapes: FEWER,
    tf: (tf, x) => tf.logSoftmax(x),
    onnx: { op: "LogSoftmax", attributes: { axis: -1 } },
  },
  {
    name: "logSumExp",
    shapes: FEWER,
    tf: (tf, x) => tf.logSumExp(x, -1),
    onnx: { op: "ReduceLogSumExp", attributes: { axes: [-1], keepdims: 0 } },
  },
];

const cases = (["f32", "f64"] as const).flatMap((dtype) =>
  OPS.flatMap((op) =>
    op.shapes.map((shape) => caseOf(OPERATIONS[op.name], dtype, shape, withRivals(op, dtype, shape))),
  ),
);
await bench({ name: "softmax", cases, baseline, share: 0.6 });

function withRivals(op: Op, dtype: Dtype, shape: Shape) {
  return (able: Contestants, [x]: Inputs): Contestants => ({
    ...able,
    ...(dtype === "f32" && tfjs([{ data: x as Float32Array, shape }], op.tf)),
    ...ort([{ ...op.onnx, inputs: ["x"], outputs: ["y"] }], { x: { data: x, dims: shape } }, "y"),
  });
}
