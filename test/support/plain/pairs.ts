/** Distances, neighbours, kernel products and densities: plain loops over all pairs of rows. */
import { sum } from "../reference.ts";
import { divergenceOf, pairOf } from "./divergences.ts";
import { kernelOf, type Points, pointsOf } from "./gram.ts";
import { ANYTHING, arrayOf, type Estimate, type Expected, exactly, type Given, leastOf, refused } from "./near.ts";
import { rounded, U } from "./rows.ts";

/** 1e-6 in f32, in units of 2⁻²⁴. */
const PRACTICAL = 16.8;

const row = ({ x, d }: Points, i: number): Float64Array => x.subarray(i * d, (i + 1) * d);
const isNaNRow = (v: Float64Array): boolean => v.some(Number.isNaN);
const largest = (v: Float64Array): number => v.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** 1 − cos of two rows, and a cosine's own error. */
function cosine(p: Float64Array, q: Float64Array, u: number): Estimate {
  if (isNaNRow(p) || isNaNRow(q)) return exactly(NaN);
  const [a, b] = [largest(p), largest(q)];
  if (a === Infinity || b === Infinity) return ANYTHING;
  if (a === 0 || b === 0) return exactly(1);
  const unit = (v: Float64Array, top: number): Float64Array => {
    const scaled = v.map((value) => value / top);
    const norm = Math.sqrt(sum(v.length, (k) => (scaled[k] as number) ** 2));
    return scaled.map((value) => value / norm);
  };
  const [v, w] = [unit(p, a), unit(q, b)];
  const value = sum(p.length, (k) => ((v[k] as number) - (w[k] as number)) ** 2) / 2;
  return { value, error: u * (value + Math.sqrt(value)) + u * u };
}

/** A distance of two rows; `u` is what it may err by, relatively. */
function distanceOf(metric: string, p: Float64Array, q: Float64Array, u: number): Estimate {
  if (metric === "cosine") return cosine(p, q, u);
  const differences = p.map((v, k) => Math.abs(v - (q[k] as number)));
  if (isNaNRow(p) || isNaNRow(q)) return exactly(NaN);
  if (isNaNRow(differences)) return ANYTHING;
  if (metric === "manhattan") {
    const value = sum(p.length, (k) => differences[k] as number);
    return { value, error: u * value };
  }
  const top = largest(differences);
  const scaled = top === 0 || top === Infinity ? 0 : sum(p.length, (k) => ((differences[k] as number) / top) ** 2);
  const value =
    metric === "euclidean" ? top * Math.sqrt(top === Infinity ? 1 : scaled) : top * top * (scaled || +(top > 0));
  return { value, error: u * value };
}

const metricOf = ({ options }: Given): string => (options["metric"] as string | undefined) ?? "euclidean";

export function pairwiseDistance(given: Given): Expected {
  const { dtype } = given;
  const x = pointsOf(given, "x") as Points;
  const y = pointsOf(given, "y") ?? x;
  const u = PRACTICAL * (dtype.unit + U);
  const metric = metricOf(given);
  const numbers: Estimate[] = [];
  for (let i = 0; i < x.n; i++)
    for (let j = 0; j < y.n; j++) {
      const { value, error } = distanceOf(metric, row(x, i), row(y, j), u);
      // squares below the least number are lost, magnitudes beyond the largest
      numbers.push(rounded(dtype, { value, error: error + (x.d + 2) * leastOf(dtype) }));
    }
  return { numbers };
}

/** What is compared in the search, least first. */
function keyOf(given: Given, metric: string, p: Float64Array, q: Float64Array): Estimate {
  if (metric === "kl" || metric === "js") {
    const { max } = given.dtype;
    const key = divergenceOf(metric, pairOf(given, p, q), given.dtype);
    // divergences are numbers of the type: beyond its largest they are all alike
    if (!(Math.abs(key.value) + key.error > max)) return key;
    return Math.abs(key.value) - key.error > max ? exactly(key.value > 0 ? Infinity : -Infinity) : ANYTHING;
  }
  // in f64, whatever the type
  const u = (16 + p.length) * 4 * U;
  if (metric !== "dot") return distanceOf(metric, p, q, u);
  if (isNaNRow(p) || isNaNRow(q)) return exactly(NaN);
  const value = -sum(p.length, (k) => (p[k] as number) * (q[k] as number));
  const size = sum(p.length, (k) => Math.abs((p[k] as number) * (q[k] as number)));
  return Number.isFinite(value) && size < 1e300 ? { value, error: u * size } : ANYTHING;
}

/** A number behind all others where it is none. */
const order = (value: number): number => (Number.isNaN(value) ? Infinity : value);

export function nearest(given: Given): Expected {
  const { dtype, options } = given;
  const x = pointsOf(given, "x") as Points;
  const y = pointsOf(given, "y");
  const other = y ?? x;
  const k = (options["k"] as number | undefined) ?? 1;
  if (k > (y ? other.n : Math.max(0, x.n - 1)) && (x.n > 0 || options["k"] !== undefined)) return refused();
  const metric = metricOf(given);
  const keys = Array.from({ length: x.n }, (_, i) =>
    Array.from({ length: other.n }, (_, j) => keyOf(given, metric, row(x, i), row(other, j))),
  );
  const sign = metric === "dot" ? -1 : 1;
  let found: Int32Array | undefined;
  const indices = (got: unknown): string => {
    if (!(got instanceof Int32Array)) return "is no Int32Array";
    if (got.length !== x.n * k) return `is of length ${got.length}, wanted ${x.n * k}`;
    found = got;
    for (let i = 0; i < x.n; i++) {
      const chosen = [...got.subarray(i * k, (i + 1) * k)];
      if (new Set(chosen).size < k) return `names a row twice for ${i}`;
      if (chosen.some((j) => !(j >= 0 && j < other.n) || (!y && j === i))) return `names no other row for ${i}`;
      const own = keys[i] as Estimate[];
      if (own.some(({ error }) => error === Infinity)) continue;
      const candidates = own.map((key, j) => ({ ...key, j })).filter(({ j }) => y || j !== i);
      candidates.sort(
        (a, b) => order(a.value) - order(b.value) || +Number.isNaN(a.value) - +Number.isNaN(b.value) || a.j - b.j,
      );
      for (const [e, j] of chosen.entries()) {
        const [is, wanted] = [own[j] as Estimate, candidates[e] as Estimate & { j: number }];
        // rows that are as near to rounding may stand for each other
        const apart = Math.abs(order(is.value) - order(wanted.value));
        if (j !== wanted.j && (is.error + wanted.error === 0 || !(apart <= is.error + wanted.error)))
          return `[${i}, ${e}] is ${j} at ${is.value}, wanted ${wanted.j} at ${wanted.value}`;
      }
    }
    return "";
  };
  const values = (got: unknown): string => {
    const array = arrayOf(got, dtype);
    if (array?.length !== x.n * k) return `is no ${dtype.array.name} of ${x.n * k}`;
    for (let e = 0; found && e < array.length; e++) {
      const { value, error } = rounded(dtype, (keys[Math.floor(e / k)] as Estimate[])[found[e] as number] as Estimate);
      const apart = Math.abs(sign * (array[e] as number) - value);
      if (apart <= error + leastOf(dtype) || Object.is(sign * (array[e] as number), value) || !(error < Infinity))
        continue;
      // beyond the largest number of the type
      if (Math.abs(array[e] as number) === Infinity && Math.abs(value) + error > dtype.max) continue;
      return `[${e}] is ${array[e]}, wanted ${sign * value} ± ${error}`;
    }
    return "";
  };
  return { fields: { indices: { meets: indices }, values: { meets: values } } };
}

export function kernelProduct(given: Given): Expected {
  const { dtype, arrays, shapes } = given;
  const x = pointsOf(given, "x") as Points;
  const y = pointsOf(given, "y") ?? x;
  const v = arrays["v"] as Float64Array;
  const p = shapes["v"]?.[1] ?? 1;
  const numbers: Estimate[] = [];
  for (let i = 0; i < x.n; i++) {
    const kernels = Array.from({ length: y.n }, (_, j) => rounded(dtype, kernelOf(given, x, i, y, j, "")));
    for (let q = 0; q < p; q++) {
      const term = (j: number): number => (kernels[j] as Estimate).value * (v[j * p + q] as number);
      const value = sum(y.n, term);
      const size = sum(y.n, (j) => Math.abs(term(j)));
      const error = sum(y.n, (j) => (kernels[j] as Estimate).error * Math.abs(v[j * p + q] as number));
      // a kernel that is not promised is lost in its product with 0, too; sums of ±∞ are of any order
      const known = kernels.every((one) => one.error < Infinity) && (size < dtype.max / 2 || Number.isNaN(value));
      numbers.push(
        known && !(Number.isNaN(value) && !isNaNRow(row(x, i)) && !isNaNRow(y.x) && !isNaNRow(v))
          ? rounded(dtype, { value, error: error + 128 * U * size + leastOf(dtype) })
          : ANYTHING,
      );
    }
  }
  return { numbers };
}

export function kernelDensity(given: Given): Expected {
  const { dtype, arrays, options } = given;
  const x = pointsOf(given, "points") as Points;
  const y = pointsOf(given, "samples") as Points;
  const weights = arrays["weights"] ?? new Float64Array(y.n).fill(1);
  if (y.n === 0 || weights.some((w) => !(w >= 0 && w < Infinity)) || !weights.some((w) => w > 0)) return refused();
  const h = options["bandwidth"] as number;
  const top = largest(weights);
  const total = sum(y.n, (j) => (weights[j] as number) / top);
  const offset = Math.log(total) + (x.d / 2) * Math.log(2 * Math.PI) + x.d * Math.log(h);
  const size = 2 + Math.abs(Math.log(total)) + x.d * (2 + Math.abs(Math.log(h)));
  const u = PRACTICAL * (dtype.unit + U);
  const numbers = Array.from({ length: x.n }, (_, i): Estimate => {
    const p = row(x, i);
    const squares = Array.from({ length: y.n }, (_, j) => distanceOf("euclidean", p, row(y, j), 0));
    if (squares.some(({ value }) => Number.isNaN(value))) return exactly(NaN);
    if (squares.some(({ error }) => error === Infinity)) return ANYTHING;
    const far = squares.map(({ value }) => ((value / h) * Math.SQRT1_2) ** 2);
    // a subnormal weight over the largest would be rounded
    const terms = far.map((s, j) => Math.log(weights[j] as number) - Math.log(top) - s);
    const most = terms.reduce((a, b) => Math.max(a, b), -Infinity);
    if (most === -Infinity) {
      // squares over 2^1024, so that they are numbers: next to the largest number of f64 either is right
      const over = squares.map(({ value }, j) =>
        weights[j] ? ((value / h) * Math.SQRT1_2 * 2 ** -512) ** 2 : Infinity,
      );
      return Math.min(...over) < 1.01 ? ANYTHING : { value: -Infinity, error: 0 };
    }
    const powers = terms.map((t) => Math.exp(t - most));
    const whole = sum(y.n, (j) => powers[j] as number);
    // each term errs relatively, and counts for as much as its power
    const error =
      sum(y.n, (j) => ((powers[j] as number) / whole) * ((powers[j] as number) === 0 ? 0 : (far[j] as number))) + 1;
    // next to what is beyond the type
    if (!(-most < dtype.max / 1.01)) return ANYTHING;
    return rounded(dtype, { value: most + Math.log(whole) - offset, error: u * error + 16 * U * size });
  });
  return { numbers };
}
