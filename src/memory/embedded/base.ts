/** For `surprisal/base`: the base kernels alone. */
import type { Variant } from "../../types.ts";

export { moduleOf } from "./index.ts";

export const variants: readonly Variant[] = ["base"];
