/** What functions of masses read them with, and of costs. */
import { failValue } from "./check.ts";
import { CompensatedSum } from "./reduction.ts";
import { elementsOfBoth, shapeOf } from "./tensor.ts";
import type { FloatArray, Input } from "./types.ts";

/** Σ unit·mass. The unit is a power of two, 1 unless the sum would overflow or consist of subnormal numbers. */
export interface Total {
  readonly sum: number;
  readonly unit: number;
}

/** The total of `count` masses from an index on; NaN where one is negative or no number. */
export function totalOf(masses: FloatArray, from: number, count: number): Total {
  const plain = new CompensatedSum();
  for (let i = from; i < from + count; i++) {
    const mass = masses[i] as number;
    plain.add(mass < 0 ? Number.NaN : mass);
  }
  if (!(plain.value > 2 ** 900 || (plain.value > 0 && plain.value < 2 ** -900))) return { sum: plain.value, unit: 1 };
  const unit = plain.value > 1 ? 2 ** -900 : 2 ** 900;
  const sum = new CompensatedSum();
  for (let i = from; i < from + count; i++) sum.add(unit * (masses[i] as number));
  return { sum: sum.value, unit };
}

/** The same of an argument, whose masses are finite, not negative and not all 0; where `unknown` ones may be, NaN of a NaN. */
function checkedTotalOf(fn: string, name: string, masses: FloatArray, unknown: boolean): Total {
  const total = totalOf(masses, 0, masses.length);
  if (total.sum === 0) failValue(fn, name, "masses of a positive sum", total.sum);
  // a finite sum has no mass that is not
  for (let i = 0; !(total.sum < Infinity) && i < masses.length; i++) {
    const mass = masses[i] as number;
    if (!(mass >= 0 && mass < Infinity) && !(unknown && Number.isNaN(mass)))
      failValue(fn, `${name}[${i}]`, "finite and not negative", mass);
  }
  return total;
}

/** The weights of `points`, the argument "x" of "xWeights", and their total; none, if all n are alike. */
export function weightsOf(
  fn: string,
  name: string,
  points: FloatArray,
  n: number,
  given: unknown,
  unknown: boolean,
): [FloatArray | undefined, Total] {
  if (given === undefined) return [undefined, { sum: n, unit: 1 }];
  const weights = elementsOfBoth(fn, name[0] as string, points, name, given)[1];
  if (weights.length !== n) failValue(fn, name, `of length ${n}, one for each point`, weights);
  return [weights, checkedTotalOf(fn, name, weights, unknown)];
}

/** Masses a [n] and b [m], checked, in f64 and times `unit`, and costs [n, m] as they are. */
export interface Problem {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly cost: FloatArray;
  /** The power of two that masses are multiplied by, which plans and their costs have yet to be divided by. */
  readonly unit: number;
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
  const { sum: total, unit } = checkedTotalOf(fn, "a", p, false);
  const given = checkedTotalOf(fn, "b", q, false);
  const other = given.sum * (unit / given.unit);
  // √(2u): sums made in the type of the data pass
  const slack = total * (c.BYTES_PER_ELEMENT === 4 ? 2 ** -11.5 : 2 ** -26);
  if (!(Math.abs(other - total) <= slack)) failValue(fn, "b", `of the sum of "a", ${total / unit}`, other / unit);
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
  const masses = (given: FloatArray, factor: number) => Float64Array.from(given, (mass) => mass * unit * factor);
  return { a: masses(p, 1), b: masses(q, total / other), cost: c, unit, total, slack, low, high };
}
