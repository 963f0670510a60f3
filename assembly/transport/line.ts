/**
 * Optimal transport on the line, where the plan is known: quantile goes to quantile.
 *
 *     W_p^p = ∫₀¹ |F⁻¹(t) − G⁻¹(t)|^p dt,     for p = 1 also ∫ |F(x) − G(x)| dx
 *
 * `sort` puts samples in order, `quantiles` walks two sorted lists of them, `histogram` two rows of bins.
 */
import { exponential, logarithm } from "../rows/elementwise";
import { lanes } from "../gram/panel";
import { abs, half, join, madd, splat, sumError, sumF64, tailMask, VECTOR } from "../lanes";

// ------------------------------------------------------------------------------------------------- sorting

/** Bits of a digit: three passes over f32, six over f64. */
const DIGIT = 11;
const TABLE = 4 << DIGIT;

/** A number that orders the bits of a float as the float: the negative ones upside down, and below. */
// @ts-ignore: decorator
@inline
function key<K>(bits: K): K {
  if (sizeof<K>() == 4) return <K>(<u32>bits ^ (<u32>(<i32>bits >> 31) | 0x80000000));
  return <K>(<u64>bits ^ (<u64>(<i64>bits >> 63) | 0x8000000000000000));
}

/** Where the table has the entry of a digit of k. */
// @ts-ignore: decorator
@inline
function entry<K>(table: usize, k: K, shift: i32): usize {
  return table + ((<usize>(k >> <K>shift) & ((1 << DIGIT) - 1)) << 2);
}

// @ts-ignore: decorator
@inline
function count<K>(tables: usize, k: K, pass: i32): void {
  const slot = entry<K>(tables + <usize>pass * TABLE, k, pass * DIGIT);
  store<u32>(slot, load<u32>(slot) + 1);
}

/**
 * Sorts n floats, given as bits K, digit by digit from the lowest; −0 before +0, NaN first or last by its sign. With
 * `payload` a second list, so many bytes behind the first, is moved along.
 *
 * `x` and `y` are the floats and as much scratch; the result is in the one that is returned. `tables` has 48 KiB. The
 * bits move as they are and keys are made on the way: encoding and decoding would be two more passes over memory.
 */
export function sort<K>(x: usize, y: usize, n: i32, payload: usize, tables: usize): usize {
  const passes = sizeof<K>() == 4 ? 3 : 6;
  const bytes = <usize>n * sizeof<K>();
  memory.fill(tables, 0, passes * TABLE);
  for (let at = x; at < x + bytes; at += sizeof<K>()) {
    const k = key<K>(load<K>(at));
    count<K>(tables, k, 0);
    count<K>(tables, k, 1);
    count<K>(tables, k, 2);
    if (sizeof<K>() == 8) {
      count<K>(tables, k, 3);
      count<K>(tables, k, 4);
      count<K>(tables, k, 5);
    }
  }
  for (let shift = 0; shift < passes * DIGIT; shift += DIGIT, tables += TABLE) {
    if (load<u32>(entry<K>(tables, key<K>(load<K>(x)), shift)) == n) continue; // all have the same digit
    let to = y;
    for (let slot = tables; slot < tables + TABLE; slot += 4) {
      const share = <usize>load<u32>(slot) * sizeof<K>();
      store<u32>(slot, <u32>to);
      to += share;
    }
    for (let at = x; at < x + bytes; at += sizeof<K>()) {
      const bits = load<K>(at);
      const slot = entry<K>(tables, key<K>(bits), shift);
      const place = <usize>load<u32>(slot);
      store<u32>(slot, <u32>(place + sizeof<K>()));
      store<K>(place, bits);
      if (payload) store<K>(place + payload, load<K>(at + payload));
    }
    const other = x;
    x = y;
    y = other;
  }
  return x;
}

// ----------------------------------------------------------------------------------------------- quantiles

/** The stretches of t that are taken together: how far apart the quantiles are, and how long each is. */
const BLOCK = 512;
const APART: usize = memory.data(4160, 16);
const SHARE: usize = memory.data(4160, 16);
/** f64x2: the sums or maxima of two lanes, and what rounding lost of the sums. */
const TOTAL: usize = memory.data(32, 16);

// @ts-ignore: decorator
@inline
function at(x: usize, i: i32, wide: bool): f64 {
  return wide ? load<f64>(x + (<usize>i << 3)) : <f64>load<f32>(x + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
function pairAt(x: usize, i: i32, wide: bool): v128 {
  return wide ? v128.load(x + (<usize>i << 3)) : f64x2.promote_low_f32x4(v128.load64_zero(x + (<usize>i << 2)));
}

/** The mass of element i. */
// @ts-ignore: decorator
@inline
function mass(weights: usize, i: i32, factor: f64, wide: bool): f64 {
  return weights ? at(weights, i, wide) * factor : factor;
}

/** |x − y|, 0 for equal infinities. */
// @ts-ignore: decorator
@inline
function apart(x: v128, y: v128): v128 {
  return v128.andnot(abs<f64>(v128.sub<f64>(x, y)), v128.eq<f64>(x, y));
}

/** Adds Σ share·(apart/unit)^order of the first n stretches, or takes their maximum into account (order ∞). */
function tally(n: i32, order: f64, unit: f64): void {
  const end = APART + (<usize>n << 3);
  store<f64>(end, 0);
  store<f64>(end + (SHARE - APART), 0);
  if (order == Infinity) {
    let m = v128.load(TOTAL);
    for (let d = APART; d < end; d += VECTOR) m = v128.pmax<f64>(m, v128.load(d));
    v128.store(TOTAL, m);
    return;
  }
  const square = order == 2;
  if (unit != 1) for (let d = APART; d < end; d += VECTOR) v128.store(d, v128.div<f64>(v128.load(d), f64x2.splat(unit)));
  if (order != 1 && !square) {
    logarithm(APART, APART, n);
    for (let d = APART; d < end; d += VECTOR) v128.store(d, v128.mul<f64>(v128.load(d), f64x2.splat(order)));
    exponential(APART, APART, n);
    store<f64>(end, 0);
  }
  let sum = f64x2.splat(0);
  for (let d = APART; d < end; d += VECTOR) {
    const far = v128.load(d);
    const term = v128.mul<f64>(far, v128.load(d + (SHARE - APART)));
    sum = v128.add<f64>(sum, square ? v128.mul<f64>(term, far) : term);
  }
  const before = v128.load(TOTAL);
  const after = v128.add<f64>(before, sum);
  v128.store(TOTAL, after);
  v128.store(TOTAL, v128.add<f64>(v128.load(TOTAL, VECTOR), sumError(before, sum, after)), VECTOR);
}

/**
 * Σ share·(|x − y|/unit)^order over the quantiles of n sorted samples x and m sorted samples y, or for order ∞ the largest
 * |x − y|. Sample i has the mass u[i]·uFactor, or uFactor where there is no u; likewise y. Totals agree but for rounding.
 *
 * What is left of two samples' masses is what is walked along, not the distribution functions: a step then rounds by an ULP
 * of a mass rather than of 1, and integer masses stay exact.
 */
export function quantiles(x: usize, n: i32, u: usize, uFactor: f64, y: usize, m: i32, v: usize, vFactor: f64, wide: bool, wideMass: bool, order: f64, unit: f64): f64 {
  v128.store(TOTAL, f64x2.splat(0));
  v128.store(TOTAL, f64x2.splat(0), VECTOR);
  let k = 0;
  if (n == m && !(u | v)) {
    for (; k < BLOCK; k++) store<f64>(SHARE + (<usize>k << 3), uFactor);
    for (let i = 0; i < n; i += BLOCK) {
      const end = min(n, i + BLOCK);
      for (let j = i; j < end; j += 2) v128.store(APART + (<usize>(j - i) << 3), apart(pairAt(x, j, wide), pairAt(y, j, wide)));
      tally(end - i, order, unit);
    }
  } else {
    let i = 0;
    let j = 0;
    let a = mass(u, 0, uFactor, wideMass);
    let b = mass(v, 0, vFactor, wideMass);
    while (true) {
      const step = min(a, b);
      if (step > 0) {
        const place = APART + (<usize>k << 3);
        const s = at(x, i, wide);
        const t = at(y, j, wide);
        store<f64>(place, s == t ? 0 : Math.abs(s - t));
        store<f64>(place + (SHARE - APART), step);
        if (++k == BLOCK) {
          tally(k, order, unit);
          k = 0;
        }
      }
      a -= step;
      b -= step;
      if (a <= 0) {
        if (++i == n) break;
        a = mass(u, i, uFactor, wideMass);
      }
      if (b <= 0) {
        if (++j == m) break;
        b = mass(v, j, vFactor, wideMass);
      }
    }
    tally(k, order, unit);
  }
  const total = v128.load(TOTAL);
  if (order == Infinity) return max(f64x2.extract_lane(total, 0), f64x2.extract_lane(total, 1));
  const sum = sumF64(total);
  return sum < Infinity ? sum + sumF64(v128.load(TOTAL, VECTOR)) : sum;
}

// ---------------------------------------------------------------------------------------------- histograms

/** Squares of lanes whose partial sums stay in T; then on to f64. */
const SQUARES = 16;

/** Of a row: U = Σp, U − V = Σ(p − q), whose terms do not cancel where P and Q are alike, and whether an element is below 0. */
let sum: f64 = 0;
let change: f64 = 0;
let negative: bool = false;

/** The last vectors of four rows of p, and of q, with zeros behind. */
const REST: usize = memory.data(128, 16);

// @ts-ignore: decorator
@inline
function rest<T>(x: usize, y: usize, count: i32, v: i32 = 0): void {
  const at = <usize>v * VECTOR;
  v128.store(y + at, v128.and(v128.load(x + at), tailMask<T>(count, v)));
}

/** total + v, in f64. */
// @ts-ignore: decorator
@inline
function plus<T>(total: v128, v: v128): v128 {
  total = v128.add<f64>(total, half<T>(v, 0));
  return sizeof<T>() == 4 ? v128.add<f64>(total, half<T>(v, 1)) : total;
}

function sums<T>(p: usize, q: usize, n: i32): void {
  const pair = 2 * lanes<T>();
  let least = i32x4.splat(0);
  let total = i32x4.splat(0);
  let excess = i32x4.splat(0);
  while (n > 0) {
    let s = i32x4.splat(0);
    let t = i32x4.splat(0);
    let d = i32x4.splat(0);
    let e = i32x4.splat(0);
    let pairs = min(n / pair, SQUARES);
    if (pairs == 0) {
      for (let v = 0; v < 2; v++) {
        rest<T>(p, REST, n, v);
        rest<T>(q, REST + 2 * VECTOR, n, v);
      }
      p = REST;
      q = REST + 2 * VECTOR;
      pairs = 1;
    }
    n -= pairs * pair;
    for (const end = p + <usize>pairs * (2 * VECTOR); p < end; p += 2 * VECTOR, q += 2 * VECTOR) {
      const a = v128.load(p);
      const b = v128.load(q);
      const f = v128.load(p, VECTOR);
      const g = v128.load(q, VECTOR);
      least = v128.pmin<T>(least, v128.pmin<T>(v128.pmin<T>(a, b), v128.pmin<T>(f, g)));
      s = v128.add<T>(s, a);
      t = v128.add<T>(t, f);
      d = v128.add<T>(d, v128.sub<T>(a, b));
      e = v128.add<T>(e, v128.sub<T>(f, g));
    }
    total = plus<T>(total, v128.add<T>(s, t));
    excess = plus<T>(excess, v128.add<T>(d, e));
  }
  sum = sumF64(total);
  change = sumF64(excess);
  negative = v128.any_true(v128.lt<T>(least, i32x4.splat(0)));
}

/** All bits but the sign: |x| by it is one instruction, where the engine's own makes the mask anew at every use. */
const MAGNITUDE = memory.data<u64>([0x7fffffff7fffffff, 0x7fffffff7fffffff, 0x7fffffffffffffff, 0x7fffffffffffffff]);

/** (p − q) − q·ratio of a vector: exactly 0 for p = q, so never fused. */
// @ts-ignore: decorator
@inline
function excess<T>(p: usize, q: usize, ratio: v128): v128 {
  const b = v128.load(q);
  return v128.sub<T>(v128.sub<T>(v128.load(p), b), v128.mul<T>(b, ratio));
}

/** U/V − 1 = ρ of the rows, and the sums U; both as T. */
const RATIO: usize = memory.data(64, 16);

/**
 * Σ |P(k) − Q(k)|·gap(k) of rows of n bins, P and Q their distribution functions, with U = Σp, V = Σq:
 *
 *     U·(P(k) − Q(k)) = Σ_{j ≤ k} (pⱼ − qⱼ) − ρ·qⱼ,     ρ = U/V − 1
 *
 * A row to a lane: the terms are computed along rows and turned by squares, half the shuffles that turning p and q takes.
 * NaN, for the host to look closer, where a sum is far from 1 or from the other, or an element below 0.
 */
export function histogram<T>(p: usize, q: usize, gaps: usize, results: usize, rows: i32, n: i32): void {
  const w: usize = lanes<T>();
  const row = <usize>n * sizeof<T>();
  for (; rows > 0; rows -= <i32>w, p += w * row, q += w * row, results += w * 8) {
    const last = <usize>min(rows, <i32>w) - 1;
    let wild = 0; // a bit a row
    for (let r: usize = 0; r < w; r++) {
      const at = min(r, last) * row;
      sums<T>(p + at, q + at, n);
      const ratio = change / (sum - change);
      if (negative || !(ratio >= -0.5 && ratio <= 1 && sum > 1e-18 && sum < 1e18)) wild |= 1 << <i32>r;
      store<T>(RATIO + r * sizeof<T>(), <T>ratio);
      store<T>(RATIO + VECTOR + r * sizeof<T>(), <T>sum);
    }
    across<T>(p, q, row, last, gaps, results, n);
    for (let r: usize = 0; r <= last; r++) if ((wild >> <i32>r) & 1) store<f64>(results + 8 * r, NaN);
  }
}

/** The rows of one vector: beyond the last one, this once more, whose results are of no account. */
function across<T>(p: usize, q: usize, row: usize, last: usize, gaps: usize, results: usize, n: i32): void {
  const w = lanes<T>();
  const r0 = v128.splat<T>(load<T>(RATIO));
  const r1 = v128.splat<T>(load<T>(RATIO + sizeof<T>()));
  const r2 = v128.splat<T>(load<T>(RATIO + 2 * sizeof<T>()));
  const r3 = v128.splat<T>(load<T>(RATIO + 3 * sizeof<T>()));
  let o1 = min<usize>(1, last) * row;
  let o2 = min<usize>(2, last) * row;
  let o3 = min<usize>(3, last) * row;
  const zero = i32x4.splat(0);
  const magnitude = v128.load(MAGNITUDE + (sizeof<T>() == 4 ? 0 : VECTOR));
  let total0 = zero;
  let total1 = zero;
  let base0 = zero;
  let base1 = zero;
  for (let left = n; left > 0; ) {
    let c = join<T>(base0, base1);
    let moved = zero;
    let even = zero;
    let odd = zero;
    let squares = min(left / w, SQUARES);
    if (squares == 0) {
      for (let r: usize = 0; r < <usize>w; r++) {
        rest<T>(p + min(r, last) * row, REST + r * VECTOR, left);
        rest<T>(q + min(r, last) * row, REST + 64 + r * VECTOR, left);
      }
      p = REST;
      q = REST + 64;
      o1 = VECTOR;
      o2 = 2 * VECTOR;
      o3 = 3 * VECTOR;
      squares = 1;
    }
    left -= squares * w;
    for (const end = p + <usize>squares * VECTOR; p < end; p += VECTOR, q += VECTOR, gaps += VECTOR) {
      const a = excess<T>(p, q, r0);
      const b = excess<T>(p + o1, q + o1, r1);
      let first: v128;
      let two: v128;
      if (sizeof<T>() == 4) {
        const d = excess<T>(p + o2, q + o2, r2);
        const e = excess<T>(p + o3, q + o3, r3);
        const low01 = i32x4.shuffle(a, b, 0, 4, 1, 5);
        const high01 = i32x4.shuffle(a, b, 2, 6, 3, 7);
        const low23 = i32x4.shuffle(d, e, 0, 4, 1, 5);
        const high23 = i32x4.shuffle(d, e, 2, 6, 3, 7);
        first = i64x2.shuffle(low01, low23, 0, 2);
        two = v128.add<T>(first, i64x2.shuffle(low01, low23, 1, 3));
        const third = i64x2.shuffle(high01, high23, 0, 2);
        const both = v128.add<T>(third, i64x2.shuffle(high01, high23, 1, 3));
        const c2 = v128.add<T>(c, two);
        even = madd<T>(v128.and(magnitude, v128.add<T>(c2, third)), v128.load32_splat(gaps, 8), even);
        two = v128.add<T>(two, both);
        odd = madd<T>(v128.and(magnitude, v128.add<T>(c2, both)), v128.load32_splat(gaps, 12), odd);
        even = madd<T>(v128.and(magnitude, v128.add<T>(c, first)), v128.load32_splat(gaps), even);
        odd = madd<T>(v128.and(magnitude, c2), v128.load32_splat(gaps, 4), odd);
        c = v128.add<T>(c2, both);
      } else {
        first = i64x2.shuffle(a, b, 0, 2);
        two = v128.add<T>(first, i64x2.shuffle(a, b, 1, 3));
        even = madd<T>(v128.and(magnitude, v128.add<T>(c, first)), v128.load64_splat(gaps), even);
        c = v128.add<T>(c, two);
        odd = madd<T>(v128.and(magnitude, c), v128.load64_splat(gaps, 8), odd);
      }
      moved = v128.add<T>(moved, two);
    }
    const s = v128.add<T>(even, odd);
    total0 = v128.add<f64>(total0, half<T>(s, 0));
    base0 = v128.add<f64>(base0, half<T>(moved, 0));
    if (sizeof<T>() == 4) {
      total1 = v128.add<f64>(total1, half<T>(s, 1));
      base1 = v128.add<f64>(base1, half<T>(moved, 1));
    }
  }
  const masses = v128.load(RATIO, VECTOR);
  v128.store(results, v128.div<f64>(total0, half<T>(masses, 0)));
  if (sizeof<T>() == 4) v128.store(results, v128.div<f64>(total1, half<T>(masses, 1)), VECTOR);
}
