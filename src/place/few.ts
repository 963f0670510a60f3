/**
 * The short way of a call on a few elements: of [1, 10] the kernel takes 70 ns and the ordinary way to it 400.
 *
 * It is for typed arrays, residents too, and whole rows along the last axis; `undefined` says that it is not for these, which the ordinary way
 * then takes or refuses. Nothing is refused here but a resident that is disposed of or another variant's. The caller has read its
 * options, and what is looked at are the arrays themselves. All is copied in before anything is written, so that `out` may overlap the input in any way.
 */
import { lengthOf, tagOf } from "../arrays.ts";
import { create, floatBytes } from "../check/tensor.ts";
import { type Arena, copyClasses, RESULT_BYTES } from "../memory/arena.ts";
import { arena } from "../memory/kernels.ts";
import { isResident, residentView } from "../memory/residents.ts";
import { CompensatedSum, unitFor } from "../read/sum.ts";
import type { FloatArray } from "../types.ts";
import type { Output } from "./output.ts";

/** Elements at most: 8 KiB of f64, a tile. Beyond these what the ordinary way takes is lost beside the kernel. */
const MOST = 1024;

/**
 * Runs the kernel of one type on `rows` rows of n elements at `x`. Results go to `y`: x itself, if they are as many as elements. An
 * engine makes a call to WebAssembly short where it is always the same function that is called, so there are two calls in it.
 */
export type Few = (
  at: Arena,
  isF32: boolean,
  x: number,
  y: number,
  rows: number,
  n: number,
  temperature: number,
  zero: boolean,
) => void;

/** Rows along the last axis. */
export interface FewRows {
  readonly array: FloatArray;
  readonly tag: string;
  readonly bytes: number;
  readonly length: number;
  readonly rows: number;
  readonly n: number;
}

/** The array of a resident; anything else as it is, which is known for an array by its tag alone. */
function viewed(fn: string, name: string, value: unknown): FloatArray {
  return (tagOf(value) === undefined && isResident(value) ? residentView(fn, name, value) : value) as FloatArray;
}

export function rowsOf(
  fn: string,
  name: string,
  input: unknown,
  sizes: readonly number[] | undefined,
): FewRows | undefined {
  const array = viewed(fn, name, input);
  const tag = tagOf(array);
  const bytes = floatBytes(tag);
  if (bytes === 0) return undefined;
  const length = lengthOf(array);
  if (length === 0 || length > MOST) return undefined;
  if (sizes === undefined) return { array, tag: tag as string, bytes, length, rows: 1, n: length };
  let rows = 1;
  for (let i = 0; i < sizes.length - 1; i++) rows *= sizes[i] as number;
  const n = sizes[sizes.length - 1] ?? 1;
  return rows * n === length ? { array, tag: tag as string, bytes, length, rows, n } : undefined;
}

/** Where results may be written: `out`, if it is such an array, or a new one if there is no `out`. */
export function resultOf(
  fn: string,
  out: unknown,
  { tag, bytes }: Pick<FewRows, "tag" | "bytes">,
  length: number,
): FloatArray | undefined {
  if (out === undefined) return create(fn, bytes, length);
  const array = viewed(fn, "out", out);
  return tagOf(array) === tag && lengthOf(array) === length ? array : undefined;
}

/** An array beside another, of its type and length; undefined if it is not. */
function besideOf(
  fn: string,
  name: string,
  value: unknown,
  { tag, length }: Pick<FewRows, "tag" | "length">,
): FloatArray | undefined {
  const array = viewed(fn, name, value);
  return tagOf(array) === tag && lengthOf(array) === length ? array : undefined;
}

/** `perRow`: one result a row, not one an element. `temperature` and `zero` are the kernel's. */
export function few(
  fn: string,
  name: string,
  input: unknown,
  sizes: readonly number[] | undefined,
  out: unknown,
  perRow: boolean,
  run: Few,
  temperature = 1,
  zero = false,
): FloatArray | undefined {
  const found = rowsOf(fn, name, input, sizes);
  if (found === undefined) return undefined;
  const { array, bytes, length, rows, n } = found;
  const results = perRow ? rows : length;
  const y = resultOf(fn, out, found, results);
  if (y === undefined) return undefined;
  const at = arena();
  at.copyIn(array, bytes, 0, length, at.stage);
  const to = perRow ? at.results : at.stage;
  run(at, bytes === 4, at.stage, to, rows, n, temperature, zero);
  at.copyOut(to, results, y, bytes, 0);
  return y;
}

/** Runs a kernel that leaves one f64 a row at `values`; `y` is where what is beside x stands: an array like it, or a class for each row. */
export type FewPairs = (
  at: Arena,
  isF32: boolean,
  x: number,
  y: number,
  values: number,
  rows: number,
  n: number,
) => void;

/** What it has left, and where it is written if that is one number a row. */
export interface FewNumbers {
  readonly at: Arena;
  readonly rows: number;
  readonly n: number;
  readonly values: number;
  readonly out: Output | undefined;
}

/**
 * A number for each row of one array, or of two that are alike, of which the second of one has no name. `each`: `out` is for them;
 * `most`: bytes of an array at most.
 */
export function fewNumbers(
  fn: string,
  names: readonly [string, string?],
  first: unknown,
  second: unknown,
  sizes: readonly number[] | undefined,
  out: unknown,
  each: boolean,
  run: FewPairs,
  most = 8 * MOST,
): FewNumbers | undefined {
  const found = rowsOf(fn, names[0], first, sizes);
  if (found === undefined) return undefined;
  const { array, bytes, length, rows, n } = found;
  if (length * bytes > most) return undefined;
  const beside = names[1] === undefined ? undefined : besideOf(fn, names[1], second, found);
  if (names[1] !== undefined && beside === undefined) return undefined;
  const results = each ? resultOf(fn, out, found, rows) : undefined;
  if (each && results === undefined) return undefined;
  const at = arena();
  const values = at.results + RESULT_BYTES;
  const y = at.stage + 8 * MOST;
  at.copyIn(array, bytes, 0, length, at.stage);
  if (beside) at.copyIn(beside, bytes, 0, length, y);
  run(at, bytes === 4, at.stage, y, values, rows, n);
  return { at, rows, n, values, out: results && { array: results, length: rows, bytes, fresh: out === undefined } };
}

/** The same where `weights` has one for each class, or is 0; for the mean a sum is divided by `over`. */
export type FewLosses = (
  at: Arena,
  isF32: boolean,
  x: number,
  y: number,
  values: number,
  rows: number,
  n: number,
  weights: number,
  over: number,
) => void;

/** The same with a class for each row: one f64 a row, which is left at `values`, and if it is wanted a gradient at x. */
export interface FewLabelled {
  readonly at: Arena;
  readonly rows: number;
  readonly values: number;
  /** The weights of the rows' classes, together. */
  readonly over: number;
  readonly grad: FloatArray | undefined;
}

/**
 * The weights of the rows' classes, together; undefined if a mean is not taken with them as they are. The classes stand where
 * `copyClasses` has put them.
 */
function weightOf(at: Arena, bytes: number, weights: number, rows: number): number | undefined {
  const [view, first, classes] = [at.view(bytes), weights / bytes, at.results / 4];
  const total = new CompensatedSum();
  let largest = 0;
  for (let row = 0; row < rows; row++) {
    const weight = view[first + (at.integers[classes + row] as number)] as number;
    total.add(weight);
    largest = Math.max(largest, Math.abs(weight));
  }
  return bytes === 4 || unitFor(largest) === 1 ? total.value : undefined;
}

export function fewLabelled(
  fn: string,
  input: unknown,
  labels: unknown,
  sizes: readonly number[] | undefined,
  out: unknown,
  withGrad: boolean,
  run: FewLosses,
  weight?: unknown,
): FewLabelled | undefined {
  if (tagOf(labels) !== "Int32Array") return undefined;
  const found = rowsOf(fn, "logits", input, sizes);
  if (found === undefined) return undefined;
  const { array, tag, bytes, length, rows, n } = found;
  if (lengthOf(labels as FloatArray) !== rows) return undefined;
  const each = weight === undefined ? undefined : besideOf(fn, "weight", weight, { tag, length: n });
  if (weight !== undefined && each === undefined) return undefined;
  const at = arena();
  const values = at.results + RESULT_BYTES;
  // a label that is no class is ignored or refused, which is not done here
  if (!copyClasses(at, labels as Int32Array, rows, n, at.results)) return undefined;
  const grad = withGrad ? resultOf(fn, out, found, length) : undefined;
  if (withGrad && grad === undefined) return undefined;
  at.copyIn(array, bytes, 0, length, at.stage);
  const weights = each ? at.stage + 8 * MOST : 0;
  if (each) at.copyIn(each, bytes, 0, n, weights);
  const over = each ? weightOf(at, bytes, weights, rows) : rows;
  if (over === undefined) return undefined;
  run(at, bytes === 4, at.stage, at.results, values, rows, n, weights, over);
  if (grad) at.copyOut(at.stage, length, grad, bytes, 0);
  return { at, rows, values, over, grad };
}
