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
import { GROUP, splat, VECTOR } from "../lanes";
import { aims, headroomInverse, temper } from "../rows/exponential";
import { gather, scatter, tileBytes, tiled, TILES } from "../rows/narrow";
import { addLogRest, exponentials, HERE, maxima, pairOf, putBack, scales, setApart, TERM, total } from "../rows/passes";
import { AIM, ALL, BEGIN, FINISH, MAXIMUM, SUM_UP, WRITE } from "../rows/steps";
import { batchOf, elementOf, FACTOR, placeAcross, placeAlong, TOP, unitsOf } from "../rows/batch";
import { loadTailGroup, TAIL, tailLength, wholeGroups } from "../rows/strip";
import {
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

/** What the steps of a batch leave for the next, an f64 for each row. */
const LOGIT: usize = memory.data(512, 16); // x_y
const WEIGHT: usize = memory.data(512, 16); // w_y
const DISTANCE: usize = memory.data(512, 16); // Σ c_j·(a − x_j) over all classes, NaN where a target is negative
const MASS: usize = memory.data(512, 16); // C
const REST: usize = memory.data(512, 16); // log1p(q)
const UNIT: usize = memory.data(512, 16); // 1/S, over the headroom of the exponentials
const OTHERS: usize = memory.data(512, 16); // 1 − p of the maximum
const SLOPE: usize = memory.data(512, 16); // C·scale/S, of exponentials without their headroom
const ODD: usize = memory.data(256, 16); // whether the gradient is made element by element, see isOdd
const LABEL_TERM: usize = memory.data(512, 16); // e^{x_y}, without the headroom
/** The class of the maximum, −1 until it is met. */
const TOP_CLASS: usize = memory.data(256, 16);

/** The arguments of a call; pointers are to the first row of a batch. */
let labels: usize = 0;
let targets: usize = 0;
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

/** c of one vector: from the target t (none: a hard label's share, ε/n) and the weights w (none: 1). */
// @ts-ignore: decorator
@inline
function coefficient<T>(t: usize, w: usize, keep: v128, share: v128): v128 {
  const c = t ? v128.add<T>(v128.mul<T>(v128.load(t), keep), share) : share;
  return w ? v128.mul<T>(c, v128.load(w)) : c;
}

/** The gradient of a strip whose exponentials stand at y: y·F − scale·c. */
function gradientStrip<T>(y: usize, t: usize, w: usize, count: i32, f: v128, keep: v128, share: v128): void {
  for (let vectors = 4 * count; vectors > 0; vectors--) {
    v128.store(y, v128.sub<T>(v128.mul<T>(v128.load(y), f), coefficient<T>(t, w, keep, share)));
    if (t) t += VECTOR;
    if (w) w += VECTOR;
    y += VECTOR;
  }
}

/** Adds what the classes of a row or a piece of one count, a − x_j in units of `unitOf`. */
function addRow<T>(x: usize, a: f64, t: usize, w: usize): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  const body = <usize>groups * GROUP;
  addTerms<T>(true, x, a, t, w, groups);
  if (tail) {
    loadTails<T>(t ? t + body : 0, w ? w + body : 0, tail);
    loadTailGroup<T>(x + body, tail, 0);
    addTerms<T>(true, TAIL, a, t ? TARGET_TAIL : 0, WEIGHTS_TAIL, 1);
  }
}

/** The gradient of a row or a piece of one. */
function writeGradient<T>(y: usize, t: usize, w: usize, f: v128, keep: v128, share: v128): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  const body = <usize>groups * GROUP;
  gradientStrip<T>(y, t, w, groups, f, keep, share);
  if (tail) {
    loadTails<T>(t ? t + body : 0, w ? w + body : 0, tail);
    loadTailGroup<T>(y + body, tail, 0);
    gradientStrip<T>(TAIL, t ? TARGET_TAIL : 0, WEIGHTS_TAIL, 1, f, keep, share);
    memory.copy(y + body, TAIL, <usize>tail * sizeof<T>());
  }
}

/** c of one element, for the two that are written apart. */
// @ts-ignore: decorator
@inline
function coefficientAt<T>(j: i32, t: usize, w: usize, smoothing: f64, share: f64): f64 {
  const at = <usize>j * sizeof<T>();
  const c = t ? <f64>load<T>(t + at) * (1 - smoothing) + share : share;
  return w ? c * <f64>load<T>(w + at) : c;
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

/** x_y and w_y; what all classes count. */
function readClasses<T>(x: usize, rows: i32, begins: bool): void {
  const row = <usize>n * sizeof<T>();
  for (let r = 0; r < rows; r++) {
    const label = labelOf(r);
    if (labels && isHere(label)) {
      store<f64>(at(LOGIT, r), <f64>load<T>(elementOf<T>(x, r, label - from)));
      store<f64>(at(WEIGHT, r), weights ? <f64>load<T>(weights + <usize>(label - from) * sizeof<T>()) : 1);
    }
    if (!spreadOut) continue;
    if (begins) {
      clearTargets();
      setShares(1, 1 - smoothing, share);
    }
    addRow<T>(
      x + <usize>r * row,
      <f64>load<T>(TOP + <usize>r * sizeof<T>()) / unitOf<T>(),
      targets ? targets + <usize>r * row : 0,
      weights,
    );
    store<f64>(at(DISTANCE, r), isNegative() ? NaN : distanceOfRow() * unitOf<T>());
    store<f64>(at(MASS, r), massOfRow());
  }
}

/** log1p(q), and for the gradient 1/S and 1 − p of the maximum: as many rows at a time as fit. */
function finishSums<T>(rows: i32, graded: bool): void {
  const one = f64x2.splat(1);
  const zero = f64x2.splat(0);
  const headroom = f64x2.splat(1 / headroomInverse<T>());
  for (let v: usize = 0, end = <usize>rows * sizeof<T>(); v < end; v += VECTOR) {
    for (let h = 0; h < (sizeof<T>() == 4 ? 2 : 1); h++) {
      const pair = pairOf<T>(v, h);
      v128.store(REST + pair, addLogRest<T>(zero, v, h, 0));
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

/** The gradient of such a row, element by element in f64. */
function writeOdd<T>(y: usize, r: i32): void {
  const slope = load<f64>(at(SLOPE, r));
  const rowScale = scale * sampleOf(r);
  const t = targets ? targets + <usize>(r * n) * sizeof<T>() : 0;
  for (let j = 0; j < n; j++) {
    const p = elementOf<T>(y, r, j);
    const c = spreadOut ? coefficientAt<T>(j, t, weights, smoothing, share) : 0;
    store<T>(p, <T>(<f64>load<T>(p) * headroomInverse<T>() * slope - rowScale * c));
  }
}

/** The losses, and what the gradient is multiplied by. */
function finishRows<T>(rows: i32, graded: bool): void {
  for (let r = 0; r < rows; r++) {
    const label = labelOf(r);
    const sample = sampleOf(r);
    if (labels && label == ignore) {
      store<f64>(at(losses, r), 0);
      continue;
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
    if (!graded) continue;
    const rowScale = scale * sample;
    const slope = mass * rowScale * (load<f64>(at(UNIT, r)) / headroomInverse<T>()) + (none ? NaN : 0);
    const odd = isOdd<T>(slope, mass, rowScale);
    store<f64>(at(MASS, r), mass);
    store<f64>(at(SLOPE, r), slope);
    store<i32>(ODD + <usize>r * sizeof<i32>(), odd);
    store<T>(FACTOR + <usize>r * sizeof<T>(), <T>(odd ? 1 : slope * headroomInverse<T>()));
  }
}

/** The gradients of rows whose exponentials stand at y. The maximum's and the label's are made apart. */
function writeRows<T>(y: usize, rows: i32): void {
  for (let r = 0; r < rows; r++) {
    const label = labelOf(r);
    if (isHere(label))
      store<f64>(at(LABEL_TERM, r), <f64>load<T>(elementOf<T>(y, r, label - from)) * headroomInverse<T>());
  }
  if (spreadOut) {
    const row = <usize>n * sizeof<T>();
    for (let r = 0; r < rows; r++) {
      if (load<i32>(ODD + <usize>r * sizeof<i32>())) continue;
      const rowScale = scale * sampleOf(r);
      const f = splat<T>(load<T>(FACTOR + <usize>r * sizeof<T>()));
      const t = targets ? targets + <usize>r * row : 0;
      writeGradient<T>(
        y + <usize>r * row,
        t,
        weights,
        f,
        splat<T>(<T>((1 - smoothing) * rowScale)),
        splat<T>(<T>(share * rowScale)),
      );
    }
  } else scales<T>(y, unitsOf<T>(rows));
  for (let r = 0; r < rows; r++) {
    const label = labelOf(r);
    if (labels && label == ignore) {
      for (let j = 0; j < n; j++) store<T>(elementOf<T>(y, r, j), 0);
      continue;
    }
    const t = targets ? targets + <usize>(r * n) * sizeof<T>() : 0;
    const rowScale = scale * sampleOf(r);
    const slope = load<f64>(at(SLOPE, r));
    if (load<i32>(ODD + <usize>r * sizeof<i32>())) writeOdd<T>(y, r);
    const own = labels ? load<f64>(at(WEIGHT, r)) * (1 - smoothing) : 0;
    const top = load<i32>(TOP_CLASS + <usize>r * sizeof<i32>());
    if (top >= 0 && isHere(top)) {
      const mass = load<f64>(at(MASS, r));
      const rest = load<f64>(at(OTHERS, r));
      const c = (spreadOut ? coefficientAt<T>(top - from, t, weights, smoothing, share) : 0) + (top == label ? own : 0);
      // from 1 − p where that is the smaller
      const slopeOfTop =
        rest < 0.5 ? rowScale * (mass - c - mass * rest) : load<f64>(at(TERM, r)) * slope - rowScale * c;
      store<T>(elementOf<T>(y, r, top - from), <T>(slopeOfTop + (slope - slope)));
    }
    if (isHere(label) && label != top) {
      const c = own + (spreadOut ? coefficientAt<T>(label - from, t, weights, smoothing, share) : 0);
      store<T>(elementOf<T>(y, r, label - from), <T>(load<f64>(at(LABEL_TERM, r)) * slope - rowScale * c));
    }
  }
}

/** Some steps of a batch, all of them or those of a piece of one row. */
function batch<T>(x: usize, y: usize, rows: i32, steps: i32): void {
  const units = unitsOf<T>(rows);
  const graded = y != 0;
  if (graded && steps & BEGIN) memory.fill(TOP_CLASS, 0xff, <usize>rows * sizeof<i32>());
  if (steps & MAXIMUM) maxima<T>(x, 0, units, (steps & BEGIN) != 0);
  if (steps & AIM) aims<T>(rows);
  if (steps & SUM_UP) {
    readClasses<T>(x, rows, (steps & AIM) != 0);
    setApart<T>(x, 0, units, n, (steps & AIM) != 0);
    for (let r = 0; graded && r < rows; r++) {
      const here = load<i32>(HERE + <usize>r * sizeof<T>());
      if (here < n) store<i32>(TOP_CLASS + <usize>r * sizeof<i32>(), from + here);
    }
  }
  // without the maximum a plain sum is good for 3.6 u of q, and so of the loss, however small that is
  exponentials<T>(x, y, 0, units, n, false, steps);
  if (steps & SUM_UP && x != y) putBack<T>(x, 0, rows, n);
  if (steps & FINISH) {
    finishSums<T>(rows, graded);
    finishRows<T>(rows, graded);
  }
  if (steps & WRITE && y) writeRows<T>(y, rows);
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
  targets = t;
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
    count = steps == ALL && !spreadOut ? tiled<T>(rows, n) : 0;
    if (count) {
      placeAcross(n, VECTOR, tileBytes<T>());
      gather<T>(x, count, n);
      batch<T>(TILES, y ? TILES : 0, count, steps);
      if (y) scatter<T>(y, count, n);
    } else {
      count = min(rows, batchOf<T>(n));
      placeAlong<T>(n);
      batch<T>(x, y, count, steps);
    }
    x += <usize>count * row;
    if (y) y += <usize>count * row;
    if (t) targets += <usize>count * row;
    if (labels) labels += <usize>count * sizeof<i32>();
    if (s) samples += <usize>count * sizeof<f64>();
    losses += <usize>count * sizeof<f64>();
  }
}
