/** A family of kernels. Only the functions that call it import its record, so that a bundle holds the bytes of the families it calls. */
import type { Variant } from "../types.ts";
import type { FamilyName } from "./statics.ts";

/** Where the kernels come from: packed bytes, or modules that the runtime has compiled. */
export type Source = string | { readonly [V in Variant]?: WebAssembly.Module };

export interface Family<F extends FamilyName = FamilyName> {
  readonly name: F;
  readonly source: Source;
}
