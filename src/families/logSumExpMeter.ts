/** The mean log-sum-exp of rows that come in batches. */
import { SOFTMAX } from "../memory/embedded/softmax.ts";
import { arena } from "../memory/kernels.ts";
import { optionsOf } from "../options.ts";
import type { Input } from "../types.ts";
import { type BatchOptions, batchOf, batchWith, Meter, RowCore } from "./meter.ts";
import { type LogSumExpOptions, logSumExpOf, logSumExpsOfFew, streamLogSumExps } from "./softmax.ts";

/** How batches stand that do not say it. */
export type LogSumExpMeterOptions = BatchOptions;

/** What `update` takes: the arguments of `logSumExp`. */
export type LogSumExpBatch = readonly [x: Input, options?: Omit<LogSumExpOptions, "out"> | undefined];

/** See `logSumExpMeter`. */
export type LogSumExpMeter = Meter<LogSumExpBatch, "logSumExp">;

export class LogSumExpCore extends RowCore<LogSumExpBatch> {
  constructor(fn: string, options: LogSumExpMeterOptions | undefined) {
    const { shape, axis } = optionsOf<LogSumExpMeterOptions>(fn, options, ["shape", "axis"]);
    super("logSumExp", {}, batchOf(fn, shape, axis), SOFTMAX);
  }

  update(fn: string, [x, options]: LogSumExpBatch): void {
    const o = optionsOf<Omit<LogSumExpOptions, "out">>(fn, options, ["shape", "axis", "weights"]);
    const { shape: givenShape, axis: givenAxis, weights } = o;
    const { shape, axis } = batchWith(fn, givenShape, givenAxis, this.batch);
    if (axis === undefined && weights === undefined) {
      const short = logSumExpsOfFew(fn, x, shape, undefined);
      if (short) {
        this.rows.take(short, 0, short.length);
        return;
      }
    }
    const problem = logSumExpOf(fn, x, shape, axis, weights);
    arena().kernels(SOFTMAX);
    this.rows.stream(problem.layout.rows, (rows) => streamLogSumExps(problem, rows));
  }

  get unit(): number {
    return 1;
  }
}

/**
 * The mean of `logSumExp` over batches of rows: `meter.update(x, { shape, axis, weights })`, with `value`, `count` and `standardError`;
 * the mean log-partition function, of logits the offset that a model has not learnt to keep near 0.
 *
 * Exact until it is read, as in `crossEntropyMeter`: the same bits in any batches and order.
 *
 * @throws TypeError or RangeError as `logSumExp`; of an `update` that throws nothing is taken.
 * @example
 * const meter = logSumExpMeter();
 * meter.update([1, 2, 3]);
 * meter.update([0, 0]);
 * meter.value; // 2.05…
 */
export function logSumExpMeter(options?: LogSumExpMeterOptions): LogSumExpMeter {
  return new Meter(new LogSumExpCore("logSumExpMeter", options));
}
