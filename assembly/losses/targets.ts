/**
 * What the classes of a row count, and the sums that cross-entropy takes over them.
 *
 *     c_j = w_j·((1 − ε)·t_j/T + ε/n)          t the target, or none; w the weights, or none; ε the smoothing; T = Σ t_j, or 1
 *     D = Σ c_j·d_j,    C = Σ c_j              d_j ≥ 0 how far class j is behind
 *
 * In f64 for either type, of f64 compensated. c_j = 0 contributes 0 to D where d_j is infinite.
 */
import { GROUP, half, loadPair, madd, splat, sumError, VECTOR } from "../lanes";
import { loadTailGroup, spread, TAIL } from "../rows/strip";
import { clearSum, totalOf, valuesOf } from "../sum";

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

/** d of two classes: as they stand, or from logits (a − x)/unit, `top` being a/unit. */
// @ts-ignore: decorator
@inline
function distance<T>(logits: bool, value: v128, top: v128): v128 {
  if (!logits) return value;
  return v128.sub<f64>(top, sizeof<T>() == 4 ? value : v128.mul<f64>(value, splat<f64>(0.5)));
}

/** c·d, and 0 where c is 0 and d infinite: only if `careful`, or it is NaN. */
// @ts-ignore: decorator
@inline
function times(careful: bool, c: v128, d: v128): v128 {
  const product = v128.mul<f64>(c, d);
  return careful ? v128.andnot(product, v128.eq<f64>(c, splat<f64>(0))) : product;
}

/** What rounding takes from head + term = sum; of f32 data it is below what matters. */
// @ts-ignore: decorator
@inline
function lostOf<T>(head: v128, term: v128, sum: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.splat(0) : sumError(head, term, sum);
}

/** How classes count: all the share alone; as the target has it; or of both, and by weight. */
const SHARED = 0;
const TARGETED = 1;
const MIXED = 2;

/**
 * Adds `groups` groups, eight elements at a time, in registers. Of a class at an infinite distance that counts nothing D becomes NaN
 * unless all are counted as MIXED; then nothing is kept, and the answer is false. Eight f32 take 20 vector instructions SHARED, 26 TARGETED.
 */
// @ts-ignore: decorator
@inline
function addStrip<T>(logits: bool, kind: i32, d: usize, a: f64, t: usize, w: usize, groups: i32): bool {
  const careful = kind == MIXED;
  const top = splat<f64>(a);
  const lifts = splat<f64>(lift);
  const keeps = splat<f64>(keep);
  const shares = splat<f64>(share);
  const pair = 2 * sizeof<T>();
  let sum = v128.load(DISTANCE);
  let lost = v128.load(DISTANCE, VECTOR);
  let mass = v128.load(MASS);
  let massLost = v128.load(MASS, VECTOR);
  let least = splat<T>(0);
  for (const end = d + <usize>groups * GROUP; d < end; d += 4 * pair) {
    let c0 = shares,
      c1 = shares,
      c2 = shares,
      c3 = shares;
    if (kind != SHARED && (kind == TARGETED || t)) {
      c0 = loadPair<T>(t);
      c1 = loadPair<T>(t + pair);
      c2 = loadPair<T>(t + 2 * pair);
      c3 = loadPair<T>(t + 3 * pair);
      least = v128.pmin<T>(v128.pmin<T>(least, v128.load(t)), v128.load(t, 16));
      if (sizeof<T>() == 8) least = v128.pmin<T>(v128.pmin<T>(least, v128.load(t, 32)), v128.load(t, 48));
      if (kind == MIXED) {
        // logits leave the target as it is
        c0 = madd<f64>(logits ? c0 : v128.mul<f64>(c0, lifts), keeps, shares);
        c1 = madd<f64>(logits ? c1 : v128.mul<f64>(c1, lifts), keeps, shares);
        c2 = madd<f64>(logits ? c2 : v128.mul<f64>(c2, lifts), keeps, shares);
        c3 = madd<f64>(logits ? c3 : v128.mul<f64>(c3, lifts), keeps, shares);
      }
      t += 4 * pair;
    }
    if (kind == MIXED && w) {
      c0 = v128.mul<f64>(c0, loadPair<T>(w));
      c1 = v128.mul<f64>(c1, loadPair<T>(w + pair));
      c2 = v128.mul<f64>(c2, loadPair<T>(w + 2 * pair));
      c3 = v128.mul<f64>(c3, loadPair<T>(w + 3 * pair));
      w += 4 * pair;
    }
    const d0 = distance<T>(logits, loadPair<T>(d), top),
      d1 = distance<T>(logits, loadPair<T>(d + pair), top);
    const d2 = distance<T>(logits, loadPair<T>(d + 2 * pair), top),
      d3 = distance<T>(logits, loadPair<T>(d + 3 * pair), top);
    const low = v128.add<f64>(times(careful, c0, d0), times(careful, c1, d1));
    const term = v128.add<f64>(low, v128.add<f64>(times(careful, c2, d2), times(careful, c3, d3)));
    const nextSum = v128.add<f64>(sum, term);
    lost = v128.add<f64>(lost, lostOf<T>(sum, term, nextSum));
    sum = nextSum;
    const part = v128.add<f64>(v128.add<f64>(c0, c1), v128.add<f64>(c2, c3));
    const nextMass = v128.add<f64>(mass, part);
    massLost = v128.add<f64>(massLost, lostOf<T>(mass, part, nextMass));
    mass = nextMass;
  }
  if (!careful && v128.any_true(v128.ne<f64>(sum, sum))) return false;
  v128.store(DISTANCE, sum);
  v128.store(DISTANCE, lost, VECTOR);
  v128.store(MASS, mass);
  v128.store(MASS, massLost, VECTOR);
  v128.store(LEAST, v128.pmin<f64>(v128.load(LEAST), v128.pmin<f64>(half<T>(least, 0), half<T>(least, 1))));
  return true;
}

/** Adds what the classes of some groups count, whose distances or logits stand at `d`. */
export function addTerms<T>(logits: bool, d: usize, a: f64, t: usize, w: usize, groups: i32): void {
  // of f64 the sums themselves take most of the time
  if (sizeof<T>() == 4 && logits && !w) {
    if (!t) {
      if (addStrip<T>(logits, SHARED, d, a, t, w, groups)) return;
    } else if (keep == 1 && share == 0) {
      if (addStrip<T>(logits, TARGETED, d, a, t, w, groups)) return;
    }
  }
  addStrip<T>(logits, MIXED, d, a, t, w, groups);
}

/**
 * D and C of two narrow rows of n logits, to `sum` and `mass`, class by class, so that a row has its bits in any company: the rows of
 * a tile stand beside each other, the lines `step` apart, and one that does not is taken twice. D is NaN where a target is negative.
 */
export function addNarrow<T>(
  tile: bool,
  x: usize,
  t: usize,
  w: usize,
  n: i32,
  top: v128,
  sum: usize,
  mass: usize,
): void {
  const step: usize = tile ? VECTOR : sizeof<T>();
  const keeps = splat<f64>(keep);
  const shares = splat<f64>(share);
  let distances = i32x4.splat(0),
    lost = distances,
    masses = distances,
    massesLost = distances,
    least = distances;
  for (; n > 0; n--) {
    let c = shares;
    if (t) {
      c = pairAt<T>(tile, t);
      least = v128.pmin<f64>(least, c);
      c = madd<f64>(c, keeps, shares);
      t += step;
    }
    if (w) {
      c = v128.mul<f64>(c, splat<f64>(<f64>load<T>(w)));
      w += sizeof<T>();
    }
    const term = times(true, c, distance<T>(true, pairAt<T>(tile, x), top));
    const nextSum = v128.add<f64>(distances, term);
    lost = v128.add<f64>(lost, lostOf<T>(distances, term, nextSum));
    distances = nextSum;
    const nextMass = v128.add<f64>(masses, c);
    massesLost = v128.add<f64>(massesLost, lostOf<T>(masses, c, nextMass));
    masses = nextMass;
    x += step;
  }
  const value = valuesOf(distances, lost);
  v128.store(sum, v128.or(v128.mul<f64>(value, splat<f64>(unitOf<T>())), v128.lt<f64>(least, splat<f64>(0))));
  v128.store(mass, valuesOf(masses, massesLost));
}

/** An element of two rows of a tile, or of one row twice. */
// @ts-ignore: decorator
@inline
function pairAt<T>(tile: bool, at: usize): v128 {
  return tile ? loadPair<T>(at) : splat<f64>(<f64>load<T>(at));
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

/** The losses of two rows that count `samples` times: not at all, 0, also where they are infinite. */
// @ts-ignore: decorator
@inline
export function weighed(losses: v128, samples: v128): v128 {
  const lost = v128.and(v128.eq<f64>(samples, f64x2.splat(0)), v128.eq<f64>(losses, f64x2.splat(Infinity)));
  return v128.andnot(v128.mul<f64>(losses, samples), lost);
}
