/**
 * The one streamer of rows: it decides how rows reach a kernel, and keeps inputs apart from outputs.
 *
 *     whole      rows are contiguous and fit: as many of them at a time as fill a tile, or all where they stand in linear memory
 *     across     rows are columns of the data: lines of a tile stand side by side, a row to a lane
 *     gathered   the same for kernels that know no columns: rows are gathered line by line, so that memory is read in order
 *     pieces     a row is longer than its slot of the stage: phase by phase, a piece at a time
 *
 * A function names what it reads, what it writes and the kernel to run. Any input may share memory with any output, in any way:
 * what a single tile holds has been read whole before anything of it is written, and otherwise an input that is still to be read
 * is copied first. So the bits are those of arrays apart.
 */

import * as STEP from "../../assembly/rows/steps.ts";
import { part } from "../arrays.ts";
import { type Layout, type Operand, sizeOf } from "../check/tensor.ts";
import { type Arena, copyLabels, GROUP_BYTES, RESULT_BYTES } from "../memory/arena.ts";
import { type Share, type Sweep, sharing } from "../share.ts";
import type { FloatArray } from "../types.ts";
import { apart, type Output, overlap, same } from "./output.ts";

/** Where a tile stands in linear memory. */
export interface Places {
  readonly reads: readonly number[];
  /** 0 for what is not wanted. */
  readonly writes: readonly number[];
  readonly lists: readonly number[];
  readonly labels: number;
  readonly factors: number;
  readonly results: number;
}

/** What is done with a row in pieces, for every piece; `first` for the first one, too. */
export interface Phase {
  readonly first: number;
  readonly each: number;
  /** Whether what is written goes out. */
  readonly keeps: boolean;
  /** Whether what is written comes back in first. */
  readonly rereads: boolean;
}

export function phase(first: number, each: number, keeps = false, rereads = false): Phase {
  return { first, each, keeps, rereads };
}

/** What becomes of one number per row. */
export interface RowResults {
  /** Where they are written as they come, if they are. */
  readonly out: Output | undefined;
  /** Takes the results of rows [row, row + count), which stand in `values` from index `from` on. */
  take(values: FloatArray, from: number, row: number, count: number): void;
}

/** Bytes of a tile of rows: half of a 32 KiB L1, though up to 512 KiB makes little difference (docs/memory.md). */
export const TILE_BYTES = 16384;

/** Bytes of a tile of columns, whose lines are copied one by one: [256, 4096] takes 2.5 times as long in 16 KiB, and 1.1 in 1 MiB … */
const ACROSS_BYTES = 262144;

/** … but for groups of a line: short ones take as long to copy, [1000, 128] twice as long with 3 groups. */
const LINE_GROUPS = 8;

/** Columns up to this size are copied all at once, as they lie: [64, 64] takes half as long. */
const CONTIGUOUS_BYTES = 65536;

/** Rows of a tile at most, whose labels, factors and results stand in lists of the arena. */
const TILE_ROWS = RESULT_BYTES / 8;

const VECTOR_BYTES = 16;

const NONE: readonly never[] = [];

/** Runs a kernel on `rows` rows of n elements; `from` is the index in its row at which a piece begins. */
type Run = (at: Places, rows: number, n: number, steps: number, from: number) => void;

/**
 * What is to be streamed. Its fields are its own, whatever someone adds to Object.prototype; a literal with defaults spread into
 * it would take 10 µs a call.
 */
export class RowJob {
  readonly fn: string;
  layout: Layout;
  /** Arrays of the shape of the data. */
  readonly reads: readonly Operand[];
  /** What is done with a row in pieces. */
  readonly phases: readonly Phase[];
  /** The steps that end it, 0 if the phases do. */
  readonly finish: number;
  readonly run: Run;
  writes: readonly (Output | undefined)[] = NONE;
  /** Whether the kernel writes its first output where its first input stands. */
  inPlace = false;
  /** Lists of n numbers, the same for every row. */
  lists: readonly Operand[] = NONE;
  /** One integer, and one number, per row. */
  labels: Int32Array | undefined = undefined;
  factors: Float64Array | undefined = undefined;
  results: RowResults | undefined = undefined;
  /** Bytes of a result in linear memory. */
  resultBytes = 8;
  /** Whether the kernel takes f64 of either type, and may overwrite what it reads: nothing is used where it stands. */
  asF64 = false;
  /** Rows of a tile at most. */
  tileRows = TILE_ROWS;
  /** Runs the kernel on `width` columns of n elements, side by side in lines so many bytes apart; `y` may be x, or is where results go. */
  across: ((x: number, y: number, n: number, width: number, line: number) => void) | undefined = undefined;

  constructor(
    fn: string,
    layout: Layout,
    reads: readonly Operand[],
    phases: readonly Phase[],
    finish: number,
    run: Run,
  ) {
    this.fn = fn;
    this.layout = layout;
    this.reads = reads;
    this.phases = phases;
    this.finish = finish;
    this.run = run;
  }
}

export function streamRows(at: Arena, job: RowJob): void {
  const share = sharing();
  if (!share || !shareLayers(at, job, share)) streamAll(at, job);
}

/** Elements of a tile that is done in one thread: 60 µs of softmax, beside which to claim it is nothing. */
const SHARED_ELEMENTS = 65536;

/** Rows as the tiles of a sweep, cut between the outer axes. */
function shareLayers(at: Arena, job: RowJob, share: Share): boolean {
  const { n, inner, outer, rows } = job.layout;
  const layer = n * inner;
  if (layer === 0 || outer < 2) return false;
  const side = Math.max(1, Math.floor(SHARED_ELEMENTS / layer));
  const { results } = job;
  const values = results && share.output("f64", rows, () => new Float64Array(rows), "dropped");
  const run = (tile: number): void => {
    const from = tile * side;
    const count = Math.min(side, outer - from);
    const cut = <X extends Operand | Output>(one: X): X => ({
      ...one,
      array: part(one.array, one.bytes, from * layer, count * layer),
      length: count * layer,
    });
    const [first, end] = [from * inner, (from + count) * inner];
    const own: RowResults | undefined = values && {
      out: undefined,
      take(some, start, row, many) {
        for (let i = 0; i < many; i++) values[first + row + i] = some[start + i] as number;
      },
    };
    // the job itself, but for what has an element or a number for each row
    const tiled = Object.assign(new RowJob(job.fn, job.layout, job.reads, job.phases, job.finish, job.run), job, {
      layout: { outer: count, n, inner, rows: count * inner },
      reads: job.reads.map(cut),
      writes: job.writes.map((one) => one && cut(one)),
      labels: job.labels?.subarray(first, end),
      factors: job.factors?.subarray(first, end),
      results: own,
    });
    streamAll(at, tiled);
  };
  const work = job.reads.length * rows * n;
  const sweep: Sweep = {
    tiles: Math.ceil(outer / side),
    work,
    elements: 0,
    run,
    extentsOf: (tile) => [{ i: tile * side, rows: Math.min(side, outer - tile * side), of: outer }],
  };
  if (!share.sweep(sweep)) return false;
  if (values) results?.take(values, 0, 0, rows);
  return true;
}

function streamAll(at: Arena, job: RowJob): void {
  const { layout, reads, writes, lists, inPlace } = job;
  const { n, inner } = layout;
  // rows of nothing are all alike, 0 or NaN: one tells their sum
  if (n === 0 && !job.results?.out && layout.rows > 1) {
    job.layout = { outer: 1, n, inner: 1, rows: 1 };
    if (!job.results) return;
  }
  const bytes = job.asF64 ? 8 : (reads[0] as Operand).bytes;
  const arrays = reads.length + writes.length + lists.length;
  // an output in the place of its input has no slot of its own
  const slot = slotOf(at, arrays - +(inPlace && writes.length > 0));
  if (job.across && inner > 1 && n * GROUP_BYTES <= at.stageBytes) across(at, job, bytes);
  else if (n * bytes <= slot) whole(at, job, bytes, slot);
  else inPieces(at, job, bytes, slotOf(at, arrays));
}

function slotOf(at: Arena, arrays: number): number {
  return Math.floor(at.stageBytes / arrays / GROUP_BYTES) * GROUP_BYTES;
}

/** The inputs of a job that runs in more than one tile, or where they stand: none is written to before it has been read. */
function separate(job: RowJob): readonly Operand[] {
  const { fn, reads, writes, inPlace } = job;
  const [first] = writes;
  const outputs = writes.filter((one) => one !== undefined);
  return reads.map((read, i) => (inPlace && i === 0 && first && same(read, first) ? read : apart(fn, read, outputs)));
}

/** The results of such a job: in an array of their own, if they would overwrite what is still to be read. */
function keptApart(job: RowJob): { results: RowResults | undefined; done: () => void } {
  const { results, layout, reads, lists } = job;
  const out = results?.out;
  if (!results || !out || out.fresh || ![...reads, ...lists].some((read) => overlap(read, out)))
    return { results, done: () => undefined };
  const values = new Float64Array(layout.rows);
  const keep: RowResults = {
    out: undefined,
    take(from, start, row, count) {
      for (let i = 0; i < count; i++) values[row + i] = from[start + i] as number;
    },
  };
  return { results: keep, done: () => results.take(values, 0, 0, layout.rows) };
}

// ------------------------------------------------------------------------------------------------- whole rows

/** Where an array stands in linear memory, if it may be used there; else 0. */
function standing(at: Arena, job: RowJob, one: Operand | Output): number {
  return job.layout.inner === 1 && !job.asF64 ? at.locate(one.array, one.length) : 0;
}

/** Whether one of some arrays is used where it stands. */
function someStands(at: Arena, job: RowJob, all: readonly (Operand | Output | undefined)[]): boolean {
  for (const one of all) if (one && standing(at, job, one)) return true;
  return false;
}

/** Whether all are. */
function allStand(at: Arena, job: RowJob, all: readonly (Operand | Output | undefined)[]): boolean {
  for (const one of all) if (one && !standing(at, job, one)) return false;
  return true;
}

/** A slot of the stage for every array, one behind the other. `shares`: the first output has that of the first input. */
function staged(at: Arena, { reads, writes, lists }: RowJob, slot: number, shares: boolean) {
  let next = at.stage;
  const places = {
    reads: [] as number[],
    writes: [] as number[],
    lists: [] as number[],
    labels: at.results,
    results: at.results + RESULT_BYTES,
    factors: at.results + 2 * RESULT_BYTES,
  };
  for (let i = 0; i < reads.length; i++, next += slot) places.reads.push(next);
  for (let i = 0; i < writes.length; i++) {
    const own = writes[i] && !(shares && i === 0);
    places.writes.push(own ? next : writes[i] ? at.stage : 0);
    if (own) next += slot;
  }
  for (let i = 0; i < lists.length; i++, next += slot) places.lists.push(next);
  return places;
}

function whole(at: Arena, job: RowJob, bytes: number, slot: number): void {
  const { layout, reads, writes, lists } = job;
  const { n, rows } = layout;
  const most = Math.min(TILE_ROWS, job.tileRows);
  const tile = Math.min(most, Math.max(1, Math.floor(TILE_BYTES / (Math.max(n, 1) * bytes))));
  const places = staged(at, job, slot, job.inPlace);
  for (let i = 0; i < lists.length; i++) {
    const list = lists[i] as Operand;
    at.copyIn(list.array, list.bytes, 0, n, places.lists[i] as number, 1, bytes);
  }
  if (rows > tile || someStands(at, job, writes) || someStands(at, job, reads)) {
    inTiles(at, job, bytes, places, tile, most);
  } else if (rows > 0) runTile(at, job, bytes, reads, job.results, places, 0, rows, NONE, NONE);
}

/** Tile by tile: of `few` rows where something is staged, else of `most`. */
function inTiles(
  at: Arena,
  job: RowJob,
  bytes: number,
  places: ReturnType<typeof staged>,
  few: number,
  most: number,
): void {
  const { layout, writes, labels, factors } = job;
  const { n, rows } = layout;
  const reads = separate(job);
  const { results, done } = keptApart(job);
  // what all stands is one tile, but for the lists of labels, factors and results
  const all = allStand(at, job, reads) && allStand(at, job, writes);
  const tile = !all ? few : labels || factors || results ? most : rows;
  const [readSteps, writeSteps] = [reads, writes].map((arrays, k) => {
    const own = k === 0 ? places.reads : places.writes;
    return arrays.map((one, i) => {
      const place = one ? standing(at, job, one) : 0;
      if (place) own[i] = place;
      return place ? n * bytes : 0;
    });
  }) as [number[], number[]];
  for (let start = 0; start < rows; start += tile) {
    const count = Math.min(tile, rows - start);
    runTile(at, job, bytes, reads, results, places, start, count, readSteps, writeSteps);
    for (let i = 0; i < reads.length; i++) (places.reads[i] as number) += count * (readSteps[i] as number);
    for (let i = 0; i < writes.length; i++) (places.writes[i] as number) += count * (writeSteps[i] as number);
  }
  done();
}

/** Rows [start, start + count). By how much a place moves from row to row says what is used where it stands; all else is staged. */
function runTile(
  at: Arena,
  job: RowJob,
  bytes: number,
  reads: readonly Operand[],
  results: RowResults | undefined,
  places: Places,
  start: number,
  count: number,
  readSteps: readonly number[],
  writeSteps: readonly number[],
): void {
  const { layout, writes, labels, factors, resultBytes } = job;
  if (labels) copyLabels(at, labels, start, count, places.labels);
  if (factors) at.copyIn(factors, 8, start, count, places.factors);
  for (let i = 0; i < reads.length; i++)
    if (!readSteps[i]) copyRows(at, reads[i] as Operand, bytes, layout, start, count, places.reads[i] as number, false);
  job.run(places, count, layout.n, STEP.ALL, 0);
  for (let i = 0; i < writes.length; i++) {
    const write = writes[i];
    if (write && !writeSteps[i]) copyRows(at, write, bytes, layout, start, count, places.writes[i] as number, true);
  }
  results?.take(at.view(resultBytes), places.results / resultBytes, start, count);
}

/** Copies rows [row, row + count) in, one after the other, as elements of `as` bytes, or `out`. */
function copyRows(
  at: Arena,
  { array, bytes }: Operand | Output,
  as: number,
  { n, inner }: Layout,
  row: number,
  count: number,
  pointer: number,
  out: boolean,
): void {
  if (inner === 1) {
    if (out) at.copyOut(pointer, count * n, array, bytes, row * n);
    else at.copyIn(array, bytes, row * n, count * n, pointer, 1, as);
    return;
  }
  const view = at.view(as);
  const start = pointer / as;
  eachRun(row, count, n, inner, (from, offset, length) => {
    for (let j = 0; j < n; j++) {
      for (let i = 0; i < length; i++) {
        const here = from + j * inner + i;
        const there = start + (offset + i) * n + j;
        if (out) array[here] = view[there] as number;
        else view[there] = array[here] as number;
      }
    }
  });
}

/** Columns [column, column + count) as runs that are contiguous in the data: where each starts there and in the tile. */
function eachRun(
  column: number,
  count: number,
  n: number,
  inner: number,
  visit: (from: number, offset: number, length: number) => void,
): void {
  for (let offset = 0; offset < count; ) {
    const o = Math.floor((column + offset) / inner);
    const i = (column + offset) % inner;
    const length = Math.min(inner - i, count - offset);
    visit(o * n * inner + i, offset, length);
    offset += length;
  }
}

// ---------------------------------------------------------------------------------------------------- columns

/**
 * Bytes from line to line. One group more than an even number of them: lines a power of two apart would share the sets of a cache, 256 lines
 * of 1 KiB four of 64, and [256, 4096] take 1.4 times as long.
 */
function lineOf(width: number, bytes: number): number {
  const groups = Math.ceil((width * bytes) / GROUP_BYTES);
  return (groups + 1 - (groups % 2)) * GROUP_BYTES;
}

/** One input, and one output or one result a row: lines of a tile of columns. */
function across(at: Arena, job: RowJob, bytes: number): void {
  const { layout, writes, resultBytes } = job;
  const { n, inner, rows } = layout;
  const run = job.across as NonNullable<RowJob["across"]>;
  const lanes = GROUP_BYTES / bytes;
  const longest = RESULT_BYTES / bytes;
  const contiguous = inner % lanes === 0 && inner <= longest && n * inner * bytes <= CONTIGUOUS_BYTES;
  const groupsIn = (size: number): number => Math.floor(size / (Math.max(n, 1) * GROUP_BYTES)) - 1;
  const groups = Math.max(1, groupsIn(ACROSS_BYTES), Math.min(LINE_GROUPS, groupsIn(at.stageBytes)));
  const most = Math.min(longest / lanes, groups);
  const width = contiguous ? inner : Math.min(most, Math.ceil(rows / lanes)) * lanes;
  const line = contiguous ? width * bytes : lineOf(width, bytes);
  const [write] = writes;
  const [{ array }] = (rows > width ? separate(job) : job.reads) as [Operand];
  const { results, done } = rows > width ? keptApart(job) : { results: job.results, done: undefined };
  const to = write ? at.stage : at.results + RESULT_BYTES;
  for (let column = 0; column < rows; column += width) {
    const count = Math.min(width, rows - column);
    if (contiguous) at.copyIn(array, bytes, column * n, n * inner, at.stage);
    else {
      eachRun(column, count, n, inner, (from, offset, length) => {
        for (let j = 0; j < n; j++)
          at.copyIn(array, bytes, from + j * inner, length, at.stage + j * line + offset * bytes);
      });
    }
    run(at.stage, to, n, width, line);
    if (write && contiguous) at.copyOut(at.stage, n * inner, write.array, bytes, column * n);
    else if (write) {
      eachRun(column, count, n, inner, (from, offset, length) => {
        for (let j = 0; j < n; j++)
          at.copyOut(at.stage + j * line + offset * bytes, length, write.array, bytes, from + j * inner);
      });
    }
    results?.take(at.view(resultBytes), to / resultBytes, column, count);
  }
  done?.();
}

// ----------------------------------------------------------------------------------------------------- pieces

/** Row by row, phase by phase, a piece at a time. */
function inPieces(at: Arena, job: RowJob, bytes: number, slot: number): void {
  const { fn, layout, writes, labels, factors, phases, finish, run, resultBytes } = job;
  const { n, rows, inner } = layout;
  const reads = separate(job);
  const outputs = writes.filter((one) => one !== undefined);
  const lists = job.lists.map((list) => apart(fn, list, outputs));
  const { results, done } = keptApart(job);
  const places = staged(at, job, slot, false);
  const piece = slot / bytes;
  for (let row = 0; row < rows; row++) {
    const start = Math.floor(row / inner) * n * inner + (row % inner);
    if (labels) copyLabels(at, labels, row, 1, places.labels);
    if (factors) at.copyIn(factors, 8, row, 1, places.factors);
    for (const { first, each, keeps, rereads } of phases) {
      for (let j = 0; j < n; j += piece) {
        const count = Math.min(piece, n - j);
        const copyIn = (one: Operand | Output, place: number) =>
          at.copyIn(one.array, one.bytes, start + j * inner, count, place, inner, bytes);
        reads.forEach((one, i) => {
          copyIn(one, places.reads[i] as number);
        });
        writes.forEach((one, i) => {
          if (rereads && one) copyIn(one, places.writes[i] as number);
        });
        lists.forEach((one, i) => {
          at.copyIn(one.array, one.bytes, j, count, places.lists[i] as number, 1, bytes);
        });
        run(places, 1, count, j === 0 ? first | each : each, j);
        writes.forEach((one, i) => {
          if (keeps && one) at.copyOut(places.writes[i] as number, count, one.array, bytes, start + j * inner, inner);
        });
      }
    }
    if (finish) run(places, 1, 0, finish, n);
    results?.take(at.view(resultBytes), places.results / resultBytes, row, 1);
  }
  done();
}

// --------------------------------------------------------------------------------------------------- elements

/** An input of the shape of the data, or one that is broadcast to it. */
export interface Beside {
  readonly operand: Operand;
  /** How far apart in it neighbours along each axis of the data are: 0 where it is repeated. Undefined: it has the shape of the data. */
  readonly steps: readonly number[] | undefined;
}

export interface ElementJob {
  readonly fn: string;
  /** The shape of the data, in which what is broadcast is repeated. */
  readonly shape: readonly number[];
  readonly reads: readonly Beside[];
  readonly writes: readonly (Output | undefined)[];
  /** Bytes of a tile of one array. */
  readonly tileBytes: number;
  /** Runs the kernel on `count` elements; of an input of one element all of them are one vector. */
  readonly run: (reads: readonly number[], writes: readonly number[], count: number) => void;
}

/** Element by element, a tile at a time. An output may stand where an input of the same shape does. */
export function streamElements(at: Arena, job: ElementJob): void {
  const { fn, shape, writes, tileBytes } = job;
  const length = sizeOf(shape);
  const bytes = (job.reads[0] as Beside).operand.bytes;
  const slot = tileBytes + GROUP_BYTES;
  const reads: Beside[] = [];
  const readsAt: number[] = [];
  const readSteps: number[] = [];
  const writesAt: number[] = [];
  const writeSteps: number[] = [];
  let next = at.stage;
  const wanted = writes.filter((one) => one !== undefined);
  const single = length * bytes <= tileBytes && !wanted.some((one) => at.locate(one.array, one.length));
  for (const { operand, steps } of job.reads) {
    const stays = single || (!steps && wanted.every((out) => same(operand, out) || !overlap(operand, out)));
    const read = stays ? operand : apart(fn, operand, wanted);
    const place = steps ? 0 : at.locate(read.array, read.length);
    reads.push({ operand: read, steps });
    readsAt.push(place || next);
    readSteps.push(place ? bytes : 0);
    if (place) continue;
    if (steps && read.length === 1)
      for (let v = 0; v < VECTOR_BYTES; v += bytes) at.copyIn(read.array, bytes, 0, 1, next + v);
    next += slot;
  }
  // of one input and one output, both may stand in the same slot
  const first = readSteps[0] === 0 ? (readsAt[0] as number) : next;
  for (const write of writes) {
    const place = write ? at.locate(write.array, write.length) : 0;
    writesAt.push(write ? place || (reads.length + writes.length === 2 ? first : next) : 0);
    writeSteps.push(place ? bytes : 0);
    if (write && !place) next += slot;
  }
  // what moves nothing is cut as well: sums are taken tile by tile, and their bits are those of any array
  const tile = tileBytes / bytes;
  for (let start = 0; start < length; start += tile) {
    const count = Math.min(tile, length - start);
    for (let i = 0; i < reads.length; i++) {
      const { operand, steps } = reads[i] as Beside;
      if (readSteps[i] !== 0) continue;
      if (!steps) at.copyIn(operand.array, bytes, start, count, readsAt[i] as number);
      else if (operand.length > 1) copyBroadcast(at, operand, steps, shape, start, count, readsAt[i] as number);
    }
    job.run(readsAt, writesAt, count);
    for (let i = 0; i < writes.length; i++) {
      const write = writes[i];
      if (write && writeSteps[i] === 0) at.copyOut(writesAt[i] as number, count, write.array, bytes, start);
    }
    for (let i = 0; i < reads.length; i++) (readsAt[i] as number) += count * (readSteps[i] as number);
    for (let i = 0; i < writes.length; i++) (writesAt[i] as number) += count * (writeSteps[i] as number);
  }
}

/** Elements [start, start + count) of what is broadcast to `shape`: runs along the last axis, each of one number or of many. */
function copyBroadcast(
  at: Arena,
  { array, bytes }: Operand,
  steps: readonly number[],
  shape: readonly number[],
  start: number,
  count: number,
  pointer: number,
): void {
  const view = at.view(bytes);
  const to = pointer / bytes;
  const last = shape.length - 1;
  const width = shape[last] ?? 1;
  const step = steps[last] ?? 0;
  for (let done = 0; done < count; ) {
    const index = start + done;
    const column = index % width;
    const run = Math.min(width - column, count - done);
    let from = column * step;
    let rest = Math.floor(index / width);
    for (let axis = last - 1; axis >= 0; axis--) {
      const n = shape[axis] as number;
      from += (rest % n) * (steps[axis] as number);
      rest = Math.floor(rest / n);
    }
    for (let i = 0; i < run; i++) view[to + done + i] = array[from + i * step] as number;
    done += run;
  }
}
