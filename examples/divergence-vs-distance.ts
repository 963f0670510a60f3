/**
 * `npx tsx examples/divergence-vs-distance.ts [--svg file]`: two parallel segments, θ apart. KL jumps from 0 to ∞ and JS from 0 to
 * log 2 as soon as they part; the Wasserstein distance is |θ|. Prints a table, and draws it.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { jumpPlot } from "./support/jumpPlot.ts";
import { readingAt, THETAS } from "./support/parallelSegments.ts";
import { bar, dim, heading, table } from "./support/show.ts";

const { values } = parseArgs({ options: { svg: { type: "string" } } });
const file = values.svg ?? join(tmpdir(), "surprisal", "divergence-vs-distance.svg");

const readings = THETAS.map(readingAt);

console.log(heading("Two parallel segments, θ apart"));
const number = (value: number): string => (value === Infinity ? "∞" : value.toFixed(4));
const rows = readings
  .filter((_, i) => i % 8 === 0)
  .map(({ theta, kl, js, wasserstein }) => [
    theta.toFixed(2).replace("-", "−"),
    number(kl),
    number(js),
    number(wasserstein),
    bar(wasserstein),
  ]);
console.log(table(["θ", "KL, nats", "JS, nats", "Wasserstein", ""], rows, [4]));

mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, jumpPlot(readings));
console.log(dim(`the plot is in ${file}`));
