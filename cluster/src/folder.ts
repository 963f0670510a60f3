/**
 * The folder of a job, which is all its state: what is there is done, what is not is to do, whatever a queue may believe.
 *
 *     <data>/<id>/  spec.json   <array>/zarr.json   <array>/c/<i>/<j>   tiles/<index>.json   result.json   tmp/
 *
 * A file appears whole or not at all: it is written under tmp/, forced to the disk and renamed. Two workers that make the same tile write
 * the same bytes, so that it does not matter which comes last.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { access, type FileHandle, mkdir, open, readdir, readFile, rename, rm, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as zarr from "zarrita";
import { ClusterError, during } from "./errors.ts";
import { npyHeader } from "./inputs/npy.ts";
import { type ArrayOutput, jsonOf, type Piece, pieceOf, type Spec, stateName } from "./jobs/types.ts";
import { canonical, idOf, kindOf } from "./spec.ts";

export const folderOf = (data: string, id: string): string => join(data, id);

/** How far a tile is; the test of every kill ends a worker at each of these. */
export type Point = "claimed" | "computed" | "written" | "committed";
export type Trace = (point: Point) => void;

/** Forces what was renamed in a folder to the disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A write may take less than it is given. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
}

/** A run that has ended sweeps tmp/ away under a worker or a run that was late, even while it is made: what they would write is there. */
function isSwept(error: unknown, written: readonly string[]): boolean {
  return (error as { code?: unknown }).code === "ENOENT" && written.every((path) => existsSync(path));
}

/** Writes files so that each appears whole, all of them written before the first appears. */
export async function commit(folder: string, pieces: readonly Piece[], trace?: Trace): Promise<void> {
  const tmp = join(folder, "tmp");
  const files = pieces.map(({ file, parts }) => ({ from: join(tmp, randomUUID()), to: join(folder, file), parts }));
  try {
    await mkdir(tmp, { recursive: true });
    for (const { from, parts } of files) {
      const handle = await open(from, "wx");
      try {
        for (const part of parts()) await writeAll(handle, part);
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
    trace?.("written");
    for (const { from, to } of files) {
      await mkdir(dirname(to), { recursive: true });
      await rename(from, to);
      await syncFolder(dirname(to));
    }
  } catch (error) {
    for (const { from } of files) await rm(from, { force: true });
    const written = files.map(({ to }) => to);
    if (isSwept(error, written)) return;
    throw during(folder, error);
  }
}

/** A store for zarrita that writes as above; zarrita's own leaves half a file where it is killed. */
class CommittingStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.#folder, key));
    } catch (error) {
      if ((error as { code?: unknown }).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async set(key: string, bytes: Uint8Array): Promise<void> {
    await commit(this.#folder, [pieceOf(key.slice(1), bytes)]);
  }
}

/** The header of an array: chunks are raw little-endian elements, which every reader of Zarr v3 takes. */
async function createArray(folder: string, { name, type, shape, chunk }: ArrayOutput): Promise<void> {
  await zarr.create(zarr.root(new CommittingStore(folder)).resolve(name), {
    shape: [...shape],
    chunkShape: [...chunk],
    dtype: type,
    codecs: [{ name: "bytes", configuration: { endian: "little" } }],
    fillValue: 0,
  });
}

/** Makes the folder of a job, or takes it up again. Returns its id. */
export async function prepare(spec: Spec, data: string): Promise<string> {
  const id = idOf(spec);
  const folder = folderOf(data, id);
  const text = `${canonical(spec)}\n`;
  const there = await readFile(join(folder, "spec.json"), "utf8").catch(() => undefined);
  for (const array of kindOf(spec.function).arrays(spec))
    if (!existsSync(join(folder, array.name, "zarr.json"))) await createArray(folder, array);
  // last: workers that see it find all else. Inputs that have moved since are the same job, at other paths.
  if (there !== text) await commit(folder, [pieceOf("spec.json", Buffer.from(text))]);
  return id;
}

/** The spec of a job that was prepared; an error says so where it is damaged. */
export async function specIn(data: string, id: string): Promise<Spec> {
  const path = join(folderOf(data, id), "spec.json");
  let spec: Spec;
  try {
    spec = JSON.parse(await readFile(path, "utf8")) as Spec;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT")
      throw new ClusterError(
        `job ${id.slice(0, 12)} is not in the data folder ${data}: worker and run need the same --data`,
      );
    throw during(path, error);
  }
  if (idOf(spec) !== id)
    throw new ClusterError(`${path}: is not the spec of its folder's name; delete the folder and run again`);
  return spec;
}

export function isDone(spec: Spec, folder: string, index: number): boolean {
  return kindOf(spec.function)
    .files(spec, index)
    .every((file) => existsSync(join(folder, file)));
}

/** The tiles that are not there, in order; files are listed folder by folder. */
export async function missing(spec: Spec, folder: string): Promise<number[]> {
  const kind = kindOf(spec.function);
  const listed = new Map<string, Set<string>>();
  const isThere = async (file: string): Promise<boolean> => {
    const parent = dirname(file);
    let names = listed.get(parent);
    if (!names) {
      names = new Set(await readdir(join(folder, parent)).catch(() => []));
      listed.set(parent, names);
    }
    return names.has(file.slice(parent.length + 1));
  };
  const indices: number[] = [];
  for (let index = 0; index < spec.grid.tiles; index++) {
    for (const file of kind.files(spec, index)) {
      if (await isThere(file)) continue;
      indices.push(index);
      break;
    }
  }
  return indices;
}

/** Bytes of all outputs, as they will be when all is done; states are small beside them. */
export function outputBytes(spec: Spec): number {
  const arrays = kindOf(spec.function).arrays(spec);
  const each = { float32: 4, float64: 8, int32: 4 };
  const whole = arrays.reduce(
    (sum, { type, shape, chunk }) =>
      sum +
      each[type] *
        shape.reduce((product, size, k) => product * Math.ceil(size / (chunk[k] as number)) * (chunk[k] as number), 1),
    0,
  );
  return spec.output === "npy" ? 2 * whole : whole;
}

/** An error before work starts if what is missing does not fit on the disk. */
export async function checkSpace(spec: Spec, data: string, tiles: number): Promise<void> {
  const { bavail, bsize } = await statfs(data);
  const wanted = (outputBytes(spec) * tiles) / spec.grid.tiles;
  if (wanted > bavail * bsize)
    throw new ClusterError(
      `${data}: the output takes ${inWords(wanted)}, but ${inWords(bavail * bsize)} are free: free some space or choose another --data`,
    );
}

export function inWords(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** What a job came to. */
export interface Result {
  readonly id: string;
  readonly function: string;
  /** Where the job's folder is. */
  readonly folder: string;
  /** Zarr arrays, or .npy files, by what they hold, from the folder on. */
  readonly arrays?: Readonly<Record<string, string>> | undefined;
  /** Of jobs that come to numbers. */
  readonly value?: number | undefined;
  readonly [reading: string]: unknown;
}

/** Ends a job whose tiles are all there: merges states, writes .npy files and result.json, and sweeps what killed workers left. */
export async function finish(spec: Spec, data: string, id: string): Promise<Result> {
  const folder = folderOf(data, id);
  const kind = kindOf(spec.function);
  const result: Record<string, unknown> = { id, function: spec.function };
  const arrays = kind.arrays(spec);
  if (arrays.length > 0) {
    const suffix = spec.output === "npy" ? ".npy" : "";
    result["arrays"] = Object.fromEntries(arrays.map(({ name }) => [name, name + suffix]));
    if (spec.output === "npy") for (const array of arrays) await writeNpy(folder, array);
  } else Object.assign(result, await kind.merge?.(spec, statesIn(spec, folder)));
  await commit(folder, [pieceOf("result.json", Buffer.from(`${jsonOf(result, 2)}\n`))]);
  await rm(join(folder, "tmp"), { recursive: true, force: true });
  return { ...result, folder } as unknown as Result;
}

async function* statesIn(spec: Spec, folder: string): AsyncIterable<unknown> {
  for (let index = 0; index < spec.grid.tiles; index++) {
    const path = join(folder, stateName(index));
    let state: unknown;
    try {
      state = JSON.parse(await readFile(path, "utf8"));
    } catch (error) {
      throw damaged(path, error);
    }
    yield state;
  }
}

function damaged(path: string, cause: unknown): ClusterError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new ClusterError(`${path}: is damaged (${what}); delete it and run again`, { cause });
}

/** Reads all that a buffer holds: a read may give less. */
async function readAll(path: string, into: Uint8Array, from: number): Promise<void> {
  try {
    const handle = await open(path);
    try {
      for (let done = 0; done < into.length; ) {
        const { bytesRead } = await handle.read(into, done, into.length - done, from + done);
        if (bytesRead === 0) throw new Error(`it ends at byte ${from + done}`);
        done += bytesRead;
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw damaged(path, error);
  }
}

/** A row of chunks is held at a time. */
async function writeNpy(folder: string, { name, type, shape, chunk }: ArrayOutput): Promise<void> {
  const target = join(folder, `${name}.npy`);
  if (
    await access(target).then(
      () => true,
      () => false,
    )
  )
    return;
  const [rows, columns] = shape as [number, number];
  const [down, across] = chunk as [number, number];
  const each = type === "float64" ? 8 : 4;
  const tmp = join(folder, "tmp", randomUUID());
  let handle: FileHandle | undefined;
  try {
    await mkdir(dirname(tmp), { recursive: true });
    handle = await open(tmp, "wx");
    await handle.writeFile(npyHeader(type, shape));
    for (let i = 0; i * down < rows; i++) {
      const count = Math.min(down, rows - i * down);
      // a row of chunks may be long: some rows of it at a time
      const chunks: (readonly [path: string, from: number, width: number])[] = [];
      for (let j = 0; j * across < columns; j++)
        chunks.push([
          join(folder, name, "c", `${i}`, `${j}`),
          j * across * each,
          Math.min(across, columns - j * across) * each,
        ]);
      const some = Math.max(1, Math.min(count, Math.floor(2 ** 24 / (columns * each))));
      for (let r = 0; r < count; r += some) {
        const here = Math.min(some, count - r);
        const band = Buffer.alloc(here * columns * each);
        for (const [path, from, width] of chunks) {
          const piece = Buffer.alloc(here * across * each);
          await readAll(path, piece, r * across * each);
          for (let q = 0; q < here; q++)
            piece.copy(band, q * columns * each + from, q * across * each, q * across * each + width);
        }
        await handle.writeFile(band);
      }
    }
    await handle.sync();
    await rename(tmp, target);
    await syncFolder(folder);
  } catch (error) {
    // half a file on a full disk would leave less for the next run
    await rm(tmp, { force: true });
    if (isSwept(error, [target])) return;
    throw during(target, error);
  } finally {
    await handle?.close();
  }
}
