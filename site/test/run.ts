/**
 * Uses the built page as a person would, in every browser: `tsx site/test/run.ts [chromium firefox webkit] [--json report] [--only words]
 * [--shots folder]`. It is served with the strictest Content-Security-Policy that WebAssembly allows. `--shots` takes pictures instead.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { orOnceMore } from "../../runtimes/browsers.ts";
import { serve } from "../../runtimes/serve.ts";
import { CASES, type Case, CHROMIUM, SCREENS } from "./cases.ts";
import { PEOPLE, type Person } from "./drivers.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" }, only: { type: "string", default: "" }, shots: { type: "string" } },
});
const names = positionals.length ? positionals : Object.keys(PEOPLE);
const dist = join(import.meta.dirname, "../dist");
if (!existsSync(join(dist, "index.html"))) throw new Error("site/dist is not built: npm run site:build");

/** The package unpacked as a CDN has it, and the line of the README that fetches it from there, here. */
const packed = mkdtempSync(join(realpathSync(tmpdir()), "surprisal-site-"));
const root = join(import.meta.dirname, "../..");
function unpack(): string {
  const said = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", packed], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ filename, version }] = JSON.parse(said) as [{ filename: string; version: string }];
  execFileSync("tar", ["-xzf", join(packed, filename), "-C", packed]);
  const cdn = `https://cdn.jsdelivr.net/npm/surprisal@${version.replace(/\.\d+$/, "")}/`;
  const [line] = /<script type="module">[\s\S]*?<\/script>/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  if (!line?.includes(cdn)) throw new Error(`the README has no line for ${cdn}`);
  return `<!doctype html><html lang="en"><head><title>CDN</title></head><body>${line.replace(cdn, "/npm/")}</body></html>`;
}

const index = readFileSync(join(dist, "index.html"), "utf8").replace(
  "<head>",
  '<head><script src="./watch.js"></script>',
);
const server = await serve(
  {
    "/index.html": { text: index },
    "/watch.js": { at: join(import.meta.dirname, "watch.js") },
    "/cdn.html": { text: unpack() },
    "/npm/": { at: join(packed, "package") },
    "/": { at: dist },
  },
  { page: "script-src 'self' 'wasm-unsafe-eval'" },
);
const address = `${server.origin}/page/index.html`;

let [passed, failed] = [0, 0];

async function run(person: Person, name: string, test: Case): Promise<void> {
  const start = performance.now();
  try {
    await orOnceMore(person, async () => {
      await test(person);
      const errors = await person.js<string[]>("window.watched?.errors ?? []");
      if (errors.length) throw new Error(`the console has errors: ${errors.join("; ")}`);
    });
    passed++;
    console.log(`${person.name}: ${name}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  } catch (error) {
    failed++;
    console.log(`${person.name}: FAILED ${name}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Every screen, wide and narrow, light and dark. */
async function shoot(person: Person, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const hash of SCREENS.filter((name) => name.includes(values.only))) {
    await person.open(hash === "benchmark" ? "benchmark?op=softmax" : hash);
    const page = person.puppet?.page();
    if (hash === "style") await person.click("text=Paint");
    if (hash.startsWith("benchmark")) await person.click("text=Measure");
    if (hash === "digit")
      await person.until(`document.querySelector(".progress .note").textContent.startsWith("Learnt")`, "it has learnt");
    if (/style|bench|neigh/.test(hash))
      await person.until(`document.querySelector("progress").value === 1`, "it is done");
    for (const [wide, width] of [
      ["wide", 1280],
      ["narrow", 390],
    ] as const) {
      await page?.setViewport({ width, height: 900 });
      for (const theme of ["light", "dark"]) {
        await person.js(`document.documentElement.dataset.theme = "${theme}"`);
        await sleep(500);
        await page?.screenshot({
          path: join(folder, `${hash.replace(/\?.*/, "") || "start"}-${wide}-${theme}.png`),
          fullPage: true,
        });
      }
    }
    await page?.setViewport(null);
  }
}

try {
  for (const name of names) {
    const start = PEOPLE[name];
    if (!start) throw new Error(`no such browser: ${name}; there are ${Object.keys(PEOPLE).join(", ")}`);
    // under load a browser may fail to start; nothing has been tested by then
    const person = await start(address).catch((error) => {
      console.log(`${name} did not start, once more: ${error}`);
      return start(address);
    });
    try {
      if (values.shots) {
        await shoot(person, values.shots);
        continue;
      }
      const cases = { ...CASES, ...(name === "chromium" ? CHROMIUM : {}) };
      for (const [title, test] of Object.entries(cases))
        if (title.includes(values.only)) await run(person, title, test);
    } finally {
      await person.close();
    }
  }
} catch (error) {
  failed++;
  console.log(error);
} finally {
  server.close();
  rmSync(packed, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
if (values.json) writeFileSync(values.json, JSON.stringify({ numPassedTests: passed, numFailedTests: failed }));
process.exitCode = failed > 0 || (passed === 0 && !values.shots) ? 1 : 0;
