/** What TypeScript and the linters of packages say about it. */
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { expect, inject, it } from "vitest";
import { root, run, tool } from "./support.ts";

const home = inject("home");
const tarball = inject("tarball");

it.each([
  ["ESM, node16", "mts", ["--module", "node16"]],
  ["CommonJS, node16", "cts", ["--module", "node16"]],
  ["a bundler", "mts", ["--module", "esnext", "--moduleResolution", "bundler"]],
  [
    "the oldest resolution there is",
    "cts",
    ["--module", "commonjs", "--moduleResolution", "node10", "--ignoreDeprecations", "6.0"],
  ],
])("types: %s", (_, extension, options) => {
  const file = `consumer.${extension}`;
  copyFileSync(join(root, "test/package/consumer.ts"), join(home, file));
  const strict = [
    "--strict",
    "--exactOptionalPropertyTypes",
    "--noEmit",
    "--target",
    "es2022",
    "--lib",
    "es2022,esnext.disposable,dom",
  ];
  run(home, process.execPath, tool("typescript/bin/tsc"), ...strict, ...options, file);
});

it("publint finds nothing", async () => {
  const { messages, pkg } = await publint({
    pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
    strict: true,
  });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
});

it.each([
  ["surprisal", ["--entrypoints", ".", "./package.json"]],
  // resolution by Node 10 knows no "exports"
  ["surprisal/base", ["--entrypoints", "./base", "--profile", "node16"]],
])("Are The Types Wrong finds nothing in %s", (_, options) => {
  run(home, process.execPath, tool("@arethetypeswrong/cli/dist/index.js"), tarball, ...options);
});
