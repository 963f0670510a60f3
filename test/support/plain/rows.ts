/** Rows of numbers, distributions and reductions: what the plain functions of rows have in common. */
import { rowsOf, sum } from "../reference.ts";
import type { DType } from "../variants.ts";
import { ANYTHING, type Estimate, type Expected, type Given, leastOf } from "./near.ts";

/** The rounding of f64, in which the plain functions compute. */
export const U = 2 ** -53;

export type From = "probabilities" | "logProbabilities" | "logits";

export interface Rows {
  readonly rows: number;
  readonly n: number;
  /** Where element i of row r stands. */
  readonly at: (r: number, i: number) => number;
  readonly row: (array: Float64Array, r: number) => Float64Array;
}

/** The rows of an array along the call's axis. */
export function rowsAlong({ shapes, options }: Given, name: string): Rows {
  const shape = shapes[name] as readonly number[];
  // a scalar is a row of one
  const layout = rowsOf(shape.length ? shape : [1], (options["axis"] as number | undefined) ?? -1);
  const row = (array: Float64Array, r: number): Float64Array =>
    Float64Array.from({ length: layout.n }, (_, i) => array[layout.at(r, i)] as number);
  return { ...layout, row };
}

/** Writes the numbers of each row to where they stand. */
export function scatter(length: number, rows: Rows, of: (r: number) => readonly Estimate[]): readonly Estimate[] {
  const all: Estimate[] = new Array(length);
  for (let r = 0; r < rows.rows; r++)
    of(r).forEach((one, i) => {
      all[rows.at(r, i)] = one;
    });
  return all;
}

/** 1/ln base. */
export const factorOf = ({ options }: Given): number =>
  options["base"] === undefined ? 1 : 1 / Math.log(options["base"] as number);

/** Losses of rows, or what else is reduced: each of them, their sum, or that over `divisor`. */
export function reduced(
  { dtype, options }: Given,
  losses: readonly Estimate[],
  divisor: number,
  byDefault = "mean",
): Expected {
  const reduction = options["reduction"] ?? byDefault;
  if (reduction === "none") return { numbers: losses.map((one) => rounded(dtype, one)) };
  const by = reduction === "mean" ? divisor : 1;
  const value = sum(losses.length, (i) => (losses[i] as Estimate).value) / by;
  const error = losses.reduce((total, one) => total + one.error, 0);
  const size = losses.reduce((total, one) => total + Math.abs(one.value), 0);
  // a sum of finite terms may overflow in another order
  if (size === Infinity && losses.every((one) => Number.isFinite(one.value))) return ANYTHING;
  return { value, error: Math.abs((error + 4 * U * losses.length * (size || 0)) / by) };
}

/** As an element of an array of the type. */
export const rounded = (dtype: DType, { value, error }: Estimate): Estimate => ({
  value,
  error: error + 1.01 * dtype.unit * Math.abs(value) + leastOf(dtype),
});

/** A row as a distribution. */
export interface Distribution {
  readonly p: Float64Array;
  readonly log: Float64Array;
  /** NaN is all that can be made of it. */
  readonly bad: boolean;
  /** What its probabilities were divided by. */
  readonly total: number;
  /** How far the largest logit is ahead of the next, and of the last that counts. */
  readonly lead: number;
  readonly span: number;
}

const BAD = (n: number): Distribution => ({
  p: new Float64Array(n).fill(NaN),
  log: new Float64Array(n).fill(NaN),
  bad: true,
  total: NaN,
  lead: 0,
  span: 0,
});

/** e^x below which nothing is left of e^0 in f64, whatever is multiplied by it. */
const DEEP = 750;

/** log(v/top) without loss where the two are near. */
const logRatio = (v: number, top: number): number =>
  v > top / 2 ? Math.log1p((v - top) / top) : Math.log(v) - Math.log(top);

/** log-probabilities of values log vᵢ − log top, the largest of which is 0: the largest loses no digits near 0. */
function normalized(z: Float64Array, first: number, total: number): Distribution {
  const rest = sum(z.length, (i) => (i === first ? 0 : Math.exp(z[i] as number)));
  const logSum = Math.log1p(rest);
  const others = z.filter((_, i) => i !== first);
  const finite = others.filter((v) => v > -DEEP);
  return {
    p: z.map((v) => Math.exp(v) / (1 + rest)),
    log: z.map((v) => v - logSum),
    bad: false,
    total,
    lead: Math.min(DEEP, -others.reduce((a, b) => Math.max(a, b), -DEEP)),
    span: -finite.reduce((a, b) => Math.min(a, b), 0),
  };
}

const indexOfMax = (row: Float64Array): number => row.reduce((best, v, i) => (v > (row[best] as number) ? i : best), 0);

/** (x − top)/T, which does not overflow before it is divided. */
export const shifted = (x: number, top: number, temperature: number): number =>
  x === top ? 0 : ((x / 2 - top / 2) / temperature) * 2;

/** The distribution of a row of logits. */
export function ofLogits(row: Float64Array, temperature = 1): Distribution {
  const first = indexOfMax(row);
  const top = row[first] as number;
  if (row.length === 0 || row.some(Number.isNaN) || Math.abs(top) === Infinity) return BAD(row.length);
  return normalized(
    row.map((v) => shifted(v, top, temperature)),
    first,
    1,
  );
}

/** The distribution of a row of numbers of a kind. */
export function distributionOf(row: Float64Array, from: From, normalize: boolean, temperature = 1): Distribution {
  if (from === "logits" || (from === "logProbabilities" && normalize)) return ofLogits(row, temperature);
  if (row.some((v) => Number.isNaN(v))) return BAD(row.length);
  if (from === "logProbabilities")
    return { p: row.map(Math.exp), log: row, bad: false, total: 1, lead: 0, span: spanOf(row) };
  if (row.some((v) => v < 0)) return BAD(row.length);
  const log = row.map((v) => Math.log(v));
  if (!normalize) return { p: row, log, bad: false, total: 1, lead: 0, span: 0 };
  const first = indexOfMax(row);
  const top = row[first] as number;
  if (!(top > 0 && top < Infinity)) return BAD(row.length);
  const z = row.map((v) => logRatio(v, top));
  // over the largest, for the sum may overflow
  const share = sum(row.length, (i) => (row[i] as number) / top);
  return { ...normalized(z, first, share * top), p: row.map((v) => v / top / share), span: 0 };
}

const spanOf = (row: Float64Array): number =>
  Math.min(
    DEEP,
    row.reduce((most, v) => Math.max(most, Math.abs(v)), 0),
  );
