/** Wasserstein distances on the line: of samples, and of histograms row by row. */
import type { Arena } from "./arena.ts";
import { failValue, numberIn, optionsOf } from "./check.ts";
import { workspace } from "./kernels.ts";
import { type Reduced, type Reduction, reduce, reductionOf } from "./reduction.ts";
import { scalar, TILE_BYTES } from "./rows.ts";
import { elements, elementsOfBoth, layoutOf, outputOf, pairOf } from "./tensor.ts";
import { type Total, totalOf, weightsOf } from "./transport.ts";
import type { FloatArray, Input, ResultOf } from "./types.ts";

// of assembly/transport/sort.ts
const TABLES_BYTES = 6 * 8192;

const orderOf = (fn: string, order: unknown): number => numberIn(fn, "order", order, 1, 1, Infinity);

/**
 * (Σ mass·dᵖ / Σ mass)^(1/p), where `walk` gives Σ mass·(d/unit)ᵖ, or for order ∞ the largest d. In units of that,
 * nothing overflows and nothing that matters underflows; 1 and 2, which seldom do, are tried without.
 */
function distance(at: Arena, order: number, total: number, walk: (order: number, unit: number) => number): number {
  let unit = 1;
  let sum = order === 1 || order === 2 ? walk(order, 1) : 0;
  if (!(sum > 1e-250 && sum < 1e300)) {
    unit = walk(Infinity, 1);
    if (order === Infinity || unit === 0 || unit === Infinity) return unit;
    sum = walk(order, unit);
  }
  const mean = sum / total;
  if (order === 1) return unit * mean;
  return unit * (order === 2 ? Math.sqrt(mean) : scalar(at, "exponential", scalar(at, "logarithm", mean) / order));
}

/**
 * What to multiply masses of the sums u and v by, so that both sum to the same `total`: integers by integers, which stay exact,
 * where the sums are so; and by powers of 2, so that nothing overflows.
 */
function common(u: number, v: number): { byU: number; byV: number; total: number } {
  const scale = (sum: number) => 2 ** -Math.round(Math.log2(sum));
  const [su, sv] = [scale(u), scale(v)];
  return { byU: v * sv * su, byV: u * su * sv, total: u * su * (v * sv) };
}

/** Masses in linear memory, in the unit of their total. */
function inUnit(masses: FloatArray, { unit }: Total): void {
  if (unit !== 1) for (let i = 0; i < masses.length; i++) masses[i] = (masses[i] as number) * unit;
}

export interface WassersteinOptions {
  /** The mass of each sample of u: ≥ 0, of any sum, of the type of u. Default: all alike. */
  uWeights?: Input | undefined;
  /** Those of v. */
  vWeights?: Input | undefined;
  /** p ≥ 1, an integer or not; Infinity for the largest difference of quantiles. Default: 1. */
  order?: number | undefined;
}

/**
 * The Wasserstein distance W_p of two sets of samples on the line, `[n], [m] → number`: the least cost (Σ mass·|x − y|ᵖ)^(1/p)
 * at which the mass of one can be moved to the other, an exact (∫₀¹ |F⁻¹ − G⁻¹|ᵖ)^(1/p). With `order` 1 it is the earth mover's
 * distance, SciPy's `wasserstein_distance`; a translation by θ gives |θ| for every order.
 *
 * Computed in f64 for f32 samples too, in O(n + m) after a radix sort. Order matters in neither. Histograms are not samples:
 * for the masses of bins there is `wassersteinHistogram`. Samples at ±∞ cost nothing where the same infinity meets itself, and
 * an infinite distance elsewhere; a NaN in any argument gives NaN.
 *
 * @throws RangeError for no samples, weights that are negative or infinite, of sum 0 or not one to a sample, and an order below 1;
 * TypeError for arguments of the wrong kind or of f32 and f64 mixed.
 * @example wasserstein([0, 1, 3], [5, 6, 8]); // 5
 * @example wasserstein([0, 1], [0, 1], { uWeights: [3, 1], vWeights: [2, 2] }); // 0.25
 * @see Peyré & Cuturi, Computational Optimal Transport (2019), section 2.6
 */
export function wasserstein(u: Input, v: Input, options?: WassersteinOptions): number {
  const fn = "wasserstein";
  const o: WassersteinOptions = optionsOf(fn, options);
  const [x, y] = elementsOfBoth(fn, "u", u, "v", v);
  if (x.length === 0) failValue(fn, "u", "at least one sample", x);
  if (y.length === 0) failValue(fn, "v", "at least one sample", y);
  const order = orderOf(fn, o.order);
  const [uWeights, uTotal] = weightsOf(fn, "uWeights", x, x.length, o.uWeights, true);
  const [vWeights, vTotal] = weightsOf(fn, "vWeights", y, y.length, o.vWeights, true);
  const bytes = x.BYTES_PER_ELEMENT;
  // samples, and their weights behind them: u, v, and as much scratch, which trade places
  const side = Math.ceil((Math.max(x.length, y.length) * bytes) / 64) * 64;
  const block = uWeights || vWeights ? 2 * side : side;
  const { arena: at, pointer } = workspace(fn, TABLES_BYTES + 3 * block);
  const free = [0, 1, 2].map((i) => pointer + TABLES_BYTES + i * block);
  const sorted = (samples: FloatArray, weights: FloatArray | undefined): number => {
    const [from, scratch] = [free.pop() as number, free.pop() as number];
    at.copyIn(samples, 0, samples.length, from);
    if (weights) at.copyIn(weights, 0, weights.length, from + side);
    const { sort } = at.kernelsFor(samples);
    const place = sort(from, scratch, samples.length, weights ? side : 0, pointer) >>> 0;
    free.push(place === from ? scratch : from);
    return place;
  };
  const xAt = sorted(x, uWeights);
  const yAt = sorted(y, vWeights);
  // a NaN is at an end, and so is an infinity
  const view = at.view(bytes);
  const samples = [
    view.subarray(xAt / bytes, xAt / bytes + x.length),
    view.subarray(yAt / bytes, yAt / bytes + y.length),
  ];
  const ends = samples.flatMap((sorted) => [sorted[0] as number, sorted[sorted.length - 1] as number]);
  if (Number.isNaN(uTotal.sum + vTotal.sum) || ends.some(Number.isNaN)) return Number.NaN;
  const { byU, byV, total } = common(uTotal.sum, vTotal.sum);
  const [uAt, vAt, wide] = [uWeights ? xAt + side : 0, vWeights ? yAt + side : 0, bytes === 8];
  inUnit(view.subarray(uAt / bytes, uAt / bytes + x.length), uTotal);
  inUnit(view.subarray(vAt / bytes, vAt / bytes + y.length), vTotal);
  const measure = (): number =>
    distance(at, order, total, (p, unit) =>
      at.kernels.quantiles(xAt, x.length, uAt, byU, yAt, y.length, vAt, byV, wide, wide, p, unit),
    );
  const value = measure();
  if (value < Infinity || !ends.every(Number.isFinite)) return value;
  // a difference overflowed: those of a quarter of the samples cannot
  for (const sorted of samples) for (let i = 0; i < sorted.length; i++) sorted[i] = (sorted[i] as number) / 4;
  return 4 * measure();
}

export interface WassersteinHistogramOptions<R extends Reduction = Reduction> {
  /** The shape of both arguments, row-major; the last axis is the bins. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** How far apart bins are. Default: 1. */
  binWidth?: number | undefined;
  /** Where the bins are instead: n ascending positions, even or uneven. */
  support?: Input | undefined;
  /** p ≥ 1, an integer or not; Infinity for the largest difference of quantiles. Default: 1. */
  order?: number | undefined;
  /** `"mean"` (the default): over the rows; `"sum"`; `"none"`: one number per row. */
  reduction?: R | undefined;
}

/** The positions of n bins, from 0 on, and the unit they are in: the range of a support. */
function positionsOf(fn: string, n: number, { support, binWidth }: WassersteinHistogramOptions) {
  // in loops: Float64Array.from takes 40 ns an element
  const at = new Float64Array(n);
  if (support === undefined) {
    for (let i = 0; i < n; i++) at[i] = i;
    const unit = numberIn(fn, "binWidth", binWidth, 1, Number.MIN_VALUE);
    return { at, unit };
  }
  if (binWidth !== undefined) failValue(fn, "binWidth", 'left out where "support" is given', binWidth);
  const given = elements(fn, "support", support);
  if (given.length !== n) failValue(fn, "support", `of length ${n}, a position for each bin`, given);
  const [low, high] = [given[0] as number, given[n - 1] as number];
  // half of the range where it overflows itself
  const factor = high - low === Infinity ? 0.5 : 1;
  const unit = factor * high - factor * low || 1;
  for (let i = 0; i < n; i++) {
    const position = given[i] as number;
    if (!(position >= (given[i && i - 1] as number) && Number.isFinite(position)))
      failValue(fn, `support[${i}]`, "finite and not below the one before it", position);
    at[i] = (factor * position - factor * low) / unit / factor;
  }
  return { at, unit };
}

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
export function wassersteinHistogram<X extends Input, R extends Reduction = "mean">(
  p: X,
  q: Input,
  options?: WassersteinHistogramOptions<R>,
): Reduced<R, ResultOf<X>> {
  const fn = "wassersteinHistogram";
  const o = optionsOf(fn, options) as WassersteinHistogramOptions;
  const pair = pairOf(fn, p, q, o.shape);
  const { n, rows } = layoutOf(fn, pair.shape);
  const order = orderOf(fn, o.order);
  const { at: positions, unit } = positionsOf(fn, n, o);
  const reduction = reductionOf(fn, o.reduction, "mean");
  const out = reduction === "none" ? outputOf(fn, undefined, pair.p, rows) : undefined;
  const values = new Float64Array(rows).fill(Number.NaN);
  if (order === 1) alongBins(fn, pair.p, pair.q, positions, values);
  if (values.some(Number.isNaN)) byQuantiles(fn, pair.p, pair.q, positions, order, values);
  return reduce(values, reduction, reduction === "mean" ? unit / rows : unit, out) as Reduced<R, ResultOf<X>>;
}

/** Order 1, in tiles of rows; NaN is left where sums are very different, or a mass negative. */
function alongBins(fn: string, p: FloatArray, q: FloatArray, positions: Float64Array, values: Float64Array): void {
  const n = positions.length;
  const rows = values.length;
  const bytes = p.BYTES_PER_ELEMENT;
  const tile = Math.min(rows, 4 * Math.max(1, Math.floor(TILE_BYTES / (4 * Math.max(n, 1) * bytes))), 1024);
  const slot = Math.ceil((tile * n * bytes) / 64) * 64;
  const { arena: at, pointer } = workspace(fn, 2 * slot + (n + 16) * bytes);
  const gapsAt = pointer + 2 * slot;
  // the gap behind the last bin is 0, and so is that of lanes beyond it
  const gaps = new Float64Array(n + 16);
  for (let k = 0; k + 1 < n; k++) gaps[k] = (positions[k + 1] as number) - (positions[k] as number);
  at.copyIn(gaps, 0, n + 16, gapsAt, 1, bytes);
  const [pAt, qAt] = [at.locate(p), at.locate(q)];
  const { histogram } = at.kernelsFor(p);
  for (let row = 0; row < rows; row += tile) {
    const count = Math.min(tile, rows - row);
    if (!pAt) at.copyIn(p, row * n, count * n, pointer);
    if (!qAt) at.copyIn(q, row * n, count * n, pointer + slot);
    const offset = row * n * bytes;
    histogram(pAt ? pAt + offset : pointer, qAt ? qAt + offset : pointer + slot, gapsAt, at.results, count, n);
    at.copyOut(at.results, count, values, row);
  }
}

/** Any order, row by row where the value is still NaN. */
function byQuantiles(
  fn: string,
  p: FloatArray,
  q: FloatArray,
  positions: Float64Array,
  order: number,
  values: Float64Array,
): void {
  const n = positions.length;
  const wide = p.BYTES_PER_ELEMENT === 8;
  const slot = Math.ceil(n / 8) * 64;
  const { arena: at, pointer } = workspace(fn, 3 * slot);
  const [pAt, qAt] = [pointer + slot, pointer + 2 * slot];
  at.copyIn(positions, 0, n, pointer);
  for (let row = 0; row < values.length; row++) {
    if (!Number.isNaN(values[row])) continue;
    const totals = [totalOf(p, row * n, n), totalOf(q, row * n, n)] as const;
    const { byU, byV, total } = common(totals[0].sum, totals[1].sum);
    if (!(total > 0 && total < Infinity)) continue;
    at.copyIn(p, row * n, n, pAt);
    at.copyIn(q, row * n, n, qAt);
    inUnit(at.arrayAt(pAt, n, p.BYTES_PER_ELEMENT), totals[0]);
    inUnit(at.arrayAt(qAt, n, p.BYTES_PER_ELEMENT), totals[1]);
    values[row] = distance(at, order, total, (by, unit) =>
      at.kernels.quantiles(pointer, n, pAt, byU, pointer, n, qAt, byV, true, wide, by, unit),
    );
  }
}
