/** What a call does: what it returned or threw, and where two of them first differ. */
import type { FloatArray } from "./variants.ts";

export type Outcome = { readonly value: unknown } | { readonly error: unknown };

export function outcomeOf(fn: (...args: unknown[]) => unknown, args: readonly unknown[]): Outcome {
  try {
    return { value: fn(...args) };
  } catch (error) {
    return { error };
  }
}

const isTyped = (value: unknown): value is FloatArray => ArrayBuffer.isView(value) && !(value instanceof DataView);

/** The same numbers, apart from whatever memory they stand in. */
export function copyOf(value: unknown): unknown {
  if (isTyped(value)) return value.slice();
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)]));
}

/** Where two results first differ, NaN being itself and −0 not 0, in words; "" if nowhere. */
export function unlike(got: unknown, wanted: unknown, path = "result"): string {
  if (isTyped(got) && isTyped(wanted)) {
    if (got.length !== wanted.length || got.BYTES_PER_ELEMENT !== wanted.BYTES_PER_ELEMENT)
      return `${path} is of length ${got.length}, wanted ${wanted.length}`;
    for (let i = 0; i < got.length; i++)
      if (!Object.is(got[i], wanted[i])) return `${path}[${i}] is ${got[i]}, wanted ${wanted[i]}`;
    return "";
  }
  if (typeof got !== "object" || typeof wanted !== "object" || got === null || wanted === null)
    return Object.is(got, wanted) ? "" : `${path} is ${String(got)}, wanted ${String(wanted)}`;
  const keys = new Set([...Object.keys(got), ...Object.keys(wanted)]);
  for (const key of keys) {
    const words = unlike((got as Values)[key], (wanted as Values)[key], `${path}.${key}`);
    if (words) return words;
  }
  return "";
}
type Values = Record<string, unknown>;

/** A call's outcome in words. */
export const wordsOf = (outcome: Outcome): string =>
  "error" in outcome ? `threw ${String(outcome.error)}` : `returned ${String(outcome.value)}`;

/** Where two outcomes differ: both the same results, or both the same error. */
export function differ(got: Outcome, wanted: Outcome): string {
  if ("value" in got && "value" in wanted) return unlike(got.value, wanted.value);
  if ("error" in got && "error" in wanted && String(got.error) === String(wanted.error)) return "";
  return `it ${wordsOf(got)}, but apart it ${wordsOf(wanted)}`;
}
