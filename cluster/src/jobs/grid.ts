/** How rows and pairs of rows are cut into tiles: functions of shapes alone, so that every machine cuts alike. */

/** Rows of a block at most, of multiply-adds in a tile, and of bytes: at 1.3 M pairs of 256 a second 2^30 are 3.3 s. */
const MOST_ROWS = 2048;
const MOST_WORK = 2 ** 30;
const MOST_BYTES = 2 ** 24;

/** Rows of a block less than which tiles are smaller than what they cost to queue. */
const LEAST_ROWS = 16;

/** The largest power of two whose square of pairs, d deep, is some seconds of work, and fits into 16 MiB, as its rows do. */
export function edgeOf(d: number, bytes: number): number {
  let edge = MOST_ROWS;
  const isLarge = () =>
    edge * edge * d > MOST_WORK || edge * edge * bytes > MOST_BYTES || edge * d * bytes > MOST_BYTES;
  while (edge > LEAST_ROWS && isLarge()) edge /= 2;
  return edge;
}

/** Rows of a shard at most: 16 MiB of them, or what numbers beside them take. */
export function shardOf(d: number, bytes: number): number {
  return Math.max(1, Math.min(2 ** 16, Math.floor(MOST_BYTES / Math.max(1, d * bytes))));
}

export const blocksOf = (rows: number, edge: number): number => Math.ceil(rows / edge);

/** Blocks on and above the diagonal. */
export const triangle = (blocks: number): number => (blocks * (blocks + 1)) / 2;

/** Which block of a row of blocks, and which row: of all of them, or of those on and above the diagonal. */
export function cellOf(index: number, blocks: number, symmetric: boolean): readonly [i: number, j: number] {
  if (!symmetric) return [Math.floor(index / blocks), index % blocks];
  let [i, rest] = [0, index];
  while (rest >= blocks - i) rest -= blocks - i++;
  return [i, i + rest];
}

/** Where block i begins, and how many rows it has. */
export function spanOf(i: number, edge: number, rows: number): readonly [from: number, count: number] {
  return [i * edge, Math.min(edge, rows - i * edge)];
}
