/**
 * softmax, log-softmax and log-sum-exp, along a row or across rows.
 *
 *     softmax(z)ᵢ = e^{zᵢ} / Σⱼ e^{zⱼ}             LSE(z) = log Σⱼ e^{zⱼ} = a + log1p(q)
 *     log softmax(z)ᵢ = (zᵢ − a) − log1p(q)        a = max z,   q = Σ_{j ≠ argmax} e^{zⱼ − a}
 *
 * a + log1p(q) is never rounded before it is subtracted, and the argmax is not part of q: the log-probability −1e-9 of
 * a confident row keeps its digits. The steps are those of rows/passes.ts.
 */
import { abs, byteMask, groupLength, half, join, select, splat, storeTail, VECTOR } from "../lanes";
import { aims, reducedTop, temper } from "../rows/exponential";
import { gather, scatter, tileBytes, tiled, TILES } from "../rows/narrow";
import { addLogRest, exponentials, maxima, putBack, scales, setApart, total } from "../rows/passes";
import { AIM, ALL, BEGIN, FINISH, MAXIMUM, SUM_UP, WRITE } from "../rows/steps";
import {
  across,
  BATCH,
  batchOf,
  FACTOR,
  groups,
  placeAcross,
  placeAlong,
  stateOf,
  step,
  tail,
  TOP,
  unitBytes,
  unitsOf,
} from "../rows/batch";

/**
 * y = (x − TOP)/T − FACTOR of units of rows. The division is spared where T = 1. Elsewhere it is (x/2 − TOP/2)/(T/2), the same
 * bits, but no overflow where the quotient is a number: of f32, 3e38 and −3e38 at T = 10 are 6e37 apart.
 */
function differences<T>(x: usize, y: usize, units: i32, temperature: f64): void {
  const divides = temperature != 1;
  const h = splat<T>(0.5);
  const t = splat<T>(<T>(temperature / 2));
  const apart = step;
  const whole = groups;
  for (let unit = 0; unit < units; unit++) {
    const top = stateOf<T>(TOP, unit);
    const f = stateOf<T>(FACTOR, unit);
    let p = x,
      q = y;
    if (!divides) {
      for (let left = whole; left > 0; left--) {
        v128.store(q, v128.sub<T>(v128.sub<T>(v128.load(p), top), f));
        v128.store(q + apart, v128.sub<T>(v128.sub<T>(v128.load(p + apart), top), f));
        v128.store(q + 2 * apart, v128.sub<T>(v128.sub<T>(v128.load(p + 2 * apart), top), f));
        v128.store(q + 3 * apart, v128.sub<T>(v128.sub<T>(v128.load(p + 3 * apart), top), f));
        p += 4 * apart;
        q += 4 * apart;
      }
    }
    const vectors = (divides ? 4 * whole : 0) + <i32>((tail + VECTOR - 1) / VECTOR);
    const cut = vectors - <i32>((tail + VECTOR - 1) / VECTOR);
    for (let v = 0; v < vectors; v++, p += apart, q += apart) {
      const z = v128.load(p);
      const d = divides ? v128.div<T>(v128.sub<T>(v128.mul<T>(z, h), v128.mul<T>(top, h)), t) : v128.sub<T>(z, top);
      const value = v128.sub<T>(d, f);
      if (v < cut) v128.store(q, value);
      else storeTail(q, byteMask(tail, v - cut), value);
    }
    x += unitBytes;
    y += unitBytes;
  }
}

/** FACTOR = 1/S; an infinite maximum makes the row NaN, or with `zero` an all-masked row 0. */
// @ts-ignore: decorator
@inline
function finishSoftmax<T>(v: usize, zero: bool): void {
  const one = f64x2.splat(1);
  const top = v128.load(TOP + v);
  const inverse = join<T>(v128.div<f64>(one, total<T>(v, 0)), v128.div<f64>(one, total<T>(v, 1)));
  const factor = v128.add<T>(inverse, v128.sub<T>(top, top)); // + 0 or NaN
  const masked = v128.and(v128.eq<T>(top, splat<T>(<T>-Infinity)), i32x4.splat(zero ? -1 : 0));
  v128.store(FACTOR + v, select(masked, v128.mul<T>(inverse, splat<T>(0)), factor)); // a NaN in the row stays one
}

/** FACTOR = log1p(q); an infinite maximum makes the row NaN, or with `zero` an all-masked row −∞. */
export function finishLogSoftmax<T>(v: usize, zero: bool): void {
  const zeros = f64x2.splat(0);
  const top = v128.load(TOP + v);
  const reduced = reducedTop<T>(v);
  const rest = join<T>(addLogRest<T>(zeros, reduced, v, 0, 0), addLogRest<T>(zeros, reduced, v, 1, 0));
  const factor = v128.add<T>(rest, v128.sub<T>(top, top));
  const masked = v128.and(v128.eq<T>(top, splat<T>(<T>-Infinity)), i32x4.splat(zero ? -1 : 0));
  v128.store(TOP + v, v128.andnot(top, masked)); // −∞ − 0 − 0
  v128.store(FACTOR + v, select(masked, v128.mul<T>(rest, splat<T>(0)), factor));
}

/** FACTOR = LSE(z) = a + log1p(q). */
// @ts-ignore: decorator
@inline
function finishLogSumExp<T>(v: usize, less: f64): void {
  const top = v128.load(TOP + v);
  const finite = v128.eq<T>(v128.sub<T>(top, top), splat<T>(0));
  const a = v128.and(top, finite);
  const reduced = reducedTop<T>(v);
  const low = addLogRest<T>(half<T>(a, 0), reduced, v, 0, less);
  const value = join<T>(low, addLogRest<T>(half<T>(a, 1), reduced, v, 1, less));
  const sum = join<T>(total<T>(v, 0), total<T>(v, 1));
  v128.store(FACTOR + v, select(finite, value, v128.add<T>(top, v128.sub<T>(sum, sum)))); // a NaN in the row stays one
}

export const SOFTMAX = 0;
export const LOG_SOFTMAX = 1;
export const LOG_SUM_EXP = 2;

/** A row up to this length is summed exactly at once. */
const SHORT = 48;

/**
 * The rows along whose FACTOR, the LSE of a plain sum, is not good enough are summed again, exactly.
 *
 * A plain sum is off by 3.6 u at most: 1.6 u an exponential, 2 u two additions in the type. Where |a| or |LSE| ≥ 4, half
 * an ULP of it is 4 u, and nothing better is needed.
 */
function sumAgain<T>(x: usize, rows: i32, n: i32): void {
  const four = splat<T>(4);
  for (let v: usize = 0, end = <usize>rows * sizeof<T>(); v < end; v += VECTOR) {
    const plain = v128.load(FACTOR + v);
    const large = v128.or(v128.ge<T>(abs<T>(plain), four), v128.ge<T>(abs<T>(v128.load(TOP + v)), four));
    if (v128.all_true<i32>(large)) continue;
    const first = <i32>(v / sizeof<T>());
    const last = min(rows, first + <i32>(VECTOR / sizeof<T>()));
    setApart<T>(x, first, last, n, true);
    exponentials<T>(x, 0, first, last, n, true, ALL);
    putBack<T>(x, first, last, n);
    finishLogSumExp<T>(v, 0);
    v128.store(FACTOR + v, select(large, plain, v128.load(FACTOR + v)));
  }
}

/** Some steps of a batch, all of them or those of a piece of one row. Results are of the same shape, at y, or one per row: FACTOR. */
function batch<T>(kind: i32, x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void {
  const units = unitsOf<T>(rows);
  const plain = kind == SOFTMAX || (kind == LOG_SUM_EXP && steps == ALL && n > SHORT && !across);
  if (steps & MAXIMUM) maxima<T>(x, 0, units, (steps & BEGIN) != 0);
  if (steps & AIM) aims<T>(rows);
  if (steps & SUM_UP && !plain) setApart<T>(x, 0, units, n, (steps & AIM) != 0);
  exponentials<T>(x, kind == SOFTMAX ? y : 0, 0, units, n, !plain, steps);
  if (steps & SUM_UP && !plain && (kind == LOG_SOFTMAX || x != TILES)) putBack<T>(x, 0, rows, n);
  if (steps & FINISH) {
    for (let v: usize = 0, end = <usize>rows * sizeof<T>(); v < end; v += VECTOR) {
      if (kind == SOFTMAX) finishSoftmax<T>(v, zero);
      else if (kind == LOG_SOFTMAX) finishLogSoftmax<T>(v, zero);
      else finishLogSumExp<T>(v, plain ? 1 : 0);
    }
    if (kind == LOG_SUM_EXP && plain) sumAgain<T>(x, rows, n);
  }
  if (steps & WRITE) {
    if (kind == SOFTMAX) scales<T>(y, units);
    else if (kind == LOG_SOFTMAX) differences<T>(x, y, units, temperature);
  }
}

/**
 * Rows of n contiguous elements at x; results of the same shape at y (softmax, log-softmax) or one per row
 * (log-sum-exp). `steps` says what is done: ALL of it, or some steps on a piece of a single row.
 */
export function alongRows<T>(
  kind: i32,
  x: usize,
  y: usize,
  rows: i32,
  n: i32,
  temperature: f64,
  zero: bool,
  steps: i32,
): void {
  temper<T>(temperature);
  const row = <usize>n * sizeof<T>();
  const results = kind == LOG_SUM_EXP ? sizeof<T>() : row;
  for (let count = 0; rows > 0; rows -= count) {
    count = steps == ALL ? tiled<T>(rows, n) : 0;
    if (count) {
      placeAcross(n, VECTOR, tileBytes<T>());
      gather<T>(x, TILES, count, n);
      batch<T>(kind, TILES, TILES, count, n, temperature, zero, steps);
      if (kind != LOG_SUM_EXP) scatter<T>(y, count, n);
    } else {
      count = min(rows, batchOf<T>(n));
      placeAlong<T>(n);
      batch<T>(kind, x, y, count, n, temperature, zero, steps);
    }
    if (kind == LOG_SUM_EXP && steps & FINISH) memory.copy(y, FACTOR, <usize>count * sizeof<T>());
    x += <usize>count * row;
    y += <usize>count * results;
  }
}

/** Columns of n elements, `width` of them side by side (a multiple of the group), in lines `line` bytes apart. */
export function acrossRows<T>(
  kind: i32,
  x: usize,
  y: usize,
  n: i32,
  width: i32,
  line: usize,
  temperature: f64,
  zero: bool,
): void {
  temper<T>(temperature);
  placeAcross(n, line, VECTOR);
  for (let count = 0; width > 0; width -= count) {
    count = min(width, max(batchOf<T>(n), groupLength<T>()));
    batch<T>(kind, x, y, count, n, temperature, zero, ALL);
    if (kind == LOG_SUM_EXP) memory.copy(y, FACTOR, <usize>count * sizeof<T>());
    x += <usize>count * sizeof<T>();
    y += <usize>count * sizeof<T>();
  }
}
