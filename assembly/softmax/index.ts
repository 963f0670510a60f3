/** The ABI of softmax, log-softmax and log-sum-exp: monomorphic exports only, one line each. Pointers are bytes, counts are elements. */
import { scoreRows } from "./scores";
import { acrossRows, alongRows, LOG_SOFTMAX, LOG_SUM_EXP, SOFTMAX } from "./softmax";
import { weightedRows } from "./weighted";
import { addMoments } from "../moments";

export { heapBase } from "../heapBase";

export function softmax_f32(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void {
  alongRows<f32>(SOFTMAX, x, y, rows, n, temperature, zero, steps);
}
export function softmax_f64(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void {
  alongRows<f64>(SOFTMAX, x, y, rows, n, temperature, zero, steps);
}
export function logSoftmax_f32(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void {
  alongRows<f32>(LOG_SOFTMAX, x, y, rows, n, temperature, zero, steps);
}
export function logSoftmax_f64(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void {
  alongRows<f64>(LOG_SOFTMAX, x, y, rows, n, temperature, zero, steps);
}
export function logSumExp_f32(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void {
  alongRows<f32>(LOG_SUM_EXP, x, y, rows, n, temperature, zero, steps);
}
export function logSumExp_f64(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void {
  alongRows<f64>(LOG_SUM_EXP, x, y, rows, n, temperature, zero, steps);
}
export function logSumExpWeighted(x: usize, w: usize, y: usize, rows: i32, n: i32, steps: i32): void {
  weightedRows(x, w, y, rows, n, steps);
}
export function softmaxAcross_f32(
  x: usize,
  y: usize,
  n: i32,
  width: i32,
  line: usize,
  temperature: f64,
  zero: bool,
): void {
  acrossRows<f32>(SOFTMAX, x, y, n, width, line, temperature, zero);
}
export function softmaxAcross_f64(
  x: usize,
  y: usize,
  n: i32,
  width: i32,
  line: usize,
  temperature: f64,
  zero: bool,
): void {
  acrossRows<f64>(SOFTMAX, x, y, n, width, line, temperature, zero);
}
export function logSoftmaxAcross_f32(
  x: usize,
  y: usize,
  n: i32,
  width: i32,
  line: usize,
  temperature: f64,
  zero: bool,
): void {
  acrossRows<f32>(LOG_SOFTMAX, x, y, n, width, line, temperature, zero);
}
export function logSoftmaxAcross_f64(
  x: usize,
  y: usize,
  n: i32,
  width: i32,
  line: usize,
  temperature: f64,
  zero: bool,
): void {
  acrossRows<f64>(LOG_SOFTMAX, x, y, n, width, line, temperature, zero);
}
export function logSumExpAcross_f32(
  x: usize,
  y: usize,
  n: i32,
  width: i32,
  line: usize,
  temperature: f64,
  zero: bool,
): void {
  acrossRows<f32>(LOG_SUM_EXP, x, y, n, width, line, temperature, zero);
}
export function logSumExpAcross_f64(
  x: usize,
  y: usize,
  n: i32,
  width: i32,
  line: usize,
  temperature: f64,
  zero: bool,
): void {
  acrossRows<f64>(LOG_SUM_EXP, x, y, n, width, line, temperature, zero);
}
export function moments(u: usize, w: usize, buckets: usize, count: i32, sums: usize): void {
  addMoments(u, w, buckets, count, sums);
}
export function scores_f32(
  x: usize,
  ids: usize,
  logProbs: usize,
  entropies: usize,
  best: usize,
  rows: i32,
  n: i32,
  from: i32,
  k: i32,
  steps: i32,
): void {
  scoreRows<f32>(x, ids, logProbs, entropies, best, rows, n, from, k, steps);
}
export function scores_f64(
  x: usize,
  ids: usize,
  logProbs: usize,
  entropies: usize,
  best: usize,
  rows: i32,
  n: i32,
  from: i32,
  k: i32,
  steps: i32,
): void {
  scoreRows<f64>(x, ids, logProbs, entropies, best, rows, n, from, k, steps);
}
