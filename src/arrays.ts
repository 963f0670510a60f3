/**
 * What can be asked of an array without running its owner's code.
 *
 * A subclass of a typed array may have a constructor of any kind, which `subarray`, `slice` and `map` call (its species), an
 * object may say by Symbol.toStringTag that it is a Float32Array, and any property may be shadowed. The getters of
 * %TypedArray% look at the array itself, in this realm or another, and cost 5 ns.
 */
import type { FloatArray } from "./types.ts";

type Getter<R> = { call(array: unknown): R };

/** The getters of %TypedArray%. No typed array is read through its own properties, but for its elements. */
const intrinsic = /* @__PURE__ */ (() => {
  const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
  const getter = (name: string | symbol) => Object.getOwnPropertyDescriptor(prototype, name)?.get as unknown;
  return {
    tag: getter(Symbol.toStringTag) as Getter<string | undefined>,
    length: getter("length") as Getter<number>,
    buffer: getter("buffer") as Getter<ArrayBuffer>,
    byteOffset: getter("byteOffset") as Getter<number>,
    indexOf: (prototype as { indexOf: unknown }).indexOf as { call(array: unknown, value: number): number },
    set: (prototype as { set: unknown }).set as { call(array: unknown, values: unknown, at: number): void },
  };
})();

/** "Float32Array" and so on; undefined of what is no typed array. */
export function tagOf(value: unknown): string | undefined {
  return intrinsic.tag.call(value);
}

/**
 * The steps along each axis that a tensor says its elements stand apart: `stride` of ndarray and zarrita, `strides` of numpy-ts and of
 * Pyodide's buffers. What is no list is none of these: `stride` is a method in transformers.js.
 */
export function stridesOf(tensor: object): ArrayLike<unknown> | undefined {
  const { stride, strides } = tensor as { readonly stride?: unknown; readonly strides?: unknown };
  const isList = (steps: unknown): boolean => Array.isArray(steps) || tagOf(steps) !== undefined;
  return [stride, strides].find(isList) as ArrayLike<unknown> | undefined;
}

/** 0 of an array that is detached, or beyond the end of its buffer. */
export function lengthOf(array: FloatArray): number {
  return intrinsic.length.call(array);
}

/** Its buffer: of an array of at most 64 bytes the first time costs 200 ns, as the engine has yet to make one. */
export function bufferOf(array: FloatArray): ArrayBuffer {
  return intrinsic.buffer.call(array);
}

export function byteOffsetOf(array: FloatArray): number {
  return intrinsic.byteOffset.call(array);
}

/** Whether an array of length 0 is so because its buffer was detached, or has shrunk. */
export function isGone(array: unknown): boolean {
  try {
    intrinsic.indexOf.call(array, 0);
    return false;
  } catch {
    return true;
  }
}

/** Copies `values` into an array, from index `at` on; overlapping or not. */
export function put(values: ArrayLike<number>, array: FloatArray, at: number): void {
  intrinsic.set.call(array, values, at);
}

/** A plain copy of an array whose elements have `bytes`. */
export function copyOf(array: FloatArray, bytes: number): FloatArray {
  const copy = new (arrayType(bytes))(lengthOf(array));
  put(array, copy, 0);
  return copy;
}

/** The constructor for elements of so many bytes. */
export function arrayType(bytes: number): Float32ArrayConstructor | Float64ArrayConstructor {
  return bytes === 4 ? Float32Array : Float64Array;
}

/** Elements [from, from + count) of an array whose elements have `bytes`, as a plain view of them. */
export function part(array: FloatArray, bytes: number, from: number, count: number): FloatArray {
  return new (arrayType(bytes))(bufferOf(array), byteOffsetOf(array) + from * bytes, count);
}
