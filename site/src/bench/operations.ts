/** What is timed: inputs, the plain loop, and surprisal's call, each in f32 from typed arrays to a typed array. */
import type * as surprisal from "surprisal";
import { softmax } from "surprisal";
import type { FloatArray } from "../../../bench/harness.ts";
import * as loops from "../../../bench/loops.ts";
import { normals, uniforms } from "../../../examples/support/random.ts";

/** In f32, or what is exact is computed from: in f64. */
export interface Inputs<F extends FloatArray = Float32Array> {
  readonly rows: number;
  readonly cols: number;
  /** Logits; of a divergence P, of a Gram matrix the points. */
  readonly x: F;
  /** Q of a divergence. */
  readonly y: F;
  readonly labels: Int32Array;
}

/** The functions, of surprisal or of a pool, whose calls are promises. */
export type Functions = Readonly<
  Pick<typeof surprisal, "softmax" | "logSumExp" | "crossEntropyWithGrad" | "klDivergence" | "jsDivergence" | "gram">
>;

export interface Operation {
  readonly shapes: readonly string[];
  /** What it writes. */
  readonly size: (inputs: Inputs) => number;
  /** The inputs are distributions. */
  readonly distributions?: true;
  readonly ours: (by: Functions, inputs: Inputs, out: Float32Array) => unknown;
  /** The loop that one would write; in f64 what results are compared to. */
  readonly plain: (inputs: Inputs<FloatArray>, out: FloatArray) => unknown;
}

const perRow = ({ rows }: Inputs): number => rows;
const all = ({ rows, cols }: Inputs): number => rows * cols;
const shapeOf = ({ rows, cols }: Inputs): number[] => [rows, cols];
export const widened = (inputs: Inputs): Inputs<Float64Array> => ({
  ...inputs,
  x: Float64Array.from(inputs.x),
  y: Float64Array.from(inputs.y),
});
const ROWS = ["32x10", "128x1000", "8x32000"];

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  softmax: {
    shapes: ROWS,
    size: all,
    ours: (by, i, out) => by.softmax(i.x, { shape: shapeOf(i), out }),
    plain: (i, out) => loops.softmax(i.x, i.cols, out),
  },
  logSumExp: {
    shapes: ROWS,
    size: perRow,
    ours: (by, i, out) => by.logSumExp(i.x, { shape: shapeOf(i), out }),
    plain: (i, out) => loops.logSumExp(i.x, i.cols, out),
  },
  crossEntropyWithGrad: {
    shapes: ROWS,
    size: all,
    ours: (by, i, out) => by.crossEntropyWithGrad(i.x, i.labels, { shape: shapeOf(i), out }),
    plain: (i, out) => loops.crossEntropyWithGrad(i.x, i.labels, i.cols, out),
  },
  klDivergence: {
    shapes: ROWS,
    size: perRow,
    distributions: true,
    ours: (by, i, out) => by.klDivergence(i.x, i.y, { shape: shapeOf(i), reduction: "none", out }),
    plain: (i, out) => loops.klDivergence(i.x, i.y, i.cols, out),
  },
  jsDivergence: {
    shapes: ROWS,
    size: perRow,
    distributions: true,
    ours: (by, i, out) => by.jsDivergence(i.x, i.y, { shape: shapeOf(i), reduction: "none", out }),
    plain: (i, out) => loops.jsDivergence(i.x, i.y, i.cols, out),
  },
  gram: {
    shapes: ["64x512", "256x256", "512x1024"],
    size: ({ rows }) => rows * rows,
    ours: (by, i, out) => by.gram(i.x, { shape: shapeOf(i), out }),
    plain: (i, out) => loops.gramInTiles(i.x, i.rows, i.cols, out),
  },
};

export function inputsOf(operation: Operation, shape: string): Inputs {
  const [rows, cols] = shape.split("x").map(Number) as [number, number];
  const uniform = uniforms(1);
  const normal = normals(uniform);
  const values = (): Float32Array => Float32Array.from({ length: rows * cols }, normal);
  const distribution = (): Float32Array => softmax(values(), { shape: [rows, cols] });
  const make = operation.distributions ? distribution : values;
  return {
    rows,
    cols,
    x: make(),
    y: make(),
    labels: Int32Array.from({ length: rows }, () => Math.floor(uniform() * cols)),
  };
}
