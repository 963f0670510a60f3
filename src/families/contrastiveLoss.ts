/** Losses of matching pairs among all pairs of two batches, CLIP's and SigLIP's, whose [n, n] logits are never held. */

import * as CODE from "../../assembly/gram/codes.ts";
import { arrayType } from "../arrays.ts";
import { inWords, matrixOf, type Operand, operandsOf, shapeOf, sizesIn } from "../check/tensor.ts";
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { LOSSES } from "../memory/embedded/losses.ts";
import { scratch } from "../memory/scratch.ts";
import { flagOf, numberIn, oneOf, optionsOf } from "../options.ts";
import {
  type Block,
  eachBlock,
  type Mapping,
  type Matrix,
  mapBlock,
  matrixIn,
  type Norms,
  type Product,
  scratchFor,
  times,
} from "../place/blocks.ts";
import { type Output, outputOf } from "../place/output.ts";
import { normsOf } from "../place/prepare.ts";
import {
  addGradients,
  addTurned,
  lastingMatrix,
  type Room,
  roomOf,
  tilesOf,
  turn,
  turnedStride,
  watched,
} from "../place/tiles.ts";
import { type Watch, watchOf } from "../place/watch.ts";
import { KEPT, LogitRows, type LogitTarget, type Tile } from "../read/logits.ts";
import { CompensatedSum } from "../read/sum.ts";
import type { FloatArray, Input, PairsProgress, ResultOf, Signal } from "../types.ts";

export interface ContrastiveLossOptions {
  /** The shape of `x` and `y`: [n, d]. Default: the tensors' own. */
  shape?: readonly number[] | undefined;
  /** τ, positive, by which similarities are divided. Default: 0.07. */
  temperature?: number | undefined;
  /** Whether rows are divided by their norms first. Default: true. */
  normalize?: boolean | undefined;
  /** Whether InfoNCE is the mean of both directions, x among all y and y among all x, or the first alone. Default: true. */
  symmetric?: boolean | undefined;
  /** CLIP's softmax over all partners, or SigLIP's sigmoid of each pair. Default: `"infoNCE"`. */
  kind?: "infoNCE" | "sigmoid" | undefined;
  /** What is added to every logit of the sigmoid; a softmax does not feel it. Default: 0. */
  bias?: number | undefined;
  /** Called after some 10 ms of tiles, and after the last; may call any function of the package, and abort. */
  progress?: ((progress: PairsProgress) => void) | undefined;
  /** An AbortSignal. Looked at before the first tile and as often as `progress` is called; once it is aborted, its reason is thrown. */
  signal?: Signal | undefined;
}

/** A contrastive loss and its gradients. */
export interface ContrastiveLossGradients<T extends FloatArray = FloatArray> {
  value: number;
  /** [n, d] */
  gradX: T;
  /** [n, d] */
  gradY: T;
  gradTemperature: number;
  /** Of `kind: "sigmoid"`. */
  gradBias?: number;
}

const OPTIONS = ["shape", "temperature", "normalize", "symmetric", "kind", "bias", "progress", "signal"];

/** The arguments, checked. */
interface Problem {
  readonly fn: string;
  readonly x: Operand;
  readonly y: Operand;
  readonly n: number;
  readonly d: number;
  readonly temperature: number;
  readonly normalize: boolean;
  readonly symmetric: boolean;
  readonly sigmoid: boolean;
  readonly bias: number;
  readonly watch: Watch;
}

function problemOf(fn: string, x: unknown, y: unknown, options: ContrastiveLossOptions | undefined): Problem {
  const o = optionsOf<ContrastiveLossOptions>(fn, options, OPTIONS);
  const { shape, temperature, normalize, symmetric, kind, bias, progress, signal } = o;
  const sizes = sizesIn(fn, "shape", shape);
  // 1/τ is finite too
  const tau = numberIn(fn, "temperature", temperature, 0.07, 2 ** -1022);
  const normalized = flagOf(fn, "normalize", normalize, true);
  const both = flagOf(fn, "symmetric", symmetric, true);
  const sigmoid = oneOf(fn, "kind", kind, ["infoNCE", "sigmoid"], "infoNCE") === "sigmoid";
  const shift = numberIn(fn, "bias", bias, 0);
  const watch = watchOf(fn, progress, signal);
  const [a, b] = operandsOf(fn, [
    ["x", x],
    ["y", y],
  ]);
  const [n, d] = matrixOf(fn, "shape", shapeOf(fn, a, sizes, "shape", b.shape));
  const own = b.shape ?? [];
  if (b.length !== n * d || (own.length > 1 && own.join() !== [n, d].join())) {
    const got = own.length > 1 ? inWords(own) : `${b.length} elements`;
    throw new RangeError(`${fn}: "y" must be of the shape of "x", ${inWords([n, d])}, got ${got}`);
  }
  return {
    fn,
    x: a,
    y: b,
    n,
    d,
    temperature: tau,
    normalize: normalized,
    symmetric: both && !sigmoid,
    sigmoid,
    bias: shift,
    watch,
  };
}

/** What becomes of the tiles of all pairs: seen twice, the second time for the gradient. */
interface Reduction {
  /** The sum of the losses takes in a tile. */
  add(block: Block): void;
  /** When all are: the loss. */
  finish(): number;
  /** A tile becomes the gradient with respect to its logits, over the temperature. */
  differentiate(block: Block): void;
}

/** −log softmax of the pairs that match, among their rows, and if it is to be symmetric among their columns. */
function infoNCE(
  at: Arena,
  pointer: number,
  room: Room,
  { x: { bytes }, n, temperature, symmetric }: Problem,
): Reduction {
  const sides = symmetric ? 2 : 1;
  const sum = new CompensatedSum();
  const matches = Int32Array.from({ length: n }, (_, i) => i);
  const losses = new Float64Array(symmetric ? n : 0);
  const target = (take: LogitTarget["take"]): LogitTarget => {
    return { labels: matches, classes: n, ignore: -1, smoothing: 0, scale: 1 / (sides * n * temperature), take };
  };
  const kept = (): FloatArray => new (arrayType(bytes))(KEPT * n);
  // tiles come column of blocks by column of blocks: those of a column follow each other, and the rows are done with the last of them
  const rows = new LogitRows(
    target((_, loss) => sum.add(loss)),
    kept(),
    false,
  );
  const columns = new LogitRows(
    target((column, loss) => {
      losses[column] = loss;
    }),
    kept(),
    true,
  );
  const row = pointer + room.row;
  const turned = pointer + room.turned;
  const down = { states: pointer + room.states, labels: pointer + room.labels, bias: 0, row };
  const across = { states: pointer + room.columnStates, labels: pointer + room.columnLabels, bias: 0, row };
  const tileOf = ({ pointer, stride, i, rows, j, columns }: Block): Tile => {
    return { pointer, stride, i, rows, first: j, columns };
  };
  const turnedTile = (block: Block): Tile => {
    const { i, rows, j, columns } = block;
    return { pointer: turned, stride: turnedStride(block), i: j, rows: columns, first: i, columns: rows };
  };
  return {
    add(block) {
      if (symmetric) {
        turn(at, bytes, block, turned);
        columns.add(at, bytes, turnedTile(block), across);
      }
      rows.add(at, bytes, tileOf(block), down);
    },
    finish() {
      for (const loss of losses) sum.add(loss);
      return sum.times(1, sides * n);
    },
    differentiate(block) {
      if (symmetric) turn(at, bytes, block, turned);
      rows.differentiate(at, bytes, tileOf(block), down);
      if (!symmetric) return;
      columns.differentiate(at, bytes, turnedTile(block), across);
      addTurned(at, bytes, block, turned, pointer + room.back);
    },
  };
}

/** The bytes of a vector. */
const VECTOR_BYTES = 16;

/** −log σ of the logits of pairs that match, and of minus those of all others. */
function sigmoids(at: Arena, pointer: number, room: Room, { x: { bytes }, n, temperature }: Problem): Reduction {
  const sum = new CompensatedSum();
  const targets = pointer + room.row;
  const ones = pointer + room.labels;
  const eachRow = ({ pointer, stride, i, rows, j, columns }: Block, withGrad: boolean): void => {
    const { binaryCrossEntropy } = at.typed(LOSSES, bytes);
    const view = at.view(bytes);
    view.fill(1, ones / bytes, (ones + VECTOR_BYTES) / bytes);
    view.fill(0, targets / bytes, targets / bytes + columns);
    for (let r = 0; r < rows; r++) {
      const row = pointer + r * stride * bytes;
      const match = i + r - j;
      const isHere = match >= 0 && match < columns;
      if (isHere) view[targets / bytes + match] = 1;
      // biome-ignore format: as the kernel declares them
      const loss = binaryCrossEntropy(false, row, targets, ones, 0, ones, 0, 0, withGrad ? row : 0, columns, n * temperature);
      if (!withGrad) sum.add(loss);
      if (isHere) view[targets / bytes + match] = 0;
    }
  };
  return {
    add: (block) => eachRow(block, false),
    finish: () => sum.times(1, n),
    differentiate: (block) => eachRow(block, true),
  };
}

interface Gradients {
  readonly x: Output;
  readonly y: Output;
}

/** What a sweep finds, beside the gradients of the rows. */
interface Found {
  readonly value: number;
  readonly gradTemperature: number;
  readonly gradBias: number;
}

function sweep(p: Problem, grads: Gradients | undefined): Found {
  const { fn, n, d, temperature, sigmoid, symmetric, bias, watch } = p;
  const { bytes } = p.x;
  const plain = [matrixIn(p.x, n), matrixIn(p.y, n)] as const;
  const withGrad = grads !== undefined;
  const room = roomOf(tilesOf(...plain, d), symmetric || withGrad, withGrad, symmetric && withGrad);
  const alone = (matrix: Matrix): Product => ({ ...tilesOf(matrix, matrix, d), y: undefined });
  const own = [alone(plain[0]), alone(plain[1])] as const;
  const mapping: Mapping = sigmoid
    ? { map: CODE.POLYNOMIAL, factor: 1 / temperature, shift: bias, degree: 1 }
    : times(1 / temperature);
  const bytesOfAll = Math.max(room.bytes, p.normalize ? scratchFor(...own) : 0);
  const run = (at: Arena, pointer: number): Found => {
    const normsIn = (i: 0 | 1): Norms | undefined => (p.normalize ? normsOf(at, pointer, own[i]) : undefined);
    const norms = [normsIn(0), normsIn(1)] as const;
    const a = lastingMatrix(fn, p.x, n, watch.alone, norms[0]);
    const b = lastingMatrix(fn, p.y, n, watch.alone, norms[1]);
    const product = tilesOf(a, b, d);
    const reduction = (sigmoid ? sigmoids : infoNCE)(at, pointer, room, p);
    const next = watched(watch, product, grads ? 2 : 1);
    eachBlock(at, pointer, product, (block) => {
      mapBlock(at, bytes, block, false, mapping);
      reduction.add(block);
      next();
    });
    const value = reduction.finish();
    if (!grads) return { value, gradTemperature: 0, gradBias: 0 };
    const [sums, lows, highs] = [pointer + room.sums, pointer + room.lows, pointer + room.highs];
    const ends = { x: a, y: b, depth: d, gradX: grads.x, gradY: grads.y };
    const total = new CompensatedSum();
    eachBlock(at, pointer, product, (block) => {
      const { rows, columns } = block;
      mapBlock(at, bytes, block, false, mapping);
      reduction.differentiate(block);
      if (sigmoid) {
        at.view(8).fill(0, sums / 8, sums / 8 + columns);
        at.typed(GRAM, bytes).columnSums(block.pointer, block.stride, rows, columns, 1, sums, lows, highs);
        for (let k = 0; k < columns; k++) total.add(at.view(8)[sums / 8 + k] as number);
      }
      addGradients(at, pointer, room, block, ends);
      next();
    });
    const along = throughNorms(a, grads.x, d);
    throughNorms(b, grads.y, d);
    return { value, gradTemperature: (0 - along) / temperature, gradBias: total.times(temperature, 1) };
  };
  return scratch(fn, bytesOfAll, run, watch.alone);
}

/**
 * The gradient with respect to rows u = x/‖x‖ becomes that with respect to x, (g − u·(u·g))/‖x‖, if they were normalised. Returns
 * Σ u·g of all rows.
 */
function throughNorms({ array: x, norms: prepared }: Matrix, { array: grad }: Output, d: number): number {
  const total = new CompensatedSum();
  const zeros = new Set(prepared?.zeros);
  for (let start = 0, i = 0; start < grad.length; start += d, i++) {
    const unit = prepared?.units?.[i] ?? 1;
    const norm = prepared?.norms[i] ?? 1;
    let along = 0;
    for (let k = start; k < start + d; k++) along += (((x[k] as number) * unit) / norm) * (grad[k] as number);
    total.add(along);
    // what is 0 was not divided
    if (!prepared || zeros.has(i)) continue;
    for (let k = start; k < start + d; k++)
      grad[k] = (((grad[k] as number) - (((x[k] as number) * unit) / norm) * along) / norm) * unit;
  }
  return total.value;
}

/**
 * The contrastive loss of n pairs, xᵢ and yᵢ, among all pairs: `[n, d], [n, d] → number`. With logits lᵢⱼ = xᵢ·yⱼ/τ, of rows divided by
 * their norms unless `normalize` is false,
 *
 *     infoNCE    ½·meanᵢ(log Σⱼ e^{lᵢⱼ} − lᵢᵢ) + ½·meanⱼ(log Σᵢ e^{lᵢⱼ} − lⱼⱼ)       not `symmetric`: meanᵢ of the first
 *     sigmoid    (1/n)·Σᵢⱼ softplus(∓(lᵢⱼ + bias)),  − of a pair that matches, + of all others
 *
 * in nats. The [n, n] logits are never held: they are made tile by tile, in memory that does not depend on n but for
 * 68 bytes a pair of f32 and 92 of f64.
 * The logit of a pair that matches is kept apart, so that a loss of 1e-8 keeps its digits. The bits depend on the shape alone. A row
 * of zeros stays one. NaN in a row makes the loss NaN, and so does no pair at all. Arrays must be left as they are until it returns, by a
 * `progress` callback too.
 *
 * @throws TypeError for arguments of the wrong kind; RangeError for a wrong shape, length or option; whatever `signal` was aborted with.
 * @example contrastiveLoss([1, 0, 0, 1], [1, 0, 0, 1], { shape: [2, 2], temperature: 1 }); // 0.3132…
 * @see Radford et al., Learning transferable visual models from natural language supervision (2021); Zhai et al., Sigmoid loss for
 *   language image pre-training (2023)
 */
export function contrastiveLoss(x: Input, y: Input, options?: ContrastiveLossOptions): number {
  return sweep(problemOf("contrastiveLoss", x, y, options), undefined).value;
}

/**
 * The same with its gradients with respect to x, y and the temperature, and with `kind: "sigmoid"` to the bias: the tiles are made a second
 * time. The gradient of a row of zeros is that of a row which is not divided by its norm.
 *
 * Of rows p, q (x and y, of norm 1 unless `normalize` is false) and G = ∂loss/∂(p·q), with Z = max (Σ|p·q|/τ + |bias|) and u = 2⁻²⁴
 * or 2⁻⁵³ of the type, each is off by at most u·(16 + 4·Z) of what it is the sum of: a row of gradX of Σⱼ |G|·‖q‖/‖x‖, gradTemperature of
 * Σ |G·p·q|/τ, gradBias of Σ |G|·τ. That is 10⁻⁵ (f32) and 10⁻¹² (f64) of its own size, of confident pairs too, unless most of the sum
 * cancels, or in f32 τ is below 0.01. Pairs that are there twice cancel: of a learnt batch of 13 with 5 that differ 10⁻⁴ to 2·10⁻⁶ of
 * a row of gradY is left, which is 2·10⁻⁴ to 10⁻² off in f32.
 *
 * @throws as `contrastiveLoss`.
 * @example contrastiveLossWithGrad([1, 2], [2, 1], { shape: [2, 1], temperature: 1, normalize: false }).gradTemperature; // -0.2310…
 */
export function contrastiveLossWithGrad<X extends Input, Y extends Input = Input>(
  x: X,
  y: Y,
  options?: ContrastiveLossOptions,
): ContrastiveLossGradients<ResultOf<X, Y>> {
  const fn = "contrastiveLossWithGrad";
  const p = problemOf(fn, x, y, options);
  const grads = {
    x: outputOf(fn, undefined, p.x.bytes, p.x.length),
    y: outputOf(fn, undefined, p.x.bytes, p.y.length),
  };
  const { value, gradTemperature, gradBias } = sweep(p, grads);
  return {
    value,
    gradX: grads.x.array as ResultOf<X, Y>,
    gradY: grads.y.array as ResultOf<X, Y>,
    gradTemperature,
    ...(p.sigmoid && { gradBias }),
  };
}
