/** Tiles on the threads of this process, without a queue: each asks for the next when it has done one. */
import { Worker } from "node:worker_threads";
import { ClusterError } from "./errors.ts";

/** What a pool is given, and what it tells: this is all that `surprisal/parallel` would have to offer to take its place. */
export interface Tiles {
  readonly data: string;
  readonly id: string;
  readonly indices: readonly number[];
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  done(index: number): void;
  failed(index: number, message: string): void;
}

/** What a thread answers. */
export type Answer = { readonly index: number; readonly error?: string | undefined };

/** Resolves when all tiles are done or failed. A thread that dies takes its tile with it, which is tried once more on another. */
export async function runLocal({ data, id, indices, threads, signal, done, failed }: Tiles): Promise<void> {
  const waiting = [...indices].reverse();
  const deaths = new Map<number, number>();
  const running = new Set<Worker>();
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      let current = waiting.pop();
      if (current === undefined || signal?.aborted) return resolve();
      const worker = new Worker(new URL("./thread.js", import.meta.url), { workerData: { data, id } });
      running.add(worker);
      let ended = false;
      const end = (): void => {
        if (ended) return;
        ended = true;
        running.delete(worker);
        void worker.terminate().then(() => resolve());
      };
      worker.on("message", ({ index, error }: Answer) => {
        if (ended) return;
        if (error === undefined) done(index);
        else failed(index, error);
        current = signal?.aborted ? undefined : waiting.pop();
        if (current === undefined) end();
        else worker.postMessage(current);
      });
      const died = (why: string): void => {
        if (ended) return;
        const index = current as number;
        const times = (deaths.get(index) ?? 0) + 1;
        deaths.set(index, times);
        if (times > 1) failed(index, `its thread died twice: ${why}`);
        else waiting.push(index);
        ended = true;
        running.delete(worker);
        resolve(one());
      };
      worker.on("error", (error) => died(error.message));
      worker.on("exit", (code) => died(`exit code ${code}`));
      worker.postMessage(current);
    });
  const stop = (): void => {
    for (const worker of running) void worker.terminate();
    waiting.length = 0;
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await Promise.all(Array.from({ length: Math.min(threads, indices.length) }, one));
  } finally {
    signal?.removeEventListener("abort", stop);
  }
  if (waiting.length > 0 && !signal?.aborted)
    throw new ClusterError(`${waiting.length} tiles were left by threads that died`);
}
