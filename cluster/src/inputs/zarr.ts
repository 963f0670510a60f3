/** Zarr v3 arrays, and those of v2, by zarrita: rows are read chunk by chunk, of which it holds those that they are in. */

import FileSystemStore from "@zarrita/storage/fs";
import * as zarr from "zarrita";
import { ClusterError } from "../errors.ts";
import { type Column, type Elements, type ElementType, TYPES } from "./types.ts";

/** Elements of one row after the other: an array whose chunks stand column by column (order "F", or transposed) is read as they stand. */
function rowByRow(data: Elements, shape: readonly number[], stride: readonly number[]): Elements {
  const [rows = 1, columns = 1] = shape;
  const [down = 1, across = 1] = stride;
  if (shape.length !== 2 || columns === 1 ? down === 1 : across === 1 && down === columns) return data;
  const turned = new (data.constructor as new (length: number) => Elements)(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < columns; k++) turned[i * columns + k] = data[i * down + k * across] as number;
  return turned;
}

export async function openZarr(path: string): Promise<Column> {
  const array = await zarr.open(new FileSystemStore(path), { kind: "array" });
  const type = array.dtype as string;
  if (!(type in TYPES))
    throw new ClusterError(`${path}: has elements of type ${type}, which is none of ${Object.keys(TYPES).join(", ")}`);
  return {
    shape: array.shape,
    type: type as ElementType,
    // all chunks of these rows at once, each as it is in its file and unpacked
    held: (count) => {
      const across = array.shape.slice(1).map((size, k) => Math.ceil(size / (array.chunks[k + 1] as number)));
      const [all, high] = [array.shape[0] as number, array.chunks[0] as number];
      const down = Math.min(Math.ceil(all / high), Math.ceil((count - 1) / high) + 1);
      const chunk = array.chunks.reduce((product, size) => product * size, TYPES[type as ElementType].bytes);
      return 2 * chunk * across.reduce((product, size) => product * size, down);
    },
    rows: async (from, count) => {
      const rest = array.shape.slice(1).map(() => null);
      const { data, shape, stride } = await zarr.get(array, [zarr.slice(from, from + count), ...rest]);
      return rowByRow(data as unknown as Elements, shape, stride);
    },
  };
}
