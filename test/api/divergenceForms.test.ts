/**
 * Divergences of arguments of different kinds, of weights of any size, and single gradients: against mpmath, and against
 * themselves at other scales.
 */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { pseudorandom } from "../support/fixture.ts";
import { api, type FormCase, type From, formCases, numberOf, PROMISED, Tally } from "../support/oracle.ts";
import { distribution as distributionOf, sum } from "../support/reference.ts";
import { type FloatArray, forEachType } from "../support/variants.ts";

const { klDivergence, jsDivergence, pairwiseDivergence, klDivergenceWithGrad, jsDivergenceWithGrad } = api;
const PAIRS = { kl: [klDivergence, klDivergenceWithGrad], js: [jsDivergence, jsDivergenceWithGrad] } as const;
const KINDS = ["kl", "js"] as const;
const FROMS: readonly From[] = ["probabilities", "logProbabilities", "logits"];

/** The distribution of a row of any size. */
function distribution(x: FloatArray, from: From, temperature = 1, normalize = true): Float64Array {
  const top = Math.max(...x);
  const huge = from === "probabilities" && normalize && (top > 1e300 || top < 1e-300);
  return distributionOf(huge ? Float64Array.from(x, (v) => (v / top) * 4) : x, from, temperature, normalize);
}

/** Σ|p·log(p/q)| + Σ|p − q|. */
function sizeOf(c: FormCase): number {
  const [p, q] = [c.p, c.q].map((x, i) => distribution(x, c.from[i] as From, c.temperature, c.normalize)) as [
    Float64Array,
    Float64Array,
  ];
  return sum(p.length, (i) => {
    const [a, b] = [p[i] as number, q[i] as number];
    return a === 0 ? b : a * Math.abs(Math.log(a / b)) + Math.abs(a - b);
  });
}

forEachType((dtype, variant) => {
  const { array, unit, tiny, max } = dtype;
  const promised = PROMISED[dtype.name];
  const cases = formCases.filter((c) => c.dtype === dtype);
  const tally = new Tally();
  afterAll(() => tally.print(`forms and scales ${dtype.name} ${variant}`));
  const optionsOf = ({ from, temperature, normalize }: FormCase) => ({ from, temperature, normalize });

  it.each([...new Set(cases.map((c) => c.group))])("%s: the value", (group) => {
    for (const c of cases.filter((other) => other.group === group)) {
      for (const kind of KINDS) {
        const exact = c[kind][0] as number;
        // as they are, terms may cancel
        const loose = c.normalize || !Number.isFinite(exact) ? 0 : 2 ** -48 * Math.min(sizeOf(c), max);
        for (const f of PAIRS[kind]) {
          const result = f(c.p, c.q, optionsOf(c)) as number | { value: unknown };
          const got = numberOf(typeof result === "number" ? result : result.value);
          tally.note(`${kind}, ${group}`, got, exact, promised * Math.abs(exact) + loose + 2 ** -1022, c.name);
        }
      }
    }
    tally.check();
  });

  it.each([...new Set(cases.map((c) => c.group))])("%s: the gradients", (group) => {
    for (const c of cases.filter((other) => other.group === group)) {
      const [p, q] = [c.p, c.q].map((x, i) => distribution(x, c.from[i] as From, c.temperature, c.normalize)) as [
        Float64Array,
        Float64Array,
      ];
      for (const kind of KINDS) {
        const both = PAIRS[kind][1](c.p, c.q, optionsOf(c));
        for (const by of ["P", "Q"] as const) {
          const exactly = c[`${kind}${by}`];
          if (!exactly) continue;
          const own = c.from[by === "P" ? 0 : 1];
          const [x, w] = by === "P" ? [c.p, p] : [c.q, q];
          const value = Math.abs(c[kind][0] as number);
          exactly.forEach((e, i) => {
            const ratio = Math.log((p[i] as number) / (q[i] as number));
            // a logarithm's exponential errs by the rounding of its exponent
            const origin = c.normalize || own === "logits" ? Math.max(...x) : 0;
            const shift = own === "probabilities" ? 0 : Math.abs(origin - (x[i] as number));
            // of two parts that may cancel: log(p/q) and the value, 1 and p/q
            const parts =
              1 + Math.abs(ratio) + (c.normalize ? value : 0) + (kind === "kl" && by === "Q" ? Math.exp(ratio) : 0);
            const weight =
              own === "probabilities"
                ? (w[i] as number) / (x[i] as number) // one over the sum
                : ((w[i] as number) + (p[i] as number)) / c.temperature;
            const size = Number.isFinite(parts * weight) ? parts * weight : 0;
            const bound = (8 + shift) * unit * Math.max(Math.abs(e), size) + 4 * tiny * unit;
            const got = both[`grad${by}`][i] as number;
            // what overflows in the type
            const wanted = Math.abs(e) > max ? Math.sign(e) * Infinity : e;
            tally.note(`${kind} grad${by}, ${group}`, got, wanted, bound, `${c.name} [${i}]`);
          });
          const one = PAIRS[kind][1](c.p, c.q, { ...optionsOf(c), wrt: by.toLowerCase() });
          expect(one[`grad${by}`], "alone").toEqual(both[`grad${by}`]);
          expect(Object.keys(one).sort()).toEqual([`grad${by}`, "value"]);
          expect(one.value).toBe(both.value);
        }
      }
    }
    tally.check();
  });

  describe("scaled by powers of two", () => {
    const exponents = dtype.name === "f32" ? [-126, 127] : [-1022, 1023];
    const weight = fc.double({ min: 0.01, max: 1, maxExcluded: true, noNaN: true });
    const row = fc.array(fc.tuple(weight, weight), { minLength: 1, maxLength: 40 });
    // the largest is below 1, the least is 2^-7 or more: neither overflows nor is subnormal
    const exponent = fc.integer({ min: exponents[0]! + 8, max: exponents[1]! });
    const scaled = (x: FloatArray, k: number) => x.map((v: number) => v * 2 ** (k >> 1) * 2 ** (k - (k >> 1)));

    it("values stay, gradients are scaled inversely", () => {
      fc.assert(
        fc.property(row, exponent, exponent, fc.double({ min: 1e-7, max: 1, noNaN: true }), (pairs, j, k, apart) => {
          const p = new array(pairs.map(([a]) => a));
          const q = new array(pairs.map(([a, b]) => a + apart * (b - a)));
          const [x, y] = [scaled(p, j), scaled(q, k)];
          for (const kind of KINDS) {
            const [plain, graded] = PAIRS[kind];
            const want = numberOf(plain(p, q));
            const got = numberOf(plain(x, y));
            const where = `${kind} of 2^${j}·[${p}], 2^${k}·[${q}]`;
            // twice the bound: both have an error
            tally.note(
              `${kind}, scaled`,
              got,
              want,
              2 * promised * want + (dtype.name === "f32" ? 1e-19 : 1e-30),
              where,
            );
            tally.note(
              `${kind}, swapped in scale`,
              numberOf(plain(scaled(p, k), scaled(q, j))),
              want,
              2 * promised * want + (dtype.name === "f32" ? 1e-19 : 1e-30),
              where,
            );
            const [before, after] = [graded(p, q), graded(x, y)];
            for (const [grad, e] of [
              ["gradP", j],
              ["gradQ", k],
            ] as const) {
              const wanted = Array.from(
                before[grad],
                (v) => new array([v * 2 ** (-e >> 1) * 2 ** (-e - (-e >> 1))])[0] as number,
              );
              wanted.forEach((v, i) => {
                // the same bits, but where the gradient is beyond the type
                const ordinary = [v, before[grad][i] as number].every((g) => Math.abs(g) > tiny && Math.abs(g) < max);
                if (ordinary) expect(after[grad][i], `${grad} ${where}`).toBe(v);
              });
            }
          }
        }),
        { numRuns: 400 },
      );
      tally.check();
    });

    it("as they are, a common power of two comes out of the sum", () => {
      fc.assert(
        fc.property(row, fc.integer({ min: exponents[0]! / 2, max: exponents[1]! - 12 }), (pairs, k) => {
          const p = new array(pairs.map(([a]) => a));
          const q = new array(pairs.map(([, b]) => b));
          const size = sum(p.length, (i) => Math.abs((p[i] as number) * Math.log((p[i] as number) / (q[i] as number))));
          for (const kind of KINDS) {
            const options = { normalize: false };
            const want = numberOf(PAIRS[kind][0](p, q, options));
            const got = numberOf(PAIRS[kind][0](scaled(p, k), scaled(q, k), options)) * 2 ** -k;
            const own = 2 * promised * Math.abs(want) + 2 ** -47 * size;
            tally.note(`${kind}, as they are, scaled`, got, want, own, `2^${k}: [${p}], [${q}]`);
          }
        }),
        { numRuns: 100 },
      );
      tally.check();
    });

    it("pairs of rows", () => {
      const [n, d] = [4, 37];
      const p = pseudorandom(dtype, 1, n * d, 1, 0.6);
      for (const metric of ["kl", "js", "jsDistance"]) {
        const want = pairwiseDivergence(p, undefined, { shape: [n, d], metric });
        const rows = [exponents[1]!, exponents[0]! + 8, 0, exponents[1]! - 3];
        const x = p.map(
          (v: number, i: number) => scaled(new array([v]), rows[Math.floor(i / d)] as number)[0] as number,
        );
        const got = pairwiseDivergence(x, undefined, { shape: [n, d], metric });
        got.forEach((v: number, i: number) => {
          const w = want[i] as number;
          tally.note(`pairwise ${metric}`, v, w, 2 * promised * w, `[${Math.floor(i / n)}, ${i % n}]`);
        });
      }
      tally.check();
    });

    it("the largest and the least numbers there are", () => {
      const least = 2 * tiny * unit;
      for (const name of ["klDivergence", "jsDivergence", "jsDistance"] as const) {
        for (const v of [max, max / 2, tiny, least, 3 * least])
          for (const options of [{}, { normalize: false }])
            for (const n of [2, 33, 70_000])
              expect(api[name](new array(n).fill(v), new array(n).fill(v), options), `${name} ${v}`).toBe(0);
        expect(api[name](new array([max, 0]), new array([max, max]))).toBeCloseTo(
          numberOf(api[name](new array([1, 0]), new array([1, 1]))),
          5,
        );
        expect(api[name](new array([least, 0]), new array([max, max]))).toBeCloseTo(
          numberOf(api[name](new array([1, 0]), new array([1, 1]))),
          5,
        );
      }
      expect(klDivergence(new array([max, max]), new array([0, max]))).toBe(Infinity);
      expect(jsDivergence(new array([max, 0]), new array([0, least]))).toBe(Math.LN2);
    });

    it("rows that come in pieces", () => {
      const n = 150_001;
      const p = pseudorandom(dtype, 1, n, 1, 0.6);
      const q = pseudorandom(dtype, 2, n, 1, 0.6);
      const [x, y] = [scaled(p, exponents[1]!), scaled(q, exponents[0]! + 8)];
      for (const kind of KINDS) {
        const [plain, graded] = PAIRS[kind];
        const want = numberOf(plain(p, q));
        tally.note(`${kind} in pieces`, numberOf(plain(x, y)), want, 2 * promised * want, "");
        for (const wrt of ["p", "q"]) {
          const one = graded(p, q, { wrt });
          const both = graded(p, q);
          const name = wrt === "p" ? "gradP" : "gradQ";
          expect(one[name]).toEqual(both[name]);
          expect(one.value).toBe(both.value);
        }
      }
      const logs = q.map((v: number) => Math.log(v));
      for (const normalize of [true, false]) {
        const got = numberOf(klDivergence(p, logs, { from: ["probabilities", "logProbabilities"], normalize }));
        const want = numberOf(klDivergence(p, q, { normalize }));
        // the logarithms are rounded
        tally.note("kl, mixed, in pieces", got, want, 4 * promised * Math.abs(want) + 8 * unit * n, "");
      }
      tally.check();
    });
  });

  it("no row breaks what issue and search found: cancelling changes of very different size", () => {
    const p = new array(32).fill(1);
    p[0] = p[8] = 32_000;
    const q = p.slice();
    q[0] = 32_010;
    q[8] = 31_990;
    q[4] = 1.1;
    const exact = sum(
      32,
      (i) => (p[i] as number) * -Math.log1p(((q[i] as number) - (p[i] as number)) / (p[i] as number)),
    );
    const got = numberOf(klDivergence(p, q, { normalize: false }));
    expect(Math.abs(got / exact - 1)).toBeLessThan(promised);
    // so much smaller than q that D − C had no digit of it
    const [a, b] = [new array([1e-20]), new array([1])];
    const small = a[0] as number;
    expect(Math.abs(numberOf(klDivergence(a, b, { normalize: false })) / (small * Math.log(small)) - 1)).toBeLessThan(
      promised,
    );
  });

  it("PyTorch's kl_div: of log q and p, as they are", () => {
    const p = new array([0.1, 0.2, 0.7]);
    const q = new array([0.3, 0.3, 0.4]);
    const log = q.map((v: number) => Math.log(v));
    const { value, gradQ } = klDivergenceWithGrad(p, log, {
      from: ["probabilities", "logProbabilities"],
      normalize: false,
    });
    expect(value).toBeCloseTo(
      sum(3, (i) => (p[i] as number) * Math.log((p[i] as number) / (q[i] as number))),
      6,
    );
    expect(gradQ).toEqual(p.map((v: number) => -v)); // by log q, as PyTorch has it
  });

  it.each(FROMS.flatMap((a) => FROMS.map((b) => [a, b] as const)))("conventions of %s and %s", (a, b) => {
    const form = (x: number[], from: From) => new array(from === "probabilities" ? x : x.map((v) => Math.log(v)));
    const from = [a, b] as const;
    const rows: [string, number[], number[], number, number][] = [
      ["0·log 0", [0, 1], [0.5, 0.5], Math.LN2, (3 * Math.log(4 / 3)) / 4],
      ["p > 0 = q", [0.5, 0.5], [0, 1], Infinity, (3 * Math.log(4 / 3)) / 4],
      ["zeros shared", [0.5, 0, 0.5], [0.5, 0, 0.5], 0, 0],
      ["disjoint", [1, 0, 0], [0, 0, 1], Infinity, Math.LN2],
      ["all of P", [0, 0], [0.5, 0.5], NaN, NaN],
      ["all of Q", [0.5, 0.5], [0, 0], NaN, NaN],
      ["a NaN in P", [NaN, 1], [0.5, 0.5], NaN, NaN],
      ["a NaN in Q where p = 0", [0, 1], [NaN, 0.5], NaN, NaN],
    ];
    for (const [what, p, q, k, j] of rows) {
      // among others, which it does not touch
      const n = p.length;
      const other = new Array<number>(n).fill(1 / n);
      const x = form([...other, ...p, ...other], a);
      const y = form([...other, ...q, ...other], b);
      for (const [kind, want] of [
        ["kl", k],
        ["js", j],
      ] as const) {
        const got = PAIRS[kind][0](x, y, { from, shape: [3, n], reduction: "none" }) as FloatArray;
        if (Number.isFinite(want) && want) expect(got[1], `${what} ${kind}`).toBeCloseTo(want, 6);
        else if (want === 0) expect(got[1]).toBeLessThan(1e-12);
        else expect(got[1], `${what} ${kind}`).toBe(want);
        for (const r of [0, 2]) expect(got[r]).toBeLessThan(1e-12);
        const graded = PAIRS[kind][1](x, y, { from, shape: [3, n], reduction: "none" });
        for (const i of [0, n - 1, 2 * n, 3 * n - 1]) {
          expect(graded.gradP[i], what).not.toBeNaN();
          expect(graded.gradQ[i], what).not.toBeNaN();
        }
      }
      const raw = numberOf(klDivergence(form(p, a), form(q, b), { from, normalize: false }));
      if (what.includes("NaN")) expect(raw, what).toBeNaN();
      if (what === "p > 0 = q") expect(raw).toBe(Infinity);
    }
    if (a === "probabilities") expect(klDivergence(new array([-0.5, 1.5]), form([0.5, 0.5], b), { from })).toBeNaN();
    if (b === "probabilities") expect(klDivergence(form([0.5, 0.5], a), new array([-0.5, 1.5]), { from })).toBeNaN();
  });

  it("JS is symmetric bit for bit, of different kinds too", () => {
    for (const a of FROMS)
      for (const b of FROMS) {
        const [p, q] = [pseudorandom(dtype, 1, 50, 1, 0.6), pseudorandom(dtype, 2, 50, 1, 0.6)];
        const [x, y] = [
          a === "probabilities" ? p : p.map((v: number) => Math.log(v)),
          b === "probabilities" ? q : q.map((v: number) => Math.log(v)),
        ];
        for (const temperature of a === "logits" || b === "logits" ? [1, 3] : [1]) {
          const there = jsDivergenceWithGrad(x, y, { from: [a, b], temperature });
          const back = jsDivergenceWithGrad(y, x, { from: [b, a], temperature });
          expect(back).toEqual({ value: there.value, gradP: there.gradQ, gradQ: there.gradP });
          expect(jsDivergence(y, x, { from: [b, a], temperature })).toBe(
            jsDivergence(x, y, { from: [a, b], temperature }),
          );
        }
      }
  });

  it("a temperature of logits alone", () => {
    const z = new array([4, 1, -2]);
    const p = new array([0.2, 0.3, 0.5]);
    const soft = distribution(z, "logits", 2);
    const want = sum(3, (i) => (soft[i] as number) * Math.log((soft[i] as number) / (p[i] as number)));
    expect(klDivergence(z, p, { from: ["logits", "probabilities"], temperature: 2 })).toBeCloseTo(want, 5);
    const logs = p.map((v: number) => Math.log(v));
    expect(klDivergence(z, logs, { from: ["logits", "logProbabilities"], temperature: 2 })).toBeCloseTo(want, 5);
  });

  it("logits so large that their differences overflow", () => {
    const big = max / 1.5;
    const z = new array([big, -big]);
    const T = big;
    const want = sum(2, () => 0) + (Math.tanh(1) * 2 - 0) / 1; // KL(softmax(1, −1) ‖ softmax(−1, 1)) = 2·tanh 1
    expect(
      klDivergence(
        z,
        z.map((v: number) => -v),
        { from: "logits", temperature: T },
      ),
    ).toBeCloseTo(want, 5);
  });
});
