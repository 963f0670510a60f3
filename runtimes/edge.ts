/** Vercel's edge runtime, in a process of its own: a realm with the APIs of an edge function, and modules of the host's. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { check, FAMILIES, type Home, type Result, type Row, tool } from "./home.ts";

/**
 * Bundles in the conditions of an edge function. As Vercel's build does, `x.wasm?module` becomes a global that holds the module
 * compiled ahead of time.
 */
export async function bundle(home: Home, source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: home.folder },
    bundle: true,
    format: "iife",
    globalName: "edge",
    target: "es2022",
    write: false,
    conditions: ["edge-light", "worker", "browser"],
    plugins: [
      {
        name: "modules",
        setup(bundler) {
          bundler.onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "wasm" }));
          bundler.onLoad({ filter: /./, namespace: "wasm" }, ({ path }) => {
            const family = /(\w+)\.base\.wasm/.exec(path)?.[1];
            return { contents: `export default globalThis.wasm_${family};` };
          });
        },
      },
    ],
  });
  return (outputFiles[0] as { text: string }).text;
}

/** Runs a bundle in the sandbox, where bytes may not be compiled; prints what `edge.default` gives. */
export function host(bundled: string, folder: string): string {
  return `
    const { readFileSync } = require("node:fs");
    const { EdgeVM } = require(${JSON.stringify(tool("@edge-runtime/vm"))});
    const vm = new EdgeVM({ codeGeneration: { strings: false, wasm: false } });
    for (const family of ${JSON.stringify(FAMILIES)})
      vm.context["wasm_" + family] = new WebAssembly.Module(readFileSync(${JSON.stringify(folder)} + "/" + family + ".base.wasm"));
    vm.evaluate(readFileSync(${JSON.stringify(bundled)}, "utf8"));
    Promise.resolve(vm.evaluate("edge.default()")).then((result) => console.log(JSON.stringify(result)));`;
}

export async function run(home: Home, row: Row): Promise<void> {
  const manifest = createRequire(import.meta.url).resolve(tool("@edge-runtime/vm/package.json"));
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  const runtime = `Edge Runtime ${version}`;
  const programOf = async (name: string, source: string): Promise<string> => {
    const bundled = home.write(`${name}.js`, await bundle(home, source));
    return home.write(`${name}.cjs`, host(bundled, join(home.installed, "dist/wasm")));
  };
  const program = await programOf(
    "edge",
    `${FAMILIES.map((family) => `import ${family} from "surprisal/wasm/${family}.base.wasm?module";`).join("\n")}
    import * as surprisal from "surprisal";
    import { conform } from "./conform.mjs";
    export default () => conform(surprisal, { base: { ${FAMILIES} }, version: "${home.version}", baseOnly: true });`,
  );
  await row(
    runtime,
    "import, bundled for edge-light",
    async (): Promise<Result> => home.result(process.execPath, [program]),
  );
  await row(runtime, "compilation blocked", async () => {
    const compiles = await programOf(
      "edgeCompiles",
      `import { softmax } from "./node_modules/surprisal/dist/index.js";
      export default () => {
        try {
          return softmax([0, 0]).join();
        } catch ({ name, message }) {
          return name + ": " + message;
        }
      };`,
    );
    return check({
      "the error says that a module is wanted": async () => {
        const message = await home.exec(process.execPath, [compiles]);
        if (!/^"Error: initSync: .*wasm-unsafe-eval.*precompiled \\"modules\\"/.test(message)) throw new Error(message);
      },
    });
  });
}
