/** What a user's bundle pays. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, inject, it } from "vitest";
import { root } from "./support.ts";

const KiB = 1024;
const home = inject("home");

const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length;

async function bundle(contents: string): Promise<Uint8Array> {
  const stdin = { contents, resolveDir: home };
  const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: "esm", write: false });
  return outputFiles[0]?.contents as Uint8Array;
}
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

it.each([
  ["surprisal", "index.js", 40],
  ["surprisal/base", "base.js", 40],
  ["surprisal under workerd, without its .wasm files", "index.workerd.js", 22],
])("%s, everything in it, stays below its budget gzipped", (_, file, budget) => {
  const size = gzipped(readFileSync(join(home, "node_modules/surprisal/dist", file)));
  console.log(`${file}: ${size} bytes gzipped`);
  expect(size).toBeLessThan(budget * KiB);
});

it("a bundle holds the family of what is imported, and no other", async () => {
  const index = readFileSync(join(root, "src/index.ts"), "utf8");
  const families = [...index.matchAll(/export \{([^}]*)\} from "\.\/(\w+)\.ts"/g)].map(([, list, family]) => ({
    family,
    names: (list as string).split(",").flatMap((name) => /^\s*([a-z]\w*)\s*$/.exec(name)?.[1] ?? []),
  }));
  const all = families.flatMap(({ names }) => names);
  // what every bundle has, and "sigmoid", which a kernel matrix has too
  const common = ["init", "initSync", "resident", "sigmoid"];
  // a function names itself in its errors
  const named = (file: string) => all.filter((name) => new RegExp(`(["'\`])${name}\\1`).test(file));
  expect(named(text(await bundle('export * from "surprisal"'))).length).toBeGreaterThan(0.9 * all.length);
  for (const { family, names } of families) {
    const file = text(await bundle(`export { ${names} } from "surprisal"`));
    const others = named(file).filter((name) => !names.includes(name) && !common.includes(name));
    expect(others, `in a bundle of ${family}`).toEqual([]);
  }
  console.log(`softmax alone: ${gzipped(await bundle('export { softmax } from "surprisal"'))} bytes gzipped`);
});

it("an import that is not used leaves nothing", async () => {
  expect(text(await bundle('import { softmax } from "surprisal";')).trim()).toBe("");
});
