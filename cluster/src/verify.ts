/** Recomputes tiles of a job and compares their bytes with those that are there. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ClusterError } from "./errors.ts";
import { folderOf, isDone } from "./folder.ts";
import type { Piece } from "./jobs/types.ts";
import { idOf, type Request, specOf } from "./spec.ts";
import { Maker } from "./tile.ts";

export interface VerifyOptions {
  readonly data: string;
  /** Tiles to recompute, spread over all by the job's id: the same ones each time. Default: all. */
  readonly sample?: number | undefined;
  readonly progress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Verified {
  readonly id: string;
  readonly checked: number;
  /** Tiles whose bytes are others. */
  readonly different: readonly number[];
  /** Tiles that are not there. */
  readonly missing: readonly number[];
}

/** Whether a file has these bytes, and no others. */
async function isThere(folder: string, { file, parts }: Piece): Promise<boolean> {
  const handle = await open(join(folder, file));
  try {
    let at = 0;
    for (const part of parts()) {
      const there = Buffer.alloc(part.length);
      for (let done = 0; done < part.length; ) {
        const { bytesRead } = await handle.read(there, done, part.length - done, at + done);
        if (bytesRead === 0) return false;
        done += bytesRead;
      }
      if (there.compare(part) !== 0) return false;
      at += part.length;
    }
    return (await handle.stat()).size === at;
  } finally {
    await handle.close();
  }
}

/** Of a sample the tiles whose hash with the id is least. */
function sampleOf(id: string, tiles: number, sample: number): number[] {
  const all = Array.from({ length: tiles }, (_, index) => index);
  if (sample >= tiles) return all;
  const rank = new Map(all.map((index) => [index, createHash("sha256").update(`${id} ${index}`).digest("hex")]));
  const ranked = all.sort((a, b) => ((rank.get(a) as string) < (rank.get(b) as string) ? -1 : 1));
  return ranked.slice(0, sample).sort((a, b) => a - b);
}

export async function verify(
  request: Request,
  { data: given, sample, progress, signal }: VerifyOptions,
): Promise<Verified> {
  const data = resolve(given);
  if (sample !== undefined && !(Number.isInteger(sample) && sample >= 1))
    throw new ClusterError(`sample must be a positive integer, got ${sample}`);
  const spec = await specOf(request, data);
  const id = idOf(spec);
  const folder = folderOf(data, id);
  const indices = sampleOf(id, spec.grid.tiles, sample ?? spec.grid.tiles);
  const [different, missing]: [number[], number[]] = [[], []];
  const maker = new Maker();
  const areThere = async (pieces: readonly Piece[]): Promise<boolean> => {
    for (const piece of pieces) if (!(await isThere(folder, piece))) return false;
    return true;
  };
  let done = 0;
  for (const index of indices) {
    signal?.throwIfAborted();
    if (!isDone(spec, folder, index)) missing.push(index);
    else if (!(await maker.make(spec, index, data, areThere))) different.push(index);
    progress?.(++done, indices.length);
  }
  return { id, checked: indices.length - missing.length, different, missing };
}
