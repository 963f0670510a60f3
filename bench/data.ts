import { uniforms as random } from "../examples/support/random.ts";
import type { Dtype, FloatArray } from "./harness.ts";

export const floats = (dtype: Dtype, length: number): FloatArray =>
  dtype === "f32" ? new Float32Array(length) : new Float64Array(length);

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Numbers from [0, 1), the same for the same seed. */
export const uniforms = (length: number, seed: number): Float64Array => new Float64Array(length).map(random(seed));

/** Numbers from N(0, sigma), the same for the same seed. */
export function normals(dtype: Dtype, length: number, { sigma = 1, seed = 1 } = {}): FloatArray {
  const next = random(seed);
  return floats(dtype, length).map(() => sigma * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()));
}

/** Rows of probabilities: softmax of normals, each rounded to the type. */
export function distributions(dtype: Dtype, rows: number, cols: number, seed: number): FloatArray {
  const weights = normals("f64", rows * cols, { seed }).map(Math.exp);
  const p = floats(dtype, weights.length);
  for (let start = 0; start < p.length; start += cols) {
    const row = weights.subarray(start, start + cols);
    const sum = total(cols, (j) => row[j] as number);
    for (let j = 0; j < cols; j++) p[start + j] = (row[j] as number) / sum;
  }
  return p;
}

/** Classes, each as likely as another. */
export function labels(length: number, classes: number, seed = 1): Int32Array {
  const next = random(seed);
  return new Int32Array(length).map(() => Math.floor(classes * next()));
}

/** Σ term(i) over n terms, compensated. */
export function total(n: number, term: (i: number) => number): number {
  let sum = 0;
  let lost = 0;
  for (let i = 0; i < n; i++) {
    const t = term(i) - lost;
    const next = sum + t;
    lost = next - sum - t;
    sum = next;
  }
  return sum;
}

/** Several results one after the other, for the check. */
export function joined(parts: readonly ArrayLike<number>[]): Float64Array {
  const all = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
