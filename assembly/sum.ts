/**
 * Sums: compensated ones, for terms of one sign or where half an ULP of the largest term is enough, and exact ones, for terms
 * that cancel. Both stand in memory, so that a row may be summed piece by piece.
 */
import { half, sumError, sumF64, VECTOR } from "./lanes";

/** A compensated sum is two f64x2. f32 data: the low and the high lanes, in f64. f64 data: the head, and behind it the tail, what rounding took from it. */
export const SUM_BYTES: usize = 32;

// @ts-ignore: decorator
@inline
export function clearSum(sum: usize): void {
  v128.store(sum, i32x4.splat(0));
  v128.store(sum, i32x4.splat(0), VECTOR);
}

/** Adds the lanes of `v` to the sum at `sum`: f32 lanes in f64; f64 lanes by Knuth's two-sum, the error kept. */
// @ts-ignore: decorator
@inline
export function addTo<T>(sum: usize, v: v128): void {
  if (sizeof<T>() == 4) {
    v128.store(sum, v128.add<f64>(v128.load(sum), half<T>(v, 0)));
    v128.store(sum, v128.add<f64>(v128.load(sum, VECTOR), half<T>(v, 1)), VECTOR);
  } else {
    const head = v128.load(sum);
    const s = v128.add<f64>(head, v);
    v128.store(sum, s);
    v128.store(sum, v128.add<f64>(v128.load(sum, VECTOR), sumError(head, v, s)), VECTOR);
  }
}

/** The value of a compensated sum. Once the head is infinite its tail is ∞ − ∞, NaN, and is dropped. */
// @ts-ignore: decorator
@inline
export function valueOf(head: f64, tail: f64): f64 {
  return head - head == 0 ? head + tail : head;
}

/** The same of two sums, one in each lane. */
// @ts-ignore: decorator
@inline
export function valuesOf(heads: v128, tails: v128): v128 {
  const finite = v128.eq<f64>(v128.sub<f64>(heads, heads), f64x2.splat(0));
  return v128.add<f64>(heads, v128.and(tails, finite));
}

/** The value of a compensated sum in registers: what its two lanes add up to, and what rounding lost of them. */
// @ts-ignore: decorator
@inline
export function compensated(sum: v128, lost: v128): f64 {
  return valueOf(sumF64(sum), sumF64(lost));
}

/** The value of the sum at `sum`. */
// @ts-ignore: decorator
@inline
export function totalOf<T>(sum: usize): f64 {
  const first = sumF64(v128.load(sum));
  const second = sumF64(v128.load(sum, VECTOR));
  return sizeof<T>() == 4 ? first + second : valueOf(first, second);
}

/**
 * An exact sum is a fixed-point number in chunks of 32 bits, each in 64, so that carries may wait for 2³⁰ additions (Neal, Fast
 * exact summation using small and large superaccumulators, 2015):
 *
 *     Σ = 2^−1074 · Σᵢ chunkᵢ·2^{32i}
 *
 * 67 chunks hold any f64. `shift` moves a term up, for exponents beyond those of f64: with more chunks, and a scale of the caller's.
 */
// @ts-ignore: decorator
@inline
export function addExactly(sum: usize, value: f64, shift: i32): void {
  const bits = reinterpret<i64>(value);
  addInteger(sum, mantissaOf(bits), positionOf(bits) + shift, bits >> 63);
}

/** Adds ±magnitude·2^position, of a magnitude below 2^63; `sign` is 0, or −1 for minus. */
// @ts-ignore: decorator
@inline
export function addInteger(sum: usize, magnitude: i64, position: i32, sign: i64): void {
  const chunk = sum + ((<usize>(position >> 5)) << 3);
  const up = <i64>(position & 31);
  const low = (magnitude << up) & 0xffffffff;
  const middle = (magnitude >> (32 - up)) & 0xffffffff;
  const high = (magnitude >> 32) >> (32 - up); // a shift by 64 is one by 0
  // (v ^ sign) − sign is ±v
  store<i64>(chunk, load<i64>(chunk) + ((low ^ sign) - sign));
  store<i64>(chunk, load<i64>(chunk, 8) + ((middle ^ sign) - sign), 8);
  store<i64>(chunk, load<i64>(chunk, 16) + ((high ^ sign) - sign), 16);
}

/** A finite f64 is ±mantissa·2^{position − 1074}. */
// @ts-ignore: decorator
@inline
function positionOf(bits: i64): i32 {
  return max((<i32>(bits >> 52)) & 0x7ff, 1) - 1;
}
// @ts-ignore: decorator
@inline
function mantissaOf(bits: i64): i64 {
  const fraction = bits & 0x000fffffffffffff;
  return (bits & 0x7ff0000000000000) != 0 ? fraction | 0x0010000000000000 : fraction;
}

/**
 * Adds x·y, all 106 bits of it, to an exact sum in units of 2^−2148, of which 133 chunks hold any product of two f64. The
 * mantissas are multiplied in halves of 32 bits, and the product, high·2^64 + low, is cut into five chunks.
 */
export function addProductExactly(sum: usize, x: f64, y: f64): void {
  const a = reinterpret<i64>(x);
  const b = reinterpret<i64>(y);
  const position = positionOf(a) + positionOf(b);
  const a0 = mantissaOf(a) & 0xffffffff,
    a1 = mantissaOf(a) >> 32;
  const b0 = mantissaOf(b) & 0xffffffff,
    b1 = mantissaOf(b) >> 32;
  const first = <u64>a0 * <u64>b0;
  const cross = <u64>(a0 * b1 + a1 * b0); // below 2^54
  const low = first + (cross << 32);
  const high = <u64>(a1 * b1) + (cross >> 32) + <u64>(low < first);
  const chunk = sum + ((<usize>(position >> 5)) << 3);
  const up = <u64>(position & 31);
  const down = 32 - up;
  const sign = (a ^ b) >> 63;
  addChunk(chunk, (low << up) & 0xffffffff, sign);
  addChunk(chunk + 8, (low >> down) & 0xffffffff, sign);
  addChunk(chunk + 16, (((low >> 32) >> down) | (high << up)) & 0xffffffff, sign);
  addChunk(chunk + 24, (high >> down) & 0xffffffff, sign);
  addChunk(chunk + 32, (high >> 32) >> down, sign);
}

// @ts-ignore: decorator
@inline
function addChunk(chunk: usize, value: u64, sign: i64): void {
  store<i64>(chunk, load<i64>(chunk) + (((<i64>value) ^ sign) - sign));
}

/** Carries: every chunk but the last is from 0 to 2³² − 1 afterwards, and the last has the sign of the sum. */
export function carryExactly(sum: usize, chunks: i32): void {
  let carry: i64 = 0;
  for (; chunks > 1; chunks--) {
    const chunk = load<i64>(sum) + carry;
    store<i64>(sum, chunk & 0xffffffff);
    carry = chunk >> 32;
    sum += 8;
  }
  store<i64>(sum, load<i64>(sum) + carry);
}

/** Of a positive exact sum, 2^exponent·(head + tail), right to 2^−97 of itself. */
export let exactHead: f64 = 0;
export let exactTail: f64 = 0;
export let exactExponent: i32 = 0;

/** Reads a sum whose carries are done: its sign, −1, 0 or 1; if positive, the parts above. */
export function readExactly(sum: usize, chunks: i32): i32 {
  let i = chunks - 1;
  if (load<i64>(sum + ((<usize>i) << 3)) < 0) return -1;
  while (i >= 0 && load<i64>(sum + ((<usize>i) << 3)) == 0) i--;
  if (i < 0) return 0;
  exactExponent = 32 * i - 1074;
  let unit: f64 = 1;
  exactHead = 0;
  exactTail = 0;
  for (let k = 0; k < 4 && i >= 0; k++, i--) {
    const part = <f64>load<i64>(sum + ((<usize>i) << 3)) * unit;
    const head = exactHead + part; // a part is below the last bit of the one before
    exactTail += part - (head - exactHead);
    exactHead = head;
    unit *= 2.3283064365386963e-10; // 2^-32
  }
  return 1;
}
