/** Centred kernel alignment of two sets of features, from Gram matrices that are never held. */
import { samplesOf } from "../check/points.ts";
import { type Operand, sizesIn } from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { scratch } from "../memory/scratch.ts";
import { flagOf, optionsOf } from "../options.ts";
import {
  type Block,
  blockBeside,
  eachBlock,
  matrixIn,
  type Product,
  productOf,
  scratchFor,
  sumBlocks,
} from "../place/blocks.ts";
import { centringOf } from "../place/prepare.ts";
import type { Input } from "../types.ts";

export interface CkaOptions {
  /** The shape of `x`: [n, d]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** The shape of `y`: [n, e]. Default: the tensor's own, else that of `x`. */
  yShape?: readonly number[] | undefined;
  /** Whether HSIC is estimated without bias, which few samples of many features have much of. Default: false. */
  unbiased?: boolean | undefined;
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
 * sets of features of the same n examples are, whatever rotation or scale. `[n, d], [n, e] → number` in [0, 1] and 1 for the same, to rounding;
 * unbiased about 0 for independent ones. NaN where features are constant.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape or too few examples (4 if unbiased).
 * @example cka([1, 2, 4, 3], [2, 4, 8, 6], { shape: [4, 1] }); // 1
 * @see Kornblith et al., Similarity of neural network representations revisited (2019); Song et al., Feature selection via
 * dependence maximization (2012), equation 5, for the unbiased HSIC
 */
export function cka(x: Input, y: Input, options?: CkaOptions): number {
  const fn = "cka";
  const { shape, yShape, unbiased } = optionsOf<CkaOptions>(fn, options, ["shape", "yShape", "unbiased"]);
  const sizes = sizesIn(fn, "shape", shape);
  const ySizes = sizesIn(fn, "yShape", yShape);
  const apart = flagOf(fn, "unbiased", unbiased);
  const samples = samplesOf(fn, x, y, sizes, ySizes, apart ? 4 : 1);
  const [n, d] = samples.shape;
  const [m, e] = samples.yShape;
  if (m !== n) failValue(fn, "yShape", `[${n}, e], with the n of "x"`, samples.yShape);
  const product = (of: Operand, depth: number): Product => ({
    ...productOf(matrixIn(of, n), undefined, depth),
    small: true,
    sums: "blocks",
  });
  const [p, q] = [product(samples.x, d), product(samples.y, e)];
  const first = scratchFor(p);
  const use = (at: Arena, pointer: number): number => {
    // centred features have a centred Gram matrix, and HSIC does not change, but for less rounding; scaled, its fourth powers are in range
    const centred = (one: Product): Product => ({
      ...one,
      x: { ...one.x, centring: centringOf(at, pointer, one, true) },
    });
    const [k, l] = [centred(p), centred(q)];
    const beside = (block: Block): Block => blockBeside(at, pointer + first, l, block);
    const s: Moments = { rowsK: new Float64Array(n), rowsL: new Float64Array(n), kl: 0, kk: 0, ll: 0 };
    if (apart) eachBlock(at, pointer, k, (block) => gather(at, p.x.bytes, block, beside(block), s));
    else
      sumBlocks(at, pointer, [k], {
        each: 3,
        beside: e,
        find: (_, block, numbers) => products(at, p.x.bytes, block, beside(block), numbers),
        take(_, { rows }, numbers) {
          for (let r = 0; r < rows; r++) {
            s.kl += numbers[3 * r] as number;
            s.kk += numbers[3 * r + 1] as number;
            s.ll += numbers[3 * r + 2] as number;
          }
        },
      });
    const hsic = (kl: number, r: Float64Array, t: Float64Array): number => (apart ? unbiasedHsic(n, kl, r, t) : kl);
    const norm = Math.sqrt(hsic(s.kk, s.rowsK, s.rowsK)) * Math.sqrt(hsic(s.ll, s.rowsL, s.rowsL));
    return hsic(s.kl, s.rowsK, s.rowsL) / norm;
  };
  return scratch(fn, first + scratchFor(q), use, false);
}

/** Σ K∘L, Σ K∘K and Σ L∘L of each row of a block, and of its mirror image. */
function products(at: Arena, size: number, a: Block, b: Block, numbers: Float64Array): void {
  const values = at.view(size);
  const diagonal = a.i === a.j;
  for (let r = 0; r < a.rows; r++) {
    const [ka, lb] = [a.pointer / size + r * a.stride, b.pointer / size + r * b.stride];
    let [kl, kk, ll] = [0, 0, 0];
    for (let c = 0; c < (diagonal ? r + 1 : a.columns); c++) {
      const k = values[ka + c] as number;
      const l = values[lb + c] as number;
      const times = diagonal && c === r ? 1 : 2;
      kl += times * k * l;
      kk += times * k * k;
      ll += times * l * l;
    }
    numbers[3 * r] = kl;
    numbers[3 * r + 1] = kk;
    numbers[3 * r + 2] = ll;
  }
}

/** Adds a block of K and L to the moments, and its mirror image, without the diagonal. */
function gather(at: Arena, size: number, a: Block, b: Block, s: Moments): void {
  const values = at.view(size);
  const diagonal = a.i === a.j;
  for (let r = 0; r < a.rows; r++) {
    const [ka, lb] = [a.pointer / size + r * a.stride, b.pointer / size + r * b.stride];
    let [kl, kk, ll, k1, l1] = [0, 0, 0, 0, 0];
    for (let c = 0; c < (diagonal ? r : a.columns); c++) {
      const k = values[ka + c] as number;
      const l = values[lb + c] as number;
      kl += 2 * k * l;
      kk += 2 * k * k;
      ll += 2 * l * l;
      k1 += k;
      l1 += l;
      (s.rowsK[a.j + c] as number) += k;
      (s.rowsL[a.j + c] as number) += l;
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
