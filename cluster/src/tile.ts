/** One tile: a pure function of the spec, its index and the bytes of the inputs. Runs in a thread of its own, as kernels block. */
import { join } from "node:path";
import { info, initSync } from "surprisal";
import { ClusterError, during } from "./errors.ts";
import { commit, folderOf, isDone, specIn, type Trace } from "./folder.ts";
import { HERE } from "./functions.ts";
import { digestOf, openInput, stampOf } from "./inputs/open.ts";
import type { Column } from "./inputs/types.ts";
import {
  type FloatArray,
  type Functions,
  highest,
  type InputSpec,
  type Piece,
  type Spec,
  type Tools,
} from "./jobs/types.ts";
import { checkTile, ROOM } from "./memory.ts";
import { TILE_BYTES } from "./names.ts";
import { Room } from "./room.ts";
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

/** Makes tiles, of which several may be on the way: what a thread has for them. */
export class Maker {
  readonly #on: Functions;
  readonly #shared: boolean;
  readonly #most: number;
  readonly #least: number;
  /** Rooms that no tile is in. */
  readonly #free: Room[] = [];

  /** `shared`: for functions of a pool. `most`: bytes that the arrays of a tile may take. */
  constructor(on: Functions = HERE, shared = false, most = Infinity, least = ROOM) {
    this.#on = on;
    this.#least = least;
    this.#shared = shared;
    this.#most = most;
  }

  /** Shows the files of a tile to `use`, while they are there. */
  async make<T>(spec: Spec, index: number, data: string, use: (pieces: readonly Piece[]) => Promise<T>): Promise<T> {
    checkIndex(spec, index);
    checkVersion(spec);
    if (info().variant !== spec.variant) initSync({ variant: spec.variant });
    const columns = new Map<string, Column>();
    let held = 0;
    for (const [name, input] of Object.entries(spec.inputs)) {
      const column = await openChecked(data, input);
      columns.set(name, column);
      held = Math.max(held, column.held(highest(spec, name)));
    }
    const bytes = kindOf(spec.function).bytes(spec);
    checkTile(spec, bytes + held, this.#most);
    const room = (this.#free.pop() ?? new Room(this.#shared, this.#least)).begin(bytes);
    const read: Tools["read"] = async (name, from, count, place) => {
      const { shape, type } = spec.inputs[name] as InputSpec;
      const into = place === undefined ? undefined : room.elements(place, type, count * (shape[1] ?? 1));
      return (await (columns.get(name) as Column).rows(from, count, into)) as FloatArray;
    };
    try {
      return await use(await kindOf(spec.function).tile(spec, index, { on: this.#on, room, read }));
    } finally {
      this.#free.push(room);
    }
  }

  /** Makes a tile and puts it where it belongs; one that is there is left alone. What workers of all kinds do. */
  async work(data: string, id: string, index: number, trace?: Trace): Promise<"made" | "there"> {
    const spec = await specIn(data, id);
    checkIndex(spec, index);
    const folder = folderOf(data, id);
    if (isDone(spec, folder, index)) return "there";
    trace?.("claimed");
    try {
      await this.make(spec, index, data, async (pieces) => {
        trace?.("computed");
        await commit(folder, pieces, trace);
      });
    } catch (error) {
      throw new ClusterError(`tile ${index} of ${spec.function}: ${during(folder, error).message}`, { cause: error });
    }
    trace?.("committed");
    return "made";
  }
}

/** The maker of this thread: a worker says in its environment what a tile may take. */
const maker = new Maker(HERE, false, Number(process.env[TILE_BYTES] ?? Infinity));

/** The files of a tile, and nothing else happens. */
export function tile(spec: Spec, index: number, data: string): Promise<readonly Piece[]> {
  // they are the caller's to keep
  return new Maker(HERE, false, Infinity, 0).make(spec, index, data, async (pieces) => pieces);
}

/** Makes a tile in this thread and puts it where it belongs; one that is there is left alone. */
export function work(data: string, id: string, index: number, trace?: Trace): Promise<"made" | "there"> {
  return maker.work(data, id, index, trace);
}
