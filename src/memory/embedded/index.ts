/** The kernels within this file. Other entries of the package have another of this folder in its place (tsdown.config.ts). */
import type { Variant } from "../../types.ts";
import { unpacked } from "./packed.ts";

/** What there is, the better first. */
export const variants: readonly Variant[] = ["relaxed", "base"];

export function embedded(variant: Variant): BufferSource | WebAssembly.Module {
  return unpacked(variant);
}
