/** The Wasserstein distance of histograms on a common support, row by row. */
import { totalOf } from "../check/masses.ts";
import { layoutOf, type Operand, pairOf, sizesIn } from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { TRANSPORT } from "../memory/embedded/transport.ts";
import { scratch } from "../memory/scratch.ts";
import { numberIn, optionsOf } from "../options.ts";
import { outputOf } from "../place/output.ts";
import { TILE_BYTES } from "../place/rows.ts";
import { Rows, reductionOf } from "../read/reduce.ts";
import type { Input, Reduced, Reduction, ResultOf } from "../types.ts";
import { common, distance, inUnit, orderOf } from "./quantiles.ts";

export interface WassersteinHistogramOptions<
  R extends Reduction = Reduction,
  S extends Input | undefined = Input | undefined,
> {
  /** The shape of both arguments, row-major; the last axis is the bins. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** How far apart bins are. Default: 1. */
  binWidth?: number | undefined;
  /** Where the bins are instead: n ascending positions, even or uneven. */
  support?: S;
  /** p ≥ 1, an integer or not; Infinity for the largest difference of quantiles. Default: 1. */
  order?: number | undefined;
  /** `"mean"` (the default): over the rows; `"sum"`; `"none"`: one number per row. */
  reduction?: R | undefined;
}

/** The positions of n bins, from 0 on, and the unit they are in: the range of a support. */
function positionsOf(fn: string, n: number, support: Operand | undefined, binWidth: number) {
  // in loops: Float64Array.from takes 40 ns an element
  const at = new Float64Array(n);
  if (!support) {
    for (let i = 0; i < n; i++) at[i] = i;
    return { at, unit: binWidth };
  }
  const { array, length } = support;
  if (length !== n) failValue(fn, "support", `of length ${n}, a position for each bin`, array);
  const [low, high] = [array[0] as number, array[n - 1] as number];
  // half of the range where it overflows itself
  const factor = high - low === Infinity ? 0.5 : 1;
  const unit = factor * high - factor * low || 1;
  for (let i = 0; i < n; i++) {
    const position = array[i] as number;
    if (!(position >= (array[i && i - 1] as number) && Number.isFinite(position)))
      failValue(fn, `support[${i}]`, "finite and not below the one before it", position);
    at[i] = (factor * position - factor * low) / unit / factor;
  }
  return { at, unit };
}

const OPTIONS = ["shape", "binWidth", "support", "order", "reduction"];

/**
 * The Wasserstein distance W_p of histograms on a common support, row by row: `[..., n], [..., n] → number`, or one per row.
 * Rows hold the masses of bins, which are divided by their sum, so that counts will do; bins are `binWidth` apart or stand at
 * `support`. With `order` 1 it is Σ |P(k) − Q(k)|·gap(k), P and Q the distribution functions; above 1 it is the true W_p, by
 * quantiles.
 *
 * A row with a NaN or a negative mass, or of sum 0, gives NaN and no other does. f32 rows are computed to 1e-6 of W or to
 * 1e-7 of the width of the support.
 *
 * @throws RangeError for a wrong shape, a `support` that does not ascend, an order below 1; TypeError for arguments of the wrong kind.
 * @example wassersteinHistogram([1, 0, 0], [0, 0, 1], { binWidth: 0.5 }); // 1
 * @example wassersteinHistogram(counts, others, { shape: [1000, 256], reduction: "none" }); // one per row
 * @see Rubner, Tomasi & Guibas, The earth mover's distance as a metric for image retrieval (2000)
 */
export function wassersteinHistogram<
  X extends Input,
  Y extends Input = Input,
  R extends Reduction = "mean",
  S extends Input | undefined = undefined,
>(p: X, q: Y, options?: WassersteinHistogramOptions<R, S>): Reduced<R, ResultOf<X, Y, S>> {
  const fn = "wassersteinHistogram";
  const o = optionsOf<WassersteinHistogramOptions>(fn, options, OPTIONS);
  const { shape, binWidth, support: given, order: power, reduction } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const width = numberIn(fn, "binWidth", binWidth, 1, Number.MIN_VALUE);
  if (given !== undefined && binWidth !== undefined)
    failValue(fn, "binWidth", 'left out where "support" is given', binWidth);
  const order = orderOf(fn, power);
  const reduced = reductionOf(fn, reduction);
  const { p: x, q: y, support, shape: dims } = pairOf(fn, p, q, sizes, given);
  const { n, rows } = layoutOf(fn, dims, -1);
  const { at: positions, unit } = positionsOf(fn, n, support, width);
  const result = reduced === "none" ? outputOf(fn, undefined, x.bytes, rows) : undefined;
  const values = new Float64Array(rows).fill(Number.NaN);
  if (order === 1) alongBins(fn, x, y, positions, values);
  if (values.some(Number.isNaN)) byQuantiles(fn, x, y, positions, order, values);
  const into = new Rows(result, unit, reduced === "mean" ? rows : 1);
  into.take(values, 0, 0, rows);
  return into.value as Reduced<R, ResultOf<X, Y, S>>;
}

/** Order 1, in tiles of rows; NaN is left where sums are very different, or a mass negative. */
function alongBins(fn: string, p: Operand, q: Operand, positions: Float64Array, values: Float64Array): void {
  const n = positions.length;
  const rows = values.length;
  const { bytes } = p;
  const tile = Math.min(rows, 4 * Math.max(1, Math.floor(TILE_BYTES / (4 * Math.max(n, 1) * bytes))), 1024);
  const slot = Math.ceil((tile * n * bytes) / 64) * 64;
  // the gap behind the last bin is 0, and so is that of lanes beyond it
  const gaps = new Float64Array(n + 16);
  for (let k = 0; k + 1 < n; k++) gaps[k] = (positions[k + 1] as number) - (positions[k] as number);
  const run = (at: Arena, pointer: number): void => {
    const gapsAt = pointer + 2 * slot;
    at.copyIn(gaps, 8, 0, n + 16, gapsAt, 1, bytes);
    const [pAt, qAt] = [at.locate(p.array, p.length), at.locate(q.array, q.length)];
    const { histogram } = at.typed(TRANSPORT, bytes);
    for (let row = 0; row < rows; row += tile) {
      const count = Math.min(tile, rows - row);
      if (!pAt) at.copyIn(p.array, bytes, row * n, count * n, pointer);
      if (!qAt) at.copyIn(q.array, bytes, row * n, count * n, pointer + slot);
      const offset = row * n * bytes;
      histogram(pAt ? pAt + offset : pointer, qAt ? qAt + offset : pointer + slot, gapsAt, at.results, count, n);
      at.copyOut(at.results, count, values, 8, row);
    }
  };
  scratch(fn, 2 * slot + (n + 16) * bytes, run, false);
}

/** Any order, row by row where the value is still NaN. */
function byQuantiles(
  fn: string,
  p: Operand,
  q: Operand,
  positions: Float64Array,
  order: number,
  values: Float64Array,
): void {
  const n = positions.length;
  const { bytes } = p;
  const slot = Math.ceil(n / 8) * 64;
  const run = (at: Arena, pointer: number): void => {
    const [pAt, qAt] = [pointer + slot, pointer + 2 * slot];
    at.copyIn(positions, 8, 0, n, pointer);
    for (let row = 0; row < values.length; row++) {
      if (!Number.isNaN(values[row])) continue;
      const [pTotal, qTotal] = [totalOf(p.array, row * n, n), totalOf(q.array, row * n, n)];
      const { byU, byV, total } = common(pTotal.sum, qTotal.sum);
      if (!(total > 0 && total < Infinity)) continue;
      at.copyIn(p.array, bytes, row * n, n, pAt);
      at.copyIn(q.array, bytes, row * n, n, qAt);
      inUnit(at, pAt, n, bytes, pTotal);
      inUnit(at, qAt, n, bytes, qTotal);
      values[row] = distance(at, order, total, (by, unit) =>
        at.kernels(TRANSPORT).quantiles(pointer, n, pAt, byU, pointer, n, qAt, byV, true, bytes === 8, by, unit),
      );
    }
  };
  scratch(fn, 3 * slot, run, false);
}
