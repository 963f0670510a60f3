/** What TypeScript and the linters of packages say about it. */
import { copyFileSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { root, run, tool } from "./support.ts";

const home = inject("home");
const tarball = inject("tarball");

/** A folder of a user with projects in it, which has the types of others besides. */
const user = join(home, "types");

beforeAll(() => {
  for (const name of ["@types/node", "onnxruntime-common", "@huggingface/transformers"]) {
    const link = join(user, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(realpathSync(tool(name)), link);
  }
});

/** Compiles programs of this folder as files of the kinds that their extensions say. */
function compile(typescript: string, programs: readonly string[], options: object): void {
  for (const file of programs) copyFileSync(join(root, "test/package", `${parse(file).name}.ts`), join(user, file));
  const compilerOptions = {
    target: "es2022",
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    ...options,
  };
  const project = join(user, "tsconfig.json");
  writeFileSync(project, JSON.stringify({ compilerOptions, files: programs }));
  run(user, process.execPath, tool(`${typescript}/bin/tsc`), "--project", project);
}

const nodenext = { module: "nodenext", skipLibCheck: false };
const programs = ["consumer.mts", "consumer.cts"];

describe.each([
  ["5.4", "typescript-5.4"],
  ["5.9", "typescript-5.9"],
  ["6.0", "typescript"],
])("TypeScript %s", { timeout: 120_000 }, (_, typescript) => {
  it("checks the declarations themselves, with nothing but the library es2022", () => {
    compile(typescript, programs, { ...nodenext, lib: ["es2022"], types: [] });
  });

  // the declarations of transformers.js do not check themselves, nor can CommonJS import them everywhere
  it("takes tensors of ONNX Runtime and transformers.js without a cast", () => {
    compile(typescript, ["tensors.mts"], { ...nodenext, lib: ["es2022", "dom"], types: [], skipLibCheck: true });
  });
});

it.each<[string, readonly string[], object]>([
  ["with Node's types", ["consumer.mts"], { ...nodenext, lib: ["es2022"], types: ["node"] }],
  ["in a browser", ["consumer.mts"], { ...nodenext, lib: ["es2022", "dom"], types: [] }],
  ["with `using`", ["disposable.mts"], { ...nodenext, lib: ["es2022", "esnext.disposable"], types: [] }],
  ["for a bundler", ["consumer.mts"], { module: "esnext", moduleResolution: "bundler", lib: ["es2022"], types: [] }],
  [
    "with the oldest resolution there is",
    ["consumer.cts"],
    { module: "commonjs", moduleResolution: "node10", ignoreDeprecations: "6.0", lib: ["es2022"], types: [] },
  ],
])("types: %s", { timeout: 120_000 }, (_, files, options) => {
  compile("typescript", files, options);
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
