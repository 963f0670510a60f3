/** What is computed from Gram matrices of samples without holding one: distances of distributions, likeness of features. */

import type { Arena } from "./arena.ts";
import {
  type Block,
  type Centring,
  centringOf,
  eachBlock,
  eachPair,
  type Matrix,
  mapBlock,
  type Product,
  scratchFor,
  withScratch,
} from "./blocks.ts";
import { failKind, failValue, flagOf, optionsOf } from "./check.ts";
import { SUM_OF } from "./codes/index.ts";
import {
  type KernelOptions,
  type KernelPlan,
  kernelPlan,
  kernelProduct,
  kernelScratch,
  operandsOf,
  sameDepth,
} from "./gram.ts";
import { arena } from "./kernels.ts";
import { CompensatedSum } from "./reduction.ts";
import { raise } from "./rows.ts";
import type { FloatArray, Input } from "./types.ts";

export interface MmdOptions extends Partial<KernelOptions> {
  /** The shape of `x`: [n, d]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** The shape of `y`: [m, d]. Default: the tensor's own, else that of `x`. */
  yShape?: readonly number[] | undefined;
  /** Whether pairs of a point and itself are left out: 0 on the average for equal distributions, and maybe negative. Default: false. */
  unbiased?: boolean | undefined;
}

export interface CkaOptions {
  /** The shape of `x`: [n, d]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** The shape of `y`: [n, e]. Default: the tensor's own, else that of `x`. */
  yShape?: readonly number[] | undefined;
  /** Whether HSIC is estimated without bias, which few samples of many features have much of. Default: false. */
  unbiased?: boolean | undefined;
}

/** Two samples, with at least `least` rows each. */
export function samplesOf(fn: string, x: Input, y: Input, o: Pick<MmdOptions, "shape" | "yShape">, least: number) {
  if (y === undefined) failKind(fn, "y", "a second sample", y);
  const both = operandsOf(fn, x, y, o);
  for (const name of ["shape", "yShape"] as const)
    if (both[name][0] < least) failValue(fn, name, `[n, d] with n at least ${least}`, both[name]);
  return { ...both, y: both.y as FloatArray };
}

/** Σ of a matrix of kernels, in f64: row by row of its blocks; and of its diagonal. */
function sums(
  at: Arena,
  scratch: number,
  { product, map }: { product: Product; map: KernelPlan["map"] },
  power: number | undefined,
): { all: number; diagonal: number } {
  const size = product.x.array.BYTES_PER_ELEMENT;
  const all = new CompensatedSum();
  const diagonal = new CompensatedSum();
  eachBlock(at, scratch, product, (block) => {
    const own = !product.y && block.i === block.j;
    mapBlock(at, product.x.array, block, own, map);
    const values = at.view(size);
    for (let r = 0; r < block.rows; r++) {
      const row = block.pointer / size + r * block.stride;
      let sum = 0;
      // both triangles: what is below the diagonal counts twice
      if (power !== undefined) raise(at, values.subarray(row, row + (own ? r + 1 : block.columns)), power);
      for (let c = 0; c < (own ? r : block.columns); c++) sum += values[row + c] as number;
      all.add(product.y ? sum : 2 * sum);
      if (own) diagonal.add(values[row + r] as number);
    }
  });
  return { all: all.value + diagonal.value, diagonal: diagonal.value };
}

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
  const o = optionsOf(fn, options);
  const unbiased = flagOf(fn, "unbiased", o.unbiased);
  const source = samplesOf(fn, x, y, o, unbiased ? 2 : 1);
  const d = sameDepth(fn, source.shape, source.yShape);
  const plan = kernelPlan(fn, o, d, "rbf");
  const [n, m] = [source.shape[0], source.yShape[0]];
  const matrices = (a: FloatArray, b: FloatArray): [Matrix, Matrix] => [
    { array: a, start: 0, rows: n },
    { array: b, start: 0, rows: m },
  ];
  const at = arena();
  const bytes = kernelScratch(...matrices(source.x, source.y), d);
  return withScratch(at, fn, bytes, [source.x, source.y], (scratch, [p, q]) => {
    const [a, b] = matrices(p as FloatArray, q as FloatArray);
    const own = (s: Matrix): number => {
      const { all, diagonal } = sums(at, scratch, kernelProduct(at, scratch, plan, s, undefined, d), plan.power);
      return unbiased ? (all - diagonal) / (s.rows * (s.rows - 1)) : all / (s.rows * s.rows);
    };
    const cross = sums(at, scratch, kernelProduct(at, scratch, plan, a, b, d), plan.power).all / (n * m);
    const value = own(a) + own(b) - 2 * cross;
    // below 0 by rounding alone
    return !unbiased && plan.positive && value < 0 ? 0 : value;
  });
}

/** What HSIC is made of: Σ K∘L, and of each the sums of rows; all without the diagonal if unbiased. */
interface Moments {
  readonly rowsK: Float64Array;
  readonly rowsL: Float64Array;
  kl: number;
  kk: number;
  ll: number;
}

/**
 * Linear centred kernel alignment, HSIC(K, L) / √(HSIC(K, K)·HSIC(L, L)) of the centred Gram matrices K and L: how alike two
 * sets of features of the same n examples are, whatever rotation or scale. `[n, d], [n, e] → number` in [0, 1], 1 for the same;
 * unbiased about 0 for independent ones. NaN where features are constant.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape or too few examples (4 if unbiased).
 * @example cka([1, 2, 4, 3], [2, 4, 8, 6], { shape: [4, 1] }); // 1
 * @see Kornblith et al., Similarity of neural network representations revisited (2019); Song et al., Feature selection via
 * dependence maximization (2012), equation 5, for the unbiased HSIC
 */
export function cka(x: Input, y: Input, options?: CkaOptions): number {
  const fn = "cka";
  const o = optionsOf(fn, options);
  const unbiased = flagOf(fn, "unbiased", o.unbiased);
  const source = samplesOf(fn, x, y, o, unbiased ? 4 : 1);
  const [n, d] = source.shape;
  const [m, e] = source.yShape;
  if (m !== n) failValue(fn, "yShape", `[${n}, e], with the n of "x"`, source.yShape);
  const product = (array: FloatArray, depth: number, centring?: Centring): Product => ({
    x: { array, start: 0, rows: n, centring },
    depth,
    of: SUM_OF.products,
    small: true,
  });
  const at = arena();
  const first = scratchFor(product(source.x, d));
  const bytes = first + scratchFor(product(source.y, e));
  return withScratch(at, fn, bytes, [source.x, source.y], (scratch, arrays) => {
    const [p, q] = arrays as [FloatArray, FloatArray];
    // centred features have a centred Gram matrix, and HSIC does not change, but for less rounding; scaled, its fourth powers are in range
    const k = product(p, d, centringOf(at, scratch, product(p, d), true));
    const l = product(q, e, centringOf(at, scratch, product(q, e), true));
    const s: Moments = { rowsK: new Float64Array(n), rowsL: new Float64Array(n), kl: 0, kk: 0, ll: 0 };
    eachPair(at, [k, scratch], [l, scratch + first], (a, b) => {
      gather(at, p.BYTES_PER_ELEMENT, a, b, unbiased, s);
    });
    const hsic = (kl: number, r: Float64Array, t: Float64Array): number => (unbiased ? unbiasedHsic(n, kl, r, t) : kl);
    const norm = Math.sqrt(hsic(s.kk, s.rowsK, s.rowsK)) * Math.sqrt(hsic(s.ll, s.rowsL, s.rowsL));
    return hsic(s.kl, s.rowsK, s.rowsL) / norm;
  });
}

/** Adds a block of K and L to the moments, and its mirror image. */
function gather(at: Arena, size: number, a: Block, b: Block, unbiased: boolean, s: Moments): void {
  const values = at.view(size);
  const diagonal = a.i === a.j;
  for (let r = 0; r < a.rows; r++) {
    const [ka, lb] = [a.pointer / size + r * a.stride, b.pointer / size + r * b.stride];
    const end = diagonal ? r + +!unbiased : a.columns;
    let [kl, kk, ll, k1, l1] = [0, 0, 0, 0, 0];
    for (let c = 0; c < end; c++) {
      const k = values[ka + c] as number;
      const l = values[lb + c] as number;
      const times = diagonal && c === r ? 1 : 2;
      kl += times * k * l;
      kk += times * k * k;
      ll += times * l * l;
      k1 += k;
      l1 += l;
      if (times === 2) {
        (s.rowsK[a.j + c] as number) += k;
        (s.rowsL[a.j + c] as number) += l;
      }
    }
    s.kl += kl;
    s.kk += kk;
    s.ll += ll;
    (s.rowsK[a.i + r] as number) += k1;
    (s.rowsL[a.i + r] as number) += l1;
  }
}

/** [Σ K∘L + ΣK·ΣL/((n − 1)(n − 2)) − 2/(n − 2)·Σᵢ (K1)ᵢ(L1)ᵢ] of matrices without diagonal; the factor 1/(n(n − 3)) cancels. */
function unbiasedHsic(n: number, kl: number, rowsK: Float64Array, rowsL: Float64Array): number {
  let [k, l, cross] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    k += rowsK[i] as number;
    l += rowsL[i] as number;
    cross += (rowsK[i] as number) * (rowsL[i] as number);
  }
  return kl + (k * l) / ((n - 1) * (n - 2)) - (2 * cross) / (n - 2);
}
