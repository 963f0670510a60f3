/**
 * e^x and e^x − 1.
 *
 *     x = n·ln 2 + r,     n integer, |r| ≤ ln2/2
 *     e^r = 1 + t,        t = r + r²·q(r)
 *     e^x = 2ⁿ·(1 + t),   e^x − 1 = 2ⁿ·t + (2ⁿ − 1)
 *
 * ln 2 = head + tail, the head so short that n·head is exact up to |n| = 2047 (f32) or 8191 (f64); x − n·head is then
 * exact too, and r carries one rounding. n is found by adding 1.5·2^23 (2^52), which leaves it in the low bits.
 * Errors: docs/accuracy.md. The tables are printed by tools/minimax.py.
 */
import { constant, madd, maxKeepNaN, minKeepNaN, nmadd } from "../lanes";

// The indices of both tables.
export const EXP_LOG2E = 0;
export const EXP_MAGIC = 1;
export const EXP_LN2_HEAD = 2;
export const EXP_LN2_TAIL = 3;
export const EXP_LOWEST = 4;
export const EXP_HIGHEST = 5;
export const EXP_ONE = 6;
export const EXP_SIGN = 7;
export const EXP_Q = 8;

const EXP_F32 = memory.data<u32>([
  0x3fb8aa3b, // log2 e = 0x1.715476p+0
  0x4b400000, // the rounding constant = 0x1.8p+23
  0x3f317000, // ln 2, 13 bits = 0x1.62ep-1
  0x3805fdf4, // ln 2, the rest = 0x1.0bfbe8p-15
  0xc2d00000, // e^x rounds to 0 = -0x1.ap+6
  0x42b20000, // e^x overflows = 0x1.64p+6
  0x3f800000, // one = 0x1p+0
  0x80000000, // the sign
  0x3efffffe, // q0 = 0x1.fffffcp-2
  0x3e2aaa49, // q1 = 0x1.555492p-3
  0x3d2aac55, // q2 = 0x1.5558aap-5
  0x3c091cb7, // q3 = 0x1.12396ep-7
  0x3ab52929, // q4 = 0x1.6a5252p-10
]); // 0.052 u

const EXP_F64 = memory.data<u64>([
  0x3ff71547652b82fe, // log2 e = 0x1.71547652b82fep+0
  0x4338000000000000, // the rounding constant = 0x1.8p+52
  0x3fe62e42fefa2000, // ln 2, 40 bits = 0x1.62e42fefa2p-1
  0x3d69ef35793c7673, // ln 2, the rest = 0x1.9ef35793c7673p-41
  0xc087500000000000, // e^x rounds to 0 = -0x1.75p+9
  0x4086300000000000, // e^x overflows = 0x1.63p+9
  0x3ff0000000000000, // one = 0x1p+0
  0x8000000000000000, // the sign
  0x3fe000000000000a, // q0 = 0x1.000000000000ap-1
  0x3fc555555555550c, // q1 = 0x1.555555555550cp-3
  0x3fa555555555079e, // q2 = 0x1.555555555079ep-5
  0x3f81111111124715, // q3 = 0x1.1111111124715p-7
  0x3f56c16c18438e5e, // q4 = 0x1.6c16c18438e5ep-10
  0x3f2a01a01380bc6f, // q5 = 0x1.a01a01380bc6fp-13
  0x3efa0199a0dba83f, // q6 = 0x1.a0199a0dba83fp-16
  0x3ec71df0ceb48328, // q7 = 0x1.71df0ceb48328p-19
  0x3e928ad5e3f65d2b, // q8 = 0x1.28ad5e3f65d2bp-22
  0x3e5ad9f1b637dd1c, // q9 = 0x1.ad9f1b637dd1cp-26
]); // 0.033 u

/** The table of the type. */
// @ts-ignore: decorator
@inline
export function EXP<T>(): usize {
  return sizeof<T>() == 4 ? EXP_F32 : EXP_F64;
}

// @ts-ignore: decorator
@inline
function at<T>(i: i32): v128 {
  return constant<T>(EXP<T>(), i);
}

/** a + b of bit patterns. */
// @ts-ignore: decorator
@inline
export function addBits<T>(a: v128, b: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.add(a, b) : i64x2.add(a, b);
}

/** a − b of bit patterns. */
// @ts-ignore: decorator
@inline
export function subBits<T>(a: v128, b: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.sub(a, b) : i64x2.sub(a, b);
}

/** The low bits of each lane, moved up into the exponent. */
// @ts-ignore: decorator
@inline
function toExponent<T>(a: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.shl(a, 23) : i64x2.shl(a, 52);
}

/** ⌊n/2⌋ in the low bits, of n in the low bits. */
// @ts-ignore: decorator
@inline
function halve<T>(n: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.shr_u(n, 1) : i64x2.shr_u(n, 1);
}

/** The coefficients of q. */
// @ts-ignore: decorator
@inline
export function EXP_COEFFICIENTS<T>(): usize {
  return EXP<T>() + EXP_Q * sizeof<T>();
}

/** How many there are. */
// @ts-ignore: decorator
@inline
export function expTerms<T>(): i32 {
  return sizeof<T>() == 4 ? 5 : 10;
}

/** cᵢ + cᵢ₊₁·r. */
// @ts-ignore: decorator
@inline
function pair<T>(c: usize, i: i32, r: v128): v128 {
  return madd<T>(constant<T>(c, i + 1), r, constant<T>(c, i));
}

/** q(r) = (e^r − 1 − r)/r² for |r| ≤ ln2/2, in pairs of coefficients: half as long a chain as Horner's, and r² is needed anyway. */
// @ts-ignore: decorator
@inline
function q<T>(r: v128, r2: v128, c: usize): v128 {
  if (sizeof<T>() == 4) return madd<T>(madd<T>(constant<T>(c, 4), r2, pair<T>(c, 2, r)), r2, pair<T>(c, 0, r));
  const q4 = madd<T>(madd<T>(pair<T>(c, 8, r), r2, pair<T>(c, 6, r)), r2, pair<T>(c, 4, r));
  return madd<T>(madd<T>(q4, r2, pair<T>(c, 2, r)), r2, pair<T>(c, 0, r));
}

/** t = e^r − 1 for |r| ≤ ln2/2; with other coefficients c than the table's, r + r²·q(r) of those. */
// @ts-ignore: decorator
@inline
export function expm1Reduced<T>(r: v128, c: usize = EXP_COEFFICIENTS<T>()): v128 {
  const r2 = v128.mul<T>(r, r);
  return madd<T>(r2, q<T>(r, r2, c), r);
}

/** t − r = r²·q(r), the small part of t. */
// @ts-ignore: decorator
@inline
export function expm1Rest<T>(r: v128, c: usize): v128 {
  const r2 = v128.mul<T>(r, r);
  return v128.mul<T>(r2, q<T>(r, r2, c));
}

/** x, but not below where e^x is 0, nor above where it is +∞: n stays small; NaN passes. */
// @ts-ignore: decorator
@inline
function clamp<T>(x: v128): v128 {
  return maxKeepNaN<T>(minKeepNaN<T>(x, at<T>(EXP_HIGHEST)), at<T>(EXP_LOWEST));
}

/**
 * e^x. −∞ → 0, +∞ → +∞, NaN → NaN; subnormal results are rounded once more.
 *
 * Worst f32, of all: 0.998 ULP at −5.844484806060791 got 0.002895826008 want 0.002895826241.
 * Worst f64 seen: 0.984 ULP at 269.287685997856.
 */
// @ts-ignore: decorator
@inline
export function exp<T>(x: v128): v128 {
  x = clamp<T>(x);
  const biased = madd<T>(x, at<T>(EXP_LOG2E), at<T>(EXP_MAGIC));
  const n = v128.sub<T>(biased, at<T>(EXP_MAGIC));
  const r = nmadd<T>(n, at<T>(EXP_LN2_TAIL), nmadd<T>(n, at<T>(EXP_LN2_HEAD), x));
  const y = v128.add<T>(at<T>(EXP_ONE), expm1Reduced<T>(r));
  // 2ⁿ in two factors, 2^⌊n/2⌋ and 2^⌈n/2⌉: it may be beyond the largest exponent, or below the smallest
  const floor = halve<T>(biased);
  const s = addBits<T>(toExponent<T>(floor), at<T>(EXP_ONE));
  const s2 = addBits<T>(toExponent<T>(subBits<T>(biased, floor)), at<T>(EXP_ONE));
  return v128.mul<T>(v128.mul<T>(y, s), s2);
}

/**
 * e^x − 1. ±0 → ±0, subnormals → themselves, −∞ → −1, +∞ → +∞, NaN → NaN.
 *
 *     r + c = x − n·ln 2,                 c the rounding error of r
 *     t = r + p,                          p = r²·q(r) + c
 *     e^x − 1 = s₂·(s·p + (s·r + (s − 1/s₂))),   s·s₂ = 2ⁿ
 *
 * Worst f32, of all: 1.352 ULP at 17.139616012573242 got 27774144 want 27774141.2958.
 * Worst f64 seen: 1.319 ULP at 37.783827200139854.
 */
// @ts-ignore: decorator
@inline
export function expm1<T>(x: v128): v128 {
  const a = clamp<T>(x);
  const biased = madd<T>(a, at<T>(EXP_LOG2E), at<T>(EXP_MAGIC));
  const n = v128.sub<T>(biased, at<T>(EXP_MAGIC));
  const high = nmadd<T>(n, at<T>(EXP_LN2_HEAD), a);
  const r = nmadd<T>(n, at<T>(EXP_LN2_TAIL), high);
  const c = nmadd<T>(n, at<T>(EXP_LN2_TAIL), v128.sub<T>(high, r));
  const r2 = v128.mul<T>(r, r);
  const p = madd<T>(r2, q<T>(r, r2, EXP_COEFFICIENTS<T>()), c);
  const floor = halve<T>(biased);
  const ceiling = toExponent<T>(subBits<T>(biased, floor));
  const s = addBits<T>(toExponent<T>(floor), at<T>(EXP_ONE));
  const s2 = addBits<T>(at<T>(EXP_ONE), ceiling);
  const base = v128.sub<T>(s, subBits<T>(at<T>(EXP_ONE), ceiling)); // s − 1/s₂
  const y = v128.mul<T>(madd<T>(s, p, madd<T>(s, r, base)), s2);
  return v128.or(y, v128.and(x, at<T>(EXP_SIGN))); // −0, else +0 by the sums
}
