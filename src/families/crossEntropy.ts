/** Cross-entropy losses of logits, log-probabilities or probabilities against classes or distributions, with gradients. */

import * as KIND from "../../assembly/losses/codes.ts";
import * as STEP from "../../assembly/rows/steps.ts";
import { classesOf, labelsIn, labelsOf } from "../check/labels.ts";
import {
  axisOf,
  checkGiven,
  create,
  inWords,
  type Layout,
  layoutOf,
  numbersAs,
  type Operand,
  operandsOf,
  readOnce,
  rowShapeOf,
  shapeOf,
  sizesIn,
} from "../check/tensor.ts";
import { counted, failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { LOSSES } from "../memory/embedded/losses.ts";
import { arena } from "../memory/kernels.ts";
import { exponential } from "../memory/scalar.ts";
import { flagOf, fromOf, integerIn, numberIn, optionsOf } from "../options.ts";
import { type FewLosses, type FewNumbers, type FewPairs, fewLabelled, fewNumbers } from "../place/few.ts";
import { noOutput, type Output, outputOf } from "../place/output.ts";
import { type Phase, type Places, phase, RowJob, type RowResults, streamRows } from "../place/rows.ts";
import { baseOf, perNat, Rows, reducedFew, reductionOf } from "../read/reduce.ts";
import { CompensatedSum, unitFor } from "../read/sum.ts";
import type { FloatArray, From, Input, LabelsLike, Out, Reduced, Reduction, ResultOf } from "../types.ts";

export interface CrossEntropyOptions<
  T extends FloatArray = FloatArray,
  R extends Reduction = Reduction,
  W extends Input | undefined = Input | undefined,
  S extends Input | undefined = Input | undefined,
> {
  /** The shape of the first argument, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** The axis of the classes; 1 for `[N, C, d1, …]`, whose labels have shape `[N, d1, …]`. Default: −1. */
  axis?: number | undefined;
  /**
   * What the first argument holds. `"logits"` (the default); `"logProbabilities"`, taken as they are (PyTorch's
   * `nll_loss`); `"probabilities"`, normalised by their sum, and with them soft targets too: H(P, Q) of distributions.
   */
  from?: From | undefined;
  /** Whether probabilities, those of soft targets too, are divided by their sum. Default: true. */
  normalize?: boolean | undefined;
  /** A weight per class. */
  weight?: W;
  /** A weight per row, at least 0: the mean is Σ w·loss / Σ w, w times the weights of the labels' classes. */
  sampleWeight?: S;
  /** The label of rows that do not count. Default: −100. */
  ignoreIndex?: number | undefined;
  /** ε in [0, 1]: the target becomes (1 − ε)·target + ε/C. Default: 0. */
  labelSmoothing?: number | undefined;
  /** The logarithm's base: 2 gives bits. Default: e, nats. */
  base?: number | undefined;
  /**
   * `"mean"` (the default): the sum over the weights of the labels that count, or for soft targets over the rows;
   * `"sum"`; `"none"`: one loss per row.
   */
  reduction?: R | undefined;
  /** Where to write the losses per row (`"none"`), or for `crossEntropyWithGrad` the gradient; may be the input itself. */
  out?: Out<T> | undefined;
}

/** The arguments, checked. */
interface Problem {
  readonly fn: string;
  readonly source: Operand;
  readonly layout: Layout;
  readonly from: From;
  readonly normalize: boolean;
  readonly labels: Int32Array | undefined;
  readonly soft: Operand | undefined;
  readonly weight: Operand | undefined;
  readonly factors: Float64Array | undefined;
  readonly ignoreIndex: number;
  readonly smoothing: number;
  readonly base: number;
  readonly reduction: Reduction;
  readonly out: unknown;
}

const OPTIONS = [
  "shape",
  "axis",
  "from",
  "normalize",
  "weight",
  "sampleWeight",
  "ignoreIndex",
  "labelSmoothing",
  "base",
  "reduction",
  "out",
];

/** The options, each read once; the shape is a copy. */
export type Given = {
  readonly [K in keyof CrossEntropyOptions]-?: K extends "shape" ? readonly number[] | undefined : unknown;
};

export function givenOf(
  fn: string,
  options: CrossEntropyOptions | undefined,
  names: readonly string[] = OPTIONS,
): Given {
  const o = optionsOf<CrossEntropyOptions>(fn, options, names);
  const { shape, axis, from, normalize, weight, sampleWeight, ignoreIndex, labelSmoothing, base, reduction, out } = o;
  const sizes = sizesIn(fn, "shape", shape);
  return {
    shape: sizes,
    axis,
    from,
    normalize,
    weight,
    sampleWeight,
    ignoreIndex,
    labelSmoothing,
    base,
    reduction,
    out,
  };
}

/** Whether no option is given but a shape, an output, weights of classes, and a label smoothing that is one. */
function isPlain(o: Given): boolean {
  return (
    (o.axis === undefined || o.axis === -1) &&
    o.from === undefined &&
    o.normalize === undefined &&
    o.sampleWeight === undefined &&
    o.ignoreIndex === undefined &&
    o.base === undefined &&
    o.reduction === undefined &&
    (o.labelSmoothing === undefined ||
      (typeof o.labelSmoothing === "number" && o.labelSmoothing >= 0 && o.labelSmoothing <= 1))
  );
}

/** `name`: what the caller calls the target; `soft`: whether it may be distributions too. */
function problemOf(fn: string, logits: unknown, goal: unknown, o: Given, name = "target", soft = true): Problem {
  const {
    shape: sizes,
    axis,
    from: ofWhat,
    normalize,
    weight,
    sampleWeight,
    ignoreIndex,
    labelSmoothing,
    base,
    reduction,
    out,
  } = o;
  const along = axisOf(fn, axis);
  const from = fromOf(fn, ofWhat, "logits");
  const normalized = flagOf(fn, "normalize", normalize, true);
  const ignored = integerIn(fn, "ignoreIndex", ignoreIndex, -100, -(2 ** 31), 2 ** 31 - 1);
  const smoothing = numberIn(fn, "labelSmoothing", labelSmoothing, 0, 0, 1);
  const unit = baseOf(fn, base);
  const reduced = reductionOf(fn, reduction);

  const given = readOnce(goal);
  const found = soft ? labelsIn(fn, name, given) : labelsOf(fn, name, given);
  if (!found) checkGiven(fn, name, given);
  const [source, numbers, weights, factors] = operandsOf(
    fn,
    [["logits", logits]],
    [
      ["target", found ? undefined : given],
      ["weight", weight],
      ["sampleWeight", sampleWeight],
    ],
  );
  const rowsOf = shapeOf(fn, source, sizes);
  const layout = layoutOf(fn, rowsOf, along);
  const { n, rows } = layout;
  if (n === 0 && rows > 0)
    throw new RangeError(
      `${fn}: "shape" ${inWords(rowsOf)} has no classes along the axis ${along}: there must be at least one`,
    );
  // a list holds classes if there is one a row, and else a distribution
  const isLabels = found !== undefined && (!found.isList || !soft || found.list.length === rows);
  const target = found && !isLabels ? numbersAs(fn, name, found.list, source.bytes) : numbers;
  const length = isLabels ? found.list.length : (target as Operand).length;
  if (length !== (isLabels ? rows : source.length)) {
    if (target?.shape && Array.isArray(given) && target.shape[0] === rows)
      throw new TypeError(`${fn}: "${name}" in row 0 must be an integer, got a list`);
    const expected = isLabels ? counted(rows, "label") : `${counted(rows, "label")} or ${source.length} probabilities`;
    throw new RangeError(`${fn}: "${name}" must hold ${expected} for the shape ${inWords(rowsOf)}, got ${length}`);
  }
  const own = target?.shape;
  if (own && own.length > 1 && own.join() !== rowsOf.join())
    throw new RangeError(`${fn}: "${name}" must have the shape of "logits", ${inWords(rowsOf)}, got ${inWords(own)}`);
  if (weights && weights.length !== n) failValue(fn, "weight", `of length ${n}, the number of classes`, weights.array);
  if (!isLabels && ignored >= 0)
    failValue(fn, "ignoreIndex", "left out: soft targets have no labels to ignore", ignored);
  const rowShape = rowShapeOf(rowsOf, along);
  return {
    fn,
    source,
    layout,
    from,
    normalize: normalized,
    labels: isLabels ? classesOf(fn, found, rowShape, n, ignored) : undefined,
    soft: isLabels ? undefined : target,
    weight: weights,
    factors: factors && factorsOf(fn, factors, rows),
    ignoreIndex: ignored,
    smoothing,
    base: unit,
    reduction: reduced,
    out,
  };
}

/** The weights of rows. */
function factorsOf(fn: string, { array, length, name }: Operand, rows: number): Float64Array {
  if (length !== rows) failValue(fn, name, `of length ${rows}, one for each row`, array);
  const factors = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const factor = array[row] as number;
    if (factor < 0) failValue(fn, `${name}[${row}]`, "at least 0", factor);
    factors[row] = factor;
  }
  return factors;
}

/** What a row counts in the mean: the weight of its label, or of a soft target 1, times its own; undefined if it is ignored. */
function weightOf({ labels, weight, factors, ignoreIndex }: Problem, row: number): number | undefined {
  const label = labels?.[row];
  if (label !== undefined && label === ignoreIndex) return undefined;
  const own = label !== undefined && weight ? (weight.array[label] as number) : 1;
  return own * (factors?.[row] ?? 1);
}

/** How many labels are not to be ignored. */
function countOf(labels: Int32Array, ignored: number): number {
  let count = 0;
  for (let row = 0; row < labels.length; row++) if (labels[row] !== ignored) count++;
  return count;
}

/** What the sum is divided by for the mean: the weights of the rows that count. */
function divisorOf(p: Problem): number {
  const { labels, weight, factors, layout } = p;
  if (!weight && !factors) return labels ? countOf(labels, p.ignoreIndex) : layout.rows;
  const total = new CompensatedSum();
  for (let row = 0; row < layout.rows; row++) {
    const weight = weightOf(p, row);
    if (weight !== undefined) total.add(weight);
  }
  return total.value;
}

/** Times a power of two, to within the numbers there are: an infinite loss counts, and one of 0 does not, whatever the weight. */
function rescaled(value: number, unit: number): number {
  const product = value * unit;
  if (product === 0) return Math.sign(value) * Number.MIN_VALUE;
  return Math.abs(product) === Infinity ? Math.sign(value) * Number.MAX_VALUE : product;
}

/**
 * The same problem with weights that a mean can be taken with: those of classes and those of rows times a power of two each, which it does
 * not see. The sum of weights of 1e308 overflows, and a loss times one of 1e-320 keeps three digits.
 */
function balanced(p: Problem): Problem {
  const { fn, labels, weight, factors, ignoreIndex, layout } = p;
  let [largestFactor, largestWeight] = [0, 0];
  for (let row = 0; row < layout.rows; row++) {
    const label = labels?.[row] ?? 0;
    if (labels && label === ignoreIndex) continue;
    if (factors) largestFactor = Math.max(largestFactor, Math.abs(factors[row] as number));
    // of soft targets the weights of classes are none of the mean's
    if (labels && weight) largestWeight = Math.max(largestWeight, Math.abs(weight.array[label] as number));
  }
  const [unitOfFactors, unitOfWeights] = [unitFor(largestFactor), unitFor(largestWeight)];
  const scaled = { ...p };
  if (factors && unitOfFactors !== 1) scaled.factors = factors.map((factor) => rescaled(factor, unitOfFactors));
  if (weight?.bytes === 8 && unitOfWeights !== 1) {
    const array = create(fn, weight.bytes, weight.length, "the weights");
    for (let j = 0; j < weight.length; j++) array[j] = rescaled(weight.array[j] as number, unitOfWeights);
    scaled.weight = { ...weight, array };
  }
  return scaled;
}

/** What takes a loss per row, in nats and times its weight; `weights`: those of the rows, 0 of what is ignored, if they differ from 1. */
export interface LossTaker {
  /** Whether it has had weights, and so wants them of every row. */
  readonly weighs: boolean;
  begin(weights: Float64Array | undefined): void;
  take(values: FloatArray, from: number, row: number, count: number): void;
}

/** Gives the loss of each row to a taker, and returns how many rows count. What is wrong is refused before the first is given. */
export function eachLoss(fn: string, logits: unknown, target: unknown, o: Given, taker: LossTaker): number {
  const smoothing = (o.labelSmoothing as number | undefined) ?? 0;
  const run: FewLosses = (at, isF32, x, y, values, rows, n) =>
    kernelOfFew(at, isF32, x, 0, y, 0, 0, values, rows, n, smoothing, rows);
  const isShort = isPlain(o) && o.weight === undefined;
  const found = isShort ? fewLabelled(fn, logits, target, o.shape, undefined, false, run) : undefined;
  if (found !== undefined) {
    taker.begin(undefined);
    taker.take(found.at.view(8), found.values / 8, 0, found.rows);
    return found.rows;
  }
  const p = problemOf(fn, logits, target, o);
  const { rows } = p.layout;
  const weighs = (p.labels && p.weight) || p.factors || taker.weighs;
  const weights = weighs ? new Float64Array(rows) : undefined;
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const weight = weightOf(p, row);
    if (weight === undefined) continue;
    if (weights) weights[row] = weight;
    count++;
  }
  const at = arena();
  at.kernels(LOSSES);
  taker.begin(weights);
  streamLosses(
    at,
    p,
    { out: undefined, take: (values, from, row, some) => taker.take(values, from, row, some) },
    undefined,
    0,
  );
  return count;
}

/** Streams the loss of each row to `rows`, and the gradient, times `scale`, to `grad`. */
function streamLosses(at: Arena, p: Problem, rows: RowResults, grad: Output | undefined, scale: number): void {
  const { fn, source, layout, labels, soft, weight, factors, ignoreIndex, smoothing } = p;
  const reads = soft ? [source, soft] : [source];
  const { crossEntropy, crossEntropyOfProbabilities } = at.typed(LOSSES, source.bytes);
  const [kernel, phases] =
    p.from === "logits"
      ? [crossEntropy, phasesOfLogits(grad !== undefined)]
      : [crossEntropyOfProbabilities.bind(undefined, kindOf(p)), phasesOf(p, grad !== undefined)];
  const run = (places: Places, count: number, n: number, steps: number, from: number): void =>
    kernel(
      places.reads[0] as number,
      places.writes[0] ?? 0,
      labels ? places.labels : 0,
      places.reads[1] ?? 0,
      places.lists[0] ?? 0,
      factors ? places.factors : 0,
      places.results,
      count,
      n,
      layout.n,
      ignoreIndex,
      smoothing,
      scale,
      from,
      steps,
    );
  const job = new RowJob(fn, layout, reads, phases, grad ? 0 : STEP.FINISH, run);
  if (grad) job.writes = [grad];
  job.inPlace = true;
  if (weight) job.lists = [weight];
  job.labels = labels;
  job.factors = factors;
  job.results = rows;
  streamRows(at, job);
}

/** Exponentials stand in the gradient's place until it is made of them. */
function phasesOfLogits(withGrad: boolean): Phase[] {
  const phases = [phase(STEP.BEGIN, STEP.MAXIMUM), phase(STEP.AIM, STEP.SUM_UP, withGrad)];
  return withGrad ? [...phases, phase(STEP.FINISH, STEP.WRITE, true, true)] : phases;
}

/** Counts take one phase more: their maximum, and the sum of the targets, are known before the loss is summed. */
function phasesOf(p: Problem, withGrad: boolean): Phase[] {
  const phases =
    kindOf(p) === KIND.COUNTS
      ? [phase(STEP.BEGIN, STEP.MAXIMUM), phase(STEP.AIM, STEP.SUM_UP)]
      : [phase(STEP.BEGIN | STEP.AIM, STEP.SUM_UP)];
  return withGrad ? [...phases, phase(STEP.FINISH, STEP.WRITE, true)] : phases;
}

/** The kernels' code for what rows hold that are not logits. */
function kindOf({ from, normalize }: Problem): number {
  if (from === "logProbabilities") return KIND.LOGARITHMS;
  return normalize ? KIND.COUNTS : KIND.PROBABILITIES;
}

interface Loss {
  readonly value: number | FloatArray;
  readonly grad: FloatArray | undefined;
}

/** The mean over a few rows, by the short way (place/few.ts); undefined where the arguments need the ordinary one. */
function lossOfFew(fn: string, logits: unknown, target: unknown, o: Given, withGrad: boolean): Loss | undefined {
  if (!isPlain(o) || (!withGrad && o.out !== undefined)) return undefined;
  const smoothing = (o.labelSmoothing as number | undefined) ?? 0;
  const run: FewLosses = (at, isF32, x, y, values, rows, n, weights, over) =>
    kernelOfFew(at, isF32, x, withGrad ? x : 0, y, 0, weights, values, rows, n, smoothing, over);
  const found = fewLabelled(fn, logits, target, o.shape, o.out, withGrad, run, o.weight);
  if (found) return { value: meanOf(found, found.over), grad: found.grad };
  if (withGrad || o.weight !== undefined) return undefined;
  const soft: FewPairs = (at, isF32, x, y, values, rows, n) =>
    kernelOfFew(at, isF32, x, 0, 0, y, 0, values, rows, n, smoothing, rows);
  const short = fewNumbers(fn, NAMES, logits, target, o.shape, undefined, false, soft);
  return short && { value: meanOf(short, short.rows), grad: undefined };
}

const NAMES = ["logits", "target"] as const;

const meanOf = (few: Pick<FewNumbers, "at" | "rows" | "values">, over: number): number | FloatArray =>
  reducedFew(few, new Rows(undefined, 1, over));

/** The kernel as the short way calls it: labels or soft targets, without labels to ignore. */
// biome-ignore format: two calls
function kernelOfFew(at: Arena, isF32: boolean, x: number, grad: number, labels: number, soft: number, weights: number, values: number, rows: number, n: number, smoothing: number, over: number): void {
  if (isF32) at.typed(LOSSES, 4).crossEntropy(x, grad, labels, soft, weights, 0, values, rows, n, n, -1, smoothing, 1 / over, 0, STEP.ALL);
  else at.typed(LOSSES, 8).crossEntropy(x, grad, labels, soft, weights, 0, values, rows, n, n, -1, smoothing, 1 / over, 0, STEP.ALL);
}

/** The loss, and its gradient if there is to be one. */
function lossOf(given: Problem, withGrad: boolean): Loss {
  const { fn, source, layout, reduction, base, out } = given;
  if (!withGrad && reduction !== "none") noOutput(fn, out, reduction);
  const result = reduction === "none" ? outputOf(fn, withGrad ? undefined : out, source.bytes, layout.rows) : undefined;
  const grad = withGrad ? outputOf(fn, out, source.bytes, source.length) : undefined;
  const at = arena();
  const unit = perNat(at, LOSSES, base);
  const p = reduction === "mean" && (given.weight || given.factors) ? balanced(given) : given;
  const over = reduction === "mean" ? divisorOf(p) : 1;
  const rows = new Rows(result, unit, over);
  streamLosses(at, p, rows, grad, unit / over);
  return { value: rows.value, grad: grad?.array };
}

/**
 * The cross-entropy −Σⱼ tⱼ·log qⱼ of each row, q = softmax(logits), against a class (t = 1 there) or a distribution t:
 * `[..., C, ...] → number`, or one per row. The semantics are those of PyTorch's `cross_entropy` in every combination of
 * options; the unit is nats, or by `base`. Computed from the logits at once, so that a loss of 1e-8 keeps its digits.
 *
 * `target`: labels (any integer array, BigInt64Array too, or one number per row), or floats of the logits' shape.
 * With `from: "probabilities"` and a distribution as target it is H(P, Q), P the target: `crossEntropy(q, p, …)`.
 *
 * @throws TypeError for arguments of the wrong kind; RangeError for a wrong shape, axis, length or option, and for a label
 *   out of range, with its row.
 * @example crossEntropy([2, 0, -1], [0]); // 0.1698…
 * @example crossEntropy([0.4, 0.6], [1, 0], { from: "probabilities" }); // 0.916…
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.2
 */
export function crossEntropy<
  X extends Input,
  Y extends LabelsLike | Input = LabelsLike | Input,
  R extends Reduction = "mean",
  W extends Input | undefined = undefined,
  S extends Input | undefined = undefined,
>(
  logits: X,
  target: Y,
  options?: CrossEntropyOptions<ResultOf<X, Y, W, S>, R, W, S>,
): Reduced<R, ResultOf<X, Y, W, S>> {
  const fn = "crossEntropy";
  const given = givenOf(fn, options);
  const loss = lossOfFew(fn, logits, target, given, false) ?? lossOf(problemOf(fn, logits, target, given), false);
  return loss.value as Reduced<R, ResultOf<X, Y, W, S>>;
}

/**
 * The cross-entropy and its gradient with respect to the first argument as given, in one pass over it: for logits
 * (softmax(logits) − t), weighted and divided as the reduction says; under `"none"` each row's own. `grad` has the shape of
 * the logits, and is written to `out` if that is given (which may be the logits themselves).
 *
 * @throws as `crossEntropy`.
 * @example crossEntropyWithGrad([0, 0], [0]); // { value: 0.693…, grad: Float64Array [-0.5, 0.5] }
 */
export function crossEntropyWithGrad<
  X extends Input,
  Y extends LabelsLike | Input = LabelsLike | Input,
  R extends Reduction = "mean",
  W extends Input | undefined = undefined,
  S extends Input | undefined = undefined,
>(
  logits: X,
  target: Y,
  options?: CrossEntropyOptions<ResultOf<X, Y, W, S>, R, W, S>,
): { value: Reduced<R, ResultOf<X, Y, W, S>>; grad: ResultOf<X, Y, W, S> } {
  const fn = "crossEntropyWithGrad";
  const given = givenOf(fn, options);
  const loss = lossOfFew(fn, logits, target, given, true) ?? lossOf(problemOf(fn, logits, target, given), true);
  return loss as {
    value: Reduced<R, ResultOf<X, Y, W, S>>;
    grad: ResultOf<X, Y, W, S>;
  };
}

/**
 * Perplexity, e to the mean cross-entropy of a test set in nats: `[N, C]` logits and N labels to a number ≥ 1.
 *
 * @throws as `crossEntropy`.
 * @example perplexity([0, 0, 0, 0], [1], { shape: [1, 4] }); // 4
 */
export function perplexity(
  logits: Input,
  labels: LabelsLike,
  options?: Pick<CrossEntropyOptions, "shape" | "axis" | "ignoreIndex">,
): number {
  const fn = "perplexity";
  const p = problemOf(fn, logits, labels, givenOf(fn, options, ["shape", "axis", "ignoreIndex"]), "labels", false);
  return exponential(arena(), LOSSES, lossOf(p, false).value as number);
}
