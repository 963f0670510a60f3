/** What examples/agreement.ts claims to show. */
import { beforeAll, describe, expect, it } from "vitest";
import { loadDigits, pick } from "../../examples/support/digits.ts";
import { type Drift, driftOf } from "../../examples/support/drift.ts";
import { quantised } from "../../examples/support/quantised.ts";
import { SoftmaxRegression, TRAINING } from "../../examples/support/softmaxRegression.ts";

const { train, test } = loadDigits();
const some = pick(
  test,
  Array.from({ length: 301 }, (_, i) => 6 * i),
);
const model = new SoftmaxRegression();
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
});
