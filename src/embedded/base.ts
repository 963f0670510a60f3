/** For `surprisal/base`: the base kernels alone. */
import type { Variant } from "../abi.ts";
import { relaxed } from "./packed.ts";
import { unfuse } from "./unfuse.ts";

export const variants: readonly Variant[] = ["base"];

export function embedded(): BufferSource {
  return unfuse(relaxed());
}
