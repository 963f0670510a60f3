/** What comes in, and of which type what goes out is. */

/** Floating-point data. The type of what comes in is the type of what goes out. */
export type FloatArray = Float32Array | Float64Array;

/** Flat, row-major data. A tensor object of another library is taken as it is; one whose `strides` tell of another order is a RangeError. */
export type Tensor<T extends FloatArray = FloatArray> =
  | T
  | { readonly data: T; readonly shape: readonly number[] }
  | { readonly data: T; readonly dims: readonly number[] };

/** A tensor whose element type its own declarations leave open, such as ONNX Runtime's; data that is not floats is a TypeError. */
export interface TensorLike {
  readonly data: ArrayLike<unknown>;
  readonly dims: readonly number[];
}

/** [[1, 2], [3, 4]]: f64, its shape read off it. */
export type NestedNumbers = readonly (readonly number[] | NestedNumbers)[];

/** Class indices. */
export type Labels =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | readonly number[];

/** Class indices, or a tensor of them. */
export type LabelsLike = Labels | { readonly data: Labels; readonly shape: readonly number[] } | TensorLike;

/** Anything numeric a function takes. Numbers are f64, or adopt the type of the arrays beside them. */
export type Input = Tensor | TensorLike | Resident | readonly number[] | NestedNumbers;

/** Symbol.dispose, where the reader's library of types has it: a project on es2022 reads these declarations too. */
type Dispose = typeof Symbol extends { readonly dispose: infer S extends symbol } ? S : never;
type Disposing = { [S in Dispose]: () => void };

/** An array inside linear memory; see `resident`. With `using` it is disposed of at the end of its block. */
export interface Resident<T extends FloatArray = FloatArray> extends Disposing {
  /** The elements, as a view that is right at this moment: read it anew rather than keeping it. */
  readonly array: T;
  readonly length: number;
  /** Copies `values` in, from index `offset` on. */
  set(values: ArrayLike<number>, offset?: number): void;
  /** Gives the memory back. Doing it twice is harmless; using the array afterwards is an error. */
  dispose(): void;
}

/** What an argument holds. */
export type From = "probabilities" | "logProbabilities" | "logits";

/** What the numbers per row become: themselves, their mean, or their sum. */
export type Reduction = "none" | "mean" | "sum";

/** A number, or for `"none"` one number per row in an array of the input's type. */
export type Reduced<R extends Reduction, Rows> = R extends "none" ? Rows : number;

/** Which kernels: the same bits on every engine, or fused multiply-add where the engine has it. */
export type Variant = "base" | "relaxed";

/**
 * Whether a type is `any`, which would be of every kind that is asked about. In tuples, for a question about a name that the
 * reader's library of types lacks, such as Float16Array in the data of transformers.js, is answered by `any` once more.
 */
type IsAny<X> = [0] extends [1 & X] ? true : false;

/** What holds the elements of an argument: an array or a list, be it itself, a tensor's data or a view of a resident array. */
type Elements<X> = X extends { readonly data: infer D } ? D : X extends Resident<infer T> ? T : X;

/**
 * What elements say about the type of a result: "f32", "f64", "numbers", which adopt the type of what stands beside them, as do
 * labels and what is left out, or "either", where the types do not tell.
 */
type Kind<E> =
  IsAny<E> extends true
    ? "either"
    : [E] extends [Labels | readonly unknown[] | number | undefined]
      ? "numbers"
      : [E] extends [Float32Array]
        ? "f32"
        : [E] extends [Float64Array]
          ? "f64"
          : "either";

/** The array that all kinds among the arguments lead to; f32 beside f64 is a TypeError, which returns nothing. */
type Adopted<K> = ["f32" | "f64"] extends [K]
  ? never
  : "f32" extends K
    ? Float32Array
    : "f64" extends K
      ? Float64Array
      : "either" extends K
        ? FloatArray
        : Float64Array;

/**
 * The array type that a function returns for its arguments, of which options such as weights are some: Float32Array if one of
 * them is f32, Float64Array if one is f64 or all are numbers. An argument that is left out, and labels, say nothing.
 */
export type ResultOf<X, Y = undefined, Z = undefined, W = undefined> = Adopted<
  Kind<Elements<X>> | Kind<Elements<Y>> | Kind<Elements<Z>> | Kind<Elements<W>>
>;

/** Where to write a result: an array of its type, or a resident one. */
export type Out<T extends FloatArray> = T | Resident<T>;

/** What a `progress` callback is told of a call over pairs of rows. */
export interface PairsProgress {
  /** Tiles of pairs that are done. */
  readonly tiles: number;
  /** The part of all tiles that is: 1 after the last. */
  readonly fraction: number;
}

/** As much of an AbortSignal as is looked at; not every library of types has that. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason?: unknown;
}
