/** What the host says to the kernels of this folder. */

/** Which divergence. */
export const KL = 0;
export const JS = 1;

/** Flags, for each argument: whether it holds logarithms of its probabilities (or these but for a constant), and whether it is made to sum to 1. */
export const LOGS_P = 1;
export const LOGS_Q = 2;
export const NORMALIZE_P = 4;
export const NORMALIZE_Q = 8;

/** What a call does to a row in pieces; ALL is a whole row. */
export const BEGIN = 1;
export const MAXIMUM = 2;
export const SUM = 4;
export const TERMS = 8;
export const FINISH = 16;
export const WRITE = 32;
export const AIM = 64; // the maxima are known
export const SETTLE = 128; // the sums are known
export const ALL = 63;

/** What is the best of a row (nearest.ts). */
export const SQUARED = 0;
export const EUCLIDEAN = 1;
export const COSINE = 2;
export const LARGEST = 3;
export const GIVEN = 4;
