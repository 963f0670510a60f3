/**
 * `npx tsx tools/features.ts`: writes site/src/read/features.json, who has what. It installs the others' newest versions into a temporary
 * folder and calls them, so that each mark stands for a call whose value was compared with surprisal's:
 *
 *     ●   one call returns it
 *     ○   one call returns a part of it (`but` says which), or at most four calls all of it
 *         nothing: no name that they export, or that stands in their wasm, is like it; or what is tried (`not`) fails or is wrong
 *
 * NumKong alone is not on npm: its marks were read from its repository, at the commit below, and are written down here.
 * After it: `npm run docs`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { model, type Node, type Tensor, typeOf } from "../bench/peers/onnx.ts";
import * as surprisal from "../dist/index.js";

/** What each is called in the code below, and the packages it is made of, the one whose version counts first. */
const LIBRARIES = {
  "tfjs, wasm": ["@tensorflow/tfjs-backend-wasm", "@tensorflow/tfjs-core"],
  "onnxruntime-web": ["onnxruntime-web"],
  NumKong: [],
  "numpy-ts": ["numpy-ts"],
  "ml.js": ["ml"],
  mathjs: ["mathjs"],
} as const;
type Library = keyof typeof LIBRARIES;
const NUMKONG = { version: "7.6.0", commit: "48cbd21", names: "javascript/numkong.ts" };
const MOST_CALLS = 4;

/** Code, one for each of the row's, or less than that; `as` says with what of surprisal's its value is compared instead. */
interface Given {
  readonly codes: readonly string[];
  readonly as?: readonly string[];
  readonly but?: string;
}
type Cell =
  | string
  | Given
  /** Not there: this fails, or is another value than the last of the row's. */
  | { readonly not: string }
  /** Read, not called: NumKong's. */
  | { readonly read: string; readonly but?: string };
interface Row {
  readonly name: string;
  readonly ours: readonly string[];
  readonly cells: Partial<Readonly<Record<Library, Cell>>>;
  /** What would be called like it: whoever has no cell has no such name. */
  readonly names: RegExp;
  /** Relative; f32 unless said. */
  readonly tolerance?: number;
}

const kl = {
  "tfjs, wasm": "tf.sum(tf.mul(p, tf.log(tf.div(p, q))))",
  "onnxruntime-web": 'op("ReduceSum", { keepdims: 0 }, op("Mul", {}, p, op("Log", {}, op("Div", {}, p, q))))',
  "numpy-ts": "np.sum(np.multiply(p, np.log(np.divide(p, q))))",
  "ml.js": "ml.Distance.kullbackLeibler(p, q)",
  mathjs: "math.kldivergence(p, q)",
} as const;
/** The same where p ≈ q: as near as the type of each has room for. */
const near = (code: string): Cell => ({ not: code.replace(/\bp\b/g, "nearP").replace(/\bq\b/g, "nearQ") });

const ROWS: readonly Row[] = [
  {
    name: "softmax, log-softmax along any axis",
    ours: ["softmax(x, { axis: 0 })", "logSoftmax(x, { axis: 0 })"],
    names: /soft_?max/i,
    cells: {
      "tfjs, wasm": {
        codes: ["tf.softmax(x)", "tf.logSoftmax(x)"],
        as: ["softmax(x)", "logSoftmax(x)"],
        but: "along the last axis",
      },
      "onnxruntime-web": { codes: ['op("Softmax", { axis: 0 }, x)', 'op("LogSoftmax", { axis: 0 }, x)'] },
      "numpy-ts": { codes: ["np.divide(np.exp(x), np.sum(np.exp(x), 0, true))"], but: "softmax; e⁷¹⁰ overflows" },
      "ml.js": {
        codes: ['ml.Matrix.exp(matrix).divRowVector(ml.Matrix.exp(matrix).sum("column"))'],
        but: "softmax; e⁷¹⁰ overflows",
      },
      mathjs: {
        codes: ["math.dotDivide(math.map(x, math.exp), math.sum(math.map(x, math.exp), 0))"],
        but: "softmax; e⁷¹⁰ overflows",
      },
    },
  },
  {
    name: "log-sum-exp",
    ours: ["logSumExp(huge)"],
    names: /log_?sum_?exp|^lse$/i,
    cells: {
      "tfjs, wasm": "tf.logSumExp(huge, -1)",
      "onnxruntime-web": 'op("ReduceLogSumExp", { axes: [1], keepdims: 0 }, huge)',
      "numpy-ts": {
        codes: ["np.logaddexp(np.array([1000]), 998)"],
        as: ["logSumExp([1000, 998])"],
        but: "of two numbers",
      },
    },
  },
  {
    name: "cross-entropy with classes, weights, smoothing",
    ours: ["crossEntropy(x, y)", "crossEntropy(x, y, { weight: w })", "crossEntropy(x, y, { labelSmoothing: 0.1 })"],
    names: /cross_?entropy|nll_?loss|log_?loss/i,
    cells: {
      "tfjs, wasm": {
        codes: [
          "tf.losses.softmaxCrossEntropy(tf.oneHot(y, 3), x)",
          "tf.losses.softmaxCrossEntropy(tf.oneHot(y, 3), x, undefined, 0.1)",
        ],
        as: ["crossEntropy(x, y)", "crossEntropy(x, y, { labelSmoothing: 0.1 })"],
        but: "weights of rows, not of classes",
      },
      "onnxruntime-web": {
        codes: ['op("SoftmaxCrossEntropyLoss", {}, x, y)', 'op("SoftmaxCrossEntropyLoss", {}, x, y, w)'],
        but: "without smoothing",
      },
    },
  },
  {
    name: "its gradient in the same call",
    ours: ["crossEntropyWithGrad(x, y).grad"],
    names: /(value|loss)\w*_?grad|autograd/i,
    cells: {
      "tfjs, wasm": "tf.valueAndGrad((z) => tf.losses.softmaxCrossEntropy(tf.oneHot(y, 3), z))(x).grad",
    },
  },
  {
    name: "KL divergence",
    ours: ["klDivergence(p, q)"],
    names: /kl_?div|kullback|kldivergence/i,
    cells: { ...kl, NumKong: { read: "kullbackleibler(p, q)" } },
  },
  {
    name: "KL that keeps its digits where p ≈ q",
    ours: ["klDivergence(nearP, nearQ)"],
    names: /$^/,
    tolerance: 1e-3,
    cells: {
      "tfjs, wasm": near(kl["tfjs, wasm"]),
      "onnxruntime-web": near(kl["onnxruntime-web"]),
      "numpy-ts": near(kl["numpy-ts"]),
      "ml.js": near(kl["ml.js"]),
      mathjs: near(kl.mathjs),
    },
  },
  {
    name: "Jensen–Shannon divergence or distance",
    ours: ["jsDivergence(p, q)"],
    names: /jensen|js_?div/i,
    cells: { NumKong: { read: "jensenshannon(p, q)" }, "ml.js": "ml.Distance.jensenShannon(p, q)" },
  },
  {
    name: "Gram and kernel matrices",
    ours: ["gram(A)", 'kernelMatrix(A, A, { kernel: "rbf", gamma: 0.5 })'],
    names: /gram_?matrix|^gram$|rbf|kernel_?matrix/i,
    cells: {
      "tfjs, wasm": { codes: ["tf.matMul(A, A, false, true)"], but: "Gram" },
      "onnxruntime-web": { codes: ['op("MatMul", {}, A, op("Transpose", {}, A))'], but: "Gram" },
      NumKong: { read: "dotsSymmetric(A)", but: "Gram" },
      "numpy-ts": { codes: ["np.inner(A, A)"], but: "Gram" },
      "ml.js": {
        codes: ['new ml.Kernel("linear").compute(A)', 'new ml.Kernel("gaussian", { sigma: 1 }).compute(A)'],
      },
      mathjs: { codes: ["math.multiply(A, math.transpose(A))"], but: "Gram" },
    },
  },
  {
    name: "k nearest rows, exact, no n×m matrix",
    ours: ["nearest(A, B, { k: 1 }).indices"],
    names: /\bk_?nn\b|k_?nearest|nearest_?neighbou?rs\b|kd_?tree/i,
    cells: {
      "ml.js": {
        codes: ["new ml.KNN(B, [0, 1, 2, 3], { k: 1 }).predict(A)"],
        but: "their majority’s class, not who they are",
      },
    },
  },
  {
    name: "optimal transport: exact, Sinkhorn, on the line",
    ours: ["emd(a, b, M).cost", "sinkhorn(a, b, M, { epsilon: 0.5 }).cost", "wasserstein(a, b)"],
    names: /wasserstein|sinkhorn|earth_?mover|^emd|optimal_?transport/i,
    cells: {},
  },
  {
    name: "means over batches, the same bits in any order",
    ours: ["crossEntropyMeter().update(x, y).value"],
    names: /(?<!para|kilo|centi|milli)meter$|welford|running_?(mean|variance)/i,
    cells: {},
  },
  {
    name: "f64 beside f32",
    ours: ["logSumExp(new Float32Array([1, 2]))", "logSumExp([1, 2])"],
    names: /$^/,
    tolerance: 1e-14,
    cells: {
      "tfjs, wasm": { not: "tf.logSumExp(tf.tensor([1, 2]))" },
      "onnxruntime-web": {
        codes: [
          'op("ReduceLogSumExp", { keepdims: 0 }, f32(1, 2))',
          'op("ReduceLogSumExp", { keepdims: 0 }, f64(1, 2))',
        ],
      },
      NumKong: { read: "dot(a, b) of Float32Array, of Float64Array" },
      "numpy-ts": {
        codes: ['np.logaddexp(np.array([1], "float32"), np.array([2], "float32"))', "np.logaddexp(np.array([1]), 2)"],
      },
      "ml.js": { codes: ['new ml.Kernel("linear").compute([[1e-9, 1]])'], as: ["gram([[1e-9, 1]])"], but: "f64" },
      mathjs: { codes: ["math.add(1, 1e-14)"], as: ["1 + 1e-14"], but: "f64" },
    },
  },
  {
    name: "SIMD in the browser",
    ours: ['simd("surprisal")'],
    names: /$^/,
    cells: {
      "tfjs, wasm": 'simd("@tensorflow/tfjs-backend-wasm")',
      "onnxruntime-web": 'simd("onnxruntime-web")',
      NumKong: { read: "include/numkong/*/v128relaxed.h" },
      "numpy-ts": 'simd("numpy-ts")',
      "ml.js": { not: 'simd("ml")' },
      mathjs: { not: 'simd("mathjs")' },
    },
  },
  {
    name: "synchronous, no set-up call",
    ours: ['atOnce("surprisal", "m.softmax([1, 2])[0]")'],
    names: /$^/,
    cells: {
      "tfjs, wasm": { not: 'atOnce("@tensorflow/tfjs-core", "m.softmax(m.tensor([1, 2])).dataSync()[0]")' },
      "onnxruntime-web": { not: 'atOnce("onnxruntime-web", "m.InferenceSession.create(new Uint8Array())")' },
      NumKong: { read: "dot(a, b); in a page await its module and initWasm(it)", but: "in Node" },
      "numpy-ts": 'atOnce("numpy-ts", "m.exp(m.array([1])).toArray()[0]")',
      "ml.js": 'atOnce("ml", "m.Distance.kullbackLeibler([0.5, 0.5], [0.4, 0.6])")',
      mathjs: 'atOnce("mathjs", "m.kldivergence([0.5, 0.5], [0.4, 0.6])")',
    },
  },
  {
    name: "any network, layers and all",
    ours: [],
    names: /conv_?2d|neural|dense_?layer/i,
    cells: {
      "tfjs, wasm": { codes: ['tf.conv2d(tf.ones([1, 3, 3, 1]), tf.ones([3, 3, 1, 1]), 1, "valid")'], as: ["9"] },
      "onnxruntime-web": { codes: ['op("Conv", {}, ones(1, 1, 3, 3), ones(1, 1, 3, 3))'], as: ["9"] },
      "ml.js": {
        codes: ["typeof new ml.FNN({ hiddenLayers: [4] }).train === 'function'"],
        as: ["true"],
        but: "dense layers",
      },
    },
  },
  {
    name: "n-dimensional arrays with arithmetic",
    ours: [],
    names: /nd_?array$|^tensor$/i,
    cells: {
      "tfjs, wasm": { codes: ["tf.add(tf.ones([2, 1, 2]), 1)"], as: ["[2, 2, 2, 2]"] },
      "onnxruntime-web": {
        codes: ['op("Add", {}, ones(2, 1, 2), ones(2, 1, 2))'],
        as: ["[2, 2, 2, 2]"],
        but: "in a model that is made before",
      },
      NumKong: { read: "class Matrix, dotsPacked(a, b)", but: "matrices and their products" },
      "numpy-ts": { codes: ["np.add(np.ones([2, 1, 2]), 1)"], as: ["[2, 2, 2, 2]"] },
      "ml.js": { codes: ["ml.Matrix.add(ml.Matrix.ones(2, 2), 1)"], as: ["[2, 2, 2, 2]"], but: "of two dimensions" },
      mathjs: { codes: ["math.add(math.ones(2, 1, 2), 1)"], as: ["[2, 2, 2, 2]"] },
    },
  },
];

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "surprisal-features-"));
const npm = (...args: string[]): string =>
  execFileSync("npm", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
npm(
  "install",
  "--no-audit",
  "--no-fund",
  ...Object.values(LIBRARIES).flatMap((names) => names.map((name) => `${name}@latest`)),
);

const require = createRequire(join(folder, "package.json"));
const at = (name: string): string => (name === "surprisal" ? root : join(folder, "node_modules", name));
const versionOf = (name: string): string => JSON.parse(readFileSync(join(at(name), "package.json"), "utf8")).version;

/** Whether a package has a WebAssembly module, in a file or as base64 in a script, of which a function has a local of type v128. */
function simd(name: string): boolean {
  for (const file of readdirSync(at(name) + (name === "surprisal" ? "/dist" : ""), {
    recursive: true,
    encoding: "utf8",
  })) {
    const path = join(at(name), name === "surprisal" ? "dist" : "", file);
    if (file.endsWith(".wasm") && hasVectors(readFileSync(path))) return true;
    if (!/\.[mc]?js$/.test(file)) continue;
    // "\0asm" and version 1, in base64
    for (const [text] of readFileSync(path, "utf8").matchAll(/AGFzbQEAAAA[A-Za-z0-9+/]+/g))
      if (hasVectors(Buffer.from(text, "base64"))) return true;
  }
  return false;
}

/** Reads the sections of a module up to the code, and of each function the types of its locals. */
function hasVectors(wasm: Uint8Array): boolean {
  const [CODE, V128] = [10, 0x7b];
  let place = 8;
  const number = (): number => {
    for (let [value, shift] = [0, 0]; ; shift += 7) {
      const byte = wasm[place++] as number;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (place < wasm.length) {
    const id = wasm[place++];
    const size = number();
    if (id !== CODE) {
      place += size;
      continue;
    }
    for (let functions = number(); functions > 0; functions--) {
      const end = number() + place;
      for (let groups = number(); groups > 0; groups--) {
        number();
        if (wasm[place++] === V128) return true;
      }
      place = end;
    }
  }
  return false;
}

/** Whether a process that has only imported a package gets a number from a call. */
function atOnce(name: string, code: string): boolean {
  const entry = name === "surprisal" ? join(root, "dist/index.js") : require.resolve(name);
  const script = `import { createRequire } from "node:module";
    const m = ${name === "surprisal" ? `await import(${JSON.stringify(pathToFileURL(entry))})` : `createRequire(${JSON.stringify(entry)})(${JSON.stringify(entry)})`};
    ${name === "@tensorflow/tfjs-core" ? `createRequire(${JSON.stringify(entry)})("@tensorflow/tfjs-backend-wasm"); m.setBackend("wasm");` : ""}
    process.exit(typeof (${code}) === "number" ? 0 : 1)`;
  try {
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: folder, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A node of an ONNX model, and those that it takes its inputs from; `op` makes one. */
interface Op {
  readonly op: string;
  readonly attributes: NonNullable<Node["attributes"]>;
  readonly from: readonly (Op | Tensor)[];
}
const op = (name: string, attributes: Op["attributes"], ...from: Op["from"]): Op => ({ op: name, attributes, from });

interface Ort {
  env: { wasm: { numThreads?: number } };
  Tensor: new (type: string, data: Tensor["data"], dims: readonly number[]) => unknown;
  InferenceSession: {
    create(
      bytes: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: object): Promise<Record<string, { data: ArrayLike<number> }>> }>;
  };
}
async function run(ort: Ort, last: Op): Promise<number[]> {
  const inputs = new Map<Tensor, string>();
  const nodes: Node[] = [];
  const name = (part: Op | Tensor): string => {
    if (!("op" in part)) {
      if (!inputs.has(part)) inputs.set(part, `in${inputs.size}`);
      return inputs.get(part) as string;
    }
    const from = part.from.map(name);
    nodes.push({ op: part.op, attributes: part.attributes, inputs: from, outputs: [`out${nodes.length}`] });
    return `out${nodes.length - 1}`;
  };
  const output = name(last);
  const given = Object.fromEntries([...inputs].map(([tensor, key]) => [key, tensor]));
  const session = await ort.InferenceSession.create(model(nodes, given, output), {
    executionProviders: ["wasm"],
    logSeverityLevel: 4,
  });
  const typed = ({ data, dims }: Tensor) => new ort.Tensor(typeOf({ data, dims }).name, data, dims);
  const results = await session.run(
    Object.fromEntries(Object.entries(given).map(([key, tensor]) => [key, typed(tensor)])),
  );
  return Array.from(results[output]?.data ?? []);
}

const INPUTS = JSON.parse(readFileSync(join(root, "site/src/read/coming.json"), "utf8")).inputs as Record<
  string,
  number[]
>;
const P = INPUTS["p"] as number[];
/** p times 1 ± δ, with a sum of one. */
const nearby = (delta: number): number[] => P.map((v, i) => v * (1 + delta * ([1, -0.5, 2 / 3][i] as number)));
const inputsOf = (f64: boolean): Record<string, unknown> => ({
  ...INPUTS,
  huge: [
    [1000, 998],
    [-1000, -1000],
  ],
  nearP: f64 ? P : Array.from(new Float32Array(P)),
  nearQ: f64 ? nearby(1e-7) : Array.from(new Float32Array(nearby(1e-4))),
});

/** All numbers in what a library returned. */
async function numbers(value: unknown, ort: Ort): Promise<number[]> {
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return [Number(value)];
  if (Array.isArray(value)) return (await Promise.all(value.map((part) => numbers(part, ort)))).flat();
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array);
  const object = value as Record<string, unknown>;
  if (typeof object["op"] === "string") return run(ort, object as unknown as Op);
  for (const method of ["dataSync", "toArray", "to2DArray"]) {
    const read = object[method];
    if (typeof read === "function") return numbers(read.call(value), ort);
  }
  if ("data" in object) return numbers(object["data"], ort);
  throw new Error(`no numbers in ${value}`);
}

const evaluate = (code: string, names: Readonly<Record<string, unknown>>): unknown =>
  new Function(...Object.keys(names), `return ${code};`)(...Object.values(names));

const returned = async (code: string, names: Readonly<Record<string, unknown>>): Promise<number[]> =>
  numbers(await evaluate(code, names), ort);

/** Names of exports and of what is in them, without what every function has. */
function namesIn(value: unknown, depth: number, seen = new Set<unknown>()): string[] {
  if (depth < 0 || value === null || !["object", "function"].includes(typeof value) || seen.has(value)) return [];
  seen.add(value);
  return Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([name, { value: inner }]) =>
    ["length", "name", "prototype", "constructor", "docs"].includes(name)
      ? []
      : [name, ...namesIn(inner, depth - 1, seen)],
  );
}

/** Calls of a library in code, and nodes of a graph, but for what only makes arrays and objects of them. */
const callsIn = (code: string): number =>
  Math.max(
    1,
    [
      ...code.matchAll(
        /(?<!new )\b(?:tf|np|ml|math)\.(?:Matrix\.)?(?!array\(|tensor\(|ones\()[\w.]+\(|\bop\(|\)\.\w+\(/g,
      ),
    ].length,
  );

const tf = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-backend-wasm");
require("@tensorflow/tfjs-core/dist/register_all_gradients");
await tf.setBackend("wasm");
await tf.ready();
const ort: Ort = require("onnxruntime-web");
ort.env.wasm.numThreads = 1;
const [np, ml, math] = ["numpy-ts", "ml", "mathjs"].map((name) => require(name));

const each = (make: (values: unknown, name: string) => unknown, f64: boolean): Record<string, unknown> =>
  Object.fromEntries(Object.entries(inputsOf(f64)).map(([name, values]) => [name, make(values, name)]));
const tensor = (values: unknown, name: string): Tensor => {
  const rows = values as number[][];
  // ONNX has its classes in 64 bits
  if (name === "y") return { data: BigInt64Array.from(rows.flat(), BigInt), dims: [rows.length] };
  return {
    data: Float32Array.from(rows.flat()),
    dims: Array.isArray(rows[0]) ? [rows.length, rows[0].length] : [rows.length],
  };
};
const flat = (values: readonly number[], data: Tensor["data"]): Tensor => ({ data, dims: [values.length] });
const facts = { simd, atOnce };
const SCOPES: Readonly<Partial<Record<Library, Record<string, unknown>>>> = {
  "tfjs, wasm": {
    tf,
    ...facts,
    ...each((values, name) => tf.tensor(values, undefined, name === "y" ? "int32" : "float32"), false),
  },
  "onnxruntime-web": {
    op,
    ...facts,
    ...each(tensor, false),
    f32: (...values: number[]) => flat(values, Float32Array.from(values)),
    f64: (...values: number[]) => flat(values, Float64Array.from(values)),
    ones: (...dims: number[]): Tensor => ({ data: new Float32Array(dims.reduce((x, y) => x * y)).fill(1), dims }),
  },
  "numpy-ts": { np, ...facts, ...each((values) => np.array(values), true) },
  "ml.js": { ml, ...facts, ...inputsOf(true), matrix: new ml.Matrix(INPUTS["x"]) },
  mathjs: { math, ...facts, ...inputsOf(true) },
};
const EXPORTS: Readonly<Partial<Record<Library, readonly string[]>>> = {
  "tfjs, wasm": namesIn(tf, 2),
  // its operators are no exports: the words in its wasm that are written as their names are
  "onnxruntime-web":
    readFileSync(join(at("onnxruntime-web"), "dist/ort-wasm-simd-threaded.wasm"), "latin1").match(
      /(?<![A-Za-z_])[A-Z][A-Za-z0-9]{2,40}(?![\w_])/g,
    ) ?? [],
  "numpy-ts": namesIn(np, 2),
  "ml.js": namesIn(ml, 2),
  mathjs: namesIn(math, 1),
};

const close = (got: readonly number[], expected: readonly number[], tolerance: number): boolean =>
  got.length === expected.length &&
  got.every(
    (value, i) =>
      Math.abs(value - (expected[i] as number)) <=
      tolerance * Math.max(Math.abs(expected[i] as number), tolerance === 1e-3 ? 0 : 1),
  );

interface Mark {
  readonly mark: "" | "●" | "○";
  readonly code?: string;
  readonly but?: string;
}

async function marked(row: Row, library: Library): Promise<Mark> {
  const cell = row.cells[library];
  if (cell === undefined) {
    const like = [...new Set((EXPORTS[library] ?? []).filter((name) => row.names.test(name)))];
    if (like.length) throw new Error(`it is not there, but these names are: ${like.join(", ")}`);
    return { mark: "" };
  }
  if (typeof cell === "object" && "read" in cell)
    return { mark: cell.but ? "○" : "●", code: cell.read, ...(cell.but && { but: `only ${cell.but}` }) };
  const scope = SCOPES[library] ?? {};
  const tolerance = row.tolerance ?? 1e-5;
  const ours = { ...surprisal, ...facts, ...inputsOf(!["tfjs, wasm", "onnxruntime-web"].includes(library)) };
  const expected = async (codes: readonly string[]) =>
    numbers(
      codes.map((code) => evaluate(code, ours)),
      ort,
    );
  if (typeof cell === "object" && "not" in cell) {
    const right = await expected(row.ours.slice(-1));
    const got = await returned(cell.not, scope).catch(() => undefined);
    if (got && close(got, right, tolerance)) throw new Error(`it is there: ${cell.not} gives ${got}`);
    const said = (values: readonly number[]) => values.map((value) => value.toPrecision(9)).join(", ");
    const fact = /^(simd|atOnce)/.test(cell.not);
    return {
      mark: "",
      code: cell.not,
      but: fact ? "no" : got ? `gives ${said(got)}, where ${said(right)} is right` : "fails",
    };
  }
  const { codes, as, but }: Given = typeof cell === "string" ? { codes: [cell] } : cell;
  const right = await expected(as ?? row.ours.slice(0, codes.length));
  for (const code of codes) if (callsIn(code) > MOST_CALLS) throw new Error(`${code} takes ${callsIn(code)} calls`);
  const got = (await Promise.all(codes.map((code) => returned(code, scope)))).flat();
  if (!close(got, right, tolerance)) throw new Error(`${codes.join("; ")} gives ${got}, right is ${right}`);
  return {
    mark: but || codes.some((code) => callsIn(code) > 1) ? "○" : "●",
    code: codes.join("\n"),
    ...(but && { but: `only ${but}` }),
  };
}

let broken = 0;
const rows = [];
for (const row of ROWS) {
  const cells: Mark[] = [];
  for (const library of Object.keys(LIBRARIES) as Library[]) {
    try {
      cells.push(await marked(row, library));
    } catch (error) {
      broken++;
      console.log(`${library}, ${row.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  const own: Mark = row.ours.length ? { mark: "●", code: row.ours.join("\n") } : { mark: "" };
  rows.push({ name: row.name, cells: [own, ...cells] });
}
const VERSIONS = Object.fromEntries(
  Object.values(LIBRARIES)
    .flat()
    .map((name) => [name, versionOf(name)]),
);
rmSync(folder, { recursive: true, force: true });
if (broken) {
  console.log(`${broken} cells are not as they are written down here: nothing is written`);
  process.exit(1);
}
const others = (Object.entries(LIBRARIES) as [Library, readonly string[]][]).map(([name, [first]]) => [
  name,
  first ? VERSIONS[first] : NUMKONG.version,
]);
const page = {
  provenance: "tools/features.ts",
  checked: new Date().toISOString().slice(0, 10),
  numkong: `read from ${NUMKONG.names} at ${NUMKONG.commit}; it is not on npm`,
  others,
  rows,
};
writeFileSync(join(root, "site/src/read/features.json"), `${JSON.stringify(page, null, 2)}\n`);
for (const { name, cells } of rows) console.log(cells.map(({ mark }) => mark || "·").join(" "), name);
