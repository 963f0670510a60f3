/** The nearest rows of one matrix to each row of another. */
import * as CODE from "../../assembly/divergence/codes.ts";
import { pointsOf, sameDepth } from "../check/points.ts";
import { type Operand, sizesIn } from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import { type Arena, PAD, STAGE_BYTES } from "../memory/arena.ts";
import { DIVERGENCE } from "../memory/embedded/divergence.ts";
import { scratch } from "../memory/scratch.ts";
import { integerIn, oneOf, optionsOf } from "../options.ts";
import {
  type Matrix,
  matrixIn,
  type Norms,
  type Product,
  productOf,
  type Reduction,
  reduceRows,
  sidesOf,
  withBlocks,
} from "../place/blocks.ts";
import { copied, outputOf } from "../place/output.ts";
import { commonCentring, exponentIn, normsOf, squaresOf } from "../place/prepare.ts";
import { turnsOf, type Watch, watchOf } from "../place/watch.ts";
import { shareRows, sharing } from "../share.ts";
import type { FloatArray, From, Input, PairsProgress, ResultOf, Signal } from "../types.ts";
import { flagsOf, fromsOf } from "./divergence.ts";
import { DIVERGENCES_BYTES, type Divergences, divergenceBlock, divergenceSide } from "./pairwiseDivergence.ts";

export type NearestMetric = "euclidean" | "squaredEuclidean" | "cosine" | "dot" | "kl" | "js";

export interface NearestOptions {
  /** The shape of `x`: [n, d]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** The shape of `y`: [m, d]. Default: the tensor's own, else that of `x`. */
  yShape?: readonly number[] | undefined;
  /** How many rows of y for each row of x: from 1 to m, or to n − 1 among the rows of x themselves. Default: 1. */
  k?: number | undefined;
  /** What is least; of `"dot"` the largest is the nearest. Default: `"euclidean"`. */
  metric?: NearestMetric | undefined;
  /** What the arguments hold, for `"kl"` and `"js"`; a pair says it of each. Default: `"probabilities"`, or counts. */
  from?: From | readonly [From, From] | undefined;
  /** Called after tiles of pairs, some 10 ms apart; may call any function of the package, and abort. */
  progress?: ((progress: PairsProgress) => void) | undefined;
  /** An AbortSignal. Looked at as often; once it is aborted, its reason is thrown. */
  signal?: Signal | undefined;
}

export interface NearestResult<T extends FloatArray = FloatArray> {
  /** Rows of y, [n, k], the nearest first. */
  indices: Int32Array;
  /** What the metric is of each. */
  values: T;
}

const METRICS = ["euclidean", "squaredEuclidean", "cosine", "dot", "kl", "js"] as const;
const OPTIONS = ["shape", "yShape", "k", "metric", "from", "progress", "signal"];

/** What is asked for, checked. */
interface Search {
  readonly fn: string;
  readonly x: Operand;
  readonly y: Operand | undefined;
  readonly n: number;
  readonly m: number;
  readonly d: number;
  readonly k: number;
  readonly metric: NearestMetric;
  readonly indices: Int32Array;
  readonly values: FloatArray;
  readonly watch: Watch;
}

/** Bytes of an entry of a heap: its value, and its index in 8 more. */
const ENTRY = 16;

/** Bytes of heaps, and of rows kept beside a block, at most, but for those of one row. */
const MOST_BYTES = 2 ** 21;

/**
 * The k nearest rows of y to each row of x, or among the rows of x themselves, each without itself:
 * `[n, d], [m, d] → { indices: [n, k], values: [n, k] }`, the nearest first; of equal ones the lower index.
 *
 *     euclidean  ‖x − y‖       squaredEuclidean  ‖x − y‖²      cosine  1 − x·y / (‖x‖·‖y‖), 1 if either is 0
 *     dot        x·y, largest first              kl  KL(x ‖ y)     js  JS(x, y), in nats
 *
 * Exact: products of rows rule out pairs that cannot be among the nearest, by a bound of their rounding errors. The others are computed
 * from the rows themselves in f64, distances as sums of squares of differences, which do not cancel wherever the points lie; these are compared,
 * and are the values. `"kl"` and `"js"` are those of `pairwiseDivergence`. Memory is that of the result and 8 MiB, whatever n and m.
 *
 * NaN is farther than any number: a row of NaN in y comes last, one in x has NaN for its values. Rows of hundreds of columns take
 * nine tenths of the rate of `gram`; many more pairs than k within rounding of the k-th nearest take longer.
 *
 * @throws TypeError for arguments of the wrong kind; RangeError for a wrong shape, or a k of which there are not as many rows;
 *   whatever `signal` was aborted with.
 * @example nearest([0, 5, 6], [1, 4], { shape: [3, 1], yShape: [2, 1] }).indices; // Int32Array [0, 1, 1]
 * @example nearest([0, 5, 6], undefined, { shape: [3, 1] }).values; // Float64Array [5, 1, 1]
 */
export function nearest<X extends Input, Y extends Input | undefined = undefined>(
  x: X,
  y?: Y,
  options?: NearestOptions,
): NearestResult<ResultOf<X, Y>> {
  const fn = "nearest";
  const o = optionsOf<NearestOptions>(fn, options, OPTIONS);
  const { shape, yShape, k: asked, metric: given, from, progress, signal } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const ySizes = sizesIn(fn, "yShape", yShape);
  const k = integerIn(fn, "k", asked, 1, 1, Number.MAX_SAFE_INTEGER);
  const metric = oneOf(fn, "metric", given, METRICS, "euclidean");
  const froms = fromsOf(fn, from);
  const watch = watchOf(fn, progress, signal);
  const points = pointsOf(fn, x, y, sizes, ySizes);
  const d = sameDepth(fn, points);
  const [[n], [m]] = [points.shape, points.yShape];
  const others = points.y ? m : Math.max(0, n - 1);
  if (k > others && (n > 0 || asked !== undefined))
    failValue(
      fn,
      "k",
      `at most ${others}, the ${points.y ? 'rows of "y"' : 'rows of "x" without one, as there is no "y"'}`,
      k,
    );
  const indices = indicesOf(fn, n * k);
  const values = outputOf(fn, undefined, points.x.bytes, n * k).array;
  const search: Search = { fn, x: points.x, y: points.y, n, m, d, k, metric, indices, values, watch };
  if (n === 0) return { indices, values } as NearestResult<ResultOf<X, Y>>;
  if (metric === "kl" || metric === "js") byDivergence(search, metric, flagsOf(froms, true));
  else byProducts(search, metric);
  return { indices, values } as NearestResult<ResultOf<X, Y>>;
}

function indicesOf(fn: string, length: number): Int32Array {
  const make = (): Int32Array => newIndices(fn, length);
  return sharing()?.output("i32", length, make, "new") ?? make();
}

function newIndices(fn: string, length: number): Int32Array {
  try {
    return new Int32Array(length);
  } catch (cause) {
    throw new RangeError(`${fn}: not enough memory: the indices would take ${4 * length} bytes`, { cause });
  }
}

/** How the heaps of some rows are begun, and how what is in them leaves: `read` what an entry holds. */
function heapsAt(
  at: Arena,
  heaps: number,
  { k, indices, values }: Search,
  read: (held: number) => number,
): Pick<Reduction, "begin" | "end"> {
  const { clearBest, sortBest } = at.kernels(DIVERGENCE);
  return {
    begin: (_, rows) => {
      clearBest(heaps, rows * k);
    },
    end: (i, rows) => {
      sortBest(heaps, rows, k);
      const held = at.view(8);
      for (let e = 0; e < rows * k; e++) {
        values[i * k + e] = read(held[heaps / 8 + 2 * e] as number);
        indices[i * k + e] = at.integers[heaps / 4 + 4 * e + 2] as number;
      }
    },
  };
}

// ------------------------------------------------------------------------------------------------------ by products

type ByProducts = Exclude<NearestMetric, "kl" | "js">;

/** Lower bounds of a metric from a product C, as the kernel takes them (assembly/divergence/nearest.ts), and the rows it computes directly. */
interface Bounds {
  readonly mode: number;
  readonly x: Matrix;
  readonly y: Matrix;
  /** n[j], undefined: 0. */
  readonly columns: Float64Array | undefined;
  readonly shifts: Float64Array;
  readonly ratio: number;
  /** Two factors for each row. */
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  read(held: number): number;
}

/** Beyond these squares of norms nothing is known of products. */
const LARGEST_SQUARE = { 4: 2 ** 100, 8: 2 ** 900 };

/** Exponents of f64 whose squares are in range: beyond, every pair is computed directly. */
const USUAL = 480;

/** The roundings of a product of depth d, relative to the norms of its rows, and those around it, with some room. */
function errorOf(bytes: number, d: number): number {
  // chains, sums of chains, sums of those (blocks.ts)
  const longest = Math.min(d, 256) + Math.min(64, Math.ceil(d / 256)) + Math.ceil(d / 16384);
  return 1.01 * (longest + 14) * (bytes === 4 ? 2 ** -24 : 2 ** -53) + DIRECT_ERROR;
}

/** Of a metric that is computed directly, in f64, and what norms add to it. */
const DIRECT_ERROR = 2 ** -43;

/** What products and sums of d terms lose where they are below the least number, those times `ratio` that are computed directly too. */
function lostOf(bytes: number, d: number, ratio: number): number {
  return d * ((bytes === 4 ? 2 ** -140 : 2 ** -1060) + ratio * 2 ** -1070);
}

/** The square of a row's norm; NaN where products with it may be out of range, so that it is not passed over. */
function bounded(square: number, bytes: number): number {
  return square < LARGEST_SQUARE[bytes as 4 | 8] ? square : Number.NaN;
}

/** Factors of rows that have none. */
function none(rows: number): Float64Array {
  return new Float64Array(2 * rows).fill(1);
}

/** Those that make a row one of norm 1; 0 for a row of zeros. */
function overNorms({ units, norms, zeros }: Norms): Float64Array {
  const factors = new Float64Array(2 * norms.length);
  norms.forEach((norm, i) => {
    factors[2 * i] = units?.[i] ?? 1;
    factors[2 * i + 1] = 1 / norm;
  });
  for (const row of zeros) factors[2 * row + 1] = 0;
  return factors;
}

/**
 * Of the Euclidean distance: with x and y centred alike, which changes no distance, and times a power of two g,
 *
 *     g²·‖x − y‖² = ‖x‖² + ‖y‖² − 2·x·y,     right to α·(‖x‖² + ‖y‖²) and to what is below the least number
 *
 * α counts a rounding of every centred element, which moves a distance by 2⁻²⁴·(‖x‖ + ‖y‖) at most, those of the product, of ‖y‖²
 * and of the difference.
 */
function euclidean(at: Arena, scratch: number, { d, metric }: Search, x: Matrix, y: Matrix): Bounds {
  const { bytes } = x;
  const centring = commonCentring(at, scratch, x === y ? [x] : [x, y], d);
  const { factor } = centring;
  const centred = (m: Matrix): Matrix => ({ ...m, centring });
  const [p, q] = [centred(x), centred(y)];
  const isRoot = metric === "euclidean";
  const isUsual = factor > 2 ** -USUAL && factor < 2 ** USUAL;
  const rest = 1 - errorOf(bytes, d);
  const squares = (m: Matrix): Float64Array =>
    squaresOf(at, scratch, productOf(m, undefined, d)).map((square) =>
      isUsual ? bounded(square, bytes) * rest : Number.NaN,
    );
  const xSquares = squares(p);
  const ySquares = x === y ? xSquares : squares(q);
  const lost = lostOf(bytes, d, isUsual ? factor * factor : 0);
  return {
    mode: isRoot ? CODE.EUCLIDEAN : CODE.SQUARED,
    x: p,
    y: q,
    columns: ySquares,
    shifts: xSquares.map((square) => lost - square),
    ratio: isRoot ? factor : factor * factor,
    xs: none(x.rows),
    ys: none(y.rows),
    read: (held) => held,
  };
}

/** Of the cosine distance c: with rows over their norms −2·x·y = 2·c − 2, right to 2·α. */
function cosine(at: Arena, scratch: number, { d }: Search, x: Matrix, y: Matrix): Bounds {
  const normed = (m: Matrix): Matrix & { readonly norms: Norms } => ({
    ...m,
    norms: normsOf(at, scratch, productOf(m, undefined, d)),
  });
  const p = normed(x);
  const q = x === y ? p : normed(y);
  // norms are sums of d terms in two chains, in f64
  const error = 2 * errorOf(x.bytes, d) + d * 2 ** -51 + lostOf(x.bytes, d, 2);
  return {
    mode: CODE.COSINE,
    x: p,
    y: q,
    columns: undefined,
    shifts: new Float64Array(x.rows).fill(error - 2),
    ratio: 2,
    xs: overNorms(p.norms),
    ys: overNorms(q.norms),
    read: (held) => held,
  };
}

/** Of −x·y, with x and y each times a power of two: right to α·‖x‖·‖y‖. */
function dot(at: Arena, scratch: number, { d }: Search, x: Matrix, y: Matrix): Bounds {
  const { bytes } = x;
  const scaled = (m: Matrix): { matrix: Matrix; exponent: number; norms: Float64Array } => {
    const { exponent } = exponentIn(at, scratch, m, d);
    const matrix = { ...m, centring: { means: undefined, unit: 1, factor: 2 ** -exponent } };
    const squares = squaresOf(at, scratch, productOf(matrix, undefined, d));
    return { matrix, exponent, norms: squares.map((square) => Math.sqrt(bounded(square, bytes))) };
  };
  const p = scaled(x);
  const q = x === y ? p : scaled(y);
  const exponent = p.exponent + q.exponent;
  const isUsual = Math.abs(exponent) < 2 * USUAL;
  const largest = q.norms.reduce((most, norm) => (norm > most ? norm : most), 0);
  const error = 2 * errorOf(bytes, d) * largest;
  const ratio = isUsual ? 2 * 2 ** -exponent : 1;
  const lost = lostOf(bytes, d, ratio);
  return {
    mode: CODE.LARGEST,
    x: p.matrix,
    y: q.matrix,
    columns: q.norms.map((norm) => 0 * norm),
    shifts: p.norms.map((norm) => (isUsual ? error * norm + lost : Number.NaN)),
    ratio,
    xs: none(x.rows),
    ys: none(y.rows),
    // 0, where the kernel holds −(x·y): never −0
    read: (held) => 0 - held,
  };
}

const BOUNDS = { euclidean, squaredEuclidean: euclidean, cosine, dot };

function byProducts(search: Search, metric: ByProducts): void {
  const { fn, x, y, n, m, d, k, watch } = search;
  const { bytes } = x;
  const fitting = (size: number): number => Math.max(1, Math.floor(MOST_BYTES / Math.max(size, 1)));
  const most = Math.min(fitting(d * bytes), fitting(k * ENTRY));
  const productFor = (a: Matrix, b: Matrix): Product => ({ ...productOf(a, b, d), small: true, keeps: true, most });
  const [own, other] = [matrixIn(x, n), y && matrixIn(y, m)];
  const products = [productFor(own, other ?? own), productOf(own, undefined, d)];
  if (other) products.push(productOf(other, undefined, d));
  const { rows: side, columns: otherSide } = sidesOf(products[0] as Product);
  const padded = otherSide + 16;
  const more = 8 * (3 * side + 3 * padded) + side * k * ENTRY;
  const reads = y ? [x, y] : [x];
  withBlocks(
    fn,
    products,
    reads,
    [],
    (at, scratch, [a, b], state) => {
      const first = matrixIn(a as Operand, n);
      const bounds = BOUNDS[metric](at, scratch, search, first, b ? matrixIn(b, m) : first);
      const { mode, columns, shifts, ratio, xs, ys, read } = bounds;
      const shiftsAt = state;
      const xsAt = shiftsAt + 8 * side;
      const ysAt = xsAt + 16 * side;
      const columnsAt = ysAt + 16 * padded;
      const heaps = columnsAt + 8 * padded;
      const zeros = new Float64Array(columns ? 0 : otherSide);
      const { begin, end } = heapsAt(at, heaps, search, read);
      const { nearest } = at.typed(DIVERGENCE, bytes);
      const reduction: Reduction = {
        begin: (i, rows) => {
          begin(i, rows);
          at.copyIn(shifts, 8, i, rows, shiftsAt);
          at.copyIn(xs, 8, 2 * i, 2 * rows, xsAt);
        },
        take: (block) => {
          const { i, rows, j } = block;
          at.copyIn(ys, 8, 2 * j, 2 * block.columns, ysAt);
          if (columns) at.copyIn(columns, 8, j, block.columns, columnsAt, 1, bytes);
          else at.copyIn(zeros, 8, 0, block.columns, columnsAt, 1, bytes);
          // biome-ignore format: as the kernel declares them
          nearest(mode, block.pointer, block.stride, rows, block.columns, j, y ? -n : i, k, block.x, block.y, d,
            xsAt, ysAt, columnsAt, shiftsAt, heaps, 2, ratio, DIRECT_ERROR);
        },
        end,
      };
      reduceRows(at, scratch, productFor(bounds.x, bounds.y), reduction, watch);
    },
    more,
    watch,
  );
}

// --------------------------------------------------------------------------------------------------- by divergences

function byDivergence(search: Search, metric: "kl" | "js", flags: number): void {
  const { fn, n, m, d, k, watch } = search;
  const safe = (one: Operand): Operand => (watch.alone ? copied(fn, one) : one);
  const p = safe(search.x);
  const q = search.y ? safe(search.y) : p;
  const { bytes } = p;
  const of: Divergences = { fn, p, q, n, m, d, flags, unit: 1, metric };
  const columns = divergenceSide(of);
  const side = Math.max(1, Math.min(columns, Math.floor(MOST_BYTES / (k * ENTRY))));
  // behind the stage, through which long rows stream
  const before = STAGE_BYTES + PAD;
  const more = 8 * (side + columns + 16) + side * k * ENTRY;
  scratch(
    fn,
    before + DIVERGENCES_BYTES + more,
    (at, start) => {
      const pointer = start + before;
      const shiftsAt = pointer + DIVERGENCES_BYTES;
      const zerosAt = shiftsAt + 8 * side;
      const heaps = zerosAt + 8 * (columns + 16);
      at.arrayAt(shiftsAt, side + columns + 16, 8).fill(0);
      const { begin, end } = heapsAt(at, heaps, search, (held) => held);
      const { nearest } = at.typed(DIVERGENCE, bytes);
      const total = Math.ceil(n / side) * Math.ceil(m / columns);
      const turn = turnsOf(watch, total, 2 ** 21 / (side * columns * Math.max(d, 16)));
      shareRows(n, side, 16 * m * d, (i, rows) => {
        begin(i, rows);
        for (let j = 0; j < m; j += columns) {
          const count = Math.min(columns, m - j);
          const tile = divergenceBlock(at, pointer, of, i, rows, j, count, j > 0);
          // biome-ignore format: as the kernel declares them
          nearest(CODE.GIVEN, tile, count, rows, count, j, search.y ? -n : i, k, 0, 0, 0,
            zerosAt, zerosAt, zerosAt, shiftsAt, heaps, -1, 1, 0);
          turn();
        }
        end(i, rows);
      });
    },
    watch.alone,
  );
}
