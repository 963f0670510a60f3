/** A thread that makes calls one after the other and tells which it is at, so that one that does not end is known. */
import { parentPort, workerData } from "node:worker_threads";
import { initSync } from "../../src/index.ts";
import { Judge } from "./judge.ts";
import type { Share } from "./share.ts";

const { seed, from, to, variant, only, progress } = workerData as Share;
const at = new Int32Array(progress);
initSync({ variant });
const judge = new Judge(seed, variant, only);
for (let call = from; call < to; call++) {
  Atomics.store(at, 0, call);
  const finding = await judge.judge(call);
  if (finding) parentPort?.postMessage(finding);
  // what such kernels return now means nothing
  if (finding?.rule === "canary") break;
}
