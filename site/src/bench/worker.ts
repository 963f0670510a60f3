/** Times the contestants beside the page: who does not agree is not timed. */

import { info } from "surprisal";
import { Bench } from "tinybench";
import { type Call, CONTESTANTS } from "./contestants.ts";
import { inputsOf, OPERATIONS, widened } from "./operations.ts";

export interface Ask {
  readonly cases: readonly { readonly name: string; readonly shape: string }[];
  /** Samples of each contestant, in three rounds. */
  readonly samples: number;
}

/** In µs a call. */
export interface Figure {
  readonly who: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly samples: number;
  /** The largest difference to what is exact, relative to the largest value of the result. */
  readonly error: number;
  /** Why it was not timed. */
  readonly out?: string;
}
export type Told =
  | {
      readonly kind: "case";
      readonly name: string;
      readonly shape: string;
      readonly figures: readonly Figure[];
      readonly fraction: number;
    }
  | { readonly kind: "note"; readonly note: string; readonly fraction: number }
  | { readonly kind: "done"; readonly versions: Readonly<Record<string, string>> }
  | { readonly kind: "failed"; readonly message: string };

const tell = (told: Told) => postMessage(told);

/** A page's clock ticks at 0.1 ms: a sample is as many calls as take this many ms. */
const SAMPLE = 12;
const ROUNDS = 3;
/** Of the largest value; f32 formulas are good to 1e-5 on these inputs. */
const AGREES = 1e-3;

async function difference(call: Call, exact: Float64Array): Promise<number> {
  const got = await call.result();
  if (got.length !== exact.length) return Number.NaN;
  let [most, worst] = [0, 0];
  for (const [i, truth] of exact.entries()) {
    most = Math.max(most, Math.abs(truth));
    // NaN stays
    worst = Math.abs((got[i] as number) - truth) <= worst ? worst : Math.abs((got[i] as number) - truth);
  }
  return worst / most;
}

/** A function that makes so many calls in a row. */
function batch(call: Call, count: number, asynchronous: boolean): () => unknown {
  return asynchronous
    ? async () => {
        for (let i = 0; i < count; i++) await call.run();
      }
    : () => {
        for (let i = 0; i < count; i++) call.run();
      };
}

/** How many calls take SAMPLE ms, warming up meanwhile. */
async function calibrated(call: Call): Promise<{ count: number; asynchronous: boolean }> {
  const asynchronous = call.run() instanceof Promise;
  const timed = async (count: number): Promise<number> => {
    const start = performance.now();
    await batch(call, count, asynchronous)();
    return performance.now() - start;
  };
  for (let count = 1; ; count *= 2) {
    // the first of both may have been compiling
    const took = Math.min(await timed(count), await timed(count));
    if (took >= SAMPLE) return { count: Math.max(1, Math.ceil((count * SAMPLE) / took)), asynchronous };
  }
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.round(q * (sorted.length - 1))] as number;

async function run({ cases, samples }: Ask): Promise<void> {
  const versions: Record<string, string> = { surprisal: info().version };
  const entrants = [];
  for (const contestant of CONTESTANTS) {
    tell({ kind: "note", note: `Loading ${contestant.name} …`, fraction: 0 });
    try {
      const version = await contestant.start();
      if (version === undefined) continue;
      if (version) versions[contestant.name] = version;
      entrants.push(contestant);
    } catch (error) {
      versions[contestant.name] = `did not start: ${error instanceof Error ? error.message : error}`;
    }
  }
  for (const [done, { name, shape }] of cases.entries()) {
    const operation = OPERATIONS[name];
    if (!operation) throw new Error(`there is no operation ${name}`);
    const inputs = inputsOf(operation, shape);
    const exact = new Float64Array(operation.size(inputs));
    operation.plain(widened(inputs), exact);
    const figures: Figure[] = [];
    const ready = [];
    for (const { name: who, prepare } of entrants) {
      tell({ kind: "note", note: `${name} ${shape}: ${who}`, fraction: done / cases.length });
      const nothing = { who, median: Number.NaN, low: Number.NaN, high: Number.NaN, samples: 0 };
      try {
        const call = await prepare(name, operation, inputs);
        if (!call) continue;
        const error = await difference(call, exact);
        if (!(error <= AGREES)) figures.push({ ...nothing, error, out: "its result is another" });
        else ready.push({ who, call, error, ...(await calibrated(call)), times: [] as number[] });
      } catch (error) {
        figures.push({ ...nothing, error: Number.NaN, out: error instanceof Error ? error.message : String(error) });
      }
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { call, count, asynchronous, times } of ready) {
        // tinybench takes the samples; it is told how many, and not to go on by time
        const bench = new Bench({
          iterations: Math.ceil(samples / ROUNDS),
          time: 0,
          warmup: false,
          retainSamples: true,
        });
        bench.add("a sample", batch(call, count, asynchronous));
        const [task] = await bench.run();
        const result = task?.result;
        if (result && "latency" in result)
          times.push(...(result.latency.samples ?? []).map((ms) => (1000 * ms) / count));
      }
    }
    for (const { who, call, error, times } of ready) {
      times.sort((a, b) => a - b);
      figures.push({
        who,
        error,
        samples: times.length,
        median: quantile(times, 0.5),
        low: quantile(times, 0.1),
        high: quantile(times, 0.9),
      });
      await call.dispose?.();
    }
    tell({ kind: "case", name, shape, figures, fraction: (done + 1) / cases.length });
  }
  tell({ kind: "done", versions });
}

addEventListener("message", ({ data }: MessageEvent<Ask>) => {
  run(data).catch((error) => tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) }));
});
