/** The distribution behind logits: `deno run deno.ts 2 1 0.1`, after `deno add npm:surprisal`. */
import { entropy, softmax } from "surprisal";

const probabilities = softmax(Deno.args.map(Number));

for (const p of probabilities) console.log("█".repeat(Math.round(40 * p)).padEnd(40), p.toFixed(4));
console.log(`${entropy(probabilities, { base: 2 }).toFixed(4)} bits`);
