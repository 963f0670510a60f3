/**
 * The SIMD vocabulary: 128-bit vectors of f32 (four lanes) or f64 (two), one generic body for both.
 *
 * Every kernel above is written against these names and v128's own generics (v128.add<T>, …), so that
 * f32 and f64 are the same text. All functions are inlined; `sizeof<T>() == 4` is decided at compile time.
 */

/** Bytes of one vector. */
export const VECTOR: usize = 16;

/** A group is four vectors: the unit in which rows are walked. Four independent chains hide the latency
 *  of exp and log (1.21 → 1.45 G elements/s against one at a time). */
export const GROUP: usize = 4 * VECTOR;

/** Lanes of a vector: 4 f32 or 2 f64. */
// @ts-ignore: decorator
@inline
export function lanes<T>(): i32 {
  return <i32>(VECTOR / sizeof<T>());
}

/** Elements of one group: 16 f32 or 8 f64. */
// @ts-ignore: decorator
@inline
export function groupLength<T>(): i32 {
  return <i32>(GROUP / sizeof<T>());
}

/** All lanes hold the scalar at `ptr`. Constants come from static memory through this: the engine would
 *  rematerialise a literal splat at every use (0.72 → 1.2 G elements/s in log-sum-exp). */
// @ts-ignore: decorator
@inline
export function broadcast<T>(ptr: usize): v128 {
  if (sizeof<T>() == 4) return v128.load32_splat(ptr);
  return v128.load64_splat(ptr);
}

/** The i-th scalar of the constant table at `table`, in all lanes. */
// @ts-ignore: decorator
@inline
export function constant<T>(table: usize, i: i32): v128 {
  return broadcast<T>(table + <usize>i * sizeof<T>());
}

/** a·b + c: fused in the relaxed variant, two roundings in the base, which assembly/embed/unpack.ts makes. Error bounds must hold for both. */
// @ts-ignore: decorator
@inline
export function madd<T>(a: v128, b: v128, c: v128): v128 {
  return v128.relaxed_madd<T>(a, b, c);
}

/** c − a·b, fused likewise. */
// @ts-ignore: decorator
@inline
export function nmadd<T>(a: v128, b: v128, c: v128): v128 {
  return v128.relaxed_nmadd<T>(a, b, c);
}

/** The larger of each pair of lanes, one instruction on x86; NaN in `b` is lost, NaN in `a` survives. */
// @ts-ignore: decorator
@inline
export function maxKeepNaN<T>(a: v128, b: v128): v128 {
  return v128.pmax<T>(a, b); // a < b ? b : a
}

/** The smaller of each pair of lanes; NaN in `a` survives. */
// @ts-ignore: decorator
@inline
export function minKeepNaN<T>(a: v128, b: v128): v128 {
  return v128.pmin<T>(a, b); // b < a ? b : a
}

/** |a|. */
// @ts-ignore: decorator
@inline
export function abs<T>(a: v128): v128 {
  return v128.abs<T>(a);
}

/** Lanes of `a` where `mask` is all ones, of `b` where it is zero. */
// @ts-ignore: decorator
@inline
export function select(mask: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, mask);
}

/** A bit for each lane of a mask. */
// @ts-ignore: decorator
@inline
export function laneBits<T>(mask: v128): i32 {
  return sizeof<T>() == 4 ? i32x4.bitmask(mask) : i64x2.bitmask(mask);
}

/** The sum of the lanes of an f64x2. */
// @ts-ignore: decorator
@inline
export function sumF64(a: v128): f64 {
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}

/** The largest lane, as a scalar; NaN if any lane is NaN. */
// @ts-ignore: decorator
@inline
export function maxLane<T>(a: v128): T {
  let m = v128.max<T>(a, i32x4.shuffle(a, a, 2, 3, 0, 1));
  if (sizeof<T>() == 4) {
    m = v128.max<T>(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
    return <T>f32x4.extract_lane(m, 0);
  }
  return <T>f64x2.extract_lane(m, 0);
}

/** The largest lane, in all lanes, where none is NaN: two instructions a step where v128.max takes eight. */
// @ts-ignore: decorator
@inline
export function largest<T>(a: v128): v128 {
  const m = v128.pmax<T>(a, i32x4.shuffle(a, a, 2, 3, 0, 1));
  return sizeof<T>() == 8 ? m : v128.pmax<T>(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
}

/** 64 ones followed by 64 zeros: the mask of a tail is read from it at a sliding offset. */
const TAIL = memory.data<u64>([-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0]);

/** The mask of vector `v` (0…3) of a group of which `count` elements remain: ones where an element is. */
// @ts-ignore: decorator
@inline
export function tailMask<T>(count: i32, v: i32): v128 {
  return byteMask(<usize>count * sizeof<T>(), v);
}

/** The same of a group of which `bytes` remain. */
// @ts-ignore: decorator
@inline
export function byteMask(bytes: usize, v: i32): v128 {
  return v128.load(TAIL + GROUP - bytes + <usize>v * VECTOR);
}

/** A store that leaves memory beyond the tail as it is. */
// @ts-ignore: decorator
@inline
export function storeTail(ptr: usize, mask: v128, value: v128): void {
  v128.store(ptr, v128.bitselect(value, v128.load(ptr), mask));
}

/** A vector constant of the type, from a literal: outside loops only. */
// @ts-ignore: decorator
@inline
export function splat<T>(value: T): v128 {
  return v128.splat<T>(value);
}

/** Half h of a vector as f64x2; for f64 the vector itself is the one half. */
// @ts-ignore: decorator
@inline
export function half<T>(v: v128, h: i32): v128 {
  if (sizeof<T>() == 8) return v;
  return f64x2.promote_low_f32x4(h ? i32x4.shuffle(v, v, 2, 3, 2, 3) : v);
}

/** The vector of two f64 halves. */
// @ts-ignore: decorator
@inline
export function join<T>(low: v128, high: v128): v128 {
  if (sizeof<T>() == 8) return low;
  return i32x4.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

/** Two elements at `ptr`, as f64. */
// @ts-ignore: decorator
@inline
export function loadPair<T>(ptr: usize): v128 {
  if (sizeof<T>() == 8) return v128.load(ptr);
  return f64x2.promote_low_f32x4(v128.load64_zero(ptr));
}

/** Writes two elements to `ptr`, and no more. */
// @ts-ignore: decorator
@inline
export function storePair<T>(ptr: usize, v: v128): void {
  if (sizeof<T>() == 8) v128.store(ptr, v);
  else v128.store64_lane(ptr, f32x4.demote_f64x2_zero(v), 0);
}

/** Column k, a constant, of the square whose rows are r0 …: 4×4 f32, or 2×2 f64, of r0 and r1. The optimiser computes once what columns share. */
// @ts-ignore: decorator
@inline
export function columnOf<T>(k: i32, r0: v128, r1: v128, r2: v128, r3: v128): v128 {
  if (sizeof<T>() == 8) return k == 0 ? i64x2.shuffle(r0, r1, 0, 2) : i64x2.shuffle(r0, r1, 1, 3);
  const upper = k < 2 ? i32x4.shuffle(r0, r1, 0, 4, 1, 5) : i32x4.shuffle(r0, r1, 2, 6, 3, 7);
  const lower = k < 2 ? i32x4.shuffle(r2, r3, 0, 4, 1, 5) : i32x4.shuffle(r2, r3, 2, 6, 3, 7);
  return k & 1 ? i64x2.shuffle(upper, lower, 1, 3) : i64x2.shuffle(upper, lower, 0, 2);
}

/** The rounding error of sum = a + b, f64 (Knuth's two-sum). */
// @ts-ignore: decorator
@inline
export function sumError(a: v128, b: v128, sum: v128): v128 {
  const w = v128.sub<f64>(sum, a);
  return v128.add<f64>(v128.sub<f64>(a, v128.sub<f64>(sum, w)), v128.sub<f64>(b, w));
}

/** The rounding error of product = a·b, f64 (Dekker's two-product; relaxed SIMD does not promise a fused one). */
export function productError(a: v128, b: v128, product: v128): v128 {
  const split = f64x2.splat(134217729); // 2^27 + 1
  const as = v128.mul<f64>(a, split);
  const bs = v128.mul<f64>(b, split);
  const a1 = v128.sub<f64>(as, v128.sub<f64>(as, a));
  const b1 = v128.sub<f64>(bs, v128.sub<f64>(bs, b));
  const a2 = v128.sub<f64>(a, a1);
  const b2 = v128.sub<f64>(b, b1);
  const rest = v128.sub<f64>(
    v128.sub<f64>(v128.sub<f64>(product, v128.mul<f64>(a1, b1)), v128.mul<f64>(a2, b1)),
    v128.mul<f64>(a1, b2),
  );
  return v128.sub<f64>(v128.mul<f64>(a2, b2), rest);
}
