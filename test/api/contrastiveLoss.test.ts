/** contrastiveLoss: against torch, against crossEntropy of the similarities, beyond the tiles; confident pairs, signals. */
import { describe, expect, it } from "vitest";
import { pseudorandom } from "../support/fixture.ts";
import { api, contrastiveCases, throughProduct, worstRow } from "../support/products.ts";
import { type FloatArray, f32, firstDifference, forEachType, resident } from "../support/variants.ts";

const { contrastiveLoss, contrastiveLossWithGrad, crossEntropyWithGrad, kernelMatrix } = api;

/** Cases of which less than a hundredth may be left of what a row is the sum of; of a temperature's gradient, still less. */
const CANCELS = /duplicates learnt well|in common/;

forEachType((dtype) => {
  const { array } = dtype;
  const isF32 = dtype === f32;
  const within = isF32 ? 1e-5 : 1e-12;

  /** Rows whose error is more than `by` of their size, and of what the smallest numbers lose. */
  function beyond(got: FloatArray, wanted: FloatArray, sizes: FloatArray, by: number): string[] {
    const d = wanted.length / sizes.length;
    const found: string[] = [];
    sizes.forEach((size, i) => {
      const allowed = by * size + (isF32 ? 2 ** -140 : 2 ** -1060);
      let error = 0;
      for (let k = i * d; k < (i + 1) * d; k++) error += ((got[k] as number) - (wanted[k] as number)) ** 2;
      error = Math.sqrt(error);
      if (!(error <= allowed)) found.push(`row ${i}: off by ${error}, allowed ${allowed}`);
    });
    return found;
  }

  it.each(contrastiveCases.filter((one) => one.dtype === dtype).map((one) => [one.name, one] as const))(
    "against torch: %s",
    (_, one) => {
      const { x, y, n, d, temperature, normalize, symmetric, kind, bias } = one;
      const options = { shape: [n, d], temperature, normalize, symmetric, kind, bias };
      const got = contrastiveLossWithGrad(x, y, options);
      expect(got.value).toBe(contrastiveLoss(x, y, options));
      // logits err by what they are the sum of, and a softmax or a sigmoid relatively by as much
      const by = (16 + 4 * one.terms) * dtype.unit;
      expect(Math.abs(got.value - one.value)).toBeLessThanOrEqual(by * one.value);
      expect(beyond(got.gradX, one.gradX, one.sizeX, by)).toEqual([]);
      expect(beyond(got.gradY, one.gradY, one.sizeY, by)).toEqual([]);
      expect(got.gradX).toBeInstanceOf(array);
      expect(Math.abs(got.gradTemperature - one.gradTemperature)).toBeLessThanOrEqual(by * one.sizeTemperature);
      if (one.gradBias === undefined) expect(got).not.toHaveProperty("gradBias");
      else expect(Math.abs((got.gradBias as number) - one.gradBias)).toBeLessThanOrEqual(by * one.sizeBias);
      // of d = 1 nothing is left of a gradient once it is projected
      if (CANCELS.test(one.name) || (d === 1 && normalize) || (isF32 && temperature < 0.01)) return;
      expect(worstRow(got.gradX, one.gradX, n)).toBeLessThanOrEqual(within);
      expect(worstRow(got.gradY, one.gradY, n)).toBeLessThanOrEqual(within);
      expect(Math.abs(got.gradTemperature / one.gradTemperature - 1)).toBeLessThanOrEqual(within);
      if (one.gradBias !== undefined)
        expect(Math.abs((got.gradBias as number) / one.gradBias - 1)).toBeLessThanOrEqual(within);
    },
  );

  it("of products whose roundings all go one way, as of equal numbers, gradients err by up to u·(16 + 640·Z) of the sum", () => {
    if (!isF32) return; // what they are held against is that of f64
    for (const d of [128, 256, 1000])
      for (const logit of [0.5, 2, 7, 11.3]) {
        const [x, y] = [new Float32Array(2 * d).fill(1.27, 0, d), new Float32Array(2 * d).fill(logit / 1.27 / d, 0, d)];
        const options = { shape: [2, d], temperature: 1, normalize: false, symmetric: false };
        const got = contrastiveLossWithGrad(x, y, options).gradX;
        const wanted = contrastiveLossWithGrad(Float64Array.from(x), Float64Array.from(y), options).gradX;
        // the other y is 0: a row of the gradient is one product, G·y
        for (let k = 0; k < d; k++)
          expect(Math.abs((got[k] as number) / (wanted[k] as number) - 1)).toBeLessThanOrEqual(
            (16 + 640 * logit) * dtype.unit,
          );
      }
  });

  it("of rows that are left of much more, a part is rounding", () => {
    const witness = contrastiveCases.find((one) => one.dtype === dtype && one.name === "duplicates learnt well, CLIP");
    const { x, y, n, d, temperature, gradX, gradY } = witness as (typeof contrastiveCases)[number];
    const got = contrastiveLossWithGrad(x, y, { shape: [n, d], temperature });
    const worst = Math.max(worstRow(got.gradX, gradX, n), worstRow(got.gradY, gradY, n));
    expect(worst).toBeGreaterThan(1e4 * dtype.unit);
    expect(worst).toBeLessThan(1e6 * dtype.unit);
  });

  describe("beyond the tiles", () => {
    const side = isF32 ? 512 : 336;
    it.each([
      [side - 1, 3],
      [side, 6],
      [side + 1, 5],
      [2 * side + 3, 4],
      [40, 257],
      [7, side + 1],
    ])("%d pairs of %d, beside crossEntropy of the similarities", (n, d) => {
      const temperature = 0.5;
      const x = pseudorandom(dtype, n, n * d, 2);
      const y = pseudorandom(dtype, n + 1, n * d, 2);
      const options = { shape: [n, d], temperature, normalize: false };
      const got = contrastiveLossWithGrad(x, y, options);
      const z = kernelMatrix(x, y, { kernel: "linear", shape: [n, d] }).map((v) => v / temperature);
      const turned = new array(n * n);
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) turned[j * n + i] = z[i * n + j] as number;
      const labels = Int32Array.from({ length: n }, (_, i) => i);
      const [rows, columns] = [z, turned].map((logits) => crossEntropyWithGrad(logits, labels, { shape: [n, n] })) as [
        ReturnType<typeof crossEntropyWithGrad>,
        ReturnType<typeof crossEntropyWithGrad>,
      ];
      const value = ((rows.value as number) + (columns.value as number)) / 2;
      expect(Math.abs(got.value / value - 1)).toBeLessThanOrEqual(16 * dtype.unit);
      const grad = new Float64Array(n * n).map(
        (_, at) =>
          ((rows.grad[at] as number) + (columns.grad[(at % n) * n + Math.floor(at / n)] as number)) / 2 / temperature,
      );
      const wanted = throughProduct(grad, x, y, n, d, n);
      expect(worstRow(got.gradX, wanted.gradX, n)).toBeLessThanOrEqual(within);
      expect(worstRow(got.gradY, wanted.gradWeight, n)).toBeLessThanOrEqual(within);
      const slope = -grad.reduce((sum, g, at) => sum + g * (z[at] as number), 0);
      const size = grad.reduce((sum, g, at) => sum + Math.abs(g * (z[at] as number)), 0);
      expect(Math.abs(got.gradTemperature - slope)).toBeLessThanOrEqual(within * size);
      const alone = contrastiveLoss(x, y, { ...options, symmetric: false });
      expect(Math.abs(alone / (rows.value as number) - 1)).toBeLessThanOrEqual(16 * dtype.unit);
    });

    it.each([side + 9, 2 * side + 1])("sigmoid of %d pairs, beside a plain loop", (n) => {
      const d = 3;
      const x = pseudorandom(dtype, n, n * d, 2);
      const y = pseudorandom(dtype, n + 1, n * d, 2);
      const options = { shape: [n, d], temperature: 2, normalize: false, kind: "sigmoid", bias: -1 };
      const got = contrastiveLossWithGrad(x, y, options);
      const z = Float64Array.from(kernelMatrix(x, y, { kernel: "linear", shape: [n, d] }), (v) => v / 2 - 1);
      const match = (at: number): boolean => Math.floor(at / n) === at % n;
      const softplus = (v: number): number => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
      const value = z.reduce((sum, v, at) => sum + softplus(match(at) ? -v : v), 0) / n;
      expect(Math.abs(got.value / value - 1)).toBeLessThanOrEqual(isF32 ? 1e-6 : 1e-13);
      const grad = z.map((v, at) => (1 / (1 + Math.exp(-v)) - +match(at)) / n);
      const wanted = throughProduct(
        grad.map((g) => g / 2),
        x,
        y,
        n,
        d,
        n,
      );
      expect(worstRow(got.gradX, wanted.gradX, n)).toBeLessThanOrEqual(within);
      expect(worstRow(got.gradY, wanted.gradWeight, n)).toBeLessThanOrEqual(within);
      const bias = grad.reduce((sum, g) => sum + g, 0);
      expect(Math.abs((got.gradBias as number) / bias - 1)).toBeLessThanOrEqual(within);
    });
  });

  it("a confident pair's loss keeps its digits", () => {
    // logits of 0 but for the diagonal's: n pairs of one-hot rows, 1/τ = 24
    const n = 9;
    const x = new array(n * n).map((_, at) => +(Math.floor(at / n) === at % n));
    const loss = Math.log1p((n - 1) * Math.exp(-24));
    for (const symmetric of [true, false]) {
      const got = contrastiveLoss(x, x, { shape: [n, n], temperature: 1 / 24, symmetric });
      expect(Math.abs(got / loss - 1)).toBeLessThan(isF32 ? 1e-6 : 1e-14);
    }
    const sigmoid = contrastiveLoss(x, x, { shape: [n, n], temperature: 1 / 48, kind: "sigmoid", bias: -24 });
    expect(Math.abs(sigmoid / (n * Math.log1p(Math.exp(-24))) - 1)).toBeLessThan(isF32 ? 1e-6 : 1e-14);
  });

  it("rows at any scale have the same directions", () => {
    const [n, d] = [12, 7];
    const x = pseudorandom(dtype, 1, n * d, 2);
    const y = pseudorandom(dtype, 2, n * d, 2);
    const wanted = contrastiveLossWithGrad(x, y, { shape: [n, d] });
    for (const scale of isF32 ? [2 ** 100, 2 ** -100] : [2 ** 900, 2 ** -900]) {
      const got = contrastiveLossWithGrad(
        x.map((v) => v * scale),
        y,
        { shape: [n, d] },
      );
      expect(got.value).toBe(wanted.value);
      expect(firstDifference(got.gradY, wanted.gradY)).toBe("");
      expect(
        worstRow(
          got.gradX.map((g) => g * scale),
          wanted.gradX,
          n,
        ),
      ).toBeLessThan(1e-6);
    }
  });

  it("residents, a callback and a signal", () => {
    const [n, d] = [700, 16];
    const x = pseudorandom(dtype, 1, n * d, 2);
    const y = pseudorandom(dtype, 2, n * d, 2);
    const [a, b] = [resident(dtype.name, n * d), resident(dtype.name, n * d)];
    a.set(x);
    b.set(y);
    const fractions: number[] = [];
    const made: { dispose(): void }[] = [];
    const progress = ({ fraction }: { fraction: number }) => {
      fractions.push(fraction);
      made.push(resident(dtype.name, 2 ** 18));
    };
    const wanted = contrastiveLossWithGrad(x, y, { shape: [n, d] });
    const got = contrastiveLossWithGrad(a, b, { shape: [n, d], progress });
    expect(fractions.at(-1)).toBe(1);
    expect(got.value).toBe(wanted.value);
    expect(firstDifference(got.gradX, wanted.gradX)).toBe("");
    expect(firstDifference(got.gradY, wanted.gradY)).toBe("");
    for (const one of [a, b, ...made]) one.dispose();
    const signal = AbortSignal.abort("no");
    expect(() => contrastiveLoss(x, y, { shape: [n, d], signal })).toThrow("no");
  });
});
