/** The perceptual loss of features, and its gradient. */
import { type LayerGradients, type LayerOutputs, type Layers, layerPairsOf, layersOf } from "../check/layers.ts";
import { type Operand, shapeOf } from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import type { Arena } from "../memory/arena.ts";
import { GRAM } from "../memory/embedded/gram.ts";
import { arena } from "../memory/kernels.ts";
import { optionsOf } from "../options.ts";
import { apart, checkDistinct, type Output, outputOf } from "../place/output.ts";
import { streamElements } from "../place/rows.ts";
import { CompensatedSum } from "../read/sum.ts";
import type { FloatArray } from "../types.ts";

export interface PerceptualLossOptions {
  /** The shape of the features; for a list of layers the list of theirs. */
  shape?: readonly number[] | readonly (readonly number[])[] | undefined;
  /** The weight of each layer. Default: 1 each. */
  layerWeights?: readonly number[] | undefined;
}

export interface PerceptualLossGradOptions<G = FloatArray | FloatArray[]> extends PerceptualLossOptions {
  /** Where to write the gradient, instead of a new array: for a list of layers a list. */
  out?: LayerOutputs<G> | undefined;
}

/** Bytes of a tile of one array. The tiles' sums are added up. */
const TILE_BYTES = 16384;

/** Σ(x − y)² in f64; factor·(x − y) goes to `grad`, if there is one. */
export function squaredDifferences(
  fn: string,
  at: Arena,
  x: Operand,
  y: Operand,
  grad: Output | undefined,
  factor: number,
): number {
  const sum = new CompensatedSum();
  const kernel = at.typed(GRAM, x.bytes).differences;
  streamElements(at, {
    fn,
    shape: [x.length],
    reads: [
      { operand: x, steps: undefined },
      { operand: y, steps: undefined },
    ],
    writes: [grad],
    tileBytes: TILE_BYTES,
    run: ([a, b], [slope], count) => sum.add(kernel(a as number, b as number, slope as number, count, factor)),
  });
  return sum.value;
}

/** A layer, checked. */
interface Layer {
  readonly x: Operand;
  readonly y: Operand;
  readonly weight: number;
  readonly grad: Output | undefined;
}

const OPTIONS = ["shape", "layerWeights"];

function evaluate(
  fn: string,
  generated: unknown,
  target: unknown,
  options: PerceptualLossGradOptions | undefined,
  withGrad: boolean,
): { value: number; grad: FloatArray | FloatArray[] } {
  const o = optionsOf<PerceptualLossGradOptions>(fn, options, withGrad ? [...OPTIONS, "out"] : OPTIONS);
  const { shape, layerWeights, out } = o;
  const given = layersOf(fn, generated, target, {
    shape,
    targetShape: undefined,
    layerWeights,
    out: withGrad ? out : undefined,
  });
  const pairs = layerPairsOf(fn, given.layers, (at) => `target${at}`);
  const layers = given.layers.map(({ at, weight, shape: own, out: into }, i): Layer => {
    const [x, y] = pairs[i] as readonly [Operand, Operand];
    shapeOf(fn, x, own, `shape${at}`);
    if (y.length !== x.length) failValue(fn, y.name, `of length ${x.length}, that of "${x.name}"`, y.array);
    return { x, y, weight, grad: withGrad ? outputOf(fn, into, x.bytes, x.length, `out${at}`) : undefined };
  });
  const grads = layers.flatMap(({ grad }) => (grad ? [grad] : []));
  checkDistinct(fn, Object.fromEntries(grads.map((grad, i) => [`out[${i}]`, grad])));
  const at = arena();
  // a gradient may be written where another layer is still to be read
  const safe = layers.map((layer) => {
    const others = grads.filter((grad) => grad !== layer.grad);
    return { ...layer, x: apart(fn, layer.x, others), y: apart(fn, layer.y, others) };
  });
  const value = safe.reduce((sum, { x, y, weight, grad }) => {
    return sum + (weight * squaredDifferences(fn, at, x, y, grad, (2 * weight) / x.length)) / x.length;
  }, 0);
  const arrays = grads.map(({ array }) => array);
  return { value, grad: given.isList ? arrays : (arrays[0] as FloatArray) };
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
  return evaluate("perceptualLoss", generated, target, options, false).value;
}

/**
 * `perceptualLoss` and its gradient with respect to the generated features, 2w·(x − y) over their number: `{ value, grad }`.
 * Of lists of layers, `grad` is a list.
 *
 * @throws As `perceptualLoss`.
 * @example perceptualLossWithGrad([1, 2, 3], [1, 2, 6]).grad; // Float64Array [0, 0, -2]
 */
export function perceptualLossWithGrad<X extends Layers, Y extends Layers = Layers>(
  generated: X,
  target: Y,
  options?: PerceptualLossGradOptions<LayerGradients<X, Y>>,
): { value: number; grad: LayerGradients<X, Y> } {
  return evaluate("perceptualLossWithGrad", generated, target, options, true) as {
    value: number;
    grad: LayerGradients<X, Y>;
  };
}
