/**
 * A call that is divided: what each thread does of it. Where threads share memory, results are written there, and so is who does what:
 *
 *     control   │ next tile to claim │ whether to stop │ tiles done │ for each tile whether it is done │
 *
 * Tiles are claimed with Atomics.add, so that a thread that is slow, or has other things to do, takes fewer. Where threads share nothing a
 * worker is told which tiles are its next, has a control and outputs of its own, and sends what its tiles wrote, as slabs that are
 * transferred. A tile that was claimed and never marked as done, by a worker that died, is done once more: it is a pure function of the
 * arguments, so that two threads that write it write the same bits.
 */
import { bufferOf, put } from "../arrays.ts";
import { type Extent, type Kind, SHARE, type Share, type Sweep, type Use, type Written } from "../share.ts";
import type { FloatArray } from "../types.ts";

/** What stands in the control words. */
export const NEXT = 0;
export const STOP = 1;
export const COUNT = 2;
export const FLAGS = 3;

export const BYTES: Readonly<Record<Kind, number>> = { f32: 4, f64: 8, i32: 4 };

/** Where an output of tiles stands. */
export interface Region {
  readonly kind: Kind;
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly length: number;
}

export function viewOf({ kind, buffer, byteOffset, length }: Region): Written {
  const type = kind === "f32" ? Float32Array : kind === "f64" ? Float64Array : Int32Array;
  return new type(buffer as ArrayBuffer, byteOffset, length);
}

/** What all workers are told of a call. */
export interface Job {
  readonly id: number;
  readonly fn: string;
  readonly args: readonly unknown[];
  readonly options: object;
  readonly variant: "base" | "relaxed";
  /** What was made once, in the survey. */
  readonly known: readonly unknown[];
  readonly tiles: number;
}

/** The same where memory is shared: workers claim tiles until there are none. With barriers it is sent once more for each, with the tiles up to the next. */
export interface SharedJob extends Job {
  readonly regions: readonly Region[];
  readonly control: Int32Array;
  /** Milliseconds between two words about how far it is; 0: none. */
  readonly tells: number;
}

/** The same where nothing is: the outputs are the worker's to make, and tiles follow, some at a time. */
export interface LoneJob extends Job {
  readonly outputs: readonly Pick<Region, "kind" | "length">[];
}

/** Tiles of a lone job, [from, to); none: that was all. */
export interface Turn {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  /** What others have written and these tiles read. */
  readonly written?: Slab;
}

/** Runs of outputs, and their bytes one after the other. */
export interface Slab {
  readonly runs: readonly Run[];
  readonly slab: ArrayBuffer;
}

/** A run of what a tile wrote: of which output, from which element on. */
export interface Run {
  readonly output: number;
  readonly start: number;
  readonly length: number;
}

/** What a worker says: that it is there; that tiles have been done; that it is through with a job, or with a turn. */
export type Answer =
  | {
      readonly ready: true;
      /** The lock that it holds for as long as it lives, if it has one. */
      readonly lock?: string | undefined;
    }
  | { readonly id: number; readonly told: true }
  | {
      readonly id: number;
      readonly told: false;
      readonly error?: string | undefined;
      /** Of a turn: the tiles done, and what they wrote, in bytes one after the other. */
      readonly done?: readonly number[];
      readonly runs?: readonly Run[];
      readonly slab?: ArrayBuffer;
    };

/** Ends a call of which nothing more is wanted. */
const ENDED = { name: "ended" };

/** A share, whatever call it comes with. */
export type Role = Omit<Share, "active">;

/** Runs a call with options that hold a share, which may end it: undefined then. */
export function runAs<R>(
  role: Role,
  call: (options: { readonly [SHARE]: Share }) => R,
): { readonly result: R } | undefined {
  const lent = new Lent(role);
  try {
    return { result: call({ [SHARE]: lent }) };
  } catch (error) {
    if (error === ENDED) return undefined;
    throw error;
  } finally {
    lent.end();
  }
}

/** A share as a call has it, which keeps nothing once the call has ended: functions remember the last that they were given. */
class Lent implements Share {
  #share: Role | undefined;

  constructor(role: Role) {
    this.#share = role;
  }

  get active(): boolean {
    return this.#share !== undefined;
  }

  output<T extends Written>(kind: Kind, length: number, make: () => T, use: Use): T {
    return this.#share ? this.#share.output(kind, length, make, use) : make();
  }

  once<T>(make: () => T): T {
    return this.#share ? this.#share.once(make) : make();
  }

  look(): void {
    this.#share?.look();
  }

  sweep(sweep: Sweep): boolean {
    return this.#share?.sweep(sweep) ?? false;
  }

  end(): void {
    this.#share = undefined;
  }
}

/** An output as the survey finds it. */
export interface Found {
  readonly kind: Kind;
  readonly length: number;
  readonly array: Written;
  readonly use: Use;
}

/** In the caller's thread: asks whether a sweep is worth dividing, and ends the call if it is; else the call goes on, unless it `leaves`. */
export class Survey implements Role {
  readonly outputs: Found[] = [];
  readonly known: unknown[] = [];
  /** The tiles from each of which on all wait for those before it, and the outputs that are read then. */
  barriers: { readonly tiles: readonly number[]; readonly outputs: readonly number[] } | undefined;
  /** Of all sweeps. */
  tiles = 0;
  work = 0;
  isDivided = false;
  #decided = false;
  #isMaking = false;
  readonly #isWorth: (work: number, outputs: readonly Found[]) => boolean;
  readonly #leaves: boolean;

  constructor(isWorth: (work: number, outputs: readonly Found[]) => boolean, leaves = false) {
    this.#isWorth = isWorth;
    this.#leaves = leaves;
  }

  output<T extends Written>(kind: Kind, length: number, make: () => T, use: Use): T {
    const array = make();
    if (!this.#decided) this.outputs.push({ kind, length, array, use });
    return array;
  }

  once<T>(make: () => T): T {
    // what is made of such things is one of them
    if (this.#decided || this.#isMaking) return make();
    this.#isMaking = true;
    const made = make();
    this.#isMaking = false;
    this.known.push(made);
    return made;
  }

  look(): void {}

  sweep({ tiles, work, elements, barriers }: Sweep): boolean {
    if (this.#decided) return false;
    this.#decided = true;
    this.barriers = barriers && {
      tiles: barriers.tiles,
      outputs: barriers.reads.map((array) => this.outputs.findIndex((found) => found.array === array)),
    };
    const sweeps = elements > 0 ? (this.outputs[0]?.length ?? 0) / elements : 1;
    this.tiles = tiles * sweeps;
    this.work = work * sweeps;
    this.isDivided = this.tiles >= 2 && this.#isWorth(this.work, this.outputs);
    if (this.isDivided || this.#leaves) throw ENDED;
    return false;
  }
}

/** Gives what was made once one after the other, and then what is made. */
class Known {
  readonly #known: readonly unknown[];
  #next = 0;

  constructor(known: readonly unknown[]) {
    this.#known = known;
  }

  take<T>(make: () => T): T {
    return this.#next < this.#known.length ? (this.#known[this.#next++] as T) : make();
  }
}

/** Does the tiles that `claim` gives, and ends the call after the last. */
export class Part implements Role {
  readonly #outputs: readonly Written[];
  readonly #control: Int32Array;
  readonly #tiles: number;
  readonly #known: Known;
  readonly #claim: () => number;
  readonly #tell: (runs: () => Run[]) => void;
  #output = 0;
  /** The tiles of the sweeps before, and their elements. */
  #before = 0;
  #start = 0;
  /** What is claimed and not yet done. */
  #claimed = -1;
  /** Whether a tile is being done: functions that it is made of are not divided. */
  #busy = false;

  /** `tell` is called after each tile, and may ask what it wrote. */
  constructor(
    { control, tiles, known }: Pick<SharedJob, "control" | "tiles" | "known">,
    outputs: readonly Written[],
    claim: () => number,
    tell: (runs: () => Run[]) => void,
  ) {
    this.#outputs = outputs;
    this.#control = control;
    this.#tiles = tiles;
    this.#known = new Known(known);
    this.#claim = claim;
    this.#tell = tell;
  }

  output<T extends Written>(_: Kind, __: number, make: () => T): T {
    return this.#busy ? make() : (this.#outputs[this.#output++] as T);
  }

  once<T>(make: () => T): T {
    return this.#busy ? make() : this.#known.take(make);
  }

  look(): void {
    if (Atomics.load(this.#control, STOP)) throw ENDED;
  }

  sweep({ tiles, elements, run, extentsOf }: Sweep): boolean {
    if (this.#busy) return false;
    const end = this.#before + tiles;
    for (;;) {
      if (this.#claimed < 0) this.#claimed = this.#claim();
      if (this.#claimed >= this.#tiles) throw ENDED;
      this.look();
      if (this.#claimed >= end) break;
      const tile = this.#claimed - this.#before;
      this.#busy = true;
      run(tile);
      this.#busy = false;
      Atomics.store(this.#control, FLAGS + this.#claimed, 1);
      Atomics.add(this.#control, COUNT, 1);
      this.#claimed = -1;
      const start = this.#start;
      this.#tell(() => runsOf(this.#outputs, extentsOf(tile), start, elements));
    }
    this.#before = end;
    this.#start += elements;
    return true;
  }
}

/** The elements of some extents, in a sweep over `elements` of each output from `start` on; 0: over all. */
function runsOf(outputs: readonly Written[], extents: readonly Extent[], start: number, elements: number): Run[] {
  const runs: Run[] = [];
  outputs.forEach(({ length }, output) => {
    for (const { output: own, i, rows, of, j = 0, columns } of extents) {
      if (own && own !== outputs[output]) continue;
      const width = (elements || length) / of;
      const count = columns ?? width;
      // whole rows are one run
      if (count === width) runs.push({ output, start: start + i * width, length: rows * width });
      else for (let r = 0; r < rows; r++) runs.push({ output, start: start + (i + r) * width + j, length: count });
    }
  });
  return runs;
}

/** The bytes of some runs of arrays one after the other. */
export function slabOf(outputs: readonly Written[], runs: readonly Run[]): ArrayBuffer {
  const size = ({ output, length }: Run): number => length * (outputs[output] as Written).BYTES_PER_ELEMENT;
  const slab = new Uint8Array(runs.reduce((sum, run) => sum + size(run), 0));
  let at = 0;
  for (const run of runs) {
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = outputs[run.output] as Written;
    slab.set(new Uint8Array(buffer, byteOffset + run.start * BYTES_PER_ELEMENT, size(run)), at);
    at += size(run);
  }
  return slab.buffer;
}

/** Takes them to the same places of other arrays. */
export function takeSlab(outputs: readonly Written[], runs: readonly Run[], slab: ArrayBuffer): void {
  let at = 0;
  for (const { output, start, length } of runs) {
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = outputs[output] as Written;
    const size = length * BYTES_PER_ELEMENT;
    new Uint8Array(buffer, byteOffset + start * BYTES_PER_ELEMENT, size).set(new Uint8Array(slab, at, size));
    at += size;
  }
}

/** In the caller's thread, when all tiles are done: takes their results to where they belong. */
export class Finish implements Role {
  readonly #found: readonly Found[];
  readonly #regions: readonly Written[];
  readonly #known: Known;
  readonly #outputs: Written[] = [];
  #copied = false;

  constructor(found: readonly Found[], regions: readonly Written[], known: readonly unknown[]) {
    this.#found = found;
    this.#regions = regions;
    this.#known = new Known(known);
  }

  output<T extends Written>(_: Kind, __: number, make: () => T): T {
    const { length } = this.#outputs;
    const { array, use } = this.#found[length] as Found;
    // what is the caller's is looked at once more: it may have been detached meanwhile
    const own = use === "given" ? make() : use === "dropped" ? (this.#regions[length] as Written) : array;
    this.#outputs.push(own);
    return own as T;
  }

  once<T>(make: () => T): T {
    return this.#known.take(make);
  }

  look(): void {}

  sweep(): boolean {
    if (this.#copied) return true;
    this.#copied = true;
    this.#outputs.forEach((array, k) => {
      const from = this.#regions[k] as Written;
      if (bufferOf(array as FloatArray) !== bufferOf(from as FloatArray)) put(from, array as FloatArray, 0);
    });
    return true;
  }
}
