/** tokenScores, entropyBounds and divergenceBounds against the exact values of tools/fixtures/evaluation.py. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { divergenceBounds, entropyBounds, tokenScores } from "../../src/index.ts";
import { decode } from "../support/fixture.ts";
import { f64, forEachType } from "../support/variants.ts";

interface Case {
  readonly name: string;
  readonly type: "f32" | "f64";
  /** Of scores: log p, entropy. Of bounds: lower, upper; of divergences those of KL and those of JS. */
  readonly result: string;
}
interface Side {
  readonly indices: readonly number[];
  readonly logProbs: string;
}

const file = JSON.parse(readFileSync(new URL("../fixtures/evaluation.json", import.meta.url), "utf8")) as {
  readonly tokenScores: readonly (Case & { logits: string; token: number; rank: number })[];
  readonly entropyBounds: readonly (Case & { logProbs: string; size: number })[];
  readonly divergenceBounds: readonly (Case & { p: Side; q: Side; size: number })[];
};

forEachType((dtype) => {
  const { name, unit } = dtype;
  const of = <T extends Case>(cases: readonly T[]): T[] => cases.filter(({ type }) => type === name);

  /** Not inside, and outside by no more than rounding to the type, and what is left is known to: 1e-14, times its logarithms. */
  function encloses([lower, upper]: [number, number], [least, most]: [number, number], where: string): void {
    const slack = (v: number): number => 1e-12 + 2 * unit * Math.abs(v);
    expect(lower, where).toBeLessThanOrEqual(least);
    expect(lower, where).toBeGreaterThanOrEqual(least - slack(least));
    expect(upper, where).toBeGreaterThanOrEqual(most);
    if (most < Infinity) expect(upper, where).toBeLessThanOrEqual(most + slack(most));
  }

  describe(`exact values, ${name}`, () => {
    it("of tokenScores", () => {
      const cases = of(file.tokenScores);
      expect(cases.length).toBeGreaterThan(4);
      for (const one of cases) {
        const got = tokenScores(decode(one.logits, dtype), [one.token]);
        const [logProb, entropy] = decode(one.result, f64) as unknown as [number, number];
        expect(got.rank[0], one.name).toBe(one.rank);
        expect(Math.abs((got.logProb[0] as number) - logProb), one.name).toBeLessThanOrEqual(
          4 * unit * Math.abs(logProb),
        );
        expect(Math.abs((got.entropy[0] as number) - entropy), one.name).toBeLessThanOrEqual(17 * unit * entropy);
      }
    });

    it("of entropyBounds", () => {
      const cases = of(file.entropyBounds);
      expect(cases.length).toBeGreaterThan(3);
      for (const one of cases) {
        const { lower, upper } = entropyBounds(decode(one.logProbs, dtype), { size: one.size });
        const [least, most] = decode(one.result, f64) as unknown as [number, number];
        encloses([lower[0] as number, upper[0] as number], [least, most], one.name);
      }
    });

    it("of divergenceBounds", () => {
      const cases = of(file.divergenceBounds);
      expect(cases.length).toBeGreaterThan(10);
      let finite = 0;
      for (const one of cases) {
        const side = ({ indices, logProbs }: Side) => ({ indices, logProbs: decode(logProbs, dtype) });
        const result = decode(one.result, f64);
        for (const [i, metric] of (["kl", "js"] as const).entries()) {
          const { lower, upper } = divergenceBounds(side(one.p), side(one.q), { size: one.size, metric });
          const [least, most] = [result[2 * i] as number, result[2 * i + 1] as number];
          encloses([lower[0] as number, upper[0] as number], [least, most], `${one.name}, ${metric}`);
          if (metric === "kl") finite += +(most < Infinity);
        }
      }
      // both kinds of upper ends
      expect(finite).toBeGreaterThan(2);
      expect(finite).toBeLessThan(cases.length);
    });
  });
});
