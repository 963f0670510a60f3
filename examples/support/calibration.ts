/** How good predicted probabilities are: right answers, nats of surprise, and whether 80 % means 8 in 10. */
import { crossEntropy, logSoftmax, perplexity, softmax } from "surprisal";

/** What the classifier says about each picture: the likeliest class, its probability, and whether it is right. */
export interface Prediction {
  readonly digit: number;
  readonly confidence: number;
  readonly right: boolean;
}

export function predictions(probabilities: Float32Array, labels: Uint8Array): Prediction[] {
  const classes = probabilities.length / labels.length;
  return Array.from(labels, (label, i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    const confidence = Math.max(...row);
    const digit = row.indexOf(confidence);
    return { digit, confidence, right: digit === label };
  });
}

export const accuracy = (all: readonly Prediction[]): number => mean(all.map(({ right }) => +right));

/** How well logits fit their labels at a temperature. */
export interface Fit {
  readonly answers: readonly Prediction[];
  /** Cross-entropy in nats, and e to it. */
  readonly loss: number;
  readonly perplexity: number;
  readonly calibrationError: number;
}

export function fitOf(logits: Float32Array, labels: Uint8Array, temperature: number): Fit {
  const shape = [labels.length, logits.length / labels.length];
  const logP = logSoftmax(logits, { shape, temperature });
  const answers = predictions(softmax(logits, { shape, temperature }), labels);
  return {
    answers,
    loss: crossEntropy(logP, labels, { shape, from: "logProbabilities" }),
    perplexity: perplexity(logP, labels, { shape }), // log-probabilities are logits too
    calibrationError: calibrationError(reliability(answers)),
  };
}

/** The T in [1/64, 64] of least cross-entropy: convex in 1/T, so with one valley in log T, which the golden section finds. */
export function fitTemperature(logits: Float32Array, labels: Uint8Array): number {
  const shape = [labels.length, logits.length / labels.length];
  const logP = new Float32Array(logits.length);
  const lossAt = (logT: number): number => {
    logSoftmax(logits, { shape, temperature: Math.exp(logT), out: logP });
    return crossEntropy(logP, labels, { shape, from: "logProbabilities" });
  };
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [-Math.log(64), Math.log(64)];
  let [a, b] = [high - golden * (high - low), low + golden * (high - low)];
  let [atA, atB] = [lossAt(a), lossAt(b)];
  while (high - low > 1e-3) {
    if (atA < atB) {
      [high, b, atB] = [b, a, atA];
      a = high - golden * (high - low);
      atA = lossAt(a);
    } else {
      [low, a, atA] = [a, b, atB];
      b = low + golden * (high - low);
      atB = lossAt(b);
    }
  }
  return Math.exp((low + high) / 2);
}

/** By true class, the mean of what is predicted: `[classes, classes]`. */
export function meanPredictions(probabilities: Float32Array, labels: Uint8Array): Float64Array {
  const classes = probabilities.length / labels.length;
  const sums = new Float64Array(classes * classes);
  const counts = new Float64Array(classes);
  for (const [i, label] of labels.entries()) {
    counts[label] = (counts[label] as number) + 1;
    for (let c = 0; c < classes; c++) {
      sums[label * classes + c] = (sums[label * classes + c] as number) + (probabilities[i * classes + c] as number);
    }
  }
  return sums.map((sum, i) => sum / (counts[Math.floor(i / classes)] as number));
}

/** The predictions whose confidence is in [low, high). */
export interface Bin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  readonly confidence: number;
  readonly accuracy: number;
}

export function reliability(all: readonly Prediction[], bins = 10): Bin[] {
  const binOf = ({ confidence }: Prediction) => Math.min(Math.floor(confidence * bins), bins - 1);
  return Array.from({ length: bins }, (_, b) => {
    const inside = all.filter((prediction) => binOf(prediction) === b);
    const confidence = mean(inside.map((prediction) => prediction.confidence));
    return { low: b / bins, high: (b + 1) / bins, count: inside.length, confidence, accuracy: accuracy(inside) };
  }).filter(({ count }) => count > 0);
}

/** Expected calibration error: |confidence − accuracy|, averaged over all predictions bin by bin. */
export function calibrationError(bins: readonly Bin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  return bins.reduce((sum, bin) => sum + (bin.count / total) * Math.abs(bin.confidence - bin.accuracy), 0);
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
