/** Σ(x − y)² of two lists: what style and perceptual losses are made of. */
import { groupLength, half, join, lanes, splat, storeTail, sumError, tailMask, VECTOR } from "../lanes";
import { compensated } from "../sum";

/**
 * Returns Σ(x − y)², in f64 and compensated, for a sum of n terms would lose √n ULP; where there is `grad`, factor·(x − y) goes
 * there. It may be x or y.
 */
export function differences<T>(x: usize, y: usize, grad: usize, count: i32, factor: f64): f64 {
  let sum = splat<f64>(0),
    rest = sum;
  const f = f64x2.splat(factor);
  for (; count > 0; count -= lanes<T>()) {
    const mask = tailMask<T>(min(count, groupLength<T>()), 0);
    const p = v128.and(v128.load(x), mask),
      q = v128.and(v128.load(y), mask);
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
