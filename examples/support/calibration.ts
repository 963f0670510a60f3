/** How good predicted probabilities are: right answers, nats of surprise, and whether 80 % means 8 in 10. */

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

/** −log p of the true class in nats, averaged. */
export function meanNLL(logProbabilities: Float32Array, labels: Uint8Array): number {
  const classes = logProbabilities.length / labels.length;
  return mean(Array.from(labels, (label, i) => -(logProbabilities[i * classes + label] as number)));
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
