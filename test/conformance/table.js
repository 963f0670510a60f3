/**
 * The public functions: calls, what each should return, and how nearly. `s` is the package, `d` the inputs of a problem.
 *
 * `units` is the function's bound (README.md, docs/accuracy.md) in u, 2⁻²⁴ in f32 and 2⁻⁵³ in f64; 17 are 1e-6 in f32. It is
 * relative to each element, but where terms cancel whatever is done: there a case has a third member, `of`, by which each element
 * is measured in its place, the size of its terms or of the larger thing that the bound names.
 */
import {
  alongColumns,
  distance,
  dot,
  first,
  matrix,
  mean,
  numbers,
  outer,
  overColumns,
  rowsOf,
  sum,
} from "./arithmetic.js";
import { cloudsOf, costsOf, histogramsOf, lineOf, PLANE, transportOf, UNWEIGHTED } from "./inputs.js";
import {
  alongBins,
  assignment,
  betweenSorted,
  binary,
  binarySlopes,
  centredGram,
  cka,
  contrast,
  coupling,
  entropic,
  entropicOf,
  entropy,
  js,
  jsGradients,
  jsGradientTerms,
  kl,
  klGradients,
  klGradientTerms,
  labelLosses,
  labelSlopes,
  labelWeights,
  linear,
  logit,
  logSoftmax,
  logSumExp,
  mmd,
  mmdTerms,
  norms,
  oneHot,
  pairsOf,
  sigmoid,
  sinkhornDivergence,
  softmax,
  softPairsOf,
  softplus,
  squaresOf,
  styleLoss,
  styleNorms,
  styleOf,
  styleSlopes,
  styleSlopeTerms,
  wassersteinOf,
} from "./references.js";

/**
 * @typedef {import("./inputs.js").Inputs} Inputs
 * @typedef {import("./index.js").Surprisal} Surprisal
 * @typedef {import("./compare.js").Value} Value
 * @typedef {[call: (s: Surprisal, d: Inputs) => Value, want: (d: Inputs) => Value, of?: (d: Inputs) => Value]} Case
 */

const { abs, exp, log, log1p, log2, max, min, PI, sqrt, tanh } = Math;

/** The larger of the magnitudes of a row's maximum and its log-sum-exp. @param {Float64Array} row */
const largerOfSum = (row) => max(abs(row.reduce((m, v) => max(m, v))), abs(logSumExp(row)));
/** Logits and the logarithms of their weights. @param {Inputs} d */
const weightedRows = (d) => rowsOf(d.x, d).map((row) => row.map((v, j) => v + log(d.weights[j])));
/** Soft targets, smoothed. @param {Inputs} d */
const smoothed = (d) => rowsOf(d.marks, d).map((row) => row.map((t) => 0.75 * t + 0.25 / d.n));
/** k(rows of p, rows of q). @param {(x: Float64Array, y: Float64Array, d: Inputs) => number} k @returns {(d: Inputs) => Float64Array} */
const kernelOf = (k) => (d) => matrix(rowsOf(d.p, d), rowsOf(d.q, d), (x, y) => k(x, y, d));
/** The least k of each row of p and those of q. @param {(a: Float64Array, b: Float64Array) => number} k @returns {(d: Inputs) => number[]} */
const leastOf = (k) => (d) =>
  rowsOf(d.p, d).map((a) =>
    rowsOf(d.q, d)
      .map((b) => k(a, b))
      .reduce((x, y) => min(x, y)),
  );
/** ½·‖x̂ − ŷ‖². @param {Float64Array} a @param {Float64Array} b */
const cosineDistance = (a, b) => {
  const [x, y] = [sqrt(dot(a, a)), sqrt(dot(b, b))];
  return sum(a.map((v, i) => (v / x - b[i] / y) ** 2)) / 2;
};
/** @param {Inputs} d @param {number} h */
const densities = (d, h) =>
  rowsOf(d.p, d).map((a) => {
    const terms = rowsOf(d.q, d).map((b) => -distance(a, b, (t) => t * t) / (2 * h * h));
    const top = terms.reduce((x, y) => max(x, y));
    return top + log(sum(terms.map((t) => exp(t - top))) / d.rows) - (d.n / 2) * log(2 * PI * h * h);
  });
/** Nine samples and fifteen. @param {Inputs} d */
const fewOf = ({ x, y }) => coupling(first(x, 9), first(x, 9).fill(1), first(y, 15), first(y, 15).fill(1));

/**
 * A meter that has taken the rows of d in two batches, the second first.
 * @param {Inputs} d @param {any} meter @param {(x: any, labels: any, shape: number[]) => unknown[]} batch
 */
function inBatches(d, meter, batch) {
  const cut = Math.floor(d.rows / 3);
  for (const [from, to] of [
    [cut, d.rows],
    [0, cut],
  ])
    meter.update(...batch(d.x.subarray(from * d.n, to * d.n), d.labels.slice(from, to), [to - from, d.n]));
  return meter;
}

/** Two rows of three log-probabilities. */
const KNOWN = [-1.5, -2, -2.25, -3, -1.25, -2.5];
/** The least and the largest entropy of `size` outcomes, of which some are known. @param {number[]} logs @param {number} size */
function boundsOf(logs, size) {
  const p = logs.map(exp);
  const [rest, cap, others] = [1 - sum(p), p.reduce((a, b) => (b < a ? b : a)), size - p.length];
  const full = Math.floor(rest / cap);
  const known = entropyTerms(p);
  return [
    known + entropyTerms([...Array(full).fill(cap), rest - full * cap]),
    known + entropyTerms(Array(others).fill(rest / others)),
  ];
}
/** @param {number[]} p */
const entropyTerms = (p) => -sum(p.map((v) => v * log(v)));
/**
 * Their rows as the best of two distributions, of the same outcomes.
 * @param {Surprisal} s @param {Inputs["of"]} of @param {{ size: number, metric?: "js", base?: number }} options
 */
const bounded = (s, of, options) => {
  const [p, q] = [KNOWN.slice(0, 3), KNOWN.slice(3)];
  const indices = [4, 0, 9];
  return s.divergenceBounds({ indices, logProbs: of(...p) }, { indices, logProbs: of(...q) }, options);
};
/** @param {[number[], number[]]} rows @returns {[Float64Array, Float64Array]} */
const inF64 = ([p, q]) => [Float64Array.from(p), Float64Array.from(q)];
/** With what is left: of the same outcomes, or of others. @param {boolean} same @returns {[number[], number[]]} */
function whole(same) {
  const [p, q] = [KNOWN.slice(0, 3).map(exp), KNOWN.slice(3).map(exp)];
  const [a, b] = [1 - sum(p), 1 - sum(q)];
  return same
    ? [
        [...p, a],
        [...q, b],
      ]
    : [
        [...p, a, 0],
        [...q, 0, b],
      ];
}

/** 1e-6 in f32, and in f64 what plain sums of 131,197 terms come to: 45 u of a KL divergence, 79 of a cosine. */
const SUMS = { f32: 17, f64: 128 };
/**
 * Sinkhorn's iterations end at a marginal error of 1e-14 (`tolerance` in the calls below), which of masses of a tenth and less is
 * 1e-13: 900 u in f64.
 */
const ITERATED = { f32: 17, f64: 900 };

/** @type {Record<string, { readonly units: number | Record<"f32" | "f64", number>, readonly cases: readonly Case[] }>} */
export const FUNCTIONS = {
  softmax: {
    units: 5,
    cases: [
      [(s, { x, shape }) => s.softmax(x, { shape }), (d) => rowsOf(d.x, d).map(softmax)],
      [(s, { x, shape }) => s.softmax(x, { shape, axis: 0 }), (d) => alongColumns(d.x, d, softmax)],
      [
        (s, { x, shape }) => s.softmax({ data: x, dims: shape }, { temperature: 2 }),
        (d) => rowsOf(d.x, d).map((row) => softmax(row.map((v) => v / 2))),
      ],
    ],
  },
  logSoftmax: {
    units: 4,
    cases: [
      [(s, { x, shape }) => s.logSoftmax(x, { shape }), (d) => rowsOf(d.x, d).map(logSoftmax)],
      [(s, { x, shape }) => s.logSoftmax(x, { shape, axis: 0 }), (d) => alongColumns(d.x, d, logSoftmax)],
    ],
  },
  logSumExp: {
    units: 2,
    cases: [
      [
        (s, { x, shape }) => s.logSumExp(x, { shape }),
        (d) => rowsOf(d.x, d).map(logSumExp),
        (d) => rowsOf(d.x, d).map(largerOfSum),
      ],
      [
        (s, { x, shape }) => s.logSumExp(x, { shape, axis: -2 }),
        (d) => overColumns(d.x, d, logSumExp),
        (d) => overColumns(d.x, d, largerOfSum),
      ],
      [
        (s, { x, shape, weights }) => s.logSumExp(x, { shape, weights }),
        (d) => weightedRows(d).map(logSumExp),
        (d) => weightedRows(d).map(largerOfSum),
      ],
    ],
  },
  sigmoid: { units: 6, cases: [[(s, { x }) => s.sigmoid(x), ({ x }) => numbers(x).map(sigmoid)]] },
  logSigmoid: { units: 6, cases: [[(s, { x }) => s.logSigmoid(x), ({ x }) => numbers(x).map((v) => -softplus(-v))]] },
  softplus: { units: 6, cases: [[(s, { x }) => s.softplus(x), ({ x }) => numbers(x).map(softplus)]] },
  logit: { units: 6, cases: [[(s, { p }) => s.logit(p), ({ p }) => numbers(p).map(logit)]] },

  surprisal: {
    units: 5,
    cases: [
      [(s, { p }) => s.surprisal(p), ({ p }) => numbers(p).map((v) => -log(v))],
      [(s, { p }) => s.surprisal(p, { base: 2 }), ({ p }) => numbers(p).map((v) => -log2(v))],
      [(s, { p }) => s.surprisal(p, { base: 3 }), ({ p }) => numbers(p).map((v) => -log(v) / log(3))],
    ],
  },
  entropy: {
    units: 17,
    cases: [
      [(s, { p, shape }) => s.entropy(p, { shape, reduction: "none" }), (d) => rowsOf(d.p, d).map(entropy)],
      [
        (s, { p, shape }) => s.entropy(p, { shape, axis: 0, reduction: "sum" }),
        (d) => sum(overColumns(d.p, d, entropy)),
      ],
      [
        (s, { x, shape }) => s.entropy(x, { shape, from: "logits", base: 7 }),
        (d) => mean(rowsOf(d.x, d).map((row) => entropy(softmax(row)))) / log(7),
      ],
    ],
  },
  entropyBounds: {
    units: 512,
    cases: [
      [
        (s, { of }) => s.entropyBounds(of(...KNOWN), { shape: [2, 3], size: 50 }).lower,
        () => [KNOWN.slice(0, 3), KNOWN.slice(3)].map((row) => boundsOf(row, 50)[0]),
      ],
      [
        (s, { of }) => s.entropyBounds(of(...KNOWN), { shape: [2, 3], size: 50 }).upper,
        () => [KNOWN.slice(0, 3), KNOWN.slice(3)].map((row) => boundsOf(row, 50)[1]),
      ],
    ],
  },
  divergenceBounds: {
    // measured by the probabilities of p and of q, which are what is added up
    units: 256,
    cases: [
      [(s, { of }) => bounded(s, of, { size: 50 }).lower, () => [kl(...inF64(whole(true)))], () => [2]],
      [
        (s, { of }) => bounded(s, of, { size: 50, metric: "js", base: 2 }).lower,
        () => [js(...inF64(whole(true))) / log(2)],
        () => [2],
      ],
      [(s, { of }) => bounded(s, of, { size: 50, metric: "js" }).upper, () => [js(...inF64(whole(false)))], () => [2]],
      [
        (s, { of }) =>
          s.divergenceBounds({ indices: [0], logProbs: of(-0.5) }, { indices: [1], logProbs: of(-0.25) }, { size: 2 })
            .upper,
        () => {
          const [a, b] = [exp(-0.5), exp(-0.25)];
          return [kl(Float64Array.of(a, 1 - a), Float64Array.of(1 - b, b))];
        },
        () => [2],
      ],
    ],
  },
  tokenScores: {
    units: 17,
    cases: [
      [(s, { x, labels, shape }) => s.tokenScores(x, labels, { shape }).logProb, (d) => labelLosses(d).map((v) => -v)],
      [
        (s, { x, labels, shape }) => s.tokenScores(x, labels, { shape }).entropy,
        (d) => rowsOf(d.x, d).map(softmax).map(entropy),
      ],
      [
        (s, { x, labels, shape }) => s.tokenScores(x, labels, { shape, top: 1 }).rank,
        (d) => rowsOf(d.x, d).map((row, i) => 1 + row.filter((v) => v > row[d.labels[i]]).length),
      ],
      [
        (s, { x, labels, shape }) => s.tokenScores(x, labels, { shape, top: 1 }).top.logProbs,
        (d) => rowsOf(d.x, d).map((row) => logSoftmax(row).reduce((a, b) => max(a, b))),
      ],
    ],
  },
  crossEntropyMeter: {
    units: 17,
    cases: [
      [
        (s, d) => inBatches(d, s.crossEntropyMeter(), (x, labels, shape) => [x, labels, { shape }]).value,
        (d) => mean(labelLosses(d)),
      ],
      [
        (s, d) => inBatches(d, s.crossEntropyMeter(), (x, labels, shape) => [x, labels, { shape }]).perplexity,
        (d) => exp(mean(labelLosses(d))),
        (d) => exp(mean(labelLosses(d))) * mean(labelLosses(d)),
      ],
    ],
  },
  entropyMeter: {
    units: 17,
    cases: [
      [
        (s, d) => inBatches(d, s.entropyMeter({ from: "logits" }), (x, _, shape) => [x, { shape }]).value,
        (d) => mean(rowsOf(d.x, d).map(softmax).map(entropy)),
      ],
    ],
  },
  logSumExpMeter: {
    units: 17,
    cases: [
      [
        (s, d) => inBatches(d, s.logSumExpMeter(), (x, _, shape) => [x, { shape }]).value,
        (d) => mean(rowsOf(d.x, d).map(logSumExp)),
        (d) => mean(rowsOf(d.x, d).map(largerOfSum)),
      ],
    ],
  },
  divergenceMeter: {
    units: SUMS,
    cases: [
      [
        ({ divergenceMeter }, { p, q, shape }) => divergenceMeter({ metric: "kl" }).update(p, q, { shape }).value,
        (d) => mean(pairsOf(d, kl)),
      ],
    ],
  },
  agreementMeter: {
    units: SUMS,
    cases: [
      [
        ({ agreementMeter }, { p, q, shape }) => agreementMeter().update(p, q, { shape }).js.value,
        (d) => mean(pairsOf(d, js)),
      ],
      [({ agreementMeter }, { p, shape }) => agreementMeter().update(p, p, { shape }).value, () => 1],
    ],
  },
  calibrationMeter: {
    units: { f32: 64, f64: 512 },
    cases: [
      [
        (s, d) => inBatches(d, s.calibrationMeter(), (x, labels, shape) => [x, labels, { shape }]).brier,
        (d) =>
          mean(
            rowsOf(d.x, d)
              .map(softmax)
              .map((p, i) => sum(p.map((v, j) => (v - +(j === d.labels[i])) ** 2))),
          ),
      ],
    ],
  },
  meterFrom: {
    units: 17,
    cases: [
      [
        (s, d) =>
          s.meterFrom(
            JSON.parse(
              JSON.stringify(inBatches(d, s.crossEntropyMeter(), (x, labels, shape) => [x, labels, { shape }])),
            ),
          ).value,
        (d) => mean(labelLosses(d)),
      ],
    ],
  },
  perplexity: {
    units: 17,
    cases: [
      [
        (s, { x, labels, shape }) => s.perplexity(x, labels, { shape }),
        (d) => exp(mean(labelLosses(d))),
        // an exponential multiplies the error by its argument
        (d) => exp(mean(labelLosses(d))) * mean(labelLosses(d)),
      ],
    ],
  },

  crossEntropy: {
    units: 17,
    cases: [
      [(s, { x, labels, shape }) => s.crossEntropy(x, labels, { shape }), (d) => mean(labelLosses(d))],
      [
        (s, { x, labels, shape }) => s.crossEntropy(x, labels, { shape, base: 2, reduction: "none" }),
        (d) => labelLosses(d).map((v) => v / Math.LN2),
      ],
      [
        (s, { x, labels, shape, weights }) => s.crossEntropy(x, labels, { shape, weight: weights }),
        (d) => dot(labelLosses(d), labelWeights(d)) / sum(labelWeights(d)),
      ],
      [
        (s, { x, marks, shape }) => s.crossEntropy(x, marks, { shape, labelSmoothing: 0.25, reduction: "sum" }),
        (d) => sum(rowsOf(d.x, d).map((row, i) => -dot(logSoftmax(row), smoothed(d)[i]))),
      ],
      [
        (s, { p, q, shape }) => s.crossEntropy(q, p, { shape, from: "probabilities", base: 10 }),
        (d) => mean(pairsOf(d, (p, q) => entropy(p) + kl(p, q))) / Math.LN10,
      ],
    ],
  },
  crossEntropyWithGrad: {
    units: 17,
    cases: [
      [
        (s, { x, labels, shape }) => s.crossEntropyWithGrad(x, labels, { shape }),
        (d) => ({ value: mean(labelLosses(d)), grad: labelSlopes(d) }),
        // softmax − 1 at the label
        (d) => ({ value: 0, grad: oneHot(d).map((row) => row.map((v) => v / d.rows)) }),
      ],
    ],
  },
  binaryCrossEntropy: {
    units: 8,
    cases: [
      [(s, { x, marks }) => s.binaryCrossEntropy(x, marks), ({ x, marks }) => mean(binary(x, marks))],
      [(s, { x, q }) => s.binaryCrossEntropy(x, q, { posWeight: 3, reduction: "none" }), ({ x, q }) => binary(x, q, 3)],
      [
        (s, { p, marks }) => s.binaryCrossEntropy(p, marks, { from: "probabilities", reduction: "sum" }),
        ({ p, marks }) => -sum(numbers(p).map((v, i) => (marks[i] ? log(v) : log1p(-v)))),
      ],
    ],
  },
  binaryCrossEntropyWithGrad: {
    units: 10,
    cases: [
      [
        (s, { x, marks }) => s.binaryCrossEntropyWithGrad(x, marks),
        ({ x, marks }) => ({ value: mean(binary(x, marks)), grad: binarySlopes(x, marks) }),
      ],
    ],
  },

  klDivergence: {
    units: SUMS,
    cases: [
      [(s, { p, q, shape }) => s.klDivergence(p, q, { shape }), (d) => mean(pairsOf(d, kl))],
      [
        (s, { p, q, shape }) => s.klDivergence(p, q, { shape, base: 5, reduction: "none" }),
        (d) => pairsOf(d, kl).map((v) => v / log(5)),
      ],
      [
        (s, { x, y, shape }) => s.klDivergence(x, y, { shape, from: "logits", reduction: "sum" }),
        (d) => sum(softPairsOf(d, kl)),
      ],
    ],
  },
  klDivergenceWithGrad: {
    units: SUMS,
    cases: [
      [
        (s, { x, y, shape }) => s.klDivergenceWithGrad(x, y, { shape, from: "logits", reduction: "sum" }),
        klGradients,
        klGradientTerms,
      ],
    ],
  },
  jsDivergence: {
    units: SUMS,
    cases: [
      [(s, { p, q, shape }) => s.jsDivergence(p, q, { shape }), (d) => mean(pairsOf(d, js))],
      [
        (s, { x, y, shape }) => s.jsDivergence(x, y, { shape, from: "logits", base: 2, reduction: "none" }),
        (d) => softPairsOf(d, js).map((v) => v / Math.LN2),
      ],
    ],
  },
  jsDivergenceWithGrad: {
    units: SUMS,
    cases: [
      [
        (s, { x, y, shape }) => s.jsDivergenceWithGrad(x, y, { shape, from: "logits", reduction: "sum" }),
        jsGradients,
        jsGradientTerms,
      ],
    ],
  },
  jsDistance: {
    units: SUMS,
    cases: [[(s, { p, q, shape }) => s.jsDistance(p, q, { shape }), (d) => mean(pairsOf(d, js).map(sqrt))]],
  },
  pairwiseDivergence: {
    units: SUMS,
    cases: [
      [(s, { p, q, shape }) => s.pairwiseDivergence(p, q, { shape, metric: "kl" }), kernelOf(kl)],
      [
        (s, { p, q, shape }) => s.pairwiseDivergence(p, q, { shape, metric: "jsDistance", base: 2 }),
        kernelOf((a, b) => sqrt(js(a, b) / Math.LN2)),
      ],
    ],
  },
  klGaussian: {
    units: 17,
    cases: [
      [
        (s, { x, y, p, q }) =>
          s.klGaussian(
            { mean: x.slice(0, 3), variance: p.slice(0, 3) },
            { mean: y.slice(0, 3), variance: q.slice(0, 3) },
          ),
        ({ x, y, p, q }) =>
          sum([0, 1, 2].map((i) => p[i] / q[i] - 1 - log(p[i] / q[i]) + ((x[i] - y[i]) * (x[i] - y[i])) / q[i])) / 2,
      ],
      [
        (s, { of }) =>
          s.klGaussian({ mean: of(0, 0), covariance: of(4, 2, 2, 5) }, { mean: of(1, -1), covariance: of(1, 0, 0, 1) }),
        () => (9 - 2 - log(16) + 2) / 2,
      ],
    ],
  },

  // of products Σ xₖyₖ the bound is relative to ‖x‖·‖y‖
  gram: {
    units: SUMS,
    cases: [
      [
        (s, { x, shape }) => s.gram(x, { shape, scale: 0.5 }),
        (d) => matrix(rowsOf(d.x, d), rowsOf(d.x, d), (a, b) => dot(a, b) / 2),
        (d) => norms(rowsOf(d.x, d), rowsOf(d.x, d)).map((v) => v / 2),
      ],
      [
        (s, { x, shape }) => s.gram(x, { shape, center: true }),
        (d) => centredGram(d.x, d),
        (d) => norms(rowsOf(d.x, d), rowsOf(d.x, d)),
      ],
    ],
  },
  kernelMatrix: {
    units: SUMS,
    cases: [
      [
        (s, { x, y, shape }) => s.kernelMatrix(x, y, { shape, kernel: "linear" }),
        (d) => matrix(rowsOf(d.x, d), rowsOf(d.y, d), dot),
        (d) => norms(rowsOf(d.x, d), rowsOf(d.y, d)),
      ],
      [
        (s, { p, shape }) => s.kernelMatrix(p, undefined, { shape, kernel: "polynomial" }),
        (d) => matrix(rowsOf(d.p, d), rowsOf(d.p, d), (a, b) => (dot(a, b) / d.n + 1) ** 3),
      ],
      [
        (s, { p, q, shape }) => s.kernelMatrix(p, q, { shape, kernel: "polynomial", degree: 2.5 }),
        kernelOf((a, b, { n }) => (dot(a, b) / n + 1) ** 2.5),
      ],
      [
        (s, { p, q, shape }) => s.kernelMatrix(p, q, { shape, kernel: "rbf" }),
        kernelOf((a, b, { n }) => exp(-distance(a, b, (t) => t * t) / n)),
      ],
      [
        (s, { p, q, shape }) => s.kernelMatrix(p, q, { shape, kernel: "laplacian" }),
        kernelOf((a, b, { n }) => exp(-distance(a, b, abs) / n)),
      ],
      [
        (s, { p, q, shape }) => s.kernelMatrix(p, q, { shape, kernel: "sigmoid" }),
        kernelOf((a, b, { n }) => tanh(dot(a, b) / n + 1)),
      ],
      [
        (s, { p, q, shape }) => s.kernelMatrix(p, q, { shape, kernel: "cosine" }),
        kernelOf((a, b) => dot(a, b) / sqrt(dot(a, a) * dot(b, b))),
      ],
    ],
  },
  pairwiseDistance: {
    units: SUMS,
    cases: [
      [
        (s, { p, q, shape }) => s.pairwiseDistance(p, q, { shape }),
        kernelOf((a, b) => sqrt(distance(a, b, (t) => t * t))),
      ],
      [
        (s, { p, q, shape }) => s.pairwiseDistance(p, q, { shape, metric: "squaredEuclidean" }),
        kernelOf((a, b) => distance(a, b, (t) => t * t)),
      ],
      [
        (s, { p, q, shape }) => s.pairwiseDistance(p, q, { shape, metric: "manhattan" }),
        kernelOf((a, b) => distance(a, b, abs)),
      ],
      [
        (s, { p, q, shape }) => s.pairwiseDistance(p, q, { shape, metric: "cosine" }),
        kernelOf(cosineDistance),
        kernelOf((a, b) => cosineDistance(a, b) + sqrt(cosineDistance(a, b))),
      ],
    ],
  },
  nearest: {
    units: SUMS,
    cases: [
      [
        (s, { p, q, shape }) => s.nearest(p, q, { shape }).values,
        leastOf((a, b) => sqrt(distance(a, b, (t) => t * t))),
      ],
      [
        (s, { p, q, shape }) => s.nearest(p, q, { shape, metric: "dot" }).values,
        (d) => leastOf((a, b) => -dot(a, b))(d).map((v) => -v),
      ],
      [(s, { p, q, shape }) => s.nearest(p, q, { shape, metric: "kl" }).values, leastOf(kl)],
    ],
  },
  kernelProduct: {
    units: SUMS,
    cases: [
      [
        (s, { p, q, shape, rows }) => s.kernelProduct(p, q, q.slice(0, rows), { shape, kernel: "rbf" }),
        (d) =>
          rowsOf(d.p, d).map((a) =>
            sum(rowsOf(d.q, d).map((b, j) => exp(-distance(a, b, (t) => t * t) / d.n) * d.q[j])),
          ),
        (d) =>
          rowsOf(d.p, d).map((a) =>
            sum(rowsOf(d.q, d).map((b, j) => abs(exp(-distance(a, b, (t) => t * t) / d.n) * d.q[j]))),
          ),
      ],
    ],
  },
  kernelDensity: {
    units: SUMS,
    cases: [
      [
        (s, { p, q, shape }) => s.kernelDensity(p, q, { shape, bandwidth: 0.5 }),
        (d) => densities(d, 0.5),
        (d) => densities(d, 0.5).map((v) => abs(v) + d.n + 1),
      ],
    ],
  },
  mmd: { units: SUMS, cases: [[(s, { p, q, shape }) => s.mmd(p, q, { shape }), mmd, mmdTerms]] },
  cka: { units: SUMS, cases: [[(s, { x, y, shape }) => s.cka(x, y, { shape }), cka]] },
  styleGram: {
    units: SUMS,
    cases: [
      [
        (s, { x, rows, n }) => s.styleGram(x, { shape: [rows, 1, n] }),
        (d) => styleOf(d.x, d),
        (d) => styleNorms(d.x, d),
      ],
      [
        (s, { x, rows, n }) => s.styleGram(x, { shape: [rows, n, 1], normalize: "none" }),
        (d) => styleOf(d.x, d).map((v) => v * d.rows * d.n),
        (d) => styleNorms(d.x, d).map((v) => v * d.rows * d.n),
      ],
    ],
  },
  styleLoss: {
    units: SUMS,
    cases: [[(s, { x, p, rows, n }) => s.styleLoss(x, p, { shape: [rows, 1, n] }), styleLoss]],
  },
  styleLossWithGrad: {
    units: SUMS,
    cases: [
      [
        (s, { x, p, rows, n }) => s.styleLossWithGrad(x, p, { shape: [rows, 1, n] }),
        (d) => ({ value: styleLoss(d), grad: styleSlopes(d) }),
        (d) => ({ value: 0, grad: styleSlopeTerms(d) }),
      ],
    ],
  },
  perceptualLoss: {
    units: 4,
    cases: [
      [
        (s, { x, y, shape }) => s.perceptualLoss([x, x], [y, y], { shape: [shape, shape], layerWeights: [1, 2] }),
        (d) => 3 * mean(squaresOf(d)),
      ],
    ],
  },
  perceptualLossWithGrad: {
    units: 4,
    cases: [
      [
        (s, { x, y }) => s.perceptualLossWithGrad(x, y),
        (d) => ({ value: mean(squaresOf(d)), grad: numbers(d.x).map((v, i) => (2 * (v - d.y[i])) / d.x.length) }),
      ],
    ],
  },

  wasserstein: {
    units: 17,
    cases: [
      [(s, { x, y }) => s.wasserstein(x, y), ({ x, y }) => betweenSorted(x, y)],
      [
        (s, { x, y, p, q }) =>
          s.wasserstein(x.slice(0, 300), y.slice(0, 200), {
            uWeights: p.slice(0, 300),
            vWeights: q.slice(0, 200),
            order: 2,
          }),
        ({ x, y, p, q }) => wassersteinOf(coupling(first(x, 300), first(p, 300), first(y, 200), first(q, 200)), 2),
      ],
      [
        (s, { x, y, p }) => s.wasserstein(x.slice(0, 300), y.slice(0, 11), { uWeights: p.slice(0, 300), order: 1.5 }),
        ({ x, y, p }) => wassersteinOf(coupling(first(x, 300), first(p, 300), first(y, 11), first(y, 11).fill(1)), 1.5),
      ],
      [
        (s, { x, y }) => s.wasserstein(x.slice(0, 9), y.slice(0, 15), { order: Infinity }),
        (d) =>
          fewOf(d)
            .filter(({ mass }) => mass > 1e-9)
            .reduce((most, { apart }) => max(most, apart), 0),
      ],
    ],
  },
  wassersteinHistogram: {
    units: 17,
    cases: [
      [(s, { p, q, shape }) => s.wassersteinHistogram(p, q, { shape }), (d) => mean(pairsOf(d, alongBins))],
      [
        (s, d) => {
          const { p, q, shape, support } = histogramsOf(d);
          return s.wassersteinHistogram(p, q, { shape, support, order: 3, reduction: "none" });
        },
        (d) => {
          const { support, ...rows } = histogramsOf(d);
          return pairsOf(rows, (p, q) => wassersteinOf(coupling(support, p, support, q), 3));
        },
      ],
    ],
  },
  sinkhorn: {
    units: ITERATED,
    cases: [true, false].map((uniform) => [
      (s, d) => {
        const { a, b, cost } = transportOf(d, uniform);
        return entropicOf(s.sinkhorn(a, b, cost, { epsilon: 32, tolerance: 1e-14, plan: true }));
      },
      (d) => {
        const { a, b, cost } = transportOf(d, uniform);
        return entropic(a, b, cost, 32);
      },
      // a sum of two potentials may be small beside either; they are in the unit of ε, 32
      () => ({ potentials: new Float64Array(4 * 5).fill(32), plan: new Float64Array(4 * 5), cost: 0 }),
    ]),
  },
  sinkhornDivergence: {
    units: 17,
    cases: [
      [
        (s, d) => {
          const { x, y } = cloudsOf(d);
          return s.sinkhornDivergence(x, y, { ...PLANE, epsilon: 64 }).value;
        },
        (d) => sinkhornDivergence({ ...cloudsOf(d), ...UNWEIGHTED }, 2, 64).value,
      ],
      [
        (s, d) => {
          const { x, y, ...weights } = cloudsOf(d);
          return s.sinkhornDivergence(x, y, { ...PLANE, ...weights, order: 1, epsilon: 4 }).value;
        },
        (d) => sinkhornDivergence(cloudsOf(d), 1, 4).value,
      ],
    ],
  },
  sinkhornDivergenceWithGrad: {
    units: ITERATED,
    cases: [UNWEIGHTED, {}].map((unweighted) => [
      (s, d) => {
        const { x, y, ...weights } = cloudsOf(d);
        const options = { ...PLANE, ...(unweighted === UNWEIGHTED ? {} : weights), epsilon: 64 };
        const { value, grad } = s.sinkhornDivergenceWithGrad(x, y, options);
        return { value, grad };
      },
      (d) => {
        const { value, grad } = sinkhornDivergence({ ...cloudsOf(d), ...unweighted }, 2, 64);
        return { value, grad };
      },
      // what each point is drawn by, and drawn back by its own cloud
      (d) => ({ value: 0, grad: sinkhornDivergence({ ...cloudsOf(d), ...unweighted }, 2, 64).terms }),
    ]),
  },
  emd: {
    units: 17,
    cases: [
      [(s, d) => s.emd([1, 1, 1, 1, 1], [1, 1, 1, 1, 1], costsOf(d)).cost, (d) => assignment(costsOf(d), 5)],
      [
        (s, d) => {
          const { a, b, cost } = lineOf(d);
          const { f, g, ...primal } = s.emd(a, b, cost, { plan: true });
          return { ...primal, dual: dot(a, f) + dot(b, g) };
        },
        (d) => {
          const { u, v, a, b } = lineOf(d);
          const pairs = coupling(u, a, v, b);
          const plan = new Float64Array(15 * 12);
          for (const { i, j, mass } of pairs) plan[i * 12 + j] = mass;
          const cost = sum(pairs.map(({ mass, apart }) => mass * apart * apart));
          return { cost, plan, dual: cost };
        },
        // what goes from i to j is what others have left of their masses
        (d) => ({ cost: 0, plan: outer(lineOf(d).a, lineOf(d).b, (u, v) => u + v), dual: 0 }),
      ],
    ],
  },
  linearCrossEntropy: {
    units: SUMS,
    cases: [
      [
        (s, { p, q, shape, rows }) =>
          s.linearCrossEntropy(
            p,
            q,
            Int32Array.from({ length: rows }, (_, i) => i),
            { shape, weightShape: shape },
          ),
        (d) => linear(d).value,
        // a logit of 87,000 is rounded before it is compared
        ({ n }) => max(1, n / 4),
      ],
    ],
  },
  linearCrossEntropyWithGrad: {
    units: SUMS,
    cases: [
      [
        (s, { p, q, shape, rows, of }) => {
          const labels = Int32Array.from({ length: rows }, (_, i) => i);
          const bias = of(...new Float64Array(rows));
          return { ...s.linearCrossEntropyWithGrad(p, q, labels, { shape, weightShape: shape, bias }) };
        },
        (d) => linear(d),
        (d) => {
          const { gradX, gradWeight, gradBias } = linear(d, true);
          const by = max(1, d.n / 4);
          return {
            value: by,
            gradX: gradX.map((v) => v * by),
            gradWeight: gradWeight.map((v) => v * by),
            gradBias: gradBias.map((v) => v * by),
          };
        },
      ],
    ],
  },
  contrastiveLoss: {
    units: SUMS,
    cases: [
      [
        (s, { p, q, shape, n }) => s.contrastiveLoss(p, q, { shape, normalize: false, temperature: n / 4 }),
        (d) => contrast(d).value,
        () => 1,
      ],
    ],
  },
  contrastiveLossWithGrad: {
    units: SUMS,
    cases: [
      [
        (s, { p, q, shape, n }) => ({
          ...s.contrastiveLossWithGrad(p, q, { shape, normalize: false, temperature: n / 4 }),
        }),
        (d) => contrast(d),
        (d) => ({ ...contrast(d, true), value: 1 }),
      ],
    ],
  },
};
