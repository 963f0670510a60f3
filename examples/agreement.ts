/**
 * `npx tsx examples/agreement.ts`: what quantisation does to the model of the digits. Its 8-bit and 4-bit copies are held against it
 * in batches of 1, 7 and 1,000: the meters say the same, to the bit.
 */
import { cka, softmax } from "surprisal";
import { CLASSES, loadDigits, pictureOf } from "./support/digits.ts";
import { driftOf } from "./support/drift.ts";
import { quantised } from "./support/quantised.ts";
import { bar, dim, gallery, heading, picture, progress, strong, table } from "./support/show.ts";
import { SoftmaxRegression, stepsOf, TRAINING } from "./support/softmaxRegression.ts";

const BATCHES = [1, 7, 1000];
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

const { train, test } = loadDigits();
const model = new SoftmaxRegression();
const show = progress(stepsOf(train, TRAINING));
let step = 0;
for (const loss of model.train(train, TRAINING)) show(++step, `${loss.toFixed(3)} nats`);

const logits = model.logits(test.pixels);
const shape = [test.count, CLASSES];
const firstOf = (z: Float32Array, i: number): number => {
  const row = Array.from(z.subarray(i * CLASSES, (i + 1) * CLASSES));
  return row.indexOf(Math.max(...row));
};

for (const bits of [8, 4]) {
  const other = quantised(model, bits);
  console.log(heading(`${bits} bits a weight, ${test.count} test digits`));
  const all = [];
  for (const size of BATCHES) all.push(await driftOf(model, other, test, size));
  for (const [i, { hash }] of all.entries())
    console.log(`batches of ${String(BATCHES[i]).padStart(4)}  ${strong(hash)}`);
  const [{ agreement, calibration, loss }] = all as [(typeof all)[number]];
  const { kl, js } = agreement;
  const rows = [
    ["same answer", percent(agreement.value), percent(agreement.standardError), "", ""],
    ["KL, nats", kl.value.toExponential(3), kl.standardError.toExponential(1), ...quantiles(kl)],
    ["JS, nats", js.value.toExponential(3), js.standardError.toExponential(1), ...quantiles(js)],
    ["cross-entropy, nats", loss.value.toFixed(4), loss.standardError.toFixed(4), "", ""],
    ["calibration error", percent(calibration.ece), "", "", ""],
  ];
  console.log(table(["", "mean", "± standard error", "median", "99 %"], rows));

  const answers = other.logits(test.pixels);
  const layers = {
    logits: [logits, answers],
    probabilities: [softmax(logits, { shape }), softmax(answers, { shape })],
  };
  for (const [name, [x, y]] of Object.entries(layers))
    console.log(dim(`CKA of the ${name}: ${cka(x as Float32Array, y as Float32Array, { shape }).toFixed(6)}`));

  console.log(heading("How often it is right, by how sure it is"));
  for (const { from, to, count, confidence, accuracy } of calibration.table)
    if (count > 0)
      console.log(
        `${percent(from).padStart(8)} to ${percent(to).padStart(8)} ${bar(accuracy)} ${percent(accuracy).padStart(8)}  ${dim(`says ${percent(confidence)}, ${count} digits`)}`,
      );

  const flipped = Array.from({ length: test.count }, (_, i) => i).filter(
    (i) => firstOf(logits, i) !== firstOf(answers, i),
  );
  console.log(heading(`${flipped.length} answers are others`));
  const items = flipped.slice(0, 4).map((i) => ({
    captions: [`a ${test.labels[i]}: ${firstOf(logits, i)} → ${firstOf(answers, i)}`],
    lines: picture(pictureOf(test, i)),
  }));
  if (items.length > 0) console.log(gallery(items));
}

function quantiles(of: { quantile(q: number): number }): string[] {
  return [0.5, 0.99].map((q) => of.quantile(q).toExponential(1));
}
