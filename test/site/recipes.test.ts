/** Each recipe of the page runs, and what it says of a value is so. */
import { describe, expect, it } from "vitest";
import { RECIPES } from "../../site/src/read/recipes.ts";
import * as surprisal from "../../src/index.ts";

describe.each(RECIPES)("$symptom", ({ code }) => {
  it("gives what it says", () => {
    const seen: [line: string, value: number, said: string][] = [];
    const checked = code.replace(
      /^(.*);\s*\/\/ → (.*)$/gm,
      (_, expression: string, said: string) =>
        `see(${JSON.stringify(expression)}, ${expression}, ${JSON.stringify(said)});`,
    );
    const names = { ...surprisal, see: (...of: (typeof seen)[number]) => seen.push(of) };
    new Function(...Object.keys(names), checked)(...Object.values(names));
    expect(seen.length).toBeGreaterThan(1);
    // to the digits that are written
    for (const [line, value, said] of seen) {
      const decimals = said.split(".")[1]?.length ?? 0;
      expect(Math.abs(value - Number(said)), `${line} is ${value}`).toBeLessThanOrEqual(0.5 * 10 ** -decimals);
    }
  });
});
