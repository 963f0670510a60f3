/** Gram matrices, and the kernel matrices that stand for inner products of other spaces. */
import type { Arena } from "./arena.ts";
import {
  centringOf,
  type Matrix,
  normsOf,
  type Product,
  rangeOf,
  scratchFor,
  type Target,
  withScratch,
  writeProduct,
} from "./blocks.ts";
import { failValue, flagOf, numberIn, oneOf, optionsOf } from "./check.ts";
import { MAP, SUM_OF } from "./codes/index.ts";
import { arena } from "./kernels.ts";
import { raise } from "./rows.ts";
import { apart, elements, elementsOfBoth, matrixOf, outputOf, shapeOf } from "./tensor.ts";
import type { FloatArray, Input, ResultOf } from "./types.ts";

export interface GramOptions<T extends FloatArray = FloatArray> {
  /** [n, d], n vectors of d numbers, or [b, n, d], b times that. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** What every element is multiplied by. Default: 1. */
  scale?: number | undefined;
  /** Whether the mean of the n vectors is subtracted from each. Default: false. */
  center?: boolean | undefined;
  /** Where to write the result, instead of a new array. */
  out?: T | undefined;
}

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
  out?: T | undefined;
}

export const KERNELS = ["linear", "polynomial", "rbf", "laplacian", "sigmoid", "cosine"] as const;

/**
 * The matrix of inner products G = X·Xᵀ, Gᵢⱼ = scale · Σₖ xᵢₖ·xⱼₖ: `[n, d] → [n, n]`, `[b, n, d] → [b, n, n]`.
 *
 * Symmetric bit by bit, its diagonal at least 0. Summed in chains of 256 terms, and those 64 at a time: f32 is within
 * 1e-6·‖xᵢ‖·‖xⱼ‖ (2.5e-7 of random numbers at d = 50,176; 8.6e-7 of equal ones). NaN and ∞ in a row stay in its row and column (with `center`, in its batch).
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, scale or length of `out`.
 * @example gram([1, 2, 3, 4], { shape: [2, 2] }); // Float64Array [5, 11, 11, 25]
 * @see Goto & van de Geijn, Anatomy of high-performance matrix multiplication (2008)
 */
export function gram<X extends Input>(x: X, options?: GramOptions<ResultOf<X>>): ResultOf<X> {
  const fn = "gram";
  const o = optionsOf(fn, options);
  const source = elements(fn, "x", x);
  const shape = shapeOf(fn, x, o.shape, source.length);
  if (shape.length !== 2 && shape.length !== 3) failValue(fn, "shape", "of 2 sizes, [n, d], or 3, [b, n, d]", shape);
  const [n, d] = shape.slice(-2) as [number, number];
  const count = shape.length === 3 ? (shape[0] as number) : 1;
  const factor = numberIn(fn, "scale", o.scale, 1);
  const center = flagOf(fn, "center", o.center);
  const out = outputOf(fn, o.out, source, count * n * n);
  return gramsOf(fn, apart(source, o.out && out, false), out, { count, n, d, factor, center }) as ResultOf<X>;
}

/** `count` matrices [n, d] one behind the other, of each of which the Gram matrix times `factor` is wanted. */
export interface Grams {
  readonly count: number;
  readonly n: number;
  readonly d: number;
  readonly factor: number;
  readonly center?: boolean;
}

function gramOf(array: FloatArray, { n, d }: Grams, start = 0): Product {
  return ownProduct({ array, start, rows: n }, d);
}

/** The scratch that takes. */
export function gramScratch(array: FloatArray, grams: Grams): number {
  return scratchFor(gramOf(array, grams));
}

/** Writes them to `out`, one behind the other. */
export function writeGrams(at: Arena, scratch: number, array: FloatArray, grams: Grams, out: FloatArray): void {
  const { count, n, d, factor, center } = grams;
  for (let b = 0; b < count; b++) {
    let product = gramOf(array, grams, b * n * d);
    if (center) product = { ...product, x: { ...product.x, centring: centringOf(at, scratch, product, false) } };
    writeProduct(at, scratch, product, { out, start: b * n * n, map: MAP.linear, factor });
  }
}

/** The same from start to end. */
export function gramsOf(fn: string, source: FloatArray, result: FloatArray, grams: Grams): FloatArray {
  const at = arena();
  return withScratch(at, fn, gramScratch(source, grams), [source, result], (scratch, [array, out]) => {
    writeGrams(at, scratch, array as FloatArray, grams, out as FloatArray);
    return out as FloatArray;
  });
}

/** A kernel as a product and what its sums are mapped by; `power` is one that is no integer, which the values have yet to be raised to. */
export interface KernelPlan {
  readonly of: 0 | 1 | 2;
  readonly normed: boolean;
  /** Whether every matrix of it is positive semi-definite. */
  readonly positive: boolean;
  readonly map: Omit<Target, "out" | "start">;
  readonly power?: number | undefined;
}

/** The largest integer power that is multiplied out. */
const LARGEST_DEGREE = 2 ** 31 - 1;

export function kernelPlan(fn: string, o: Partial<KernelOptions>, d: number, byDefault?: Kernel): KernelPlan {
  const kernel = oneOf(fn, "kernel", o.kernel, KERNELS, byDefault);
  // without columns every sum is 0, whatever gamma is
  const gamma = numberIn(fn, "gamma", o.gamma, 1 / Math.max(d, 1), 0);
  const degree = numberIn(fn, "degree", o.degree, 3, 0);
  const shift = numberIn(fn, "coef0", o.coef0, 1);
  const products = { of: SUM_OF.products, normed: kernel === "cosine", positive: true } as const;
  switch (kernel) {
    case "polynomial": {
      if (Number.isInteger(degree) && degree <= LARGEST_DEGREE)
        return { ...products, positive: shift >= 0, map: { map: MAP.polynomial, factor: gamma, shift, degree } };
      const map = { map: MAP.polynomial, factor: gamma, shift, degree: 1 };
      return { ...products, positive: false, map, power: degree };
    }
    case "sigmoid":
      return { ...products, positive: false, map: { map: MAP.sigmoid, factor: gamma, shift } };
    case "rbf":
    case "laplacian": {
      const of = kernel === "rbf" ? SUM_OF.squares : SUM_OF.distances;
      return { ...products, of, map: { map: MAP.exponential, factor: -gamma } };
    }
    default:
      return { ...products, map: { map: MAP.linear, factor: 1 } };
  }
}

/** A matrix with itself. */
function ownProduct(x: Matrix, depth: number): Product {
  return { x, depth, of: SUM_OF.products };
}

/** x with y, or with itself, as the product a kernel is of, and what becomes of it. */
export function kernelProduct(
  at: Arena,
  scratch: number,
  plan: KernelPlan,
  x: Matrix,
  y: Matrix | undefined,
  depth: number,
): { product: Product; map: KernelPlan["map"] } {
  const { of, normed } = plan;
  let { map } = plan;
  let prepared = (m: Matrix): Matrix => (normed ? { ...m, norms: normsOf(at, scratch, ownProduct(m, depth)) } : m);
  if (of !== SUM_OF.products) {
    const { unit, gamma } = rangeOf(at, scratch, y ? [x, y] : [x], depth, of === SUM_OF.squares, -map.factor);
    map = { ...map, factor: -gamma };
    if (unit !== 1) prepared = (m) => ({ ...m, centring: { unit, factor: 1 } });
  }
  return { product: { x: prepared(x), y: y && prepared(y), depth, of }, map };
}

/** The scratch of such products, and of what comes before them. */
export function kernelScratch(x: Matrix, y: Matrix | undefined, depth: number): number {
  const own = ownProduct(x, depth);
  return scratchFor(own, ...(y ? [ownProduct(y, depth), { ...own, y }] : []));
}

/** Both operands of a kernel, in one type, and their shapes. */
export function operandsOf(
  fn: string,
  x: Input,
  y: Input | undefined,
  o: { readonly shape?: unknown; readonly yShape?: unknown },
): { x: FloatArray; y: FloatArray | undefined; shape: [number, number]; yShape: [number, number] } {
  const [source, other] = y === undefined ? [elements(fn, "x", x), undefined] : elementsOfBoth(fn, "x", x, "y", y);
  const shape = matrixOf(fn, "shape", shapeOf(fn, x, o.shape, source.length));
  if (y === undefined || other === undefined) return { x: source, y: undefined, shape, yShape: shape };
  const yShape = matrixOf(fn, "yShape", shapeOf(fn, y, o.yShape, other.length, "y", "yShape", shape));
  return { x: source, y: other, shape, yShape };
}

export function sameDepth(fn: string, [, d]: readonly number[], yShape: readonly number[]): number {
  if (d !== yShape[1]) failValue(fn, "yShape", `[m, ${d}], with the d of "x"`, yShape);
  return d as number;
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
export function kernelMatrix<X extends Input>(
  x: X,
  y: Input | undefined,
  options: KernelMatrixOptions<ResultOf<X>>,
): ResultOf<X> {
  const fn = "kernelMatrix";
  const o = optionsOf(fn, options);
  const source = operandsOf(fn, x, y, o);
  const [n] = source.shape;
  const [m] = source.yShape;
  const d = sameDepth(fn, source.shape, source.yShape);
  const plan = kernelPlan(fn, o, d);
  const result = outputOf(fn, o.out, source.x, n * m);
  const read = (array: FloatArray): FloatArray => apart(array, o.out && result, false);
  const matrix = (array: FloatArray, rows: number): Matrix => ({ array, start: 0, rows });
  const arrays = [result, read(source.x), ...(source.y ? [read(source.y)] : [])];
  const other = source.y && matrix(source.y, m);
  const at = arena();
  const bytes = kernelScratch(matrix(source.x, n), other, d);
  return withScratch(at, fn, bytes, arrays, (scratch, [out, a, b]) => {
    const second = b && matrix(b, m);
    const { product, map } = kernelProduct(at, scratch, plan, matrix(a as FloatArray, n), second, d);
    const written = out as FloatArray;
    writeProduct(at, scratch, product, { out: written, start: 0, ...map });
    if (plan.power !== undefined) raise(at, written, plan.power);
    return written as ResultOf<X>;
  });
}
