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
const LABEL_TERM: usize = memory.data(512, 16); // e^{x_y}, without the headroom
const LABEL_SHARE: usize = memory.data(512, 16); // c of the label and of the maximum, of what all classes count
const TOP_SHARE: usize = memory.data(512, 16);
/** The class of the maximum, −1 until it is met. */
const TOP_CLASS: usize = memory.data(256, 16);
/** Whether two rows have finite losses, labels that count, and factors that are not odd: an i32 each two. */
const PLAIN: usize = memory.data(128, 16);

/** One number of the type for each row, as in batch.ts: c·scale is KEEPS·t + SHARES; ones where the gradient is made apart, see isOdd. */
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

/** The gradient at one vector of exponentials, y·F − scale·c: w are the weights there (`weighs`), t the target, or 0. */
// @ts-ignore: decorator
@inline
function gradient<T>(y: usize, t: usize, weighs: bool, w: v128, f: v128, keep: v128, share: v128, odd: v128): v128 {
  const z = v128.load(y);
  let c = t ? v128.add<T>(v128.mul<T>(v128.load(t), keep), share) : share;
  if (weighs) c = v128.mul<T>(c, w);
  return select(odd, z, v128.sub<T>(v128.mul<T>(z, f), c));
}

/** Those of units of rows whose exponentials stand at y, but of odd rows. */
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
      weight = weights,
      w = share;
    for (let v = 0; v < vectors; v++) {
      if (weight) {
        w = across ? broadcast<T>(weight) : v128.load(weight);
        weight += next;
      }
      const value = gradient<T>(p, target, weight != 0, w, f, keep, share, odd);
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

/** own·(a − x_y + log1p(q)), where a − x_y may overflow; nothing where the class has no weight, even at −∞. */
// @ts-ignore: decorator
@inline
function ownLoss(own: f64, top: f64, logit: f64, rest: f64): f64 {
  const behind = top - logit;
  if (behind != Infinity) return own * (behind + rest);
  // NaN of a row with a NaN in it, where the class may be at −∞
  return own == 0 ? own * rest : 2 * (own * (top / 2 - logit / 2)) + (rest - rest);
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
 * Whether a row's factors are no normal numbers of the type: what its exponentials with their headroom are multiplied by, of weights of
 * 1e-20 (f32) or 1e-155 (f64) already, or what its coefficients are; or whether these overflow in f32.
 */
function isOdd<T>(slope: f64, mass: f64, rowScale: f64): bool {
  if (sizeof<T>() == 4 && !(Math.abs(mass * rowScale) < 1.7e38 && Math.abs(rowScale) < 1.7e38)) return true;
  const least: f64 = sizeof<T>() == 4 ? 1.1754943508222875e-38 : 2.2250738585072014e-308;
  return (
    (slope != 0 && Math.abs(slope) < least / headroomInverse<T>()) || (rowScale != 0 && Math.abs(rowScale) < least)
  );
}

/** Two rows at a time: ones where neither factor is odd. */
// @ts-ignore: decorator
@inline
function areEven<T>(slope: v128, mass: v128, rowScale: v128): v128 {
  const least: f64 = sizeof<T>() == 4 ? 1.1754943508222875e-38 : 2.2250738585072014e-308;
  const size = v128.abs<f64>(rowScale);
  const normal = v128.and(
    v128.ge<f64>(v128.abs<f64>(slope), f64x2.splat(least / headroomInverse<T>())),
    v128.ge<f64>(size, f64x2.splat(least)),
  );
  if (sizeof<T>() == 8) return normal;
  const most = f64x2.splat(1.7e38);
  const whole = v128.abs<f64>(v128.mul<f64>(mass, rowScale));
  return v128.and(normal, v128.and(v128.lt<f64>(whole, most), v128.lt<f64>(size, most)));
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

/** The loss of a row, and what its gradient is multiplied by. */
function finishRow<T>(r: i32, graded: bool): void {
  const label = labelOf(r);
  const sample = sampleOf(r);
  if (labels && label == ignore) {
    store<f64>(at(losses, r), 0);
    return;
  }
  const top = <f64>load<T>(TOP + <usize>r * sizeof<T>());
  const rest = load<f64>(at(REST, r));
  let loss: f64 = 0;
  let mass: f64 = 0;
  let none = top - top != 0; // a masked row, an infinite logit: no distribution
  if (spreadOut) {
    const distance = load<f64>(at(DISTANCE, r));
    mass = load<f64>(at(MASS, r));
    loss = distance + mass * rest;
    none = none || distance != distance;
  }
  if (labels) {
    const own = load<f64>(at(WEIGHT, r)) * (1 - smoothing);
    loss += ownLoss(own, top, load<f64>(at(LOGIT, r)), rest);
    mass += own;
  }
  if (none) loss = NaN;
  store<f64>(at(losses, r), weighed(loss, sample));
  if (!graded) return;
  const rowScale = scale * sample;
  const slope = mass * rowScale * (load<f64>(at(UNIT, r)) / headroomInverse<T>()) + (none ? NaN : 0);
  const odd = isOdd<T>(slope, mass, rowScale);
  store<f64>(at(MASS, r), mass);
  store<f64>(at(SLOPE, r), slope);
  const state = <usize>r * sizeof<T>();
  if (sizeof<T>() == 4) store<i32>(ODD + state, odd ? -1 : 0);
  else store<i64>(ODD + state, odd ? -1 : 0);
  store<T>(FACTOR + state, <T>(odd ? 1 : slope * headroomInverse<T>()));
  store<T>(KEEPS + state, <T>((1 - smoothing) * rowScale));
  store<T>(SHARES + state, <T>(share * rowScale));
}

/** Writes a number each for two rows, of the type, from r on. */
// @ts-ignore: decorator
@inline
function storeStates<T>(state: usize, r: i32, values: v128): void {
  storePair<T>(state + <usize>r * sizeof<T>(), values);
}

/** The same of rows r and r + 1, which are in the ordinary: false, and nothing is written, where one is not. */
// @ts-ignore: decorator
@inline
function finishPair<T>(r: i32, graded: bool): bool {
  if (labels && v128.any_true(sameClass(labels, r, i32x4.splat(ignore)))) return false;
  const one = f64x2.splat(1);
  const rest = v128.load(at(REST, r));
  const sample = samples ? v128.load(at(samples, r)) : one;
  const top = loadPair<T>(TOP + <usize>r * sizeof<T>());
  let loss = f64x2.splat(0),
    mass = loss;
  if (spreadOut) {
    mass = v128.load(at(MASS, r));
    loss = v128.add<f64>(v128.load(at(DISTANCE, r)), v128.mul<f64>(mass, rest));
  }
  if (labels) {
    const own = v128.mul<f64>(v128.load(at(WEIGHT, r)), f64x2.splat(1 - smoothing));
    const behind = v128.sub<f64>(top, v128.load(at(LOGIT, r)));
    loss = v128.add<f64>(loss, v128.mul<f64>(own, v128.add<f64>(behind, rest)));
    mass = v128.add<f64>(mass, own);
  }
  loss = v128.mul<f64>(loss, sample);
  const none = v128.add<f64>(v128.sub<f64>(loss, loss), v128.sub<f64>(top, top));
  if (!v128.all_true<i64>(v128.eq<f64>(none, f64x2.splat(0)))) return false;
  if (graded) {
    const rowScale = v128.mul<f64>(f64x2.splat(scale), sample);
    const unit = v128.mul<f64>(v128.load(at(UNIT, r)), f64x2.splat(1 / headroomInverse<T>()));
    const slope = v128.mul<f64>(v128.mul<f64>(mass, rowScale), unit);
    if (!v128.all_true<i64>(areEven<T>(slope, mass, rowScale))) return false;
    v128.store(at(MASS, r), mass);
    v128.store(at(SLOPE, r), slope);
    storeStates<T>(ODD, r, f64x2.splat(0));
    storeStates<T>(FACTOR, r, v128.mul<f64>(slope, f64x2.splat(headroomInverse<T>())));
    if (spreadOut) {
      storeStates<T>(KEEPS, r, v128.mul<f64>(f64x2.splat(1 - smoothing), rowScale));
      storeStates<T>(SHARES, r, v128.mul<f64>(f64x2.splat(share), rowScale));
    }
  }
  v128.store(at(losses, r), loss);
  return true;
}

/** Ones in both f64 lanes where the classes of rows r and r + 1 at `classes` are those in the first two of `others`. */
// @ts-ignore: decorator
@inline
function sameClass(classes: usize, r: i32, others: v128): v128 {
  return i64x2.extend_low_i32x4_s(i32x4.eq(v128.load64_zero(classes + <usize>r * sizeof<i32>()), others));
}

/** The losses, and what the gradients are multiplied by. */
function finishRows<T>(rows: i32, graded: bool): void {
  for (let r = 0; r < rows; r += 2) {
    const plain = r + 1 < rows && finishPair<T>(r, graded);
    store<i32>(PLAIN + 2 * <usize>r, plain);
    if (plain) continue;
    finishRow<T>(r, graded);
    if (r + 1 < rows) finishRow<T>(r + 1, graded);
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

/** What a row's gradient is at the maximum and at the label, and where it is odd. */
function writeApart<T>(y: usize, t: usize, r: i32): void {
  const label = labelOf(r);
  if (labels && label == ignore) {
    for (let j = 0; j < n; j++) store<T>(elementOf<T>(y, r, j), 0);
    return;
  }
  const rowScale = scale * sampleOf(r);
  const slope = load<f64>(at(SLOPE, r));
  if (load<i32>(ODD + <usize>r * sizeof<T>())) writeOdd<T>(y, t, r);
  const own = labels ? load<f64>(at(WEIGHT, r)) * (1 - smoothing) : 0;
  const top = load<i32>(TOP_CLASS + <usize>r * sizeof<i32>());
  if (isHere(top)) {
    const mass = load<f64>(at(MASS, r));
    const rest = load<f64>(at(OTHERS, r));
    const c = (spreadOut ? load<f64>(at(TOP_SHARE, r)) : 0) + (top == label ? own : 0);
    // from 1 − p where that is the smaller
    const slopeOfTop = rest < 0.5 ? rowScale * (mass - c - mass * rest) : load<f64>(at(TERM, r)) * slope - rowScale * c;
    store<T>(elementOf<T>(y, r, top - from), <T>(slopeOfTop + (slope - slope)));
  }
  if (isHere(label) && label != top) {
    const c = own + (spreadOut ? load<f64>(at(LABEL_SHARE, r)) : 0);
    store<T>(elementOf<T>(y, r, label - from), <T>(load<f64>(at(LABEL_TERM, r)) * slope - rowScale * c));
  }
}

/** The same of two whole rows that are in the ordinary. */
// @ts-ignore: decorator
@inline
function writePairApart<T>(y: usize, r: i32): void {
  const zero = f64x2.splat(0);
  const rowScale = v128.mul<f64>(f64x2.splat(scale), samples ? v128.load(at(samples, r)) : f64x2.splat(1));
  const slope = v128.load(at(SLOPE, r));
  const mass = v128.load(at(MASS, r));
  const rest = v128.load(at(OTHERS, r));
  let c = spreadOut ? v128.load(at(TOP_SHARE, r)) : zero;
  if (labels) {
    const own = v128.mul<f64>(v128.load(at(WEIGHT, r)), f64x2.splat(1 - smoothing));
    const whole = spreadOut ? v128.add<f64>(own, v128.load(at(LABEL_SHARE, r))) : own;
    const slopes = v128.sub<f64>(v128.mul<f64>(v128.load(at(LABEL_TERM, r)), slope), v128.mul<f64>(rowScale, whole));
    storeApart<T>(y, r, labels, slopes);
    c = v128.add<f64>(c, v128.and(own, sameClass(labels, r, v128.load64_zero(TOP_CLASS + <usize>r * sizeof<i32>()))));
  }
  const confident = v128.mul<f64>(rowScale, v128.sub<f64>(v128.sub<f64>(mass, c), v128.mul<f64>(mass, rest)));
  const other = v128.sub<f64>(v128.mul<f64>(v128.load(at(TERM, r)), slope), v128.mul<f64>(rowScale, c));
  storeApart<T>(y, r, TOP_CLASS, select(v128.lt<f64>(rest, f64x2.splat(0.5)), confident, other));
}

/** Writes one number each to rows r and r + 1, at their classes. */
// @ts-ignore: decorator
@inline
function storeApart<T>(y: usize, r: i32, classes: usize, values: v128): void {
  const at = classes + <usize>r * sizeof<i32>();
  store<T>(elementOf<T>(y, r, load<i32>(at)), <T>f64x2.extract_lane(values, 0));
  store<T>(elementOf<T>(y, r + 1, load<i32>(at, 4)), <T>f64x2.extract_lane(values, 1));
}

/** The gradients of rows whose exponentials stand at y. The maximum's and the label's are made apart. */
function writeRows<T>(y: usize, t: usize, rows: i32): void {
  readTerms<T>(y, t, rows);
  if (spreadOut) gradients<T>(y, t, unitsOf<T>(rows));
  else scales<T>(y, unitsOf<T>(rows));
  for (let r = 0; r < rows; r += 2) {
    if (load<i32>(PLAIN + 2 * <usize>r)) writePairApart<T>(y, r);
    else {
      writeApart<T>(y, t, r);
      if (r + 1 < rows) writeApart<T>(y, t, r + 1);
    }
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
