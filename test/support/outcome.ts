/** What a call does: what it returned or threw, and where two of them first differ. */
import type { FloatArray } from "./variants.ts";

/** What nobody would say. */
export const ILL_SAID = /\ba [aeio]\w|\ban [^aeio\W]|(^|[^.\d])1 (class|element|label|number|row|sample|value)e?s\b/i;

export type Outcome = { readonly value: unknown } | { readonly error: unknown };

export function outcomeOf(fn: (...args: unknown[]) => unknown, args: readonly unknown[]): Outcome {
  try {
    return { value: fn(...args) };
  } catch (error) {
    return { error };
  }
}

const tag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get;

/** What typed array a value is, whatever its class, its realm and its own properties say; undefined if none. */
export const typeOf = (value: unknown): string | undefined => tag?.call(value);

/** Floats, or indices, as a plain array of this realm, a copy, or words if their memory is gone; undefined of anything else. */
function floatsOf(value: unknown): FloatArray | Int32Array | string | undefined {
  const type = typeOf(value);
  try {
    if (type === "Int32Array") return new Int32Array(value as Int32Array);
    if (type === "Float32Array") return new Float32Array(value as Float32Array);
    return type === "Float64Array" ? new Float64Array(value as Float64Array) : undefined;
  } catch {
    return "a detached array";
  }
}

/** The same numbers, apart from whatever memory they stand in. */
export function copyOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const floats = floatsOf(value);
  if (floats) return floats;
  if (typeOf(value) === "Int32Array") return new Int32Array(value as Int32Array);
  if (Array.isArray(value)) return value.map(copyOf);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)]));
}

/** Where two results first differ, NaN being itself and −0 not 0, in words; "" if nowhere. */
export function unlike(got: unknown, wanted: unknown, path = "result"): string {
  if (ArrayBuffer.isView(got) && ArrayBuffer.isView(wanted))
    return unlikeFloats(got as FloatArray, wanted as FloatArray, path);
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

function unlikeFloats(got: FloatArray, wanted: FloatArray, path: string): string {
  if (got.length !== wanted.length || typeOf(got) !== typeOf(wanted))
    return `${path} is ${typeOf(got)} of length ${got.length}, wanted ${typeOf(wanted)} of ${wanted.length}`;
  for (let i = 0; i < got.length; i++)
    if (!Object.is(got[i], wanted[i])) return `${path}[${i}] is ${got[i]}, wanted ${wanted[i]}`;
  return "";
}

/** A call's outcome in words. */
export const wordsOf = (outcome: Outcome): string =>
  "error" in outcome ? `threw ${String(outcome.error)}` : `returned ${String(outcome.value)}`;

/** Where two outcomes differ: both the same results, or both the same error. */
export function differ(got: Outcome, wanted: Outcome): string {
  if ("value" in got && "value" in wanted) return unlike(got.value, wanted.value);
  if ("error" in got && "error" in wanted && String(got.error) === String(wanted.error)) return "";
  return `it ${wordsOf(got)}, but apart it ${wordsOf(wanted)}`;
}
