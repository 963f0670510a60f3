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
import { GROUP, half, splat, VECTOR } from "../lanes";
import { expm1Reduced } from "../math/exp";
import { headroomInverse, reducedTop, temper } from "../rows/exponential";
import { addLogRest, aimRow, begin, collapseSum, findTop, maximumOfRow, sumRow, total, UNWANTED } from "../rows/passes";
import { AIM, BEGIN, FINISH, MAXIMUM, SUM_UP, WRITE } from "../rows/steps";
import { loadTailGroup, TAIL, tailLength, TOP, wholeGroups } from "../rows/strip";
import { addTerms, clearTargets, distanceOfRow, isNegative, loadTails, massOfRow, setShares, TARGET_TAIL, unitOf, weighed, WEIGHTS_TAIL } from "./targets";

/** What a row's steps leave for the next: x_y; where the maximum stands; C; C·scale/S and 1 − p of the maximum. */
let labelLogit: f64 = 0;
let labelWeight: f64 = 1;
let topIndex: i32 = -1;
let mass: f64 = 0;
let factor: f64 = 0;
let topTerm: f64 = 0;
let restOfTop: f64 = 0;

/** c of one vector: from the target t (none: a hard label's share, ε/n) and the weights w (none: 1). */
// @ts-ignore: decorator
@inline
function coefficient<T>(t: usize, w: usize, keep: v128, share: v128): v128 {
  const c = t ? v128.add<T>(v128.mul<T>(v128.load(t), keep), share) : share;
  return w ? v128.mul<T>(c, v128.load(w)) : c;
}

/** Adds what the classes of a strip count. */
function termStrip<T>(x: usize, t: usize, w: usize, count: i32): void {
  addTerms<T>(true, x, <f64>load<T>(TOP) / unitOf<T>(), t, w, count);
}

/** The gradient of a strip whose exponentials stand at y: y·F − scale·c. */
function gradientStrip<T>(y: usize, t: usize, w: usize, count: i32, f: v128, keep: v128, share: v128, plain: bool): void {
  for (let vectors = 4 * count; vectors > 0; vectors--) {
    const p = v128.mul<T>(v128.load(y), f);
    if (plain) v128.store(y, p);
    else {
      v128.store(y, v128.sub<T>(p, coefficient<T>(t, w, keep, share)));
      if (t) t += VECTOR;
      if (w) w += VECTOR;
    }
    y += VECTOR;
  }
}

/** What the classes of a row or a piece of one count. */
function addRow<T>(x: usize, t: usize, w: usize, n: i32): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  const body = <usize>groups * GROUP;
  termStrip<T>(x, t, w, groups);
  if (tail) {
    loadTails<T>(t ? t + body : 0, w ? w + body : 0, tail);
    loadTailGroup<T>(x + body, tail, 0);
    termStrip<T>(TAIL, t ? TARGET_TAIL : 0, WEIGHTS_TAIL, 1);
  }
}

/** The gradient of a row or a piece of one; `plain` where c is 0 but for the label. */
function writeGradient<T>(y: usize, t: usize, w: usize, n: i32, keep: v128, share: v128, plain: bool): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  const body = <usize>groups * GROUP;
  const f = splat<T>(<T>factor);
  gradientStrip<T>(y, t, w, groups, f, keep, share, plain);
  if (tail) {
    if (!plain) loadTails<T>(t ? t + body : 0, w ? w + body : 0, tail);
    loadTailGroup<T>(y + body, tail, 0);
    gradientStrip<T>(TAIL, t ? TARGET_TAIL : 0, WEIGHTS_TAIL, 1, f, keep, share, plain);
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
  return own == 0 ? own * rest : 2 * (own * (top / 2 - logit / 2));
}

/**
 * Rows of n logits at x. `labels`: a class per row (i32), or 0 and `t`, a target per element. `w`: weights per class, or 0.
 * Writes a loss per row (nats, f64) to `losses`, and unless y is 0 its gradient times `scale` to y, which may be x. A label
 * of `ignore` makes loss and gradient 0. `s`: what each row's loss and gradient are multiplied by (f64), or 0.
 */
export function crossEntropyRows<T>(
  x: usize,
  y: usize,
  labels: usize,
  t: usize,
  w: usize,
  s: usize,
  losses: usize,
  rows: i32,
  n: i32,
  classes: i32,
  ignore: i32,
  smoothing: f64,
  scale: f64,
  from: i32,
  steps: i32,
): void {
  temper<T>(1);
  const share = smoothing / <f64>classes;
  const row = <usize>n * sizeof<T>();
  const spreadOut = t != 0 || smoothing != 0;
  for (; rows > 0; rows--) {
    const label = labels ? load<i32>(labels) : -1;
    const sample = s ? load<f64>(s) : 1;
    const rowScale = scale * sample;
    if (labels && label == ignore) {
      if (steps & FINISH) store<f64>(losses, 0);
      if (steps & WRITE && y) memory.fill(y, 0, row);
    } else {
      const here = label - from;
      const labelHere = labels != 0 && label >= from && here < n;
      if (steps & BEGIN) {
        begin<T>(false);
        if (spreadOut) {
          clearTargets();
          setShares(1, 1 - smoothing, share);
        }
        topIndex = -1;
      }
      if (steps & MAXIMUM) maximumOfRow<T>(x, n);
      if (steps & AIM) aimRow<T>();
      if (steps & SUM_UP) {
        if (labelHere) {
          labelLogit = <f64>load<T>(x + <usize>here * sizeof<T>());
          labelWeight = w ? <f64>load<T>(w + <usize>here * sizeof<T>()) : 1;
        }
        if (spreadOut) addRow<T>(x, t, w, n);
        const at = findTop<T>(x, n);
        if (at) {
          topIndex = from + <i32>((at - x) / sizeof<T>());
          store<T>(at, <T>-Infinity);
        }
        // without the maximum a plain sum is good for 3.6 u of q, and so of the loss, however small that is
        sumRow<T>(x, y ? y : UNWANTED, y ? GROUP : 0, n);
        if (at && x != y) store<T>(at, load<T>(TOP));
      }
      if (steps & FINISH) {
        collapseSum<T>();
        const zero = f64x2.splat(0);
        const rest = f64x2.extract_lane(addLogRest<T>(zero, 0, 0, 0), 0);
        const top = <f64>load<T>(TOP);
        let loss: f64 = 0;
        let none = top - top != 0; // a masked row, an infinite logit: no distribution
        mass = 0;
        if (spreadOut) {
          mass = massOfRow();
          loss = distanceOfRow() * unitOf<T>() + mass * rest;
          none = none || isNegative();
        }
        if (labels) {
          const own = labelWeight * (1 - smoothing);
          loss += ownLoss(own, top, labelLogit, rest);
          mass += own;
        }
        if (none) loss = NaN;
        store<f64>(losses, weighed(loss, sample));
        // e of the maximum as the strip would have left it, and all in its units
        topTerm = (1 + f64x2.extract_lane(expm1Reduced<f64>(half<T>(reducedTop<T>(0), 0)), 0)) / headroomInverse<T>();
        const others = f64x2.extract_lane(total<T>(0, 0), 0);
        restOfTop = others / (others + topTerm);
        factor = (mass * rowScale) / (others + topTerm) + (none ? NaN : 0);
      }
      if (steps & WRITE && y) {
        const top = topIndex - from;
        const topHere = top >= 0 && top < n;
        if (topHere) store<T>(y + <usize>top * sizeof<T>(), <T>topTerm);
        const labelTerm = labelHere ? <f64>load<T>(y + <usize>here * sizeof<T>()) : 0;
        writeGradient<T>(y, t, w, n, splat<T>(<T>((1 - smoothing) * rowScale)), splat<T>(<T>(share * rowScale)), !spreadOut);
        if (topHere) {
          let c = spreadOut ? coefficientAt<T>(top, t, w, smoothing, share) : 0;
          if (labels && topIndex == label) c += labelWeight * (1 - smoothing);
          // from 1 − p where that is the smaller
          const own = restOfTop < 0.5 ? rowScale * (mass - c - mass * restOfTop) : topTerm * factor - rowScale * c;
          store<T>(y + <usize>top * sizeof<T>(), <T>(own + (factor - factor)));
        }
        if (labelHere && label != topIndex) {
          const c = labelWeight * (1 - smoothing) + (spreadOut ? coefficientAt<T>(here, t, w, smoothing, share) : 0);
          store<T>(y + <usize>here * sizeof<T>(), <T>(labelTerm * factor - rowScale * c));
        }
      }
    }
    x += row;
    if (y) y += row;
    if (t) t += row;
    if (labels) labels += sizeof<i32>();
    if (s) s += sizeof<f64>();
    if (steps & FINISH) losses += sizeof<f64>();
  }
}
