/**
 * As ./workerd.ts, where there are the base kernels alone: for `surprisal/base`, and for edge functions of Vercel, as the engine that
 * runs them may lack relaxed SIMD and would refuse it.
 */
import type { Variant } from "../../types.ts";

export { moduleOf } from "./workerd.ts";

export const variants: readonly Variant[] = ["base"];
