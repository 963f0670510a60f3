/**
 * Narrow rows, transposed: as many rows as there are lanes become a tile, whose line j is element j of each.
 *
 *     rows      a0 a1 a2 …        tile      a0 b0 c0 d0
 *               b0 b1 b2 …    ⇄             a1 b1 c1 d1
 *               c0 c1 c2 …                  a2 b2 c2 d2
 *               d0 d1 d2 …                   ⋮
 *
 * A batch of tiles is a batch across rows: no vector is partly empty and nothing is reduced across lanes. Of ten elements f32 that
 * takes half the time of rows along. What is read beyond a row is not looked at; what is written beyond one, by its last vector, is
 * written over by the next, and behind the last one put back.
 */
import { columnOf, lanes, VECTOR } from "../lanes";
import { narrowest } from "./exponential";
import { BATCH } from "./batch";

/** Bytes of a tile: as many lines as a narrow row has elements. */
// @ts-ignore: decorator
@inline
export function tileBytes<T>(): usize {
  return <usize>narrowest<T>() * VECTOR;
}

/** Those of a batch: 16 of f32, of 3 KiB, or 32 of f64; and those of its targets. */
export const TILES: usize = memory.data(4096, 16);
export const TARGET_TILES: usize = memory.data(4096, 16);

/** How many of some rows go as tiles: whole tiles. */
// @ts-ignore: decorator
@inline
export function tiled<T>(rows: i32, n: i32): i32 {
  return n <= narrowest<T>() ? min(rows, BATCH) & -lanes<T>() : 0;
}

/** Squares from `from` to `to`: lines `fromLine` bytes apart become lines `toLine` apart. */
// @ts-ignore: decorator
@inline
function transpose<T>(from: usize, fromLine: usize, to: usize, toLine: usize): void {
  const r0 = v128.load(from),
    r1 = v128.load(from + fromLine);
  if (sizeof<T>() == 8) {
    v128.store(to, columnOf<T>(0, r0, r1, r0, r1));
    v128.store(to + toLine, columnOf<T>(1, r0, r1, r0, r1));
    return;
  }
  const r2 = v128.load(from + 2 * fromLine),
    r3 = v128.load(from + 3 * fromLine);
  v128.store(to, columnOf<T>(0, r0, r1, r2, r3));
  v128.store(to + toLine, columnOf<T>(1, r0, r1, r2, r3));
  v128.store(to + 2 * toLine, columnOf<T>(2, r0, r1, r2, r3));
  v128.store(to + 3 * toLine, columnOf<T>(3, r0, r1, r2, r3));
}

/** Rows at x to tiles. */
export function gather<T>(x: usize, tile: usize, rows: i32, n: i32): void {
  const row = <usize>n * sizeof<T>();
  for (; rows > 0; rows -= lanes<T>()) {
    for (let at: usize = 0, to = tile; at < row; at += VECTOR, to += VECTOR * lanes<T>())
      transpose<T>(x + at, row, to, VECTOR);
    x += row * lanes<T>();
    tile += tileBytes<T>();
  }
}

/** TILES to rows at y. */
export function scatter<T>(y: usize, rows: i32, n: i32): void {
  const row = <usize>n * sizeof<T>();
  const beyond = y + <usize>rows * row;
  const behind = v128.load(beyond);
  const last = (row - 1) & -VECTOR;
  for (let tile = TILES; rows > 0; rows -= lanes<T>()) {
    // the last vectors first: they reach into the rows that follow
    for (let at = <isize>last; at >= 0; at -= VECTOR)
      transpose<T>(tile + <usize>at * lanes<T>(), VECTOR, y + <usize>at, row);
    y += row * lanes<T>();
    tile += tileBytes<T>();
  }
  v128.store(beyond, behind);
}
