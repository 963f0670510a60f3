/**
 * What a process takes, and what it does to stay within what it may take: as many tiles at a time as fit, and no job whose tiles are larger than
 * that. All was measured as the process's largest resident set, as cluster/test/scale.test.ts measures it.
 */
import { ClusterError } from "./errors.ts";
import { inWords } from "./folder.ts";
import type { Spec } from "./jobs/types.ts";

const MIB = 2 ** 20;

/** MiB that a process may take where nothing else is said. */
export const MEMORY = 256;

/** MiB of a process before its first tile: Node, and BullMQ or what draws the bar. */
const PROCESS = 84;

/** MiB of a thread that makes tiles beside their arrays: its engine, what that has not collected yet, kernels. Of one of a pool. */
const MAKER = 28;
const HELPER = 16;

/** MiB of a tile's arrays, as large as grids make them: inputs and outputs of 16 each, and some in f64 beside f32. */
const TILE = 48;

/** Bytes that a thread keeps for tiles. */
export const ROOM = TILE * MIB;

/** Of a thread that makes tiles: what is short-lived is collected after 8 MB, not 48, of which tiles make little. */
export const LIMITS = { maxYoungGenerationSizeMb: 8 } as const;

/** How the tiles of a job are made in a process. */
export interface Sizing {
  /** Threads that make tiles, and how many each has in hand. */
  readonly makers: number;
  readonly tiles: number;
  /** Threads of the pool of each. */
  readonly threads: number;
  /** Bytes that the arrays of a tile may take. */
  readonly bytes: number;
}

/** An error if a tile is larger than it may be. */
export function checkTile(spec: Spec, needed: number, most: number): void {
  if (needed <= most) return;
  throw new ClusterError(
    `a tile takes ${inWords(needed)} of memory, and there are ${inWords(most)} for it: --memory ${PROCESS + MAKER + Math.ceil(needed / MIB)} is enough for one at a time (--concurrency 1), or give the job an "edge" of less than its ${spec.grid.edge} rows`,
  );
}

function checkMemory(memory: number): void {
  const least = PROCESS + MAKER + 1;
  if (!(Number.isInteger(memory) && memory >= least))
    throw new ClusterError(`memory must be a whole number of MiB, at least ${least}, got ${memory}`);
}

/** MiB that a worker takes with so many tiles at a time. */
export const memoryOf = (tiles: number): number => PROCESS + tiles * (MAKER + TILE);

/** Of a worker, each of whose threads makes a tile: one for each core, or as many as fit. */
export function planWorker(cores: number, concurrency: number | undefined, memory: number = MEMORY): Sizing {
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1))
    throw new ClusterError(`concurrency must be a positive integer, got ${concurrency}`);
  checkMemory(memory);
  const fit = Math.max(1, Math.floor((memory - PROCESS) / (MAKER + TILE)));
  const makers = concurrency ?? Math.min(cores, fit);
  if (makers > fit)
    throw new ClusterError(
      `${makers} tiles at a time take up to ${memoryOf(makers)} MiB, more than the ${memory} that this worker may: --memory ${memoryOf(makers)}, or --concurrency ${fit}`,
    );
  return { makers, tiles: 1, threads: 1, bytes: ((memory - PROCESS) / makers - MAKER) * MIB };
}

/** Of a run without a queue, on so many threads: with no memory said as much as the job's tiles take, two of them at a time. */
export function planLocal(threads: number, divided: boolean, memory: number | undefined): Sizing {
  if (!(Number.isInteger(threads) && threads >= 1))
    throw new ClusterError(`local must be true or a positive number of threads, got ${threads}`);
  if (memory === undefined) {
    const bytes = Infinity;
    return divided ? { makers: 1, tiles: 2, threads, bytes } : { makers: threads, tiles: 1, threads: 1, bytes };
  }
  checkMemory(memory);
  if (!divided) return planWorker(threads, undefined, memory);
  // threads of the pool that fit beside one tile at least, then a second tile
  const room = memory - PROCESS - MAKER;
  const fit = Math.max(1, Math.min(threads, Math.floor((room - TILE) / HELPER)));
  const left = fit === 1 ? room : room - fit * HELPER;
  const tiles = left >= 2 * TILE ? 2 : 1;
  return { makers: 1, tiles, threads: fit, bytes: (left / tiles) * MIB };
}
