/** What examples/surprise.ts shows, with a model that ONNX Runtime runs. */
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lettersOf } from "../../examples/support/letters.ts";
import { coloured, documents, drawn, type Reading, read } from "../../examples/surprise.ts";

const reading = (letter: string, bits: number): Reading => ({ letter, bits, entropy: 1, rank: 1 });

/** The runtime comes with `npm ci --prefix runtimes`, which CI does and `npm ci` alone does not. */
const isInstalled = existsSync(new URL("../../runtimes/node_modules/onnxruntime-web", import.meta.url));

describe("a text and what a model says of it", () => {
  it.runIf(isInstalled)("has the surprisals of the model's counts", async () => {
    const text = "ab".repeat(30);
    const { alphabet, onnx } = lettersOf(text);
    expect(alphabet).toEqual(["\n", "a", "b", "�"]);
    const readings = await read(`${text}?`, { alphabet, onnx });
    expect(readings).toHaveLength(61);
    // b is 30 of 60, 30 of 30 after an a, 29 of 29 after ba
    const [p0, p1] = [(30 + 3 / 4) / 63, 30 / 33];
    const p = (29 + 3 * (p1 + (3 * p0) / 33)) / 32;
    expect(readings[3]?.letter).toBe("b");
    expect(readings[3]?.bits).toBeCloseTo(-Math.log2(p), 5);
    expect(readings[3]?.rank).toBe(1);
    // what the alphabet does not have was never seen
    expect(readings[60]).toMatchObject({ letter: "?" });
    expect(readings[60]?.bits).toBeCloseTo(-Math.log2((3 * ((3 * (3 / 4 / 63)) / 32)) / 32), 4);
    expect(readings[60]?.rank).toBeGreaterThan(2);
    for (const { entropy } of readings) expect(entropy).toBeLessThanOrEqual(2 + 1e-6);
  });

  it.runIf(isInstalled)("shows what is misspelt", async () => {
    const model = lettersOf(documents());
    const right = await read("The mean entropy of the distributions.", model);
    const wrong = await read("The maen entorpy of teh distrxbutions.", model);
    const sum = (all: readonly Reading[]): number => all.reduce((total, { bits }) => total + bits, 0);
    expect(sum(wrong)).toBeGreaterThan(sum(right) + 20);
    const [most] = [...wrong].sort((a, b) => b.bits - a.bits);
    expect(["x", "e", "h"]).toContain(most?.letter);
    expect(sum(right) / right.length).toBeLessThan(Math.log2(model.alphabet.length) / 2);
  });

  it("is coloured from calm to red, each line on its own", () => {
    const shown = coloured([
      reading("a", 0),
      reading("b", 0.1),
      reading("c", 40),
      reading("\n", 3),
      reading("d", 11.9),
    ]);
    expect(shown).toBe("\x1b[97;48;5;234mab\x1b[97;48;5;196mc\x1b[0m\n\x1b[97;48;5;196md\x1b[0m");
    expect(coloured([])).toBe("");
    expect(coloured([reading("\n", 1)])).toBe("\n");
  });

  it("is drawn where there are no colours", () => {
    expect(drawn([reading("a", 0), reading("b", 6), reading("\n", 1), reading("c", 99)])).toBe(" ▄\nab\n█\nc");
  });
});
