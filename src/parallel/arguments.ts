/** Arguments of a call that is divided: read once, and in memory that all threads share. */
import { bufferOf, byteOffsetOf, lengthOf, stridesOf, tagOf } from "../arrays.ts";
import type { FloatArray } from "../types.ts";

/** Any typed array. */
type Elements = FloatArray;

type Constructor = (new (
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
) => Elements) & {
  readonly BYTES_PER_ELEMENT: number;
};

function constructorOf(tag: string): Constructor {
  return (globalThis as unknown as Record<string, Constructor>)[tag] as Constructor;
}

export function isShared(array: unknown): boolean {
  return Object.prototype.toString.call(bufferOf(array as Elements)) === "[object SharedArrayBuffer]";
}

/**
 * A value as it is read now: of an object with data and a shape these, of which a getter may have to be asked, and its strides. All else, lists
 * and residents too, is the function's to read.
 */
export function readOnce(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || tagOf(value) !== undefined) return value;
  const { data, shape, dims } = value as Readonly<Record<string, unknown>>;
  if (tagOf(data) === undefined) return value;
  const strides = stridesOf(value);
  return { data, ...(shape === undefined ? { dims } : { shape }), ...(strides && { strides }) };
}

/**
 * The options, each read once: own ones and those of a prototype, as the functions see them. What a script has put on the prototype of all
 * objects is no option, which a function would refuse if it were the object's own.
 */
export function optionsOnce(options: object): Record<string, unknown> {
  const once = Object.create(null) as Record<string, unknown>;
  for (const name in options) {
    if (name in Object.prototype && !Object.hasOwn(options, name)) continue;
    once[name] = readOnce((options as Readonly<Record<string, unknown>>)[name]);
  }
  return once;
}

/** The typed array in an argument, if there is one. */
function elementsIn(
  value: unknown,
): { readonly array: Elements; readonly with: (array: Elements) => unknown } | undefined {
  if (tagOf(value) !== undefined) return { array: value as Elements, with: (array) => array };
  if (typeof value !== "object" || value === null) return undefined;
  const { data, array } = value as Readonly<Record<string, unknown>>;
  if (tagOf(data) !== undefined) return { array: data as Elements, with: (copy) => ({ ...value, data: copy }) };
  // a resident array, whose elements workers have as an ordinary one
  if (tagOf(array) !== undefined) return { array: array as Elements, with: (copy) => copy };
  return undefined;
}

/** An argument with elements: how many bytes of it are to be copied, and the copy at an offset of shared memory. */
export interface Packed {
  readonly bytes: number;
  /** Whether it is still what it was. */
  isThere(): boolean;
  overlaps(other: FloatArray): boolean;
  at(buffer: ArrayBufferLike, byteOffset: number): unknown;
}

export function packed(value: unknown): Packed {
  const found = elementsIn(value);
  if (!found) return { bytes: 0, isThere: () => true, overlaps: () => false, at: () => value };
  const { array } = found;
  const length = lengthOf(array);
  const type = constructorOf(tagOf(array) as string);
  const bytes = length * type.BYTES_PER_ELEMENT;
  const offset = byteOffsetOf(array);
  const buffer = bufferOf(array);
  const overlaps = (other: FloatArray): boolean => {
    const from = byteOffsetOf(other);
    const end = from + lengthOf(other) * constructorOf(tagOf(other) as string).BYTES_PER_ELEMENT;
    return bufferOf(other) === buffer && from < offset + bytes && offset < end;
  };
  const isThere = (): boolean => lengthOf(array) === length;
  if (isShared(array)) {
    const view = new type(buffer, offset, length);
    return { bytes: 0, isThere, overlaps, at: () => found.with(view) };
  }
  return {
    bytes,
    isThere,
    overlaps,
    at(to, byteOffset) {
      const copy = new type(to, byteOffset, length);
      // byte by byte, for a list of numbers would be converted
      new Uint8Array(to, byteOffset, bytes).set(new Uint8Array(buffer, offset, bytes));
      return found.with(copy);
    },
  };
}
