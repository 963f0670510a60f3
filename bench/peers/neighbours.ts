/** The k nearest rows as others find them: native code called from JavaScript, tfjs, and scikit-learn in a process of its own. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadTf, type Tf, type TfTensor } from "./tfjs.ts";

/** Queries x `[queries, d]` among rows y `[m, d]`. */
export interface Question {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly d: number;
  readonly k: number;
}

export interface Peer {
  /** How many of the queries it is given, so that a call takes some tenths of a second. */
  readonly queries: number;
  /** The indices `[queries, k]` of the nearest. */
  run(): ArrayLike<number>;
  /** The time of a call in ms, of what measures itself. */
  time?(): number;
  dispose?(): void;
}

type Distance = (a: Float32Array, b: Float32Array) => number;
interface Usearch {
  exactSearch(
    y: Float32Array,
    x: Float32Array,
    d: number,
    k: number,
    metric: string,
    threads: number,
  ): { keys: BigUint64Array };
}

/** Puts a value that is less than the last of the ascending ones, and its index beside theirs, which stand at `start`, in its place. */
export function insert(best: Float64Array, indices: Int32Array, start: number, value: number, index: number): void {
  let at = best.length - 1;
  for (; at > 0 && value < (best[at - 1] as number); at--) {
    best[at] = best[at - 1] as number;
    indices[start + at] = indices[start + at - 1] as number;
  }
  best[at] = value;
  indices[start + at] = index;
}

/** A distance called for each pair, and a sorted list of the best. */
function byDistance(distance: Distance, { x, y, d, k }: Question, queries: number): Peer {
  const rows = (of: Float32Array): Float32Array[] =>
    Array.from({ length: of.length / d }, (_, i) => of.subarray(i * d, (i + 1) * d));
  const [own, others] = [rows(x).slice(0, queries), rows(y)];
  const run = (): Int32Array => {
    const indices = new Int32Array(queries * k);
    const best = new Float64Array(k);
    for (const [i, row] of own.entries()) {
      best.fill(Infinity);
      for (let j = 0; j < others.length; j++) {
        const value = distance(row, others[j] as Float32Array);
        if (value < (best[k - 1] as number)) insert(best, indices, i * k, value, j);
      }
    }
    return indices;
  };
  return { queries, run };
}

const SCRIPT = fileURLToPath(new URL("./neighbours.py", import.meta.url));
const ONE = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
/** Debian's, and another that may be first in the path. */
const pythons = ["/usr/bin/python3", "python3"];
const hasSklearn = (python: string): boolean =>
  spawnSync(python, ["-c", "import sklearn"], { stdio: "ignore" }).status === 0;

function sklearn(python: string, { x, y, d, k }: Question, queries: number): Peer {
  const folder = mkdtempSync(join(tmpdir(), "surprisal-bench-"));
  const bytes = (of: Float32Array): Uint8Array => new Uint8Array(of.buffer, of.byteOffset, of.byteLength);
  writeFileSync(join(folder, "x"), bytes(x.subarray(0, queries * d)));
  writeFileSync(join(folder, "y"), bytes(y));
  const call = (): { ms: number; indices: number[] } => {
    const env = { ...process.env, ...ONE };
    return JSON.parse(
      execFileSync(python, [SCRIPT, folder, String(d), String(k)], { env, encoding: "utf8", maxBuffer: 2 ** 28 }),
    );
  };
  return {
    queries,
    run: () => call().indices,
    time: () => call().ms,
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** ‖y‖² − 2x·y, and the k least, by tfjs's wasm kernels. */
function tfjs(tf: Tf, { x, y, d, k }: Question, queries: number): Peer {
  const m = y.length / d;
  const own = tf.tensor(x.subarray(0, queries * d), [queries, d]);
  const run = (): Int32Array => {
    const best: TfTensor = tf.tidy(() => {
      const others = tf.tensor(y, [m, d]);
      const norms = tf.sum(tf.mul(others, others), 1);
      const near = tf.sub(tf.mul(tf.matMul(own, tf.transpose(others)), 2), norms);
      return tf.topk(near, k).indices;
    });
    const indices = Int32Array.from(best.dataSync());
    best.dispose();
    return indices;
  };
  return { queries, run, dispose: () => own.dispose() };
}

/** Those that are there, by name; what is missing is said. */
export async function neighbours(question: Question): Promise<Record<string, Peer>> {
  const [simd, plain, index] = ["simsimd", "./node_modules/simsimd/javascript/dist/esm/fallback.js", "usearch"];
  const peers: Record<string, Peer> = {};
  const loaded = async <M>(name: string, add: (module: M) => void): Promise<void> => {
    try {
      add((await import(name)) as M);
    } catch (error) {
      console.log(`${name} is left out: ${(error as Error).message.split("\n")[0]}`);
    }
  };
  await loaded<{ sqeuclidean: Distance }>(simd, ({ sqeuclidean }) => {
    peers["simsimd, a call a pair"] = byDistance(sqeuclidean, question, 20);
  });
  await loaded<{ sqeuclidean: Distance }>(plain, ({ sqeuclidean }) => {
    peers["simsimd's fallback in JavaScript"] = byDistance(sqeuclidean, question, 20);
  });
  await loaded<Usearch>(index, ({ exactSearch }) => {
    const queries = 400;
    const some = question.x.subarray(0, queries * question.d);
    const run = () => Array.from(exactSearch(question.y, some, question.d, question.k, "l2sq", 1).keys, Number);
    peers["usearch exactSearch, native"] = { queries, run };
  });
  const tf = await loadTf();
  peers["tfjs wasm, matMul and topk"] = tfjs(tf, question, 400);
  const python = pythons.find(hasSklearn);
  if (python) peers["scikit-learn brute force, native"] = sklearn(python, question, 4000);
  else console.log("scikit-learn is left out: apt-get install python3-sklearn");
  return peers;
}
