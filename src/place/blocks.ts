/**
 * Streams the products of matrices through linear memory, block by block: C[i, j] = Σₖ f(A[i, k], B[j, k]).
 *
 *     scratch   │ A: rows of a block │ B, unless it is A │ packed B │ C, and one tile beyond │ totals of C │ vectors │
 *
 * A block of C has at most SIDE rows and columns, and is summed over k chunk by chunk. What becomes of a finished block is
 * the caller's: it is mapped, mirrored, copied out or summed, and never is more than one of them in memory.
 */

import * as CODE from "../../assembly/gram/codes.ts";
import type { Operand } from "../check/tensor.ts";
import { type Arena, GROUP_BYTES } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { exponentOf } from "../memory/scalar.ts";
import { scratch } from "../memory/scratch.ts";
import type { FloatArray } from "../types.ts";
import { apart, type Output } from "./output.ts";

/** Rows and columns of a block at most: every operand is read n / side times. */
const SIDE = 1024;

/** The same where rows are short, and what is written is more than what is read: [2000, 64] takes 0.8 to 0.9 of the time. */
const SMALL_SIDE = 512;

/** The part of these that f64 has, and f64 with totals beside the block: with it no scratch is larger than 13.5 MiB. */
const WIDE = 15 / 16;
const WIDE_WITH_TOTALS = 11 / 16;

/** Terms that the kernel sums in one chain; chunks are whole multiples, so that cutting does not change a bit. */
const CHAIN = 256;

/** Chains that are added up on their own, the sums of which are then added up: of 10⁶ terms in 64 times fewer roundings. */
const SPAN = 64 * CHAIN;

/** Bytes of an operand that are staged at a time, if a chain of each row is not more: half of L2. */
const STAGED_BYTES = 524288;

/** A matrix of rows, each `depth` long, in an array from an index on. */
export interface Matrix {
  readonly array: FloatArray;
  /** Of an element. */
  readonly bytes: number;
  readonly start: number;
  readonly rows: number;
  /** What is done to each element; one of the two at most is given. */
  readonly centring: Centring | undefined;
  readonly norms: Norms | undefined;
}

/** x ← (unit·x − means[column])·factor, or without means x·unit·factor; unit and factor are powers of two. */
export interface Centring {
  readonly means: Float64Array | undefined;
  readonly unit: number;
  readonly factor: number;
}

/** x ← units[row]·x / norms[row]; the units are powers of two. */
export interface Norms {
  readonly units: Float64Array;
  readonly norms: Float64Array;
}

export function matrixIn({ array, bytes }: Operand | Output, rows: number, start = 0): Matrix {
  return { array, bytes, start, rows, centring: undefined, norms: undefined };
}

export interface Product {
  readonly x: Matrix;
  /** The second operand; none: x itself, and only blocks on and below the diagonal are visited. */
  readonly y: Matrix | undefined;
  readonly depth: number;
  readonly of: 0 | 1 | 2;
  /** y is [depth, rows] instead. */
  readonly plain: boolean;
  /** Whether blocks are small, whatever the depth. */
  readonly small: boolean;
}

export function productOf(x: Matrix, y: Matrix | undefined, depth: number, of: 0 | 1 | 2 = CODE.DOT): Product {
  return { x, y, depth, of, plain: false, small: false };
}

/** Where a finished block stands. Of a block on the diagonal of a symmetric product only the lower triangle is right. */
export interface Block {
  readonly pointer: number;
  /** Elements from row to row. */
  readonly stride: number;
  readonly i: number;
  readonly rows: number;
  readonly j: number;
  readonly columns: number;
  /** Room for SPARE_ROWS rows of the block, transposed. */
  readonly spare: number;
}

/** Columns of a block that are transposed at a time. */
export const SPARE_ROWS = 64;

/** Pointers to vectors that have an f64 for each row or column. */
type Vectors = readonly [number, number, number];

interface Plan {
  readonly side: number;
  readonly otherSide: number;
  readonly chunk: number;
  readonly a: number;
  readonly b: number;
  readonly packed: number;
  readonly c: number;
  readonly totals: number;
  readonly stride: number;
  readonly vectors: Vectors;
  readonly bytes: number;
}

/** Equal blocks, as many as are needed. */
function sideOf(n: number, largest: number): number {
  return Math.ceil(n / Math.max(1, Math.ceil(n / largest)));
}

/** How a product is cut, and where its blocks stand from the beginning of the scratch on. */
function planOf({ x, y, depth, plain, small }: Product): Plan {
  const { bytes: size } = x;
  const part = size === 4 ? 1 : depth > SPAN ? WIDE_WITH_TOTALS : WIDE;
  const largest = part * (small || depth <= CHAIN ? SMALL_SIDE : SIDE);
  const side = sideOf(x.rows, largest);
  const otherSide = y ? sideOf(y.rows, largest) : side;
  const longest = Math.max(1, side, plain ? 0 : otherSide);
  // a power of two chains, by bits: a logarithm of Math that errs on one engine would sum in another order there
  const chains = 31 - Math.clz32(Math.max(1, STAGED_BYTES / size / longest / CHAIN));
  const chunk = Math.min(depth, SPAN, CHAIN << chains);
  let bytes = 0;
  const take = (elements: number, each = size): number => {
    const at = bytes;
    bytes += Math.ceil((elements * each + GROUP_BYTES) / GROUP_BYTES) * GROUP_BYTES;
    return at;
  };
  // a tile reads up to 5 rows beyond; rows are 64 bytes apart from a power of two, which would share cache sets
  const a = take((side + 6) * (chunk + 16));
  const b = y || x.rows > side ? take(plain ? chunk * (otherSide + 16) : otherSide * (chunk + 16)) : a;
  const columns = Math.ceil(otherSide / 16) * 16;
  const packed = take(Math.max(columns * Math.min(chunk, CHAIN), x.rows > side ? SPARE_ROWS * side : 0));
  const stride = columns + 16;
  const c = take((side + 8) * stride);
  const totals = depth > SPAN ? take((side + 8) * stride) : c;
  const vector = (): number => take(Math.max(chunk, longest), 8);
  const vectors: Vectors = [vector(), vector(), vector()];
  return { side, otherSide, chunk, a, b, packed, c, totals, stride, vectors, bytes };
}

/** The scratch that the largest of some products needs. */
export function scratchFor(...products: Product[]): number {
  return Math.max(0, ...products.map((product) => planOf(product).bytes));
}

/** Runs `use` with the scratch of some products, and their inputs, kept apart from what is written. */
export function withBlocks<R>(
  fn: string,
  products: readonly Product[],
  reads: readonly Operand[],
  writes: readonly Output[],
  use: (arena: Arena, pointer: number, reads: readonly Operand[]) => R,
): R {
  const safe = reads.map((read) => apart(fn, read, writes));
  return scratch(fn, scratchFor(...products), (arena, pointer) => use(arena, pointer, safe), false);
}

function vectorsAt(scratch: number, { vectors: [first, second, third] }: Plan): Vectors {
  return [scratch + first, scratch + second, scratch + third];
}

/** Copies rows [row, row + rows) × columns [from, from + count) of a matrix `depth` wide to `to`, prepared; returns their stride there. */
function stage(
  arena: Arena,
  m: Matrix,
  depth: number,
  row: number,
  rows: number,
  from: number,
  count: number,
  to: number,
  vectors: Vectors,
): number {
  const { bytes: size } = m;
  const whole = count === depth;
  const stride = whole ? depth : count + 16;
  if (whole) arena.copyIn(m.array, size, m.start + row * depth, rows * depth, to);
  else {
    for (let i = 0; i < rows; i++)
      arena.copyIn(m.array, size, m.start + (row + i) * depth + from, count, to + i * stride * size);
  }
  const kernels = arena.typed(GRAM, size);
  const [first, second] = vectors;
  if (m.centring) {
    const { means, unit, factor } = m.centring;
    if (means) arena.copyIn(means, 8, from, count, first);
    kernels.centre(to, stride, rows, count, means ? first : 0, unit, factor);
  }
  if (m.norms) {
    arena.copyIn(m.norms.units, 8, row, rows, first);
    arena.copyIn(m.norms.norms, 8, row, rows, second);
    kernels.divideRows(to, stride, rows, count, first, second);
  }
  return stride;
}

/** Computes the blocks of a product one after the other, in `scratch`, and shows each to `visit`. */
export function eachBlock(arena: Arena, scratch: number, product: Product, visit: (block: Block) => void): void {
  const plan = planOf(product);
  const other = product.y ?? product.x;
  for (let j = 0; j < other.rows; j += plan.otherSide) {
    for (let i = product.y ? 0 : j; i < product.x.rows; i += plan.side)
      visit(block(arena, scratch, product, plan, i, j));
  }
}

/** The same of two `small` products of the same numbers of rows, block beside block; `second` in scratch of its own. */
export function eachPair(
  arena: Arena,
  [first, firstAt]: readonly [Product, number],
  [second, secondAt]: readonly [Product, number],
  visit: (a: Block, b: Block) => void,
): void {
  const plan = planOf(second);
  eachBlock(arena, firstAt, first, (a) => {
    visit(a, block(arena, secondAt, second, plan, a.i, a.j));
  });
}

function block(arena: Arena, scratch: number, product: Product, plan: Plan, i: number, j: number): Block {
  const { x, y, depth, plain } = product;
  const { side, otherSide, chunk } = plan;
  const other = y ?? x;
  const rows = Math.min(side, x.rows - i);
  const columns = Math.min(otherSide, other.rows - j);
  const [a, b, packed] = [scratch + plan.a, scratch + plan.b, scratch + plan.packed];
  const vectors = vectorsAt(scratch, plan);
  const [c, totals] = [scratch + plan.c, scratch + plan.totals];
  const kernels = arena.typed(GRAM, x.bytes);
  const lower = !y && i === j;
  let k = 0;
  do {
    const count = Math.min(chunk, depth - k);
    const lda = stage(arena, x, depth, i, rows, k, count, a, vectors);
    let [from, ldb] = [a, lda];
    if (!lower) {
      from = b;
      ldb = plain
        ? stage(arena, other, other.rows, k, count, j, columns, b, vectors)
        : stage(arena, other, depth, j, columns, k, count, b, vectors);
    }
    const goesOn = k % SPAN > 0;
    if (k > 0 && !goesOn) kernels.accumulate(c, totals, rows * plan.stride, k === SPAN);
    kernels.product(product.of, a, lda, rows, from, ldb, columns, plain, count, packed, c, plan.stride, goesOn, lower);
    k += chunk;
  } while (k < depth);
  if (depth > SPAN) kernels.accumulate(totals, c, rows * plan.stride, false);
  return { pointer: c, stride: plan.stride, i, rows, j, columns, spare: packed };
}

/** What an element c becomes: t = factor·c + shift, through a function. */
export interface Mapping {
  readonly map: number;
  readonly factor: number;
  readonly shift: number;
  readonly degree: number;
}

export function times(factor: number): Mapping {
  return { map: CODE.LINEAR, factor, shift: 0, degree: 0 };
}

/** How a finished matrix leaves: mapped, into an array from `start` on. */
export interface Target {
  readonly mapping: Mapping;
  readonly out: Output;
  readonly start: number;
}

/** Maps a block in place; its elements have `bytes`. */
export function mapBlock(arena: Arena, bytes: number, block: Block, lower: boolean, mapping: Mapping): void {
  const { map, factor, shift, degree } = mapping;
  if (map === CODE.LINEAR && factor === 1) return;
  const { pointer, stride, rows, columns } = block;
  arena.typed(GRAM, bytes).map(map, pointer, stride, rows, columns, lower, factor, shift, degree);
}

/** A whole product, mapped, as a matrix [rows of x, rows of y], or of x and x: both triangles, bit by bit the same. */
export function writeProduct(arena: Arena, scratch: number, product: Product, target: Target): void {
  const { start, mapping } = target;
  const { array: out, bytes: size } = target.out;
  const kernels = arena.typed(GRAM, size);
  const width = (product.y ?? product.x).rows;
  eachBlock(arena, scratch, product, (block) => {
    const { pointer, stride, i, rows, j, columns, spare } = block;
    const diagonal = !product.y && i === j;
    mapBlock(arena, size, block, diagonal, mapping);
    if (diagonal) kernels.mirror(pointer, stride, rows);
    if (columns === width) {
      kernels.compact(pointer, stride, rows, columns);
      arena.copyOut(pointer, rows * columns, out, size, start + i * width);
    } else {
      for (let r = 0; r < rows; r++)
        arena.copyOut(pointer + r * stride * size, columns, out, size, start + (i + r) * width + j);
    }
    if (product.y || diagonal) return;
    for (let from = 0; from < columns; from += SPARE_ROWS) {
      const count = Math.min(SPARE_ROWS, columns - from);
      kernels.transpose(pointer + from * size, stride, rows, count, spare);
      for (let q = 0; q < count; q++)
        arena.copyOut(spare + q * rows * size, rows, out, size, start + (j + from + q) * width + i);
    }
  });
}

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
  // the exponents of γ that are nothing out of the way, of the largest number, and the largest of a unit
  const [usual, top, most] = matrices[0].bytes === 4 ? [64, 125, 100] : [500, 1021, 600];
  const exponent = gamma === 0 ? -Infinity : exponentOf(gamma);
  if (Math.abs(exponent) <= usual) return { unit: 1, gamma };
  let wanted = Math.min(Math.max(Math.round(exponent / (squared ? 2 : 1)), -most), most);
  if (wanted > 0) {
    const largest = (x: Matrix): number => largestOf(columnsOf(arena, scratch, productOf(x, undefined, depth), 1));
    wanted = Math.max(0, Math.min(wanted, top - exponentOf(Math.max(...matrices.map(largest)))));
  }
  const unit = 2 ** wanted;
  return { unit, gamma: squared ? gamma / unit / unit : gamma / unit };
}

/**
 * How x is centred: its means by columns, in a unit in which their sums neither overflow nor are subnormal. With `scaled` it is left
 * multiplied by the power of two that brings the largest difference from a mean into [1, 2).
 */
export function centringOf(arena: Arena, scratch: number, product: Product, scaled: boolean): Centring {
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
}

/** The Euclidean norm of each row of x, in units in which its square is in range; 1 for a row of zeros, which then stays one. */
export function normsOf(arena: Arena, scratch: number, product: Product): Norms {
  const units = new Float64Array(product.x.rows).fill(1);
  let sums = squaresOf(arena, scratch, product, units);
  // squares of f32 are always in range; of f64, where a sum is within these, no square that counts was subnormal
  const far = (sum: number): boolean => sum < 2 ** -800 || sum > 2 ** 800;
  if (product.x.bytes === 8 && sums.some(far)) {
    sums.forEach((sum, i) => {
      if (far(sum)) units[i] = sum < 1 ? 2 ** 600 : 2 ** -600;
    });
    sums = squaresOf(arena, scratch, product, units);
  }
  return { units, norms: sums.map((sum) => (sum === 0 ? 1 : Math.sqrt(sum))) };
}

/** Σₖ (units[i]·x[i, k])² of each row of x, which is to be as it came, in f64; in the scratch of the product of x and itself. */
function squaresOf(arena: Arena, scratch: number, product: Product, units: Float64Array): Float64Array {
  const { x: m, depth } = product;
  const plan = planOf(product);
  const sums = new Float64Array(m.rows);
  const a = scratch + plan.a;
  const vectors = vectorsAt(scratch, plan);
  const [unitsAt, sumsAt] = vectors;
  for (let i = 0; i < m.rows; i += plan.side) {
    const rows = Math.min(plan.side, m.rows - i);
    arena.copyIn(units, 8, i, rows, unitsAt);
    arena.copyIn(sums, 8, i, rows, sumsAt);
    for (let k = 0; k < depth; k += plan.chunk) {
      const count = Math.min(plan.chunk, depth - k);
      const stride = stage(arena, m, depth, i, rows, k, count, a, vectors);
      arena.typed(GRAM, m.bytes).rowSquares(a, stride, rows, count, unitsAt, sumsAt);
    }
    arena.copyOut(sumsAt, rows, sums, 8, i);
  }
  return sums;
}
