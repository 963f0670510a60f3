/** The Sinkhorn divergence of two clouds of points, with its gradient: no matrix of costs is held. */
import { weightOf } from "../check/masses.ts";
import { sameDepth, samplesOf } from "../check/points.ts";
import { type Operand, sizesIn } from "../check/tensor.ts";
import { failKind, failValue } from "../errors.ts";
import { TRANSPORT } from "../memory/embedded/transport.ts";
import { exponentOf } from "../memory/scalar.ts";
import { optionsOf } from "../options.ts";
import { lasting, outputOf } from "../place/output.ts";
import { sharing } from "../share.ts";
import type { FloatArray, Input, Out, ResultOf } from "../types.ts";
import {
  ascend,
  CONTROLS,
  controlsOf,
  exponents,
  logarithms,
  type SinkhornControls,
  SMALLEST_EPSILON,
  type Vector,
  widthOf,
  withEpsilon,
  withVectors,
} from "./sinkhorn.ts";

export interface SinkhornDivergenceOptions extends SinkhornControls {
  /** The shape of `x`: [n, d]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** The shape of `y`: [m, d]. Default: the tensor's own, else that of `x`. */
  yShape?: readonly number[] | undefined;
  /** 2: the cost is ‖x − y‖², 1: ‖x − y‖. Default: 2. */
  order?: 1 | 2 | undefined;
  /** The points' weights, normalised by their sum. Default: all alike. */
  xWeights?: Input | undefined;
  yWeights?: Input | undefined;
}

export interface SinkhornDivergenceGradOptions<
  T extends FloatArray = FloatArray,
  A extends Input | undefined = Input | undefined,
  B extends Input | undefined = Input | undefined,
> extends SinkhornDivergenceOptions {
  xWeights?: A;
  yWeights?: B;
  /** Where to write the gradient, instead of a new array. */
  out?: Out<T> | undefined;
}

export interface SinkhornDivergenceResult {
  value: number;
  /** Whether the marginal errors of all three problems are within the tolerance. */
  converged: boolean;
  /** Iterations of the problem that took the most. */
  iterations: number;
  /** The largest marginal error of the three. */
  marginalError: number;
}

/** Points of masses a that sum to 1, padded to `width`. */
interface Cloud {
  readonly points: Operand;
  readonly n: number;
  readonly width: number;
  readonly masses: Float64Array;
}

function cloudOf(fn: string, points: Operand, n: number, weights: Operand | undefined): Cloud {
  const { sum, unit } = weightOf(fn, weights, n, false);
  const masses = new Float64Array(n);
  for (let i = 0; i < n; i++) masses[i] = ((weights ? (weights.array[i] as number) : 1) * unit) / sum;
  return { points, n, width: widthOf(n), masses };
}

/** Whether they are the same points with the same masses. */
function equal(x: Cloud, y: Cloud): boolean {
  return x.n === y.n && x.masses.every((mass, i) => mass === y.masses[i]) && equalPoints(x.points, y.points);
}

function equalPoints(x: Operand, y: Operand): boolean {
  // ∞ − ∞ is no 0
  for (let i = 0; i < x.length; i++) if ((x.array[i] as number) - (y.array[i] as number) !== 0) return false;
  return true;
}

/** The box that holds all points. */
interface Box {
  /** The power of two that coordinates are multiplied by, 1 unless squares of their differences would leave the range of f64. */
  readonly unit: number;
  /** The largest cost that there can be, in that unit; NaN of what is no number. */
  readonly range: number;
}

/** Exponents of differences whose squares, and sums of these, are in range. */
const USUAL = 400;

function boxOf(clouds: readonly Cloud[], d: number, order: number): Box {
  const lows = new Float64Array(d).fill(Infinity);
  const highs = new Float64Array(d).fill(-Infinity);
  let largest = 0;
  let widest = 0;
  for (let k = 0; k < d; k++) {
    let low = Infinity;
    let high = -Infinity;
    for (const { points } of clouds) {
      for (let i = k; i < points.length; i += d) {
        low = Math.min(low, points.array[i] as number);
        high = Math.max(high, points.array[i] as number);
      }
    }
    lows[k] = low;
    highs[k] = high;
    largest = Math.max(largest, -low, high);
    // a half of it, which cannot overflow
    widest = Math.max(widest, high / 2 - low / 2);
  }
  if (!(largest < Infinity)) return { unit: 1, range: Number.NaN };
  const exponent = exponentOf(widest);
  // as far as the points' distance from 0 allows
  const unit = Math.abs(exponent) <= USUAL ? 1 : 2 ** Math.min(-exponent, 1000, 1000 - exponentOf(largest));
  let sum = 0;
  for (let k = 0; k < d; k++) {
    const width = unit * (highs[k] as number) - unit * (lows[k] as number);
    // not ** 2, which engines round differently: where ε starts is what the iterations hang on
    sum += width * width;
  }
  return { unit, range: order === 1 ? Math.sqrt(sum) : sum };
}

/** ε beyond this many times the largest cost makes no difference of more than 2^-26 of it, but takes the digits of the result. */
const LARGEST_EPSILON = 2 ** 26;

/** Points in panels of 4: coordinate k of point 4p + r stands at (p·d + k)·4 + r. */
const inPanels = (i: number, k: number, d: number): number => ((i >>> 2) * d + k) * 4 + (i & 3);

/** A cloud, and where its points stand in panels. */
interface Placed extends Cloud {
  readonly panels: Vector;
}

/** Two clouds, or one and itself. */
interface Pair {
  readonly x: Placed;
  readonly y: Placed;
}

/** What is found of a problem. */
const VALUE = 0;
const ITERATION = 1;
const CONVERGED = 2;
const MARGINAL_ERROR = 3;
const NUMBERS = 4;

/** What the gradients of the first problems with respect to x are multiplied by. */
const FACTORS = [1, -1];

/** How many sweeps each problem takes at least, mostly; and what an exponential is, in coordinates of a difference. */
const ITERATIONS = 10;
const EXPONENTIAL = 40;

const OPTIONS = /* @__PURE__ */ ["shape", "yShape", "order", "xWeights", "yWeights"].concat(CONTROLS);

type Result = SinkhornDivergenceResult & { grad: FloatArray | undefined };

function divergence(
  fn: string,
  x: unknown,
  y: unknown,
  options: SinkhornDivergenceGradOptions,
  withGrad: boolean,
): Result {
  const o = optionsOf<SinkhornDivergenceGradOptions>(fn, options, withGrad ? [...OPTIONS, "out"] : OPTIONS);
  const { shape, yShape, order: given, xWeights: xGiven, yWeights: yGiven, out } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const ySizes = sizesIn(fn, "yShape", yShape);
  const order = given === undefined ? 2 : given;
  if (typeof order !== "number") failKind(fn, "order", "the number 1 or 2", order);
  if (order !== 1 && order !== 2) failValue(fn, "order", "1 or 2", order);
  const asked = controlsOf(fn, o, 1e-6);
  const samples = samplesOf(fn, x, y, sizes, ySizes, 1, { xWeights: xGiven, yWeights: yGiven });
  const d = sameDepth(fn, samples);
  const p = cloudOf(fn, samples.x, samples.shape[0], samples.xWeights);
  const q = cloudOf(fn, samples.y, samples.yShape[0], samples.yWeights);
  const result = withGrad ? outputOf(fn, out, samples.x.bytes, samples.x.length) : undefined;
  const found = result && lasting(fn, "out", result);
  /** What takes no iterations. */
  const known = (value: number, converged: boolean): Result => {
    return { value, converged, iterations: 0, marginalError: value, grad: result?.array.fill(value) };
  };
  if (equal(p, q)) return known(0, true);
  const { unit, range } = boxOf([p, q], d, order);
  if (Number.isNaN(range)) return known(Number.NaN, false);
  // all points are one
  if (range === 0) return known(0, true);
  /** A number with the dimension of `power` coordinates, of the points that were given. */
  const unscaled = (value: number, power: number): number => {
    let result = value;
    for (let k = 0; k < power; k++) result /= unit;
    return result;
  };
  const epsilon = order === 1 ? asked.epsilon * unit : asked.epsilon * unit * unit;
  const { progress } = asked;
  const share = sharing();
  const controls = withEpsilon(
    share ? { ...asked, stop: () => share.look() } : asked,
    // beyond either end it makes no difference
    Math.min(Math.max(epsilon, range * SMALLEST_EPSILON), range * LARGEST_EPSILON),
    progress &&
      (({ iteration, marginalError, epsilon }) =>
        progress({ iteration, marginalError, epsilon: unscaled(epsilon, order) })),
  );

  const width = Math.max(p.width, q.width);
  const lengths = [
    width,
    width,
    width,
    width,
    width,
    width,
    4 * width,
    p.width * d,
    q.width * d,
    withGrad ? p.width * d : 0,
  ] as const;
  return withVectors(fn, lengths, controls.alone, (at, vectors): Result => {
    const [h, room, sums, masses, tops, totals, block, xs, ys, gs] = vectors;
    const place = (cloud: Cloud, panels: Vector): Placed => {
      for (let i = 0; i < cloud.n; i++)
        for (let k = 0; k < d; k++) panels.array[inPanels(i, k, d)] = unit * (cloud.points.array[i * d + k] as number);
      return { ...cloud, panels };
    };
    const [a, b] = [place(p, xs), place(q, ys)];
    const problems = [
      { x: a, y: b },
      { x: a, y: a },
      { x: b, y: b },
    ] as const;
    const doubles = (length: number): Float64Array => {
      const make = (): Float64Array => new Float64Array(length);
      return share ? share.output("f64", length, make, "dropped") : make();
    };
    /** Of each problem its g, and its numbers: the value, and how the iterations ended. */
    const potentials = problems.map(({ y }) => doubles(y.n));
    const numbers = doubles(NUMBERS * problems.length);

    /** The sweep of one of the problems; with `factor` that times its gradient with respect to x is added to `gs`. */
    const sweepOf = ({ x, y }: Pair): ((g: Float64Array, epsilon: number, factor?: number) => void) => {
      masses.array.fill(0);
      masses.array.set(x.masses);
      const logB = logarithms(at, room, y.masses);
      return (g, epsilon, factor = 0) => {
        exponents(h, g, epsilon, logB);
        sums.array.fill(0);
        // biome-ignore format: as the kernel declares them
        at.kernels(TRANSPORT).softenPoints(x.panels.pointer, x.width, y.panels.pointer, y.width, d, order, block.pointer, h.pointer, 1 / epsilon,
        masses.pointer, tops.pointer, totals.pointer, sums.pointer, factor ? gs.pointer : 0, factor);
      };
    };
    /** Σ a·f + Σ b·g of a problem, f being the potential of the last sweep. */
    const solve = (k: number): void => {
      const { x, y } = problems[k] as Pair;
      const sweep = sweepOf({ x, y });
      const potential = (epsilon: number): Float64Array => {
        at.kernels(TRANSPORT).logarithm(totals.pointer, totals.pointer, x.n);
        return x.masses.map((_, i) => -epsilon * ((tops.array[i] as number) + (totals.array[i] as number)));
      };
      const symmetric = x === y ? potential : undefined;
      const problem = { at, b: y.masses, total: 1, range, room, sums, sweep, symmetric };
      const { g, iterations, converged, marginalError } = ascend(problem, controls);
      const mean = (values: Float64Array, { masses }: Cloud): number =>
        values.reduce((sum, value, i) => sum + value * (masses[i] as number), 0);
      numbers.set(
        [mean(potential(controls.epsilon), x) + mean(g, y), iterations, +converged, marginalError],
        NUMBERS * k,
      );
      (potentials[k] as Float64Array).set(g);
    };
    const differentiate = (): void => {
      // with respect to both of the x that x is compared to itself with: twice the half
      FACTORS.forEach((factor, k) => {
        sweepOf(problems[k] as Pair)(potentials[k] as Float64Array, controls.epsilon, factor);
      });
      const grad = found?.();
      if (!grad) return;
      for (let i = 0; i < p.n; i++)
        for (let k = 0; k < d; k++) grad[i * d + k] = unscaled(gs.array[inPanels(i, k, d)] as number, order - 1);
    };
    const tiles = problems.length + Number(result !== undefined);
    const run = (tile: number): void => (tile < problems.length ? solve(tile) : differentiate());
    const isDone = share?.sweep({
      tiles,
      work: ITERATIONS * (p.n * p.n + p.n * q.n + q.n * q.n) * (d + EXPONENTIAL),
      elements: 0,
      barriers: { tiles: result ? [problems.length] : [], reads: potentials },
      run,
      extentsOf: (tile) => {
        const whole = { i: 0, rows: 1, of: 1 };
        if (tile === problems.length) return [{ ...whole, output: result?.array }];
        const own = { output: numbers, i: tile, rows: 1, of: problems.length };
        return [own, { ...whole, output: potentials[tile] }];
      },
    });
    if (!isDone) for (let tile = 0; tile < tiles; tile++) run(tile);

    const of = (which: number): number[] => problems.map((_, k) => numbers[NUMBERS * k + which] as number);
    const [xy, xx, yy] = of(VALUE) as [number, number, number];
    const value = xy - xx / 2 - yy / 2;
    return {
      // below 0 by rounding, or by what the tolerance leaves, alone
      value: value < 0 ? 0 : unscaled(value, order),
      converged: of(CONVERGED).every((converged) => converged === 1),
      iterations: Math.max(...of(ITERATION)),
      marginalError: Math.max(...of(MARGINAL_ERROR)),
      grad: found?.(),
    };
  });
}

/**
 * The Sinkhorn divergence of two clouds of points, OT_ε(x, y) − ½·OT_ε(x, x) − ½·OT_ε(y, y): `[n, d], [m, d] → { value, converged, iterations, marginalError }`,
 *
 *     OT_ε(x, y) = min ⟨P, C⟩ + ε·KL(P ‖ a⊗b),     C[i, j] = ‖xᵢ − yⱼ‖² or, of order 1, ‖xᵢ − yⱼ‖
 *
 * Without the entropic bias: at least 0, and 0 only for equal distributions; between the squared Wasserstein distance (ε → 0)
 * and that of the means (ε → ∞), for order 2. In f64 whatever the type; distances are made anew in every sweep, four rows at a
 * time. The dual is exact to the second order of the marginal error, by default 1e-6; what rounding and that leave below 0 is
 * returned as 0. Of equal clouds it is exactly 0. NaN or ∞ in a point gives NaN. GeomLoss halves the squared distance: its
 * value for a blur σ is half of this one for ε = 2σ².
 *
 * Points may be of any scale. An ε beyond 2²⁶ times the largest cost is taken as that: it is not told from ∞ by more than 2⁻²⁶ of
 * that cost, where the digits lost to an ε of 10¹⁶ times the cost would be all of them.
 *
 * `progress` is told of the three problems in turn, each from iteration 1 on; where `maxIterations` end one, its last
 * iterate counts.
 *
 * @throws TypeError for arguments of the wrong kind; RangeError for a wrong shape, no points, ε ≤ 0, weights that are negative or
 *   sum to 0; whatever `signal` was aborted with.
 * @example sinkhornDivergence([0, 1], [2, 3], { shape: [2, 1], epsilon: 0.1 }).value; // 3.9999…
 * @see Feydy et al., Interpolating between optimal transport and MMD using Sinkhorn divergences (2019)
 */
export function sinkhornDivergence(x: Input, y: Input, options: SinkhornDivergenceOptions): SinkhornDivergenceResult {
  const { grad: _, ...result } = divergence("sinkhornDivergence", x, y, options, false);
  return result;
}

/**
 * The same with its gradient with respect to x, [n, d]: gradᵢ = Σⱼ P[i, j]·∂C(xᵢ, yⱼ)/∂xᵢ − Σⱼ Pˣ[i, j]·∂C(xᵢ, xⱼ)/∂xᵢ, of the
 * plans P from x to y and Pˣ from x to itself (the envelope theorem: the potentials are optimal). Its error is of the first order
 * of the marginal error. In order 1, points that meet do not pull each other.
 *
 * @throws as `sinkhornDivergence`.
 * @example sinkhornDivergenceWithGrad([0, 1], [2, 3], { shape: [2, 1], epsilon: 0.1 }).grad; // Float64Array [-2.0000…, -2.0000…]
 */
export function sinkhornDivergenceWithGrad<
  X extends Input,
  Y extends Input = Input,
  A extends Input | undefined = undefined,
  B extends Input | undefined = undefined,
>(
  x: X,
  y: Y,
  options: SinkhornDivergenceGradOptions<ResultOf<X, Y, A, B>, A, B>,
): SinkhornDivergenceResult & { grad: ResultOf<X, Y, A, B> } {
  return divergence("sinkhornDivergenceWithGrad", x, y, options, true) as SinkhornDivergenceResult & {
    grad: ResultOf<X, Y, A, B>;
  };
}
