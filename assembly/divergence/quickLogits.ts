/**
 * The value of a row of f32 logits, from exponentials in f32 and differences of logits in f64.
 */
import { abs, half, join, maxKeepNaN, maxLane, select, VECTOR } from "../lanes";
import { exp } from "../math/exp";
import { excess, gap, smallest } from "../math/gap";
import { JS, KL } from "./codes";
import { addTo, CHANGE, clearSums, D, D_OF_Q, MASS, OVERLAP, RUN, total } from "./sums";
import { valueOf } from "./value";
import { logOf } from "./wide";

/** The last, partial vector of p and of q, padded. */
const LAST: usize = memory.data(32, 16);
/** What the strips are told: (LSE_b − LSE_a)·T, 1/T, 1/P and 1/Q. */
let shift: f64 = 0;
let inverseT: f64 = 1;
let inverseP: f64 = 1;
let inverseQ: f64 = 1;

/** The exponentials of a block of both rows: of a whole row, if it is that short, they are computed but once. */
const KEPT_VECTORS = 512;
const KEPT: usize = memory.data(8192, 16);
const KEPT_Q: usize = memory.data(8192, 16);
const KEPT_LAST: usize = memory.data(32, 16);

/** Adds e^{(x − top)/T} to `sum`, and leaves them at y. */
function sumExponentials(x: usize, vectors: i32, top: v128, inverse: v128, y: usize, step: usize, sum: usize): void {
  for (; vectors > 0; vectors -= RUN) {
    const end = x + <usize>min(vectors, RUN) * VECTOR;
    let run = i32x4.splat(0);
    for (; x < end; x += VECTOR, y += step) {
      const e = exp<f32>(v128.mul<f32>(v128.sub<f32>(v128.load(x), top), inverse));
      v128.store(y, e);
      run = v128.add<f32>(run, e);
    }
    addTo<f32>(sum, run);
  }
}

/**
 * The sums of whole vectors of logits x, y with the exponentials e, f. Δ = log(q/p) by way of f64:
 *
 *     q − p = p·(e^Δ − 1),    q − p − p·log(q/p) = p·(e^Δ − 1 − Δ)
 *
 * Beyond |Δ| = 2 (JS: 4) p and q, which have their own errors, are subtracted: nothing cancels there.
 */
// @ts-ignore: decorator
@inline
function stripLogits(x: usize, y: usize, e: usize, f: usize, vectors: i32, js: bool): void {
  const offset = f64x2.splat(shift);
  const inverse = f64x2.splat(inverseT);
  const scaleP = f32x4.splat(<f32>inverseP);
  const scaleQ = f32x4.splat(<f32>inverseQ);
  const zero = i32x4.splat(0);
  const limit = f32x4.splat(js ? 4 : 2);
  let common = v128.load(OVERLAP);
  for (; vectors > 0; vectors -= RUN) {
    const end = x + <usize>min(vectors, RUN) * VECTOR;
    let sum = zero;
    let mass = zero;
    let change = zero;
    for (; x < end; x += VECTOR, y += VECTOR, e += VECTOR, f += VECTOR) {
      const a = v128.load(x);
      const b = v128.load(y);
      const low = v128.mul<f64>(v128.sub<f64>(v128.sub<f64>(half<f32>(b, 0), half<f32>(a, 0)), offset), inverse);
      const high = v128.mul<f64>(v128.sub<f64>(v128.sub<f64>(half<f32>(b, 1), half<f32>(a, 1)), offset), inverse);
      const ratio = join<f32>(low, high);
      let p = v128.mul<f32>(v128.load(e), scaleP);
      let q = v128.mul<f32>(v128.load(f), scaleQ);
      const size = abs<f32>(ratio);
      const near = v128.lt<f32>(size, limit);
      if (js) {
        const up = v128.gt<f32>(ratio, zero);
        const r = v128.and(size, near);
        const small = v128.mul<f32>(select(up, p, q), v128.add<f32>(excess<f32>(r), r));
        // the smaller, and the larger as so much more: of one error
        const larger = v128.add<f32>(select(up, p, q), small);
        p = select(v128.andnot(near, up), larger, p);
        q = select(v128.and(near, up), larger, q);
        const diff = select(near, select(up, small, v128.neg<f32>(small)), v128.sub<f32>(q, p));
        const both = v128.add<f32>(p, q);
        const m = maxKeepNaN<f32>(both, smallest<f32>());
        const ofP = gap<f32>(maxKeepNaN<f32>(v128.add<f32>(p, p), smallest<f32>()), m, diff, false);
        const ofQ = gap<f32>(maxKeepNaN<f32>(v128.add<f32>(q, q), smallest<f32>()), m, v128.neg<f32>(diff), false);
        sum = v128.add<f32>(sum, v128.add<f32>(ofP, ofQ));
        mass = v128.add<f32>(mass, both);
        change = v128.add<f32>(change, diff);
        common = v128.pmax<f32>(common, v128.pmin<f32>(p, q));
      } else {
        const r = v128.and(ratio, near);
        const chi = excess<f32>(r);
        const diff = select(near, v128.mul<f32>(p, v128.add<f32>(chi, r)), v128.sub<f32>(q, p));
        const term = select(near, v128.mul<f32>(p, chi), v128.sub<f32>(diff, v128.mul<f32>(p, ratio)));
        sum = v128.add<f32>(sum, select(v128.eq<f32>(p, zero), q, term));
        mass = v128.add<f32>(mass, p);
        change = v128.add<f32>(change, diff);
      }
    }
    addTo<f32>(D, sum);
    addTo<f32>(MASS, mass);
    addTo<f32>(CHANGE, change);
  }
  v128.store(OVERLAP, common);
}

function stripLogitsKL(x: usize, y: usize, e: usize, f: usize, vectors: i32): void {
  stripLogits(x, y, e, f, vectors, false);
}

function stripLogitsJS(x: usize, y: usize, e: usize, f: usize, vectors: i32): void {
  stripLogits(x, y, e, f, vectors, true);
}

function topOf(x: usize, vectors: i32): v128 {
  let m = f32x4.splat(-Infinity);
  for (; vectors > 0; vectors--, x += VECTOR) m = v128.pmax<f32>(m, v128.load(x));
  return m;
}

/** The value of a row, or NaN if it is not exact enough. */
export function quickLogits(p: usize, q: usize, n: i32, kind: i32, temperature: f64): f64 {
  const vectors = n >> 2;
  v128.store(LAST, f32x4.splat(-Infinity));
  v128.store(LAST, f32x4.splat(-Infinity), VECTOR);
  for (let i: usize = 0; i < <usize>(n & 3) * 4; i += 4) {
    store<f32>(LAST + i, load<f32>(p + (<usize>vectors << 4) + i));
    store<f32>(LAST + VECTOR + i, load<f32>(q + (<usize>vectors << 4) + i));
  }
  const topP = maxLane<f32>(v128.pmax<f32>(topOf(p, vectors), v128.load(LAST)));
  const topQ = maxLane<f32>(v128.pmax<f32>(topOf(q, vectors), v128.load(LAST, VECTOR)));
  if (!(<f64>Mathf.abs(topP - topQ) < 1e30)) return NaN;
  clearSums<f32>();
  inverseT = 1 / temperature;
  const inverse = f32x4.splat(<f32>inverseT);
  const topsP = f32x4.splat(topP);
  const topsQ = f32x4.splat(topQ);
  const once = vectors <= KEPT_VECTORS;
  sumExponentials(p, vectors, topsP, inverse, KEPT, once ? VECTOR : 0, MASS);
  sumExponentials(q, vectors, topsQ, inverse, KEPT_Q, once ? VECTOR : 0, CHANGE);
  sumExponentials(LAST, 1, topsP, inverse, KEPT_LAST, 0, MASS);
  sumExponentials(LAST + VECTOR, 1, topsQ, inverse, KEPT_LAST + VECTOR, 0, CHANGE);
  const sumP = total(MASS);
  const sumQ = total(CHANGE);
  inverseP = 1 / sumP;
  inverseQ = 1 / sumQ;
  const logs = logOf(f64x2.replace_lane(f64x2.splat(sumP), 1, sumQ));
  shift = <f64>topQ - <f64>topP + temperature * (f64x2.extract_lane(logs, 1) - f64x2.extract_lane(logs, 0));
  clearSums<f32>();
  for (let left = vectors; left > 0; left -= KEPT_VECTORS) {
    const count = min(left, KEPT_VECTORS);
    if (!once) {
      sumExponentials(p, count, topsP, inverse, KEPT, VECTOR, D_OF_Q);
      sumExponentials(q, count, topsQ, inverse, KEPT_Q, VECTOR, D_OF_Q);
    }
    if (kind == KL) stripLogitsKL(p, q, KEPT, KEPT_Q, count);
    else stripLogitsJS(p, q, KEPT, KEPT_Q, count);
    p += <usize>count * VECTOR;
    q += <usize>count * VECTOR;
  }
  if (kind == KL) stripLogitsKL(LAST, LAST + VECTOR, KEPT_LAST, KEPT_LAST + VECTOR, 1);
  else stripLogitsJS(LAST, LAST + VECTOR, KEPT_LAST, KEPT_LAST + VECTOR, 1);
  return valueOf(kind, true, !v128.any_true(v128.gt<f32>(v128.load(OVERLAP), smallest<f32>())), false, true);
}
