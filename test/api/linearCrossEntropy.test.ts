/** linearCrossEntropy: against torch and mpmath, against crossEntropy of the product, beyond the tiles; NaN, ignored rows, signals. */

// keep the line above first: it watches memories from the first on
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniforms } from "../../examples/support/random.ts";
import { pseudorandom } from "../support/fixture.ts";
import { api, confidentCases, linearCases, logitsOf, throughProduct, worstRow } from "../support/products.ts";
import { type FloatArray, f32, firstDifference, forEachType, resident } from "../support/variants.ts";

const { linearCrossEntropy, linearCrossEntropyWithGrad, crossEntropyWithGrad } = api;

/** Integers below `most`, some of them −100. */
function labelsOf(seed: number, n: number, most: number, ignore = true): Int32Array {
  const random = uniforms(seed);
  return Int32Array.from({ length: n }, () => (ignore && random() < 0.1 ? -100 : Math.floor(random() * most)));
}

forEachType((dtype) => {
  const { array } = dtype;
  const isF32 = dtype === f32;
  /** Of gradients, relative to each row's norm. */
  const within = isF32 ? 1e-5 : 1e-12;
  /** Of losses beside crossEntropy's: both are within 4 ULP of the logits' own. */
  const near = 8 * 2 * dtype.unit;

  describe("against torch and mpmath", () => {
    it.each(linearCases.filter((one) => one.dtype === dtype).map((one) => [one.name, one] as const))("%s", (_, one) => {
      const { x, weight, bias, labels, n, d, classes, smoothing, reduction } = one;
      const options = { shape: [n, d], weightShape: [classes, d], bias, labelSmoothing: smoothing, reduction };
      const got = linearCrossEntropyWithGrad(x, weight, labels, options);
      const value = linearCrossEntropy(x, weight, labels, options);
      // a product is within 1e-6 of its terms, and a loss with it
      const slack = (isF32 ? 4e-6 : 1e-13) * Math.max(1, ...one.losses);
      if (reduction === "none") {
        expect(firstDifference(got.value as FloatArray, value as FloatArray)).toBe("");
        one.losses.forEach((loss, i) => {
          expect(Math.abs(((value as FloatArray)[i] as number) - loss)).toBeLessThanOrEqual(slack);
        });
      } else {
        expect(got.value).toBe(value);
        expect(Math.abs((value as number) - one.value)).toBeLessThanOrEqual(reduction === "sum" ? slack * n : slack);
      }
      expect(got.gradX).toBeInstanceOf(array);
      // where logits are a thousand, f32 rounds them by 1e-4, and their softmax with it
      const by = one.name.includes("thousand") ? 100 : 1;
      expect(worstRow(got.gradX, one.gradX, n)).toBeLessThanOrEqual(by * within);
      // a class that hardly has a part in any row has a gradient of rounding: beside the largest there is
      expect(worstRow(got.gradWeight, one.gradWeight, 1)).toBeLessThanOrEqual(by * within);
      if (one.gradBias) expect(worstRow(got.gradBias as FloatArray, one.gradBias, 1)).toBeLessThanOrEqual(by * within);
      else expect(got).not.toHaveProperty("gradBias");
    });

    it.each(confidentCases.filter((one) => one.dtype === dtype).map((one) => [one.lead, one] as const))(
      "a loss of e^−%d keeps its digits",
      (_, { x, weight, bias, losses, d, classes }) => {
        const options = { shape: [3, d], weightShape: [classes, d], bias };
        const got = linearCrossEntropy(x, weight, [5, 5, 5], { ...options, reduction: "none" }) as FloatArray;
        losses.forEach((loss, i) => {
          expect(Math.abs((got[i] as number) - loss)).toBeLessThanOrEqual(4 * 2 * dtype.unit * loss);
        });
        const mean = (losses as Float64Array).reduce((sum, loss) => sum + loss, 0) / 3;
        expect(Math.abs((linearCrossEntropy(x, weight, [5, 5, 5], options) as number) / mean - 1)).toBeLessThan(near);
      },
    );

    it.each(confidentCases.filter((one) => one.dtype === dtype).map((one) => [one.lead, one] as const))(
      "and so do the gradients of e^−%d",
      (_, { x, weight, bias, d, classes }) => {
        // numbers of few bits, whose logits are exact
        const z = logitsOf(Float64Array.from(x), Float64Array.from(weight), Float64Array.from(bias), 3, d, classes);
        const grad = new Float64Array(3 * classes);
        for (let i = 0; i < 3; i++) {
          const row = z.subarray(i * classes, (i + 1) * classes);
          const powers = Float64Array.from(row, (v) => Math.exp(v - (row[5] as number)));
          powers[5] = 0;
          const others = powers.reduce((sum, v) => sum + v, 0);
          for (const [j, v] of powers.entries()) grad[i * classes + j] = (j === 5 ? -others : v) / (1 + others);
        }
        const wanted = throughProduct(grad, x, weight, 3, d, classes);
        const options = { shape: [3, d], weightShape: [classes, d], bias, reduction: "sum" };
        const got = linearCrossEntropyWithGrad(x, weight, [5, 5, 5], options);
        expect(worstRow(got.gradX, wanted.gradX, 3)).toBeLessThanOrEqual(within);
        expect(worstRow(got.gradWeight, wanted.gradWeight, classes)).toBeLessThanOrEqual(within);
        expect(worstRow(got.gradBias as FloatArray, wanted.gradBias, classes)).toBeLessThanOrEqual(within);
      },
    );
  });

  /**
   * Rows of gradients beside the sums of the lengths that they are made of, S = Σ|G|·‖w‖ or Σ|G|·‖x‖: logits err by their terms
   * Z = Σ|x·w|, a softmax relatively by as much, and the sum of a row by some roundings. Returns the largest error relative to a row's own
   * norm.
   */
  function nearlyCancelling(shared: number, apart: number, classes: number, d: number): number {
    const n = 12;
    const common = pseudorandom(dtype, 1, d, shared / Math.sqrt(d));
    const weight = pseudorandom(dtype, 2, classes * d, 2 / Math.sqrt(d)).map((v, e) => v + (common[e % d] as number));
    const middle = pseudorandom(dtype, 3, d, 2);
    // rows come in pairs x and −x of one label, or differ
    const x = pseudorandom(dtype, 4, n * d, 2).map((v, e) =>
      apart === 1 ? v : apart * v + (middle[e % d] as number) * (Math.floor(e / d) % 2 ? 1 : -1),
    );
    const labels = apart === 1 ? labelsOf(5, n, classes, false) : new Int32Array(n);
    const got = linearCrossEntropyWithGrad(x, weight, labels, {
      shape: [n, d],
      weightShape: [classes, d],
      reduction: "sum",
    });
    const [gradX, gradWeight] = [new Float64Array(n * d), new Float64Array(classes * d)];
    const [boundX, boundWeight] = [new Float64Array(n), new Float64Array(classes)];
    const row = (of: ArrayLike<number>, i: number): Float64Array =>
      Float64Array.from({ length: d }, (_, k) => of[i * d + k] as number);
    const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, k) => sum + v * (b[k] as number), 0);
    const all = Array.from({ length: classes }, (_, j) => row(weight, j));
    for (let i = 0; i < n; i++) {
      const own = row(x, i);
      const label = labels[i] as number;
      const z = all.map((w) => dot(own, w));
      const powers = z.map((v) => Math.exp(v - (z[label] as number)));
      const others = powers.reduce((sum, v, j) => sum + (j === label ? 0 : v), 0);
      const terms = all.reduce((most, w) => Math.max(most, dot(own.map(Math.abs), w.map(Math.abs))), 0);
      const by = (16 + 4 * terms) * dtype.unit;
      for (const [j, w] of all.entries()) {
        const g = (j === label ? -others : (powers[j] as number)) / (1 + others);
        for (let k = 0; k < d; k++) {
          (gradX[i * d + k] as number) += g * (w[k] as number);
          (gradWeight[j * d + k] as number) += g * (own[k] as number);
        }
        (boundX[i] as number) += by * Math.abs(g) * Math.sqrt(dot(w, w));
        (boundWeight[j] as number) += by * Math.abs(g) * Math.sqrt(dot(own, own));
      }
    }
    let worst = 0;
    for (const [name, found, wanted, bounds] of [
      ["gradX", got.gradX, gradX, boundX],
      ["gradWeight", got.gradWeight, gradWeight, boundWeight],
    ] as const)
      for (const [i, bound] of bounds.entries()) {
        const norm = Math.sqrt(dot(row(wanted, i), row(wanted, i)));
        const [a, b] = [row(found as FloatArray, i), row(wanted, i)];
        const error = Math.hypot(...a.map((v, k) => v - (b[k] as number)));
        if (!(error <= bound)) expect.fail(`${name}, row ${i} of ${classes}×${d}: off by ${error}, allowed ${bound}`);
        if (name === "gradX") worst = Math.max(worst, error / norm);
      }
    return worst;
  }

  it("gradients err by what their rows are made of, however little of it is left", () => {
    for (const classes of [7, 300])
      for (const d of [4, 64])
        for (const apart of [1, 1e-3]) {
          const plain = nearlyCancelling(0, apart, classes, d);
          expect(plain).toBeLessThan(within);
          nearlyCancelling(10, apart, classes, d);
          nearlyCancelling(1000, apart, classes, d);
        }
    // weights that are nearly one vector: of Σ G·w a thousandth is left
    const most = nearlyCancelling(1000, 1, 1000, 64);
    expect(most).toBeGreaterThan(500 * dtype.unit);
    expect(most).toBeLessThan(20_000 * dtype.unit);
  });

  // f64 would need a reference of more digits
  it.runIf(dtype.name === "f32")("of a smoothed target that is learnt, gradients err by what cancels in G", () => {
    let most = 0;
    for (const classes of [2, 3, 40])
      for (const labelSmoothing of [0.5, 0.1, 1e-3])
        for (let turn = 0; turn < 100; turn++) {
          const share = labelSmoothing / classes;
          const x = new dtype.array([1 + turn / 100]);
          const weight = new dtype.array(classes);
          weight[0] = Math.log((1 - labelSmoothing + share) / share) / (x[0] as number);
          const options = { shape: [1, 1], weightShape: [classes, 1], bias: new dtype.array(classes), labelSmoothing };
          const got = linearCrossEntropyWithGrad(x, weight, [0], options).gradBias as FloatArray;
          const z = (weight[0] as number) * (x[0] as number);
          const by = (16 + 4 * z) * dtype.unit;
          const sum = 1 + (classes - 1) * Math.exp(-z);
          got.forEach((g: number, j: number) => {
            const wanted = j ? Math.exp(-z) / sum - share : 1 / sum - (1 - labelSmoothing + share);
            const error = Math.abs(g - wanted);
            expect(error).toBeLessThanOrEqual(by * (Math.abs(wanted) + (j ? share : labelSmoothing)));
            most = Math.max(most, error / (by * Math.abs(wanted)));
          });
        }
    // by more than G itself would allow
    expect(most).toBeGreaterThan(1);
  });

  /** What differs from crossEntropyWithGrad of the logits: of the losses, and of gradients. */
  function compare(n: number, classes: number, d: number, seed: number, more: Record<string, unknown> = {}): void {
    const x = pseudorandom(dtype, seed, n * d, 2);
    const weight = pseudorandom(dtype, seed + 1, classes * d, 4 / Math.sqrt(d));
    const bias = seed % 2 ? pseudorandom(dtype, seed + 2, classes, 2) : undefined;
    const labels = labelsOf(seed, n, classes);
    const options = { shape: [n, d], weightShape: [classes, d], bias, ...more };
    const got = linearCrossEntropyWithGrad(x, weight, labels, { ...options, reduction: "none" });
    const z = logitsOf(x, weight, bias, n, d, classes);
    const wanted = crossEntropyWithGrad(z, labels, { shape: [n, classes], reduction: "none", ...more });
    const [losses, others] = [got.value as FloatArray, wanted.value as FloatArray];
    for (let i = 0; i < n; i++) {
      const [a, b] = [losses[i] as number, others[i] as number];
      if (!(Math.abs(a - b) <= near * b)) expect.fail(`${n}×${classes}×${d}, row ${i}: ${a}, wanted ${b}`);
    }
    const through = throughProduct(wanted.grad, x, weight, n, d, classes);
    // beside what adds up to each row, for it may cancel, and a softmax and its target's share may
    const share = ((more["labelSmoothing"] as number | undefined) ?? 0) / classes;
    const terms = wanted.grad.map((g, at) => (labels[Math.floor(at / classes)] === -100 ? 0 : Math.abs(g) + share));
    const size = throughProduct(terms, x.map(Math.abs), weight.map(Math.abs), n, d, classes);
    expect(worstRow(got.gradX, through.gradX, n, size.gradX)).toBeLessThanOrEqual(within / 8);
    expect(worstRow(got.gradWeight, through.gradWeight, classes, size.gradWeight)).toBeLessThanOrEqual(within / 8);
    if (bias)
      expect(worstRow(got.gradBias as FloatArray, through.gradBias, 1, size.gradBias)).toBeLessThanOrEqual(within / 8);
    labels.forEach((label, i) => {
      if (label === -100 && got.gradX.subarray(i * d, (i + 1) * d).some((v) => !Object.is(v, 0)))
        expect.fail(`the gradient of row ${i}, which is ignored`);
    });
    // the value alone has the same bits
    const alone = linearCrossEntropy(x, weight, labels, { ...options, reduction: "none" }) as FloatArray;
    expect(firstDifference(alone, losses)).toBe("");
  }

  describe("beside crossEntropy of the product", () => {
    const side = isF32 ? 512 : 336;
    it.each([
      [side - 1, 3, 2],
      [side, 2, 1],
      [side + 1, 5, 3],
      [3, side - 1, 2],
      [2, side, 1],
      [3, side + 1, 17],
      [2 * side + 3, side + 9, 3],
      [5, 3 * side + 1, 5],
      [4, 40, 255],
      [4, 40, 256],
      [4, 40, 257],
      [3, 9, side + 1],
      [3, 9, 2 * side + 5],
    ])("around the edges of tiles: %d rows, %d classes of %d", (n, classes, d) => {
      compare(n, classes, d, n);
      compare(n, classes, d, n + 1, { labelSmoothing: 0.1 });
    });

    it("all small sizes", () => {
      for (let size = 1; size <= 67; size++) {
        compare(3, size, 2, size);
        compare(size, 3, 3, size + 1);
        compare(2, 5, size, size, { labelSmoothing: 0.25 });
      }
    });

    it("any", () => {
      const size = (max: number) => fc.integer({ min: 1, max });
      fc.assert(
        fc.property(
          size(90),
          size(700),
          size(40),
          size(1000),
          fc.constantFrom(0, 0.1, 1),
          (n, classes, d, seed, labelSmoothing) => compare(n, classes, d, seed, { labelSmoothing }),
        ),
        { numRuns: 25 },
      );
    });

    it.each([
      ["beyond the limit of the exponentials", 2000, 3],
      ["rising across it, from tile to tile", -500, 4000],
      ["falling across it", 500, -4000],
    ])("logits %s", (_, from, rise) => {
      const classes = 1300;
      const bias = new array(classes);
      const noise = pseudorandom(dtype, 3, classes, 4);
      for (let j = 0; j < classes; j++) bias[j] = from + (rise * j) / classes + (noise[j] as number);
      const labels = [0, 700, classes - 1, 511];
      const options = { shape: [4, 1], weightShape: [classes, 1], bias, reduction: "none" };
      const got = linearCrossEntropyWithGrad(new array(4), new array(classes), labels, options);
      const z = logitsOf(new array(4), new array(classes), bias, 4, 1, classes);
      const wanted = crossEntropyWithGrad(z, labels, { shape: [4, classes], reduction: "none" });
      (wanted.value as FloatArray).forEach((loss, i) => {
        expect(Math.abs(((got.value as FloatArray)[i] as number) - loss)).toBeLessThanOrEqual(near * loss);
      });
      const columns = Float64Array.from({ length: classes }, (_, j) =>
        labels.reduce((sum, _label, i) => sum + (wanted.grad[i * classes + j] as number), 0),
      );
      expect(worstRow(got.gradBias as FloatArray, columns, 1)).toBeLessThanOrEqual(within);
    });
  });

  describe("rows", () => {
    const [n, classes, d] = [700, 900, 24];
    const x = pseudorandom(dtype, 5, n * d, 2);
    const weight = pseudorandom(dtype, 6, classes * d, 2);
    const labels = labelsOf(7, n, classes, false);
    const options = { shape: [n, d], weightShape: [classes, d], reduction: "none" };
    const row = (list: FloatArray, i: number): FloatArray => list.subarray(i * d, (i + 1) * d);

    it("have the same bits wherever they stand", () => {
      const turned = new array(n * d);
      for (let i = 0; i < n; i++) turned.set(row(x, n - 1 - i), i * d);
      const one = linearCrossEntropyWithGrad(x, weight, labels, options);
      const two = linearCrossEntropyWithGrad(turned, weight, labels.slice().reverse(), options);
      expect(firstDifference((two.value as FloatArray).slice().reverse(), one.value as FloatArray)).toBe("");
      for (let i = 0; i < n; i++) expect(firstDifference(row(two.gradX, n - 1 - i), row(one.gradX, i))).toBe("");
    });

    it("have the same bits from residents and misaligned views, with a callback too", () => {
      const one = linearCrossEntropyWithGrad(x, weight, labels, options);
      const [a, b] = [resident(dtype.name, n * d), resident(dtype.name, classes * d)];
      a.set(x);
      b.set(weight);
      const offset = new array(classes * d + 1).subarray(1);
      offset.set(weight);
      for (const two of [
        linearCrossEntropyWithGrad(a, b, labels, options),
        linearCrossEntropyWithGrad(x, offset, labels, options),
        linearCrossEntropyWithGrad(a, b, labels, { ...options, progress: () => undefined }),
      ]) {
        expect(firstDifference(two.value as FloatArray, one.value as FloatArray)).toBe("");
        expect(firstDifference(two.gradX, one.gradX)).toBe("");
        expect(firstDifference(two.gradWeight, one.gradWeight)).toBe("");
      }
      a.dispose();
      b.dispose();
    });

    it("a NaN spoils its own, and what sums over it", () => {
      const spoilt = x.slice();
      spoilt[3 * d + 1] = Number.NaN;
      const one = linearCrossEntropyWithGrad(x, weight, labels, options);
      const two = linearCrossEntropyWithGrad(spoilt, weight, labels, options);
      for (let i = 0; i < n; i++) {
        if (i === 3) {
          expect((two.value as FloatArray)[i]).toBeNaN();
          expect(row(two.gradX, i).every(Number.isNaN)).toBe(true);
        } else {
          expect((two.value as FloatArray)[i]).toBe((one.value as FloatArray)[i]);
          expect(firstDifference(row(two.gradX, i), row(one.gradX, i))).toBe("");
        }
      }
      expect(two.gradWeight.every(Number.isNaN)).toBe(true);
      expect(linearCrossEntropy(spoilt, weight, labels, { ...options, reduction: "mean" })).toBeNaN();
    });

    it("that are ignored add nothing, whatever they hold, beside whatever weights", () => {
      const some = labels.slice();
      some[3] = -100;
      const spoilt = x.slice();
      spoilt.fill(Number.NaN, 3 * d, 4 * d);
      const one = linearCrossEntropyWithGrad(x, weight, some, { ...options, reduction: "mean" });
      const two = linearCrossEntropyWithGrad(spoilt, weight, some, { ...options, reduction: "mean" });
      expect(two.value).toBe(one.value);
      expect(firstDifference(two.gradX, one.gradX)).toBe("");
      expect(firstDifference(two.gradWeight, one.gradWeight)).toBe("");
      const wild = weight.slice();
      wild[0] = Infinity;
      const three = linearCrossEntropyWithGrad(x, wild, some, options);
      expect(row(three.gradX, 3).every((v) => Object.is(v, 0))).toBe(true);
      expect(row(three.gradX, 4).some(Number.isNaN)).toBe(true);
    });
  });

  describe("while it runs", () => {
    const [n, classes, d] = [1200, 2500, 64];
    const x = pseudorandom(dtype, 8, n * d, 2);
    const weight = pseudorandom(dtype, 9, classes * d, 2);
    const labels = labelsOf(10, n, classes);
    const options = { shape: [n, d], weightShape: [classes, d] };

    it("tells of its tiles, the last with a fraction of 1", () => {
      const told: { tiles: number; fraction: number }[] = [];
      const progress = (one: { tiles: number; fraction: number }) => void told.push(one);
      const value = linearCrossEntropyWithGrad(x, weight, labels, { ...options, progress }).value;
      expect(value).toBe(linearCrossEntropy(x, weight, labels, options));
      expect(told.at(-1)?.fraction).toBe(1);
      expect(told.every(({ fraction }, i) => i === 0 || fraction > (told[i - 1]?.fraction ?? 0))).toBe(true);
    });

    it("stops with the signal's reason", () => {
      const abort = new AbortController();
      const progress = () => abort.abort("enough");
      const stopped = () => linearCrossEntropy(x, weight, labels, { ...options, progress, signal: abort.signal });
      expect(stopped).toThrow("enough");
      expect(stopped).toThrow("enough");
      expect(linearCrossEntropy(x, weight, labels, options)).toBeGreaterThan(0);
    });

    it("residents may be made, and memory grow, by a callback", () => {
      const [a, b] = [resident(dtype.name, n * d), resident(dtype.name, classes * d)];
      a.set(x);
      b.set(weight);
      const made: { dispose(): void }[] = [];
      const progress = () => void made.push(resident(dtype.name, 2 ** 18));
      const got = linearCrossEntropyWithGrad(a, b, labels, { ...options, progress });
      expect(made.length).toBeGreaterThan(0);
      const wanted = linearCrossEntropyWithGrad(x, weight, labels, options);
      expect(got.value).toBe(wanted.value);
      expect(firstDifference(got.gradWeight, wanted.gradWeight)).toBe("");
      for (const one of [a, b, ...made]) one.dispose();
    });

    it("an array that a callback takes away is an error that names it", () => {
      const own = weight.slice();
      const progress = () => {
        if (own.length > 0) structuredClone(own, { transfer: [own.buffer] });
      };
      expect(() => linearCrossEntropyWithGrad(x, own, labels, { ...options, progress })).toThrow(
        /^linearCrossEntropyWithGrad: "weight" must be an array that stays as it is while the call runs/,
      );
    });
  });
});
