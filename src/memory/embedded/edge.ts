/** As ./workerd.ts, for edge functions of Vercel; the engine that runs them may lack relaxed SIMD, and would refuse it. */
import base from "surprisal/base.wasm?module";
import type { Variant } from "../../types.ts";

export const variants: readonly Variant[] = ["base"];

export function embedded(): WebAssembly.Module {
  return base;
}
