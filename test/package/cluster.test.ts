/** The package surprisal-cluster as npm packs it: its files, what linters say of them, and a job by its README alone. */
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { hasRedis, startRedis } from "../../cluster/test/support/redis.ts";
import { root, run, tool } from "./support.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "surprisal-cluster-packed-")));
const modules = join(folder, "node_modules");
const installed = join(modules, "surprisal-cluster");
const cluster = join(root, "cluster");
let tarball: string;

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}
const read = (path: string): Manifest => JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as Manifest;

/** As npm would install it: both packages as they are packed, and what it depends on as the lock has it. */
beforeAll(() => {
  const packed = run(cluster, "npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder);
  tarball = join(folder, (JSON.parse(packed) as [{ filename: string }])[0].filename);
  mkdirSync(join(modules, ".bin"), { recursive: true });
  run(modules, "tar", "xzf", tarball);
  run(modules, "mv", "package", "surprisal-cluster");
  cpSync(join(inject("home"), "node_modules", "surprisal"), join(modules, "surprisal"), { recursive: true });
  for (const name of Object.keys(read(installed).dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    // one that another package wants in another version is beside the workspace
    const own = join(cluster, "node_modules", name);
    symlinkSync(existsSync(own) ? own : join(root, "node_modules", name), join(modules, name));
  }
  symlinkSync("../surprisal-cluster/dist/cli.js", join(modules, ".bin", "surprisal-cluster"));
  run(installed, "chmod", "+x", "dist/cli.js");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("it has what it needs, and asks for the surprisal of its version", () => {
  const files = readdirSync(installed, { recursive: true }) as string[];
  const plain = files.filter((name) => !/^dist\/(tile|worker)-[\w-]+\.js$/.test(name)).sort();
  expect(plain).toEqual([
    "LICENSE",
    "README.md",
    "dist",
    "dist/cli.js",
    "dist/index.d.ts",
    "dist/index.js",
    "dist/processor.js",
    "dist/thread.js",
    "package.json",
  ]);
  const { version, peerDependencies } = read(installed);
  expect(peerDependencies).toEqual({ surprisal: version });
  expect(read(join(modules, "surprisal")).version).toBe(version);
  expect(readFileSync(join(installed, "LICENSE"), "utf8")).toBe(readFileSync(join(root, "LICENSE"), "utf8"));
});

test("publint finds nothing", async () => {
  const { messages, pkg } = await publint({
    pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
    strict: true,
  });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
});

test("Are The Types Wrong finds nothing", () => {
  run(folder, process.execPath, tool("@arethetypeswrong/cli/dist/index.js"), tarball, "--profile", "esm-only");
});

test.skipIf(!hasRedis)("its README leads to a finished job", { timeout: 240_000 }, async () => {
  const readme = readFileSync(join(installed, "README.md"), "utf8").replaceAll(
    "/shared/run",
    join(folder, "shared", "run"),
  );
  const blocks = [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, kind, text]) => ({
    kind,
    text: text as string,
  }));
  const of = (kind: string, containing: string): string =>
    blocks.find((block) => block.kind === kind && block.text.includes(containing))?.text ??
    expect.fail(`no ${kind} with ${containing}`);
  writeFileSync(join(folder, "input.mjs"), of("js", "input.mjs"));
  writeFileSync(join(folder, "job.json"), of("json", "pairwiseDivergence"));
  // npx would look for a registry first
  const withRedis = of("sh", "worker --data").replaceAll("npx ", "");
  const without = of("sh", "--local").replaceAll("npx ", "").split("\n")[0] as string;
  expect(withRedis.trim().split("\n").length).toBe(5);
  const redis = await startRedis();
  const env = { ...process.env, PATH: `${join(modules, ".bin")}:${process.env["PATH"]}`, REDIS_URL: redis.socket };
  const script = `set -e\n${withRedis}\nrm -r shared/run/[0-9a-f]*[0-9a-f]\n${without}`;
  const shell = spawn("sh", ["-c", script], { cwd: folder, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  try {
    let [out, err] = ["", ""];
    const ended = new Promise<number | null>((resolve) => shell.once("exit", resolve));
    shell.stdout.on("data", (text) => {
      out += text;
    });
    shell.stderr.on("data", (text) => {
      err += text;
    });
    expect(await ended, `${out}\n${err}`).toBe(0);
    expect(out).toMatch(/tiles {7}3, of which 3 are missing; blocks of 2048 rows/);
    expect(out).toContain("3 tiles have the bytes they should have");
    expect(out.match(/"matrix": "matrix"/g)).toHaveLength(2);
    expect(err).toMatch(/ready; waiting for tiles, [12] at a time/);
    expect(err.match(/3\/3 tiles/g)?.length).toBeGreaterThanOrEqual(2);
  } finally {
    // the worker too, unless all have ended
    try {
      process.kill(-(shell.pid as number), "SIGKILL");
    } catch {}
    await redis.remove();
  }
});
