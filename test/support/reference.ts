/**
 * The losses and divergences as plain f64 loops over rows, sums compensated: what the kernels are held to where no
 * fixture reaches (lengths, tile edges, shapes). Relative errors stay below 1e-12 unless distributions are nearly equal.
 */

import type { From } from "./oracle.ts";
import type { FloatArray } from "./variants.ts";

/** Neumaier's sum. */
export function sum(length: number, term: (i: number) => number): number {
  let [total, rest] = [0, 0];
  for (let i = 0; i < length; i++) {
    const v = term(i);
    const next = total + v;
    if (Number.isFinite(next)) rest += Math.abs(total) >= Math.abs(v) ? total - next + v : v - next + total;
    total = next;
  }
  return total + rest;
}

/** Row r of data of a shape along an axis: where its elements stand. */
export function rowsOf(
  shape: readonly number[],
  axis: number,
): { rows: number; n: number; at: (r: number, i: number) => number } {
  const k = axis < 0 ? axis + shape.length : axis;
  const n = shape[k] as number;
  const inner = shape.slice(k + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, k).reduce((a, b) => a * b, 1);
  return { rows: outer * inner, n, at: (r, i) => (Math.floor(r / inner) * n + i) * inner + (r % inner) };
}

/** The log-probabilities of a row; from logits without the maximum's own term (log1p). */
export function logProbabilities(row: FloatArray, from: From, temperature = 1, normalize = true): Float64Array {
  if (from === "logProbabilities") return Float64Array.from(row);
  if (from === "probabilities") {
    const size = normalize ? sum(row.length, (i) => row[i] as number) : 1;
    return Float64Array.from(row, (v) => Math.log(v / size));
  }
  const z = Float64Array.from(row, (v) => v / temperature);
  let first = 0;
  for (let i = 1; i < z.length; i++) if ((z[i] as number) > (z[first] as number)) first = i;
  const top = z[first] as number;
  const log = Math.log1p(sum(z.length, (i) => (i === first ? 0 : Math.exp((z[i] as number) - top))));
  return z.map((v) => v - top - log);
}

/** −Σ cᵢ log pᵢ, where terms of weight 0 are left out. */
export function crossEntropyRow(logP: Float64Array, c: (i: number) => number): number {
  return -sum(logP.length, (i) => (c(i) === 0 ? 0 : c(i) * (logP[i] as number)));
}

/** u − log(1 + u) ≥ 0. */
const g = (u: number): number => (Math.abs(u) < 0.01 ? series(u) : u - Math.log1p(u));
function series(u: number): number {
  let total = 0;
  for (let k = 9; k >= 2; k--) total = total * -u + 1 / k;
  return total * u * u;
}

/** (1 + v)·log(1 + v) + (1 − v)·log(1 − v), 0 ≤ v ≤ 1. */
const psi = (v: number): number => {
  if (v === 1) return 2 * Math.LN2;
  if (v > 0.1) return (1 + v) * Math.log1p(v) + (1 - v) * Math.log1p(-v);
  let total = 0;
  for (let k = 9; k >= 1; k--) total = total * v * v + 1 / (k * (2 * k - 1));
  return total * v * v;
};

/** The distribution of a row; unless `normalize` is false, log-probabilities are made to sum to 1 too. */
export function distribution(row: FloatArray, from: From, temperature = 1, normalize = true): Float64Array {
  if (from === "logits" || (from === "logProbabilities" && normalize))
    return logProbabilities(row, "logits", temperature).map(Math.exp);
  if (from === "logProbabilities") return Float64Array.from(row, Math.exp);
  const size = normalize ? sum(row.length, (i) => row[i] as number) : 1;
  return Float64Array.from(row, (v) => v / size);
}

/** Σ p log(p/q) of distributions of equal sums. */
export function kl(p: Float64Array, q: Float64Array): number {
  return sum(p.length, (i) => {
    const [a, b] = [p[i] as number, q[i] as number];
    return a === 0 ? b : a * g((b - a) / a);
  });
}

export function js(p: Float64Array, q: Float64Array): number {
  return sum(p.length, (i) => {
    const s = (p[i] as number) + (q[i] as number);
    return s === 0 ? 0 : (s * psi(Math.abs((p[i] as number) - (q[i] as number)) / s)) / 4;
  });
}

/** Gradients with respect to the distributions themselves: KL by p and by q, JS by p. */
export const slopes = {
  klP: (p: number, q: number): number => Math.log(p / q),
  klQ: (p: number, q: number): number => -p / q,
  jsP: (p: number, q: number): number => Math.log((2 * p) / (p + q)) / 2,
};

/** … through a softmax at a temperature: wᵢ(dᵢ − Σ w d)/T, elements of probability 0 having none. */
export function throughSoftmax(w: Float64Array, d: (i: number) => number, temperature = 1): Float64Array {
  const mean = sum(w.length, (i) => (w[i] === 0 ? 0 : (w[i] as number) * d(i)));
  return w.map((v, i) => (v === 0 ? 0 : (v * (d(i) - mean)) / temperature));
}
