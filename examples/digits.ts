/** `npm start`: class probabilities and evidence for handwritten digits, from the logits of a nearest-mean classifier. */
import { info, logSoftmax, logSumExp, softmax } from "surprisal";
import { accuracy, calibrationError, meanNLL, predictions, reliability } from "./support/calibration.ts";
import { CLASSES, type Digits, loadDigits, pictureOf } from "./support/digits.ts";
import { fitMeans, logitsOf } from "./support/nearestMean.ts";
import { bar, dim, gallery, heading, picture, strong, table } from "./support/show.ts";
import { secondsOf } from "./support/timing.ts";

const TEMPERATURES = [1, 2, 4, 8, 16, 32, 64] as const;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const { train, test } = loadDigits();
const model = fitMeans(train);
const logits = logitsOf(test, model);
const shape = [test.count, CLASSES];

console.log(heading("Handwritten digits, nearest-mean classifier"));
console.log(
  `${train.count} to learn from, ${test.count} to test on, ${CLASSES} classes; σ² = ${model.variance.toFixed(4)}`,
);

const best = showTemperatures();
for (const temperature of [1, best]) showReliability(temperature);
showEvidence(test);
showThroughput();

/** Every temperature in a line; returns the one of least surprise. */
function showTemperatures(): number {
  const results = TEMPERATURES.map((temperature) => {
    const answers = predictions(softmax(logits, { shape, temperature }), test.labels);
    const nll = meanNLL(logSoftmax(logits, { shape, temperature }), test.labels);
    return { temperature, answers, nll, ece: calibrationError(reliability(answers)) };
  });
  const least = results.reduce((a, b) => (b.nll < a.nll ? b : a));
  const rows = results.map(({ temperature, answers, nll, ece }) => {
    const cells = [
      `${temperature}`,
      percent(accuracy(answers)),
      nll.toFixed(3),
      Math.exp(nll).toFixed(2),
      percent(ece),
    ];
    return temperature === least.temperature ? cells.map(strong) : cells;
  });
  console.log(heading("softmax(logits / T)"));
  console.log(table(["T", "accuracy", "NLL, nats", "perplexity", "calibration error"], rows));
  console.log(
    dim("In green the least surprise. A temperature never changes which class is likeliest, only how sure it sounds."),
  );
  return least.temperature;
}

/** Of the answers that sound so sure, how many are right. */
function showReliability(temperature: number): void {
  const bins = reliability(predictions(softmax(logits, { shape, temperature }), test.labels));
  const rows = bins.map(({ low, high, count, confidence, accuracy }) => [
    `${100 * low}–${100 * high} %`,
    `${count}`,
    percent(confidence),
    percent(accuracy),
    bar(accuracy),
  ]);
  console.log(heading(`Reliability at T = ${temperature}`));
  console.log(table(["confidence", "digits", "on average", "right", ""], rows, [4]));
}

/** Digits in the order of their evidence, log p(x) up to a constant: in fifths, and the two ends as pictures. */
function showEvidence(digits: Digits): void {
  const evidence = logSumExp(logits, { shape });
  const answers = predictions(softmax(logits, { shape, temperature: best }), digits.labels);
  const order = [...evidence.keys()].sort((a, b) => (evidence[b] as number) - (evidence[a] as number));
  const fifths = Array.from({ length: 5 }, (_, k) => order.slice((k * order.length) / 5, ((k + 1) * order.length) / 5));
  const rows = fifths.map((fifth, k) => {
    const right = accuracy(fifth.map((i) => answers[i] as (typeof answers)[number]));
    const median = evidence[fifth[fifth.length >> 1] as number] as number;
    return [["most typical", "", "", "", "oddest"][k] as string, median.toFixed(0), percent(right), bar(right)];
  });
  console.log(heading("Evidence, logSumExp(logits): a fifth of the digits in a line"));
  console.log(table(["", "median, nats", "right", ""], rows, [0, 3]));

  const show = (indices: readonly number[]): string =>
    gallery(
      indices.map((i) => {
        const { digit, confidence, right } = answers[i] as (typeof answers)[number];
        const captions = [
          `${digits.labels[i]}, ${(evidence[i] as number).toFixed(0)} nats`,
          `${right ? "read right" : `read as ${digit}`}, ${percent(confidence)}`,
        ];
        return { captions, lines: picture(pictureOf(digits, i)) };
      }),
    );
  console.log(heading("The oddest"));
  console.log(show(order.slice(-4).reverse()));
}

function showThroughput(): void {
  const out = new Float32Array(logits.length);
  const evidence = new Float32Array(test.count);
  const calls: Record<string, () => unknown> = {
    softmax: () => softmax(logits, { shape }),
    "softmax, out": () => softmax(logits, { shape, out }),
    "logSoftmax, out": () => logSoftmax(logits, { shape, out }),
    "logSumExp, out": () => logSumExp(logits, { shape, out: evidence }),
  };
  const rows = Object.entries(calls).map(([name, call]) => {
    const seconds = secondsOf(call);
    const millions = (count: number): string => (count / seconds / 1e6).toFixed(1);
    return [name, (1e6 * seconds).toFixed(1), millions(test.count), millions(logits.length)];
  });
  console.log(
    heading(`Throughput, f32 [${shape.join(", ")}], ${info().variant} kernels, Node ${process.versions.node}`),
  );
  console.log(table(["", "µs a call", "million rows/s", "million elements/s"], rows));
}
