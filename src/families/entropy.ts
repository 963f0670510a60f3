/** Entropy of distributions, from probabilities, counts, logits or log-probabilities. */

import * as STEP from "../../assembly/rows/steps.ts";
import { axisOf, type Layout, layoutOf, type Operand, operandOf, shapeOf, sizesIn } from "../check/tensor.ts";
import { LOSSES } from "../memory/embedded/losses.ts";
import { arena } from "../memory/kernels.ts";
import { flagOf, fromOf, optionsOf } from "../options.ts";
import { fewNumbers } from "../place/few.ts";
import { noOutput, type Output, outputOf } from "../place/output.ts";
import { phase, RowJob, type RowResults, streamRows } from "../place/rows.ts";
import { baseOf, perNat, Rows, reducedFew, reductionOf } from "../read/reduce.ts";
import type { FloatArray, From, Input, Out, Reduced, Reduction, ResultOf } from "../types.ts";

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
  /** `"mean"` (the default): over the rows; `"sum"`; `"none"`: one entropy per row. */
  reduction?: R | undefined;
  /** Where to write the entropies per row (`"none"`), instead of a new array. */
  out?: Out<T> | undefined;
}

const OPTIONS = ["shape", "axis", "from", "base", "normalize", "reduction", "out"];

/** The options, checked. */
interface Settings {
  readonly sizes: readonly number[] | undefined;
  readonly along: number;
  readonly isLog: boolean;
  readonly normalized: boolean;
  readonly base: number;
  readonly reduction: Reduction;
  readonly out: unknown;
}

/** And the argument. */
interface Problem extends Settings {
  readonly fn: string;
  readonly x: Operand;
  readonly layout: Layout;
}

function settingsOf(fn: string, o: EntropyOptions): Settings {
  const { shape, axis, from, base, normalize, reduction, out } = o;
  const sizes = sizesIn(fn, "shape", shape);
  const along = axisOf(fn, axis);
  const kind = fromOf(fn, from, "probabilities");
  const normalized = flagOf(fn, "normalize", normalize, true) || kind === "logits";
  const isLog = kind !== "probabilities";
  return { sizes, along, isLog, normalized, base: baseOf(fn, base), reduction: reductionOf(fn, reduction), out };
}

export function problemOf(fn: string, p: unknown, o: EntropyOptions): Problem {
  return problemIn(fn, p, settingsOf(fn, o));
}

function problemIn(fn: string, p: unknown, settings: Settings): Problem {
  const { sizes, along } = settings;
  const x = operandOf(fn, "p", p);
  return { ...settings, fn, x, layout: layoutOf(fn, shapeOf(fn, x, sizes), along) };
}

/** Streams the entropy of each row, in nats, to `rows`. */
export function streamEntropies({ fn, x, layout, isLog, normalized }: Problem, rows: RowResults): void {
  const at = arena();
  const kernel = at.typed(LOSSES, x.bytes).entropy;
  const sum = phase(normalized ? STEP.AIM : STEP.BEGIN, STEP.SUM_UP);
  const job = new RowJob(
    fn,
    layout,
    [x],
    normalized ? [phase(STEP.BEGIN, STEP.MAXIMUM), sum] : [sum],
    STEP.FINISH,
    ({ reads, results }, count, n, steps) => kernel(reads[0] as number, results, count, n, isLog, normalized, steps),
  );
  job.results = rows;
  streamRows(at, job);
}

/**
 * Entropy H(P) = −Σⱼ pⱼ·log pⱼ along an axis: `[..., n, ...] → number`, the mean over the rows, or one number a row, in nats unless a base is given.
 *
 * Probabilities are divided by their sum, as in SciPy, so that counts will do; p = 0 contributes 0. Computed relative to
 * the largest element, without cancellation: the entropy 1e-8 of a nearly certain row keeps its digits, from logits as from
 * probabilities. With `normalize: false` it is the plain sum. NaN for a row with a NaN or a negative probability in it, of
 * sum 0, or of logits that are all −∞ or contain +∞.
 *
 * @throws TypeError for arguments of the wrong kind, RangeError for a wrong shape, axis, option or length of `out`.
 * @example entropy([4, 2, 1, 1], { base: 2 }); // 1.75, but for the last digit
 * @see Cover & Thomas, Elements of Information Theory (2006), section 2.1
 */
export function entropy<X extends Input, R extends Reduction = "mean">(
  p: X,
  options?: EntropyOptions<ResultOf<X>, R>,
): Reduced<R, ResultOf<X>> {
  const fn = "entropy";
  const settings = settingsOf(fn, optionsOf<EntropyOptions>(fn, options, OPTIONS));
  const { reduction, out, sizes, along, isLog, normalized, base } = settings;
  const each = reduction === "none";
  const rowsOf = (result: Output | undefined, count: number) =>
    new Rows(result, perNat(arena(), LOSSES, base), reduction === "mean" ? count : 1);
  if (along === -1 && (each || out === undefined)) {
    const short = fewNumbers(fn, ["p"], p, undefined, sizes, out, each, (at, isF32, x, _, values, count, n) =>
      isF32
        ? at.typed(LOSSES, 4).entropy(x, values, count, n, isLog, normalized, STEP.ALL)
        : at.typed(LOSSES, 8).entropy(x, values, count, n, isLog, normalized, STEP.ALL),
    );
    if (short) return reducedFew(short, rowsOf(short.out, short.rows)) as Reduced<R, ResultOf<X>>;
  }
  const problem = problemIn(fn, p, settings);
  const { x, layout } = problem;
  if (!each) noOutput(fn, out, reduction);
  const rows = rowsOf(each ? outputOf(fn, out, x.bytes, layout.rows) : undefined, layout.rows);
  streamEntropies(problem, rows);
  return rows.value as Reduced<R, ResultOf<X>>;
}
