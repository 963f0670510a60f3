/**
 * A batch is up to 64 rows that go through a kernel together, pass by pass: the passes of different rows are independent, so that
 * their latencies overlap (a row by itself waits some 40 ns for its maximum, its division, its logarithm). Its rows stand in one
 * of two ways, and a unit is what a pass walks at a time:
 *
 *     along      a row after the other: a unit is a row, its vectors 16 bytes apart
 *
 *       x ─▶ [v0 v1 v2 v3][v0 v1 v2 v3] … [a last group, of which some elements are masked]
 *
 *     across     rows in the lanes: a unit is one vector of every line, 4 rows of f32 or 2 of f64, its vectors a line apart
 *
 *       x ─▶ [v0] ⋯      lane j of every vector is column j: a softmax over an axis that is not the last,
 *            [v1] ⋯      or narrow rows, transposed (narrow.ts)
 *             ⋮
 *
 * Either way a group is four vectors of a unit, and the same strip walks it. What a pass leaves for the next stands in static
 * memory, a number for each row: of a batch across rows that is a vector a unit, so that what is done once a row is done for
 * as many rows as there are lanes, however they stand.
 */
import { broadcast, lanes, VECTOR } from "../lanes";
import { SUM_BYTES } from "../sum";
import { spread, tailLength, wholeGroups } from "./strip";

/** Rows of a batch at most. */
export const BATCH = 64;

/** One number of the type for each row; a vector may be written where the last one stands. */
export const TOP: usize = memory.data(520, 16); // the maximum a
export const NEAR: usize = memory.data(512, 16); // a − a′: what is left of the maximum
export const SHIFT: usize = memory.data(512, 16); // a′, subtracted from x; see exponential.ts
export const FLOOR: usize = memory.data(512, 16); // where x − a′ is cut off
export const MAGIC: usize = memory.data(512, 16); // rounds to an integer, and biases it as an exponent
export const FACTOR: usize = memory.data(512, 16); // what the last pass multiplies by or subtracts

/** The sum of each row: f32 one f64; f64 the heads of two rows, then what rounding took from them. */
export const SUM: usize = memory.data(1040, 16);

/** Three sums of the unit that is being walked, see sum.ts; and behind them, where a row is scored, that of its entropy. */
export const PARTS: usize = memory.data(128, 16);

/** Whether rows stand in the lanes. */
export let across = false;
/** Bytes from a unit to the next, and from a vector of a unit to the next. */
export let unitBytes: usize = 0;
export let step: usize = VECTOR;
/** Whole groups of a unit, and the bytes of its last one that count, 0 if all groups are whole. */
export let groups = 0;
export let tail: usize = 0;

/** Rows of n elements, one after the other. */
export function placeAlong<T>(n: i32): void {
  across = false;
  unitBytes = <usize>n * sizeof<T>();
  step = VECTOR;
  groups = wholeGroups<T>(n);
  tail = <usize>tailLength<T>(n) * sizeof<T>();
}

/** Rows in the lanes: n lines, `line` bytes apart; units `unit` bytes apart. */
export function placeAcross(n: i32, line: usize, unit: usize): void {
  across = true;
  unitBytes = unit;
  step = line;
  groups = n >> 2;
  tail = <usize>(n & 3) * VECTOR;
}

/** How many rows of n elements along go together: as many as 16 KiB hold, half of an L1, so that every pass finds them there. */
// @ts-ignore: decorator
@inline
export function batchOf<T>(n: i32): i32 {
  return max(lanes<T>(), min(BATCH, (16384 / max(1, n * <i32>sizeof<T>())) & -lanes<T>()));
}

/** Units of so many rows. */
// @ts-ignore: decorator
@inline
export function unitsOf<T>(rows: i32): i32 {
  return across ? (rows + lanes<T>() - 1) / lanes<T>() : rows;
}

/** Where element j of a row stands, of a batch at x. */
// @ts-ignore: decorator
@inline
export function elementOf<T>(x: usize, row: i32, j: i32): usize {
  if (!across) return x + <usize>row * unitBytes + <usize>j * sizeof<T>();
  const unit = row >>> (sizeof<T>() == 4 ? 2 : 1);
  return x + <usize>unit * unitBytes + <usize>j * step + <usize>(row & (lanes<T>() - 1)) * sizeof<T>();
}

/** What stands at `state` for the rows of a unit: along a row in all lanes. */
// @ts-ignore: decorator
@inline
export function stateOf<T>(state: usize, unit: i32): v128 {
  return across ? v128.load(state + <usize>unit * VECTOR) : broadcast<T>(state + <usize>unit * sizeof<T>());
}

/** Sets the sums of a unit to zero. */
// @ts-ignore: decorator
@inline
export function clearParts(): void {
  spread(PARTS, i32x4.splat(0));
  v128.store(PARTS, i32x4.splat(0), 2 * SUM_BYTES);
  v128.store(PARTS, i32x4.splat(0), 2 * SUM_BYTES + VECTOR);
}
