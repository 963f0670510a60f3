/** softmax, log-softmax and log-sum-exp along an axis. */

import * as STEP from "../../assembly/rows/steps.ts";
import {
  axisOf,
  create,
  inWords,
  type Layout,
  layoutOf,
  type Operand,
  operandOf,
  operandsOf,
  shapeOf,
  sizesIn,
} from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { SOFTMAX } from "../memory/embedded/softmax.ts";
import { arena } from "../memory/kernels.ts";
import { numberIn, oneOf, optionsOf } from "../options.ts";
import { type Few, few } from "../place/few.ts";
import { outputOf } from "../place/output.ts";
import { type Phase, RowJob, type RowResults, streamRows } from "../place/rows.ts";
import { Rows } from "../read/reduce.ts";
import type { FloatArray, Input, Out, ResultOf } from "../types.ts";

export interface SoftmaxOptions<T extends FloatArray = FloatArray> {
  /** The shape of `x`, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** The axis that holds a row. Default: −1, the last. */
  axis?: number | undefined;
  /** T in e^{x/T}, positive and finite. Default: 1. */
  temperature?: number | undefined;
  /** What a row of nothing but −∞ becomes: NaN (the default), or probabilities of 0 (log-probabilities of −∞). */
  allMasked?: "nan" | "zero" | undefined;
  /** Where to write the result, instead of a new array; may be the input itself. */
  out?: Out<T> | undefined;
}

const OPTIONS = ["shape", "axis", "temperature", "allMasked", "out"];

/** The passes over a row in pieces: softmax scales what it wrote, log-softmax reads its input once more. */
const MAXIMUM: Phase = { first: STEP.BEGIN, each: STEP.MAXIMUM, keeps: false, rereads: false };
const SUM: Phase = { first: STEP.AIM, each: STEP.SUM_UP, keeps: false, rereads: false };
const WRITTEN_SUM: Phase = { first: STEP.AIM, each: STEP.SUM_UP, keeps: true, rereads: false };
const WRITE: Phase = { first: STEP.FINISH, each: STEP.WRITE, keeps: true, rereads: false };
const SCALE: Phase = { first: STEP.FINISH, each: STEP.WRITE, keeps: true, rereads: true };

const PHASES = {
  softmax: [MAXIMUM, WRITTEN_SUM, SCALE],
  logSoftmax: [MAXIMUM, SUM, WRITE],
  logSumExp: [MAXIMUM, SUM],
};

/** Whether the kernels take a temperature as it is. */
const isTaken = (temperature: number): boolean => temperature >= 1e-8 && temperature <= 1e8;

/**
 * x and T over a power of two, exactly, with T in [½, 1): what is no overflow once it is divided by T is none before. At a low T a row whose maximum is 4096 T or more may overflow then, in which
 * the maximum is taken from its elements first: what counts of them, within 760 T of it, is exact (Sterbenz's lemma).
 */
function tempered(
  fn: string,
  x: Operand,
  { n, inner, rows }: Layout,
  temperature: number,
): { x: Operand; temperature: number } {
  if (isTaken(temperature)) return { x, temperature };
  const exponent = 1 + Math.floor(Math.log2(temperature));
  // in two factors, for 2^1074 is no number
  const [half, rest] = [2 ** -Math.trunc(exponent / 2), 2 ** (Math.trunc(exponent / 2) - exponent)];
  const array = create(fn, x.bytes, x.length, "the tempered input");
  for (let row = 0; row < rows; row++) {
    const first = Math.floor(row / inner) * n * inner + (row % inner);
    const end = first + n * inner;
    let top = -Infinity;
    for (let i = first; i < end; i += inner) if ((x.array[i] as number) > top) top = x.array[i] as number;
    const origin = temperature < 1 && Number.isFinite(top) && Math.abs(top) > 4096 * temperature ? top : 0;
    for (let i = first; i < end; i += inner) array[i] = ((x.array[i] as number) - origin) * half * rest;
  }
  return { x: { ...x, array }, temperature: temperature * half * rest };
}

/** Whole rows. */
const FEW: Readonly<Record<"softmax" | "logSoftmax" | "logSumExp", Few>> = /* @__PURE__ */ (() => ({
  softmax: (at, isF32, x, y, rows, n, t, zero) =>
    isF32
      ? at.typed(SOFTMAX, 4).softmax(x, y, rows, n, t, zero, STEP.ALL)
      : at.typed(SOFTMAX, 8).softmax(x, y, rows, n, t, zero, STEP.ALL),
  logSoftmax: (at, isF32, x, y, rows, n, t, zero) =>
    isF32
      ? at.typed(SOFTMAX, 4).logSoftmax(x, y, rows, n, t, zero, STEP.ALL)
      : at.typed(SOFTMAX, 8).logSoftmax(x, y, rows, n, t, zero, STEP.ALL),
  logSumExp: (at, isF32, x, y, rows, n, t, zero) =>
    isF32
      ? at.typed(SOFTMAX, 4).logSumExp(x, y, rows, n, t, zero, STEP.ALL)
      : at.typed(SOFTMAX, 8).logSumExp(x, y, rows, n, t, zero, STEP.ALL),
}))();

/** softmax and log-softmax: the same arguments, checks and streaming. */
function softmaxBy(fn: "softmax" | "logSoftmax", input: Input, options: SoftmaxOptions | undefined): FloatArray {
  const { shape, axis, temperature, allMasked, out } = optionsOf<SoftmaxOptions>(fn, options, OPTIONS);
  const sizes = sizesIn(fn, "shape", shape);
  const along = axisOf(fn, axis);
  const given = numberIn(fn, "temperature", temperature, 1, Number.MIN_VALUE);
  const zero = oneOf(fn, "allMasked", allMasked, ["nan", "zero"], "nan") === "zero";
  if (along === -1 && isTaken(given)) {
    const short = few(fn, "x", input, sizes, out, false, FEW[fn], given, zero);
    if (short) return short;
  }
  const source = operandOf(fn, "x", input);
  const layout = layoutOf(fn, shapeOf(fn, source, sizes), along);
  const result = outputOf(fn, out, source.bytes, source.length);
  const { x, temperature: t } = tempered(fn, source, layout, given);
  const at = arena();
  const kernel = at.typed(SOFTMAX, x.bytes)[fn];
  const across = at.typed(SOFTMAX, x.bytes)[`${fn}Across`];
  const job = new RowJob(fn, layout, [x], PHASES[fn], 0, ({ reads, writes }, rows, n, steps) =>
    kernel(reads[0] as number, writes[0] as number, rows, n, t, zero, steps),
  );
  job.writes = [result];
  job.inPlace = true;
  job.across = (from, to, n, width, line) => across(from, to, n, width, line, t, zero);
  streamRows(at, job);
  return result.array;
}

/**
 * softmax(x)ᵢ = e^{xᵢ/T} / Σⱼ e^{xⱼ/T} along an axis: `[..., n, ...] → [..., n, ...]`, probabilities that sum to 1.
 *
 * Computed through the row's maximum, so that nothing overflows; the relative error is at most 5·2⁻²⁴ (f32) or 5·2⁻⁵³
 * (f64) in every normal result, however far below the maximum. A NaN makes its row NaN, as do a +∞ and (unless
 * `allMasked` is "zero") a row of nothing but −∞. With energies E the Boltzmann distribution is softmax(−E).
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, axis, temperature or length of `out`.
 * @example softmax([0, 0, Math.log(2)]); // Float64Array [0.25, 0.25, 0.5]
 * @see Bridle, Probabilistic interpretation of feedforward classification network outputs (1990)
 */
export function softmax<X extends Input>(x: X, options?: SoftmaxOptions<ResultOf<X>>): ResultOf<X> {
  return softmaxBy("softmax", x, options) as ResultOf<X>;
}

/**
 * log softmax(x)ᵢ = xᵢ/T − log Σⱼ e^{xⱼ/T} along an axis, in nats: `[..., n, ...] → [..., n, ...]`, all ≤ 0.
 *
 * Within 2 ULP, near 0 too: a log-probability of −1e-9 keeps its digits. Special cases as in `softmax`.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, axis, temperature or length of `out`.
 * @example logSoftmax([0, 0, Math.log(2)]); // Float64Array [-1.386…, -1.386…, -0.693…]
 */
export function logSoftmax<X extends Input>(x: X, options?: SoftmaxOptions<ResultOf<X>>): ResultOf<X> {
  return softmaxBy("logSoftmax", x, options) as ResultOf<X>;
}

export interface LogSumExpOptions<T extends FloatArray = FloatArray, W extends Input | undefined = Input | undefined> {
  /** The shape of `x`, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** The axis that is summed over. Default: −1, the last. */
  axis?: number | undefined;
  /** w in log Σ w·e^x, SciPy's b: as many as `x` has elements, or one row of them. May be negative; 0 leaves an element out. */
  weights?: W;
  /** Where to write the result, one number a row, instead of a new array. */
  out?: Out<T> | undefined;
}

/** Weights are as many as elements, or one row; what carries a shape has that of the data, or is one row by its shape too. */
function checkWeights(fn: string, x: Operand, dims: readonly number[], weights: Operand, n: number): void {
  const { length, shape, array } = weights;
  if (length !== x.length && length !== n)
    failValue(fn, "weights", `of length ${x.length}, or ${n} for one row`, array);
  if (!shape || shape.length <= 1 || shape.join() === dims.join()) return;
  if (shape.filter((size) => size !== 1).join() !== (n === 1 ? "" : String(n)) || shape.at(-1) !== n)
    failValue(fn, "weights", `of the shape of "x", ${inWords(dims)}, or one row of ${n}`, array, inWords(shape));
}

/** A weight to each element, or one row of them for all. In f64 for either type, a row at a time. */
function weightedLogSumExp(
  at: Arena,
  fn: string,
  x: Operand,
  weights: Operand,
  results: RowResults,
  layout: Layout,
): void {
  const shared = weights.length !== x.length;
  const { logSumExpWeighted } = at.kernels(SOFTMAX);
  const job = new RowJob(
    fn,
    layout,
    shared ? [x] : [x, weights],
    PHASES.logSumExp,
    STEP.FINISH,
    ({ reads, lists, results }, rows, n, steps) =>
      logSumExpWeighted(reads[0] as number, (shared ? lists[0] : reads[1]) as number, results, rows, n, steps),
  );
  job.lists = shared ? [weights] : [];
  job.asF64 = true;
  job.tileRows = 1;
  job.results = results;
  streamRows(at, job);
}

/** The arguments of logSumExp, checked. */
interface LogSumExpProblem {
  readonly fn: string;
  readonly source: Operand;
  readonly weights: Operand | undefined;
  readonly layout: Layout;
}

export function logSumExpOf(
  fn: string,
  x: unknown,
  sizes: readonly number[] | undefined,
  axis: unknown,
  weights: unknown,
): LogSumExpProblem {
  const along = axisOf(fn, axis);
  const [source, w] = operandsOf(fn, [["x", x]], [["weights", weights]]);
  const dims = shapeOf(fn, source, sizes);
  const layout = layoutOf(fn, dims, along);
  if (w) checkWeights(fn, source, dims, w, layout.n);
  return { fn, source, weights: w, layout };
}

/** Streams the log-sum-exp of each row to `rows`. */
export function streamLogSumExps({ fn, source, weights, layout }: LogSumExpProblem, rows: RowResults): void {
  const at = arena();
  if (weights) {
    weightedLogSumExp(at, fn, source, weights, rows, layout);
    return;
  }
  const { logSumExp, logSumExpAcross } = at.typed(SOFTMAX, source.bytes);
  const job = new RowJob(fn, layout, [source], PHASES.logSumExp, STEP.FINISH, ({ reads, results }, count, n, steps) =>
    logSumExp(reads[0] as number, results, count, n, 1, false, steps),
  );
  job.results = rows;
  job.resultBytes = source.bytes;
  job.across = (from, to, n, width, line) => logSumExpAcross(from, to, n, width, line, 1, false);
  streamRows(at, job);
}

/** Those of a few elements by the short way; undefined where it is not for these. */
export function logSumExpsOfFew(
  fn: string,
  x: unknown,
  sizes: readonly number[] | undefined,
  out: unknown,
): FloatArray | undefined {
  return few(fn, "x", x, sizes, out, true, FEW.logSumExp);
}

/**
 * log Σⱼ wⱼ·e^{xⱼ} along an axis, in nats: `[..., n, ...] → [...]`, one number a row; the weights are 1 unless given.
 *
 * Within 2 ULP of the larger of |max x| and |result|: logSumExp([0, −40]) is 4.248e-18. −∞ for an empty row, one of
 * nothing but −∞, and one whose weighted terms cancel, which they do exactly and in any order; +∞ where there is a +∞; NaN where
 * there is a NaN or the weighted sum is negative.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, axis or length of `weights` or `out`.
 * @example logSumExp([1, 2, 3]); // Float64Array [3.4076059644443806]
 * @see Blanchard, Higham & Higham, Accurately computing the log-sum-exp and softmax functions (2021)
 */
export function logSumExp<X extends Input, W extends Input | undefined = undefined>(
  x: X,
  options?: LogSumExpOptions<ResultOf<X, W>, W>,
): ResultOf<X, W> {
  const fn = "logSumExp";
  const { shape, axis, weights, out } = optionsOf<LogSumExpOptions>(fn, options, ["shape", "axis", "weights", "out"]);
  const sizes = sizesIn(fn, "shape", shape);
  if ((axis === undefined || axis === -1) && weights === undefined) {
    const short = logSumExpsOfFew(fn, x, sizes, out);
    if (short) return short as ResultOf<X, W>;
  }
  const problem = logSumExpOf(fn, x, sizes, axis, weights);
  const result = outputOf(fn, out, problem.source.bytes, problem.layout.rows);
  streamLogSumExps(problem, new Rows(result, 1));
  return result.array as ResultOf<X, W>;
}
