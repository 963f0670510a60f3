/**
 * The k best of many, which come one by one: a heap whose root is the worst of them. What is better has the smaller key, and of equal keys
 * the smaller index.
 *
 * The order of f64 is that of integers: of their bits, those of a negative one turned round. NaN comes behind all numbers.
 */

/** An entry of a heap: the key, i64, and the index, i32 in 64 bits. */
export const ENTRY: usize = 16;

export const NAN_KEY: i64 = 0x7ff8000000000000;
/** Of an entry that any other is better than. */
const NONE: i64 = i64.MAX_VALUE;

// @ts-ignore: decorator
@inline
function turned(bits: i64): i64 {
  return bits ^ ((bits >> 63) & i64.MAX_VALUE);
}

// @ts-ignore: decorator
@inline
export function keyOf(value: f64): i64 {
  return value != value ? NAN_KEY : turned(reinterpret<i64>(value));
}

/** The value of a key; NaN of an entry that is none. */
// @ts-ignore: decorator
@inline
export function valueOf(key: i64): f64 {
  return reinterpret<f64>(turned(key));
}

/** Whether the entry at p comes behind a key and its index. */
// @ts-ignore: decorator
@inline
export function isBehind(p: usize, key: i64, index: i32): bool {
  const other = load<i64>(p);
  return other > key || (other == key && load<i32>(p, 8) > index);
}

/** Whether something was taken for an entry: for the root, where k were. */
// @ts-ignore: decorator
@inline
export function isTaken(entry: usize): bool {
  return load<i64>(entry) != NONE;
}

/** Puts an entry at the root of a heap that lacks one, and lets it sink. */
export function sink(heap: usize, count: i32, key: i64, index: i32): void {
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

/** `count` entries that any other is better than. */
export function clearHeap(heaps: usize, count: i32): void {
  const none = i64x2(NONE, i32.MAX_VALUE);
  for (const end = heaps + <usize>count * ENTRY; heaps < end; heaps += ENTRY) v128.store(heaps, none);
}

/** Puts a heap in order, the best first. */
export function sortHeap(heap: usize, k: i32): void {
  for (let last = k - 1; last > 0; last--) {
    const end = heap + <usize>last * ENTRY;
    const key = load<i64>(end);
    const index = load<i32>(end, 8);
    v128.store(end, v128.load(heap));
    sink(heap, last, key, index);
  }
}
