/** Rows, pieces of rows and pairs of rows: in one pass where that is exact enough. */
import { ALL, FINISH, KL, LOGS_P, LOGS_Q, NORMALIZE_P, NORMALIZE_Q, WRITE } from "./codes";
import { logs } from "./logs";
import { quick } from "./quick";
import { wide } from "./wide";

/** All steps of a row in f64. */
const EVERY = 255;
/** Both hold logarithms and are made to sum to 1. */
const LOGS = LOGS_P | LOGS_Q | NORMALIZE_P | NORMALIZE_Q;

/** The value of a row; with the gradients where gp, gq are not 0. */
function rowValue(
  width: usize,
  p: usize,
  q: usize,
  gp: usize,
  gq: usize,
  n: i32,
  kind: i32,
  flags: i32,
  temperatureP: f64,
  temperatureQ: f64,
  scale: f64,
): f64 {
  const distributions = (flags & NORMALIZE_P) != 0 && (flags & NORMALIZE_Q) != 0;
  const graded = (gp | gq) != 0;
  let value: f64 = NaN;
  if (!(flags & (LOGS_P | LOGS_Q))) {
    if (!graded) {
      value = width == 4 ? quick<f32>(p, q, n, kind, distributions) : quick<f64>(p, q, n, kind, distributions);
    }
  } else if (kind == KL && flags == LOGS && temperatureP == temperatureQ) {
    value = logs(width, p, q, gp, gq, n, temperatureP, scale);
  }
  if (value != value)
    value = wide(
      width,
      p,
      q,
      gp,
      gq,
      n,
      kind,
      flags,
      temperatureP,
      temperatureQ,
      scale,
      graded ? EVERY : EVERY - WRITE,
    );
  return n == 1 && distributions ? value * 0 : value; // one outcome: 0 or NaN
}

/**
 * Rows of n elements of `width` bytes at p and q: values (f64) at `results`, gradients times `scale` at gp and gq, each unless it is 0. `steps` for a row in
 * pieces. A temperature is 1 but for logits.
 */
export function divergence(
  width: usize,
  p: usize,
  q: usize,
  gp: usize,
  gq: usize,
  results: usize,
  rows: i32,
  n: i32,
  kind: i32,
  flags: i32,
  temperatureP: f64,
  temperatureQ: f64,
  scale: f64,
  steps: i32,
): void {
  if (steps != ALL) {
    const value = wide(width, p, q, gp, gq, n, kind, flags, temperatureP, temperatureQ, scale, steps);
    if (steps & FINISH) store<f64>(results, value);
    return;
  }
  const row = <usize>n * width;
  for (; rows > 0; rows--, results += 8) {
    store<f64>(results, rowValue(width, p, q, gp, gq, n, kind, flags, temperatureP, temperatureQ, scale));
    p += row;
    q += row;
    if (gp) gp += row;
    if (gq) gq += row;
  }
}

/** Every row at p against every row at q: results[i·stride + j] = value·scale, or its root. */
export function pairwise<T>(
  p: usize,
  q: usize,
  results: usize,
  rows: i32,
  columns: i32,
  stride: i32,
  n: i32,
  kind: i32,
  flags: i32,
  scale: f64,
  root: bool,
): void {
  const row = <usize>n * sizeof<T>();
  for (; rows > 0; rows--, p += row, results += <usize>stride * sizeof<T>()) {
    for (let j = 0; j < columns; j++) {
      const v = rowValue(sizeof<T>(), p, q + <usize>j * row, 0, 0, n, kind, flags, 1, 1, 0) * scale;
      store<T>(results + <usize>j * sizeof<T>(), <T>(root ? Math.sqrt(v) : v));
    }
  }
}
