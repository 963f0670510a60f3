/** Arrays that live in linear memory. */
import { arrayType, lengthOf, tagOf } from "../arrays.ts";
import { failKind, failValue } from "../errors.ts";
import { integerIn, oneOf } from "../options.ts";
import type { FloatArray, Resident } from "../types.ts";
import type { Arena } from "./arena.ts";
import { allocate, free } from "./heap.ts";
import { arena } from "./kernels.ts";
import { register } from "./residents.ts";

class ResidentArray<T extends FloatArray = FloatArray> {
  readonly length: number;
  readonly #arena: Arena;
  readonly #bytes: number;
  #pointer: number;
  #array: T | undefined;

  constructor(memory: Arena, bytes: number, length: number) {
    this.length = length;
    this.#arena = memory;
    this.#bytes = bytes;
    this.#pointer = allocate(memory, "resident", length * bytes);
    this.array.fill(0);
    register(this, (fn, name) => this.#argument(fn, name));
  }

  /** Its view, for a function that takes it as an argument. */
  #argument(fn: string, name: string): T {
    const current = arena();
    if (this.#arena !== current) {
      const [own, used] = [this.#arena.variant, current.variant];
      throw new TypeError(
        `${fn}: "${name}" is a resident array of the ${own} kernels, but the ${used} kernels are in use; make it anew with resident()`,
      );
    }
    if (this.#pointer === 0)
      throw new TypeError(`${fn}: "${name}" is a resident array that has been disposed of and can no longer be used`);
    return this.#view();
  }

  get array(): T {
    if (this.#pointer === 0) throw new TypeError('resident: "array" has been disposed of and can no longer be used');
    return this.#view();
  }

  #view(): T {
    // memory that has grown since has left the view empty
    if (this.#array === undefined || this.#array.buffer !== this.#arena.buffer)
      this.#array = this.#arena.arrayAt(this.#pointer, this.length, this.#bytes) as T;
    return this.#array;
  }

  set(values: ArrayLike<number>, offset = 0): void {
    const fn = "resident.set";
    if (this.#pointer === 0)
      throw new TypeError(`${fn}: this resident array has been disposed of and can no longer be used`);
    integerIn(fn, "offset", offset, undefined, 0, this.length);
    const numbers = numbersOf(fn, values);
    const count = lengthOf(numbers);
    if (count > this.length - offset) {
      const room = offset ? `${this.length - offset}, what there is from offset ${offset} on` : String(this.length);
      failValue(fn, "values", `of at most length ${room}`, values);
    }
    // reading a list runs its getters, which may have made memory grow or disposed of this array
    if (this.#pointer !== 0) this.#view().set(numbers, offset);
  }

  dispose(): void {
    if (this.#pointer !== 0) free(this.#arena, this.#pointer);
    this.#pointer = 0;
    this.#array = undefined;
  }
}

/** Typed arrays of numbers as they are; of anything else a copy, made whole before anything of it is written. */
function numbersOf(fn: string, values: unknown): FloatArray {
  const tag = tagOf(values);
  if (tag !== undefined && !tag.startsWith("Big")) return values as FloatArray;
  if (tag !== undefined || typeof values !== "object" || values === null) failKind(fn, "values", "an array", values);
  const { length } = values as { readonly length?: unknown };
  if (typeof length !== "number" || !Number.isInteger(length) || length < 0) failKind(fn, "values", "an array", values);
  const copy: number[] = [];
  for (let i = 0; i < length; i++) {
    const value = (values as ArrayLike<unknown>)[i];
    if (typeof value !== "number") failKind(fn, `values[${i}]`, "a number", value);
    copy.push(value);
  }
  return Float64Array.from(copy);
}

/**
 * An array of `length` zeros inside linear memory, which every function takes, as input and as `out`. Functions of rows read and
 * write it where it stands, unless it has at most 32 elements (1,024 in the plainest calls); those of pairs and of transport copy it, as they do all input. It
 * belongs to the variant in use when it was made. Free it with `dispose()` (or `using`): it is not collected.
 *
 * @throws TypeError or RangeError for a wrong type or length, RangeError where memory cannot grow enough.
 * @example
 * const x = resident("f32", 1000);
 * x.set(logits);
 * softmax(x, { out: x });
 * x.dispose();
 */
export function resident(type: "f32", length: number): Resident<Float32Array>;
export function resident(type: "f64", length: number): Resident<Float64Array>;
export function resident(type: "f32" | "f64", length: number): Resident<FloatArray>;
export function resident(type: "f32" | "f64", length: number): Resident<FloatArray> {
  const { BYTES_PER_ELEMENT: bytes } = arrayType(oneOf("resident", "type", type, ["f32", "f64"]) === "f32" ? 4 : 8);
  const checked = integerIn("resident", "length", length, undefined, 0, 2 ** 32);
  // an older engine has no Symbol.dispose
  const { prototype } = ResidentArray;
  if (Symbol.dispose && !(Symbol.dispose in prototype))
    Object.assign(prototype, { [Symbol.dispose]: prototype.dispose });
  return new ResidentArray(arena(), bytes, checked) as unknown as Resident<FloatArray>;
}
