/** The kernels of Kullback–Leibler and Jensen–Shannon divergences. */
import { kernels } from "../../../build/embedded/divergence.ts";
import type { Family } from "../family.ts";

export const DIVERGENCE: Family<"divergence"> = { name: "divergence", source: kernels };
