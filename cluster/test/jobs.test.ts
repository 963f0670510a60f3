/** The tiles of a job, put together, are the function of the whole, bit by bit; numbers of sums are within their rounding errors. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  agreementMeter,
  calibrationMeter,
  cka,
  crossEntropyMeter,
  divergenceMeter,
  entropyMeter,
  gram,
  initSync,
  kernelMatrix,
  mmd,
  nearest,
  pairwiseDistance,
  pairwiseDivergence,
} from "surprisal";
import { beforeAll, describe, expect, test } from "vitest";
import { uniforms } from "../../examples/support/random.ts";
import { saveNpy } from "../src/inputs/npy.ts";
import { bytesOfJob, readArray, runHere, temporary } from "./support/job.ts";
import { uniform } from "./support/random.ts";

const data = temporary();
/** Of blocks of 32 rows: whole ones, one that is cut, and in y a single row beyond. */
const [N, M, D, EDGE] = [75, 65, 9, 32];
const TYPES = ["f32", "f64"] as const;

const made = Object.fromEntries(
  TYPES.map((type, k) => {
    const x = uniform(1 + k, N * D, type);
    const y = uniform(11 + k, M * D, type);
    // equal rows, which tie
    y.copyWithin(40 * D, 3 * D, 4 * D);
    x.copyWithin(70 * D, 2 * D, 3 * D);
    x.copyWithin(33 * D, 2 * D, 3 * D);
    return [type, { x, y }];
  }),
) as Record<"f32" | "f64", { x: Float32Array; y: Float32Array }>;

beforeAll(async () => {
  initSync({ variant: "base" });
  for (const type of TYPES) {
    await saveNpy(join(data, `x-${type}.npy`), made[type].x, [N, D]);
    await saveNpy(join(data, `y-${type}.npy`), made[type].y, [M, D]);
    await saveNpy(join(data, `z-${type}.npy`), uniform(30, N * 4, type), [N, 4]);
    await saveNpy(join(data, `q-${type}.npy`), uniform(31, N * D, type), [N, D]);
    await saveNpy(join(data, `w-${type}.npy`), uniform(32, N, type), [N]);
  }
  await saveNpy(
    join(data, "labels.npy"),
    Int32Array.from({ length: N }, (_, i) => (i * 7) % D),
    [N],
  );
});

const LABELS = Int32Array.from({ length: N }, (_, i) => (i * 7) % D);

describe.each(TYPES)("%s", (type) => {
  const { x, y } = made[type];
  const shapes = { shape: [N, D], yShape: [M, D] };
  const own = { shape: [N, D] };
  const of = (name: string): string => `${name}-${type}.npy`;
  const matrices: [string, object, Record<string, string>, () => ArrayLike<number>][] = [
    ...(["kl", "js", "jsDistance"] as const).flatMap((metric): typeof matrices => [
      ["pairwiseDivergence", { metric }, { p: "x" }, () => pairwiseDivergence(x, undefined, { ...own, metric })],
      [
        "pairwiseDivergence",
        { metric, base: 2 },
        { p: "x", q: "y" },
        () => pairwiseDivergence(x, y, { ...own, qShape: [M, D], metric, base: 2 }),
      ],
      [
        "pairwiseDivergence",
        { metric, from: "logits" },
        { p: "x" },
        () => pairwiseDivergence(x, undefined, { ...own, metric, from: "logits" }),
      ],
    ]),
    [
      "pairwiseDivergence",
      { metric: "js", from: ["logits", "probabilities"] },
      { p: "x" },
      () => pairwiseDivergence(x, undefined, { ...own, metric: "js", from: ["logits", "probabilities"] }),
    ],
    ...(["euclidean", "squaredEuclidean", "manhattan", "cosine"] as const).flatMap((metric): typeof matrices => [
      ["pairwiseDistance", { metric }, { x: "x" }, () => pairwiseDistance(x, undefined, { ...own, metric })],
      ["pairwiseDistance", { metric }, { x: "x", y: "y" }, () => pairwiseDistance(x, y, { ...shapes, metric })],
    ]),
    ...(["linear", "polynomial", "rbf", "laplacian", "sigmoid", "cosine"] as const).flatMap(
      (kernel): typeof matrices => [
        ["kernelMatrix", { kernel }, { x: "x" }, () => kernelMatrix(x, undefined, { ...own, kernel })],
        [
          "kernelMatrix",
          { kernel, gamma: 0.3, degree: 2.5 },
          { x: "x", y: "y" },
          () => kernelMatrix(x, y, { ...shapes, kernel, gamma: 0.3, degree: 2.5 }),
        ],
      ],
    ),
    ["gram", {}, { x: "x" }, () => gram(x, own)],
    ["gram", { scale: 0.3 }, { x: "x" }, () => gram(x, { ...own, scale: 0.3 })],
    ["gram", { center: true }, { x: "x" }, () => gram(x, { ...own, center: true })],
    ["gram", { center: true, scale: 0.3 }, { x: "y" }, () => gram(y, { shape: [M, D], center: true, scale: 0.3 })],
    ["gram", { center: false }, { x: "x" }, () => gram(x, own)],
  ];
  test.each(matrices)("%s %o of %o", async (fn, options, inputs, whole) => {
    const places = Object.fromEntries(Object.entries(inputs).map(([name, file]) => [name, of(file)]));
    const { folder } = await runHere(
      { function: fn, options: options as Record<string, unknown>, inputs: places, edge: EDGE },
      data,
    );
    expect(await readArray(folder, "matrix")).toEqual(whole());
  });

  test.each(["euclidean", "squaredEuclidean", "cosine", "dot", "kl", "js"] as const)(
    "nearest by %s",
    async (metric) => {
      for (const k of [1, 3, 40]) {
        for (const inputs of [{ x: of("x") }, { x: of("x"), y: of("y") }]) {
          const { folder } = await runHere({ function: "nearest", options: { metric, k }, inputs, edge: EDGE }, data);
          const expected =
            "y" in inputs ? nearest(x, y, { ...shapes, metric, k }) : nearest(x, undefined, { ...own, metric, k });
          expect(await readArray(folder, "indices")).toEqual(expected.indices);
          expect(await readArray(folder, "values")).toEqual(expected.values);
        }
      }
    },
  );

  test.each([{}, { unbiased: true }, { kernel: "polynomial" }, { kernel: "laplacian", gamma: 2 }] as const)(
    "mmd %o",
    async (options) => {
      const { value } = await runHere(
        { function: "mmd", options, inputs: { x: of("x"), y: of("y") }, edge: EDGE },
        data,
      );
      const scale = options.kernel === "polynomial" ? 3 : 1;
      expect(Math.abs((value as number) - mmd(x, y, { ...shapes, ...options }))).toBeLessThan(1e-15 * 8 * scale);
    },
  );

  test.each([{}, { unbiased: true }])("cka %o", async (options) => {
    const z = uniform(30, N * 4, type);
    const { value } = await runHere({ function: "cka", options, inputs: { x: of("x"), y: of("z") }, edge: EDGE }, data);
    const expected = cka(x, z, { shape: [N, D], yShape: [N, 4], ...options });
    // sums of f64, where cka has products of f32
    expect(Math.abs((value as number) - expected)).toBeLessThan(type === "f32" ? 1e-7 : 1e-13);
  });

  const q = uniform(31, N * D, type);
  const w = uniform(32, N, type);
  const batch = { shape: [N, D] };
  const meters = [
    [
      "crossEntropyMeter",
      {},
      { logits: of("x"), target: "labels.npy" },
      () => crossEntropyMeter().update(x, LABELS, batch),
    ],
    [
      "crossEntropyMeter",
      { labelSmoothing: 0.1 },
      { logits: of("x"), target: "labels.npy", sampleWeight: of("w") },
      () => crossEntropyMeter({ labelSmoothing: 0.1 }).update(x, LABELS, { ...batch, sampleWeight: w }),
    ],
    ["crossEntropyMeter", {}, { logits: of("x"), target: of("q") }, () => crossEntropyMeter().update(x, q, batch)],
    ["entropyMeter", { base: 2 }, { p: of("x") }, () => entropyMeter({ base: 2 }).update(x, batch)],
    [
      "divergenceMeter",
      { metric: "js" },
      { p: of("x"), q: of("q") },
      () => divergenceMeter({ metric: "js" }).update(x, q, batch),
    ],
    [
      "agreementMeter",
      { from: "logits", top: 2 },
      { p: of("x"), q: of("q") },
      () => agreementMeter({ from: "logits", top: 2 }).update(x, q, batch),
    ],
    [
      "calibrationMeter",
      { bins: 5 },
      { logits: of("x"), labels: "labels.npy" },
      () => calibrationMeter({ bins: 5 }).update(x, LABELS, batch),
    ],
  ] as const;
  test.each(meters)("%s %o of %o", async (fn, options, inputs, whole) => {
    const result = await runHere({ function: fn, options, inputs, edge: EDGE }, data);
    const meter = whole();
    expect(result["meter"]).toEqual(JSON.parse(JSON.stringify(meter)));
    expect([result.value, result["count"], result["standardError"]]).toEqual([
      meter.value,
      meter.count,
      meter.standardError,
    ]);
  });
});

test.each(TYPES)(
  "gram of centred %s: columns that are equal, huge, tiny, of both signs, of no numbers",
  async (type) => {
    const next = uniforms(77);
    const columns: (() => number)[] = [
      () => 0.1,
      () => (type === "f64" ? 1e300 : 1e37) * (next() - 0.5),
      () => (type === "f64" ? 1e-310 : 1e-42) * next(),
      () => 1e6 + next(),
      () => -0,
      () => next() - 0.5,
    ];
    // one kind of column each, then all, then some numbers that are none
    const cases = [
      ...columns.map((of) => [of]),
      columns,
      [() => (next() < 0.05 ? NaN : next())],
      [() => (next() < 0.05 ? Infinity : next())],
    ];
    const huge = type === "f64" ? [[() => 1.5e308 * (next() < 0.5 ? -1 : 1)], [() => 2 ** -500 * next()]] : [];
    for (const [at, row] of [...cases, ...huge].entries()) {
      const d = row.length;
      const values = Array.from({ length: 100 * d }, (_, e) => (row[e % d] as () => number)());
      const x = type === "f32" ? Float32Array.from(values) : Float64Array.from(values);
      await saveNpy(join(data, "centred.npy"), x, [100, d]);
      const request = { function: "gram", options: { center: true }, inputs: { x: "centred.npy" }, edge: EDGE };
      const { folder } = await runHere(request, data);
      expect(await readArray(folder, "matrix"), `case ${at}`).toEqual(
        gram(x as Float32Array, { shape: [100, d], center: true }),
      );
    }
  },
);

test("the order of tiles leaves no trace", async () => {
  const request = { function: "pairwiseDivergence", options: { metric: "js" }, inputs: { p: "x-f32.npy" }, edge: 16 };
  const forward = await runHere(request, data);
  const other = join(data, "other");
  mkdirSync(other);
  await saveNpy(join(other, "elsewhere.npy"), made.f32.x, [N, D]);
  const backward = await runHere({ ...request, inputs: { p: "elsewhere.npy" } }, other, (indices) => indices.reverse());
  expect(backward.id).toBe(forward.id);
  const { "spec.json": first, ...here } = bytesOfJob(data, forward.id);
  const { "spec.json": second, ...there } = bytesOfJob(other, backward.id);
  expect(first).not.toBe(second);
  expect(there).toEqual(here);
});

test("output as .npy", async () => {
  const { x } = made.f32;
  const request = {
    function: "pairwiseDistance",
    inputs: { x: "x-f32.npy", y: "y-f32.npy" },
    edge: EDGE,
    output: "npy",
  } as const;
  const { folder, arrays } = await runHere(request, data);
  expect(arrays).toEqual({ matrix: "matrix.npy" });
  const bytes = readFileSync(join(folder, "matrix.npy"));
  const header = 10 + bytes.readUInt16LE(8);
  expect(header % 64).toBe(0);
  expect(bytes.toString("latin1", 10, header)).toContain(
    `'descr': '<f4', 'fortran_order': False, 'shape': (${N}, ${M})`,
  );
  const values = new Float32Array(new Uint8Array(bytes.subarray(header)).buffer);
  expect(values).toEqual(pairwiseDistance(x, made.f32.y, { shape: [N, D], yShape: [M, D] }));
});
