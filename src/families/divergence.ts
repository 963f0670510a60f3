/** Kullback–Leibler and Jensen–Shannon divergences of distributions, row by row, with gradients. */

import * as CODE from "../../assembly/divergence/codes.ts";
import { tagOf } from "../arrays.ts";
import { axisOf, type Layout, layoutOf, type Operand, pairOf, sizesIn } from "../check/tensor.ts";
import { failKind, failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { DIVERGENCE } from "../memory/embedded/divergence.ts";
import { arena } from "../memory/kernels.ts";
import { isResident } from "../memory/residents.ts";
import { flagOf, fromOf, numberIn, oneOf, optionsOf } from "../options.ts";
import { fewNumbers } from "../place/few.ts";
import { checkDistinct, noOutput, type Output, outputOf } from "../place/output.ts";
import { phase, RowJob, type RowResults, streamRows } from "../place/rows.ts";
import { baseOf, perNat, Rows, reducedFew, reductionOf } from "../read/reduce.ts";
import type { FloatArray, From, Input, Out, Reduced, Reduction, ResultOf } from "../types.ts";

export interface DivergenceOptions<T extends FloatArray = FloatArray, R extends Reduction = Reduction> {
  /** The shape of both arguments, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** The axis that holds a distribution. Default: −1, the last. */
  axis?: number | undefined;
  /**
   * What the arguments hold; a pair says it of each: `["probabilities", "logProbabilities"]` is PyTorch's `kl_div(log q, p)`.
   * Default: `"probabilities"`, or counts.
   */
  from?: From | readonly [From, From] | undefined;
  /** T in softmax(x/T), for logits only. Default: 1. */
  temperature?: number | undefined;
  /** The logarithm's base: 2 gives bits. Default: e, nats. */
  base?: number | undefined;
  /** Whether probabilities, or log-probabilities, are made to sum to 1 (the default) or taken as they are. */
  normalize?: boolean | undefined;
  /** `"mean"` (the default): over the rows, PyTorch's `batchmean`; `"sum"`; `"none"`: one number per row. */
  reduction?: R | undefined;
  /** Where to write the numbers per row (`"none"`), instead of a new array. */
  out?: Out<T> | undefined;
}

/** Which gradients are wanted. */
export type Wrt = "p" | "q" | "both";

export interface DivergenceGradOptions<
  T extends FloatArray = FloatArray,
  R extends Reduction = Reduction,
  G extends Wrt = Wrt,
> extends Omit<DivergenceOptions<T, R>, "out"> {
  /** The gradient with respect to which argument to return. Default: `"both"`. */
  wrt?: G | undefined;
  /** Where to write the gradients, instead of new arrays. */
  out?: { gradP?: Out<T> | undefined; gradQ?: Out<T> | undefined } | undefined;
}

/** A divergence and the gradients asked for, with respect to the arguments as they were given. */
export type DivergenceGradients<Value, Grad, G extends Wrt = "both"> = { value: Value } & (G extends "q"
  ? unknown
  : { gradP: Grad }) &
  (G extends "p" ? unknown : { gradQ: Grad });

export type Metric = "kl" | "js" | "jsDistance";

const NAMES = ["p", "q"] as const;

/** The kernels' code of a metric. */
export function kindOf(metric: Metric): number {
  return metric === "kl" ? CODE.KL : CODE.JS;
}

/** The kernels' flags for what the arguments hold. Logits are normalised by what they are. */
export function flagsOf([p, q]: readonly [From, From], normalize: boolean): number {
  return (
    (p === "probabilities" ? 0 : CODE.LOGS_P) +
    (q === "probabilities" ? 0 : CODE.LOGS_Q) +
    (normalize || p === "logits" ? CODE.NORMALIZE_P : 0) +
    (normalize || q === "logits" ? CODE.NORMALIZE_Q : 0)
  );
}

const OPTIONS = ["shape", "axis", "from", "temperature", "base", "normalize", "reduction", "out"];

/** The options, checked. */
interface Settings {
  readonly sizes: readonly number[] | undefined;
  readonly along: number;
  readonly flags: number;
  /** Of each argument: 1 but for logits. */
  readonly temperatures: readonly [number, number];
  readonly reduction: Reduction;
  readonly base: number;
  readonly out: unknown;
}

/** And the arguments. */
interface Problem extends Settings {
  readonly fn: string;
  readonly p: Operand;
  readonly q: Operand;
  readonly layout: Layout;
}

/** What each of two arguments holds. */
export function fromsOf(fn: string, from: unknown): readonly [From, From] {
  if (!Array.isArray(from)) {
    const one = fromOf(fn, from, "probabilities");
    return [one, one];
  }
  if (from.length !== 2) failValue(fn, "from", "one for both arguments, or a pair", from);
  const [p, q] = from as unknown[];
  if (p === undefined || q === undefined) failKind(fn, "from", "one for both arguments, or a pair", from);
  return [fromOf(fn, p, "probabilities", "from[0]"), fromOf(fn, q, "probabilities", "from[1]")];
}

type Options = Omit<DivergenceOptions, "out"> & { readonly out?: unknown };

function settingsOf(fn: string, o: Options): Settings {
  const { shape, axis, from, temperature, base, normalize, reduction, out } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const along = axisOf(fn, axis);
  const froms = fromsOf(fn, from);
  const t = numberIn(fn, "temperature", temperature, 1, Number.MIN_VALUE);
  if (t !== 1 && !froms.includes("logits"))
    failValue(fn, "temperature", `1 for ${froms[0]}, as logits alone have one`, t);
  const normalized = flagOf(fn, "normalize", normalize, true);
  const unit = baseOf(fn, base);
  return {
    sizes,
    along,
    flags: flagsOf(froms, normalized),
    temperatures: [froms[0] === "logits" ? t : 1, froms[1] === "logits" ? t : 1],
    reduction: reductionOf(fn, reduction),
    base: unit,
    out,
  };
}

export function problemOf(fn: string, x: unknown, y: unknown, o: Options): Problem {
  return problemIn(fn, x, y, settingsOf(fn, o));
}

function problemIn(fn: string, x: unknown, y: unknown, settings: Settings): Problem {
  const { p, q, shape } = pairOf(fn, x, y, settings.sizes);
  return { ...settings, fn, p, q, layout: layoutOf(fn, shape, settings.along) };
}

const PHASES = /* @__PURE__ */ [
  [CODE.BEGIN, CODE.MAXIMUM],
  [CODE.AIM, CODE.SUM],
  [CODE.SETTLE, CODE.TERMS],
].map(([first, each]) => phase(first as number, each as number));
const GRAD_PHASES = /* @__PURE__ */ PHASES.concat(/* @__PURE__ */ phase(CODE.FINISH, CODE.WRITE, true));

/** Streams the divergence of each row to `rows`, and the gradients, times `scale`, to where they are wanted. */
export function streamDivergence(
  at: Arena,
  metric: Metric,
  { fn, p, q, layout, flags, temperatures }: Omit<Problem, "sizes" | "along" | "reduction" | "base" | "out">,
  rows: RowResults,
  grads: readonly [Output | undefined, Output | undefined] | undefined,
  scale: number,
): void {
  const kernel = at.typed(DIVERGENCE, p.bytes).divergence;
  const job = new RowJob(
    fn,
    layout,
    [p, q],
    grads ? GRAD_PHASES : PHASES,
    grads ? 0 : CODE.FINISH,
    ({ reads, writes, results }, count, n, steps) =>
      kernel(
        reads[0] as number,
        reads[1] as number,
        writes[0] ?? 0,
        writes[1] ?? 0,
        results,
        count,
        n,
        kindOf(metric),
        flags,
        temperatures[0],
        temperatures[1],
        scale,
        steps,
      ),
  );
  job.writes = grads ?? [];
  job.results = rows;
  streamRows(at, job);
}

/** What becomes of the divergence of each row; the distance is the root of it in the unit asked for. */
function rowsOf(metric: Metric, reduction: Reduction, count: number, unit: number, out: Output | undefined): Rows {
  const over = reduction === "mean" ? count : 1;
  if (metric !== "jsDistance") return new Rows(out, unit, over);
  return new Rows(out, 1, over, (value) => Math.sqrt(value * unit));
}

function divergence(
  fn: string,
  metric: Metric,
  p: unknown,
  q: unknown,
  options: DivergenceOptions | undefined,
): number | FloatArray {
  const settings = settingsOf(fn, optionsOf<Options>(fn, options, OPTIONS));
  const { sizes, along, flags, temperatures, reduction, base, out } = settings;
  const each = reduction === "none";
  if (along === -1 && (each || out === undefined)) {
    const [t, u] = temperatures;
    const short = fewNumbers(fn, NAMES, p, q, sizes, out, each, (at, isF32, x, y, values, rows, n) =>
      isF32
        ? at.typed(DIVERGENCE, 4).divergence(x, y, 0, 0, values, rows, n, kindOf(metric), flags, t, u, 0, CODE.ALL)
        : at.typed(DIVERGENCE, 8).divergence(x, y, 0, 0, values, rows, n, kindOf(metric), flags, t, u, 0, CODE.ALL),
    );
    if (short) {
      const unit = perNat(short.at, DIVERGENCE, base);
      return reducedFew(short, rowsOf(metric, reduction, short.rows, unit, short.out));
    }
  }
  const problem = problemIn(fn, p, q, settings);
  const { rows: count } = problem.layout;
  if (!each) noOutput(fn, out, reduction);
  const result = each ? outputOf(fn, out, problem.p.bytes, count) : undefined;
  const at = arena();
  const rows = rowsOf(metric, reduction, count, perNat(at, DIVERGENCE, base), result);
  streamDivergence(at, metric, problem, rows, undefined, 0);
  return rows.value;
}

const GRAD_OPTIONS = /* @__PURE__ */ OPTIONS.concat("wrt");

function withGrad(fn: string, metric: Metric, p: unknown, q: unknown, options: DivergenceGradOptions | undefined) {
  const o = optionsOf<Options & { wrt?: Wrt }>(fn, options as (Options & { wrt?: Wrt }) | undefined, GRAD_OPTIONS);
  const { shape, axis, from, temperature, base, normalize, reduction, out, wrt } = o;
  const wanted = oneOf(fn, "wrt", wrt, ["p", "q", "both"], "both");
  const outs = out === undefined ? { gradP: undefined, gradQ: undefined } : outsOf(fn, out, wanted);
  const problem = problemOf(fn, p, q, { shape, axis, from, temperature, base, normalize, reduction });
  const { length, bytes } = problem.p;
  const gradP = wanted === "q" ? undefined : outputOf(fn, outs.gradP, bytes, length, "out.gradP");
  const gradQ = wanted === "p" ? undefined : outputOf(fn, outs.gradQ, bytes, length, "out.gradQ");
  if (gradP && gradQ) checkDistinct(fn, { "out.gradP": gradP, "out.gradQ": gradQ });
  const result = problem.reduction === "none" ? outputOf(fn, undefined, bytes, problem.layout.rows) : undefined;
  const at = arena();
  const unit = perNat(at, DIVERGENCE, problem.base);
  const rows = rowsOf(metric, problem.reduction, problem.layout.rows, unit, result);
  const scale = problem.reduction === "mean" ? unit / problem.layout.rows : unit;
  streamDivergence(at, metric, problem, rows, [gradP, gradQ], scale);
  return {
    value: rows.value,
    ...(gradP && { gradP: gradP.array }),
    ...(gradQ && { gradQ: gradQ.array }),
  };
}

/** The arrays of `out`. */
function outsOf(fn: string, out: unknown, wanted: Wrt): { readonly gradP?: unknown; readonly gradQ?: unknown } {
  const expected = "{ gradP, gradQ }, an array for each gradient";
  if (typeof out !== "object" || out === null || Array.isArray(out) || tagOf(out) !== undefined || isResident(out))
    return failKind(fn, "out", expected, out);
  const { gradP, gradQ, ...others } = out as Readonly<Record<string, unknown>>;
  const [other] = Object.keys(others);
  if (other !== undefined) failKind(fn, `out.${other}`, `left out: "out" is ${expected}`, others[other]);
  if (gradP !== undefined && wanted === "q") failKind(fn, "out.gradP", 'left out where "wrt" is "q"', gradP);
  if (gradQ !== undefined && wanted === "p") failKind(fn, "out.gradQ", 'left out where "wrt" is "p"', gradQ);
  return { gradP, gradQ };
}

/**
 * The Kullback–Leibler divergence KL(P‖Q) = Σ pᵢ·log(pᵢ/qᵢ) of each row: `[..., n, ...] → number`, or one per row. ≥ 0, and
 * exactly 0 for P = Q. The first argument is P, the data or the teacher; the second Q, the model. In nats, or by `base`.
 *
 * Nothing cancels where P and Q are nearly equal: the relative error is below 1e-6 (f32 data) down to 1e-13, and below
 * 1e-10 (f64) down to 1e-20, from logits too. 0·log 0 = 0; p > 0 = q gives +∞, but for a p below e^−680 of the largest in
 * rows of f32, which may count as 0; a negative probability or a sum of 0, NaN.
 * With `normalize: false` it is Σ p·log(p/q) of the numbers as they are, PyTorch's `kl_div`, which may be negative.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, length or option.
 * @example klDivergence([0.5, 0.5], [0.9, 0.1], { base: 2 }); // 0.736…
 * @example klDivergence(teacher, student, { shape: [64, 1000], from: "logits", temperature: 2 }); // distillation
 * @see Kullback & Leibler, On information and sufficiency (1951)
 */
export function klDivergence<X extends Input, Y extends Input = Input, R extends Reduction = "mean">(
  p: X,
  q: Y,
  options?: DivergenceOptions<ResultOf<X, Y>, R>,
): Reduced<R, ResultOf<X, Y>> {
  return divergence("klDivergence", "kl", p, q, options) as Reduced<R, ResultOf<X, Y>>;
}

/**
 * The Jensen–Shannon divergence ½·KL(P‖M) + ½·KL(Q‖M), M = ½(P + Q), of each row: `[..., n, ...] → number`, or one per row.
 * Symmetric bit for bit, from 0 (P = Q) to log 2, which disjoint supports give exactly; digits and conventions as in `klDivergence`.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, length or option.
 * @example jsDivergence([1, 0], [0, 1], { base: 2 }); // 1
 * @see Lin, Divergence measures based on the Shannon entropy (1991)
 */
export function jsDivergence<X extends Input, Y extends Input = Input, R extends Reduction = "mean">(
  p: X,
  q: Y,
  options?: DivergenceOptions<ResultOf<X, Y>, R>,
): Reduced<R, ResultOf<X, Y>> {
  return divergence("jsDivergence", "js", p, q, options) as Reduced<R, ResultOf<X, Y>>;
}

/**
 * The Jensen–Shannon distance of each row, the root of `jsDivergence`: a metric, SciPy's `jensenshannon`. Never NaN for
 * distributions; the mean is that of the distances.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, length or option.
 * @example jsDistance([1, 0], [0, 1], { base: 2 }); // 1
 * @see Endres & Schindelin, A new metric for probability distributions (2003)
 */
export function jsDistance<X extends Input, Y extends Input = Input, R extends Reduction = "mean">(
  p: X,
  q: Y,
  options?: DivergenceOptions<ResultOf<X, Y>, R>,
): Reduced<R, ResultOf<X, Y>> {
  return divergence("jsDistance", "jsDistance", p, q, options) as Reduced<R, ResultOf<X, Y>>;
}

/**
 * `klDivergence` and its gradients with respect to both arguments as given, or to one of them (`wrt`), logits or the like, and of their shape: for
 * logits p(log(p/q) − KL)/T and (q − p)/T. Under `"mean"` divided by the rows; under `"none"` each row's own. Computed in f64.
 *
 * An element that neither has (p = q = 0) gets 0 by P. Where the derivative is infinite, so is the gradient.
 *
 * @throws as `klDivergence`.
 * @example klDivergenceWithGrad([0, 0], [0, 1], { from: "logits" }).gradQ; // Float64Array [-0.231…, 0.231…]
 */
export function klDivergenceWithGrad<
  X extends Input,
  Y extends Input = Input,
  R extends Reduction = "mean",
  G extends Wrt = "both",
>(
  p: X,
  q: Y,
  options?: DivergenceGradOptions<ResultOf<X, Y>, R, G>,
): DivergenceGradients<Reduced<R, ResultOf<X, Y>>, ResultOf<X, Y>, G> {
  return withGrad("klDivergenceWithGrad", "kl", p, q, options) as unknown as DivergenceGradients<
    Reduced<R, ResultOf<X, Y>>,
    ResultOf<X, Y>,
    G
  >;
}

/**
 * `jsDivergence` and its gradients with respect to both arguments as given: for logits ½·p(log(p/m) − KL(p‖m))/T, and the
 * same of q. All 0 for disjoint supports, where the divergence is flat. Otherwise as `klDivergenceWithGrad`.
 *
 * @throws as `jsDivergence`.
 * @example jsDivergenceWithGrad([0, -Infinity], [-Infinity, 0], { from: "logits" }); // log 2, and gradients of 0
 */
export function jsDivergenceWithGrad<
  X extends Input,
  Y extends Input = Input,
  R extends Reduction = "mean",
  G extends Wrt = "both",
>(
  p: X,
  q: Y,
  options?: DivergenceGradOptions<ResultOf<X, Y>, R, G>,
): DivergenceGradients<Reduced<R, ResultOf<X, Y>>, ResultOf<X, Y>, G> {
  return withGrad("jsDivergenceWithGrad", "js", p, q, options) as unknown as DivergenceGradients<
    Reduced<R, ResultOf<X, Y>>,
    ResultOf<X, Y>,
    G
  >;
}
