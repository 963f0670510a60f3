/**
 * C = Σₖ f(A[i, k], B[j, k]) block by block.
 *
 *     for each depth block of KC          B is packed: KC·columns, read from L2
 *       for each A block of MC rows       A stays in L2
 *         for each panel of B             in L1: 8 KiB
 *           for each tile of rows         its rows of A stream through L1
 *
 * Within KC an element is summed in its own precision in one chain, then added to C.
 */
import { pack } from "./panel";
import { DOT, SQUARES } from "./codes";
import { addSums, distancesTile, dotTile, PANEL_BYTES, panelColumns, squaresTile, SUMS, tileRows } from "./tile";

const KC = 256;

/** Rows of an A block: divided by every tile's. */
// @ts-ignore: decorator
@inline
function blockRows<T>(): i32 {
  return sizeof<T>() == 4 ? 240 : 120;
}

/**
 * A is [rows, depth]; B [columns, depth], or `plain` [depth, columns]; all distances of rows (ld…) are elements.
 * C gets whole tiles: rows and columns beyond must be there. `add`: to what C holds. `lower`: only the tiles that meet the
 * lower triangle. `packed` has room for KC·columns, whole panels. Rows of A beyond are read too, as far as a tile goes.
 */
export function product<T>(
  mode: i32,
  a: usize,
  lda: usize,
  rows: i32,
  b: usize,
  ldb: usize,
  columns: i32,
  plain: bool,
  depth: i32,
  packed: usize,
  c: usize,
  ldc: usize,
  add: bool,
  lower: bool,
): void {
  lda *= sizeof<T>();
  ldb *= sizeof<T>();
  ldc *= sizeof<T>();
  const step = tileRows(mode);
  const width = panelColumns<T>();
  let k = 0;
  do {
    const kc = min(KC, depth - k);
    pack<T>(b + <usize>k * (plain ? ldb : sizeof<T>()), ldb, columns, kc, plain, packed);
    for (let first = 0; first < rows; first += blockRows<T>()) {
      const last = min(rows, first + blockRows<T>());
      for (let j = 0; j < columns; j += width) {
        const panel = packed + <usize>(j / width) * <usize>kc * PANEL_BYTES;
        const to = c + <usize>j * sizeof<T>();
        // tiles go on from row 0, or from the diagonal: 4 % fewer of 64 rows than those of a grid
        let i = lower && j > first ? j : first;
        if (lower && j < first) i += (step - ((first - j) % step)) % step;
        for (; i < last; i += step) {
          const from = a + <usize>i * lda;
          const target = to + <usize>i * ldc;
          const at = add ? SUMS : target;
          const stride = add ? PANEL_BYTES : ldc;
          if (mode == DOT) dotTile<T>(from, lda, panel, kc, at, stride);
          else if (mode == SQUARES) squaresTile<T>(from, lda, panel, kc, at, stride);
          else distancesTile<T>(from, lda, panel, kc, at, stride);
          if (add) addSums<T>(step, target, ldc);
        }
      }
    }
    a += KC * sizeof<T>();
    k += KC;
    add = true;
  } while (k < depth);
}
