/**
 * Meters: random sequences of updates, merges, and journeys through JSON, between them what no meter must take. What they read in
 * the end is held to plain functions of all rows at once, and to the text of a meter that has taken these in one batch.
 */
import * as surprisal from "../../src/index.ts";
import { METER_READINGS, type MeterName, type Rows } from "../support/plain/meters.ts";
import { disagreement, exactly } from "../support/plain.ts";
import { type FloatArray, f32, f64 } from "../support/variants.ts";
import { inWords } from "./draft.ts";
import { make } from "./make.ts";
import { Random } from "./random.ts";
import { type Fault, RAW } from "./rules.ts";
import { valuesOf, type Weather } from "./values.ts";

/** A meter of any kind, as JavaScript sees it. */
interface AnyMeter {
  readonly value: number;
  readonly count: number;
  update(...args: readonly unknown[]): unknown;
  updateFrom(batches: unknown, options?: unknown): Promise<unknown>;
  merge(other: unknown): unknown;
  toJSON(): Record<string, unknown>;
}
type Made = (options?: object) => AnyMeter;
const api = surprisal as unknown as Readonly<Record<MeterName, Made>> & { meterFrom(json: unknown): AnyMeter };

/** The function that each measures, whose calls are spoilt for it. */
const MEASURED: Readonly<Record<MeterName, string>> = {
  agreementMeter: "jsDivergence",
  calibrationMeter: "perplexity",
  crossEntropyMeter: "crossEntropy",
  divergenceMeter: "klDivergence",
  entropyMeter: "entropy",
  logSumExpMeter: "logSumExp",
};
export const METER_NAMES = Object.keys(MEASURED) as readonly MeterName[];

/** Rows that go into a meter together. */
interface Batch {
  readonly rows: number;
  readonly p: FloatArray;
  readonly q: FloatArray;
  readonly labels: readonly number[];
  readonly sampleWeight: FloatArray | undefined;
}

/** A meter, and what it has taken. */
interface Taker {
  meter: AnyMeter;
  batches: Batch[];
}

const KINDS = { probabilities: "weights", logProbabilities: "logs", logits: "real" } as const;
type From = keyof typeof KINDS;

/** A fault of the meter, in the words of the step that found it. */
class Wrong extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.how);
    this.fault = fault;
  }
}
const wrong = (rule: Fault["rule"], how: string): never => {
  throw new Wrong({ rule, how });
};

export class Sequence {
  readonly name: MeterName;
  readonly #seed: number;
  readonly #random: Random;
  readonly #dtype: typeof f32;
  readonly #n: number;
  readonly #options: Record<string, unknown>;
  readonly #soft: boolean;
  readonly #weight: FloatArray | undefined;
  readonly #weather: Weather;
  readonly #done: string[] = [];

  constructor(seed: number, call: number, name: MeterName) {
    const random = new Random(seed ^ 0x6d657465, call);
    this.name = name;
    this.#seed = seed;
    this.#random = random;
    this.#dtype = random.of([f32, f64]);
    this.#n = random.oneIn(30) ? random.of([257, 515]) : random.int(1, random.of([3, 9]));
    this.#weather = random.of(["calm", "calm", "grid", "wide", "wild"]);
    this.#options = this.#drawn();
    // soft targets have no labels to ignore
    this.#soft = this.#options["ignoreIndex"] === undefined && random.oneIn(2);
    const weighs = name === "crossEntropyMeter" && random.oneIn(3);
    this.#weight = weighs ? this.#numbers("weights", this.#n, "calm") : undefined;
  }

  #drawn(): Record<string, unknown> {
    const random = this.#random;
    const maybe = <T>(name: string, values: readonly T[]) => (random.oneIn(2) ? { [name]: random.of(values) } : {});
    const base = maybe("base", [2, 10, 0.5]);
    const from = maybe("from", Object.keys(KINDS) as From[]);
    const normalize = maybe("normalize", [true, false]);
    switch (this.name) {
      case "agreementMeter":
        return {
          ...base,
          ...maybe("top", [1, 2, 5]),
          ...(random.oneIn(2) ? from : { from: "logits", ...maybe("temperature", [0.5, 3]) }),
        };
      case "calibrationMeter":
        return { ...from, ...maybe("bins", [1, 2, 10]), ...maybe("ignoreIndex", [-100, 0]) };
      case "crossEntropyMeter":
        return { ...base, ...from, ...maybe("ignoreIndex", [-100, 0]), ...maybe("labelSmoothing", [0, 0.1, 1]) };
      case "divergenceMeter":
        return { ...base, ...from, ...normalize, ...maybe("metric", ["kl", "js"]) };
      case "entropyMeter":
        return { ...base, ...from, ...normalize };
      case "logSumExpMeter":
        return {};
    }
  }

  #numbers(kind: "real" | "logs" | "weights", length: number, weather = this.#weather): FloatArray {
    const slot = { name: "", at: [], kind, shape: [length] } as const;
    return valuesOf(slot, length, weather, this.#random, this.#dtype);
  }

  #batch(): Batch {
    const random = this.#random;
    const n = this.#n;
    const rows = random.int(0, random.of([1, 3, 12]));
    const byDefault = /divergence|entropyMeter|agreement/.test(this.name) ? "probabilities" : "logits";
    const kind = KINDS[(this.#options["from"] as From | undefined) ?? byDefault];
    const ignored = (this.#options["ignoreIndex"] as number | undefined) ?? -100;
    const weighs = this.name === "crossEntropyMeter" && random.oneIn(3);
    return {
      rows,
      p: this.#numbers(kind, rows * n),
      q: this.#numbers(this.name === "crossEntropyMeter" ? "weights" : kind, rows * n),
      labels: Array.from({ length: rows }, () => (random.oneIn(5) ? ignored : random.int(0, n - 1))),
      sampleWeight: weighs ? this.#numbers("weights", rows, "calm") : undefined,
    };
  }

  /** The arguments of an update, in one form or another. */
  #arguments({ rows, p, q, labels, sampleWeight }: Batch): unknown[] {
    const shape = [rows, this.#n];
    const carries = this.#random.oneIn(3);
    const form = (values: FloatArray): unknown => (carries ? { data: values, dims: shape } : values);
    const options = { ...(!carries && { shape }), ...(sampleWeight && { sampleWeight }) };
    const ids = this.#random.of([labels, Int32Array.from(labels), BigInt64Array.from(labels, BigInt)]);
    const second = {
      agreementMeter: [form(q)],
      calibrationMeter: [ids],
      crossEntropyMeter: [this.#soft ? form(q) : ids],
      divergenceMeter: [form(q)],
      entropyMeter: [],
      logSumExpMeter: [],
    }[this.name];
    return [form(p), ...second, ...(Object.keys(options).length ? [options] : [])];
  }

  #made(): AnyMeter {
    const options = { ...this.#options, ...(this.#weight && { weight: this.#weight }) };
    return api[this.name](options);
  }

  /** Runs it; what was wrong first. */
  async run(): Promise<Fault | undefined> {
    try {
      const takers: Taker[] = Array.from({ length: this.#random.int(1, 3) }, () => ({
        meter: this.#made(),
        batches: [],
      }));
      const steps = this.#random.int(2, 10);
      for (let step = 0; step < steps; step++) await this.#step(takers);
      for (const taker of takers) this.#check(taker);
      return undefined;
    } catch (error) {
      if (error instanceof Wrong) return error.fault;
      return { rule: "error", how: `it threw ${String(error)}` };
    }
  }

  async #step(takers: Taker[]): Promise<void> {
    const random = this.#random;
    const taker = random.of(takers);
    switch (random.int(0, 8)) {
      case 0: {
        const other = random.of(takers);
        this.#done.push("merge");
        const before = JSON.stringify(other.meter);
        taker.meter.merge(other.meter);
        if (other !== taker && JSON.stringify(other.meter) !== before) wrong("result", "merge changed the other meter");
        taker.batches = [...taker.batches, ...other.batches];
        return;
      }
      case 1: {
        this.#done.push("meterFrom");
        const text = JSON.stringify(taker.meter);
        taker.meter = api.meterFrom(JSON.parse(text));
        if (JSON.stringify(taker.meter) !== text) wrong("result", `meterFrom made another meter of ${text}`);
        return;
      }
      case 2:
        return this.#spoiltUpdate(taker);
      case 3:
        return this.#spoiltText(taker);
      case 4:
        return this.#spoiltMerge(taker);
      case 5: {
        const some = Array.from({ length: random.int(0, 3) }, () => this.#batch());
        this.#done.push(`updateFrom of ${some.length}`);
        await taker.meter.updateFrom(some.map((batch) => this.#arguments(batch)));
        taker.batches.push(...some);
        return;
      }
      default: {
        const batch = this.#batch();
        this.#done.push(`update of ${batch.rows}`);
        taker.meter.update(...this.#arguments(batch));
        taker.batches.push(batch);
      }
    }
  }

  /** An error of `fn`, as a person would say it, or `reason`. */
  #proper(error: unknown, fn: string, reason?: unknown): void {
    if (reason !== undefined && error === reason) return;
    if (!(error instanceof TypeError || error instanceof RangeError))
      wrong("error", `it threw ${String(error)}, no TypeError or RangeError`);
    const { message } = error as Error;
    if (!message.startsWith(`${fn}: `)) wrong("error", `the message does not begin with ${fn}: ${message}`);
    if (RAW.test(message)) wrong("error", `the message is the engine's: ${message}`);
  }

  /** An update with arguments that calls of the function are spoilt with: if it throws the meter is as it was. */
  #spoiltUpdate(taker: Taker): void {
    const draft = make(this.#seed, this.#random.int(0, 2 ** 30), MEASURED[this.name]);
    // a variant that is switched, and prototypes that are, are about other things
    if (draft.before.length) return;
    this.#done.push(`update of ${draft}`);
    const text = JSON.stringify(taker.meter);
    const meter = api.meterFrom(JSON.parse(text));
    try {
      meter.update(...draft.arguments());
    } catch (error) {
      this.#proper(error, `${this.name}.update`, draft.demand.reason);
      if (JSON.stringify(meter) !== text) wrong("result", `an update that threw ${String(error)} changed the meter`);
    } finally {
      for (const action of draft.after) action();
      // a getter may have made it another
      surprisal.initSync({ variant: this.#variant });
    }
  }
  readonly #variant = surprisal.info().variant;

  /** Text of a meter with a field that is wrong: it is refused, or is that of another meter. */
  #spoiltText(taker: Taker): void {
    const random = this.#random;
    const json = JSON.parse(JSON.stringify(taker.meter)) as Record<string, unknown>;
    const at: [object: Record<string, unknown>, key: string][] = [];
    const walk = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const key of Object.keys(value)) {
        at.push([value as Record<string, unknown>, key]);
        walk((value as Record<string, unknown>)[key]);
      }
    };
    walk(json);
    const [object, key] = random.of(at);
    const junk = random.of([
      null,
      undefined,
      -1,
      0.5,
      2 ** 60,
      Number.NaN,
      "",
      "B:0",
      "-B:0",
      "B:99",
      "x",
      {},
      [],
      [[1, 2]],
      true,
    ]);
    object[key] = junk;
    this.#done.push(`meterFrom with ${key} being ${inWords(junk)}`);
    let meter: AnyMeter;
    try {
      meter = api.meterFrom(json);
    } catch (error) {
      this.#proper(error, "meterFrom");
      return;
    }
    // its own text is one that it takes
    const text = JSON.stringify(meter);
    if (JSON.stringify(api.meterFrom(JSON.parse(text))) !== text) wrong("result", `meterFrom made another of ${text}`);
    for (const name of this.#names(meter))
      if (typeof this.#read(meter, name) !== "number") wrong("result", `${name} is no number`);
  }

  #spoiltMerge(taker: Taker): void {
    const random = this.#random;
    const others = METER_NAMES.filter((name) => name !== this.name);
    const other = random.of([
      () => api[random.of(others)](),
      () => JSON.parse(JSON.stringify(taker.meter)) as unknown,
      () => Object.create(taker.meter) as unknown,
      () => new Proxy(taker.meter, {}) as unknown,
      () => undefined,
      () => null,
      () => 7,
    ])();
    this.#done.push(`merge with ${inWords(other)}`);
    const text = JSON.stringify(taker.meter);
    try {
      taker.meter.merge(other);
      wrong("error", "merge took what is no such meter");
    } catch (error) {
      if (error instanceof Wrong) throw error;
      this.#proper(error, `${this.name}.merge`);
    }
    if (JSON.stringify(taker.meter) !== text) wrong("result", "a merge that threw changed the meter");
  }

  #names(meter: AnyMeter): readonly string[] {
    return Object.keys(METER_READINGS[this.name](this.#rowsOf([]))).filter(
      (name) => name in meter || name.includes("."),
    );
  }

  /** "value", "kl.value", "kl.quantile(0.5)". */
  #read(meter: AnyMeter, name: string): unknown {
    const parts = name.split(/\.(?=[a-z])/);
    return parts.reduce((value: unknown, part) => {
      const [, method, argument] = /^(\w+)\((.*)\)$/.exec(part) ?? [];
      const object = value as Record<string, unknown>;
      return method ? (object[method] as (q: number) => number).call(object, Number(argument)) : object[part];
    }, meter);
  }

  #rowsOf(batches: readonly Batch[]): Rows {
    const joined = (of: (batch: Batch) => ArrayLike<number>): Float64Array =>
      Float64Array.from(batches.flatMap((batch) => Array.from(of(batch))));
    const weighs = batches.some(({ sampleWeight }) => sampleWeight);
    return {
      dtype: this.#dtype,
      n: this.#n,
      rows: batches.reduce((sum, { rows }) => sum + rows, 0),
      p: joined(({ p }) => p),
      q: joined(({ q }) => q),
      labels: joined(({ labels }) => labels),
      sampleWeight: weighs
        ? joined(({ sampleWeight, rows }) => sampleWeight ?? new Array<number>(rows).fill(1))
        : undefined,
      weight: this.#weight && Float64Array.from(this.#weight),
      options: { ...this.#options, ...(this.#soft && { soft: true }) },
    };
  }

  #check({ meter, batches }: Taker): void {
    const all = this.#rowsOf(batches);
    for (const [name, expected] of Object.entries(METER_READINGS[this.name](all))) {
      const words = disagreement(this.#read(meter, name), expected, f64, name);
      if (words) wrong("result", words);
    }
    const { array } = this.#dtype;
    const whole: Batch = {
      rows: all.rows,
      p: new array(all.p),
      q: new array(all.q),
      labels: Array.from(all.labels),
      sampleWeight: all.sampleWeight && new array(all.sampleWeight),
    };
    const once = this.#made();
    once.update(...this.#arguments(whole));
    const [got, wanted] = [JSON.stringify(meter), JSON.stringify(once)];
    if (got !== wanted) wrong("result", `the meter is ${got}, and of one batch ${wanted}`);
    const words = disagreement(meter.count, exactly(once.count), f64, "count");
    if (words) wrong("result", words);
  }

  toString(): string {
    const { name } = this.#dtype;
    return `${this.name}(${JSON.stringify(this.#options)}), ${name}, rows of ${this.#n}, ${this.#weather}: ${this.#done.join("; ")}`;
  }
}
