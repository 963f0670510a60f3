/**
 * Runs a family of cases. A family file declares the cases (an operation on a type and a shape) and who
 * contests each; here the contestants are checked against the reference, timed in turns and reported.
 */
import { Bench, Task } from "tinybench";
import { options } from "./options.ts";
import { BEFORE, ratios, save, table, worse } from "./report.ts";

export type Dtype = "f32" | "f64";
export type FloatArray = Float32Array | Float64Array;
export type Values = ArrayLike<number>;

/** A contestant that is ready for its case. */
export interface Call {
  /** The timed call. A promise is awaited within the time. */
  run(): unknown;
  /** The values of the last run, for the check. Where it is missing, `run` returns them. */
  result?(): Values | Promise<Values>;
  /** Times itself for so many ms and tells its median in µs: what is no function of this process. */
  turn?(ms: number): Promise<number>;
  dispose?(): unknown;
}

/** By name, what makes each contestant ready. The name is its row in the table, so it is the same in every case. */
export type Contestants = Record<string, () => Call | Promise<Call>>;

export interface Case {
  op: string;
  dtype: Dtype;
  shape: readonly number[];
  /** The largest error |y − r| / max(|r|, floor) that counts as agreement with the reference r. */
  tolerance: number;
  floor: number;
  /** Makes the inputs, so that only one case at a time is in memory. */
  setup(): { reference: Values; contestants: Contestants };
}

export interface Family {
  name: string;
  cases: readonly Case[];
  /** The contestant all are compared to: the first of these that runs. */
  baseline: readonly string[];
  /** How long a contestant is timed in one round and runs before, in ms, as parts of what is usual: less where all calls are short. */
  share?: number;
}

export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** Of the rounds' median times of a call in µs, with the error of the result. */
export interface Figure extends Spread {
  error: number;
}

export interface CaseResult {
  op: string;
  dtype: Dtype;
  shape: string;
  figures: Record<string, Figure>;
  /** By contestant: how many times as long it takes as in the commit compared with. */
  ratios: Record<string, Spread>;
}

const ROUNDS = options.rounds(5, 3);

export async function bench({ name, cases, baseline, share = 1 }: Family): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const wrong: string[] = [];
  for (const title of new Set(cases.map(titleOf))) {
    if (!options.only.test(title)) continue;
    const group: CaseResult[] = [];
    for (const c of cases.filter((c) => titleOf(c) === title && options.shape(shapeOf(c)))) {
      group.push(await runCase(c, share, wrong));
    }
    if (group.length > 0) console.log(`\n${title}, µs\n${table(group, baseline)}`);
    if (options.against)
      console.log(`\n${ratios(Object.fromEntries(group.map(({ shape, ratios }) => [shape, ratios])))}`);
    results.push(...group);
  }
  if (options.against || options.complete) console.log(`\n${worse(name, results)}`);
  if (wrong.length > 0) {
    console.error(`\n${wrong.join("\n")}`);
    process.exitCode = 1;
  } else if (options.complete) {
    save(name, { rounds: ROUNDS, cases: results.map(({ ratios: _, ...kept }) => kept) });
  }
  return results;
}

const titleOf = ({ op, dtype }: Case) => `${op} ${dtype}`;
const shapeOf = ({ shape }: Case) => shape.join("x");

/** Checks all contestants, then times in turns those that agree. */
async function runCase(c: Case, share: number, wrong: string[]): Promise<CaseResult> {
  const { reference, contestants } = c.setup();
  const calls: Call[] = [];
  const entrants: { name: string; error: number; turn: Turn; times: number[] }[] = [];
  try {
    for (const [name, start] of Object.entries(contestants)) {
      if (!options.who.test(name)) continue;
      const where = `${name} at ${titleOf(c)} ${shapeOf(c)}`;
      try {
        const call = await start();
        calls.push(call);
        const returned = call.run();
        const values = (await returned) as Values;
        const error = maxError(call.result ? await call.result() : values, reference, c.floor);
        if (error <= c.tolerance || name.endsWith(BEFORE)) {
          entrants.push({ name, error, turn: await prepare(call, returned instanceof Promise, share), times: [] });
        } else {
          wrong.push(`${where} is off by ${error.toPrecision(3)}, allowed ${c.tolerance}`);
        }
      } catch (cause) {
        // of another time: the function may not have been there yet
        if (!name.endsWith(BEFORE)) throw new Error(`${where} failed`, { cause });
        console.warn(`${where} is left out: ${cause}`);
      }
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { turn, times } of inTurn(entrants, round)) times.push(await turn());
    }
    const figures = Object.fromEntries(entrants.map(({ name, error, times }) => [name, { ...spread(times), error }]));
    return { op: c.op, dtype: c.dtype, shape: shapeOf(c), figures, ratios: ratiosOf(entrants) };
  } finally {
    for (const call of calls) await call.dispose?.();
  }
}

/** NaN where there is no agreement to speak of: a different length, or NaN on one side. */
function maxError(values: Values, reference: Values, floor: number): number {
  if (values.length !== reference.length) return Number.NaN;
  let worst = 0;
  for (let i = 0; i < reference.length; i++) {
    const r = reference[i] as number;
    if (values[i] === r) continue;
    worst = Math.max(worst, Math.abs((values[i] as number) - r) / Math.max(Math.abs(r), floor));
  }
  return worst;
}

/** Times a contestant for one round: the median time of a call, in µs. */
type Turn = () => Promise<number>;

/** A sample is as many calls as fill this many milliseconds: reading the clock costs 40 ns, too much beside one short call. */
const SAMPLE = 0.1;

async function prepare(call: Call, async: boolean, share: number): Promise<Turn> {
  const { turn, run } = call;
  if (turn) {
    await turn(options.warmUp * share);
    return () => turn(options.turn * share);
  }
  let batch = 1;
  const many = own<(n: number) => unknown>(
    `let last; return ${async ? "async " : ""}(n) => { for (let i = 0; i < n; i++) last = ${async ? "await " : ""}run(); return last; }`,
    { run },
  );
  const calls = () => many(batch);

  // warm up and find the batch
  const warm = performance.now() + options.warmUp * share;
  let took = 0;
  while (took < SAMPLE || performance.now() < warm) {
    if (took < SAMPLE && took > 0) batch *= 2;
    const start = performance.now();
    await calls();
    took = performance.now() - start;
  }

  // at least 3 samples a turn, but for calls that take longer than a turn: the median of the rounds is theirs
  const ms = options.turn * share;
  const bench = new Bench({ time: ms, iterations: took > ms ? 1 : 3, warmup: false, throws: true });
  const task = new Task(bench, "calls", calls, { async });
  return async () => {
    task.reset();
    const { result } = async ? await task.run() : task.runSync();
    if (result.state !== "completed") throw new Error(`the timing ended ${result.state}`);
    return (result.latency.p50 * 1000) / batch;
  };
}

let written = 0;

/**
 * A function that is compiled for itself, with `names` in its scope. An engine learns from the calls that a place in a program has
 * made, and one that all contestants share would teach it nothing: neither a loop nor our call would be inlined there.
 */
function own<F>(body: string, names: Record<string, unknown>): F {
  // what differs in its text is not taken for the same
  return new Function(...Object.keys(names), `/* ${written++} */ ${body}`)(...Object.values(names)) as F;
}

/** `f(...args)` as a program has it that calls it here alone. */
export function calling<A extends readonly unknown[], R>(f: (...args: A) => R, ...args: A): () => R {
  const names = args.map((_, i) => `a${i}`);
  return own(`return () => f(${names})`, { f, ...Object.fromEntries(names.map((name, i) => [name, args[i]])) });
}

/** `f(...args, out)` with a new `out` at every call. */
export function callingAnew<R>(
  f: (...args: never[]) => R,
  args: readonly unknown[],
  dtype: Dtype,
  length: number,
): () => R {
  const names = args.map((_, i) => `a${i}`);
  const scope = { f, length, ...Object.fromEntries(names.map((name, i) => [name, args[i]])) };
  return own(`return () => f(${names}, new ${dtype === "f32" ? "Float32Array" : "Float64Array"}(length))`, scope);
}

/** Who goes first in a round: back and forth, so that who follows whom is the same for both that are compared. */
export const inTurn = <T>(entrants: readonly T[], round: number): readonly T[] =>
  round % 2 === 0 ? entrants : [...entrants].reverse();

/** Each contestant beside itself in the commit compared with, round by round: what slows both down cancels. */
export function ratiosOf(entrants: readonly { name: string; times: readonly number[] }[]): Record<string, Spread> {
  const pairs = entrants.flatMap(({ name, times }) => {
    const before = entrants.find((other) => other.name === name + BEFORE);
    return before ? [[name, spread(times.map((time, i) => time / (before.times[i] as number)))] as const] : [];
  });
  return Object.fromEntries(pairs);
}

export function spread(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.floor(q)] as number;
  const middle = (sorted.length - 1) / 2;
  return { median: (at(middle) + at(middle + 0.5)) / 2, low: at(0), high: at(sorted.length - 1) };
}
