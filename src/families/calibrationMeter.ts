/** Whether a classifier is right as often as it says. */
import * as STEP from "../../assembly/rows/steps.ts";
import { labelledRowsOf } from "../check/labels.ts";
import { axisOf } from "../check/tensor.ts";
import { counted } from "../errors.ts";
import { RESULT_BYTES } from "../memory/arena.ts";
import { LOSSES } from "../memory/embedded/losses.ts";
import { arena } from "../memory/kernels.ts";
import { fromOf, integerIn, optionsOf } from "../options.ts";
import { phase, RowJob, streamRows } from "../place/rows.ts";
import { quotientOf } from "../read/quotient.ts";
import type { From, Input, LabelsLike } from "../types.ts";
import {
  type Batch,
  type BatchOptions,
  batchIn,
  batchOf,
  type Core,
  countIn,
  type Fail,
  Meter,
  RowMean,
} from "./meter.ts";

export interface CalibrationMeterOptions extends BatchOptions {
  /** Bins of equal width for the confidences, from 1 to 10,000. Default: 15. */
  bins?: number | undefined;
  /** What the first argument holds. Default: `"logits"`. Probabilities are divided by their sum. */
  from?: From | undefined;
  /** The label of rows that do not count. Default: −100. */
  ignoreIndex?: number | undefined;
}

/** What `update` takes: a model's outputs, and the labels. */
export type CalibrationBatch = readonly [logits: Input, labels: LabelsLike, options?: BatchOptions | undefined];

/** A bin of the reliability table: confidences above `from` and up to `to`. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** The mean confidence of its rows; NaN of none. */
  readonly confidence: number;
  /** The fraction of its rows whose first element is the label's; NaN of none. */
  readonly accuracy: number;
}

const OPTIONS = ["shape", "axis", "bins", "from", "ignoreIndex"];
const PHASES = [phase(STEP.BEGIN, STEP.MAXIMUM), phase(STEP.AIM, STEP.SUM_UP)];

/** Confidences are counted in units of 2^-52, in two parts so that sums of 2^27 of each are exact in an f64. */
const UNITS = 2 ** 52;
const HALF = 2 ** 26;
const ROOM = 2 ** 26;

export class CalibrationCore implements Core<CalibrationBatch> {
  readonly kind = "calibration";
  readonly options: Readonly<Record<string, unknown>>;
  readonly batch: Batch;
  readonly bins: number;
  readonly brier = new RowMean(LOSSES);
  /** Of each bin: its rows, those whose first element is the label's, and the sum of their confidences. */
  readonly #counts: Float64Array;
  readonly #correct: Float64Array;
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #sums: bigint[];
  /** Rows since the parts were added to #sums. */
  #waiting = 0;

  constructor(fn: string, options: CalibrationMeterOptions | undefined) {
    const { shape, axis, bins, from, ignoreIndex } = optionsOf<CalibrationMeterOptions>(fn, options, OPTIONS);
    this.batch = batchOf(fn, shape, axis);
    this.bins = integerIn(fn, "bins", bins, 15, 1, 10000);
    this.options = {
      bins: this.bins,
      from: fromOf(fn, from, "logits"),
      ignoreIndex: integerIn(fn, "ignoreIndex", ignoreIndex, -100, -(2 ** 31), 2 ** 31 - 1),
    };
    this.#counts = new Float64Array(this.bins);
    this.#correct = new Float64Array(this.bins);
    this.#low = new Float64Array(this.bins);
    this.#high = new Float64Array(this.bins);
    this.#sums = Array.from({ length: this.bins }, () => 0n);
  }

  update(fn: string, [logits, target, options]: CalibrationBatch): void {
    const { shape, axis } = batchIn(fn, options, this.batch);
    const along = axisOf(fn, axis);
    const ignored = this.options["ignoreIndex"] as number;
    const { x, layout, labels } = labelledRowsOf(fn, logits, "labels", target, shape, along, "classes", ignored);
    const logs = this.options["from"] !== "probabilities";
    const at = arena();
    const kernel = at.typed(LOSSES, x.bytes).calibration;
    const job = new RowJob(fn, layout, [x], PHASES, STEP.FINISH, (places, count, width, steps, from) =>
      kernel(places.reads[0] as number, places.labels, places.results, places.factors, count, width, from, logs, steps),
    );
    job.labels = labels;
    const scores = (at.results + 2 * RESULT_BYTES) / 8;
    job.results = {
      out: undefined,
      take: (values, from, row, count) => {
        const firsts = at.results / 4;
        for (let i = 0; i < count; i++) {
          if (labels[row + i] === ignored) continue;
          this.#take(values[from + i] as number, at.integers[firsts + i] as number);
          this.brier.take(values, scores + i, 1);
        }
      },
    };
    streamRows(at, job);
  }

  #take(confidence: number, correct: number): void {
    // a NaN is in the first bin, and in the Brier score, which tells that it is
    const bin = confidence > 0 ? this.#binOf(confidence) : 0;
    (this.#counts[bin] as number) += 1;
    if (!(confidence > 0)) return;
    (this.#correct[bin] as number) += correct;
    const units = Math.round(confidence * UNITS);
    const high = Math.floor(units / HALF);
    (this.#high[bin] as number) += high;
    (this.#low[bin] as number) += units - high * HALF;
    this.#waiting++;
    if (this.#waiting === ROOM) this.#settle();
  }

  /** The bin of a confidence by the edges that the table shows: the product may be rounded onto one of them, or beyond. */
  #binOf(confidence: number): number {
    const { bins } = this;
    const bin = Math.min(Math.ceil(confidence * bins), bins) - 1;
    if (confidence > (bin + 1) / bins) return bin + 1;
    return confidence <= bin / bins ? bin - 1 : bin;
  }

  #settle(): void {
    this.#waiting = 0;
    for (let i = 0; i < this.bins; i++) {
      (this.#sums[i] as bigint) += BigInt(this.#high[i] as number) * BigInt(HALF) + BigInt(this.#low[i] as number);
      this.#high[i] = 0;
      this.#low[i] = 0;
    }
  }

  get count(): number {
    return this.brier.count;
  }

  /** Whether there is a row, and each has a confidence. */
  get #isKnown(): boolean {
    return !Number.isNaN(this.brier.value(1));
  }

  /** |correct − Σ confidences| of a bin, in units of 2^-52. */
  #gap(bin: number): bigint {
    const gap = (BigInt(this.#correct[bin] as number) << 52n) - (this.#sums[bin] as bigint);
    return gap < 0n ? -gap : gap;
  }

  get value(): number {
    if (!this.#isKnown) return Number.NaN;
    this.#settle();
    let sum = 0n;
    for (let i = 0; i < this.bins; i++) sum += this.#gap(i);
    return quotientOf(sum, BigInt(this.count), -52);
  }

  get mce(): number {
    if (!this.#isKnown) return Number.NaN;
    this.#settle();
    let most = 0;
    for (let i = 0; i < this.bins; i++)
      if (this.#counts[i]) most = Math.max(most, quotientOf(this.#gap(i), BigInt(this.#counts[i] as number), -52));
    return most;
  }

  get accuracy(): number {
    return this.#isKnown ? this.#correct.reduce((sum, n) => sum + n, 0) / this.count : Number.NaN;
  }

  get table(): ReliabilityBin[] {
    this.#settle();
    return Array.from(this.#counts, (count, i) => ({
      from: i / this.bins,
      to: (i + 1) / this.bins,
      count,
      confidence: count ? quotientOf(this.#sums[i] as bigint, BigInt(count), -52) : Number.NaN,
      accuracy: (this.#correct[i] as number) / count,
    }));
  }

  get standardError(): number {
    return Number.NaN;
  }

  merge(other: CalibrationCore): void {
    this.#settle();
    other.#settle();
    this.brier.merge(other.brier);
    for (let i = 0; i < this.bins; i++) {
      (this.#counts[i] as number) += other.#counts[i] as number;
      (this.#correct[i] as number) += other.#correct[i] as number;
      (this.#sums[i] as bigint) += other.#sums[i] as bigint;
    }
  }

  get saved(): Readonly<Record<string, unknown>> {
    this.#settle();
    const table = Array.from(this.#counts, (count, i) => [
      i,
      count,
      this.#correct[i],
      (this.#sums[i] as bigint).toString(16),
    ]);
    return { count: this.count, brier: this.brier.saved, table: table.filter(([, count]) => (count as number) > 0) };
  }

  restore(saved: Readonly<Record<string, unknown>>, fail: Fail): void {
    const { brier, table } = saved;
    const count = countIn(saved, "count", fail);
    if (typeof brier !== "object" || brier === null) fail("brier", "the sums of Brier scores", brier);
    this.brier.restore({ ...(brier as object) }, (field, expected, got) => fail(`brier.${field}`, expected, got));
    if (count !== this.count) fail("count", `${this.count}, as "brier" says`, count);
    if (!Array.isArray(table)) fail("table", "a list of [bin, rows, correct, confidences]", table);
    let total = 0;
    for (const [i, entry] of (table as unknown[]).entries()) {
      const [bin, rows, correct, sum] = Array.isArray(entry) ? (entry as unknown[]) : [];
      const isCount = (value: unknown, most: number): value is number =>
        Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
      const isSum = typeof sum === "string" && /^[0-9a-f]{1,40}$/.test(sum);
      if (!isCount(bin, this.bins - 1) || !isCount(rows, count) || !isCount(correct, rows) || !isSum)
        fail(`table[${i}]`, "[bin, rows, correct, confidences] of the bins of this meter", entry);
      (this.#counts[bin as number] as number) += rows as number;
      (this.#correct[bin as number] as number) += correct as number;
      (this.#sums[bin as number] as bigint) += BigInt(`0x${sum}`);
      total += rows as number;
    }
    if (total !== count) fail("table", `${counted(count, "row")}, as "count" says`, table);
  }
}

interface Readings {
  readonly value: number;
  readonly mce: number;
  readonly accuracy: number;
  readonly table: ReliabilityBin[];
  readonly brier: { value(unit: number): number; standardError(unit: number): number };
}

/** See `calibrationMeter`. */
export class CalibrationMeter extends Meter<CalibrationBatch, "calibration"> {
  readonly #core: Readings;

  constructor(core: Core<CalibrationBatch> & Readings) {
    super(core);
    this.#core = core;
  }

  /** The expected calibration error, which `value` is too. */
  get ece(): number {
    return this.#core.value;
  }

  /** The maximum calibration error: the largest gap of a bin that has rows. */
  get mce(): number {
    return this.#core.mce;
  }

  /** The mean of Σⱼ (pⱼ − [j is the label])², from 0 to 2. */
  get brier(): number {
    return this.#core.brier.value(1);
  }

  /** The standard error of `brier`. */
  get brierStandardError(): number {
    return this.#core.brier.standardError(1);
  }

  /** The fraction of rows whose largest element, the first of equal ones, is the label's. */
  get accuracy(): number {
    return this.#core.accuracy;
  }

  /** The reliability table, a bin after the other. */
  get table(): ReliabilityBin[] {
    return this.#core.table;
  }
}

/**
 * Whether a classifier is right as often as it says: `meter.update(logits, labels, { shape, axis })`. `value`, or `ece`, is the expected
 * calibration error Σ_b n_b/n·|accuracy_b − confidence_b| over bins of the largest probability; beside it `mce`, the multi-class
 * `brier` score with its error, `accuracy`, and `table`, the reliability diagram. `standardError` is NaN: of the ECE there is none.
 *
 * All of it has the same bits in any batches and order; a confidence counts to 2^-53. A NaN in a row makes all NaN but the table.
 *
 * @throws TypeError or RangeError as `crossEntropy`; of an `update` that throws nothing is taken.
 * @example
 * const meter = calibrationMeter({ bins: 10, from: "probabilities" });
 * meter.update([0.9, 0.1, 0.3, 0.7], [0, 0], { shape: [2, 2] });
 * meter.ece; // 0.4
 * meter.brier; // 0.5
 * @see Guo, Pleiss, Sun & Weinberger, On calibration of modern neural networks (2017)
 */
export function calibrationMeter(options?: CalibrationMeterOptions): CalibrationMeter {
  return new CalibrationMeter(new CalibrationCore("calibrationMeter", options));
}
