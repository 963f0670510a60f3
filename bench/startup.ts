/**
 * How long from nothing to the first result, in fresh processes, beside a process that does nothing: Node, and workerd with a Worker that
 * answers. And how long the first call of each family of kernels takes, in a process that has called none of it.
 *
 * What is told is the least of the rounds: the machine only ever adds to what a process takes, up to ten times what is looked for.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import * as STEP from "../assembly/rows/steps.ts";
import { bundle, fetched, WORKERD, withServer } from "../runtimes/workerd.ts";
import { STATICS_END } from "../src/memory/statics.ts";
import { inTurn, ratiosOf, type Spread, spread } from "./harness.ts";
import { nodeMajor, options, RELAXED_SINCE } from "./options.ts";
import { model } from "./peers/onnx.ts";
import { BEFORE, columns, digits, ratios, save } from "./report.ts";

const onnx = model(
  [{ op: "Softmax", inputs: ["x"], outputs: ["y"], attributes: { axis: -1 } }],
  { x: { data: new Float32Array(3), dims: [1, 3] } },
  "y",
);
const ort = (module: string) => `
  import ort from "${module}";
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(Buffer.from("${Buffer.from(onnx).toString("base64")}", "base64"));
  await session.run({ x: new ort.Tensor("float32", Float32Array.of(1, 2, 3), [1, 3]) });
  process.exit();`;

const importOf = (dist: string): string => `import { softmax } from "${dist}";`;
const firstSoftmax = (dist: string): string => `${importOf(dist)} softmax(Float32Array.of(1, 2, 3));`;

const folder = mkdtempSync(join(tmpdir(), "surprisal-startup-"));
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
process.on("exit", () => rmSync(folder, { recursive: true }));

/** What a program ships that has been bundled, of which softmax is all that it calls. */
async function softmaxAlone(dist: string): Promise<string> {
  const outfile = join(folder, "softmax.mjs");
  const stdin = { contents: `export { softmax } from ${JSON.stringify(fileURLToPath(dist))}`, resolveDir: folder };
  await build({ stdin, outfile, bundle: true, minify: true, format: "esm" });
  return pathToFileURL(outfile).href;
}

/** The kernels from a file, without the package: compiled, instantiated and called. */
function kernelsAlone(dist: string): string {
  const variant = nodeMajor >= RELAXED_SINCE ? "relaxed" : "base";
  const file = join(folder, "softmax.wasm");
  copyFileSync(fileURLToPath(new URL(`wasm/softmax.${variant}.wasm`, dist)), file);
  // to import it would cost 4 ms
  return `
    const { readFileSync } = process.getBuiltinModule("fs");
    const memory = new WebAssembly.Memory({ initial: 2 });
    const module = new WebAssembly.Module(readFileSync(${JSON.stringify(file)}));
    const { softmax_f32 } = new WebAssembly.Instance(module, { env: { memory } }).exports;
    softmax_f32(${STATICS_END}, ${STATICS_END}, 1, 3, 1, false, ${STEP.ALL});`;
}

const alone = await softmaxAlone(options.dist);

/** Each computes one softmax of three numbers, but for those that import and call nothing. */
const scripts: Record<string, string> = {
  empty: "",
  surprisal: firstSoftmax(options.dist),
  ...(options.against && { [`surprisal${BEFORE}`]: firstSoftmax(options.against) }),
  "surprisal, the import": importOf(options.dist),
  "surprisal, bundled": firstSoftmax(alone),
  "surprisal, bundled, the import": importOf(alone),
  "surprisal, the .wasm file": kernelsAlone(options.dist),
  "plain loop": `
    const e = Float32Array.of(1, 2, 3).map(Math.exp);
    const sum = e.reduce((a, b) => a + b);
    e.map((v) => v / sum);`,
  tfjs: `
    import * as tf from "@tensorflow/tfjs-core";
    import "@tensorflow/tfjs-backend-wasm";
    await tf.setBackend("wasm");
    tf.softmax(tf.tensor(Float32Array.of(1, 2, 3), [1, 3])).dataSync();`,
  "ort-web": ort("onnxruntime-web"),
  "ort-node": ort("onnxruntime-node"),
};

/** Scripts that are run once more where Node keeps the code it has compiled, from 22.8 on: all rounds but the first find it. */
const CACHED: Readonly<Record<string, string>> = { "surprisal, compile cache": firstSoftmax(options.dist) };

/** What a script prints, with the peers in reach, and the milliseconds of its process. */
function runProcess(script: string, cached = false): { printed: string; ms: number } {
  const cwd = fileURLToPath(new URL("peers/", import.meta.url));
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...(cached && { NODE_COMPILE_CACHE: join(folder, "compiled") }) },
  });
  if (status !== 0) throw new Error(`a script of the start-up benchmark failed:\n${script}\n${stderr}`);
  return { printed: stdout, ms: performance.now() - start };
}

function startUp(): { name: string; times: number[] }[] {
  const contestants = [scripts, CACHED].flatMap((some) =>
    Object.entries(some)
      .filter(([name]) => name === "empty" || options.who.test(name))
      .map(([name, script]) => ({ name, script, cached: some === CACHED, times: [] as number[] })),
  );
  const rounds = options.rounds(31, 3);
  for (let round = 0; round < rounds; round++) {
    // in one order the empty process would always follow the heaviest, and pay for its end
    for (const { script, cached, times } of inTurn(contestants, round)) times.push(runProcess(script, cached).ms);
  }
  return contestants;
}

/** A call of each family. */
const CALLS = {
  softmax: "softmax([1, 2, 3])",
  losses: "crossEntropy([1, 2, 3], [0])",
  divergence: "klDivergence([0.5, 0.5], [0.25, 0.75])",
  gram: "gram([1, 2, 3], { shape: [3, 1] })",
  transport: "emd([1], [1], [0])",
};

/** Of each family the milliseconds of its first call, the others having been called before. */
function firstCalls(): Record<string, number[]> {
  const times: Record<string, number[]> = {};
  const names = Object.keys(CALLS) as (keyof typeof CALLS)[];
  for (let round = 0; round < options.rounds(15, 3); round++) {
    for (const name of names) {
      const others = names.filter((other) => other !== name).map((other) => `s.${CALLS[other]};`);
      const { printed } = runProcess(
        `import * as s from "${options.dist}"; ${others.join(" ")}
        const start = performance.now(); s.${CALLS[name]}; console.log(performance.now() - start);`,
      );
      times[name] ??= [];
      times[name].push(Number(printed));
    }
  }
  return times;
}

/** The milliseconds of a workerd from its start to an answer: of a Worker that does nothing, and of one with a softmax in it. */
async function inWorkerd(): Promise<Record<string, number[]>> {
  const entry = fileURLToPath(options.dist).replace(/\.js$/, ".workerd.js");
  const workers = {
    "empty in workerd": 'export default { fetch: () => new Response("0.5,0.5") };',
    "surprisal in workerd": `import { softmax } from ${JSON.stringify(entry)};
      export default { fetch: () => new Response(softmax(Float32Array.of(0, 0)).join()) };`,
  };
  const times: Record<string, number[]> = {};
  for (let round = 0; round < options.rounds(31, 3); round++) {
    for (const [name, source] of inTurn(Object.entries(workers), round)) {
      const home = { folder, write };
      const modules = await bundle(home, source, name.replaceAll(" ", ""));
      const start = performance.now();
      const answer = await withServer(home, modules, async ({ url }) => {
        const text = await fetched(url);
        times[name] ??= [];
        times[name].push(performance.now() - start);
        return text;
      });
      if (answer !== "0.5,0.5") throw new Error(`${name} answers ${answer}`);
    }
  }
  return times;
}

const measured = startUp();
const ms: Record<string, Spread> = Object.fromEntries(measured.map(({ name, times }) => [name, spread(times)]));
const { empty } = ms;
const over = Object.entries(ms).map(([name, { low }]) => [name, digits(low), (low - (empty?.low ?? 0)).toFixed(1)]);
console.log(`start-up\n${columns([["", "ms", "over empty"], ...over])}`);

if (options.against) console.log(`\n${ratios({ "whole processes": ratiosOf(measured) })}`);

const spreads = (times: Record<string, number[]>): Record<string, Spread> =>
  Object.fromEntries(Object.entries(times).map(([name, list]) => [name, spread(list)]));

const first = spreads(firstCalls());
console.log(
  `\nfirst call of a family\n${columns([["", "ms"], ...Object.entries(first).map(([name, { median }]) => [name, digits(median)])])}`,
);

const workerd = existsSync(WORKERD) ? spreads(await inWorkerd()) : {};
const { "empty in workerd": idle, "surprisal in workerd": worker } = workerd;
if (idle && worker) console.log(`\nworkerd, over a Worker that does nothing: ${(worker.low - idle.low).toFixed(1)} ms`);

if (options.complete) save("startup", { ms, first, workerd });
