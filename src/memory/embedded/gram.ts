/** The kernels of products and distances of rows, and kernels of them. */
import { kernels } from "../../../build/embedded/gram.ts";
import type { Family } from "../family.ts";

export const GRAM: Family<"gram"> = { name: "gram", source: kernels };
