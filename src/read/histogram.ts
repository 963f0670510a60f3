/**
 * A histogram of any numbers, whose quantiles are right to 1 %: a bin is an exponent and the first 6 bits behind it, so that a bin's
 * edges differ by at most 1/64 and its middle is within 1/128 of all that it holds.
 *
 *     bits of an f64   s eeeeeeeeeee ffffff ffff…        page s·2048 + e,   bin f of it
 *
 * Bins are exact counts, and bins of histograms add up: the order of the numbers and their batches are not seen. A page is made
 * when its exponent is first met. Numbers below 2^-1022, with page 0, count as 0.
 */
import { bufferOf } from "../arrays.ts";
import { counted, failKind, failValue } from "../errors.ts";
import type { FloatArray } from "../types.ts";

const PAGES = 4096;
const BINS = 64;
/** The page of −0 and of subnormal numbers below 0, and those of what is not finite. */
const NEGATIVE = 2048;
const BEYOND = 2047;
/** The upper half of a NaN. */
const NAN = 0x7ff80000;

/** A number and its bits. */
const NUMBER = /* @__PURE__ */ new Float64Array(1);
const BITS = /* @__PURE__ */ new Uint32Array(/* @__PURE__ */ bufferOf(NUMBER));
/** Where the upper half stands: 1 where the engine is little-endian, as all are that the package is known to run on. */
const UPPER = /* @__PURE__ */ upperHalf();

function upperHalf(): number {
  NUMBER[0] = 1;
  return BITS[1] === 0 ? 0 : 1;
}

/** [page·64 + bin, count] of what is not empty, ascending by index. */
export type SavedHistogram = {
  readonly least: number | string;
  readonly most: number | string;
  readonly bins: readonly (readonly [number, number])[];
};

export class Histogram {
  readonly #pages: (Float64Array | undefined)[] = new Array(PAGES).fill(undefined);
  #count = 0;
  #least = Infinity;
  #most = -Infinity;
  #last = 0;

  take(values: FloatArray, from: number, count: number): void {
    for (let i = from; i < from + count; i++) this.#add(values[i] as number, 1);
  }

  #add(value: number, times: number): void {
    NUMBER[0] = value;
    // NaN has many bits, which differ from engine to engine, and one bin
    const bits = Number.isNaN(value) ? NAN : (BITS[UPPER] as number);
    const page = bits >>> 20;
    const bins = this.#page(page);
    (bins[(bits >>> 14) & (BINS - 1)] as number) += times;
    if (value < this.#least) this.#least = value;
    if (value > this.#most) this.#most = value;
    this.#count += times;
    this.#last = value;
  }

  #page(page: number): Float64Array {
    const bins = this.#pages[page] ?? new Float64Array(BINS);
    this.#pages[page] = bins;
    return bins;
  }

  /** The last number so many times more. */
  repeatLast(times: number): void {
    this.#add(this.#last, times);
  }

  merge(other: Histogram): void {
    for (let page = 0; page < PAGES; page++) {
      const more = other.#pages[page];
      if (!more) continue;
      const bins = this.#page(page);
      for (let i = 0; i < BINS; i++) (bins[i] as number) += more[i] as number;
    }
    this.#count += other.#count;
    this.#least = Math.min(this.#least, other.#least);
    this.#most = Math.max(this.#most, other.#most);
  }

  /** Visits what is not empty, the least numbers first, until `visit` returns true. */
  #ascending(visit: (value: number, count: number) => boolean): void {
    for (let page = PAGES - 1; page >= NEGATIVE; page--) {
      const bins = this.#pages[page];
      for (let i = BINS - 1; bins && i >= 0; i--) if (bins[i] && visit(middleOf(page, i), bins[i] as number)) return;
    }
    for (let page = 0; page < NEGATIVE; page++) {
      const bins = this.#pages[page];
      for (let i = 0; bins && i < BINS; i++) if (bins[i] && visit(middleOf(page, i), bins[i] as number)) return;
    }
  }

  /** Whether a NaN is among the numbers. */
  get #hasNaN(): boolean {
    return [BEYOND, NEGATIVE + BEYOND].some((page) => this.#pages[page]?.some((count, i) => count > 0 && i > 0));
  }

  /** The q-quantile, the least number of which a fraction q is not larger, times `unit`; of 0 and 1 the least and the largest, exactly. */
  quantile(fn: string, q: unknown, unit: number): number {
    if (typeof q !== "number") failKind(fn, "q", "a number from 0 to 1", q);
    if (!(q >= 0 && q <= 1)) failValue(fn, "q", "a number from 0 to 1", q);
    if (this.#count === 0 || this.#hasNaN) return Number.NaN;
    const rank = Math.max(1, Math.ceil(q * this.#count));
    // a unit below 0, that of a base below 1, turns them round
    const wanted = unit < 0 ? this.#count + 1 - rank : rank;
    if (wanted === 1) return this.#least * unit;
    if (wanted >= this.#count) return this.#most * unit;
    let before = 0;
    let found = this.#most;
    this.#ascending((value, count) => {
      before += count;
      found = value;
      return before >= wanted;
    });
    return Math.min(Math.max(found, this.#least), this.#most) * unit;
  }

  get saved(): SavedHistogram {
    const bins: [number, number][] = [];
    this.#pages.forEach((page, p) => {
      page?.forEach((count, i) => {
        if (count > 0) bins.push([p * BINS + i, count]);
      });
    });
    return { least: inJson(this.#least), most: inJson(this.#most), bins };
  }

  restore(saved: unknown, count: number, fail: (field: string, expected: string, got: unknown) => never): void {
    if (typeof saved !== "object" || saved === null) fail("histogram", "{ least, most, bins }", saved);
    const { least, most, bins } = saved as Readonly<Record<string, unknown>>;
    const extreme = (name: string, value: unknown): number => {
      const number = value === "Infinity" ? Infinity : value === "-Infinity" ? -Infinity : value;
      if (typeof number !== "number" || Number.isNaN(number))
        fail(`histogram.${name}`, 'a number, "Infinity" or "-Infinity"', value);
      return number as number;
    };
    this.#least = extreme("least", least);
    this.#most = extreme("most", most);
    if (!Array.isArray(bins)) fail("histogram.bins", "a list of [bin, count]", bins);
    for (const [i, pair] of (bins as unknown[]).entries()) {
      const [bin, times] = Array.isArray(pair) ? (pair as unknown[]) : [];
      const isBin = Number.isInteger(bin) && (bin as number) >= 0 && (bin as number) < PAGES * BINS;
      if (!isBin || !Number.isSafeInteger(times) || !((times as number) > 0))
        fail(`histogram.bins[${i}]`, `[bin, count], a bin from 0 to ${PAGES * BINS - 1} and a positive count`, pair);
      const row = this.#page(Math.floor((bin as number) / BINS));
      (row[(bin as number) % BINS] as number) += times as number;
      this.#count += times as number;
    }
    if (this.#count !== count) fail("histogram.bins", `${counted(count, "number")}, as "count" says`, bins);
  }
}

/** The middle of a bin; 0 of what is below the normal numbers, and what is not finite as it is. */
function middleOf(page: number, bin: number): number {
  const exponent = page % NEGATIVE;
  if (exponent === 0) return 0;
  BITS[UPPER] = page * 2 ** 20 + bin * 2 ** 14 + (exponent === BEYOND ? 0 : 2 ** 13);
  BITS[1 - UPPER] = 0;
  return NUMBER[0] as number;
}

function inJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
