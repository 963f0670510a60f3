/** What losses and divergences per row become, and in which unit. */

import { failKind, failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { logarithm, type WithLog } from "../memory/scalar.ts";
import { oneOf } from "../options.ts";
import type { FewNumbers } from "../place/few.ts";
import type { Output } from "../place/output.ts";
import type { RowResults } from "../place/rows.ts";
import type { FloatArray, Reduction } from "../types.ts";
import { CompensatedSum } from "./sum.ts";

export function reductionOf(fn: string, value: unknown): Reduction {
  return oneOf(fn, "reduction", value, ["none", "mean", "sum"], "mean");
}

/** A base as a caller gives it. */
export function baseOf(fn: string, base: unknown): number {
  if (base === undefined) return Math.E;
  if (typeof base !== "number") failKind(fn, "base", "a number", base);
  if (!(base > 0 && base !== 1 && base < Infinity)) failValue(fn, "base", "positive, finite and not 1", base);
  return base;
}

/** 1 / ln(base), which turns nats into the base's unit. */
export function perNat(at: Arena, family: WithLog, base: number): number {
  if (base === Math.E) return 1;
  // correctly rounded for the common ones
  return base === 2 ? Math.LOG2E : base === 10 ? Math.LOG10E : 1 / logarithm(at, family, base);
}

/** Sums numbers per row in f64, or writes each of them to an output: in units of 1/`unit`, divided by `over`. */
export class Rows implements RowResults {
  readonly out: Output | undefined;
  readonly #unit: number;
  readonly #over: number;
  readonly #total = new CompensatedSum();
  /** What each becomes before it is summed or written. */
  readonly #map: ((value: number, row: number) => number) | undefined;

  constructor(out: Output | undefined, unit: number, over = 1, map?: (value: number, row: number) => number) {
    this.out = out;
    this.#unit = unit;
    this.#over = over;
    this.#map = map;
  }

  take(values: FloatArray, from: number, row: number, count: number): void {
    const { array } = this.out ?? {};
    if (!array && !this.#map) {
      this.#total.addAll(values, from, count);
      return;
    }
    for (let i = 0; i < count; i++) {
      let value = values[from + i] as number;
      if (this.#map) value = this.#map(value, row + i);
      if (array) array[row + i] = (value / this.#over) * this.#unit;
      else this.#total.add(value);
    }
  }

  /** The array, or the sum. */
  get value(): number | FloatArray {
    return this.out ? this.out.array : this.#total.times(this.#unit, this.#over);
  }
}

/** The array, or the sum, of what the short way has left (place/few.ts). */
export function reducedFew(
  { at, values, rows }: Pick<FewNumbers, "at" | "values" | "rows">,
  results: Rows,
): number | FloatArray {
  results.take(at.view(8), values / 8, 0, rows);
  return results.value;
}
