/** What runs in a worker of a pool: its part of one call after another. */
import { info, initSync } from "../index.ts";
import { SHARE } from "../share.ts";
import { FUNCTIONS, type Name } from "./functions.ts";
import { type PortLike, workerThreads } from "./thread.ts";
import { type Answer, type Job, NEXT, Part, runTo } from "./work.ts";

const port = workerThreads()?.parentPort ?? (globalThis as unknown as PortLike);
const say = (answer: Answer): void => port.postMessage(answer);

function work(job: Job): void {
  const { id, control, tells } = job;
  if (info().variant !== job.variant) initSync({ variant: job.variant });
  let last = performance.now();
  const tell = (): void => {
    if (tells === 0 || performance.now() - last < tells) return;
    last = performance.now();
    say({ id, told: true });
  };
  const share = new Part(job, () => Atomics.add(control, NEXT, 1), tell);
  const { run } = FUNCTIONS[job.fn as Name];
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
