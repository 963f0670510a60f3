/**
 * The gradients of a block with respect to the arguments as given, from the value and what ratio.ts leaves.
 *
 *     by p:   KL  log(p/q) − KL,  as it is log(p/q) + 1         JS  ½·(log(p/m) − KL(p ‖ m)),  as it is ½·log(p/m)
 *     by q:   KL  1 − p/q,        as it is −p/q                 JS  ½·(log(q/m) − KL(q ‖ m)),  as it is ½·log(q/m)
 *
 * divided by the sum where probabilities are made to sum to 1, times the probability over T where logarithms are given.
 */
import { select } from "../lanes";
import { exp } from "../math/exp";
import { smallest } from "../math/gap";
import { Argument, raise } from "./argument";
import { CHANGES, GIVEN_P, GIVEN_Q, P, Q, RATIOS, SLOPES } from "./block";
import { disjoint, halfP, halfQ, massOfP, value } from "./terms";

/** e^x as a call, not inlined: only elements near the edge of f64 need it. */
function expOf(x: v128): v128 {
  return exp<f64>(x);
}

function slopesOfKLByP(p: Argument, count: i32): void {
  const zero = f64x2.splat(0);
  const from = f64x2.splat(p.normalized ? -value : 1);
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    const w = v128.load(P + at);
    const none = v128.eq<f64>(w, zero);
    let slope = v128.sub<f64>(from, v128.load(RATIOS + at));
    if (p.logs) slope = v128.andnot(v128.mul<f64>(slope, w), none);
    else slope = v128.andnot(slope, v128.and(none, v128.eq<f64>(v128.load(Q + at), zero)));
    v128.store(SLOPES + at, slope);
  }
}

function slopesOfKLByQ(p: Argument, q: Argument, count: i32, lowering: i32): void {
  const zero = f64x2.splat(0);
  const tiny = smallest<f64>();
  const distributions = p.normalized && q.normalized;
  // q·Σp: of distributions q, and q − p has digits that q·Σp − p has not
  const half = f64x2.splat(raise(1, lowering >> 1));
  const mass = f64x2.splat(raise(massOfP, lowering - (lowering >> 1)));
  const alone = f64x2.splat(q.normalized ? (p.normalized ? 1 : massOfP) : 0);
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    const w = v128.load(P + at);
    const v = v128.load(Q + at);
    let slope = v128.load(CHANGES + at);
    if (!distributions) {
      const weight = q.normalized ? v128.mul<f64>(v128.mul<f64>(v, half), mass) : zero;
      slope = v128.sub<f64>(weight, w);
    }
    if (!q.logs) {
      const none = v128.eq<f64>(w, zero);
      slope = v128.div<f64>(slope, v);
      // of a weight that became subnormal only the logarithm has its digits
      const odd = v128.andnot(v128.or(v128.le<f64>(w, tiny), v128.le<f64>(v, tiny)), none);
      if (v128.any_true(odd))
        slope = select(odd, v128.sub<f64>(alone, expOf(v128.neg<f64>(v128.load(RATIOS + at)))), slope);
      slope = select(none, alone, slope);
    }
    v128.store(SLOPES + at, slope);
  }
}

/** By the one whose probabilities stand at `own` and the logarithms of their quotients by m at `logs`. */
function slopesOfJS(a: Argument, own: usize, logs: usize, half: f64, count: i32): void {
  const zero = f64x2.splat(0);
  const h = f64x2.splat(half);
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    const w = v128.load(own + at);
    let slope = v128.sub<f64>(v128.load(logs + at), h);
    if (a.logs) slope = v128.andnot(v128.mul<f64>(slope, w), v128.eq<f64>(w, zero));
    if (disjoint) slope = zero;
    v128.store(SLOPES + at, slope);
  }
}

/** Multiplies the slopes by what makes gradients of them: in two steps, as either factor alone may be subnormal or overflow where the gradient is not. */
function scaleSlopes(a: Argument, scale: f64, count: i32, lowering: i32): void {
  let first = scale;
  let second: f64 = 1;
  if (a.logs) {
    // times the probability, which is 2^lowering times larger than what stands in its place
    first *= (a.unit / a.temperature) * raise(1, lowering >> 1);
    second = raise(1, lowering - (lowering >> 1));
  } else if (a.normalized) {
    first /= a.sum;
    second = a.power;
  }
  const f = f64x2.splat(first);
  const g = f64x2.splat(second);
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    v128.store(SLOPES + at, v128.mul<f64>(v128.mul<f64>(v128.load(SLOPES + at), f), g));
  }
}

/** Leaves in SLOPES the gradient of KL by p (by q) of a block, times `scale`. */
export function gradientOfKL(p: Argument, q: Argument, byQ: bool, count: i32, scale: f64, lowering: i32): void {
  if (byQ) slopesOfKLByQ(p, q, count, lowering);
  else slopesOfKLByP(p, count);
  scaleSlopes(byQ ? q : p, scale, count, lowering);
}

/** … of JS, after logsOverMean (mean.ts). */
export function gradientOfJS(p: Argument, q: Argument, byQ: bool, count: i32, scale: f64, lowering: i32): void {
  if (byQ) slopesOfJS(q, Q, GIVEN_Q, halfQ, count);
  else slopesOfJS(p, P, GIVEN_P, halfP, count);
  scaleSlopes(byQ ? q : p, scale / 2, count, lowering);
}
