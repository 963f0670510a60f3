/** Where bytes may not be compiled: workerd gives modules compiled ahead of time. */
import base from "surprisal/base.wasm";
import relaxed from "surprisal/relaxed.wasm";
import type { Variant } from "../../types.ts";

export const variants: readonly Variant[] = ["relaxed", "base"];

export function embedded(variant: Variant): WebAssembly.Module {
  return variant === "base" ? base : relaxed;
}
