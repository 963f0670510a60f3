/** What the largest probabilities of a distribution leave for the others. */
import { failValue } from "../errors.ts";

/** Probabilities from log-probabilities that went through f32 or decimals sum to 1 but for this. */
const SLACK = 1e-5;

/**
 * 1 − `sum`, not below 0, for `others` outcomes none of which is more than `cap`, the least of the known; refuses what is no
 * distribution's. The argument is called `name` in messages.
 */
export function restOf(fn: string, name: string, row: number, sum: number, cap: number, others: number): number {
  if (sum > 1 + SLACK) failValue(fn, name, `log-probabilities whose exponentials sum to at most 1 in row ${row}`, sum);
  const rest = Math.max(0, 1 - sum);
  if (rest > others * cap + SLACK) {
    const what =
      others === 0 ? "all there are" : `the largest, in row ${row}: none of the other ${others} is more than ${cap}`;
    failValue(fn, name, what, undefined, `${rest} left for the others`);
  }
  return rest;
}
