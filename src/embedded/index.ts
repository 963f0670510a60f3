/** The kernels within this file. Other entries of the package have another of this folder in its place (tsdown.config.ts). */
import type { Variant } from "../abi.ts";
import { relaxed } from "./packed.ts";
import { unfuse } from "./unfuse.ts";

/** What there is, the better first. */
export const variants: readonly Variant[] = ["relaxed", "base"];

export function embedded(variant: Variant): BufferSource | WebAssembly.Module {
  return variant === "base" ? unfuse(relaxed()) : relaxed();
}
