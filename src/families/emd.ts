/** Exact optimal transport. */
import { copyOf } from "../arrays.ts";
import { problemOf } from "../check/masses.ts";
import { create } from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { TRANSPORT } from "../memory/embedded/transport.ts";
import { scratch } from "../memory/scratch.ts";
import { callbackOf, flagOf, optionsOf, signalOf } from "../options.ts";
import type { FloatArray, Input, ResultOf, Signal } from "../types.ts";

/** What a run tells its `progress` callback. */
export interface EmdProgress {
  /** Pivots done: how many there will be is not known before the last. */
  readonly pivots: number;
}

export interface EmdOptions {
  /** Whether to return the plan. Default: false. */
  plan?: boolean | undefined;
  /** Called from time to time; may call any function of the package, and abort. */
  progress?: ((progress: EmdProgress) => void) | undefined;
  /** An AbortSignal. Looked at as often; once it is aborted, its reason is thrown. */
  signal?: Signal | undefined;
}

export interface EmdResult<T extends FloatArray = FloatArray> {
  /** Σ C[i, j]·T[i, j], what the plan costs, in f64. */
  cost: number;
  /** The potential of the rows, [n]. */
  f: T;
  /** The potential of the columns, [m]. */
  g: T;
  /** T, [n, m], if asked for: at most n + m − 1 of its elements are not 0. */
  plan?: T;
}

/** Bytes of a node of the tree. */
const NODE = 64;

/** Those of positive mass, and how far apart their costs stand. */
interface Side {
  readonly masses: Float64Array;
  readonly index: Int32Array;
  readonly step: number;
}

function sideOf(masses: Float64Array, step: number): Side {
  const index = new Int32Array(masses.length).map((_, i) => i).filter((i) => (masses[i] as number) > 0);
  return { masses, index, step };
}

/** The masses that are positive. */
function positive({ masses, index }: Side): Float64Array {
  return new Float64Array(index).map((i) => masses[i] as number);
}

/** Masses as integers of the sum 2⁵², or a little more. */
function integersOf(side: Side, total: number): Float64Array {
  return positive(side).map((mass) => Math.max(1, Math.round((mass / total) * 2 ** 52)));
}

/** Sums of `step` masses at a time. */
function grouped(masses: Float64Array, step: number): Float64Array {
  const sums = new Float64Array(Math.ceil(masses.length / step));
  masses.forEach((mass, i) => {
    const at = Math.floor(i / step);
    sums[at] = (sums[at] as number) + mass;
  });
  return sums;
}

/** Makes up for what the sum of `x` lacks of the sum of `y`. */
function even(x: Float64Array, y: Float64Array): void {
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
  const at = x.indexOf(x.reduce((most, value) => Math.max(most, value), 0));
  x[at] = (x[at] as number) + Math.max(0, sum(y) - sum(x));
}

/** The potential max tⱼ such that tⱼ + others ≤ costs; 0 where nothing bounds it. */
function bound(cost: FloatArray, from: number, step: number, others: Float64Array): number {
  let least = Infinity;
  others.forEach((other, k) => {
    least = Math.min(least, (cost[from + k * step] as number) - other);
  });
  return least < Infinity ? least : 0;
}

/** Arcs that are looked at between two looks at the signal: some 10 ms. */
const ARCS = 2 ** 23;

/**
 * Exact optimal transport of masses a to masses b, the earth mover's distance: `[n], [m], [n, m] → { cost, f: [n], g: [m],
 * plan?: [n, m] }`, where
 *
 *     cost = min Σ C[i, j]·T[i, j]   over T ≥ 0 with row sums a and column sums b
 *          = max Σ aᵢ·fᵢ + Σ bⱼ·gⱼ   over fᵢ + gⱼ ≤ C[i, j]
 *
 * by the network simplex, in f64 whatever the input's type: the two differ by rounding alone. POT's `emd2` is `cost`, its `emd`
 * is `plan`. The potentials, fixed up to a constant added to f and taken from g, are slopes: of the cost, by masses that stay
 * balanced. The plan need not be unique where costs tie.
 *
 * Costs may be negative; +∞ forbids a pairing. A row or column of zero mass has zeros in the plan, and the largest potential
 * there is room for. b is scaled to the sum of a, from which it may differ by rounding: relatively √(2u) of the type, 3.5e-4 or
 * 1.5e-8, and n·2⁻²³ more of n masses in f64 that have been f32; forbidden pairings may be left without as much. Takes memory of 8·n·m bytes and more, and time that grows
 * somewhat faster than n·m.
 *
 * @throws TypeError for arguments of the wrong kind; RangeError for lengths that do not agree, a negative or infinite mass, no
 *   mass, unequal totals, a cost of NaN, −∞ or beyond ±1e270, mass with nowhere to go, not enough memory.
 * @example emd([0.5, 0.5], [0.5, 0.5], [0, 1, 1, 0]).cost; // 0
 * @example emd([3, 1], [2, 2], [0, 1, 1, 0], { plan: true }).plan; // Float64Array [2, 1, 0, 1]
 * @see Peyré & Cuturi, Computational optimal transport (2019), chapter 3
 */
export function emd<X extends Input, A extends Input = Input, B extends Input = Input>(
  a: A,
  b: B,
  cost: X,
  options?: EmdOptions,
): EmdResult<ResultOf<X, A, B>> {
  const fn = "emd";
  const { plan: wanted, progress, signal } = optionsOf<EmdOptions>(fn, options, ["plan", "progress", "signal"]);
  const planned = flagOf(fn, "plan", wanted);
  const tell = callbackOf(fn, "progress", progress);
  const stop = signalOf(fn, signal);
  const alone = tell !== undefined || stop !== undefined;
  const problem = problemOf(fn, a, b, cost);
  const { a: p, b: q, cost: given, bytes: size, unit: massUnit, total, slack, low, high, forbids } = problem;
  // a callback may change what it can reach
  const c = alone ? copyOf(given, size) : given;
  const f = create(fn, size, p.length);
  const g = create(fn, size, q.length);
  const plan = planned ? create(fn, size, p.length * q.length) : undefined;

  // rows are no fewer than columns: the first tree looks through a row for each of them
  const sides = [sideOf(p, q.length), sideOf(q, 1)].sort((x, y) => y.index.length - x.index.length);
  const [rows, columns] = sides as [Side, Side];
  const [n, m] = [rows.index.length, columns.index.length];
  const ld = m + (m % 2);
  const count = m + n;
  const largest = Math.max(0, high, -low);
  // a forbidden pairing costs more than any path of allowed ones, and so is used only where nothing else is left
  const forbidden = forbids ? 2 * (m + 1) * (largest || 1) : Infinity;

  // costs, potentials, nodes
  const bytes = Math.ceil((n * ld + count) / 8) * 64;
  const run = (arena: Arena, pointer: number): number => {
    const [potentials, nodes] = [pointer + 8 * n * ld, pointer + bytes];
    const { greedyTree, networkSimplex, transported } = arena.kernels(TRANSPORT);
    const costs = arena.arrayAt(pointer, n * ld, 8).fill(Infinity);
    const visit = (put: (from: number, at: number) => void): void => {
      for (let i = 0; i < n; i++)
        for (let j = 0; j < m; j++)
          put((rows.index[i] as number) * rows.step + (columns.index[j] as number) * columns.step, i * ld + j);
    };
    visit((from, at) => {
      costs[at] = Math.min(c[from] as number, forbidden);
    });
    const state = arena.arrayAt(potentials, (nodes - potentials) / 8 + 8 * count, 8).fill(0);
    const flows = state.subarray(-8 * count);
    const place = (masses: Float64Array, from: number): void => {
      masses.forEach((mass, v) => {
        flows[8 * (from + v)] = mass;
      });
    };
    const [supply, demand] = [integersOf(rows, total), integersOf(columns, total)];
    even(supply, demand);
    even(demand, supply);

    const unit = 2 ** -52 * (forbids ? forbidden : largest);
    let root = 0;
    let before = 0;
    stop?.();
    // where rows are many for a column, a few of them first, with the masses of those up to the next: the potentials hardly
    // change from there to all, and 40,000 × 3 takes 1000 pivots in place of 100,000. At 10 rows for a column this does not pay
    // yet, at 20 it does
    let stride = 1;
    while (16 * stride * m <= n) stride *= 4;
    for (; stride >= 1; stride /= 4) {
      const masses = grouped(supply, stride);
      const some = masses.length;
      state.fill(0, m);
      place(demand, 0);
      place(masses, m);
      root = greedyTree(pointer, some, m, stride * ld, potentials, nodes);
      // blocks of 1 to 3 times √(n·m) arcs take as long as each other, of 10 twice as long
      const block = Math.ceil(2 * Math.sqrt(some / m));
      // the tolerance rises from round to round
      const round = 8 * (some + m);
      const step = alone ? Math.max(1, Math.ceil(ARCS / (block * ld))) : round;
      for (let at = 0, pivots = 0; at >= 0; ) {
        const limit = Math.min(step, round - (pivots % round));
        const tolerance = (1 + Math.floor(pivots / round)) * unit;
        at = networkSimplex(pointer, some, m, stride * ld, potentials, nodes, at, block, tolerance, limit);
        pivots += limit;
        before += limit;
        tell?.({ pivots: before });
        stop?.();
      }
    }

    const found = arena.arrayAt(potentials, count, 8);
    const dual = [rows, columns].map(({ masses, index }, k) => {
      const values = new Float64Array(masses.length).fill(-Infinity);
      index.forEach((at, i) => {
        values[at] = found[k ? i : m + i] as number;
      });
      return values;
    });
    const [u, v] = (rows.masses === q ? dual.reverse() : dual) as [Float64Array, Float64Array];
    p.forEach((mass, i) => {
      if (mass === 0) u[i] = bound(c, i * q.length, 1, v);
    });
    q.forEach((mass, j) => {
      if (mass === 0) v[j] = bound(c, j, q.length, u);
    });
    f.set(u);
    g.set(v);
    place(positive(columns), 0);
    place(positive(rows), m);
    const value = transported(pointer, n, m, ld, nodes, root, forbidden, slack, planned);
    if (value === Infinity) failValue(fn, "cost", "finite for enough pairs to carry all mass", value);
    if (plan)
      visit((to, at) => {
        plan[to] = (costs[at] as number) / massUnit;
      });
    return value;
  };
  const value = scratch(fn, bytes + NODE * count, run, alone);
  return { cost: value / massUnit, f, g, ...(plan && { plan }) } as EmdResult<ResultOf<X, A, B>>;
}
