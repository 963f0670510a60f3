/** Floating-point data. The type of what comes in is the type of what goes out. */
export type FloatArray = Float32Array | Float64Array;

/** Flat, row-major data. A tensor object of another library is taken as it is. */
export type Tensor<T extends FloatArray = FloatArray> =
  | T
  | { readonly data: T; readonly shape: readonly number[] }
  | { readonly data: T; readonly dims: readonly number[] };

/** Class indices. */
export type Labels =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | readonly number[];

/** Anything numeric a function takes; `number[]` is read as f64. */
export type Input = Tensor | Resident | readonly number[];

/** An array inside linear memory, which every function takes without a copy; see `resident`. */
export interface Resident<T extends FloatArray = FloatArray> {
  /** The elements, as a view that is right at this moment: read it anew rather than keeping it. */
  readonly array: T;
  readonly length: number;
  /** Copies `values` in, from index `offset` on. */
  set(values: ArrayLike<number>, offset?: number): void;
  /** Gives the memory back. Doing it twice is harmless; using the array afterwards is an error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** The array type that a function returns for an input: Float32Array for f32 data, Float64Array otherwise. */
export type ResultOf<X> = X extends Float32Array | { readonly data: Float32Array } | Resident<Float32Array>
  ? Float32Array
  : X extends Float64Array | { readonly data: Float64Array } | Resident<Float64Array> | readonly number[]
    ? Float64Array
    : FloatArray;
