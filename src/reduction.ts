/** What losses and divergences per row become, and in which unit. */
import { failKind, failValue, oneOf } from "./check.ts";
import type { FloatArray } from "./types.ts";

export type Reduction = "none" | "mean" | "sum";

/** A number, or for `"none"` one number per row in an array of the input's type. */
export type Reduced<R extends Reduction, Rows> = R extends "none" ? Rows : number;

export function reductionOf(fn: string, value: unknown, byDefault: Reduction): Reduction {
  return value === undefined ? byDefault : oneOf(fn, "reduction", value, ["none", "mean", "sum"]);
}

/** 1 / ln(base), which turns nats into the base's unit; 1 for base e or none. */
export function baseFactor(fn: string, base: unknown): number {
  if (base === undefined || base === Math.E) return 1;
  if (typeof base !== "number") failKind(fn, "base", "a number", base);
  if (!(base > 0 && base !== 1 && base < Infinity)) failValue(fn, "base", "positive, finite and not 1", base);
  // exact for the common ones on every engine
  return base === 2 ? Math.LOG2E : base === 10 ? Math.LOG10E : 1 / Math.log(base);
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
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] as number;
  return total * scale;
}
