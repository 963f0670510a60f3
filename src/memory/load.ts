/** Compiles the kernels of a family, and instantiates them in a memory. */
import { instantiateSync } from "@assemblyscript/loader";
import type { Variant } from "../types.ts";
import { moduleOf } from "./embedded/index.ts";
import type { Family } from "./family.ts";
import type { FamilyName } from "./statics.ts";

/** The module of a family, of what this entry of the package has. */
export function compiled(family: Family, variant: Variant): WebAssembly.Module {
  try {
    return moduleOf(family, variant);
  } catch (cause) {
    throw notLoaded("initSync", `the kernels of ${family.name}`, cause);
  }
}

/** The kernels of a module, in a memory. */
export function instantiated(
  name: FamilyName,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): WebAssembly.Exports {
  try {
    return instantiateSync(module, { env: { memory } }).instance.exports;
  } catch (cause) {
    throw notLoaded("initSync", `the kernels of ${name}`, cause);
  }
}

/** What the engine threw, in words that say what to do about it. */
export function notLoaded(fn: string, what: string, cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause);
  const words = /Content.Security.Policy|unsafe-eval|disallowed by embedder|blocked by CSP/i.test(message)
    ? `WebAssembly may not be compiled here: allow it with 'wasm-unsafe-eval' in the page's Content-Security-Policy (script-src), or pass precompiled "modules" to init (${message})`
    : `${what} could not be instantiated: ${message}`;
  return new Error(`${fn}: ${words}`, { cause });
}
