/** What a kind of job is to the rest: it knows its inputs, its grid and its tiles, and nothing of queues, files or machines. */
import type { ElementType } from "../inputs/types.ts";

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

/** Reads rows of an input by its name, as they are: the spec's types have been checked. */
export type Read = (input: string, from: number, count: number) => Promise<FloatArray>;

/** A file of a job's folder. */
export interface Piece {
  readonly file: string;
  readonly bytes: Uint8Array;
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
  check(job: Asked): void;
  edge(job: Asked): number;
  tiles(job: Asked, edge: number): number;
  /** The arrays that tiles are chunks of; none: their states are merged into numbers. */
  arrays(spec: Spec): readonly ArrayOutput[];
  /** The files of a tile: it is done when all are there. */
  files(spec: Spec, index: number): readonly string[];
  tile(spec: Spec, index: number, read: Read): Promise<readonly Piece[]>;
  /** What the states of all tiles, in the order of their indices, come to. */
  merge?(spec: Spec, states: AsyncIterable<unknown>): Promise<Readonly<Record<string, unknown>>>;
  /** Pairs of rows, and bytes that are kept, for `plan`. */
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

/** A state as a file: numbers that JSON has no word for are strings. */
export function stateFile(index: number, state: unknown): Piece {
  return { file: stateName(index), bytes: new TextEncoder().encode(jsonOf(state)) };
}

export const stateName = (index: number): string => `tiles/${index}.json`;

export function jsonOf(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_, one: unknown) => (typeof one === "number" && !Number.isFinite(one) ? String(one) : one),
    indent,
  );
}
