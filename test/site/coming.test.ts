/** Every row of the page's tables of names: what the other library returned for its expression, surprisal returns for its own. */
import { describe, expect, it } from "vitest";
import page from "../../site/src/read/coming.json" with { type: "json" };
import * as surprisal from "../../src/index.ts";
import known from "../fixtures/coming.json" with { type: "json" };

/** tfjs computes in f32; Sinkhorn's plan is as exact as the two stop. */
const toleranceOf = (library: string, ours: string): number =>
  library === "tfjs" ? 2e-6 : ours.startsWith("sinkhorn") ? 1e-9 : 1e-12;

const flat = (value: unknown): number[] =>
  typeof value === "number" ? [value] : Array.from(value as ArrayLike<number>);

describe.each(Object.entries(page.libraries))("%s", (library, rows) => {
  const values: Readonly<Record<string, readonly number[]>> = known.rows[library as keyof typeof known.rows];

  it.each(rows as [string, string][])("%s is %s", (theirs, ours) => {
    const names = { ...surprisal, ...page.inputs };
    const got = flat(new Function(...Object.keys(names), `return ${ours};`)(...Object.values(names)));
    const expected = values[theirs] as readonly number[];
    expect(got).toHaveLength(expected.length);
    for (const [i, value] of expected.entries()) {
      expect(Math.abs((got[i] as number) - value), `element ${i}: ${got[i]} and ${value}`).toBeLessThanOrEqual(
        toleranceOf(library, ours) * Math.max(1, Math.abs(value)),
      );
    }
  });

  it("has a value for every row and no other", () => {
    expect(Object.keys(values).sort()).toEqual(rows.map(([theirs]) => theirs).sort());
  });
});
