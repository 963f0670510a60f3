/** A language model of letters, as a model of ONNX. */
import { model } from "../../bench/peers/onnx.ts";

/** A model, and the letters that its tokens are of, by number; the last stands for all others. */
export interface Letters {
  readonly alphabet: readonly string[];
  /** `letters`, [n, 2], the two before each, to `logits`, [n, V]. */
  readonly onnx: Uint8Array;
}

/** Before the first letter the line ends. */
const START = "\n";
const OTHER = "\ufffd";
/** Letters rarer than this are others: the table grows with the cube of the alphabet. */
const RARE = 20;
/** How much of p(z | y) there is in p(z | xy), in times that xy was seen. */
const TRUST = 3;

export function tokensOf(text: string, alphabet: readonly string[]): number[] {
  const places = new Map(alphabet.map((letter, i) => [letter, i]));
  return Array.from(text, (letter) => places.get(letter) ?? alphabet.length - 1);
}

/** The two letters before each of a text, and the text, in tokens. */
export function contextsOf(text: string, alphabet: readonly string[]): { pairs: Float32Array; tokens: number[] } {
  const tokens = tokensOf(START + START + text, alphabet);
  const pairs = Float32Array.from({ length: 2 * (tokens.length - 2) }, (_, i) => tokens[(i >> 1) + (i & 1)] as number);
  return { pairs, tokens: tokens.slice(2) };
}

/**
 * Counts what follows two letters. Where xy was seen n times, c of them before z,
 *
 *     p(z | xy) = (c + TRUST·p(z | y))/(n + TRUST),   p(z | y) likewise from p(z), and p(z) from 1/V
 *
 * (MacKay & Peto, 1995). The graph is logits = table[x·V + y], with table = log p.
 */
export function lettersOf(text: string): Letters {
  const seen = new Map<string, number>([[START, RARE]]);
  for (const letter of text) seen.set(letter, (seen.get(letter) ?? 0) + 1);
  const alphabet = [...seen.keys()].filter((letter) => (seen.get(letter) as number) >= RARE).sort();
  alphabet.push(OTHER);
  const V = alphabet.length;
  const tokens = tokensOf(START + START + text, alphabet);
  let table = new Float32Array(V).fill(1 / V);
  for (const before of [0, 1, 2]) {
    const counts = new Float32Array(V ** (before + 1));
    const totals = new Float32Array(V ** before);
    for (let i = 2; i < tokens.length; i++) {
      let context = 0;
      for (let j = i - before; j < i; j++) context = context * V + (tokens[j] as number);
      const place = context * V + (tokens[i] as number);
      counts[place] = (counts[place] as number) + 1;
      totals[context] = (totals[context] as number) + 1;
    }
    const shorter = table;
    table = counts.map((count, i) => {
      const p = shorter[i % shorter.length] as number;
      return (count + TRUST * p) / ((totals[Math.floor(i / V)] as number) + TRUST);
    });
  }
  const onnx = model(
    [
      { op: "MatMul", inputs: ["letters", "places"], outputs: ["place"] },
      { op: "Cast", inputs: ["place"], outputs: ["context"], attributes: { to: 7 } },
      { op: "Gather", inputs: ["table", "context"], outputs: ["logits"] },
    ],
    // any number of rows
    { letters: { data: new Float32Array(), dims: [-1, 2] } },
    "logits",
    {
      places: { data: Float32Array.of(V, 1), dims: [2] },
      table: { data: table.map(Math.log), dims: [V * V, V] },
    },
  );
  return { alphabet, onnx };
}
