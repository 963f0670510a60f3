/** The ABI of products and distances of rows, and what becomes of them: monomorphic exports only, one line each. Pointers are bytes, counts are elements. */
import { exponential as exponentialOf, logarithm as logarithmOf } from "../rows/elementwise";
import { differences } from "./differences";
import { accumulate, map } from "./map";
import { compact, mirror, transpose } from "./panel";
import { centre, columnSums, divideRows, rowSquares } from "./prepare";
import { product } from "./product";
import { exponents, weigh } from "./reduce";

export { heapBase } from "../heapBase";

export function product_f32(
  mode: i32,
  a: usize,
  lda: i32,
  rows: i32,
  b: usize,
  ldb: i32,
  columns: i32,
  plain: bool,
  depth: i32,
  packed: usize,
  c: usize,
  ldc: i32,
  add: bool,
  lower: bool,
): void {
  product<f32>(mode, a, lda, rows, b, ldb, columns, plain, depth, packed, c, ldc, add, lower);
}
export function product_f64(
  mode: i32,
  a: usize,
  lda: i32,
  rows: i32,
  b: usize,
  ldb: i32,
  columns: i32,
  plain: bool,
  depth: i32,
  packed: usize,
  c: usize,
  ldc: i32,
  add: bool,
  lower: bool,
): void {
  product<f64>(mode, a, lda, rows, b, ldb, columns, plain, depth, packed, c, ldc, add, lower);
}
export function map_f32(
  kind: i32,
  c: usize,
  ldc: i32,
  rows: i32,
  columns: i32,
  lower: bool,
  factor: f64,
  shift: f64,
  degree: i32,
): void {
  map<f32>(kind, c, ldc, rows, columns, lower, factor, shift, degree);
}
export function map_f64(
  kind: i32,
  c: usize,
  ldc: i32,
  rows: i32,
  columns: i32,
  lower: bool,
  factor: f64,
  shift: f64,
  degree: i32,
): void {
  map<f64>(kind, c, ldc, rows, columns, lower, factor, shift, degree);
}
export function mirror_f32(c: usize, ldc: i32, n: i32): void {
  mirror<f32>(c, 4 * ldc, n);
}
export function mirror_f64(c: usize, ldc: i32, n: i32): void {
  mirror<f64>(c, 8 * ldc, n);
}
export function compact_f32(c: usize, ldc: i32, rows: i32, columns: i32): void {
  compact<f32>(c, 4 * ldc, rows, columns);
}
export function compact_f64(c: usize, ldc: i32, rows: i32, columns: i32): void {
  compact<f64>(c, 8 * ldc, rows, columns);
}
export function transpose_f32(x: usize, ldx: i32, rows: i32, columns: i32, y: usize): void {
  transpose<f32>(x, 4 * ldx, rows, columns, y, 4 * rows);
}
export function transpose_f64(x: usize, ldx: i32, rows: i32, columns: i32, y: usize): void {
  transpose<f64>(x, 8 * ldx, rows, columns, y, 8 * rows);
}
export function accumulate_f32(x: usize, y: usize, count: i32, fresh: bool): void {
  accumulate<f32>(x, y, count, fresh);
}
export function accumulate_f64(x: usize, y: usize, count: i32, fresh: bool): void {
  accumulate<f64>(x, y, count, fresh);
}
export function columnSums_f32(
  x: usize,
  ldx: i32,
  rows: i32,
  columns: i32,
  unit: f64,
  sums: usize,
  lows: usize,
  highs: usize,
): void {
  columnSums<f32>(x, ldx, rows, columns, unit, sums, lows, highs);
}
export function columnSums_f64(
  x: usize,
  ldx: i32,
  rows: i32,
  columns: i32,
  unit: f64,
  sums: usize,
  lows: usize,
  highs: usize,
): void {
  columnSums<f64>(x, ldx, rows, columns, unit, sums, lows, highs);
}
export function centre_f32(x: usize, ldx: i32, rows: i32, columns: i32, means: usize, unit: f64, factor: f64): void {
  centre<f32>(x, ldx, rows, columns, means, unit, factor);
}
export function centre_f64(x: usize, ldx: i32, rows: i32, columns: i32, means: usize, unit: f64, factor: f64): void {
  centre<f64>(x, ldx, rows, columns, means, unit, factor);
}
export function rowSquares_f32(x: usize, ldx: i32, rows: i32, columns: i32, units: usize, sums: usize): void {
  rowSquares<f32>(x, ldx, rows, columns, units, sums);
}
export function rowSquares_f64(x: usize, ldx: i32, rows: i32, columns: i32, units: usize, sums: usize): void {
  rowSquares<f64>(x, ldx, rows, columns, units, sums);
}
export function divideRows_f32(x: usize, ldx: i32, rows: i32, columns: i32, units: usize, norms: usize): void {
  divideRows<f32>(x, ldx, rows, columns, units, norms);
}
export function divideRows_f64(x: usize, ldx: i32, rows: i32, columns: i32, units: usize, norms: usize): void {
  divideRows<f64>(x, ldx, rows, columns, units, norms);
}
export function differences_f32(x: usize, y: usize, grad: usize, count: i32, factor: f64): f64 {
  return differences<f32>(x, y, grad, count, factor);
}
export function differences_f64(x: usize, y: usize, grad: usize, count: i32, factor: f64): f64 {
  return differences<f64>(x, y, grad, count, factor);
}
export function weigh_f32(c: usize, ldc: i32, rows: i32, columns: i32, v: usize, ldv: i32, p: i32, sums: usize): void {
  weigh<f32>(c, ldc, rows, columns, v, ldv, p, sums);
}
export function weigh_f64(c: usize, ldc: i32, rows: i32, columns: i32, v: usize, ldv: i32, p: i32, sums: usize): void {
  weigh<f64>(c, ldc, rows, columns, v, ldv, p, sums);
}
export function exponents_f32(
  c: usize,
  ldc: i32,
  rows: i32,
  columns: i32,
  logs: usize,
  factor: f64,
  maxima: usize,
  falls: usize,
): void {
  exponents<f32>(c, ldc, rows, columns, logs, factor, maxima, falls);
}
export function exponents_f64(
  c: usize,
  ldc: i32,
  rows: i32,
  columns: i32,
  logs: usize,
  factor: f64,
  maxima: usize,
  falls: usize,
): void {
  exponents<f64>(c, ldc, rows, columns, logs, factor, maxima, falls);
}
export function exponential(x: usize, y: usize, count: i32): void {
  exponentialOf(x, y, count);
}
export function logarithm(x: usize, y: usize, count: i32): void {
  logarithmOf(x, y, count);
}
