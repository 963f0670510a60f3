/** How far two models agree on the same inputs, which come in batches. */
import type { Operand } from "../check/tensor.ts";
import { DIVERGENCE } from "../memory/embedded/divergence.ts";
import { arena } from "../memory/kernels.ts";
import { integerIn, optionsOf } from "../options.ts";
import { perNat } from "../read/reduce.ts";
import type { Input } from "../types.ts";
import { type DivergenceOptions, problemOf, streamDivergence } from "./divergence.ts";
import { type Asked, askedOf } from "./divergenceMeter.ts";
import { type Batch, type BatchOptions, batchIn, batchOf, type Core, type Fail, Meter, RowMean } from "./meter.ts";

/** The options of `klDivergence`; `shape` and `axis` are those of batches that do not say theirs. */
export interface AgreementMeterOptions extends Omit<DivergenceOptions, "reduction" | "out"> {
  /** k: rows agree where the first of P is among the k first of Q. Default: 1, the same arg-max. */
  top?: number | undefined;
}

/** What `update` takes: two models' outputs for the same inputs. */
export type AgreementBatch = readonly [p: Input, q: Input, options?: BatchOptions | undefined];

/** What is read of one divergence. */
export interface DivergenceReading {
  /** The mean over the rows. */
  readonly value: number;
  readonly standardError: number;
  /** As of `divergenceMeter`. */
  quantile(q: number): number;
}

const OPTIONS = ["shape", "axis", "top", "from", "temperature", "base", "normalize"];

/** Whether the first of the largest elements of p's row is among the k largest of q's; of equal ones the first is the larger. False with a NaN. */
function agrees(p: Operand, q: Operand, start: number, n: number, step: number, k: number): boolean {
  const end = start + n * step;
  let first = -1;
  let top = Number.NaN;
  for (let i = start; i < end; i += step) {
    const value = p.array[i] as number;
    if (Number.isNaN(value) || Number.isNaN(q.array[i])) return false;
    if (first < 0 || value > top) {
      first = i;
      top = value;
    }
  }
  if (first < 0) return false;
  const own = q.array[first] as number;
  let before = 0;
  for (let i = start; i < end; i += step) {
    const value = q.array[i] as number;
    if (value > own || (value === own && i < first)) before++;
  }
  return before < k;
}

export class AgreementCore implements Core<AgreementBatch> {
  readonly kind = "agreement";
  readonly options: Readonly<Record<string, unknown>>;
  readonly batch: Batch;
  readonly kl = new RowMean(DIVERGENCE, true);
  readonly js = new RowMean(DIVERGENCE, true);
  #agreed = 0;

  constructor(fn: string, options: AgreementMeterOptions | undefined) {
    const o = optionsOf<AgreementMeterOptions>(fn, options, OPTIONS);
    const { shape, axis, top, from, temperature, base, normalize } = o;
    this.batch = batchOf(fn, shape, axis);
    const k = integerIn(fn, "top", top, 1, 1, Number.MAX_SAFE_INTEGER);
    this.options = { top: k, ...askedOf(fn, { from, temperature, base, normalize }) };
  }

  update(fn: string, [p, q, options]: AgreementBatch): void {
    const { top, ...asked } = this.options as { readonly top: number } & Asked;
    const { from, temperature, normalize } = asked;
    const problem = problemOf(fn, p, q, { ...batchIn(fn, options, this.batch), from, temperature, normalize });
    const { rows, n, inner } = problem.layout;
    const at = arena();
    at.kernels(DIVERGENCE);
    let agreed = 0;
    for (let row = 0; row < rows; row++) {
      const start = Math.floor(row / inner) * n * inner + (row % inner);
      if (agrees(problem.p, problem.q, start, n, inner, top)) agreed++;
    }
    for (const metric of ["kl", "js"] as const)
      this[metric].stream(rows, (results) => streamDivergence(at, metric, problem, results, undefined, 0));
    this.#agreed += agreed;
  }

  get unit(): number {
    return perNat(arena(), DIVERGENCE, this.options["base"] as number);
  }

  get count(): number {
    return this.kl.count;
  }

  get value(): number {
    return this.#agreed / this.count;
  }

  /** Of a fraction, whose sample variance is n/(n − 1)·f(1 − f). */
  get standardError(): number {
    const n = this.count;
    return n < 2 ? Number.NaN : Math.sqrt((this.value * (1 - this.value)) / (n - 1));
  }

  reading(metric: "kl" | "js"): DivergenceReading {
    const rows = this[metric];
    const unit = () => this.unit;
    return {
      get value() {
        return rows.value(unit());
      },
      get standardError() {
        return rows.standardError(unit());
      },
      quantile: (q) => rows.quantile("agreementMeter.quantile", q, unit()),
    };
  }

  merge(other: AgreementCore): void {
    this.kl.merge(other.kl);
    this.js.merge(other.js);
    this.#agreed += other.#agreed;
  }

  get saved(): Readonly<Record<string, unknown>> {
    return { count: this.count, agreed: this.#agreed, kl: this.kl.saved, js: this.js.saved };
  }

  restore(saved: Readonly<Record<string, unknown>>, fail: Fail): void {
    for (const name of ["kl", "js"] as const) {
      const part = saved[name];
      if (typeof part !== "object" || part === null) fail(name, "the sums of a divergence", part);
      this[name].restore({ ...(part as object) }, (field, expected, got) => fail(`${name}.${field}`, expected, got));
    }
    const { count, agreed } = saved;
    if (count !== this.kl.count) fail("count", `${this.kl.count}, as "kl" says`, count);
    if (this.js.count !== this.kl.count) fail("js.count", `${this.kl.count}, as "kl" says`, this.js.count);
    if (!Number.isInteger(agreed) || (agreed as number) < 0 || (agreed as number) > this.count)
      fail("agreed", `an integer from 0 to ${this.count}`, agreed);
    this.#agreed = agreed as number;
  }
}

interface Readings {
  reading(metric: "kl" | "js"): DivergenceReading;
}

/** See `agreementMeter`. */
export class AgreementMeter extends Meter<AgreementBatch, "agreement"> {
  readonly #core: Readings;

  constructor(core: Core<AgreementBatch> & Readings) {
    super(core);
    this.#core = core;
  }

  /** KL(P‖Q) of the rows. */
  get kl(): DivergenceReading {
    return this.#core.reading("kl");
  }

  /** The Jensen–Shannon divergence of the rows. */
  get js(): DivergenceReading {
    return this.#core.reading("js");
  }
}

/**
 * How far two models agree on the same inputs: `meter.update(p, q, { shape, axis })`, P the original, Q what is compared with it. `value` is
 * the fraction of rows with the same arg-max (of equal elements the first), or with P's among the `top` first of Q's;
 * `kl` and `js` have the `value`, `standardError` and `quantile(q)` of the divergences.
 *
 * The options are those of `klDivergence`, and `top`. All of it has the same bits in any batches and order. A row with a NaN does not agree.
 *
 * @throws TypeError or RangeError as `klDivergence`; of an `update` that throws nothing is taken.
 * @example
 * const meter = agreementMeter({ from: "logits" });
 * meter.update([2, 0, 0, 1], [1, 0, 1, 0], { shape: [2, 2] });
 * meter.value; // 0.5
 * meter.kl.value; // 0.264…
 */
export function agreementMeter(options?: AgreementMeterOptions): AgreementMeter {
  return new AgreementMeter(new AgreementCore("agreementMeter", options));
}
