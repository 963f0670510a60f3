/** Density estimates by Gaussian kernels. */

import * as CODE from "../../assembly/gram/codes.ts";
import { type Total, weightOf } from "../check/masses.ts";
import { sameDepth, shapesOf } from "../check/points.ts";
import { type Operand, operandsOf, sizesIn } from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { exponentOf, logarithm, logarithms } from "../memory/scalar.ts";
import { numberIn, optionsOf } from "../options.ts";
import {
  type Mapping,
  type Matrix,
  mapBlock,
  matrixIn,
  type Product,
  productOf,
  type Reduction,
  reduceRows,
  sidesOf,
  withBlocks,
} from "../place/blocks.ts";
import { outputOf } from "../place/output.ts";
import { exponentIn } from "../place/prepare.ts";
import { watchOf } from "../place/watch.ts";
import { SUM_LENGTH, sumAt } from "../read/sum.ts";
import type { Input, PairsProgress, ResultOf, Signal } from "../types.ts";

export interface KernelDensityOptions<W extends Input | undefined = Input | undefined> {
  /** The shape of `points`: [n, d]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** The shape of `samples`: [m, d]. Default: the tensor's own, else that of `points`. */
  yShape?: readonly number[] | undefined;
  /** h, the standard deviation of the kernels in every direction: positive. */
  bandwidth: number;
  /** The samples' weights, [m], normalised by their sum. Default: all alike. */
  weights?: W;
  /** Called after tiles of pairs, some 10 ms apart; may call any function of the package, and abort. */
  progress?: ((progress: PairsProgress) => void) | undefined;
  /** An AbortSignal. Looked at as often; once it is aborted, its reason is thrown. */
  signal?: Signal | undefined;
}

const OPTIONS = ["shape", "yShape", "bandwidth", "weights", "progress", "signal"];

/** e^C. */
const POWERS: Mapping = { map: CODE.EXPONENTIAL, factor: 1, shift: 0, degree: 0 };

/** ½·log 2π = 0.91893853320467274…, rounded. */
const HALF_LOG_TWO_PI = 0.9189385332046728;

/**
 * The log density at each point of a mixture of Gaussians around samples: `[n, d], [m, d] → [n]`,
 *
 *     log p(x) = log Σⱼ wⱼ·e^{−‖x − yⱼ‖²/2h²} − log Σⱼ wⱼ − d/2·log(2πh²)
 *
 * h is `bandwidth`, wⱼ `weights`. Distances are sums of squared differences, and the sum is taken relative to its largest term, so that
 * points far from all samples keep their digits where the density itself is 0: f32 is within 1e-6 of the largest of 1 and the
 * three terms, 2e-5 where the roundings of a sum all go one way (`pairwiseDistance`). The n×m distances are never held. NaN in a point stays in its row.
 *
 * @throws TypeError for arguments of the wrong kind; RangeError for a wrong shape, no samples, a bandwidth that is not positive, weights that
 *   are negative, infinite or sum to 0; whatever `signal` was aborted with.
 * @example kernelDensity([0, 100], [0], { shape: [2, 1], yShape: [1, 1], bandwidth: 1 }); // Float64Array [-0.9189…, -5000.9189…]
 * @see sklearn.neighbors.KernelDensity(kernel="gaussian").score_samples
 */
export function kernelDensity<X extends Input, Y extends Input, W extends Input | undefined = undefined>(
  points: X,
  samples: Y,
  options: KernelDensityOptions<W>,
): ResultOf<X, Y, W> {
  const fn = "kernelDensity";
  const o = optionsOf<KernelDensityOptions<W>>(fn, options, OPTIONS);
  const { shape, yShape, bandwidth, weights, progress, signal } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const ySizes = sizesIn(fn, "yShape", yShape);
  const h = numberIn(fn, "bandwidth", bandwidth, undefined, Number.MIN_VALUE);
  const watch = watchOf(fn, progress, signal);
  const [own, other, given] = operandsOf(
    fn,
    [
      ["points", points],
      ["samples", samples],
    ],
    [["weights", weights]],
  );
  const shapes = shapesOf(fn, own, other, sizes, ySizes);
  const d = sameDepth(fn, shapes, "points");
  const [[n], [m]] = [shapes.shape, shapes.yShape];
  if (m === 0) failValue(fn, "yShape", "[m, d] with m at least 1", shapes.yShape);
  const weight = weightOf(fn, given, m, false);
  const { bytes } = own;
  const { array: result } = outputOf(fn, undefined, bytes, n);
  const gaussians = (a: Operand, b: Operand): Product => ({
    ...productOf(matrixIn(a, n), matrixIn(b, m), d, CODE.SQUARES),
    small: true,
    runs: true,
  });
  const whole = gaussians(own, other);
  const { rows: side, columns: width } = sidesOf(whole);
  const each = [own, other].map((one, k) => productOf(matrixIn(one, k ? m : n), undefined, d));
  const reads = [own, other, ...(given ? [given] : [])];
  withBlocks(
    fn,
    [...each, whole],
    reads,
    [],
    (at, scratch, [p, q, w], state) => {
      const { x, y, ...rest } = gaussians(p as Operand, q as Operand);
      const unit = unitOf(at, scratch, [x, y ?? x], d, h);
      const gamma = Math.min(0.5 / (h * unit) / (h * unit), Number.MAX_VALUE);
      const centring = unit === 1 ? undefined : { means: undefined, unit, factor: 1 };
      const product = { ...rest, x: { ...x, centring }, y: y && { ...y, centring } };
      const logs = logsOf(at, w, weight);
      // weights over their sum; without them all are 1/m
      const offset = d * (HALF_LOG_TWO_PI + logarithm(at, GRAM, h)) + (logs ? 0 : logarithm(at, GRAM, m));
      const maxima = state;
      const falls = maxima + 8 * side;
      const sums = falls + 8 * side;
      const logsAt = sums + 8 * SUM_LENGTH * side;
      const ones = logsAt + 8 * (width + 16);
      at.view(8).fill(1, ones / 8, ones / 8 + width + 16);
      const { exponents, weigh } = at.typed(GRAM, bytes);
      const { exponential, logarithm: logarithmsOf } = at.kernels(GRAM);
      const reduction: Reduction = {
        begin: (_, rows) => {
          const view = at.view(8);
          view.fill(0, sums / 8, sums / 8 + SUM_LENGTH * rows);
          view.fill(-Infinity, maxima / 8, maxima / 8 + rows);
        },
        take: (block) => {
          const { pointer, stride, rows, j, columns } = block;
          const view = at.view(8);
          view.fill(0, logsAt / 8, logsAt / 8 + columns);
          if (logs) at.copyIn(logs, 8, j, columns, logsAt);
          view.fill(-Infinity, logsAt / 8 + columns, logsAt / 8 + columns + 4);
          exponents(pointer, stride, rows, columns, logsAt, -gamma, maxima, falls);
          mapBlock(at, bytes, block, false, POWERS);
          // sums so far are relative to lower maxima
          exponential(falls, falls, rows);
          for (let e = 0; e < SUM_LENGTH * rows; e++) {
            const less = view[falls / 8 + Math.floor(e / SUM_LENGTH)] as number;
            if (less !== 1) (view[sums / 8 + e] as number) *= less;
          }
          weigh(pointer, stride, rows, columns, ones, 0, 1, sums);
        },
        end: (i, rows) => {
          const view = at.view(8);
          for (let r = 0; r < rows; r++) view[sums / 8 + r] = sumAt(view, sums / 8 + SUM_LENGTH * r);
          logarithmsOf(sums, sums, rows);
          for (let r = 0; r < rows; r++)
            result[i + r] = (view[maxima / 8 + r] as number) + (view[sums / 8 + r] as number) - offset;
        },
      };
      reduceRows(at, scratch, product, reduction, watch);
    },
    8 * (2 + SUM_LENGTH) * side + 16 * (width + 16),
    watch,
  );
  return result as ResultOf<X, Y, W>;
}

/**
 * A power of two in which the bandwidth is near 1: squares are then in range where what they lead to is. As large as the elements
 * allow. Where a sum of squares may be beyond the type the bandwidth is below 1/2 in it: −½ of the largest sum over its square is
 * then beyond the type, too.
 */
function unitOf(at: Arena, scratch: number, matrices: readonly Matrix[], d: number, h: number): number {
  const near = Math.max(-1000, Math.min(1000, -exponentOf(h)));
  const most = matrices[0]?.bytes === 4 ? 127 : 1023;
  const largest = Math.max(...matrices.map((one) => exponentIn(at, scratch, one, d).exponent));
  // d squares of differences, each below 2^(2·(largest + 2))
  const fits = 2 * (largest + near + 2) + exponentOf(d) < most;
  const wanted = fits ? near : near - 2;
  return 2 ** (wanted > 0 ? Math.max(0, Math.min(wanted, most - 1 - largest)) : wanted);
}

/** log of each weight over their sum; none of weights that are all alike. */
function logsOf(at: Arena, weights: Operand | undefined, { sum, unit }: Total): Float64Array | undefined {
  if (!weights) return undefined;
  const logs = Float64Array.from(weights.array, (weight) => (weight * unit) / sum);
  // what is subnormal over the sum would be rounded: the difference of two logarithms is not, beside −700
  const small = logs.map((share, j) => (share < 2 ** -1022 ? (weights.array[j] as number) : Number.NaN));
  const isSmall = small.some((weight) => weight > 0);
  logarithms(at, GRAM, logs);
  if (!isSmall) return logs;
  logarithms(at, GRAM, small);
  const logSum = logarithm(at, GRAM, sum) - logarithm(at, GRAM, unit);
  return logs.map((log, j) => (Number.isNaN(small[j]) ? log : (small[j] as number) - logSum));
}
