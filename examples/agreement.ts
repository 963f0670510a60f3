/**
 * `npx tsx examples/agreement.ts [--svg file]`: what quantisation does to a model of the digits with two hidden layers. Its 8-bit and
 * 4-bit copies are held against it in batches of 1, 7 and 1,000: the meters say the same, to the bit.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { agreementPlot, type Drawn } from "./support/agreementPlot.ts";
import { CLASSES, loadDigits, pictureOf } from "./support/digits.ts";
import { driftOf, layersApart } from "./support/drift.ts";
import { Perceptron } from "./support/perceptron.ts";
import { quantised } from "./support/quantised.ts";
import { bar, dim, gallery, heading, picture, progress, strong, table } from "./support/show.ts";
import { stepsOf, TRAINING } from "./support/softmaxRegression.ts";

const BATCHES = [1, 7, 1000];
const COLOURS: Readonly<Record<number, string>> = { 8: "#2a78b8", 4: "#d1495b" };
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

const { values } = parseArgs({ options: { svg: { type: "string" } } });
const file = values.svg ?? join(tmpdir(), "surprisal", "agreement.svg");

const { train, test } = loadDigits();
const model = new Perceptron();
const show = progress(stepsOf(train, TRAINING));
let step = 0;
for (const loss of model.train(train, TRAINING)) show(++step, `${loss.toFixed(3)} nats`);
const layers = [...model.layers.slice(0, -1).map(({ to }) => `${to} units`), "logits"];

const logits = model.logits(test.pixels);
const firstOf = (z: Float32Array, i: number): number => {
  const row = Array.from(z.subarray(i * CLASSES, (i + 1) * CLASSES));
  return row.indexOf(Math.max(...row));
};

const own = await driftOf(model, model, test, 1000);
const drawn: Drawn[] = [{ name: "the original", colour: "#444444", table: own.calibration.table }];
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

  const apart = layersApart(model, other, test);
  drawn.push({ name: `${bits} bits`, colour: COLOURS[bits] as string, apart, table: calibration.table });
  console.log(heading("How far each layer is from the original's: 1 − CKA, from 10⁻⁸ to 1"));
  for (const [i, value] of apart.entries())
    console.log(`${(layers[i] as string).padStart(8)} ${bar(1 + Math.log10(value) / 8)} ${value.toExponential(2)}`);

  console.log(heading("How often it is right, by how sure it is"));
  for (const { from, to, count, confidence, accuracy } of calibration.table)
    if (count > 0)
      console.log(
        `${percent(from).padStart(8)} to ${percent(to).padStart(8)} ${bar(accuracy)} ${percent(accuracy).padStart(8)}  ${dim(`says ${percent(confidence)}, ${count} digits`)}`,
      );

  const answers = other.logits(test.pixels);
  const flipped = Array.from({ length: test.count }, (_, i) => i).filter(
    (i) => firstOf(logits, i) !== firstOf(answers, i),
  );
  console.log(heading(`${flipped.length} answers are others`));
  // of different digits, which stand one behind the other
  const some = flipped.filter((_, k) => k % Math.ceil(flipped.length / 4) === 0);
  const items = some.map((i) => ({
    captions: [`a ${test.labels[i]}: ${firstOf(logits, i)} → ${firstOf(answers, i)}`],
    lines: picture(pictureOf(test, i)),
  }));
  if (items.length > 0) console.log(gallery(items));
}

mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, agreementPlot(drawn, layers, test.count));
console.log(dim(`\nlayers and calibration are drawn in ${file}`));

function quantiles(of: { quantile(q: number): number }): string[] {
  return [0.5, 0.99].map((q) => of.quantile(q).toExponential(1));
}
