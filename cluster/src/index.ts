/** Large jobs of surprisal on many machines. */
export { ClusterError } from "./errors.ts";
export type { Result } from "./folder.ts";
export { saveNpy } from "./inputs/npy.ts";
export type { Place } from "./inputs/open.ts";
export type { InputSpec, Spec } from "./jobs/types.ts";
export { type Plan, plan } from "./plan.ts";
export type { Connection, TileData, Timing } from "./queue.ts";
export { type Progress, type RunOptions, run } from "./run.ts";
export { canonical, FUNCTIONS, idOf, type Request, specOf } from "./spec.ts";
export { tile, work } from "./tile.ts";
export { type Verified, type VerifyOptions, verify } from "./verify.ts";
export { type RunningWorker, startWorker, type WorkerOptions } from "./worker.ts";
