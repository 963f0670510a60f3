/** Loads test/fixtures/products.json (tools/fixtures/products.py), and compares gradients as autograd's are compared: row by row. */
import { readFileSync } from "node:fs";
import * as surprisal from "../../src/index.ts";
import { type DType, dtypes, type FloatArray } from "./variants.ts";

/** The functions, typed loosely. */
export interface Gradients {
  readonly value: number | FloatArray;
  readonly gradX: FloatArray;
  readonly gradWeight: FloatArray;
  readonly gradBias?: FloatArray;
  readonly gradY: FloatArray;
  readonly gradTemperature: number;
}
type Call<R> = (...args: unknown[]) => R;
export const api = surprisal as unknown as {
  readonly linearCrossEntropy: Call<number | FloatArray>;
  readonly linearCrossEntropyWithGrad: Call<Gradients>;
  readonly contrastiveLoss: Call<number>;
  readonly contrastiveLossWithGrad: Call<
    Pick<Gradients, "gradX" | "gradY" | "gradTemperature"> & { readonly value: number; readonly gradBias?: number }
  >;
  readonly crossEntropyWithGrad: Call<{ readonly value: number | FloatArray; readonly grad: FloatArray }>;
  readonly kernelMatrix: Call<FloatArray>;
};

export interface LinearCase {
  readonly name: string;
  readonly dtype: DType;
  readonly n: number;
  readonly d: number;
  readonly classes: number;
  readonly smoothing: number;
  readonly reduction: "mean" | "sum" | "none";
  readonly labels: readonly number[];
  readonly x: FloatArray;
  readonly weight: FloatArray;
  readonly bias: FloatArray | undefined;
  readonly value: number;
  readonly losses: FloatArray;
  readonly gradX: FloatArray;
  readonly gradWeight: FloatArray;
  readonly gradBias: FloatArray | undefined;
}
/** Three rows whose loss is about e^−lead, and their exact losses. */
export interface ConfidentCase {
  readonly dtype: DType;
  readonly lead: number;
  readonly classes: number;
  readonly d: number;
  readonly x: FloatArray;
  readonly weight: FloatArray;
  readonly bias: FloatArray;
  readonly losses: FloatArray;
}
export interface ContrastiveCase {
  readonly name: string;
  readonly dtype: DType;
  readonly n: number;
  readonly d: number;
  readonly temperature: number;
  readonly normalize: boolean;
  readonly symmetric: boolean;
  readonly kind: "infoNCE" | "sigmoid";
  readonly bias: number;
  readonly x: FloatArray;
  readonly y: FloatArray;
  readonly value: number;
  readonly gradX: FloatArray;
  readonly gradY: FloatArray;
  readonly gradTemperature: number;
  readonly gradBias: number | undefined;
  /** What each is the sum of: Σ|G|·‖v‖ of each row, Σ|G|·|s|, Σ|G|; and the largest Σ|u·v|/τ + |bias| of a logit. */
  readonly sizeX: FloatArray;
  readonly sizeY: FloatArray;
  readonly sizeTemperature: number;
  readonly sizeBias: number;
  readonly terms: number;
}

type Raw = Readonly<Record<string, unknown>>;
const file = JSON.parse(readFileSync(new URL("../fixtures/products.json", import.meta.url), "utf8")) as Record<
  string,
  Raw[]
>;

function decode(hex: unknown, size: number): FloatArray | undefined {
  if (hex === null || hex === undefined) return undefined;
  const bytes = Buffer.from(hex as string, "hex");
  const all = Array.from({ length: bytes.length / size }, (_, i) =>
    size === 4 ? bytes.readFloatBE(4 * i) : bytes.readDoubleBE(8 * i),
  );
  return size === 4 ? new Float32Array(all) : new Float64Array(all);
}

/** Inputs are of the case's type, results f64; of a result that is one number, that. */
const load = <T>(
  name: string,
  inputs: readonly string[],
  results: readonly string[],
  numbers: readonly string[],
): T[] =>
  (file[name] as Raw[]).map((raw) => {
    const dtype = dtypes.find((one) => one.name === raw["type"]) as DType;
    const of = (names: readonly string[], read: (name: string) => unknown) =>
      Object.fromEntries(names.map((one) => [one, read(one)]));
    return {
      ...raw,
      dtype,
      ...of(inputs, (one) => decode(raw[one], dtype.array.BYTES_PER_ELEMENT)),
      ...of(results, (one) => decode(raw[one], 8)),
      ...of(numbers, (one) => decode(raw[one], 8)?.[0]),
    } as T;
  });

const LINEAR = ["losses", "gradX", "gradWeight", "gradBias"];
export const linearCases = load<LinearCase>("linear", ["x", "weight", "bias"], LINEAR, ["value"]);
export const confidentCases = load<ConfidentCase>("confident", ["x", "weight", "bias"], ["losses"], []);
const CONTRASTIVE = ["value", "gradTemperature", "gradBias", "sizeTemperature", "sizeBias", "terms"];
const ROWS = ["gradX", "gradY", "sizeX", "sizeY"];
export const contrastiveCases = load<ContrastiveCase>("contrastive", ["x", "y"], ROWS, CONTRASTIVE);

/** The largest ‖got − wanted‖/‖size‖ of rows, `size` being what is wanted unless given; ∞ where a row of zeros is not one, or a NaN stands alone. */
export function worstRow(got: ArrayLike<number>, wanted: ArrayLike<number>, rows: number, size = wanted): number {
  if (got.length !== wanted.length) return Infinity;
  const width = rows === 0 ? 0 : wanted.length / rows;
  let worst = 0;
  for (let i = 0; i < rows; i++) {
    let [off, all] = [0, 0];
    for (let k = i * width; k < (i + 1) * width; k++) {
      off += ((got[k] as number) - (wanted[k] as number)) ** 2;
      all += (size[k] as number) ** 2;
    }
    worst = Math.max(worst, off === 0 ? 0 : Number.isNaN(off) ? Infinity : Math.sqrt(off / all));
  }
  return worst;
}

/** x·Wᵀ + b in the type, as the package's own product and one addition make it: the logits that are never held. */
export function logitsOf(
  x: FloatArray,
  weight: FloatArray,
  bias: FloatArray | undefined,
  n: number,
  d: number,
  classes: number,
): FloatArray {
  const z = api.kernelMatrix(x, weight, { kernel: "linear", shape: [n, d], yShape: [classes, d] });
  if (bias) for (let at = 0; at < z.length; at++) z[at] = (z[at] as number) + (bias[at % classes] as number);
  return z;
}

/** Gradients of the operands in plain f64 loops, from that of the logits. */
export function throughProduct(
  grad: FloatArray,
  x: FloatArray,
  weight: FloatArray,
  n: number,
  d: number,
  classes: number,
) {
  const [gradX, gradWeight, gradBias] = [
    new Float64Array(n * d),
    new Float64Array(classes * d),
    new Float64Array(classes),
  ];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < classes; j++) {
      const g = grad[i * classes + j] as number;
      if (g === 0) continue;
      gradBias[j] = (gradBias[j] as number) + g;
      for (let k = 0; k < d; k++) {
        gradX[i * d + k] = (gradX[i * d + k] as number) + g * (weight[j * d + k] as number);
        gradWeight[j * d + k] = (gradWeight[j * d + k] as number) + g * (x[i * d + k] as number);
      }
    }
  return { gradX, gradWeight, gradBias };
}
