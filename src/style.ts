/** Style and perceptual losses of feature maps, and their gradients. */
import { type Arena, GROUP_BYTES } from "./arena.ts";
import { type Product, scratchFor, withScratch, writeProduct } from "./blocks.ts";
import { failKind, failValue, numberIn, oneOf, optionsOf } from "./check.ts";
import { MAP, SUM_OF } from "./codes/index.ts";
import { type Grams, gramScratch, gramsOf, writeGrams } from "./gram.ts";
import { arena } from "./kernels.ts";
import { CompensatedSum } from "./reduction.ts";
import { apart, elements, elementsOfBoth, outputOf, shapeOf } from "./tensor.ts";
import type { FloatArray, Input, ResultOf } from "./types.ts";

type Normalize = "elements" | "spatial" | "none";

export interface StyleGramOptions<T extends FloatArray = FloatArray> {
  /** [C, H, W], or [N, C, H, W]. Default: the tensor's own. */
  shape?: readonly number[] | undefined;
  /** What the matrix is divided by: C·H·W (`"elements"`, the default), H·W (`"spatial"`), or nothing (`"none"`). */
  normalize?: Normalize | undefined;
  /** Where to write the result, instead of a new array. */
  out?: T | undefined;
}

/** The features of one layer, or of a list of layers. */
export type Layers = Input | readonly Input[];

export interface PerceptualLossOptions {
  /** The shape of the features; for a list of layers the list of theirs. */
  shape?: readonly number[] | readonly (readonly number[])[] | undefined;
  /** The weight of each layer. Default: 1 each. */
  layerWeights?: readonly number[] | undefined;
}

export interface StyleLossOptions extends PerceptualLossOptions {
  /** What a Gram matrix is divided by: C·H·W (`"elements"`, the default), H·W (`"spatial"`), or nothing (`"none"`). */
  normalize?: Normalize | undefined;
}

/** A list for a list of layers, an array for one. */
export type LayerGradients<X> = X extends Input
  ? ResultOf<X>
  : X extends readonly unknown[]
    ? { -readonly [K in keyof X]: X[K] extends Input ? ResultOf<X[K]> : never }
    : never;

/** N feature maps of C channels and H·W places each, as matrices [C, H·W]. */
function mapsOf(fn: string, shape: readonly number[], normalize: Normalize): Grams {
  if (shape.length !== 3 && shape.length !== 4)
    failValue(fn, "shape", "of 3 sizes, [C, H, W], or 4, [N, C, H, W]", shape);
  const [c, h, w] = shape.slice(-3) as [number, number, number];
  const s = h * w;
  const factor = normalize === "none" ? 1 : 1 / (normalize === "spatial" ? s : c * s);
  return { count: shape.length === 4 ? (shape[0] as number) : 1, n: c, d: s, factor };
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
  const o = optionsOf(fn, options);
  const source = elements(fn, "features", features);
  const shape = shapeOf(fn, features, o.shape, source.length, "features");
  const grams = mapsOf(fn, shape, normalizeOf(fn, o.normalize));
  const out = outputOf(fn, o.out, source, grams.count * grams.n * grams.n);
  return gramsOf(fn, apart(source, o.out && out, false), out, grams) as ResultOf<X>;
}

/** A layer of both arguments. */
interface Layer {
  readonly x: FloatArray;
  readonly y: FloatArray;
  /** Its Gram matrices, where the loss is of those. */
  readonly grams: Grams | undefined;
  readonly weight: number;
}

/** Whether an argument is a list of layers, rather than one. */
function isList(value: unknown): value is readonly Input[] {
  return Array.isArray(value) && value.length > 0 && typeof value[0] !== "number";
}

function layersOf(
  fn: string,
  generated: Layers,
  target: Layers,
  o: PerceptualLossOptions,
  normalize: Normalize | undefined,
): Layer[] {
  const list = isList(generated);
  const xs = list ? generated : [generated as Input];
  /** A list as long as that of the layers. */
  const listOf = (argument: string, value: unknown, what: string): readonly unknown[] => {
    const expected = `a list of ${xs.length} ${what}`;
    if (!Array.isArray(value)) failKind(fn, argument, expected, value);
    if (value.length !== xs.length) failValue(fn, argument, expected, value);
    return value;
  };
  if (list !== isList(target))
    failKind(fn, "target", `${list ? "a list of layers" : "one layer"}, as "generated" is`, target);
  const ys = listOf("target", list ? target : [target], 'layers, as "generated" is');
  const shapes = listOf("shape", list ? (o.shape ?? xs.map(() => undefined)) : [o.shape], "shapes, one a layer");
  const weights = listOf("layerWeights", o.layerWeights ?? xs.map(() => 1), "numbers, one a layer");
  return xs.map((input, i) => {
    const at = (name: string): string => (list ? `${name}[${i}]` : name);
    const [x, y] = elementsOfBoth(fn, at("generated"), input, at("target"), ys[i]);
    const shape = shapeOf(fn, input, shapes[i], x.length, at("generated"), at("shape"));
    if (y.length !== x.length) failValue(fn, at("target"), `of length ${x.length}, that of "${at("generated")}"`, y);
    const weight = numberIn(fn, at("layerWeights"), weights[i]);
    return { x, y, grams: normalize && mapsOf(fn, shape, normalize), weight };
  });
}

/** Bytes of a tile of each of three arrays. */
const TILE_BYTES = 16384;

/** Σ(x − y)² in f64; factor·(x − y) goes to `grad`, if there is one, which may be x or y. */
function differences(at: Arena, x: FloatArray, y: FloatArray, grad: FloatArray | undefined, factor: number): number {
  const kernel = at.kernelsFor(x).differences;
  const tile = TILE_BYTES / x.BYTES_PER_ELEMENT;
  const other = at.stage + TILE_BYTES + GROUP_BYTES;
  const sum = new CompensatedSum();
  for (let i = 0; i < x.length; i += tile) {
    const count = Math.min(tile, x.length - i);
    at.copyIn(x, i, count, at.stage);
    at.copyIn(y, i, count, other);
    sum.add(kernel(at.stage, other, grad ? at.stage : 0, count, factor));
    if (grad) at.copyOut(at.stage, count, grad, i);
  }
  return sum.value;
}

/** The gradient of one map of a style loss: (G − A)·F, [C, C]·[C, S]. */
function gradientOf(g: FloatArray, x: FloatArray, { n, d }: Grams, map: number): Product {
  return {
    x: { array: g, start: map * n * n, rows: n },
    y: { array: x, start: map * n * d, rows: d },
    depth: n,
    of: SUM_OF.products,
    plain: true,
  };
}

/** A loss of a layer, its weight included; the gradient goes to `grad`. */
type Loss = (at: Arena, scratch: number, layer: Layer, grad: FloatArray | undefined) => number;

const styleOf: Loss = (at, scratch, { x, y, grams, weight }, grad) => {
  const { count, n, d, factor } = grams as Grams;
  const size = count * n * n;
  const [g, a] = [create(x, size), create(x, size)];
  writeGrams(at, scratch, x, grams as Grams, g);
  writeGrams(at, scratch, y, grams as Grams, a);
  const sum = differences(at, g, a, grad && g, 1);
  // ∂/∂F Σ(G − A)² = 4·factor·(G − A)·F, as G is symmetric
  for (let b = 0; grad && b < count; b++) {
    const target = { out: grad, start: b * n * d, map: MAP.linear, factor: (4 * weight * factor) / size };
    writeProduct(at, scratch, gradientOf(g, x, grams as Grams, b), target);
  }
  return (weight * sum) / size;
};

const perceptualOf: Loss = (at, _, { x, y, weight }, grad) => {
  return (weight * differences(at, x, y, grad, (2 * weight) / x.length)) / x.length;
};

function create(like: FloatArray, length: number): FloatArray {
  return like.BYTES_PER_ELEMENT === 4 ? new Float32Array(length) : new Float64Array(length);
}

/** The sum over the layers, and the gradients if they are wanted. */
function evaluate(
  fn: string,
  generated: Layers,
  target: Layers,
  options: StyleLossOptions | undefined,
  loss: Loss,
  graded: boolean,
): { value: number; grads: FloatArray[] } {
  const o = optionsOf(fn, options);
  const layers = layersOf(fn, generated, target, o, loss === styleOf ? normalizeOf(fn, o.normalize) : undefined);
  const grads = graded ? layers.map(({ x }) => outputOf(fn, undefined, x, x.length)) : [];
  // one scratch for all, taken before any element is read
  const bytes = layers.map(({ x, grams }) => {
    if (!grams) return 0;
    return Math.max(gramScratch(x, grams), graded ? scratchFor(gradientOf(x, x, grams, 0)) : 0);
  });
  const at = arena();
  const arrays = layers.flatMap(({ x, y }) => [x, y]);
  return withScratch(at, fn, Math.max(...bytes), arrays, (scratch, now) => {
    let value = 0;
    layers.forEach((layer, i) => {
      const [x, y] = [now[2 * i], now[2 * i + 1]] as [FloatArray, FloatArray];
      value += loss(at, scratch, { ...layer, x, y }, grads[i]);
    });
    return { value, grads };
  });
}

/**
 * How far two pictures' styles are apart: Σ_layers w · mean((G − A)²), G and A the Gram matrices (`styleGram`) of the generated
 * and the target features, the mean over their C² elements and over the batch. Returns a number, summed in f64.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, length, weight or `normalize`.
 * @example styleLoss([1, 2, 3, 4], [4, 3, 2, 1], { shape: [2, 1, 2] }); // 12.5
 * @see Gatys, Ecker & Bethge, A neural algorithm of artistic style (2015)
 */
export function styleLoss(generated: Layers, target: Layers, options?: StyleLossOptions): number {
  return evaluate("styleLoss", generated, target, options, styleOf, false).value;
}

/**
 * `styleLoss` and its gradient with respect to the generated features, 4c·(G − A)·F: `{ value, grad }`. Of lists of layers,
 * `grad` is a list.
 *
 * @throws As `styleLoss`.
 * @example styleLossWithGrad([1, 2, 3, 4], [4, 3, 2, 1], { shape: [2, 1, 2] }).grad; // Float64Array [-1.25, -2.5, 3.75, 5]
 */
export function styleLossWithGrad<X extends Layers>(
  generated: X,
  target: Layers,
  options?: StyleLossOptions,
): { value: number; grad: LayerGradients<X> } {
  const { value, grads } = evaluate("styleLossWithGrad", generated, target, options, styleOf, true);
  return { value, grad: (isList(generated) ? grads : grads[0]) as LayerGradients<X> };
}

/**
 * How far two pictures' contents are apart: Σ_layers w · mean((x − y)²), the mean over all features of a layer. Returns a
 * number, summed in f64.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, length or weight.
 * @example perceptualLoss([1, 2, 3], [1, 2, 6]); // 3
 * @see Johnson, Alahi & Fei-Fei, Perceptual losses for real-time style transfer (2016)
 */
export function perceptualLoss(generated: Layers, target: Layers, options?: PerceptualLossOptions): number {
  return evaluate("perceptualLoss", generated, target, options, perceptualOf, false).value;
}

/**
 * `perceptualLoss` and its gradient with respect to the generated features, 2w·(x − y) over their number: `{ value, grad }`.
 * Of lists of layers, `grad` is a list.
 *
 * @throws As `perceptualLoss`.
 * @example perceptualLossWithGrad([1, 2, 3], [1, 2, 6]).grad; // Float64Array [0, 0, -2]
 */
export function perceptualLossWithGrad<X extends Layers>(
  generated: X,
  target: Layers,
  options?: PerceptualLossOptions,
): { value: number; grad: LayerGradients<X> } {
  const { value, grads } = evaluate("perceptualLossWithGrad", generated, target, options, perceptualOf, true);
  return { value, grad: (isList(generated) ? grads : grads[0]) as LayerGradients<X> };
}
