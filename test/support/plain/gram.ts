/** Gram and kernel matrices, MMD, CKA and the losses of style transfer. */
import { planes } from "../matrices.ts";
import { sum } from "../reference.ts";
import { ANYTHING, type Estimate, type Expected, exactly, type Given, leastOf } from "./near.ts";
import { rounded, U } from "./rows.ts";

/** What a dot product may err by, relative to the norms: 1e-6 in f32. */
const PRACTICAL = 16.8;

export interface Points {
  readonly x: Float64Array;
  readonly n: number;
  readonly d: number;
}

export const pointsOf = ({ arrays, shapes }: Given, name: string): Points | undefined => {
  const x = arrays[name];
  const [n, d] = (shapes[name] ?? []) as [number, number];
  return x && { x, n, d };
};

/** x·y of two rows, and what it is relative to: the product of their norms, or Σ |x·y| where that underflows. */
function product(a: Points, i: number, b: Points, j: number): { value: number; size: number } {
  const term = (k: number): number => (a.x[i * a.d + k] as number) * (b.x[j * b.d + k] as number);
  const norm = (p: Points, r: number): number => Math.sqrt(sum(p.d, (k) => (p.x[r * p.d + k] as number) ** 2));
  const size = Math.max(
    norm(a, i) * norm(b, j),
    sum(a.d, (k) => Math.abs(term(k))),
  );
  return { value: sum(a.d, term), size };
}

const hasNaN = (x: Float64Array | undefined): boolean => x?.some(Number.isNaN) ?? false;
const rowOf = ({ x, d }: Points, i: number): Float64Array => x.subarray(i * d, (i + 1) * d);

export function gram(given: Given): Expected {
  const { dtype, arrays, shapes, options } = given;
  const shape = shapes["x"] as readonly number[];
  const [n, d] = shape.slice(-2) as [number, number];
  const count = shape.length === 3 ? (shape[0] as number) : 1;
  const scale = (options["scale"] as number | undefined) ?? 1;
  const numbers: Estimate[] = [];
  for (let b = 0; b < count; b++) {
    const x = (arrays["x"] as Float64Array).subarray(b * n * d, (b + 1) * n * d);
    const means = Float64Array.from({ length: d }, (_, k) =>
      options["center"] ? sum(n, (i) => (x[i * d + k] as number) / n) : 0,
    );
    const points = { x: x.map((v, k) => v - (means[k % d] as number)), n, d };
    // the mean rounds too, as a sum of n terms does
    const magnitudes = Float64Array.from({ length: d }, (_, k) =>
      options["center"] ? sum(n, (i) => Math.abs(x[i * d + k] as number) / n) : 0,
    );
    const sizes = { x: x.map((v, k) => Math.abs(v) + (magnitudes[k % d] as number)), n, d };
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        if (hasNaN(rowOf(points, i)) || hasNaN(rowOf(points, j))) {
          numbers.push(x.some(Number.isNaN) ? exactly(NaN) : ANYTHING);
          continue;
        }
        const { value } = product(points, i, points, j);
        const { size } = product(sizes, i, sizes, j);
        const by = Math.abs(scale);
        numbers.push(inType(given, scale * value, PRACTICAL * by * size, Math.max(1, by) * size, d));
      }
  }
  return { numbers: numbers.map((one) => rounded(dtype, one)) };
}

/** A value with an error relative to the unit, unless its parts do not fit the type: sums of ±∞ are of any order. */
function inType({ dtype }: Given, value: number, error: number, size: number, d = 1): Estimate {
  if (!(size < dtype.max / 2) || !Number.isFinite(value)) return ANYTHING;
  return { value, error: error * (dtype.unit + U) + (d + 2) * leastOf(dtype) };
}

// ------------------------------------------------------------------------------------------------- kernels

/** A row over its largest element, so that no square over- or underflows. */
function unscaled(points: Points, i: number): Float64Array {
  const row = rowOf(points, i);
  const top = row.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  return top === 0 || !Number.isFinite(top) ? row : row.map((v) => v / top);
}

export function kernelOf(given: Given, a: Points, i: number, b: Points, j: number, byDefault: string): Estimate {
  const { options, dtype } = given;
  const kernel = (options["kernel"] as string | undefined) ?? byDefault;
  const gamma = (options["gamma"] as number | undefined) ?? 1 / Math.max(a.d, 1);
  const degree = (options["degree"] as number | undefined) ?? 3;
  const coef0 = (options["coef0"] as number | undefined) ?? 1;
  const d = a.d;
  const rows = [rowOf(a, i), rowOf(b, j)] as const;
  const known = rows.every((row) => row.every(Number.isFinite));
  // NaN makes NaN, but for NaN⁰; what becomes of ∞ is another matter
  if (!known) return rows.some(hasNaN) && !(kernel === "polynomial" && degree === 0) ? exactly(NaN) : ANYTHING;
  const u = PRACTICAL;
  if (kernel === "rbf" || kernel === "laplacian") {
    const distance = sum(d, (k) => {
      const t = Math.abs((rows[0][k] as number) - (rows[1][k] as number));
      return kernel === "rbf" ? t * t : t;
    });
    const exponent = gamma === 0 ? 0 : gamma * distance;
    const value = Math.exp(-exponent);
    // squares of differences below the least number are lost
    return inType(given, value, value === 0 ? 0 : u * value * (1 + exponent), 1, d);
  }
  if (kernel === "cosine") {
    const [p, q] = [unscaled(a, i), unscaled(b, j)];
    const dot = (v: Float64Array, w: Float64Array): number => sum(d, (k) => (v[k] as number) * (w[k] as number));
    const [xx, yy] = [dot(p, p), dot(q, q)];
    const value = xx === 0 || yy === 0 ? 0 : dot(p, q) / Math.sqrt(xx) / Math.sqrt(yy);
    // terms of one sign in chains of 256
    return inType(given, value, Math.max(u, 2 * Math.sqrt(Math.min(d, 256))), 1);
  }
  const { value: s, size } = product(a, i, b, j);
  if (kernel === "linear") return inType(given, s, u * size, size, d);
  const argument = gamma * s + coef0;
  const error = gamma * size + Math.abs(coef0);
  if (!(size < dtype.max / 2) || !(error < dtype.max / 2)) return ANYTHING;
  // products below the least number, and γ times their sum
  const lost = (Math.abs(gamma) * (d + 1) + 1) * leastOf(dtype);
  const steeply = (one: Estimate, slope: number): Estimate => ({ ...one, error: one.error + slope * lost });
  if (kernel === "sigmoid") {
    const value = Math.tanh(argument);
    const slope = 1 - value * value;
    return steeply(inType(given, value, u * (Math.abs(value) + slope * error), 1, d), slope);
  }
  const value = argument ** degree;
  // near 0 a root has no digits
  if (!Number.isInteger(degree) && Math.abs(argument) <= u * dtype.unit * error + lost) return ANYTHING;
  const slope = degree === 0 ? 0 : Math.abs(degree * argument ** (degree - 1));
  // a root is e^(degree·log), whose exponent rounds
  const exponent = Number.isInteger(degree) || value === 0 ? 0 : Math.abs(Math.log(Math.abs(value))) / 8;
  const own = u * (Math.abs(value) * (1 + exponent) + slope * error);
  if (Number.isNaN(value)) return exactly(NaN);
  return steeply(inType(given, value, own, Math.max(Math.abs(value), own), d), slope);
}

export function kernelMatrix(given: Given): Expected {
  const x = pointsOf(given, "x") as Points;
  const y = pointsOf(given, "y") ?? x;
  const numbers: Estimate[] = [];
  for (let i = 0; i < x.n; i++)
    for (let j = 0; j < y.n; j++) numbers.push(rounded(given.dtype, kernelOf(given, x, i, y, j, "")));
  return { numbers };
}

export function mmd(given: Given): Expected {
  const [x, y] = ["x", "y"].map((name) => pointsOf(given, name)) as [Points, Points];
  const { options } = given;
  const unbiased = (options["unbiased"] as boolean | undefined) ?? false;
  const mean = (a: Points, b: Points): Estimate => {
    let [value, error, size, count] = [0, 0, 0, 0];
    for (let i = 0; i < a.n; i++)
      for (let j = 0; j < b.n; j++) {
        if (unbiased && a === b && i === j) continue;
        const one = kernelOf(given, a, i, b, j, "rbf");
        size += Math.abs(one.value);
        value += one.value;
        error += one.error;
        count++;
      }
    return { value: value / count, error: (error + 8 * (given.dtype.unit + U) * size) / count };
  };
  const [xx, yy, xy] = [mean(x, x), mean(y, y), mean(x, y)];
  const value = xx.value + yy.value - 2 * xy.value;
  const error =
    2 * (xx.error + yy.error + 2 * xy.error) + 16 * U * (Math.abs(xx.value) + Math.abs(yy.value) + Math.abs(xy.value));
  return { value, error: Number.isNaN(value) || Number.isFinite(error) ? error : Infinity };
}

export function cka(given: Given): Expected {
  const { options, dtype } = given;
  const unbiased = (options["unbiased"] as boolean | undefined) ?? false;
  const sides = ["x", "y"].map((name) => {
    const { x, n, d } = pointsOf(given, name) as Points;
    const top = x.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const scaled = top > 0 && top < Infinity ? x.map((v) => v / top) : x;
    const means = Float64Array.from({ length: d }, (_, k) => sum(n, (i) => (scaled[i * d + k] as number) / n));
    const points = { x: scaled.map((v, k) => v - (means[k % d] as number)), n, d };
    const matrix = Float64Array.from({ length: n * n }, (_, k) =>
      unbiased && k % (n + 1) === 0 ? 0 : product(points, Math.floor(k / n), points, k % n).value,
    );
    const [whole, left] = [scaled, points.x].map((v) => sum(v.length, (k) => (v[k] as number) ** 2)) as [
      number,
      number,
    ];
    return { matrix, n, offset: whole / left, known: scaled.every(Number.isFinite), spoilt: hasNaN(x) };
  });
  const [k, l] = sides as [(typeof sides)[number], (typeof sides)[number]];
  if (k.spoilt || l.spoilt) return exactly(NaN);
  const offset = Math.max(k.offset, l.offset);
  // features that are constant, to rounding, have no likeness
  if (!k.known || !l.known || !(offset < 1e5)) return ANYTHING;
  const n = k.n;
  const hsic = (a: Float64Array, b: Float64Array): { value: number; size: number } => {
    const inner = sum(n * n, (i) => (a[i] as number) * (b[i] as number));
    const size = sum(n * n, (i) => Math.abs((a[i] as number) * (b[i] as number)));
    if (!unbiased) return { value: inner, size };
    const rows = (m: Float64Array): number[] =>
      Array.from({ length: n }, (_, i) => sum(n, (j) => m[i * n + j] as number));
    const [r, s] = [rows(a), rows(b)];
    const total = (v: number[]): number => sum(n, (i) => v[i] as number);
    const [whole, cross] = [
      (total(r) * total(s)) / ((n - 1) * (n - 2)),
      (2 * sum(n, (i) => (r[i] as number) * (s[i] as number))) / (n - 2),
    ];
    return { value: inner + whole - cross, size: size + Math.abs(whole) + Math.abs(cross) };
  };
  const [kl, kk, ll] = [hsic(k.matrix, l.matrix), hsic(k.matrix, k.matrix), hsic(l.matrix, l.matrix)] as const;
  const norm = Math.sqrt(kk.value) * Math.sqrt(ll.value);
  const u = (64 + n) * dtype.unit + 256 * U * offset;
  const value = kl.value / norm;
  const error =
    u * (Math.sqrt(kk.size * ll.size) / norm) * (1 + Math.abs(value)) * (kk.size / kk.value + ll.size / ll.value);
  // an estimate without bias may be of a norm that is not positive
  return kk.value > 1e-3 * kk.size && ll.value > 1e-3 * ll.size ? { value, error } : ANYTHING;
}

// --------------------------------------------------------------------------------------------------- style

type Normalize = "elements" | "spatial" | "none";

function gramsOf(
  x: Float64Array,
  shape: readonly number[],
  normalize: Normalize,
): { value: Float64Array; size: Float64Array } {
  const { n, c, hw, divisor } = planes(shape, normalize);
  const [value, size] = [new Float64Array(n * c * c), new Float64Array(n * c * c)];
  for (let b = 0; b < n; b++)
    for (let i = 0; i < c; i++)
      for (let j = 0; j < c; j++) {
        const points = { x: x.subarray(b * c * hw, (b + 1) * c * hw), n: c, d: hw };
        const one = product(points, i, points, j);
        value[(b * c + i) * c + j] = one.value / divisor;
        size[(b * c + i) * c + j] = one.size / divisor;
      }
  return { value, size };
}

const normalizeOf = ({ options }: Given): Normalize => (options["normalize"] as Normalize | undefined) ?? "elements";

export function styleGram(given: Given): Expected {
  const { arrays, shapes, dtype } = given;
  const shape = shapes["features"] as readonly number[];
  const { value, size } = gramsOf(arrays["features"] as Float64Array, shape, normalizeOf(given));
  const { divisor, hw } = planes(shape, normalizeOf(given));
  const c = shape.at(-3) as number;
  const channel = (b: number, i: number): Float64Array =>
    (arrays["features"] as Float64Array).subarray((b * c + i) * hw, (b * c + i + 1) * hw);
  const spoilt = (k: number): boolean => {
    const [b, i, j] = [Math.floor(k / (c * c)), Math.floor(k / c) % c, k % c];
    return hasNaN(channel(b, i)) || hasNaN(channel(b, j));
  };
  return {
    numbers: Array.from(value, (v, i) =>
      spoilt(i)
        ? exactly(NaN)
        : rounded(dtype, inType(given, v, PRACTICAL * (size[i] as number), (size[i] as number) * divisor, hw)),
    ),
  };
}

interface LayerLoss {
  readonly loss: Estimate;
  readonly grad: readonly Estimate[];
}

function styleOf(given: Given, suffix: string, weight: number): LayerLoss {
  const { arrays, shapes, dtype } = given;
  const normalize = normalizeOf(given);
  const x = arrays[`generated${suffix}`] as Float64Array;
  const shape = shapes[`generated${suffix}`] as readonly number[];
  const target = arrays[`target${suffix}`];
  const g = gramsOf(x, shape, normalize);
  const ready = arrays[`target${suffix}.grams`];
  const a = target
    ? gramsOf(target, shapes[`target${suffix}`] as readonly number[], normalize)
    : { value: ready as Float64Array, size: (ready as Float64Array).map(Math.abs) };
  const { n, c, hw, divisor } = planes(shape, normalize);
  const count = n * c * c;
  const u = 2 * PRACTICAL * (dtype.unit + U);
  const difference = g.value.map((v, i) => v - (a.value[i] as number));
  const sizes = g.size.map((v, i) => v + (a.size[i] as number));
  const value = (weight * sum(count, (i) => (difference[i] as number) ** 2)) / count;
  const error =
    (Math.abs(weight) *
      sum(count, (i) => (Math.abs(difference[i] as number) + u * (sizes[i] as number)) * (sizes[i] as number))) /
    count;
  // what is summed must fit: squares, and the products before they are divided
  const largest = Math.max(0, ...sizes.map((v) => Math.max(v * v, v * Math.max(divisor, 1))));
  const fits = largest < dtype.max / 4;
  const spoilt = [x, target, ready].some(hasNaN) && weight !== 0;
  const factor = (4 * weight) / (count * divisor);
  const grad = Array.from(x, (_, k): Estimate => {
    const [b, i, s] = [Math.floor(k / (c * hw)), Math.floor(k / hw) % c, k % hw];
    const at = (j: number): number => (b * c + i) * c + j;
    const other = (j: number): number => x[(b * c + j) * hw + s] as number;
    const slope = factor * sum(c, (j) => (difference[at(j)] as number) * other(j));
    const size = Math.abs(factor) * sum(c, (j) => Math.abs((sizes[at(j)] as number) * other(j)));
    // differences and products below the least number are lost
    const most = Array.from({ length: c }, (_, j) => Math.abs(other(j))).reduce((a, v) => Math.max(a, v), 1);
    const lost = (c + 2) * leastOf(dtype) * (1 + Math.abs(factor) * most);
    return fits && size < dtype.max / 2 ? rounded(dtype, { value: slope, error: 2 * u * size + lost }) : ANYTHING;
  });
  const loss = spoilt && count > 0 ? exactly(NaN) : fits ? { value, error: 2 * u * error + leastOf(dtype) } : ANYTHING;
  return { loss, grad };
}

function perceptualOf({ arrays, dtype }: Given, suffix: string, weight: number): LayerLoss {
  const [x, y] = [arrays[`generated${suffix}`], arrays[`target${suffix}`]] as [Float64Array, Float64Array];
  const value = (weight * sum(x.length, (i) => ((x[i] as number) - (y[i] as number)) ** 2)) / x.length;
  const u = dtype.unit + U;
  const grad = Array.from(x, (v, i): Estimate => {
    const difference = v - (y[i] as number);
    if (Math.abs(difference) > dtype.max / 2) return ANYTHING;
    const slope = (2 * weight * difference) / x.length;
    return rounded(dtype, { value: slope, error: 8 * u * Math.abs(slope) });
  });
  // squares of f32 are summed as they fit
  const largest = x.reduce((most, v, i) => Math.max(most, Math.abs(v - (y[i] as number))), 0);
  if (x.length === 0) return { loss: ANYTHING, grad };
  if (hasNaN(x) || hasNaN(y)) return { loss: exactly(NaN), grad };
  const fits = largest * largest < dtype.max / 4;
  return { loss: fits ? { value, error: 16 * u * Math.abs(value) + leastOf(dtype) } : ANYTHING, grad };
}

const layered =
  (of: typeof styleOf, graded: boolean) =>
  (given: Given): Expected => {
    const list = "generated[0]" in given.arrays;
    const weights = (given.options["layerWeights"] as number[] | undefined) ?? [];
    const layers = (list ? ["[0]", "[1]"] : [""]).map((suffix, i) => of(given, suffix, weights[i] ?? 1));
    const value = {
      value: sum(layers.length, (i) => (layers[i] as LayerLoss).loss.value),
      error: layers.reduce((total, { loss }) => total + loss.error, 0),
    };
    const grads = layers.map(({ grad }): Expected => ({ numbers: grad }));
    return graded ? { fields: { value, grad: list ? { list: grads } : (grads[0] as Expected) } } : value;
  };
export const styleLoss = layered(styleOf, false);
export const styleLossWithGrad = layered(styleOf, true);
export const perceptualLoss = layered(perceptualOf, false);
export const perceptualLossWithGrad = layered(perceptualOf, true);
