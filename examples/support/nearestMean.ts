/**
 * A nearest-mean classifier: class c is a Gaussian N(μ_c, σ²) in every pixel, one σ for all.
 *
 *     logit_c(x) = −‖x − μ_c‖² / 2σ²
 *
 * Softmax of the logits gives p(c | x), their log-sum-exp gives log p(x) up to a constant: the evidence.
 */
import { CLASSES, type Digits, PIXELS } from "./digits.ts";

export interface NearestMean {
  /** `[CLASSES, PIXELS]` */
  readonly means: Float64Array;
  readonly variance: number;
}

export function fitMeans({ count, pixels, labels }: Digits): NearestMean {
  const shares = Array.from({ length: CLASSES }, (_, c) => 1 / labels.filter((label) => label === c).length);
  const means = new Float64Array(CLASSES * PIXELS);
  for (let i = 0; i < count; i++) {
    const c = labels[i] as number;
    const share = shares[c] as number;
    const mean = means.subarray(c * PIXELS, (c + 1) * PIXELS);
    for (let j = 0; j < PIXELS; j++) mean[j] = (mean[j] as number) + share * (pixels[i * PIXELS + j] as number);
  }
  let squares = 0;
  for (let i = 0; i < count; i++) squares += squaredDistance(pixels, i, means, labels[i] as number);
  return { means, variance: squares / (count * PIXELS) };
}

/** `[count, CLASSES]` */
export function logitsOf({ count, pixels }: Digits, { means, variance }: NearestMean): Float32Array {
  const logits = new Float32Array(count * CLASSES);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < CLASSES; c++) logits[i * CLASSES + c] = -squaredDistance(pixels, i, means, c) / (2 * variance);
  }
  return logits;
}

/** Between picture i and mean c. */
function squaredDistance(pixels: Float32Array, i: number, means: Float64Array, c: number): number {
  let sum = 0;
  for (let j = 0; j < PIXELS; j++) {
    const d = (pixels[i * PIXELS + j] as number) - (means[c * PIXELS + j] as number);
    sum += d * d;
  }
  return sum;
}
