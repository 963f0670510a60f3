/**
 * What a worker of a test runs for each tile: the package's own `work`, which writes down how far it is, and once in the whole test, on the first
 * tile from TEST_TILE on that gets to a point, sends its own process a signal. The first that can rename the fuse is the one,
 * and says so.
 */
import { spawn } from "node:child_process";
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { work } from "../../dist/index.js";

const {
  SURPRISAL_CLUSTER_DATA: data,
  TEST_LOG: log,
  TEST_POINT: where,
  TEST_SIGNAL: signal,
  TEST_TILE: from,
} = process.env;

function isFirst(tile) {
  try {
    renameSync(`${log}.fuse`, `${log}.burnt`);
    writeFileSync(`${log}.broken`, `${tile} ${process.pid}`);
    return true;
  } catch {
    return false;
  }
}

export default async function broken(job) {
  const { id, tile } = job.data;
  return work(data, id, tile, (point) => {
    appendFileSync(log, `${point} ${tile} ${process.pid}\n`);
    if (where === "kernel" && point === "claimed" && tile >= Number(from) && isFirst(tile)) {
      // from outside, as this thread is in the kernel by then
      spawn("sh", ["-c", `sleep 0.03; kill -9 ${process.pid}`], { detached: true, stdio: "ignore" });
    } else if (point === where && tile >= Number(from) && isFirst(tile)) process.kill(process.pid, signal);
  });
}
