/** A family of kernels. Its record is imported by the functions that call it, and by no other: a bundle of those has its bytes alone. */
import type { Variant } from "../types.ts";
import type { FamilyName } from "./statics.ts";

/** Where the kernels come from: packed bytes, or modules that the runtime has compiled. */
export type Source = string | { readonly [V in Variant]?: WebAssembly.Module };

export interface Family<F extends FamilyName = FamilyName> {
  readonly name: F;
  readonly source: Source;
}
