/** The kernels come from the sources, byte for byte. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import { describe, expect, inject, it } from "vitest";
import { root } from "./support.ts";

describe.each(["base", "relaxed"])("%s.wasm", (variant) => {
  it("is what the compiler makes of assembly/ again", { timeout: 120_000 }, async () => {
    const written = new Map<string, string | Uint8Array>();
    const config = ["--config", "asconfig.json", "--baseDir", root, "--target", variant];
    const { error, stderr } = await asc.main([...config, "--outFile", "again.wasm"], {
      writeFile: (name, contents) => void written.set(name, contents),
    });
    expect(error, stderr.toString()).toBeNull();
    const shipped = readFileSync(join(inject("home"), `node_modules/surprisal/dist/${variant}.wasm`));
    expect(shipped.equals(written.get("again.wasm") as Uint8Array), "other bytes: is dist/ older than assembly/?").toBe(
      true,
    );
  });
});
