/**
 * A multilayer perceptron: x₀ the pixels, xₗ₊₁ = max(0, Wₗ·xₗ + bₗ), the last one without the maximum: the logits. Trained by Adam on
 * mini-batches of the cross-entropy.
 *
 *     ∂loss/∂Wₗ = Gₗᵀ·xₗ,   ∂loss/∂bₗ = Σ Gₗ,   Gₗ₋₁ = Gₗ·Wₗ where xₗ > 0,   G of the last = ∂loss/∂logits
 */
import { crossEntropyWithGrad } from "surprisal";
import { adam } from "./adam.ts";
import { times, timesTransposed, transposedTimes } from "./dense.ts";
import { CLASSES, type Digits, PIXELS, pick } from "./digits.ts";
import { shuffle, uniforms } from "./random.ts";
import type { Training } from "./softmaxRegression.ts";

/** Weights `[to, from]` and biases `[to]` of a layer, parts of one array. */
export interface Layer {
  readonly from: number;
  readonly to: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

const HIDDEN = [64, 32];

/** The layers whose parameters stand in an array one behind the other. */
function layersIn(parameters: Float32Array, sizes: readonly number[]): Layer[] {
  let at = 0;
  const next = (length: number): Float32Array => {
    at += length;
    return parameters.subarray(at - length, at);
  };
  return sizes.slice(1).map((to, i) => {
    const from = sizes[i] as number;
    return { from, to, weights: next(to * from), bias: next(to) };
  });
}

export class Perceptron {
  private readonly sizes = [PIXELS, ...HIDDEN, CLASSES];
  private readonly parameters = new Float32Array(
    this.sizes.slice(1).reduce((sum, to, i) => sum + to * ((this.sizes[i] as number) + 1), 0),
  );
  readonly layers: readonly Layer[] = layersIn(this.parameters, this.sizes);

  /** He's weights: uniform, of the variance 2/from. */
  constructor(seed = 1) {
    const random = uniforms(seed);
    for (const { from, weights } of this.layers)
      for (let i = 0; i < weights.length; i++) weights[i] = Math.sqrt(6 / from) * (2 * random() - 1);
  }

  /** What each layer makes of pictures `[n, PIXELS]`: `[n, to]`, the logits last. */
  activations(pixels: Float32Array): Float32Array[] {
    const count = pixels.length / PIXELS;
    let x = pixels;
    return this.layers.map(({ from, to, weights, bias }, l) => {
      const y = new Float32Array(count * to);
      timesTransposed(x, weights, y, from);
      const least = l === this.layers.length - 1 ? -Infinity : 0;
      for (let i = 0; i < y.length; i++) y[i] = Math.max((y[i] as number) + (bias[i % to] as number), least);
      x = y;
      return y;
    });
  }

  logits(pixels: Float32Array): Float32Array {
    return this.activations(pixels).at(-1) as Float32Array;
  }

  /** Gives the loss of each step in nats as it goes, so that one can watch. */
  *train(digits: Digits, { epochs, batch, rate, seed }: Training): Generator<number> {
    const random = uniforms(seed);
    const order = Array.from({ length: digits.count }, (_, i) => i);
    const gradient = new Float32Array(this.parameters.length);
    const gradients = layersIn(gradient, this.sizes);
    const descend = adam(this.parameters, gradient, rate);
    for (let epoch = 0; epoch < epochs; epoch++) {
      shuffle(order, random);
      for (let start = 0; start + batch <= digits.count; start += batch) {
        const { pixels, labels } = pick(digits, order.slice(start, start + batch));
        const all = [pixels, ...this.activations(pixels)];
        const logits = all.pop() as Float32Array;
        const { value, grad } = crossEntropyWithGrad(logits, labels, { shape: [batch, CLASSES], out: logits });
        this.#back(all, grad, gradients);
        descend();
        yield value;
      }
    }
  }

  /** The gradients of all layers; `inputs` of each, and the gradient of the logits. */
  #back(inputs: readonly Float32Array[], ofLogits: Float32Array, gradients: readonly Layer[]): void {
    let g = ofLogits;
    for (let l = inputs.length - 1; l >= 0; l--) {
      const { from, to, weights } = this.layers[l] as Layer;
      const own = gradients[l] as Layer;
      const x = inputs[l] as Float32Array;
      transposedTimes(g, x, own.weights, from);
      own.bias.fill(0);
      for (let i = 0; i < g.length; i++) own.bias[i % to] = (own.bias[i % to] as number) + (g[i] as number);
      if (l > 0) g = times(g, weights, from).map((value, i) => ((x[i] as number) > 0 ? value : 0));
    }
  }
}
