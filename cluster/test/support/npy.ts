/** Writes .npy files. */
import { writeFileSync } from "node:fs";
import { npyHeader } from "../../src/inputs/npy.ts";

export function saveNpy(
  path: string,
  values: Float32Array | Float64Array | Int32Array,
  shape: readonly number[],
): void {
  const type = values instanceof Float32Array ? "float32" : values instanceof Float64Array ? "float64" : "int32";
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  writeFileSync(path, Buffer.concat([npyHeader(type, shape), bytes]));
}

/** Uniform numbers of [0, 1), the same ones for a seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function uniform(seed: number, length: number, type: "f32" | "f64"): Float32Array | Float64Array {
  const next = random(seed);
  const values = new (type === "f32" ? Float32Array : Float64Array)(length);
  return values.map(() => next()) as typeof values;
}
