/**
 * The k nearest rows: a tile is a block of rows of x, which meets all of y block by block and keeps the best, in the order of `nearest`:
 * by value, then by index, NaN last. So there is nothing to merge, and what is kept is the result.
 */
import { nearest } from "surprisal";
import { ClusterError } from "../errors.ts";
import { blocksOf, edgeOf, spanOf } from "./grid.ts";
import { type Asked, bytesIn, bytesOf, type FloatArray, type Kind, sizeOf } from "./types.ts";

const otherOf = (job: Asked): string => (job.inputs["y"] ? "y" : "x");

/** Of k unless it is given. */
const kOf = ({ options }: Asked): number => (options["k"] as number | undefined) ?? 1;

/** Of rows that are made products the values are f64 before they are rounded, and compared so: f32 is widened, which changes none. */
const isByProducts = ({ options }: Asked): boolean => options["metric"] !== "kl" && options["metric"] !== "js";

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
  edge: (job) => edgeOf(sizeOf(job, "x")[1], isByProducts(job) ? 8 : bytesOf(job, "x")),
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
  tile: async (spec, index, read) => {
    const { edge } = spec.grid;
    const k = kOf(spec);
    const other = otherOf(spec);
    const [n, d] = sizeOf(spec, "x");
    const [m] = sizeOf(spec, other);
    const [from, rows] = spanOf(index, edge, n);
    const sign = spec.options["metric"] === "dot" ? -1 : 1;
    const wide = (values: FloatArray): FloatArray => (isByProducts(spec) ? Float64Array.from(values) : values);
    const x = wide(await read("x", from, rows));
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
      const y = own ? undefined : wide(await read(other, start, count));
      const options = { ...spec.options, k: most, shape: [rows, d], ...(y && { yShape: [count, d] }) };
      const found = nearest(x, y, options);
      for (let r = 0; r < rows; r++) take(best[r] as Best, k, found.values, found.indices, r * most, most, start, sign);
    }
    const height = Math.min(edge, n);
    const indices = new Int32Array(height * k);
    const values = new (bytesOf(spec, "x") === 4 ? Float32Array : Float64Array)(height * k);
    best.forEach((one, r) => {
      indices.set(one.indices, r * k);
      values.set(one.values, r * k);
    });
    return [
      { file: `indices/c/${index}/0`, bytes: bytesIn(indices) },
      { file: `values/c/${index}/0`, bytes: bytesIn(values) },
    ];
  },
  pairs: (spec) => sizeOf(spec, "x")[0] * sizeOf(spec, otherOf(spec))[0],
};
