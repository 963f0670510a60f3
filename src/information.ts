/** Surprisal of probabilities, and entropy of distributions: from probabilities, counts, logits or log-probabilities. */
import { flagOf, optionsOf } from "./check.ts";
import { STEP } from "./codes/index.ts";
import { arena } from "./kernels.ts";
import { baseFactor, type From, fromOf, type Reduced, type Reduction, reduce, reductionOf } from "./reduction.ts";
import { mapElements } from "./rows.ts";
import { streamRows } from "./stream.ts";
import { apart, elements, layoutOf, outputOf, shapeOf } from "./tensor.ts";
import type { FloatArray, Input, ResultOf } from "./types.ts";

export interface SurprisalOptions<T extends FloatArray = FloatArray> {
  /** The logarithm's base b, positive and not 1: 2 gives bits, 10 hartleys. Default: e, nats. */
  base?: number | undefined;
  /** Where to write the result, instead of a new array; may be the input itself. */
  out?: T | undefined;
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
  const o = optionsOf(fn, options);
  const source = elements(fn, "p", p);
  const factor = baseFactor(fn, o.base);
  const out = outputOf(fn, o.out, source, source.length);
  const kernel = arena().kernelsFor(source).surprisal;
  mapElements(arena(), apart(source, out), out, (x, y, count) => kernel(x, y, count, factor));
  return out as ResultOf<X>;
}

export interface EntropyOptions<T extends FloatArray = FloatArray, R extends Reduction = Reduction> {
  /** The shape of the first argument, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** The axis that holds a distribution. Default: −1, the last. */
  axis?: number | undefined;
  /** What the first argument holds. Default: `"probabilities"`, which may be counts. */
  from?: From | undefined;
  /** The logarithm's base, positive and not 1: 2 gives bits. Default: e, nats. */
  base?: number | undefined;
  /** Whether probabilities are divided by their sum first (logits always are). Default: true. */
  normalize?: boolean | undefined;
  /** `"none"` (the default): one entropy per row; `"mean"` over the rows; `"sum"`. */
  reduction?: R | undefined;
  /** Where to write the entropies per row (`"none"`), instead of a new array. */
  out?: T | undefined;
}

/**
 * Entropy H(P) = −Σⱼ pⱼ·log pⱼ along an axis: `[..., n, ...] → [...]`, one number a row, in nats unless a base is given.
 *
 * Probabilities are divided by their sum, as in SciPy, so that counts will do; p = 0 contributes 0. Computed relative to
 * the largest element, without cancellation: the entropy 1e-8 of a nearly certain row keeps its digits, from logits as from
 * probabilities. With `normalize: false` it is the plain sum. NaN for a row with a NaN or a negative probability in it, of
 * sum 0, or of logits that are all −∞ or contain +∞.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, axis, option or length of `out`.
 * @example entropy([4, 2, 1, 1], { base: 2 }); // Float64Array [1.75], but for the last digit
 * @see Cover & Thomas, Elements of Information Theory (2006), section 2.1
 */
export function entropy<X extends Input, R extends Reduction = "none">(
  p: X,
  options?: EntropyOptions<ResultOf<X>, R>,
): Reduced<R, ResultOf<X>> {
  const fn = "entropy";
  const o: Omit<EntropyOptions, "out"> & { readonly out?: unknown } = optionsOf(fn, options);
  const source = elements(fn, "p", p);
  const layout = layoutOf(fn, shapeOf(fn, p, o.shape, source.length, "p"), o.axis);
  const from = fromOf(fn, o.from, "probabilities");
  const normalize = flagOf(fn, "normalize", o.normalize, true) || from === "logits";
  const factor = baseFactor(fn, o.base);
  const reduction = reductionOf(fn, o.reduction, "none");
  const out = reduction === "none" ? outputOf(fn, o.out, source, layout.rows) : undefined;
  const entropies = new Float64Array(layout.rows);
  const kernel = arena().kernelsFor(source).entropy;
  const sum = { first: normalize ? STEP.aim : STEP.begin, each: STEP.sum };
  streamRows(arena(), layout, {
    reads: [source],
    results: [entropies],
    phases: normalize ? [{ first: STEP.begin, each: STEP.maximum }, sum] : [sum],
    finish: STEP.finish,
    run: ({ elements: [x], results: [h] }, rows, n, steps) =>
      kernel(x as number, h as number, rows, n, from !== "probabilities", normalize, steps),
  });
  return reduce(entropies, reduction, reduction === "mean" ? factor / layout.rows : factor, out) as Reduced<
    R,
    ResultOf<X>
  >;
}
