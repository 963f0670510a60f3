/**
 * `npx tsx examples/tsne.ts [--every 2] [--iterations 300] [--svg file]`: 5,000 handwritten digits laid out in the plane by t-SNE, whose
 * neighbours are found by `nearest` and whose perplexity is met by `entropy`. Draws the plane, a dot a digit.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { allDigits } from "./support/digits.ts";
import { dim, heading, progress } from "./support/show.ts";
import { embed, similarities } from "./support/tsne.ts";
import { tsnePlot } from "./support/tsnePlot.ts";

const { values } = parseArgs({
  options: { every: { type: "string" }, iterations: { type: "string" }, svg: { type: "string" } },
});
const [every, iterations] = [Number(values.every ?? 2), Number(values.iterations ?? 300)];
const file = values.svg ?? join(tmpdir(), "surprisal", "tsne.svg");
const PERPLEXITY = 30;

const { count, pixels, labels } = allDigits(every);
console.log(heading(`t-SNE of ${count} digits, perplexity ${PERPLEXITY}`));
const start = performance.now();
const near = similarities(pixels, count, PERPLEXITY);
console.log(
  `${near.k} neighbours of each, and a perplexity of ${PERPLEXITY} each: ${((performance.now() - start) / 1000).toFixed(1)} s`,
);
const plane = embed(near, count, { iterations, progress: progress(iterations) });

mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, tsnePlot(plane, labels));
console.log(dim(`the plane is in ${file}`));
