/**
 * log and exp of single numbers and of lists, by the kernels: Math's differ between engines in the last bit. And the exponent of a
 * number, by its bits.
 */
import { lengthOf } from "../arrays.ts";
import type { FloatArray } from "../types.ts";
import { type Arena, RESULT_BYTES } from "./arena.ts";
import type { Family } from "./family.ts";

/** Families that have the logarithm, the same in each: a function takes it from that which it needs anyway. */
export type WithLog = Family<"losses"> | Family<"divergence"> | Family<"gram"> | Family<"transport">;
/** Those that have the exponential, too. */
export type WithExp = Exclude<WithLog, Family<"divergence">>;

/** log v, which for v = 3 differs in the last bit between V8 and JavaScriptCore. */
export function logarithm(at: Arena, family: WithLog, value: number): number {
  const { logarithm } = at.kernels<WithLog["name"]>(family);
  return ofOne(at, logarithm, value);
}

/** e^v: powers differ even between Node 20 and 26. */
export function exponential(at: Arena, family: WithExp, value: number): number {
  const { exponential } = at.kernels<WithExp["name"]>(family);
  return ofOne(at, exponential, value);
}

function ofOne(at: Arena, kernel: (x: number, y: number, count: number) => void, value: number): number {
  at.view(8)[at.results / 8] = value;
  kernel(at.results, at.results, 1);
  return at.view(8)[at.results / 8] as number;
}

/** e^v of a list, in place. The stage is left alone. */
export function exponentials(at: Arena, family: WithExp, values: Float64Array): void {
  const { exponential } = at.kernels<WithExp["name"]>(family);
  ofMany(at, exponential, values);
}

/** log v of a list, likewise. */
export function logarithms(at: Arena, family: WithLog, values: Float64Array): void {
  const { logarithm } = at.kernels<WithLog["name"]>(family);
  ofMany(at, logarithm, values);
}

function ofMany(at: Arena, kernel: (x: number, y: number, count: number) => void, values: Float64Array): void {
  const tile = RESULT_BYTES / 8;
  for (let i = 0; i < values.length; i += tile) {
    const count = Math.min(tile, values.length - i);
    at.copyIn(values, 8, i, count, at.results);
    kernel(at.results, at.results, count);
    at.copyOut(at.results, count, values, 8, i);
  }
}

/** values ** power in place, as e^{power·log v}. The stage is left alone: the values may stand there. */
export function raise(at: Arena, family: WithExp, values: FloatArray, bytes: number, power: number): void {
  const { logarithm, exponential } = at.kernels<WithExp["name"]>(family);
  const tile = RESULT_BYTES / 8;
  const length = lengthOf(values);
  for (let i = 0; i < length; i += tile) {
    const count = Math.min(tile, length - i);
    at.copyIn(values, bytes, i, count, at.results, 1, 8);
    logarithm(at.results, at.results, count);
    const powers = at.view(8);
    const first = at.results / 8;
    for (let j = first; j < first + count; j++) (powers[j] as number) *= power;
    exponential(at.results, at.results, count);
    for (let j = 0; j < count; j++) values[i + j] = powers[first + j] as number;
  }
}

const NUMBER = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

/** e of 2^e ≤ x < 2^(e + 1), for x > 0; −1023 of 0 and of subnormal numbers, 1024 of ∞ and NaN. */
export function exponentOf(x: number): number {
  NUMBER.setFloat64(0, x);
  return ((NUMBER.getUint16(0) >>> 4) & 0x7ff) - 1023;
}
