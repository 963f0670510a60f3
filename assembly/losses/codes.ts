/** What the host says to the kernels of this folder: what a row of no logits holds. */

/** Counts, which are divided by their sum; probabilities, taken as they are; logarithms of probabilities. */
export const COUNTS = 0;
export const PROBABILITIES = 1;
export const LOGARITHMS = 2;
