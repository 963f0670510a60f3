import { bench, type CaseResult, type Contestants, type Dtype, type FloatArray } from "./harness.ts";
import { caseOf, type Inputs, OPERATIONS, type Shape } from "./operations.ts";
import { options } from "./options.ts";
import { baseline } from "./ours.ts";
import { mlMatrix } from "./peers/mlMatrix.ts";
import type { Node } from "./peers/onnx.ts";
import { ort } from "./peers/ort.ts";
import { tfjs } from "./peers/tfjs.ts";
import { rates } from "./report.ts";

/** Every n is a multiple of the plain loop's 4. */
const SHAPES: readonly Shape[] = [
  [64, 512],
  [256, 256],
  [512, 4096],
  [1024, 1024],
  [2000, 64],
  [64, 50176],
];

const DTYPES = ["f32", "f64"] as const;
const cases = DTYPES.flatMap((dtype) =>
  SHAPES.map((shape) => caseOf(OPERATIONS.gram, dtype, shape, withRivals(shape))),
);
const results = await bench({ name: "gram", cases, baseline });
for (const dtype of DTYPES) {
  const done = results.filter((c) => c.dtype === dtype);
  if (done.length > 0) report(dtype, done);
}

/** What is needed, G being symmetric: n(n+1)/2 sums of d products. */
function needed(n: number, d: number): number {
  return n * (n + 1) * d;
}

/** What a product of two matrices takes, and most of the others do. */
function general(n: number, d: number): number {
  return 2 * n * n * d;
}

function report(dtype: Dtype, done: readonly CaseResult[]): void {
  // a rate is in flops a µs, millions a second: of thousands of flops that makes GFLOP/s
  const table = (title: string, flops: (n: number, d: number) => number, unit: number) =>
    console.log(`\ngram ${dtype}, ${title}\n${rates(done, (n = 0, d = 0) => flops(n, d) / unit)}`);
  table("GFLOP/s of the n(n+1)d needed", needed, 1000);
  table("GFLOP/s as of a general product, 2n²d", general, 1000);
  if (options.peak === undefined) return;
  // a cycle is 2 multiplications and 2 additions of 128-bit vectors, or 2 fused ones
  const lanes = dtype === "f32" ? 4 : 2;
  const peak = 4 * lanes * options.peak;
  const formula = `4 · ${lanes} lanes · ${options.peak} GHz = ${peak.toFixed(1)} GFLOP/s`;
  table(`% of the 128-bit peak ${formula}, n(n+1)d flops`, needed, 10 * peak);
}

function withRivals(shape: Shape) {
  return (able: Contestants, [x]: Inputs): Contestants => ({
    ...able,
    // matMul(x, x, false, true) takes 5 to 14 times as long
    ...(x instanceof Float32Array &&
      tfjs([{ data: x, shape }], (tf, t) => tf.tidy(() => tf.matMul(t, tf.transpose(t))))),
    ...ofOrt(x, shape),
    ...(x instanceof Float64Array && mlMatrix(x, shape)),
  });
}

/** The product with the Transpose in the graph, and Gemm, which takes its second operand transposed. */
function ofOrt(x: FloatArray, shape: Shape): Contestants {
  const inputs = { x: { data: x, dims: shape } };
  const matMul: Node[] = [
    { op: "Transpose", inputs: ["x"], outputs: ["xT"], attributes: { perm: [1, 0] } },
    { op: "MatMul", inputs: ["x", "xT"], outputs: ["g"] },
  ];
  const gemm: Node[] = [{ op: "Gemm", inputs: ["x", "x"], outputs: ["g"], attributes: { transB: 1 } }];
  return { ...ort(matMul, inputs, "g"), ...ort(gemm, inputs, "g", {}, "gemm") };
}
