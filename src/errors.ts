/** The two kinds of refusal, in words a person would use: function, argument, what was expected, what came. */
import { lengthOf, tagOf } from "./arrays.ts";
import type { FloatArray } from "./types.ts";

/** A list of numbers up to this length is shown whole. */
const SHOWN = 8;

/** A name behind its article. */
export function withArticle(name: string): string {
  return `${/^[aeio]/i.test(name) ? "an" : "a"} ${name}`;
}

/** So many of a thing. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** A value in a few words. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  const tag = tagOf(value);
  if (tag !== undefined) return `${withArticle(tag)} of length ${lengthOf(value as FloatArray)}`;
  try {
    if (Array.isArray(value)) return describeList(value);
    const name = Object.prototype.toString.call(value).slice(8, -1);
    return withArticle(name === "Object" ? "object" : name);
  } catch {
    return "an object"; // a proxy, or a getter that throws
  }
}

function describeList(list: readonly unknown[]): string {
  const { length } = list;
  const numbers: number[] = [];
  for (let i = 0; i < length && i <= SHOWN; i++) {
    const value = list[i];
    if (typeof value === "number") numbers.push(value);
  }
  return numbers.length === length ? `[${numbers.join(", ")}]` : `an array of length ${length}`;
}

/** The wrong kind of thing. `came` says what came where the value does not. */
export function failKind(fn: string, argument: string, expected: string, got: unknown, came = describe(got)): never {
  throw new TypeError(`${fn}: "${argument}" must be ${expected}, got ${came}`);
}

/** The right kind, the wrong size or value. */
export function failValue(fn: string, argument: string, expected: string, got: unknown, came = describe(got)): never {
  throw new RangeError(`${fn}: "${argument}" must be ${expected}, got ${came}`);
}
