/** The two matrix products of a dense layer, over row-major matrices, in plain loops: a GEMM can take their place. */

/** y = x·wᵀ: `[n, k]` and `[m, k]` to `[n, m]`. */
export function timesTransposed(x: Float32Array, w: Float32Array, y: Float32Array, k: number): void {
  const [n, m] = [x.length / k, w.length / k];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += (x[i * k + l] as number) * (w[j * k + l] as number);
      y[i * m + j] = sum;
    }
  }
}

/** g = dᵀ·x: `[n, m]` and `[n, k]` to `[m, k]`. */
export function transposedTimes(d: Float32Array, x: Float32Array, g: Float32Array, k: number): void {
  const n = x.length / k;
  const m = d.length / n;
  g.fill(0);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const scale = d[i * m + j] as number;
      for (let l = 0; l < k; l++) g[j * k + l] = (g[j * k + l] as number) + scale * (x[i * k + l] as number);
    }
  }
}
