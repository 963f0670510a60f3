/**
 * Exact transport between n and n uniform random points of the plane, squared Euclidean cost, equal masses: an assignment,
 * which the Hungarian method solves too. Draws how the time grows. Then many points on a line and a few others, in any order,
 * whose optimum is known from sorting them.
 */
import { writeFileSync } from "node:fs";
import { uniforms } from "./data.ts";
import { bench, type Case, type CaseResult, type Contestants } from "./harness.ts";
import { nodeMajor, options } from "./options.ts";
import { baseline, ours } from "./ours.ts";
import { digits } from "./report.ts";

const SIZES = [250, 500, 1000, 2000];
/** The Hungarian method would take a minute a turn beyond. */
const PLAIN_UP_TO = 1000;

const LONG = [
  [10_000, 3],
  [20_000, 3],
  [40_000, 3],
  [2, 200_000],
  [3000, 100],
] as const;

const cases = [...SIZES.map(planeOf), ...LONG.map(lineOf)];
const results = await bench({ name: "emd", cases, baseline });
const squares = results.filter(({ op }) => op === "emd");
for (const name of ["relaxed", "base", "hungarian"]) {
  const slope = growth(pointsOf(squares, name));
  if (slope !== undefined) console.log(`${name}: time grows as n^${digits(slope, 2)}`);
}
if (options.complete) draw(squares);

function planeOf(n: number): Case {
  return {
    op: "emd",
    dtype: "f64",
    shape: [n, n],
    tolerance: 1e-12,
    floor: 0,
    setup() {
      const [x, y] = [uniforms(2 * n, 1), uniforms(2 * n, 2)];
      const cost = Float64Array.from({ length: n * n }, (_, k) => {
        const [i, j] = [2 * Math.floor(k / n), 2 * (k % n)];
        return (at(x, i) - at(y, j)) ** 2 + (at(x, i + 1) - at(y, j + 1)) ** 2;
      });
      const masses = new Float64Array(n).fill(1 / n);
      const contestants = ours(({ emd }) => ({ "": () => ({ run: () => [emd(masses, masses, cost).cost] }) }));
      const hungarians: Contestants = { hungarian: () => ({ run: () => [hungarian(cost, n) / n] }) };
      return {
        reference: [hungarian(cost, n) / n],
        contestants: n > PLAIN_UP_TO ? contestants : { ...contestants, ...hungarians },
      };
    },
  };
}

function lineOf([n, m]: readonly [number, number]): Case {
  return {
    op: "emd on a line",
    dtype: "f64",
    shape: [n, m],
    tolerance: 1e-11,
    floor: 0,
    setup() {
      const [x, y] = [uniforms(n, 1), uniforms(m, 2)];
      const cost = Float64Array.from({ length: n * m }, (_, k) => (at(x, Math.floor(k / m)) - at(y, k % m)) ** 2);
      const [a, b] = [new Float64Array(n).fill(1 / n), new Float64Array(m).fill(1 / m)];
      return {
        reference: [inOrder(x.slice().sort(), y.slice().sort())],
        contestants: ours(({ emd }) => ({ "": () => ({ run: () => [emd(a, b, cost).cost] }) })),
      };
    },
  };
}

/** What equal masses on a line cost, moved in order: those of x are m and those of y n, whole numbers of the sum n·m. */
function inOrder(x: Float64Array, y: Float64Array): number {
  const [n, m] = [x.length, y.length];
  let cost = 0;
  for (let moved = 0; moved < n * m; ) {
    const [i, j] = [Math.floor(moved / m), Math.floor(moved / n)];
    const flow = Math.min((i + 1) * m, (j + 1) * n) - moved;
    cost += flow * (at(x, i) - at(y, j)) ** 2;
    moved += flow;
  }
  return cost / (n * m);
}

function at(values: ArrayLike<number>, i: number): number {
  return values[i] as number;
}

/** The least Σ C[i, σ(i)]: a shortest augmenting path for each row (Kuhn, Munkres, Jonker and Volgenant), O(n³). */
function hungarian(cost: Float64Array, n: number): number {
  const [u, v] = [new Float64Array(n), new Float64Array(n + 1)];
  const row = new Int32Array(n + 1).fill(-1);
  const way = new Int32Array(n);
  const least = new Float64Array(n);
  const used = new Uint8Array(n + 1);
  for (let i = 0; i < n; i++) {
    least.fill(Infinity);
    used.fill(0);
    let j = n;
    row[n] = i;
    while (at(row, j) >= 0) {
      used[j] = 1;
      const r = at(row, j);
      let delta = Infinity;
      let next = 0;
      for (let k = 0; k < n; k++) {
        if (used[k]) continue;
        const reduced = at(cost, r * n + k) - at(u, r) - at(v, k);
        if (reduced < at(least, k)) {
          least[k] = reduced;
          way[k] = j;
        }
        if (at(least, k) < delta) {
          delta = at(least, k);
          next = k;
        }
      }
      for (let k = 0; k <= n; k++) {
        if (used[k]) {
          u[at(row, k)] = at(u, at(row, k)) + delta;
          v[k] = at(v, k) - delta;
        } else if (k < n) least[k] = at(least, k) - delta;
      }
      j = next;
    }
    while (j !== n) {
      row[j] = at(row, at(way, j));
      j = at(way, j);
    }
  }
  let total = 0;
  for (let j = 0; j < n; j++) total += at(cost, at(row, j) * n + j);
  return total;
}

type Point = readonly [n: number, ms: number];

function pointsOf(cases: readonly CaseResult[], name: string): Point[] {
  return cases.flatMap(({ shape, figures }) => {
    const figure = figures[name];
    return figure ? [[Number.parseInt(shape, 10), figure.median / 1000] as const] : [];
  });
}

/** The exponent between the first and the last. */
function growth(points: readonly Point[]): number | undefined {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || first === last) return undefined;
  return Math.log(last[1] / first[1]) / Math.log(last[0] / first[0]);
}

/** Time over n, both logarithmic: bench/results/emd-<node>.svg. */
function draw(cases: readonly CaseResult[]): void {
  const series = [
    ["relaxed", "emd", "#1764ab", 44],
    ["hungarian", "plain Hungarian method", "#c2410c", -8],
  ] as const;
  const x = (n: number): number => 70 + (Math.log2(n / 250) / 3) * 400;
  const y = (ms: number): number => 290 - ((Math.log10(ms) - 0) / 4) * 250;
  const text = (px: number, py: number, words: string, more = ""): string =>
    `<text x="${px}" y="${py}" ${more}>${words}</text>`;
  const lines = [
    ...SIZES.map((n) => text(x(n), 310, `${n}`, 'text-anchor="middle"')),
    ...[1, 10, 100, 1000, 10_000].map(
      (ms) =>
        `<path d="M70 ${y(ms)}H470" stroke="#ddd"/>${text(62, y(ms) + 4, ms < 1000 ? `${ms} ms` : `${ms / 1000} s`, 'text-anchor="end"')}`,
    ),
    ...series.flatMap(([name, label, colour, dy]) => {
      const points = pointsOf(cases, name);
      const end = points.at(-1);
      if (!end) return [];
      const path = points.map(([n, ms]) => `${x(n).toFixed(1)},${y(ms).toFixed(1)}`).join(" ");
      return [
        `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...points.map(
          ([n, ms]) => `<circle cx="${x(n).toFixed(1)}" cy="${y(ms).toFixed(1)}" r="3.5" fill="${colour}"/>`,
        ),
        text(
          x(end[0]) - 12,
          y(end[1]) + dy,
          `${label}: n^${digits(growth(points) ?? 0, 2)}`,
          `text-anchor="end" fill="${colour}"`,
        ),
      ];
    }),
    text(270, 332, "points on either side", 'text-anchor="middle"'),
    text(20, 22, "Exact transport in the plane: time of a call", 'font-size="15" font-weight="bold"'),
  ];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 500 345" width="500" height="345" font-family="sans-serif" font-size="12" fill="#222"><rect width="500" height="345" fill="#fff"/>\n${lines.join("\n")}\n</svg>\n`;
  writeFileSync(new URL(`results/emd-${nodeMajor}.svg`, import.meta.url), svg);
}
