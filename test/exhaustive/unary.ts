/**
 * Every f32 there is through every elementary function, and 1.2e7 f64, against the oracles of test/support/unary.ts.
 *
 *     tsx test/exhaustive/unary.ts [--stride n] [--jobs n] [--variant base|relaxed] [name …]
 *
 * Prints the maxima, fails above a bound, and without a stride writes them to docs/accuracy.json. The work is done by
 * child processes, because the relaxed module may need a newer Node than this one: the one in runtimes/, or
 * NODE_RELAXED.
 */
import { fork } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BOUNDS } from "../support/bounds.ts";
import { nothing, type Share, type Worst, worse } from "../support/measure.ts";
import { buildProbe, type Dtype, relaxedSupported, type Variant } from "../support/probe.ts";
import { UNARY_NAMES, type UnaryName } from "../support/unary.ts";

interface Line {
  readonly name: UnaryName;
  readonly dtype: Dtype;
  worst: Worst;
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { stride: { type: "string" }, jobs: { type: "string" }, variant: { type: "string" } },
});
const stride = Number(options.stride ?? 1);
const jobs = Number(options.jobs ?? availableParallelism());
const names = positionals.length ? UNARY_NAMES.filter((name) => positionals.includes(name)) : UNARY_NAMES;
const variants = (["base", "relaxed"] as const).filter((variant) => (options.variant ?? variant) === variant);
const PARTS = 16;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A Node that runs the module: this one if it can. */
function nodeFor(variant: Variant): string {
  if (variant === "base" || relaxedSupported) return process.execPath;
  if (process.env["NODE_RELAXED"]) return process.env["NODE_RELAXED"];
  return join(
    dirname(createRequire(import.meta.url).resolve("../../runtimes/node_modules/node24/package.json")),
    "bin/node",
  );
}

/** All functions of a variant, in shares taken by the processes in turn. */
async function run(variant: Variant): Promise<Line[]> {
  const lines = names.flatMap((name) =>
    (["f32", "f64"] as const).map((dtype): Line => ({ name, dtype, worst: nothing() })),
  );
  const queue = lines.flatMap((line) => Array.from({ length: PARTS }, (_, part) => ({ line, part })));
  const file = await buildProbe(variant);
  const work = async (): Promise<void> => {
    const child = fork(here("unary.worker.ts"), [file], {
      execPath: nodeFor(variant),
      execArgv: ["--import", "tsx"],
      serialization: "advanced", // NaN and the infinities pass
    });
    const measured = (share: Share): Promise<Worst> =>
      new Promise((resolve, reject) => {
        child.once("message", (worst) => resolve(worst as Worst));
        child.once("exit", (code) => reject(new Error(`the process that measures ${share.name} left with ${code}`)));
        child.send(share);
      });
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { line, part } = next;
      const worst = await measured({ name: line.name, dtype: line.dtype, part, parts: PARTS, stride });
      child.removeAllListeners("exit");
      line.worst = worse(line.worst, worst);
    }
    child.disconnect();
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return lines;
}

/** docs/accuracy.json: function → type → the bound, and for each variant the maximum and its witness. */
type Accuracy = Record<string, Record<string, { bound: number } & { [V in Variant]?: Worst }>>;

function record(variant: Variant, lines: readonly Line[]): void {
  const path = here("../../docs/accuracy.json");
  const accuracy = (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {}) as Accuracy;
  for (const { name, dtype, worst } of lines) {
    accuracy[name] ??= {};
    accuracy[name][dtype] ??= { bound: NaN };
    const entry = accuracy[name][dtype];
    entry.bound = BOUNDS[name][dtype];
    entry[variant] = { ...worst, error: Math.ceil(worst.error * 1e4) / 1e4 };
  }
  writeFileSync(path, `${JSON.stringify(accuracy, null, 2)}\n`);
}

for (const variant of variants) {
  const lines = await run(variant);
  for (const { name, dtype, worst } of lines) {
    const { error, at, got, want, inputs } = worst;
    const bound = BOUNDS[name][dtype];
    const verdict = error <= bound ? "" : `  ABOVE ${bound}`;
    console.log(
      `${`${name}_${dtype}`.padEnd(10)} ${variant.padEnd(7)} ${error.toFixed(4)} ULP at ${at}: got ${got}, want ${want}, of ${inputs}${verdict}`,
    );
    if (verdict) process.exitCode = 1;
  }
  if (stride === 1) record(variant, lines);
}
