/** What runs in a worker of a pool: its part of one call after another. */
import * as library from "../index.ts";
import { SHARE } from "../share.ts";
import { type PortLike, workerThreads } from "./thread.ts";
import { type Answer, type Job, NEXT, Part, runTo } from "./work.ts";

const port = workerThreads()?.parentPort ?? (globalThis as unknown as PortLike);
const say = (answer: Answer): void => port.postMessage(answer);

function work(job: Job): void {
  const { id, control, tells } = job;
  if (library.info().variant !== job.variant) library.initSync({ variant: job.variant });
  let last = performance.now();
  const tell = (): void => {
    if (tells === 0 || performance.now() - last < tells) return;
    last = performance.now();
    say({ id, told: true });
  };
  const share = new Part(job, () => Atomics.add(control, NEXT, 1), tell);
  const run = library[job.fn as keyof typeof library] as (...args: unknown[]) => unknown;
  try {
    runTo(() => run(...job.args, { ...job.options, [SHARE]: share }));
  } finally {
    share.active = false;
  }
}

port.onmessage = ({ data }) => {
  const job = data as Job;
  let error: string | undefined;
  try {
    work(job);
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
  }
  say({ id: job.id, told: false, error });
};

say({ ready: true });
