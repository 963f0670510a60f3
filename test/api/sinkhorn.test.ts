/** sinkhorn: against exact optima, the plain iterations, and what it promises of masses, ε, interruption and bad input. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { info, type SinkhornProgress } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import { api, distance, marginals, plainPlan, problems, type Result, sum } from "../support/sinkhorn.ts";
import { type FloatArray, f64, forEachType, forEachVariant, resident } from "../support/variants.ts";

const { sinkhorn } = api;

/** A random problem: masses that sum to 1 to rounding, costs in [0, 1). */
function random(seed: number, n: number, m: number) {
  const masses = (length: number, s: number): Float64Array => {
    const raw = Float64Array.from(pseudorandom(f64, s, length, 1, 0.6));
    const total = sum(raw);
    return raw.map((v) => v / total);
  };
  return { a: masses(n, seed), b: masses(m, seed + 1), cost: pseudorandom(f64, seed + 2, n * m, 1, 0.5) };
}

forEachType(({ array, unit, name }) => {
  const of = (values: ArrayLike<number>): FloatArray => new array(values);

  it.each(problems)("$name", ({ a, b, cost, epsilon, ...exact }) => {
    const largest = Math.max(...cost.map(Math.abs));
    const options = { epsilon, plan: true, maxIterations: 1e5 };
    const r = sinkhorn(of(a), of(b), of(cost), options);
    expect(r.converged).toBe(true);
    expect(r.marginalError).toBeLessThanOrEqual(1e-9);
    for (const result of [r.f, r.g, r.plan]) expect(result).toBeInstanceOf(array);
    // what a marginal error of 1e-9 leaves, in the plan a multiple of it by the conditioning; and the rounding to the type
    expect(distance(r.plan as FloatArray, exact.plan)).toBeLessThanOrEqual(1e-7 + unit);
    expect(Math.abs(r.cost - exact.transported)).toBeLessThanOrEqual(1e-7 * largest);
    const objective = sum(a.map((v, i) => v * (r.f[i] as number))) + sum(b.map((v, j) => v * (r.g[j] as number)));
    expect(Math.abs(objective - exact.objective)).toBeLessThanOrEqual(1e-12 + 8 * unit * largest);
    const potentials = [...r.f].flatMap((f) => [...r.g].map((g) => f + g));
    expect(distance(potentials, exact.potentials)).toBeLessThanOrEqual(1e-6 * epsilon + 8 * unit * largest);
    // the entropic plan costs more than the best
    expect(r.cost).toBeGreaterThanOrEqual(exact.exact - 1e-9 * largest);
  });

  it("f, g, plan and cost fit together", () => {
    const { a, b, cost } = random(1, 13, 9);
    const c = of(cost);
    const r = sinkhorn(of(a), of(b), c, { epsilon: 0.05, plan: true });
    const plan = Float64Array.from(c, (v, k) => {
      const exponent = ((r.f[Math.floor(k / 9)] as number) + (r.g[k % 9] as number) - v) / 0.05;
      return Math.exp(exponent);
    });
    // a rounding of f and g is one of u·|f|/ε of the plan
    expect(distance(r.plan as FloatArray, plan)).toBeLessThanOrEqual(100 * unit);
    expect(Math.abs(r.cost - sum(plan.map((p, k) => p * (c[k] as number))))).toBeLessThanOrEqual(100 * unit);
    const [rows, columns] = marginals(r.plan as FloatArray, 13, 9);
    expect(distance(rows, of(a))).toBeLessThanOrEqual(16 * unit);
    expect(distance(columns, of(b))).toBeLessThanOrEqual(1e-9 + 16 * unit);
    expect(Math.abs(sum(columns.map((v, j) => Math.abs(v - (b[j] as number)))) - r.marginalError)).toBeLessThanOrEqual(
      64 * unit,
    );
  });

  it("masses may have any total: everything scales", () => {
    const { a, b, cost } = random(5, 6, 7);
    const times = (x: FloatArray, s: number): FloatArray => of(x.map((v) => v * s));
    const one = sinkhorn(of(a), of(b), of(cost), { epsilon: 0.1, plan: true });
    const many = sinkhorn(times(a, 1024), times(b, 1024), of(cost), { epsilon: 0.1, plan: true });
    expect(Math.abs(many.cost / 1024 - one.cost)).toBeLessThanOrEqual(1e-9);
    expect(
      distance(
        (many.plan as FloatArray).map((v) => v / 1024),
        one.plan as FloatArray,
      ),
    ).toBeLessThanOrEqual(1e-8);
  });

  it("rows and columns without mass: potential −∞, plan 0, and the rest as if they were not there", () => {
    const r = sinkhorn(of([0, 0.5, 0.5]), of([0.25, 0, 0.75]), of([9, 9, 9, 0, 9, 1, 1, 9, 0]), {
      epsilon: 0.5,
      plan: true,
    });
    const without = sinkhorn(of([0.5, 0.5]), of([0.25, 0.75]), of([0, 1, 1, 0]), { epsilon: 0.5, plan: true });
    expect([r.f[0], r.g[1]]).toEqual([-Infinity, -Infinity]);
    const [p, q] = [r.plan as FloatArray, without.plan as FloatArray];
    expect([p[0], p[1], p[2], p[4], p[7]]).toEqual([0, 0, 0, 0, 0]);
    expect(
      distance(
        [3, 5, 6, 8].map((k) => p[k] as number),
        q,
      ),
    ).toBeLessThanOrEqual(1e-8);
    expect(r.cost).toBeCloseTo(without.cost, 8);
  });

  it("a cost of +∞ forbids a pairing", () => {
    const r = sinkhorn(of([0.5, 0.5]), of([0.5, 0.5]), of([Infinity, 3, 1, 0]), { epsilon: 0.01, plan: true });
    expect(r.converged).toBe(true);
    expect(distance(r.plan as FloatArray, [0, 0.5, 0.5, 0])).toBeLessThanOrEqual(1e-8);
    expect(r.cost).toBeCloseTo(2, 6);
  });

  it("where pairings forbidden leave no plan, it ends without converging, and nothing is NaN", () => {
    const none = sinkhorn(of([0.5, 0.25, 0.25]), of([0.25, 0.25, 0.5]), of([0, Infinity, Infinity, 0, 0, 0, 0, 0, 0]), {
      epsilon: 0.1,
      maxIterations: 50,
    });
    expect(none.converged).toBe(false);
    expect(none.iterations).toBe(50);
    expect(none.marginalError).toBeGreaterThan(0.4);
    expect(none.cost).toBe(0);
  });

  it.each([1e-1, 1e-2, 1e-3, 1e-4, 1e-5])(
    "ε = %s of the largest cost: finite, from the first iteration on",
    (relative) => {
      const { a, b, cost } = random(9, 40, 33);
      for (const scale of [1e-3, 1, 1e6]) {
        const c = of(cost.map((v) => v * scale));
        for (const maxIterations of [1, 2, 7, 100]) {
          const r = sinkhorn(of(a), of(b), c, { epsilon: relative * scale, maxIterations, plan: true });
          for (const values of [r.f, r.g, r.plan as FloatArray, [r.cost, r.marginalError]])
            expect(Array.from(values).every(Number.isFinite)).toBe(true);
          expect(r.iterations).toBeLessThanOrEqual(maxIterations);
          const [rows] = marginals(r.plan as FloatArray, 40, 33);
          expect(distance(rows, of(a))).toBeLessThanOrEqual(64 * unit);
        }
      }
    },
  );

  it("the ε of an interrupted run is the one asked for", () => {
    const { a, b, cost } = random(3, 8, 8);
    for (const maxIterations of [1, 2, 3]) {
      const r = sinkhorn(of(a), of(b), of(cost), { epsilon: 0.02, maxIterations, plan: true });
      const c = of(cost);
      const plan = Array.from(c, (v, k) => Math.exp(((r.f[k >> 3] as number) + (r.g[k & 7] as number) - v) / 0.02));
      expect(distance(r.plan as FloatArray, plan)).toBeLessThanOrEqual(400 * unit);
    }
  });

  it("arrays of every kind: a view, shared memory, tensors, numbers, residents", () => {
    const { a, b, cost } = random(7, 5, 6);
    const options = { epsilon: 0.1, plan: true };
    const wanted = sinkhorn(of(a), of(b), of(cost), options);
    const view = (x: FloatArray): FloatArray => {
      const buffer = new SharedArrayBuffer((x.length + 3) * array.BYTES_PER_ELEMENT);
      const shifted = new array(buffer, array.BYTES_PER_ELEMENT, x.length);
      shifted.set(of(x));
      return shifted;
    };
    const kept = (x: FloatArray) => {
      const r = resident(name, x.length);
      r.set(of(x));
      return r;
    };
    const residents = [kept(a), kept(b), kept(cost)] as const;
    const ways: [unknown, unknown, unknown][] = [
      [view(a), view(b), view(cost)],
      [Array.from(a), Array.from(b), of(cost)],
      [Array.from(a), of(b), { data: of(cost), shape: [5, 6] }],
      [{ data: of(a), dims: [5] }, Array.from(b), Array.from(of(cost))],
      [...residents],
    ];
    const before = of(cost);
    for (const way of ways) expect(sinkhorn(...way, options)).toEqual(wanted);
    expect(of(cost)).toEqual(before);
    for (const r of residents) r.dispose();
  });

  it("a progress callback may use the package, and even make memory grow", () => {
    const { a, b, cost } = random(11, 8, 8);
    const options = { epsilon: 0.01, plan: true };
    const wanted = sinkhorn(of(a), of(b), of(cost), options);
    const held = resident(name, 64);
    held.set(of(cost));
    const made: { dispose(): void }[] = [];
    const progress = () => {
      sinkhorn(of(b), of(a), of(cost), { epsilon: 0.3 });
      made.push(resident("f64", 2 ** 16));
    };
    expect(sinkhorn(of(a), of(b), held, { ...options, progress })).toEqual(wanted);
    expect(made.length).toBeGreaterThan(1);
    for (const r of [held, ...made]) r.dispose();
  });
});

forEachVariant(() => {
  const problem = fc
    .tuple(fc.integer({ min: 1, max: 2 ** 30 }), fc.integer({ min: 1, max: 21 }), fc.integer({ min: 1, max: 21 }))
    .map(([seed, n, m]) => random(seed, n, m));

  it("is what plain iterations in the log domain arrive at", () => {
    fc.assert(
      fc.property(problem, fc.double({ min: 0.08, max: 3, noNaN: true }), ({ a, b, cost }, epsilon) => {
        const r = sinkhorn(a, b, cost, { epsilon, plan: true, tolerance: 1e-12 });
        expect(r.converged).toBe(true);
        expect(distance(r.plan as FloatArray, plainPlan(a, b, cost, epsilon, 1500))).toBeLessThanOrEqual(1e-10);
      }),
      { numRuns: 25 },
    );
  });

  it("cost + constants of rows and of columns: the same plan; transposed: the transposed plan", () => {
    fc.assert(
      fc.property(problem, fc.double({ min: -5, max: 5, noNaN: true }), ({ a, b, cost }, shift) => {
        const [n, m] = [a.length, b.length];
        const options = { epsilon: 0.1, plan: true, tolerance: 1e-12 };
        const { plan } = sinkhorn(a, b, cost, options) as { plan: FloatArray };
        const moved = cost.map((v, k) => v + shift * Math.floor(k / m) - (k % m));
        expect(distance(sinkhorn(a, b, moved, options).plan as FloatArray, plan)).toBeLessThanOrEqual(1e-9);
        const turn = (x: FloatArray): Float64Array =>
          Float64Array.from(x, (_, k) => x[(k % n) * m + Math.floor(k / n)] as number);
        expect(distance(sinkhorn(b, a, turn(cost), options).plan as FloatArray, turn(plan))).toBeLessThanOrEqual(1e-9);
      }),
      { numRuns: 50 },
    );
  });

  it("the cost falls with ε to that of the best plan", () => {
    for (const { a, b, cost, exact } of problems.filter((_, k) => k % 4 === 0)) {
      const costs = [1, 0.3, 0.1, 0.03, 0.01, 0.003].map(
        (epsilon) => sinkhorn(a, b, cost, { epsilon, maxIterations: 1e5 }).cost,
      );
      costs.forEach((v, k) => {
        expect(v).toBeLessThanOrEqual((costs[k - 1] ?? Infinity) + 1e-8);
      });
      expect((costs.at(-1) as number) - exact).toBeLessThanOrEqual(0.003 * Math.log(a.length * b.length));
    }
  });

  it("large problems have memory of their own, and take mass as it comes", () => {
    const { a, b, cost } = random(21, 500, 300);
    a.fill(0, 0, 10);
    const total = sum(a);
    const before = info().memoryBytes;
    const r = sinkhorn(
      a.map((v) => v / total),
      b,
      cost,
      { epsilon: 0.001 },
    ) as Result;
    expect(r.converged).toBe(true);
    expect(info().memoryBytes).toBe(before);
  });

  describe("ends", () => {
    const { a, b, cost } = random(2, 20, 20);
    it("at maxIterations, without throwing", () => {
      const r = sinkhorn(a, b, cost, { epsilon: 0.001, maxIterations: 17 });
      expect([r.iterations, r.converged]).toEqual([17, false]);
      expect(r.marginalError).toBeGreaterThan(1e-9);
    });

    it("at the tolerance, and tells on the way", () => {
      const seen: SinkhornProgress[] = [];
      const r = sinkhorn(a, b, cost, {
        epsilon: 0.01,
        tolerance: 1e-6,
        progress: (p: SinkhornProgress) => seen.push(p),
      });
      expect(seen.slice(0, -1).map((p) => p.iteration)).toEqual(seen.slice(0, -1).map((_, k) => 10 * (k + 1)));
      expect(seen.at(-1)).toEqual({ iteration: r.iterations, marginalError: r.marginalError, epsilon: 0.01 });
      expect(seen.every((p, k) => k === 0 || p.epsilon <= (seen[k - 1] as SinkhornProgress).epsilon)).toBe(true);
      expect(r.marginalError).toBeLessThanOrEqual(1e-6);
    });

    it("by a signal, aborted before or by the callback", () => {
      expect(() => sinkhorn(a, b, cost, { epsilon: 0.1, signal: AbortSignal.abort("before") })).toThrow("before");
      const controller = new AbortController();
      const reason = new Error("enough");
      let last = 0;
      const progress = (p: SinkhornProgress) => {
        last = p.iteration;
        if (last === 20) controller.abort(reason);
      };
      const run = () => sinkhorn(a, b, cost, { epsilon: 0.001, tolerance: 0, progress, signal: controller.signal });
      expect(run).toThrow(reason);
      expect(last).toBe(20);
    });
  });

  const two = [0.5, 0.5];
  const c4 = [0, 1, 1, 0];
  const e = { epsilon: 1 };
  it.each<[unknown[], ErrorConstructor, RegExp]>([
    [[two, two, c4], TypeError, /"epsilon" must be a number, got undefined/],
    [[two, two, c4, 3], TypeError, /"options"/],
    [[two, two, c4, { epsilon: 0 }], RangeError, /"epsilon".*got 0/],
    [[two, two, c4, { epsilon: -1 }], RangeError, /"epsilon".*got -1/],
    [[two, two, c4, { epsilon: Number.NaN }], RangeError, /"epsilon".*NaN/],
    [[two, two, c4, { epsilon: Infinity }], RangeError, /"epsilon".*Infinity/],
    [[two, two, c4, { ...e, maxIterations: 0 }], RangeError, /"maxIterations"/],
    [[two, two, c4, { ...e, maxIterations: 1.5 }], RangeError, /"maxIterations"/],
    [[two, two, c4, { ...e, tolerance: -1 }], RangeError, /"tolerance"/],
    [[two, two, c4, { ...e, plan: 1 }], TypeError, /"plan"/],
    [[two, two, c4, { ...e, progress: 1 }], TypeError, /"progress"/],
    [[two, two, c4, { ...e, signal: {} }], TypeError, /"signal"/],
    [[two, two, c4, { ...e, signal: null }], TypeError, /"signal"/],
    [[two, two, [0, 1, 1], e], RangeError, /"cost" must be of shape \[2, 2\], got \[3\]/],
    [
      [two, two, { data: new Float64Array(4), shape: [4, 1] }, e],
      RangeError,
      /"cost" must be of shape \[2, 2\], got \[4, 1\]/,
    ],
    [[[], [], [], e], RangeError, /"a"/],
    [[two, [], [], e], RangeError, /"b"/],
    [[[0, 0], two, c4, e], RangeError, /"a" must be masses of a positive/],
    [[[-0.5, 1.5], two, c4, e], RangeError, /"a\[0\]".*-0.5/],
    [[two, [0.5, Number.NaN], c4, e], RangeError, /"b\[1\]".*NaN/],
    [[two, [0.5, Infinity], c4, e], RangeError, /"b\[1\]".*Infinity/],
    [[two, [0.5, 0.6], c4, e], RangeError, /"b".*sum of "a", 1, got 1.1/],
    [[two, two, [0, 1, Number.NaN, 0], e], RangeError, /"cost\[2\]".*NaN/],
    [[two, two, [0, 1, -Infinity, 0], e], RangeError, /"cost\[2\]".*-Infinity/],
    [[two, two, [Infinity, Infinity, 1, 0], e], RangeError, /"cost".*row 0/],
    [[two, two, [Infinity, 1, Infinity, 0], e], RangeError, /"cost".*column 0/],
    [[two, [0, 1], [0, Infinity, 1, 0], e], RangeError, /"cost".*row 0/],
    [[new Float32Array(two), two, new Float64Array(c4), e], TypeError, /"cost" must be a Float32Array like "a"/],
    [[two, two, "cost", e], TypeError, /"cost"/],
    [["a", two, c4, e], TypeError, /"a"/],
  ])("bad input %#: a clear error", (args, kind, message) => {
    expect(() => sinkhorn(...args)).toThrow(kind);
    expect(() => sinkhorn(...args)).toThrow(message);
    expect(() => sinkhorn(...args)).toThrow(/^sinkhorn: /);
  });
});
