/** What a public function reads its arguments with: elements, shape, axis, `out`. */
import { ResidentArray } from "./arena.ts";
import { failKind, failValue } from "./check.ts";
import { arena } from "./kernels.ts";
import type { FloatArray, Input } from "./types.ts";

const KINDS = "a Float32Array, Float64Array, number[], tensor ({ data, shape } or { data, dims }) or resident array";

const TAG = Object.prototype.toString;

/** Whether a value is f32 or f64 data, of this realm or another. */
function isFloatArray(value: unknown): value is FloatArray {
  if (value instanceof Float32Array || value instanceof Float64Array) return true;
  const tag = TAG.call(value);
  return tag === "[object Float32Array]" || tag === "[object Float64Array]";
}

/** The elements of an input: typed arrays as they are, numbers as f64, half precision widened to f32. */
export function elements(fn: string, argument: string, input: unknown): FloatArray {
  if (isFloatArray(input)) return input;
  if (Array.isArray(input)) return fromNumbers(fn, argument, input);
  if (input instanceof ResidentArray) {
    if (input.arena !== arena()) {
      throw new TypeError(
        `${fn}: "${argument}" is a resident array of the ${input.arena.variant} kernels, but the ${arena().variant} kernels are in use; make it anew with resident()`,
      );
    }
    return input.array;
  }
  if (typeof input !== "object" || input === null) failKind(fn, argument, KINDS, input);
  if (TAG.call(input) === "[object Float16Array]") return new Float32Array(input as ArrayLike<number>);
  const data = (input as { data?: unknown }).data;
  if (data === undefined || ArrayBuffer.isView(input)) failKind(fn, argument, KINDS, input);
  return elements(fn, argument, data);
}

function fromNumbers(fn: string, argument: string, numbers: readonly unknown[]): Float64Array {
  const array = new Float64Array(numbers.length);
  for (let i = 0; i < array.length; i++) {
    const value = numbers[i];
    if (typeof value !== "number") failKind(fn, `${argument}[${i}]`, "a number", value);
    array[i] = value;
  }
  return array;
}

/** Integers as a function of labels takes them: an integer array, numbers, or a tensor of either; else undefined. */
export function labelsOf(target: unknown): ArrayLike<number | bigint> | undefined {
  if (Array.isArray(target)) return target;
  if (typeof target !== "object" || target === null) return undefined;
  const tag = TAG.call(target);
  if (/^\[object (Int8|Uint8|Uint8Clamped|Int16|Uint16|Int32|Uint32|BigInt64|BigUint64)Array\]$/.test(tag))
    return target as Int32Array;
  return ArrayBuffer.isView(target) ? undefined : labelsOf((target as { data?: unknown }).data);
}

function typeName(array: FloatArray): string {
  return array.BYTES_PER_ELEMENT === 4 ? "Float32Array" : "Float64Array";
}

/** Two inputs of one type: a number[] adopts the type of the other, f32 beside f64 is an error. */
export function elementsOfBoth(
  fn: string,
  first: string,
  x: unknown,
  second: string,
  y: unknown,
): [FloatArray, FloatArray] {
  let a = elements(fn, first, x);
  let b = elements(fn, second, y);
  if (a.BYTES_PER_ELEMENT !== b.BYTES_PER_ELEMENT) {
    if (Array.isArray(x)) a = Float32Array.from(a);
    else if (Array.isArray(y)) b = Float32Array.from(b);
    else failKind(fn, second, `a ${typeName(a)} like "${first}"`, y);
  }
  return [a, b];
}

/** The shape of an input: the option, the tensor's own, or by default one row. */
export function shapeOf(
  fn: string,
  input: Input,
  option: unknown,
  length: number,
  argument = "x",
  name = "shape",
  byDefault?: readonly number[],
): readonly number[] {
  const own = input as { shape?: unknown; dims?: unknown };
  const given = option ?? (ArrayBuffer.isView(input) ? undefined : (own.shape ?? own.dims)) ?? byDefault;
  if (given === undefined) return [length];
  if (!Array.isArray(given) && !ArrayBuffer.isView(given)) failKind(fn, name, "an array of integers", given);
  const shape = given as unknown as ArrayLike<unknown>;
  const sizes: number[] = [];
  let size = 1;
  for (let i = 0; i < shape.length; i++) {
    // tensor libraries may hold sizes as bigint
    const n = typeof shape[i] === "bigint" ? Number(shape[i]) : shape[i];
    if (typeof n !== "number") failKind(fn, name, "an array of integers", given);
    if (!Number.isInteger(n) || n < 0) failValue(fn, name, "an array of integers ≥ 0", given);
    size *= n;
    sizes.push(n);
  }
  if (size !== length)
    throw new RangeError(
      `${fn}: "${name}" [${sizes.join(", ")}] holds ${size} elements, but the ${argument === "x" ? "input" : `"${argument}"`} has ${length}`,
    );
  return sizes;
}

/** A shape that must be [n, d]. */
export function matrixOf(fn: string, name: string, shape: readonly number[]): [number, number] {
  if (shape.length !== 2) failValue(fn, name, "of 2 sizes, [n, d]", shape);
  return shape as unknown as [number, number];
}

/** Two distributions, or rows of them, of one shape. */
export function pairOf(
  fn: string,
  x: Input,
  y: Input,
  option: unknown,
): { p: FloatArray; q: FloatArray; shape: readonly number[] } {
  const [p, q] = elementsOfBoth(fn, "p", x, "q", y);
  const shape = shapeOf(fn, x, option, p.length, "p");
  const own = option === undefined ? shapeOf(fn, y, undefined, q.length, "q") : [q.length];
  if (q.length !== p.length || (own.length > 1 && shape.length > 1 && own.join() !== shape.join())) {
    const got = own.length > 1 ? `[${own.join(", ")}]` : `${q.length} elements`;
    throw new RangeError(
      `${fn}: "q" must be of the shape of "p", [${shape.join(", ")}] with ${p.length} elements, got ${got}`,
    );
  }
  return { p, q, shape };
}

/** Data of a shape as rows along an axis: element j of row (o, i) stands at (o·n + j)·inner + i. */
export interface Layout {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  /** outer · inner */
  readonly rows: number;
}

/** The rows of `shape` along `axis`, which counts from the end where it is negative. */
export function layoutOf(fn: string, shape: readonly number[], axis: unknown = -1): Layout {
  if (typeof axis !== "number") failKind(fn, "axis", "an integer", axis);
  const at = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(at) || at < 0 || at >= shape.length) {
    failValue(
      fn,
      "axis",
      `an integer from ${-shape.length} to ${shape.length - 1}, for a shape [${shape.join(", ")}]`,
      axis,
    );
  }
  let outer = 1;
  let inner = 1;
  for (let i = 0; i < at; i++) outer *= shape[i] as number;
  for (let i = at + 1; i < shape.length; i++) inner *= shape[i] as number;
  return { outer, n: shape[at] as number, inner, rows: outer * inner };
}

/** A new array of f32 or f64. */
function create(fn: string, bytes: number, length: number): FloatArray {
  try {
    return bytes === 4 ? new Float32Array(length) : new Float64Array(length);
  } catch (cause) {
    throw new RangeError(`${fn}: not enough memory: the result would take ${bytes * length} bytes`, { cause });
  }
}

/** The caller's `out`, or a new array: of the type of `like` and the length needed. */
export function outputOf(fn: string, out: unknown, like: FloatArray, length: number, argument = "out"): FloatArray {
  if (out === undefined) return create(fn, like.BYTES_PER_ELEMENT, length);
  const array = out instanceof ResidentArray ? elements(fn, argument, out) : out;
  if (!isFloatArray(array) || array.BYTES_PER_ELEMENT !== like.BYTES_PER_ELEMENT)
    failKind(fn, argument, `a ${typeName(like)}, the type of the input`, out);
  if (array.length !== length) failValue(fn, argument, `of length ${length}`, array);
  return array;
}

/**
 * `input`, or a copy of it where writing `out`, if there is one, would change elements that are still to be read: an element
 * is read before it is written where the two are the same, if `stepwise`.
 */
export function apart(input: FloatArray, out: FloatArray | undefined, stepwise = true): FloatArray {
  if (!out || (stepwise && input === out) || input.buffer !== out.buffer) return input;
  const { byteOffset: start, length } = input;
  const disjoint = start >= out.byteOffset + out.byteLength || out.byteOffset >= start + input.byteLength;
  return disjoint || (stepwise && start === out.byteOffset && length === out.length) ? input : input.slice();
}
