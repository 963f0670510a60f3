/**
 * Binary cross-entropy and its derivative, element by element: y the target, w a weight, w₊ the weight of positives.
 *
 *     loss = c₀·A + c₁·B,     c₀ = w·(1 − y),   c₁ = w·w₊·y
 *
 *     logits          A = softplus(x)       B = softplus(−x)       ∂loss/∂x = c₀·σ(x) − c₁·σ(−x)
 *     probabilities   A = −log(1 − x)       B = −log x             ∂loss/∂x = c₀/(1 − x) − c₁/x
 *
 * A and B ≥ 0 are each computed to the last digits, so that a loss of 1e-8 keeps its own; so do σ(x) and σ(−x), 1 and
 * e^{−|x|} over 1 + e^{−|x|}. A coefficient 0 takes nothing from an infinite A or B, nor from 1/0. A probability
 * outside [0, 1] is NaN.
 */
import { abs, groupLength, select, splat, sumF64, tailMask, VECTOR } from "./lanes";
import { exp } from "./math/exp";
import { log, log1p } from "./math/log";
import { addTo } from "./rows/strip";

/** The sum of the losses, as those of strip.ts. */
const LOSS: usize = memory.data(32, 16);

/** c·v, where 0·∞ = 0. */
// @ts-ignore: decorator
@inline
function times<T>(c: v128, v: v128): v128 {
  const none = v128.and(v128.eq<T>(c, splat<T>(0)), v128.eq<T>(v, splat<T>(<T>Infinity)));
  return v128.andnot(v128.mul<T>(c, v), none);
}

/** c/v, where 0/0 = 0. */
// @ts-ignore: decorator
@inline
function over<T>(c: v128, v: v128): v128 {
  const none = v128.and(v128.eq<T>(c, splat<T>(0)), v128.eq<T>(v, splat<T>(0)));
  return v128.andnot(v128.div<T>(c, v), none);
}

/**
 * `count` elements at x, targets at y, weights at w and p (w₊), which advance by their step: 0 for one vector that
 * serves them all. Writes the losses to `loss` and the derivatives over `divisor` to `grad`, each unless 0, in place of
 * an input if need be. Returns the sum of the losses.
 */
export function binaryCrossEntropy<T>(
  probabilities: bool,
  x: usize,
  y: usize,
  w: usize,
  wStep: usize,
  p: usize,
  pStep: usize,
  loss: usize,
  grad: usize,
  count: i32,
  divisor: f64,
): f64 {
  const zero = splat<T>(0);
  const one = splat<T>(1);
  const n = splat<T>(<T>divisor);
  v128.store(LOSS, zero);
  v128.store(LOSS, zero, VECTOR);
  for (; count > 0; count -= <i32>(VECTOR / sizeof<T>())) {
    // beyond the tail the weight is 0, and memory stays as it is
    const mask = tailMask<T>(min(count, groupLength<T>()), 0);
    const z = v128.and(v128.load(x), mask);
    const target = v128.and(v128.load(y), mask);
    const weight = v128.and(v128.load(w), mask);
    const c0 = v128.mul<T>(weight, v128.sub<T>(one, target));
    const c1 = v128.mul<T>(v128.mul<T>(weight, v128.and(v128.load(p), mask)), target);
    const e = probabilities ? v128.neg<T>(z) : exp<T>(v128.neg<T>(abs<T>(z)));
    const l = log1p<T>(e);
    let a: v128, b: v128;
    if (probabilities) {
      a = v128.neg<T>(l);
      b = v128.neg<T>(log<T>(z));
    } else {
      a = v128.add<T>(l, v128.pmax<T>(z, zero));
      b = v128.add<T>(l, v128.pmax<T>(v128.neg<T>(z), zero));
    }
    const value = v128.add<T>(times<T>(c0, a), times<T>(c1, b));
    addTo<T>(LOSS, value);
    let slope = zero;
    if (grad) {
      if (probabilities) {
        const rest = v128.sub<T>(one, z);
        const outside = v128.lt<T>(v128.pmin<T>(z, rest), zero);
        slope = v128.sub<T>(over<T>(c0, v128.mul<T>(rest, n)), over<T>(c1, v128.mul<T>(z, n)));
        slope = v128.or(slope, outside);
      } else {
        const negative = v128.lt<T>(z, zero);
        const difference = v128.sub<T>(v128.mul<T>(c0, select(negative, e, one)), v128.mul<T>(c1, select(negative, one, e)));
        slope = v128.div<T>(difference, v128.mul<T>(v128.add<T>(one, e), n));
      }
    }
    if (loss) {
      v128.store(loss, select(mask, value, v128.load(loss)));
      loss += VECTOR;
    }
    if (grad) {
      v128.store(grad, select(mask, slope, v128.load(grad)));
      grad += VECTOR;
    }
    x += VECTOR;
    y += VECTOR;
    w += wStep;
    p += pStep;
  }
  const head = sumF64(v128.load(LOSS));
  // what an infinite sum has lost is no number
  return sizeof<T>() == 8 && head - head != 0 ? head : head + sumF64(v128.load(LOSS, VECTOR));
}
