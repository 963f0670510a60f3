/** Exact entropic transport (tools/fixtures/sinkhorn.py), Sinkhorn as it is written down, and the API, typed loosely. */
import { readFileSync } from "node:fs";
import * as surprisal from "../../src/index.ts";
import type { FloatArray } from "./variants.ts";

export interface SinkhornCase {
  readonly name: string;
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly cost: readonly number[];
  readonly epsilon: number;
  /** fᵢ + gⱼ */
  readonly potentials: readonly number[];
  readonly plan: readonly number[];
  readonly transported: number;
  readonly objective: number;
  /** The least cost of any plan. */
  readonly exact: number;
}
export interface DivergenceCase {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly d: number;
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly order: 1 | 2;
  readonly epsilon: number;
  readonly value: number;
  readonly grad: readonly number[];
}
export const { problems, divergences } = JSON.parse(
  readFileSync(new URL("../fixtures/sinkhorn.json", import.meta.url), "utf8"),
) as { problems: readonly SinkhornCase[]; divergences: readonly DivergenceCase[] };

export type Result = surprisal.SinkhornResult<FloatArray>;
export type Grad = surprisal.SinkhornDivergenceResult & { readonly grad: FloatArray };
type Call<R> = (...args: unknown[]) => R;
interface Api {
  readonly sinkhorn: Call<Result>;
  readonly sinkhornDivergence: Call<surprisal.SinkhornDivergenceResult>;
  readonly sinkhornDivergenceWithGrad: Call<Grad>;
}
export const api = surprisal as unknown as Api;

/** log Σ e^v. */
function logSumExp(values: readonly number[]): number {
  const top = Math.max(...values);
  return top === -Infinity ? top : top + Math.log(values.reduce((sum, v) => sum + Math.exp(v - top), 0));
}

/** The plan after so many plain iterations in the log domain, from g = 0 and at one ε. */
export function plainPlan(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  cost: ArrayLike<number>,
  epsilon: number,
  iterations: number,
): Float64Array {
  const [n, m] = [a.length, b.length];
  const f = new Float64Array(n);
  const g = new Float64Array(m);
  const c = (i: number, j: number): number => cost[i * m + j] as number;
  for (let k = 0; k < iterations; k++) {
    for (let i = 0; i < n; i++) {
      const row = Array.from(b, (mass, j) => Math.log(mass) + ((g[j] as number) - c(i, j)) / epsilon);
      f[i] = -epsilon * logSumExp(row);
    }
    for (let j = 0; j < m; j++) {
      const column = Array.from(a, (mass, i) => Math.log(mass) + ((f[i] as number) - c(i, j)) / epsilon);
      g[j] = -epsilon * logSumExp(column);
    }
  }
  return Float64Array.from({ length: n * m }, (_, k) => {
    const [i, j] = [Math.floor(k / m), k % m];
    const exponent = ((f[i] as number) + (g[j] as number) - c(i, j)) / epsilon;
    return (a[i] as number) * (b[j] as number) * Math.exp(exponent);
  });
}

export const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((s, v) => s + v, 0);

/** The sums of rows and of columns. */
export function marginals(plan: ArrayLike<number>, n: number, m: number): [number[], number[]] {
  const at = (i: number, j: number): number => plan[i * m + j] as number;
  const [rows, columns] = [Array.from({ length: n }, (_, i) => i), Array.from({ length: m }, (_, j) => j)];
  return [rows.map((i) => sum(columns.map((j) => at(i, j)))), columns.map((j) => sum(rows.map((i) => at(i, j))))];
}

/** max |x − y| */
export function distance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length) return Number.NaN;
  return Array.from(x).reduce((worst, v, i) => {
    const error = v === y[i] ? 0 : Math.abs(v - (y[i] as number));
    return Number.isNaN(error) || error > worst ? error : worst;
  }, 0);
}
