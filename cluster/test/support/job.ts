/** A folder of a test's own, and jobs that are run in it by this thread alone: what everything else is compared with. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import FileSystemStore from "@zarrita/storage/fs";
import { afterAll } from "vitest";
import * as zarr from "zarrita";
import { finish, folderOf, prepare, type Result } from "../../src/folder.ts";
import { type Request, specOf } from "../../src/spec.ts";
import { work } from "../../src/tile.ts";

/** Removed when the file's tests are done. */
export function temporary(): string {
  const path = mkdtempSync(join(tmpdir(), "surprisal-cluster-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Every tile, in an order of the caller's. */
export async function runHere(
  request: Request,
  data: string,
  order = (indices: number[]): number[] => indices,
): Promise<Result> {
  const spec = await specOf(request, data);
  const id = await prepare(spec, data);
  for (const index of order(Array.from({ length: spec.grid.tiles }, (_, at) => at))) await work(data, id, index);
  return finish(spec, data, id);
}

export async function readArray(folder: string, name: string): Promise<Float32Array | Float64Array | Int32Array> {
  const array = await zarr.open(new FileSystemStore(join(folder, name)), { kind: "array" });
  return (await zarr.get(array, null)).data as unknown as Float32Array;
}

/** The sha-256 of each file of a job's folder; not of temporary ones, which a worker that was late may be writing still. */
export function bytesOfJob(data: string, id: string): Readonly<Record<string, string>> {
  const folder = folderOf(data, id);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const all = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1)).sort();
  const paths = all.filter((path) => !path.startsWith("tmp/"));
  return Object.fromEntries(
    paths.map((path) => [
      path,
      createHash("sha256")
        .update(readFileSync(join(folder, path)))
        .digest("hex"),
    ]),
  );
}
