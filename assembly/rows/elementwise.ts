/**
 * Functions of one element, applied from x to y (which may be the same place).
 *
 *     sigmoid(x)    = 1 / (1 + e^{−x})              through e = e^{−|x|}, so that nothing overflows
 *     softplus(x)   = max(x, 0) + log1p(e^{−|x|})
 *     logSigmoid(x) = −softplus(−x)
 *     logit(p)      = log(p / (1 − p))
 *     surprisal(p)  = −log_b p = −log p · 1/ln b
 *
 * NaN gives NaN. logit is ∓∞ at 0 and 1 and NaN outside [0, 1]; surprisal is +∞ at 0 and NaN below.
 */
import { abs, select, splat, VECTOR } from "../lanes";
import { exp } from "../math/exp";
import { log, log1p } from "../math/log";
import { loadTailGroup, storeTailGroup, TAIL, tailLength, wholeGroups } from "./strip";

const SIGMOID = 0;
const SOFTPLUS = 1;
const LOGIT = 2;
const EXPONENTIAL = 3;
const SURPRISAL = 4;

// @ts-ignore: decorator
@inline
function sigmoidLane<T>(x: v128): v128 {
  const one = splat<T>(1);
  const e = exp<T>(v128.neg<T>(abs<T>(x)));
  const negative = v128.lt<T>(x, splat<T>(0));
  return v128.div<T>(select(negative, e, one), v128.add<T>(one, e));
}

/** sign·softplus(sign·x); 0 + …, as logSigmoid is +0 where it vanishes. */
// @ts-ignore: decorator
@inline
function softplusLane<T>(x: v128, sign: v128): v128 {
  const bend = log1p<T>(exp<T>(v128.neg<T>(abs<T>(x))));
  const ramp = v128.pmax<T>(v128.mul<T>(x, sign), splat<T>(0));
  return v128.add<T>(splat<T>(0), v128.mul<T>(v128.add<T>(ramp, bend), sign));
}

/**
 * log(p/(1 − p)) cancels near ½, where the ratio is near 1. With m = min(p, 1 − p) it is ±log1p(|1 − 2p| / m), and
 * 1 − 2p is exact for p ≥ ¼. Below 2^-60, where the quotient could overflow, log p is all of it.
 */
// @ts-ignore: decorator
@inline
function logitLane<T>(p: v128): v128 {
  const one = splat<T>(1);
  const upper = v128.ge<T>(p, splat<T>(0.5));
  const smaller = select(upper, v128.sub<T>(one, p), p);
  const magnitude = log1p<T>(v128.div<T>(abs<T>(v128.sub<T>(one, v128.add<T>(p, p))), smaller));
  const tiny = v128.lt<T>(p, splat<T>(<T>8.673617379884035e-19)); // 2^-60
  const l = select(upper, magnitude, v128.neg<T>(magnitude));
  return v128.any_true(tiny) ? select(tiny, log<T>(p), l) : l;
}

// @ts-ignore: decorator
@inline
function lane<T>(kind: i32, x: v128, factor: v128): v128 {
  if (kind == SIGMOID) return sigmoidLane<T>(x);
  if (kind == SOFTPLUS) return softplusLane<T>(x, factor);
  if (kind == EXPONENTIAL) return exp<T>(x);
  if (kind == SURPRISAL) return v128.sub<T>(splat<T>(0), v128.mul<T>(log<T>(x), factor)); // +0 at 1
  return logitLane<T>(x);
}

/** The whole groups, then the padded tail through the same loop: one instance of the lane code a function. */
// @ts-ignore: decorator
@inline
function map<T>(kind: i32, x: usize, y: usize, count: i32, factor: f64 = 1): void {
  const f = splat<T>(<T>factor);
  const tail = tailLength<T>(count);
  let vectors = 4 * wholeGroups<T>(count);
  const body = <usize>vectors * VECTOR;
  const end = y + body;
  if (tail) loadTailGroup<T>(x + body, tail, 0);
  for (let last = !tail; ; last = true) {
    for (; vectors > 0; vectors--) {
      v128.store(y, lane<T>(kind, v128.load(x), f));
      x += VECTOR;
      y += VECTOR;
    }
    if (last) break;
    vectors = 4;
    x = TAIL;
    y = TAIL;
  }
  if (tail) storeTailGroup<T>(end, tail);
}

export function sigmoid<T>(x: usize, y: usize, count: i32): void {
  map<T>(SIGMOID, x, y, count);
}

/** `sign` 1; −1 for logSigmoid. */
export function softplus<T>(x: usize, y: usize, count: i32, sign: f64): void {
  map<T>(SOFTPLUS, x, y, count, sign);
}

export function logit<T>(x: usize, y: usize, count: i32): void {
  map<T>(LOGIT, x, y, count);
}

export function exponential(x: usize, y: usize, count: i32): void {
  map<f64>(EXPONENTIAL, x, y, count);
}

export function logarithm(x: usize, y: usize, count: i32): void {
  surprisal<f64>(x, y, count, -1);
}

/** `perBase` is 1/ln b. Worst f32, of a seventh of all: 0.858 ULP in nats, 1.866 in bits at 1.413861632347107, 2.019 in
 *  hartleys at 2.7942819595336914. Worst f64 seen: 1.434 in hartleys. */
export function surprisal<T>(p: usize, y: usize, count: i32, perBase: f64): void {
  map<T>(SURPRISAL, p, y, count, perBase);
}
