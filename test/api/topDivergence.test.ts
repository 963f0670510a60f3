/** divergenceBounds: no completion outside, and both ends are some completion's. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { divergenceBounds, jsDivergence, klDivergence, tokenScores } from "../../src/index.ts";
import { forEachType } from "../support/variants.ts";

const { abs, log, exp, min, max, floor, LN2 } = Math;

/** Two truncated distributions: what is listed of each, outcome by outcome, undefined where it is not. */
interface Pair {
  readonly p: readonly (number | undefined)[];
  readonly q: readonly (number | undefined)[];
}

const kl = (a: number, b: number): number => (a === 0 ? 0 : b === 0 ? Infinity : a * log(a / b));
const js = (a: number, b: number): number => 0.5 * kl(a, (a + b) / 2) + 0.5 * kl(b, (a + b) / 2);
const TERMS = { kl, js };
const METRICS = ["kl", "js"] as const;

const divergence = (f: typeof kl, p: readonly number[], q: readonly number[]): number =>
  p.reduce((sum, a, i) => sum + f(a, q[i] as number), 0);

/** The largest of `probabilities`, k of them, as a list of what is known. */
function listed(probabilities: readonly number[], k: number): (number | undefined)[] {
  const order = Array.from(probabilities.keys()).sort(
    (i, j) => (probabilities[j] as number) - (probabilities[i] as number),
  );
  const known = new Set(order.slice(0, k));
  return probabilities.map((v, i) => (known.has(i) ? v : undefined));
}

const top = (side: Pair["p"]): { indices: number[]; logProbs: number[] } => {
  const indices = Array.from(side.keys()).filter((i) => side[i] !== undefined);
  return { indices, logProbs: indices.map((i) => log(side[i] as number)) };
};

const boundsOf = ({ p, q }: Pair, metric: "kl" | "js"): [number, number] => {
  const { lower, upper } = divergenceBounds(top(p), top(q), { size: p.length, metric });
  return [lower[0] as number, upper[0] as number];
};

/** What is left, for how many, and none with more than which. */
const tail = (side: Pair["p"]) => {
  const known = side.filter((v) => v !== undefined);
  return {
    open: Array.from(side.keys()).filter((i) => side[i] === undefined),
    cap: min(1, ...known),
    rest: max(0, 1 - known.reduce((a, b) => a + b, 0)),
  };
};

/** All vertices of a tail: as many of the cap as there can be, one with what is left. */
function vertices(side: Pair["p"]): number[][] {
  const { open, cap, rest } = tail(side);
  const full = min(open.length, floor(rest / cap));
  const left = full === open.length ? 0 : rest - full * cap;
  const part = left > 1e-14 ? left : 0;
  const all: number[][] = [];
  const fillIn = (chosen: readonly number[]): void => {
    for (const one of part > 0 ? open.filter((i) => !chosen.includes(i)) : [-1]) {
      all.push(side.map((v, i) => v ?? (chosen.includes(i) ? cap : i === one ? part : 0)));
    }
  };
  const choose = (from: number, chosen: number[]): void => {
    if (chosen.length === full) fillIn(chosen);
    else for (let i = from; i < open.length; i++) choose(i + 1, [...chosen, open[i] as number]);
  };
  choose(0, []);
  return all;
}

/** A completion by shares of what is left, each cut at the cap and the cut dealt out again. */
function completed(side: Pair["p"], shares: readonly number[]): number[] {
  const { open, cap, rest } = tail(side);
  const values: number[] = side.map((v) => v ?? 0);
  let left = rest;
  for (let turn = 0; turn < 50 && left > 0; turn++) {
    const free = open.filter((i) => (values[i] as number) < cap);
    const total = free.reduce((a, i) => a + (shares[i] as number), 0);
    if (total === 0) break;
    const given = left;
    for (const i of free) {
      const more = min(cap - (values[i] as number), (given * (shares[i] as number)) / total);
      (values[i] as number) += more;
      left -= more;
    }
  }
  return values;
}

/** The least divergence by exchange of mass between two outcomes of a tail at a time, by golden section. */
function searched(pair: Pair, f: typeof kl): number {
  const even = pair.p.map(() => 1);
  const [p, q] = [completed(pair.p, even), completed(pair.q, even)];
  const [x, y] = [tail(pair.p), tail(pair.q)];
  const exchange = (values: number[], { open, cap }: typeof x): void => {
    for (const i of open) {
      for (const j of open) {
        if (i >= j) continue;
        const before = [values[i] as number, values[j] as number] as const;
        const sum = before[0] + before[1];
        let [low, high] = [max(0, sum - cap), min(cap, sum)];
        const at = (v: number): number => {
          values[i] = v;
          values[j] = max(0, sum - v);
          return here();
        };
        const here = (): number => f(p[i] as number, q[i] as number) + f(p[j] as number, q[j] as number);
        const least = here();
        for (let turn = 0; turn < 80; turn++) {
          const [a, b] = [low + 0.382 * (high - low), low + 0.618 * (high - low)];
          if (at(a) < at(b)) high = b;
          else low = a;
        }
        // near an end one of both may round to 0, which is infinitely far from what is not
        if (at((low + high) / 2) > least) [values[i], values[j]] = before;
      }
    }
  };
  let before = Infinity;
  for (let round = 0; round < 400; round++) {
    exchange(p, x);
    exchange(q, y);
    const now = divergence(f, p, q);
    if (before - now < 1e-13) break;
    before = now;
  }
  return divergence(f, p, q);
}

/** Distributions of 2 to 7 outcomes, from even to peaked, and how many of each are known. */
const pairs = fc
  .tuple(fc.integer({ min: 2, max: 7 }), fc.constantFrom(0.3, 1, 4))
  .chain(([size, peak]) => {
    const row = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: size, maxLength: size });
    const known = fc.integer({ min: 0, max: size });
    return fc.tuple(row, row, known, known, fc.constant(peak));
  })
  .map(([a, b, k, m, peak]) => {
    const softmax = (row: readonly number[]): number[] => {
      const weights = row.map((v) => exp(peak * v));
      const total = weights.reduce((x, y) => x + y, 0);
      return weights.map((v) => v / total);
    };
    const [p, q] = [softmax(a), softmax(b)];
    return { whole: { p, q }, pair: { p: listed(p, k), q: listed(q, m) } };
  });
const shares = fc.array(fc.oneof(fc.constant(0.001), fc.double({ min: 1e-3, max: 1, noNaN: true })), {
  minLength: 7,
  maxLength: 7,
});

describe("divergenceBounds", () => {
  it.each(METRICS)("no completion is outside: %s", (metric) => {
    fc.assert(
      fc.property(pairs, shares, shares, ({ whole, pair }, a, b) => {
        const [lower, upper] = boundsOf(pair, metric);
        for (const [p, q] of [
          [whole.p, whole.q],
          [completed(pair.p, a), completed(pair.q, b)],
          [completed(pair.p, a), whole.q],
        ] as const) {
          const value = divergence(TERMS[metric], p, q);
          // which this test computes to some rounding itself
          expect(value).toBeGreaterThanOrEqual(lower - 1e-14);
          expect(value).toBeLessThanOrEqual(upper + 1e-14);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it.each(METRICS)("the upper end is a vertex's: %s", (metric) => {
    fc.assert(
      fc.property(pairs, ({ pair }) => {
        const [, upper] = boundsOf(pair, metric);
        let most = 0;
        for (const p of vertices(pair.p))
          for (const q of vertices(pair.q)) most = max(most, divergence(TERMS[metric], p, q));
        if (most === Infinity) expect(upper).toBe(Infinity);
        else {
          // what is left is known to some 1e-15, and KL divides by the least that an outcome of q can have of it
          const spare =
            metric === "kl"
              ? min(
                  ...vertices(pair.q)
                    .flat()
                    .filter((v) => v > 0),
                )
              : 1;
          expect(Math.abs(upper - most)).toBeLessThan(2e-12 + 1e-14 / spare);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it.each(METRICS)("the lower end is approached by a search: %s", (metric) => {
    fc.assert(
      fc.property(pairs, ({ pair }) => {
        const [lower] = boundsOf(pair, metric);
        const found = searched(pair, TERMS[metric]);
        if (found === Infinity) expect(lower).toBe(Infinity);
        else {
          expect(found).toBeGreaterThanOrEqual(lower - 1e-14);
          expect(found - lower).toBeLessThan(1e-6);
        }
      }),
      { numRuns: 150 },
    );
  });
});

forEachType((dtype) => {
  const array = dtype.array as unknown as Float64ArrayConstructor;
  const logs = (...p: number[]) => array.from(p, log);
  const ends = (...args: Parameters<typeof divergenceBounds>): [number, number] => {
    const { lower, upper } = divergenceBounds(...args);
    expect(lower).toBeInstanceOf(array);
    return [lower[0] as number, upper[0] as number];
  };

  describe(`divergenceBounds, ${dtype.name}`, () => {
    it("of all outcomes it is the divergence, rounded outwards", () => {
      const [p, q] = [
        [0.5, 0.3, 0.2],
        [0.2, 0.2, 0.6],
      ] as const;
      for (const metric of METRICS) {
        const of = metric === "kl" ? klDivergence : jsDivergence;
        for (const base of [2, 10, 0.5]) {
          const want = of([...p], [...q], { base });
          const top = { indices: [0, 1, 2], logProbs: logs(...p) };
          const other = { indices: [2, 0, 1], logProbs: logs(q[2], q[0], q[1]) };
          const [lower, upper] = ends(top, other, { size: 3, metric, base });
          // f32 logarithms are those of other distributions
          const wide = dtype.name === "f32" ? 1e-6 : 1e-13;
          expect(lower).toBeLessThan(upper);
          expect(abs(lower - want)).toBeLessThan(wide);
          expect(abs(upper - want)).toBeLessThan(wide);
          if (dtype.name === "f64") {
            expect(lower).toBeLessThanOrEqual(want);
            expect(upper).toBeGreaterThanOrEqual(want);
          }
        }
      }
    });

    it("is infinite where q must, and where it may, have nothing", () => {
      const none = { indices: [0, 1], logProbs: logs(1, 0) };
      const even = { indices: [0, 1], logProbs: logs(0.5, 0.25) };
      expect(ends(even, none, { size: 9 })).toEqual([Infinity, Infinity]);
      expect(ends(even, none, { size: 9, base: 0.5 })).toEqual([-Infinity, -Infinity]);
      // p is the other way about in its own: nothing is left
      const [lower, upper] = ends(none, even, { size: 9 });
      expect(abs(lower - LN2)).toBeLessThan(1e-6);
      expect(abs(upper - LN2)).toBeLessThan(1e-6);
      // what p has is elsewhere for certain
      expect(ends(none, { indices: [1, 2], logProbs: logs(1, 0) }, { size: 3 })).toEqual([Infinity, Infinity]);
      // it may be there
      expect(ends(none, { indices: [1, 2], logProbs: logs(0.5, 0.25) }, { size: 9 })[1]).toBe(Infinity);
      expect(ends(none, { indices: [1, 2], logProbs: logs(0.5, 0.25) }, { size: 9 })[0]).toBeCloseTo(log(4), 5);
      // and of three outcomes it is
      const [known, most] = ends(none, { indices: [1, 2], logProbs: logs(0.5, 0.25) }, { size: 3 });
      expect(known).toBeCloseTo(log(4), 5);
      expect(most).toBeCloseTo(log(4), 5);
    });

    it("is anything between 0 and the most, if nothing is known", () => {
      const none = { indices: new Int32Array(0), logProbs: new array(0) };
      expect(ends(none, none, { shape: [1, 0], size: 8 })).toEqual([0, Infinity]);
      const [lower, upper] = ends(none, none, { shape: [1, 0], size: 8, metric: "js", base: 2 });
      expect(lower).toBe(0);
      expect(upper).toBeGreaterThanOrEqual(1);
      expect(upper).toBeLessThan(1 + 1e-6);
      expect(divergenceBounds(none, none, { shape: [0, 3], size: 8 }).lower).toHaveLength(0);
      // of one outcome
      expect(ends(none, none, { shape: [1, 0], size: 1 })[1]).toBeLessThan(1e-6);
    });

    it("takes k of each, tensors and what tokenScores returns", () => {
      const logits = array.from({ length: 2 * 50 }, (_, i) => 4 * Math.sin(i * i));
      const p = tokenScores(logits, [0, 0], { shape: [2, 50], top: 7 }).top;
      const q = tokenScores(
        logits.map((v) => v + Math.cos(v) / 3),
        [0, 0],
        { shape: [2, 50], top: 3 },
      ).top;
      const tensor = (x: NonNullable<typeof p>, k: number) => ({
        indices: x.indices,
        logProbs: { data: x.logProbs, dims: [2, k] },
      });
      if (!p || !q) throw new Error("no top");
      for (const metric of METRICS) {
        const { lower, upper } = divergenceBounds(tensor(p, 7), tensor(q, 3), { size: 50, metric });
        const of = metric === "kl" ? klDivergence : jsDivergence;
        const want = of(
          logits,
          logits.map((v) => v + Math.cos(v) / 3),
          {
            shape: [2, 50],
            from: "logits",
            reduction: "none",
          },
        );
        for (const row of [0, 1]) {
          expect(lower[row]).toBeLessThanOrEqual(want[row] as number);
          expect(upper[row]).toBeGreaterThanOrEqual(want[row] as number);
          expect(lower[row]).toBeGreaterThan(0);
        }
      }
    });

    it("is right of a vocabulary, of probabilities that underflow, and for a NaN in one row", () => {
      const p = { indices: [5, 7, 1, 2], logProbs: array.of(log(0.5), -20, Number.NaN, 0) };
      const q = { indices: [7, 9, 1, 3], logProbs: array.of(log(0.4), log(0.3), -1, -2) };
      const { lower, upper } = divergenceBounds(p, q, { shape: [2, 2], size: 2 ** 31 - 1, metric: "js" });
      expect(lower[0]).toBeGreaterThan(0.1);
      expect(upper[0]).toBeLessThan(LN2 * (1 + 1e-6));
      expect([lower[1], upper[1]]).toEqual([Number.NaN, Number.NaN]);
      // ½·(log ½ + 800), not ∞: the probability is no number of the type, its logarithm is
      const [least, most] = ends(
        { indices: [0, 1], logProbs: logs(0.5, 0.5) },
        { indices: [1, 0], logProbs: array.of(0, -800) },
        { size: 2 },
      );
      expect(abs(least - (400 - LN2))).toBeLessThan(1e-3);
      expect(abs(most - (400 - LN2))).toBeLessThan(1e-3);
    });

    it("refuses what is no top of a distribution", () => {
      const p = { indices: [0, 1], logProbs: logs(0.5, 0.25) };
      const call =
        (other: unknown, options: object = { size: 9 }) =>
        () =>
          divergenceBounds(p, other as typeof p, options as { size: number });
      expect(call({ ...p, indices: [1, 1] })).toThrow(/"q\.indices\[1\]" must be another outcome.*row 0, got 1/);
      expect(call({ ...p, indices: [1] })).toThrow('"q.indices" must be of length 2');
      expect(call({ ...p, indices: [0, 9] })).toThrow('"q.indices[1]" must be a class from 0 to 8, got 9');
      expect(call({ ...p, logProbs: logs(0.9, 0.9) })).toThrow('"q.logProbs"');
      expect(call(p, { size: 1 })).toThrow('"size" must be at least 2');
      expect(call(p, { size: 9, metric: "tv" })).toThrow('"metric"');
      expect(call([0, 1])).toThrow(TypeError);
      expect(call({ indices: [0, 1, 2, 3], logProbs: logs(0.2, 0.2, 0.1, 0.1) }, { size: 9, shape: [2, 2] })).toThrow(
        "shape",
      );
      const two = { indices: [0, 1, 0, 1], logProbs: { data: logs(0.5, 0.25, 0.5, 0.25), dims: [2, 2] } };
      expect(call(two)).toThrow('"q" must have the rows of "p", [2], got [2, 2]');
    });
  });
});
