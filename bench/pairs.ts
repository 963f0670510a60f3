/**
 * Pairs whose matrix never exists: nearest beside the Gram matrix of as many rows, a plain loop and what others offer for it, then
 * kernelProduct and kernelDensity of points in space. Rates are of 2·n·m·d flops, or of pairs: gram is counted by what a
 * symmetric result needs.
 */
import { normals } from "./data.ts";
import { inTurn, type Spread, spread } from "./harness.ts";
import { options } from "./options.ts";
import { ours, type Surprisal } from "./ours.ts";
import { insert, neighbours } from "./peers/neighbours.ts";
import { columns, digits, save } from "./report.ts";

const ROUNDS = options.rounds(5, 3);
const K = 10;
const BANDWIDTH = 0.3;

interface Way {
  readonly run: () => unknown;
  /** The time of a call in ms, of what measures itself. */
  readonly time?: (() => number) | undefined;
  /** Billions of operations of a call. */
  readonly work: number;
  /** Throws if the result is not that of plain loops. */
  readonly check?: (got: unknown) => void;
}

interface Entrant extends Way {
  readonly name: string;
  readonly times: number[];
}

/** The k nearest of some rows, as one writes it: typed arrays, a sorted list of the best. */
function plainNearest(x: Float32Array, y: Float32Array, rows: number, d: number): Int32Array {
  const m = y.length / d;
  const indices = new Int32Array(rows * K);
  const best = new Float64Array(K);
  for (let i = 0; i < rows; i++) {
    best.fill(Infinity);
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let k = 0; k < d; k++) {
        const difference = (x[i * d + k] as number) - (y[j * d + k] as number);
        sum += difference * difference;
      }
      if (sum < (best[K - 1] as number)) insert(best, indices, i * K, sum, j);
    }
  }
  return indices;
}

/** Σⱼ e^{−γ‖x − yⱼ‖²}·v of some rows. */
function plainProduct(x: Float32Array, v: Float32Array, rows: number, d: number): Float64Array {
  const out = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < v.length; j++) {
      let sum = 0;
      for (let k = 0; k < d; k++) {
        const difference = (x[i * d + k] as number) - (x[j * d + k] as number);
        sum += difference * difference;
      }
      out[i] = (out[i] as number) + Math.exp(-sum / d) * (v[j] as number);
    }
  }
  return out;
}

/** Every contestant round by round, those of the package in both variants. */
async function measured(
  title: string,
  unit: string,
  ways: (copy: Surprisal) => Record<string, Way>,
  plain: Way,
  peers: Readonly<Record<string, Way>> = {},
): Promise<Record<string, Spread>> {
  const known: Record<string, Way> = {};
  const contestants = ours((copy) => {
    const all = ways(copy);
    return Object.fromEntries(
      Object.entries(all).map(([name, way]) => {
        known[name] = way;
        return [name, () => ({ run: way.run })];
      }),
    );
  });
  const entrants: Entrant[] = [{ name: "plain", ...plain, times: [] }];
  for (const [name, start] of Object.entries(contestants)) {
    const { run } = await start();
    const { work, check } = known[name.split(" ")[1] ?? ""] as Way;
    const got = run();
    check?.(got);
    entrants.push({ name, work, run, times: [] });
  }
  for (const [name, way] of Object.entries(peers)) {
    if (!options.who.test(name)) continue;
    way.check?.(way.run());
    entrants.push({ name, ...way, times: [] });
  }
  for (let round = 0; round < ROUNDS; round++)
    for (const { run, time, times } of inTurn(entrants, round)) {
      const start = performance.now();
      if (!time) run();
      times.push(time ? time() : performance.now() - start);
    }
  const rate = ({ work, times }: Entrant): Spread => spread(times.map((ms) => (1000 * work) / ms));
  const slow = rate(entrants[0] as Entrant).median;
  const lines = entrants.map((one) => [one.name, digits(rate(one).median), `${digits(rate(one).median / slow, 2)}×`]);
  console.log(`\n${title}\n${columns([["", unit, "plain"], ...lines])}`);
  return Object.fromEntries(entrants.map((one) => [one.name, rate(one)]));
}

const results: Record<string, unknown> = {};

for (const [n, d] of options.complete ? [[20_000, 128] as const] : [[4000, 128] as const]) {
  const [x, y] = [1, 2].map((seed) => normals("f32", n * d, { seed })) as [Float32Array, Float32Array];
  const rows = Math.ceil(4e5 / n);
  const wanted = plainNearest(x, y, rows, d);
  const shape = [n, d] as const;
  // the matrix of 20,000 rows would take 1.6 GB
  const few = [Math.min(n, 4000), d] as const;
  const some = x.subarray(0, few[0] * d);
  const out = new Float32Array(few[0] ** 2);
  const title = `nearest f32 ${n}x${n}x${d}, k = ${K}`;
  if (!options.shape(`${n}x${d}`)) continue;
  const peers = options.peers ? await neighbours({ x, y, d, k: K }) : {};
  const others = Object.entries(peers).map(([name, { queries, run, time }]) => {
    const check = (got: unknown): void => {
      const indices = got as ArrayLike<number>;
      const known = Math.min(wanted.length, queries * K);
      // products of f32 order near ones as rounding has it
      let others = 0;
      for (let e = 0; e < known; e++) if (indices[e] !== wanted[e]) others++;
      if (others > known / 100) throw new Error(`${name}: ${others} of ${known} neighbours are others`);
    };
    return [name, { run, time, check, work: (2 * Math.min(queries, n) * n * d) / 1e9 }] as const;
  });
  results[title] = await measured(
    title,
    "GFLOP/s",
    (copy) => ({
      "": {
        run: () => copy.nearest(x, y, { shape, k: K }),
        work: (2 * n * n * d) / 1e9,
        check: (got) => {
          const { indices } = got as { indices: Int32Array };
          if (wanted.some((j, e) => indices[e] !== j)) throw new Error("nearest: other rows than the plain loop's");
        },
      },
      gram: { run: () => copy.gram(some, { shape: few, out }), work: (few[0] * (few[0] + 1) * d) / 1e9 },
    }),
    { run: () => plainNearest(x, y, rows, d), work: (2 * rows * n * d) / 1e9 },
    Object.fromEntries(others),
  );
  for (const { dispose } of Object.values(peers)) dispose?.();
}

for (const [n, d] of options.complete ? [[20_000, 3] as const] : [[4000, 3] as const]) {
  if (!options.shape(`${n}x${d}`)) continue;
  const x = normals("f32", n * d, { seed: 1 }) as Float32Array;
  const v = normals("f32", n, { seed: 2 }) as Float32Array;
  const shape = [n, d] as const;
  const rows = 100;
  const wanted = plainProduct(x, v, rows, d);
  const pairs = (n * n) / 1e9;
  const title = `kernelProduct rbf and kernelDensity f32 ${n}x${n}x${d}`;
  results[title] = await measured(
    title,
    "G pairs/s",
    (copy) => ({
      "": {
        run: () => copy.kernelProduct(x, undefined, v, { shape, kernel: "rbf" }),
        work: pairs,
        check: (got) => {
          const product = got as Float32Array;
          const apart = wanted.reduce((most, w, i) => Math.max(most, Math.abs(w - (product[i] as number))), 0);
          // kernels err by 1e-6 of the Σ|v| that they weigh
          if (!(apart < 1e-6 * n)) throw new Error(`kernelProduct is ${apart} off`);
        },
      },
      density: {
        run: () => copy.kernelDensity(x, x, { shape, bandwidth: BANDWIDTH }),
        work: pairs,
        check: (got) => {
          const [value] = got as Float32Array;
          const ones = new Float32Array(n).fill(1);
          // a density is a sum of the same kernels, of another width
          const [sum] = plainProduct(
            x.map((u) => (u * Math.sqrt(d / 2)) / BANDWIDTH),
            ones,
            1,
            d,
          );
          const expected = Math.log((sum as number) / n) - (d / 2) * Math.log(2 * Math.PI * BANDWIDTH ** 2);
          if (!(Math.abs((value as number) - expected) < 1e-4))
            throw new Error(`kernelDensity: ${value}, not ${expected}`);
        },
      },
    }),
    { run: () => plainProduct(x, v, rows, d), work: (rows * n) / 1e9 },
  );
}

if (options.complete) save("pairs", { rounds: ROUNDS, cases: results });
