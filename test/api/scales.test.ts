/**
 * Data at any scale that its type reaches. A power of two that loses no bit of the data changes no bit of what does not depend on
 * the scale; no sum of finite numbers overflows on the way to a result that is finite.
 */
import { describe, expect, it } from "vitest";
import * as surprisal from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import { api } from "../support/gram.ts";
import { type DType, type FloatArray, f32, firstDifference, forEachType } from "../support/variants.ts";

const { gram, kernelMatrix, mmd, cka } = api;
const { kernelDensity, pairwiseDistance } = surprisal as unknown as Readonly<
  Record<"kernelDensity" | "pairwiseDistance", (x: FloatArray, y: FloatArray, options: object) => FloatArray>
>;
const losses = surprisal as unknown as {
  crossEntropy(x: FloatArray, labels: number[], options: object): number;
  crossEntropyWithGrad(x: FloatArray, labels: number[], options: object): { value: number; grad: FloatArray };
};

/** Multiples of 2^-8 in [−1, 1], which any of the powers below multiplies exactly. */
const eighths = (dtype: DType, seed: number, length: number): FloatArray =>
  pseudorandom(dtype, seed, length, 2).map((v: number) => Math.round(256 * v) / 256) as FloatArray;

forEachType((dtype) => {
  const { array, max, unit } = dtype;
  const of = (values: ArrayLike<number>): FloatArray => new array(values);
  const times = (x: FloatArray, exponent: number): FloatArray => {
    // 2^-1066 is no number, and neither is what 2^-533 leaves of a small one lost: both factors are exact
    const half = Math.trunc(exponent / 2);
    return x.map((v: number) => v * 2 ** half * 2 ** (exponent - half)) as FloatArray;
  };
  /** Powers of two from the smallest subnormal numbers to the largest numbers. */
  const EXPONENTS =
    dtype === f32
      ? [-141, -126, -100, -63, -1, 20, 64, 100, 126]
      : [-1066, -1022, -700, -512, -300, -1, 300, 511, 700, 1022];

  describe("cosine", () => {
    const shape = [EXPONENTS.length, 37];
    const x = eighths(dtype, 1, EXPONENTS.length * 37);
    const y = eighths(dtype, 2, EXPONENTS.length * 37);
    /** Each row times a power of its own. */
    const scaled = (v: FloatArray, shift: number): FloatArray =>
      of(
        EXPONENTS.flatMap((_, i) => [
          ...times(v.subarray(37 * i, 37 * i + 37), EXPONENTS[(i + shift) % EXPONENTS.length] as number),
        ]),
      );

    it("has the same bits whatever the scale of each row, subnormal ones included", () => {
      const [both, own] = [y, undefined].map((other) => kernelMatrix(x, other, { shape, kernel: "cosine" }));
      for (let shift = 0; shift < EXPONENTS.length; shift++) {
        const far = scaled(x, shift);
        expect(firstDifference(kernelMatrix(far, undefined, { shape, kernel: "cosine" }), own as FloatArray)).toBe("");
        const got = kernelMatrix(far, scaled(y, shift + 3), { shape, kernel: "cosine" });
        expect(firstDifference(got, both as FloatArray)).toBe("");
        expect(mmd(far, scaled(y, 0), { shape, kernel: "cosine" })).toBe(mmd(x, y, { shape, kernel: "cosine" }));
      }
    });

    it("of the largest and the smallest numbers with themselves and with 1: 1, and 0 of a zero row", () => {
      const values = [
        max,
        dtype.tiny,
        2 * unit * dtype.tiny,
        dtype === f32 ? 1e20 : 1e200,
        dtype === f32 ? 1e-30 : 1.4e-170,
      ];
      const rows = of([...values, 1, 0].flatMap((v) => [v, v, -v]));
      const got = kernelMatrix(rows, undefined, { shape: [7, 3], kernel: "cosine" });
      got.forEach((v: number, k: number) => {
        const wanted = Math.floor(k / 7) === 6 || k % 7 === 6 ? 0 : 1;
        expect(Math.abs(v - wanted)).toBeLessThanOrEqual(4 * unit);
      });
    });
  });

  describe("cka", () => {
    const [n, d, e] = [13, 5, 8];
    const shapes = { shape: [n, d], yShape: [n, e] };
    const x = eighths(dtype, 3, n * d);
    const y = eighths(dtype, 4, n * e).map(
      (v: number, k: number) => (v + (x[Math.floor(k / e) * d] as number)) / 2,
    ) as FloatArray;

    it.each([false, true])("has the same bits whatever the scale of each argument (unbiased: %s)", (unbiased) => {
      const wanted = cka(x, y, { ...shapes, unbiased });
      expect(wanted).toBeGreaterThan(0);
      for (const [i, exponent] of EXPONENTS.entries()) {
        const other = EXPONENTS.at(-i) as number;
        expect(cka(times(x, exponent), times(y, Math.max(other, EXPONENTS[0]! + 1)), { ...shapes, unbiased })).toBe(
          wanted,
        );
      }
    });

    it("of the largest numbers: their differences and their sums overflow, the result does not", () => {
      const column = [1, -1, 0.5, -0.25, 0.75];
      const far = of(column.map((v) => v * max));
      const options = { shape: [5, 1], yShape: [5, 1] };
      expect(Math.abs(cka(far, of(column), options) - 1)).toBeLessThanOrEqual(8 * unit);
      expect(Math.abs(cka(far, far, options) - 1)).toBeLessThanOrEqual(8 * unit);
    });

    it("a constant column, of whatever size, is not there", () => {
      for (const constant of [0.1, -3, 1e-30, max]) {
        const beside = (v: FloatArray, k: number): FloatArray =>
          of(Array.from({ length: n }, (_, i) => [...v.subarray(i * k, i * k + k), constant]).flat());
        for (const unbiased of [false, true]) {
          const got = cka(beside(x, d), beside(y, e), { shape: [n, d + 1], yShape: [n, e + 1], unbiased });
          expect(got).toBe(cka(x, y, { ...shapes, unbiased }));
        }
        const alone = new array(n).fill(constant);
        expect(cka(alone, y, { shape: [n, 1], yShape: [n, e] })).toBeNaN();
      }
    });
  });

  describe("gram, centred", () => {
    it("equal rows leave exactly 0, whatever their size and number", () => {
      for (const n of [1, 2, 3, 5, 6, 7, 11, 49, 100])
        for (const value of [0.1, 1 / 3, 1e-30, max, -max, 2 * unit * dtype.tiny]) {
          const x = new array(2 * n).fill(value);
          expect(gram(x, { shape: [n, 2], center: true })).toEqual(new array(n * n));
        }
    });

    it("sums of columns may overflow", () => {
      const x = times(of([1, 0.75, 0.5, 0.75]), dtype === f32 ? 127 : 1023);
      const wanted = [1, 0, -1, 0].flatMap((a, _, all) => all.map((b) => (a * b || 0) * Infinity || 0));
      const got = gram(x, { shape: [4, 1], center: true });
      expect([...got].map((v) => v + 0)).toEqual(wanted);
    });
  });

  describe("rbf and laplacian", () => {
    const [n, d] = [9, 6];
    const x = eighths(dtype, 5, n * d);
    const y = eighths(dtype, 6, n * d);

    it.each(["rbf", "laplacian"] as const)("%s has the same bits where gamma goes with the scale", (kernel) => {
      const powers = kernel === "rbf" ? 2 : 1;
      const shape = [n, d];
      const wanted = kernelMatrix(x, y, { shape, kernel, gamma: 0.5 });
      for (const exponent of EXPONENTS) {
        // gamma is a number as others
        if (Math.abs(powers * exponent) > 1020) continue;
        const options = { shape, kernel, gamma: 0.5 * 2 ** (-powers * exponent) };
        const [a, b] = [times(x, exponent), times(y, exponent)];
        expect(firstDifference(kernelMatrix(a, b, options), wanted), `2^${exponent}`).toBe("");
        expect(mmd(a, b, options)).toBe(mmd(x, y, { ...options, gamma: 0.5 }));
      }
    });

    it.each(["rbf", "laplacian"] as const)("%s of gamma 0 is 1 of any two points, and NaN of NaN", (kernel) => {
      const far = of([max, -max, max, 0, 1, -max, 5, NaN]);
      const got = kernelMatrix(far, undefined, { shape: [4, 2], kernel, gamma: 0 });
      got.forEach((v: number, k: number) => {
        expect(v).toBe(k % 4 === 3 || k >= 12 ? Number.NaN : 1);
      });
    });

    it.each(["rbf", "laplacian"] as const)("%s of points close together and far from 0", (kernel) => {
      const [offset, step] = dtype === f32 ? [2 ** 30, 2 ** -70] : [2 ** 300, 2 ** -510];
      const gamma = 1 / (kernel === "rbf" ? step : 1) / step;
      const got = kernelMatrix(of([offset, 0]), of([offset, step]), { shape: [1, 2], kernel, gamma });
      expect(Math.abs((got[0] as number) - Math.exp(-1))).toBeLessThanOrEqual(4 * unit);
    });

    it("points farther apart than the largest number: 0, and 1 of a point and itself", () => {
      const far = of([max, -max, max, -max, max, max]);
      for (const kernel of ["rbf", "laplacian"] as const)
        expect(kernelMatrix(far, undefined, { shape: [3, 2], kernel, gamma: 1 })).toEqual(
          of([1, 1, 0, 1, 1, 0, 0, 0, 1]),
        );
    });
  });

  it("weights of a mean: cross-entropy and its gradient do not depend on their scale, from the smallest to the largest", () => {
    const shape = [4, 3];
    const x = eighths(dtype, 5, 12);
    const p = of(x.map((v: number) => Math.abs(v) + 0.25));
    const labels = [2, 0, 1, 2];
    const weight = of([1, 0.5, 1.5]);
    const sampleWeight = of([1, 1.25, 0.75, 2]);
    for (const [from, values] of [
      ["logits", x],
      ["probabilities", p],
    ] as const)
      for (const labelSmoothing of [0, 0.25]) {
        const lossOf = (w: FloatArray | undefined, s: FloatArray | undefined) => {
          const options = { shape, from, labelSmoothing, weight: w, sampleWeight: s };
          const { value, grad } = losses.crossEntropyWithGrad(values, labels, options);
          expect(losses.crossEntropy(values, labels, options)).toBe(value);
          return [value, ...grad];
        };
        const near = (got: number[], want: number[], what: string): void => {
          const size = Math.max(...want.slice(1).map(Math.abs));
          for (const [i, v] of want.entries())
            if (!(Math.abs((got[i] as number) - v) <= 8 * unit * (i ? size : v)))
              expect.fail(`${from}, ${labelSmoothing}, ${what}, ${i}: ${got[i]}, wanted ${v}`);
        };
        const own = lossOf(weight, sampleWeight);
        const ofClasses = lossOf(weight, undefined);
        for (const e of EXPONENTS) {
          near(lossOf(times(weight, e), undefined), ofClasses, `classes 2^${e}`);
          // a product of two that is no number is none of their mean
          for (const f of EXPONENTS) near(lossOf(times(weight, e), times(sampleWeight, f)), own, `2^${e}, 2^${f}`);
        }
      }
  });

  it("an infinite number in a row takes no digit from the other rows, whatever the scale", () => {
    const [n, d] = [6, 3];
    const x = eighths(dtype, 8, n * d);
    const y = eighths(dtype, 9, n * d);
    for (const e of EXPONENTS.filter((exponent) => Math.abs(exponent) < (dtype === f32 ? 110 : 900))) {
      const [near, far] = [times(x, e), times(y, e)];
      // the largest number of all stands in the column of the infinite one
      near[d] = dtype.max / 8;
      const infinite = of(near);
      infinite[0] = -Infinity;
      // of the size of the others, as far as γ is a number
      const gamma = Math.max(Number.MIN_VALUE, Math.min(2 ** (-2 * e), Number.MAX_VALUE));
      for (const [name, call] of Object.entries({
        rbf: (v: FloatArray) => kernelMatrix(v, far, { shape: [n, d], kernel: "rbf", gamma }),
        laplacian: (v: FloatArray) => kernelMatrix(v, far, { shape: [n, d], kernel: "laplacian", gamma: 2 ** -e }),
        kernelDensity: (v: FloatArray) => kernelDensity(v, far, { shape: [n, d], bandwidth: 2 ** e }),
        pairwiseDistance: (v: FloatArray) => pairwiseDistance(v, far, { shape: [n, d] }),
      })) {
        const width = name === "kernelDensity" ? 1 : n;
        const [got, want] = [call(infinite).subarray(width), call(near).subarray(width)];
        expect(firstDifference(got, want), `${name}, 2^${e}`).toBe("");
        expect(call(infinite)[0], `${name}, 2^${e}`).toBe(
          name === "pairwiseDistance" ? Infinity : name === "kernelDensity" ? -Infinity : 0,
        );
      }
    }
  });
});
