/**
 * Masses, points and costs at any scale that their type reaches: a distance does not depend on the total mass, and goes with the scale of
 * the points or the costs; nothing overflows on the way to a result that is finite, and nothing that matters vanishes.
 */
import { describe, expect, it } from "vitest";
import * as surprisal from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import { distance } from "../support/sinkhorn.ts";
import { type DType, type FloatArray, f32, f64, forEachType, forEachVariant } from "../support/variants.ts";

type Call<R> = (...args: unknown[]) => R;
interface Plan {
  readonly cost: number;
  readonly converged: boolean;
  readonly marginalError: number;
  readonly f: FloatArray;
  readonly g: FloatArray;
  readonly plan: FloatArray;
}
const api = surprisal as unknown as {
  readonly wasserstein: Call<number>;
  readonly wassersteinHistogram: Call<number>;
  readonly emd: Call<Plan>;
  readonly sinkhorn: Call<Plan>;
  readonly sinkhornDivergence: Call<{ value: number }>;
  readonly sinkhornDivergenceWithGrad: Call<{ value: number; grad: FloatArray }>;
};
const { wasserstein, wassersteinHistogram, emd, sinkhorn, sinkhornDivergence, sinkhornDivergenceWithGrad } = api;

/** |got − wanted| ≤ tolerance·|wanted|. */
function close(got: number, wanted: number, tolerance: number): void {
  if (!(Math.abs(got - wanted) <= tolerance * Math.abs(wanted))) expect.fail(`${got}, wanted ${wanted}`);
}

/** x·2^exponent, though that power be no number: both factors are. */
function times(x: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return x * 2 ** half * 2 ** (exponent - half);
}

/** From the smallest numbers to those of which two overflow: masses are whole and at most 15. */
const exponentsOf = (dtype: DType): readonly number[] =>
  dtype === f32 ? [-149, -130, -70, 0, 60, 100, 124] : [-1074, -1030, -900, -300, 0, 300, 900, 1000, 1020];

forEachType((dtype) => {
  const { array, max, unit } = dtype;
  const of = (values: ArrayLike<number>): FloatArray => new array(values);
  const scaled = (x: ArrayLike<number>, exponent: number): FloatArray => of(Array.from(x, (v) => times(v, exponent)));
  const whole = (seed: number, n: number): FloatArray =>
    pseudorandom(dtype, seed, n, 15.9, 7.4).map((v: number) => Math.abs(Math.round(v))) as FloatArray;
  const exponents = exponentsOf(dtype);

  describe("wassersteinHistogram", () => {
    it.each([1, 2, 2.5, Infinity])("of order %d does not depend on the totals", (order) => {
      const [rows, n] = [exponents.length, 19];
      const [p, q] = [whole(1, rows * n), whole(2, rows * n)];
      const options = { shape: [rows, n], order, reduction: "none" };
      const wanted = wassersteinHistogram(p, q, options) as unknown as FloatArray;
      const far = (x: FloatArray, shift: number): FloatArray =>
        of(
          exponents.flatMap((_, r) => [
            ...scaled(x.subarray(r * n, r * n + n), exponents[(r + shift) % rows] as number),
          ]),
        );
      for (let shift = 0; shift < rows; shift++)
        for (const [a, b] of [
          [far(p, shift), q],
          [p, far(q, shift)],
          [far(p, shift), far(q, shift)],
          [far(p, shift), far(q, 0)],
        ] as const)
          (wassersteinHistogram(a, b, options) as unknown as FloatArray).forEach((w: number, r: number) => {
            close(w, wanted[r] as number, 16 * unit);
          });
    });

    it("of two of the largest masses, and of two of the smallest", () => {
      for (const mass of [max, 2 * unit * dtype.tiny])
        for (const order of [1, 2, Infinity]) {
          const [p, q] = [of([mass, mass, 0]), of([0, mass, mass])];
          expect(wassersteinHistogram(p, p, { order })).toBe(0);
          close(wassersteinHistogram(p, q, { order }), 1, 4 * unit);
          close(wassersteinHistogram(p, of([0, 1, 1]), { order }), 1, 4 * unit);
        }
    });

    it("on a support wider than the largest number", () => {
      const wide = [-1.5, 1.5].map((v) => v * 2 ** (dtype === f32 ? 127 : 1023));
      for (const order of [1, 2]) {
        const w = wassersteinHistogram(of([3, 1]), of([2, 2]), { support: wide, order });
        close(w, order === 1 ? (wide[1] as number) / 2 : (wide[1] as number), 4 * unit);
      }
      if (dtype === f64) expect(wassersteinHistogram(of([1, 0]), of([0, 1]), { support: wide })).toBe(Infinity);
    });
  });

  describe("wasserstein", () => {
    const [u, v] = [pseudorandom(dtype, 3, 23, 2), pseudorandom(dtype, 4, 17, 2, 0.3)];
    const [a, b] = [whole(5, 23), whole(6, 17)];

    it.each([1, 2, 2.5, Infinity])("of order %d does not depend on the totals of the weights", (order) => {
      const wanted = wasserstein(u, v, { uWeights: a, vWeights: b, order });
      for (const i of exponents)
        for (const j of exponents)
          close(wasserstein(u, v, { uWeights: scaled(a, i), vWeights: scaled(b, j), order }), wanted, 8 * f64.unit);
    });

    it.each([1, 2, 2.5, Infinity])("of order %d goes with the scale of the samples", (order) => {
      const wanted = wasserstein(u, v, { uWeights: a, order });
      // of f32 samples too it is an f64
      for (const exponent of exponents) {
        if (exponent < (dtype === f32 ? -120 : -1000)) continue;
        const got = wasserstein(scaled(u, exponent), scaled(v, exponent), { uWeights: a, order });
        close(times(got, -exponent), wanted, 8 * f64.unit * (order === 2.5 ? 16 : 1));
      }
    });

    it("samples farther apart than the largest number", () => {
      if (dtype === f32) return;
      const high = 1.5 * 2 ** 1023;
      const moved = of([-high, high, high, high]);
      for (const order of [1, 2]) {
        const wanted = order === 1 ? high / 2 : high;
        close(wasserstein(moved, of([high, high, high, high]), { order }), wanted, 8 * unit);
        close(wasserstein(moved, of([high]), { order }), wanted, 8 * unit);
      }
      expect(wasserstein(of([-high]), of([high]))).toBe(Infinity);
      expect(wasserstein(of([-Infinity, 1]), of([-Infinity, 2]))).toBe(0.5);
    });
  });

  describe("emd and sinkhorn", () => {
    const [n, m] = [5, 4];
    const a = of([3, 1, 0, 2, 6]);
    const b = of([1, 4, 5, 2]);
    const cost = pseudorandom(dtype, 7, n * m, 1, 0.5);

    it("emd: cost and plan go with the total mass", () => {
      const wanted = emd(a, b, cost, { plan: true });
      for (const exponent of exponents) {
        const got = emd(scaled(a, exponent), scaled(b, exponent), cost, { plan: true });
        close(got.cost, times(wanted.cost, exponent), exponent < -1000 ? 1 : 8 * f64.unit);
        expect(got.plan).toEqual(scaled(wanted.plan, exponent));
        expect([got.f, got.g]).toEqual([wanted.f, wanted.g]);
      }
    });

    it("emd: masses of which two overflow, at costs that make up for it", () => {
      const small = scaled(cost, dtype === f32 ? -40 : -200);
      const wanted = emd(a, b, small);
      const top = dtype === f32 ? 124 : 1021;
      close(times(emd(scaled(a, top), scaled(b, top), small).cost, -top), wanted.cost, 8 * f64.unit);
    });

    it("sinkhorn: cost, plan and potentials go with the total mass", () => {
      const epsilon = 0.05;
      const wanted = sinkhorn(a, b, cost, { epsilon, plan: true });
      for (const exponent of exponents) {
        const got = sinkhorn(scaled(a, exponent), scaled(b, exponent), cost, { epsilon, plan: true });
        expect(got.converged).toBe(true);
        if (exponent > -1000) close(got.cost, times(wanted.cost, exponent), 1e-12);
        // to the smallest number there is
        const least = 2 * unit * dtype.tiny;
        got.plan.forEach((p: number, k: number) => {
          const exact = times(wanted.plan[k] as number, exponent);
          expect(Math.abs(p - exact)).toBeLessThanOrEqual((1e-8 + 4 * unit) * exact + least);
        });
        // P = e^((f + g − C)/ε): a power of two more of mass adds ε·ln 2 to f + g
        for (let k = 0; k < n * m; k++) {
          const [i, j] = [Math.floor(k / m), k % m];
          const before = (wanted.f[i] as number) + (wanted.g[j] as number);
          const after = (got.f[i] as number) + (got.g[j] as number);
          if (before === -Infinity) expect(after).toBe(before);
          else
            expect(Math.abs(after - before - epsilon * exponent * Math.LN2)).toBeLessThanOrEqual(
              1e-8 + 64 * unit * Math.abs(after),
            );
        }
      }
    });

    it("totals that are unequal are named, however large", () => {
      for (const exponent of exponents)
        for (const [fn, options] of [
          [emd, {}],
          [sinkhorn, { epsilon: 1 }],
        ] as const)
          expect(() => fn(scaled(a, exponent), scaled([1, 4, 5, 3], exponent), cost, options)).toThrow(
            /"b" must be of the sum of "a"/,
          );
    });
  });

  it("sinkhornDivergence does not depend on the totals of the weights", () => {
    const [x, y] = [pseudorandom(dtype, 8, 12, 2), pseudorandom(dtype, 9, 10, 2, 0.5)];
    const options = { shape: [6, 2], yShape: [5, 2], epsilon: 0.1 };
    const [a, b] = [of([1, 2, 3, 0, 5, 6]), of([5, 4, 3, 2, 1])];
    const { value: wanted } = sinkhornDivergence(x, y, { ...options, xWeights: a, yWeights: b });
    for (const exponent of exponents) {
      const got = sinkhornDivergence(x, y, {
        ...options,
        xWeights: scaled(a, exponent),
        yWeights: scaled(b, exponents[0] as number),
      });
      close(got.value, wanted, 1e-12);
    }
  });
});

forEachVariant(() => {
  const of = (...values: number[]): Float64Array => Float64Array.from(values);

  describe("sinkhorn", () => {
    it("of costs far from 0 is that of their differences", () => {
      const cost = pseudorandom(f64, 10, 20, 1, 0.5).map((v: number) => Math.round(v * 1024) / 1024) as FloatArray;
      const [a, b] = [of(1, 2, 3, 4, 2), of(2, 4, 5, 1)];
      const epsilon = 0.02;
      const wanted = sinkhorn(a, b, cost, { epsilon, plan: true });
      for (const offset of [2 ** 20, -(2 ** 30), 2 ** 40]) {
        const got = sinkhorn(a, b, cost.map((v: number) => v + offset) as FloatArray, { epsilon, plan: true });
        expect(distance(got.plan, wanted.plan)).toBeLessThanOrEqual(1e-9);
        close(got.cost - 12 * offset, wanted.cost, 1e-15 * Math.abs(offset));
      }
    });

    it.each([2 ** -1022, 1e-300, 1e-200, 1e-30])("of ε = %d, beside costs of any size, is the best plan", (epsilon) => {
      for (const size of [1e-300, 1e-5, 1, 1e10, 1e100, 1e270]) {
        const got = sinkhorn(of(1, 1), of(1, 1), of(0, size, size, 0), { epsilon, plan: true });
        expect(got.converged).toBe(true);
        if (size > 1e9 * epsilon) expect([...got.plan]).toEqual([1, 0, 0, 1]);
        const same = sinkhorn(of(1, 3), of(2, 2), of(size, size, size, size), { epsilon, plan: true });
        expect([...same.plan]).toEqual([0.5, 0.5, 1.5, 1.5]);
        close(same.cost, 4 * size, 1e-15);
      }
    });
  });

  describe("sinkhornDivergence", () => {
    const [x, y] = [pseudorandom(f64, 11, 15, 2), pseudorandom(f64, 12, 12, 2, 0.5)];
    const shapes = { shape: [5, 3], yShape: [4, 3] };

    it.each([1, 2])("of order %d goes with the scale of the points and of ε, and its gradient likewise", (order) => {
      const options = { ...shapes, order, epsilon: 0.125 };
      const wanted = sinkhornDivergenceWithGrad(x, y, options);
      // ε is a number as others
      for (const exponent of [-1000, -700, -500, -300, 300, 500, 700, 1000].filter((e) => Math.abs(order * e) < 1018)) {
        const epsilon = times(0.125, order * exponent);
        const [a, b] = [x, y].map((v) => v.map((c: number) => times(c, exponent)) as FloatArray);
        const got = sinkhornDivergenceWithGrad(a, b, { ...options, epsilon });
        close(times(got.value, -order * exponent), wanted.value, 1e-12);
        got.grad.forEach((g: number, k: number) => {
          expect(Math.abs(times(g, (1 - order) * exponent) - (wanted.grad[k] as number))).toBeLessThanOrEqual(1e-9);
        });
      }
    });

    it("of ε far beyond the costs is half the squared distance of energies, with few digits less", () => {
      const mean = (p: FloatArray, q: FloatArray, order: number): number => {
        const [n, m] = [p.length / 3, q.length / 3];
        let sum = 0;
        for (let i = 0; i < n; i++)
          for (let j = 0; j < m; j++) {
            let square = 0;
            for (let k = 0; k < 3; k++) square += ((p[3 * i + k] as number) - (q[3 * j + k] as number)) ** 2;
            sum += order === 2 ? square : Math.sqrt(square);
          }
        return sum / (n * m);
      };
      for (const order of [1, 2]) {
        const wanted = mean(x, y, order) - mean(x, x, order) / 2 - mean(y, y, order) / 2;
        for (const epsilon of [1e8, 1e12, 1e20, 1e300])
          close(sinkhornDivergence(x, y, { ...shapes, order, epsilon }).value, wanted, 1e-6);
      }
    });
  });
});
