/** The entropy of a row whose largest element, of weight 1, stands apart from the rest: q = Σ rⱼ and d = Σ rⱼ·(−log rⱼ) of the others. */
import { sumError } from "../lanes";
import { addLog } from "./log";

/** log1p(q) + d/(1 + q). */
export function entropyOf(q: f64, d: f64): f64 {
  const one = f64x2.splat(1);
  const rest = f64x2.splat(q);
  const u = v128.add<f64>(one, rest);
  return f64x2.extract_lane(addLog(f64x2.splat(d / (1 + q)), u, sumError(one, rest, u), f64x2.splat(0)), 0);
}
