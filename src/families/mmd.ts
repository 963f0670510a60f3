/** The maximum mean discrepancy of two samples, whose matrices of kernels are summed block by block and never held. */
import { sameDepth, samplesOf } from "../check/points.ts";
import { sizesIn } from "../check/tensor.ts";
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { raise } from "../memory/scalar.ts";
import { flagOf, optionsOf } from "../options.ts";
import { eachBlock, type Matrix, mapBlock, matrixIn, withBlocks } from "../place/blocks.ts";
import { CompensatedSum } from "../read/sum.ts";
import type { Input } from "../types.ts";
import {
  type KernelOptions,
  kernelOf,
  kernelOperands,
  kernelPlan,
  kernelProducts,
  type Mapped,
} from "./kernelMatrix.ts";

export interface MmdOptions extends Partial<KernelOptions> {
  /** The shape of `x`: [n, d]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** The shape of `y`: [m, d]. Default: the tensor's own, else that of `x`. */
  yShape?: readonly number[] | undefined;
  /** Whether pairs of a point and itself are left out: 0 on the average for equal distributions, and maybe negative. Default: false. */
  unbiased?: boolean | undefined;
}

/** Σ of a matrix of kernels, in f64, row by row of its blocks: of what is off the diagonal, and of the diagonal. */
function sums(
  at: Arena,
  scratch: number,
  { product, mapping }: Mapped,
  power: number | undefined,
): { pairs: number; diagonal: number } {
  const { bytes: size } = product.x;
  const pairs = new CompensatedSum();
  const diagonal = new CompensatedSum();
  eachBlock(at, scratch, product, (block) => {
    const own = !product.y && block.i === block.j;
    mapBlock(at, size, block, own, mapping);
    const values = at.view(size);
    for (let r = 0; r < block.rows; r++) {
      const row = block.pointer / size + r * block.stride;
      let sum = 0;
      // both triangles: what is below the diagonal counts twice
      if (power !== undefined) raise(at, GRAM, values.subarray(row, row + (own ? r + 1 : block.columns)), size, power);
      for (let c = 0; c < (own ? r : block.columns); c++) sum += values[row + c] as number;
      pairs.add(product.y ? sum : 2 * sum);
      if (own) diagonal.add(values[row + r] as number);
    }
  });
  return { pairs: pairs.value, diagonal: diagonal.value };
}

const OPTIONS = ["shape", "yShape", "kernel", "gamma", "degree", "coef0", "unbiased"];

/**
 * The squared maximum mean discrepancy of two samples, mean k(x, x′) + mean k(y, y′) − 2 mean k(x, y): how far apart the
 * distributions are in the kernel's space. `[n, d], [m, d] → number`, at least 0 if biased; the kernel is "rbf" unless given.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape or parameter, or too few points.
 * @example mmd([0, 1], [5, 6], { shape: [2, 1] }); // 1.3678…
 * @see Gretton et al., A kernel two-sample test (2012), equations 3 and 5
 */
export function mmd(x: Input, y: Input, options?: MmdOptions): number {
  const fn = "mmd";
  const o = optionsOf<MmdOptions>(fn, options, OPTIONS);
  const { shape, yShape, unbiased } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const ySizes = sizesIn(fn, "yShape", yShape);
  const apart = flagOf(fn, "unbiased", unbiased);
  const checked = kernelOf(fn, o, "rbf");
  const samples = samplesOf(fn, x, y, sizes, ySizes, apart ? 2 : 1);
  const d = sameDepth(fn, samples);
  const plan = kernelPlan(checked, d);
  const [[n], [m]] = [samples.shape, samples.yShape];
  const [p, q] = [matrixIn(samples.x, n), matrixIn(samples.y, m)];
  return withBlocks(fn, kernelProducts(p, q, d), [], [], (at, scratch) => {
    const own = (sample: Matrix): number => {
      const { pairs, diagonal } = sums(
        at,
        scratch,
        kernelOperands(at, scratch, plan, sample, undefined, d),
        plan.power,
      );
      const { rows } = sample;
      return apart ? pairs / (rows * (rows - 1)) : (pairs + diagonal) / (rows * rows);
    };
    const cross = sums(at, scratch, kernelOperands(at, scratch, plan, p, q, d), plan.power).pairs / (n * m);
    const value = own(p) + own(q) - 2 * cross;
    // below 0 by rounding alone
    return !apart && plan.positive && value < 0 ? 0 : value;
  });
}
