/** Loads test/fixtures/softmax.json, the exact values of the softmax family (tools/fixtures/softmax.py). */
import { readFileSync } from "node:fs";
import { uniforms } from "../../examples/support/random.ts";
import type { DType, FloatArray, Name } from "./variants.ts";
import { dtypes, f64 } from "./variants.ts";

/** Exact numbers as hi + lo: hi the nearest f64; lo, for f64 cases only, what it leaves out. */
export interface Exact {
  readonly hi: Float64Array;
  readonly lo: Float64Array;
}
export interface RowCase {
  readonly dtype: DType;
  readonly group: string;
  readonly name: string;
  readonly temperature: number;
  readonly x: FloatArray;
  readonly softmax: Exact;
  readonly logSoftmax: Exact;
  readonly logSumExp: Exact;
}
export interface WeightedCase {
  readonly dtype: DType;
  readonly name: string;
  readonly x: FloatArray;
  readonly weights: FloatArray;
  /** Σ|w|eˣ / Σ w eˣ. */
  readonly condition: number;
  readonly logSumExp: Exact;
}
export interface UnaryCase {
  readonly dtype: DType;
  readonly function: Name;
  readonly x: FloatArray;
  readonly y: Exact;
}
/** A row too long to store: `pseudorandom(…)`, its exact log-sum-exp, and the results at some indices. */
export interface LongCase {
  readonly dtype: DType;
  readonly x: FloatArray;
  readonly index: readonly number[];
  readonly logSumExp: Exact;
  readonly softmax: Exact;
  readonly logSoftmax: Exact;
}

type Raw = Readonly<Record<string, string | number | readonly number[]>>;
interface File {
  readonly provenance: Raw;
  readonly rows: readonly Raw[];
  readonly weighted: readonly Raw[];
  readonly unary: readonly Raw[];
  readonly long: readonly Raw[];
}

const file = JSON.parse(readFileSync(new URL("../fixtures/softmax.json", import.meta.url), "utf8")) as File;

/** Big-endian hex, 8 digits an f32 and 16 an f64. */
export function decode(hex: string, { array, name }: DType): FloatArray {
  const bytes = Buffer.from(hex, "hex");
  const size = array.BYTES_PER_ELEMENT;
  const read = name === "f32" ? bytes.readFloatBE : bytes.readDoubleBE;
  return new array(Array.from({ length: bytes.length / size }, (_, i) => read.call(bytes, i * size)));
}

const typeOf = (raw: Raw): DType => dtypes.find(({ name }) => name === raw["type"]) as DType;

function exact(raw: Raw, name: string): Exact {
  const hi = decode(raw[name] as string, f64) as Float64Array;
  const lo = raw[`${name}Lo`];
  return {
    hi,
    lo: lo === undefined ? new Float64Array(hi.length) : (decode(lo as string, f64) as Float64Array),
  };
}

/** Decodes the fields: `inputs` in the case's own type, `results` as hi + lo, the others as they are. */
function load<T>(raws: readonly Raw[], inputs: readonly string[], results: readonly string[]): T[] {
  return raws.map((raw) => {
    const dtype = typeOf(raw);
    return {
      ...raw,
      dtype,
      ...Object.fromEntries(inputs.map((name) => [name, decode(raw[name] as string, dtype)])),
      ...Object.fromEntries(results.map((name) => [name, exact(raw, name)])),
    } as T;
  });
}

const row = ["softmax", "logSoftmax", "logSumExp"];
export const provenance: Raw = file.provenance;
export const rowCases: readonly RowCase[] = load(file.rows, ["x"], row);
export const weightedCases: readonly WeightedCase[] = load(file.weighted, ["x", "weights"], ["logSumExp"]);
export const unaryCases: readonly UnaryCase[] = load(file.unary, ["x"], ["y"]);

/** Arrays that were made, oldest first. Tests ask for the same ones a hundred times, and a copy costs a tenth. */
const made = new Map<string, FloatArray>();
const KEPT = 32;
const KEPT_LENGTH = 2 ** 17;

/** offset + (u − ½)·spread, rounded to the type: the same numbers in every run. */
export function pseudorandom(dtype: DType, seed: number, length: number, spread: number, offset = 0): FloatArray {
  const key = [dtype.name, seed, length, spread, offset].join();
  const kept = made.get(key);
  if (kept) return kept.slice();
  const next = uniforms(seed);
  const x = new dtype.array(length);
  for (let i = 0; i < length; i++) x[i] = offset + (next() - 0.5) * spread;
  if (length > KEPT_LENGTH) return x;
  if (made.size === KEPT) made.delete(made.keys().next().value as string);
  made.set(key, x);
  return x.slice();
}

/** A function, as these rows take 12 MB: made when asked for, and checked against the generator's own. */
export function longCases(): LongCase[] {
  return file.long.map((raw) => {
    const dtype = typeOf(raw);
    const { seed, length, spread, offset } = raw as Record<string, number>;
    const x = pseudorandom(dtype, seed as number, length as number, spread as number, offset);
    const index = raw["index"] as readonly number[];
    const at = decode(raw["at"] as string, dtype);
    index.forEach((i, k) => {
      if (x[i] !== at[k]) throw new Error(`generator twins disagree at ${i}: ${x[i]} ≠ ${at[k]}`);
    });
    return {
      dtype,
      x,
      index,
      logSumExp: exact(raw, "logSumExp"),
      softmax: exact(raw, "softmax"),
      logSoftmax: exact(raw, "logSoftmax"),
    };
  });
}
