/**
 * A row or a piece of one in f64, whatever the type of the data.
 */
import { abs, maxKeepNaN, productError, select, sumError, sumF64, VECTOR } from "../lanes";
import { exp } from "../math/exp";
import { excess, gapNear, logRatio, smallest } from "../math/gap";
import { log } from "../math/log";
import { AIM, BEGIN, FINISH, JS, KL, LOGITS, MAXIMUM, NORMALIZE, SCALE, SUM, TERMS, WRITE } from "./codes";
import { addTo, CHANGE, clearSums, D, D_OF_Q, MASS, OVERLAP, total } from "./sums";
import { gapF64, gapOfSums, LN2 } from "./value";

/** The divergence of the last row, and of JS its two halves. */
let value: f64 = 0;
let halfP: f64 = 0;
let halfQ: f64 = 0;
let disjoint = false;
/** What q is multiplied by. */
let factor: f64 = 1;

/** Elements of a block, and what stands of each. */
const BLOCK = 64;
const OF_P: usize = memory.data(512, 16);
const OF_Q: usize = memory.data(512, 16);
const OF_DIFF: usize = memory.data(512, 16);
const OF_LOG: usize = memory.data(512, 16);

/** Whether the data are f64. */
let f64Data = false;
/** Whether the sum of p is the larger (JS), and the two are exchanged once their sums are known: JS is symmetric bit for bit. */
let exchanged = false;
let temper: f64 = 1;
/** The maxima; the sums, of logits in units of e^{maximum}. */
let topP: f64 = 0;
let topQ: f64 = 0;
let sumP: f64 = 0;
let sumQ: f64 = 0;
/** The small part of the factor; T·(LSE_b − LSE_a) without the maxima, and its small part. */
let factorRest: f64 = 0;
let shift: f64 = 0;
let shiftRest: f64 = 0;
/** What p and q are multiplied by first where their sums are tiny, so that nothing of them is subnormal. */
let liftP: f64 = 1;
let liftQ: f64 = 1;
const LIFT: f64 = 1.0715086071862673e301; // 2^1000

function expOf(x: v128): v128 {
  return exp<f64>(x);
}

export function logOf(x: v128): v128 {
  return log<f64>(x);
}

/** Elements 2k and 2k + 1 of `count`, as f64; beyond the end, `pad`. */
function pairOf(x: usize, k: i32, count: i32, pad: f64): v128 {
  if (2 * k + 1 < count) {
    if (f64Data) return v128.load(x + (<usize>k << 4));
    return f64x2.promote_low_f32x4(v128.load64_zero(x + (<usize>k << 3)));
  }
  return f64x2.replace_lane(f64x2.splat(pad), 0, f64Data ? load<f64>(x + (<usize>k << 4)) : <f64>load<f32>(x + (<usize>k << 3)));
}

function storePair(x: usize, k: i32, count: i32, v: v128): void {
  const single = f32x4.demote_f64x2_zero(v);
  if (2 * k + 1 < count) {
    if (f64Data) v128.store(x + (<usize>k << 4), v);
    else v128.store64_lane(x + (<usize>k << 3), single, 0);
  } else if (f64Data) v128.store64_lane(x + (<usize>k << 4), v, 0);
  else v128.store32_lane(x + (<usize>k << 3), single, 0);
}

function maximumOf(x: usize, n: i32, top: f64): f64 {
  let m = f64x2.splat(top);
  for (let k = 0; 2 * k < n; k++) m = v128.pmax<f64>(m, pairOf(x, k, n, -Infinity));
  return max(f64x2.extract_lane(m, 0), f64x2.extract_lane(m, 1));
}

/** Σx, NaN if one is negative; Σe^{(x − top)/T} of logits. */
function sumOf(x: usize, n: i32, logits: bool, top: f64): f64 {
  let sum = f64x2.splat(0);
  let rest = f64x2.splat(0);
  const a = f64x2.splat(top);
  const t = f64x2.splat(temper);
  for (let k = 0; 2 * k < n; k++) {
    let v = pairOf(x, k, n, logits ? -Infinity : 0);
    if (logits) v = expOf(v128.div<f64>(v128.sub<f64>(v, a), t));
    v = v128.or(v, v128.lt<f64>(v, f64x2.splat(0)));
    const next = v128.add<f64>(sum, v);
    rest = v128.add<f64>(rest, sumError(sum, v, next));
    sum = next;
  }
  return sumF64(sum) + sumF64(rest);
}

/** Up to a block of the two rows: p, q, q − p and log(q/p). */
function prepare(x: usize, y: usize, count: i32, flags: i32): void {
  const zero = f64x2.splat(0);
  const f = f64x2.splat(factor);
  const fRest = f64x2.splat(factorRest);
  const t = f64x2.splat(temper);
  const topDifference = topQ - topP;
  const h0 = f64x2.splat(topDifference);
  const l0 = v128.add<f64>(sumError(f64x2.splat(topQ), f64x2.splat(-topP), h0), f64x2.splat(shiftRest));
  const scaleP = f64x2.splat(1 / sumP);
  const scaleQ = f64x2.splat(1 / sumQ);
  for (let k = 0; 2 * k < count; k++) {
    let p = pairOf(x, k, count, flags & LOGITS ? -Infinity : 0);
    let q = pairOf(y, k, count, flags & LOGITS ? -Infinity : 0);
    let diff: v128;
    let ratio: v128;
    if (flags & LOGITS) {
      const h = v128.sub<f64>(q, p);
      const finite = v128.eq<f64>(v128.sub<f64>(h, h), zero);
      const l = v128.and(sumError(q, v128.neg<f64>(p), h), finite);
      p = v128.mul<f64>(expOf(v128.div<f64>(v128.sub<f64>(p, f64x2.splat(topP)), t)), scaleP);
      q = v128.mul<f64>(expOf(v128.div<f64>(v128.sub<f64>(q, f64x2.splat(topQ)), t)), scaleQ);
      ratio = v128.sub<f64>(v128.sub<f64>(h, h0), f64x2.splat(shift));
      ratio = v128.div<f64>(v128.add<f64>(ratio, v128.sub<f64>(l, l0)), t);
      const size = abs<f64>(ratio);
      const near = v128.lt<f64>(size, f64x2.splat(0.5));
      const up = v128.gt<f64>(ratio, zero);
      const r = v128.and(size, near);
      const change = v128.mul<f64>(select(up, p, q), v128.add<f64>(excess<f64>(r), r));
      diff = select(near, select(up, change, v128.neg<f64>(change)), v128.sub<f64>(q, p));
    } else {
      p = v128.mul<f64>(p, f64x2.splat(liftP));
      q = v128.mul<f64>(q, f64x2.splat(liftQ));
      const product = v128.mul<f64>(q, f);
      const error = v128.add<f64>(productError(q, f, product), v128.mul<f64>(q, fRest));
      diff = v128.sub<f64>(product, p);
      q = product;
      diff = v128.add<f64>(diff, error);
      const tiny = smallest<f64>();
      const odd = v128.or(v128.lt<f64>(p, tiny), v128.lt<f64>(q, tiny));
      ratio = logRatio<f64>(maxKeepNaN<f64>(p, tiny), maxKeepNaN<f64>(q, tiny), error, true);
      if (v128.any_true(odd)) ratio = select(odd, v128.sub<f64>(logOf(q), logOf(p)), ratio);
    }
    const at = <usize>k << 4;
    v128.store(OF_P + at, p);
    v128.store(OF_Q + at, q);
    v128.store(OF_DIFF + at, diff);
    v128.store(OF_LOG + at, ratio);
  }
}

/** The sums of a block. */
function addTerms(count: i32, kind: i32): void {
  const zero = f64x2.splat(0);
  for (let at: usize = 0; at < <usize>count << 3; at += VECTOR) {
    const p = v128.load(OF_P + at);
    const q = v128.load(OF_Q + at);
    const diff = v128.load(OF_DIFF + at);
    addTo<f64>(CHANGE, diff);
    if (kind == KL) {
      const ratio = v128.load(OF_LOG + at);
      const near = v128.lt<f64>(abs<f64>(ratio), f64x2.splat(0.34));
      const term = select(near, gapNear<f64>(p, q, diff), v128.sub<f64>(diff, v128.mul<f64>(p, ratio)));
      addTo<f64>(D, select(v128.eq<f64>(p, zero), q, term));
      addTo<f64>(MASS, p);
    } else {
      const tiny = smallest<f64>();
      const both = v128.add<f64>(p, q);
      const m = maxKeepNaN<f64>(both, tiny);
      addTo<f64>(D, gapF64(v128.add<f64>(p, p), m, diff));
      addTo<f64>(D_OF_Q, gapF64(v128.add<f64>(q, q), m, v128.neg<f64>(diff)));
      addTo<f64>(MASS, both);
      v128.store(OVERLAP, v128.pmax<f64>(v128.load(OVERLAP), v128.pmin<f64>(p, q)));
    }
  }
}

/** The value from the sums; and what remains of C goes into the factor, for the gradients. */
function finish(kind: i32, flags: i32): void {
  const d = total(D);
  const mass = total(MASS);
  const change = total(CHANGE);
  const normalize = flags & NORMALIZE;
  disjoint = false;
  let p = mass;
  if (kind == KL) {
    if (normalize) value = d / p - gapOfSums(change / p);
    else value = d - change;
  } else {
    const other = total(D_OF_Q); // with C, which is folded into the factor
    p = (mass - change) / 2;
    const separate = mass > 0 && !v128.any_true(v128.gt<f64>(v128.load(OVERLAP), smallest<f64>()));
    if (normalize) {
      disjoint = separate;
      const x = change / mass;
      value = separate ? LN2 : min((d + other) / (2 * mass) - x * x / 2, LN2);
      halfP = separate ? LN2 : d / (2 * p);
      halfQ = separate ? LN2 : other / (mass + change);
    } else {
      value = separate ? LN2 / 2 * mass : (d + other) / 4;
      halfP = halfQ = 0;
    }
  }
  if (normalize && value < 0) value = 0;
  if (!(flags & LOGITS)) value += (sumP - sumP) + (sumQ - sumQ); // NaN if an element is negative
  if (!normalize) return;
  const epsilon = change / p;
  if (!(Math.abs(epsilon) < 1e-6)) return;
  shiftRest += temper * epsilon * (1 - epsilon / 2);
  factorRest -= factor * epsilon / (1 + epsilon);
}

/** log(m/2p). */
export function logOfMean(p: v128, m: v128, diff: v128): v128 {
  return logRatio<f64>(maxKeepNaN<f64>(v128.add<f64>(p, p), smallest<f64>()), m, diff, false);
}

/** The gradients of a block, times `scale`. */
function slope(gp: usize, gq: usize, count: i32, kind: i32, flags: i32, scale: f64): void {
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  const logits = (flags & LOGITS) != 0;
  const normalize = (flags & NORMALIZE) != 0;
  const raw = logits || !normalize;
  const share: f64 = kind == KL ? 1 : 0.5;
  const scaleP = f64x2.splat(share * (raw ? scale / temper : scale / sumP * liftP));
  const scaleQ = f64x2.splat(share * (raw ? scale / temper : scale / sumQ * liftQ));
  for (let k = 0; 2 * k < count; k++) {
    const at = <usize>k << 4;
    const p = v128.load(OF_P + at);
    const q = v128.load(OF_Q + at);
    const diff = v128.load(OF_DIFF + at);
    const noP = v128.eq<f64>(p, zero);
    const noQ = v128.eq<f64>(q, zero);
    let byP: v128;
    let byQ: v128;
    if (kind == KL) {
      byP = v128.sub<f64>(f64x2.splat(normalize ? -value : 1), v128.load(OF_LOG + at));
      byQ = normalize ? diff : v128.neg<f64>(p);
      if (logits) byP = v128.andnot(v128.mul<f64>(byP, p), noP);
      else {
        byP = v128.andnot(byP, v128.and(noP, noQ));
        byQ = select(noP, normalize ? one : zero, v128.div<f64>(byQ, q));
      }
    } else {
      const tiny = smallest<f64>();
      const m = maxKeepNaN<f64>(v128.add<f64>(p, q), tiny);
      const ln2 = f64x2.splat(LN2);
      const infinite = f64x2.splat(-Infinity);
      // log(p/m): log 2 where q = 0, and −∞ where p alone is 0
      byP = v128.neg<f64>(logOfMean(p, m, diff));
      byQ = v128.neg<f64>(logOfMean(q, m, v128.neg<f64>(diff)));
      byP = select(noQ, ln2, select(noP, infinite, byP));
      byQ = select(noP, ln2, select(noQ, infinite, byQ));
      byP = v128.sub<f64>(byP, f64x2.splat(halfP));
      byQ = v128.sub<f64>(byQ, f64x2.splat(halfQ));
      if (logits) {
        byP = v128.andnot(v128.mul<f64>(byP, p), noP);
        byQ = v128.andnot(v128.mul<f64>(byQ, q), noQ);
      }
      if (disjoint) byP = byQ = zero;
    }
    storePair(gp, k, count, v128.mul<f64>(byP, scaleP));
    storePair(gq, k, count, v128.mul<f64>(byQ, scaleQ));
  }
}

/** Does with a row or a piece of one what the steps say; from FINISH on it returns the value. */
export function wide(width: usize, x: usize, y: usize, gx: usize, gy: usize, n: i32, kind: i32, flags: i32, temperature: f64, scale: f64, steps: i32): f64 {
  const logits = (flags & LOGITS) != 0;
  const normalize = (flags & NORMALIZE) != 0;
  f64Data = width == 8;
  temper = temperature;
  if (steps & BEGIN) {
    exchanged = false;
    topP = topQ = -Infinity;
    sumP = sumQ = 0;
    clearSums<f64>();
  }
  if (steps & MAXIMUM && logits) {
    topP = maximumOf(x, n, topP);
    topQ = maximumOf(y, n, topQ);
  }
  if (steps & AIM && !(logits && normalize)) topP = topQ = 0;
  if (steps & SUM) {
    sumP += sumOf(x, n, logits, topP);
    sumQ += sumOf(y, n, logits, topQ);
  }
  if (steps & SCALE) {
    shiftRest = factorRest = shift = 0;
    factor = liftP = liftQ = 1;
    if (!normalize) {
      if (logits) sumP = sumQ = 1;
    } else if (logits) {
      const logs = logOf(f64x2.replace_lane(f64x2.splat(sumP), 1, sumQ));
      shift = temper * (f64x2.extract_lane(logs, 1) - f64x2.extract_lane(logs, 0));
    } else {
      exchanged = kind == JS && sumP > sumQ;
      if (exchanged) {
        const larger = sumP;
        sumP = sumQ;
        sumQ = larger;
      }
      liftP = sumP < 1e-250 ? LIFT : 1;
      liftQ = sumQ < 1e-250 ? LIFT : 1;
      sumP *= liftP;
      sumQ *= liftQ;
      factor = sumP / sumQ;
    }
  }
  if (exchanged) {
    let other = x;
    x = y;
    y = other;
    other = gx;
    gx = gy;
    gy = other;
  }
  if (steps & TERMS) {
    for (let i = 0; i < n; i += BLOCK) {
      const at = <usize>i * width;
      prepare(x + at, y + at, min(n - i, BLOCK), flags);
      addTerms(min(n - i, BLOCK), kind);
    }
  }
  if (steps & FINISH) finish(kind, flags);
  if (steps & WRITE) {
    for (let i = 0; i < n; i += BLOCK) {
      const at = <usize>i * width;
      prepare(x + at, y + at, min(n - i, BLOCK), flags);
      slope(gx + at, gy + at, min(n - i, BLOCK), kind, flags, scale);
    }
  }
  return value;
}
