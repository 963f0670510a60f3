/** Kullback–Leibler and Jensen–Shannon divergences, as sums of terms of one sign, and their gradients. */
import { sum } from "../reference.ts";
import { type DType, f64 } from "../variants.ts";
import { ANYTHING, type Estimate, type Expected, exactly, type Given, leastOf, refused } from "./near.ts";
import {
  type Distribution,
  distributionOf,
  type From,
  factorOf,
  reduced,
  rounded,
  rowsAlong,
  scatter,
  U,
} from "./rows.ts";

type Metric = "kl" | "js" | "jsDistance";

/** The relative error that is promised, and how small the divergence may be. */
const PROMISED = { f32: { relative: 1e-6, floor: 1e-13 }, f64: { relative: 1e-10, floor: 1e-20 } } as const;

/** e^t − 1 − t ≥ 0. */
function excess(t: number): number {
  if (Math.abs(t) > 0.05) return Math.expm1(t) - t;
  let series = 0;
  for (let k = 10; k >= 2; k--) series = ((series + 1) * t) / k;
  return series * t;
}

/** (1 + v)·log(1 + v) + (1 − v)·log(1 − v), 0 ≤ v ≤ 1. */
function psi(v: number): number {
  if (v >= 1) return 2 * Math.LN2;
  if (v > 0.1) return (1 + v) * Math.log1p(v) + (1 - v) * Math.log1p(-v);
  let series = 0;
  for (let k = 12; k >= 1; k--) series = series * v * v + 1 / (k * (2 * k - 1));
  return series * v * v;
}

interface Pair {
  readonly p: Distribution;
  readonly q: Distribution;
  /** Both are of sum 1. */
  readonly normal: boolean;
}

/** log(q/p) of element i, p > 0: by their quotient, or their difference over p where they are near. */
function logQuotient({ p, q }: Pair, i: number): number {
  const [a, b] = [p.p[i], q.p[i]] as [number, number];
  if (a > 1e-290 && b > a / 2 && b < 2 * a) return Math.log1p((b - a) / a);
  // where both are small their logarithms cancel
  return a > 1e-290 && b > 1e-290 ? Math.log(b / a) : (q.log[i] as number) - (p.log[i] as number);
}

/** The divergence of two rows in nats. */
export function divergenceOf(metric: "kl" | "js", pair: Pair, dtype: DType): Estimate {
  const { p, q, normal } = pair;
  if (p.bad || q.bad) return exactly(NaN);
  const n = p.p.length;
  if (n === 0 || [...p.p, ...q.p].includes(Infinity)) return ANYTHING;
  // of an outcome of P that is too rare for f64, or in f32 below e^-680 of the likeliest, and that Q has not, +∞ is right and so is what is
  // left without it
  const least = dtype.name === "f32" ? 1e-290 : Number.MIN_VALUE;
  const rare = p.p.some((a, i) => a < least && (p.log[i] as number) > -Infinity && q.log[i] === -Infinity);
  if (metric === "kl" && rare) return ANYTHING;
  const { relative, floor } = PROMISED[dtype.name];
  const noise = U * (16 + 4 * Math.max(p.span, q.span));
  if (metric === "kl" && !normal) {
    const term = (i: number): number => (p.p[i] === 0 ? 0 : -(p.p[i] as number) * logQuotient(pair, i));
    const value = sum(n, term);
    const size = sum(n, (i) => Math.abs(term(i)));
    const mass = sum(n, (i) => p.p[i] as number);
    return { value, error: value === Infinity ? 0 : (relative + noise) * size + noise * mass + leastOf(dtype) };
  }
  const value = sum(n, (i) => {
    const [a, b] = [p.p[i], q.p[i]] as [number, number];
    if (metric === "js") return a + b === 0 ? 0 : ((a + b) * psi(Math.abs(a - b) / (a + b))) / 4;
    if (a === 0) return b;
    const t = logQuotient(pair, i);
    // a subnormal a has few digits, which e^t would multiply
    if (a < 2 ** -1022) return b - a - a * t;
    return t > 700 ? b : a * excess(t);
  });
  if (value === Infinity) return exactly(value);
  // the differences of f64 distributions round: by `noise` of themselves, the square roots of the terms
  const scale = normal ? 1 : sum(n, (i) => (p.p[i] as number) + (q.p[i] as number));
  const error = relative * Math.max(value, floor) + noise * Math.sqrt(value * scale) + noise * noise * scale;
  // within its bound of the largest number it may be infinite
  return value + error === Infinity ? ANYTHING : { value, error: error + leastOf(dtype) };
}

/** √v of an estimate. */
const rooted = ({ value, error }: Estimate): Estimate => ({
  value: Math.sqrt(value),
  error: Math.sqrt(value + error) - Math.sqrt(Math.max(0, value - error)) || 0,
});
const times = ({ value, error }: Estimate, by: number): Estimate => ({
  value: value * by,
  error: Math.abs(error * by) + 4 * U * Math.abs(value * by || 0),
});

/** In the base's unit, the root taken where it is a distance. */
const inUnits = (one: Estimate, metric: Metric, factor: number): Estimate => {
  if (metric !== "jsDistance") return times(one, factor);
  // below base 1 there is no root of a divergence that is not positive
  return factor < 0 ? ANYTHING : rooted(times(one, factor));
};

const fromsOf = ({ options }: Given): readonly [From, From] => {
  const from = (options["from"] as From | readonly [From, From] | undefined) ?? "probabilities";
  return typeof from === "string" ? [from, from] : from;
};

export function pairOf(given: Given, p: Float64Array, q: Float64Array): Pair {
  const { options } = given;
  const [fromP, fromQ] = fromsOf(given);
  const normalize = (options["normalize"] as boolean | undefined) ?? true;
  const temperature = options["temperature"] as number | undefined;
  return {
    p: distributionOf(p, fromP, normalize, temperature),
    q: distributionOf(q, fromQ, normalize, temperature),
    normal: normalize || (fromP === "logits" && fromQ === "logits"),
  };
}

const rowwise =
  (metric: Metric) =>
  (given: Given): Expected => {
    const rows = rowsAlong(given, "p");
    const { arrays, dtype } = given;
    const factor = factorOf(given);
    const values = Array.from({ length: rows.rows }, (_, r) => {
      const pair = pairOf(given, rows.row(arrays["p"] as Float64Array, r), rows.row(arrays["q"] as Float64Array, r));
      return inUnits(divergenceOf(metric === "kl" ? "kl" : "js", pair, dtype), metric, factor);
    });
    return reduced(given, values, rows.rows);
  };
export const klDivergence = rowwise("kl");
export const jsDivergence = rowwise("js");
export const jsDistance = rowwise("jsDistance");

/** The gradients of a row by both of its arguments, as they were given. */
function gradientsOf(metric: "kl" | "js", given: Given, pair: Pair): { p: Estimate[]; q: Estimate[] } {
  const { p, q } = pair;
  const { dtype, options } = given;
  const n = p.p.length;
  const nothing = Array.from({ length: n }, () => ANYTHING);
  const own = divergenceOf(metric, pair, dtype);
  const { value } = own;
  if (p.bad || q.bad) return { p: nothing.map(() => exactly(NaN)), q: nothing.map(() => exactly(NaN)) };
  if (own === ANYTHING || !Number.isFinite(value) || [...p.p, ...q.p].includes(Infinity))
    return { p: nothing, q: nothing };
  const [fromP, fromQ] = fromsOf(given);
  const normalize = (options["normalize"] as boolean | undefined) ?? true;
  const temperature = (options["temperature"] as number | undefined) ?? 1;
  // by the probabilities themselves
  const slope = (by: "p" | "q", i: number): { value: number; size: number } => {
    const [a, b] = (by === "p" ? [p, q] : [q, p]).map((d) => d.p[i]) as [number, number];
    const t = logQuotient(pair, i);
    if (metric === "js") {
      // a quotient below the normal numbers has few digits
      const log = a / (a + b) > 1e-290 ? Math.log((2 * a) / (a + b)) : Math.LN2 + Math.log(a) - Math.log(a + b);
      return { value: log / 2, size: 1 + Math.abs(log) };
    }
    return by === "p" ? { value: 1 - t, size: 1 + Math.abs(t) } : { value: -(b / a), size: 1 + b / a };
  };
  const through = (by: "p" | "q", from: From): Estimate[] => {
    const d = by === "p" ? p : q;
    const slopes = Array.from({ length: n }, (_, i) => (d.p[i] === 0 ? { value: 0, size: 0 } : slope(by, i)));
    const softmaxed = from === "logits" || (from === "logProbabilities" && normalize);
    // q·∂/∂q of KL is −p, at q = 0 too
    const moved = (i: number): number =>
      metric === "kl" && by === "q" ? -(p.p[i] as number) : (d.p[i] as number) * (slopes[i] as { value: number }).value;
    const mean = sum(n, moved);
    const spread = sum(n, (i) => (d.p[i] as number) * (slopes[i] as { size: number }).size);
    // beside log-probabilities what counts are divided by is a logarithm too
    const sums = fromP === fromQ ? [] : [p, q].map(({ total }) => Math.abs(Math.log(total)) || 0);
    const shift = Math.max(p.span, q.span, ...sums);
    return slopes.map(({ value: s, size }, i): Estimate => {
      const w = d.p[i] as number;
      if (p.p[i] === 0 || q.p[i] === 0) return ANYTHING;
      const of = softmaxed
        ? { value: (moved(i) - w * mean) / temperature, size: (w * (size + spread)) / temperature }
        : from === "logProbabilities"
          ? { value: w * s, size: w * size }
          : normalize
            ? { value: (s - mean) / d.total, size: (size + spread) / d.total }
            : { value: s, size };
      // this reference does not know a sum that overflows
      if (!Number.isFinite(of.value) || !Number.isFinite(of.size) || d.total === Infinity) return ANYTHING;
      // nor the difference of logarithms near the largest number
      if (!(size + spread < Number.MAX_VALUE / 16)) return ANYTHING;
      // of subnormal probabilities little is promised, whatever sum they are of on the way
      const other = (by === "p" ? q : p).p[i] as number;
      const lost =
        w < 4 * (softmaxed ? dtype.tiny : f64.tiny) ? of.size : metric === "js" && other < f64.tiny ? other : 0;
      return { value: of.value, error: (32 + 2 * shift) * (dtype.unit + U) * (Math.abs(of.value) + of.size) + lost };
    });
  };
  return { p: through("p", fromP), q: through("q", fromQ) };
}

const withGrad =
  (metric: "kl" | "js") =>
  (given: Given): Expected => {
    const rows = rowsAlong(given, "p");
    const { arrays, dtype, options } = given;
    const [p, q] = [arrays["p"], arrays["q"]] as [Float64Array, Float64Array];
    const by = factorOf(given) / ((options["reduction"] ?? "mean") === "mean" ? rows.rows : 1);
    const grads = Array.from({ length: rows.rows }, (_, r) =>
      gradientsOf(metric, given, pairOf(given, rows.row(p, r), rows.row(q, r))),
    );
    const grad = (name: "p" | "q"): Expected => ({
      numbers: scatter(p.length, rows, (r) =>
        (grads[r] as (typeof grads)[number])[name].map((one) => rounded(dtype, times(one, by))),
      ),
    });
    const wrt = (options["wrt"] as "p" | "q" | "both" | undefined) ?? "both";
    return {
      fields: {
        value: rowwise(metric)(given),
        ...(wrt !== "q" && { gradP: grad("p") }),
        ...(wrt !== "p" && { gradQ: grad("q") }),
      },
    };
  };
export const klDivergenceWithGrad = withGrad("kl");
export const jsDivergenceWithGrad = withGrad("js");

export function pairwiseDivergence(given: Given): Expected {
  const { arrays, shapes, dtype, options } = given;
  const [n, d] = shapes["P"] as [number, number];
  const P = arrays["P"] as Float64Array;
  const Q = arrays["Q"] ?? P;
  const m = arrays["Q"] ? (shapes["Q"]?.[0] as number) : n;
  const metric = options["metric"] as Metric;
  const row = (array: Float64Array, i: number): Float64Array => array.subarray(i * d, (i + 1) * d);
  const numbers = Array.from({ length: n * m }, (_, k): Estimate => {
    const pair = pairOf(given, row(P, Math.floor(k / m)), row(Q, k % m));
    const one = divergenceOf(metric === "kl" ? "kl" : "js", pair, dtype);
    return rounded(dtype, inUnits(one, metric, factorOf(given)));
  });
  return { numbers };
}

// ------------------------------------------------------------------------------------------------- Gaussians

/** L, lower triangular, with L·Lᵀ = Σ; nothing if Σ is not positive definite, or hardly so. */
function cholesky(s: Float64Array, d: number): { l: Float64Array; condition: number } | undefined {
  const l = new Float64Array(d * d);
  let [low, high] = [Infinity, 0];
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      const rest = (s[i * d + j] as number) - sum(j, (k) => (l[i * d + k] as number) * (l[j * d + k] as number));
      if (i === j && !(rest > 0 && rest < Infinity)) return undefined;
      l[i * d + j] = i === j ? Math.sqrt(rest) : rest / (l[j * d + j] as number);
      if (i === j) [low, high] = [Math.min(low, rest), Math.max(high, s[i * d + i] as number)];
    }
  return { l, condition: high / low };
}

/** L⁻¹·v. */
function solved(l: Float64Array, v: Float64Array): Float64Array {
  const y = v.slice();
  for (let i = 0; i < y.length; i++)
    y[i] =
      ((y[i] as number) - sum(i, (k) => (l[i * y.length + k] as number) * (y[k] as number))) /
      (l[i * y.length + i] as number);
  return y;
}

export function klGaussian({ arrays }: Given): Expected {
  const [mean, other] = [arrays["a.mean"], arrays["b.mean"]] as [Float64Array, Float64Array];
  const d = mean.length;
  const factorOf = (name: string): ReturnType<typeof cholesky> => {
    const variance = arrays[`${name}.variance`];
    const s = arrays[`${name}.covariance`] ?? new Float64Array(d * d);
    variance?.forEach((v, i) => {
      s[i * d + i] = v;
    });
    const lopsided = s.some((v, k) => {
      const [i, j] = [Math.floor(k / d), k % d];
      const size = Math.sqrt(Math.abs((s[i * d + i] as number) * (s[j * d + j] as number)));
      return Math.abs(v - (s[j * d + i] as number)) > 1e-5 * size;
    });
    return lopsided ? undefined : cholesky(s, d);
  };
  const [a, b] = [factorOf("a"), factorOf("b")];
  if (!a || !b) return refused();
  if (a.condition * b.condition > 1e12) return refused(ANYTHING);
  const column = (j: number): Float64Array => Float64Array.from({ length: d }, (_, i) => a.l[i * d + j] as number);
  const trace = sum(d, (j) => solved(b.l, column(j)).reduce((total, v) => total + v * v, 0));
  const logs = 2 * sum(d, (i) => Math.log((a.l[i * d + i] as number) / (b.l[i * d + i] as number)));
  const shift = solved(
    b.l,
    other.map((v, i) => v - (mean[i] as number)),
  ).reduce((total, v) => total + v * v, 0);
  const value = (trace - d - logs + shift) / 2;
  const size = trace + d + Math.abs(logs) + shift;
  if (!Number.isFinite(size)) return mean.some(Number.isNaN) || other.some(Number.isNaN) ? exactly(NaN) : ANYTHING;
  return { value, error: 64 * (d + 1) * U * size * a.condition * b.condition };
}
