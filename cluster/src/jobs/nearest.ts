/**
 * The k nearest rows: a tile is a block of rows of x, which meets all of y block by block and keeps the best, in the order of `nearest`:
 * by value, then by index, NaN last. So there is nothing to merge, and what is kept is the result.
 */
import { nearest } from "surprisal";
import { ClusterError } from "../errors.ts";
import { blocksOf, edgeOf, spanOf } from "./grid.ts";
import { type Asked, bytesIn, bytesOf, type FloatArray, highest, type Kind, pieceOf, sizeOf } from "./types.ts";

const otherOf = (job: Asked): string => (job.inputs["y"] ? "y" : "x");

/** Of k unless it is given. */
const kOf = ({ options }: Asked): number => (options["k"] as number | undefined) ?? 1;

/** Of rows that are made products the values are f64 before they are rounded, and compared so: f32 is widened, which changes none. */
const isByProducts = ({ options }: Asked): boolean => options["metric"] !== "kl" && options["metric"] !== "js";

/** Bytes of a neighbour that is kept, and of one that is found. */
const KEPT = 12;

/** The best so far of one row. */
interface Best {
  readonly values: Float64Array;
  readonly indices: Int32Array;
  length: number;
}

/** Adds candidates, sorted and all of higher indices than those there, from index `at` on. `sign` −1: the largest first. */
function take(
  best: Best,
  k: number,
  values: FloatArray,
  indices: Int32Array,
  at: number,
  count: number,
  first: number,
  sign: number,
): void {
  const before = (a: number, b: number): boolean => (Number.isNaN(b) ? !Number.isNaN(a) : sign * a < sign * b);
  for (let e = at; e < at + count; e++) {
    const value = values[e] as number;
    if (best.length === k && !before(value, best.values[k - 1] as number)) return;
    let to = Math.min(best.length, k - 1);
    for (; to > 0 && before(value, best.values[to - 1] as number); to--) {
      best.values[to] = best.values[to - 1] as number;
      best.indices[to] = best.indices[to - 1] as number;
    }
    best.values[to] = value;
    best.indices[to] = first + (indices[e] as number);
    best.length = Math.min(best.length + 1, k);
  }
}

export const nearestRows: Kind = {
  inputs: ["x"],
  optional: ["y"],
  divided: true,
  check: (job) => {
    const [n, d] = sizeOf(job, "x");
    const others = job.inputs["y"] ? sizeOf(job, "y")[0] : n - 1;
    const k = kOf(job);
    if (!(Number.isInteger(k) && k >= 1 && k <= others))
      throw new ClusterError(
        `nearest: "k" must be an integer from 1 to ${others}, the rows there are to choose from, got ${k}`,
      );
    const ones = new Float64Array(2 * d).fill(1);
    nearest(ones, undefined, { ...job.options, k: 1, shape: [2, d] });
  },
  // what is kept of a block's rows and found is at most half of what the block may take
  edge: (job) => {
    const each = isByProducts(job) ? 8 : bytesOf(job, "x");
    return edgeOf(Math.max(sizeOf(job, "x")[1], Math.ceil((kOf(job) * 4 * KEPT) / each)), each);
  },
  tiles: (job, edge) => blocksOf(sizeOf(job, "x")[0], edge),
  arrays: (spec) => {
    const [n] = sizeOf(spec, "x");
    const [shape, chunk] = [n, Math.min(spec.grid.edge, n)].map((rows) => [rows, kOf(spec)]) as [number[], number[]];
    const type = bytesOf(spec, "x") === 4 ? "float32" : "float64";
    return [
      { name: "indices", type: "int32", shape, chunk },
      { name: "values", type, shape, chunk },
    ];
  },
  files: (_, index) => [`indices/c/${index}/0`, `values/c/${index}/0`],
  tile: async (spec, index, { on, room, read }) => {
    const { edge } = spec.grid;
    const k = kOf(spec);
    const other = otherOf(spec);
    const [n, d] = sizeOf(spec, "x");
    const [m] = sizeOf(spec, other);
    const [from, rows] = spanOf(index, edge, n);
    const sign = spec.options["metric"] === "dot" ? -1 : 1;
    const wide = (values: FloatArray, place: string): FloatArray => {
      if (!isByProducts(spec) || values instanceof Float64Array) return values;
      const widened = room.floats(`${place} in f64`, 8, values.length);
      widened.set(values);
      return widened;
    };
    // what is widened is read to where the next is
    const raw = (place: string): string => (isByProducts(spec) && bytesOf(spec, "x") === 4 ? "raw" : place);
    const x = wide(await read("x", from, rows, raw("x")), "x");
    const best: Best[] = Array.from({ length: rows }, () => ({
      values: new Float64Array(k),
      indices: new Int32Array(k),
      length: 0,
    }));
    for (let j = 0; j < blocksOf(m, edge); j++) {
      const [start, count] = spanOf(j, edge, m);
      // rows among themselves: each without itself
      const own = other === "x" && j === index;
      const most = Math.min(k, own ? count - 1 : count);
      if (most === 0) continue;
      const y = own ? undefined : wide(await read(other, start, count, raw("y")), "y");
      const options = { ...spec.options, k: most, shape: [rows, d], ...(y && { yShape: [count, d] }) };
      const found = await on.nearest(x, y, options);
      for (let r = 0; r < rows; r++) take(best[r] as Best, k, found.values, found.indices, r * most, most, start, sign);
    }
    const height = Math.min(edge, n);
    const indices = new Int32Array(height * k);
    const values = new (bytesOf(spec, "x") === 4 ? Float32Array : Float64Array)(height * k);
    best.forEach((one, r) => {
      indices.set(one.indices, r * k);
      values.set(one.values, r * k);
    });
    return [pieceOf(`indices/c/${index}/0`, bytesIn(indices)), pieceOf(`values/c/${index}/0`, bytesIn(values))];
  },
  bytes: (spec) => {
    const [, d] = sizeOf(spec, "x");
    const rows = [highest(spec, "x"), highest(spec, otherOf(spec))] as const;
    const each = bytesOf(spec, "x");
    const raw = isByProducts(spec) && each === 4 ? Math.max(...rows) * d * each : 0;
    return (rows[0] + rows[1]) * d * (raw > 0 ? 8 : each) + raw + rows[0] * kOf(spec) * 2 * KEPT;
  },
  pairs: (spec) => sizeOf(spec, "x")[0] * sizeOf(spec, otherOf(spec))[0],
};
