/**
 * softmax, log-softmax and log-sum-exp, along a row or across rows.
 *
 *     softmax(z)ᵢ = e^{zᵢ} / Σⱼ e^{zⱼ}             LSE(z) = log Σⱼ e^{zⱼ} = a + log1p(q)
 *     log softmax(z)ᵢ = (zᵢ − a) − log1p(q)        a = max z,   q = Σ_{j ≠ argmax} e^{zⱼ − a}
 *
 * a + log1p(q) is never rounded before it is subtracted, and the argmax is not part of q: the log-probability −1e-9 of
 * a confident row keeps its digits.
 *
 * A row is walked in steps, which a caller may ask for one by one, so that a row longer than linear memory streams
 * through it; what a step leaves stands in strip.ts. The bits do not depend on how it was cut.
 */
import { abs, GROUP, groupLength, half, join, maxLane, productError, select, splat, sumError, sumF64, VECTOR } from "../lanes";
import { expm1Reduced } from "../math/exp";
import { addLog } from "../math/log";
import { aim, foldParts, headroomInverse, keepStrip, reducedTop, shifted, sumStrip, temper } from "./exponential";
import { BIAS, clearSums, FACTOR, FLOOR, FOUND, loadTailGroup, NEAR, SHIFT, spread, storeTailGroup, SUM, TAIL, tailLength, TOP, wholeGroups } from "./strip";

/** What a call does to a row, or to a piece of one. */
export const BEGIN = 1;
export const MAXIMUM = 2;
export const AIM = 4;
export const SUM_UP = 8;
export const FINISH = 16;
export const WRITE = 32;
export const ALL = 63;

/** TOP: the larger of what it was and the strip's. A NaN is passed over here; the sum will hold it. */
function maximumStrip<T>(x: usize, stride: usize, count: i32): void {
  let m0 = v128.load(TOP), m1 = v128.load(TOP, 16), m2 = v128.load(TOP, 32), m3 = v128.load(TOP, 48);
  for (; count > 0; count--) {
    m0 = v128.pmax<T>(m0, v128.load(x));
    m1 = v128.pmax<T>(m1, v128.load(x, 16));
    m2 = v128.pmax<T>(m2, v128.load(x, 32));
    m3 = v128.pmax<T>(m3, v128.load(x, 48));
    x += stride;
  }
  v128.store(TOP, m0); v128.store(TOP, m1, 16); v128.store(TOP, m2, 32); v128.store(TOP, m3, 48);
}

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

/** y = (x − TOP)/T − FACTOR. The division is spared where T = 1. */
function subtractStrip<T>(x: usize, y: usize, stride: usize, count: i32, temperature: f64): void {
  const a0 = v128.load(TOP), a1 = v128.load(TOP, 16), a2 = v128.load(TOP, 32), a3 = v128.load(TOP, 48);
  const f0 = v128.load(FACTOR), f1 = v128.load(FACTOR, 16), f2 = v128.load(FACTOR, 32), f3 = v128.load(FACTOR, 48);
  const t = splat<T>(<T>temperature);
  for (; count > 0; count--) {
    let d0 = v128.sub<T>(v128.load(x), a0), d1 = v128.sub<T>(v128.load(x, 16), a1);
    let d2 = v128.sub<T>(v128.load(x, 32), a2), d3 = v128.sub<T>(v128.load(x, 48), a3);
    if (temperature != 1) {
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

/** The sum of column vector v, half h, as it stands: with the headroom's factor in it. */
// @ts-ignore: decorator
@inline
export function total<T>(v: usize, h: i32): v128 {
  const sum = SUM + 2 * v;
  if (sizeof<T>() == 8) return v128.add<f64>(v128.load(sum), v128.load(sum, VECTOR));
  return v128.load(sum + <usize>h * VECTOR);
}

/** Along a row: the lanes' maxima become the row's, and all columns aim at it. */
export function aimRow<T>(): void {
  const m = v128.pmax<T>(v128.pmax<T>(v128.load(TOP), v128.load(TOP, 16)), v128.pmax<T>(v128.load(TOP, 32), v128.load(TOP, 48)));
  v128.store(TOP, splat<T>(maxLane<T>(m)));
  aim<T>(0);
  spread(FLOOR, v128.load(FLOOR));
  spread(BIAS, v128.load(BIAS));
  if (shifted) {
    spread(TOP, v128.load(TOP));
    spread(NEAR, v128.load(NEAR));
    spread(SHIFT, v128.load(SHIFT));
  }
}

/** Along a row: the lanes' sums become the row's. */
export function collapseSum<T>(): void {
  foldParts<T>();
  if (sizeof<T>() == 4) {
    const sum = f64x2.splat(sumF64(v128.add<f64>(v128.load(SUM), v128.load(SUM, VECTOR))));
    v128.store(SUM, sum);
    v128.store(SUM, sum, VECTOR);
  } else {
    const head = v128.load(SUM);
    const other = i32x4.shuffle(head, head, 2, 3, 0, 1);
    const tail = v128.load(SUM, VECTOR);
    const sum = v128.add<f64>(head, other);
    const error = sumError(head, other, sum);
    v128.store(SUM, sum);
    v128.store(SUM, v128.add<f64>(error, f64x2.splat(sumF64(tail))), VECTOR);
  }
}

/**
 * base + log(1 + q), q the sum in units of e^{a}, which is 2ᵏ·(1 + t); without the maximum itself where the sum has it
 * (`less` = 1). For f64 the quotient's error is carried along; f32 has digits to spare.
 */
export function addLogRest<T>(base: v128, v: usize, h: i32, less: f64): v128 {
  const one = f64x2.splat(1);
  const t = expm1Reduced<f64>(half<T>(reducedTop<T>(v), h));
  const sum = v128.mul<f64>(total<T>(v, h), f64x2.splat(headroomInverse<T>()));
  const top = v128.add<f64>(one, t);
  let q = v128.div<f64>(sum, top);
  // elements cut off at the floor are 0 of f32
  if (sizeof<T>() == 4) q = v128.andnot(q, v128.lt<f64>(q, f64x2.splat(1.401298464324817e-45)));
  const rest = v128.sub<f64>(q, f64x2.splat(less));
  const u = v128.add<f64>(one, rest);
  let c = sumError(one, rest, u);
  if (sizeof<T>() == 8) {
    const product = v128.mul<f64>(q, top);
    const lost = v128.mul<f64>(sumError(v128.load(SUM + 2 * v), v128.load(SUM + 2 * v, VECTOR), total<T>(v, h)), f64x2.splat(headroomInverse<T>()));
    const remainder = v128.sub<f64>(v128.sub<f64>(sum, product), productError(q, top, product));
    const missing = v128.sub<f64>(v128.add<f64>(remainder, lost), v128.mul<f64>(q, sumError(one, t, top)));
    c = v128.add<f64>(c, v128.div<f64>(missing, top));
  }
  return addLog(base, u, c);
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

/** Starts a row: no maximum yet, nothing summed. */
// @ts-ignore: decorator
@inline
export function begin<T>(across: bool): void {
  spread(TOP, splat<T>(<T>-Infinity));
  v128.store(FOUND, i32x4.splat(0));
  if (across) spread(FOUND, i32x4.splat(0));
  clearSums();
}

function finish<T>(kind: i32, v: usize, zero: bool): void {
  if (kind == SOFTMAX) finishSoftmax<T>(v, zero);
  else if (kind == LOG_SOFTMAX) finishLogSoftmax<T>(v, zero);
  else finishLogSumExp<T>(v, 0);
}

/** Sums the exponentials of a row, or of a piece of one; softmax stores them at y, which need not advance. */
export function sumRow<T>(x: usize, y: usize, yStride: usize, n: i32): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  const body = <usize>groups * GROUP;
  keepStrip<T>(x, GROUP, y, yStride, groups, false);
  if (tail) {
    loadTailGroup<T>(x + body, tail, <T>-Infinity);
    keepStrip<T>(TAIL, GROUP, TAIL, GROUP, 1, false);
    if (yStride) storeTailGroup<T>(y + body, tail);
  }
}

/** Where the row's maximum first stands in n elements at x; 0 if it does not, or was met in a piece before. */
export function findTop<T>(x: usize, n: i32): usize {
  if (v128.any_true(v128.load(FOUND))) return 0;
  const top = v128.load(TOP);
  for (let groups = wholeGroups<T>(n); groups > 0; groups--) {
    // biome-ignore format: a group
    const any = v128.or(
      v128.or(v128.eq<T>(v128.load(x), top), v128.eq<T>(v128.load(x, 16), top)),
      v128.or(v128.eq<T>(v128.load(x, 32), top), v128.eq<T>(v128.load(x, 48), top)),
    );
    if (v128.any_true(any)) {
      n = groupLength<T>();
      break;
    }
    x += GROUP;
    n -= groupLength<T>();
  }
  for (; n > 0; n--) {
    if (load<T>(x) == load<T>(TOP)) {
      v128.store(FOUND, i32x4.splat(-1));
      return x;
    }
    x += sizeof<T>();
  }
  return 0;
}

/** Sums them exactly, without the first maximum: it is −∞ for as long as that takes. */
export function sumRowExactly<T>(x: usize, n: i32): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  const body = <usize>groups * GROUP;
  const at = findTop<T>(x, n);
  if (at) store<T>(at, <T>-Infinity);
  sumStrip<T>(x, GROUP, groups, false);
  if (tail) {
    loadTailGroup<T>(x + body, tail, <T>-Infinity);
    sumStrip<T>(TAIL, GROUP, 1, false);
  }
  if (at) store<T>(at, load<T>(TOP));
}

/** Where sums whose terms are not wanted leave them. */
export const UNWANTED: usize = memory.data(64, 16);

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

/** TOP of a row or a piece of one. */
export function maximumOfRow<T>(x: usize, n: i32): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  maximumStrip<T>(x, GROUP, groups);
  if (tail) {
    loadTailGroup<T>(x + <usize>groups * GROUP, tail, <T>-Infinity);
    maximumStrip<T>(TAIL, GROUP, 1);
  }
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
