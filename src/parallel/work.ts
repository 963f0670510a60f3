/**
 * A call that is divided: what each thread does of it, on memory that all of them share.
 *
 *     control   │ next tile to claim │ whether to stop │ tiles done │ for each tile whether it is done │
 *
 * Tiles are claimed with Atomics.add, so that a thread that is slow, or has other things to do, takes fewer. A tile that was claimed and
 * never marked as done, by a worker that died, is done once more: it is a pure function of the arguments, so that two threads that write it
 * write the same bits.
 */
import { bufferOf, put } from "../arrays.ts";
import type { Kind, Share, Sweep, Written } from "../share.ts";
import type { FloatArray } from "../types.ts";

/** What stands in the control words. */
export const NEXT = 0;
export const STOP = 1;
export const COUNT = 2;
export const FLAGS = 3;

export const BYTES: Readonly<Record<Kind, number>> = { f32: 4, f64: 8, i32: 4 };

/** Where an output stands in shared memory. */
export interface Region {
  readonly kind: Kind;
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly length: number;
}

export function viewOf({ kind, buffer, byteOffset, length }: Region): Written {
  const type = kind === "f32" ? Float32Array : kind === "f64" ? Float64Array : Int32Array;
  return new type(buffer as unknown as ArrayBuffer, byteOffset, length);
}

/** A call for a worker. */
export interface Job {
  readonly id: number;
  readonly fn: string;
  readonly args: readonly unknown[];
  readonly options: object;
  readonly variant: "base" | "relaxed";
  readonly regions: readonly Region[];
  readonly control: Int32Array;
  readonly tiles: number;
  /** Milliseconds between two words about how far it is; 0: none. */
  readonly tells: number;
}

/** What a worker says: that it is there; that tiles have been done; that it is through with a job. */
export type Answer =
  | { readonly ready: true }
  | { readonly id: number; readonly told: true }
  | { readonly id: number; readonly told: false; readonly error?: string | undefined };

/** Rows and columns of a block of pairs, by the shapes alone: small enough that matrices of some hundred rows have blocks for several threads. */
const SIDE = 256;
const LARGE_SIDE = 512;
const LARGE = 4096;

function sideOf(rows: number, columns: number): number {
  return Math.min(rows, columns) >= LARGE ? LARGE_SIDE : SIDE;
}

/** Ends a call of which nothing more is wanted. */
const ENDED = { name: "ended" };

/** Runs a call, which may be ended by its share: undefined then. */
export function runTo<R>(call: () => R): { readonly result: R } | undefined {
  try {
    return { result: call() };
  } catch (error) {
    if (error === ENDED) return undefined;
    throw error;
  }
}

/** An output as the survey finds it. */
export interface Found {
  readonly kind: Kind;
  readonly length: number;
  readonly array: Written;
  /** Whether it is the caller's. */
  readonly given: boolean;
}

/** In the caller's thread: asks whether a sweep is worth dividing, and ends the call if it is; else the call goes on. */
export class Survey implements Share {
  active = true;
  readonly sideOf = sideOf;
  readonly outputs: Found[] = [];
  /** Of all sweeps. */
  tiles = 0;
  work = 0;
  #decided = false;
  readonly #isWorth: (work: number, outputs: readonly Found[]) => boolean;

  constructor(isWorth: (work: number, outputs: readonly Found[]) => boolean) {
    this.#isWorth = isWorth;
  }

  output<T extends Written>(kind: Kind, length: number, make: () => T, given = false): T {
    const array = make();
    if (!this.#decided) this.outputs.push({ kind, length, array, given });
    return array;
  }

  sweep({ tiles, work, elements }: Sweep): boolean {
    if (this.#decided) return false;
    this.#decided = true;
    const sweeps = elements > 0 ? (this.outputs[0]?.length ?? 0) / elements : 1;
    this.tiles = tiles * sweeps;
    this.work = work * sweeps;
    if (this.tiles < 2 || !this.#isWorth(this.work, this.outputs)) return false;
    throw ENDED;
  }
}

/** Does the tiles that `claim` gives, and ends the call after the last. */
export class Part implements Share {
  active = true;
  readonly sideOf = sideOf;
  readonly #regions: readonly Region[];
  readonly #control: Int32Array;
  readonly #tiles: number;
  readonly #claim: () => number;
  readonly #tell: () => void;
  #output = 0;
  /** The tiles of the sweeps before. */
  #before = 0;
  /** What is claimed and not yet done. */
  #claimed = -1;
  /** Whether a tile is being done: functions that it is made of are not divided. */
  #busy = false;

  constructor(
    { regions, control, tiles }: Pick<Job, "regions" | "control" | "tiles">,
    claim: () => number,
    tell: () => void,
  ) {
    this.#regions = regions;
    this.#control = control;
    this.#tiles = tiles;
    this.#claim = claim;
    this.#tell = tell;
  }

  output<T extends Written>(_: Kind, __: number, make: () => T): T {
    return this.#busy ? make() : (viewOf(this.#regions[this.#output++] as Region) as T);
  }

  sweep({ tiles, run }: Sweep): boolean {
    if (this.#busy) return false;
    const end = this.#before + tiles;
    for (;;) {
      if (this.#claimed < 0) this.#claimed = this.#claim();
      if (this.#claimed >= this.#tiles || Atomics.load(this.#control, STOP)) throw ENDED;
      if (this.#claimed >= end) break;
      this.#busy = true;
      run(this.#claimed - this.#before);
      this.#busy = false;
      Atomics.store(this.#control, FLAGS + this.#claimed, 1);
      Atomics.add(this.#control, COUNT, 1);
      this.#claimed = -1;
      this.#tell();
    }
    this.#before = end;
    return true;
  }
}

/** In the caller's thread, when all tiles are done: takes their results to where they belong. */
export class Finish implements Share {
  active = true;
  readonly sideOf = sideOf;
  readonly #found: readonly Found[];
  readonly #regions: readonly Region[];
  readonly #outputs: Written[] = [];
  #copied = false;

  constructor(found: readonly Found[], regions: readonly Region[]) {
    this.#found = found;
    this.#regions = regions;
  }

  output<T extends Written>(_: Kind, __: number, make: () => T): T {
    const { length } = this.#outputs;
    const { array, given } = this.#found[length] as Found;
    // what is the caller's is looked at once more: it may have been detached meanwhile
    const own = given ? make() : array;
    this.#outputs.push(own);
    return own as T;
  }

  sweep(): boolean {
    if (this.#copied) return true;
    this.#copied = true;
    this.#outputs.forEach((array, k) => {
      const from = viewOf(this.#regions[k] as Region);
      if (bufferOf(array as FloatArray) !== (from.buffer as unknown)) put(from, array as FloatArray, 0);
    });
    return true;
  }
}
