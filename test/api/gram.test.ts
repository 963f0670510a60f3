/** gram: X·Xᵀ over every tile and block edge, its accuracy, special values, forms of input, laws, memory and errors. */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { info } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import { api, expectWrong, faults, gramCases, practical, type WrongRow } from "../support/gram.ts";
import { centred, dot, eigenvalues } from "../support/matrices.ts";
import { arrayOf, Tally } from "../support/oracle.ts";
import {
  type DType,
  dtypes,
  type FloatArray,
  f32,
  f64,
  firstDifference,
  forEachType,
  forEachVariant,
  resident,
} from "../support/variants.ts";

const { gram } = api;
const MiB = 2 ** 20;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
/** Around every edge of a register tile, a panel and a block. */
const ROWS = [...range(0, 20), ...range(31, 33), ...range(63, 65), ...range(127, 130), ...range(255, 257)];
const COLUMNS = [...range(0, 9), ...range(15, 17), ...range(255, 258), ...range(511, 513), 1025];

/** Whole numbers in [−4, 4]: their dot products are exact in f32 below 10⁶ terms. */
const whole = (dtype: DType, seed: number, length: number): FloatArray =>
  pseudorandom(dtype, seed, length, 8.9).map(Math.round) as FloatArray;
const exactDot = (x: FloatArray, i: number, j: number, d: number) => {
  let s = 0;
  for (let k = 0; k < d; k++) s += (x[i * d + k] as number) * (x[j * d + k] as number);
  return s;
};
const symmetric = (g: FloatArray, n: number, what: string) => {
  for (let i = 0; i < n; i++) {
    if (!((g[i * n + i] as number) >= 0)) expect.fail(`${what}: diagonal ${i} is ${g[i * n + i]}`);
    for (let j = 0; j < i; j++)
      if (!Object.is(g[i * n + j], g[j * n + i]))
        expect.fail(`${what}: [${i}, ${j}] is ${g[i * n + j]}, its mirror ${g[j * n + i]}`);
  }
};

forEachType((dtype, variant) => {
  const { array, unit } = dtype;
  const tally = new Tally();
  afterAll(() => tally.print(`gram ${dtype.name} ${variant}`));
  const normals = (seed: number, length: number): FloatArray => {
    const [a, b, c] = [1, 2, 3].map((k) => pseudorandom(dtype, seed + k, length, 2)) as [
      FloatArray,
      FloatArray,
      FloatArray,
    ];
    return a.map((v: number, i: number) => v + (b[i] as number) + (c[i] as number));
  };

  describe("sizes", () => {
    it.each(ROWS)("n = %i and every d: whole numbers exactly", (n) => {
      const [wide, rows] = [COLUMNS.at(-1) as number, ROWS.at(-1) as number];
      const all = whole(dtype, 3, rows * wide);
      // the sums over a prefix of the columns go on from those over a shorter one
      const wanted = new Float64Array(n * n);
      let done = 0;
      for (const d of COLUMNS) {
        const x = new array(n * d);
        for (let i = 0; i < n; i++) x.set(all.subarray(i * wide, i * wide + d), i * d);
        for (let i = 0; i < n; i++)
          for (let j = 0; j <= i; j++) {
            let s = wanted[i * n + j] as number;
            for (let k = done; k < d; k++) s += (all[i * wide + k] as number) * (all[j * wide + k] as number);
            wanted[i * n + j] = wanted[j * n + i] = s;
          }
        done = d;
        const got = arrayOf(gram(x, { shape: [n, d] }), dtype, n * n);
        expect(firstDifference(got.map((v: number) => v + 0) as FloatArray, new array(wanted)), `${n}×${d}`).toBe("");
      }
    });

    it.each([
      [5, 4095],
      [5, 4096],
      [5, 4097],
      [7, 12_289],
      [66, 12_289],
      [3, 65_537],
      [17, 262_147],
      [300, 30_001],
      [1030, 700],
      [1500, 1],
      [1500, 3],
      [2049, 17],
    ])("%i×%i: beyond the blocks and the stage", (n, d) => {
      const x = whole(dtype, n + d, n * d);
      const got = arrayOf(gram(x, { shape: [n, d] }), dtype, n * n);
      symmetric(got, n, `${n}×${d}`);
      const step = Math.max(1, Math.floor((n * n) / Math.max(200, 4e6 / d)));
      for (let at = 0; at < n * n; at += step) {
        const [i, j] = [Math.floor(at / n), at % n];
        const want = exactDot(x, i, j, d);
        if (got[at] !== want) expect.fail(`[${i}, ${j}] is ${got[at]}, wanted ${want}`);
      }
    });

    it("batches: each matrix as if alone", () => {
      for (const [b, n, d] of [
        [0, 3, 4],
        [1, 3, 4],
        [3, 0, 4],
        [3, 4, 0],
        [1000, 3, 5],
        [300, 1, 1],
        [2, 130, 70],
        [7, 64, 64],
        [3, 9, 5000],
        [2, 5, 100_003],
      ] as const) {
        const x = normals(b + n, b * n * d);
        const got = arrayOf(gram(x, { shape: [b, n, d] }), dtype, b * n * n);
        for (const k of new Set([0, 1, b >> 1, b - 1].filter((v) => v >= 0 && v < b))) {
          const alone = gram(x.slice(k * n * d, (k + 1) * n * d), { shape: [n, d] });
          expect(firstDifference(got.slice(k * n * n, (k + 1) * n * n), alone), `${k} of ${b}×${n}×${d}`).toBe("");
        }
      }
    });
  });

  describe("accuracy", () => {
    const data: [string, (seed: number, length: number) => FloatArray][] = [
      ["normal", normals],
      ["positive", (seed, length) => pseudorandom(dtype, seed, length, 1, 0.5)],
      ["far from 0", (seed, length) => pseudorandom(dtype, seed, length, 1, 100)],
    ];
    describe.each(data)("%s", (name, make) => {
      it.each([
        [20, 1],
        [20, 2],
        [13, 17],
        [40, 64],
        [12, 257],
        [12, 1025],
        [10, 4096],
        [8, 50_176],
      ])("%i×%i: within d·u·Σ|x||y|, and 1e-6 (f32) beside the norms", (n, d) => {
        const x = make(n + d, n * d);
        const got = gram(x, { shape: [n, d] });
        symmetric(got, n, `${n}×${d}`);
        const norms = range(0, n - 1).map((i) => Math.sqrt(dot(x, i * d, x, i * d, d)[0]));
        for (let i = 0; i < n; i++)
          for (let j = 0; j <= i; j++) {
            const [exact, size] = dot(x, i * d, x, j * d, d);
            const where = `${n}×${d} [${i}, ${j}]`;
            tally.note(`${name}, d·u·Σ|x||y|`, got[i * n + j] as number, exact, d * unit * size * 1.000001, where);
            const beside = (norms[i] as number) * (norms[j] as number);
            tally.note(`${name}, 16.8u·‖x‖‖y‖`, got[i * n + j] as number, exact, practical(dtype) * beside, where);
          }
        tally.check();
      });
    });

    it.each([256, 1024, 16_384])(
      "roundings that all go one way, of %i numbers: within 340 u, 2e-5, of the norms",
      (d) => {
        const swallowed = [0.51, 0.999, 1.001, 1.499].map((part) => {
          const x = new array(d).fill(Math.sqrt(part * unit));
          x[0] = 1;
          return x;
        });
        const equal = [1.27, 1.334, 1.7, 1.9873333].map((v) => new array(d).fill(v));
        for (const x of [...swallowed, ...equal]) {
          const [exact] = dot(x, 0, x, 0, d);
          tally.note("one way", gram(x, { shape: [1, d] })[0] as number, exact, 340 * unit * exact, `${x[0]}, ${x[1]}`);
        }
        tally.check();
      },
    );

    it("of the fixtures: scaled, centred", () => {
      for (const { name, shape, scale, center, x, gram: exact } of gramCases.filter((c) => c.dtype === dtype)) {
        const [n, d] = shape;
        const got = arrayOf(gram(x, { shape, scale, center }), dtype, n * n);
        const rows = center ? centred(x, n, d) : x;
        const norm = (i: number) => Math.sqrt(dot(rows, i * d, rows, i * d, d)[0]);
        // in f64 nothing wider holds the mean
        const mean = dtype === f64 && center ? unit * Math.sqrt(d) * 4 * Math.max(...Array.from(x, Math.abs)) : 0;
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            const bound = Math.abs(scale) * (practical(dtype) * norm(i) * norm(j) + mean * (norm(i) + norm(j) + mean));
            tally.note(center ? "centred" : "plain", got[i * n + j] as number, exact[i * n + j] as number, bound, name);
          }
        for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) expect(got[i * n + j]).toBe(got[j * n + i]);
      }
      tally.check();
    });
  });

  describe("options", () => {
    it("scale multiplies every element, by powers of two exactly", () => {
      for (const [n, d] of [
        [3, 5],
        [65, 40],
        [130, 300],
      ] as const) {
        const x = normals(n, n * d);
        const plain = gram(x, { shape: [n, d] });
        for (const scale of [1, 0.25, -8, 1 / d, 0]) {
          const got = gram(x, { shape: [n, d], scale });
          got.forEach((v: number, i: number) => {
            const want = scale * (plain[i] as number);
            if (
              !(
                Math.abs(v - want) <=
                (Number.isInteger(Math.log2(Math.abs(scale))) || !scale ? 0 : 3 * unit * Math.abs(want))
              )
            )
              expect.fail(`${n}×${d} scale ${scale} [${i}]: ${v}, wanted ${want}`);
          });
        }
      }
    });

    it("center takes the mean of the n rows off each: G·1 = 0, and offsets do not count", () => {
      for (const [b, n, d] of [
        [1, 1, 7],
        [1, 5, 3],
        [2, 17, 40],
        [1, 130, 20],
        [3, 8, 3000],
        [1, 64, 5000],
        [1, 5, 300_001],
      ] as const) {
        const x = normals(n, b * n * d);
        const options = { shape: [b, n, d], center: true };
        const got = arrayOf(gram(x, options), dtype, b * n * n);
        for (let k = 0; k < b; k++) {
          const g = got.subarray(k * n * n, (k + 1) * n * n);
          const rows = centred(x.subarray(k * n * d, (k + 1) * n * d), n, d);
          symmetric(g, n, `${n}×${d} centred`);
          const step = Math.max(1, Math.floor((n * d) / 2000));
          for (let at = 0; at < n * n; at += step) {
            const [i, j] = [Math.floor(at / n), at % n];
            const norm = (r: number) => Math.sqrt(dot(rows, r * d, rows, r * d, d)[0]);
            const exact = dot(rows, i * d, rows, j * d, d)[0];
            const bound = practical(dtype) * norm(i) * norm(j) + 1e-30;
            tally.note("centred", g[at] as number, exact, bound, `${n}×${d} [${i}, ${j}]`);
          }
        }
        tally.check();
        // shifts that are exact leave every bit
        const grid = x.map((v: number) => Math.round(v * 64) / 64) as FloatArray;
        const shifted = grid.map((v: number, i: number) => v + (i % d) - 5) as FloatArray;
        if (Number.isInteger(Math.log2(n)))
          expect(firstDifference(gram(shifted, options), gram(grid, options)), `${n}×${d} shifted`).toBe("");
      }
    });

    it("one row, centred, is 0; center: false is none", () => {
      expect(gram(new array([1, 2, 3]), { shape: [1, 3], center: true })).toEqual(new array([0]));
      const x = normals(1, 12);
      expect(gram(x, { shape: [3, 4], center: false, scale: undefined, out: undefined })).toEqual(
        gram(x, { shape: [3, 4] }),
      );
    });

    it("no rows, no columns", () => {
      const none = new array(0);
      expect(gram(none, { shape: [0, 5] })).toEqual(none);
      expect(gram(none, { shape: [0, 0] })).toEqual(none);
      expect(gram(none, { shape: [0, 2, 3], center: true })).toEqual(none);
      for (const center of [false, true]) {
        const out = new array(9).fill(7);
        expect(gram(none, { shape: [3, 0], center, out })).toBe(out);
        expect(out).toEqual(new array(9));
      }
      expect(gram(none, { shape: [2, 2, 0], scale: 3 })).toEqual(new array(8));
      expect(gram([], { shape: [0, 1] })).toEqual(new Float64Array(0));
    });
  });

  it("NaN and infinities stay in their own rows and columns", () => {
    for (const [n, d] of [
      [1, 1],
      [3, 5],
      [9, 17],
      [33, 64],
      [66, 259],
      [130, 12],
      [20, 5000],
    ] as const) {
      const x = whole(dtype, n, n * d);
      const plain = gram(x, { shape: [n, d] });
      for (const value of [NaN, Infinity, -Infinity]) {
        for (const at of new Set([0, n * d - 1, (n >> 1) * d + (d >> 1)])) {
          const spoilt = x.slice();
          spoilt[at] = value;
          const got = gram(spoilt, { shape: [n, d] });
          const row = Math.floor(at / d);
          for (let i = 0; i < n; i++)
            for (let j = 0; j < n; j++) {
              const want = i === row || j === row ? exactDot(spoilt, i, j, d) : plain[i * n + j];
              if (!Object.is((got[i * n + j] as number) + 0, (want as number) + 0))
                expect.fail(`${value} at ${at} of ${n}×${d}: [${i}, ${j}] is ${got[i * n + j]}, wanted ${want}`);
            }
        }
      }
    }
  });

  it("from the smallest to the largest numbers", () => {
    const big = dtype === f32 ? 2 ** 62 : 2 ** 510;
    const sum = 2 * big * big;
    expect(gram(new array([big, -big, big, big]), { shape: [2, 2] })).toEqual(new array([sum, 0, 0, sum]));
    const huge = new array([dtype.max, 1, 2, 0]);
    expect(gram(huge, { shape: [2, 2] })).toEqual(new array([Infinity, Infinity, Infinity, 4]));
    const small = dtype === f32 ? 2 ** -74 : 2 ** -537;
    expect(gram(new array([small, small]), { shape: [1, 2] })).toEqual(new array([2 * small * small]));
  });

  // ------------------------------------------------------------------------------------ forms of input

  describe("forms", () => {
    const SHAPES: [number, ...number[]][] = [
      [3, 4],
      [17, 33],
      [70, 70],
      [5, 20_000],
      [4, 6, 50],
      [300, 4],
    ];
    const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
    const outSize = (shape: readonly number[]) => (size(shape) / (shape.at(-1) as number)) * (shape.at(-2) as number);
    const x = (shape: readonly number[]) => normals(shape.length, size(shape));
    const within = (values: FloatArray, before: number, buffer: new (bytes: number) => ArrayBufferLike) => {
      const all = new array(new buffer((values.length + before + 3) * array.BYTES_PER_ELEMENT)).fill(7.25);
      const view = all.subarray(before, before + values.length);
      view.set(values);
      return view;
    };
    const forms: [string, (v: FloatArray, shape: readonly number[]) => unknown, boolean?][] = [
      ["an offset view", (v) => within(v, 16, ArrayBuffer)],
      ["a misaligned view", (v) => within(v, 1, ArrayBuffer)],
      ["a misaligned view of a SharedArrayBuffer", (v) => within(v, 3, SharedArrayBuffer)],
      ["{ data, shape }", (v, shape) => ({ data: v.slice(), shape }), true],
      ["{ data, dims }", (v, dims) => ({ data: within(v, 1, ArrayBuffer), dims, type: "float" }), true],
    ];

    it.each(forms)("%s", (_, form, own) => {
      for (const shape of SHAPES) {
        for (const center of [false, true]) {
          const wanted = gram(x(shape), { shape, center });
          const input = form(x(shape), shape);
          const data = (ArrayBuffer.isView(input) ? input : (input as { data: unknown }).data) as FloatArray;
          expect(firstDifference(gram(input, { shape, center }), wanted), `[${shape}]`).toBe("");
          if (own) expect(firstDifference(gram(input, { center }), wanted), `own shape [${shape}]`).toBe("");
          expect(firstDifference(data, x(shape)), "the input").toBe("");
        }
      }
    });

    it("the shape option comes before the tensor's own", () => {
      const data = x([3, 4]);
      expect(gram({ data, shape: [12, 1] }, { shape: [3, 4] })).toEqual(gram(data, { shape: [3, 4] }));
      expect(gram({ data, shape: [3, 4] })).toEqual(gram(data, { shape: [3, 4] }));
    });

    it("out: an array, an offset view, the input itself, a part of it", () => {
      for (const shape of SHAPES) {
        const wanted = gram(x(shape), { shape });
        const count = outSize(shape);
        for (const before of [0, 1, 16]) {
          const out = within(new array(count), before, ArrayBuffer);
          expect(gram(x(shape), { shape, out })).toBe(out);
          expect(firstDifference(out, wanted), `[${shape}]`).toBe("");
          const all = new array(out.buffer);
          expect([...all.subarray(0, before), ...all.subarray(before + count)]).toEqual(
            new Array(before + 3).fill(7.25),
          );
        }
        // inside the input, over its end, and across its start
        const length = size(shape);
        for (const [room, inAt, outAt] of [
          [Math.max(length, count), 0, 0],
          [length + count, 0, length - 1],
          [length + 2 * count, count, count >> 1],
          [length + count + 5, 0, 5],
        ] as const) {
          for (const center of [false, true]) {
            const all = new array(room);
            const input = all.subarray(inAt, inAt + length);
            input.set(x(shape));
            const out = all.subarray(outAt, outAt + count);
            expect(gram(input, { shape, center, out })).toBe(out);
            const want = center ? gram(x(shape), { shape, center }) : wanted;
            expect(firstDifference(out, want), `[${shape}] from ${inAt} to ${outAt}`).toBe("");
          }
        }
      }
      const square = x([70, 70]);
      expect(gram(square, { shape: [70, 70], out: square })).toBe(square);
      expect(firstDifference(square, gram(x([70, 70]), { shape: [70, 70] }))).toBe("");
    });

    it("resident input and out", () => {
      for (const shape of SHAPES) {
        for (const center of [false, true]) {
          const wanted = gram(x(shape), { shape, center });
          const [a, out] = [resident(dtype.name, size(shape)), resident(dtype.name, outSize(shape))];
          a.set(x(shape));
          expect(firstDifference(gram(a, { shape, center }), wanted), "x resident").toBe("");
          gram(a, { shape, center, out });
          expect(firstDifference(out.array, wanted), "x and out resident").toBe("");
          out.array.fill(7.25);
          gram(x(shape), { shape, center, out });
          expect(firstDifference(out.array, wanted), "out resident").toBe("");
          const target = new array(outSize(shape));
          expect(gram(a.array, { shape, center, out: target })).toBe(target);
          expect(firstDifference(target, wanted), "x.array").toBe("");
          expect(firstDifference(a.array, x(shape)), "the resident input").toBe("");
          a.dispose();
          out.dispose();
        }
      }
      const square = resident(dtype.name, 4900);
      square.set(x([70, 70]));
      gram(square, { shape: [70, 70], out: square });
      expect(firstDifference(square.array, gram(x([70, 70]), { shape: [70, 70] })), "in place").toBe("");
      square.dispose();
    });

    it("a number[] gives Float64Array, unrounded", () => {
      const numbers = Object.freeze([0.1, 0.7, 1 / 3, -2]);
      const got = gram(numbers, { shape: [2, 2] });
      expect(got).toBeInstanceOf(Float64Array);
      expect(got).toEqual(gram(new Float64Array(numbers), { shape: [2, 2] }));
    });
  });

  // ---------------------------------------------------------------------------------------------- laws

  describe("laws", () => {
    const any = dtype === f32 ? fc.float : fc.double;
    /** None so small that squares are subnormal. */
    const number = any({ min: -100, max: 100, noNaN: true }).map((v) => (Math.abs(v) < 1e-6 ? 0 : v));
    const matrix = fc
      .tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 20 }))
      .chain(([n, d]) =>
        fc.array(number, { minLength: n * d, maxLength: n * d }).map((v) => ({ n, d, x: new array(v) as FloatArray })),
      );
    const check = (body: (m: { n: number; d: number; x: FloatArray }, seed: number) => void) =>
      fc.assert(fc.property(matrix, fc.nat(), body), { numRuns: 150 });

    it("positive semi-definite", () => {
      check(({ n, d, x }) => {
        for (const center of [false, true]) {
          const values = eigenvalues(gram(x, { shape: [n, d], center }), n);
          const trace = values.reduce((a, b) => a + Math.abs(b), 0);
          expect(values[0]).toBeGreaterThanOrEqual(-n * practical(dtype) * trace - Number.MIN_VALUE);
        }
      });
    });

    it("permutes with the rows, bit for bit", () => {
      for (const [n, d] of [
        [5, 3],
        [20, 33],
        [67, 300],
        [131, 64],
      ] as const) {
        const x = normals(d, n * d);
        const key = pseudorandom(f64, n, n, 1);
        const order = range(0, n - 1).sort((i, j) => (key[i] as number) - (key[j] as number));
        const y = new array(n * d);
        for (const [to, from] of order.entries()) y.set(x.subarray(from * d, from * d + d), to * d);
        const [g, h] = [gram(x, { shape: [n, d] }), gram(y, { shape: [n, d] })];
        for (const [i, a] of order.entries())
          for (const [j, b] of order.entries())
            if (h[i * n + j] !== g[a * n + b])
              expect.fail(`${n}×${d} [${a}, ${b}]: ${g[a * n + b]}, at [${i}, ${j}] ${h[i * n + j]}`);
      }
    });

    it("a row over 2ᵏ scales its row and column, bit for bit", () => {
      check(({ n, d, x }, seed) => {
        const row = seed % n;
        const y = x.map((v: number, i: number) => (Math.floor(i / d) === row ? v * 8 : v)) as FloatArray;
        const [g, h] = [gram(x, { shape: [n, d] }), gram(y, { shape: [n, d] })];
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            const want = (g[i * n + j] as number) * (i === row ? 8 : 1) * (j === row ? 8 : 1);
            const subnormal = Math.abs(want) < dtype.tiny / unit;
            if (!subnormal) expect(h[i * n + j]).toBe(want);
          }
      });
    });

    it("does not change under a rotation of the space", () => {
      check(({ n, d, x }, seed) => {
        const angles = pseudorandom(f64, seed, d * 2, 6);
        const y = Float64Array.from(x);
        for (let k = 0; k < 2 * d && d > 1; k++) {
          const [p, q] = [k % d, (k * 7 + 1) % d];
          if (p === q) continue;
          const [c, s] = [Math.cos(angles[k] as number), Math.sin(angles[k] as number)];
          for (let i = 0; i < n; i++) {
            const [u, v] = [y[i * d + p] as number, y[i * d + q] as number];
            y[i * d + p] = c * u - s * v;
            y[i * d + q] = s * u + c * v;
          }
        }
        const [g, h] = [gram(x, { shape: [n, d] }), gram(new array(y), { shape: [n, d] })];
        // rotations in f64 cost 40 × their u
        const factor = 2 * practical(dtype) + 4 * unit + (dtype === f64 ? 160 * unit : 0);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            const beside = Math.sqrt((g[i * n + i] as number) * (g[j * n + j] as number));
            const error = Math.abs((g[i * n + j] as number) - (h[i * n + j] as number));
            if (!(error <= factor * beside + dtype.tiny))
              expect.fail(`[${i}, ${j}]: ${g[i * n + j]}, rotated ${h[i * n + j]}`);
          }
      });
    });

    it("Gram of side-by-side columns is the sum of theirs", () => {
      const [n, d, e] = [9, 300, 41];
      const [a, b] = [whole(dtype, 1, n * d), whole(dtype, 2, n * e)];
      const both = new array(n * (d + e));
      for (let i = 0; i < n; i++) {
        both.set(a.subarray(i * d, i * d + d), i * (d + e));
        both.set(b.subarray(i * e, i * e + e), i * (d + e) + d);
      }
      const [g, h] = [gram(a, { shape: [n, d] }), gram(b, { shape: [n, e] })];
      expect(gram(both, { shape: [n, d + e] })).toEqual(g.map((v: number, i: number) => v + (h[i] as number)));
    });
  });

  // -------------------------------------------------------------------------------------------- memory

  it.each([
    [3000, 64],
    [8, 1_000_000],
  ])("%i×%i in at most 64 MiB of linear memory", (n, d) => {
    const x = normals(1, n * d);
    const g = arrayOf(gram(x, { shape: [n, d] }), dtype, n * n);
    expect(info().memoryBytes).toBeLessThanOrEqual(64 * MiB);
    symmetric(g, n, `${n}×${d}`);
    const norm = (i: number) => Math.sqrt(dot(x, i * d, x, i * d, d)[0]);
    const samples =
      n > 8
        ? range(0, 400).map((k) => [(k * 7919) % n, (k * 104_729) % n] as const)
        : range(0, 15).map((k) => [k >> 1, 7 - (k % 8)] as const);
    for (const [i, j] of samples)
      tally.note(
        "streamed",
        g[i * n + j] as number,
        dot(x, i * d, x, j * d, d)[0],
        4 * practical(dtype) * norm(i) * norm(j),
        `${n}×${d} [${i}, ${j}]`,
      );
    tally.check();
    expect(gram(x, { shape: [n, d], out: g })).toBe(g);
    expect(info().memoryBytes).toBeLessThanOrEqual(64 * MiB);
  });

  // -------------------------------------------------------------------------------------------- errors

  describe("errors", () => {
    const other = dtype === f32 ? f64 : f32;
    const x = new array([1, 2, 3, 4, 5, 6]);
    const shape = [2, 3];
    const out = () => new array(4).fill(7);
    const table: WrongRow[] = [
      ["gram", [x], RangeError, /shape/, /6/],
      ["gram", [x, {}], RangeError, /shape/],
      ["gram", [[1, 2, 3]], RangeError, /shape/],
      ["gram", [x, { shape: [6], out: out() }], RangeError, /shape/, /6/],
      ["gram", [{ data: x, shape: [6] }], RangeError, /shape/, /6/],
      ["gram", [x, { shape: [1, 1, 2, 3] }], RangeError, /shape/, /1, 1, 2, 3/],
      ["gram", [x, { shape: [] }], RangeError, /shape/],
      ["gram", [x, { shape: [3, 3], out: out() }], RangeError, /shape/, /9/, /\b6\b/],
      ["gram", [x, { shape: [2, -3] }], RangeError, /shape/, /-3/],
      ["gram", [x, { shape: [2, 1.5, 2] }], RangeError, /shape/, /1\.5/],
      ["gram", [x, { shape: "2,3" }], TypeError, /shape/, /2,3/],
      ["gram", [x, { shape: ["2", 3] }], TypeError, /shape/],
      ["gram", [x, { shape, scale: "2", out: out() }], TypeError, /scale/, /number/, /"2"/],
      ["gram", [x, { shape, scale: null, out: out() }], TypeError, /scale/, /number/, /null/],
      ["gram", [x, { shape, scale: NaN, out: out() }], RangeError, /scale/, /NaN/],
      ["gram", [x, { shape, center: "yes", out: out() }], TypeError, /center/, /boolean|true/, /"yes"/],
      ["gram", [x, { shape, center: 1, out: out() }], TypeError, /center/, /boolean|true/, /1/],
      ["gram", [x, { shape, out: new array(3).fill(7) }], RangeError, /out/, /4/, /3/],
      ["gram", [x, { shape: [1, 2, 3], out: new array(6).fill(7) }], RangeError, /out/, /4/, /6/],
      [
        "gram",
        [x, { shape, out: new other.array(4).fill(7) }],
        TypeError,
        /out/,
        new RegExp(array.name),
        new RegExp(other.array.name),
      ],
      ["gram", [x, { shape, out: [0, 0, 0, 0] }], TypeError, /out/],
      ["gram", [x, 2], TypeError, /options/, /2/],
      ["gram", [undefined, { shape }], TypeError, /"x"/, /undefined/],
      ["gram", ["abc", { shape }], TypeError, /"x"/, /abc/],
      ["gram", [new Int32Array(6), { shape }], TypeError, /"x"/, /Int32Array/],
      ["gram", [[1, "2"], { shape: [1, 2] }], TypeError, /x\[1\]/, /"2"/],
      ["gram", [{ data: [1, "2"] }, { shape: [1, 2] }], TypeError, /x/],
    ];
    it.each(faults(table))("%i %s, %s", (_i, _fn, _names, wrong) => expectWrong(wrong));

    it("a resident array disposed of, or of the other type", () => {
      const r = resident(dtype.name, 6);
      r.dispose();
      expect(() => gram(r, { shape })).toThrow(/disposed/);
      const target = resident(other.name, 4);
      expect(() => gram(x, { shape, out: target })).toThrow(TypeError);
      target.dispose();
    });

    it("a result no machine can hold is a RangeError that says so", () => {
      expect(() => gram(new array(2 ** 20), { shape: [2 ** 20, 1] })).toThrow(RangeError);
      expect(() => gram(new array(2 ** 20), { shape: [2 ** 20, 1] })).toThrow(/^gram: /);
      expect(gram([3], { shape: [1, 1] })).toEqual(new Float64Array([9]));
    });
  });
});

forEachVariant(() => {
  it.each(dtypes.map((dtype) => [dtype.name, dtype] as const))(
    "%s residents stay where they are when memory is full",
    (name, dtype) => {
      const { array } = dtype;
      const [n, d] = [400, 350];
      const [values, other] = [5, 6].map((seed) => pseudorandom(dtype, seed, n * d, 2)) as [FloatArray, FloatArray];
      const [a, out] = [resident(name, n * d), resident(name, n * n)];
      a.set(values);
      const full: ReturnType<typeof resident>[] = [];
      /** Leaves less than 64 KiB free. */
      const fill = () => {
        const before = info().memoryBytes;
        while (info().memoryBytes === before) full.push(resident("f64", 2 ** 13));
      };
      const shape = [n, d];
      const laplacian = { shape, kernel: "laplacian" };
      const calls: ((x: unknown, more: object) => unknown)[] = [
        (x, more) => gram(x, { shape, ...more }),
        (x, more) => gram(x, { shape, center: true, ...more }),
        (x, more) => api.kernelMatrix(x, undefined, { ...laplacian, ...more }),
        (x, more) => api.kernelMatrix(other, x, { ...laplacian, ...more }),
        (x, more) => api.styleGram(x, { shape: [n, d, 1], ...more }),
        (x) => api.styleLossWithGrad(x, other, { shape: [n, d, 1] }).grad,
        (x) => api.perceptualLossWithGrad(x, other).grad,
        (x) => new array([api.mmd(x, other, { shape })]),
        (x) => new array([api.cka(x, other, { shape })]),
      ];
      for (const call of calls) {
        const want = call(values, {}) as FloatArray;
        for (const form of ["plain out", "resident", "views"]) {
          fill();
          const [view, outView] = [a.array, out.array];
          const more = form === "resident" ? { out } : form === "views" ? { out: out.array } : {};
          const got = call(form === "views" ? a.array : a, more) as FloatArray;
          expect(firstDifference(got, want), `${call}, ${form}`).toBe("");
          if (want.length === n * n && "out" in more) expect(firstDifference(out.array, want), `${call}, out`).toBe("");
          out.set(new array(n * n));
          // no view goes away within a call
          expect(a.array === view && out.array === outView && view.length > 0, `${call}, ${form}`).toBe(true);
        }
      }
      expect(firstDifference(a.array, values), "the resident input").toBe("");
      for (const r of [a, out, ...full]) r.dispose();
    },
  );
});
