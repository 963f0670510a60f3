/** As ./workerd.ts, for `surprisal/base`. */
import base from "surprisal/base.wasm";
import type { Variant } from "../../types.ts";

export const variants: readonly Variant[] = ["base"];

export function embedded(): WebAssembly.Module {
  return base;
}
