/**
 * Exact sums of numbers and of their products, from which a mean and its standard error are read without an error of their own:
 *
 *     Σ uᵢ   Σ uᵢ²          of numbers alone
 *     Σ wᵢ   Σ wᵢuᵢ   Σ wᵢ²    of numbers with weights, too
 *
 * Each is a superaccumulator (sum.ts), so that neither the order of the numbers nor how they were divided into batches is seen in
 * any of them. What is not finite is in none, and is told by a flag. 6 ns a number, 14 with a weight.
 *
 *     bytes   0       8        544         1608     2144      3208      4272
 *             │ flags │ Σ u 67 │ Σ u² 133  │ Σ w 67 │ Σ w u   │ Σ w²    │      chunks of 8 bytes
 */
import { addExactly, addProductExactly, carryExactly } from "./sum";

/** Chunks of a sum of numbers, and of a sum of products. */
const CHUNKS = 67;
const PRODUCT_CHUNKS = 133;

const U: usize = 8;
const UU: usize = U + 8 * CHUNKS;
const W: usize = UU + 8 * PRODUCT_CHUNKS;
const WU: usize = W + 8 * CHUNKS;
const WW: usize = WU + 8 * PRODUCT_CHUNKS;

/** A bit for what is NaN, +∞ or −∞; 0 for what is finite. */
// @ts-ignore: decorator
@inline
function flagOf(value: f64): i32 {
  if (value - value == 0) return 0;
  return value > 0 ? 2 : value < 0 ? 4 : 1;
}

/** Adds `count` numbers at `u`, with weights at `w` if that is not 0, to the sums at `sums`; at most 2^28 at a time. */
export function addMoments(u: usize, w: usize, count: i32, sums: usize): void {
  let flags = load<i32>(sums);
  for (const end = u + <usize>count * 8; u < end; u += 8) {
    const value = load<f64>(u);
    const flag = flagOf(value);
    flags |= flag;
    if (!flag) {
      addExactly(sums + U, value, 0);
      addProductExactly(sums + UU, value, value);
    }
    if (!w) continue;
    const weight = load<f64>(w);
    const weightFlag = flagOf(weight);
    flags |= weightFlag << 3;
    if (!weightFlag) {
      addExactly(sums + W, weight, 0);
      addProductExactly(sums + WW, weight, weight);
      if (!flag) addProductExactly(sums + WU, weight, value);
    }
    w += 8;
  }
  store<i32>(sums, flags);
  carryExactly(sums + U, CHUNKS);
  carryExactly(sums + UU, PRODUCT_CHUNKS);
  if (!w) return;
  carryExactly(sums + W, CHUNKS);
  carryExactly(sums + WU, PRODUCT_CHUNKS);
  carryExactly(sums + WW, PRODUCT_CHUNKS);
}
