/** What goes wrong outside of the package: each in a process of its own, in the engines that can be made to. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { check, type Home, type Row, tool } from "./home.ts";
import { program } from "./node.ts";
import { bundle, fetched, WORKERD, withServer } from "./workerd.ts";

/** A worker is terminated in the middle of a call: nothing of it is shared but what was handed over. */
const TERMINATED = `
  import assert from "node:assert/strict";
  import { once } from "node:events";
  import { Worker } from "node:worker_threads";
  import { gram, info, resident, softmax } from "surprisal";
  const shared = new Float32Array(new SharedArrayBuffer(4 * 300 * 300)).fill(0.5);
  const kept = resident("f32", 100);
  const before = [softmax(shared.subarray(0, 9)).join(), info().memoryBytes];
  for (let round = 0; round < 5; round++) {
    const worker = new Worker(new URL("./spinning.mjs", import.meta.url), { workerData: shared });
    await once(worker, "message");
    await worker.terminate();
  }
  assert.deepEqual([softmax(shared.subarray(0, 9)).join(), info().memoryBytes], before);
  assert.ok(shared.every((v) => v === 0.5) && kept.array.every((v) => v === 0));
  assert.equal(gram(shared, { shape: [300, 300] })[0], 75);`;

const SPINNING = `
  import { parentPort, workerData } from "node:worker_threads";
  import { gram } from "surprisal";
  const out = new Float32Array(90000);
  for (let call = 0; ; call++) {
    gram(workerData, { shape: [300, 300], out });
    if (call === 3) parentPort.postMessage("running");
  }`;

/** Two copies have kernels and memory each; what is resident in one is no array to the other. */
const COPIES = `
  import assert from "node:assert/strict";
  import * as one from "surprisal";
  import * as two from "./copy/index.mjs";
  assert.notEqual(one.softmax, two.softmax);
  for (const copy of [one, two]) copy.initSync({ variant: "base" });
  const x = [1, 2, 3];
  const [mine, theirs] = [one.resident("f64", 3), two.resident("f64", 1e6)];
  mine.set(x);
  theirs.array.fill(1);
  for (let i = 0; i < 100; i++) assert.deepEqual(one.softmax(x), two.softmax(x));
  assert.deepEqual(mine.array.join(), "1,2,3");
  assert.ok(one.info().memoryBytes < two.info().memoryBytes);
  assert.throws(() => two.softmax(mine), { name: "TypeError", message: /^softmax: "x" must be .* got / });
  assert.deepEqual(two.softmax(mine.array), one.softmax(mine));`;

/** V8 refuses to grow a memory beyond 100 pages, or to have as many as the first call needs. */
const REFUSED = `
  import assert from "node:assert/strict";
  import { info, resident, softmax } from "surprisal";
  const out = new Float64Array(2);
  softmax([0, 0]);
  const { memoryBytes } = info();
  const refused = { name: "RangeError", message: \`resident: not enough memory: 8000000 bytes were asked for beyond the \${memoryBytes} in use\` };
  for (let i = 0; i < 10; i++) assert.throws(() => resident("f64", 1e6), refused);
  assert.equal(info().memoryBytes, memoryBytes);
  const kept = resident("f64", 1000);
  assert.equal(softmax([0, 0], { out }).join(), "0.5,0.5");
  kept.dispose();`;
const REFUSED_AT_ONCE = `
  import assert from "node:assert/strict";
  import { softmax } from "surprisal";
  for (let i = 0; i < 2; i++)
    assert.throws(() => softmax([0, 0]), { name: "RangeError", message: /not enough memory: \\d+ bytes were asked for/ });`;

/** A CPU without SSE4.1 has no SIMD in WebAssembly. */
const NO_SIMD = `
  import assert from "node:assert/strict";
  import { init, initSync, softmax } from "surprisal";
  const message = /^initSync: the engine has no WebAssembly SIMD; surprisal needs Node .*Chrome .*Firefox .*Safari/;
  for (const call of [() => softmax([0, 0]), () => initSync({ variant: "base" })]) assert.throws(call, { message });
  await assert.rejects(init(), { message: /^init: the engine has no WebAssembly SIMD/ });`;

/** Before the package is loaded, what engines of a few years ago lack goes. */
const ABSENT = `
  void Response; // Node's own, which it loads late, wants a FinalizationRegistry
  for (const name of ["FinalizationRegistry", "WeakRef", "DisposableStack", "AsyncDisposableStack"]) delete globalThis[name];
  const given = Symbol;
  const { dispose, asyncDispose, ...others } = Object.getOwnPropertyDescriptors(given);
  globalThis.Symbol = Object.defineProperties((description) => given(description), others);
  if (Symbol.dispose || typeof FinalizationRegistry !== "undefined") throw new Error("they are still there");
  await import("./present.mjs");`;

/** A million calls of four kinds. With \`leak\`, what they return is kept: then the cap must be met. */
const MILLION = `
  import { crossEntropyWithGrad, gram, info, klDivergence, resident, softmax } from "surprisal";
  const x = Float32Array.from({ length: 200 }, (_, i) => (i % 17) / 8);
  const y = Float64Array.from(x);
  const calls = [
    () => softmax(x, { shape: [4, 50] }),
    () => crossEntropyWithGrad(y, [1, 2, 3, 0], { shape: [4, 50] }),
    () => gram(x, { shape: [8, 25] }),
    () => {
      resident("f32", 1000).dispose();
      return klDivergence(y, y, { shape: [2, 100] });
    },
  ];
  export function run(count, leak) {
    const kept = [];
    for (let i = 0; i < count; i++) {
      const result = calls[i % 4]();
      if (leak) kept.push(result);
    }
    return info().memoryBytes;
  }`;

const CAP = 64 * 2 ** 20;

/** The bytes that a process can write: what Linux counts against RLIMIT_DATA. */
const dataOf = (pid: number): number =>
  1024 * Number(/^VmData:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

/**
 * From now on the kernel refuses the process more memory than the cap beyond what it has: linear memory, ArrayBuffers and
 * all; V8's own limit is of its heap alone.
 */
function cap(pid: number): void {
  const { status, stderr } = spawnSync("prlimit", ["--pid", String(pid), `--data=${dataOf(pid) + CAP}`]);
  if (status !== 0) throw new Error(`prlimit failed: ${stderr}`);
}

const HEAP = "--max-heap-size=64";

/** In Node, which says when it is warm. */
async function millionInNode(home: Home, node: string, leak: boolean): Promise<void> {
  const { spawn } = await import("node:child_process");
  const child = spawn(node, [HEAP, "millionInNode.mjs"], { cwd: home.folder, stdio: ["pipe", "pipe", "ignore"] });
  let printed = "";
  child.stdout.on("data", (data) => {
    printed += data;
    if (String(data).startsWith("warm")) {
      cap(child.pid as number);
      child.stdin.end(leak ? "leak" : "run");
    }
  });
  const status = await new Promise((resolve) => child.on("close", resolve));
  if (status !== 0) throw new Error(`left with ${status} under the cap`);
  same(printed);
}

async function millionInWorkerd(home: Home, modules: readonly string[], leak: boolean): Promise<void> {
  const use = async ({ pid, url }: { pid: number; url: string }): Promise<string> => {
    const warm = await fetched(`${url}warm`);
    cap(pid);
    return warm + (await fetched(url + (leak ? "leak" : "run")));
  };
  same(await withServer(home, modules, use, [HEAP]));
}

/** Linear memory before and after. */
function same(printed: string): void {
  const [warm, done] = printed.match(/\d+/g) ?? [];
  if (warm === undefined || warm !== done) throw new Error(`linear memory: ${printed}`);
}

async function fails(run: Promise<void>): Promise<void> {
  const failed = await run.then(
    () => false,
    () => true,
  );
  if (!failed) throw new Error("a leak went unnoticed");
}

export async function run(home: Home, row: Row): Promise<void> {
  const texts = {
    TERMINATED,
    spinning: SPINNING,
    COPIES,
    REFUSED,
    REFUSED_AT_ONCE,
    NO_SIMD,
    ABSENT,
    present: program(home),
    million: MILLION,
  };
  for (const [name, text] of Object.entries(texts)) home.write(`${name}.mjs`, text);
  const copy = join(home.folder, "copy");
  mkdirSync(copy);
  cpSync(home.installed, join(copy, "node_modules/surprisal"), { recursive: true });
  home.write("copy/index.mjs", 'export * from "surprisal";');

  const engines = [
    ["Node", tool("node20/bin/node"), []],
    ["Node", tool("node26/bin/node"), []],
    ["Deno", tool("@deno/linux-x64-glibc/deno"), ["run", "--no-lock", "--allow-read"]],
    ["Bun", tool("@oven/bun-linux-x64/bin/bun"), []],
  ] as const;
  const runtimes: [string, string][] = [];
  for (const [name, path, args] of engines) {
    const version = /\d+\.\d+\.\d+/.exec(await home.exec(path, ["--version"]))?.[0];
    const runtime = `${name} ${version}`;
    runtimes.push([runtime, path]);
    const passes = (file: string, ...flags: string[]) => home.exec(path, [...flags, ...args, `${file}.mjs`]);
    await row(runtime, "a terminated worker, two copies", () =>
      check({
        "a terminated worker": () => passes("TERMINATED"),
        "two copies in one process": () => passes("COPIES"),
      }),
    );
    if (name !== "Node") continue;
    await row(runtime, "memory refused, no SIMD", () =>
      check({
        "memory refused": () => passes("REFUSED", "--wasm-max-mem-pages=100"),
        "memory refused at the first call": () => passes("REFUSED_AT_ONCE", "--wasm-max-mem-pages=10"),
        "no SIMD": () => passes("NO_SIMD", "--no-enable-sse4-1"),
      }),
    );
    await row(runtime, "no FinalizationRegistry, no Symbol.dispose", () => home.result(path, ["ABSENT.mjs"]));
  }

  home.write(
    "millionInNode.mjs",
    `import { once } from "node:events";
    import { run } from "./million.mjs";
    console.log("warm", run(20000, false));
    const [command] = await once(process.stdin, "data");
    console.log("done", run(1e6, String(command) === "leak"));`,
  );
  for (const [runtime, node] of runtimes.slice(0, 2)) {
    await row(runtime, "10⁶ calls within 64 MiB", () =>
      check({
        "10⁶ calls": () => millionInNode(home, node, false),
        "which a leak exceeds": () => fails(millionInNode(home, node, true)),
      }),
    );
  }
  const modules = await bundle(
    home,
    `import { run } from "./million.mjs";
    export default {
      fetch({ url }) {
        const command = new URL(url).pathname;
        return new Response(" " + run(command === "/warm" ? 20000 : 1e6, command === "/leak"));
      },
    };`,
    "million",
  );
  await row((await home.exec(WORKERD, ["--version"])).trim(), "10⁶ calls within 64 MiB", () =>
    check({
      "10⁶ calls": () => millionInWorkerd(home, modules, false),
      "which a leak exceeds": () => fails(millionInWorkerd(home, modules, true)),
    }),
  );
}
