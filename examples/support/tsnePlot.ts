/** Draws points of the plane as SVG, a dot each in the colour of its digit, which stands where its dots are densest. */
import { kernelDensity } from "surprisal";
import { CLASSES } from "./digits.ts";

const [SIDE, MARGIN, HEAD] = [900, 40, 84];
// ten colours that are told apart in small dots on white
const COLOURS = [
  "#1f77b4",
  "#ff7f0e",
  "#2ca02c",
  "#d62728",
  "#9467bd",
  "#8c564b",
  "#e377c2",
  "#5f6b76",
  "#a8a800",
  "#17becf",
] as const;
const HALO = 'stroke="white" stroke-width="6" paint-order="stroke" font-weight="700" font-size="30"';

const round = (value: number): string => value.toFixed(1);

/** The SVG of points [n, 2] and their digits. */
export function tsnePlot(plane: Float64Array, labels: Uint8Array): string {
  const n = labels.length;
  const all = [...labels.keys()];
  const extent = (axis: number): [number, number] => {
    const values = all.map((i) => plane[2 * i + axis] as number);
    return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  };
  const [[left, right], [top, bottom]] = [extent(0), extent(1)];
  const scale = (SIDE - 2 * MARGIN) / Math.max(right - left, bottom - top, 1e-9);
  const x = (i: number): number => SIDE / 2 + scale * ((plane[2 * i] as number) - (left + right) / 2);
  const y = (i: number): number => HEAD + SIDE / 2 + scale * ((plane[2 * i + 1] as number) - (top + bottom) / 2);
  // every digit's dots among the others', so that none hides all that were drawn before
  const order = [...all].sort((i, j) => ((i * 7919) % n) - ((j * 7919) % n));
  const dots = order.map(
    (i) => `<circle cx="${round(x(i))}" cy="${round(y(i))}" r="2.6" fill="${COLOURS[labels[i] as number]}"/>`,
  );
  const names = Array.from({ length: CLASSES }, (_, digit) => {
    const own = all.filter((i) => labels[i] === digit);
    if (own.length === 0) return "";
    const points = Float64Array.from(own.flatMap((i) => [x(i), y(i)]));
    const density = kernelDensity(points, points, { shape: [own.length, 2], bandwidth: 25 });
    const peak = own[density.indexOf(density.reduce((a, b) => Math.max(a, b)))] as number;
    return `<text x="${round(x(peak))}" y="${round(y(peak) + 10)}" text-anchor="middle" fill="${COLOURS[digit]}" ${HALO}>${digit}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIDE} ${SIDE + HEAD}" width="${SIDE}" height="${SIDE + HEAD}" font-family="Inter, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif">`,
    `<title>t-SNE of ${n} handwritten digits</title>`,
    `<rect width="${SIDE}" height="${SIDE + HEAD}" fill="white"/>`,
    `<text x="${MARGIN}" y="46" font-size="22" font-weight="700" fill="#333333">${n.toLocaleString("en")} handwritten digits, 784 pixels each, in the plane</text>`,
    `<text x="${MARGIN}" y="72" font-size="15" fill="#666666">t-SNE: who is near whom is kept, and no one told it what a digit is</text>`,
    '<g fill-opacity="0.75">',
    ...dots,
    "</g>",
    ...names,
    "</svg>\n",
  ].join("\n");
}
