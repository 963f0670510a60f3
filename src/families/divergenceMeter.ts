/** The mean divergence of pairs of distributions that come in batches, and its quantiles. */
import { DIVERGENCE } from "../memory/embedded/divergence.ts";
import { arena } from "../memory/kernels.ts";
import { flagOf, numberIn, oneOf, optionsOf } from "../options.ts";
import { baseOf, perNat } from "../read/reduce.ts";
import type { Input } from "../types.ts";
import { type DivergenceOptions, fromsOf, problemOf, streamDivergence } from "./divergence.ts";
import { type BatchOptions, batchIn, batchOf, type Core, Meter, RowCore } from "./meter.ts";

/** The options of `klDivergence`; `shape` and `axis` are those of batches that do not say theirs. */
export interface DivergenceMeterOptions extends Omit<DivergenceOptions, "reduction" | "out"> {
  /** Default: `"kl"`. */
  metric?: "kl" | "js" | undefined;
}

/** What `update` takes: the arguments of `klDivergence`. */
export type DivergenceBatch = readonly [p: Input, q: Input, options?: BatchOptions | undefined];

const OPTIONS = ["shape", "axis", "metric", "from", "temperature", "base", "normalize"];

/** What a divergence is asked with. */
export type Asked = Pick<DivergenceOptions, "from" | "temperature" | "normalize" | "base">;

/** Those of a meter, checked, with their defaults. */
export function askedOf(fn: string, { from, temperature, normalize, base }: Asked) {
  const froms = fromsOf(fn, from);
  return {
    from: [froms[0], froms[1]] as const,
    temperature: numberIn(fn, "temperature", temperature, 1, Number.MIN_VALUE),
    normalize: flagOf(fn, "normalize", normalize, true),
    base: baseOf(fn, base),
  };
}

export class DivergenceCore extends RowCore<DivergenceBatch> {
  constructor(fn: string, options: DivergenceMeterOptions | undefined) {
    const { shape, axis, metric, ...asked } = readOf(fn, options);
    const which = oneOf(fn, "metric", metric, ["kl", "js"], "kl");
    super("divergence", { metric: which, ...askedOf(fn, asked) }, batchOf(fn, shape, axis), DIVERGENCE, true);
  }

  update(fn: string, [p, q, options]: DivergenceBatch): void {
    const { metric, from, temperature, normalize } = this.options as DivergenceMeterOptions;
    const { shape, axis } = batchIn(fn, options, this.batch);
    const problem = problemOf(fn, p, q, { shape, axis, from, temperature, normalize });
    const at = arena();
    at.kernels(DIVERGENCE);
    this.rows.stream(problem.layout.rows, (rows) => streamDivergence(at, metric ?? "kl", problem, rows, undefined, 0));
  }

  get unit(): number {
    return perNat(arena(), DIVERGENCE, this.options["base"] as number);
  }
}

function readOf(fn: string, options: DivergenceMeterOptions | undefined) {
  const o = optionsOf<DivergenceMeterOptions>(fn, options, OPTIONS);
  const { shape, axis, metric, from, temperature, base, normalize } = o;
  return { shape, axis, metric, from, temperature, base, normalize };
}

/** See `divergenceMeter`. */
export class DivergenceMeter extends Meter<DivergenceBatch, "divergence"> {
  readonly #core: { quantile(fn: string, q: number): number };

  constructor(core: Core<DivergenceBatch> & { quantile(fn: string, q: number): number }) {
    super(core);
    this.#core = core;
  }

  /** The number that a fraction q of the rows does not exceed, to 1 %; of 0 and 1 the least and the largest, exactly. */
  quantile(q: number): number {
    return this.#core.quantile("divergenceMeter.quantile", q);
  }
}

/**
 * The mean KL or JS divergence over batches of pairs: `meter.update(p, q, { shape, axis })`, with `value`, `count`, `standardError`
 * and `quantile(q)`, which is right to 1 %: of a log-binned histogram, 64 bins to a power of two.
 *
 * The options are those of `klDivergence`, and `metric`. Exact until it is read, as in `crossEntropyMeter`: the same bits in any
 * batches and order, of the quantiles too.
 *
 * @throws TypeError or RangeError as `klDivergence`; of an `update` that throws nothing is taken.
 * @example
 * const meter = divergenceMeter({ from: "logits", base: 2 });
 * meter.update([0, 0, 1, 0], [0, 1, 1, 0], { shape: [2, 2] });
 * meter.value; // 0.0866…
 * meter.quantile(1); // 0.173…
 */
export function divergenceMeter(options?: DivergenceMeterOptions): DivergenceMeter {
  return new DivergenceMeter(new DivergenceCore("divergenceMeter", options));
}
