/** What the host says to the kernels of this folder. */

/** What is summed over k: x·y, (x − y)², |x − y|. */
export const DOT = 0;
export const SQUARES = 1;
export const DISTANCES = 2;

/** Columns of a tile that are reduced at a time (reduce.ts). */
export const RUN = 256;

/** What a sum becomes (map.ts). */
export const LINEAR = 0;
export const POLYNOMIAL = 1;
export const EXPONENTIAL = 2;
export const SIGMOID = 3;
export const ROOT = 4;
