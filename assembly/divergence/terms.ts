/**
 * The sums of a row in f64, from blocks, and the value from them.
 *
 *     KL(p/P ‖ q/Q) = D/P − (ε − log(1 + ε)),   D = Σ [q − p − p·log(q/p)],   ε = C/P,   C = Σ(q − p)        exactly
 *     Σ p·log(p/q) = D − C, with D and C over the elements where p and q are close, plus Σ p·log(p/q) over the others:
 *         there a change may be so much larger than the term that nothing would be left of this
 *     JS = ½·KL(p ‖ m) + ½·KL(q ‖ m),   m = (p + q)/2
 */
import { abs, maxKeepNaN, select } from "../lanes";
import { gap, gapNear, LN2, smallest } from "../math/gap";
import { Argument, raise } from "./argument";
import { CHANGES, EIGHT, GIVEN_P, GIVEN_Q, P, Q, RATIOS } from "./block";
import { gapOfSums } from "./bound";
import { KL } from "./codes";
import { logsOverMean } from "./mean";
import { addExactly, CHANGE, HALF_OF_P, HALF_OF_Q, MASS, OVERLAP, TERMS_OF_P, TERMS_OF_Q, total } from "./sums";

/** The divergence of a row. */
export let value: f64 = 0;
/** Σp, and what the halves of JS are of distributions: KL(p ‖ m), KL(q ‖ m); whether no element has both. */
export let massOfP: f64 = 0;
export let halfP: f64 = 0;
export let halfQ: f64 = 0;
export let disjoint = false;

/** Adds eight elements at `at`, or those before `end`, to the sums, for KL; `raw` unless both are made to sum to 1. */
function addTermsOfKL(at: usize, end: usize, raw: bool): void {
  const zero = f64x2.splat(0);
  let terms = zero,
    mass = zero,
    change = zero;
  for (; at < end; at += 16) {
    const p = v128.load(P + at);
    const q = v128.load(Q + at);
    const diff = v128.load(CHANGES + at);
    const ratio = v128.load(RATIOS + at);
    const none = v128.eq<f64>(p, zero);
    const near = v128.lt<f64>(abs<f64>(ratio), f64x2.splat(0.34));
    const far = v128.neg<f64>(v128.mul<f64>(p, ratio));
    const term = select(near, gapNear<f64>(p, q, diff), raw ? far : v128.add<f64>(diff, far));
    terms = v128.add<f64>(terms, select(none, raw ? zero : q, term));
    change = v128.add<f64>(change, raw ? v128.and(diff, near) : diff);
    mass = v128.add<f64>(mass, p);
  }
  addExactly(TERMS_OF_P, terms);
  addExactly(CHANGE, change);
  addExactly(MASS, mass);
}

/** … for JS. */
function addTermsOfJS(at: usize, end: usize): void {
  const zero = f64x2.splat(0);
  const tiny = smallest<f64>();
  let ofP = zero,
    ofQ = zero,
    mass = zero,
    change = zero;
  let overlap = v128.load(OVERLAP);
  for (; at < end; at += 16) {
    const p = v128.load(P + at);
    const q = v128.load(Q + at);
    const diff = v128.load(CHANGES + at);
    const both = v128.add<f64>(p, q);
    const m = maxKeepNaN<f64>(both, tiny);
    ofP = v128.add<f64>(ofP, gap<f64>(maxKeepNaN<f64>(v128.add<f64>(p, p), tiny), m, diff, false));
    ofQ = v128.add<f64>(ofQ, gap<f64>(maxKeepNaN<f64>(v128.add<f64>(q, q), tiny), m, v128.neg<f64>(diff), false));
    mass = v128.add<f64>(mass, both);
    change = v128.add<f64>(change, diff);
    overlap = v128.pmax<f64>(overlap, v128.pmin<f64>(p, q));
  }
  addExactly(TERMS_OF_P, ofP);
  addExactly(TERMS_OF_Q, ofQ);
  addExactly(MASS, mass);
  addExactly(CHANGE, change);
  v128.store(OVERLAP, overlap);
}

/** Adds to the halves of JS, where not both are made to sum to 1; after logsOverMean. */
function addHalves(at: usize, end: usize): void {
  let ofP = f64x2.splat(0),
    ofQ = ofP;
  for (; at < end; at += 16) {
    ofP = v128.add<f64>(ofP, share(v128.load(P + at), v128.load(GIVEN_P + at)));
    ofQ = v128.add<f64>(ofQ, share(v128.load(Q + at), v128.load(GIVEN_Q + at)));
  }
  addExactly(HALF_OF_P, ofP);
  addExactly(HALF_OF_Q, ofQ);
}

/** w·log, 0 where w is. */
// @ts-ignore: decorator
@inline
function share(w: v128, log: v128): v128 {
  return v128.andnot(v128.mul<f64>(w, log), v128.eq<f64>(w, f64x2.splat(0)));
}

/** Adds a block to the sums. */
export function addTerms(count: i32, kind: i32, raw: bool): void {
  const bytes = (<usize>count) << 3;
  if (kind != KL && raw) logsOverMean(count);
  for (let at: usize = 0; at < bytes; at += EIGHT) {
    const end = min(at + EIGHT, bytes);
    if (kind == KL) addTermsOfKL(at, end, raw);
    else addTermsOfJS(at, end);
    if (kind != KL && raw) addHalves(at, end);
  }
}

/** NaN if an element is NaN or negative, a probability infinite, or nothing there to be made to sum to 1; else 0. */
function fault(a: Argument): f64 {
  if (a.normalized) return (a.sum * 0) / a.sum;
  // a sum of finite numbers may be infinite
  if (a.sum == Infinity) return a.logs ? 0 : a.top * 0;
  return a.sum * 0;
}

/** The value of a row whose sums are complete; returns ε, the common error of q, of distributions. */
export function finish(p: Argument, q: Argument, kind: i32, lowering: i32): f64 {
  const d = total(TERMS_OF_P);
  const mass = total(MASS);
  const change = total(CHANGE);
  const raw = !(p.normalized && q.normalized);
  disjoint = false;
  massOfP = mass;
  if (kind == KL) {
    value = raw ? raise(d - change, lowering) : max(d / mass - gapOfSums(change / mass), 0);
  } else {
    const other = total(TERMS_OF_Q);
    const apart = mass > 0 && !v128.any_true(v128.gt<f64>(v128.load(OVERLAP), f64x2.splat(0)));
    massOfP = (mass - change) / 2;
    if (raw) {
      value = raise(apart ? (LN2 / 2) * mass : (d + other) / 4, lowering);
      // a distribution's mass is 1, in its unit: beside a mass of 1e20 it cannot be told from the sum of both
      halfP = p.normalized ? raise(total(HALF_OF_P), lowering) : 0;
      halfQ = q.normalized ? raise(total(HALF_OF_Q), lowering) : 0;
    } else {
      disjoint = apart;
      const x = change / mass;
      value = apart ? LN2 : max(min((d + other) / (2 * mass) - (x * x) / 2, LN2), 0);
      halfP = apart ? LN2 : d / (2 * massOfP);
      halfQ = apart ? LN2 : other / (mass + change);
    }
  }
  value += fault(p) + fault(q);
  return raw ? 0 : kind == KL ? change / mass : (2 * change) / mass;
}
