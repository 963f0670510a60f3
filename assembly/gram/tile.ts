/**
 * The micro-kernel: a tile of the matrix C = Σₖ f(A[i, k], B[j, k]), held in registers while k runs.
 *
 *                 b ─▶ [b0 b1]  a panel of B, k after k: two vectors side by side
 *     a0 ─▶ x x x …    c00 c01
 *     a1 ─▶ x x x …    c10 c11     one scalar of each row of A, in all lanes
 *      ⋮                 ⋮
 *
 * f is x·y, (x − y)² or |x − y|. The rows of A stand where they were staged, row-major; only B is packed (see panel.ts).
 * Every element is one chain over k, the same wherever in a tile or block it lies.
 *
 * 15 registers hold a tile. Products have 5 rows: 10 sums, b0, b1, x, and the product where it is a value of its own; fused, 6 rows
 * would fit, and be 3 % faster, but both variants are one text (assembly/embed/unpack.ts). Where a difference is a value too, 4 rows.
 * GFLOP/s, f32, KC = 256, Zen 5 with 69 at its peak of 128 bits: fused 6 rows 67 to 70, 4 rows 62; mul and add 5 rows 64 to 66,
 * 4 rows 65, 6 rows 35. Two k at a time make the engine load ahead, and spill: 45 (6 rows, fused), 41 and 46 (4 and 5 rows, mul and add).
 */
import { abs, broadcast, madd, VECTOR } from "../lanes";
import { DISTANCES, DOT, SQUARES } from "./codes";

/** Bytes of a panel of B per k: two vectors. */
export const PANEL_BYTES: usize = 2 * VECTOR;

/** Columns of a tile, which is the width of a panel. */
// @ts-ignore: decorator
@inline
export function panelColumns<T>(): i32 {
  return <i32>(PANEL_BYTES / sizeof<T>());
}

/** Rows of a tile. */
// @ts-ignore: decorator
@inline
export function tileRows(mode: i32): i32 {
  return mode == DOT ? 5 : 4;
}

// @ts-ignore: decorator
@inline
function step<T>(mode: i32, x: v128, y: v128, c: v128): v128 {
  if (mode == DOT) return madd<T>(x, y, c);
  const d = v128.sub<T>(x, y);
  if (mode == SQUARES) return madd<T>(d, d, c);
  return v128.add<T>(c, abs<T>(d));
}

/** Writes one row of the tile. */
// @ts-ignore: decorator
@inline
function put(c: usize, c0: v128, c1: v128): void {
  v128.store(c, c0);
  v128.store(c, c1, VECTOR);
}

/** A tile that is added to what C holds, its rows one after the other. */
export const SUMS: usize = memory.data(192, 16);

/** C += the tile at SUMS. Not in the tile itself: with loads of C behind its loop an engine keeps a sum on the stack, at half the speed. */
export function addSums<T>(rows: i32, c: usize, ldc: usize): void {
  const end = SUMS + <usize>rows * PANEL_BYTES;
  for (let s = SUMS; s < end; s += PANEL_BYTES, c += ldc) {
    v128.store(c, v128.add<T>(v128.load(c), v128.load(s)));
    v128.store(c, v128.add<T>(v128.load(c, VECTOR), v128.load(s, VECTOR)), VECTOR);
  }
}

/** mode and rows are constants; lda and ldc, the distance of two rows, are bytes. A line for each row of the tile. */
// prettier-ignore
// @ts-ignore: decorator
@inline
function tile<T>(mode: i32, rows: i32, a0: usize, lda: usize, b: usize, depth: i32, c: usize, ldc: usize): void {
  let a1 = a0 + lda, a2 = a1 + lda, a3 = a2 + lda, a4 = a3 + lda, a5 = a4 + lda;
  const zero = v128.splat<T>(0);
  let c00 = zero, c10 = zero, c20 = zero, c30 = zero, c40 = zero, c50 = zero;
  let c01 = zero, c11 = zero, c21 = zero, c31 = zero, c41 = zero, c51 = zero;
  let x: v128, b0: v128, b1: v128;
  for (; depth > 0; depth--) {
    b0 = v128.load(b);
    b1 = v128.load(b, VECTOR);
    x = broadcast<T>(a0); c00 = step<T>(mode, x, b0, c00); c01 = step<T>(mode, x, b1, c01);
    x = broadcast<T>(a1); c10 = step<T>(mode, x, b0, c10); c11 = step<T>(mode, x, b1, c11);
    x = broadcast<T>(a2); c20 = step<T>(mode, x, b0, c20); c21 = step<T>(mode, x, b1, c21);
    x = broadcast<T>(a3); c30 = step<T>(mode, x, b0, c30); c31 = step<T>(mode, x, b1, c31);
    if (rows > 4) { x = broadcast<T>(a4); c40 = step<T>(mode, x, b0, c40); c41 = step<T>(mode, x, b1, c41); }
    if (rows > 5) { x = broadcast<T>(a5); c50 = step<T>(mode, x, b0, c50); c51 = step<T>(mode, x, b1, c51); }
    a0 += sizeof<T>(); a1 += sizeof<T>(); a2 += sizeof<T>(); a3 += sizeof<T>();
    if (rows > 4) a4 += sizeof<T>();
    if (rows > 5) a5 += sizeof<T>();
    b += PANEL_BYTES;
  }
  put(c, c00, c01); c += ldc;
  put(c, c10, c11); c += ldc;
  put(c, c20, c21); c += ldc;
  put(c, c30, c31); c += ldc;
  if (rows > 4) { put(c, c40, c41); c += ldc; }
  if (rows > 5) put(c, c50, c51);
}

export function dotTile<T>(a: usize, lda: usize, b: usize, depth: i32, c: usize, ldc: usize): void {
  tile<T>(DOT, tileRows(DOT), a, lda, b, depth, c, ldc);
}

export function squaresTile<T>(a: usize, lda: usize, b: usize, depth: i32, c: usize, ldc: usize): void {
  tile<T>(SQUARES, tileRows(SQUARES), a, lda, b, depth, c, ldc);
}

export function distancesTile<T>(a: usize, lda: usize, b: usize, depth: i32, c: usize, ldc: usize): void {
  tile<T>(DISTANCES, tileRows(DISTANCES), a, lda, b, depth, c, ldc);
}
