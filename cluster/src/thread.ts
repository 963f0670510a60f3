/** A thread of `--local`. */
import { parentPort, workerData } from "node:worker_threads";
import type { Answer } from "./local.ts";
import { work } from "./tile.ts";

const { data, id } = workerData as { readonly data: string; readonly id: string };

parentPort?.on("message", (index: number) => {
  work(data, id, index).then(
    () => parentPort?.postMessage({ index } satisfies Answer),
    (error: unknown) =>
      parentPort?.postMessage({
        index,
        error: error instanceof Error ? error.message : String(error),
      } satisfies Answer),
  );
});
