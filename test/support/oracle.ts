/** The exact values of the losses and divergences (tools/fixtures/losses.py, divergences.py), and the public API, typed loosely. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import * as surprisal from "../../src/index.ts";
import { ILL_SAID } from "./outcome.ts";
import type { DType, FloatArray } from "./variants.ts";
import { dtypes, f64 } from "./variants.ts";

/** Tests call in every way JavaScript can, so nothing is typed but what comes back. */
type Call<R> = (...args: unknown[]) => R;
export interface Graded {
  readonly value: unknown;
  readonly grad: FloatArray;
}
export interface GradedPair {
  readonly value: unknown;
  readonly gradP: FloatArray;
  readonly gradQ: FloatArray;
}
interface Api {
  readonly crossEntropy: Call<unknown>;
  readonly binaryCrossEntropy: Call<unknown>;
  readonly perplexity: Call<number>;
  readonly surprisal: Call<FloatArray>;
  readonly entropy: Call<unknown>;
  readonly klDivergence: Call<unknown>;
  readonly jsDivergence: Call<unknown>;
  readonly jsDistance: Call<unknown>;
  readonly klGaussian: Call<number>;
  readonly pairwiseDivergence: Call<FloatArray>;
  readonly crossEntropyWithGrad: Call<Graded>;
  readonly binaryCrossEntropyWithGrad: Call<Graded>;
  readonly klDivergenceWithGrad: Call<GradedPair>;
  readonly jsDivergenceWithGrad: Call<GradedPair>;
}
export const api = surprisal as unknown as Api;
export const DIVERGENCES = ["klDivergence", "jsDivergence", "jsDistance"] as const;
export type Divergence = (typeof DIVERGENCES)[number];

type Raw = Readonly<Record<string, unknown>>;
const read = (name: string): Record<string, Raw[]> =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8"));

/** Big-endian hex, 8 digits an f32 and 16 an f64. */
function decode(hex: string, { array, name }: DType): FloatArray {
  const bytes = Buffer.from(hex, "hex");
  const size = array.BYTES_PER_ELEMENT;
  const next = name === "f32" ? bytes.readFloatBE : bytes.readDoubleBE;
  return new array(Array.from({ length: bytes.length / size }, (_, i) => next.call(bytes, i * size)));
}

/** The fields of a case: `inputs` in the case's own type, `results` in f64, the others as they are. */
function load<T>(raws: readonly Raw[], inputs: readonly string[], results: readonly string[]): T[] {
  return raws.map((raw) => {
    const dtype = dtypes.find(({ name }) => name === raw["type"]) as DType;
    const decoded = (names: readonly string[], type: DType) =>
      names.filter((name) => name in raw).map((name) => [name, decode(raw[name] as string, type)]);
    return { ...raw, dtype, ...Object.fromEntries([...decoded(inputs, dtype), ...decoded(results, f64)]) } as T;
  });
}

export type From = "probabilities" | "logProbabilities" | "logits";
export interface CrossCase {
  readonly dtype: DType;
  readonly group: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly from: From;
  readonly x: FloatArray;
  readonly labels?: readonly number[];
  readonly soft?: FloatArray;
  readonly weight?: FloatArray;
  readonly ignoreIndex?: number;
  readonly labelSmoothing?: number;
  readonly base?: number;
  readonly normalize?: boolean;
  readonly none: Float64Array;
  readonly mean: Float64Array;
  /** What the mean divides by. */
  readonly divisor: Float64Array;
  /** Under "none" and "sum"; under "mean" it is this over the divisor. */
  readonly grad?: Float64Array;
}
export interface BinaryCase {
  readonly dtype: DType;
  readonly name: string;
  readonly shape: readonly number[];
  readonly from: From;
  readonly x: FloatArray;
  readonly target: FloatArray;
  readonly weight?: FloatArray;
  readonly posWeight?: FloatArray;
  readonly none: Float64Array;
  readonly grad: Float64Array;
}
export interface SurprisalCase {
  readonly dtype: DType;
  readonly base: number | null;
  readonly p: FloatArray;
  readonly surprisal: Float64Array;
}
export interface EntropyCase {
  readonly dtype: DType;
  readonly name: string;
  readonly from: From;
  readonly x: FloatArray;
  readonly entropy: Float64Array;
  /** Without normalisation, and Σ|p log p|. */
  readonly raw?: Float64Array;
  readonly size?: Float64Array;
}
export interface DivergenceCase {
  readonly dtype: DType;
  readonly group: string;
  readonly name: string;
  readonly from: From;
  readonly p: FloatArray;
  readonly q: FloatArray;
  readonly temperature?: number;
  readonly normalize?: boolean;
  readonly base?: number;
  readonly kl: Float64Array;
  readonly js: Float64Array;
  readonly klP?: Float64Array;
  readonly klQ?: Float64Array;
  readonly jsP?: Float64Array;
  readonly jsQ?: Float64Array;
  /** Nearly equal: SciPy's KL, torch's KL and SciPy's JS of the same numbers in the same type. */
  readonly others?: Float64Array;
}
/** Arguments of different kinds, and numbers of any size. */
export interface FormCase {
  readonly dtype: DType;
  readonly group: string;
  readonly name: string;
  readonly from: readonly [From, From];
  readonly p: FloatArray;
  readonly q: FloatArray;
  readonly temperature: number;
  readonly normalize: boolean;
  readonly kl: Float64Array;
  readonly js: Float64Array;
  readonly klP?: Float64Array;
  readonly klQ?: Float64Array;
  readonly jsP?: Float64Array;
  readonly jsQ?: Float64Array;
}
export interface GaussianCase {
  readonly dtype: DType;
  readonly name: string;
  readonly kind: "covariance" | "variance";
  readonly d: number;
  readonly condition: number;
  readonly mean: FloatArray;
  readonly spread: FloatArray;
  readonly otherMean: FloatArray;
  readonly otherSpread: FloatArray;
  readonly kl: Float64Array;
}

const losses = read("losses");
const divergences = read("divergences");
const raws = (file: Record<string, Raw[]>, name: string): Raw[] => file[name] as Raw[];

export const crossCases: readonly CrossCase[] = load(
  raws(losses, "crossEntropy"),
  ["x", "soft", "weight"],
  ["none", "mean", "divisor", "grad"],
);
export const binaryCases: readonly BinaryCase[] = load(
  raws(losses, "binaryCrossEntropy"),
  ["x", "target", "weight", "posWeight"],
  ["none", "grad"],
);
export const surprisalCases: readonly SurprisalCase[] = load(raws(losses, "surprisal"), ["p"], ["surprisal"]);
export const entropyCases: readonly EntropyCase[] = load(raws(losses, "entropy"), ["x"], ["entropy", "raw", "size"]);
export const divergenceCases: readonly DivergenceCase[] = load(
  raws(divergences, "rows"),
  ["p", "q"],
  ["kl", "js", "klP", "klQ", "jsP", "jsQ", "others"],
);
export const formCases: readonly FormCase[] = load(
  raws(divergences, "forms"),
  ["p", "q"],
  ["kl", "js", "klP", "klQ", "jsP", "jsQ"],
);
export const gaussianCases: readonly GaussianCase[] = load(
  raws(divergences, "gaussians"),
  ["mean", "spread", "otherMean", "otherSpread"],
  ["kl"],
);

/** Without the fields that are undefined or null: options as a caller would write them. */
export const given = (options: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));

/** The relative error of KL and JS that is promised, however nearly equal the distributions. */
export const PROMISED = { f32: 1e-6, f64: 1e-10 } as const;

/** Errors against their bounds: every one beyond, and of each quantity the largest with its witness. */
export class Tally {
  readonly #beyond: string[] = [];
  readonly #maxima = new Map<string, { ratio: number; witness: string }>();

  /** |got − exact| against a tolerance; equal infinities and NaN are no error. */
  note(quantity: string, got: number, exact: number, tolerance: number, where: string): void {
    const error = Object.is(got, exact) || got === exact ? 0 : Math.abs(got - exact);
    const ratio = error === 0 ? 0 : error / tolerance;
    const witness = `${where}: ${got}, exact ${exact}`;
    if (!(ratio <= 1)) this.#beyond.push(`${quantity}: ${ratio.toPrecision(3)} × the bound, ${witness}`);
    if (!(ratio <= (this.#maxima.get(quantity)?.ratio ?? -1))) this.#maxima.set(quantity, { ratio, witness });
  }

  /** Fails if anything was beyond its bound since the last check. */
  check(): void {
    const found = [...new Set(this.#beyond.splice(0))];
    expect(found.slice(0, 6), `${found.length} beyond the bound`).toEqual([]);
  }

  print(title: string): void {
    const lines = [...this.#maxima].map(
      ([q, { ratio, witness }]) => `  ${q.padEnd(48)} ${ratio.toFixed(3)} × the bound  ${witness}`,
    );
    console.log([`${title}: measured maxima`, ...lines].join("\n"));
  }
}

/** A result of reduction "none": an array of the type and length wanted. */
export function arrayOf(value: unknown, { array }: DType, length: number): FloatArray {
  expect(value).toBeInstanceOf(array);
  expect(value).toHaveLength(length);
  return value as FloatArray;
}

/** A result of reduction "mean" or "sum". */
export function numberOf(value: unknown): number {
  expect(typeof value).toBe("number");
  return value as number;
}

/** The value nearest in the type. */
export const rounded = ({ array }: DType, value: number): number => new array([value])[0] as number;

/** What an error is to be: its class, and what its message names beside the function. */
export interface Fault {
  readonly fn: keyof Api;
  readonly args: readonly unknown[];
  readonly kind: ErrorConstructor;
  readonly names: readonly RegExp[];
}

/** Calls and expects the error, with `out` as it was and the next call working. */
export function expectFault({ fn, args, kind, names }: Fault): void {
  const out = (args.at(-1) as { out?: FloatArray } | undefined)?.out;
  const before = ArrayBuffer.isView(out) ? out.slice() : undefined;
  let error: unknown;
  try {
    (api[fn] as Call<unknown>)(...args);
  } catch (e) {
    error = e;
  }
  expect(error, "it returned").toBeInstanceOf(Error);
  const { message } = error as Error;
  expect(error, message).toBeInstanceOf(kind);
  expect(message).toMatch(new RegExp(`^${fn}: `));
  expect(message).not.toMatch(ILL_SAID);
  for (const part of names) expect(message.slice(fn.length + 2)).toMatch(part);
  if (before) expect(out, "out was written").toEqual(before);
  expect(api.crossEntropy([0, 0], [1])).toBeCloseTo(Math.LN2, 14);
}
