/** The ABI of Kullback–Leibler and Jensen–Shannon divergences, and of what is nearest by these or by products: monomorphic exports only, one line each. Pointers are bytes, counts are elements. */
import { logarithm as logarithmOf } from "../rows/elementwise";
import { clearBest as clearBestOf, nearest, sortBest as sortBestOf } from "./nearest";
import { divergence, pairwise } from "./rows";
import { addMoments } from "../moments";

export { heapBase } from "../heapBase";

export function divergence_f32(
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
  divergence(4, p, q, gp, gq, results, rows, n, kind, flags, temperatureP, temperatureQ, scale, steps);
}
export function divergence_f64(
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
  divergence(8, p, q, gp, gq, results, rows, n, kind, flags, temperatureP, temperatureQ, scale, steps);
}
export function pairwise_f32(
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
  pairwise<f32>(p, q, results, rows, columns, stride, n, kind, flags, scale, root);
}
export function pairwise_f64(
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
  pairwise<f64>(p, q, results, rows, columns, stride, n, kind, flags, scale, root);
}
export function nearest_f32(
  mode: i32,
  c: usize,
  ldc: i32,
  rows: i32,
  columns: i32,
  first: i32,
  own: i32,
  k: i32,
  x: usize,
  y: usize,
  depth: i32,
  xs: usize,
  ys: usize,
  n: usize,
  shifts: usize,
  heaps: usize,
  f: f64,
  ratio: f64,
  slack: f64,
): void {
  nearest<f32>(mode, c, ldc, rows, columns, first, own, k, x, y, depth, xs, ys, n, shifts, heaps, f, ratio, slack);
}
export function nearest_f64(
  mode: i32,
  c: usize,
  ldc: i32,
  rows: i32,
  columns: i32,
  first: i32,
  own: i32,
  k: i32,
  x: usize,
  y: usize,
  depth: i32,
  xs: usize,
  ys: usize,
  n: usize,
  shifts: usize,
  heaps: usize,
  f: f64,
  ratio: f64,
  slack: f64,
): void {
  nearest<f64>(mode, c, ldc, rows, columns, first, own, k, x, y, depth, xs, ys, n, shifts, heaps, f, ratio, slack);
}
export function clearBest(heaps: usize, count: i32): void {
  clearBestOf(heaps, count);
}
export function sortBest(heaps: usize, rows: i32, k: i32): void {
  sortBestOf(heaps, rows, k);
}
export function logarithm(x: usize, y: usize, count: i32): void {
  logarithmOf(x, y, count);
}
export function moments(u: usize, w: usize, buckets: usize, count: i32, sums: usize): void {
  addMoments(u, w, buckets, count, sums);
}
