/** What the page's table of features says of surprisal runs; what it says of others is found by tools/features.ts, which installs them. */
import { describe, expect, it } from "vitest";
import page from "../../site/src/read/coming.json" with { type: "json" };
import features from "../../site/src/read/features.json" with { type: "json" };
import * as surprisal from "../../src/index.ts";

const [p, q] = [page.inputs.p, page.inputs.p.map((v, i) => v * (1 + 1e-7 * ([1, -0.5, 2 / 3][i] as number)))];
const names = { ...surprisal, ...page.inputs, huge: [[1000, 998]], nearP: p, nearQ: q };

describe.each(features.rows)("$name", ({ cells }) => {
  const [own] = cells;
  // packages and processes are looked at by the tool alone
  const codes = (own?.code ?? "").split("\n").filter((code) => code && !/^(simd|atOnce)/.test(code));

  it("has a cell for each library", () => expect(cells).toHaveLength(1 + features.others.length));

  it.each(codes)("%s", (code) => {
    const value: unknown = new Function(...Object.keys(names), `return ${code};`)(...Object.values(names));
    const numbers = typeof value === "number" ? [value] : Array.from(value as ArrayLike<number>);
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers.every(Number.isFinite)).toBe(true);
  });
});
