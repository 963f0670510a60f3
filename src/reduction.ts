/** What losses and divergences per row become, and in which unit. */
import { failKind, failValue, oneOf } from "./check.ts";
import { arena } from "./kernels.ts";
import { scalar } from "./rows.ts";
import type { FloatArray } from "./types.ts";

export type Reduction = "none" | "mean" | "sum";

/** A number, or for `"none"` one number per row in an array of the input's type. */
export type Reduced<R extends Reduction, Rows> = R extends "none" ? Rows : number;

export function reductionOf(fn: string, value: unknown, byDefault: Reduction): Reduction {
  return oneOf(fn, "reduction", value, ["none", "mean", "sum"], byDefault);
}

/** What an argument holds. */
export type From = "probabilities" | "logProbabilities" | "logits";

export function fromOf(fn: string, value: unknown, byDefault: From): From {
  return oneOf(fn, "from", value, ["probabilities", "logProbabilities", "logits"], byDefault);
}

/** 1 / ln(base), which turns nats into the base's unit; 1 for base e or none. */
export function baseFactor(fn: string, base: unknown): number {
  if (base === undefined || base === Math.E) return 1;
  if (typeof base !== "number") failKind(fn, "base", "a number", base);
  if (!(base > 0 && base !== 1 && base < Infinity)) failValue(fn, "base", "positive, finite and not 1", base);
  // correctly rounded for the common ones
  return base === 2 ? Math.LOG2E : base === 10 ? Math.LOG10E : 1 / scalar(arena(), "logarithm", base);
}

/** A sum with its rounding errors (Neumaier 1974). */
export class CompensatedSum {
  #sum = 0;
  #lost = 0;

  add(value: number): void {
    const sum = this.#sum + value;
    this.#lost += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }

  get value(): number {
    return Number.isFinite(this.#sum) ? this.#sum + this.#lost : this.#sum;
  }
}

/** The sum of the values times `scale`, in f64; or into `out`, where there is one, each of them. */
export function reduce(
  values: Float64Array,
  reduction: Reduction,
  scale: number,
  out: FloatArray | undefined,
): number | FloatArray {
  if (reduction === "none" && out) {
    for (let i = 0; i < values.length; i++) out[i] = (values[i] as number) * scale;
    return out;
  }
  const total = new CompensatedSum();
  for (let i = 0; i < values.length; i++) total.add(values[i] as number);
  return total.value * scale;
}
