/** Node, from the oldest release that is maintained to the newest: ES modules, CommonJS, worker threads. */
import { FAMILIES, type Home, type Row, tool } from "./home.ts";

const NODES = ["node20", "node22", "node24", "node26"];

/** Prints the result, in engines with Node's modules. */
export function program(home: Home, entry = "surprisal"): string {
  return `
    import { readFileSync } from "node:fs";
    import * as surprisal from "${entry}";
    import { conform } from "./conform.mjs";
    const [base, relaxed] = ["base", "relaxed"].map((variant) =>
      Object.fromEntries(${JSON.stringify(FAMILIES)}.map((family) =>
        [family, readFileSync(\`node_modules/surprisal/dist/wasm/\${family}.\${variant}.wasm\`)])));
    base.softmax = new WebAssembly.Module(base.softmax);
    const options = {
      version: ${JSON.stringify(home.version)},
      base,
      relaxed,
      baseOnly: ${entry !== "surprisal"},
    };
    console.log(JSON.stringify(await conform(surprisal, options)));`;
}

export async function run(home: Home, row: Row): Promise<void> {
  home.write("esm.mjs", program(home));
  home.write("base.mjs", program(home, "surprisal/base"));
  home.write(
    "cjs.cjs",
    `const { conform } = require("./conform.cjs");
    conform(require("surprisal"), { version: ${JSON.stringify(home.version)} }).then((result) => console.log(JSON.stringify(result)));`,
  );
  home.write(
    "worker.mjs",
    `import { parentPort, workerData } from "node:worker_threads";
    import * as surprisal from "surprisal";
    import { conform } from "./conform.mjs";
    parentPort.postMessage(await conform(surprisal, workerData));`,
  );
  home.write(
    "threads.mjs",
    `import { readFileSync } from "node:fs";
    import { Worker } from "node:worker_threads";
    // a compiled module goes to a worker without a copy
    const softmax = new WebAssembly.Module(readFileSync("node_modules/surprisal/dist/wasm/softmax.base.wasm"));
    const worker = new Worker("./worker.mjs", { workerData: { base: { softmax } } });
    worker.on("message", (result) => console.log(JSON.stringify(result)));`,
  );
  for (const name of NODES) {
    const node = tool(`${name}/bin/node`);
    const runtime = `Node ${(await home.exec(node, ["--version"])).trim().slice(1)}`;
    await row(runtime, "import", () => home.result(node, ["esm.mjs"]));
    await row(runtime, "import surprisal/base", () => home.result(node, ["base.mjs"]));
    await row(runtime, "require", () => home.result(node, ["cjs.cjs"]));
    await row(runtime, "import in worker_threads", () => home.result(node, ["threads.mjs"]));
  }
}
