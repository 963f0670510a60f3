/** Losses of products of matrices: a linear layer's cross-entropy, and contrastive losses, with their gradients. */
import { sum } from "../reference.ts";
import { ANYTHING, type Estimate, type Expected, exactly, type Given, leastOf } from "./near.ts";
import { reduced, rounded, U } from "./rows.ts";
import { sigmoidOf, softplusOf } from "./softmax.ts";

/** What a dot product may err by, relative to the terms: 1e-6 in f32. */
const PRACTICAL = 16.8;

/** A matrix of numbers, and how far each may be off. */
interface Matrix {
  readonly n: number;
  readonly m: number;
  readonly values: Float64Array;
  readonly errors: Float64Array;
  /** Whether numbers on the way fit the type: what becomes of others is not promised. */
  readonly known: boolean;
}

/** x·yᵀ of rows of d. */
function productOf(
  { dtype }: Given,
  x: Float64Array,
  y: Float64Array,
  [n, m, d]: readonly [number, number, number],
): Matrix {
  const values = new Float64Array(n * m);
  const errors = new Float64Array(n * m);
  let known = true;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      const term = (k: number): number => (x[i * d + k] as number) * (y[j * d + k] as number);
      const size = sum(d, (k) => Math.abs(term(k)));
      values[i * m + j] = sum(d, term);
      errors[i * m + j] = (PRACTICAL + d) * (dtype.unit + U) * size + (d + 2) * leastOf(dtype);
      known &&= Number.isNaN(size) || size < dtype.max / 4;
    }
  return { n, m, values, errors, known };
}

/** −log softmax at the label of a row, smoothed; and its derivatives. A row whose numbers are off by more than this is not promised. */
interface RowLoss {
  readonly loss: Estimate;
  readonly grad: readonly Estimate[];
}
const FAR = 0.125;

function rowLoss({ dtype }: Given, z: Float64Array, errors: Float64Array, label: number, smoothing: number): RowLoss {
  const n = z.length;
  const all = (one: Estimate): RowLoss => ({ loss: one, grad: Array.from(z, () => one) });
  if (z.some(Number.isNaN)) return all(exactly(NaN));
  const off = errors.reduce((most, e) => Math.max(most, e), 0);
  if (!z.every(Number.isFinite) || !(off < FAR)) return all(ANYTHING);
  const top = z.reduce((most, v) => Math.max(most, v));
  const total = sum(n, (j) => Math.exp((z[j] as number) - top));
  const own = z[label] as number;
  const others = sum(n, (j) => (j === label ? 0 : Math.exp((z[j] as number) - top)));
  // of the label's own, what the others are beside it
  const surprise = own === top ? Math.log1p(others) : top - own + Math.log(total);
  const spread = top - sum(n, (j) => z[j] as number) / n + Math.log(total);
  const value = (1 - smoothing) * surprise + smoothing * spread;
  const unit = dtype.unit + U;
  const size = top + Math.abs(own) + sum(n, (j) => Math.abs(z[j] as number)) / n;
  const error = 4 * off * (smoothing ? 1 : Math.min(1, 4 * surprise)) + 32 * unit * value + 8 * U * smoothing * size;
  const grad = Array.from(z, (v, j): Estimate => {
    const p = Math.exp(v - top) / total;
    const target = (j === label ? 1 - smoothing : 0) + smoothing / n;
    const exact = j === label && !smoothing ? -others / total : p - target;
    const scale = j === label ? others / total + smoothing : p + smoothing / n;
    return { value: exact, error: (4 * off + (32 + 2 * Math.abs(v - top)) * unit) * scale + 2 * leastOf(dtype) };
  });
  return { loss: { value, error: error + leastOf(dtype) }, grad };
}

const times = ({ value, error }: Estimate, by: number): Estimate => ({
  value: value * by,
  error: Math.abs(error * by),
});

/** Σ gₖ·vₖ of derivatives and numbers. */
function combined({ dtype }: Given, count: number, g: (k: number) => Estimate, v: (k: number) => number): Estimate {
  let [value, error, size] = [0, 0, 0];
  for (let k = 0; k < count; k++) {
    const [one, by] = [g(k), v(k)];
    const term = one.value * by;
    value += term;
    error += one.error * Math.abs(by);
    size += Math.abs(term);
  }
  if (Number.isNaN(value)) return exactly(NaN);
  if (!(size < dtype.max / 8) || error === Infinity) return ANYTHING;
  return { value, error: error + (PRACTICAL + count) * (dtype.unit + U) * size + (count + 2) * leastOf(dtype) };
}

/** Nothing is promised of what is not known. */
const unless = (known: boolean, of: () => Estimate): Estimate => (known ? of() : ANYTHING);

const linearCrossEntropyOf =
  (graded: boolean) =>
  (given: Given): Expected => {
    const { arrays, shapes, options, dtype } = given;
    const [x, w, labels] = ["x", "weight", "labels"].map((name) => arrays[name]) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const [n, d] = shapes["x"] as [number, number];
    const [m] = shapes["weight"] as [number, number];
    const ignored = (options["ignoreIndex"] as number | undefined) ?? -100;
    const smoothing = (options["labelSmoothing"] as number | undefined) ?? 0;
    const fault = labels.some((label) => label !== ignored && !(Number.isInteger(label) && label >= 0 && label < m));
    if (fault) return { refused: RangeError };
    const { bias } = arrays;
    const product = productOf(given, x, w, [n, m, d]);
    const z = product.values.map((v, at) => v + (bias?.[at % m] ?? 0));
    const errors = product.errors.map((e, at) => e + 2 * (dtype.unit + U) * Math.abs(z[at] as number));
    const known = product.known && z.every((v) => Number.isNaN(v) || Math.abs(v) < dtype.max / 4);
    const counts = (i: number): boolean => labels[i] !== ignored;
    const rows = Array.from({ length: n }, (_, i): RowLoss => {
      const none = exactly(0);
      if (!counts(i)) return { loss: none, grad: Array.from({ length: m }, () => none) };
      const row = rowLoss(
        given,
        z.subarray(i * m, (i + 1) * m),
        errors.subarray(i * m, (i + 1) * m),
        labels[i] as number,
        smoothing,
      );
      return known ? row : { loss: ANYTHING, grad: row.grad.map(() => ANYTHING) };
    });
    const counted = sum(n, (i) => +counts(i));
    const value = reduced(
      given,
      rows.map(({ loss }) => loss),
      counted,
    );
    if (!graded) return value;
    const by = (options["reduction"] ?? "mean") === "mean" ? 1 / counted : 1;
    const g = (i: number, j: number): Estimate => times((rows[i] as RowLoss).grad[j] as Estimate, by);
    const finite = (array: Float64Array): boolean => array.every((v) => Math.abs(v) < dtype.max / 4);
    const of = (one: Estimate): Estimate => rounded(dtype, one);
    const cleanWeight = finite(w);
    const gradX = Array.from({ length: n * d }, (_, at) => {
      const [i, k] = [Math.floor(at / d), at % d];
      if (!counts(i)) return exactly(0);
      return unless(cleanWeight, () =>
        of(
          combined(
            given,
            m,
            (j) => g(i, j),
            (j) => w[j * d + k] as number,
          ),
        ),
      );
    });
    const kept = Array.from({ length: n }, (_, i) => i).filter(counts);
    const clean = kept.every((i) => finite(x.subarray(i * d, (i + 1) * d)));
    const gradWeight = Array.from({ length: m * d }, (_, at) => {
      const [j, k] = [Math.floor(at / d), at % d];
      return unless(clean, () =>
        of(
          combined(
            given,
            kept.length,
            (r) => g(kept[r] as number, j),
            (r) => x[(kept[r] as number) * d + k] as number,
          ),
        ),
      );
    });
    const gradBias = Array.from({ length: m }, (_, j) =>
      of(
        combined(
          given,
          kept.length,
          (r) => g(kept[r] as number, j),
          () => 1,
        ),
      ),
    );
    return {
      fields: {
        value,
        gradX: { numbers: gradX },
        gradWeight: { numbers: gradWeight },
        ...(bias && { gradBias: { numbers: gradBias } }),
      },
    };
  };
export const linearCrossEntropy = linearCrossEntropyOf(false);
export const linearCrossEntropyWithGrad = linearCrossEntropyOf(true);

/** Rows over their norms; those of zeros as they are. Over their largest element first, so that no square over- or underflows. */
function normalized(x: Float64Array, n: number, d: number): { rows: Float64Array; norms: Float64Array } {
  const rows = x.slice();
  const norms = new Float64Array(n).fill(1);
  for (let i = 0; i < n; i++) {
    const row = rows.subarray(i * d, (i + 1) * d);
    const top = row.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    if (top === 0) continue;
    const norm = Math.sqrt(sum(d, (k) => ((row[k] as number) / top) ** 2));
    for (let k = 0; k < d; k++) row[k] = (row[k] as number) / top / norm;
    norms[i] = norm * top;
  }
  return { rows, norms };
}

const contrastiveLossOf =
  (graded: boolean) =>
  (given: Given): Expected => {
    const { arrays, shapes, options, dtype } = given;
    const [n, d] = shapes["x"] as [number, number];
    const [x, y] = [arrays["x"], arrays["y"]] as [Float64Array, Float64Array];
    const temperature = (options["temperature"] as number | undefined) ?? 0.07;
    const sigmoid = options["kind"] === "sigmoid";
    const both = !sigmoid && ((options["symmetric"] as boolean | undefined) ?? true);
    const bias = sigmoid ? ((options["bias"] as number | undefined) ?? 0) : 0;
    const plain = (array: Float64Array) => ({ rows: array, norms: new Float64Array(n).fill(1) });
    const [u, v] = [x, y].map((array) => (options["normalize"] === false ? plain(array) : normalized(array, n, d))) as [
      { rows: Float64Array; norms: Float64Array },
      { rows: Float64Array; norms: Float64Array },
    ];
    const unit = dtype.unit + U;
    const product = productOf(given, u.rows, v.rows, [n, n, d]);
    const z = product.values.map((value) => value / temperature + bias);
    // a row of norm 1 is rounded as well
    const errors = product.errors.map(
      (e, at) =>
        (2 * e + 4 * unit * Math.abs(product.values[at] as number)) / temperature +
        2 * unit * Math.abs(z[at] as number),
    );
    const known =
      [x, y].every((array) => array.every(Number.isFinite)) &&
      product.known &&
      z.every((one) => Math.abs(one) < dtype.max / 8);
    const grads: Estimate[] = Array.from(z, () => exactly(0));
    const parts: Estimate[] = [];
    const sides = both ? 2 : 1;
    const add = (at: number, one: Estimate): void => {
      const before = grads[at] as Estimate;
      grads[at] = { value: before.value + one.value, error: before.error + one.error };
    };
    if (!known) parts.push(x.some(Number.isNaN) || y.some(Number.isNaN) ? exactly(d > 0 ? NaN : 0) : ANYTHING);
    else if (sigmoid)
      z.forEach((l, at) => {
        const match = Math.floor(at / n) === at % n;
        const off = errors[at] as number;
        if (!(off < FAR)) {
          parts.push(ANYTHING);
          grads[at] = ANYTHING;
          return;
        }
        const loss = match ? softplusOf(-l) : softplusOf(l);
        const slope = match ? -sigmoidOf(-l) : sigmoidOf(l);
        parts.push({ value: loss, error: (2 * off + 32 * unit) * Math.abs(loss) + leastOf(dtype) });
        add(at, { value: slope, error: (2 * off + 32 * unit) * Math.abs(slope) + 2 * leastOf(dtype) });
      });
    else
      for (let side = 0; side < sides; side++)
        for (let i = 0; i < n; i++) {
          const place = (j: number): number => (side ? j * n + i : i * n + j);
          const of = (list: Float64Array) => Float64Array.from({ length: n }, (_, j) => list[place(j)] as number);
          const row = rowLoss(given, of(z), of(errors), i, 0);
          parts.push(row.loss);
          row.grad.forEach((g, j) => {
            add(place(j), g);
          });
        }
    const value = reduced({ ...given, options: {} }, parts, sides * n);
    if (!graded) return value;
    const anything = Array.from(x, () => ANYTHING);
    const spoilt = !known || ("error" in value && !(value.error < Infinity));
    if (spoilt)
      return {
        fields: {
          value,
          gradX: { numbers: anything },
          gradY: { numbers: anything },
          gradTemperature: ANYTHING,
          ...(sigmoid && { gradBias: ANYTHING }),
        },
      };
    const by = 1 / (sides * n * temperature);
    // a derivative may be subnormal, or nothing, before it is multiplied by what it is one by
    const g = (i: number, j: number): Estimate => {
      const { value, error } = times(grads[i * n + j] as Estimate, by);
      return { value, error: error + leastOf(dtype) };
    };
    const side = (own: typeof u, other: typeof u, at: (i: number, j: number) => Estimate): Estimate[] => {
      const direct = Array.from({ length: n * d }, (_, e) =>
        combined(
          given,
          n,
          (j) => at(Math.floor(e / d), j),
          (j) => other.rows[j * d + (e % d)] as number,
        ),
      );
      if (options["normalize"] === false) return direct.map((one) => rounded(dtype, one));
      const rows = Array.from({ length: n }, (_, i) => {
        const row = own.rows.subarray(i * d, (i + 1) * d);
        const term = (k: number): number => (row[k] as number) * (direct[i * d + k] as Estimate).value;
        return {
          row,
          along: sum(d, term),
          size: sum(d, (k) => Math.abs(term(k))),
          off: sum(d, (k) => Math.abs(row[k] as number) * (direct[i * d + k] as Estimate).error),
          zero: row.every((k) => k === 0),
        };
      });
      return direct.map((one, e) => {
        const i = Math.floor(e / d);
        const { row, along, size, off, zero } = rows[i] as (typeof rows)[number];
        const norm = own.norms[i] as number;
        const value = zero ? one.value : (one.value - (row[e % d] as number) * along) / norm;
        // the quotient of tiny norms may be beyond all numbers
        if (norm === Infinity || !(Math.abs(value) < dtype.max / 16) || !(1 / norm < dtype.max / 1e3)) return ANYTHING;
        const error =
          // elements 2^-850 of their row are subnormal in the unit that its square is in range in
          (one.error +
            Math.abs(row[e % d] as number) * (off + 32 * unit * size) +
            16 * unit * Math.abs(one.value) +
            2 ** -850 * (1 + 1 / temperature)) /
          norm;
        return rounded(dtype, { value, error });
      });
    };
    const slope = combined(
      given,
      n * n,
      (at) => times(grads[at] as Estimate, by),
      (at) => product.values[at] as number,
    );
    // x·gradX adds up what each gradient is off by, and a product of similar size in its place
    const off = sum(n * n, (at) => {
      const one = grads[at] as Estimate;
      const [i, j] = [Math.floor(at / n), at % n];
      const size = sum(d, (k) => Math.abs((u.rows[i * d + k] as number) * (v.rows[j * d + k] as number)));
      return by * size * (one.error + (PRACTICAL + n + d) * unit * Math.abs(one.value));
    });
    return {
      fields: {
        value,
        gradX: { numbers: side(u, v, g) },
        gradY: { numbers: side(v, u, (j, i) => g(i, j)) },
        gradTemperature: {
          value: 0 - slope.value / temperature,
          error:
            (slope.error + off) / temperature +
            leastOf(dtype) *
              (n * d + 1) *
              Math.max(1, 1 / temperature) *
              Math.max(
                1,
                u.rows.reduce((most, one) => Math.max(most, Math.abs(one)), 0),
              ),
        },
        ...(sigmoid && {
          gradBias: {
            ...times(
              combined(
                given,
                n * n,
                (at) => g(Math.floor(at / n), at % n),
                () => 1,
              ),
              1 / (n * by),
            ),
          },
        }),
      },
    };
  };
export const contrastiveLoss = contrastiveLossOf(false);
export const contrastiveLossWithGrad = contrastiveLossOf(true);
