/** Reads sets of points, or of vectors: matrices [n, d] and [m, d]. */
import { counted, failKind, failValue } from "../errors.ts";
import { inWords, matrixOf, type Operand, operandsOf, shapeOf } from "./tensor.ts";

/** Both sets, in one type, and their shapes. */
export interface Points {
  readonly x: Operand;
  readonly y: Operand | undefined;
  readonly shape: readonly [number, number];
  readonly yShape: readonly [number, number];
  readonly xWeights: Operand | undefined;
  readonly yWeights: Operand | undefined;
}

/** Weights of points, which are to be of their type. */
interface Weights {
  readonly xWeights: unknown;
  readonly yWeights: unknown;
}
const UNWEIGHTED: Weights = { xWeights: undefined, yWeights: undefined };

/** x, and y if there is one: its shape is the option's, its own, or that of x. */
export function pointsOf(
  fn: string,
  x: unknown,
  y: unknown,
  shape: readonly number[] | undefined,
  yShape: readonly number[] | undefined,
  weights = UNWEIGHTED,
): Points {
  const [a, b, xWeights, yWeights] = operandsOf(
    fn,
    [["x", x]],
    [
      ["y", y],
      ["xWeights", weights.xWeights],
      ["yWeights", weights.yWeights],
    ],
  );
  return { x: a, y: b, ...shapesOf(fn, a, b, shape, yShape), xWeights, yWeights };
}

/** Their shapes: that of y is the option's, its own, or that of x. */
export function shapesOf(
  fn: string,
  x: Operand,
  y: Operand | undefined,
  shape: readonly number[] | undefined,
  yShape: readonly number[] | undefined,
): Pick<Points, "shape" | "yShape"> {
  const dims = matrixOf(fn, "shape", shapeOf(fn, x, shape));
  return { shape: dims, yShape: y ? matrixOf(fn, "yShape", shapeOf(fn, y, yShape, "yShape", dims)) : dims };
}

/** Two sets, of at least `least` points each. */
export function samplesOf(
  fn: string,
  x: unknown,
  y: unknown,
  shape: readonly number[] | undefined,
  yShape: readonly number[] | undefined,
  least: number,
  weights = UNWEIGHTED,
): Points & { readonly y: Operand } {
  if (y === undefined) failKind(fn, "y", "a second sample", y);
  const both = pointsOf(fn, x, y, shape, yShape, weights);
  for (const name of ["shape", "yShape"] as const)
    if (both[name][0] < least) failValue(fn, name, `[n, d] with n at least ${least}`, both[name]);
  return both as Points & { readonly y: Operand };
}

/** The d that both have. */
export function sameDepth(fn: string, { shape: [, d], yShape }: Pick<Points, "shape" | "yShape">, name = "x"): number {
  if (d !== yShape[1]) failValue(fn, "yShape", `[m, ${d}], with the d of "${name}"`, yShape);
  return d;
}

/** How many rows of d an array has beside another. */
export function rowsBesideOf(
  fn: string,
  operand: Operand,
  option: readonly number[] | undefined,
  name: string,
  beside: Operand,
  d: number,
): number {
  const own = shapeOf(fn, operand, option, name);
  if (option === undefined && own.length === 1) {
    if (d > 0 && operand.length % d === 0) return operand.length / d;
    throw new RangeError(
      `${fn}: "${operand.name}" must hold rows of ${d} like "${beside.name}", got ${counted(operand.length, "element")}`,
    );
  }
  const [m, width] = matrixOf(fn, name, own);
  if (width !== d)
    throw new RangeError(
      `${fn}: "${name}" must end in ${d}, as the shape of "${beside.name}" does, got ${inWords(own)}`,
    );
  return m;
}
