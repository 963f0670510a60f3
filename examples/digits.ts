/** `npm start`: softmax regression learns handwritten digits; what it is worth in nats, how sure it sounds, what it confuses. */
import {
  crossEntropy,
  crossEntropyWithGrad,
  info,
  jsDivergence,
  klDivergence,
  logSoftmax,
  pairwiseDivergence,
  softmax,
} from "surprisal";
import { accuracy, type Fit, fitOf, fitTemperature, meanPredictions, reliability } from "./support/calibration.ts";
import { CLASSES, loadDigits, pictureOf } from "./support/digits.ts";
import { fitMeans, logitsOf } from "./support/nearestMean.ts";
import { bar, chart, dim, gallery, heading, picture, progress, strong, table } from "./support/show.ts";
import { SoftmaxRegression, stepsOf, TRAINING } from "./support/softmaxRegression.ts";
import { secondsOf } from "./support/timing.ts";

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const { train, heldOut, test } = loadDigits();
const shape = [test.count, CLASSES];

console.log(heading("Handwritten digits, softmax regression"));
console.log(
  `${train.count} to learn from, ${heldOut.count} to choose a temperature by, ${test.count} to test on, ${CLASSES} classes`,
);

const model = trained();
const logits = model.logits(test.pixels);
const temperature = showFits();
const probabilities = softmax(logits, { shape, temperature });
showDivergences();
showSurprises();
showThroughput();

/** Trains before one's eyes. */
function trained(): SoftmaxRegression {
  const model = new SoftmaxRegression();
  const steps = stepsOf(train, TRAINING);
  const show = progress(steps);
  const losses: number[] = [];
  const start = performance.now();
  for (const loss of model.train(train, TRAINING)) {
    losses.push(loss);
    const seconds = (performance.now() - start) / 1000;
    const epoch = Math.ceil((losses.length * TRAINING.epochs) / steps);
    show(losses.length, `epoch ${epoch}, ${losses.length} steps, ${loss.toFixed(3)} nats, ${seconds.toFixed(1)} s`);
  }
  console.log(heading("Cross-entropy of the batches in nats, from log 10 = 2.30"));
  console.log(chart(losses));
  return model;
}

/** Both classifiers as they are and at the temperature that fits the held-out digits; returns that of softmax regression. */
function showFits(): number {
  const means = fitMeans(train);
  const uniform = fitOf(new Float32Array(logits.length), test.labels, 1);
  const { loss, perplexity } = uniform;
  const rows = [["a guess", "", percent(1 / CLASSES), loss.toFixed(3), perplexity.toFixed(2), ""]];
  const line = (name: string, T: number, { answers, loss, perplexity, calibrationError }: Fit): string[] => [
    name,
    T.toFixed(2),
    percent(accuracy(answers)),
    loss.toFixed(3),
    perplexity.toFixed(2),
    percent(calibrationError),
  ];
  const add = (name: string, tested: Float32Array, held: Float32Array): [fits: Fit[], T: number] => {
    const T = fitTemperature(held, heldOut.labels);
    const fits = [1, T].map((at) => fitOf(tested, test.labels, at)) as [Fit, Fit];
    rows.push(
      line(name, 1, fits[0]),
      line("", T, fits[1]).map((cell, i) => (i === 0 ? cell : strong(cell))),
    );
    return [fits, T];
  };
  add("nearest mean", logitsOf(test, means), logitsOf(heldOut, means));
  const [fits, T] = add("softmax regression", logits, model.logits(heldOut.pixels));
  console.log(heading("On the test digits, before and after scaling the temperature"));
  console.log(table(["", "T", "accuracy", "loss, nats", "perplexity", "calibration error"], rows));
  console.log(dim("A temperature never changes which class is likeliest, only how sure it sounds."));

  console.log(heading("Reliability: of the answers that sound so sure, how many are right"));
  const bins = fits.map(({ answers }) => new Map(reliability(answers).map((bin) => [bin.low, bin])));
  const lows = [...new Set(bins.flatMap((at) => [...at.keys()]))].sort((a, b) => a - b);
  const lines = lows.map((low) => [
    `${Math.round(100 * low)}–${Math.round(100 * low) + 10} %`,
    ...bins.flatMap((at) => {
      const bin = at.get(low);
      return bin ? [`${bin.count}`, percent(bin.accuracy), bar(bin.accuracy, 12)] : ["", "", ""];
    }),
  ]);
  const head = (at: string) => [at, "right", ""];
  console.log(table(["confidence", ...head("T = 1"), ...head(`T = ${T.toFixed(2)}`)], lines, [0, 3, 6]));
  return T;
}

/** How far apart the answers to two digits are: the nearest two are what it confuses. */
function showDivergences(): void {
  const means = meanPredictions(probabilities, test.labels);
  const digits = Array.from({ length: CLASSES }, (_, c) => `${c}`);
  const show = (title: string, metric: "kl" | "js", base: number): void => {
    const matrix = pairwiseDivergence(means, undefined, { shape: [CLASSES, CLASSES], metric, base });
    const rows = digits.map((digit, i) => {
      const row = matrix.subarray(i * CLASSES, (i + 1) * CLASSES);
      const nearest = Math.min(...row.filter((_, j) => j !== i));
      const cells = Array.from(row, (d, j) =>
        i === j ? dim("0") : d === nearest ? strong(d.toFixed(2)) : d.toFixed(2),
      );
      return [digit, ...cells];
    });
    console.log(heading(title));
    console.log(table(["", ...digits], rows));
  };
  show("KL of the mean predictions, nats: of the digit at the left from the one above", "kl", Math.E);
  show("JS of the mean predictions, bits: 0 where alike, 1 with nothing in common", "js", 2);
  console.log(dim("In green what is nearest to each digit."));
}

/** The test digits whose true class is the least expected. */
function showSurprises(): void {
  const logP = logSoftmax(logits, { shape, temperature });
  const bits = crossEntropy(logP, test.labels, { shape, from: "logProbabilities", base: 2, reduction: "none" });
  const worst = [...bits.keys()].sort((a, b) => (bits[b] as number) - (bits[a] as number)).slice(0, 4);
  const items = worst.map((i) => {
    const row = probabilities.subarray(i * CLASSES, (i + 1) * CLASSES);
    const sure = Math.max(...row);
    const captions = [
      `a ${test.labels[i]}: ${(bits[i] as number).toFixed(1)} bits`,
      `read as ${row.indexOf(sure)}, ${percent(sure)}`,
    ];
    return { captions, lines: picture(pictureOf(test, i)) };
  });
  console.log(heading("The greatest surprises"));
  console.log(gallery(items));
}

function showThroughput(): void {
  const [out, other] = [new Float32Array(logits.length), softmax(logits, { shape, temperature: 2 * temperature })];
  const { labels } = test;
  const calls: Record<string, () => unknown> = {
    "softmax, out": () => softmax(logits, { shape, out }),
    crossEntropy: () => crossEntropy(logits, labels, { shape }),
    "crossEntropyWithGrad, out": () => crossEntropyWithGrad(logits, labels, { shape, out }),
    klDivergence: () => klDivergence(probabilities, other, { shape }),
    jsDivergence: () => jsDivergence(probabilities, other, { shape }),
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
