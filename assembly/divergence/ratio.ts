/**
 * p, q, q − p and log(q/p) of a block, which lose nothing where p and q are nearly equal:
 *
 *     probabilities   q is multiplied by P/Q, in two parts, and the product's rounding error kept; p stays as it is
 *     logarithms      Δ = log(q/p) = (b − a)/T − (LSE_b − LSE_a) from exact differences, and q − p = p·(e^Δ − 1)
 *     mixed           Δ likewise of log p and log q in two parts each: of a probability by math/logPair.ts, of a logit b/T with its remainder;
 *                     in one part where that is enough
 *
 * P/Q and LSE_b − LSE_a have errors of their own, common to all elements: the change Σ(q − p) that remains tells them, and they are corrected by it
 * before gradients are written; the value has it taken out.
 */
import { abs, maxKeepNaN, productError, select, sumError } from "../lanes";
import { EXP_COEFFICIENTS, expm1Rest } from "../math/exp";
import { expm1RestShort } from "../math/expShort";
import { logRatio, smallest } from "../math/gap";
import { logPair } from "../math/logPair";
import { logarithm } from "../rows/elementwise";
import { Argument, exponents, inverseOf, logOf, logOfSum, originOf, perTemperature } from "./argument";
import { CHANGES, GIVEN_P, GIVEN_Q, P, Q, RATIOS } from "./block";

/** P/Q and its small part. */
let factor: f64 = 1;
let factorRest: f64 = 0;
/** LSE_b − LSE_a without the maxima, and its small part. */
let shift: f64 = 0;
let shiftRest: f64 = 0;

/** Begins with what is common to all elements, now that the sums are known. */
export function settle(p: Argument, q: Argument): void {
  factorRest = shiftRest = 0;
  factor = !p.logs && !q.logs && p.normalized ? p.sum / q.sum : 1;
  shift = logOfSum(q) - logOfSum(p);
}

/** Takes out a common error ε: q is larger by 1 + ε than it should be. */
export function correct(epsilon: f64): void {
  if (!(Math.abs(epsilon) < 1e-6)) return; // a NaN, or a row without mass: nothing that rounding did
  shiftRest += epsilon * (1 - epsilon / 2);
  factorRest -= (factor * epsilon) / (1 + epsilon);
}

/** The same of a block that has been kept: log(q/p) and q − p. */
export function correctBlock(epsilon: f64, count: i32): void {
  if (epsilon == 0 || !(Math.abs(epsilon) < 1e-6)) return;
  const e = f64x2.splat(epsilon);
  const half = f64x2.splat(epsilon / 2);
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    // ε·q but for ε·(q − p)/2, which is less than the rounding of q − p: so p and q may change places
    const both = v128.add<f64>(v128.load(P + at), v128.load(Q + at));
    v128.store(CHANGES + at, v128.sub<f64>(v128.load(CHANGES + at), v128.mul<f64>(both, half)));
    v128.store(RATIOS + at, v128.sub<f64>(v128.load(RATIOS + at), e));
  }
}

/** Fills P, Q, CHANGES and RATIOS from GIVEN_P and GIVEN_Q and their weights at wp and wq, all 2^lowering times smaller. */
export function compare(p: Argument, q: Argument, wp: usize, wq: usize, count: i32, lowering: i32): void {
  if (!p.logs && !q.logs) {
    compareProbabilities(wp, wq, p.single, count);
    return;
  }
  if (p.logs && q.logs && p.temperature == q.temperature && p.unit == q.unit) compareLogs(p, q, count);
  else if (p.single && p.normalized && q.normalized) compareBriefly(p, q, count);
  else compareMixed(p, q, count);
  changesOfRatios(wp, wq, inverseOf(p, lowering), inverseOf(q, lowering), p.single, count);
}

// @ts-ignore: decorator
@inline
function upperHalf(a: v128, split: v128): v128 {
  const product = v128.mul<f64>(a, split);
  return v128.sub<f64>(product, v128.sub<f64>(product, a));
}

function compareProbabilities(wp: usize, wq: usize, single: bool, count: i32): void {
  const f = f64x2.splat(factor);
  const split = f64x2.splat(134217729); // 2^27 + 1: what is of 26 bits each has exact products (Dekker)
  const f1 = upperHalf(f, split);
  const f2 = v128.sub<f64>(f, f1);
  const fRest = f64x2.splat(factorRest);
  const tiny = smallest<f64>();
  const largest = f64x2.splat(1e300);
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    let p = v128.load(wp + at);
    const own = v128.load(wq + at);
    let q = v128.mul<f64>(own, f);
    let error = v128.mul<f64>(own, fRest);
    // of f32 the rounding of the product, u of f64, is too little to matter
    if (!single) {
      const own1 = upperHalf(own, split);
      const own2 = v128.sub<f64>(own, own1);
      let lost = v128.add<f64>(v128.sub<f64>(v128.mul<f64>(own1, f1), q), v128.mul<f64>(own1, f2));
      lost = v128.add<f64>(v128.add<f64>(lost, v128.mul<f64>(own2, f1)), v128.mul<f64>(own2, f2));
      error = v128.add<f64>(lost, error);
    }
    const diff = v128.add<f64>(v128.sub<f64>(q, p), error);
    let ratio = logRatio<f64>(maxKeepNaN<f64>(p, tiny), maxKeepNaN<f64>(q, tiny), error, true);
    const odd = v128.or(v128.or(v128.lt<f64>(p, tiny), v128.lt<f64>(q, tiny)), v128.gt<f64>(q, largest));
    if (v128.any_true(odd)) {
      const a = v128.load(GIVEN_P + at);
      const b = v128.load(GIVEN_Q + at);
      ratio = select(odd, v128.sub<f64>(v128.sub<f64>(logOf(b), logOf(a)), f64x2.splat(shift)), ratio);
      // a probability that is not 0 must not become 0 by scaling
      const zero = f64x2.splat(0);
      const least = f64x2.splat(5e-324);
      p = select(v128.gt<f64>(a, zero), maxKeepNaN<f64>(p, least), p);
      q = select(v128.gt<f64>(b, zero), maxKeepNaN<f64>(q, least), q);
    }
    v128.store(P + at, p);
    v128.store(Q + at, q);
    v128.store(CHANGES + at, diff);
    v128.store(RATIOS + at, ratio);
  }
}

function compareLogs(p: Argument, q: Argument, count: i32): void {
  const zero = f64x2.splat(0);
  const unit = f64x2.splat(p.unit);
  const originP = f64x2.splat(originOf(p));
  const originQ = f64x2.splat(originOf(q));
  const h0 = v128.sub<f64>(originQ, originP);
  const l0 = v128.add<f64>(sumError(originQ, v128.neg<f64>(originP), h0), f64x2.splat(p.temperature * shiftRest));
  const s = f64x2.splat(p.temperature * shift);
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    const a = v128.mul<f64>(v128.load(GIVEN_P + at), unit);
    const b = v128.mul<f64>(v128.load(GIVEN_Q + at), unit);
    const h = v128.sub<f64>(b, a);
    const finite = v128.eq<f64>(v128.sub<f64>(h, h), zero);
    const l = v128.and(sumError(b, v128.neg<f64>(a), h), finite);
    const ratio = v128.add<f64>(v128.sub<f64>(v128.sub<f64>(h, h0), s), v128.sub<f64>(l, l0));
    v128.store(RATIOS + at, perTemperature(p, ratio));
  }
}

/** The logarithms of an argument in two parts, of two elements at a time. */
const LOG_P: usize = memory.data(32, 16);
const LOG_Q: usize = memory.data(32, 16);

function logOfElement(a: Argument, x: v128, to: usize): void {
  if (!a.logs) {
    logPair(x, to);
    return;
  }
  const origin = f64x2.splat(originOf(a));
  const t = f64x2.splat(a.temperature);
  x = v128.mul<f64>(x, f64x2.splat(a.unit));
  const z = v128.sub<f64>(x, origin);
  const head = v128.div<f64>(z, t);
  const back = v128.mul<f64>(head, t);
  // z − head·t is exact
  let rest = v128.sub<f64>(v128.sub<f64>(z, back), productError(head, t, back));
  rest = v128.div<f64>(v128.add<f64>(rest, sumError(x, v128.neg<f64>(origin), z)), t);
  v128.store(to, head);
  v128.store(to, v128.and(rest, v128.eq<f64>(v128.sub<f64>(rest, rest), f64x2.splat(0))), 16);
}

function compareMixed(p: Argument, q: Argument, count: i32): void {
  const zero = f64x2.splat(0);
  const s = f64x2.splat(shift);
  const sRest = f64x2.splat(shiftRest);
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    logOfElement(p, v128.load(GIVEN_P + at), LOG_P);
    logOfElement(q, v128.load(GIVEN_Q + at), LOG_Q);
    const a = v128.load(LOG_P);
    const b = v128.load(LOG_Q);
    const h = v128.sub<f64>(b, a);
    const finite = v128.eq<f64>(v128.sub<f64>(h, h), zero);
    const l = v128.and(
      v128.add<f64>(sumError(b, v128.neg<f64>(a), h), v128.sub<f64>(v128.load(LOG_Q, 16), v128.load(LOG_P, 16))),
      finite,
    );
    v128.store(RATIOS + at, v128.add<f64>(v128.sub<f64>(h, s), v128.sub<f64>(l, sRest)));
  }
}

/** log p or (x − top)/T of a block. */
function logsOf(a: Argument, block: usize, count: i32, to: usize): void {
  if (a.logs) exponents(a, block, count, to);
  else logarithm(block, to, count);
}

/**
 * The same of distributions given in f32, with logarithms of one part. These err by u·|log p| of f64, 2^-46 at most, which changes a divergence by
 * 2^-46·Σ|p − q| ≤ 2^-45·√(2·KL) or, of JS, 2^-45·√(2·JS): by less than 10^-6 of it down to 10^-13, and of less by no more than 10^-19.
 */
function compareBriefly(p: Argument, q: Argument, count: i32): void {
  logsOf(p, GIVEN_P, count, CHANGES);
  logsOf(q, GIVEN_Q, count, RATIOS);
  const s = f64x2.splat(shift);
  const rest = f64x2.splat(shiftRest);
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    const h = v128.sub<f64>(v128.load(RATIOS + at), v128.load(CHANGES + at));
    v128.store(RATIOS + at, v128.sub<f64>(v128.sub<f64>(h, s), rest));
  }
}

/** p and q, and q − p: where log(q/p) is small from that and the smaller of the two, so that p and q may change places; elsewhere nothing cancels. */
function changesOfRatios(wp: usize, wq: usize, inverseP: f64, inverseQ: f64, single: bool, count: i32): void {
  const zero = f64x2.splat(0);
  const limit = f64x2.splat(0.34);
  const scaleP = f64x2.splat(inverseP);
  const scaleQ = f64x2.splat(inverseQ);
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    const p = v128.mul<f64>(v128.load(wp + at), scaleP);
    const q = v128.mul<f64>(v128.load(wq + at), scaleQ);
    const ratio = v128.load(RATIOS + at);
    const size = abs<f64>(ratio);
    const near = v128.lt<f64>(size, limit);
    const up = v128.gt<f64>(ratio, zero);
    const r = v128.and(size, near);
    const rest = single ? expm1RestShort(r) : expm1Rest<f64>(r, EXP_COEFFICIENTS<f64>());
    const change = v128.mul<f64>(select(up, p, q), v128.add<f64>(rest, r));
    v128.store(P + at, p);
    v128.store(Q + at, q);
    v128.store(CHANGES + at, select(near, select(up, change, v128.neg<f64>(change)), v128.sub<f64>(q, p)));
  }
}
