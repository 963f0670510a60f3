/** Intervals that hold a number, as results: rounded outwards. */
import { create } from "../check/tensor.ts";
import type { FloatArray } from "../types.ts";

/** What each operation in f64, and each exponential or logarithm of the kernels, errs by at most, of its result: 4 units of 2^-53. */
export const UNIT = 2 ** -51;

/** An interval of numbers that are not negative, in nats; `error` is what either end may err by. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
  readonly error: number;
}

const BITS = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(4));

/** The f32 that is not above a number, or not below it. */
function outward(value: number, bytes: number, up: boolean): number {
  if (bytes === 8 || !Number.isFinite(value)) return value;
  const near = Math.fround(value);
  if (up ? near >= value : near <= value) return near;
  BITS.setFloat32(0, near);
  BITS.setInt32(0, BITS.getInt32(0) + (up === near > 0 || near === 0 ? 1 : -1));
  return BITS.getFloat32(0);
}

/** Intervals as two arrays of floats of so many bytes each, in units of 1/`factor`. */
export function endsOf(
  fn: string,
  bytes: number,
  intervals: readonly Interval[],
  factor: number,
): { lower: FloatArray; upper: FloatArray } {
  const lower = create(fn, bytes, intervals.length);
  const upper = create(fn, bytes, intervals.length);
  intervals.forEach((one, row) => {
    const least = Math.max(0, one.lower - one.error) * (1 - UNIT);
    // of masses beyond 1 by rounding both ends may come out below 0
    const most = Math.max(least, (one.upper + one.error) * (1 + UNIT));
    // a base below 1 turns them round
    const ends = factor > 0 ? [least * factor, most * factor] : [most * factor, least * factor];
    lower[row] = outward(ends[0] as number, bytes, false);
    upper[row] = outward(ends[1] as number, bytes, true);
  });
  return { lower, upper };
}
