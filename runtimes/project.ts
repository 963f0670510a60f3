import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "./home.ts";

/**
 * A project of bundlers/ in a folder of its own, with the packed package installed and the suite beside its source. It is
 * below runtimes/, whose node_modules have the bundlers.
 */
export function project(home: Home, source: "app" | "next", name: string): string {
  const folder = join(import.meta.dirname, "build", name);
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(import.meta.dirname, "bundlers", source), folder, { recursive: true });
  cpSync(home.installed, join(folder, "node_modules/surprisal"), { recursive: true });
  writeFileSync(join(folder, "src/conform.js"), home.suite);
  return folder;
}
