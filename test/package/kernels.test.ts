/** The kernels come from the sources, byte for byte. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import { expect, inject, it } from "vitest";
import { unpacked } from "../../src/memory/embedded/packed.ts";
import { optimize } from "../../tools/optimize.ts";
import { root } from "./support.ts";

const shipped = (variant: string): Buffer =>
  readFileSync(join(inject("home"), `node_modules/surprisal/dist/${variant}.wasm`));

it("relaxed.wasm is what the compiler makes of assembly/ again", { timeout: 120_000 }, async () => {
  const written = new Map<string, string | Uint8Array>();
  const config = ["--config", "asconfig.json", "--baseDir", root, "--outFile", "again.wasm"];
  const { error, stderr } = await asc.main(config, {
    writeFile: (name, contents) => void written.set(name, contents),
  });
  expect(error, stderr.toString()).toBeNull();
  const again = optimize(written.get("again.wasm") as Uint8Array);
  expect(shipped("relaxed").equals(again), "other bytes: is dist/ older than assembly/?").toBe(true);
});

it.each(["base", "relaxed"] as const)("what is embedded makes %s.wasm", (variant) => {
  expect(shipped(variant).equals(unpacked(variant))).toBe(true);
});
