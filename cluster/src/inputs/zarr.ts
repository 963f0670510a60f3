/** Zarr v3 arrays, and those of v2, by zarrita: rows are read chunk by chunk, of which it holds those that they are in. */

import FileSystemStore from "@zarrita/storage/fs";
import * as zarr from "zarrita";
import { ClusterError } from "../errors.ts";
import { type Column, type Elements, type ElementType, TYPES } from "./types.ts";

export async function openZarr(path: string): Promise<Column> {
  const array = await zarr.open(new FileSystemStore(path), { kind: "array" });
  const type = array.dtype as string;
  if (!(type in TYPES))
    throw new ClusterError(`${path}: has elements of type ${type}, which is none of ${Object.keys(TYPES).join(", ")}`);
  return {
    shape: array.shape,
    type: type as ElementType,
    rows: async (from, count) => {
      const rest = array.shape.slice(1).map(() => null);
      const { data } = await zarr.get(array, [zarr.slice(from, from + count), ...rest]);
      return data as unknown as Elements;
    },
  };
}
