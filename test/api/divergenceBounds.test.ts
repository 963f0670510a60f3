/** Searches for rows that break what is promised of KL and JS: SEARCH=600 npx vitest … takes 600 s of them, the suite a few. */
import { afterAll, describe, expect, it } from "vitest";
import { search, type Target } from "../support/divergenceSearch.ts";
import { exactDivergence } from "../support/exactDivergence.ts";
import { divergenceCases, type From } from "../support/oracle.ts";
import { seeded } from "../support/unary.ts";
import { dtypes, forEachType, variants } from "../support/variants.ts";

const SECONDS = Number(process.env["SEARCH"] ?? 6);
const FORMS: readonly (From | readonly [From, From])[] = [
  "probabilities",
  "logits",
  "logProbabilities",
  ["probabilities", "logProbabilities"],
  ["logits", "probabilities"],
];
const targets = FORMS.flatMap((from) =>
  (["kl", "js"] as const).flatMap((kind) =>
    (from === "logits" ? [true] : [true, false]).map((normalize): Omit<Target, "dtype"> => ({ from, kind, normalize })),
  ),
);

it("the oracle agrees with mpmath", () => {
  for (const c of divergenceCases) {
    const unit = c.base ? Math.log(c.base) : 1;
    const exact = exactDivergence(c.p, c.q, {
      from: c.from,
      temperature: c.temperature ?? 1,
      normalize: c.normalize ?? true,
    });
    for (const kind of ["kl", "js"] as const) {
      const wanted = (c[kind][0] as number) * unit;
      if (exact[kind] !== wanted) expect(Math.abs(exact[kind] / wanted - 1), `${kind} ${c.name}`).toBeLessThan(1e-14);
    }
  }
});

const found: string[] = [];
afterAll(() =>
  console.log(["divergences: the worst rows found, as multiples of what is promised", ...found].join("\n")),
);

forEachType((dtype, variant) => {
  const each = (1000 * SECONDS) / targets.length / dtypes.length / variants.length;
  describe.each(targets)("$kind from $from, normalize: $normalize", (target) => {
    it("no row breaks the bound", { timeout: 60_000 + 2 * each }, () => {
      const seed = Number(process.env["SEED"] ?? 1);
      const worst = search({ ...target, dtype }, seeded(seed), performance.now() + each);
      const witness = `p = [${worst.p}], q = [${worst.q}], temperature ${worst.temperature}: ${worst.got}, exact ${worst.exact}`;
      const line = `  ${variant} ${dtype.name} ${target.kind} from ${target.from}${target.normalize ? "" : ", as it is"}`;
      found.push(`${line.padEnd(72)} ${worst.ratio.toFixed(3)}  n = ${worst.p.length}, ${worst.exact.toPrecision(3)}`);
      expect(worst.ratio, witness).toBeLessThanOrEqual(1);
    });
  });
});
