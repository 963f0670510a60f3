/**
 * Rows less the means of all rows, as `gram` takes them away: sums of columns in f64, row after row, and each difference rounded once, so that
 * tiles of centred rows have the bits of the whole. A thread reads all rows for the means once a job, as it does for their digest.
 */
import { type FloatArray, type InputSpec, type Spec, sizeOf } from "./types.ts";

/** Means in a unit, a power of two, in which sums of columns neither overflow nor are subnormal. */
export interface Centring {
  readonly means: Float64Array;
  readonly unit: number;
}

/** Of numbers below 2^960 as many as there can be have a finite sum; those below 2^-400 are far from the largest in 2^600ths. */
const [LARGE, SMALL] = [2 ** 960, 2 ** -400];
const [DOWN, UP] = [2 ** -64, 2 ** 600];

/** That of the job before: threads make tiles of one job after the other. */
let known: { readonly key: string; readonly centring: Centring } | undefined;

/** Drops it: it may be of rows that were changed while they were read. */
export function forget(): void {
  known = undefined;
}

type Rows = (from: number, count: number) => Promise<FloatArray>;

interface Columns {
  readonly sums: Float64Array;
  readonly lows: Float64Array;
  readonly highs: Float64Array;
}

/** Σᵢ unit·x[i, k] of each column, and its extremes; a NaN is passed over by these. */
async function columnsOf(rows: Rows, n: number, d: number, step: number, unit: number): Promise<Columns> {
  const sums = new Float64Array(d);
  const lows = new Float64Array(d).fill(Infinity);
  const highs = new Float64Array(d).fill(-Infinity);
  for (let from = 0; from < n; from += step) {
    const count = Math.min(step, n - from);
    const x = await rows(from, count);
    for (let i = 0, at = 0; i < count; i++)
      for (let k = 0; k < d; k++, at++) {
        const value = x[at] as number;
        sums[k] = (sums[k] as number) + unit * value;
        if (value < (lows[k] as number)) lows[k] = value;
        if (value > (highs[k] as number)) highs[k] = value;
      }
  }
  return { sums, lows, highs };
}

/** @see centringOf in surprisal's src/place/prepare.ts, which this follows step by step. */
export async function centringOf(spec: Spec, name: string, rows: Rows): Promise<Centring> {
  const [n, d] = sizeOf(spec, name);
  const { sha256, columns: of } = spec.inputs[name] as InputSpec;
  const key = `${sha256} ${of?.join("\0")}`;
  if (known?.key === key) return known.centring;
  const step = Math.min(spec.grid.edge, n);
  let unit = 1;
  let columns = await columnsOf(rows, n, d, step, unit);
  const largest = columns.lows.reduce((most, low, k) => Math.max(most, -low, columns.highs[k] as number), 0);
  if (largest > LARGE) unit = DOWN;
  else if (largest > 0 && largest < SMALL) unit = UP;
  if (unit !== 1) columns = await columnsOf(rows, n, d, step, unit);
  const { sums, lows, highs } = columns;
  // a mean lies between the extremes, rounded or not: of equal numbers it is their value, and nothing is left of them
  const means = sums.map((sum, k) =>
    Math.min(Math.max(sum / n, unit * (lows[k] as number)), unit * (highs[k] as number)),
  );
  known = { key, centring: { means, unit } };
  return known.centring;
}

/** Moves rows of d numbers, where they are. */
export function centre(x: FloatArray, d: number, { means, unit }: Centring): FloatArray {
  for (let at = 0; at < x.length; )
    for (let k = 0; k < d; k++, at++) x[at] = (unit * (x[at] as number) - (means[k] as number)) / unit;
  return x;
}
