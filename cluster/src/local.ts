/**
 * Tiles on the cores of this process, without a queue. Tiles of pairs are made by a thread of their own, which divides each over a pool of
 * `surprisal/parallel`: so memory is that of two tiles, however many cores. Of meters, which a pool does not divide, threads make a tile each.
 */
import { Worker } from "node:worker_threads";
import { ClusterError } from "./errors.ts";
import { LIMITS, type Sizing } from "./memory.ts";

export interface Tiles extends Sizing {
  readonly data: string;
  readonly id: string;
  readonly indices: readonly number[];
  readonly signal?: AbortSignal | undefined;
  done(index: number): void;
  failed(index: number, message: string): void;
}

/** What a maker of tiles is given when it begins. */
export interface Task extends Pick<Sizing, "threads" | "bytes"> {
  readonly data: string;
  readonly id: string;
}

/** What it answers. */
export type Answer = { readonly index: number; readonly error?: string | undefined };

/** Resolves when all tiles are done or failed. A maker that dies takes its tiles with it: they are tried once more on another, one by one. */
export async function runLocal({
  data,
  id,
  indices,
  makers,
  tiles,
  threads,
  bytes,
  signal,
  done,
  failed,
}: Tiles): Promise<void> {
  const waiting = [...indices].reverse();
  const deaths = new Map<number, number>();
  const running = new Set<Worker>();
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      if (waiting.length === 0 || signal?.aborted) return resolve();
      const workerData: Task = { data, id, threads, bytes };
      const worker = new Worker(new URL("./thread.js", import.meta.url), { workerData, resourceLimits: LIMITS });
      running.add(worker);
      const inHand = new Set<number>();
      let ended = false;
      const feed = (): void => {
        // which of several tiles is deadly is not known
        const most = deaths.size > 0 ? 1 : tiles;
        while (inHand.size < most && waiting.length > 0 && !signal?.aborted) {
          const index = waiting.pop() as number;
          inHand.add(index);
          worker.postMessage(index);
        }
        if (inHand.size > 0) return;
        ended = true;
        running.delete(worker);
        void worker.terminate().then(() => resolve());
      };
      const died = (why: string): void => {
        if (ended) return;
        ended = true;
        running.delete(worker);
        for (const index of inHand) {
          const times = (deaths.get(index) ?? 0) + 1;
          deaths.set(index, times);
          if (times > 1) failed(index, `its thread died twice: ${why}`);
          else waiting.push(index);
        }
        resolve(one());
      };
      worker.on("message", ({ index, error }: Answer) => {
        if (ended) return;
        inHand.delete(index);
        if (error === undefined) done(index);
        else failed(index, error);
        feed();
      });
      worker.on("error", (error) => died(error.message));
      worker.on("exit", (code) => died(`exit code ${code}`));
      feed();
    });
  const stop = (): void => {
    waiting.length = 0;
    for (const worker of running) void worker.terminate();
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await Promise.all(Array.from({ length: Math.min(makers, indices.length) }, one));
  } finally {
    signal?.removeEventListener("abort", stop);
  }
  if (waiting.length > 0 && !signal?.aborted)
    throw new ClusterError(`${waiting.length} tiles were left by threads that died`);
}
