/**
 * `npx tsx tools/docs.ts [--check]`: writes the measured figures into README.md and docs/*.md, between `<!-- name -->` and
 * `<!-- /name -->`; with --check it only says whether they are there. The figures come from docs/accuracy.json
 * (`npm run test:exhaustive`), docs/maxima.json (`RECORD=1 npm test`), docs/memory.json (tools/memory.ts),
 * docs/size.json (`npm run size`) and bench/results/*.json (`npm run bench`); who has what from site/src/read/features.json
 * (tools/features.ts).
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ACROSS, CEILINGS, DOUBLE, LONG, LOOPS, PAIRS, SMALL } from "../bench/ceilings/goals.ts";
import who from "../site/src/read/features.json" with { type: "json" };

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
  "plain loop": ["plain loop out", "plain loop", "plain tile", "plain sort", "hungarian"],
  "tfjs, wasm": ["tfjs"],
  "onnxruntime-web": ["ort-web"],
  "onnxruntime-node": ["ort-node"],
  "ml-matrix": ["ml-matrix"],
};

/** Of a family, or of `only` these cases of it. */
function speedTable(family: string, dtype: string, only?: (c: Speed["cases"][number]) => boolean): string | undefined {
  const speed = results<Speed>(family);
  if (speed === undefined) return undefined;
  const cases = speed.cases.filter((c) => c.dtype === dtype && (only?.(c) ?? true));
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

/** What the README shows of all these: rows of one table. */
function figuresTable(): string | undefined {
  const tables = [
    ["softmax", "softmax", "128x1000"],
    ["losses", "crossEntropyWithGrad", "128x1000"],
    ["gram", "gram", "1024x1024"],
  ].map(([family, op, shape]) => speedTable(family as string, "f32", (c) => c.op === op && c.shape === shape));
  if (tables.some((one) => one === undefined)) return undefined;
  const parts = (tables as string[]).map((one) => one.split("\n"));
  const [first] = parts as [string[]];
  // rows stand side by side, so that their columns must be the same
  if (parts.some(([head]) => head !== first[0])) throw new Error("the README's figures have other contestants each");
  return [...first.slice(0, 2), ...parts.map((lines) => lines[2]), ...first.slice(3)].join("\n");
}

const featuresTable = (): string =>
  `${table(
    ["", "surprisal", ...who.others.map(([name, version]) => `${name} ${version}`)],
    who.rows.map(({ name, cells }) => [name, ...cells.map(({ mark }) => mark)]),
  )}\n\n● one call, ○ one call for a part of it or up to four for all of it. Each was called on ${who.checked}, but for NumKong, which is not on npm.`;

type SpeedCase = Speed["cases"][number];
const caseOf = (speed: Speed, op: string, dtype: string, shape: string): SpeedCase | undefined =>
  speed.cases.find((c) => c.op === op && c.dtype === dtype && c.shape === shape);

/** The time of the first of these contestants that ran; NaN where none did. */
const timeOf = (c: SpeedCase | undefined, ...names: string[]): number =>
  names.map((name) => c?.figures[name]?.median).find((median) => median !== undefined) ?? Number.NaN;
const times = (ratio: number): string => (Number.isFinite(ratio) ? ratio.toFixed(2) : "");
const byType = (variant: string): string[] => [`${variant} out`, variant];
const shown = (shape: string): string => shape.replaceAll("x", "×");

/** Beside C++ at 128 bits, of the kind that `as` names: base over base, relaxed and resident over fused. */
function ofCeiling(c: SpeedCase | undefined, as = "") {
  const [plain, fused] = [timeOf(c, `C base${as}`), timeOf(c, `C fused${as}`)];
  return {
    base: timeOf(c, ...byType("base")) / plain,
    relaxed: timeOf(c, ...byType("relaxed")) / fused,
    resident: timeOf(c, "relaxed resident") / fused,
  };
}

const WAYS = ["base", "relaxed", "resident"] as const;

/** What the run itself tells of why a goal was missed: how much of it is accuracy, and how much the copies. */
function reasons(
  c: SpeedCase | undefined,
  reached: ReturnType<typeof ofCeiling>,
  goals: { relaxed: number },
): string[] {
  const cost = ["C base", "C fused"].map((name) => timeOf(c, `${name}, as accurate`) / timeOf(c, name));
  return [
    ...(cost.every(Number.isFinite) ? [`C++ as accurate takes ${cost.map(times).join(" and ")} times as long`] : []),
    ...(reached.relaxed > goals.relaxed && reached.resident <= goals.relaxed
      ? ["the copies: resident does without"]
      : []),
  ];
}

/** What was aimed at and what was reached; in bold what was missed. A hundredth more is within what a run is off by. */
function goalsTable(): string | undefined {
  const speed = results<Speed>("ceilings");
  if (speed === undefined) return undefined;
  const rows = CEILINGS.map(({ op, shape, reason, ...goals }) => {
    const c = caseOf(speed, op, "f32", shape);
    const reached = ofCeiling(c);
    const missed = WAYS.filter((way) => reached[way] > (goals[way] ?? Number.POSITIVE_INFINITY) + 0.01);
    return [
      `${op} ${shown(shape)}`,
      WAYS.flatMap((way) => goals[way]?.toString() ?? []).join(" "),
      WAYS.map((way) => (missed.includes(way) ? `**${times(reached[way])}**` : times(reached[way]))).join(" "),
      missed.length > 0 ? [reason, ...reasons(c, reached, goals)].filter(Boolean).join("; ") : "",
    ];
  });
  return `${table(["times C++: base, relaxed, resident", "goal", "reached", "why"], rows)}\n\nNode ${speed.node}, ${speed.cpu}.`;
}

/** All cases beside C++, the plain loop and f64; then those whose rows end within a vector beside the C++ that is good at that. */
function ceilingsTable(): string | undefined {
  const speed = results<Speed>("ceilings");
  if (speed === undefined) return undefined;
  const variants = ["base", "relaxed"] as const;
  const rows = speed.cases.map((c) => {
    const ours = variants.map((variant) => timeOf(c, ...byType(variant)));
    const doubles = variants.map((variant, i) => timeOf(c, `${variant} f64`) / (ours[i] as number));
    return [
      `${c.op} ${shown(c.shape)}`,
      ...[timeOf(c, "C base"), timeOf(c, "C fused"), ...ours, timeOf(c, "relaxed resident")].map(digits),
      ...Object.values(ofCeiling(c)).map(times),
      (timeOf(c, "plain loop out", "plain loop") / (ours[1] as number)).toFixed(1),
      ...doubles.map((ratio) => (ratio > DOUBLE ? `**${times(ratio)}**` : times(ratio))),
    ];
  });
  const columns = ["C++", "C++ fused", ...WAYS, "base/C++", "relaxed/fused", "resident/fused"];
  const others = ["tails in registers", "as accurate"].flatMap((as) =>
    speed.cases.flatMap((c) => {
      const ratios = Object.values(ofCeiling(c, `, ${as}`));
      return ratios.some(Number.isFinite) ? [[`${c.op} ${shown(c.shape)}, ${as}`, ...ratios.map(times)]] : [];
    }),
  );
  const shape = "256x4096";
  const across = variants.map((variant) => {
    const [first, last] = ["softmax along axis 0", "softmax"].map((op) => caseOf(speed, op, "f32", shape));
    return times(timeOf(first, ...byType(variant)) / timeOf(last, ...byType(variant)));
  });
  return [
    table(["µs, f32", ...columns, "loop/relaxed", "base f64/f32", "relaxed f64/f32"], rows),
    `In bold, f64 that takes more than ${DOUBLE} times as long as f32: a vector has half the lanes, its exponential a polynomial of degree 11 ` +
      "where that of f32 has 6, and its sums keep what rounding takes from them.",
    table(["times C++ of another kind", ...WAYS], others),
    `softmax [256, 4096] takes along axis 0 ${across.join(" (base) and ")} (relaxed) times as long as along the last; the goal is ${ACROSS}. Half of ` +
      "it is copying lines of a tile of columns, of 1 KB each.",
  ].join("\n\n");
}

/** The slower variant's time in times the plain loop's: the loop that allocates beside the call that does, `out` beside `out`. */
function smallTable(dtype: string): string | undefined {
  const speed = results<Speed>("small");
  if (speed === undefined) return undefined;
  const cases = speed.cases.filter((c) => c.dtype === dtype);
  const shapes = [...new Set(cases.map(({ shape }) => shape))];
  const ratio = (c: SpeedCase | undefined, out: string): number => {
    const ours = ["base", "relaxed"].map((variant) => timeOf(c, variant + out)).filter(Number.isFinite);
    return Math.max(...ours) / timeOf(c, `plain loop${out}`);
  };
  const rows = [...new Set(cases.map(({ op }) => op))].flatMap((op) =>
    ["", " out"].flatMap((out) => {
      const cells = shapes.map((shape) => ratio(caseOf(speed, op, dtype, shape), out));
      if (!cells.some(Number.isFinite)) return [];
      const cell = (r: number): string => (r > SMALL.bearable ? `**${r.toFixed(r < 10 ? 2 : 0)}**` : times(r));
      return [[op + (out && ", `out`"), ...cells.map(cell)]];
    }),
  );
  // where there is next to nothing to compute, a call is what it costs to be one
  const one = caseOf(speed, "softmax", dtype, "1x1");
  const inNs = (...names: string[]): string => (1000 * timeOf(one, ...names)).toFixed(0);
  const floor =
    `In ns, softmax of one number: ${inNs("relaxed", "base")}, with \`out\` ${inNs("relaxed out", "base out")}; ` +
    `the loop ${inNs("plain loop")} and ${inNs("plain loop out")}.`;
  const head = [`times the plain loop, ${dtype}`, ...shapes.map(shown)];
  return `${table(head, rows)}\n\n${floor} Node ${speed.node}, ${speed.cpu}.`;
}

/** How many times as fast as a plain loop, of what has goals against it alone; and how emd grows. */
function loopsTable(): string | undefined {
  const rows = LOOPS.flatMap(({ family, op, dtype, shape, times: goal, reason = "" }) => {
    const speed = results<Speed>(family);
    const c = speed && caseOf(speed, op, dtype, shape);
    if (c === undefined) return [];
    const loop = timeOf(c, "plain loop out", "plain loop");
    const reached = (["base", "relaxed"] as const).map((variant) => loop / timeOf(c, ...byType(variant)));
    const missed = goal !== undefined && Math.min(...reached) < goal;
    const cells = reached.map((r) => (goal !== undefined && r < goal ? `**${r.toFixed(1)}**` : r.toFixed(1)));
    return [[`${op} ${dtype} ${shown(shape)}`, goal?.toString() ?? "", ...cells, missed ? reason : ""]];
  });
  const emd = results<Speed>(LONG.family);
  const [short, long] = [LONG.from, LONG.to].map((shape) => emd && caseOf(emd, LONG.op, "f64", shape));
  const growth =
    short && long
      ? `\n\n${LONG.op}: ${shown(LONG.from)} takes ${digits(timeOf(short, "relaxed") / 1000)} ms, ${shown(LONG.to)} ${digits(timeOf(long, "relaxed") / 1000)} ms, ` +
        `${(timeOf(long, "relaxed") / timeOf(short, "relaxed")).toFixed(1)} times as long; the goal is ${LONG.times}.`
      : "";
  return `${table(["times as fast as the plain loop", "goal", "base", "relaxed", "why"], rows)}${growth}`;
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

interface LinearRates extends Environment {
  rates: Record<string, Record<string, { gflops: number; ofGram: number }>>;
}
const VARIANTS = ["base", "relaxed"] as const;

/** What was aimed at, what both variants reached, in bold where that is less. */
function pairsGoals(): string | undefined {
  const row = (what: string, goal: number | undefined, reached: readonly number[]): string[][] =>
    reached.some(Number.isFinite)
      ? [
          [
            what,
            goal === undefined ? "" : String(goal),
            ...reached.map((r) => (goal !== undefined && r < goal ? `**${times(r)}**` : times(r))),
          ],
        ]
      : [];
  const pairs = results<Pairs>("pairs");
  const rateOf = (title: string, name: string): number => pairs?.cases[title]?.[name]?.median ?? Number.NaN;
  const { nearest, kernelProduct, linear } = PAIRS;
  const beside = nearest.beside.flatMap(({ of, goal }) => {
    const reached = VARIANTS.map((variant) => {
      const other = of === "gram" ? `${variant} gram` : of;
      return rateOf(nearest.title, variant) / rateOf(nearest.title, other);
    });
    return row(`nearest, times the rate of ${of === "plain" ? "a plain loop" : of}`, goal, reached);
  });
  const rates = results<LinearRates>("linear-rates")?.rates;
  const shares = (["f32", "f64"] as const).flatMap((dtype) =>
    (["loss", "gradients"] as const).flatMap((what) =>
      [256, 1024].flatMap((d) => {
        const reached = VARIANTS.map(
          (variant) => rates?.[dtype]?.[`${variant} ${what}, d = ${d}`]?.ofGram ?? Number.NaN,
        );
        const name = what === "loss" ? "linearCrossEntropy" : "linearCrossEntropyWithGrad, its three products";
        return row(`${name} ${dtype}, d = ${d}, times gram's rate`, linear[what], reached);
      }),
    ),
  );
  const speed = results<Speed>("linear");
  const timed = speed && caseOf(speed, "linearCrossEntropy", "f32", linear.shape);
  const web = VARIANTS.map((variant) => timeOf(timed, "ort-web") / timeOf(timed, variant));
  const rows = [
    ...beside,
    ...row(
      "kernelProduct rbf, d = 3, G pairs/s",
      kernelProduct.goal,
      VARIANTS.map((variant) => rateOf(kernelProduct.title, variant)),
    ),
    ...shares,
    ...row(`linearCrossEntropy ${shown(linear.shape)}, times as fast as onnxruntime-web`, 1, web),
  ];
  return rows.length > 0 ? table(["at least", "goal", ...VARIANTS], rows) : undefined;
}

interface PairsMemory extends Environment {
  calls: Record<string, { linearMiB: number; heapMiB: number }>;
}

/** What calls took beyond inputs and results. */
function pairsMemory(): string | undefined {
  const memory = results<PairsMemory>("pairs-memory");
  if (memory === undefined) return undefined;
  const rows = Object.entries(memory.calls).map(([call, { linearMiB, heapMiB }]) => [
    call,
    linearMiB.toFixed(1),
    heapMiB.toFixed(1),
  ]);
  return `${table(["f32", "linear memory, MiB", "JavaScript, MiB"], rows)}\n\nNode ${memory.node}, ${memory.cpu}.`;
}

interface StartUp extends Environment {
  ms: Record<string, { low: number }>;
  /** The first call of each family of kernels. */
  first?: Record<string, { low: number }>;
  workerd?: Record<string, { low: number }>;
}

/** What the processes are called that start. */
const STARTS: Readonly<Record<string, string>> = {
  surprisal: "surprisal",
  "surprisal, the import": "– importing it, calling nothing",
  "surprisal, compile cache": "– with Node's compile cache",
  "surprisal, bundled": "surprisal bundled, softmax alone",
  "surprisal, bundled, the import": "– importing that, calling nothing",
  "surprisal, the .wasm file": "softmax's .wasm file, without the package",
};

function startUpTable(): string | undefined {
  const startUp = results<StartUp>("startup");
  if (startUp === undefined) return undefined;
  const { empty, ...all } = startUp.ms;
  const names = Object.keys(STARTS).filter((name) => name in all);
  const rivals = Object.keys(all).filter((name) => !(name in STARTS));
  const over = [...names, ...rivals].map((name) => [
    STARTS[name] ?? name,
    ((all[name]?.low ?? 0) - (empty?.low ?? 0)).toFixed(1),
  ]);
  const { "empty in workerd": idle, "surprisal in workerd": worker } = startUp.workerd ?? {};
  if (idle && worker)
    over.splice(names.length, 0, [
      "surprisal in workerd, over a Worker that does nothing",
      (worker.low - idle.low).toFixed(1),
    ]);
  const first = Object.entries(startUp.first ?? {}).map(([name, { low }]) => `${name} ${low.toFixed(1)}`);
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

interface Parallel extends Environment {
  workers: number;
  /** In µs, alone and in a pool, by the medians; the ratio is that of turns. */
  figures: Record<string, { alone: number; pooled: number; ratio: number }>;
}

/** How many times as fast a pool is. */
function parallelTable(): string | undefined {
  const parallel = results<Parallel>("parallel");
  if (parallel === undefined) return undefined;
  const rows = Object.entries(parallel.figures).map(([name, { alone, pooled, ratio }]) => [
    name,
    digits(alone / 1000),
    digits(pooled / 1000),
    `${ratio.toFixed(2)}×`,
  ]);
  return `${table(["", "alone, ms", "pool, ms", "as fast"], rows)}\n\n${parallel.workers} workers, Node ${parallel.node}, ${parallel.cpu}.`;
}

interface Threads extends Environment {
  browser: string;
  threads: number;
  /** In ms; and how many times as long as in the pool. */
  figures: Record<string, Record<string, { median: number; ratio: number }>>;
}

/** Others' threads beside the pool. */
function threadsTable(): string | undefined {
  const found = results<Threads>("threads");
  if (found === undefined) return undefined;
  const { browser, threads, figures, cpu } = found;
  const titles = Object.keys(Object.values(figures)[0] ?? {});
  const ours = `surprisal, ${threads}`;
  const others = titles.filter((title) => title !== ours);
  const rows = Object.entries(figures).map(([name, of]) => [
    name,
    digits(of[ours]?.median ?? 0),
    ...others.map((title) => `${(of[title]?.ratio ?? 0).toFixed(2)}×`),
  ]);
  return `${table(["", `${ours}, ms`, ...others], rows)}\n\n${browser}, ${cpu}.`;
}

interface Memory extends Environment {
  memory: Record<string, number>;
  tiles: { KiB: number[]; calls: { call: string; us: number[] }[] };
}
const memory = read<Memory>("docs/memory.json");

/** What stands between the markers; undefined where there are no figures yet. */
const BLOCKS: Record<string, string | undefined> = {
  parallel: parallelTable(),
  threads: threadsTable(),
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
  figures: figuresTable(),
  features: featuresTable(),
  goals: goalsTable(),
  ceilings: ceilingsTable(),
  "small f32": smallTable("f32"),
  "small f64": smallTable("f64"),
  "beside loops": loopsTable(),
  sinkhorn: sinkhornTable(),
  pairs: pairsTable(),
  "pairs goals": pairsGoals(),
  "pairs memory": pairsMemory(),
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
