/** Cross-entropy losses of logits, log-probabilities or probabilities against classes or distributions, with gradients. */
import type { Arena } from "./arena.ts";
import { failKind, failValue, flagOf, integerIn, numberIn, optionsOf } from "./check.ts";
import { STEP } from "./codes/index.ts";
import { arena } from "./kernels.ts";
import { baseFactor, type From, fromOf, type Reduced, type Reduction, reduce, reductionOf } from "./reduction.ts";
import { scalar } from "./rows.ts";
import { type Phase, type Stream, streamRows } from "./stream.ts";
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
  /**
   * Whether probabilities, and soft targets beside them, are divided by their sums. Default: true. Log-probabilities are taken as
   * they are in any case.
   */
  normalize?: boolean | undefined;
  /** A weight per row, beside that of its class: losses and gradients are multiplied by it, and the mean divides by its sum. */
  sampleWeight?: Input | undefined;
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
  readonly from: From;
  readonly normalize: boolean;
  readonly weight: FloatArray | undefined;
  /** What each row counts. */
  readonly sampleWeight: Float64Array | undefined;
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
  const from = fromOf(fn, o.from, "logits");
  const normalize = flagOf(fn, "normalize", o.normalize, true);
  const sampleWeight =
    o.sampleWeight === undefined ? undefined : Float64Array.from(elements(fn, "sampleWeight", o.sampleWeight));
  if (sampleWeight && sampleWeight.length !== rows)
    failValue(fn, "sampleWeight", `of length ${rows}, one a row`, sampleWeight);
  const divisor = reduction !== "mean" ? 1 : totalWeight(rows, labels, weight, sampleWeight, ignoreIndex);
  return {
    source,
    from,
    normalize,
    layout,
    labels,
    soft,
    weight,
    sampleWeight,
    ignoreIndex,
    smoothing,
    scale: factor / divisor,
    reduction,
  };
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

/** What the mean divides by: the rows that count, each by its own weight and that of its label. */
function totalWeight(
  rows: number,
  labels: Int32Array | undefined,
  weight: FloatArray | undefined,
  sampleWeight: Float64Array | undefined,
  ignoreIndex: number,
): number {
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const label = labels?.[row];
    if (label !== undefined && label === ignoreIndex) continue;
    const own = label !== undefined && weight ? (weight[label] as number) : 1;
    total += own * (sampleWeight ? (sampleWeight[row] as number) : 1);
  }
  return total;
}

/** What assembly/losses/crossEntropyOfProbabilities.ts calls what a row holds. */
const KIND = { counts: 0, probabilities: 1, logarithms: 2 } as const;

/** Losses per row in nats, unscaled; the gradient, scaled, to `grad`. */
function lossesOf(at: Arena, p: Problem, grad: FloatArray | undefined): Float64Array {
  const { source, from, normalize, layout, labels, soft, weight, sampleWeight, ignoreIndex, smoothing, scale } = p;
  const losses = new Float64Array(layout.rows);
  const { crossEntropy: ofLogits, crossEntropyOfProbabilities } = at.kernelsFor(source);
  const logits = from === "logits";
  const kind = from === "logProbabilities" ? KIND.logarithms : normalize ? KIND.counts : KIND.probabilities;
  const kernel: typeof ofLogits = logits ? ofLogits : (...args) => crossEntropyOfProbabilities(kind, ...args);
  const phases: Phase[] = [
    ...(logits || kind === KIND.counts ? [{ first: STEP.begin, each: STEP.maximum }] : []),
    logits
      ? { first: STEP.aim, each: STEP.sum, keeps: true }
      : { first: kind === KIND.counts ? STEP.aim : STEP.begin | STEP.aim, each: STEP.sum },
    ...(grad ? [{ first: STEP.finish, each: STEP.write, rereads: logits, keeps: true }] : []),
  ];
  const stream: Stream = {
    reads: [apart(source, grad), ...(soft ? [soft] : [])],
    writes: grad ? [grad] : [],
    classes: weight ? [weight] : [],
    labels,
    samples: sampleWeight,
    results: [losses],
    phases,
    finish: grad ? 0 : STEP.finish,
    run: (
      { elements: [x, ...rest], classes: [w = 0], labels: label, samples, results: [result] },
      rows,
      n,
      steps,
      from,
    ) =>
      kernel(
        x as number,
        grad ? (rest.at(-1) as number) : 0,
        labels ? label : 0,
        soft ? (rest[0] as number) : 0,
        w,
        sampleWeight ? samples : 0,
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

function evaluate(p: Problem, out: FloatArray | undefined, grad: FloatArray | undefined): number | FloatArray {
  return reduce(lossesOf(arena(), p, grad), p.reduction, p.scale, out);
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
  return evaluate(p, out, undefined) as Reduced<R, ResultOf<X>>;
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
  return { value: evaluate(p, out, grad), grad } as { value: Reduced<R, ResultOf<X>>; grad: ResultOf<X> };
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
  return scalar(arena(), "exponential", evaluate(p, undefined, undefined) as number);
}
