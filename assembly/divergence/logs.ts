/**
 * KL of two rows of logarithms, a and b, both made to sum to 1, and its gradients: in f64 whatever the type, in one pass behind the maxima.
 *
 *     w = e^{(a − top)/T},   δ = (b − a − apart)/T,   E = e^δ − 1            top = max a,  apart = max b − max a
 *     P = Σ w,   C = Σ w·E,   D = Σ w·(E − δ),   ε = C/P
 *     KL = D/P − (ε − log(1 + ε))                                             exactly, whatever top and apart are
 *     p = w/P,   log(q/p) = δ − log(1 + ε),   q − p = p·(E − ε)/(1 + ε)
 *
 * So neither e^b nor a logarithm of a sum is taken, and what is common to all δ costs no digits. With n and r of math/exp.ts, s = 2ⁿ:
 *
 *     E = s·(r + ρ) + (s − 1),   E − δ = s·ρ + ((s·r − δ) + (s − 1)),   ρ = e^r − 1 − r            r + ρ and ρ where n = 0
 *
 * A term errs by τ of itself, 5·10⁻⁹ in f32 (by the polynomial of math/expShort.ts) and 40 u + |δ|·u in f64; w and E likewise. If each w errs
 * by η of itself, KL does by 2·η at most, as its derivatives p·(χ(Δ) − KL), Δ = log(q/p) and χ(Δ) = e^Δ − 1 − Δ ≥ 0, add up to 0. C errs
 * by τ·S, S = Σ w·|E|, and the value by that times |ε|/(P + C) ≤ 3·τ·D/P for ε ≥ −½, as |ε|·P ≤ S and S² ≤ D·(6·P + 4·C)/3 (bound.ts). So all is
 * well below 10⁻⁶ and 10⁻¹⁰ where D/P ≤ 16·KL. Where it is more, or ε less, `apart` was far from LSE_b − LSE_a: then it is set to that, and the row is
 * taken once more.
 *
 * In f64 the rounding of b − a is made good. In f32 it is left, where no maximum is beyond 512·T: below 2^−43 in δ, it changes KL by 2^−43·Σ|p − q|
 * ≤ 2^−42·√(KL/2), less than 10⁻⁶ of it down to 10⁻¹³, and of less by no more than 10⁻¹⁹.
 *
 * The sum of a block is added exactly. Of f64 a δ above HIGHEST is left to wide.ts: q = p·e^δ errs by |δ|·u of itself.
 *
 * Elements that are below e^−680 of the largest in both rows (of f64, −∞ in both) have no share. A row where that is so in one alone, and one
 * with a sum that is no number, is left to wide.ts.
 */
import { constant, loadPair, madd, maxKeepNaN, sumError } from "../lanes";
import { biasedMultiple, EXP, EXP_COEFFICIENTS, EXP_ONE, expm1Rest, multiple, powerOfTwo, reduce } from "../math/exp";
import { expm1RestShort, reduceShort } from "../math/expShort";
import { maximum } from "./argument";
import { BLOCK, KEPT, narrow, P, Q, RATIOS, turnTo } from "./block";
import { gapOfSums } from "./bound";
import { addExactly, CHANGE, clearSums, MASS, TERMS_OF_P, total } from "./sums";

/** The exponent below which w is 0. So δ is below 680 + log n: at the largest b, w·e^δ is 1, and `apart` is lowered by log P at most. */
const LOWEST: f64 = -680;

/** Where a lane of it is not 0, the row is left to wide.ts. */
const REFUSED: usize = memory.data(16, 16);
/** Of f64: with a larger δ the error of q = p·e^δ, |δ|·u of itself, might be seen in the sum of all and in the gradients. */
const HIGHEST: f64 = 16;

/** What all elements of a row have in common. */
let top: f64 = 0;
let apart: f64 = 0;
let inverse: f64 = 1; // 1/T
let floorOfA: f64 = 0;
let floorOfB: f64 = 0;

/** r of what is given as T. */
// @ts-ignore: decorator
@inline
function reduced<T>(x: v128, biased: v128): v128 {
  const n = multiple<f64>(biased);
  return sizeof<T>() == 4 ? reduceShort(x, n) : reduce<f64>(x, n);
}

/** ρ. */
// @ts-ignore: decorator
@inline
function rest<T>(r: v128): v128 {
  return sizeof<T>() == 4 ? expm1RestShort(r) : expm1Rest<f64>(r, EXP_COEFFICIENTS<f64>());
}

/** Adds up to a block of elements to the sums, and leaves w, E and δ at P, Q and RATIOS. What is behind the last of an odd number can be read. */
function add<T>(x: usize, y: usize, count: i32): void {
  const one = constant<f64>(EXP<f64>(), EXP_ONE);
  const lowest = f64x2.splat(LOWEST);
  const origin = f64x2.splat(top);
  const shift = f64x2.splat(apart);
  const perT = f64x2.splat(inverse);
  const leastA = f64x2.splat(floorOfA);
  const leastB = f64x2.splat(floorOfB);
  let mass = f64x2.splat(0),
    changes = mass,
    terms = mass;
  let refused = v128.load(REFUSED);
  for (let at: usize = 0; count > 0; count -= 2, x += 2 * sizeof<T>(), y += 2 * sizeof<T>(), at += 16) {
    let a = loadPair<T>(x);
    let b = loadPair<T>(y);
    if (count == 1) {
      a = f64x2.replace_lane(a, 1, -Infinity);
      b = f64x2.replace_lane(b, 1, -Infinity);
    }
    const low = v128.lt<f64>(a, leastA);
    refused = v128.or(refused, v128.andnot(low, v128.lt<f64>(b, leastB)));

    const z = v128.mul<f64>(v128.sub<f64>(a, origin), perT);
    if (sizeof<T>() == 8) refused = v128.or(refused, v128.andnot(v128.lt<f64>(z, lowest), low));
    const clamped = maxKeepNaN<f64>(z, lowest);
    const bits = biasedMultiple<f64>(clamped);
    const r = reduced<T>(clamped, bits);
    const e = v128.mul<f64>(v128.add<f64>(one, v128.add<f64>(r, rest<T>(r))), powerOfTwo<f64>(bits));
    const w = v128.andnot(e, low);

    const h = v128.sub<f64>(b, a);
    let d = v128.sub<f64>(h, shift);
    if (sizeof<T>() == 8) d = v128.add<f64>(d, sumError(b, v128.neg<f64>(a), h));
    d = v128.andnot(v128.mul<f64>(d, perT), low);
    if (sizeof<T>() == 8) refused = v128.or(refused, v128.gt<f64>(d, f64x2.splat(HIGHEST)));
    const clampedD = maxKeepNaN<f64>(d, lowest);
    const bitsD = biasedMultiple<f64>(clampedD);
    const rD = reduced<T>(clampedD, bitsD);
    const rho = rest<T>(rD);
    const s = powerOfTwo<f64>(bitsD);
    const less = v128.sub<f64>(s, one);
    const E = madd<f64>(s, v128.add<f64>(rD, rho), less);
    const term = madd<f64>(s, rho, v128.add<f64>(v128.sub<f64>(v128.mul<f64>(s, rD), d), less));

    mass = v128.add<f64>(mass, w);
    changes = madd<f64>(w, E, changes);
    terms = madd<f64>(w, term, terms);
    v128.store(P + at, w);
    v128.store(Q + at, E);
    v128.store(RATIOS + at, d);
  }
  addExactly(MASS, mass);
  addExactly(CHANGE, changes);
  addExactly(TERMS_OF_P, terms);
  v128.store(REFUSED, refused);
}

/** Turns w and E of a block into the gradients times `scale`: p·(log(p/q) − KL) by p, q − p by q. */
function slopes(count: i32, epsilon: f64, from: f64, scale: f64): void {
  const zero = f64x2.splat(0);
  const e = f64x2.splat(epsilon);
  const origin = f64x2.splat(from);
  const byP = f64x2.splat(scale);
  const byQ = f64x2.splat(scale / (1 + epsilon));
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    const w = v128.load(P + at);
    const slopeOfP = v128.mul<f64>(w, v128.sub<f64>(origin, v128.load(RATIOS + at)));
    const slopeOfQ = v128.mul<f64>(w, v128.sub<f64>(v128.load(Q + at), e));
    // + 0, as nothing times a negative number is −0
    v128.store(P + at, v128.add<f64>(v128.mul<f64>(slopeOfP, byP), zero));
    v128.store(Q + at, v128.add<f64>(v128.mul<f64>(slopeOfQ, byQ), zero));
  }
}

/** Adds the block of rows of n elements that begins with element i to the sums. */
function addBlock(width: usize, x: usize, y: usize, i: i32, n: i32): void {
  const from = <usize>i * width;
  const count = min(n - i, BLOCK);
  turnTo(i, n <= KEPT);
  if (width == 4) add<f32>(x + from, y + from, count);
  else add<f64>(x + from, y + from, count);
}

/** KL of rows of n elements at x and y, or NaN if it is left to wide.ts; with the gradients times `scale` where gx, gy are not 0. */
export function logs(
  width: usize,
  x: usize,
  y: usize,
  gx: usize,
  gy: usize,
  n: i32,
  temperature: f64,
  scale: f64,
): f64 {
  if (!(temperature > 1e-9 && temperature < 1e9)) return NaN;
  top = maximum(width, x, n, -Infinity);
  const other = maximum(width, y, n, -Infinity);
  const most: f64 = width == 4 ? 512 * temperature : 1e300;
  if (!(max(Math.abs(top), Math.abs(other)) < most)) return NaN;
  inverse = 1 / temperature;
  apart = other - top;
  // of f64 nothing is so small that its gradient would be 0
  floorOfA = width == 4 ? top + LOWEST * temperature : -f64.MAX_VALUE;
  floorOfB = width == 4 ? other + LOWEST * temperature : -f64.MAX_VALUE;
  for (let turn = 0; turn < 2; turn++) {
    clearSums<f64>();
    v128.store(REFUSED, f64x2.splat(0));
    for (let i = 0; i < n; i += BLOCK) addBlock(width, x, y, i, n);
    const mass = total(MASS);
    const epsilon = total(CHANGE) / mass;
    const common = gapOfSums(epsilon);
    const d = total(TERMS_OF_P) / mass;
    const value = max(d - common, 0);
    if (v128.any_true(v128.load(REFUSED)) || !(value - value == 0)) return NaN;
    const shift = epsilon - common; // log(1 + ε)
    if (epsilon >= -0.5 && d <= 16 * value) {
      if (!(gx | gy)) return value;
      for (let i = 0; i < n; i += BLOCK) {
        if (n > KEPT) addBlock(width, x, y, i, n);
        else turnTo(i, true);
        const count = min(n - i, BLOCK);
        slopes(count, epsilon, shift - value, (scale * inverse) / mass);
        if (gx) narrow(P, gx + <usize>i * width, width, count);
        if (gy) narrow(Q, gy + <usize>i * width, width, count);
      }
      return value;
    }
    apart += shift * temperature;
  }
  return NaN;
}
