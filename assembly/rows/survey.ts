/**
 * What comparisons alone tell of a row: its largest element, how many are above a value, and the k largest.
 *
 * The k best are a heap whose root is the worst of them. The row is looked at in blocks of 4 KiB, and a block whose largest element
 * does not beat the root is passed over: of 128,256 logits f32 in random order, for the 5 best some 5·(1 + log(126/5)) = 21 of 126 are
 * looked at twice.
 */
import { byteMask, largest, laneBits, select, splat, VECTOR } from "../lanes";
import { tailLength } from "./strip";

/** What the last survey found: the largest element, −∞ if there is none; and how many are above the value. NaN is passed over. */
export let largestFound: f64 = -Infinity;
export let countAbove = 0;

const BLOCK_BYTES: usize = 4096;

/** Bytes of an entry: a value, f64 whatever the type, its index, and nothing. */
export const ENTRY: usize = 16;

/** Of the heap, how many entries it has. */
let size = 0;

export function clearBest(): void {
  size = 0;
}

/** Whether entry a is worse than b: smaller, or of the same value behind it. */
// @ts-ignore: decorator
@inline
function isWorse(a: usize, b: usize): bool {
  const x = load<f64>(a),
    y = load<f64>(b);
  return x < y || (x == y && load<i32>(a, 8) > load<i32>(b, 8));
}

function swap(a: usize, b: usize): void {
  const entry = v128.load(a);
  v128.store(a, v128.load(b));
  v128.store(b, entry);
}

/** Lets the entry at i sink to its place among `count`. */
function sink(heap: usize, i: i32, count: i32): void {
  for (;;) {
    let child = 2 * i + 1;
    if (child >= count) return;
    const place = heap + <usize>child * ENTRY;
    let worse = place;
    if (child + 1 < count && isWorse(place + ENTRY, place)) {
      worse += ENTRY;
      child++;
    }
    const own = heap + <usize>i * ENTRY;
    if (!isWorse(worse, own)) return;
    swap(own, worse);
    i = child;
  }
}

/** Takes an element if it is among the k best so far. Those of one value come in the order of their indices. */
function take(heap: usize, k: i32, value: f64, index: i32): void {
  if (size < k) {
    let i = size++;
    let place = heap + <usize>i * ENTRY;
    store<f64>(place, value);
    store<i32>(place, index, 8);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap + <usize>parent * ENTRY;
      if (!isWorse(place, above)) return;
      swap(place, above);
      i = parent;
      place = above;
    }
  } else if (value > load<f64>(heap)) {
    store<f64>(heap, value);
    store<i32>(heap, index, 8);
    sink(heap, 0, k);
  }
}

/** The heap in order, the best first; what there was no element for is NaN, with the index −1. */
export function sortBest(heap: usize, k: i32): void {
  for (let last = size - 1; last > 0; last--) {
    swap(heap, heap + <usize>last * ENTRY);
    sink(heap, 0, last);
  }
  for (let i = size; i < k; i++) {
    store<f64>(heap + <usize>i * ENTRY, NaN);
    store<i32>(heap + <usize>i * ENTRY, -1, 8);
  }
}

/** Takes what is better than the root of a block of n elements, of which the first has the index given. */
function takeBlock<T>(x: usize, n: i32, index: i32, heap: usize, k: i32): void {
  const end = x + <usize>n * sizeof<T>();
  while (x < end) {
    const group = min(end, x + 4 * VECTOR);
    if (size == k) {
      const root = splat<T>(<T>load<f64>(heap));
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
      if (value == value) take(heap, k, value, index);
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
      if (size < k || laneBits<T>(v128.gt<T>(m, splat<T>(<T>load<f64>(heap)))) != 0)
        takeBlock<T>(x, count, index, heap, k);
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
