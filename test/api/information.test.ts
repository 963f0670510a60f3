/** surprisal, entropy and perplexity against mpmath; conventions of scipy.stats.entropy. */
import { afterAll, describe, expect, it } from "vitest";
import { pseudorandom } from "../support/fixture.ts";
import { api, arrayOf, entropyCases, given, numberOf, surprisalCases, Tally } from "../support/oracle.ts";
import { sum } from "../support/reference.ts";
import { type FloatArray, forEachType } from "../support/variants.ts";

const { surprisal, perplexity, crossEntropy } = api;
/** One number a row, unless told otherwise. */
const entropy = (x: unknown, options: object = {}) => api.entropy(x, { reduction: "none", ...options });

forEachType((dtype, variant) => {
  const { array, unit, tiny, max } = dtype;
  const tally = new Tally();
  afterAll(() => tally.print(`information ${dtype.name} ${variant}`));

  describe("surprisal", () => {
    it("in nats, bits and hartleys, near 1 and down to the subnormals", () => {
      for (const c of surprisalCases.filter((other) => other.dtype === dtype)) {
        const got = arrayOf(surprisal(c.p, given({ base: c.base })), dtype, c.p.length);
        got.forEach((v: number, i: number) => {
          const exact = c.surprisal[i] as number;
          tally.note(`surprisal, base ${c.base ?? "e"}`, v, exact, 6 * unit * Math.abs(exact), `p = ${c.p[i]}`);
        });
        const out = new array(c.p.length);
        expect(surprisal(c.p, given({ base: c.base, out }))).toBe(out);
        expect(out).toEqual(got);
        const inPlace = c.p.slice();
        surprisal(inPlace, given({ base: c.base, out: inPlace }));
        expect(inPlace).toEqual(got);
      }
      tally.check();
    });

    it("at the limits", () => {
      const got = surprisal(new array([0, -0, 1, Infinity, -1e-9, -1, Number.NaN, -Infinity]));
      expect(Array.from(got, (v) => v + 0)).toEqual([
        Infinity,
        Infinity,
        0,
        -Infinity,
        Number.NaN,
        Number.NaN,
        Number.NaN,
        Number.NaN,
      ]);
      expect(surprisal(new array([max]))[0]).toBeCloseTo(-Math.log(max), 3);
      expect(surprisal(new array(0))).toEqual(new array(0));
      expect(surprisal([0.5])).toBeInstanceOf(Float64Array);
    });
  });

  describe("entropy", () => {
    it.each(["probabilities", "logProbabilities", "logits"] as const)("from %s", (from) => {
      for (const c of entropyCases.filter((other) => other.dtype === dtype && other.from === from)) {
        const exact = c.entropy[0] as number;
        const size = Math.abs(Math.log(sum(c.x.length, (i) => c.x[i] as number)));
        // from logits log S + Σ p(a − z) has one sign; the others lose what log p loses near 1
        const bound =
          from === "logits" ? 28 * unit * exact : 4 * unit * (exact + 1 + (from === "probabilities" ? size : 0));
        const note = (value: unknown, base = Math.E) =>
          tally.note(
            `entropy, ${from}`,
            arrayOf(value, dtype, 1)[0] as number,
            exact / Math.log(base),
            bound * 2,
            c.name,
          );
        note(entropy(c.x, { from }));
        note(entropy(c.x, { from, base: 2 }), 2);
        note(entropy(c.x, { from, base: 10 }), 10);
        if (from === "probabilities") {
          note(entropy(c.x));
          note(entropy(c.x, { normalize: true }));
          const raw = arrayOf(entropy(c.x, { normalize: false }), dtype, 1)[0] as number;
          tally.note("entropy, not normalised", raw, c.raw?.[0] as number, 8 * unit * (c.size?.[0] as number), c.name);
        }
      }
      tally.check();
    });

    it("one number a row, along any axis; mean and sum", () => {
      const x = pseudorandom(dtype, 3, 60, 1, 0.5);
      const rows = arrayOf(entropy(x, { shape: [4, 15] }), dtype, 4);
      for (let r = 0; r < 4; r++) expect(rows[r]).toBe((entropy(x.subarray(r * 15, (r + 1) * 15)) as FloatArray)[0]);
      expect(entropy({ data: x, dims: [4, 15] })).toEqual(rows);
      const columns = arrayOf(entropy(x, { shape: [4, 15], axis: 0 }), dtype, 15);
      for (let k = 0; k < 15; k++) {
        const column = new array([0, 1, 2, 3].map((r) => x[r * 15 + k] as number));
        expect(columns[k]).toBeCloseTo((entropy(column) as FloatArray)[0] as number, 6);
      }
      const total = sum(4, (r) => rows[r] as number);
      expect(numberOf(entropy(x, { shape: [4, 15], reduction: "sum" })) / total).toBeCloseTo(1, 6);
      expect(numberOf(entropy(x, { shape: [4, 15], reduction: "mean" })) / (total / 4)).toBeCloseTo(1, 6);
      expect(api.entropy(x, { shape: [4, 15] })).toBe(entropy(x, { shape: [4, 15], reduction: "mean" }));
    });

    it.each<[string, number[], object, number]>([
      ["0·log 0 is 0", [0.5, 0, 0.5], { base: 2 }, 1],
      ["one certain outcome", [0, 1, 0], {}, 0],
      ["one certain count", [0, 7], {}, 0],
      ["a negative probability", [-0.1, 1.1], {}, Number.NaN],
      ["negative, not normalised", [-0.1, 1.1], { normalize: false }, Number.NaN],
      ["sum 0", [0, 0], {}, Number.NaN],
      ["sum 0, not normalised", [0, 0], { normalize: false }, 0],
      ["NaN", [Number.NaN, 1], {}, Number.NaN],
      ["a mask", [0, -Infinity, 0], { from: "logits", base: 2 }, 1],
      ["nothing but masks", [-Infinity, -Infinity], { from: "logits" }, Number.NaN],
      ["+∞", [Infinity, 0], { from: "logits" }, Number.NaN],
      ["one logit", [-5], { from: "logits" }, 0],
      ["log-probability −∞", [-Math.LN2, -Infinity, -Math.LN2], { from: "logProbabilities", base: 2 }, 1],
    ])("%s", (_, x, options, want) => {
      const [got] = entropy(new array(x), options) as unknown as [number];
      if (want === 1) expect(got).toBeCloseTo(1, 6);
      else expect(got + 0).toEqual(want);
      // a neighbour is not touched by it
      const [first, second] = entropy(
        new array([...x, ...x.map(() => ((options as { from?: string }).from === "logProbabilities" ? -1 : 0.25))]),
        {
          ...options,
          shape: [2, x.length],
        },
      ) as unknown as [number, number];
      expect(first).toEqual(got);
      expect(second).not.toBeNaN();
    });

    it("is at most log n, and log n where all are equal", () => {
      for (const n of [1, 2, 3, 10, 100, 5000]) {
        for (const from of ["probabilities", "logits"]) {
          const [got] = entropy(new array(n).fill(0.25), { from }) as unknown as [number];
          expect(Math.abs(got - Math.log(n))).toBeLessThanOrEqual(16 * unit * (Math.log(n) + 1));
        }
      }
    });

    it("in the subnormals, as counts", () => {
      const least = 2 * tiny * unit;
      const [got] = entropy(new array([least, least, 2 * least]), { base: 2 }) as unknown as [number];
      expect(got).toBeCloseTo(1.5, 6);
    });
  });

  describe("perplexity", () => {
    const shape = [8, 11];
    const x = pseudorandom(dtype, 4, 88, 10);
    const labels = Int32Array.from({ length: 8 }, (_, r) => (r * 5) % 11);

    it("is the exponential of the mean cross-entropy", () => {
      const got = numberOf(perplexity(x, labels, { shape }));
      const want = Math.exp(numberOf(crossEntropy(x, labels, { shape })));
      expect(Math.abs(got / want - 1)).toBeLessThanOrEqual(4 * unit * (1 + Math.log(want)));
      expect(perplexity({ data: x, dims: shape }, BigInt64Array.from(labels, BigInt))).toBe(got);
    });

    it("leaves out what is ignored", () => {
      const holes = labels.slice();
      holes[3] = -100;
      holes[5] = -100;
      const want = Math.exp(numberOf(crossEntropy(x, holes, { shape })));
      expect(perplexity(x, holes, { shape }) / want).toBeCloseTo(1, 6);
      holes[3] = 99;
      holes[5] = 99;
      expect(perplexity(x, holes, { shape, ignoreIndex: 99 }) / want).toBeCloseTo(1, 6);
      expect(perplexity(x, new Int32Array(8).fill(-100), { shape })).toBeNaN();
    });

    it("is the number of classes where all are equally likely", () => {
      expect(perplexity(new array(40), new Uint8Array(4), { shape: [4, 10] })).toBeCloseTo(10, 5);
    });
  });
});
