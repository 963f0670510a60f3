/** The ABI of Kullback–Leibler and Jensen–Shannon divergences: monomorphic exports only, one line each. Pointers are bytes, counts are elements. */
import { logarithm as logarithmOf } from "../rows/elementwise";
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
  divergence<f32>(p, q, gp, gq, results, rows, n, kind, flags, temperatureP, temperatureQ, scale, steps);
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
  divergence<f64>(p, q, gp, gq, results, rows, n, kind, flags, temperatureP, temperatureQ, scale, steps);
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
export function logarithm(x: usize, y: usize, count: i32): void {
  logarithmOf(x, y, count);
}
export function moments(u: usize, w: usize, buckets: usize, count: i32, sums: usize): void {
  addMoments(u, w, buckets, count, sums);
}
