/** A model whose weights are integers of a few bits, a scale for each unit: what is saved of it is a fraction of the original. */
import { type Layer, Perceptron } from "./perceptron.ts";

/** Rounds the weights of each unit to multiples of its largest over 2^(bits − 1) − 1; biases stay as they are. */
export function quantised(model: Perceptron, bits: number): Perceptron {
  const copy = new Perceptron();
  const levels = 2 ** (bits - 1) - 1;
  for (const [l, { from, weights, bias }] of model.layers.entries()) {
    const own = copy.layers[l] as Layer;
    for (let start = 0; start < weights.length; start += from) {
      const row = weights.subarray(start, start + from);
      const scale = row.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / levels || 1;
      row.forEach((w, i) => {
        own.weights[start + i] = Math.round(w / scale) * scale;
      });
    }
    own.bias.set(bias);
  }
  return copy;
}
