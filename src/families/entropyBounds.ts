/** What a truncated distribution still tells of its entropy. */
import { restOf } from "../check/rest.ts";
import { layoutOf, operandOf, shapeOf, sizesIn } from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { arena } from "../memory/kernels.ts";
import { exponential, exponentOf, logarithm } from "../memory/scalar.ts";
import { integerIn, optionsOf } from "../options.ts";
import { endsOf, type Interval, UNIT } from "../read/interval.ts";
import { baseOf, perNat } from "../read/reduce.ts";
import type { FloatArray, Input, ResultOf } from "../types.ts";

export interface EntropyBoundsOptions {
  /** The shape of the log-probabilities, [rows, k] or [k]. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** How many outcomes the whole distribution has, of a language model its vocabulary. */
  size: number;
  /** The logarithm's base: 2 gives bits. Default: e, nats. */
  base?: number | undefined;
}

export interface EntropyBounds<T extends FloatArray = FloatArray> {
  /** [rows] */
  lower: T;
  /** [rows] */
  upper: T;
}

/** −p·log p of `count` outcomes of equal p, whose sum is `mass`. */
function spread(at: Arena, mass: number, count: number): number {
  return mass > 0 ? mass * logarithm(at, GRAM, count / mass) : 0;
}

/** At least |log v|, by its exponent. */
function magnitude(v: number): number {
  return Math.LN2 * (1 + Math.abs(exponentOf(v)));
}

/** The bounds of a row of k log-probabilities from index `start` on, of `size` outcomes. */
function boundsOf(at: Arena, fn: string, values: FloatArray, row: number, k: number, size: number): Interval {
  let known = 0;
  let sum = 0;
  let cap = 1;
  let scale = 0;
  for (let i = row * k; i < (row + 1) * k; i++) {
    const l = values[i] as number;
    if (Number.isNaN(l)) return { lower: Number.NaN, upper: Number.NaN, error: 0 };
    const p = exponential(at, GRAM, l);
    cap = Math.min(cap, p);
    sum += p;
    if (p > 0) known -= p * l;
    if (p > 0) scale += p * (1 + Math.abs(l));
  }
  const others = size - k;
  const rest = restOf(fn, "topLogProbs", row, sum, cap, others);
  // what is left is known to this, of the exponentials and their sum
  const doubt = UNIT * (k + 2);
  const own = UNIT * (k + 4) * (scale + 1);
  if (others === 0) return { lower: known, upper: known, error: own };
  const upper = spread(at, rest, others);
  // as many as possible as large as possible, and one with what is left then
  const full = cap > 0 ? Math.min(others, Math.floor(rest / cap)) : 0;
  const last = Math.max(0, rest - full * cap);
  const lower = full === others ? upper : (full > 0 ? -full * cap * logarithm(at, GRAM, cap) : 0) + spread(at, last, 1);
  // r·log(m/r) and ρ·log ρ change by 1 + |log(m/r)| and 1 + |log ρ| times as much, and ρ with c, too
  const error = own + 2 * doubt * (2 + magnitude(others / Math.max(rest, doubt)) + magnitude(Math.max(last, doubt)));
  return { lower: known + Math.min(lower, upper), upper: known + upper, error };
}

/**
 * The entropies that a distribution over `size` outcomes can have, of which the k largest log-probabilities are known: `[..., k] → { lower,
 * upper }`, one of each a row. What an API that returns the top 20 of a vocabulary still tells.
 *
 * With s = Σ p of the known, r = 1 − s is left for m = size − k outcomes, none of more than c, the smallest of the known:
 *
 *     H = −Σ p·log p + H_rest
 *     H_rest ≤ r·log(m/r)                       all alike: the entropy is concave and symmetric (Cover & Thomas, 2006, theorem 2.7.3)
 *     H_rest ≥ −⌊r/c⌋·c·log c − ρ·log ρ         as many of c as there can be, and one of the rest ρ = r − ⌊r/c⌋·c: this vector
 *                                               majorises all others, and the entropy is Schur-concave (Marshall & Olkin, 1979)
 *
 * Both are attained, by these. Rounded outwards, so that no completion is outside. The log-probabilities may come in any order.
 * Probabilities may exceed a sum of 1 by 1e-5, which is rounding: nothing is left then. A row with a NaN is NaN.
 *
 * @throws TypeError for arguments of the wrong kind; RangeError for a wrong shape, a `size` below k, log-probabilities that sum to more
 *   than 1, or leave more than the other outcomes can have without being larger.
 * @example entropyBounds([Math.log(0.5), Math.log(0.25)], { size: 4, base: 2 }); // 1.5 to 1.75: the rest is 0.25, or 0.125 twice
 */
export function entropyBounds<X extends Input>(
  topLogProbs: X,
  options: EntropyBoundsOptions,
): EntropyBounds<ResultOf<X>> {
  const fn = "entropyBounds";
  const { shape, size, base } = optionsOf<EntropyBoundsOptions>(fn, options, ["shape", "size", "base"]);
  const sizes = sizesIn(fn, "shape", shape);
  const outcomes = integerIn(fn, "size", size, undefined, 1, Number.MAX_SAFE_INTEGER);
  const unit = baseOf(fn, base);
  const x = operandOf(fn, "topLogProbs", topLogProbs);
  const { n, rows } = layoutOf(fn, shapeOf(fn, x, sizes), -1);
  if (n > outcomes) failValue(fn, "size", `at least ${n}, as many as are known`, outcomes);
  const at = arena();
  const factor = perNat(at, GRAM, unit);
  const bounds = Array.from({ length: rows }, (_, row) => boundsOf(at, fn, x.array, row, n, outcomes));
  return endsOf(fn, x.bytes, bounds, factor) as EntropyBounds<ResultOf<X>>;
}
