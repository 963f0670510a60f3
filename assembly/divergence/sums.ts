/**
 * The sums of a row, in f64 for either type: of the terms of the divergence, of the masses and of the changes q − p; and two extremes.
 */
import { splat, sumError, sumF64, VECTOR } from "../lanes";

// each of 48 bytes: two f64x2, and one that holds what their roundings have lost
const SUMS: usize = memory.data(288, 16);
const BYTES: usize = 288;
/** Of JS, the terms of p against m; of KL, all. */
export const TERMS_OF_P: usize = SUMS;
/** Of JS, the terms of q against m. */
export const TERMS_OF_Q: usize = SUMS + 48;
/** Σp; of JS Σ(p + q). */
export const MASS: usize = SUMS + 96;
/** Σ(q − p). */
export const CHANGE: usize = SUMS + 144;
/**
 * Σ p·log(p/m) and Σ q·log(q/m), where not both are made to sum to 1: beside a mass of 1e20 the other sums would have no digits of
 * the half that has a mass of 1.
 */
export const HALF_OF_P: usize = SUMS + 192;
export const HALF_OF_Q: usize = SUMS + 240;
/** The least of all elements. */
export const LEAST: usize = memory.data(16, 16);
/** The largest of min(p, q): 0 where the supports are disjoint. */
export const OVERLAP: usize = memory.data(16, 16);

export function clearSums<T>(): void {
  const zero = i32x4.splat(0);
  for (let i: usize = 0; i < BYTES; i += VECTOR) v128.store(SUMS + i, zero);
  v128.store(OVERLAP, zero);
  v128.store(LEAST, splat<T>(<T>Infinity));
}

/** Adds the lanes of a vector. */
// @ts-ignore: decorator
@inline
export function addTo<T>(sum: usize, v: v128): void {
  if (sizeof<T>() == 4) {
    v128.store(sum, v128.add<f64>(v128.load(sum), f64x2.promote_low_f32x4(v)));
    v128.store(
      sum,
      v128.add<f64>(v128.load(sum, VECTOR), f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3))),
      VECTOR,
    );
  } else v128.store(sum, v128.add<f64>(v128.load(sum), v));
}

/** Adds the lanes of a to one sum and those of b to another, in the type by pairs first: half the conversions. */
// @ts-ignore: decorator
@inline
export function addBothTo<T>(sumA: usize, a: v128, sumB: usize, b: v128): void {
  if (sizeof<T>() == 4) {
    const pairs = v128.add<f32>(i32x4.shuffle(a, b, 0, 1, 4, 5), i32x4.shuffle(a, b, 2, 3, 6, 7));
    v128.store(sumA, v128.add<f64>(v128.load(sumA), f64x2.promote_low_f32x4(pairs)));
    v128.store(sumB, v128.add<f64>(v128.load(sumB), f64x2.promote_low_f32x4(i32x4.shuffle(pairs, pairs, 2, 3, 2, 3))));
  } else {
    addTo<T>(sumA, a);
    addTo<T>(sumB, b);
  }
}

/** Adds an f64x2 and keeps the rounding error, unless the sum is infinite: the error is NaN then. */
export function addExactly(sum: usize, v: v128): void {
  const before = v128.load(sum);
  const after = v128.add<f64>(before, v);
  const error = sumError(before, v, after);
  v128.store(sum, after);
  v128.store(sum, v128.add<f64>(v128.load(sum, 2 * VECTOR), v128.and(error, v128.eq<f64>(error, error))), 2 * VECTOR);
}

// @ts-ignore: decorator
@inline
export function total(sum: usize): f64 {
  return sumF64(v128.add<f64>(v128.load(sum), v128.load(sum, VECTOR))) + sumF64(v128.load(sum, 2 * VECTOR));
}
