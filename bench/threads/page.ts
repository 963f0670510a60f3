/** In a page of its own, cross-origin isolated: one contestant with so many threads, each case compared first and then timed. */
import type * as library from "../../dist/index.js";
import type { createPool } from "../../dist/parallel.js";
import { distributions, normals } from "../data.ts";
import { gramInTiles, klDivergence, logSumExp, softmax } from "../loops.ts";
import { model, type Node, type Tensor } from "../peers/onnx.ts";
import type { Tf } from "../peers/tfjs.ts";

declare function report(result: unknown): void;

/** Calls of a case that are timed, after two that are not. */
const CALLS = 15;
/** Of the largest value: f32 formulas are good to 1e-5 on these inputs. */
const AGREES = 1e-3;

/** Functions of surprisal, or of a pool, whose calls are promises. */
type Functions = Pick<typeof library, "softmax" | "logSumExp" | "klDivergence" | "gram">;

interface Case {
  readonly rows: number;
  readonly cols: number;
  readonly ofDistributions?: true;
  readonly length: number;
  readonly exact: (x: Float64Array, y: Float64Array, out: Float64Array) => unknown;
  readonly ours: (by: Functions, x: Float32Array, y: Float32Array, out: Float32Array) => unknown;
  readonly tf: (tf: Tf, ...xy: readonly ReturnType<Tf["tensor"]>[]) => ReturnType<Tf["tensor"]>;
  readonly graph: readonly Node[];
}

const node = (op: string, inputs: string[], output: string, attributes?: Node["attributes"]): Node => ({
  op,
  inputs,
  outputs: [output],
  ...(attributes && { attributes }),
});
const many = { rows: 64, cols: 32_000 };
const points = { rows: 2000, cols: 256 };
const shape = [64, 32_000];

const CASES: Record<string, Case> = {
  "softmax 64×32000": {
    ...many,
    length: 64 * 32_000,
    exact: (x, _, out) => softmax(x, many.cols, out),
    ours: (by, x, _, out) => by.softmax(x, { shape, out }),
    tf: (tf, x) => tf.softmax(x as never),
    graph: [node("Softmax", ["x"], "out", { axis: -1 })],
  },
  "logSumExp 64×32000": {
    ...many,
    length: 64,
    exact: (x, _, out) => logSumExp(x, many.cols, out),
    ours: (by, x, _, out) => by.logSumExp(x, { shape, out }),
    tf: (tf, x) => tf.logSumExp(x as never, -1),
    graph: [node("ReduceLogSumExp", ["x"], "out", { axes: [-1], keepdims: 0 })],
  },
  "klDivergence 64×32000": {
    ...many,
    ofDistributions: true,
    length: 64,
    exact: (x, y, out) => klDivergence(x, y, many.cols, out),
    ours: (by, x, y, out) => by.klDivergence(x, y, { shape, reduction: "none", out }),
    tf: (tf, x, y) => tf.sum(tf.mul(x as never, tf.log(tf.div(x as never, y as never))), -1),
    graph: [
      node("Div", ["x", "y"], "ratio"),
      node("Log", ["ratio"], "log"),
      node("Mul", ["x", "log"], "terms"),
      node("ReduceSum", ["terms", "last"], "out", { keepdims: 0 }),
    ],
  },
  "gram 2000×256": {
    ...points,
    length: 2000 * 2000,
    exact: (x, _, out) => gramInTiles(x, points.rows, points.cols, out),
    ours: (by, x, _, out) => by.gram(x, { shape: [points.rows, points.cols], out }),
    tf: (tf, x) => tf.matMul(x as never, tf.transpose(x as never)),
    graph: [node("Transpose", ["x"], "xT", { perm: [1, 0] }), node("MatMul", ["x", "xT"], "out")],
  },
};

/** A contestant, ready: `prepare` makes a call, which returns the result or a promise of it. */
type Prepare = (one: Case, x: Float32Array, y: Float32Array) => Promise<() => unknown>;

/** What the server has beside the page, whose headers it needs; of a module nothing is known when this is compiled. */
const beside = (path: string): string => new URL(path, location.href).href;
const from = async <M>(path: string): Promise<M> => (await import(beside(path))) as M;

const STARTS: Record<string, (threads: number) => Promise<Prepare>> = {
  async surprisal(threads) {
    const own: typeof library = await from("surprisal/index.js");
    const parallel: { createPool: typeof createPool } = await from("surprisal/parallel.js");
    // with one worker functions run in the calling thread: these are the functions themselves
    const pool = threads > 1 ? await parallel.createPool({ size: threads }) : undefined;
    if (pool && pool.size !== threads) throw new Error(`there are ${pool.size} workers`);
    const by = (pool ?? own) as unknown as Functions;
    return async (one, x, y) => {
      const shared = (values: ArrayLike<number>): Float32Array => {
        const array = new Float32Array(new SharedArrayBuffer(4 * values.length) as unknown as ArrayBuffer);
        array.set(values);
        return array;
      };
      const [a, b, out] = [shared(x), shared(y), shared(new Float32Array(one.length))];
      return async () => {
        await one.ours(by, a, b, out);
        return out;
      };
    };
  },
  async tfjs(threads) {
    const tf: Tf & {
      setWasmPaths(prefix: string): void;
      setThreadsCount(count: number): void;
      getThreadsCount(): number;
    } = await from("tfjs.js");
    tf.setWasmPaths(beside("tfjs/"));
    // of the cores that it finds it uses half
    Object.defineProperty(navigator, "hardwareConcurrency", { value: 2 * threads });
    tf.setThreadsCount(threads);
    if (!(await tf.setBackend("wasm"))) throw new Error("tfjs's wasm backend does not start");
    await tf.ready();
    if (tf.getThreadsCount() !== threads) throw new Error(`tfjs has ${tf.getThreadsCount()} threads`);
    return async (one, x, y) => () => {
      let got: ArrayLike<number> = [];
      tf.tidy(() => {
        const tensors = [x, y].map((values) => tf.tensor(values, [one.rows, one.cols]));
        const result = one.tf(tf, ...tensors);
        got = result.dataSync();
        return result;
      }).dispose();
      return got;
    };
  },
  async "onnxruntime-web"(threads) {
    interface Session {
      run(feeds: object): Promise<Record<string, { readonly data: Float32Array }>>;
    }
    const ort: {
      readonly env: { readonly wasm: { numThreads: number } };
      readonly Tensor: new (type: string, data: Tensor["data"], dims: readonly number[]) => unknown;
      readonly InferenceSession: { create(graph: Uint8Array, options: object): Promise<Session> };
    } = await from("ort/ort.wasm.min.mjs");
    ort.env.wasm.numThreads = threads;
    return async (one, x, y) => {
      const used = (input: string): boolean => one.graph.some(({ inputs }) => inputs.includes(input));
      const dims = [one.rows, one.cols];
      const inputs: Record<string, Tensor> = { x: { data: x, dims }, ...(used("y") && { y: { data: y, dims } }) };
      const last = { data: BigInt64Array.of(-1n), dims: [1] };
      const graph = model(one.graph, inputs, "out", used("last") ? { last } : {});
      const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"], logSeverityLevel: 3 });
      return async () => {
        const feeds = Object.entries(inputs).map(([name, { data }]) => [name, new ort.Tensor("float32", data, dims)]);
        return (await session.run(Object.fromEntries(feeds)))["out"]?.data;
      };
    };
  },
};

function difference(got: ArrayLike<number>, exact: Float64Array): number {
  if (got.length !== exact.length) return Number.NaN;
  let [largest, worst] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    const [value, want] = [got[i] as number, exact[i] as number];
    largest = Math.max(largest, Math.abs(want));
    // NaN stays
    worst = Math.abs(value - want) <= worst ? worst : Math.abs(value - want);
  }
  return worst / largest;
}

const { searchParams } = new URL(location.href);
const [who, threads] = [searchParams.get("who") ?? "", Number(searchParams.get("threads"))];
if (!crossOriginIsolated) throw new Error("the page is not isolated");
const prepare = await (STARTS[who] as (threads: number) => Promise<Prepare>)(threads);
/** Of each case, in ms, the median. */
const medians: Record<string, number> = {};
for (const [name, one] of Object.entries(CASES)) {
  const values = (seed: number): Float32Array =>
    Float32Array.from(
      one.ofDistributions
        ? distributions("f32", one.rows, one.cols, seed)
        : normals("f32", one.rows * one.cols, { seed }),
    );
  const [x, y] = [values(1), values(2)];
  const call = await prepare(one, x, y);
  // the first round compares: the loops take seconds
  if (searchParams.has("compared")) {
    const exact = new Float64Array(one.length);
    one.exact(Float64Array.from(x), Float64Array.from(y), exact);
    const error = difference((await call()) as ArrayLike<number>, exact);
    if (!(error < AGREES)) throw new Error(`${who}, ${name}: off by ${error} of the largest value`);
  }
  const times: number[] = [];
  for (let k = -2; k < CALLS; k++) {
    const start = performance.now();
    await call();
    if (k >= 0) times.push(performance.now() - start);
  }
  medians[name] = times.sort((a, b) => a - b)[CALLS >> 1] as number;
}
report({ medians });
