/**
 * One of the two arguments of a row, and the weights w of its elements:
 *
 *     probabilities x:   w = x·power                 a power of two, so that neither w nor Σw overflows or is subnormal
 *     logarithms x:      w = e^{(x − top)/T}          top the maximum; 0 where they are taken as they are, unless e^x would overflow
 *
 * p = w/Σw where they are made to sum to 1. A quarter of x, top and T is taken, as x − top, and the difference of that and another,
 * might overflow; but of a T that small the quarter might be subnormal.
 */
import { lanes, maxLane, splat, sumError, sumF64, VECTOR } from "../lanes";
import { exp } from "../math/exp";
import { expShort } from "../math/expShort";
import { LN2 } from "../math/gap";
import { log } from "../math/log";
import { BLOCK, EIGHT, widen } from "./block";

const LOG2E: f64 = 1.4426950408889634;

// @ts-ignore: decorator
@unmanaged
export class Argument {
  /** Whether it holds logarithms; whether it is made to sum to 1; whether it is given in f32. */
  logs: bool;
  normalized: bool;
  single: bool;
  /** 1, or ¼, of which x, top and T are multiples. */
  unit: f64;
  temperature: f64;
  /** 1/T where that is exact, T being a power of two, and else 0: dividing takes a quarter of the time of a row of logits. */
  perTemperature: f64;
  top: f64;
  power: f64;
  /** Σw. */
  sum: f64;
  /** Where it is summed: two lanes, and what their roundings have lost. */
  lanes: usize;
}

/** What stands for an element beyond the end. */
// @ts-ignore: decorator
@inline
export function padding(a: Argument): f64 {
  return a.logs ? -Infinity : 0;
}

/** Starts a row. */
export function beginArgument(a: Argument, width: usize, logs: bool, normalized: bool, temperature: f64): void {
  a.single = width == 4;
  a.logs = logs;
  a.normalized = normalized;
  a.unit = temperature > 1e-300 ? 0.25 : 1;
  a.temperature = temperature * a.unit;
  a.perTemperature = isPowerOfTwo(a.temperature) ? 1 / a.temperature : 0;
  a.top = logs ? -Infinity : 0;
  a.power = 1;
  a.lanes = changetype<usize>(a) + 64;
  v128.store(a.lanes, f64x2.splat(0));
  v128.store(a.lanes, f64x2.splat(0), 16);
}

/** The maximum of n elements and `top`. */
function maximumOf<T>(x: usize, n: i32, top: f64): f64 {
  let m = splat<T>(<T>-Infinity);
  // two at a time: one would wait for the maximum before (a tenth of a row of logits)
  let other = m;
  for (; n >= 2 * lanes<T>(); n -= 2 * lanes<T>(), x += 2 * VECTOR) {
    m = v128.pmax<T>(m, v128.load(x));
    other = v128.pmax<T>(other, v128.load(x, 16));
  }
  m = v128.pmax<T>(m, other);
  for (; n > 0; n--, x += sizeof<T>()) {
    if (<f64>load<T>(x) > top) top = <f64>load<T>(x);
  }
  return max(top, <f64>maxLane<T>(m));
}

/** The same of elements of `width` bytes. */
export function maximum(width: usize, x: usize, n: i32, top: f64): f64 {
  return width == 4 ? maximumOf<f32>(x, n, top) : maximumOf<f64>(x, n, top);
}

/** Raises `top` to the maximum of n elements. */
export function addMaximum(a: Argument, x: usize, n: i32): void {
  a.top = maximum(a.single ? 4 : 8, x, n, a.top);
}

/** Whether a normal number is a power of two whose inverse is one. */
function isPowerOfTwo(x: f64): bool {
  return (reinterpret<u64>(x) & 0x000fffffffffffff) == 0 && x >= 2.2250738585072014e-308 && x <= 4.49423283715579e307;
}

/** v/T of an argument's temperature. */
// @ts-ignore: decorator
@inline
export function perTemperature(a: Argument, v: v128): v128 {
  const inverse = a.perTemperature;
  return inverse != 0 ? v128.mul<f64>(v, f64x2.splat(inverse)) : v128.div<f64>(v, f64x2.splat(a.temperature));
}

/** (x − top)/T of a block of logarithms. */
export function exponents(a: Argument, block: usize, count: i32, to: usize): void {
  const unit = f64x2.splat(a.unit);
  const top = f64x2.splat(a.top * a.unit);
  for (const end = block + ((<usize>count) << 3); block < end; block += 16, to += 16) {
    v128.store(to, perTemperature(a, v128.sub<f64>(v128.mul<f64>(v128.load(block), unit), top)));
  }
}

/** The weights of a block. */
export function weigh(a: Argument, block: usize, count: i32, to: usize): void {
  const end = to + ((<usize>count) << 3);
  const power = f64x2.splat(a.power);
  if (!a.logs) {
    for (; to < end; block += 16, to += 16) v128.store(to, v128.mul<f64>(v128.load(block), power));
    return;
  }
  exponents(a, block, count, to);
  if (a.single) {
    for (; to < end; to += 16) v128.store(to, expShort(v128.load(to)));
  } else {
    for (; to < end; to += 16) v128.store(to, exp<f64>(v128.load(to)));
  }
}

/**
 * Adds the weights of n elements to the sum, which is NaN if one is negative. The weights are left at `weights`: all of them if they are to
 * be `kept`, else those of the last block.
 */
export function addSum(a: Argument, x: usize, width: usize, n: i32, block: usize, weights: usize, kept: bool): void {
  let sum = v128.load(a.lanes);
  let rest = v128.load(a.lanes, 16);
  for (; n > 0; n -= BLOCK, x += <usize>BLOCK * width) {
    const count = min(n, BLOCK);
    widen(x, width, count, padding(a), block);
    weigh(a, block, count, weights);
    const end = weights + ((<usize>count) << 3);
    // of the numbers as they are given: the weight of a negative one may be −0
    const given = a.logs ? weights : block;
    for (let at = weights; at < end;) {
      let v = f64x2.splat(0);
      for (const eight = min(at + EIGHT, end); at < eight; at += 16) {
        const negative = v128.lt<f64>(v128.load(given + (at - weights)), f64x2.splat(0));
        v = v128.add<f64>(v, v128.or(v128.load(at), negative));
      }
      const next = v128.add<f64>(sum, v);
      const error = sumError(sum, v, next);
      rest = v128.add<f64>(rest, v128.and(error, v128.eq<f64>(error, error))); // NaN once the sum is infinite
      sum = next;
    }
    if (kept) weights = end;
  }
  v128.store(a.lanes, sum);
  v128.store(a.lanes, rest, 16);
  a.sum = sumF64(sum) + sumF64(rest);
}

/** log of f64 as a call, not inlined: once a row, and for elements near the edge of f64. */
export function logOf(x: v128): v128 {
  return log<f64>(x);
}

/** The exponent of a number: −1023 of 0, 1024 of ∞. */
function exponentOf(x: f64): i32 {
  return <i32>((reinterpret<u64>(x) >> 52) & 0x7ff) - 1023;
}

/** 2ⁿ, n brought to −1022 … 1023. */
function powerOfTwo(n: i32): f64 {
  return reinterpret<f64>((<u64>(min(max(n, -1022), 1023) + 1023)) << 52);
}

/**
 * By which power of two numbers taken as they are must be made smaller so that nothing overflows: below 2^900, 2^31 of them can be added,
 * each times its logarithm.
 */
export function loweringOf(a: Argument): i32 {
  const size: f64 = a.logs ? a.top * LOG2E : exponentOf(a.top) + 1;
  return size > 900 && size < 2e9 ? <i32>size - 899 : 0;
}

/** v·2ⁿ, n ≥ 0: infinite only if that is. */
export function raise(v: f64, n: i32): f64 {
  return v == 0 || n == 0 ? v : v * powerOfTwo(n >> 1) * powerOfTwo(n - (n >> 1));
}

/** Chooses power and top, now that top is the maximum. */
export function aim(a: Argument, lowering: i32): void {
  if (!a.logs) a.power = powerOfTwo(a.normalized ? -exponentOf(a.top) : -lowering);
  else if (!a.normalized) a.top = <f64>lowering * LN2;
}

/** What the weights of a block are multiplied by to become probabilities, 2^lowering times smaller. */
export function inverseOf(a: Argument, lowering: i32): f64 {
  return a.normalized ? powerOfTwo(-lowering) / a.sum : 1;
}

/** Where logarithms begin that are made to sum to 1. */
export function originOf(a: Argument): f64 {
  return a.logs && a.normalized ? a.top * a.unit : 0;
}

/** The logarithm of the sum that is divided by: of the exponentials of logarithms from there on, or of the probabilities. */
export function logOfSum(a: Argument): f64 {
  if (!a.normalized) return 0;
  const log = f64x2.extract_lane(logOf(f64x2.splat(a.sum)), 0);
  return a.logs ? log : log - <f64>exponentOf(a.power) * LN2;
}
