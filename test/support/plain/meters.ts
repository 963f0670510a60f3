/** What a meter reads after batches: what the plain functions make of all rows at once. */
import type { DType } from "../variants.ts";
import { jsDivergence, klDivergence } from "./divergences.ts";
import { crossEntropy } from "./losses.ts";
import { ANYTHING, type Estimate, type Expected, exactly, type Given } from "./near.ts";
import { distributionOf, type From } from "./rows.ts";
import { entropy, logSumExp } from "./softmax.ts";

export type MeterName =
  | "agreementMeter"
  | "calibrationMeter"
  | "crossEntropyMeter"
  | "divergenceMeter"
  | "entropyMeter"
  | "logSumExpMeter";

/** All rows that a meter has taken, each of n numbers. */
export interface Rows {
  readonly dtype: DType;
  readonly n: number;
  readonly rows: number;
  readonly p: Float64Array;
  /** The second distribution, or soft targets. */
  readonly q: Float64Array;
  readonly labels: Float64Array;
  readonly sampleWeight: Float64Array | undefined;
  readonly weight: Float64Array | undefined;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What is read of a meter, by name. */
export type Readings = Readonly<Record<string, Expected>>;

const numbersOf = (expected: Expected): readonly Estimate[] | undefined =>
  "numbers" in expected ? (expected.numbers as readonly Estimate[]) : undefined;

/** Where nothing is promised of a row, or a sum may be out of range, nothing is of what is read. */
const isPlain = ({ value, error }: Estimate): boolean => error < 1e140 && !(Math.abs(value) > 1e140);

const meanOf = (rows: readonly Estimate[]): Estimate => {
  if (!rows.every(isPlain)) return ANYTHING;
  const size = rows.reduce((sum, { value }) => sum + Math.abs(value), 0);
  return {
    value: rows.reduce((sum, { value }) => sum + value, 0) / rows.length,
    error: (rows.reduce((sum, { error }) => sum + error, 0) + 1e-15 * rows.length * size) / rows.length,
  };
};

/** ‖u − ū‖/√(n(n − 1)), which moves by no more than ‖e‖/√(n(n − 1)) where the numbers move by e. */
function standardErrorOf(rows: readonly Estimate[]): Estimate {
  const n = rows.length;
  if (n < 2) return exactly(NaN);
  if (!rows.every(isPlain)) return ANYTHING;
  const mean = meanOf(rows).value;
  const norm = (of: (one: Estimate) => number): number => Math.hypot(...rows.map(of)) / Math.sqrt(n * (n - 1));
  const value = norm((one) => one.value - mean);
  return {
    value,
    error: norm(({ value, error }) => error + 1e-15 * (n + 2) * Math.abs(value)) + 1e-14 * value + 1e-300,
  };
}

/** The numbers that may be meant, to 1 % and what the rows may be off; NaN of none, or with one that is. */
function quantileOf(rows: readonly Estimate[], q: number): Estimate {
  if (rows.length === 0) return exactly(NaN);
  if (!rows.every(isPlain)) return ANYTHING;
  if (rows.some(({ value }) => Number.isNaN(value))) return exactly(NaN);
  const sorted = rows.map(({ value }) => value).sort((a, b) => a - b);
  const value = sorted[Math.max(1, Math.ceil(q * rows.length)) - 1] as number;
  const off = rows.reduce((most, { error }) => Math.max(most, error), 0);
  return { value, error: off + 0.01 * (Math.abs(value) + off) + 1e-300 };
}

/** Σ wu / Σ w is left to `crossEntropy`, whose mean it is; without weights the rest follows from the rows. */
function readingsOf(all: readonly Estimate[], mean: Estimate, weighted: boolean, byQuantile: boolean): Readings {
  return {
    count: exactly(all.length),
    value: all.length === 0 ? exactly(NaN) : mean,
    standardError: weighted ? ANYTHING : standardErrorOf(all),
    ...(byQuantile && Object.fromEntries([0, 0.3, 0.5, 1].map((q) => [`quantile(${q})`, quantileOf(all, q)]))),
  };
}

const givenOf = (all: Rows, arrays: Given["arrays"], labels = false): Given => ({
  dtype: all.dtype,
  arrays,
  shapes: Object.fromEntries(
    Object.keys(arrays).map((name) => [name, labels && name === "target" ? [all.rows] : [all.rows, all.n]]),
  ),
  options: { ...all.options, reduction: "none" },
});

function ofCrossEntropy(all: Rows): Readings {
  const { options, p, q, labels, sampleWeight, weight } = all;
  const soft = options["soft"] === true;
  const ignored = (options["ignoreIndex"] as number | undefined) ?? -100;
  const given = givenOf(
    all,
    { logits: p, target: soft ? q : labels, ...(weight && { weight }), ...(sampleWeight && { sampleWeight }) },
    !soft,
  );
  const each = numbersOf(crossEntropy(given)) ?? [];
  const mean = crossEntropy({ ...given, options: { ...given.options, reduction: "mean" } });
  const counted = each.filter((_, r) => soft || labels[r] !== ignored);
  const weighted = weight !== undefined || sampleWeight !== undefined;
  // a mean of finite numbers is finite here, and there it may overflow on the way
  const sure = counted.every(isPlain) && "value" in mean && isPlain(mean);
  return readingsOf(counted, sure ? (mean as Estimate) : ANYTHING, weighted, false);
}

function ofDivergence(all: Rows, metric: "kl" | "js"): readonly Estimate[] {
  const given = givenOf(all, { p: all.p, q: all.q });
  return numbersOf((metric === "kl" ? klDivergence : jsDivergence)(given)) ?? [];
}

/** The first of the largest elements. */
const firstOf = (row: ArrayLike<number>): number => {
  let first = 0;
  for (let i = 1; i < row.length; i++) if ((row[i] as number) > (row[first] as number)) first = i;
  return first;
};

const fraction = (count: number, of: number): Estimate => ({ value: count / of, error: 1e-15 });

function ofAgreement(all: Rows): Readings {
  const { rows, n, p, q, options } = all;
  const top = (options["top"] as number | undefined) ?? 1;
  let agreed = 0;
  for (let r = 0; r < rows; r++) {
    const [a, b] = [p.subarray(r * n, (r + 1) * n), q.subarray(r * n, (r + 1) * n)];
    if (a.some(Number.isNaN) || b.some(Number.isNaN)) continue;
    const first = firstOf(a);
    const before = b.reduce((count, v, i) => count + +(v > (b[first] as number) || (v === b[first] && i < first)), 0);
    if (before < top) agreed++;
  }
  const share = agreed / rows;
  const readings: Record<string, Expected> = {
    count: exactly(rows),
    value: rows === 0 ? exactly(NaN) : fraction(agreed, rows),
    standardError: rows < 2 ? exactly(NaN) : { value: Math.sqrt((share * (1 - share)) / (rows - 1)), error: 1e-15 },
  };
  for (const metric of ["kl", "js"] as const) {
    const each = ofDivergence(all, metric);
    for (const [name, expected] of Object.entries(readingsOf(each, meanOf(each), false, true)))
      if (name !== "count") readings[`${metric}.${name}`] = expected;
  }
  return readings;
}

function ofCalibration(all: Rows): Readings {
  const { rows, n, p, labels, options, dtype } = all;
  const ignored = (options["ignoreIndex"] as number | undefined) ?? -100;
  const bins = (options["bins"] as number | undefined) ?? 15;
  const from = (options["from"] as From | undefined) ?? "logits";
  const counted = Array.from({ length: rows }, (_, r) => r).filter((r) => labels[r] !== ignored);
  const unknown = { count: exactly(counted.length) };
  const error = 32 * dtype.unit;
  let [brier, correct, doubtful] = [0, 0, false];
  const table = Array.from({ length: bins }, () => ({ count: 0, correct: 0, sure: 0 }));
  for (const r of counted) {
    const row = p.subarray(r * n, (r + 1) * n);
    const { p: shares, bad } = distributionOf(row, from === "logProbabilities" ? "logits" : from, true);
    if (bad)
      return { ...unknown, ...Object.fromEntries(["value", "mce", "brier", "accuracy"].map((k) => [k, exactly(NaN)])) };
    const first = firstOf(row);
    const sure = shares[first] as number;
    brier += shares.reduce((sum, v, i) => sum + (v - +(i === labels[r])) ** 2, 0);
    const hit = +(first === labels[r]);
    correct += hit;
    const at = Math.min(Math.max(Math.ceil(sure * bins), 1), bins) - 1;
    // on the edge of a bin, or below all numbers of the type
    if (Math.abs(sure * bins - Math.round(sure * bins)) < 2 * error * bins && sure * bins < bins - error * bins)
      doubtful = true;
    const bin = table[at] as (typeof table)[number];
    bin.count++;
    bin.correct += hit;
    bin.sure += sure;
  }
  const total = counted.length;
  if (total === 0) return { ...unknown, value: exactly(NaN), brier: exactly(NaN), accuracy: exactly(NaN) };
  const gaps = table.map((bin) => Math.abs(bin.correct - bin.sure));
  const shares = table.map((bin, i) => (bin.count ? (gaps[i] as number) / bin.count : 0));
  return {
    ...unknown,
    accuracy: fraction(correct, total),
    brier: { value: brier / total, error: 8 * error },
    value: doubtful ? ANYTHING : { value: gaps.reduce((a, b) => a + b, 0) / total, error },
    mce: doubtful ? ANYTHING : { value: Math.max(...shares), error },
  };
}

/** What is read of each meter. */
export const METER_READINGS: Readonly<Record<MeterName, (all: Rows) => Readings>> = {
  agreementMeter: ofAgreement,
  calibrationMeter: ofCalibration,
  crossEntropyMeter: ofCrossEntropy,
  divergenceMeter: (all) => {
    const each = ofDivergence(all, (all.options["metric"] as "kl" | "js" | undefined) ?? "kl");
    return readingsOf(each, meanOf(each), false, true);
  },
  entropyMeter: (all) => {
    const each = numbersOf(entropy(givenOf(all, { p: all.p }))) ?? [];
    return readingsOf(each, meanOf(each), false, false);
  },
  logSumExpMeter: (all) => {
    const each = numbersOf(logSumExp(givenOf(all, { x: all.p }))) ?? [];
    return readingsOf(each, meanOf(each), false, false);
  },
};
