/** Workers as Node, Deno, Bun and browsers have them, behind one face. */

/** As much of a worker as is used: of the web's, or of node:worker_threads. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  terminate(): unknown;
}

type Listener = (value: unknown) => void;

/** One or the other of these is how a worker is listened to, and only that of Node can be kept from keeping the process alive. */
interface Either extends WorkerLike {
  on?: (event: string, listener: Listener) => unknown;
  addEventListener?: (event: string, listener: Listener) => void;
  ref?: () => void;
  unref?: () => void;
}

type Built = {
  Worker: new (url: URL, options: { readonly execArgv: readonly string[] }) => WorkerLike;
  parentPort: PortLike | null;
};

/** What a worker hears its messages from, and answers to. */
export interface PortLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
}

/** node:worker_threads, where there is one; without an import, at which bundlers for pages would stop. */
export function workerThreads(): Built | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  return process?.getBuiltinModule?.("node:worker_threads") as Built | undefined;
}

/** A worker of this package; undefined where there are none. The words are those that bundlers look for. */
export function ownWorker(): WorkerLike | undefined {
  // what this has of node:worker_threads, where that is asked for, starts no worker
  if ((globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === "Cloudflare-Workers")
    return undefined;
  const threads = workerThreads();
  // the process may have been started with options that are for its own source, such as --input-type
  if (threads) return new threads.Worker(besides("./parallel.worker.js", import.meta.url), { execArgv: [] });
  if (typeof Worker === "undefined") return undefined;
  return new Worker(new URL("./parallel.worker.js", import.meta.url), { type: "module" });
}

/** A file beside another: in words that no bundler looks for, which would put a copy of it into a page. */
function besides(file: string, url: string): URL {
  return new URL(file, url);
}

/** Tells what a worker says, and that it is gone. */
export function listen(worker: WorkerLike, heard: (message: unknown) => void, gone: (why: string) => void): void {
  const either = worker as Either;
  const failed: Listener = (error) => gone(wordsOf(error));
  if (either.on) {
    either.on("message", heard);
    either.on("error", failed);
    either.on("messageerror", failed);
    either.on("exit", (code) => gone(`it ended with code ${String(code)}`));
  } else {
    either.addEventListener?.("message", (event) => heard((event as { readonly data: unknown }).data));
    either.addEventListener?.("error", failed);
    either.addEventListener?.("messageerror", failed);
  }
}

/** As much of the web's locks as is used. */
interface Locks {
  request(name: string, held: () => unknown): Promise<unknown>;
}

/** A page has them where it is secure. */
function locks(): Locks | undefined {
  return (globalThis as { readonly navigator?: { readonly locks?: Locks } }).navigator?.locks;
}

/**
 * In a worker of a page, which is not told that one was terminated: holds a lock for as long as it lives. Calls `begin` with its name, or
 * none where there are no locks: in node:worker_threads, which tells, and where they are refused.
 */
export function holdLock(begin: (lock?: string) => void): void {
  const name = `surprisal ${Math.random()} ${performance.timeOrigin + performance.now()}`;
  const held = workerThreads() ? undefined : locks();
  if (!held) begin();
  else {
    const hold = (): Promise<never> => {
      begin(name);
      return new Promise(() => undefined);
    };
    try {
      held.request(name, hold).catch(() => begin());
    } catch {
      begin();
    }
  }
}

/** Tells that who holds a lock is gone: it is given to who asked for it next. */
export function awaitLock(name: string, gone: () => void): void {
  locks()
    ?.request(name, gone)
    .catch(() => undefined);
}

function wordsOf(error: unknown): string {
  const { message } = (error ?? {}) as { readonly message?: unknown };
  return typeof message === "string" && message !== "" ? message : "it could not be loaded, or failed";
}

/** Whether a worker keeps the process alive, where that can be said. */
export function keepAlive(worker: WorkerLike, keeps: boolean): void {
  const either = worker as Either;
  if (keeps) either.ref?.();
  else either.unref?.();
}
