/** The workers of a pool, and the calls that they divide among themselves, one after the other. */

import { bufferOf, byteOffsetOf } from "../arrays.ts";
import { info } from "../index.ts";
import { callbackOf, signalOf } from "../options.ts";
import { SHARE, type Share } from "../share.ts";
import type { FloatArray, PairsProgress, Signal } from "../types.ts";
import { isShared, optionsOnce, type Packed, packed, readOnce } from "./arguments.ts";
import { FUNCTIONS, type Name } from "./functions.ts";
import { keepAlive, listen, type WorkerLike } from "./thread.ts";
import {
  type Answer,
  BYTES,
  COUNT,
  Finish,
  FLAGS,
  type Found,
  type Job,
  Part,
  type Region,
  runTo,
  STOP,
  Survey,
} from "./work.ts";

/** Milliseconds in which a worker has to answer when it is made. */
const START_LIMIT = 30_000;

/** Milliseconds in which one tile at least has to be done, and how many times as long as a tile is expected to take are added to them. */
const TILE_LIMIT = 60_000;
const SLOW = 100;

/** Milliseconds between two calls of `progress`. */
const TELL = 20;

/**
 * Nanoseconds that a divided call is taken to need beside its tiles, and for a byte that is copied to or from shared memory. A message to a
 * worker and back takes 20 to 50 µs; the arguments are checked three times, of which two are in turn.
 */
const OVERHEAD = 200_000;
const COPY = 0.3;

/** The part of the time of a call in one thread that it may take when it is divided. */
const WORTH = 0.8;

/** Bytes of shared memory that are kept from call to call. */
const KEPT_BYTES = 2 ** 26;

const ALIGNED = 64;
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNED) * ALIGNED;

/** What a member of the crew is waited for. */
interface Member {
  readonly worker: WorkerLike;
  isGone: boolean;
  /** Called with what it says, and where it is gone. */
  heard: (answer: Answer) => void;
  gone: (why: string) => void;
}

interface Watched {
  readonly signal: Signal | undefined;
  readonly progress: ((progress: PairsProgress) => void) | undefined;
}

/** A call, its arguments read. */
interface Call extends Watched {
  readonly name: Name;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>> | undefined;
}

export class Crew {
  readonly #members = new Set<Member>();
  readonly #make: () => WorkerLike | undefined;
  /** How many workers there are to be. */
  readonly size: number;
  /** The call that comes last. */
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;
  #stop: (() => void) | undefined;
  #isFilling = false;
  #memory: SharedArrayBuffer | undefined;
  #jobs = 0;

  constructor(size: number, make: () => WorkerLike | undefined) {
    this.size = size;
    this.#make = make;
  }

  /** How many there are. */
  get count(): number {
    return this.#members.size;
  }

  // ---------------------------------------------------------------------------------------------------------- workers

  /** Makes the workers that there are not. @throws Error if one does not come to life. */
  async fill(fn: string): Promise<void> {
    if (this.#isFilling) return;
    this.#isFilling = true;
    const wanted = Array.from({ length: this.size - this.#members.size }, () => this.#add(fn));
    const failed = (await Promise.allSettled(wanted)).find((one) => one.status === "rejected");
    this.#isFilling = false;
    if (failed) throw failed.reason;
  }

  #add(fn: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void =>
        reject(
          new Error(
            `${fn}: a worker could not be started: ${why}. A page's Content-Security-Policy has to allow it (worker-src); where it is not found beside the package, pass "worker", a function that makes one of surprisal/parallel/worker`,
          ),
        );
      let worker: WorkerLike | undefined;
      try {
        worker = this.#make();
      } catch (cause) {
        fail(cause instanceof Error ? cause.message : String(cause));
        return;
      }
      // where there are none the calling thread does the work
      if (!worker) {
        resolve();
        return;
      }
      const member: Member = { worker, isGone: false, heard: () => undefined, gone: () => undefined };
      const timer = setTimeout(() => {
        this.#dismiss(member);
        fail(`it was waited for ${START_LIMIT / 1000} s and said nothing`);
      }, START_LIMIT);
      member.heard = (answer) => {
        if (!("ready" in answer)) return;
        clearTimeout(timer);
        member.heard = () => undefined;
        member.gone = () => undefined;
        if (this.#closed) this.#dismiss(member);
        else this.#members.add(member);
        keepAlive(member.worker, false);
        resolve();
      };
      member.gone = (why) => {
        clearTimeout(timer);
        fail(why);
      };
      listen(
        worker,
        (message) => member.heard(message as Answer),
        (why) => {
          if (member.isGone) return;
          member.isGone = true;
          this.#members.delete(member);
          member.gone(why);
        },
      );
    });
  }

  #dismiss(member: Member): void {
    member.isGone = true;
    this.#members.delete(member);
    member.worker.terminate();
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#stop?.();
      await Promise.all(
        [...this.#members].map((member) => {
          this.#members.delete(member);
          const { gone } = member;
          member.isGone = true;
          const ended = member.worker.terminate();
          gone("the pool was closed");
          return ended;
        }),
      );
      this.#memory = undefined;
    })();
    return this.#closed;
  }

  // ------------------------------------------------------------------------------------------------------------ calls

  /** A call of a function, in as many threads as it is worth. */
  async call(name: Name, given: readonly unknown[]): Promise<unknown> {
    if (this.#closed) throw new Error(`${name}: the pool is closed`);
    const { arrays } = FUNCTIONS[name];
    const last = given[arrays];
    const hasOptions = isPlain(last);
    const { signal, progress, ...options } = hasOptions ? optionsOnce(last) : {};
    const call: Call = {
      name,
      args: Array.from({ length: arrays }, (_, k) => readOnce(given[k])),
      // what is no object is the function's to refuse
      options: hasOptions ? options : (last as undefined),
      ...watchedOf(name, { signal, progress }),
    };
    const isAlone = this.#members.size < 2 || typeof SharedArrayBuffer === "undefined";
    if (isAlone || (last !== undefined && !hasOptions)) return this.#here(call);
    const packs = call.args.map(packedSafely);
    const optionPacks = Object.entries(options).filter(([key]) => key !== "out");
    const withOptions = optionPacks.map(([key, value]) => [key, packedSafely(value)] as const);
    const inputs = [...packs, ...withOptions.map(([, pack]) => pack)];
    const survey = new Survey((work, outputs) => this.#isWorth(name, work, inputs, outputs));
    const ended = runWith(call, survey);
    if (ended) {
      call.progress?.({ tiles: 1, fraction: 1 });
      return ended.result;
    }
    const before = this.#last;
    const turn = (async () => {
      await before;
      return this.#divided(call, survey, packs, withOptions);
    })();
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** In the calling thread. */
  #here({ name, args, options, signal, progress }: Call): unknown {
    const { run, watched } = FUNCTIONS[name];
    if (!watched || (signal === undefined && progress === undefined)) {
      const result = run(...args, options);
      progress?.({ tiles: 1, fraction: 1 });
      return result;
    }
    return run(...args, { ...options, signal, progress });
  }

  #isWorth(name: Name, work: number, inputs: readonly Packed[], outputs: readonly Found[]): boolean {
    const alone = work * FUNCTIONS[name].cost;
    const read = inputs.reduce((sum, { bytes }) => sum + bytes, 0);
    const written = outputs.reduce(
      (sum, { kind, length, array, given }) => sum + (given && isShared(array) ? 0 : length * BYTES[kind]),
      0,
    );
    return alone / this.#members.size + COPY * (read + written) + OVERHEAD < WORTH * alone;
  }

  async #divided(
    call: Call,
    { outputs, tiles, work }: Survey,
    args: readonly Packed[],
    options: readonly (readonly [string, Packed])[],
  ): Promise<unknown> {
    const { name, signal, progress } = call;
    if (this.#closed) throw new Error(`${name}: the pool was closed before the call had its turn`);
    if (signal?.aborted) throw signal.reason;
    const inputs = [...args, ...options.map(([, pack]) => pack)];
    // an argument that was detached while others had their turn is an error of the function's
    if (inputs.some((input) => !input.isThere())) return this.#here(call);

    const controlBytes = aligned(4 * (FLAGS + tiles));
    const isDirect = ({ array, given }: Found): boolean =>
      given && isShared(array) && !inputs.some((input) => input.overlaps(array as FloatArray));
    const total =
      controlBytes +
      inputs.reduce((sum, { bytes }) => sum + aligned(bytes), 0) +
      outputs.reduce((sum, found) => sum + (isDirect(found) ? 0 : aligned(found.length * BYTES[found.kind])), 0);
    const memory = this.#room(name, total);
    const control = new Int32Array(memory, 0, FLAGS + tiles);
    control.fill(0);
    let next = controlBytes;
    const place = (bytes: number): number => {
      const at = next;
      next += aligned(bytes);
      return at;
    };
    const regions = outputs.map((found): Region => {
      const { kind, length, array } = found;
      if (!isDirect(found)) return { kind, buffer: memory, byteOffset: place(length * BYTES[kind]), length };
      const own = array as FloatArray;
      return { kind, buffer: bufferOf(own) as unknown as SharedArrayBuffer, byteOffset: byteOffsetOf(own), length };
    });
    const copies = args.map((pack) => pack.at(memory, place(pack.bytes)));
    const optionCopies = Object.fromEntries(options.map(([key, pack]) => [key, pack.at(memory, place(pack.bytes))]));
    const job: Job = {
      id: ++this.#jobs,
      fn: name,
      args: copies,
      options: optionCopies,
      variant: info().variant,
      regions,
      control,
      tiles,
      tells: signal || progress ? TELL : 0,
    };
    const expected = (work * FUNCTIONS[name].cost) / 1e6 / tiles;
    await this.#workedOn(job, call, TILE_LIMIT + SLOW * expected);
    if (this.#closed) throw new Error(`${name}: the pool was closed while the call was running`);
    if (signal?.aborted) throw signal.reason;
    this.#mend(job);
    const finished = runWith(call, new Finish(outputs, regions));
    progress?.({ tiles, fraction: 1 });
    return finished?.result;
  }

  /** Shared memory for a call: that of the call before, if it is large enough. */
  #room(fn: string, bytes: number): SharedArrayBuffer {
    let memory = this.#memory;
    if (memory === undefined || memory.byteLength < bytes) {
      try {
        memory = new SharedArrayBuffer(bytes);
      } catch (cause) {
        throw new RangeError(`${fn}: not enough memory: what all threads share would take ${bytes} bytes`, { cause });
      }
    }
    this.#memory = bytes <= KEPT_BYTES ? memory : undefined;
    return memory;
  }

  /** Gives a job to all workers, and waits until each of them is through with it, or gone. */
  #workedOn(job: Job, { signal, progress }: Call, limit: number): Promise<void> {
    const { control, tiles } = job;
    const busy = new Set(this.#members);
    // all have died since the call was found to be worth dividing
    if (busy.size === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      let failed: { readonly error: unknown } | undefined;
      let seen = 0;
      const stop = (): void => {
        Atomics.store(control, STOP, 1);
      };
      const look = (): void => {
        try {
          const done = Atomics.load(control, COUNT);
          if (progress && !failed && done > seen && done < tiles) progress({ tiles: done, fraction: done / tiles });
          seen = done;
        } catch (error) {
          failed = { error };
        }
        if (failed || signal?.aborted) stop();
      };
      let before = -1;
      const timer = setInterval(() => {
        const done = Atomics.load(control, COUNT);
        if (done > before) {
          before = done;
          return;
        }
        // nothing was done for so long: those who have not answered never will
        for (const member of [...busy]) {
          this.#dismiss(member);
          without(member);
        }
      }, limit);
      const without = (member: Member): void => {
        if (!busy.delete(member)) return;
        member.heard = () => undefined;
        member.gone = () => undefined;
        if (!member.isGone) keepAlive(member.worker, false);
        if (busy.size > 0) return;
        clearInterval(timer);
        this.#stop = undefined;
        // those that are gone are replaced when there is time
        if (!this.#closed && this.#members.size < this.size) this.fill(job.fn).catch(() => undefined);
        if (failed) reject(failed.error);
        else resolve();
      };
      this.#stop = stop;
      for (const member of busy) {
        member.heard = (answer) => {
          if (!("id" in answer) || answer.id !== job.id) return;
          if (answer.told) look();
          else without(member);
        };
        member.gone = () => without(member);
        keepAlive(member.worker, true);
        try {
          member.worker.postMessage(job);
        } catch {
          // what cannot be sent is done here
          without(member);
        }
      }
    });
  }

  /** Does the tiles here that no worker did: one has died, or ran out of memory. */
  #mend(job: Job): void {
    const { control, tiles } = job;
    const missing: number[] = [];
    for (let tile = 0; tile < tiles; tile++) if (Atomics.load(control, FLAGS + tile) === 0) missing.push(tile);
    if (missing.length === 0) return;
    Atomics.store(control, STOP, 0);
    let k = 0;
    const claim = (): number => missing[k++] ?? tiles;
    runWith(
      { name: job.fn as Name, args: job.args, options: job.options as Call["options"] },
      new Part(job, claim, () => undefined),
    );
  }
}

/** Calls a function with a share; undefined where that has ended it. */
function runWith(
  { name, args, options }: Pick<Call, "name" | "args" | "options">,
  share: Share & { active: boolean },
): { readonly result: unknown } | undefined {
  try {
    return runTo(() => FUNCTIONS[name].run(...args, { ...options, [SHARE]: share }));
  } finally {
    share.active = false;
  }
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** Nothing to copy of what cannot be looked at, which the function then refuses. */
function packedSafely(value: unknown): Packed {
  try {
    return packed(value);
  } catch {
    return packed(undefined);
  }
}

/** The two options that are the pool's own, checked as the functions do that take them. */
function watchedOf(name: Name, { signal, progress }: Readonly<Record<string, unknown>>): Watched {
  signalOf(name, signal as Signal | undefined)?.();
  return {
    signal: signal as Signal | undefined,
    progress: callbackOf(name, "progress", progress as Watched["progress"]),
  };
}
