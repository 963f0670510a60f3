/** The ABI of optimal transport: monomorphic exports only, one line each. Pointers are bytes, counts are elements. */
import { exponential as exponentialOf, logarithm as logarithmOf } from "../rows/elementwise";
import { histogram } from "./histogram";
import {
  greedyTree as greedyTreeOf,
  networkSimplex as networkSimplexOf,
  transported as transportedOf,
} from "./networkSimplex";
import { quantiles as quantilesOf } from "./quantiles";
import {
  rescale as rescaleOf,
  settle as settleOf,
  soften as softenOf,
  softenPoints as softenPointsOf,
} from "./sinkhorn";
import { sort } from "./sort";

export { heapBase } from "../heapBase";

export function soften(
  c: usize,
  rows: i32,
  width: i32,
  h: usize,
  perEpsilon: f64,
  offset: f64,
  masses: usize,
  tops: usize,
  totals: usize,
  sums: usize,
): void {
  softenOf(c, rows, width, h, perEpsilon, offset, masses, tops, totals, sums);
}
export function softenPoints(
  x: usize,
  rows: i32,
  y: usize,
  width: i32,
  d: i32,
  order: i32,
  block: usize,
  h: usize,
  perEpsilon: f64,
  masses: usize,
  tops: usize,
  totals: usize,
  sums: usize,
  grad: usize,
  factor: f64,
): void {
  softenPointsOf(x, rows, y, width, d, order, block, h, perEpsilon, masses, tops, totals, sums, grad, factor);
}
export function rescale(k: usize, rows: i32, width: i32, masses: usize, u: usize, v: usize, sums: usize): void {
  rescaleOf(k, rows, width, masses, u, v, sums);
}
export function settle(k: usize, width: i32, u: f64, v: usize, c: usize): f64 {
  return settleOf(k, width, u, v, c);
}
export function greedyTree(cost: usize, n: i32, m: i32, ld: i32, potentials: usize, nodes: usize): usize {
  return greedyTreeOf(cost, n, m, ld, potentials, nodes);
}
export function networkSimplex(
  cost: usize,
  n: i32,
  m: i32,
  ld: i32,
  potentials: usize,
  nodes: usize,
  row: i32,
  block: i32,
  tolerance: f64,
  pivots: i32,
): i32 {
  return networkSimplexOf(cost, n, m, ld, potentials, nodes, row, block, tolerance, pivots);
}
export function transported(
  cost: usize,
  n: i32,
  m: i32,
  ld: i32,
  nodes: usize,
  root: usize,
  forbidden: f64,
  slack: f64,
  plan: bool,
): f64 {
  return transportedOf(cost, n, m, ld, nodes, root, forbidden, slack, plan);
}
export function sort_f32(x: usize, y: usize, n: i32, payload: usize, tables: usize): usize {
  return sort<u32>(x, y, n, payload, tables);
}
export function sort_f64(x: usize, y: usize, n: i32, payload: usize, tables: usize): usize {
  return sort<u64>(x, y, n, payload, tables);
}
export function quantiles(
  x: usize,
  n: i32,
  u: usize,
  uFactor: f64,
  y: usize,
  m: i32,
  v: usize,
  vFactor: f64,
  wide: bool,
  wideMass: bool,
  order: f64,
  unit: f64,
): f64 {
  return quantilesOf(x, n, u, uFactor, y, m, v, vFactor, wide, wideMass, order, unit);
}
export function histogram_f32(p: usize, q: usize, gaps: usize, results: usize, rows: i32, n: i32): void {
  histogram<f32>(p, q, gaps, results, rows, n);
}
export function histogram_f64(p: usize, q: usize, gaps: usize, results: usize, rows: i32, n: i32): void {
  histogram<f64>(p, q, gaps, results, rows, n);
}
export function exponential(x: usize, y: usize, count: i32): void {
  exponentialOf(x, y, count);
}
export function logarithm(x: usize, y: usize, count: i32): void {
  logarithmOf(x, y, count);
}
