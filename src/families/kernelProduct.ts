/** Products of a matrix of kernels, which is never held, with a few columns. */
import { sameDepth, shapesOf } from "../check/points.ts";
import { layoutInWords, type Operand, operandsOf, sizesIn } from "../check/tensor.ts";
import { failKind } from "../errors.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { raise } from "../memory/scalar.ts";
import { optionsOf } from "../options.ts";
import {
  mapBlock,
  matrixIn,
  type Product,
  productOf,
  type Reduction,
  reduceRows,
  sidesOf,
  withBlocks,
} from "../place/blocks.ts";
import { madeIn, outputOf } from "../place/output.ts";
import { watchOf } from "../place/watch.ts";
import { SUM_LENGTH, sumAt } from "../read/sum.ts";
import type { FloatArray, Input, Out, PairsProgress, ResultOf, Signal } from "../types.ts";
import { type KernelOptions, kernelOf, kernelOperands, kernelPlan, kernelProducts } from "./kernelMatrix.ts";

export interface KernelProductOptions<T extends FloatArray = FloatArray> extends KernelOptions {
  /** The shape of `x`: [n, d]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** The shape of `y`: [m, d]. Default: the tensor's own, else that of `x`. */
  yShape?: readonly number[] | undefined;
  /** Called after tiles of pairs, some 10 ms apart; may call any function of the package, and abort. */
  progress?: ((progress: PairsProgress) => void) | undefined;
  /** An AbortSignal. Looked at as often; once it is aborted, its reason is thrown. */
  signal?: Signal | undefined;
  /** Where to write the result, instead of a new array. With `progress` or `signal` it is written when all is done. */
  out?: Out<T> | undefined;
}

const OPTIONS = ["shape", "yShape", "kernel", "gamma", "degree", "coef0", "progress", "signal", "out"];

/** Bytes of the sums of a block at most, but for those of one row. */
const MOST_BYTES = 2 ** 21;

/** p of v [m, p]: of its own shape, else as many as there are for each row. */
function columnsOf(fn: string, v: Operand, m: number): number {
  const { length, shape = [length] } = v;
  const p = shape.length === 1 ? (m > 0 ? length / m : length === 0 ? 0 : Number.NaN) : (shape[1] as number);
  const fits = shape.length === 1 ? Number.isInteger(p) : shape.length === 2 && shape[0] === m && m * p === length;
  if (fits) return p;
  throw new RangeError(`${fn}: "v" must be of shape [${m}, p], a row for each of "y", got ${layoutInWords(v)}`);
}

/**
 * The product K·v of the matrix of kernels K[i, j] = k(xᵢ, yⱼ) of `kernelMatrix` with v: `[n, d], [m, d], [m, p] → [n, p]`, or of x
 * and x without y. K, n×m, is never held: sums of kernels for millions of pairs take memory for a tile.
 *
 *     out[i, q] = Σⱼ k(xᵢ, yⱼ)·v[j, q]
 *
 * Kernels are those of `kernelMatrix`, bit by bit; products are summed in f64, compensated after every 256: of f32 the sum adds nothing to
 * the errors of the kernels, of f64 less than 40 roundings relative to Σ|k·v|, however many there are. Bits do not depend on n. NaN
 * in a row of x stays in its row, in v in its column. Memory grows by 4 KB for each column of v.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, parameter or length of `out`; whatever `signal` was
 *   aborted with.
 * @example kernelProduct([0, 1], [0, 1, 2], [1, 1, 1], { shape: [2, 1], yShape: [3, 1], kernel: "linear" }); // Float64Array [0, 3]
 * @see Charlier et al., Kernel operations on the GPU, with autodiff, without memory overflows (2021)
 */
export function kernelProduct<X extends Input, Y extends Input | undefined, V extends Input>(
  x: X,
  y: Y,
  v: V,
  options: KernelProductOptions<ResultOf<X, Y, V>>,
): ResultOf<X, Y, V> {
  const fn = "kernelProduct";
  const o = optionsOf<KernelProductOptions>(fn, options, OPTIONS);
  const { shape, yShape, progress, signal, out } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const ySizes = sizesIn(fn, "yShape", yShape);
  const checked = kernelOf(fn, o);
  const watch = watchOf(fn, progress, signal);
  if (v === undefined) failKind(fn, "v", "columns to multiply", v);
  const [a, columns, b] = operandsOf(
    fn,
    [
      ["x", x],
      ["v", v],
    ],
    [["y", y]],
  );
  const shapes = shapesOf(fn, a, b, sizes, ySizes);
  const d = sameDepth(fn, shapes);
  const [[n], [m]] = [shapes.shape, shapes.yShape];
  const p = columnsOf(fn, columns, m);
  const result = outputOf(fn, out, a.bytes, n * p);
  const { made, deliver } = madeIn(fn, result, watch.alone);
  const plan = kernelPlan(checked, d);
  const { bytes } = a;
  const most = Math.max(1, Math.floor(MOST_BYTES / (8 * SUM_LENGTH * Math.max(p, 1))));
  const reduced = (product: Product): Product => ({
    ...product,
    y: product.y ?? product.x,
    small: true,
    runs: true,
    most,
  });
  const [own, other] = [matrixIn(a, n), b && matrixIn(b, m)];
  const whole = reduced(productOf(own, other, d));
  const { rows: side, columns: width } = sidesOf(whole);
  const stride = width + 16;
  const reads = b ? [a, b, columns] : [a, columns];
  withBlocks(
    fn,
    [...kernelProducts(own, other, d), whole],
    reads,
    [made],
    (at, scratch, safe, state) => {
      const [first, second] = [matrixIn(safe[0] as Operand, n), b && matrixIn(safe[1] as Operand, m)];
      const weights = safe[safe.length - 1] as Operand;
      const { product, mapping } = kernelOperands(at, scratch, plan, first, second, d);
      const sums = state;
      const vAt = sums + 8 * SUM_LENGTH * side * p;
      const kernels = at.typed(GRAM, bytes);
      const reduction: Reduction = {
        begin: (_, rows) => {
          at.view(8).fill(0, sums / 8, sums / 8 + SUM_LENGTH * rows * p);
        },
        take: (block) => {
          const { pointer, stride: ld, rows, j, columns: count } = block;
          mapBlock(at, bytes, block, false, mapping);
          if (plan.power !== undefined) {
            for (let r = 0; r < rows; r++)
              raise(at, GRAM, at.arrayAt(pointer + r * ld * bytes, count, bytes), bytes, plan.power);
          }
          for (let q = 0; q < p; q++) {
            const to = vAt + 8 * q * stride;
            at.copyIn(weights.array, bytes, j * p + q, count, to, p, 8);
            at.view(8).fill(0, to / 8 + count, to / 8 + count + 16);
          }
          kernels.weigh(pointer, ld, rows, count, vAt, stride, p, sums);
        },
        end: (i, rows) => {
          const view = at.view(8);
          for (let e = 0; e < rows * p; e++) made.array[i * p + e] = sumAt(view, sums / 8 + SUM_LENGTH * e);
        },
      };
      reduceRows(at, scratch, reduced(product), reduction, watch);
    },
    8 * SUM_LENGTH * side * p + 8 * stride * p,
    watch,
  );
  return deliver() as ResultOf<X, Y, V>;
}
