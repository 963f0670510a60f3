/** wasserstein and wassersteinHistogram: SciPy, exact quantiles, brute force, closed forms, metric axioms, forms, errors. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniforms } from "../../examples/support/random.ts";
import { info, wasserstein as typed, wassersteinHistogram as typedHistogram } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import { type DType, type FloatArray, f32, f64, forEachType, resident } from "../support/variants.ts";

interface Options {
  readonly [name: string]: unknown;
}
const wasserstein = typed as (u: unknown, v: unknown, options?: Options) => number;
const histogram = typedHistogram as (p: unknown, q: unknown, options?: Options) => number;
const histogramRows = (p: unknown, q: unknown, options: Options) =>
  histogram(p, q, { ...options, reduction: "none" }) as unknown as FloatArray;

const { orders, cases } = JSON.parse(
  readFileSync(new URL("../fixtures/wasserstein.json", import.meta.url), "utf8"),
) as {
  readonly orders: readonly number[];
  readonly cases: readonly {
    readonly type: string;
    readonly name: string;
    readonly u: readonly number[];
    readonly v: readonly number[];
    readonly uWeights: readonly number[] | null;
    readonly vWeights: readonly number[] | null;
    readonly scipy: number;
    readonly wasserstein: readonly number[];
  }[];
};

const ORDERS = [1, 1.5, 2, 3, 7.25, Infinity];

/** W_p of samples with whole weights, by repeating each until both lists are of one length: quantiles at every step. */
function bruteForce(
  u: ArrayLike<number>,
  uWeights: ArrayLike<number>,
  v: ArrayLike<number>,
  vWeights: ArrayLike<number>,
  order: number,
): number {
  const sum = (weights: ArrayLike<number>) => Array.from(weights).reduce((a, b) => a + b, 0);
  const [totalU, totalV] = [sum(uWeights), sum(vWeights)];
  const list = (x: ArrayLike<number>, weights: ArrayLike<number>, times: number) =>
    Array.from(x)
      .flatMap((value, i) => new Array<number>((weights[i] as number) * times).fill(value))
      .sort((a, b) => a - b);
  const [a, b] = [list(u, uWeights, totalV), list(v, vWeights, totalU)];
  const apart = a.map((x, i) => Math.abs(x - (b[i] as number)));
  const most = Math.max(...apart);
  if (order === Infinity || most === 0) return most;
  return most * (sum(apart.map((d) => (d / most) ** order)) / apart.length) ** (1 / order);
}

const close = (got: number, wanted: number, tolerance: number, floor = 0) =>
  expect(Math.abs(got - wanted), `${got}, wanted ${wanted}`).toBeLessThanOrEqual(
    tolerance * Math.max(Math.abs(wanted), floor),
  );
const ones = (n: number) => new Array<number>(n).fill(1);
const wholes = (seed: number, n: number, below = 3) => {
  const next = uniforms(seed);
  const weights = Array.from({ length: n }, () => Math.floor(next() * below));
  weights[0] = 1 + (weights[0] as number);
  return weights;
};
const samplesOf = ({ array, max }: DType) =>
  fc
    .array(fc.double({ noNaN: true, min: -max / 8, max: max / 8 }), { minLength: 1, maxLength: 30 })
    .map((x) => new array(x));

describe("SciPy's wasserstein_distance, and exact quantiles for other orders", () => {
  forEachType(({ name, array }) => {
    it.each(cases.filter(({ type }) => type === name))("$name", (c) => {
      const weights = {
        ...(c.uWeights && { uWeights: new array(c.uWeights) }),
        ...(c.vWeights && { vWeights: new array(c.vWeights) }),
      };
      const [u, v] = [new array(c.u), new array(c.v)];
      close(wasserstein(u, v, weights), c.scipy, 1e-12);
      orders.forEach((order, i) => {
        close(wasserstein(u, v, { ...weights, order }), c.wasserstein[i] as number, 1e-13);
      });
    });
  });
});

describe("wasserstein", () => {
  forEachType((dtype) => {
    const { array, tiny, max } = dtype;

    it("lengths 1 to 67, beside brute force, every order", () => {
      for (let n = 1; n <= 67; n++) {
        const m = 1 + ((n * 29) % 67);
        const [u, v] = [pseudorandom(dtype, n, n, 8), pseudorandom(dtype, n + 100, m, 4, 1)];
        const [uWeights, vWeights] = [wholes(n, n), wholes(n + 1, m)];
        for (const order of ORDERS) {
          close(wasserstein(u, v, { order }), bruteForce(u, ones(n), v, ones(m), order), 1e-13);
          const weighted = wasserstein(u, v, { order, uWeights, vWeights });
          close(weighted, bruteForce(u, uWeights, v, vWeights, order), 1e-13);
        }
        const w = pseudorandom(dtype, n + 7, n, 8);
        for (const order of ORDERS)
          close(wasserstein(u, w, { order }), bruteForce(u, ones(n), w, ones(n), order), 1e-13);
      }
    });

    it("sorts as typed arrays do: every bit of the type, both signs", () => {
      const next = uniforms(5);
      const bits = new Uint32Array(40_000).map(() => next() * 2 ** 32);
      const any = new array(bits.buffer).filter(Number.isFinite).map((x) => x / 4) as FloatArray;
      const [u, v] = [any.slice(0, any.length >> 1).sort(), any.slice(any.length - (any.length >> 1)).sort()];
      const shuffled = any.slice(0, u.length);
      expect(wasserstein(shuffled, u)).toBe(0);
      const most = Array.from(u).reduce((m, x, i) => Math.max(m, Math.abs(x - (v[i] as number))), 0);
      expect(wasserstein(shuffled, v.slice().reverse(), { order: Infinity })).toBe(most);
    });

    it("a translation by θ is |θ| away, for every order", () => {
      const u = pseudorandom(dtype, 1, 1000, 4).map((x) => Math.round(x * 256) / 256) as FloatArray;
      for (const theta of [-3, -0.25, 0, 0.5, 100]) {
        const v = u.map((x) => x + theta).reverse() as FloatArray;
        for (const order of ORDERS) close(wasserstein(u, v, { order }), Math.abs(theta), 1e-13);
      }
    });

    it("Gaussians by their quantiles: W₂² = (m₁ − m₂)² + (s₁ − s₂)²", () => {
      // standardised, so that mean and variance are those of the formula
      const z = Array.from({ length: 999 }, (_, i) => Math.tan((i - 499) / 400));
      const size = Math.hypot(...z) / Math.sqrt(z.length);
      const gaussian = (m: number, s: number) => new array(z.map((x) => m + (s * x) / size));
      const tolerance = dtype === f32 ? 1e-6 : 1e-13;
      close(wasserstein(gaussian(0, 1), gaussian(3, 2), { order: 2 }), Math.sqrt(10), tolerance);
      close(wasserstein(gaussian(-1, 0.5), gaussian(-1, 2), { order: 2 }), 1.5, tolerance);
    });

    it("is a metric: symmetric, 0 for equals alone, and d(u, w) ≤ d(u, v) + d(v, w)", () => {
      const samples = samplesOf(dtype);
      fc.assert(
        fc.property(samples, samples, samples, fc.constantFrom(...ORDERS), (u, v, w, order) => {
          const d = (a: FloatArray, b: FloatArray) => wasserstein(a, b, { order });
          expect(d(v, u)).toBe(d(u, v));
          expect(d(u, u.slice().reverse())).toBe(0);
          expect(d(u, v) === 0).toBe([...new Set(u)].sort().join() === [...new Set(v)].sort().join() && d(u, v) === 0);
          if (!u.some((x) => v.includes(x))) expect(d(u, v)).toBeGreaterThan(0);
          expect(d(u, w)).toBeLessThanOrEqual((d(u, v) + d(v, w)) * (1 + 1e-13));
        }),
        { numRuns: 300 },
      );
    });

    it("grows with the order, to the largest difference", () => {
      fc.assert(
        fc.property(samplesOf(dtype), samplesOf(dtype), (u, v) => {
          const distances = ORDERS.map((order) => wasserstein(u, v, { order }));
          for (let i = 1; i < distances.length; i++)
            expect(distances[i - 1]).toBeLessThanOrEqual((distances[i] as number) * (1 + 1e-13));
        }),
        { numRuns: 100 },
      );
    });

    it("neither overflows nor underflows before the result does", () => {
      const least = array === Float32Array ? 2 ** -149 : 2 ** -1074;
      const root = 2 ** -0.5;
      for (const size of [least, tiny, 1, max / 2]) {
        const [u, v] = [new array([0, 0]), new array([size, 0])];
        close(wasserstein(u, v), size / 2, 1e-13, least);
        close(wasserstein(u, v, { order: 2 }), size * root, 1e-13, least);
        close(wasserstein(u, v, { order: 40 }), size * 2 ** (-1 / 40), 1e-13, least);
        expect(wasserstein(u, v, { order: Infinity })).toBe(size);
      }
      const weights = { uWeights: new array([least, least]), vWeights: new array([max / 4, max / 4]) };
      for (const order of ORDERS)
        close(wasserstein(new array([0, 1]), new array([2, 3]), { ...weights, order }), 2, 1e-13);
    });

    it("NaN anywhere is NaN; a NaN weight too; −0 is 0", () => {
      for (const nan of [Number.NaN, -Number.NaN]) {
        for (let n = 1; n < 5; n++) {
          const u = pseudorandom(dtype, n, n, 2);
          const v = u.slice();
          v[n >> 1] = nan;
          for (const order of ORDERS) {
            expect(wasserstein(u, v, { order })).toBeNaN();
            expect(wasserstein(v, u, { order, uWeights: ones(n) })).toBeNaN();
            expect(wasserstein(u, u, { order, uWeights: v.map(Math.abs) })).toBeNaN();
          }
        }
      }
      const negative = new array(4).map((_, i) => (i === 1 ? -Number.NaN : 1));
      new DataView(negative.buffer).setUint8(2 * array.BYTES_PER_ELEMENT - 1, 0xff); // NaN with the sign
      expect(wasserstein(negative, [1])).toBeNaN();
      expect(wasserstein(new array([-0, 0]), new array([0, -0]))).toBe(0);
      // without mass, but not swallowed
      expect(wasserstein([Number.NaN, 1], [1], { uWeights: [0, 1] })).toBeNaN();
    });

    it("an infinity meets itself at no cost, and anything else at an infinite one", () => {
      const [inf, both] = [new array([Infinity, 1]), new array([-Infinity, Infinity, 0])];
      for (const order of ORDERS) {
        expect(wasserstein(inf, inf.slice().reverse(), { order })).toBe(0);
        expect(wasserstein(inf, new array([2, Infinity]), { order })).toBeCloseTo(
          order === Infinity ? 1 : 0.5 ** (1 / order),
          12,
        );
        expect(wasserstein(both, both, { order })).toBe(0);
        expect(wasserstein(both, inf, { order })).toBe(Infinity);
        expect(wasserstein(inf, new array([1, 1]), { order })).toBe(Infinity);
        // a sample without mass is not there
        expect(wasserstein(inf, new array([1, 1]), { order, uWeights: [0, 1] })).toBe(0);
      }
    });

    it("takes views, shared memory, tensors, residents and numbers, and leaves them as they are", () => {
      const n = 1000;
      const [u, v] = [pseudorandom(dtype, 1, n, 2), pseudorandom(dtype, 2, n + 3, 2)];
      const wanted = wasserstein(u, v);
      const backed = new array(new SharedArrayBuffer((n + 5) * array.BYTES_PER_ELEMENT));
      backed.set(u, 3);
      const view = backed.subarray(3, 3 + n);
      const before = backed.slice();
      const inMemory = resident(dtype.name, n);
      inMemory.set(u);
      for (const form of [view, { data: u, shape: [n] }, { data: u, dims: [n] }, inMemory, Array.from(u)])
        expect(wasserstein(form, v)).toBe(wanted);
      expect(backed).toEqual(before);
      expect(inMemory.array.slice()).toEqual(u);
      inMemory.dispose();
      const weights = wholes(3, n);
      const weighted = wasserstein(u, v, { uWeights: weights });
      expect(wasserstein(u, v, { uWeights: new array(weights) })).toBe(weighted);
    });

    it("large and small samples alike: past the stage, in memory that is given back", () => {
      wasserstein([0], [1]);
      const before = info().memoryBytes;
      const n = 150_000;
      const u = pseudorandom(dtype, 1, n, 2);
      const v = u.map((x) => x + 4).reverse() as FloatArray;
      const sorted = [u, v].map((x) => x.slice().sort()) as [FloatArray, FloatArray];
      const wanted = Array.from(sorted[0]).reduce((sum, x, i) => sum + Math.abs(x - (sorted[1][i] as number)), 0) / n;
      close(wasserstein(u, v), wanted, 1e-12);
      close(wasserstein(u, v, { uWeights: new array(n).fill(0.1), vWeights: new array(n).fill(0.3) }), wanted, 1e-12);
      close(
        wasserstein(
          u,
          sorted[1].filter((_, i) => i > 0),
        ),
        wanted,
        1e-4,
      );
      // beside the first memory at most what is kept of a second
      expect(info().memoryBytes - before).toBeLessThanOrEqual(14.75 * 2 ** 20);
    });
  });
});

describe("wassersteinHistogram", () => {
  forEachType((dtype) => {
    const { array, unit } = dtype;
    const tolerance = 16 * unit;

    it("0 to 67 bins in 1 to 9 rows, beside brute force, every order", () => {
      for (let n = 1; n <= 67; n++) {
        const rows = 1 + (n % 9);
        const positions = Array.from({ length: n }, (_, i) => i);
        const uneven = positions.map((i) => (i * i) / 8 - 3);
        const [P, Q] = [0, 1].map((seed) =>
          Array.from({ length: rows }, (_, r) => wholes(1000 * n + 10 * r + seed, n)),
        ) as [number[][], number[][]];
        const [p, q] = [new array(P.flat()), new array(Q.flat())];
        for (const order of ORDERS) {
          const options = { shape: [rows, n], order };
          const even = histogramRows(p, q, { ...options, binWidth: 0.25 });
          const other = histogramRows(p, q, { ...options, support: uneven });
          // beside the width of the support; 1e-14 for the brute force's own rounding
          for (let r = 0; r < rows; r++) {
            const [a, b] = [P[r] as number[], Q[r] as number[]];
            close(even[r] as number, 0.25 * bruteForce(positions, a, positions, b, order), 4 * unit + 1e-14, 0.25 * n);
            close(other[r] as number, bruteForce(uneven, a, uneven, b, order), 4 * unit + 1e-14, (n * n) / 8);
          }
          const mean = Array.from(even).reduce((sum, w) => sum + w, 0) / rows;
          close(histogram(p, q, { ...options, binWidth: 0.25 }), mean, 4 * unit);
          close(histogram(p, q, { ...options, binWidth: 0.25, reduction: "sum" }), mean * rows, 4 * unit);
        }
      }
      expect(histogram(new array(0), new array(0))).toBeNaN();
      expect(histogramRows(new array(0), new array(0), { shape: [0, 5] })).toEqual(new array(0));
    });

    it("agrees with wasserstein of the bins' places, weighted", () => {
      const n = 300;
      const [p, q] = [pseudorandom(dtype, 1, n, 1, 0.5), pseudorandom(dtype, 2, n, 1, 0.5)];
      const support = Array.from({ length: n }, (_, i) => Math.sqrt(i));
      for (const order of ORDERS) {
        const weighted = wasserstein(support, support, { uWeights: Array.from(p), vWeights: Array.from(q), order });
        close(histogram(p, q, { support, order }), weighted, 2 ** -20, 0);
      }
    });

    it("p and q nearly alike keep their digits, alike are 0; a row's bits do not depend on its place", () => {
      const n = 256;
      const p = pseudorandom(dtype, 3, n, 1, 0.75);
      const q = p.slice();
      q[7] = (q[7] as number) * (1 + 2 ** -12);
      const [a, b] = [Float64Array.from(p), Float64Array.from(q)];
      const wanted = wasserstein([...a.keys()], [...b.keys()], { uWeights: a, vWeights: b });
      // what is compared to is exact to 2^-53 of the width
      close(histogram(p, q), wanted, 64 * unit, 2 ** -50 / unit);
      expect(histogram(p, p)).toBe(0);
      expect(
        histogram(
          p,
          p.map((x) => 4 * x),
        ),
      ).toBe(0);
      for (const rows of [1, 2, 3, 4, 5, 21]) {
        const many = (x: FloatArray) => new array(Array.from({ length: rows }, () => Array.from(x)).flat());
        const values = histogramRows(many(p), many(q), { shape: [rows, n] });
        for (const value of values) expect(value).toBe(values[0]);
        expect(values[0]).toBe(histogramRows(p, q, {})[0]);
      }
    });

    it("sums that are far apart, tiny or huge", () => {
      const p = new array([1, 2, 3, 0, 1]);
      const q = new array([0, 1, 3, 3, 5]);
      const wanted = bruteForce([0, 1, 2, 3, 4], p, [0, 1, 2, 3, 4], q, 1);
      for (const factor of [2 ** -140, 2 ** -60, 3, 1000, 2 ** 100]) {
        close(histogram(p, q.map((x) => x * factor) as FloatArray), wanted, tolerance);
        close(histogram(p.map((x) => x * factor) as FloatArray, q), wanted, tolerance);
        for (const order of [2, 2.5])
          close(
            histogram(p, q.map((x) => x * factor) as FloatArray, { order }),
            bruteForce([0, 1, 2, 3, 4], p, [0, 1, 2, 3, 4], q, order),
            tolerance,
          );
      }
    });

    it("NaN, a negative mass or a sum of 0 spoils its row and no other; −0 does not", () => {
      const [rows, n] = [11, 6];
      const p = pseudorandom(dtype, 4, rows * n, 1, 0.75);
      const q = pseudorandom(dtype, 5, rows * n, 1, 0.75);
      for (const order of ORDERS) {
        const good = histogramRows(p, q, { shape: [rows, n], order });
        for (const bad of [Number.NaN, -1, Infinity, 0]) {
          for (let row = 0; row < rows; row++) {
            for (const side of [0, 1]) {
              const given = [p, q];
              const spoilt = (given[side] as FloatArray).slice();
              given[side] = spoilt;
              if (bad === 0) spoilt.fill(0, row * n, row * n + n);
              else spoilt[row * n + (row % n)] = bad;
              const values = histogramRows(given[0], given[1], { shape: [rows, n], order });
              for (let r = 0; r < rows; r++) expect(values[r]).toBe(r === row ? Number.NaN : good[r]);
            }
          }
        }
        const negativeZero = p.slice();
        negativeZero[3] = -0;
        const zero = p.slice();
        zero[3] = 0;
        const options = { shape: [rows, n], order };
        expect(histogramRows(negativeZero, q, options)).toEqual(histogramRows(zero, q, options));
      }
    });

    it("is a metric between histograms, and a shift by k bins is k·binWidth away", () => {
      const counts = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 12, maxLength: 12 });
      const some = counts.filter((x) => x.some(Boolean)).map((x) => new array(x));
      fc.assert(
        fc.property(some, some, some, fc.constantFrom(...ORDERS), (p, q, r, order) => {
          const d = (a: FloatArray, b: FloatArray) => histogram(a, b, { order });
          close(d(p, q), d(q, p), tolerance);
          expect(d(p, p)).toBe(0);
          expect(d(p, r)).toBeLessThanOrEqual(d(p, q) + d(q, r) + 12 * tolerance);
        }),
        { numRuns: 200 },
      );
      const bump = [1, 3, 2, 5];
      for (const order of ORDERS) {
        const at = (k: number) => new array([...new Array(k).fill(0), ...bump, ...new Array(8 - k).fill(0)]);
        close(histogram(at(1), at(6), { order, binWidth: 0.5 }), 2.5, tolerance);
      }
    });

    it("long rows, views, shared memory, tensors and residents", () => {
      const n = 200_003;
      const [p, q] = [pseudorandom(dtype, 6, 2 * n, 1, 0.75), pseudorandom(dtype, 7, 2 * n, 1, 0.75)];
      const wanted = [0, 1].map((r) => {
        const part = (x: FloatArray) => Float64Array.from(x.subarray(r * n, r * n + n));
        const [a, b] = [part(p), part(q)];
        const [u, v] = [a, b].map((x) => x.reduce((s, y) => s + y, 0)) as [number, number];
        let [c, s] = [0, 0];
        for (let i = 0; i < n; i++) {
          c += (a[i] as number) / u - (b[i] as number) / v;
          s += Math.abs(c);
        }
        return s;
      });
      const values = histogramRows(p, q, { shape: [2, n] });
      wanted.forEach((w, r) => {
        close(values[r] as number, w, dtype === f64 ? 1e-9 : 2e-6);
      });

      const [rows, bins] = [40, 100];
      const small = p.slice(0, rows * bins);
      const other = q.slice(0, rows * bins);
      const expected = histogramRows(small, other, { shape: [rows, bins] });
      const shared = new array(new SharedArrayBuffer((small.length + 1) * array.BYTES_PER_ELEMENT)).subarray(1);
      shared.set(small);
      const inMemory = resident(dtype.name, small.length);
      inMemory.set(small);
      for (const form of [shared, { data: small, shape: [rows, bins] }, { data: small, dims: [rows, bins] }, inMemory])
        expect(histogramRows(form, other, { shape: [rows, bins] })).toEqual(expected);
      expect(histogramRows({ data: small, shape: [rows, bins] }, other, {})).toEqual(expected);
      inMemory.dispose();
    });
  });
});

it("histograms are not samples (SciPy issue #15832): docs/transport.md says the truth", () => {
  const [p, q, places] = [
    [1, 0, 0, 0],
    [0, 0, 0, 1],
    [0, 1, 2, 3],
  ];
  expect(wasserstein(p, q)).toBe(0);
  expect(histogram(p, q)).toBe(3);
  expect(wasserstein(places, places, { uWeights: p, vWeights: q })).toBe(3);
});

describe("what is wrong is named", () => {
  const x = new Float32Array(6).fill(1);
  const wrong: [string, () => unknown, ErrorConstructor, RegExp][] = [
    ["no samples", () => wasserstein([], [1]), RangeError, /wasserstein: "u" must be at least one sample/],
    ["no samples of v", () => wasserstein([1], []), RangeError, /"v" must be at least one sample/],
    [
      "points of the plane",
      () =>
        wasserstein(
          [1, 2],
          [
            [1, 2],
            [3, 4],
          ],
        ),
      RangeError,
      /"v" must be samples on the line, along one axis, got the shape \[2, 2\]/,
    ],
    [
      "a negative weight",
      () => wasserstein([1], [1, 2], { vWeights: [1, -2] }),
      RangeError,
      /"vWeights\[1\]" must be finite and not negative, got -2/,
    ],
    ["weights of sum 0", () => wasserstein([1], [1], { uWeights: [0] }), RangeError, /"uWeights".*positive sum, got 0/],
    [
      "an infinite weight",
      () => wasserstein([1], [1], { uWeights: [Infinity] }),
      RangeError,
      /"uWeights\[0\]".*got Infinity/,
    ],
    [
      "too few weights",
      () => wasserstein([1, 2], [1], { uWeights: [1] }),
      RangeError,
      /"uWeights" must be of length 2/,
    ],
    ["order below 1", () => wasserstein([1], [1], { order: 0.5 }), RangeError, /"order".*at least 1, got 0.5/],
    ["order NaN", () => wasserstein([1], [1], { order: Number.NaN }), RangeError, /"order".*got NaN/],
    ["order in words", () => wasserstein([1], [1], { order: "2" }), TypeError, /"order" must be a number/],
    ["two types", () => wasserstein(x, new Float64Array(2)), TypeError, /"v" must be a Float32Array/],
    [
      "weights of another type",
      () => wasserstein(x, x, { uWeights: new Float64Array(6) }),
      TypeError,
      /"uWeights" must be a Float32Array/,
    ],
    ["not numbers", () => wasserstein("no", [1]), TypeError, /"u" must be a Float32Array/],
    ["options that are none", () => wasserstein([1], [1], [] as never), TypeError, /"options"/],
    ["lengths", () => histogram(x, x.subarray(1)), RangeError, /wassersteinHistogram: "q" must be of the shape of "p"/],
    [
      "shapes",
      () => histogram({ data: x, shape: [2, 3] }, { data: x, shape: [3, 2] }),
      RangeError,
      /"q".*\[2, 3\].*got \[3, 2\]/,
    ],
    ["a shape of another size", () => histogram(x, x, { shape: [4, 2] }), RangeError, /"shape" \[4, 2\] holds 8/],
    [
      "a support of another length",
      () => histogram(x, x, { support: [0, 1] }),
      RangeError,
      /"support" must be of length 6/,
    ],
    [
      "a support that falls",
      () => histogram(x, x, { support: [0, 1, 2, 1, 4, 5] }),
      RangeError,
      /"support\[3\]".*got 1/,
    ],
    [
      "a support with NaN",
      () => histogram(x, x, { support: [0, 1, 2, Number.NaN, 4, 5] }),
      RangeError,
      /"support\[3\]".*got NaN/,
    ],
    ["an endless support", () => histogram(x, x, { support: [0, 1, 2, 3, 4, Infinity] }), RangeError, /"support/],
    [
      "support and binWidth",
      () => histogram(x, x, { support: [0, 1, 2, 3, 4, 5], binWidth: 1 }),
      RangeError,
      /"binWidth".*left out/,
    ],
    ["binWidth 0", () => histogram(x, x, { binWidth: 0 }), RangeError, /"binWidth"/],
    ["order 0", () => histogram(x, x, { order: 0 }), RangeError, /"order"/],
    ["reduction", () => histogram(x, x, { reduction: "max" }), RangeError, /"reduction" must be one of/],
  ];
  it.each(wrong)("%s", (_, call, kind, message) => {
    expect(call).toThrow(kind);
    expect(call).toThrow(message);
    expect(wasserstein([0], [1])).toBe(1);
  });

  it("equal places in a support are no fault", () => {
    expect(histogram([1, 0, 0], [0, 0.5, 0.5], { support: [0, 0, 2] })).toBe(1);
    expect(histogram([1, 0], [0, 1], { support: [3, 3] })).toBe(0);
  });
});
