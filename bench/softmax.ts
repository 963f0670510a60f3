import { floats, normals } from "./data.ts";
import { bench, type Call, type Case, type Contestants, type Dtype, type FloatArray } from "./harness.ts";
import { baseline, ours, type Surprisal } from "./ours.ts";
import type { Node } from "./peers/onnx.ts";
import { ort } from "./peers/ort.ts";
import { type Tf, type TfTensor, tfjs } from "./peers/tfjs.ts";

type Shape = readonly [rows: number, cols: number];

interface Op {
  name: "softmax" | "logSoftmax" | "logSumExp";
  shapes: readonly Shape[];
  /** Whether a row gives one number. */
  reduces: boolean;
  /** Logarithms may lie near 0: below 1 their error is absolute. */
  floor: number;
  plain(x: FloatArray, cols: number, out: FloatArray): FloatArray;
  /** The values of one row from its maximum and S = Σ exp(x − max). */
  exact(row: Float64Array, max: number, S: number): Float64Array | number[];
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

/** Where a call costs more than its numbers: against the plain loop alone. */
const SMALL: readonly Shape[] = [
  [1, 1],
  [1, 2],
  [1, 4],
  [1, 8],
  [1, 16],
  [1, 32],
  [1, 64],
  [4, 3],
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
    reduces: false,
    floor: 0,
    plain: plainSoftmax,
    exact: (row, max, S) => row.map((v) => Math.exp(v - max) / S),
    tf: (tf, x) => tf.softmax(x),
    onnx: { op: "Softmax", attributes: { axis: -1 } },
  },
  {
    name: "logSoftmax",
    shapes: FEWER,
    reduces: false,
    floor: 1,
    plain: plainLogSoftmax,
    exact: (row, max, S) => row.map((v) => v - max - Math.log(S)),
    tf: (tf, x) => tf.logSoftmax(x),
    onnx: { op: "LogSoftmax", attributes: { axis: -1 } },
  },
  {
    name: "logSumExp",
    shapes: FEWER,
    reduces: true,
    floor: 1,
    plain: plainLogSumExp,
    exact: (_, max, S) => [max + Math.log(S)],
    tf: (tf, x) => tf.logSumExp(x, -1),
    onnx: { op: "ReduceLogSumExp", attributes: { axes: [-1], keepdims: 0 } },
  },
];

const cases = (["f32", "f64"] as const).flatMap((dtype) =>
  OPS.flatMap((op) => [...op.shapes, ...SMALL].map((shape) => caseOf(op, dtype, shape))),
);
await bench({ name: "softmax", cases, baseline });

function caseOf(op: Op, dtype: Dtype, shape: Shape): Case {
  const [rows, cols] = shape;
  const setup = () => {
    const x = normals(dtype, rows * cols, { sigma: 3 });
    const contestants: Contestants = {
      ...ours((copy) => ways(copy, op, dtype, x, shape)),
      "plain loop": () => ({ run: () => op.plain(x, cols, floats(dtype, op.reduces ? rows : x.length)) }),
      "plain loop out": () => {
        const out = floats(dtype, op.reduces ? rows : x.length);
        return { run: () => op.plain(x, cols, out) };
      },
      ...(!SMALL.includes(shape) && rivals(op, x, shape)),
    };
    return { reference: reference(op, x, shape), contestants };
  };
  // tfjs's logSoftmax over 32000 columns is off by 5e-5
  return { op: op.name, dtype, shape, tolerance: dtype === "f32" ? 1e-4 : 1e-12, floor: op.floor, setup };
}

function rivals(op: Op, x: FloatArray, shape: Shape): Contestants {
  return {
    ...(x instanceof Float32Array && tfjs([{ data: x, shape }], op.tf)),
    ...ort([{ ...op.onnx, inputs: ["x"], outputs: ["y"] }], { x: { data: x, dims: shape } }, "y"),
  };
}

function ways(copy: Surprisal, op: Op, dtype: Dtype, x: FloatArray, shape: Shape): Record<string, () => Call> {
  const f = copy[op.name] as (x: FloatArray, options: { shape: Shape; out?: FloatArray }) => FloatArray;
  const outLength = op.reduces ? shape[0] : x.length;
  return {
    "": () => ({ run: () => f(x, { shape }) }),
    out: () => {
      const out = floats(dtype, outLength);
      return { run: () => f(x, { shape, out }) };
    },
    resident: () => {
      const from = copy.resident(dtype, x.length);
      const to = copy.resident(dtype, outLength);
      from.set(x);
      const dispose = () => {
        from.dispose();
        to.dispose();
      };
      return { run: () => f(from.array, { shape, out: to.array }), dispose };
    },
  };
}

/** In f64, with a compensated sum. */
function reference(op: Op, x: FloatArray, [rows, cols]: Shape): Float64Array {
  const y = new Float64Array(op.reduces ? rows : x.length);
  for (let r = 0; r < rows; r++) {
    const row = Float64Array.from(x.subarray(r * cols, (r + 1) * cols));
    const max = row.reduce((a, b) => Math.max(a, b));
    let S = 0;
    let lost = 0;
    for (const v of row) {
      const term = Math.exp(v - max) - lost;
      const sum = S + term;
      lost = sum - S - term;
      S = sum;
    }
    y.set(op.exact(row, max, S), op.reduces ? r : r * cols);
  }
  return y;
}

// what one writes without a package; the result is of the input's type

function plainSoftmax(x: FloatArray, cols: number, y: FloatArray): FloatArray {
  for (let start = 0; start < x.length; start += cols) {
    const end = start + cols;
    const max = rowMax(x, start, end);
    let sum = 0;
    for (let i = start; i < end; i++) {
      const e = Math.exp((x[i] as number) - max);
      y[i] = e;
      sum += e;
    }
    const scale = 1 / sum;
    for (let i = start; i < end; i++) y[i] = (y[i] as number) * scale;
  }
  return y;
}

function plainLogSoftmax(x: FloatArray, cols: number, y: FloatArray): FloatArray {
  for (let start = 0; start < x.length; start += cols) {
    const lse = rowLogSumExp(x, start, start + cols);
    for (let i = start; i < start + cols; i++) y[i] = (x[i] as number) - lse;
  }
  return y;
}

function plainLogSumExp(x: FloatArray, cols: number, y: FloatArray): FloatArray {
  for (let r = 0; r < y.length; r++) y[r] = rowLogSumExp(x, r * cols, (r + 1) * cols);
  return y;
}

function rowLogSumExp(x: FloatArray, start: number, end: number): number {
  const max = rowMax(x, start, end);
  let sum = 0;
  for (let i = start; i < end; i++) sum += Math.exp((x[i] as number) - max);
  return max + Math.log(sum);
}

function rowMax(x: FloatArray, start: number, end: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = start; i < end; i++) max = Math.max(max, x[i] as number);
  return max;
}
