/** What functions are called with: dyadic numbers of an integer generator, for Math.exp and the like differ between engines. */
import { first, normalised, outer, square } from "./arithmetic.js";

const { min } = Math;

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

/** Typed as one: TypeScript finds no common `from`. @type {{ f32: Float64ArrayConstructor, f64: Float64ArrayConstructor }} */
const TYPES = { f32: /** @type {any} */ (Float32Array), f64: Float64Array };

/** Rows and columns: less than a vector, tails of all kinds, and one row of this many bytes: beyond the stage's 1 MiB. */
const SHAPES = /** @type {const} */ ([
  [3, 5],
  [4, 33],
  [6, 257],
]);
const LONG = 2 ** 20 + 1000;

/** @param {"f32" | "f64"} type @param {readonly [number, number]} shape */
export function inputs(type, [rows, n]) {
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

/** Every type in every shape. */
export const problems = () =>
  /** @type {const} */ (["f32", "f64"]).flatMap((type) =>
    [...SHAPES, /** @type {const} */ ([1, LONG / TYPES[type].BYTES_PER_ELEMENT])].map((shape) => inputs(type, shape)),
  );

/** Rows of a few hundred bins at uneven positions. @param {Inputs} d */
export function histogramsOf(d) {
  const n = min(d.n, 300);
  const [p, q] = [d.p.slice(0, d.rows * n), d.q.slice(0, d.rows * n)];
  let at = 0;
  const support = first(d.weights, n).map((gap) => {
    at += gap;
    return at;
  });
  return { ...d, n, p, q, shape: [d.rows, n], support: d.of(...support) };
}

/** Four masses to five, of squared distances, one of which is +∞, or of uniform masses. @param {Inputs} d @param {boolean} uniform */
export function transportOf(d, uniform) {
  const a = uniform ? [0.25, 0.25, 0.25, 0.25] : normalised([...first(d.p, 3), 0]);
  const b = uniform ? [0.5, 0.125, 0.125, 0.125, 0.125] : normalised(first(d.q, 5));
  const cost = outer(first(d.x, 4), first(d.y, 5), square);
  if (!uniform) cost[1] = Infinity;
  return { a: d.of(...a), b: d.of(...b), cost: d.of(...cost) };
}

/** Five points and four in the plane, and their weights. @param {Inputs} d */
export const cloudsOf = ({ x, y, p, q }) => ({
  x: x.slice(0, 10),
  y: y.slice(0, 8),
  xWeights: p.slice(0, 5),
  yWeights: q.slice(0, 4),
});
export const UNWEIGHTED = { xWeights: [1, 1, 1, 1, 1], yWeights: [1, 1, 1, 1] };
export const PLANE = { shape: [5, 2], yShape: [4, 2], tolerance: 1e-14 };

/** Costs [5, 5] of no structure. @param {Inputs} d */
export const costsOf = ({ x, y, of }) => of(...x.slice(0, 15), ...y.slice(0, 10));

/** Masses on the line and squared distances. @param {Inputs} d */
export function lineOf({ x, y, p, q, of }) {
  const [u, v, a, b] = [first(x, 15), first(y, 12), first(p, 15), first(q, 12)];
  return { u, v, a: of(...normalised(a)), b: of(...normalised(b)), cost: of(...outer(u, v, square)) };
}
