/**
 * `npm run bench -- [families] [options]`: sees to the peers and the Node to run under, and with --compare to a build of another
 * commit, then runs each family in a process.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeMajor, options, RELAXED_SINCE, root } from "./options.ts";

const FAMILIES = [
  "softmax",
  "losses",
  "meters",
  "divergences",
  "gram",
  "pairs",
  "linear",
  "pairsMemory",
  "sinkhorn",
  "emd",
  "wasserstein",
  "startup",
  "ceilings",
  "small",
  "parallel",
  "threads",
];

const named = options.families;
const unknown = named.find((name) => !FAMILIES.includes(name));
if (unknown !== undefined) throw new RangeError(`no family "${unknown}": there are ${FAMILIES.join(", ")}`);

if (options.peers && !existsSync(`${root}bench/peers/node_modules`)) {
  // onnxruntime-node's scripts would fetch GPU libraries; the CPU binary is in the package
  run("npm", ["ci", "--prefix", "bench/peers", "--ignore-scripts"]);
}
const families = named.length > 0 ? named : FAMILIES;
if (options.compare === undefined) measure();
else withBuildOf(options.compare, (dist) => measure("--against", dist));

function measure(...more: string[]): void {
  for (const family of families) {
    const start = performance.now();
    run(node(), ["--import", "tsx", `bench/${family}.ts`, ...process.argv.slice(2), ...more]);
    console.log(`\n${family} took ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
}

/** Builds a commit in a worktree of its own, with the dependencies that are installed here. */
function withBuildOf(commit: string, use: (dist: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "surprisal-bench-"));
  // what it prints is told where it fails
  const done = (command: string, args: readonly string[], cwd: string) =>
    execFileSync(command, args, { cwd, stdio: "pipe" });
  try {
    console.log(`building ${commit}`);
    done("git", ["worktree", "add", "--detach", folder, commit], root);
    symlinkSync(realpathSync(`${root}node_modules`), join(folder, "node_modules"));
    done("npm", ["run", "build"], folder);
    use(join(folder, "dist/index.js"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
    done("git", ["worktree", "prune"], root);
  }
}

/** This Node, or where it has no relaxed SIMD the newer one from the package, if that is installed. */
function node(): string {
  if (nodeMajor < RELAXED_SINCE) {
    try {
      return createRequire(import.meta.url).resolve("../runtimes/node_modules/node24/bin/node");
    } catch {
      console.warn(`Node ${nodeMajor} has no relaxed SIMD and runtimes/ is not installed: base only`);
    }
  }
  return process.execPath;
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
