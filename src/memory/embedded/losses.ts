/** The kernels of cross-entropy, entropy, binary cross-entropy and functions of one number. */
import { kernels } from "../../../build/embedded/losses.ts";
import type { Family } from "../family.ts";

export const LOSSES: Family<"losses"> = { name: "losses", source: kernels };
