import type { Call, Contestants } from "./harness.ts";
import { nodeMajor, options, RELAXED_SINCE } from "./options.ts";
import { BEFORE } from "./report.ts";

export type Surprisal = typeof import("../src/index.ts");

type Variant = "base" | "relaxed";

/** A copy of the package for each variant: a query makes its own module of it, which keeps its own kernels. */
async function load(dist: string, variant: Variant): Promise<Surprisal> {
  const copy: Surprisal = await import(`${dist}?${variant}`);
  await copy.init({ variant });
  if (copy.info().variant !== variant) throw new Error(`the copy meant for ${variant} runs ${copy.info().variant}`);
  return copy;
}
const variants: readonly Variant[] = nodeMajor >= RELAXED_SINCE ? ["base", "relaxed"] : ["base"];
const copies: { variant: Variant; copy: Surprisal; suffix: string }[] = [];
for (const variant of variants) {
  copies.push({ variant, copy: await load(options.dist, variant), suffix: "" });
  if (options.against) copies.push({ variant, copy: await load(options.against, variant), suffix: BEFORE });
}

/**
 * The package as a contestant, in each variant and in each way of calling it: `relaxed`, `relaxed out` …; beside it that of the
 * commit to compare with, `relaxed out before`.
 */
export function ours(ways: (copy: Surprisal) => Record<string, () => Call>): Contestants {
  const named = copies.flatMap(({ variant, copy, suffix }) =>
    Object.entries(ways(copy)).map(([way, start]) => [`${variant} ${way}`.trimEnd() + suffix, start] as const),
  );
  return Object.fromEntries(named);
}

/** For a family's `baseline`: the package called like any function, which allocates its result. */
export const baseline = ["relaxed", "base"];
