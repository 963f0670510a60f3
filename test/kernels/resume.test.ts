/** The network simplex may be interrupted between any two pivots: what it has so far stands in memory, and it goes on to the same bits. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { pseudorandom } from "../support/fixture.ts";
import { f64, type Variant, variants } from "../support/variants.ts";

interface Kernels {
  heapBase(): number;
  greedyTree(cost: number, n: number, m: number, ld: number, potentials: number, nodes: number): number;
  // biome-ignore format: as the kernel declares them
  networkSimplex(cost: number, n: number, m: number, ld: number, potentials: number, nodes: number, row: number, block: number, tolerance: number, pivots: number): number;
}

/** The tree and its potentials, once no arc is cheaper; and the costs of the tree after each call. */
function solve(variant: Variant, n: number, m: number, pivots: number) {
  const bytes = readFileSync(fileURLToPath(new URL(`../../build/wasm/transport.${variant}.wasm`, import.meta.url)));
  const memory = new WebAssembly.Memory({ initial: 18 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const { heapBase, greedyTree, networkSimplex } = instance.exports as unknown as Kernels;
  const numbers = new Float64Array(memory.buffer);
  const count = n + m;
  const ld = m + (m % 2);
  const cost = Math.ceil(heapBase() / 64) * 64;
  const potentials = cost + 8 * n * ld;
  const nodes = Math.ceil((potentials + 8 * count) / 64) * 64;
  numbers.fill(0, cost / 8, nodes / 8 + 8 * count).fill(Infinity, cost / 8, potentials / 8);
  const costs = pseudorandom(f64, 1, n * m, 1, 0.5);
  for (let i = 0; i < n; i++) numbers.set(costs.subarray(i * m, i * m + m), cost / 8 + i * ld);
  const masses = [n, m].map((size, k) => pseudorandom(f64, 2 + k, size, 20, 11).map(Math.round));
  const [supply, demand] = masses as [Float64Array, Float64Array];
  const sum = (x: Float64Array): number => x.reduce((total, v) => total + v, 0);
  const missing = sum(supply) - sum(demand);
  if (missing > 0) demand[0] = (demand[0] as number) + missing;
  else supply[0] = (supply[0] as number) - missing;
  [...demand, ...supply].forEach((mass, v) => {
    numbers[nodes / 8 + 8 * v] = mass;
  });
  const root = greedyTree(cost, n, m, ld, potentials, nodes);
  const objective = (): number => {
    let total = 0;
    for (let v = 0; v < count; v++)
      if (nodes + 64 * v !== root)
        total += (numbers[nodes / 8 + 8 * v] as number) * (numbers[nodes / 8 + 8 * v + 1] as number);
    return total;
  };
  const history = [objective()];
  for (let row = 0; row >= 0; history.push(objective()))
    row = networkSimplex(cost, n, m, ld, potentials, nodes, row, 2, 2 ** -52, pivots);
  return { result: numbers.slice(potentials / 8, nodes / 8 + 8 * count), history };
}

it.each(variants)("%s", (variant) => {
  for (const [n, m] of [
    [40, 30],
    [9, 9],
    [60, 1],
  ] as const) {
    const wanted = solve(variant, n, m, 1e6);
    expect(wanted.history).toHaveLength(2);
    for (const pivots of [1, 2, 7, 64]) {
      const { result, history } = solve(variant, n, m, pivots);
      expect(result).toEqual(wanted.result);
      // each call leaves a plan that costs no more than the one before: what a caller may be told
      history.forEach((cost, k) => {
        expect(cost).toBeLessThanOrEqual((history[k - 1] ?? Infinity) * (1 + 2 ** -40));
      });
      if (m > 1 && pivots === 1) expect(history.length).toBeGreaterThan(2);
    }
  }
});
