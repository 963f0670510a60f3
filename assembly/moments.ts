/**
 * Exact sums of numbers and of their products, from which a mean and its standard error are read without an error of their own:
 *
 *     Σ uᵢ   Σ uᵢ²          of numbers alone
 *     Σ wᵢ   Σ wᵢuᵢ   Σ wᵢ²    of numbers with weights, too
 *
 * Each is a superaccumulator (sum.ts), so that neither the order of the numbers nor how they were divided into batches is seen in
 * any of them. What is not finite is in none, and is told by a flag.
 * Where they stand, in words: momentsLayout.ts.
 */
import { CHUNKS, PRODUCT_CHUNKS, U, UU, W, WU, WW } from "./momentsLayout";
import { addExactly, addInteger, addProductExactly, carryExactly } from "./sum";

/** The sum of which the first word is given. */
// @ts-ignore: decorator
@inline
function at(sums: usize, word: i32): usize {
  return sums + ((<usize>word) << 3);
}

/** A bit for what is NaN, +∞ or −∞; 0 for what is finite. */
// @ts-ignore: decorator
@inline
function flagOf(value: f64): i32 {
  if (value - value == 0) return 0;
  return value > 0 ? 2 : value < 0 ? 4 : 1;
}

/**
 * Numbers of one exponent e are added up first, at most WAITING of them, as integers of their mantissas m = a·2^27 + b: four words a bucket,
 *
 *     Σ ±m      Σ a²      Σ ab      Σ b²          m² = a²·2^54 + ab·2^28 + b²
 *
 * none of which overflows: 5 ns a number, where 13 were spent on its chunks. For exponents from 2^-64 to 2^63, which are those of losses;
 * what is smaller or larger goes to the chunks at once.
 */
const BUCKETS = 128;
const BUCKET: usize = 32;
const LEAST = 1023 - 64;

/** Adds numbers to the buckets, or where they have none to the sums; returns the flags of what is not finite. */
function fillBuckets(u: usize, end: usize, buckets: usize, sums: usize): i32 {
  let flags = 0;
  memory.fill(buckets, 0, BUCKETS * BUCKET);
  for (; u < end; u += 8) {
    const bits = load<i64>(u);
    const k = ((<i32>(bits >> 52)) & 0x7ff) - LEAST;
    if (<u32>k < <u32>BUCKETS) {
      const m = (bits & 0x000fffffffffffff) | 0x0010000000000000;
      const a = m >> 27;
      const b = m & 0x7ffffff;
      const sign = bits >> 63;
      const bucket = buckets + <usize>k * BUCKET;
      store<i64>(bucket, load<i64>(bucket) + ((m ^ sign) - sign));
      store<i64>(bucket, load<i64>(bucket, 8) + a * a, 8);
      store<i64>(bucket, load<i64>(bucket, 16) + a * b, 16);
      store<i64>(bucket, load<i64>(bucket, 24) + b * b, 24);
      continue;
    }
    const value = load<f64>(u);
    const flag = flagOf(value);
    flags |= flag;
    if (flag) continue;
    addExactly(at(sums, U), value, 0);
    addProductExactly(at(sums, UU), value, value);
  }
  return flags;
}

/** Adds the buckets to the sums. */
function emptyBuckets(buckets: usize, sums: usize): void {
  for (let k = 0; k < BUCKETS; k++, buckets += BUCKET) {
    // of any number a² is at least 2^50
    if (load<i64>(buckets, 8) == 0) continue;
    const position = k + LEAST - 1;
    const sum = load<i64>(buckets);
    const sign = sum >> 63;
    addInteger(at(sums, U), (sum ^ sign) - sign, position, sign);
    addInteger(at(sums, UU), load<i64>(buckets, 8), 2 * position + 54, 0);
    addInteger(at(sums, UU), load<i64>(buckets, 16), 2 * position + 28, 0);
    addInteger(at(sums, UU), load<i64>(buckets, 24), 2 * position, 0);
  }
}

/** Adds numbers with weights to the sums; returns the flags. */
function addWeighted(u: usize, w: usize, end: usize, sums: usize): i32 {
  let flags = 0;
  for (; u < end; u += 8, w += 8) {
    const value = load<f64>(u);
    const weight = load<f64>(w);
    const flag = flagOf(value);
    const weightFlag = flagOf(weight);
    flags |= flag | (weightFlag << 3);
    if (!flag) {
      addExactly(at(sums, U), value, 0);
      addProductExactly(at(sums, UU), value, value);
    }
    if (weightFlag) continue;
    addExactly(at(sums, W), weight, 0);
    addProductExactly(at(sums, WW), weight, weight);
    if (!flag) addProductExactly(at(sums, WU), weight, value);
  }
  return flags;
}

/**
 * Adds `count` numbers at `u`, at most WAITING, to the sums at `sums`; with weights at `w` if that is not 0, else by way of 4 KiB at
 * `buckets`.
 */
export function addMoments(u: usize, w: usize, buckets: usize, count: i32, sums: usize): void {
  const end = u + <usize>count * 8;
  const flags = w ? addWeighted(u, w, end, sums) : fillBuckets(u, end, buckets, sums);
  store<i32>(sums, load<i32>(sums) | flags);
  if (!w) emptyBuckets(buckets, sums);
  carryExactly(at(sums, U), CHUNKS);
  carryExactly(at(sums, UU), PRODUCT_CHUNKS);
  if (!w) return;
  carryExactly(at(sums, W), CHUNKS);
  carryExactly(at(sums, WU), PRODUCT_CHUNKS);
  carryExactly(at(sums, WW), PRODUCT_CHUNKS);
}
