/** The text that kernels are embedded in, as tools/pack.ts writes it and unpack.ts reads it. */

/** Symbols below this are one character, from FIRST on without the backslash; of others a prefix comes first, a space or an exclamation mark. */
export const SINGLE = 91;
export const PREFIXES = 32;
export const FIRST = 35;

/** Symbols: first the four fused operations, then 256 bytes, of which 0xfc is the first: the most frequent are from there to 0x52. */
export const BYTES = 4;
/** Bytes follow which have their number before them. */
export const OPEN = 260;
export const CLOSE = 261;
/** A byte follows, which is the first of the two locals that a function has for a fused operation. */
export const LOCALS = 262;
