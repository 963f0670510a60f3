import type { Call, Contestants } from "./harness.ts";
import { nodeMajor, options, RELAXED_SINCE } from "./options.ts";

export type Surprisal = typeof import("../src/index.ts");

/** A copy of the package for each variant: a query makes its own module of it, which keeps its own kernels. */
async function load(variant: "base" | "relaxed"): Promise<[string, Surprisal]> {
  const copy: Surprisal = await import(`${options.dist}?${variant}`);
  await copy.init({ variant });
  if (copy.info().variant !== variant) throw new Error(`the copy meant for ${variant} runs ${copy.info().variant}`);
  return [variant, copy];
}
const copies = [await load("base"), ...(nodeMajor >= RELAXED_SINCE ? [await load("relaxed")] : [])];

/** The package as a contestant, in each variant and in each way of calling it: `relaxed`, `relaxed out` … */
export function ours(ways: (copy: Surprisal) => Record<string, () => Call>): Contestants {
  const named = copies.flatMap(([variant, copy]) =>
    Object.entries(ways(copy)).map(([way, start]) => [`${variant} ${way}`.trimEnd(), start] as const),
  );
  return Object.fromEntries(named);
}

/** For a family's `baseline`: the package called like any function, which allocates its result. */
export const baseline = ["relaxed", "base"];
