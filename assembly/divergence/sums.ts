/**
 * The sums of a row, in f64 for either type: of the terms D, of the masses P (of JS P + Q) and of the changes C = Σ(q − p); and two
 * extremes.
 */
import { splat, sumF64, VECTOR } from "../lanes";

/** Vectors whose terms are summed in the type before they are added in f64: 16 roundings at most, 1 u or so in all. */
export const RUN = 16;

// sums of 32 bytes, two f64x2 each
const SUMS: usize = memory.data(128, 16);
const BYTES: usize = 128;
/** D; of JS, in f64, only that of p against m. */
export const D: usize = SUMS;
/** … and that of q against m. */
export const D_OF_Q: usize = SUMS + 32;
/** P; of JS P + Q. */
export const MASS: usize = SUMS + 64;
/** C. */
export const CHANGE: usize = SUMS + 96;
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
    v128.store(sum, v128.add<f64>(v128.load(sum, VECTOR), f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3))), VECTOR);
  } else v128.store(sum, v128.add<f64>(v128.load(sum), v));
}

// @ts-ignore: decorator
@inline
export function total(sum: usize): f64 {
  return sumF64(v128.add<f64>(v128.load(sum), v128.load(sum, VECTOR)));
}
