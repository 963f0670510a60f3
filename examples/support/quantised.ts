/** A model whose weights are integers of a few bits, a scale for each class: what is saved of it is a fraction of the original. */
import { PIXELS } from "./digits.ts";
import { SoftmaxRegression } from "./softmaxRegression.ts";

/** Rounds the weights of each class to multiples of its largest over 2^(bits − 1) − 1; biases stay as they are. */
export function quantised(model: SoftmaxRegression, bits: number): SoftmaxRegression {
  const copy = new SoftmaxRegression();
  const levels = 2 ** (bits - 1) - 1;
  for (let start = 0; start < model.weights.length; start += PIXELS) {
    const row = model.weights.subarray(start, start + PIXELS);
    const scale = row.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / levels || 1;
    row.forEach((w, i) => {
      copy.weights[start + i] = Math.round(w / scale) * scale;
    });
  }
  copy.bias.set(model.bias);
  return copy;
}
