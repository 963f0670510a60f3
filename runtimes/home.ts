/** The package as npm installs it, in an empty folder, with the conformance suite beside it; and what runners do with it. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync, type Format } from "esbuild";

export interface Failure {
  readonly name: string;
  readonly message: string;
}

/** What `conform` of test/conformance/index.js returns; a fault has no digest and no variants. */
export interface Result {
  readonly passed: number;
  readonly failed: readonly Failure[];
  readonly digest?: string;
  readonly digests?: Readonly<Record<string, string>>;
  readonly variant?: string;
  readonly variants?: readonly string[];
  readonly runtime?: string;
  readonly version?: string;
}

/**
 * Runs one row of the table: the runtime with its version, how the package comes in, and what gives the result. What the body
 * throws makes a failed row; the others go on.
 */
export type Row = (runtime: string, style: string, body: () => Promise<Result>) => Promise<void>;

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds, after which it is killed. Default: five minutes. */
  readonly timeout?: number;
}

export interface Home {
  /** Holds node_modules/surprisal, conform.mjs and conform.cjs. */
  readonly folder: string;
  /** node_modules/surprisal. */
  readonly installed: string;
  readonly tarball: string;
  readonly version: string;
  /** The text of test/conformance/ in one, an ES module. */
  readonly suite: string;
  /** Writes a file in the folder; returns its path. */
  write(name: string, text: string): string;
  /** Runs a program in the folder; what it printed. Throws with what it said if it fails. */
  exec(program: string, args: readonly string[], options?: RunOptions): Promise<string>;
  /** The same, of a program that prints a result as JSON on its last line. */
  result(program: string, args: readonly string[], options?: RunOptions): Promise<Result>;
  remove(): void;
}

export const root = fileURLToPath(new URL("..", import.meta.url));

/** The families of kernels, of each of which the package has a .wasm file in either variant. */
export const FAMILIES = ["softmax", "losses", "divergence", "gram", "transport"];

/** A path in runtimes/node_modules. */
export const tool = (path: string): string => join(root, "runtimes/node_modules", path);

/** The version of a package in runtimes/node_modules. */
export const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(tool(`${name}/package.json`), "utf8")) as { version: string }).version;

const TIMEOUT = 5 * 60_000;

/** Runs a program; what it printed. */
export function exec(
  cwd: string,
  program: string,
  args: readonly string[],
  { env, timeout = TIMEOUT }: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, NO_COLOR: "1", ...env }, timeout });
    let [out, err] = ["", ""];
    child.stdout.on("data", (data) => {
      out += data;
    });
    child.stderr.on("data", (data) => {
      err += data;
    });
    child.on("error", reject);
    child.on("close", (status, signal) => {
      if (status === 0) resolve(out);
      else reject(new Error(`${program} left with ${signal ?? status}\n${out}${err}`));
    });
  });
}

/** The result in what a program printed: its last line. */
export function parse(printed: string): Result {
  return JSON.parse(printed.trimEnd().split("\n").at(-1) ?? "") as Result;
}

/** The text of test/conformance/ as one module. */
function bundled(format: Format): string {
  const entryPoints = [join(root, "test/conformance/index.js")];
  const { outputFiles } = buildSync({ entryPoints, bundle: true, format, target: "es2022", write: false });
  return (outputFiles[0] as { text: string }).text;
}

/** Packs dist/ and installs that, offline, in a new folder outside of the repository. */
export function install(): Home {
  if (!existsSync(join(root, "dist/index.js"))) throw new Error("dist/ is not built: npm run build");
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "surprisal-runtimes-"));
  const npm = (cwd: string, ...args: string[]) => execFileSync("npm", args, { cwd, encoding: "utf8", stdio: "pipe" });
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const packed = npm(root, "pack", "--json", "--ignore-scripts", "--pack-destination", folder);
  const [{ filename, version }] = JSON.parse(packed) as [{ filename: string; version: string }];
  write("package.json", '{ "private": true }\n');
  npm(folder, "install", "--offline", "--no-audit", "--no-fund", join(folder, filename));
  const suite = bundled("esm");
  write("conform.mjs", suite);
  write("conform.cjs", bundled("cjs"));
  const run = (program: string, args: readonly string[], options?: RunOptions) => exec(folder, program, args, options);
  return {
    folder,
    installed: join(folder, "node_modules/surprisal"),
    tarball: join(folder, filename),
    version,
    suite,
    write,
    exec: run,
    result: async (...given) => parse(await run(...given)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A result of checks by name, each of which may throw. */
export async function check(cases: Readonly<Record<string, () => unknown>>): Promise<Result> {
  const failed: Failure[] = [];
  for (const [name, body] of Object.entries(cases)) {
    try {
      await body();
    } catch (error) {
      failed.push({ name, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return { passed: Object.keys(cases).length - failed.length, failed };
}
