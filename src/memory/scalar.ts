/**
 * log and exp of single numbers and of lists, by the kernels: Math's differ between engines in the last bit. And the exponent of a
 * number, by its bits.
 */
import { lengthOf } from "../arrays.ts";
import type { FloatArray } from "../types.ts";
import { type Arena, RESULT_BYTES } from "./arena.ts";

/** log v or e^v: log 3 differs in the last bit between V8 and JavaScriptCore, powers even between Node 20 and 26. */
export function scalar(at: Arena, kernel: "logarithm" | "exponential", value: number): number {
  at.view(8)[at.results / 8] = value;
  at.kernels[kernel](at.results, at.results, 1);
  return at.number(at.results);
}

/** values ** power in place, as e^{power·log v}. The stage is left alone: the values may stand there. */
export function raise(at: Arena, values: FloatArray, bytes: number, power: number): void {
  const tile = RESULT_BYTES / 8;
  const length = lengthOf(values);
  for (let i = 0; i < length; i += tile) {
    const count = Math.min(tile, length - i);
    at.copyIn(values, bytes, i, count, at.results, 1, 8);
    at.kernels.logarithm(at.results, at.results, count);
    const powers = at.view(8);
    const first = at.results / 8;
    for (let j = first; j < first + count; j++) (powers[j] as number) *= power;
    at.kernels.exponential(at.results, at.results, count);
    for (let j = 0; j < count; j++) values[i + j] = powers[first + j] as number;
  }
}

const NUMBER = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

/** e of 2^e ≤ x < 2^(e + 1), for x > 0; −1023 of 0 and of subnormal numbers, 1024 of ∞ and NaN. */
export function exponentOf(x: number): number {
  NUMBER.setFloat64(0, x);
  return ((NUMBER.getUint16(0) >>> 4) & 0x7ff) - 1023;
}
