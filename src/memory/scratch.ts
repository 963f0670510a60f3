/**
 * Memory for one call: the stage where it is enough, else a second memory, which is kept for the next call that needs one.
 *
 * So memory never grows under an array: resident arrays alone are in the first, where nothing but `resident()` makes it grow, and
 * no view that a caller holds goes away within a call.
 */
import { Arena, PAD } from "./arena.ts";
import { reach } from "./heap.ts";
import { arena } from "./kernels.ts";

/**
 * A second memory is kept up to this size, which makes 16 MiB with the first. Linear memory never shrinks: a larger one is
 * dropped, and its memory with it. All that works in blocks or tiles stays below, but for thousands of columns in `kernelProduct` and
 * a million, or as many neighbours, in `nearest`; transport of thousands of points does not.
 */
const KEPT_BYTES = 14.75 * 2 ** 20;

/**
 * Runs `use` with `bytes` of memory from `pointer` on, where the stage begins, and the kernels that see them. `alone` says that a callback or a signal of the
 * caller's runs meanwhile: it may call the package, and such a call uses the stage, so that the stage cannot be this call's.
 *
 * @throws RangeError where there is not enough memory.
 */
export function scratch<R>(fn: string, bytes: number, use: (at: Arena, pointer: number) => R, alone: boolean): R {
  const shared = arena();
  if (bytes <= shared.stageBytes && !alone) return use(shared, shared.stage);
  const own = shared.spare ?? new Arena(fn, bytes, shared.variant, shared.modules);
  // while it is in use a call from a callback takes yet another
  shared.spare = undefined;
  try {
    reach(own, fn, own.stage + bytes + PAD, bytes);
    return use(own, own.stage);
  } finally {
    if (own.memoryBytes <= KEPT_BYTES) shared.spare ??= own;
  }
}
