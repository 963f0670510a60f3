/**
 * log x and log(1 + x).
 *
 *     x = 2ⁿ·(1 + r),     √½ ≤ 1 + r < √2
 *     log x = n·ln 2 + log(1 + r)
 *     log(1 + r) = r − r²/2 + cubic(r)
 *     cubic(r) = r³·Q(r)                                                 f32: no division
 *     cubic(r) = s·(r²/2 + z·Q(z)),   s = r/(2 + r),   z = s²            f64: 7 terms instead of 18
 *
 * r is exact, and so is n·head (ln 2 = head + tail, of exp.ts); all that is small is summed first:
 * n·head + (r + ((cubic(r) + n·tail) − r²/2)).
 * Errors: docs/accuracy.md. The tables are printed by tools/minimax.py.
 */
import { constant, madd, nmadd, select, sumError } from "../lanes";
import { addBits, EXP, EXP_LN2_HEAD, EXP_LN2_TAIL, EXP_ONE, EXP_SIGN, subBits } from "./exp";

// The indices of both tables.
const SMALLEST = 0;
const SCALE = 1;
const FIELD = 2;
const BIAS = 3;
const BIAS_SCALED = 4;
const ROOT = 5;
const ROOT_TO_ONE = 6;
const FRACTION = 7;
const TOP = 8;
const HALF = 9;
const TWO = 10;
const INFINITE = 11;
const MINUS_INFINITE = 12;
const C = 13;

const LOG_F32 = memory.data<u32>([
  0x00800000, // the smallest normal number = 0x1p-126
  0x4b800000, // 2^24, to scale subnormals = 0x1p+24
  0x4b000000, // 2^23, or-ed to the exponent field = 0x1p+23
  0x4b00007f, // 2^23 + 127 = 0x1.0000fep+23
  0x4b000097, // 2^23 + 127 + 24 = 0x1.00012ep+23
  0x3f3504f3, // sqrt(1/2)
  0x004afb0d, // 1 - sqrt(1/2), of the bit patterns
  0x007fffff, // the fraction
  0x7f000000, // 2^127 = 0x1p+127
  0x3f000000, // half = 0x1p-1
  0x40000000, // two = 0x1p+1
  0x7f800000, // +inf
  0xff800000, // -inf
  0x3eaaaaaa, // c0 = 0x1.555554p-2
  0xbe800113, // c1 = -0x1.000226p-2
  0x3e4cd00e, // c2 = 0x1.99a01cp-3
  0xbe2a3946, // c3 = -0x1.54728cp-3
  0x3e116c9b, // c4 = 0x1.22d936p-3
  0xbe06c119, // c5 = -0x1.0d8232p-3
  0x3e02af30, // c6 = 0x1.055e6p-3
  0xbd9c6484, // c7 = -0x1.38c908p-4
]); // 0.098 u

const LOG_F64 = memory.data<u64>([
  0x0010000000000000, // the smallest normal number = 0x1p-1022
  0x4340000000000000, // 2^53, to scale subnormals = 0x1p+53
  0x4330000000000000, // 2^52, or-ed to the exponent field = 0x1p+52
  0x43300000000003ff, // 2^52 + 1023 = 0x1.00000000003ffp+52
  0x4330000000000434, // 2^52 + 1023 + 53 = 0x1.0000000000434p+52
  0x3fe6a09e667f3bcd, // sqrt(1/2)
  0x00095f619980c433, // 1 - sqrt(1/2), of the bit patterns
  0x000fffffffffffff, // the fraction
  0x7fe0000000000000, // 2^1023 = 0x1p+1023
  0x3fe0000000000000, // half = 0x1p-1
  0x4000000000000000, // two = 0x1p+1
  0x7ff0000000000000, // +inf
  0xfff0000000000000, // -inf
  0x3fe5555555555592, // c0 = 0x1.5555555555592p-1
  0x3fd999999997ff1a, // c1 = 0x1.999999997ff1ap-2
  0x3fd24924941e13f6, // c2 = 0x1.24924941e13f6p-2
  0x3fcc71c521467bd3, // c3 = 0x1.c71c521467bd3p-3
  0x3fc74663ce80b503, // c4 = 0x1.74663ce80b503p-3
  0x3fc39a1e962614cc, // c5 = 0x1.39a1e962614ccp-3
  0x3fc2f03b3add5fd1, // c6 = 0x1.2f03b3add5fd1p-3
]); // 0.011 u

// @ts-ignore: decorator
@inline
function at<T>(i: i32): v128 {
  return constant<T>(sizeof<T>() == 4 ? LOG_F32 : LOG_F64, i);
}

// @ts-ignore: decorator
@inline
function shared<T>(i: i32): v128 {
  return constant<T>(EXP<T>(), i);
}

/** c₀ + c₁·r, from the table. */
// @ts-ignore: decorator
@inline
function pair<T>(i: i32, r: v128): v128 {
  return madd<T>(at<T>(C + i + 1), r, at<T>(C + i));
}

/** cubic(r) + low = log(1 + r) − r + r²/2 + low, for √½ ≤ 1 + r < √2 and r2 = r². */
// @ts-ignore: decorator
@inline
export function logCubic<T>(r: v128, r2: v128, low: v128): v128 {
  if (sizeof<T>() == 4) {
    const q4 = madd<T>(pair<T>(6, r), r2, pair<T>(4, r));
    const q = madd<T>(madd<T>(q4, r2, pair<T>(2, r)), r2, pair<T>(0, r));
    return madd<T>(v128.mul<T>(r, r2), q, low);
  }
  const s = v128.div<T>(r, v128.add<T>(r, at<T>(TWO)));
  const z = v128.mul<T>(s, s);
  const z2 = v128.mul<T>(z, z);
  const q4 = madd<T>(at<T>(C + 6), z2, pair<T>(4, z));
  const q = madd<T>(madd<T>(q4, z2, pair<T>(2, z)), z2, pair<T>(0, z));
  return madd<T>(s, madd<T>(z, q, v128.mul<T>(r2, at<T>(HALF))), low);
}

/** n·head + log(1 + r) + low, where `low` is n·tail and whatever else is small. */
// @ts-ignore: decorator
@inline
function assemble<T>(n: v128, r: v128, low: v128): v128 {
  const r2 = v128.mul<T>(r, r);
  const cubic = logCubic<T>(r, r2, low);
  return madd<T>(n, shared<T>(EXP_LN2_HEAD), v128.add<T>(r, nmadd<T>(r2, at<T>(HALF), cubic)));
}

/** The bits of x moved up so that the exponent field says n + bias, of x = 2ⁿ·m with √½ ≤ m < √2. */
// @ts-ignore: decorator
@inline
export function shifted<T>(x: v128): v128 {
  return addBits<T>(x, at<T>(ROOT_TO_ONE));
}

/** n, as a number: 2^23 (2^52) with the exponent field in its low bits, less 2^23 + bias. */
// @ts-ignore: decorator
@inline
function exponent<T>(bits: v128, bias: v128): v128 {
  const field = sizeof<T>() == 4 ? i32x4.shr_u(bits, 23) : i64x2.shr_u(bits, 52);
  return v128.sub<T>(v128.or(field, at<T>(FIELD)), bias);
}

/** The same of a normal x. */
// @ts-ignore: decorator
@inline
export function exponentOf<T>(bits: v128): v128 {
  return exponent<T>(bits, at<T>(BIAS));
}

/** m − 1, exact. */
// @ts-ignore: decorator
@inline
export function fraction<T>(bits: v128): v128 {
  return v128.sub<T>(addBits<T>(v128.and(bits, at<T>(FRACTION)), at<T>(ROOT)), shared<T>(EXP_ONE));
}

/** y, or what the logarithm of x is where x is none of the positive numbers: 0 → −∞, negative → NaN, +∞, NaN → x. */
// @ts-ignore: decorator
@inline
function special<T>(x: v128, y: v128): v128 {
  const zero = v128.xor(x, x);
  const finite = select(v128.lt<T>(x, at<T>(INFINITE)), y, x);
  return select(v128.eq<T>(x, zero), at<T>(MINUS_INFINITE), v128.or(finite, v128.lt<T>(x, zero)));
}

/**
 * log x. ±0 → −∞, negative → NaN, +∞ → +∞, NaN → NaN; subnormals are as exact as the rest.
 *
 * Worst f32, of all: 0.858 ULP at 1.3976421356201172 got 0.334786653519 want 0.334786627938.
 * Worst f64 seen: 0.823 ULP at 1.4141201998085602.
 */
// @ts-ignore: decorator
@inline
export function log<T>(x: v128): v128 {
  const subnormal = v128.lt<T>(x, at<T>(SMALLEST));
  const bits = shifted<T>(select(subnormal, v128.mul<T>(x, at<T>(SCALE)), x));
  const n = exponent<T>(bits, select(subnormal, at<T>(BIAS_SCALED), at<T>(BIAS)));
  return special<T>(x, assemble<T>(n, fraction<T>(bits), v128.mul<T>(n, shared<T>(EXP_LN2_TAIL))));
}

/**
 * log(1 + x). ±0 → ±0, subnormals → themselves, −1 → −∞, < −1 → NaN, +∞ → +∞, NaN → NaN.
 *
 *     u + c = 1 + x = 2ⁿ·(1 + f + e),   e = c·2⁻ⁿ,    c the rounding error of u
 *     r + d = f + e,                                  d the rounding error of r; where n = 0, r = x
 *     log(1 + r + d) = log(1 + r) + d/(1 + r),        d/(1 + r) ≈ d − d·r
 *
 * Worst f32, of all: 0.875 ULP at 0.40042081475257874 got 0.336772799492 want 0.336772773422.
 * Worst f64 seen: 0.809 ULP at 0.40289835417599584.
 */
// @ts-ignore: decorator
@inline
export function log1p<T>(x: v128): v128 {
  const one = shared<T>(EXP_ONE);
  const u = v128.add<T>(one, x);
  const c = v128.sub<T>(x, v128.sub<T>(u, one));
  const bits = shifted<T>(u);
  const n = exponent<T>(bits, at<T>(BIAS));
  const f = fraction<T>(bits);
  // 2⁻ⁿ, by the exponent fields; saturated at 0 for the largest n, where c is 0
  const scale = v128.sub_sat<u16>(at<T>(TOP), v128.andnot(bits, at<T>(FRACTION)));
  const e = v128.mul<T>(c, scale);
  const r = v128.add<T>(f, e);
  const d = v128.add<T>(v128.sub<T>(f, r), e);
  const low = madd<T>(n, shared<T>(EXP_LN2_TAIL), nmadd<T>(d, r, d));
  const y = special<T>(u, assemble<T>(n, r, low));
  return v128.or(y, v128.and(x, shared<T>(EXP_SIGN))); // −0, else +0 by the sums
}

/**
 * a + log(2ᵉ·(u + c)) of f64, c a correction of at most one ULP of u: all is summed exactly but the polynomial's share, so that
 * the error is 0.5 ULP of the result and 0.2 ULP of r or so. As `log` for special u; a is finite.
 */
export function addLog(a: v128, u: v128, c: v128, e: v128): v128 {
  const subnormal = v128.lt<f64>(u, at<f64>(SMALLEST));
  const bits = shifted<f64>(select(subnormal, v128.mul<f64>(u, at<f64>(SCALE)), u));
  const own = exponent<f64>(bits, select(subnormal, at<f64>(BIAS_SCALED), at<f64>(BIAS)));
  const n = v128.add<f64>(own, e);
  const f = fraction<f64>(bits);
  const g = v128.div<f64>(c, v128.div<f64>(u, v128.add<f64>(f, shared<f64>(EXP_ONE)))); // c·2⁻ⁿ of u's own n
  const r = v128.add<f64>(f, g);
  const d = v128.add<f64>(v128.sub<f64>(f, r), g);
  const low = madd<f64>(n, shared<f64>(EXP_LN2_TAIL), nmadd<f64>(d, r, d));
  const r2 = v128.mul<f64>(r, r);
  const small = nmadd<f64>(r2, at<f64>(HALF), logCubic<f64>(r, r2, low));
  const head = v128.mul<f64>(n, shared<f64>(EXP_LN2_HEAD));
  const sum = v128.add<f64>(a, head);
  const y = v128.add<f64>(sum, r);
  return special<f64>(
    u,
    v128.add<f64>(y, v128.add<f64>(v128.add<f64>(sumError(a, head, sum), sumError(sum, r, y)), small)),
  );
}
