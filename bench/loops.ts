/**
 * What one writes without a package: the textbook's loops, rows of `cols` numbers one after the other, into `out` where there is
 * more than one number. An engine that has seen f32 and f64 in a loop compiles a slower one, so that `loopsOf` has a copy for each.
 */
import type { Dtype, FloatArray } from "./harness.ts";

type Loops = typeof import("./loops.ts");
const copies: Partial<Record<Dtype, Loops>> = {};

/** The loops of this file in a module of their own for the type: a query makes one. */
export async function loopsOf(dtype: Dtype): Promise<Loops> {
  const copy = copies[dtype] ?? ((await import(`./loops.ts?${dtype}`)) as Loops);
  copies[dtype] = copy;
  return copy;
}

const at = (values: ArrayLike<number>, i: number): number => values[i] as number;

function largest(x: FloatArray, start: number, end: number): number {
  let max = at(x, start);
  for (let i = start + 1; i < end; i++) {
    const value = at(x, i);
    if (value > max) max = value;
  }
  return max;
}

export function softmax(x: FloatArray, cols: number, out: FloatArray): FloatArray {
  for (let start = 0; start < x.length; start += cols) {
    const end = start + cols;
    const max = largest(x, start, end);
    let sum = 0;
    for (let i = start; i < end; i++) {
      const e = Math.exp(at(x, i) - max);
      out[i] = e;
      sum += e;
    }
    const scale = 1 / sum;
    for (let i = start; i < end; i++) out[i] = at(out, i) * scale;
  }
  return out;
}

export function softmaxAtTemperature(x: FloatArray, cols: number, temperature: number, out: FloatArray): FloatArray {
  for (let start = 0; start < x.length; start += cols) {
    const end = start + cols;
    const max = largest(x, start, end);
    let sum = 0;
    for (let i = start; i < end; i++) {
      const e = Math.exp((at(x, i) - max) / temperature);
      out[i] = e;
      sum += e;
    }
    const scale = 1 / sum;
    for (let i = start; i < end; i++) out[i] = at(out, i) * scale;
  }
  return out;
}

/** Along axis 0: column after column. */
export function softmaxAcross(x: FloatArray, cols: number, out: FloatArray): FloatArray {
  for (let start = 0; start < cols; start++) {
    let max = at(x, start);
    for (let i = start; i < x.length; i += cols) if (at(x, i) > max) max = at(x, i);
    let sum = 0;
    for (let i = start; i < x.length; i += cols) {
      const e = Math.exp(at(x, i) - max);
      out[i] = e;
      sum += e;
    }
    const scale = 1 / sum;
    for (let i = start; i < x.length; i += cols) out[i] = at(out, i) * scale;
  }
  return out;
}

function rowLogSumExp(x: FloatArray, start: number, end: number): number {
  const max = largest(x, start, end);
  let sum = 0;
  for (let i = start; i < end; i++) sum += Math.exp(at(x, i) - max);
  return max + Math.log(sum);
}

export function logSoftmax(x: FloatArray, cols: number, out: FloatArray): FloatArray {
  for (let start = 0; start < x.length; start += cols) {
    const lse = rowLogSumExp(x, start, start + cols);
    for (let i = start; i < start + cols; i++) out[i] = at(x, i) - lse;
  }
  return out;
}

export function logSumExp(x: FloatArray, cols: number, out: FloatArray): FloatArray {
  for (let r = 0; r < out.length; r++) out[r] = rowLogSumExp(x, r * cols, (r + 1) * cols);
  return out;
}

export function crossEntropy(x: FloatArray, labels: Int32Array, cols: number): number {
  let loss = 0;
  for (let r = 0; r < labels.length; r++) {
    loss += rowLogSumExp(x, r * cols, (r + 1) * cols) - at(x, r * cols + at(labels, r));
  }
  return loss / labels.length;
}

export function weightedCrossEntropy(x: FloatArray, labels: Int32Array, weight: FloatArray, cols: number): number {
  let loss = 0;
  let mass = 0;
  for (let r = 0; r < labels.length; r++) {
    const label = at(labels, r);
    const w = at(weight, label);
    loss += w * (rowLogSumExp(x, r * cols, (r + 1) * cols) - at(x, r * cols + label));
    mass += w;
  }
  return loss / mass;
}

export function smoothedCrossEntropy(x: FloatArray, labels: Int32Array, epsilon: number, cols: number): number {
  let loss = 0;
  for (let r = 0; r < labels.length; r++) {
    const start = r * cols;
    const end = start + cols;
    let all = 0;
    for (let i = start; i < end; i++) all += at(x, i);
    const label = at(x, start + at(labels, r));
    loss += rowLogSumExp(x, start, end) - (1 - epsilon) * label - (epsilon / cols) * all;
  }
  return loss / labels.length;
}

export function softCrossEntropy(x: FloatArray, targets: FloatArray, cols: number): number {
  let loss = 0;
  for (let start = 0; start < x.length; start += cols) {
    const lse = rowLogSumExp(x, start, start + cols);
    for (let i = start; i < start + cols; i++) loss += at(targets, i) * (lse - at(x, i));
  }
  return (loss * cols) / x.length;
}

export function crossEntropyWithGrad(
  x: FloatArray,
  labels: Int32Array,
  cols: number,
  out: FloatArray,
): { value: number; grad: FloatArray } {
  const rows = labels.length;
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    const start = r * cols;
    const end = start + cols;
    const target = start + at(labels, r);
    const max = largest(x, start, end);
    let sum = 0;
    for (let i = start; i < end; i++) {
      const e = Math.exp(at(x, i) - max);
      out[i] = e;
      sum += e;
    }
    const scale = 1 / (sum * rows);
    for (let i = start; i < end; i++) out[i] = at(out, i) * scale;
    out[target] = at(out, target) - 1 / rows;
    loss += max + Math.log(sum) - at(x, target);
  }
  return { value: loss / rows, grad: out };
}

export function binaryCrossEntropy(x: FloatArray, targets: FloatArray): number {
  let loss = 0;
  for (let i = 0; i < x.length; i++) {
    const z = at(x, i);
    loss += Math.max(z, 0) - z * at(targets, i) + Math.log1p(Math.exp(-Math.abs(z)));
  }
  return loss / x.length;
}

/** Of rows that are distributions: nothing is normalised. */
export function entropy(p: FloatArray, cols: number, out: FloatArray): FloatArray {
  for (let r = 0; r < out.length; r++) {
    let sum = 0;
    for (let i = r * cols; i < (r + 1) * cols; i++) {
      const v = at(p, i);
      if (v > 0) sum -= v * Math.log(v);
    }
    out[r] = sum;
  }
  return out;
}

export function sigmoid(x: FloatArray, out: FloatArray): FloatArray {
  for (let i = 0; i < x.length; i++) out[i] = 1 / (1 + Math.exp(-at(x, i)));
  return out;
}

export function softplus(x: FloatArray, out: FloatArray): FloatArray {
  for (let i = 0; i < x.length; i++) {
    const z = at(x, i);
    out[i] = Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
  }
  return out;
}

export function klDivergence(p: FloatArray, q: FloatArray, cols: number, out: FloatArray): FloatArray {
  for (let r = 0; r < out.length; r++) {
    let sum = 0;
    for (let i = r * cols; i < (r + 1) * cols; i++) sum += at(p, i) * Math.log(at(p, i) / at(q, i));
    out[r] = sum;
  }
  return out;
}

function rowJS(p: FloatArray, q: FloatArray, i: number, j: number, cols: number): number {
  let sum = 0;
  for (let k = 0; k < cols; k++) {
    const a = at(p, i + k);
    const b = at(q, j + k);
    const m = 0.5 * (a + b);
    sum += a * Math.log(a / m) + b * Math.log(b / m);
  }
  return 0.5 * sum;
}

export function jsDivergence(p: FloatArray, q: FloatArray, cols: number, out: FloatArray): FloatArray {
  for (let r = 0; r < out.length; r++) out[r] = rowJS(p, q, r * cols, r * cols, cols);
  return out;
}

/** JS of each row of p and each of q. */
export function jsPairs(p: FloatArray, q: FloatArray, cols: number, out: FloatArray): FloatArray {
  const n = p.length / cols;
  const m = q.length / cols;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) out[i * m + j] = rowJS(p, q, i * cols, j * cols, cols);
  }
  return out;
}

/** X·Xᵀ by sums of products, on and below the diagonal, and mirrored. */
export function gram(x: FloatArray, n: number, d: number, out: FloatArray): FloatArray {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < d; k++) sum += at(x, i * d + k) * at(x, j * d + k);
      out[i * n + j] = sum;
      out[j * n + i] = sum;
    }
  }
  return out;
}

/** The same for n a multiple of 4, 4 rows by 4 at a time: each number read serves four sums. */
export function gramInTiles(x: FloatArray, n: number, d: number, g: FloatArray): FloatArray {
  for (let i = 0; i < n; i += 4) {
    for (let j = 0; j <= i; j += 4) tile(x, d, i * d, j * d, g, n, i, j);
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) g[j * n + i] = g[i * n + j] as number;
  }
  return g;
}

function tile(x: FloatArray, d: number, a: number, b: number, g: FloatArray, n: number, i: number, j: number): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
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
