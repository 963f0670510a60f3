/** Runs one call and says what is wrong with what it did. */
import * as surprisal from "../../src/index.ts";
import { api } from "../support/exports.ts";
import { copyOf, differ, type Outcome, outcomeOf, unlike } from "../support/outcome.ts";
import { disagreement, type Expected, type Given, mayThrow, PLAIN } from "../support/plain.ts";
import { Canaries } from "./canaries.ts";
import type { Draft, Item } from "./draft.ts";
import { make } from "./make.ts";
import { handle } from "./residents.ts";

/** A rule that was broken, and how. */
interface Fault {
  readonly rule: Rule;
  readonly how: string;
}

/** What was wrong with a call. */
export interface Finding extends Fault {
  readonly fn: string;
  readonly call: number;
  /** The call in words. */
  readonly words: string;
}
type Rule = "result" | "error" | "memory" | "twice" | "canary" | "bounded" | "ends";

/** Linear memory at most: what residents and calls of the fuzzer need, and no more for having been called often. */
const MOST_BYTES = 48 * 2 ** 20;

/** What engines say: a message of the package never is. */
const RAW =
  /Cannot (read|set|perform|convert|mix|assign|destructure)|is not (a function|iterable|defined|a constructor|an object)|out of bounds|Invalid (typed array|array|array buffer) length|Maximum call stack|unreachable|divide by zero|memory access|is not extensible|read only|allocation failed|start offset|byte length of/;

/** What is wrong with an error, in words. */
function improper(error: unknown, draft: Draft, anyKind: boolean): string {
  const { demand, definition, name } = draft;
  if (demand.reason !== undefined && error === demand.reason) return "";
  if (!(error instanceof TypeError || error instanceof RangeError))
    return `it threw ${String(error)}, no TypeError or RangeError`;
  const { message } = error;
  if (!message.startsWith(`${name}: `)) return `the message does not begin with the function: ${message}`;
  if (RAW.test(message)) return `the message is the engine's: ${message}`;
  const known = [...definition.parameters, ...definition.arrays, ...definition.options, "options"].map(
    (one) => one.split(/[.[]/)[0],
  );
  const named = [...message.matchAll(/"([^"]*)"/g)].map((match) => (match[1] as string).split(/[.[]/)[0] as string);
  const short = message.includes("not enough memory");
  if (!short && !named.some((one) => known.includes(one) || demand.names?.includes(one)))
    return `the message names no argument: ${message}`;
  if (demand.does === "throw" && !anyKind) {
    if (demand.kind && !((error as Error) instanceof demand.kind))
      return `it threw a ${(error as Error).name}, wanted a ${demand.kind.name}: ${message}`;
    if (
      demand.names &&
      !named.some((one) => demand.names?.includes(one)) &&
      !demand.names.some((one) => message.includes(one))
    )
      return `the message does not name ${demand.names.join(" or ")}: ${message}`;
  }
  return "";
}

const expectedOf = (given: Given, name: string): Expected => (PLAIN[name] as (given: Given) => Expected)(given);

/** What is wrong with the outcome, and which rule it breaks. */
function verdict(outcome: Outcome, draft: Draft, given: Given): Fault | undefined {
  const { demand, name, dtype } = draft;
  const threw = "error" in outcome;
  if (demand.does === "throw" && !threw) return { rule: "error", how: "it returned, and should throw" };
  if (threw) {
    const how = improper(outcome.error, draft, false);
    // of two faults either may be told
    const other = how !== "" && "refused" in expectedOf(given, name) && improper(outcome.error, draft, true) === "";
    if (how && !other) return { rule: "error", how };
    if (demand.does !== "agree" || outcome.error === demand.reason) return undefined;
    const refusals = [given, ...(demand.also ? [demand.also] : [])].map((one) =>
      mayThrow(outcome.error, expectedOf(one, name)),
    );
    return refusals.includes("") ? undefined : { rule: "error", how: refusals[0] as string };
  }
  const all = [given, ...(demand.also ? [demand.also] : [])];
  let how = "";
  for (const one of all) {
    const words = disagreement(outcome.value, expectedOf(one, name), dtype);
    if (!words) return undefined;
    how ||= words;
  }
  return { rule: "result", how };
}

/** Whether what was written to an output is part of the result. */
function unreturned({ items }: Draft, value: unknown): string {
  const parts = partsOf(value);
  for (const { slot, read } of items as readonly Item[]) {
    if (slot.kind !== "out" || !read) continue;
    const written = read();
    if (!parts.some((part) => unlike(part, written) === "")) return `what ${slot.name} holds is not what was returned`;
  }
  return "";
}
const partsOf = (value: unknown): unknown[] =>
  ArrayBuffer.isView(value)
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(partsOf)
      : [];

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
    const draft = make(this.#seed, number, this.#only);
    const given = draft.given();
    const args = draft.arguments();
    for (const action of draft.before) action();
    const deed = await deedOf(draft, args);
    // as it stands, where nothing of it has changed
    const again = draft.repeatable ? apart(call(draft, args), draft) : undefined;
    for (const action of draft.after) action();
    const held =
      draft.name === "resident" && "value" in deed.outcome ? (deed.outcome.value as surprisal.Resident) : undefined;
    const misuse = held && handle(held, draft.random);
    held?.dispose();
    const own =
      verdict(deed.outcome, draft, given) ??
      deed.faults[0] ??
      (misuse ? ({ rule: "result", how: misuse } satisfies Fault) : undefined) ??
      this.#twice(draft, number, deed, again);
    // a wrong result may be of kernels that are spoilt
    const after = this.#aftermath(number, own !== undefined || draft.notes.length > 0);
    const fault = after ?? own;
    if (surprisal.info().variant !== this.#variant) surprisal.initSync({ variant: this.#variant });
    return fault && { fn: draft.name, call: number, ...fault, words: draft.toString() };
  }

  /** The same call has the same outcome, to the bit. */
  #twice(draft: Draft, number: number, first: Deed, again: Outcome | undefined): Fault | undefined {
    if (draft.definition.arrays.length === 0) return undefined;
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
