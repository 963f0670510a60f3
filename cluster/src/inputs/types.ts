/** What an input is, wherever it stands: a shape, a type, and rows that are read when they are asked for. */

export const TYPES = {
  float32: { array: Float32Array, bytes: 4 },
  float64: { array: Float64Array, bytes: 8 },
  int8: { array: Int8Array, bytes: 1 },
  uint8: { array: Uint8Array, bytes: 1 },
  int16: { array: Int16Array, bytes: 2 },
  uint16: { array: Uint16Array, bytes: 2 },
  int32: { array: Int32Array, bytes: 4 },
  uint32: { array: Uint32Array, bytes: 4 },
  int64: { array: BigInt64Array, bytes: 8 },
  uint64: { array: BigUint64Array, bytes: 8 },
} as const;

export type ElementType = keyof typeof TYPES;
export type Elements = InstanceType<(typeof TYPES)[ElementType]["array"]>;

export interface Column {
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Rows [from, from + count), row-major: in the array that is given, where the file is read straight into one, else in one of their own. */
  rows(from: number, count: number, into?: Elements): Promise<Elements>;
  /** Bytes that are held while `count` rows are read, beside the rows themselves: what of the file is unpacked for them. */
  held(count: number): number;
}
