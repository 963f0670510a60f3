/**
 * KL and JS of a row to 10⁻²⁰ of themselves, however nearly equal the arguments: the oracle of searches for inputs that break a bound. With
 * Δ = log q − log p of the distributions, in pairs of f64,
 *
 *     KL = Σ p·(e^Δ − 1 − Δ),      as it is −Σ p·Δ
 *     2·JS = Σ p·(−L) + q·(Δ − L),  L = log((1 + e^Δ)/2)
 *
 * test/fixtures/divergences.json, from mpmath, checks it.
 */
import {
  add,
  exactLog,
  expm1Pair,
  expPair,
  log1pPair,
  logPair,
  multiply,
  negate,
  type Pair,
  quotient,
  times,
} from "./exact.ts";
import type { From } from "./oracle.ts";
import type { FloatArray } from "./variants.ts";

export interface ExactOptions {
  readonly from?: From | readonly [From, From];
  readonly temperature?: number;
  readonly normalize?: boolean;
}

const ZERO: Pair = { hi: 0, lo: 0 };
const MASKED: Pair = { hi: -Infinity, lo: 0 };
const LN2 = logPair({ hi: 2, lo: 0 });

/** The logarithm of every probability. */
function logsOf(row: FloatArray, from: From, temperature: number, normalize: boolean): Pair[] {
  const logs = Array.from(row, (v): Pair => {
    if (from === "probabilities") return v > 0 ? exactLog(v) : MASKED;
    if (v === -Infinity) return MASKED;
    return from === "logits" ? quotient(v, temperature) : { hi: v, lo: 0 };
  });
  if (!normalize && from !== "logits") return logs;
  const top = logs.reduce((a, b) => (a.hi >= b.hi ? a : b));
  if (top.hi === -Infinity) return logs.map(() => ({ hi: NaN, lo: 0 })); // of sum 0: no distribution
  const total = logs.reduce((sum, v) => (v.hi === -Infinity ? sum : add(sum, expPair(add(v, negate(top))))), ZERO);
  const all = add(top, logPair(total));
  return logs.map((v) => (v.hi === -Infinity ? v : add(v, negate(all))));
}

export interface ExactDivergence {
  readonly kl: number;
  readonly js: number;
  /** Σ|p·log(p/q)|, and for JS Σ|p·log(p/m)| + Σ|q·log(q/m)|: what roundings are relative to where terms cancel. */
  readonly size: number;
  /** Σp. */
  readonly mass: number;
}

export function exactDivergence(p: FloatArray, q: FloatArray, options: ExactOptions = {}): ExactDivergence {
  const { from = "probabilities", temperature = 1, normalize = true } = options;
  const [fromP, fromQ] = (typeof from === "string" ? [from, from] : from) as [From, From];
  const a = logsOf(p, fromP, temperature, normalize);
  const b = logsOf(q, fromQ, temperature, normalize);
  const distributions = [fromP, fromQ].every((f) => normalize || f === "logits");
  // as they are, numbers may be beyond e^700: taken relative to the largest
  const top = distributions ? 0 : Math.max(...a.map((v) => v.hi), ...b.map((v) => v.hi));
  const unit: Pair = { hi: Number.isFinite(top) ? -top : 0, lo: 0 };
  let [kl, js, size, mass, infinite] = [ZERO, ZERO, 0, 0, false];
  p.forEach((_: number, i: number) => {
    const [la, lb] = [a[i] as Pair, b[i] as Pair];
    const x = la.hi === -Infinity ? ZERO : expPair(add(la, unit));
    const y = lb.hi === -Infinity ? ZERO : expPair(add(lb, unit));
    mass += x.hi;
    if (x.hi === 0 || y.hi === 0) {
      if (la.hi !== -Infinity && lb.hi === -Infinity) infinite = true;
      else if (distributions) kl = add(kl, y);
      js = add(js, multiply(times(add(x, y), 0.5), LN2));
      return;
    }
    const delta = add(lb, negate(la));
    size += Math.abs(x.hi * delta.hi);
    const near = Math.abs(delta.hi) < 0.5;
    const t = near ? expm1Pair(delta) : ZERO;
    if (!distributions) kl = add(kl, negate(multiply(x, delta)));
    else if (near) kl = add(kl, multiply(x, add(t, negate(delta))));
    else kl = add(kl, add(add(y, negate(x)), negate(multiply(x, delta))));
    const half = times(add(x, y), 0.5);
    const l = near ? log1pPair(times(t, 0.5)) : add(logPair(half), negate(add(la, unit)));
    const pair = add(multiply(x, negate(l)), multiply(y, add(delta, negate(l))));
    js = add(js, times(pair, 0.5));
  });
  const scaled = (v: Pair) =>
    unit.hi === 0 ? v.hi + v.lo : v.hi === 0 ? 0 : v.hi * Math.exp(-unit.hi / 2) * Math.exp(-unit.hi / 2);
  return {
    kl: infinite ? Infinity : scaled(kl),
    js: scaled(js),
    size: scaled({ hi: size, lo: 0 }),
    mass: scaled({ hi: mass, lo: 0 }),
  };
}
