/** The Kullback–Leibler divergence of normal distributions, in f64. */
import { tagOf } from "../arrays.ts";
import { type Operand, operandsOf } from "../check/tensor.ts";
import { counted, failKind, failValue } from "../errors.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { arena } from "../memory/kernels.ts";
import { logarithm } from "../memory/scalar.ts";
import type { FloatArray, Input } from "../types.ts";

/** A normal distribution in d dimensions: d means, and the d×d covariance (row-major) or d variances, its diagonal. */
export type Gaussian =
  | { readonly mean: Input; readonly covariance: Input; readonly variance?: undefined }
  | { readonly mean: Input; readonly variance: Input; readonly covariance?: undefined };

const FN = "klGaussian";

/** Checked: a mean, and L with Σ = L·Lᵀ, lower triangular. */
interface Factored {
  readonly mean: Float64Array;
  /** Lᵢⱼ, for j ≤ i. */
  readonly factor: (i: number, j: number) => number;
  readonly diagonal: boolean;
}

/** The arrays of a distribution, as they are given. */
interface Given {
  readonly mean: unknown;
  readonly covariance: unknown;
  readonly variance: unknown;
}

function givenOf(name: string, gaussian: unknown): Given {
  const expected = "{ mean, covariance } or { mean, variance }";
  if (typeof gaussian !== "object" || gaussian === null || Array.isArray(gaussian) || tagOf(gaussian) !== undefined)
    failKind(FN, name, expected, gaussian);
  const { mean, covariance, variance } = gaussian as Given;
  if (covariance !== undefined && variance !== undefined)
    throw new TypeError(`${FN}: "${name}" must have either "covariance" or "variance", got both`);
  if (covariance === undefined && variance === undefined)
    failKind(FN, name, 'an object with "covariance" or "variance"', gaussian);
  return { mean, covariance, variance };
}

function factored(
  { array, length: d }: Operand,
  covariance: Operand | undefined,
  variance: Operand | undefined,
): Factored {
  const mean = new Float64Array(d).map((_, i) => array[i] as number);
  if (covariance) {
    const { name, length } = covariance;
    if (length !== d * d)
      failValue(FN, name, `of ${d}×${d} = ${counted(d * d, "element")} for a mean of ${d}`, covariance.array);
    const l = cholesky(name, covariance.array, d);
    return { mean, factor: (i, j) => l[i * d + j] as number, diagonal: false };
  }
  const { name, length, array: values } = variance as Operand;
  if (length !== d) failValue(FN, name, `of length ${d}, that of the mean`, values);
  const l = new Float64Array(d);
  for (let i = 0; i < d; i++) {
    const v = values[i] as number;
    if (!(v > 0 && v < Infinity)) failValue(FN, `${name}[${i}]`, "positive and finite", v);
    l[i] = Math.sqrt(v);
  }
  return { mean, factor: (i, j) => (i === j ? (l[i] as number) : 0), diagonal: true };
}

/** L, lower triangular, with L·Lᵀ = Σ; row-major. Only the lower triangle of Σ is read once it is known to be symmetric. */
function cholesky(name: string, s: FloatArray, d: number): Float64Array {
  const l = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      const [low, high] = [s[i * d + j] as number, s[j * d + i] as number];
      const size = Math.sqrt(Math.abs((s[i * d + i] as number) * (s[j * d + j] as number)));
      // the two triangles may differ by rounding, by more where they were f32; a NaN is found when it becomes a pivot
      if (Math.abs(low - high) > 1e-5 * size) {
        throw new RangeError(
          `${FN}: "${name}" must be symmetric, but element [${i}, ${j}] is ${low} and [${j}, ${i}] is ${high}`,
        );
      }
      let sum = low;
      for (let k = 0; k < j; k++) sum -= (l[i * d + k] as number) * (l[j * d + k] as number);
      if (i !== j) l[i * d + j] = sum / (l[j * d + j] as number);
      else if (sum > 0 && sum < Infinity) l[i * d + i] = Math.sqrt(sum);
      else {
        throw new RangeError(
          `${FN}: "${name}" must be positive definite, but its leading minor of order ${i + 1} is not positive (pivot ${sum})`,
        );
      }
    }
  }
  return l;
}

/** t − 1 − log t ≥ 0, of t = r² = 1 + u. */
function excess(u: number, r: number): number {
  // 1 + u has no digits left of a small r
  if (Math.abs(u) > 0.25) return u - 2 * logarithm(arena(), GRAM, r);
  // with s = u/(2 + u): log(1 + u) = 2·artanh s, and u − 2s = u·s
  const s = u / (2 + u);
  const z = s * s;
  let series = 0;
  for (let k = 21; k >= 3; k -= 2) series = series * z + 1 / k;
  return u * s - 2 * s * z * series;
}

/**
 * KL(N(μ_a, Σ_a) ‖ N(μ_b, Σ_b)) in nats, of normal distributions in d dimensions, in f64 whatever the data:
 *
 *     ½·(tr(Σ_b⁻¹Σ_a) − d − log det(Σ_b⁻¹Σ_a) + (μ_b − μ_a)ᵀΣ_b⁻¹(μ_b − μ_a))
 *
 * With Σ = L·Lᵀ and M = L_b⁻¹L_a, lower triangular, the first three are Σᵢ (Mᵢᵢ² − 1 − log Mᵢᵢ²) + Σ_{i>j} Mᵢⱼ²: every term is
 * ≥ 0, so that nothing cancels where the two are nearly equal, and of itself it is exactly 0. A `{ mean, variance }`, diagonal,
 * may stand beside a `{ mean, covariance }`.
 *
 * @throws TypeError for arguments of the wrong kind; RangeError for a wrong length, a variance that is not positive, a
 *   covariance that is not symmetric, or not positive definite, with the leading minor.
 * @example klGaussian({ mean: [0], variance: [1] }, { mean: [1], variance: [1] }); // 0.5
 */
export function klGaussian(a: Gaussian, b: Gaussian): number {
  const [first, second] = [givenOf("a", a), givenOf("b", b)];
  const [aMean, bMean, aCovariance, aVariance, bCovariance, bVariance] = operandsOf(
    FN,
    [
      ["a.mean", first.mean],
      ["b.mean", second.mean],
    ],
    [
      ["a.covariance", first.covariance],
      ["a.variance", first.variance],
      ["b.covariance", second.covariance],
      ["b.variance", second.variance],
    ],
  );
  const p = factored(aMean, aCovariance, aVariance);
  const q = factored(bMean, bCovariance, bVariance);
  const d = p.mean.length;
  if (q.mean.length !== d) {
    throw new RangeError(`${FN}: "b.mean" must be of length ${d}, that of "a.mean", got ${q.mean.length}`);
  }
  // L_b⁻¹(μ_b − μ_a), from its first element on
  const shift = q.mean.map((v, i) => v - (p.mean[i] as number));
  let total = 0;
  for (let i = 0; i < d; i++) {
    let sum = shift[i] as number;
    if (!q.diagonal) for (let k = 0; k < i; k++) sum -= q.factor(i, k) * (shift[k] as number);
    shift[i] = sum /= q.factor(i, i);
    total += sum * sum;
  }
  // M's diagonal: a ratio r of two positive numbers, r² − 1 = (r − 1)(r + 1)
  for (let i = 0; i < d; i++) {
    const [a, b] = [p.factor(i, i), q.factor(i, i)];
    const u = (a - b) / b;
    total += excess(u * (u + 2), a / b);
  }
  // M below it, column by column: Mᵢⱼ = (Aᵢⱼ − Bᵢⱼ·Mⱼⱼ − Σ_{j<k<i} Bᵢₖ·Mₖⱼ)/Bᵢᵢ, of which the first two are
  // (Aᵢⱼ − Bᵢⱼ) − Bᵢⱼ·(Mⱼⱼ − 1), 0 where the two factors are equal
  const column = new Float64Array(d);
  for (let j = 0; j < d && !(p.diagonal && q.diagonal); j++) {
    const excessOfDiagonal = (p.factor(j, j) - q.factor(j, j)) / q.factor(j, j);
    for (let i = j + 1; i < d; i++) {
      let sum = p.factor(i, j) - q.factor(i, j) - q.factor(i, j) * excessOfDiagonal;
      for (let k = j + 1; k < i; k++) sum -= q.factor(i, k) * (column[k] as number);
      column[i] = sum /= q.factor(i, i);
      total += sum * sum;
    }
  }
  return total / 2;
}
