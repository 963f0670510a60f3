/**
 * Cross-entropy of rows of logits against a class or a distribution, and its gradient, in one reading of the logits.
 *
 *     c_j  = w_j·((1 − ε)·t_j + ε/n)                       t the target (1 at the class y), w the weights, ε the smoothing
 *     loss = Σ c_j·(LSE(x) − x_j) = Σ c_j·(a − x_j) + C·log1p(q),       C = Σ c_j,   a and q as in softmax.ts
 *     ∂loss/∂x_j = C·p_j − c_j
 *
 * All terms of the loss are ≥ 0 where those of c are, so nothing cancels: a loss of 1e-8 keeps its digits. c_j = 0
 * contributes 0 at x_j = −∞ too. The gradient of the maximum is −C·(1 − p) + (C − c), 1 − p = q/(1 + q), which keeps its
 * digits in a confident row; the label's likewise.
 *
 * A class weighs w_y·((1 − ε)·(LSE − x_y) + …) by its own; the sum over all classes is taken only if ε > 0. A negative t makes
 * the row NaN. Steps as in softmax.ts; `from` is where in the row a piece begins.
 */
import { broadcast, byteMask, GROUP, loadPair, select, splat, storePair, storeTail, VECTOR } from "../lanes";
import { aims, headroomInverse, narrowest, reducedTop, temper } from "../rows/exponential";
import { gather, scatter, TARGET_TILES, tileBytes, tiled, TILES } from "../rows/narrow";
import { addLogRest, exponentials, HERE, maxima, pairOf, putBack, scales, setApart, TERM, total } from "../rows/passes";
import { AIM, ALL, BEGIN, FINISH, MAXIMUM, SUM_UP, WRITE } from "../rows/steps";
import {
  across,
  batchOf,
  elementOf,
  FACTOR,
  groups,
  placeAcross,
  placeAlong,
  stateOf,
  step,
  tail,
  TOP,
  unitBytes,
  unitsOf,
} from "../rows/batch";
import { loadTailGroup, TAIL, tailLength, wholeGroups } from "../rows/strip";
import {
  addNarrow,
  addTerms,
  clearTargets,
  distanceOfRow,
  isNegative,
  loadTails,
  massOfRow,
  setShares,
  TARGET_TAIL,
  unitOf,
  weighed,
  WEIGHTS_TAIL,
} from "./targets";

/** What the steps of a batch leave for the next, an f64 for each row; where two are written at a time, one may stand behind the last. */
const LOGIT: usize = memory.data(512, 16); // x_y
const WEIGHT: usize = memory.data(512, 16); // w_y
const DISTANCE: usize = memory.data(528, 16); // Σ c_j·(a − x_j) over all classes, NaN where a target is negative
const MASS: usize = memory.data(528, 16); // C
const REST: usize = memory.data(512, 16); // log1p(q)
const UNIT: usize = memory.data(512, 16); // 1/S, over the headroom of the exponentials
const OTHERS: usize = memory.data(512, 16); // 1 − p of the maximum
const SLOPE: usize = memory.data(512, 16); // C·scale/S, of exponentials without their headroom
const LABEL_TERM: usize = memory.data(512, 16); // e^{x_y}, without the headroom; then the gradient there
const LABEL_SHARE: usize = memory.data(512, 16); // c of the label, of what all classes count
const TOP_SHARE: usize = memory.data(512, 16); // the same of the maximum; then the gradient there
/** The class of the maximum, −1 until it is met. */
const TOP_CLASS: usize = memory.data(256, 16);

/** One number of the type for each row, as in batch.ts: c·scale is KEEPS·t + SHARES; ones where the gradient is made apart, see areOdd. */
const KEEPS: usize = memory.data(512, 16);
const SHARES: usize = memory.data(512, 16);
const ODD: usize = memory.data(512, 16);

/** The arguments of a call; pointers are to the first row of a batch. */
let labels: usize = 0;
let weights: usize = 0;
let samples: usize = 0;
let losses: usize = 0;
let ignore = 0;
let smoothing: f64 = 0;
let share: f64 = 0;
let scale: f64 = 0;
/** Whether all classes count, and not the label alone. */
let spreadOut = false;
/** The elements of a row, or of a piece of one, and where in its row that begins. */
let n = 0;
let from = 0;

/** The gradient of units of rows whose exponentials stand at y, y·F − scale·c, but of odd rows. */
function gradients<T>(y: usize, t: usize, units: i32): void {
  const apart = step;
  const whole = 4 * groups;
  const vectors = whole + <i32>((tail + VECTOR - 1) / VECTOR);
  const next: usize = across ? sizeof<T>() : VECTOR;
  for (let unit = 0; unit < units; unit++) {
    const f = stateOf<T>(FACTOR, unit);
    const keep = stateOf<T>(KEEPS, unit);
    const share = stateOf<T>(SHARES, unit);
    const odd = stateOf<T>(ODD, unit);
    let p = y,
      target = t,
      weight = weights;
    for (let v = 0; v < vectors; v++) {
      let c = target ? v128.add<T>(v128.mul<T>(v128.load(target), keep), share) : share;
      if (weight) {
        c = v128.mul<T>(c, across ? broadcast<T>(weight) : v128.load(weight));
        weight += next;
      }
      const z = v128.load(p);
      const value = select(odd, z, v128.sub<T>(v128.mul<T>(z, f), c));
      if (v < whole) v128.store(p, value);
      else storeTail(p, byteMask(tail, v - whole), value);
      if (target) target += apart;
      p += apart;
    }
    y += unitBytes;
    if (t) t += unitBytes;
  }
}

/** Adds what the classes of a row or a piece of one count, a − x_j in units of `unitOf`. */
function addRow<T>(x: usize, a: f64, t: usize, w: usize): void {
  const whole = wholeGroups<T>(n);
  const left = tailLength<T>(n);
  const body = <usize>whole * GROUP;
  addTerms<T>(true, x, a, t, w, whole);
  if (left) {
    loadTails<T>(t ? t + body : 0, w ? w + body : 0, left);
    loadTailGroup<T>(x + body, left, 0);
    addTerms<T>(true, TAIL, a, t ? TARGET_TAIL : 0, WEIGHTS_TAIL, 1);
  }
}

/** c of one element, for those that are written apart; 0 where the label alone counts. */
// @ts-ignore: decorator
@inline
function coefficientAt<T>(t: usize, row: i32, j: i32): f64 {
  if (!spreadOut) return 0;
  const c = t ? <f64>load<T>(elementOf<T>(t, row, j)) * (1 - smoothing) + share : share;
  return weights ? c * <f64>load<T>(weights + <usize>j * sizeof<T>()) : c;
}

/** own·(a − x_y + log1p(q)) of two rows, where a − x_y may overflow; nothing where the class has no weight, even at −∞. */
// @ts-ignore: decorator
@inline
function ownLoss(own: v128, top: v128, logit: v128, rest: v128): v128 {
  const behind = v128.sub<f64>(top, logit);
  const loss = v128.mul<f64>(own, v128.add<f64>(behind, rest));
  const far = v128.eq<f64>(behind, f64x2.splat(Infinity));
  if (!v128.any_true(far)) return loss;
  const half = f64x2.splat(0.5);
  const halves = v128.mul<f64>(own, v128.sub<f64>(v128.mul<f64>(top, half), v128.mul<f64>(logit, half)));
  // NaN of a row with a NaN in it, where the class may be at −∞
  const whole = v128.add<f64>(v128.add<f64>(halves, halves), v128.sub<f64>(rest, rest));
  return select(far, select(v128.eq<f64>(own, f64x2.splat(0)), v128.mul<f64>(own, rest), whole), loss);
}

// @ts-ignore: decorator
@inline
function at(list: usize, row: i32): usize {
  return list + <usize>row * sizeof<f64>();
}

// @ts-ignore: decorator
@inline
function labelOf(row: i32): i32 {
  return labels ? load<i32>(labels + <usize>row * sizeof<i32>()) : -1;
}

// @ts-ignore: decorator
@inline
function sampleOf(row: i32): f64 {
  return samples ? load<f64>(at(samples, row)) : 1;
}

/** Whether a class is in this piece of the row. */
// @ts-ignore: decorator
@inline
function isHere(label: i32): bool {
  return label >= from && label - from < n;
}

/** x_y and w_y. */
function readLabels<T>(x: usize, rows: i32): void {
  for (let r = 0; r < rows; r++) {
    const label = labelOf(r);
    if (!isHere(label)) continue;
    store<f64>(at(LOGIT, r), <f64>load<T>(elementOf<T>(x, r, label - from)));
    store<f64>(at(WEIGHT, r), weights ? <f64>load<T>(weights + <usize>(label - from) * sizeof<T>()) : 1);
  }
}

/** What all classes count. */
function addClasses<T>(x: usize, t: usize, rows: i32, begins: bool): void {
  if (begins) setShares(1, 1 - smoothing, share);
  const row = <usize>n * sizeof<T>();
  for (let r = 0; r < rows; r++) {
    if (begins) clearTargets();
    const top = <f64>load<T>(TOP + <usize>r * sizeof<T>()) / unitOf<T>();
    addRow<T>(x + <usize>r * row, top, t ? t + <usize>r * row : 0, weights);
    store<f64>(at(DISTANCE, r), isNegative() ? NaN : distanceOfRow() * unitOf<T>());
    store<f64>(at(MASS, r), massOfRow());
  }
}

/** The same of narrow rows. */
function addNarrowClasses<T>(x: usize, t: usize, rows: i32): void {
  setShares(1, 1 - smoothing, share);
  const units = unitsOf<T>(rows);
  for (let unit = 0; unit < units; unit++) {
    if (across) {
      for (let h = 0; h < (sizeof<T>() == 4 ? 2 : 1); h++) {
        const pair = pairOf<T>(<usize>unit * VECTOR, h);
        const top = v128.mul<f64>(
          loadPair<T>(TOP + <usize>unit * VECTOR + <usize>(8 * h)),
          f64x2.splat(1 / unitOf<T>()),
        );
        addNarrow<T>(
          true,
          x + <usize>(8 * h),
          t ? t + <usize>(8 * h) : 0,
          weights,
          n,
          top,
          DISTANCE + pair,
          MASS + pair,
        );
      }
    } else {
      const top = splat<f64>(<f64>load<T>(TOP + <usize>unit * sizeof<T>()) / unitOf<T>());
      addNarrow<T>(false, x, t, weights, n, top, at(DISTANCE, unit), at(MASS, unit)); // as TOP
    }
    x += unitBytes;
    if (t) t += unitBytes;
  }
}

/** log1p(q), and for the gradient 1/S and 1 − p of the maximum: as many rows at a time as fit. */
function finishSums<T>(rows: i32, graded: bool): void {
  const one = f64x2.splat(1);
  const zero = f64x2.splat(0);
  const headroom = f64x2.splat(1 / headroomInverse<T>());
  for (let v: usize = 0, end = <usize>rows * sizeof<T>(); v < end; v += VECTOR) {
    const reduced = reducedTop<T>(v);
    for (let h = 0; h < (sizeof<T>() == 4 ? 2 : 1); h++) {
      const pair = pairOf<T>(v, h);
      v128.store(REST + pair, addLogRest<T>(zero, reduced, v, h, 0));
      if (!graded) continue;
      const others = h ? total<T>(v, 1) : total<T>(v, 0);
      const unit = v128.div<f64>(one, v128.add<f64>(others, v128.mul<f64>(v128.load(TERM + pair), headroom)));
      v128.store(UNIT + pair, unit);
      v128.store(OTHERS + pair, v128.mul<f64>(others, unit));
    }
  }
}

/**
 * Of two rows, ones where the factors are no normal numbers of the type: what the exponentials with their headroom are multiplied by, of
 * weights of 1e-20 (f32) or 1e-155 (f64) already, or what the coefficients are; or where these overflow in f32.
 */
// @ts-ignore: decorator
@inline
function areOdd<T>(slope: v128, mass: v128, rowScale: v128): v128 {
  const zero = f64x2.splat(0);
  const least: f64 = sizeof<T>() == 4 ? 1.1754943508222875e-38 : 2.2250738585072014e-308;
  const size = v128.abs<f64>(rowScale);
  const low = v128.or(
    v128.and(v128.ne<f64>(slope, zero), v128.lt<f64>(v128.abs<f64>(slope), f64x2.splat(least / headroomInverse<T>()))),
    v128.and(v128.ne<f64>(rowScale, zero), v128.lt<f64>(size, f64x2.splat(least))),
  );
  if (sizeof<T>() == 8) return low;
  const most = f64x2.splat(1.7e38);
  const whole = v128.abs<f64>(v128.mul<f64>(mass, rowScale));
  return v128.or(low, v128.not(v128.and(v128.lt<f64>(whole, most), v128.lt<f64>(size, most))));
}

/** The gradient of such a row, element by element in f64. */
function writeOdd<T>(y: usize, t: usize, r: i32): void {
  const slope = load<f64>(at(SLOPE, r));
  const rowScale = scale * sampleOf(r);
  for (let j = 0; j < n; j++) {
    const p = elementOf<T>(y, r, j);
    store<T>(p, <T>(<f64>load<T>(p) * headroomInverse<T>() * slope - rowScale * coefficientAt<T>(t, r, j)));
  }
}

/** Ones in both f64 lanes where the classes of rows r and r + 1 at `classes` are those in the first two of `others`. */
// @ts-ignore: decorator
@inline
function sameClass(classes: usize, r: i32, others: v128): v128 {
  return i64x2.extend_low_i32x4_s(i32x4.eq(v128.load64_zero(classes + <usize>r * sizeof<i32>()), others));
}

/** What rows r and r + 1 count. */
// @ts-ignore: decorator
@inline
function samplesOf(r: i32): v128 {
  return samples ? v128.load(at(samples, r)) : f64x2.splat(1);
}

/** What the label itself counts in rows r and r + 1. */
// @ts-ignore: decorator
@inline
function ownOf(r: i32): v128 {
  return v128.mul<f64>(v128.load(at(WEIGHT, r)), f64x2.splat(1 - smoothing));
}

/** The losses, and what the gradients are multiplied by: two rows at a time, of which the last may be none. */
function finishRows<T>(rows: i32, graded: bool): void {
  const zero = f64x2.splat(0);
  for (let r = 0; r < rows; r += 2) {
    const sample = samplesOf(r);
    const rest = v128.load(at(REST, r));
    const top = loadPair<T>(TOP + <usize>r * sizeof<T>());
    let none = v128.ne<f64>(v128.sub<f64>(top, top), zero); // a masked row, an infinite logit: no distribution
    let loss = zero,
      mass = zero,
      ignored = zero;
    if (spreadOut) {
      const distance = v128.load(at(DISTANCE, r));
      mass = v128.load(at(MASS, r));
      loss = v128.add<f64>(distance, v128.mul<f64>(mass, rest));
      none = v128.or(none, v128.ne<f64>(distance, distance));
    }
    if (labels) {
      const own = ownOf(r);
      loss = v128.add<f64>(loss, ownLoss(own, top, v128.load(at(LOGIT, r)), rest));
      mass = v128.add<f64>(mass, own);
      ignored = sameClass(labels, r, i32x4.splat(ignore));
    }
    loss = v128.andnot(weighed(v128.or(loss, none), sample), ignored);
    if (r + 1 < rows) v128.store(at(losses, r), loss);
    else store<f64>(at(losses, r), f64x2.extract_lane(loss, 0));
    if (!graded) continue;
    const rowScale = v128.mul<f64>(f64x2.splat(scale), sample);
    const unit = v128.mul<f64>(v128.load(at(UNIT, r)), f64x2.splat(1 / headroomInverse<T>()));
    const slope = v128.or(v128.mul<f64>(v128.mul<f64>(mass, rowScale), unit), none);
    const odd = areOdd<T>(slope, mass, rowScale);
    const factor = v128.mul<f64>(slope, f64x2.splat(headroomInverse<T>()));
    v128.store(at(MASS, r), mass);
    v128.store(at(SLOPE, r), slope);
    const state = <usize>r * sizeof<T>();
    storePair<T>(FACTOR + state, select(odd, f64x2.splat(1), factor));
    if (spreadOut) {
      storePair<T>(KEEPS + state, v128.mul<f64>(f64x2.splat(1 - smoothing), rowScale));
      storePair<T>(SHARES + state, v128.mul<f64>(f64x2.splat(share), rowScale));
    }
    if (sizeof<T>() == 8) v128.store(ODD + state, odd);
    else v128.store64_lane(ODD + state, i32x4.shuffle(odd, odd, 0, 2, 0, 2), 0);
  }
}

/** e^{x_y}; c of the maximum and of the label. */
function readTerms<T>(y: usize, t: usize, rows: i32): void {
  for (let r = 0; r < rows; r++) {
    const label = labelOf(r);
    if (isHere(label)) {
      store<f64>(at(LABEL_TERM, r), <f64>load<T>(elementOf<T>(y, r, label - from)) * headroomInverse<T>());
      if (spreadOut) store<f64>(at(LABEL_SHARE, r), coefficientAt<T>(t, r, label - from));
    }
    const top = load<i32>(TOP_CLASS + <usize>r * sizeof<i32>());
    if (spreadOut && isHere(top)) store<f64>(at(TOP_SHARE, r), coefficientAt<T>(t, r, top - from));
  }
}

/** The gradients of the maximum and of the label in rows r and r + 1, to where their c and e^{x_y} stood. */
// @ts-ignore: decorator
@inline
function slopesApart(r: i32): void {
  const rowScale = v128.mul<f64>(f64x2.splat(scale), samplesOf(r));
  const slope = v128.load(at(SLOPE, r));
  const mass = v128.load(at(MASS, r));
  const rest = v128.load(at(OTHERS, r));
  let c = spreadOut ? v128.load(at(TOP_SHARE, r)) : f64x2.splat(0);
  if (labels) {
    const own = ownOf(r);
    const all = spreadOut ? v128.add<f64>(own, v128.load(at(LABEL_SHARE, r))) : own;
    const plain = v128.mul<f64>(v128.load(at(LABEL_TERM, r)), slope);
    v128.store(at(LABEL_TERM, r), v128.sub<f64>(plain, v128.mul<f64>(rowScale, all)));
    c = v128.add<f64>(c, v128.and(own, sameClass(labels, r, v128.load64_zero(TOP_CLASS + <usize>r * sizeof<i32>()))));
  }
  // from 1 − p where that is the smaller
  const confident = v128.mul<f64>(rowScale, v128.sub<f64>(v128.sub<f64>(mass, c), v128.mul<f64>(mass, rest)));
  const other = v128.sub<f64>(v128.mul<f64>(v128.load(at(TERM, r)), slope), v128.mul<f64>(rowScale, c));
  const value = select(v128.lt<f64>(rest, f64x2.splat(0.5)), confident, other);
  v128.store(at(TOP_SHARE, r), v128.add<f64>(value, v128.sub<f64>(slope, slope)));
}

/** The gradients of rows whose exponentials stand at y. The maximum's and the label's are made apart. */
function writeRows<T>(y: usize, t: usize, rows: i32): void {
  readTerms<T>(y, t, rows);
  if (spreadOut) gradients<T>(y, t, unitsOf<T>(rows));
  else scales<T>(y, unitsOf<T>(rows));
  for (let r = 0; r < rows; r += 2) slopesApart(r);
  for (let r = 0; r < rows; r++) {
    const label = labelOf(r);
    if (labels && label == ignore) {
      for (let j = 0; j < n; j++) store<T>(elementOf<T>(y, r, j), 0);
      continue;
    }
    if (load<i32>(ODD + <usize>r * sizeof<T>())) writeOdd<T>(y, t, r);
    if (isHere(label)) store<T>(elementOf<T>(y, r, label - from), <T>load<f64>(at(LABEL_TERM, r)));
    // after the label, which it may be
    const top = load<i32>(TOP_CLASS + <usize>r * sizeof<i32>());
    if (isHere(top)) store<T>(elementOf<T>(y, r, top - from), <T>load<f64>(at(TOP_SHARE, r)));
  }
}

/** Some steps of a batch, all of them or those of a piece of one row. Targets stand at t as the logits do at x. */
function batch<T>(x: usize, y: usize, t: usize, rows: i32, steps: i32): void {
  const units = unitsOf<T>(rows);
  const graded = y != 0;
  if (graded && steps & BEGIN) memory.fill(TOP_CLASS, 0xff, <usize>rows * sizeof<i32>());
  if (steps & MAXIMUM) maxima<T>(x, 0, units, (steps & BEGIN) != 0);
  if (steps & AIM) aims<T>(rows);
  if (steps & SUM_UP) {
    if (labels) readLabels<T>(x, rows);
    if (spreadOut) {
      if (steps == ALL && n <= narrowest<T>()) addNarrowClasses<T>(x, t, rows);
      else addClasses<T>(x, t, rows, (steps & AIM) != 0);
    }
    setApart<T>(x, 0, units, n, (steps & AIM) != 0);
    for (let r = 0; graded && r < rows; r++) {
      const here = load<i32>(HERE + <usize>r * sizeof<T>());
      if (here < n) store<i32>(TOP_CLASS + <usize>r * sizeof<i32>(), from + here);
    }
  }
  // without the maximum a plain sum is good for 3.6 u of q, and so of the loss, however small that is
  exponentials<T>(x, y, 0, units, n, false, steps);
  if (steps & SUM_UP && x != y && x != TILES) putBack<T>(x, 0, rows, n);
  if (steps & FINISH) {
    finishSums<T>(rows, graded);
    finishRows<T>(rows, graded);
  }
  if (steps & WRITE && y) writeRows<T>(y, t, rows);
}

/**
 * Rows of n logits at x. `labels`: a class per row (i32), or 0 and `t`, a target per element. `w`: weights per class, or 0.
 * Writes a loss per row (nats, f64) to `losses`, and unless y is 0 its gradient times `scale` to y, which may be x. A label
 * of `ignore` makes loss and gradient 0. `s`: what each row's loss and gradient are multiplied by (f64), or 0.
 */
export function crossEntropyRows<T>(
  x: usize,
  y: usize,
  classesOfRows: usize,
  t: usize,
  w: usize,
  s: usize,
  lossesOfRows: usize,
  rows: i32,
  length: i32,
  classes: i32,
  ignored: i32,
  epsilon: f64,
  factor: f64,
  start: i32,
  steps: i32,
): void {
  temper<T>(1);
  labels = classesOfRows;
  weights = w;
  samples = s;
  losses = lossesOfRows;
  ignore = ignored;
  smoothing = epsilon;
  share = epsilon / <f64>classes;
  scale = factor;
  spreadOut = t != 0 || epsilon != 0;
  n = length;
  from = start;
  const row = <usize>n * sizeof<T>();
  for (let count = 0; rows > 0; rows -= count) {
    count = steps == ALL ? tiled<T>(rows, n) : 0;
    if (count) {
      placeAcross(n, VECTOR, tileBytes<T>());
      gather<T>(x, TILES, count, n);
      if (t) gather<T>(t, TARGET_TILES, count, n);
      batch<T>(TILES, y ? TILES : 0, t ? TARGET_TILES : 0, count, steps);
      if (y) scatter<T>(y, count, n);
    } else {
      count = min(rows, batchOf<T>(n));
      placeAlong<T>(n);
      batch<T>(x, y, t, count, steps);
    }
    x += <usize>count * row;
    if (y) y += <usize>count * row;
    if (t) t += <usize>count * row;
    if (labels) labels += <usize>count * sizeof<i32>();
    if (s) samples += <usize>count * sizeof<f64>();
    losses += <usize>count * sizeof<f64>();
  }
}
