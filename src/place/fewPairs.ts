/**
 * The short way of a product of few rows, one block of one chain: of [1, 10] and itself the kernel takes 70 ns, and the ordinary way to
 * it (blocks.ts) 450. What it is for, and what it leaves to that, is as in few.ts; the kernels are called alike, and the bits are the same.
 */
import * as CODE from "../../assembly/gram/codes.ts";
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { arena } from "../memory/kernels.ts";
import type { FloatArray } from "../types.ts";
import type { Mapping } from "./blocks.ts";
import { resultOf, rowsOf } from "./few.ts";

/** Rows of an operand and their length at most: a block and a chain. */
const SIDE = 32;
const DEPTH = 256;

/** Elements from row to row of the product: a tile goes beyond the last column. */
const STRIDE = SIDE + 16;

/** Where things stand behind the rows of x, in bytes from these: each operand is 8 KiB at most, and a tile reads 5 rows beyond. */
const Y = 0x8000;
const PACKED = 2 * Y;
const C = PACKED + 8 * SIDE * DEPTH + 0x1000;

/** Rows that stand in linear memory. */
export interface FewPairs {
  readonly at: Arena;
  readonly tag: string;
  readonly bytes: number;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Whether the others are the rows of x once more. */
  readonly own: boolean;
}

/** x [n, d] and y [m, d], or x alone, copied in. */
export function fewPairsOf(
  fn: string,
  x: unknown,
  y: unknown,
  sizes: readonly number[] | undefined,
  ySizes: readonly number[] | undefined,
): FewPairs | undefined {
  const others = ySizes ?? sizes;
  if (sizes?.length !== 2 || others?.length !== 2) return undefined;
  const first = rowsOf(fn, "x", x, sizes);
  if (first === undefined) return undefined;
  const own = y === undefined;
  const second = own ? first : rowsOf(fn, "y", y, others);
  if (second === undefined || second.tag !== first.tag || second.n !== first.n) return undefined;
  if (first.rows > SIDE || second.rows > SIDE || first.n > DEPTH) return undefined;
  const { tag, bytes, rows, n } = first;
  const at = arena();
  at.copyIn(first.array, bytes, 0, first.length, at.stage);
  if (!own) at.copyIn(second.array, bytes, 0, second.length, at.stage + Y);
  return { at, tag, bytes, rows, columns: second.rows, depth: n, own };
}

/** The largest magnitude of what was copied in; NaN if there is one. */
export function largestOfFew({ at, bytes, rows, columns, depth, own }: FewPairs): number {
  const view = at.view(bytes);
  let largest = 0;
  const look = (pointer: number, count: number): void => {
    const from = pointer / bytes;
    for (let i = from; i < from + count; i++) largest = Math.max(largest, Math.abs(view[i] as number));
  };
  look(at.stage, rows * depth);
  if (!own) look(at.stage + Y, columns * depth);
  return largest;
}

/**
 * Writes the product, mapped, to `out`; undefined if that is for the ordinary way, as is a result below `least` or that is no number, but for
 * those of a row and itself.
 */
export function fewProduct(
  fn: string,
  { at, tag, bytes, rows, columns, depth, own }: FewPairs,
  out: unknown,
  of: 0 | 1 | 2,
  { map, factor, shift, degree }: Mapping,
  least?: number,
): FloatArray | undefined {
  const count = rows * columns;
  const result = resultOf(fn, out, { tag, bytes }, count);
  if (result === undefined) return undefined;
  const x = at.stage;
  const c = x + C;
  const kernels = at.typed(GRAM, bytes);
  kernels.product(of, x, depth, rows, own ? x : x + Y, depth, columns, false, depth, x + PACKED, c, STRIDE, false, own);
  if (map !== CODE.LINEAR || factor !== 1) kernels.map(map, c, STRIDE, rows, columns, own, factor, shift, degree);
  if (own) kernels.mirror(c, STRIDE, rows);
  kernels.compact(c, STRIDE, rows, columns);
  if (least !== undefined) {
    const view = at.view(bytes);
    for (let i = 0; i < count; i++)
      if (!((view[c / bytes + i] as number) >= least) && !(own && i % (rows + 1) === 0)) return undefined;
  }
  at.copyOut(c, count, result, bytes, 0);
  return result;
}
