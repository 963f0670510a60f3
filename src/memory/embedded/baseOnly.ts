/** What entries of the package have in common that hold the base kernels alone. */
import type { Variant } from "../../types.ts";
import type { Family } from "../family.ts";

export const variants: readonly Variant[] = ["base"];

/** The variant, if it is there: relaxed modules of other families may have been given to `init`. */
export function baseOnly({ name }: Family, variant: Variant): "base" {
  if (variant === "base") return variant;
  throw new Error(`this entry of the package holds "base" alone; pass "modules.${name}" to init, too`);
}
