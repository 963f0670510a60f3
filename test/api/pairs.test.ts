/** Pairs whose matrix never exists: exact values, plain loops over tile edges, near ties, memory, progress. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as surprisal from "../../src/index.ts";
import { decode, pseudorandom } from "../support/fixture.ts";
import { reservedBytes } from "../support/linearMemory.ts";
import { type DType, type FloatArray, f32, f64, firstDifference, forEachType } from "../support/variants.ts";

const { kernelDensity, kernelMatrix, kernelProduct, nearest, pairwiseDistance } = surprisal;

type Metric = "euclidean" | "squaredEuclidean" | "cosine" | "dot";
const METRICS: readonly Metric[] = ["euclidean", "squaredEuclidean", "cosine", "dot"];

interface Case {
  readonly dtype: "f32" | "f64";
  readonly kind: string;
  readonly shape: [number, number];
  readonly yShape: [number, number];
  readonly bandwidth: number;
  readonly distances: Readonly<Record<string, string>>;
  readonly nearest: readonly number[];
  readonly x: string;
  readonly y: string;
  readonly v: string;
  readonly weights: string;
  readonly product: string;
  readonly density: string;
  readonly weightedDensity: string;
}
const { cases } = JSON.parse(readFileSync(new URL("../fixtures/pairs.json", import.meta.url), "utf8")) as {
  cases: Case[];
};

/** 1e-6 in f32, 1e-14 in f64: of sums of few terms. */
const near = (dtype: DType): number => (dtype === f32 ? 1e-6 : 2e-15);

const close = (got: ArrayLike<number>, wanted: ArrayLike<number>, bound: (v: number) => number, what: string): void => {
  expect(got.length, what).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const [is, to] = [got[i] as number, wanted[i] as number];
    if (!(Math.abs(is - to) <= bound(to))) expect.fail(`${what} [${i}] is ${is}, wanted ${to}`);
  }
};

const dotOf = (x: FloatArray, i: number, y: FloatArray, j: number, d: number): number => {
  let sum = 0;
  for (let k = 0; k < d; k++) sum += (x[i * d + k] as number) * (y[j * d + k] as number);
  return sum;
};

/** What is least for the nearest, in plain f64. */
function key(metric: Metric, x: FloatArray, i: number, y: FloatArray, j: number, d: number): number {
  if (metric === "dot") return -dotOf(x, i, y, j, d);
  const [a, b] =
    metric === "cosine" ? [Math.sqrt(dotOf(x, i, x, i, d)), Math.sqrt(dotOf(y, j, y, j, d))] : ([1, 1] as const);
  if (metric === "cosine" && (a === 0 || b === 0)) return 1;
  let sum = 0;
  for (let k = 0; k < d; k++) sum += ((x[i * d + k] as number) / a - (y[j * d + k] as number) / b) ** 2;
  return metric === "cosine" ? sum / 2 : metric === "euclidean" ? Math.sqrt(sum) : sum;
}

interface Search {
  readonly x: FloatArray;
  readonly y?: FloatArray | undefined;
  readonly d: number;
  readonly k: number;
  readonly metric: Metric;
}

/** The result beside plain loops: the same rows in the same order, but where f64 itself does not tell which is nearer. */
function checkNearest(dtype: DType, { x, y, d, k, metric }: Search, what: string): void {
  const other = y ?? x;
  const [n, m] = [x.length / d, other.length / d];
  const { indices, values } = nearest(x, y, { shape: [n, d], ...(y && { yShape: [m, d] as const }), k, metric });
  for (let i = 0; i < n; i++) {
    const keys = Array.from({ length: m }, (_, j) => key(metric, x, i, other, j, d));
    const order = Array.from({ length: m }, (_, j) => j).filter((j) => y || j !== i);
    order.sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
    const noise = metric === "cosine" ? 1e-15 : 0;
    const least = 4 * dtype.tiny * dtype.unit;
    for (let e = 0; e < k; e++) {
      const [got, wanted] = [indices[i * k + e] as number, order[e] as number];
      const [is, best] = [keys[got] as number, keys[wanted] as number];
      const size = metric === "dot" ? Math.sqrt(dotOf(x, i, x, i, d) * dotOf(other, wanted, other, wanted, d)) : best;
      if (got !== wanted && !(is !== best && Math.abs(is - best) <= 1e-14 * size + noise))
        expect.fail(`${what}: [${i}, ${e}] is ${got} at ${is}, wanted ${wanted} at ${best}`);
      const value = (values[i * k + e] as number) * (metric === "dot" ? -1 : 1);
      if (!(Math.abs(value - is) <= (dtype.unit + 1e-14) * Math.max(size, Math.abs(is)) + noise + least))
        expect.fail(`${what}: the value of [${i}, ${e}] is ${value}, wanted ${is}`);
    }
  }
}

forEachType((dtype, variant) => {
  const { array } = dtype;
  const random = (seed: number, length: number, offset = 0): FloatArray => pseudorandom(dtype, seed, length, 4, offset);
  const grid = (seed: number, length: number): FloatArray =>
    pseudorandom(dtype, seed, length, 3.98).map(Math.round) as FloatArray;

  describe.each(cases.filter((one) => one.dtype === dtype.name))("exact values, $kind", (one) => {
    const { shape, yShape } = one;
    const [x, y, v, w] = [one.x, one.y, one.v, one.weights].map((hex) => decode(hex, dtype)) as [
      FloatArray,
      FloatArray,
      FloatArray,
      FloatArray,
    ];
    const exact = (hex: string): FloatArray => decode(hex, f64);
    it.each(Object.keys(one.distances))("pairwiseDistance, %s", (metric) => {
      const got = pairwiseDistance(x, y, { shape, yShape, metric: metric as "cosine" });
      const bound = (to: number): number =>
        metric === "cosine" ? 4 * dtype.unit * (to + Math.sqrt(to)) + dtype.unit ** 2 : near(dtype) * to;
      close(got, exact(one.distances[metric] as string), bound, metric);
    });
    it.each(["euclidean", "squaredEuclidean"] as const)("nearest, %s: all rows in order", (metric) => {
      const [m] = yShape;
      const { indices, values } = nearest(x, y, { shape, yShape, k: m, metric });
      expect([...indices]).toEqual(one.nearest);
      const all = exact(one.distances[metric] as string);
      const wanted = one.nearest.map((j, e) => all[Math.floor(e / m) * m + j] as number);
      close(values, wanted, (to) => (dtype.unit + 16 * 2 ** -53) * to, "values");
    });
    it("kernelProduct", () => {
      const got = kernelProduct(x, y, v, { shape, yShape, kernel: "rbf", gamma: 0.25 });
      close(got, exact(one.product), () => 4 * near(dtype), "product");
    });
    it("kernelDensity", () => {
      const options = { shape, yShape, bandwidth: one.bandwidth };
      const bound = (to: number): number => near(dtype) * (1 + Math.abs(to));
      close(kernelDensity(x, y, options), exact(one.density), bound, "density");
      close(kernelDensity(x, y, { ...options, weights: w }), exact(one.weightedDensity), bound, "weighted");
    });
  });

  describe("nearest, beside plain loops", () => {
    // rows around a tile, a group of columns and a block, at odd depths
    const SIZES: readonly [n: number, m: number, d: number, k: number][] = [
      ...[1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 67].map((m): [number, number, number, number] => [
        3,
        m,
        3,
        Math.min(m, 4),
      ]),
      [6, 511, 7, 5],
      [5, 513, 2, 9],
      [513, 20, 4, 20],
      [4, 1030, 65, 100],
      [3, 40, 257, 3],
      [2, 30, 1100, 30],
    ];
    it.each(METRICS)("%s: sizes around every edge", (metric) => {
      for (const [n, m, d, k] of SIZES) {
        const y = random(2, m * d);
        checkNearest(dtype, { x: random(1, n * d), y, d, k, metric }, `[${n}, ${m}, ${d}]`);
      }
      for (const n of [2, 3, 17, 64, 530])
        checkNearest(dtype, { x: random(n, n * 5), d: 5, k: Math.min(7, n - 1), metric }, `${n} among themselves`);
    });
    it.each(METRICS)("%s: duplicates and ties, by the lower index", (metric) => {
      if (metric === "cosine") return; // parallel rows differ by rounding alone
      checkNearest(dtype, { x: grid(1, 60), y: grid(2, 3000), d: 3, k: 40, metric }, "a grid");
      checkNearest(dtype, { x: grid(3, 1600), d: 2, k: 30, metric }, "a grid among itself");
      const same = new array(4 * 700).fill(3);
      const { indices } = nearest(same, undefined, { shape: [700, 4], k: 3, metric });
      expect([...indices.subarray(0, 12)]).toEqual([1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2]);
    });
    it("a mean of 100, and differences of 1e-3 there: nothing cancels", () => {
      for (const metric of ["euclidean", "squaredEuclidean"] as const) {
        const close = (seed: number, rows: number): FloatArray => pseudorandom(dtype, seed, rows * 8, 1e-3, 100);
        checkNearest(dtype, { x: close(1, 30), y: close(2, 900), d: 8, k: 12, metric }, "1e-3 at 100");
        checkNearest(dtype, { x: random(1, 240, 100), y: random(2, 7200, 100), d: 8, k: 12, metric }, "4 at 100");
      }
    });
    it("near ties: a last bit decides", () => {
      const d = 20;
      const x = random(1, d);
      const y = new array(50 * d);
      for (let j = 0; j < 50; j++)
        y.set(
          x.map((v) => -v),
          j * d,
        );
      // row 37 is nearer by a last bit of f32, or what f64 can tell in a sum, of one element
      const at = 37 * d + 4;
      y[at] = (y[at] as number) * (1 - (dtype === f32 ? 2 ** -23 : 2 ** -44));
      expect([...nearest(x, y, { shape: [1, d], yShape: [50, d], k: 3 }).indices]).toEqual([37, 0, 1]);
    });
    it("clusters far apart, and an outlier: bounds that rule out little", () => {
      const x = random(1, 400 * 6).map((v, i) => 1e-3 * v + 1e3 * (Math.floor(i / 6) % 5)) as FloatArray;
      checkNearest(dtype, { x, d: 6, k: 9, metric: "euclidean" }, "clusters");
      const y = random(2, 300 * 6);
      y.fill(dtype === f32 ? 1e30 : 1e200, 0, 6);
      checkNearest(dtype, { x: random(1, 60), y, d: 6, k: 9, metric: "euclidean" }, "an outlier");
    });
    it("any data", () => {
      // squares of smaller numbers are lost to a plain loop
      const real = fc.double({ min: -1e3, max: 1e3, noNaN: true }).map((v) => (Math.abs(v) < 1e-18 ? 0 : v));
      const value = fc.oneof(fc.integer({ min: -2, max: 2 }), real);
      const rows = fc.integer({ min: 1, max: 4 }).chain((d) =>
        fc.record({
          d: fc.constant(d),
          x: fc.array(fc.array(value, { minLength: d, maxLength: d }), { minLength: 1, maxLength: 6 }),
          y: fc.array(fc.array(value, { minLength: d, maxLength: d }), { minLength: 1, maxLength: 40 }),
          metric: fc.constantFrom<Metric>("euclidean", "squaredEuclidean", "dot"),
        }),
      );
      fc.assert(
        fc.property(rows, ({ d, x, y, metric }) => {
          const k = Math.min(3, y.length);
          checkNearest(dtype, { x: new array(x.flat()), y: new array(y.flat()), d, k, metric }, "any");
        }),
        { numRuns: 60, seed: 13 },
      );
    });
  });

  describe("special values", () => {
    const nan = (v: FloatArray, at: number): FloatArray => {
      v[at] = NaN;
      return v;
    };
    it("NaN in a row of x spoils that row alone", () => {
      const [n, m, d] = [20, 600, 6];
      const [x, y, v] = [random(1, n * d), random(2, m * d), random(3, m)];
      const spoilt = nan(x.slice(), 5 * d + 2);
      const calls: Record<string, (of: FloatArray) => ArrayLike<number>> = {
        nearest: (of) => nearest(of, y, { shape: [n, d], yShape: [m, d] }).values,
        cosine: (of) => nearest(of, y, { shape: [n, d], yShape: [m, d], metric: "cosine" }).values,
        dot: (of) => nearest(of, y, { shape: [n, d], yShape: [m, d], metric: "dot" }).values,
        kernelProduct: (of) => kernelProduct(of, y, v, { shape: [n, d], yShape: [m, d], kernel: "rbf" }),
        kernelDensity: (of) => kernelDensity(of, y, { shape: [n, d], yShape: [m, d], bandwidth: 1 }),
      };
      for (const [name, call] of Object.entries(calls)) {
        const [got, wanted] = [call(spoilt), call(x)];
        for (let i = 0; i < n; i++) expect(got[i], `${name} ${i}`).toBe(i === 5 ? NaN : wanted[i]);
      }
      const { indices } = nearest(spoilt, y, { shape: [n, d], yShape: [m, d], k: 2 });
      expect([...indices.subarray(10, 12)]).toEqual([0, 1]);
    });
    it("NaN in a row of y is farther than any number", () => {
      const y = nan(random(2, 30 * 3), 4 * 3);
      for (const metric of METRICS) {
        const { indices, values } = nearest(random(1, 6), y, { shape: [2, 3], yShape: [30, 3], k: 30, metric });
        expect([indices[29], indices[59]], metric).toEqual([4, 4]);
        expect(Array.from(values, Number.isNaN).map(Number).join("")).toBe(`${"0".repeat(29)}1`.repeat(2));
      }
    });
    it("infinite points are infinitely far", () => {
      const y = new array([Infinity, 0, 1, 1, -Infinity, 2]);
      const { indices, values } = nearest(new array([0, 0]), y, { shape: [1, 2], yShape: [3, 2], k: 3 });
      expect([...indices]).toEqual([1, 0, 2]);
      expect([...values].slice(1)).toEqual([Infinity, Infinity]);
    });
    it("no scale is too large or too small", () => {
      const scales = dtype === f32 ? [1e-40, 1e-30, 1e30, 1e37] : [1e-310, 1e-200, 1e200, 1e300];
      const [x, y] = [random(1, 12 * 4), random(2, 40 * 4)];
      for (const scale of scales) {
        const [a, b] = [x, y].map((v) => v.map((u) => u * scale) as FloatArray) as [FloatArray, FloatArray];
        const { indices, values } = nearest(a, b, { shape: [12, 4], yShape: [40, 4], k: 5 });
        const plain = (i: number, j: number): number =>
          scale *
          key("euclidean", a.map((v) => v / scale) as FloatArray, i, b.map((v) => v / scale) as FloatArray, j, 4);
        const all = pairwiseDistance(a, b, { shape: [12, 4], yShape: [40, 4] });
        for (let e = 0; e < 60; e++) {
          const [i, j] = [Math.floor(e / 5), indices[e] as number];
          // subnormal numbers have few digits
          const bound = 1e-6 * plain(i, j) + 4 * dtype.tiny * 2 * dtype.unit;
          expect(Math.abs((values[e] as number) - plain(i, j))).toBeLessThanOrEqual(bound);
          expect(Math.abs((all[i * 40 + j] as number) - plain(i, j))).toBeLessThanOrEqual(bound);
        }
      }
    });
    it("a density far from all samples keeps its digits", () => {
      const got = kernelDensity(new array([1e4]), new array([0, 1]), { shape: [1, 1], yShape: [2, 1], bandwidth: 1 });
      const wanted = -(9999 ** 2) / 2 - Math.log(2) - Math.log(2 * Math.PI) / 2;
      expect(Math.abs((got[0] as number) / wanted - 1)).toBeLessThan(2 * dtype.unit);
    });
  });

  it.each([
    [256, "euclidean"],
    [256, "squaredEuclidean"],
    [256, "manhattan"],
    [16_384, "squaredEuclidean"],
  ] as const)("roundings that all go one way, of %i numbers: %s distances within 340 u, 2e-5", (d, metric) => {
    const zero = new array(d);
    for (const v of [1.27, 1.334, 1.7, 1.9873333]) {
      const x = new array(d).fill(v);
      const [got] = pairwiseDistance(x, zero, { shape: [1, d], metric });
      const own = x[0] as number;
      const to = { euclidean: Math.sqrt(d) * own, squaredEuclidean: d * own * own, manhattan: d * own }[metric];
      expect(Math.abs((got as number) / to - 1)).toBeLessThanOrEqual(340 * dtype.unit);
      const [density] = kernelDensity(x, zero, { shape: [1, d], yShape: [1, d], bandwidth: 1 });
      const [far, constant] = [(d * own * own) / 2, (d / 2) * Math.log(2 * Math.PI)];
      expect(Math.abs((density as number) + far + constant)).toBeLessThanOrEqual(340 * dtype.unit * far);
    }
  });

  it("cosine distances: 1e-6, relatively, and of small ones 2e-7·√distance, as the docstring says of f32", () => {
    const [n, scale] = [16, dtype === f32 ? 1 : dtype.unit * 2 ** 24];
    let smallest = Infinity;
    for (const d of [1, 2, 3, 4, 7, 40, 600])
      for (const apart of [1, 0.1, 0.01, 1e-3, 1e-4]) {
        // the same direction but for a part, of lengths of their own
        const common = pseudorandom(dtype, d, d, 1);
        const rows = (seed: number, length: number): FloatArray =>
          pseudorandom(dtype, seed, n * d, apart).map((v, i) => length * (v + (common[i % d] as number))) as FloatArray;
        const [x, y] = [rows(d + 1, 1), rows(d + 2, 2.3)];
        const unit = (of: FloatArray, i: number): number[] => {
          const row = Array.from(of.subarray(i * d, (i + 1) * d));
          const norm = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
          return row.map((v) => v / norm);
        };
        const [xs, ys] = [x, y].map((of) => Array.from({ length: n }, (_, i) => unit(of, i)));
        pairwiseDistance(x, y, { shape: [n, d], metric: "cosine" }).forEach((got, at) => {
          const [a, b] = [xs?.[Math.floor(at / n)] as number[], ys?.[at % n] as number[]];
          const to = a.reduce((sum, v, k) => sum + (v - (b[k] as number)) ** 2, 0) / 2;
          // of f64 the reference rounds as much as what it is held against
          const bound = scale * Math.max(1e-6 * to, 2e-7 * Math.sqrt(to)) * (dtype === f32 ? 1 : 4) + dtype.unit ** 2;
          if (!(Math.abs(got - to) <= bound)) expect.fail(`d = ${d}, ${got} for ${to}`);
          if (to > 0) smallest = Math.min(smallest, to);
        });
      }
    expect(smallest).toBeLessThan(1e-8);
  });

  it.each([
    [3, 2],
    [40, 2],
    [5, 9],
  ])("distances of points close to 0 keep their digits beside others: %i of %i numbers", (n, d) => {
    for (const least of [2 * dtype.tiny * dtype.unit, dtype.tiny, dtype.tiny ** 0.5, dtype.unit ** 2]) {
      const x = new array(n * d).map((_, i) => (i < 2 * d ? (i % d) * least : Math.sin(i)));
      x[d] = 7 * least;
      const y = new array(Array.from(x).reverse());
      for (const other of [undefined, y]) {
        const got = pairwiseDistance(x, other, { shape: [n, d], ...(other && { yShape: [n, d] }) });
        const k = other ? n : n - 1;
        const near = nearest(x, other, { shape: [n, d], ...(other && { yShape: [n, d] }), k });
        near.indices.forEach((j, at) => {
          const [own, search] = [got[Math.floor(at / k) * n + j] as number, near.values[at] as number];
          expect(Math.abs(own - search)).toBeLessThanOrEqual(8 * dtype.unit * search);
        });
        expect(got[1] ?? 0).toBeGreaterThan(0);
      }
    }
  });

  it("a density counts weights that are subnormal beside their sum", () => {
    const least = 2 * dtype.tiny * dtype.unit;
    // the other sample is 10⁴ bandwidths away, so that the subnormal weight's is the density
    for (const pair of [
      [least, 1.6],
      [3 * least, 1.9],
      [least, 1e3],
    ]) {
      const weights = new array(pair);
      const options = { shape: [1, 1], yShape: [2, 1], bandwidth: 1, weights };
      const got = kernelDensity(new array([0]), new array([0, 1e4]), options);
      const [low, high] = weights as unknown as [number, number];
      const wanted = Math.log(low) - Math.log(high) - Math.log(2 * Math.PI) / 2;
      expect(Math.abs((got[0] as number) / wanted - 1)).toBeLessThan(4 * dtype.unit);
    }
  });

  it("a density is finite as far as its type goes", () => {
    for (const bandwidth of [1, 1.3, 1.999, 0.6, 3e-5, 7e4, 2 ** 40])
      for (const d of [1, 3, 70]) {
        for (const share of [0.1, 0.3, 0.6, 0.99]) {
          // −½·d·(x/h)² of that share of the largest number
          const x = Math.sqrt(2 * share) * Math.sqrt(dtype.max / d) * bandwidth;
          const points = new array(d).fill(x);
          const far = ((points[0] as number) / bandwidth) * Math.SQRT1_2;
          const got = kernelDensity(points, new array(d), { shape: [1, d], bandwidth });
          expect(
            Math.abs(
              (got[0] as number) / dtype.max + d * (((far / Math.sqrt(dtype.max)) * far) / Math.sqrt(dtype.max)),
            ),
          ).toBeLessThan(1e-6);
        }
        const beyond = new array(d).fill(Math.sqrt(2.2) * Math.sqrt(dtype.max / d) * bandwidth);
        expect(kernelDensity(beyond, new array(d), { shape: [1, d], bandwidth })[0]).toBe(-Infinity);
      }
  });

  describe("sums over many", () => {
    it.each(["linear", "polynomial", "rbf", "laplacian", "sigmoid", "cosine"] as const)(
      "kernelProduct, %s: the kernels of kernelMatrix, summed exactly",
      (kernel) => {
        for (const [n, m, d, p] of [
          [3, 1, 2, 1],
          [17, 255, 3, 2],
          [2, 257, 5, 3],
          [530, 513, 4, 1],
          [3, 1300, 300, 2],
        ] as const) {
          const [x, y, v] = [random(1, n * d), random(2, m * d), random(3, m * p)];
          const degree = kernel === "polynomial" && d === 3 ? 1.5 : 2;
          const options = { shape: [n, d], yShape: [m, d], kernel, degree, coef0: 100 };
          const K = kernelMatrix(x, y, options);
          const got = kernelProduct(x, y, v, options);
          for (let i = 0; i < n; i++)
            for (let q = 0; q < p; q++) {
              let [sum, size] = [0, 0];
              for (let j = 0; j < m; j++) {
                const term = (K[i * m + j] as number) * (v[j * p + q] as number);
                sum += term;
                size += Math.abs(term);
              }
              const off = Math.abs((got[i * p + q] as number) - sum);
              // the plain loop rounds m times
              if (!(off <= dtype.unit * Math.abs(sum) + m * 2 ** -53 * size))
                expect.fail(`${kernel} ${n} ${m}: off by ${off}`);
            }
        }
      },
    );
    it("a row's bits do not depend on the other rows", () => {
      const [n, m, d] = [700, 1500, 3];
      const [x, y, v] = [random(1, n * d), random(2, m * d), random(3, m)];
      const rows = { shape: [1, d], yShape: [m, d] };
      const all = { shape: [n, d], yShape: [m, d] };
      const product = kernelProduct(x, y, v, { ...all, kernel: "rbf" });
      const density = kernelDensity(x, y, { ...all, bandwidth: 0.3 });
      const found = nearest(x, y, { ...all, k: 3 });
      for (const i of [0, 1, 349, 350, 699]) {
        const one = x.slice(i * d, (i + 1) * d);
        expect(firstDifference(kernelProduct(one, y, v, { ...rows, kernel: "rbf" }), product.slice(i, i + 1))).toBe("");
        expect(firstDifference(kernelDensity(one, y, { ...rows, bandwidth: 0.3 }), density.slice(i, i + 1))).toBe("");
        expect([...nearest(one, y, { ...rows, k: 3 }).values]).toEqual([...found.values.slice(3 * i, 3 * i + 3)]);
      }
    });
    it("of signs that cancel a million f64 terms lose nothing", () => {
      if (dtype !== f64) return;
      const m = 2 ** 20;
      const v = Float64Array.from({ length: m }, (_, j) => (j % 2 ? -1 : 1) * (1 + (j >> 1)));
      const got = kernelProduct([0], new Float64Array(m), v, { shape: [1, 1], yShape: [m, 1], kernel: "rbf" });
      expect([...got]).toEqual([0]);
    });

    it.each([
      ["a list", [1, 2, 3], "3 elements"],
      ["too few", new Float64Array(1), "1 element"],
      ["other rows", { data: new Float64Array(6), shape: [3, 2] }, "[3, 2]"],
      ["three axes", { data: new Float64Array(2), shape: [2, 1, 1] }, "[2, 1, 1]"],
    ])("kernelProduct refuses a v that is not of the rows of y: %s", (_, v, got) => {
      expect(() => kernelProduct([0, 1, 2], [3, 4], v, { shape: [3, 1], yShape: [2, 1], kernel: "rbf" })).toThrow(
        new RangeError(`kernelProduct: "v" must be of shape [2, p], a row for each of "y", got ${got}`),
      );
    });
  });

  it("residents, views and out", () => {
    const [n, m, d] = [40, 70, 5];
    const [x, y, v] = [random(1, n * d), random(2, m * d), random(3, m)];
    const view = (of: FloatArray): FloatArray => {
      const wide = new array(of.length + 3);
      wide.set(of, 3);
      return wide.subarray(3) as FloatArray;
    };
    const shapes = { shape: [n, d], yShape: [m, d] };
    const wanted = kernelProduct(x, y, v, { ...shapes, kernel: "rbf" });
    const held = surprisal.resident(dtype.name, x.length);
    held.set(x);
    for (const one of [view(x), held]) {
      expect(
        firstDifference(kernelProduct(one, view(y), view(v), { ...shapes, kernel: "rbf" }) as FloatArray, wanted),
      ).toBe("");
      expect([...nearest(one, y, { ...shapes, k: 4 }).indices]).toEqual([
        ...nearest(x, y, { ...shapes, k: 4 }).indices,
      ]);
    }
    held.dispose();
    const out = new array(n);
    expect(kernelProduct(x, y, v, { ...shapes, kernel: "rbf", out })).toBe(out);
    expect(firstDifference(out, wanted)).toBe("");
    // what a signal ends has written nothing
    const controller = new AbortController();
    const [{ signal }, before] = [controller, out.slice()];
    const progress = (): void => controller.abort(new Error("enough"));
    expect(() => kernelProduct(x, y, v, { ...shapes, kernel: "linear", out, progress, signal })).toThrow("enough");
    expect(firstDifference(out, before)).toBe("");
    const distances = new array(n * m).fill(7);
    expect(() => pairwiseDistance(x, y, { ...shapes, out: distances, progress, signal })).toThrow("enough");
    expect(distances.every((u) => u === 7)).toBe(true);
  });

  it("tells of tiles, the last of which is all", () => {
    const told: surprisal.PairsProgress[] = [];
    nearest(random(1, 3000 * 64), random(2, 3000 * 64), { shape: [3000, 64], progress: (one) => told.push(one) });
    expect(told.length).toBeGreaterThan(1);
    expect(told.at(-1)?.fraction).toBe(1);
    for (const [i, { tiles, fraction }] of told.entries()) {
      expect(tiles).toBeGreaterThan(told[i - 1]?.tiles ?? 0);
      expect(fraction).toBeCloseTo(tiles / (told.at(-1) as surprisal.PairsProgress).tiles, 12);
    }
  });

  it(`takes memory for a tile, not for the matrix (${variant})`, () => {
    // of 4,000 × 50,000 pairs the matrix would take 800 MB; scratch depends on d, k and p alone, and results are [n, k]
    const [n, m, d] = [400, 50_000, 64];
    const [x, y, v] = [random(1, n * d), random(2, m * d), random(3, m)];
    const before = reservedBytes();
    const heap = process.memoryUsage().arrayBuffers;
    nearest(x, y, { shape: [n, d], yShape: [m, d], k: 10 });
    nearest(x, y, { shape: [n, d], yShape: [m, d], k: 10, metric: "cosine" });
    kernelProduct(x, y, v, { shape: [n, d], yShape: [m, d], kernel: "rbf" });
    kernelDensity(x, y, { shape: [n, d], yShape: [m, d], bandwidth: 1 });
    expect(reservedBytes() - before).toBeLessThanOrEqual(8 * 2 ** 20);
    // vectors of n and m in f64 besides: two factors and a square for each row
    expect(process.memoryUsage().arrayBuffers - heap).toBeLessThanOrEqual(4 * 8 * 4 * (n + m) + 8 * 2 ** 20);
  });
});
