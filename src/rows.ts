/**
 * Streams rows through the stage of linear memory.
 *
 *     along      rows are contiguous and fit: as many whole rows at a time as fill a tile
 *     across     rows are columns of the data: lines of a tile stand side by side in lanes
 *     piecewise  a row is longer than the stage, or strided and long: step by step, a piece at a time
 *
 * Arrays that are in linear memory already are used where they stand.
 */
import { type Arena, GROUP_BYTES, RESULT_BYTES } from "./arena.ts";
import { STEP } from "./codes/index.ts";
import type { Layout } from "./tensor.ts";
import type { FloatArray } from "./types.ts";

/** The kernels of a function of rows, which all have the same signature, and how it goes about its output. */
export interface RowFunction {
  readonly along: "softmax" | "logSoftmax" | "logSumExp";
  readonly across: "softmaxAcross" | "logSoftmaxAcross" | "logSumExpAcross";
  /** One result per row, rather than one per element. */
  readonly reduces: boolean;
  /** The write step reads what the sum step wrote to y, rather than x. */
  readonly rewrites: boolean;
}

/** Bytes of a tile of rows: half of a 32 KiB L1, though up to 512 KiB makes little difference (docs/memory.md). */
export const TILE_BYTES = 16384;

/** Bytes of a tile of columns, whose lines are copied one by one: [256, 4096] takes 2.5 times as long in 16 KiB. */
const ACROSS_BYTES = 262144;

export function mapRows(
  arena: Arena,
  x: FloatArray,
  y: FloatArray,
  layout: Layout,
  fn: RowFunction,
  temperature: number,
  zero: boolean,
): void {
  const bytes = x.BYTES_PER_ELEMENT;
  if (layout.inner === 1 && layout.n * bytes <= arena.stageBytes)
    along(arena, x, y, layout.rows, layout.n, fn, temperature, zero);
  else if (layout.inner > 1 && layout.n * GROUP_BYTES <= arena.stageBytes)
    across(arena, x, y, layout, fn, temperature, zero);
  else piecewise(arena, x, y, layout, fn, temperature, zero);
}

function along(
  arena: Arena,
  x: FloatArray,
  y: FloatArray,
  rows: number,
  n: number,
  { along: name, reduces }: RowFunction,
  temperature: number,
  zero: boolean,
): void {
  const bytes = x.BYTES_PER_ELEMENT;
  const kernel = arena.kernelsFor(x)[name];
  const step = reduces ? 1 : n;
  const xAt = arena.locate(x);
  const yAt = arena.locate(y);
  const staged = yAt || (reduces ? arena.results : arena.stage);
  if (rows === 1 && !xAt) {
    arena.copyIn(x, 0, n, arena.stage);
    kernel(arena.stage, staged, 1, yAt ? n : arena.pad(arena.stage, n, bytes), temperature, zero, STEP.all);
    if (!yAt) arena.copyOut(staged, step, y, 0);
    return;
  }
  const tile = xAt && yAt ? rows : Math.max(1, Math.floor(TILE_BYTES / (Math.max(n, 1) * bytes)));
  for (let row = 0; row < rows; row += tile) {
    const count = Math.min(tile, rows - row);
    const from = xAt ? xAt + row * n * bytes : arena.stage;
    const to = yAt ? yAt + row * step * bytes : staged;
    if (!xAt) arena.copyIn(x, row * n, count * n, from);
    kernel(from, to, count, n, temperature, zero, STEP.all);
    if (!yAt) arena.copyOut(to, count * step, y, row * step);
  }
}

function across(
  arena: Arena,
  x: FloatArray,
  y: FloatArray,
  layout: Layout,
  fn: RowFunction,
  temperature: number,
  zero: boolean,
): void {
  const { n, inner, rows } = layout;
  const kernel = arena.kernelsFor(x)[fn.across];
  const lanes = GROUP_BYTES / x.BYTES_PER_ELEMENT;
  const groups = Math.min(
    RESULT_BYTES / GROUP_BYTES,
    Math.max(1, Math.floor(ACROSS_BYTES / (Math.max(n, 1) * GROUP_BYTES))),
  );
  const width = Math.min(groups, Math.ceil(rows / lanes)) * lanes;
  const line = width * x.BYTES_PER_ELEMENT;
  const to = fn.reduces ? arena.results : arena.stage;
  for (let column = 0; column < rows; column += width) {
    const count = Math.min(width, rows - column);
    eachRun(column, count, layout, (at, offset, length) => {
      for (let j = 0; j < n; j++)
        arena.copyIn(x, at + j * inner, length, arena.stage + j * line + offset * x.BYTES_PER_ELEMENT);
    });
    kernel(arena.stage, to, n, width, temperature, zero);
    if (fn.reduces) arena.copyOut(to, count, y, column);
    else {
      eachRun(column, count, layout, (at, offset, length) => {
        for (let j = 0; j < n; j++)
          arena.copyOut(arena.stage + j * line + offset * x.BYTES_PER_ELEMENT, length, y, at + j * inner);
      });
    }
  }
}

/** Columns [column, column + count) as runs that are contiguous in the data: where each starts there and in the tile. */
export function eachRun(
  column: number,
  count: number,
  { n, inner }: { readonly n: number; readonly inner: number },
  visit: (at: number, offset: number, length: number) => void,
): void {
  for (let offset = 0; offset < count; ) {
    const o = Math.floor((column + offset) / inner);
    const i = (column + offset) % inner;
    const length = Math.min(inner - i, count - offset);
    visit(o * n * inner + i, offset, length);
    offset += length;
  }
}

function piecewise(
  arena: Arena,
  x: FloatArray,
  y: FloatArray,
  { n, inner, rows }: Layout,
  fn: RowFunction,
  temperature: number,
  zero: boolean,
): void {
  const kernel = arena.kernelsFor(x)[fn.along];
  const piece = arena.stageBytes / x.BYTES_PER_ELEMENT;
  const walk = (source: FloatArray, start: number, first: number, steps: number, keep: boolean): void => {
    for (let j = 0; j < n; j += piece) {
      const count = Math.min(piece, n - j);
      const at = start + j * inner;
      arena.copyIn(source, at, count, arena.stage, inner);
      kernel(arena.stage, arena.stage, 1, count, temperature, zero, j === 0 ? first | steps : steps);
      if (keep) arena.copyOut(arena.stage, count, y, at, inner);
    }
  };
  for (let row = 0; row < rows; row++) {
    const start = Math.floor(row / inner) * n * inner + (row % inner);
    walk(x, start, STEP.begin, STEP.maximum, false);
    walk(x, start, STEP.aim, STEP.sum, fn.rewrites);
    if (fn.reduces) {
      kernel(arena.stage, arena.results, 1, 0, temperature, zero, STEP.finish);
      arena.copyOut(arena.results, 1, y, row);
    } else walk(fn.rewrites ? y : x, start, STEP.finish, STEP.write, true);
  }
}

/**
 * log v or e^v by the kernels, as Math's differ between engines: log 3 in the last bit of V8 and JavaScriptCore, powers
 * even between Node 20 and 26.
 */
export function scalar(at: Arena, kernel: "logarithm" | "exponential", value: number): number {
  at.view(8)[at.results / 8] = value;
  at.kernels[kernel](at.results, at.results, 1);
  return at.number(at.results);
}

/** values ** power in place, as e^{power·log v}. The stage is left alone: the values may stand there. */
export function raise(at: Arena, values: FloatArray, power: number): void {
  const tile = RESULT_BYTES / 8;
  for (let i = 0; i < values.length; i += tile) {
    const count = Math.min(tile, values.length - i);
    at.copyIn(values, i, count, at.results, 1, 8);
    at.kernels.logarithm(at.results, at.results, count);
    const powers = at.view(8).subarray(at.results / 8, at.results / 8 + count);
    for (let j = 0; j < count; j++) (powers[j] as number) *= power;
    at.kernels.exponential(at.results, at.results, count);
    values.set(powers, i);
  }
}

/** Element by element, through tiles. */
export function mapElements(
  arena: Arena,
  x: FloatArray,
  y: FloatArray,
  kernel: (x: number, y: number, count: number) => void,
): void {
  const bytes = x.BYTES_PER_ELEMENT;
  const xAt = arena.locate(x);
  const yAt = arena.locate(y);
  const tile = xAt && yAt ? x.length : TILE_BYTES / bytes;
  for (let i = 0; i < x.length; i += tile) {
    const count = Math.min(tile, x.length - i);
    const from = xAt ? xAt + i * bytes : arena.stage;
    const to = yAt ? yAt + i * bytes : arena.stage;
    if (!xAt) arena.copyIn(x, i, count, from);
    kernel(from, to, count);
    if (!yAt) arena.copyOut(to, count, y, i);
  }
}

/** A weighted reduction in f64, a row at a time, in pieces of half the stage; one row of weights may serve for all rows. */
export function reduceWeighted(
  arena: Arena,
  x: FloatArray,
  w: FloatArray,
  y: FloatArray,
  { n, inner, rows }: Layout,
  kernel: (x: number, w: number, y: number, rows: number, n: number, steps: number) => void,
): void {
  const xAt = arena.stage;
  const wAt = arena.stage + arena.stageBytes / 2;
  const piece = arena.stageBytes / 16;
  const shared = w.length === n;
  for (let row = 0; row < rows; row++) {
    const start = Math.floor(row / inner) * n * inner + (row % inner);
    const walk = (first: number, steps: number): void => {
      let j = 0;
      do {
        const count = Math.min(piece, n - j);
        arena.copyIn(x, start + j * inner, count, xAt, inner, 8);
        arena.copyIn(w, shared ? j : start + j * inner, count, wAt, shared ? 1 : inner, 8);
        kernel(xAt, wAt, arena.results, 1, count, j === 0 ? first | steps : steps);
        j += piece;
      } while (j < n);
    };
    if (n <= piece) walk(0, STEP.all);
    else {
      walk(STEP.begin, STEP.maximum);
      walk(STEP.aim, STEP.sum);
      kernel(xAt, wAt, arena.results, 1, 0, STEP.finish);
    }
    y[row] = arena.number(arena.results);
  }
}
