/** Cross-entropy of a linear layer's logits, which are never held: its value, and the gradients of the layer. */
import { arrayType } from "../arrays.ts";
import { classesOf, labelsOf } from "../check/labels.ts";
import { rowsBesideOf } from "../check/points.ts";
import { inWords, matrixOf, type Operand, operandsOf, shapeOf, sizesIn } from "../check/tensor.ts";
import { counted, failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { scratch } from "../memory/scratch.ts";
import { integerIn, numberIn, optionsOf } from "../options.ts";
import { type Block, eachBlock, eachBlockAlong, type Product, planOf, reduceRows } from "../place/blocks.ts";
import { type Output, outputOf } from "../place/output.ts";
import {
  addGradients,
  addGradientX,
  addGradientY,
  type Ends,
  lastingMatrix,
  type Room,
  roomOf,
  tilesOf,
  watched,
} from "../place/tiles.ts";
import { UNWATCHED, type Watch, watchOf } from "../place/watch.ts";
import { KEPT, LogitRows, sumsOf, type Tile } from "../read/logits.ts";
import { Rows, reductionOf } from "../read/reduce.ts";
import { type Share, sharing } from "../share.ts";
import type { FloatArray, Input, LabelsLike, PairsProgress, Reduced, Reduction, ResultOf, Signal } from "../types.ts";

export interface LinearCrossEntropyOptions<
  R extends Reduction = Reduction,
  B extends Input | undefined = Input | undefined,
> {
  /** The shape of `x`: [n, d]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** The shape of `weight`: [C, d]. Default: the tensor's own, else as many rows of d as it holds. */
  weightShape?: readonly number[] | undefined;
  /** b, a number for each class. Default: none. */
  bias?: B;
  /** The label of rows that do not count. Default: −100. */
  ignoreIndex?: number | undefined;
  /** ε in [0, 1]: the target becomes (1 − ε)·target + ε/C. Default: 0. */
  labelSmoothing?: number | undefined;
  /** `"mean"` (the default), over the rows that count; `"sum"`; `"none"`: one loss per row. */
  reduction?: R | undefined;
  /** Called after some 10 ms of tiles, and after the last; may call any function of the package, and abort. */
  progress?: ((progress: PairsProgress) => void) | undefined;
  /** An AbortSignal. Looked at before the first tile and as often as `progress` is called; once it is aborted, its reason is thrown. */
  signal?: Signal | undefined;
}

/** The loss of a linear layer, and its gradients. */
export type LinearCrossEntropyGradients<T, R extends Reduction, B> = {
  value: Reduced<R, T>;
  /** [n, d] */
  gradX: T;
  /** [C, d] */
  gradWeight: T;
} & ([B] extends [undefined] ? unknown : { /** [C] */ gradBias: T });

const OPTIONS = ["shape", "weightShape", "bias", "ignoreIndex", "labelSmoothing", "reduction", "progress", "signal"];

/** The arguments, checked. */
interface Problem {
  readonly fn: string;
  readonly x: Operand;
  readonly weight: Operand;
  readonly bias: Operand | undefined;
  readonly labels: Int32Array;
  readonly n: number;
  readonly d: number;
  readonly classes: number;
  readonly ignoreIndex: number;
  readonly smoothing: number;
  readonly reduction: Reduction;
  readonly watch: Watch;
}

function problemOf(
  fn: string,
  x: unknown,
  weight: unknown,
  goal: unknown,
  options: LinearCrossEntropyOptions | undefined,
): Problem {
  const o = optionsOf<LinearCrossEntropyOptions>(fn, options, OPTIONS);
  const { shape, weightShape, bias, ignoreIndex, labelSmoothing, reduction, progress, signal } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const weightSizes = sizesIn(fn, "weightShape", weightShape);
  const ignored = integerIn(fn, "ignoreIndex", ignoreIndex, -100, -(2 ** 31), 2 ** 31 - 1);
  const smoothing = numberIn(fn, "labelSmoothing", labelSmoothing, 0, 0, 1);
  const reduced = reductionOf(fn, reduction);
  const watch = watchOf(fn, progress, signal);

  const found = labelsOf(fn, "labels", goal);
  const [inputs, weights, biases] = operandsOf(
    fn,
    [
      ["x", x],
      ["weight", weight],
    ],
    [["bias", bias]],
  );
  const [n, d] = matrixOf(fn, "shape", shapeOf(fn, inputs, sizes));
  const classes = rowsBesideOf(fn, weights, weightSizes, "weightShape", inputs, d);
  if (classes === 0 && n > 0)
    throw new RangeError(`${fn}: "weightShape" ${inWords([classes, d])} has no classes: there must be at least one`);
  if (found.list.length !== n)
    throw new RangeError(
      `${fn}: "labels" must hold ${counted(n, "label")} for the shape ${inWords([n, d])}, got ${found.list.length}`,
    );
  if (biases && biases.length !== classes)
    failValue(fn, "bias", `of length ${classes}, the number of classes`, biases.array);
  return {
    fn,
    x: inputs,
    weight: weights,
    bias: biases,
    labels: classesOf(fn, found, [n], classes, ignored),
    n,
    d,
    classes,
    ignoreIndex: ignored,
    smoothing,
    reduction: reduced,
    watch,
  };
}

interface Gradients {
  readonly x: Output;
  readonly weight: Output;
  readonly bias: Output | undefined;
}

/** How often the pairs are gone through with gradients, by the work that they take: two times their logits, and the two products. */
const WITH_GRADIENTS = 4;

/** The losses of all rows; and the gradients, if they are given, of their sum times `scale`. */
function sweep(p: Problem, grads: Gradients | undefined, scale: number): Float64Array {
  const { fn, x, labels, n, d, classes, ignoreIndex, watch } = p;
  const { bytes } = x;
  const [a, b] = [lastingMatrix(fn, x, n, watch.alone), lastingMatrix(fn, p.weight, classes, watch.alone)];
  const bias = p.bias && lastingMatrix(fn, p.bias, classes, watch.alone);
  const product: Product = { ...tilesOf(a, b, d), sums: grads ? "blocks" : "columns" };
  const roomFor = (tiles: Product): Room => roomOf(tiles, grads !== undefined, grads !== undefined);
  const share = sharing();
  const dtype = bytes === 4 ? "f32" : "f64";
  const own = (): FloatArray => new (arrayType(bytes))(KEPT * n);
  const kept = share ? share.output(dtype, KEPT * n, own, "dropped") : own();
  const losses = share ? share.output("f64", n, () => new Float64Array(n), "dropped") : new Float64Array(n);
  const take = (row: number, loss: number): void => {
    losses[row] = loss;
  };
  const target = { labels, classes, ignore: ignoreIndex, smoothing: p.smoothing, scale, take };
  const ignores = labels.includes(ignoreIndex);
  const isIgnored = ignores ? (row: number): boolean => labels[row] === ignoreIndex : undefined;
  const ends = grads && { x: a, y: b, depth: d, gradX: grads.x, gradY: grads.weight };
  // the sums of x's gradient are over columns, and those of the weight's over rows
  const [byRows, byColumns] = [{ ...product, sums: "columns" } as const, { ...product, sums: "rows" } as const];

  const run = (at: Arena, pointer: number): Float64Array => {
    /** What is done with the blocks of a product, by how it is cut; `follow`: whether those of some rows follow each other. */
    const handsFor = (tiles: Product, follow: boolean) => {
      const room = roomFor(tiles);
      const logits = new LogitRows(target, kept, follow ? [] : [{ kept, sums: new Float64Array(sumsOf(target)) }]);
      const places = {
        states: pointer + room.states,
        labels: pointer + room.labels,
        bias: bias ? pointer + room.bias : 0,
        row: pointer + room.row,
      };
      const tileOf = ({ pointer, stride, i, rows, j, columns }: Block): Tile => {
        if (bias) at.copyIn(bias.array, bytes, j, columns, places.bias);
        return { pointer, stride, i, rows, first: j, columns };
      };
      return {
        room,
        add: (block: Block): void => logits.add(at, bytes, tileOf(block), places),
        differentiate: (block: Block): void => logits.differentiate(at, bytes, tileOf(block), places),
      };
    };
    const addBias = (room: Room, { pointer: from, stride, i, rows, j, columns }: Block): void => {
      if (!grads?.bias) return;
      const [sums, lows, highs] = [pointer + room.sums, pointer + room.lows, pointer + room.highs];
      if (i === 0) at.view(8).fill(0, sums / 8, sums / 8 + columns);
      at.typed(GRAM, bytes).columnSums(from, stride, rows, columns, 1, sums, lows, highs);
      if (i + rows === n) at.copyOut(sums, columns, grads.bias.array, 8, j);
    };
    const ignore = (): void => {
      // 0 times a weight that is infinite is none
      if (grads)
        labels.forEach((label, row) => {
          if (label === ignoreIndex) grads.x.array.fill(0, row * d, (row + 1) * d);
        });
    };

    /**
     * The gradients in threads: first rows of x, each with its loss and its gradient; then, once all of them are there, rows of the weight.
     * The logits are made three times instead of two, and no sum crosses tiles.
     */
    const isDivided = (share: Share, ends: Ends): boolean => {
      const { side } = planOf(byRows);
      const { otherSide } = planOf(byColumns);
      const first = Math.ceil(n / side);
      const [down, across] = [handsFor(byRows, true), handsFor(byColumns, true)];
      const rowsOf = (tile: number): readonly [number, number] => [tile * side, Math.min(side, n - tile * side)];
      const classesOf = (tile: number): readonly [number, number] => {
        const j = (tile - first) * otherSide;
        return [j, Math.min(otherSide, classes - j)];
      };
      return share.sweep({
        tiles: first + Math.ceil(classes / otherSide),
        work: WITH_GRADIENTS * n * classes * Math.max(d, 16),
        elements: 0,
        barriers: { tiles: [first], reads: [kept] },
        run: (tile) => {
          if (tile < first) {
            const [i] = rowsOf(tile);
            eachBlockAlong(at, pointer, byRows, { i }, down.add);
            eachBlockAlong(at, pointer, byRows, { i }, (block) => {
              down.differentiate(block);
              addGradientX(at, pointer, down.room, block, ends);
            });
            return;
          }
          eachBlockAlong(at, pointer, byColumns, { j: classesOf(tile)[0] }, (block) => {
            across.differentiate(block);
            addBias(across.room, block);
            addGradientY(at, pointer, across.room, block, ends, isIgnored);
          });
        },
        extentsOf: (tile) => {
          const isFirst = tile < first;
          const [i, rows] = isFirst ? rowsOf(tile) : classesOf(tile);
          const of = isFirst ? n : classes;
          const outputs = isFirst ? [kept, losses, ends.gradX.array] : [ends.gradY.array, grads?.bias?.array];
          return outputs.flatMap((output) => (output ? [{ output, i, rows, of }] : []));
        },
      });
    };
    if (share && ends && n > 0 && isDivided(share, ends)) {
      ignore();
      return losses;
    }

    // rows by rows, a thread has all that is summed of them
    const byRow = share !== undefined && !grads;
    const { room, add, differentiate } = handsFor(product, byRow);
    const next = watched(watch, product, grads ? 2 : 1);
    if (byRow) {
      const nothing = (): void => undefined;
      reduceRows(at, pointer, product, { begin: nothing, take: add, end: nothing }, UNWATCHED);
    } else
      eachBlock(at, pointer, product, (block) => {
        add(block);
        next();
      });
    if (!ends) return losses;
    eachBlock(at, pointer, product, (block) => {
      differentiate(block);
      addBias(room, block);
      addGradients(at, pointer, room, block, ends, isIgnored);
      next();
    });
    ignore();
    return losses;
  };
  const cuts = share && grads ? [product, byRows, byColumns] : [product];
  return scratch(fn, Math.max(...cuts.map((cut) => roomFor(cut).bytes)), run, watch.alone);
}

interface Loss {
  readonly value: number | FloatArray;
  readonly gradX?: FloatArray;
  readonly gradWeight?: FloatArray;
  readonly gradBias?: FloatArray;
}

function lossOf(p: Problem, withGrad: boolean): Loss {
  const { fn, x, weight, bias, labels, n, ignoreIndex, reduction } = p;
  const result = reduction === "none" ? outputOf(fn, undefined, x.bytes, n) : undefined;
  const grads = withGrad
    ? {
        x: outputOf(fn, undefined, x.bytes, x.length),
        weight: outputOf(fn, undefined, x.bytes, weight.length),
        bias: bias && outputOf(fn, undefined, x.bytes, bias.length),
      }
    : undefined;
  const over = reduction === "mean" ? labels.reduce((count, label) => count + Number(label !== ignoreIndex), 0) : 1;
  const rows = new Rows(result, 1, over);
  rows.take(sweep(p, grads, 1 / over), 0, 0, n);
  if (!grads) return { value: rows.value };
  return {
    value: rows.value,
    gradX: grads.x.array,
    gradWeight: grads.weight.array,
    ...(grads.bias && { gradBias: grads.bias.array }),
  };
}

/**
 * The cross-entropy of the logits x·Wᵀ + b against a class per row, where the logits are never held:
 * `[n, d], [C, d], [n] → number`, or one per row,
 *
 *     lossᵢ = log Σⱼ e^{zᵢⱼ} − zᵢ,yᵢ,     zᵢⱼ = xᵢ·wⱼ + bⱼ
 *
 * in nats: `crossEntropy` of the product, whose [n, C] logits would take 2 GB at n = 4,096 and C = 128,256. They are made tile by tile
 * of at most 512 × 512, in memory that depends on neither n nor C, but for 40 bytes a row of f32
 * and 52 of f64. The label's logit is kept apart, so that a loss of
 * 1e-8 keeps its digits. The bits of a row depend on the shapes alone.
 *
 * A row with a NaN in it is NaN, and no other; a row whose label is `ignoreIndex` is 0. A mean over no rows is NaN. Arrays must
 * be left as they are until it returns, by a `progress` callback too.
 *
 * @throws TypeError for arguments of the wrong kind; RangeError for a wrong shape, length or option, and for a label out of range,
 *   with its row; whatever `signal` was aborted with.
 * @example linearCrossEntropy([1, 0], [2, 0, 0, 1, -1, 0], [0], { shape: [1, 2], weightShape: [3, 2] }); // 0.1698…
 * @see Wijmans et al., Cut your losses in large-vocabulary language models (2024)
 */
export function linearCrossEntropy<
  X extends Input,
  W extends Input = Input,
  B extends Input | undefined = undefined,
  R extends Reduction = "mean",
>(x: X, weight: W, labels: LabelsLike, options?: LinearCrossEntropyOptions<R, B>): Reduced<R, ResultOf<X, W, B>> {
  const fn = "linearCrossEntropy";
  return lossOf(problemOf(fn, x, weight, labels, options), false).value as Reduced<R, ResultOf<X, W, B>>;
}

/**
 * The same with its gradients with respect to x, the weight, and the bias if there is one, under the same reduction; under `"none"` each row's
 * own, and the weight's and the bias's of the sum:
 *
 *     gradX = G·W,     gradWeight = Gᵀ·x,     gradBias = Σᵢ Gᵢ,     G = softmax(z) − target
 *
 * A row errs by some u·(16 + 4·max Σ|x·w|) of Σ|G|·‖w‖, or of Σ|G|·‖x‖, the lengths that it is the sum of: where most of that cancels, by more of
 * what is left. Smoothed, the target may cancel the softmax itself: for |G| take |G| + ε of the label, |G| + ε/C of any other class. Where the
 * roundings of a product all go one way, as of rows of 64 equal numbers and more, 4 becomes up to 640.
 * The tiles are made a second time, and with the two products that is 4/3 of the work that is counted. A row that is ignored has a gradient of
 * exactly 0, and adds nothing to the others, whatever it holds.
 *
 * @throws as `linearCrossEntropy`.
 * @example linearCrossEntropyWithGrad([1], [0, 0], [0], { shape: [1, 1] }).gradWeight; // Float64Array [-0.5, 0.5]
 */
export function linearCrossEntropyWithGrad<
  X extends Input,
  W extends Input = Input,
  B extends Input | undefined = undefined,
  R extends Reduction = "mean",
>(
  x: X,
  weight: W,
  labels: LabelsLike,
  options?: LinearCrossEntropyOptions<R, B>,
): LinearCrossEntropyGradients<ResultOf<X, W, B>, R, B> {
  const fn = "linearCrossEntropyWithGrad";
  return lossOf(problemOf(fn, x, weight, labels, options), true) as unknown as LinearCrossEntropyGradients<
    ResultOf<X, W, B>,
    R,
    B
  >;
}
