import { uniforms } from "../../../examples/support/random.ts";

/** Uniform numbers of [0, 1), the same ones for a seed. */
export function uniform(seed: number, length: number, type: "f32" | "f64"): Float32Array | Float64Array {
  const next = uniforms(seed);
  const values = new (type === "f32" ? Float32Array : Float64Array)(length);
  return values.map(() => next()) as typeof values;
}
