/** The softmax family: softmax, log-softmax and log-sum-exp along an axis; sigmoid, log-sigmoid, softplus and logit. */
import { failValue, numberIn, oneOf, optionsOf } from "./check.ts";
import { arena } from "./kernels.ts";
import { mapElements, mapRows, type RowFunction, reduceWeighted } from "./rows.ts";
import { apart, elements, elementsOfBoth, layoutOf, outputOf, shapeOf } from "./tensor.ts";
import type { FloatArray, Input, ResultOf } from "./types.ts";

export interface SoftmaxOptions<T extends FloatArray = FloatArray> {
  /** The shape of `x`, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** The axis that holds a row. Default: −1, the last. */
  axis?: number | undefined;
  /** T in e^{x/T}, positive and finite; x/T must not overflow. Default: 1. */
  temperature?: number | undefined;
  /** What a row of nothing but −∞ becomes: NaN (the default), or probabilities of 0 (log-probabilities of −∞). */
  allMasked?: "nan" | "zero" | undefined;
  /** Where to write the result, instead of a new array; may be the input itself. */
  out?: T | undefined;
}

const SOFTMAX: RowFunction = { along: "softmax", across: "softmaxAcross", reduces: false, rewrites: true };
const LOG_SOFTMAX: RowFunction = { along: "logSoftmax", across: "logSoftmaxAcross", reduces: false, rewrites: false };
const LOG_SUM_EXP: RowFunction = { along: "logSumExp", across: "logSumExpAcross", reduces: true, rewrites: false };

/** x and T over a power of two, exactly, with T in [1, 2): the kernels take temperatures from 1e-8 to 1e8. */
function scaled(x: FloatArray, temperature: number): [FloatArray, number] {
  const exponent = Math.floor(Math.log2(temperature));
  // in two factors, for 2^1074 is no number
  const [half, rest] = [2 ** -Math.trunc(exponent / 2), 2 ** (Math.trunc(exponent / 2) - exponent)];
  return [x.map((v) => v * half * rest), temperature * half * rest];
}

/** softmax and log-softmax: the same arguments, checks and marshalling. */
function softmaxBy(fn: "softmax" | "logSoftmax", x: Input, options: SoftmaxOptions | undefined): FloatArray {
  const o = optionsOf(fn, options);
  let source = elements(fn, "x", x);
  const layout = layoutOf(fn, shapeOf(fn, x, o.shape, source.length), o.axis);
  let temperature = numberIn(fn, "temperature", o.temperature, 1, Number.MIN_VALUE);
  const zero = oneOf(fn, "allMasked", o.allMasked, ["nan", "zero"], "nan") === "zero";
  const out = outputOf(fn, o.out, source, source.length);
  if (temperature < 1e-8 || temperature > 1e8) [source, temperature] = scaled(source, temperature);
  mapRows(
    arena(),
    apart(source, o.out && out),
    out,
    layout,
    fn === "softmax" ? SOFTMAX : LOG_SOFTMAX,
    temperature,
    zero,
  );
  return out;
}

/**
 * softmax(x)ᵢ = e^{xᵢ/T} / Σⱼ e^{xⱼ/T} along an axis: `[..., n, ...] → [..., n, ...]`, probabilities that sum to 1.
 *
 * Computed through the row's maximum, so that nothing overflows; the relative error is at most 5·2⁻²⁴ (f32) or 5·2⁻⁵³
 * (f64) in every normal result, however far below the maximum. A NaN makes its row NaN, as do a +∞ and (unless
 * `allMasked` is "zero") a row of nothing but −∞. With energies E the Boltzmann distribution is softmax(−E).
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, axis, temperature or length of `out`.
 * @example softmax([0, 0, Math.log(2)]); // Float64Array [0.25, 0.25, 0.5]
 * @see Bridle, Probabilistic interpretation of feedforward classification network outputs (1990)
 */
export function softmax<X extends Input>(x: X, options?: SoftmaxOptions<ResultOf<X>>): ResultOf<X> {
  return softmaxBy("softmax", x, options) as ResultOf<X>;
}

/**
 * log softmax(x)ᵢ = xᵢ/T − log Σⱼ e^{xⱼ/T} along an axis, in nats: `[..., n, ...] → [..., n, ...]`, all ≤ 0.
 *
 * Within 2 ULP, near 0 too: a log-probability of −1e-9 keeps its digits. Special cases as in `softmax`.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, axis, temperature or length of `out`.
 * @example logSoftmax([0, 0, Math.log(2)]); // Float64Array [-1.386…, -1.386…, -0.693…]
 */
export function logSoftmax<X extends Input>(x: X, options?: SoftmaxOptions<ResultOf<X>>): ResultOf<X> {
  return softmaxBy("logSoftmax", x, options) as ResultOf<X>;
}

export interface LogSumExpOptions<T extends FloatArray = FloatArray> {
  /** The shape of `x`, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** The axis that is summed over. Default: −1, the last. */
  axis?: number | undefined;
  /** w in log Σ w·e^x, SciPy's b: as many as `x` has elements, or one row of them. May be negative; 0 leaves an element out. */
  weights?: Input | undefined;
  /** Where to write the result, one number a row, instead of a new array. */
  out?: T | undefined;
}

/**
 * log Σⱼ wⱼ·e^{xⱼ} along an axis, in nats: `[..., n, ...] → [...]`, one number a row; the weights are 1 unless given.
 *
 * Within 1 ULP of the larger of |max x| and |result|: logSumExp([0, −40]) is 4.248e-18. −∞ for an empty row, one of
 * nothing but −∞, and one whose weighted terms cancel, which they do exactly and in any order; +∞ where there is a +∞; NaN where
 * there is a NaN or the weighted sum is negative.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, axis or length of `weights` or `out`.
 * @example logSumExp([1, 2, 3]); // Float64Array [3.4076059644443806]
 * @see Blanchard, Higham & Higham, Accurately computing the log-sum-exp and softmax functions (2021)
 */
export function logSumExp<X extends Input>(x: X, options?: LogSumExpOptions<ResultOf<X>>): ResultOf<X> {
  const fn = "logSumExp";
  const o = optionsOf(fn, options);
  const [source, weights] =
    o.weights === undefined ? [elements(fn, "x", x)] : elementsOfBoth(fn, "x", x, "weights", o.weights);
  const layout = layoutOf(fn, shapeOf(fn, x, o.shape, source.length), o.axis);
  if (weights && weights.length !== source.length && weights.length !== layout.n) {
    failValue(fn, "weights", `of length ${source.length}, or ${layout.n} for one row`, weights);
  }
  const out = outputOf(fn, o.out, source, layout.rows);
  if (weights) {
    reduceWeighted(arena(), apart(source, out), apart(weights, out), out, layout, arena().kernels.logSumExpWeighted);
  } else {
    mapRows(arena(), apart(source, o.out && out), out, layout, LOG_SUM_EXP, 1, false);
  }
  return out as ResultOf<X>;
}

export interface ElementwiseOptions<T extends FloatArray = FloatArray> {
  /** Where to write the result, instead of a new array; may be the input itself. */
  out?: T | undefined;
}

function elementwise(
  fn: "sigmoid" | "logSigmoid" | "softplus" | "logit",
  argument: string,
  x: Input,
  options: ElementwiseOptions | undefined,
): FloatArray {
  const o = optionsOf(fn, options);
  const source = elements(fn, argument, x);
  const out = outputOf(fn, o.out, source, source.length);
  mapElements(arena(), apart(source, out), out, arena().kernelsFor(source)[fn]);
  return out;
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
