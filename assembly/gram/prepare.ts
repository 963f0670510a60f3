/**
 * What is learned of a block [rows, columns] of a matrix, and done to it, before its products are taken:
 *
 *     columnSums   Σᵢ unit·x[i, k], and the extremes of x[i, k] over i
 *     centre       x[i, k] ← (unit·x[i, k] − mean[k])·factor
 *     rowSquares   Σₖ (unitᵢ·x[i, k])²
 *     divideRows   x[i, k] ← unitᵢ·x[i, k] / normᵢ
 *
 * In f64, rounded once. Units and factors are powers of two: they keep sums and squares within the range of f64, and change
 * no bit of what would be within it without them.
 */
import { groupLength, half, join, lanes, splat, storeTail, tailMask, VECTOR } from "../lanes";

/**
 * sums[k] += Σᵢ unit·x[i, k], and lows[k], highs[k] become the extremes of themselves and the column, in the type of x. All three are
 * whole vectors: what they hold behind the last column is overwritten.
 */
export function columnSums<T>(
  x: usize,
  ldx: usize,
  rows: i32,
  columns: i32,
  unit: f64,
  sums: usize,
  lows: usize,
  highs: usize,
): void {
  const u = splat<f64>(unit);
  const bytes = <usize>columns * sizeof<T>();
  for (let i = 0; i < rows; i++) {
    let sum = sums;
    for (let k: usize = 0; k < bytes; k += VECTOR) {
      const v = v128.load(x + k);
      v128.store(lows + k, v128.pmin<T>(v128.load(lows + k), v));
      v128.store(highs + k, v128.pmax<T>(v128.load(highs + k), v));
      v128.store(sum, v128.add<f64>(v128.load(sum), v128.mul<f64>(half<T>(v, 0), u)));
      sum += VECTOR;
      if (sizeof<T>() == 4) {
        v128.store(sum, v128.add<f64>(v128.load(sum), v128.mul<f64>(half<T>(v, 1), u)));
        sum += VECTOR;
      }
    }
    x += ldx * sizeof<T>();
  }
}

/** x[i, k] ← (unit·x[i, k] − means[k])·factor; without means (0), x[i, k]·unit·factor. */
export function centre<T>(x: usize, ldx: usize, rows: i32, columns: i32, means: usize, unit: f64, factor: f64): void {
  const u = splat<f64>(unit);
  const f = splat<f64>(factor);
  for (let i = 0; i < rows; i++) {
    let p = x;
    let mean = means;
    for (let left = columns; left > 0; left -= lanes<T>()) {
      const v = v128.load(p);
      let low = v128.mul<f64>(half<T>(v, 0), u);
      let high = v128.mul<f64>(half<T>(v, 1), u);
      if (means) {
        low = v128.sub<f64>(low, v128.load(mean));
        if (sizeof<T>() == 4) high = v128.sub<f64>(high, v128.load(mean, VECTOR));
        mean += (2 * VECTOR) / (sizeof<T>() / 4);
      }
      storeTail(p, tailMask<T>(min(left, groupLength<T>()), 0), join<T>(v128.mul<f64>(low, f), v128.mul<f64>(high, f)));
      p += VECTOR;
    }
    x += ldx * sizeof<T>();
  }
}

/** sums[i] += Σₖ (units[i]·x[i, k])². */
export function rowSquares<T>(x: usize, ldx: usize, rows: i32, columns: i32, units: usize, sums: usize): void {
  for (let i = 0; i < rows; i++) {
    const unit = v128.load64_splat(units);
    let sum = splat<f64>(0);
    let p = x;
    for (let left = columns; left > 0; left -= lanes<T>()) {
      const v = v128.and(v128.load(p), tailMask<T>(min(left, groupLength<T>()), 0));
      const low = v128.mul<f64>(half<T>(v, 0), unit);
      sum = v128.add<f64>(sum, v128.mul<f64>(low, low));
      if (sizeof<T>() == 4) {
        const high = v128.mul<f64>(half<T>(v, 1), unit);
        sum = v128.add<f64>(sum, v128.mul<f64>(high, high));
      }
      p += VECTOR;
    }
    store<f64>(sums, load<f64>(sums) + f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
    x += ldx * sizeof<T>();
    units += 8;
    sums += 8;
  }
}

/** x[i, k] ← units[i]·x[i, k] / norms[i]. */
export function divideRows<T>(x: usize, ldx: usize, rows: i32, columns: i32, units: usize, norms: usize): void {
  for (let i = 0; i < rows; i++) {
    const unit = v128.load64_splat(units);
    const norm = v128.load64_splat(norms);
    let p = x;
    for (let left = columns; left > 0; left -= lanes<T>()) {
      const v = v128.load(p);
      const low = v128.div<f64>(v128.mul<f64>(half<T>(v, 0), unit), norm);
      const high = sizeof<T>() == 4 ? v128.div<f64>(v128.mul<f64>(half<T>(v, 1), unit), norm) : low;
      storeTail(p, tailMask<T>(min(left, groupLength<T>()), 0), join<T>(low, high));
      p += VECTOR;
    }
    x += ldx * sizeof<T>();
    units += 8;
    norms += 8;
  }
}
