/**
 * The losses and divergences over every length and layout against the plain loops of test/support/reference.ts, every
 * form an input or `out` may take, wrong arguments, and memory.
 */
import { describe, expect, it } from "vitest";
import { resident as anyResident, info, type Resident } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import {
  api,
  arrayOf,
  DIVERGENCES,
  expectFault,
  type Fault,
  type From,
  numberOf,
  PROMISED,
  rounded,
} from "../support/oracle.ts";
import {
  crossEntropyRow,
  distribution,
  js,
  kl,
  logProbabilities,
  slopes,
  sum,
  throughSoftmax,
} from "../support/reference.ts";
import { type DType, type FloatArray, f32, f64, family, firstDifference, forEachType } from "../support/variants.ts";

const resident = anyResident as (type: "f32" | "f64", length: number) => Resident<FloatArray>;
const around = (n: number) => [n - 1, n, n + 1];
/** Every length up to four groups of vectors, the tiles, the stage and half of it, and rows beyond them. */
const lengthsOf = (stage: number): number[] => [
  ...Array.from({ length: 67 }, (_, i) => i + 1),
  ...[7, 10, 11, 12, 13, 14].flatMap((k) => around(2 ** k)),
  ...around(stage / 2),
  ...around(stage),
  stage + 40_001,
];
const FROMS = ["probabilities", "logProbabilities", "logits"] as const;

function make(dtype: DType, from: From, n: number, seed: number): FloatArray {
  if (from === "logits") return pseudorandom(dtype, seed, n, 16);
  const p = pseudorandom(dtype, seed, n, 1, 0.51);
  if (from === "probabilities") return p;
  const log = Math.log(sum(n, (i) => p[i] as number));
  return p.map((v: number) => Math.log(v) - log);
}

forEachType((dtype) => {
  const { array, unit, tiny } = dtype;
  const promised = PROMISED[dtype.name];
  const lengths = lengthsOf(2 ** 20 / array.BYTES_PER_ELEMENT);
  // of elements, of which there are millions, the words are a function: made where one fails
  const near = (got: number, want: number, tolerance: number, what: string | (() => string)) => {
    if (!(Object.is(got, want) || Math.abs(got - want) <= tolerance))
      expect.fail(
        `${typeof what === "string" ? what : what()}: ${got}, wanted ${want}, ${Math.abs(got - want) / tolerance} × the tolerance`,
      );
  };

  describe("lengths", () => {
    it.each(FROMS)("crossEntropy and its gradient, from %s", (from) => {
      for (const n of lengths) {
        const x = make(dtype, from, n, n);
        const soft = pseudorandom(dtype, n + 1, n, 1, 0.51);
        const log = logProbabilities(x, from);
        // H(P, Q) of distributions: beside probabilities the soft target is normalised too
        const whole = sum(n, (i) => soft[i] as number);
        const share = from === "probabilities" ? 1 / whole : 1;
        const total = whole * share;
        const label = (n * 7) % n === 0 ? n - 1 : n >> 1;
        const slack = (v: number) => (64 * unit + Math.sqrt(n) * 2 ** -53) * v + (from === "logits" ? 0 : 8 * unit);
        const hard = -(log[label] as number);
        near(numberOf(api.crossEntropy(x, [label], { from })), hard, slack(hard), `label of ${n}`);
        const mixed = crossEntropyRow(log, (i) => (soft[i] as number) * share);
        near(numberOf(api.crossEntropy(x, soft, { from })), mixed, slack(mixed) + 8 * unit * total, `soft of ${n}`);
        const weight = soft;
        const smoothed = crossEntropyRow(log, (i) => (0.1 / n + (i === label ? 0.9 : 0)) * (weight[i] as number));
        const scale = weight[label] as number;
        near(
          numberOf(api.crossEntropy(x, [label], { from, weight, labelSmoothing: 0.1 })),
          smoothed / scale,
          slack((smoothed + 1) / scale),
          `smoothed of ${n}`,
        );
        const p = distribution(x, from);
        const size = from === "probabilities" ? sum(n, (i) => x[i] as number) : 1;
        for (const [target, weights, c] of [
          [[label], 1, (i: number) => Number(i === label)],
          [soft, total, (i: number) => (soft[i] as number) * share],
        ] as const) {
          const { grad } = api.crossEntropyWithGrad(x, target, { from });
          arrayOf(grad, dtype, n).forEach((got: number, i: number) => {
            const k = c(i);
            const exact =
              from === "logits"
                ? (p[i] as number) * weights - k
                : from === "probabilities"
                  ? weights / size - k / (x[i] as number)
                  : -k;
            const bound =
              40 * unit * (Math.abs(exact) + 2 * (from === "probabilities" ? k / (x[i] as number) : k)) + 2 * tiny;
            near(got, exact, bound, () => `gradient ${i} of ${n}`);
          });
        }
      }
    });

    it.each(FROMS)("divergences and their gradients, from %s", (from) => {
      for (const n of lengths) {
        const [a, b] = [make(dtype, from, n, n + 2), make(dtype, from, n, n + 3)];
        const [p, q] = [distribution(a, from), distribution(b, from)];
        const [k, j] = [kl(p, q), js(p, q)];
        const loose = from === "logProbabilities" ? 8 * promised : 1e-15;
        near(numberOf(api.klDivergence(a, b, { from })), k, promised * k + loose, `KL of ${n}`);
        near(numberOf(api.jsDivergence(a, b, { from })), j, promised * j + loose, `JS of ${n}`);
        near(
          numberOf(api.jsDistance(a, b, { from })),
          Math.sqrt(j),
          promised * Math.sqrt(j) + Math.sqrt(loose),
          `distance of ${n}`,
        );
        if (from !== "logits") continue;
        const at = (f: (x: number, y: number) => number, x: Float64Array, y: Float64Array) => (i: number) =>
          f(x[i] as number, y[i] as number);
        const { klP, klQ, jsP } = slopes;
        for (const [graded, wanted] of [
          [api.klDivergenceWithGrad, [throughSoftmax(p, at(klP, p, q)), throughSoftmax(q, at(klQ, p, q))]],
          [api.jsDivergenceWithGrad, [throughSoftmax(p, at(jsP, p, q)), throughSoftmax(q, at(jsP, q, p))]],
        ] as const) {
          const { gradP, gradQ } = graded(a, b, { from });
          for (const [grad, exact] of [
            [gradP, wanted[0]],
            [gradQ, wanted[1]],
          ] as const)
            arrayOf(grad, dtype, n).forEach((got: number, i: number) => {
              const size =
                ((p[i] as number) + (q[i] as number)) * (1 + Math.abs(Math.log((p[i] as number) / (q[i] as number))));
              near(
                got,
                exact?.[i] as number,
                40 * unit * size + 1e-15 * size * n + tiny,
                () => `gradient ${i} of ${n}`,
              );
            });
        }
      }
    });

    it.each(FROMS)("entropy from %s, surprisal, binaryCrossEntropy", (from) => {
      for (const n of lengths) {
        const x = make(dtype, from, n, n);
        const log = logProbabilities(x, from);
        const h = -sum(n, (i) => Math.exp(log[i] as number) * (log[i] as number));
        const got = numberOf(api.entropy(x, { from }));
        near(got, h, 32 * unit * (h + 1), `entropy of ${n}`);
        if (from === "probabilities") {
          api.surprisal(x).forEach((v: number, i: number) => {
            const e = -Math.log(x[i] as number);
            near(v, e, 6 * unit * Math.abs(e), () => `surprisal ${i} of ${n}`);
          });
        }
        if (from === "logProbabilities") continue;
        const t = pseudorandom(dtype, n + 1, n, 1, 0.5);
        const u = from === "logits" ? x : pseudorandom(dtype, n, n, 0.98, 0.5);
        const logs = (v: number) =>
          from === "logits" ? [-Math.log1p(Math.exp(-v)), -Math.log1p(Math.exp(v))] : [Math.log(v), Math.log1p(-v)];
        const term = (i: number) => {
          const [yes, no] = logs(u[i] as number) as [number, number];
          return -(t[i] as number) * yes - (1 - (t[i] as number)) * no;
        };
        const total = sum(n, term);
        near(
          numberOf(api.binaryCrossEntropy(u, t, { from, reduction: "sum" })),
          total,
          8 * unit * total,
          `binary sum of ${n}`,
        );
        const none = arrayOf(api.binaryCrossEntropy(u, t, { from, reduction: "none" }), dtype, n);
        none.forEach((v: number, i: number) => {
          near(v, term(i), 12 * unit * term(i), () => `binary ${i} of ${n}`);
        });
      }
    });

    it("a row's numbers do not depend on where it lies, nor on what lies beside it", () => {
      for (const [rows, n] of [
        [5, 3],
        [70, 17],
        [3, 1365],
        [3, 4097],
        [2100, 5],
        [9000, 1],
        [2, 140_000],
      ] as const) {
        const [a, b] = [make(dtype, "logits", rows * n, 1), make(dtype, "logits", rows * n, 2)];
        const labels = Int32Array.from({ length: rows }, (_, r) => (r * 3) % n);
        const shape = [rows, n];
        const all = {
          ce: api.crossEntropy(a, labels, { shape, reduction: "none" }) as FloatArray,
          soft: api.crossEntropy(
            a,
            b.map((v: number) => v * v),
            { shape, reduction: "none" },
          ) as FloatArray,
          kl: api.klDivergence(a, b, { shape, from: "logits", reduction: "none" }) as FloatArray,
          js: api.jsDivergence(a, b, { shape, from: "logits", reduction: "none" }) as FloatArray,
          entropy: api.entropy(a, { shape, from: "logits", reduction: "none" }) as FloatArray,
        };
        const { grad } = api.crossEntropyWithGrad(a, labels, { shape, reduction: "none" });
        const both = api.jsDivergenceWithGrad(a, b, { shape, from: "logits", reduction: "none" });
        for (const r of new Set([0, 1, rows >> 1, rows - 1])) {
          const [x, y] = [a.subarray(r * n, r * n + n), b.subarray(r * n, r * n + n)];
          const one = (v: unknown) => (v as FloatArray)[0];
          const what = `row ${r} of ${rows}×${n}`;
          expect(one(api.crossEntropy(x, [labels[r]], { reduction: "none" })), what).toBe(all.ce[r]);
          expect(
            one(
              api.crossEntropy(
                x,
                y.map((v: number) => v * v),
                { reduction: "none", shape: [1, n] },
              ),
            ),
            what,
          ).toBe(all.soft[r]);
          expect(one(api.klDivergence(x, y, { from: "logits", reduction: "none" })), what).toBe(all.kl[r]);
          expect(one(api.jsDivergence(x, y, { from: "logits", reduction: "none" })), what).toBe(all.js[r]);
          expect(one(api.entropy(x, { from: "logits", reduction: "none" })), what).toBe(all.entropy[r]);
          const graded = api.crossEntropyWithGrad(x, [labels[r]], { reduction: "none" }).grad;
          expect(firstDifference(grad.slice(r * n, r * n + n), graded), what).toBe("");
          const pair = api.jsDivergenceWithGrad(x, y, { from: "logits", reduction: "none" });
          expect(firstDifference(both.gradP.slice(r * n, r * n + n), pair.gradP), what).toBe("");
          expect(firstDifference(both.gradQ.slice(r * n, r * n + n), pair.gradQ), what).toBe("");
        }
      }
    });

    it("columns wider than a tile, and long ones", () => {
      for (const [n, width] of [
        [3, 8193],
        [2, 300_001],
        [4097, 3],
        [300_001, 2],
        [64, 1000],
      ] as const) {
        const [a, b] = [make(dtype, "probabilities", n * width, 1), make(dtype, "probabilities", n * width, 2)];
        const labels = Int32Array.from({ length: width }, (_, c) => (c * 5) % n);
        const options = { shape: [n, width], axis: 0 };
        const ce = arrayOf(api.crossEntropy(a, labels, { ...options, reduction: "none" }), dtype, width);
        const k = arrayOf(api.klDivergence(a, b, { ...options, reduction: "none" }), dtype, width);
        const j = arrayOf(api.jsDivergence(a, b, { ...options, reduction: "none" }), dtype, width);
        const { grad } = api.crossEntropyWithGrad(a, labels, { ...options, reduction: "none" });
        for (const c of new Set([0, 1, width >> 1, width - 2, width - 1])) {
          const column = (x: FloatArray) => new array(Array.from({ length: n }, (_, i) => x[i * width + c] as number));
          const [x, y] = [column(a), column(b)];
          const label = labels[c] as number;
          const what = `column ${c} of ${n}×${width}`;
          const log = logProbabilities(x, "logits");
          near(ce[c] as number, -(log[label] as number), -16 * unit * (log[label] as number), what);
          const [p, q] = [distribution(x, "probabilities"), distribution(y, "probabilities")];
          near(k[c] as number, kl(p, q), promised * kl(p, q), what);
          near(j[c] as number, js(p, q), promised * js(p, q), what);
          for (const i of new Set([0, label, n - 1])) {
            const exact = i === label ? Math.expm1(log[i] as number) : Math.exp(log[i] as number);
            near(grad[i * width + c] as number, exact, 16 * unit * Math.abs(exact), `gradient, ${what}`);
          }
        }
      }
    });
  });

  // ------------------------------------------------------------------------------------- forms of input

  describe("forms", () => {
    const N = [12, 5000, 100_000];
    /** [what, the call, of x and y and options; the length of a result per row, or of the input] */
    const labelsOf = (rows: number, n: number) => Int32Array.from({ length: rows }, (_, r) => r % n);
    type Run = (x: unknown, y: unknown, options: object, rows: number, n: number) => unknown;
    const calls: [string, Run, boolean][] = [
      ["crossEntropy of labels", (x, _y, o, rows, n) => api.crossEntropy(x, labelsOf(rows, n), o), false],
      ["crossEntropy of soft targets", (x, y, o) => api.crossEntropy(x, y, o), false],
      ["klDivergence", (x, y, o) => api.klDivergence(x, y, o), false],
      ["jsDivergence", (x, y, o) => api.jsDivergence(x, y, o), false],
      ["jsDistance", (x, y, o) => api.jsDistance(x, y, o), false],
      [
        "binaryCrossEntropy",
        (x, y, o) => api.binaryCrossEntropy(x, y, { ...o, from: "probabilities", shape: undefined }),
        true,
      ],
      ["surprisal", (x, _y, o) => api.surprisal(x, { out: (o as { out?: unknown }).out }), true],
    ];
    const x = (n: number) => pseudorandom(dtype, 7, n, 0.96, 0.5);
    const y = (n: number) => pseudorandom(dtype, 8, n, 0.96, 0.5);
    const within = (values: FloatArray, before: number, buffer: new (bytes: number) => ArrayBufferLike) => {
      const all = new array(new buffer((values.length + before + 3) * array.BYTES_PER_ELEMENT)).fill(7.25);
      const view = all.subarray(before, before + values.length);
      view.set(values);
      return view;
    };
    const forms: [string, (v: FloatArray) => unknown][] = [
      ["an offset view", (v) => within(v, 16, ArrayBuffer)],
      ["a misaligned view of a SharedArrayBuffer", (v) => within(v, 3, SharedArrayBuffer)],
      ["{ data, dims }", (v) => ({ data: v.slice(), dims: [4, v.length / 4] })],
    ];

    describe.each(calls)("%s", (_, run, elementwise) => {
      const plain = (n: number) => run(x(n), y(n), { shape: [4, n / 4], reduction: "none" }, 4, n / 4) as FloatArray;

      it.each(forms)("of %s", (_form, form) => {
        for (const n of N) {
          const [a, b] = [form(x(n)), form(y(n))];
          expect(
            firstDifference(run(a, b, { shape: [4, n / 4], reduction: "none" }, 4, n / 4) as FloatArray, plain(n)),
          ).toBe("");
          const data = (v: unknown) => (ArrayBuffer.isView(v) ? v : (v as { data: FloatArray }).data) as FloatArray;
          expect(firstDifference(data(a), x(n)), "x unchanged").toBe("");
          expect(firstDifference(data(b), y(n)), "y unchanged").toBe("");
        }
      });

      it("into an offset view, into x, into y, across both", () => {
        for (const n of N) {
          const wanted = plain(n);
          const count = elementwise ? n : 4;
          const options = { shape: [4, n / 4], reduction: "none" };
          const view = within(new array(count), 5, ArrayBuffer);
          expect(run(x(n), y(n), { ...options, out: view }, 4, n / 4)).toBe(view);
          expect(firstDifference(view, wanted)).toBe("");
          expect([new array(view.buffer)[4], new array(view.buffer)[5 + count]]).toEqual([7.25, 7.25]);
          for (const where of ["x", "y"]) {
            for (const start of elementwise ? [0] : [0, 1, n - 4]) {
              const [a, b] = [x(n), y(n)];
              const out = (where === "x" ? a : b).subarray(start, start + count);
              run(a, b, { ...options, out }, 4, n / 4);
              expect(firstDifference(out, wanted), `out is ${where} from ${start}`).toBe("");
            }
          }
          const shared = new array(2 * n + 3);
          shared.set(x(n), 2);
          shared.set(y(n), n + 2);
          const out = shared.subarray(n - 1, n - 1 + count); // across the end of x and the start of y
          run(shared.subarray(2, n + 2), shared.subarray(n + 2, 2 * n + 2), { ...options, out }, 4, n / 4);
          expect(firstDifference(out, wanted), "across").toBe("");
        }
      });

      it("of resident arrays, into one", () => {
        for (const n of N) {
          const [a, b, out] = [
            resident(dtype.name, n),
            resident(dtype.name, n),
            resident(dtype.name, elementwise ? n : 4),
          ];
          a.set(x(n));
          b.set(y(n));
          const options = { shape: [4, n / 4], reduction: "none" };
          expect(firstDifference(run(a, b, options, 4, n / 4) as FloatArray, plain(n))).toBe("");
          expect(firstDifference(run(a, y(n), options, 4, n / 4) as FloatArray, plain(n))).toBe("");
          expect(firstDifference(run(x(n), b, options, 4, n / 4) as FloatArray, plain(n))).toBe("");
          run(a, b, { ...options, out }, 4, n / 4);
          expect(firstDifference(out.array, plain(n))).toBe("");
          expect(firstDifference(a.array, x(n)), "x unchanged").toBe("");
          for (const r of [a, b, out]) r.dispose();
        }
      });

      it("a number[] gives f64, and adopts the type beside it", () => {
        const n = 12;
        const options = { shape: [4, 3], reduction: "none" };
        const [a, b] = [Array.from(x(n)), Array.from(y(n))];
        expect(run(a, b, options, 4, 3)).toBeInstanceOf(Float64Array);
        if (_ === "surprisal" || _ === "crossEntropy of labels") return;
        expect(run(x(n), b, options, 4, 3)).toEqual(plain(n));
        expect(run(a, y(n), options, 4, 3)).toEqual(plain(n));
      });
    });

    it("gradients of offset views, resident arrays and number[]", () => {
      const same = (got: object, wanted: object) => {
        for (const [key, value] of Object.entries(wanted)) {
          const other = (got as Record<string, unknown>)[key];
          if (ArrayBuffer.isView(value))
            expect(firstDifference(other as FloatArray, value as FloatArray), key).toBe("");
          else expect(other, key).toBe(value);
        }
      };
      for (const n of N) {
        const options = { shape: [4, n / 4] };
        const wanted = api.klDivergenceWithGrad(x(n), y(n), options);
        const ce = api.crossEntropyWithGrad(x(n), y(n), options);
        for (const [, form] of forms) {
          same(api.klDivergenceWithGrad(form(x(n)), form(y(n)), options), wanted);
          same(api.crossEntropyWithGrad(form(x(n)), form(y(n)), options), ce);
        }
        const [a, b] = [resident(dtype.name, n), resident(dtype.name, n)];
        a.set(x(n));
        b.set(y(n));
        same(api.klDivergenceWithGrad(a, b, options), wanted);
        same(api.crossEntropyWithGrad(a, b, options), ce);
        a.dispose();
        b.dispose();
        same(api.klDivergenceWithGrad(Array.from(x(n)), y(n), options), wanted);
      }
    });

    it("weights as number[] adopt the logits' type", () => {
      const weight = [0.5, 1, 2];
      const labels = [0, 1, 2, 0];
      const got = api.crossEntropy(x(12), labels, { shape: [4, 3], weight });
      expect(got).toBe(api.crossEntropy(x(12), labels, { shape: [4, 3], weight: new array(weight) }));
    });
  });

  // -------------------------------------------------------------------------------------------- errors

  describe("errors", () => {
    const other = dtype === f32 ? f64 : f32;
    const x = new array([1, 2, 3, 4, 5, 6]);
    const p = new array([0.1, 0.2, 0.7, 0.3, 0.3, 0.4]);
    const labels = [0, 2];
    const shape = [2, 3];
    const out = () => new array(2).fill(7);
    const none = (more: object = {}) => ({ shape, reduction: "none", out: out(), ...more });
    type Row = [Fault["fn"], readonly unknown[], ErrorConstructor, ...RegExp[]];
    const wrongOptions = (fn: Fault["fn"], args: readonly unknown[], options: object): Row[] =>
      (
        [
          [{ axis: 2 }, RangeError, /axis/, /2/],
          [{ axis: "1" }, TypeError, /axis/, /1|string/],
          [{ shape: [3, 3] }, RangeError, /shape/, /9/, /\b6\b/],
          [{ shape: "2,3" }, TypeError, /shape/, /string|2,3/],
          [{ from: "odds" }, RangeError, /from/, /probabilities/, /logits/, /odds/],
          [{ from: 1 }, TypeError, /from/, /probabilities/, /logits/, /1|number/],
          [{ base: 0 }, RangeError, /base/, /0/],
          [{ base: -2 }, RangeError, /base/, /-2/],
          [{ base: 1 }, RangeError, /base/, /1/],
          [{ base: Number.NaN }, RangeError, /base/, /NaN/],
          [{ base: Infinity }, RangeError, /base/, /Infinity/],
          [{ base: "2" }, TypeError, /base/, /2|string/],
          [{ reduction: "average" }, RangeError, /reduction/, /none.*mean.*sum|mean.*none/, /average/],
          [{ reduction: 1 }, TypeError, /reduction/, /1|number/],
          [{ out: new array(3).fill(7) }, RangeError, /out/, /2/, /3/],
          [{ out: new other.array(2).fill(7) }, TypeError, /out/, new RegExp(array.name), new RegExp(other.array.name)],
          [{ out: [0, 0] }, TypeError, /out/, new RegExp(array.name)],
        ] as const
      ).map(([bad, kind, ...names]): Row => [fn, [...args, { ...options, ...bad }], kind, ...names]);

    const table: Row[] = [
      ...wrongOptions("crossEntropy", [x, labels], none()),
      ...DIVERGENCES.flatMap((fn) => wrongOptions(fn, [p, p.slice()], none())),
      ...wrongOptions("entropy", [p], { shape }).filter((row) => !String(row[3]).includes("out")),
      // labels
      ["crossEntropy", [x, [0, 3], none()], RangeError, /label|target/, /row 1/, /\b3\b/],
      ["crossEntropy", [x, [-1, 2], none()], RangeError, /label|target/, /row 0/, /-1/],
      ["crossEntropy", [x, BigInt64Array.of(0n, -7n), none()], RangeError, /label|target/, /row 1/, /-7/],
      [
        "crossEntropy",
        [x, BigUint64Array.of(2n ** 63n, 0n), none()],
        RangeError,
        /label|target/,
        /row 0/,
        /922337203685477/,
      ],
      ["crossEntropy", [x, [0.5, 2], none()], TypeError, /label|target/, /integer|row 0/, /0\.5/],
      ["crossEntropy", [x, [Number.NaN, 2], none()], TypeError, /label|target/, /integer|row 0/, /NaN/],
      ["crossEntropy", [x, Uint8Array.of(0, 2, 1), none()], RangeError, /target|labels/, /2/, /3/],
      ["crossEntropy", [x, new array(5), none()], RangeError, /target/, /6/, /5/],
      [
        "crossEntropy",
        [x, new other.array(6), none()],
        TypeError,
        /target/,
        new RegExp(array.name),
        new RegExp(other.array.name),
      ],
      ["crossEntropy", [x, undefined, none()], TypeError, /target/, /undefined/],
      ["crossEntropy", [x, "01", none()], TypeError, /target/, /01|string/],
      ["crossEntropy", [x, 1, none()], TypeError, /target/, /1|number/],
      ["crossEntropy", [undefined, labels, none()], TypeError, /logits|"x"/, /undefined/],
      ["crossEntropy", [new Int32Array(6), labels, none()], TypeError, /logits|"x"/, /Int32Array/],
      ["crossEntropy", [x, labels, none({ weight: new array(2) })], RangeError, /weight/, /3/, /2/],
      [
        "crossEntropy",
        [x, labels, none({ weight: new other.array(3) })],
        TypeError,
        /weight/,
        new RegExp(array.name),
        new RegExp(other.array.name),
      ],
      ["crossEntropy", [x, labels, none({ weight: 2 })], TypeError, /weight/, /2|number/],
      ["crossEntropy", [x, labels, none({ labelSmoothing: -0.1 })], RangeError, /labelSmoothing/, /-0\.1/],
      ["crossEntropy", [x, labels, none({ labelSmoothing: 1.1 })], RangeError, /labelSmoothing/, /1\.1/],
      ["crossEntropy", [x, labels, none({ labelSmoothing: Number.NaN })], RangeError, /labelSmoothing/, /NaN/],
      ["crossEntropy", [x, labels, none({ labelSmoothing: "0.1" })], TypeError, /labelSmoothing/, /0\.1|string/],
      ["crossEntropy", [x, labels, none({ ignoreIndex: "0" })], TypeError, /ignoreIndex/, /0|string/],
      ["crossEntropy", [x, labels, none({ ignoreIndex: 0.5 })], RangeError, /ignoreIndex/, /0\.5/],
      ["crossEntropy", [x, labels, 3], TypeError, /options/, /3|number/],
      [
        "crossEntropyWithGrad",
        [x, [0, 3], { shape, out: new array(6).fill(7) }],
        RangeError,
        /label|target/,
        /row 1/,
        /\b3\b/,
      ],
      ["crossEntropyWithGrad", [x, labels, { shape, out: new array(2).fill(7) }], RangeError, /out/, /6/, /2/],
      ["perplexity", [x, [0, 3], { shape }], RangeError, /label|target/, /row 1/, /\b3\b/],
      ["perplexity", [x, Uint8Array.of(0), { shape }], RangeError, /target|labels/, /2/, /1/],
      // binary
      [
        "binaryCrossEntropy",
        [p, p.slice(0, 5), { reduction: "none", out: new array(6).fill(7) }],
        RangeError,
        /target/,
        /6/,
        /5/,
      ],
      [
        "binaryCrossEntropy",
        [p, new other.array(6)],
        TypeError,
        /target/,
        new RegExp(array.name),
        new RegExp(other.array.name),
      ],
      ["binaryCrossEntropy", [p, undefined], TypeError, /target/, /undefined/],
      ["binaryCrossEntropy", ["p", p], TypeError, /"x"/, /p|string/],
      ["binaryCrossEntropy", [p, p.slice(), { from: "odds" }], RangeError, /from/, /odds/],
      ["binaryCrossEntropy", [p, p.slice(), { weight: new array(4) }], RangeError, /weight/, /6/, /4/],
      ["binaryCrossEntropy", [p, p.slice(), { posWeight: new array(4) }], RangeError, /posWeight/, /6/, /4/],
      ["binaryCrossEntropy", [p, p.slice(), { posWeight: "2" }], TypeError, /posWeight/, /2|string/],
      ["binaryCrossEntropy", [p, p.slice(), { reduction: "all" }], RangeError, /reduction/, /all/],
      // divergences
      ...DIVERGENCES.flatMap((fn): Row[] => [
        [fn, [p, p.slice(0, 4), none()], RangeError, /"q"/, /6/, /4/],
        [fn, [p, new other.array(6), none()], TypeError, /"q"/, new RegExp(array.name), new RegExp(other.array.name)],
        [fn, [p, undefined, none()], TypeError, /"q"/, /undefined/],
        [fn, ["p", p, none()], TypeError, /"p"/, /string|"p"/],
        [fn, [p, p.slice(), none({ from: "logits", temperature: 0 })], RangeError, /temperature/, /0/],
        [fn, [p, p.slice(), none({ from: "logits", temperature: -1 })], RangeError, /temperature/, /-1/],
        [fn, [p, p.slice(), none({ from: "logits", temperature: "1" })], TypeError, /temperature/, /1|string/],
        [fn, [p, p.slice(), none({ normalize: 1 })], TypeError, /normalize/, /1|number/],
      ]),
      ["klDivergenceWithGrad", [p, p.slice(0, 4), { shape }], RangeError, /"q"/, /6/, /4/],
      ["jsDivergenceWithGrad", [p, new other.array(6), { shape }], TypeError, /"q"/, new RegExp(array.name)],
      // pairs
      [
        "pairwiseDivergence",
        [p, p.slice(), { shape, qShape: [3, 2], metric: "js" }],
        RangeError,
        /qShape|"Q"/i,
        /3/,
        /2/,
      ],
      ["pairwiseDivergence", [p, p.slice(), { shape: [6], qShape: shape, metric: "js" }], RangeError, /shape/, /6|2/],
      ["pairwiseDivergence", [p, undefined, { shape, metric: "tv" }], RangeError, /metric/, /kl.*js/, /tv/],
      [
        "pairwiseDivergence",
        [p, new other.array(6), { shape, metric: "js" }],
        TypeError,
        /"Q"/i,
        new RegExp(array.name),
      ],
      [
        "pairwiseDivergence",
        [p, undefined, { shape, metric: "js", out: new array(3).fill(7) }],
        RangeError,
        /out/,
        /4/,
        /3/,
      ],
      ["pairwiseDivergence", [p, undefined, { shape, metric: "js", base: 0 }], RangeError, /base/, /0/],
      // information
      ["surprisal", [x, { base: 0 }], RangeError, /base/, /0/],
      ["surprisal", [x, { out: new array(5).fill(7) }], RangeError, /out/, /6/, /5/],
      ["surprisal", [undefined], TypeError, /"p"/, /undefined/],
      ["entropy", [new Int8Array(3)], TypeError, /"p"/, /Int8Array/],
      ["entropy", [p, { normalize: "no" }], TypeError, /normalize/, /no|string/],
    ];
    it.each(
      table.map(
        ([fn, args, kind, ...names], i) => [i, fn, names.map(String).join(" "), { fn, args, kind, names }] as const,
      ),
    )("%i %s, %s", (_i, _fn, _names, fault) => {
      expectFault(fault);
    });

    it("−100 is no label of smaller integers' own: 0xFF in a Uint8Array is out of range", () => {
      expect(() => api.crossEntropy(x, Uint8Array.of(0, 255), { shape })).toThrow(/row 1/);
      expect(api.crossEntropy(x, Uint8Array.of(0, 255), { shape, ignoreIndex: 255 })).toBeCloseTo(
        numberOf(api.crossEntropy(x.slice(0, 3), [0])),
        5,
      );
    });

    it("a label out of range in the last of many rows leaves out as it was", () => {
      const rows = 30_000;
      const big = new array(rows * 3);
      const wrong = new Int32Array(rows);
      wrong[rows - 1] = 3;
      const target = new array(rows).fill(7);
      expect(() => api.crossEntropy(big, wrong, { shape: [rows, 3], reduction: "none", out: target })).toThrow(
        /row 29999/,
      );
      expect(target.every((v: number) => v === 7)).toBe(true);
      const grad = new array(rows * 3).fill(7);
      expect(() => api.crossEntropyWithGrad(big, wrong, { shape: [rows, 3], out: grad })).toThrow(/row 29999/);
      expect(grad.every((v: number) => v === 7)).toBe(true);
    });

    it("ignoreIndex is for labels: a class index beside soft targets is an error, as in PyTorch", () => {
      expect(() => api.crossEntropy(x, p, { shape, ignoreIndex: 1 })).toThrow(/crossEntropy: .*ignoreIndex/);
    });
  });

  it("16 MiB pass through a tenth of that, their labels and results too", () => {
    const n = 2 ** 24 / array.BYTES_PER_ELEMENT;
    const x = pseudorandom(dtype, 1, n, 0.96, 0.5);
    const y = pseudorandom(dtype, 2, n, 0.96, 0.5);
    const before = info().memoryBytes;
    for (const [shape, axis] of [
      [[n], 0],
      [[n / 4096, 4096], 1],
      [[1024, n / 1024], 0],
      [[n / 2, 2], 1],
    ] as const) {
      const rows = n / (shape[axis] as number);
      const options = { shape, axis };
      api.crossEntropy(x, new Uint8Array(rows), options);
      api.crossEntropy(x, y, options);
      api.klDivergence(x, y, options);
      api.jsDivergence(x, y, { ...options, from: "logits" });
      api.entropy(x, options);
      if (rows > 1 && axis) api.crossEntropyWithGrad(x, new Uint8Array(rows), { ...options, out: y.slice() });
    }
    api.binaryCrossEntropy(x, y, { from: "probabilities" });
    expect(info().memoryBytes - before).toBeLessThanOrEqual(2 ** 24 / 10);
  }, 60_000);

  it("a resident input keeps every bit, the sign of a zero that is its maximum too", () => {
    const values = Array.from({ length: 60 }, (_, i) => (i % 7 === 3 ? -0 : i % 7 === 5 ? 0 : -1 - (i % 5)));
    for (const n of [1, 4, 20, 60]) {
      const r = resident(dtype.name, n);
      r.set(values.slice(-n));
      const before = r.array.slice();
      const unchanged = (what: string) => expect(firstDifference(r.array, before), `${what}, n = ${n}`).toBe("");
      for (const name of ["softmax", "logSoftmax", "logSumExp"] as const) {
        family[name](r.array);
        unchanged(name);
      }
      for (const from of FROMS) {
        api.entropy(r.array, { from });
        unchanged(`entropy from ${from}`);
        for (const target of [[n - 1], new array(n).fill(1)]) {
          api.crossEntropy(r.array, target, { from });
          api.crossEntropyWithGrad(r.array, target, { from });
          unchanged(`crossEntropy from ${from}`);
        }
      }
      r.dispose();
    }
  });

  it("values of f32 and f64 agree", () => {
    const p = Float32Array.from([0.5, 0.25, 0.25, 0, 0.75, 0.25]);
    const q = Float32Array.from([0.25, 0.25, 0.5, 0.5, 0.25, 0.25]);
    for (const name of DIVERGENCES) {
      const single = numberOf(api[name](p, q, { shape: [2, 3] }));
      const double = numberOf(api[name](Float64Array.from(p), Float64Array.from(q), { shape: [2, 3] }));
      expect(single).toBeCloseTo(double, 6);
    }
    expect(rounded(dtype, 0.5)).toBe(0.5);
  });
});
