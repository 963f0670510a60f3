/** What two truncated distributions still tell of their divergence. */
import { classesOf, type Labels, labelsOf } from "../check/labels.ts";
import { restOf } from "../check/rest.ts";
import { inWords, layoutOf, type Operand, operandsOf, readOnce, shapeOf, sizeOf, sizesIn } from "../check/tensor.ts";
import { failKind, failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { arena } from "../memory/kernels.ts";
import { exponential, logarithm } from "../memory/scalar.ts";
import { integerIn, oneOf, optionsOf } from "../options.ts";
import { endsOf, type Interval, UNIT } from "../read/interval.ts";
import { baseOf, perNat } from "../read/reduce.ts";
import type { FloatArray, Input, LabelsLike, ResultOf } from "../types.ts";

export interface DivergenceBoundsOptions {
  /** The shape of the log-probabilities, of p and of q, [rows, k] or [k]. Default: the tensors' own, else one row. */
  shape?: readonly number[] | undefined;
  /** How many outcomes the whole distributions have, of language models their vocabulary; less than 2^31. */
  size: number;
  /** KL(p‖q), or the Jensen–Shannon divergence. Default: "kl". */
  metric?: "kl" | "js" | undefined;
  /** The logarithm's base: 2 gives bits. Default: e, nats. */
  base?: number | undefined;
}

/** The largest probabilities of a distribution a row, as `tokenScores` gives them in `top`. */
export interface TopOutcomes<X extends Input = Input> {
  /** Which outcomes they are of, [rows, k]: integers from 0, each once a row. */
  readonly indices: LabelsLike;
  /** The logarithms of their probabilities, [rows, k], in any order. */
  readonly logProbs: X;
}

export interface DivergenceBounds<T extends FloatArray = FloatArray> {
  /** [rows] */
  lower: T;
  /** [rows] */
  upper: T;
}

/** Probabilities and their quotients are kept above this, so that none of them underflows or overflows. */
const LEAST = 2 ** -500;

/** A distribution as far as it is known, of one row. */
interface Side {
  readonly logs: readonly number[];
  /** e^logs, of finite ones not below LEAST. */
  readonly masses: readonly number[];
  /** The least of them. No other outcome has more. */
  readonly cap: number;
  /** How many others there are, and what is left for them. */
  readonly others: number;
  readonly rest: number;
  /** What the rest may err by: exponentials by UNIT of them, which add up to 1, and each sum by a quarter of it. */
  readonly doubt: number;
}

/** A side of a row; undefined with a NaN in it. */
function sideOf(at: Arena, fn: string, x: Operand, row: number, k: number, size: number): Side | undefined {
  const logs = Array.from({ length: k }, (_, i) => x.array[row * k + i] as number);
  if (logs.some(Number.isNaN)) return undefined;
  const exact = logs.map((l) => exponential(at, GRAM, l));
  const sum = exact.reduce((a, b) => a + b, 0);
  const masses = exact.map((p, i) => (logs[i] === -Infinity ? 0 : Math.max(p, LEAST)));
  const cap = masses.reduce((a, b) => Math.min(a, b), 1);
  const others = size - k;
  const left = Math.min(restOf(fn, x.name, row, sum, cap, others), others * cap);
  const doubt = UNIT * (2 + k / 4);
  return { logs, masses, cap, others, rest: left > doubt ? left : 0, doubt };
}

/** A sum with what it may err by: by some UNIT of `size`, and by `doubt`. */
class Sum {
  value = 0;
  size = 0;
  doubt = 0;
  /** A term, `count` times, computed from numbers up to `size`. */
  add(value: number, size: number, count = 1): void {
    if (count === 0) return;
    this.value += count * value;
    if (size < Infinity) this.size += count * size;
  }
}

/** f of a divergence Σ f(a, b), convex and of degree 1: f(ca, cb) = c·f(a, b). Its derivatives depend on a/b alone. */
interface Term {
  /** f(a, b), which is finite for a = 0. */
  of(a: number, b: number): number;
  /** ∂f/∂a where a/b = `ratio`, and ∂f/∂b where b/a = `ratio`; from 0 to ∞. */
  byFirst(ratio: number): number;
  bySecond(ratio: number): number;
}

/** a·log(a/b) */
function klOf(log: (v: number) => number): Term {
  return {
    of: (a, b) => (a === 0 ? 0 : b === 0 ? Infinity : a * log(a / b)),
    byFirst: (ratio) => 1 + log(ratio),
    bySecond: (ratio) => -1 / ratio,
  };
}

/** ½·a·log(2a/(a + b)) + ½·b·log(2b/(a + b)) */
function jsOf(log: (v: number) => number): Term {
  const half = (a: number, b: number) => (a === 0 ? 0 : 0.5 * a * log((2 * a) / (a + b)));
  const slope = (ratio: number) => 0.5 * log(2 / (1 + 1 / ratio));
  return { of: (a, b) => half(a, b) + half(b, a), byFirst: slope, bySecond: slope };
}

/** A row: what is listed of both, and who lists what. */
interface Row {
  readonly p: Side;
  readonly q: Side;
  /** Where outcomes that both list stand in each. */
  readonly both: readonly (readonly [i: number, j: number])[];
  /** The p of outcomes that only p lists, the q of those that only q does and their logarithms, and how many neither lists. */
  readonly onlyP: readonly number[];
  readonly onlyQ: readonly number[];
  readonly onlyQLogs: readonly number[];
  readonly neither: number;
}

/**
 * λ of Σ min(cap, λ·weight) + λ·shared = total. It rises from below to the level that would be right if those that are full now were
 * all, at most as often as there are weights. ∞ where `total` is more than there is place for by `doubt`.
 */
function levelOf(weights: readonly number[], cap: number, total: number, doubt: number, shared = 0): number {
  for (let level = 0; ; ) {
    let left = total;
    let free = shared;
    for (const weight of weights) {
      if (weight === 0) continue;
      if (level * weight >= cap) left -= cap;
      else free += weight;
    }
    if (free === 0) return left > doubt ? Infinity : level;
    const next = left / free;
    if (!(next > level)) return level;
    level = next;
  }
}

/** What an outcome of a weight has at a level. */
function fill(level: number, weight: number, cap: number): number {
  return weight > 0 ? Math.min(cap, level * weight) : 0;
}

/** v·x, of x = 0 nothing, whatever v. */
function times(v: number, x: number): number {
  return x > 0 ? v * x : 0;
}

/** The least of a divergence, by the dual of what is told at `divergenceBounds`; see there for the names. */
function leastOf(term: Term, { p, q, onlyP, onlyQ, neither }: Row, sum: Sum): void {
  const [c, d] = [p.cap, q.cap];
  const lambdaOf = (t: number): number => levelOf(onlyQ, c, p.rest, p.doubt, t);
  const muOf = (t: number): number => levelOf(onlyP, d, Math.max(0, q.rest - t), q.doubt);
  // λμ, which falls as t grows, is 1, or t ends at what there must be, or can be
  const must = neither > 0 ? Math.max(0, q.rest - onlyP.length * d) : 0;
  const can = neither > 0 ? q.rest : 0;
  let [low, high] = [must, can];
  let t = low;
  for (let turn = 0; turn < 200; turn++) {
    t = low + (high - low) / 2;
    if (t === low || t === high) break;
    if (lambdaOf(t) * muOf(t) > 1) low = t;
    else high = t;
  }
  if (high === can) t = can;
  else if (low === must) t = must;
  const lambda = lambdaOf(t);
  let mu = t > 0 ? 1 / lambda : muOf(t);
  // those that neither lists are worth nothing then, whatever they have
  if (neither > 0) mu = Math.min(mu, 1 / lambda);
  let alpha = term.byFirst(lambda);
  if (alpha === Infinity) {
    // mass of p for which q has none
    sum.add(Infinity, 0);
    return;
  }
  let beta = term.bySecond(mu);
  // by more than they were rounded by
  if (Number.isFinite(alpha)) alpha -= 8 * UNIT * (2 + Math.abs(alpha));
  if (Number.isFinite(beta)) beta -= 8 * UNIT * (2 + Math.abs(beta));
  const add = (a: number, b: number, priced: number): void => {
    const value = term.of(a, b);
    sum.add(value - priced, Math.abs(value) + Math.abs(priced) + a + b);
  };
  for (const one of onlyQ) {
    const own = fill(lambda, one, c);
    add(own, one, times(alpha, own));
  }
  for (const one of onlyP) {
    const own = fill(mu, one, d);
    add(one, own, times(beta, own));
  }
  const paid = times(alpha, p.rest) + times(beta, q.rest);
  sum.add(paid, Math.abs(times(alpha, p.rest)) + Math.abs(times(beta, q.rest)));
  sum.doubt += times(Math.abs(alpha), p.rest && p.doubt) + times(Math.abs(beta), q.rest && q.doubt);
}

/** Outcomes that are alike; `base` is what they have of one distribution, or its logarithm, and they are to have some of the other. */
interface Place {
  readonly base: number;
  readonly count: number;
}

/** The same with what they have of the other. */
interface Cell extends Place {
  readonly mass: number;
}

/** A rest dealt out to places in their order: as many as can be have the cap, one what is left then, the others nothing. */
function dealt(places: readonly Place[], cap: number, rest: number): Cell[] {
  const cells: Cell[] = [];
  let left = rest;
  for (const { base, count } of places) {
    const full = left > 0 ? Math.min(count, Math.floor(left / cap)) : 0;
    left = Math.max(0, left - full * cap);
    const part = full < count && left > 0 ? 1 : 0;
    cells.push({ base, mass: cap, count: full }, { base, mass: left, count: part });
    cells.push({ base, mass: 0, count: count - full - part });
    if (part) left = 0;
  }
  return cells.filter(({ count }) => count > 0);
}

const ascending = (bases: readonly number[]): Place[] =>
  [...bases].sort((a, b) => a - b).map((base) => ({ base, count: 1 }));

/** What the doubt of a rest changes: by 1 + |log of the part that one outcome has, or is short of the cap|, which is steep near 0. */
function doubtOf({ rest, cap, doubt }: Side, log: (v: number) => number): number {
  if (rest === 0) return 0;
  const part = Math.max(0, rest - Math.floor(rest / cap) * cap);
  return 2 * doubt * (2 - log(Math.max(doubt, Math.min(part, cap - part))));
}

/** The most that JS can be. */
function mostJs(term: Term, log: (v: number) => number, { p, q, onlyP, onlyQ, neither }: Row, sum: Sum): void {
  const dealtQ = dealt([{ base: 0, count: neither }, ...ascending(onlyP)], q.cap, q.rest);
  // those that neither lists have base 0, and their q falls
  const places: Place[] = [];
  let seen = 0;
  for (const { base, mass, count } of dealtQ) {
    if (seen < neither) places.unshift({ base: mass, count });
    else sum.add(term.of(base, mass), base + mass, count);
    seen += count;
  }
  for (const { base, mass, count } of dealt([...places, ...ascending(onlyQ)], p.cap, p.rest))
    sum.add(term.of(mass, base), base + mass, count);
  sum.doubt += doubtOf(p, log) + doubtOf(q, log);
}

/** The most that KL can be. */
function mostKl(log: (v: number) => number, { p, q, onlyP, onlyQLogs, neither }: Row, sum: Sum): void {
  /** What p is worth where q is `places`, of which `log q` are the bases. */
  const worth = (places: readonly Place[], total: Sum): Sum => {
    for (const { base, mass, count } of dealt(places, p.cap, p.rest)) {
      if (mass === 0) continue;
      const own = log(mass);
      total.add(mass * (own - base), mass * (1 + Math.abs(own) + Math.abs(base)), count);
      total.doubt = Math.max(total.doubt, doubt + p.doubt * Math.abs(base));
    }
    return total;
  };
  const doubt = doubtOf(p, log);
  const listed = ascending(onlyQLogs);
  const most = onlyP.reduce((a, b) => Math.max(a, b), 0);
  let best: Sum;
  if (most > 0 || (neither > 0 && p.rest > 0)) {
    // what one outcome has of q if all others have the cap: the doubt makes it less
    const spare = q.rest - 2 * q.doubt - (q.others - 1) * q.cap;
    if (spare <= 0) {
      sum.add(Infinity, 0);
      return;
    }
    const [scarce, usual] = [log(Math.min(spare, q.cap)), log(q.cap)];
    const known = new Sum();
    for (const one of onlyP) {
      if (one === 0) continue;
      const own = log(one);
      known.add(one * (own - usual), one * (1 + Math.abs(own) + Math.abs(usual)));
    }
    const options = [{ more: most, places: [{ base: usual, count: neither }] }];
    if (neither > 0) {
      const places = [
        { base: scarce, count: 1 },
        { base: usual, count: neither - 1 },
      ];
      options.push({ more: 0, places });
    }
    const sums = options.map(({ more, places }) => {
      const total = worth([...places, ...listed], new Sum());
      total.add(more * (usual - scarce), more * (1 + Math.abs(usual) + Math.abs(scarce)));
      total.add(known.value, known.size);
      return total;
    });
    best = sums.reduce((a, b) => (b.value > a.value ? b : a));
  } else best = worth(listed, new Sum());
  sum.add(best.value, best.size);
  sum.doubt += best.doubt;
}

/** The bounds of a row. */
function boundsOf(at: Arena, metric: "kl" | "js", row: Row): Interval {
  const log = (v: number) => logarithm(at, GRAM, v);
  const term = metric === "kl" ? klOf(log) : jsOf(log);
  const { p, q, both } = row;
  const [least, most] = [new Sum(), new Sum()];
  for (const [i, j] of both) {
    const [a, b] = [p.masses[i] as number, q.masses[j] as number];
    let value = term.of(a, b);
    let size = a + b;
    if (metric === "kl" && a > 0) {
      // of their own logarithms, which have not been rounded
      const [la, lb] = [p.logs[i] as number, q.logs[j] as number];
      value = a * (la - lb);
      size += a * (Math.abs(la) + Math.abs(lb));
    }
    least.add(value, size);
    most.add(value, size);
  }
  leastOf(term, row, least);
  if (metric === "kl") mostKl(log, row, most);
  else mostJs(term, log, row, most);
  // of each of its numbers a term errs by some UNIT, and each sum by a quarter of it
  const terms = UNIT * (4 + (p.logs.length + q.logs.length) / 4);
  const lower = Math.max(0, least.value - least.size * terms - least.doubt);
  const upper = Math.max(0, most.value + most.size * terms + most.doubt);
  // JS is log 2 at most, which Math.LN2 is a little below
  const limit = metric === "kl" ? Infinity : Math.LN2 * (1 + UNIT);
  return { lower: Math.min(lower, upper), upper: Math.min(upper, limit), error: 0 };
}

/** Who lists which outcomes of a row. */
function rowOf(p: Side, q: Side, pIndices: Int32Array, qIndices: Int32Array, row: number, size: number): Row {
  const [k, m] = [p.logs.length, q.logs.length];
  const places = new Map<number, number>();
  for (let i = 0; i < k; i++) places.set(pIndices[row * k + i] as number, i);
  const both: [number, number][] = [];
  const onlyQ: number[] = [];
  const onlyQLogs: number[] = [];
  for (let j = 0; j < m; j++) {
    const outcome = qIndices[row * m + j] as number;
    const i = places.get(outcome);
    if (i === undefined) {
      onlyQ.push(q.masses[j] as number);
      onlyQLogs.push(q.logs[j] as number);
    } else {
      both.push([i, j]);
      places.delete(outcome);
    }
  }
  const onlyP = Array.from(places.values(), (i) => p.masses[i] as number);
  return { p, q, both, onlyP, onlyQ, onlyQLogs, neither: size - k - m + both.length };
}

/** A truncated distribution as it came, each field read once. */
function topOf(fn: string, name: string, value: unknown): { readonly indices: Labels; readonly logProbs: unknown } {
  if (typeof value !== "object" || value === null)
    return failKind(fn, name, "an object with indices and logProbs", value);
  const { indices, logProbs } = value as { readonly indices?: unknown; readonly logProbs?: unknown };
  return { indices: labelsOf(fn, `${name}.indices`, readOnce(indices)), logProbs };
}

/** Its outcomes, checked: of each row's k none twice. */
function outcomesOf(fn: string, indices: Labels, shape: readonly number[], k: number, size: number): Int32Array {
  const { name, list } = indices;
  const length = sizeOf(shape);
  if (list.length !== length)
    failValue(fn, name, `of length ${length}, one for each log-probability`, undefined, `${list.length}`);
  const outcomes = classesOf(fn, indices, shape, size, undefined, false);
  for (let row = 0; row * k < length; row++) {
    const seen = new Set<number>();
    for (let i = row * k; i < (row + 1) * k; i++) {
      const outcome = outcomes[i] as number;
      if (seen.has(outcome)) failValue(fn, `${name}[${i}]`, `another outcome than the rest of row ${row}`, outcome);
      seen.add(outcome);
    }
  }
  return outcomes;
}

/**
 * The divergences that two distributions over `size` outcomes can have, of which the largest log-probabilities are known, of outcomes that
 * need not be the same: `{ indices, logProbs }` of p and of q, [..., k] each, to `{ lower, upper }`, one of each a row. What the top 20 of
 * two models still tell of how far they are apart. "kl" is KL(p‖q), "js" the Jensen–Shannon divergence, both Σ f(pᵢ, qᵢ).
 *
 * Of p, r = 1 − Σ p of the known is left for the outcomes that p does not list, none of which has more than c, the least of the known;
 * of q likewise r′ and d. So outcomes that both list are known, the others are p and y (only p lists them), x and q (only q does), or
 * x and y (neither does: m of them), with 0 ≤ x ≤ c, Σ x = r, 0 ≤ y ≤ d, Σ y = r′.
 *
 *     least   f is convex, so the m outcomes share alike. f is of degree 1, so its derivatives are functions of quotients, and
 *             they are equal, or an outcome is full:
 *                 x = min(c, λq),   y = min(d, μp),   x/y = λ = 1/μ of the m, or nothing where λμ < 1,
 *             the same completion for KL, JS and any such f. The m are not above c and d of themselves: if x > c and λ ≥ c/d,
 *             all λq are at least c, as q ≥ d, and the x exceed r; if λ < c/d, then y > d and μp > d, and the y exceed r′. With α, β
 *             the derivatives at λ and μ,
 *                 αr + βr′ + Σ min over 0 ≤ x ≤ c of f(x, q) − αx + Σ min over 0 ≤ y ≤ d of f(p, y) − βy
 *             is not above f for any λμ ≤ 1 (weak duality), so what is returned does not depend on how well they were found.
 *     most    f is convex, so it is at a vertex: as many x of c as there can be, one with what is left, the others 0; y likewise.
 *     KL      ∞, if an outcome with p or x above 0 may be left without q, which is where r′ ≤ d·(outcomes that q does not list − 1).
 *             Else y is d but for one outcome, that of the largest p, or one that neither lists. Σ x·log x is the same at all
 *             vertices, so Σ x·log(x/y) is most with the largest x where q is least.
 *     JS      H((p + q)/2) − H(p)/2 − H(q)/2, of which the last two are the same at all vertices. The entropy is concave in
 *             each outcome, so mass adds most where there is least, and the more of it the more so: y goes to outcomes that neither
 *             lists first, whose x is c at most, as any p is at least, then to the least p. Then x goes where y or q is least,
 *             which leaves as many as can be disjoint, and where they are not, largest x meets least y.
 *
 * Both are attained, by these, but for what rounding makes of them: r and r′ are known to some 1e-15, which counts by the logarithms and,
 * in the most that KL can be, as a share of the least that an outcome has of q. They are rounded outwards, so that no
 * completion is outside. The log-probabilities may come in any order. Probabilities may exceed a sum of 1 by 1e-5, which is rounding, as what
 * is left is if it is less than (8 + k)·2⁻⁵³: nothing is left then. A row with a NaN in p or q is NaN.
 *
 * @throws TypeError for arguments of the wrong kind, an index that is no integer too; RangeError for a wrong shape, other rows in q than
 *   in p, a `size` below k, an index beyond it or twice in a row, log-probabilities that sum to more than 1, or leave more than the other
 *   outcomes can have without being larger.
 * @example
 * const p = { indices: [0, 1], logProbs: [Math.log(0.5), Math.log(0.25)] };
 * const q = { indices: [1, 0], logProbs: [Math.log(0.5), Math.log(0.25)] };
 * divergenceBounds(p, q, { size: 4, base: 2 }).lower; // Float64Array [0.249…]: the rest may be the same
 * divergenceBounds(p, q, { size: 4, metric: "js", base: 2 }).upper; // Float64Array [0.311…]: or apart
 */
export function divergenceBounds<P extends Input, Q extends Input>(
  p: TopOutcomes<P>,
  q: TopOutcomes<Q>,
  options: DivergenceBoundsOptions,
): DivergenceBounds<ResultOf<P, Q>> {
  const fn = "divergenceBounds";
  const given = optionsOf<DivergenceBoundsOptions>(fn, options, ["shape", "size", "metric", "base"]);
  const { shape, size, metric, base } = given;
  const sizes = sizesIn(fn, "shape", shape);
  const outcomes = integerIn(fn, "size", size, undefined, 1, 2 ** 31 - 1);
  const kind = oneOf(fn, "metric", metric, ["kl", "js"], "kl");
  const unit = baseOf(fn, base);
  const [pTop, qTop] = [topOf(fn, "p", p), topOf(fn, "q", q)];
  const [pName, qName] = ["p.logProbs", "q.logProbs"] as const;
  const [x, y] = operandsOf(fn, [
    [pName, pTop.logProbs],
    [qName, qTop.logProbs],
  ]);
  // one without a shape has that of the other, if it holds as much
  const like = (one: Operand, { shape = [] }: Operand) => (sizeOf(shape) === one.length ? shape : [one.length]);
  const pShape = shapeOf(fn, x, sizes, "shape", like(x, y));
  const qShape = shapeOf(fn, y, sizes, "shape", like(y, x));
  const [pRows, qRows] = [layoutOf(fn, pShape, -1), layoutOf(fn, qShape, -1)];
  const { rows } = pRows;
  if (qShape.slice(0, -1).join() !== pShape.slice(0, -1).join())
    throw new RangeError(`${fn}: "q" must have the rows of "p", ${inWords(pShape)}, got ${inWords(qShape)}`);
  const [k, m] = [pRows.n, qRows.n];
  if (Math.max(k, m) > outcomes) failValue(fn, "size", `at least ${Math.max(k, m)}, as many as are known`, outcomes);
  const pIndices = outcomesOf(fn, pTop.indices, pShape, k, outcomes);
  const qIndices = outcomesOf(fn, qTop.indices, qShape, m, outcomes);
  const at = arena();
  const factor = perNat(at, GRAM, unit);
  const bounds = Array.from({ length: rows }, (_, row): Interval => {
    const pSide = sideOf(at, fn, x, row, k, outcomes);
    const qSide = sideOf(at, fn, y, row, m, outcomes);
    if (pSide === undefined || qSide === undefined) return { lower: Number.NaN, upper: Number.NaN, error: 0 };
    return boundsOf(at, kind, rowOf(pSide, qSide, pIndices, qIndices, row, outcomes));
  });
  return endsOf(fn, x.bytes, bounds, factor) as DivergenceBounds<ResultOf<P, Q>>;
}
