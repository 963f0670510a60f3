/**
 * Reads the arrays among the arguments, each once: elements, their type and the shape they bring along.
 *
 * Arrays are read when all options have been, and measured when all of them have been read: until then a getter or a proxy
 * among the arguments may have detached, shrunk or changed what was read before.
 */
import { isGone, lengthOf, stridesOf, tagOf } from "../arrays.ts";
import { counted, failKind, failValue } from "../errors.ts";
import { isResident, residentView } from "../memory/residents.ts";
import type { FloatArray } from "../types.ts";

/** An argument: its elements, and the shape it brought along. */
export interface Operand {
  /** As the caller knows it. */
  readonly name: string;
  readonly array: FloatArray;
  readonly length: number;
  /** Of an element: 4 or 8. */
  readonly bytes: number;
  readonly shape: readonly number[] | undefined;
}

/** An argument that has been read but not measured. `bytes` is 0 for numbers, which have no type of their own. */
interface Read {
  readonly name: string;
  readonly array: FloatArray;
  readonly bytes: number;
  readonly shape: readonly number[] | undefined;
  /** The resident that the array is a view of: memory that grows while other arguments are read empties the view, and it is asked for another. */
  readonly held: object | undefined;
}

const EXPECTED =
  "a Float32Array, Float64Array, number[] (nested ones too), tensor ({ data, shape } or { data, dims }) or resident array";

/** Numbers may be nested this deep. */
const DEEPEST = 32;

/** The bytes of an element of a genuine array of floats, of any realm; else 0. */
export function floatBytes(tag: string | undefined): number {
  return tag === "Float32Array" ? 4 : tag === "Float64Array" ? 8 : 0;
}

function read(fn: string, name: string, value: unknown): Read {
  const tag = tagOf(value);
  const bytes = floatBytes(tag);
  if (bytes) return { name, array: value as FloatArray, bytes, shape: undefined, held: undefined };
  if (tag === undefined && typeof value === "object" && value !== null) {
    if (Array.isArray(value)) return numbersOf(fn, name, value);
    if (isResident(value)) return { ...read(fn, name, residentView(fn, name, value)), held: value };
    const { data } = value as { readonly data?: unknown };
    if (data !== undefined) {
      const shape = ownShapeIn(fn, name, value);
      const inner = isElements(data) ? read(fn, name, data) : failKind(fn, name, `${EXPECTED}, with such "data"`, data);
      return shape ? { ...inner, shape } : inner;
    }
  }
  if (tag === "Float16Array") {
    checkPresent(fn, name, value as FloatArray);
    return { name, array: new Float32Array(value as FloatArray), bytes: 4, shape: undefined, held: undefined };
  }
  return failKind(fn, name, EXPECTED, value);
}

/** A tensor as it is now, for what looks at it twice: its data and its shape, each read once. */
export function readOnce(value: unknown): unknown {
  if (typeof value !== "object" || value === null || tagOf(value) !== undefined) return value;
  if (Array.isArray(value) || isResident(value)) return value;
  const { data } = value as { readonly data?: unknown };
  return data === undefined ? value : { data, shape: ownShape(value), strides: stridesOf(value) };
}

/** Whether a value is an array of some kind, or a tensor that was read once. */
export function isTensor(value: unknown): boolean {
  return isElements(value) || (typeof value === "object" && value !== null && "data" in value);
}

/** Whether a tensor's data is what holds elements, not a tensor once more. */
function isElements(data: unknown): boolean {
  return tagOf(data) !== undefined || Array.isArray(data) || isResident(data);
}

/** The shape that a tensor says it has. */
function ownShape(tensor: object): unknown {
  const { shape } = tensor as { readonly shape?: unknown };
  return shape === undefined ? (tensor as { readonly dims?: unknown }).dims : shape;
}

/**
 * The same, checked. Views of other libraries, transposed or reversed, have the elements of what they are views of in `data`, in the
 * order of that: they would be taken for others, and are refused.
 */
export function ownShapeIn(fn: string, name: string, tensor: object): readonly number[] | undefined {
  const shape = sizesIn(fn, `${name}.shape`, ownShape(tensor));
  const strides = stridesOf(tensor);
  if (!shape || !strides || sizeOf(shape) === 0) return shape;
  shape.forEach((size, axis) => {
    // tfjs leaves out the last, which is 1
    const isPlain = axis >= strides.length || Number(strides[axis]) === sizeFrom(shape, axis + 1, shape.length);
    if (size === 1 || isPlain) return;
    const came = `strides ${inWords(Array.from(strides))} for the shape ${inWords(shape)}`;
    failValue(fn, name, "a tensor whose elements stand row by row", undefined, came);
  });
  return shape;
}

/** A list of numbers, or of lists of them, and so on. */
function numbersOf(fn: string, name: string, list: readonly unknown[]): Read {
  const lengths: number[] = [];
  for (let inner: unknown = list; Array.isArray(inner); inner = inner[0]) {
    if (lengths.length === DEEPEST) failValue(fn, name, `nested at most ${DEEPEST} deep`, list);
    lengths.push(inner.length);
  }
  const nested = lengths.length > 1;
  const array = create(fn, 8, sizeOf(lengths), `the numbers of "${name}"`);
  let next = 0;
  const copy = (values: readonly unknown[], depth: number, at: string): void => {
    const length = lengths[depth] as number;
    const { length: own } = values;
    if (own !== length)
      throw new RangeError(
        `${fn}: "${name}" must not be ragged, but ${at} has length ${own} where others have ${length}`,
      );
    for (let i = 0; i < length; i++) {
      const value = values[i];
      const isLast = depth === lengths.length - 1;
      if (!isLast && Array.isArray(value)) copy(value, depth + 1, `${at}[${i}]`);
      else if (isLast && typeof value === "number") array[next++] = value;
      else failKind(fn, `${at}[${i}]`, isLast ? "a number" : "a list of numbers", value);
    }
  };
  copy(list, 0, name);
  return { name, array, bytes: 0, shape: nested ? lengths : undefined, held: undefined };
}

/** A list that has been read already, as numbers of so many bytes each. */
export function numbersAs(fn: string, name: string, list: ArrayLike<unknown>, bytes: number): Operand {
  return measured(fn, numbersOf(fn, name, list as readonly unknown[]), bytes);
}

/** Whether a type is decided, and by which argument. */
function typeOf(fn: string, all: readonly (Read | undefined)[]): number {
  let first: Read | undefined;
  for (const one of all) {
    if (one === undefined || one.bytes === 0) continue;
    if (first !== undefined && one.bytes !== first.bytes)
      failKind(fn, one.name, `a ${typeName(first.bytes)} like "${first.name}"`, undefined, `a ${typeName(one.bytes)}`);
    first ??= one;
  }
  return first?.bytes ?? 8;
}

export function typeName(bytes: number): string {
  return bytes === 4 ? "Float32Array" : "Float64Array";
}

/** Refuses an array whose buffer was detached, or no longer reaches as far as it: it looks empty. */
export function checkPresent(fn: string, name: string, array: FloatArray): void {
  if (lengthOf(array) === 0 && isGone(array))
    failKind(fn, name, "an array that is there", undefined, "one whose buffer was detached or has shrunk");
}

function measured(fn: string, one: Read, bytes: number): Operand {
  const own = one.held ? residentView(fn, one.name, one.held) : one.array;
  const array = one.bytes === 0 && bytes === 4 ? new Float32Array(own) : own;
  checkPresent(fn, one.name, array);
  const length = lengthOf(array);
  return { name: one.name, array, length, bytes, shape: one.shape };
}

/** Refuses an argument that was left out, where another kind of it is read elsewhere. */
export function checkGiven(fn: string, name: string, value: unknown): void {
  if (value === undefined) failKind(fn, name, EXPECTED, value);
}

/** An argument on its own. */
export function operandOf(fn: string, name: string, value: unknown): Operand {
  const one = read(fn, name, value);
  return measured(fn, one, one.bytes || 8);
}

/** An argument as a caller knows it, and as it came. */
type Named = readonly [name: string, value: unknown];
const NO_MORE: readonly never[] = [];

/**
 * Arguments that must be of one type, in their order: numbers adopt that of the arrays beside them, f32 beside f64 is an error. Of
 * those in `more`, what is `undefined` is left out. (Lists, not records, which take 70 ns more to read and to make.)
 */
export function operandsOf<const G extends readonly Named[], const M extends readonly Named[] = readonly []>(
  fn: string,
  given: G,
  more: M = NO_MORE as readonly Named[] as M,
): readonly [...{ [K in keyof G]: Operand }, ...{ [K in keyof M]: Operand | undefined }] {
  const found: (Read | undefined)[] = [];
  for (const [name, value] of given) found.push(read(fn, name, value));
  for (const [name, value] of more) found.push(value === undefined ? undefined : read(fn, name, value));
  const bytes = typeOf(fn, found);
  const operands: (Operand | undefined)[] = [];
  for (const one of found) operands.push(one && measured(fn, one, bytes));
  return operands as never;
}

/** Pairs of arguments, each of a type of its own: all are read before one is measured. */
export function operandPairsOf(
  fn: string,
  pairs: readonly (readonly [xName: string, x: unknown, yName: string, y: unknown])[],
): (readonly [Operand, Operand])[] {
  const found = pairs.map(([xName, x, yName, y]) => [read(fn, xName, x), read(fn, yName, y)] as const);
  return found.map(([x, y]) => {
    const bytes = typeOf(fn, [x, y]);
    return [measured(fn, x, bytes), measured(fn, y, bytes)];
  });
}

// ------------------------------------------------------------------------------------------------------- shapes

const INTEGERS = "an array of integers ≥ 0";

/** The sizes of an option, copied; undefined if it is not given. */
export function sizesIn(fn: string, name: string, given: unknown): readonly number[] | undefined {
  return given === undefined ? undefined : sizesOf(fn, name, given);
}

/** Sizes as a caller gives them, by number or bigint, copied. */
function sizesOf(fn: string, name: string, given: unknown): readonly number[] {
  if (!Array.isArray(given) && tagOf(given) === undefined) failKind(fn, name, INTEGERS, given);
  const list = given as ArrayLike<unknown>;
  const { length } = list;
  const size = (i: number): number => {
    const one = list[i];
    const n = typeof one === "bigint" ? Number(one) : one;
    if (typeof n !== "number") failKind(fn, name, INTEGERS, given);
    if (!(Number.isSafeInteger(n) && n >= 0)) failValue(fn, name, INTEGERS, given);
    return n;
  };
  if (length === 2) return [size(0), size(1)]; // 10 ns less than a list that grows
  const sizes: number[] = [];
  for (let i = 0; i < length; i++) sizes.push(size(i));
  return sizes;
}

/** How many elements a shape has. */
export function sizeOf(shape: readonly number[]): number {
  return sizeFrom(shape, 0, shape.length);
}

/** The product of some sizes, 0 if one of them is, however large others are. */
function sizeFrom(shape: readonly number[], from: number, to: number): number {
  let size = 1;
  let none = false;
  for (let i = from; i < to; i++) {
    const n = shape[i] as number;
    size *= n;
    none ||= n === 0;
  }
  return none ? 0 : size;
}

/** The shape of an operand in words, or of a flat one how much it holds. */
export function layoutInWords({ shape = [], length }: Operand): string {
  return shape.length > 1 ? inWords(shape) : counted(length, "element");
}

/** A shape in words. */
export function inWords(shape: readonly unknown[]): string {
  return `[${shape.join(", ")}]`;
}

/** The shape of an argument: the option's, checked by `sizesIn`, its own, or the default, one row. */
export function shapeOf(
  fn: string,
  operand: Operand,
  option: readonly number[] | undefined,
  name = "shape",
  byDefault: readonly number[] = [operand.length],
): readonly number[] {
  const shape = option ?? operand.shape ?? byDefault;
  const size = sizeOf(shape);
  if (size !== operand.length)
    throw new RangeError(
      `${fn}: "${name}" ${inWords(shape)} holds ${counted(size, "element")}, but ${operand.name === "x" ? "the input" : `"${operand.name}"`} has ${operand.length}`,
    );
  return shape;
}

/** Two distributions, or rows of them, of one shape; and an argument beside them, of their type. */
export function pairOf(
  fn: string,
  x: unknown,
  y: unknown,
  option: readonly number[] | undefined,
  beside?: unknown,
): {
  readonly p: Operand;
  readonly q: Operand;
  readonly support: Operand | undefined;
  readonly shape: readonly number[];
} {
  const [p, q, support] = operandsOf(
    fn,
    [
      ["p", x],
      ["q", y],
    ],
    [["support", beside]],
  );
  const shape = shapeOf(fn, p, option);
  const own = q.shape ?? [q.length];
  const differ = own.length > 1 && (shape.length > 1 || sizeOf(own) !== q.length) && own.join() !== shape.join();
  if (q.length !== p.length || differ) {
    throw new RangeError(
      `${fn}: "q" must be of the shape of "p", ${inWords(shape)} with ${counted(p.length, "element")}, got ${layoutInWords(q)}`,
    );
  }
  return { p, q, support, shape };
}

/** A shape that must be [n, d]. */
export function matrixOf(fn: string, name: string, shape: readonly number[]): readonly [number, number] {
  if (shape.length !== 2) failValue(fn, name, "of 2 sizes, [n, d]", shape);
  return shape as readonly [number, number];
}

/** Data of a shape as rows along an axis: element j of row (o, i) stands at (o·n + j)·inner + i. */
export interface Layout {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  /** outer · inner */
  readonly rows: number;
}

/** An axis as a caller gives it. */
export function axisOf(fn: string, axis: unknown): number {
  if (axis === undefined) return -1;
  if (typeof axis !== "number") failKind(fn, "axis", "an integer", axis);
  if (!Number.isInteger(axis)) failValue(fn, "axis", "an integer", axis);
  return axis;
}

/** The rows of `shape` along `axis`, which counts from the end where it is negative. A scalar is one row of one. */
export function layoutOf(fn: string, shape: readonly number[], axis: number): Layout {
  const sizes = shape.length === 0 ? [1] : shape;
  const at = axis < 0 ? axis + sizes.length : axis;
  if (at < 0 || at >= sizes.length) {
    const words = `an integer from ${-sizes.length} to ${sizes.length - 1}, for a shape ${inWords(shape)}`;
    failValue(fn, "axis", words, axis);
  }
  const outer = sizeFrom(sizes, 0, at);
  const inner = sizeFrom(sizes, at + 1, sizes.length);
  return { outer, n: sizes[at] as number, inner, rows: outer * inner };
}

/** The shape of the rows along an axis, of which each has one number: that of the data without the axis. */
export function rowShapeOf(shape: readonly number[], axis: number): readonly number[] {
  return shape.filter((_, i) => i !== (axis < 0 ? axis + shape.length : axis));
}

/** An array of zeros; `what` it is for, in words, if there is no memory. */
export function create(fn: string, bytes: number, length: number, what = "the result"): FloatArray {
  try {
    return bytes === 4 ? new Float32Array(length) : new Float64Array(length);
  } catch (cause) {
    throw new RangeError(`${fn}: not enough memory: ${what} would take ${bytes * length} bytes`, { cause });
  }
}
