/** The maximum mean discrepancy of two samples, whose matrices of kernels are summed block by block and never held. */
import { sameDepth, samplesOf } from "../check/points.ts";
import { sizesIn } from "../check/tensor.ts";
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { raise } from "../memory/scalar.ts";
import { flagOf, optionsOf } from "../options.ts";
import { type Block, type Matrix, mapBlock, matrixIn, type Product, sumBlocks, withBlocks } from "../place/blocks.ts";
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

/** Σ of a matrix of kernels, of what is off the diagonal, and of the diagonal. */
interface Sums {
  readonly pairs: CompensatedSum;
  readonly diagonal: CompensatedSum;
}

/** Those of some matrices, in f64, row by row of their blocks. */
function sums(at: Arena, scratch: number, matrices: readonly Mapped[], power: number | undefined): Sums[] {
  const all = matrices.map((): Sums => ({ pairs: new CompensatedSum(), diagonal: new CompensatedSum() }));
  const isOn = (of: number, { i, j }: Pick<Block, "i" | "j">): boolean => !matrices[of]?.product.y && i === j;
  sumBlocks(
    at,
    scratch,
    matrices.map(({ product }) => inBlocks(product)),
    {
      // its sum, and what is on the diagonal
      each: 2,
      find(of, block, numbers) {
        const { product, mapping } = matrices[of] as Mapped;
        const { bytes: size } = product.x;
        const own = isOn(of, block);
        mapBlock(at, size, block, own, mapping);
        const values = at.view(size);
        for (let r = 0; r < block.rows; r++) {
          const row = block.pointer / size + r * block.stride;
          let sum = 0;
          if (power !== undefined)
            raise(at, GRAM, values.subarray(row, row + (own ? r + 1 : block.columns)), size, power);
          for (let c = 0; c < (own ? r : block.columns); c++) sum += values[row + c] as number;
          // both triangles: what is below the diagonal counts twice
          numbers[2 * r] = product.y ? sum : 2 * sum;
          if (own) numbers[2 * r + 1] = values[row + r] as number;
        }
      },
      take(of, block, numbers) {
        const { pairs, diagonal } = all[of] as Sums;
        const own = isOn(of, block);
        for (let r = 0; r < block.rows; r++) {
          pairs.add(numbers[2 * r] as number);
          if (own) diagonal.add(numbers[2 * r + 1] as number);
        }
      },
    },
  );
  return all;
}

/** Sums are taken block by block. */
const inBlocks = (product: Product): Product => ({ ...product, sums: "blocks" });

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
  return withBlocks(fn, kernelProducts(p, q, d).map(inBlocks), [], [], (at, scratch) => {
    const operands = (x: Matrix, y?: Matrix): Mapped => kernelOperands(at, scratch, plan, x, y, d);
    const [both, first, second] = sums(at, scratch, [operands(p, q), operands(p), operands(q)], plan.power) as [
      Sums,
      Sums,
      Sums,
    ];
    const own = ({ pairs, diagonal }: Sums, rows: number): number =>
      apart ? pairs.value / (rows * (rows - 1)) : (pairs.value + diagonal.value) / (rows * rows);
    const value = own(first, n) + own(second, m) - 2 * (both.pairs.value / (n * m));
    // below 0 by rounding alone
    return !apart && plan.positive && value < 0 ? 0 : value;
  });
}
