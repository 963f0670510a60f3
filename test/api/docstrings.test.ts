/** The examples in the docstrings of the package: each runs, and gives what stands behind it. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as surprisal from "../../src/index.ts";

const SOURCES = ["families", "memory"].flatMap((folder) => {
  const at = new URL(`../../src/${folder}/`, import.meta.url);
  return readdirSync(at)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(new URL(name, at), "utf8"));
});

interface Example {
  /** The function that it is an example of. */
  readonly name: string;
  readonly lines: readonly string[];
}

/** `@example` and what follows it, to the next tag or the end of the docstring. */
const EXAMPLES: readonly Example[] = SOURCES.flatMap((source) =>
  [...source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export (?:async )?function (\w+)/g)].flatMap(([, doc, name]) =>
    (doc as string)
      .replace(/^\s*\* ?/gm, "")
      .split(/^@/m)
      .filter((tag) => tag.startsWith("example"))
      .map((tag) => ({ name: name as string, lines: tag.slice("example".length).trim().split("\n") })),
  ),
);

/** What examples take for granted: outputs of models, and histograms. */
const GIVEN = {
  logits: new Float32Array(1000).map((_, i) => Math.sin(i)),
  teacher: new Float32Array(64000).map((_, i) => Math.sin(i)),
  student: new Float32Array(64000).map((_, i) => Math.cos(i)),
  counts: new Float32Array(256000).fill(1),
  others: new Float32Array(256000).map((_, i) => i % 7),
};

/** A number, of which "…" leaves out digits; a list of them; or fields of these. Words may follow. */
const NUMBER = String.raw`-?\d+(?:\.\d+)?…?(?:e-?\d+)?`;
const LIST = String.raw`(?:\w+Array )?\[${NUMBER}(?:, ${NUMBER})*\]`;
const FIELDS = String.raw`\{ \w+: (?:${NUMBER}|${LIST})(?:, \w+: (?:${NUMBER}|${LIST}))* \}`;
const VALUE = new RegExp(`^(?:${NUMBER}|${LIST}|${FIELDS})(?=$|[,:])`);

/** The numbers of a result, in the order in which they are written down. */
const numbersOf = (value: unknown): number[] =>
  typeof value === "number"
    ? [value]
    : Object.values(value as object).flatMap((part) => (typeof part === "number" ? [part] : numbersOf(part)));

/** Whether a number is what was written: to the digits that are there, or where none is left out to rounding. */
function agrees(actual: number, written: string): boolean {
  const stated = Number(written.replace("…", ""));
  if (!written.includes("…")) return Math.abs(actual - stated) <= 8 * 2 ** -53 * Math.abs(stated);
  const [digits, exponent = "0"] = written.split(/…e?/) as [string, string?];
  const unit = 10 ** (Number(exponent || 0) - (digits.split(".")[1] ?? "").length);
  // digits are cut, not rounded
  const more = (Math.abs(actual) - Math.abs(stated)) / unit;
  return Math.sign(actual) === Math.sign(stated) && more > -1e-6 && more < 1 + 1e-6;
}

describe("the examples of docstrings", () => {
  it("there is one of every function", () => {
    const functions = Object.entries(surprisal).filter(([, value]) => typeof value === "function");
    const without = functions.map(([name]) => name).filter((name) => !EXAMPLES.some((one) => one.name === name));
    // which has no arguments to show
    expect(without).toEqual(["info"]);
  });

  // `init` waits for what a server has
  const ready = EXAMPLES.filter(({ lines }) => !lines.some((line) => line.includes("await ")));
  for (const { name, lines } of ready)
    it(`${name}: ${lines.at(-1)}`, () => {
      const known: Record<string, unknown> = { ...surprisal, ...GIVEN };
      const shown: string[] = [];
      const body = lines.map((line) => {
        const [, code, comment] = /^(.*?);(?: \/\/ (.*))?$/.exec(line) as RegExpExecArray;
        const value = VALUE.exec(comment ?? "")?.[0];
        if (value === undefined) return `${code};`;
        shown.push(value);
        return `values.push(${code});`;
      });
      const values: unknown[] = [];
      new Function("values", ...Object.keys(known), body.join("\n"))(values, ...Object.values(known));
      values.forEach((value, i) => {
        const text = shown[i] as string;
        const array = /^\w+Array/.exec(text)?.[0];
        if (array) expect((value as object).constructor.name).toBe(array);
        const written = text.replace(/\w+Array/g, "").match(new RegExp(NUMBER, "g")) as string[];
        const actual = numbersOf(value);
        expect(actual.length, text).toBe(written.length);
        for (const [j, number] of actual.entries())
          expect(agrees(number, written[j] as string), `${text}, got ${number}`).toBe(true);
      });
    });
});
