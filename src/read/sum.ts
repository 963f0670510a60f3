import { exponentOf } from "../memory/scalar.ts";
import type { FloatArray } from "../types.ts";

/** What is larger than this is added up in units of UNIT: no 2⁶⁰ finite numbers overflow on the way to a finite mean. */
const LARGE = 2 ** 960;
const UNIT = 2 ** 64;

/** The rounding error of sum = a + b (Knuth's two-sum). */
function roundingOf(a: number, b: number, sum: number): number {
  const part = sum - a;
  return a - (sum - part) + (b - part);
}

/** A sum with its rounding errors (Neumaier 1974). */
export class CompensatedSum {
  #sum = 0;
  #lost = 0;
  #large = 0;

  add(value: number): void {
    if (Math.abs(value) > LARGE) {
      this.#large += value / UNIT;
      return;
    }
    const sum = this.#sum + value;
    this.#lost += roundingOf(this.#sum, value, sum);
    this.#sum = sum;
  }

  /** Adds some numbers of an array: the same sum, in a third of the time. */
  addAll(values: FloatArray, from: number, count: number): void {
    let sum = this.#sum;
    let lost = this.#lost;
    for (let i = from; i < from + count; i++) {
      const value = values[i] as number;
      if (Math.abs(value) > LARGE) {
        this.#large += value / UNIT;
        continue;
      }
      const next = sum + value;
      lost += roundingOf(sum, value, next);
      sum = next;
    }
    this.#sum = sum;
    this.#lost = lost;
  }

  get value(): number {
    return this.times(1, 1);
  }

  /** The sum over a number, times another. */
  times(factor: number, over: number): number {
    const small = ((this.#sum + this.#lost) / over) * factor;
    // one product at a time: what is left of large numbers that cancel may be small again
    return this.#large === 0 ? small : (this.#large / over) * factor * UNIT + small;
  }
}

/** Weights from here to its inverse are left as they are: what they weigh is a finite number but where the mean is nearly beyond all. */
const LEAST_WEIGHT = 2 ** -20;

/** The power of two that takes weights in f64 to where the largest is near 1, if they are beyond that. Those of f32 need none. */
export function unitFor(largest: number): number {
  return (largest > 0 && largest < LEAST_WEIGHT) || (largest > 1 / LEAST_WEIGHT && largest < Infinity)
    ? 2 ** -exponentOf(largest)
    : 1;
}

/** f64 of a compensated sum in linear memory (assembly/sum.ts): two heads, and what rounding has taken from each. */
export const SUM_LENGTH = 4;

/** Its value, at an index. Once a head is infinite its tail is NaN, and is dropped. */
export function sumAt(view: FloatArray, at: number): number {
  const heads = (view[at] as number) + (view[at + 1] as number);
  return heads - heads === 0 ? heads + ((view[at + 2] as number) + (view[at + 3] as number)) : heads;
}
