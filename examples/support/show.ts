/** Tables, bars and pictures for a terminal. */
import { styleText } from "node:util";
import { Presets, SingleBar } from "cli-progress";
import Table from "cli-table3";
import { SIDE } from "./digits.ts";

const coloured = process.stdout.isTTY && process.stdout.hasColors();
type Style = Parameters<typeof styleText>[0];
const styled = (style: Style, text: string): string => (coloured ? styleText(style, text) : text);

export const dim = (text: string): string => styled("dim", text);
export const strong = (text: string): string => styled(["bold", "green"], text);
export const heading = (text: string): string => `\n${styled("bold", text)}`;

const RULED = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", right: "", "right-mid": "", middle: "  ", mid: "─", "mid-mid": "──" },
};

/** Numbers to the right, the columns in `left` to the left; one rule, below the head. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly number[] = [0],
): string {
  const colAligns = head.map((_, i) => (left.includes(i) ? "left" : "right"));
  const style = { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 };
  const drawn = new Table({ head: [...head], colAligns, style, chars: RULED });
  drawn.push(...rows.map((row) => [...row]));
  return drawn.toString();
}

const EIGHTHS = " ▏▎▍▌▋▊▉█";

/** `share` of `width` cells, to an eighth of a cell. */
export function bar(share: number, width = 20): string {
  const eighths = Math.round(Math.min(Math.max(share, 0), 1) * width * 8);
  return `${"█".repeat(eighths >> 3)}${EIGHTHS[eighths & 7]}`.trimEnd().padEnd(width);
}

/** A bar that moves as the work goes on; where there is no terminal, a line at the end. */
export function progress(total: number): (done: number, note: string) => void {
  if (!process.stdout.isTTY) return (done, note) => void (done === total && console.log(`100 %  ${note}`));
  const bar = new SingleBar(
    {
      format: "{bar}  {percentage} %  {note}",
      stream: process.stdout,
      barsize: 20,
    },
    Presets.shades_classic,
  );
  return (done, note) => {
    if (!bar.isActive) bar.start(total, 0, { note });
    bar.update(done, { note });
    if (done === total) bar.stop();
  };
}

const RISING = " ▁▂▃▄▅▆▇█";

/** A chart of positive values in columns, each the mean of its share of them, over a logarithmic axis. */
export function chart(values: readonly number[], { width = 64, height = 8 } = {}): string {
  const columns = Array.from({ length: width }, (_, i) => {
    const share = values.slice(Math.floor((i * values.length) / width), Math.ceil(((i + 1) * values.length) / width));
    return share.reduce((a, b) => a + b, 0) / share.length;
  });
  const [low, high] = [Math.log(0.8 * Math.min(...columns)), Math.log(Math.max(...columns))];
  const lines = Array.from({ length: height }, (_, line) => {
    const floor = height - 1 - line;
    const cells = columns.map((value) => {
      const eighths = Math.round((((Math.log(value) - low) / (high - low)) * height - floor) * 8);
      return RISING[Math.min(Math.max(eighths, 0), 8)];
    });
    const top = Math.exp(low + ((high - low) * (floor + 1)) / height);
    return `${dim(top.toFixed(2).padStart(5))} ${cells.join("")}`;
  });
  return lines.join("\n");
}

/** The lines of a picture of SIDE × SIDE: a cell shows two pixels, one above the other, margins cut off. */
export function picture(pixels: Float32Array, margin = 2): string[] {
  const ink = (y: number, x: number): number => +((pixels[y * SIDE + x] as number) > 0.35);
  const lines: string[] = [];
  for (let y = margin; y < SIDE - margin; y += 2) {
    let line = "";
    for (let x = margin; x < SIDE - margin; x++) line += " ▀▄█"[ink(y, x) + 2 * ink(y + 1, x)];
    lines.push(line);
  }
  return lines;
}

/** Blocks of lines side by side, each under its captions. */
export function gallery(items: readonly { captions: readonly string[]; lines: readonly string[] }[]): string {
  const columns = items.map(({ captions, lines }) => {
    const width = lines[0]?.length ?? 0;
    return [...captions.map((caption) => caption.padEnd(width)), ...lines];
  });
  return (columns[0] ?? [])
    .map((_, row) =>
      columns
        .map((column) => column[row])
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
