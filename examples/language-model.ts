/**
 * `npx tsx examples/language-model.ts [--rows 2048] [--steps 12] [--seconds 120]`: the head of a language model learns to predict the
 * next of 128,256 words. Its logits, a row of them for each word of a batch, would take a gigabyte; linearCrossEntropyWithGrad makes them
 * tile by tile, and its tiles and what it knows of the rows take 8 MiB.
 *
 *     x = E[word]      z = x·Wᵀ + b      loss = −log softmax(z)[next word]
 *
 * The language is made up: every word has a topic, which text seldom leaves, and within it a few words are common and most are rare (Zipf).
 * E, W and b are learnt by Adam. Ctrl-C, or the time that is up, ends it within a step.
 */
import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { info, linearCrossEntropyWithGrad } from "surprisal";
import { uniforms } from "./support/random.ts";
import { bar, dim, heading, progress, strong } from "./support/show.ts";

export interface Settings {
  /** How many words there are. */
  readonly vocabulary: number;
  /** d, the length of a word's vector. */
  readonly width: number;
  /** Words in a batch. */
  readonly rows: number;
  readonly steps: number;
  /** Adam's step. */
  readonly rate: number;
}

/** The vocabulary of Llama 3. */
export const SETTINGS: Settings = { vocabulary: 128_256, width: 16, rows: 2048, steps: 12, rate: 0.1 };

const TOPICS = 8;
/** How likely text is to go on with another topic. */
const LEAVES = 0.05;

/** A text: each word's topic is its number modulo that of topics, and its rank among those of the topic is the quotient. */
export function* text(vocabulary: number, random: () => number): Generator<number, never> {
  const ranks = Math.floor(vocabulary / TOPICS);
  let topic = 0;
  for (;;) {
    if (random() < LEAVES) topic = Math.floor(TOPICS * random());
    // the rank is r with a probability of about 1/(r + 1)
    const rank = Math.min(ranks - 1, Math.floor((ranks + 1) ** random()) - 1);
    yield rank * TOPICS + topic;
  }
}

/** What is learnt, with Adam's means of its gradients and of their squares. */
interface Learnt {
  readonly values: Float32Array;
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

const learnt = (values: Float32Array): Learnt => ({
  values,
  mean: new Float32Array(values.length),
  square: new Float32Array(values.length),
});

/** A step of Adam (Kingma & Ba 2015), the t-th. */
function adam({ values, mean, square }: Learnt, grad: Float32Array, rate: number, t: number): void {
  const [first, second] = [1 - 0.9 ** t, 1 - 0.999 ** t];
  for (let i = 0; i < values.length; i++) {
    const g = grad[i] as number;
    const m = 0.9 * (mean[i] as number) + 0.1 * g;
    const v = 0.999 * (square[i] as number) + 0.001 * g * g;
    mean[i] = m;
    square[i] = v;
    values[i] = (values[i] as number) - (rate * (m / first)) / (Math.sqrt(v / second) + 1e-10);
  }
}

/** Where a step is, and what one that is done came to. */
export interface Hooks {
  readonly signal?: AbortSignal;
  /** The part of the step's tiles that are done. */
  readonly within?: (step: number, fraction: number) => void;
}

/** Trains, and gives the loss of each step, in nats a word. Throws the signal's reason once it is aborted. */
export function* train(
  { vocabulary, width, rows, steps, rate }: Settings,
  { signal, within }: Hooks = {},
): Generator<number> {
  const random = uniforms(1);
  const small = (length: number): Float32Array => Float32Array.from({ length }, () => 0.2 * (random() - 0.5));
  const embedding = learnt(small(vocabulary * width));
  const weight = learnt(small(vocabulary * width));
  const bias = learnt(new Float32Array(vocabulary));
  const words = text(vocabulary, random);
  for (let step = 1; step <= steps; step++) {
    const batch = Int32Array.from({ length: rows + 1 }, () => words.next().value);
    const x = new Float32Array(rows * width);
    for (let i = 0; i < rows; i++) {
      const at = (batch[i] as number) * width;
      x.set(embedding.values.subarray(at, at + width), i * width);
    }
    const { value, gradX, gradWeight, gradBias } = linearCrossEntropyWithGrad(x, weight.values, batch.subarray(1), {
      shape: [rows, width],
      weightShape: [vocabulary, width],
      bias: bias.values,
      progress: ({ fraction }) => within?.(step, fraction),
      signal,
    });
    // a word's vector has part in every row that begins with it
    const gradEmbedding = new Float32Array(vocabulary * width);
    gradX.forEach((g, k) => {
      const at = (batch[Math.floor(k / width)] as number) * width + (k % width);
      gradEmbedding[at] = (gradEmbedding[at] as number) + g;
    });
    adam(embedding, gradEmbedding, rate, step);
    adam(weight, gradWeight, rate, step);
    adam(bias, gradBias, rate, step);
    yield value;
  }
}

/** Bytes as a person says them. */
export const inWords = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(bytes >= 1e7 ? 0 : 1)} MB`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rows: { type: "string" }, steps: { type: "string" }, seconds: { type: "string" } },
  });
  const number = (given: string | undefined, usual: number): number => (given === undefined ? usual : Number(given));
  const settings = {
    ...SETTINGS,
    rows: number(values.rows, SETTINGS.rows),
    steps: number(values.steps, SETTINGS.steps),
  };
  const { vocabulary, width, rows, steps } = settings;
  const start = performance.now();
  const end = start + 1000 * number(values.seconds, 120);
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort("Stopped."));

  const many = (count: number): string => Math.round(count).toLocaleString("en");
  console.log(heading(`A head of ${many(vocabulary)} words, trained on batches of ${many(rows)}`));
  console.log(
    `The logits of a batch would take ${strong(inWords(4 * rows * vocabulary))}, their gradient as much again;`,
  );
  console.log(`the weights, ${many(vocabulary)} × ${width}, take ${inWords(4 * vocabulary * width)}.\n`);
  const show = progress(steps);
  const losses: number[] = [];
  const within = (step: number, fraction: number): void => {
    const last = losses.at(-1);
    show(step - 1 + fraction, last === undefined ? "" : `loss ${last.toFixed(3)}`);
    // timers wait until the call returns: whoever wants to end it aborts here
    if (performance.now() > end) abort.abort("The time is up.");
  };
  try {
    for (const loss of train(settings, { signal: abort.signal, within })) {
      losses.push(loss);
      await setImmediate(); // for Ctrl-C
    }
  } catch (reason) {
    if (reason !== abort.signal.reason) throw reason;
    console.log(`\n${reason}`);
  }
  console.log(heading("Loss of each step, nats a word, and among how many words that is an even guess"));
  for (const [i, loss] of losses.entries()) {
    const among = Math.exp(loss);
    const [step, nats, words] = [String(i + 1), loss.toFixed(3), many(among)];
    console.log(
      `${step.padStart(3)}  ${nats.padStart(6)}  ${words.padStart(9)}  ${bar(among / vocabulary, 40).trimEnd()}`,
    );
  }
  console.log(dim(`\nWords that are all alike lose log ${many(vocabulary)} = ${Math.log(vocabulary).toFixed(3)}.`));
  console.log(`${((performance.now() - start) / 1000).toFixed(1)} s; linear memory ${inWords(info().memoryBytes)}.`);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
