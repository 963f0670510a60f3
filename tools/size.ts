/**
 * `npm run size`: what a page pays for an import, bundled by esbuild, minified, and compressed by GNU's `gzip -9`. Prints a table and keeps it
 * in docs/size.json, from which tools/docs.ts puts it into README.md; test/package/size.test.ts holds the package to it.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

export interface Size {
  readonly minified: number;
  readonly gzipped: number;
}

/** By what is imported: each function alone, and all there is in an entry. */
export type Sizes = Readonly<Record<string, Size>>;

/** Entries, and the file of dist/ that is imported. */
const ENTRIES = {
  everything: "index.js",
  "everything of surprisal/base": "base.js",
  "everything under workerd, without its .wasm files": "index.workerd.js",
};

async function sizeOf(dist: string, contents: string): Promise<Size> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: dist },
    bundle: true,
    minify: true,
    format: "esm",
    external: ["*.wasm"],
    write: false,
  });
  const bytes = outputFiles[0]?.contents as Uint8Array;
  return { minified: bytes.length, gzipped: execFileSync("gzip", ["-9", "-n", "-c"], { input: bytes }).length };
}

/** The sizes of the built package in a folder. */
export async function measure(dist: string): Promise<Sizes> {
  const names = Object.keys(await import(pathToFileURL(`${dist}/index.js`).href));
  const imports = [
    ...Object.entries(ENTRIES).map(([title, file]) => [title, `export * from "./${file}"`] as const),
    ...names.map((name) => [name, `export { ${name} } from "./index.js"`] as const),
  ];
  const sizes: Record<string, Size> = {};
  for (const [title, contents] of imports) sizes[title] = await sizeOf(dist, contents);
  return sizes;
}

const path = fileURLToPath(new URL("../docs/size.json", import.meta.url));

export const recorded = (): Sizes => JSON.parse(readFileSync(path, "utf8")) as Sizes;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = await measure(fileURLToPath(new URL("../dist", import.meta.url)));
  const before = recorded();
  const lines = Object.entries(sizes).map(([title, { minified, gzipped }]) => {
    const more = gzipped - (before[title]?.gzipped ?? gzipped);
    return { import: title, minified, gzipped, change: more === 0 ? "" : `${more > 0 ? "+" : ""}${more}` };
  });
  console.table(lines);
  writeFileSync(
    path,
    `${JSON.stringify(sizes, null, 2).replace(/\{\n\s+("minified.*),\n\s+(.*)\n\s+\}/g, "{ $1, $2 }")}\n`,
  );
}
