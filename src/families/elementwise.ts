/** Functions of one number, element by element: sigmoid, log-sigmoid, softplus, logit and surprisal. */
import { operandOf } from "../check/tensor.ts";
import { LOSSES } from "../memory/embedded/losses.ts";
import { arena } from "../memory/kernels.ts";
import { optionsOf } from "../options.ts";
import { type Few, few } from "../place/few.ts";
import { outputOf } from "../place/output.ts";
import { streamElements, TILE_BYTES } from "../place/rows.ts";
import { baseOf, perNat } from "../read/reduce.ts";
import type { FloatArray, Input, Out, ResultOf } from "../types.ts";

export interface ElementwiseOptions<T extends FloatArray = FloatArray> {
  /** Where to write the result, instead of a new array; may be the input itself. */
  out?: Out<T> | undefined;
}

type Function = "sigmoid" | "logSigmoid" | "softplus" | "logit";

/** All elements are one row. */
const FEW: Readonly<Record<Function, Few>> = /* @__PURE__ */ (() => ({
  sigmoid: (at, isF32, x, y, _, n) =>
    isF32 ? at.typed(LOSSES, 4).sigmoid(x, y, n) : at.typed(LOSSES, 8).sigmoid(x, y, n),
  logSigmoid: (at, isF32, x, y, _, n) =>
    isF32 ? at.typed(LOSSES, 4).logSigmoid(x, y, n) : at.typed(LOSSES, 8).logSigmoid(x, y, n),
  softplus: (at, isF32, x, y, _, n) =>
    isF32 ? at.typed(LOSSES, 4).softplus(x, y, n) : at.typed(LOSSES, 8).softplus(x, y, n),
  logit: (at, isF32, x, y, _, n) => (isF32 ? at.typed(LOSSES, 4).logit(x, y, n) : at.typed(LOSSES, 8).logit(x, y, n)),
}))();

function elementwise(fn: Function, name: string, input: Input, options: ElementwiseOptions | undefined): FloatArray {
  const { out } = optionsOf<ElementwiseOptions>(fn, options, ["out"]);
  const short = few(fn, name, input, undefined, out, false, FEW[fn]);
  if (short) return short;
  const x = operandOf(fn, name, input);
  const result = outputOf(fn, out, x.bytes, x.length);
  const at = arena();
  const kernel = at.typed(LOSSES, x.bytes)[fn];
  streamElements(at, {
    fn,
    shape: [x.length],
    reads: [{ operand: x, steps: undefined }],
    writes: [result],
    tileBytes: TILE_BYTES,
    run: ([from], [to], count) => kernel(from as number, to as number, count),
  });
  return result.array;
}

/**
 * The logistic function σ(x) = 1/(1 + e^{−x}), element by element; the inverse of `logit`. In [0, 1]; NaN gives NaN.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong length of `out`.
 * @example sigmoid([0, Math.log(3)]); // Float64Array [0.5, 0.75]
 */
export function sigmoid<X extends Input>(x: X, options?: ElementwiseOptions<ResultOf<X>>): ResultOf<X> {
  return elementwise("sigmoid", "x", x, options) as ResultOf<X>;
}

/**
 * log σ(x) = −log(1 + e^{−x}) in nats, element by element, without losing digits on either side: σ(−200) has log −200.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong length of `out`.
 * @example logSigmoid([0, -200]); // Float64Array [-0.693…, -200]
 */
export function logSigmoid<X extends Input>(x: X, options?: ElementwiseOptions<ResultOf<X>>): ResultOf<X> {
  return elementwise("logSigmoid", "x", x, options) as ResultOf<X>;
}

/**
 * log(1 + e^x), element by element: a smooth max(x, 0), and −log σ(−x).
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong length of `out`.
 * @example softplus([0, 200]); // Float64Array [0.693…, 200]
 */
export function softplus<X extends Input>(x: X, options?: ElementwiseOptions<ResultOf<X>>): ResultOf<X> {
  return elementwise("softplus", "x", x, options) as ResultOf<X>;
}

/**
 * The log-odds log(p/(1 − p)) in nats, element by element; the inverse of `sigmoid`. −∞ at 0, +∞ at 1, NaN outside [0, 1].
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong length of `out`.
 * @example logit([0.5, 0.75]); // Float64Array [0, 1.098…]
 */
export function logit<X extends Input>(p: X, options?: ElementwiseOptions<ResultOf<X>>): ResultOf<X> {
  return elementwise("logit", "p", p, options) as ResultOf<X>;
}

export interface SurprisalOptions<T extends FloatArray = FloatArray> {
  /** The logarithm's base b, positive and not 1: 2 gives bits, 10 hartleys. Default: e, nats. */
  base?: number | undefined;
  /** Where to write the result, instead of a new array; may be the input itself. */
  out?: Out<T> | undefined;
}

/**
 * Self-information −log_b p, element by element, in nats unless a base is given.
 *
 * Within 2.2 ULP, near p = 1 and for subnormal p too. +∞ at 0, negative above 1, NaN for a negative p.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong base or length of `out`.
 * @example surprisal([1 / 26], { base: 2 }); // Float64Array [4.700…], the bits of a letter
 * @see Shannon, A mathematical theory of communication (1948)
 */
export function surprisal<X extends Input>(p: X, options?: SurprisalOptions<ResultOf<X>>): ResultOf<X> {
  const fn = "surprisal";
  const { base, out } = optionsOf<SurprisalOptions>(fn, options, ["base", "out"]);
  const unit = baseOf(fn, base);
  const short = few(
    fn,
    "p",
    p,
    undefined,
    out,
    false,
    (at, isF32, x, y, _, n, factor) =>
      isF32 ? at.typed(LOSSES, 4).surprisal(x, y, n, factor) : at.typed(LOSSES, 8).surprisal(x, y, n, factor),
    perNat(arena(), LOSSES, unit),
  );
  if (short) return short as ResultOf<X>;
  const x = operandOf(fn, "p", p);
  const result = outputOf(fn, out, x.bytes, x.length);
  const at = arena();
  const factor = perNat(at, LOSSES, unit);
  const kernel = at.typed(LOSSES, x.bytes).surprisal;
  streamElements(at, {
    fn,
    shape: [x.length],
    reads: [{ operand: x, steps: undefined }],
    writes: [result],
    tileBytes: TILE_BYTES,
    run: ([from], [to], count) => kernel(from as number, to as number, count, factor),
  });
  return result.array as ResultOf<X>;
}
