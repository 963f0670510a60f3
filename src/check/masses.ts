/** Reads masses, and costs of moving them. */
import { failValue } from "../errors.ts";
import { CompensatedSum } from "../read/sum.ts";
import type { FloatArray } from "../types.ts";
import { inWords, type Operand, operandsOf, shapeOf } from "./tensor.ts";

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
  const { value } = plain;
  if (!(value > 2 ** 900 || (value > 0 && value < 2 ** -900))) return { sum: value, unit: 1 };
  const unit = value > 1 ? 2 ** -900 : 2 ** 900;
  const scaled = new CompensatedSum();
  for (let i = from; i < from + count; i++) scaled.add(unit * (masses[i] as number));
  return { sum: scaled.value, unit };
}

/** The same of an argument, whose masses are finite, not negative and not all 0; where `unknown` ones may be, NaN of a NaN. */
function checkedTotalOf(fn: string, { array, length, name }: Operand, unknown: boolean): Total {
  const total = totalOf(array, 0, length);
  if (total.sum === 0) failValue(fn, name, "masses of a positive sum", total.sum);
  // where the sum is finite, so is every mass
  for (let i = 0; !(total.sum < Infinity) && i < length; i++) {
    const mass = array[i] as number;
    if (!(mass >= 0 && mass < Infinity) && !(unknown && Number.isNaN(mass)))
      failValue(fn, `${name}[${i}]`, "finite and not negative", mass);
  }
  return total;
}

/** The total of the weights of n points; of points without weights, n. */
export function weightOf(fn: string, weights: Operand | undefined, n: number, unknown: boolean): Total {
  if (!weights) return { sum: n, unit: 1 };
  if (weights.length !== n) failValue(fn, weights.name, `of length ${n}, one for each point`, weights.array);
  return checkedTotalOf(fn, weights, unknown);
}

/** Masses a [n] and b [m], checked, in f64 and times `unit`, and costs [n, m] as they are. */
export interface Problem {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly cost: FloatArray;
  /** Of an element of the costs. */
  readonly bytes: number;
  /** The power of two that masses are multiplied by, which plans and what they cost have yet to be divided by. */
  readonly unit: number;
  readonly total: number;
  /** What mass may be lost to rounding. */
  readonly slack: number;
  /** Finite costs are from `low` to `high`; +∞ and −∞ if there is none. */
  readonly low: number;
  readonly high: number;
  /** Whether a cost is +∞. */
  readonly forbids: boolean;
}

/** Costs up to here add up along any path. */
const LIMIT = 1e270;

/** √(2u) of a type: sums made in it pass. */
const SLACK32 = 2 ** -11.5;
const SLACK64 = 2 ** -26;

/**
 * What the sum of masses may be off by in f64, relatively. Those that have been f32 once were perhaps normalised in it, by a sum that n
 * roundings went into; few of them, as 0 and 1 are, explain no more than a few.
 */
function slackOf({ array, length }: Operand): number {
  for (let i = 0; i < length; i++) if (Math.fround(array[i] as number) !== array[i]) return 0;
  return length * 2 ** -23;
}

/** The arguments, b scaled to the sum of a. */
export function problemOf(fn: string, a: unknown, b: unknown, cost: unknown): Problem {
  const [p, q, c] = operandsOf(fn, [
    ["a", a],
    ["b", b],
    ["cost", cost],
  ]);
  const shape = shapeOf(fn, c, undefined, "cost");
  if (c.length !== p.length * q.length || (shape.length !== 1 && (shape.length !== 2 || shape[0] !== p.length)))
    failValue(fn, "cost", `of shape ${inWords([p.length, q.length])}`, undefined, inWords(shape));
  const { sum: total, unit } = checkedTotalOf(fn, p, false);
  const given = checkedTotalOf(fn, q, false);
  const other = given.sum * (unit / given.unit);
  const slack = total * (c.bytes === 4 ? SLACK32 : Math.min(SLACK32, SLACK64 + slackOf(p) + slackOf(q)));
  if (!(Math.abs(other - total) <= slack))
    failValue(fn, "b", `of the sum of "a", ${total / unit}`, given.sum / given.unit);
  let low = Infinity;
  let high = -Infinity;
  let forbids = false;
  for (let k = 0; k < c.length; k++) {
    const value = c.array[k] as number;
    if (value === Infinity) {
      forbids = true;
      continue;
    }
    if (!(Math.abs(value) <= LIMIT))
      failValue(fn, `cost[${k}]`, `a number from -${LIMIT} to ${LIMIT}, or Infinity`, value);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const masses = ({ array, length }: Operand, factor: number): Float64Array => {
    const scaled = new Float64Array(length);
    for (let i = 0; i < length; i++) scaled[i] = (array[i] as number) * unit * factor;
    return scaled;
  };
  return {
    a: masses(p, 1),
    b: masses(q, total / other),
    cost: c.array,
    bytes: c.bytes,
    unit,
    total,
    slack,
    low,
    high,
    forbids,
  };
}
