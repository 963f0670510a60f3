import { floats, joined, labels as labelsOf, normals, total } from "./data.ts";
import { bench, type Call, type Case, type Dtype, type FloatArray } from "./harness.ts";
import { ours, type Surprisal } from "./ours.ts";
import type { Node, Tensor } from "./peers/onnx.ts";
import { ort } from "./peers/ort.ts";
import { type Tf, type TfTensor, tfjs } from "./peers/tfjs.ts";

type Shape = readonly [rows: number, cols: number];
type Result = number | { value: number; grad: FloatArray };

/** The mean over the rows; and with it the gradient with respect to the logits. */
type Op = "crossEntropy" | "crossEntropyWithGrad";
const OPS: readonly Op[] = ["crossEntropy", "crossEntropyWithGrad"];
const SHAPES: readonly Shape[] = [
  [32, 10],
  [2000, 10],
  [128, 1000],
  [64, 32000],
];
/** Where a call costs more than its numbers: against the plain loop alone. */
const SMALL: readonly Shape[] = [
  [1, 1],
  [1, 4],
  [1, 10],
  [1, 64],
  [4, 3],
];

const cases = (["f32", "f64"] as const).flatMap((dtype) =>
  OPS.flatMap((op) => [...SHAPES, ...SMALL].map((shape) => caseOf(op, dtype, shape))),
);
// a training loop does not allocate its gradient anew at every step
await bench({ name: "losses", cases, baseline: ["relaxed out", "relaxed", "base out", "base"] });

function caseOf(op: Op, dtype: Dtype, shape: Shape): Case {
  const [rows, cols] = shape;
  const differentiated = op === "crossEntropyWithGrad";
  const setup = () => {
    const x = normals(dtype, rows * cols, { sigma: 3 });
    const labels = labelsOf(rows, cols);
    const contestants = {
      ...ours((copy) => ways(copy, op, dtype, x, labels, shape)),
      "plain loop": () => {
        const grad = floats(dtype, x.length);
        return call(() => (differentiated ? plainWithGrad(x, labels, cols, grad) : plainLoss(x, labels, cols)));
      },
      ...(!SMALL.includes(shape) && {
        ...(x instanceof Float32Array && ofTfjs(op, x, labels, shape)),
        ...ofOrt(op, dtype, x, labels, shape),
      }),
    };
    const { value, grad } = reference(x, labels, shape);
    return { reference: differentiated ? joined([[value], grad]) : [value], contestants };
  };
  return { op, dtype, shape, tolerance: dtype === "f32" ? 1e-4 : 1e-12, floor: 0, setup };
}

/** Keeps what `run` returns for the check, the value before the gradient. */
function call(run: () => Result, dispose?: () => void): Call {
  let last: Result = Number.NaN;
  return {
    run: () => {
      last = run();
    },
    result: () => (typeof last === "number" ? [last] : joined([[last.value], last.grad])),
    ...(dispose && { dispose }),
  };
}

function ways(
  copy: Surprisal,
  op: Op,
  dtype: Dtype,
  x: FloatArray,
  labels: Int32Array,
  shape: Shape,
): Record<string, () => Call> {
  const f = copy[op] as (x: FloatArray, labels: Int32Array, options: { shape: Shape; out?: FloatArray }) => Result;
  const differentiated = op === "crossEntropyWithGrad";
  return {
    "": () => call(() => f(x, labels, { shape })),
    ...(differentiated && {
      out: () => {
        const out = floats(dtype, x.length);
        return call(() => f(x, labels, { shape, out }));
      },
    }),
    resident: () => {
      const from = copy.resident(dtype, x.length);
      const to = copy.resident(dtype, differentiated ? x.length : 0);
      from.set(x);
      const dispose = () => {
        from.dispose();
        to.dispose();
      };
      const run = () => f(from.array, labels, differentiated ? { shape, out: to.array } : { shape });
      return call(run, dispose);
    },
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
      return [tf.mean(value), grad];
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
    ...ort([...loss, ...oneHot], inputs, ["loss", "grad"], { share, zeroOne, cols: int64(cols), last: int64(1) }),
    ...ort([...loss, ...scatter], inputs, ["loss", "grad"], { share, minusShares }, "scatter"),
  };
}

/** In f64 with compensated sums; p − 1 of a label as the sum of the others. */
function reference(x: FloatArray, labels: Int32Array, [rows, cols]: Shape): { value: number; grad: Float64Array } {
  const grad = new Float64Array(x.length);
  const value = total(rows, (r) => {
    const row = x.subarray(r * cols, (r + 1) * cols);
    const label = labels[r] as number;
    const max = rowMax(row, 0, cols);
    const e = Float64Array.from(row, (v) => Math.exp(v - max));
    const S = total(cols, (j) => e[j] as number);
    const rest = total(cols, (j) => (j === label ? 0 : (e[j] as number)));
    grad.set(
      e.map((v, j) => (j === label ? -rest : v) / S / rows),
      r * cols,
    );
    return max - (row[label] as number) + Math.log(S);
  });
  return { value: value / rows, grad };
}

// what one writes without a package

function plainLoss(x: FloatArray, labels: Int32Array, cols: number): number {
  let loss = 0;
  for (let r = 0; r < labels.length; r++) {
    const [start, end] = [r * cols, (r + 1) * cols];
    const max = rowMax(x, start, end);
    let sum = 0;
    for (let i = start; i < end; i++) sum += Math.exp((x[i] as number) - max);
    loss += max + Math.log(sum) - (x[start + (labels[r] as number)] as number);
  }
  return loss / labels.length;
}

function plainWithGrad(x: FloatArray, labels: Int32Array, cols: number, grad: FloatArray): Result {
  const rows = labels.length;
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    const [start, end] = [r * cols, (r + 1) * cols];
    const target = start + (labels[r] as number);
    const max = rowMax(x, start, end);
    let sum = 0;
    for (let i = start; i < end; i++) {
      const e = Math.exp((x[i] as number) - max);
      grad[i] = e;
      sum += e;
    }
    const scale = 1 / (sum * rows);
    for (let i = start; i < end; i++) grad[i] = (grad[i] as number) * scale;
    grad[target] = (grad[target] as number) - 1 / rows;
    loss += max + Math.log(sum) - (x[target] as number);
  }
  return { value: loss / rows, grad };
}

function rowMax(x: FloatArray, start: number, end: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = start; i < end; i++) max = Math.max(max, x[i] as number);
  return max;
}
