/**
 * Gradients of the divergences against mpmath (torch's autograd agreed when the fixtures were made), and finite
 * differences of every WithGrad function. Those of the losses against mpmath stand in crossEntropy.test.ts and
 * binaryCrossEntropy.test.ts.
 */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import {
  api,
  arrayOf,
  type DivergenceCase,
  divergenceCases,
  given,
  numberOf,
  PROMISED,
  Tally,
} from "../support/oracle.ts";
import { distribution, kl, sum } from "../support/reference.ts";
import { type FloatArray, f64, forEachType } from "../support/variants.ts";

const { klDivergence, jsDivergence, klDivergenceWithGrad, jsDivergenceWithGrad } = api;
const PAIRS = { kl: [klDivergence, klDivergenceWithGrad], js: [jsDivergence, jsDivergenceWithGrad] } as const;

forEachType((dtype, variant) => {
  const { array, unit, tiny } = dtype;
  const tally = new Tally();
  afterAll(() => tally.print(`gradients ${dtype.name} ${variant}`));
  const cases = divergenceCases.filter((c) => c.dtype === dtype && c.klP);

  /** What the error of an element of a gradient is measured by, beside the element itself. */
  function scales(c: DivergenceCase): (i: number, by: "P" | "Q") => { shift: number; size: number } {
    const [p, q] = [c.p, c.q].map((x) => distribution(x, c.from, c.temperature, c.normalize)) as [
      Float64Array,
      Float64Array,
    ];
    const T = c.temperature ?? 1;
    const base = c.base ? Math.log(c.base) : 1;
    if (c.from === "logits" || (c.from === "logProbabilities" && c.normalize !== false)) {
      const [a, b] = [Math.max(...c.p), Math.max(...c.q)];
      const whole = kl(p, q);
      return (i, by) => ({
        shift: Math.max(a - (c.p[i] as number), b - (c.q[i] as number)) / T,
        // w(d − mean), which may cancel: by Q it is q − p, by P p(log(p/q) − KL)
        size:
          (((p[i] as number) + (q[i] as number)) / (T * base)) *
          (by === "Q" ? 1 : 1 + Math.abs(Math.log((p[i] as number) / (q[i] as number))) + whole),
      });
    }
    const divergence = c.normalize === false || c.from === "logProbabilities" ? 0 : kl(p, q);
    return (i, by) => {
      const d = 1 + Math.abs(Math.log((p[i] as number) / (q[i] as number))) + divergence;
      if (c.from === "logProbabilities")
        return {
          shift: -Math.min(c.p[i] as number, c.q[i] as number),
          size: (((p[i] as number) + (q[i] as number)) * d) / base,
        };
      const total = c.normalize === false ? 1 : sum(p.length, (k) => (by === "P" ? c.p : c.q)[k] as number);
      return { shift: 0, size: (d + (by === "Q" ? (p[i] as number) / (q[i] as number) : 0)) / total / base };
    };
  }

  describe.each([...new Set(cases.map((c) => c.group))])("of %s", (group) => {
    it.each(["kl", "js"] as const)("%s, against mpmath", (name) => {
      const [plain, graded] = PAIRS[name];
      for (const c of cases.filter((other) => other.group === group)) {
        const n = c.p.length;
        const scale = scales(c);
        const options = given({ from: c.from, temperature: c.temperature, normalize: c.normalize, base: c.base });
        const before = [c.p.slice(), c.q.slice()];
        // one row; then two, whose mean halves the gradient; then columns
        const runs: [string, FloatArray, FloatArray, object, number, (i: number) => number][] = [
          ["one row", c.p, c.q, {}, 1, (i) => i],
          [
            "sum of rows",
            new array([...c.p, ...c.p]),
            new array([...c.q, ...c.q]),
            { shape: [2, n], reduction: "sum" },
            1,
            (i) => n + i,
          ],
          [
            "none",
            new array([...c.p, ...c.p]),
            new array([...c.q, ...c.q]),
            { shape: [2, n], reduction: "none" },
            1,
            (i) => n + i,
          ],
          ["mean of rows", new array([...c.p, ...c.p]), new array([...c.q, ...c.q]), { shape: [2, n] }, 2, (i) => i],
          [
            "mean of columns",
            new array(Array.from(c.p).flatMap((v) => [v, v, v])),
            new array(Array.from(c.q).flatMap((v) => [v, v, v])),
            { shape: [n, 3], axis: 0 },
            3,
            (i) => 3 * i + 1,
          ],
        ];
        for (const [what, p, q, shape, rows, at] of runs) {
          const { value, gradP, gradQ } = graded(p, q, { ...options, ...shape });
          const want = plain(p, q, { ...options, ...shape });
          const exact = c[name][0] as number;
          if (typeof want === "number") {
            const loose =
              group === "unnormalised" || group === "logProbabilities, as they are" ? PROMISED[dtype.name] * 100 : 0;
            tally.note(
              `${name} value`,
              numberOf(value),
              want,
              2 * PROMISED[dtype.name] * Math.abs(exact) * rows + loose + tiny,
              c.name,
            );
          } else
            arrayOf(value, dtype, 2).forEach((v: number, r: number) => {
              const w = (want as FloatArray)[r] as number;
              tally.note(`${name} values`, v, w, 2 * PROMISED[dtype.name] * Math.abs(w) + 2 ** -100, c.name);
            });
          for (const [by, grad] of [
            ["P", gradP],
            ["Q", gradQ],
          ] as const) {
            arrayOf(grad, dtype, p.length);
            const exactly = c[`${name}${by}`] as Float64Array;
            for (let i = 0; i < n; i++) {
              const e = (exactly[i] as number) / rows;
              const { shift, size } = scale(i, by);
              const bound = (8 + shift) * unit * Math.max(Math.abs(e), size / rows, tiny) + 2 * tiny * unit;
              tally.note(`${name}, ${group}, grad${by}`, grad[at(i)] as number, e, bound, `${c.name}, ${what} [${i}]`);
            }
          }
        }
        expect([c.p, c.q]).toEqual(before);
      }
      tally.check();
    });
  });

  describe("where a probability is 0", () => {
    const grads = (p: number[], q: number[], options: object = {}) =>
      [klDivergenceWithGrad, jsDivergenceWithGrad].map((f) => f(new array(p), new array(q), options));

    it.each([
      ["p = 0", [0, 0.5, 0.5], [0.25, 0.25, 0.5]],
      ["p = q = 0", [0, 0.5, 0.5], [0, 0.25, 0.75]],
      ["one-hot P", [1, 0, 0], [0.25, 0.25, 0.5]],
    ])("%s: no NaN (PyTorch #89558)", (_, p, q) => {
      for (const normalize of [true, false]) {
        for (const { value, gradP, gradQ } of grads(p, q, { normalize })) {
          expect(numberOf(value)).toBeGreaterThanOrEqual(0);
          for (const v of [...gradP, ...gradQ]) expect(v).not.toBeNaN();
        }
        const k = klDivergenceWithGrad(new array(p), new array(q), { normalize });
        // ∂KL/∂q = (1 − p/q)/Q
        p.forEach((v, i) => {
          if (q[i]) expect(k.gradQ[i]).toBeCloseTo((normalize ? 1 : 0) - v / (q[i] as number), 5);
        });
      }
    });

    it("a masked logit has gradient 0 and spoils no other", () => {
      const M = -Infinity;
      for (const [p, q] of [
        [
          [1, 0.5, M],
          [0, 1, M],
        ],
        [
          [1, M, 0],
          [0, 1, 2],
        ],
      ] as [number[], number[]][]) {
        for (const { gradP, gradQ } of grads(p, q, { from: "logits" })) {
          for (const v of [...gradP, ...gradQ]) expect(Number.isFinite(v)).toBe(true);
          p.forEach((v, i) => {
            if (v === M) expect(gradP[i]).toBeCloseTo(0, 30);
          });
          q.forEach((v, i) => {
            if (v === M) expect(gradQ[i]).toBeCloseTo(0, 30);
          });
        }
      }
    });

    it("JS of disjoint supports is flat: the vanishing gradient", () => {
      const M = -Infinity;
      for (const [p, q] of [
        [
          [0, 1, M, M],
          [M, M, 2, -1],
        ],
        [
          [0, 1, -800, -801],
          [-900, -900, 2, -1],
        ],
      ] as [number[], number[]][]) {
        const { value, gradP, gradQ } = jsDivergenceWithGrad(new array(p), new array(q), {
          from: "logits",
          reduction: "sum",
        });
        expect(value).toBe(Math.LN2);
        for (const v of [...gradP, ...gradQ]) expect(Math.abs(v)).toBeLessThanOrEqual(2 * unit);
      }
      const { value, gradP, gradQ } = jsDivergenceWithGrad(new array([0.25, 0.75, 0]), new array([0, 0, 1]));
      expect(value).toBe(Math.LN2);
      // on the own support; beside it no NaN
      for (const v of [gradP[0], gradP[1], gradQ[2]] as number[]) expect(Math.abs(v)).toBeLessThanOrEqual(2 * unit);
      for (const v of [...gradP, ...gradQ]) expect(v).not.toBeNaN();
    });

    it("of equal distributions is 0", () => {
      for (const from of ["probabilities", "logits"])
        for (const { value, gradP, gradQ } of grads([0.5, 0.25, 0.125], [0.5, 0.25, 0.125], { from })) {
          expect(value).toBe(0);
          for (const v of [...gradP, ...gradQ]) expect(Math.abs(v)).toBeLessThanOrEqual(unit);
        }
    });
  });
});

describe("finite differences", () => {
  const { array } = f64;
  /** [name, its arguments from random numbers in (0, 1), the function of them] */
  const row = (n: number) => fc.array(fc.double({ min: 0.02, max: 1, noNaN: true }), { minLength: n, maxLength: n });
  const ROWS = 3;
  const N = 5;
  const logits = (u: number[]) => new array(u.map((v) => 6 * v - 3));
  const plain = (u: number[]) => new array(u);
  const logs = (u: number[]) => new array(u.map((v) => Math.log(v)));
  const FORMS = { logits, probabilities: plain, logProbabilities: logs } as const;
  const shape = [ROWS, N];

  const total = (value: unknown) =>
    typeof value === "number" ? value : (value as Float64Array).reduce((a, b) => a + b, 0);
  /** The directional derivative by a central difference of fourth order, against the gradient. */
  function compare(x: FloatArray, direction: number[], f: (x: FloatArray) => unknown, grad: FloatArray): void {
    const at = (h: number) => total(f(x.map((v: number, i: number) => v + h * (direction[i] as number))));
    const h = 1e-3;
    const numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    const exact = sum(x.length, (i) => (grad[i] as number) * (direction[i] as number));
    const size = sum(x.length, (i) => Math.abs((grad[i] as number) * (direction[i] as number)));
    if (!(Math.abs(numeric - exact) <= 1e-5 * (1 + size)))
      expect.fail(`${numeric} by differences, ${exact} by the gradient`);
  }
  const length = ROWS * N;
  // small steps relative to each element, so that probabilities stay positive
  const direction = (x: FloatArray, r: number[], from: string) =>
    r.map((v, i) => (v - 0.5) * (from === "probabilities" ? (x[i] as number) : 1));

  const reductions = ["none", "mean", "sum"];
  it.each(Object.keys(FORMS).flatMap((from) => reductions.map((reduction) => [from, reduction] as const)))(
    "crossEntropyWithGrad from %s, %s",
    (from, reduction) => {
      const form = FORMS[from as keyof typeof FORMS];
      fc.assert(
        fc.property(
          row(length),
          row(length),
          row(length),
          row(N),
          fc.double({ min: 0, max: 0.9, noNaN: true }),
          fc.array(fc.integer({ min: -1, max: N - 1 }), { minLength: ROWS, maxLength: ROWS }),
          (u, r, t, w, labelSmoothing, labels) => {
            if (labels.every((label) => label < 0)) return;
            const x = form(u);
            for (const target of [Int32Array.from(labels), new array(t)] as const) {
              for (const weight of [undefined, new array(w)]) {
                const options = given({
                  shape,
                  from,
                  reduction,
                  labelSmoothing,
                  weight,
                  ...(target instanceof Int32Array && { ignoreIndex: -1 }),
                });
                compare(
                  x,
                  direction(x, r, from),
                  (y) => api.crossEntropy(y, target, options),
                  api.crossEntropyWithGrad(x, target, options).grad,
                );
              }
            }
          },
        ),
        { numRuns: 30 },
      );
    },
  );

  it.each(reductions)("binaryCrossEntropyWithGrad, %s", (reduction) => {
    fc.assert(
      fc.property(row(length), row(length), row(length), row(length), (u, r, t, w) => {
        for (const from of ["logits", "probabilities"]) {
          const x = from === "logits" ? logits(u) : new array(u.map((v) => 0.05 + 0.9 * v));
          const options = { from, reduction, weight: new array(w) };
          const d = direction(x, r, from).map((v, i) => (from === "logits" ? v : v * 0.04 * (1 - (x[i] as number))));
          compare(
            x,
            d,
            (y) => api.binaryCrossEntropy(y, new array(t), options),
            api.binaryCrossEntropyWithGrad(x, new array(t), options).grad,
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each(
    Object.keys(FORMS).flatMap((from) =>
      (["kl", "js"] as const).flatMap((name) => reductions.map((reduction) => [name, from, reduction] as const)),
    ),
  )("%sDivergenceWithGrad from %s, %s", (name, from, reduction) => {
    const form = FORMS[from as keyof typeof FORMS];
    const [value, graded] = PAIRS[name];
    fc.assert(
      fc.property(
        row(length),
        row(length),
        row(length),
        fc.constantFrom(1, 2, 4),
        fc.boolean(),
        fc.boolean(),
        (u, v, r, T, normalize, bits) => {
          const [p, q] = [form(u), form(v)];
          const options = given({
            shape,
            from,
            reduction,
            temperature: from === "logits" ? T : undefined,
            normalize: from === "logits" ? undefined : normalize,
            base: bits ? 2 : undefined,
          });
          const { gradP, gradQ } = graded(p, q, options);
          compare(p, direction(p, r, from), (x) => value(x, q, options), gradP);
          compare(q, direction(q, r, from), (x) => value(p, x, options), gradQ);
        },
      ),
      { numRuns: 40 },
    );
  });
});
