/**
 * `npx tsx examples/style-transfer.ts [folder] [content.jpg] [style.jpg]`: a photograph takes on the style of another, pixel by
 * pixel, as Gram matrices of random convolutions see it. Writes content.png, style.png and result.png.
 */
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PHOTOGRAPHS, readPhotograph, writePng } from "./support/pictures.ts";
import { chart, dim, heading, progress, table } from "./support/show.ts";
import { type Losses, TRANSFER, transferStyle } from "./support/styleTransfer.ts";

const SIDE = 160;

const [folder = join(tmpdir(), "surprisal"), ...given] = process.argv.slice(2);
const [contentPath, stylePath] = [given[0] ?? PHOTOGRAPHS.palace, given[1] ?? PHOTOGRAPHS.flower];
for (const path of [contentPath, stylePath]) {
  if (existsSync(path)) continue;
  console.error(`${path}: not found; the sample photographs are in Debian's python3-sklearn, or name two JPEGs`);
  process.exit(1);
}

const content = readPhotograph(contentPath, SIDE);
const style = readPhotograph(stylePath, SIDE);
const result = { ...content, data: content.data.slice() };

console.log(heading(`Style transfer, ${SIDE} × ${SIDE} pixels, ${TRANSFER.steps} steps`));
const losses: Losses[] = [];
const show = progress(TRANSFER.steps);
const start = performance.now();
for (const loss of transferStyle(result, style, TRANSFER)) {
  losses.push(loss);
  show(losses.length, `style ${percent(loss.style)}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

console.log(heading("Style loss, % of a black picture's, by step"));
console.log(chart(losses.map((loss) => 100 * loss.style)));
const rows = [losses[0], losses.at(-1)].map((loss, i) => [
  i === 0 ? "the photograph" : "the result",
  ...[loss?.style, loss?.content].map((value) => percent(value ?? Number.NaN)),
]);
console.log(`\n${table(["", "style loss", "content loss"], rows)}`);

mkdirSync(folder, { recursive: true });
for (const [name, picture] of Object.entries({ content, style, result }))
  writePng(join(folder, `${name}.png`), picture);
console.log(dim(`content.png, style.png and result.png are in ${folder}`));

function percent(share: number): string {
  return `${(100 * share).toPrecision(3)} %`;
}
