/** Calls of the functions in test/support/contract.ts: how they are made, and what is wrong with what comes of them, in words. */
import { expect } from "vitest";
import * as surprisal from "../../src/index.ts";
import {
  type Expected,
  functions,
  Integers,
  type Out,
  type Parameter,
  type Row,
  system,
  Typed,
  type Values,
} from "./contract.ts";
import { type DType, type FloatArray, f32 } from "./variants.ts";

// --------------------------------------------------------------------------------------------------- calls

/** A value to be handed over as it is, where a list of numbers would become an array of the type under test. */
export class Raw {
  constructor(readonly value: unknown) {}
}
export const raw = (value: unknown): Raw => new Raw(value);

/** What is handed over: plain values as they are, those of the table in the type under test. */
function resolved(parameter: Parameter | undefined, value: unknown, dtype: DType): unknown {
  if (value instanceof Raw) return value.value;
  if (value instanceof Typed) return value.make(dtype);
  if (Array.isArray(value) && parameter?.kind === "floats") {
    if (value.every((v) => typeof v === "number")) return new dtype.array(value);
    if (parameter.layers) return value.map((layer) => resolved(parameter, layer, dtype));
  }
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, resolved(undefined, field, dtype)]));
  return value;
}

export const parametersOf = ({ takes, options }: Row): Readonly<Record<string, Parameter>> => ({
  ...takes,
  ...options,
});

/** All that the ordinary call hands over, with changes. */
export function handed(row: Row, dtype: DType, changes: Values = {}): Record<string, unknown> {
  const ordinary = Object.entries(row.takes).map(([name, parameter]) => [
    name,
    "value" in parameter ? parameter.value : undefined,
  ]);
  const values = { ...Object.fromEntries(ordinary), ...row.with, ...changes };
  const parameters = parametersOf(row);
  return Object.fromEntries(Object.entries(values).map(([name, v]) => [name, resolved(parameters[name], v, dtype)]));
}

/** Fields under the names of their objects: "a.mean" goes into a. What a dotted name says of an object that is there already is added. */
export function grouped(values: Record<string, unknown>): Record<string, unknown> {
  const groups: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const [group = "", field] = name.split(".");
    groups[group] = field === undefined ? value : { ...(groups[group] as object), [field]: value };
  }
  return groups;
}

export type Loose = (...args: unknown[]) => unknown;
export const exported = surprisal as unknown as Readonly<Record<string, Loose>>;

/** The positional arguments, the options behind them where there are any. */
export function argumentsOf(row: Row, values: Record<string, unknown>): unknown[] {
  const groups = grouped(values);
  const positions = [...new Set(Object.keys(row.takes).map((name) => name.split(".")[0] as string))];
  const options = Object.fromEntries(Object.entries(groups).filter(([name]) => !positions.includes(name)));
  const args = positions.map((name) => groups[name]);
  return Object.keys(options).length > 0 ? [...args, options] : args;
}

export const rowOf = (name: string): Row => (functions[name] ?? system[name]) as Row;
export const invoke = (name: string, values: Record<string, unknown>): unknown =>
  (exported[name] as Loose)(...argumentsOf(rowOf(name), values));
export const call = (name: string, dtype: DType, changes: Values = {}): unknown =>
  invoke(name, handed(rowOf(name), dtype, changes));

// -------------------------------------------------------------------------------------------------- results

export const isArray = (value: unknown): value is FloatArray =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** A value in a message of these tests. */
export function show(value: unknown, depth = 0): string {
  if (value instanceof Error) return `${value.constructor.name}: ${value.message}`;
  if (isArray(value)) return `${value.constructor.name} [${Array.from(value).join(", ")}]`;
  if (depth > 3) return "…";
  if (Array.isArray(value)) return `[${Array.from(value, (one) => show(one, depth + 1)).join(", ")}]`;
  if (isObject(value) && Object.getPrototypeOf(value) === Object.prototype)
    return `{ ${Object.entries(value)
      .map(([key, field]) => `${key}: ${show(field, depth + 1)}`)
      .join(", ")} }`;
  if (isObject(value)) return value.constructor?.name ?? "an object";
  return typeof value === "string" ? `"${value}"` : String(value);
}

/** Where two results are not the same to the bit, in words; "" if nowhere. */
export function difference(got: unknown, wanted: unknown, at = "the result"): string {
  if (isArray(wanted)) {
    if (!isArray(got) || got.constructor.name !== wanted.constructor.name || got.length !== wanted.length)
      return `${at} is ${show(got)}, wanted ${show(wanted)}`;
    const i = wanted.findIndex((v, k) => !Object.is(v, got[k]));
    return i < 0 ? "" : `${at}[${i}] is ${got[i]}, wanted ${wanted[i]}`;
  }
  if (isObject(wanted)) {
    if (!isObject(got)) return `${at} is ${show(got)}, wanted ${show(wanted)}`;
    const keys = new Set([...Object.keys(wanted), ...Object.keys(got)]);
    return [...keys].map((key) => difference(got[key], wanted[key], `${at}.${key}`)).find((found) => found) ?? "";
  }
  return Object.is(got, wanted) ? "" : `${at} is ${show(got)}, wanted ${show(wanted)}`;
}

/** Where a result is not what the table says, to the digits of its type; "" if nowhere. */
export function mismatch(got: unknown, wanted: Expected, dtype: DType, within = 0, at = "the result"): string {
  const found = `${at} is ${show(got)}, wanted ${show(wanted)}`;
  if (typeof wanted === "number") {
    if (typeof got !== "number") return found;
    const slack = dtype === f32 ? Math.max(4e-6, within) : Math.max(1e-12, within);
    return Object.is(got, wanted) || Math.abs(got - wanted) <= slack * Math.max(1, Math.abs(wanted)) ? "" : found;
  }
  if (Array.isArray(wanted)) {
    const list = Array.isArray(got);
    const type = /\.(rank|indices)$/.test(at) ? Int32Array : dtype.array;
    if (!list && !(isArray(got) && got.constructor === type)) return `${found} in a ${type.name}`;
    if (got.length !== wanted.length) return found;
    const each = wanted.map((v: Expected, i) => mismatch(got[i], v, dtype, within, `${at}[${i}]`));
    return each.find((one) => one !== "") ?? "";
  }
  if (wanted instanceof Integers) {
    const same = got instanceof Int32Array && got.join() === wanted.values.join();
    return same ? "" : `${at} is ${show(got)}, wanted Int32Array [${wanted.values.join(", ")}]`;
  }
  if (!isObject(wanted)) return got === wanted ? "" : found;
  if (!isObject(got) || isArray(got)) return found;
  const each = Object.entries(wanted).map(([key, v]) => {
    if (v === undefined) return key in got ? `${at} has a field "${key}"` : "";
    return mismatch(got[key], v, dtype, within, `${at}.${key}`);
  });
  return each.find((one) => one !== "") ?? "";
}

/** All that was found, so that a test says it at once. */
export class Findings {
  readonly #found: string[] = [];

  note(where: string, what: string): void {
    if (what !== "") this.#found.push(`${where}: ${what}`);
  }

  /** What a call does, its error being a finding. */
  run(where: string, body: () => string): void {
    try {
      this.note(where, body());
    } catch (error) {
      this.note(where, `threw ${show(error)}`);
    }
  }

  check(): void {
    if (this.#found.length > 0) expect.fail(this.#found.join("\n"));
  }
}

// --------------------------------------------------------------------------------------------------- errors

/** What a call returned or threw. */
export function attempt(body: () => unknown): { error?: Error; result?: unknown } {
  try {
    return { result: body() };
  } catch (error) {
    return { error: error as Error };
  }
}

/** What an engine says where nothing was checked, and numbers that no person writes. */
const JARGON =
  /undefined is not|not iterable|Cannot |is not a (function|constructor)|Invalid (typed )?array|call stack|of (undefined|null)\b|TypedArray|ArrayBuffer\.prototype|\[object|e\+30[78]|5e-324|e-30[78]|9007199254740991/;

/** How a message names an argument: in double quotes, with an index or a field behind it where it is within. */
export const naming = (name: string): RegExp => new RegExp(`"${name.replaceAll(".", "\\.")}["[.]`);

/** Every array within. */
export function arraysIn(value: unknown, seen = new Set<unknown>()): FloatArray[] {
  if (isArray(value)) return [value];
  const plain = Array.isArray(value) || (isObject(value) && Object.getPrototypeOf(value) === Object.prototype);
  if (!plain || seen.has(value)) return [];
  seen.add(value);
  return Object.values(value as object).flatMap((field) => arraysIn(field, seen));
}

export const SENTINEL = 7.25;

/** `out` arrays that nothing may be written to, with what makes them legal; none where the changes say something of them. */
function sentinels(row: Row, dtype: DType, changes: Values): Values {
  const touched = ["reduction", "wrt", "out", "generated", "shape"];
  if (Object.keys(changes).some((name) => touched.includes(name) || name.startsWith("out."))) return {};
  const outs = Object.entries(row.options).filter(([, { kind }]) => kind === "out") as [string, Out][];
  return Object.assign(
    {},
    ...outs.map(([name, { length, when }]) => ({ ...when, [name]: new dtype.array(length).fill(SENTINEL) })),
  );
}

/** What is wrong with how a call with these changes is refused; "" if nothing is. */
export function refusal(
  name: string,
  dtype: DType,
  changes: Values,
  kind: ErrorConstructor,
  ...says: (RegExp | string)[]
): string {
  const row = rowOf(name);
  const values = handed(row, dtype, { ...sentinels(row, dtype, changes), ...changes });
  const arrays = arraysIn(Object.values(values)).filter(({ byteLength }) => byteLength > 0);
  const before = arrays.map((array) => array.slice());
  const { memoryBytes } = surprisal.info();
  let error: unknown;
  try {
    const result = invoke(name, values);
    if (isObject(result) && "dispose" in result) (result["dispose"] as () => void)();
    return `returned ${show(result)}`;
  } catch (thrown) {
    error = thrown;
  }
  const found: string[] = [];
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Error) || error.constructor !== kind) found.push(`not a ${kind.name}`);
  if (!message.startsWith(`${name}: `)) found.push(`does not begin with "${name}: "`);
  const rest = message.slice(name.length + 2);
  for (const part of says)
    if (!(typeof part === "string" ? rest.includes(part) : part.test(rest))) found.push(`does not say ${part}`);
  if (JARGON.test(rest)) found.push(`is not for a person: ${JARGON.exec(rest)?.[0]}`);
  const changed = arrays.findIndex((array, i) => difference(array, before[i]) !== "");
  if (changed >= 0) found.push(`changed an array to ${show(arrays[changed])}`);
  if (surprisal.info().memoryBytes !== memoryBytes) found.push("memory grew");
  return found.length > 0 ? `${show(error)} — ${found.join(", ")}` : "";
}
