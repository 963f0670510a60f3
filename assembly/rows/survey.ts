/**
 * What comparisons alone tell of a row: its largest element, how many are above a value, and the k largest.
 *
 * The k best are a heap (best.ts) of negated elements, whose root is the least of them. The row is looked at in blocks of 4 KiB, and a block whose largest element
 * does not beat the root is passed over: of 128,256 logits f32 in random order, for the 5 best some 5·(1 + log(126/5)) = 21 of 126 are
 * looked at twice.
 */
import { clearHeap, ENTRY, isBehind, isTaken, keyOf, sink, sortHeap, valueOf } from "./best";
import { byteMask, largest, laneBits, select, splat, VECTOR } from "../lanes";
import { tailLength } from "./strip";

/** What the last survey found: the largest element, −∞ if there is none; and how many are above the value. NaN is passed over. */
export let largestFound: f64 = -Infinity;
export let countAbove = 0;

const BLOCK_BYTES: usize = 4096;

/** An element's place in the order: 0 − 0 is 0, so that −0 and 0 are one. */
// @ts-ignore: decorator
@inline
function placeOf(value: f64): i64 {
  return keyOf(0 - value);
}

/** The least of k elements; only where there are so many. */
// @ts-ignore: decorator
@inline
function leastOf<T>(heap: usize): v128 {
  return splat<T>(<T>(0 - valueOf(load<i64>(heap))));
}

export function clearBest(heap: usize, k: i32): void {
  clearHeap(heap, k);
}

/** The heap in order, the largest first; what there was no element for is NaN, with the index −1. */
export function sortBest(heap: usize, k: i32): void {
  sortHeap(heap, k);
  for (const end = heap + <usize>k * ENTRY; heap < end; heap += ENTRY) {
    const taken = isTaken(heap);
    store<f64>(heap, taken ? 0 - valueOf(load<i64>(heap)) : NaN);
    if (!taken) store<i32>(heap, -1, 8);
  }
}

/** Takes what is better than the root of a block of n elements, of which the first has the index given. */
function takeBlock<T>(x: usize, n: i32, index: i32, heap: usize, k: i32): void {
  const end = x + <usize>n * sizeof<T>();
  while (x < end) {
    const group = min(end, x + 4 * VECTOR);
    if (isTaken(heap)) {
      const root = leastOf<T>(heap);
      const low = v128.or(v128.gt<T>(v128.load(x), root), v128.gt<T>(v128.load(x, 16), root));
      const high = v128.or(v128.gt<T>(v128.load(x, 32), root), v128.gt<T>(v128.load(x, 48), root));
      if (!v128.any_true(v128.or(low, high))) {
        index += <i32>((group - x) / sizeof<T>());
        x = group;
        continue;
      }
    }
    for (; x < group; x += sizeof<T>(), index++) {
      const value = <f64>load<T>(x);
      if (value != value) continue;
      const place = placeOf(value);
      if (isBehind(heap, place, index)) sink(heap, k, place, index);
    }
  }
}

/** Surveys n elements, of which the first has the index given in its row. k best of what was surveyed since clearBest() stand at `heap`. */
export function survey<T>(x: usize, n: i32, value: T, index: i32, heap: usize, k: i32): void {
  const lowest = splat<T>(<T>-Infinity);
  const limit = splat<T>(value);
  let top = lowest;
  countAbove = 0;
  while (n > 0) {
    const count = min(n, <i32>(BLOCK_BYTES / sizeof<T>()));
    let m0 = lowest,
      m1 = lowest,
      m2 = lowest,
      m3 = lowest;
    let c0 = i32x4.splat(0),
      c1 = c0,
      c2 = c0,
      c3 = c0;
    let p = x;
    const tail = <usize>tailLength<T>(count) * sizeof<T>();
    for (const end = x + <usize>count * sizeof<T>() - tail; p < end; p += 4 * VECTOR) {
      const v0 = v128.load(p),
        v1 = v128.load(p, 16),
        v2 = v128.load(p, 32),
        v3 = v128.load(p, 48);
      m0 = v128.pmax<T>(m0, v0);
      m1 = v128.pmax<T>(m1, v1);
      m2 = v128.pmax<T>(m2, v2);
      m3 = v128.pmax<T>(m3, v3);
      c0 = less<T>(c0, v128.gt<T>(v0, limit));
      c1 = less<T>(c1, v128.gt<T>(v1, limit));
      c2 = less<T>(c2, v128.gt<T>(v2, limit));
      c3 = less<T>(c3, v128.gt<T>(v3, limit));
    }
    for (let v = 0; <usize>v * VECTOR < tail; v++, p += VECTOR) {
      const last = select(byteMask(tail, v), v128.load(p), lowest);
      m0 = v128.pmax<T>(m0, last);
      c0 = less<T>(c0, v128.gt<T>(last, limit));
    }
    const m = largest<T>(v128.pmax<T>(v128.pmax<T>(m0, m1), v128.pmax<T>(m2, m3)));
    countAbove += lanesOf<T>(less<T>(less<T>(c0, negative<T>(c1)), negative<T>(less<T>(c2, negative<T>(c3)))));
    top = v128.pmax<T>(top, m);
    if (k > 0) {
      // the first k elements of a row are taken whatever they are
      if (!isTaken(heap) || laneBits<T>(v128.gt<T>(m, leastOf<T>(heap))) != 0) takeBlock<T>(x, count, index, heap, k);
    }
    x += <usize>count * sizeof<T>();
    index += count;
    n -= count;
  }
  largestFound = sizeof<T>() == 4 ? <f64>f32x4.extract_lane(top, 0) : f64x2.extract_lane(top, 0);
}

/** Integer lanes of the type's width: a − b. */
// @ts-ignore: decorator
@inline
function less<T>(a: v128, b: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.sub(a, b) : i64x2.sub(a, b);
}
// @ts-ignore: decorator
@inline
function negative<T>(a: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.neg(a) : i64x2.neg(a);
}
// @ts-ignore: decorator
@inline
function lanesOf<T>(a: v128): i32 {
  if (sizeof<T>() == 8) return <i32>(i64x2.extract_lane(a, 0) + i64x2.extract_lane(a, 1));
  return i32x4.extract_lane(a, 0) + i32x4.extract_lane(a, 1) + i32x4.extract_lane(a, 2) + i32x4.extract_lane(a, 3);
}
