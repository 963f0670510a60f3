/** One tile: a pure function of the spec, its index and the bytes of the inputs. Runs in a thread of its own, as kernels block. */
import { join } from "node:path";
import { info, initSync } from "surprisal";
import { ClusterError, during } from "./errors.ts";
import { commit, folderOf, isDone, specIn, type Trace } from "./folder.ts";
import { HERE } from "./functions.ts";
import { digestOf, openInput, stampOf } from "./inputs/open.ts";
import type { Column } from "./inputs/types.ts";
import { forget } from "./jobs/centring.ts";
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

/** An input whose digest was taken, when its file looked so. */
interface Checked {
  readonly stamp: string;
  readonly sha256: string;
  readonly column: Column;
}

/** Inputs that are known to be those of their specs: digests by path, with what the file looked like then. */
const known = new Map<string, Checked>();

/** An input, after its bytes have been compared with the digest in the spec. Asked for again, a file that looks the same is taken as it was. */
async function openChecked(data: string, { path, columns, sha256, shape, type }: InputSpec): Promise<Checked> {
  const full = join(data, path);
  const key = `${full}\0${columns?.join("\0")}`;
  const stamp = await stampIn(data, path);
  const before = known.get(key);
  if (before?.stamp === stamp && before.sha256 === sha256) return before;
  const found = await digestOf(full);
  if (found !== sha256)
    throw new ClusterError(
      `${path}: has changed since the job began (sha-256 ${found.slice(0, 12)}…, not ${sha256.slice(0, 12)}…): put it back, or run the job anew`,
    );
  const column = await openInput(data, { path, columns });
  if (column.type !== type || column.shape.join() !== shape.join())
    throw new ClusterError(`${path}: is not of the shape in the spec`);
  const checked = { stamp, sha256, column };
  known.set(key, checked);
  return checked;
}

function stampIn(data: string, path: string): Promise<string> {
  return stampOf(join(data, path)).catch((error) => {
    throw during(path, error);
  });
}

/** An error if a file does not look as it did when its bytes were compared. */
async function checkUnchanged(data: string, { path }: InputSpec, { stamp }: Checked): Promise<void> {
  if ((await stampIn(data, path)) === stamp) return;
  forget();
  throw new ClusterError(`${path}: was changed while a tile was made of it: put it back, or run the job anew`);
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
    const opened = new Map<string, Checked>();
    let held = 0;
    for (const [name, input] of Object.entries(spec.inputs)) {
      const checked = await openChecked(data, input);
      opened.set(name, checked);
      held = Math.max(held, checked.column.held(highest(spec, name)));
    }
    const bytes = kindOf(spec.function).bytes(spec);
    checkTile(spec, bytes + held, this.#most);
    const room = (this.#free.pop() ?? new Room(this.#shared, this.#least)).begin(bytes);
    const read: Tools["read"] = async (name, from, count, place) => {
      const { shape, type } = spec.inputs[name] as InputSpec;
      const into = place === undefined ? undefined : room.elements(place, type, count * (shape[1] ?? 1));
      return (await (opened.get(name) as Checked).column.rows(from, count, into)) as FloatArray;
    };
    try {
      const pieces = await kindOf(spec.function).tile(spec, index, { on: this.#on, room, read });
      // rows may have been read before and after a change
      for (const [name, input] of Object.entries(spec.inputs))
        await checkUnchanged(data, input, opened.get(name) as Checked);
      return await use(pieces);
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
