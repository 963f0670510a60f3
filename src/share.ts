/**
 * How a pool of workers (src/parallel/) takes part in a call. A function that is cut into tiles describes them as a sweep, and leaves it to
 * the share that came with its options which of them are done in this thread, or whether they have been done elsewhere:
 *
 *     survey   in the caller's thread: the arguments are right; whether the tiles are worth dividing is decided here
 *     part     in a worker: the tiles that it claims, written to memory that all of them share
 *     finish   in the caller's thread: no tile, but all that is made of their results
 *
 * The pool and its workers are files of the package of their own, whose options reach a function under a symbol that all files know.
 */

/** An array that a tile writes to, and of which kind it is. */
export type Kind = "f32" | "f64" | "i32";
export type Written = Float32Array | Float64Array | Int32Array;

/** What becomes of an output: it is new, or the caller's own, or numbers that the function makes its result of and drops. */
export type Use = "new" | "given" | "dropped";

/** What a tile writes of an output, or of every one: of `of` equal rows those from `i` on, and of these the columns from `j` on, or all. */
export interface Extent {
  readonly output?: Written | undefined;
  readonly i: number;
  readonly rows: number;
  readonly of: number;
  readonly j?: number;
  readonly columns?: number;
}

/** Tiles from each of some on, in ascending order, need what all those before it wrote to some outputs. */
export interface Barriers {
  readonly tiles: readonly number[];
  readonly reads: readonly Written[];
}

/** Tiles, in any order, each a pure function of the arguments: how many there are depends on the shapes alone. */
export interface Sweep {
  readonly tiles: number;
  /** Elements that are read of rows, or multiply-adds of pairs, in all tiles. */
  readonly work: number;
  /** Elements of the outputs that are written, 0 for all: where an output has more, such sweeps follow each other. */
  readonly elements: number;
  /** Where tiles wait for others. The sweep is the only one then. */
  readonly barriers?: Barriers;
  run(tile: number): void;
  extentsOf(tile: number): readonly Extent[];
}

export interface Share {
  /** Whether the call that it came with is running. */
  readonly active: boolean;
  /** An output of the call, the next one: that which `make` makes, or finds where it is given, or memory for tiles of the same length. */
  output<T extends Written>(kind: Kind, length: number, make: () => T, use: Use): T;
  /** What `make` makes, or made in the survey: data without functions, that all tiles need. */
  once<T>(make: () => T): T;
  /** Where a tile takes long: ends the call, by an exception, if nothing more is wanted of it. */
  look(): void;
  /** Whether the sweep is taken care of. Otherwise the caller runs it. A part ends with it, by an exception. */
  sweep(sweep: Sweep): boolean;
}

export const SHARE = /* @__PURE__ */ Symbol.for("surprisal.share");

let current: Share | undefined;

/** Takes the share that comes with a call's options, or none. */
export function takeShare(options: object | undefined): void {
  current = options && (options as { readonly [SHARE]?: Share })[SHARE];
}

/** That of the call that runs, if it is one of a pool's. */
export function sharing(): Share | undefined {
  return current?.active ? current : undefined;
}

/** What tiles need of an argument, and is made once for all of them: data without functions, which `make` makes. */
export function once<T>(make: () => T): T {
  const share = sharing();
  return share ? share.once(make) : make();
}

/** Runs `run` for `side` rows at a time, those that are this thread's to do; `work` is that of a row. Outputs have something for each row. */
export function shareRows(
  n: number,
  side: number,
  work: number,
  run: (i: number, rows: number) => void,
  extentsOf = (i: number, rows: number): readonly Extent[] => [{ i, rows, of: n }],
): void {
  const rowsOf = (tile: number): [number, number] => [tile * side, Math.min(side, n - tile * side)];
  const sweep: Sweep = {
    tiles: Math.ceil(n / side),
    work: n * work,
    elements: 0,
    run: (tile) => run(...rowsOf(tile)),
    extentsOf: (tile) => extentsOf(...rowsOf(tile)),
  };
  if (sharing()?.sweep(sweep)) return;
  for (let tile = 0; tile < sweep.tiles; tile++) sweep.run(tile);
}
