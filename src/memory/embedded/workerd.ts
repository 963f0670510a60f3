/** Where bytes may not be compiled: workerd gives modules compiled ahead of time, which dist/workerd/ imports. */
import type { Variant } from "../../types.ts";
import type { Family } from "../family.ts";

export const variants: readonly Variant[] = ["relaxed", "base"];

export function moduleOf({ source }: Family, variant: Variant): WebAssembly.Module {
  return (source as Record<Variant, WebAssembly.Module>)[variant];
}
