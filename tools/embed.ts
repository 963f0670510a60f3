/**
 * Compiles each family of kernels, and makes of it the forms in which it is shipped:
 *
 *     build/wasm/softmax.relaxed.wasm    optimised
 *     build/wasm/softmax.base.wasm       and without fused multiply-adds (assembly/embed/unfuse.ts)
 *     build/embedded/softmax.ts          the relaxed kernels as LZMA, in base64; both variants are made of it
 *     build/workerd/, build/edge/        modules that import the files instead
 *
 * and build/embedded/unpacker.ts, which makes them. Gzip undoes base64, but leaves 30 % more of kernels that are not packed.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";
import { compress } from "lzma";
import * as AT from "../src/memory/embedded/places.ts";
import { type FamilyName, STATICS, STATICS_END } from "../src/memory/statics.ts";
import { compile, families, labelled } from "./kernels.ts";
import { optimize } from "./optimize.ts";
import { unfuse } from "./unfuse.ts";

/** How often each operation stands in a module. */
function operations(wasm: Uint8Array): Map<string, number> {
  const text = binaryen.readBinary(wasm).emitText();
  const counts = new Map<string, number>();
  for (const [name] of text.matchAll(/\bf\d+x\d\.(mul|add|sub|relaxed_n?madd)\b/g))
    counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Every fused operation has become two, and nothing was mistaken for one. */
function checkUnfused(relaxed: Uint8Array, base: Uint8Array): void {
  const [before, after] = [operations(relaxed), operations(base)];
  for (const type of ["f32x4", "f64x2"]) {
    const count = (of: Map<string, number>, name: string): number => of.get(`${type}.${name}`) ?? 0;
    const [fused, negated] = [count(before, "relaxed_madd"), count(before, "relaxed_nmadd")];
    const expected = { mul: fused + negated, add: fused, sub: negated, relaxed_madd: -fused, relaxed_nmadd: -negated };
    for (const [name, more] of Object.entries(expected)) {
      const got = count(after, name) - count(before, name);
      if (got !== more) throw new Error(`unfuse: ${got} more of ${type}.${name} in the base kernels, expected ${more}`);
    }
  }
}

/** The static data of a family ends before that of the next begins. */
function checkPlace(family: FamilyName, base: Uint8Array): void {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(base)), { env: { memory } });
  const end = (exports as { heapBase: () => number }).heapBase();
  const next = Math.min(...[...Object.values(STATICS), STATICS_END].filter((place) => place > STATICS[family]));
  if (end > next) throw new Error(`the static data of ${family} ends at ${end}, beyond ${next}: src/memory/statics.ts`);
}

const base64 = (bytes: Uint8Array): string => JSON.stringify(Buffer.from(bytes).toString("base64"));
const write = (name: string, data: string | Uint8Array): void => writeFileSync(`build/${name}`, data);
const folders = ["wasm", "embedded", "workerd", "edge"];
for (const folder of folders) {
  rmSync(`build/${folder}`, { recursive: true, force: true });
  mkdirSync(`build/${folder}`);
}

for (const family of families) {
  const { wasm, declaration } = await compile(family);
  const relaxed = optimize(wasm);
  const base = unfuse(relaxed);
  const packed = Uint8Array.from(compress(relaxed, 9));
  const rooms = [AT.relaxed - AT.packed, AT.base - AT.relaxed, AT.end - AT.base];
  if ([packed, relaxed, base].some(({ length }, i) => length > (rooms[i] as number)))
    throw new Error(`the kernels of ${family} have outgrown the memory that src/memory/embedded/places.ts gives them`);
  checkUnfused(relaxed, base);
  checkPlace(family, base);
  write(`${family}.d.ts`, declaration);
  write(`wasm/${family}.relaxed.wasm`, labelled(relaxed, `${family}.relaxed`));
  write(`wasm/${family}.base.wasm`, labelled(base, `${family}.base`));
  write(`embedded/${family}.ts`, `export const kernels = ${base64(packed)};\n`);
  const imported = (variant: string, query = "") =>
    `import ${variant} from "../wasm/${family}.${variant}.wasm${query}";\n`;
  const exported = (variants: string) => `export const kernels = { ${variants} };\n`;
  write(`workerd/${family}.js`, imported("base") + imported("relaxed") + exported("base, relaxed"));
  write(`workerd/${family}.base.js`, imported("base") + exported("base"));
  write(`edge/${family}.js`, imported("base", "?module") + exported("base"));
  console.log(`${family}: ${relaxed.length} bytes, packed ${packed.length}`);
}
write("embedded/unpacker.ts", `export const unpacker = ${base64(readFileSync("build/embed.wasm"))};\n`);
