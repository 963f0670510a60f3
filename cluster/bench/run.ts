/**
 * `npx tsx cluster/bench/run.ts [--docs]`: what tiles cost, and what the queue costs beside them, on this machine; writes results.json here, and
 * from it the figures of docs/cluster.md. With --docs it measures nothing. About two minutes; alone on the machine.
 */
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { idOf, type Request, run, saveNpy, specOf, tile } from "surprisal-cluster";
import { uniform } from "../test/support/random.ts";
import { startRedis } from "../test/support/redis.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const RESULTS = here("results.json");
const DOCS = here("../../docs/cluster.md");

interface Rate {
  readonly name: string;
  readonly rows: number;
  readonly d: number;
  /** Rows of a block. */
  readonly edge: number;
  /** Pairs, or rows of a meter, that a core does in a second. */
  readonly perSecond: number;
  readonly unit: "pairs" | "rows";
}

interface Results {
  readonly node: string;
  readonly cpu: string;
  readonly rates: readonly Rate[];
  /** Seconds of the queue over those of threads, round by round: of the clock, and of all cores, Redis included. */
  readonly overhead: readonly { readonly clock: number; readonly cores: number }[];
  readonly secondsPerTile: number;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

/** Seconds that a core worked: on a machine that others use too they say what the clock does not. */
const secondsOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6;

async function measured(): Promise<Results> {
  const data = mkdtempSync(join(tmpdir(), "surprisal-bench-"));
  try {
    const rates: Rate[] = [];
    const jobs: [string, Request, number, number][] = [
      [
        "JS divergence, d = 256",
        { function: "pairwiseDivergence", options: { metric: "js" }, inputs: { p: "x.npy" } },
        4096,
        256,
      ],
      ["Euclidean distance, d = 256", { function: "pairwiseDistance", inputs: { x: "x.npy" } }, 4096, 256],
      [
        "rbf kernel, d = 256",
        { function: "kernelMatrix", options: { kernel: "rbf" }, inputs: { x: "x.npy" } },
        4096,
        256,
      ],
      ["10 nearest, d = 256", { function: "nearest", options: { k: 10 }, inputs: { x: "x.npy" } }, 8192, 256],
      ["mmd, d = 256", { function: "mmd", inputs: { x: "x.npy", y: "x.npy" } }, 4096, 256],
      [
        "cross-entropy, 1,000 classes",
        { function: "crossEntropyMeter", inputs: { logits: "x.npy", target: "t.npy" } },
        8192,
        1000,
      ],
    ];
    for (const [name, request, rows, d] of jobs) {
      await saveNpy(join(data, "x.npy"), uniform(1, rows * d, "f32"), [rows, d]);
      await saveNpy(join(data, "t.npy"), new Int32Array(rows), [rows]);
      const { edge } = (await specOf(request, data)).grid;
      // a rate does not depend on the size of a tile, and small ones are soon timed
      const spec = await specOf({ ...request, edge: Math.min(1024, edge) }, data);
      const { edge: side, tiles } = spec.grid;
      const isMeter = request.function.endsWith("Meter");
      // tile 1 has two blocks, wherever there are two; the first time it reads files and starts kernels
      const index = Math.min(1, tiles - 1);
      const seconds: number[] = [];
      for (let round = 0; round < 4; round++) {
        const before = process.cpuUsage();
        await tile(spec, index, data);
        if (round > 0) seconds.push(secondsOf(process.cpuUsage(before)));
      }
      const count = isMeter ? Math.min(side, rows) : request.function === "nearest" ? side * rows : side * side;
      rates.push({ name, rows, d, edge, perSecond: count / median(seconds), unit: isMeter ? "rows" : "pairs" });
      console.log(name, rates.at(-1));
    }
    return { node: process.version, cpu: cpus()[0]?.model ?? "", rates, ...(await overhead(data)) };
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

/** The same job on threads and through the queue, on as many cores, turn by turn. */
async function overhead(data: string): Promise<Pick<Results, "overhead" | "secondsPerTile">> {
  const cores = availableParallelism();
  const redis = await startRedis();
  const worker = fork(here("../test/support/worker.mjs"), [
    JSON.stringify({ connection: redis.socket, data, concurrency: cores }),
  ]);
  try {
    await new Promise((resolve) => worker.once("message", resolve));
    const rows = 4 * 1024;
    const cpu = async (): Promise<number> => {
      const told = await redis.ask((one) => one.info("cpu"));
      const ofRedis = [/used_cpu_sys:([\d.]+)/, /used_cpu_user:([\d.]+)/].map((of) => Number(of.exec(told)?.[1]));
      // of the worker, all threads, in hundredths
      const ticks =
        readFileSync(`/proc/${worker.pid}/stat`, "utf8").split(") ")[1]?.split(" ").slice(11, 13).map(Number) ?? [];
      return [...ofRedis, ...ticks.map((one) => one / 100), secondsOf(process.cpuUsage())].reduce(
        (sum, one) => sum + one,
        0,
      );
    };
    const [ratios, seconds]: [{ clock: number; cores: number }[], number[]] = [[], []];
    // a job of its own each time: what is there is not made again; the first is not counted
    for (let round = 0; round < 4; round++) {
      await saveNpy(join(data, "p.npy"), uniform(round + 1, rows * 256, "f32"), [rows, 256]);
      const options = { metric: "js" } as const;
      const request: Request = { function: "pairwiseDivergence", options, inputs: { p: "p.npy" }, edge: 1024 };
      const spec = await specOf(request, data);
      const timed = async (
        where: { local: number } | { connection: string },
      ): Promise<{ clock: number; cores: number }> => {
        const [start, before] = [performance.now(), await cpu()];
        await run(request, { data, ...where });
        const time = { clock: (performance.now() - start) / 1000, cores: (await cpu()) - before };
        rmSync(join(data, idOf(spec)), { recursive: true });
        return time;
      };
      const order = [{ local: cores }, { connection: redis.socket }] as const;
      const times = new Map<object, { clock: number; cores: number }>();
      for (const one of round % 2 === 0 ? order : [...order].reverse()) times.set(one, await timed(one));
      const [threads, queue] = order.map((one) => times.get(one)) as [
        { clock: number; cores: number },
        { clock: number; cores: number },
      ];
      if (round > 0) ratios.push({ clock: queue.clock / threads.clock, cores: queue.cores / threads.cores });
      seconds.push(threads.cores / spec.grid.tiles);
      console.log("threads", threads, "queue", queue);
    }
    return { overhead: ratios, secondsPerTile: median(seconds) };
  } finally {
    worker.kill("SIGKILL");
    await redis.remove();
  }
}

const whole = (value: number): string => Math.round(value).toLocaleString("en");

function hours(seconds: number): string {
  if (seconds < 90) return `${seconds < 1 ? seconds.toFixed(1) : whole(seconds)} s`;
  if (seconds < 5400) return `${whole(seconds / 60)} min`;
  return seconds < 36e5 ? `${(seconds / 3600).toFixed(1)} h` : `${whole(seconds / 3600)} h`;
}

function bytes(value: number): string {
  if (value < 1e6) return `${whole(value / 1e3)} kB`;
  if (value < 1e9) return `${whole(value / 1e6)} MB`;
  return value < 1e12 ? `${whole(value / 1e9)} GB` : `${whole(value / 1e12)} TB`;
}

/** Tiles, core-hours and bytes of n rows, from the rate of one tile. */
function row({ name, edge, perSecond, unit }: Rate, n: number): string[] {
  const blocks = Math.ceil(n / edge);
  const isNearest = name.includes("nearest");
  const isSum = name.startsWith("mmd");
  const half = (blocks * (blocks + 1)) / 2;
  const tiles = unit === "rows" || isNearest ? blocks : isSum ? 2 * half + blocks * blocks : half;
  const work = unit === "rows" ? n : isNearest ? n * n : tiles * edge * edge;
  const output = unit === "rows" || isSum ? tiles * 200 : isNearest ? n * 10 * 8 : 4 * n * n;
  const seconds = work / perSecond;
  const rate = `${(perSecond / 1e6).toPrecision(3)} M ${unit}`;
  return [
    name,
    rate,
    whole(n),
    whole(tiles),
    hours(seconds / tiles),
    hours(seconds),
    hours(seconds / 100),
    bytes(output),
  ];
}

function write({ node, cpu, rates, overhead: ratios, secondsPerTile }: Results): void {
  const head = ["f32", "a core, a second", "rows", "tiles", "a tile", "one core", "100 cores", "output"];
  const sizes = [1e5, 1e6];
  const lines = rates.flatMap((rate) => sizes.map((n) => row(rate, n)));
  const table = [head, head.map((_, i) => (i === 0 ? "---" : "--:")), ...lines]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
  const of = (name: "clock" | "cores"): string => {
    const all = ratios.map((one) => one[name].toFixed(2)).sort();
    return `${all[Math.floor(all.length / 2)]} of the time (${all[0]} to ${all.at(-1)} in ${all.length} turns)`;
  };
  const text = `Tiles were made with Node ${node.slice(1)} on ${cpu}, base kernels; rates are of a core's own time, as others were at work on the machine. What
10⁵ and 10⁶ rows take at these rates, for matrices one triangle of tiles, is worked out from them:

${table}

The same job, in tiles of ${secondsPerTile.toFixed(1)} s, on as many cores through Redis and on threads without it, in turn: the queue takes ${of("clock")} by
the clock, and ${of("cores")} of all cores, Redis's included. That is nothing that could be told from the noise.`;
  const page = readFileSync(DOCS, "utf8");
  writeFileSync(
    DOCS,
    page.replace(
      /(<!-- (cluster\/bench\/run\.ts) -->)[\s\S]*?(<!-- \/\2 -->)/,
      (_, begin, _name, end) => `${begin}\n${text}\n${end}`,
    ),
  );
}

const { values } = parseArgs({ options: { docs: { type: "boolean" } } });
if (!values.docs) writeFileSync(RESULTS, `${JSON.stringify(await measured(), null, 2)}\n`);
write(JSON.parse(readFileSync(RESULTS, "utf8")) as Results);
