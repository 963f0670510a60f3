/** log(w/m) of one number against the mean of two, m = (w + v)/2: what JS and its gradients are made of. */
import { maxKeepNaN, select } from "../lanes";
import { LN2, logRatio, smallest } from "../math/gap";

/**
 * From w, v, change = v − w and ratio = log(v/w). Where w is so much smaller than m that w + v has no digits of it, it is
 * log 2 − log(v/w); at v = 0 it is log 2.
 */
// @ts-ignore: decorator
@inline
export function logOverMean(w: v128, v: v128, change: v128, ratio: v128): v128 {
  const tiny = smallest<f64>();
  const ln2 = f64x2.splat(LN2);
  const m = maxKeepNaN<f64>(v128.add<f64>(w, v), tiny);
  const near = v128.neg<f64>(logRatio<f64>(maxKeepNaN<f64>(v128.add<f64>(w, w), tiny), m, change, false));
  const log = select(v128.gt<f64>(ratio, f64x2.splat(100)), v128.sub<f64>(ln2, ratio), near);
  return select(v128.eq<f64>(v, f64x2.splat(0)), ln2, log);
}
