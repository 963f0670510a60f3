/** The numbers of an array: ordinary ones of its kind, ties and zeros, wide ranges, or anything that a float may be. */
import type { Slot } from "../support/exports.ts";
import type { DType, FloatArray } from "../support/variants.ts";
import type { Random } from "./random.ts";

export type Weather = "calm" | "grid" | "wide" | "wild";

/** Numbers that are special to someone. */
const SPECIAL = ({ max, tiny, unit }: DType): readonly number[] => [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1,
  -1,
  max,
  -max,
  max / 2,
  Math.sqrt(max),
  tiny,
  -tiny,
  2 * tiny * unit,
  1 + 2 * unit,
  1 - unit,
  1e-20,
  1e20,
  -745.2,
  709.8,
  88.8,
];

/** Any binade of the type. */
function scattered(random: Random, { max, tiny }: DType): number {
  const [low, high] = [Math.log2(tiny), Math.log2(max)];
  return (1 + random.uniform()) * 2 ** Math.floor(low + (high - low - 1) * random.uniform()) * random.of([1, 1, 1, -1]);
}

/** A number of a kind that may be negative only where the kind may. */
function numberOf(kind: Slot["kind"], weather: Weather, random: Random, dtype: DType): number {
  if (weather === "wild" && random.oneIn(4))
    return random.oneIn(3) ? scattered(random, dtype) : random.of(SPECIAL(dtype));
  const u = random.uniform();
  switch (kind) {
    case "real":
    case "signed":
      if (weather === "grid") return random.int(-3, 3) / random.of([1, 2]);
      return (u - 0.5) * (weather === "wide" ? 600 : 6);
    case "logs":
      return weather === "grid" ? -random.int(0, 3) : -u * (weather === "wide" ? 100 : 5);
    case "unit":
      return weather === "grid" ? random.int(0, 2) / 2 : weather === "wide" ? u ** 20 : u;
    default:
      if (weather === "grid") return random.int(0, 3);
      return weather === "wide" ? u * 10 ** random.int(-25, 25) : u;
  }
}

/** Masses whose sum is that of the others: whole numbers, or shares of one. */
function masses(n: number, weather: Weather, random: Random): number[] {
  if (weather === "grid") {
    const units = new Array<number>(n).fill(0);
    for (let k = 0; k < 12 && n > 0; k++) (units[random.int(0, n - 1)] as number)++;
    return units;
  }
  const raw = Array.from({ length: n }, () => (random.oneIn(8) ? 0 : random.uniform()));
  const total = raw.reduce((a, b) => a + b, 0);
  return raw.map((m) => m / total);
}

/** B·Bᵀ + I/4. */
function covariance(d: number, random: Random): number[] {
  const b = Array.from({ length: d * d }, () => random.uniform() - 0.5);
  return b.map((_, k) => {
    const [i, j] = [Math.floor(k / d), k % d];
    let sum = i === j ? 0.25 : 0;
    for (let c = 0; c < d; c++) sum += (b[i * d + c] as number) * (b[j * d + c] as number);
    return sum;
  });
}

/** The numbers of an array that is read, in their type. */
export function valuesOf(slot: Slot, length: number, weather: Weather, random: Random, dtype: DType): FloatArray {
  const values = new dtype.array(length);
  const plain = (i: number): number => numberOf(slot.kind, weather, random, dtype) + 0 * i;
  if (slot.kind === "masses") values.set(masses(length, weather, random));
  else if (slot.kind === "covariance") values.set(covariance(slot.shape[0] as number, random));
  else if (slot.kind === "ascending") {
    let at = plain(0);
    for (let i = 0; i < length; i++) {
      values[i] = at;
      at += random.oneIn(6) ? 0 : numberOf("weights", weather === "wild" ? "wild" : "calm", random, dtype);
    }
  } else for (let i = 0; i < length; i++) values[i] = plain(i);
  // what was consistent is spoilt at one place
  if (weather === "wild" && ["masses", "covariance"].includes(slot.kind) && length > 0 && random.oneIn(3))
    values[random.int(0, length - 1)] = random.of(SPECIAL(dtype));
  return values;
}

/** Classes, some of them to be ignored, and in wild weather some that do not exist. */
export function labelsOf(
  { classes = 0, shape }: Slot,
  ignoreIndex: number | undefined,
  weather: Weather,
  random: Random,
): number[] {
  const length = shape.reduce((a, b) => a * b, 1);
  return Array.from({ length }, () => {
    if (ignoreIndex !== undefined && random.oneIn(6)) return ignoreIndex;
    if (weather === "wild" && random.oneIn(12)) return random.of([classes, classes + 5, -1, -2]);
    return classes === 0 ? 0 : random.int(0, classes - 1);
  });
}

/** Float16Array, where there is one. */
export const Float16 = (globalThis as { Float16Array?: { from(values: ArrayLike<number>): FloatArray } }).Float16Array;

/** The same numbers as half precision has them. */
export const halved = (values: FloatArray): FloatArray =>
  Float16 ? new Float32Array(Float16.from(values) as unknown as ArrayLike<number>) : values;
