/** Draws readings of the two segments as SVG: every mark is a reading, and where a curve jumps an open ring is where it is not. */
import type { Reading } from "./parallelSegments.ts";

const [WIDTH, HEIGHT] = [800, 500];
/** The frame: its left and right, the heights of 1 and 0, and that of ∞ above the break in the axis. */
const [LEFT, RIGHT, TOP, BOTTOM, INFINITE] = [70, 770, 186, 430, 116];
// Okabe & Ito's colours, which the colour-blind tell apart
const COLOURS = { kl: "#d55e00", js: "#0072b2", wasserstein: "#00805e" } as const;
type Curve = keyof typeof COLOURS;
const INK = "#333333";
const FAINT = "#e4e4e4";

const round = (value: number): string => String(Math.round(value * 100) / 100);
const xOf = (theta: number): number => LEFT + ((RIGHT - LEFT) * (theta + 1)) / 2;
const yOf = (value: number): number => (value === Infinity ? INFINITE : BOTTOM - (BOTTOM - TOP) * value);

const line = (x1: number, y1: number, x2: number, y2: number, colour: string, more = ""): string =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${colour}" ${more}/>`;

function text(x: number, y: number, words: string, { colour = INK, anchor = "middle", more = "" } = {}): string {
  return `<text x="${round(x)}" y="${round(y)}" fill="${colour}" text-anchor="${anchor}" ${more}>${words}</text>`;
}

const HALO = 'stroke="white" stroke-width="5" paint-order="stroke" font-weight="600"';

/** The SVG of readings that ascend in θ. */
export function jumpPlot(readings: readonly Reading[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="Inter, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif" font-size="14">`,
    "<title>Divergence and distance of two parallel segments, θ apart</title>",
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(24, 36, "Two parallel segments, θ apart", { anchor: "start", more: 'font-size="20" font-weight="700"' }),
    text(24, 60, "Once they no longer overlap, KL and JS do not tell near from far. The Wasserstein distance does.", {
      anchor: "start",
      colour: "#666666",
    }),
    text(24, 88, "KL and JS in nats, W in units of θ", { anchor: "start", colour: "#666666", more: 'font-size="12"' }),
    ...axes(),
    ...segments(),
    ...curve(readings, "wasserstein"),
    // the wider point is seen around the other, where both land at 0
    ...curve(readings, "kl", 9),
    ...curve(readings, "js", 5.5),
    text(xOf(0.62), yOf(Infinity) - 12, "KL(P‖Q) = ∞", { colour: COLOURS.kl, more: HALO }),
    text(xOf(-0.36), yOf(Math.LN2) - 12, "JS(P, Q) = log 2", { colour: COLOURS.js, more: HALO }),
    text(xOf(0.4) + 14, yOf(0.4) + 16, "W(P, Q) = |θ|", { colour: COLOURS.wasserstein, anchor: "start", more: HALO }),
    text(xOf(0) + 52, yOf(0) - 9, "all three are 0 at θ = 0", { anchor: "start", colour: "#666666" }),
    "</svg>\n",
  ].join("\n");
}

function axes(): string[] {
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return [
    ...ticks.flatMap((value) => [
      line(LEFT, yOf(value), RIGHT, yOf(value), value === 0 ? INK : FAINT),
      text(LEFT - 10, yOf(value) + 5, String(value), { anchor: "end" }),
    ]),
    text(LEFT - 10, yOf(Infinity) + 6, "∞", { anchor: "end", more: 'font-size="18"' }),
    line(LEFT, BOTTOM, LEFT, TOP - 18, INK),
    // the break between 1 and ∞
    line(LEFT - 6, TOP - 15, LEFT + 6, TOP - 21, INK),
    line(LEFT - 6, TOP - 25, LEFT + 6, TOP - 31, INK),
    line(LEFT, TOP - 28, LEFT, INFINITE - 8, INK),
    ...[-1, -0.5, 0, 0.5, 1].flatMap((theta) => [
      line(xOf(theta), BOTTOM, xOf(theta), BOTTOM + 6, INK),
      text(xOf(theta), BOTTOM + 24, String(theta).replace("-", "−")),
    ]),
    text((LEFT + RIGHT) / 2, BOTTOM + 50, "θ, the place of Q beside P"),
  ];
}

/** A stroke for each stretch without a jump, rings at the ends that a jump leaves open, and a point where it lands. */
function curve(readings: readonly Reading[], name: Curve, radius = 0): string[] {
  const colour = COLOURS[name];
  const stretches: Reading[][] = [];
  const isJump = (a: Reading, b: Reading) => !(Math.abs(a[name] - b[name]) < 0.3) && a[name] !== b[name];
  readings.forEach((reading, i) => {
    const before = readings[i - 1];
    if (before === undefined || isJump(before, reading)) stretches.push([]);
    stretches.at(-1)?.push(reading);
  });
  const landings = stretches.filter((stretch) => stretch.length === 1).flat();
  const paths = stretches.flatMap((stretch, i) => {
    if (stretch.length === 1) return [];
    // up to where the next stretch is: between two readings the value is that of the reading before
    const [from, to] = [stretches[i - 1]?.at(-1)?.theta, stretches[i + 1]?.[0]?.theta];
    const ends = [stretch[0], stretch.at(-1)] as [Reading, Reading];
    const points = [
      ...(from === undefined ? [] : [{ ...ends[0], theta: from }]),
      ...stretch,
      ...(to === undefined ? [] : [{ ...ends[1], theta: to }]),
    ];
    const d = points.map((r, j) => `${j ? "L" : "M"}${round(xOf(r.theta))} ${round(yOf(r[name]))}`).join("");
    return [`<path d="${d}" fill="none" stroke="${colour}" stroke-width="3" stroke-linejoin="round"/>`];
  });
  const rings = landings.flatMap(({ theta }) => {
    const open = readings[readings.findIndex((r) => r.theta === theta) - 1] as Reading;
    return circle(theta, open[name], 5.5, colour, "white");
  });
  return [...paths, ...rings, ...landings.map((r) => circle(r.theta, r[name], radius, colour, colour))];
}

const circle = (theta: number, value: number, radius: number, colour: string, fill: string): string =>
  `<circle cx="${round(xOf(theta))}" cy="${round(yOf(value))}" r="${radius}" fill="${fill}" stroke="${colour}" stroke-width="2.5"/>`;

/** What is compared, between the arms of W. */
function segments(): string[] {
  const [x, y, apart, length] = [xOf(0) - 31, yOf(0.58), 62, 60];
  const middle = y + length / 2;
  const ends = `M${x + 11} ${middle - 4}l-5 4l5 4M${x + apart - 11} ${middle - 4}l5 4l-5 4`;
  const bold = 'stroke-width="4" stroke-linecap="round"';
  return [
    `<rect x="${x - 24}" y="${round(y - 4)}" width="${apart + 48}" height="${length + 8}" fill="white"/>`,
    line(x, y, x, y + length, INK, bold),
    line(x + apart, y, x + apart, y + length, INK, bold),
    `<path d="M${x + 6} ${middle}h${apart - 12}${ends}" fill="none" stroke="${INK}"/>`,
    text(x - 14, middle + 5, "P"),
    text(x + apart + 14, middle + 5, "Q"),
    text(x + apart / 2, middle - 8, "θ"),
  ];
}
