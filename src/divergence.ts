/** Kullback–Leibler and Jensen–Shannon divergences of distributions, with gradients, row by row or every pair of rows. */
import type { Arena } from "./arena.ts";
import { failValue, flagOf, numberIn, oneOf, optionsOf } from "./check.ts";
import { DIVERGENCE_STEP as STEP } from "./codes/index.ts";
import { arena } from "./kernels.ts";
import { baseFactor, type From, fromOf, type Reduced, type Reduction, reduce, reductionOf } from "./reduction.ts";
import { type Stream, streamRows } from "./stream.ts";
import {
  apart,
  elements,
  elementsOfBoth,
  type Layout,
  layoutOf,
  matrixOf,
  outputOf,
  pairOf,
  shapeOf,
} from "./tensor.ts";
import type { FloatArray, Input, ResultOf } from "./types.ts";

export interface DivergenceOptions<T extends FloatArray = FloatArray, R extends Reduction = Reduction> {
  /** The shape of both arguments, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** The axis that holds a distribution. Default: −1, the last. */
  axis?: number | undefined;
  /** What both arguments hold, or each. Default: `"probabilities"`, or counts. */
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
  out?: T | undefined;
}

type Metric = "kl" | "js" | "jsDistance";

// of assembly/divergence/codes.ts
const KIND = { kl: 0, js: 1, jsDistance: 1 } as const;
const LOGS = [1, 2] as const;
const NORMALIZE = [4, 8] as const;

/** The arguments, checked. */
interface Problem {
  readonly p: FloatArray;
  readonly q: FloatArray;
  readonly layout: Layout;
  readonly flags: number;
  readonly temperatures: readonly [number, number];
  readonly reduction: Reduction;
  /** 1/ln(base). */
  readonly unit: number;
  readonly out: FloatArray | undefined;
}

type Options = Omit<DivergenceOptions, "out"> & { readonly out?: unknown; readonly wrt?: unknown };

function problemOf(fn: string, x: Input, y: Input, options: Options | undefined): Problem {
  const o = optionsOf(fn, options) as Options;
  const { p, q, shape } = pairOf(fn, x, y, o.shape);
  const layout = layoutOf(fn, shape, o.axis);
  const froms = fromsOf(fn, o.from);
  const temperature = numberIn(fn, "temperature", o.temperature, 1, Number.MIN_VALUE);
  if (temperature !== 1 && !froms.includes("logits"))
    failValue(fn, "temperature", `1 for ${froms[0]}, as logits alone have one`, temperature);
  const temperatures = [0, 1].map((i) => (froms[i] === "logits" ? temperature : 1)) as [number, number];
  const normalize = flagOf(fn, "normalize", o.normalize, true);
  const reduction = reductionOf(fn, o.reduction, "mean");
  const unit = baseFactor(fn, o.base);
  const out = reduction === "none" ? outputOf(fn, o.out, p, layout.rows) : undefined;
  const flags = flagsOf(froms, normalize);
  return { p, q, layout, flags, temperatures, reduction, unit, out };
}

/** What each argument holds. */
function fromsOf(fn: string, from: unknown): readonly [From, From] {
  const [p, q] = Array.isArray(from) ? from : [from, from];
  return [fromOf(fn, p, "probabilities"), fromOf(fn, q, "probabilities")];
}

/** Logits are normalised by what they are. */
function flagsOf(froms: readonly [From, From], normalize: boolean): number {
  return [0, 1].reduce((flags, i) => {
    const logs = froms[i] === "probabilities" ? 0 : (LOGS[i] as number);
    return flags + logs + (normalize || froms[i] === "logits" ? (NORMALIZE[i] as number) : 0);
  }, 0);
}

/** The gradients that are wanted, to be written. */
interface Gradients {
  readonly gradP?: FloatArray | undefined;
  readonly gradQ?: FloatArray | undefined;
}

/** The divergence of each row in nats; the gradients, scaled as the reduction says, where they are wanted. */
function divergences(at: Arena, metric: Metric, problem: Problem, wanted: Gradients = {}): Float64Array {
  const { p, q, layout, flags, temperatures, reduction, unit } = problem;
  const { gradP, gradQ } = wanted;
  const grads = [gradP, gradQ].filter((grad) => grad !== undefined);
  const values = new Float64Array(layout.rows);
  const kernel = at.kernelsFor(p).divergence;
  const scale = reduction === "mean" ? unit / layout.rows : unit;
  const stream: Stream = {
    reads: [p, q],
    writes: grads,
    results: [values],
    phases: [
      { first: STEP.begin, each: STEP.maximum },
      { first: STEP.aim, each: STEP.sum },
      { first: STEP.settle, each: STEP.terms },
      ...(grads.length ? [{ first: STEP.finish, each: STEP.write, keeps: true }] : []),
    ],
    finish: grads.length ? 0 : STEP.finish,
    run: ({ elements: [x, y, first = 0, second = 0], results: [result] }, rows, n, steps) =>
      kernel(
        x as number,
        y as number,
        gradP ? first : 0,
        gradP ? second : first,
        result as number,
        rows,
        n,
        KIND[metric],
        flags,
        temperatures[0],
        temperatures[1],
        scale,
        steps,
      ),
  };
  streamRows(at, layout, stream);
  return values;
}

function reduced(values: Float64Array, { reduction, unit, out, layout }: Problem, root = false): number | FloatArray {
  if (root) for (let i = 0; i < values.length; i++) values[i] = Math.sqrt((values[i] as number) * unit);
  return reduce(values, reduction, (root ? 1 : unit) / (reduction === "mean" ? layout.rows : 1), out);
}

function divergence(fn: string, metric: Metric, p: Input, q: Input, options: Options | undefined): number | FloatArray {
  const problem = problemOf(fn, p, q, options);
  return reduced(divergences(arena(), metric, problem), problem, metric === "jsDistance");
}

function withGrad(fn: string, metric: Metric, p: Input, q: Input, options: Options | undefined) {
  const problem = problemOf(fn, p, q, options);
  const wrt = oneOf(fn, "wrt", options?.wrt ?? "both", ["p", "q", "both"]);
  const grad = () => outputOf(fn, undefined, problem.p, problem.p.length);
  const wanted = { ...(wrt !== "q" && { gradP: grad() }), ...(wrt !== "p" && { gradQ: grad() }) };
  return { value: reduced(divergences(arena(), metric, problem, wanted), problem), ...wanted };
}

/**
 * The Kullback–Leibler divergence KL(P‖Q) = Σ pᵢ·log(pᵢ/qᵢ) of each row: `[..., n, ...] → number`, or one per row. ≥ 0, and
 * exactly 0 for P = Q. The first argument is P, the data or the teacher; the second Q, the model. In nats, or by `base`.
 *
 * Nothing cancels where P and Q are nearly equal: the relative error is below 1e-6 (f32 data) down to 1e-13, and below
 * 1e-10 (f64) down to 1e-20, from logits too. 0·log 0 = 0; p > 0 = q gives +∞; a negative probability or a sum of 0, NaN.
 * With `normalize: false` it is Σ p·log(p/q) of the numbers as they are, PyTorch's `kl_div`, which may be negative.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, length or option.
 * @example klDivergence([0.5, 0.5], [0.9, 0.1], { base: 2 }); // 0.736…
 * @example klDivergence(teacher, student, { shape: [64, 1000], from: "logits", temperature: 2 }); // distillation
 * @see Kullback & Leibler, On information and sufficiency (1951)
 */
export function klDivergence<X extends Input, R extends Reduction = "mean">(
  p: X,
  q: Input,
  options?: DivergenceOptions<ResultOf<X>, R>,
): Reduced<R, ResultOf<X>> {
  return divergence("klDivergence", "kl", p, q, options) as Reduced<R, ResultOf<X>>;
}

/**
 * The Jensen–Shannon divergence ½·KL(P‖M) + ½·KL(Q‖M), M = ½(P + Q), of each row: `[..., n, ...] → number`, or one per row.
 * Symmetric bit for bit, from 0 (P = Q) to log 2, which disjoint supports give exactly; digits and conventions as in `klDivergence`.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, length or option.
 * @example jsDivergence([1, 0], [0, 1], { base: 2 }); // 1
 * @see Lin, Divergence measures based on the Shannon entropy (1991)
 */
export function jsDivergence<X extends Input, R extends Reduction = "mean">(
  p: X,
  q: Input,
  options?: DivergenceOptions<ResultOf<X>, R>,
): Reduced<R, ResultOf<X>> {
  return divergence("jsDivergence", "js", p, q, options) as Reduced<R, ResultOf<X>>;
}

/**
 * The Jensen–Shannon distance of each row, the root of `jsDivergence`: a metric, SciPy's `jensenshannon`. Never NaN for
 * distributions; the mean is that of the distances.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, length or option.
 * @example jsDistance([1, 0], [0, 1], { base: 2 }); // 1
 * @see Endres & Schindelin, A new metric for probability distributions (2003)
 */
export function jsDistance<X extends Input, R extends Reduction = "mean">(
  p: X,
  q: Input,
  options?: DivergenceOptions<ResultOf<X>, R>,
): Reduced<R, ResultOf<X>> {
  return divergence("jsDistance", "jsDistance", p, q, options) as Reduced<R, ResultOf<X>>;
}

/** A divergence and its gradients with respect to both arguments as they were given. */
export interface DivergenceGradients<Value, Grad> {
  value: Value;
  gradP: Grad;
  gradQ: Grad;
}

/**
 * `klDivergence` and its gradients with respect to both arguments as given, logits or the like, and of their shape: for
 * logits p(log(p/q) − KL)/T and (q − p)/T. Under `"mean"` divided by the rows; under `"none"` each row's own. Computed in f64.
 *
 * An element that neither has (p = q = 0) gets 0 by P. Where the derivative is infinite, so is the gradient.
 *
 * @throws as `klDivergence`.
 * @example klDivergenceWithGrad([0, 0], [0, 1], { from: "logits" }).gradQ; // Float64Array [-0.231…, 0.231…]
 */
export function klDivergenceWithGrad<X extends Input, R extends Reduction = "mean">(
  p: X,
  q: Input,
  options?: DivergenceOptions<ResultOf<X>, R>,
): DivergenceGradients<Reduced<R, ResultOf<X>>, ResultOf<X>> {
  return withGrad("klDivergenceWithGrad", "kl", p, q, options) as DivergenceGradients<
    Reduced<R, ResultOf<X>>,
    ResultOf<X>
  >;
}

/**
 * `jsDivergence` and its gradients with respect to both arguments as given: for logits ½·p(log(p/m) − KL(p‖m))/T, and the
 * same of q. All 0 for disjoint supports, where the divergence is flat. Otherwise as `klDivergenceWithGrad`.
 *
 * @throws as `jsDivergence`.
 * @example jsDivergenceWithGrad([0, -Infinity], [-Infinity, 0], { from: "logits" }); // log 2, and gradients of 0
 */
export function jsDivergenceWithGrad<X extends Input, R extends Reduction = "mean">(
  p: X,
  q: Input,
  options?: DivergenceOptions<ResultOf<X>, R>,
): DivergenceGradients<Reduced<R, ResultOf<X>>, ResultOf<X>> {
  return withGrad("jsDivergenceWithGrad", "js", p, q, options) as DivergenceGradients<
    Reduced<R, ResultOf<X>>,
    ResultOf<X>
  >;
}

export interface PairwiseOptions<T extends FloatArray = FloatArray> {
  /** `[n, d]`: n distributions of d outcomes. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** `[m, d]` of Q. Default: the tensor's own, else as many rows of d as there are. */
  qShape?: readonly number[] | undefined;
  /** Which divergence. */
  metric: Metric;
  /** What the arguments hold, or each. Default: `"probabilities"`, or counts. */
  from?: From | readonly [From, From] | undefined;
  /** The logarithm's base: 2 gives bits. Default: e, nats. */
  base?: number | undefined;
  /** Where to write the matrix, instead of a new array. */
  out?: T | undefined;
}

/** Bytes of a block of rows, of which two are staged beside the block of results. */
const BLOCK_BYTES = 1 << 17;
/** Rows of a block at most: the results then take half of the stage. */
const BLOCK_ROWS = 256;

/**
 * The divergence of every row of P from every row of Q: `[n, d]`, `[m, d] → [n, m]`, or `[n, n]` of P with itself. Each is that
 * of `klDivergence`, `jsDivergence` or `jsDistance`, without copies of the n·m pairs.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, length or option.
 * @example pairwiseDivergence([1, 0, 0, 1], undefined, { shape: [2, 2], metric: "js", base: 2 }); // Float64Array [0, 1, 1, 0]
 */
export function pairwiseDivergence<X extends Input>(
  P: X,
  Q: Input | undefined,
  options: PairwiseOptions<ResultOf<X>>,
): ResultOf<X> {
  const fn = "pairwiseDivergence";
  const o = optionsOf(fn, options) as Omit<PairwiseOptions, "out"> & { readonly out?: unknown };
  let [p, q] = Q === undefined ? [elements(fn, "P", P), undefined] : elementsOfBoth(fn, "P", P, "Q", Q);
  const [n, d] = matrixOf(fn, "shape", shapeOf(fn, P, o.shape, p.length, "P"));
  const m = Q === undefined || q === undefined ? n : rowsOfQ(fn, Q, q, o.qShape, d);
  const metric = oneOf(fn, "metric", o.metric, ["kl", "js", "jsDistance"]);
  const flags = flagsOf(fromsOf(fn, o.from), true);
  const unit = baseFactor(fn, o.base);
  const out = outputOf(fn, o.out, p, n * m);
  p = apart(p, out, false);
  q = q && apart(q, out, false);
  const evaluate = d * p.BYTES_PER_ELEMENT > 2 * BLOCK_BYTES ? longPairs : pairs;
  evaluate(arena(), { p, q: q ?? p, n, m, d, out, flags, unit, metric, mirror: q === undefined && metric !== "kl" });
  return out as ResultOf<X>;
}

function rowsOfQ(fn: string, Q: Input, q: FloatArray, option: unknown, d: number): number {
  const own = shapeOf(fn, Q, option, q.length, "Q", "qShape");
  if (option === undefined && own.length === 1) {
    if (d > 0 && q.length % d === 0) return q.length / d;
    throw new RangeError(`${fn}: "Q" must hold rows of ${d} outcomes like "P", got ${q.length} elements`);
  }
  const [m, outcomes] = matrixOf(fn, "qShape", own);
  if (outcomes !== d)
    throw new RangeError(`${fn}: "qShape" must end in ${d}, the outcomes of "P", got [${own.join(", ")}]`);
  return m;
}

interface Pairs {
  readonly p: FloatArray;
  readonly q: FloatArray;
  readonly n: number;
  readonly m: number;
  readonly d: number;
  readonly out: FloatArray;
  readonly flags: number;
  readonly unit: number;
  readonly metric: Metric;
  /** The matrix is symmetric: blocks above the diagonal serve below. */
  readonly mirror: boolean;
}

/** Block by block: rows of P, rows of Q and their results stand in the stage. */
function pairs(at: Arena, { p, q, n, m, d, out, flags, unit, metric, mirror }: Pairs): void {
  const bytes = p.BYTES_PER_ELEMENT;
  const kernel = at.kernelsFor(p).pairwise;
  const block = Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_BYTES / (Math.max(d, 1) * bytes))));
  const [stageP, stageQ, results] = [0, 1, 2].map((i) => at.stage + 2 * i * BLOCK_BYTES) as [number, number, number];
  for (let i = 0; i < n; i += block) {
    const rows = Math.min(block, n - i);
    at.copyIn(p, i * d, rows * d, stageP);
    for (let j = mirror ? i : 0; j < m; j += block) {
      const columns = Math.min(block, m - j);
      at.copyIn(q, j * d, columns * d, stageQ);
      kernel(stageP, stageQ, results, rows, columns, columns, d, KIND[metric], flags, unit, metric === "jsDistance");
      for (let r = 0; r < rows; r++) {
        at.copyOut(results + r * columns * bytes, columns, out, (i + r) * m + j);
        // the block's transpose, a row of it down a column
        if (mirror && j > i) at.copyOut(results + r * columns * bytes, columns, out, j * m + i + r, m);
      }
    }
  }
}

/** Rows that do not fit, a pair at a time. */
function longPairs(at: Arena, { p, q, n, m, d, out, flags, unit, metric, mirror }: Pairs): void {
  const layout = { outer: 1, n: d, inner: 1, rows: 1 };
  for (let i = 0; i < n; i++) {
    for (let j = mirror ? i : 0; j < m; j++) {
      const [x, y] = [p.subarray(i * d, (i + 1) * d), q.subarray(j * d, (j + 1) * d)];
      const problem: Problem = {
        p: x,
        q: y,
        layout,
        flags,
        temperatures: [1, 1],
        reduction: "sum",
        unit,
        out: undefined,
      };
      const value = reduced(divergences(at, metric, problem), problem, metric === "jsDistance") as number;
      out[i * m + j] = value;
      if (mirror) out[j * m + i] = value;
    }
  }
}
