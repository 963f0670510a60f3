/** The distances of every row of one matrix from every row of another. */
import * as CODE from "../../assembly/gram/codes.ts";
import { pointsOf, sameDepth } from "../check/points.ts";
import { type Operand, sizesIn } from "../check/tensor.ts";
import type { Arena } from "../memory/arena.ts";
import { exponentOf } from "../memory/scalar.ts";
import { oneOf, optionsOf } from "../options.ts";
import {
  type Mapping,
  type Matrix,
  matrixIn,
  type Product,
  productOf,
  times,
  withBlocks,
  writeProduct,
} from "../place/blocks.ts";
import { type FewPairs, fewPairsOf, fewProduct, largestOfFew } from "../place/fewPairs.ts";
import { madeIn, type Output, outputOf } from "../place/output.ts";
import { exponentIn, normsOf } from "../place/prepare.ts";
import { watchOf } from "../place/watch.ts";
import type { FloatArray, Input, Out, PairsProgress, ResultOf, Signal } from "../types.ts";

export type DistanceMetric = "euclidean" | "squaredEuclidean" | "manhattan" | "cosine";

export interface PairwiseDistanceOptions<T extends FloatArray = FloatArray> {
  /** The shape of `x`: [n, d]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** The shape of `y`: [m, d]. Default: the tensor's own, else that of `x`. */
  yShape?: readonly number[] | undefined;
  /** Which distance. Default: `"euclidean"`. */
  metric?: DistanceMetric | undefined;
  /** Called after tiles of pairs, some 10 ms apart; may call any function of the package, and abort. */
  progress?: ((progress: PairsProgress) => void) | undefined;
  /** An AbortSignal. Looked at as often; once it is aborted, its reason is thrown. */
  signal?: Signal | undefined;
  /** Where to write the result, instead of a new array. With `progress` or `signal` it is written when all is done. */
  out?: Out<T> | undefined;
}

const METRICS = ["euclidean", "squaredEuclidean", "manhattan", "cosine"] as const;
const OPTIONS = ["shape", "yShape", "metric", "progress", "signal", "out"];

/**
 * The distance of every row of x from every row of y, or of x and x: `[n, d], [m, d] → [n, m]`.
 *
 *     euclidean  ‖x − y‖ = √Σ(xₖ − yₖ)²     squaredEuclidean  Σ(xₖ − yₖ)²
 *     manhattan  Σ|xₖ − yₖ|                 cosine  1 − x·y / (‖x‖·‖y‖), 1 if either is 0
 *
 * Sums of differences, which do not cancel: points 1e-3 apart at 1e4 keep their digits, and a point and itself are at 0. The cosine
 * distance is ½·‖x̂ − ŷ‖² of rows over their norms: small ones keep their digits too. f32 is within 1e-6, relatively, but for
 * cosine distances below 0.04, which are within 2e-7·√distance, and for sums whose roundings all go one way, as those of a hundred
 * equal differences and more do: 4.4e-6, 2e-5 at the worst. Of x and x the matrix is symmetric bit by bit. NaN stays in its row
 * and column. Norms do not overflow before their result does.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape or length of `out`; whatever `signal` was aborted with.
 * @example pairwiseDistance([0, 0, 3, 4], [0, 0], { shape: [2, 2], yShape: [1, 2] }); // Float64Array [0, 5]
 * @see scipy.spatial.distance.cdist
 */
export function pairwiseDistance<X extends Input, Y extends Input | undefined = undefined>(
  x: X,
  y?: Y,
  options?: PairwiseDistanceOptions<ResultOf<X, Y>>,
): ResultOf<X, Y> {
  const fn = "pairwiseDistance";
  const o = optionsOf<PairwiseDistanceOptions>(fn, options, OPTIONS);
  const { shape, yShape, metric: given, progress, signal, out } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const ySizes = sizesIn(fn, "yShape", yShape);
  const metric = oneOf(fn, "metric", given, METRICS, "euclidean");
  const watch = watchOf(fn, progress, signal);
  const few = watch.alone || metric === "cosine" ? undefined : fewPairsOf(fn, x, y, sizes, ySizes);
  const short = few && fewDistances(fn, few, metric, out);
  if (short) return short as ResultOf<X, Y>;
  const points = pointsOf(fn, x, y, sizes, ySizes);
  const d = sameDepth(fn, points);
  const [[n], [m]] = [points.shape, points.yShape];
  const result = outputOf(fn, out, points.x.bytes, n * m);
  const { made, deliver } = madeIn(fn, result, watch.alone);
  const of = sumsOf(metric);
  const productFor = (a: Matrix, b: Matrix | undefined): Product => productOf(a, b, d, of);
  const [own, other] = [matrixIn(points.x, n), points.y && matrixIn(points.y, m)];
  const products = [own, ...(other ? [other] : [])].map((one) => productFor(one, undefined));
  const reads = points.y ? [points.x, points.y] : [points.x];
  withBlocks(
    fn,
    [...products, productFor(own, other)],
    reads,
    [made],
    (at, scratch, [a, b]) => {
      const second = b && matrixIn(b, m);
      const ready = prepared(at, scratch, metric, matrixIn(a as Operand, n), second, d);
      const { x: p, y: q, mapping, zeros, beyond, few } = ready;
      writeProduct(at, scratch, productFor(p, q), { mapping, out: made, start: 0 }, watch);
      if (zeros) markZeros(made, zeros, m);
      if (beyond) mend(made, a as Operand, b ?? (a as Operand), [n, m, d], beyond, few);
    },
    0,
    watch,
  );
  return deliver() as ResultOf<X, Y>;
}

const sumsOf = (metric: DistanceMetric): 1 | 2 => (metric === "manhattan" ? CODE.DISTANCES : CODE.SQUARES);

/** The distances of few rows, which need no norms; undefined where some of them have to be made good. */
function fewDistances(fn: string, few: FewPairs, metric: DistanceMetric, out: unknown): FloatArray | undefined {
  if (metric !== "euclidean") return fewProduct(fn, few, out, sumsOf(metric), times(1));
  const bytes = few.bytes as 4 | 8;
  if (!isUsual(bytes, exponentOf(largestOfFew(few)))) return undefined;
  return fewProduct(fn, few, out, CODE.SQUARES, ROOT, LEAST[bytes]);
}

/** Operands, what becomes of their products, and what has to be made good of the results. */
interface Prepared {
  readonly x: Matrix;
  readonly y: Matrix | undefined;
  readonly mapping: Mapping;
  /** Which rows of x and y are 0. */
  readonly zeros?: readonly [readonly number[], readonly number[]];
  /** Distances below have lost digits, which must be made good; with `few` they are those of points that have a number close to 0. */
  readonly beyond?: number;
  readonly few?: number;
}

/** Exponents of numbers whose squares are in range, that to which others are brought, and the least distances that are right then. */
const USUAL = { 4: 30, 8: 480 };
const isUsual = (bytes: 4 | 8, exponent: number): boolean => Math.abs(exponent) <= USUAL[bytes];
const BROUGHT_TO = { 4: 40, 8: 400 };
const LEAST = { 4: 2 ** -52, 8: 2 ** -460 };

/** The root of a sum, over the unit. */
const ROOT: Mapping = { map: CODE.ROOT, factor: 1, shift: 0, degree: 0 };

/** Numbers from here on differ by `LEAST` at least, or by nothing: they are multiples of their units. */
const LEAST_NUMBER = { 4: 2 ** -28, 8: 2 ** -407 };

function prepared(
  at: Arena,
  scratch: number,
  metric: DistanceMetric,
  x: Matrix,
  y: Matrix | undefined,
  d: number,
): Prepared {
  if (metric === "cosine") {
    const xNorms = normsOf(at, scratch, productOf(x, undefined, d));
    const yNorms = y && normsOf(at, scratch, productOf(y, undefined, d));
    const zeros = [xNorms.zeros, (yNorms ?? xNorms).zeros] as const;
    return { x: { ...x, norms: xNorms }, y: y && { ...y, norms: yNorms }, mapping: times(0.5), zeros };
  }
  // sums of squares and of magnitudes are out of range where their results are
  if (metric !== "euclidean") return { x, y, mapping: times(1) };
  const bytes = x.bytes as 4 | 8;
  const found = [x, ...(y ? [y] : [])].map((one) => exponentIn(at, scratch, one, d));
  const exponent = Math.max(...found.map((one) => one.exponent));
  const usual = isUsual(bytes, exponent);
  const unit = usual ? 1 : 2 ** Math.max(-1000, Math.min(1000, BROUGHT_TO[bytes] - exponent));
  const mapping = { ...ROOT, factor: 1 / unit };
  const beyond = LEAST[bytes] / unit;
  if (usual) return { x, y, mapping, beyond, ...(found.every(({ finite }) => finite) && { few: LEAST_NUMBER[bytes] }) };
  const centring = { means: undefined, unit, factor: 1 };
  return { x: { ...x, centring }, y: y && { ...y, centring }, mapping, beyond };
}

/** Rows of zeros are at a distance of 1 from all but those of NaN. */
function markZeros(
  { array, length }: Output,
  [rows, columns]: readonly [readonly number[], readonly number[]],
  m: number,
): void {
  const mark = (at: number): void => {
    if (!Number.isNaN(array[at])) array[at] = 1;
  };
  for (const i of rows) for (let j = 0; j < m; j++) mark(i * m + j);
  for (const j of columns) for (let at = j; at < length; at += m) mark(at);
}

/**
 * The Euclidean distances whose squares are not in range beside the others', each in a unit of its own. Where only points that have a
 * number close to 0 have such, these are looked for, if that is less to look at than the distances.
 */
function mend(
  { array }: Output,
  { array: x }: Operand,
  { array: y }: Operand,
  [n, m, d]: readonly [number, number, number],
  beyond: number,
  few: number | undefined,
): void {
  /** Every `step`th of the distances [from, end). */
  const look = (from: number, end: number, step: number): void => {
    for (let at = from; at < end; at += step) {
      const value = array[at] as number;
      if (value >= beyond && value < Infinity) continue;
      const [first, second] = [Math.floor(at / m) * d, (at % m) * d];
      // a point and itself
      if (x !== y || first !== second) array[at] = distanceOf(x, first, y, second, d);
    }
  };
  if (few === undefined || n * m <= (n + m) * d) {
    look(0, n * m, 1);
    return;
  }
  for (const i of close(x, n, d, few)) look(i * m, (i + 1) * m, 1);
  for (const j of close(y, m, d, few)) look(j, n * m, m);
}

/** The rows with a number closer to 0 than `least`, 0 itself aside. */
function close(array: FloatArray, rows: number, d: number, least: number): readonly number[] {
  const found: number[] = [];
  for (let i = 0; i < rows; i++) {
    for (let k = i * d; k < (i + 1) * d; k++) {
      const value = array[k] as number;
      if (value < least && value > -least && value !== 0) {
        found.push(i);
        break;
      }
    }
  }
  return found;
}

/** ‖x − y‖ in units of the largest difference; NaN and ∞ stay what they are. */
function distanceOf(x: FloatArray, first: number, y: FloatArray, second: number, d: number): number {
  let top = 0;
  for (let k = 0; k < d; k++) top = Math.max(top, Math.abs((x[first + k] as number) - (y[second + k] as number)));
  if (!(top > 0 && top < Infinity)) return top;
  let sum = 0;
  for (let k = 0; k < d; k++) {
    const part = ((x[first + k] as number) - (y[second + k] as number)) / top;
    sum += part * part;
  }
  return top * Math.sqrt(sum);
}
