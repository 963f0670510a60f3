import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** A tool of the repository, by its name in node_modules. */
export const tool = (path: string): string => join(root, "node_modules", path);

/** Runs a program in a folder; what it printed, if it succeeded. */
export function run(cwd: string, program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  if (status !== 0) throw new Error(`${[program, ...args].join(" ")} left with ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs a script of the folder's user in a process of its own. */
export function runScript(home: string, name: string, script: string): string {
  writeFileSync(join(home, name), script);
  return run(home, process.execPath, name).trim();
}
