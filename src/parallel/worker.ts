/** What runs in a worker of a pool: its part of one call after another. */
import { info, initSync } from "../index.ts";
import type { Written } from "../share.ts";
import { FUNCTIONS, type Name } from "./functions.ts";
import { holdLock, type PortLike, workerThreads } from "./thread.ts";
import {
  type Answer,
  BYTES,
  FLAGS,
  type Job,
  type LoneJob,
  NEXT,
  Part,
  type Run,
  runAs,
  type SharedJob,
  slabOf,
  type Turn,
  takeSlab,
  viewOf,
} from "./work.ts";

const port = workerThreads()?.parentPort ?? (globalThis as unknown as PortLike);
const say = (answer: Answer, transfer: ArrayBuffer[] = []): void => port.postMessage(answer, transfer);

/** Runs a call with a part of its tiles. */
function run({ fn, args, options, variant }: Job, share: Part): void {
  if (info().variant !== variant) initSync({ variant });
  const { run: call } = FUNCTIONS[fn as Name];
  runAs(share, (shared) => call(...args, { ...options, ...shared }));
}

/** Tiles that are claimed, of a job in memory that all threads share. */
function claimed(job: SharedJob): void {
  const { id, control, tells, regions } = job;
  let last = performance.now();
  const tell = (): void => {
    if (tells === 0 || performance.now() - last < tells) return;
    last = performance.now();
    say({ id, told: true });
  };
  run(job, new Part(job, regions.map(viewOf), () => Atomics.add(control, NEXT, 1), tell));
  say({ id, told: false });
}

/** The job that turns are of, and the outputs that they are written to. */
let lone: { readonly job: LoneJob; outputs?: readonly Written[] } | undefined;

/** Tiles [from, to) of a job where nothing is shared. */
function given({ id, from, to, written }: Turn): void {
  if (!lone || lone.job.id !== id) return;
  if (from === to) {
    lone = undefined;
    return;
  }
  const { job } = lone;
  lone.outputs ??= job.outputs.map(({ kind, length }) =>
    viewOf({ kind, length, byteOffset: 0, buffer: new ArrayBuffer(length * BYTES[kind]) }),
  );
  const { outputs } = lone;
  if (written) takeSlab(outputs, written.runs, written.slab);
  const control = new Int32Array(FLAGS + job.tiles);
  const runs: Run[] = [];
  const done: number[] = [];
  let next = from;
  const claim = (): number => (next < to ? next++ : job.tiles);
  const tell = (written: () => Run[]): void => {
    runs.push(...written());
    done.push(next - 1);
  };
  run(job, new Part({ control, tiles: job.tiles, known: job.known }, outputs, claim, tell));
  const slab = slabOf(outputs, runs);
  say({ id, told: false, done, runs, slab }, [slab]);
}

port.onmessage = ({ data }) => {
  const message = data as SharedJob | LoneJob | Turn;
  try {
    if ("control" in message) claimed(message);
    else if ("outputs" in message) lone = { job: message };
    else given(message);
  } catch (thrown) {
    say({ id: message.id, told: false, error: thrown instanceof Error ? thrown.message : String(thrown) });
  }
};

holdLock((lock) => say({ ready: true, lock }));
