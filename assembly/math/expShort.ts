/**
 * e^x and e^x − 1 − x of f64 to 3·10⁻⁹ of themselves, for what is given in f32: half the terms of exp.ts.
 *
 *     x = n·ln 2 + r,   n integer,   |r| ≤ ln2/2
 *     e^x = 2ⁿ·(1 + r + r²·q(r)),   e^r − 1 − r = r²·q(r)
 *
 * The table is printed by tools/minimax.py, for the relative error of q.
 */
import { constant, madd, maxKeepNaN, minKeepNaN, nmadd } from "../lanes";
import { biasedMultiple, EXP, EXP_HIGHEST, EXP_ONE, multiple, powerOfTwo } from "./exp";

// The indices of the table.
const LOWEST = 0;
const LN2 = 1;
const Q = 2;

const SHORT_F64 = memory.data<u64>([
  0xc086200000000000, // e^x is less than 2^-1021 = -0x1.62p+9
  0x3fe62e42fefa39ef, // ln 2 = 0x1.62e42fefa39efp-1
  0x3fe0000000b85185, // q0 = 0x1.0000000b85185p-1
  0x3fc555555272be60, // q1 = 0x1.555555272be6p-3
  0x3fa5554e93907aa1, // q2 = 0x1.5554e93907aa1p-5
  0x3f811114bcbeca68, // q3 = 0x1.11114bcbeca68p-7
  0x3f56d42ef42ad429, // q4 = 0x1.6d42ef42ad429p-10
  0x3f2a072fc5f607de, // q5 = 0x1.a072fc5f607dep-13
]); // 0.045 u

// @ts-ignore: decorator
@inline
function at(i: i32): v128 {
  return constant<f64>(SHORT_F64, i);
}

// @ts-ignore: decorator
@inline
function shared(i: i32): v128 {
  return constant<f64>(EXP<f64>(), i);
}

/** r = x − n·ln 2, with one rounding of ln 2. */
// @ts-ignore: decorator
@inline
export function reduceShort(x: v128, n: v128): v128 {
  return nmadd<f64>(n, at(LN2), x);
}

/** e^r − 1 − r for |r| ≤ ln2/2. */
// @ts-ignore: decorator
@inline
export function expm1RestShort(r: v128): v128 {
  const r2 = v128.mul<f64>(r, r);
  const q4 = madd<f64>(at(Q + 5), r, at(Q + 4));
  const q2 = madd<f64>(q4, r2, madd<f64>(at(Q + 3), r, at(Q + 2)));
  return v128.mul<f64>(r2, madd<f64>(q2, r2, madd<f64>(at(Q + 1), r, at(Q))));
}

/** e^x, 0 below −708. +∞ → +∞, NaN → NaN. */
// @ts-ignore: decorator
@inline
export function expShort(x: v128): v128 {
  const some = v128.ge<f64>(x, at(LOWEST));
  const clamped = maxKeepNaN<f64>(minKeepNaN<f64>(x, shared(EXP_HIGHEST)), at(LOWEST));
  const biased = biasedMultiple<f64>(clamped);
  const r = reduceShort(clamped, multiple<f64>(biased));
  const y = v128.add<f64>(shared(EXP_ONE), v128.add<f64>(r, expm1RestShort(r)));
  const scaled = v128.mul<f64>(y, powerOfTwo<f64>(biased));
  return v128.or(v128.and(scaled, some), v128.ne<f64>(x, x));
}
