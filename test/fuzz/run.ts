/**
 * Random calls of every export, valid, borderline and hostile, against plain functions and what every call owes its caller.
 *
 *     npm run fuzz -- [--calls n] [--seed s] [--variant base|relaxed] [--function name] [--start n] [--patience seconds]
 *
 * What is checked stands in rules.ts and judge.ts. Prints the seed, which with the number of a call makes that call again, and
 * of every kind of finding the first; fails if there is any.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { api, EXPORTS, METERS } from "../support/exports.ts";
import { PLAIN } from "../support/plain.ts";
import { BATCH, make, meterOf } from "./make.ts";
import { METER_NAMES } from "./meters.ts";
import type { Finding } from "./rules.ts";
import type { Share } from "./share.ts";

const { values: given } = parseArgs({
  options: {
    calls: { type: "string", default: "20000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    variant: { type: "string", default: "base" },
    function: { type: "string" },
    start: { type: "string", default: "0" },
    patience: { type: "string", default: "20" },
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

/** Why a run would mean nothing. */
function faults(): string[] {
  const exported = Object.keys(api);
  const numbers = [calls, seed, start, patience].every((n) => n >= 0);
  return [
    ...(numbers ? [] : ["--calls, --seed, --start and --patience are numbers"]),
    ...(["base", "relaxed"].includes(variant) ? [] : ["--variant is base or relaxed"]),
    ...(only === undefined || only in EXPORTS || METERS.includes(only) ? [] : [`there is no function ${only}`]),
    ...exported
      .filter((name) => !(name in EXPORTS))
      .map((name) => `${name} is exported, but missing in test/support/exports.ts`),
    // meterFrom is a step of each
    ...METERS.filter((name) => name !== "meterFrom" && !(METER_NAMES as readonly string[]).includes(name)).map(
      (name) => `${name} is missing in test/fuzz/meters.ts`,
    ),
    ...exported.filter((name) => !(name in PLAIN)).map((name) => `${name} has no function in test/support/plain.ts`),
    ...Object.keys(EXPORTS)
      .filter((name) => !(name in api))
      .map((name) => `${name} is in test/support/exports.ts, but not exported`),
  ];
}

/** Where a thread stopped: after its last call, or at one that it did not survive. */
interface End {
  readonly at: number;
  readonly how: string;
}

/** The thread's program in one file: a long run starts hundreds of threads, and this takes 30 ms where the sources take 500. */
const folder = mkdtempSync(join(tmpdir(), "surprisal-fuzz-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
const program = join(folder, "worker.mjs");

/** Makes calls [from, to) in a thread of its own, with kernels of its own. */
function work(from: number, to: number, found: (finding: Finding) => void, tick?: (at: number) => void): Promise<End> {
  const progress = new SharedArrayBuffer(4);
  const at = new Int32Array(progress).fill(from - 1);
  const share: Share = { seed, from, to, variant, only, progress };
  const worker = new Worker(program, { workerData: share });
  return new Promise((resolve) => {
    let [last, since] = [-1, performance.now()];
    const watch = setInterval(() => {
      const now = Atomics.load(at, 0);
      tick?.(now);
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

const again = (from: number, count: number): string =>
  `npm run fuzz -- --seed ${seed} --start ${from} --calls ${count} --variant ${variant}${only ? ` --function ${only}` : ""}`;

/** The kinds of findings, each with its first and how many there were. */
const kinds = new Map<string, { readonly first: Finding; count: number }>();

/** Counts a finding, and prints it if it is the first of a function, a rule, and the same words but for numbers. */
function add(finding: Finding): void {
  const { fn, call, rule, how, words } = finding;
  const key = `${fn}: ${rule}: ${how.replace(/-?\d[\d.e+-]*|NaN|Infinity/g, "#").slice(0, 160)}`;
  const kind = kinds.get(key);
  if (kind) kind.count++;
  else {
    kinds.set(key, { first: finding, count: 1 });
    console.log(`${process.stdout.isTTY ? "\r\x1b[K" : ""}${fn}, ${rule}: ${how}\n  ${words}\n  ${again(call, 1)}\n`);
  }
}

/** Kinds of which it is tried, in half a second each, whether the call alone shows them. */
const TRIED = 20;

/** Says of which findings the call alone is not enough, since it needs what was called before it on the same kernels. */
async function explain(): Promise<void> {
  for (const { first } of [...kinds.values()].slice(0, TRIED)) {
    if (first.rule === "ends") continue;
    let seen = false;
    await work(first.call, first.call + 1, () => {
      seen = true;
    });
    const batch = Math.max(start, Math.floor(first.call / BATCH) * BATCH);
    if (!seen)
      console.log(`${first.fn}, ${first.rule} of call ${first.call} needs ${again(batch, first.call - batch + 1)}`);
  }
}

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
console.log(`seed ${seed}, ${calls} calls of ${only ?? "every export"}, ${variant} kernels\n`);
const began = performance.now();
const rateAt = (at: number): number => Math.round(((at - start) / (performance.now() - began)) * 1000);
const tick = (at: number): void => {
  if (process.stdout.isTTY)
    process.stdout.write(`\r${at - start} of ${calls}, ${rateAt(at)} a second, ${kinds.size} kinds of findings `);
};
for (let from = start; from < start + calls; ) {
  const to = Math.min(start + calls, (Math.floor(from / BATCH) + 1) * BATCH);
  const { at, how } = await work(from, to, add, tick);
  if (at < from) throw new Error(`no call was made: ${how}`);
  if (how) {
    const meter = meterOf(seed, at, METER_NAMES, only);
    const draft = meter ? undefined : make(seed, at, only);
    add({ fn: meter ?? (draft?.name as string), call: at, rule: "ends", how, words: String(draft ?? meter) });
  }
  from = at + 1;
}
const rate = rateAt(start + calls);
if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
await explain();
for (const [key, { count }] of [...kinds].sort()) console.log(`${count.toString().padStart(6)} × ${key}`);
console.log(`${calls} calls, ${rate} a second, ${kinds.size} kinds of findings`);
process.exitCode = kinds.size ? 1 : 0;
