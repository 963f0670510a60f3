/** The mean entropy of distributions that come in batches. */
import { LOSSES } from "../memory/embedded/losses.ts";
import { arena } from "../memory/kernels.ts";
import { flagOf, fromOf, optionsOf } from "../options.ts";
import { baseOf, perNat } from "../read/reduce.ts";
import type { Input } from "../types.ts";
import { type EntropyOptions, problemOf, streamEntropies } from "./entropy.ts";
import { type BatchOptions, batchIn, batchOf, Meter, RowCore } from "./meter.ts";

/** The options of `entropy`; `shape` and `axis` are those of batches that do not say theirs. */
export type EntropyMeterOptions = Omit<EntropyOptions, "reduction" | "out">;

/** What `update` takes: the arguments of `entropy`. */
export type EntropyBatch = readonly [p: Input, options?: BatchOptions | undefined];

/** See `entropyMeter`. */
export type EntropyMeter = Meter<EntropyBatch, "entropy">;

const OPTIONS = ["shape", "axis", "from", "base", "normalize"];

export class EntropyCore extends RowCore<EntropyBatch> {
  constructor(fn: string, options: EntropyMeterOptions | undefined) {
    const { shape, axis, from, base, normalize } = optionsOf<EntropyMeterOptions>(fn, options, OPTIONS);
    const given = {
      from: fromOf(fn, from, "probabilities"),
      normalize: flagOf(fn, "normalize", normalize, true),
      base: baseOf(fn, base),
    };
    super("entropy", given, batchOf(fn, shape, axis), LOSSES);
  }

  update(fn: string, [p, options]: EntropyBatch): void {
    const { from, normalize } = this.options as EntropyMeterOptions;
    const { shape, axis } = batchIn(fn, options, this.batch);
    const problem = problemOf(fn, p, { shape, axis, from, normalize });
    arena().kernels(LOSSES);
    this.rows.stream(problem.layout.rows, (rows) => streamEntropies(problem, rows));
  }

  get unit(): number {
    return perNat(arena(), LOSSES, this.options["base"] as number);
  }
}

/**
 * The mean of `entropy` over batches of distributions: `meter.update(p, { shape, axis })`, with `value`, `count` and `standardError`.
 *
 * The options are those of `entropy`. Exact until it is read, as in `crossEntropyMeter`: the same bits in any batches and order.
 *
 * @throws TypeError or RangeError as `entropy`; of an `update` that throws nothing is taken.
 * @example
 * const meter = entropyMeter({ base: 2 });
 * meter.update([0.5, 0.5]);
 * meter.update([1, 0, 0.25, 0.75], { shape: [2, 2] });
 * meter.value; // 0.603…
 */
export function entropyMeter(options?: EntropyMeterOptions): EntropyMeter {
  return new Meter(new EntropyCore("entropyMeter", options));
}
