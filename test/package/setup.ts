/** Packs the built package and installs it, offline, in an empty folder: `home`, see vitest.config.ts. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { root } from "./support.ts";

declare module "vitest" {
  export interface ProvidedContext {
    home: string;
    tarball: string;
  }
}

export default function setup(project: TestProject): () => void {
  if (!existsSync(join(root, "dist/index.js"))) throw new Error("dist/ is not built: npm run build");
  const { home } = project.getProvidedContext();
  const npm = (cwd: string, ...args: string[]) => execFileSync("npm", args, { cwd, encoding: "utf8", stdio: "pipe" });
  mkdirSync(home);
  try {
    const packed = npm(root, "pack", "--json", "--ignore-scripts", "--pack-destination", home);
    const tarball = join(home, (JSON.parse(packed) as [{ filename: string }])[0].filename);
    writeFileSync(join(home, "package.json"), '{ "private": true }\n');
    npm(home, "install", "--offline", "--no-audit", "--no-fund", tarball);
    project.provide("tarball", tarball);
  } catch (cause) {
    rmSync(home, { recursive: true });
    throw cause;
  }
  return () => rmSync(home, { recursive: true, force: true });
}
