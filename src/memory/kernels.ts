/** Which kernels are in use: those of a variant, with a memory of their own. */
import type { Variant } from "../types.ts";
import { Arena, byFamily, HEAP } from "./arena.ts";
import { variants } from "./embedded/index.ts";

/** A module of one function, [] → [v128]. */
function probe(...body: number[]): Uint8Array<ArrayBuffer> {
  const code = [0, ...body, 0x0b];
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
  return new Uint8Array([...header, 10, code.length + 2, 1, code.length, ...code]);
}

/** Whether the engine takes a variant's instructions: i32x4.splat, f32x4.relaxed_madd. */
export function supports(variant: Variant): boolean {
  const splat = [0x41, 0, 0xfd, 0x11];
  const body = variant === "base" ? splat : [...splat, ...splat, ...splat, 0xfd, 0x85, 0x02];
  return WebAssembly.validate(probe(...body));
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
  return (arenas[variant] ??= new Arena(fn, HEAP, variant, byFamily()));
}

/** The kernels in use, with their memory. The first call takes the best, as `initSync()` does, and errs in its name. */
export function arena(): Arena {
  return (current ??= arenaOf("initSync", best("initSync")));
}

/** Takes others into use. */
export function use(arena: Arena): void {
  current = arena;
}
