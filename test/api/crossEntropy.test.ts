/** crossEntropy and crossEntropyWithGrad: PyTorch's semantics in every combination, mpmath's digits. */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { pseudorandom } from "../support/fixture.ts";
import { api, arrayOf, type CrossCase, crossCases, given, numberOf, rounded, Tally } from "../support/oracle.ts";
import { logProbabilities, rowsOf, sum } from "../support/reference.ts";
import { type FloatArray, f32, forEachType } from "../support/variants.ts";

const { crossEntropy, crossEntropyWithGrad } = api;

/** The lead of the largest element of a row over the second; 0 where there is none. */
function lead(row: ArrayLike<number>): number {
  const sorted = Array.from(row).sort((a, b) => b - a);
  const gap = (sorted[0] as number) - (sorted[1] ?? (sorted[0] as number));
  return Number.isFinite(gap) ? gap : 0;
}

/** What each class of a row counts: cᵢ in −Σ cᵢ log pᵢ. */
function coefficients(c: CrossCase, r: number): number[] {
  const { n, at } = rowsOf(c.shape, c.axis);
  const smoothing = c.labelSmoothing ?? 0;
  const label = c.labels?.[r];
  if (label !== undefined && label === (c.ignoreIndex ?? -100)) return new Array(n).fill(0);
  const divided = c.soft && c.from === "probabilities" && c.normalize !== false;
  const whole = divided ? sum(n, (i) => c.soft?.[at(r, i)] as number) : 1;
  return Array.from({ length: n }, (_, i) => {
    const target = c.soft ? (c.soft[at(r, i)] as number) / whole : Number(i === label);
    return ((1 - smoothing) * target + smoothing / n) * (c.weight?.[i] ?? 1);
  });
}

const optionsOf = (c: CrossCase, more: object = {}) => ({
  ...given({
    shape: c.shape,
    axis: c.axis,
    from: c.from,
    weight: c.weight,
    ignoreIndex: c.ignoreIndex,
    labelSmoothing: c.labelSmoothing,
    base: c.base,
    normalize: c.normalize,
  }),
  ...more,
});
const targetOf = (c: CrossCase) => c.soft ?? Int32Array.from(c.labels as readonly number[]);

forEachType((dtype, variant) => {
  const { array, unit, tiny } = dtype;
  const tally = new Tally();
  afterAll(() => tally.print(`crossEntropy ${dtype.name} ${variant}`));
  const cases = crossCases.filter((c) => c.dtype === dtype);

  describe.each([...new Set(cases.map((c) => c.group))])("%s", (group) => {
    const mine = cases.filter((c) => c.group === group);
    /** A row's loss: a sum of terms of one sign; exp(second − max) errs by their distance, and a log near 1 by u. */
    const slack = (c: CrossCase) => {
      const { rows, n, at } = rowsOf(c.shape, c.axis);
      const gaps = Array.from({ length: rows }, (_, r) =>
        lead(Array.from({ length: n }, (_, i) => c.x[at(r, i)] as number)),
      );
      return c.from === "logits" ? 8 + Math.max(...gaps) : 8;
    };
    const tolerance = (c: CrossCase, exact: number, terms = 1) =>
      slack(c) * unit * Math.max(Math.abs(exact), tiny) + (c.normalize === false ? 4 * unit * terms : 0);

    it("none, mean, sum", () => {
      for (const c of mine) {
        const rows = c.none.length;
        const values = (value: unknown, name: string) =>
          arrayOf(value, dtype, rows).forEach((v: number, r: number) => {
            const exact = c.none[r] as number;
            tally.note(name, v, exact, tolerance(c, exact), `${c.name} row ${r}`);
          });
        values(crossEntropy(c.x, targetOf(c), optionsOf(c, { reduction: "none" })), `${group}, none`);
        const out = new array(rows).fill(7);
        expect(crossEntropy(c.x, targetOf(c), optionsOf(c, { reduction: "none", out }))).toBe(out);
        values(out, `${group}, out`);
        const sum = c.none.reduce((a, b) => a + b, 0);
        const mean = c.mean[0] as number;
        for (const [name, reduction, exact] of [
          ["mean", { reduction: "mean" }, mean],
          ["the default", {}, mean],
          ["sum", { reduction: "sum" }, sum],
        ] as const)
          tally.note(
            `${group}, ${name}`,
            numberOf(crossEntropy(c.x, targetOf(c), optionsOf(c, reduction))),
            exact,
            tolerance(c, exact, rows),
            c.name,
          );
      }
      tally.check();
    });

    it("gradient under none, mean, sum", () => {
      for (const c of mine) {
        const slopes = c.grad;
        if (!slopes) continue;
        const { rows, n, at } = rowsOf(c.shape, c.axis);
        const divisor = c.divisor[0] as number;
        const hard = !c.soft && !c.labelSmoothing;
        const before = c.x.slice();
        for (const reduction of ["none", "sum", "mean"] as const) {
          const { value, grad } = crossEntropyWithGrad(c.x, targetOf(c), optionsOf(c, { reduction }));
          const plain = crossEntropy(c.x, targetOf(c), optionsOf(c, { reduction }));
          const one = (v: unknown) => (typeof v === "number" ? [v] : Array.from(arrayOf(v, dtype, rows)));
          one(value).forEach((v, r) => {
            const exact = one(plain)[r] as number;
            tally.note(`${group}, value beside the gradient`, v, exact, 2 * tolerance(c, exact, rows), c.name);
          });
          arrayOf(grad, dtype, c.x.length);
          // an all-ignored batch has no mean: torch gives NaN, and so may the gradient be
          if (reduction === "mean" && divisor === 0) continue;
          const by = reduction === "mean" ? divisor : 1;
          for (let r = 0; r < rows; r++) {
            const row = Array.from({ length: n }, (_, i) => c.x[at(r, i)] as number);
            const top = Math.max(...row);
            const k = coefficients(c, r);
            row.forEach((x, i) => {
              const exact = (slopes[at(r, i)] as number) / by;
              const target = (k[i] as number) / by / (c.base ? Math.log(c.base) : 1);
              const isLabel = c.labels?.[r] === i;
              const shift = c.from !== "logits" ? 0 : Math.max(Math.min(top - x, 1e9), isLabel ? lead(row) : 0);
              // W·p − c: a hard label's own class keeps its digits, elsewhere the difference may cancel
              const cancels =
                hard && c.normalize !== false
                  ? 0
                  : 2 * (c.from === "probabilities" ? (target ? target / x : 0) : target);
              const bound = (8 + shift) * unit * Math.max(Math.abs(exact) + cancels, tiny) + 2 * tiny * unit;
              tally.note(
                `${group}, gradient ${reduction}`,
                grad[at(r, i)] as number,
                exact,
                bound,
                `${c.name} [${r}, ${i}]`,
              );
            });
          }
        }
        expect(c.x).toEqual(before);
      }
      tally.check();
    });
  });

  describe("labels", () => {
    const shape = [6, 5];
    const x = pseudorandom(dtype, 5, 30, 8);
    const labels = [0, 4, 2, 2, 1, 3];
    const wanted = () => crossEntropy(x, labels, { shape, reduction: "none" });

    it.each([Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array])(
      "in %O",
      (Type) => {
        expect(crossEntropy(x, Type.from(labels), { shape, reduction: "none" })).toEqual(wanted());
        const holes = Type.from(labels);
        holes[2] = 99;
        const got = crossEntropy(x, holes, { shape, reduction: "none", ignoreIndex: 99 }) as FloatArray;
        const kept = (wanted() as FloatArray).map((v: number, r: number) => (r === 2 ? 0 : v));
        expect(got).toEqual(kept);
      },
    );

    it.each([BigInt64Array, BigUint64Array])("in %O", (Type) => {
      const big = Type.from(labels.map(BigInt));
      expect(crossEntropy(x, big, { shape, reduction: "none" })).toEqual(wanted());
      expect(crossEntropy({ data: x, dims: shape }, { data: big, dims: [6] }, { reduction: "none" })).toEqual(wanted());
      const { grad } = crossEntropyWithGrad(x, big, { shape });
      expect(grad).toEqual(crossEntropyWithGrad(x, labels, { shape }).grad);
    });

    it("−100 is ignored unless ignoreIndex says otherwise", () => {
      const holes = [0, -100, 2, -100, 1, 3];
      const none = crossEntropy(x, holes, { shape, reduction: "none" }) as FloatArray;
      expect([none[1], none[3]]).toEqual([0, 0]);
      expect(crossEntropy(x, BigInt64Array.from(holes.map(BigInt)), { shape, reduction: "none" })).toEqual(none);
      const total = numberOf(crossEntropy(x, holes, { shape, reduction: "sum" }));
      expect(crossEntropy(x, holes, { shape })).toBeCloseTo(total / 4, dtype === f32 ? 6 : 13);
      const { grad } = crossEntropyWithGrad(x, holes, { shape });
      expect(Array.from(grad.subarray(5, 10)).every((v) => v === 0)).toBe(true);
      expect(() => crossEntropy(x, holes, { shape, ignoreIndex: -1 })).toThrow(RangeError);
    });

    it("an ignored row counts for nothing, even where it holds NaN", () => {
      const spoiled = x.slice();
      spoiled.fill(Number.NaN, 10, 15);
      const holes = [0, 4, -100, 2, 1, 3];
      expect(crossEntropy(spoiled, holes, { shape })).toBe(crossEntropy(x, holes, { shape }));
      const { grad } = crossEntropyWithGrad(spoiled, holes, { shape });
      expect(grad).toEqual(crossEntropyWithGrad(x, holes, { shape }).grad);
    });

    it("a NaN makes its own row NaN and no other", () => {
      const spoiled = x.slice();
      spoiled[12] = Number.NaN;
      const got = crossEntropy(spoiled, labels, { shape, reduction: "none" }) as FloatArray;
      expect(got).toEqual((wanted() as FloatArray).map((v: number, r: number) => (r === 2 ? Number.NaN : v)));
      expect(crossEntropy(spoiled, labels, { shape })).toBeNaN();
      const { grad } = crossEntropyWithGrad(spoiled, labels, { shape, reduction: "sum" });
      const clean = crossEntropyWithGrad(x, labels, { shape, reduction: "sum" }).grad;
      expect(grad).toEqual(clean.map((v: number, i: number) => (i >= 10 && i < 15 ? Number.NaN : v)));
    });

    it("a number[] as long as there are rows is labels, as long as the logits soft targets", () => {
      const soft = labels.flatMap((label) => Array.from({ length: 5 }, (_, i) => Number(i === label)));
      const got = crossEntropy(x, soft, { shape, reduction: "none" }) as FloatArray;
      got.forEach((v: number, r: number) => {
        expect(Math.abs(v / ((wanted() as FloatArray)[r] as number) - 1)).toBeLessThan(16 * unit);
      });
    });

    it("one row needs no shape", () => {
      const row = x.slice(0, 5);
      expect(crossEntropy(row, [3])).toBe(crossEntropy(row, Uint8Array.of(3), { shape: [1, 5] }));
      expect(
        crossEntropy(
          row,
          row.map((_: number, i: number) => Number(i === 3)),
        ),
      ).toBeCloseTo(numberOf(crossEntropy(row, [3])), 5);
    });
  });

  describe("special rows", () => {
    const loss = (x: number[], target: unknown, options: object = {}) => crossEntropy(new array(x), target, options);
    it.each<[string, number[], unknown, object, number]>([
      ["label at −∞", [0, -Infinity], [1], {}, Infinity],
      ["the only finite logit is the label", [-Infinity, 3, -Infinity], [1], {}, 0],
      ["all −∞", [-Infinity, -Infinity], [0], {}, Number.NaN],
      ["a +∞", [Infinity, 0], [1], {}, Number.NaN],
      ["one class", [5], [0], {}, 0],
      ["probability 0 of the label", [0, 1], [0], { from: "probabilities" }, Infinity],
      ["probability 1 of the label", [0, 1], [1], { from: "probabilities" }, 0],
      ["negative probability", [-0.5, 1.5], [1], { from: "probabilities" }, Number.NaN],
      ["probabilities of sum 0", [0, 0], [1], { from: "probabilities" }, Number.NaN],
      ["log-probability −∞ of the label", [-Infinity, 0], [0], { from: "logProbabilities" }, Infinity],
      ["smoothing beside −∞", [0, -Infinity], [0], { labelSmoothing: 0.1 }, Infinity],
    ])("%s", (_, x, target, options, want) => {
      for (const reduction of ["mean", "sum"]) expect(loss(x, target, { ...options, reduction })).toEqual(want);
      expect(loss(x, target, { ...options, reduction: "none" })).toEqual(new array([want]));
      const { value, grad } = crossEntropyWithGrad(new array(x), target, { ...options, reduction: "sum" });
      expect(value).toEqual(want);
      if (Number.isFinite(want)) for (const v of grad) expect(v).not.toBeNaN();
    });

    it("a soft target 0 at −∞, or at probability 0, contributes 0", () => {
      const half = new array([0.5, 0.5, 0]);
      for (const [x, from] of [
        [[1, 1, -Infinity], "logits"],
        [[1, 1, 0], "probabilities"],
        [[-Math.LN2, -Math.LN2, -Infinity], "logProbabilities"],
      ] as const) {
        const { value, grad } = crossEntropyWithGrad(new array(x), half, { from });
        expect(value, from).toBeCloseTo(Math.LN2, 6);
        for (const v of grad) expect(v, from).not.toBeNaN();
        expect(crossEntropy(new array(x), half, { from }), from).toBeCloseTo(Math.LN2, 6);
      }
    });

    it("no rows: a NaN mean, a sum of 0, nothing per row", () => {
      const none = new array(0);
      const options = { shape: [0, 4] };
      expect(crossEntropy(none, [], options)).toBeNaN();
      expect(crossEntropy(none, [], { ...options, reduction: "sum" })).toBe(0);
      expect(crossEntropy(none, [], { ...options, reduction: "none" })).toEqual(none);
      expect(crossEntropyWithGrad(none, [], { ...options, reduction: "sum" })).toEqual({ value: 0, grad: none });
    });
  });

  it("a confident loss keeps six digits", () => {
    // 1e-8 is log1p(e^-18.42…); in f32 a log-softmax that subtracts from 1 gives 0
    for (const gap of [16.5, 18.420680743952367, 20, 23]) {
      const [x] = new array([-gap]) as unknown as [number];
      const exact = Math.log1p(Math.exp(x));
      for (const row of [
        [0, x],
        [x, 0],
      ]) {
        const got = numberOf(crossEntropy(new array(row), [row[0] === 0 ? 0 : 1]));
        expect(Math.abs(got / exact - 1), `gap ${gap}`).toBeLessThan(1e-6);
        const { grad } = crossEntropyWithGrad(new array(row), [row[0] === 0 ? 0 : 1]);
        const slope = -1 / (1 + Math.exp(-x));
        expect(Math.abs((grad[row[0] === 0 ? 0 : 1] as number) / slope - 1), `gradient, gap ${gap}`).toBeLessThan(1e-6);
      }
    }
    const small = rounded(dtype, 1e-8);
    const got = numberOf(crossEntropy(new array([1, small]), [0], { from: "probabilities" }));
    expect(Math.abs(got / Math.log1p(small) - 1), "from counts").toBeLessThan(1e-6);
  });

  it("equals the negative log-likelihood of the log-softmax", () => {
    const shape = [40, 17];
    const x = pseudorandom(dtype, 9, 40 * 17, 20);
    const labels = Array.from({ length: 40 }, (_, r) => (r * 7) % 17);
    const got = crossEntropy(x, labels, { shape, reduction: "none" }) as FloatArray;
    labels.forEach((label, r) => {
      const exact = -(logProbabilities(x.subarray(r * 17, (r + 1) * 17), "logits")[label] as number);
      tally.note("negative log-likelihood", got[r] as number, exact, (8 + 20) * unit * exact, `row ${r}`);
    });
    tally.check();
  });

  it("the gradient may be written over out, the logits themselves included", () => {
    const shape = [7, 9];
    const labels = Array.from({ length: 7 }, (_, r) => r);
    for (const reduction of ["mean", "sum", "none"]) {
      const x = pseudorandom(dtype, 2, 63, 8);
      const wanted = crossEntropyWithGrad(x, labels, { shape, reduction });
      const out = new array(63);
      const got = crossEntropyWithGrad(x, labels, { shape, reduction, out });
      expect(got.grad).toBe(out);
      expect(got).toEqual(wanted);
      const inPlace = crossEntropyWithGrad(x, labels, { shape, reduction, out: x });
      expect(inPlace.grad).toBe(x);
      expect(inPlace).toEqual(wanted);
    }
  });

  it("a row has its bits in any company: beside rows that are ignored, infinite, NaN, or weighed by any scale", () => {
    const f32 = dtype.name === "f32";
    const often = <T>(ordinary: fc.Arbitrary<T>, ...others: T[]) =>
      fc.oneof({ arbitrary: ordinary, weight: 40 }, { arbitrary: fc.constantFrom(...others), weight: 1 });
    const size = fc.oneof(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 14, max: 67 }));
    const scale = f32 ? 1e-30 : 1e-250;
    const problem = fc.tuple(fc.integer({ min: 2, max: 23 }), size).chain(([rows, n]) => {
      const many = (of: fc.Arbitrary<number>, length: number) => fc.array(of, { minLength: length, maxLength: length });
      const number = fc.double({ min: -8, max: 8, noNaN: true });
      const positive = often(fc.double({ min: 0, max: 2, noNaN: true }), 0, scale, 1 / scale);
      return fc.record({
        n: fc.constant(n),
        x: many(often(number, -0, 1 / scale, -1 / scale, Infinity, -Infinity, NaN), rows * n),
        labels: fc.option(many(often(fc.integer({ min: 0, max: n - 1 }), -100), rows), { nil: undefined }),
        soft: many(often(fc.double({ min: 0, max: 1, noNaN: true }), 0, -1, Infinity), rows * n),
        weight: fc.option(many(positive, n), { nil: undefined }),
        sampleWeight: fc.option(many(positive, rows), { nil: undefined }),
        labelSmoothing: fc.constantFrom(0, 0, 0.1, 1),
      });
    });
    fc.assert(
      fc.property(problem, ({ n, x, labels, soft, weight, sampleWeight, labelSmoothing }) => {
        const rows = x.length / n;
        const of = (from: number, count: number) => {
          const values = new array(x.slice(from * n, (from + count) * n));
          const target = labels
            ? Int32Array.from(labels.slice(from, from + count))
            : new array(soft.slice(from * n, (from + count) * n));
          const options = given({
            shape: [count, n],
            weight: weight && new array(weight),
            sampleWeight: sampleWeight && new array(sampleWeight.slice(from, from + count)),
            labelSmoothing,
          });
          const losses = crossEntropy(values, target, { ...options, reduction: "none" }) as FloatArray;
          const { grad } = crossEntropyWithGrad(values, target, { ...options, reduction: "sum" });
          return { losses, grad: grad as FloatArray };
        };
        const all = of(0, rows);
        for (let r = 0; r < rows; r++) {
          const one = of(r, 1);
          expect(one.losses).toEqual(all.losses.subarray(r, r + 1));
          expect(one.grad).toEqual(all.grad.subarray(r * n, (r + 1) * n));
        }
      }),
      { numRuns: 200 },
    );
  });
});
