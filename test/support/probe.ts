/** Compiles and instantiates assembly/probe.ts: the elementary functions on their own, as whole vectors in place. */
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unpacked } from "../../src/memory/embedded/unpacked.ts";
import { optimize } from "../../tools/optimize.ts";
import { pack } from "../../tools/pack.ts";

export type Variant = "base" | "relaxed";
export type Dtype = "f32" | "f64";

const root = fileURLToPath(new URL("../../", import.meta.url));
const modules = readdirSync(join(root, "assembly"), { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".ts"),
);
const sources = ["asconfig.json", ...modules.map((name) => join("assembly", name))];
const modified = (path: string): number => statSync(join(root, path)).mtimeMs;

/** Builds build/probe-<variant>.wasm, with the options of the shipped module, unless it is newer than its sources. */
export async function buildProbe(variant: Variant): Promise<string> {
  const file = `build/probe-${variant}.wasm`;
  if (existsSync(join(root, file)) && sources.every((source) => modified(source) < modified(file)))
    return join(root, file);
  const unfinished = `build/probe-${variant}-${process.pid}.wasm`; // renamed when whole: another process may be looking
  const { default: asc } = await import("assemblyscript/asc");
  const { error, stderr } = await asc.main(["assembly/probe.ts", "--baseDir", root, "--outFile", unfinished], {
    readFile: (name, base) => (name === "asconfig.json" ? withoutEntries() : readText(join(base, name))),
  });
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  const relaxed = optimize(readFileSync(join(root, unfinished)));
  writeFileSync(join(root, unfinished), unpacked(pack(relaxed), variant));
  renameSync(join(root, unfinished), join(root, file));
  return join(root, file);
}

/** asconfig.json without what would add the shipped entry to the probe, and without its bindings. */
function withoutEntries(): string {
  return (
    readText(join(root, "asconfig.json"), (key, value: unknown) =>
      key === "entries" || key === "bindings" ? [] : value,
    ) ?? "{}"
  );
}

function readText(path: string, reviver?: (key: string, value: unknown) => unknown): string | null {
  if (!existsSync(path)) return null;
  const text = readFileSync(path, "utf8");
  return reviver ? JSON.stringify(JSON.parse(text, reviver)) : text;
}

type Kernel = (ptr: number, count: number) => void;

/** The probe's functions by name, over arrays: `probe.apply("exp", x)` replaces x by e^x. */
export class Probe {
  /** Elements of the largest array taken at once. */
  static readonly CAPACITY = 4096;
  static readonly #PTR = 32768;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: WebAssembly.Exports;

  constructor(file: string) {
    const abort = (): never => {
      throw new Error("probe aborted");
    };
    const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), { env: { abort } });
    this.#exports = instance.exports;
    this.#memory = instance.exports["memory"] as WebAssembly.Memory;
  }

  apply<X extends Float32Array | Float64Array>(name: string, x: X): X {
    const Type = x.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => X;
    const dtype = x.BYTES_PER_ELEMENT === 4 ? "f32" : "f64";
    if (x.length > Probe.CAPACITY)
      throw new RangeError(`"x" expected at most ${Probe.CAPACITY} elements, got ${x.length}`);
    const kernel = this.#exports[`${name}_${dtype}`] as Kernel | undefined;
    if (!kernel) throw new TypeError(`assembly/probe.ts exports no ${name}_${dtype}`);
    const inside = new Type(this.#memory.buffer as ArrayBuffer, Probe.#PTR, x.length);
    inside.set(x);
    kernel(Probe.#PTR, Math.ceil((x.length * x.BYTES_PER_ELEMENT) / 16));
    x.set(inside);
    return x;
  }
}

/** A module of one function whose body is one relaxed instruction: does this engine know them? */
export const relaxedSupported: boolean = WebAssembly.validate(
  // (func (result v128) (f32x4.relaxed_madd (v128.const 0) …)), the operands from i32 splats
  new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 17, 65, 0, 253, 17,
    65, 0, 253, 17, 253, 133, 2, 11,
  ]),
);

export async function openProbe(variant: Variant): Promise<Probe> {
  return new Probe(await buildProbe(variant));
}
