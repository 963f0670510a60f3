/**
 * The public functions in plain JavaScript and f64, right to a few units of each element: of what cancels, the form that does
 * not is written down. `d` are the inputs of a problem.
 */
import {
  alongColumns,
  distance,
  dot,
  matrix,
  mean,
  normalised,
  numbers,
  outer,
  overColumns,
  rowsOf,
  sum,
} from "./arithmetic.js";

/** @typedef {import("./arithmetic.js").Numbers} Numbers */
/** @typedef {import("./inputs.js").Inputs} Inputs */

const { abs, exp, log, log1p, max, min, sqrt } = Math;

/** @template T @param {(d: Inputs) => T} f @returns {(d: Inputs) => T} f, whose last result is kept */
function kept(f) {
  /** @type {Inputs | undefined} */
  let last;
  /** @type {any} */
  let result;
  return (d) => {
    if (d !== last) [last, result] = [d, f(d)];
    return result;
  };
}

// --------------------------------------------------------------------------------------------------- softmax family

/** @param {Numbers} a */
const indexOfLargest = (a) => {
  let at = 0;
  for (let i = 1; i < a.length; i++) if (a[i] > a[at]) at = i;
  return at;
};

/** log Σ e^{aᵢ − aₖ} of the largest aₖ: of the others by log1p. @param {Float64Array} a @param {number} k */
const beyondLargest = (a, k) => log1p(sum(a.map((v, i) => (i === k ? 0 : exp(v - a[k])))));

/** @param {Float64Array} a */
export function logSumExp(a) {
  const k = indexOfLargest(a);
  return a[k] + beyondLargest(a, k);
}

/** @param {Float64Array} a */
export function logSoftmax(a) {
  const k = indexOfLargest(a);
  const rest = beyondLargest(a, k);
  return a.map((v) => v - a[k] - rest);
}

/** @param {Float64Array} a */
export function softmax(a) {
  const largest = a[indexOfLargest(a)];
  return normalised(a.map((v) => exp(v - largest)));
}

/** @param {number} x */
export const sigmoid = (x) => 1 / (1 + exp(-x));

/** @param {number} x */
export const softplus = (x) => max(x, 0) + log1p(exp(-abs(x)));

/** log(p/(1 − p)), where 2p − 1 is exact by log1p. @param {number} p */
export const logit = (p) => (p > 0.25 && p < 0.75 ? log1p((2 * p - 1) / (1 - p)) : log(p) - log1p(-p));

/** softmax of the logits x, and of y. */
const soft = kept((d) => [rowsOf(d.x, d).map(softmax), rowsOf(d.y, d).map(softmax)]);

// ------------------------------------------------------------------------------------------------------------ losses

/** @param {number} v */
const xlogx = (v) => (v > 0 ? v * log(v) : 0);

/** @param {Numbers} p */
export const entropy = (p) => -sum(normalised(p).map(xlogx));

/** Losses of labels. @param {Inputs} d */
export const labelLosses = (d) => rowsOf(d.x, d).map((row, i) => -logSoftmax(row)[d.labels[i]]);

/** The weights of the labels' classes. @param {Inputs} d */
export const labelWeights = ({ labels, weights }) => numbers(labels).map((c) => weights[c]);

/** 1 at each row's label. @param {Inputs} d */
export const oneHot = ({ labels, n }) => [...labels].map((c) => Float64Array.from({ length: n }, (_, j) => +(j === c)));

/** softmax − y, of the mean loss. @param {Inputs} d */
export function labelSlopes(d) {
  const marks = oneHot(d);
  return soft(d)[0].map((p, i) => p.map((v, j) => (v - marks[i][j]) / d.rows));
}

/** y·softplus(−x) + (1 − y)·softplus(x), all of whose terms are positive. @param {Numbers} x @param {Numbers} y */
export const binary = (x, y, positive = 1) =>
  numbers(x).map((v, i) => positive * y[i] * softplus(-v) + (1 - y[i]) * softplus(v));

/** σ(x) − y of y = 0 or 1, which is −σ(−x). @param {Numbers} x @param {Numbers} y */
export const binarySlopes = (x, y) => numbers(x).map((v, i) => (y[i] ? -sigmoid(-v) : sigmoid(v)) / x.length);

// ------------------------------------------------------------------------------------------------------- divergences

/** Σ p log(p/q) of distributions. @param {Float64Array} p @param {Float64Array} q */
const klOf = (p, q) => sum(p.map((v, i) => (v > 0 ? v * log(v / q[i]) : 0)));

/** @param {Float64Array} p @param {Float64Array} q */
export const kl = (p, q) => klOf(normalised(p), normalised(q));

/** @param {Float64Array} p @param {Float64Array} q */
const middle = (p, q) => p.map((v, i) => (v + q[i]) / 2);

/** @param {Float64Array} p @param {Float64Array} q */
const jsOf = (p, q) => {
  const m = middle(p, q);
  return (klOf(p, m) + klOf(q, m)) / 2;
};

/** @param {Float64Array} p @param {Float64Array} q */
export const js = (p, q) => jsOf(normalised(p), normalised(q));

/** f of every row of p and that row of q. @template T @param {Inputs} d @param {(p: Float64Array, q: Float64Array) => T} f */
export function pairsOf(d, f) {
  const q = rowsOf(d.q, d);
  return rowsOf(d.p, d).map((p, i) => f(p, q[i]));
}

/** The same of the softmax of x and of y. @template T @param {Inputs} d @param {(p: Float64Array, q: Float64Array) => T} f */
export function softPairsOf(d, f) {
  const [p, q] = soft(d);
  return p.map((row, i) => f(row, q[i]));
}

/** ∂KL/∂(logits of p), p·(log(p/q) − KL). @param {Float64Array} p @param {Float64Array} q */
const klSlope = (p, q) => {
  const value = klOf(p, q);
  return p.map((v, i) => v * (log(v / q[i]) - value));
};

/** What it is the difference of. @param {Float64Array} p @param {Float64Array} q */
const klSlopeTerms = (p, q) => {
  const value = klOf(p, q);
  return p.map((v, i) => v * (abs(log(v / q[i])) + value));
};

/** Of logits, summed: the value and both gradients. */
export const klGradients = kept((d) => ({
  value: sum(softPairsOf(d, klOf)),
  gradP: softPairsOf(d, klSlope),
  gradQ: softPairsOf(d, (p, q) => q.map((v, i) => v - p[i])),
}));

/** @param {Inputs} d */
export const klGradientTerms = (d) => ({
  value: klGradients(d).value,
  gradP: softPairsOf(d, klSlopeTerms),
  gradQ: softPairsOf(d, (p, q) => q.map((v, i) => v + p[i])),
});

/** @param {(p: Float64Array, m: Float64Array) => Float64Array} slope ∂JS by the logits of p is half of KL's from the middle */
const jsWith = (slope) => (/** @type {Inputs} */ d) => ({
  value: sum(softPairsOf(d, jsOf)),
  gradP: softPairsOf(d, (p, q) => slope(p, middle(p, q)).map((v) => v / 2)),
  gradQ: softPairsOf(d, (p, q) => slope(q, middle(p, q)).map((v) => v / 2)),
});
export const jsGradients = jsWith(klSlope);
export const jsGradientTerms = jsWith(klSlopeTerms);

// --------------------------------------------------------------------------------------------------- Gram and kernels

/** @param {Float64Array} a */
const norm = (a) => sqrt(dot(a, a));

/** ‖xᵢ‖·‖yⱼ‖. @param {Float64Array[]} x @param {Float64Array[]} y */
export function norms(x, y) {
  const b = y.map(norm);
  return outer(x.map(norm), b, (u, v) => u * v);
}

/** Of features without their mean. @param {Numbers} a @param {Inputs} d */
export function centredGram(a, d) {
  const centre = overColumns(a, d, mean);
  const rows = rowsOf(a, d).map((row) => row.map((v, j) => v - centre[j]));
  return matrix(rows, rows, dot);
}

/** @param {Inputs} d */
export function cka(d) {
  const [k, l] = [centredGram(d.x, d), centredGram(d.y, d)];
  return dot(k, l) / sqrt(dot(k, k) * dot(l, l));
}

/** The means of the rbf kernel within p, within q, and between them. */
const mmdMeans = kept((d) => {
  const [a, b] = [rowsOf(d.p, d), rowsOf(d.q, d)];
  const k = (/** @type {Float64Array} */ x, /** @type {Float64Array} */ y) => exp(-distance(x, y, (t) => t * t) / d.n);
  return [mean(matrix(a, a, k)), mean(matrix(b, b, k)), mean(matrix(a, b, k))];
});
/** @param {Inputs} d */
export const mmd = (d) => mmdMeans(d)[0] + mmdMeans(d)[1] - 2 * mmdMeans(d)[2];
/** @param {Inputs} d */
export const mmdTerms = (d) => mmdMeans(d)[0] + mmdMeans(d)[1] + 2 * mmdMeans(d)[2];

// ------------------------------------------------------------------------------------------------------ style transfer

/** Gram matrix of the channels over C·H·W. @param {Numbers} a @param {Inputs} d */
export const styleOf = (a, d) => matrix(rowsOf(a, d), rowsOf(a, d), (u, v) => dot(u, v) / (d.rows * d.n));

/** ‖Fᵢ‖·‖Fⱼ‖ over C·H·W. @param {Numbers} a @param {Inputs} d */
export const styleNorms = (a, d) => norms(rowsOf(a, d), rowsOf(a, d)).map((v) => v / (d.rows * d.n));

/** G − A, of features whose styles are far apart: nothing cancels. @param {Inputs} d */
function styleDifference(d) {
  const target = styleOf(d.p, d);
  return styleOf(d.x, d).map((v, i) => v - target[i]);
}
/** @param {Inputs} d */
export const styleLoss = (d) => mean(styleDifference(d).map((v) => v * v));

/** 4·M·F over C·H·W and the C² elements. @param {Float64Array} m [C, C], symmetric @param {Numbers} features @param {Inputs} d */
const throughStyle = (m, features, { rows, n }) => {
  const weights = rowsOf(m, { rows, n: rows });
  const through = (/** @type {Float64Array} */ column) =>
    weights.map((row) => (4 * dot(row, column)) / (rows * rows * rows * n));
  return alongColumns(features, { rows, n }, through);
};
/** @param {Inputs} d */
export const styleSlopes = (d) => throughStyle(styleDifference(d), d.x, d);
/** What they are sums of, G and A by norms. @param {Inputs} d */
export const styleSlopeTerms = (d) => {
  const target = styleNorms(d.p, d);
  const sizes = styleNorms(d.x, d).map((v, i) => v + target[i]);
  return throughStyle(sizes, d.x.map(abs), d);
};

/** @param {Inputs} d */
export const squaresOf = (d) => numbers(d.x).map((v, i) => (v - d.y[i]) * (v - d.y[i]));

// ----------------------------------------------------------------------------------------------------------- transport

/**
 * Masses a of points x and b of points y, paired in ascending order: the cheapest plan on the line, for convex costs.
 *
 * @param {Numbers} x @param {Numbers} a @param {Numbers} y @param {Numbers} b
 */
export function coupling(x, a, y, b) {
  const ascending = (/** @type {Numbers} */ points) =>
    numbers(points)
      .map((_, i) => i)
      .sort((i, j) => points[i] - points[j]);
  const [u, v, rows, columns] = [ascending(x), ascending(y), normalised(a), normalised(b)];
  const pairs = [];
  for (let k = 0, l = 0; k < u.length && l < v.length; ) {
    const [i, j] = [u[k], v[l]];
    const mass = min(rows[i], columns[j]);
    pairs.push({ i, j, mass, apart: abs(x[i] - y[j]) });
    rows[i] -= mass;
    columns[j] -= mass;
    if (rows[i] <= 0) k++;
    if (columns[j] <= 0) l++;
  }
  return pairs;
}
/** Of a coupling. @param {ReturnType<typeof coupling>} pairs @param {number} order */
export const wassersteinOf = (pairs, order) =>
  sum(pairs.map(({ mass, apart }) => mass * apart ** order)) ** (1 / order);

/** Of as many samples each, without weights. @param {Numbers} x @param {Numbers} y */
export function betweenSorted(x, y) {
  const v = numbers(y).sort();
  return mean(
    numbers(x)
      .sort()
      .map((u, i) => abs(u - v[i])),
  );
}

/** Histograms by their distribution functions, summed with what rounding loses. @param {Float64Array} p @param {Float64Array} q */
export function alongBins(p, q) {
  const b = normalised(q);
  let [above, lost] = [0, 0];
  const steps = normalised(p).map((v, i) => {
    for (const term of [v, -b[i]]) {
      const next = above + term;
      lost += abs(above) >= abs(term) ? above - next + term : term - next + above;
      above = next;
    }
    return abs(above + lost);
  });
  // behind the last bin there is no gap
  return sum(steps.subarray(0, -1));
}

/**
 * Sinkhorn's iterations in their plainest form: P = e^{(fᵢ + gⱼ − C)/ε}.
 *
 * @param {Numbers} a @param {Numbers} b @param {Numbers} cost @param {number} epsilon
 */
export function entropic(a, b, cost, epsilon) {
  const m = b.length;
  let [f, g] = [new Float64Array(a.length), new Float64Array(m)];
  for (let k = 0; k < 300; k++) {
    f = f.map((_, i) => epsilon * (log(a[i]) - logSumExp(g.map((v, j) => (v - cost[i * m + j]) / epsilon))));
    g = g.map((_, j) => epsilon * (log(b[j]) - logSumExp(f.map((v, i) => (v - cost[i * m + j]) / epsilon))));
  }
  const potentials = outer(f, g, (u, v) => u + v);
  const plan = potentials.map((v, k) => exp((v - cost[k]) / epsilon));
  return { potentials, plan, cost: sum(plan.map((v, k) => (v > 0 ? v * cost[k] : 0))) };
}
/** sinkhorn's of the three, for potentials are known up to a constant. @param {any} result */
export const entropicOf = ({ f, g, plan, cost }) => ({ potentials: outer(f, g, (u, v) => u + v), plan, cost });

/**
 * The Sinkhorn divergence of clouds in the plane, and of order 2 its gradient.
 *
 * @param {{ x: Numbers, y: Numbers, xWeights: Numbers, yWeights: Numbers }} clouds @param {number} order @param {number} epsilon
 */
export function sinkhornDivergence({ x, y, xWeights, yWeights }, order, epsilon) {
  /** @param {Numbers} a */
  const points = (a) => rowsOf(a, { rows: a.length / 2, n: 2 });
  /** @param {Numbers} u @param {Numbers} v @param {Numbers} uWeights @param {Numbers} vWeights */
  const solve = (u, v, uWeights, vWeights) => {
    const [a, b] = [normalised(uWeights), normalised(vWeights)];
    const cost = matrix(points(u), points(v), (s, t) => sqrt(distance(s, t, (z) => z * z)) ** order);
    const { plan, potentials } = entropic(a, b, cost, epsilon);
    // relative to a⊗b
    const value = sum(potentials.map((w, k) => plan[k] * w)) + epsilon * (entropy(a) + entropy(b));
    const pull = (/** @type {(t: number) => number} */ size) =>
      [...u].map((w, i) => sum([...b].map((_, j) => plan[(i >> 1) * b.length + j] * 2 * size(w - v[2 * j + (i & 1)]))));
    return { value, pulls: pull((t) => t), terms: pull(abs) };
  };
  const cross = solve(x, y, xWeights, yWeights);
  const own = solve(x, x, xWeights, xWeights);
  return {
    value: cross.value - (own.value + solve(y, y, yWeights, yWeights).value) / 2,
    grad: cross.pulls.map((v, i) => v - own.pulls[i]),
    terms: cross.terms.map((v, i) => v + own.terms[i]),
  };
}

/** The least Σ c[i, s(i)] over all permutations s of n. @param {Numbers} c @param {number} n @returns {number} */
export function assignment(c, n, free = [...Array(n).keys()]) {
  if (free.length === 0) return 0;
  const row = (n - free.length) * n;
  const without = (/** @type {number} */ j) => free.filter((k) => k !== j);
  return min(...free.map((j) => c[row + j] + assignment(c, n, without(j))));
}

// ------------------------------------------------------------------------------------------------- losses of products

/**
 * The losses of rows of logits against a class each, their sum over `over`, and what each logit adds to it: softmax − target, and of its
 * terms the size. @param {readonly Float64Array[]} logits @param {Numbers} labels @param {number} over
 */
function labelled(logits, labels, over) {
  let value = 0;
  const slopes = logits.map((row, i) => {
    const own = row[labels[i]];
    const others = sum(row.map((v, j) => (j === labels[i] ? 0 : exp(v - own))));
    value += log1p(others) / over;
    return row.map((v, j) => (j === labels[i] ? -others / (1 + others) : exp(v - logSumExp(row))) / over);
  });
  return { value, slopes };
}

/** G·Y of rows, and with `size` the sum of the magnitudes. @param {readonly Float64Array[]} g @param {readonly Float64Array[]} y @param {boolean} size */
const timesRows = (g, y, size) =>
  g.flatMap((row) => Array.from(y[0], (_, k) => sum(row.map((v, j) => (size ? abs(v * y[j][k]) : v * y[j][k])))));
/** @param {readonly Float64Array[]} g */
const turned = (g) => Array.from(g[0], (_, j) => Float64Array.from(g, (row) => row[j]));

/** Rows of p against those of q, the first label that of the first row: with gradients. @param {Inputs} d @param {boolean} [size] */
export function linear({ p, q, rows, n }, size = false) {
  const [x, w] = [rowsOf(p, { rows, n }), rowsOf(q, { rows, n })];
  const labels = Array.from(x, (_, i) => i);
  const z = x.map((a) => Float64Array.from(w, (b) => dot(a, b)));
  const { value, slopes } = labelled(z, labels, rows);
  const gradBias = turned(slopes).map((g) => sum(size ? g.map(abs) : g));
  return { value, gradX: timesRows(slopes, w, size), gradWeight: timesRows(turned(slopes), x, size), gradBias };
}

/** InfoNCE of rows of p and q as they are, at the temperature n/4. @param {Inputs} d @param {boolean} [size] */
export function contrast({ p, q, rows, n }, size = false) {
  const temperature = n / 4;
  const [x, y] = [rowsOf(p, { rows, n }), rowsOf(q, { rows, n })];
  const labels = Array.from(x, (_, i) => i);
  const z = x.map((a) => Float64Array.from(y, (b) => dot(a, b) / temperature));
  const [down, across] = [labelled(z, labels, 2 * rows), labelled(turned(z), labels, 2 * rows)];
  const slopes = down.slopes.map((row, i) => row.map((v, j) => (v + across.slopes[j][i]) / temperature));
  const products = slopes.map((row, i) => row.map((v, j) => (size ? abs(v * z[i][j]) : -v * z[i][j])));
  return {
    value: down.value + across.value,
    gradX: timesRows(slopes, y, size),
    gradY: timesRows(turned(slopes), x, size),
    gradTemperature: sum(products.map((row) => sum(row))),
  };
}
