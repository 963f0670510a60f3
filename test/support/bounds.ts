/**
 * The largest errors promised, in ULP, of every elementary function over all its inputs, fused and unfused.
 * The tests hold the code to them and docs/accuracy.json sets the measured maxima beside them.
 */
export const BOUNDS = {
  exp: { f32: 1.02, f64: 1.1 },
  expm1: { f32: 1.5, f64: 1.5 },
  log: { f32: 1.0, f64: 1.1 },
  log1p: { f32: 1.0, f64: 1.1 },
} as const;
