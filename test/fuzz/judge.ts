/** Runs one call and says what is wrong with what it did. */
import * as surprisal from "../../src/index.ts";
import { api } from "../support/exports.ts";
import { copyOf, differ, type Outcome, outcomeOf } from "../support/outcome.ts";
import { Canaries } from "./canaries.ts";
import type { Draft } from "./draft.ts";
import { make, meterOf } from "./make.ts";
import { METER_NAMES, Sequence } from "./meters.ts";
import { handle } from "./residents.ts";
import { type Fault, type Finding, unreturned, verdict } from "./rules.ts";

/** Linear memory at most: what residents and calls of the fuzzer need, and no more for having been called often. */
const MOST_BYTES = 48 * 2 ** 20;

/** What a call did: its outcome, in memory of its own, and whether it wrote where it must not. */
interface Deed {
  readonly outcome: Outcome;
  readonly faults: readonly Fault[];
}

const call = (draft: Draft, args: readonly unknown[]): Outcome =>
  outcomeOf(api[draft.name] as (...args: unknown[]) => unknown, args);

/** A promise's own outcome. */
const settled = async (outcome: Outcome): Promise<Outcome> =>
  "value" in outcome && outcome.value instanceof Promise
    ? outcome.value.then(
        (value: unknown) => ({ value }),
        (error: unknown) => ({ error }),
      )
    : outcome;

/** In memory that the next call leaves alone; what is made to be kept is kept. */
const apart = (outcome: Outcome, { name }: Draft): Outcome =>
  "error" in outcome || name === "resident" ? outcome : { value: copyOf(outcome.value) };

async function deedOf(draft: Draft, args: readonly unknown[]): Promise<Deed> {
  const { watched, demand } = draft;
  if (!demand.writes) for (const one of watched) one.remember();
  let outcome = call(draft, args);
  if (draft.name === "init") outcome = await settled(outcome);
  const faults: Fault[] = [];
  if (!demand.writes) {
    const threw = "error" in outcome;
    const how = threw ? "the call threw, and wrote" : "memory was written that is no output";
    if (watched.some((one) => one.changed(threw))) faults.push({ rule: "memory", how });
    const words = "error" in outcome ? "" : unreturned(draft, outcome.value);
    if (words) faults.push({ rule: "result", how: words });
  }
  return { outcome: apart(outcome, draft), faults };
}

/** Does with a resident that was made what may be done with one, and gives it back. */
function residentFault({ name, random }: Draft, outcome: Outcome): Fault | undefined {
  if (name !== "resident" || !("value" in outcome)) return undefined;
  const held = outcome.value as surprisal.Resident;
  const how = handle(held, random);
  held.dispose();
  return how ? { rule: "result", how } : undefined;
}

export class Judge {
  readonly #seed: number;
  readonly #only: string | undefined;
  readonly #variant: "base" | "relaxed";
  readonly #canaries = new Canaries();
  readonly #sentinels = [16, 1000].map((n) => surprisal.resident("f64", n));

  constructor(seed: number, variant: "base" | "relaxed", only?: string) {
    this.#seed = seed;
    this.#only = only;
    this.#variant = variant;
    for (const { array } of this.#sentinels) array.fill(SENTINEL);
  }

  /** Makes a call, twice, and says what was wrong. */
  async judge(number: number): Promise<Finding | undefined> {
    const meter = meterOf(this.#seed, number, METER_NAMES, this.#only);
    if (meter) return this.#sequence(new Sequence(this.#seed, number, meter), number);
    const draft = make(this.#seed, number, this.#only);
    const given = draft.given();
    const args = draft.arguments();
    for (const action of draft.before) action();
    const deed = await deedOf(draft, args);
    // as it stands, where nothing of it has changed
    const again = draft.repeatable ? apart(call(draft, args), draft) : undefined;
    for (const action of draft.after) action();
    const own =
      verdict(deed.outcome, draft, given) ??
      deed.faults[0] ??
      residentFault(draft, deed.outcome) ??
      this.#twice(draft, number, deed, again);
    if (surprisal.info().variant !== this.#variant) surprisal.initSync({ variant: this.#variant });
    // a wrong result may be of kernels that are spoilt
    const fault = this.#aftermath(number, own !== undefined || draft.notes.length > 0) ?? own;
    return fault && { fn: draft.name, call: number, ...fault, words: draft.toString() };
  }

  /** Runs a sequence of meters, and says what was wrong. */
  async #sequence(sequence: Sequence, number: number): Promise<Finding | undefined> {
    const own = await sequence.run();
    const fault = this.#aftermath(number, true) ?? own;
    return fault && { fn: sequence.name, call: number, ...fault, words: String(sequence) };
  }

  /** The same call has the same outcome, to the bit. */
  #twice(draft: Draft, number: number, first: Deed, again: Outcome | undefined): Fault | undefined {
    if (draft.definition.arrays.length === 0) return undefined;
    // memory grows the first time
    if (draft.notes.length && draft.items.some(({ fleeting }) => fleeting)) return undefined;
    let second = again;
    if (!second) {
      const copy = make(this.#seed, number, this.#only);
      const args = copy.arguments();
      for (const action of copy.before) action();
      second = apart(call(copy, args), copy);
      for (const action of copy.after) action();
    }
    const how = differ(second, first.outcome);
    return how ? { rule: "twice", how } : undefined;
  }

  /** What always holds still does: all of it after a strange call, some of it now and then after others. */
  #aftermath(number: number, strange: boolean): Fault | undefined {
    const { memoryBytes } = surprisal.info();
    if (memoryBytes > MOST_BYTES) return { rule: "bounded", how: `${memoryBytes} bytes of linear memory` };
    if (!strange && number % 8) return undefined;
    for (const { array } of this.#sentinels)
      if (!array.every((v) => v === SENTINEL)) return { rule: "canary", how: "a resident of the caller's was written" };
    const how = this.#canaries.spoilt(strange ? undefined : number);
    return how ? { rule: "canary", how } : undefined;
  }
}
const SENTINEL = 7.25;
