/**
 * `npx tsx tools/memory.ts`: what linear memory costs, for docs/memory.md.
 *
 * Prints the pages that calls leave behind, and the time of the same calls with tiles of other sizes than src/place/rows.ts
 * has; keeps both in docs/memory.json. Needs the kernels (`npm run build`).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

type Surprisal = typeof import("../src/index.ts");
type Call = (x: Float32Array, options: object) => unknown;

const KiB = 1024;
const MiB = KiB * KiB;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The package from its sources, with tiles of so many bytes. */
async function withTiles(bytes: number): Promise<Surprisal> {
  let replaced = 0;
  const { outputFiles } = await build({
    entryPoints: [here("../src/index.ts")],
    bundle: true,
    format: "esm",
    write: false,
    plugins: [
      {
        name: "tiles",
        setup: ({ onLoad }) =>
          onLoad({ filter: /src\/(place\/rows|memory\/arena)\.ts$/ }, ({ path }) => {
            const constant = /^(export )?const (\w*TILE\w*|RESULT)_BYTES = .*;$/gm;
            const contents = readFileSync(path, "utf8").replace(constant, (_, exported = "", name) => {
              replaced++;
              return `${exported}const ${name}_BYTES = ${bytes};`;
            });
            return { contents, loader: "ts" };
          }),
      },
    ],
  });
  if (replaced !== 2)
    throw new Error(`TILE_BYTES and RESULT_BYTES were to be replaced, but ${replaced} constants were`);
  const source = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
  return import(`data:text/javascript;base64,${source}#${bytes}`);
}

/** Linear memory after calls of several kinds, in KiB. */
function footprint({ info, logSumExp, resident, softmax }: Surprisal): [string, number][] {
  const after = (what: string, act: () => void): [string, number] => {
    act();
    return [what, info().memoryBytes / KiB];
  };
  const large = new Float32Array((512 * MiB) / 4);
  return [
    after("the first call", () => softmax([1, 2, 3])),
    after("a softmax of 512 MiB, rows of 4096", () =>
      softmax(large, { shape: [large.length / 4096, 4096], out: large }),
    ),
    after("of 512 MiB in one row", () => softmax(large, { out: large })),
    after("10⁵ calls, every third failing", () => {
      const x = new Float32Array(500);
      for (let i = 0; i < 1e5; i++) {
        if (i % 3) logSumExp(x);
        else {
          try {
            softmax(x, { out: new Float32Array(499) });
          } catch {}
        }
      }
    }),
    after("10⁴ residents of 1 MiB, each disposed of", () => {
      for (let i = 0; i < 1e4; i++) resident("f32", MiB / 4).dispose();
    }),
  ];
}

const SIZES = [4, 8, 16, 32, 64, 128, 256, 512, 1024];
const CALLS: [name: "softmax" | "logSumExp", shape: number[], axis: number][] = [
  ["softmax", [128, 1000], -1],
  ["softmax", [4096, 64], -1],
  ["softmax", [256, 4096], 0],
  ["softmax", [16, 65536], 0],
  ["logSumExp", [128, 1000], -1],
];

/** Median µs of each call with each size of tile, the sizes in turns. */
async function tiles(rounds = 15): Promise<{ call: string; us: number[] }[]> {
  const packages: Surprisal[] = [];
  for (const size of SIZES) packages.push(await withTiles(size * KiB));
  return CALLS.map(([name, shape, axis]) => {
    const x = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i) * 5);
    const out = new Float32Array(name === "softmax" ? x.length : (shape[0] as number));
    const timed = packages.map((pack) => ({
      call: () => (pack[name] as Call)(x, { shape, axis, out }),
      times: [] as number[],
    }));
    for (let round = -2; round < rounds; round++) {
      for (const { call, times } of timed) {
        const start = performance.now();
        for (let i = 0; i < 20; i++) call();
        if (round >= 0) times.push(((performance.now() - start) * 1000) / 20);
      }
    }
    return {
      call: `${name} [${shape.join(", ")}]${axis === 0 ? ", axis 0" : ""}`,
      us: timed.map(({ times }) => median(times)),
    };
  });
}

const median = (values: number[]): number =>
  Number((values.sort((a, b) => a - b)[values.length >> 1] as number).toPrecision(3));

const report = {
  node: process.versions.node,
  cpu: cpus()[0]?.model,
  memory: Object.fromEntries(footprint(await withTiles(16 * KiB))),
  tiles: { KiB: SIZES, calls: await tiles() },
};
console.log("linear memory after …, KiB");
console.table(report.memory);
console.log("µs a call by size of tile, KiB");
console.table(
  Object.fromEntries(
    report.tiles.calls.map(({ call, us }) => [call, Object.fromEntries(SIZES.map((size, i) => [size, us[i]]))]),
  ),
);
writeFileSync(here("../docs/memory.json"), `${JSON.stringify(report, null, 2)}\n`);
