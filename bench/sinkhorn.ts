/**
 * sinkhorn of points in the plane, at ε = 0.01 of the mean cost to a marginal error of 1e-6, beside the plain loop in the log
 * domain: how long it takes, an iteration and all of them, for ours needs fewer. Then sinkhornDivergence of clouds.
 */
import { normals, sizeOf } from "./data.ts";
import { inTurn, ratiosOf, type Spread, spread } from "./harness.ts";
import { options } from "./options.ts";
import { ours } from "./ours.ts";
import { BEFORE, columns, digits, ratios, save } from "./report.ts";

const TOLERANCE = 1e-6;
const ROUNDS = options.rounds(5, 3);
/** Iterations of the plain loop that are timed in a round. */
const SLICE = 3;
/** Two products and two sums an element. */
const FLOPS = 4;

interface Run {
  iterations: number;
  cost: number;
}

interface Row {
  iterations: number;
  /** ms */
  all: Spread;
}

/** Squared distances of n points of the unit square from as many others, and ε. */
function problem(n: number) {
  // the fractions of so wide a normal distribution are uniform
  const points = (seed: number) => normals("f64", 2 * n, { sigma: 10, seed }).map((v) => v - Math.floor(v));
  const [x, y] = [points(1), points(2)];
  const cost = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const u = (x[2 * i] as number) - (y[2 * j] as number);
      const v = (x[2 * i + 1] as number) - (y[2 * j + 1] as number);
      cost[i * n + j] = u * u + v * v;
    }
  }
  const epsilon = (0.01 * cost.reduce((sum, c) => sum + c, 0)) / cost.length;
  return { n, cost, masses: new Float64Array(n).fill(1 / n), epsilon };
}

/**
 * What one writes without a package, in reduced units h = g/ε + log b: the maximum and the exponentials of each row, then of each
 * column, which are walked row by row. Until the columns are met, or for so many iterations.
 */
function plain({ n, cost, masses, epsilon }: ReturnType<typeof problem>, limit: number): Run {
  const scaled = cost.map((c) => c / epsilon);
  const logs = masses.map(Math.log);
  const [u, v, top, sum] = [0, 0, 0, 0].map(() => new Float64Array(n)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let iterations = 1; ; iterations++) {
    for (let i = 0; i < n; i++) {
      let max = -Infinity;
      for (let j = 0; j < n; j++) {
        const e = (v[j] as number) - (scaled[i * n + j] as number);
        if (e > max) max = e;
      }
      let total = 0;
      for (let j = 0; j < n; j++) total += Math.exp((v[j] as number) - (scaled[i * n + j] as number) - max);
      u[i] = (logs[i] as number) - max - Math.log(total);
    }
    top.fill(-Infinity);
    sum.fill(0);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const e = (u[i] as number) - (scaled[i * n + j] as number);
        if (e > (top[j] as number)) top[j] = e;
      }
    }
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++)
        sum[j] = (sum[j] as number) + Math.exp((u[i] as number) - (scaled[i * n + j] as number) - (top[j] as number));
    }
    let error = 0;
    for (let j = 0; j < n; j++) {
      const total = (top[j] as number) + Math.log(sum[j] as number);
      error += Math.abs(Math.exp((v[j] as number) + total) - (masses[j] as number));
      sum[j] = (logs[j] as number) - total;
    }
    const done = error <= TOLERANCE;
    if (!done) v.set(sum);
    if (done || iterations === limit) {
      const transported = () => {
        let result = 0;
        for (let k = 0; k < cost.length; k++) {
          const exponent = (u[Math.floor(k / n)] as number) + (v[k % n] as number) - (scaled[k] as number);
          result += Math.exp(exponent) * (cost[k] as number);
        }
        return result;
      };
      return { iterations, cost: done ? transported() : Number.NaN };
    }
  }
}

const time = (run: () => unknown): number => {
  const start = performance.now();
  run();
  return performance.now() - start;
};

async function matrices(n: number): Promise<Record<string, Row>> {
  const p = problem(n);
  const settings = { epsilon: p.epsilon, tolerance: TOLERANCE };
  const contestants = ours((copy) => ({
    "": () => ({ run: () => copy.sinkhorn(p.masses, p.masses, p.cost, settings) }),
  }));
  const wanted = plain(p, Infinity);
  const entrants: { name: string; iterations: number; run: () => unknown; timed: number; times: number[] }[] = [];
  for (const [name, start] of Object.entries(contestants)) {
    const { run } = await start();
    const { iterations, cost, converged } = run() as Run & { converged: boolean };
    // a marginal error of 1e-6 leaves a cost off by that times the largest cost, 2, at most
    if (!name.endsWith(BEFORE) && (!converged || Math.abs(cost - wanted.cost) > TOLERANCE * 2)) {
      throw new Error(`${name}: cost ${cost} after ${iterations} iterations, the plain loop's is ${wanted.cost}`);
    }
    entrants.push({ name, iterations, run, timed: iterations, times: [] });
  }
  entrants.push({ name: "plain", iterations: wanted.iterations, run: () => plain(p, SLICE), timed: SLICE, times: [] });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { iterations, run, timed, times } of inTurn(entrants, round))
      times.push((time(run) / timed) * iterations);
  }
  const rows = Object.fromEntries(
    entrants.map(({ name, iterations, times }) => [name, { iterations, all: spread(times) }]),
  );
  const slow = (rows["plain"] as Row).all.median;
  const lines = Object.entries(rows).map(
    ([
      name,
      {
        iterations,
        all: { median },
      },
    ]) => [
      name,
      digits(median),
      `${iterations}`,
      digits(median / iterations),
      name === "plain" ? "" : digits((FLOPS * p.cost.length * iterations) / median / 1e6),
      `${digits(slow / median, 2)}×`,
      `${digits(slow / (rows["plain"] as Row).iterations / (median / iterations), 2)}×`,
    ],
  );
  const head = ["", "ms", "iterations", "ms each", "GFLOP/s", "faster", "an iteration"];
  console.log(`\nsinkhorn f64 ${n}x${n}\n${columns([head, ...lines])}`);
  if (options.against) console.log(`\n${ratios({ [`${n}x${n}`]: ratiosOf(entrants) })}`);
  return rows;
}

async function clouds(shape: readonly [n: number, d: number]): Promise<Record<string, Spread>> {
  const x = normals("f32", sizeOf(shape), { seed: 1 });
  const y = normals("f32", sizeOf(shape), { seed: 2 }).map((v) => v + 0.5);
  // the mean cost is 2.25 a coordinate
  const settings = { shape, epsilon: 0.225 * shape[1] };
  const contestants = ours((copy) => ({ "": () => ({ run: () => copy.sinkhornDivergenceWithGrad(x, y, settings) }) }));
  const entrants: { name: string; run: () => unknown; times: number[] }[] = [];
  for (const [name, start] of Object.entries(contestants)) {
    const { run } = await start();
    run();
    entrants.push({ name, run, times: [] });
  }
  for (let round = 0; round < Math.min(ROUNDS, 3); round++)
    for (const { run, times } of inTurn(entrants, round)) times.push(time(run));
  const rows = Object.fromEntries(entrants.map(({ name, times }) => [name, spread(times)]));
  const lines = Object.entries(rows).map(([name, { median }]) => [name, digits(median)]);
  console.log(`\nsinkhornDivergenceWithGrad f32 ${shape.join("x")}\n${columns([["", "ms"], ...lines])}`);
  if (options.against) console.log(`\n${ratios({ [shape.join("x")]: ratiosOf(entrants) })}`);
  return rows;
}

const results: Record<string, unknown> = {};
for (const n of [250, 1000]) if (options.shape(`${n}x${n}`)) results[`${n}x${n}`] = await matrices(n);
for (const shape of [
  [2000, 2],
  [2000, 64],
] as const) {
  const title = shape.join("x");
  if (options.shape(title)) results[title] = await clouds(shape);
}
if (options.complete) save("sinkhorn", { rounds: ROUNDS, cases: results });
