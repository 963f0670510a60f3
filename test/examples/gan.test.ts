/** The optimal-discriminator identities that examples/gan.ts prints. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bestDiscriminator,
  byMu,
  discriminatorLoss,
  EXAMPLES,
  gaussians,
  nonSaturating,
  nonSaturatingGradient,
  type Pair,
  type Players,
  saturating,
  saturatingGradient,
} from "../../examples/gan.ts";

const overlapping = EXAMPLES["overlapping"] as Players;
const disjoint = EXAMPLES["disjoint"] as Players;

/** Two distributions of as many outcomes. */
const players = fc
  .integer({ min: 2, max: 40 })
  .chain((n) => {
    const logits = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: n, maxLength: n });
    return fc.record({ real: logits, fake: logits });
  })
  .map(({ real, fake }): Players => ({ real: Float64Array.from(real), fake: Float64Array.from(fake) }));

const expectSame = ({ direct, divergence }: Pair<ArrayLike<number>>): void => {
  const scale = Math.max(1, ...Array.from(direct, Math.abs));
  for (const [i, value] of Array.from(direct).entries()) {
    expect(Math.abs((divergence[i] as number) - value)).toBeLessThan(1e-13 * scale);
  }
};
const boxed = ({ direct, divergence }: Pair<number>): Pair<number[]> => ({
  direct: [direct],
  divergence: [divergence],
});

describe("at D* = P_r/(P_r + P_g)", () => {
  it("the discriminator can do no better: no gradient, and any other loses more", () => {
    fc.assert(
      fc.property(players, fc.double({ min: 0.1, max: 1, noNaN: true }), (pair, step) => {
        const best = bestDiscriminator(pair);
        const { value, grad } = discriminatorLoss(pair, best);
        expect(Math.max(...grad.map(Math.abs))).toBeLessThan(1e-14);
        expect(value).toBeCloseTo(-saturating(pair).direct, 13);
        expect(
          discriminatorLoss(
            pair,
            best.map((v, i) => v + (i % 2 ? step : -step)),
          ).value,
        ).toBeGreaterThan(value);
      }),
    );
  });

  it("the saturating objective is 2·JS − 2 log 2, and so is its gradient", () => {
    fc.assert(
      fc.property(players, (pair) => {
        expectSame(boxed(saturating(pair)));
        expectSame(saturatingGradient(pair));
      }),
    );
  });

  it("the non-saturating one is KL(P_g‖P_r) − 2·JS up to what is free of the generator, and so is its gradient", () => {
    fc.assert(
      fc.property(players, (pair) => {
        expectSame(boxed(nonSaturating(pair)));
        expectSame(nonSaturatingGradient(pair));
      }),
    );
  });

  it("the two pull the same generator differently", () => {
    expect(saturatingGradient(overlapping).direct).not.toEqual(nonSaturatingGradient(overlapping).direct);
  });
});

describe("disjoint supports", () => {
  it("leave the saturating objective at 0 = 2 log 2 − 2 log 2, exactly, and no gradient", () => {
    expect(saturating(disjoint)).toEqual({ direct: 0, divergence: 0 });
    const { direct, divergence } = saturatingGradient(disjoint);
    for (const g of [...direct, ...divergence]) expect(Math.abs(g)).toBe(0);
  });

  it("make the non-saturating one infinite", () => {
    expect(nonSaturating(disjoint)).toEqual({ direct: Number.POSITIVE_INFINITY, divergence: Number.POSITIVE_INFINITY });
  });
});

describe("N(μ, 1) that should become N(0, 1)", () => {
  const slopes = (mu: number) => {
    const pair = gaussians(mu);
    return [saturatingGradient(pair), nonSaturatingGradient(pair)].map(({ divergence }) => byMu(divergence, mu));
  };

  it("is at rest at μ = 0, and drawn there from everywhere", () => {
    for (const slope of slopes(0)) expect(Math.abs(slope)).toBeLessThan(1e-15);
    for (const mu of [0.5, 2, 8, 20]) for (const slope of slopes(mu)) expect(slope).toBeGreaterThan(0);
  });

  it("learns nothing from the saturating objective once it is far off, and μ from the other", () => {
    const [near, far] = [slopes(2), slopes(20)] as [[number, number], [number, number]];
    expect(far[0]).toBeLessThan(1e-20 * near[0]);
    expect(far[1]).toBeCloseTo(20, 3);
  });

  it("has the slope of its objective, 2·JS", () => {
    const h = 1e-4;
    for (const mu of [0.5, 1, 2, 4]) {
      const [above, below] = [mu + h, mu - h].map((at) => saturating(gaussians(at)).divergence) as [number, number];
      expect((above - below) / (2 * h)).toBeCloseTo(slopes(mu)[0] as number, 7);
    }
  });
});
