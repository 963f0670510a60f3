/**
 * One term of a relative entropy, and the logarithm of a ratio, from p, q and their difference, with one division.
 *
 *     q = m·(1 + r),   m = 2ⁿ·p                     n from the difference of the bit patterns
 *     c = m − p,       d = (q − p) − c = q − m      exact where n = 0
 *     s = d/(q + m),   z = s²
 *     log(q/p) = n·ln 2 + 2·artanh s = n·ln 2 + 2s + k,     k = s·z·Q(z)
 *     q − p − p·log(q/p) = s·(d + 2c − p·z·Q(z)) + (c − p·n·ln 2)
 *
 * Where q is close to p, n = c = 0 and the term is s·(d − p·z·Q(z)): it keeps the relative accuracy of q − p, which the caller
 * gives, and nothing cancels.
 *
 * f32: n is log2(q/p) cut off towards 0, |s| ≤ 1/3. Then s·(d + 2c − p·z·Q(z)) and c − p·n·ln 2 are positive wherever they are large, and the
 * term errs by 6.3 u of itself at most if p and q are exact. With the nearest n that would be 47 u, at q/p = 3/4 (tools/roundings.py).
 * f64 has digits to spare, and takes the nearest n, |s| ≤ 1/5, for the sake of a shorter Q.
 *
 * p and q are at least `smallest`, and 5·max(p, q) must not overflow.
 * Q by minimax (tools/minimax.py) on [0, 0.1125] (f32), the error weighted by √z/2 + 10⁻², or [0, 0.0401] (f64), by z + 10⁻³.
 */
import { constant, madd, nmadd } from "../lanes";
import { addBits, subBits } from "./exp";

const STEP = 0;
const FIELD = 1;
const LN2_SCALED = 2;
const SMALLEST = 3;
const Q = 4;

const GAP_F32 = memory.data<u32>([
  0x007fffff, // all but one of a step of the exponent
  0xff800000, // the exponent, with the sign
  0x33b17218, // 2^-23·ln 2
  0x00800000, // the smallest normal number = 0x1p-126
  0x3f2aaa97, // q0 = 0x1.55552ep-1
  0x3eccdff9, // q1 = 0x1.99bff2p-2
  0x3e8fe3a9, // q2 = 0x1.1fc752p-2
  0x3e8d1d0e, // q3 = 0x1.1a3a1cp-2
]); // 0.49 u

const GAP_F64 = memory.data<u64>([
  0x0008000000000000, // half a step of the exponent
  0xfff0000000000000, // the exponent, with the sign
  0x3ea62e42fefa39ef, // 2^-20·ln 2
  0x0020000000000000, // twice the smallest normal number = 0x1p-1021: m is up to half a step below q, and must be normal too
  0x3fe555555555569d, // q0 = 0x1.555555555569dp-1
  0x3fd999999991aca8, // q1 = 0x1.999999991aca8p-2
  0x3fd2492499b152a0, // q2 = 0x1.2492499b152ap-2
  0x3fcc71c0d69be10f, // q3 = 0x1.c71c0d69be10fp-3
  0x3fc7473447bfd40b, // q4 = 0x1.7473447bfd40bp-3
  0x3fc386ea81a87405, // q5 = 0x1.386ea81a87405p-3
  0x3fc3a01557d73856, // q6 = 0x1.3a01557d73856p-3
]); // 0.33 u

// @ts-ignore: decorator
@inline
function at<T>(i: i32): v128 {
  return constant<T>(sizeof<T>() == 4 ? GAP_F32 : GAP_F64, i);
}

export const LN2: f64 = 0.6931471805599453;

/** The smallest p and q: a probability of 0 is raised to it, which no sum notices. */
// @ts-ignore: decorator
@inline
export function smallest<T>(): v128 {
  return at<T>(SMALLEST);
}

// @ts-ignore: decorator
@inline
function pair<T>(i: i32, z: v128): v128 {
  return madd<T>(at<T>(Q + i + 1), z, at<T>(Q + i));
}

/** Q(z). */
// @ts-ignore: decorator
@inline
function series<T>(z: v128): v128 {
  if (sizeof<T>() == 4) return madd<T>(madd<T>(pair<T>(2, z), z, at<T>(Q + 1)), z, at<T>(Q));
  const z2 = v128.mul<T>(z, z);
  return madd<T>(madd<T>(madd<T>(at<T>(Q + 6), z2, pair<T>(4, z)), z2, pair<T>(2, z)), z2, pair<T>(0, z));
}

/** 2ⁿ as an addition to the exponent. */
// @ts-ignore: decorator
@inline
function steps<T>(p: v128, q: v128): v128 {
  const difference = subBits<T>(q, p);
  // f32: rounded up where it is negative, so that both signs are cut off towards 0
  const up = sizeof<T>() == 4 ? v128.and(i32x4.shr_s(difference, 31), at<T>(STEP)) : at<T>(STEP);
  return v128.and(addBits<T>(difference, up), at<T>(FIELD));
}

/** n·ln 2. */
// @ts-ignore: decorator
@inline
function timesLn2<T>(t: v128): v128 {
  const n = sizeof<T>() == 4 ? f32x4.convert_i32x4_s(t) : f64x2.convert_low_i32x4_s(i32x4.shuffle(t, t, 1, 3, 1, 3));
  return v128.mul<T>(n, at<T>(LN2_SCALED));
}

/**
 * q − p − p·log(q/p) ≥ 0. Where q is exact, `direct`, d = q − m; where it is a rounded sum and q ≥ p/2, d = diff − c, of
 * diff = q − p: for small q the error of diff would count.
 */
// @ts-ignore: decorator
@inline
export function gap<T>(p: v128, q: v128, diff: v128, direct: bool): v128 {
  const t = steps<T>(p, q);
  const m = addBits<T>(p, t);
  const c = v128.sub<T>(m, p);
  const d = direct ? v128.sub<T>(q, m) : v128.sub<T>(diff, c);
  const s = v128.div<T>(d, v128.add<T>(q, m));
  const z = v128.mul<T>(s, s);
  const inner = nmadd<T>(p, v128.mul<T>(z, series<T>(z)), v128.add<T>(d, v128.add<T>(c, c)));
  return madd<T>(s, inner, nmadd<T>(p, timesLn2<T>(t), c));
}

/** The same where |log(q/p)| < 0.4, so that n = 0. */
// @ts-ignore: decorator
@inline
export function gapNear<T>(p: v128, q: v128, diff: v128): v128 {
  const s = v128.div<T>(diff, v128.add<T>(q, p));
  const z = v128.mul<T>(s, s);
  return nmadd<T>(p, v128.mul<T>(v128.mul<T>(s, z), series<T>(z)), v128.mul<T>(s, diff));
}

/** log((q + low)/p), low the rounding error of q; or not `direct`, for q ≥ p/2, log(q/p) of low = q − p. */
// @ts-ignore: decorator
@inline
export function logRatio<T>(p: v128, q: v128, low: v128, direct: bool): v128 {
  const t = steps<T>(p, q);
  const m = addBits<T>(p, t);
  const d = direct ? v128.add<T>(v128.sub<T>(q, m), low) : v128.sub<T>(low, v128.sub<T>(m, p));
  const s = v128.div<T>(d, v128.add<T>(q, m));
  const z = v128.mul<T>(s, s);
  return v128.add<T>(timesLn2<T>(t), madd<T>(v128.mul<T>(s, z), series<T>(z), v128.add<T>(s, s)));
}
