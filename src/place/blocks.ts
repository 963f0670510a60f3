/**
 * Streams the products of matrices through linear memory, block by block: C[i, j] = Σₖ f(A[i, k], B[j, k]).
 *
 *     scratch   │ A: rows of a block │ B, unless it is A │ packed B │ C, and one tile beyond │ totals of C │ vectors │
 *
 * A block of C has at most SIDE rows and columns, and is summed over k chunk by chunk. What becomes of a finished block is
 * the caller's, and never is more than one of them in memory:
 *
 *     eachBlock      every block, in any order
 *     sumBlocks      numbers of every block, which are summed (mmd, cka)
 *     writeProduct   they are kept: mapped, mirrored and copied out (gram, kernelMatrix, pairwiseDistance)
 *     reduceRows     the blocks of some rows from left to right: every row becomes a few numbers (nearest, kernelProduct, kernelDensity)
 */

import * as CODE from "../../assembly/gram/codes.ts";
import type { Operand } from "../check/tensor.ts";
import { type Arena, GROUP_BYTES } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { scratch } from "../memory/scratch.ts";
import { type Share, shareRows, sharing } from "../share.ts";
import type { FloatArray } from "../types.ts";
import { apart, copied, type Output } from "./output.ts";
import { turnsOf, UNWATCHED, type Watch } from "./watch.ts";

/** Rows and columns of a block at most: every operand is read n / side times. */
const SIDE = 1024;

/**
 * The same where rows are short, and what is written is more than what is read: [2000, 64] takes 0.8 to 0.9 of the time. A multiple of
 * the RUN of columns that are reduced at a time (assembly/gram/codes.ts).
 */
const SMALL_SIDE = 512;

/** The part of these that f64 has, and f64 with totals beside the block: with it no scratch is larger than 13.5 MiB. */
const WIDE = 15 / 16;
const WIDE_WITH_TOTALS = 11 / 16;

/** Multiply-adds between two looks at the signal: some 10 ms. */
const WATCHED = 2 ** 28;

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

/** x ← units[row]·x / norms[row]; the units are powers of two, undefined if all are 1, as those of f32 are. */
export interface Norms {
  readonly units: Float64Array | undefined;
  readonly norms: Float64Array;
  /** The rows that are 0. */
  readonly zeros: readonly number[];
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
  /** Rows and columns of a block at most, if that is less. */
  readonly most: number;
  /**
   * Whether blocks of columns begin at multiples of RUN, so that a row is cut into the same runs whatever the block, and has the same
   * bits; there is a y then.
   */
  readonly runs: boolean;
  /** Whether the rows of a block are kept as they came, whole, beside those that are prepared. */
  readonly keeps: boolean;
  /** What sums are cut by, and is cut alike where threads divide the blocks. */
  readonly sums: "none" | "rows" | "columns" | "blocks";
}

export function productOf(x: Matrix, y: Matrix | undefined, depth: number, of: 0 | 1 | 2 = CODE.DOT): Product {
  return { x, y, depth, of, plain: false, small: false, most: SIDE, runs: false, keeps: false, sums: "none" };
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
  /** Where the rows of x and y stand as they came, if they are kept. */
  readonly x: number;
  readonly y: number;
}

/** Columns of a block that are transposed at a time. */
export const SPARE_ROWS = 64;

/** Pointers to vectors that have an f64 for each row or column. */
export type Vectors = readonly [number, number, number];

export interface Plan {
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
  readonly keptX: number;
  readonly keptY: number;
  readonly bytes: number;
}

/**
 * Of blocks that are divided among threads: six of them along either side, so that some threads have as much as others, but not smaller than
 * 256 × 256, which take 1.05 times as long as blocks of 512 × 512; 334 × 334 take 1.02 times.
 */
function sharedSideOf(rows: number): number {
  return Math.min(Math.max(Math.ceil(rows / 6), 256), SMALL_SIDE);
}

/**
 * Multiply-adds of a product that threads divide at least: some 2 ms. What is less is cut as in one thread, where blocks of 256 × 256 would
 * take up to 1.15 times as long: each of their operands is prepared and packed more often.
 */
export const SHARED_WORK = 2 ** 25;

/** Multiply-adds of a product: those that one of x and x has on one side of the diagonal. */
function workOf({ x, y, depth }: Pick<Product, "x" | "y" | "depth">): number {
  return x.rows * (y ? y.rows : x.rows / 2) * Math.max(depth, 16);
}

/** Equal blocks, as many as are needed. */
function sideOf(n: number, largest: number): number {
  return Math.ceil(n / Math.max(1, Math.ceil(n / largest)));
}

/** How a product is cut, and where its blocks stand from the beginning of the scratch on. */
export function planOf(product: Product): Plan {
  const { x, y, depth, plain, small, most, runs, keeps, sums } = product;
  const { bytes: size } = x;
  const part = size === 4 ? 1 : depth > SPAN ? WIDE_WITH_TOTALS : WIDE;
  const largest = Math.min(most, part * (small || depth <= CHAIN ? SMALL_SIDE : SIDE));
  const isShared = sums !== "blocks" && sharing() !== undefined && workOf(product) >= SHARED_WORK;
  const sharedOf = (rows: number): number => (isShared ? Math.min(largest, sharedSideOf(rows)) : largest);
  const side = sideOf(x.rows, sums === "rows" ? largest : sharedOf(x.rows));
  const largestOther = y && (sums === "columns" ? largest : sharedOf(y.rows));
  const otherSide = !largestOther ? side : runs ? Math.min(y.rows, SMALL_SIDE) : sideOf(y.rows, largestOther);
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
  const keptX = take(keeps ? side * depth : 0);
  const keptY = take(keeps ? otherSide * depth : 0);
  return { side, otherSide, chunk, a, b, packed, c, totals, stride, vectors, keptX, keptY, bytes };
}

/** The scratch that the largest of some products needs. */
export function scratchFor(...products: Product[]): number {
  return Math.max(0, ...products.map((product) => planOf(product).bytes));
}

/** Rows and columns of a block at most. */
export function sidesOf(product: Product): { readonly rows: number; readonly columns: number } {
  const { side, otherSide } = planOf(product);
  return { rows: side, columns: otherSide };
}

/**
 * Runs `use` with the scratch of some products, `more` bytes behind it, and their inputs, kept apart from what is written, and from code
 * of the caller's if that runs meanwhile.
 */
export function withBlocks<R>(
  fn: string,
  products: readonly Product[],
  reads: readonly Operand[],
  writes: readonly Output[],
  use: (arena: Arena, pointer: number, reads: readonly Operand[], more: number) => R,
  more = 0,
  watch?: Watch,
): R {
  const alone = watch?.alone ?? false;
  const safe = reads.map((read) => (alone ? copied(fn, read) : apart(fn, read, writes)));
  const bytes = scratchFor(...products);
  return scratch(fn, bytes + more, (arena, pointer) => use(arena, pointer, safe, pointer + bytes), alone);
}

export function vectorsAt(scratch: number, { vectors: [first, second, third] }: Plan): Vectors {
  return [scratch + first, scratch + second, scratch + third];
}

/** Copies rows [row, row + rows) × columns [from, from + count) of a matrix `depth` wide to `to`, prepared; returns their stride there. */
export function stage(
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
    placeUnits(arena, m.norms.units, row, rows, first);
    arena.copyIn(m.norms.norms, 8, row, rows, second);
    kernels.divideRows(to, stride, rows, count, first, second);
  }
  return stride;
}

/** Copies units of rows to `to`. */
export function placeUnits(arena: Arena, units: Float64Array | undefined, row: number, rows: number, to: number): void {
  if (units) arena.copyIn(units, 8, row, rows, to);
  else arena.view(8).fill(1, to / 8, to / 8 + rows);
}

/** Computes the blocks of a product one after the other, in `scratch`, and shows each to `visit`. */
export function eachBlock(
  arena: Arena,
  scratch: number,
  product: Product,
  visit: (block: Block) => void,
  watch = UNWATCHED,
): void {
  const plan = planOf(product);
  const other = product.y ?? product.x;
  const down = Math.ceil(product.x.rows / plan.side);
  const total = product.y ? countOf(plan, product) : (down * (down + 1)) / 2;
  const turn = turnsOf(watch, total, turnOf(plan, product));
  for (let j = 0; j < other.rows; j += plan.otherSide) {
    for (let i = product.y ? 0 : j; i < product.x.rows; i += plan.side) {
      visit(block(arena, scratch, product, plan, i, j));
      turn();
    }
  }
}

/** The blocks of a product of x and y that begin with row i, with column j, or with both, one after the other. */
export function eachBlockAlong(
  arena: Arena,
  scratch: number,
  product: Product,
  along: Partial<Place>,
  visit: (block: Block) => void,
): void {
  const plan = planOf(product);
  const { x, y = x } = product;
  const is = along.i === undefined ? startsOf(x.rows, plan.side) : [along.i];
  const js = along.j === undefined ? startsOf(y.rows, plan.otherSide) : [along.j];
  for (const j of js) for (const i of is) visit(block(arena, scratch, product, plan, i, j));
}

/** Where the blocks of n rows begin. */
export function startsOf(n: number, side: number): number[] {
  return Array.from({ length: Math.ceil(n / side) }, (_, k) => k * side);
}

/** Where a block begins. */
export interface Place {
  readonly i: number;
  readonly j: number;
}

/** Blocks of `rows` rows and `columns` others, or of a symmetric product, as they follow each other. */
function placesOf(plan: Plan, rows: number, columns: number | undefined): Place[] {
  const places: Place[] = [];
  for (let j = 0; j < (columns ?? rows); j += plan.otherSide)
    for (let i = columns === undefined ? j : 0; i < rows; i += plan.side) places.push({ i, j });
  return places;
}

/** The same blocks as the tiles of a sweep. */
function shareBlocks(
  arena: Arena,
  scratch: number,
  product: Product,
  share: Share,
  visit: (block: Block) => void,
): boolean {
  const plan = planOf(product);
  const { x, y } = product;
  const columns = (y ?? x).rows;
  const places = placesOf(plan, x.rows, y?.rows);
  // those on the diagonal, which are half the work, come last: threads end closer to each other
  if (!y) places.sort((one, other) => Number(one.i === one.j) - Number(other.i === other.j));
  const pairs = x.rows * columns;
  return share.sweep({
    tiles: places.length,
    work: workOf(product),
    elements: pairs,
    run: (tile) => {
      const { i, j } = places[tile] as Place;
      visit(block(arena, scratch, product, plan, i, j));
    },
    extentsOf: (tile) => {
      const { i, j } = places[tile] as Place;
      const [rows, count] = [Math.min(plan.side, x.rows - i), Math.min(plan.otherSide, columns - j)];
      const own = { i, rows, of: x.rows, j, columns: count };
      return y || i === j ? [own] : [own, { i: j, rows: count, of: x.rows, j: i, columns: rows }];
    },
  });
}

/** Blocks between two looks at the signal. */
export function turnOf({ side, otherSide }: Plan, { depth }: Product): number {
  return WATCHED / (side * otherSide * Math.max(depth, 16));
}

/** Blocks that all of a product of x and y is cut into. */
export function countOf({ side, otherSide }: Plan, { x, y }: Product): number {
  return Math.ceil(x.rows / side) * Math.ceil((y ?? x).rows / otherSide) || 0;
}

/** The block of another product where one stands, which is cut alike, in scratch of its own. */
export function blockBeside(arena: Arena, scratch: number, product: Product, { i, j }: Block): Block {
  return block(arena, scratch, product, planOf(product), i, j);
}

/** What is summed over the blocks of some products. */
export interface Summing {
  /** How many numbers are found for each row of a block. */
  readonly each: number;
  /** Multiply-adds of a pair beside those of its product. */
  readonly beside?: number;
  /** Finds those of a block of product `of`, in any order of blocks. */
  find(of: number, block: Block, numbers: Float64Array): void;
  /** Takes them in, block after block as they follow each other. */
  take(of: number, block: Pick<Block, "i" | "rows" | "j">, numbers: Float64Array): void;
}

/** Sums over the blocks of some products, in the same order whoever has found what is summed. */
export function sumBlocks(
  arena: Arena,
  scratch: number,
  products: readonly Product[],
  { each, beside = 0, find, take }: Summing,
): void {
  const plans = products.map(planOf);
  const tiles = products.flatMap(({ x, y }, of) =>
    placesOf(plans[of] as Plan, x.rows, y?.rows).map((place) => ({ of, ...place })),
  );
  const width = each * Math.max(...plans.map(({ side }) => side));
  const findIn = (tile: number, numbers: Float64Array): void => {
    const { of, i, j } = tiles[tile] as Place & { of: number };
    find(of, block(arena, scratch, products[of] as Product, plans[of] as Plan, i, j), numbers);
  };
  const share = sharing();
  const length = width * tiles.length;
  const all = share?.output("f64", length, () => new Float64Array(length), "dropped");
  const numbersOf = (tile: number): Float64Array | undefined => all?.subarray(tile * width, (tile + 1) * width);
  const isFound = share?.sweep({
    tiles: tiles.length,
    work: products.reduce((sum, { x, y, depth }) => sum + workOf({ x, y, depth: Math.max(depth, 16) + beside }), 0),
    elements: 0,
    run: (tile) => findIn(tile, numbersOf(tile) as Float64Array),
    extentsOf: (tile) => [{ i: tile, rows: 1, of: tiles.length }],
  });
  const own = new Float64Array(width);
  tiles.forEach(({ of, i, j }, tile) => {
    const rows = Math.min((plans[of] as Plan).side, (products[of] as Product).x.rows - i);
    const numbers = (isFound && numbersOf(tile)) || own;
    if (!isFound) findIn(tile, numbers);
    take(of, { i, rows, j }, numbers);
  });
}

/** What is made of the rows of a product: begun with rows [i, i + rows), shown their blocks from left to right, and ended with them. */
export interface Reduction {
  begin(i: number, rows: number): void;
  take(block: Block): void;
  end(i: number, rows: number): void;
}

/** Computes the blocks of a product of x and y row of blocks by row of blocks. */
export function reduceRows(
  arena: Arena,
  scratch: number,
  product: Product,
  { begin, take, end }: Reduction,
  watch: Watch,
): void {
  const plan = planOf(product);
  const { x, y } = product;
  const columns = (y ?? x).rows;
  const turn = turnsOf(watch, countOf(plan, product), turnOf(plan, product));
  shareRows(x.rows, plan.side, columns * Math.max(product.depth, 16), (i, rows) => {
    begin(i, rows);
    for (let j = 0; j < columns; j += plan.otherSide) {
      take(block(arena, scratch, product, plan, i, j, j > 0));
      turn();
    }
    end(i, rows);
  });
}

/** Copies whole rows of a matrix to `to`: the matrix that they are there. */
function keep(arena: Arena, m: Matrix, depth: number, row: number, rows: number, to: number): Matrix {
  arena.copyIn(m.array, m.bytes, m.start + row * depth, rows * depth, to);
  return { ...m, array: arena.view(m.bytes), start: to / m.bytes - row * depth };
}

/** `again`: whether the block before was of the same rows, which are there if they are staged whole. */
function block(
  arena: Arena,
  scratch: number,
  product: Product,
  plan: Plan,
  i: number,
  j: number,
  again = false,
): Block {
  const { depth, plain, keeps } = product;
  let { x } = product;
  const { y } = product;
  const { side, otherSide, chunk } = plan;
  let other = y ?? x;
  const rows = Math.min(side, x.rows - i);
  const columns = Math.min(otherSide, other.rows - j);
  const [a, b, packed] = [scratch + plan.a, scratch + plan.b, scratch + plan.packed];
  const vectors = vectorsAt(scratch, plan);
  const [c, totals] = [scratch + plan.c, scratch + plan.totals];
  const kernels = arena.typed(GRAM, x.bytes);
  const lower = !y && i === j;
  const [keptX, keptY] = [scratch + plan.keptX, scratch + plan.keptY];
  if (keeps) {
    x = again
      ? { ...x, array: arena.view(x.bytes), start: keptX / x.bytes - i * depth }
      : keep(arena, x, depth, i, rows, keptX);
    other = keep(arena, other, depth, j, columns, keptY);
  }
  let k = 0;
  do {
    const count = Math.min(chunk, depth - k);
    const staged = again && count === depth;
    const lda = staged ? depth : stage(arena, x, depth, i, rows, k, count, a, vectors);
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
  return { pointer: c, stride: plan.stride, i, rows, j, columns, spare: packed, x: keptX, y: keptY };
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
export function writeProduct(arena: Arena, scratch: number, product: Product, target: Target, watch = UNWATCHED): void {
  const { start, mapping } = target;
  const { array: out, bytes: size } = target.out;
  const kernels = arena.typed(GRAM, size);
  const width = (product.y ?? product.x).rows;
  const write = (block: Block): void => {
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
  };
  const share = sharing();
  if (share && shareBlocks(arena, scratch, product, share, write)) return;
  eachBlock(arena, scratch, product, write, watch);
}
