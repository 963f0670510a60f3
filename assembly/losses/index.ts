/** The ABI of cross-entropy, entropy, binary cross-entropy and functions of one number: monomorphic exports only, one line each. Pointers are bytes, counts are elements. */
import {
  exponential as exponentialOf,
  logarithm as logarithmOf,
  logit,
  sigmoid,
  softplus,
  surprisal,
} from "../rows/elementwise";
import { binaryCrossEntropy } from "./binaryCrossEntropy";
import { calibrationRows } from "./calibration";
import { crossEntropyRows } from "./crossEntropy";
import { crossEntropyOfProbabilitiesRows } from "./crossEntropyOfProbabilities";
import { entropyRows } from "./entropy";
import { addLogits, logitGradients } from "./logits";
import { addMoments } from "../moments";

export { heapBase } from "../heapBase";

export function crossEntropy_f32(
  x: usize,
  y: usize,
  labels: usize,
  t: usize,
  w: usize,
  s: usize,
  losses: usize,
  rows: i32,
  n: i32,
  classes: i32,
  ignore: i32,
  smoothing: f64,
  scale: f64,
  from: i32,
  steps: i32,
): void {
  crossEntropyRows<f32>(x, y, labels, t, w, s, losses, rows, n, classes, ignore, smoothing, scale, from, steps);
}
export function crossEntropy_f64(
  x: usize,
  y: usize,
  labels: usize,
  t: usize,
  w: usize,
  s: usize,
  losses: usize,
  rows: i32,
  n: i32,
  classes: i32,
  ignore: i32,
  smoothing: f64,
  scale: f64,
  from: i32,
  steps: i32,
): void {
  crossEntropyRows<f64>(x, y, labels, t, w, s, losses, rows, n, classes, ignore, smoothing, scale, from, steps);
}
export function crossEntropyOfProbabilities_f32(
  kind: i32,
  x: usize,
  y: usize,
  labels: usize,
  t: usize,
  w: usize,
  s: usize,
  losses: usize,
  rows: i32,
  n: i32,
  classes: i32,
  ignore: i32,
  smoothing: f64,
  scale: f64,
  from: i32,
  steps: i32,
): void {
  crossEntropyOfProbabilitiesRows<f32>(
    kind,
    x,
    y,
    labels,
    t,
    w,
    s,
    losses,
    rows,
    n,
    classes,
    ignore,
    smoothing,
    scale,
    from,
    steps,
  );
}
export function crossEntropyOfProbabilities_f64(
  kind: i32,
  x: usize,
  y: usize,
  labels: usize,
  t: usize,
  w: usize,
  s: usize,
  losses: usize,
  rows: i32,
  n: i32,
  classes: i32,
  ignore: i32,
  smoothing: f64,
  scale: f64,
  from: i32,
  steps: i32,
): void {
  crossEntropyOfProbabilitiesRows<f64>(
    kind,
    x,
    y,
    labels,
    t,
    w,
    s,
    losses,
    rows,
    n,
    classes,
    ignore,
    smoothing,
    scale,
    from,
    steps,
  );
}
export function entropy_f32(x: usize, y: usize, rows: i32, n: i32, logs: bool, normalise: bool, steps: i32): void {
  entropyRows<f32>(x, y, rows, n, logs, normalise, steps);
}
export function entropy_f64(x: usize, y: usize, rows: i32, n: i32, logs: bool, normalise: bool, steps: i32): void {
  entropyRows<f64>(x, y, rows, n, logs, normalise, steps);
}
export function addLogits_f32(
  c: usize,
  ldc: i32,
  rows: i32,
  columns: i32,
  bias: usize,
  labels: usize,
  ignore: i32,
  first: i32,
  portion: f64,
  state: usize,
): void {
  addLogits<f32>(c, ldc, rows, columns, bias, labels, ignore, first, portion, state);
}
export function addLogits_f64(
  c: usize,
  ldc: i32,
  rows: i32,
  columns: i32,
  bias: usize,
  labels: usize,
  ignore: i32,
  first: i32,
  portion: f64,
  state: usize,
): void {
  addLogits<f64>(c, ldc, rows, columns, bias, labels, ignore, first, portion, state);
}
export function logitGradients_f32(
  c: usize,
  ldc: i32,
  rows: i32,
  columns: i32,
  bias: usize,
  labels: usize,
  ignore: i32,
  first: i32,
  share: f64,
  state: usize,
  room: usize,
): void {
  logitGradients<f32>(c, ldc, rows, columns, bias, labels, ignore, first, share, state, room);
}
export function logitGradients_f64(
  c: usize,
  ldc: i32,
  rows: i32,
  columns: i32,
  bias: usize,
  labels: usize,
  ignore: i32,
  first: i32,
  share: f64,
  state: usize,
  room: usize,
): void {
  logitGradients<f64>(c, ldc, rows, columns, bias, labels, ignore, first, share, state, room);
}
export function binaryCrossEntropy_f32(
  probabilities: bool,
  x: usize,
  y: usize,
  w: usize,
  wStep: usize,
  p: usize,
  pStep: usize,
  loss: usize,
  grad: usize,
  count: i32,
  divisor: f64,
): f64 {
  return binaryCrossEntropy<f32>(probabilities, x, y, w, wStep, p, pStep, loss, grad, count, divisor);
}
export function binaryCrossEntropy_f64(
  probabilities: bool,
  x: usize,
  y: usize,
  w: usize,
  wStep: usize,
  p: usize,
  pStep: usize,
  loss: usize,
  grad: usize,
  count: i32,
  divisor: f64,
): f64 {
  return binaryCrossEntropy<f64>(probabilities, x, y, w, wStep, p, pStep, loss, grad, count, divisor);
}
export function sigmoid_f32(x: usize, y: usize, count: i32): void {
  sigmoid<f32>(x, y, count);
}
export function sigmoid_f64(x: usize, y: usize, count: i32): void {
  sigmoid<f64>(x, y, count);
}
export function logSigmoid_f32(x: usize, y: usize, count: i32): void {
  softplus<f32>(x, y, count, -1);
}
export function logSigmoid_f64(x: usize, y: usize, count: i32): void {
  softplus<f64>(x, y, count, -1);
}
export function softplus_f32(x: usize, y: usize, count: i32): void {
  softplus<f32>(x, y, count, 1);
}
export function softplus_f64(x: usize, y: usize, count: i32): void {
  softplus<f64>(x, y, count, 1);
}
export function logit_f32(x: usize, y: usize, count: i32): void {
  logit<f32>(x, y, count);
}
export function logit_f64(x: usize, y: usize, count: i32): void {
  logit<f64>(x, y, count);
}
export function exponential(x: usize, y: usize, count: i32): void {
  exponentialOf(x, y, count);
}
export function logarithm(x: usize, y: usize, count: i32): void {
  logarithmOf(x, y, count);
}
export function surprisal_f32(p: usize, y: usize, count: i32, perBase: f64): void {
  surprisal<f32>(p, y, count, perBase);
}
export function surprisal_f64(p: usize, y: usize, count: i32, perBase: f64): void {
  surprisal<f64>(p, y, count, perBase);
}
export function moments(u: usize, w: usize, buckets: usize, count: i32, sums: usize): void {
  addMoments(u, w, buckets, count, sums);
}
export function calibration_f32(
  x: usize,
  labels: usize,
  confidences: usize,
  scores: usize,
  rows: i32,
  n: i32,
  from: i32,
  logs: bool,
  steps: i32,
): void {
  calibrationRows<f32>(x, labels, confidences, scores, rows, n, from, logs, steps);
}
export function calibration_f64(
  x: usize,
  labels: usize,
  confidences: usize,
  scores: usize,
  rows: i32,
  n: i32,
  from: i32,
  logs: bool,
  steps: i32,
): void {
  calibrationRows<f64>(x, labels, confidences, scores, rows, n, from, logs, steps);
}
