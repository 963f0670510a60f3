/** The facts of the mission, rows 1, 2, 6–13, 18 and 19: what a textbook says of these functions. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { api, numberOf } from "../support/oracle.ts";
import { type FloatArray, f32, forEachType } from "../support/variants.ts";

forEachType((dtype) => {
  const { array } = dtype;
  const digits = dtype === f32 ? 6 : 13;
  const loosely = dtype === f32 ? 5 : 12;
  const of = (...values: number[]) => new array(values);
  const first = (v: unknown) => (typeof v === "number" ? v : ((v as FloatArray)[0] as number));
  const bits = (...p: number[]) => first(api.entropy(of(...p), { base: 2 }));
  const H = (p: FloatArray, q = p, base = Math.E) => numberOf(api.crossEntropy(q, p, { from: "probabilities", base }));
  const KL = (p: FloatArray, q: FloatArray) => numberOf(api.klDivergence(p, q));
  const JS = (p: FloatArray, q: FloatArray) => numberOf(api.jsDivergence(p, q));

  describe("1, self-information", () => {
    it("a letter among 26: 4.70 bits", () => {
      const letter = first(api.surprisal(of(1 / 26), { base: 2 }));
      expect(letter).toBeCloseTo(Math.log2(26), dtype === f32 ? 5 : 13);
      expect(letter.toFixed(2)).toBe("4.70");
    });
    it("what is certain tells nothing, independent events add up", () => {
      expect(first(api.surprisal(of(1))) + 0).toBe(0);
      const [a, b, both] = api.surprisal(of(0.25, 0.125, 0.03125), { base: 2 }) as unknown as [number, number, number];
      expect(a + b).toBeCloseTo(both, digits);
      expect([a, b, both].map((v) => Math.round(v))).toEqual([2, 3, 5]);
      expect(first(api.surprisal(of(0.001), { base: 10 }))).toBeCloseTo(3, digits);
    });
  });

  it("2, entropy: 1.75 and 1.5 bits, a fair coin 1, a two-headed one 0", () => {
    expect(bits(1 / 2, 1 / 4, 1 / 8, 1 / 8)).toBeCloseTo(1.75, digits);
    expect(bits(1 / 2, 1 / 4, 1 / 4)).toBeCloseTo(1.5, digits);
    expect(bits(1, 1)).toBeCloseTo(1, digits);
    expect(bits(1, 0) + 0).toBe(0);
    expect(bits(4, 2, 1, 1)).toBeCloseTo(1.75, digits);
    for (const p of [0.1, 0.3, 0.9])
      expect(first(api.entropy(of(p, 1 - p)))).toBeCloseTo(-p * Math.log(p) - (1 - p) * Math.log1p(-p), digits);
  });

  describe("6, cross-entropy of distributions", () => {
    it("one-hot against 0.4: 0.916 nats", () => {
      const h = H(of(1, 0, 0), of(0.4, 0.4, 0.2));
      expect(h).toBeCloseTo(-Math.log(0.4), digits);
      expect(h.toFixed(3)).toBe("0.916");
    });
    it("H(P, Q) ≥ H(P), with equality for P = Q, and KL = H(P, Q) − H(P)", () => {
      const row = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 });
      fc.assert(
        fc.property(row, row, (a, b) => {
          // P is a target, and taken as it is: of sum 1
          const sum = a.reduce((s, v) => s + v, 0);
          const [p, q] = [new array(a.map((v) => v / sum)), new array(b)];
          const [own, cross] = [first(api.entropy(p)), H(p, q)];
          expect(cross).toBeGreaterThanOrEqual(own - 32 * dtype.unit);
          expect(H(p, p)).toBeCloseTo(own, loosely);
          expect(KL(p, q)).toBeCloseTo(cross - own, loosely);
        }),
        { numRuns: 100 },
      );
    });
  });

  it("7, multi-class cross-entropy: the negative log of the label's softmax", () => {
    expect(api.crossEntropy(of(1, 2, 3), [2])).toBeCloseTo(Math.log(1 + Math.exp(-1) + Math.exp(-2)), digits);
    expect(api.crossEntropy(of(1, 2, 3), of(0, 0, 1))).toBeCloseTo(
      numberOf(api.crossEntropy(of(1, 2, 3), [2])),
      digits,
    );
    expect(api.crossEntropy(new array(40), [0, 1, 2, 3], { shape: [4, 10] })).toBeCloseTo(Math.log(10), digits);
  });

  it("8, binary cross-entropy: −y log p − (1 − y) log(1 − p)", () => {
    const [p, y] = [0.3, 0.2];
    const want = -y * Math.log(p) - (1 - y) * Math.log(1 - p);
    expect(api.binaryCrossEntropy(of(p), of(y), { from: "probabilities" })).toBeCloseTo(want, digits);
    expect(api.binaryCrossEntropy(of(Math.log(p / (1 - p))), of(y))).toBeCloseTo(want, digits);
    expect(api.binaryCrossEntropy(of(0, 0), of(0, 1))).toBeCloseTo(Math.LN2, digits);
  });

  it("9, the cross-entropy of a test set, and its exponential", () => {
    const Q = [0.5, 0.25, 0.25];
    const sample = [0, 0, 1, 2, 0, 1];
    const want = -sample.reduce((s, x) => s + Math.log(Q[x] as number), 0) / sample.length;
    const logits = new array(sample.flatMap(() => Q.map(Math.log)));
    expect(api.crossEntropy(logits, sample, { shape: [6, 3] })).toBeCloseTo(want, digits);
    expect(api.perplexity(logits, sample, { shape: [6, 3] })).toBeCloseTo(Math.exp(want), loosely);
  });

  describe("10, KL divergence", () => {
    it("is 0 for P = Q only, not symmetric, and infinite where p > 0 = q", () => {
      expect(KL(of(0.5, 0.5), of(0.5, 0.5))).toBe(0);
      expect(KL(of(0.36, 0.48, 0.16), of(1, 1, 1)).toFixed(7)).toBe("0.0852996");
      expect(KL(of(1, 1, 1), of(0.36, 0.48, 0.16)).toFixed(6)).toBe("0.097455");
      expect(KL(of(0.5, 0.5), of(1, 0))).toBe(Infinity);
      expect(KL(of(1, 0), of(0.5, 0.5))).toBeCloseTo(Math.LN2, digits);
    });
    it("has no triangle inequality, but √JS has", () => {
      const [p, q, r] = [of(0.5, 0.5), of(0.75, 0.25), of(0.99, 0.01)] as const;
      expect(KL(p, r)).toBeGreaterThan(KL(p, q) + KL(q, r));
      const d = (a: FloatArray, b: FloatArray) => numberOf(api.jsDistance(a, b));
      const row = fc
        .array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 })
        .map((v) => new array(v));
      fc.assert(
        fc.property(row, row, row, (a, b, c) => {
          expect(d(a, c)).toBeLessThanOrEqual((d(a, b) + d(b, c)) * (1 + 8 * dtype.unit));
        }),
        { numRuns: 200 },
      );
    });
  });

  it("11, cross-entropy against distillation: the same gradient, values apart by the teacher's entropy", () => {
    const teacher = of(2, -1, 0.5, 0);
    const student = of(0.3, 0.2, -1, 1);
    for (const T of [1, 3]) {
      const soft = new array(softmax(Array.from(teacher, (v) => v / T)));
      const scaled = new array(Array.from(student, (v) => v / T));
      const cross = api.crossEntropyWithGrad(scaled, soft, { reduction: "sum" });
      const distilled = api.klDivergenceWithGrad(teacher, student, {
        from: "logits",
        temperature: T,
        reduction: "sum",
      });
      expect(numberOf(cross.value) - numberOf(distilled.value)).toBeCloseTo(first(api.entropy(soft)), loosely);
      cross.grad.forEach((v: number, i: number) => {
        expect((distilled.gradQ[i] as number) * T).toBeCloseTo(v, loosely);
      });
      // a changing target: moving the teacher changes the divergence too
      expect(Math.max(...Array.from(distilled.gradP, Math.abs))).toBeGreaterThan(0.01);
    }
  });

  it("12, KL between Gaussians: of densities on a grid", () => {
    const [a, b] = [
      { mean: [0.3], variance: [0.5] },
      { mean: [-0.4], variance: [1.2] },
    ] as const;
    const density = ({
      mean: [m],
      variance: [v],
    }: {
      readonly mean: readonly [number];
      readonly variance: readonly [number];
    }) => new array(Array.from({ length: 4001 }, (_, i) => Math.exp(-((-10 + i / 200 - m) ** 2) / (2 * v))));
    expect(KL(density(a), density(b))).toBeCloseTo(api.klGaussian(a, b), dtype === f32 ? 5 : 10);
  });

  it("13, JS: the mean KL from the mixture, symmetric, at most 1 bit", () => {
    const [p, q] = [of(0.7, 0.2, 0.1), of(0.1, 0.3, 0.6)];
    const m = new array(Array.from(p, (v, i) => (v + (q[i] as number)) / 2));
    expect(JS(p, q)).toBeCloseTo((KL(p, m) + KL(q, m)) / 2, digits);
    expect(JS(p, q)).toBe(JS(q, p));
    expect(JS(of(1, 0), of(0, 1))).toBe(Math.LN2);
    expect(api.jsDivergence(of(1, 0), of(0, 1), { base: 2 })).toBe(1);
    expect(api.jsDivergence(of(0.999, 0.001), of(0.001, 0.999), { base: 2 })).toBeLessThan(1);
  });

  it("17, two points apart: KL infinite and JS log 2 however far, 0 at the same place", () => {
    const at = (k: number) => new array(Array.from({ length: 10 }, (_, i) => Number(i === k)));
    for (let k = 1; k < 10; k++) {
      expect(KL(at(0), at(k))).toBe(Infinity);
      expect(JS(at(0), at(k))).toBe(Math.LN2);
    }
    expect([KL(at(3), at(3)), JS(at(3), at(3))]).toEqual([0, 0]);
  });

  describe("18, adversarial objectives", () => {
    const real = of(0.4, 0.3, 0.2, 0.1);
    const fake = of(0.1, 0.2, 0.3, 0.4);
    const optimal = Array.from(real, (r, i) => r / (r + (fake[i] as number)));
    /** E over a distribution of the binary cross-entropy of D with a constant label. */
    const expected = (over: FloatArray, label: number) => {
      const options = { from: "probabilities", weight: over, reduction: "sum" };
      return numberOf(api.binaryCrossEntropy(new array(optimal), new array(4).fill(label), options));
    };
    const discriminator = expected(real, 1) + expected(fake, 0);

    it("the discriminator's loss at its optimum is 2 log 2 − 2 JS", () => {
      expect(discriminator).toBeCloseTo(2 * Math.LN2 - 2 * JS(real, fake), loosely);
    });
    it("the saturating objective is 2 JS − 2 log 2, less what is free of the generator", () => {
      expect(-expected(real, 1) - expected(fake, 0)).toBeCloseTo(2 * JS(real, fake) - 2 * Math.LN2, loosely);
    });
    it("the non-saturating one is KL(g‖r) − 2 JS, up to terms free of the generator", () => {
      // E_g[−log D] = KL(g‖r) − E_g[log(g/(r + g))] and 2 JS − 2 log 2 = E_r[log D] + E_g[log(1 − D)]
      const free = -expected(real, 1); // E_r[log D*], for D* held fixed
      expect(expected(fake, 1)).toBeCloseTo(KL(fake, real) - 2 * JS(real, fake) + 2 * Math.LN2 + free, loosely);
    });
    it("no other discriminator does better", () => {
      for (const step of [-0.05, 0.05]) {
        const D = new array(optimal.map((v) => v + step));
        const loss = [1, 0].reduce((s, label) => {
          const options = { from: "probabilities", weight: label ? real : fake, reduction: "sum" };
          return s + numberOf(api.binaryCrossEntropy(D, new array(4).fill(label), options));
        }, 0);
        expect(loss).toBeGreaterThan(discriminator);
      }
    });
  });

  describe("19, gradients", () => {
    it("of cross-entropy p − t: they sum to 0 and vanish at p = t", () => {
      const { grad } = api.crossEntropyWithGrad(of(0.5, -1, 2, 0), [2]);
      expect(Array.from(grad).reduce((a, b) => a + b, 0)).toBeCloseTo(0, digits);
      const flat = api.crossEntropyWithGrad(of(1, 1, 1, 1), of(0.25, 0.25, 0.25, 0.25)).grad;
      for (const v of flat) expect(Math.abs(v)).toBeLessThanOrEqual(dtype.unit);
    });
    it("JS between supports that do not meet has none: nothing to learn from", () => {
      const M = -Infinity;
      const { value, gradP, gradQ } = api.jsDivergenceWithGrad(of(1, 0, M, M), of(M, M, 0, 1), { from: "logits" });
      expect(value).toBe(Math.LN2);
      for (const v of [...gradP, ...gradQ]) expect(Math.abs(v)).toBeLessThanOrEqual(2 * dtype.unit);
    });
    it("a descent along them reaches the target", () => {
      const target = of(0.7, 0.2, 0.1);
      for (const loss of [
        (z: FloatArray) => api.crossEntropyWithGrad(z, target),
        (z: FloatArray) => {
          const { value, gradQ } = api.klDivergenceWithGrad(new array(Array.from(target, Math.log)), z, {
            from: "logits",
          });
          return { value, grad: gradQ };
        },
        (z: FloatArray) => {
          const { value, gradP } = api.jsDivergenceWithGrad(z, new array(Array.from(target, Math.log)), {
            from: "logits",
          });
          return { value, grad: gradP.map((v: number) => 4 * v) };
        },
      ]) {
        let z: FloatArray = new array(3);
        for (let step = 0; step < 400; step++) {
          const { grad } = loss(z);
          z = z.map((v: number, i: number) => v - (grad[i] as number));
        }
        softmax(Array.from(z)).forEach((p, i) => {
          expect(p).toBeCloseTo(target[i] as number, 4);
        });
      }
    });
  });
});

function softmax(z: number[]): number[] {
  const top = Math.max(...z);
  const e = z.map((v) => Math.exp(v - top));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
}
