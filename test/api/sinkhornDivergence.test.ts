/** sinkhornDivergence: exact values and gradients, what makes it a divergence, its limits, and bad input. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { info, type SinkhornProgress } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import { api, distance, divergences, sum } from "../support/sinkhorn.ts";
import { type FloatArray, f64, forEachType, forEachVariant, resident } from "../support/variants.ts";

const { sinkhorn, sinkhornDivergenceWithGrad } = api;
const sinkhornDivergence = (...args: unknown[]): number => api.sinkhornDivergence(...args).value;

const rowsOf = (x: FloatArray, d: number): FloatArray[] =>
  Array.from({ length: x.length / d }, (_, i) => x.slice(i * d, (i + 1) * d));
const cloud = (seed: number, length: number, offset = 0): FloatArray => pseudorandom(f64, seed, length, 1, offset);

forEachType(({ array, unit, name }) => {
  const of = (values: ArrayLike<number>): FloatArray => new array(values);

  it.each(divergences)("$name", ({ x, y, d, a, b, order, epsilon, value, grad }) => {
    const shapes = { shape: [x.length / d, d], yShape: [y.length / d, d] };
    const options = {
      ...shapes,
      order,
      epsilon,
      xWeights: of(a),
      yWeights: of(b),
      tolerance: 1e-12,
      maxIterations: 1e5,
    };
    const got = sinkhornDivergenceWithGrad(of(x), of(y), options);
    // the inputs are exact in f32, and all is computed in f64: the gradient alone is rounded
    expect(Math.abs(got.value - value)).toBeLessThanOrEqual(1e-13);
    expect(got.grad).toBeInstanceOf(array);
    expect(distance(got.grad, grad)).toBeLessThanOrEqual(1e-10 + 2 * unit);
    expect(sinkhornDivergence(of(x), of(y), options)).toBe(got.value);
    // by default, to the second order of a marginal error of 1e-6
    const { tolerance: _, ...byDefault } = options;
    const usual = sinkhornDivergenceWithGrad(of(x), of(y), byDefault);
    expect(Math.abs(usual.value - value)).toBeLessThanOrEqual(1e-9);
    expect(distance(usual.grad, grad)).toBeLessThanOrEqual(1e-5);
  });

  it.each([1, 2])("of equal clouds: exactly 0, with a gradient of 0; order %i", (order) => {
    const x = of(cloud(1, 30));
    const o = { shape: [10, 3], epsilon: 0.01, order };
    expect(sinkhornDivergenceWithGrad(x, x.slice(), o)).toEqual({
      value: 0,
      converged: true,
      iterations: 0,
      marginalError: 0,
      grad: new array(30),
    });
    expect(sinkhornDivergence(x, x, { ...o, xWeights: of(x.subarray(0, 10)).fill(3) })).toBe(0);
    // in another order they are the same distribution, to rounding, and never below 0
    const turned = of(Array.from(x, (_, k) => x[(k + 3) % 30] as number));
    const value = sinkhornDivergence(x, turned, { ...o, tolerance: 1e-12, maxIterations: 1e4 });
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(1e-12);
  });

  it("arrays of every kind: a view, shared memory, tensors, numbers, residents", () => {
    const [x, y] = [of(cloud(3, 8)), of(cloud(4, 6, 0.5))];
    const o = { shape: [4, 2], yShape: [3, 2], epsilon: 0.1 };
    const wanted = sinkhornDivergenceWithGrad(x, y, o);
    const shared = new array(new SharedArrayBuffer(16 * array.BYTES_PER_ELEMENT), 2 * array.BYTES_PER_ELEMENT, 8);
    shared.set(x);
    const held = resident(name, 6);
    held.set(y);
    expect(sinkhornDivergenceWithGrad(shared, held, o)).toEqual(wanted);
    expect(sinkhornDivergenceWithGrad({ data: x, shape: [4, 2] }, { data: y, dims: [3, 2] }, { epsilon: 0.1 })).toEqual(
      wanted,
    );
    expect(sinkhornDivergenceWithGrad(x, Array.from(y), o)).toEqual(wanted);
    expect(sinkhornDivergenceWithGrad(x, y, { ...o, xWeights: [2, 2, 2, 2], yWeights: of([1, 1, 1]) })).toEqual(wanted);
    held.dispose();
  });

  it("points without weight do not count, but are told where to go", () => {
    const [x, y] = [cloud(5, 10), cloud(6, 10, 0.3)];
    const o = { epsilon: 0.1, tolerance: 1e-12 };
    const all = sinkhornDivergenceWithGrad(of(x), of(y), { ...o, shape: [5, 2], xWeights: of([1, 1, 0, 1, 1]) });
    const four = of([...x.subarray(0, 4), ...x.subarray(6)]);
    const without = sinkhornDivergenceWithGrad(four, of(y), { ...o, shape: [4, 2], yShape: [5, 2] });
    expect(Math.abs(all.value - without.value)).toBeLessThanOrEqual(1e-12);
    expect([all.grad[4], all.grad[5]]).toEqual([0, 0]);
    expect(distance([...all.grad.subarray(0, 4), ...all.grad.subarray(6)], without.grad)).toBeLessThanOrEqual(
      1e-9 + unit,
    );
  });

  it("NaN or ∞ in a point: NaN, and no error", () => {
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      for (const order of [1, 2]) {
        const o = { shape: [2, 1], epsilon: 1, order };
        const got = sinkhornDivergenceWithGrad(of([0, bad]), of([1, 2]), o);
        expect(got).toEqual({
          value: Number.NaN,
          converged: false,
          iterations: 0,
          marginalError: Number.NaN,
          grad: new array(2).fill(Number.NaN),
        });
        expect(sinkhornDivergence(of([0, bad]), of([0, bad]), o)).toBe(Number.NaN);
        expect(sinkhornDivergence(of([0, 1]), of([bad, 2]), o)).toBe(Number.NaN);
      }
    }
  });
});

forEachVariant(() => {
  const sizes = fc.tuple(
    fc.integer({ min: 1, max: 2 ** 30 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 5 }),
    fc.constantFrom(1, 2),
  );

  it("≥ 0, symmetric, and what sinkhorn makes of the three matrices of costs", () => {
    fc.assert(
      fc.property(sizes, fc.double({ min: 0.4, max: 2, noNaN: true }), ([seed, n, m, d, order], epsilon) => {
        const [x, y] = [cloud(seed, n * d), cloud(seed + 1, m * d, 0.4)];
        const o = { shape: [n, d], yShape: [m, d], epsilon, order, tolerance: 1e-12, maxIterations: 1e4 };
        const value = sinkhornDivergence(x, y, o);
        expect(value).toBeGreaterThan(0);
        const turned = sinkhornDivergence(y, x, { ...o, shape: [m, d], yShape: [n, d] });
        expect(Math.abs(value - turned)).toBeLessThanOrEqual(1e-13);
        const ot = (p: FloatArray, q: FloatArray): number => {
          const [k, l] = [p.length / d, q.length / d];
          const cost = Float64Array.from({ length: k * l }, (_, at) => {
            const square = Array.from(
              { length: d },
              (_, c) => (p[Math.floor(at / l) * d + c] as number) - (q[(at % l) * d + c] as number),
            ).reduce((s, v) => s + v * v, 0);
            return order === 2 ? square : Math.sqrt(square);
          });
          const [a, b] = [new Float64Array(k).fill(1 / k), new Float64Array(l).fill(1 / l)];
          const r = sinkhorn(a, b, cost, { epsilon, tolerance: 1e-12, maxIterations: 1e4 });
          expect(r.converged).toBe(true);
          return sum(r.f) / k + sum(r.g) / l + epsilon * Math.log(k * l);
        };
        expect(Math.abs(value - (ot(x, y) - ot(x, x) / 2 - ot(y, y) / 2))).toBeLessThanOrEqual(1e-12);
      }),
      { numRuns: 40 },
    );
  });

  it("the gradient is that of central differences", () => {
    fc.assert(
      fc.property(sizes, ([seed, n, m, d, order]) => {
        const [x, y] = [cloud(seed, n * d), cloud(seed + 1, m * d, 0.4)];
        const o = { shape: [n, d], yShape: [m, d], epsilon: 0.2, order, tolerance: 1e-13, maxIterations: 1e4 };
        // a plain distance has a kink where two points meet
        const points = [...rowsOf(x, d), ...rowsOf(y, d)];
        fc.pre(order === 2 || points.every((p, i) => points.slice(0, i).every((q) => distance(p, q) > 0.005)));
        const { grad } = sinkhornDivergenceWithGrad(x, y, o);
        const h = 1e-4;
        const at = (i: number, by: number): number =>
          sinkhornDivergence(
            x.map((v, k) => (k === i ? v + by : v)),
            y,
            o,
          );
        // five points: h⁴ is 1e-16, the rounding of the values 1e-16/h; a short distance bends within h, in order 1
        const differences = Array.from(
          x,
          (_, i) => (8 * (at(i, h) - at(i, -h)) - (at(i, 2 * h) - at(i, -2 * h))) / (12 * h),
        );
        expect(distance(grad, differences)).toBeLessThanOrEqual(order === 2 ? 1e-9 : 1e-5);
      }),
      { numRuns: 20 },
    );
  });

  it("a translation by θ costs ‖θ‖², whatever ε", () => {
    const x = cloud(9, 60);
    for (const epsilon of [1, 0.1, 0.02]) {
      const theta = [0.5, -0.25, 1];
      const y = x.map((v, k) => v + (theta[k % 3] as number));
      const { value, grad } = sinkhornDivergenceWithGrad(x, y, {
        shape: [20, 3],
        epsilon,
        tolerance: 1e-12,
        maxIterations: 1e5,
      });
      expect(value).toBeCloseTo(1.3125, 11);
      // each point is drawn by θ alike: −2θ/n
      expect(
        distance(
          grad,
          Array.from(x, (_, k) => -(theta[k % 3] as number) / 10),
        ),
      ).toBeLessThanOrEqual(1e-9);
    }
  });

  it("ε → 0: the Wasserstein distance on the line, that of sorted points; ε → ∞: the distance of the means", () => {
    const sorted = (seed: number, offset: number): FloatArray => cloud(seed, 24, offset).sort();
    const [x, y] = [sorted(31, 0), sorted(32, 0.2)];
    const line = (order: number): number => sum(x.map((v, i) => Math.abs(v - (y[i] as number)) ** order)) / 24;
    for (const order of [1, 2]) {
      const errors = [1e-1, 1e-2, 1e-3].map((epsilon) =>
        Math.abs(sinkhornDivergence(x, y, { shape: [24, 1], epsilon, order, maxIterations: 1e4 }) - line(order)),
      );
      expect(errors[2]).toBeLessThanOrEqual(2e-3);
      expect(errors[2]).toBeLessThan(errors[0] as number);
    }
    const mean = (sum(x) - sum(y)) / 24;
    expect(sinkhornDivergence(x, y, { shape: [24, 1], epsilon: 1e4 })).toBeCloseTo(mean ** 2, 5);
  });

  it("points far from the origin keep their digits: differences, not norms", () => {
    const [x, y] = [cloud(13, 20), cloud(14, 20, 0.5)];
    const round = (v: number): number => Math.round(v * 1024) / 1024;
    const o = { shape: [10, 2], epsilon: 0.1, tolerance: 1e-12 };
    const far = (z: FloatArray): FloatArray => z.map((v) => round(v) + 1e9);
    const near = sinkhornDivergence(x.map(round), y.map(round), o);
    expect(sinkhornDivergence(far(x), far(y), o)).toBe(near);
  });

  it("thousands of points: no matrix of costs is held", () => {
    const [n, m] = [3000, 2500];
    const [x, y] = [cloud(15, 2 * n), cloud(16, 2 * m, 0.3)];
    const before = info().memoryBytes;
    const o = { shape: [n, 2], yShape: [m, 2], epsilon: 0.5, maxIterations: 30 };
    const { value, grad } = sinkhornDivergenceWithGrad(x, y, o);
    // what is held, f64: points and gradient, vectors, a block of 4 rows: less than the stage of 1 MiB
    expect(8 * (2 * (2 * n + m) + 10 * 3000)).toBeLessThan(2 ** 20);
    expect(info().memoryBytes).toBe(before);
    // the means alone are 0.3 apart on both axes, within what 3000 points leave
    expect(Math.abs(value - 0.18)).toBeLessThan(0.02);
    const along = sum(grad.map((v, k) => (k % 2 ? 0 : v)));
    expect(Math.abs(along + 0.6)).toBeLessThan(0.05);
  });

  describe("ends", () => {
    const [x, y] = [cloud(1, 20), cloud(2, 20, 0.5)];
    const o = { shape: [10, 2], epsilon: 0.01 };
    it("at maxIterations, and tells of the three problems in turn", () => {
      const seen: SinkhornProgress[] = [];
      const options = { ...o, maxIterations: 12, tolerance: 0, progress: (p: SinkhornProgress) => seen.push(p) };
      const result = api.sinkhornDivergence(x, y, options);
      expect(result.value).toBeGreaterThan(0);
      expect(seen.map((p) => p.iteration)).toEqual([10, 12, 10, 12, 10, 12]);
      const last = seen.filter((p) => p.iteration === 12).map((p) => p.marginalError);
      expect(result).toMatchObject({ converged: false, iterations: 12, marginalError: Math.max(...last) });
      expect(api.sinkhornDivergence(x, y, { ...o, epsilon: 1 })).toMatchObject({ converged: true });
    });

    it("by a signal", () => {
      const controller = new AbortController();
      const options = { ...o, tolerance: 0, signal: controller.signal, progress: () => controller.abort("enough") };
      expect(() => sinkhornDivergenceWithGrad(x, y, options)).toThrow("enough");
      expect(() => sinkhornDivergence(x, y, options)).toThrow("enough");
    });
  });

  it("no coordinates: no distance", () => {
    expect(sinkhornDivergence([], [], { shape: [2, 0], yShape: [3, 0], epsilon: 1 })).toBeLessThanOrEqual(1e-15);
  });

  const p = [0, 1];
  const o = { shape: [2, 1], epsilon: 1 };
  it.each<[unknown[], ErrorConstructor, RegExp]>([
    [[p, p], TypeError, /"epsilon"/],
    [[p, p, { shape: [2, 1] }], TypeError, /"epsilon"/],
    [[p, p, { ...o, epsilon: 0 }], RangeError, /"epsilon"/],
    [[p, p, { epsilon: 1 }], RangeError, /"shape"/],
    [[p, undefined, o], TypeError, /"y"/],
    [[p, p, { ...o, shape: [3, 1] }], RangeError, /"shape"/],
    [[p, p, { ...o, yShape: [1, 2] }], RangeError, /"yShape"/],
    [[[], p, { ...o, shape: [0, 1], yShape: [2, 1] }], RangeError, /"shape"/],
    [[p, [], { ...o, yShape: [0, 1] }], RangeError, /"yShape"/],
    [[p, p, { ...o, order: 3 }], RangeError, /"order".*3/],
    [[p, p, { ...o, xWeights: [1] }], RangeError, /"xWeights" must be of length 2/],
    [[p, p, { ...o, yWeights: [1, -1] }], RangeError, /"yWeights\[1\]"/],
    [[p, p, { ...o, yWeights: [0, 0] }], RangeError, /"yWeights"/],
    [[p, p, { ...o, xWeights: new Float32Array(2) }], RangeError, /"xWeights".*positive/],
    [[new Float64Array(p), p, { ...o, xWeights: new Float32Array([1, 1]) }], TypeError, /"xWeights"/],
    [[p, p, { ...o, tolerance: Number.NaN }], RangeError, /"tolerance"/],
    [[p, p, { ...o, signal: 1 }], TypeError, /"signal"/],
    [[new Float32Array(2), new Float64Array(2), o], TypeError, /"y"/],
  ])("bad input %#: a clear error", (args, kind, message) => {
    for (const fn of ["sinkhornDivergence", "sinkhornDivergenceWithGrad"] as const) {
      expect(() => api[fn](...args)).toThrow(kind);
      expect(() => api[fn](...args)).toThrow(message);
      expect(() => api[fn](...args)).toThrow(new RegExp(`^${fn}: `));
    }
  });
});
