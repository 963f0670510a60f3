/** The ABI of softmax, log-softmax, log-sum-exp, and functions of one number: monomorphic exports only, one line each. Pointers are bytes, counts are elements. */
import { exponential as exponentialOf, logarithm as logarithmOf, logit, sigmoid, softplus, surprisal } from "../rows/elementwise";
import { acrossRows, alongRows, LOG_SOFTMAX, LOG_SUM_EXP, SOFTMAX } from "./softmax";
import { weightedRows } from "./weighted";

// biome-ignore-start format: one line each
export function softmax_f32(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void { alongRows<f32>(SOFTMAX, x, y, rows, n, temperature, zero, steps); }
export function softmax_f64(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void { alongRows<f64>(SOFTMAX, x, y, rows, n, temperature, zero, steps); }
export function logSoftmax_f32(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void { alongRows<f32>(LOG_SOFTMAX, x, y, rows, n, temperature, zero, steps); }
export function logSoftmax_f64(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void { alongRows<f64>(LOG_SOFTMAX, x, y, rows, n, temperature, zero, steps); }
export function logSumExp_f32(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void { alongRows<f32>(LOG_SUM_EXP, x, y, rows, n, temperature, zero, steps); }
export function logSumExp_f64(x: usize, y: usize, rows: i32, n: i32, temperature: f64, zero: bool, steps: i32): void { alongRows<f64>(LOG_SUM_EXP, x, y, rows, n, temperature, zero, steps); }
export function logSumExpWeighted(x: usize, w: usize, y: usize, rows: i32, n: i32, steps: i32): void { weightedRows(x, w, y, rows, n, steps); }
export function softmaxAcross_f32(x: usize, y: usize, n: i32, width: i32, temperature: f64, zero: bool): void { acrossRows<f32>(SOFTMAX, x, y, n, width, temperature, zero); }
export function softmaxAcross_f64(x: usize, y: usize, n: i32, width: i32, temperature: f64, zero: bool): void { acrossRows<f64>(SOFTMAX, x, y, n, width, temperature, zero); }
export function logSoftmaxAcross_f32(x: usize, y: usize, n: i32, width: i32, temperature: f64, zero: bool): void { acrossRows<f32>(LOG_SOFTMAX, x, y, n, width, temperature, zero); }
export function logSoftmaxAcross_f64(x: usize, y: usize, n: i32, width: i32, temperature: f64, zero: bool): void { acrossRows<f64>(LOG_SOFTMAX, x, y, n, width, temperature, zero); }
export function logSumExpAcross_f32(x: usize, y: usize, n: i32, width: i32, temperature: f64, zero: bool): void { acrossRows<f32>(LOG_SUM_EXP, x, y, n, width, temperature, zero); }
export function logSumExpAcross_f64(x: usize, y: usize, n: i32, width: i32, temperature: f64, zero: bool): void { acrossRows<f64>(LOG_SUM_EXP, x, y, n, width, temperature, zero); }
export function sigmoid_f32(x: usize, y: usize, count: i32): void { sigmoid<f32>(x, y, count); }
export function sigmoid_f64(x: usize, y: usize, count: i32): void { sigmoid<f64>(x, y, count); }
export function logSigmoid_f32(x: usize, y: usize, count: i32): void { softplus<f32>(x, y, count, -1); }
export function logSigmoid_f64(x: usize, y: usize, count: i32): void { softplus<f64>(x, y, count, -1); }
export function softplus_f32(x: usize, y: usize, count: i32): void { softplus<f32>(x, y, count, 1); }
export function softplus_f64(x: usize, y: usize, count: i32): void { softplus<f64>(x, y, count, 1); }
export function logit_f32(x: usize, y: usize, count: i32): void { logit<f32>(x, y, count); }
export function logit_f64(x: usize, y: usize, count: i32): void { logit<f64>(x, y, count); }
export function exponential(x: usize, y: usize, count: i32): void { exponentialOf(x, y, count); }
export function logarithm(x: usize, y: usize, count: i32): void { logarithmOf(x, y, count); }
export function surprisal_f32(p: usize, y: usize, count: i32, perBase: f64): void { surprisal<f32>(p, y, count, perBase); }
export function surprisal_f64(p: usize, y: usize, count: i32, perBase: f64): void { surprisal<f64>(p, y, count, perBase); }
// biome-ignore-end format: one line each
