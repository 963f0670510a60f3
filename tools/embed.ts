/**
 * Compiles each family of kernels, and makes of it the forms in which it is shipped:
 *
 *     build/embedded/softmax.ts          the text that both variants are made of (pack.ts)
 *     build/wasm/softmax.relaxed.wasm    the variants
 *     build/wasm/softmax.base.wasm
 *     build/workerd/, build/edge/        modules that import these
 *
 * and build/embedded/unpacker.ts, which makes the variants of the text.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import binaryen from "binaryen";
import { type FamilyName, STATICS, STATICS_END } from "../src/memory/statics.ts";
import { compile, families, labelled } from "./kernels.ts";
import { optimize } from "./optimize.ts";
import { pack } from "./pack.ts";

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

const write = (name: string, data: string | Uint8Array): void => writeFileSync(`build/${name}`, data);
const folders = ["wasm", "embedded", "workerd", "edge"];
for (const folder of folders) {
  rmSync(`build/${folder}`, { recursive: true, force: true });
  mkdirSync(`build/${folder}`);
}

write("embedded/unpacker.ts", `export const unpacker = "${readFileSync("build/embed.wasm", "base64")}";\n`);
const { unpacked } = await import("../src/memory/embedded/unpacked.ts");

for (const family of families) {
  const { wasm, declaration } = await compile(family);
  const optimized = optimize(wasm);
  const kernels = pack(optimized);
  const [relaxed, base] = [unpacked(kernels, "relaxed"), unpacked(kernels, "base")];
  checkUnfused(optimized, base);
  checkPlace(family, base);
  write(`${family}.d.ts`, declaration);
  write(`wasm/${family}.relaxed.wasm`, labelled(relaxed, `${family}.relaxed`));
  write(`wasm/${family}.base.wasm`, labelled(base, `${family}.base`));
  write(`embedded/${family}.ts`, `export const kernels = "${kernels}";\n`);
  const imported = (variant: string, query = "") =>
    `import ${variant} from "../wasm/${family}.${variant}.wasm${query}";\n`;
  const exported = (variants: string) => `export const kernels = { ${variants} };\n`;
  write(`workerd/${family}.js`, imported("base") + imported("relaxed") + exported("base, relaxed"));
  write(`workerd/${family}.base.js`, imported("base") + exported("base"));
  write(`edge/${family}.js`, imported("base", "?module") + exported("base"));
  console.log(`${family}: ${relaxed.length} bytes, gzipped ${gzipSync(kernels, { level: 9 }).length}`);
}
