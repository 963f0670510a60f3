/** What is lost beside something larger must not be lost from the result: signs, small masses, overflowing terms, small weights. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as surprisal from "../../src/index.ts";
import { type DType, type FloatArray, f32, forEachType } from "../support/variants.ts";

// biome-ignore lint/suspicious/noExplicitAny: arrays of either type
const api = surprisal as any;

forEachType((dtype: DType) => {
  const { array, max, tiny, unit } = dtype;
  const of = (values: readonly number[]): FloatArray => new array(values);

  describe("a negative probability makes its row NaN", () => {
    const small = fc.constantFrom(-2 * unit * tiny, -tiny, -tiny * 4, -1e-20, -1);
    const large = fc.constantFrom(1, 1e20, max / 4, max / 2);
    const names = ["klDivergence", "jsDivergence", "jsDistance", "klDivergenceWithGrad", "jsDivergenceWithGrad"];

    it.each(names)("%s: however large the others are", (name) => {
      const problem = fc.record({
        n: fc.integer({ min: 2, max: 40 }),
        at: fc.nat(),
        negative: small,
        others: large,
        inP: fc.boolean(),
        normalize: fc.boolean(),
      });
      fc.assert(
        fc.property(problem, ({ n, at, negative, others, inP, normalize }) => {
          const rows = [0, 1].map((r) => of(Array.from({ length: n }, (_, i) => ((i + r) % 3 === 0 ? others : 0.5))));
          (rows[inP ? 0 : 1] as FloatArray)[at % n] = negative;
          const got = api[name](...rows, { normalize });
          expect(typeof got === "number" ? got : got.value).toBeNaN();
        }),
      );
    });
  });

  it("logSoftmax: a quotient near the largest number is one, at any temperature", () => {
    for (const exponent of [-30, -31, -60, 30, 31])
      for (const part of [0.51, 0.75, 0.99, 1]) {
        const temperature = part * 2 ** exponent;
        const z = max * 0.99 * Math.min(temperature, 1);
        const got = api.logSoftmax(of([0, z]), { temperature });
        const wanted = -(of([z])[0] as number) / temperature;
        expect(Math.abs(got[0] - wanted), `T = ${temperature}`).toBeLessThanOrEqual(-4 * unit * wanted);
        expect(got[1]).toBe(0);
      }
  });

  it("a gradient of large targets and small weights of rows, of which only the product is ordinary", () => {
    const [large, small] = dtype === f32 ? [2 ** 90, 2 ** -100] : [2 ** 500, 2 ** -900];
    const [x, t] = [of([1.5, -1, -2, -1]), [0.5, 0.25, 0.125, 0.125]];
    const ask = { shape: [1, 4] };
    const wanted = api.crossEntropyWithGrad(x, of(t), ask).grad;
    const target = of(t.map((v) => v * large));
    const { grad } = api.crossEntropyWithGrad(x, target, { ...ask, sampleWeight: of([small]) });
    expect([...grad].map((v) => v / large)).toEqual([...wanted]);
  });

  it("a gradient written to a resident array while a callback makes memory grow", () => {
    const [x, y] = [of([0, 1, 5, 2]), of([3, 4, 4, 1])];
    const ask = { shape: [2, 2], epsilon: 0.5 };
    const wanted = surprisal.sinkhornDivergenceWithGrad(x, y, ask).grad;
    const home = surprisal.resident(dtype === f32 ? "f32" : "f64", 6);
    const more: surprisal.Resident[] = [];
    const { grad } = api.sinkhornDivergenceWithGrad(x, y, {
      ...ask,
      out: home.array.subarray(1, 5),
      progress: () => {
        if (more.length === 0) more.push(surprisal.resident("f64", surprisal.info().memoryBytes / 8));
      },
    });
    expect(more).toHaveLength(1);
    expect([...grad]).toEqual([...wanted]);
    expect([...home.array]).toEqual([0, ...wanted, 0]);
    for (const one of [home, ...more]) one.dispose();
  });

  it("a gradient is not written to an array that a callback detached: that is an error", () => {
    const out = new array(4);
    const progress = (): void => {
      if (out.length > 0) structuredClone(out.buffer, { transfer: [out.buffer as ArrayBuffer] });
    };
    const call = (): unknown =>
      api.sinkhornDivergenceWithGrad(of([0, 1, 5, 2]), of([3, 4, 4, 1]), {
        shape: [2, 2],
        epsilon: 0.5,
        out,
        progress,
      });
    expect(call).toThrow(/sinkhornDivergenceWithGrad: "out" must be .*, got one detached or made smaller/);
  });

  it("KL against a q at the edge of the normal numbers", () => {
    for (const q of [tiny, 1.5 * tiny, 2 * tiny, 3 * tiny, tiny / 2, 2 * unit * tiny]) {
      // Σp = 1 = Σq but for q: 0.4·log(0.4/q) + 0.6·log 0.6
      const wanted = 0.4 * Math.log(0.4 / q) + 0.6 * Math.log(0.6);
      const [p, b] = [of([0.4, 0.6]), of([q, 1])];
      const slack = (dtype === f32 ? 1e-6 : 1e-10) * wanted + 2 * unit;
      for (const normalize of [true, false])
        expect(Math.abs(api.klDivergence(p, b, { normalize }) - wanted), `${q} ${normalize}`).toBeLessThanOrEqual(
          slack,
        );
      const [kl] = api.pairwiseDivergence(p, b, { shape: [1, 2], metric: "kl" });
      expect(Math.abs(kl - wanted), `pairwise ${q}`).toBeLessThanOrEqual(slack + 2 * unit * wanted);
    }
  });

  it("KL of numbers whose sums are as far apart as numbers can be", () => {
    const p = of([1, 2, 3, 4]);
    const q = of([4, 3, 2, 1]);
    const wanted = api.klDivergence(p, q);
    const [low, high] = dtype === f32 ? [2 ** -110, 2 ** 110] : [2 ** -338, 2 ** 685];
    const times = (x: FloatArray, by: number): FloatArray => of(Array.from(x, (v) => v * by));
    for (const [a, b] of [
      [low, high],
      [high, low],
      [low, 1],
      [1, high],
    ] as const)
      expect(api.klDivergence(times(p, a), times(q, b)) / wanted).toBeCloseTo(1, dtype === f32 ? 5 : 9);
  });

  it("logSumExp of two, smaller than what lies between them: 2 ULP", () => {
    // found by a search; exact by mpmath
    const x = dtype === f32 ? [-0.27457159757614136, -0.28821322321891785] : [-0.1618466045237058, -1.0502690701426265];
    const wanted = dtype === f32 ? 0.4117780317258205 : 0.1826675572267099;
    const [got] = api.logSumExp(of(x)) as FloatArray;
    expect(Math.abs((got as number) - wanted)).toBeLessThanOrEqual(2 * unit * (dtype === f32 ? 0.5 : 0.25));
  });

  it("of log-probabilities whose difference overflows, one outcome is certain: 0", () => {
    for (const name of ["klDivergence", "jsDivergence"])
      expect(api[name](of([max]), of([-max]), { from: "logProbabilities" })).toBe(0);
    expect(api.klDivergence(of([max, 0]), of([max, -max]), { from: "logits" })).toBe(0);
  });

  it("wasserstein: a sample too light to be noticed in the sum of masses is as far away as it is", () => {
    const far = dtype === f32 ? 1e30 : 1e290;
    for (const order of [1, 2, Infinity]) {
      const weights = of([1, 1, 2 ** -70]);
      const [given, mass] = [of([0, 1, far]), 2 ** -71];
      const wanted = order === Infinity ? (given[2] as number) - 1 : mass ** (1 / order) * (given[2] as number);
      const got = api.wasserstein(given, of([0, 1]), { uWeights: weights, order });
      expect(Math.abs(got - wanted) / wanted).toBeLessThan(1e-12);
      expect(api.wasserstein(of([0, 1]), given, { vWeights: weights, order })).toBe(got);
      expect(api.wasserstein(of([0, 1, Infinity]), of([0, 1]), { uWeights: weights, order })).toBe(Infinity);
    }
  });

  it("mmd, unbiased: the diagonal is left out, not subtracted", () => {
    const [x, y] = [of([2 ** 13 + 1, 0, 1]), of([1, 2, 3])];
    const square = dtype === f32 ? 1e20 : 1e160;
    const shape = [3, 1];
    const pairs = (v: FloatArray): number =>
      2 * ((v[0] as number) * ((v[1] as number) + (v[2] as number)) + (v[1] as number) * (v[2] as number));
    const cross = (v: FloatArray): number => Array.from(v).reduce((a, b) => a + b, 0) * 6;
    expect(api.mmd(x, y, { shape, kernel: "linear", unbiased: true })).toBe(
      (pairs(x) + pairs(y)) / 6 - (2 * cross(x)) / 9,
    );
    expect(api.mmd(of([square, 0, 0]), y, { shape, kernel: "linear", unbiased: true })).toBeLessThan(0);
  });

  it("a mean of rows that hardly count is the mean of these rows", () => {
    const least = 2 * unit * tiny;
    const x = of([3, 0, 1, 1]);
    const loss = api.crossEntropy(x, [1, 0], { shape: [2, 2] });
    for (const weight of [least, tiny, 1, max / 4])
      for (const from of ["logits", "logProbabilities"] as const) {
        const wanted = from === "logits" ? loss : api.crossEntropy(x, [1, 0], { shape: [2, 2], from });
        const got = api.crossEntropy(x, [1, 0], { shape: [2, 2], from, sampleWeight: of([weight, weight]) });
        expect(Math.abs(got - wanted), `${weight} ${from}`).toBeLessThanOrEqual(weight === least ? 2 : 4 * unit);
        expect(got).toBeLessThan(10);
      }
  });

  it("the entropy of numbers as they are overflows only where it is no number", () => {
    const value = api.entropy(of([max, 1]), { normalize: false });
    const wanted = -max * Math.log(max);
    expect(Number.isFinite(wanted) ? value / wanted : value).toBeCloseTo(Number.isFinite(wanted) ? 1 : wanted, 5);
  });

  it("gradients of rows of any weight are that many times those of weight 1", () => {
    const row = of([1, 2, 3, -4, 0.5, 2.25, 7]);
    const exponents = dtype === f32 ? [-60, -64, -70, -100, -110] : [-400, -512, -520, -900, -1000];
    for (const soft of [false, true])
      for (const n of [7, 3]) {
        const x = row.slice(0, n);
        const target = soft ? x.map((v: number) => Math.abs(v)) : [1];
        const { grad } = api.crossEntropyWithGrad(x, target, { reduction: "none", shape: [1, n] });
        for (const e of exponents) {
          const options = { reduction: "none", shape: [1, n], sampleWeight: of([2 ** e]) };
          const got = api.crossEntropyWithGrad(x, target, options).grad;
          got.forEach((v: number, i: number) => {
            const wanted = (grad[i] as number) * 2 ** e;
            expect(Math.abs(v - wanted), `2^${e} [${i}]`).toBeLessThanOrEqual(16 * unit * Math.abs(wanted) + tiny);
          });
        }
      }
  });

  it("gradients in f32 do not overflow on the way to numbers that are none of f32 either", () => {
    const [x, target] = [of([3, -200, 1]), of([1e20, 2e19, 1e19])];
    const { grad } = api.crossEntropyWithGrad(x, target, { reduction: "none", sampleWeight: of([1e20]) });
    // (C·p − t)·1e20 of softmax p
    const [p0, p2] = [1 / (1 + Math.exp(-2)), 1 / (1 + Math.exp(2))];
    const wanted = [(1.3e20 * p0 - 1e20) * 1e20, -2e39, (1.3e20 * p2 - 1e19) * 1e20];
    grad.forEach((v: number, i: number) => {
      const w = wanted[i] as number;
      if (Math.abs(w) > max) expect(v).toBe(Math.sign(w) * Infinity);
      else expect(v / w).toBeCloseTo(1, dtype === f32 ? 5 : 12);
    });
  });

  it("KL as it is against numbers whose sum overflows", () => {
    const got = api.klDivergence(of([0, 0]), of([max, max]), { from: ["logits", "probabilities"], normalize: false });
    expect(got / (Math.log(0.5) - Math.log(max))).toBeCloseTo(1, 6);
    expect(
      api.klDivergence(of([0, 0]), of([Infinity, 1]), { from: ["logits", "probabilities"], normalize: false }),
    ).toBeNaN();
  });

  it("KL as it is of numbers below the normal ones", () => {
    const least = 2 * unit * tiny;
    for (const p of [tiny, 1.5 * tiny, 1024 * least]) {
      const wanted = p * Math.log(p / 0.5);
      const got = api.klDivergence(of([p]), of([0.5]), { normalize: false });
      expect(Math.abs(got - wanted) / Math.abs(wanted), String(p)).toBeLessThan(1e-3);
    }
  });

  it("a NaN beside a class at −∞ makes the loss NaN, not infinite", () => {
    const x = of([1, -Infinity, Number.NaN, 2]);
    expect(api.crossEntropy(x, [1])).toBeNaN();
    expect(api.perplexity(x, [1])).toBeNaN();
    expect(api.crossEntropyWithGrad(x, [1]).value).toBeNaN();
  });

  it("a mean of large losses overflows only where it is no number itself", () => {
    const far = of([max, 0, max, 0, max, 0]);
    const options = { shape: [3, 2] };
    expect(api.crossEntropy(far, [1, 1, 1], options)).toBe(max);
    const sum = api.crossEntropy(far, [1, 1, 1], { ...options, reduction: "sum", base: 1e4 });
    expect(sum / ((max / Math.log(1e4)) * 3)).toBeCloseTo(1, 12);
  });

  it("arrays are read once, and residents where they stand when all has been read", () => {
    const target = {
      reads: 0,
      get data() {
        return this.reads++ === 0 ? of([0, 1]) : of([1, 0]);
      },
      shape: [1, 2],
    };
    const x = of([3, 1]);
    expect(api.crossEntropy(x, target, { shape: [1, 2] })).toBe(api.crossEntropy(x, of([0, 1]), { shape: [1, 2] }));
    expect(target.reads).toBe(1);
    const binary = Object.assign(Object.create(Object.getPrototypeOf(target)), { shape: [2], reads: 0 });
    Object.defineProperty(binary, "data", Object.getOwnPropertyDescriptor(target, "data") as PropertyDescriptor);
    expect(api.binaryCrossEntropy(x, binary)).toBe(api.binaryCrossEntropy(x, of([0, 1])));

    const held = api.resident(dtype.name, 2);
    held.set([0.25, 0.75]);
    const growing = {
      get data() {
        api.resident("f64", 2 ** 18).dispose();
        const before = surprisal.info().memoryBytes;
        const all = [];
        while (surprisal.info().memoryBytes === before) all.push(api.resident("f64", 2 ** 18));
        for (const one of all) one.dispose();
        return of([0.5, 0.5]);
      },
      shape: [2],
    };
    expect(api.klDivergence(held, growing)).toBe(api.klDivergence(of([0.25, 0.75]), of([0.5, 0.5])));
    expect(api.perceptualLoss(held, growing)).toBe(0.0625);
    held.dispose();
  });

  describe("lists of layers", () => {
    const endless = (): unknown[] => {
      const list: unknown[] = [];
      list.length = 2 ** 32 - 1;
      return list;
    };
    const layer = of([1, 2, 3, 4]);

    it.each(["styleLoss", "styleLossWithGrad", "perceptualLoss", "perceptualLossWithGrad"])(
      "%s: a hole ends a list, however long it says it is",
      (name) => {
        const shape = name.startsWith("style") ? { shape: [2, 1, 2] } : {};
        const named = (argument: string) =>
          expect.objectContaining({ message: expect.stringContaining(`"${argument}`) });
        const thrown = (generated: unknown, target: unknown, options: object = shape): unknown => {
          try {
            return api[name](generated, target, options);
          } catch (error) {
            return error;
          }
        };
        expect(thrown(endless(), endless(), {})).toEqual(named("generated[0]"));
        expect(thrown(Object.assign(new Array(3), { 0: layer, 2: layer }), [layer, layer, layer], {})).toEqual(
          named("generated[1]"),
        );
        // the shape is one layer's: what is no layer is named before it
        expect(thrown([{}], [layer], { shape: [2, 1, 2] })).toEqual(named("generated[0]"));
        expect(thrown(layer, endless())).toEqual(named("target"));
        if (name.startsWith("style")) {
          expect(thrown(layer, { grams: endless() })).toEqual(named("target.grams"));
          expect(thrown([layer], { grams: endless() }, { shape: [[2, 1, 2]] })).toEqual(named("target.grams[0]"));
        }
      },
    );

    it("one layer's Gram matrices may be lists of numbers in a list", () => {
      const grams = Array.from(api.styleGram(layer, { shape: [2, 1, 2] }) as FloatArray);
      const nested = [grams.slice(0, 2), grams.slice(2)];
      expect(api.styleLoss(layer, { grams: nested }, { shape: [2, 1, 2] })).toBe(0);
    });
  });
});
