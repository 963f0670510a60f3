/** Cross-entropy losses of logits, log-probabilities or probabilities against classes or distributions, with gradients. */
import type { Arena } from "./arena.ts";
import { failKind, failValue, integerIn, numberIn, optionsOf } from "./check.ts";
import { arena } from "./kernels.ts";
import {
  baseFactor,
  CompensatedSum,
  type From,
  fromOf,
  type Reduced,
  type Reduction,
  reduce,
  reductionOf,
} from "./reduction.ts";
import { mapElements, scalar } from "./rows.ts";
import { type Stream, streamRows } from "./stream.ts";
import { apart, elements, elementsOfBoth, type Layout, labelsOf, layoutOf, outputOf, shapeOf } from "./tensor.ts";
import type { FloatArray, Input, Labels, ResultOf } from "./types.ts";

export interface CrossEntropyOptions<T extends FloatArray = FloatArray, R extends Reduction = Reduction> {
  /** The shape of the first argument, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** The axis of the classes; 1 for `[N, C, d1, …]`, whose labels have shape `[N, d1, …]`. Default: −1. */
  axis?: number | undefined;
  /**
   * What the first argument holds. `"logits"` (the default); `"logProbabilities"`, taken as they are (PyTorch's
   * `nll_loss`); `"probabilities"`, normalised by their sum, and with them soft targets too: H(P, Q) of distributions.
   */
  from?: From | undefined;
  /** A weight per class. */
  weight?: Input | undefined;
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
  out?: T | undefined;
}

/** The arguments, checked: what is the same for all three kinds of input. */
interface Problem {
  readonly source: FloatArray;
  readonly layout: Layout;
  readonly labels: Int32Array | undefined;
  readonly soft: FloatArray | undefined;
  readonly weight: FloatArray | undefined;
  readonly ignoreIndex: number;
  readonly smoothing: number;
  /** 1/ln(base), and for the mean over what it divides by. */
  readonly scale: number;
  readonly reduction: Reduction;
}

type Options = Omit<CrossEntropyOptions, "out"> & { readonly out?: unknown };

function problemOf(fn: string, logits: Input, target: Labels | Input, o: Options): Problem {
  const labelled = labelsOf(target);
  let source = elements(fn, "logits", logits);
  const shape = shapeOf(fn, logits, o.shape, source.length, "logits");
  const layout = layoutOf(fn, shape, o.axis);
  const { n, rows } = layout;
  // numbers are classes if there is one a row, and else a distribution
  const isLabels = labelled !== undefined && (!Array.isArray(target) || target.length === rows);
  let soft: FloatArray | undefined;
  if (!isLabels) [source, soft] = elementsOfBoth(fn, "logits", logits, "target", target as Input);
  const given = (soft ?? labelled)?.length;
  if (given !== (soft ? source.length : rows)) {
    const expected = soft ? `${rows} labels or ${source.length} probabilities` : `${rows} labels`;
    throw new RangeError(`${fn}: "target" must hold ${expected} for the shape [${shape.join(", ")}], got ${given}`);
  }
  const weight = o.weight === undefined ? undefined : elementsOfBoth(fn, "logits", source, "weight", o.weight)[1];
  if (weight && weight.length !== n) failValue(fn, "weight", `of length ${n}, the number of classes`, weight);
  const ignoreIndex = integerIn(fn, "ignoreIndex", o.ignoreIndex, -100, -(2 ** 31), 2 ** 31 - 1);
  if (!isLabels && ignoreIndex >= 0)
    failValue(fn, "ignoreIndex", "left out: soft targets have no labels to ignore", ignoreIndex);
  const smoothing = numberIn(fn, "labelSmoothing", o.labelSmoothing, 0, 0, 1);
  const reduction = reductionOf(fn, o.reduction, "mean");
  const factor = baseFactor(fn, o.base);
  const labels = isLabels ? checkedLabels(fn, labelled, n, ignoreIndex) : undefined;
  const divisor = reduction !== "mean" ? 1 : labels ? totalWeight(labels, weight, ignoreIndex) : rows;
  return { source, layout, labels, soft, weight, ignoreIndex, smoothing, scale: factor / divisor, reduction };
}

/** Labels as i32, each a class or the one to ignore. */
function checkedLabels(
  fn: string,
  labels: ArrayLike<number | bigint>,
  classes: number,
  ignoreIndex: number,
): Int32Array {
  const checked = new Int32Array(labels.length);
  for (let row = 0; row < checked.length; row++) {
    const label = Number(labels[row]);
    if (!(Number.isInteger(label) && label >= 0 && label < classes) && label !== ignoreIndex) {
      throw new RangeError(
        `${fn}: "target" in row ${row} must be a class from 0 to ${classes - 1} or ignoreIndex ${ignoreIndex}, got ${labels[row]}`,
      );
    }
    checked[row] = label;
  }
  return checked;
}

function totalWeight(labels: Int32Array, weight: FloatArray | undefined, ignoreIndex: number): number {
  let total = 0;
  for (const label of labels) if (label !== ignoreIndex) total += weight ? (weight[label] as number) : 1;
  return total;
}

/** Losses per row in nats, unscaled; the gradient, scaled, to `grad`. */
function fromLogits(at: Arena, p: Problem, grad: FloatArray | undefined): Float64Array {
  const { source, layout, labels, soft, weight, ignoreIndex, smoothing, scale } = p;
  const losses = new Float64Array(layout.rows);
  const kernel = at.kernelsFor(source).crossEntropy;
  const stream: Stream = {
    reads: [apart(source, grad), ...(soft ? [soft] : [])],
    writes: grad ? [grad] : [],
    classes: weight ? [weight] : [],
    labels,
    results: [losses],
    phases: [
      { first: 1, each: 2 },
      { first: 4, each: 8, keeps: true },
      ...(grad ? [{ first: 16, each: 32, rereads: true, keeps: true }] : []),
    ],
    finish: grad ? 0 : 16,
    run: ({ elements: [x, ...rest], classes: [w = 0], labels: label, results: [result] }, rows, n, steps, from) =>
      kernel(
        x as number,
        grad ? (rest.at(-1) as number) : 0,
        labels ? label : 0,
        soft ? (rest[0] as number) : 0,
        w,
        result as number,
        rows,
        n,
        layout.n,
        ignoreIndex,
        smoothing,
        scale,
        from,
        steps,
      ),
  };
  streamRows(at, layout, stream);
  return losses;
}

/**
 * The same from probabilities or log-probabilities. The logarithms are taken by kernels, so that every engine agrees; the
 * rest is a sum of products. Probabilities q are normalised, log q − log Σq, and so is a soft target.
 */
function fromProbabilities(at: Arena, p: Problem, logs: boolean, grad: FloatArray | undefined): Float64Array {
  const { source, layout, labels, soft, weight, ignoreIndex, smoothing, scale } = p;
  const { n, inner, rows } = layout;
  const losses = new Float64Array(rows);
  const [row, logRow] = [new Float64Array(n), new Float64Array(n)];
  let logTotal = 0;
  const { logarithm } = at.kernels;
  for (let r = 0; r < rows; r++) {
    const start = Math.floor(r / inner) * n * inner + (r % inner);
    const label = labels?.[r];
    const [rowSum, targetSum, mass] = [new CompensatedSum(), new CompensatedSum(), new CompensatedSum()];
    for (let j = 0; j < n; j++) {
      row[j] = source[start + j * inner] as number;
      rowSum.add(row[j] as number);
      if (soft) targetSum.add(soft[start + j * inner] as number);
    }
    const [total, targetTotal] = [rowSum.value, targetSum.value];
    if (logs) logRow.set(row);
    else {
      mapElements(at, row, logRow, logarithm);
      logTotal = scalar(at, "logarithm", total);
    }
    const ignored = label !== undefined && label === ignoreIndex;
    const loss = new CompensatedSum();
    for (let j = 0; j < n; j++) {
      const t = soft ? (soft[start + j * inner] as number) / (logs ? 1 : targetTotal) : +(label === j);
      const c = ignored ? 0 : (weight ? (weight[j] as number) : 1) * ((1 - smoothing) * t + smoothing / n);
      mass.add(c);
      // 0·log 0 = 0, but what is no probability makes the row NaN
      if (c !== 0) loss.add(c * (logTotal - (logRow[j] as number)));
      else if (!ignored && !logs && !((row[j] as number) >= 0)) loss.add(NaN);
      if (grad) grad[start + j * inner] = c === 0 ? 0 : -scale * c * (logs ? 1 : 1 / (row[j] as number));
    }
    if (grad && !logs)
      for (let j = 0; j < n; j++) (grad[start + j * inner] as number) += ignored ? 0 : (scale * mass.value) / total;
    losses[r] = loss.value;
  }
  return losses;
}

function evaluate(
  fn: string,
  p: Problem,
  o: Options,
  out: FloatArray | undefined,
  grad: FloatArray | undefined,
): number | FloatArray {
  const from = fromOf(fn, o.from, "logits");
  const losses =
    from === "logits" ? fromLogits(arena(), p, grad) : fromProbabilities(arena(), p, from === "logProbabilities", grad);
  return reduce(losses, p.reduction, p.scale, out);
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
export function crossEntropy<X extends Input, R extends Reduction = "mean">(
  logits: X,
  target: Labels | Input,
  options?: CrossEntropyOptions<ResultOf<X>, R>,
): Reduced<R, ResultOf<X>> {
  const fn = "crossEntropy";
  const o: Options = optionsOf(fn, options);
  const p = problemOf(fn, logits, target, o);
  const out = p.reduction === "none" ? outputOf(fn, o.out, p.source, p.layout.rows) : undefined;
  return evaluate(fn, p, o, out, undefined) as Reduced<R, ResultOf<X>>;
}

/**
 * The cross-entropy and its gradient with respect to the first argument as given, in one pass over it: for logits
 * (softmax(logits) − t), weighted and divided as the reduction says; under `"none"` each row's own. `grad` has the shape of
 * the logits, and is written to `out` if that is given (which may be the logits themselves).
 *
 * @throws as `crossEntropy`.
 * @example crossEntropyWithGrad([0, 0], [0]); // { value: 0.693…, grad: Float64Array [-0.5, 0.5] }
 */
export function crossEntropyWithGrad<X extends Input, R extends Reduction = "mean">(
  logits: X,
  target: Labels | Input,
  options?: CrossEntropyOptions<ResultOf<X>, R>,
): { value: Reduced<R, ResultOf<X>>; grad: ResultOf<X> } {
  const fn = "crossEntropyWithGrad";
  const o: Options = optionsOf(fn, options);
  const p = problemOf(fn, logits, target, o);
  const grad = outputOf(fn, o.out, p.source, p.source.length);
  const out = p.reduction === "none" ? outputOf(fn, undefined, p.source, p.layout.rows) : undefined;
  return { value: evaluate(fn, p, o, out, grad), grad } as { value: Reduced<R, ResultOf<X>>; grad: ResultOf<X> };
}

/**
 * Perplexity, e to the mean cross-entropy of a test set in nats: `[N, C]` logits and N labels to a number ≥ 1.
 *
 * @throws as `crossEntropy`.
 * @example perplexity([0, 0, 0, 0], [1], { shape: [1, 4] }); // 4
 */
export function perplexity(
  logits: Input,
  labels: Labels,
  options?: Pick<CrossEntropyOptions, "shape" | "ignoreIndex">,
): number {
  const fn = "perplexity";
  const o: Options = optionsOf(fn, options);
  if (labelsOf(labels) === undefined) failKind(fn, "labels", "integers, one a row", labels);
  // as a tensor, for there numbers are labels, however many
  const p = problemOf(fn, logits, { data: labels } as unknown as Labels, {
    shape: o.shape,
    ignoreIndex: o.ignoreIndex,
  });
  return scalar(arena(), "exponential", evaluate(fn, p, {}, undefined, undefined) as number);
}
