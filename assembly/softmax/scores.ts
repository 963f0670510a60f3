/**
 * What rows of logits say of one of their elements each, and of the largest: nothing of a row's size is written.
 *
 *     log p   = (z − a) − log1p(q)          a = max z,   q = Σ_{j ≠ argmax} rⱼ,   rⱼ = e^{zⱼ − a}
 *     rank    = 1 + #{j : zⱼ > z}           1 is the best; equal logits share theirs
 *     H       = log1p(q) + d/(1 + q)        d = Σ rⱼ·(a − zⱼ)
 *
 * The log-probabilities have the bits of log-softmax, and the entropy errs as that of the losses does. Two passes over a row, which
 * is staged once: comparisons (survey.ts), then exponentials with both sums. Of a row without a distribution (a NaN, a
 * +∞, nothing but −∞) all is NaN, the rank 0, and indices are −1. Steps as in softmax.ts.
 */
import { entropyOf } from "../math/entropy";
import { aims, headroomInverse, narrowest, SCORE, scoreUnit, temper, TURNED, WIDE } from "../rows/exponential";
import { exponentials, putBack, setApart, TERM, total } from "../rows/passes";
import { AIM, ALL, BEGIN, FINISH, MAXIMUM, SUM_UP } from "../rows/steps";
import { clearParts, FACTOR, PARTS, placeAlong, TOP } from "../rows/batch";
import { clearBest, countAbove, ENTRY, largestFound, sortBest, survey } from "../rows/survey";
import { clearSum, SUM_BYTES, totalOf } from "../sum";
import { finishLogSoftmax } from "./softmax";

/** Of a row in pieces: its element's logit, and how many are above it so far. */
let chosen: f64 = NaN;
let above = 0;

// @ts-ignore: decorator
@global
export const SCORES = true;

const D: usize = PARTS + SCORE * SUM_BYTES;

/** (z − a) − log1p(q), in the type. */
// @ts-ignore: decorator
@inline
function logProbability<T>(z: f64): f64 {
  return <f64>(<T>(<T>(<T>z - load<T>(TOP)) - load<T>(FACTOR)));
}

/**
 * Rows of n elements at x, of which row i is asked about element ids[i]; n is a piece of one from index `from` on unless `steps` is
 * ALL. Writes a log-probability (f64) a row, an entropy (f64), the rank over the id, and k entries (survey.ts) at `best`.
 */
export function scoreRows<T>(
  x: usize,
  ids: usize,
  logProbs: usize,
  entropies: usize,
  best: usize,
  rows: i32,
  n: i32,
  from: i32,
  k: i32,
  steps: i32,
): void {
  temper<T>(1);
  placeAlong<T>(n);
  const row = <usize>n * sizeof<T>();
  for (; rows > 0; rows--) {
    const id = load<i32>(ids) - from;
    if (steps & BEGIN) {
      chosen = NaN;
      above = 0;
      clearBest();
      store<T>(TOP, <T>-Infinity);
    }
    if (steps & MAXIMUM) {
      if (id >= 0 && id < n) chosen = <f64>load<T>(x + <usize>id * sizeof<T>());
      survey<T>(x, n, <T>chosen, from, best, k);
      if (largestFound > <f64>load<T>(TOP)) store<T>(TOP, <T>largestFound);
      if (steps == ALL) above = countAbove;
    }
    if (steps & AIM) {
      aims<T>(1);
      clearParts();
      clearSum(D);
    }
    if (steps & SUM_UP) {
      if (steps != ALL) {
        survey<T>(x, n, <T>chosen, from, 0, 0);
        above += countAbove;
      }
      setApart<T>(x, 0, 1, n, (steps & AIM) != 0);
      scoreUnit<T>(x, steps == ALL && n <= narrowest<T>() ? TURNED : WIDE);
      putBack<T>(x, 0, 1, n);
    }
    if (steps & FINISH) {
      const d = totalOf<T>(D);
      exponentials<T>(x, 0, 0, 1, n, true, FINISH);
      finishLogSoftmax<T>(0, false);
      const value = logProbability<T>(chosen);
      const isNone = load<T>(FACTOR) != load<T>(FACTOR);
      const unit = headroomInverse<T>() / load<f64>(TERM);
      let h = entropyOf(f64x2.extract_lane(total<T>(0, 0), 0) * unit, d * unit);
      // what was cut off is not quite 0: less than half the smallest f32
      if (sizeof<T>() == 4 && h < 7.006492321624085e-46) h = 0; // 2^-150
      store<f64>(logProbs, value);
      store<f64>(entropies, isNone ? NaN : h);
      store<i32>(ids, isNone ? 0 : above + 1);
      sortBest(best, k);
      for (let i = 0; i < k; i++) {
        const entry = best + <usize>i * ENTRY;
        if (isNone) store<i32>(entry, -1, 8);
        store<f64>(entry, isNone ? NaN : logProbability<T>(load<f64>(entry)));
      }
      ids += 4;
      logProbs += 8;
      entropies += 8;
      best += <usize>k * ENTRY;
    }
    x += row;
  }
}
