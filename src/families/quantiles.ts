/** W_p of two distributions on the line, from what their quantiles are apart. */
import type { Total } from "../check/masses.ts";
import type { Arena } from "../memory/arena.ts";
import { TRANSPORT } from "../memory/embedded/transport.ts";
import { exponential, logarithm } from "../memory/scalar.ts";
import { numberIn } from "../options.ts";

/** p of W_p: 1 unless given. */
export const orderOf = (fn: string, order: unknown): number => numberIn(fn, "order", order, 1, 1, Infinity);

/**
 * (Σ mass·dᵖ / Σ mass)^(1/p), where `walk` gives Σ mass·(d/unit)ᵖ, or for order ∞ the largest d. In units of that,
 * nothing overflows and nothing that matters underflows; 1 and 2, which seldom do, are tried without.
 */
export function distance(
  at: Arena,
  order: number,
  total: number,
  walk: (order: number, unit: number) => number,
): number {
  let unit = 1;
  let sum = order === 1 || order === 2 ? walk(order, 1) : 0;
  if (!(sum > 1e-250 && sum < 1e300)) {
    unit = walk(Infinity, 1);
    if (order === Infinity || unit === 0 || unit === Infinity) return unit;
    sum = walk(order, unit);
  }
  const mean = sum / total;
  if (order === 1) return unit * mean;
  return unit * (order === 2 ? Math.sqrt(mean) : exponential(at, TRANSPORT, logarithm(at, TRANSPORT, mean) / order));
}

/**
 * What to multiply masses of the sums u and v by, so that both sum to the same `total`: integers by integers, which stay exact,
 * where the sums are so; and by powers of 2, so that nothing overflows.
 */
export function common(u: number, v: number): { byU: number; byV: number; total: number } {
  const scale = (sum: number) => 2 ** -Math.round(Math.log2(sum));
  const [su, sv] = [scale(u), scale(v)];
  return { byU: v * sv * su, byV: u * su * sv, total: u * su * (v * sv) };
}

/** Brings masses at `pointer` into the unit of their total. */
export function inUnit(at: Arena, pointer: number, count: number, bytes: number, { unit }: Total): void {
  if (unit === 1) return;
  const masses = at.arrayAt(pointer, count, bytes);
  for (let i = 0; i < count; i++) (masses[i] as number) *= unit;
}
