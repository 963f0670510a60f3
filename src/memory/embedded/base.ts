/** For `surprisal/base`: the base kernels alone. */
import type { Variant } from "../../types.ts";
import type { Family } from "../family.ts";
import { baseOnly } from "./baseOnly.ts";
import { moduleOf as eitherOf } from "./index.ts";

export { variants } from "./baseOnly.ts";

export function moduleOf(family: Family, variant: Variant): WebAssembly.Module {
  return eitherOf(family, baseOnly(family, variant));
}
