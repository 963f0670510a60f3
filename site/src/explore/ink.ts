const LEVELS = 15;
/** The n-th letter stands for n + 1 pixels without ink. */
const ZEROS = "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ";

/** A drawing as a text for an address: a hexadecimal digit a pixel, a letter for a run without ink; some 300 characters. */
export function packed(ink: Float32Array): string {
  const digits = Array.from(ink, (v) => Math.round(LEVELS * v).toString(16)).join("");
  return digits.replace(/0+/g, ({ length }) => {
    const whole = Math.floor(length / ZEROS.length);
    const rest = length % ZEROS.length;
    return (ZEROS.at(-1) as string).repeat(whole) + (rest ? ZEROS[rest - 1] : "");
  });
}

/** The drawing of such a text; `undefined` of any other. */
export function unpacked(text: string): Float32Array | undefined {
  const digits = text.replace(/[^0-9a-f]/g, (letter) => "0".repeat(ZEROS.indexOf(letter) + 1));
  if (digits.length !== SIDE * SIDE) return undefined;
  return Float32Array.from(digits, (digit) => Number.parseInt(digit, 16) / LEVELS);
}

/** What is drawn, as the digits of MNIST are: fitted into 20 × 20, its centre of mass in the middle of 28 × 28. */
const [SIDE, BOX] = [28, 20];

export function centred(ink: Float32Array): Float32Array {
  let [left, right, top, bottom] = [SIDE, -1, SIDE, -1];
  for (const [i, v] of ink.entries()) {
    if (v < 0.1) continue;
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  const result = new Float32Array(SIDE * SIDE);
  if (right < 0) return result;
  // one scale for both ways; nothing is enlarged more than twice
  const scale = Math.min(BOX / Math.max(right - left + 1, bottom - top + 1), 2);
  let [mass, mx, my] = [0, 0, 0];
  for (const [i, v] of ink.entries()) {
    mass += v;
    mx += v * (i % SIDE);
    my += v * Math.floor(i / SIDE);
  }
  const [cx, cy] = [mx / mass, my / mass];
  for (let i = 0; i < result.length; i++) {
    const x = ((i % SIDE) - (SIDE - 1) / 2) / scale + cx;
    const y = (Math.floor(i / SIDE) - (SIDE - 1) / 2) / scale + cy;
    const [x0, y0] = [Math.floor(x), Math.floor(y)];
    let sum = 0;
    for (const [dx, dy] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ] as const) {
      const [u, v] = [x0 + dx, y0 + dy];
      if (u < 0 || v < 0 || u >= SIDE || v >= SIDE) continue;
      sum += (ink[v * SIDE + u] as number) * (1 - Math.abs(x - u)) * (1 - Math.abs(y - v));
    }
    result[i] = sum;
  }
  return result;
}

/** Lines through points of the grid, with a brush 3.5 pixels wide. */
function drawn(...lines: (readonly [number, number])[][]): Float32Array {
  const ink = new Float32Array(SIDE * SIDE);
  for (const points of lines) {
    for (let k = 0; k + 1 < points.length; k++) {
      const [[x0, y0], [x1, y1]] = [points[k], points[k + 1]] as [[number, number], [number, number]];
      for (let i = 0; i < ink.length; i++) {
        const [x, y] = [(i % SIDE) + 0.5, Math.floor(i / SIDE) + 0.5];
        const t = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2);
        const s = Math.min(Math.max(t, 0), 1);
        const distance = Math.hypot(x - x0 - s * (x1 - x0), y - y0 - s * (y1 - y0));
        ink[i] = Math.max(ink[i] as number, Math.min(1, Math.max(0, 1.75 - distance)));
      }
    }
  }
  return ink;
}

/** For who cannot draw, or will not. */
export const EXAMPLES: Readonly<Record<string, Float32Array>> = {
  three: drawn([
    [9, 6],
    [14, 4.5],
    [18, 6.5],
    [18, 10],
    [13, 13],
    [18, 16],
    [18.5, 20],
    [14, 23.5],
    [8.5, 21.5],
  ]),
  seven: drawn([
    [8, 6],
    [20, 6],
    [15, 14],
    [12, 23],
  ]),
  four: drawn(
    [
      [11, 5],
      [8, 14],
      [19, 14],
    ],
    [
      [18, 6],
      [17, 24],
    ],
  ),
  "one or seven?": drawn([
    [10, 9],
    [15.5, 5.5],
    [14, 23],
  ]),
};
