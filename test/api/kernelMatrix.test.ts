/** kernelMatrix: six kernels against scikit-learn and mpmath, over tile edges, without cancellation; forms, laws, errors. */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { info } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import {
  api,
  expectWrong,
  faults,
  KERNELS,
  type Kernel,
  type KernelOptions,
  kernelCases,
  practical,
  type WrongRow,
} from "../support/gram.ts";
import { eigenvalues, kernelOf, kernels } from "../support/matrices.ts";
import { arrayOf, Tally } from "../support/oracle.ts";
import { type DType, type FloatArray, f32, f64, firstDifference, forEachType, resident } from "../support/variants.ts";

const { kernelMatrix } = api;
const MiB = 2 ** 20;
const whole = (dtype: DType, seed: number, length: number): FloatArray =>
  pseudorandom(dtype, seed, length, 8.9).map(Math.round) as FloatArray;

forEachType((dtype, variant) => {
  const { array, tiny, unit } = dtype;
  const tally = new Tally();
  afterAll(() => tally.print(`kernelMatrix ${dtype.name} ${variant}`));
  const least = tiny * 2 * unit;

  /** Every element against a plain loop. */
  const compare = (
    kernel: Kernel,
    x: FloatArray,
    y: FloatArray | undefined,
    d: number,
    options: KernelOptions,
    where: string,
  ) => {
    const other = y ?? x;
    const [n, m] = [x.length / d, other.length / d];
    const got = kernelMatrix(x, y, { shape: [n, d], ...(y && { yShape: [m, d] }), kernel, ...options });
    const { value, scale } = kernels(kernel, x, other, d, options);
    arrayOf(got, dtype, n * m).forEach((v: number, i: number) => {
      const bound = practical(dtype) * (scale[i] as number) + 2 * least;
      tally.note(kernel, v, value[i] as number, bound, `${where} [${Math.floor(i / m)}, ${i % m}]`);
    });
    return got;
  };

  describe.each([...new Set(kernelCases.map((c) => c.group))])("%s", (group) => {
    it.each(KERNELS)("%s, against scikit-learn and mpmath", (kernel) => {
      for (const { name, shape, yShape, x, y, results } of kernelCases.filter(
        (c) => c.dtype === dtype && c.group === group,
      )) {
        const [before, other] = [x.slice(), y.slice()];
        for (const { options, both, own } of results.filter((r) => r.kernel === kernel)) {
          for (const [second, exact] of [
            [y, both],
            [undefined, own],
          ] as const) {
            const got = kernelMatrix(x, second, { shape, ...(second && { yShape }), kernel, ...options });
            const { scale } = kernels(kernel, x, second ?? x, shape[1], options);
            const m = second ? yShape[0] : shape[0];
            arrayOf(got, dtype, shape[0] * m).forEach((v: number, i: number) => {
              const where = `${name} ${JSON.stringify(options)} [${Math.floor(i / m)}, ${i % m}]`;
              const bound = practical(dtype) * (scale[i] as number) + 2 * least;
              tally.note(`${kernel}, ${group}`, v, exact[i] as number, bound, where);
            });
          }
        }
        expect(firstDifference(x, before), "x").toBe("");
        expect(firstDifference(y, other), "y").toBe("");
      }
      tally.check();
    });
  });

  describe("sizes", () => {
    const N = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 33, 65, 129];
    const D = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 64, 255, 257, 513];
    it("x·yᵀ of every n, m and d: whole numbers exactly", () => {
      for (const [k, n] of N.entries())
        for (const m of [1, 2, 3, 5, 8, 9, 16, 33, 130])
          for (const d of D.filter((_, i) => (i + k + m) % 3 === 0)) {
            const [x, y] = [whole(dtype, n, n * d), whole(dtype, m, m * d)];
            const got = kernelMatrix(x, y, { shape: [n, d], yShape: [m, d], kernel: "linear" });
            const want = new array(n * m);
            for (let i = 0; i < n; i++)
              for (let j = 0; j < m; j++) {
                let s = 0;
                for (let c = 0; c < d; c++) s += (x[i * d + c] as number) * (y[j * d + c] as number);
                want[i * m + j] = s;
              }
            expect(firstDifference(got.map((v: number) => v + 0) as FloatArray, want), `${n}, ${m} × ${d}`).toBe("");
          }
    });

    it.each(KERNELS)("%s of every n, m and d", (kernel) => {
      for (const [k, n] of N.entries())
        for (const m of [1, 4, 7, 17, 66])
          for (const d of D.filter((_, i) => (i + k + m) % 5 === 0)) {
            const [x, y] = [pseudorandom(dtype, n, n * d, 2), pseudorandom(dtype, m + 9, m * d, 2)];
            const where = `${n}, ${m} × ${d}`;
            compare(kernel, x, y, d, {}, where);
            if (m === 7) compare(kernel, x, undefined, d, {}, `${n} × ${d}`);
          }
      tally.check();
    });

    it.each(KERNELS)("%s: beyond the blocks and the stage", (kernel) => {
      for (const [n, m, d] of [
        [3, 4, 12_289],
        [2, 3, 100_003],
        [300, 260, 5],
        [1030, 3, 70],
        [3, 1030, 70],
      ] as const) {
        const [x, y] = [pseudorandom(dtype, n, n * d, 2), pseudorandom(dtype, m + 9, m * d, 2)];
        const small = { gamma: 1 / d };
        compare(kernel, x, y, d, kernel === "linear" || kernel === "cosine" ? {} : small, `${n}, ${m} × ${d}`);
      }
      tally.check();
    });

    it("no rows, no columns", () => {
      const none = new array(0);
      const x = new array([1, 2, 3, 4]);
      for (const kernel of KERNELS) {
        expect(kernelMatrix(none, undefined, { shape: [0, 3], kernel }), kernel).toEqual(none);
        expect(kernelMatrix(none, x, { shape: [0, 2], yShape: [2, 2], kernel }), kernel).toEqual(none);
        expect(kernelMatrix(x, none, { shape: [2, 2], yShape: [0, 2], kernel }), kernel).toEqual(none);
        const gamma = kernel === "linear" || kernel === "cosine" ? {} : { gamma: 0.5 };
        const want = { linear: 0, polynomial: 1, rbf: 1, laplacian: 1, sigmoid: Math.tanh(1), cosine: 0 }[kernel];
        const got = kernelMatrix(none, none, { shape: [2, 0], yShape: [3, 0], kernel, ...gamma });
        got.forEach((v: number) => {
          expect(v).toBeCloseTo(want, 6);
        });
        expect(got).toHaveLength(6);
      }
    });
  });

  describe("distances", () => {
    it("of a point to itself are 0: the diagonal is exactly 1, K of x symmetric bit for bit", () => {
      for (const [n, d, offset] of [
        [5, 3, 0],
        [17, 40, 1e4],
        [66, 257, -1e4],
        [9, 5000, 3],
        [130, 7, 1e6],
      ] as const) {
        const x = pseudorandom(dtype, n, n * d, 2, offset);
        for (const kernel of ["rbf", "laplacian"] as const) {
          const own = kernelMatrix(x, undefined, { shape: [n, d], kernel, gamma: 7 });
          const copy = kernelMatrix(x, x.slice(), { shape: [n, d], yShape: [n, d], kernel, gamma: 7 });
          for (let i = 0; i < n; i++) {
            expect(own[i * n + i]).toBe(1);
            expect(copy[i * n + i]).toBe(1);
            for (let j = 0; j < i; j++) {
              expect(own[i * n + j]).toBe(own[j * n + i]);
              expect(own[i * n + j]).toBeLessThanOrEqual(1);
            }
          }
        }
      }
    });

    it("keep 6 digits in f32, 1e-3 apart at an offset of 1e4, over every tile edge", () => {
      const offset = dtype === f32 ? 1e4 : 1e12;
      for (const n of [1, 2, 5, 8, 9, 33, 70])
        for (const d of [1, 2, 3, 8, 17, 64, 300]) {
          const points = (seed: number) =>
            pseudorandom(dtype, seed, n * d, 8).map((v: number) => offset + Math.round(v) * 1e-3) as FloatArray;
          const [x, y] = [points(n), points(d)];
          for (const [kernel, gamma] of [
            ["rbf", 1e6 / (12 * d)],
            ["laplacian", 1e3 / (3 * d)],
          ] as const) {
            compare(kernel, x, y, d, { gamma }, `at ${offset}, ${n} × ${d}`);
            compare(kernel, x, undefined, d, { gamma }, `at ${offset}, ${n} × ${d}`);
          }
        }
      tally.check();
    });

    it("do not change when both are shifted", () => {
      const [n, m, d] = [12, 9, 33];
      const [x, y] = [whole(dtype, 1, n * d), whole(dtype, 2, m * d)];
      const moved = (v: FloatArray) => v.map((a: number) => a + 4096) as FloatArray;
      for (const kernel of ["rbf", "laplacian"] as const) {
        const options = { shape: [n, d], yShape: [m, d], kernel, gamma: 0.003 };
        expect(kernelMatrix(moved(x), moved(y), options)).toEqual(kernelMatrix(x, y, options));
      }
    });
  });

  describe("cosine", () => {
    it("a zero row has 0, its own diagonal too; −0 is a zero", () => {
      const x = new array([0, 0, 3, 4, -0, 0, -6, -8]);
      const got = kernelMatrix(x, undefined, { shape: [4, 2], kernel: "cosine" });
      const want = [0, 0, 0, 0, 0, 1, 0, -1, 0, 0, 0, 0, 0, -1, 0, 1];
      got.forEach((v: number, i: number) => {
        if (want[i] === 0) expect(v + 0).toBe(0);
        else expect(Math.abs(v - (want[i] as number))).toBeLessThanOrEqual(4 * unit);
      });
    });

    it("of parallel rows is 1 within 4u, and never beyond by more", () => {
      for (const d of [1, 2, 5, 40, 1000]) {
        const x = pseudorandom(dtype, d, d, 2);
        const y = new array([...x.map((v: number) => 4 * v), ...x.map((v: number) => -v / 8)]);
        const [a, b] = kernelMatrix(x, y, { shape: [1, d], yShape: [2, d], kernel: "cosine" }) as unknown as [
          number,
          number,
        ];
        tally.note("cosine, parallel", a, 1, practical(dtype), `d=${d}`);
        tally.note("cosine, parallel", b, -1, practical(dtype), `d=${d}`);
      }
      tally.check();
    });

    it("does not depend on the sizes of the rows, however small or large", () => {
      const [n, d] = [6, 9];
      const x = pseudorandom(dtype, 5, n * d, 2);
      const far = dtype === f32 ? 80 : 500; // the squares of f64 rows must not overflow
      const y = x.map(
        (v: number, i: number) => v * 2 ** (far * [0, 1, -1, 0.5, -0.5, 0][Math.floor(i / d)]!),
      ) as FloatArray;
      const options = { shape: [n, d], kernel: "cosine" };
      const [got, want] = [kernelMatrix(y, undefined, options), kernelMatrix(x, undefined, options)];
      got.forEach((v: number, i: number) => {
        tally.note("cosine, any size", v, want[i] as number, 2 * practical(dtype), `[${i}]`);
      });
      tally.check();
    });
  });

  it("NaN stays in its own rows and columns, its diagonal included; infinitely far is 0", () => {
    for (const [n, m, d] of [
      [3, 4, 5],
      [20, 17, 33],
      [66, 9, 259],
    ] as const) {
      const [x, y] = [pseudorandom(dtype, n, n * d, 2), pseudorandom(dtype, m + 9, m * d, 2)];
      const [row, column] = [n >> 1, m - 1];
      for (const kernel of KERNELS) {
        const options = { shape: [n, d], yShape: [m, d], kernel };
        const plain = kernelMatrix(x, y, options);
        const own = kernelMatrix(x, undefined, { shape: [n, d], kernel });
        const [a, b] = [x.slice(), y.slice()];
        a[row * d + (d >> 1)] = NaN;
        b[column * d] = NaN;
        kernelMatrix(a, b, options).forEach((v: number, i: number) => {
          const spoilt = Math.floor(i / m) === row || i % m === column;
          if (!Object.is(v, spoilt ? NaN : plain[i])) expect.fail(`${kernel} [${Math.floor(i / m)}, ${i % m}]: ${v}`);
        });
        kernelMatrix(a, undefined, { shape: [n, d], kernel }).forEach((v: number, i: number) => {
          const spoilt = Math.floor(i / n) === row || i % n === row;
          if (!Object.is(v, spoilt ? NaN : own[i])) expect.fail(`${kernel} own [${Math.floor(i / n)}, ${i % n}]: ${v}`);
        });
        if (kernel !== "rbf" && kernel !== "laplacian") continue;
        a[row * d + (d >> 1)] = -Infinity;
        kernelMatrix(a, y, options).forEach((v: number, i: number) => {
          if (!Object.is(v, Math.floor(i / m) === row ? 0 : plain[i])) expect.fail(`${kernel} at ∞ [${i}]: ${v}`);
        });
      }
    }
  });

  it("defaults: gamma 1/d, degree 3, coef0 1; undefined is left out", () => {
    const [n, d] = [4, 5];
    const x = pseudorandom(dtype, 1, n * d, 2);
    for (const kernel of KERNELS) {
      const plain = kernelMatrix(x, undefined, { shape: [n, d], kernel });
      const none = { gamma: undefined, degree: undefined, coef0: undefined, out: undefined, yShape: undefined };
      expect(kernelMatrix(x, undefined, { shape: [n, d], kernel, ...none }), kernel).toEqual(plain);
      expect(kernelMatrix(x, undefined, { shape: [n, d], kernel, gamma: 1 / d, degree: 3, coef0: 1 }), kernel).toEqual(
        plain,
      );
    }
    // what does not concern a kernel does not change it
    const linear = { shape: [n, d], kernel: "linear" };
    expect(kernelMatrix(x, undefined, { ...linear, gamma: 9, degree: 7, coef0: 4 })).toEqual(
      kernelMatrix(x, undefined, linear),
    );
    expect(kernelMatrix(x, undefined, linear)).toEqual(api.gram(x, { shape: [n, d] }));
  });

  // ---------------------------------------------------------------------------------- forms of input

  describe("forms", () => {
    const SHAPES = [
      [3, 4, 5],
      [17, 33, 9],
      [70, 9, 70],
      [5, 3, 20_000],
    ] as const;
    const within = (values: FloatArray, before: number, buffer: new (bytes: number) => ArrayBufferLike) => {
      const all = new array(new buffer((values.length + before + 3) * array.BYTES_PER_ELEMENT)).fill(7.25);
      const view = all.subarray(before, before + values.length);
      view.set(values);
      return view;
    };
    const forms: [string, (v: FloatArray, shape: readonly number[]) => unknown, boolean?][] = [
      ["offset views", (v) => within(v, 16, ArrayBuffer)],
      ["misaligned views of a SharedArrayBuffer", (v) => within(v, 3, SharedArrayBuffer)],
      ["{ data, shape }", (v, shape) => ({ data: v.slice(), shape }), true],
      ["{ data, dims }", (v, dims) => ({ data: within(v, 1, ArrayBuffer), dims }), true],
    ];

    describe.each(KERNELS)("%s", (kernel) => {
      const inputs = (n: number, m: number, d: number) =>
        [pseudorandom(dtype, n, n * d, 2), pseudorandom(dtype, m + 9, m * d, 2)] as const;
      const plain = (n: number, m: number, d: number) =>
        kernelMatrix(...inputs(n, m, d), { shape: [n, d], yShape: [m, d], kernel });

      it.each(forms)("%s", (_, form, own) => {
        for (const [n, m, d] of SHAPES) {
          const [x, y] = inputs(n, m, d);
          const [a, b] = [form(x, [n, d]), form(y, [m, d])];
          const options = { shape: [n, d], yShape: [m, d], kernel };
          expect(firstDifference(kernelMatrix(a, b, options), plain(n, m, d))).toBe("");
          if (own) expect(firstDifference(kernelMatrix(a, b, { kernel }), plain(n, m, d)), "own shapes").toBe("");
          const data = (v: unknown) => (ArrayBuffer.isView(v) ? v : (v as { data: unknown }).data) as FloatArray;
          expect(firstDifference(data(a), x), "x").toBe("");
          expect(firstDifference(data(b), y), "y").toBe("");
        }
      });

      it("into out: an offset view, x, y, across both", () => {
        for (const [n, m, d] of SHAPES) {
          const wanted = plain(n, m, d);
          const options = { shape: [n, d], yShape: [m, d], kernel };
          const view = within(new array(n * m), 5, ArrayBuffer);
          expect(kernelMatrix(...inputs(n, m, d), { ...options, out: view })).toBe(view);
          expect(firstDifference(view, wanted)).toBe("");
          expect([new array(view.buffer)[4], new array(view.buffer)[5 + n * m]]).toEqual([7.25, 7.25]);
          const [x, y] = inputs(n, m, d);
          const room = new array(x.length + y.length + n * m);
          for (const at of [0, 1, x.length - 1, x.length, x.length + y.length - 2]) {
            room.set(x);
            room.set(y, x.length);
            const out = room.subarray(at, at + n * m);
            kernelMatrix(room.subarray(0, x.length), room.subarray(x.length, x.length + y.length), { ...options, out });
            expect(firstDifference(out, wanted), `out at ${at}`).toBe("");
          }
        }
        const [n] = [70];
        const x = pseudorandom(dtype, 3, n * n, 2);
        const wanted = kernelMatrix(x, undefined, { shape: [n, n], kernel });
        expect(kernelMatrix(x, undefined, { shape: [n, n], kernel, out: x })).toBe(x);
        expect(firstDifference(x, wanted), "in place").toBe("");
      });

      it("resident", () => {
        for (const [n, m, d] of SHAPES) {
          const wanted = plain(n, m, d);
          const [x, y] = inputs(n, m, d);
          const [a, b, out] = [n * d, m * d, n * m].map((length) => resident(dtype.name, length)) as [
            ReturnType<typeof resident>,
            ReturnType<typeof resident>,
            ReturnType<typeof resident>,
          ];
          a.set(x);
          b.set(y);
          const options = { shape: [n, d], yShape: [m, d], kernel };
          expect(firstDifference(kernelMatrix(a, b, options), wanted)).toBe("");
          expect(firstDifference(kernelMatrix(a, y, options), wanted)).toBe("");
          expect(firstDifference(kernelMatrix(x, b, options), wanted)).toBe("");
          kernelMatrix(a, b, { ...options, out });
          expect(firstDifference(out.array, wanted)).toBe("");
          expect(firstDifference(a.array, x), "x").toBe("");
          expect(firstDifference(b.array, y), "y").toBe("");
          for (const r of [a, b, out]) r.dispose();
        }
      });

      it("a number[] gives f64, and adopts the type beside it", () => {
        const [x, y] = inputs(3, 4, 5);
        const options = { shape: [3, 5], yShape: [4, 5], kernel };
        expect(kernelMatrix(Array.from(x), Array.from(y), options)).toBeInstanceOf(Float64Array);
        expect(kernelMatrix(Array.from(x), y, options)).toEqual(plain(3, 4, 5));
        expect(kernelMatrix(x, Array.from(y), options)).toEqual(plain(3, 4, 5));
      });

      it("one shape serves both where they are of one size", () => {
        const [x, y] = inputs(4, 4, 6);
        expect(kernelMatrix(x, y, { shape: [4, 6], kernel })).toEqual(plain(4, 4, 6));
      });

      it("x with y is the transpose of y with x", () => {
        for (const [n, m, d] of SHAPES) {
          const [x, y] = inputs(n, m, d);
          const back = kernelMatrix(y, x, { shape: [m, d], yShape: [n, d], kernel });
          plain(n, m, d).forEach((v: number, i: number) => {
            const other = back[(i % m) * n + Math.floor(i / m)] as number;
            const { scale } = kernelOf(kernel, x, Math.floor(i / m) * d, y, (i % m) * d, d);
            tally.note(
              `${kernel}, transposed`,
              v,
              other,
              2 * practical(dtype) * scale + 2 * least,
              `${n}, ${m} × ${d} [${i}]`,
            );
          });
        }
        tally.check();
      });
    });
  });

  it.each(["linear", "rbf", "laplacian", "cosine"] as const)("%s is positive semi-definite", (kernel) => {
    const any = dtype === f32 ? fc.float : fc.double;
    /** None so small that squares are subnormal. */
    const number = any({ min: -3, max: 3, noNaN: true }).map((v) => (Math.abs(v) < 1e-6 ? 0 : v));
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 4 })
          .chain((d) =>
            fc
              .array(number, { minLength: d, maxLength: 12 * d })
              .map((v) => ({ d, v: v.slice(0, v.length - (v.length % d)) })),
          ),
        fc.constantFrom(0.05, 0.5, 4),
        ({ d, v }, gamma) => {
          const n = v.length / d;
          const options = kernel === "rbf" || kernel === "laplacian" ? { gamma } : {};
          const values = eigenvalues(kernelMatrix(new array(v), undefined, { shape: [n, d], kernel, ...options }), n);
          const trace = values.reduce((a, b) => a + Math.abs(b), 0);
          expect(values[0]).toBeGreaterThanOrEqual(-n * 2 * practical(dtype) * trace - Number.MIN_VALUE);
        },
      ),
      { numRuns: 80 },
    );
  });

  it.each(["linear", "rbf", "laplacian"] as const)("%s, [3000, 64] and [6, 10⁶], in at most 64 MiB", (kernel) => {
    for (const [n, m, d] of [
      [3000, 1500, 64],
      [6, 5, 1_000_000],
    ] as const) {
      const [x, y] = [pseudorandom(dtype, 1, n * d, 2), pseudorandom(dtype, 2, m * d, 2)];
      const got = kernelMatrix(x, y, { shape: [n, d], yShape: [m, d], kernel });
      expect(info().memoryBytes).toBeLessThanOrEqual(64 * MiB);
      for (let k = 0; k < (n > 6 ? 300 : 6); k++) {
        const [i, j] = [(k * 7919) % n, (k * 104_729) % m];
        const { value, scale } = kernelOf(kernel, x, i * d, y, j * d, d);
        tally.note(
          `${kernel}, streamed`,
          got[i * m + j] as number,
          value,
          practical(dtype) * scale,
          `[${i}, ${j}] of ${d}`,
        );
      }
      tally.check();
      const own = kernelMatrix(x, undefined, { shape: [n, d], kernel });
      expect(info().memoryBytes).toBeLessThanOrEqual(64 * MiB);
      for (let k = 0; k < n; k++) {
        const [i, j] = [k, (k * 613) % n];
        if (own[i * n + j] !== own[j * n + i]) expect.fail(`[${i}, ${j}]: ${own[i * n + j]}, ${own[j * n + i]}`);
      }
    }
  });

  // -------------------------------------------------------------------------------------------- errors

  describe("errors", () => {
    const other = dtype === f32 ? f64 : f32;
    const x = new array([1, 2, 3, 4, 5, 6]);
    const y = new array([1, 2, 3]);
    const shape = [2, 3];
    const out = () => new array(4).fill(7);
    const own = (more: object) => [x, undefined, { shape, kernel: "rbf", out: out(), ...more }];
    const table: WrongRow[] = [
      ["kernelMatrix", [x, undefined, { shape }], TypeError, /kernel/, /rbf/, /undefined/],
      ["kernelMatrix", own({ kernel: "gaussian" }), RangeError, /kernel/, /linear.*cosine/, /gaussian/],
      ["kernelMatrix", own({ kernel: 3 }), TypeError, /kernel/, /linear/, /3/],
      ["kernelMatrix", [x, undefined, { kernel: "rbf" }], RangeError, /shape/],
      ["kernelMatrix", own({ shape: [6] }), RangeError, /shape/, /6/],
      ["kernelMatrix", own({ shape: [1, 2, 3] }), RangeError, /shape/, /1, 2, 3/],
      ["kernelMatrix", own({ shape: [3, 3] }), RangeError, /shape/, /9/, /\b6\b/],
      ["kernelMatrix", own({ shape: "2,3" }), TypeError, /shape/],
      ["kernelMatrix", own({ gamma: "1" }), TypeError, /gamma/, /number/, /"1"/],
      ["kernelMatrix", own({ gamma: -1 }), RangeError, /gamma/, /-1/],
      ["kernelMatrix", own({ gamma: NaN }), RangeError, /gamma/, /NaN/],
      ["kernelMatrix", own({ gamma: null }), TypeError, /gamma/, /null/],
      ["kernelMatrix", own({ kernel: "polynomial", degree: "3" }), TypeError, /degree/, /number|integer/, /"3"/],
      ["kernelMatrix", own({ kernel: "polynomial", degree: -1 }), RangeError, /degree/, /-1/],
      ["kernelMatrix", own({ kernel: "polynomial", degree: NaN }), RangeError, /degree/, /NaN/],
      ["kernelMatrix", own({ kernel: "sigmoid", coef0: "0" }), TypeError, /coef0/, /number/, /"0"/],
      ["kernelMatrix", own({ kernel: "polynomial", coef0: NaN }), RangeError, /coef0/, /NaN/],
      ["kernelMatrix", own({ out: new array(3).fill(7) }), RangeError, /out/, /4/, /3/],
      ["kernelMatrix", own({ out: new other.array(4).fill(7) }), TypeError, /out/, new RegExp(array.name)],
      [
        "kernelMatrix",
        [x, y, { shape, yShape: [3, 1], kernel: "rbf", out: new array(6).fill(7) }],
        RangeError,
        /yShape|"y"/,
        /3/,
        /1/,
      ],
      ["kernelMatrix", [x, y, { shape, yShape: [2, 2], kernel: "rbf" }], RangeError, /yShape|"y"/, /4/, /3/],
      ["kernelMatrix", [x, y, { shape, yShape: [3], kernel: "rbf" }], RangeError, /yShape/, /3/],
      ["kernelMatrix", [x, { data: y, shape: [3, 1] }, { shape, kernel: "rbf" }], RangeError, /yShape|"y"/, /3/, /1/],
      ["kernelMatrix", [x, new other.array(6), { shape, kernel: "rbf" }], TypeError, /"y"/, new RegExp(array.name)],
      ["kernelMatrix", [x, "y", { shape, kernel: "rbf" }], TypeError, /"y"/, /"y"/],
      ["kernelMatrix", [undefined, undefined, { shape, kernel: "rbf" }], TypeError, /"x"/, /undefined/],
      ["kernelMatrix", [x, y, 3], TypeError, /options/, /3/],
    ];
    it.each(faults(table))("%i %s, %s", (_i, _fn, _names, wrong) => expectWrong(wrong));
  });
});
