/** The groups of a row: four vectors each, and a last one that is padded. */
import { groupLength, select, splat, tailMask, VECTOR } from "../lanes";

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
