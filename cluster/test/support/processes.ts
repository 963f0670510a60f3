/** Processes of a test, which never outlive it. */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";
import type { Timing } from "../../src/queue.ts";

/** As short as two busy cores bear. */
export const TIMING: Timing = { lock: 1500, stalled: 500, poll: 50, resend: 3000 };

const children = new Set<ChildProcess>();

afterEach(async () => {
  await Promise.all(
    [...children].map(
      (child) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) return resolve();
          child.once("exit", () => resolve());
          child.kill("SIGKILL");
        }),
    ),
  );
  children.clear();
});

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export function start(
  name: string,
  args: readonly unknown[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = fork(
    script(name),
    args.map((one) => JSON.stringify(one)),
    {
      env: { ...process.env, ...env },
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    },
  );
  children.add(child);
  return child;
}

/** A worker of a test, which writes what it does to a log, and may be broken. */
export async function startTestWorker(
  options: { readonly connection: string; readonly data: string; readonly concurrency: number },
  env: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const child = start("worker.mjs", [{ ...options, timing: TIMING, processor: script("breaking.mjs") }], env);
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`the worker ended with ${code}`)));
  });
  return child;
}

/** What workers have written down: the point, the tile, the process. */
export function linesOf(log: string): { point: string; tile: number; pid: number }[] {
  if (!existsSync(log)) return [];
  return readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [point, tile, pid] = line.split(" ") as [string, string, string];
      return { point, tile: Number(tile), pid: Number(pid) };
    });
}

/** Waits until something is so, for two minutes at most. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`waited two minutes for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
