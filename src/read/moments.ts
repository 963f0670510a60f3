/**
 * A mean and its standard error, of numbers that come in any order and any batches.
 *
 *     mean = Σ u / n,           se² = Σ (u − mean)² / (n(n − 1)) = (n·Σ u² − (Σ u)²) / (n²(n − 1))
 *
 * and where each number is w times another, the weighted mean and the error of a ratio of sums, the usual one of survey sampling
 * (Cochran, Sampling Techniques, 1977, section 6.4; of equal weights it is that above):
 *
 *     mean = Σ u / Σ w,         se² = n/(n − 1) · Σ (u − mean·w)² / (Σ w)²
 *
 * All sums are exact, so nothing cancels: the quotients are rounded once.
 */
import { WAITING } from "../../assembly/momentsLayout.ts";
import { arena } from "../memory/kernels.ts";
import {
  addMoments,
  integerOf,
  PLAIN,
  type Place,
  putInteger,
  SUM_U,
  SUM_UU,
  SUM_W,
  SUM_WU,
  SUM_WW,
  WEIGHTED,
  type WithMoments,
} from "../memory/moments.ts";
import type { FloatArray } from "../types.ts";
import { quotientOf, rootOf } from "./quotient.ts";

/** The sums as they are saved, by name: integers in hexadecimal and a power of two, "-1fp-4"; and what is not finite. */
export interface SavedMoments {
  readonly [name: string]: string | number;
}

const PLAIN_SUMS: Readonly<Record<string, Place>> = { sum: SUM_U, squares: SUM_UU };
const WEIGHTED_SUMS: Readonly<Record<string, Place>> = {
  sum: SUM_U,
  squares: SUM_UU,
  weights: SUM_W,
  products: SUM_WU,
  squaredWeights: SUM_WW,
};

/** What a plain sum is once it has met what is not finite; undefined if it has not. The flags: 1 NaN, 2 +∞, 4 −∞. */
function limitOf(flags: number): number | undefined {
  if (flags === 0) return undefined;
  return flags === 2 ? Infinity : flags === 4 ? -Infinity : Number.NaN;
}

/** Numbers, with a weight each or without. */
export class Moments {
  readonly #family: WithMoments;
  #sums = new Int32Array(PLAIN);
  /** Numbers that have yet to be added, and how many: a call of the kernel costs as much as some 60 of them. */
  readonly #values = new Float64Array(WAITING);
  #weights: Float64Array | undefined = undefined;
  #waiting = 0;

  constructor(family: WithMoments) {
    this.#family = family;
  }

  /** Makes room for weights; those of the n numbers so far are 1. */
  weigh(n: number): void {
    if (this.#weights) return;
    this.#settle();
    const sums = new Int32Array(WEIGHTED);
    for (let i = 0; i < PLAIN; i++) sums[i] = this.#sums[i] as number;
    putInteger(sums, SUM_W, BigInt(n) << BigInt(-SUM_W.unit));
    putInteger(sums, SUM_WU, this.#integer(SUM_U) << BigInt(SUM_U.unit - SUM_WU.unit));
    putInteger(sums, SUM_WW, BigInt(n) << BigInt(-SUM_WW.unit));
    this.#sums = sums;
    this.#weights = new Float64Array(WAITING);
  }

  /** Takes `count` numbers from index `from` on, and as many weights from index `first` on; without them they are 1. */
  take(values: FloatArray, from: number, count: number, weights?: Float64Array, first = 0): void {
    for (let done = 0; done < count; ) {
      if (this.#waiting === WAITING) this.#settle();
      const waiting = this.#waiting;
      const some = Math.min(count - done, WAITING - waiting);
      const own = this.#values;
      for (let i = 0; i < some; i++) own[waiting + i] = values[from + done + i] as number;
      const ownWeights = this.#weights;
      if (ownWeights)
        for (let i = 0; i < some; i++) ownWeights[waiting + i] = weights ? (weights[first + done + i] as number) : 1;
      this.#waiting = waiting + some;
      done += some;
    }
  }

  /** Adds what waits. */
  #settle(): void {
    if (this.#waiting === 0) return;
    addMoments(arena(), this.#family, this.#values, this.#weights, this.#waiting, this.#sums);
    this.#waiting = 0;
  }

  #integer(place: Place): bigint {
    return integerOf(this.#sums, place);
  }

  /** The mean of n numbers, by their weights if they have any; NaN of none. */
  mean(n: number): number {
    this.#settle();
    const flags = this.#sums[0] as number;
    const sum = limitOf(flags & 7);
    if (!this.#weights) return n === 0 ? Number.NaN : (sum ?? quotientOf(this.#integer(SUM_U), BigInt(n), SUM_U.unit));
    const weights = limitOf(flags >> 3);
    if (n === 0 || (sum !== undefined && weights !== undefined)) return Number.NaN;
    const w = this.#integer(SUM_W);
    if (weights !== undefined) return weights === Infinity ? 0 : weights;
    if (sum !== undefined) return w < 0n ? -sum : sum;
    const u = this.#integer(SUM_U);
    if (w === 0n) return u === 0n ? Number.NaN : u > 0n ? Infinity : -Infinity;
    return w < 0n ? quotientOf(-u, -w, 0) : quotientOf(u, w, 0);
  }

  /** The standard error of that mean; NaN of fewer than two numbers, or where one is not finite. */
  standardError(n: number): number {
    this.#settle();
    if (n < 2 || this.#sums[0] !== 0) return Number.NaN;
    const [u, uu, count] = [this.#integer(SUM_U), this.#integer(SUM_UU), BigInt(n)];
    if (!this.#weights) return rootOf(count * uu - u * u, count * count * (count - 1n), SUM_UU.unit);
    const [w, wu, ww] = [this.#integer(SUM_W), this.#integer(SUM_WU), this.#integer(SUM_WW)];
    if (w === 0n) return Number.NaN;
    return rootOf(count * (uu * w * w - 2n * u * w * wu + u * u * ww), (count - 1n) * w ** 4n, 0);
  }

  /** Adds what another has taken; n and m, how many numbers each has so far. */
  merge(n: number, other: Moments, m: number): void {
    if (other.#weights) this.weigh(n);
    else if (this.#weights) other = other.#weighed(m);
    this.#settle();
    other.#settle();
    const [own, more] = [this.#sums, other.#sums];
    for (const place of Object.values(this.#places))
      putInteger(own, place, integerOf(own, place) + integerOf(more, place));
    (own[0] as number) |= more[0] as number;
  }

  /** A copy with weights of 1. */
  #weighed(n: number): Moments {
    this.#settle();
    const copy = new Moments(this.#family);
    copy.#sums = this.#sums.slice();
    copy.weigh(n);
    return copy;
  }

  get #places(): Readonly<Record<string, Place>> {
    return this.#weights ? WEIGHTED_SUMS : PLAIN_SUMS;
  }

  /** The same whatever the order and the batches that numbers came in. */
  get saved(): SavedMoments {
    this.#settle();
    const saved: Record<string, string | number> = {};
    for (const [name, place] of Object.entries(this.#places)) {
      const sum = this.#integer(place);
      const digits = (sum < 0n ? -sum : sum).toString(16);
      const kept = digits.replace(/0+$/, "") || "0";
      const power = sum === 0n ? 0 : place.unit + 4 * (digits.length - kept.length);
      saved[name] = `${sum < 0n ? "-" : ""}${kept}p${power}`;
    }
    const flags = this.#sums[0] as number;
    if (flags !== 0) saved["nonFinite"] = flags;
    return saved;
  }

  /** Restores what was saved, of an object; `fail` refuses a field by its name, and what it should be. */
  restore(
    saved: Readonly<Record<string, unknown>>,
    fail: (field: string, expected: string, got: unknown) => never,
  ): void {
    if (saved["weights"] !== undefined) this.weigh(0);
    for (const [name, place] of Object.entries(this.#places)) {
      const text = saved[name];
      const found = typeof text === "string" ? /^(-?)([0-9a-f]{1,1100})p(-?\d{1,4})$/.exec(text) : null;
      if (!found) fail(name, 'a sum as a meter writes it, such as "-1fp-4"', text);
      const [, sign, digits, power] = found as unknown as [string, string, string, string];
      const up = Number(power) - place.unit;
      const sum = BigInt(`0x${digits}`);
      if (sum !== 0n && (up < 0 || up > 4400)) fail(name, "a sum of numbers that are f64", text);
      const whole = sum === 0n ? 0n : sum << BigInt(up);
      if (!putInteger(this.#sums, place, sign ? -whole : whole)) fail(name, "a sum of numbers that are f64", text);
      const squares = place === SUM_UU || place === SUM_WW;
      if (squares && sign) fail(name, "a sum of squares, not negative", text);
    }
    const { nonFinite = 0 } = saved;
    const most = this.#weights ? 63 : 7;
    if (typeof nonFinite !== "number" || !Number.isInteger(nonFinite) || nonFinite < 0 || nonFinite > most)
      fail("nonFinite", `an integer from 0 to ${most}, or left out`, nonFinite);
    this.#sums[0] = nonFinite as number;
  }
}
