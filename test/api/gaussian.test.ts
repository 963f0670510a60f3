/** klGaussian against mpmath; torch.distributions agreed when the fixtures were made. */
import { afterAll, describe, expect, it } from "vitest";
import { api, expectFault, gaussianCases, numberOf, Tally } from "../support/oracle.ts";
import { f32, forEachVariant } from "../support/variants.ts";

const { klGaussian } = api;

forEachVariant((variant) => {
  const tally = new Tally();
  afterAll(() => tally.print(`klGaussian ${variant}`));

  it.each(["variance", "covariance"] as const)("%s", (kind) => {
    for (const c of gaussianCases.filter((other) => other.kind === kind)) {
      const a = { mean: c.mean, [kind]: c.spread };
      const b = { mean: c.otherMean, [kind]: c.otherSpread };
      const exact = c.kl[0] as number;
      // the work is done in f64 whatever the data
      const unit = c.dtype === f32 ? 2 ** -40 : 2 ** -53;
      const bound = 16 * c.d * unit * (1 + exact) * (kind === "variance" ? 1 : c.condition);
      tally.note(`klGaussian, ${kind}, ${c.dtype.name}`, numberOf(klGaussian(a, b)), exact, bound, c.name);
      const lists = [a, b].map((g) =>
        Object.fromEntries(Object.entries(g).map(([key, v]) => [key, Array.from(v as Float64Array)])),
      );
      tally.note(`klGaussian, ${kind}, number[]`, numberOf(klGaussian(...lists)), exact, bound, c.name);
      expect(Math.abs(numberOf(klGaussian(a, a))), c.name).toBeLessThanOrEqual(
        16 * c.d * 2 ** -53 * (kind === "variance" ? 1 : c.condition),
      );
      expect(klGaussian(a, a)).toBeGreaterThanOrEqual(0);
    }
    tally.check();
  });

  it("a diagonal is a covariance with zeros beside it", () => {
    const a = { mean: [1, -2, 0.5], variance: [1, 4, 0.25] };
    const b = { mean: [0, 0, 0], variance: [2, 1, 1] };
    const full = (g: typeof a) => ({
      mean: g.mean,
      covariance: g.variance.flatMap((v, i) => [0, 1, 2].map((j) => (i === j ? v : 0))),
    });
    expect(klGaussian(full(a), full(b))).toBeCloseTo(klGaussian(a, b), 13);
  });

  it("in closed form", () => {
    // two unit normals one apart: ½; variances 1 and 4: log 2 + 1/8 − ½
    expect(klGaussian({ mean: [0], variance: [1] }, { mean: [1], variance: [1] })).toBeCloseTo(0.5, 15);
    expect(klGaussian({ mean: [0], variance: [1] }, { mean: [0], variance: [4] })).toBeCloseTo(
      Math.LN2 + 1 / 8 - 1 / 2,
      15,
    );
    expect(klGaussian({ mean: [0], variance: [4] }, { mean: [0], variance: [1] })).toBeCloseTo(
      -Math.LN2 + 2 - 1 / 2,
      15,
    );
  });

  it("does not touch its arguments", () => {
    const a = { mean: Float64Array.of(1, 2), covariance: Float64Array.of(2, 1, 1, 2) };
    const b = { mean: Float64Array.of(0, 0), covariance: Float64Array.of(1, 0.5, 0.5, 1) };
    klGaussian(a, b);
    expect([a, b].map((g) => [...g.mean, ...g.covariance])).toEqual([
      [1, 2, 2, 1, 1, 2],
      [0, 0, 1, 0.5, 0.5, 1],
    ]);
  });

  const unit = { mean: [0, 0], covariance: [1, 0, 0, 1] };
  const line = { mean: [0, 0], variance: [1, 1] };
  describe.each<[string, unknown, ErrorConstructor, RegExp[]]>([
    [
      "a singular covariance",
      { mean: [0, 0], covariance: [1, 1, 1, 1] },
      RangeError,
      [/covariance/, /positive definite/],
    ],
    [
      "an indefinite covariance",
      { mean: [0, 0], covariance: [1, 2, 2, 1] },
      RangeError,
      [/covariance/, /positive definite/],
    ],
    [
      "a negative covariance",
      { mean: [0, 0], covariance: [-1, 0, 0, -1] },
      RangeError,
      [/covariance/, /positive definite/],
    ],
    ["zeros", { mean: [0, 0], covariance: [0, 0, 0, 0] }, RangeError, [/covariance/, /positive definite/]],
    [
      "a NaN in it",
      { mean: [0, 0], covariance: [Number.NaN, 0, 0, 1] },
      RangeError,
      [/covariance/, /positive definite/],
    ],
    ["a covariance of the wrong size", { mean: [0, 0], covariance: [1, 0, 1] }, RangeError, [/covariance/, /4/, /3/]],
    ["another dimension", { mean: [0], covariance: [1] }, RangeError, [/mean/, /1/, /2/]],
    ["no mean", { covariance: [1, 0, 0, 1] }, TypeError, [/mean/, /undefined/]],
    ["no spread", { mean: [0, 0] }, TypeError, [/covariance|variance/]],
    ["a string", "normal", TypeError, [/normal|string/]],
    ["nothing", undefined, TypeError, [/undefined/]],
  ])("%s", (_, bad, kind, names) => {
    it.each(["a", "b"])("as %s is a clear error", (which) => {
      const args = which === "a" ? [bad, unit] : [unit, bad];
      expectFault({
        fn: "klGaussian",
        args,
        kind,
        names: kind === TypeError ? [...names, new RegExp(`\\b${which}\\b`)] : names,
      });
    });
  });
  it.each([
    ["zero", [0, 1]],
    ["negative", [-1, 1]],
    ["NaN", [Number.NaN, 1]],
  ])("a %s variance is a RangeError", (_, variance) => {
    for (const args of [
      [{ mean: [0, 0], variance }, line],
      [line, { mean: [0, 0], variance }],
    ])
      expectFault({ fn: "klGaussian", args, kind: RangeError, names: [/variance/, /positive|> 0/] });
    expectFault({
      fn: "klGaussian",
      args: [line, { mean: [0, 0], variance: [1, 1, 1] }],
      kind: RangeError,
      names: [/variance/, /2/, /3/],
    });
  });
});
