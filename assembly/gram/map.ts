/**
 * What a matrix of sums becomes, element by element.
 *
 *     t = factor·c + shift        in f64, rounded once
 *     linear t    polynomial t^degree    exponential e^t    sigmoid tanh t = −m/(m + 2), m = e^{−2|t|} − 1
 *     root factor·√c instead, rounded once too
 */
import { abs, half, join, splat, VECTOR } from "../lanes";
import { exp, expm1 } from "../math/exp";
import { EXPONENTIAL, LINEAR, POLYNOMIAL, ROOT, SIGMOID } from "./codes";

/** t^degree by squaring. */
// @ts-ignore: decorator
@inline
function power<T>(t: v128, degree: i32): v128 {
  let y = splat<T>(1);
  while (degree) {
    if (degree & 1) y = v128.mul<T>(y, t);
    t = v128.mul<T>(t, t);
    degree >>>= 1;
  }
  return y;
}

/** tanh t, also of small t: within 3 ULP. */
// @ts-ignore: decorator
@inline
function tanh<T>(t: v128): v128 {
  const magnitude = abs<T>(t);
  const m = expm1<T>(v128.mul<T>(magnitude, splat<T>(-2)));
  const y = v128.div<T>(v128.neg<T>(m), v128.add<T>(m, splat<T>(2)));
  return v128.or(y, v128.xor(t, magnitude)); // the sign
}

/** C in place, whole vectors: rows [rows, columns], ldc elements apart; `lower`: up to the diagonal only. */
export function map<T>(
  kind: i32,
  c: usize,
  ldc: usize,
  rows: i32,
  columns: i32,
  lower: bool,
  factor: f64,
  shift: f64,
  degree: i32,
): void {
  const a = f64x2.splat(factor);
  const b = f64x2.splat(shift);
  for (let i = 0; i < rows; i++) {
    const end = c + <usize>(lower ? i + 1 : columns) * sizeof<T>();
    for (let p = c; p < end; p += VECTOR) {
      const v = v128.load(p);
      let low = half<T>(v, 0);
      let high = half<T>(v, 1);
      if (kind == ROOT) {
        low = v128.sqrt<f64>(low);
        high = v128.sqrt<f64>(high);
      }
      low = v128.mul<f64>(low, a);
      high = v128.mul<f64>(high, a);
      if (kind != LINEAR) {
        low = v128.add<f64>(low, b);
        high = v128.add<f64>(high, b);
      }
      let t = join<T>(low, high);
      if (kind == POLYNOMIAL) t = power<T>(t, degree);
      else if (kind == EXPONENTIAL) t = exp<T>(t);
      else if (kind == SIGMOID) t = tanh<T>(t);
      v128.store(p, t);
    }
    c += ldc * sizeof<T>();
  }
}

/** y += x, or y = x if `fresh`; whole vectors. */
export function accumulate<T>(x: usize, y: usize, count: i32, fresh: bool): void {
  for (const end = y + <usize>count * sizeof<T>(); y < end; y += VECTOR) {
    const v = v128.load(x);
    v128.store(y, fresh ? v : v128.add<T>(v128.load(y), v));
    x += VECTOR;
  }
}
