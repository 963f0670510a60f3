/**
 * A network with one hidden layer, h = max(0, W₁·x + b₁), logits = W₂·h + b₂, trained by Adam on the cross-entropy.
 *
 *     G = ∂loss/∂logits     ∂loss/∂W₂ = Gᵀ·H     ∂loss/∂H = G·W₂ where h > 0     ∂loss/∂W₁ = ∂loss/∂Hᵀ·X
 */
import { crossEntropyWithGrad } from "surprisal";
import { adam } from "../../../examples/support/adam.ts";
import { timesTransposed, transposedTimes } from "../../../examples/support/dense.ts";
import { normals, uniforms } from "../../../examples/support/random.ts";
import { CLASSES, type Digits, PIXELS } from "../kit/digits.ts";

const HIDDEN = 64;
/** Also for the axis of the plot. */
export const STEPS = 900;
const [BATCH, RATE] = [64, 0.003];
const SIZES = [HIDDEN * PIXELS, HIDDEN, CLASSES * HIDDEN, CLASSES];

export class Network {
  readonly parameters: Float32Array;

  constructor(parameters?: Float32Array) {
    this.parameters = parameters ?? new Float32Array(SIZES.reduce((a, b) => a + b));
    if (parameters) return;
    const normal = normals(uniforms(3));
    for (const [k, fan] of [
      [0, PIXELS],
      [2, HIDDEN],
    ] as const) {
      for (let i = 0, w = this.piece(k); i < w.length; i++) w[i] = normal() * Math.sqrt(2 / fan);
    }
  }

  /** W₁, b₁, W₂, b₂, of these numbers or of others laid out alike. */
  private piece(k: number, of = this.parameters): Float32Array {
    const from = SIZES.slice(0, k).reduce((a, b) => a + b, 0);
    return of.subarray(from, from + (SIZES[k] as number));
  }

  /** Of pictures `[n, PIXELS]`: the hidden layer `[n, HIDDEN]` and the logits `[n, CLASSES]`. */
  forward(x: Float32Array): { hidden: Float32Array; logits: Float32Array } {
    const n = x.length / PIXELS;
    const hidden = new Float32Array(n * HIDDEN);
    timesTransposed(x, this.piece(0), hidden, PIXELS);
    const first = this.piece(1);
    for (let i = 0; i < hidden.length; i++)
      hidden[i] = Math.max(0, (hidden[i] as number) + (first[i % HIDDEN] as number));
    const logits = new Float32Array(n * CLASSES);
    timesTransposed(hidden, this.piece(2), logits, HIDDEN);
    const second = this.piece(3);
    for (let i = 0; i < logits.length; i++) logits[i] = (logits[i] as number) + (second[i % CLASSES] as number);
    return { hidden, logits };
  }

  /** ∂/∂H of what has the gradient `grad` by the logits. */
  private back(grad: Float32Array, hidden: Float32Array): Float32Array {
    const w = this.piece(2);
    return hidden.map((h, i) => {
      if (h <= 0) return 0;
      const [row, j] = [Math.floor(i / HIDDEN), i % HIDDEN];
      let sum = 0;
      for (let c = 0; c < CLASSES; c++) sum += (grad[row * CLASSES + c] as number) * (w[c * HIDDEN + j] as number);
      return sum;
    });
  }

  /** Of a digit's loss by the pixels of one picture: what would change its mind. */
  saliency(x: Float32Array, label: number): Float32Array {
    const { hidden, logits } = this.forward(x);
    const { grad } = crossEntropyWithGrad(logits, [label], { shape: [1, CLASSES] });
    const back = this.back(grad, hidden);
    const w = this.piece(0);
    const result = new Float32Array(PIXELS);
    for (let j = 0; j < HIDDEN; j++) {
      const g = back[j] as number;
      if (g !== 0)
        for (let i = 0; i < PIXELS; i++) result[i] = (result[i] as number) + g * (w[j * PIXELS + i] as number);
    }
    return result;
  }

  /** Gives the loss of each step as it goes. Every picture is moved by up to one pixel, since who draws does not aim. */
  *train({ count, pixels, labels }: Digits): Generator<{ loss: number; fraction: number }> {
    const random = uniforms(1);
    const gradient = new Float32Array(this.parameters.length);
    const descend = adam(this.parameters, gradient, RATE);
    for (let step = 0; step < STEPS; step++) {
      const x = new Float32Array(BATCH * PIXELS);
      const own = new Uint8Array(BATCH);
      for (let b = 0; b < BATCH; b++) {
        const i = Math.floor(random() * count);
        own[b] = labels[i] as number;
        const shift = Math.floor(random() * 3 - 1) * 28 + Math.floor(random() * 3 - 1);
        for (let e = 0; e < PIXELS; e++)
          x[b * PIXELS + e] = pixels[i * PIXELS + ((e - shift + PIXELS) % PIXELS)] as number;
      }
      const { hidden, logits } = this.forward(x);
      const { value, grad } = crossEntropyWithGrad(logits, own, { shape: [BATCH, CLASSES] });
      const back = this.back(grad, hidden);
      transposedTimes(grad, hidden, this.piece(2, gradient), HIDDEN);
      transposedTimes(back, x, this.piece(0, gradient), PIXELS);
      addRows(back, this.piece(1, gradient));
      addRows(grad, this.piece(3, gradient));
      descend();
      yield { loss: value, fraction: (step + 1) / STEPS };
    }
  }
}

function addRows(rows: Float32Array, sum: Float32Array): void {
  sum.fill(0);
  for (const [i, v] of rows.entries()) sum[i % sum.length] = (sum[i % sum.length] as number) + v;
}
