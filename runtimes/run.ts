/**
 * Runs the conformance suite, on the packed package, in every runtime: `tsx runtimes/run.ts [names] [--json report]`.
 * Prints the table, and writes it to docs/runtimes.md where all have run. Fails if a test does, or
 * if a digest is not the one pinned in test/conformance/digest.json.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { difference, pinned } from "../test/conformance/digest.ts";
import { type Failure, type Home, install, type Result, type Row, root } from "./home.ts";

/** The modules of this folder that run something, in the order of the table. */
const NAMES = [
  "node",
  "deno",
  "bun",
  "workerd",
  "edge",
  "chromium",
  "firefox",
  "webkit",
  "bundlers",
  "next",
  "parallel",
  "faults",
  "examples",
];

interface Line {
  readonly runtime: string;
  readonly style: string;
  readonly result: Result;
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "string" } } });
const unknown = positionals.filter((name) => !NAMES.includes(name));
if (unknown.length) throw new Error(`no such runtime: ${unknown.join(", ")}; there are ${NAMES.join(", ")}`);
const names = positionals.length ? NAMES.filter((name) => positionals.includes(name)) : NAMES;

/** The rows of each runtime: some run side by side. */
const linesOf = names.map((): Line[] => []);

const rowInto =
  (lines: Line[]): Row =>
  async (runtime, style, body) => {
    const start = performance.now();
    let result: Result;
    try {
      result = await body();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      result = { passed: 0, failed: [{ name: "runs", message }] };
    }
    lines.push({ runtime, style, result });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${runtime}, ${style}: ${result.passed} passed, ${result.failed.length} failed, ${seconds} s`);
    for (const { name, message } of result.failed) console.log(`  ${name}: ${message}`);
  };

/** What there is to say of the digests; a row whose digest is not the pinned one is failed, and says which functions differ. */
function compare(lines: readonly Line[]): string {
  let verdict = `one digest, ${pinned.digest}, as pinned`;
  for (const { runtime, style, result } of lines) {
    const { digest, digests } = result;
    if (digest === undefined || digests === undefined) continue;
    const message = difference({ digest, digests });
    if (message === "") continue;
    verdict = "other digests than pinned";
    (result.failed as Failure[]).push({ name: "digest", message });
    console.log(`${runtime}, ${style}: ${message}`);
  }
  return verdict;
}

const HEAD = ["runtime", "import", "kernels", "passed", "failed", "digest of base"];

const cellsOf = ({ runtime, style, result }: Line): string[] => [
  runtime,
  style,
  result.variants?.join(", ") ?? "",
  String(result.passed),
  String(result.failed.length),
  result.digest ?? "",
];

function print(lines: readonly Line[]): void {
  const table = new Table({ head: HEAD, style: { head: [], border: [] } });
  for (const line of lines) table.push(cellsOf(line));
  console.log(table.toString());
}

/** Puts the table between the markers of docs/runtimes.md. */
function write(lines: readonly Line[], version: string): void {
  const path = join(root, "docs/runtimes.md");
  const text = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const table = [text(HEAD), text(HEAD.map(() => "---")), ...lines.map((line) => text(cellsOf(line)))].join("\n");
  const [begin, end] = ["<!-- table: npm run runtimes -->", "<!-- end of table -->"];
  const before = readFileSync(path, "utf8");
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/runtimes.md lacks its markers, ${begin} and ${end}`);
  const body = `\n\nsurprisal ${version}, packed and installed:\n\n${table}\n\n`;
  writeFileSync(path, before.slice(0, from + begin.length) + body + before.slice(to));
}

const home: Home = install();
const waiting = [...names.entries()];

/** Runs what is waiting, one after another. */
async function work(): Promise<void> {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const [i, name] = next;
    const row = rowInto(linesOf[i] as Line[]);
    try {
      const { run } = (await import(`./${name}.ts`)) as { run(home: Home, row: Row): Promise<void> };
      await run(home, row);
    } catch (error) {
      await row(name, "", () => Promise.reject(error));
    }
  }
}

try {
  await Promise.all(Array.from({ length: availableParallelism() }, work));
} finally {
  home.remove();
}

const lines = linesOf.flat();
const verdict = compare(lines);
print(lines);
// once more, where the end of a long log is read
for (const { runtime, style, result } of lines)
  for (const { name, message } of result.failed) console.log(`failed: ${runtime}, ${style}, ${name}: ${message}`);
const count = (of: (result: Result) => number): number => lines.reduce((sum, { result }) => sum + of(result), 0);
const passed = count((result) => result.passed);
const failed = count((result) => result.failed.length);
console.log(`${passed} passed, ${failed} failed; ${verdict}`);
if (names.length === NAMES.length && failed === 0) write(lines, home.version);
if (values.json) writeFileSync(values.json, JSON.stringify({ numPassedTests: passed, numFailedTests: failed }));
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
