/**
 * The short way of products of few rows (src/place/fewPairs.ts): its results are to the bit those of the ordinary way, which an array
 * that brings its own shape takes; and what it is for, it takes.
 */
import { describe, expect, it } from "vitest";
import { uniforms } from "../../examples/support/random.ts";
import * as surprisal from "../../src/index.ts";
import { fewPairsOf, fewProduct, largestOfFew } from "../../src/place/fewPairs.ts";
import { pseudorandom } from "../support/fixture.ts";
import { type DType, type FloatArray, f32, f64, firstDifference, forEachType, resident } from "../support/variants.ts";

type Matrices = (x: unknown, y: unknown, options: object) => FloatArray;
const gram: Matrices = (x, _, options) => (surprisal.gram as (x: unknown, options: object) => FloatArray)(x, options);
const kernelMatrix = surprisal.kernelMatrix as Matrices;
const pairwiseDistance = surprisal.pairwiseDistance as Matrices;

interface Way {
  readonly call: Matrices;
  readonly options: Readonly<Record<string, unknown>>;
  /** Whether there is a second argument. */
  readonly pairs: boolean;
}

const WAYS: readonly Way[] = [
  ...[{}, { scale: -0.75 }, { scale: 0 }, { center: true }].map((options) => ({ call: gram, options, pairs: false })),
  ...[
    { kernel: "linear" },
    { kernel: "cosine" },
    { kernel: "polynomial" },
    { kernel: "polynomial", degree: 0, coef0: -2 },
    { kernel: "polynomial", degree: 2.5, gamma: 0.5 },
    { kernel: "sigmoid", coef0: 0.25 },
    { kernel: "rbf" },
    ...[0, 1e-300, 2 ** -65, 2 ** -64, 0.5, 2 ** 64, 2 ** 65].map((gamma) => ({ kernel: "rbf", gamma })),
    { kernel: "laplacian" },
    { kernel: "laplacian", gamma: 2 ** 70 },
  ].map((options) => ({ call: kernelMatrix, options, pairs: true })),
  ...["euclidean", "squaredEuclidean", "manhattan", "cosine"].map((metric) => ({
    call: pairwiseDistance,
    options: { metric },
    pairs: true,
  })),
];

/** Both ways of a call: by the option's shape the short one, if it takes it, by the array's own the ordinary one. */
function bothWays(
  { call, options }: Way,
  x: FloatArray,
  shape: readonly number[],
  y: FloatArray | undefined,
  yShape: readonly number[],
): { readonly short: FloatArray; readonly ordinary: FloatArray } {
  return {
    short: call(x, y, { ...options, shape, ...(y && { yShape }) }),
    ordinary: call({ data: x, shape }, y && { data: y, shape: yShape }, options),
  };
}

function expectAlike(way: Way, x: FloatArray, n: number, d: number, y: FloatArray | undefined, m: number): void {
  const { short, ordinary } = bothWays(way, x, [n, d], y, [m, d]);
  expect(firstDifference(short, ordinary), `${JSON.stringify(way.options)} of [${n}, ${d}], [${m}, ${d}]`).toBe("");
}

/** Numbers of every kind: of one magnitude, of all, equal ones, far out ones, none. */
const COURSES: Readonly<Record<string, (dtype: DType, seed: number, length: number) => FloatArray>> = {
  plain: (dtype, seed, length) => pseudorandom(dtype, seed, length, 4),
  integers: (dtype, seed, length) => pseudorandom(dtype, seed, length, 4).map(Math.round),
  close: (dtype, seed, length) => pseudorandom(dtype, seed, length, dtype === f32 ? 1e-3 : 1e-9, 1),
  tiny: (dtype, seed, length) => pseudorandom(dtype, seed, length, dtype === f32 ? 2 ** -80 : 2 ** -500),
  subnormal: (dtype, seed, length) => pseudorandom(dtype, seed, length, dtype.tiny),
  large: (dtype, seed, length) => pseudorandom(dtype, seed, length, dtype === f32 ? 2 ** 31 : 2 ** 481),
  huge: (dtype, seed, length) => pseudorandom(dtype, seed, length, dtype.max / 4),
  magnitudes: (dtype, seed, length) => {
    const random = uniforms(seed);
    const span = dtype === f32 ? 60 : 900;
    return new dtype.array(length).map(() => (random() - 0.5) * 2 ** (span * (random() - 0.5)));
  },
  special: (dtype, seed, length) => {
    const random = uniforms(seed);
    const values = [0, -0, 1, -1, Number.NaN, Infinity, -Infinity, dtype.tiny, dtype.max];
    return new dtype.array(length).map(() =>
      random() < 0.7 ? random() : (values[Math.floor(random() * 9)] as number),
    );
  },
  // whose differences have squares below all numbers
  "nearly equal": (dtype, seed, length) => {
    const random = uniforms(seed);
    return new dtype.array(length).map(() => (random() < 0.5 ? 1 : random() * (dtype === f32 ? 2 ** -70 : 2 ** -530)));
  },
  zeros: (dtype, _, length) => new dtype.array(length),
};

describe("a product of few rows", () => {
  forEachType((dtype) => {
    const name = dtype.name;

    for (const [course, of] of Object.entries(COURSES))
      it(`of ${course} numbers is that of the ordinary way`, () => {
        let seed = 1;
        for (const way of WAYS) {
          for (const [n, m, d] of [
            [1, 1, 1],
            [1, 3, 10],
            [4, 4, 3],
            [5, 2, 17],
            [16, 17, 9],
          ] as const) {
            const [x, y] = [of(dtype, seed++, n * d), of(dtype, seed++, m * d)];
            expectAlike(way, x, n, d, way.pairs ? y : undefined, m);
            expectAlike(way, x, n, d, undefined, n);
            // a point that is in both
            if (way.pairs) expectAlike(way, x, n, d, new dtype.array([...y.subarray(d), ...x.subarray(0, d)]), m);
          }
        }
      });

    it("of any few rows and columns is that of the ordinary way", () => {
      const sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33];
      for (const way of WAYS) {
        for (const n of sizes) {
          for (const d of [0, 1, 2, 3, 7, 16, 33]) {
            const m = sizes[(n + d) % sizes.length] as number;
            const [x, y] = [pseudorandom(dtype, n + 1, n * d, 4), pseudorandom(dtype, d + 1, m * d, 4)];
            expectAlike(way, x, n, d, way.pairs ? y : undefined, m);
          }
        }
        for (const d of [63, 64, 255, 256, 257, 511, 512, 1024, 1025])
          expectAlike(
            way,
            pseudorandom(dtype, d, 2 * d, 4),
            2,
            d,
            way.pairs ? pseudorandom(dtype, 1, d, 4) : undefined,
            1,
          );
      }
    });

    it("takes arrays that overlap in any way, and writes where it is told", () => {
      const [n, d] = [4, 5];
      const make = (memory: string): ((from: number, length: number) => FloatArray) => {
        if (memory === "resident") {
          const whole = resident(name, 64);
          return (from, length) => whole.array.subarray(from, from + length);
        }
        const buffer = memory === "own" ? new ArrayBuffer(520) : new SharedArrayBuffer(520);
        return (from, length) => new dtype.array(buffer, 8 + from * dtype.array.BYTES_PER_ELEMENT, length);
      };
      for (const memory of ["own", "shared", "resident"]) {
        const view = make(memory);
        for (const way of WAYS) {
          for (const [x0, y0, out0] of [
            [0, 0, 0],
            [0, 20, 0],
            [3, 10, 0],
            [0, 7, 13],
            [20, 0, 9],
          ] as const) {
            const values = pseudorandom(dtype, 7, 64, 4);
            view(0, 64).set(values);
            const [x, y, out] = [view(x0, n * d), way.pairs ? view(y0, n * d) : undefined, view(out0, n * n)];
            const { ordinary } = bothWays(way, x.slice(), [n, d], y?.slice(), [n, d]);
            const rest = values.slice();
            rest.set(ordinary, out0);
            const result = way.call(x, y, { ...way.options, shape: [n, d], out });
            expect(result).toBe(out);
            expect(
              firstDifference(new dtype.array(view(0, 64)), rest),
              `${memory} ${JSON.stringify(way.options)}`,
            ).toBe("");
          }
        }
      }
    });

    it("takes residents, and says which it does not", () => {
      const held = resident(name, 6);
      held.set([1, 2, 3, 4, 5, 6]);
      const out = resident(name, 9);
      gram(held, undefined, { shape: [3, 2], out });
      expect(Array.from(out.array)).toEqual([5, 11, 17, 11, 25, 39, 17, 39, 61]);
      held.dispose();
      expect(() => gram(held, undefined, { shape: [3, 2] })).toThrow(
        'gram: "x" is a resident array that has been disposed of',
      );
      out.dispose();
      expect(() => gram(new dtype.array(6), undefined, { shape: [3, 2], out })).toThrow(
        'gram: "out" is a resident array',
      );
    });

    it("leaves nothing changed where it refuses", () => {
      const x = pseudorandom(dtype, 3, 6, 4);
      const other = dtype === f32 ? f64 : f32;
      const out = new dtype.array(8).fill(7);
      for (const [call, error] of [
        [() => gram(x, undefined, { shape: [3, 2], out }), '"out" must be of length 9'],
        [() => gram(x, undefined, { shape: [2, 2] }), '"shape" [2, 2] holds 4 elements'],
        [() => kernelMatrix(x, x, { shape: [3, 2], yShape: [2, 3], kernel: "linear" }), '"yShape" must be [m, 2]'],
        [() => pairwiseDistance(x, new other.array(2), { shape: [3, 2], yShape: [1, 2] }), '"y" must be a Float'],
        [() => pairwiseDistance(x, undefined, { shape: [3, 2], out: new other.array(9) }), '"out" must be a Float'],
      ] as const)
        expect(call).toThrow(error);
      expect(out).toEqual(new dtype.array(8).fill(7));
    });

    it("goes the short way, where it is for that", () => {
      const x = pseudorandom(dtype, 1, 1024, 4);
      const took = (n: number, d: number, y?: FloatArray, yShape?: readonly number[]): boolean =>
        fewPairsOf("gram", x.subarray(0, n * d), y, [n, d], yShape) !== undefined;
      for (const [n, d] of [
        [1, 1],
        [1, 256],
        [4, 256],
        [32, 32],
        [32, 1],
      ] as const) {
        expect(took(n, d)).toBe(true);
        expect(took(n, d, x.subarray(0, d), [1, d])).toBe(true);
      }
      for (const [n, d] of [
        [0, 3],
        [3, 0],
        [1, 257],
        [33, 1],
      ] as const)
        expect(took(n, d)).toBe(false);
      const other = new (dtype === f32 ? f64 : f32).array(3);
      expect(took(2, 3, other, [1, 3])).toBe(false);
      expect(took(2, 3, x.subarray(0, 4), [1, 4])).toBe(false);
      for (const input of [[1, 2, 3], { data: x.subarray(0, 3), shape: [1, 3] }, [[1, 2, 3]], null, "x", 3])
        expect(fewPairsOf("gram", input, undefined, [1, 3], undefined)).toBe(undefined);
      expect(fewPairsOf("gram", x, undefined, undefined, undefined)).toBe(undefined);
      expect(fewPairsOf("gram", x, undefined, [1024], undefined)).toBe(undefined);
    });

    it("looks at magnitudes and results as it is asked to", () => {
      const few = (values: readonly number[], y?: readonly number[]) => {
        const found = fewPairsOf(
          "gram",
          new dtype.array(values),
          y && new dtype.array(y),
          [values.length, 1],
          y && [y.length, 1],
        );
        if (found === undefined) throw new Error("not taken");
        return found;
      };
      expect(largestOfFew(few([1, -3, 2]))).toBe(3);
      expect(largestOfFew(few([1, 2], [-5]))).toBe(5);
      expect(largestOfFew(few([1, Number.NaN, 2]))).toBe(Number.NaN);
      expect(largestOfFew(few([1, -Infinity]))).toBe(Infinity);
      const product = (values: readonly number[], y?: readonly number[]) =>
        fewProduct("gram", few(values, y), undefined, 1, { map: 0, factor: 1, shift: 0, degree: 0 }, 1);
      // the squared differences of rows, but not of a row and itself, are at least 1
      expect(Array.from(product([0, 1, 3]) ?? [])).toEqual([0, 1, 9, 1, 0, 4, 9, 4, 0]);
      expect(product([0, 0.5, 3])).toBe(undefined);
      expect(product([0, 1], [0])).toBe(undefined);
      expect(product([0, 1], [Number.NaN])).toBe(undefined);
      expect(Array.from(product([0, 1], [3]) ?? [])).toEqual([9, 4]);
    });
  });
});
