import { floats, normals, total } from "./data.ts";
import {
  bench,
  type Call,
  type Case,
  type CaseResult,
  type Contestants,
  type Dtype,
  type FloatArray,
} from "./harness.ts";
import { options } from "./options.ts";
import { baseline, ours, type Surprisal } from "./ours.ts";
import { mlMatrix } from "./peers/mlMatrix.ts";
import type { Node } from "./peers/onnx.ts";
import { ort } from "./peers/ort.ts";
import { tfjs } from "./peers/tfjs.ts";
import { rates } from "./report.ts";

type Shape = readonly [n: number, d: number];

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
const cases = DTYPES.flatMap((dtype) => SHAPES.map((shape) => caseOf(dtype, shape)));
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

function caseOf(dtype: Dtype, shape: Shape): Case {
  const [n, d] = shape;
  const setup = () => {
    const x = normals(dtype, n * d);
    const contestants: Contestants = {
      ...ours((copy) => ways(copy, dtype, x, shape)),
      "plain tile": () => ({ run: () => plainTile(x, shape) }),
      // matMul(x, x, false, true) takes 5 to 14 times as long
      ...(x instanceof Float32Array &&
        tfjs([{ data: x, shape }], (tf, t) => tf.tidy(() => tf.matMul(t, tf.transpose(t))))),
      ...ofOrt(x, shape),
      ...(x instanceof Float64Array && mlMatrix(x, shape)),
    };
    return { reference: reference(x, shape), contestants };
  };
  // off the diagonal the terms cancel, so an error is one of ‖xᵢ‖·‖xⱼ‖, about d; that of tfjs over 50176 terms is 1.4e-5
  return { op: "gram", dtype, shape, tolerance: dtype === "f32" ? 1e-4 : 1e-13, floor: d, setup };
}

function ways(copy: Surprisal, dtype: Dtype, x: FloatArray, shape: Shape): Record<string, () => Call> {
  const gram = copy.gram as (x: FloatArray, options: { shape: Shape; out?: FloatArray }) => FloatArray;
  const outLength = shape[0] ** 2;
  return {
    "": () => ({ run: () => gram(x, { shape }) }),
    out: () => {
      const out = floats(dtype, outLength);
      return { run: () => gram(x, { shape, out }) };
    },
    resident: () => {
      const from = copy.resident(dtype, x.length);
      const to = copy.resident(dtype, outLength);
      from.set(x);
      const dispose = () => {
        from.dispose();
        to.dispose();
      };
      return { run: () => gram(from.array, { shape, out: to.array }), dispose };
    },
  };
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

/** In f64, in sums of CHAIN terms that are added with compensation. */
function reference(x: FloatArray, [n, d]: Shape): Float64Array {
  const CHAIN = 128;
  const g = new Float64Array(n * n);
  const chain = (i: number, j: number, length: number) => {
    let sum = 0;
    for (let k = 0; k < length; k++) sum += (x[i + k] as number) * (x[j + k] as number);
    return sum;
  };
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const sum = total(Math.ceil(d / CHAIN), (c) => {
        const start = c * CHAIN;
        return chain(i * d + start, j * d + start, Math.min(CHAIN, d - start));
      });
      g[i * n + j] = sum;
      g[j * n + i] = sum;
    }
  }
  return g;
}

/** What one writes without a package: 4 rows by 4 at a time, in f64 sums, on and below the diagonal, and mirrored. */
function plainTile(x: FloatArray, [n, d]: Shape): FloatArray {
  const g = x instanceof Float32Array ? new Float32Array(n * n) : new Float64Array(n * n);
  for (let i = 0; i < n; i += 4) {
    for (let j = 0; j <= i; j += 4) tile(x, d, i * d, j * d, g, n, i, j);
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) g[j * n + i] = g[i * n + j] as number;
  }
  return g;
}

function tile(x: FloatArray, d: number, a: number, b: number, g: FloatArray, n: number, i: number, j: number): void {
  let [s00, s01, s02, s03] = [0, 0, 0, 0];
  let [s10, s11, s12, s13] = [0, 0, 0, 0];
  let [s20, s21, s22, s23] = [0, 0, 0, 0];
  let [s30, s31, s32, s33] = [0, 0, 0, 0];
  for (let k = 0; k < d; k++) {
    const a0 = x[a + k] as number;
    const a1 = x[a + k + d] as number;
    const a2 = x[a + k + 2 * d] as number;
    const a3 = x[a + k + 3 * d] as number;
    const b0 = x[b + k] as number;
    const b1 = x[b + k + d] as number;
    const b2 = x[b + k + 2 * d] as number;
    const b3 = x[b + k + 3 * d] as number;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
  }
  g[i * n + j] = s00;
  g[i * n + j + 1] = s01;
  g[i * n + j + 2] = s02;
  g[i * n + j + 3] = s03;
  g[(i + 1) * n + j] = s10;
  g[(i + 1) * n + j + 1] = s11;
  g[(i + 1) * n + j + 2] = s12;
  g[(i + 1) * n + j + 3] = s13;
  g[(i + 2) * n + j] = s20;
  g[(i + 2) * n + j + 1] = s21;
  g[(i + 2) * n + j + 2] = s22;
  g[(i + 2) * n + j + 3] = s23;
  g[(i + 3) * n + j] = s30;
  g[(i + 3) * n + j + 1] = s31;
  g[(i + 3) * n + j + 2] = s32;
  g[(i + 3) * n + j + 3] = s33;
}
