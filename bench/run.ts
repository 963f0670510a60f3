/** `npm run bench -- [families] [options]`: sees to the peers and the Node to run under, then runs each family in a process. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { nodeMajor, options, RELAXED_SINCE, root } from "./options.ts";

const FAMILIES = ["softmax", "losses", "divergences", "gram", "sinkhorn", "emd", "wasserstein", "startup"];

const named = options.families;
const unknown = named.find((name) => !FAMILIES.includes(name));
if (unknown !== undefined) throw new RangeError(`no family "${unknown}": there are ${FAMILIES.join(", ")}`);

if (!existsSync(`${root}bench/peers/node_modules`)) {
  // onnxruntime-node's scripts would fetch GPU libraries; the CPU binary is in the package
  run("npm", ["ci", "--prefix", "bench/peers", "--ignore-scripts"]);
}
for (const family of named.length > 0 ? named : FAMILIES) {
  run(node(), ["--import", "tsx", `bench/${family}.ts`, ...process.argv.slice(2)]);
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
