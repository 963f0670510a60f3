/** Bun: JavaScriptCore. */
import { type Home, type Row, tool } from "./home.ts";
import { program } from "./node.ts";

export async function run(home: Home, row: Row): Promise<void> {
  const bun = tool("@oven/bun-linux-x64/bin/bun");
  home.write("bun.mjs", program(home));
  home.write(
    "bun.cjs",
    `const { conform } = require("./conform.cjs");
    conform(require("surprisal")).then((result) => console.log(JSON.stringify(result)));`,
  );
  const runtime = `Bun ${(await home.exec(bun, ["--version"])).trim()}`;
  await row(runtime, "import", () => home.result(bun, ["bun.mjs"]));
  await row(runtime, "require", () => home.result(bun, ["bun.cjs"]));
}
