/** Style of feature maps: their Gram matrices, how far two are apart, and the gradient. */

import { tagOf } from "../arrays.ts";
import {
  type GivenLayer,
  isList,
  type LayerGradients,
  type LayerOutputs,
  type Layers,
  layerPairsOf,
  layersIn,
  layersOf,
} from "../check/layers.ts";
import { create, inWords, type Operand, operandOf, shapeOf, sizesIn } from "../check/tensor.ts";
import { failKind, failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { isResident } from "../memory/residents.ts";
import { oneOf, optionsOf } from "../options.ts";
import { matrixIn, type Product, productOf, times, withBlocks, writeProduct } from "../place/blocks.ts";
import { checkDistinct, type Output, outputOf } from "../place/output.ts";
import type { FloatArray, Input, Out, ResultOf } from "../types.ts";
import { type Grams, gramProduct, writeGrams } from "./gram.ts";
import { squaredDifferences } from "./perceptual.ts";

export type Normalize = "elements" | "spatial" | "none";

export interface StyleGramOptions<T extends FloatArray = FloatArray> {
  /** [C, H, W], or [N, C, H, W]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** What the matrix is divided by: C·H·W (`"elements"`, the default), H·W (`"spatial"`), or nothing (`"none"`). */
  normalize?: Normalize | undefined;
  /** Where to write the result, instead of a new array. */
  out?: Out<T> | undefined;
}

export interface StyleLossOptions {
  /** The shape of the generated features; for a list of layers the list of theirs. Default: the tensor's own. */
  shape?: readonly number[] | readonly (readonly number[])[] | undefined;
  /** That of the target's, where it differs: the same C and batch, another H and W. Default: the tensor's own, else `shape`. */
  targetShape?: readonly number[] | readonly (readonly number[])[] | undefined;
  /** What a Gram matrix is divided by: C·H·W (`"elements"`, the default), H·W (`"spatial"`), or nothing (`"none"`). */
  normalize?: Normalize | undefined;
  /** The weight of each layer. Default: 1 each. */
  layerWeights?: readonly number[] | undefined;
}

export interface StyleLossGradOptions<G = FloatArray | FloatArray[]> extends StyleLossOptions {
  /** Where to write the gradient, instead of a new array: for a list of layers a list. */
  out?: LayerOutputs<G> | undefined;
}

/** Gram matrices made once by `styleGram`, of one layer or of a list, with the same `normalize`. */
export interface StyleGrams {
  readonly grams: Layers;
}

/** What a style is compared with: features, or their Gram matrices; for a list of layers a list of either. */
export type StyleTarget = Layers | StyleGrams | readonly (Input | StyleGrams)[];

/** N feature maps of C channels and H·W places each, as matrices [C, H·W]. */
function mapsOf(fn: string, name: string, shape: readonly number[], normalize: Normalize): Grams {
  if (shape.length !== 3 && shape.length !== 4) failValue(fn, name, "of 3 sizes, [C, H, W], or 4, [N, C, H, W]", shape);
  const [c, h, w] = shape.slice(-3) as [number, number, number];
  const d = h * w;
  const factor = normalize === "none" ? 1 : 1 / (normalize === "spatial" ? d : c * d);
  return { count: shape.length === 4 ? (shape[0] as number) : 1, n: c, d, factor, center: false };
}

function normalizeOf(fn: string, value: unknown): Normalize {
  return oneOf(fn, "normalize", value, ["elements", "spatial", "none"], "elements");
}

/**
 * The Gram matrix of the channels of feature maps, Gᵢⱼ = Σₛ Fᵢₛ·Fⱼₛ / (C·H·W): `[C, H, W] → [C, C]`, `[N, C, H, W] → [N, C, C]`.
 *
 * What a picture's style is in style transfer: which features go together, wherever they are. Symmetric bit by bit.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, `normalize` or length of `out`.
 * @example styleGram([1, 2, 3, 4], { shape: [2, 1, 2] }); // Float64Array [1.25, 2.75, 2.75, 6.25]
 * @see Gatys, Ecker & Bethge, A neural algorithm of artistic style (2015); Johnson et al. (2016)
 */
export function styleGram<X extends Input>(features: X, options?: StyleGramOptions<ResultOf<X>>): ResultOf<X> {
  const fn = "styleGram";
  const { shape, normalize, out } = optionsOf<StyleGramOptions>(fn, options, ["shape", "normalize", "out"]);
  const sizes = sizesIn(fn, "shape", shape);
  const by = normalizeOf(fn, normalize);
  const source = operandOf(fn, "features", features);
  const grams = mapsOf(fn, "shape", shapeOf(fn, source, sizes), by);
  const result = outputOf(fn, out, source.bytes, grams.count * grams.n * grams.n);
  withBlocks(fn, [gramProduct(source, grams)], [source], [result], (at, scratch, [safe]) => {
    writeGrams(at, scratch, safe as Operand, grams, result);
  });
  return result.array as ResultOf<X>;
}

/** A layer, checked. */
interface Layer {
  readonly x: Operand;
  readonly grams: Grams;
  /** Features, or with `targetGrams` undefined Gram matrices. */
  readonly y: Operand;
  readonly targetGrams: Grams | undefined;
  readonly weight: number;
  readonly grad: Output | undefined;
}

function layerOf(
  fn: string,
  given: GivenLayer,
  [x, y]: readonly [Operand, Operand],
  normalize: Normalize,
  made: boolean,
  withGrad: boolean,
): Layer {
  const { at, shape, targetShape, weight, out } = given;
  const grams = mapsOf(fn, `shape${at}`, shapeOf(fn, x, shape, `shape${at}`), normalize);
  const { count, n } = grams;
  const grad = withGrad ? outputOf(fn, out, x.bytes, x.length, `out${at}`) : undefined;
  if (made) {
    if (y.length !== count * n * n)
      failValue(
        fn,
        y.name,
        `of length ${count * n * n}, ${count} Gram matri${count === 1 ? "x" : "ces"} of ${n} × ${n}`,
        y.array,
      );
    return { x, grams, y, targetGrams: undefined, weight, grad };
  }
  if (!targetShape && !y.shape && y.length !== x.length)
    failValue(fn, y.name, `of length ${x.length}, that of "${x.name}", unless "targetShape" is given`, y.array);
  const own = shapeOf(fn, y, targetShape, `targetShape${at}`, shape ?? x.shape);
  const targetGrams = mapsOf(fn, `targetShape${at}`, own, normalize);
  if (targetGrams.count !== count || targetGrams.n !== n) {
    const words = `as many maps, ${count}, of as many channels, ${n}, as "${x.name}"`;
    failValue(fn, `targetShape${at}`, words, undefined, inWords(own));
  }
  return { x, grams, y, targetGrams, weight, grad };
}

/** The gradient of one map of a style loss: (G − A)·F, [C, C]·[C, S]. */
function gradientOf(g: Operand, x: Operand, { n, d }: Grams, map: number): Product {
  return { ...productOf(matrixIn(g, n, map * n * n), matrixIn(x, d, map * n * d), n), plain: true };
}

/** A loss of a layer, its weight included; the gradient goes where it is wanted. */
function lossOf(fn: string, at: Arena, scratch: number, layer: Layer): number {
  const { x, y, grams, targetGrams, weight, grad } = layer;
  const { count, n, d, factor } = grams;
  const size = count * n * n;
  const gramsOf = (source: Operand, of: Grams): Operand => {
    const array = create(fn, x.bytes, size, "the Gram matrices");
    const made = { name: source.name, array, length: size, bytes: x.bytes, shape: undefined };
    writeGrams(at, scratch, source, of, { ...made, fresh: true });
    return made;
  };
  const g = gramsOf(x, grams);
  const a = targetGrams ? gramsOf(y, targetGrams) : y;
  const sum = squaredDifferences(fn, at, g, a, grad && { ...g, fresh: true }, 1);
  // ∂/∂F Σ(G − A)² = 4·factor·(G − A)·F, as G is symmetric
  for (let b = 0; grad && b < count; b++) {
    const target = { mapping: times((4 * weight * factor) / size), out: grad, start: b * n * d };
    writeProduct(at, scratch, gradientOf(g, x, grams, b), target);
  }
  return (weight * sum) / size;
}

const OPTIONS = ["shape", "targetShape", "normalize", "layerWeights"];

/** The sum over the layers, and the gradients if they are wanted. */
function evaluate(
  fn: string,
  generated: unknown,
  target: unknown,
  options: StyleLossGradOptions | undefined,
  withGrad: boolean,
): { value: number; grad: FloatArray | FloatArray[] } {
  const o = optionsOf<StyleLossGradOptions>(fn, options, withGrad ? [...OPTIONS, "out"] : OPTIONS);
  const { shape, targetShape, normalize, layerWeights, out } = o;
  const by = normalizeOf(fn, normalize);
  const { isList: listed, layers: given } = layersOf(fn, generated, isList(generated) ? byLayer(fn, target) : target, {
    shape,
    targetShape,
    layerWeights,
    out: withGrad ? out : undefined,
  });
  const made = given.map((layer) => gramsIn(fn, layer));
  const pairs = layerPairsOf(
    fn,
    given.map((layer, i) => (made[i] === undefined ? layer : { ...layer, target: made[i] })),
    (at, i) => (made[i] === undefined ? `target${at}` : `target${at}.grams`),
  );
  const layers = given.map((layer, i) => {
    return layerOf(fn, layer, pairs[i] as readonly [Operand, Operand], by, made[i] !== undefined, withGrad);
  });
  const grads = layers.flatMap(({ grad }) => (grad ? [grad] : []));
  checkDistinct(fn, Object.fromEntries(grads.map((grad, i) => [`out[${i}]`, grad])));
  const products = layers.flatMap(({ x, y, grams, targetGrams }) => [
    gramProduct(x, grams),
    ...(targetGrams ? [gramProduct(y, targetGrams)] : []),
    ...(withGrad ? [gradientOf(x, x, grams, 0)] : []),
  ]);
  const reads = layers.flatMap(({ x, y }) => [x, y]);
  const value = withBlocks(fn, products, reads, grads, (at, scratch, safe) =>
    layers.reduce((sum, layer, i) => {
      const [x, y] = [safe[2 * i], safe[2 * i + 1]] as [Operand, Operand];
      return sum + lossOf(fn, at, scratch, { ...layer, x, y });
    }, 0),
  );
  const arrays = grads.map(({ array }) => array);
  return { value, grad: listed ? arrays : (arrays[0] as FloatArray) };
}

/** What a target's `grams` are; undefined of features. */
function gramsOf(fn: string, name: string, target: unknown): unknown {
  if (typeof target !== "object" || target === null || Array.isArray(target) || tagOf(target) !== undefined)
    return undefined;
  if (isResident(target)) return undefined;
  const { grams } = target as { readonly grams?: unknown };
  if (grams === null) failKind(fn, `${name}.grams`, "Gram matrices, as styleGram makes them", grams);
  return grams;
}

/** The target of a list of layers whose Gram matrices are in one list, as a list of targets. */
function byLayer(fn: string, target: unknown): unknown {
  const grams = gramsOf(fn, "target", target);
  return isList(grams) ? layersIn(fn, "target.grams", grams).map((of) => ({ grams: of })) : target;
}

/** The Gram matrices of a layer whose target is given by them. */
function gramsIn(fn: string, { at, target, targetShape }: GivenLayer): unknown {
  const grams = gramsOf(fn, `target${at}`, target);
  if (grams !== undefined && targetShape !== undefined)
    failKind(fn, `targetShape${at}`, "left out where the target is given by its Gram matrices", targetShape);
  return grams;
}

/**
 * How far two pictures' styles are apart: Σ_layers w · mean((G − A)²), G and A the Gram matrices (`styleGram`) of the generated
 * and the target features, the mean over their C² elements and over the batch. Returns a number, summed in f64.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, length, weight or `normalize`.
 * @example styleLoss([1, 2, 3, 4], [4, 3, 2, 1], { shape: [2, 1, 2] }); // 12.5
 * @see Gatys, Ecker & Bethge, A neural algorithm of artistic style (2015)
 */
export function styleLoss(generated: Layers, target: StyleTarget, options?: StyleLossOptions): number {
  return evaluate("styleLoss", generated, target, options, false).value;
}

/**
 * `styleLoss` and its gradient with respect to the generated features, 4c·(G − A)·F: `{ value, grad }`. Of lists of layers,
 * `grad` is a list.
 *
 * @throws As `styleLoss`.
 * @example styleLossWithGrad([1, 2, 3, 4], [4, 3, 2, 1], { shape: [2, 1, 2] }).grad; // Float64Array [-1.25, -2.5, 3.75, 5]
 */
export function styleLossWithGrad<X extends Layers, Y extends StyleTarget = StyleTarget>(
  generated: X,
  target: Y,
  options?: StyleLossGradOptions<LayerGradients<X, Y>>,
): { value: number; grad: LayerGradients<X, Y> } {
  return evaluate("styleLossWithGrad", generated, target, options, true) as {
    value: number;
    grad: LayerGradients<X, Y>;
  };
}
