/** The Wasserstein distance of samples on the line. */
import { weightOf } from "../check/masses.ts";
import { inWords, type Operand, operandsOf } from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import { TRANSPORT } from "../memory/embedded/transport.ts";
import { scratch } from "../memory/scratch.ts";
import { optionsOf } from "../options.ts";
import type { Input } from "../types.ts";
import { common, distance, inUnit, orderOf } from "./quantiles.ts";

// of assembly/transport/sort.ts
const TABLES_BYTES = 6 * 8192;

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
 * @throws RangeError for no samples, for a matrix of points (`sinkhornDivergence` takes these), for weights that are negative or infinite, of
 * sum 0 or not one to a sample, and for an order below 1;
 * TypeError for arguments of the wrong kind or of f32 and f64 mixed.
 * @example wasserstein([0, 1, 3], [5, 6, 8]); // 5
 * @example wasserstein([0, 1], [0, 1], { uWeights: [3, 1], vWeights: [2, 2] }); // 0.25
 * @see Peyré & Cuturi, Computational Optimal Transport (2019), section 2.6
 */
export function wasserstein(u: Input, v: Input, options?: WassersteinOptions): number {
  const fn = "wasserstein";
  const o = optionsOf<WassersteinOptions>(fn, options, ["uWeights", "vWeights", "order"]);
  const { uWeights: uGiven, vWeights: vGiven, order: given } = o;
  const order = orderOf(fn, given);
  const [x, y, uWeights, vWeights] = operandsOf(
    fn,
    [
      ["u", u],
      ["v", v],
    ],
    [
      ["uWeights", uGiven],
      ["vWeights", vGiven],
    ],
  );
  for (const { name, shape = [] } of [x, y])
    if (shape.filter((size) => size !== 1).length > 1)
      failValue(fn, name, "samples on the line, along one axis", undefined, `the shape ${inWords(shape)}`);
  if (x.length === 0) failValue(fn, "u", "at least one sample", x.array);
  if (y.length === 0) failValue(fn, "v", "at least one sample", y.array);
  const uTotal = weightOf(fn, uWeights, x.length, true);
  const vTotal = weightOf(fn, vWeights, y.length, true);
  const { bytes } = x;
  // samples, and their weights behind them: u, v, and as much scratch, which trade places
  const side = Math.ceil((Math.max(x.length, y.length) * bytes) / 64) * 64;
  const block = uWeights || vWeights ? 2 * side : side;
  return scratch(
    fn,
    TABLES_BYTES + 3 * block,
    (at, pointer) => {
      const free = [0, 1, 2].map((i) => pointer + TABLES_BYTES + i * block);
      const { sort } = at.typed(TRANSPORT, bytes);
      const sorted = (samples: Operand, weights: Operand | undefined): number => {
        const [from, other] = [free.pop() as number, free.pop() as number];
        at.copyIn(samples.array, bytes, 0, samples.length, from);
        if (weights) at.copyIn(weights.array, bytes, 0, weights.length, from + side);
        const place = sort(from, other, samples.length, weights ? side : 0, pointer) >>> 0;
        free.push(place === from ? other : from);
        return place;
      };
      const xAt = sorted(x, uWeights);
      const yAt = sorted(y, vWeights);
      const samples = [at.arrayAt(xAt, x.length, bytes), at.arrayAt(yAt, y.length, bytes)];
      // a NaN is at an end, and so is an infinity
      const ends = samples.flatMap((sorted) => [sorted[0] as number, sorted[sorted.length - 1] as number]);
      if (Number.isNaN(uTotal.sum + vTotal.sum) || ends.some(Number.isNaN)) return Number.NaN;
      const { byU, byV, total } = common(uTotal.sum, vTotal.sum);
      const [uAt, vAt, wide] = [uWeights ? xAt + side : 0, vWeights ? yAt + side : 0, bytes === 8];
      if (uAt) inUnit(at, uAt, x.length, bytes, uTotal);
      if (vAt) inUnit(at, vAt, y.length, bytes, vTotal);
      const measure = (): number =>
        distance(at, order, total, (p, unit) =>
          at.kernels(TRANSPORT).quantiles(xAt, x.length, uAt, byU, yAt, y.length, vAt, byV, wide, wide, p, unit),
        );
      const value = measure();
      if (value < Infinity || !ends.every(Number.isFinite)) return value;
      // a difference overflowed: those of a quarter of the samples cannot
      for (const sorted of samples) for (let i = 0; i < sorted.length; i++) (sorted[i] as number) /= 4;
      return 4 * measure();
    },
    false,
  );
}
