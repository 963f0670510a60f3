/**
 * Random calls of every export, valid, borderline and hostile, against plain functions and what every call owes its caller.
 *
 *     npm run fuzz -- [--calls n] [--seed s] [--variant base|relaxed] [--function name] [--start n] [--patience seconds]
 *
 * What is checked stands in rules.ts and judge.ts. Prints the seed, which with the number of a call makes that call again; the findings,
 * of those of one kind the first; and fails if there are any.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { api, EXPORTS } from "../support/exports.ts";
import { PLAIN } from "../support/plain.ts";
import { BATCH, make } from "./make.ts";
import type { Finding } from "./rules.ts";
import type { Share } from "./share.ts";

const { values: given } = parseArgs({
  options: {
    calls: { type: "string", default: "20000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    variant: { type: "string", default: "base" },
    function: { type: "string" },
    start: { type: "string", default: "0" },
    patience: { type: "string", default: "30" },
  },
});
const [calls, seed, start, patience] = [given.calls, given.seed, given.start, given.patience].map(Number) as [
  number,
  number,
  number,
  number,
];
const only = given.function;
const variant = given.variant as Share["variant"];

/** What is missing for the run to mean anything. */
function faults(): string[] {
  const exported = Object.keys(api);
  return [
    ...[calls, seed, start, patience]
      .filter((n) => !(n >= 0))
      .map(() => "--calls, --seed, --start and --patience are numbers"),
    ...(["base", "relaxed"].includes(variant) ? [] : ["--variant is base or relaxed"]),
    ...(only === undefined || only in EXPORTS ? [] : [`there is no function ${only}`]),
    ...exported
      .filter((name) => !(name in EXPORTS))
      .map((name) => `${name} is exported, but missing in test/support/exports.ts`),
    ...exported
      .filter((name) => !(name in PLAIN))
      .map((name) => `${name} has no plain function in test/support/plain.ts`),
    ...Object.keys(EXPORTS)
      .filter((name) => !(name in api))
      .map((name) => `${name} is in the table, but not exported`),
  ];
}

/** How a share ended: at its end, or at a call that did not. */
interface End {
  readonly at: number;
  readonly how: string;
}

/** The thread's program in one file: a hundred threads are started in a long run, and the file takes 30 ms where its sources take 500. */
const folder = mkdtempSync(join(tmpdir(), "surprisal-fuzz-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
const program = join(folder, "worker.mjs");

/** Makes the calls in a thread of its own, with kernels of its own. */
function work(from: number, to: number, found: (finding: Finding) => void, tick: (at: number) => void): Promise<End> {
  const progress = new SharedArrayBuffer(4);
  const at = new Int32Array(progress);
  at[0] = from - 1;
  const share: Share = { seed, from, to, variant, only, progress };
  const worker = new Worker(program, { workerData: share });
  return new Promise((resolve) => {
    let [last, since] = [-1, performance.now()];
    const watch = setInterval(() => {
      const now = Atomics.load(at, 0);
      tick(now);
      if (now !== last) [last, since] = [now, performance.now()];
      else if (performance.now() - since > patience * 1000) end(`it did not end within ${patience} s`);
    }, 250);
    const end = (how: string): void => {
      clearInterval(watch);
      void worker.terminate();
      resolve({ at: Atomics.load(at, 0), how });
    };
    worker.on("message", found);
    worker.on("error", (error) =>
      end(`the thread died of ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    );
    worker.on("exit", () => end(""));
  });
}

/** Findings of one kind: a function, a rule, and the same words but for numbers. */
const kindOf = ({ fn, rule, how }: Finding): string =>
  `${fn}: ${rule}: ${how.replace(/-?\d[\d.e+-]*|NaN|Infinity/g, "#").slice(0, 160)}`;

const wrong = faults();
if (wrong.length) {
  console.error(wrong.join("\n"));
  process.exit(2);
}
await build({
  entryPoints: [fileURLToPath(new URL("./worker.ts", import.meta.url))],
  outfile: program,
  bundle: true,
  platform: "node",
  format: "esm",
  sourcemap: "inline",
});
console.log(`seed ${seed}, ${calls} calls of ${only ?? "every export"}, ${variant} kernels`);
const kinds = new Map<string, { first: Finding; count: number }>();
const add = (finding: Finding): void => {
  const kind = kinds.get(kindOf(finding));
  if (kind) kind.count++;
  else kinds.set(kindOf(finding), { first: finding, count: 1 });
};
const began = performance.now();
const tick = (at: number): void => {
  if (!process.stdout.isTTY) return;
  const rate = Math.round(((at - start) / (performance.now() - began)) * 1000);
  process.stdout.write(`\r${at - start} of ${calls}, ${rate} a second, ${kinds.size} kinds of findings `);
};
for (let from = start; from < start + calls; ) {
  const to = Math.min(start + calls, (Math.floor(from / BATCH) + 1) * BATCH);
  const { at, how } = await work(from, to, add, tick);
  if (at < from) throw new Error(`no call was made: ${how}`);
  if (how) add({ fn: make(seed, at, only).name, call: at, rule: "ends", how, words: make(seed, at, only).toString() });
  from = at + 1;
}
const seconds = (performance.now() - began) / 1000;
if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");

const again = (from: number, count: number): string =>
  `npm run fuzz -- --seed ${seed} --start ${from} --calls ${count} --variant ${variant}${only ? ` --function ${only}` : ""}`;

/** How to see a finding again: by its call alone, unless that needs what was called before it on the same kernels. */
async function recipe({ call, rule }: Finding): Promise<string> {
  if (rule === "ends") return again(call, 1);
  let seen = false;
  await work(
    call,
    call + 1,
    () => {
      seen = true;
    },
    () => {},
  );
  const first = Math.max(start, Math.floor(call / BATCH) * BATCH);
  return seen ? again(call, 1) : again(first, call - first + 1);
}

/** Kinds whose recipe is tried, half a second each. */
const TRIED = 20;
const sorted = [...kinds.values()].sort((a, b) => (a.first.fn < b.first.fn ? -1 : 1));
for (const [i, { first, count }] of sorted.entries()) {
  const line = i < TRIED ? await recipe(first) : again(first.call, 1);
  console.log(
    `\n${first.fn}, ${first.rule}${count > 1 ? ` (${count} times)` : ""}: ${first.how}\n  ${first.words}\n  ${line}`,
  );
}
console.log(
  `\n${calls} calls in ${seconds.toFixed(1)} s, ${Math.round(calls / seconds)} a second; ${kinds.size} kinds of findings`,
);
process.exitCode = kinds.size ? 1 : 0;
