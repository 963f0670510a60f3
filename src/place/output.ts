/** Where results go: the caller's `out`, or a new array; and how inputs are kept apart from them. */
import { bufferOf, byteOffsetOf, lengthOf, put, tagOf } from "../arrays.ts";
import { checkPresent, create, floatBytes, type Operand, typeName } from "../check/tensor.ts";
import { failKind, failValue, withArticle } from "../errors.ts";
import { arena } from "../memory/kernels.ts";
import { isResident, residentView } from "../memory/residents.ts";
import { sharing } from "../share.ts";
import type { FloatArray } from "../types.ts";

/** The caller's `out`, or a new array. */
export interface Output {
  readonly array: FloatArray;
  readonly length: number;
  readonly bytes: number;
  /** Whether nobody else has it: it overlaps nothing. */
  readonly fresh: boolean;
}

/** The caller's `out`, which must be of the type and the length given, or a new array. */
export function outputOf(fn: string, out: unknown, bytes: number, length: number, name = "out"): Output {
  const share = sharing();
  if (!share) return ownOutput(fn, out, bytes, length, name);
  const given = out !== undefined;
  const make = (): FloatArray => ownOutput(fn, out, bytes, length, name).array;
  const array = share.output(bytes === 4 ? "f32" : "f64", length, make, given ? "given" : "new");
  return { array, length, bytes, fresh: !given };
}

function ownOutput(fn: string, out: unknown, bytes: number, length: number, name: string): Output {
  if (out === undefined) return { array: create(fn, bytes, length), length, bytes, fresh: true };
  const array = isResident(out) ? residentView(fn, name, out) : out;
  const tag = tagOf(array);
  if (floatBytes(tag) !== bytes)
    failKind(fn, name, `a ${typeName(bytes)}, the type of the input`, array, tag && withArticle(tag));
  checkPresent(fn, name, array as FloatArray);
  if (lengthOf(array as FloatArray) !== length) failValue(fn, name, `of length ${length}`, array);
  return { array: array as FloatArray, length, bytes, fresh: false };
}

/** Refuses an `out` where nothing could be written to it. */
export function noOutput(fn: string, out: unknown, reduction: string): void {
  if (out !== undefined)
    failKind(fn, "out", `left out where "reduction" is "${reduction}", which returns a number`, out);
}

/** Any elements somewhere. */
type Elements = Pick<Operand, "array" | "length" | "bytes">;

/**
 * How an array is found while code of the caller's runs, a callback or a signal. Memory that this makes grow takes the view of a
 * resident array away, but not its elements: they stand where they stood.
 *
 * @throws TypeError for an array that was detached or made smaller meanwhile.
 */
export function lasting(fn: string, name: string, { array, length, bytes }: Elements): () => FloatArray {
  const at = arena();
  const pointer = bufferOf(array) === at.buffer ? byteOffsetOf(array) : undefined;
  let view = array;
  return () => {
    if (lengthOf(view) === length) return view;
    if (pointer === undefined)
      failKind(fn, name, "an array that stays as it is while the call runs", view, "one detached or made smaller");
    view = at.arrayAt(pointer, length, bytes);
    return view;
  };
}

/** Whether two arrays share memory. */
export function overlap(x: Elements, y: Elements): boolean {
  if (x.length === 0 || y.length === 0 || bufferOf(x.array) !== bufferOf(y.array)) return false;
  const [from, to] = [byteOffsetOf(x.array), byteOffsetOf(y.array)];
  return from < to + y.length * y.bytes && to < from + x.length * x.bytes;
}

/** Whether two arrays are the same elements. */
export function same(x: Elements, y: Elements): boolean {
  return (
    x.array === y.array ||
    (x.length === y.length &&
      x.bytes === y.bytes &&
      bufferOf(x.array) === bufferOf(y.array) &&
      byteOffsetOf(x.array) === byteOffsetOf(y.array))
  );
}

/** The input, or a copy of it where one of the outputs shares memory with it: what is written is not read again. */
export function apart<X extends Elements & { readonly name: string }>(
  fn: string,
  input: X,
  outputs: readonly Output[],
): X {
  return outputs.some((out) => !out.fresh && overlap(input, out)) ? copied(fn, input) : input;
}

/** A copy of an input: of what code of the caller's may change meanwhile. */
export function copied<X extends Elements & { readonly name: string }>(fn: string, input: X): X {
  const array = create(fn, input.bytes, input.length, `a copy of "${input.name}"`);
  put(input.array, array, 0);
  return { ...input, array };
}

/**
 * Where a result is made, and `deliver`, which moves it to its output. That is the output itself; while code of the caller's runs, which
 * may end the call or make memory grow under the output, it is a new array.
 */
export function madeIn(fn: string, out: Output, alone: boolean): { made: Output; deliver: () => FloatArray } {
  if (!alone || out.fresh) return { made: out, deliver: () => out.array };
  const found = lasting(fn, "out", out);
  const made = outputOf(fn, undefined, out.bytes, out.length);
  return {
    made,
    deliver: () => {
      const array = found();
      put(made.array, array, 0);
      return array;
    },
  };
}

/** Refuses outputs that share memory with each other. */
export function checkDistinct(fn: string, outputs: Readonly<Record<string, Output>>): void {
  const named = Object.entries(outputs);
  named.forEach(([name, one], i) => {
    for (const [other, two] of named.slice(i + 1))
      if (!one.fresh && !two.fresh && overlap(one, two))
        throw new RangeError(
          `${fn}: "${name}" and "${other}" must not share memory: each would be written over the other`,
        );
  });
}
