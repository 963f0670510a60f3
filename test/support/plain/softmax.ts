/** The softmax family, surprisal and entropy, as they are written down; errors as docs/accuracy.md promises. */
import { sum } from "../reference.ts";
import { f64 } from "../variants.ts";
import {
  ANYTHING,
  type Condition,
  type Estimate,
  type Expected,
  exactly,
  type Given,
  leastOf,
  refused,
} from "./near.ts";
import { distributionOf, type From, factorOf, ofLogits, reduced, rowsAlong, scatter, shifted, U } from "./rows.ts";

const isPowerOf2 = (v: number): boolean => Number.isInteger(Math.log2(v));

/** A row of nothing but −∞ where `allMasked` is "zero". */
const zeroed = (row: Float64Array, { options }: Given): boolean =>
  options["allMasked"] === "zero" && row.length > 0 && row.every((v) => v === -Infinity);

export function softmax(given: Given): Expected {
  const { dtype, arrays, options } = given;
  const x = arrays["x"] as Float64Array;
  const rows = rowsAlong(given, "x");
  const temperature = (options["temperature"] as number | undefined) ?? 1;
  const least = leastOf(dtype);
  return {
    numbers: scatter(x.length, rows, (r) => {
      const row = rows.row(x, r);
      if (zeroed(row, given)) return Array.from(row, () => exactly(0));
      const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
      return Array.from(ofLogits(row, temperature).p, (value, i): Estimate => {
        // 5 u; where T is no power of two z/T rounds, as it does here in f64
        const z = Math.abs(shifted(row[i] as number, top, temperature)) || 0;
        const own = (4 + 2 * z) * U;
        const relative = (5.01 + (isPowerOf2(temperature) ? 0 : z)) * dtype.unit + own;
        return { value, error: value === 0 ? 6 * least : relative * value + 6 * least };
      });
    }),
  };
}

export function logSoftmax(given: Given): Expected {
  const { dtype, arrays, options } = given;
  const x = arrays["x"] as Float64Array;
  const rows = rowsAlong(given, "x");
  return {
    numbers: scatter(x.length, rows, (r) => {
      const row = rows.row(x, r);
      if (zeroed(row, given)) return Array.from(row, () => exactly(-Infinity));
      const { log, lead } = ofLogits(row, options["temperature"] as number | undefined);
      // 2 ULP, and of a confident maximum 7 u and its lead
      return Array.from(log, (value): Estimate => {
        const error = ((8 + lead) * dtype.unit + (4 + lead) * U) * Math.abs(value) + 2 * leastOf(dtype);
        return { value, error };
      });
    }),
  };
}

/** log Σ e^x of numbers, and the largest. */
function logSumExpOf(row: Float64Array): { value: number; top: number } {
  const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
  if (row.some(Number.isNaN)) return { value: NaN, top };
  if (Math.abs(top) === Infinity) return { value: top, top };
  const first = row.indexOf(top);
  return {
    value: top + Math.log1p(sum(row.length, (i) => (i === first ? 0 : Math.exp((row[i] as number) - top)))),
    top,
  };
}

/** log Σ w·e^x: as a sum of e^(x + log |w|), those of a sign each. */
function weightedOf(row: Float64Array, w: Float64Array, unit: number): Estimate | Condition {
  const used = [...row.keys()].filter((i) => w[i] !== 0);
  const [x, b] = [row, w].map((a) => used.map((i) => a[i] as number)) as [number[], number[]];
  if ([...x, ...b].some(Number.isNaN)) return exactly(NaN);
  // what an infinite weight makes of a sum is not promised
  if (b.some((v) => Math.abs(v) === Infinity)) return { meets: () => "" };
  const signs = new Set(b.filter((_, i) => x[i] === Infinity).map(Math.sign));
  if (signs.size) return exactly(signs.size === 1 && signs.has(1) ? Infinity : NaN);
  const t = x.map((v, i) => v + Math.log(Math.abs(b[i] as number)));
  const top = t.reduce((a, c) => Math.max(a, c), -Infinity);
  if (top === -Infinity) return exactly(-Infinity);
  const terms = t.map((v, i) => Math.sign(b[i] as number) * Math.exp(v - top));
  const total = sum(terms.length, (i) => terms[i] as number);
  const size = sum(terms.length, (i) => Math.abs(terms[i] as number));
  const largest = x.reduce((a, c) => Math.max(a, c), -Infinity);
  // each term errs by some roundings of its exponent's, and the sum by one a term
  const noise =
    4 *
    U *
    (terms.length + 8 + Math.max(Math.abs(top), Math.abs(largest), ...b.map((v) => Math.abs(Math.log(Math.abs(v)))))) *
    size;
  // of one value alone the weights cancel exactly or not at all
  if (total === 0 && new Set(x).size === 1) return exactly(-Infinity);
  if (Math.abs(total) > noise) {
    const value = total < 0 ? NaN : top + Math.log(total);
    const error = 2.02 * unit * Math.max(Math.abs(value), Math.abs(largest)) + noise / Math.abs(total) + 4 * U;
    return { value, error: Number.isNaN(value) ? 0 : error };
  }
  // what is left is within the noise: nothing, less than nothing, or no more than that, in the type
  const most = top + Math.log(2 * noise) + 2 * unit * Math.abs(top);
  return {
    meets: (got) => (Number.isNaN(got) || (got as number) <= most ? "" : `is ${got}, though the weights cancel`),
  };
}

export function logSumExp(given: Given): Expected {
  const { dtype, arrays, shapes } = given;
  const rows = rowsAlong(given, "x");
  const w = arrays["weights"];
  const shared = w?.length === rows.n && shapes["weights"]?.length === 1;
  return {
    numbers: Array.from({ length: rows.rows }, (_, r) => {
      const row = rows.row(arrays["x"] as Float64Array, r);
      if (w) return weightedOf(row, shared ? w : rows.row(w, r), dtype.unit);
      const { value, top } = logSumExpOf(row);
      // 1 ULP of the larger of the two; in f64 the sum of this one rounds as well
      const size = Math.max(Math.abs(value), Math.abs(top));
      const error = 2.02 * dtype.unit * size + 4 * U * Math.abs(value - top) + leastOf(dtype);
      return { value, error: Number.isFinite(size) ? error : 0 };
    }),
  };
}

/** Element by element, within so many u. */
const elementwise =
  (name: string, f: (x: number) => number, units: number) =>
  ({ dtype, arrays }: Given): Expected => ({
    numbers: Array.from(arrays[name] as Float64Array, (x) => {
      const value = f(x);
      return { value, error: (units * dtype.unit + 8 * U) * Math.abs(value) + 3 * leastOf(dtype) };
    }),
  });

/** log(1 + e^x). */
export const softplusOf = (x: number): number => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));
export const sigmoidOf = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));

/** log(p/(1 − p)): 1 − 2p is exact near ½, and 1 − p above it. */
function logitOf(p: number): number {
  if (p > 0.25 && p < 0.75) return -Math.log1p((1 - 2 * p) / p);
  return Math.log(p) - Math.log1p(-p);
}

// 3 ULP, of which one may be 2 u
export const sigmoid = elementwise("x", sigmoidOf, 6.1);
export const logSigmoid = elementwise("x", (x) => -softplusOf(-x), 6.1);
export const softplus = elementwise("x", softplusOf, 6.1);
export const logit = elementwise("p", logitOf, 6.1);
export const surprisal = (given: Given): Expected =>
  elementwise("p", (p) => (p === 1 ? 0 : -Math.log(p) * factorOf(given)), 6.1)(given);

/** A row that is no distribution is NaN throughout, of rank 0 and without a best. */
export function tokenScores(given: Given): Expected {
  const { arrays, shapes, options } = given;
  const x = arrays["logits"] as Float64Array;
  const ids = arrays["ids"] as Float64Array;
  const rows = rowsAlong(given, "logits");
  const top = (options["top"] as number | undefined) ?? 0;
  if (rows.rows > 0 && (rows.n === 0 || top > rows.n)) return refused(ANYTHING);
  if (ids.some((id) => !(id >= 0 && id < rows.n))) return refused();
  const { axis } = options;
  const logits = {
    ...given,
    arrays: { x, p: x },
    shapes: { x: shapes["logits"] as number[], p: shapes["logits"] as number[] },
  };
  const logs = (logSoftmax({ ...logits, options: { axis } }) as { numbers: readonly Estimate[] }).numbers;
  const all = Array.from({ length: rows.rows }, (_, r) => {
    const row = rows.row(x, r);
    const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const none = row.some(Number.isNaN) || !Number.isFinite(most);
    const order = Array.from(row.keys()).sort((a, b) => (row[b] as number) - (row[a] as number) || a - b);
    const id = ids[r] as number;
    return {
      logProb: logs[rows.at(r, id)] as Estimate,
      rank: none ? 0 : 1 + row.filter((v) => v > (row[id] as number)).length,
      indices: Array.from({ length: top }, (_, i) => (none ? -1 : (order[i] as number))),
      best: Array.from({ length: top }, (_, i) =>
        none ? exactly(NaN) : (logs[rows.at(r, order[i] as number)] as Estimate),
      ),
    };
  });
  const integers = (want: readonly number[]): Condition => ({
    meets: (got) =>
      got instanceof Int32Array && got.length === want.length && want.every((v, i) => got[i] === v)
        ? ""
        : `is ${String(got)}, wanted ${want.join()}`,
  });
  return {
    fields: {
      logProb: { numbers: all.map(({ logProb }) => logProb) },
      rank: integers(all.map(({ rank }) => rank)),
      entropy: entropy({ ...logits, options: { axis, from: "logits", reduction: "none" } }),
      ...(top > 0 && {
        top: {
          fields: {
            indices: integers(all.flatMap(({ indices }) => indices)),
            logProbs: { numbers: all.flatMap(({ best }) => best) },
          },
        },
      }),
    },
  };
}

/** The intervals in plain f64, which the package's are not inside of, nor beyond by more than rounding. */
export function entropyBounds(given: Given): Expected {
  const { dtype, arrays, options } = given;
  const rows = rowsAlong(given, "topLogProbs");
  const size = options["size"] as number;
  const factor = factorOf(given);
  let fault = false;
  const all = Array.from({ length: rows.rows }, (_, r): readonly [Estimate, Estimate] => {
    const logs = rows.row(arrays["topLogProbs"] as Float64Array, r);
    if (logs.some(Number.isNaN)) return [exactly(NaN), exactly(NaN)];
    const p = logs.map(Math.exp);
    const mass = sum(p.length, (i) => p[i] as number);
    const cap = p.reduce((a, b) => Math.min(a, b), 1);
    const others = size - p.length;
    const rest = Math.max(0, 1 - mass);
    if (mass > 1 + 1e-5 || rest > others * cap + 1e-5) fault = true;
    const known = sum(p.length, (i) => (p[i] ? -(p[i] as number) * (logs[i] as number) : 0));
    const full = cap > 0 ? Math.min(others, Math.floor(rest / cap)) : 0;
    const last = Math.max(0, rest - full * cap);
    const most = rest > 0 && others > 0 ? rest * Math.log(others / rest) : 0;
    const least = Math.min(
      most,
      full === others ? most : (full ? -full * cap * Math.log(cap) : 0) + (last ? -last * Math.log(last) : 0),
    );
    // a probability beyond 1 by rounding counts as 1
    const ends = [Math.max(0, known + least) * factor, Math.max(0, known + most) * factor].sort((a, b) => a - b) as [
      number,
      number,
    ];
    const error = (v: number) => 1e-11 * (1 + p.length) * Math.abs(factor) + 4 * dtype.unit * Math.abs(v);
    return [
      { value: ends[0], error: error(ends[0]) },
      { value: ends[1], error: error(ends[1]) },
    ];
  });
  if (fault) return refused(ANYTHING);
  return { fields: { lower: { numbers: all.map(([v]) => v) }, upper: { numbers: all.map(([, v]) => v) } } };
}

/**
 * Intervals that hold the divergence of the completions that share what is left alike; that they are the tightest is told by
 * test/api/topDivergence.test.ts.
 */
export function divergenceBounds(given: Given): Expected {
  const { dtype, arrays, options } = given;
  const rows = { p: rowsAlong(given, "p.logProbs"), q: rowsAlong(given, "q.logProbs") };
  const size = options["size"] as number;
  const factor = factorOf(given);
  let fault = false;
  const sideOf = (name: "p" | "q", r: number) => {
    const logs = rows[name].row(arrays[`${name}.logProbs`] as Float64Array, r);
    const indices = Array.from(rows[name].row(arrays[`${name}.indices`] as Float64Array, r));
    if (new Set(indices).size < indices.length || indices.some((i) => !(i >= 0 && i < size))) fault = true;
    const unknown = logs.some(Number.isNaN);
    const known = logs.map(Math.exp);
    const mass = sum(known.length, (i) => known[i] as number);
    const cap = known.reduce((a, b) => Math.min(a, b), 1);
    const others = size - known.length;
    const rest = Math.max(0, 1 - mass);
    if (!unknown && (mass > 1 + 1e-5 || rest > others * cap + 1e-5)) fault = true;
    const share = others > 0 ? Math.min(cap, rest / others) : 0;
    const at = (outcome: number): number => known[indices.indexOf(outcome)] ?? share;
    // logarithms whose probabilities underflow, and what is left for rounding
    const vague = logs.some((l) => l < -300) || (rest > 0 && rest < 1e-12);
    return { indices, unknown, vague, share, at };
  };
  const term = (a: number, b: number): number => {
    if (options["metric"] !== "js") return a === 0 ? 0 : a * Math.log(a / b);
    return ((a && a * Math.log((2 * a) / (a + b))) + (b && b * Math.log((2 * b) / (a + b)))) / 2;
  };
  const all = Array.from({ length: rows.p.rows }, (_, r): readonly [Estimate | Condition, Estimate | Condition] => {
    const [p, q] = [sideOf("p", r), sideOf("q", r)];
    if (p.unknown || q.unknown) return [exactly(NaN), exactly(NaN)];
    if (p.vague || q.vague) return [ANYTHING, ANYTHING];
    const listed = Array.from(new Set([...p.indices, ...q.indices]));
    const others = size - listed.length;
    const value =
      factor *
      Math.max(
        0,
        sum(listed.length, (i) => term(p.at(listed[i] as number), q.at(listed[i] as number))) +
          (others && others * term(p.share, q.share)),
      );
    // a sum that exceeds 1 by rounding is one with nothing left
    const slack = 3e-5 * Math.abs(factor) + (Number.isFinite(value) ? 4 * dtype.unit * Math.abs(value) : 0);
    return [
      { meets: (got) => ((got as number) <= value + slack ? "" : `is ${String(got)}, more than ${value}`) },
      { meets: (got) => ((got as number) >= value - slack ? "" : `is ${String(got)}, less than ${value}`) },
    ];
  });
  if (fault) return refused();
  return { fields: { lower: { numbers: all.map(([v]) => v) }, upper: { numbers: all.map(([, v]) => v) } } };
}

export function entropy(given: Given): Expected {
  const { dtype, arrays, options } = given;
  const { unit } = dtype;
  const rows = rowsAlong(given, "p");
  const from = (options["from"] as From | undefined) ?? "probabilities";
  const normalize = (options["normalize"] as boolean | undefined) ?? true;
  const factor = factorOf(given);
  const entropies = Array.from({ length: rows.rows }, (_, r): Estimate => {
    const { p, log, bad, lead } = distributionOf(rows.row(arrays["p"] as Float64Array, r), from, normalize);
    if (bad) return exactly(NaN);
    const term = (i: number): number => (p[i] === 0 ? 0 : (p[i] as number) * (log[i] as number));
    const value = -sum(p.length, term) * factor;
    if (from === "logits" || normalize) {
      // Σ p(a − z) + log S, all of one sign, and the lead of the largest: exponents round
      // of a subnormal p this reference knows but a digit itself, which −log p ≤ 746 multiplies
      const own = 2 * 746 * leastOf(f64);
      // and so does the kernel of a subnormal quotient of probabilities, in the type
      const lost = (1 + (from === "probabilities" ? 2 * 746 * p.length : 0)) * leastOf(dtype);
      return { value, error: (64 + 4 * lead) * (unit + U) * Math.abs(value) + lost + own };
    }
    // an e^z beyond the type is infinite
    if (p.some((v) => v > dtype.max)) return ANYTHING;
    const size = sum(p.length, (i) => Math.abs(term(i)) + (from === "logProbabilities" ? (p[i] as number) : 0));
    // a subnormal probability has few digits in the type, and −log p ≤ 746 multiplies what is lost
    const lost = p.some((v) => v > 0 && v < dtype.tiny) ? 746 * p.length : 0;
    return { value, error: 16 * (unit + U) * size * Math.abs(factor) + (1 + lost * Math.abs(factor)) * leastOf(dtype) };
  });
  return reduced(given, entropies, rows.rows);
}
