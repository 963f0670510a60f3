/** log Σ w·e^x where terms cancel, and where weights lie far apart: against exact integers, in any order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniforms } from "../../examples/support/random.ts";
import { exactExp, exactExpm1, exactLog } from "../support/exact.ts";
import { pseudorandom } from "../support/fixture.ts";
import { ulp64 } from "../support/ulp.ts";
import type { FloatArray } from "../support/variants.ts";
import { f32, family, forEachType } from "../support/variants.ts";

const { logSumExp } = family;

/** A finite f64 as an integer times 2^-SCALE. */
const SCALE = 4096;
function integer(value: number, exponent = 0): bigint {
  if (value === 0) return 0n;
  const bits = new BigUint64Array(new Float64Array([value]).buffer)[0] as bigint;
  const field = (bits >> 52n) & 0x7ffn;
  const mantissa = (bits & 0xf_ffff_ffff_ffffn) | (field ? 1n << 52n : 0n);
  const shift = BigInt(SCALE + exponent - 1075) + (field || 1n);
  return (value < 0 ? -mantissa : mantissa) * 2n ** shift;
}

/** e^x to 100 bits or so, of e^x − 1 near 0, times 2^SCALE. */
function power(x: number): bigint {
  if (x === -Infinity) return 0n;
  const small = Math.abs(x) < 0.25;
  const { hi, lo, exponent } = small ? exactExpm1(x) : exactExp(x);
  return integer(small ? 1 : 0) + integer(hi, exponent) + integer(lo, exponent);
}

/** log Σ w·e^x for x in (−746, 710), and Σ|w|e^x / Σ w·e^x. */
function exact(x: ArrayLike<number>, w: ArrayLike<number>): { value: number; condition: number } {
  let [sum, size] = [0n, 0n];
  for (let i = 0; i < x.length; i++) {
    if (w[i] === 0) continue;
    const term = (power(x[i] as number) * integer(w[i] as number)) >> BigInt(SCALE);
    sum += term;
    size += term < 0n ? -term : term;
  }
  if (sum === 0n) return { value: -Infinity, condition: 1 };
  if (sum < 0n) return { value: NaN, condition: 1 };
  // sum = 2ⁿ·m with 1 ≤ m ≤ 2, and log m to one rounding
  const n = sum.toString(2).length - 1 - SCALE;
  const m = Number((sum << 200n) >> BigInt(n + SCALE + 100)) / 2 ** 100;
  const { hi, lo } = exactLog(m);
  // ln 2 in two parts, the first of 33 bits, which leave its product exact
  const [first, rest] = [0x1_62e4_2fef / 2 ** 33, 7.440617110012397e-11];
  return { value: n * first + (hi + (n * rest + lo)), condition: Number((size << 20n) / sum) / 2 ** 20 };
}

function shuffled<T>(values: readonly T[], seed: number): T[] {
  const random = uniforms(seed);
  const copy = values.slice();
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
  }
  return copy;
}

forEachType((dtype) => {
  const { array, max, unit } = dtype;
  const any = (limit: number) =>
    dtype === f32
      ? fc.float({ min: -limit, max: limit, noNaN: true })
      : fc.double({ min: -limit, max: limit, noNaN: true });
  const logit = fc.oneof(any(700), any(2), any(max));
  const weight = fc.oneof(any(max), any(1), fc.constantFrom(1, 0.5, 3, max, dtype.tiny)).filter((w) => w !== 0);
  const evaluate = (terms: readonly (readonly [number, number])[]): number =>
    logSumExp(new array(terms.map(([x]) => x)), { weights: new array(terms.map(([, w]) => w)) })[0] as number;
  /** Within an ULP of the largest of the maximum, the result and 1, and the terms' own errors, magnified. */
  const near = (got: number, want: number, top: number, condition: number, what: string) => {
    if (Object.is(got, want)) return;
    const tolerance =
      (dtype === f32 ? 2 ** 29 : 1) * ulp64(Math.max(Math.abs(top), Math.abs(want), 1)) + 2 * condition * 2 ** -53;
    if (!(Math.abs(got - want) <= tolerance)) expect.fail(`${what}: ${got}, exact ${want}`);
  };

  describe("terms that cancel exactly leave −∞", () => {
    it("v and v with w and −w, in either order", () => {
      fc.assert(
        fc.property(logit, weight, (v, w) => {
          expect(
            evaluate([
              [v, w],
              [v, -w],
            ]),
          ).toBe(-Infinity);
          expect(
            evaluate([
              [v, -w],
              [v, w],
            ]),
          ).toBe(-Infinity);
        }),
        { numRuns: 500 },
      );
    });

    it("any pairs, anywhere in a row, among what is absent", () => {
      const pairs = fc.array(fc.tuple(logit, weight), { minLength: 1, maxLength: 40 });
      const absent = fc.array(
        fc.oneof(fc.tuple(logit, fc.constantFrom(0, -0)), fc.tuple(fc.constant(-Infinity), weight)),
        { maxLength: 5 },
      );
      fc.assert(
        fc.property(pairs, absent, fc.integer(), (chosen, gone, seed) => {
          const terms = chosen.flatMap(
            ([v, w]) =>
              [
                [v, w],
                [v, -w],
              ] as [number, number][],
          );
          expect(evaluate(shuffled([...terms, ...(gone as [number, number][])], seed))).toBe(-Infinity);
        }),
        { numRuns: 500 },
      );
    });

    it("one weight that is the sum of others", () => {
      for (const n of [2, 3, 7, 16, 17, 100, 1000]) {
        const w = [...new array(n).fill(0.375), -0.375 * n];
        expect(
          evaluate(
            shuffled(
              w.map((v): [number, number] => [-3.7, v]),
              n,
            ),
          ),
        ).toBe(-Infinity);
      }
    });

    it("in a row longer than memory is cut for, and in columns", () => {
      const half = 70_001;
      const v = pseudorandom(dtype, 5, half, 90);
      const w = pseudorandom(dtype, 6, half, 2, 1.25);
      const order = shuffled(
        Array.from({ length: 2 * half }, (_, i) => i),
        7,
      );
      const x = new array(order.map((i) => v[i % half] as number));
      const weights = new array(order.map((i) => (i < half ? 1 : -1) * (w[i % half] as number)));
      expect(logSumExp(x, { weights })[0]).toBe(-Infinity);
      const columns = { shape: [2 * half, 1], axis: 0 };
      expect(logSumExp(x, { ...columns, weights })[0]).toBe(-Infinity);
      // and what does not cancel is left
      weights[order.indexOf(half + 3)] = 0;
      const left = Math.log(w[3] as number) + (v[3] as number);
      expect(Math.abs((logSumExp(x, { weights })[0] as number) - left)).toBeLessThan(100 * unit);
    });
  });

  it("what is left of terms that cancel is the result, however small; NaN if it is negative", () => {
    const pairs = fc.array(fc.tuple(any(700), weight), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(pairs, any(700), weight, fc.integer(), (chosen, v, w, seed) => {
        const terms = chosen.flatMap(
          ([a, b]) =>
            [
              [a, b],
              [a, -b],
            ] as [number, number][],
        );
        const top = Math.max(v, ...chosen.map(([a]) => a));
        const got = evaluate(shuffled([...terms, [v, Math.abs(w)]], seed));
        near(got, exact([v], [Math.abs(w)]).value, top, 1, `${v} with ${Math.abs(w)} among ${terms}`);
        expect(evaluate(shuffled([...terms, [v, -Math.abs(w)]], seed))).toBeNaN();
      }),
      { numRuns: 500 },
    );
  });

  it("near cancellation the error is that of the terms, an ULP each, and the sign is that of the sum", () => {
    const term = fc.tuple(fc.oneof(any(700), any(1)), fc.oneof(any(2), any(max)));
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 30 }), any(2 ** -10), (terms, nudge) => {
        // each term and its near twin
        const all = terms.flatMap(
          ([v, w]) =>
            [
              [v, w],
              [new array([v + nudge])[0], -w],
            ] as [number, number][],
        );
        for (const list of [terms, all]) {
          const present = list.filter(([, w]) => w !== 0);
          const { value, condition } = exact(
            present.map(([v]) => v),
            present.map(([, w]) => w),
          );
          // where the sum is lost in the terms' own errors its sign is anyone's
          if (Number.isNaN(value) || condition > 2 ** 50) continue;
          const top = Math.max(...present.map(([v]) => v));
          near(evaluate(list), value, top, condition, JSON.stringify(list));
        }
      }),
      { numRuns: 300 },
    );
    // neighbours: the difference of their powers is positive, or nothing
    for (const v of [1, 0.3, 0.26, -0.2, 1e-3, 17.3, 400.1, -77.7]) {
      const low = new array([v])[0] as number;
      const bits = dtype === f32 ? new Int32Array(1) : new BigInt64Array(1);
      const values = new array(bits.buffer);
      values[0] = low;
      bits[0] = ((bits[0] as never) + (dtype === f32 ? 1 : 1n)) as never;
      const [a, b] = [low, values[0] as number].sort((p, q) => p - q) as [number, number];
      const { value, condition } = exact([b, a], [1, -1]);
      expect(
        Math.abs(
          evaluate([
            [b, 1],
            [a, -1],
          ]) - value,
        ),
        `${v}`,
      ).toBeLessThan(condition * 2 ** -53 + 2 * unit * 64);
      expect(
        evaluate([
          [a, 1],
          [b, -1],
        ]),
      ).toBeNaN();
    }
  });

  it("weights of any size, with logits that make up for them", () => {
    const term = fc.tuple(
      any(700),
      weight.map((w) => Math.abs(w)),
    );
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 20 }), (terms) => {
        const [x, w] = [terms.map(([v]) => v), terms.map(([, b]) => b)];
        near(evaluate(terms), exact(x, w).value, Math.max(...x), 1, JSON.stringify(terms));
      }),
      { numRuns: 500 },
    );
    near(
      evaluate([
        [0, 1],
        [0, max],
      ]),
      Math.log(max),
      0,
      1,
      "the largest weight",
    );
    const least = 2 * dtype.tiny * unit;
    near(
      evaluate([
        [0, least],
        [0, least],
      ]),
      Math.log(least) + Math.LN2,
      0,
      1,
      "the smallest weights",
    );
  });

  it("does not depend on the order where weights have both signs", () => {
    const terms = Array.from({ length: 137 }, (_, i): [number, number] => [
      pseudorandom(dtype, i, 1, 60)[0] as number,
      pseudorandom(dtype, i + 500, 1, 2)[0] as number,
    ]);
    const wanted = evaluate(terms);
    const positive = Number.isNaN(wanted) ? terms.map(([v, w]): [number, number] => [v, -w]) : terms;
    const value = evaluate(positive);
    expect(value).not.toBeNaN();
    for (let seed = 1; seed < 20; seed++) expect(evaluate(shuffled(positive, seed))).toBe(value);
  });

  it.each<[string, [number, number][], number]>([
    [
      "+∞ among terms that cancel",
      [
        [2, 1],
        [2, -1],
        [Infinity, 3],
      ],
      Infinity,
    ],
    [
      "−∞ among terms that cancel",
      [
        [2, 1],
        [2, -1],
        [-Infinity, 3],
      ],
      -Infinity,
    ],
    ["−∞ with a negative weight, alone", [[-Infinity, -3]], -Infinity],
    [
      "+∞ of negative weight",
      [
        [2, 1],
        [2, -1],
        [Infinity, -3],
      ],
      NaN,
    ],
    [
      "+∞ twice, that would cancel",
      [
        [Infinity, 1],
        [Infinity, -1],
      ],
      NaN,
    ],
    [
      "NaN among terms that cancel",
      [
        [2, 1],
        [2, -1],
        [NaN, 1],
      ],
      NaN,
    ],
    [
      "NaN as a weight, of −∞ too",
      [
        [2, 1],
        [-Infinity, NaN],
      ],
      NaN,
    ],
    [
      "an infinite weight",
      [
        [2, 1],
        [1, Infinity],
      ],
      Infinity,
    ],
    [
      "an infinite negative weight",
      [
        [2, 1],
        [1, -Infinity],
      ],
      NaN,
    ],
    [
      "an infinite weight at −∞: 0·∞",
      [
        [2, 1],
        [-Infinity, Infinity],
      ],
      NaN,
    ],
    ["a negative weight alone", [[2, -1]], NaN],
    [
      "negative by the smallest step",
      [
        [0, 1],
        [0, -1 - 2 * f32.unit],
      ],
      NaN,
    ],
    ["one element of weight 0", [[2, 0]], -Infinity],
  ])("%s", (_, terms, want) => {
    for (let seed = 0; seed < 6; seed++) expect(evaluate(shuffled(terms, seed))).toBe(want);
  });

  it("beyond the exponentials' range the maximum is what the others are relative to", () => {
    const far: FloatArray = new array([max, 1e5, -1e5, -max]);
    for (const v of far) {
      expect(
        evaluate([
          [v, 2],
          [v, -2],
        ]),
      ).toBe(-Infinity);
      near(
        evaluate([
          [v, 3],
          [v, -2],
        ]),
        v,
        v,
        1,
        `${v}`,
      );
      expect(
        evaluate([
          [v, 2],
          [v, -3],
        ]),
      ).toBeNaN();
    }
    // a thousand below what cancels
    near(
      evaluate([
        [0, 1],
        [-1000, 1],
        [0, -1],
      ]),
      -1000,
      0,
      1,
      "−1000",
    );
    near(
      evaluate([
        [1e5, 1],
        [1e5 - 1000, 1],
        [1e5, -1],
      ]),
      1e5 - 1000,
      1e5,
      1,
      "99000",
    );
  });
});
