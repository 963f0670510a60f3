/**
 * The pool beside the threads of tfjs and of ONNX Runtime, in Chromium, in a page that is cross-origin isolated: from typed arrays to typed
 * arrays, those of surprisal in shared memory. Each contestant has a page of its own, with nobody's idle threads beside it, round after round, and is compared
 * to a plain loop in f64 in the first. As many threads as there are cores, and one.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";
import { chromium, reportOf } from "../runtimes/browsers.ts";
import { ISOLATED, serve } from "../runtimes/serve.ts";
import { inTurn, spread } from "./harness.ts";
import { options } from "./options.ts";
import { columns, digits, save } from "./report.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ROUNDS = options.rounds(5, 2);
const WHO = ["surprisal", "tfjs", "onnxruntime-web"] as const;
const threads = availableParallelism();

async function bundled(entry: esbuild.BuildOptions): Promise<string> {
  const built = await esbuild.build({ bundle: true, write: false, format: "esm", target: "es2022", ...entry });
  return built.outputFiles?.[0]?.text ?? "";
}

const TFJS = `
  export * from "@tensorflow/tfjs-core";
  export { getThreadsCount, setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";`;

const HTML = `<!doctype html><meta charset="utf-8"><title>threads</title>
  <script src="report.js"></script><script type="module" src="page.js"></script>`;

if (!existsSync("/usr/bin/chromium")) {
  console.log("there is no Chromium here");
} else {
  const modules = here("peers/node_modules");
  const server = await serve(
    {
      "/surprisal/": { at: here("../dist") },
      "/tfjs/": { at: `${modules}/@tensorflow/tfjs-backend-wasm/dist` },
      "/tfjs.js": { text: await bundled({ stdin: { contents: TFJS, resolveDir: here("peers") } }) },
      "/ort/": { at: `${modules}/onnxruntime-web/dist` },
      // of the loops one copy is used, as they are: an import of another is not followed
      "/page.js": { text: await bundled({ entryPoints: [here("threads/page.ts")], logLevel: "error" }) },
      "/page.html": { text: HTML },
      "/": { at: here("../runtimes/pages") },
    },
    { isolated: ISOLATED },
  );
  /** Of each contestant, of each case, in ms: a figure for each round. */
  const times: Record<string, Record<string, number[]>> = {};
  const titles = WHO.flatMap((who) => [1, threads].map((count) => ({ who, count, title: `${who}, ${count}` })));
  let browser = "";
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const { who, count, title } of inTurn(titles, round)) {
        if (!options.who.test(who)) continue;
        // a browser for each: what threads of the page before are left end with it
        const own = await chromium();
        browser = own.name;
        try {
          const page = `/isolated/page.html?who=${who}&threads=${count}${round === 0 ? "&compared" : ""}`;
          const { medians } = await reportOf<{ medians: Record<string, number> }>(server, page, own);
          for (const [name, median] of Object.entries(medians)) {
            const of = times[name] ?? {};
            of[title] = [...(of[title] ?? []), median];
            times[name] = of;
          }
        } finally {
          await own.close();
        }
      }
    }
  } finally {
    server.close();
  }

  const ours = `surprisal, ${threads}`;
  /** In ms; and how many times as long as the pool a call takes, round by round. */
  const figures = Object.fromEntries(
    Object.entries(times).map(([name, of]) => [
      name,
      Object.fromEntries(
        Object.entries(of).map(([title, each]) => {
          const pool = of[ours] ?? each;
          const ratio = spread(each.map((time, round) => time / (pool[round] as number)));
          return [title, { median: spread(each).median, ratio: ratio.median, low: ratio.low, high: ratio.high }];
        }),
      ),
    ]),
  );
  const lines = Object.entries(figures).map(([name, of]) => [
    name,
    ...titles.map(({ title }) => {
      const figure = of[title];
      return figure ? `${digits(figure.median)} ${figure.ratio.toFixed(2)}×` : "";
    }),
  ]);
  console.log(`\n${browser}, ms\n${columns([["", ...titles.map(({ title }) => title)], ...lines])}`);
  if (options.complete) save("threads", { browser, threads, rounds: ROUNDS, figures });
}
