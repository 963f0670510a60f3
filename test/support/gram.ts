/** The exact values of Gram and kernel matrices and of what is built on them (tools/fixtures/gram.py), and their API, typed loosely. */
import { readFileSync } from "node:fs";
import * as surprisal from "../../src/index.ts";
import { expectFault } from "./oracle.ts";
import { type DType, dtypes, type FloatArray, f64 } from "./variants.ts";

type Call<R> = (...args: unknown[]) => R;
export interface Loss {
  readonly value: number;
  readonly grad: FloatArray | FloatArray[];
}
interface Api {
  readonly gram: Call<FloatArray>;
  readonly kernelMatrix: Call<FloatArray>;
  readonly styleGram: Call<FloatArray>;
  readonly styleLoss: Call<number>;
  readonly styleLossWithGrad: Call<Loss>;
  readonly perceptualLoss: Call<number>;
  readonly perceptualLossWithGrad: Call<Loss>;
  readonly mmd: Call<number>;
  readonly cka: Call<number>;
}
export const api = surprisal as unknown as Api;

export const KERNELS = ["linear", "polynomial", "rbf", "laplacian", "sigmoid", "cosine"] as const;
export type Kernel = (typeof KERNELS)[number];
export const NORMALIZE = ["elements", "spatial", "none"] as const;
export type Normalize = (typeof NORMALIZE)[number];

/** The error of a dot product beside the norms of its vectors, and of a kernel beside 1 + its exponent: 1e-6 in f32. */
export const practical = ({ unit }: DType): number => 16.8 * unit;

export interface Wrong {
  readonly fn: keyof Api;
  readonly args: readonly unknown[];
  readonly kind: ErrorConstructor;
  readonly names: readonly RegExp[];
}
export type WrongRow = [Wrong["fn"], readonly unknown[], ErrorConstructor, ...RegExp[]];
/** Rows of a table for it.each: number, function, what the message must name, the fault. */
export const faults = (table: readonly WrongRow[]): [number, string, string, Wrong][] =>
  table.map(([fn, args, kind, ...names], i) => [i, fn, names.map(String).join(" "), { fn, args, kind, names }]);
export const expectWrong = (wrong: Wrong): void => expectFault(wrong as unknown as Parameters<typeof expectFault>[0]);

// --------------------------------------------------------------------------------------------- fixtures

export interface KernelOptions {
  readonly gamma?: number;
  readonly degree?: number;
  readonly coef0?: number;
}
export interface GramCase {
  readonly dtype: DType;
  readonly name: string;
  readonly shape: readonly [number, number];
  readonly scale: number;
  readonly center: boolean;
  readonly x: FloatArray;
  readonly gram: Float64Array;
}
interface Pair {
  readonly dtype: DType;
  readonly name: string;
  readonly shape: readonly [number, number];
  readonly yShape: readonly [number, number];
  readonly x: FloatArray;
  readonly y: FloatArray;
}
interface KernelResult {
  readonly kernel: Kernel;
  readonly options: KernelOptions;
  /** Of x with y, and of x with itself. */
  readonly both: Float64Array;
  readonly own: Float64Array;
}
export interface KernelCase extends Pair {
  readonly group: string;
  readonly results: readonly KernelResult[];
}
interface MmdResult {
  readonly kernel: Kernel;
  readonly options: KernelOptions;
  readonly biased: Float64Array;
  readonly unbiased: Float64Array;
  /** The sum of the means of |k| that the result is the difference of. */
  readonly size: Float64Array;
}
export interface MmdCase extends Pair {
  readonly results: readonly MmdResult[];
}
export interface CkaCase extends Pair {
  readonly biased: Float64Array;
  /** Missing where it does not exist: below 4 rows, or where an estimate of a norm is negative. */
  readonly unbiased?: Float64Array;
  readonly condition?: number;
}
export interface Layer {
  readonly shape: readonly number[];
  readonly x: FloatArray;
  readonly y: FloatArray;
  /** Of x; and the gradients of the whole loss. */
  readonly gram: Readonly<Record<Normalize, Float64Array>>;
  readonly grad: Readonly<Record<Normalize, Float64Array>>;
  readonly perceptual: Float64Array;
}
export interface StyleCase {
  readonly dtype: DType;
  readonly name: string;
  readonly list: boolean;
  readonly weights?: readonly number[];
  readonly layers: readonly Layer[];
  readonly loss: Readonly<Record<Normalize, number>>;
  readonly perceptual: number;
}

type Raw = Readonly<Record<string, unknown>>;
const file = JSON.parse(readFileSync(new URL("../fixtures/gram.json", import.meta.url), "utf8")) as Record<
  string,
  Raw[]
>;

/** Big-endian hex, 8 digits an f32 and 16 an f64. */
function decode(hex: unknown, { array, name }: DType): FloatArray {
  const bytes = Buffer.from(hex as string, "hex");
  const size = array.BYTES_PER_ELEMENT;
  const next = name === "f32" ? bytes.readFloatBE : bytes.readDoubleBE;
  return new array(Array.from({ length: bytes.length / size }, (_, i) => next.call(bytes, i * size)));
}
const double = (hex: unknown) => decode(hex, f64) as Float64Array;

/** `inputs` decoded in the type, `results` in f64; the other fields as they are. */
function fields(raw: Raw, dtype: DType, inputs: readonly string[], results: readonly string[]): Raw {
  const decoded = (names: readonly string[], type: DType) =>
    names.filter((name) => name in raw).map((name) => [name, decode(raw[name], type)]);
  return { ...raw, dtype, ...Object.fromEntries([...decoded(inputs, dtype), ...decoded(results, f64)]) };
}
const typeOf = (raw: Raw) => dtypes.find(({ name }) => name === raw["type"]) as DType;
const list = (name: string) => file[name] as Raw[];
const load = <T>(name: string, inputs: readonly string[], results: readonly string[]) =>
  list(name).map((raw) => fields(raw, typeOf(raw), inputs, results) as unknown as T);
const nested = <T>(name: string, results: readonly string[]) =>
  list(name).map((raw) => {
    const dtype = typeOf(raw);
    const inner = (raw["results"] as Raw[]).map((result) => fields(result, dtype, [], results));
    return { ...fields(raw, dtype, ["x", "y"], []), results: inner } as unknown as T;
  });

export const gramCases: readonly GramCase[] = load("gram", ["x"], ["gram"]);
export const kernelCases: readonly KernelCase[] = nested("kernels", ["both", "own"]);
export const mmdCases: readonly MmdCase[] = nested("mmd", ["biased", "unbiased", "size"]);
export const ckaCases: readonly CkaCase[] = load("cka", ["x", "y"], ["biased", "unbiased"]);
export const styleCases: readonly StyleCase[] = list("style").map((raw) => {
  const dtype = typeOf(raw);
  const of = (layer: Raw, field: string) =>
    Object.fromEntries(NORMALIZE.map((name) => [name, double((layer[name] as Raw)[field])]));
  const layers = (raw["layers"] as Raw[]).map((layer) => ({
    ...fields(layer, dtype, ["x", "y"], ["perceptual"]),
    gram: of(layer, "gram"),
    grad: of(layer, "grad"),
  }));
  const loss = Object.fromEntries(NORMALIZE.map((name) => [name, double(raw[name])[0]]));
  return { ...raw, dtype, layers, loss, perceptual: double(raw["perceptual"])[0] } as unknown as StyleCase;
});
