/** log(p/m) and log(q/m) against the mean m = (p + q)/2: what the halves of JS and its gradients are made of. */
import { abs, maxKeepNaN, select } from "../lanes";
import { LN2, logRatio, smallest } from "../math/gap";
import { CHANGES, GIVEN_P, GIVEN_Q, P, Q, RATIOS } from "./block";

/**
 * Leaves both of a block in GIVEN_P and GIVEN_Q: of the larger, w, and of the smaller, v, this less |log(q/p)|, so that each keeps its digits whichever is
 * which. At v = 0 that of w is log 2, and so are both where p and q are 0.
 */
export function logsOverMean(count: i32): void {
  const zero = f64x2.splat(0);
  const tiny = smallest<f64>();
  const ln2 = f64x2.splat(LN2);
  for (let at: usize = 0; at < (<usize>count) << 3; at += 16) {
    const p = v128.load(P + at);
    const q = v128.load(Q + at);
    const w = v128.pmax<f64>(p, q);
    const v = v128.pmin<f64>(p, q);
    const less = v128.neg<f64>(abs<f64>(v128.load(CHANGES + at)));
    const m = maxKeepNaN<f64>(v128.add<f64>(w, v), tiny);
    const near = v128.neg<f64>(logRatio<f64>(maxKeepNaN<f64>(v128.add<f64>(w, w), tiny), m, less, false));
    const high = select(v128.eq<f64>(v, zero), ln2, near);
    const ratio = v128.load(RATIOS + at);
    const low = select(v128.eq<f64>(w, zero), ln2, v128.sub<f64>(high, abs<f64>(ratio)));
    // not p < q, which are equal, or the other way round, where they differ by less than an ULP
    const up = v128.gt<f64>(ratio, zero);
    v128.store(GIVEN_P + at, select(up, low, high));
    v128.store(GIVEN_Q + at, select(up, high, low));
  }
}
