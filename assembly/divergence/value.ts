/** The value of a row from its sums, where they are exact enough. */
import { maxKeepNaN } from "../lanes";
import { gap, smallest } from "../math/gap";
import { KL } from "./codes";
import { CHANGE, D, MASS, total } from "./sums";

export const LN2: f64 = 0.6931471805599453;

/** gap of f64 where p may be 0, out of line: it is called where time does not matter. */
export function gapF64(p: v128, q: v128, diff: v128): v128 {
  return gap<f64>(maxKeepNaN<f64>(p, smallest<f64>()), q, diff, false);
}

/** ε − log(1 + ε). */
export function gapOfSums(epsilon: f64): f64 {
  return f64x2.extract_lane(gapF64(f64x2.splat(1), f64x2.splat(max(1 + epsilon, 1e-300)), f64x2.splat(epsilon)), 0);
}

/** The value from the sums, or NaN if it is not exact enough. `scaled` where q was multiplied by a factor. */
export function valueOf(kind: i32, normalize: bool, disjoint: bool, scaled: bool, single: bool): f64 {
  const d = total(D);
  const change = total(CHANGE);
  const mass = total(MASS);
  if (!(d < Infinity && mass > 1e-18 && mass + Math.abs(change) < 1e30)) return NaN;
  if (kind == KL) {
    if (!normalize) {
      const value = d - change;
      return Math.abs(value) * 4 >= d + Math.abs(change) ? value : NaN;
    }
    const g = gapOfSums(change / mass);
    return change * 8 >= mass * -7 && g * 8 <= d / mass ? d / mass - g : NaN;
  }
  // JS: P = (mass − change)/2, Q = (mass + change)/2
  if (Math.abs(change) > 0.75 * mass) return NaN;
  if (disjoint) return normalize ? LN2 : (LN2 / 2) * mass;
  if (!normalize) return d / 4;
  const x = change / mass;
  const correction = (x * change) / 4;
  if (Math.abs(x) > (single ? 4e-7 : 7e-12) || correction * 32 > d) return NaN;
  const value = min(((d / 4 - correction) * 2) / mass, LN2);
  // q·f is rounded: by u/√JS of the value or so
  const least = single ? 4e-3 : 1e-10;
  return scaled && value < least ? NaN : value;
}
