/** tokenScores against the functions it is made of, at every edge; what a truncated distribution tells. */
import { describe, expect, it } from "vitest";
import { entropy, entropyBounds, info, logSoftmax, resident, tokenScores } from "../../src/index.ts";
import { type FloatArray, firstDifference, forEachType } from "../support/variants.ts";

const { log, exp, floor, max, min, abs, sin } = Math;

forEachType((dtype) => {
  const { name, unit } = dtype;
  const array = dtype.array as unknown as Float64ArrayConstructor;

  const numbers = (length: number, seed = 1, scale = 8): FloatArray =>
    array.from({ length }, (_, i) => scale * sin((i + 1) * (12.9898 + seed)) + ((i * 7919 + seed) % 13) / 5);

  /** What the scores should be, of logits [rows, n]. */
  function want(x: FloatArray, ids: ArrayLike<number>, n: number, k: number) {
    const rows = ids.length;
    const logs = logSoftmax(x, { shape: [rows, n] }) as FloatArray;
    const of = <T>(f: (row: number[], own: number[], id: number) => T): T[] =>
      Array.from(ids, (id, r) =>
        f(Array.from(x.subarray(r * n, r * n + n)), Array.from(logs.subarray(r * n, r * n + n)), id),
      );
    const order = (row: number[]) =>
      Array.from(row.keys())
        .sort((a, b) => (row[b] as number) - (row[a] as number) || a - b)
        .slice(0, k);
    return {
      logProb: array.from(of((_, own, id) => own[id] as number)),
      rank: of((row, _, id) => 1 + row.filter((v) => v > (row[id] as number)).length),
      indices: of(order).flat(),
      logProbs: array.from(of((row, own) => order(row).map((j) => own[j] as number)).flat()),
      entropy: entropy(x, { shape: [rows, n], from: "logits", reduction: "none" }) as FloatArray,
    };
  }

  function check(x: FloatArray, ids: Int32Array, n: number, k: number, given: unknown = x, options: object = {}) {
    const got = tokenScores(given as FloatArray, ids, { shape: [ids.length, n], top: k, ...options });
    const w = want(x, ids, n, k);
    expect(firstDifference(got.logProb as FloatArray, w.logProb)).toBe("");
    expect(Array.from(got.rank)).toEqual(w.rank);
    for (let r = 0; r < ids.length; r++) {
      const [h, own] = [got.entropy[r] as number, w.entropy[r] as number];
      if (!(abs(h - own) <= 16 * unit * own)) expect.fail(`entropy of row ${r}: ${h}, wanted ${own}`);
    }
    if (k === 0) expect(got.top).toBe(undefined);
    else {
      expect(Array.from(got.top?.indices ?? [])).toEqual(w.indices);
      expect(firstDifference(got.top?.logProbs as FloatArray, w.logProbs)).toBe("");
    }
  }

  describe("tokenScores", () => {
    it("has the bits of logSoftmax for rows of any length, and the best in order", () => {
      for (let n = 1; n <= 67; n++) check(numbers(3 * n, n), Int32Array.of(0, n - 1, n >> 1), n, min(n, (n % 7) + 1));
      for (const n of [255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 2047, 2049, 4097])
        for (const k of [0, 5]) check(numbers(2 * n, n), Int32Array.of(n - 1, 17), n, k);
      check(
        numbers(70 * 9),
        Int32Array.from({ length: 70 }, (_, i) => i % 9),
        9,
        9,
      );
      check(
        numbers(5000 * 3),
        Int32Array.from({ length: 5000 }, (_, i) => i % 3),
        3,
        2,
      );
    });

    it("takes rows longer than the stage, along any axis", () => {
      const n = 2 ** 20 / array.BYTES_PER_ELEMENT + 5;
      check(numbers(2 * n, 3), Int32Array.of(n - 1, 70000), n, 6);
      const [rows, width] = [11, 37];
      const x = numbers(rows * width, 5);
      const turned = x.map((_: number, i: number) => x[(i % rows) * width + floor(i / rows)] as number);
      const ids = Int32Array.from({ length: rows }, (_, i) => (5 * i) % width);
      check(x, ids, width, 4, turned, { shape: [width, rows], axis: 0 });
    });

    it("takes up to 1,024 best, in order of their index where they are equal", () => {
      const n = 3000;
      check(numbers(n, 2), Int32Array.of(5), n, 1024);
      check(
        array.from({ length: n }, (_, i) => i),
        Int32Array.of(5),
        n,
        300,
      );
      check(
        array.from({ length: n }, (_, i) => -i),
        Int32Array.of(5),
        n,
        300,
      );
      check(
        array.from({ length: n }, (_, i) => i % 4),
        Int32Array.of(7),
        n,
        900,
      );
      check(new array(50), Int32Array.of(7), 50, 50);
      check(array.of(0, -0, 0, -Infinity), Int32Array.of(3), 4, 4);
    });

    it("takes residents and views, and leaves the logits as they are", () => {
      const n = 1000;
      const x = numbers(3 * n, 9);
      const kept = x.slice();
      const ids = Int32Array.of(1, 999, 500);
      const held = resident(name, 3 * n);
      held.set(x);
      check(x, ids, n, 3, held);
      expect(firstDifference(held.array as FloatArray, kept)).toBe("");
      held.dispose();
      const moved = new array(3 * n + 3);
      moved.set(x, 3);
      check(x, ids, n, 3, moved.subarray(3));
      expect(firstDifference(moved.subarray(3), kept)).toBe("");
    });

    it("keeps the digits of what is nearly certain, at any scale", () => {
      const { logProb, entropy: h } = tokenScores(array.of(30, 0, 0), [0]);
      const q = 2 * exp(-30);
      expect((logProb[0] as number) / -q).toBeCloseTo(1, name === "f32" ? 5 : 10);
      expect((h[0] as number) / (q * 31)).toBeCloseTo(1, name === "f32" ? 5 : 10);
      for (const scale of [1e3, 1e6, 1e30]) check(numbers(40, 4, scale), Int32Array.of(3, 19), 20, 3);
      expect(tokenScores(array.of(7), [0])).toEqual({
        logProb: array.of(0),
        rank: Int32Array.of(1),
        entropy: array.of(0),
      });
    });

    it("is NaN, with rank 0 and indices of −1, where there is no distribution, and in no other row", () => {
      const [no, inf] = [Number.NaN, Infinity];
      const x = array.of(1, no, 2, 1, 2, 3, inf, 0, 0, -inf, -inf, -inf, 0, -inf, 1);
      const got = tokenScores(x, [0, 2, 0, 1, 1], { shape: [5, 3], top: 2 });
      expect(Array.from(got.rank)).toEqual([0, 1, 0, 0, 3]);
      expect(Array.from(got.logProb).map(Number.isNaN)).toEqual([true, false, true, true, false]);
      expect(Array.from(got.entropy).map(Number.isNaN)).toEqual([true, false, true, true, false]);
      expect(Array.from(got.top?.indices ?? [])).toEqual([-1, -1, 2, 1, -1, -1, -1, -1, 2, 0]);
      expect(got.logProb[4]).toBe(-inf);
    });

    it("has an empty result for no rows, and does not make memory grow", () => {
      expect(tokenScores(new array(0), [], { shape: [0, 5], top: 3 }).logProb.length).toBe(0);
      const { memoryBytes } = info();
      tokenScores(numbers(300_000), [7], { top: 1000 });
      expect(info().memoryBytes).toBe(memoryBytes);
    });
  });

  describe("entropyBounds", () => {
    /** Compensated (Kahan 1965): of 50,000 alike a plain sum would lose 1e-12. */
    const entropyOf = (p: readonly number[]): number => {
      let [total, lost] = [0, 0];
      for (const v of p) {
        const term = (v > 0 ? -v * log(v) : 0) - lost;
        const next = total + term;
        lost = next - total - term;
        total = next;
      }
      return total;
    };
    const near = name === "f32" ? 1e-5 : 1e-12;

    it("holds every completion, and is attained by two of them", () => {
      for (const k of [1, 2, 5, 20]) {
        for (const size of [k + 1, k + 3, 100, 50_000]) {
          const weights = Array.from({ length: k }, (_, i) => 1 / (i + 1.5));
          const scale = weights.reduce((s, v) => s + v, 0) + (size - k) * (weights[k - 1] as number) * 0.37;
          const top = array.from(weights, (v) => log(v / scale));
          const { lower, upper } = entropyBounds(top, { size });
          const p = Array.from(top, (v) => exp(v));
          const rest = 1 - p.reduce((s, v) => s + v, 0);
          const cap = min(...p);
          const alike = [...p, ...new Array(size - k).fill(rest / (size - k))];
          const full = floor(rest / cap);
          const steep = [...p, ...new Array(full).fill(cap), max(0, rest - full * cap)];
          expect(steep.length).toBeLessThanOrEqual(size + 1);
          for (const q of [alike, steep, [...p, ...mixed(rest, cap, size - k)]]) {
            expect(entropyOf(q)).toBeGreaterThanOrEqual((lower[0] as number) - 1e-13);
            expect(entropyOf(q)).toBeLessThanOrEqual((upper[0] as number) + 1e-12);
          }
          expect(abs((upper[0] as number) - entropyOf(alike))).toBeLessThan(near);
          expect(abs((lower[0] as number) - entropyOf(steep))).toBeLessThan(near);
          const turned = entropyBounds(array.from(top).reverse(), { size });
          expect(turned.lower[0]).toBeCloseTo(lower[0] as number, name === "f32" ? 5 : 12);
          expect(turned.upper[0]).toBeCloseTo(upper[0] as number, name === "f32" ? 5 : 12);
        }
      }
    });

    /** Another completion: half at the cap, the rest geometric. */
    function mixed(rest: number, cap: number, others: number): number[] {
      const found: number[] = [];
      let left = rest;
      for (let i = 0; i < others; i++) {
        const share = i === others - 1 ? left : min(cap, max(left / (others - i), i % 2 ? left / 2 : 0));
        found.push(share);
        left -= share;
      }
      return found;
    }

    it("is the entropy itself where all is known, and everything where nothing is", () => {
      const p = [0.5, 0.25, 0.125, 0.125];
      const { lower, upper } = entropyBounds(array.from(p, log), { size: 4, base: 2 });
      expect(lower[0]).toBeLessThanOrEqual(1.75);
      expect(upper[0]).toBeGreaterThanOrEqual(1.75);
      expect((upper[0] as number) - (lower[0] as number)).toBeLessThan(near);
      const none = entropyBounds(new array(0), { shape: [1, 0], size: 8, base: 2 });
      expect(none.lower[0]).toBe(0);
      expect(none.upper[0]).toBeGreaterThanOrEqual(3);
      expect(none.upper[0]).toBeLessThan(3 + near);
      const sure = entropyBounds(array.of(0, -Infinity), { size: 1000 });
      expect([sure.lower[0], (sure.upper[0] as number) < near]).toEqual([0, true]);
    });

    it("takes what rounding left, and refuses what is no distribution's", () => {
      for (const over of [0, 3e-10, 1e-7, 9e-6])
        for (const base of [2, 0.5])
          for (const size of [2, 9]) {
            const { lower, upper } = entropyBounds(array.of(over, -20), { size, base });
            const ends = [lower[0] as number, upper[0] as number].map((end) => (base < 1 ? -end : end));
            if (base < 1) ends.reverse();
            expect(ends[0]).toBeGreaterThanOrEqual(0);
            expect(ends[1]).toBeGreaterThanOrEqual(ends[0] as number);
          }
      expect(() => entropyBounds(array.of(log(0.6), log(0.6)), { size: 9 })).toThrow("sum to at most 1 in row 0");
      expect(() => entropyBounds(array.of(log(0.5), log(0.1)), { size: 4 })).toThrow("the largest, in row 0");
      expect(() => entropyBounds(array.of(log(0.5), log(0.1)), { size: 1 })).toThrow('"size" must be at least 2');
      expect(() => entropyBounds(array.of(log(0.5)), {} as never)).toThrow(TypeError);
    });
  });
});
