/** Gram and kernel matrices, style losses, MMD and CKA as plain loops: what the kernels are held to where no fixture reaches. */
import type { Kernel, KernelOptions, Normalize } from "./gram.ts";
import { sum as summed } from "./reference.ts";
import type { FloatArray } from "./variants.ts";

const SPLIT = 2 ** 27 + 1;

/** Σ xᵢ·yᵢ in twice the working precision (Ogita, Rump & Oishi 2005, Dot2), and Σ |xᵢ·yᵢ|. */
export function dot(x: FloatArray, from: number, y: FloatArray, at: number, d: number): [value: number, size: number] {
  let [total, rest, size] = [0, 0, 0];
  for (let k = 0; k < d; k++) {
    const a = x[from + k] as number;
    const b = y[at + k] as number;
    const p = a * b;
    const a1 = SPLIT * a - (SPLIT * a - a);
    const b1 = SPLIT * b - (SPLIT * b - b);
    const next = total + p;
    const z = next - total;
    rest += a1 * b1 - p + a1 * (b - b1) + (a - a1) * b1 + (a - a1) * (b - b1) + (total - (next - z) + (p - z));
    total = next;
    size += Math.abs(p);
  }
  return [total + rest, size];
}

/** The rows less their mean, in f64. */
export function centred(x: FloatArray, n: number, d: number): Float64Array {
  const out = Float64Array.from(x);
  for (let k = 0; k < d; k++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += (x[i * d + k] as number) / n;
    for (let i = 0; i < n; i++) out[i * d + k] = (x[i * d + k] as number) - mean;
  }
  return out;
}

/** k(x, y) of two rows; `scale` is the size of what its rounding errors are relative to. */
export function kernelOf(
  kernel: Kernel,
  x: FloatArray,
  from: number,
  y: FloatArray,
  at: number,
  d: number,
  { gamma = 1 / d, degree = 3, coef0 = 1 }: KernelOptions = {},
): { value: number; scale: number } {
  const of = (a: FloatArray, i: number) => Math.sqrt(dot(a, i, a, i, d)[0]);
  if (kernel === "rbf" || kernel === "laplacian") {
    const distance = summed(d, (k) => {
      const t = Math.abs((x[from + k] as number) - (y[at + k] as number));
      return kernel === "rbf" ? t * t : t;
    });
    const value = Math.exp(-gamma * distance);
    return { value, scale: value * (1 + gamma * distance) };
  }
  const [s] = dot(x, from, y, at, d);
  const norms = of(x, from) * of(y, at);
  if (kernel === "linear") return { value: s, scale: norms };
  if (kernel === "cosine") return norms === 0 ? { value: 0, scale: 1 } : { value: s / norms, scale: 1 };
  const argument = gamma * s + coef0;
  const error = gamma * norms + Math.abs(coef0);
  if (kernel === "sigmoid") {
    const value = Math.tanh(argument);
    return { value, scale: Math.abs(value) + (1 - value * value) * error };
  }
  const value = argument ** degree;
  return { value, scale: Math.abs(value) + Math.abs(degree * argument ** (degree - 1)) * error };
}

/** The matrix of it. */
export function kernels(
  kernel: Kernel,
  x: FloatArray,
  y: FloatArray,
  d: number,
  options: KernelOptions = {},
): { value: Float64Array; scale: Float64Array } {
  const [n, m] = [x.length / d, y.length / d];
  const [value, scale] = [new Float64Array(n * m), new Float64Array(n * m)];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      const k = kernelOf(kernel, x, i * d, y, j * d, d, options);
      value[i * m + j] = k.value;
      scale[i * m + j] = k.scale;
    }
  return { value, scale };
}

const sum = (a: Float64Array) => summed(a.length, (i) => a[i] as number);

/** Squared MMD: biased (V-statistic) and unbiased (U-statistic), and the sum of the means it is a difference of. */
export function mmdOf(kernel: Kernel, x: FloatArray, y: FloatArray, d: number, options: KernelOptions = {}) {
  const [n, m] = [x.length / d, y.length / d];
  const [xx, yy, xy] = [
    kernels(kernel, x, x, d, options).value,
    kernels(kernel, y, y, d, options).value,
    kernels(kernel, x, y, d, options).value,
  ];
  const trace = (k: Float64Array, size: number) => sum(k.filter((_, i) => i % (size + 1) === 0));
  const cross = (2 * sum(xy)) / (n * m);
  const size = sum(xx.map(Math.abs)) / n ** 2 + sum(yy.map(Math.abs)) / m ** 2 + (2 * sum(xy.map(Math.abs))) / (n * m);
  return {
    biased: sum(xx) / n ** 2 + sum(yy) / m ** 2 - cross,
    unbiased: (sum(xx) - trace(xx, n)) / (n * (n - 1)) + (sum(yy) - trace(yy, m)) / (m * (m - 1)) - cross,
    size,
  };
}

/** Linear CKA of [n, d] and [n, e]. */
export function ckaOf(x: FloatArray, y: FloatArray, n: number): { biased: number; unbiased: number } {
  const [a, b] = [centred(x, n, x.length / n), centred(y, n, y.length / n)];
  const [K, L] = [a, b].map((v) => kernels("linear", v, v, v.length / n).value) as [Float64Array, Float64Array];
  const inner = (p: Float64Array, q: Float64Array) => sum(p.map((v, i) => v * (q[i] as number)));
  const hollow = (k: Float64Array) => k.map((v, i) => (i % (n + 1) === 0 ? 0 : v));
  const rows = (k: Float64Array) => Float64Array.from({ length: n }, (_, i) => sum(k.subarray(i * n, i * n + n)));
  const unbiased = (p: Float64Array, q: Float64Array) => {
    const [r, s] = [rows(p), rows(q)];
    return inner(p, q) + (sum(r) * sum(s)) / ((n - 1) * (n - 2)) - (2 * inner(r, s)) / (n - 2);
  };
  const ratio = (f: typeof inner, p: Float64Array, q: Float64Array) => f(p, q) / Math.sqrt(f(p, p) * f(q, q));
  return { biased: ratio(inner, K, L), unbiased: ratio(unbiased, hollow(K), hollow(L)) };
}

/** [N, C, HW] of a shape [C, H, W] or [N, C, H, W], and what a normalisation divides by. */
export function planes(shape: readonly number[], normalize: Normalize) {
  const [n, c, h, w] = (shape.length === 4 ? shape : [1, ...shape]) as [number, number, number, number];
  return { n, c, hw: h * w, divisor: { elements: c * h * w, spatial: h * w, none: 1 }[normalize] };
}

/** The Gram matrices of feature maps, and the sizes of their sums. */
export function styleGrams(x: FloatArray, shape: readonly number[], normalize: Normalize) {
  const { n, c, hw, divisor } = planes(shape, normalize);
  const [value, size] = [new Float64Array(n * c * c), new Float64Array(n * c * c)];
  for (let b = 0; b < n; b++)
    for (let i = 0; i < c; i++)
      for (let j = 0; j < c; j++) {
        const [v, s] = dot(x, (b * c + i) * hw, x, (b * c + j) * hw, hw);
        value[(b * c + i) * c + j] = v / divisor;
        size[(b * c + i) * c + j] = s / divisor;
      }
  return { value, size };
}

/** The loss of one layer, its gradient, and of both the size of what their rounding errors are relative to. */
export function styleLossOf(x: FloatArray, y: FloatArray, shape: readonly number[], normalize: Normalize, weight = 1) {
  const { n, c, hw, divisor } = planes(shape, normalize);
  const [g, a] = [styleGrams(x, shape, normalize), styleGrams(y, shape, normalize)];
  const count = n * c * c;
  const difference = g.value.map((v, i) => v - (a.value[i] as number));
  const sizes = g.size.map((v, i) => v + (a.size[i] as number));
  const [grad, gradSize] = [new Float64Array(x.length), new Float64Array(x.length)];
  const factor = (4 * weight) / (count * divisor);
  for (let b = 0; b < n; b++)
    for (let i = 0; i < c; i++)
      for (let j = 0; j < c; j++) {
        const at = (b * c + i) * c + j;
        for (let k = 0; k < hw; k++) {
          const f = x[(b * c + j) * hw + k] as number;
          const to = (b * c + i) * hw + k;
          grad[to] = (grad[to] as number) + factor * (difference[at] as number) * f;
          gradSize[to] = (gradSize[to] as number) + Math.abs(factor * (sizes[at] as number) * f);
        }
      }
  return {
    value: (weight * sum(difference.map((v) => v * v))) / count,
    size: (weight * sum(difference.map((v, i) => Math.abs(v) * (sizes[i] as number)))) / count,
    grad,
    gradSize,
  };
}

/** The eigenvalues of a symmetric n×n matrix, ascending: Jacobi's rotations. */
export function eigenvalues(matrix: ArrayLike<number>, n: number): number[] {
  const a = Float64Array.from(matrix);
  const at = (i: number, j: number) => a[i * n + j] as number;
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const apq = at(p, q);
        off += apq * apq;
        if (apq === 0) continue;
        const theta = (at(q, q) - at(p, p)) / (2 * apq);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const [u, v] = [at(k, p), at(k, q)];
          a[k * n + p] = c * u - s * v;
          a[k * n + q] = s * u + c * v;
        }
        for (let k = 0; k < n; k++) {
          const [u, v] = [at(p, k), at(q, k)];
          a[p * n + k] = c * u - s * v;
          a[q * n + k] = s * u + c * v;
        }
      }
    if (off === 0) break;
  }
  return Array.from({ length: n }, (_, i) => at(i, i)).sort((x, y) => x - y);
}
