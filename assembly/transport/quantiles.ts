/**
 * Optimal transport on the line, where the plan is known: quantile goes to quantile.
 *
 *     W_p^p = ∫₀¹ |F⁻¹(t) − G⁻¹(t)|^p dt
 *
 * Between two neighbouring steps of F⁻¹ or G⁻¹ lies a stretch of t, over which both stand still: the integral is a sum over the
 * stretches, of the length of each and the distance of the two quantiles.
 */
import { abs, splat, sumError, VECTOR } from "../lanes";
import { exponential, logarithm } from "../rows/elementwise";
import { compensated } from "../sum";

/** Stretches that are added up together: their distances, and behind these their lengths. */
const BLOCK = 512;
const DISTANCES: usize = memory.data(4160, 16);
const LENGTHS: usize = memory.data(4160, 16);
/** f64x2: the sums or maxima of two lanes, and what rounding lost of the sums. */
const TOTAL: usize = memory.data(32, 16);

// @ts-ignore: decorator
@inline
function element(x: usize, i: i32, wide: bool): f64 {
  return wide ? load<f64>(x + ((<usize>i) << 3)) : <f64>load<f32>(x + ((<usize>i) << 2));
}

// @ts-ignore: decorator
@inline
function elementPair(x: usize, i: i32, wide: bool): v128 {
  return wide ? v128.load(x + ((<usize>i) << 3)) : f64x2.promote_low_f32x4(v128.load64_zero(x + ((<usize>i) << 2)));
}

/** The mass of element i. */
// @ts-ignore: decorator
@inline
function mass(weights: usize, i: i32, factor: f64, wide: bool): f64 {
  return weights ? element(weights, i, wide) * factor : factor;
}

/** |x − y|, 0 for equal infinities. */
// @ts-ignore: decorator
@inline
function distance(x: v128, y: v128): v128 {
  return v128.andnot(abs<f64>(v128.sub<f64>(x, y)), v128.eq<f64>(x, y));
}

/** Adds Σ length·(distance/unit)^order of the first n stretches to the total, or makes it their largest distance (order ∞). */
function addStretches(n: i32, order: f64, unit: f64): void {
  const end = DISTANCES + ((<usize>n) << 3);
  store<f64>(end, 0);
  store<f64>(end + (LENGTHS - DISTANCES), 0);
  if (order == Infinity) {
    let m = v128.load(TOTAL);
    for (let d = DISTANCES; d < end; d += VECTOR) m = v128.pmax<f64>(m, v128.load(d));
    v128.store(TOTAL, m);
    return;
  }
  const square = order == 2;
  if (unit != 1)
    for (let d = DISTANCES; d < end; d += VECTOR) v128.store(d, v128.div<f64>(v128.load(d), f64x2.splat(unit)));
  if (order != 1 && !square) {
    logarithm(DISTANCES, DISTANCES, n);
    for (let d = DISTANCES; d < end; d += VECTOR) v128.store(d, v128.mul<f64>(v128.load(d), f64x2.splat(order)));
    exponential(DISTANCES, DISTANCES, n);
    store<f64>(end, 0);
  }
  let sum = f64x2.splat(0);
  for (let d = DISTANCES; d < end; d += VECTOR) {
    const far = v128.load(d);
    const term = v128.mul<f64>(far, v128.load(d + (LENGTHS - DISTANCES)));
    sum = v128.add<f64>(sum, square ? v128.mul<f64>(term, far) : term);
  }
  const before = v128.load(TOTAL);
  const after = v128.add<f64>(before, sum);
  v128.store(TOTAL, after);
  v128.store(TOTAL, v128.add<f64>(v128.load(TOTAL, VECTOR), sumError(before, sum, after)), VECTOR);
}

/**
 * Σ length·(|x − y|/unit)^order over the quantiles of n sorted samples x and m sorted samples y, or for order ∞ the largest
 * |x − y|. Sample i has the mass u[i]·uFactor, or uFactor where there is no u; likewise y. Totals agree but for rounding.
 *
 * What is left of two samples' masses is what is walked along, not the distribution functions: a step then rounds by an ULP
 * of a mass rather than of 1, and integer masses stay exact. A mass that is NaN gives NaN, where the walk
 * comes to it.
 */
export function quantiles(
  x: usize,
  n: i32,
  u: usize,
  uFactor: f64,
  y: usize,
  m: i32,
  v: usize,
  vFactor: f64,
  wide: bool,
  wideMass: bool,
  order: f64,
  unit: f64,
): f64 {
  v128.store(TOTAL, f64x2.splat(0));
  v128.store(TOTAL, f64x2.splat(0), VECTOR);
  let k = 0;
  if (n == m && !(u | v)) {
    for (; k < BLOCK; k++) store<f64>(LENGTHS + ((<usize>k) << 3), uFactor);
    for (let i = 0; i < n; i += BLOCK) {
      const end = min(n, i + BLOCK);
      for (let j = i; j < end; j += 2)
        v128.store(DISTANCES + ((<usize>(j - i)) << 3), distance(elementPair(x, j, wide), elementPair(y, j, wide)));
      addStretches(end - i, order, unit);
    }
  } else {
    let i = 0;
    let j = 0;
    let a = mass(u, 0, uFactor, wideMass);
    let b = mass(v, 0, vFactor, wideMass);
    while (i < n || j < m) {
      // samples whose masses are less than an ULP of the whole may be left over: they go to the last one of the other side
      const step = i == n ? b : j == m ? a : min(a, b);
      if (step > 0) {
        const place = DISTANCES + ((<usize>k) << 3);
        const s = element(x, min(i, n - 1), wide);
        const t = element(y, min(j, m - 1), wide);
        store<f64>(place, s == t ? 0 : Math.abs(s - t));
        store<f64>(place + (LENGTHS - DISTANCES), step);
        if (++k == BLOCK) {
          addStretches(k, order, unit);
          k = 0;
        }
      } else if (step != step) return NaN;
      a -= step;
      b -= step;
      // each turn uses up one of the two, which is 0 then, or NaN where it was infinite: at most n + m turns
      const usedX = !(a > 0);
      const usedY = !(b > 0);
      // where one side has ended, the other's current sample has too: any mass left in it is rounding
      const endOfX = usedX && i == n - 1;
      const endOfY = usedY && j == m - 1;
      if (i < n && (usedX || endOfY) && ++i < n) a = mass(u, i, uFactor, wideMass);
      if (j < m && (usedY || endOfX) && ++j < m) b = mass(v, j, vFactor, wideMass);
    }
    addStretches(k, order, unit);
  }
  const total = v128.load(TOTAL);
  if (order == Infinity) return max(f64x2.extract_lane(total, 0), f64x2.extract_lane(total, 1));
  return compensated(total, v128.load(TOTAL, VECTOR));
}
