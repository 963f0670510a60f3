/**
 * A strip is the unit every row kernel works on: `count` groups of four vectors, `stride` bytes apart.
 *
 *     along a row:   the groups of one row, end to end        stride = 64 bytes, count = ⌊n / group⌋
 *
 *       x ─▶ [v0 v1 v2 v3][v0 v1 v2 v3] … [tail, padded, in TAIL]
 *
 *     across rows:   one group wide, one row per lane         stride = bytes of a tile line, count = n
 *
 *       x ─▶ [v0 v1 v2 v3] ⋯      lane j of vector v is column 4v + j (f32), 2v + j (f64):
 *            [v0 v1 v2 v3] ⋯      a softmax over an axis that is not the last
 *                  ⋮
 *
 * What a pass leaves for the next stands in static memory, one vector a column (along a row all lanes agree and
 * only vector 0 is used). So a row may be cut anywhere between groups, and the bits of its result do not change.
 */
import { groupLength, select, splat, tailMask, VECTOR } from "../lanes";
import { SUM_BYTES } from "../sum";

/** Four vectors each. */
export const TOP: usize = memory.data(64, 16); // the maximum a
export const NEAR: usize = memory.data(64, 16); // a − a′: what is left of the maximum
export const SHIFT: usize = memory.data(64, 16); // a′, subtracted from x; see exponential.ts
export const FLOOR: usize = memory.data(64, 16); // where x − a′ is cut off
export const BIAS: usize = memory.data(64, 16); // added to the exponent bits
export const FACTOR: usize = memory.data(64, 16); // what the last pass multiplies by or subtracts
export const FOUND: usize = memory.data(64, 16); // ones where a maximum has been met

/** Four sums; see sum.ts. */
export const SUM: usize = memory.data(128, 16);

/** The padded last group of a row. */
export const TAIL: usize = memory.data(64, 16);

/** Elements of a row beyond its whole groups. */
// @ts-ignore: decorator
@inline
export function tailLength<T>(n: i32): i32 {
  return n & (groupLength<T>() - 1);
}

/** Whole groups of a row. */
// @ts-ignore: decorator
@inline
export function wholeGroups<T>(n: i32): i32 {
  return n / groupLength<T>();
}

/** Copies the last `tail` elements of a row into TAIL, with `pad` behind them. */
export function loadTailGroup<T>(x: usize, tail: i32, pad: T): void {
  const padding = splat<T>(pad);
  for (let v = 0; v < 4; v++) {
    const at = <usize>v * VECTOR;
    v128.store(TAIL + at, select(tailMask<T>(tail, v), v128.load(x + at), padding));
  }
}

/** Writes TAIL back: `tail` elements, and what lies behind them stays as it is. */
export function storeTailGroup<T>(y: usize, tail: i32): void {
  for (let v = 0; v < 4; v++) {
    const at = <usize>v * VECTOR;
    v128.store(y + at, select(tailMask<T>(tail, v), v128.load(TAIL + at), v128.load(y + at)));
  }
}

/** Sets four vectors to `value`; a memory.fill is a call of 10 ns. */
// @ts-ignore: decorator
@inline
export function spread(ptr: usize, value: v128): void {
  v128.store(ptr, value);
  v128.store(ptr, value, 16);
  v128.store(ptr, value, 32);
  v128.store(ptr, value, 48);
}

/** Sets all four sums to zero. */
// @ts-ignore: decorator
@inline
export function clearSums(): void {
  spread(SUM, i32x4.splat(0));
  spread(SUM + 2 * SUM_BYTES, i32x4.splat(0));
}
