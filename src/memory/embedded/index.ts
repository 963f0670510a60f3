/** The kernels within this file. Other entries of the package have another of this folder in its place (tsdown.config.ts). */
import type { Variant } from "../../types.ts";
import type { Family } from "../family.ts";
import { unpacked } from "./unpacked.ts";

/** What there is, the better first. */
export const variants: readonly Variant[] = ["relaxed", "base"];

/** The module of a family in one of these variants. */
export function moduleOf({ source }: Family, variant: Variant): WebAssembly.Module {
  return new WebAssembly.Module(unpacked(source as string, variant));
}
