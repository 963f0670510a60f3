/**
 * What a plain function expects of the package: numbers with what the kernels may be away from them, errors, or conditions
 * that a result must meet; and where a result departs from that, in words.
 */
import { typeOf } from "../outcome.ts";
import type { DType, FloatArray } from "../variants.ts";

/** A call as a plain function sees it: the arrays' numbers as they stand in the type, in f64. */
export interface Given {
  readonly dtype: DType;
  readonly arrays: Readonly<Record<string, Float64Array>>;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly options: Readonly<Record<string, unknown>>;
  /** Arguments that are neither arrays nor options. */
  readonly others?: readonly unknown[] | undefined;
}

/** A number and how far from it the result may be: `Infinity` where nothing is promised. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

/** Anything will do: nothing is promised. */
export const ANYTHING: Estimate = { value: 0, error: Infinity };
export const exactly = (value: number): Estimate => ({ value, error: 0 });

/** An array of the type of the data. */
export interface Numbers {
  readonly numbers: readonly (Estimate | Condition)[];
}

/** An object of these fields, and maybe of those. */
export interface Fields {
  readonly fields: Readonly<Record<string, Expected>>;
  readonly optional?: readonly string[];
}

/** A list, one for each layer. */
export interface List {
  readonly list: readonly Expected[];
}

/** An error; or, where `unless` is given, that. */
export interface Refusal {
  readonly refused: ErrorConstructor;
  readonly unless?: Expected;
}

/** Whichever of them. */
export interface Either {
  readonly either: readonly Expected[];
}

/** What the result must meet, as a function that says what it is instead; "" if it does. */
export interface Condition {
  readonly meets: (result: unknown) => string;
}

export type Expected = Estimate | Numbers | Fields | List | Refusal | Either | Condition;

export const refused = (unless?: Expected): Refusal => ({ refused: RangeError, ...(unless && { unless }) });

/** The smallest positive number of a type. */
export const leastOf = ({ tiny, unit }: DType): number => tiny * 2 * unit;

/** Whether a number, of a type whose largest is `max`, is what is expected of it. */
function fits(got: number, { value, error }: Estimate, max: number): boolean {
  if (got === value || Math.abs(got - value) <= error || Object.is(got, value)) return true;
  if (error === Infinity || Number.isNaN(error)) return true;
  // beyond the largest number, or as good as
  return Math.abs(got) === Infinity && Math.sign(got) * value + error > max;
}

function unlikeNumber(got: unknown, expected: Estimate, max: number, path: string): string {
  if (typeof got !== "number") return `${path} is ${String(got)}, no number`;
  if (fits(got, expected, max)) return "";
  const { value, error } = expected;
  const ratio = Math.abs(got - value) / error;
  return `${path} is ${got}, wanted ${value} ± ${error.toPrecision(2)}${Number.isFinite(ratio) ? ` (${ratio.toPrecision(3)} times that)` : ""}`;
}

/** An array of the type of the data, or nothing. */
export const arrayOf = (got: unknown, dtype: DType): FloatArray | undefined =>
  typeOf(got) === dtype.array.name ? (got as FloatArray) : undefined;

function unlikeNumbers(got: unknown, { numbers }: Numbers, dtype: DType, path: string): string {
  const array = arrayOf(got, dtype);
  if (!array) return `${path} is no ${dtype.array.name}`;
  if (array.length !== numbers.length) return `${path} is of length ${array.length}, wanted ${numbers.length}`;
  for (let i = 0; i < array.length; i++) {
    const expected = numbers[i] as Estimate | Condition;
    if ("value" in expected && fits(array[i] as number, expected, dtype.max)) continue;
    const words = disagreement(array[i], expected, dtype, `${path}[${i}]`);
    if (words) return words;
  }
  return "";
}

/** How a result departs from what is expected, in words; "" if it does not. */
export function disagreement(got: unknown, expected: Expected, dtype: DType, path = "result"): string {
  if (expected === ANYTHING) return "";
  if ("value" in expected) return unlikeNumber(got, expected, Number.MAX_VALUE, path);
  if ("numbers" in expected) return unlikeNumbers(got, expected, dtype, path);
  if ("meets" in expected) {
    const words = expected.meets(got);
    return words && `${path} ${words}`;
  }
  if ("refused" in expected)
    return expected.unless
      ? disagreement(got, expected.unless, dtype, path)
      : `it returned, and should throw a ${expected.refused.name}`;
  if ("either" in expected) {
    const all = expected.either.map((one) => disagreement(got, one, dtype, path));
    return all.includes("") ? "" : all.join("; nor: ");
  }
  if (typeof got !== "object" || got === null) return `${path} is ${String(got)}, no object`;
  const parts = got as Record<string, unknown>;
  if ("list" in expected) {
    if (!Array.isArray(got) || got.length !== expected.list.length)
      return `${path} is no list of ${expected.list.length}`;
    return firstWords(expected.list.map((part, i) => () => disagreement(got[i], part, dtype, `${path}[${i}]`)));
  }
  const { fields, optional = [] } = expected;
  for (const key of Object.keys(parts))
    if (parts[key] !== undefined && !(key in fields) && !optional.includes(key))
      return `${path}.${key} was not asked for`;
  return firstWords(
    Object.entries(fields).map(
      ([key, part]) =>
        () =>
          disagreement(parts[key], part, dtype, `${path}.${key}`),
    ),
  );
}

function firstWords(checks: readonly (() => string)[]): string {
  for (const check of checks) {
    const words = check();
    if (words) return words;
  }
  return "";
}

/** How an error departs from what is expected: "" if one may be thrown. */
export function mayThrow(error: unknown, expected: Expected): string {
  if ("either" in expected) {
    const all = expected.either.map((one) => mayThrow(error, one));
    return all.includes("") ? "" : (all[0] as string);
  }
  if (!("refused" in expected)) return `it threw ${String(error)}`;
  return error instanceof expected.refused ? "" : `it threw ${String(error)}, wanted a ${expected.refused.name}`;
}
