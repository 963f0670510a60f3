/** The single bell that is nearest to two peaks, by either KL: all bells of a grid in one call. */
import { pairwiseDivergence } from "surprisal";

const BINS = 128;
const middle = (i: number): number => ((i + 0.5) / BINS) * 16 - 8;

/** Normalised; 1e-30 keeps every bin possible, so that neither KL is infinite. */
function bell(mean: number, deviation: number): Float64Array {
  const p = Float64Array.from(
    { length: BINS },
    (_, i) => Math.exp(-(((middle(i) - mean) / deviation) ** 2) / 2) + 1e-30,
  );
  const sum = p.reduce((a, b) => a + b, 0);
  return p.map((v) => v / sum);
}

/** Two peaks at ±gap, the left one a little larger, so that there is one best answer. */
export function mixture(gap: number): Float64Array {
  const [left, right] = [bell(-gap, 0.7), bell(gap, 0.7)];
  return left.map((v, i) => 0.55 * v + 0.45 * (right[i] as number));
}

const CANDIDATES: Float64Array[] = [];
for (let mean = -5; mean <= 5; mean += 0.25)
  for (let deviation = 0.5; deviation <= 5; deviation *= 1.12) CANDIDATES.push(bell(mean, deviation));
const ALL = new Float64Array(CANDIDATES.length * BINS);
for (const [i, candidate] of CANDIDATES.entries()) ALL.set(candidate, i * BINS);

/** "covering": least KL(truth‖bell); "seeking": least KL(bell‖truth). */
export function fit(truth: Float64Array, how: "covering" | "seeking"): Float64Array {
  const [one, all] = [
    [1, BINS],
    [CANDIDATES.length, BINS],
  ];
  const divergences =
    how === "covering"
      ? pairwiseDivergence(truth, ALL, { shape: one, qShape: all, metric: "kl" })
      : pairwiseDivergence(ALL, truth, { shape: all, qShape: one, metric: "kl" });
  return CANDIDATES[divergences.indexOf(Math.min(...divergences))] as Float64Array;
}
