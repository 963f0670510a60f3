/** What functions of masses read them with, and of costs. */
import { failValue } from "./check.ts";
import { CompensatedSum } from "./reduction.ts";
import { elementsOfBoth, shapeOf } from "./tensor.ts";
import type { FloatArray, Input } from "./types.ts";

/** The sum of masses, which are not negative and not all 0; where `unknown` ones may be, NaN of a NaN. */
function totalOf(fn: string, name: string, masses: FloatArray, unknown: boolean): number {
  const sum = new CompensatedSum();
  for (let i = 0; i < masses.length; i++) {
    const mass = masses[i] as number;
    if (!(mass >= 0 && mass < Infinity) && !(unknown && Number.isNaN(mass)))
      failValue(fn, `${name}[${i}]`, "finite and not negative", mass);
    sum.add(mass);
  }
  if (sum.value === 0 || sum.value === Infinity) failValue(fn, name, "masses of a positive, finite sum", sum.value);
  return sum.value;
}

/** The weights of `points`, the argument "x" of "xWeights", and their sum; none, if all n are alike. */
export function weightsOf(
  fn: string,
  name: string,
  points: FloatArray,
  n: number,
  given: unknown,
  unknown: boolean,
): [FloatArray | undefined, number] {
  if (given === undefined) return [undefined, n];
  const weights = elementsOfBoth(fn, name[0] as string, points, name, given)[1];
  if (weights.length !== n) failValue(fn, name, `of length ${n}, one for each point`, weights);
  return [weights, totalOf(fn, name, weights, unknown)];
}

/** Masses a [n] and b [m], checked and in f64, and costs [n, m] as they are. */
export interface Problem {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly cost: FloatArray;
  readonly total: number;
  /** What mass may be lost to rounding. */
  readonly slack: number;
  /** Finite costs are from `low` to `high`; +∞ and −∞ if there is none. */
  readonly low: number;
  readonly high: number;
}

/** Costs up to here add up along any path. */
const LIMIT = 1e270;

/** The arguments, b scaled to the sum of a. */
export function problemOf(fn: string, a: Input, b: Input, cost: Input): Problem {
  // a number[] adopts the type of whichever is none
  const named = Object.entries({ cost, a, b });
  const [name, like] = named.find(([, given]) => !Array.isArray(given)) ?? ["a", a];
  const [c, p, q] = named.map(([argument, given]) => elementsOfBoth(fn, name, like, argument, given)[1]) as [
    FloatArray,
    FloatArray,
    FloatArray,
  ];
  const shape = shapeOf(fn, cost, undefined, c.length, "cost");
  if (c.length !== p.length * q.length || (shape.length !== 1 && (shape.length !== 2 || shape[0] !== p.length)))
    failValue(fn, "cost", `of shape [${p.length}, ${q.length}]`, shape);
  const total = totalOf(fn, "a", p, false);
  const other = totalOf(fn, "b", q, false);
  // √(2u): sums made in the type of the data pass
  const slack = total * (c.BYTES_PER_ELEMENT === 4 ? 2 ** -11.5 : 2 ** -26);
  if (!(Math.abs(other - total) <= slack)) failValue(fn, "b", `of the sum of "a", ${total}`, other);
  let low = Infinity;
  let high = -Infinity;
  for (let k = 0; k < c.length; k++) {
    const value = c[k] as number;
    if (value === Infinity) continue;
    if (!(Math.abs(value) <= LIMIT))
      failValue(fn, `cost[${k}]`, `a number from -${LIMIT} to ${LIMIT}, or Infinity`, value);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const masses = (given: FloatArray, scale: number) => Float64Array.from(given, (mass) => mass * scale);
  return { a: masses(p, 1), b: masses(q, total / other), cost: c, total, slack, low, high };
}
