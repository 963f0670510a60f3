/**
 * How sure a row is of its first element, and what that costs where another is the label's.
 *
 *     confidence = p_max = 1/(1 + q)                q = Σ_{j ≠ argmax} rⱼ
 *     Brier = Σⱼ (pⱼ − [j = y])² = (1 − p_y)² + Σ_{j ≠ y} pⱼ²
 *
 *     probabilities     rⱼ = xⱼ / a             a = max x
 *     logits            rⱼ = e^{xⱼ − a}
 *
 * Nothing cancels: where the label is the first element 1 − p_y is q/(1 + q), and elsewhere the largest square stays in the sum. A row
 * is NaN with a NaN or a negative probability in it, with an infinite maximum, or if it has no positive probability. In f64 of
 * either type but for rⱼ. Steps as in softmax.ts.
 */
import { GROUP, half, splat, VECTOR } from "../lanes";
import { aims, headroomInverse, keepStrip, temper } from "../rows/exponential";
import { HERE, maxima, putBack, setApart } from "../rows/passes";
import { AIM, BEGIN, FINISH, MAXIMUM, SUM_UP } from "../rows/steps";
import { clearParts, PARTS, placeAlong, TOP } from "../rows/batch";
import { loadTailGroup, spread, TAIL, tailLength, wholeGroups } from "../rows/strip";
import { addTo, clearSum, totalOf } from "../sum";

/** A block of r, in units of e^a·2^headroom of logits. */
const BLOCK_BYTES: usize = 1024;
const RATIO: usize = memory.data(1024, 16);

/** Σ r², f64 of either type. */
const SQUARES: usize = memory.data(32, 16);

/** Of a row in pieces: the label's element, NaN until it is met, and where the maximum stands. */
let chosen: f64 = NaN;
let argmax = -1;

function addStrip<T>(x: usize, bytes: usize, logs: bool): void {
  const a = splat<T>(load<T>(TOP));
  const zero = splat<T>(0);
  const scale = f64x2.splat(logs ? headroomInverse<T>() : 1);
  for (const end = x + bytes; x < end;) {
    const block = min(end - x, BLOCK_BYTES);
    if (logs) keepStrip<T>(x, RATIO, <i32>(block / GROUP));
    for (let v: usize = 0; v < block; v += VECTOR) {
      if (!logs) {
        const z = v128.load(x + v);
        const ratio = v128.or(v128.div<T>(z, a), v128.lt<T>(z, zero)); // NaN if negative
        v128.store(RATIO + v, ratio);
        addTo<T>(PARTS, ratio);
      }
      const r = v128.load(RATIO + v);
      const low = v128.mul<f64>(half<T>(r, 0), scale);
      addTo<f64>(SQUARES, v128.mul<f64>(low, low));
      if (sizeof<T>() == 4) {
        const high = v128.mul<f64>(half<T>(r, 1), scale);
        addTo<f64>(SQUARES, v128.mul<f64>(high, high));
      }
    }
    x += block;
  }
}

/** r of one element, in units of the sums. */
function ratioOf<T>(z: f64, logs: bool): f64 {
  if (!logs) return z / <f64>load<T>(TOP);
  spread(TAIL, splat<T>(<T>z));
  keepStrip<T>(TAIL, RATIO, 1);
  return <f64>load<T>(RATIO);
}

/**
 * Rows of n elements at x and their labels: a confidence and a Brier score (f64) a row, and over the label 1 if it is the first element, else 0. n
 * is a piece of a row from index `from` on where `steps` says so. What is no label of the row has no Brier score, NaN.
 */
export function calibrationRows<T>(
  x: usize,
  labels: usize,
  confidences: usize,
  scores: usize,
  rows: i32,
  n: i32,
  from: i32,
  logs: bool,
  steps: i32,
): void {
  temper<T>(1);
  placeAlong<T>(n);
  const row = <usize>n * sizeof<T>();
  for (; rows > 0; rows--) {
    const label = load<i32>(labels);
    if (steps & BEGIN) {
      chosen = NaN;
      argmax = -1;
      clearParts();
      clearSum(SQUARES);
    }
    if (steps & MAXIMUM) {
      if (label >= from && label - from < n) chosen = <f64>load<T>(x + <usize>(label - from) * sizeof<T>());
      maxima<T>(x, 0, 1, (steps & BEGIN) != 0);
    }
    if (steps & AIM) aims<T>(1);
    if (steps & SUM_UP) {
      setApart<T>(x, 0, 1, n, (steps & AIM) != 0);
      const at = load<i32>(HERE);
      if (at < n) {
        argmax = from + at;
        if (!logs) store<T>(x + <usize>at * sizeof<T>(), 0);
      }
      const body = <usize>wholeGroups<T>(n) * GROUP;
      const tail = tailLength<T>(n);
      addStrip<T>(x, body, logs);
      if (tail) {
        loadTailGroup<T>(x + body, tail, logs ? <T>-Infinity : 0);
        addStrip<T>(TAIL, GROUP, logs);
      }
      putBack<T>(x, 0, 1, n);
    }
    if (steps & FINISH) {
      const top = <f64>load<T>(TOP);
      const isNone = top - top != 0 || (!logs && top <= 0);
      let q = totalOf<T>(PARTS);
      // r of logits is in units of e^a, and its squares lost their headroom before they were added
      const unit = logs ? ratioOf<T>(top, true) : 1;
      const bare = logs ? unit * headroomInverse<T>() : 1;
      q /= unit;
      const squares = totalOf<f64>(SQUARES) / (bare * bare);
      const all = isNone ? NaN : 1 + q;
      const isFirst = label == argmax;
      const r = ratioOf<T>(chosen, logs) / unit;
      const missed = isFirst ? q / all : 1 - r / all;
      const others = isFirst ? squares : 1 + squares - r * r;
      store<f64>(confidences, 1 / all);
      store<f64>(scores, missed * missed + others / (all * all));
      store<i32>(labels, isFirst ? 1 : 0);
      labels += 4;
      confidences += 8;
      scores += 8;
    }
    x += row;
  }
}
