/** Gram matrices: inner products of the rows of one matrix, or of each of a batch. */
import * as CODE from "../../assembly/gram/codes.ts";
import { type Operand, operandOf, shapeOf, sizesIn } from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { flagOf, numberIn, optionsOf } from "../options.ts";
import { matrixIn, type Product, productOf, times, withBlocks, writeProduct } from "../place/blocks.ts";
import { fewPairsOf, fewProduct } from "../place/fewPairs.ts";
import { type Output, outputOf } from "../place/output.ts";
import { centringOf } from "../place/prepare.ts";
import type { FloatArray, Input, Out, ResultOf } from "../types.ts";

export interface GramOptions<T extends FloatArray = FloatArray> {
  /** [n, d], n vectors of d numbers, or [b, n, d], b times that. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** What every element is multiplied by. Default: 1. */
  scale?: number | undefined;
  /** Whether the mean of the n vectors is subtracted from each. Default: false. */
  center?: boolean | undefined;
  /** Where to write the result, instead of a new array. */
  out?: Out<T> | undefined;
}

/**
 * The matrix of inner products G = X·Xᵀ, Gᵢⱼ = scale · Σₖ xᵢₖ·xⱼₖ: `[n, d] → [n, n]`, `[b, n, d] → [b, n, n]`.
 *
 * Symmetric bit by bit, its diagonal at least 0 where `scale` is. Summed in chains of 256 terms, and those 64 at a time: f32 is within
 * 1e-6·‖xᵢ‖·‖xⱼ‖ (2.5e-7 of random numbers at d = 50,176) unless the roundings of a chain all go one way: 4.4e-6 of equal numbers, 2e-5 at
 * the worst. NaN and ∞ in a row stay in its row and column (with `center`, in its batch).
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, scale or length of `out`.
 * @example gram([1, 2, 3, 4], { shape: [2, 2] }); // Float64Array [5, 11, 11, 25]
 * @see Goto & van de Geijn, Anatomy of high-performance matrix multiplication (2008)
 */
export function gram<X extends Input>(x: X, options?: GramOptions<ResultOf<X>>): ResultOf<X> {
  const fn = "gram";
  const { shape, scale, center, out } = optionsOf<GramOptions>(fn, options, ["shape", "scale", "center", "out"]);
  const sizes = sizesIn(fn, "shape", shape);
  const factor = numberIn(fn, "scale", scale, 1);
  const centred = flagOf(fn, "center", center);
  const few = centred ? undefined : fewPairsOf(fn, x, undefined, sizes, undefined);
  const short = few && fewProduct(fn, few, out, CODE.DOT, times(factor));
  if (short) return short as ResultOf<X>;
  const source = operandOf(fn, "x", x);
  const dims = shapeOf(fn, source, sizes);
  if (dims.length !== 2 && dims.length !== 3) failValue(fn, "shape", "of 2 sizes, [n, d], or 3, [b, n, d]", dims);
  const [n, d] = dims.slice(-2) as [number, number];
  const count = dims.length === 3 ? (dims[0] as number) : 1;
  const result = outputOf(fn, out, source.bytes, count * n * n);
  const grams = { count, n, d, factor, center: centred };
  withBlocks(fn, [gramProduct(source, grams)], [source], [result], (at, scratch, [safe]) => {
    writeGrams(at, scratch, safe as Operand, grams, result);
  });
  return result.array as ResultOf<X>;
}

/** `count` matrices [n, d] one behind the other, of each of which the Gram matrix times `factor` is wanted. */
export interface Grams {
  readonly count: number;
  readonly n: number;
  readonly d: number;
  readonly factor: number;
  readonly center: boolean;
}

/** The product of a matrix with itself. */
export function gramProduct(source: Operand | Output, { n, d }: Grams, start = 0): Product {
  return productOf(matrixIn(source, n, start), undefined, d);
}

/** Writes them to `out`, one behind the other. */
export function writeGrams(at: Arena, scratch: number, source: Operand, grams: Grams, out: Output): void {
  const { count, n, d, factor, center } = grams;
  for (let b = 0; b < count; b++) {
    let product = gramProduct(source, grams, b * n * d);
    if (center) product = { ...product, x: { ...product.x, centring: centringOf(at, scratch, product, false) } };
    writeProduct(at, scratch, product, { mapping: times(factor), out, start: b * n * n });
  }
}
