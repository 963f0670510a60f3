/** A worker takes tiles from the queue and makes each in a thread, so that a kernel that blocks for seconds does not lose it its lock. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "bullmq";
import { info } from "surprisal";
import { ClusterError } from "./errors.ts";
import { DATA } from "./names.ts";
import {
  type Connection,
  checkRedis,
  connect,
  MOST_DEATHS,
  QUEUE,
  TIMING,
  type TileData,
  type Timing,
  type Warning,
} from "./queue.ts";

export interface WorkerOptions {
  readonly connection: Connection;
  /** The data folder, as this machine sees it. */
  readonly data: string;
  /** Tiles at a time. Default: one for each core. */
  readonly concurrency?: number | undefined;
  /** Told of every tile that is made, or was there. */
  readonly onTile?: ((tile: TileData, outcome: "made" | "there", milliseconds: number) => void) | undefined;
  readonly onFailure?: ((tile: TileData | undefined, message: string) => void) | undefined;
  readonly onWarning?: ((warning: Warning) => void) | undefined;
  readonly timing?: Partial<Timing> | undefined;
  /** Keys in Redis begin with it. Default: BullMQ's own, "bull". */
  readonly prefix?: string | undefined;
  /** A module in place of the package's own that makes tiles: tests break it. */
  readonly processor?: string | undefined;
}

export interface RunningWorker {
  /** Takes no more tiles, and resolves when those in hand are done. */
  close(): Promise<void>;
}

/** Begins to take tiles. Resolves when the worker is connected. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { connection, concurrency = availableParallelism(), onTile, onFailure, onWarning, prefix } = options;
  const { processor = fileURLToPath(new URL("./processor.js", import.meta.url)) } = options;
  const data = resolve(options.data);
  if (!existsSync(data))
    throw new ClusterError(`${data}: there is no such data folder on this machine; --data names the one all share`);
  if (!(Number.isInteger(concurrency) && concurrency >= 1))
    throw new ClusterError(`concurrency must be a positive integer, got ${concurrency}`);
  for (const warning of await checkRedis(connection)) onWarning?.(warning);
  const timing = { ...TIMING, ...options.timing };
  const redis = connect(connection);
  redis.on("error", () => undefined);
  const worker = new Worker<TileData>(QUEUE, processor, {
    connection: redis,
    ...(prefix && { prefix }),
    // the coordinator reads off it which version this is
    name: info().version,
    concurrency,
    useWorkerThreads: true,
    workerThreadsOptions: { env: { ...process.env, [DATA]: data } },
    lockDuration: timing.lock,
    stalledInterval: timing.stalled,
    maxStalledCount: MOST_DEATHS,
  });
  worker.on("completed", (job, outcome) => onTile?.(job.data, outcome, (job.finishedOn ?? 0) - (job.processedOn ?? 0)));
  worker.on("failed", (job, error) => onFailure?.(job?.data, error.message));
  // a Redis that went away comes back: BullMQ goes on by itself
  worker.on("error", (error) => onWarning?.(error.message));
  await worker.waitUntilReady();
  return {
    close: async () => {
      await worker.close();
      redis.disconnect();
    },
  };
}
