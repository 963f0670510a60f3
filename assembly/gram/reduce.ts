/**
 * What rows of a matrix become that is seen tile by tile, from left to right:
 *
 *     weigh        sums[i, q] += Σⱼ C[i, j]·v[q, j]
 *     exponents    of log Σⱼ e^{factor·C[i, j] + logs[j]}: relative to the maximum that the row has had so far
 *
 * A row is cut into runs of RUN columns, wherever its tiles end: these begin at multiples of it. A run is summed in f64, in four chains at least,
 * and added to a compensated sum: with RUN/4 + 3 roundings of 2^−53 relative to Σ|C·v|, whatever the number of columns.
 */
import { groupLength, half, join, lanes, madd, splat, tailMask, VECTOR } from "../lanes";
import { addTo, SUM_BYTES } from "../sum";
import { RUN } from "./codes";

/** Halves of a vector. */
// @ts-ignore: decorator
@inline
function halves<T>(): usize {
  return sizeof<T>() == 4 ? 2 : 1;
}

/** Σ C·v of the `count` columns of a run, two vectors at a time. */
// @ts-ignore: decorator
@inline
function runOf<T>(c: usize, v: usize, count: i32): v128 {
  let s0 = splat<f64>(0),
    s1 = s0,
    s2 = s0,
    s3 = s0;
  for (; count > 0; count -= 2 * lanes<T>()) {
    const left = min(count, groupLength<T>());
    const c0 = v128.and(v128.load(c), tailMask<T>(left, 0)),
      c1 = v128.and(v128.load(c, 16), tailMask<T>(left, 1));
    const w = v + halves<T>() * VECTOR;
    s0 = madd<f64>(half<T>(c0, 0), v128.load(v), s0);
    s1 = madd<f64>(half<T>(c1, 0), v128.load(w), s1);
    if (sizeof<T>() == 4) {
      s2 = madd<f64>(half<T>(c0, 1), v128.load(v, 16), s2);
      s3 = madd<f64>(half<T>(c1, 1), v128.load(w, 16), s3);
    }
    c += 2 * VECTOR;
    v += halves<T>() * 2 * VECTOR;
  }
  return v128.add<f64>(v128.add<f64>(s0, s1), v128.add<f64>(s2, s3));
}

/** Rows of C, ldc elements apart, with p rows of v, f64 and ldv apart, 0 from the last column to the end of its group. */
export function weigh<T>(
  c: usize,
  ldc: usize,
  rows: i32,
  columns: i32,
  v: usize,
  ldv: usize,
  p: i32,
  sums: usize,
): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j += RUN) {
      const count = min(RUN, columns - j);
      let sum = sums;
      for (let q = 0; q < p; q++) {
        addTo<f64>(sum, runOf<T>(c + <usize>j * sizeof<T>(), v + ((<usize>q * ldv + <usize>j) << 3), count));
        sum += SUM_BYTES;
      }
    }
    c += ldc * sizeof<T>();
    sums += <usize>p * SUM_BYTES;
  }
}

/** t = factor·C + logs of a half of a vector. */
// @ts-ignore: decorator
@inline
function exponent<T>(c: usize, h: usize, factor: v128, logs: usize): v128 {
  return v128.add<f64>(v128.mul<f64>(half<T>(v128.load(c), <i32>h), factor), v128.load(logs + h * VECTOR));
}

/**
 * C ← factor·C + logs − m, in place: m, the maximum of its row and of maxima[i], takes the place of that, and falls[i] is by how much
 * that was less. `logs` has an f64 for each column, −∞ from the last to the end of its vector. NaN is passed over; where all are −∞
 * they stay so.
 */
export function exponents<T>(
  c: usize,
  ldc: usize,
  rows: i32,
  columns: i32,
  logs: usize,
  factor: f64,
  maxima: usize,
  falls: usize,
): void {
  const f = splat<f64>(factor);
  for (let i = 0; i < rows; i++) {
    const end = c + <usize>columns * sizeof<T>();
    const before = load<f64>(maxima);
    let most = splat<f64>(before);
    for (let p = c, l = logs; p < end; p += VECTOR, l += halves<T>() * VECTOR)
      for (let h: usize = 0; h < halves<T>(); h++) most = v128.pmax<f64>(most, exponent<T>(p, h, f, l));
    const m = max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1));
    store<f64>(maxima, m);
    const shift = splat<f64>(m == -Infinity ? 0 : m);
    store<f64>(falls, m == before ? 0 : before - m);
    for (let p = c, l = logs; p < end; p += VECTOR, l += halves<T>() * VECTOR) {
      const low = v128.sub<f64>(exponent<T>(p, 0, f, l), shift);
      v128.store(p, join<T>(low, sizeof<T>() == 4 ? v128.sub<f64>(exponent<T>(p, 1, f, l), shift) : low));
    }
    c += ldc * sizeof<T>();
    maxima += 8;
    falls += 8;
  }
}
