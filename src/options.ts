/** Validators of options. Each returns what it checked; `undefined` is an option that is not given, `null` is a value of the wrong kind. */

import { tagOf } from "./arrays.ts";
import { describe, failKind, failValue } from "./errors.ts";
import { takeShare } from "./share.ts";
import type { From, Signal } from "./types.ts";

const NOTHING: object = /* @__PURE__ */ Object.freeze(/* @__PURE__ */ Object.create(null));

/**
 * An options object, of which a function knows the options `names`. They are to be read from it once each, all of them before
 * any array: a getter among them may do anything. Of an option that is such an object itself, its name is the `argument`.
 */
export function optionsOf<T extends object>(
  fn: string,
  value: T | undefined,
  names: readonly string[],
  argument = "options",
): Partial<T> {
  if (value === undefined) {
    takeShare(undefined);
    return NOTHING as Partial<T>;
  }
  if (typeof value !== "object" || value === null || tagOf(value) !== undefined || Array.isArray(value))
    failKind(fn, argument, "an object", value);
  for (const name in value) {
    if (isAmong(name, names) || !isGiven(value, name)) continue;
    failUnknown(fn, argument === "options" ? "unknown option" : `"${argument}" has an unknown name`, name, names);
  }
  takeShare(value);
  return value;
}

/** names.includes(name), which takes 8 ns where this takes 2. */
function isAmong(name: string, names: readonly string[]): boolean {
  for (let i = 0; i < names.length; i++) if (names[i] === name) return true;
  return false;
}

/** Whether an object has a property of its own that is not `undefined`. */
function isGiven(value: object, name: string): boolean {
  return Object.hasOwn(value, name) && (value as Record<string, unknown>)[name] !== undefined;
}

function failUnknown(fn: string, what: string, name: string, names: readonly string[]): never {
  const distances = names.map((known) => distance(name.toLowerCase(), known.toLowerCase()));
  const least = Math.min(...distances);
  const near = names[distances.indexOf(least)];
  // half of the letters wrong is another word
  const hint = least * 2 <= name.length ? `, did you mean "${near}"?` : `; it takes ${names.join(", ")}`;
  throw new TypeError(`${fn}: ${what} ${JSON.stringify(name)}${hint}`);
}

/** Letters to insert, remove, replace, or exchange with their neighbour, to make one word of the other (Damerau 1964). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const above = rows[i - 1] as number[];
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, (above[j - 1] as number) + +!same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, ((rows[i - 2] as number[])[j - 2] as number) + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return (rows[a.length] as number[])[b.length] as number;
}

/** One of a few strings, or the default. */
export function oneOf<const T extends string>(
  fn: string,
  argument: string,
  value: unknown,
  allowed: readonly T[],
  byDefault?: NoInfer<T>,
): T {
  if (value === undefined && byDefault !== undefined) return byDefault;
  if (allowed.includes(value as T)) return value as T;
  const fail = typeof value === "string" ? failValue : failKind;
  return fail(fn, argument, `one of ${allowed.map(describe).join(", ")}`, value);
}

/** A number from `low` to `high`, all finite ones unless given, or the default. */
export function numberIn(
  fn: string,
  argument: string,
  value: unknown,
  byDefault?: number,
  low = -Number.MAX_VALUE,
  high = Number.MAX_VALUE,
): number {
  if (value === undefined && byDefault !== undefined) return byDefault;
  if (typeof value !== "number") failKind(fn, argument, "a number", value);
  if (!(value >= low && value <= high)) failValue(fn, argument, rangeOf("number", low, high), value);
  return value;
}

/** An integer from `low` to `high`, or the default. */
export function integerIn(
  fn: string,
  argument: string,
  value: unknown,
  byDefault: number | undefined,
  low: number,
  high: number,
): number {
  if (value === undefined && byDefault !== undefined) return byDefault;
  if (typeof value !== "number") failKind(fn, argument, "an integer", value);
  if (!(value >= low && value <= high && Number.isInteger(value)))
    failValue(fn, argument, rangeOf("integer", low, high), value);
  return value;
}

/** The largest numbers that are worth naming. */
const NAMED = 2 ** 40;

/** What a number must be, as a person would say it. */
function rangeOf(kind: "number" | "integer", low: number, high: number): string {
  const a = kind === "integer" ? "an integer" : high === Infinity ? "a number" : "a finite number";
  const named = (bound: number) => Math.abs(bound) < NAMED && (bound === 0 || Math.abs(bound) > 1 / NAMED);
  if (!named(high)) {
    if (low > 0 && !named(low))
      return kind === "integer" ? "a positive integer" : `a positive, ${high === Infinity ? "" : "finite "}number`;
    return named(low) ? `${a}, at least ${low}` : a;
  }
  return named(low)
    ? `${kind === "integer" ? "an integer" : "a number"} from ${low} to ${high}`
    : `${a}, at most ${high}`;
}

/** A boolean, or the default. */
export function flagOf(fn: string, argument: string, value: unknown, byDefault = false): boolean {
  if (value === undefined) return byDefault;
  if (typeof value !== "boolean") failKind(fn, argument, "true or false", value);
  return value;
}

export function fromOf(fn: string, value: unknown, byDefault: From, argument = "from"): From {
  return oneOf(fn, argument, value, ["probabilities", "logProbabilities", "logits"], byDefault);
}

/** A function of the caller's, or none. */
export function callbackOf<T extends (...args: never[]) => void>(
  fn: string,
  argument: string,
  value: T | undefined,
): T | undefined {
  if (value !== undefined && typeof value !== "function") failKind(fn, argument, "a function", value);
  return value;
}

/** What throws a signal's reason once it is aborted; none without a signal. */
export function signalOf(fn: string, signal: Signal | undefined): (() => void) | undefined {
  if (signal === undefined) return undefined;
  if (typeof signal !== "object" || typeof signal?.aborted !== "boolean")
    failKind(fn, "signal", "an AbortSignal", signal);
  return () => {
    if (signal.aborted) throw signal.reason;
  };
}
