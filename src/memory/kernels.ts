/** Which kernels are in use: those of a variant, with a memory of their own. */
import type { Variant } from "../types.ts";
import { Arena, byFamily, HEAP } from "./arena.ts";
import { variants } from "./embedded/index.ts";

/** Whether the engine takes a variant's instructions, i32x4.splat and f32x4.relaxed_madd, in a function [] → [v128]. */
export function supports(variant: Variant): boolean {
  const splat = [0x41, 0, 0xfd, 0x11];
  const body = [0, ...splat, ...(variant === "base" ? [] : [...splat, ...splat, 0xfd, 0x85, 2]), 0x0b];
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
  return WebAssembly.validate(new Uint8Array([...header, 10, body.length + 2, 1, body.length, ...body]));
}

/** The better of the variants that this entry of the package has. @throws Error where the engine lacks SIMD. */
export function best(fn: string): Variant {
  const variant = variants.find(supports);
  if (variant) return variant;
  throw new Error(
    `${fn}: the engine has no WebAssembly SIMD; surprisal needs Node 16.4, Chrome 91, Firefox 89, Safari 16.4 or later`,
  );
}

/** One memory per variant, so that switching to and fro compiles nothing twice and keeps residents. */
const arenas: { [V in Variant]: Arena | undefined } = { base: undefined, relaxed: undefined };
let current: Arena | undefined;

/** That of a variant, made at its first use. */
export function arenaOf(fn: string, variant: Variant): Arena {
  arenas[variant] ??= new Arena(fn, HEAP, variant, byFamily());
  return arenas[variant];
}

/** The kernels in use, with their memory. The first call takes the best, as `initSync()` does, and errs in its name. */
export function arena(): Arena {
  current ??= arenaOf("initSync", best("initSync"));
  return current;
}

/** Takes others into use. */
export function use(arena: Arena): void {
  current = arena;
}
