/** surprisal/parallel wherever there are workers, with shared memory and without; and where there are none. */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";
import { type Browser, chromium, firefox, reportOf, webkit } from "./browsers.ts";
import { bundle as edgeBundle, host } from "./edge.ts";
import { check, type Home, parse, type Result, type Row, root, tool } from "./home.ts";
import { projectOf } from "./project.ts";
import { ISOLATED, serve } from "./serve.ts";
import { bundle, fetched, WORKERD, withServer } from "./workerd.ts";

const SUITE = join(import.meta.dirname, "pool.js");

/** Both ways in which workers are made, of an engine with Node's modules. */
const PROGRAM = `
  import { Worker } from "node:worker_threads";
  import * as surprisal from "surprisal";
  import * as parallel from "surprisal/parallel";
  import { pools } from "./pools.mjs";
  const make = () => new Worker(new URL("./node_modules/surprisal/dist/parallel.worker.js", import.meta.url));
  const [own, given] = [await pools(surprisal, parallel, { workers: 2 }), await pools(surprisal, parallel, { workers: 2, make })];
  console.log(JSON.stringify({ passed: own.passed + given.passed, failed: [...own.failed, ...given.failed] }));`;

/** Where there are no workers. */
const ALONE = `
  import * as surprisal from "surprisal";
  import * as parallel from "surprisal/parallel";
  import { pools } from "./pools.mjs";`;

export async function run(home: Home, row: Row): Promise<void> {
  home.write("pools.mjs", readFileSync(SUITE, "utf8"));
  home.write("parallel.mjs", PROGRAM);
  const engines = [
    ["Node", tool("node20/bin/node"), []],
    ["Node", tool("node26/bin/node"), []],
    ["Deno", tool("@deno/linux-x64-glibc/deno"), ["run", "--no-lock", "--allow-read", "--allow-sys"]],
    ["Bun", tool("@oven/bun-linux-x64/bin/bun"), []],
  ] as const;
  for (const [name, path, args] of engines) {
    const version = /\d+\.\d+\.\d+/.exec(await home.exec(path, ["--version"]))?.[0];
    await row(`${name} ${version}`, "surprisal/parallel", () => home.result(path, [...args, "parallel.mjs"]));
  }

  await row((await home.exec(WORKERD, ["--version"])).trim(), "surprisal/parallel, no workers", async () => {
    const source = `${ALONE}
      export default { async fetch() { return Response.json(await pools(surprisal, parallel, { workers: 1 })); } };`;
    return withServer(home, await bundle(home, source, "parallelWorker"), async ({ url }) => parse(await fetched(url)));
  });
  await row("Edge Runtime", "surprisal/parallel, no workers", async () => {
    const source = `${ALONE}
      export default () => pools(surprisal, parallel, { workers: 1 });`;
    const bundled = home.write("parallelEdge.js", await edgeBundle(home, source));
    const program = home.write("parallelEdge.cjs", host(bundled, join(home.installed, "dist/wasm")));
    return home.result(process.execPath, [program]);
  });

  const server = await serve(
    {
      "/surprisal/": { at: join(home.installed, "dist") },
      "/pools.js": { at: SUITE },
      "/node_modules/surprisal/dist/": { at: join(home.installed, "dist") },
      "/example.html": { text: example() },
      "/": { at: join(import.meta.dirname, "pages") },
    },
    { isolated: ISOLATED, closed: { "content-security-policy": "worker-src 'none'" } },
  );
  try {
    for (const start of [chromium, firefox, webkit]) {
      const browser = await start();
      const visit = <T>(page: string) => reportOf<T>(server, page, browser);
      try {
        await row(browser.name, "surprisal/parallel, cross-origin isolated", () =>
          visit("/isolated/pool.html?isolated"),
        );
        await row(browser.name, "surprisal/parallel, not isolated", () => visit("/pool.html"));
        await row(browser.name, "surprisal/parallel, CSP `worker-src 'none'`", async () => {
          const message = await visit<string>("/closed/noWorkers.html");
          const isTold = /^createPool: a worker could not be started: .*worker-src/.test(message);
          return check({
            "the error says what to allow": () => {
              if (!isTold) throw new Error(message);
            },
          });
        });
        if (start === chromium) {
          await row(browser.name, "examples/all-cores.html", async () => {
            const shown = await visit<string>("/isolated/example.html");
            const isRight = /^100\.0 % are of the same centre: \d+\.\d+ s in \d+ threads\.$/.test(shown);
            return check({
              "finds neighbours, and tells how far it is": () => {
                if (!isRight) throw new Error(shown);
              },
            });
          });
          await bundles(home, row, browser);
        }
      } finally {
        await browser.close();
      }
    }
  } finally {
    server.close();
  }
}

/** examples/all-cores.html, whose button is pressed: it reports what is shown at the end. */
function example(): string {
  const press = `
    const [bar, summary] = ["progress", "#summary"].map((selector) => document.querySelector(selector));
    new MutationObserver(() => summary.textContent && report(bar.value === 1 ? summary.textContent : "the bar is at " + bar.value))
      .observe(summary, { childList: true });
    const start = document.querySelector("#start");
    const timer = setInterval(() => {
      if (start.disabled) return;
      clearInterval(timer);
      start.click();
    }, 20);`;
  return readFileSync(join(root, "examples/all-cores.html"), "utf8")
    .replace("<meta", `<script src="report.js"></script><meta`)
    .concat(`<script type="module">${press}</script>`);
}

/** A page of a project that imports the package; with `make` where the bundler does not find its workers. */
const page = (make?: string): string => `
  import * as surprisal from "surprisal";
  import * as parallel from "surprisal/parallel";
  import { pools } from "./pools.js";
  report(await pools(surprisal, parallel, { workers: 2${make === undefined ? "" : `, make: () => ${make}`} }));`;

/** In bundles, with nothing configured. */
async function bundles(home: Home, row: Row, browser: Browser): Promise<void> {
  const reports = join(import.meta.dirname, "pages/report.js");
  const project = (name: string, make?: string): string => {
    const folder = projectOf(home, join(import.meta.dirname, "bundlers/app"), `parallel-${name}`);
    writeFileSync(join(folder, "src/index.js"), page(make));
    cpSync(SUITE, join(folder, "src/pools.js"));
    return folder;
  };
  const visit = async (folder: string, script?: string): Promise<Result> => {
    const html = readFileSync(join(folder, "index.html"), "utf8");
    const server = await serve(
      {
        "/report.js": { at: reports },
        "/index.html": { text: script === undefined ? html : html.replace("/src/index.js", script) },
        "/": { at: folder },
      },
      { isolated: ISOLATED },
    );
    try {
      return await reportOf<Result>(server, "/isolated/index.html", browser);
    } finally {
      server.close();
    }
  };

  await row(`webpack ${webpack.version}`, `surprisal/parallel, in ${browser.name}`, async () => {
    const folder = project("webpack");
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
      const output = { path: join(folder, "dist") };
      webpack({ context: folder, mode: "production", output }, (error, stats) =>
        error ? reject(error) : resolve(stats),
      );
    });
    if (stats?.hasErrors()) throw new Error(stats.toString("errors-only"));
    return visit(folder, "dist/main.js");
  });
  await row(`Vite ${vite.version}`, `surprisal/parallel, build, in ${browser.name}`, async () => {
    const folder = project("vite");
    await vite.build({ root: folder, base: "./", logLevel: "error" });
    return visit(join(folder, "dist"));
  });
  await row(`Vite ${vite.version}`, `surprisal/parallel, dev server, in ${browser.name}`, async () => {
    const folder = project("vite-dev");
    rmSync(join(folder, "public"), { recursive: true, force: true });
    cpSync(reports, join(folder, "public/report.js"));
    const server = await vite.createServer({ root: folder, logLevel: "error" });
    const reporter = await serve({});
    try {
      await server.listen();
      return await reportOf<Result>(reporter, `${server.resolvedUrls?.local[0]}`, browser);
    } finally {
      reporter.close();
      await server.close();
    }
  });
  await row(
    `esbuild ${esbuild.version}`,
    `surprisal/parallel, \`worker: () => Worker\`, in ${browser.name}`,
    async () => {
      const folder = project("esbuild", 'new Worker(new URL("worker.js", import.meta.url), { type: "module" })');
      writeFileSync(join(folder, "src/worker.js"), 'import "surprisal/parallel/worker";\n');
      await esbuild.build({
        entryPoints: [join(folder, "src/index.js"), join(folder, "src/worker.js")],
        outdir: join(folder, "dist"),
        bundle: true,
        format: "esm",
      });
      return visit(folder, "dist/index.js");
    },
  );
}
