/**
 * What all meters share: a meter takes batches, in any order, and is read at any time.
 *
 * A meter of rows is a number per row and their mean, which is exact until it is read (read/moments.ts): its bits are those of the
 * set of rows, however they were divided into batches, in which order these came, and how partial meters were merged.
 */
import { axisOf, sizesIn } from "../check/tensor.ts";
import { describe, failKind, failValue, withArticle } from "../errors.ts";
import type { WithMoments } from "../memory/moments.ts";
import { callbackOf, optionsOf, signalOf } from "../options.ts";
import type { RowResults } from "../place/rows.ts";
import { Histogram } from "../read/histogram.ts";
import { Moments } from "../read/moments.ts";
import type { FloatArray, Signal } from "../types.ts";

/** What a batch has of its own. */
export interface BatchOptions {
  /** The shape of the batch, row-major. Default: the tensor's own, else the meter's, else one row. */
  shape?: readonly number[] | undefined;
  /** The axis that holds a row. Default: the meter's. */
  axis?: number | undefined;
}

/** What `updateFrom` tells its `progress` callback. */
export interface MeterProgress {
  /** Batches taken by this call. */
  readonly batches: number;
  /** The meter's count. */
  readonly count: number;
}

export interface UpdateFromOptions {
  /** Called after each batch. */
  progress?: ((progress: MeterProgress) => void) | undefined;
  /** An AbortSignal, looked at before each batch; once it is aborted its reason is thrown, and what was taken stays. */
  signal?: Signal | undefined;
}

/** A meter as `JSON.stringify` writes it and `meterFrom` reads it. */
export interface SavedMeter<K extends string = string> {
  readonly meter: K;
  readonly version: 1;
  readonly [field: string]: unknown;
}

/** What a meter knows and does, behind its class. */
export interface Core<A extends readonly unknown[] = readonly unknown[]> {
  /** "crossEntropy" of crossEntropyMeter. */
  readonly kind: string;
  /** The options that the numbers depend on, with their defaults. */
  readonly options: Readonly<Record<string, unknown>>;
  /** How batches stand unless they say it themselves. */
  readonly batch: Batch;
  readonly value: number;
  readonly count: number;
  readonly standardError: number;
  update(fn: string, args: A): void;
  merge(other: Core<A>): void;
  /** What is saved beside the options; of what is restored `fail` refuses a field. */
  readonly saved: Readonly<Record<string, unknown>>;
  restore(saved: Readonly<Record<string, unknown>>, fail: Fail): void;
}

export type Fail = (field: string, expected: string, got: unknown) => never;

/** A shape and an axis, checked, or left out. */
export interface Batch {
  readonly shape: readonly number[] | undefined;
  readonly axis: number | undefined;
}

export function batchOf(fn: string, shape: unknown, axis: unknown): Batch {
  const sizes = sizesIn(fn, "shape", shape);
  if (axis !== undefined) axisOf(fn, axis);
  return { shape: sizes, axis: axis as number | undefined };
}

export const BATCH = ["shape", "axis"];

/** The shape and the axis of a batch: its own, else those that the meter was given. */
export function batchIn(fn: string, options: BatchOptions | undefined, byDefault: Batch): Batch {
  if (options === undefined) return byDefault;
  const { shape, axis } = optionsOf<BatchOptions>(fn, options, BATCH);
  return batchWith(fn, shape, axis, byDefault);
}

/** The same of options that have been read. */
export function batchWith(fn: string, shape: unknown, axis: unknown, byDefault: Batch): Batch {
  const own = batchOf(fn, shape, axis);
  return { shape: own.shape ?? byDefault.shape, axis: own.axis ?? byDefault.axis };
}

/** A meter. `A` is what `update` takes, `K` what it is saved as. */
export class Meter<A extends readonly unknown[] = readonly unknown[], K extends string = string> {
  readonly #core: Core<A>;
  /** What errors call it. */
  readonly #update: string;

  /** Meters are made by the functions of their names, and by `meterFrom`. */
  constructor(core: Core<A>) {
    this.#core = core;
    this.#update = `${core.kind}Meter.update`;
  }

  /** The mean over the rows so far; NaN before the first. */
  get value(): number {
    return this.#core.value;
  }

  /** Rows so far, those that count. */
  get count(): number {
    return this.#core.count;
  }

  /** The standard error of `value`: the rows' standard deviation over √count. NaN of fewer than two rows. */
  get standardError(): number {
    return this.#core.standardError;
  }

  /** Takes a batch. If it throws the meter is as it was. */
  update(...batch: A): this {
    this.#core.update(this.#update, batch);
    return this;
  }

  /**
   * Takes the batches of an iterable one after the other, each the list of arguments of an `update`.
   *
   * @throws what `update` throws, the iterable throws, or `signal` was aborted with: the batches before are taken.
   */
  async updateFrom(batches: AsyncIterable<A> | Iterable<A>, options?: UpdateFromOptions): Promise<this> {
    const fn = `${this.#core.kind}Meter.updateFrom`;
    const { progress, signal } = optionsOf<UpdateFromOptions>(fn, options, ["progress", "signal"]);
    const tell = callbackOf(fn, "progress", progress);
    const stop = signalOf(fn, signal);
    const iterable =
      typeof batches === "object" &&
      batches !== null &&
      (Symbol.asyncIterator in batches || Symbol.iterator in batches);
    if (!iterable) failKind(fn, "batches", "an iterable of batches, or an async one", batches);
    let taken = 0;
    stop?.();
    for await (const batch of batches as AsyncIterable<A>) {
      stop?.();
      if (!Array.isArray(batch)) failKind(fn, `batches[${taken}]`, "a list of the arguments of update", batch);
      this.#core.update(fn, Array.from(batch) as unknown as A);
      taken++;
      tell?.({ batches: taken, count: this.count });
    }
    return this;
  }

  /** Takes what another meter of the same options has taken; that one stays as it is. */
  merge(other: this): this {
    const fn = `${this.#core.kind}Meter.merge`;
    if (typeof other !== "object" || other === null || !(#core in other) || other.#core.kind !== this.#core.kind)
      failKind(fn, "other", withArticle(`${this.#core.kind}Meter`), other);
    const [own, theirs] = [this.#core.options, other.#core.options];
    for (const name of Object.keys(own)) {
      if (JSON.stringify(own[name]) !== JSON.stringify(theirs[name]))
        failValue(
          fn,
          "other",
          `of the same options: "${name}" is ${words(own[name])} here`,
          theirs,
          `one with ${words(theirs[name])}`,
        );
    }
    this.#core.merge(other.#core);
    return this;
  }

  /** The meter as data, which `JSON.stringify` calls for and `meterFrom` restores. Equal for equal rows and options, in whatever order. */
  toJSON(): SavedMeter<K> {
    const { kind, options, batch, saved } = this.#core;
    const { shape, axis } = batch;
    return {
      meter: kind as K,
      version: 1,
      options: { ...options, ...(shape && { shape }), ...(axis !== undefined && { axis }) },
      ...saved,
    };
  }
}

function words(value: unknown): string {
  return value === undefined ? "not given" : describe(value);
}

/** The mean of a number per row, and perhaps their histogram. */
export class RowMean {
  readonly moments: Moments;
  readonly histogram: Histogram | undefined;
  count = 0;

  constructor(family: WithMoments, histogram = false) {
    this.moments = new Moments(family);
    this.histogram = histogram ? new Histogram() : undefined;
  }

  /** Takes numbers, of rows that all count. */
  take(values: FloatArray, from: number, count: number): void {
    this.moments.take(values, from, count);
    this.histogram?.take(values, from, count);
    this.count += count;
  }

  /** Takes the numbers of `rows` rows, which `run` streams: one of them stands for all where rows are empty. */
  stream(rows: number, run: (results: RowResults) => void): void {
    let taken = 0;
    run({
      out: undefined,
      take: (values, from, _row, count) => {
        this.take(values, from, count);
        taken += count;
      },
    });
    if (taken === rows) return;
    this.histogram?.repeatLast(rows - taken);
    this.count += rows - taken;
  }

  value(unit: number): number {
    return this.moments.mean(this.count) * unit;
  }

  standardError(unit: number): number {
    return this.moments.standardError(this.count) * Math.abs(unit);
  }

  quantile(fn: string, q: number, unit: number): number {
    return (this.histogram as Histogram).quantile(fn, q, unit);
  }

  merge(other: RowMean): void {
    this.moments.merge(this.count, other.moments, other.count);
    if (other.histogram) this.histogram?.merge(other.histogram);
    this.count += other.count;
  }

  get saved(): Readonly<Record<string, unknown>> {
    return {
      count: this.count,
      ...this.moments.saved(this.count),
      ...(this.histogram && { histogram: this.histogram.saved }),
    };
  }

  restore(saved: Readonly<Record<string, unknown>>, fail: Fail): void {
    this.count = countIn(saved, "count", fail);
    this.moments.restore(saved, fail);
    this.histogram?.restore(saved["histogram"], this.count, fail);
  }
}

/** A field that counts rows. */
export function countIn(saved: Readonly<Record<string, unknown>>, field: string, fail: Fail): number {
  const count = saved[field];
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 0) fail(field, "a number of rows", count);
  return count as number;
}

/** A meter of one number per row. */
export abstract class RowCore<A extends readonly unknown[]> implements Core<A> {
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly batch: Batch;
  readonly rows: RowMean;

  constructor(
    kind: string,
    options: Readonly<Record<string, unknown>>,
    batch: Batch,
    family: WithMoments,
    histogram = false,
  ) {
    this.kind = kind;
    this.options = options;
    this.batch = batch;
    this.rows = new RowMean(family, histogram);
  }

  abstract update(fn: string, args: A): void;

  /** What a number in nats is multiplied by when it is read. */
  abstract get unit(): number;

  get value(): number {
    return this.rows.value(this.unit);
  }

  get count(): number {
    return this.rows.count;
  }

  get standardError(): number {
    return this.rows.standardError(this.unit);
  }

  quantile(fn: string, q: number): number {
    return this.rows.quantile(fn, q, this.unit);
  }

  merge(other: RowCore<A>): void {
    this.rows.merge(other.rows);
  }

  get saved(): Readonly<Record<string, unknown>> {
    return this.rows.saved;
  }

  restore(saved: Readonly<Record<string, unknown>>, fail: Fail): void {
    this.rows.restore(saved, fail);
  }
}
