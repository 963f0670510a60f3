/** The kernels of optimal transport. */
import { kernels } from "../../../build/embedded/transport.ts";
import type { Family } from "../family.ts";

export const TRANSPORT: Family<"transport"> = { name: "transport", source: kernels };
