/** The contract, line by line: every option and every error of every function, as test/support/contract.ts lists them. */
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, it } from "vitest";
import * as surprisal from "../../src/index.ts";
import {
  badInput,
  type Choice,
  type Expected,
  empty,
  type Floats,
  functions,
  type Labels,
  type Numeric,
  type Out,
  type Parameter,
  Refused,
  type Row,
  scalars,
  system,
  Typed,
  type Values,
} from "../support/contract.ts";
import type { DType, FloatArray } from "../support/variants.ts";
import { f32, f64, forEachType, hasRelaxed, resident } from "../support/variants.ts";

// --------------------------------------------------------------------------------------------------- calls

/** A value to be handed over as it is, where a list of numbers would become an array of the type under test. */
class Raw {
  constructor(readonly value: unknown) {}
}
const raw = (value: unknown): Raw => new Raw(value);

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

const parametersOf = ({ takes, options }: Row): Readonly<Record<string, Parameter>> => ({ ...takes, ...options });

/** All that the ordinary call hands over, with changes. */
function handed(row: Row, dtype: DType, changes: Values = {}): Record<string, unknown> {
  const ordinary = Object.entries(row.takes).map(([name, parameter]) => [
    name,
    "value" in parameter ? parameter.value : undefined,
  ]);
  const values = { ...Object.fromEntries(ordinary), ...row.with, ...changes };
  const parameters = parametersOf(row);
  return Object.fromEntries(Object.entries(values).map(([name, v]) => [name, resolved(parameters[name], v, dtype)]));
}

/** Fields under the names of their objects: "a.mean" goes into a. What a dotted name says of an object that is there already is added. */
function grouped(values: Record<string, unknown>): Record<string, unknown> {
  const groups: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const [group = "", field] = name.split(".");
    groups[group] = field === undefined ? value : { ...(groups[group] as object), [field]: value };
  }
  return groups;
}

type Loose = (...args: unknown[]) => unknown;
const exported = surprisal as unknown as Readonly<Record<string, Loose>>;

/** The positional arguments, the options behind them where there are any. */
function argumentsOf(row: Row, values: Record<string, unknown>): unknown[] {
  const groups = grouped(values);
  const positions = [...new Set(Object.keys(row.takes).map((name) => name.split(".")[0] as string))];
  const options = Object.fromEntries(Object.entries(groups).filter(([name]) => !positions.includes(name)));
  const args = positions.map((name) => groups[name]);
  return Object.keys(options).length > 0 ? [...args, options] : args;
}

const rowOf = (name: string): Row => (functions[name] ?? system[name]) as Row;
const invoke = (name: string, values: Record<string, unknown>): unknown =>
  (exported[name] as Loose)(...argumentsOf(rowOf(name), values));
const call = (name: string, dtype: DType, changes: Values = {}): unknown =>
  invoke(name, handed(rowOf(name), dtype, changes));

// -------------------------------------------------------------------------------------------------- results

const isArray = (value: unknown): value is FloatArray => ArrayBuffer.isView(value) && !(value instanceof DataView);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** A value in a message of these tests. */
function show(value: unknown): string {
  if (value instanceof Error) return `${value.constructor.name}: ${value.message}`;
  if (isArray(value)) return `${value.constructor.name} [${Array.from(value).join(", ")}]`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (isObject(value) && Object.getPrototypeOf(value) === Object.prototype)
    return `{ ${Object.entries(value).map(([key, field]) => `${key}: ${show(field)}`)} }`;
  if (isObject(value)) return value.constructor?.name ?? "an object";
  return typeof value === "string" ? `"${value}"` : String(value);
}

/** Where two results are not the same to the bit, in words; "" if nowhere. */
function difference(got: unknown, wanted: unknown, at = "the result"): string {
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
function mismatch(got: unknown, wanted: Expected, dtype: DType, within = 0, at = "the result"): string {
  const found = `${at} is ${show(got)}, wanted ${show(wanted)}`;
  if (typeof wanted === "number") {
    if (typeof got !== "number") return found;
    const slack = dtype === f32 ? Math.max(4e-6, within) : Math.max(1e-12, within);
    return Object.is(got, wanted) || Math.abs(got - wanted) <= slack * Math.max(1, Math.abs(wanted)) ? "" : found;
  }
  if (Array.isArray(wanted)) {
    const list = Array.isArray(got);
    if (!list && !(isArray(got) && got.constructor === dtype.array)) return `${found} in a ${dtype.array.name}`;
    if (got.length !== wanted.length) return found;
    const each = wanted.map((v: Expected, i) => mismatch(got[i], v, dtype, within, `${at}[${i}]`));
    return each.find((one) => one !== "") ?? "";
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
class Findings {
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
    expect(this.#found.join("\n")).toBe("");
  }
}

// --------------------------------------------------------------------------------------------------- errors

/** What an engine says where nothing was checked, and numbers that no person writes. */
const JARGON =
  /undefined is not|not iterable|Cannot |is not a (function|constructor)|Invalid (typed )?array|call stack|of (undefined|null)\b|TypedArray|ArrayBuffer\.prototype|\[object|e\+30[78]|5e-324|e-30[78]|9007199254740991/;

/** How a message names an argument: in double quotes, with an index or a field behind it where it is within. */
const naming = (name: string): RegExp => new RegExp(`"${name.replaceAll(".", "\\.")}["[.]`);

/** Every array within, by itself. */
function arraysIn(value: unknown, found: FloatArray[] = []): FloatArray[] {
  if (isArray(value)) found.push(value);
  else if (Array.isArray(value) || (isObject(value) && Object.getPrototypeOf(value) === Object.prototype))
    for (const field of Object.values(value)) if (field !== value) arraysIn(field, found);
  return found;
}

const SENTINEL = 7.25;

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
function refusal(
  name: string,
  dtype: DType,
  changes: Values,
  kind: ErrorConstructor,
  ...says: (RegExp | string)[]
): string {
  const row = rowOf(name);
  const values = handed(row, dtype, { ...sentinels(row, dtype, changes), ...changes });
  const arrays = arraysIn(Object.values(values));
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

// --------------------------------------------------------------------------------------------------- the table

describe("the table", () => {
  const rows = { ...functions, ...system };

  it("has a row for every export, and no other", () => {
    expect(Object.keys(rows).sort()).toEqual(Object.keys(exported).sort());
  });

  it("has every case of bad input", () => {
    const named = [...Object.values(badInput).flat(), ...scalars, ...empty].map(([name]) => name);
    expect(named.filter((name) => !(name in functions))).toEqual([]);
  });

  it.each(Object.keys(functions))("%s: its options are those that the function says it takes", (name) => {
    const row = rowOf(name);
    const options = [...new Set(Object.keys(row.options).map((option) => option.split(".")[0]))].sort();
    if (options.length === 0) return;
    const { error } = attempt(() => call(name, f64, { zzz: 1 }));
    const listed = /^(\w+): unknown option "zzz"; it takes (.*)$/.exec(error?.message ?? "");
    expect(listed?.[1], error?.message ?? "it returned").toBe(name);
    expect(listed?.[2]?.split(", ").sort()).toEqual(options);
    expect(error).toBeInstanceOf(TypeError);
  });
});

function attempt(body: () => unknown): { error?: Error; result?: unknown } {
  try {
    return { result: body() };
  } catch (error) {
    return { error: error as Error };
  }
}

// ------------------------------------------------------------------------------------------- forms of an array

/** A subclass whose constructor takes a length alone: what slice and subarray make of it is not it. */
class OwnFloat32 extends Float32Array {
  constructor(length: number) {
    super(length);
  }
}
class OwnFloat64 extends Float64Array {
  constructor(length: number) {
    super(length);
  }
}
class OwnInt32 extends Int32Array {
  constructor(length: number) {
    super(length);
  }
}

function subclassed(values: ArrayLike<number>, Own: new (length: number) => FloatArray | Int32Array): unknown {
  const own = new Own(values.length);
  own.set(values);
  return own;
}

/** As ONNX Runtime's Tensor: everything behind getters of its class. */
class OnnxTensor {
  readonly #data: ArrayLike<unknown>;
  readonly #dims: readonly number[];
  readonly type = "float32";
  constructor(data: ArrayLike<unknown>, dims: readonly number[]) {
    this.#data = data;
    this.#dims = dims;
  }
  get data(): ArrayLike<unknown> {
    return this.#data;
  }
  get dims(): readonly number[] {
    return this.#dims;
  }
  get size(): number {
    return this.#data.length;
  }
  get location(): string {
    return "cpu";
  }
}

/** As transformers.js wraps one: its elements by index, itself iterable. */
function transformersTensor(data: ArrayLike<unknown>, dims: readonly number[]): unknown {
  const inner = new OnnxTensor(data, dims);
  return new Proxy(inner, {
    get: (target, key) =>
      typeof key === "string" && /^\d+$/.test(key) ? target.data[Number(key)] : Reflect.get(target, key, target),
  });
}

/** A list of lists of that shape. */
function nested(values: readonly unknown[], shape: readonly number[]): unknown {
  if (shape.length <= 1) return values;
  const step = values.length / (shape[0] as number);
  return Array.from({ length: shape[0] as number }, (_, i) =>
    nested(values.slice(i * step, (i + 1) * step), shape.slice(1)),
  );
}

const bytesOf = ({ array }: DType): number => array.BYTES_PER_ELEMENT;

/** A copy in a buffer that holds more. */
function within(values: FloatArray, dtype: DType, Buffer: new (bytes: number) => ArrayBufferLike): FloatArray {
  const view = new dtype.array(new Buffer((values.length + 5) * bytesOf(dtype)), 3 * bytesOf(dtype), values.length);
  view.set(values);
  return view;
}

type Form = readonly [
  title: string,
  make: (values: FloatArray, dtype: DType, shape: readonly number[]) => unknown,
  /** It has the shape itself. */
  shaped?: "shaped",
];
const FORMS: readonly Form[] = [
  ["a view at an offset", (v, d) => within(v, d, ArrayBuffer)],
  ["a view of a SharedArrayBuffer", (v, d) => within(v, d, SharedArrayBuffer)],
  ["an instance of a subclass", (v, d) => subclassed(v, d === f32 ? OwnFloat32 : OwnFloat64)],
  ["an array of another realm", (v, d) => runInNewContext(`${d.array.name}.from(values)`, { values: Array.from(v) })],
  ["a number[] beside arrays", (v) => Array.from(v)],
  ["a frozen number[]", (v) => Object.freeze(Array.from(v))],
  ["{ data, shape }", (v, _, shape) => ({ data: v, shape }), "shaped"],
  ["{ data, dims }", (v, _, dims) => ({ data: v, dims }), "shaped"],
  ["{ data: a view, dims }", (v, d, dims) => ({ data: within(v, d, ArrayBuffer), dims }), "shaped"],
  ["a tensor of ONNX Runtime", (v, _, dims) => new OnnxTensor(v, dims), "shaped"],
  ["a tensor of transformers.js", (v, _, dims) => transformersTensor(v, dims), "shaped"],
];

const LABEL_KINDS = [
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
] as const;

/** Labels in all their forms. */
function labelForms({ value, shape: dims }: Labels): [string, unknown][] {
  const integers = Int32Array.from(value);
  const big = BigInt64Array.from(value, BigInt);
  const shared = new Int32Array(new SharedArrayBuffer(4 * value.length + 8), 4, value.length);
  shared.set(value);
  return [
    ...LABEL_KINDS.map((Kind): [string, unknown] => [
      Kind.name,
      Kind.name.startsWith("Big")
        ? (Kind as typeof BigInt64Array).from(value, BigInt)
        : (Kind as typeof Int32Array).from(value),
    ]),
    ["number[]", [...value]],
    ["bigint[]", value.map(BigInt)],
    ["{ data, shape }", { data: integers, shape: dims }],
    ["{ data, dims }", { data: integers, dims }],
    ["a tensor of bigints", { data: big, dims }],
    ["a tensor of ONNX Runtime", new OnnxTensor(big, dims)],
    ["a tensor of transformers.js", transformersTensor(big, dims)],
    ["a view of a SharedArrayBuffer", shared],
    ["an instance of a subclass", subclassed(value, OwnInt32)],
    ["an array of another realm", runInNewContext("Int32Array.from(values)", { values: value })],
  ];
}

/** The parameters that take floating-point data, with the options they are looked at beside. */
function floatsOf(row: Row): [name: string, parameter: Floats][] {
  return Object.entries(parametersOf(row)).filter((entry): entry is [string, Floats] => entry[1].kind === "floats");
}

// ------------------------------------------------------------------------------------ what each kind is not

type Wrong = readonly [value: unknown, kind: ErrorConstructor, ...says: (RegExp | string)[]];

/** Calls itself a Float32Array, and is none. */
const impostor = { length: 2, 0: 1, 1: 2, [Symbol.toStringTag]: "Float32Array" };
const itself: { data?: unknown; dims: number[] } = { dims: [2] };
itself.data = itself;

/** With its last element replaced. */
const endingIn = (values: readonly unknown[], last: unknown): unknown[] => [...values.slice(0, -1), last];

function wrongFloats({ value, shape, layers, integers, single, required }: Floats): Wrong[] {
  const last = value.length - 1;
  const element = new RegExp(`\\[${last}\\]|\\[${shape.map((n) => n - 1).join(", ")}\\]|\\]\\[`);
  const sparse = value.slice(0, -1);
  sparse.length = value.length;
  return [
    ...(required ? [[undefined, TypeError, "undefined"] as const] : []),
    [null, TypeError, "got null"],
    ...(single ? [] : ([[3, TypeError, /\b3\b/]] as const)),
    ["1, 2", TypeError, '"1, 2"', /array/i],
    [true, TypeError, "true"],
    [1n, TypeError, /\b1n?\b/],
    [Symbol("x"), TypeError, /symbol/i],
    [() => 1, TypeError, "function"],
    [{}, TypeError, /object/i],
    [new Map(), TypeError, "Map"],
    ...(integers
      ? []
      : ([
          [Int32Array.from(value), TypeError, "Int32Array"],
          [new BigInt64Array(value.length), TypeError, "BigInt64Array"],
          [{ data: Int32Array.from(value), dims: shape }, TypeError, "Int32Array"],
          [{ data: Uint16Array.from(value), dims: shape, type: "float16" }, TypeError, "Uint16Array"],
        ] as const)),
    [new DataView(new ArrayBuffer(8)), TypeError, "DataView"],
    [new ArrayBuffer(8), TypeError, "ArrayBuffer"],
    [{ data: "12", shape: [2] }, TypeError],
    [{ data: null, shape: [2] }, TypeError, "null"],
    [impostor, TypeError],
    [{ data: impostor, dims: [2] }, TypeError],
    [itself, TypeError],
    // of a list of layers each element is a layer
    ...((layers
      ? []
      : [
          [raw(endingIn(value, "2")), TypeError, element, '"2"'],
          [raw(endingIn(value, null)), TypeError, element, "null"],
          [raw(endingIn(value, true)), TypeError, element, "true"],
          [raw(endingIn(value, 1n)), TypeError, element, /\b1n?\b/],
          [raw(sparse), TypeError, element, "undefined"],
          [
            raw([
              [1, 2, 3],
              [4, 5],
            ]),
            RangeError,
            /\b3\b/,
            /\b2\b/,
          ],
          [
            raw([
              [1, 2],
              [3, "4"],
            ]),
            TypeError,
            '"4"',
          ],
        ]) as readonly Wrong[]),
  ];
}

function wrongLabels({ value, soft }: Labels): Wrong[] {
  const last = value.length - 1;
  const row = new RegExp(`row ${last}\\b|\\[${last}\\]`);
  const sparse = value.slice(0, -1);
  sparse.length = value.length;
  const kinds: [unknown, string | RegExp][] = [
    [null, "null"],
    ["1", '"1"'],
    [true, "true"],
    [[0], /\[0\]|Array/],
    [{}, /object/i],
    [1.5, "1.5"],
    [NaN, "NaN"],
    [Infinity, "Infinity"],
  ];
  return [
    [undefined, TypeError, "undefined"],
    [null, TypeError, "got null"],
    [3, TypeError, /\b3\b/],
    ["01", TypeError, '"01"'],
    [true, TypeError, "true"],
    [{}, TypeError, /object/i],
    [() => 1, TypeError, "function"],
    ...kinds.map(([one, came]): Wrong => [raw(endingIn(value, one)), TypeError, row, /integer/, came]),
    [raw(sparse), TypeError, row, /integer/, "undefined"],
    [raw(value.map((v) => [v])), TypeError, /row 0\b|\[0\]/],
    [{ data: endingIn(value, "1"), dims: [value.length] }, TypeError, row],
    ...[3, 99, -1, 2 ** 53].map((one): Wrong => [raw(endingIn(value, one)), RangeError, row, `${one}`]),
    [raw(endingIn(value, 2n ** 60n)), RangeError, row, `${2n ** 60n}`],
    [BigInt64Array.of(...value.slice(0, -1).map(BigInt), 3n), RangeError, row, /\b3n?\b/],
    [Uint8Array.from(endingIn(value, 255) as number[]), RangeError, row, "255"],
    ...(soft ? [] : ([[new Float64Array(value.length), TypeError, /integer/, "Float64Array"]] as const)),
  ];
}

function wrongNumbers({ kind, refuses, allows, says, required }: Numeric): Wrong[] {
  const infinite = [Infinity, -Infinity].filter((v) => !allows.includes(v));
  const outside = [...refuses, ...infinite, ...(kind === "integer" ? [1.5] : [])];
  return [
    ...(required ? [[undefined, TypeError, "undefined"] as const] : []),
    [null, TypeError, "got null"],
    ["1", TypeError, '"1"', /number|integer/],
    [true, TypeError, "true"],
    [1n, TypeError, /\b1n?\b/],
    [{}, TypeError, /object/i],
    [[1], TypeError],
    [NaN, RangeError, says, "got NaN"],
    ...outside.map((v): Wrong => [v, RangeError, says, `got ${v}`]),
  ];
}

function wrongChoices({ among, each, required }: Choice): Wrong[] {
  const all = among.map((one) => `"${one}"`);
  return [
    ...(required ? [[undefined, TypeError, ...all, "undefined"] as const] : []),
    [null, TypeError, ...all, "got null"],
    [3, TypeError, ...all, /\b3\b/],
    [true, TypeError, ...all, "true"],
    [{}, TypeError, ...all, /object/i],
    ...(each ? [] : ([[[among[0]], TypeError, ...all]] as const)),
    ...["zzz", "", "toString", "__proto__", (among[0] as string).toUpperCase()].map(
      (one): Wrong => [one, RangeError, ...all, `"${one}"`],
    ),
  ];
}

/** The wrong values of a shape, beside a right one of the same number of sizes. */
function wrongShapes(right: readonly number[]): Wrong[] {
  const size = right.reduce((product, n) => product * n, 1);
  const longer = endingIn(right, (right.at(-1) as number) + 1) as number[];
  const elements = longer.reduce((product, n) => product * n, 1);
  return [
    [null, TypeError, "got null"],
    [6, TypeError, /\b6\b/, /array|list/],
    ["2,3", TypeError, '"2,3"', /array|list/],
    [true, TypeError, "true"],
    [{}, TypeError, /object/i],
    [endingIn(right, "3"), TypeError, /integer/],
    [endingIn(right, null), TypeError, /integer/],
    [endingIn(right, [3]), TypeError, /integer/],
    [endingIn(right, -3), RangeError, /integer/, "-3"],
    [endingIn(right, 1.5), RangeError, /integer/, "1.5"],
    [endingIn(right, NaN), RangeError, /integer/, "NaN"],
    [endingIn(right, Infinity), RangeError, /integer/, "Infinity"],
    [longer, RangeError, `[${longer.join(", ")}]`, new RegExp(`\\b${elements}\\b`), new RegExp(`\\b${size}\\b`)],
  ];
}

function wrongOuts({ length }: Out, dtype: DType): Wrong[] {
  const { array } = dtype;
  const other = dtype === f32 ? f64 : f32;
  return [
    [null, TypeError, array.name, "got null"],
    [3, TypeError, array.name, /\b3\b/],
    ["x", TypeError, array.name, '"x"'],
    [true, TypeError, array.name, "true"],
    [raw(Array.from({ length }, () => 0)), TypeError, array.name],
    [new other.array(length), TypeError, array.name, other.array.name],
    [new Int32Array(length), TypeError, array.name, "Int32Array"],
    ...[length + 1, length - 1, 0]
      .filter((n) => n !== length)
      .map((n): Wrong => [new array(n), RangeError, new RegExp(`\\b${length}\\b`), new RegExp(`\\b${n}\\b`)]),
  ];
}

const wrongFlags: readonly Wrong[] = [null, 0, 1, "true", {}, []].map((v) => [v, TypeError, /boolean|true or false/]);
const wrongProgress: readonly Wrong[] = [null, 3, "f", {}].map((v) => [v, TypeError, "function"]);
const wrongSignals: readonly Wrong[] = [null, 3, "x", {}, { aborted: "no" }, new AbortController()].map((v) => [
  v,
  TypeError,
  "AbortSignal",
]);
const wrongLayerWeights: readonly Wrong[] = [
  [null, TypeError, "got null"],
  ["1", TypeError, '"1"'],
  [["1"], TypeError, '"1"'],
  [[null], TypeError, "null"],
  [[NaN], RangeError, "a finite number", "got NaN"],
  [[Infinity], RangeError, "a finite number", "got Infinity"],
  [[], RangeError, /\b1\b/],
  [[1, 2], RangeError, /\b1\b/],
];

/** Of a parameter, every value it refuses, with the error. */
function wrongValues(name: string, parameter: Parameter, row: Row, dtype: DType): readonly Wrong[] {
  switch (parameter.kind) {
    case "floats":
      return wrongFloats(parameter);
    case "labels":
      return wrongLabels(parameter);
    case "number":
    case "integer":
      return wrongNumbers(parameter);
    case "choice":
      return wrongChoices(parameter);
    case "shape":
      return wrongShapes((row.with?.[name] ?? parameter.default) as readonly number[]);
    case "out":
      return wrongOuts(parameter, dtype);
    case "flag":
      return wrongFlags;
    case "progress":
      return wrongProgress;
    case "signal":
      return wrongSignals;
    case "layerWeights":
      return wrongLayerWeights;
  }
}

// -------------------------------------------------------------------------------------------- every function

/** A view of linear memory that was kept while it grew. */
function staleView(dtype: DType): FloatArray {
  const kept = resident(dtype.name, 6);
  const view = kept.array;
  const { memoryBytes } = surprisal.info();
  const blocks = [kept];
  while (surprisal.info().memoryBytes === memoryBytes) blocks.push(resident(dtype.name, 2 ** 18));
  for (const block of blocks) block.dispose();
  return view;
}

function detached<A extends { buffer: ArrayBufferLike }>(array: A): A {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}

forEachType((dtype, variant) => {
  const { array } = dtype;
  const other = dtype === f32 ? f64 : f32;
  let stale: FloatArray;
  beforeAll(() => {
    stale = staleView(dtype);
  });

  describe.each(Object.entries(functions))("%s", (name, row) => {
    const parameters = Object.entries(parametersOf(row));
    const outs = parameters.filter((entry): entry is [string, Out] => entry[1].kind === "out");
    const within = row.within ?? 0;
    const checked = (changes: Values, wanted: Expected) => mismatch(call(name, dtype, changes), wanted, dtype, within);
    const title = (changes: Values) => show(grouped(handed({ ...row, takes: {}, with: {} }, dtype, changes)));

    it("gives what it promises", () => {
      const found = new Findings();
      for (const [changes, wanted] of [[{}, row.gives] as const, ...(row.also ?? [])])
        found.run(title(changes), () => checked(changes, wanted));
      found.check();
    });

    it("every option does what it says", () => {
      const found = new Findings();
      for (const [option, { shows = [], beside = {} }] of parameters)
        for (const [value, wanted, also = {}] of shows) {
          const changes = { ...beside, ...also, [option]: value };
          found.run(title(changes), () => checked(changes, wanted));
        }
      found.check();
    });

    it("every default is what it says, and undefined is not given", () => {
      const found = new Findings();
      const ordinary = call(name, dtype);
      for (const [option, { default: byDefault, beside = {} }] of parameters) {
        if (byDefault !== undefined)
          found.run(`${option}: ${show(byDefault)}`, () => {
            const { [option]: _, ...without } = { ...row.with, ...beside };
            const bare = { ...row, with: without };
            return difference(
              invoke(name, handed(bare, dtype, { [option]: byDefault })),
              invoke(name, handed(bare, dtype)),
            );
          });
        if (option in row.options && row.with?.[option] === undefined)
          found.run(`${option}: undefined`, () => difference(call(name, dtype, { [option]: undefined }), ordinary));
      }
      found.check();
    });

    it("a call that is wrong in itself is refused", () => {
      const found = new Findings();
      for (const [changes, kind, ...says] of row.refuses ?? [])
        found.note(title(changes), refusal(name, dtype, changes, kind, ...says));
      found.check();
    });

    it.each(parameters)("refuses what is no %s", (parameter, kind) => {
      const found = new Findings();
      const ordinary = call(name, dtype);
      for (const [value, error, ...says] of wrongValues(parameter, kind, row, dtype)) {
        const when = kind.kind === "out" ? kind.when : {};
        const what = refusal(name, dtype, { ...when, [parameter]: value }, error, naming(parameter), ...says);
        found.note(show(value instanceof Raw ? value.value : value), what);
      }
      found.run("the next call", () => difference(call(name, dtype), ordinary));
      found.check();
    });

    it("refuses options that it does not know, and says what may have been meant", () => {
      const options = Object.keys(row.options).filter((option) => !option.includes("."));
      const found = new Findings();
      for (const option of options.filter(({ length }) => length > 3)) {
        const typo = option[0] as string;
        const wrong = typo + option[2] + option[1] + option.slice(3);
        // a doubled letter is still the same word
        const other = option[1] === option[2] ? option.slice(0, -1) : wrong;
        found.note(
          other,
          refusal(name, dtype, { [other]: 1 }, TypeError, `unknown option "${other}", did you mean "${option}"?`),
        );
      }
      if (options.length > 0)
        found.note("toString", refusal(name, dtype, { toString: 1 }, TypeError, 'unknown option "toString"'));
      found.check();
    });

    it("refuses options that are no object", () => {
      if (Object.keys(row.options).length === 0) return;
      const found = new Findings();
      const args = argumentsOf({ ...row, options: {} }, handed({ ...row, with: {} }, dtype));
      for (const options of [null, 3, "axis", true, [], [1], new array(2), () => 1]) {
        const { error, result } = attempt(() => (exported[name] as Loose)(...args, options));
        const right = error?.constructor === TypeError && /^\w+: "options" must be an object, got /.test(error.message);
        found.note(show(options), right && error.message.startsWith(`${name}: `) ? "" : show(error ?? result));
      }
      found.check();
    });

    it("takes data in every form", () => {
      const found = new Findings();
      for (const [parameter, { value, shape, by, layers, shows }] of floatsOf(row)) {
        const isOption = parameter in row.options;
        const plain = () => new array(value);
        const beside = isOption ? (shows?.[0]?.[2] ?? {}) : {};
        const wanted = call(name, dtype, { ...beside, [parameter]: raw(plain()) });
        const same = (title: string, make: () => unknown, changes: Values = {}) =>
          found.run(`${parameter} as ${title}`, () => {
            const given = make();
            const got = call(name, dtype, { ...beside, ...changes, [parameter]: raw(given) });
            const contents = arraysIn(given)[0];
            const kept = contents ? difference(Array.from(contents), Array.from(plain()), parameter) : "";
            return difference(got, wanted) || kept;
          });
        for (const [title, make, shaped] of FORMS)
          same(title, () => make(plain(), dtype, shape), shaped && by !== undefined ? { [by]: undefined } : {});
        if (!layers && shape.length > 1)
          same("nested lists", () => nested(Array.from(plain()), shape), by === undefined ? {} : { [by]: undefined });
        const kept = resident(dtype.name, value.length);
        kept.set(plain());
        same("a resident", () => kept);
        same("the array of a resident", () => kept.array);
        found.note("the resident", difference(kept.array.slice(), plain()));
        kept.dispose();
        // its own shape is outranked by the option
        if (by !== undefined)
          same("a tensor of another shape", () => ({ data: plain(), shape: [value.length] }), {
            [by]: row.with?.[by] ?? shape,
          });
      }
      for (const [parameter, kind] of parameters) {
        if (kind.kind !== "labels") continue;
        const wanted = call(name, dtype);
        for (const [title, given] of labelForms(kind))
          found.run(`${parameter} as ${title}`, () =>
            difference(call(name, dtype, { [parameter]: raw(given) }), wanted),
          );
      }
      found.check();
    });

    it("of numbers alone it gives f64", () => {
      const lists = (type: DType) =>
        Object.fromEntries(
          floatsOf(row)
            .filter(([parameter]) => parameter in row.takes)
            .map(([parameter, { value }]) => [parameter, raw(type === f32 ? [...value] : new Float64Array(value))]),
        );
      expect(difference(call(name, f64, lists(f32)), call(name, f64, lists(f64)))).toBe("");
    });

    it("refuses f32 beside f64", () => {
      const found = new Findings();
      const takes = floatsOf(row).filter(([parameter]) => parameter in row.takes);
      const all = takes.length > 1 ? floatsOf(row) : floatsOf(row).filter(([parameter]) => parameter in row.options);
      for (const [parameter, { value }] of all) {
        const says = parameter in row.options ? [naming(parameter)] : [];
        const forms: [string, unknown][] = [
          ["an array", new other.array(value)],
          ["a tensor", { data: new other.array(value), dims: floatsOf(row).find(([p]) => p === parameter)?.[1].shape }],
        ];
        for (const [form, given] of forms)
          found.note(
            `${parameter} as ${form}`,
            refusal(name, dtype, { [parameter]: raw(given) }, TypeError, "Float32Array", "Float64Array", ...says),
          );
      }
      for (const [parameter, kind] of parameters) {
        if (kind.kind !== "labels" || !kind.soft) continue;
        const soft = new other.array((row.takes["logits"] as Floats).value.length).fill(0.5);
        found.note(parameter, refusal(name, dtype, { [parameter]: raw(soft) }, TypeError, naming(parameter)));
      }
      found.check();
    });

    it("refuses arrays that are gone", () => {
      const found = new Findings();
      const elsewhere = (length: number): unknown => {
        surprisal.initSync({ variant: variant === "base" ? "relaxed" : "base" });
        const one = resident(dtype.name, length);
        surprisal.initSync({ variant });
        return one;
      };
      const disposed = (length: number): unknown => {
        const one = resident(dtype.name, length);
        one.dispose();
        return one;
      };
      for (const [parameter, kind] of parameters) {
        if (kind.kind !== "floats" && kind.kind !== "labels" && kind.kind !== "out") continue;
        const when = kind.kind === "out" ? kind.when : {};
        const refused = (title: string, given: unknown, ...says: RegExp[]) =>
          found.note(
            `${parameter}: ${title}`,
            refusal(name, dtype, { ...when, [parameter]: raw(given) }, TypeError, naming(parameter), ...says),
          );
        if (kind.kind === "labels") {
          refused("detached", detached(Int32Array.from(kind.value)), /detached/);
          refused(
            "detached in a tensor",
            { data: detached(Int32Array.from(kind.value)), dims: kind.shape },
            /detached/,
          );
          continue;
        }
        const length = kind.kind === "out" ? kind.length : kind.value.length;
        refused("detached", detached(new array(length)), /detached/);
        refused("a view kept across growth", stale, /detached/);
        refused("a resident that was disposed", disposed(length), /disposed/);
        if (kind.kind === "floats")
          refused("detached in a tensor", { data: detached(new array(length)), dims: kind.shape }, /detached/);
        if (hasRelaxed) refused("a resident of another variant", elsewhere(length), /base/, /relaxed/);
      }
      found.check();
    });

    if (outs.length > 0)
      it("writes to out, whatever holds it, and returns it", () => {
        const found = new Findings();
        for (const [out, { length, field, when = {} }] of outs) {
          const read = (result: unknown): unknown =>
            field === "" ? result : (result as Record<string, unknown>)[field];
          const wanted = call(name, dtype, when);
          const into = (title: string, target: FloatArray, changes: Values = {}) =>
            found.run(`${out}: ${title}`, () => {
              const result = call(name, dtype, { ...when, ...changes, [out]: raw(target) });
              if (read(result) !== target) return `returned ${show(read(result))}, not what was given`;
              return difference(Array.from(target), Array.from(read(wanted) as FloatArray));
            });
          into("a plain array", new array(length).fill(SENTINEL));
          const roomy = new array(length + 5).fill(SENTINEL);
          into("a view at an offset", roomy.subarray(3, 3 + length));
          found.note(
            `${out}: around the view`,
            [0, 1, 2, length + 3, length + 4].every((i) => roomy[i] === SENTINEL) ? "" : show(roomy),
          );
          const shared = new SharedArrayBuffer((length + 1) * bytesOf(dtype));
          into("a view of a SharedArrayBuffer", new array(shared, bytesOf(dtype), length));
          into(
            "an instance of a subclass",
            subclassed(new array(length), dtype === f32 ? OwnFloat32 : OwnFloat64) as FloatArray,
          );
          into("an array of another realm", runInNewContext(`new ${array.name}(${length})`) as FloatArray);
          const kept = resident(dtype.name, length);
          into("the array of a resident", kept.array);
          kept.array.fill(SENTINEL);
          found.run(`${out}: a resident`, () => {
            const got = read(call(name, dtype, { ...when, [out]: raw(kept) }));
            const here = kept.array;
            const itself = isArray(got) && got.buffer === here.buffer && got.byteOffset === here.byteOffset;
            if (got !== kept && !itself) return `returned ${show(got)}, not what was given`;
            return difference(
              here.slice(),
              Array.from(read(wanted) as FloatArray) && new array(read(wanted) as FloatArray),
            );
          });
          kept.dispose();
          for (const [parameter, { value }] of floatsOf(row)) {
            if (value.length !== length) continue;
            const both = new array(value);
            const plain = call(name, dtype, { ...when, [parameter]: value });
            found.run(`${out}: the same as ${parameter}`, () => {
              const result = call(name, dtype, { ...when, [parameter]: raw(both), [out]: raw(both) });
              if (read(result) !== both) return `returned ${show(read(result))}, not what was given`;
              return difference(
                { ...(result as object), [field]: both.slice() },
                { ...(plain as object), [field]: read(plain) },
              );
            });
          }
          // nothing could be written to it
          if (when["reduction"] === undefined) continue;
          for (const reduction of ["mean", "sum", undefined]) {
            const target = new array(length).fill(SENTINEL);
            const what = refusal(name, dtype, { reduction, [out]: raw(target) }, TypeError, naming(out), /"reduction"/);
            found.note(`${out} under ${reduction}`, what);
          }
        }
        found.check();
      });

    it("reads each option once, and all before any array", () => {
      const found = new Findings();
      const given = handed(row, dtype, { ...row.with });
      const options = Object.keys(row.options).filter((option) => !option.includes("."));
      const watched = (read: (option: string) => void): Record<string, unknown> => {
        const object = {};
        const values = { ...Object.fromEntries(options.map((option) => [option, undefined])), ...row.with };
        for (const [option, value] of Object.entries(values))
          Object.defineProperty(object, option, {
            enumerable: true,
            get: () => {
              read(option);
              return value;
            },
          });
        return object;
      };
      if (options.length === 0) return;
      const positional = (values: Record<string, unknown>) =>
        argumentsOf(row, Object.fromEntries(Object.entries(values).filter(([key]) => key in row.takes)));
      const reads = new Map<string, number>();
      const counting = watched((option) => reads.set(option, (reads.get(option) ?? 0) + 1));
      found.run("with getters", () =>
        difference((exported[name] as Loose)(...positional(given), counting), call(name, dtype)),
      );
      for (const [option, count] of reads) found.note(option, count === 1 ? "" : `read ${count} times`);
      const [first] = floatsOf(row)[0] as [string, Floats];
      for (const option of options) {
        const values = handed(row, dtype);
        const treacherous = watched((read) => {
          if (read === option && (values[first] as FloatArray).buffer.byteLength > 0)
            detached(values[first] as FloatArray);
        });
        const { error, result } = attempt(() => (exported[name] as Loose)(...positional(values), treacherous));
        const right = error instanceof TypeError && naming(first).test(error.message) && /detached/.test(error.message);
        found.note(`${first} is detached by the getter of ${option}`, right ? "" : show(error ?? result));
      }
      found.check();
    });
  });

  // ------------------------------------------------------------------------------------------ cases by their names

  const gives = (found: Findings, name: string, values: Values, wanted: Expected | Refused): void => {
    const where = `${name} ${show(grouped(handed({ ...rowOf(name), takes: {}, with: {} }, dtype, values)))}`;
    if (wanted instanceof Refused) found.note(where, refusal(name, dtype, values, wanted.kind, ...wanted.says));
    else found.run(where, () => mismatch(call(name, dtype, values), wanted, dtype, rowOf(name).within));
  };

  describe("what bad input gets", () => {
    it.each(Object.entries(badInput))("%s", (_, cases) => {
      const found = new Findings();
      for (const [name, values, wanted] of cases) gives(found, name, values, wanted);
      found.check();
    });
  });

  it("a scalar is one row of one", () => {
    const found = new Findings();
    for (const [name, values, wanted] of scalars) gives(found, name, values, wanted);
    found.check();
  });

  it("nothing is legal, and what cannot be said of it is an error", () => {
    const found = new Findings();
    for (const [name, values, wanted] of empty) gives(found, name, values, wanted);
    found.check();
  });
});
