/** What bad input gets, what a scalar is, what nothing is: calls of the functions in test/support/contract.ts by their case. */
import {
  COUNTS,
  decay,
  type Expected,
  entropyOf,
  JS_ROWS,
  KL_ROWS,
  logs,
  MASKED,
  MORE_POINTS,
  PAIRS_KL,
  Typed,
  tensor,
  typed,
  type Values,
  X,
} from "./contract.ts";

const { log, sqrt, LN2, SQRT2 } = Math;
const LN3 = log(3);
const LN8 = log(8);

/** An error, where a result might be expected. */
export class Refused {
  readonly says: readonly RegExp[];
  constructor(
    readonly kind: ErrorConstructor,
    ...says: RegExp[]
  ) {
    this.says = says;
  }
}

/** A call, by what differs from the ordinary one, and what it gives. */
export type Case = readonly [fn: string, values: Values, gives: Expected | Refused];
const of = (...one: Case): Case => one;

/** Rows of s·(1, 1) and s·(1, 0), s as large or as small as leaves the sum of two finite or the least of two normal. */
const extreme = (which: "max" | "tiny", ...values: number[]): Typed =>
  new Typed((dtype) => new dtype.array(values.map((v) => v * (which === "max" ? dtype.max / 8 : dtype.tiny * 8))));
const INF = Infinity;
const NONE = { reduction: "none" };
const UNEVEN = [0.25, 0.5, 0.25];

/** The cases of api.md's table under "What bad input gets", in its words: functions that each concerns, and what they give. */
export const badInput: Readonly<Record<string, readonly Case[]>> = {
  "softmax row all −∞": [
    of("softmax", { x: MASKED }, [NaN, NaN, NaN, 1 / 2, 1 / 8, 3 / 8]),
    of("softmax", { x: MASKED, allMasked: "zero" }, [0, 0, 0, 1 / 2, 1 / 8, 3 / 8]),
    of("entropy", { p: MASKED, from: "logits", ...NONE }, [NaN, entropyOf(1 / 2, 1 / 8, 3 / 8)]),
  ],
  "softmax row with one +∞": [
    of("softmax", { x: [0, INF, 1, 2 * LN2, 0, LN3] }, [NaN, NaN, NaN, 1 / 2, 1 / 8, 3 / 8]),
    of("softmax", { x: [0, INF, 1, 2 * LN2, 0, LN3], allMasked: "zero" }, [NaN, NaN, NaN, 1 / 2, 1 / 8, 3 / 8]),
    of("logSoftmax", { x: [0, INF, 1, 2 * LN2, 0, LN3] }, [NaN, NaN, NaN, ...logs(1 / 2, 1 / 8, 3 / 8)]),
    of("entropy", { p: [0, INF, 1, ...X.slice(3)], from: "logits", ...NONE }, [NaN, entropyOf(1 / 2, 1 / 8, 3 / 8)]),
  ],
  "logSumExp all −∞, or empty row": [
    of("logSumExp", { x: MASKED }, [-INF, LN8]),
    of("logSumExp", { x: [], shape: [2, 0] }, [-INF, -INF]),
    of("logSumExp", { x: [], shape: undefined }, [-INF]),
    of("logSumExp", { x: MASKED, weights: [1, 2, 3] }, [-INF, log(15)]),
  ],
  "logSumExp row with a +∞": [of("logSumExp", { x: [-INF, INF, 1, ...X.slice(3)] }, [INF, LN8])],
  "entropy 0·log 0; KL p = 0": [
    of("entropy", { p: [0, 1, 0, 1, 1, 0], ...NONE }, [0, LN2]),
    of("entropy", { p: [0, 1, 0, 1, 1, 0], normalize: false, ...NONE }, [0, 0]),
    of("entropy", { p: [0, -INF, -INF, 0, 0, -INF], from: "logits", ...NONE }, [0, LN2]),
    of("entropy", { p: [0, -INF, -INF, -LN2, -LN2, -INF], from: "logProbabilities", ...NONE }, [0, LN2]),
    of("klDivergence", { p: [0, 1, 0, 1, 1, 0], q: [1, 1, 2, 1, 1, 0], ...NONE }, [2 * LN2, 0]),
    of("klDivergence", { p: [-INF, 0, -INF, 0, 0, -INF], q: [0, 0, LN2, 0, 0, -INF], from: "logits", ...NONE }, [
      2 * LN2,
      0,
    ]),
    of("jsDivergence", { p: [0, 1, 0, 1, 1, 0], q: [1, 0, 0, 1, 1, 0], ...NONE }, [LN2, 0]),
    of("jsDistance", { p: [0, 1, 0, 1, 1, 0], q: [1, 0, 0, 1, 1, 0], base: 2, ...NONE }, [1, 0]),
    of("pairwiseDivergence", { P: [0, 1, 0, 1, 1, 2], Q: undefined }, [0, 2 * LN2, INF, 0]),
    of("crossEntropy", { logits: [1, 0], shape: [2], target: typed(1, 0), from: "probabilities" }, 0),
    of("binaryCrossEntropy", { x: [0, 1], shape: [2], target: [0, 1], from: "probabilities" }, 0),
  ],
  "KL p > 0 = q": [
    of("klDivergence", { q: [1, 1, 0, 1, 6, 1], ...NONE }, [INF, KL_ROWS[1]]),
    of("klDivergence", { q: [1, 1, 0, 1, 6, 1] }, INF),
    of("klDivergence", { q: [1, 1, -INF, 1, 6, 1], p: COUNTS, from: "logits", ...NONE }, [INF, 3.8152783252267577]),
    of("pairwiseDivergence", { Q: [1, 1, 0], qShape: [1, 3] }, [INF, INF]),
  ],
  "negative probability": [
    of("surprisal", { p: [0.5, -0.25, 1] }, [LN2, NaN, 0]),
    of("logit", { p: [0.5, -0.25, 0.25] }, [0, NaN, -LN3]),
    of("entropy", { p: [1, -1, 2, 1, 2, 1], ...NONE }, [NaN, 1.5 * LN2]),
    of("entropy", { p: [1, -1, 2, ...UNEVEN], normalize: false, ...NONE }, [NaN, 1.5 * LN2]),
    of("klDivergence", { p: [1, -2, 3, 2, 2, 4], ...NONE }, [NaN, KL_ROWS[1]]),
    of("klDivergence", { q: [1, -2, 3, 1, 6, 1], ...NONE }, [NaN, KL_ROWS[1]]),
    of("klDivergence", { p: [0, 1, 1, 2, 2, 4], q: [-1, 1, 1, 1, 6, 1], ...NONE }, [NaN, KL_ROWS[1]]),
    of("jsDivergence", { p: [1, -2, 3, 2, 2, 4], ...NONE }, [NaN, JS_ROWS[1]]),
    of("jsDivergence", { q: [1, -2, 3, 1, 6, 1], ...NONE }, [NaN, JS_ROWS[1]]),
    of("jsDistance", { q: [1, -2, 3, 1, 6, 1], ...NONE }, [NaN, sqrt(JS_ROWS[1])]),
    of("pairwiseDivergence", { Q: [1, -2, 3, 1, 6, 1] }, [NaN, PAIRS_KL[1] as number, NaN, PAIRS_KL[4] as number]),
    of("crossEntropy", { logits: [1, -1, 3, 1, 1, 6], from: "probabilities", ...NONE }, [NaN, 3 * LN2]),
    of("binaryCrossEntropy", { x: [-0.5, 0.75, 0.5, 0.75], from: "probabilities", ...NONE }, [
      NaN,
      2 * LN2,
      LN2,
      2 * LN2,
    ]),
    of("wassersteinHistogram", { p: [1, -1, 2, 1, 0, 0], ...NONE }, [NaN, 2]),
  ],
  "a distribution of sum 0": [
    of("entropy", { p: [0, 0, 0, 1, 2, 1], ...NONE }, [NaN, 1.5 * LN2]),
    of("klDivergence", { p: [0, 0, 0, 2, 2, 4], ...NONE }, [NaN, KL_ROWS[1]]),
    of("klDivergence", { q: [0, 0, 0, 1, 6, 1], ...NONE }, [NaN, KL_ROWS[1]]),
    of("jsDivergence", { q: [0, 0, 0, 1, 6, 1], ...NONE }, [NaN, JS_ROWS[1]]),
    of("jsDistance", { p: [0, 0, 0, 2, 2, 4], ...NONE }, [NaN, sqrt(JS_ROWS[1])]),
    of("pairwiseDivergence", { Q: [0, 0, 0], qShape: [1, 3] }, [NaN, NaN]),
    of("crossEntropy", { logits: [0, 0, 0, 1, 1, 6], from: "probabilities", ...NONE }, [NaN, 3 * LN2]),
    of("crossEntropy", { logits: COUNTS, target: typed(0, 0, 0, 0, 0, 1), from: "probabilities", ...NONE }, [NaN, LN2]),
    of("wassersteinHistogram", { p: [0, 0, 0, 1, 0, 0], ...NONE }, [NaN, 2]),
  ],
  "crossEntropy label out of range, not ignoreIndex": [
    of("crossEntropy", { target: [0, 3] }, new Refused(RangeError, /"target"/, /row 1/, /\b3\b/)),
    of("crossEntropy", { target: [-1, 0] }, new Refused(RangeError, /"target"/, /row 0/, /-1/)),
    of("crossEntropy", { target: [-100, 0], ignoreIndex: -1 }, new Refused(RangeError, /"target"/, /row 0/, /-100/)),
    of("crossEntropyWithGrad", { target: [0, 3] }, new Refused(RangeError, /"target"/, /row 1/, /\b3\b/)),
    of("perplexity", { labels: [0, 3] }, new Refused(RangeError, /"labels"/, /row 1/, /\b3\b/)),
  ],
  "crossEntropy mean, every row ignored": [
    of("crossEntropy", { target: [-100, -100] }, NaN),
    of("crossEntropy", { target: [1, 1], ignoreIndex: 1 }, NaN),
    of("crossEntropyWithGrad", { target: [-100, -100] }, { value: NaN }),
    of("perplexity", { labels: [-100, -100] }, NaN),
  ],
  "soft target 0 at logit −∞": [
    of("crossEntropy", { logits: [0, -INF, 0], shape: [3], target: typed(0.5, 0, 0.5) }, LN2),
    of(
      "crossEntropy",
      { logits: [-LN2, -INF, -LN2], shape: [3], target: typed(0.5, 0, 0.5), from: "logProbabilities" },
      LN2,
    ),
    of(
      "crossEntropyWithGrad",
      { logits: [0, -INF, 0], shape: [3], target: typed(0.75, 0, 0.25) },
      { value: LN2, grad: [-0.25, 0, 0.25] },
    ),
  ],
  "a negative weight of a soft target or distribution": [
    of("crossEntropy", { logits: [0.5, 0.5], shape: [2], target: typed(1.5, -0.5), from: "probabilities" }, NaN),
    of("crossEntropy", { logits: [-1, -2], shape: [2], target: typed(1.5, -0.5), from: "logProbabilities" }, NaN),
    of("crossEntropy", { target: typed(1.5, -0.5, 0, 0, 0.25, 0.75), ...NONE }, [NaN, LN8 / 4 + 0.75 * log(8 / 3)]),
    of(
      "crossEntropyWithGrad",
      { logits: [0.5, 0.5], shape: [2], target: typed(1.5, -0.5), from: "probabilities" },
      { value: NaN },
    ),
  ],
  "logSumExp with weights that cancel to 0": [
    of("logSumExp", { x: [1, 1, 0, 0], shape: [2, 2], weights: [1, -1] }, [-INF, -INF]),
    of("logSumExp", { x: [1, 1, 0, 0], shape: [2, 2], weights: [-1, 1] }, [-INF, -INF]),
    of("logSumExp", { x: [1.3, 1.3, -7, 1.3, 1.3, -7], shape: [6], weights: [1, -2, 3, 2, -1, -3] }, [-INF]),
    of("logSumExp", { x: [1, 1, 0, 0], shape: [2, 2], weights: [1, -2] }, [NaN, NaN]),
    of("logSumExp", { x: [1, 1, 0, 0], shape: [2, 2], weights: [0, -2] }, [NaN, NaN]),
  ],
  'logSoftmax with `allMasked: "zero"`': [
    of("logSoftmax", { x: MASKED, allMasked: "zero" }, [-INF, -INF, -INF, ...logs(1 / 2, 1 / 8, 3 / 8)]),
  ],
  "cosine, cka of rows at any finite scale": (["max", "tiny"] as const).flatMap((scale) => [
    of("kernelMatrix", { kernel: "cosine", x: extreme(scale, 1, 1, 1, 0), y: [1, 1, 0, 3] }, [
      1,
      1 / SQRT2,
      1 / SQRT2,
      0,
    ]),
    of("kernelMatrix", { kernel: "cosine", x: [1, 1, 1, 0], y: extreme(scale, 1, 1, 0, 3) }, [
      1,
      1 / SQRT2,
      1 / SQRT2,
      0,
    ]),
    of("kernelMatrix", { kernel: "cosine", x: extreme(scale, 1, 1, 1, 0), y: undefined }, [1, 1 / SQRT2, 1 / SQRT2, 1]),
    of(
      "mmd",
      { kernel: "cosine", x: extreme(scale, 1, 1, 1, 0), y: [0, 2, 0, 3] },
      (1 + 1 / SQRT2) / 2 + 1 - 1 / SQRT2,
    ),
    of("cka", { x: extreme(scale, 1, 2, 3, 4, 6) }, 0.6681240063593006),
    of("cka", { y: extreme(scale, 1, 3, 2, 4, 4) }, 0.6681240063593006),
    of("cka", { x: extreme(scale, 1, 2, 3, 4, 6), unbiased: true }, 0.6057902427258286),
  ]),
  "cosine kernel of a zero row": [
    of("kernelMatrix", { kernel: "cosine", y: [0, 0, 0, 2] }, [0, 0, 0, 1 / SQRT2]),
    of("kernelMatrix", { kernel: "cosine", y: undefined }, [0, 0, 0, 1]),
  ],
  "wasserstein with negative weights, zero sum, or no samples": [
    of("wasserstein", { uWeights: [2, -1] }, new Refused(RangeError, /"uWeights/, /negative/, /-1/)),
    of("wasserstein", { vWeights: [0, 0] }, new Refused(RangeError, /"vWeights"/, /positive/, /\b0\b/)),
    of("wasserstein", { u: [] }, new Refused(RangeError, /"u"/, /sample/)),
    of("wasserstein", { v: [], vWeights: [] }, new Refused(RangeError, /"v"/, /sample/)),
  ],
  "NaN in a row makes that row NaN and no other": [
    of("softmax", { x: [0, NaN, 1, ...X.slice(3)] }, [NaN, NaN, NaN, 1 / 2, 1 / 8, 3 / 8]),
    of("logSoftmax", { x: [NaN, 0, 1, ...X.slice(3)] }, [NaN, NaN, NaN, ...logs(1 / 2, 1 / 8, 3 / 8)]),
    of("logSumExp", { x: [0, 1, NaN, ...X.slice(3)] }, [NaN, LN8]),
    of("logSumExp", { x: [0, NaN, 1, ...X.slice(3)], weights: [1, 2, 3] }, [NaN, log(15)]),
    of("sigmoid", { x: [0, NaN, LN3] }, [1 / 2, NaN, 3 / 4]),
    of("logSigmoid", { x: [NaN, 0, LN3] }, [NaN, -LN2, log(3 / 4)]),
    of("softplus", { x: [0, LN3, NaN] }, [LN2, 2 * LN2, NaN]),
    of("logit", { p: [1 / 2, NaN, 1 / 4] }, [0, NaN, -LN3]),
    of("surprisal", { p: [NaN, 1 / 2, 1] }, [NaN, LN2, 0]),
    of("entropy", { p: [1, NaN, 1, 1, 2, 1], ...NONE }, [NaN, 1.5 * LN2]),
    of("crossEntropy", { logits: [0, NaN, 1, ...X.slice(3)], ...NONE }, [NaN, LN8]),
    of("crossEntropy", { target: typed(0.5, NaN, 0.5, 0, 0.25, 0.75), ...NONE }, [NaN, LN8 / 4 + 0.75 * log(8 / 3)]),
    of(
      "crossEntropyWithGrad",
      { logits: [0, NaN, 1, ...X.slice(3)], ...NONE },
      { value: [NaN, LN8], grad: [NaN, NaN, NaN, 1 / 2, -7 / 8, 3 / 8] },
    ),
    of("binaryCrossEntropy", { x: [NaN, LN3, 0, LN3], ...NONE }, [NaN, 2 * LN2, LN2, 2 * LN2]),
    of("klDivergence", { p: [NaN, 2, 1, 2, 2, 4], ...NONE }, [NaN, KL_ROWS[1]]),
    of("klDivergence", { q: [2, NaN, 1, 1, 6, 1], ...NONE }, [NaN, KL_ROWS[1]]),
    of("jsDivergence", { q: [2, 1, NaN, 1, 6, 1], ...NONE }, [NaN, JS_ROWS[1]]),
    of("jsDistance", { p: [1, NaN, 1, 2, 2, 4], ...NONE }, [NaN, sqrt(JS_ROWS[1])]),
    of("pairwiseDivergence", { P: [1, NaN, 1, 2, 2, 4] }, [NaN, NaN, NaN, ...PAIRS_KL.slice(3)]),
    of("wassersteinHistogram", { q: [0, NaN, 1, 0, 0, 1], ...NONE }, [NaN, 2]),
    of("gram", { x: [1, NaN, 3, 4, 5, 6] }, [NaN, NaN, NaN, 77]),
    of("kernelMatrix", { x: [NaN, 0, 1, 1] }, [NaN, NaN, ...decay(0.5, 1, 2)]),
    of("styleGram", { features: [NaN, 2, 3, 4] }, [NaN, NaN, NaN, 6.25]),
  ],
};

/** A scalar is one row of one. */
export const scalars: readonly Case[] = [
  of("softmax", { x: [3], shape: [] }, [1]),
  of("logSoftmax", { x: [3], shape: [] }, [0]),
  of("logSumExp", { x: [3], shape: [] }, [3]),
  of("logSumExp", { x: [0], shape: [], weights: [2] }, [LN2]),
  of("softmax", { x: tensor([], 3), shape: undefined }, [1]),
  of("entropy", { p: [3], shape: [] }, 0),
  of("entropy", { p: [3], shape: [], reduction: "none" }, [0]),
  of("perplexity", { logits: [3], shape: [], labels: [0] }, 1),
  of("crossEntropy", { logits: [3], shape: [], target: [0] }, 0),
  of("crossEntropyWithGrad", { logits: [3], shape: [], target: [0] }, { value: 0, grad: [0] }),
  of("binaryCrossEntropy", { x: [0], shape: [], target: [1] }, LN2),
  of("binaryCrossEntropyWithGrad", { x: [0], shape: [], target: [1] }, { value: LN2, grad: [-0.5] }),
  of("klDivergence", { p: [3], q: [5], shape: [] }, 0),
  of("jsDivergence", { p: [3], q: [5], shape: [] }, 0),
  of("jsDistance", { p: [3], q: [5], shape: [] }, 0),
  of("klDivergenceWithGrad", { p: [3], q: [5], shape: [] }, { value: 0, gradP: [0], gradQ: [0] }),
  of("wassersteinHistogram", { p: [3], q: [5], shape: [] }, 0),
  of("perceptualLoss", { generated: [3], target: [5], shape: [] }, 4),
  of("sigmoid", { x: tensor([], 0) }, [0.5]),
];

/** Nothing is legal, but where there is nothing to answer with. */
export const empty: readonly Case[] = [
  of("softmax", { x: [], shape: undefined }, []),
  of("softmax", { x: [], shape: [3, 0] }, []),
  of("softmax", { x: [], shape: [0, 3] }, []),
  of("logSoftmax", { x: [], shape: [0, 3], axis: 0 }, []),
  of("logSumExp", { x: [], shape: [0, 3] }, []),
  of("logSumExp", { x: [], shape: [0, 3], axis: 0 }, [-INF, -INF, -INF]),
  of("sigmoid", { x: [] }, []),
  of("logSigmoid", { x: [] }, []),
  of("softplus", { x: [] }, []),
  of("logit", { p: [] }, []),
  of("surprisal", { p: [] }, []),
  of("entropy", { p: [], shape: [0, 3] }, NaN),
  of("entropy", { p: [], shape: [0, 3], reduction: "sum" }, 0),
  of("entropy", { p: [], shape: [0, 3], reduction: "none" }, []),
  of("perplexity", { logits: [], shape: [0, 3], labels: [] }, NaN),
  of("crossEntropy", { logits: [], shape: [0, 3], target: [] }, NaN),
  of("crossEntropy", { logits: [], shape: [0, 3], target: [], reduction: "none" }, []),
  of("crossEntropyWithGrad", { logits: [], shape: [0, 3], target: [], reduction: "sum" }, { value: 0, grad: [] }),
  of("binaryCrossEntropy", { x: [], shape: undefined, target: [], reduction: "none" }, []),
  of("klDivergence", { p: [], q: [], shape: [0, 3] }, NaN),
  of("klDivergence", { p: [], q: [], shape: [0, 3], reduction: "sum" }, 0),
  of("jsDivergence", { p: [], q: [], shape: [0, 3], reduction: "none" }, []),
  of("jsDistance", { p: [], q: [], shape: [0, 3], reduction: "none" }, []),
  of("klDivergenceWithGrad", { p: [], q: [], shape: [0, 3], reduction: "sum" }, { value: 0, gradP: [], gradQ: [] }),
  of("pairwiseDivergence", { P: [], shape: [0, 3] }, []),
  of("pairwiseDivergence", { Q: [], qShape: [0, 3] }, []),
  of("klGaussian", { "a.mean": [], "a.covariance": [], "b.mean": [], "b.variance": [] }, 0),
  of("gram", { x: [], shape: [0, 3] }, []),
  of("gram", { x: [], shape: [2, 0] }, [0, 0, 0, 0]),
  of("kernelMatrix", { x: [], shape: [0, 2], y: MORE_POINTS, yShape: [2, 2] }, []),
  of("styleGram", { features: [], shape: [0, 2, 2] }, []),
  of("perceptualLoss", { generated: [], target: [] }, NaN),
  of("wassersteinHistogram", { p: [], q: [], shape: [0, 3], reduction: "none" }, []),
  // there is no class to be right
  of("crossEntropy", { logits: [], shape: [2, 0], target: [0, 0] }, new Refused(RangeError, /no classes/, /\[2, 0\]/)),
  of(
    "crossEntropyWithGrad",
    { logits: [], shape: [2, 0], target: [0, 0] },
    new Refused(RangeError, /no classes/, /\[2, 0\]/),
  ),
  of("perplexity", { logits: [], shape: [2, 0], labels: [0, 0] }, new Refused(RangeError, /no classes/, /\[2, 0\]/)),
  of("emd", { a: [], b: [], cost: [] }, new Refused(RangeError, /"a"/)),
  // more rows than memory holds, of no elements
  of("logSumExp", { x: [], shape: [2 ** 40, 0] }, new Refused(RangeError, /"shape"|memory/, /1099511627776|TiB|bytes/)),
];
