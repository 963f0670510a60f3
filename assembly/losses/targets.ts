/**
 * What the classes of a row count, and the sums that cross-entropy takes over them.
 *
 *     c_j = w_j·((1 − ε)·t_j/T + ε/n)          t the target, or none; w the weights, or none; ε the smoothing; T = Σ t_j, or 1
 *     D = Σ c_j·d_j,    C = Σ c_j              d_j ≥ 0 how far class j is behind
 *
 * In f64 for either type. c_j = 0 contributes 0 to D where d_j is infinite.
 */
import { GROUP, loadPair, madd, splat } from "../lanes";
import { loadTailGroup, spread, TAIL } from "../rows/strip";
import { addTo, clearSum, totalOf } from "../sum";

/** D, or D/2 for logits of f64, and C. */
const DISTANCE: usize = memory.data(32, 16);
const MASS: usize = memory.data(32, 16);

/** The least of all t, and of what else may not be negative. */
export const LEAST: usize = memory.data(16, 16);

/** The padded last groups of the target and the weights. */
export const TARGET_TAIL: usize = memory.data(64, 16);
export const WEIGHTS_TAIL: usize = memory.data(64, 16);

/** c_j = w_j·(t_j·lift·keep + share): keep = (1 − ε)/T over the lift, a power of two that keeps it finite, and share = ε/n. */
export let lift: f64 = 1;
export let keep: f64 = 1;
export let share: f64 = 0;

export function setShares(nextLift: f64, nextKeep: f64, nextShare: f64): void {
  lift = nextLift;
  keep = nextKeep;
  share = nextShare;
}

export function clearTargets(): void {
  clearSum(DISTANCE);
  clearSum(MASS);
  v128.store(LEAST, i32x4.splat(0));
}

/** Whether a target, or what else may not be, was negative. */
export function isNegative(): bool {
  return v128.any_true(v128.lt<f64>(v128.load(LEAST), f64x2.splat(0)));
}

/** C. */
export function massOfRow(): f64 {
  return totalOf<f64>(MASS);
}

/** D/unit. */
export function distanceOfRow(): f64 {
  return totalOf<f64>(DISTANCE);
}

/** a − x may overflow where c·(a − x) does not: of f32 it is taken in f64, of f64 in units of 2. */
// @ts-ignore: decorator
@inline
export function unitOf<T>(): f64 {
  return sizeof<T>() == 4 ? 1 : 2;
}

/** d of two classes: as it stands at `ptr`, or from logits (a − x)/unit, `top` being a/unit. */
// @ts-ignore: decorator
@inline
function distance<T>(logits: bool, ptr: usize, top: v128): v128 {
  const d = loadPair<T>(ptr);
  if (!logits) return d;
  return v128.sub<f64>(top, sizeof<T>() == 4 ? d : v128.mul<f64>(d, splat<f64>(0.5)));
}

// @ts-ignore: decorator
@inline
function times(c: v128, d: v128): v128 {
  return v128.andnot(v128.mul<f64>(c, d), v128.eq<f64>(c, splat<f64>(0)));
}

/** Adds `groups` groups, eight elements at a time. */
// @ts-ignore: decorator
@inline
export function addTerms<T>(logits: bool, d: usize, a: f64, t: usize, w: usize, groups: i32): void {
  const top = splat<f64>(a);
  const lifts = splat<f64>(lift);
  const keeps = splat<f64>(keep);
  const shares = splat<f64>(share);
  const pair = 2 * sizeof<T>();
  let least = v128.load(LEAST);
  for (const end = d + <usize>groups * GROUP; d < end; d += 4 * pair) {
    let c0 = shares,
      c1 = shares,
      c2 = shares,
      c3 = shares;
    if (t) {
      const t0 = loadPair<T>(t),
        t1 = loadPair<T>(t + pair),
        t2 = loadPair<T>(t + 2 * pair),
        t3 = loadPair<T>(t + 3 * pair);
      least = v128.pmin<f64>(least, v128.pmin<f64>(v128.pmin<f64>(t0, t1), v128.pmin<f64>(t2, t3)));
      // logits leave the target as it is
      c0 = madd<f64>(logits ? t0 : v128.mul<f64>(t0, lifts), keeps, shares);
      c1 = madd<f64>(logits ? t1 : v128.mul<f64>(t1, lifts), keeps, shares);
      c2 = madd<f64>(logits ? t2 : v128.mul<f64>(t2, lifts), keeps, shares);
      c3 = madd<f64>(logits ? t3 : v128.mul<f64>(t3, lifts), keeps, shares);
      t += 4 * pair;
    }
    if (w) {
      c0 = v128.mul<f64>(c0, loadPair<T>(w));
      c1 = v128.mul<f64>(c1, loadPair<T>(w + pair));
      c2 = v128.mul<f64>(c2, loadPair<T>(w + 2 * pair));
      c3 = v128.mul<f64>(c3, loadPair<T>(w + 3 * pair));
      w += 4 * pair;
    }
    const d0 = distance<T>(logits, d, top),
      d1 = distance<T>(logits, d + pair, top);
    const d2 = distance<T>(logits, d + 2 * pair, top),
      d3 = distance<T>(logits, d + 3 * pair, top);
    addTo<f64>(
      DISTANCE,
      v128.add<f64>(v128.add<f64>(times(c0, d0), times(c1, d1)), v128.add<f64>(times(c2, d2), times(c3, d3))),
    );
    addTo<f64>(MASS, v128.add<f64>(v128.add<f64>(c0, c1), v128.add<f64>(c2, c3)));
  }
  v128.store(LEAST, least);
}

/** Pads the last groups of target and weights; the weights' is always there, so that padding weighs 0. */
export function loadTails<T>(t: usize, w: usize, tail: i32): void {
  if (t) {
    loadTailGroup<T>(t, tail, 0);
    memory.copy(TARGET_TAIL, TAIL, GROUP);
  }
  if (!w) spread(WEIGHTS_TAIL, splat<T>(1));
  loadTailGroup<T>(w ? w : WEIGHTS_TAIL, tail, 0);
  memory.copy(WEIGHTS_TAIL, TAIL, GROUP);
}

/** The loss of a row that counts `sample` times: not at all, 0, also where it is infinite. */
// @ts-ignore: decorator
@inline
export function weighed(loss: f64, sample: f64): f64 {
  return sample == 0 && loss == Infinity ? 0 : loss * sample;
}
