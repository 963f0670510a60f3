/**
 * The operations that several families time, each declared once: what it reads, how the package is called for it, the plain loop
 * and the exact result. `contestantsOf` makes the package's ways and the loop's of one.
 */

import type { Resident } from "../src/types.ts";
import { distributions, floats, joined, labels, normals, sizeOf, total, uniforms } from "./data.ts";
import {
  type Call,
  type Case,
  type Contestants,
  calling,
  callingAnew,
  type Dtype,
  type FloatArray,
  type Values,
} from "./harness.ts";
import { loopsOf } from "./loops.ts";
import { ours, type Surprisal } from "./ours.ts";

export type Shape = readonly [rows: number, cols: number];
/** The first is a matrix; the second a matrix too, or labels; the third weights of the classes. */
export type Inputs = readonly [FloatArray, ...(FloatArray | Int32Array)[]];
type Result = number | FloatArray | Resident | { value: number; grad: FloatArray | Resident };
type Loops = Awaited<ReturnType<typeof loopsOf>>;

export interface Operation {
  /** The function and what is special about the call. */
  title: string;
  call: keyof Surprisal;
  inputs(dtype: Dtype, shape: Shape): Inputs;
  /** Of a function of one number: there is no option "shape". */
  shapeless?: true;
  /** How many of the inputs are arguments; the others are in the options. */
  positional: 1 | 2;
  options?(inputs: Inputs): object;
  /** How long `out` is; 0 where the result is a number. */
  length(shape: Shape): number;
  /** The plain loop and its arguments; where there is one, `out` is the last and not among them. */
  loop(loops: Loops, inputs: Inputs, shape: Shape): readonly [(...args: never[]) => Result, ...unknown[]];
  /** In f64 with compensated sums; of a loss with its gradient the gradient comes first. */
  reference(inputs: Inputs, shape: Shape): Values;
  /** As in Case. */
  floor?(shape: Shape): number;
}

const at = (values: Values, i: number): number => values[i] as number;
const matrix = ([rows, cols]: Shape): number => rows * cols;
const perRow = ([rows]: Shape): number => rows;
const none = (): number => 0;
const logits = (dtype: Dtype, shape: Shape): FloatArray => normals(dtype, sizeOf(shape), { sigma: 3 });
const two = ([x, y]: Inputs): readonly [FloatArray, FloatArray] => [x, y as FloatArray];
const labelled = ([x, y]: Inputs): readonly [FloatArray, Int32Array] => [x, y as Int32Array];

/** Logarithms may lie near 0: below 1 their error is absolute. */
const logarithm = (): number => 1;

/** A row in f64, its maximum and Σ e^{x − max}. */
function rowOf(x: Values, start: number, count: number, step = 1) {
  const row = Float64Array.from({ length: count }, (_, i) => at(x, start + i * step));
  const max = row.reduce((a, b) => Math.max(a, b));
  return { row, max, S: total(count, (i) => Math.exp(at(row, i) - max)) };
}
type Row = ReturnType<typeof rowOf>;

/** What `exact` makes of each row, one after the other. */
function byRows(x: Values, [rows, cols]: Shape, exact: (row: Row, r: number) => Values): Float64Array {
  return joined(Array.from({ length: rows }, (_, r) => exact(rowOf(x, r * cols, cols), r)));
}

/** Σ wᵣ Σⱼ tᵣⱼ (lse − xᵣⱼ) / Σ wᵣ. */
function exactLoss(x: Values, shape: Shape, target: (r: number, j: number) => number, weight: (r: number) => number) {
  const losses = byRows(x, shape, ({ row, max, S }, r) => [
    weight(r) * total(row.length, (j) => target(r, j) * (max - at(row, j) + Math.log(S))),
  ]);
  return [total(losses.length, (r) => at(losses, r)) / total(losses.length, weight)];
}
const oneHot = (labels: Values) => (r: number, j: number) => (at(labels, r) === j ? 1 : 0);
const evenly = () => 1;

/** Each row over its sum. */
export function normalised(p: Values, [rows, cols]: Shape): Float64Array {
  const q = Float64Array.from(p);
  for (let r = 0; r < rows; r++) {
    const row = q.subarray(r * cols, (r + 1) * cols);
    const sum = total(cols, (j) => at(row, j));
    row.set(row.map((v) => v / sum));
  }
  return q;
}

/** Σ term(p, q) over each row of two matrices of distributions. */
function exactDivergence([p, q]: Inputs, shape: Shape, term: (p: number, q: number) => number): Values {
  const [rows, cols] = shape;
  const [P, Q] = [normalised(p, shape), normalised(q as FloatArray, shape)];
  return Float64Array.from({ length: rows }, (_, r) =>
    total(cols, (j) => term(at(P, r * cols + j), at(Q, r * cols + j))),
  );
}

/** In sums of CHAIN products that are added with compensation. */
function exactGram([x]: Inputs, [n, d]: Shape): Float64Array {
  const CHAIN = 128;
  const g = new Float64Array(n * n);
  const chain = (i: number, j: number, length: number) => {
    let sum = 0;
    for (let k = 0; k < length; k++) sum += (x[i + k] as number) * (x[j + k] as number);
    return sum;
  };
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const sum = total(Math.ceil(d / CHAIN), (c) => {
        const start = c * CHAIN;
        return chain(i * d + start, j * d + start, Math.min(CHAIN, d - start));
      });
      g[i * n + j] = sum;
      g[j * n + i] = sum;
    }
  }
  return g;
}

const TEMPERATURE = 0.7;
const SMOOTHING = 0.1;

const softmaxes: Omit<Operation, "title" | "loop" | "reference"> = {
  call: "softmax",
  inputs: (dtype, shape) => [logits(dtype, shape)],
  positional: 1,
  length: matrix,
};
const losses: Omit<Operation, "title" | "loop" | "reference"> = {
  call: "crossEntropy",
  inputs: (dtype, shape) => [logits(dtype, shape), labels(...shape)],
  positional: 2,
  length: none,
};
const divergences: Omit<Operation, "title" | "call" | "loop" | "reference"> = {
  inputs: (dtype, shape) => [distributions(dtype, ...shape, 1), distributions(dtype, ...shape, 2)],
  positional: 2,
  options: () => ({ reduction: "none" }),
  length: perRow,
  // the loops do not normalise, so that what a row's sum is off by is lost from a small divergence
  floor: () => 1e-2,
};

export const OPERATIONS = {
  softmax: {
    ...softmaxes,
    title: "softmax",
    loop: ({ softmax }, [x], [, cols]) => [softmax, x, cols],
    reference: ([x], shape) => byRows(x, shape, ({ row, max, S }) => row.map((v) => Math.exp(v - max) / S)),
  },
  temperature: {
    ...softmaxes,
    title: "softmax, temperature 0.7",
    options: () => ({ temperature: TEMPERATURE }),
    loop: ({ softmaxAtTemperature }, [x], [, cols]) => [softmaxAtTemperature, x, cols, TEMPERATURE],
    reference: ([x], shape) => {
      const cooled = Float64Array.from(x, (v) => v / TEMPERATURE);
      return byRows(cooled, shape, ({ row, max, S }) => row.map((v) => Math.exp(v - max) / S));
    },
  },
  across: {
    ...softmaxes,
    title: "softmax along axis 0",
    options: () => ({ axis: 0 }),
    loop: ({ softmaxAcross }, [x], [, cols]) => [softmaxAcross, x, cols],
    reference: ([x], [rows, cols]) => {
      const y = new Float64Array(x.length);
      for (let j = 0; j < cols; j++) {
        const { row, max, S } = rowOf(x, j, rows, cols);
        for (let r = 0; r < rows; r++) y[r * cols + j] = Math.exp(at(row, r) - max) / S;
      }
      return y;
    },
  },
  logSoftmax: {
    ...softmaxes,
    title: "logSoftmax",
    call: "logSoftmax",
    loop: ({ logSoftmax }, [x], [, cols]) => [logSoftmax, x, cols],
    reference: ([x], shape) => byRows(x, shape, ({ row, max, S }) => row.map((v) => v - max - Math.log(S))),
    floor: logarithm,
  },
  logSumExp: {
    ...softmaxes,
    title: "logSumExp",
    call: "logSumExp",
    length: perRow,
    loop: ({ logSumExp }, [x], [, cols]) => [logSumExp, x, cols],
    reference: ([x], shape) => byRows(x, shape, ({ max, S }) => [max + Math.log(S)]),
    floor: logarithm,
  },
  crossEntropy: {
    ...losses,
    title: "crossEntropy",
    loop: ({ crossEntropy }, inputs, [, cols]) => [crossEntropy, ...labelled(inputs), cols],
    reference: (inputs, shape) => exactLoss(inputs[0], shape, oneHot(labelled(inputs)[1]), evenly),
  },
  crossEntropyWithGrad: {
    ...losses,
    title: "crossEntropyWithGrad",
    call: "crossEntropyWithGrad",
    length: matrix,
    loop: ({ crossEntropyWithGrad }, inputs, [, cols]) => [crossEntropyWithGrad, ...labelled(inputs), cols],
    reference: (inputs, shape) => {
      const [x, labels] = labelled(inputs);
      // p − 1 of a label is the sum of the others
      const grad = byRows(x, shape, ({ row, max, S }, r) => {
        const e = row.map((v) => Math.exp(v - max));
        const rest = total(e.length, (j) => (j === labels[r] ? 0 : at(e, j)));
        return e.map((v, j) => (j === labels[r] ? -rest : v) / S / shape[0]);
      });
      return joined([grad, exactLoss(x, shape, oneHot(labels), evenly)]);
    },
    // a loop subtracts 1/rows from the share of a label, and keeps no digits of a small difference
    floor: ([rows, cols]) => (cols < 64 ? 1e-2 / rows : 0),
  },
  soft: {
    ...losses,
    title: "crossEntropy, soft targets",
    inputs: (dtype, shape) => [logits(dtype, shape), distributions(dtype, ...shape, 2)],
    loop: ({ softCrossEntropy }, inputs, [, cols]) => [softCrossEntropy, ...two(inputs), cols],
    reference: ([x, t], shape) => exactLoss(x, shape, (r, j) => at(t as Values, r * shape[1] + j), evenly),
  },
  weighted: {
    ...losses,
    title: "crossEntropy, class weights",
    inputs: (dtype, shape) => [
      logits(dtype, shape),
      labels(...shape),
      floats(dtype, shape[1]).map((_, j) => 0.5 + (j % 8) / 8),
    ],
    options: ([, , weight]) => ({ weight }),
    loop: ({ weightedCrossEntropy }, inputs, [, cols]) => [
      weightedCrossEntropy,
      ...labelled(inputs),
      inputs[2] as FloatArray,
      cols,
    ],
    reference: (inputs, shape) => {
      const labels = labelled(inputs)[1];
      return exactLoss(inputs[0], shape, oneHot(labels), (r) => at(inputs[2] as Values, at(labels, r)));
    },
  },
  smoothed: {
    ...losses,
    title: "crossEntropy, label smoothing",
    options: () => ({ labelSmoothing: SMOOTHING }),
    loop: ({ smoothedCrossEntropy }, inputs, [, cols]) => [smoothedCrossEntropy, ...labelled(inputs), SMOOTHING, cols],
    reference: (inputs, shape) => {
      const hot = oneHot(labelled(inputs)[1]);
      const target = (r: number, j: number) => (1 - SMOOTHING) * hot(r, j) + SMOOTHING / shape[1];
      return exactLoss(inputs[0], shape, target, evenly);
    },
    // of one class the loss is 0, and a sum of rounded shares is not
    floor: ([, cols]) => (cols === 1 ? 1 : 0),
  },
  binaryCrossEntropy: {
    ...losses,
    title: "binaryCrossEntropy",
    call: "binaryCrossEntropy",
    inputs: (dtype, shape) => [
      logits(dtype, shape),
      floats(dtype, sizeOf(shape)).map(at.bind(null, uniforms(sizeOf(shape), 2))),
    ],
    loop: ({ binaryCrossEntropy }, inputs) => [binaryCrossEntropy, ...two(inputs)],
    reference: ([x, t]) => {
      const loss = (i: number) => {
        const z = at(x, i);
        return Math.max(z, 0) - z * at(t as Values, i) + Math.log1p(Math.exp(-Math.abs(z)));
      };
      return [total(x.length, loss) / x.length];
    },
  },
  entropy: {
    ...softmaxes,
    title: "entropy",
    call: "entropy",
    inputs: (dtype, shape) => [distributions(dtype, ...shape, 1)],
    options: () => ({ reduction: "none" }),
    length: perRow,
    loop: ({ entropy }, [p], [, cols]) => [entropy, p, cols],
    reference: ([p], [rows, cols]) => {
      const P = normalised(p, [rows, cols]);
      const term = (v: number) => (v > 0 ? -v * Math.log(v) : 0);
      return Float64Array.from({ length: rows }, (_, r) => total(cols, (j) => term(at(P, r * cols + j))));
    },
    floor: () => 1e-2,
  },
  sigmoid: {
    ...softmaxes,
    title: "sigmoid",
    call: "sigmoid",
    shapeless: true,
    loop: ({ sigmoid }, [x]) => [sigmoid, x],
    reference: ([x]) => Float64Array.from(x, (z) => 1 / (1 + Math.exp(-z))),
  },
  softplus: {
    ...softmaxes,
    title: "softplus",
    call: "softplus",
    shapeless: true,
    loop: ({ softplus }, [x]) => [softplus, x],
    reference: ([x]) => Float64Array.from(x, (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))),
  },
  klDivergence: {
    ...divergences,
    title: "klDivergence",
    call: "klDivergence",
    loop: ({ klDivergence }, inputs, [, cols]) => [klDivergence, ...two(inputs), cols],
    reference: (inputs, shape) => exactDivergence(inputs, shape, (p, q) => p * Math.log(p / q)),
  },
  jsDivergence: {
    ...divergences,
    title: "jsDivergence",
    call: "jsDivergence",
    loop: ({ jsDivergence }, inputs, [, cols]) => [jsDivergence, ...two(inputs), cols],
    reference: (inputs, shape) =>
      exactDivergence(
        inputs,
        shape,
        (p, q) => 0.5 * (p * Math.log((2 * p) / (p + q)) + q * Math.log((2 * q) / (p + q))),
      ),
  },
  gram: {
    ...softmaxes,
    title: "gram",
    call: "gram",
    inputs: (dtype, shape) => [normals(dtype, sizeOf(shape))],
    length: ([n]) => n * n,
    loop: ({ gram, gramInTiles }, [x], [n, d]) => [n % 4 === 0 ? gramInTiles : gram, x, n, d],
    reference: exactGram,
    // off the diagonal the terms cancel, so an error is one of ‖xᵢ‖·‖xⱼ‖, about d; that of tfjs over 50176 terms is 1.4e-5
    floor: ([, d]) => d,
  },
} satisfies Record<string, Operation>;

/** In f32 much less than a loop's or a rival's worst: tfjs's logSoftmax over 32000 columns is off by 5e-5. */
export const toleranceOf = (dtype: Dtype): number => (dtype === "f32" ? 1e-4 : 1e-12);

/** What a result is as a list, for the check. */
function valuesOf(result: unknown): Values {
  const values = result as Result;
  if (typeof values === "number") return [values];
  return "grad" in values ? joined([listOf(values.grad), [values.value]]) : listOf(values);
}

const listOf = (values: FloatArray | Resident): FloatArray => (ArrayBuffer.isView(values) ? values : values.array);

/** A call that is timed as it stands, and made once more for the check. */
const checked = (run: () => unknown): Call => ({ run, result: () => valuesOf(run()) });

/** The package's ways of an operation: "" allocates the result, "out" does not, "resident" reads and writes linear memory. */
export function waysOf(
  copy: Surprisal,
  operation: Operation,
  dtype: Dtype,
  inputs: Inputs,
  shape: Shape,
): Record<string, () => Call> {
  const f = copy[operation.call] as (...args: unknown[]) => unknown;
  const given = inputs.slice(0, operation.positional);
  const options = { ...(!operation.shapeless && { shape }), ...operation.options?.(inputs) };
  const length = operation.length(shape);
  return {
    "": () => checked(calling(f, ...given, options)),
    ...(length > 0 && {
      out: () => checked(calling(f, ...given, { ...options, out: floats(dtype, length) })),
    }),
    resident: () => {
      const held = [...given.filter((values) => !(values instanceof Int32Array)), floats(dtype, length)].map(
        (values) => {
          const resident = copy.resident(dtype, values.length);
          resident.set(values);
          return resident;
        },
      );
      const out = held.pop();
      const arrays = given.map((values, i) => (values instanceof Int32Array ? values : held[i]));
      const call = checked(calling(f, ...arrays, length > 0 ? { ...options, out } : options));
      const dispose = () => {
        for (const resident of [...held, out]) resident?.dispose();
      };
      return { ...call, dispose };
    },
  };
}

/** The package's ways, and the plain loop's; made ready one case at a time. */
export function contestantsOf(operation: Operation, dtype: Dtype, inputs: Inputs, shape: Shape): Contestants {
  const length = operation.length(shape);
  const loop = async () => operation.loop(await loopsOf(dtype), inputs, shape);
  const loops: Contestants = {
    "plain loop": async () => {
      const [f, ...args] = await loop();
      return checked(length > 0 ? callingAnew(f, args, dtype, length) : calling(f, ...(args as never[])));
    },
    ...(length > 0 && {
      "plain loop out": async () => {
        const [f, ...args] = await loop();
        return checked(calling(f, ...(args as never[]), floats(dtype, length) as never));
      },
    }),
  };
  return { ...ours((copy) => waysOf(copy, operation, dtype, inputs, shape)), ...loops };
}

/** A case of an operation; `choose` tells who contests of those that can, and who else. */
export function caseOf(
  operation: Operation,
  dtype: Dtype,
  shape: Shape,
  choose: (able: Contestants, inputs: Inputs) => Contestants = (able) => able,
): Case {
  return {
    op: operation.title,
    dtype,
    shape,
    tolerance: toleranceOf(dtype),
    floor: operation.floor?.(shape) ?? 0,
    setup: () => {
      const inputs = operation.inputs(dtype, shape);
      const contestants = choose(contestantsOf(operation, dtype, inputs, shape), inputs);
      return { reference: operation.reference(inputs, shape), contestants };
    },
  };
}
