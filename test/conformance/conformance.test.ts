/** The suite of every runtime on the sources, its digest beside the pinned one, and that it can fail. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { version } from "../../package.json";
import * as surprisal from "../../src/index.ts";
import { close } from "./compare.js";
import { changed, type Digests, difference, pinned } from "./digest.ts";
import { conform } from "./index.js";

const api = surprisal as unknown as Parameters<typeof conform>[0];

describe("the sources", () => {
  let result: Awaited<ReturnType<typeof conform>>;
  beforeAll(async () => {
    result = await conform(api, { version });
  }, 300_000);

  it("conform", () => {
    expect(result.failed).toEqual([]);
    expect(result.passed).toBeGreaterThan(600);
  });

  it("give the bits that are pinned", () => {
    expect(difference(result)).toBe("");
    expect(changed(result)).toEqual([]);
  });
});

it("the changelog names the pinned digest", () => {
  const changelog = readFileSync(new URL("../../CHANGELOG.md", import.meta.url), "utf8");
  expect(changelog, "a line that says what changed the bits, and why").toContain(pinned.digest);
});

it("a difference names the functions, and the command that pins it", () => {
  const { gram: _, ...digests } = pinned.digests;
  const other: Digests = { digest: "0", digests: { ...digests, emd: "0", fresh: "0" } };
  expect(difference(other)).toMatch(
    / is 0, not \w{16}: other bits from emd, fresh, gram\. .*npm run digest -- --write/,
  );
});

describe("what is close", () => {
  const of = (got: readonly number[], want: readonly number[], sizes?: readonly number[]) => () =>
    close(got, want, 4e-6, "x", sizes);
  it.each([
    ["each element by itself, however large others are", of([1, 1.00001e-9], [1, 1e-9])],
    ["a NaN", of([Number.NaN], [1])],
    ["a number instead of a NaN", of([1], [Number.NaN])],
    ["a number instead of ∞", of([1e300], [Infinity])],
    ["∞ of the other sign", of([-Infinity], [Infinity])],
    ["a length", of([1], [1, 2])],
    ["the length of the sizes", of([1], [1], [])],
  ])("misses %s", (_, call) => {
    expect(call).toThrow(/^x: /);
  });
  it.each([
    ["equal infinities and NaN", of([Infinity, Number.NaN, 0], [Infinity, Number.NaN, 0])],
    ["what is as near as that", of([1.000001, 1.000001e-9], [1, 1e-9])],
    ["what is near beside its size", of([1.5e-6], [0], [1])],
  ])("takes %s", (_, call) => {
    expect(call).not.toThrow();
  });
});
