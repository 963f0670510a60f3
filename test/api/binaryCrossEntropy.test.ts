/**
 * binaryCrossEntropy and its gradient against F.binary_cross_entropy_with_logits, F.binary_cross_entropy and mpmath.
 *
 * PyTorch clamps log p at −100 and, in the gradient, p(1 − p) at 1e-12. We do not: −log 1e-200 is 460.5, −log 0 is +∞.
 */
import { afterAll, describe, expect, it } from "vitest";
import { api, arrayOf, type BinaryCase, binaryCases, given, numberOf, Tally } from "../support/oracle.ts";
import { sum } from "../support/reference.ts";
import { type FloatArray, forEachType } from "../support/variants.ts";

const { binaryCrossEntropy, binaryCrossEntropyWithGrad } = api;
const REDUCTIONS = ["none", "mean", "sum"] as const;
const optionsOf = (c: BinaryCase, more: object) => ({
  ...given({ from: c.from, weight: c.weight, posWeight: c.posWeight }),
  ...more,
});

forEachType((dtype, variant) => {
  const { array, unit, tiny } = dtype;
  const tally = new Tally();
  afterAll(() => tally.print(`binaryCrossEntropy ${dtype.name} ${variant}`));
  const cases = binaryCases.filter((c) => c.dtype === dtype);

  it.each(["logits", "probabilities"] as const)("from %s: value and gradient", (from) => {
    for (const c of cases.filter((other) => other.from === from)) {
      const x = { data: c.x, shape: c.shape };
      const n = c.x.length;
      const total = sum(n, (i) => c.none[i] as number);
      for (const reduction of REDUCTIONS) {
        const values = [
          binaryCrossEntropy(x, c.target, optionsOf(c, { reduction })),
          binaryCrossEntropyWithGrad(x, c.target, optionsOf(c, { reduction })).value,
        ];
        if (reduction === "mean") values.push(binaryCrossEntropy(x, c.target, optionsOf(c, {})));
        for (const value of values) {
          const exact = reduction === "none" ? c.none : [reduction === "mean" ? total / n : total];
          const got = reduction === "none" ? arrayOf(value, dtype, n) : [numberOf(value)];
          // two terms of one sign, each within some ULP
          exact.forEach((e, i) => {
            tally.note(`${from}, ${reduction}`, got[i] as number, e, 8 * unit * Math.max(e, tiny), `${c.name} [${i}]`);
          });
        }
        const { grad } = binaryCrossEntropyWithGrad(x, c.target, optionsOf(c, { reduction }));
        arrayOf(grad, dtype, n).forEach((got: number, i: number) => {
          const by = reduction === "mean" ? n : 1;
          const exact = (c.grad[i] as number) / by;
          const [v, t] = [c.x[i] as number, c.target[i] as number];
          const columns = c.shape.at(-1) as number;
          const at = (a: FloatArray | undefined) => a?.[a.length === n ? i : i % columns] ?? 1;
          // (1 − t)σ(x) − w·t·σ(−x): the difference may cancel
          const positive = from === "logits" ? 1 / (1 + Math.exp(v)) : 1 / v;
          const size = (at(c.weight) * (at(c.posWeight) * t * positive)) / by;
          const bound =
            8 * unit * Math.max(Math.abs(exact) + (t === 0 || t === 1 ? 0 : 2 * size), tiny) + 2 * tiny * unit;
          tally.note(`${from}, gradient ${reduction}`, got, exact, bound, `${c.name} [${i}] = ${v}`);
        });
      }
      const out = new array(n);
      expect(binaryCrossEntropy(x, c.target, optionsOf(c, { reduction: "none", out }))).toBe(out);
      expect(out).toEqual(binaryCrossEntropy(x, c.target, optionsOf(c, { reduction: "none" })));
    }
    tally.check();
  });

  const none = (x: number[], y: number[], options: object = {}) =>
    binaryCrossEntropy(new array(x), new array(y), { reduction: "none", ...options }) as FloatArray;

  it.each<[string, number[], number[], object, number[]]>([
    ["infinite logits on the right side", [Infinity, -Infinity], [1, 0], {}, [0, 0]],
    ["infinite logits on the wrong side", [Infinity, -Infinity], [0, 1], {}, [Infinity, Infinity]],
    ["infinite logits, soft targets", [Infinity, -Infinity], [0.5, 0.5], {}, [Infinity, Infinity]],
    ["NaN is its own", [Number.NaN, 0], [1, 1], {}, [Number.NaN, Math.LN2]],
    ["certain and right", [1, 0], [1, 0], { from: "probabilities" }, [0, 0]],
    ["certain and wrong (torch: 100)", [0, 1], [1, 0], { from: "probabilities" }, [Infinity, Infinity]],
    ["no probability", [-0.5, 1.5], [1, 0], { from: "probabilities" }, [Number.NaN, Number.NaN]],
  ])("%s", (_, x, y, options, want) => {
    const got = none(x, y, options);
    want.forEach((w, i) => {
      if (Number.isFinite(w)) expect(got[i]).toBeCloseTo(w, 6);
      else expect(got[i]).toEqual(w);
    });
  });

  it("the right gradients at infinite logits", () => {
    const { grad } = binaryCrossEntropyWithGrad(
      new array([Infinity, -Infinity, Infinity, -Infinity]),
      new array([1, 0, 0, 1]),
      {
        reduction: "sum",
      },
    );
    expect(Array.from(grad, (v) => v + 0)).toEqual([0, 0, 1, -1]);
  });

  it("posWeight as a number, targets as integers and number[]", () => {
    const x = new array([0.5, -1, 2, 0]);
    const y = [1, 0, 0, 1];
    const wanted = none(Array.from(x), y);
    expect(binaryCrossEntropy(x, y, { reduction: "none" })).toEqual(wanted);
    expect(binaryCrossEntropy(x, Uint8Array.from(y), { reduction: "none" })).toEqual(wanted);
    const doubled = none(Array.from(x), y, { posWeight: 2 });
    doubled.forEach((v: number, i: number) => {
      expect(v / (wanted[i] as number)).toBeCloseTo(y[i] ? 2 : 1, 6);
    });
  });

  it("is the two-class cross-entropy of [0, x]", () => {
    for (const x of [-30, -2.5, 0, 0.25, 7, 30]) {
      for (const y of [0, 1]) {
        const [got] = none([x], [y]) as unknown as [number];
        const want = numberOf(api.crossEntropy(new array([0, x]), [y]));
        expect(Math.abs(got - want)).toBeLessThanOrEqual((16 + Math.abs(x)) * unit * want);
      }
    }
  });

  it("the gradient may be written over out, the logits included", () => {
    const x = new array([0.5, -1, 2, 0]);
    const y = new array([1, 0, 0.25, 1]);
    const wanted = binaryCrossEntropyWithGrad(x, y);
    const got = binaryCrossEntropyWithGrad(x, y, { out: x });
    expect(got.grad).toBe(x);
    expect(got).toEqual(wanted);
  });

  describe("nothing", () => {
    it("has a NaN mean and a sum of 0", () => {
      expect(binaryCrossEntropy(new array(0), new array(0))).toBeNaN();
      expect(binaryCrossEntropy(new array(0), new array(0), { reduction: "sum" })).toBe(0);
      expect(none([], [])).toHaveLength(0);
    });
  });
});
