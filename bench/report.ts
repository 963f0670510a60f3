import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { CaseResult, Spread } from "./harness.ts";
import { nodeMajor, options } from "./options.ts";

/** What the name of a contestant ends with that is another commit's. */
export const BEFORE = " before";

/** Contestants down, shapes across: the median and how many times the baseline's it is; last the largest error. */
export function table(cases: readonly CaseResult[], baseline: readonly string[]): string {
  const names = new Set(cases.flatMap(({ figures }) => Object.keys(figures)));
  const ours = baseline.find((name) => names.has(name)) ?? "";
  const worst = (name: string) => Math.max(...cases.map(({ figures }) => figures[name]?.error ?? 0));
  const rows = [...names].map((name) => [
    name,
    ...cases.map(({ figures }) => {
      const time = figures[name]?.median;
      const base = figures[ours]?.median;
      if (time === undefined) return "";
      return base === undefined ? digits(time) : `${digits(time)} ${digits(time / base, 2).padStart(5)}×`;
    }),
    worst(name).toExponential(0),
  ]);
  return columns([["", ...cases.map(({ shape }) => shape), "error"], ...rows]);
}

/** Contestants down, shapes across: how many million of what `count` counts in a shape are done a second. */
export function rates(cases: readonly CaseResult[], count: (...shape: number[]) => number): string {
  const names = new Set(cases.flatMap(({ figures }) => Object.keys(figures)));
  const rows = [...names].map((name) => [
    name,
    ...cases.map(({ shape, figures }) => {
      const time = figures[name]?.median;
      return time === undefined ? "" : digits(count(...shape.split("x").map(Number)) / time);
    }),
  ]);
  return columns([["", ...cases.map(({ shape }) => shape)], ...rows]);
}

/** Contestants down, what was timed across: how many times as long a call takes as in the commit compared with, and the spread of that over the rounds. */
export function ratios(timed: Record<string, Record<string, Spread>>): string {
  const names = new Set(Object.values(timed).flatMap((of) => Object.keys(of)));
  const cell = (ratio: Spread | undefined) =>
    ratio ? `${ratio.median.toFixed(3)} (${ratio.low.toFixed(3)}–${ratio.high.toFixed(3)})` : "";
  const rows = [...names].map((name) => [name, ...Object.values(timed).map((of) => cell(of[name]))]);
  const slower = Object.entries(timed).flatMap(([where, of]) =>
    Object.entries(of).flatMap(([name, { median, low }]) =>
      median > WORSE
        ? [`${name} at ${where} takes ${median.toFixed(3)} times as long${low < 1 ? ", or chance" : ""}`]
        : [],
    ),
  );
  return [columns([[`times that of ${options.compare}`, ...Object.keys(timed)], ...rows]), ...slower].join("\n");
}

/** From how many times as long on a figure is named as worse. */
const WORSE = 1.05;

interface Kept {
  node: string;
  cpu: string;
  cases: readonly Pick<CaseResult, "op" | "dtype" | "shape" | "figures">[];
}

/** Which of our figures are worse than those kept of the last complete run, a line each; on another machine they tell nothing. */
export function worse(family: string, cases: readonly CaseResult[]): string {
  const file = new URL(`results/${family}-${nodeMajor}.json`, import.meta.url);
  if (!existsSync(file)) return `nothing is kept of ${family} to compare with`;
  const kept = JSON.parse(readFileSync(file, "utf8")) as Kept;
  const cpu = cpus()[0]?.model;
  if (kept.cpu !== cpu) return `the figures kept of ${family} are of another machine, ${kept.cpu}; this is ${cpu}`;
  let compared = 0;
  const lines = cases.flatMap(({ op, dtype, shape, figures }) => {
    const before = kept.cases.find((c) => c.op === op && c.dtype === dtype && c.shape === shape)?.figures ?? {};
    return Object.entries(figures).flatMap(([name, { median }]) => {
      const then = before[name]?.median;
      if (then === undefined || !/^(base|relaxed)/.test(name)) return [];
      compared++;
      if (median <= WORSE * then) return [];
      const times = (median / then).toFixed(2);
      return [`${name} at ${op} ${dtype} ${shape}: ${digits(median)} µs, ${times} times the ${digits(then)} kept`];
    });
  });
  return [`${lines.length} of ${compared} figures are more than 5 % worse than those kept of ${family}`, ...lines].join(
    "\n",
  );
}

/** The first column to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const pad = (cell: string, i: number) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0));
  return rows.map((row) => row.map(pad).join("  ")).join("\n");
}

/** `count` significant digits, never an exponent. */
export const digits = (value: number, count = 3): string =>
  value >= 10 ** (count - 1) ? value.toFixed(0) : value.toPrecision(count);

/** Keeps the results of a complete run, with what they were measured on. */
export function save(family: string, results: object): void {
  const file = fileURLToPath(new URL(`results/${family}-${nodeMajor}.json`, import.meta.url));
  const { node, v8 } = process.versions;
  const report = { family, date: new Date().toISOString(), node, v8, cpu: cpus()[0]?.model, ...results };
  const rounded = (_key: string, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(4)) : value);
  const json = JSON.stringify(report, rounded, 2).replace(/\{[^{}]*\}/g, (leaf) => leaf.replace(/\s+/g, " "));
  mkdirSync(new URL("results/", import.meta.url), { recursive: true });
  writeFileSync(file, `${json}\n`);
  console.log(`\nkept in ${relative("", file)}`);
}
