/** What the API tests run through: the softmax family, both number types, both kernel variants. */
import { beforeAll, describe } from "vitest";
import * as surprisal from "../../src/index.ts";

export type Variant = "base" | "relaxed";
export type FloatArray = Float32Array | Float64Array;

/** () → i8x16.relaxed_swizzle: a module that only an engine with relaxed SIMD accepts. */
const probe = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15,
  253, 128, 2, 11,
];

export const hasRelaxed = WebAssembly.validate(new Uint8Array(probe));
export const variants: readonly Variant[] = hasRelaxed ? ["base", "relaxed"] : ["base"];

interface FloatArrayConstructor {
  new (length: number): FloatArray;
  new (values: ArrayLike<number>): FloatArray;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): FloatArray;
  readonly BYTES_PER_ELEMENT: number;
}

/** A number type: its array, its unit roundoff u, its smallest normal number and largest number. */
export interface DType {
  readonly name: "f32" | "f64";
  readonly array: FloatArrayConstructor;
  readonly unit: number;
  readonly tiny: number;
  readonly max: number;
}

export const f32: DType = {
  name: "f32",
  array: Float32Array,
  unit: 2 ** -24,
  tiny: 2 ** -126,
  max: (2 - 2 ** -23) * 2 ** 127,
};
export const f64: DType = {
  name: "f64",
  array: Float64Array,
  unit: 2 ** -53,
  tiny: 2 ** -1022,
  max: Number.MAX_VALUE,
};
export const dtypes: readonly DType[] = [f32, f64];

/** A function of the family, typed loosely: tests call it in every way JavaScript can. */
export type Loose = (x: unknown, options?: unknown) => FloatArray;
export type Name = "softmax" | "logSoftmax" | "logSumExp" | "sigmoid" | "logSigmoid" | "softplus" | "logit";
export const family: Readonly<Record<Name, Loose>> = {
  softmax: surprisal.softmax as Loose,
  logSoftmax: surprisal.logSoftmax as Loose,
  logSumExp: surprisal.logSumExp as Loose,
  sigmoid: surprisal.sigmoid as Loose,
  logSigmoid: surprisal.logSigmoid as Loose,
  softplus: surprisal.softplus as Loose,
  logit: surprisal.logit as Loose,
};
/** A resident array of either type. */
export const resident = surprisal.resident as (type: "f32" | "f64", length: number) => surprisal.Resident<FloatArray>;
export const rowwise = ["softmax", "logSoftmax", "logSumExp"] as const;
export const elementwise = ["sigmoid", "logSigmoid", "softplus", "logit"] as const;
export const names: readonly Name[] = [...rowwise, ...elementwise];

/** Runs the tests of `body` in each variant the engine has. */
export function forEachVariant(body: (variant: Variant) => void): void {
  for (const variant of variants) {
    describe(variant, () => {
      beforeAll(() => {
        surprisal.initSync({ variant });
        if (surprisal.info().variant !== variant) throw new Error(`the ${variant} kernels are not in use`);
      });
      body(variant);
    });
  }
}

/** … and in each number type. */
export function forEachType(body: (dtype: DType, variant: Variant) => void): void {
  forEachVariant((variant) => {
    for (const dtype of dtypes) describe(dtype.name, () => body(dtype, variant));
  });
}

const bytesOf = (array: FloatArray): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

/** Where two arrays first differ, −0 and NaN being themselves, in words; "" if nowhere. */
export function firstDifference(got: FloatArray, wanted: FloatArray): string {
  if (got.length !== wanted.length) return `length ${got.length}, wanted ${wanted.length}`;
  // a hundred times faster than the loop, which only tells where, and that NaN of other bits are equal
  if (got.BYTES_PER_ELEMENT === wanted.BYTES_PER_ELEMENT && bytesOf(got).equals(bytesOf(wanted))) return "";
  for (let i = 0; i < got.length; i++)
    if (!Object.is(got[i], wanted[i])) return `[${i}] is ${got[i]}, wanted ${wanted[i]}`;
  return "";
}
