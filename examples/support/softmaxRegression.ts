/**
 * Softmax regression: logits = W·x + b, trained by Adam on mini-batches of the cross-entropy.
 *
 *     ∂loss/∂W = Gᵀ·X,   ∂loss/∂b = Σ G,   G = ∂loss/∂logits of the batch
 */
import { crossEntropyWithGrad } from "surprisal";
import { adam } from "./adam.ts";
import { timesTransposed, transposedTimes } from "./dense.ts";
import { CLASSES, type Digits, PIXELS, pick } from "./digits.ts";
import { shuffle, uniforms } from "./random.ts";

export interface Training {
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly seed: number;
}

export const TRAINING: Training = { epochs: 10, batch: 100, rate: 0.003, seed: 1 };

/** Steps in a training: what does not fill a batch waits for another epoch. */
export const stepsOf = ({ count }: Digits, { epochs, batch }: Training): number => epochs * Math.floor(count / batch);

export class SoftmaxRegression {
  /** W `[CLASSES, PIXELS]`, then b `[CLASSES]`; zeros at first, which find every class equally likely. */
  private readonly parameters = new Float32Array(CLASSES * PIXELS + CLASSES);
  readonly weights = this.parameters.subarray(0, CLASSES * PIXELS);
  readonly bias = this.parameters.subarray(CLASSES * PIXELS);

  /** Of pictures `[n, PIXELS]`: `[n, CLASSES]`. */
  logits(pixels: Float32Array, out = new Float32Array((pixels.length / PIXELS) * CLASSES)): Float32Array {
    timesTransposed(pixels, this.weights, out, PIXELS);
    for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + (this.bias[i % CLASSES] as number);
    return out;
  }

  /** Gives the loss of each step in nats as it goes, so that one can watch. */
  *train(digits: Digits, { epochs, batch, rate, seed }: Training): Generator<number> {
    const random = uniforms(seed);
    const order = Array.from({ length: digits.count }, (_, i) => i);
    const logits = new Float32Array(batch * CLASSES);
    const gradient = new Float32Array(this.parameters.length);
    const [ofWeights, ofBias] = [gradient.subarray(0, this.weights.length), gradient.subarray(this.weights.length)];
    const descend = adam(this.parameters, gradient, rate);

    for (let epoch = 0; epoch < epochs; epoch++) {
      shuffle(order, random);
      for (let start = 0; start + batch <= digits.count; start += batch) {
        const { pixels, labels } = pick(digits, order.slice(start, start + batch));
        this.logits(pixels, logits);
        const { value, grad } = crossEntropyWithGrad(logits, labels, { shape: [batch, CLASSES], out: logits });
        transposedTimes(grad, pixels, ofWeights, PIXELS);
        ofBias.fill(0);
        for (let i = 0; i < grad.length; i++) {
          ofBias[i % CLASSES] = (ofBias[i % CLASSES] as number) + (grad[i] as number);
        }
        descend();
        yield value;
      }
    }
  }
}
