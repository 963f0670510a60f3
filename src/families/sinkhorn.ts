/** Entropic optimal transport by Sinkhorn's iterations: the loop that all its functions share, and the plan of a matrix of costs. */
import { copyOf } from "../arrays.ts";
import { problemOf } from "../check/masses.ts";
import { create } from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { TRANSPORT } from "../memory/embedded/transport.ts";
import { logarithm } from "../memory/scalar.ts";
import { scratch } from "../memory/scratch.ts";
import { callbackOf, flagOf, integerIn, numberIn, optionsOf, signalOf } from "../options.ts";
import type { FloatArray, Input, ResultOf, Signal } from "../types.ts";

/** What a run tells its `progress` callback. */
export interface SinkhornProgress {
  /** Iterations done. */
  readonly iteration: number;
  /** As in the result, at this iteration. */
  readonly marginalError: number;
  /** The ε of this iteration: it falls to the one asked for. */
  readonly epsilon: number;
}

/** How iterations end, and who is told. */
export interface SinkhornControls {
  /** ε, the weight of the entropy, in the unit of the cost: positive. */
  epsilon: number;
  /** Iterations at most. Default: 1000. */
  maxIterations?: number | undefined;
  /** The marginal error at which to stop, relative to the total mass. */
  tolerance?: number | undefined;
  /** Called every 10 iterations and after the last; may call any function of the package, and abort. */
  progress?: ((progress: SinkhornProgress) => void) | undefined;
  /** An AbortSignal. Looked at before every iteration; once it is aborted, its reason is thrown. */
  signal?: Signal | undefined;
}

export interface SinkhornOptions extends SinkhornControls {
  /** Whether to return the plan. Default: false. */
  plan?: boolean | undefined;
}

export interface SinkhornResult<T extends FloatArray = FloatArray> {
  /** ⟨P, C⟩, what the plan costs, without the entropy. */
  cost: number;
  /** Iterations done. */
  iterations: number;
  /** Whether the marginal error is within the tolerance. */
  converged: boolean;
  /** Σⱼ |Σᵢ P[i, j] − bⱼ| / Σa; the sums of rows are a, to rounding. */
  marginalError: number;
  /** The potential of the rows, [n]. */
  f: T;
  /** The potential of the columns, [m]. */
  g: T;
  /** P, [n, m], if asked for. */
  plan?: T;
}

/** The controls, checked. */
export interface Controls {
  readonly epsilon: number;
  readonly maxIterations: number;
  readonly tolerance: number;
  readonly progress: SinkhornControls["progress"];
  /** Throws once the signal is aborted. */
  readonly stop: (() => void) | undefined;
  /** Whether code of the caller's runs meanwhile. */
  readonly alone: boolean;
}

export const CONTROLS = ["epsilon", "maxIterations", "tolerance", "progress", "signal"];

/** `byDefault` is the tolerance's default. */
export function controlsOf(fn: string, o: Partial<SinkhornControls>, byDefault: number): Controls {
  const { epsilon, maxIterations, tolerance, progress, signal } = o;
  const stop = signalOf(fn, signal);
  return {
    // 1/ε is finite too
    epsilon: numberIn(fn, "epsilon", epsilon, undefined, 2 ** -1022),
    maxIterations: integerIn(fn, "maxIterations", maxIterations, 1000, 1, Number.MAX_SAFE_INTEGER),
    tolerance: numberIn(fn, "tolerance", tolerance, byDefault, 0),
    progress: callbackOf(fn, "progress", progress),
    stop,
    alone: progress !== undefined || stop !== undefined,
  };
}

/** ε below this part of the range of the costs makes no difference. */
export const SMALLEST_EPSILON = 2 ** -1000;

/** The same for another ε, and in the words of another unit of it. */
export function withEpsilon(
  { maxIterations, tolerance, stop, alone }: Controls,
  epsilon: number,
  progress: Controls["progress"],
): Controls {
  return { epsilon, maxIterations, tolerance, progress, stop, alone };
}

/** Numbers in the scratch of a call, which does not grow meanwhile: the view stays right. */
export interface Vector {
  readonly pointer: number;
  readonly array: Float64Array;
}

/** Lengths in steps of the group, so that kernels need no tails; and four rows, a multiple of which kernels take. */
export const widthOf = (n: number): number => Math.ceil(n / 8) * 8;

/** Runs `use` with vectors of the lengths given, all 0. */
export function withVectors<const L extends readonly number[], R>(
  fn: string,
  lengths: L,
  alone: boolean,
  use: (at: Arena, vectors: { [K in keyof L]: Vector }) => R,
): R {
  const bytes = 8 * lengths.reduce((sum, n) => sum + n, 0);
  const run = (at: Arena, pointer: number): R => {
    let next = pointer;
    const vectors = lengths.map((n) => {
      const vector = { pointer: next, array: at.arrayAt(next, n, 8) as Float64Array };
      vector.array.fill(0);
      next += 8 * n;
      return vector;
    });
    return use(at, vectors as { [K in keyof L]: Vector });
  };
  return scratch(fn, bytes, run, alone);
}

/** h = g/ε + log b, of the columns there are; −∞ behind them. */
export function exponents({ array }: Vector, g: Float64Array, epsilon: number, logB: Float64Array): void {
  array.fill(-Infinity);
  for (let j = 0; j < g.length; j++) array[j] = (g[j] as number) / epsilon + (logB[j] as number);
}

/** log of the values, through linear memory. */
export function logarithms(at: Arena, { pointer, array }: Vector, values: Float64Array): Float64Array {
  array.set(values);
  at.kernels(TRANSPORT).logarithm(pointer, pointer, values.length);
  return array.slice(0, values.length);
}

/** What the iterations work on. */
export interface Problem {
  readonly at: Arena;
  /** The masses of the columns, and their sum. */
  readonly b: Float64Array;
  readonly total: number;
  /** How far costs lie apart: the ε to begin with. */
  readonly range: number;
  /** Of the columns: room between sweeps, and where a sweep leaves the sums of P. */
  readonly room: Vector;
  readonly sums: Vector;
  /** Finds the f that meets the masses of the rows beside g, and the sums of the columns of P. */
  sweep(g: Float64Array, epsilon: number): void;
  /** f of the last sweep, where rows and columns are the same points: f = g is wanted. */
  readonly symmetric: ((epsilon: number) => Float64Array) | undefined;
}

export interface Outcome {
  readonly g: Float64Array;
  readonly iterations: number;
  readonly converged: boolean;
  readonly marginalError: number;
}

/** ε falls by this factor … */
const FALL = 0.25;
/** … once the marginal error is below this. */
const LOOSE = 0.1;
/** The kernels drop what is below e^-600 of a row's largest: a column of P that vanished is raised by as much at a time. */
const RAISE = 600;

/**
 * Maximises the dual, f·a + g·b, over g; f follows from it. Sinkhorn's step is gⱼ += ε·log(bⱼ / Σᵢ P[i, j]). It is made from
 * a point ahead, g + k/(k + 3)·(g − g before) in the k-th iteration since the last step that went downhill (Nesterov's
 * acceleration with O'Donoghue and Candès' restarts). ε falls from the range of the costs in factors of 4: at a small ε from
 * the start, P would vanish but for its largest entries.
 */
export function ascend({ at, b, total, range, room, sums, sweep, symmetric }: Problem, c: Controls): Outcome {
  const m = b.length;
  const g = new Float64Array(m);
  const last = new Float64Array(m);
  let epsilon = Math.max(c.epsilon, range);
  let pace = 0;
  for (let iterations = 1; ; iterations++) {
    c.stop?.();
    // half of the iterations at least are of the ε asked for
    if (iterations > c.maxIterations / 2) epsilon = c.epsilon;
    sweep(g, epsilon);
    let marginalError = 0;
    for (let j = 0; j < m; j++) marginalError += Math.abs((sums.array[j] as number) - (b[j] as number)) / total;
    const converged = epsilon === c.epsilon && marginalError <= c.tolerance;
    const done = converged || iterations >= c.maxIterations || Number.isNaN(marginalError);
    if (done || iterations % 10 === 0) c.progress?.({ iteration: iterations, marginalError, epsilon });
    if (done) return { g, iterations, converged, marginalError };

    if (symmetric) {
      const f = symmetric(epsilon);
      for (let j = 0; j < m; j++) g[j] = ((g[j] as number) + (f[j] as number)) / 2;
    } else {
      for (let j = 0; j < m; j++) room.array[j] = (b[j] as number) / (sums.array[j] as number);
      at.kernels(TRANSPORT).logarithm(room.pointer, room.pointer, m);
      let uphill = 0;
      for (let j = 0; j < m; j++) {
        const mass = b[j] as number;
        // g stays 0 there
        if (mass === 0) continue;
        const next = (g[j] as number) + epsilon * Math.min(room.array[j] as number, RAISE);
        const step = next - (last[j] as number);
        uphill += (mass - (sums.array[j] as number)) * step;
        last[j] = next;
        g[j] = step;
      }
      if (uphill < 0) pace = 0;
      const ahead = pace / (pace + 3);
      for (let j = 0; j < m; j++) g[j] = (last[j] as number) + ahead * (g[j] as number);
      pace++;
    }
    if (epsilon > c.epsilon && marginalError <= LOOSE) {
      epsilon = Math.max(c.epsilon, epsilon * FALL);
      pace = 0;
    }
  }
}

/** Potentials may move this many ε from those K was made of before it is made anew: factors of 1e60. */
const REACH = 140;

/**
 * Entropic optimal transport of masses a to masses b, `[n], [m], [n, m] → { cost, …, f: [n], g: [m], plan?: [n, m] }`: the plan
 *
 *     P = argmin ⟨P, C⟩ + ε·Σ P·(log P − 1)   over P ≥ 0 with row sums a and column sums b,
 *     P[i, j] = e^{(fᵢ + gⱼ − C[i, j])/ε}
 *
 * by Sinkhorn's iterations, in f64 whatever the input's type. `cost` is ⟨P, C⟩, POT's `sinkhorn2`; the least of
 * ⟨P, C⟩ + ε·Σ P·log P is Σ a·f + Σ b·g. A row or column without mass has the potential −∞, and 0 in the plan. Costs may be
 * negative; +∞ forbids a pairing. b is scaled to the sum of a, from which it may differ by rounding: relatively by
 * 3.5e-4 in f32 and 1.5e-8 in f64, √(2u), and n·2⁻²³ more of n masses in f64 that have been f32. An ε below 2⁻¹⁰⁰⁰ of the range of the costs is taken as that. Where `maxIterations` end it, `converged` is false and nothing is thrown.
 *
 * It is synchronous, so that a timer cannot fire meanwhile: a `signal` is aborted by then, or by the `progress` callback.
 *
 * @throws TypeError for arguments of the wrong kind; RangeError for lengths that do not agree, a negative or infinite mass, no
 *   mass, unequal totals, a cost of NaN, −∞ or beyond ±1e270, mass with nowhere to go, ε ≤ 0; whatever `signal` was aborted with.
 * @example sinkhorn([0.5, 0.5], [0.5, 0.5], [0, 1, 1, 0], { epsilon: 0.1 }).cost; // 4.5397…e-5
 * @see Cuturi, Sinkhorn distances (2013); Schmitzer, Stabilized sparse scaling algorithms (2019)
 */
export function sinkhorn<X extends Input, A extends Input = Input, B extends Input = Input>(
  a: A,
  b: B,
  cost: X,
  options: SinkhornOptions,
): SinkhornResult<ResultOf<X, A, B>> {
  const fn = "sinkhorn";
  const o = optionsOf<SinkhornOptions>(fn, options, [...CONTROLS, "plan"]);
  const asked = controlsOf(fn, o, 1e-9);
  const wanted = flagOf(fn, "plan", o.plan);
  const { a: masses, b: columns, cost: given, bytes: size, unit, total, low, high } = problemOf(fn, a, b, cost);
  const range = high - low;
  // a smaller ε makes no difference: its entropy weighs less than the rounding of the costs
  const controls = withEpsilon(asked, Math.max(asked.epsilon, range * SMALLEST_EPSILON), asked.progress);
  const { epsilon } = controls;
  // costs count by their differences: where those are smaller, they are taken from the lowest
  const offset = Math.abs(low) > range ? low : 0;
  // a callback may change what it can reach
  const c = controls.alone ? copyOf(given, size) : given;
  const [n, m] = [masses.length, columns.length];
  // +∞ forbids a pairing, but must leave mass somewhere to go
  const leaves = (what: string, from: Float64Array, to: Float64Array, step: number, stride: number): void =>
    from.forEach((mass, i) => {
      if (mass > 0 && !to.some((other, j) => other > 0 && (c[i * step + j * stride] as number) < Infinity))
        failValue(fn, "cost", `finite somewhere in ${what} ${i}`, Infinity);
    });
  leaves("row", masses, columns, m, 1);
  leaves("column", columns, masses, 1, m);
  const f = create(fn, size, n);
  const g = create(fn, size, m);
  const plan = wanted ? create(fn, size, n * m) : undefined;

  const width = widthOf(m);
  const rows = Math.ceil(n / 4) * 4;
  const lengths = [width, width, width, rows, rows, rows, rows, rows * width] as const;
  return withVectors(fn, lengths, controls.alone, (at, vectors) => {
    const [room, v, sums, mass, tops, totals, u, k] = vectors;
    const logA = logarithms(at, u, masses);
    const logB = logarithms(at, v, columns);
    mass.array.set(masses);
    /** The g that K was made of. */
    const origin = new Float64Array(m);
    let kept = 0;

    /** K = P of g, the costs being read again. */
    function soften(potential: Float64Array, epsilon: number): void {
      exponents(v, potential, epsilon, logB);
      // what pads the costs is 0, which may be beyond all numbers from the offset
      if (offset !== 0) k.array.fill(offset);
      for (let i = 0; i < n; i++) at.copyIn(c, size, i * m, m, k.pointer + 8 * i * width, 1, 8);
      sums.array.fill(0);
      const { soften } = at.kernels(TRANSPORT);
      // biome-ignore format: as the kernel declares them
      soften(k.pointer, rows, width, v.pointer, 1 / epsilon, offset, mass.pointer, tops.pointer, totals.pointer, sums.pointer);
      v.array.fill(1);
      u.array.fill(1);
      origin.set(potential);
      kept = epsilon;
    }

    /** The same by the K there is; false if it is too far away. */
    function rescale(potential: Float64Array, epsilon: number): boolean {
      if (kept !== epsilon) return false;
      v.array.fill(0);
      for (let j = 0; j < m; j++) {
        const shift = ((potential[j] as number) - (origin[j] as number)) / epsilon;
        if (!(Math.abs(shift) <= REACH)) return false;
        v.array[j] = shift;
      }
      at.kernels(TRANSPORT).exponential(v.pointer, v.pointer, m);
      sums.array.fill(0);
      at.kernels(TRANSPORT).rescale(k.pointer, rows, width, mass.pointer, u.pointer, v.pointer, sums.pointer);
      for (let j = 0; j < m; j++) {
        const sum = (sums.array[j] as number) * (v.array[j] as number);
        if (columns[j] !== 0 && !(sum > 0 && sum < Infinity)) return false;
        sums.array[j] = sum;
      }
      return true;
    }

    const sweep = (potential: Float64Array, epsilon: number): void => {
      if (!rescale(potential, epsilon)) soften(potential, epsilon);
    };
    const problem = { at, b: columns, total, range, room, sums, sweep, symmetric: undefined };
    const { g: potential, iterations, converged, marginalError } = ascend(problem, controls);

    let transported = 0;
    for (let i = 0; i < n; i++) {
      const row = k.pointer + 8 * i * width;
      at.copyIn(c, size, i * m, m, room.pointer, 1, 8);
      transported += at.kernels(TRANSPORT).settle(row, width, u.array[i] as number, v.pointer, room.pointer);
      if (plan) for (let j = 0; j < m; j++) plan[i * m + j] = (k.array[i * width + j] as number) / unit;
    }
    for (let i = 0; i < n; i++) totals.array[i] = (totals.array[i] as number) / (u.array[i] as number);
    at.kernels(TRANSPORT).logarithm(totals.pointer, totals.pointer, n);
    const logUnit = logarithm(at, TRANSPORT, unit);
    for (let i = 0; i < n; i++) {
      const log = logA[i] as number;
      const exponent = log - logUnit - (tops.array[i] as number) - (totals.array[i] as number);
      f[i] = log === -Infinity ? log : epsilon * exponent + offset;
    }
    for (let j = 0; j < m; j++) g[j] = (potential[j] as number) + epsilon * (logB[j] as number);
    const result = { cost: transported / unit, iterations, converged, marginalError, f, g, ...(plan && { plan }) };
    return result as SinkhornResult<ResultOf<X, A, B>>;
  });
}
