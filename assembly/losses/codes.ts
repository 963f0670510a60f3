/** What both sides of the kernels of this folder know. */

// What rows hold that are not logits.

/** Counts, which are divided by their sum; probabilities, taken as they are; logarithms of probabilities. */
export const COUNTS = 0;
export const PROBABILITIES = 1;
export const LOGARITHMS = 2;

// What is known of a row of logits that come tile by tile (logits.ts): the index of each f64 of its state.

/** a, the largest logit of the others so far; s and what rounding lost of it; z_y. */
export const A = 0;
export const S = 1;
export const LOST = 2;
export const LABEL = 3;
/** a′ and k, which make the unit of s. */
export const SHIFTED = 4;
export const EXPONENT = 5;
/** z_0; Σ(z_j − z_0)·portion and what rounding lost of it. */
export const FIRST = 6;
export const DISTANCE = 7;
export const DISTANCE_LOST = 8;
/** How many there are. */
export const STATE = 9;

/** When all tiles have been seen, for the gradient: a, finite, in its place; what e^{z_j − u} is multiplied by; ∂loss/∂z_y. */
export const FACTOR = 1;
export const LABEL_GRADIENT = 2;

/** ln 2 in a head of 40 bits, of which multiples by |k| < 2^13 are exact, and the rest. */
export const LN2_HEAD = 0.6931471805592082;
export const LN2_REST = 7.371002565167799e-13;
