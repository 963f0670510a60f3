/** What may be done to a resident array, rightly and wrongly. */
import type { Resident } from "../../src/index.ts";
import { outcomeOf } from "../support/outcome.ts";
import type { FloatArray } from "../support/variants.ts";
import type { Random } from "./random.ts";

/** Values that cannot be set, as a whole or at one place. */
const WRONG: readonly (() => readonly [values: unknown, offset?: unknown])[] = [
  () => [[1, 2, Symbol("s")]],
  () => [[1, 2n]],
  () => [null],
  () => [undefined],
  () => [5],
  () => [{ length: "2" }],
  () => [{ length: 1e9 }],
  () => [{ length: -1 }],
  () => [{ length: Number.NaN }],
  () => [[1], -1],
  () => [[1], 1e9],
  () => [[1], 0.5],
  () => [[1], "0"],
  () => [[1], null],
  () => [new Float64Array(1000)],
];

/** Does one thing to a resident of zeros, and says what is wrong with what came of it. */
export function handle(held: Resident<FloatArray>, random: Random): string {
  const { length } = held;
  const action = random.int(0, 3);
  if (action === 0) {
    const count = random.int(0, length);
    const offset = random.int(0, length - count);
    const values = Array.from({ length: count }, () => random.int(-9, 9));
    held.set(random.oneIn(2) ? values : new Float32Array(values), offset);
    const wrong = held.array.findIndex((v, i) => v !== (i >= offset && i < offset + count ? values[i - offset] : 0));
    return wrong < 0 ? "" : `element ${wrong} is ${held.array[wrong]} after values were set from ${offset} on`;
  }
  if (action === 1) {
    held.set(Array.from({ length }, (_, i) => i));
    const by = random.int(0, length);
    held.set(held.array.subarray(by), 0);
    const wrong = held.array.findIndex((v, i) => v !== (i < length - by ? i + by : i));
    return wrong < 0 ? "" : `element ${wrong} is ${held.array[wrong]} after its own elements from ${by} on were set`;
  }
  if (action === 2) {
    const [values, offset] = random.of(WRONG)();
    const outcome = outcomeOf(held.set.bind(held) as never, [values, offset]);
    if ("value" in outcome) return `set took ${String(values)} at ${String(offset)}`;
    const { message } = outcome.error as Error;
    if (!/^resident\.set: ".*"/.test(message)) return `set threw ${String(outcome.error)}`;
    return held.array.every((v) => v === 0) ? "" : "set threw, and wrote";
  }
  held.dispose();
  held.dispose();
  for (const use of [() => held.array, () => held.set([])]) {
    const outcome = outcomeOf(use, []);
    if ("value" in outcome) return "it was used after it was disposed of";
    if (!/^resident(\.set)?: /.test((outcome.error as Error).message))
      return `its use after it was disposed of threw ${String(outcome.error)}`;
  }
  return "";
}
