/** Opens an input of a job, and takes its digest: the sha-256 of its file, or of a folder's files by name. */
import { createHash } from "node:crypto";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ClusterError, during } from "../errors.ts";
import { openNpy } from "./npy.ts";
import { openParquet } from "./parquet.ts";
import type { Column } from "./types.ts";
import { openZarr } from "./zarr.ts";

/** An input as a job names it: a path from the data folder on, and of Parquet which columns. */
export interface Place {
  readonly path: string;
  readonly columns?: readonly string[] | undefined;
}

export async function openInput(data: string, { path, columns }: Place): Promise<Column> {
  const full = join(data, path);
  try {
    if (path.endsWith(".parquet")) {
      if (!columns?.length) throw new ClusterError(`${path}: say which "columns" of it, a list of names`);
      return await openParquet(full, columns);
    }
    if (columns) throw new ClusterError(`${path}: "columns" are of .parquet files`);
    if ((await stat(full)).isDirectory()) return await openZarr(full);
    if (path.endsWith(".npy")) return await openNpy(full);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT")
      throw new ClusterError(`${path}: is not in the data folder ${data}; inputs are named from there on`, {
        cause: error,
      });
    throw during(path, error);
  }
  throw new ClusterError(`${path}: is neither a .npy or .parquet file nor the folder of a Zarr array`);
}

/** Bytes that are read and hashed at a time, into one and the same buffer: a stream's would pile up. */
const PIECE = 1 << 20;

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafeSlow(PIECE);
  const handle = await open(path);
  try {
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, PIECE);
      if (bytesRead === 0) return hash.digest("hex");
      hash.update(piece.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

export async function digestOf(path: string): Promise<string> {
  if (!(await stat(path)).isDirectory()) return digestOfFile(path);
  const hash = createHash("sha256");
  for (const file of (await filesIn(path)).sort())
    hash.update(`${file.slice(path.length + 1)}\0${await digestOfFile(file)}\n`);
  return hash.digest("hex");
}

/** What a file looks like from outside: while it is the same, so is its digest. */
export async function stampOf(path: string): Promise<string> {
  const one = await stat(path);
  if (!one.isDirectory()) return `${one.size} ${one.mtimeMs} ${one.ino}`;
  const files = (await filesIn(path)).sort();
  const stamps = await Promise.all(files.map((file) => stampOf(file)));
  return `${files.length} ${createHash("sha256").update(stamps.join()).digest("hex")}`;
}
