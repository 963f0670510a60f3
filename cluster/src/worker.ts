/** A worker takes tiles from the queue and makes each in a thread, so that a kernel that blocks for seconds does not lose it its lock. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "bullmq";
import { info } from "surprisal";
import { ClusterError } from "./errors.ts";
import { LIMITS, MEMORY, memoryOf, planWorker } from "./memory.ts";
import { DATA, TILE_BYTES } from "./names.ts";
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
  /** Tiles at a time. Default: one for each core, or as many as fit into its memory. */
  readonly concurrency?: number | undefined;
  /** MiB that this process may take. Default: 256. */
  readonly memory?: number | undefined;
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
  /** Tiles at a time. */
  readonly concurrency: number;
  /** Takes no more tiles, and resolves when those in hand are done. */
  close(): Promise<void>;
}

/** Begins to take tiles. Resolves when the worker is connected. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { connection, onTile, onFailure, onWarning, prefix } = options;
  const { processor = fileURLToPath(new URL("./processor.js", import.meta.url)) } = options;
  const data = resolve(options.data);
  if (!existsSync(data))
    throw new ClusterError(`${data}: there is no such data folder on this machine; --data names the one all share`);
  const cores = availableParallelism();
  const { makers, bytes } = planWorker(cores, options.concurrency, options.memory);
  if (options.concurrency === undefined && makers < cores)
    onWarning?.(
      `${makers} tiles at a time fit into ${options.memory ?? MEMORY} MiB, for ${cores} cores: --memory ${memoryOf(cores)} lets all of them work`,
    );
  for (const warning of await checkRedis(connection)) onWarning?.(warning);
  const timing = { ...TIMING, ...options.timing };
  const redis = connect(connection);
  redis.on("error", () => undefined);
  const worker = new Worker<TileData>(QUEUE, processor, {
    connection: redis,
    ...(prefix && { prefix }),
    // the coordinator reads off it which version this is
    name: info().version,
    concurrency: makers,
    useWorkerThreads: true,
    workerThreadsOptions: { env: { ...process.env, [DATA]: data, [TILE_BYTES]: `${bytes}` }, resourceLimits: LIMITS },
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
    concurrency: makers,
    close: async () => {
      await worker.close();
      redis.disconnect();
    },
  };
}
