/** Deno, which resolves the package from node_modules as Node does. */
import { type Home, type Row, tool } from "./home.ts";
import { program } from "./node.ts";

export async function run(home: Home, row: Row): Promise<void> {
  const deno = tool("@deno/linux-x64-glibc/deno");
  home.write("deno.mjs", program(home));
  // in the page's Worker of browsers
  home.write(
    "denoWorker.mjs",
    `import * as surprisal from "surprisal";
    import { conform } from "./conform.mjs";
    postMessage(await conform(surprisal));`,
  );
  home.write(
    "denoWorkers.mjs",
    `const worker = new Worker(new URL("./denoWorker.mjs", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => { console.log(JSON.stringify(data)); worker.terminate(); };`,
  );
  const [version = ""] = (await home.exec(deno, ["--version"])).split(" (");
  const runtime = `Deno ${version.split(" ").at(-1)}`;
  const args = ["run", "--no-lock", "--allow-read"];
  await row(runtime, "import", () => home.result(deno, [...args, "deno.mjs"]));
  await row(runtime, "import in a Worker", () => home.result(deno, [...args, "denoWorkers.mjs"]));
}
