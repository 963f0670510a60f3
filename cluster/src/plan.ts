/** What a job is before it is run: its tiles, its bytes, and the hours it will take, from one tile that is made and thrown away. */
import { resolve } from "node:path";
import { folderOf, missing, outputBytes } from "./folder.ts";
import { TYPES } from "./inputs/types.ts";
import { idOf, kindOf, type Request, specOf } from "./spec.ts";
import { Maker } from "./tile.ts";

export interface Plan {
  readonly id: string;
  readonly tiles: number;
  /** Of these, those that are not there yet. */
  readonly missing: number;
  /** Rows of a block. */
  readonly edge: number;
  /** Pairs of rows, or rows of a meter. */
  readonly pairs: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** That the arrays of a tile take at most, in a worker's memory. */
  readonly tileBytes: number;
  /** Of one tile, on one core of this machine. */
  readonly secondsPerTile: number;
  /** Of all that are missing. */
  readonly coreHours: number;
}

export async function plan(request: Request, { data: given }: { readonly data: string }): Promise<Plan> {
  const data = resolve(given);
  const spec = await specOf(request, data);
  const id = idOf(spec);
  const { tiles, edge } = spec.grid;
  const left = (await missing(spec, folderOf(data, id))).length;
  // the second is timed: kernels are instantiated by the first
  const maker = new Maker();
  const timed = async (index: number): Promise<number> => {
    const start = performance.now();
    await maker.make(spec, index, data, async () => undefined);
    return (performance.now() - start) / 1000;
  };
  const first = await timed(0);
  const secondsPerTile = tiles > 1 && first < 60 ? await timed(Math.floor(tiles / 2)) : first;
  const inputBytes = Object.values(spec.inputs).reduce(
    (sum, { shape, type }) => sum + TYPES[type].bytes * shape.reduce((product, size) => product * size, 1),
    0,
  );
  return {
    id,
    tiles,
    missing: left,
    edge,
    pairs: kindOf(spec.function).pairs(spec),
    inputBytes,
    outputBytes: outputBytes(spec),
    tileBytes: kindOf(spec.function).bytes(spec),
    secondsPerTile,
    coreHours: (left * secondsPerTile) / 3600,
  };
}
