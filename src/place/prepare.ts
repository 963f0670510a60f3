/**
 * What is learned of an operand before its products are taken, and makes their range or their digits better: the unit in which distances
 * stay in range, the means that are taken from columns, the norms that rows are divided by. A matrix that carries them is prepared
 * block by block as it is staged (blocks.ts). All of it is made once where a call is divided among threads: it is plain data.
 */
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { exponentOf } from "../memory/scalar.ts";
import { once } from "../share.ts";
import {
  type Centring,
  type Matrix,
  type Norms,
  type Product,
  placeUnits,
  planOf,
  productOf,
  stage,
  vectorsAt,
} from "./blocks.ts";

/** What is known of the columns of a matrix. */
interface Columns {
  /** Σᵢ unit·x[i, k] of column k. */
  readonly sums: Float64Array;
  /** The extremes of x[i, k]; a NaN is passed over. */
  readonly lows: Float64Array;
  readonly highs: Float64Array;
}

/** Of x, which is to be as it came, in f64; in the scratch of the product of x and itself. */
function columnsOf(arena: Arena, scratch: number, product: Product, unit: number): Columns {
  const { x: m, depth } = product;
  const { bytes: size } = m;
  const plan = planOf(product);
  const sums = new Float64Array(depth);
  const lows = new Float64Array(depth).fill(Infinity);
  const highs = new Float64Array(depth).fill(-Infinity);
  const a = scratch + plan.a;
  const vectors = vectorsAt(scratch, plan);
  const [sumsAt, lowsAt, highsAt] = vectors;
  for (let k = 0; k < depth; k += plan.chunk) {
    const count = Math.min(plan.chunk, depth - k);
    arena.copyIn(sums, 8, k, count, sumsAt);
    arena.copyIn(lows, 8, k, count, lowsAt, 1, size);
    arena.copyIn(highs, 8, k, count, highsAt, 1, size);
    for (let i = 0; i < m.rows; i += plan.side) {
      const rows = Math.min(plan.side, m.rows - i);
      const stride = stage(arena, m, depth, i, rows, k, count, a, vectors);
      arena.typed(GRAM, size).columnSums(a, stride, rows, count, unit, sumsAt, lowsAt, highsAt);
    }
    arena.copyOut(sumsAt, count, sums, 8, k);
    arena.copyOut(lowsAt, count, lows, size, k);
    arena.copyOut(highsAt, count, highs, size, k);
  }
  return { sums, lows, highs };
}

/** max |x|; a NaN is passed over. */
function largestOf({ lows, highs }: Columns): number {
  return lows.reduce((most, low, k) => Math.max(most, -low, highs[k] as number), 0);
}

/** Whether distances are in range without a unit: γ is nothing out of the way. */
export function isUsual(bytes: number, gamma: number): boolean {
  return gamma !== 0 && Math.abs(exponentOf(gamma)) <= (bytes === 4 ? 64 : 500);
}

/**
 * What brings matrices into the range in which `gamma` times the distances of their rows, squared or not, is neither 0 nor beyond
 * all numbers: with the power of two s, γ/s² (or γ/s) is near 1, and takes the place of γ. In f32, say, with γ = 1e-40 points 1e20
 * apart have a kernel of e^-1, but a squared distance of 1e40. Where γ is no such number, s is 1. At most as large as the
 * elements allow. In the scratch of the products of each and itself.
 */
export function rangeOf(
  arena: Arena,
  scratch: number,
  matrices: readonly [Matrix, ...Matrix[]],
  depth: number,
  squared: boolean,
  gamma: number,
): { readonly unit: number; readonly gamma: number } {
  return once(() => {
    const { bytes } = matrices[0];
    if (isUsual(bytes, gamma)) return { unit: 1, gamma };
    // the exponents of the largest number, and of the largest unit
    const [top, most] = bytes === 4 ? [125, 100] : [1021, 600];
    const exponent = gamma === 0 ? -Infinity : exponentOf(gamma);
    let wanted = Math.min(Math.max(Math.round(exponent / (squared ? 2 : 1)), -most), most);
    if (wanted > 0) {
      const exponents = matrices.map((x) => exponentIn(arena, scratch, x, depth).exponent);
      wanted = Math.max(0, Math.min(wanted, top - Math.max(...exponents)));
    }
    const unit = 2 ** wanted;
    return { unit, gamma: squared ? gamma / unit / unit : gamma / unit };
  });
}

/**
 * How x is centred: its means by columns, in a unit in which their sums neither overflow nor are subnormal. With `scaled` it is left
 * multiplied by the power of two that brings the largest difference from a mean into [1, 2).
 */
export function centringOf(arena: Arena, scratch: number, product: Product, scaled: boolean): Centring {
  return once(() => {
    let unit = 1;
    let columns = columnsOf(arena, scratch, product, unit);
    const largest = largestOf(columns);
    // of numbers below 2^960 as many as there can be have a finite sum; those below 2^-400 are far from the largest in 2^600ths
    if (largest > 2 ** 960) unit = 2 ** -64;
    else if (largest > 0 && largest < 2 ** -400) unit = 2 ** 600;
    if (unit !== 1) columns = columnsOf(arena, scratch, product, unit);
    const { sums, lows, highs } = columns;
    const { rows } = product.x;
    // a mean lies between the extremes, rounded or not: of equal numbers it is their value, and nothing is left of them
    const means = sums.map((sum, k) =>
      Math.min(Math.max(sum / rows, unit * (lows[k] as number)), unit * (highs[k] as number)),
    );
    if (!scaled) return { means, unit, factor: 1 / unit };
    const spread = means.reduce(
      (most, mean, k) => Math.max(most, unit * (highs[k] as number) - mean, mean - unit * (lows[k] as number)),
      0,
    );
    return { means, unit, factor: spread > 0 && spread < Infinity ? 2 ** -Math.max(exponentOf(spread), -1000) : 1 };
  });
}

/**
 * The exponent of the largest finite number of a matrix, 0 without any, and whether all are finite; NaN is passed over. In the scratch of
 * its product with itself.
 */
export function exponentIn(
  arena: Arena,
  scratch: number,
  x: Matrix,
  depth: number,
): { readonly exponent: number; readonly finite: boolean } {
  return once(() => {
    const columns = columnsOf(arena, scratch, productOf(x, undefined, depth), 1);
    if (largestOf(columns) < Infinity) return { exponent: finiteExponent(columns, undefined), finite: true };
    // the extremes of a column with an infinite number do not tell what else is in it
    let most = 0;
    for (let i = x.start, end = x.start + x.rows * depth; i < end; i++) {
      const size = Math.abs(x.array[i] as number);
      if (size > most && size < Infinity) most = size;
    }
    return { exponent: exponentOver(most), finite: false };
  });
}

/** The exponent of a size, of subnormal ones −1000 at least; 0 of none. */
const exponentOver = (most: number): number => (most > 0 ? Math.max(exponentOf(most), -1000) : 0);

/** That of the largest difference from means, in the columns where it is finite. */
function finiteExponent({ lows, highs }: Columns, means: Float64Array | undefined): number {
  let most = 0;
  lows.forEach((low, k) => {
    const mean = means?.[k] ?? 0;
    const far = Math.max((highs[k] as number) - mean, mean - low);
    if (far < Infinity) most = Math.max(most, far);
  });
  return exponentOver(most);
}

/**
 * How two matrices are centred alike, so that the products of their rows tell their distances, and brought to about 1: by the means of
 * the columns of both, as far as these are finite. In the scratch of the product of each and itself.
 */
export function commonCentring(
  arena: Arena,
  scratch: number,
  matrices: readonly [Matrix, ...Matrix[]],
  depth: number,
): Centring {
  return once(() => {
    const all = matrices.map((x) => columnsOf(arena, scratch, productOf(x, undefined, depth), 1));
    const rows = matrices.reduce((sum, x) => sum + x.rows, 0);
    const join = (of: (columns: Columns) => Float64Array, by: (a: number, b: number) => number): Float64Array =>
      new Float64Array(depth).map((_, k) => all.map((one) => of(one)[k] as number).reduce(by));
    const lows = join((one) => one.lows, Math.min);
    const highs = join((one) => one.highs, Math.max);
    const sums = join(
      (one) => one.sums,
      (a, b) => a + b,
    );
    // where columns are centred matters to the digits of their products, not to distances: a column with a NaN, or of too large a sum,
    // takes the middle of its extremes
    const means = sums.map((sum, k) => {
      const middle = (lows[k] as number) / 2 + (highs[k] as number) / 2;
      const mean = sum / rows;
      return Number.isFinite(mean) ? mean : Number.isFinite(middle) ? middle : 0;
    });
    return { means, unit: 1, factor: 2 ** -finiteExponent({ sums, lows, highs }, means) };
  });
}

/** The Euclidean norm of each row of x, in units in which its square is in range; 1 for a row of zeros, which then stays one. */
export function normsOf(arena: Arena, scratch: number, product: Product): Norms {
  return once(() => {
    let units: Float64Array | undefined;
    const norms = squaresOf(arena, scratch, product);
    // squares of f32 are always in range; of f64, where a sum is within these, no square that counts was subnormal
    const far = (sum: number): boolean => sum < 2 ** -800 || sum > 2 ** 800;
    if (product.x.bytes === 8 && norms.some(far)) {
      units = norms.map((sum) => (far(sum) ? (sum < 1 ? 2 ** 600 : 2 ** -600) : 1));
      norms.set(squaresOf(arena, scratch, product, units));
    }
    const zeros: number[] = [];
    norms.forEach((sum, i) => {
      if (sum === 0) zeros.push(i);
      norms[i] = sum === 0 ? 1 : Math.sqrt(sum);
    });
    return { units, norms, zeros };
  });
}

/**
 * Σₖ (units[i]·x[i, k])² of each row of x, centred or as it came, in f64, the units being 1 unless given; in the scratch of the product of
 * x and itself.
 */
export function squaresOf(arena: Arena, scratch: number, product: Product, units?: Float64Array): Float64Array {
  return once(() => {
    const { x: m, depth } = product;
    const plan = planOf(product);
    const sums = new Float64Array(m.rows);
    const a = scratch + plan.a;
    const vectors = vectorsAt(scratch, plan);
    // the first takes the means
    const [, unitsAt, sumsAt] = vectors;
    for (let i = 0; i < m.rows; i += plan.side) {
      const rows = Math.min(plan.side, m.rows - i);
      placeUnits(arena, units, i, rows, unitsAt);
      arena.copyIn(sums, 8, i, rows, sumsAt);
      for (let k = 0; k < depth; k += plan.chunk) {
        const count = Math.min(plan.chunk, depth - k);
        const stride = stage(arena, m, depth, i, rows, k, count, a, vectors);
        arena.typed(GRAM, m.bytes).rowSquares(a, stride, rows, count, unitsAt, sumsAt);
      }
      arena.copyOut(sumsAt, rows, sums, 8, i);
    }
    return sums;
  });
}
