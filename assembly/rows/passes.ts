/**
 * The passes that softmax, log-softmax, log-sum-exp, cross-entropy and entropy share, along a row or across rows.
 *
 *     LSE(z) = log Σⱼ e^{zⱼ} = a + log1p(q),     a = max z,   q = Σ_{j ≠ argmax} e^{zⱼ − a}
 *
 * A row is walked in steps, which a caller may ask for one by one, so that a row longer than linear memory streams
 * through it; what a step leaves stands in strip.ts. The bits do not depend on how it was cut.
 */
import { GROUP, groupLength, half, maxLane, productError, splat, sumError, sumF64, VECTOR } from "../lanes";
import { expm1Reduced } from "../math/exp";
import { addLog } from "../math/log";
import { aim, foldParts, headroomInverse, keepStrip, reducedTop, shifted, sumStrip } from "./exponential";
import { BIAS, clearSums, FLOOR, FOUND, loadTailGroup, NEAR, SHIFT, spread, storeTailGroup, SUM, TAIL, tailLength, TOP, wholeGroups } from "./strip";

/** Starts a row: no maximum yet, nothing summed. */
// @ts-ignore: decorator
@inline
export function begin<T>(across: bool): void {
  spread(TOP, splat<T>(<T>-Infinity));
  v128.store(FOUND, i32x4.splat(0));
  if (across) spread(FOUND, i32x4.splat(0));
  clearSums();
}

/** TOP: the larger of what it was and the strip's. A NaN is passed over here; the sum will hold it. */
export function maximumStrip<T>(x: usize, stride: usize, count: i32): void {
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

/** The sum of column vector v, half h, as it stands: with the headroom's factor in it. */
// @ts-ignore: decorator
@inline
export function total<T>(v: usize, h: i32): v128 {
  const sum = SUM + 2 * v;
  if (sizeof<T>() == 8) return v128.add<f64>(v128.load(sum), v128.load(sum, VECTOR));
  return v128.load(sum + <usize>h * VECTOR);
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
  return addLog(base, u, c, f64x2.splat(0));
}
