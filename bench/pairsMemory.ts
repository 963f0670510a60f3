/**
 * Memory of functions of pairs at full size: n = m = 50,000 rows of 64, whose matrix would take 10 GB, and a linear layer whose logits
 * would take 2 GB. Each call in a process of its own, after a small one that compiles what it needs.
 *
 * Linear memory is all that there is of it afterwards, of every instance. JavaScript's is all arrays that were
 * made meanwhile, those in turns as well; or how far the process's resident memory rose above what it was before, without what
 * linear memory grew by, if that is more: of Linux alone, which tells it (VmHWM). Of both the result is taken away.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { labels, normals } from "./data.ts";
import { options } from "./options.ts";
import type { Surprisal } from "./ours.ts";
import { save } from "./report.ts";

const MiB = 2 ** 20;
const LIMIT = 8;
/** How long calls of some rows run before, in ms. */
const WARM_UP = 4000;

const [N, D] = options.complete ? [50_000, 64] : [4000, 64];
const [ROWS, CLASSES, WIDTH] = options.complete ? [4096, 128_256, 1024] : [256, 4096, 64];

interface Used {
  readonly linearMiB: number;
  readonly heapMiB: number;
  readonly seconds: number;
}
type Call = (s: Surprisal) => { small: () => unknown; run: () => unknown };

const rows = (n: number, d: number, seed: number): Float32Array => normals("f32", n * d, { seed }) as Float32Array;

/** A call of pairs of two samples, and the same of some of their rows: of 300 the engine would compile while the large call runs, which takes it 5 MiB. */
const pairs =
  (call: (s: Surprisal, x: Float32Array, y: Float32Array, n: number) => unknown): Call =>
  (s) => {
    const [x, y] = [rows(N, D, 1), rows(N, D, 2)];
    const few = 3000;
    return {
      small: () => call(s, x.subarray(0, few * D), y.subarray(0, few * D), few),
      run: () => call(s, x, y, N),
    };
  };

const linear =
  (name: "linearCrossEntropy" | "linearCrossEntropyWithGrad"): Call =>
  (s) => {
    const [x, weight, t] = [rows(ROWS, WIDTH, 1), rows(CLASSES, WIDTH, 2), labels(ROWS, CLASSES)];
    const call = (n: number, classes: number) =>
      s[name](
        x.subarray(0, n * WIDTH),
        weight.subarray(0, classes * WIDTH),
        t.subarray(0, n).map((l) => l % classes),
        {
          shape: [n, WIDTH],
          weightShape: [classes, WIDTH],
        },
      );
    return { small: () => call(16, 300), run: () => call(ROWS, CLASSES) };
  };

const CALLS: Readonly<Record<string, Call>> = {
  nearest: pairs((s, x, y, n) => s.nearest(x, y, { shape: [n, D], k: 10 })),
  kernelProduct: pairs((s, x, y, n) => s.kernelProduct(x, y, y.subarray(0, n), { shape: [n, D], kernel: "rbf" })),
  kernelDensity: pairs((s, x, y, n) => s.kernelDensity(x, y, { shape: [n, D], bandwidth: 2 })),
  mmd: pairs((s, x, y, n) => s.mmd(x, y, { shape: [n, D] })),
  cka: pairs((s, x, y, n) => s.cka(x, y, { shape: [n, D] })),
  contrastiveLoss: pairs((s, x, y, n) => s.contrastiveLoss(x, y, { shape: [n, D] })),
  contrastiveLossWithGrad: pairs((s, x, y, n) => s.contrastiveLossWithGrad(x, y, { shape: [n, D] })),
  linearCrossEntropy: linear("linearCrossEntropy"),
  linearCrossEntropyWithGrad: linear("linearCrossEntropyWithGrad"),
};

/** The bytes of the arrays of a result. */
const bytesOf = (value: unknown): number =>
  ArrayBuffer.isView(value)
    ? value.byteLength
    : typeof value === "object" && value !== null
      ? Object.values(value).reduce((sum: number, part) => sum + bytesOf(part), 0)
      : 0;

/** A line of /proc/self/status, in bytes. */
const statusOf = (name: string): number =>
  1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1]);

/** Counts the bytes of the arrays that are made from now on, by whatever code looks for their class where it is. */
function countArrays(): () => number {
  let bytes = 0;
  for (const name of ["Float32Array", "Float64Array", "Int32Array", "Uint32Array", "Uint8Array"] as const) {
    const counted = new Proxy(globalThis[name] as Float64ArrayConstructor, {
      construct(type, args: [number]) {
        const array = Reflect.construct(type, args) as Float64Array;
        if (!((args[0] as unknown) instanceof ArrayBuffer)) bytes += array.byteLength;
        return array;
      },
    });
    Object.assign(globalThis, { [name]: counted });
  }
  return () => bytes;
}

async function measure(name: string): Promise<Used> {
  const memories: WebAssembly.Memory[] = [];
  globalThis.WebAssembly.Memory = class extends WebAssembly.Memory {
    constructor(of: WebAssembly.MemoryDescriptor) {
      super(of);
      memories.push(this);
    }
  };
  const linear = (): number => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  const { small, run } = (CALLS[name] as Call)((await import(options.dist)) as Surprisal);
  const arrays = countArrays();
  // until the engine has done compiling, which takes it some MiB
  const warm = performance.now() + WARM_UP;
  do small();
  while (performance.now() < warm);
  (globalThis as { gc?: () => void }).gc?.();
  // the room for objects that die young, some MiB, is the engine's, and was given back just now: it is filled before, with 32 MiB of them
  const young: number[][] = [];
  for (let i = 0; i < 2 ** 20; i++) young[i % 64] = [i];
  // so that the largest from here on is told, not that of making the inputs
  writeFileSync("/proc/self/clear_refs", "5");
  const [before, grown, made] = [statusOf("VmRSS"), linear(), arrays()];
  const start = performance.now();
  const result = run();
  const seconds = (performance.now() - start) / 1000;
  const rise = statusOf("VmHWM") - before - (linear() - grown);
  const heap = Math.max(rise, arrays() - made) - bytesOf(result);
  return { linearMiB: linear() / MiB, heapMiB: heap / MiB, seconds };
}

const CHILD = "SURPRISAL_MEMORY_OF";
const child = process.env[CHILD];
if (child) process.stdout.write(JSON.stringify(await measure(child)));
else if (process.platform !== "linux") console.log("memory is measured on Linux alone");
else {
  const found: Record<string, Used> = {};
  for (const name of Object.keys(CALLS)) {
    if (!options.only.test(name)) continue;
    const args = ["--expose-gc", "--import", "tsx", fileURLToPath(import.meta.url), ...process.argv.slice(2)];
    const shape = name.startsWith("linear") ? `${ROWS}x${CLASSES}x${WIDTH}` : `${N}x${N}x${D}`;
    const env = { ...process.env, [CHILD]: name };
    const used = JSON.parse(execFileSync(process.execPath, args, { env, encoding: "utf8" })) as Used;
    const { linearMiB, heapMiB, seconds } = used;
    const title = `${name} ${shape.replaceAll("x", "×")}`;
    const much = linearMiB + heapMiB > LIMIT ? `, more than ${LIMIT} MiB` : "";
    // line by line: all of them take some minutes
    console.log(
      `${title}: ${linearMiB.toFixed(1)} MiB linear, ${heapMiB.toFixed(1)} MiB JavaScript${much}; ${seconds.toFixed(1)} s`,
    );
    found[title] = used;
  }
  if (options.complete) save("pairs-memory", { calls: found });
}
