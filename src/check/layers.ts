/** Layers of features: one, or a list of them, with the options that come by the layer. */
import { counted, failKind, failValue } from "../errors.ts";
import { numberIn } from "../options.ts";
import type { FloatArray, Input, Out, ResultOf } from "../types.ts";
import { isTensor, type Operand, operandPairsOf, readOnce, sizesIn } from "./tensor.ts";

/** The features of one layer, or of a list of layers. */
export type Layers = Input | readonly Input[];

/** A target's features, or the Gram matrices that are given instead of them. */
type Given<Y> = Y extends { readonly grams: infer G } ? G : Y;

/** Of a list of targets the one beside layer K; where it is no tuple, any of them. */
type Beside<Y, K> = K extends keyof Y ? Given<Y[K]> : Y extends readonly (infer E)[] ? Given<E> : undefined;

/** A list for a list of layers, which lists of numbers in a list are too; an array for one. Each layer has its target's type. */
export type LayerGradients<X, Y = undefined> = X extends readonly number[]
  ? ResultOf<X, Given<Y>>
  : X extends readonly unknown[]
    ? { -readonly [K in keyof X]: ResultOf<X[K], Beside<Given<Y>, K>> }
    : ResultOf<X, Given<Y>>;

/** Where to write gradients: an array for one layer, a list for a list. */
export type LayerOutputs<G = FloatArray | FloatArray[]> = [G] extends [FloatArray]
  ? Out<G>
  : G extends readonly FloatArray[]
    ? { readonly [K in keyof G]: G[K] extends FloatArray ? Out<G[K]> : never }
    : Out<FloatArray>;

/** A layer's arguments, as they are given. */
export interface GivenLayer {
  /** Its place in the names of arguments: "[2]" in a list. */
  readonly at: string;
  readonly generated: unknown;
  readonly target: unknown;
  readonly shape: readonly number[] | undefined;
  readonly targetShape: readonly number[] | undefined;
  readonly weight: number;
  readonly out: unknown;
}

/** Whether an argument is a list of layers, rather than one: a list of anything but numbers. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0 && typeof value[0] !== "number";
}

/** A list of layers, copied up to the first that is none: a hole ends a list that says it has 2³² elements. */
export function layersIn(fn: string, argument: string, list: readonly unknown[]): readonly unknown[] {
  const { length } = list;
  const layers: unknown[] = [];
  for (let i = 0; i < length; i++) {
    const layer = readOnce(list[i]);
    if (!isTensor(layer)) failKind(fn, `${argument}[${i}]`, "a layer's array", layer);
    layers.push(layer);
  }
  return layers;
}

/** What is given of each layer; `options` have been read. */
export function layersOf(
  fn: string,
  generated: unknown,
  target: unknown,
  options: {
    readonly shape: unknown;
    readonly targetShape: unknown;
    readonly layerWeights: unknown;
    readonly out: unknown;
  },
): { readonly isList: boolean; readonly layers: readonly GivenLayer[] } {
  if (typeof generated !== "object" || generated === null)
    failKind(fn, "generated", "an array of features, or a list of them, one a layer", generated);
  const list = isList(generated);
  const xs = list ? layersIn(fn, "generated", generated) : [generated];
  const count = xs.length;
  /** A list as long as that of the layers. */
  const listOf = (argument: string, value: unknown, thing: string, more = "one a layer"): readonly unknown[] => {
    const expected = `a list of ${counted(count, thing)}, ${more}`;
    if (!Array.isArray(value)) failKind(fn, argument, expected, value);
    if (value.length !== count) failValue(fn, argument, expected, value);
    return Array.from(value);
  };
  /** An option that is one for one layer and a list for a list. */
  const perLayer = (argument: string, value: unknown, thing: string): readonly unknown[] => {
    if (value === undefined) return xs.map(() => undefined);
    return list ? listOf(argument, value, thing) : [value];
  };
  // lists of numbers in a list may be one layer's
  if (list ? !isList(target) : isList(target) && !Array.isArray(target[0]))
    failKind(fn, "target", `${list ? "a list of layers" : "one layer"}, as "generated" is`, target);
  const ys = list ? listOf("target", target, "layer", 'as "generated" is') : [target];
  const shapes = perLayer("shape", options.shape, "shape");
  const targetShapes = perLayer("targetShape", options.targetShape, "shape");
  const outs = perLayer("out", options.out, "array");
  const { layerWeights } = options;
  const weights = layerWeights === undefined ? xs.map(() => 1) : listOf("layerWeights", layerWeights, "number");
  const layers = xs.map((x, i): GivenLayer => {
    const at = list ? `[${i}]` : "";
    return {
      at,
      generated: x,
      target: ys[i],
      shape: sizesIn(fn, `shape${at}`, shapes[i]),
      targetShape: sizesIn(fn, `targetShape${at}`, targetShapes[i]),
      weight: numberIn(fn, `layerWeights[${i}]`, weights[i]),
      out: outs[i],
    };
  });
  return { isList: list, layers };
}

/** The arrays of each layer, of a type of its own; `targetName` is what the caller calls the second. */
export function layerPairsOf(
  fn: string,
  layers: readonly GivenLayer[],
  targetName: (at: string, i: number) => string,
): readonly (readonly [Operand, Operand])[] {
  return operandPairsOf(
    fn,
    layers.map(({ at, generated, target }, i) => [`generated${at}`, generated, targetName(at, i), target]),
  );
}
