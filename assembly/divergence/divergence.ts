/**
 * Kullback–Leibler and Jensen–Shannon divergences of rows, in nats, and their gradients; nothing cancels near p = q.
 *
 *     D = Σ [q − p − p·log(q/p)] ≥ 0,  P = Σp,  C = Σ(q − p),  ε = C/P               (math/gap.ts)
 *     KL(p/P ‖ q/Q) = D/P − (ε − log(1 + ε))                                         exactly
 *     JS = ½·KL(p ‖ m) + ½·KL(q ‖ m),  m = (p + q)/2: both as above, of 2p and p + q, with the difference q − p
 *
 * Two ways, taken row by row:
 *   quick  one pass in the type, from probabilities. Accepted unless the sums differ so much that ε eats into D, or a
 *          number is negative, subnormal, infinite or 0 in q alone;
 *   wide   in f64 for either type: all else, and gradients. First the sums, then q·P/Q with the product's error kept (or
 *          logits: Δ = (b − a)/T − (LSE_b − LSE_a) from exact differences), then the tally, then the gradients. A block
 *          at a time p, q, q − p and log(q/p) stand in static memory, from there on it is all one. What remains of
 *          C, the common error of the sums, is folded into the factor (Δ) before the gradients are written.
 */
import { abs, half, join, maxKeepNaN, maxLane, productError, select, splat, sumError, sumF64, VECTOR } from "../lanes";
import { exp } from "../math/exp";
import { excess, gap, gapNear, logRatio, smallest } from "../math/gap";
import { log } from "../math/log";

/** Which divergence. */
export const KL = 0;
export const JS = 1;

/** Flags. */
const LOGITS = 1;
const NORMALIZE = 2;
const GRADIENT = 4;

/** What a call does to a row in pieces; ALL is a whole row. */
const BEGIN = 1;
const MAXIMUM = 2;
const SUM_UP = 4;
const TALLY = 8;
const FINISH = 16;
const WRITE = 32;
const AIM = 64; // the maxima are known
const SCALE = 128; // the sums are known
const ALL = 63;

const LN2: f64 = 0.6931471805599453;

// sums of 32 bytes, two f64x2 each
const SUMS: usize = memory.data(128, 16);
const DIVERGENCE = SUMS;
const OTHER = SUMS + 32; // of JS, wide: of q against m
const MASS = SUMS + 64; // P; of JS P + Q
const CHANGE = SUMS + 96; // C
/** The least of all elements, the largest of min(p, q). */
const LEAST: usize = memory.data(16, 16);
const COMMON: usize = memory.data(16, 16);
/** The last, partial vector of p and of q, padded. */
const TAIL: usize = memory.data(32, 16);

/** The divergence of the last row, and of JS its two halves. */
let value: f64 = 0;
let halfP: f64 = 0;
let halfQ: f64 = 0;
let disjoint = false;
/** What q is multiplied by. */
let factor: f64 = 1;

// @ts-ignore: decorator
@inline
function addTo<T>(sum: usize, v: v128): void {
  if (sizeof<T>() == 4) {
    v128.store(sum, v128.add<f64>(v128.load(sum), f64x2.promote_low_f32x4(v)));
    v128.store(sum, v128.add<f64>(v128.load(sum, VECTOR), f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3))), VECTOR);
  } else v128.store(sum, v128.add<f64>(v128.load(sum), v));
}

function clear<T>(): void {
  const zero = i32x4.splat(0);
  for (let i: usize = 0; i < 128; i += VECTOR) v128.store(SUMS + i, zero);
  v128.store(COMMON, zero);
  v128.store(LEAST, splat<T>(<T>Infinity));
}

// @ts-ignore: decorator
@inline
function total(sum: usize): f64 {
  return sumF64(v128.add<f64>(v128.load(sum), v128.load(sum, VECTOR)));
}

/** Vectors whose terms are summed in the type before they are added in f64: 16 roundings at most, 1 u or so in all. */
const RUN = 16;

/** The sums of `vectors` whole vectors, for KL. */
function stripKL<T>(p: usize, q: usize, vectors: i32): void {
  const zero = i32x4.splat(0);
  let least = v128.load(LEAST);
  for (; vectors > 0; vectors -= RUN) {
    const end = p + <usize>min(vectors, RUN) * VECTOR;
    let sum = zero;
    let mass = zero;
    let change = zero;
    for (; p < end; p += VECTOR, q += VECTOR) {
      const a = v128.load(p);
      const b = v128.load(q);
      const diff = v128.sub<T>(b, a);
      least = v128.pmin<T>(least, v128.pmin<T>(a, b));
      change = v128.add<T>(change, diff);
      mass = v128.add<T>(mass, a);
      sum = v128.add<T>(sum, gap<T>(maxKeepNaN<T>(a, smallest<T>()), maxKeepNaN<T>(b, smallest<T>()), diff, true));
    }
    addTo<T>(DIVERGENCE, sum);
    addTo<T>(MASS, mass);
    addTo<T>(CHANGE, change);
  }
  v128.store(LEAST, least);
}

/** … for JS, q times the factor. First p against m in a run, then q: both at once would not fit the registers (1.25 ×). */
function stripJS<T>(p: usize, q: usize, vectors: i32): void {
  const zero = i32x4.splat(0);
  const f = splat<T>(<T>factor);
  let least = v128.load(LEAST);
  let common = v128.load(COMMON);
  for (; vectors > 0; vectors -= RUN) {
    const bytes = <usize>min(vectors, RUN) * VECTOR;
    let sum = zero;
    let mass = zero;
    for (let i: usize = 0; i < bytes; i += VECTOR) {
      const a = v128.load(p + i);
      const b = v128.mul<T>(v128.load(q + i), f);
      const low = v128.pmin<T>(a, b);
      least = v128.pmin<T>(least, low);
      common = v128.pmax<T>(common, low);
      const both = v128.add<T>(a, b);
      mass = v128.add<T>(mass, both);
      const m = maxKeepNaN<T>(both, smallest<T>());
      sum = v128.add<T>(sum, gap<T>(maxKeepNaN<T>(v128.add<T>(a, a), smallest<T>()), m, v128.sub<T>(b, a), false));
    }
    let change = zero;
    let other = zero;
    for (let i: usize = 0; i < bytes; i += VECTOR) {
      const a = v128.load(p + i);
      const b = v128.mul<T>(v128.load(q + i), f);
      const diff = v128.sub<T>(a, b);
      change = v128.sub<T>(change, diff);
      const m = maxKeepNaN<T>(v128.add<T>(a, b), smallest<T>());
      other = v128.add<T>(other, gap<T>(maxKeepNaN<T>(v128.add<T>(b, b), smallest<T>()), m, diff, false));
    }
    addTo<T>(DIVERGENCE, v128.add<T>(sum, other));
    addTo<T>(MASS, mass);
    addTo<T>(CHANGE, change);
    p += bytes;
    q += bytes;
  }
  v128.store(LEAST, least);
  v128.store(COMMON, common);
}

/** Σx of whole vectors, four at a time: one after the other would wait for the sum before. */
function sumOfVectors<T>(x: usize, vectors: i32, sum: usize): void {
  for (; vectors > 0; vectors -= RUN) {
    const end = x + <usize>min(vectors, RUN) * VECTOR;
    let run = i32x4.splat(0);
    for (; x + 48 < end; x += 64) {
      run = v128.add<T>(run, v128.add<T>(v128.add<T>(v128.load(x), v128.load(x, 16)), v128.add<T>(v128.load(x, 32), v128.load(x, 48))));
    }
    for (; x < end; x += VECTOR) run = v128.add<T>(run, v128.load(x));
    addTo<T>(sum, run);
  }
}

/** The smallest of the lanes. */
// @ts-ignore: decorator
@inline
function leastLane<T>(v: v128): T {
  v = v128.pmin<T>(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  if (sizeof<T>() == 4) {
    v = v128.pmin<T>(v, i32x4.shuffle(v, v, 1, 0, 3, 2));
    return <T>f32x4.extract_lane(v, 0);
  }
  return <T>f64x2.extract_lane(v, 0);
}

/** Whether some p is negative, or some q is not a normal number where p is more. */
function suspicious<T>(p: usize, q: usize, n: i32): bool {
  const lanes = <i32>(VECTOR / sizeof<T>());
  let found = i32x4.splat(0);
  for (; n >= lanes; n -= lanes, p += VECTOR, q += VECTOR) {
    const a = v128.load(p);
    const b = v128.load(q);
    found = v128.or(found, v128.or(v128.lt<T>(a, i32x4.splat(0)), v128.and(v128.lt<T>(b, smallest<T>()), v128.gt<T>(a, b))));
  }
  let rest = v128.any_true(found);
  const limit = <T>(sizeof<T>() == 4 ? 1.1754943508222875e-38 : 2.2250738585072014e-308);
  for (; n > 0; n--, p += sizeof<T>(), q += sizeof<T>()) {
    rest = rest || load<T>(p) < 0 || (load<T>(q) < limit && load<T>(p) > load<T>(q));
  }
  return rest;
}

function wideGap(p: v128, q: v128, diff: v128): v128 {
  return gap<f64>(maxKeepNaN<f64>(p, smallest<f64>()), q, diff, false);
}

/** ε − log(1 + ε). */
function gapOfSums(epsilon: f64): f64 {
  return f64x2.extract_lane(wideGap(f64x2.splat(1), f64x2.splat(max(1 + epsilon, 1e-300)), f64x2.splat(epsilon)), 0);
}

/** The value of a row of probabilities in one pass, if that is exact enough. */
function quick<T>(p: usize, q: usize, n: i32, kind: i32, normalize: bool): bool {
  const lanes = <i32>(VECTOR / sizeof<T>());
  const whole = n / lanes;
  const tail = n - whole * lanes;
  clear<T>();
  v128.store(TAIL, smallest<T>());
  v128.store(TAIL, smallest<T>(), VECTOR);
  const offset = <usize>whole * VECTOR;
  for (let i: usize = 0; i < <usize>tail * sizeof<T>(); i += sizeof<T>()) {
    store<T>(TAIL + i, load<T>(p + offset + i));
    store<T>(TAIL + VECTOR + i, load<T>(q + offset + i));
  }
  factor = 1;
  let first = TAIL;
  if (kind == JS && normalize) {
    sumOfVectors<T>(p, whole, MASS);
    sumOfVectors<T>(q, whole, CHANGE);
    if (tail) {
      sumOfVectors<T>(TAIL, 1, MASS);
      sumOfVectors<T>(TAIL + VECTOR, 1, CHANGE);
    }
    const a = total(MASS);
    const b = total(CHANGE);
    if (abs_(a - b) > (a + b) * (sizeof<T>() == 4 ? 1.2e-7 : 3e-12)) {
      // the smaller stays as it is, whichever it is: JS is symmetric bit for bit
      factor = min(a, b) / max(a, b);
      if (a > b) {
        const other = p;
        p = q;
        q = other;
        first = TAIL + VECTOR;
      }
    }
    clear<T>();
  }
  const second = TAIL + TAIL + VECTOR - first;
  if (kind == KL) stripKL<T>(p, q, whole);
  else stripJS<T>(p, q, whole);
  if (tail) {
    if (kind == KL) stripKL<T>(first, second, 1);
    else stripJS<T>(first, second, 1);
  }
  if (leastLane<T>(v128.load(LEAST)) < least<T>(kind) && (kind == JS || suspicious<T>(p, q, n))) return false;
  const apart = kind == JS && !v128.any_true(v128.gt<T>(v128.load(COMMON), smallest<T>()));
  return accepted(kind, normalize, apart, sizeof<T>() == 4);
}

/** Below this an element is looked at: the smallest normal number, for JS 0. */
// @ts-ignore: decorator
@inline
function least<T>(kind: i32): T {
  return kind == JS ? <T>0 : <T>(sizeof<T>() == 4 ? 1.1754943508222875e-38 : 2.2250738585072014e-308);
}

/** Sets the value from the sums, and whether it is exact enough. */
function accepted(kind: i32, normalize: bool, apart: bool, single: bool): bool {
  const d = total(DIVERGENCE);
  const change = total(CHANGE);
  const mass = total(MASS);
  if (!(d < Infinity && mass > 1e-18 && mass + abs_(change) < 1e30)) return false;
  if (kind == KL) {
    if (!normalize) {
      value = d - change;
      return abs_(value) * 4 >= d + abs_(change);
    }
    const g = gapOfSums(change / mass);
    value = d / mass - g;
    return change * 8 >= mass * -7 && g * 8 <= d / mass;
  }
  // JS: P = (mass − change)/2, Q = (mass + change)/2
  if (abs_(change) > 0.75 * mass) return false;
  if (apart) value = normalize ? LN2 : (LN2 / 2) * mass;
  else if (!normalize) value = d / 4;
  else {
    const x = change / mass;
    const correction = (x * change) / 4;
    if (abs_(x) > (single ? 4e-7 : 7e-12) || correction * 32 > d) return false;
    value = min(((d / 4 - correction) * 2) / mass, LN2);
    // q·f is rounded: by u/√JS of the value or so
    const least = single ? 4e-3 : 1e-10;
    if (factor != 1 && value < least) return false;
  }
  return true;
}

// @ts-ignore: decorator
@inline
function abs_(x: f64): f64 {
  return Math.abs(x);
}

// ------------------------------------------------------------------------------------------------ wide

/** Elements of a block, and what stands of each. */
const BLOCK = 64;
const OF_P: usize = memory.data(512, 16);
const OF_Q: usize = memory.data(512, 16);
const OF_DIFF: usize = memory.data(512, 16);
const OF_LOG: usize = memory.data(512, 16);

/** Whether the data are f64. */
let f64Data = false;
/** Whether the sum of p is the larger (JS), and the two are exchanged from the tally on: JS is symmetric bit for bit. */
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

function logOf(x: v128): v128 {
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
function tally(count: i32, kind: i32): void {
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
      addTo<f64>(DIVERGENCE, select(v128.eq<f64>(p, zero), q, term));
      addTo<f64>(MASS, p);
    } else {
      const tiny = smallest<f64>();
      const both = v128.add<f64>(p, q);
      const m = maxKeepNaN<f64>(both, tiny);
      addTo<f64>(DIVERGENCE, wideGap(v128.add<f64>(p, p), m, diff));
      addTo<f64>(OTHER, wideGap(v128.add<f64>(q, q), m, v128.neg<f64>(diff)));
      addTo<f64>(MASS, both);
      v128.store(COMMON, v128.pmax<f64>(v128.load(COMMON), v128.pmin<f64>(p, q)));
    }
  }
}

/** The value from the sums; and what remains of C goes into the factor, for the gradients. */
function finish(kind: i32, flags: i32): void {
  const d = total(DIVERGENCE);
  const mass = total(MASS);
  const change = total(CHANGE);
  const normalize = flags & NORMALIZE;
  disjoint = false;
  let p = mass;
  if (kind == KL) {
    if (normalize) value = d / p - gapOfSums(change / p);
    else value = d - change;
  } else {
    const other = total(OTHER); // with C, which is folded into the factor
    p = (mass - change) / 2;
    const apart = mass > 0 && !v128.any_true(v128.gt<f64>(v128.load(COMMON), smallest<f64>()));
    if (normalize) {
      disjoint = apart;
      const x = change / mass;
      value = apart ? LN2 : min((d + other) / (2 * mass) - x * x / 2, LN2);
      halfP = apart ? LN2 : d / (2 * p);
      halfQ = apart ? LN2 : other / (mass + change);
    } else {
      value = apart ? LN2 / 2 * mass : (d + other) / 4;
      halfP = halfQ = 0;
    }
  }
  if (normalize && value < 0) value = 0;
  if (!(flags & LOGITS)) value += (sumP - sumP) + (sumQ - sumQ); // NaN if an element is negative
  if (!normalize) return;
  const epsilon = change / p;
  if (!(abs_(epsilon) < 1e-6)) return;
  shiftRest += temper * epsilon * (1 - epsilon / 2);
  factorRest -= factor * epsilon / (1 + epsilon);
}

/** log(m/2p). */
function logOfMean(p: v128, m: v128, diff: v128): v128 {
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

/** A row or a piece of one, in f64. */
function wide(x: usize, y: usize, gx: usize, gy: usize, n: i32, kind: i32, flags: i32, scale: f64, steps: i32): void {
  const logits = (flags & LOGITS) != 0;
  const normalize = (flags & NORMALIZE) != 0;
  const width: usize = f64Data ? 8 : 4;
  if (steps & BEGIN) {
    exchanged = false;
    topP = topQ = -Infinity;
    sumP = sumQ = 0;
    clear<f64>();
  }
  if (steps & MAXIMUM && logits) {
    topP = maximumOf(x, n, topP);
    topQ = maximumOf(y, n, topQ);
  }
  if (steps & AIM && !(logits && normalize)) topP = topQ = 0;
  if (steps & SUM_UP) {
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
  if (steps & TALLY) {
    for (let i = 0; i < n; i += BLOCK) {
      const at = <usize>i * width;
      prepare(x + at, y + at, min(n - i, BLOCK), flags);
      tally(min(n - i, BLOCK), kind);
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
}

// ---------------------------------------------------------------------------------- logits, f32, quick

/** The exponentials of a block of both rows: of a whole row, if it is that short, they are computed but once. */
const KEPT_VECTORS = 512;
const KEPT: usize = memory.data(8192, 16);
const KEPT_Q: usize = memory.data(8192, 16);
const KEPT_TAIL: usize = memory.data(32, 16);

/** Adds e^{(x − top)/T} to `sum`, and leaves them at y. */
function sumExponentials(x: usize, vectors: i32, top: v128, inverse: v128, y: usize, step: usize, sum: usize): void {
  for (; vectors > 0; vectors -= RUN) {
    const end = x + <usize>min(vectors, RUN) * VECTOR;
    let run = i32x4.splat(0);
    for (; x < end; x += VECTOR, y += step) {
      const e = exp<f32>(v128.mul<f32>(v128.sub<f32>(v128.load(x), top), inverse));
      v128.store(y, e);
      run = v128.add<f32>(run, e);
    }
    addTo<f32>(sum, run);
  }
}

/**
 * The sums of whole vectors of logits x, y with the exponentials e, f. Δ = log(q/p) by way of f64:
 *
 *     q − p = p·(e^Δ − 1),    q − p − p·log(q/p) = p·(e^Δ − 1 − Δ)
 *
 * Beyond |Δ| = 2 (JS: 4) p and q, which have their own errors, are subtracted: nothing cancels there.
 */
// @ts-ignore: decorator
@inline
function stripLogits(x: usize, y: usize, e: usize, f: usize, vectors: i32, js: bool): void {
  const offset = f64x2.splat(shift);
  const inverse = f64x2.splat(1 / temper);
  const scaleP = f32x4.splat(<f32>(1 / sumP));
  const scaleQ = f32x4.splat(<f32>(1 / sumQ));
  const zero = i32x4.splat(0);
  const limit = f32x4.splat(js ? 4 : 2);
  let common = v128.load(COMMON);
  for (; vectors > 0; vectors -= RUN) {
    const end = x + <usize>min(vectors, RUN) * VECTOR;
    let sum = zero;
    let mass = zero;
    let change = zero;
    for (; x < end; x += VECTOR, y += VECTOR, e += VECTOR, f += VECTOR) {
      const a = v128.load(x);
      const b = v128.load(y);
      const low = v128.mul<f64>(v128.sub<f64>(v128.sub<f64>(half<f32>(b, 0), half<f32>(a, 0)), offset), inverse);
      const high = v128.mul<f64>(v128.sub<f64>(v128.sub<f64>(half<f32>(b, 1), half<f32>(a, 1)), offset), inverse);
      const ratio = join<f32>(low, high);
      let p = v128.mul<f32>(v128.load(e), scaleP);
      let q = v128.mul<f32>(v128.load(f), scaleQ);
      const size = abs<f32>(ratio);
      const near = v128.lt<f32>(size, limit);
      if (js) {
        const up = v128.gt<f32>(ratio, zero);
        const r = v128.and(size, near);
        const small = v128.mul<f32>(select(up, p, q), v128.add<f32>(excess<f32>(r), r));
        // the smaller, and the larger as so much more: of one error
        const larger = v128.add<f32>(select(up, p, q), small);
        p = select(v128.andnot(near, up), larger, p);
        q = select(v128.and(near, up), larger, q);
        const diff = select(near, select(up, small, v128.neg<f32>(small)), v128.sub<f32>(q, p));
        const both = v128.add<f32>(p, q);
        const m = maxKeepNaN<f32>(both, smallest<f32>());
        const ofP = gap<f32>(maxKeepNaN<f32>(v128.add<f32>(p, p), smallest<f32>()), m, diff, false);
        const ofQ = gap<f32>(maxKeepNaN<f32>(v128.add<f32>(q, q), smallest<f32>()), m, v128.neg<f32>(diff), false);
        sum = v128.add<f32>(sum, v128.add<f32>(ofP, ofQ));
        mass = v128.add<f32>(mass, both);
        change = v128.add<f32>(change, diff);
        common = v128.pmax<f32>(common, v128.pmin<f32>(p, q));
      } else {
        const r = v128.and(ratio, near);
        const chi = excess<f32>(r);
        const diff = select(near, v128.mul<f32>(p, v128.add<f32>(chi, r)), v128.sub<f32>(q, p));
        const term = select(near, v128.mul<f32>(p, chi), v128.sub<f32>(diff, v128.mul<f32>(p, ratio)));
        sum = v128.add<f32>(sum, select(v128.eq<f32>(p, zero), q, term));
        mass = v128.add<f32>(mass, p);
        change = v128.add<f32>(change, diff);
      }
    }
    addTo<f32>(DIVERGENCE, sum);
    addTo<f32>(MASS, mass);
    addTo<f32>(CHANGE, change);
  }
  v128.store(COMMON, common);
}

function stripLogitsKL(x: usize, y: usize, e: usize, f: usize, vectors: i32): void {
  stripLogits(x, y, e, f, vectors, false);
}

function stripLogitsJS(x: usize, y: usize, e: usize, f: usize, vectors: i32): void {
  stripLogits(x, y, e, f, vectors, true);
}

function topOf(x: usize, vectors: i32): v128 {
  let m = f32x4.splat(-Infinity);
  for (; vectors > 0; vectors--, x += VECTOR) m = v128.pmax<f32>(m, v128.load(x));
  return m;
}

/** The value of a row of f32 logits, if that is exact enough. */
function quickLogits(p: usize, q: usize, n: i32, kind: i32): bool {
  const whole = n >> 2;
  const tail = n & 3;
  v128.store(TAIL, f32x4.splat(-Infinity));
  v128.store(TAIL, f32x4.splat(-Infinity), VECTOR);
  for (let i: usize = 0; i < <usize>tail * 4; i += 4) {
    store<f32>(TAIL + i, load<f32>(p + (<usize>whole << 4) + i));
    store<f32>(TAIL + VECTOR + i, load<f32>(q + (<usize>whole << 4) + i));
  }
  const top = maxLane<f32>(v128.pmax<f32>(topOf(p, whole), v128.load(TAIL)));
  const other = maxLane<f32>(v128.pmax<f32>(topOf(q, whole), v128.load(TAIL, VECTOR)));
  if (!(<f64>Mathf.abs(top - other) < 1e30)) return false;
  clear<f32>();
  const inverse = f32x4.splat(<f32>(1 / temper));
  const tops = f32x4.splat(top);
  const others = f32x4.splat(other);
  const once = whole <= KEPT_VECTORS;
  sumExponentials(p, whole, tops, inverse, KEPT, once ? VECTOR : 0, MASS);
  sumExponentials(q, whole, others, inverse, KEPT_Q, once ? VECTOR : 0, CHANGE);
  sumExponentials(TAIL, 1, tops, inverse, KEPT_TAIL, 0, MASS);
  sumExponentials(TAIL + VECTOR, 1, others, inverse, KEPT_TAIL + VECTOR, 0, CHANGE);
  sumP = total(MASS);
  sumQ = total(CHANGE);
  const logs = logOf(f64x2.replace_lane(f64x2.splat(sumP), 1, sumQ));
  shift = <f64>other - <f64>top + temper * (f64x2.extract_lane(logs, 1) - f64x2.extract_lane(logs, 0));
  clear<f32>();
  for (let left = whole; left > 0; left -= KEPT_VECTORS) {
    const vectors = min(left, KEPT_VECTORS);
    if (!once) {
      sumExponentials(p, vectors, tops, inverse, KEPT, VECTOR, OTHER);
      sumExponentials(q, vectors, others, inverse, KEPT_Q, VECTOR, OTHER);
    }
    if (kind == KL) stripLogitsKL(p, q, KEPT, KEPT_Q, vectors);
    else stripLogitsJS(p, q, KEPT, KEPT_Q, vectors);
    p += <usize>vectors * VECTOR;
    q += <usize>vectors * VECTOR;
  }
  if (kind == KL) stripLogitsKL(TAIL, TAIL + VECTOR, KEPT_TAIL, KEPT_TAIL + VECTOR, 1);
  else stripLogitsJS(TAIL, TAIL + VECTOR, KEPT_TAIL, KEPT_TAIL + VECTOR, 1);
  factor = 1;
  return accepted(kind, true, !v128.any_true(v128.gt<f32>(v128.load(COMMON), smallest<f32>())), true);
}

/** The value of a whole row; with the gradients, if the flags say so. */
function whole<T>(p: usize, q: usize, gp: usize, gq: usize, n: i32, kind: i32, flags: i32, scale: f64): void {
  if (!(flags & (LOGITS | GRADIENT)) && quick<T>(p, q, n, kind, (flags & NORMALIZE) != 0)) return;
  if (sizeof<T>() == 4 && (flags & (LOGITS | NORMALIZE | GRADIENT)) == (LOGITS | NORMALIZE)) {
    // of few outcomes nothing averages the errors of p and q, which may come to 1e-6
    if (temper >= 1e-8 && temper <= 1e8 && n >= 16 && quickLogits(p, q, n, kind)) return;
  }
  wide(p, q, gp, gq, n, kind, flags, scale, flags & GRADIENT ? 255 : 255 - WRITE);
  if (n == 1 && flags & NORMALIZE) value *= 0; // one outcome: 0 or NaN
}

/** Rows of n elements at p and q: values (f64) at `results`, gradients times `scale` at gp and gq. `steps` for a row in pieces. */
export function divergence<T>(p: usize, q: usize, gp: usize, gq: usize, results: usize, rows: i32, n: i32, kind: i32, flags: i32, temperature: f64, scale: f64, steps: i32): void {
  f64Data = sizeof<T>() == 8;
  temper = temperature;
  if (steps != ALL) {
    wide(p, q, gp, gq, n, kind, flags, scale, steps);
    if (steps & FINISH) store<f64>(results, value);
    return;
  }
  const row = <usize>n * sizeof<T>();
  for (; rows > 0; rows--, results += 8) {
    whole<T>(p, q, gp, gq, n, kind, flags, scale);
    store<f64>(results, value);
    p += row;
    q += row;
    gp += row;
    gq += row;
  }
}

/** Every row at p against every row at q: results[i·stride + j] = value·scale, or its root. */
export function pairwise<T>(p: usize, q: usize, results: usize, rows: i32, columns: i32, stride: i32, n: i32, kind: i32, flags: i32, scale: f64, root: bool): void {
  f64Data = sizeof<T>() == 8;
  temper = 1;
  const row = <usize>n * sizeof<T>();
  for (; rows > 0; rows--, p += row, results += <usize>stride * sizeof<T>()) {
    for (let j = 0; j < columns; j++) {
      whole<T>(p, q + <usize>j * row, 0, 0, n, kind, flags, 0);
      const v = value * scale;
      store<T>(results + <usize>j * sizeof<T>(), <T>(root ? Math.sqrt(v) : v));
    }
  }
}
