/** A difference of two finite logits may be no number of their type: what is made of it may be one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { api, numberOf } from "../support/oracle.ts";
import { ulpError32, ulpError64 } from "../support/ulp.ts";
import { type FloatArray, f32, family, forEachType } from "../support/variants.ts";

const { softmax, logSoftmax, logSumExp } = family;
const { crossEntropy, crossEntropyWithGrad, entropy, perplexity } = api;

forEachType((dtype) => {
  const { array, max, unit } = dtype;
  const ulps = (got: number, want: number) =>
    Object.is(got, new array([want])[0]) ? 0 : dtype === f32 ? ulpError32(got, want) : ulpError64(got, want, 0);
  const huge = dtype === f32 ? 3e38 : 1.6e308;
  const large =
    dtype === f32
      ? fc.float({ min: -max, max, noNaN: true, noDefaultInfinity: true })
      : fc.double({ min: -max, max, noNaN: true, noDefaultInfinity: true });
  /** (x − a)/T, where x − a is too large for f64 too. */
  const quotient = (x: number, a: number, temperature: number) => ((x / 4 - a / 4) / temperature) * 4;

  describe("logSoftmax with a temperature", () => {
    it("of the largest against the smallest, rows and columns", () => {
      for (const temperature of [1.5, 2, 2.0001, 10, 1e4, 1e8, 1e12, 1e30]) {
        const x = new array([huge, -huge]);
        const [high, low] = x as unknown as [number, number];
        const [first, second] = logSoftmax(x, { temperature }) as unknown as [number, number];
        expect(first).toBe(0);
        expect(ulps(second, quotient(low, high, temperature)), `T = ${temperature}`).toBeLessThanOrEqual(2);
        const columns = logSoftmax(new array([high, high, low, low]), { shape: [2, 2], axis: 0, temperature });
        expect(columns, `T = ${temperature}`).toEqual(new array([0, 0, second, second]));
      }
      // half the difference, or a third, is still no number
      expect(logSoftmax(new array([max, -max]), { temperature: 1.5 })).toEqual(
        new array([0, quotient(-max, max, 1.5)]),
      );
      expect(logSoftmax(new array([max, -max]), { temperature: 1 })).toEqual(new array([0, -Infinity]));
      expect(logSoftmax(new array([max, -max]), { temperature: 0.5 })).toEqual(new array([0, -Infinity]));
    });

    it("of any finite row: −(max − x)/T where one element has all of it", () => {
      const temperature = fc.double({ min: -8, max: 8, noNaN: true }).map((e) => 10 ** e);
      fc.assert(
        fc.property(fc.array(large, { minLength: 2, maxLength: 40 }), temperature, (row, t) => {
          const x = new array(row);
          const top = Math.max(...x);
          const got = logSoftmax(x, { temperature: t });
          x.forEach((v: number, i: number) => {
            const want = quotient(v, top, t);
            // the logarithm of the sum is less than half an ULP of it
            if (v === top || !(Math.abs(want) > 8 / unit)) return;
            const error = ulps(got[i] as number, want);
            if (!(error <= 2)) expect.fail(`[${x}], T = ${t}, [${i}]: ${got[i]}, exact ${want}, ${error} ULP`);
          });
          if (Array.from(x).filter((v) => v === top).length === 1)
            expect(softmax(x, { temperature: t }).every((v: number) => v >= 0 && v <= 1)).toBe(true);
        }),
        { numRuns: 500 },
      );
    });

    it("has the same bits where logits and temperature are both doubled", () => {
      const moderate = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });
      fc.assert(
        fc.property(
          moderate,
          fc.integer({ min: 1, max: 20 }),
          fc.double({ min: 0.01, max: 100, noNaN: true }),
          (row, k, t) => {
            const x = new array(row);
            const scaled = x.map((v: number) => v * 2 ** k);
            // a product below the normal numbers is rounded
            if (x.some((v: number) => v !== 0 && Math.abs(v) < dtype.tiny)) return;
            expect(logSoftmax(scaled, { temperature: t * 2 ** k })).toEqual(logSoftmax(x, { temperature: t }));
          },
        ),
        { numRuns: 200 },
      );
    });
  });

  it("logSumExp of extremes is finite where the truth is", () => {
    expect(logSumExp(new array([huge, -huge]))).toEqual(new array([huge]));
    expect(logSumExp(new array([-huge, -huge]))).toEqual(new array([-huge]));
    expect(logSumExp(new array([max, max, -max]))).toEqual(new array([max]));
  });

  describe("crossEntropy", () => {
    const x = new array([huge, -huge]);
    const [high, low] = x as unknown as [number, number];

    it("of a class that far behind", () => {
      const want = high - low;
      for (const reduction of ["mean", "sum"]) expect(crossEntropy(x, [1], { reduction })).toBe(want);
      expect(crossEntropy(x, [1], { reduction: "none" })).toEqual(new array([want]));
      // a weight makes a number of it again
      const weight = new array([1, 0.25]);
      expect(crossEntropy(x, [1], { weight, reduction: "sum" })).toBe((high / 4 - low / 4) * 1);
      const smoothed = numberOf(crossEntropy(x, [0], { labelSmoothing: 0.5 }));
      expect(Math.abs(smoothed / (high / 4 - low / 4) - 1)).toBeLessThan(4 * unit);
    });

    it("of a distribution, with smoothing and weights", () => {
      for (const [target, options, want] of [
        [[0.75, 0.25], {}, high / 4 - low / 4],
        [[0.875, 0.125], { reduction: "sum" }, (high / 4 - low / 4) / 2],
        [[1, 0], { labelSmoothing: 0.25 }, (high / 4 - low / 4) / 2],
        [[0.75, 0.25], { weight: new array([3, 0.5]), reduction: "sum" }, (high / 4 - low / 4) / 2],
      ] as const) {
        const got = numberOf(crossEntropy(x, new array(target), options));
        expect(Math.abs(got / want - 1), `${target}`).toBeLessThan(4 * unit);
        const { value, grad } = crossEntropyWithGrad(x, new array(target), options);
        expect(value).toBe(got);
        for (const v of grad as FloatArray) expect(Number.isFinite(v)).toBe(true);
      }
      // weights near the largest f32 too: the loss is a number of f64
      if (dtype === f32) {
        const weight = new array([1, 1e38]);
        const got = numberOf(crossEntropy(new array([0, -1e3]), new array([0, 1]), { weight, reduction: "sum" }));
        expect(Math.abs(got / 1e41 - 1)).toBeLessThan(4 * unit);
      }
    });

    it("what is no number of f64 either is +∞, and a class of weight 0 contributes nothing", () => {
      if (dtype !== f32) expect(crossEntropy(new array([max, -max]), new array([0, 1]))).toBe(Infinity);
      for (const options of [{}, { labelSmoothing: 0 }]) {
        const weight = new array([1, 0]);
        expect(crossEntropy(x, [1], { ...options, weight, reduction: "sum" })).toBe(0);
        expect(crossEntropy(new array([0, -Infinity]), [1], { ...options, weight, reduction: "sum" })).toBe(0);
        expect(crossEntropy(new array([0, NaN]), [1], { ...options, weight, reduction: "sum" })).toBeNaN();
      }
    });

    it("perplexity follows", () => {
      expect(perplexity(x, [1], { shape: [1, 2] })).toBe(Infinity);
      expect(perplexity(x, [0], { shape: [1, 2] })).toBe(1);
    });
  });

  it("the entropy of logits that far apart is 0", () => {
    for (const from of ["logits", "logProbabilities"]) {
      expect(entropy(new array([huge, -huge]), { from, reduction: "sum" })).toBe(0);
      const [got] = entropy(new array([huge, -huge, huge]), { from, reduction: "none" }) as unknown as [number];
      expect(Math.abs(got - Math.LN2)).toBeLessThan(2 * unit);
    }
  });
});
