/** What others have, as their current versions say; docs and exports were read on the day below. */

export const CHECKED = "2026-11-22";

export const OTHERS = [
  ["tfjs, wasm", "4.22.0"],
  ["onnxruntime-web", "1.30.0"],
  ["NumKong", "7.6.0"],
  ["numpy-ts", "1.7.0"],
  ["ml.js", "8.0.0"],
  ["mathjs", "15.2.0"],
] as const;

/** `●` one call; `○` composed of several, or a part of it; blank: not there. surprisal first, then OTHERS. */
export const FEATURES: readonly (readonly [string, ...string[]])[] = [
  ["softmax, log-softmax along any axis", "●", "○", "●", "", "", "", ""],
  ["log-sum-exp", "●", "●", "●", "", "○", "", ""],
  ["cross-entropy with classes, weights, smoothing", "●", "○", "○", "", "", "", ""],
  ["its gradient in the same call", "●", "○", "", "", "", "", ""],
  ["KL and JS divergence", "●", "○", "○", "●", "○", "●", "○"],
  ["KL exact where p ≈ q", "●", "", "", "", "", "", ""],
  ["Gram and kernel matrices", "●", "○", "○", "●", "○", "●", "○"],
  ["k nearest, exact, no n×m matrix", "●", "", "", "", "", "○", ""],
  ["optimal transport: exact, Sinkhorn, on the line", "●", "", "", "", "", "", ""],
  ["means over batches, the same bits in any order", "●", "", "", "", "", "", ""],
  ["f64 beside f32", "●", "", "●", "●", "●", "●", "●"],
  ["SIMD in the browser", "●", "●", "●", "●", "●", "", ""],
  ["synchronous, no set-up call", "●", "", "", "○", "●", "●", "●"],
  ["any network, layers and all", "", "●", "●", "", "", "○", ""],
  ["n-dimensional arrays with arithmetic", "", "●", "○", "○", "●", "○", "●"],
];
