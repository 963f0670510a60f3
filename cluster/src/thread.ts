/** The thread of `--local` that makes tiles: those of pairs are divided over its pool, while one is computed others are read or written. */
import { parentPort, workerData } from "node:worker_threads";
import { createPool } from "surprisal/parallel";
import { HERE } from "./functions.ts";
import type { Answer, Task } from "./local.ts";
import { Maker } from "./tile.ts";

const { data, id, threads, bytes } = workerData as Task;
const pool = threads > 1 ? await createPool({ size: threads }) : undefined;
const maker = new Maker(pool ?? HERE, pool !== undefined, bytes);
const answer = (message: Answer): void => parentPort?.postMessage(message);

parentPort?.on("message", (index: number) => {
  maker.work(data, id, index).then(
    () => answer({ index }),
    (error: unknown) => answer({ index, error: error instanceof Error ? error.message : String(error) }),
  );
});
