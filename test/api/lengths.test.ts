/** Lengths around every vector, group and tile edge, shapes and axes, rows longer than any tile. */
import { describe, expect, it } from "vitest";
import { pseudorandom } from "../support/fixture.ts";
import { ulp32, ulp64 } from "../support/ulp.ts";
import type { DType, FloatArray } from "../support/variants.ts";
import { elementwise, family, firstDifference, forEachType, rowwise } from "../support/variants.ts";

const around = (n: number) => [n - 1, n, n + 1];
const LENGTHS = [
  ...Array.from({ length: 68 }, (_, n) => n),
  ...[7, 8, 9, 10, 11, 12, 13, 14, 15, 16].flatMap((k) => around(2 ** k)),
  70_000,
  ...around(2 ** 18),
];

/** Rows whose maximum stays, climbs from block to block, falls, or jumps in the middle. */
const courses: Record<string, (dtype: DType, n: number) => FloatArray> = {
  level: (dtype, n) => pseudorandom(dtype, n + 1, n, 16),
  climbing: (dtype, n) => slope(dtype, n, 1),
  falling: (dtype, n) => slope(dtype, n, -1),
  jumping: (dtype, n) => {
    const x = pseudorandom(dtype, n + 1, n, 16);
    for (let i = n >> 1; i < n; i++) x[i] = (x[i] as number) + 50;
    return x;
  },
};
const slope = (dtype: DType, n: number, sign: number) => {
  const x = pseudorandom(dtype, n + 1, n, 1);
  for (let i = 0; i < n; i++) x[i] = (x[i] as number) + sign * (i - n / 2) * Math.min(0.01, 300 / n);
  return x;
};

interface Reference {
  readonly softmax: Float64Array;
  readonly logSoftmax: Float64Array;
  readonly logSumExp: Float64Array;
  /** |xᵢ − a|, and a by row. */
  readonly shift: Float64Array;
  readonly top: Float64Array;
}

/** Plain f64 loops along one axis, the sum compensated and without the maximum's own term (log1p). */
function reference(x: FloatArray, shape: readonly number[], axis: number): Reference {
  const n = shape[axis] as number;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const [softmax, logSoftmax, shift] = [0, 0, 0].map(() => new Float64Array(x.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const [logSumExp, top] = [0, 0].map(() => new Float64Array(inner * outer)) as [Float64Array, Float64Array];
  for (let row = 0; row < inner * outer; row++) {
    const start = Math.floor(row / inner) * n * inner + (row % inner);
    const at = (i: number) => start + i * inner;
    let first = 0;
    for (let i = 1; i < n; i++) if ((x[at(i)] as number) > (x[at(first)] as number)) first = i;
    const a = n ? (x[at(first)] as number) : -Infinity;
    let [sum, rest] = [0, 0];
    for (let i = 0; i < n; i++) {
      if (i === first) continue;
      const term = Math.exp((x[at(i)] as number) - a);
      const next = sum + term;
      rest += sum >= term ? sum - next + term : term - next + sum;
      sum = next;
    }
    const s = sum + rest;
    const log = Math.log1p(s);
    top[row] = a;
    logSumExp[row] = a + log;
    for (let i = 0; i < n; i++) {
      const z = (x[at(i)] as number) - a;
      shift[at(i)] = -z;
      softmax[at(i)] = Math.exp(z) / (1 + s);
      logSoftmax[at(i)] = z - log;
    }
  }
  return { softmax, logSoftmax, logSumExp, shift, top };
}

/** The worst breach of the accuracy bounds against the reference, in words; "" if there is none. */
function breach(dtype: DType, x: FloatArray, shape: readonly number[], axis: number): string {
  const { unit, tiny, name } = dtype;
  const ulp = name === "f32" ? ulp32 : ulp64;
  const want = reference(x, shape, axis);
  // in f64 the reference itself errs: by the rounding of xᵢ − a, and two ULP each of exp, log1p and ÷
  const own = name === "f32" ? 0 : 1;
  const bounds: Record<(typeof rowwise)[number], (i: number) => number> = {
    softmax: (i) => (5 + own * (4 + (want.shift[i] as number))) * unit * Math.max(want.softmax[i] as number, tiny),
    logSoftmax: (i) => (2 + own * 2) * ulp(want.logSoftmax[i] as number),
    logSumExp: (i) => {
      const [a, lse] = [want.top[i] as number, want.logSumExp[i] as number];
      return ulp(Math.max(Math.abs(a), Math.abs(lse))) + own * 4 * ulp(lse - a);
    },
  };
  let [worst, words] = [1, ""];
  for (const f of rowwise) {
    const got = family[f](x, { shape, axis });
    const wanted = want[f];
    if (got.length !== wanted.length) return `${f}: ${got.length} results, wanted ${wanted.length}`;
    for (let i = 0; i < got.length; i++) {
      const [g, w] = [got[i] as number, wanted[i] as number];
      const ratio = Object.is(g, w) ? 0 : Math.abs(g - w) / bounds[f](i);
      if (ratio <= worst) continue;
      worst = ratio;
      words = `${f} [${shape}] axis ${axis} [${i}]: ${g}, wanted ${w}, ${ratio.toFixed(2)} × the bound`;
      if (Number.isNaN(ratio)) return words;
    }
  }
  return words;
}

/** The axis moved last, and where each element of that went. */
function transpose(dtype: DType, x: FloatArray, shape: readonly number[], axis: number): FloatArray {
  const n = shape[axis] as number;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const y = new dtype.array(x.length);
  for (let k = 0; k < x.length; k++) {
    const [o, i, j] = [Math.floor(k / (n * inner)), Math.floor(k / inner) % n, k % inner];
    y[(o * inner + j) * n + i] = x[k] as number;
  }
  return y;
}

const highest = (x: FloatArray, start: number, n: number) =>
  (x.subarray(start, start + n) as Float64Array).reduce((m, v) => Math.max(m, v), -Infinity);

forEachType((dtype, variant) => {
  const { array } = dtype;
  const ulp = dtype.name === "f32" ? ulp32 : ulp64;

  it.each(Object.keys(courses))("row lengths, %s", (course) => {
    const found: string[] = [];
    for (const n of LENGTHS) {
      const x = (courses[course] as (typeof courses)[string])(dtype, n);
      const words = breach(dtype, x, [n], 0);
      if (words) found.push(words);
    }
    expect(found).toEqual([]);
  });

  it.each(Object.keys(courses))("column lengths, %s", (course) => {
    const found: string[] = [];
    for (const n of [...LENGTHS.filter((m) => m < 40), 127, 128, 129, 1000, 2049, 10_000])
      for (const columns of [2, 3, 4, 5, 8, 17, 33]) {
        const row = (courses[course] as (typeof courses)[string])(dtype, n * columns);
        const words = breach(dtype, row, [n, columns], 0);
        if (words) found.push(words);
      }
    expect(found).toEqual([]);
  });

  it.each(["softmax", "logSoftmax", ...elementwise] as const)(
    "%s at every length writes its elements and no others",
    (name) => {
      for (const n of LENGTHS) {
        const x = pseudorandom(dtype, 5, n, 0.96, 0.5);
        const all = new array(n + 40).fill(7.25);
        const out = all.subarray(20, 20 + n);
        family[name](x, { out });
        expect(firstDifference(out, family[name](x)), `n = ${n}`).toBe("");
        const around = [...all.subarray(0, 20), ...all.subarray(20 + n)];
        expect(around, `around ${n}`).toEqual(new Array(40).fill(7.25));
      }
    },
  );

  it.each(elementwise)("%s of an element does not depend on its index or on the length", (name) => {
    const X = pseudorandom(dtype, 6, 2 ** 18 + 1, name === "logit" ? 1 : 60, name === "logit" ? 0.5 : 0);
    const Y = family[name](X);
    for (const n of LENGTHS)
      for (const start of [0, 1, 2, 3, 5])
        if (start + n <= X.length) {
          const y = family[name](X.subarray(start, start + n));
          expect(firstDifference(y, Y.subarray(start, start + n)), `from ${start}, n = ${n}`).toBe("");
        }
  });

  const shapes = [
    [1],
    [5],
    [100],
    [1, 1],
    [2, 3],
    [7, 5],
    [1, 40],
    [40, 1],
    [33, 17],
    [3, 5000],
    [5000, 3],
    [129, 130],
    [1, 1, 1],
    [2, 3, 4],
    [5, 1, 7],
    [3, 17, 9],
    [2, 2049, 3],
    [2, 3, 2049],
    [300, 5, 6],
    [2, 3, 4, 5],
    [1, 7, 1, 3],
    [3, 2, 33, 5],
    [2, 21, 16, 16],
    // columns that are copied as they lie, up to 64 KiB and to as many as have room for their results
    [3, 64, 64],
    [2, 32, 512],
    [2, 33, 512],
    [1, 4096],
    [2, 2, 4096],
    [2, 1, 8192],
    [2, 3, 4112],
    [1000, 128],
  ];
  it.each(shapes.map((shape) => ({ shape })))("every axis of $shape", ({ shape }) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const x = pseudorandom(dtype, length, length, 20);
    shape.forEach((n, axis) => {
      expect(breach(dtype, x, shape, axis)).toBe("");
      const moved = transpose(dtype, x, shape, axis);
      for (const name of rowwise) {
        const got = family[name](x, { shape, axis });
        expect(firstDifference(family[name](x, { shape, axis: axis - shape.length }), got)).toBe("");
        const last = family[name](moved, { shape: [length / n, n] });
        const aligned = name === "logSumExp" ? got : transpose(dtype, got, shape, axis);
        for (let i = 0; i < last.length; i++) {
          const [g, w] = [aligned[i] as number, last[i] as number];
          // each is within its bound of the same truth
          const apart = {
            softmax: () => 10.001 * dtype.unit * Math.max(w, dtype.tiny),
            logSoftmax: () => 4 * ulp(w),
            logSumExp: () => 2 * ulp(Math.max(Math.abs(highest(moved, i * n, n)), Math.abs(w))),
          };
          if (!(Math.abs(g - w) <= apart[name]()))
            expect.fail(`${name} [${shape}] axis ${axis}, [${i}] when last: ${g} and ${w}`);
        }
      }
    });
  });
  it("weights along every axis", () => {
    for (const shape of [
      [7, 5],
      [3, 17, 9],
      [2, 2049, 3],
      [2, 3, 4, 5],
    ]) {
      const length = shape.reduce((a, b) => a * b, 1);
      const x = pseudorandom(dtype, 1, length, 8);
      const weights = pseudorandom(dtype, 2, length, 1, 0.6);
      shape.forEach((n, axis) => {
        const got = family.logSumExp(x, { shape, axis, weights });
        const moved = transpose(dtype, x, shape, axis);
        const movedWeights = transpose(dtype, weights, shape, axis);
        for (let row = 0; row < length / n; row++) {
          const a = highest(moved, row * n, n);
          let S = 0;
          for (let i = row * n; i < row * n + n; i++) {
            S += (movedWeights[i] as number) * Math.exp((moved[i] as number) - a);
          }
          const want = a + Math.log(S);
          // the plain f64 sum errs by n roundings, the exponentials and the logarithm by three more
          const own = dtype.name === "f32" ? 0 : (n + 3) * dtype.unit;
          const bound = ulp(Math.max(Math.abs(a), Math.abs(want))) + own;
          expect(Math.abs((got[row] as number) - want), `[${shape}] axis ${axis} row ${row}`).toBeLessThanOrEqual(
            bound,
          );
        }
      });
    }
  });

  describe("rows beyond every tile, and rows by the thousand", () => {
    it.each([
      { shape: [1, 3_000_000], axis: 1 },
      { shape: [2, 400_000], axis: 1 },
      { shape: [300_000, 3], axis: 0 },
      { shape: [2, 70_001, 3], axis: 1 },
      { shape: [3, 300_000], axis: 0 },
      { shape: [100_000, 2], axis: 1 },
      { shape: [70_001, 3], axis: 1 },
      { shape: [33_333, 1], axis: 1 },
      { shape: [3001, 67], axis: 1 },
    ])("$shape, axis $axis", ({ shape, axis }) => {
      const x = pseudorandom(
        dtype,
        9,
        shape.reduce((a, b) => a * b, 1),
        24,
      );
      expect(breach(dtype, x, shape, axis)).toBe("");
    });
  });

  // relaxed promises no bits: an engine may fuse in one tier and not in the next
  it.runIf(variant === "base").each(rowwise)("%s: a row's bits do not depend on the rows around it", (name) => {
    for (const n of [1, 2, 3, 5, 10, 64, 100, 1000, 2049, 5000, 20_000]) {
      const most = n > 1000 ? 60 : 1000;
      const X = pseudorandom(dtype, n, most * n, 20);
      const per = name === "logSumExp" ? 1 : n;
      const all = family[name](X, { shape: [most, n] });
      for (const rows of [1, 2, 3, 7, 50, most])
        for (const start of [0, 1, most - rows].filter((r) => r + rows <= most)) {
          const part = family[name](X.subarray(start * n, (start + rows) * n), { shape: [rows, n] });
          const wanted = all.subarray(start * per, (start + rows) * per);
          expect(firstDifference(part, wanted), `${rows} rows of ${n} from ${start}`).toBe("");
        }
    }
  });

  it.runIf(variant === "base").each(rowwise)("%s: a column's bits do not depend on the columns beside it", (name) => {
    for (const n of [1, 2, 5, 64, 1000, 2049]) {
      const most = n > 1000 ? 60 : 1000;
      const X = pseudorandom(dtype, n, n * most, 20);
      const all = family[name](X, { shape: [n, most], axis: 0 });
      const height = name === "logSumExp" ? 1 : n;
      const columnsOf = (source: FloatArray, h: number, start: number, count: number) =>
        new array(
          Array.from(
            { length: h * count },
            (_, k) => source[Math.floor(k / count) * most + start + (k % count)] as number,
          ),
        );
      for (const count of [2, 3, 4, 7, 50])
        for (const start of [0, 1, most - count]) {
          const part = family[name](columnsOf(X, n, start, count), { shape: [n, count], axis: 0 });
          const wanted = columnsOf(all, height, start, count);
          expect(firstDifference(part, wanted), `${count} columns of ${n} from ${start}`).toBe("");
        }
    }
  });
});
