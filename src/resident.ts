/** Arrays that live in linear memory. */
import { ResidentArray } from "./arena.ts";
import { integerIn, oneOf } from "./check.ts";
import { arena } from "./kernels.ts";
import type { FloatArray, Resident } from "./types.ts";

/**
 * An array of `length` zeros inside linear memory, which every function takes, as input and as `out`, without a copy.
 * It belongs to the variant in use when it was made. Free it with `dispose()` (or `using`): it is not collected.
 *
 * @throws TypeError or RangeError for a wrong type or length, RangeError where memory cannot grow enough.
 * @example
 * const x = resident("f32", 1000);
 * x.set(logits);
 * softmax(x, { out: x });
 * x.dispose();
 */
export function resident(type: "f32", length: number): Resident<Float32Array>;
export function resident(type: "f64", length: number): Resident<Float64Array>;
export function resident(type: "f32" | "f64", length: number): Resident<FloatArray>;
export function resident(type: "f32" | "f64", length: number): Resident<FloatArray> {
  const checked = oneOf("resident", "type", type, ["f32", "f64"]);
  return new ResidentArray(arena(), checked, integerIn("resident", "length", length, undefined, 0, 2 ** 32));
}
