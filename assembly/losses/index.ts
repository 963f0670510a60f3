/** The ABI of cross-entropy, entropy and binary cross-entropy: monomorphic exports only, one line each. Pointers are bytes, counts are elements. */
import { binaryCrossEntropy } from "./binaryCrossEntropy";
import { crossEntropyRows } from "./crossEntropy";
import { crossEntropyOfProbabilitiesRows } from "./crossEntropyOfProbabilities";
import { entropyRows } from "./entropy";

// biome-ignore-start format: one line each
export function crossEntropy_f32(x: usize, y: usize, labels: usize, t: usize, w: usize, s: usize, losses: usize, rows: i32, n: i32, classes: i32, ignore: i32, smoothing: f64, scale: f64, from: i32, steps: i32): void { crossEntropyRows<f32>(x, y, labels, t, w, s, losses, rows, n, classes, ignore, smoothing, scale, from, steps); }
export function crossEntropy_f64(x: usize, y: usize, labels: usize, t: usize, w: usize, s: usize, losses: usize, rows: i32, n: i32, classes: i32, ignore: i32, smoothing: f64, scale: f64, from: i32, steps: i32): void { crossEntropyRows<f64>(x, y, labels, t, w, s, losses, rows, n, classes, ignore, smoothing, scale, from, steps); }
export function crossEntropyOfProbabilities_f32(kind: i32, x: usize, y: usize, labels: usize, t: usize, w: usize, s: usize, losses: usize, rows: i32, n: i32, classes: i32, ignore: i32, smoothing: f64, scale: f64, from: i32, steps: i32): void { crossEntropyOfProbabilitiesRows<f32>(kind, x, y, labels, t, w, s, losses, rows, n, classes, ignore, smoothing, scale, from, steps); }
export function crossEntropyOfProbabilities_f64(kind: i32, x: usize, y: usize, labels: usize, t: usize, w: usize, s: usize, losses: usize, rows: i32, n: i32, classes: i32, ignore: i32, smoothing: f64, scale: f64, from: i32, steps: i32): void { crossEntropyOfProbabilitiesRows<f64>(kind, x, y, labels, t, w, s, losses, rows, n, classes, ignore, smoothing, scale, from, steps); }
export function entropy_f32(x: usize, y: usize, rows: i32, n: i32, logs: bool, normalise: bool, steps: i32): void { entropyRows<f32>(x, y, rows, n, logs, normalise, steps); }
export function entropy_f64(x: usize, y: usize, rows: i32, n: i32, logs: bool, normalise: bool, steps: i32): void { entropyRows<f64>(x, y, rows, n, logs, normalise, steps); }
export function binaryCrossEntropy_f32(probabilities: bool, x: usize, y: usize, w: usize, wStep: usize, p: usize, pStep: usize, loss: usize, grad: usize, count: i32, divisor: f64): f64 { return binaryCrossEntropy<f32>(probabilities, x, y, w, wStep, p, pStep, loss, grad, count, divisor); }
export function binaryCrossEntropy_f64(probabilities: bool, x: usize, y: usize, w: usize, wStep: usize, p: usize, pStep: usize, loss: usize, grad: usize, count: i32, divisor: f64): f64 { return binaryCrossEntropy<f64>(probabilities, x, y, w, wStep, p, pStep, loss, grad, count, divisor); }
// biome-ignore-end format: one line each
