/** Binary cross-entropy of logits or probabilities against targets in [0, 1], and its gradient. */
import { type Arena, GROUP_BYTES } from "./arena.ts";
import { failValue, oneOf, optionsOf } from "./check.ts";
import { arena } from "./kernels.ts";
import { CompensatedSum, type Reduced, type Reduction, reductionOf } from "./reduction.ts";
import { apart, elements, elementsOfBoth, labelsOf, outputOf, shapeOf } from "./tensor.ts";
import type { FloatArray, Input, Labels, ResultOf } from "./types.ts";

export interface BinaryCrossEntropyOptions<T extends FloatArray = FloatArray, R extends Reduction = Reduction> {
  /** The shape of the first argument, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** What the first argument holds. Default: `"logits"`. */
  from?: "logits" | "probabilities" | undefined;
  /** A weight for all, for each element of a row (the last axis), or for each element. An element of weight 0 counts as 0. */
  weight?: number | Input | undefined;
  /** The weight w₊ of the positive term, as `weight` is given: above 1 it favours recall, below 1 precision. */
  posWeight?: number | Input | undefined;
  /** `"mean"` (the default): the sum over the number of elements; `"sum"`; `"none"`: one loss per element. */
  reduction?: R | undefined;
  /** Where to write the losses (`"none"`), or for `binaryCrossEntropyWithGrad` the gradient; may be the input itself. */
  out?: T | undefined;
}

type Options = Omit<BinaryCrossEntropyOptions, "out"> & { readonly out?: unknown };

/** A tile of one array: small, for up to six of them are in use. */
const TILE_BYTES = 4096;
const SLOT_BYTES = TILE_BYTES + GROUP_BYTES;

const VECTOR_BYTES = 16;

/** Numbers beside x: as many, one row of `n` over and over, or one for all. */
interface Beside {
  readonly array: FloatArray;
  readonly n: number;
}

interface Problem {
  readonly source: FloatArray;
  readonly target: FloatArray;
  readonly weight: Beside;
  readonly posWeight: Beside;
  readonly probabilities: boolean;
  readonly reduction: Reduction;
}

/** Targets in the type of x: floats, or integers of any kind. */
function targetsOf(fn: string, x: Input, target: Labels | Input): [FloatArray, FloatArray] {
  const integers = Array.isArray(target) ? undefined : labelsOf(target);
  if (!integers) return elementsOfBoth(fn, "x", x, "target", target as Input);
  const source = elements(fn, "x", x);
  const own = outputOf(fn, undefined, source, integers.length);
  for (let i = 0; i < own.length; i++) own[i] = Number(integers[i]);
  return [source, own];
}

function weightsOf(fn: string, argument: string, source: FloatArray, row: number, weights: unknown): Beside {
  const given = weights === undefined ? [1] : typeof weights === "number" ? [weights] : weights;
  const array = elementsOfBoth(fn, "x", source, argument, given)[1];
  const n = array.length;
  if (n !== source.length && n !== row && n !== 1) {
    failValue(fn, argument, `a number, or of length ${source.length}, or ${row} for the last axis`, array);
  }
  return { array, n };
}

function problemOf(fn: string, x: Input, targets: Labels | Input, o: Options): Problem {
  const [source, target] = targetsOf(fn, x, targets);
  const shape = shapeOf(fn, x, o.shape, source.length);
  if (target.length !== source.length) failValue(fn, "target", `of length ${source.length}, that of "x"`, target);
  const row = shape.at(-1) ?? 1;
  return {
    source,
    target,
    weight: weightsOf(fn, "weight", source, row, o.weight),
    posWeight: weightsOf(fn, "posWeight", source, row, o.posWeight),
    probabilities: oneOf(fn, "from", o.from, ["logits", "probabilities"], "logits") === "probabilities",
    reduction: reductionOf(fn, o.reduction, "mean"),
  };
}

/** An array and where it stands: in linear memory, at `place`, or staged at `slot`. */
interface Placed extends Beside {
  readonly slot: number;
  readonly place: number;
}

/**
 * Streams the elements through linear memory, and writes losses and gradient where there is an array for them. Returns the
 * sum of the losses, or their mean.
 */
function evaluate(at: Arena, p: Problem, losses: FloatArray | undefined, grad: FloatArray | undefined): number {
  const { length, BYTES_PER_ELEMENT: bytes } = p.source;
  const kernel = at.kernelsFor(p.source).binaryCrossEntropy;
  const divisor = p.reduction === "mean" ? length : 1;
  const slotOf = (i: number): number => at.stage + i * SLOT_BYTES;
  const input = ({ array, n }: Beside, i: number): Placed => {
    const safe = apart(apart(array, losses), grad);
    const placed = { array: safe, n, slot: slotOf(i), place: n === length ? at.locate(safe) : 0 };
    // one number fills a vector, once for all tiles
    if (n === 1) for (let v = 0; v < VECTOR_BYTES; v += bytes) at.copyIn(safe, 0, 1, placed.slot + v);
    return placed;
  };
  const inputs = [{ array: p.source, n: length }, { array: p.target, n: length }, p.weight, p.posWeight].map(input);
  const outputs = [losses, grad].map(
    (array, i) => array && { array, n: length, slot: slotOf(4 + i), place: at.locate(array) },
  );
  const [step, posStep] = [p.weight, p.posWeight].map(({ n }) => (n === 1 ? 0 : VECTOR_BYTES)) as [number, number];
  const tile = TILE_BYTES / bytes;
  const total = new CompensatedSum();
  for (let start = 0; start < length; start += tile) {
    const count = Math.min(tile, length - start);
    for (const one of inputs) if (!one.place && one.n > 1) stage(at, one, start, count);
    const pointer = (one: Placed | undefined): number => (one ? (one.place ? one.place + start * bytes : one.slot) : 0);
    const [x, y, w, posW] = inputs.map(pointer) as [number, number, number, number];
    const [loss, slope] = outputs.map(pointer) as [number, number];
    total.add(kernel(p.probabilities, x, y, w, step, posW, posStep, loss, slope, count, divisor));
    for (const one of outputs) if (one && !one.place) at.copyOut(one.slot, count, one.array, start);
  }
  return total.value / divisor;
}

/** Copies elements [start, start + count) to the slot, from a list of n that is repeated. */
function stage(at: Arena, { array, n, slot }: Placed, start: number, count: number): void {
  for (let i = 0; i < count; ) {
    const from = (start + i) % n;
    const run = Math.min(n - from, count - i);
    at.copyIn(array, from, run, slot + i * array.BYTES_PER_ELEMENT);
    i += run;
  }
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
export function binaryCrossEntropy<X extends Input, R extends Reduction = "mean">(
  x: X,
  target: Labels | Input,
  options?: BinaryCrossEntropyOptions<ResultOf<X>, R>,
): Reduced<R, ResultOf<X>> {
  const fn = "binaryCrossEntropy";
  const o: Options = optionsOf(fn, options);
  const p = problemOf(fn, x, target, o);
  const out = p.reduction === "none" ? outputOf(fn, o.out, p.source, p.source.length) : undefined;
  const value = evaluate(arena(), p, out, undefined);
  return (out ?? value) as Reduced<R, ResultOf<X>>;
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
export function binaryCrossEntropyWithGrad<X extends Input, R extends Reduction = "mean">(
  x: X,
  target: Labels | Input,
  options?: BinaryCrossEntropyOptions<ResultOf<X>, R>,
): { value: Reduced<R, ResultOf<X>>; grad: ResultOf<X> } {
  const fn = "binaryCrossEntropyWithGrad";
  const o: Options = optionsOf(fn, options);
  const p = problemOf(fn, x, target, o);
  const grad = outputOf(fn, o.out, p.source, p.source.length);
  const losses = p.reduction === "none" ? outputOf(fn, undefined, p.source, p.source.length) : undefined;
  const value = evaluate(arena(), p, losses, grad);
  return { value: losses ?? value, grad } as { value: Reduced<R, ResultOf<X>>; grad: ResultOf<X> };
}
