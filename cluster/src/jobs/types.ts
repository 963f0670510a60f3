/** What a kind of job is to the rest: it knows its inputs, its grid and its tiles, and nothing of queues, files or machines. */
import type { Pool } from "surprisal/parallel";
import type { ElementType } from "../inputs/types.ts";
import type { Room } from "../room.ts";

export type FloatArray = Float32Array | Float64Array;

/** An input as the spec of a job holds it. */
export interface InputSpec {
  readonly path: string;
  readonly columns?: readonly string[] | undefined;
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly sha256: string;
}

/** A job as it is run: all that its bytes depend on. See `specOf`. */
export interface Spec {
  readonly format: 1;
  readonly function: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly variant: "base";
  readonly version: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly grid: { readonly edge: number; readonly tiles: number };
  readonly output: "zarr" | "npy" | "json";
}

/** The functions of surprisal that tiles of pairs are made of: in this thread, or divided over a pool. */
export type Functions = Pick<Pool, "gram" | "kernelMatrix" | "pairwiseDistance" | "pairwiseDivergence" | "nearest">;

/** What a tile is made with. */
export interface Tools {
  readonly on: Functions;
  /** Arrays of a tile: those of the one before, where they are large enough. */
  readonly room: Room;
  /** Rows of an input by its name, as they are, for the spec's types have been checked; perhaps in the array `place` of the room, else in one of their own. */
  read(input: string, from: number, count: number, place?: string): Promise<FloatArray>;
}

/** A file of a job's folder, in parts: each is what it is until the next is asked for. */
export interface Piece {
  readonly file: string;
  parts(): Iterable<Uint8Array>;
}

/** A Zarr array of a job's folder. */
export interface ArrayOutput {
  readonly name: string;
  readonly type: "float32" | "float64" | "int32";
  readonly shape: readonly number[];
  readonly chunk: readonly number[];
}

/** A job before its grid is known. */
export type Asked = Pick<Spec, "function" | "options" | "inputs">;

export interface Kind {
  readonly inputs: readonly string[];
  readonly optional: readonly string[];
  /** Refuses what no tile could be made of, in the words of the function itself. */
  check(job: Asked): void | Promise<void>;
  edge(job: Asked): number;
  tiles(job: Asked, edge: number): number;
  /** The arrays that tiles are chunks of; none: their states are merged into numbers. */
  arrays(spec: Spec): readonly ArrayOutput[];
  /** The files of a tile: it is done when all are there. */
  files(spec: Spec, index: number): readonly string[];
  tile(spec: Spec, index: number, tools: Tools): Promise<readonly Piece[]>;
  /** Bytes of the arrays that a tile takes at most, inputs and outputs. */
  bytes(spec: Spec): number;
  /** What the states of all tiles, in the order of their indices, come to. */
  merge?(spec: Spec, states: AsyncIterable<unknown>): Promise<Readonly<Record<string, unknown>>>;
  /** Whether a pool divides a tile among its threads; else several are made at a time. */
  readonly divided: boolean;
  /** Pairs of rows, for `plan`. */
  pairs(spec: Spec): number;
}

export function sizeOf(spec: Asked, name: string): readonly [rows: number, d: number] {
  const { shape } = spec.inputs[name] as InputSpec;
  return [shape[0] as number, shape[1] as number];
}

export function bytesOf(spec: Asked, name: string): 4 | 8 {
  return (spec.inputs[name] as InputSpec).type === "float64" ? 8 : 4;
}

/** Elements as bytes, where they stand. */
export function bytesIn(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

export const pieceOf = (file: string, bytes: Uint8Array): Piece => ({ file, parts: () => [bytes] });

/** Rows of the largest block of an input. */
export const highest = (spec: Spec, name: string): number => Math.min(spec.grid.edge, sizeOf(spec, name)[0]);

/** A state as a file: numbers that JSON has no word for are strings. */
export function stateFile(index: number, state: unknown): Piece {
  return pieceOf(stateName(index), new TextEncoder().encode(jsonOf(state)));
}

export const stateName = (index: number): string => `tiles/${index}.json`;

export function jsonOf(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_, one: unknown) => (typeof one === "number" && !Number.isFinite(one) ? String(one) : one),
    indent,
  );
}
