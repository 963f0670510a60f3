/** How long from nothing to the first result, in fresh processes, beside a process that does nothing. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { inTurn, ratiosOf, type Spread, spread } from "./harness.ts";
import { options } from "./options.ts";
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

function firstSoftmax(dist: string): string {
  return `import { softmax } from "${dist}"; softmax(Float32Array.of(1, 2, 3));`;
}

/** Each computes one softmax of three numbers. */
const scripts: Record<string, string> = {
  empty: "",
  surprisal: firstSoftmax(options.dist),
  ...(options.against && { [`surprisal${BEFORE}`]: firstSoftmax(options.against) }),
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

/** Milliseconds of a process that runs the script, with the peers in reach. */
function processTime(script: string): number {
  const cwd = fileURLToPath(new URL("peers/", import.meta.url));
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`a script of the start-up benchmark failed:\n${script}\n${stderr}`);
  return performance.now() - start;
}

function startUp(): { name: string; times: number[] }[] {
  const contestants = Object.entries(scripts)
    .filter(([name]) => name === "empty" || options.who.test(name))
    .map(([name, script]) => ({ name, script, times: [] as number[] }));
  const rounds = options.rounds(15, 3);
  for (let round = 0; round < rounds; round++) {
    // in one order the empty process would always follow the heaviest, and pay for its end
    for (const { script, times } of inTurn(contestants, round)) times.push(processTime(script));
  }
  return contestants;
}

const measured = startUp();
const ms: Record<string, Spread> = Object.fromEntries(measured.map(({ name, times }) => [name, spread(times)]));
const { empty } = ms;
const over = Object.entries(ms).map(([name, { median }]) => [
  name,
  digits(median),
  (median - (empty?.median ?? 0)).toFixed(1),
]);
console.log(`start-up\n${columns([["", "ms", "over empty"], ...over])}`);

if (options.against) console.log(`\n${ratios({ "whole processes": ratiosOf(measured) })}`);

if (options.complete) save("startup", { ms });
