/**
 * `npx tsx tools/docs.ts [--check]`: writes the measured figures into README.md and docs/*.md, between `<!-- name -->` and
 * `<!-- /name -->`; with --check it only says whether they are there. The figures come from docs/accuracy.json
 * (`npm run test:exhaustive`), docs/maxima.json (`RECORD=1 npm test`), docs/memory.json (tools/memory.ts),
 * docs/size.json (`npm run size`) and bench/results/*.json (`npm run bench`).
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = <T>(path: string): T | undefined =>
  existsSync(here(path)) ? (JSON.parse(readFileSync(here(path), "utf8")) as T) : undefined;

/** The results of a benchmark under the newest Node there are any of. */
function results<T>(family: string): T | undefined {
  const majors = existsSync(here("bench/results"))
    ? readdirSync(here("bench/results")).map((name) =>
        Number(new RegExp(`^${family}-(\\d+)\\.json$`).exec(name)?.[1] ?? 0),
      )
    : [];
  return read(`bench/results/${family}-${Math.max(0, ...majors)}.json`);
}

/** A Markdown table, the first column to the left and the others to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows.map(line)].join("\n");
}

const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

interface Worst {
  error: number;
  at: number;
  got: number;
  want: number;
  inputs: number;
}
type Accuracy = Record<string, Record<string, { bound: number; base?: Worst; relaxed?: Worst }>>;
const accuracy = read<Accuracy>("docs/accuracy.json");
const measured = Object.entries(accuracy ?? {}).flatMap(([name, types]) =>
  Object.entries(types).map(([dtype, entry]) => ({ name, dtype, ...entry })),
);

/** What the tests measured against mpmath (RECORD=1 npm test), by quantity and column. */
const maxima = read<Record<string, Record<string, { error: number; witness: string }>>>("docs/maxima.json");
const COLUMNS = ["f32 base", "f32 relaxed", "f64 base", "f64 relaxed"];

const nearlyEqual = read<Record<string, Record<string, { error: number | null }>>>("docs/nearlyEqual.json");
const RIVALS = ["base", "relaxed", "SciPy", "PyTorch"];

interface Environment {
  node: string;
  cpu: string;
}
interface Speed extends Environment {
  cases: { op: string; dtype: string; shape: string; figures: Record<string, { median: number }> }[];
}

/** Columns of a speed table: what the README calls a contestant, and the names in bench/ it goes by, the first that ran. */
const CONTESTANTS: Record<string, readonly string[]> = {
  base: ["base out", "base"],
  relaxed: ["relaxed out", "relaxed"],
  "plain loop": ["plain loop", "plain tile", "plain sort", "hungarian"],
  "tfjs, wasm": ["tfjs"],
  "onnxruntime-web": ["ort-web"],
  "onnxruntime-node": ["ort-node"],
  "ml-matrix": ["ml-matrix"],
};

function speedTable(family: string, dtype: string): string | undefined {
  const speed = results<Speed>(family);
  if (speed === undefined) return undefined;
  const cases = speed.cases.filter((c) => c.dtype === dtype);
  const cell = (figures: Speed["cases"][number]["figures"], names: readonly string[]): string => {
    const ran = names.find((name) => figures[name]);
    return ran ? digits(figures[ran]?.median as number) : "";
  };
  const present = Object.entries(CONTESTANTS).filter(([, names]) => cases.some(({ figures }) => cell(figures, names)));
  const rows = cases.map(({ op, shape, figures }) => [
    `${op} ${shape.replaceAll("x", "×")}`,
    ...present.map(([, names]) => cell(figures, names)),
  ]);
  return `${table([`µs, ${dtype}`, ...present.map(([title]) => title)], rows)}\n\nNode ${speed.node}, ${speed.cpu}.`;
}

interface Sinkhorn extends Environment {
  /** Of matrices with the number of iterations, of clouds without; in ms. */
  cases: Record<string, Record<string, { iterations: number; all: { median: number } } | { median: number }>>;
}

/** How long Sinkhorn's iterations take, beside the plain loop in the log domain. */
function sinkhornTable(): string | undefined {
  const sinkhorn = results<Sinkhorn>("sinkhorn");
  if (sinkhorn === undefined) return undefined;
  const rows = Object.entries(sinkhorn.cases).flatMap(([shape, contestants]) =>
    Object.entries(contestants).map(([name, times]) => {
      const { median } = "all" in times ? times.all : times;
      const iterations = "all" in times ? [times.iterations.toString(), digits(median / times.iterations)] : ["", ""];
      return [
        `${shape.replaceAll("x", "×")}, ${name === "plain" ? "plain loop" : name}`,
        digits(median),
        ...iterations,
      ];
    }),
  );
  return `${table(["", "ms", "iterations", "ms an iteration"], rows)}\n\nNode ${sinkhorn.node}, ${sinkhorn.cpu}.`;
}

interface Pairs extends Environment {
  cases: Record<string, Record<string, { median: number }>>;
}

/** Rates, and how many times that of the plain loop. */
function pairsTable(): string | undefined {
  const pairs = results<Pairs>("pairs");
  if (pairs === undefined) return undefined;
  const rows = Object.entries(pairs.cases).flatMap(([title, contestants]) =>
    Object.entries(contestants).map(([name, { median }]) => [
      `${title.replaceAll("x", "×")}: ${name === "plain" ? "plain loop" : name}`,
      digits(median),
      `${digits(median / (contestants["plain"]?.median ?? median))}×`,
    ]),
  );
  return `${table(["", "GFLOP/s, G pairs/s", "plain loop"], rows)}\n\nNode ${pairs.node}, ${pairs.cpu}.`;
}

interface StartUp extends Environment {
  ms: Record<string, { median: number }>;
  /** The first call of each family of kernels. */
  first?: Record<string, { median: number }>;
  workerd?: Record<string, { median: number }>;
}

function startUpTable(): string | undefined {
  const startUp = results<StartUp>("startup");
  if (startUp === undefined) return undefined;
  const { empty, ...others } = startUp.ms;
  const over = Object.entries(others).map(([name, { median }]) => [name, (median - (empty?.median ?? 0)).toFixed(1)]);
  const { "empty in workerd": idle, "surprisal in workerd": worker } = startUp.workerd ?? {};
  if (idle && worker)
    over.splice(1, 0, [
      "surprisal in workerd, over a Worker that does nothing",
      (worker.median - idle.median).toFixed(1),
    ]);
  const first = Object.entries(startUp.first ?? {}).map(([name, { median }]) => `${name} ${median.toFixed(1)}`);
  const calls =
    first.length > 0 ? `\n\nThe first call of a family of kernels compiles it. In ms: ${first.join(", ")}.` : "";
  return table(["from nothing to a first softmax", "ms over an empty process"], over) + calls;
}

/** Imports in three columns, the smallest first, and last all there is. */
function sizeTable(): string | undefined {
  const sizes = read<Record<string, { gzipped: number }>>("docs/size.json");
  if (sizes === undefined) return undefined;
  const kB = (bytes: number): string => (bytes / 1000).toFixed(1);
  const whole = (title: string): boolean => title.startsWith("everything");
  const functions = Object.entries(sizes).flatMap(([name, { gzipped }]) => (whole(name) ? [] : [{ name, gzipped }]));
  const cells = functions
    .sort((a, b) => a.gzipped - b.gzipped || (a.name < b.name ? -1 : 1))
    .map(({ name, gzipped }) => [`\`${name}\``, kB(gzipped)]);
  const height = Math.ceil(cells.length / 3);
  const rows = Array.from({ length: height }, (_, i) => [0, 1, 2].flatMap((k) => cells[k * height + i] ?? ["", ""]));
  const all = Object.entries(sizes).flatMap(([title, { gzipped }]) => (whole(title) ? `${title} ${kB(gzipped)}` : []));
  return `${table(["import", "KB", "import", "KB", "import", "KB"], rows)}\n\nIn KB, ${all.join("; ")}.`;
}

interface Memory extends Environment {
  memory: Record<string, number>;
  tiles: { KiB: number[]; calls: { call: string; us: number[] }[] };
}
const memory = read<Memory>("docs/memory.json");

/** What stands between the markers; undefined where there are no figures yet. */
const BLOCKS: Record<string, string | undefined> = {
  accuracy:
    accuracy &&
    table(
      ["ULP", "bound", "base", "relaxed"],
      measured.map(({ name, dtype, bound, base, relaxed }) => [
        `${name} ${dtype}`,
        `${bound}`,
        ...[base, relaxed].map((worst) => worst?.error.toFixed(3) ?? ""),
      ]),
    ),
  witnesses:
    accuracy &&
    table(
      ["", "ULP", "at", "got", "exact", "inputs"],
      measured.flatMap(({ name, dtype, ...of }) =>
        (["base", "relaxed"] as const).flatMap((variant) => {
          const worst = of[variant];
          return worst
            ? [
                [
                  `${name} ${dtype}, ${variant}`,
                  worst.error.toFixed(4),
                  ...[worst.at, worst.got, worst.want, worst.inputs].map(String),
                ],
              ]
            : [];
        }),
      ),
    ),
  maxima:
    maxima &&
    table(
      ["largest error", ...COLUMNS],
      Object.entries(maxima).map(([quantity, columns]) => [
        quantity,
        ...COLUMNS.map((column) => columns[column]?.error.toFixed(2) ?? ""),
      ]),
    ),
  "nearly equal":
    nearlyEqual &&
    table(
      ["largest relative error", ...RIVALS],
      Object.entries(nearlyEqual).map(([quantity, columns]) => [
        quantity,
        ...RIVALS.map((column) => columns[column]?.error?.toExponential(1) ?? ""),
      ]),
    ),
  ...Object.fromEntries(
    ["softmax", "losses", "divergences", "gram", "wasserstein", "emd"].flatMap((family) =>
      ["f32", "f64"].map((dtype) => [`${family} ${dtype}`, speedTable(family, dtype)]),
    ),
  ),
  sinkhorn: sinkhornTable(),
  pairs: pairsTable(),
  "start-up": startUpTable(),
  size: sizeTable(),
  footprint:
    memory &&
    table(
      ["linear memory after", "KiB"],
      Object.entries(memory.memory).map(([what, size]) => [what, `${size}`]),
    ),
  tiles:
    memory &&
    `${table(
      ["µs a call, by KiB of a tile", ...memory.tiles.KiB.map(String)],
      memory.tiles.calls.map(({ call, us }) => [call, ...us.map(digits)]),
    )}\n\nNode ${memory.node}, ${memory.cpu}.`,
};

const documents = [
  "README.md",
  ...readdirSync(here("docs")).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : [])),
];
for (const path of documents) {
  const before = readFileSync(here(path), "utf8");
  const after = before.replace(/<!-- ([\w -]+) -->\n[\s\S]*?<!-- \/\1 -->/g, (block, name: string) => {
    if (!Object.hasOwn(BLOCKS, name))
      throw new Error(`${path}: there is no table "${name}", only ${Object.keys(BLOCKS).join(", ")}`);
    if (BLOCKS[name] === undefined) console.warn(`${path}: no figures for "${name}" yet`);
    return BLOCKS[name] === undefined ? block : `<!-- ${name} -->\n${BLOCKS[name]}\n<!-- /${name} -->`;
  });
  if (after === before) continue;
  if (process.argv.includes("--check")) {
    console.error(`${path} does not show the figures kept: npx tsx tools/docs.ts`);
    process.exitCode = 1;
  } else {
    writeFileSync(here(path), after);
    console.log(`${path} updated`);
  }
}
