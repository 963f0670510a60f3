/** workerd, which runs Cloudflare's Workers: a real one, served and fetched on loopback. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { build } from "esbuild";
import { check, FAMILIES, type Home, type Result, type Row, tool } from "./home.ts";

export const WORKERD = tool("@cloudflare/workerd-linux-64/bin/workerd");

/**
 * Bundles a Worker as wrangler does, in its conditions: code in one file, and beside it the WebAssembly that it imports. Returns the
 * names of the modules, the Worker first.
 */
export async function bundle(home: Pick<Home, "folder">, source: string, name: string): Promise<string[]> {
  const { metafile } = await build({
    stdin: { contents: source, resolveDir: home.folder },
    outfile: join(home.folder, `${name}.js`),
    bundle: true,
    metafile: true,
    format: "esm",
    target: "esnext",
    conditions: ["workerd", "worker", "browser"],
    plugins: [
      {
        name: "modules",
        setup(bundler) {
          bundler.onResolve({ filter: /\.wasm$/ }, async ({ path, resolveDir, pluginData }) => {
            if (pluginData === "resolved") return undefined;
            const options = { resolveDir, kind: "import-statement", pluginData: "resolved" } as const;
            const file = (await bundler.resolve(path, options)).path;
            const module = basename(file);
            copyFileSync(file, join(home.folder, module));
            return { path: `./${module}`, external: true };
          });
        },
      },
    ],
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => basename(path)));
  return [`${name}.js`, ...new Set(imported)];
}

export interface Server {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves a Worker of modules in the folder, the first its code, on a port of workerd's choice. */
export async function serve(
  home: Pick<Home, "folder" | "write">,
  modules: readonly string[],
  v8Flags: readonly string[] = [],
): Promise<Server> {
  const text = JSON.stringify;
  const kind = (name: string): string => (name.endsWith(".wasm") ? "wasm" : "esModule");
  const config = home.write(
    `${modules[0]}.capnp`,
    `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      v8Flags = [${v8Flags.map((flag) => text(flag)).join(", ")}],
      services = [(name = "main", worker = .worker)],
      sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
    );
    const worker :Workerd.Worker = (
      compatibilityDate = "2026-01-01",
      modules = [${modules.map((name) => `(name = ${text(name)}, ${kind(name)} = embed ${text(name)})`).join(", ")}],
    );`,
  );
  const child = spawn(WORKERD, ["serve", "--control-fd=3", config], {
    cwd: home.folder,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let errors = "";
  child.stderr?.on("data", (data) => {
    errors += data;
  });
  const port = await new Promise<number>((resolve, reject) => {
    createInterface(child.stdio[3] as Readable).on("line", (line) => {
      const event = JSON.parse(line) as { event: string; port?: number };
      if (event.event === "listen" && event.port) resolve(event.port);
    });
    exited.then(([status]) => reject(new Error(`workerd left with ${status}\n${errors}`)), reject);
  });
  return {
    pid: child.pid as number,
    url: `http://127.0.0.1:${port}/`,
    async stop() {
      child.kill();
      await exited;
    },
  };
}

/** Serves it for as long as `use` takes. */
export async function withServer<T>(
  home: Pick<Home, "folder" | "write">,
  modules: readonly string[],
  use: (server: Server) => Promise<T>,
  v8Flags?: readonly string[],
): Promise<T> {
  const server = await serve(home, modules, v8Flags);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

export async function fetched(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5 * 60_000) });
  const body = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${body}`);
  return body;
}

function worker(home: Home, entry: string): string {
  const imported = (variant: string) =>
    FAMILIES.map((family) => `import ${family}_${variant} from "surprisal/wasm/${family}.${variant}.wasm";`).join("\n");
  const record = (variant: string) => `{ ${FAMILIES.map((family) => `${family}: ${family}_${variant}`)} }`;
  return `
    ${imported("base")}
    ${imported("relaxed")}
    import * as surprisal from "${entry}";
    import { conform } from "./conform.mjs";
    // a call at module scope, as Workers like to make
    const atStart = surprisal.softmax([0, 0]).join();
    export default {
      async fetch() {
        if (atStart !== "0.5,0.5") throw new Error(atStart);
        const baseOnly = ${entry !== "surprisal"};
        return Response.json(await conform(surprisal, {
          base: ${record("base")}, relaxed: ${record("relaxed")}, version: "${home.version}", baseOnly }));
      },
    };`;
}

/** The package as other runtimes get it, which compiles bytes: what a Worker says to that. */
const COMPILES = `
  import { softmax } from "./node_modules/surprisal/dist/index.js";
  export default {
    fetch() {
      try {
        return new Response(softmax([0, 0]).join());
      } catch ({ name, message }) {
        return new Response(name + ": " + message);
      }
    },
  };`;

export async function run(home: Home, row: Row): Promise<void> {
  const runtime = (await home.exec(WORKERD, ["--version"])).trim();
  for (const [name, entry] of [
    ["worker", "surprisal"],
    ["baseWorker", "surprisal/base"],
  ] as const) {
    const modules = await bundle(home, worker(home, entry), name);
    await row(runtime, `import ${entry}, bundled for workerd`, () =>
      withServer(home, modules, async ({ url }) => JSON.parse(await fetched(url)) as Result),
    );
  }
  await row(runtime, "a bundle of one function", () =>
    check({
      "holds its family and no other": async () => {
        const source = `import { softmax } from "surprisal";
          export default { fetch: () => new Response(softmax([0, 0]).join()) };`;
        const modules = await bundle(home, source, "one");
        if (modules.join() !== "one.js,softmax.base.wasm,softmax.relaxed.wasm") throw new Error(modules.join());
        const answer = await withServer(home, modules, ({ url }) => fetched(url));
        if (answer !== "0.5,0.5") throw new Error(answer);
      },
    }),
  );
  await row(runtime, "compilation blocked", () =>
    check({
      "the error says that a module is wanted": async () => {
        const message = await withServer(home, await bundle(home, COMPILES, "compiles"), ({ url }) => fetched(url));
        if (!/^Error: initSync: .*wasm-unsafe-eval.*precompiled "modules"/.test(message)) throw new Error(message);
      },
    }),
  );
}
