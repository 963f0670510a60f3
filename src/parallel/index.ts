/** surprisal/parallel: functions of surprisal on all cores, a promise each, of the same bits. */

import { failKind } from "../errors.ts";
import { integerIn, optionsOf } from "../options.ts";
import { availableCores } from "./cores.ts";
import { Crew } from "./crew.ts";
import { type Pool, type PoolOptions, poolOf } from "./pool.ts";
import { ownWorker, type WorkerLike } from "./thread.ts";

export type { Pool, PoolOptions, Watched } from "./pool.ts";
export type { WorkerLike } from "./thread.ts";

/** Far more than a machine has. */
const MOST = 1024;

/**
 * Makes workers, and functions whose work they divide among themselves. Where there are none to be had, in workerd say, the functions run in
 * the calling thread. Where memory cannot be shared, in pages that are not cross-origin isolated, arguments are copied to every worker.
 *
 * @throws TypeError or RangeError for a wrong option, Error where a worker cannot be started or says nothing for 30 s.
 * @example
 * const pool = await createPool();
 * const similarities = await pool.gram(embeddings, { shape: [10000, 384] });
 * await pool.close();
 */
export async function createPool(options?: PoolOptions): Promise<Pool> {
  const fn = "createPool";
  const { size, worker } = optionsOf<PoolOptions>(fn, options, ["size", "worker"]);
  const count = integerIn(fn, "size", size, availableCores(), 1, MOST);
  if (worker !== undefined && typeof worker !== "function")
    failKind(fn, "worker", "a function that makes a worker", worker);
  const crew = new Crew(count, (worker as (() => WorkerLike) | undefined) ?? ownWorker);
  // one worker does nothing that the calling thread would not do sooner
  if (count > 1) {
    try {
      await crew.fill(fn);
    } catch (error) {
      await crew.close();
      throw error;
    }
  }
  return poolOf(crew);
}
