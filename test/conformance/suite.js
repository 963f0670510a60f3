/**
 * What every engine must do alike, for the package as a user gets it: no imports, no framework, one export, so that the text
 * runs unbuilt as a module, in a page, in a worker or inside CommonJS. runtimes/ runs it.
 *
 * Results are compared with plain JavaScript, which is right to a few units, and hashed: of the base variant the digest is the
 * same on every engine. Inputs are dyadic numbers of an integer generator, for Math.exp and the like differ between engines.
 */

/**
 * @typedef {Record<string, (...args: any[]) => any>} Surprisal the package's namespace object
 * @typedef {readonly number[] | Float32Array | Float64Array} Numbers
 * @typedef {number | Numbers | readonly any[] | { readonly [key: string]: any }} Value what a function returns
 * @typedef {object} Options
 * @property {WebAssembly.Module | BufferSource} [base] base.wasm, for `init({ module })`; a Module where bytes may not be compiled
 * @property {WebAssembly.Module | BufferSource} [relaxed] relaxed.wasm, likewise
 * @property {string} [version] the version the package should say it has
 * @property {boolean} [baseOnly] for an entry without relaxed kernels: `surprisal/base`, that of edge-light
 * @property {number} [calls] how many calls memory is watched over, of all functions together; 2000 unless given
 * @typedef {object} Result
 * @property {number} passed
 * @property {{ name: string, message: string }[]} failed
 * @property {string} digest of the base variant's results
 * @property {Record<string, string>} digests of each function
 * @property {string} variant what "auto" takes
 * @property {string[]} variants which run here
 * @property {string} runtime
 * @property {string} version
 */

/** As constants, for in the sandbox of an edge function a global takes a microsecond to look up. */
const { abs, exp, imul, log, log1p, log2, max, min, sqrt, tanh } = Math;
const { is: identical } = Object;
const { isNaN: isNotANumber } = Number;

// ---------------------------------------------------------------------------------------------------------- inputs

/** xorshift32 (Marsaglia 2003): 32 random bits a call. @param {number} seed */
function generator(seed) {
  let s = seed;
  return () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s >>> 0;
  };
}

const TYPES = /** @type {const} */ ({ f32: Float32Array, f64: Float64Array });

/** Rows and columns: less than a vector, tails of all kinds, and one row of this many bytes: beyond the stage's 1 MiB. */
const SHAPES = /** @type {const} */ ([
  [3, 5],
  [4, 33],
  [6, 257],
]);
const LONG = 2 ** 20 + 1000;

/** What functions are called with. @param {"f32" | "f64"} type @param {readonly [number, number]} shape */
function inputs(type, [rows, n]) {
  const random = generator(rows * 1009 + n);
  /** @param {(bits: number) => number} value */
  const array = (value, length = rows * n) => TYPES[type].from({ length }, () => value(random() >>> 8));
  const unit = 2 ** -24;
  return {
    type,
    rows,
    n,
    shape: [rows, n],
    /** Logits in [−8, 8). */
    x: array((bits) => bits * 16 * unit - 8),
    y: array((bits) => bits * 16 * unit - 8),
    /** In (0, 1): probabilities, or of distributions what is yet to be normalised. */
    p: array((bits) => (bits + 0.5) * unit),
    q: array((bits) => (bits + 0.5) * unit),
    /** One class a row. */
    labels: Int32Array.from({ length: rows }, () => random() % n),
    /** 0 or 1. */
    marks: array((bits) => bits & 1),
    /** A positive weight a column. */
    weights: array((bits) => bits * unit + 0.25, n),
    /** @param {number[]} values */
    of: (...values) => TYPES[type].from(values),
  };
}
/** @typedef {ReturnType<typeof inputs>} Inputs */

// ------------------------------------------------------------------------------------------------ plain references

/** Neumaier's (1974): what plain additions lose would be mistaken for an error. @param {Numbers} a */
const sum = (a) => {
  let [total, lost] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const next = total + a[i];
    lost += abs(total) >= abs(a[i]) ? total - next + a[i] : a[i] - next + total;
    total = next;
  }
  return total + lost;
};
/** @param {Numbers} a */
const mean = (a) => sum(a) / a.length;
/** @param {Numbers} a */
const numbers = (a) => Float64Array.from(a);
/** @param {Numbers} a @param {Numbers} b */
const dot = (a, b) => sum(numbers(a).map((v, i) => v * b[i]));
/** @param {Numbers} a @param {Inputs} d @returns {Float64Array[]} */
const rowsOf = (a, { rows, n }) => Array.from({ length: rows }, (_, i) => numbers(a.slice(i * n, (i + 1) * n)));
/** @param {Numbers} a @param {Inputs} d @returns {Float64Array[]} */
const columnsOf = (a, { rows, n }) =>
  Array.from({ length: n }, (_, j) => Float64Array.from({ length: rows }, (_, i) => a[i * n + j]));
/** @param {Float64Array[]} columns */
const untransposed = (columns) => Array.from(columns[0], (_, i) => columns.map((column) => column[i]));
/** @param {Numbers} a */
const normalised = (a) => {
  const total = sum(a);
  return numbers(a).map((v) => v / total);
};
/** @param {Float64Array} a */
const logSumExp = (a) => {
  const largest = a.reduce((m, v) => max(m, v), -Infinity);
  return largest + log(sum(a.map((v) => exp(v - largest))));
};
/** @param {Float64Array} a */
const logSoftmax = (a) => {
  const l = logSumExp(a);
  return a.map((v) => v - l);
};
/** @param {Float64Array} a */
const softmax = (a) => logSoftmax(a).map(exp);
/** @param {number} x */
const sigmoid = (x) => 1 / (1 + exp(-x));
/** @param {number} x */
const softplus = (x) => max(x, 0) + log1p(exp(-abs(x)));
/** @param {number} v */
const xlogx = (v) => (v > 0 ? v * log(v) : 0);
/** @param {Float64Array} p */
const entropy = (p) => -sum(normalised(p).map(xlogx));
/** @param {Float64Array} p @param {Float64Array} q */
const kl = (p, q) => {
  const [a, b] = [normalised(p), normalised(q)];
  return sum(a.map((v, i) => (v > 0 ? v * log(v / b[i]) : 0)));
};
/** @param {Float64Array} p @param {Float64Array} q */
const middle = (p, q) => {
  const b = normalised(q);
  return normalised(p).map((v, i) => (v + b[i]) / 2);
};
/** @param {Float64Array} p @param {Float64Array} q */
const js = (p, q) => (kl(p, middle(p, q)) + kl(q, middle(p, q))) / 2;
/** ∂KL/∂(logits of p). @param {Float64Array} p @param {Float64Array} q */
const klSlope = (p, q) => {
  const value = kl(p, q);
  return p.map((v, i) => v * (log(v / q[i]) - value));
};
/** Every row of p with the row of q. @param {Inputs} d @param {(p: Float64Array, q: Float64Array) => any} fn */
const pairsOf = (d, fn) => {
  const q = rowsOf(d.q, d);
  return rowsOf(d.p, d).map((p, i) => fn(p, q[i]));
};
/** softmax of the logits x and y, row by row. @param {Inputs} d @param {(p: Float64Array, q: Float64Array) => any} fn */
const softPairsOf = (d, fn) => {
  const y = rowsOf(d.y, d);
  return rowsOf(d.x, d).map((x, i) => fn(softmax(x), softmax(y[i])));
};
/** k(rows of a, rows of b). @param {Float64Array[]} a @param {Float64Array[]} b @param {(x: Float64Array, y: Float64Array) => number} k */
const matrix = (a, b, k) => a.map((x) => b.map((y) => k(x, y)));
/** Losses of labels. @param {Inputs} d */
const labelLosses = (d) => rowsOf(d.x, d).map((row, i) => -logSoftmax(row)[d.labels[i]]);
/** @param {Numbers} x @param {Numbers} y */
const binary = (x, y) => numbers(x).map((v, i) => softplus(v) - v * y[i]);
/** @param {Float64Array} a @param {Float64Array} b @param {(t: number) => number} f */
const distance = (a, b, f) => sum(a.map((v, i) => f(v - b[i])));
/** @param {Inputs} d */
const squaresOf = (d) => numbers(d.x).map((v, i) => (v - d.y[i]) * (v - d.y[i]));
/** Gram matrix of the channels over C·H·W. @param {Numbers} a @param {Inputs} d */
const styleOf = (a, d) => matrix(rowsOf(a, d), rowsOf(a, d), (u, v) => dot(u, v) / (d.rows * d.n)).flat();
/** G − A, of features whose styles are far apart: nothing cancels. @param {Inputs} d */
const styleDifference = (d) => {
  const target = styleOf(d.p, d);
  return styleOf(d.x, d).map((v, i) => v - target[i]);
};
/** @param {Inputs} d */
const styleLoss = (d) => mean(styleDifference(d).map((v) => v * v));
/** Features without their mean, as a Gram matrix. @param {Numbers} a @param {Inputs} d */
const centredGram = (a, d) => {
  const centre = columnsOf(a, d).map(mean);
  const rows = rowsOf(a, d).map((row) => row.map((v, j) => v - centre[j]));
  return matrix(rows, rows, dot).flat();
};
/** @param {Inputs} d */
const cka = (d) => {
  const [k, l] = [centredGram(d.x, d), centredGram(d.y, d)];
  return dot(k, l) / sqrt(dot(k, k) * dot(l, l));
};
/** @param {Inputs} d */
const mmd = (d) => {
  const [a, b] = [rowsOf(d.p, d), rowsOf(d.q, d)];
  const k = (/** @type {Float64Array} */ x, /** @type {Float64Array} */ y) => exp(-distance(x, y, (t) => t * t) / d.n);
  return mean(matrix(a, a, k).flat()) + mean(matrix(b, b, k).flat()) - 2 * mean(matrix(a, b, k).flat());
};

/**
 * Masses a of points x and b of points y, paired in ascending order: the cheapest plan on the line, for convex costs.
 *
 * @param {Numbers} x @param {Numbers} a @param {Numbers} y @param {Numbers} b
 */
const coupling = (x, a, y, b) => {
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
};
/** Of a coupling. @param {ReturnType<typeof coupling>} pairs @param {number} order */
const wassersteinOf = (pairs, order) => sum(pairs.map(({ mass, apart }) => mass * apart ** order)) ** (1 / order);
/** Histograms by their distribution functions. @param {Float64Array} p @param {Float64Array} q */
const alongBins = (p, q) => {
  const b = normalised(q);
  let above = 0;
  const steps = normalised(p).map((v, i) => (above += v - b[i]));
  // behind the last bin there is no gap
  return sum(steps.subarray(0, -1).map(abs));
};
/** Rows of a few hundred bins at uneven positions. @param {Inputs} d */
const histogramsOf = (d) => {
  const n = min(d.n, 300);
  const [p, q] = [d.p.slice(0, d.rows * n), d.q.slice(0, d.rows * n)];
  let at = 0;
  const support = first(d.weights, n).map((gap) => (at += gap));
  return { ...d, n, p, q, shape: [d.rows, n], support };
};
/** The first so many elements. @param {Numbers} a @param {number} count */
const first = (a, count) => numbers(a.slice(0, count));
/** f(xᵢ, yⱼ), row by row. @param {Numbers} x @param {Numbers} y @param {(x: number, y: number) => number} f */
const outer = (x, y, f) => [...x].flatMap((u) => [...y].map((v) => f(u, v)));
/** @param {number} x @param {number} y */
const square = (x, y) => (x - y) * (x - y);
/** Four masses to five, of squared distances, one of which is +∞, or of uniform masses. @param {Inputs} d @param {boolean} uniform */
const transportOf = (d, uniform) => {
  const a = uniform ? [0.25, 0.25, 0.25, 0.25] : normalised([...first(d.p, 3), 0]);
  const b = uniform ? [0.5, 0.125, 0.125, 0.125, 0.125] : normalised(first(d.q, 5));
  const cost = outer(first(d.x, 4), first(d.y, 5), square);
  if (!uniform) cost[1] = Infinity;
  return { a: d.of(...a), b: d.of(...b), cost: d.of(...cost) };
};
/**
 * Sinkhorn's iterations in their plainest form: P = e^{(fᵢ + gⱼ − C)/ε}.
 *
 * @param {Numbers} a @param {Numbers} b @param {Numbers} cost @param {number} epsilon
 */
const entropic = (a, b, cost, epsilon) => {
  const m = b.length;
  let [f, g] = [new Float64Array(a.length), new Float64Array(m)];
  for (let k = 0; k < 300; k++) {
    f = f.map((_, i) => epsilon * (log(a[i]) - logSumExp(g.map((v, j) => (v - cost[i * m + j]) / epsilon))));
    g = g.map((_, j) => epsilon * (log(b[j]) - logSumExp(f.map((v, i) => (v - cost[i * m + j]) / epsilon))));
  }
  const potentials = outer(f, g, (u, v) => u + v);
  const plan = potentials.map((v, k) => exp((v - cost[k]) / epsilon));
  return { potentials, plan, cost: sum(plan.map((v, k) => (v > 0 ? v * cost[k] : 0))) };
};
/** sinkhorn's of the three, for potentials are known up to a constant. @param {any} result */
const entropicOf = ({ f, g, plan, cost }) => ({ potentials: outer(f, g, (u, v) => u + v), plan, cost });
/** Five points and four in the plane, and their weights. @param {Inputs} d */
const cloudsOf = ({ x, y, p, q }) => ({
  x: x.slice(0, 10),
  y: y.slice(0, 8),
  xWeights: p.slice(0, 5),
  yWeights: q.slice(0, 4),
});
/**
 * The Sinkhorn divergence of clouds in the plane, and of order 2 its gradient.
 *
 * @param {{ x: Numbers, y: Numbers, xWeights: Numbers, yWeights: Numbers }} clouds @param {number} order @param {number} epsilon
 */
const sinkhornDivergenceOf = ({ x, y, xWeights, yWeights }, order, epsilon) => {
  /** @param {Numbers} a */
  const points = (a) => rowsOf(a, /** @type {Inputs} */ ({ rows: a.length / 2, n: 2 }));
  /** @param {Numbers} u @param {Numbers} v @param {Numbers} uWeights @param {Numbers} vWeights */
  const solve = (u, v, uWeights, vWeights) => {
    const [a, b] = [normalised(uWeights), normalised(vWeights)];
    const cost = matrix(points(u), points(v), (s, t) => sqrt(distance(s, t, (z) => z * z)) ** order).flat();
    const { plan, potentials } = entropic(a, b, cost, epsilon);
    // relative to a⊗b
    const value = sum(potentials.map((w, k) => plan[k] * w)) + epsilon * (entropy(a) + entropy(b));
    const pulls = [...u].map((w, i) =>
      sum([...b].map((_, j) => plan[(i >> 1) * b.length + j] * 2 * (w - v[2 * j + (i & 1)]))),
    );
    return { value, pulls };
  };
  const cross = solve(x, y, xWeights, yWeights);
  const own = solve(x, x, xWeights, xWeights);
  return {
    value: cross.value - (own.value + solve(y, y, yWeights, yWeights).value) / 2,
    grad: cross.pulls.map((v, i) => v - own.pulls[i]),
  };
};
const UNWEIGHTED = { xWeights: [1, 1, 1, 1, 1], yWeights: [1, 1, 1, 1] };
const PLANE = { shape: [5, 2], yShape: [4, 2], tolerance: 1e-14 };
/** The least Σ c[i, s(i)] over all permutations s of n. @param {Numbers} c @param {number} n @returns {number} */
const assignment = (c, n, free = [...Array(n).keys()]) =>
  free.length === 0
    ? 0
    : min(
        ...free.map(
          (j) =>
            c[(n - free.length) * n + j] +
            assignment(
              c,
              n,
              free.filter((k) => k !== j),
            ),
        ),
      );
/** Costs [5, 5] of no structure. @param {Inputs} d */
const costsOf = ({ x, y, of }) => of(...x.slice(0, 15), ...y.slice(0, 10));
/** Masses on the line and squared distances. @param {Inputs} d */
const lineOf = ({ x, y, p, q, of }) => {
  const [u, v, a, b] = [first(x, 15), first(y, 12), first(p, 15), first(q, 12)];
  return { u, v, a: of(...normalised(a)), b: of(...normalised(b)), cost: of(...outer(u, v, square)) };
};

// ------------------------------------------------------------------------------------------------------- functions

/**
 * The public functions: calls, each with what it should return. `s` is the package, `d` the inputs.
 *
 * @type {Record<string, [call: (s: Surprisal, d: Inputs) => Value, want: (d: Inputs) => Value][]>}
 */
const FUNCTIONS = {
  softmax: [
    [(s, { x, shape }) => s.softmax(x, { shape }), (d) => rowsOf(d.x, d).map(softmax)],
    [(s, { x, shape }) => s.softmax(x, { shape, axis: 0 }), (d) => untransposed(columnsOf(d.x, d).map(softmax))],
    [
      (s, { x, shape }) => s.softmax({ data: x, dims: shape }, { temperature: 2 }),
      (d) => rowsOf(d.x, d).map((row) => softmax(row.map((v) => v / 2))),
    ],
  ],
  logSoftmax: [
    [(s, { x, shape }) => s.logSoftmax(x, { shape }), (d) => rowsOf(d.x, d).map(logSoftmax)],
    [(s, { x, shape }) => s.logSoftmax(x, { shape, axis: 0 }), (d) => untransposed(columnsOf(d.x, d).map(logSoftmax))],
  ],
  logSumExp: [
    [(s, { x, shape }) => s.logSumExp(x, { shape }), (d) => rowsOf(d.x, d).map(logSumExp)],
    [(s, { x, shape }) => s.logSumExp(x, { shape, axis: -2 }), (d) => columnsOf(d.x, d).map(logSumExp)],
    [
      (s, { x, shape, weights }) => s.logSumExp(x, { shape, weights }),
      (d) => rowsOf(d.x, d).map((row) => logSumExp(row.map((v, j) => v + log(d.weights[j])))),
    ],
  ],
  sigmoid: [[(s, { x }) => s.sigmoid(x), ({ x }) => numbers(x).map(sigmoid)]],
  logSigmoid: [[(s, { x }) => s.logSigmoid(x), ({ x }) => numbers(x).map((v) => -softplus(-v))]],
  softplus: [[(s, { x }) => s.softplus(x), ({ x }) => numbers(x).map(softplus)]],
  logit: [[(s, { p }) => s.logit(p), ({ p }) => numbers(p).map((v) => log(v) - log1p(-v))]],

  surprisal: [
    [(s, { p }) => s.surprisal(p), ({ p }) => numbers(p).map((v) => -log(v))],
    [(s, { p }) => s.surprisal(p, { base: 2 }), ({ p }) => numbers(p).map((v) => -log2(v))],
    [(s, { p }) => s.surprisal(p, { base: 3 }), ({ p }) => numbers(p).map((v) => -log(v) / log(3))],
  ],
  entropy: [
    [(s, { p, shape }) => s.entropy(p, { shape }), (d) => rowsOf(d.p, d).map(entropy)],
    [
      (s, { p, shape }) => s.entropy(p, { shape, axis: 0, reduction: "sum" }),
      (d) => sum(columnsOf(d.p, d).map(entropy)),
    ],
    [
      (s, { x, shape }) => s.entropy(x, { shape, from: "logits", base: 7, reduction: "mean" }),
      (d) => mean(rowsOf(d.x, d).map((row) => entropy(softmax(row)))) / log(7),
    ],
  ],
  perplexity: [[(s, { x, labels, shape }) => s.perplexity(x, labels, { shape }), (d) => exp(mean(labelLosses(d)))]],

  crossEntropy: [
    [(s, { x, labels, shape }) => s.crossEntropy(x, labels, { shape }), (d) => mean(labelLosses(d))],
    [
      (s, { x, labels, shape }) => s.crossEntropy(x, labels, { shape, base: 2, reduction: "none" }),
      (d) => labelLosses(d).map((v) => v / Math.LN2),
    ],
    [
      (s, { x, labels, shape, weights }) => s.crossEntropy(x, labels, { shape, weight: weights }),
      (d) =>
        dot(
          labelLosses(d),
          numbers(d.labels).map((c) => d.weights[c]),
        ) / sum(numbers(d.labels).map((c) => d.weights[c])),
    ],
    [
      (s, { x, marks, shape }) => s.crossEntropy(x, marks, { shape, labelSmoothing: 0.25, reduction: "sum" }),
      (d) =>
        sum(
          rowsOf(d.x, d).map(
            (row, i) =>
              -dot(
                logSoftmax(row),
                rowsOf(d.marks, d)[i].map((t) => 0.75 * t + 0.25 / d.n),
              ),
          ),
        ),
    ],
    [
      (s, { p, q, shape }) => s.crossEntropy(q, p, { shape, from: "probabilities", base: 10 }),
      (d) => mean(pairsOf(d, (p, q) => entropy(p) + kl(p, q))) / Math.LN10,
    ],
  ],
  crossEntropyWithGrad: [
    [
      (s, { x, labels, shape }) => s.crossEntropyWithGrad(x, labels, { shape }),
      (d) => ({
        value: mean(labelLosses(d)),
        grad: rowsOf(d.x, d).map((row, i) => softmax(row).map((v, j) => (v - +(j === d.labels[i])) / d.rows)),
      }),
    ],
  ],
  binaryCrossEntropy: [
    [(s, { x, marks }) => s.binaryCrossEntropy(x, marks), ({ x, marks }) => mean(binary(x, marks))],
    [
      (s, { x, q }) => s.binaryCrossEntropy(x, q, { posWeight: 3, reduction: "none" }),
      ({ x, q }) => numbers(x).map((v, i) => 3 * q[i] * softplus(-v) + (1 - q[i]) * softplus(v)),
    ],
    [
      (s, { p, marks }) => s.binaryCrossEntropy(p, marks, { from: "probabilities", reduction: "sum" }),
      ({ p, marks }) => -sum(numbers(p).map((v, i) => (marks[i] ? log(v) : log1p(-v)))),
    ],
  ],
  binaryCrossEntropyWithGrad: [
    [
      (s, { x, marks }) => s.binaryCrossEntropyWithGrad(x, marks),
      ({ x, marks }) => ({
        value: mean(binary(x, marks)),
        grad: numbers(x).map((v, i) => (sigmoid(v) - marks[i]) / x.length),
      }),
    ],
  ],

  klDivergence: [
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
  klDivergenceWithGrad: [
    [
      (s, { x, y, shape }) => s.klDivergenceWithGrad(x, y, { shape, from: "logits", reduction: "sum" }),
      (d) => ({
        value: sum(softPairsOf(d, kl)),
        gradP: softPairsOf(d, klSlope),
        gradQ: softPairsOf(d, (p, q) => q.map((v, i) => v - p[i])),
      }),
    ],
  ],
  jsDivergence: [
    [(s, { p, q, shape }) => s.jsDivergence(p, q, { shape }), (d) => mean(pairsOf(d, js))],
    [
      (s, { x, y, shape }) => s.jsDivergence(x, y, { shape, from: "logits", base: 2, reduction: "none" }),
      (d) => softPairsOf(d, js).map((v) => v / Math.LN2),
    ],
  ],
  jsDivergenceWithGrad: [
    [
      (s, { x, y, shape }) => s.jsDivergenceWithGrad(x, y, { shape, from: "logits", reduction: "sum" }),
      (d) => ({
        value: sum(softPairsOf(d, js)),
        gradP: softPairsOf(d, (p, q) => klSlope(p, middle(p, q)).map((v) => v / 2)),
        gradQ: softPairsOf(d, (p, q) => klSlope(q, middle(p, q)).map((v) => v / 2)),
      }),
    ],
  ],
  jsDistance: [[(s, { p, q, shape }) => s.jsDistance(p, q, { shape }), (d) => mean(pairsOf(d, js).map(sqrt))]],
  pairwiseDivergence: [
    [
      (s, { p, q, shape }) => s.pairwiseDivergence(p, q, { shape, metric: "kl" }),
      (d) => matrix(rowsOf(d.p, d), rowsOf(d.q, d), kl),
    ],
    [
      (s, { p, q, shape }) => s.pairwiseDivergence(p, q, { shape, metric: "jsDistance", base: 2 }),
      (d) => matrix(rowsOf(d.p, d), rowsOf(d.q, d), (a, b) => sqrt(js(a, b) / Math.LN2)),
    ],
  ],
  klGaussian: [
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

  gram: [
    [
      (s, { x, shape }) => s.gram(x, { shape, scale: 0.5 }),
      (d) => matrix(rowsOf(d.x, d), rowsOf(d.x, d), (a, b) => dot(a, b) / 2),
    ],
    [(s, { x, shape }) => s.gram(x, { shape, center: true }), (d) => centredGram(d.x, d)],
  ],
  kernelMatrix: [
    [
      (s, { x, y, shape }) => s.kernelMatrix(x, y, { shape, kernel: "linear" }),
      (d) => matrix(rowsOf(d.x, d), rowsOf(d.y, d), dot),
    ],
    [
      (s, { p, shape }) => s.kernelMatrix(p, undefined, { shape, kernel: "polynomial" }),
      (d) => matrix(rowsOf(d.p, d), rowsOf(d.p, d), (a, b) => (dot(a, b) / d.n + 1) ** 3),
    ],
    [
      (s, { p, q, shape }) => s.kernelMatrix(p, q, { shape, kernel: "polynomial", degree: 2.5 }),
      (d) => matrix(rowsOf(d.p, d), rowsOf(d.q, d), (a, b) => (dot(a, b) / d.n + 1) ** 2.5),
    ],
    [
      (s, { p, q, shape }) => s.kernelMatrix(p, q, { shape, kernel: "rbf" }),
      (d) => matrix(rowsOf(d.p, d), rowsOf(d.q, d), (a, b) => exp(-distance(a, b, (t) => t * t) / d.n)),
    ],
    [
      (s, { p, q, shape }) => s.kernelMatrix(p, q, { shape, kernel: "laplacian" }),
      (d) => matrix(rowsOf(d.p, d), rowsOf(d.q, d), (a, b) => exp(-distance(a, b, abs) / d.n)),
    ],
    [
      (s, { p, q, shape }) => s.kernelMatrix(p, q, { shape, kernel: "sigmoid" }),
      (d) => matrix(rowsOf(d.p, d), rowsOf(d.q, d), (a, b) => tanh(dot(a, b) / d.n + 1)),
    ],
    [
      (s, { p, q, shape }) => s.kernelMatrix(p, q, { shape, kernel: "cosine" }),
      (d) => matrix(rowsOf(d.p, d), rowsOf(d.q, d), (a, b) => dot(a, b) / sqrt(dot(a, a) * dot(b, b))),
    ],
  ],
  mmd: [[(s, { p, q, shape }) => s.mmd(p, q, { shape }), mmd]],
  cka: [[(s, { x, y, shape }) => s.cka(x, y, { shape }), cka]],
  styleGram: [
    [(s, { x, rows, n }) => s.styleGram(x, { shape: [rows, 1, n] }), (d) => styleOf(d.x, d)],
    [
      (s, { x, rows, n }) => s.styleGram(x, { shape: [rows, n, 1], normalize: "none" }),
      (d) => styleOf(d.x, d).map((v) => v * d.rows * d.n),
    ],
  ],
  styleLoss: [[(s, { x, p, rows, n }) => s.styleLoss(x, p, { shape: [rows, 1, n] }), styleLoss]],
  styleLossWithGrad: [
    [
      (s, { x, p, rows, n }) => s.styleLossWithGrad(x, p, { shape: [rows, 1, n] }),
      (d) => ({
        value: styleLoss(d),
        // 4(G − A)F over C·H·W and the C² elements
        grad: columnsOf(styleDifference(d), { ...d, n: d.rows }).map((g) =>
          columnsOf(d.x, d).map((column) => (4 * dot(g, column)) / (d.rows * d.rows * d.rows * d.n)),
        ),
      }),
    ],
  ],
  perceptualLoss: [
    [
      (s, { x, y, shape }) => s.perceptualLoss([x, x], [y, y], { shape: [shape, shape], layerWeights: [1, 2] }),
      (d) => 3 * mean(squaresOf(d)),
    ],
  ],
  perceptualLossWithGrad: [
    [
      (s, { x, y }) => s.perceptualLossWithGrad(x, y),
      (d) => ({
        value: mean(squaresOf(d)),
        grad: numbers(d.x).map((v, i) => (2 * (v - d.y[i])) / d.x.length),
      }),
    ],
  ],

  wasserstein: [
    [
      (s, { x, y }) => s.wasserstein(x, y),
      ({ x, y }) => {
        const v = numbers(y).sort();
        return mean(
          numbers(x)
            .sort()
            .map((u, i) => abs(u - v[i])),
        );
      },
    ],
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
      ({ x, y }) =>
        coupling(first(x, 9), first(x, 9).fill(1), first(y, 15), first(y, 15).fill(1))
          .filter(({ mass }) => mass > 1e-9)
          .reduce((most, { apart }) => max(most, apart), 0),
    ],
  ],
  wassersteinHistogram: [
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
  sinkhorn: [true, false].map((uniform) => [
    (s, d) => {
      const { a, b, cost } = transportOf(d, uniform);
      return entropicOf(s.sinkhorn(a, b, cost, { epsilon: 32, tolerance: 1e-14, plan: true }));
    },
    (d) => {
      const { a, b, cost } = transportOf(d, uniform);
      return entropic(a, b, cost, 32);
    },
  ]),
  sinkhornDivergence: [
    [
      (s, d) => {
        const { x, y } = cloudsOf(d);
        return s.sinkhornDivergence(x, y, { ...PLANE, epsilon: 64 });
      },
      (d) => sinkhornDivergenceOf({ ...cloudsOf(d), ...UNWEIGHTED }, 2, 64).value,
    ],
    [
      (s, d) => {
        const { x, y, ...weights } = cloudsOf(d);
        return s.sinkhornDivergence(x, y, { ...PLANE, ...weights, order: 1, epsilon: 4 });
      },
      (d) => sinkhornDivergenceOf(cloudsOf(d), 1, 4).value,
    ],
  ],
  sinkhornDivergenceWithGrad: [
    [
      (s, d) => {
        const { x, y } = cloudsOf(d);
        return s.sinkhornDivergenceWithGrad(x, y, { ...PLANE, epsilon: 64 });
      },
      (d) => sinkhornDivergenceOf({ ...cloudsOf(d), ...UNWEIGHTED }, 2, 64),
    ],
    [
      (s, d) => {
        const { x, y, ...weights } = cloudsOf(d);
        return s.sinkhornDivergenceWithGrad(x, y, { ...PLANE, ...weights, epsilon: 64 });
      },
      (d) => sinkhornDivergenceOf(cloudsOf(d), 2, 64),
    ],
  ],
  emd: [
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
    ],
  ],
};

/** Exported too; the checks below are of them. */
const KERNELS_AND_MEMORY = ["info", "init", "initSync", "resident"];

// ----------------------------------------------------------------------------------------------------------- errors

/**
 * Calls that must throw: which kind, and how the message begins.
 *
 * @type {[kind: "TypeError" | "RangeError", message: string, call: (s: Surprisal) => unknown][]}
 */
const ERRORS = [
  ["TypeError", 'softmax: "x" must be', (s) => s.softmax("1, 2")],
  [
    "RangeError",
    'softmax: "shape" [3, 4] holds 12 elements, but the input has 10',
    (s) => s.softmax(new Float32Array(10), { shape: [3, 4] }),
  ],
  ["RangeError", 'softmax: "axis" must be', (s) => s.softmax([1, 2], { axis: 1 })],
  ["RangeError", 'softmax: "temperature" must be', (s) => s.softmax([1, 2], { temperature: 0 })],
  ["TypeError", 'softmax: "out" must be', (s) => s.softmax(new Float32Array(2), { out: new Float64Array(2) })],
  ["RangeError", 'logSoftmax: "out" must be', (s) => s.logSoftmax([1, 2], { out: new Float64Array(3) })],
  [
    "TypeError",
    'logSumExp: "weights" must be',
    (s) => s.logSumExp(new Float32Array(2), { weights: new Float64Array(2) }),
  ],
  ["TypeError", 'sigmoid: "x[1]" must be', (s) => s.sigmoid([1, "2"])],
  ["TypeError", 'logSigmoid: "x" must be', (s) => s.logSigmoid(new Int32Array(2))],
  ["TypeError", 'softplus: "options" must be', (s) => s.softplus([1], 2)],
  ["TypeError", 'logit: "p" must be', (s) => s.logit(null)],
  ["RangeError", 'surprisal: "base" must be', (s) => s.surprisal([1], { base: 1 })],
  ["RangeError", 'entropy: "from" must be', (s) => s.entropy([1], { from: "counts" })],
  ["RangeError", 'entropy: "reduction" must be', (s) => s.entropy([1], { reduction: "max" })],
  ["RangeError", 'perplexity: "target"', (s) => s.perplexity([1, 2], [0, 1], { shape: [1, 2] })],
  [
    "RangeError",
    'crossEntropy: "target" in row 1 must be a class from 0 to 1',
    (s) => s.crossEntropy([1, 2, 3, 4], [0, 2], { shape: [2, 2] }),
  ],
  [
    "RangeError",
    'crossEntropyWithGrad: "labelSmoothing" must be',
    (s) => s.crossEntropyWithGrad([1, 2], [0], { labelSmoothing: 2 }),
  ],
  ["RangeError", "binaryCrossEntropy: ", (s) => s.binaryCrossEntropy([1, 2], [0])],
  ["TypeError", 'binaryCrossEntropyWithGrad: "x" must be', (s) => s.binaryCrossEntropyWithGrad({}, [0])],
  ["TypeError", 'klDivergence: "q" must be', (s) => s.klDivergence(new Float32Array(2), new Float64Array(2))],
  ["RangeError", 'klDivergenceWithGrad: "q" must be', (s) => s.klDivergenceWithGrad([1, 2], [1, 2, 3])],
  ["RangeError", 'jsDivergence: "shape" must be', (s) => s.jsDivergence([1, 2], [1, 2], { shape: [-1, -2] })],
  ["TypeError", 'jsDivergenceWithGrad: "normalize" must be', (s) => s.jsDivergenceWithGrad([1], [1], { normalize: 1 })],
  ["RangeError", 'jsDistance: "temperature" must be', (s) => s.jsDistance([1], [1], { temperature: 2 })],
  [
    "TypeError",
    'pairwiseDivergence: "metric" must be',
    (s) => s.pairwiseDivergence([1, 2], undefined, { shape: [1, 2] }),
  ],
  [
    "RangeError",
    'klGaussian: "a.covariance" must be positive definite',
    (s) => s.klGaussian({ mean: [0], covariance: [-1] }, { mean: [0], variance: [1] }),
  ],
  ["RangeError", 'gram: "shape" must be', (s) => s.gram([1, 2], { shape: [2] })],
  [
    "RangeError",
    'kernelMatrix: "kernel" must be',
    (s) => s.kernelMatrix([1], undefined, { shape: [1, 1], kernel: "cubic" }),
  ],
  ["TypeError", 'mmd: "y" must be', (s) => s.mmd([1, 2])],
  ["RangeError", 'cka: "yShape" must be', (s) => s.cka([1, 2], [1, 2, 3], { shape: [2, 1], yShape: [3, 1] })],
  ["RangeError", 'styleGram: "shape" must be', (s) => s.styleGram([1, 2], { shape: [1, 2] })],
  ["TypeError", 'styleLoss: "target" must be', (s) => s.styleLoss([[1, 2]], [1, 2])],
  ["RangeError", 'styleLossWithGrad: "target" must be', (s) => s.styleLossWithGrad([1, 2], [1], { shape: [1, 1, 2] })],
  ["RangeError", 'perceptualLoss: "layerWeights" must be', (s) => s.perceptualLoss([1], [1], { layerWeights: [1, 2] })],
  ["TypeError", 'perceptualLossWithGrad: "generated" must be', (s) => s.perceptualLossWithGrad(undefined, [1])],
  ["RangeError", 'wasserstein: "u" must be', (s) => s.wasserstein([], [1])],
  ["RangeError", 'wasserstein: "vWeights[0]" must be', (s) => s.wasserstein([1], [1], { vWeights: [-1] })],
  ["RangeError", 'wassersteinHistogram: "support" must be', (s) => s.wassersteinHistogram([1], [1], { support: [] })],
  ["TypeError", 'sinkhorn: "epsilon" must be', (s) => s.sinkhorn([1], [1], [0])],
  ["RangeError", 'sinkhorn: "cost" must be of shape [1, 2]', (s) => s.sinkhorn([1], [0, 1], [0], { epsilon: 1 })],
  [
    "RangeError",
    'sinkhornDivergence: "xWeights" must be of length 1',
    (s) => s.sinkhornDivergence([1], [1], { shape: [1, 1], epsilon: 1, xWeights: [1, 2] }),
  ],
  [
    "RangeError",
    'sinkhornDivergenceWithGrad: "order" must be',
    (s) => s.sinkhornDivergenceWithGrad([1], [1], { shape: [1, 1], epsilon: 1, order: 3 }),
  ],
  ["RangeError", 'emd: "b" must be of the sum of "a"', (s) => s.emd([1], [2], [0])],
  ["RangeError", 'emd: "cost" must be finite for enough pairs', (s) => s.emd([1], [1], [Infinity])],
  ["RangeError", 'resident: "type" must be', (s) => s.resident("f16", 1)],
  ["RangeError", 'resident: "length" must be', (s) => s.resident("f32", -1)],
  ["RangeError", "resident: not enough memory: 34359738368 bytes", (s) => s.resident("f64", 2 ** 32)],
  ["RangeError", 'initSync: "variant" must be', (s) => s.initSync({ variant: "fast" })],
  ["TypeError", 'initSync: "module" must be', (s) => s.initSync({ module: "base.wasm" })],
];

// ----------------------------------------------------------------------------------------------------------- helpers

/** Every number of a result, in order. @param {Value} value @param {number[]} [into] @returns {number[]} */
function flat(value, into = []) {
  if (typeof value === "number") into.push(value);
  else if (ArrayBuffer.isView(value)) for (const v of /** @type {Float64Array} */ (value)) into.push(v);
  else if (Array.isArray(value)) for (const v of value) flat(v, into);
  else for (const key of Object.keys(value).sort()) flat(/** @type {Record<string, Value>} */ (value)[key], into);
  return into;
}

/** Two chains of multiplications over the words of numbers, every NaN as one: 64 bits, which an accident does not match. */
function hasher() {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  const word = new DataView(new ArrayBuffer(8));
  return {
    /** @param {number[]} values */
    add(values) {
      for (const value of values) {
        word.setFloat64(0, value);
        if (isNotANumber(value)) word.setBigUint64(0, 0x7ff8000000000000n);
        for (const at of [0, 4]) {
          a = imul(a ^ word.getUint32(at), 0x9e3779b1);
          b = imul(b ^ word.getUint32(at), 0x5f356495);
          a ^= a >>> 15;
          b ^= b >>> 13;
        }
      }
    },
    get digest() {
      return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
    },
  };
}

/** What a rounded result may differ from the reference by, relative to the largest of the finite values. */
const TOLERANCE = { f32: 4e-6, f64: 2e-13 };

/** @param {number[]} got @param {number[]} want @param {number} tolerance @param {string} what */
function close(got, want, tolerance, what) {
  if (got.length !== want.length) throw new Error(`${what}: ${got.length} numbers, expected ${want.length}`);
  const largest = want.reduce((m, v) => (abs(v) < Infinity ? max(m, abs(v)) : m), 0);
  want.forEach((v, i) => {
    if (!(abs(got[i] - v) <= tolerance * largest) && !identical(got[i], v))
      throw new Error(`${what}: element ${i} is ${got[i]}, expected ${v}`);
  });
}

/** @param {unknown} got @param {unknown} want @param {string} what */
function same(got, want, what) {
  if (!identical(got, want)) throw new Error(`${what} is ${String(got)}, expected ${String(want)}`);
}

/** Throws unless `call` does, as it should. @param {() => unknown} call @param {string} kind @param {string} start */
function throws(call, kind, start) {
  let result;
  try {
    result = call();
  } catch (error) {
    // by name: an edge sandbox has errors of two realms
    const { name, message } = /** @type {Error} */ (error);
    if (name === kind && message.startsWith(start)) return;
    throw new Error(`threw ${name}: ${message}; expected ${kind}: ${start}…`);
  }
  throw new Error(`returned ${String(result)}; expected ${kind}: ${start}…`);
}

/** What this is, in its own words. */
function runtimeName() {
  const g = /** @type {any} */ (globalThis);
  if (g.Deno) return `Deno ${g.Deno.version.deno}`;
  if (g.Bun) return `Bun ${g.Bun.version}`;
  if (typeof g.EdgeRuntime === "string") return `Edge Runtime (${g.EdgeRuntime})`;
  if (g.process?.versions?.node && g.navigator?.userAgent !== "Cloudflare-Workers")
    return `Node ${g.process.versions.node}`;
  return g.navigator?.userAgent ?? "unknown";
}

// ------------------------------------------------------------------------------------------------------------ suite

/**
 * Runs the suite on a package that was just loaded; it is left on its default variant.
 *
 * @param {Surprisal} s
 * @param {Options} [options]
 * @returns {Promise<Result>}
 */
export async function conform(s, options = {}) {
  /** @type {Result["failed"]} */
  const failed = [];
  let passed = 0;
  /** @param {string} name @param {() => unknown} body */
  const check = async (name, body) => {
    try {
      await body();
      passed++;
    } catch (error) {
      failed.push({ name, message: error instanceof Error ? error.message : String(error) });
    }
  };

  // the first call compiles; nothing is set up before
  await check("computes at the first call", () =>
    close(flat(s.softmax(new Float32Array([0, 0]))), [0.5, 0.5], 0, "softmax"),
  );
  const { variant, version } = s.info();
  if (options.version !== undefined) await check("knows its version", () => same(version, options.version, "version"));

  await check("exports what is checked here, and no more", () => {
    const known = [...Object.keys(FUNCTIONS), ...KERNELS_AND_MEMORY].sort();
    // what module systems add: require() of ESM, import of CommonJS
    const exported = Object.keys(s).filter((name) => !["default", "module.exports", "__esModule"].includes(name));
    same(exported.sort().join(" "), known.join(" "), "the list of exports");
  });

  /** The variants that run here. @type {("base" | "relaxed")[]} */
  const variants = ["base"];
  await check("relaxed runs, or says why not, and auto takes the best there is", () => {
    try {
      s.initSync({ variant: "relaxed" });
      variants.push("relaxed");
    } catch {
      const reason = options.baseOnly ? "" : "the engine has no relaxed SIMD";
      throws(() => s.initSync({ variant: "relaxed" }), "Error", `initSync: "variant" is "relaxed", but ${reason}`);
    }
    same(variant, variants.at(-1), "auto");
  });

  /** @type {Record<string, string>} */
  const digests = {};
  const total = hasher();
  const types = /** @type {const} */ (["f32", "f64"]);
  const problems = types.flatMap((type) =>
    [...SHAPES, /** @type {const} */ ([1, LONG / TYPES[type].BYTES_PER_ELEMENT])].map((shape) => inputs(type, shape)),
  );
  for (const name of Object.keys(FUNCTIONS).sort()) {
    const hash = hasher();
    for (const d of problems) {
      for (const [i, [call, want]] of FUNCTIONS[name].entries()) {
        const what = `${name} #${i} of ${d.type} [${d.shape}]`;
        /** @type {number[]} */
        let wanted = [];
        await check(`${what}, base`, () => {
          s.initSync({ variant: "base" });
          const result = flat(call(s, d));
          hash.add(result);
          total.add(result);
          wanted = flat(want(d));
          close(result, wanted, TOLERANCE[d.type], what);
        });
        if (variants.includes("relaxed")) {
          await check(`${what}, relaxed`, () => {
            s.initSync({ variant: "relaxed" });
            close(flat(call(s, d)), wanted, TOLERANCE[d.type], what);
          });
        }
      }
    }
    digests[name] = hash.digest;
  }

  for (const v of variants) {
    await check(`${v}: the edges of the contract`, () => {
      s.initSync({ variant: v });
      edges(s);
    });
    await check(`${v}: residents`, () => {
      s.initSync({ variant: v });
      residents(s);
    });
    await check(`${v}: memory stays as it is`, () => {
      s.initSync({ variant: v });
      bounded(s, options.calls ?? 2000);
    });
  }
  s.initSync();
  if (variants.length > 1) await check("a resident of another variant is an error", () => otherVariant(s));

  for (const [kind, message, call] of ERRORS) {
    await check(`throws ${kind}: ${message}`, () => {
      throws(() => call(s), kind, message);
      close(flat(s.softmax([0, 0])), [0.5, 0.5], 0, "the next call");
    });
  }
  await check("what throws leaves `out` as it was", () => {
    const out = new Float64Array([7, 7]);
    throws(
      () => s.crossEntropy([1, 2, 3, 4], [0, 9], { shape: [2, 2], reduction: "none", out }),
      "RangeError",
      "crossEntropy",
    );
    same(out.join(), "7,7", "out");
  });

  for (const v of variants) {
    const module = options[v];
    if (module === undefined) continue;
    await check(`init with ${v}.wasm gives the same kernels`, async () => {
      const d = problems[1];
      s.initSync({ variant: v });
      const before = flat(s.softmax(d.x, d));
      for (const init of [s.init, s.initSync]) {
        await init({ module });
        same(s.info().variant, v, "the variant");
        close(flat(s.softmax(d.x, d)), before, 0, "softmax");
      }
      await s.init({ module: Promise.resolve(module), variant: v });
      const other = v === "base" ? "relaxed" : "base";
      if (variants.includes(other))
        throws(() => s.initSync({ module, variant: other }), "RangeError", `initSync: "module" holds the ${v} kernels`);
    });
  }
  await check("init is asynchronous and may be repeated", async () => {
    const ready = s.init({ variant: "base" });
    if (typeof ready?.then !== "function") throw new Error("init returned no promise");
    await ready;
    await s.init({ variant: "base" });
    same(s.info().variant, "base", "the variant");
  });
  s.initSync();
  return { passed, failed, digest: total.digest, digests, variant, variants, runtime: runtimeName(), version };
}

/** The table of api.md's ends, and inputs of every kind. @param {Surprisal} s */
function edges(s) {
  const [inf, nan] = [Infinity, Number.NaN];
  /** @param {Value} got @param {number[]} want @param {string} what */
  const is = (got, want, what) => {
    for (const [i, v] of want.entries()) same(flat(got)[i] + 0, v, `${what} [${i}]`);
  };
  is(s.softmax([-inf, -inf]), [nan, nan], "softmax of −∞");
  is(s.softmax([-inf, -inf], { allMasked: "zero" }), [0, 0], "softmax of −∞, masked");
  is(s.softmax([0, nan, 0, 0], { shape: [2, 2] }), [nan, nan, 0.5, 0.5], "softmax of a NaN");
  is(s.logSumExp([-inf, -inf, inf, 0], { shape: [2, 2] }), [-inf, inf], "logSumExp of ∞");
  is(s.logSumExp([], { shape: [2, 0] }), [-inf, -inf], "logSumExp of empty rows");
  is(s.entropy([1, 0, -1, 2], { shape: [2, 2] }), [0, nan], "entropy");
  is(s.klDivergence([0, 1], [0.5, 0.5], { base: 2 }), [1], "KL with p = 0");
  is(s.klDivergence([0.5, 0.5], [0, 1]), [inf], "KL with q = 0");
  is(s.crossEntropy([1, 2], [-100]), [nan], "crossEntropy of ignored rows");
  is(s.kernelMatrix([0, 0, 3, 4], undefined, { shape: [2, 2], kernel: "cosine" }), [0, 0, 0], "cosine of a zero row");
  is(s.wasserstein([0, 1], [2, nan]), [nan], "wasserstein of a NaN");
  is(s.wasserstein([inf, 0], [1, inf]), [0.5], "wasserstein of ∞");
  is(s.wassersteinHistogram([1, 0, 0, 0], [0, 1, 0, 1], { shape: [2, 2], reduction: "none" }), [1, nan], "histograms");
  is(s.sinkhornDivergence([0, 1], [0, 1], { shape: [2, 1], epsilon: 1 }), [0], "sinkhornDivergence of itself");
  same(s.softmax(new Float32Array(0)).length, 0, "the length of an empty softmax");
  const want = s.softmax(new Float32Array([1, 2, 4]));
  /** @param {unknown} x @param {string} what */
  const takes = (x, what) => {
    const got = s.softmax(x);
    same(got.constructor.name, "Float32Array", `the type of softmax of ${what}`);
    is(got, numbers(want), `softmax of ${what}`);
  };
  takes(new Float32Array([9, 1, 2, 4]).subarray(1), "a view");
  takes({ data: new Float32Array([1, 2, 4]), shape: [3] }, "a tensor");
  takes({ data: new Float32Array([1, 2, 4]), dims: [1, 3] }, "an ONNX tensor");
  const { Float16Array: Half, SharedArrayBuffer: Shared } = /** @type {any} */ (globalThis);
  if (Half) takes(new Half([1, 2, 4]), "half precision");
  if (Shared) {
    const shared = new Float32Array(new Shared(12));
    shared.set([1, 2, 4]);
    takes(shared, "shared memory");
  }
  const labels = [BigInt64Array.from([1n]), Uint8Array.from([1]), [1]];
  for (const label of labels)
    same(s.crossEntropy([0, 0], label), Math.LN2, `crossEntropy of ${label.constructor.name}`);
}

/** @param {Surprisal} s */
function residents(s) {
  const values = inputs("f64", [1, 300]).x;
  const wanted = numbers(s.softmax(values));
  const x = s.resident("f64", 300);
  x.set(values);
  same(s.softmax(x, { out: x.array }), x.array, "what softmax returns");
  close(numbers(x.array), wanted, 0, "softmax in place");
  const before = s.info().memoryBytes;
  const large = s.resident("f32", before / 4);
  if (s.info().memoryBytes <= before) throw new Error("memory did not grow");
  close(numbers(x.array), wanted, 0, "a resident after growth");
  large.dispose();
  large.dispose();
  const grown = s.info().memoryBytes;
  for (let i = 0; i < 100; i++) s.resident("f32", before / 4).dispose();
  same(s.info().memoryBytes, grown, "memory after 100 residents");
  const dispose = /** @type {any} */ (Symbol).dispose;
  if (dispose) x[dispose]();
  else {
    if (Object.getOwnPropertySymbols(Object.getPrototypeOf(x)).length)
      throw new Error("a symbol, without Symbol.dispose");
    x.dispose();
  }
  throws(() => s.softmax(x), "TypeError", "resident: this array has been disposed of");
}

/** @param {Surprisal} s */
function otherVariant(s) {
  s.initSync({ variant: "base" });
  const x = s.resident("f32", 2);
  x.set([3, 4]);
  s.initSync({ variant: "relaxed" });
  throws(() => s.softmax(x), "TypeError", 'softmax: "x" is a resident array of the base kernels');
  same(x.array.join(), "3,4", "the resident");
  x.dispose();
}

/** Calls that do not grow linear memory, once each function had its scratch. @param {Surprisal} s @param {number} calls */
function bounded(s, calls) {
  const problems = [inputs("f32", [6, 257]), inputs("f64", [4, 33])];
  const all = Object.values(FUNCTIONS).flatMap((cases) => cases.map(([call]) => call));
  /** @param {number} i */
  const run = (i) => all[i % all.length](s, problems[Math.floor(i / all.length) % 2]);
  for (let i = 0; i < 2 * all.length; i++) run(i);
  const { memoryBytes } = s.info();
  for (let i = 0; i < calls; i++) run(i);
  same(s.info().memoryBytes, memoryBytes, `memory after ${calls} calls`);
}
