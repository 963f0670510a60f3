import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "./home.ts";

/**
 * A copy of the folder `source` with the packed package installed. It is below runtimes/, whose node_modules have the bundlers
 * and frameworks.
 */
export function projectOf(home: Home, source: string, name: string): string {
  const folder = join(import.meta.dirname, "build", name);
  rmSync(folder, { recursive: true, force: true });
  cpSync(source, folder, { recursive: true });
  cpSync(home.installed, join(folder, "node_modules/surprisal"), { recursive: true });
  return folder;
}

/** A project of bundlers/, with the suite beside its source. */
export function project(home: Home, source: "app" | "next", name: string): string {
  const folder = projectOf(home, join(import.meta.dirname, "bundlers", source), name);
  writeFileSync(join(folder, "src/conform.js"), home.suite);
  return folder;
}
