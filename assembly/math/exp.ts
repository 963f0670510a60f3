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
  0x3efffffd, // q0 = 0x1.fffffap-2
  0x3e2aaa49, // q1 = 0x1.555492p-3
  0x3d2aad00, // q2 = 0x1.555ap-5
  0x3c091ccf, // q3 = 0x1.12399ep-7
  0x3ab4be05, // q4 = 0x1.697c0ap-10
]); // 0.036 u

const EXP_F64 = memory.data<u64>([
  0x3ff71547652b82fe, // log2 e = 0x1.71547652b82fep+0
  0x4338000000000000, // the rounding constant = 0x1.8p+52
  0x3fe62e42fefa2000, // ln 2, 40 bits = 0x1.62e42fefa2p-1
  0x3d69ef35793c7673, // ln 2, the rest = 0x1.9ef35793c7673p-41
  0xc087500000000000, // e^x rounds to 0 = -0x1.75p+9
  0x4086300000000000, // e^x overflows = 0x1.63p+9
  0x3ff0000000000000, // one = 0x1p+0
  0x8000000000000000, // the sign
  0x3fe0000000000007, // q0 = 0x1.0000000000007p-1
  0x3fc55555555554d2, // q1 = 0x1.55555555554d2p-3
  0x3fa5555555551306, // q2 = 0x1.5555555551306p-5
  0x3f81111111130af0, // q3 = 0x1.1111111130afp-7
  0x3f56c16c1825d21d, // q4 = 0x1.6c16c1825d21dp-10
  0x3f2a01a00fe0b69e, // q5 = 0x1.a01a00fe0b69ep-13
  0x3efa0199e154661b, // q6 = 0x1.a0199e154661bp-16
  0x3ec71df811add454, // q7 = 0x1.71df811add454p-19
  0x3e928aa41652e81a, // q8 = 0x1.28aa41652e81ap-22
  0x3e5acf737c3be040, // q9 = 0x1.acf737c3be04p-26
]); // 0.025 u

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

/**
 * q(r) = (e^r − 1 − r)/r² for |r| ≤ ln2/2, as c₀ + r·p(r), and p in pairs of coefficients: half as long a chain as
 * Horner's, and r² is needed anyway. Pairs to the end would round twice at the size of c₀
 * (in exp, fused: 1.03 ULP instead of 1.01).
 */
// @ts-ignore: decorator
@inline
function q<T>(r: v128, r2: v128, c: usize): v128 {
  let p = pair<T>(c, 3, r);
  if (sizeof<T>() == 8) {
    const p5 = madd<T>(madd<T>(constant<T>(c, 9), r2, pair<T>(c, 7, r)), r2, pair<T>(c, 5, r));
    p = madd<T>(p5, r2, p);
  }
  return madd<T>(madd<T>(p, r2, pair<T>(c, 1, r)), r, constant<T>(c, 0));
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

/** In the low bits of x = n·ln 2 + r the n, over the bias of an exponent. */
// @ts-ignore: decorator
@inline
export function biasedMultiple<T>(x: v128): v128 {
  return madd<T>(x, at<T>(EXP_LOG2E), at<T>(EXP_MAGIC));
}

/** That n as a number. */
// @ts-ignore: decorator
@inline
export function multiple<T>(biased: v128): v128 {
  return v128.sub<T>(biased, at<T>(EXP_MAGIC));
}

/** r = x − n·ln 2, |r| ≤ ln2/2. */
// @ts-ignore: decorator
@inline
export function reduce<T>(x: v128, n: v128): v128 {
  return nmadd<T>(n, at<T>(EXP_LN2_TAIL), nmadd<T>(n, at<T>(EXP_LN2_HEAD), x));
}

/** 2ⁿ of n over the bias, in the low bits: −1022 to 1023 of f64, −126 to 127 of f32. */
// @ts-ignore: decorator
@inline
export function powerOfTwo<T>(biased: v128): v128 {
  return addBits<T>(toExponent<T>(biased), at<T>(EXP_ONE));
}

/**
 * e^x. −∞ → 0, +∞ → +∞, NaN → NaN; subnormal results are rounded once more.
 *
 * Worst f32, of all: 0.986 ULP at −5.856172561645508 got 0.0028621773235 want 0.0028621775531;
 * fused, 1.010 ULP at −59.921878814697266. Worst f64 seen: 0.967 ULP at −346.2270064605709; fused, 1.003 ULP at
 * 58.570936758756986.
 */
// @ts-ignore: decorator
@inline
export function exp<T>(x: v128): v128 {
  x = clamp<T>(x);
  const biased = biasedMultiple<T>(x);
  const r = reduce<T>(x, multiple<T>(biased));
  const y = v128.add<T>(at<T>(EXP_ONE), expm1Reduced<T>(r));
  // 2ⁿ in two factors, 2^⌊n/2⌋ and 2^⌈n/2⌉: it may be beyond the largest exponent, or below the smallest
  const floor = halve<T>(biased);
  const s = powerOfTwo<T>(floor);
  const s2 = powerOfTwo<T>(subBits<T>(biased, floor));
  return v128.mul<T>(v128.mul<T>(y, s), s2);
}

/**
 * e^x − 1. ±0 → ±0, subnormals → themselves, −∞ → −1, +∞ → +∞, NaN → NaN.
 *
 *     r + c = x − n·ln 2,                 c the rounding error of r
 *     t = r + p,                          p = r²·q(r) + c
 *     e^x − 1 = s₂·(s·p + (s·r + (s − 1/s₂))),   s·s₂ = 2ⁿ
 *
 * Worst f32, of all: 1.342 ULP at 17.115219116210938 got 27104740 want 27104737.3170.
 * Worst f64 seen: 1.337 ULP at 37.79581518054361.
 */
// @ts-ignore: decorator
@inline
export function expm1<T>(x: v128): v128 {
  const a = clamp<T>(x);
  const biased = biasedMultiple<T>(a);
  const n = multiple<T>(biased);
  const high = nmadd<T>(n, at<T>(EXP_LN2_HEAD), a);
  const r = nmadd<T>(n, at<T>(EXP_LN2_TAIL), high);
  const c = nmadd<T>(n, at<T>(EXP_LN2_TAIL), v128.sub<T>(high, r));
  const r2 = v128.mul<T>(r, r);
  const p = madd<T>(r2, q<T>(r, r2, EXP_COEFFICIENTS<T>()), c);
  const floor = halve<T>(biased);
  const ceiling = toExponent<T>(subBits<T>(biased, floor));
  const s = powerOfTwo<T>(floor);
  const s2 = addBits<T>(at<T>(EXP_ONE), ceiling);
  const base = v128.sub<T>(s, subBits<T>(at<T>(EXP_ONE), ceiling)); // s − 1/s₂
  const y = v128.mul<T>(madd<T>(s, p, madd<T>(s, r, base)), s2);
  return v128.or(y, v128.and(x, at<T>(EXP_SIGN))); // −0, else +0 by the sums
}
