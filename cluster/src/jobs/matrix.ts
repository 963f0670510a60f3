/**
 * Matrices over pairs of rows, block by block: a tile is the same function of two blocks of rows, whose elements have the bits that they
 * have in the whole. Of rows among themselves blocks above the diagonal serve below as well, transposed, but for KL, which is not symmetric.
 */
import { HERE } from "../functions.ts";
import { type Centring, centre, centringOf } from "./centring.ts";
import { blocksOf, cellOf, edgeOf, spanOf, triangle } from "./grid.ts";
import {
  type Asked,
  bytesIn,
  bytesOf,
  type FloatArray,
  type Functions,
  highest,
  type Kind,
  type Piece,
  type Spec,
  sizeOf,
} from "./types.ts";

type Options = Readonly<Record<string, unknown>>;

/** Blocks of rows; no y: x and x. */
interface Blocks {
  readonly x: FloatArray;
  readonly n: number;
  readonly y: FloatArray | undefined;
  readonly m: number;
  readonly d: number;
  /** Where the result is written. */
  readonly out: FloatArray;
}

type Compute = (on: Functions, options: Options, blocks: Blocks) => Promise<FloatArray>;

/** The option that moves rows by the means of all of them, before tiles are made of them. */
const isCentred = ({ center }: Options): boolean => center === true;

/** X·Yᵀ has the bits of X·Xᵀ off its diagonal; the kernel too multiplies by the scale in f64 and rounds once. Rows are centred before. */
async function gramOf(on: Functions, options: Options, { x, n, y, m, d, out }: Blocks): Promise<FloatArray> {
  const { center: _, ...rest } = options;
  if (!y) return on.gram(x, { ...rest, shape: [n, d], out });
  const values = await on.kernelMatrix(x, y, { kernel: "linear", shape: [n, d], yShape: [m, d], out });
  const { scale = 1 } = options as { readonly scale?: number };
  if (scale !== 1) for (let at = 0; at < values.length; at++) values[at] = (values[at] as number) * scale;
  return values;
}

/** Rows and columns of a square that is transposed at a time: 16 KiB of f32, half of L1. */
const SQUARE = 64;

/** Values [rows, columns] as a chunk [down, across], which is always whole: what is beyond the array's edge is 0. */
function* chunkOf(
  values: FloatArray,
  rows: number,
  columns: number,
  [down, across]: readonly [number, number],
): Iterable<Uint8Array> {
  if (rows === down && columns === across) {
    yield bytesIn(values);
    return;
  }
  const strip = new (values.constructor as new (length: number) => FloatArray)(SQUARE * across);
  for (let i = 0; i < down; i += SQUARE) {
    strip.fill(0);
    for (let r = i; r < Math.min(i + SQUARE, rows); r++)
      strip.set(values.subarray(r * columns, (r + 1) * columns), (r - i) * across);
    yield bytesIn(strip.subarray(0, (Math.min(i + SQUARE, down) - i) * across));
  }
}

/** The same of the transposed values, [columns, rows], SQUARE rows of them at a time. */
function* turnedChunkOf(
  values: FloatArray,
  rows: number,
  columns: number,
  [down, across]: readonly [number, number],
): Iterable<Uint8Array> {
  const strip = new (values.constructor as new (length: number) => FloatArray)(SQUARE * across);
  for (let j = 0; j < down; j += SQUARE) {
    const end = Math.min(j + SQUARE, columns);
    if (rows < across || end < j + SQUARE) strip.fill(0);
    for (let i = 0; i < rows; i += SQUARE)
      for (let c = j; c < end; c++)
        for (let r = i; r < Math.min(i + SQUARE, rows); r++)
          strip[(c - j) * across + r] = values[r * columns + c] as number;
    yield bytesIn(strip.subarray(0, (Math.min(j + SQUARE, down) - j) * across));
  }
}

function matrix(
  first: string,
  second: string | undefined,
  symmetric: (options: Options) => boolean,
  compute: Compute,
  check = compute,
): Kind {
  const other = (job: Asked): string => (second && job.inputs[second] ? second : first);
  const mirrored = (job: Asked): boolean => other(job) === first && symmetric(job.options);
  const blocks = (job: Asked, edge: number): readonly [number, number] => [
    blocksOf(sizeOf(job, first)[0], edge),
    blocksOf(sizeOf(job, other(job))[0], edge),
  ];
  const chunkSize = (spec: Spec): readonly [number, number] => [highest(spec, first), highest(spec, other(spec))];
  const cell = (spec: Spec, index: number): readonly [number, number] =>
    cellOf(index, blocks(spec, spec.grid.edge)[1], mirrored(spec));
  return {
    inputs: [first],
    optional: second ? [second] : [],
    divided: true,
    check: async (job) => {
      const [, d] = sizeOf(job, first);
      const type = bytesOf(job, first) === 4 ? Float32Array : Float64Array;
      const blocks = { x: new type(d).fill(1), n: 1, y: undefined, m: 1, d, out: new type(1) };
      await check(HERE, job.options, blocks);
    },
    edge: (job) => edgeOf(sizeOf(job, first)[1], bytesOf(job, first)),
    tiles: (job, edge) => {
      const [down, across] = blocks(job, edge);
      return mirrored(job) ? triangle(down) : down * across;
    },
    arrays: (spec) => [
      {
        name: "matrix",
        type: bytesOf(spec, first) === 4 ? "float32" : "float64",
        shape: [sizeOf(spec, first)[0], sizeOf(spec, other(spec))[0]],
        chunk: chunkSize(spec),
      },
    ],
    files: (spec, index) => {
      const [i, j] = cell(spec, index);
      const files = [`matrix/c/${i}/${j}`];
      if (mirrored(spec) && i !== j) files.push(`matrix/c/${j}/${i}`);
      return files;
    },
    tile: async (spec, index, { on, room, read }) => {
      const [i, j] = cell(spec, index);
      const { edge } = spec.grid;
      const [n, d] = sizeOf(spec, first);
      const [from, rows] = spanOf(i, edge, n);
      const [start, columns] = spanOf(j, edge, sizeOf(spec, other(spec))[0]);
      const own = other(spec) === first && i === j;
      const centring: Centring | undefined = isCentred(spec.options)
        ? await centringOf(spec, first, (at, count) => read(first, at, count, "x"))
        : undefined;
      const block = async (name: string, at: number, count: number, place: string): Promise<FloatArray> => {
        const found = await read(name, at, count, place);
        return centring ? centre(found, d, centring) : found;
      };
      const x = await block(first, from, rows, "x");
      const y = own ? undefined : await block(other(spec), start, columns, "y");
      const out = room.floats("out", bytesOf(spec, first), rows * columns);
      const values = await compute(on, spec.options, { x, n: rows, y, m: columns, d, out });
      const size = chunkSize(spec);
      const pieces: Piece[] = [{ file: `matrix/c/${i}/${j}`, parts: () => chunkOf(values, rows, columns, size) }];
      if (mirrored(spec) && i !== j)
        pieces.push({ file: `matrix/c/${j}/${i}`, parts: () => turnedChunkOf(values, rows, columns, size) });
      return pieces;
    },
    bytes: (spec) => {
      const [down, across] = chunkSize(spec);
      const [, d] = sizeOf(spec, first);
      return bytesOf(spec, first) * (down * across + (down + across) * d + SQUARE * Math.max(down, across));
    },
    pairs: (spec) => {
      const n = sizeOf(spec, first)[0];
      const m = sizeOf(spec, other(spec))[0];
      return mirrored(spec) ? (n * (n + 1)) / 2 : n * m;
    },
  };
}

const always = (): boolean => true;

/** One argument each for P and Q that are one and the same is as good as one for both. */
const isSymmetricDivergence = ({ metric, from }: Options): boolean =>
  metric !== "kl" && (!Array.isArray(from) || from[0] === from[1]);

export const matrices: Readonly<Record<string, Kind>> = {
  pairwiseDivergence: matrix("p", "q", isSymmetricDivergence, (on, options, { x, n, y, m, d, out }) =>
    on.pairwiseDivergence(x, y, {
      ...(options as { metric: "js" }),
      shape: [n, d],
      ...(y && { qShape: [m, d] }),
      out,
    }),
  ),
  pairwiseDistance: matrix("x", "y", always, (on, options, { x, n, y, m, d, out }) =>
    on.pairwiseDistance(x, y, { ...options, shape: [n, d], ...(y && { yShape: [m, d] }), out }),
  ),
  kernelMatrix: matrix("x", "y", always, (on, options, { x, n, y, m, d, out }) =>
    on.kernelMatrix(x, y, {
      ...(options as { kernel: "rbf" }),
      shape: [n, d],
      ...(y && { yShape: [m, d] }),
      out,
    }),
  ),
  gram: matrix("x", undefined, always, gramOf, (on, options, { x, n, d }) => on.gram(x, { ...options, shape: [n, d] })),
};
