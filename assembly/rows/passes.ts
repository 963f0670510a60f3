/**
 * The passes that softmax, log-softmax, log-sum-exp, cross-entropy and entropy share, over a batch of rows (batch.ts).
 *
 *     LSE(z) = log Σⱼ e^{zⱼ} = a + log1p(q),     a = max z,   q = Σ_{j ≠ argmax} e^{zⱼ − a}
 *
 * A pass is over units [from, to) of a batch whose first stands at x. A row may be asked for in steps and piece by piece, so that
 * one longer than linear memory streams through it. The bits depend neither on how it was cut nor on the rows beside it.
 */
import {
  byteMask,
  half,
  laneBits,
  lanes,
  largest,
  productError,
  select,
  splat,
  storeTail,
  sumError,
  sumF64,
  VECTOR,
} from "../lanes";
import { expm1Reduced } from "../math/exp";
import { expm1RestShort } from "../math/expShort";
import { addLog } from "../math/log";
import { log1pShort } from "../math/logShort";
import { SUM_BYTES } from "../sum";
import { foldParts, headroomInverse, keepUnit, NARROW, narrowest, sumUnit, TURNED, WIDE } from "./exponential";
import { AIM, ALL, FINISH, SUM_UP } from "./steps";
import {
  across,
  clearParts,
  elementOf,
  FACTOR,
  groups,
  PARTS,
  stateOf,
  step,
  SUM,
  tail,
  TOP,
  unitBytes,
} from "./batch";

/** TOP: the larger of what it was, unless this is where rows begin, and the largest of x. A NaN is passed over here; the sum will hold it. */
export function maxima<T>(x: usize, from: i32, to: i32, begins: bool): void {
  const lowest = splat<T>(<T>-Infinity);
  const apart = step;
  const whole = groups;
  x += <usize>from * unitBytes;
  for (let unit = from; unit < to; unit++) {
    let m0 = begins ? lowest : stateOf<T>(TOP, unit),
      m1 = lowest,
      m2 = lowest,
      m3 = lowest;
    let p = x;
    for (let left = whole; left > 0; left--) {
      m0 = v128.pmax<T>(m0, v128.load(p));
      m1 = v128.pmax<T>(m1, v128.load(p + apart));
      m2 = v128.pmax<T>(m2, v128.load(p + 2 * apart));
      m3 = v128.pmax<T>(m3, v128.load(p + 3 * apart));
      p += 4 * apart;
    }
    if (tail) {
      m0 = v128.pmax<T>(m0, select(byteMask(tail, 0), v128.load(p), lowest));
      m1 = v128.pmax<T>(m1, select(byteMask(tail, 1), v128.load(p + apart), lowest));
      m2 = v128.pmax<T>(m2, select(byteMask(tail, 2), v128.load(p + 2 * apart), lowest));
      m3 = v128.pmax<T>(m3, select(byteMask(tail, 3), v128.load(p + 3 * apart), lowest));
    }
    const m = v128.pmax<T>(v128.pmax<T>(m0, m1), v128.pmax<T>(m2, m3));
    if (across) v128.store(TOP + <usize>unit * VECTOR, m);
    else v128.store(TOP + <usize>unit * sizeof<T>(), largest<T>(m)); // the rows that follow write over the other lanes
    x += unitBytes;
  }
}

/** Of each row: where its first maximum was set apart, as an index; that of no element if it does not stand here. As wide as the type. */
export const HERE: usize = memory.data(512, 16);
/** What stood there, for it may be −0 where TOP is 0. */
const FIRST: usize = memory.data(512, 16);

/** Of a row in pieces, whether its maximum has been set apart in one of them. */
let met = false;

/** The first maximum of each row of n elements becomes −∞, until it is put back: log1p wants the sum of the others alone. */
export function setApart<T>(x: usize, from: i32, to: i32, n: i32, begins: bool): void {
  const passed = met && !begins;
  met = passed;
  x += <usize>from * unitBytes;
  for (let unit = from; unit < to; unit++) {
    const top = stateOf<T>(TOP, unit);
    if (across) setApartAcross<T>(x, unit, n, top);
    else {
      const at = passed ? n : firstOf<T>(x, n, top);
      const state = <usize>unit * sizeof<T>();
      store<i32>(HERE + state, at);
      if (at < n) {
        const p = x + <usize>at * sizeof<T>();
        store<T>(FIRST + state, load<T>(p));
        store<T>(p, <T>-Infinity);
        met = true;
      }
    }
    x += unitBytes;
  }
}

/** The index of the first of n elements that is `top`; if there is none, n or more. */
function firstOf<T>(x: usize, n: i32, top: v128): i32 {
  const end = x + <usize>n * sizeof<T>();
  for (let p = x; p < end; p += 4 * VECTOR) {
    const m0 = v128.eq<T>(v128.load(p), top),
      m1 = v128.eq<T>(v128.load(p, 16), top);
    const m2 = v128.eq<T>(v128.load(p, 32), top),
      m3 = v128.eq<T>(v128.load(p, 48), top);
    if (v128.any_true(v128.or(v128.or(m0, m1), v128.or(m2, m3)))) {
      const low = laneBits<T>(m0) | (laneBits<T>(m1) << lanes<T>());
      const high = laneBits<T>(m2) | (laneBits<T>(m3) << lanes<T>());
      const width = 2 * lanes<T>();
      return <i32>((p - x) / sizeof<T>()) + ctz(low | (high << width));
    }
  }
  return n;
}

/** Lines of a unit that are looked at before it is asked whether every row has met its maximum: a branch that is foreseen seldom. */
const LINES = 16;

/** The same in the lanes: line by line, until every row has met its own. */
function setApartAcross<T>(x: usize, unit: i32, n: i32, top: v128): void {
  const state = <usize>unit * VECTOR;
  const lowest = splat<T>(<T>-Infinity);
  const apart = step;
  let found = i32x4.splat(0),
    at = found,
    first = found;
  for (; n > 0 && !v128.all_true<i32>(found); n -= LINES) {
    for (let left = min(n, LINES); left > 0; left--) {
      const z = v128.load(x);
      const hit = v128.andnot(v128.eq<T>(z, top), found);
      v128.store(x, select(hit, lowest, z));
      first = v128.or(first, v128.and(z, hit));
      found = v128.or(found, hit);
      const passed = v128.not(found);
      at = sizeof<T>() == 4 ? i32x4.sub(at, passed) : i64x2.sub(at, passed);
      x += apart;
    }
  }
  v128.store(HERE + state, at);
  v128.store(FIRST + state, first);
}

/** Rows [from, to) as they were. */
export function putBack<T>(x: usize, from: i32, to: i32, n: i32): void {
  for (let row = from; row < to; row++) {
    const state = <usize>row * sizeof<T>();
    const at = load<i32>(HERE + state);
    if (at < n) store<T>(elementOf<T>(x, row, at), load<T>(FIRST + state));
  }
}

/** Where exponentials that are not wanted go. */
const UNWANTED: usize = memory.data(16, 16);

/**
 * The exponentials of each unit and their SUM: exactly, or (softmax) stored at y, if there is a y. In steps: AIM starts the sums,
 * FINISH ends them.
 */
export function exponentials<T>(x: usize, y: usize, from: i32, to: i32, n: i32, exact: bool, steps: i32): void {
  const narrow = steps == ALL && n <= narrowest<T>();
  const sums = !narrow ? WIDE : across ? NARROW : TURNED;
  const before = <usize>from * unitBytes;
  x += before;
  const yUnit = y ? unitBytes : 0;
  const yStep = y ? step : 0;
  y = y ? y + before : UNWANTED;
  for (let unit = from; unit < to; unit++) {
    if (steps & AIM) clearParts();
    if (steps & SUM_UP) {
      if (exact) sumUnit<T>(x, unit, sums);
      else keepUnit<T>(x, y, yStep, unit, sums);
    }
    if (steps & FINISH) {
      if (!across) {
        collapse<T>(PARTS);
        if (exact) {
          collapse<T>(PARTS + SUM_BYTES);
          if (sizeof<T>() == 8) collapse<T>(PARTS + 2 * SUM_BYTES);
        }
      }
      if (exact) foldParts<T>();
      storeSum<T>(unit);
    }
    x += unitBytes;
    y += yUnit;
  }
}

/** Along a row: the lanes' sums become the row's, one lane after the other, as elements across rows are added. */
// @ts-ignore: decorator
@inline
function collapse<T>(part: usize): void {
  const head = v128.load(part);
  const second = v128.load(part, VECTOR);
  if (sizeof<T>() == 4) {
    const sum = sumF64(head) + f64x2.extract_lane(second, 0) + f64x2.extract_lane(second, 1);
    v128.store(part, f64x2.splat(sum));
  } else {
    const other = i32x4.shuffle(head, head, 2, 3, 0, 1);
    const sum = v128.add<f64>(head, other);
    v128.store(part, sum);
    v128.store(part, v128.add<f64>(sumError(head, other, sum), f64x2.splat(sumF64(second))), VECTOR);
  }
}

/** SUM of a unit. */
// @ts-ignore: decorator
@inline
function storeSum<T>(unit: i32): void {
  const head = v128.load(PARTS);
  const second = v128.load(PARTS, VECTOR);
  if (across) {
    v128.store(SUM + <usize>unit * SUM_BYTES, head);
    v128.store(SUM + <usize>unit * SUM_BYTES, second, VECTOR);
  } else if (sizeof<T>() == 4) {
    v128.store(SUM + <usize>unit * sizeof<f64>(), head); // as TOP
  } else {
    const pair = SUM + <usize>(unit >> 1) * SUM_BYTES;
    if (unit & 1) {
      v128.store64_lane(pair, head, 1, sizeof<f64>());
      v128.store64_lane(pair, second, 1, VECTOR + sizeof<f64>());
    } else {
      v128.store(pair, head);
      v128.store(pair, second, VECTOR);
    }
  }
}

/** Units of rows at y, times FACTOR. */
export function scales<T>(y: usize, units: i32): void {
  const apart = step;
  const whole = groups;
  for (let unit = 0; unit < units; unit++) {
    const f = stateOf<T>(FACTOR, unit);
    let p = y;
    for (let left = whole; left > 0; left--) {
      v128.store(p, v128.mul<T>(v128.load(p), f));
      v128.store(p + apart, v128.mul<T>(v128.load(p + apart), f));
      v128.store(p + 2 * apart, v128.mul<T>(v128.load(p + 2 * apart), f));
      v128.store(p + 3 * apart, v128.mul<T>(v128.load(p + 3 * apart), f));
      p += 4 * apart;
    }
    for (let v = 0; <usize>v * VECTOR < tail; v++, p += apart)
      storeTail(p, byteMask(tail, v), v128.mul<T>(v128.load(p), f));
    y += unitBytes;
  }
}

/** The sum of the rows at offset v, half h, as it stands: with the headroom's factor in it. */
// @ts-ignore: decorator
@inline
export function total<T>(v: usize, h: i32): v128 {
  const sum = SUM + 2 * v;
  if (sizeof<T>() == 8) return v128.add<f64>(v128.load(sum), v128.load(sum, VECTOR));
  return v128.load(sum + <usize>h * VECTOR);
}

/** e^{a}/2ᵏ = 1 + t of each row, as log1p(q) was given it: f64. Of f64 a second half is written behind the last rows', too. */
export const TERM: usize = memory.data(528, 16);

/** Where the f64 of half h of the rows at offset v stand. */
// @ts-ignore: decorator
@inline
export function pairOf<T>(v: usize, h: i32): usize {
  return v * (sizeof<f64>() / sizeof<T>()) + <usize>h * VECTOR;
}

/**
 * base + log(1 + q), q the sum in units of e^{a}, which is 2ᵏ·(1 + t); without the maximum itself where the sum has it
 * (`less` = 1). For f64 the quotient's error is carried along; f32 has digits to spare.
 */
// @ts-ignore: decorator
@inline
function addLogRestOf<T>(base: v128, reduced: v128, v: usize, h: i32, less: f64): v128 {
  const one = f64x2.splat(1);
  const r = half<T>(reduced, h);
  const t = sizeof<T>() == 4 ? v128.add<f64>(r, expm1RestShort(r)) : expm1Reduced<f64>(r);
  const sum = v128.mul<f64>(total<T>(v, h), f64x2.splat(headroomInverse<T>()));
  const top = v128.add<f64>(one, t);
  v128.store(TERM + pairOf<T>(v, h), top);
  const q = v128.div<f64>(sum, top);
  if (sizeof<T>() == 4) {
    // elements cut off at the floor are 0 of f32
    const seen = v128.andnot(q, v128.lt<f64>(q, f64x2.splat(1.401298464324817e-45)));
    return v128.add<f64>(base, log1pShort(v128.sub<f64>(seen, f64x2.splat(less))));
  }
  const rest = v128.sub<f64>(q, f64x2.splat(less));
  const u = v128.add<f64>(one, rest);
  const product = v128.mul<f64>(q, top);
  const lost = v128.mul<f64>(
    sumError(v128.load(SUM + 2 * v), v128.load(SUM + 2 * v, VECTOR), total<T>(v, h)),
    f64x2.splat(headroomInverse<T>()),
  );
  const remainder = v128.sub<f64>(v128.sub<f64>(sum, product), productError(q, top, product));
  const missing = v128.sub<f64>(v128.add<f64>(remainder, lost), v128.mul<f64>(q, sumError(one, t, top)));
  const c = v128.add<f64>(sumError(one, rest, u), v128.div<f64>(missing, top));
  return addLog(base, u, c, f64x2.splat(0));
}

/** The same of either half of the rows whose `reducedTop` is given. */
export function addLogRest<T>(base: v128, reduced: v128, v: usize, h: i32, less: f64): v128 {
  return h ? addLogRestOf<T>(base, reduced, v, 1, less) : addLogRestOf<T>(base, reduced, v, 0, less);
}
