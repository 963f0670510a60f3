/** What every call owes its caller: a right result or a proper error, and what it wrote where it belongs. */
import { copyOf, ILL_SAID, type Outcome, unlike } from "../support/outcome.ts";
import { disagreement, type Expected, type Given, mayThrow, PLAIN } from "../support/plain.ts";
import type { Draft, Item } from "./draft.ts";

/** A rule that was broken, and how. */
export interface Fault {
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
export type Rule = "result" | "error" | "memory" | "twice" | "canary" | "bounded" | "ends";

/** What engines say: a message of the package never is. */
export const RAW =
  /Cannot (read|set|perform|convert|mix|assign|destructure)|is not (a function|iterable|defined|a constructor|an object)|out of bounds|Invalid (typed array|array|array buffer) length|Maximum call stack|unreachable|divide by zero|memory access|is not extensible|read only|allocation failed|start offset|byte length of/;

const headOf = (name: string): string => name.split(/[.[]/)[0] as string;

/** What is wrong with an error, in words: of every one, and of one that was to be of a kind and to name something. */
function improper(error: unknown, { demand, definition, name }: Draft, wanted: boolean): string {
  if (demand.reason !== undefined && error === demand.reason) return "";
  if (!(error instanceof TypeError || error instanceof RangeError))
    return `it threw ${String(error)}, no TypeError or RangeError`;
  const { message } = error as Error;
  if (!message.startsWith(`${name}: `)) return `the message does not begin with the function: ${message}`;
  if (RAW.test(message)) return `the message is the engine's: ${message}`;
  if (ILL_SAID.test(message)) return `nobody says it so: ${message}`;
  const { kind, names = [] } = demand;
  const known = [...definition.parameters, ...definition.arrays, ...definition.options, "options", ...names].map(
    headOf,
  );
  const named = [...message.matchAll(/"([^"]*)"/g)].map((match) => headOf(match[1] as string));
  if (!named.some((one) => known.includes(one)) && !message.includes("not enough memory"))
    return `the message names no argument: ${message}`;
  if (!wanted) return "";
  if (kind && !((error as Error) instanceof kind)) return `it threw ${String(error)}, wanted a ${kind.name}`;
  if (names.length && !names.some((one) => named.includes(one) || message.includes(one)))
    return `the message does not name ${names.join(" or ")}: ${message}`;
  return "";
}

/** What is wrong with the outcome of a call, and which rule it breaks. */
export function verdict(outcome: Outcome, draft: Draft, given: Given): Fault | undefined {
  const { demand, name, dtype } = draft;
  // of what stood there before a caller's getter wrote, and after
  const expected = [given, ...(demand.also ? [demand.also] : [])].map((one) => () => (PLAIN[name] as Plain)(one));
  if ("value" in outcome) {
    if (demand.does === "throw") return { rule: "error", how: "it returned, and should throw" };
    const words = expected.map((one) => disagreement(outcome.value, one(), dtype));
    return words.includes("") ? undefined : { rule: "result", how: words[0] as string };
  }
  const { error } = outcome;
  const how = improper(error, draft, demand.does === "throw");
  // of two faults either may be told
  const other = (): boolean => "refused" in (expected[0] as () => Expected)() && !improper(error, draft, false);
  if (how) return other() ? undefined : { rule: "error", how };
  if (demand.does !== "agree") return undefined;
  const words = expected.map((one) => mayThrow(error, one()));
  return words.includes("") ? undefined : { rule: "error", how: words[0] as string };
}
type Plain = (given: Given) => Expected;

/** Whether what was written to the outputs is part of the result. */
export function unreturned({ items }: Draft, value: unknown): string {
  const parts = partsOf(value);
  for (const { slot, read } of items as readonly Item[]) {
    if (slot.kind !== "out" || !read) continue;
    // what it holds, whatever its own properties say
    const written = copyOf(read());
    if (!parts.some((part) => unlike(copyOf(part), written) === ""))
      return `what ${slot.name} holds is not what was returned`;
  }
  return "";
}
const partsOf = (value: unknown): unknown[] =>
  ArrayBuffer.isView(value)
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(partsOf)
      : [];
