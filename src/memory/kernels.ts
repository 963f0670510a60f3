/** Compiles and instantiates the kernels, at the first call or when told to, and chooses the variant. */
import { instantiate, instantiateSync, type ResultObject } from "@assemblyscript/loader";
import { version } from "../../package.json";
import { failKind } from "../errors.ts";
import { oneOf, optionsOf } from "../options.ts";
import type { Variant } from "../types.ts";
import type { Kernels } from "./abi.ts";
import { Arena } from "./arena.ts";
import { embedded, variants } from "./embedded/index.ts";

export interface InitOptions {
  /**
   * Which kernels: `"base"` gives the same bits on every engine, `"relaxed"` uses fused multiply-add and needs relaxed
   * SIMD, `"auto"` (the default) takes relaxed where the engine has it.
   */
  variant?: "auto" | Variant | undefined;
  /** A module to use instead of the embedded one, such as `surprisal/base.wasm` compiled ahead of time. */
  module?: Module | ArrayBuffer | ArrayBufferView | undefined;
}

/** What `init` takes beside `initSync`'s: also a Response or a promise. */
export interface AsyncInitOptions extends Omit<InitOptions, "module"> {
  module?: Source | Promise<Source> | undefined;
}

/** A WebAssembly.Module. Not every library of types has that, and where it is declared it has no members: any object would be one. */
type Module = object;
/** A module, its bytes or a Response with them: what an object is, beyond that, is seen at run time. */
type Source = Module | ArrayBuffer | ArrayBufferView;

/** A module of one function, [] → [v128]. */
function probe(...body: number[]): Uint8Array<ArrayBuffer> {
  const code = [0, ...body, 0x0b];
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
  return new Uint8Array([...header, 10, code.length + 2, 1, code.length, ...code]);
}

/** Whether the engine takes a variant's instructions: i32x4.splat, f32x4.relaxed_madd. */
function supports(variant: Variant): boolean {
  const splat = [0x41, 0, 0xfd, 0x11];
  const body = variant === "base" ? splat : [...splat, ...splat, ...splat, 0xfd, 0x85, 0x02];
  return WebAssembly.validate(probe(...body));
}

/** One instance per variant, so that switching to and fro compiles nothing twice and keeps residents. */
const arenas: Partial<Record<Variant, Arena>> = {};
let current: Arena | undefined;
/** What the instances were made of. */
const modules = new WeakMap<Arena, WebAssembly.Module>();

/** The kernels in use, with their memory; compiled here at the first call. */
export function arena(): Arena {
  if (current === undefined) initSync();
  return current as Arena;
}

/** A second instance of the kernels in use, with a memory of its own. @throws RangeError where there is no memory for it. */
export function another(fn: string, of: Arena, bytes: number): Arena {
  try {
    const { instance } = instantiateSync(modules.get(of) as WebAssembly.Module);
    return new Arena(instance.exports as unknown as Kernels, of.variant);
  } catch (cause) {
    throw new RangeError(`${fn}: not enough memory: ${bytes} bytes were asked for, in a memory of their own`, {
      cause,
    });
  }
}

const VARIANTS = ["auto", "base", "relaxed"] as const;
const OPTIONS = ["variant", "module"];

/** Which variant to take, of what was asked for; `given`: whether there is a module to take it from. */
function choose(fn: string, variant: (typeof VARIANTS)[number], given: boolean): Variant {
  if (!supports("base")) {
    throw new Error(
      `${fn}: the engine has no WebAssembly SIMD; surprisal needs Node 16.4, Chrome 91, Firefox 89, Safari 16.4 or later`,
    );
  }
  if (variant === "relaxed" && !supports("relaxed")) {
    throw new Error(
      `${fn}: "variant" is "relaxed", but the engine has no relaxed SIMD (Node 22, Chrome 114 or Firefox 146 do); "auto" falls back to "base"`,
    );
  }
  const ready = variants.filter((one) => variant === "auto" || variant === one);
  if (ready.length === 0 && !given)
    throw new Error(`${fn}: "variant" is "${variant}", but this entry of the package holds "${variants}" alone`);
  return ready.find(supports) ?? "base";
}

type Instantiated = Pick<ResultObject, "instance" | "module">;

/** Takes an instance into use, after a look at what it is. */
function adopt(fn: string, asked: string, given: unknown, { instance, module }: Instantiated): void {
  const kernels = instance.exports as unknown as Kernels;
  if (typeof kernels.isRelaxed !== "function")
    failKind(fn, "module", "surprisal's own base.wasm or relaxed.wasm", given);
  const variant = kernels.isRelaxed() ? "relaxed" : "base";
  if (asked !== "auto" && asked !== variant)
    throw new RangeError(`${fn}: "module" holds the ${variant} kernels, but "variant" is "${asked}"`);
  // of kernels that are there already the instance stays, and with it the resident arrays in its memory
  current = arenas[variant] ??= new Arena(kernels, variant);
  if (!modules.has(current)) modules.set(current, module);
}

/** What the engine threw while compiling, in words that say what to do about it. */
function explain(fn: string, given: unknown, cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/Content.Security.Policy|unsafe-eval|disallowed by embedder|blocked by CSP/i.test(message)) {
    return new Error(
      `${fn}: WebAssembly may not be compiled here: allow it with 'wasm-unsafe-eval' in the page's Content-Security-Policy (script-src), or pass a precompiled "module" (${message})`,
      { cause },
    );
  }
  return new Error(
    `${fn}: ${given === undefined ? "the kernels" : 'the "module"'} could not be instantiated: ${message}`,
    { cause },
  );
}

/** A module or its bytes. */
function moduleOf(fn: string, value: unknown): WebAssembly.Module | BufferSource {
  // an edge sandbox may hold modules of another realm
  if (
    ArrayBuffer.isView(value) ||
    /\[object (WebAssembly.Module|(Shared)?ArrayBuffer)\]/.test(Object.prototype.toString.call(value))
  ) {
    return value as WebAssembly.Module | BufferSource;
  }
  return failKind(
    fn,
    "module",
    fn === "init" ? "a WebAssembly.Module, bytes, a Response or a promise of one" : "a WebAssembly.Module or bytes",
    value,
  );
}

/**
 * Compiles and instantiates the kernels now rather than at the first call, or switches the variant. Synchronous.
 *
 * @throws TypeError for a `module` that is no module and no bytes (a Response or a promise is for `init`); RangeError for a
 *   module of another variant than asked for; Error where the engine lacks SIMD or forbids compilation.
 * @example initSync({ variant: "base" }); // the same bits everywhere
 */
export function initSync(options?: InitOptions): void {
  const fn = "initSync";
  const { variant: asked, module } = optionsOf<InitOptions>(fn, options, OPTIONS);
  const wanted = oneOf(fn, "variant", asked, VARIANTS, "auto");
  const given = module === undefined ? undefined : moduleOf(fn, module);
  const variant = choose(fn, wanted, given !== undefined);
  if (given === undefined && useAgain(variant)) return;
  let instantiated: Instantiated;
  try {
    instantiated = instantiateSync(given ?? embedded(variant));
  } catch (error) {
    throw explain(fn, given, error);
  }
  adopt(fn, wanted, given, instantiated);
}

/** Takes kernels into use that are there already; false if they are not. */
function useAgain(variant: Variant): boolean {
  const ready = arenas[variant];
  if (ready) current = ready;
  return ready !== undefined;
}

/**
 * The same, off the main thread where the engine can, and from a Response or a promise too.
 *
 * @example await init({ module: fetch("/surprisal/base.wasm") });
 */
export async function init(options?: AsyncInitOptions): Promise<void> {
  const fn = "init";
  const { variant: asked, module } = optionsOf<AsyncInitOptions>(fn, options, OPTIONS);
  const wanted = oneOf(fn, "variant", asked, VARIANTS, "auto");
  let source: unknown = await module;
  if (typeof Response !== "undefined" && source instanceof Response) source = await source.arrayBuffer();
  const given = source === undefined ? undefined : moduleOf(fn, source);
  const variant = choose(fn, wanted, given !== undefined);
  if (given === undefined && useAgain(variant)) return;
  let instantiated: Instantiated;
  try {
    instantiated = await instantiate(given ?? embedded(variant));
  } catch (error) {
    throw explain(fn, given, error);
  }
  adopt(fn, wanted, given, instantiated);
}

/** Which kernels run, how large their memory is, that of `scratch` included, and the version of the package. */
export function info(): { variant: Variant; memoryBytes: number; version: string } {
  const { variant, memoryBytes } = arena();
  return { variant, memoryBytes: memoryBytes + (current?.spare?.memoryBytes ?? 0), version };
}
