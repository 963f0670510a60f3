/**
 * Optimal transport: on the line by quantiles; the plans of `emd` and `sinkhorn` by the conditions of optimality, which no
 * other plan meets; the Sinkhorn divergence by iterations as they are written down.
 */
import { sum } from "../reference.ts";
import type { FloatArray } from "../variants.ts";
import {
  ANYTHING,
  arrayOf,
  type Condition,
  type Estimate,
  type Expected,
  exactly,
  type Given,
  leastOf,
  refused,
} from "./near.ts";
import { reduced, rounded, U } from "./rows.ts";

const total = (values: ArrayLike<number>): number => sum(values.length, (i) => values[i] as number);
const largestOf = (values: Iterable<number>): number => [...values].reduce((a, b) => Math.max(a, Math.abs(b)), 0);

// -------------------------------------------------------------------------------------------------- the line

interface Samples {
  readonly at: ArrayLike<number>;
  /** Of any sum. */
  readonly mass: ArrayLike<number>;
}

/** Whether masses are whole numbers, which are shared out exactly. */
const whole = ({ mass }: Samples): boolean => Array.from(mass).every((m) => Number.isInteger(m) && m < 1e6);

/** A place on the line and its mass. */
interface Piece {
  readonly x: number;
  m: number;
}

/** (∫ |F⁻¹ − G⁻¹|ᵖ)^(1/p): walks along both in order, a piece of mass at a time. */
function distanceOf(u: Samples, v: Samples, order: number): Estimate {
  const sorted = ({ at, mass }: Samples, by: number): Piece[] =>
    Array.from(at, (x, i) => ({ x, m: (mass[i] as number) * by }))
      .filter(({ m }) => m > 0)
      .sort((a, b) => (a.x < b.x ? -1 : a.x > b.x ? 1 : 0));
  const [su, sv] = [total(u.mass), total(v.mass)];
  // to one total; whole numbers by whole numbers
  const [a, b] = [sorted(u, whole(u) && whole(v) ? sv : 1 / su), sorted(v, whole(u) && whole(v) ? su : 1 / sv)];
  const pieces: { d: number; m: number }[] = [];
  for (let [i, j] = [0, 0]; i < a.length || j < b.length; ) {
    // of what rounding has left unmatched the last sample of the other side is the counterpart
    const [p, q] = [a[Math.min(i, a.length - 1)], b[Math.min(j, b.length - 1)]] as [Piece, Piece];
    const m = i === a.length ? q.m : j === b.length ? p.m : Math.min(p.m, q.m);
    // the same infinity meets itself at no cost
    pieces.push({ d: p.x === q.x ? 0 : Math.abs(p.x / 2 - q.x / 2), m });
    p.m -= m;
    q.m -= m;
    const [usedP, usedQ] = [!(p.m > 0), !(q.m > 0)];
    const [endOfP, endOfQ] = [usedP && i === a.length - 1, usedQ && j === b.length - 1];
    if (i < a.length && (usedP || endOfQ)) i++;
    if (j < b.length && (usedQ || endOfP)) j++;
  }
  const unit = largestOf(pieces.map(({ d }) => d));
  if (unit === 0) {
    // all is where it should be, but for masses that are lost beside the others here
    const places = [...Array.from(u.at), ...Array.from(v.at)];
    const extent =
      places.reduce((x, y) => Math.max(x, y), -Infinity) - places.reduce((x, y) => Math.min(x, y), Infinity);
    const lost = 32 * (places.length + 1) * U;
    return { value: 0, error: extent > 0 ? extent * (order === Infinity ? 1 : lost ** (1 / order)) : 0 };
  }
  if (unit === Infinity) return { value: unit, error: 0 };
  if (order === Infinity) return whole(u) && whole(v) ? { value: 2 * unit, error: 8 * U * unit } : ANYTHING;
  const mass = total(pieces.map(({ m }) => m));
  const mean = total(pieces.map(({ d, m }) => (m / mass) * (d / unit) ** order));
  // masses round, and what they are rounded by moves as far as any: within the whole range of samples
  const range = largestOf(pieces.flatMap(({ d }) => [d / unit]));
  const spare = 32 * (a.length + b.length + 1) * U * range;
  const value = 2 * unit * mean ** (1 / order);
  return { value, error: 2 * unit * ((mean + spare) ** (1 / order) - mean ** (1 / order)) + 1e-13 * value };
}

export function wasserstein({ arrays, options }: Given): Expected {
  const [u, v] = [arrays["u"], arrays["v"]] as [Float64Array, Float64Array];
  if (u.length === 0 || v.length === 0) return refused();
  const side = (name: "u" | "v"): Samples => {
    const at = arrays[name] as Float64Array;
    return { at, mass: arrays[`${name}Weights`] ?? new Float64Array(at.length).fill(1) };
  };
  // masses whose sum would overflow are taken smaller
  const lowered = ({ at, mass }: Samples): Samples =>
    total(mass) === Infinity ? { at, mass: Float64Array.from(mass, (m) => m * 2 ** -64) } : { at, mass };
  const sides = [side("u"), side("v")] as const;
  const masses = sides.map(({ mass }) => Array.from(mass));
  if (masses.some((mass) => mass.some((m) => m < 0 || m === Infinity))) return refused();
  if (masses.some((mass) => total(mass.filter((m) => !Number.isNaN(m))) === 0 && !mass.some(Number.isNaN)))
    return refused();
  if ([...u, ...v, ...masses.flat()].some(Number.isNaN)) return exactly(NaN);
  const [u0, v0] = [lowered(sides[0]), lowered(sides[1])];
  return distanceOf(u0, v0, (options["order"] as number | undefined) ?? 1);
}

export function wassersteinHistogram(given: Given): Expected {
  const { dtype, arrays, shapes, options } = given;
  const shape = shapes["p"] as readonly number[];
  const n = shape.at(-1) as number;
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const support = arrays["support"];
  const width = (options["binWidth"] as number | undefined) ?? 1;
  const order = (options["order"] as number | undefined) ?? 1;
  if (support?.some((v, k) => !(v >= (support[k && k - 1] as number)) || !Number.isFinite(v - (support[0] as number))))
    return refused();
  const positions = support ?? Float64Array.from({ length: n }, (_, k) => k * width);
  const range = (positions[n - 1] ?? 0) - (positions[0] ?? 0);
  const values = Array.from({ length: rows }, (_, r): Estimate => {
    const [p, q] = [arrays["p"], arrays["q"]].map((all) => (all as Float64Array).subarray(r * n, (r + 1) * n)) as [
      Float64Array,
      Float64Array,
    ];
    const usable = (row: Float64Array): boolean => row.every((m) => m >= 0 && m < Infinity) && row.some((m) => m > 0);
    if (!usable(p) || !usable(q)) return exactly(NaN);
    const scaled = (row: Float64Array): Float64Array => {
      const top = largestOf(row);
      return whole({ at: row, mass: row }) ? row : row.map((m) => m / top);
    };
    const one = distanceOf({ at: positions, mass: scaled(p) }, { at: positions, mass: scaled(q) }, order);
    // 1e-6 of W, or 1e-7 of the width of the support
    const promised =
      dtype.name === "f32" ? 1e-6 * one.value + 1e-7 * range : 1e-13 * one.value + 16 * (n + 2) * U * range;
    return { value: one.value, error: one.error + promised };
  });
  return reduced(given, values, rows);
}

// --------------------------------------------------------------------------------------------- masses and costs

interface Problem {
  readonly n: number;
  readonly m: number;
  readonly a: Float64Array;
  /** Scaled to the sum of a. */
  readonly b: Float64Array;
  readonly cost: Float64Array;
  readonly mass: number;
  /** The largest finite cost. */
  readonly size: number;
  readonly forbids: boolean;
}

/** Nothing where the arguments are to be refused. */
function problemOf({ dtype, arrays }: Given): Problem | undefined {
  const [a, b, cost] = [arrays["a"], arrays["b"], arrays["cost"]] as [Float64Array, Float64Array, Float64Array];
  const ordinary = (masses: Float64Array): boolean => masses.every((m) => m >= 0 && m < Infinity);
  const [sa, sb] = [total(a), total(b)];
  const once = (masses: Float64Array): number => (masses.every((m) => m === Math.fround(m)) ? masses.length : 0);
  const slack =
    sa * (dtype.name === "f32" ? 2 ** -11.5 : Math.min(2 ** -11.5, 2 ** -26 + 2 ** -23 * (once(a) + once(b))));
  if (!ordinary(a) || !ordinary(b) || !(sa > 0) || sa === Infinity || !(Math.abs(sa - sb) <= slack)) return undefined;
  if (cost.some((c) => !(c === Infinity || Math.abs(c) <= 1e270))) return undefined;
  const size = largestOf(cost.filter((c) => c < Infinity));
  return {
    n: a.length,
    m: b.length,
    a,
    b: b.map((m) => m * (sa / sb)),
    cost,
    mass: sa,
    size,
    forbids: cost.includes(Infinity),
  };
}

type Result = Readonly<Record<string, unknown>>;
/** What is wrong with a result's arrays; each named must be there, of a length. */
function arraysOf(result: Result, given: Given, wanted: Readonly<Record<string, number>>): string {
  for (const [name, length] of Object.entries(wanted))
    if (arrayOf(result[name], given.dtype)?.length !== length) return `has no ${name} of ${length} ${given.dtype.name}`;
  return "";
}

const near = (what: string, got: number, wanted: number, error: number): string =>
  Math.abs(got - wanted) <= error || got === wanted
    ? ""
    : `has ${what} ${got}, wanted ${wanted} ± ${error.toPrecision(2)}`;

const firstOf = (...words: readonly (string | (() => string))[]): string => {
  for (const one of words) {
    const said = typeof one === "string" ? one : one();
    if (said) return said;
  }
  return "";
};

/** Sums of the rows and columns of a matrix against the masses. */
function marginals(plan: ArrayLike<number>, { n, m, a, b }: Problem, error: number): string {
  const row = (i: number): number => sum(m, (j) => plan[i * m + j] as number);
  const column = (j: number): number => sum(n, (i) => plan[i * m + j] as number);
  for (let i = 0; i < n; i++) {
    const words = near(`in row ${i} of the plan`, row(i), a[i] as number, error);
    if (words) return words;
  }
  for (let j = 0; j < m; j++) {
    const words = near(`in column ${j} of the plan`, column(j), b[j] as number, error);
    if (words) return words;
  }
  return "";
}

/** ⟨P, C⟩, where 0·∞ is 0. */
const priceOf = (plan: ArrayLike<number>, cost: Float64Array): number =>
  sum(cost.length, (k) => (plan[k] === 0 ? 0 : (plan[k] as number) * (cost[k] as number)));

/** A plan of the least cost and potentials that prove it: fᵢ + gⱼ ≤ C, Σ a·f + Σ b·g = ⟨T, C⟩. */
export function emd(given: Given): Expected {
  const { dtype, options } = given;
  const problem = problemOf(given);
  if (!problem) return refused();
  const { n, m, a, b, cost, mass, size, forbids } = problem;
  const wanted = options["plan"] === true;
  const tolerance = 32 * (n + m + 2) * (dtype.unit + U);
  const condition: Condition = {
    meets: (got) => {
      const result = got as Result;
      const { f, g, plan } = result as { f?: FloatArray; g?: FloatArray; plan?: FloatArray };
      const value = result["cost"] as number;
      if (typeof value !== "number") return "has no cost";
      const proof = (): string => {
        // f32 may not hold the potentials of such costs; a forbidden pairing's mass may be left out, but is in the potentials
        if (!f || !g || forbids || size > dtype.max / 8) return "";
        const bound = largestOf([...f, ...g].filter(Number.isFinite));
        const slack = tolerance * Math.max(size, bound) + leastOf(dtype);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < m; j++)
            if ((f[i] as number) + (g[j] as number) > (cost[i * m + j] as number) + slack)
              return `has f[${i}] + g[${j}] = ${(f[i] as number) + (g[j] as number)} above the cost ${cost[i * m + j]}`;
        const used = (masses: Float64Array, potentials: FloatArray): number =>
          sum(masses.length, (i) => (masses[i] === 0 ? 0 : (masses[i] as number) * (potentials[i] as number)));
        return near("the cost", value, used(a, f) + used(b, g), slack * mass + leastOf(dtype));
      };
      const plans = (): string => {
        if (!plan) return "";
        const negative = plan.findIndex((v: number) => !(v >= 0));
        if (negative >= 0) return `has plan[${negative}] = ${plan[negative]}`;
        return firstOf(
          () => marginals(plan, problem, tolerance * mass + (forbids ? mass * 4e-4 : 0)),
          () => near("the cost", value, priceOf(plan, cost), tolerance * mass * size + leastOf(dtype)),
        );
      };
      return firstOf(
        arraysOf(result, given, { ...(f && { f: n }), ...(g && { g: m }), ...(wanted && { plan: n * m }) }),
        plan && !wanted ? "has a plan that was not asked for" : "",
        proof,
        plans,
      );
    },
  };
  // with forbidden pairs there may be no plan
  return forbids ? refused(condition) : condition;
}

/** A plan e^{(f + g − C)/ε} with the sums that were asked for: there is but one. */
export function sinkhorn(given: Given): Expected {
  const { dtype, options } = given;
  const problem = problemOf(given);
  if (!problem) return refused();
  const { n, m, a, b, cost, mass, forbids } = problem;
  const epsilon = options["epsilon"] as number;
  const tolerance = (options["tolerance"] as number | undefined) ?? 1e-9;
  const most = (options["maxIterations"] as number | undefined) ?? 1000;
  const wanted = options["plan"] === true;
  const condition: Condition = {
    meets: (got) => {
      const result = got as Result;
      const words = arraysOf(result, given, { f: n, g: m, ...(wanted && { plan: n * m }) });
      if (words) return words;
      const { f, g, plan } = result as { f: FloatArray; g: FloatArray; plan?: FloatArray };
      if (plan && !wanted) return "has a plan that was not asked for";
      const { converged, iterations, marginalError } = result as {
        converged: boolean;
        iterations: number;
        marginalError: number;
      };
      if (!(iterations >= 1 && iterations <= most)) return `has ${iterations} iterations of ${most}`;
      if (converged !== marginalError <= tolerance)
        return `has a marginal error of ${marginalError}, and converged is ${converged}`;
      // what rounding takes from the potentials makes factors of the plan
      const potentials = [...f, ...g].filter(Number.isFinite);
      const loss =
        ((dtype.unit + 8 * U) * 4 * (largestOf(potentials) + largestOf(cost.filter(Number.isFinite)) * 2 ** -29)) /
          epsilon +
        1e-9;
      if (!(loss < 1e-2)) return "";
      const exponents = cost.map((c, k) => {
        const [i, j] = [Math.floor(k / m), k % m];
        return a[i] === 0 || b[j] === 0 ? -Infinity : ((f[i] as number) + (g[j] as number) - c) / epsilon;
      });
      const P = exponents.map(Math.exp);
      // over the whole mass, of which a plan that is far from its sums may have more than there are numbers
      const parts = exponents.map((exponent) => Math.exp(exponent - Math.log(mass)));
      const rows = Array.from(a, (_, i) => sum(m, (j) => P[i * m + j] as number));
      const away = sum(m, (j) => Math.abs(sum(n, (i) => parts[i * m + j] as number) - (b[j] as number) / mass));
      return firstOf(
        ...rows.map((row, i) => () => near(`in row ${i} of the plan`, row, a[i] as number, 4 * loss * mass)),
        () => near("the marginal error", marginalError, away, 8 * loss),
        () =>
          near(
            "the cost",
            result["cost"] as number,
            priceOf(P, cost),
            4 * loss * priceOf(P, cost.map(Math.abs)) + leastOf(dtype),
          ),
        () => {
          // what was e^−600 of its row's largest is taken for nothing, until potentials are 140 ε from where they were then
          const least = 4 * leastOf(dtype) + mass * Math.exp(-320);
          const k = plan
            ? plan.findIndex(
                (v: number, at: number) => !(Math.abs(v - (P[at] as number)) <= 4 * loss * (P[at] as number) + least),
              )
            : -1;
          return k < 0 ? "" : `has plan[${k}] = ${plan?.[k]}, wanted ${P[k]}`;
        },
      );
    },
  };
  return forbids ? refused(condition) : condition;
}

// ------------------------------------------------------------------------------------------ Sinkhorn divergence

interface Cloud {
  readonly x: Float64Array;
  readonly n: number;
  readonly mass: Float64Array;
}

const logSumExp = (values: readonly number[]): number => {
  const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return top === -Infinity ? top : top + Math.log(values.reduce((s, v) => s + Math.exp(v - top), 0));
};

/** OT_ε of two clouds and, by each point of the first, its gradient; `left` is what the marginals are away. */
function entropic(
  x: Cloud,
  y: Cloud,
  d: number,
  order: number,
  epsilon: number,
): { value: number; grad: Float64Array; left: number; price: number } {
  const { n } = x;
  const m = y.n;
  const apart = (i: number, j: number): number[] =>
    Array.from({ length: d }, (_, k) => (x.x[i * d + k] as number) - (y.x[j * d + k] as number));
  const cost = Float64Array.from({ length: n * m }, (_, k) => {
    const differences = apart(Math.floor(k / m), k % m);
    return order === 2 ? sum(d, (i) => (differences[i] as number) ** 2) : Math.hypot(...differences);
  });
  const [f, g] = [new Float64Array(n), new Float64Array(m)];
  const [logA, logB] = [x.mass.map(Math.log), y.mass.map(Math.log)];
  const soften = (
    to: Float64Array,
    others: Float64Array,
    logs: Float64Array,
    at: (i: number, j: number) => number,
  ): void => {
    for (let i = 0; i < to.length; i++)
      to[i] =
        -epsilon *
        logSumExp(
          Array.from(others, (other, j) => (logs[j] as number) + (other - (cost[at(i, j)] as number)) / epsilon),
        );
  };
  const P = (i: number, j: number): number =>
    Math.exp(
      (logA[i] as number) +
        (logB[j] as number) +
        ((f[i] as number) + (g[j] as number) - (cost[i * m + j] as number)) / epsilon,
    );
  // of costs far above ε the iterations would be many
  const most = largestOf(cost) > 100 * epsilon ? 0 : 300;
  let left = Infinity;
  for (let k = 0; k < most && left > 1e-11; k++) {
    soften(g, f, logA, (j, i) => i * m + j);
    soften(f, g, logB, (i, j) => i * m + j);
    if (k % 8 === 7) left = sum(m, (j) => Math.abs(sum(n, (i) => P(i, j)) - (y.mass[j] as number)));
  }
  const grad = new Float64Array(n * d);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++)
      for (let k = 0; k < d; k++) {
        const difference = apart(i, j)[k] as number;
        const slope =
          order === 2 ? 2 * difference : cost[i * m + j] === 0 ? 0 : difference / (cost[i * m + j] as number);
        grad[i * d + k] = (grad[i * d + k] as number) + P(i, j) * slope;
      }
  const mean = (potentials: Float64Array, { mass }: Cloud): number =>
    sum(mass.length, (i) => (mass[i] === 0 ? 0 : (mass[i] as number) * (potentials[i] as number)));
  return { value: mean(f, x) + mean(g, y), grad, left, price: largestOf(cost) };
}

const sinkhornDivergenceOf =
  (graded: boolean) =>
  (given: Given): Expected => {
    const { dtype, arrays, shapes, options } = given;
    const cloud = (name: "x" | "y"): Cloud | undefined => {
      const [n] = shapes[name] as [number];
      const weights = arrays[`${name}Weights`] ?? new Float64Array(n).fill(1);
      // of the largest, so that no sum overflows
      const top = largestOf(weights);
      if (weights.some((w) => !(w >= 0 && w < Infinity)) || !(top > 0)) return undefined;
      const size = total(weights.map((w) => w / top));
      return { x: arrays[name] as Float64Array, n, mass: weights.map((w) => w / top / size) };
    };
    const [x, y] = [cloud("x"), cloud("y")];
    if (!x || !y) return refused();
    const d = shapes["x"]?.[1] as number;
    const epsilon = options["epsilon"] as number;
    const order = (options["order"] as number | undefined) ?? 2;
    const run = { converged: anyOf("boolean"), iterations: anyOf("number"), marginalError: anyOf("number") };
    const result = (value: Estimate, grad: readonly Estimate[]): Expected =>
      graded
        ? { fields: { value, grad: { numbers: grad } }, optional: Object.keys(run) }
        : { fields: { value, ...run } };
    const spoilt = [...x.x, ...y.x].some((v) => !Number.isFinite(v));
    const unknown = Array.from(x.x, () => ANYTHING);
    if (spoilt)
      return result(
        exactly(NaN),
        Array.from(x.x, () => exactly(NaN)),
      );
    const largest = largestOf([...x.x, ...y.x]);
    const tolerance = (options["tolerance"] as number | undefined) ?? 1e-6;
    const [xy, xx, yy] = [
      entropic(x, y, d, order, epsilon),
      entropic(x, x, d, order, epsilon),
      entropic(y, y, d, order, epsilon),
    ];
    const converges = [xy, xx, yy].every(({ left }) => left < 1e-9);
    const brief = ((options["maxIterations"] as number | undefined) ?? 1000) < 100;
    if (!converges || brief || largest > 1e100) return result(ANYTHING, unknown);
    const size = epsilon + Math.max(xy.price, xx.price, yy.price);
    const off = Math.max(tolerance, 1e-9);
    // the dual errs by the square of what the marginals are away, over the mass that is
    const least = Math.min(...[...x.mass, ...y.mass].filter((m) => m > 0));
    const error = size * (64 * (1 + size / epsilon) * off * Math.min(1, off / least) + 1e-11);
    const value = { value: Math.max(0, xy.value - xx.value / 2 - yy.value / 2), error };
    // and the gradient by the first power
    const slope = order === 2 ? 2 * Math.sqrt(size) : 1;
    const grad = Array.from(xy.grad, (v, k) =>
      rounded(dtype, { value: v - (xx.grad[k] as number), error: 64 * off * slope * (1 + size / epsilon) }),
    );
    return result(value, grad);
  };
export const sinkhornDivergence = sinkhornDivergenceOf(false);
export const sinkhornDivergenceWithGrad = sinkhornDivergenceOf(true);

const anyOf = (type: string): Condition => ({ meets: (got) => (typeof got === type ? "" : `is no ${type}`) });
