/** Cross-entropy and perplexity of a corpus that comes in batches. */
import { operandOf } from "../check/tensor.ts";
import { failKind, failValue } from "../errors.ts";
import { LOSSES } from "../memory/embedded/losses.ts";
import { arena } from "../memory/kernels.ts";
import { exponential } from "../memory/scalar.ts";
import { flagOf, fromOf, integerIn, numberIn, optionsOf } from "../options.ts";
import { baseOf, perNat } from "../read/reduce.ts";
import type { FloatArray, Input, LabelsLike } from "../types.ts";
import { type CrossEntropyOptions, eachLoss, type Given, givenOf, type LossTaker } from "./crossEntropy.ts";
import { type Batch, type BatchOptions, batchOf, batchWith, type Core, type Fail, Meter, RowMean } from "./meter.ts";

/** The options of `crossEntropy`; `shape` and `axis` are those of batches that do not say theirs. */
export type CrossEntropyMeterOptions = Omit<CrossEntropyOptions, "reduction" | "out" | "sampleWeight">;

/** What a batch has of its own. */
export interface CrossEntropyBatchOptions extends BatchOptions {
  /** A weight per row, at least 0, as in `crossEntropy`. */
  sampleWeight?: Input | undefined;
}

/** What `update` takes: the arguments of `crossEntropy`. */
export type CrossEntropyBatch = readonly [
  logits: Input,
  target: LabelsLike | Input,
  options?: CrossEntropyBatchOptions | undefined,
];

const OPTIONS = ["shape", "axis", "from", "normalize", "weight", "ignoreIndex", "labelSmoothing", "base"];
const BATCH = ["shape", "axis", "sampleWeight"];

export class CrossEntropyCore implements Core<CrossEntropyBatch>, LossTaker {
  readonly kind = "crossEntropy";
  readonly options: Readonly<Record<string, unknown>>;
  readonly batch: Batch;
  readonly #given: Given;
  readonly #base: number;
  readonly #rows = new RowMean(LOSSES);
  #weights: Float64Array | undefined;

  constructor(fn: string, options: CrossEntropyMeterOptions | undefined) {
    const given = givenOf(fn, options, OPTIONS);
    this.batch = batchOf(fn, given.shape, given.axis);
    const from = fromOf(fn, given.from, "logits");
    const normalize = flagOf(fn, "normalize", given.normalize, true);
    const ignoreIndex = integerIn(fn, "ignoreIndex", given.ignoreIndex, -100, -(2 ** 31), 2 ** 31 - 1);
    const labelSmoothing = numberIn(fn, "labelSmoothing", given.labelSmoothing, 0, 0, 1);
    this.#base = baseOf(fn, given.base);
    const weight = weightsIn(fn, given.weight);
    // a base is no matter of the rows, whose losses are kept in nats
    this.#given = { ...given, weight: weight?.array, base: undefined };
    this.options = {
      from,
      normalize,
      ignoreIndex,
      labelSmoothing,
      base: this.#base,
      ...(weight && { weight: { type: weight.type, values: Array.from(weight.array) } }),
    };
  }

  update(fn: string, [logits, target, options]: CrossEntropyBatch): void {
    const count = eachLoss(fn, logits, target, this.#givenFor(fn, options), this);
    this.#rows.count += count;
    this.#weights = undefined;
  }

  #givenFor(fn: string, options: CrossEntropyBatchOptions | undefined): Given {
    const own = this.#given;
    if (options === undefined) return own;
    const { shape, axis, sampleWeight } = optionsOf<CrossEntropyBatchOptions>(fn, options, BATCH);
    const batch = batchWith(fn, shape, axis, this.batch);
    // a literal: spreading `own` would take longer than the rest of an update of a few rows
    return {
      shape: batch.shape,
      axis: batch.axis,
      from: own.from,
      normalize: own.normalize,
      weight: own.weight,
      sampleWeight,
      ignoreIndex: own.ignoreIndex,
      labelSmoothing: own.labelSmoothing,
      base: undefined,
      reduction: undefined,
      out: undefined,
    };
  }

  get weighs(): boolean {
    return this.#rows.moments.weighs;
  }

  begin(weights: Float64Array | undefined): void {
    this.#weights = weights;
    if (weights) this.#rows.moments.weigh(this.#rows.count);
  }

  take(values: FloatArray, from: number, row: number, count: number): void {
    this.#rows.moments.take(values, from, count, this.#weights, row);
  }

  get count(): number {
    return this.#rows.count;
  }

  get nats(): number {
    return this.#rows.value(1);
  }

  get value(): number {
    return this.#rows.value(perNat(arena(), LOSSES, this.#base));
  }

  get standardError(): number {
    return this.#rows.standardError(perNat(arena(), LOSSES, this.#base));
  }

  merge(other: CrossEntropyCore): void {
    this.#rows.merge(other.#rows);
  }

  get saved(): Readonly<Record<string, unknown>> {
    return this.#rows.saved;
  }

  restore(saved: Readonly<Record<string, unknown>>, fail: Fail): void {
    this.#rows.restore(saved, fail);
  }
}

/** The weights of classes, copied; or as a meter saves them, { type, values }. */
function weightsIn(fn: string, weight: unknown): { type: string; array: FloatArray | number[] } | undefined {
  if (weight === undefined) return undefined;
  if (Array.isArray(weight)) {
    const { array } = operandOf(fn, "weight", weight);
    return { type: "numbers", array: finite(fn, Array.from(array)) };
  }
  if (typeof weight === "object" && weight !== null && "type" in weight && "values" in weight) {
    const { type, values } = weight as { type: unknown; values: unknown };
    const isKnown = type === "f32" || type === "f64" || type === "numbers";
    if (!isKnown || !Array.isArray(values)) failKind(fn, "weight", "weights as a meter writes them", weight);
    const array = finite(fn, Array.from(operandOf(fn, "weight.values", values).array));
    if (type === "numbers") return { type, array };
    return { type: type as string, array: type === "f32" ? new Float32Array(array) : new Float64Array(array) };
  }
  const { array, bytes } = operandOf(fn, "weight", weight);
  const copy = bytes === 4 ? new Float32Array(array) : new Float64Array(array);
  return { type: bytes === 4 ? "f32" : "f64", array: finite(fn, copy) };
}

function finite<A extends ArrayLike<number>>(fn: string, weights: A): A {
  for (let i = 0; i < weights.length; i++)
    if (!Number.isFinite(weights[i])) failValue(fn, `weight[${i}]`, "finite", weights[i]);
  return weights;
}

/** See `crossEntropyMeter`. */
export class CrossEntropyMeter extends Meter<CrossEntropyBatch, "crossEntropy"> {
  readonly #core: { readonly nats: number };

  constructor(core: Core<CrossEntropyBatch> & { readonly nats: number }) {
    super(core);
    this.#core = core;
  }

  /** The mean in nats, whatever the base. */
  get nats(): number {
    return this.#core.nats;
  }

  /** The mean in bits a row, or token. */
  get bits(): number {
    return this.#core.nats * Math.LOG2E;
  }

  /** e to the mean in nats. */
  get perplexity(): number {
    return exponential(arena(), LOSSES, this.#core.nats);
  }
}

/**
 * The mean of `crossEntropy` over a corpus, batch by batch: `meter.update(logits, target, { shape, axis, sampleWeight })`, with
 * `value`, `count`, `standardError`, and of a language model `perplexity`, `nats` and `bits` a token.
 *
 * The options are those of `crossEntropy`, whose mean over all rows at once it is, to the last bit rounded right: the sum of the rows'
 * losses is exact until it is read. So `value` has the same bits whatever the batches, their order, and how partial meters
 * were merged; the base kernels give the same on every engine. A NaN makes it NaN, as do both infinities. With weights the
 * mean is Σ w·loss / Σ w, and the standard error that of a ratio, √(n/(n − 1)·Σ w²(loss − mean)²) / Σ w. Ignored rows do not count.
 *
 * @throws TypeError or RangeError as `crossEntropy`; of an `update` that throws nothing is taken.
 * @example
 * const meter = crossEntropyMeter();
 * meter.update([2, 0, -1, 0, 0, 0], [0, 2], { shape: [2, 3] });
 * meter.update([0, 3, 0], [1]);
 * meter.value; // 0.454…
 * meter.perplexity; // 1.57…
 * @see Neal, Fast exact summation using small and large superaccumulators (2015)
 */
export function crossEntropyMeter(options?: CrossEntropyMeterOptions): CrossEntropyMeter {
  return new CrossEntropyMeter(new CrossEntropyCore("crossEntropyMeter", options));
}
