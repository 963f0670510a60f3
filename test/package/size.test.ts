/** What a user's bundle pays. */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, inject, it } from "vitest";

const KiB = 1024;
const home = inject("home");

async function bundle(contents: string): Promise<Uint8Array> {
  const stdin = { contents, resolveDir: home };
  const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: "esm", write: false });
  return outputFiles[0]?.contents as Uint8Array;
}
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

it("all of it, with both kernel variants, stays below 40 KiB gzipped", async () => {
  const file = await bundle('export * from "surprisal"');
  const size = gzipSync(file, { level: 9 }).length;
  console.log(`bundled and minified: ${file.length} bytes, ${size} gzipped`);
  expect(size).toBeLessThan(40 * KiB);
});

it("a bundle holds what is imported and no more", async () => {
  // logit's argument is the only one called p, and only weights have one row
  const marks = ['"p"', "for one row"];
  const all = text(await bundle('export * from "surprisal"'));
  const one = text(await bundle('export { softmax } from "surprisal"'));
  for (const mark of marks) {
    expect(all).toContain(mark);
    expect(one).not.toContain(mark);
  }
});

it("an import that is not used leaves nothing", async () => {
  expect(text(await bundle('import { softmax } from "surprisal";')).trim()).toBe("");
});
