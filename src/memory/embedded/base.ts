/** For `surprisal/base`: the base kernels alone. */
import type { Variant } from "../../types.ts";

export { unpacked as embedded } from "./packed.ts";

export const variants: readonly Variant[] = ["base"];
