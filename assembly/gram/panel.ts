/** Moves matrices about: packs panels of B, and transposes. All in squares of one vector, 4×4 f32 or 2×2 f64. */
import { columnOf, lanes, VECTOR } from "../lanes";
import { PANEL_BYTES, panelColumns } from "./tile";

/** y[j, i] = x[i, j] of one square; ldx and ldy, the distance of two rows, are bytes. */
// @ts-ignore: decorator
@inline
function transposeSquare<T>(x: usize, ldx: usize, y: usize, ldy: usize): void {
  const r0 = v128.load(x);
  const r1 = v128.load(x + ldx);
  const r2 = sizeof<T>() == 4 ? v128.load(x + 2 * ldx) : r0;
  const r3 = sizeof<T>() == 4 ? v128.load(x + 3 * ldx) : r0;
  v128.store(y, columnOf<T>(0, r0, r1, r2, r3));
  v128.store(y + ldy, columnOf<T>(1, r0, r1, r2, r3));
  if (sizeof<T>() == 8) return;
  v128.store(y + 2 * ldy, columnOf<T>(2, r0, r1, r2, r3));
  v128.store(y + 3 * ldy, columnOf<T>(3, r0, r1, r2, r3));
}

/** y[j, i] = x[i, j] for rows [rows, columns] of x. */
export function transpose<T>(x: usize, ldx: usize, rows: i32, columns: i32, y: usize, ldy: usize): void {
  const w = lanes<T>();
  let i = 0;
  for (; i <= rows - w; i += w) {
    const from = x + <usize>i * ldx;
    const to = y + <usize>i * sizeof<T>();
    let j = 0;
    for (; j <= columns - w; j += w) transposeSquare<T>(from + <usize>j * sizeof<T>(), ldx, to + <usize>j * ldy, ldy);
    corner<T>(x, ldx, i, i + w, j, columns, y, ldy);
  }
  corner<T>(x, ldx, i, rows, 0, columns, y, ldy);
}

/** What squares do not cover: rows [i, iEnd), columns [from, to). */
function corner<T>(x: usize, ldx: usize, i: i32, iEnd: i32, from: i32, to: i32, y: usize, ldy: usize): void {
  for (; i < iEnd; i++) {
    for (let j = from; j < to; j++) {
      store<T>(y + <usize>j * ldy + <usize>i * sizeof<T>(), load<T>(x + <usize>i * ldx + <usize>j * sizeof<T>()));
    }
  }
}

/**
 * Panels of B: panel after panel, each k after k, of two vectors. B is given by rows j (`plain` false), or by rows k.
 * The last panel is filled up with zeros; what they lead to is never read.
 */
export function pack<T>(x: usize, ldx: usize, columns: i32, depth: i32, plain: bool, y: usize): void {
  const panel = panelColumns<T>();
  for (let j = 0; j < columns; j += panel) {
    const count = min(panel, columns - j);
    if (count < panel) memory.fill(y, 0, <usize>depth * PANEL_BYTES);
    if (!plain) transpose<T>(x + <usize>j * ldx, ldx, count, depth, y, PANEL_BYTES);
    else {
      const from = x + <usize>j * sizeof<T>();
      for (let k = 0; k < depth; k++) {
        const row = from + <usize>k * ldx;
        const to = y + <usize>k * PANEL_BYTES;
        if (count == panel) {
          v128.store(to, v128.load(row));
          v128.store(to, v128.load(row, VECTOR), VECTOR);
        } else
          for (let i: usize = 0; i < <usize>count * sizeof<T>(); i += sizeof<T>()) store<T>(to + i, load<T>(row + i));
      }
    }
    y += <usize>depth * PANEL_BYTES;
  }
}

/** c[j, i] = c[i, j] for j < i < n: the upper triangle from the lower, bit by bit. */
export function mirror<T>(c: usize, ldc: usize, n: i32): void {
  const w = lanes<T>();
  for (let i = 0; i < n; i += w) {
    const last = min(i + w, n);
    transpose<T>(c + <usize>i * ldc, ldc, last - i, i, c + <usize>i * sizeof<T>(), ldc);
    for (let r = i + 1; r < last; r++) corner<T>(c, ldc, r, r + 1, i, r, c, ldc);
  }
}

/** Moves rows of `columns` elements, ldc bytes apart, together: in place, front to back. */
export function compact<T>(c: usize, ldc: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns * sizeof<T>();
  for (let i = 1; i < rows; i++) memory.copy(c + <usize>i * bytes, c + <usize>i * ldc, bytes);
}
