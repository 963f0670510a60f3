/** KL, JS and its root: conventions of SciPy, semantics of torch.nn.functional.kl_div, digits of mpmath. */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { pseudorandom } from "../support/fixture.ts";
import {
  api,
  arrayOf,
  DIVERGENCES,
  type Divergence,
  type DivergenceCase,
  divergenceCases,
  given,
  numberOf,
  PROMISED,
  rounded,
  Tally,
} from "../support/oracle.ts";
import { record } from "../support/record.ts";
import { distribution, js, kl, rowsOf, sum } from "../support/reference.ts";
import { type DType, type FloatArray, f32, forEachType } from "../support/variants.ts";

const { klDivergence, jsDivergence, jsDistance } = api;
const optionsOf = (c: DivergenceCase, more: object = {}) => ({
  ...given({ from: c.from, temperature: c.temperature, normalize: c.normalize, base: c.base }),
  ...more,
});

/** Σ|p log(p/q)|: what a sum without a normalisation may lose digits of. */
const size = (c: DivergenceCase) =>
  sum(c.p.length, (i) => {
    const [p, q] = [c.p[i] as number, c.q[i] as number];
    return c.from === "logProbabilities" ? Math.exp(p) * Math.abs(p - q) + Math.exp(p) : p * Math.abs(Math.log(p / q));
  });

/** A row alone, among others, and down the columns. */
const layouts: Record<string, (x: FloatArray, dtype: DType) => [FloatArray, object, number]> = {
  "one row": (x) => [x, {}, 1],
  "three rows": (x, { array }) => [new array([...x, ...x, ...x]), { shape: [3, x.length] }, 3],
  "five columns": (x, { array }) => [
    new array(Array.from(x).flatMap((v) => [v, v, v, v, v])),
    { shape: [x.length, 5], axis: 0 },
    5,
  ],
};

forEachType((dtype, variant) => {
  const { array, tiny } = dtype;
  const promised = PROMISED[dtype.name];
  const log2 = rounded(dtype, Math.LN2);
  const tally = new Tally();
  afterAll(() => tally.print(`divergences ${dtype.name} ${variant}`));
  const cases = divergenceCases.filter((c) => c.dtype === dtype);
  const one = (name: Divergence, p: ArrayLike<number>, q: ArrayLike<number>, options: object = {}) =>
    numberOf(api[name](new array(p), new array(q), options));

  describe.each([...new Set(cases.map((c) => c.group))])("%s", (group) => {
    it.each(Object.entries(layouts))("%s", (layout, spread) => {
      for (const c of cases.filter((other) => other.group === group)) {
        const [p, shape, rows] = spread(c.p, dtype);
        const [q] = spread(c.q, dtype);
        const unit = c.base ? Math.log(c.base) : 1;
        const [k, j] = [c.kl[0] as number, c.js[0] as number];
        const loose =
          group === "unnormalised" || group === "logProbabilities, as they are" ? (promised * size(c)) / unit : 0;
        // sums apart, or logits of other exponents: the differences round in f64, by u/√KL of themselves
        const rounding = group === "near, scaled or shifted" ? (16 * 2 ** -53) / Math.sqrt(k) : 0;
        const own = promised + rounding;
        // of the order of u² nothing is left, where the normalised rows are equal and the rows are not
        const [floor, root] = group.startsWith("near") ? [tiny, tiny] : [2 ** -100, 2 ** -50];
        const wanted: [Divergence, number, number][] = [
          ["klDivergence", k, own * k + loose],
          ["jsDivergence", j, own * j + (group === "logProbabilities, as they are" ? loose : 0)],
          [
            "jsDistance",
            Math.sqrt(j),
            own * Math.sqrt(j) + (group === "logProbabilities, as they are" ? Math.sqrt(loose) : 0),
          ],
        ];
        for (const [name, exact, relative] of wanted) {
          const tolerance = relative + (Number.isFinite(exact) ? (name === "jsDistance" ? root : floor) : 0);
          const none = arrayOf(api[name](p, q, optionsOf(c, { ...shape, reduction: "none" })), dtype, rows);
          const what = `${name}, ${group}`;
          none.forEach((v: number) => {
            tally.note(what, v, exact, tolerance, `${c.name}, ${layout}`);
          });
          const mean = numberOf(api[name](p, q, optionsOf(c, shape)));
          tally.note(`${what}, mean`, mean, exact, tolerance, c.name);
          const total = numberOf(api[name](p, q, optionsOf(c, { ...shape, reduction: "sum" })));
          tally.note(`${what}, sum`, total, exact * rows, tolerance * rows, c.name);
        }
      }
      tally.check();
    });
  });

  it("where SciPy and PyTorch return noise or less than nothing", () => {
    const near = cases.filter((c) => c.group === "near");
    const worst = [0, 1, 2].map((k) =>
      Math.max(...near.map((c) => Math.abs((c.others?.[k] as number) / ((k < 2 ? c.kl : c.js)[0] as number) - 1))),
    );
    const negative = near.filter((c) => (c.others?.[1] as number) < 0).length;
    console.log(
      `relative errors on the same ${dtype.name} inputs: SciPy KL ${worst[0]}, torch KL ${worst[1]} (${negative} of ${near.length} negative), SciPy JS ${worst[2]}`,
    );
    if (process.env["RECORD"]) {
      const ours = (name: "klDivergence" | "jsDivergence", k: "kl" | "js") =>
        Math.max(...near.map((c) => Math.abs(one(name, c.p, c.q, optionsOf(c)) / (c[k][0] as number) - 1)));
      const column = (kl: number, js: number) =>
        new Map([
          [`KL, ${dtype.name}`, { error: kl, witness: "" }],
          [`JS, ${dtype.name}`, { error: js, witness: "" }],
        ]);
      record(variant, column(ours("klDivergence", "kl"), ours("jsDivergence", "js")), "nearlyEqual");
      record("SciPy", column(worst[0] as number, worst[2] as number), "nearlyEqual");
      record("PyTorch", column(worst[1] as number, NaN), "nearlyEqual");
    }
    // torch #80488: a negative KL
    expect(negative).toBeGreaterThan(0);
    for (const w of worst) expect(Number.isNaN(w) || w > 0.5).toBe(true);
  });

  describe("conventions", () => {
    const log4 = Math.log(4);
    it.each<[string, number[], number[], object, number, number]>([
      ["0·log 0", [0, 1], [0.5, 0.5], {}, Math.LN2, (3 * Math.log(4 / 3)) / 4],
      ["p > 0 = q", [0.5, 0.5], [0, 1], {}, Infinity, (3 * Math.log(4 / 3)) / 4],
      ["zeros shared", [0.5, 0, 0.5], [0.5, 0, 0.5], {}, 0, 0],
      ["zeros shared, else disjoint", [1, 0, 0], [0, 0, 1], {}, Infinity, Math.LN2],
      ["disjoint", [0.25, 0.75, 0, 0], [0, 0, 0.5, 0.5], {}, Infinity, Math.LN2],
      ["disjoint counts", [3, 7, 0], [0, 0, 1000], {}, Infinity, Math.LN2],
      ["disjoint, in bits", [3, 7, 0], [0, 0, 1000], { base: 2 }, Infinity, 1],
      ["disjoint logits", [0, 1, -Infinity], [-Infinity, -Infinity, 3], { from: "logits" }, Infinity, Math.LN2],
      ["disjoint log-probabilities", [0, -Infinity], [-Infinity, 0], { from: "logProbabilities" }, Infinity, Math.LN2],
      ["negative p", [-0.5, 1.5], [0.5, 0.5], {}, Number.NaN, Number.NaN],
      ["negative q", [0.5, 0.5], [-0.5, 1.5], {}, Number.NaN, Number.NaN],
      ["negative q where p = 0", [0, 1], [-0.5, 1.5], {}, Number.NaN, Number.NaN],
      ["negative, not normalised", [-0.5, 1.5], [0.5, 0.5], { normalize: false }, Number.NaN, Number.NaN],
      ["p of sum 0", [0, 0], [0.5, 0.5], {}, Number.NaN, Number.NaN],
      ["q of sum 0", [0.5, 0.5], [0, 0], {}, Number.NaN, Number.NaN],
      ["both of sum 0", [0, 0], [0, 0], {}, Number.NaN, Number.NaN],
      ["NaN in p", [Number.NaN, 1], [0.5, 0.5], {}, Number.NaN, Number.NaN],
      ["NaN in q", [0, 1], [Number.NaN, 0.5], {}, Number.NaN, Number.NaN],
      ["masked in both: 0·(−∞ − −∞)", [0, -Infinity], [2, -Infinity], { from: "logits" }, 0, 0],
      ["masked in P", [-Infinity, 0], [0, 0], { from: "logits" }, Math.LN2, (3 * Math.log(4 / 3)) / 4],
      ["masked in Q", [0, 0], [-Infinity, 0], { from: "logits" }, Infinity, (3 * Math.log(4 / 3)) / 4],
      ["all of P masked", [-Infinity, -Infinity], [0, 0], { from: "logits" }, Number.NaN, Number.NaN],
      ["all of Q masked", [0, 0], [-Infinity, -Infinity], { from: "logits" }, Number.NaN, Number.NaN],
      ["+∞ in P", [Infinity, 0], [0, 0], { from: "logits" }, Number.NaN, Number.NaN],
      ["+∞ in Q", [0, 0], [Infinity, 0], { from: "logits" }, Number.NaN, Number.NaN],
      ["NaN in Q's logits", [0, 0], [Number.NaN, 0], { from: "logits" }, Number.NaN, Number.NaN],
      ["NaN beside a mask", [-Infinity, 0], [Number.NaN, 0], { from: "logits" }, Number.NaN, Number.NaN],
      ["one outcome", [3], [0.1], {}, 0, 0],
      ["one logit", [3], [-4], { from: "logits" }, 0, 0],
      ["not normalised: Σ p log(p/q)", [2, 1], [0.5, 1], { normalize: false }, 2 * log4, Number.POSITIVE_INFINITY],
    ])("%s", (_, p, q, options, k, j) => {
      const wanted: [Divergence, number][] = [["klDivergence", k]];
      if (j !== Infinity) wanted.push(["jsDivergence", j], ["jsDistance", Math.sqrt(j)]);
      for (const [name, want] of wanted) {
        const exactly =
          !Number.isFinite(want) ||
          (want === 0 && p.every((v, i) => v === q[i])) ||
          want === 1 ||
          (name === "jsDivergence" && want === Math.LN2);
        const same = (got: number, expected: number) =>
          exactly ? expect(got, name).toEqual(expected) : expect(got, name).toBeCloseTo(want, 6);
        // alone and, touching no other, between rows and columns of its kind
        same(one(name, p, q, options), want);
        const n = p.length;
        const logs = (options as { from?: string }).from === "logProbabilities";
        const plain = new Array<number>(n).fill(logs ? -Math.log(n) : 0.25);
        for (const rows of [3, 40]) {
          const at = rows >> 1;
          const build = (special: number[], axis: number) =>
            new array(
              Array.from({ length: rows * n }, (_v, k2) => {
                const [r, i] = axis ? [Math.floor(k2 / n), k2 % n] : [k2 % rows, Math.floor(k2 / rows)];
                return (r === at ? special[i] : plain[i]) as number;
              }),
            );
          for (const axis of [0, 1]) {
            const shape = axis ? [rows, n] : [n, rows];
            const got = api[name](build(p, axis), build(q, axis), {
              ...options,
              shape,
              axis,
              reduction: "none",
            }) as FloatArray;
            same(got[at] as number, rounded(dtype, want));
            for (const r of [0, at - 1, at + 1, rows - 1]) if (r !== at) expect(got[r], `${name} row ${r}`).toBe(0);
          }
        }
      }
    });

    it("KL is of P from Q, first P then Q, and not symmetric", () => {
      const [p, q] = [
        [0.75, 0.25],
        [0.5, 0.5],
      ] as const;
      expect(one("klDivergence", p, q)).toBeCloseTo(0.75 * Math.log(1.5) + 0.25 * Math.log(0.5), 6);
      expect(one("klDivergence", q, p)).toBeCloseTo(0.5 * Math.log(2 / 3) + 0.5 * Math.log(2), 6);
    });

    it("the mean is over rows, PyTorch's batchmean", () => {
      const p = new array([1, 0, 0.5, 0.5]);
      const q = new array([0.5, 0.5, 0.5, 0.5]);
      expect(klDivergence(p, q, { shape: [2, 2] })).toBeCloseTo(Math.LN2 / 2, 6);
      expect(klDivergence(p, q, { shape: [2, 2], reduction: "sum" })).toBeCloseTo(Math.LN2, 6);
      expect(jsDistance(p, q, { shape: [2, 2] })).toBeCloseTo(Math.sqrt((3 * Math.log(4 / 3)) / 4) / 2, 6);
    });

    it("a distillation: softened by T, not multiplied by T²", () => {
      const teacher = [4, 1, -2];
      const student = [1, 2, 0];
      for (const T of [1, 2, 5]) {
        const [a, b] = [teacher, student].map((z) => distribution(new Float64Array(z), "logits", T)) as [
          Float64Array,
          Float64Array,
        ];
        const got = one("klDivergence", teacher, student, { from: "logits", temperature: T });
        expect(Math.abs(got / kl(a, b) - 1)).toBeLessThan(10 * promised);
      }
    });

    it("no rows: a NaN mean, a sum of 0", () => {
      const none = new array(0);
      for (const name of DIVERGENCES) {
        expect(api[name](none, none, { shape: [0, 3] })).toBeNaN();
        expect(api[name](none, none, { shape: [0, 3], reduction: "sum" })).toBe(0);
        expect(api[name](none, none, { shape: [0, 3], reduction: "none" })).toEqual(none);
      }
    });
  });

  describe("always", () => {
    const least = 2 * tiny * dtype.unit;
    const probability = fc.oneof(
      { weight: 6, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
      { weight: 1, arbitrary: fc.constantFrom(0, least, 3 * least, tiny, 1e-30, 1, 2 ** -24, 1e-7) },
    );
    const pair = fc
      .array(fc.tuple(probability, probability), { minLength: 1, maxLength: 40 })
      .map((list): [FloatArray, FloatArray] => [new array(list.map(([a]) => a)), new array(list.map(([, b]) => b))])
      .filter(([p, q]) => sum(p.length, (i) => p[i] as number) > 0 && sum(q.length, (i) => q[i] as number) > 0);
    const logit = fc.oneof(
      { weight: 5, arbitrary: fc.double({ min: -50, max: 50, noNaN: true }) },
      { weight: 1, arbitrary: fc.constantFrom(-Infinity, 0, 1e4, -1e4) },
    );
    const logits = fc
      .array(fc.tuple(logit, logit), { minLength: 1, maxLength: 40 })
      .map((list): [FloatArray, FloatArray] => [new array(list.map(([a]) => a)), new array(list.map(([, b]) => b))])
      .filter(([p, q]) => [p, q].every((z) => Math.max(...z) > -Infinity));
    const run = (what: fc.Arbitrary<[FloatArray, FloatArray]>, body: (p: FloatArray, q: FloatArray) => void) =>
      fc.assert(
        fc.property(what, ([p, q]) => body(p, q)),
        { numRuns: 300 },
      );
    const nearby = (p: FloatArray, delta: number) =>
      p.map((v: number, i: number) => v * (1 + delta * Math.sin(7 * i + 1)));

    it.each([
      ["probabilities", pair],
      ["logits", logits],
    ] as const)("KL ≥ 0, 0 ≤ JS ≤ log 2, JS symmetric bit for bit: %s", (from, what) => {
      run(what, (p, q) => {
        for (const reduction of ["none", "mean"]) {
          const value = (f: (...a: unknown[]) => unknown, a: FloatArray, b: FloatArray) => {
            const v = f(a, b, { from, reduction });
            return typeof v === "number" ? v : ((v as FloatArray)[0] as number);
          };
          const limit = reduction === "none" ? log2 : Math.LN2;
          for (const other of [
            q,
            p.slice(),
            ...(from === "probabilities" ? [1e-2, 1e-4, 1e-6, dtype.unit].map((d) => nearby(p, d)) : []),
          ]) {
            const [k, j, back] = [
              value(klDivergence, p, other),
              value(jsDivergence, p, other),
              value(jsDivergence, other, p),
            ];
            if (!(k >= 0)) expect.fail(`KL ${k}`);
            if (!(j >= 0 && j <= (dtype === f32 && reduction === "mean" ? Math.max(limit, log2) : limit)))
              expect.fail(`JS ${j}`);
            if (!Object.is(j, back)) expect.fail(`JS ${j} and ${back}`);
            const [d, r] = [value(jsDistance, p, other), value(jsDistance, other, p)];
            if (!(d >= 0) || !Object.is(d, r)) expect.fail(`the distances ${d} and ${r}`); // scipy #20083: NaN
          }
          for (const f of [klDivergence, jsDivergence, jsDistance])
            if (!Object.is(value(f, p, p.slice()), 0)) expect.fail(`of itself ${value(f, p, p.slice())}`);
        }
      });
    });

    it("KL(p, p) and JS(p, p) are exactly 0, in every form", () => {
      for (const n of [1, 2, 7, 100, 4097, 300_000]) {
        const p = pseudorandom(dtype, n, n, 1, 0.51);
        const z = pseudorandom(dtype, n, n, 30);
        for (const name of DIVERGENCES) {
          for (const options of [{}, { normalize: false }, { base: 2 }])
            expect(one(name, p, p, options), `${name} ${n}`).toBe(0);
          for (const options of [{}, { temperature: 3 }])
            expect(one(name, z, z, { from: "logits", ...options }), `${name} ${n}`).toBe(0);
          expect(one(name, z, z, { from: "logProbabilities" })).toBe(0);
          expect(api[name](p, p, { shape: [n, 1], axis: 0 })).toBe(0);
        }
      }
    });

    it("disjoint supports: exactly log 2, however many outcomes", () => {
      for (const n of [2, 3, 10, 64, 1001, 70_000]) {
        const p = pseudorandom(dtype, 1, n, 1, 0.6).map((v: number, i: number) => (i % 2 ? 0 : v));
        const q = pseudorandom(dtype, 2, n, 1, 0.6).map((v: number, i: number) => (i % 2 ? v : 0));
        expect(jsDivergence(p, q), `n = ${n}`).toBe(Math.LN2);
        expect(jsDivergence(p, q, { base: 2 })).toBe(1);
        expect(jsDivergence(p, q, { reduction: "none" })).toEqual(new array([Math.LN2]));
        expect(jsDistance(p, q, { base: 2 })).toBe(1);
        expect(klDivergence(p, q)).toBe(Infinity);
        const [a, b] = [p, q].map((v) => v.map((x: number) => Math.log(x))) as [FloatArray, FloatArray];
        expect(jsDivergence(a, b, { from: "logits" }), `logits, n = ${n}`).toBe(Math.LN2);
        expect(klDivergence(a, b, { from: "logits" })).toBe(Infinity);
      }
    });

    it("scipy #20083: the distance of what differs by rounding only is a number", () => {
      for (const n of [3, 10, 31]) {
        const p = pseudorandom(dtype, n, n, 1, 0.6);
        const q = p.map((v: number) => v * 3).map((v: number) => v / 3);
        const d = one("jsDistance", p, q);
        expect(d).toBeGreaterThanOrEqual(0);
        expect(d).toBeLessThan(4 * dtype.unit);
      }
    });
  });

  it("any axis and shape, against the plain loops", () => {
    for (const [shape, axis] of [
      [[4, 33], 1],
      [[33, 4], 0],
      [[2, 9, 5], 1],
      [[3, 2, 7], -1],
      [[5, 3, 2, 2], -3],
      [[6, 1], 1],
    ] as const) {
      const length = shape.reduce((a: number, b: number) => a * b, 1);
      const { rows, n, at } = rowsOf(shape, axis);
      for (const from of ["probabilities", "logits"] as const) {
        const make = (seed: number) =>
          pseudorandom(dtype, seed, length, from === "logits" ? 8 : 1, from === "logits" ? 0 : 0.51);
        const [p, q] = [make(1), make(2)];
        for (const [name, f] of [
          ["klDivergence", kl],
          ["jsDivergence", js],
          ["jsDistance", (a: Float64Array, b: Float64Array) => Math.sqrt(js(a, b))],
        ] as const) {
          const got = arrayOf(api[name](p, q, { shape, axis, from, reduction: "none" }), dtype, rows);
          const wanted = Array.from({ length: rows }, (_, r) => {
            const row = (x: FloatArray) =>
              distribution(new array(Array.from({ length: n }, (_v, i) => x[at(r, i)] as number)), from);
            return f(row(p), row(q));
          });
          wanted.forEach((w, r) => {
            tally.note(
              `${name}, shapes`,
              got[r] as number,
              w,
              promised * w + 1e-15,
              `[${shape}] axis ${axis} row ${r}`,
            );
          });
          const total = sum(rows, (r) => wanted[r] as number);
          tally.note(
            `${name}, shapes, mean`,
            numberOf(api[name](p, q, { shape, axis, from })),
            total / rows,
            (promised * total) / rows + 1e-15,
            `[${shape}]`,
          );
          const out = new array(rows);
          expect(api[name](p, q, { shape, axis, from, reduction: "none", out })).toBe(out);
          expect(out).toEqual(got);
        }
      }
    }
    tally.check();
  });
});
