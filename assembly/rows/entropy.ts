/**
 * Entropy of rows of probabilities or counts, of logits, or of log-probabilities, in nats.
 *
 *     H(P) = −Σ p log p = log1p(q) + D / (1 + q),     q = Σ_{j ≠ argmax} rⱼ,   D = Σ rⱼ·(−log rⱼ)
 *
 *     probabilities     rⱼ = xⱼ / a             a = max x
 *     logits            rⱼ = e^{xⱼ − a},        −log rⱼ = a − xⱼ
 *
 * for pⱼ = rⱼ/(1 + q). Both terms are ≥ 0, and the maximum itself, whose r is 1, is in neither sum: the entropy 1e-8 of a
 * confident row keeps its digits, and a certain one's is exactly 0. Not normalised, H is D with a = 1 (a = 0 for logs).
 *
 * r·log r is 0 at r = 0. A row is NaN with a NaN or a negative probability in it, with an infinite maximum, or if it has
 * no positive probability (nothing but −∞). Errors: 5 u (f32 and f64) of a result that is normal. Steps as in softmax.ts.
 */
import { GROUP, half, minKeepNaN, splat, sumError, sumF64, VECTOR } from "../lanes";
import { exp, expm1Reduced } from "../math/exp";
import { addLog, log } from "../math/log";
import { headroomInverse, keepStrip, reducedTop, temper } from "./exponential";
import { AIM, aimRow, BEGIN, begin, findTop, FINISH, MAXIMUM, maximumOfRow, SUM_UP } from "./softmax";
import { addTo, loadTailGroup, SUM, TAIL, tailLength, TOP, wholeGroups } from "./strip";

/** D, a sum as SUM is. */
const D: usize = memory.data(32, 16);

/** Groups of a block of exponentials. */
const BLOCK_GROUPS = 16;
const BLOCK: usize = memory.data(1024, 16);

/** Where e^{−x} is 0 beside 1, which keeps 0·∞ out of D: −log r goes no further. */
const DEEPEST = memory.data<f64>([120, 760]);

/** The value of a sum; what an infinite one has lost is no number. */
// @ts-ignore: decorator
@inline
function valueOf<T>(sum: usize): f64 {
  const head = sumF64(v128.load(sum));
  const rest = sumF64(v128.load(sum, VECTOR));
  return sizeof<T>() == 8 && head - head != 0 ? head : head + rest;
}

/** Adds r and −r·log r of a strip of probabilities. */
function probabilityStrip<T>(x: usize, count: i32): void {
  const a = v128.load(TOP);
  const zero = splat<T>(0);
  for (; count > 0; count--) {
    let q = zero;
    let d = zero;
    for (let v: usize = 0; v < GROUP; v += VECTOR) {
      const p = v128.load(x + v);
      const r = v128.or(v128.div<T>(p, a), v128.lt<T>(p, zero)); // NaN if negative
      q = v128.add<T>(q, r);
      d = v128.sub<T>(d, v128.andnot(v128.mul<T>(r, log<T>(r)), v128.eq<T>(r, zero)));
    }
    addTo<T>(SUM, q);
    addTo<T>(D, d);
    x += GROUP;
  }
}

/** Adds r (through SUM, if normalised) and r·(a − x) of a strip of logits, a block at a time. */
function logStrip<T>(x: usize, count: i32, normalise: bool): void {
  const a = v128.load(TOP);
  const deepest = splat<T>(<T>load<f64>(DEEPEST + (sizeof<T>() & 8)));
  for (; count > 0; count -= BLOCK_GROUPS) {
    const groups = min(count, BLOCK_GROUPS);
    if (normalise) keepStrip<T>(x, GROUP, BLOCK, GROUP, groups, false);
    else {
      const bytes = <usize>groups * GROUP;
      for (let v: usize = 0; v < bytes; v += VECTOR) v128.store(BLOCK + v, exp<T>(v128.load(x + v)));
    }
    for (let r = BLOCK, end = BLOCK + <usize>groups * GROUP; r < end; r += GROUP) {
      let d = splat<T>(0);
      for (let v: usize = 0; v < GROUP; v += VECTOR) {
        const distance = minKeepNaN<T>(v128.sub<T>(a, v128.load(x + v)), deepest);
        d = v128.add<T>(d, v128.mul<T>(v128.load(r + v), distance));
      }
      addTo<T>(D, d);
      x += GROUP;
    }
  }
}

/** Adds a strip. */
function strip<T>(x: usize, count: i32, logs: bool, normalise: bool): void {
  if (logs) logStrip<T>(x, count, normalise);
  else probabilityStrip<T>(x, count);
}

/** Adds a row or a piece of one. */
function sumRow<T>(x: usize, n: i32, logs: bool, normalise: bool): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  strip<T>(x, groups, logs, normalise);
  if (tail) {
    loadTailGroup<T>(x + <usize>groups * GROUP, tail, logs ? <T>-Infinity : 0);
    strip<T>(TAIL, 1, logs, normalise);
  }
}

/** H of the sums. */
function finish<T>(logs: bool, normalise: bool): f64 {
  let d = valueOf<T>(D);
  if (!normalise) return d;
  const top = <f64>load<T>(TOP);
  if (top - top != 0 || (!logs && top <= 0)) return NaN;
  let q = valueOf<T>(SUM);
  if (logs) {
    // the sums are in units of 2ᵏ, e^a = 2ᵏ·(1 + t)
    const t = f64x2.extract_lane(expm1Reduced<f64>(half<T>(reducedTop<T>(0), 0)), 0);
    const unit = headroomInverse<T>() / (1 + t);
    q *= unit;
    d *= unit;
  }
  const one = f64x2.splat(1);
  const rest = f64x2.splat(q);
  const u = v128.add<f64>(one, rest);
  const h = f64x2.extract_lane(addLog(f64x2.splat(d / (1 + q)), u, sumError(one, rest, u)), 0);
  // what was cut off is not quite 0: less than half the smallest f32
  return sizeof<T>() == 4 && h < 7.006492321624085e-46 ? 0 : h; // 2^-150
}

/** Rows of n elements at x, one f64 per row at y. `logs`: logits or log-probabilities rather than probabilities. */
export function entropyRows<T>(x: usize, y: usize, rows: i32, n: i32, logs: bool, normalise: bool, steps: i32): void {
  temper<T>(1);
  const row = <usize>n * sizeof<T>();
  for (; rows > 0; rows--) {
    if (steps & BEGIN) {
      begin<T>(false);
      v128.store(D, i32x4.splat(0));
      v128.store(D, i32x4.splat(0), VECTOR);
      if (!normalise) v128.store(TOP, splat<T>(logs ? 0 : 1));
    }
    if (normalise) {
      if (steps & MAXIMUM) maximumOfRow<T>(x, n);
      if (steps & AIM) aimRow<T>();
    }
    if (steps & SUM_UP) {
      const at = normalise ? findTop<T>(x, n) : 0;
      if (at) store<T>(at, logs ? <T>-Infinity : 0);
      sumRow<T>(x, n, logs, normalise);
      if (at) store<T>(at, load<T>(TOP));
    }
    if (steps & FINISH) {
      store<f64>(y, finish<T>(logs, normalise));
      y += sizeof<f64>();
    }
    x += row;
  }
}
