/** Rows, pieces of rows and pairs of rows: by the quickest way that is exact enough. */
import { ALL, FINISH, GRADIENT, LOGITS, NORMALIZE, WRITE } from "./codes";
import { quick } from "./quick";
import { quickLogits } from "./quickLogits";
import { wide } from "./wide";

/** All steps of a row in f64. */
const EVERY = 255;

/** The value of a row; with the gradients, if the flags say so. */
function rowValue<T>(p: usize, q: usize, gp: usize, gq: usize, n: i32, kind: i32, flags: i32, temperature: f64, scale: f64): f64 {
  let value: f64 = NaN;
  if (!(flags & (LOGITS | GRADIENT))) value = quick<T>(p, q, n, kind, (flags & NORMALIZE) != 0);
  else if (sizeof<T>() == 4 && (flags & (LOGITS | NORMALIZE | GRADIENT)) == (LOGITS | NORMALIZE)) {
    // of few outcomes nothing averages the errors of p and q, which may come to 1e-6
    if (temperature >= 1e-8 && temperature <= 1e8 && n >= 16) value = quickLogits(p, q, n, kind, temperature);
  }
  if (value == value) return value;
  value = wide(sizeof<T>(), p, q, gp, gq, n, kind, flags, temperature, scale, flags & GRADIENT ? EVERY : EVERY - WRITE);
  return n == 1 && flags & NORMALIZE ? value * 0 : value; // one outcome: 0 or NaN
}

/** Rows of n elements at p and q: values (f64) at `results`, gradients times `scale` at gp and gq. `steps` for a row in pieces. */
export function divergence<T>(p: usize, q: usize, gp: usize, gq: usize, results: usize, rows: i32, n: i32, kind: i32, flags: i32, temperature: f64, scale: f64, steps: i32): void {
  if (steps != ALL) {
    const value = wide(sizeof<T>(), p, q, gp, gq, n, kind, flags, temperature, scale, steps);
    if (steps & FINISH) store<f64>(results, value);
    return;
  }
  const row = <usize>n * sizeof<T>();
  for (; rows > 0; rows--, results += 8) {
    store<f64>(results, rowValue<T>(p, q, gp, gq, n, kind, flags, temperature, scale));
    p += row;
    q += row;
    gp += row;
    gq += row;
  }
}

/** Every row at p against every row at q: results[i·stride + j] = value·scale, or its root. */
export function pairwise<T>(p: usize, q: usize, results: usize, rows: i32, columns: i32, stride: i32, n: i32, kind: i32, flags: i32, scale: f64, root: bool): void {
  const row = <usize>n * sizeof<T>();
  for (; rows > 0; rows--, p += row, results += <usize>stride * sizeof<T>()) {
    for (let j = 0; j < columns; j++) {
      const v = rowValue<T>(p, q + <usize>j * row, 0, 0, n, kind, flags, 1, 0) * scale;
      store<T>(results + <usize>j * sizeof<T>(), <T>(root ? Math.sqrt(v) : v));
    }
  }
}
