/**
 * exp, expm1, log, log1p of an f64 to about 100 bits: the oracle of the f64 kernels, with nothing in common with them.
 * Numbers are unevaluated sums hi + lo (Dekker 1971); test/fixtures/unary.json, from mpmath, checks them.
 */
import { scale } from "./ulp.ts";

/** (hi + lo)·2^exponent; the exponent is apart so that neither part is ever subnormal. */
export interface Exact {
  readonly hi: number;
  readonly lo: number;
  readonly exponent: number;
}

export interface Pair {
  readonly hi: number;
  readonly lo: number;
}

/** a + b exactly (Knuth). */
export function sum(a: number, b: number): Pair {
  const hi = a + b;
  const c = hi - a;
  return { hi, lo: a - (hi - c) + (b - c) };
}

/** a + b exactly for |a| ≥ |b|. */
function quickSum(a: number, b: number): Pair {
  const hi = a + b;
  return { hi, lo: b - (hi - a) };
}

const SPLIT = 2 ** 27 + 1;

/** a·b exactly (Dekker). */
export function product(a: number, b: number): Pair {
  const hi = a * b;
  const a1 = SPLIT * a - (SPLIT * a - a);
  const b1 = SPLIT * b - (SPLIT * b - b);
  const a2 = a - a1;
  const b2 = b - b1;
  return { hi, lo: a1 * b1 - hi + a1 * b2 + a2 * b1 + a2 * b2 };
}

export function add(a: Pair, b: Pair): Pair {
  const s = sum(a.hi, b.hi);
  const t = sum(a.lo, b.lo);
  const v = quickSum(s.hi, s.lo + t.hi);
  return quickSum(v.hi, v.lo + t.lo);
}

export function multiply(a: Pair, b: Pair): Pair {
  const p = product(a.hi, b.hi);
  return quickSum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

export const times = (a: Pair, power: number): Pair => ({ hi: a.hi * power, lo: a.lo * power });
export const negate = (a: Pair): Pair => ({ hi: -a.hi, lo: -a.lo });
const ONE: Pair = { hi: 1, lo: 0 };

/** ln 2 in three parts, the first of 33 bits so that its products with exponents are exact. */
const LN2_1 = 0x1_62e4_2fef / 2 ** 33;
const LN2_2: Pair = { hi: 7.440617110012397e-11, lo: -1.3124698417785255e-27 };

/** n·ln 2. */
const exponentTimesLn2 = (n: number): Pair => add({ hi: n * LN2_1, lo: 0 }, multiply({ hi: n, lo: 0 }, LN2_2));

/** 1/2!, 1/3!, 1/4!, 1/5! */
const INVERSE_FACTORIALS: readonly Pair[] = [2, 6, 24, 120].map((f) => {
  const hi = 1 / f;
  const p = product(hi, f);
  return { hi, lo: (1 - p.hi - p.lo) / f };
});

/** e^r − 1, |r| < 1: Taylor at r/512, then e^2r − 1 = (e^r − 1)² + 2·(e^r − 1) nine times. */
export function expm1Pair(r: Pair): Pair {
  const s = times(r, 1 / 512);
  let series: Pair = { hi: (s.hi / 720) * (1 + (s.hi / 7) * (1 + s.hi / 8)), lo: 0 };
  for (let i = 3; i >= 0; i--) series = multiply(add(series, INVERSE_FACTORIALS[i]!), s);
  let t = add(s, multiply(series, s));
  for (let i = 0; i < 9; i++) t = add(times(t, 2), multiply(t, t));
  return t;
}

/** log(1 + f), −0.3 < f < 0.42: one step of Newton's method from the f64 value, on expm1 so that small f keep their digits. */
export function log1pPair(f: Pair): Pair {
  const y: Pair = { hi: Math.log1p(f.hi), lo: 0 };
  const t = expm1Pair(y);
  const d = add(f, negate(t));
  return add(y, { hi: d.hi / (1 + t.hi), lo: 0 });
}

const exactly = (hi: number): Exact => ({ hi, lo: 0, exponent: 0 });

/** x = n·ln 2 + r. */
function reduce(x: number): { n: number; t: Pair } {
  const n = Math.round(x / Math.LN2);
  return { n, t: expm1Pair(add({ hi: x, lo: 0 }, negate(exponentTimesLn2(n)))) };
}

/** a/b of f64. */
export function quotient(a: number, b: number): Pair {
  const hi = a / b;
  const p = product(hi, b);
  return Number.isFinite(p.lo) ? { hi, lo: (a - p.hi - p.lo) / b } : { hi, lo: 0 };
}

/** e^x of a pair; rounded once more below the normal numbers. */
export function expPair(x: Pair): Pair {
  if (!(x.hi > -745)) return { hi: Number.isNaN(x.hi) ? NaN : 0, lo: 0 };
  const n = Math.round(x.hi / Math.LN2);
  const y = add(ONE, expm1Pair(add(x, negate(exponentTimesLn2(n)))));
  return { hi: scale(y.hi, n), lo: scale(y.lo, n) };
}

/** log x of a positive pair. */
export function logPair(x: Pair): Pair {
  const n = exponentNear(x.hi);
  const f = sum(scale(x.hi, -n) - 1, scale(x.lo, -n));
  const y = log1pPair(f);
  return n === 0 ? y : add(exponentTimesLn2(n), y);
}

export function exactExp(x: number): Exact {
  if (!(x > -746 && x < 710)) return exactly(Math.exp(x));
  const { n, t } = reduce(x);
  return { ...add(ONE, t), exponent: n };
}

export function exactExpm1(x: number): Exact {
  if (!(x > -746 && x < 710) || Math.abs(x) < 2 ** -200) return exactly(Math.expm1(x));
  const { n, t } = reduce(x);
  if (n === 0) return { ...t, exponent: 0 };
  if (n < 0)
    return {
      ...add({ hi: scale(1, n), lo: 0 }, add({ hi: -1, lo: 0 }, { hi: scale(t.hi, n), lo: scale(t.lo, n) })),
      exponent: 0,
    };
  return { ...add(sum(1, -scale(1, -n)), t), exponent: n };
}

/** log of 2ⁿ·(1 + f). */
function logOf(n: number, f: Pair): Exact {
  const y = log1pPair(f);
  return { ...(n === 0 ? y : add(exponentTimesLn2(n), y)), exponent: 0 };
}

/** x = 2ⁿ·m with 0.7 ≤ m < 1.42, as n. */
const exponentNear = (x: number): number => Math.round(Math.log2(x));

export function exactLog(x: number): Exact {
  if (!(x > 0 && x < Infinity)) return exactly(Math.log(x));
  const n = exponentNear(x);
  return logOf(n, { hi: scale(x, -n) - 1, lo: 0 });
}

export function exactLog1p(x: number): Exact {
  if (!(x > -1 && x < Infinity) || Math.abs(x) < 2 ** -200) return exactly(Math.log1p(x));
  const u = sum(1, x);
  const n = exponentNear(u.hi);
  return logOf(n, sum(scale(u.hi, -n) - 1, scale(u.lo, -n)));
}
