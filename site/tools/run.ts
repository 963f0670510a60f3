/**
 * `tsx site/tools/run.ts serve | build`: installs what the page needs if it is not there, makes the reference and the digits, and
 * serves the page as it is being written, or builds it into site/dist.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mendReference, writeDigits } from "./files.ts";

const site = fileURLToPath(new URL("..", import.meta.url));

function run(program: string, ...args: string[]): void {
  const { status, error } = spawnSync(program, args, { cwd: site, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const command = process.argv[2] ?? "";
if (!["serve", "build"].includes(command)) throw new Error(`say "serve" or "build", not "${command}"`);
if (!existsSync(`${site}../dist/index.js`)) throw new Error("dist/ is not built: npm run build");
if (!existsSync(`${site}node_modules`)) run("npm", "ci", "--no-audit", "--no-fund");
writeDigits();
run(process.execPath, "node_modules/typedoc/bin/typedoc");
mendReference(`${site}public/api`);
run(process.execPath, "node_modules/vite/bin/vite.js", ...(command === "build" ? ["build"] : []));
