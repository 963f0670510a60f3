/** The C++ contestants: native.cpp beside this file, compiled with the machine's compiler, each case in a process of its own. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Call, Contestants } from "../harness.ts";
import type { Inputs, Shape } from "../operations.ts";

/**
 * `base` rounds every product, `fused` does not: what the instructions of the two variants allow. `tails` says how the last one to
 * three numbers of a row are read: through memory as in the program the goals were taken with, or in registers. `as accurate`
 * is what rounds no more than the package does.
 */
const BUILDS = {
  "C base": ["base", "-DBUFFERED"],
  "C fused": ["fused", "-DBUFFERED"],
  "C base, tails in registers": ["base"],
  "C fused, tails in registers": ["fused"],
  "C base, as accurate": ["base", "-DACCURATE"],
  "C fused, as accurate": ["fused", "-DACCURATE"],
} as const;
export type Build = keyof typeof BUILDS;

/** Vectors of 128 bits everywhere, in the encoding that engines use. ARM needs no flag for fused operations. */
const INTEL = { base: ["-mavx", "-mno-avx2", "-mno-fma"], fused: ["-mavx2", "-mfma"] };
const CONTRACT = { base: "-ffp-contract=off", fused: "-ffp-contract=fast" };

export const COMPILER = process.env["CXX"] ?? "c++";

/** Compiles all builds into a folder that goes with this process; undefined where there is no compiler. */
export function compiled():
  | ((operation: string, inputs: Inputs, shape: Shape, builds: readonly Build[]) => Contestants)
  | undefined {
  try {
    execFileSync(COMPILER, ["--version"], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "surprisal-ceilings-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const source = fileURLToPath(new URL("native.cpp", import.meta.url));
  for (const [name, [variant, ...defined]] of Object.entries(BUILDS)) {
    const intel = arch() === "x64" ? [...INTEL[variant], "-mprefer-vector-width=128"] : [];
    const flags = ["-std=c++17", "-O3", CONTRACT[variant], ...intel, ...defined];
    execFileSync(COMPILER, [...flags, source, "-o", join(folder, name)], { stdio: "inherit" });
  }

  let cases = 0;
  return (operation, inputs, shape, builds) => {
    const data = join(folder, `${cases++}`);
    return Object.fromEntries(
      builds.map((name) => [name, () => start(join(folder, name), data, operation, inputs, shape)]),
    );
  };
}

/** Starts a process on the inputs in a folder of the case, which the first of its contestants writes. */
async function start(program: string, data: string, operation: string, inputs: Inputs, shape: Shape): Promise<Call> {
  mkdirSync(data, { recursive: true });
  inputs.forEach((values, i) => {
    writeFileSync(join(data, `${i}`), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  });
  const child = spawn(program, [data, operation, ...shape.map(String)], { stdio: ["pipe", "pipe", "inherit"] });
  const answers: { resolve(line: string): void; reject(cause: Error): void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => answers.shift()?.resolve(line));
  const gone = (why: unknown) => {
    for (const { reject } of answers.splice(0)) reject(new Error(`${program}: ${why}`));
  };
  child.on("error", gone);
  child.on("exit", (code, signal) => gone(`ended with ${code ?? signal}`));
  const ask = (line: string) =>
    new Promise<string>((resolve, reject) => {
      answers.push({ resolve, reject });
      child.stdin.write(`${line}\n`);
    });
  return {
    run: () => ask("result"),
    result: () => {
      const { buffer, byteOffset, byteLength } = readFileSync(join(data, "result"));
      return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
    },
    turn: async (ms) => Number(await ask(`turn ${ms}`)),
    dispose: () => {
      child.stdin.end();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
