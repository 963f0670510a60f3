/**
 * softmax, log-softmax and log-sum-exp, along a row or across rows.
 *
 *     softmax(z)ᵢ = e^{zᵢ} / Σⱼ e^{zⱼ}             LSE(z) = log Σⱼ e^{zⱼ} = a + log1p(q)
 *     log softmax(z)ᵢ = (zᵢ − a) − log1p(q)        a = max z,   q = Σ_{j ≠ argmax} e^{zⱼ − a}
 *
 * a + log1p(q) is never rounded before it is subtracted, and the argmax is not part of q: the log-probability −1e-9 of
 * a confident row keeps its digits. The steps are those of rows/passes.ts.
 */
import { abs, GROUP, groupLength, half, join, select, splat, VECTOR } from "../lanes";
import { aim, keepStrip, sumStrip, temper } from "../rows/exponential";
import { addLogRest, aimRow, begin, collapseSum, maximumOfRow, maximumStrip, sumRow, sumRowExactly, total, UNWANTED } from "../rows/passes";
import { AIM, ALL, BEGIN, FINISH, MAXIMUM, SUM_UP, WRITE } from "../rows/steps";
import { clearSums, FACTOR, loadTailGroup, spread, storeTailGroup, TAIL, tailLength, TOP, wholeGroups } from "../rows/strip";

/** y = y·FACTOR. */
function scaleStrip<T>(y: usize, stride: usize, count: i32): void {
  const f0 = v128.load(FACTOR), f1 = v128.load(FACTOR, 16), f2 = v128.load(FACTOR, 32), f3 = v128.load(FACTOR, 48);
  for (; count > 0; count--) {
    v128.store(y, v128.mul<T>(v128.load(y), f0));
    v128.store(y, v128.mul<T>(v128.load(y, 16), f1), 16);
    v128.store(y, v128.mul<T>(v128.load(y, 32), f2), 32);
    v128.store(y, v128.mul<T>(v128.load(y, 48), f3), 48);
    y += stride;
  }
}

/**
 * y = (x − TOP)/T − FACTOR. The division is spared where T = 1. Elsewhere it is (x/2 − TOP/2)/(T/2), the same bits, but no
 * overflow where the quotient is a number: of f32, 3e38 and −3e38 at T = 10 are 6e37 apart.
 */
function subtractStrip<T>(x: usize, y: usize, stride: usize, count: i32, temperature: f64): void {
  const divides = temperature != 1;
  const half = splat<T>(0.5);
  const h = divides ? half : splat<T>(1);
  const t = splat<T>(<T>(temperature / 2));
  const a0 = v128.mul<T>(v128.load(TOP), h), a1 = v128.mul<T>(v128.load(TOP, 16), h);
  const a2 = v128.mul<T>(v128.load(TOP, 32), h), a3 = v128.mul<T>(v128.load(TOP, 48), h);
  const f0 = v128.load(FACTOR), f1 = v128.load(FACTOR, 16), f2 = v128.load(FACTOR, 32), f3 = v128.load(FACTOR, 48);
  for (; count > 0; count--) {
    let d0 = v128.load(x), d1 = v128.load(x, 16), d2 = v128.load(x, 32), d3 = v128.load(x, 48);
    if (divides) {
      d0 = v128.mul<T>(d0, half); d1 = v128.mul<T>(d1, half); d2 = v128.mul<T>(d2, half); d3 = v128.mul<T>(d3, half);
    }
    d0 = v128.sub<T>(d0, a0); d1 = v128.sub<T>(d1, a1); d2 = v128.sub<T>(d2, a2); d3 = v128.sub<T>(d3, a3);
    if (divides) {
      d0 = v128.div<T>(d0, t); d1 = v128.div<T>(d1, t); d2 = v128.div<T>(d2, t); d3 = v128.div<T>(d3, t);
    }
    v128.store(y, v128.sub<T>(d0, f0));
    v128.store(y, v128.sub<T>(d1, f1), 16);
    v128.store(y, v128.sub<T>(d2, f2), 32);
    v128.store(y, v128.sub<T>(d3, f3), 48);
    x += stride;
    y += stride;
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
// @ts-ignore: decorator
@inline
function finishLogSoftmax<T>(v: usize, zero: bool): void {
  const zeros = f64x2.splat(0);
  const top = v128.load(TOP + v);
  const rest = join<T>(addLogRest<T>(zeros, v, 0, 0), addLogRest<T>(zeros, v, 1, 0));
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
  const value = join<T>(addLogRest<T>(half<T>(a, 0), v, 0, less), addLogRest<T>(half<T>(a, 1), v, 1, less));
  const sum = join<T>(total<T>(v, 0), total<T>(v, 1));
  v128.store(FACTOR + v, select(finite, value, v128.add<T>(top, v128.sub<T>(sum, sum)))); // a NaN in the row stays one
}

export const SOFTMAX = 0;
export const LOG_SOFTMAX = 1;
export const LOG_SUM_EXP = 2;

function finish<T>(kind: i32, v: usize, zero: bool): void {
  if (kind == SOFTMAX) finishSoftmax<T>(v, zero);
  else if (kind == LOG_SOFTMAX) finishLogSoftmax<T>(v, zero);
  else finishLogSumExp<T>(v, 0);
}

/** A row up to this length is summed exactly at once; a multiple of the group, so that a padded row is no other. */
const SHORT = 48;

/**
 * FACTOR = LSE of a whole row whose maximum is known.
 *
 * A plain sum is off by 3.6 u at most: 1.6 u an exponential, 2 u two additions in the type. Where |a| or |LSE| ≥ 4, half
 * an ULP of it is 4 u, and nothing better is needed; elsewhere the row is summed again, exactly.
 */
function logSumExpOfRow<T>(x: usize, n: i32): void {
  sumRow<T>(x, UNWANTED, 0, n);
  collapseSum<T>();
  finishLogSumExp<T>(0, 1);
  const large = v128.or(v128.ge<T>(abs<T>(v128.load(FACTOR)), splat<T>(4)), v128.ge<T>(abs<T>(v128.load(TOP)), splat<T>(4)));
  if (v128.any_true(large)) return;
  clearSums();
  sumRowExactly<T>(x, n);
  collapseSum<T>();
  finishLogSumExp<T>(0, 0);
}

/** The write step, from x or (softmax) from y itself. */
function writeRow<T>(kind: i32, x: usize, y: usize, n: i32, temperature: f64): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  const body = <usize>groups * GROUP;
  if (kind == SOFTMAX) scaleStrip<T>(y, GROUP, groups);
  else subtractStrip<T>(x, y, GROUP, groups, temperature);
  if (tail) {
    loadTailGroup<T>((kind == SOFTMAX ? y : x) + body, tail, 0);
    if (kind == SOFTMAX) scaleStrip<T>(TAIL, GROUP, 1);
    else subtractStrip<T>(TAIL, TAIL, GROUP, 1, temperature);
    storeTailGroup<T>(y + body, tail);
  }
}

/**
 * Rows of n contiguous elements at x; results of the same shape at y (softmax, log-softmax) or one per row
 * (log-sum-exp). `steps` says what is done: ALL of it, or some steps on a piece of a single row.
 */
export function alongRows<T>(kind: i32, x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void {
  temper<T>(temperature);
  const row = <usize>n * sizeof<T>();
  const whole = kind == LOG_SUM_EXP && steps == ALL && n > SHORT;
  for (; rows > 0; rows--) {
    if (steps & BEGIN) begin<T>(false);
    if (steps & MAXIMUM) maximumOfRow<T>(x, n);
    if (steps & AIM) aimRow<T>();
    if (whole) logSumExpOfRow<T>(x, n);
    else {
      if (steps & SUM_UP) {
        if (kind == SOFTMAX) sumRow<T>(x, y, GROUP, n);
        else sumRowExactly<T>(x, n);
      }
      if (steps & FINISH) {
        collapseSum<T>();
        finish<T>(kind, 0, zero);
        spread(FACTOR, v128.load(FACTOR));
        if (kind == LOG_SOFTMAX) spread(TOP, v128.load(TOP));
      }
      if (steps & WRITE && kind != LOG_SUM_EXP) writeRow<T>(kind, x, y, n, temperature);
    }
    if (kind != LOG_SUM_EXP) y += row;
    else if (steps & FINISH) {
      store<T>(y, load<T>(FACTOR));
      y += sizeof<T>();
    }
    x += row;
  }
}

/** Columns of n elements, `width` of them side by side (a multiple of the group) in lines of `width` elements. */
export function acrossRows<T>(kind: i32, x: usize, y: usize, n: i32, width: i32, temperature: f64, zero: bool): void {
  temper<T>(temperature);
  const stride = <usize>width * sizeof<T>();
  for (let strips = width / groupLength<T>(); strips > 0; strips--) {
    begin<T>(true);
    maximumStrip<T>(x, stride, n);
    for (let v: usize = 0; v < GROUP; v += VECTOR) aim<T>(v);
    if (kind == SOFTMAX) keepStrip<T>(x, stride, y, stride, n, true);
    else sumStrip<T>(x, stride, n, true);
    for (let v: usize = 0; v < GROUP; v += VECTOR) {
      finish<T>(kind, v, zero);
      if (kind == LOG_SUM_EXP) v128.store(y + v, v128.load(FACTOR + v));
    }
    if (kind == SOFTMAX) scaleStrip<T>(y, stride, n);
    else if (kind == LOG_SOFTMAX) subtractStrip<T>(x, y, stride, n, temperature);
    x += GROUP;
    y += GROUP;
  }
}
