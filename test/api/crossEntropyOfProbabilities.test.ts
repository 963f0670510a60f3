/** Cross-entropy of probabilities, counts and log-probabilities: what makes a row NaN, weights of rows, cutting, scale. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crossEntropyMeter as meterOf } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import { api, numberOf } from "../support/oracle.ts";
import { sum } from "../support/reference.ts";
import { type FloatArray, f32, firstDifference, forEachType } from "../support/variants.ts";

const { crossEntropy, crossEntropyWithGrad, entropy } = api;

/** Every way to say what the first argument holds. */
const KINDS = [
  { from: "logits" },
  { from: "probabilities" },
  { from: "probabilities", normalize: false },
  { from: "logProbabilities" },
] as const;
const named = KINDS.map((kind) => [JSON.stringify(kind), kind] as const);

forEachType((dtype, variant) => {
  const { array, unit } = dtype;
  const close = (got: number, want: number, units: number, what: string) => {
    if (!(Object.is(got, want) || Math.abs(got - want) <= units * unit * Math.abs(want)))
      expect.fail(`${what}: ${got}, wanted ${want}, ${Math.abs(got / want - 1) / unit} u`);
  };
  const rowsAndShape = (kind: { from: string }, rows: number, n: number, seed: number) => {
    const p = pseudorandom(dtype, seed, rows * n, 0.98, 0.5);
    return kind.from === "probabilities" ? p : p.map((v: number) => Math.log(v));
  };
  const losses = (x: unknown, target: unknown, options: object) =>
    crossEntropy(x, target, { ...options, reduction: "none" }) as FloatArray;

  describe.each(named)("%s", (_, kind) => {
    const [rows, n] = [5, 37];
    const shape = [rows, n];
    const x = rowsAndShape(kind, rows, n, 3);
    const soft = pseudorandom(dtype, 4, rows * n, 1, 0.51);
    const labels = Int32Array.from({ length: rows }, (_, r) => (r * 11) % n);
    const weight = pseudorandom(dtype, 5, n, 1, 0.75);
    const targets: [string, unknown, object][] = [
      ["labels", labels, {}],
      ["labels, smoothing, weight", labels, { labelSmoothing: 0.1, weight }],
      ["distributions", soft, {}],
      ["distributions, weight", soft, { weight }],
      ["one-hot distributions", soft.map((_: number, i: number) => Number(i % n === labels[Math.floor(i / n)])), {}],
    ];

    it.each(targets)(
      "a NaN in a row makes loss and gradient of that row NaN, and of no other: %s",
      (_name, target, more) => {
        const wrong = kind.from === "probabilities" ? [NaN, -1e-3, -Infinity] : [NaN];
        for (const bad of wrong) {
          for (const at of [0, 1, 17, 33, n - 1]) {
            const spoiled = x.slice();
            spoiled[2 * n + at] = bad;
            const options = { ...kind, ...more, shape };
            const want = losses(x, target, options).map((v: number, r: number) => (r === 2 ? NaN : v));
            expect(firstDifference(losses(spoiled, target, options), want), `${bad} at ${at}`).toBe("");
            const none = { ...options, reduction: "none" };
            const { value, grad } = crossEntropyWithGrad(spoiled, target, none);
            expect(firstDifference(value as FloatArray, want), `${bad} at ${at}, beside the gradient`).toBe("");
            const clean = crossEntropyWithGrad(x, target, none).grad.map((v: number, i: number) =>
              Math.floor(i / n) === 2 ? NaN : v,
            );
            expect(firstDifference(grad, clean), `gradient, ${bad} at ${at}`).toBe("");
          }
        }
      },
    );

    it("a negative target, or NaN as one, makes its row NaN, and no other", () => {
      for (const bad of [-0.5, -1e-30, NaN])
        for (const at of [0, 18, n - 1])
          for (const more of [{}, { weight }, { labelSmoothing: 0.3 }]) {
            const options = { ...kind, ...more, shape };
            const spoiled = soft.slice();
            spoiled[n + at] = bad;
            const want = losses(x, soft, options).map((v: number, r: number) => (r === 1 ? NaN : v));
            expect(firstDifference(losses(x, spoiled, options), want), `${bad} at ${at}`).toBe("");
            const { grad } = crossEntropyWithGrad(x, spoiled, options);
            const clean = crossEntropyWithGrad(x, soft, options).grad;
            for (const [i, v] of grad.entries())
              if (Math.floor(i / n) === 1) expect(v).toBeNaN();
              else expect(v).toBe(clean[i]);
          }
      // −0 is no negative number
      const zero = soft.slice();
      zero[n] = 0;
      const minus = zero.slice();
      minus[n] = -0;
      expect(losses(x, minus, { ...kind, shape })).toEqual(losses(x, zero, { ...kind, shape }));
    });

    describe("sampleWeight", () => {
      const sampleWeight = new array([1, 0.5, 3, 0, 0.25]);

      it.each(targets)(
        "multiplies losses and gradients, and the mean divides by what counts: %s",
        (_name, target, more) => {
          const options = { ...kind, ...more, shape };
          const plain = losses(x, target, options);
          const weighed = losses(x, target, { ...options, sampleWeight });
          for (let r = 0; r < rows; r++)
            close(weighed[r] as number, (plain[r] as number) * (sampleWeight[r] as number), 2, `row ${r}`);
          const total = sum(rows, (r) => (plain[r] as number) * (sampleWeight[r] as number));
          const options2 = { ...options, sampleWeight };
          close(numberOf(crossEntropy(x, target, { ...options2, reduction: "sum" })), total, 4, "sum");
          const own = (r: number) =>
            target === labels && "weight" in more ? (weight[labels[r] as number] as number) : 1;
          const divisor = sum(rows, (r) => (sampleWeight[r] as number) * own(r));
          close(numberOf(crossEntropy(x, target, options2)), total / divisor, 6, "mean");
          for (const [reduction, by] of [
            ["none", 1],
            ["sum", 1],
            ["mean", divisor],
          ] as const) {
            const { grad } = crossEntropyWithGrad(x, target, { ...options2, reduction });
            const unweighed = crossEntropyWithGrad(x, target, { ...options, reduction: "sum" }).grad;
            grad.forEach((v: number, i: number) => {
              const r = Math.floor(i / n);
              const factor = (sampleWeight[r] as number) / by;
              const want = (unweighed[i] as number) * factor;
              // but for a class alone, what cancels in an element errs by the terms
              const size = Math.max(...unweighed.slice(r * n, (r + 1) * n).map(Math.abs)) * factor;
              const slack = 8 * unit * (Math.abs(want) + (target === labels && !("weight" in more) ? 0 : size));
              if (!(Math.abs(v - want) <= slack)) expect.fail(`gradient ${i}, ${reduction}: ${v}, wanted ${want}`);
            });
          }
        },
      );

      it("an integer weight is as many rows", () => {
        const often = [2, 0, 1, 3, 1];
        const index = often.flatMap((count, r) => new Array(count).fill(r));
        const repeated = new array(index.flatMap((r) => Array.from(x.subarray(r * n, (r + 1) * n))));
        const options = { ...kind, weight };
        const got = crossEntropy(x, labels, { ...options, shape, sampleWeight: new array(often) });
        const want = crossEntropy(
          repeated,
          Int32Array.from(index, (r) => labels[r] as number),
          {
            ...options,
            shape: [index.length, n],
          },
        );
        close(numberOf(got), numberOf(want), 8, "mean");
      });

      it("of 0 leaves a row out, be its loss infinite; NaN stays", () => {
        const row = kind.from === "probabilities" ? [1, 0] : [0, -Infinity];
        const two = new array([...row, ...row]);
        const options = { ...kind, shape: [2, 2], reduction: "sum", sampleWeight: new array([1, 0]) };
        const { value, grad } = crossEntropyWithGrad(two, [0, 1], options);
        expect(value).toBe(0);
        expect(Array.from(grad.slice(2), (v) => v + 0)).toEqual([0, 0]);
        two[2] = NaN;
        expect(crossEntropy(two, [0, 1], options)).toBeNaN();
        // ignored rows are out before
        expect(crossEntropy(two, [0, -100], { ...options, sampleWeight: new array([1, NaN]) })).toBe(0);
      });

      it("below 0 is refused, with its row", () => {
        const two = new array([0.5, 0.5, 0.25, 0.75]);
        const options = { ...kind, shape: [2, 2], sampleWeight: new array([3, -1]) };
        const says = /"sampleWeight\[1\]" must be at least 0, got -1/;
        for (const reduction of ["mean", "sum", "none"] as const)
          expect(() => crossEntropy(two, [0, 1], { ...options, reduction })).toThrow(says);
        expect(() => crossEntropyWithGrad(two, [0, 1], options)).toThrow(RangeError);
        const meter = meterOf(kind);
        expect(() => meter.update(two, [0, 1], { shape: [2, 2], sampleWeight: options.sampleWeight })).toThrow(says);
        expect(meter.count).toBe(0);
        expect(crossEntropy(two, [0, 1], { ...options, sampleWeight: new array([1, -0]) })).toBe(
          crossEntropy(two, [0, -100], { ...kind, shape: [2, 2] }),
        );
      });

      it("a label of class weight 0 counts nothing, be its loss infinite", () => {
        const row = new array(kind.from === "probabilities" ? [1, 0] : [0, -Infinity]);
        const options = { ...kind, weight: new array([1, 0]), reduction: "sum" };
        const { value, grad } = crossEntropyWithGrad(row, [1], options);
        expect(value).toBe(0);
        expect(Array.from(grad, (v) => v + 0)).toEqual([0, 0]);
      });
    });

    it("rows beyond memory's share, in place, with all options: the same bits as rows of their own", () => {
      for (const [count, width] of [
        [3, 1365],
        [2, 70_003],
        [2, 131_072],
      ] as const) {
        const wide = rowsAndShape(kind, count, width, 6);
        const t = pseudorandom(dtype, 7, count * width, 1, 0.51);
        const w = pseudorandom(dtype, 8, width, 1, 0.75);
        const sampleWeight = new array(count).fill(0.75);
        const hard = Int32Array.from({ length: count }, (_, r) => (width * 100 - 1 - r * 40_000) % width);
        for (const [target, of] of [
          [hard, (r: number) => [hard[r]]],
          [t, (r: number) => t.subarray(r * width, (r + 1) * width)],
        ] as const) {
          const options = { ...kind, weight: w, labelSmoothing: 0.1, reduction: "none" };
          const out = wide.slice();
          const whole = { ...options, shape: [count, width], sampleWeight, out };
          const { value } = crossEntropyWithGrad(out, target, whole);
          if (variant !== "base") continue;
          for (let r = 0; r < count; r++) {
            const row = wide.slice(r * width, (r + 1) * width);
            const alone = { ...options, shape: [1, width], sampleWeight: sampleWeight.subarray(0, 1) };
            const one = crossEntropyWithGrad(row, of(r), alone);
            expect((one.value as FloatArray)[0]).toBe((value as FloatArray)[r]);
            // without the gradient a row is cut elsewhere, or not at all
            expect(losses(row, of(r), alone)[0]).toBe((value as FloatArray)[r]);
            expect(firstDifference(one.grad, out.slice(r * width, (r + 1) * width)), `row ${r} of ${width}`).toBe("");
          }
        }
      }
    });
  });

  it("counts may be scaled by any power of two, targets too: the same bits", () => {
    const [low, high] = dtype === f32 ? [-100, 100] : [-900, 900];
    const positive = fc.double({ min: 1e-3, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(positive, positive), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: low, max: high }),
        fc.integer({ min: low, max: high }),
        (pairs, k, m) => {
          const [q, t] = [new array(pairs.map(([a]) => a)), new array(pairs.map(([, b]) => b))];
          const [q2, t2] = [q.map((v: number) => v * 2 ** k), t.map((v: number) => v * 2 ** m)];
          for (const target of [t, [0]])
            expect(crossEntropy(q2, target === t ? t2 : target, { from: "probabilities" })).toBe(
              crossEntropy(q, target, { from: "probabilities" }),
            );
        },
      ),
      { numRuns: 200 },
    );
  });

  it("any positive finite numbers are a distribution, near the largest and the smallest too", () => {
    const [large, small] = dtype === f32 ? [3e38, 1e-45] : [1.7e308, 5e-324];
    for (const v of [large, small, 1])
      for (const n of [2, 3, 16, 100, 70_001]) {
        const row = new array(n).fill(v);
        const want = Math.log(n);
        for (const target of [row, new array(n).fill(large), new array(n).fill(small), [n >> 1]])
          close(numberOf(crossEntropy(row, target, { from: "probabilities" })), want, 8, `${n} times ${v}`);
        // 1/S and 1/q are no numbers beside the smallest of f64, and so not their difference
        if (1 / v === Infinity) continue;
        const { grad } = crossEntropyWithGrad(row, row, { from: "probabilities" });
        for (const g of grad) if (!(Math.abs(g) <= (8 * unit) / n / v)) expect.fail(`gradient ${g} of ${n} times ${v}`);
      }
  });

  it("H(P, P) is the entropy of P, and equal elements share their row", () => {
    for (const n of [1, 2, 7, 64, 1000]) {
      const p = pseudorandom(dtype, n, n, 1, 0.5);
      p[0] = 0;
      p[n - 1] = 1;
      const [h] = entropy(p, { reduction: "none" }) as unknown as [number];
      close(numberOf(crossEntropy(p, p, { from: "probabilities" })), h, 8, `H(P, P), n = ${n}`);
    }
  });

  it("a probability 0 where the target is positive is +∞, where it is 0 nothing", () => {
    for (const n of [2, 9, 40]) {
      const q = new array(n).fill(1);
      const t = new array(n).fill(1);
      q[1] = 0;
      for (const normalize of [true, false]) {
        const options = { from: "probabilities", normalize };
        expect(crossEntropy(q, t, options)).toBe(Infinity);
        t[1] = 0;
        const want = normalize ? Math.log(n - 1) : 0;
        close(numberOf(crossEntropy(q, t, options)), want, 8, `n = ${n}`);
        t[1] = 1;
      }
    }
    expect(crossEntropy(new array([0, 0]), new array([0.5, 0.5]), { from: "probabilities" })).toBeNaN();
    expect(crossEntropy(new array([0.5, 0.5]), new array([0, 0]), { from: "probabilities" })).toBeNaN();
    expect(crossEntropy(new array([Infinity, 1]), [0], { from: "probabilities" })).toBeNaN();
  });
});
