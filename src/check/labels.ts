/** Reads class labels: one integer a row, in any integer array, list of numbers or bigints, or tensor of these. */
import { tagOf } from "../arrays.ts";
import { describe, failKind, failValue } from "../errors.ts";
import type { FloatArray } from "../types.ts";
import {
  checkPresent,
  inWords,
  type Layout,
  layoutOf,
  type Operand,
  operandOf,
  ownShapeIn,
  readOnce,
  rowShapeOf,
  shapeOf,
} from "./tensor.ts";

/** Integers as they came. */
export interface Labels {
  readonly name: string;
  /** An array of integers, or a copy of a list of anything. */
  readonly list: ArrayLike<unknown>;
  /** Of a tensor, its own. */
  readonly shape: readonly number[] | undefined;
  /** Whether it is a list, which might be a distribution as well. */
  readonly isList: boolean;
}

const INTEGERS = /^(Int8|Uint8|Uint8Clamped|Int16|Uint16|Int32|Uint32|BigInt64|BigUint64)Array$/;

/** An argument as labels; undefined if it is floats, or nothing of the kind. */
export function labelsIn(fn: string, name: string, value: unknown): Labels | undefined {
  const tag = tagOf(value);
  if (tag !== undefined) {
    if (!INTEGERS.test(tag)) return undefined;
    checkPresent(fn, name, value as FloatArray);
    return { name, list: value as Int32Array, shape: undefined, isList: false };
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) {
    if (Array.isArray(value[0])) return undefined;
    return { name, list: Array.from(value as ArrayLike<unknown>), shape: undefined, isList: true };
  }
  const { data } = value as { readonly data?: unknown };
  if (tagOf(data) === undefined && !Array.isArray(data)) return undefined;
  const inner = labelsIn(fn, name, data);
  return inner && { ...inner, shape: ownShapeIn(fn, name, value), isList: false };
}

/** The same of an argument that must be labels. */
export function labelsOf(fn: string, name: string, value: unknown): Labels {
  const found = labelsIn(fn, name, value);
  if (found) return found;
  if (Array.isArray(value)) throw new TypeError(`${fn}: "${name}" in row 0 must be an integer, a class, got a list`);
  return failKind(fn, name, "integers, one a row", value);
}

/** Rows of numbers along an axis, and an integer for each: an index into its row. */
export interface LabelledRows {
  readonly x: Operand;
  readonly layout: Layout;
  readonly labels: Int32Array;
}

/** Both arguments, checked; the caller calls the second `name`, and what is along the axis `what`. */
export function labelledRowsOf(
  fn: string,
  logits: unknown,
  name: string,
  given: unknown,
  sizes: readonly number[] | undefined,
  along: number,
  what: string,
  ignoreIndex?: number,
): LabelledRows {
  const found = labelsOf(fn, name, readOnce(given));
  const x = operandOf(fn, "logits", logits);
  const dims = shapeOf(fn, x, sizes);
  const layout = layoutOf(fn, dims, along);
  const { n, rows } = layout;
  if (n === 0 && rows > 0)
    throw new RangeError(
      `${fn}: "shape" ${inWords(dims)} has no ${what} along the axis ${along}: there must be at least one`,
    );
  if (found.list.length !== rows)
    failValue(fn, name, `of length ${rows}, one for each row`, undefined, `${found.list.length}`);
  return { x, layout, labels: classesOf(fn, found, rowShapeOf(dims, along), n, ignoreIndex) };
}

/** Whether each of some labels is a class, or the one to ignore. */
function areClasses(labels: Int32Array, classes: number, ignoreIndex: number | undefined): boolean {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (label >>> 0 >= classes && label !== ignoreIndex) return false;
  }
  return true;
}

/** Labels as i32, each a class or, if there is one, the one to ignore, of rows of `shape` along an axis; or, not one a row, of `shape`. */
export function classesOf(
  fn: string,
  { name, list, shape }: Labels,
  rowShape: readonly number[],
  classes: number,
  ignoreIndex?: number,
  onePerRow = true,
): Int32Array {
  if (shape !== undefined && shape.join() !== rowShape.join() && !(shape.join() === "1" && rowShape.length === 0)) {
    const words = `${inWords(rowShape)}, that of the rows`;
    throw new RangeError(`${fn}: "${name}" must have the shape ${words}, got ${inWords(shape)}`);
  }
  if (list instanceof Int32Array) {
    const copied = new Int32Array(list);
    if (areClasses(copied, classes, ignoreIndex)) return copied;
  }
  const checked = new Int32Array(list.length);
  const at = (i: number): string => (onePerRow ? `"${name}" in row ${i}` : `"${name}[${i}]"`);
  for (let i = 0; i < checked.length; i++) {
    const given = list[i];
    const label = typeof given === "bigint" ? Number(given) : given;
    if (typeof label !== "number" || !Number.isInteger(label))
      throw new TypeError(`${fn}: ${at(i)} must be an integer, a class, got ${describe(given)}`);
    if (!(label >= 0 && label < classes) && label !== ignoreIndex) {
      const ignored = ignoreIndex === undefined ? "" : ` or ignoreIndex ${ignoreIndex}`;
      const expected = `a class from 0 to ${classes - 1}${ignored}`;
      throw new RangeError(`${fn}: ${at(i)} must be ${expected}, got ${describe(given)}`);
    }
    checked[i] = label;
  }
  return checked;
}
