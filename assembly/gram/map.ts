/**
 * What a Gram matrix becomes, element by element, and what is done to data before.
 *
 *     t = factor·c + shift        in f64, rounded once
 *     linear t    polynomial t^degree    exponential e^t    sigmoid tanh t = −m/(m + 2), m = e^{−2|t|} − 1
 */
import { abs, groupLength, half, join, lanes, splat, storeTail, sumError, tailMask, VECTOR } from "../lanes";
import { exp, expm1 } from "../math/exp";
import { compensated } from "../sum";

export const LINEAR = 0;
export const POLYNOMIAL = 1;
export const EXPONENTIAL = 2;
export const SIGMOID = 3;

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
export function map<T>(kind: i32, c: usize, ldc: usize, rows: i32, columns: i32, lower: bool, factor: f64, shift: f64, degree: i32): void {
  const a = f64x2.splat(factor);
  const b = f64x2.splat(shift);
  for (let i = 0; i < rows; i++) {
    const end = c + <usize>(lower ? i + 1 : columns) * sizeof<T>();
    for (let p = c; p < end; p += VECTOR) {
      const v = v128.load(p);
      let low = v128.mul<f64>(half<T>(v, 0), a);
      let high = v128.mul<f64>(half<T>(v, 1), a);
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

/** sums[k] += Σᵢ x[i, k], in f64. */
export function columnSums<T>(x: usize, ldx: usize, rows: i32, columns: i32, sums: usize): void {
  for (let i = 0; i < rows; i++) {
    const row = x + <usize>i * ldx * sizeof<T>();
    for (let k: usize = 0; k < <usize>columns; k++) {
      store<f64>(sums + k * 8, load<f64>(sums + k * 8) + <f64>load<T>(row + k * sizeof<T>()));
    }
  }
}

/** x[i, k] −= means[k], in f64, rounded once. */
export function centre<T>(x: usize, ldx: usize, rows: i32, columns: i32, means: usize): void {
  for (let i = 0; i < rows; i++) {
    const row = x + <usize>i * ldx * sizeof<T>();
    for (let k: usize = 0; k < <usize>columns; k++) {
      const at = row + k * sizeof<T>();
      store<T>(at, <T>(<f64>load<T>(at) - load<f64>(means + k * 8)));
    }
  }
}

/** sums[i] += Σₖ x[i, k]², in f64. */
export function rowSquares<T>(x: usize, ldx: usize, rows: i32, columns: i32, sums: usize): void {
  for (let i = 0; i < rows; i++) {
    let s0: f64 = 0, s1: f64 = 0;
    const row = x + <usize>i * ldx * sizeof<T>();
    for (let k: usize = 0; k < <usize>columns; k++) {
      const v = <f64>load<T>(row + k * sizeof<T>());
      if (k & 1) s1 += v * v;
      else s0 += v * v;
    }
    store<f64>(sums, load<f64>(sums) + s0 + s1);
    sums += 8;
  }
}

/** x[i, k] /= norms[i], in f64, rounded once. */
export function divideRows<T>(x: usize, ldx: usize, rows: i32, columns: i32, norms: usize): void {
  for (let i = 0; i < rows; i++) {
    const row = x + <usize>i * ldx * sizeof<T>();
    const norm = f64x2.splat(load<f64>(norms + <usize>i * 8));
    for (let k: usize = 0; k < <usize>columns; k++) {
      const at = row + k * sizeof<T>();
      store<T>(at, <T>(<f64>load<T>(at) / f64x2.extract_lane(norm, 0)));
    }
  }
}

/**
 * Returns Σ(x − y)², in f64 and compensated, for a sum of n terms would lose √n ULP; where there is `grad`, factor·(x − y) goes
 * there. It may be x or y.
 */
export function differences<T>(x: usize, y: usize, grad: usize, count: i32, factor: f64): f64 {
  let sum = splat<f64>(0), rest = sum;
  const f = f64x2.splat(factor);
  for (; count > 0; count -= lanes<T>()) {
    const mask = tailMask<T>(min(count, groupLength<T>()), 0);
    const p = v128.and(v128.load(x), mask), q = v128.and(v128.load(y), mask);
    const low = v128.sub<f64>(half<T>(p, 0), half<T>(q, 0));
    const high = sizeof<T>() == 4 ? v128.sub<f64>(half<T>(p, 1), half<T>(q, 1)) : low;
    let square = v128.mul<f64>(low, low);
    if (sizeof<T>() == 4) square = v128.add<f64>(square, v128.mul<f64>(high, high));
    const next = v128.add<f64>(sum, square);
    rest = v128.add<f64>(rest, sumError(sum, square, next));
    sum = next;
    if (grad) {
      storeTail(grad, mask, join<T>(v128.mul<f64>(low, f), v128.mul<f64>(high, f)));
      grad += VECTOR;
    }
    x += VECTOR;
    y += VECTOR;
  }
  return compensated(sum, rest);
}
