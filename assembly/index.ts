/** The ABI: monomorphic exports only, one line each. Pointers are bytes, counts are elements.
 *  Kernels over rows have one signature, so that the host marshals them all alike. */
import { binaryCrossEntropy } from "./binaryCrossEntropy";
import { exponential as exponentialOf, logarithm as logarithmOf, logit, logSigmoid, sigmoid, softplus, surprisal } from "./elementwise";
import { crossEntropyRows } from "./rows/crossEntropy";
import { entropyRows } from "./rows/entropy";
import { acrossRows, alongRows, LOG_SOFTMAX, LOG_SUM_EXP, SOFTMAX } from "./rows/softmax";
import { weightedRows } from "./rows/weighted";

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

export function crossEntropy_f32(x: usize, y: usize, labels: usize, t: usize, w: usize, losses: usize, rows: i32, n: i32, classes: i32, ignore: i32, smoothing: f64, scale: f64, from: i32, steps: i32): void { crossEntropyRows<f32>(x, y, labels, t, w, losses, rows, n, classes, ignore, smoothing, scale, from, steps); }
export function crossEntropy_f64(x: usize, y: usize, labels: usize, t: usize, w: usize, losses: usize, rows: i32, n: i32, classes: i32, ignore: i32, smoothing: f64, scale: f64, from: i32, steps: i32): void { crossEntropyRows<f64>(x, y, labels, t, w, losses, rows, n, classes, ignore, smoothing, scale, from, steps); }

export function sigmoid_f32(x: usize, y: usize, count: i32): void { sigmoid<f32>(x, y, count); }
export function sigmoid_f64(x: usize, y: usize, count: i32): void { sigmoid<f64>(x, y, count); }
export function logSigmoid_f32(x: usize, y: usize, count: i32): void { logSigmoid<f32>(x, y, count); }
export function logSigmoid_f64(x: usize, y: usize, count: i32): void { logSigmoid<f64>(x, y, count); }
export function softplus_f32(x: usize, y: usize, count: i32): void { softplus<f32>(x, y, count); }
export function softplus_f64(x: usize, y: usize, count: i32): void { softplus<f64>(x, y, count); }
export function logit_f32(x: usize, y: usize, count: i32): void { logit<f32>(x, y, count); }
export function logit_f64(x: usize, y: usize, count: i32): void { logit<f64>(x, y, count); }
export function exponential(x: usize, y: usize, count: i32): void { exponentialOf(x, y, count); }
export function logarithm(x: usize, y: usize, count: i32): void { logarithmOf(x, y, count); }
export function surprisal_f32(p: usize, y: usize, count: i32, perBase: f64): void { surprisal<f32>(p, y, count, perBase); }
export function surprisal_f64(p: usize, y: usize, count: i32, perBase: f64): void { surprisal<f64>(p, y, count, perBase); }
export function entropy_f32(x: usize, y: usize, rows: i32, n: i32, logs: bool, normalise: bool, steps: i32): void { entropyRows<f32>(x, y, rows, n, logs, normalise, steps); }
export function entropy_f64(x: usize, y: usize, rows: i32, n: i32, logs: bool, normalise: bool, steps: i32): void { entropyRows<f64>(x, y, rows, n, logs, normalise, steps); }
export function binaryCrossEntropy_f32(probabilities: bool, x: usize, y: usize, w: usize, wStep: usize, p: usize, pStep: usize, loss: usize, grad: usize, count: i32, divisor: f64): f64 { return binaryCrossEntropy<f32>(probabilities, x, y, w, wStep, p, pStep, loss, grad, count, divisor); }
export function binaryCrossEntropy_f64(probabilities: bool, x: usize, y: usize, w: usize, wStep: usize, p: usize, pStep: usize, loss: usize, grad: usize, count: i32, divisor: f64): f64 { return binaryCrossEntropy<f64>(probabilities, x, y, w, wStep, p, pStep, loss, grad, count, divisor); }
// biome-ignore-end format: one line each

/** Where static data ends and the host may begin to use memory. */
export function heapBase(): usize { return __heap_base; }

/** Which variant this module is. */
export function isRelaxed(): bool { return ASC_FEATURE_RELAXED_SIMD; }
