/** Compiles and instantiates the kernels, at the first call or when told to, and chooses the variant. */
import { instantiate, instantiateSync, type ResultObject } from "@assemblyscript/loader";
import { version } from "../package.json";
import type { Kernels, Variant } from "./abi.ts";
import { Arena } from "./arena.ts";
import { failKind, oneOf } from "./check.ts";
import { embedded, variants } from "./embedded/index.ts";

export interface InitOptions {
  /**
   * Which kernels: `"base"` gives the same bits on every engine, `"relaxed"` uses fused multiply-add and needs relaxed
   * SIMD, `"auto"` (the default) takes relaxed where the engine has it.
   */
  variant?: "auto" | Variant;
  /** A module to use instead of the embedded one, such as `surprisal/base.wasm` compiled ahead of time. */
  module?: WebAssembly.Module | BufferSource;
}

/** What `init` takes beside `initSync`'s: also a Response or a promise. */
export interface AsyncInitOptions extends Omit<InitOptions, "module"> {
  module?: ModuleSource | Promise<ModuleSource>;
}

type ModuleSource = WebAssembly.Module | BufferSource | Response;

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

/** One instance per variant, so that switching to and fro compiles nothing twice. */
const arenas: Partial<Record<Variant, Arena>> = {};
let current: Arena | undefined;
/** What the instances were made of. */
const modules = new WeakMap<Arena, WebAssembly.Module>();

/** The kernels in use, with their memory; compiled here at the first call. */
export function arena(): Arena {
  if (current === undefined) initSync();
  return current as Arena;
}

/** Memory for one call: `bytes` from `pointer` on, with the kernels that see it. */
export interface Workspace {
  readonly arena: Arena;
  readonly pointer: number;
}

/**
 * Memory for a problem that cannot be streamed. A small one has the stage; a large one an instance of its own, whose
 * memory goes with it, since linear memory never shrinks.
 *
 * @throws RangeError where there is not enough memory.
 */
export function workspace(fn: string, bytes: number): Workspace {
  const shared = arena();
  if (bytes <= shared.stageBytes) return { arena: shared, pointer: shared.stage };
  const module = modules.get(shared) as WebAssembly.Module;
  const own = new Arena(instantiateSync(module).instance.exports as unknown as Kernels, shared.variant);
  return { arena: own, pointer: own.allocate(fn, bytes) };
}

function choose(fn: string, options: InitOptions | AsyncInitOptions): Variant {
  const variant = oneOf(fn, "variant", options.variant, ["auto", "base", "relaxed"], "auto");
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
  if (ready.length === 0 && options.module === undefined)
    throw new Error(`${fn}: "variant" is "${variant}", but this entry of the package holds "${variants}" alone`);
  return ready.find(supports) ?? "base";
}

type Instantiated = Pick<ResultObject, "instance" | "module">;

/** Takes an instance into use, after a look at what it is. */
function adopt(fn: string, options: InitOptions | AsyncInitOptions, { instance, module }: Instantiated): void {
  const kernels = instance.exports as unknown as Kernels;
  if (typeof kernels.isRelaxed !== "function")
    failKind(fn, "module", "surprisal's own base.wasm or relaxed.wasm", options.module);
  const variant = kernels.isRelaxed() ? "relaxed" : "base";
  if (options.variant && options.variant !== "auto" && options.variant !== variant) {
    throw new RangeError(`${fn}: "module" holds the ${variant} kernels, but "variant" is "${options.variant}"`);
  }
  current = arenas[variant] = new Arena(kernels, variant);
  modules.set(current, module);
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
export function initSync(options: InitOptions = {}): void {
  const variant = choose("initSync", options);
  const { module } = options;
  if (module === undefined && arenas[variant]) {
    current = arenas[variant];
    return;
  }
  const given = module === undefined ? undefined : moduleOf("initSync", module);
  let instantiated: Instantiated;
  try {
    instantiated = instantiateSync(given ?? embedded(variant));
  } catch (error) {
    throw explain("initSync", given, error);
  }
  adopt("initSync", options, instantiated);
}

/**
 * The same, off the main thread where the engine can, and from a Response or a promise too.
 *
 * @example await init({ module: fetch("/surprisal/base.wasm") });
 */
export async function init(options: AsyncInitOptions = {}): Promise<void> {
  const variant = choose("init", options);
  if (options.module === undefined && arenas[variant]) {
    current = arenas[variant];
    return;
  }
  let given: unknown = await options.module;
  if (typeof Response !== "undefined" && given instanceof Response) given = await given.arrayBuffer();
  const module = given === undefined ? undefined : moduleOf("init", given);
  let instantiated: Instantiated;
  try {
    instantiated = await instantiate(module ?? embedded(variant));
  } catch (error) {
    throw explain("init", module, error);
  }
  adopt("init", options, instantiated);
}

/** Which kernels run, how large their memory is, and the version of the package. */
export function info(): { variant: Variant; memoryBytes: number; version: string } {
  const { variant, memoryBytes } = arena();
  return { variant, memoryBytes, version };
}
