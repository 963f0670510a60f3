/** Losses of matching pairs among all pairs of two batches, CLIP's and SigLIP's, whose [n, n] logits are never held. */

import * as CODE from "../../assembly/gram/codes.ts";
import { arrayType } from "../arrays.ts";
import { inWords, layoutInWords, matrixOf, type Operand, operandsOf, shapeOf, sizesIn } from "../check/tensor.ts";
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { LOSSES } from "../memory/embedded/losses.ts";
import { scratch } from "../memory/scratch.ts";
import { flagOf, numberIn, oneOf, optionsOf } from "../options.ts";
import {
  type Block,
  eachBlock,
  eachBlockAlong,
  type Mapping,
  type Matrix,
  mapBlock,
  matrixIn,
  type Norms,
  type Place,
  type Plan,
  type Product,
  planOf,
  scratchFor,
  startsOf,
  times,
} from "../place/blocks.ts";
import { type Output, outputOf } from "../place/output.ts";
import { normsOf } from "../place/prepare.ts";
import {
  addGradients,
  addGradientX,
  addGradientY,
  addTurned,
  type Ends,
  lastingMatrix,
  type Room,
  roomOf,
  tilesOf,
  turn,
  turnedStride,
  watched,
} from "../place/tiles.ts";
import { type Watch, watchOf } from "../place/watch.ts";
import { type Between, KEPT, LogitRows, type LogitTarget, sumsOf, type Tile } from "../read/logits.ts";
import { CompensatedSum } from "../read/sum.ts";
import { type Extent, type Share, sharing } from "../share.ts";
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
  if (b.length !== n * d || (own.length > 1 && own.join() !== [n, d].join()))
    throw new RangeError(`${fn}: "y" must be of the shape of "x", ${inWords([n, d])}, got ${layoutInWords(b)}`);
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
  /** Its losses are taken in; `turn` is one more than that of the tile before of the same rows, and of the same columns. */
  add(block: Block, turn?: number): void;
  /** A tile becomes the gradient with respect to its logits, over the temperature. */
  differentiate(block: Block): void;
}

/** What infoNCE has of the rows, or of the columns: what is kept of each, what between its tiles, and who takes their losses. */
interface Side {
  readonly kept: FloatArray;
  readonly between: readonly Between[];
  take(index: number, loss: number): void;
}

/** Of a temperature; rows and columns have the label of their own index. */
function targetOf({ n, temperature, symmetric }: Problem): Omit<LogitTarget, "take"> {
  const labels = new Int32Array(n);
  for (let i = 0; i < n; i++) labels[i] = i;
  const scale = 1 / ((symmetric ? 2 : 1) * n * temperature);
  return { labels, classes: n, ignore: -1, smoothing: 0, scale };
}

/** −log softmax of the pairs that match, among their rows, and if there is a side for these among their columns. */
function infoNCE(
  at: Arena,
  pointer: number,
  room: Room,
  bytes: number,
  target: Omit<LogitTarget, "take">,
  sides: readonly Side[],
): Reduction {
  const [rows, columns] = sides.map(({ kept, between, take }) => new LogitRows({ ...target, take }, kept, between)) as [
    LogitRows,
    LogitRows?,
  ];
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
    add(block, time) {
      if (columns) {
        turn(at, bytes, block, turned);
        columns.add(at, bytes, turnedTile(block), across, time);
      }
      rows.add(at, bytes, tileOf(block), down, time);
    },
    differentiate(block) {
      if (columns) turn(at, bytes, block, turned);
      rows.differentiate(at, bytes, tileOf(block), down);
      if (!columns) return;
      columns.differentiate(at, bytes, turnedTile(block), across);
      addTurned(at, bytes, block, turned, pointer + room.back);
    },
  };
}

/** The bytes of a vector. */
const VECTOR_BYTES = 16;

/** −log σ of the logits of pairs that match, and of minus those of all others; `take` has a row's losses in columns from j on. */
function sigmoids(
  at: Arena,
  pointer: number,
  room: Room,
  { x: { bytes }, n, temperature }: Problem,
  take: (row: number, j: number, loss: number) => void,
): Reduction {
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
      if (!withGrad) take(i + r, j, loss);
      if (isHere) view[targets / bytes + match] = 0;
    }
  };
  return {
    add: (block) => eachRow(block, false),
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

/** What a sweep works on and with. */
interface Work {
  readonly p: Problem;
  readonly at: Arena;
  readonly pointer: number;
  /** The product, and as it is cut in threads; and where things stand of each. */
  readonly cuts: readonly Product[];
  readonly rooms: readonly Room[];
  readonly mapping: Mapping;
  readonly ends: Ends | undefined;
  readonly target: Omit<LogitTarget, "take">;
}

/** The sums over all pairs: of the losses, and of the slopes by the sigmoid's bias. */
interface Sums {
  readonly losses: CompensatedSum;
  readonly slopes: CompensatedSum;
}

/** The product as it is cut where rows, or columns, are divided: what is summed over the other is cut as in one thread. */
const byRows = (product: Product): Product => ({ ...product, sums: "columns" });
const byColumns = (product: Product): Product => ({ ...product, sums: "rows" });

/** Shows the slopes by the sigmoid's bias of the columns of a block, each the sum of its rows. */
function eachSlope(
  at: Arena,
  pointer: number,
  room: Room,
  bytes: number,
  { pointer: from, stride, rows, j, columns }: Block,
  take: (column: number, slope: number) => void,
): void {
  const [sums, lows, highs] = [pointer + room.sums, pointer + room.lows, pointer + room.highs];
  at.view(8).fill(0, sums / 8, sums / 8 + columns);
  at.typed(GRAM, bytes).columnSums(from, stride, rows, columns, 1, sums, lows, highs);
  for (let k = 0; k < columns; k++) take(j + k, at.view(8)[sums / 8 + k] as number);
}

/** All blocks, one after the other. */
function sweepAll({ p, at, pointer, cuts, rooms, mapping, ends, target }: Work): Sums {
  const { n, sigmoid, symmetric, watch } = p;
  const { bytes } = p.x;
  const [losses, slopes] = [new CompensatedSum(), new CompensatedSum()];
  const [product] = cuts as [Product];
  const [room] = rooms as [Room];
  const kept = (): FloatArray => new (arrayType(bytes))(KEPT * n);
  const ofColumns = new Float64Array(symmetric ? n : 0);
  const sides = (): Side[] => {
    // blocks come column by column: those of a column follow each other, and the rows are done with the last of them
    const ofRows = kept();
    const between = [{ kept: ofRows, sums: new Float64Array(sumsOf(target)) }];
    const rows: Side = { kept: ofRows, between, take: (_, loss) => losses.add(loss) };
    const take = (column: number, loss: number): void => {
      ofColumns[column] = loss;
    };
    return symmetric ? [rows, { kept: kept(), between: [], take }] : [rows];
  };
  const reduction = sigmoid
    ? sigmoids(at, pointer, room, p, (_, __, loss) => losses.add(loss))
    : infoNCE(at, pointer, room, bytes, target, sides());
  const next = watched(watch, product, ends ? 2 : 1);
  eachBlock(at, pointer, product, (block) => {
    mapBlock(at, bytes, block, false, mapping);
    reduction.add(block);
    next();
  });
  for (const loss of ofColumns) losses.add(loss);
  if (!ends) return { losses, slopes };
  eachBlock(at, pointer, product, (block) => {
    mapBlock(at, bytes, block, false, mapping);
    reduction.differentiate(block);
    if (sigmoid) eachSlope(at, pointer, room, bytes, block, (_, slope) => slopes.add(slope));
    addGradients(at, pointer, room, block, ends);
    next();
  });
  return { losses, slopes };
}

/** A tile that threads divide, and what it writes. */
interface Job {
  run(): void;
  readonly extents: readonly Extent[];
}

/** How a product is cut, and what is done with its blocks along a row of them, a column, or one alone. */
interface Cut extends Pick<Plan, "side" | "otherSide"> {
  readonly room: Room;
  readonly reduction: Reduction;
  along(place: Partial<Place>, visit: (block: Block) => void): void;
}

/** How often the pairs are gone through with gradients, by the work that they take: two times their logits, and the two products. */
const WITH_GRADIENTS = 4;

/**
 * The same in threads, or undefined where that is not worth it. A softmax among columns goes on from block to block of a column, as one
 * among rows does from block to block of a row: the blocks of an antidiagonal are found at a time, and each reads what those before it
 * left of its rows and of its columns. Gradients are found of rows, and of columns, with logits that are made for either. What is summed over all
 * pairs is kept, and added up in the order of one thread.
 */
function sweepDivided({ p, at, pointer, cuts, rooms, mapping, ends, target }: Work, share: Share): Sums | undefined {
  const { n, d, sigmoid, symmetric } = p;
  const { bytes } = p.x;
  const doubles = (length: number): Float64Array =>
    share.output("f64", length, () => new Float64Array(length), "dropped");
  const kept = (): FloatArray =>
    share.output(bytes === 4 ? "f32" : "f64", KEPT * n, () => new (arrayType(bytes))(KEPT * n), "dropped");
  const { side } = planOf(cuts[0] as Product);
  const starts = startsOf(n, side);
  const count = starts.length;
  // those of a sigmoid are of a row in each block of columns
  const losses = doubles((sigmoid ? count : symmetric ? 2 : 1) * n);
  // of a column in each block of rows
  const slopes = sigmoid && ends ? doubles(count * n) : undefined;
  const sides = Array.from({ length: sigmoid ? 0 : symmetric ? 2 : 1 }, (_, k): Side => {
    const take = (index: number, loss: number): void => {
      losses[k * n + index] = loss;
    };
    const between = (): Between => ({ kept: kept(), sums: doubles(sumsOf(target)) });
    return { kept: kept(), between: symmetric ? [between(), between()] : [], take };
  });
  const reductionIn = (room: Room): Reduction =>
    sigmoid
      ? sigmoids(at, pointer, room, p, (row, j, loss) => {
          losses[(j / side) * n + row] = loss;
        })
      : infoNCE(at, pointer, room, bytes, target, sides);
  const [blocks, rows, columns] = cuts.map((cut, k) => {
    const room = rooms[k] as Room;
    const reduction = reductionIn(room);
    const along: Cut["along"] = (place, visit) =>
      eachBlockAlong(at, pointer, cut, place, (block) => {
        mapBlock(at, bytes, block, false, mapping);
        visit(block);
      });
    const { side, otherSide } = planOf(cut);
    return { room, reduction, along, side, otherSide };
  }) as [Cut, Cut, Cut];
  const jobs: Job[] = [];
  const barriers: number[] = [];
  const lossesOf = (i: number, rows: number): Extent =>
    sigmoid
      ? { output: losses, i: 0, rows: count, of: count, j: i, columns: rows }
      : { output: losses, i, rows, of: n };

  if (symmetric)
    for (let time = 0; time < 2 * count - 1; time++) {
      if (time > 0) barriers.push(jobs.length);
      for (const i of starts) {
        const j = time * side - i;
        if (j < 0 || j >= n) continue;
        const extents = sides.flatMap(({ kept, between }, k): Extent[] => {
          const from = k ? j : i;
          const length = Math.min(side, n - from);
          const { kept: left, sums } = between[time % 2] as Between;
          const own = [kept, left, sums].map((output) => ({ output, i: from, rows: length, of: n }));
          return [{ output: losses, i: k * n + from, rows: length, of: 2 * n }, ...own];
        });
        const run = (): void => blocks.along({ i, j }, (block) => blocks.reduction.add(block, time));
        jobs.push({ run, extents });
      }
    }
  else if (!slopes)
    for (const i of startsOf(n, rows.side)) {
      const length = Math.min(rows.side, n - i);
      const own = sides.map(({ kept }): Extent => ({ output: kept, i, rows: length, of: n }));
      jobs.push({
        run: () => rows.along({ i }, (block) => rows.reduction.add(block)),
        extents: [lossesOf(i, length), ...own],
      });
    }
  if (ends) {
    if (jobs.length > 0) barriers.push(jobs.length);
    for (const i of startsOf(n, rows.side)) {
      const length = Math.min(rows.side, n - i);
      const own = { output: ends.gradX.array, i, rows: length, of: n };
      const run = (): void =>
        rows.along({ i }, (block) => {
          if (slopes) rows.reduction.add(block);
          rows.reduction.differentiate(block);
          addGradientX(at, pointer, rows.room, block, ends);
        });
      jobs.push({ run, extents: slopes ? [own, lossesOf(i, length)] : [own] });
    }
    for (const j of startsOf(n, columns.otherSide)) {
      const length = Math.min(columns.otherSide, n - j);
      const own = { output: ends.gradY.array, i: j, rows: length, of: n };
      const ofSlopes = slopes && { output: slopes, i: 0, rows: count, of: count, j, columns: length };
      const run = (): void =>
        columns.along({ j }, (block) => {
          columns.reduction.differentiate(block);
          if (slopes)
            eachSlope(at, pointer, columns.room, bytes, block, (column, slope) => {
              slopes[(block.i / side) * n + column] = slope;
            });
          addGradientY(at, pointer, columns.room, block, ends);
        });
      jobs.push({ run, extents: ofSlopes ? [own, ofSlopes] : [own] });
    }
  }
  const isDone = share.sweep({
    tiles: jobs.length,
    work: (ends ? WITH_GRADIENTS : 1) * n * n * Math.max(d, 16),
    elements: 0,
    barriers: {
      tiles: barriers,
      reads: sides.flatMap(({ kept, between }) => [kept, ...between.flatMap(({ kept, sums }) => [kept, sums])]),
    },
    run: (tile) => (jobs[tile] as Job).run(),
    extentsOf: (tile) => (jobs[tile] as Job).extents,
  });
  if (!isDone) return undefined;
  const sums = { losses: new CompensatedSum(), slopes: new CompensatedSum() };
  for (const loss of losses) sums.losses.add(loss);
  if (slopes)
    for (const j of starts)
      for (let k = 0; k < count; k++)
        for (const slope of slopes.subarray(k * n + j, k * n + Math.min(j + side, n))) sums.slopes.add(slope);
  return sums;
}

function sweep(p: Problem, grads: Gradients | undefined): Found {
  const { fn, n, d, temperature, sigmoid, symmetric, bias, watch } = p;
  const plain = [matrixIn(p.x, n), matrixIn(p.y, n)] as const;
  const withGrad = grads !== undefined;
  const cut: Product = { ...tilesOf(...plain, d), sums: "blocks" };
  const share = sharing();
  const cutsOf = (one: Product): Product[] => (share ? [one, byRows(one), byColumns(one)] : [one]);
  const rooms = cutsOf(cut).map((one) => roomOf(one, symmetric || withGrad, withGrad, symmetric && withGrad));
  const alone = (matrix: Matrix): Product => ({ ...tilesOf(matrix, matrix, d), y: undefined });
  const own = [alone(plain[0]), alone(plain[1])] as const;
  const mapping: Mapping = sigmoid
    ? { map: CODE.POLYNOMIAL, factor: 1 / temperature, shift: bias, degree: 1 }
    : times(1 / temperature);
  const bytes = Math.max(...rooms.map((room) => room.bytes), p.normalize ? scratchFor(...own) : 0);
  const run = (at: Arena, pointer: number): Found => {
    const normsIn = (i: 0 | 1): Norms | undefined => (p.normalize ? normsOf(at, pointer, own[i]) : undefined);
    const norms = [normsIn(0), normsIn(1)] as const;
    const x = lastingMatrix(fn, p.x, n, watch.alone, norms[0]);
    const y = lastingMatrix(fn, p.y, n, watch.alone, norms[1]);
    const ends = grads && { x, y, depth: d, gradX: grads.x, gradY: grads.y };
    const work = { p, at, pointer, cuts: cutsOf({ ...cut, x, y }), rooms, mapping, ends, target: targetOf(p) };
    const { losses, slopes } = (share && n > 0 && sweepDivided(work, share)) || sweepAll(work);
    const value = losses.times(1, (symmetric ? 2 : 1) * n);
    if (!grads) return { value, gradTemperature: 0, gradBias: 0 };
    const along = throughNorms(x, grads.x, d);
    throughNorms(y, grads.y, d);
    return { value, gradTemperature: (0 - along) / temperature, gradBias: slopes.times(temperature, 1) };
  };
  return scratch(fn, bytes, run, watch.alone);
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
 * Σ |G·p·q|/τ, gradBias of Σ |G|·τ. Where the roundings of a product all go one way, as of rows of 64 equal numbers and more, 4·Z becomes up
 * to 640·Z. That is 10⁻⁵ (f32) and 10⁻¹² (f64) of its own size, of confident pairs too, unless most of the sum
 * cancels, or in f32 τ is below 0.01. Pairs that are there twice cancel: of a learnt batch of 13 with 5 that differ 10⁻⁴ to 2·10⁻⁶ of
 * a row of gradY is left, which is 2·10⁻⁴ to 10⁻² off in f32.
 *
 * @throws as `contrastiveLoss`.
 * @example contrastiveLossWithGrad([1, 2], [2, 1], { shape: [2, 1], temperature: 1, normalize: false }).gradTemperature; // -0.7463…
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
