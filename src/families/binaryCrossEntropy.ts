/** Binary cross-entropy of logits or probabilities against targets in [0, 1], and its gradient. */
import { arrayType } from "../arrays.ts";
import { type Labels as GivenLabels, labelsIn } from "../check/labels.ts";
import { inWords, type Operand, operandsOf, readOnce, shapeOf, sizesIn } from "../check/tensor.ts";
import { failKind, failValue } from "../errors.ts";
import { LOSSES } from "../memory/embedded/losses.ts";
import { arena } from "../memory/kernels.ts";
import { oneOf, optionsOf } from "../options.ts";
import { type FewPairs, fewNumbers } from "../place/few.ts";
import { noOutput, outputOf } from "../place/output.ts";
import { type Beside, streamElements } from "../place/rows.ts";
import { Rows, reducedFew, reductionOf } from "../read/reduce.ts";
import { CompensatedSum } from "../read/sum.ts";
import type { FloatArray, Input, LabelsLike, Out, Reduced, Reduction, ResultOf } from "../types.ts";

export interface BinaryCrossEntropyOptions<
  T extends FloatArray = FloatArray,
  R extends Reduction = Reduction,
  W extends number | Input | undefined = number | Input | undefined,
  P extends number | Input | undefined = number | Input | undefined,
> {
  /** The shape of the first argument, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** What the first argument holds. Default: `"logits"`. */
  from?: "logits" | "probabilities" | undefined;
  /**
   * A weight for all, for each element of a row (the last axis), or for each element; one that carries a shape is broadcast as
   * PyTorch does. An element of weight 0 counts as 0, and one that is NaN as NaN.
   */
  weight?: W;
  /** The weight w₊ of the positive term, as `weight` is given: above 1 it favours recall, below 1 precision. */
  posWeight?: P;
  /** `"mean"` (the default): the sum over the number of elements; `"sum"`; `"none"`: one loss per element. */
  reduction?: R | undefined;
  /** Where to write the losses (`"none"`), or for `binaryCrossEntropyWithGrad` the gradient; may be the input itself. */
  out?: Out<T> | undefined;
}

const OPTIONS = ["shape", "from", "weight", "posWeight", "reduction", "out"];

/** A tile of one array: small, for up to six of them are in use. Losses are summed tile by tile. */
const TILE_BYTES = 4096;

/** Bytes from one vector of weights to the next; 0 where one serves for all. */
const VECTOR_BYTES = 16;

/** The options, checked but for the weights. */
interface Settings {
  readonly fn: string;
  readonly sizes: readonly number[] | undefined;
  readonly probabilities: boolean;
  readonly weight: unknown;
  readonly posWeight: unknown;
  readonly reduction: Reduction;
  readonly out: unknown;
}

/** And the arguments. */
interface Problem extends Settings {
  readonly shape: readonly number[];
  /** x, the target, the weight and the weight of the positive term. */
  readonly reads: readonly [Beside, Beside, Beside, Beside];
}

/** Targets 0 and 1, or any integers, as numbers. */
function numbersOf({ list, name, shape }: GivenLabels, fn: string): { data: number[]; shape: readonly number[] } {
  const data: number[] = [];
  for (let i = 0; i < list.length; i++) {
    const value = list[i];
    if (typeof value !== "number" && typeof value !== "bigint") failKind(fn, `${name}[${i}]`, "a number", value);
    data.push(Number(value));
  }
  return { data, shape: shape ?? [data.length] };
}

const ONES: (Operand | undefined)[] = [];

/** The weight 1, made once of either type: to read a list of it takes 100 ns. */
function weightOne(bytes: number): Operand {
  ONES[bytes] ??= { name: "weight", array: new (arrayType(bytes))(1).fill(1), length: 1, bytes, shape: undefined };
  return ONES[bytes];
}

/** How a weight, 1 if it is not given, is repeated beside data of a shape: as NumPy and PyTorch broadcast one that has a shape of its own. */
function besideOf(
  fn: string,
  given: Operand | undefined,
  bytes: number,
  shape: readonly number[],
  length: number,
): Beside {
  const operand = given ?? weightOne(bytes);
  const { shape: own, name } = operand;
  if (own === undefined) {
    const row = shape.at(-1) ?? 1;
    if (operand.length === length) return { operand, steps: undefined };
    if (operand.length === 1) return { operand, steps: shape.map(() => 0) };
    if (operand.length === row) return { operand, steps: shape.map((_, i) => +(i === shape.length - 1)) };
    const words = `a number, or of length ${length}${row === length ? "" : `, or ${row} for the last axis`}`;
    return failValue(fn, name, words, operand.array);
  }
  const missing = shape.length - own.length;
  if (missing < 0 || own.some((size, i) => size !== 1 && size !== shape[i + missing]))
    failValue(fn, name, `of a shape that broadcasts to ${inWords(shape)}`, own);
  if (operand.length === length && missing === 0) return { operand, steps: undefined };
  let step = 1;
  const steps = shape.map(() => 0);
  for (let i = own.length - 1; i >= 0; i--) {
    if (own[i] !== 1) steps[i + missing] = step;
    step *= own[i] as number;
  }
  return { operand, steps };
}

function settingsOf(fn: string, options: BinaryCrossEntropyOptions | undefined): Settings {
  const o = optionsOf<BinaryCrossEntropyOptions>(fn, options, OPTIONS);
  const { shape, from, weight, posWeight, reduction, out } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const probabilities = oneOf(fn, "from", from, ["logits", "probabilities"], "logits") === "probabilities";
  return { fn, sizes, probabilities, weight, posWeight, reduction: reductionOf(fn, reduction), out };
}

/** The sum or mean of a few losses without weights, by the short way (place/few.ts). */
function lossOfFew(x: unknown, target: unknown, settings: Settings): number | undefined {
  const { fn, sizes, probabilities, weight, posWeight, reduction, out } = settings;
  if (weight !== undefined || posWeight !== undefined || out !== undefined || reduction === "none") return undefined;
  const run: FewPairs = (at, isF32, a, b, values, rows, n) => {
    const count = rows * n;
    const bytes = isF32 ? 4 : 8;
    const ones = values + 16;
    const view = at.view(bytes);
    for (let i = ones / bytes; i < (ones + VECTOR_BYTES) / bytes; i++) view[i] = 1;
    const divisor = reduction === "mean" ? count : 1;
    const { binaryCrossEntropy: kernel } = at.typed(LOSSES, bytes);
    at.view(8)[values / 8] = kernel(probabilities, a, b, ones, 0, ones, 0, 0, 0, count, divisor);
  };
  const found = fewNumbers(fn, NAMES, x, target, sizes, undefined, false, run, TILE_BYTES);
  if (!found) return undefined;
  const over = reduction === "mean" ? found.rows * found.n : 1;
  return reducedFew({ ...found, rows: 1 }, new Rows(undefined, 1, over)) as number;
}

const NAMES = ["x", "target"] as const;

function problemOf(settings: Settings, input: unknown, goal: unknown): Problem {
  const { fn, sizes, weight, posWeight } = settings;
  const given = readOnce(goal);
  const labels = labelsIn(fn, "target", given);
  const listed = (value: unknown) => (typeof value === "number" ? [value] : value);
  const [x, target, weights, posWeights] = operandsOf(
    fn,
    [
      ["x", input],
      ["target", labels ? numbersOf(labels, fn) : given],
    ],
    [
      ["weight", listed(weight)],
      ["posWeight", listed(posWeight)],
    ],
  );
  const dims = shapeOf(fn, x, sizes);
  if (target.length !== x.length) failValue(fn, "target", `of length ${x.length}, that of "x"`, target.array);
  const own = target.shape;
  if (own && own.length > 1 && dims.length > 1 && own.join() !== dims.join())
    throw new RangeError(`${fn}: "target" must have the shape of "x", ${inWords(dims)}, got ${inWords(own)}`);
  return {
    ...settings,
    shape: dims,
    reads: [
      { operand: x, steps: undefined },
      { operand: target, steps: undefined },
      besideOf(fn, weights, x.bytes, dims, x.length),
      besideOf(fn, posWeights, x.bytes, dims, x.length),
    ],
  };
}

/** Losses, or their sum or mean; and the gradient, if there is to be one. */
function lossOf(p: Problem, withGrad: boolean): { value: number | FloatArray; grad: FloatArray | undefined } {
  const { fn, shape, reads, probabilities, reduction, out } = p;
  const { length, bytes } = reads[0].operand;
  if (!withGrad && reduction !== "none") noOutput(fn, out, reduction);
  const losses = reduction === "none" ? outputOf(fn, withGrad ? undefined : out, bytes, length) : undefined;
  const grad = withGrad ? outputOf(fn, out, bytes, length) : undefined;
  const at = arena();
  const kernel = at.typed(LOSSES, bytes).binaryCrossEntropy;
  const divisor = reduction === "mean" ? length : 1;
  const total = new CompensatedSum();
  const [, , w, pos] = reads.map(({ operand, steps }) => (steps && operand.length === 1 ? 0 : VECTOR_BYTES));
  streamElements(at, {
    fn,
    shape,
    reads,
    writes: [losses, grad],
    tileBytes: TILE_BYTES,
    run: ([x, y, weights, posWeights], [loss, slope], count) =>
      total.add(
        kernel(
          probabilities,
          x as number,
          y as number,
          weights as number,
          w as number,
          posWeights as number,
          pos as number,
          loss as number,
          slope as number,
          count,
          divisor,
        ),
      ),
  });
  return { value: losses ? losses.array : total.times(1, divisor), grad: grad?.array };
}

/**
 * Binary cross-entropy −w₊·y·log p − (1 − y)·log(1 − p) of each element, in nats, y the target and p = σ(x) for logits:
 * `[...] → number`, or `[...] → [...]` under "none". The semantics are those of PyTorch's
 * `binary_cross_entropy_with_logits` and `binary_cross_entropy`, but nothing is clamped: −log 0 is +∞, and 0·∞ is 0.
 *
 * Each loss is within 4 ULP, however small: nothing is subtracted, so that 1e-8 keeps its digits. The sum is accumulated
 * in f64, compensated for f64 data. A probability outside [0, 1] or a NaN makes the loss NaN; the mean of nothing is NaN.
 *
 * `target`: floats of the length of `x`, soft ones too, or integers of any kind.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, option or length.
 * @example binaryCrossEntropy([0, 2], [1, 0]); // 1.410…, the mean of 0.693… and 2.126…
 * @example binaryCrossEntropy([0.9, 0.2], [1, 0], { from: "probabilities", reduction: "none" }); // [0.105…, 0.223…]
 * @see Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.2.2.2
 */
export function binaryCrossEntropy<
  X extends Input,
  Y extends LabelsLike | Input = LabelsLike | Input,
  R extends Reduction = "mean",
  W extends number | Input | undefined = undefined,
  P extends number | Input | undefined = undefined,
>(
  x: X,
  target: Y,
  options?: BinaryCrossEntropyOptions<ResultOf<X, Y, W, P>, R, W, P>,
): Reduced<R, ResultOf<X, Y, W, P>> {
  const fn = "binaryCrossEntropy";
  const settings = settingsOf(fn, options);
  const short = lossOfFew(x, target, settings);
  return (short ?? lossOf(problemOf(settings, x, target), false).value) as Reduced<R, ResultOf<X, Y, W, P>>;
}

/**
 * The binary cross-entropy and its gradient with respect to `x` as given, in one pass: w·((1 − y)·σ(x) − w₊·y·σ(−x)) for
 * logits, w·((1 − y)/(1 − x) − w₊·y/x) for probabilities, divided by the number of elements under "mean". `grad` has the
 * shape of `x` and is written to `out` if that is given, which may be `x` itself.
 *
 * Within 5 ULP for targets 0 and 1; for others the two terms may cancel, and it is 5 ULP of the larger. Nothing is
 * clamped: it is ∓∞ at a probability that is certain and wrong, and 0/0 is 0.
 *
 * @throws as `binaryCrossEntropy`.
 * @example binaryCrossEntropyWithGrad([0, 0], [1, 0]); // { value: 0.693…, grad: Float64Array [-0.25, 0.25] }
 */
export function binaryCrossEntropyWithGrad<
  X extends Input,
  Y extends LabelsLike | Input = LabelsLike | Input,
  R extends Reduction = "mean",
  W extends number | Input | undefined = undefined,
  P extends number | Input | undefined = undefined,
>(
  x: X,
  target: Y,
  options?: BinaryCrossEntropyOptions<ResultOf<X, Y, W, P>, R, W, P>,
): { value: Reduced<R, ResultOf<X, Y, W, P>>; grad: ResultOf<X, Y, W, P> } {
  const fn = "binaryCrossEntropyWithGrad";
  return lossOf(problemOf(settingsOf(fn, options), x, target), true) as {
    value: Reduced<R, ResultOf<X, Y, W, P>>;
    grad: ResultOf<X, Y, W, P>;
  };
}
