/** The kernels come from the sources, byte for byte. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, it } from "vitest";
import { unpacked } from "../../src/memory/embedded/unpacked.ts";
import { compile, families, labelled } from "../../tools/kernels.ts";
import { optimize } from "../../tools/optimize.ts";
import { pack } from "../../tools/pack.ts";

const shipped = (name: string): Buffer =>
  readFileSync(join(inject("home"), `node_modules/surprisal/dist/wasm/${name}.wasm`));

it.each(families)(
  "%s.relaxed.wasm is what the compiler makes of assembly/ again",
  { timeout: 120_000 },
  async (family) => {
    const { wasm } = await compile(family);
    const again = labelled(unpacked(pack(optimize(wasm)), "relaxed"), `${family}.relaxed`);
    expect(shipped(`${family}.relaxed`).equals(again), "other bytes: is dist/ older than assembly/?").toBe(true);
  },
);

it.each(families.flatMap((family) => [[family, "base"] as const, [family, "relaxed"] as const]))(
  "what is embedded makes %s.%s.wasm",
  async (family, variant) => {
    const { kernels } = (await import(`../../build/embedded/${family}.ts`)) as { kernels: string };
    expect(shipped(`${family}.${variant}`).equals(labelled(unpacked(kernels, variant), `${family}.${variant}`))).toBe(
      true,
    );
  },
);
