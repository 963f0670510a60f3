/** What examples/agreement.ts claims to show. */

import { crossEntropy } from "surprisal";
import { beforeAll, describe, expect, it } from "vitest";
import { agreementPlot } from "../../examples/support/agreementPlot.ts";
import { loadDigits, pick } from "../../examples/support/digits.ts";
import { type Drift, driftOf, layersApart } from "../../examples/support/drift.ts";
import { Perceptron } from "../../examples/support/perceptron.ts";
import { quantised } from "../../examples/support/quantised.ts";
import { TRAINING } from "../../examples/support/softmaxRegression.ts";

const { train, test } = loadDigits();
const some = pick(
  test,
  Array.from({ length: 301 }, (_, i) => 6 * i),
);
const model = new Perceptron();
let eight: Drift[];
let four: Drift[];

beforeAll(async () => {
  for (const _ of model.train(train, { ...TRAINING, epochs: 2 }));
  const drifts = async (bits: number) => {
    const all: Drift[] = [];
    for (const size of [1, 7, 1000]) all.push(await driftOf(model, quantised(model, bits), some, size));
    return all;
  };
  [eight, four] = [await drifts(8), await drifts(4)];
}, 120_000);

describe("a quantised model against its original", () => {
  it("is told the same in batches of 1, 7 and 1,000, to the bit", () => {
    for (const drifts of [eight, four]) expect(new Set(drifts.map(({ hash }) => hash)).size).toBe(1);
    expect(eight[0]?.hash).not.toBe(four[0]?.hash);
  });

  it("drifts further with fewer bits", () => {
    const [near, far] = [eight[0] as Drift, four[0] as Drift];
    expect(near.agreement.count).toBe(301);
    expect(near.agreement.kl.value).toBeGreaterThan(0);
    expect(near.agreement.kl.value).toBeLessThan(far.agreement.kl.value / 10);
    expect(near.agreement.value).toBeGreaterThan(0.99);
    expect(far.agreement.value).toBeGreaterThan(0.8);
    expect(far.agreement.kl.quantile(0.99)).toBeGreaterThan(far.agreement.kl.quantile(0.5));
    expect(near.calibration.count).toBe(301);
    expect(near.loss.value).toBeLessThan(1);
  });

  it("drifts more from layer to layer, and with fewer bits", () => {
    const [near, far] = [8, 4].map((bits) => layersApart(model, quantised(model, bits), some)) as [number[], number[]];
    expect(near.length).toBe(3);
    for (const [l, value] of near.entries()) {
      expect(value).toBeLessThan(1e-2);
      expect(far[l]).toBeGreaterThan(10 * value);
      expect(far[l]).toBeLessThan(0.5);
    }
    const table = (eight[0] as Drift).calibration.table;
    const models = [near, far].map((apart) => ({ name: "a copy", colour: "#123456", apart, table }));
    const svg = agreementPlot([{ name: "one", colour: "#000000", table }, ...models], ["a", "b", "c"], 301);
    expect(svg).not.toContain("NaN");
    expect(svg.match(/<polyline/g)?.length).toBe(5);
  });

  it("goes down by its gradients", () => {
    const small = new Perceptron(3);
    const few = pick(test, [0, 700, 1400, 2000]);
    const lossOf = (): number => {
      const z = small.logits(few.pixels);
      return crossEntropy(z, few.labels, { shape: [4, 10] });
    };
    // one step of Adam, along the signs of the gradients
    const before = lossOf();
    const [reported] = [...small.train(few, { epochs: 1, batch: 4, rate: 1e-6, seed: 1 })] as [number];
    expect(reported).toBeCloseTo(before, 5);
    expect(lossOf()).toBeLessThan(before);
  });
});
