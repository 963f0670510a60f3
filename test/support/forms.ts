/** What a parameter of each kind takes and refuses: every form of an array, every wrong value with its error. */
import { runInNewContext } from "node:vm";
import { parametersOf } from "./calls.ts";
import type { Choice, Floats, Labels, Numeric, Out, Parameter, Row } from "./contract.ts";
import { type DType, type FloatArray, f32, f64 } from "./variants.ts";

// ------------------------------------------------------------------------------------------- forms of an array

/** A subclass whose constructor takes a length alone: what slice and subarray make of it is not it. */
export class OwnFloat32 extends Float32Array {
  constructor(length: number) {
    super(length);
  }
}
export class OwnFloat64 extends Float64Array {
  constructor(length: number) {
    super(length);
  }
}
class OwnInt32 extends Int32Array {
  constructor(length: number) {
    super(length);
  }
}

export function subclassed(values: ArrayLike<number>, Own: new (length: number) => FloatArray | Int32Array): unknown {
  const own = new Own(values.length);
  own.set(values);
  return own;
}

/** As ONNX Runtime's Tensor: everything behind getters of its class. */
export class OnnxTensor {
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
export function nested(values: readonly unknown[], shape: readonly number[]): unknown {
  if (shape.length <= 1) return values;
  const step = values.length / (shape[0] as number);
  return Array.from({ length: shape[0] as number }, (_, i) =>
    nested(values.slice(i * step, (i + 1) * step), shape.slice(1)),
  );
}

export const bytesOf = ({ array }: DType): number => array.BYTES_PER_ELEMENT;

/** A copy in a buffer that holds more. */
function within(values: FloatArray, dtype: DType, Buffer: new (bytes: number) => ArrayBufferLike): FloatArray {
  const view = new dtype.array(new Buffer((values.length + 5) * bytesOf(dtype)), 3 * bytesOf(dtype), values.length);
  view.set(values);
  return view;
}

export type Form = readonly [
  title: string,
  make: (values: FloatArray, dtype: DType, shape: readonly number[]) => unknown,
  /** It has the shape itself. */
  shaped?: "shaped",
];
export const FORMS: readonly Form[] = [
  ["a view at an offset", (v, d) => within(v, d, ArrayBuffer)],
  ["a view of a SharedArrayBuffer", (v, d) => within(v, d, SharedArrayBuffer)],
  ["an instance of a subclass", (v, d) => subclassed(v, d === f32 ? OwnFloat32 : OwnFloat64)],
  ["an array of another realm", (v, d) => runInNewContext(`${d.array.name}.from(values)`, { values: Array.from(v) })],
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
export function labelForms({ value, shape: dims }: Labels): [string, unknown][] {
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
export function floatsOf(row: Row): [name: string, parameter: Floats][] {
  return Object.entries(parametersOf(row)).filter((entry): entry is [string, Floats] => entry[1].kind === "floats");
}

// ------------------------------------------------------------------------------------ what each kind is not

export type Wrong = readonly [value: unknown, kind: ErrorConstructor, ...says: (RegExp | string)[]];

/** Calls itself a Float32Array, and is none. */
const impostor = { length: 2, 0: 1, 1: 2, [Symbol.toStringTag]: "Float32Array" };
const itself: { data?: unknown; dims: number[] } = { dims: [2] };
itself.data = itself;
const ragged = [
  [1, 2, 3],
  [4, 5],
];

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
          [endingIn(value, "2"), TypeError, element, '"2"'],
          [endingIn(value, null), TypeError, element, "null"],
          [endingIn(value, true), TypeError, element, "true"],
          ...(integers ? [] : [[endingIn(value, 1n), TypeError, element, /\b1n?\b/]]),
          [sparse, TypeError, element, "undefined"],
          [ragged, RangeError, /\b3\b/, /\b2\b/],
          [
            [
              [1, 2],
              ["3", 4],
            ],
            TypeError,
            '"3"',
          ],
        ]) as readonly Wrong[]),
  ];
}

function wrongLabels({ value, shape, soft }: Labels): Wrong[] {
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
    ...kinds.map(([one, came]): Wrong => [endingIn(value, one), TypeError, row, /integer/, came]),
    [sparse, TypeError, row, /integer/, "undefined"],
    [value.map((v) => [v]), TypeError, /row 0\b|\[0\]/],
    [{ data: endingIn(value, "1"), dims: shape }, TypeError, row],
    ...[3, 99, -1, 2 ** 53].map((one): Wrong => [endingIn(value, one), RangeError, row, `${one}`]),
    [endingIn(value, 2n ** 60n), RangeError, row, `${2n ** 60n}`],
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
    [Array.from({ length }, () => 0), TypeError, array.name],
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
export function wrongValues(name: string, parameter: Parameter, row: Row, dtype: DType): readonly Wrong[] {
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
