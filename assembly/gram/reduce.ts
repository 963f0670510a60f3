/**
 * What rows of a matrix become that is seen tile by tile, from left to right:
 *
 *     weigh        sums[i, q] += Σⱼ C[i, j]·v[q, j]
 *     logSumExp    Lᵢ = log Σⱼ e^{factor·C[i, j] + logs[j]}, as a maximum and a sum relative to it
 *
 * A row is cut into runs of RUN columns, wherever its tiles end: these begin at multiples of it. A run is summed in f64, in eight chains,
 * and added to a compensated sum: with RUN/8 + 3 roundings of 2^−53 relative to Σ|C·v|, whatever the number of columns, and two more
 * for every run with a new maximum.
 */
import { groupLength, half, join, madd, splat, tailMask, VECTOR } from "../lanes";
import { exp } from "../math/exp";
import { addTo, clearSum, SUM_BYTES, totalOf } from "../sum";

/** Columns of a run: the RUN of src/place/blocks.ts. */
const RUN = 256;

/** Halves of a vector. */
// @ts-ignore: decorator
@inline
function halves<T>(): usize {
  return sizeof<T>() == 4 ? 2 : 1;
}

/** Σ C·v of the `count` columns of a run. */
// @ts-ignore: decorator
@inline
function runOf<T>(c: usize, v: usize, count: i32): v128 {
  let s0 = splat<f64>(0),
    s1 = s0,
    s2 = s0,
    s3 = s0;
  for (; count > 0; count -= groupLength<T>()) {
    const left = min(count, groupLength<T>());
    const c0 = v128.and(v128.load(c), tailMask<T>(left, 0)),
      c1 = v128.and(v128.load(c, 16), tailMask<T>(left, 1)),
      c2 = v128.and(v128.load(c, 32), tailMask<T>(left, 2)),
      c3 = v128.and(v128.load(c, 48), tailMask<T>(left, 3));
    s0 = madd<f64>(half<T>(c0, 0), v128.load(v), s0);
    s1 = madd<f64>(half<T>(c1, 0), v128.load(v + halves<T>() * 16), s1);
    s2 = madd<f64>(half<T>(c2, 0), v128.load(v + halves<T>() * 32), s2);
    s3 = madd<f64>(half<T>(c3, 0), v128.load(v + halves<T>() * 48), s3);
    if (sizeof<T>() == 4) {
      s0 = madd<f64>(half<T>(c0, 1), v128.load(v, 16), s0);
      s1 = madd<f64>(half<T>(c1, 1), v128.load(v, 48), s1);
      s2 = madd<f64>(half<T>(c2, 1), v128.load(v, 80), s2);
      s3 = madd<f64>(half<T>(c3, 1), v128.load(v, 112), s3);
    }
    c += 4 * VECTOR;
    v += halves<T>() * 4 * VECTOR;
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

/** Makes `count` sums 0. */
export function clearSums(sums: usize, count: i32): void {
  for (; count > 0; count--, sums += SUM_BYTES) clearSum(sums);
}

/** Their values, f64. */
export function totals(sums: usize, count: i32, to: usize): void {
  for (; count > 0; count--, sums += SUM_BYTES, to += 8) store<f64>(to, totalOf<f64>(sums));
}

/** t = factor·C + logs of a half of a vector. */
// @ts-ignore: decorator
@inline
function exponent<T>(c: v128, h: i32, factor: v128, logs: usize): v128 {
  return v128.add<f64>(v128.mul<f64>(half<T>(c, h), factor), v128.load(logs + <usize>h * 16));
}

/**
 * Of rows of C, ldc elements apart: maxima[i] and sums[i] take in their columns. `logs` has an f64 for each column, −∞ from the last to
 * the end of its vector. NaN makes its row NaN.
 */
export function logSumExp<T>(
  c: usize,
  ldc: usize,
  rows: i32,
  columns: i32,
  logs: usize,
  factor: f64,
  maxima: usize,
  sums: usize,
): void {
  const f = splat<f64>(factor);
  const zero = splat<f64>(0);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j += RUN) {
      const from = c + <usize>j * sizeof<T>();
      const end = from + <usize>min(RUN, columns - j) * sizeof<T>();
      const first = logs + ((<usize>j) << 3);
      let most = splat<f64>(-Infinity);
      for (let p = from, l = first; p < end; p += VECTOR, l += halves<T>() * VECTOR) {
        const v = v128.load(p);
        most = v128.pmax<f64>(most, exponent<T>(v, 0, f, l));
        if (sizeof<T>() == 4) most = v128.pmax<f64>(most, exponent<T>(v, 1, f, l));
      }
      const before = load<f64>(maxima);
      const highest = max(max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1)), before);
      if (highest > before) {
        const less = exp<f64>(splat<f64>(before - highest));
        v128.store(sums, v128.mul<f64>(v128.load(sums), less));
        v128.store(sums, v128.mul<f64>(v128.load(sums, VECTOR), less), VECTOR);
        store<f64>(maxima, highest);
      }
      // where all are −∞ their powers are 0
      const shift = splat<f64>(highest == -Infinity ? 0 : highest);
      let sum = zero,
        other = zero;
      for (let p = from, l = first; p < end; p += VECTOR, l += halves<T>() * VECTOR) {
        const v = v128.load(p);
        const low = v128.sub<f64>(exponent<T>(v, 0, f, l), shift);
        const high = sizeof<T>() == 4 ? v128.sub<f64>(exponent<T>(v, 1, f, l), shift) : low;
        const e = exp<T>(join<T>(low, high));
        sum = v128.add<f64>(sum, half<T>(e, 0));
        if (sizeof<T>() == 4) other = v128.add<f64>(other, half<T>(e, 1));
      }
      addTo<f64>(sums, v128.add<f64>(sum, other));
    }
    c += ldc * sizeof<T>();
    maxima += 8;
    sums += SUM_BYTES;
  }
}
