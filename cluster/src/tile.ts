/** One tile: a pure function of the spec, its index and the bytes of the inputs. Runs in a thread of its own, as kernels block. */
import { join } from "node:path";
import { info, initSync } from "surprisal";
import { ClusterError, during } from "./errors.ts";
import { commit, folderOf, isDone, specIn, type Trace } from "./folder.ts";
import { digestOf, openInput, stampOf } from "./inputs/open.ts";
import type { Column } from "./inputs/types.ts";
import type { FloatArray, InputSpec, Piece, Read, Spec } from "./jobs/types.ts";
import { kindOf } from "./spec.ts";

/** An error if this is not the version whose bits the job is made of. */
export function checkVersion(spec: Spec): void {
  const { version } = info();
  if (spec.version !== version)
    throw new ClusterError(
      `the job is of surprisal ${spec.version}, this machine has ${version}: install surprisal@${spec.version} here, or run the job anew`,
    );
}

/** Inputs that are known to be those of their specs: digests by path, with what the file looked like then. */
const known = new Map<string, { readonly stamp: string; readonly sha256: string; readonly column: Column }>();

/** An input, after its bytes have been compared with the digest in the spec. Asked for again, a file that looks the same is taken as it was. */
async function openChecked(data: string, { path, columns, sha256, shape, type }: InputSpec): Promise<Column> {
  const full = join(data, path);
  const key = `${full}\0${columns?.join("\0")}`;
  const stamp = await stampOf(full).catch((error) => {
    throw during(path, error);
  });
  const before = known.get(key);
  if (before?.stamp === stamp && before.sha256 === sha256) return before.column;
  const found = await digestOf(full);
  if (found !== sha256)
    throw new ClusterError(
      `${path}: has changed since the job began (sha-256 ${found.slice(0, 12)}…, not ${sha256.slice(0, 12)}…): put it back, or run the job anew`,
    );
  const column = await openInput(data, { path, columns });
  if (column.type !== type || column.shape.join() !== shape.join())
    throw new ClusterError(`${path}: is not of the shape in the spec`);
  known.set(key, { stamp, sha256, column });
  return column;
}

function checkIndex({ grid: { tiles } }: Spec, index: number): void {
  if (!(Number.isInteger(index) && index >= 0 && index < tiles))
    throw new ClusterError(`tile ${index}: the job has the tiles 0 to ${tiles - 1}`);
}

/** The files of a tile, and nothing else happens. */
export async function tile(spec: Spec, index: number, data: string): Promise<readonly Piece[]> {
  checkIndex(spec, index);
  checkVersion(spec);
  if (info().variant !== spec.variant) initSync({ variant: spec.variant });
  const read: Read = async (name, from, count) => {
    const input = spec.inputs[name] as InputSpec;
    return (await (await openChecked(data, input)).rows(from, count)) as FloatArray;
  };
  return kindOf(spec.function).tile(spec, index, read);
}

/** Makes a tile and puts it where it belongs; one that is there is left alone. What workers of all kinds do. */
export async function work(data: string, id: string, index: number, trace?: Trace): Promise<"made" | "there"> {
  const spec = await specIn(data, id);
  checkIndex(spec, index);
  const folder = folderOf(data, id);
  if (isDone(spec, folder, index)) return "there";
  trace?.("claimed");
  try {
    const pieces = await tile(spec, index, data);
    trace?.("computed");
    await commit(folder, pieces, trace);
  } catch (error) {
    throw new ClusterError(`tile ${index} of ${spec.function}: ${during(folder, error).message}`, { cause: error });
  }
  trace?.("committed");
  return "made";
}
