/** Who is timed. Each makes itself ready once, and then for every case; it returns undefined for what it has not. */

import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
// not by import(): WebKit runs a worker's own module a second time when a module that it fetches imports from it
import * as ort from "onnxruntime-web/wasm";
import * as surprisal from "surprisal";
import { createPool, type Pool } from "surprisal/parallel";
import { model, type Node, type Tensor } from "../../../bench/peers/onnx.ts";
import { ready, tf } from "../explore/tf.ts";
import type { Functions, Inputs, Operation } from "./operations.ts";

/** A case made ready: `run` is timed, a promise is awaited; `result` is compared before that. */
export interface Call {
  run(): unknown;
  result(): Promise<ArrayLike<number>> | ArrayLike<number>;
  dispose?(): unknown;
}

export interface Contestant {
  readonly name: string;
  /** Once; the version where it has one. `undefined`: this browser cannot run it. */
  start(): Promise<string | undefined>;
  prepare(name: string, operation: Operation, inputs: Inputs): Promise<Call | undefined>;
}

const { info, initSync } = surprisal;
type Variant = ReturnType<typeof info>["variant"];

const ours = (variant: Variant): Contestant => ({
  name: `surprisal, ${variant}`,
  async start() {
    // where the engine has no relaxed SIMD, "auto" falls back to base, which is timed anyway
    initSync({ variant: variant === "relaxed" ? "auto" : variant });
    return info().variant === variant ? "" : undefined;
  },
  async prepare(_, operation, inputs) {
    initSync({ variant });
    const out = new Float32Array(operation.size(inputs));
    return {
      run: () => {
        // other contestants' turns lie between: it costs nothing where nothing changes
        initSync({ variant });
        operation.ours(surprisal, inputs, out);
      },
      result: () => {
        initSync({ variant });
        operation.ours(surprisal, inputs, out);
        return out;
      },
    };
  },
});

let pool: Pool | undefined;

/** A worker for each core. What is too little to divide runs in this thread, as it would for anyone who uses a pool. */
const pooled: Contestant = {
  name: "surprisal, all threads",
  async start() {
    initSync({ variant: "auto" });
    pool ??= await createPool();
    return pool.size > 1 ? `${pool.size} workers` : undefined;
  },
  async prepare(_, operation, inputs) {
    const out = new Float32Array(operation.size(inputs));
    const run = () => {
      initSync({ variant: "auto" });
      return operation.ours(pool as unknown as Functions, inputs, out);
    };
    return {
      run,
      result: async () => {
        await run();
        return out;
      },
    };
  },
};

const plain: Contestant = {
  name: "plain loop",
  start: async () => "",
  async prepare(_, operation, inputs) {
    const out = new Float32Array(operation.size(inputs));
    return {
      run: () => operation.plain(inputs, out),
      result: () => {
        operation.plain(inputs, out);
        return out;
      },
    };
  },
};

type Ops = Readonly<Record<string, (x: tf.Tensor2D, y: tf.Tensor2D, labels: tf.Tensor1D) => tf.Tensor>>;
const klOf = (p: tf.Tensor, q: tf.Tensor): tf.Tensor => tf.sum(tf.mul(p, tf.log(tf.div(p, q))), -1);
const TFJS: Ops = {
  softmax: (x) => tf.softmax(x),
  logSumExp: (x) => tf.logSumExp(x, -1),
  crossEntropyWithGrad: (x, _, labels) => {
    const hot = tf.oneHot(labels, x.shape[1]);
    const { grad } = tf.valueAndGrad((z) => tf.losses.softmaxCrossEntropy(hot, z as tf.Tensor2D))(x);
    return grad;
  },
  klDivergence: (p, q) => klOf(p, q),
  jsDivergence: (p, q) => {
    const m = tf.div(tf.add(p, q), 2);
    return tf.div(tf.add(klOf(p, m), klOf(q, m)), 2);
  },
  gram: (x) => tf.matMul(x, tf.transpose(x)),
};

const tfjs: Contestant = {
  name: "tfjs, wasm",
  start: ready,
  async prepare(name, _, { x, y, labels, rows, cols }) {
    const op = TFJS[name];
    if (!op) return undefined;
    let last: ArrayLike<number> = [];
    const run = () => {
      tf.tidy(() => {
        last = op(tf.tensor2d(x, [rows, cols]), tf.tensor2d(y, [rows, cols]), tf.tensor1d(labels, "int32")).dataSync();
      });
    };
    return {
      run,
      result: () => {
        run();
        return last;
      },
    };
  },
};

const node = (op: string, inputs: string[], output: string, attributes?: Node["attributes"]): Node => ({
  op,
  inputs,
  outputs: [output],
  ...(attributes && { attributes }),
});
const sum: Node = node("ReduceSum", ["terms", "last"], "out", { keepdims: 0 });
const terms = (p: string, q: string, to: string): Node[] => [
  node("Div", [p, q], `${to}/`),
  node("Log", [`${to}/`], `${to}log`),
  node("Mul", [p, `${to}log`], to),
];
const GRAPHS: Readonly<Record<string, readonly Node[]>> = {
  softmax: [node("Softmax", ["x"], "out", { axis: -1 })],
  logSumExp: [node("ReduceLogSumExp", ["x"], "out", { axes: [-1], keepdims: 0 })],
  crossEntropyWithGrad: [
    node("Softmax", ["x"], "p", { axis: -1 }),
    node("OneHot", ["labels", "cols", "zeroOne"], "t"),
    node("Sub", ["p", "t"], "p-t"),
    node("Mul", ["p-t", "share"], "out"),
    node("LogSoftmax", ["x"], "logp", { axis: -1 }),
    node("Mul", ["logp", "t"], "picked"),
    node("ReduceSum", ["picked", "both"], "loss", { keepdims: 0 }),
  ],
  klDivergence: [...terms("x", "y", "terms"), sum],
  jsDivergence: [
    node("Add", ["x", "y"], "twice"),
    node("Mul", ["twice", "half"], "m"),
    ...terms("x", "m", "a"),
    ...terms("y", "m", "b"),
    node("Add", ["a", "b"], "ab"),
    node("Mul", ["ab", "half"], "terms"),
    sum,
  ],
  gram: [node("Transpose", ["x"], "xT", { perm: [1, 0] }), node("MatMul", ["x", "xT"], "out")],
};

const onnx: Contestant = {
  name: "onnxruntime-web",
  async start() {
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = { wasm: new URL(wasm, import.meta.url).href };
    return ort.env.versions.web ?? "";
  },
  async prepare(name, _, { x, y, labels, rows, cols }) {
    const nodes = GRAPHS[name];
    if (!nodes) return undefined;
    const used = (input: string): boolean => nodes.some(({ inputs }) => inputs.includes(input));
    const f32 = (...values: number[]): Tensor => ({ data: Float32Array.from(values), dims: [values.length] });
    const int = (...values: number[]): Tensor => ({ data: BigInt64Array.from(values, BigInt), dims: [values.length] });
    const inputs: Record<string, Tensor> = { x: { data: x, dims: [rows, cols] } };
    if (used("y")) inputs["y"] = { data: y, dims: [rows, cols] };
    // its OneHot takes classes of 64 bits alone
    if (used("labels")) inputs["labels"] = { data: BigInt64Array.from(labels, BigInt), dims: [rows] };
    const constants = {
      last: int(-1),
      both: int(0, 1),
      cols: int(cols),
      zeroOne: f32(0, 1),
      share: f32(1 / rows),
      half: f32(0.5),
    };
    const kept = Object.fromEntries(Object.entries(constants).filter(([constant]) => used(constant)));
    const outputs = name === "crossEntropyWithGrad" ? ["out", "loss"] : ["out"];
    const session = await ort.InferenceSession.create(model(nodes, inputs, outputs, kept), {
      executionProviders: ["wasm"],
      logSeverityLevel: 3,
    });
    const run = async () => {
      const feeds: Record<string, ort.Tensor> = {};
      for (const [input, { data, dims }] of Object.entries(inputs)) {
        feeds[input] = new ort.Tensor(data instanceof BigInt64Array ? "int64" : "float32", data as Float32Array, dims);
      }
      return session.run(feeds);
    };
    return {
      run,
      result: async () => (await run())["out"]?.data as Float32Array,
      dispose: () => session.release(),
    };
  },
};

/** In the order of the table. */
export const CONTESTANTS: readonly Contestant[] = [pooled, ours("relaxed"), ours("base"), plain, tfjs, onnx];
