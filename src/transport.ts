/** What functions of two masses and a matrix of costs read them with. */
import { failValue } from "./check.ts";
import { CompensatedSum } from "./reduction.ts";
import { elementsOfBoth, shapeOf } from "./tensor.ts";
import type { FloatArray, Input } from "./types.ts";

/** Masses a [n] and b [m], checked and in f64, and costs [n, m] as they are; `slack`: what mass may be lost to rounding. */
export interface Problem {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly cost: FloatArray;
  readonly total: number;
  readonly slack: number;
}

/** Masses in f64, not negative and not all 0, with their sum. */
function massesOf(fn: string, name: string, given: FloatArray): [Float64Array, number] {
  const masses = Float64Array.from(given);
  const sum = new CompensatedSum();
  masses.forEach((mass, i) => {
    if (!(mass >= 0 && mass < Infinity)) failValue(fn, `${name}[${i}]`, "finite and not negative", mass);
    sum.add(mass);
  });
  if (!(sum.value > 0 && sum.value < Infinity)) failValue(fn, name, "masses of a positive, finite sum", given);
  return [masses, sum.value];
}

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
  const [rows, total] = massesOf(fn, "a", p);
  const [columns, other] = massesOf(fn, "b", q);
  // √(2u): sums made in the type of the data pass
  const slack = total * (c.BYTES_PER_ELEMENT === 4 ? 2 ** -11.5 : 2 ** -26);
  if (!(Math.abs(other - total) <= slack)) failValue(fn, "b", `of the sum of "a", ${total}`, other);
  return { a: rows, b: columns.map((mass) => mass * (total / other)), cost: c, total, slack };
}
