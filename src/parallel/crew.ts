/** The workers of a pool, and the calls that they divide among themselves, one after the other. */

import { bufferOf, byteOffsetOf } from "../arrays.ts";
import { info } from "../index.ts";
import { callbackOf, signalOf } from "../options.ts";
import type { Written } from "../share.ts";
import type { FloatArray, PairsProgress, Signal } from "../types.ts";
import { isShared, optionsOnce, type Packed, packed, readOnce } from "./arguments.ts";
import { FUNCTIONS, type Name } from "./functions.ts";
import { awaitLock, keepAlive, listen, type WorkerLike, workerThreads } from "./thread.ts";
import {
  type Answer,
  BYTES,
  COUNT,
  Finish,
  FLAGS,
  type Found,
  type Job,
  type LoneJob,
  NEXT,
  Part,
  type Region,
  type Role,
  type Run,
  runAs,
  type SharedJob,
  type Slab,
  STOP,
  Survey,
  slabOf,
  type Turn,
  takeSlab,
  viewOf,
} from "./work.ts";
import { type IsWorth, isWorth } from "./worth.ts";

/** Milliseconds in which a worker has to answer when it is made. */
const START_LIMIT = 30_000;

/** Milliseconds in which one tile at least has to be done, and how many times as long as a tile is expected to take are added to them. */
const TILE_LIMIT = 60_000;
const SLOW = 100;

/** The most that a timer takes: one of more ends at once. */
const LONGEST = 2 ** 31 - 1;

/** Milliseconds between two calls of `progress`. */
const TELL = 20;

/** Milliseconds of tiles that a worker is given at a time, where memory is not shared: it hears nothing meanwhile. */
const TURN = 50;

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

/** What a member is told with that is waited for no more. Written where a call is, it would keep all that the call has. */
const nothing = (): void => undefined;

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
  /** Whether one has died since workers were made. */
  #hasLost = false;
  #memory: SharedArrayBuffer | undefined;
  #jobs = 0;
  readonly #isWorth: IsWorth;

  constructor(size: number, make: () => WorkerLike | undefined, worth = isWorth) {
    this.size = size;
    this.#make = make;
    this.#isWorth = worth;
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
    this.#hasLost = false;
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
            `${fn}: a worker could not be started: ${why.replace(/\.$/, "")}. A page's Content-Security-Policy has to allow it (worker-src); where it is not found beside the package, pass "worker", a function that makes one of surprisal/parallel/worker`,
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
      if (!isWorker(worker)) {
        fail("what was made is no worker, which has postMessage and terminate");
        return;
      }
      const member: Member = { worker, isGone: false, heard: nothing, gone: nothing };
      const timer = setTimeout(() => {
        this.#dismiss(member);
        fail(`it was waited for ${START_LIMIT / 1000} s and said nothing`);
      }, START_LIMIT);
      member.heard = (answer) => {
        if (!("ready" in answer)) return;
        clearTimeout(timer);
        if (answer.lock !== undefined) awaitLock(answer.lock, () => gone("it was terminated"));
        member.heard = nothing;
        member.gone = nothing;
        if (this.#closed) this.#dismiss(member);
        else this.#members.add(member);
        keepAlive(member.worker, false);
        resolve();
      };
      member.gone = (why) => {
        clearTimeout(timer);
        fail(why);
      };
      const gone = (why: string): void => {
        if (member.isGone) return;
        member.isGone = true;
        if (this.#members.delete(member)) this.#hasLost = true;
        this.#end(member);
        member.gone(why);
      };
      listen(worker, (message) => member.heard(message as Answer), gone);
    });
  }

  #dismiss(member: Member): void {
    member.isGone = true;
    this.#members.delete(member);
    this.#end(member);
  }

  /** One that failed may go on for a while, in a page even for good: what it writes then is in memory that no other call has. */
  #end({ worker }: Member): void {
    this.#memory = undefined;
    worker.terminate();
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
    // one that died while there was nothing to do is replaced
    if (this.#hasLost) this.fill(name).catch(() => undefined);
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
    if (this.#members.size < 2 || (last !== undefined && !hasOptions)) return this.#here(call);
    const shares = canShare();
    const packs = call.args.map(packedSafely);
    const optionPacks = Object.entries(options).filter(([key]) => key !== "out");
    const withOptions = optionPacks.map(([key, value]) => [key, packedSafely(value)] as const);
    const inputs = [...packs, ...withOptions.map(([, pack]) => pack)];
    // one that is not divided tells of itself what it can: of a few rows, each with very many others, there is one tile
    const tells = FUNCTIONS[name].watched && (call.signal !== undefined || call.progress !== undefined);
    const survey = new Survey((work, outputs) => this.#pays(name, work, inputs, outputs, shares), tells);
    const ended = runWith(call, survey);
    if (ended) {
      call.progress?.({ tiles: 1, fraction: 1 });
      return ended.result;
    }
    if (!survey.isDivided) return this.#here(call);
    const before = this.#last;
    const turn = (async () => {
      await before;
      return this.#divided(call, survey, packs, withOptions, shares);
    })();
    // without its result, which would stay until the next call
    this.#last = turn.then(nothing, nothing);
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

  #pays(name: Name, work: number, inputs: readonly Packed[], outputs: readonly Found[], shares: boolean): boolean {
    const workers = this.#members.size;
    const read = bytesOf(inputs);
    const written = outputs.reduce((sum, { kind, length, array, use }) => {
      const stays = shares && (use === "dropped" || (use === "given" && isShared(array)));
      return sum + (stays ? 0 : length * BYTES[kind]);
    }, 0);
    // a slab is copied when it is made, and where it goes
    const copied = shares ? read + written : workers * read + 2 * written;
    return this.#isWorth(work * FUNCTIONS[name].cost, copied, workers, shares);
  }

  async #divided(
    call: Call,
    { outputs, tiles, work, known, barriers }: Survey,
    args: readonly Packed[],
    options: readonly (readonly [string, Packed])[],
    shares: boolean,
  ): Promise<unknown> {
    const { name, signal, progress } = call;
    if (this.#closed) throw new Error(`${name}: the pool was closed before the call had its turn`);
    if (signal?.aborted) throw signal.reason;
    const inputs = [...args, ...options.map(([, pack]) => pack)];
    // an argument that was detached while others had their turn is an error of the function's
    if (inputs.some((input) => !input.isThere())) return this.#here(call);
    const expected = (work * FUNCTIONS[name].cost) / 1e6 / tiles;
    const limit = Math.min(TILE_LIMIT + SLOW * expected, LONGEST);
    const job = { id: ++this.#jobs, fn: name, variant: info().variant, known, tiles };
    /** Whether an output is written where it is: no input is read once that has begun. */
    const isApart = ({ array }: Found): boolean => !inputs.some((input) => input.overlaps(array as FloatArray));
    const given: Given = { args, options, outputs, barriers };
    const { written, missing } = shares
      ? await this.#together(job, call, given, limit, isApart)
      : await this.#apart(job, call, given, limit, expected);
    if (this.#closed) throw new Error(`${name}: the pool was closed while the call was running`);
    if (signal?.aborted) throw signal.reason;
    missing();
    // before anything of the caller's is written: it may throw, or abort
    progress?.({ tiles, fraction: 1 });
    if (signal?.aborted) throw signal.reason;
    return runWith(call, new Finish(outputs, written, known))?.result;
  }

  /** A job in memory that all share: every worker claims tiles, and writes their results there. */
  async #together(
    plain: Omit<Job, "args" | "options">,
    call: Call,
    { args, options, outputs, barriers }: Given,
    limit: number,
    isApart: (found: Found) => boolean,
  ): Promise<Worked> {
    const { tiles } = plain;
    const inputs = [...args, ...options.map(([, pack]) => pack)];
    const controlBytes = aligned(4 * (FLAGS + tiles));
    const isDirect = (found: Found): boolean => found.use === "given" && isShared(found.array) && isApart(found);
    const total =
      controlBytes +
      inputs.reduce((sum, { bytes }) => sum + aligned(bytes), 0) +
      outputs.reduce((sum, found) => sum + (isDirect(found) ? 0 : aligned(found.length * BYTES[found.kind])), 0);
    const memory = this.#room(call.name, total);
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
      return { kind, buffer: bufferOf(own), byteOffset: byteOffsetOf(own), length };
    });
    const job: SharedJob = {
      ...plain,
      args: args.map((pack) => pack.at(memory, place(pack.bytes))),
      options: Object.fromEntries(options.map(([key, pack]) => [key, pack.at(memory, place(pack.bytes))])),
      regions,
      control,
      tells: call.signal || call.progress ? TELL : 0,
    };
    const written = regions.map(viewOf);
    const work = (from: number, to: number): Promise<void> => {
      Atomics.store(control, NEXT, from);
      const begin = (worker: WorkerLike): boolean => {
        worker.postMessage({ ...job, tiles: to } satisfies SharedJob, []);
        return true;
      };
      return this.#workedOn(job, control, call, limit, { begin, goOn: () => false });
    };
    const mendTo = (to: number): void => mend({ ...job, tiles: to }, control, written);
    await this.#inTurn(call, tiles, barriers, work, mendTo);
    return { written, missing: () => mendTo(tiles) };
  }

  /** The tiles up to each barrier, all of them, and then those behind the last. */
  async #inTurn(
    { signal }: Call,
    tiles: number,
    barriers: Survey["barriers"],
    work: (from: number, to: number) => Promise<void>,
    mendTo: (to: number) => void,
  ): Promise<void> {
    let from = 0;
    for (const to of barriers?.tiles ?? []) {
      await work(from, to);
      // whoever called it is told of either
      if (this.#closed || signal?.aborted) return;
      mendTo(to);
      from = to;
    }
    await work(from, tiles);
  }

  /** A job where nothing is shared: every worker has a copy of the arguments, and sends what its tiles wrote. */
  async #apart(
    plain: Omit<Job, "args" | "options">,
    call: Call,
    { args, options, outputs, barriers }: Given,
    limit: number,
    expected: number,
  ): Promise<Worked> {
    const { id, tiles } = plain;
    const control = new Int32Array(FLAGS + tiles);
    const written = outputs.map(({ kind, length, array, use }) =>
      // what is the caller's is written at the end, as its arguments are read till then
      use === "given"
        ? viewOf({ kind, buffer: bufferFor(call.name, length * BYTES[kind]), byteOffset: 0, length })
        : array,
    );
    const { args: own, options: ownOptions = {} } = call;
    const here: Job = { ...plain, args: own, options: ownOptions };
    /** The workers that have the job. */
    const begun = new Set<WorkerLike>();
    const work = (from: number, to: number): Promise<void> => {
      let next = from;
      const give = (worker: WorkerLike, workers: number, reads?: Slab): boolean => {
        if (next >= to || Atomics.load(control, STOP) === 1) return false;
        const share = Math.ceil((to - next) / (2 * workers));
        const count = Math.max(1, Math.min(share, Math.floor(TURN / expected)));
        const turn: Turn = { id, from: next, to: next + count };
        worker.postMessage(reads ? { ...turn, written: reads } : turn, reads ? [reads.slab] : []);
        next += count;
        return true;
      };
      const begin = (worker: WorkerLike, workers: number): boolean => {
        // there may be fewer tiles than workers
        if (next >= to) return false;
        if (!begun.has(worker)) {
          const buffers: ArrayBuffer[] = [];
          const copy = (pack: Packed): unknown => {
            if (pack.bytes === 0) return pack.at(new ArrayBuffer(0), 0);
            const buffer = bufferFor(call.name, pack.bytes);
            buffers.push(buffer);
            return pack.at(buffer, 0);
          };
          const job: LoneJob = {
            ...plain,
            args: args.map(copy),
            options: Object.fromEntries(options.map(([key, pack]) => [key, copy(pack)])),
            outputs: outputs.map(({ kind, length }) => ({ kind, length })),
          };
          worker.postMessage(job, buffers);
          begun.add(worker);
        }
        return give(worker, workers, from > 0 && barriers ? slabFrom(written, barriers.outputs) : undefined);
      };
      const goOn = (worker: WorkerLike, answer: Answer, workers: number): boolean => {
        if (!("runs" in answer && answer.runs && answer.slab && answer.done) || answer.error !== undefined)
          return false;
        takeSlab(written, answer.runs, answer.slab);
        for (const tile of answer.done)
          if (Atomics.exchange(control, FLAGS + tile, 1) === 0) Atomics.add(control, COUNT, 1);
        return give(worker, workers);
      };
      return this.#workedOn(here, control, call, limit, { begin, goOn });
    };
    const mendTo = (to: number): void => mend({ ...here, tiles: to }, control, written);
    try {
      await this.#inTurn(call, tiles, barriers, work, mendTo);
    } finally {
      // what a worker has of the job is let go
      for (const worker of begun) {
        try {
          worker.postMessage({ id, from: 0, to: 0 } satisfies Turn, []);
        } catch {}
      }
    }
    return { written, missing: () => mendTo(tiles) };
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
  #workedOn(
    { id, fn, tiles }: Job,
    control: Int32Array,
    { signal, progress }: Call,
    limit: number,
    { begin, goOn }: Hands,
  ): Promise<void> {
    const busy = new Set(this.#members);
    // all have died since the call was found to be worth dividing
    if (busy.size === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      let failed: { readonly error: unknown } | undefined;
      let seen = Atomics.load(control, COUNT);
      const stop = (): void => {
        Atomics.store(control, STOP, 1);
      };
      const look = (): void => {
        try {
          const done = Atomics.load(control, COUNT);
          if (progress && !failed && done > seen && done < tiles) progress({ tiles: done, fraction: done / tiles });
          seen = done;
          if (signal?.aborted) stop();
        } catch (error) {
          failed ??= { error };
          stop();
        }
      };
      // a signal is looked at whatever a worker says: a tile may take long
      const looks = signal && setInterval(look, TELL);
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
        member.heard = nothing;
        member.gone = nothing;
        if (!member.isGone) keepAlive(member.worker, false);
        if (busy.size > 0) return;
        clearInterval(timer);
        clearInterval(looks);
        this.#stop = undefined;
        // those that are gone are replaced when there is time
        if (!this.#closed && this.#members.size < this.size) this.fill(fn).catch(() => undefined);
        if (failed) reject(failed.error);
        else resolve();
      };
      this.#stop = stop;
      /** What cannot be sent is done here. */
      const sent = (member: Member, send: () => boolean): void => {
        try {
          if (send()) return;
        } catch {}
        without(member);
      };
      for (const member of busy) {
        member.heard = (answer) => {
          if (!("id" in answer) || answer.id !== id) return;
          if (answer.told) {
            look();
            return;
          }
          sent(member, () => goOn(member.worker, answer, busy.size));
          if (busy.has(member)) look();
        };
        member.gone = () => without(member);
        keepAlive(member.worker, true);
      }
      for (const member of [...busy]) sent(member, () => begin(member.worker, busy.size));
    });
  }
}

/** The arguments of a call, and its outputs. */
interface Given {
  readonly args: readonly Packed[];
  readonly options: readonly (readonly [string, Packed])[];
  readonly outputs: readonly Found[];
  readonly barriers: Survey["barriers"];
}

/** What workers have written, and what does the tiles that none of them did. */
interface Worked {
  readonly written: readonly Written[];
  readonly missing: () => void;
}

/** How a worker is begun with, and what becomes of its answer: whether it has something to do. */
interface Hands {
  readonly begin: (worker: WorkerLike, workers: number) => boolean;
  readonly goOn: (worker: WorkerLike, answer: Answer, workers: number) => boolean;
}

/** Whether memory can be shared with a worker: a page that is not cross-origin isolated has none to share. */
function canShare(): boolean {
  const { crossOriginIsolated } = globalThis as { readonly crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer !== "undefined" && (crossOriginIsolated !== false || workerThreads() !== undefined);
}

/** All that has been written to some outputs. */
function slabFrom(written: readonly Written[], outputs: readonly number[]): Slab {
  const runs = outputs.map((output): Run => ({ output, start: 0, length: (written[output] as Written).length }));
  return { runs, slab: slabOf(written, runs) };
}

function bytesOf(inputs: readonly Packed[]): number {
  return inputs.reduce((sum, { bytes }) => sum + bytes, 0);
}

function bufferFor(fn: string, bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw new RangeError(`${fn}: not enough memory: a worker's copy of an array would take ${bytes} bytes`, { cause });
  }
}

/** Does the tiles here that no worker did: one has died, or ran out of memory. */
function mend(job: Job, control: Int32Array, outputs: readonly Written[]): void {
  const { tiles, known } = job;
  const missing: number[] = [];
  for (let tile = 0; tile < tiles; tile++) if (Atomics.load(control, FLAGS + tile) === 0) missing.push(tile);
  if (missing.length === 0) return;
  Atomics.store(control, STOP, 0);
  let k = 0;
  const claim = (): number => missing[k++] ?? tiles;
  runWith(
    { name: job.fn as Name, args: job.args, options: job.options as Call["options"] },
    new Part({ control, tiles, known }, outputs, claim, () => undefined),
  );
}

/** Calls a function with a share; undefined where that has ended it. */
function runWith(
  { name, args, options }: Pick<Call, "name" | "args" | "options">,
  role: Role,
): { readonly result: unknown } | undefined {
  return runAs(role, (shared) => FUNCTIONS[name].run(...args, { ...options, ...shared }));
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** A promise of a worker is none, say. */
function isWorker(made: WorkerLike): boolean {
  return typeof made.postMessage === "function" && typeof made.terminate === "function";
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
