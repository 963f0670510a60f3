/** What people copy from examples/: each as it is, with the packed package, in what it is meant for; its answers are compared. */
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vite from "vite";
import { model } from "../bench/peers/onnx.ts";
import { type Browser, chromium, reportOf } from "./browsers.ts";
import { check, type Home, type Row, root, tool, versionOf } from "./home.ts";
import { withNext } from "./next.ts";
import { projectOf } from "./project.ts";
import { serve } from "./serve.ts";
import { withServer } from "./workerd.ts";

/** The code of each. */
const SOURCES = [
  "bun.ts",
  "cloudflare-worker/src/index.ts",
  "deno.ts",
  "onnxruntime-web.ts",
  "page.html",
  "vercel-edge/app/softmax/route.js",
  "vite-app/src/main.ts",
];
const PROJECTS = ["cloudflare-worker", "vercel-edge", "vite-app"];
const FIRST_LINE = 'import { entropy, softmax } from "surprisal";';

/** Two rows of logits, their softmax and its entropy in bits, by mpmath. */
const LOGITS = [
  [2, 1, 0.1],
  [1.5, 3, 2.1],
];
const PROBABILITIES = [
  [0.6590011388859679, 0.24243297070471392, 0.09856589040931817],
  [0.1369148829896928, 0.61360993466152125, 0.24947518234878596],
];
const BITS = [1.2215849714287681, 1.3248208355093507];

const FAULT = 'TypeError: softmax: "x[0]" must be a number, got "2"';

/** A little more than f64 and f32 round off. */
const [F64, F32] = [1e-14, 1e-6];

/** Numbers to a relative tolerance, all else exactly. */
function expectSame(actual: unknown, expected: unknown, tolerance = 0): void {
  const parts = (value: unknown): unknown[] =>
    typeof value === "object" && value !== null ? Object.entries(value).flatMap(([k, v]) => [k, ...parts(v)]) : [value];
  const [got, wanted] = [parts(actual), parts(expected)];
  const same = wanted.every((value, i) => {
    const other = got[i];
    if (typeof value !== "number" || typeof other !== "number") return other === value;
    return Math.abs(other - value) <= tolerance * Math.abs(value);
  });
  if (!same || got.length !== wanted.length)
    throw new Error(`gave ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
}

async function post(url: string, body: unknown, status = 200): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  const answer = await response.text();
  if (response.status !== status) throw new Error(`answered ${response.status}: ${answer}`);
  return JSON.parse(answer);
}

/** What `script`, which calls `report`, finds in a page once its own modules have run; the rest of `folder` is served too. */
async function inspect(browser: Browser, folder: string, page: string, script: string): Promise<unknown> {
  const html = readFileSync(join(folder, page), "utf8");
  const server = await serve({
    "/report.js": { at: join(import.meta.dirname, "pages/report.js") },
    "/inspected.html": {
      text: html
        .replace("<meta", `<script src="/report.js"></script><meta`)
        .concat(`<script type="module">${script}</script>`),
    },
    "/": { at: folder },
  });
  try {
    return await reportOf(server, "/inspected.html", browser);
  } finally {
    server.close();
  }
}

/** Reports what page.html shows at first, and at temperature 10. */
const MOVE_SLIDER = `
  const shown = () => Array.from(document.querySelectorAll(".bar + output, #summary"), (e) => e.textContent).join(" ");
  const before = shown();
  const slider = document.querySelector("#temperature");
  slider.value = 1;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  report([before, shown()]);`;

type Cases = Parameters<typeof check>[0];

export async function run(home: Home, row: Row): Promise<void> {
  // beside node_modules/surprisal, as in a user's folder
  for (const name of [...SOURCES.filter((name) => !name.includes("/")), ...PROJECTS])
    cpSync(join(root, "examples", name), join(home.folder, name), { recursive: true });
  symlinkSync(tool("onnxruntime-web"), join(home.folder, "node_modules/onnxruntime-web"));
  const write = (name: string, data: NodeJS.ArrayBufferView): string => {
    writeFileSync(join(home.folder, name), data);
    return join(home.folder, name);
  };
  const example = (runtime: string, name: string, cases: Cases) => row(runtime, `examples/${name}`, () => check(cases));

  await example("all", "*", {
    "begin with the same line": () => {
      for (const name of SOURCES) {
        const imports = readFileSync(join(home.folder, name), "utf8").match(/^.*from "surprisal".*$/gm);
        expectSame([name, imports?.map((line) => line.trim())], [name, [FIRST_LINE]]);
      }
    },
    "install this version, and of others what they are tested with": () => {
      for (const name of PROJECTS) {
        const { dependencies, devDependencies } = JSON.parse(
          readFileSync(join(home.folder, name, "package.json"), "utf8"),
        ) as Record<string, Record<string, string> | undefined>;
        const ranges = { ...dependencies, ...devDependencies };
        const versions = Object.keys(ranges).map((of) => [of, `^${of === "surprisal" ? home.version : versionOf(of)}`]);
        expectSame([name, ranges], [name, Object.fromEntries(versions)]);
      }
    },
    "have types": () => types(home),
  });

  await example(`Deno ${versionOf("@deno/linux-x64-glibc")}`, "deno.ts", {
    "draws a distribution": async () => {
      const args = ["run", "--check", "--no-lock", "deno.ts", ...(LOGITS[0] as number[]).map(String)];
      const lines = (await home.exec(tool("@deno/linux-x64-glibc/deno"), args)).trimEnd().split("\n");
      expectSame(lines, [
        `${"█".repeat(26)}${" ".repeat(14)} 0.6590`,
        `${"█".repeat(10)}${" ".repeat(30)} 0.2424`,
        `${"█".repeat(4)}${" ".repeat(36)} 0.0986`,
        "1.2216 bits",
      ]);
    },
  });

  await example(`Bun ${versionOf("@oven/bun-linux-x64")}`, "bun.ts", {
    "reads rows of a file": async () => {
      const file = write("logits.f32", Float32Array.from(LOGITS.flat()));
      const printed = await home.exec(tool("@oven/bun-linux-x64/bin/bun"), ["bun.ts", file, "3"]);
      expectSame(printed.trimEnd().split("\n"), ["0: 1.2216 bits", "1: 1.3248 bits"]);
    },
  });

  await example(`onnxruntime-web ${versionOf("onnxruntime-web")}`, "onnxruntime-web.ts", {
    "takes a tensor of ONNX Runtime": async () => {
      const file = write("model.onnx", classifier());
      const printed = await home.exec(tool("node24/bin/node"), ["onnxruntime-web.ts", file]);
      expectSame(JSON.parse(printed), { probabilities: PROBABILITIES.flat(), bits: BITS }, F32);
    },
  });

  await example(`Wrangler ${versionOf("wrangler")}, workerd`, "cloudflare-worker", cloudflareWorker(home));
  await example(`Next.js ${versionOf("next")}`, "vercel-edge", vercelEdge(home));

  const browser = await chromium();
  try {
    await example(browser.name, "page.html", {
      "shows the probabilities, and others at another temperature": async () => {
        const shown = await inspect(browser, home.folder, "page.html", MOVE_SLIDER);
        expectSame(shown, [
          "54.7 % 24.6 % 13.5 % 6.1 % 1.0 % 0.1 % 1.69 bits of 2.58: as undecided as 3.2 equally likely words",
          "20.8 % 19.2 % 18.1 % 16.7 % 13.9 % 11.4 % 2.56 bits of 2.58: as undecided as 5.9 equally likely words",
        ]);
      },
    });
    await example(`Vite ${versionOf("vite")}, ${browser.name}`, "vite-app", {
      "answers, built": async () => {
        const app = join(home.folder, "vite-app");
        await vite.build({ root: app, logLevel: "error" });
        const answer = await inspect(browser, join(app, "dist"), "index.html", "report(answer.value)");
        expectSame(answer, "65.9 %, 24.2 %, 9.9 %: 1.222 bits");
      },
    });
  } finally {
    await browser.close();
  }
}

/** Against the types of the packed package and of ONNX Runtime; Deno checks its own, and Bun's would be a package more. */
function types(home: Home): Promise<string> {
  const own = (name: string): string => join(root, "node_modules", name);
  const options =
    "--noEmit --strict --target es2022 --lib es2022,dom,dom.iterable --module preserve --types node".split(" ");
  const sources = SOURCES.filter((name) => name.endsWith(".ts") && !["bun.ts", "deno.ts"].includes(name));
  return home.exec(process.execPath, [own("typescript/bin/tsc"), ...options, "--typeRoots", own("@types"), ...sources]);
}

/** A linear classifier whose logits, of the features in the example, are LOGITS. */
function classifier(): Uint8Array {
  const f32 = (rows: number[][]) => ({
    data: Float32Array.from(rows.flat()),
    dims: [rows.length, (rows[0] as number[]).length],
  });
  const features = f32([
    [1, 0, -1],
    [0.5, 2, 1],
  ]);
  const bias = { data: Float32Array.of(1, 1, 1.1), dims: [3] };
  const identity = f32([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
  const gemm = { op: "Gemm", inputs: ["features", "weights", "bias"], outputs: ["logits"] };
  return model([gemm], { features }, "logits", { weights: identity, bias });
}

/** Bundled by the deploy command, which stops short of the upload, and served by workerd. */
function cloudflareWorker(home: Home): Cases {
  return {
    "answers as its README says; a fault is a 400 that says what": async () => {
      const command = ["deploy", "--dry-run", "--outdir", home.folder, "--cwd", "cloudflare-worker"];
      await home.exec(tool("node24/bin/node"), [tool("wrangler/bin/wrangler.js"), ...command], {
        env: { WRANGLER_SEND_METRICS: "false", XDG_CONFIG_HOME: home.folder },
      });
      const kernels = readdirSync(home.folder).filter((name) => /^[0-9a-f]{40}-[\w.]+\.wasm$/.test(name));
      await withServer(home, ["index.js", ...kernels], async ({ url }) => {
        const [probabilities, bits] = [PROBABILITIES[1] as number[], BITS[1] as number];
        const tokens = [1, 2].map((token) => ({ token, probability: probabilities[token] }));
        const answer = await post(url, { logits: LOGITS[1], top: 2 });
        expectSame(answer, { tokens, bits, perplexity: 2 ** bits }, F64);
        expectSame(await post(url, { logits: ["2"] }, 400), { error: FAULT });
        // the README's request and answer
        const readme = readFileSync(join(home.folder, "cloudflare-worker/README.md"), "utf8");
        const [, question = "", shown = ""] = /-d '(.+?)'.*```json\n(.+?)```/s.exec(readme) ?? [];
        expectSame(await post(url, JSON.parse(question)), JSON.parse(shown), F64);
      });
    },
  };
}

/** Built by Next.js, and served as it serves edge functions. */
function vercelEdge(home: Home): Cases {
  return {
    "answers; a fault is a 400 that says what": async () => {
      const folder = projectOf(home, join(home.folder, "vercel-edge"), "vercel-edge");
      cpSync(join(import.meta.dirname, "bundlers/next/next.config.js"), join(folder, "next.config.js"));
      await withNext(home, folder, async (origin) => {
        const [[cat, dog, bird], bits] = [LOGITS[0] as number[], BITS[0]];
        const [p, q, r] = PROBABILITIES[0] as number[];
        const answer = await post(`${origin}/softmax`, { cat, dog, bird });
        expectSame(answer, { probabilities: { cat: p, dog: q, bird: r }, bits }, F64);
        expectSame(await post(`${origin}/softmax`, { cat: "2" }, 400), { error: FAULT });
      });
    },
  };
}
