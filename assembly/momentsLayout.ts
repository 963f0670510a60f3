/**
 * Where the sums of moments.ts stand, for both sides: words of 8 bytes, the flags of what is not finite first.
 *
 *     word   0       1        68          201      268       401       534
 *            │ flags │ Σ u 67 │ Σ u² 133  │ Σ w 67 │ Σ w u   │ Σ w²    │      chunks of 32 bits, a word each
 */

/** Chunks of a sum of numbers, and of a sum of products. */
export const CHUNKS = 67;
export const PRODUCT_CHUNKS = 133;

export const U = 1;
export const UU = U + CHUNKS;
export const W = UU + PRODUCT_CHUNKS;
export const WU = W + CHUNKS;
export const WW = WU + PRODUCT_CHUNKS;

/** Numbers that are added in a call at most. */
export const WAITING = 512;
