/** Exact transport: against HiGHS, permutations, the line; what makes a plan and its potentials optimal; degenerate input. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EmdResult, emd, resident } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import { sum } from "../support/reference.ts";
import { type DType, type FloatArray, f64, forEachType, forEachVariant } from "../support/variants.ts";

interface Case {
  readonly name: string;
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly cost: readonly (number | null)[];
  readonly optimum: number | null;
}
const { cases } = JSON.parse(readFileSync(new URL("../fixtures/emd.json", import.meta.url), "utf8")) as {
  cases: readonly Case[];
};

const loose = emd as (...args: unknown[]) => EmdResult;
type Values = ArrayLike<number>;
const at = (values: Values, i: number): number => values[i] as number;
const filled = (n: number, value: number): Float64Array => new Float64Array(n).fill(value);
const matrix = (n: number, m: number, cost: (i: number, j: number) => number): Float64Array =>
  Float64Array.from({ length: n * m }, (_, k) => cost(Math.floor(k / m), k % m));
const uniform = (seed: number, n: number): FloatArray => pseudorandom(f64, seed, n, 1, 0.5);
const normalized = (values: Float64Array): Float64Array => {
  const total = sum(values.length, (i) => at(values, i));
  return values.map((v) => v / total);
};

/** The four conditions of optimality, to `tolerance` relative to the total mass and the largest cost. */
function expectOptimal(got: EmdResult, a: Values, b: Values, cost: Values, tolerance: number): void {
  const [n, m] = [a.length, b.length];
  const plan = got.plan as FloatArray;
  const total = sum(n, (i) => at(a, i));
  let largest = 0;
  for (let k = 0; k < n * m; k++) if (at(cost, k) < Infinity) largest = Math.max(largest, Math.abs(at(cost, k)));
  const slack = tolerance * largest;
  expect([got.f.length, got.g.length, plan.length]).toEqual([n, m, n * m]);
  let used = 0;
  for (let i = 0; i < n; i++) {
    expect(Math.abs(sum(m, (j) => at(plan, i * m + j)) - at(a, i))).toBeLessThanOrEqual(tolerance * total);
    for (let j = 0; j < m; j++) {
      const k = i * m + j;
      const reduced = at(cost, k) - (at(got.f, i) + at(got.g, j));
      if (!(at(plan, k) >= 0 && reduced >= -slack)) expect.fail(`[${i}, ${j}]: ${plan[k]}, ${reduced}`);
      if (at(plan, k) > 0) {
        used++;
        if (!(reduced <= slack)) expect.fail(`mass where the reduced cost is ${reduced}, allowed ${slack}`);
      }
    }
  }
  for (let j = 0; j < m; j++)
    expect(Math.abs(sum(n, (i) => at(plan, i * m + j)) - at(b, j))).toBeLessThanOrEqual(tolerance * total);
  expect(used).toBeLessThanOrEqual(n + m - 1);
  const dual = sum(n, (i) => at(a, i) * at(got.f, i)) + sum(m, (j) => at(b, j) * at(got.g, j));
  const primal = sum(n * m, (k) => (at(plan, k) === 0 ? 0 : at(plan, k) * at(cost, k)));
  expect(Math.abs(got.cost - dual)).toBeLessThanOrEqual(2 * slack * total);
  expect(Math.abs(got.cost - primal)).toBeLessThanOrEqual(slack * total);
}

/** Of results in the type: rounded costs, masses and potentials. */
const toleranceOf = ({ unit }: DType, size: number): number => 8 * size * unit;

forEachType((dtype) => {
  const { array } = dtype;
  const typed = (values: Values): FloatArray => new array(values);

  describe("optima of HiGHS", () => {
    it.each(cases)("$name", ({ a, b, cost, optimum }) => {
      const costs = cost.map((c) => c ?? Infinity);
      const call = () => emd(typed(a), typed(b), typed(costs), { plan: true });
      if (optimum === null) {
        expect(call).toThrow(/^emd: "cost" must be finite for enough pairs/);
        return;
      }
      const got = call();
      // integers: nothing is rounded
      expect(got.cost).toBe(optimum);
      expectOptimal(got, a, b, costs, 0);
      expect(got.plan).toBeInstanceOf(array);
      expect(got.f).toBeInstanceOf(array);
      expect(got.g).toBeInstanceOf(array);
      expect(emd(typed(a), typed(b), typed(costs))).toEqual({ cost: got.cost, f: got.f, g: got.g });
    });
  });

  it("any plan is optimal: feasible, dual feasible, slack", () => {
    const mass = fc.oneof(
      fc.integer({ min: 0, max: 3 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(1e-30, 1e-12, 0.1),
    );
    const value = fc.oneof(
      fc.integer({ min: -2, max: 2 }),
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.constant(0.1),
    );
    const problem = fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
      .chain(([n, m]) =>
        fc.tuple(
          fc.array(mass, { minLength: n, maxLength: n }),
          fc.array(mass, { minLength: m, maxLength: m }),
          fc.array(value, { minLength: n * m, maxLength: n * m }),
        ),
      );
    fc.assert(
      fc.property(problem, ([p, q, c]) => {
        // some mass in either, the same in both
        p[0] = at(p, 0) + 1;
        q[0] = at(q, 0) + 1;
        const [a, b, cost] = [
          typed(normalized(Float64Array.from(p))),
          typed(normalized(Float64Array.from(q))),
          typed(c),
        ];
        const got = emd(a, b, cost, { plan: true });
        expectOptimal(got, a, b, cost, toleranceOf(dtype, p.length + q.length));
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it("the least of all permutations, n ≤ 7", () => {
    const least = (cost: Values, n: number, i = 0, taken = 0): number => {
      if (i === n) return 0;
      let best = Infinity;
      for (let j = 0; j < n; j++)
        if (!(taken & (1 << j))) best = Math.min(best, at(cost, i * n + j) + least(cost, n, i + 1, taken | (1 << j)));
      return best;
    };
    for (let n = 1; n <= 7; n++) {
      for (let seed = 0; seed < 5; seed++) {
        // multiples of 1/64 are summed without rounding; the coarse ones tie
        const steps = seed % 2 ? 64 : 4;
        const cost = typed(uniform(10 * n + seed, n * n).map((v) => Math.round(v * steps) / steps));
        const got = emd(typed(filled(n, 1)), typed(filled(n, 1)), cost, { plan: true });
        expect(got.cost).toBe(least(cost, n));
        expect([...(got.plan as FloatArray)].filter((v) => v !== 0)).toEqual(Array(n).fill(1));
      }
    }
  });

  it.each([1, 2])("on the line, cost |x − y|^%i: points in order, n = 500", (order) => {
    const n = 500;
    const [x, y] = [1, 2].map((seed) => typed(uniform(seed, n))) as [FloatArray, FloatArray];
    const cost = typed(matrix(n, n, (i, j) => Math.abs(at(x, i) - at(y, j)) ** order));
    const [u, v] = [x.slice().sort(), y.slice().sort()];
    const expected = sum(n, (i) => Math.abs(at(u, i) - at(v, i)) ** order / n);
    const weights = typed(filled(n, 1 / n));
    const got = emd(weights, weights, cost).cost;
    // costs are rounded to the type, and for f32 1/n too
    const relative = dtype === f64 ? 1e-13 : 3e-7;
    expect(Math.abs(got - expected)).toBeLessThanOrEqual(relative * expected);
  });

  it("views with offsets, tensors, shared memory, residents and numbers are the same problem; nothing is written", () => {
    const [a, b, cost] = [
      [2, 1, 3],
      [4, 2],
      [1, 5, 2, 0, 7, 3],
    ].map(typed) as [FloatArray, FloatArray, FloatArray];
    const want = emd(a, b, cost, { plan: true });
    const behind = (values: FloatArray): FloatArray => {
      const wide = new array(values.length + 6).fill(NaN);
      wide.set(values, 3);
      return wide.subarray(3, 3 + values.length);
    };
    const shared = (values: FloatArray): FloatArray => {
      const copy = new array(new SharedArrayBuffer(values.byteLength));
      copy.set(values);
      return copy;
    };
    const held = [a, b, cost].map((values) => {
      const r = resident(dtype.name, values.length);
      r.set(values);
      return r;
    });
    expect(loose(...held, { plan: true })).toEqual(want);
    for (const r of held) r.dispose();
    expect(loose(...[a, b, cost].map(behind), { plan: true })).toEqual(want);
    expect(loose(...[a, b, cost].map(shared), { plan: true })).toEqual(want);
    expect(loose(a, { data: b, dims: [2] }, { data: cost, shape: [3, 2] }, { plan: true })).toEqual(want);
    expect(loose([...a], [...b], cost, { plan: true })).toEqual(want);
    expect(loose([...a], b, [...cost], { plan: true })).toEqual(want);
    expect(loose([...a], [...b], [...cost]).f).toBeInstanceOf(Float64Array);
    expect([a, b, cost].map((values) => [...values])).toEqual([
      [2, 1, 3],
      [4, 2],
      [1, 5, 2, 0, 7, 3],
    ]);
  });
});

forEachVariant(() => {
  const squared = (x: Values, y: Values, n: number): Float64Array =>
    matrix(n, n, (i, j) => (at(x, 2 * i) - at(y, 2 * j)) ** 2 + (at(x, 2 * i + 1) - at(y, 2 * j + 1)) ** 2);

  it.each([0, 100])("n = 500 in the plane, + %i: duality gap ≤ 1e-12 of the cost", (offset) => {
    const n = 500;
    const cost = squared(uniform(1, 2 * n), uniform(2, 2 * n), n).map((c) => c + offset);
    const [a, b] = [3, 4].map((seed) => normalized(uniform(seed, n) as Float64Array)) as [Float64Array, Float64Array];
    const got = emd(a, b, cost, { plan: true });
    expectOptimal(got, a, b, cost, 1e-14);
    const dual = sum(n, (i) => at(a, i) * at(got.f, i) + at(b, i) * at(got.g, i));
    expect(Math.abs(got.cost - dual)).toBeLessThanOrEqual(1e-12 * got.cost);
  });

  it("POT's examples: emd is the plan, emd2 the cost", () => {
    const { cost, plan } = emd([0.5, 0.5], [0.5, 0.5], [0, 1, 1, 0], { plan: true });
    expect(plan).toEqual(Float64Array.of(0.5, 0, 0, 0.5));
    expect(cost).toBe(0);
  });

  describe("degenerate problems end", () => {
    const n = 200;
    const even = filled(n, 1 / n);
    const line = (p: number) => matrix(n, n, (i, j) => (Math.abs(i - j) / n) ** p);
    const tails = (centre: number): Float64Array =>
      normalized(Float64Array.from({ length: n }, (_, i) => Math.exp(-(((i / n - centre) * 10) ** 2))));
    const problems: [string, Float64Array, Float64Array, Float64Array][] = [
      ["costs all equal", even, even, filled(n * n, 0.1)],
      ["costs all 0", even, even, filled(n * n, 0)],
      ["costs 0 or 1", even, even, (uniform(5, n * n) as Float64Array).map(Math.round)],
      ["a = b on a line", even, even, line(1)],
      ["each point thrice", even, even, matrix(n, n, (i, j) => Math.abs((i % 70) - (j % 67)))],
      ["products", even, even, matrix(n, n, (i, j) => i * j)],
      // flows of 1e-28 beside 0.05, potentials that tie: without exact flows and a tolerance that grows n = 500 passed 10⁶ pivots
      ["bells on a line", tails(0.2), tails(0.7), line(1)],
      ["bells on a line, squared", tails(0.2), tails(0.7), line(2)],
      ["one mass is all", tails(0.5), Float64Array.from({ length: n }, (_, j) => +(j === 7)), line(1)],
      [
        "masses of 1e-300 beside 1",
        ...([0, 1].map((k) => Float64Array.from({ length: n }, (_, i) => (i === k ? 1 : 1e-300))) as [
          Float64Array,
          Float64Array,
        ]),
        line(1),
      ],
    ];
    it.each(problems)("%s", (_, a, b, cost) => {
      expectOptimal(emd(a, b, cost, { plan: true }), a, b, cost, toleranceOf(f64, 2 * n));
    });

    it("bells on a line cost what their cumulative sums differ by", () => {
      const [a, b] = [tails(0.2), tails(0.7)];
      let [drift, want] = [0, 0];
      for (let i = 0; i < n; i++) {
        drift += at(a, i) - at(b, i);
        want += Math.abs(drift) / n;
      }
      expect(Math.abs(emd(a, b, line(1)).cost - want)).toBeLessThanOrEqual(1e-13 * want);
    });
  });

  // 16 rows for a column and more begin with every fourth row, 64 with every sixteenth
  describe.each([
    [1, 1000],
    [1000, 1],
    [2, 5000],
    [5000, 3],
    [40_000, 3],
    [4, 20_000],
    [63, 4],
    [64, 4],
    [1000, 17],
    [40, 2000],
  ])("long and thin: %i × %i", (n, m) => {
    const random = (size: number): Float64Array => normalized(uniform(size, size) as Float64Array);
    const sparse = (size: number): Float64Array =>
      normalized((uniform(size, size) as Float64Array).map((v, i) => (i % 3 === 1 ? 0 : v)));
    const coarse = (levels: number): Float64Array =>
      (uniform(3, n * m) as Float64Array).map((v) => Math.round(v * levels));
    const points = (size: number): Float64Array => (uniform(size + 1, size) as Float64Array).sort();
    const [x, y] = [points(n), points(m)];
    const problems: [string, (size: number) => Float64Array, () => Float64Array][] = [
      ["any costs", random, () => uniform(3, n * m) as Float64Array],
      ["equal masses", (size) => filled(size, 1 / size), () => uniform(3, n * m) as Float64Array],
      ["costs of five levels", random, () => coarse(4)],
      ["costs of five levels, equal masses", (size) => filled(size, 1 / size), () => coarse(4)],
      ["costs 0 or 1, every third mass 0", sparse, () => coarse(1)],
      ["points in order on a line", random, () => matrix(n, m, (i, j) => (at(x, i) - at(y, j)) ** 2)],
      ["a mass that is nearly all", (size) => normalized(filled(size, 1e-12).fill(1, 0, 1)), () => coarse(64)],
    ];
    it.each(problems)("%s", (_, masses, costs) => {
      const [a, b, cost] = [masses(n), masses(m), costs()];
      expectOptimal(emd(a, b, cost, { plan: true }), a, b, cost, Math.max(1e-13, (n + m) * f64.unit));
    });
  });

  /** Integers of one sum, as far as they go: the last takes what is left. */
  const counts = (seed: number, size: number, total: number): Float64Array => {
    const values = normalized(uniform(seed, size) as Float64Array).map((v) => Math.floor(v * total));
    values[size - 1] = at(values, size - 1) + total - sum(size, (i) => at(values, i));
    return values;
  };

  it.each([4, 2 ** 20])("two columns, costs of %i levels: the rows that gain most by the first fill it", (levels) => {
    const n = 10_000;
    const a = counts(1, n, 2 ** 16);
    const b = counts(2, 2, 2 ** 16);
    const cost = (uniform(3, 2 * n) as Float64Array).map((v) => Math.round(v * levels));
    let [room, want] = [at(b, 0), 0];
    const gain = (i: number): number => at(cost, 2 * i) - at(cost, 2 * i + 1);
    for (const i of Int32Array.from(a.keys()).sort((i, k) => gain(i) - gain(k))) {
      const flow = Math.min(room, at(a, i));
      room -= flow;
      want += at(cost, 2 * i + 1) * at(a, i) + gain(i) * flow;
    }
    expect(emd(a, b, cost).cost).toBe(want);
    const turned = matrix(2, n, (j, i) => at(cost, 2 * i + j));
    expect(emd(b, a, turned).cost).toBe(want);
  });

  it("three columns: the least of all plans, row by row", () => {
    for (let seed = 0; seed < 8; seed++) {
      const [n, total] = [60, 90];
      const [a, b] = [counts(10 + seed, n, total), counts(20 + seed, 3, total)];
      const levels = seed % 2 ? 64 : 3;
      const cost = (uniform(30 + seed, 3 * n) as Float64Array).map((v) => Math.round(v * levels));
      // by what the first two columns have got so far
      const [width, height] = [at(b, 0) + 1, at(b, 1) + 1];
      let least = filled(width * height, Infinity).fill(0, 0, 1);
      let placed = 0;
      for (let i = 0; i < n; i++) {
        const next = filled(width * height, Infinity);
        const mass = at(a, i);
        placed += mass;
        for (let p = 0; p < width; p++) {
          for (let q = 0; q < height; q++) {
            const before = at(least, p * height + q);
            if (before === Infinity) continue;
            for (let u = 0; u <= mass && p + u < width; u++) {
              for (let v = 0; u + v <= mass && q + v < height; v++) {
                if (placed - (p + u) - (q + v) > at(b, 2)) continue;
                const to = (p + u) * height + q + v;
                const flows = [u, v, mass - u - v];
                next[to] = Math.min(at(next, to), before + sum(3, (j) => at(flows, j) * at(cost, 3 * i + j)));
              }
            }
          }
        }
        least = next;
      }
      const got = emd(a, b, cost, { plan: true });
      expect(got.cost).toBe(at(least, width * height - 1));
      expectOptimal(got, a, b, cost, 0);
    }
  });

  it.each([
    [20_000, 3],
    [2, 20_000],
  ])("on the line, %i and %i points of any mass: in order", (n, m) => {
    const [x, y] = [n, m].map((size) => (uniform(size + 7, size) as Float64Array).sort()) as [
      Float64Array,
      Float64Array,
    ];
    const [a, b] = [counts(1, n, 2 ** 40), counts(2, m, 2 ** 40)];
    let [i, j, moved, want] = [0, 0, 0, 0];
    let [left, room] = [at(a, 0), at(b, 0)];
    while (moved < 2 ** 40) {
      const flow = Math.min(left, room);
      want += flow * (at(x, i) - at(y, j)) ** 2;
      moved += flow;
      left -= flow;
      room -= flow;
      if (left === 0) left = at(a, ++i);
      if (room === 0) room = at(b, ++j);
    }
    const { cost } = emd(
      a,
      b,
      matrix(n, m, (i, j) => (at(x, i) - at(y, j)) ** 2),
    );
    expect(Math.abs(cost - want)).toBeLessThanOrEqual(1e-12 * want);
  });

  it("forbidden pairings of a long problem: kept out of, or refused", () => {
    const [n, m] = [3000, 3];
    const a = filled(n, 1 / n);
    const b = Float64Array.of(0.2, 0.3, 0.5);
    const cost = (uniform(3, n * m) as Float64Array).map((v, k) => (k % 7 === 0 ? Infinity : v));
    const { plan, cost: total } = emd(a, b, cost, { plan: true });
    expect(total).toBeLessThan(Infinity);
    for (let k = 0; k < n * m; k += 7) expect(at(plan as FloatArray, k)).toBe(0);
    expect(() =>
      emd(
        a,
        b,
        matrix(n, m, (_, j) => (j === 1 ? Infinity : 1)),
      ),
    ).toThrow(/^emd: "cost" must be finite/);
  });

  it("rows and columns without mass: zeros in the plan, the largest potentials, as if they were not there", () => {
    const cost = [3, 1, 9, 2, 8, 4, 5, 6, 7];
    const got = emd([1, 0, 2], [0, 1, 2], cost, { plan: true });
    const { plan, f, g } = got;
    expect(plan).toEqual(Float64Array.of(0, 1, 0, 0, 0, 0, 0, 0, 2));
    expect(got.cost).toBe(emd([1, 2], [1, 2], [1, 9, 6, 7]).cost);
    expect(f[1]).toBe(Math.min(8 - at(g, 1), 4 - at(g, 2)));
    expect(g[0]).toBe(Math.min(3 - at(f, 0), 2 - at(f, 1), 5 - at(f, 2)));
    const lost = emd([1, 0], [1, 0], [2, Infinity, Infinity, Infinity], { plan: true });
    expect([lost.cost, ...lost.f, ...lost.g].every(Number.isFinite)).toBe(true);
    expect(lost.plan).toEqual(Float64Array.of(1, 0, 0, 0));
  });

  it("potentials are slopes of the cost", () => {
    const n = 20;
    const cost = uniform(1, n * n);
    const [a, b] = [2, 3].map((seed) => normalized(uniform(seed, n) as Float64Array)) as [Float64Array, Float64Array];
    const { cost: before, f } = emd(a, b, cost);
    const moved = a.slice();
    const step = 2 ** -30;
    moved[4] = at(moved, 4) - step;
    moved[11] = at(moved, 11) + step;
    const slope = (emd(moved, b, cost).cost - before) / step;
    expect(slope).toBeCloseTo(at(f, 11) - at(f, 4), 5);
  });

  it("a metric where the cost is one", () => {
    const n = 9;
    const x = uniform(7, 2 * n);
    const cost = squared(x, x, n).map(Math.sqrt);
    const mass = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: n, maxLength: n }).map((counts) => {
      counts[0] = at(counts, 0) + 1;
      return normalized(Float64Array.from(counts));
    });
    fc.assert(
      fc.property(mass, mass, mass, (a, b, c) => {
        const [ab, ba, bc, ac] = [
          [a, b],
          [b, a],
          [b, c],
          [a, c],
        ].map(([p, q]) => emd(p as Float64Array, q as Float64Array, cost).cost) as [number, number, number, number];
        expect(Math.abs(ab - ba)).toBeLessThanOrEqual(1e-15);
        expect(ac).toBeLessThanOrEqual(ab + bc + 1e-15);
        expect(emd(a, a, cost).cost).toBe(0);
        const distance = a.reduce((total, v, i) => total + Math.abs(v - at(b, i)), 0) / 2;
        const nearest = cost.reduce((least, v) => (v > 0 ? Math.min(least, v) : least), Infinity);
        expect(ab).toBeGreaterThanOrEqual(distance * nearest - 1e-15);
      }),
    );
  });

  it.each([2 ** -500, 2 ** 500, -1])("costs times %d, masses times 2^±400", (factor) => {
    const [a, b] = [Float64Array.of(0.1, 0.7, 0.2), Float64Array.of(0.5, 0.25, 0.25)];
    const cost = uniform(9, 9) as Float64Array;
    const reference = emd(a, b, factor < 0 ? cost.map((c) => -c) : cost).cost;
    const scaled = cost.map((c) => c * factor);
    expect(emd(a, b, scaled).cost).toBe(reference * Math.abs(factor));
    for (const mass of [2 ** -400, 2 ** 400])
      expect(
        emd(
          a.map((v) => v * mass),
          b.map((v) => v * mass),
          cost,
        ).cost,
      ).toBe(emd(a, b, cost).cost * mass);
  });

  it("totals that differ by rounding: b is scaled; by more: refused, with both", () => {
    const a = filled(7, 1 / 7);
    const b = filled(3, (1 + 1e-9) / 3);
    const { plan } = emd(a, b, filled(21, 1), { plan: true });
    for (let j = 0; j < 3; j++) expect(sum(7, (i) => at(plan as FloatArray, 3 * i + j))).toBeCloseTo(1 / 3, 14);
    expect(() => emd([1], [1.5], [1])).toThrow(new RangeError('emd: "b" must be of the sum of "a", 1, got 1.5'));
    expect(() => emd(a, filled(3, (1 + 1e-7) / 3), filled(21, 1))).toThrow(RangeError);
    const single = new Float32Array(3).fill((1 + 1e-4) / 3);
    expect(emd(new Float32Array(a), single, new Float32Array(21).fill(1)).cost).toBeCloseTo(1, 6);
  });

  const one = Float64Array.of(1);
  const failing: [string, unknown[], ErrorConstructor, string][] = [
    ["no masses", [[], [], []], RangeError, '"a" must be masses of a positive sum'],
    ["no mass", [[0, 0], [0], [1, 2]], RangeError, '"a" must be masses of a positive sum, got 0'],
    [
      "a negative mass",
      [
        [1, 1],
        [3, -1],
        [1, 2, 3, 4],
      ],
      RangeError,
      '"b[1]" must be finite and not negative, got -1',
    ],
    ["a NaN mass", [[NaN], [1], [1]], RangeError, '"a[0]" must be finite and not negative, got NaN'],
    ["an infinite mass", [[1], [Infinity], [1]], RangeError, '"b[0]" must be finite and not negative, got Infinity'],
    ["another sum than one that overflows", [[1e308, 1e308], [1], [1, 1]], RangeError, '"b" must be of the sum of "a"'],
    ["too few costs", [[1, 1], [2], [1]], RangeError, '"cost" must be of shape [2, 1], got [1]'],
    [
      "a cost matrix lying down",
      [[1, 1], [2], { data: Float64Array.of(1, 2), shape: [1, 2] }],
      RangeError,
      '"cost" must be of shape [2, 1], got [1, 2]',
    ],
    [
      "a NaN cost",
      [one, one, [NaN]],
      RangeError,
      '"cost[0]" must be a number from -1e+270 to 1e+270, or Infinity, got NaN',
    ],
    ["a NaN cost beside no mass", [[1, 0], [1], [1, NaN]], RangeError, '"cost[1]" must be'],
    ["a cost of −∞", [one, one, [-Infinity]], RangeError, '"cost[0]" must be a number from -1e+270'],
    [
      "mass with nowhere to go",
      [
        [1, 1],
        [1, 1],
        [1, Infinity, 2, Infinity],
      ],
      RangeError,
      '"cost" must be finite for enough pairs',
    ],
    ["nothing but +∞", [one, one, [Infinity]], RangeError, '"cost" must be finite for enough pairs'],
    ["a string", ["1", one, one], TypeError, '"a" must be a Float32Array'],
    ["no cost", [one, one], TypeError, '"cost" must be a Float32Array'],
    ["f32 beside f64", [one, new Float32Array(1), one], TypeError, "Float"],
    ["plan: 1", [one, one, one, { plan: 1 }], TypeError, '"plan" must be true or false, got 1'],
    ["options of the wrong kind", [one, one, one, 3], TypeError, '"options" must be an object'],
  ];
  it.each(failing)("%s is refused", (_, args, kind, message) => {
    expect(() => loose(...args)).toThrow(kind);
    expect(() => loose(...args)).toThrow(message);
  });
});
