/** How far a model is from its original on a test set that is streamed: what is told does not depend on the batches. */
import { createHash } from "node:crypto";
import {
  type AgreementBatch,
  type AgreementMeter,
  agreementMeter,
  type CalibrationMeter,
  type CrossEntropyMeter,
  calibrationMeter,
  crossEntropyMeter,
} from "surprisal";
import { CLASSES, type Digits, PIXELS } from "./digits.ts";
import type { SoftmaxRegression } from "./softmaxRegression.ts";

export interface Drift {
  /** Of the original P and the other Q. */
  readonly agreement: AgreementMeter;
  readonly calibration: CalibrationMeter;
  readonly loss: CrossEntropyMeter;
  /** Of all that the meters say, the first digits of its SHA-256. */
  readonly hash: string;
}

/** Both models' logits, `size` pictures at a time. */
function* batchesOf(
  original: SoftmaxRegression,
  other: SoftmaxRegression,
  { pixels, labels, count }: Digits,
  size: number,
) {
  for (let from = 0; from < count; from += size) {
    const to = Math.min(from + size, count);
    const part = pixels.subarray(from * PIXELS, to * PIXELS);
    const shape = [to - from, CLASSES] as const;
    yield { p: original.logits(part), q: other.logits(part), labels: labels.subarray(from, to), shape };
  }
}

export async function driftOf(
  original: SoftmaxRegression,
  other: SoftmaxRegression,
  digits: Digits,
  size: number,
): Promise<Drift> {
  const agreement = agreementMeter({ from: "logits" });
  const calibration = calibrationMeter({ bins: 10 });
  const loss = crossEntropyMeter();
  const pairs = function* (): Generator<AgreementBatch> {
    for (const { p, q, labels, shape } of batchesOf(original, other, digits, size)) {
      calibration.update(q, labels, { shape });
      loss.update(q, labels, { shape });
      yield [p, q, { shape }];
    }
  };
  await agreement.updateFrom(pairs());
  const hash = createHash("sha256")
    .update(JSON.stringify([agreement, calibration, loss]))
    .digest("hex")
    .slice(0, 16);
  return { agreement, calibration, loss, hash };
}
