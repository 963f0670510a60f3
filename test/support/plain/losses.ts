/** Cross-entropies and their gradients, after PyTorch's definitions. */
import { sum } from "../reference.ts";
import { ANYTHING, type Estimate, type Expected, exactly, type Given, leastOf, refused } from "./near.ts";
import { distributionOf, type From, factorOf, reduced, rounded, rowsAlong, scatter, U } from "./rows.ts";
import { sigmoidOf, softplusOf } from "./softmax.ts";

const NAN = exactly(NaN);
const all = (n: number, one: Estimate): Estimate[] => Array.from({ length: n }, () => one);

/** A row's loss, and its gradient by each element; both before the reduction. */
interface RowLoss {
  readonly loss: Estimate;
  readonly grad: readonly Estimate[];
}

interface Target {
  readonly label: number | undefined;
  readonly soft: Float64Array | undefined;
}

/** −Σ c·log q, where c = w·((1 − ε)·t + ε/C). */
function rowLoss(given: Given, row: Float64Array, { label, soft }: Target, from: From, normalize: boolean): RowLoss {
  const { dtype, arrays, options } = given;
  const n = row.length;
  const smoothing = (options["labelSmoothing"] as number | undefined) ?? 0;
  const w = arrays["weight"];
  const { p, log, bad, total, lead, span } = distributionOf(row, from, normalize);
  const probabilities = from === "probabilities";
  // soft targets beside probabilities are distributions too
  const t = soft && (probabilities ? distributionOf(soft, "probabilities", normalize) : undefined);
  if (bad || t?.bad || soft?.some((v) => !(v >= 0))) {
    // of log-probabilities as they are the label's alone is read
    const unread = from === "logProbabilities" && !normalize && label !== undefined;
    return { loss: unread ? ANYTHING : NAN, grad: all(n, unread ? ANYTHING : NAN) };
  }
  if (w?.some((v) => !(v >= 0 && v < Infinity)) || soft?.includes(Infinity))
    return { loss: ANYTHING, grad: all(n, ANYTHING) };
  const c = (i: number): number => {
    const share = soft ? ((t?.p ?? soft)[i] as number) : +(label === i);
    return (w ? (w[i] as number) : 1) * ((1 - smoothing) * share + smoothing / n);
  };
  const value = -sum(n, (i) => (c(i) === 0 ? 0 : c(i) * (log[i] as number)));
  const size = sum(n, (i) => (c(i) === 0 ? 0 : Math.abs(c(i) * (log[i] as number))));
  const mass = sum(n, c);
  // 8 u and the lead of the largest, of which log q = −log1p(…) is made; f64 rounds here as well
  const error = (16 + 2 * lead) * (dtype.unit + U) * size + (from === "logits" ? 0 : 16 * (dtype.unit + U) * mass);
  const loss = { value, error: error + Math.max(1, mass) * leastOf(dtype) };
  // in the type of the data it may overflow on the way
  if (!(Math.max(mass, size) < dtype.max / 4) || (size === Infinity && value !== Infinity))
    return { loss: ANYTHING, grad: all(n, ANYTHING) };

  const softmaxed = from === "logits" || (from === "logProbabilities" && normalize);
  const grad = Array.from(row, (x, i): Estimate => {
    const pull = c(i) === 0 ? 0 : probabilities ? c(i) / x : c(i);
    const push = softmaxed ? mass * (p[i] as number) : probabilities && normalize ? mass / total : 0;
    const shift = softmaxed ? Math.min(-(log[i] as number), 750) + lead : span;
    // a hard label's own class keeps its digits, W·p − W = −W·(1 − p)
    const cancels = !soft && smoothing === 0 && softmaxed ? 0 : 2 * Math.min(pull, push || Infinity);
    const exact = label === i && smoothing === 0 && softmaxed ? -mass * -Math.expm1(log[i] as number) : push - pull;
    // a probability is known to the smallest number of the type
    const bound =
      (16 + 2 * shift) * (dtype.unit + U) * (Math.abs(exact) + (Number.isFinite(cancels) ? cancels : 0)) +
      mass * leastOf(dtype) +
      // push and pull, where they are below all numbers
      2 ** -1072;
    // c/q of a c that is subnormal, or once it is weighed, has few digits
    const few = probabilities && pull !== 0 && c(i) < 1e-300;
    return few || Number.isNaN(exact) || total * 2 === Infinity ? ANYTHING : { value: exact, error: bound };
  });
  return { loss, grad };
}

/** The same multiplied by a number. */
const times = ({ value, error }: Estimate, by: number): Estimate => ({
  value: value * by,
  error: Math.abs(error * by),
});

function lossesOf(given: Given, targetName: string): { losses: RowLoss[]; divisor: number; fault: boolean } {
  const { arrays, shapes, options } = given;
  const rows = rowsAlong(given, "logits");
  const from = (options["from"] as From | undefined) ?? "logits";
  // log-probabilities are taken as they are, PyTorch's nll_loss
  const normalize = from !== "logProbabilities" && ((options["normalize"] as boolean | undefined) ?? true);
  const target = arrays[targetName] as Float64Array;
  const soft = shapes[targetName]?.join() === shapes["logits"]?.join();
  const ignore = (options["ignoreIndex"] as number | undefined) ?? -100;
  const share = (r: number): number => arrays["sampleWeight"]?.[r] ?? 1;
  const counted = (r: number): boolean => soft || target[r] !== ignore;
  const fault =
    !soft && target.some((label) => label !== ignore && !(Number.isInteger(label) && label >= 0 && label < rows.n));
  const losses = Array.from({ length: fault ? 0 : rows.rows }, (_, r): RowLoss => {
    if (!counted(r)) return { loss: exactly(0), grad: all(rows.n, exactly(0)) };
    const one = rowLoss(
      given,
      rows.row(arrays["logits"] as Float64Array, r),
      { label: soft ? undefined : target[r], soft: soft ? rows.row(target, r) : undefined },
      from,
      normalize,
    );
    // products with such weights have few digits
    if (share(r) !== 0 && Math.abs(share(r)) < 1e-290) return { loss: ANYTHING, grad: all(rows.n, ANYTHING) };
    return { loss: times(one.loss, share(r)), grad: one.grad.map((g) => times(g, share(r))) };
  });
  const weigh = (r: number): number =>
    !counted(r) ? 0 : share(r) * (soft ? 1 : (arrays["weight"]?.[target[r] as number] ?? 1));
  return { losses, divisor: sum(rows.rows, (r) => weigh(r)), fault };
}

/** Weights that a mean is taken with: it knows no scale of those of rows, nor of those of the labels' classes. */
function ofMean(given: Given): Given {
  const { arrays, shapes, options } = given;
  if ((options["reduction"] ?? "mean") !== "mean") return given;
  const scaled = (values: Float64Array, isCounted: (i: number) => boolean): Float64Array => {
    const most = values.reduce((a, v, i) => (isCounted(i) ? Math.max(a, Math.abs(v)) : a), 0);
    if (!(most > 0 && most < Infinity)) return values;
    // in two steps, as 1/5e-324 is no number
    const by = 2 ** -Math.round(Math.log2(most) / 2);
    return values.map((v) => v * by * by);
  };
  const { weight, sampleWeight } = arrays;
  const target = arrays["target"] as Float64Array;
  const hard = shapes["target"]?.join() !== shapes["logits"]?.join();
  const ignored = options["ignoreIndex"] ?? -100;
  const isLabel = (j: number): boolean => target.includes(j) && j !== ignored;
  const isCounted = (row: number): boolean => !hard || target[row] !== ignored;
  return {
    ...given,
    arrays: {
      ...arrays,
      ...(sampleWeight && { sampleWeight: scaled(sampleWeight, isCounted) }),
      ...(weight && hard && { weight: scaled(weight, isLabel) }),
    },
  };
}

function crossEntropyBy(asGiven: Given, graded: boolean): Expected {
  const given = ofMean(asGiven);
  const { dtype, arrays, shapes, options } = given;
  const rows = rowsAlong(given, "logits");
  const { losses, divisor, fault } = lossesOf(given, "target");
  if (fault || asGiven.arrays["sampleWeight"]?.some((weight) => weight < 0)) return refused();
  // without classes there is no distribution
  if (rows.n === 0) return refused(ANYTHING);
  const factor = factorOf(given);
  const value = reduced(
    given,
    losses.map(({ loss }) => times(loss, factor)),
    divisor,
  );
  if (!graded) return value;
  const by = factor / ((options["reduction"] ?? "mean") === "mean" ? divisor : 1);
  const target = arrays["target"] as Float64Array;
  const soft = shapes["target"]?.join() === shapes["logits"]?.join();
  // a product of target and scale below the least number is lost before it is weighed
  const heaviest = Array.from(asGiven.arrays["weight"] ?? []).reduce((a, w) => Math.max(a, Math.abs(w)), 1);
  const lossy = ({ value: v, error }: Estimate): Estimate =>
    // its two terms overflow before it does
    Math.abs(v) > Number.MAX_VALUE / 64 ? ANYTHING : { value: v, error: error + leastOf(dtype) * heaviest };
  const grad = scatter((arrays["logits"] as Float64Array).length, rows, (r) => {
    // what a row weighs of the whole is one number, which has few digits below these, and whose products may overflow beyond
    const own = Math.abs(by * (arrays["sampleWeight"]?.[r] ?? 1));
    const ordinary = own === 0 ? arrays["sampleWeight"]?.[r] === 0 : own > 1e-290 && own < Number.MAX_VALUE / 4;
    // as that of a target may in the type, before it is weighed
    const most = soft ? rows.row(target, r).reduce((a, t) => Math.max(a, t), 0) * own : 0;
    const known = ordinary && Math.abs(by) > 1e-290 && most < dtype.max / 4;
    return (losses[r] as RowLoss).grad.map((g) => (known ? rounded(dtype, lossy(times(g, by))) : ANYTHING));
  });
  return { fields: { value, grad: { numbers: grad } } };
}

export const crossEntropy = (given: Given): Expected => crossEntropyBy(given, false);
export const crossEntropyWithGrad = (given: Given): Expected => crossEntropyBy(given, true);

export function perplexity(given: Given): Expected {
  const { losses, divisor, fault } = lossesOf(given, "labels");
  const rows = rowsAlong(given, "logits");
  if (fault) return refused();
  if (rows.n === 0) return refused(ANYTHING);
  const mean = sum(losses.length, (r) => (losses[r] as RowLoss).loss.value) / divisor;
  const error = losses.reduce((total, { loss }) => total + loss.error, 0) / divisor;
  const value = Math.exp(mean);
  return { value, error: Number.isFinite(value) ? value * (Math.expm1(error) + 8 * U * (1 + Math.abs(mean))) : 0 };
}

// -------------------------------------------------------------------------------------------- binary cross-entropy

/** The index of the element of a weight, of a shape that broadcasts to `shape`, beside element k. */
function broadcast(k: number, own: readonly number[], shape: readonly number[]): number {
  let [index, stride, rest] = [0, 1, k];
  for (let axis = 1; axis <= shape.length; axis++) {
    const n = shape.at(-axis) as number;
    const size = axis <= own.length ? (own.at(-axis) as number) : 1;
    if (size !== 1) index += (rest % n) * stride;
    stride *= size;
    rest = Math.floor(rest / n);
  }
  return index;
}

const binaryCrossEntropyOf =
  (graded: boolean) =>
  (given: Given): Expected => {
    const { dtype, arrays, shapes, options } = given;
    const [x, target] = [arrays["x"], arrays["target"]] as [Float64Array, Float64Array];
    const shape = shapes["x"] as readonly number[];
    const beside = (name: string, k: number): number => {
      const array = arrays[name];
      const number = options[name];
      if (!array) return typeof number === "number" ? number : 1;
      return array[broadcast(k, shapes[name] as readonly number[], shape)] as number;
    };
    const probabilities = options["from"] === "probabilities";
    const mean = (options["reduction"] ?? "mean") === "mean";
    const u = dtype.unit + U;
    const product = (a: number, b: number): number => (a === 0 ? 0 : a * b);
    const one = (k: number): { loss: Estimate; grad: Estimate } => {
      const [v, y, w, positive] = [x[k], target[k], beside("weight", k), beside("posWeight", k)] as [
        number,
        number,
        number,
        number,
      ];
      // too small a product to be told from 0, which takes nothing from an infinite loss
      if (positive * y === 0 && positive !== 0 && y !== 0) return { loss: ANYTHING, grad: ANYTHING };
      if (Number.isNaN(v + y) || (probabilities && !(v >= 0 && v <= 1)))
        return { loss: w === 0 ? ANYTHING : NAN, grad: w === 0 ? ANYTHING : NAN };
      if (![w, positive, y].every(Number.isFinite)) return { loss: ANYTHING, grad: ANYTHING };
      const [on, off] = probabilities ? [-Math.log(v), -Math.log1p(-v)] : [softplusOf(-v), softplusOf(v)];
      const terms = [product(positive * y, on), product(1 - y, off)] as const;
      const [slopeOn, slopeOff] = probabilities ? [1 / v, 1 / (1 - v)] : [sigmoidOf(-v), sigmoidOf(v)];
      const slopes = [product(positive * y, slopeOn), product(1 - y, slopeOff)] as const;
      const by = w / (mean ? x.length : 1);
      // too small a weight to be told from 0, which takes nothing from an infinite slope
      if (by === 0 && w !== 0) return { loss: ANYTHING, grad: ANYTHING };
      const largest =
        Math.max(1, Math.abs(w)) *
        Math.max(Math.abs(positive), Math.abs(positive * y), 1 + Math.abs(y)) *
        Math.max(1, ...[on, off, slopeOn, slopeOff].filter(Number.isFinite));
      // in the type of the data it may overflow on the way
      if (largest > dtype.max / 4) return { loss: ANYTHING, grad: ANYTHING };
      // products of the type below its least number are lost before they are multiplied further
      const lost =
        4 *
        leastOf(dtype) *
        Math.max(1, Math.abs(w)) *
        Math.max(1, Math.abs(y)) *
        Math.max(1, Math.abs(positive)) *
        (1 + [on, off, slopeOn, slopeOff].filter(Number.isFinite).reduce((a, b) => a + b));
      // 4 ULP of terms of one sign; the gradient 5 ULP of the larger of two
      const loss = {
        value: product(w, terms[0] + terms[1]),
        error: 9 * u * Math.abs(product(w, Math.abs(terms[0]) + Math.abs(terms[1]))) + lost,
      };
      const grad = {
        value: product(by, slopes[1] - slopes[0]),
        error: 16 * u * Math.abs(product(by, Math.abs(slopes[0]) + Math.abs(slopes[1]))) + lost,
      };
      const known = (e: Estimate): Estimate =>
        Number.isNaN(e.value) || w === 0 ? (w === 0 ? exactly(0) : ANYTHING) : e;
      return { loss: known(loss), grad: rounded(dtype, known(grad)) };
    };
    const elements = Array.from(x, (_, k) => one(k));
    const value = reduced(
      given,
      elements.map(({ loss }) => ({ ...loss, error: loss.error + leastOf(dtype) })),
      x.length,
    );
    return graded ? { fields: { value, grad: { numbers: elements.map(({ grad }) => grad) } } } : value;
  };
export const binaryCrossEntropy = binaryCrossEntropyOf(false);
export const binaryCrossEntropyWithGrad = binaryCrossEntropyOf(true);
