/**
 * The package in bundles that Chromium runs. The bundlers are set up as their documentation begins, and nothing is configured
 * for surprisal.
 */
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import esbuild from "esbuild";
import { rollup, VERSION as rollupVersion } from "rollup";
import * as vite from "vite";
import webpack from "webpack";
import { chromium, reportOf } from "./browsers.ts";
import type { Home, Row } from "./home.ts";
import { project } from "./project.ts";
import { serve } from "./serve.ts";

const SOURCE = "src/index.js";
const BUNDLE = "dist/main.js";

/** From `src/index.js` to `dist/main.js`. */
const BUNDLERS: Record<string, (folder: string) => Promise<unknown>> = {
  async [`webpack ${webpack.version}`](folder) {
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
      const output = { path: join(folder, "dist") };
      webpack({ context: folder, mode: "production", output }, (error, stats) =>
        error ? reject(error) : resolve(stats),
      );
    });
    if (stats?.hasErrors()) throw new Error(stats.toString("errors-only"));
  },
  [`esbuild ${esbuild.version}`]: (folder) =>
    esbuild.build({
      entryPoints: [join(folder, SOURCE)],
      outfile: join(folder, BUNDLE),
      bundle: true,
      minify: true,
      format: "esm",
    }),
  async [`Rollup ${rollupVersion}`](folder) {
    const bundle = await rollup({ input: join(folder, SOURCE), plugins: [nodeResolve()] });
    await bundle.write({ file: join(folder, BUNDLE), format: "es" });
    await bundle.close();
  },
};

export async function run(home: Home, row: Row): Promise<void> {
  const browser = await chromium();
  const reports = join(import.meta.dirname, "pages/report.js");

  /** What a page of `folder` reports; of another server if `page` says so. */
  async function visit(folder: string, page = "/index.html", html?: string): Promise<never> {
    const server = await serve({
      "/report.js": { at: reports },
      ...(html === undefined ? {} : { "/index.html": { text: html } }),
      "/": { at: folder },
    });
    try {
      return await reportOf(server, page, browser);
    } finally {
      server.close();
    }
  }

  async function devServer(name: string, config: vite.InlineConfig): Promise<never> {
    const root = project(home, "app", name);
    cpSync(reports, join(root, "public/report.js"));
    const server = await vite.createServer({ root, logLevel: "error", ...config });
    try {
      await server.listen();
      return await visit(root, `${server.resolvedUrls?.local[0]}`);
    } finally {
      await server.close();
    }
  }

  try {
    for (const [name, build] of Object.entries(BUNDLERS)) {
      await row(name, `bundle, in ${browser.name}`, async () => {
        const folder = project(home, "app", name.replace(/ .*/, "").toLowerCase());
        await build(folder);
        return visit(folder, "/index.html", readFileSync(join(folder, "index.html"), "utf8").replace(SOURCE, BUNDLE));
      });
    }
    const title = `Vite ${vite.version}`;
    await row(title, `build, in ${browser.name}`, async () => {
      const root = project(home, "app", "vite");
      await vite.build({ root, logLevel: "error" });
      return visit(join(root, "dist"));
    });
    await row(title, `dev server, in ${browser.name}`, () => devServer("vite-dev", {}));
    await row(title, `dev server, not pre-bundled, in ${browser.name}`, () =>
      devServer("vite-dev-excluded", { optimizeDeps: { exclude: ["surprisal"] } }),
    );
  } finally {
    await browser.close();
  }
}
