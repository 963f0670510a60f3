/** Matrices of kernels, which stand for inner products of other spaces. */

import * as CODE from "../../assembly/gram/codes.ts";
import { pointsOf, sameDepth } from "../check/points.ts";
import { sizesIn } from "../check/tensor.ts";
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { raise } from "../memory/scalar.ts";
import { numberIn, oneOf, optionsOf } from "../options.ts";
import {
  type Mapping,
  type Matrix,
  matrixIn,
  type Product,
  productOf,
  times,
  withBlocks,
  writeProduct,
} from "../place/blocks.ts";
import { type FewPairs, fewPairsOf, fewProduct } from "../place/fewPairs.ts";
import { outputOf } from "../place/output.ts";
import { isUsual, normsOf, rangeOf } from "../place/prepare.ts";
import type { FloatArray, Input, Out, ResultOf } from "../types.ts";

export type Kernel = "linear" | "polynomial" | "rbf" | "laplacian" | "sigmoid" | "cosine";

export interface KernelOptions {
  /** Which kernel. */
  kernel: Kernel;
  /** γ of all but the linear and the cosine kernel, at least 0. Default: 1/d. */
  gamma?: number | undefined;
  /** The power of the polynomial kernel, at least 0. Default: 3. */
  degree?: number | undefined;
  /** c of the polynomial and the sigmoid kernel. Default: 1. */
  coef0?: number | undefined;
}

export interface KernelMatrixOptions<T extends FloatArray = FloatArray> extends KernelOptions {
  /** The shape of `x`: [n, d]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** The shape of `y`: [m, d]. Default: the tensor's own, else that of `x`. */
  yShape?: readonly number[] | undefined;
  /** Where to write the result, instead of a new array. */
  out?: Out<T> | undefined;
}

/** A kernel as a product and what its sums are mapped by; `power` is one that is no integer, which the values have yet to be raised to. */
export interface KernelPlan {
  readonly of: 0 | 1 | 2;
  readonly normed: boolean;
  /** Whether every matrix of it is positive semi-definite. */
  readonly positive: boolean;
  readonly map: Mapping;
  readonly power: number | undefined;
}

/** The largest integer power that is multiplied out. */
const LARGEST_DEGREE = 2 ** 31 - 1;

const KERNELS = ["linear", "polynomial", "rbf", "laplacian", "sigmoid", "cosine"] as const;

/** The options that describe a kernel, checked. */
export interface CheckedKernel {
  readonly kernel: Kernel;
  /** Undefined: 1/d. */
  readonly gamma: number | undefined;
  readonly degree: number;
  readonly coef0: number;
}

export function kernelOf(fn: string, o: Partial<KernelOptions>, byDefault?: Kernel): CheckedKernel {
  const { kernel, gamma, degree, coef0 } = o;
  return {
    kernel: oneOf(fn, "kernel", kernel, KERNELS, byDefault),
    gamma: gamma === undefined ? undefined : numberIn(fn, "gamma", gamma, undefined, 0),
    degree: numberIn(fn, "degree", degree, 3, 0),
    coef0: numberIn(fn, "coef0", coef0, 1),
  };
}

export function kernelPlan(checked: CheckedKernel, d: number): KernelPlan {
  const { kernel, degree, coef0: shift } = checked;
  // without columns every sum is 0, whatever gamma is
  const gamma = checked.gamma ?? 1 / Math.max(d, 1);
  const plan: KernelPlan = {
    of: CODE.DOT,
    normed: kernel === "cosine",
    positive: true,
    map: times(1),
    power: undefined,
  };
  switch (kernel) {
    case "polynomial": {
      const whole = Number.isInteger(degree) && degree <= LARGEST_DEGREE;
      const map = { map: CODE.POLYNOMIAL, factor: gamma, shift, degree: whole ? degree : 1 };
      return { ...plan, positive: whole && shift >= 0, map, power: whole ? undefined : degree };
    }
    case "sigmoid":
      return { ...plan, positive: false, map: { map: CODE.SIGMOID, factor: gamma, shift, degree: 0 } };
    case "rbf":
    case "laplacian": {
      const of = kernel === "rbf" ? CODE.SQUARES : CODE.DISTANCES;
      return { ...plan, of, map: { map: CODE.EXPONENTIAL, factor: -gamma, shift: 0, degree: 0 } };
    }
    default:
      return plan;
  }
}

/** A product, and what its sums are mapped by. */
export interface Mapped {
  readonly product: Product;
  readonly mapping: Mapping;
}

/** x with y, or with itself, as the product a kernel is of. */
export function kernelOperands(
  at: Arena,
  scratch: number,
  plan: KernelPlan,
  x: Matrix,
  y: Matrix | undefined,
  depth: number,
): Mapped {
  const { of, normed, map } = plan;
  if (of === CODE.DOT) {
    const prepared = (m: Matrix): Matrix =>
      normed ? { ...m, norms: normsOf(at, scratch, productOf(m, undefined, depth)) } : m;
    return { product: productOf(prepared(x), y && prepared(y), depth, of), mapping: map };
  }
  const { unit, gamma } = rangeOf(at, scratch, y ? [x, y] : [x], depth, of === CODE.SQUARES, -map.factor);
  if (unit === 1) return { product: productOf(x, y, depth, of), mapping: map };
  const centring = { means: undefined, unit, factor: 1 };
  const product = productOf({ ...x, centring }, y && { ...y, centring }, depth, of);
  return { product, mapping: { ...map, factor: -gamma } };
}

/** Such products, and those that come before them: what they need of scratch. */
export function kernelProducts(x: Matrix, y: Matrix | undefined, depth: number): Product[] {
  const own = productOf(x, undefined, depth);
  return y ? [own, productOf(y, undefined, depth), productOf(x, y, depth)] : [own];
}

const OPTIONS = ["shape", "yShape", "kernel", "gamma", "degree", "coef0", "out"];

/** The matrix of few rows, which need no norms; undefined where it has to be known first whether distances times γ are in range. */
function fewKernels(fn: string, few: FewPairs, checked: CheckedKernel, out: unknown): FloatArray | undefined {
  const { of, map, power } = kernelPlan(checked, few.depth);
  if (power !== undefined) return undefined;
  if (of !== CODE.DOT && !isUsual(few.bytes, -map.factor)) return undefined;

  return fewProduct(fn, few, out, of, map);
}

/**
 * The matrix of kernels K[i, j] = k(xᵢ, yⱼ) of the rows of x and y, or of x and x: `[n, d], [m, d] → [n, m]`.
 *
 *     linear      x·y                      polynomial  (γ·x·y + c)^degree
 *     rbf         e^{−γ‖x − y‖²}           sigmoid     tanh(γ·x·y + c)
 *     laplacian   e^{−γ‖x − y‖₁}           cosine      x·y / (‖x‖·‖y‖), 0 if either is 0
 *
 * γ is `gamma`, c `coef0`. Distances are sums of differences, so that they do not cancel: points 1e-3 apart at 1e4 keep their
 * digits, and a point and itself have k = 1 exactly. Of x and x the matrix is symmetric bit by bit. NaN stays in its row and
 * column.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, parameter or length of `out`.
 * @example kernelMatrix([0, 0, 1, 1], undefined, { shape: [2, 2], kernel: "rbf" }); // Float64Array [1, 0.3678…, 0.3678…, 1]
 * @see Schölkopf & Smola, Learning with Kernels (2002); sklearn.metrics.pairwise
 */
export function kernelMatrix<X extends Input, Y extends Input | undefined = undefined>(
  x: X,
  y: Y,
  options: KernelMatrixOptions<ResultOf<X, Y>>,
): ResultOf<X, Y> {
  const fn = "kernelMatrix";
  const o = optionsOf<KernelMatrixOptions>(fn, options, OPTIONS);
  const { shape, yShape, out } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const ySizes = sizesIn(fn, "yShape", yShape);
  const checked = kernelOf(fn, o);
  const few = checked.kernel === "cosine" ? undefined : fewPairsOf(fn, x, y, sizes, ySizes);
  const short = few && fewKernels(fn, few, checked, out);
  if (short) return short as ResultOf<X, Y>;
  const points = pointsOf(fn, x, y, sizes, ySizes);
  const d = sameDepth(fn, points);
  const [[n], [m]] = [points.shape, points.yShape];
  const plan = kernelPlan(checked, d);
  const result = outputOf(fn, out, points.x.bytes, n * m);
  const reads = points.y ? [points.x, points.y] : [points.x];
  const products = kernelProducts(matrixIn(points.x, n), points.y && matrixIn(points.y, m), d);
  withBlocks(fn, products, reads, [result], (at, scratch, [a, b]) => {
    const second = b && matrixIn(b, m);
    const { product, mapping } = kernelOperands(at, scratch, plan, matrixIn(a ?? points.x, n), second, d);
    writeProduct(at, scratch, product, { mapping, out: result, start: 0 });
    if (plan.power !== undefined) raise(at, GRAM, result.array, result.bytes, plan.power);
  });
  return result.array as ResultOf<X, Y>;
}
