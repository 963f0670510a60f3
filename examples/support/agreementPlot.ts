/**
 * Draws as SVG what quantisation does to a model: on the left how far each layer's features are from the original's, 1 − CKA, on
 * the right how often an answer is right by how sure the model is of it.
 */
import type { ReliabilityBin } from "surprisal";

/** A model, or a copy of it. */
export interface Drawn {
  readonly name: string;
  readonly colour: string;
  /** 1 − CKA of each layer; of the original none. */
  readonly apart?: readonly number[];
  readonly table: readonly ReliabilityBin[];
}

/** A bin of fewer says next to nothing. */
const LEAST = 5;
const [WIDTH, HEIGHT] = [980, 500];
const [TOP, SIZE] = [110, 320];
const [LEFT, RIGHT] = [84, 564];
const FONT = "Inter, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif";
const GREY = "#666666";
const round = (value: number): string => value.toFixed(1);

const text = (x: number, y: number, words: string, more = ""): string =>
  `<text x="${round(x)}" y="${round(y)}" ${more}>${words}</text>`;
const line = (x1: number, y1: number, x2: number, y2: number, more: string): string =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" ${more}/>`;
const path = (points: readonly (readonly [number, number])[], colour: string): string =>
  `<polyline points="${points.map(([x, y]) => `${round(x)},${round(y)}`).join(" ")}" fill="none" stroke="${colour}" stroke-width="2.5" stroke-linejoin="round"/>`;
const dots = (points: readonly (readonly [number, number])[], colour: string): string[] =>
  points.map(
    ([x, y]) =>
      `<circle cx="${round(x)}" cy="${round(y)}" r="4.5" fill="${colour}" stroke="white" stroke-width="1.5"/>`,
  );
const GRID = 'stroke="#e4e4e4"';

/** 1 − CKA on a logarithmic axis, a column for each layer. */
function layersPanel(copies: readonly Drawn[], layers: readonly string[]): string[] {
  const all = copies.flatMap(({ apart = [] }) => apart);
  const low = Math.floor(Math.log10(Math.min(...all)));
  const high = Math.ceil(Math.log10(Math.max(...all)));
  const y = (value: number): number => TOP + SIZE - (SIZE * (Math.log10(value) - low)) / (high - low);
  const x = (i: number): number => LEFT + ((i + 0.5) * SIZE) / layers.length;
  const decades = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  return [
    ...decades.flatMap((power) => [
      line(LEFT, y(10 ** power), LEFT + SIZE, y(10 ** power), GRID),
      text(
        LEFT - 8,
        y(10 ** power) + 5,
        `10<tspan dy="-6" font-size="10">${String(power).replace("-", "−")}</tspan>`,
        'text-anchor="end"',
      ),
    ]),
    ...layers.map((name, i) => text(x(i), TOP + SIZE + 24, name, 'text-anchor="middle"')),
    ...copies.flatMap(({ apart = [], colour, name }) => {
      const points = apart.map((value, i) => [x(i), y(value)] as const);
      const [endX, endY] = points.at(-1) as readonly [number, number];
      const label = text(endX, endY - 14, name, `text-anchor="middle" fill="${colour}" font-weight="700"`);
      return [path(points, colour), ...dots(points, colour), label];
    }),
  ];
}

/** The share of right answers over the mean confidence of a bin; on the diagonal both are equal. */
function calibrationPanel(models: readonly Drawn[]): string[] {
  const at = (value: number): number => SIZE * value;
  const shares = [0, 0.2, 0.4, 0.6, 0.8, 1];
  return [
    ...shares.flatMap((share) => [
      line(RIGHT, TOP + SIZE - at(share), RIGHT + SIZE, TOP + SIZE - at(share), GRID),
      text(RIGHT - 8, TOP + SIZE - at(share) + 5, `${100 * share} %`, 'text-anchor="end"'),
      text(RIGHT + at(share), TOP + SIZE + 24, `${100 * share} %`, 'text-anchor="middle"'),
    ]),
    line(RIGHT, TOP + SIZE, RIGHT + SIZE, TOP, 'stroke="#999999" stroke-dasharray="5 5"'),
    ...models.flatMap(({ table, colour }) => {
      const points = table
        .filter(({ count }) => count >= LEAST)
        .map(({ confidence, accuracy }) => [RIGHT + at(confidence), TOP + SIZE - at(accuracy)] as const);
      return [path(points, colour), ...dots(points, colour)];
    }),
    ...models.map(({ name, colour }, i) =>
      text(RIGHT + 16, TOP + 22 + 22 * i, name, `fill="${colour}" font-weight="700"`),
    ),
  ];
}

/** The SVG of a model, the first, and its copies. */
export function agreementPlot(models: readonly Drawn[], layers: readonly string[], digits: number): string {
  const [, ...copies] = models;
  const head = 'font-size="19" font-weight="700" fill="#333333"';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="${FONT}" font-size="14" fill="${GREY}">`,
    "<title>What quantisation does to a model</title>",
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(LEFT - 44, 46, "How far each layer is from the original’s", head),
    text(LEFT - 44, 70, `1 − CKA of the features of ${digits.toLocaleString("en")} digits`),
    text(RIGHT - 44, 46, "How often it is right, by how sure it is", head),
    text(RIGHT - 44, 70, `in bins of at least ${LEAST} digits; dashed: both the same`),
    ...layersPanel(copies, layers),
    ...calibrationPanel(models),
    "</svg>\n",
  ].join("\n");
}
