/** Validators and their messages: function, argument, what was expected, what came. A validator returns what it checked. */

/** A value in a few words. */
export function describe(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return String(value);
  const name = value.constructor?.name ?? "Object";
  const length = (value as { length?: unknown }).length;
  if (Array.isArray(value) && value.length <= 8 && value.every((v) => typeof v === "number"))
    return `[${value.join(", ")}]`;
  return typeof length === "number" ? `${name} of length ${length}` : name;
}

/** The wrong kind of thing. */
export function failKind(fn: string, argument: string, expected: string, got: unknown): never {
  throw new TypeError(`${fn}: "${argument}" must be ${expected}, got ${describe(got)}`);
}

/** The right kind, the wrong size or value. */
export function failValue(fn: string, argument: string, expected: string, got: unknown): never {
  throw new RangeError(`${fn}: "${argument}" must be ${expected}, got ${describe(got)}`);
}

/** One of a few strings, or the default. */
export function oneOf<const T extends string>(
  fn: string,
  argument: string,
  value: unknown,
  allowed: readonly T[],
  byDefault?: NoInfer<T>,
): T {
  if (value === undefined && byDefault) return byDefault;
  if (allowed.includes(value as T)) return value as T;
  const fail = typeof value === "string" ? failValue : failKind;
  return fail(fn, argument, `one of ${allowed.map(describe).join(", ")}`, value);
}

/** A number in [low, high], all finite ones unless given, or the default. */
export function numberIn(
  fn: string,
  argument: string,
  value: unknown,
  byDefault?: number,
  low = -Number.MAX_VALUE,
  high = Number.MAX_VALUE,
  kind = "a number",
): number {
  if (value === undefined && byDefault !== undefined) return byDefault;
  if (typeof value !== "number") failKind(fn, argument, kind, value);
  if (!(value >= low && value <= high && (kind === "a number" || Number.isInteger(value))))
    failValue(fn, argument, `${kind} from ${low} to ${high}`, value);
  return value;
}

/** An integer in [low, high], or the default. */
export function integerIn(
  fn: string,
  argument: string,
  value: unknown,
  byDefault: number | undefined,
  low: number,
  high: number,
): number {
  return numberIn(fn, argument, value, byDefault, low, high, "an integer");
}

/** A boolean, or the default. */
export function flagOf(fn: string, argument: string, value: unknown, byDefault = false): boolean {
  if (value === undefined) return byDefault;
  if (typeof value !== "boolean") failKind(fn, argument, "a boolean", value);
  return value;
}

/** An options object; none is an empty one. */
export function optionsOf<T extends object>(fn: string, value: T | undefined): T | Record<string, never> {
  if (value === undefined) return NO_OPTIONS;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Array.isArray(value))
    failKind(fn, "options", "an object", value);
  return value;
}
const NO_OPTIONS = Object.freeze({}) as Record<string, never>;
