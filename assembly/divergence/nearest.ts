/**
 * The k best of each row, out of a matrix that is seen tile by tile.
 *
 * A heap holds the k best pairs of a row that have been seen, the worst at its root. A pair is passed over where a lower bound of it,
 *
 *     n[j] − f·C[i, j]  >  w + slack·|w| + shift[i],     w = ratio·worst, or the square of it (EUCLIDEAN)
 *
 * is beyond that of the root: the host puts the error of the products C into n, slack and shift, so that no pair is lost to it. Any
 * other is computed directly, in f64, from the rows as they came:
 *
 *     SQUARED      Σₖ (xₖ − yₖ)²       no cancellation, however far from 0 they lie
 *     EUCLIDEAN    its root            in another unit where f64 squares are out of range
 *     COSINE       ½·Σₖ (x̂ₖ − ŷₖ)²     = 1 − cos of rows over their norms; 1 if either is 0
 *     LARGEST      −Σₖ xₖ·yₖ
 *     GIVEN        C[i, j] itself
 *
 * Sums of 256 terms are compensated: a metric is right to 130·2^−53, relative to the sum of its terms' magnitudes.
 *
 * So the result does not depend on the tiles. Of 20,000 columns a row computes some 90 directly, k = 10, if their order is random.
 *
 * Pairs are ordered by value, then by index; NaN comes behind all numbers. The order of values is that of integers: of the bits of an
 * f64, those of a negative one turned round.
 */
import { groupLength, half, lanes, splat, sumError, tailMask, VECTOR } from "../lanes";
import { compensated } from "../sum";
import { COSINE, EUCLIDEAN, GIVEN, LARGEST } from "./codes";

/** An entry of a heap: the key, i64, and the index, i32 in 64 bits. */
const ENTRY: usize = 16;

/** Terms that are summed before they are compensated. */
const CHAIN = 256;

const NAN_KEY: i64 = 0x7ff8000000000000;

/** The bits of an f64 as an integer of its order, and back. */
// @ts-ignore: decorator
@inline
function turned(bits: i64): i64 {
  return bits ^ ((bits >> 63) & i64.MAX_VALUE);
}

// @ts-ignore: decorator
@inline
function keyOf(value: f64): i64 {
  return value != value ? NAN_KEY : turned(reinterpret<i64>(value));
}

// @ts-ignore: decorator
@inline
function isBehind(p: usize, key: i64, index: i32): bool {
  const other = load<i64>(p);
  return other > key || (other == key && load<i32>(p, 8) > index);
}

/** Puts an entry at the root of a heap that lacks one, and lets it sink. */
function sink(heap: usize, count: i32, key: i64, index: i32): void {
  let at = heap;
  for (let i = 1; i < count; i = 2 * i + 1) {
    let child = heap + <usize>i * ENTRY;
    if (i + 1 < count && isBehind(child + ENTRY, load<i64>(child), load<i32>(child, 8))) {
      child += ENTRY;
      i++;
    }
    if (!isBehind(child, key, index)) break;
    v128.store(at, v128.load(child));
    at = child;
  }
  store<i64>(at, key);
  store<i32>(at, index, 8);
}

/** `count` entries that any pair is better than. */
export function clearBest(heaps: usize, count: i32): void {
  const none = i64x2(i64.MAX_VALUE, i32.MAX_VALUE);
  for (const end = heaps + <usize>count * ENTRY; heaps < end; heaps += ENTRY) v128.store(heaps, none);
}

/** Sorts each heap, the best first, and turns its keys into values. */
export function sortBest(heaps: usize, rows: i32, k: i32): void {
  for (; rows > 0; rows--) {
    for (let last = k - 1; last > 0; last--) {
      const end = heaps + <usize>last * ENTRY;
      const key = load<i64>(end);
      const index = load<i32>(end, 8);
      v128.store(end, v128.load(heaps));
      sink(heaps, last, key, index);
    }
    for (let i = 0; i < k; i++, heaps += ENTRY) store<i64>(heaps, turned(load<i64>(heaps)));
  }
}

/** A half of the terms: those of rows over their norms (COSINE), of which each has two factors. */
// @ts-ignore: decorator
@inline
function termOf(mode: i32, a: v128, b: v128, xs: usize, ys: usize, unit: v128): v128 {
  if (mode == LARGEST) return v128.mul<f64>(a, b);
  if (mode == COSINE) {
    a = v128.mul<f64>(v128.mul<f64>(a, v128.load64_splat(xs)), v128.load64_splat(xs, 8));
    b = v128.mul<f64>(v128.mul<f64>(b, v128.load64_splat(ys)), v128.load64_splat(ys, 8));
  }
  const d = v128.mul<f64>(v128.sub<f64>(a, b), unit);
  return v128.mul<f64>(d, d);
}

/** Σₖ xₖ·yₖ or Σₖ (unit·(xₖ − yₖ))²; on its own, for a search computes it seldom. */
function direct<T>(mode: i32, x: usize, y: usize, depth: i32, xs: usize, ys: usize, unit: f64): f64 {
  const u = splat<f64>(unit);
  let sum = splat<f64>(0),
    rest = sum;
  while (depth > 0) {
    let run = splat<f64>(0),
      other = run;
    for (const after = depth - CHAIN; depth > max(after, 0); depth -= lanes<T>()) {
      const mask = tailMask<T>(min(depth, groupLength<T>()), 0);
      const p = v128.and(v128.load(x), mask),
        q = v128.and(v128.load(y), mask);
      run = v128.add<f64>(run, termOf(mode, half<T>(p, 0), half<T>(q, 0), xs, ys, u));
      if (sizeof<T>() == 4) other = v128.add<f64>(other, termOf(mode, half<T>(p, 1), half<T>(q, 1), xs, ys, u));
      x += VECTOR;
      y += VECTOR;
    }
    run = v128.add<f64>(run, other);
    const next = v128.add<f64>(sum, run);
    rest = v128.add<f64>(rest, sumError(sum, run, next));
    sum = next;
  }
  return compensated(sum, rest);
}

/** A pair's place in the order. */
function metricOf<T>(mode: i32, x: usize, y: usize, depth: i32, xs: usize, ys: usize): f64 {
  const total = direct<T>(mode, x, y, depth, xs, ys, 1);
  if (mode == LARGEST) return 0 - total; // never −0
  if (mode == EUCLIDEAN) {
    // squares of f32 are always in range
    if (sizeof<T>() == 4 || (total > 2e-270 && total < 1e300)) return Math.sqrt(total);
    const unit: f64 = total < 1 ? 4.149515568880993e180 : 2.409919865102884e-181; // 2^600, 2^-600
    return Math.sqrt(direct<T>(mode, x, y, depth, xs, ys, unit)) / unit;
  }
  if (mode != COSINE) return total;
  // of a row of zeros the other's norm is left, 1; or NaN
  const isZero = load<f64>(xs, 8) == 0 || load<f64>(ys, 8) == 0;
  return isZero && total == total ? 1 : 0.5 * total;
}

/** What a lower bound must not be beyond; NaN where everything is to be looked at. */
function boundOf<T>(mode: i32, heap: usize, ratio: f64, slack: f64, shift: f64): T {
  const key = load<i64>(heap);
  if (key >= NAN_KEY) return <T>Infinity;
  let worst = reinterpret<f64>(turned(key)) * ratio;
  if (mode == EUCLIDEAN) worst *= worst;
  const bound = worst + Math.abs(worst) * slack + shift;
  return <T>(bound + Math.abs(bound) * (sizeof<T>() == 4 ? 2.4e-7 : 4.5e-16)); // not below, rounded
}

/**
 * Columns [first, first + columns) of the tile C, rows ldc elements apart, to the heaps of its rows. Row i is not paired with column
 * `own` + i. n has an element for each column; xs and ys have two f64 for each row, which COSINE multiplies it by.
 */
export function nearest<T>(
  mode: i32,
  c: usize,
  ldc: usize,
  rows: i32,
  columns: i32,
  first: i32,
  own: i32,
  k: i32,
  x: usize,
  y: usize,
  depth: i32,
  xs: usize,
  ys: usize,
  n: usize,
  shifts: usize,
  heaps: usize,
  f: f64,
  ratio: f64,
  slack: f64,
): void {
  const group = groupLength<T>();
  const row = <usize>depth * sizeof<T>();
  const fs = splat<T>(<T>f);
  for (let i = 0; i < rows; i++) {
    const shift = load<f64>(shifts);
    let bound = boundOf<T>(mode, heaps, ratio, slack, shift);
    for (let j = 0; j < columns; j += group) {
      const p = c + <usize>j * sizeof<T>();
      const q = n + <usize>j * sizeof<T>();
      const most = splat<T>(bound);
      const beyond0 = v128.gt<T>(v128.sub<T>(v128.load(q), v128.mul<T>(v128.load(p), fs)), most);
      const beyond1 = v128.gt<T>(v128.sub<T>(v128.load(q, 16), v128.mul<T>(v128.load(p, 16), fs)), most);
      const beyond2 = v128.gt<T>(v128.sub<T>(v128.load(q, 32), v128.mul<T>(v128.load(p, 32), fs)), most);
      const beyond3 = v128.gt<T>(v128.sub<T>(v128.load(q, 48), v128.mul<T>(v128.load(p, 48), fs)), most);
      if (i32x4.all_true(v128.and(v128.and(beyond0, beyond1), v128.and(beyond2, beyond3)))) continue;
      for (let lane = 0, end = min(group, columns - j); lane < end; lane++) {
        const at = <usize>lane * sizeof<T>();
        const value = load<T>(p + at);
        const index = first + j + lane;
        if (index == own + i || load<T>(q + at) - value * <T>f > bound) continue;
        const key = keyOf(
          mode == GIVEN
            ? <f64>value
            : metricOf<T>(mode, x, y + <usize>(j + lane) * row, depth, xs, ys + ((<usize>(j + lane)) << 4)),
        );
        if (!isBehind(heaps, key, index)) continue;
        sink(heaps, k, key, index);
        bound = boundOf<T>(mode, heaps, ratio, slack, shift);
      }
    }
    c += ldc * sizeof<T>();
    x += row;
    xs += 16;
    shifts += 8;
    heaps += <usize>k * ENTRY;
  }
}
