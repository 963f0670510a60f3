/**
 * log Σⱼ wⱼ·e^{zⱼ} along rows: SciPy's logsumexp with b. Weights may be negative; an element of weight 0 is absent.
 *
 * Where the weights are positive, and neither tiny nor huge,
 *
 *     = a + log(w_a + Σ_{j ≠ argmax} wⱼ·e^{zⱼ − a}),    a the maximum of what is present
 *
 * and elsewhere, where terms cancel or a weight makes up for a distant logit, an exact sum of the terms (sum.ts):
 *
 *     zⱼ − a′ = nⱼ·ln 2 + rⱼ,     e^{rⱼ} = 1 + tⱼ,     wⱼ = mⱼ·2^{eⱼ},          a′ = a if |a| > 1024, else 0
 *     = a′ + log Σⱼ 2^{nⱼ + eⱼ}·(mⱼ + mⱼ·tⱼ)                                     the product in two parts, without an error
 *
 * The terms are linear in w to the last bit: what cancels leaves nothing, in any order, and what is left errs by the 0.4 u of
 * each tⱼ. An element more than 4096 below the maximum, of which it is e^-4096, is absent.
 *
 * In f64 for either type. The row at x is a copy, in which absent elements become −∞. Steps as in softmax.ts.
 */
import { abs, constant, GROUP, madd, maxLane, nmadd, productError, select, splat, sumError, VECTOR } from "../lanes";
import {
  biasedMultiple,
  EXP,
  EXP_COEFFICIENTS,
  EXP_LN2_HEAD,
  EXP_LN2_TAIL,
  EXP_MAGIC,
  expm1Reduced,
  expm1Rest,
  multiple,
} from "../math/exp";
import { addLog } from "../math/log";
import { aims, headroomInverse, reducedTop, temper, weighStrip } from "../rows/exponential";
import { exponentials, HERE, setApart, total } from "../rows/passes";
import { AIM, BEGIN, FINISH, MAXIMUM, SUM_UP } from "../rows/steps";
import { clearParts, placeAlong, TOP } from "../rows/batch";
import { loadTailGroup, TAIL, tailLength, wholeGroups } from "../rows/strip";
import { addExactly, carryExactly, exactExponent, exactHead, exactTail, readExactly } from "../sum";

/** The padded last group of the weights. */
const WEIGHTS_TAIL: usize = memory.data(64, 16);

/** The smallest and the largest weight of what is present. */
const LEAST: usize = memory.data(16, 16);
const MOST: usize = memory.data(16, 16);

/** Weights between these leave the plain sum far from what it cuts off, 2^-1096 of the maximum, and from overflow. */
const TINY: f64 = 6.223015277861142e-61; // 2^-200
const HUGE: f64 = 1.6069380442589903e60; // 2^200

let exact = false;

/** The weight of the maximum. */
let topWeight: f64 = 0;

/** a′ and a − a′, for the exact sum. */
let origin: f64 = 0;
let nearest: f64 = 0;
const LIMIT: f64 = 1024;
const REACH: f64 = 4096;

/**
 * In the exact sum m counts 2^LIFT to 2^(LIFT + 1), so that m·t is a normal number however small t. Its shift n + e + UP is
 * positive: n is from −7387, that of −LIMIT − REACH, to 1478, e from −1074 to 1023.
 */
const LIFT: i64 = 200;
const UP: i64 = 8672;
const CHUNKS = 385;
const TERMS: usize = memory.data(3080, 16);

/**
 * What is absent becomes −∞. TOP: the maximum of the rest; NaN where a term has no value, which ∞ times a negative number, 0·∞
 * and NaN do not have; +∞ where a weight is.
 */
function presentStrip(x: usize, w: usize, count: i32): void {
  const zero = f64x2.splat(0);
  const infinite = f64x2.splat(Infinity);
  let top = v128.load(TOP);
  let least = v128.load(LEAST);
  let most = v128.load(MOST);
  for (let vectors = 4 * count; vectors > 0; vectors--) {
    const z = v128.load(x);
    const weight = v128.load(w);
    const masked = v128.eq<f64>(z, v128.neg<f64>(infinite));
    const boundless = v128.eq<f64>(abs<f64>(weight), infinite);
    const negative = v128.and(v128.lt<f64>(weight, zero), v128.or(boundless, v128.eq<f64>(z, infinite)));
    const none = v128.or(v128.or(negative, v128.and(masked, boundless)), v128.ne<f64>(weight, weight));
    const term = v128.or(select(v128.and(boundless, v128.eq<f64>(z, z)), infinite, z), none);
    const absent = v128.eq<f64>(weight, zero);
    const present = select(absent, v128.neg<f64>(infinite), term);
    v128.store(x, present);
    top = v128.max<f64>(top, present);
    const usual = v128.or(absent, masked);
    least = v128.pmin<f64>(least, select(usual, least, weight));
    most = v128.pmax<f64>(most, select(usual, most, weight));
    x += VECTOR;
    w += VECTOR;
  }
  v128.store(TOP, top);
  v128.store(LEAST, least);
  v128.store(MOST, most);
}

/** Adds m + product + rest, all three moved up as far. */
function addTerm(m: f64, product: f64, rest: f64, shift: i64): void {
  const up = <i32>(shift + UP - LIFT - 1023);
  addExactly(TERMS, m, up);
  addExactly(TERMS, product, up);
  addExactly(TERMS, rest, up);
}

/** Adds the terms of a strip to the exact sum. */
function addTerms(x: usize, w: usize, count: i32): void {
  const table = EXP<f64>();
  const magic = constant<f64>(table, EXP_MAGIC);
  const tail = constant<f64>(table, EXP_LN2_TAIL);
  const from = splat<f64>(origin);
  const near = splat<f64>(nearest);
  const floor = splat<f64>(nearest - REACH);
  const smallest = splat<f64>(2.2250738585072014e-308);
  for (let vectors = 4 * count; vectors > 0; vectors--) {
    const z = v128.sub<f64>(v128.load(x), from);
    // none other has room in the sum: memory may have changed since the maximum was taken
    const within = v128.and(v128.ge<f64>(z, floor), v128.le<f64>(z, near));
    if (v128.any_true(within)) {
      const biased = biasedMultiple<f64>(z);
      const n = multiple<f64>(biased);
      const high = nmadd<f64>(n, constant<f64>(table, EXP_LN2_HEAD), z);
      const r = nmadd<f64>(n, tail, high);
      const p = v128.add<f64>(expm1Rest<f64>(r, EXP_COEFFICIENTS<f64>()), nmadd<f64>(n, tail, v128.sub<f64>(high, r)));
      const t = v128.add<f64>(r, p);
      const weight = v128.load(w);
      const subnormal = v128.lt<f64>(abs<f64>(weight), smallest);
      const normal = select(subnormal, v128.mul<f64>(weight, splat<f64>(18014398509481984)), weight); // 2^54
      const fraction = v128.and(normal, i64x2.splat(0x800fffffffffffff));
      const m = v128.or(fraction, i64x2.splat((1023 + LIFT) << 52));
      const e = v128.and(i64x2.shr_u(normal, 52), i64x2.splat(0x7ff));
      const shift = i64x2.add(i64x2.sub(e, v128.and(subnormal, i64x2.splat(54))), i64x2.sub(biased, magic));
      const product = v128.mul<f64>(m, t);
      const rest = productError(m, t, product);
      if (i64x2.extract_lane(within, 0))
        addTerm(
          f64x2.extract_lane(m, 0),
          f64x2.extract_lane(product, 0),
          f64x2.extract_lane(rest, 0),
          i64x2.extract_lane(shift, 0),
        );
      if (i64x2.extract_lane(within, 1))
        addTerm(
          f64x2.extract_lane(m, 1),
          f64x2.extract_lane(product, 1),
          f64x2.extract_lane(rest, 1),
          i64x2.extract_lane(shift, 1),
        );
    }
    x += VECTOR;
    w += VECTOR;
  }
}

/** The result; a maximum that is infinite or NaN is the result itself. */
function finishWeighted(): f64 {
  const top = f64x2.extract_lane(v128.load(TOP), 0);
  if (top - top != 0) return top;
  if (exact) {
    const sign = readExactly(TERMS, CHUNKS);
    if (sign <= 0) return sign < 0 ? NaN : -Infinity;
    const exponent = f64x2.splat(<f64>(exactExponent - <i32>UP));
    return f64x2.extract_lane(addLog(f64x2.splat(origin), f64x2.splat(exactHead), f64x2.splat(exactTail), exponent), 0);
  }
  const scaled = v128.mul<f64>(total<f64>(0, 0), f64x2.splat(headroomInverse<f64>()));
  const rest = v128.div<f64>(scaled, v128.add<f64>(f64x2.splat(1), expm1Reduced<f64>(reducedTop<f64>(0))));
  const weight = f64x2.splat(topWeight);
  const sum = v128.add<f64>(weight, rest);
  return f64x2.extract_lane(addLog(f64x2.splat(top), sum, sumError(weight, rest, sum), f64x2.splat(0)), 0);
}

/** Which sum the row takes; a′. */
function aimWeighted(): void {
  const top = maxLane<f64>(v128.load(TOP));
  v128.store(TOP, splat<f64>(top));
  aims<f64>(1);
  origin = Math.abs(top) > LIMIT ? top : 0;
  nearest = top - origin;
  const least = min(load<f64>(LEAST), load<f64>(LEAST, 8));
  const most = max(load<f64>(MOST), load<f64>(MOST, 8));
  exact = least < TINY || most > HUGE;
  if (exact) memory.fill(TERMS, 0, CHUNKS * 8);
}

export function weightedRows(x: usize, w: usize, y: usize, rows: i32, n: i32, steps: i32): void {
  temper<f64>(1);
  const groups = wholeGroups<f64>(n);
  const tail = tailLength<f64>(n);
  const body = <usize>groups * GROUP;
  const row = <usize>n * sizeof<f64>();
  placeAlong<f64>(n);
  for (; rows > 0; rows--) {
    if (steps & BEGIN) {
      v128.store(TOP, splat<f64>(-Infinity));
      clearParts();
      v128.store(LEAST, f64x2.splat(1));
      v128.store(MOST, f64x2.splat(1));
    }
    if (steps & (MAXIMUM | SUM_UP)) {
      presentStrip(x, w, groups);
      if (tail) {
        loadTailGroup<f64>(w + body, tail, 0);
        memory.copy(WEIGHTS_TAIL, TAIL, GROUP);
        loadTailGroup<f64>(x + body, tail, -Infinity);
        presentStrip(TAIL, WEIGHTS_TAIL, 1);
        memory.copy(x + body, TAIL, <usize>tail * sizeof<f64>());
      }
    }
    if (steps & AIM) aimWeighted();
    if (steps & SUM_UP) {
      if (!exact) {
        setApart<f64>(x, 0, 1, n, (steps & AIM) != 0);
        const at = load<i32>(HERE);
        if (at < n) topWeight = load<f64>(w + <usize>at * sizeof<f64>());
      }
      if (exact) addTerms(x, w, groups);
      else weighStrip(x, w, groups);
      if (tail) {
        loadTailGroup<f64>(x + body, tail, -Infinity);
        if (exact) addTerms(TAIL, WEIGHTS_TAIL, 1);
        else weighStrip(TAIL, WEIGHTS_TAIL, 1);
      }
      if (exact) carryExactly(TERMS, CHUNKS);
    }
    if (steps & FINISH) {
      exponentials<f64>(x, 0, 0, 1, n, true, FINISH);
      store<f64>(y, finishWeighted());
      y += sizeof<f64>();
    }
    x += row;
    w += row;
  }
}
