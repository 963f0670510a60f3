/** The kernels of softmax, log-softmax and log-sum-exp. */
import { kernels } from "../../../build/embedded/softmax.ts";
import type { Family } from "../family.ts";

export const SOFTMAX: Family<"softmax"> = { name: "softmax", source: kernels };
