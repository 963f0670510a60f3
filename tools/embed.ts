/**
 * Makes of build/plain.wasm, which the compiler wrote, the forms in which the kernels are shipped:
 *
 *     build/relaxed.wasm      optimised
 *     build/base.wasm         and without fused multiply-adds (assembly/embed/unfuse.ts)
 *     build/packed.ts         the relaxed kernels as LZMA, and what makes both of it, in base64
 *
 * Gzip undoes base64, but leaves 24 KB of one variant as it is, 48 of both, and of this 20.
 */
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";
import { compress } from "lzma";
import * as AT from "../src/memory/embedded/places.ts";
import { optimize } from "./optimize.ts";
import { unfuse } from "./unfuse.ts";

const relaxed = optimize(readFileSync("build/plain.wasm"));
const packed = Uint8Array.from(compress(relaxed, 9));
const base = unfuse(relaxed);
if (packed.length > AT.relaxed - AT.packed || relaxed.length > AT.base - AT.relaxed || base.length > AT.end - AT.base)
  throw new Error("the kernels have outgrown the memory that src/memory/embedded/places.ts gives them");

/** How often each operation stands in a module. */
function operations(wasm: Uint8Array): Map<string, number> {
  const text = binaryen.readBinary(wasm).emitText();
  const counts = new Map<string, number>();
  for (const [name] of text.matchAll(/\bf\d+x\d\.(mul|add|sub|relaxed_n?madd)\b/g))
    counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

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

const text = (bytes: Uint8Array): string => JSON.stringify(Buffer.from(bytes).toString("base64"));
const modules = { unpacker: readFileSync("build/embed.wasm"), kernels: packed };
const lines = Object.entries(modules).map(([name, bytes]) => `export const ${name} = ${text(bytes)};\n`);
writeFileSync("build/relaxed.wasm", relaxed);
writeFileSync("build/base.wasm", base);
writeFileSync("build/packed.ts", lines.join(""));
