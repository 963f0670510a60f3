/**
 * `npx tsx examples/nearest-digits.ts [--k 3] [--every 1]`: each of 10,000 handwritten digits named by its k nearest neighbours among the
 * others, which takes 50 million distances of 784 pixels. Draws those that are taken for another digit beside what they were taken for.
 */
import { parseArgs } from "node:util";
import { allDigits, CLASSES, pictureOf } from "./support/digits.ts";
import { leaveOneOut } from "./support/nearestDigits.ts";
import { dim, gallery, heading, picture, progress, strong, table } from "./support/show.ts";

const { values } = parseArgs({ options: { k: { type: "string" }, every: { type: "string" } } });
const [k, every] = [Number(values.k ?? 3), Number(values.every ?? 1)];

const digits = allDigits(every);
const { count, labels } = digits;
console.log(heading(`${count} digits, each among the others: the ${k} nearest vote`));
const bar = progress(1000);
const start = performance.now();
const votes = leaveOneOut(digits, k, (fraction) => bar(Math.round(1000 * fraction), "of all pairs"));
const seconds = (performance.now() - start) / 1000;
const percent = (100 * votes.accuracy).toFixed(2);
console.log(
  `${strong(`${percent} % right`)} in ${seconds.toFixed(1)} s, ${((count * count) / seconds / 1e6).toFixed(1)} million pairs a second`,
);

console.log(heading("How often a digit (row) was taken for another (column)"));
const names = Array.from({ length: CLASSES }, (_, digit) => String(digit));
const rows = names.map((name, is) => [
  name,
  ...names.map((_, taken) => {
    const times = votes.confusions[is * CLASSES + taken] as number;
    return is === taken || times === 0 ? dim("·") : String(times);
  }),
]);
// of one width, whatever the numbers
console.log(table(["", ...names.map((name) => name.padStart(3))], rows));

const wrong = [...labels.keys()].filter((i) => votes.predicted[i] !== labels[i]);
console.log(heading(`${wrong.length} were taken for another; some of them, and the picture nearest to each`));
const step = Math.max(1, Math.floor(wrong.length / 6));
for (const some of [
  wrong.filter((_, i) => i % step === 0).slice(0, 3),
  wrong.filter((_, i) => i % step === 0).slice(3, 6),
]) {
  const items = some.flatMap((i) => {
    const near = votes.neighbour[i] as number;
    return [
      { captions: [`a ${labels[i]}, taken for ${votes.predicted[i]}`], lines: picture(pictureOf(digits, i)) },
      { captions: [`nearest: a ${labels[near]}`], lines: picture(pictureOf(digits, near)) },
    ];
  });
  if (items.length > 0) console.log(`\n${gallery(items)}`);
}
