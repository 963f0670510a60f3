/** The ABI: monomorphic exports only, one line each. Pointers are bytes, counts are elements.
 *  Kernels over rows have one signature, so that the host marshals them all alike. */
import { binaryCrossEntropy } from "./binaryCrossEntropy";
import { exponential as exponentialOf, logarithm as logarithmOf, logit, sigmoid, softplus, surprisal } from "./elementwise";
import { accumulate, centre, columnSums, differences, divideRows, map, rowSquares } from "./gram/map";
import { compact, mirror, transpose } from "./gram/panel";
import { product } from "./gram/product";
import { crossEntropyRows } from "./rows/crossEntropy";
import { divergence, pairwise } from "./rows/divergence";
import { entropyRows } from "./rows/entropy";
import { acrossRows, alongRows, LOG_SOFTMAX, LOG_SUM_EXP, SOFTMAX } from "./rows/softmax";
import { weightedRows } from "./rows/weighted";
import { rescale as rescaleOf, settle as settleOf, soften as softenOf, softenPoints as softenPointsOf } from "./transport/sinkhorn";
import { greedyTree as greedyTreeOf, networkSimplex as networkSimplexOf, transported as transportedOf } from "./transport/networkSimplex";
import { histogram, quantiles as quantilesOf, sort } from "./transport/line";

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
export function entropy_f32(x: usize, y: usize, rows: i32, n: i32, logs: bool, normalise: bool, steps: i32): void { entropyRows<f32>(x, y, rows, n, logs, normalise, steps); }
export function entropy_f64(x: usize, y: usize, rows: i32, n: i32, logs: bool, normalise: bool, steps: i32): void { entropyRows<f64>(x, y, rows, n, logs, normalise, steps); }
export function binaryCrossEntropy_f32(probabilities: bool, x: usize, y: usize, w: usize, wStep: usize, p: usize, pStep: usize, loss: usize, grad: usize, count: i32, divisor: f64): f64 { return binaryCrossEntropy<f32>(probabilities, x, y, w, wStep, p, pStep, loss, grad, count, divisor); }
export function binaryCrossEntropy_f64(probabilities: bool, x: usize, y: usize, w: usize, wStep: usize, p: usize, pStep: usize, loss: usize, grad: usize, count: i32, divisor: f64): f64 { return binaryCrossEntropy<f64>(probabilities, x, y, w, wStep, p, pStep, loss, grad, count, divisor); }
export function divergence_f32(p: usize, q: usize, gp: usize, gq: usize, results: usize, rows: i32, n: i32, kind: i32, flags: i32, temperature: f64, scale: f64, steps: i32): void { divergence<f32>(p, q, gp, gq, results, rows, n, kind, flags, temperature, scale, steps); }
export function divergence_f64(p: usize, q: usize, gp: usize, gq: usize, results: usize, rows: i32, n: i32, kind: i32, flags: i32, temperature: f64, scale: f64, steps: i32): void { divergence<f64>(p, q, gp, gq, results, rows, n, kind, flags, temperature, scale, steps); }
export function pairwise_f32(p: usize, q: usize, results: usize, rows: i32, columns: i32, stride: i32, n: i32, kind: i32, flags: i32, scale: f64, root: bool): void { pairwise<f32>(p, q, results, rows, columns, stride, n, kind, flags, scale, root); }
export function pairwise_f64(p: usize, q: usize, results: usize, rows: i32, columns: i32, stride: i32, n: i32, kind: i32, flags: i32, scale: f64, root: bool): void { pairwise<f64>(p, q, results, rows, columns, stride, n, kind, flags, scale, root); }

export function product_f32(mode: i32, a: usize, lda: i32, rows: i32, b: usize, ldb: i32, columns: i32, plain: bool, depth: i32, packed: usize, c: usize, ldc: i32, add: bool, lower: bool): void { product<f32>(mode, a, lda, rows, b, ldb, columns, plain, depth, packed, c, ldc, add, lower); }
export function product_f64(mode: i32, a: usize, lda: i32, rows: i32, b: usize, ldb: i32, columns: i32, plain: bool, depth: i32, packed: usize, c: usize, ldc: i32, add: bool, lower: bool): void { product<f64>(mode, a, lda, rows, b, ldb, columns, plain, depth, packed, c, ldc, add, lower); }
export function map_f32(kind: i32, c: usize, ldc: i32, rows: i32, columns: i32, lower: bool, factor: f64, shift: f64, degree: i32): void { map<f32>(kind, c, ldc, rows, columns, lower, factor, shift, degree); }
export function map_f64(kind: i32, c: usize, ldc: i32, rows: i32, columns: i32, lower: bool, factor: f64, shift: f64, degree: i32): void { map<f64>(kind, c, ldc, rows, columns, lower, factor, shift, degree); }
export function mirror_f32(c: usize, ldc: i32, n: i32): void { mirror<f32>(c, 4 * ldc, n); }
export function mirror_f64(c: usize, ldc: i32, n: i32): void { mirror<f64>(c, 8 * ldc, n); }
export function compact_f32(c: usize, ldc: i32, rows: i32, columns: i32): void { compact<f32>(c, 4 * ldc, rows, columns); }
export function compact_f64(c: usize, ldc: i32, rows: i32, columns: i32): void { compact<f64>(c, 8 * ldc, rows, columns); }
export function transpose_f32(x: usize, ldx: i32, rows: i32, columns: i32, y: usize): void { transpose<f32>(x, 4 * ldx, rows, columns, y, 4 * rows); }
export function transpose_f64(x: usize, ldx: i32, rows: i32, columns: i32, y: usize): void { transpose<f64>(x, 8 * ldx, rows, columns, y, 8 * rows); }
export function accumulate_f32(x: usize, y: usize, count: i32, fresh: bool): void { accumulate<f32>(x, y, count, fresh); }
export function accumulate_f64(x: usize, y: usize, count: i32, fresh: bool): void { accumulate<f64>(x, y, count, fresh); }
export function columnSums_f32(x: usize, ldx: i32, rows: i32, columns: i32, sums: usize): void { columnSums<f32>(x, ldx, rows, columns, sums); }
export function columnSums_f64(x: usize, ldx: i32, rows: i32, columns: i32, sums: usize): void { columnSums<f64>(x, ldx, rows, columns, sums); }
export function centre_f32(x: usize, ldx: i32, rows: i32, columns: i32, means: usize): void { centre<f32>(x, ldx, rows, columns, means); }
export function centre_f64(x: usize, ldx: i32, rows: i32, columns: i32, means: usize): void { centre<f64>(x, ldx, rows, columns, means); }
export function rowSquares_f32(x: usize, ldx: i32, rows: i32, columns: i32, sums: usize): void { rowSquares<f32>(x, ldx, rows, columns, sums); }
export function rowSquares_f64(x: usize, ldx: i32, rows: i32, columns: i32, sums: usize): void { rowSquares<f64>(x, ldx, rows, columns, sums); }
export function divideRows_f32(x: usize, ldx: i32, rows: i32, columns: i32, norms: usize): void { divideRows<f32>(x, ldx, rows, columns, norms); }
export function divideRows_f64(x: usize, ldx: i32, rows: i32, columns: i32, norms: usize): void { divideRows<f64>(x, ldx, rows, columns, norms); }
export function differences_f32(x: usize, y: usize, grad: usize, count: i32, factor: f64): f64 { return differences<f32>(x, y, grad, count, factor); }
export function differences_f64(x: usize, y: usize, grad: usize, count: i32, factor: f64): f64 { return differences<f64>(x, y, grad, count, factor); }

export function soften(c: usize, rows: i32, width: i32, h: usize, perEpsilon: f64, masses: usize, tops: usize, totals: usize, sums: usize): void { softenOf(c, rows, width, h, perEpsilon, masses, tops, totals, sums); }
export function softenPoints(x: usize, rows: i32, y: usize, width: i32, d: i32, order: i32, block: usize, h: usize, perEpsilon: f64, masses: usize, tops: usize, totals: usize, sums: usize, grad: usize, factor: f64): void { softenPointsOf(x, rows, y, width, d, order, block, h, perEpsilon, masses, tops, totals, sums, grad, factor); }
export function rescale(k: usize, rows: i32, width: i32, masses: usize, u: usize, v: usize, sums: usize): void { rescaleOf(k, rows, width, masses, u, v, sums); }
export function settle(k: usize, width: i32, u: f64, v: usize, c: usize): f64 { return settleOf(k, width, u, v, c); }
export function greedyTree(cost: usize, n: i32, m: i32, ld: i32, potentials: usize, nodes: usize): usize { return greedyTreeOf(cost, n, m, ld, potentials, nodes); }
export function networkSimplex(cost: usize, n: i32, m: i32, ld: i32, potentials: usize, nodes: usize, at: i32, block: i32, tolerance: f64, pivots: i32): i32 { return networkSimplexOf(cost, n, m, ld, potentials, nodes, at, block, tolerance, pivots); }
export function transported(cost: usize, n: i32, m: i32, ld: i32, nodes: usize, root: usize, forbidden: f64, slack: f64, plan: bool): f64 { return transportedOf(cost, n, m, ld, nodes, root, forbidden, slack, plan); }
export function sort_f32(x: usize, y: usize, n: i32, payload: usize, tables: usize): usize { return sort<u32>(x, y, n, payload, tables); }
export function sort_f64(x: usize, y: usize, n: i32, payload: usize, tables: usize): usize { return sort<u64>(x, y, n, payload, tables); }
export function quantiles(x: usize, n: i32, u: usize, uFactor: f64, y: usize, m: i32, v: usize, vFactor: f64, wide: bool, wideMass: bool, order: f64, unit: f64): f64 { return quantilesOf(x, n, u, uFactor, y, m, v, vFactor, wide, wideMass, order, unit); }
export function histogram_f32(p: usize, q: usize, gaps: usize, results: usize, rows: i32, n: i32): void { histogram<f32>(p, q, gaps, results, rows, n); }
export function histogram_f64(p: usize, q: usize, gaps: usize, results: usize, rows: i32, n: i32): void { histogram<f64>(p, q, gaps, results, rows, n); }
// biome-ignore-end format: one line each

/** Where static data ends and the host may begin to use memory. */
export function heapBase(): usize { return __heap_base; }

/** Which variant this module is: assembly/embed/unfuse.ts makes 0 of it for the other. */
export function isRelaxed(): i32 { return 1; }
