/**
 * Optimal transport of histograms on a common support, which is the area between their distribution functions:
 *
 *     W₁ = Σₖ |P(k) − Q(k)|·gap(k)
 */
import { columnOf, half, join, lanes, madd, sumF64, tailMask, VECTOR } from "../lanes";

/** Vectors of a row whose partial sums stay in T; then on to f64. */
const RUN = 16;

/** Of a row: U = Σp, U − V = Σ(p − q), whose terms do not cancel where P and Q are alike, and whether an element is below 0. */
let total: f64 = 0;
let difference: f64 = 0;
let negative: bool = false;

/** The last vectors of four rows of p, and of q, with zeros behind. */
const TAILS: usize = memory.data(128, 16);

/** Vector v of the row at x, of which `count` elements are left, goes to vector v at y. */
// @ts-ignore: decorator
@inline
function copyTail<T>(x: usize, y: usize, count: i32, v: i32 = 0): void {
  const offset = <usize>v * VECTOR;
  v128.store(y + offset, v128.and(v128.load(x + offset), tailMask<T>(count, v)));
}

/** sum + v, in f64. */
// @ts-ignore: decorator
@inline
function plus<T>(sum: v128, v: v128): v128 {
  sum = v128.add<f64>(sum, half<T>(v, 0));
  return sizeof<T>() == 4 ? v128.add<f64>(sum, half<T>(v, 1)) : sum;
}

function sums<T>(p: usize, q: usize, n: i32): void {
  const pair = 2 * lanes<T>();
  let least = i32x4.splat(0);
  let sumP = i32x4.splat(0);
  let sumD = i32x4.splat(0);
  while (n > 0) {
    let s = i32x4.splat(0);
    let t = i32x4.splat(0);
    let d = i32x4.splat(0);
    let e = i32x4.splat(0);
    let pairs = min(n / pair, RUN);
    if (pairs == 0) {
      for (let v = 0; v < 2; v++) {
        copyTail<T>(p, TAILS, n, v);
        copyTail<T>(q, TAILS + 2 * VECTOR, n, v);
      }
      p = TAILS;
      q = TAILS + 2 * VECTOR;
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
    sumP = plus<T>(sumP, v128.add<T>(s, t));
    sumD = plus<T>(sumD, v128.add<T>(d, e));
  }
  total = sumF64(sumP);
  difference = sumF64(sumD);
  negative = v128.any_true(v128.lt<T>(least, i32x4.splat(0)));
}

/** All bits but the sign. |x| as an `and` with it is one instruction; the engine's own |x| makes this mask anew at every use. */
const MAGNITUDE = memory.data<u64>([0x7fffffff7fffffff, 0x7fffffff7fffffff, 0x7fffffffffffffff, 0x7fffffffffffffff]);

/** (p − q) − q·ratio of a vector: exactly 0 for p = q, so never fused. */
// @ts-ignore: decorator
@inline
function term<T>(p: usize, q: usize, ratio: v128): v128 {
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
      const offset = min(r, last) * row;
      sums<T>(p + offset, q + offset, n);
      const ratio = difference / (total - difference);
      if (negative || !(ratio >= -0.5 && ratio <= 1 && total > 1e-18 && total < 1e18)) wild |= 1 << (<i32>r);
      store<T>(RATIO + r * sizeof<T>(), <T>ratio);
      store<T>(RATIO + VECTOR + r * sizeof<T>(), <T>total);
    }
    across<T>(p, q, row, last, gaps, results, n);
    for (let r: usize = 0; r <= last; r++) if ((wild >> (<i32>r)) & 1) store<f64>(results + 8 * r, NaN);
  }
}

/** The rows of one vector. Beyond the last row it is repeated, and what comes of the repetitions is not used. */
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
  let area0 = zero; // in f64: the sums of the runs before, of the first two rows and of the others
  let area1 = zero;
  let before0 = zero;
  let before1 = zero;
  for (let left = n; left > 0;) {
    let c = join<T>(before0, before1);
    let moved = zero;
    let even = zero;
    let odd = zero;
    let squares = min(left / w, RUN);
    if (squares == 0) {
      for (let r: usize = 0; r < <usize>w; r++) {
        copyTail<T>(p + min(r, last) * row, TAILS + r * VECTOR, left);
        copyTail<T>(q + min(r, last) * row, TAILS + 64 + r * VECTOR, left);
      }
      p = TAILS;
      q = TAILS + 64;
      o1 = VECTOR;
      o2 = 2 * VECTOR;
      o3 = 3 * VECTOR;
      squares = 1;
    }
    left -= squares * w;
    for (const end = p + <usize>squares * VECTOR; p < end; p += VECTOR, q += VECTOR, gaps += VECTOR) {
      const a = term<T>(p, q, r0);
      const b = term<T>(p + o1, q + o1, r1);
      let two: v128; // bins of each row
      if (sizeof<T>() == 4) {
        const d = term<T>(p + o2, q + o2, r2);
        const e = term<T>(p + o3, q + o3, r3);
        const first = columnOf<T>(0, a, b, d, e);
        const third = columnOf<T>(2, a, b, d, e);
        two = v128.add<T>(first, columnOf<T>(1, a, b, d, e));
        const both = v128.add<T>(third, columnOf<T>(3, a, b, d, e));
        const c2 = v128.add<T>(c, two);
        even = madd<T>(v128.and(magnitude, v128.add<T>(c2, third)), v128.load32_splat(gaps, 8), even);
        two = v128.add<T>(two, both);
        odd = madd<T>(v128.and(magnitude, v128.add<T>(c2, both)), v128.load32_splat(gaps, 12), odd);
        even = madd<T>(v128.and(magnitude, v128.add<T>(c, first)), v128.load32_splat(gaps), even);
        odd = madd<T>(v128.and(magnitude, c2), v128.load32_splat(gaps, 4), odd);
        c = v128.add<T>(c2, both);
      } else {
        const first = columnOf<T>(0, a, b, a, b);
        two = v128.add<T>(first, columnOf<T>(1, a, b, a, b));
        even = madd<T>(v128.and(magnitude, v128.add<T>(c, first)), v128.load64_splat(gaps), even);
        c = v128.add<T>(c, two);
        odd = madd<T>(v128.and(magnitude, c), v128.load64_splat(gaps, 8), odd);
      }
      moved = v128.add<T>(moved, two);
    }
    const s = v128.add<T>(even, odd);
    area0 = v128.add<f64>(area0, half<T>(s, 0));
    before0 = v128.add<f64>(before0, half<T>(moved, 0));
    if (sizeof<T>() == 4) {
      area1 = v128.add<f64>(area1, half<T>(s, 1));
      before1 = v128.add<f64>(before1, half<T>(moved, 1));
    }
  }
  const masses = v128.load(RATIO, VECTOR);
  v128.store(results, v128.div<f64>(area0, half<T>(masses, 0)));
  if (sizeof<T>() == 4) v128.store(results, v128.div<f64>(area1, half<T>(masses, 1)), VECTOR);
}
