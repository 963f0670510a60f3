import type { Dtype, FloatArray } from "./harness.ts";

export const floats = (dtype: Dtype, length: number): FloatArray =>
  dtype === "f32" ? new Float32Array(length) : new Float64Array(length);

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Numbers from N(0, sigma), the same for the same seed. */
export function normals(dtype: Dtype, length: number, { sigma = 1, seed = 1 } = {}): FloatArray {
  const next = mulberry32(seed);
  return floats(dtype, length).map(() => sigma * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()));
}

/** Uniform in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
