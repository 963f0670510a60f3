/** Work beside the page: a worker that is given one job, tells how far it is, and is ended when nobody waits for it. */

export interface Job {
  /** Ends it, whatever it does. */
  stop(): void;
}

/** Starts a worker, posts `message` and hands what it posts to `hear`, errors to `fail`. */
export function work<T>(
  start: () => Worker,
  message: unknown,
  hear: (told: T) => void,
  fail: (error: string) => void,
): Job & { post(message: unknown): void } {
  const worker = start();
  worker.addEventListener("message", ({ data }: MessageEvent<T>) => hear(data));
  worker.addEventListener("error", (event) => fail(event.message || "the worker could not be started"));
  worker.postMessage(message);
  return { stop: () => worker.terminate(), post: (next) => worker.postMessage(next) };
}
