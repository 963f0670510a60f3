/**
 * What is made of the blocks of a product X·Yᵀ beyond reading them: the gradients of its operands, which are products of a block once
 * more, G·Y for the rows of X and Gᵀ·X for those of Y.
 *
 *     scratch   │ A, B, packed B of the product │ C, the block │ totals, vectors │ states, labels, bias, sums of columns, a row │
 *               │ Cᵀ │ a block of an output │
 *
 * The rows of Y and X that a block is multiplied by are staged where the block's operands stood, which are done with. An output is added
 * to block by block, in an order that the shapes alone decide.
 */
import * as CODE from "../../assembly/gram/codes.ts";
import { STATE } from "../../assembly/losses/codes.ts";
import { copyOf } from "../arrays.ts";
import type { Operand } from "../check/tensor.ts";
import { type Arena, GROUP_BYTES } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { arena } from "../memory/kernels.ts";
import {
  type Block,
  countOf,
  type Matrix,
  matrixIn,
  type Norms,
  type Product,
  planOf,
  productOf,
  SPARE_ROWS,
  stage,
  turnOf,
  type Vectors,
  vectorsAt,
} from "./blocks.ts";
import { lasting, type Output } from "./output.ts";
import { turnsOf, type Watch } from "./watch.ts";

/**
 * Rows and columns of a tile at most, of f32 and f64, and columns of an output that are made at a time: with what tiles take besides, and
 * the two memories there are, 7.5 MiB. Of half as many rows every operand would be copied and packed twice as often.
 */
const SIDE = { f32: 512, f64: 336 };

/** The product of x and y in tiles. */
export function tilesOf(x: Matrix, y: Matrix, depth: number): Product {
  return { ...productOf(x, y, depth), small: true, most: x.bytes === 4 ? SIDE.f32 : SIDE.f64 };
}

/** Where things stand in the scratch of tiles, in bytes from its beginning. */
export interface Room {
  /** Of the rows of a tile, and of its columns: their states, and their labels. */
  readonly states: number;
  readonly columnStates: number;
  readonly labels: number;
  readonly columnLabels: number;
  /** A number of the type for each column; an f64 for each, and two more of the type. */
  readonly bias: number;
  readonly sums: number;
  readonly lows: number;
  readonly highs: number;
  /** A row of a tile or of a tile transposed, and a group. */
  readonly row: number;
  /** A tile transposed; and some rows of one that are turned back. */
  readonly turned: number;
  readonly back: number;
  readonly out: number;
  readonly staged: number;
  readonly packed: number;
  /** Columns of an output that are made at a time, and elements from row to row of them. */
  readonly width: number;
  readonly stride: number;
  readonly vectors: Vectors;
  readonly bytes: number;
}

/**
 * `turned`: whether tiles are transposed; `gradients`: whether they are multiplied by the operands; `back`: whether what is transposed is
 * turned back.
 */
export function roomOf(product: Product, turned: boolean, gradients: boolean, back = false): Room {
  const { x, depth } = product;
  const { bytes: size } = x;
  const plan = planOf(product);
  const { side, otherSide } = plan;
  const longest = Math.max(side, otherSide);
  let bytes = plan.bytes;
  const take = (elements: number, each = size): number => {
    const at = bytes;
    bytes += Math.ceil((elements * each + GROUP_BYTES) / GROUP_BYTES) * GROUP_BYTES;
    return at;
  };
  const states = take(STATE * side, 8);
  const columnStates = take(STATE * otherSide, 8);
  const labels = take(side, 4);
  const columnLabels = take(otherSide, 4);
  const bias = take(otherSide + 16);
  const sums = take(otherSide + 16, 8);
  const lows = take(otherSide + 16);
  const highs = take(otherSide + 16);
  const row = take(longest + 32);
  const turnedAt = take(turned ? (otherSide + 8) * (side + 16) : 0);
  const widest = x.bytes === 4 ? SIDE.f32 : SIDE.f64;
  const width = Math.ceil(depth / Math.max(1, Math.ceil(depth / widest)));
  // whole rows of whole groups are copied at once; else rows are kept from sharing cache sets
  const stride = width === depth && depth % 16 === 0 ? depth : Math.ceil(width / 16) * 16 + 16;
  const out = take(gradients ? (longest + 8) * stride : 0);
  const staging = longest * (width + 16);
  const packing = 256 * Math.ceil(width / 16) * 16;
  // where the operands of the block stood, if that is enough
  const free = (staging + packing) * size + 2 * GROUP_BYTES <= plan.c;
  const staged = free ? 0 : take(gradients ? staging : 0);
  const packed = free ? plan.c - packing * size : take(gradients ? packing : 0);
  const backAt = take(back ? SPARE_ROWS * (otherSide + 8) : 0);
  const vectors = vectorsAt(0, plan);
  return {
    states,
    columnStates,
    labels,
    columnLabels,
    bias,
    sums,
    lows,
    highs,
    row,
    turned: turnedAt,
    back: backAt,
    out,
    staged,
    packed,
    width,
    stride,
    vectors,
    bytes,
  };
}

/** Watches `sweeps` over all tiles of a product. */
export function watched(watch: Watch, product: Product, sweeps: number): () => void {
  const plan = planOf(product);
  return turnsOf(watch, sweeps * countOf(plan, product), turnOf(plan, product));
}

/** What a product is of, and where the gradients with respect to both go. */
export interface Ends {
  readonly x: Matrix;
  readonly y: Matrix;
  readonly depth: number;
  readonly gradX: Output;
  readonly gradY: Output;
}

/**
 * Adds what a block G, the gradient with respect to the product, makes of those of its operands: G·Y to the rows of X, and Gᵀ·X to those of Y.
 * Rows of X for which `left` says so add nothing to Y's.
 */
export function addGradients(
  at: Arena,
  scratch: number,
  room: Room,
  block: Block,
  { x, y, depth, gradX, gradY }: Ends,
  left?: (row: number) => boolean,
): void {
  const { pointer, stride, i, rows, j, columns } = block;
  const turned = scratch + room.turned;
  turn(at, x.bytes, block, turned);
  const down = { pointer, stride, first: i, rows, from: j, count: columns };
  addProduct(at, scratch, room, down, y, depth, gradX, j === 0);
  const across = { pointer: turned, stride: turnedStride(block), first: j, rows: columns, from: i, count: rows };
  addProduct(at, scratch, room, across, x, depth, gradY, i === 0, left);
}

/** Elements from row to row of a tile transposed: whole vectors. */
export function turnedStride(block: Block): number {
  return Math.ceil(block.rows / 8) * 8;
}

/** Writes a block, transposed, to `to`. */
export function turn(at: Arena, bytes: number, block: Block, to: number): void {
  at.typed(GRAM, bytes).transpose(block.pointer, block.stride, turnedStride(block), block.columns, to);
}

/** Adds what stands transposed at `turned` to a block, some rows at a time, by way of `back`. */
export function addTurned(at: Arena, bytes: number, block: Block, turned: number, back: number): void {
  const { pointer, stride, rows, columns } = block;
  const kernels = at.typed(GRAM, bytes);
  // whole vectors
  const width = Math.ceil(columns / 8) * 8;
  for (let from = 0; from < rows; from += SPARE_ROWS) {
    const count = Math.min(SPARE_ROWS, rows - from);
    kernels.transpose(turned + from * bytes, turnedStride(block), width, count, back);
    for (let i = 0; i < count; i++)
      kernels.accumulate(back + i * width * bytes, pointer + (from + i) * stride * bytes, columns, false);
  }
}

/** A tile: rows [first, first + rows) of an output are made of it. */
interface Factor {
  readonly pointer: number;
  readonly stride: number;
  readonly first: number;
  readonly rows: number;
  /** Its columns are the rows of the matrix that it is multiplied by from here on. */
  readonly from: number;
  readonly count: number;
}

/**
 * Adds the product of a tile and rows of a matrix `depth` wide to an output: rows [first, first + rows) of it, or if `fresh`, where they
 * are the first, writes it. Rows of the matrix for which `left` says so are taken as zeros: a NaN there stays there.
 */
function addProduct(
  at: Arena,
  scratch: number,
  room: Room,
  { pointer, stride, first, rows, from, count }: Factor,
  matrix: Matrix,
  depth: number,
  out: Output,
  fresh: boolean,
  left?: (row: number) => boolean,
): void {
  const { bytes: size } = matrix;
  const kernels = at.typed(GRAM, size);
  const [a, b, c] = room.vectors;
  const vectors: Vectors = [scratch + a, scratch + b, scratch + c];
  const [staged, packed, to] = [scratch + room.staged, scratch + room.packed, scratch + room.out];
  for (let k = 0; k < depth; k += room.width) {
    const width = Math.min(room.width, depth - k);
    const lda = stage(at, matrix, depth, from, count, k, width, staged, vectors);
    if (left) {
      const view = at.view(size);
      for (let i = 0; i < count; i++) {
        const start = staged / size + i * lda;
        if (left(from + i)) view.fill(0, start, start + width);
      }
    }
    const copy = (copyRow: (pointer: number, count: number, at: number) => void): void => {
      if (room.stride === depth) copyRow(to, rows * depth, first * depth);
      else for (let i = 0; i < rows; i++) copyRow(to + i * room.stride * size, width, (first + i) * depth + k);
    };
    if (!fresh) copy((pointer, length, index) => at.copyIn(out.array, size, index, length, pointer));
    kernels.product(
      CODE.DOT,
      pointer,
      stride,
      rows,
      staged,
      lda,
      width,
      true,
      count,
      packed,
      to,
      room.stride,
      !fresh,
      false,
    );
    copy((pointer, length, index) => at.copyOut(pointer, length, out.array, size, index));
  }
}

/**
 * An operand as a matrix that may be read while code of the caller's runs: memory that this makes grow takes the views of residents away,
 * and they are made anew; of few elements it is a copy. What else it does to the array is seen, or an error.
 */
export function lastingMatrix(fn: string, operand: Operand, rows: number, alone: boolean, norms?: Norms): Matrix {
  const { name, array, length, bytes } = operand;
  const matrix = { ...matrixIn(operand, rows), norms };
  if (!alone) return matrix;
  if (length <= 64 && !arena().locate(array, length)) return { ...matrix, array: copyOf(array, bytes) };
  const found = lasting(fn, name, operand);
  return {
    ...matrix,
    get array() {
      return found();
    },
  };
}
