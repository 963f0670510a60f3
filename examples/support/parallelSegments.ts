/** The two parallel segments of Arjovsky, Chintala & Bottou, Wasserstein GAN (2017), example 1, on a grid. */
import { emd, jsDivergence, klDivergence } from "surprisal";

/** Columns of the grid a unit of x, and cells that a segment takes: one column from y = 0 to 1. */
const COLUMNS = 32;
const CELLS = 8;

export interface Reading {
  readonly theta: number;
  readonly kl: number;
  readonly js: number;
  readonly wasserstein: number;
}

/** θ from −1 to 1, in steps of a column. */
export const THETAS: readonly number[] = Array.from({ length: 2 * COLUMNS + 1 }, (_, i) => i / COLUMNS - 1);

/** P is uniform on {0} × [0, 1], Q on {θ} × [0, 1]; θ is in THETAS. */
export function readingAt(theta: number): Reading {
  const [p, q] = [0, theta].map(segmentAt) as [Float64Array, Float64Array];
  // in the plane, between the middles of the cells
  const masses = new Float64Array(CELLS).fill(1 / CELLS);
  const cost = Float64Array.from({ length: CELLS * CELLS }, (_, k) =>
    Math.hypot(theta, (Math.floor(k / CELLS) - (k % CELLS)) / CELLS),
  );
  return { theta, kl: klDivergence(p, q), js: jsDivergence(p, q), wasserstein: emd(masses, masses, cost).cost };
}

/** The masses of the cells, column by column. */
function segmentAt(theta: number): Float64Array {
  const column = THETAS.indexOf(theta);
  if (column < 0) throw new RangeError(`segmentAt: θ must be a multiple of 1/${COLUMNS} from −1 to 1, got ${theta}`);
  return new Float64Array(THETAS.length * CELLS).fill(1 / CELLS, column * CELLS, (column + 1) * CELLS);
}
