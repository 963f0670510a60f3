/**
 * Runs a job: what is missing is listed, queued, waited for and listed again, until nothing is. The outputs are the truth; the queue is only how
 * workers learn of tiles, holds a few of them at a time, and may lose any: they are sent again.
 */
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { Queue } from "bullmq";
import { info } from "surprisal";
import { ClusterError, during } from "./errors.ts";
import { checkSpace, finish, folderOf, isDone, missing, prepare, type Result } from "./folder.ts";
import type { Spec } from "./jobs/types.ts";
import { runLocal } from "./local.ts";
import { checkTile, planLocal, type Sizing } from "./memory.ts";
import {
  ATTEMPTS,
  BACKOFF,
  type Connection,
  checkRedis,
  connect,
  jobIdOf,
  QUEUE,
  TIMING,
  type TileData,
  type Timing,
  type Warning,
} from "./queue.ts";
import { kindOf, type Request, specOf } from "./spec.ts";

export interface Progress {
  /** Tiles that are there, those of earlier runs included. */
  readonly done: number;
  readonly total: number;
  /** Tiles that have failed for good. */
  readonly failed: number;
  /** Of this run so far. */
  readonly tilesPerSecond: number;
  /** At that rate; undefined before the first tile. */
  readonly secondsLeft: number | undefined;
  /** Workers that are connected; threads of a local run. */
  readonly workers: number;
}

export interface RunOptions {
  /** The folder that all machines share, as this one sees it; inputs are in it, and outputs go there. */
  readonly data: string;
  /** Where Redis is; without one the job is run in this process. */
  readonly connection?: Connection | undefined;
  /** In this process, on a pool of so many threads, instead of workers: true, the default without a connection, is one for each core. */
  readonly local?: boolean | number | undefined;
  /** MiB that this process may take, of a local run: fewer threads, or a tile at a time. Default: what two tiles at a time take. */
  readonly memory?: number | undefined;
  readonly progress?: ((progress: Progress) => void) | undefined;
  /** Once it is aborted the run takes its tiles out of the queue and rejects with the reason; what is done stays. */
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: ((warning: Warning) => void) | undefined;
  readonly timing?: Partial<Timing> | undefined;
  readonly prefix?: string | undefined;
  /** Tiles in the queue at most, which bounds what Redis holds; at least twice the tiles that workers do at a time. Default: 1000. */
  readonly window?: number | undefined;
}

/** Failures of tiles after which a run ends: what is wrong with so many is wrong with all. */
const MOST_FAILURES = 16;

/** Tiles so few that looking at them costs nothing, and ms between looks then. */
const [FEW, SOON] = [64, 50];

/** Counts what is done, and says how long the rest will take. */
class Meter {
  readonly #total: number;
  readonly #before: number;
  readonly #start = performance.now();
  readonly #tell: RunOptions["progress"];
  done: number;
  workers = 0;
  readonly failures = new Map<number, string>();

  constructor(total: number, done: number, tell: RunOptions["progress"]) {
    this.#total = total;
    this.#before = done;
    this.done = done;
    this.#tell = tell;
  }

  tell(): void {
    const seconds = (performance.now() - this.#start) / 1000;
    const made = this.done - this.#before;
    const tilesPerSecond = made / Math.max(seconds, 1e-3);
    const secondsLeft = made > 0 ? (this.#total - this.done) / tilesPerSecond : undefined;
    const { done, workers } = this;
    this.#tell?.({ done, total: this.#total, failed: this.failures.size, tilesPerSecond, secondsLeft, workers });
  }

  check(): void {
    const { failures } = this;
    if (failures.size === 0) return;
    // of several threads or workers any may be the first to fail
    const first = Math.min(...failures.keys());
    throw new ClusterError(`${failures.size} ${failures.size === 1 ? "tile" : "tiles"} failed; ${failures.get(first)}`);
  }
}

/**
 * Runs a job to its end and returns what it came to. Run again, it goes on where it stopped; of a job that is done it returns the result.
 *
 * @example
 * const { folder } = await run(
 *   { function: "pairwiseDivergence", options: { metric: "js" }, inputs: { p: "probabilities.npy" } },
 *   { data: "/shared/run", connection: "redis://localhost:6379" },
 * );
 */
export async function run(request: Request, options: RunOptions): Promise<Result> {
  const { connection, local = options.connection === undefined, memory, progress, signal, onWarning } = options;
  const data = resolve(options.data);
  signal?.throwIfAborted();
  const isLocal = local !== false;
  if (!isLocal) {
    if (connection === undefined) throw new ClusterError("a run that is not local needs a connection, to Redis");
    for (const warning of await checkRedis(connection)) onWarning?.(warning);
  }
  await mkdir(data, { recursive: true }).catch((error: unknown) => {
    throw during(`the data folder ${data}`, error);
  });
  const spec = await specOf(request, data);
  const id = await prepare(spec, data);
  const folder = folderOf(data, id);
  const indices = await missing(spec, folder);
  await checkSpace(spec, data, indices.length);
  const meter = new Meter(spec.grid.tiles, spec.grid.tiles - indices.length, progress);
  if (indices.length > 0) {
    if (isLocal) {
      const kind = kindOf(spec.function);
      const plan = planLocal(local === true ? availableParallelism() : local, kind.divided, memory);
      checkTile(spec, kind.bytes(spec), plan.bytes);
      await locally(data, id, indices, plan, meter, signal);
    } else await queued(spec, data, id, indices, meter, options);
  }
  signal?.throwIfAborted();
  meter.check();
  const result = await finish(spec, data, id);
  meter.tell();
  return result;
}

async function locally(
  data: string,
  id: string,
  indices: readonly number[],
  plan: Sizing,
  meter: Meter,
  signal: AbortSignal | undefined,
): Promise<void> {
  meter.workers = Math.min(plan.makers, indices.length) * plan.threads;
  meter.tell();
  // a callback that throws, or too many failures, end the run from within
  const ended = new AbortController();
  const count = (step: () => void): void => {
    try {
      step();
      meter.tell();
    } catch (error) {
      ended.abort(error);
    }
    if (meter.failures.size >= MOST_FAILURES) ended.abort();
  };
  await runLocal({
    ...plan,
    data,
    id,
    indices,
    signal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal,
    done: () =>
      count(() => {
        meter.done++;
      }),
    failed: (index, message) =>
      count(() => {
        meter.failures.set(index, message);
      }),
  });
  signal?.throwIfAborted();
  meter.check();
  ended.signal.throwIfAborted();
}

const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener("abort", wake, { once: true });
  });

async function queued(
  spec: Spec,
  data: string,
  id: string,
  indices: readonly number[],
  meter: Meter,
  options: RunOptions,
): Promise<void> {
  const { connection, signal, prefix, window = 1000, onWarning } = options;
  const timing = { ...TIMING, ...options.timing };
  const folder = folderOf(data, id);
  const redis = connect(connection as Connection);
  redis.on("error", () => undefined);
  const queue = new Queue<TileData>(QUEUE, { connection: redis, ...(prefix && { prefix }) });
  queue.on("error", () => undefined);
  /** Tiles in the queue, in order, and the first that is not yet. */
  const outstanding = new Set<number>();
  let next = 0;
  /** Whether nobody works, which is said once. */
  let lonely = false;
  const send = (tiles: readonly number[]): Promise<unknown> =>
    // one that is in the queue already, under the same id, is not added again
    queue.addBulk(
      tiles.map((tile) => ({
        name: spec.function,
        data: { id, tile },
        opts: {
          jobId: jobIdOf({ id, tile }),
          attempts: ATTEMPTS,
          backoff: { type: "exponential", delay: BACKOFF },
          removeOnComplete: true,
          stackTraceLimit: 1,
        },
      })),
    );
  /** Whether all tiles are there. */
  let ended = false;
  const failedJobs = async () => (await queue.getFailed(0, -1)).filter((job) => job?.data?.id === id);
  const aborted =
    signal &&
    new Promise<undefined>((resolve) => {
      signal.addEventListener("abort", () => resolve(undefined), { once: true });
      if (signal.aborted) resolve(undefined);
    });
  /** Waits for Redis, which may be away for a while, but not beyond an abort. */
  const orAbort = async (work: Promise<unknown>): Promise<void> => {
    await (aborted ? Promise.race([work, aborted]) : work);
  };
  /** What the queue knows: who works, what failed, and whether it has lost tiles. */
  const ask = async (force: boolean): Promise<void> => {
    const workers = await queue.getWorkers();
    meter.workers = workers.length;
    if (workers.length === 0 && !lonely)
      onWarning?.(
        "no worker is connected: surprisal-cluster worker --data <this folder> on each machine makes the tiles",
      );
    lonely = workers.length === 0;
    checkVersions(workers);
    for (const job of await failedJobs()) {
      const { tile } = job.data;
      if (!isDone(spec, folder, tile)) meter.failures.set(tile, job.failedReason);
    }
    for (const tile of meter.failures.keys()) outstanding.delete(tile);
    const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized");
    const held = Object.values(counts).reduce((sum, count) => sum + count, 0);
    if (force || held < outstanding.size) {
      const lost = [...outstanding].filter((tile) => !isDone(spec, folder, tile));
      if (lost.length > 0) await send(lost);
    }
  };
  try {
    // an error of an earlier run would keep its tile out of the queue
    const forget = async (): Promise<void> => {
      for (const job of await failedJobs()) await job.remove();
    };
    await orAbort(forget());
    let asked = Number.NEGATIVE_INFINITY;
    let sent = performance.now();
    while (!signal?.aborted) {
      for (const tile of outstanding) {
        if (!isDone(spec, folder, tile)) continue;
        outstanding.delete(tile);
        meter.done++;
      }
      try {
        if (outstanding.size <= window / 2 && next < indices.length && meter.failures.size < MOST_FAILURES) {
          const more = indices.slice(next, next + window - outstanding.size);
          await orAbort(send(more));
          next += more.length;
          for (const tile of more) outstanding.add(tile);
        }
        const now = performance.now();
        if (now - asked > 8 * timing.poll) {
          const force = now - sent > timing.resend;
          await orAbort(ask(force));
          asked = performance.now();
          if (force) sent = asked;
        }
      } catch (error) {
        if (error instanceof ClusterError) throw error;
        // Redis went away in the middle of a command: it is asked again
        onWarning?.((error as Error).message);
      }
      meter.tell();
      if (outstanding.size === 0 && (next >= indices.length || meter.failures.size >= MOST_FAILURES)) break;
      // the last ones are waited for by a person
      await pause(outstanding.size > FEW ? timing.poll : Math.min(timing.poll, SOON), signal);
    }
    ended = !signal?.aborted && meter.failures.size === 0;
  } finally {
    // a callback that throws ends a run too
    if (!ended) await withdraw(queue, id, outstanding);
    await Promise.race([queue.close(), pause(1000, undefined)]);
    redis.disconnect();
  }
}

/** Takes a run's tiles out of the queue, but for those in hand; if Redis is away, they stay, and do no harm. */
async function withdraw(queue: Queue<TileData>, id: string, tiles: ReadonlySet<number>): Promise<void> {
  const removal = Promise.allSettled([...tiles].map((tile) => queue.remove(jobIdOf({ id, tile }))));
  await Promise.race([removal, pause(2000, undefined)]);
}

/** Workers carry their version as their name, behind the queue's in what Redis lists. */
function checkVersions(workers: readonly { readonly [field: string]: string }[]): void {
  const { version } = info();
  for (const { name, rawname, addr } of workers) {
    const found = /:w:(.*)$/.exec(rawname ?? "")?.[1] ?? name;
    if (found !== undefined && found !== version)
      throw new ClusterError(
        `the worker at ${addr} has surprisal ${found}, this run ${version}: install the same version on both, and run again`,
      );
  }
}
