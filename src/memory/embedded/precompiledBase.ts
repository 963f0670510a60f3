/**
 * As ./workerd.ts, where there are the base kernels alone: for `surprisal/base`, and for edge functions of Vercel, as the engine that
 * runs them may lack relaxed SIMD and would refuse it.
 */
import type { Variant } from "../../types.ts";
import type { Family } from "../family.ts";
import { baseOnly } from "./baseOnly.ts";
import { moduleOf as eitherOf } from "./workerd.ts";

export { variants } from "./baseOnly.ts";

export function moduleOf(family: Family, variant: Variant): WebAssembly.Module {
  return eitherOf(family, baseOnly(family, variant));
}
