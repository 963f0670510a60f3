/** The handwritten digits as a file of the page: 5,000 of them, 0, 1, … 9, 0, 1, …, four bits a pixel, gzipped. */
import { CLASSES, type Digits, PIXELS } from "../../../examples/support/digits.ts";

export { CLASSES, type Digits, PIXELS };

export const COUNT = 5000;
/** Of each: what is learnt from comes first, then what a temperature is chosen by, then what is tested on. */
export const [TRAINED, HELD_OUT] = [4000, 500];

/** `base` is the page's address: a worker's own is in a folder of its own. */
export async function loadDigits(base: string): Promise<Digits> {
  const response = await fetch(new URL("digits.bin", base));
  if (!response.ok || !response.body) throw new Error(`digits.bin: ${response.status}`);
  const packed = new Uint8Array(
    await new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer(),
  );
  const pixels = new Float32Array(COUNT * PIXELS);
  for (const [i, two] of packed.entries()) {
    pixels[2 * i] = (two >> 4) / 15;
    pixels[2 * i + 1] = (two & 15) / 15;
  }
  return { count: COUNT, pixels, labels: Uint8Array.from({ length: COUNT }, (_, i) => i % CLASSES) };
}

/** Some of them, where they stand. */
export const part = ({ pixels, labels }: Digits, from: number, to: number): Digits => ({
  count: to - from,
  pixels: pixels.subarray(from * PIXELS, to * PIXELS),
  labels: labels.subarray(from, to),
});

/** Draws 28 × 28 values in [0, 1] as ink on paper. */
export function paint(
  context: CanvasRenderingContext2D,
  pixels: ArrayLike<number>,
  ink: string,
  x: number,
  y: number,
  side: number,
): void {
  const step = side / 28;
  context.fillStyle = ink;
  for (let i = 0; i < PIXELS; i++) {
    const value = pixels[i] as number;
    if (value <= 0) continue;
    context.globalAlpha = value;
    context.fillRect(x + (i % 28) * step, y + Math.floor(i / 28) * step, step + 0.3, step + 0.3);
  }
  context.globalAlpha = 1;
}
