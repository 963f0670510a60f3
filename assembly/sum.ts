/** Sums that carry the error of their rounding beside them. */
import { sumF64 } from "./lanes";

/**
 * The value of a compensated sum: what its two lanes add up to, and what rounding lost of them (see sumError). Once the sum is
 * infinite its error term is NaN and is dropped; a NaN stays one.
 */
// @ts-ignore: decorator
@inline
export function compensated(sum: v128, rest: v128): f64 {
  const total = sumF64(sum);
  return total - total == 0 ? total + sumF64(rest) : total;
}
