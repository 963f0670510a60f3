/** mmd and cka: against their definitions in mpmath and numpy, plain loops, laws, forms, errors. */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { info } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import {
  api,
  ckaCases,
  expectWrong,
  faults,
  KERNELS,
  type Kernel,
  mmdCases,
  practical,
  type WrongRow,
} from "../support/gram.ts";
import { ckaOf, mmdOf } from "../support/matrices.ts";
import { numberOf, Tally } from "../support/oracle.ts";
import { type FloatArray, f32, f64, firstDifference, forEachType, resident } from "../support/variants.ts";

const { mmd, cka } = api;
const MiB = 2 ** 20;

forEachType((dtype, variant) => {
  const { array } = dtype;
  const tally = new Tally();
  afterAll(() => tally.print(`mmd and cka ${dtype.name} ${variant}`));
  const u = practical(dtype);
  const points = (seed: number, n: number, d: number, offset = 0) => pseudorandom(dtype, seed, n * d, 2, offset);

  // ----------------------------------------------------------------------------------------------- mmd

  describe("mmd", () => {
    it.each(KERNELS)("%s: squared, biased and unbiased (Gretton et al. 2012)", (kernel) => {
      for (const { name, shape, yShape, x, y, results } of mmdCases.filter((c) => c.dtype === dtype)) {
        const before = [x.slice(), y.slice()];
        for (const { options, biased, unbiased, size } of results.filter((r) => r.kernel === kernel)) {
          const where = `${name} ${JSON.stringify(options)}`;
          // what the errors of the elements of K are relative to
          const degree = kernel === "polynomial" ? 6 : 2;
          const bound = degree * u * (size[0] as number);
          for (const [flag, exact] of [
            [false, biased],
            [true, unbiased],
          ] as const) {
            const got = numberOf(mmd(x, y, { shape, yShape, kernel, unbiased: flag, ...options }));
            tally.note(`mmd, ${kernel}`, got, exact[0] as number, bound, `${where} unbiased: ${flag}`);
          }
        }
        expect([x, y]).toEqual(before);
      }
      tally.check();
    });

    it("defaults: rbf of gamma 1/d, biased", () => {
      const [x, y] = [points(1, 6, 4), points(2, 8, 4, 0.3)];
      const shapes = { shape: [6, 4], yShape: [8, 4] };
      const got = mmd(x, y, shapes);
      expect(got).toBe(mmd(x, y, { ...shapes, kernel: "rbf", gamma: 0.25, unbiased: false }));
      expect(got).toBe(mmd(x, y, { ...shapes, kernel: undefined, gamma: undefined, unbiased: undefined }));
    });

    it.each(["linear", "rbf", "laplacian", "polynomial", "cosine", "sigmoid"] as Kernel[])(
      "%s, beyond the tiles, against plain loops",
      (kernel) => {
        for (const [n, m, d] of [
          [2, 2, 1],
          [2, 3, 257],
          [17, 9, 33],
          [66, 65, 8],
          [129, 130, 5],
          [300, 270, 3],
          [5, 4, 5000],
          [3, 3, 100_003],
          ...(kernel === "rbf" || kernel === "linear" ? ([[1100, 70, 2]] as const) : []),
        ] as const) {
          const [x, y] = [points(n, n, d), points(m + 7, m, d, 0.25)];
          const want = mmdOf(kernel, x, y, d);
          const shapes = { shape: [n, d], yShape: [m, d], kernel };
          const bound = (kernel === "polynomial" ? 6 : 2) * u * want.size;
          tally.note(`mmd, ${kernel}`, mmd(x, y, shapes), want.biased, bound, `${n}, ${m} × ${d}`);
          const unbiased = mmd(x, y, { ...shapes, unbiased: true });
          tally.note(`mmd, ${kernel}`, unbiased, want.unbiased, bound, `${n}, ${m} × ${d} unbiased`);
        }
        tally.check();
      },
    );

    it("of a sample and itself: 0 biased, never negative; unbiased below 0", () => {
      for (const kernel of ["rbf", "laplacian", "linear", "cosine"] as const)
        for (const [n, d] of [
          [2, 3],
          [9, 5],
          [70, 17],
        ] as const) {
          const x = points(n, n, d);
          const options = { shape: [n, d], yShape: [n, d], kernel };
          const self = numberOf(mmd(x, x.slice(), options));
          expect(self, kernel).toBeGreaterThanOrEqual(0);
          expect(self, kernel).toBeLessThanOrEqual(4 * u);
          expect(mmd(x, x.slice(), { ...options, unbiased: true })).toBeLessThan(0);
        }
    });

    it("is symmetric, at least 0 if biased, and blind to the order of the points", () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: 2, max: 9 }),
          fc.integer({ min: 2, max: 9 }),
          fc.nat(),
          fc.constantFrom("rbf", "laplacian", "linear", "cosine"),
          fc.boolean(),
          (d, n, m, seed, kernel, unbiased) => {
            const [x, y] = [points(seed, n, d), points(seed + 1, m, d, 0.5)];
            const options = { kernel, unbiased };
            const forth = numberOf(mmd(x, y, { shape: [n, d], yShape: [m, d], ...options }));
            const back = numberOf(mmd(y, x, { shape: [m, d], yShape: [n, d], ...options }));
            const size = kernel === "linear" ? 16 * d : 4;
            expect(Math.abs(forth - back)).toBeLessThanOrEqual(u * size);
            if (!unbiased) expect(forth).toBeGreaterThanOrEqual(0);
            const turned = new array(x.length);
            for (let i = 0; i < n; i++) turned.set(x.subarray(i * d, i * d + d), (n - 1 - i) * d);
            const moved = numberOf(mmd(turned, y, { shape: [n, d], yShape: [m, d], ...options }));
            expect(Math.abs(forth - moved)).toBeLessThanOrEqual(u * size);
          },
        ),
        { numRuns: 100 },
      );
    });

    it("linear: the squared distance of the means", () => {
      const [n, m, d] = [20, 13, 6];
      const [x, y] = [points(1, n, d), points(2, m, d, 1)];
      const mean = (v: FloatArray, rows: number, k: number) => {
        let s = 0;
        for (let i = 0; i < rows; i++) s += v[i * d + k] as number;
        return s / rows;
      };
      let want = 0;
      for (let k = 0; k < d; k++) want += (mean(x, n, k) - mean(y, m, k)) ** 2;
      expect(
        Math.abs(numberOf(mmd(x, y, { shape: [n, d], yShape: [m, d], kernel: "linear" })) - want),
      ).toBeLessThanOrEqual(4 * u * d);
    });

    it("NaN is NaN; one point is enough unless unbiased", () => {
      const x = points(1, 4, 3);
      for (const at of [0, 11]) {
        const spoilt = x.slice();
        spoilt[at] = NaN;
        for (const kernel of KERNELS)
          for (const unbiased of [false, true]) {
            const options = { shape: [4, 3], yShape: [4, 3], kernel, unbiased };
            expect(mmd(spoilt, x, options), kernel).toBeNaN();
            expect(mmd(x, spoilt, options), kernel).toBeNaN();
          }
      }
      const [a, b] = [new array([0]), new array([1])];
      const got = numberOf(mmd(a, b, { shape: [1, 1], yShape: [1, 1], kernel: "rbf" }));
      expect(Math.abs(got - (2 - 2 * Math.exp(-1)))).toBeLessThanOrEqual(4 * u);
    });
  });

  // ----------------------------------------------------------------------------------------------- cka

  describe("cka", () => {
    it("linear (Kornblith et al. 2019), and unbiased (Song et al. 2012)", () => {
      for (const { name, shape, yShape, x, y, biased, unbiased, condition } of ckaCases.filter(
        (c) => c.dtype === dtype,
      )) {
        const before = [x.slice(), y.slice()];
        // the mean of f64 data is rounded as the data is
        const offset = dtype === f64 && name.startsWith("offset") ? 16 : 1;
        const got = numberOf(cka(x, y, { shape, yShape }));
        tally.note("cka", got, biased[0] as number, 4 * u * offset, name);
        expect(cka(x, y, { shape, yShape, unbiased: false })).toBe(got);
        if (unbiased) {
          const other = numberOf(cka(x, y, { shape, yShape, unbiased: true }));
          const bound = 8 * u * offset * (condition as number) * Math.max(1, Math.abs(unbiased[0] as number));
          tally.note("cka, unbiased", other, unbiased[0] as number, bound, name);
        }
        expect([x, y]).toEqual(before);
      }
      tally.check();
    });

    it("beyond the tiles, against plain loops", () => {
      for (const [n, d, e] of [
        [4, 1, 1],
        [17, 33, 9],
        [65, 8, 66],
        [130, 5, 4],
        [300, 20, 3],
        [9, 5000, 300],
        [8, 3, 100_003],
        [1100, 3, 2],
      ] as const) {
        const x = points(n, n, d, 0.5);
        const y = points(n + 5, n, e).map(
          (v: number, i: number) => v + (x[Math.floor(i / e) * d] as number),
        ) as FloatArray;
        const want = ckaOf(x, y, n);
        const shapes = { shape: [n, d], yShape: [n, e] };
        tally.note("cka", cka(x, y, shapes), want.biased, 4 * u, `${n} × ${d}, ${e}`);
        if (n > 8)
          tally.note(
            "cka, unbiased",
            cka(x, y, { ...shapes, unbiased: true }),
            want.unbiased,
            40 * u,
            `${n} × ${d}, ${e}`,
          );
      }
      tally.check();
    });

    it("lies in [0, 1], is 1 of features and their rotation, scaling and shift, and symmetric", () => {
      fc.assert(
        fc.property(fc.integer({ min: 4, max: 20 }), fc.integer({ min: 2, max: 6 }), fc.nat(), (n, d, seed) => {
          const [x, y] = [points(seed, n, d), points(seed + 1, n, d)];
          const options = { shape: [n, d], yShape: [n, d] };
          const got = numberOf(cka(x, y, options));
          expect(got).toBeGreaterThanOrEqual(0);
          expect(got).toBeLessThanOrEqual(1 + 4 * u);
          expect(Math.abs(numberOf(cka(y, x, options)) - got)).toBeLessThanOrEqual(4 * u);
          const [c, s] = [Math.cos(seed), Math.sin(seed)];
          const turned = x.slice();
          for (let i = 0; i < n; i++) {
            const [a, b] = [x[i * d] as number, x[i * d + 1] as number];
            turned[i * d] = c * a - s * b;
            turned[i * d + 1] = s * a + c * b;
          }
          for (const z of [x.slice(), turned, x.map((v: number) => 4 * v), x.map((v: number) => v + 1)])
            for (const unbiased of [false, true]) {
              const one = numberOf(cka(x, z, { ...options, unbiased }));
              // with few rows the unbiased norm may be near 0, or negative
              if (!unbiased || n > 12) expect(Math.abs(one - 1)).toBeLessThanOrEqual((unbiased ? 400 : 40) * u);
            }
        }),
        { numRuns: 60 },
      );
    });

    it("of independent features: unbiased near 0 where the biased is not", () => {
      const [n, d] = [40, 60];
      const [x, y] = [points(1, n, d), points(77, n, d)];
      const options = { shape: [n, d], yShape: [n, d] };
      expect(cka(x, y, options)).toBeGreaterThan(0.4);
      expect(Math.abs(numberOf(cka(x, y, { ...options, unbiased: true })))).toBeLessThan(0.15);
    });

    it("constant features have none: NaN", () => {
      const x = new array(10).fill(3);
      const y = points(1, 5, 2);
      for (const unbiased of [false, true]) expect(cka(x, y, { shape: [5, 2], yShape: [5, 2], unbiased })).toBeNaN();
      const spoilt = y.slice();
      spoilt[3] = NaN;
      for (const unbiased of [false, true])
        expect(cka(spoilt, y, { shape: [5, 2], yShape: [5, 2], unbiased })).toBeNaN();
    });
  });

  describe("forms", () => {
    const within = (values: FloatArray, before: number, buffer: new (bytes: number) => ArrayBufferLike) => {
      const all = new array(new buffer((values.length + before + 3) * array.BYTES_PER_ELEMENT)).fill(7.25);
      const view = all.subarray(before, before + values.length);
      view.set(values);
      return view;
    };
    const [x, y] = [points(1, 6, 4), points(2, 6, 4)];
    const forms: [string, (v: FloatArray) => unknown, boolean?][] = [
      ["an offset view", (v) => within(v, 16, ArrayBuffer)],
      ["a misaligned view of a SharedArrayBuffer", (v) => within(v, 3, SharedArrayBuffer)],
      ["{ data, shape }", (v) => ({ data: v.slice(), shape: [6, 4] }), true],
      ["{ data, dims }", (v) => ({ data: v.slice(), dims: [6, 4] }), true],
    ];
    it.each(forms)("%s", (_, form, own) => {
      const shapes = { shape: [6, 4], yShape: [6, 4] };
      for (const options of own ? [shapes, {}] : [shapes])
        for (const unbiased of [false, true]) {
          expect(mmd(form(x), form(y), { ...options, kernel: "rbf", unbiased })).toBe(
            mmd(x, y, { ...shapes, kernel: "rbf", unbiased }),
          );
          expect(cka(form(x), form(y), { ...options, unbiased })).toBe(cka(x, y, { ...shapes, unbiased }));
        }
    });

    it("resident, number[], one shape for both", () => {
      const shapes = { shape: [6, 4], yShape: [6, 4] };
      const [a, b] = [resident(dtype.name, 24), resident(dtype.name, 24)];
      a.set(x);
      b.set(y);
      for (const [fn, options] of [
        [mmd, { kernel: "rbf" }],
        [mmd, { kernel: "linear", unbiased: true }],
        [cka, {}],
        [cka, { unbiased: true }],
      ] as const) {
        const want = fn(x, y, { ...shapes, ...options });
        expect(fn(a, b, { ...shapes, ...options })).toBe(want);
        expect(fn(a, y, { ...shapes, ...options })).toBe(want);
        expect(fn(Array.from(x), y, { ...shapes, ...options })).toBe(want);
        expect(fn(x, Array.from(y), { ...shapes, ...options })).toBe(want);
        expect(fn(x, y, { shape: [6, 4], ...options })).toBe(want);
      }
      expect(firstDifference(a.array, x)).toBe("");
      a.dispose();
      b.dispose();
    });
  });

  it("thousands of points in at most 64 MiB", () => {
    const [n, d] = [2500, 16];
    const [x, y] = [points(1, n, d), points(2, n, d, 0.01)];
    const options = { shape: [n, d], yShape: [n, d] };
    expect(mmd(x, y, { ...options, kernel: "rbf" })).toBeGreaterThan(0);
    expect(cka(x, y, options)).toBeGreaterThan(0);
    expect(cka(x, x.slice(), { ...options, unbiased: true })).toBeCloseTo(1, 5);
    expect(info().memoryBytes).toBeLessThanOrEqual(64 * MiB);
  });

  describe("errors", () => {
    const other = dtype === f32 ? f64 : f32;
    const [x, y] = [points(1, 4, 3), points(2, 4, 3)];
    const shapes = { shape: [4, 3], yShape: [4, 3] };
    const table: WrongRow[] = [
      ...(["mmd", "cka"] as const).flatMap((fn): WrongRow[] => [
        [fn, [x, y, {}], RangeError, /shape/],
        [fn, [x, y, { ...shapes, shape: [12] }], RangeError, /shape/, /12/],
        [fn, [x, y, { ...shapes, shape: [4, 4] }], RangeError, /shape/, /16/, /12/],
        [fn, [x, y, { ...shapes, yShape: [5, 3] }], RangeError, /yShape/, /15/, /12/],
        [fn, [x, new other.array(12), shapes], TypeError, /"y"/, new RegExp(array.name)],
        [fn, [x, undefined, shapes], TypeError, /"y"/, /undefined/],
        [fn, [null, y, shapes], TypeError, /"x"/, /null/],
        [fn, [x, y, { ...shapes, unbiased: "yes" }], TypeError, /unbiased/, /boolean|true/, /"yes"/],
        [fn, [x, y, 1], TypeError, /options/, /1/],
      ]),
      ["mmd", [x, y, { ...shapes, yShape: [3, 4] }], RangeError, /yShape|"y"/, /3/, /4/],
      ["mmd", [x, y, { ...shapes, kernel: "gaussian" }], RangeError, /kernel/, /rbf/, /gaussian/],
      ["mmd", [x, y, { ...shapes, kernel: "rbf", gamma: -1 }], RangeError, /gamma/, /-1/],
      ["mmd", [x, y, { ...shapes, kernel: "polynomial", degree: "2" }], TypeError, /degree/, /"2"/],
      ["mmd", [x.slice(0, 3), y, { shape: [1, 3], yShape: [4, 3], unbiased: true }], RangeError, /shape|"x"/, /2/, /1/],
      [
        "mmd",
        [x, y.slice(0, 3), { shape: [4, 3], yShape: [1, 3], unbiased: true }],
        RangeError,
        /yShape|"y"/,
        /2/,
        /1/,
      ],
      ["mmd", [new array(0), y, { shape: [0, 3], yShape: [4, 3] }], RangeError, /shape|"x"/, /1/, /0/],
      ["mmd", [x, new array(0), { shape: [4, 3], yShape: [0, 3] }], RangeError, /yShape|"y"/, /1/, /0/],
      ["cka", [x, y, { shape: [4, 3], yShape: [6, 2] }], RangeError, /yShape|"y"/, /4/, /6/],
      ["cka", [x.slice(3), y.slice(3), { shape: [3, 3], yShape: [3, 3], unbiased: true }], RangeError, /4/, /3/],
      ["cka", [new array(0), new array(0), { shape: [0, 3], yShape: [0, 3] }], RangeError, /0/],
    ];
    it.each(faults(table))("%i %s, %s", (_i, _fn, _names, wrong) => expectWrong(wrong));
  });
});
