/**
 * `npx tsx examples/surprise.ts ["a text"]`: what a language model did not see coming. Each letter of a text is coloured by its
 * surprisal, −log₂ p, which tokenScores takes from the logits of a model in ONNX Runtime.
 *
 * The model is made here, of the documents of this repository: it says what follows two letters, so what is spelt as nowhere in them
 * shows. ONNX Runtime comes with `npm ci --prefix runtimes`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { tokenScores } from "surprisal";
import { contextsOf, type Letters, lettersOf } from "./support/letters.ts";
import { dim, heading } from "./support/show.ts";

/** What is used of ONNX Runtime; its tensors are taken as they are. */
interface Runtime {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(model: Uint8Array, options: { logSeverityLevel: number }): Promise<Session>;
  };
}
interface Session {
  run(feeds: {
    letters: unknown;
  }): Promise<{ logits: { readonly data: Float32Array; readonly dims: readonly number[] } }>;
}

/** A letter of a text, in bits how surprising it is and how unsure the model was, and its rank among all letters: 1 was expected. */
export interface Reading {
  readonly letter: string;
  readonly bits: number;
  readonly entropy: number;
  readonly rank: number;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TEXT =
  "The entropy of a distribution is its mean surprisal.\nThe entorpy of a distribution is its maen suprrisal.";

/** The documents of this repository. */
export function documents(): string {
  const of = (folder: string): string[] =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith(".md"))
      .sort()
      .map((name) => readFileSync(join(ROOT, folder, name), "utf8"));
  return [...of("."), ...of("docs"), ...of("docs/design")].join("\n");
}

/** Reads a text with a model: one row of logits a letter. */
export async function read(text: string, { alphabet, onnx }: Letters): Promise<Reading[]> {
  const { env, Tensor, InferenceSession } = createRequire(join(ROOT, "runtimes/package.json"))(
    "onnxruntime-web",
  ) as Runtime;
  env.wasm.numThreads = 1;
  const session = await InferenceSession.create(onnx, { logSeverityLevel: 3 });
  const { pairs, tokens } = contextsOf(text, alphabet);
  const { logits } = await session.run({ letters: new Tensor("float32", pairs, [tokens.length, 2]) });
  const { logProb, entropy, rank } = tokenScores(logits, tokens);
  return Array.from(text, (letter, i) => ({
    letter,
    bits: -(logProb[i] as number) / Math.LN2,
    entropy: (entropy[i] as number) / Math.LN2,
    rank: rank[i] as number,
  }));
}

/** From expected to a surprise of 12 bits, one letter in 4,096: backgrounds from that of a terminal to red. */
const MOST = 12;
const SHADES = [234, 236, 58, 94, 130, 166, 160, 196];

/** A text on a background that tells how surprising its letters are, in the 256 colours of a terminal. */
export function coloured(readings: readonly Reading[]): string {
  let [shown, last] = ["", -1];
  for (const { letter, bits } of readings) {
    const shade = SHADES[Math.min(SHADES.length - 1, Math.floor((bits / MOST) * SHADES.length))] as number;
    // a line's end has no background
    if (letter === "\n") shown += last < 0 ? "\n" : "\x1b[0m\n";
    else shown += (shade === last ? "" : `\x1b[97;48;5;${shade}m`) + letter;
    last = letter === "\n" ? -1 : shade;
  }
  return last < 0 ? shown : `${shown}\x1b[0m`;
}

const RISING = " ▁▂▃▄▅▆▇█";

/** The same without colours: a column over each letter. */
export function drawn(readings: readonly Reading[]): string {
  const lines: [string, string][] = [["", ""]];
  for (const { letter, bits } of readings) {
    const line = lines.at(-1) as [string, string];
    if (letter === "\n") {
      lines.push(["", ""]);
      continue;
    }
    line[0] += RISING[Math.min(8, Math.round((8 * bits) / MOST))];
    line[1] += letter;
  }
  return lines.map(([columns, letters]) => `${columns.trimEnd()}\n${letters}`).join("\n");
}

async function main(text = TEXT): Promise<void> {
  const source = documents();
  const letters = lettersOf(source);
  const readings = await read(text, letters);
  console.log(
    heading(`${letters.alphabet.length} letters, as ${source.length} of them follow one another in the documents`),
  );
  console.log(`\n${process.stdout.isTTY || process.env["FORCE_COLOR"] ? coloured(readings) : drawn(readings)}\n`);
  const mean = readings.reduce((sum, { bits }) => sum + bits, 0) / readings.length;
  const expected = readings.reduce((sum, { entropy }) => sum + entropy, 0) / readings.length;
  console.log(`${mean.toFixed(2)} bits a letter, where the model expected ${expected.toFixed(2)}`);
  const worst = [...readings.keys()].sort((a, b) => (readings[b] as Reading).bits - (readings[a] as Reading).bits);
  for (const i of worst.slice(0, 5)) {
    const { letter, bits, rank } = readings[i] as Reading;
    const before = readings
      .slice(Math.max(0, i - 8), i)
      .map((one) => one.letter)
      .join("");
    console.log(
      dim(`  ${JSON.stringify(before + letter)}  ${bits.toFixed(1)} bits; ${rank - 1} letters were likelier`),
    );
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main(process.argv[2]);
