/**
 * Matrices over pairs of rows, block by block: a tile is the same function of two blocks of rows, whose elements have the bits that they
 * have in the whole. Of rows among themselves blocks above the diagonal serve below as well, transposed, but for KL, which is not symmetric.
 */
import { gram, kernelMatrix, pairwiseDistance, pairwiseDivergence } from "surprisal";
import { ClusterError } from "../errors.ts";
import { blocksOf, cellOf, edgeOf, spanOf, triangle } from "./grid.ts";
import { type Asked, bytesIn, bytesOf, type FloatArray, type Kind, type Piece, type Spec, sizeOf } from "./types.ts";

type Options = Readonly<Record<string, unknown>>;

/** The function of n rows x and m rows y; no y: of x and x. */
type Compute = (
  options: Options,
  x: FloatArray,
  n: number,
  y: FloatArray | undefined,
  m: number,
  d: number,
) => FloatArray;

/** X·Yᵀ has the bits of X·Xᵀ off its diagonal; the kernel too multiplies by the scale in f64 and rounds once. */
function gramOf(
  options: Options,
  x: FloatArray,
  n: number,
  y: FloatArray | undefined,
  m: number,
  d: number,
): FloatArray {
  if (options["center"] === true)
    throw new ClusterError('gram: "center" needs the means of all rows: take them from the rows first');
  if (!y) return gram(x as Float32Array, { ...options, shape: [n, d] });
  const values = kernelMatrix(x as Float32Array, y as Float32Array, {
    kernel: "linear",
    shape: [n, d],
    yShape: [m, d],
  });
  const { scale = 1 } = options as { readonly scale?: number };
  if (scale === 1) return values;
  for (let at = 0; at < values.length; at++) values[at] = (values[at] as number) * scale;
  return values;
}

/** Rows and columns of a square that is transposed at a time: 16 KiB of f32, half of L1. */
const SQUARE = 64;

function transposed(values: FloatArray, rows: number, columns: number): FloatArray {
  const turned = new (values.constructor as new (length: number) => FloatArray)(values.length);
  for (let i = 0; i < rows; i += SQUARE)
    for (let j = 0; j < columns; j += SQUARE)
      for (let r = i; r < Math.min(i + SQUARE, rows); r++)
        for (let c = j; c < Math.min(j + SQUARE, columns); c++)
          turned[c * rows + r] = values[r * columns + c] as number;
  return turned;
}

/** A chunk is always whole: what is beyond the array's edge is 0. */
function padded(
  values: FloatArray,
  rows: number,
  columns: number,
  [down, across]: readonly [number, number],
): Uint8Array {
  if (rows === down && columns === across) return bytesIn(values);
  const chunk = new (values.constructor as new (length: number) => FloatArray)(down * across);
  for (let r = 0; r < rows; r++) chunk.set(values.subarray(r * columns, (r + 1) * columns), r * across);
  return bytesIn(chunk);
}

function matrix(
  first: string,
  second: string | undefined,
  symmetric: (options: Options) => boolean,
  compute: Compute,
): Kind {
  const other = (job: Asked): string => (second && job.inputs[second] ? second : first);
  const mirrored = (job: Asked): boolean => other(job) === first && symmetric(job.options);
  const blocks = (job: Asked, edge: number): readonly [number, number] => [
    blocksOf(sizeOf(job, first)[0], edge),
    blocksOf(sizeOf(job, other(job))[0], edge),
  ];
  const chunkOf = (spec: Spec): readonly [number, number] => [
    Math.min(spec.grid.edge, sizeOf(spec, first)[0]),
    Math.min(spec.grid.edge, sizeOf(spec, other(spec))[0]),
  ];
  const cell = (spec: Spec, index: number): readonly [number, number] =>
    cellOf(index, blocks(spec, spec.grid.edge)[1], mirrored(spec));
  return {
    inputs: [first],
    optional: second ? [second] : [],
    check: (job) => {
      const [, d] = sizeOf(job, first);
      const ones = new (bytesOf(job, first) === 4 ? Float32Array : Float64Array)(d).fill(1);
      compute(job.options, ones, 1, undefined, 1, d);
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
        chunk: chunkOf(spec),
      },
    ],
    files: (spec, index) => {
      const [i, j] = cell(spec, index);
      const files = [`matrix/c/${i}/${j}`];
      if (mirrored(spec) && i !== j) files.push(`matrix/c/${j}/${i}`);
      return files;
    },
    tile: async (spec, index, read) => {
      const [i, j] = cell(spec, index);
      const { edge } = spec.grid;
      const [n, d] = sizeOf(spec, first);
      const [from, rows] = spanOf(i, edge, n);
      const [start, columns] = spanOf(j, edge, sizeOf(spec, other(spec))[0]);
      const x = await read(first, from, rows);
      const own = other(spec) === first && i === j;
      const y = own ? undefined : await read(other(spec), start, columns);
      const values = compute(spec.options, x, rows, y, columns, d);
      const chunk = chunkOf(spec);
      const pieces: Piece[] = [{ file: `matrix/c/${i}/${j}`, bytes: padded(values, rows, columns, chunk) }];
      if (mirrored(spec) && i !== j)
        pieces.push({
          file: `matrix/c/${j}/${i}`,
          bytes: padded(transposed(values, rows, columns), columns, rows, chunk),
        });
      return pieces;
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
  pairwiseDivergence: matrix("p", "q", isSymmetricDivergence, (options, p, n, q, m, d) =>
    pairwiseDivergence(p, q, { ...(options as { metric: "js" }), shape: [n, d], ...(q && { qShape: [m, d] }) }),
  ),
  pairwiseDistance: matrix("x", "y", always, (options, x, n, y, m, d) =>
    pairwiseDistance(x, y, { ...options, shape: [n, d], ...(y && { yShape: [m, d] }) }),
  ),
  kernelMatrix: matrix("x", "y", always, (options, x, n, y, m, d) =>
    kernelMatrix(x, y, { ...(options as { kernel: "rbf" }), shape: [n, d], ...(y && { yShape: [m, d] }) }),
  ),
  gram: matrix("x", undefined, always, gramOf),
};
