/**
 * A search for rows whose KL or JS is further from the truth than promised: random rows of many kinds, and from the worst of each a climb, one small
 * change after another, each kept if it makes the error larger.
 */
import { type ExactDivergence, exactDivergence } from "./exactDivergence.ts";
import { api, type From, PROMISED } from "./oracle.ts";
import { distribution, js, kl, sum } from "./reference.ts";
import type { DType, FloatArray } from "./variants.ts";

export interface Target {
  readonly dtype: DType;
  readonly kind: "kl" | "js";
  readonly from: From | readonly [From, From];
  readonly normalize: boolean;
}

export interface Found {
  /** The error as a multiple of what is promised. */
  readonly ratio: number;
  readonly got: number;
  readonly exact: number;
  readonly p: FloatArray;
  readonly q: FloatArray;
  readonly temperature: number;
}

type Random = () => number;
type Row = { p: FloatArray; q: FloatArray; temperature: number };

/** How small a divergence its relative error is promised for: of f64, where a logarithm is compared with a probability, the second. */
const LEAST = { f32: [1e-13, 1e-13], f64: [1e-20, 1e-18] } as const;

/**
 * What an error may be. Of numbers as they are the terms p·log(p/q) may cancel: then 2⁻⁴⁸ of Σ|p·log(p/q)|; where a logarithm is compared with a probability,
 * 2⁻⁶⁴ of Σp; and where logits, which are made to sum to 1, are compared with numbers as they are, 2⁻⁵⁰ of Σp, by which their sum errs.
 */
export function allowed(target: Target, exact: number, size: number, mass: number): number {
  const { name } = target.dtype;
  const [p, q] = typeof target.from === "string" ? [target.from, target.from] : target.from;
  if (target.normalize || (p === "logits" && q === "logits"))
    return PROMISED[name] * Math.max(exact, LEAST[name][p === q ? 0 : 1]);
  const compared = p === q ? 0 : p === "logits" || q === "logits" ? 2 ** -50 : 2 ** -64;
  return PROMISED[name] * Math.abs(exact) + 2 ** -48 * size + compared * mass;
}

/** The same in f64, forty times as fast, and exact enough for f32: 10⁻⁹ of itself where that is promised at all. */
function nearlyExact({ p, q, temperature }: Row, { from, normalize }: Target): ExactDivergence {
  const [a, b] = [p, q].map((x, i) => {
    const own = typeof from === "string" ? from : (from[i] as From);
    return distribution(x, own, temperature, normalize);
  }) as [Float64Array, Float64Array];
  const forms = [from].flat();
  const mass = sum(a.length, (i) => a[i] as number);
  const size = sum(a.length, (i) =>
    a[i] === 0 ? 0 : Math.abs((a[i] as number) * Math.log((a[i] as number) / (b[i] as number))),
  );
  const change = sum(a.length, (i) => (a[i] === 0 && b[i] === 0 ? 0 : (b[i] as number) - (a[i] as number)));
  const raw = !normalize && !forms.every((f) => f === "logits");
  return { kl: kl(a, b) - (raw ? change : 0), js: js(a, b), size, mass };
}

export function evaluate(target: Target, row: Row, fast = false): Found {
  const { kind, from, normalize } = target;
  const options = { from, normalize, temperature: row.temperature };
  const result = fast ? nearlyExact(row, target) : exactDivergence(row.p, row.q, options);
  const exact = result[kind];
  const call = kind === "kl" ? api.klDivergence : api.jsDivergence;
  const got = (call(row.p, row.q, { ...options, reduction: "none" }) as FloatArray)[0] as number;
  const finite = Number.isFinite(exact) && Math.abs(exact) <= target.dtype.max;
  const error = Math.abs(got - exact);
  // beneath the normal numbers a result has fewer digits
  // a row without a distribution has no divergence
  const ratio = Number.isNaN(exact)
    ? 0
    : finite
      ? error / (allowed(target, exact, result.size, result.mass) + target.dtype.tiny)
      : got === exact || !finite
        ? 0
        : Infinity;
  return { ...row, ratio: Number.isNaN(ratio) ? Infinity : ratio, got, exact };
}

const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

/** A row of one of several kinds. */
export function draw(target: Target, random: Random): Row {
  const { dtype, from } = target;
  const n = 1 + Math.floor(2 ** (random() * (random() < 0.1 ? 9 : 5)));
  const spread = pick(random, [0, 0.1, 1, 3, 10]);
  const apart = 10 ** (random() * (dtype.name === "f32" ? 8 : 12) - (dtype.name === "f32" ? 7 : 11));
  const repeats = pick(random, [1, 1, 2, 4, n]);
  const sums = pick(random, [0, 0, 0, 1e-7, 1e-4, 1, 8]) * normal(random);
  const counts = random() < 0.15;
  const zeros = random() < 0.2 ? 0.2 : 0;
  const top = random() < 0.2 ? 10 * random() : 0;
  // ratios at which a term is ill-conditioned, or the way it is computed changes
  const ratios = random() < 0.3 ? [0.25, 0.5, 0.7, 1.5, 2, 4, 16].map((v) => Math.log(v)) : undefined;
  const a: number[] = [];
  const b: number[] = [];
  for (let i = 0; i < n; i++) {
    const same = i % repeats !== 0;
    const x = same ? (a[i - 1] as number) : spread * normal(random) + (i === 0 ? top : 0);
    a.push(x);
    const d = ratios ? pick(random, ratios) + 1e-3 * normal(random) : apart * normal(random) + sums;
    b.push(same ? (b[i - 1] as number) : x + d);
  }
  a.forEach((_, i) => {
    if (i > 0 && random() < zeros) a[i] = -Infinity;
  });
  const [fromP, fromQ] = typeof from === "string" ? [from, from] : from;
  const form = (logs: number[], f: From) =>
    new dtype.array(
      logs.map((v) => (f === "probabilities" ? (counts ? Math.ceil(20 * Math.exp(v)) : Math.exp(v)) : v)),
    );
  const q = form(b, fromQ as From);
  const p = form(a, fromP as From);
  if (random() < 0.3 && fromP === "probabilities" && target.normalize) normalizeRow(p);
  if (random() < 0.3 && fromQ === "probabilities" && target.normalize) normalizeRow(q);
  const temperature = [from].flat().includes("logits") ? pick(random, [1, 1, 3, 0.3]) : 1;
  return { p, q, temperature };
}

function normalizeRow(row: FloatArray): void {
  const total = sum(row.length, (i) => row[i] as number);
  row.forEach((v: number, i: number) => {
    row[i] = v / total;
  });
}

/** A row a little different. */
export function change(row: Row, target: Target, random: Random): Row {
  const { array, unit } = target.dtype;
  const p = row.p.slice();
  const q = row.q.slice();
  const n = p.length;
  const [x, other] = random() < 0.5 ? [p, q] : [q, p];
  const i = Math.floor(random() * n);
  const k = Math.floor(random() * n);
  const ulps = (v: number, count: number) => v * (1 + 2 * unit * count);
  const step = Math.ceil(random() * 4) * (random() < 0.5 ? -1 : 1);
  switch (Math.floor(random() * 9)) {
    case 0:
    case 1:
    case 2:
      x[i] = ulps(x[i] as number, step);
      break;
    case 3:
      x[i] = (x[i] as number) * Math.exp(normal(random) * 10 ** (-6 * random()));
      break;
    case 4: // all the same way
      x.forEach((v: number, j: number) => {
        if (j % 4 === i % 4) x[j] = ulps(v, step);
      });
      break;
    case 5:
      p[i] = p[k] as number;
      q[i] = q[k] as number;
      break;
    case 6:
      if (new Set([target.from].flat()).size === 1) x[i] = ulps(other[i] as number, step);
      break;
    case 7: {
      const f = random() < 0.5 ? 1 + unit * 2 * step : Math.exp(normal(random) * 10 ** (-5 * random()));
      x.forEach((v: number, j: number) => {
        x[j] = v * f;
      });
      break;
    }
    default: {
      if (n < 2) break;
      const drop = random() < 0.5;
      const resized = (row: FloatArray) => new array(drop ? row.filter((_, j) => j !== i) : [...row, row[k] as number]);
      return { ...row, p: resized(p), q: resized(q) };
    }
  }
  return { ...row, p, q };
}

/** The worst row found before `until` (ms, as of performance.now): half of the climbs begin anew, half at the worst so far. */
export function search(target: Target, random: Random, until: number): Found {
  const fast = target.dtype.name === "f32";
  const top: Found[] = [];
  while (performance.now() < until || top.length === 0) {
    let best = evaluate(
      target,
      top.length > 0 && random() < 0.5 ? change(pick(random, top), target, random) : draw(target, random),
      fast,
    );
    const patience = 40 + 10 * best.p.length;
    for (let stuck = 0; stuck < patience && performance.now() < until; stuck++) {
      const next = evaluate(target, change(best, target, random), fast);
      if (next.ratio > best.ratio) {
        best = next;
        stuck = -1;
      }
    }
    top.push(best);
    top.sort((a, b) => b.ratio - a.ratio).splice(8);
  }
  return top.map((found) => evaluate(target, found)).reduce((a, b) => (a.ratio >= b.ratio ? a : b));
}
