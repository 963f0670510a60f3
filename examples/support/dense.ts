/** The three matrix products of a dense layer, over row-major matrices; all are X·Yᵀ, the linear kernel. */
import { kernelMatrix } from "surprisal";

/** y = x·wᵀ: `[n, k]` and `[m, k]` to `[n, m]`. */
export function timesTransposed(x: Float32Array, w: Float32Array, y: Float32Array, k: number): void {
  const [n, m] = [x.length / k, w.length / k];
  kernelMatrix(x, w, { kernel: "linear", shape: [n, k], yShape: [m, k], out: y });
}

/** g = dᵀ·x: `[n, m]` and `[n, k]` to `[m, k]`. */
export function transposedTimes(d: Float32Array, x: Float32Array, g: Float32Array, k: number): void {
  const n = x.length / k;
  timesTransposed(transposed(d, n), transposed(x, n), g, n);
}

/** d·w: `[n, m]` and `[m, k]` to `[n, k]`. */
export function times(d: Float32Array, w: Float32Array, k: number): Float32Array {
  const m = w.length / k;
  const y = new Float32Array((d.length / m) * k);
  timesTransposed(d, transposed(w, m), y, m);
  return y;
}

/** Of n rows. */
function transposed(x: Float32Array, n: number): Float32Array {
  const k = x.length / n;
  const t = new Float32Array(x.length);
  for (let j = 0; j < k; j++) for (let i = 0; i < n; i++) t[j * n + i] = x[i * k + j] as number;
  return t;
}
