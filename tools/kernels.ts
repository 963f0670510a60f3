/** Compiles the kernels of a family, of assembly/<family>/, as asconfig.json says. */
import { fileURLToPath } from "node:url";
import { type FamilyName, STATICS } from "../src/memory/statics.ts";

export const families = Object.keys(STATICS) as FamilyName[];

const root = fileURLToPath(new URL("..", import.meta.url));

/** What the compiler writes: the module before it is optimised, and the declaration of what it exports. */
export async function compile(family: FamilyName): Promise<{ wasm: Uint8Array; declaration: string }> {
  const { default: asc } = await import("assemblyscript/asc");
  const written = new Map<string, string | Uint8Array>();
  const entry = [`assembly/${family}/index.ts`, "--baseDir", root, "--config", "asconfig.json", "--target", "family"];
  const place = ["--memoryBase", String(STATICS[family]), "--outFile", `${family}.wasm`];
  const { error, stderr } = await asc.main([...entry, ...place], {
    writeFile: (name, contents) => void written.set(name, contents),
  });
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return {
    wasm: written.get(`${family}.wasm`) as Uint8Array,
    declaration: String(written.get(`${family}.d.ts`)),
  };
}

/** The name of the section of a .wasm file that says what it holds. */
export const LABEL = "surprisal";

/** A module with a label: "softmax.base" of the base kernels of softmax. */
export function labelled(wasm: Uint8Array, label: string): Uint8Array {
  const text = (value: string): number[] => [value.length, ...Buffer.from(value)];
  const section = [...text(LABEL), ...Buffer.from(label)];
  return Uint8Array.of(...wasm, 0, section.length, ...section);
}
