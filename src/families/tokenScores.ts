/** What a model's logits say of the tokens that were chosen. */
import * as STEP from "../../assembly/rows/steps.ts";
import { labelledRowsOf } from "../check/labels.ts";
import { axisOf, create, sizesIn } from "../check/tensor.ts";
import { failValue } from "../errors.ts";
import { RESULT_BYTES } from "../memory/arena.ts";
import { SOFTMAX } from "../memory/embedded/softmax.ts";
import { arena } from "../memory/kernels.ts";
import { integerIn, optionsOf } from "../options.ts";
import { phase, RowJob, streamRows } from "../place/rows.ts";
import type { FloatArray, Input, LabelsLike, ResultOf } from "../types.ts";

export interface TokenScoresOptions {
  /** The shape of `logits`, row-major. Default: the tensor's own, else one row. */
  shape?: readonly number[] | undefined;
  /** The axis of the vocabulary. Default: −1, the last. */
  axis?: number | undefined;
  /** k, how many of the best log-probabilities to return, from 0 to 1,024 and the size of the vocabulary. Default: 0. */
  top?: number | undefined;
}

/** The best k of each row, best first; of equal ones the lower index is first. */
export interface TopScores<T extends FloatArray = FloatArray> {
  /** [rows, k] */
  indices: Int32Array;
  /** [rows, k] */
  logProbs: T;
}

export interface TokenScores<T extends FloatArray = FloatArray> {
  /** log p of the chosen token in nats, [rows]. */
  logProb: T;
  /** Its rank, [rows]: 1 is the best. One more than there are larger logits, so that equal ones share theirs. */
  rank: Int32Array;
  /** The entropy of the row's distribution in nats, [rows]. */
  entropy: T;
  /** If asked for. */
  top?: TopScores<T>;
}

/** An entry of the kernel: a value, f64, its index, i32, and 4 bytes. */
const ENTRY_BYTES = 16;

/** As many as the kernel has room for. */
const MOST = RESULT_BYTES / ENTRY_BYTES;

const PHASES = [phase(STEP.BEGIN, STEP.MAXIMUM), phase(STEP.AIM, STEP.SUM_UP)];

/**
 * The log-probability and the rank of one chosen token a row, the entropy of the row, and its `top` best: `[..., V, ...]` logits
 * and one id a row to `{ logProb, rank, entropy, top? }`. Nothing of the size of the logits is written.
 *
 * The log-probabilities are those of `logSoftmax`, within 2 ULP, the entropy that of `entropy` in nats. A logit of −∞ has the
 * log-probability −∞ and a rank behind all others. A row that is no distribution (a NaN, a +∞, nothing but −∞) is NaN throughout,
 * with rank 0 and indices of −1.
 *
 * @throws TypeError for arguments of the wrong kind, an id that is no integer too; RangeError for a wrong shape, axis, number of
 *   ids or `top`, and for an id beyond the vocabulary, with its row.
 * @example tokenScores([2, 0, 1], [2], { top: 2 }).logProb; // Float64Array [-1.407…]
 * @example tokenScores([2, 0, 1], [2]).rank; // Int32Array [2]
 */
export function tokenScores<X extends Input>(
  logits: X,
  ids: LabelsLike,
  options?: TokenScoresOptions,
): TokenScores<ResultOf<X>> {
  const fn = "tokenScores";
  const { shape, axis, top } = optionsOf<TokenScoresOptions>(fn, options, ["shape", "axis", "top"]);
  const sizes = sizesIn(fn, "shape", shape);
  const along = axisOf(fn, axis);
  const k = integerIn(fn, "top", top, 0, 0, MOST);
  const { x, layout, labels } = labelledRowsOf(fn, logits, "ids", ids, sizes, along, "logits");
  const { n, rows } = layout;
  if (k > n && rows > 0) failValue(fn, "top", `at most ${n}, the logits of a row`, k);
  const logProb = create(fn, x.bytes, rows);
  const entropy = create(fn, x.bytes, rows);
  const rank = new Int32Array(rows);
  const indices = new Int32Array(rows * k);
  const logProbs = create(fn, x.bytes, rows * k);

  const at = arena();
  const { scores } = at.typed(SOFTMAX, x.bytes);
  const best = at.results + 3 * RESULT_BYTES;
  const job = new RowJob(fn, layout, [x], PHASES, STEP.FINISH, (places, count, width, steps, from) =>
    scores(
      places.reads[0] as number,
      places.labels,
      places.results,
      places.factors,
      best,
      count,
      width,
      from,
      k,
      steps,
    ),
  );
  job.labels = labels;
  if (k > 0) job.tileRows = Math.max(1, Math.floor(MOST / k));
  const entropies = (at.results + 2 * RESULT_BYTES) / 8;
  job.results = {
    out: undefined,
    take(values, from, row, count) {
      const { integers } = at;
      // the ranks stand where the ids did
      const ranks = at.results / 4;
      for (let i = 0; i < count; i++) {
        logProb[row + i] = values[from + i] as number;
        entropy[row + i] = values[entropies + i] as number;
        rank[row + i] = integers[ranks + i] as number;
        for (let j = i * k; j < (i + 1) * k; j++) {
          logProbs[row * k + j] = values[best / 8 + 2 * j] as number;
          indices[row * k + j] = integers[best / 4 + 4 * j + 2] as number;
        }
      }
    },
  };
  streamRows(at, job);
  return { logProb, rank, entropy, ...(k > 0 && { top: { indices, logProbs } }) } as TokenScores<ResultOf<X>>;
}
