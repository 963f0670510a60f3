/** The divergence of every row of one array from every row of another. */
import { part } from "../arrays.ts";
import { rowsBesideOf } from "../check/points.ts";
import { matrixOf, type Operand, operandsOf, shapeOf, sizesIn } from "../check/tensor.ts";
import type { Arena } from "../memory/arena.ts";
import { DIVERGENCE } from "../memory/embedded/divergence.ts";
import { arena } from "../memory/kernels.ts";
import { oneOf, optionsOf } from "../options.ts";
import { apart, type Output, outputOf } from "../place/output.ts";
import { baseOf, perNat, Rows } from "../read/reduce.ts";
import { type Extent, shareRows } from "../share.ts";
import type { FloatArray, From, Input, Out, ResultOf } from "../types.ts";
import { flagsOf, fromsOf, kindOf, type Metric, streamDivergence } from "./divergence.ts";

export interface PairwiseOptions<T extends FloatArray = FloatArray> {
  /** `[n, d]`: n distributions of d outcomes. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** `[m, d]` of Q. Default: the tensor's own, else as many rows of d as there are. */
  qShape?: readonly number[] | undefined;
  /** Which divergence. */
  metric: Metric;
  /** What the arguments hold; a pair says it of each. Default: `"probabilities"`, or counts. */
  from?: From | readonly [From, From] | undefined;
  /** The logarithm's base: 2 gives bits. Default: e, nats. */
  base?: number | undefined;
  /** Where to write the matrix, instead of a new array. */
  out?: Out<T> | undefined;
}

/** Bytes of a block of rows, of which two are staged beside the block of results. */
const BLOCK_BYTES = 1 << 17;
/** Rows of a block at most: the results then take half of the stage. */
const BLOCK_ROWS = 256;

const OPTIONS = ["shape", "qShape", "metric", "from", "base", "out"];

/**
 * The divergence of every row of P from every row of Q: `[n, d]`, `[m, d] → [n, m]`, or `[n, n]` of P with itself. Each is that
 * of `klDivergence`, `jsDivergence` or `jsDistance`, without copies of the n·m pairs.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, length or option.
 * @example pairwiseDivergence([1, 0, 0, 1], undefined, { shape: [2, 2], metric: "js", base: 2 }); // Float64Array [0, 1, 1, 0]
 */
export function pairwiseDivergence<X extends Input, Y extends Input | undefined = undefined>(
  P: X,
  Q: Y,
  options: PairwiseOptions<ResultOf<X, Y>>,
): ResultOf<X, Y> {
  const fn = "pairwiseDivergence";
  const { shape, qShape, metric, from, base, out } = optionsOf<PairwiseOptions>(fn, options, OPTIONS);
  const sizes = sizesIn(fn, "shape", shape);
  const qSizes = sizesIn(fn, "qShape", qShape);
  const kind = oneOf(fn, "metric", metric, ["kl", "js", "jsDistance"]);
  const froms = fromsOf(fn, from);
  const unit = baseOf(fn, base);
  const [p, q] = operandsOf(fn, [["P", P]], [["Q", Q]]);
  const [n, d] = matrixOf(fn, "shape", shapeOf(fn, p, sizes));
  const m = q ? rowsBesideOf(fn, q, qSizes, "qShape", p, d) : n;
  const result = outputOf(fn, out, p.bytes, n * m);
  const at = arena();
  const first = apart(fn, p, [result]);
  const second = q ? apart(fn, q, [result]) : first;
  const problem = {
    fn,
    p: first,
    q: second,
    n,
    m,
    d,
    flags: flagsOf(froms, true),
    unit: perNat(at, DIVERGENCE, unit),
    metric: kind,
  };
  writeDivergences(at, problem, result, q === undefined && kind !== "kl" && froms[0] === froms[1]);
  return result.array as ResultOf<X, Y>;
}

/** The divergences of n rows of p from m rows of q. */
export interface Divergences {
  readonly fn: string;
  readonly p: Operand;
  readonly q: Operand;
  readonly n: number;
  readonly m: number;
  readonly d: number;
  readonly flags: number;
  readonly unit: number;
  readonly metric: Metric;
}

/** Memory for a block of them: rows of P, rows of Q and their results. */
export const DIVERGENCES_BYTES = 8 * BLOCK_BYTES;

/** Whether a row does not fit: then a block is a pair, which streams through the stage. */
function isLong({ d, p }: Divergences): boolean {
  return d * p.bytes > 2 * BLOCK_BYTES;
}

/** Rows and columns of a block at most. */
export function divergenceSide(of: Divergences): number {
  return isLong(of) ? 1 : Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_BYTES / (Math.max(of.d, 1) * of.p.bytes))));
}

/**
 * Those of rows [i, i + rows) from rows [j, j + columns), side by side at the pointer that is returned. `again`: the block before in this
 * memory was of the same rows.
 */
export function divergenceBlock(
  at: Arena,
  pointer: number,
  of: Divergences,
  i: number,
  rows: number,
  j: number,
  columns: number,
  again: boolean,
): number {
  const { p, q, d, flags, unit, metric } = of;
  const { bytes } = p;
  const [first, second, results] = [0, 1, 2].map((k) => pointer + 2 * k * BLOCK_BYTES) as [number, number, number];
  const isRoot = metric === "jsDistance";
  if (isLong(of)) {
    at.view(bytes)[results / bytes] = longPair(at, of, i, j);
    return results;
  }
  if (!again) at.copyIn(p.array, bytes, i * d, rows * d, first);
  at.copyIn(q.array, bytes, j * d, columns * d, second);
  at.typed(DIVERGENCE, bytes).pairwise(
    first,
    second,
    results,
    rows,
    columns,
    columns,
    d,
    kindOf(metric),
    flags,
    unit,
    isRoot,
  );
  return results;
}

function longPair(at: Arena, { fn, p, q, d, flags, unit, metric }: Divergences, i: number, j: number): number {
  const layout = { outer: 1, n: d, inner: 1, rows: 1 };
  const rowOf = (of: Operand, r: number): Operand => ({ ...of, array: part(of.array, of.bytes, r * d, d), length: d });
  const isRoot = metric === "jsDistance";
  const rows = new Rows(undefined, isRoot ? 1 : unit, 1, isRoot ? (v) => Math.sqrt(v * unit) : undefined);
  const problem = { fn, p: rowOf(p, i), q: rowOf(q, j), layout, flags, temperatures: [1, 1] as const };
  streamDivergence(at, metric, problem, rows, undefined, 0);
  return rows.value as number;
}

/** Writes the matrix block by block, in the stage. `mirror`: it is symmetric, and blocks above the diagonal serve below. */
function writeDivergences(at: Arena, of: Divergences, out: Output, mirror: boolean): void {
  const { n, m, p } = of;
  const { bytes } = p;
  const side = divergenceSide(of);
  /** Of a symmetric matrix rows from the diagonal on, and as many columns. */
  const extentsOf = (i: number, rows: number): readonly Extent[] =>
    mirror
      ? [
          { i, rows, of: n, j: i, columns: n - i },
          { i, rows: n - i, of: n, j: i, columns: rows },
        ]
      : [{ i, rows, of: n }];
  const run = (i: number, rows: number): void => {
    const from = mirror ? i : 0;
    for (let j = from; j < m; j += side) {
      const columns = Math.min(side, m - j);
      const results = divergenceBlock(at, at.stage, of, i, rows, j, columns, j > from);
      for (let r = 0; r < rows; r++) {
        at.copyOut(results + r * columns * bytes, columns, out.array, bytes, (i + r) * m + j);
        // the block's transpose, a row of it down a column
        if (mirror && j > i) at.copyOut(results + r * columns * bytes, columns, out.array, bytes, j * m + i + r, m);
      }
    }
  };
  shareRows(n, side, (mirror ? 8 : 16) * m * Math.max(of.d, 16), run, extentsOf);
}
