/**
 * NumPy's .npy: a header in Python's literals, then the elements, row-major and little-endian. Rows are read by their range of bytes.
 *
 *     "\x93NUMPY" │ major minor │ length of the header, 2 bytes in version 1, else 4 │ header │ elements
 *
 * @see numpy.lib.format
 */
import { open } from "node:fs/promises";
import { ClusterError } from "../errors.ts";
import { type Column, type Elements, type ElementType, TYPES } from "./types.ts";

/** The types of elements that are read. */
const DESCRIPTIONS: Readonly<Record<string, ElementType>> = {
  "<f4": "float32",
  "<f8": "float64",
  "|i1": "int8",
  "|u1": "uint8",
  "<i2": "int16",
  "<u2": "uint16",
  "<i4": "int32",
  "<u4": "uint32",
  "<i8": "int64",
  "<u8": "uint64",
};

/** Bytes before the header, of a version above 1, and the longest header there is. */
const PREFIX = 12;
const LONGEST = 1 << 20;

export async function openNpy(path: string): Promise<Column> {
  const file = await open(path);
  try {
    const refuse = (what: string): never => {
      throw new ClusterError(`${path}: ${what}`);
    };
    const { size } = await file.stat();
    const prefix = Buffer.alloc(PREFIX);
    await file.read(prefix, 0, PREFIX, 0);
    if (prefix.toString("latin1", 0, 6) !== "\x93NUMPY") refuse("is no .npy file: it does not begin with \\x93NUMPY");
    const old = prefix[6] === 1;
    const [from, length] = old ? [10, prefix.readUInt16LE(8)] : [12, prefix.readUInt32LE(8)];
    if (length > LONGEST || from + length > size) refuse("ends within its header");
    const bytes = Buffer.alloc(length);
    await file.read(bytes, 0, length, from);
    const header = bytes.toString("latin1");
    const read = (pattern: RegExp): string =>
      pattern.exec(header)?.[1] ?? refuse(`has an unknown header: ${header.trim()}`);
    const description = read(/'descr':\s*'([^']*)'/);
    const type = DESCRIPTIONS[description];
    if (!type) {
      const known = Object.keys(DESCRIPTIONS).join(", ");
      return refuse(
        `has elements of NumPy's type ${description}, of which none of ${known} is: convert it with .astype("<f4")`,
      );
    }
    if (read(/'fortran_order':\s*(True|False)/) === "True")
      refuse("stands column by column: save numpy.ascontiguousarray of it");
    const shape = read(/'shape':\s*\(([^)]*)\)/)
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "")
      .map(Number);
    const start = from + length;
    const { array, bytes: each } = TYPES[type];
    const expected = start + shape.reduce((product, one) => product * one, 1) * each;
    if (size !== expected)
      refuse(`has ${size} bytes, but its shape [${shape.join(", ")}] of ${type} takes ${expected}`);
    const width = shape.slice(1).reduce((product, one) => product * one, 1);
    return {
      shape,
      type,
      held: () => 0,
      rows: async (row, count, into = new array(count * width) as Elements) => {
        const target = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
        const handle = await open(path);
        try {
          for (let done = 0; done < target.length; ) {
            const { bytesRead } = await handle.read(
              target,
              done,
              target.length - done,
              start + row * width * each + done,
            );
            if (bytesRead === 0) refuse(`ended before row ${row + count}: it was cut while it was read`);
            done += bytesRead;
          }
        } finally {
          await handle.close();
        }
        return into;
      },
    };
  } finally {
    await file.close();
  }
}

/**
 * Writes rows of numbers as a .npy file, for the data folder of a job: `values` are `shape`, row-major.
 *
 * @throws ClusterError if the shape holds another number of elements, or `values` are of no type that a job computes with or takes for labels.
 * @example
 * await saveNpy("/shared/run/probabilities.npy", new Float32Array(1000 * 64).fill(1 / 64), [1000, 64]);
 */
export async function saveNpy(
  path: string,
  values: Float32Array | Float64Array | Int32Array,
  shape: readonly number[],
): Promise<void> {
  const type = (["float32", "float64", "int32"] as const).find((one) => values instanceof TYPES[one].array);
  if (!type) throw new ClusterError("saveNpy: values must be a Float32Array, a Float64Array or an Int32Array");
  const sizes = Array.isArray(shape) && shape.length > 0 && shape.every((size) => Number.isInteger(size) && size >= 0);
  const held = sizes ? shape.reduce((product, size) => product * size, 1) : NaN;
  if (held !== values.length)
    throw new ClusterError(
      `saveNpy: shape ${sizes ? `[${shape.join(", ")}]` : String(shape)} must hold the ${values.length} elements of values`,
    );
  const file = await open(path, "w");
  try {
    await file.writeFile(npyHeader(type, shape));
    await file.writeFile(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  } finally {
    await file.close();
  }
}

/** What stands before the elements of a .npy file; a multiple of 64 bytes. */
export function npyHeader(type: "float32" | "float64" | "int32", shape: readonly number[]): Buffer {
  const description = { float32: "<f4", float64: "<f8", int32: "<i4" }[type];
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${description}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = Buffer.alloc(10 + length, 0x20);
  header.write("\x93NUMPY\x01\x00", 0, "latin1");
  header.writeUInt16LE(length, 8);
  header.write(text, 10, "latin1");
  header.write("\n", 10 + length - 1, "latin1");
  return header;
}
