/**
 * KL of two rows of logarithms, which assembly/divergence/logs.ts takes in one pass, and the gradients of all kinds of rows around the number of elements
 * that a row keeps: against the same in pairs of f64.
 */
import { afterAll, expect, it } from "vitest";
import { exactDivergence } from "../support/exactDivergence.ts";
import { pseudorandom } from "../support/fixture.ts";
import { api, type From, numberOf, PROMISED, Tally } from "../support/oracle.ts";
import { type FloatArray, forEachType } from "../support/variants.ts";

const { klDivergence, klDivergenceWithGrad, jsDivergenceWithGrad } = api;
/** Around the lanes of a vector, a block of 64 elements, and a row that is kept, 1024. */
const LENGTHS = [1, 2, 3, 5, 63, 64, 65, 129, 1023, 1024, 1025, 1089, 2050];

forEachType((dtype, variant) => {
  const { array, unit, tiny } = dtype;
  const promised = PROMISED[dtype.name];
  const tally = new Tally();
  afterAll(() => tally.print(`divergences of logarithms ${dtype.name} ${variant}`));
  /** Standard normal or so. */
  const noise = (seed: number, n: number) => pseudorandom(dtype, seed, n, 3.4, 0);
  const change = (x: FloatArray, f: (v: number, i: number) => number) => new array(Array.from(x, f));

  /** The distribution of logits, whose sum is compensated: of 2,000 elements it would err by more than is asked of the gradients. */
  function distribution(z: FloatArray, temperature: number): Float64Array {
    const top = Math.max(...z);
    const w = Float64Array.from(z, (v) => Math.exp((v - top) / temperature));
    let [sum, rest] = [0, 0];
    for (const v of w) {
      const next = sum + v;
      rest += sum > v ? sum - next + v : v - next + sum;
      sum = next;
    }
    return w.map((v) => v / (sum + rest));
  }

  /** The value, and both gradients by (8 + how far an exponent was rounded) units of their parts. */
  function holds(what: string, p: FloatArray, q: FloatArray, temperature = 1): void {
    const { kl } = exactDivergence(p, q, { from: "logits", temperature });
    const value = numberOf(klDivergence(p, q, { from: "logits", temperature }));
    tally.note(`kl, ${what}`, value, kl, promised * kl + tiny, `n = ${p.length}`);
    const graded = klDivergenceWithGrad(p, q, { from: "logits", temperature });
    expect(graded.value, "with gradients").toBe(value);
    const [a, b] = [distribution(p, temperature), distribution(q, temperature)];
    const [topP, topQ] = [Math.max(...p), Math.max(...q)];
    for (let i = 0; i < p.length; i++) {
      const [x, y] = [a[i] as number, b[i] as number];
      const far = Math.max(topP - (p[i] as number), topQ - (q[i] as number)) / temperature;
      const ratio = x === 0 ? 0 : Math.log(x / y);
      const size = (8 + (x === 0 ? 0 : far)) * unit * (x + y) * (1 + Math.abs(ratio) + kl);
      const [byP, byQ] = [(x * (ratio - kl)) / temperature, (y - x) / temperature];
      const least = 2 * tiny * unit + size / temperature;
      tally.note(`gradP, ${what}`, graded.gradP[i] as number, byP, least, `n = ${p.length} [${i}]`);
      tally.note(`gradQ, ${what}`, graded.gradQ[i] as number, byQ, least, `n = ${p.length} [${i}]`);
    }
  }

  it.each([1, 3])("of any length, at temperature %d", (temperature) => {
    for (const n of LENGTHS) {
      const p = noise(n, n);
      holds(
        "apart",
        p,
        noise(n + 1, n).map((v: number) => 2 * v),
        temperature,
      );
      const by = noise(n + 2, n);
      holds(
        "near",
        p,
        p.map((v: number, i: number) => v + 1e-3 * (by[i] as number)),
        temperature,
      );
    }
    tally.check();
  });

  it("whose maxima say nothing of their sums", () => {
    for (const n of [4, 100, 1000, 1500]) {
      // a sure teacher of an unsure student, and the other way round: log of the sums differ by log n
      const sure = change(noise(n, n), (v, i) => (i === 2 ? 12 : v / 10));
      const unsure = change(noise(n + 1, n), (v) => v / 10);
      holds("a sure teacher", sure, unsure);
      holds("a sure student", unsure, sure);
      // the same peak, and else a constant: all of δ but one element's is common
      holds(
        "a common change",
        sure,
        change(sure, (v, i) => (i === 2 ? v : v - 3)),
      );
    }
    tally.check();
  });

  it("far from 0, where a difference of f64 rounds too", () => {
    for (const origin of [100, 509, 513, 5e4, 1e7]) {
      const p = noise(5, 300).map((v: number) => v + origin);
      holds(`from ${origin}`, p, noise(6, 300));
      holds(`from ${origin}`, noise(6, 300), p);
    }
    const [p, q] = [new array([-1e20, -1e20, -2e20]), new array([0, 1, 2])];
    holds("ties at -1e20", p, q);
    tally.check();
  });

  it("with masks in both, in one, and logits that are as good as masked", () => {
    const n = 201;
    const mask = (x: FloatArray, by: number, to: number) => change(x, (v, i) => (i % by === 1 ? to : v));
    const [p, q] = [noise(7, n), noise(8, n)];
    for (const far of [-600, -679, -700, -750, -2000, -1e6, -Infinity]) {
      holds(`both ${far}`, mask(p, 3, far), mask(q, 3, far));
      holds(`p ${far}`, mask(p, 3, far), q);
      // beyond, the oracle's own e^far is 0
      if (far >= -700) holds(`q ${far}`, p, mask(q, 3, far));
    }
    expect(klDivergence(p, mask(q, 3, -Infinity), { from: "logits" })).toBe(Infinity);
    tally.check();
  });

  it("a row has its bits wherever it stands, and whatever stands beside it", () => {
    for (const n of [7, 64, 1000, 1025]) {
      const [p, q] = [noise(9, n), noise(10, n)];
      for (const f of [klDivergenceWithGrad, jsDivergenceWithGrad])
        for (const from of ["logits", ["probabilities", "logits"], "probabilities"] as const) {
          const one = [from].flat()[0] === "probabilities" ? p.map((v: number) => Math.exp(v)) : p;
          const other = from === "probabilities" ? q.map((v: number) => Math.exp(v)) : q;
          const alone = f(one, other, { from: from as From, reduction: "none" });
          const rows = (x: FloatArray, beside: number) => {
            const at = new array(3 * n + 1).subarray(1) as FloatArray;
            at.fill(beside, 0, n);
            at.set(x as Float32Array, n);
            at.fill(Number.NaN, 2 * n);
            return at;
          };
          const among = f(rows(one, 2), rows(other, 3), { from, shape: [3, n], reduction: "none" });
          expect((among.value as FloatArray)[1], `${from}, n = ${n}`).toBe((alone.value as FloatArray)[0]);
          for (const grad of ["gradP", "gradQ"] as const)
            expect(among[grad].slice(n, 2 * n), `${grad}, ${from}, n = ${n}`).toEqual(alone[grad]);
        }
    }
  });

  it("gradients of JS tell the larger of two probabilities that differ by less than an ULP", () => {
    // near 0 the gradient by the logit a is (a − b)/16 of two of them, and by b the same with the other sign
    const small = jsDivergenceWithGrad(new array([1e-20, 0]), new array([2e-20, 0]), { from: "logits" });
    const nearly = (got: unknown, wanted: number) => expect((got as number) / wanted).toBeCloseTo(1, 6);
    nearly(small.gradP[0], -1e-20 / 16);
    nearly(small.gradP[1], 1e-20 / 16);
    nearly(small.gradQ[0], 1e-20 / 16);
    nearly(small.gradQ[1], -1e-20 / 16);
    for (const n of [2, 3, 100, 1500]) {
      // all of a row's gradient by logits adds up to 0: the sure one has what the others have not
      const sure = (by: number) => change(noise(1, n), (v, i) => (i === 1 ? 40 : v + by * (i + 1)));
      const [p, q] = [sure(0), sure(1e-4)];
      for (const from of ["logits", ["probabilities", "logits"], ["logits", "logProbabilities"]] as const) {
        const one = from[0] === "probabilities" ? p.map((v: number) => Math.exp(v - 40)) : p;
        const { gradP, gradQ } = jsDivergenceWithGrad(one, q, { from });
        const weighted = gradP.map((g: number, i: number) =>
          from[0] === "probabilities" ? g * (one[i] as number) : g,
        );
        for (const grad of [Array.from(weighted), Array.from(gradQ)]) {
          const size = grad.reduce((sum, g) => sum + Math.abs(g), 0);
          const total = grad.reduce((sum, g) => sum + g, 0);
          expect(size, `${from}, n = ${n}`).toBeGreaterThan(0);
          expect(Math.abs(total), `${from}, n = ${n}`).toBeLessThan(1e-4 * size);
        }
      }
    }
  });

  it("JS is symmetric bit for bit in rows that are kept and in longer ones", () => {
    for (const n of [500, 1024, 1025, 3000])
      for (const from of ["logits", "probabilities"] as const) {
        const [p, q] = [11, 12].map((seed) =>
          from === "logits" ? noise(seed, n) : noise(seed, n).map((v: number) => Math.exp(v)),
        ) as [FloatArray, FloatArray];
        const there = jsDivergenceWithGrad(p, q, { from });
        const back = jsDivergenceWithGrad(q, p, { from });
        expect(back).toEqual({ value: there.value, gradP: there.gradQ, gradQ: there.gradP });
      }
  });
});
