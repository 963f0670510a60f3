/**
 * Streams rows of several arrays through linear memory, for functions that read more than one input or write gradients.
 *
 * The stage is cut into a slot for each array of elements and each list of classes; a tile of rows is copied in, the kernel
 * runs over it, and what it wrote is copied out. A row longer than its slot goes through in pieces, phase by phase.
 * Rows along an axis that is not the last are gathered, line by line, so that both sides are read and written in order.
 */
import { type Arena, GROUP_BYTES, RESULT_BYTES } from "./arena.ts";
import { STEP } from "./codes/index.ts";
import { eachRun, TILE_BYTES } from "./rows.ts";
import type { Layout } from "./tensor.ts";
import type { FloatArray } from "./types.ts";

/** Where a tile's arrays stand in linear memory. */
export interface Pointers {
  readonly elements: readonly number[];
  readonly classes: readonly number[];
  readonly labels: number;
  readonly samples: number;
  readonly results: readonly number[];
}

/** Steps for the first piece only and for every piece; whether what is written goes out, and comes back in first. */
export interface Phase {
  readonly first: number;
  readonly each: number;
  readonly keeps?: boolean;
  readonly rereads?: boolean;
}

export interface Stream {
  /** Arrays of the shape of the data, [rows, n], rows along the axis: those read, and behind them those written. */
  readonly reads: readonly FloatArray[];
  readonly writes?: readonly FloatArray[];
  /** Lists of n numbers, the same for every row: class weights. Of the type of the elements. */
  readonly classes?: readonly FloatArray[];
  /** One integer per row. */
  readonly labels?: Int32Array | undefined;
  /** One f64 per row, read; beside it at most one is written. */
  readonly samples?: Float64Array | undefined;
  /** One f64 per row, written: at most two. */
  readonly results: readonly Float64Array[];
  /** What is done with a row in pieces, phase by phase. */
  readonly phases: readonly Phase[];
  /** The steps that end a row in pieces, 0 if the phases do. */
  readonly finish: number;
  /** Runs the kernel; `from` is the index in the row at which a piece begins. */
  readonly run: (at: Pointers, rows: number, n: number, steps: number, from: number) => void;
}

/** Rows of a tile, whose labels and results take their part of the arena's results: f64 at most. */
const TILE_ROWS = RESULT_BYTES / 8;

export function streamRows(arena: Arena, layout: Layout, stream: Stream): void {
  const { reads, writes = [], classes = [], labels, samples, results } = stream;
  const elements = [...reads, ...writes];
  const { n, rows, inner } = layout;
  const bytes = (reads[0] as FloatArray).BYTES_PER_ELEMENT;
  const slot = Math.floor(arena.stageBytes / (elements.length + classes.length) / GROUP_BYTES) * GROUP_BYTES;
  const slots = elements.map((_, i) => arena.stage + i * slot);
  // arrays in linear memory are used where they stand, if whole rows of them can be
  const residents = elements.map((array) => (inner === 1 && n * bytes <= slot ? arena.locate(array) : 0));
  const fixed = {
    classes: classes.map((_, i) => arena.stage + (elements.length + i) * slot),
    labels: arena.results,
    samples: arena.results + 2 * RESULT_BYTES,
    results: results.map((_, i) => arena.results + RESULT_BYTES * (i + 1)),
  };
  const whole = n * bytes <= slot;
  if (whole) {
    classes.forEach((list, i) => {
      arena.copyIn(list, 0, n, fixed.classes[i] as number);
    });
  }
  const tile = whole ? Math.min(TILE_ROWS, Math.max(1, Math.floor(TILE_BYTES / (Math.max(n, 1) * bytes)))) : 1;
  for (let row = 0; row < rows; row += tile) {
    const count = Math.min(tile, rows - row);
    const at = residents.map((resident, i) => (resident ? resident + row * n * bytes : (slots[i] as number)));
    if (labels) arena.copyLabels(labels, row, count, fixed.labels);
    if (samples) arena.copyIn(samples, row, count, fixed.samples);
    if (whole) {
      reads.forEach((array, i) => {
        if (!residents[i]) copyRows(arena, array, layout, row, count, at[i] as number, false);
      });
      stream.run({ ...fixed, elements: at }, count, n, STEP.all, 0);
      elements.forEach((array, i) => {
        if (i >= reads.length && !residents[i]) copyRows(arena, array, layout, row, count, at[i] as number, true);
      });
    } else inPieces(arena, layout, stream, { ...fixed, elements: at }, row, slot / bytes);
    results.forEach((list, i) => {
      arena.copyOut(fixed.results[i] as number, count, list, row);
    });
  }
}

/** One row, phase by phase, each a piece at a time. */
function inPieces(arena: Arena, { n, inner }: Layout, stream: Stream, at: Pointers, row: number, piece: number): void {
  const { reads, writes = [], classes = [], phases, finish, run } = stream;
  const start = Math.floor(row / inner) * n * inner + (row % inner);
  for (const { first, each, keeps, rereads } of phases) {
    for (let j = 0; j < n; j += piece) {
      const count = Math.min(piece, n - j);
      [...reads, ...(rereads ? writes : [])].forEach((array, i) => {
        arena.copyIn(array, start + j * inner, count, at.elements[i] as number, inner);
      });
      classes.forEach((list, i) => {
        arena.copyIn(list, j, count, at.classes[i] as number);
      });
      run(at, 1, count, j === 0 ? first | each : each, j);
      if (!keeps) continue;
      writes.forEach((array, i) => {
        arena.copyOut(at.elements[reads.length + i] as number, count, array, start + j * inner, inner);
      });
    }
  }
  if (finish) run(at, 1, 0, finish, n);
}

/** Copies rows [row, row + count) in, one after the other, or `out`. */
function copyRows(
  arena: Arena,
  array: FloatArray,
  { n, inner }: Layout,
  row: number,
  count: number,
  pointer: number,
  out: boolean,
): void {
  if (inner === 1) {
    if (out) arena.copyOut(pointer, count * n, array, row * n);
    else arena.copyIn(array, row * n, count * n, pointer);
    return;
  }
  const view = arena.view(array.BYTES_PER_ELEMENT);
  const start = pointer / array.BYTES_PER_ELEMENT;
  eachRun(row, count, { n, inner }, (at, offset, length) => {
    for (let j = 0; j < n; j++) {
      for (let i = 0; i < length; i++) {
        const here = at + j * inner + i;
        const there = start + (offset + i) * n + j;
        if (out) array[here] = view[there] as number;
        else view[there] = array[here] as number;
      }
    }
  });
}
