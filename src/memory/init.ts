/** Which kernels are in use, as the caller says: the variant, and modules compiled ahead of time. */
import { version } from "../../package.json";
import { failKind } from "../errors.ts";
import { oneOf, optionsOf } from "../options.ts";
import type { Variant } from "../types.ts";
import { byFamily } from "./arena.ts";
import { variants } from "./embedded/index.ts";
import { arena, arenaOf, best, supports, use } from "./kernels.ts";
import { notLoaded } from "./load.ts";
import type { FamilyName } from "./statics.ts";

/** A WebAssembly.Module. Not every library of types has that, and where it is declared it has no members: any object would be one. */
type Module = object;
/** A module, its bytes or a Response with them: what an object is, beyond that, is seen at run time. */
type Source = Module | ArrayBuffer | ArrayBufferView;

export interface InitOptions {
  /**
   * Which kernels: `"base"` gives the same bits on every engine, `"relaxed"` uses fused multiply-add and needs relaxed
   * SIMD, `"auto"` (the default) takes relaxed where the engine has it.
   */
  variant?: "auto" | Variant | undefined;
  /**
   * Modules to use instead of the embedded ones, by families of functions: `surprisal/wasm/softmax.base.wasm` and its like, compiled
   * ahead of time or as bytes, all of one variant. A family that is not given is compiled at its first call.
   */
  modules?: { readonly [F in FamilyName]?: Source | undefined } | undefined;
}

/** What `init` takes beside `initSync`'s: also a Response or a promise. */
export interface AsyncInitOptions extends Omit<InitOptions, "modules"> {
  modules?: { readonly [F in FamilyName]?: Source | Promise<Source> | undefined } | undefined;
}

const VARIANTS = ["auto", "base", "relaxed"] as const;
const OPTIONS = ["variant", "modules"];
const FAMILIES = /* @__PURE__ */ Object.keys(/* @__PURE__ */ byFamily()) as FamilyName[];

/** The section of a .wasm file that says what it holds: "softmax.base". */
const LABEL = "surprisal";

/** What is given of a family. */
interface Given {
  readonly name: FamilyName;
  /** As the caller knows it. */
  readonly argument: string;
  readonly source: unknown;
}

/** The options, checked, but for what the modules are. */
function argumentsOf(fn: string, options: AsyncInitOptions | undefined) {
  const { variant, modules } = optionsOf<AsyncInitOptions>(fn, options, OPTIONS);
  const wanted = oneOf(fn, "variant", variant, VARIANTS, "auto");
  const byName = optionsOf<NonNullable<typeof modules>>(fn, modules, FAMILIES, "modules");
  const given: Given[] = [];
  for (const name of FAMILIES) {
    const source: unknown = byName[name];
    if (source !== undefined) given.push({ name, argument: `modules.${name}`, source });
  }
  return { wanted, given };
}

/** A module or its bytes, which may be of another realm. */
function isModule(value: unknown): value is WebAssembly.Module {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}
function isBytes(value: unknown): value is BufferSource {
  return ArrayBuffer.isView(value) || /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value));
}

function refuse(fn: string, { argument, source }: Given): never {
  const expected =
    fn === "init" ? "a WebAssembly.Module, bytes, a Response or a promise of one" : "a WebAssembly.Module or bytes";
  return failKind(fn, argument, expected, source);
}

const notCompiled = (fn: string, { argument }: Given, cause: unknown): Error =>
  notLoaded(fn, `the module "${argument}"`, cause);

/** The variant that a module holds of its family, as it says itself. */
function labelOf(fn: string, { name, argument, source }: Given, module: WebAssembly.Module): Variant {
  const [section] = WebAssembly.Module.customSections(module, LABEL);
  const label = section && String.fromCharCode(...new Uint8Array(section));
  for (const variant of ["base", "relaxed"] as const) if (label === `${name}.${variant}`) return variant;
  const expected = `surprisal's own ${name}.base.wasm or ${name}.relaxed.wasm`;
  return failKind(fn, argument, expected, source, label && `${label}.wasm`);
}

/** Takes kernels into use: those of the modules, of which there may be none, and of the variant that was asked for. */
function take(
  fn: string,
  wanted: (typeof VARIANTS)[number],
  given: readonly Given[],
  modules: readonly WebAssembly.Module[],
) {
  const labels = given.map((one, i) => labelOf(fn, one, modules[i] as WebAssembly.Module));
  const [first] = given;
  const [variant = variantFor(fn, wanted)] = labels;
  labels.forEach((label, i) => {
    const { argument } = given[i] as Given;
    if (wanted !== "auto" && label !== wanted)
      throw new RangeError(`${fn}: "${argument}" holds the ${label} kernels, but "variant" is "${wanted}"`);
    if (label !== variant)
      throw new RangeError(
        `${fn}: "${argument}" holds the ${label} kernels, but "${first?.argument}" the ${variant} ones`,
      );
  });
  const at = arenaOf(fn, variant);
  given.forEach(({ name }, i) => {
    at.adopt(name, modules[i] as WebAssembly.Module);
  });
  use(at);
}

/** Which of the variants of this entry to take. */
function variantFor(fn: string, wanted: (typeof VARIANTS)[number]): Variant {
  const auto = best(fn);
  if (wanted === "auto") return auto;
  if (!supports(wanted))
    throw new Error(
      `${fn}: "variant" is "${wanted}", but the engine has no relaxed SIMD (Node 22, Chrome 114 or Firefox 146 do); "auto" falls back to "base"`,
    );
  if (!variants.includes(wanted))
    throw new Error(`${fn}: "variant" is "${wanted}", but this entry of the package holds "${variants}" alone`);
  return wanted;
}

/**
 * Chooses the variant, and takes modules that were compiled ahead of time. Without it the first call chooses, and the first call of
 * each family of functions compiles it. Synchronous.
 *
 * @throws TypeError for what is no module of the family and no bytes of one (a Response or a promise is for `init`), and for a family
 *   that there is not; RangeError for modules of different variants, or of another than asked for; Error for bytes that do not compile, and
 *   where the engine lacks SIMD or forbids compilation.
 * @example initSync({ variant: "base" }); // the same bits everywhere
 */
export function initSync(options?: InitOptions): void {
  const fn = "initSync";
  const { wanted, given } = argumentsOf(fn, options);
  const modules = given.map((one) => {
    const { source } = one;
    if (isModule(source)) return source;
    if (!isBytes(source)) return refuse(fn, one);
    try {
      return new WebAssembly.Module(source);
    } catch (cause) {
      throw notCompiled(fn, one, cause);
    }
  });
  take(fn, wanted, given, modules);
}

/**
 * The same, off the main thread where the engine can, and from a Response or a promise too.
 *
 * @example await init({ modules: { softmax: fetch("/surprisal/wasm/softmax.base.wasm") } });
 */
export async function init(options?: AsyncInitOptions): Promise<void> {
  const fn = "init";
  const { wanted, given } = argumentsOf(fn, options);
  const arrived = await Promise.all(
    given.map(async (one) => {
      let source: unknown = await one.source;
      if (typeof Response !== "undefined" && source instanceof Response) {
        const { ok, status } = source;
        if (!ok)
          throw new Error(
            `${fn}: the module "${one.argument}" was not there to fetch: the answer has status ${status}`,
          );
        source = await source.arrayBuffer();
      }
      return { ...one, source };
    }),
  );
  const modules = await Promise.all(
    arrived.map(async (one) => {
      const { source } = one;
      if (isModule(source)) return source;
      if (!isBytes(source)) return refuse(fn, one);
      try {
        return await WebAssembly.compile(source);
      } catch (cause) {
        throw notCompiled(fn, one, cause);
      }
    }),
  );
  take(fn, wanted, arrived, modules);
}

/**
 * Which kernels run, how large their memory is, that which is kept for the next call over pairs or of transport included, and the
 * version of the package.
 */
export function info(): { variant: Variant; memoryBytes: number; version: string } {
  const { variant, memoryBytes, spare } = arena();
  return { variant, memoryBytes: memoryBytes + (spare?.memoryBytes ?? 0), version };
}
