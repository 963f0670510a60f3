/** What examples/digits.ts claims to show. */
import { crossEntropy, pairwiseDivergence, softmax } from "surprisal";
import { beforeAll, describe, expect, it } from "vitest";
import { accuracy, type Fit, fitOf, fitTemperature, meanPredictions } from "../../examples/support/calibration.ts";
import { timesTransposed, transposedTimes } from "../../examples/support/dense.ts";
import { CLASSES, loadDigits } from "../../examples/support/digits.ts";
import { fitMeans, logitsOf } from "../../examples/support/nearestMean.ts";
import { SoftmaxRegression, stepsOf, TRAINING } from "../../examples/support/softmaxRegression.ts";

const { train, heldOut, test } = loadDigits();
const shape = [test.count, CLASSES];
const model = new SoftmaxRegression();
let losses: number[];
let logits: Float32Array;

beforeAll(() => {
  losses = [...model.train(train, TRAINING)];
  logits = model.logits(test.pixels);
}, 120_000);

describe("softmax regression on the digits", () => {
  it("begins as a guess, log 10 nats, and learns", () => {
    expect(losses).toHaveLength(stepsOf(train, TRAINING));
    expect(losses[0]).toBeCloseTo(Math.log(10), 6);
    const last = losses.slice(-50);
    expect(last.reduce((a, b) => a + b) / last.length).toBeLessThan(0.35);
  });

  it("reads at least 90 % of the test digits", () => {
    const { answers, loss, perplexity } = fitOf(logits, test.labels, 1);
    expect(accuracy(answers)).toBeGreaterThanOrEqual(0.9);
    expect(loss).toBeLessThan(0.35);
    expect(perplexity).toBeCloseTo(Math.exp(loss), 6);
    expect(loss).toBeCloseTo(crossEntropy(logits, test.labels, { shape }), 6);
  });

  it("answers differently to different digits: KL above 0, JS symmetric and below a bit, 4 nearer to 9 than to 0", () => {
    const means = meanPredictions(softmax(logits, { shape }), test.labels);
    const matrix = { shape: [CLASSES, CLASSES] };
    const js = pairwiseDivergence(means, undefined, { ...matrix, metric: "js", base: 2 });
    const kl = pairwiseDivergence(means, undefined, { ...matrix, metric: "kl" });
    const at = (x: Float64Array, i: number, j: number) => x[i * CLASSES + j] as number;
    for (let i = 0; i < CLASSES; i++) {
      expect([at(js, i, i), at(kl, i, i)]).toEqual([0, 0]);
      for (let j = 0; j < i; j++) {
        expect(at(js, i, j)).toBe(at(js, j, i));
        expect(at(js, i, j)).toBeGreaterThan(0);
        expect(at(js, i, j)).toBeLessThan(1);
        expect(at(kl, i, j)).not.toBe(at(kl, j, i));
        expect(Math.min(at(kl, i, j), at(kl, j, i))).toBeGreaterThan(0);
      }
    }
    expect(at(js, 4, 9)).toBeLessThan(at(js, 4, 0));
  });
});

describe("temperature scaling", () => {
  it("finds the T of least cross-entropy on the held-out digits", () => {
    const held = model.logits(heldOut.pixels);
    const T = fitTemperature(held, heldOut.labels);
    const lossAt = (temperature: number) => fitOf(held, heldOut.labels, temperature).loss;
    for (const factor of [0.9, 1.1]) expect(lossAt(T)).toBeLessThan(lossAt(T * factor));
  });

  it("calibrates the overconfident nearest mean, and changes no answer", () => {
    const means = fitMeans(train);
    const T = fitTemperature(logitsOf(heldOut, means), heldOut.labels);
    const [before, after] = [1, T].map((at) => fitOf(logitsOf(test, means), test.labels, at)) as [Fit, Fit];
    expect(T).toBeGreaterThan(10);
    expect(after.loss).toBeLessThan(before.loss / 10);
    expect(after.calibrationError).toBeLessThan(before.calibrationError / 4);
    expect(accuracy(after.answers)).toBe(accuracy(before.answers));
  });
});

it("the products of a dense layer are X·Wᵀ and Gᵀ·X", () => {
  const [x, w] = [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(1, 0, 1, 0, 2, 0)];
  const y = new Float32Array(4);
  timesTransposed(x, w, y, 3);
  expect([...y]).toEqual([4, 4, 10, 10]);
  const g = new Float32Array(6);
  transposedTimes(y, x, g, 3);
  expect([...g]).toEqual([44, 58, 72, 44, 58, 72]);
});
