/**
 * Cross-entropy of rows of probabilities against a class or a distribution, and its gradient with respect to them as given.
 *
 *     c_j  = w_j·((1 − ε)·t_j + ε/n)           t the target (1 at the class y), w the weights, ε the smoothing
 *     loss = −Σ c_j·log q_j                    probabilities as they are; −Σ c_j·x_j of log-probabilities
 *
 * Counts are divided by their sum S, and t by its own, T:
 *
 *     loss = Σ c_j·(log S − log q_j) = Σ c_j·log(a/q_j) + C·log1p(R)        a = max q, S = a·(1 + R), C = Σ c_j
 *     ∂loss/∂q_j = C/S − c_j/q_j
 *
 * R is the sum of what is below the maximum, over a, and one for each further element as large. No term is negative, so that a loss
 * of 1e-8 keeps its digits; so does the gradient of the maximum, (C − c − C·R/(1 + R))/a, in a confident row.
 *
 * c_j = 0 contributes 0 at q_j = 0 too. A row is NaN if there is a NaN in it, a negative probability or a negative target, or of
 * counts no positive or an infinite one. Logarithms are taken in the type; the rest is f64 for either. Worst of 300 fixtures, whose
 * losses go down to 1e-300: 1.6 u (f32), 3.4 u (f64). Steps as in softmax.ts, `from` as in crossEntropy.ts.
 */
import { COUNTS, LOGARITHMS, PROBABILITIES } from "./codes";
import { GROUP, groupLength, loadPair, madd, select, splat, storePair, sumError, VECTOR } from "../lanes";
import { logRatio, smallest } from "../math/gap";
import { addLog } from "../math/log";
import { surprisal } from "../rows/elementwise";
import { maxima as maximaOf } from "../rows/passes";
import { AIM, BEGIN, FINISH, MAXIMUM, SUM_UP, WRITE } from "../rows/steps";
import { placeAlong, TOP } from "../rows/batch";
import { loadTailGroup, spread, TAIL, tailLength, wholeGroups } from "../rows/strip";
import { addTo, clearSum, totalOf } from "../sum";
import {
  addTerms,
  clearTargets,
  distanceOfRow,
  isNegative,
  keep,
  LEAST,
  lift,
  loadTails,
  massOfRow,
  setShares,
  share,
  TARGET_TAIL,
  weighed,
  WEIGHTS_TAIL,
} from "./targets";

/** Sums of f64: R·a·u; Σ t_j, and 2⁻³² of it, for the other may overflow. */
const REST: usize = memory.data(32, 16);
const TARGETS: usize = memory.data(32, 16);
const TARGETS_SMALL: usize = memory.data(32, 16);
const SMALL: f64 = 2.3283064365386963e-10; // 2^-32

/** Ones where a q is NaN that is in no sum. */
const UNKNOWN: usize = memory.data(16, 16);

/**
 * Counts are taken u times: 2^-32 where their sum may overflow, 2^RAISED where the largest may be subnormal, and else 1; and
 * u·2^RAISED times where q·u is subnormal.
 */
let unit: f64 = 1;
const UNIT: usize = memory.data(16, 16);
const UNIT_RAISED: usize = memory.data(16, 16);

/** A block of distances. */
const BLOCK_GROUPS = 16;
const DISTANCES: usize = memory.data(1024, 16);

/** How often the maximum stands in the row. */
let maxima: i64 = 0;

/** What a row's steps leave for the next: q_y, w_y, a; and for the gradient C·scale, R/(1 + R), C·scale/S. */
let labelValue: f64 = 0;
let labelWeight: f64 = 1;
let largest: f64 = 0;
let mass: f64 = 0;
let restOfTop: f64 = 0;
let slope: f64 = 0;

// @ts-ignore: decorator
@inline
function RAISED<T>(): f64 {
  return sizeof<T>() == 4 ? 64 : 128;
}

/** log(a/q) of a group to y. A q·u that is no normal number, or 0, is looked at apart. */
// @ts-ignore: decorator
@inline
function groupOfRatios<T>(x: usize, y: usize, top: v128, unit: v128): void {
  const zero = splat<T>(0);
  const p0 = v128.mul<T>(v128.load(x), unit),
    p1 = v128.mul<T>(v128.load(x, 16), unit);
  const p2 = v128.mul<T>(v128.load(x, 32), unit),
    p3 = v128.mul<T>(v128.load(x, 48), unit);
  const least = v128.pmin<T>(v128.pmin<T>(p0, p1), v128.pmin<T>(p2, p3));
  v128.store(y, logRatio<T>(p0, top, zero, true));
  v128.store(y, logRatio<T>(p1, top, zero, true), 16);
  v128.store(y, logRatio<T>(p2, top, zero, true), 32);
  v128.store(y, logRatio<T>(p3, top, zero, true), 48);
  if (v128.any_true(v128.lt<T>(least, smallest<T>()))) lowRatios<T>(x, y, top, unit);
}

/** The same where it is so. */
function lowRatios<T>(x: usize, y: usize, top: v128, unit: v128): void {
  const zero = splat<T>(0);
  for (const end = x + GROUP; x < end; x += VECTOR, y += VECTOR) {
    const q = v128.load(x);
    const low = v128.lt<T>(v128.mul<T>(q, unit), smallest<T>());
    const raised = logRatio<T>(v128.mul<T>(q, v128.load(UNIT_RAISED)), top, zero, true);
    const d = v128.add<T>(raised, splat<T>(<T>(RAISED<T>() * 0.6931471805599453)));
    v128.store(y, select(low, select(v128.eq<T>(q, zero), splat<T>(<T>Infinity), d), v128.load(y)));
  }
}

/** log(a/q), or −log q, or −x, of up to a block of groups, to DISTANCES. */
function measure<T>(kind: i32, x: usize, groups: i32): void {
  if (kind == PROBABILITIES) return surprisal<T>(x, DISTANCES, groups * groupLength<T>(), 1);
  const unit = v128.load(UNIT);
  const top = v128.mul<T>(splat<T>(load<T>(TOP)), unit);
  for (let y = DISTANCES; groups > 0; groups--, x += GROUP, y += GROUP) {
    if (kind == COUNTS) groupOfRatios<T>(x, y, top, unit);
    else for (let v: usize = 0; v < GROUP; v += VECTOR) v128.store(y + v, v128.sub<T>(splat<T>(0), v128.load(x + v)));
  }
}

/** Adds Σ t of a strip, eight elements at a time. */
function targetStrip<T>(t: usize, count: i32): void {
  const scaled = f64x2.splat(SMALL);
  const pair = 2 * sizeof<T>();
  for (const end = t + <usize>count * GROUP; t < end; t += 4 * pair) {
    const t0 = loadPair<T>(t),
      t1 = loadPair<T>(t + pair),
      t2 = loadPair<T>(t + 2 * pair),
      t3 = loadPair<T>(t + 3 * pair);
    addTo<f64>(TARGETS, v128.add<f64>(v128.add<f64>(t0, t1), v128.add<f64>(t2, t3)));
    if (sizeof<T>() == 8) {
      const low = v128.add<f64>(v128.mul<f64>(t0, scaled), v128.mul<f64>(t1, scaled));
      const high = v128.add<f64>(v128.mul<f64>(t2, scaled), v128.mul<f64>(t3, scaled));
      addTo<f64>(TARGETS_SMALL, v128.add<f64>(low, high));
    }
  }
}

/** q·u, and 0 where q is the maximum. */
// @ts-ignore: decorator
@inline
function below(q: v128, isTop: v128, u: v128): v128 {
  return v128.andnot(v128.mul<f64>(q, u), isTop);
}

/** Looks for what is wrong in a strip, eight elements at a time; of counts, adds those below the maximum and numbers the others. */
function restStrip<T>(kind: i32, x: usize, count: i32): void {
  const top = f64x2.splat(largest);
  const u = f64x2.splat(unit);
  const pair = 2 * sizeof<T>();
  let least = v128.load(LEAST);
  let unknown = v128.load(UNKNOWN);
  let tops = i64x2.splat(0);
  for (const end = x + <usize>count * GROUP; x < end; x += 4 * pair) {
    const q0 = loadPair<T>(x),
      q1 = loadPair<T>(x + pair),
      q2 = loadPair<T>(x + 2 * pair),
      q3 = loadPair<T>(x + 3 * pair);
    if (kind != LOGARITHMS)
      least = v128.pmin<f64>(least, v128.pmin<f64>(v128.pmin<f64>(q0, q1), v128.pmin<f64>(q2, q3)));
    if (kind != COUNTS) {
      const some = v128.or(v128.ne<f64>(q0, q0), v128.ne<f64>(q1, q1));
      unknown = v128.or(unknown, v128.or(some, v128.or(v128.ne<f64>(q2, q2), v128.ne<f64>(q3, q3))));
    } else {
      const t0 = v128.eq<f64>(q0, top),
        t1 = v128.eq<f64>(q1, top),
        t2 = v128.eq<f64>(q2, top),
        t3 = v128.eq<f64>(q3, top);
      const low = v128.add<f64>(below(q0, t0, u), below(q1, t1, u));
      const high = v128.add<f64>(below(q2, t2, u), below(q3, t3, u));
      addTo<f64>(REST, v128.add<f64>(low, high));
      tops = i64x2.add(tops, i64x2.add(i64x2.add(t0, t1), i64x2.add(t2, t3)));
    }
  }
  v128.store(LEAST, least);
  v128.store(UNKNOWN, unknown);
  maxima -= i64x2.extract_lane(tops, 0) + i64x2.extract_lane(tops, 1);
}

/** Adds what the classes of a strip count. */
function termStrip<T>(kind: i32, x: usize, t: usize, w: usize, count: i32): void {
  for (; count > 0; count -= BLOCK_GROUPS) {
    const groups = min(count, BLOCK_GROUPS);
    const bytes = <usize>groups * GROUP;
    measure<T>(kind, x, groups);
    addTerms<T>(false, DISTANCES, 0, t, w, groups);
    x += bytes;
    if (t) t += bytes;
    if (w) w += bytes;
  }
}

/** The gradient of two elements: C/S − c/q, or of the maximum of a confident row as above. */
// @ts-ignore: decorator
@inline
function slopeOf(kind: i32, c: v128, q: v128): v128 {
  const all = f64x2.splat(slope);
  if (kind == LOGARITHMS) return v128.sub<f64>(all, c);
  const plain = v128.sub<f64>(all, v128.andnot(v128.div<f64>(c, q), v128.eq<f64>(c, f64x2.splat(0))));
  if (kind == PROBABILITIES || !(restOfTop < 0.5)) return plain;
  const rest = v128.sub<f64>(v128.sub<f64>(f64x2.splat(mass), c), f64x2.splat(mass * restOfTop));
  const top = f64x2.splat(largest);
  return select(v128.eq<f64>(q, top), v128.div<f64>(rest, top), plain);
}

/** The gradient of a strip, to y, which may be x. */
function slopeStrip<T>(kind: i32, x: usize, y: usize, t: usize, w: usize, count: i32, scale: f64): void {
  const lifts = f64x2.splat(lift);
  const keeps = f64x2.splat(keep * scale);
  const shares = f64x2.splat(share * scale);
  const pair = 2 * sizeof<T>();
  for (const end = x + <usize>count * GROUP; x < end; x += pair, y += pair) {
    let c = shares;
    if (t) {
      c = madd<f64>(v128.mul<f64>(loadPair<T>(t), lifts), keeps, c);
      t += pair;
    }
    if (w) {
      c = v128.mul<f64>(c, loadPair<T>(w));
      w += pair;
    }
    storePair<T>(y, slopeOf(kind, c, loadPair<T>(x)));
  }
}

/** The same value everywhere. */
function fillRow<T>(y: usize, n: i32, value: T): void {
  const all = splat<T>(value);
  const lanes = <i32>(VECTOR / sizeof<T>());
  for (; n >= lanes; n -= lanes, y += VECTOR) v128.store(y, all);
  for (; n > 0; n--, y += sizeof<T>()) store<T>(y, value);
}

/** Σ t of a row of targets or a piece of one. */
function sumTargets<T>(t: usize, n: i32): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  targetStrip<T>(t, groups);
  if (tail) {
    loadTailGroup<T>(t + <usize>groups * GROUP, tail, 0);
    targetStrip<T>(TAIL, 1);
  }
}

/** All sums of a row or a piece of one. */
function sumRow<T>(kind: i32, x: usize, t: usize, w: usize, n: i32, spreadOut: bool): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  const body = <usize>groups * GROUP;
  restStrip<T>(kind, x, groups);
  if (spreadOut) termStrip<T>(kind, x, t, w, groups);
  if (tail) {
    if (spreadOut) loadTails<T>(t ? t + body : 0, w ? w + body : 0, tail);
    loadTailGroup<T>(x + body, tail, 0);
    restStrip<T>(kind, TAIL, 1);
    if (spreadOut) termStrip<T>(kind, TAIL, t ? TARGET_TAIL : 0, WEIGHTS_TAIL, 1);
  }
}

/** The gradient of a row or a piece of one. */
function writeRow<T>(kind: i32, x: usize, y: usize, t: usize, w: usize, n: i32, scale: f64): void {
  const groups = wholeGroups<T>(n);
  const tail = tailLength<T>(n);
  const body = <usize>groups * GROUP;
  slopeStrip<T>(kind, x, y, t, w, groups, scale);
  if (tail) {
    loadTails<T>(t ? t + body : 0, w ? w + body : 0, tail);
    loadTailGroup<T>(x + body, tail, 0);
    slopeStrip<T>(kind, TAIL, TAIL, t ? TARGET_TAIL : 0, WEIGHTS_TAIL, 1, scale);
    memory.copy(y + body, TAIL, <usize>tail * sizeof<T>());
  }
}

/** a and u. */
function aimCounts<T>(): void {
  largest = <f64>load<T>(TOP);
  // 2³¹ elements of 2^100 (f32), of 2^900 (f64) do not overflow, nor does 5 times one of them; 2^-62, 2^-894 may become normal yet
  const raise: f64 = sizeof<T>() == 4 ? 1.8446744073709552e19 : 3.402823669209385e38;
  unit = 1;
  if (largest > (sizeof<T>() == 4 ? 1.2676506002282294e30 : 8.452712498170644e270)) unit = SMALL;
  if (largest < (sizeof<T>() == 4 ? 2.168404344971009e-19 : 7.571533991467358e-270)) unit = raise;
  v128.store(UNIT, splat<T>(<T>unit));
  v128.store(UNIT_RAISED, splat<T>(<T>(unit * raise)));
}

/** The shares, where T is the sum of the targets: from 2^-900 to 2^900 without a lift, beyond with 2^600 or 2^-600. */
function aimTargets(smoothing: f64, uniform: f64): void {
  const whole = totalOf<f64>(TARGETS);
  const UP: f64 = 4.149515568880993e180; // 2^600
  if (whole < 8.452712498170644e270 && whole > 1.1830521861667747e-271) setShares(1, (1 - smoothing) / whole, uniform);
  else if (whole <= 1) setShares(UP, (1 - smoothing) / (whole * UP), uniform);
  else setShares(1 / UP, (1 - smoothing) / (totalOf<f64>(TARGETS_SMALL) / UP / SMALL), uniform);
}

function begin(): void {
  v128.store(UNKNOWN, i32x4.splat(0));
  clearSum(REST);
  clearSum(TARGETS);
  clearSum(TARGETS_SMALL);
  clearTargets();
  maxima = 0;
}

/**
 * The loss, times `sample`: from the sums, where all classes count (`spreadOut`), and from a class at distance d that counts `own`.
 * Leaves what the gradient is made of.
 */
function finishRow(kind: i32, spreadOut: bool, own: f64, d: f64, rowScale: f64, sample: f64): f64 {
  const r = kind == COUNTS ? totalOf<f64>(REST) / (largest * unit) + <f64>(maxima - 1) : 0;
  const one = f64x2.splat(1);
  const rest = f64x2.splat(r);
  const sum = v128.add<f64>(one, rest);
  const log1p = f64x2.extract_lane(addLog(f64x2.splat(0), sum, sumError(one, rest, sum), f64x2.splat(0)), 0);
  const all = own + (spreadOut ? massOfRow() : 0);
  let loss = all * log1p;
  if (spreadOut) loss += distanceOfRow();
  if (own != 0) loss += own * d;
  if (isNegative() || v128.any_true(v128.load(UNKNOWN)) || (kind == COUNTS && !(largest > 0 && largest < Infinity)))
    loss = NaN;
  restOfTop = r / (1 + r);
  mass = all * rowScale;
  slope = loss != loss ? NaN : kind == COUNTS ? mass / (1 + r) / largest : 0;
  return f64x2.extract_lane(weighed(f64x2.splat(loss), f64x2.splat(sample)), 0);
}

/** The gradient at the label, which counts c. */
function slopeOfLabel(kind: i32, c: f64): f64 {
  return f64x2.extract_lane(slopeOf(kind, f64x2.splat(c), f64x2.splat(labelValue)), 0);
}

/**
 * Rows of n numbers of some kind at x. `labels`: a class per row (i32), or 0 and `t`, a target per element. `w`: weights per class,
 * or 0. `s`: what each row's loss and gradient are multiplied by (f64), or 0. Writes a loss per row (nats, f64) to `losses`, and
 * unless y is 0 its gradient times `scale` to y, which may be x. A label of `ignore` makes loss and gradient 0.
 */
export function crossEntropyOfProbabilitiesRows<T>(
  kind: i32,
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
  const uniform = smoothing / <f64>classes;
  const row = <usize>n * sizeof<T>();
  const spreadOut = t != 0 || smoothing != 0;
  placeAlong<T>(n);
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
      const at = <usize>here * sizeof<T>();
      if (steps & BEGIN) {
        begin();
      }
      if (steps & MAXIMUM && kind == COUNTS) {
        maximaOf<T>(x, 0, 1, (steps & BEGIN) != 0);
        if (t) sumTargets<T>(t, n);
      }
      if (steps & AIM) {
        setShares(1, 1 - smoothing, uniform);
        if (kind == COUNTS) {
          aimCounts<T>();
          if (t) aimTargets(smoothing, uniform);
        }
      }
      if (steps & SUM_UP) {
        if (labelHere) {
          labelValue = <f64>load<T>(x + at);
          labelWeight = w ? <f64>load<T>(w + at) : 1;
        }
        sumRow<T>(kind, x, t, w, n, spreadOut);
      }
      if (steps & FINISH) {
        const own = labels ? labelWeight * (1 - smoothing) : 0;
        if (labels) {
          spread(TAIL, splat<T>(<T>labelValue));
          measure<T>(kind, TAIL, 1);
        }
        store<f64>(losses, finishRow(kind, spreadOut, own, <f64>load<T>(DISTANCES), rowScale, sample));
      }
      if (steps & WRITE && y) {
        if (spreadOut) writeRow<T>(kind, x, y, t, w, n, rowScale);
        else fillRow<T>(y, n, <T>slope);
        if (labelHere) {
          store<T>(y + at, <T>slopeOfLabel(kind, rowScale * labelWeight * (1 - smoothing + uniform)));
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
