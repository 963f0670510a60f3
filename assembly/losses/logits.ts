/**
 * Cross-entropy of rows of logits that come tile by tile: all classes of a row are never there at once.
 *
 *     loss = log1p(q),   q = Σ_{j ≠ y} e^{z_j − z_y} = s·e^{u − z_y}          y the label, s = Σ_{j ≠ y} e^{z_j − u}
 *     ∂loss/∂z_j = e^{z_j − u}/s·q/(1 + q),     ∂loss/∂z_y = −q/(1 + q)
 *
 * The label's logit is kept apart, so that a loss of 1e-8 keeps its digits, and so does its gradient. e^u is the unit of the sum,
 * 2ᵏ·e^{a′} of the largest logit a of the others so far (rows/exponential.ts): as a rises the sum is moved to the new unit, by a
 * power of two, which changes no digit, unless |a| > 256 (f32) or 1600 (f64); there by e^{u − u′}, rounded.
 *
 * With smoothing the target is (1 − ε)·[j = y] + ε/n, and with a the largest of all logits, the label's too,
 *
 *     loss = (1 − ε)·log1p(q) + ε·((a − mean z) + (LSE − a)),
 *
 * none of whose terms is negative. mean z is summed from the row's first logit on: what all logits share cancels exactly.
 *
 * What is known of a row is its state (codes.ts), which the host keeps from tile to tile; when all tiles have been seen the host
 * (src/place/logits.ts) makes of it what the gradient takes.
 *
 * A row is NaN with a NaN in it, with a logit of +∞, or if all are −∞. A label at −∞ loses ∞. Rows of the label to ignore are not
 * read; their loss and gradient are 0.
 */
import { loadPair, splat, tailMask, VECTOR } from "../lanes";
import { exponential } from "../rows/elementwise";
import { placeAlong, SHIFT, SUM, TOP } from "../rows/batch";
import { aims, exponentOfUnit, headroomInverse, temper } from "../rows/exponential";
import { exponentials, maxima } from "../rows/passes";
import { AIM, FINISH, SUM_UP } from "../rows/steps";
import { addTo, clearSum, totalOf } from "../sum";
import {
  A,
  DISTANCE,
  EXPONENT,
  FACTOR,
  FIRST,
  LABEL,
  LABEL_GRADIENT,
  LN2_HEAD,
  LN2_REST,
  LOST,
  S,
  SHIFTED,
  STATE,
} from "./codes";

const STATE_BYTES: usize = (<usize>STATE) << 3;

/** Where a number of a state stands. */
// @ts-ignore: decorator
@inline
function field(state: usize, index: i32): usize {
  return state + ((<usize>index) << 3);
}

/** The rounding error of sum = a + b; 0 of what is infinite or NaN. */
// @ts-ignore: decorator
@inline
function errorOf(a: f64, b: f64, sum: f64): f64 {
  const w = sum - a;
  const error = a - (sum - w) + (b - w);
  return error - error == 0 ? error : 0;
}

/** Adds a number to the sum at `sum`, whose error is behind it. */
// @ts-ignore: decorator
@inline
function addCompensated(sum: usize, value: f64): void {
  const before = load<f64>(sum);
  const after = before + value;
  store<f64>(sum, after);
  store<f64>(sum, load<f64>(sum, 8) + errorOf(before, value, after), 8);
}

/** u − u′, and its exponential. */
const FAR: usize = memory.data(8, 16);

/** e^{u − u′} of the unit of a state, and the unit of a′ and k, which is no smaller. */
function toUnit(state: usize, shift: f64, exponent: f64): f64 {
  const was = load<f64>(field(state, SHIFTED));
  const steps = load<f64>(field(state, EXPONENT)) - exponent;
  if (was == shift) {
    const biased = <i64>(steps + 1023);
    return biased > 0 ? reinterpret<f64>(biased << 52) : 0;
  }
  store<f64>(FAR, was - shift + steps * LN2_HEAD);
  exponential(FAR, FAR, 1);
  const far = load<f64>(FAR);
  return far + far * (steps * LN2_REST);
}

/** z += bias, whole vectors. */
function addBias<T>(z: usize, bias: usize, columns: i32): void {
  for (const end = z + <usize>columns * sizeof<T>(); z < end; z += VECTOR) {
    v128.store(z, v128.add<T>(v128.load(z), v128.load(bias)));
    bias += VECTOR;
  }
}

/** Σ(z_j − z_0)·portion of a tile's row. */
const DISTANCES: usize = memory.data(32, 16);

/** Adds them to the state's, two at a time. */
function addDistances<T>(z: usize, columns: i32, first: f64, portion: f64, state: usize): void {
  const p = splat<f64>(portion);
  const origin = splat<f64>(first * portion);
  clearSum(DISTANCES);
  for (; columns > 0; columns -= 2) {
    const distance = v128.sub<f64>(v128.mul<f64>(loadPair<T>(z), p), origin);
    addTo<f64>(DISTANCES, v128.and(distance, tailMask<f64>(min(columns, 2), 0)));
    z += 2 * sizeof<T>();
  }
  addCompensated(field(state, DISTANCE), totalOf<f64>(DISTANCES));
}

/** The same of a row. */
function addRow<T>(z: usize, columns: i32, bias: usize, label: i32, first: i32, portion: f64, state: usize): void {
  if (bias) addBias<T>(z, bias, columns);
  if (first == 0) {
    const origin = <f64>load<T>(z);
    memory.fill(state, 0, STATE_BYTES);
    store<f64>(field(state, A), -Infinity);
    store<f64>(field(state, FIRST), origin - origin == 0 ? origin : 0);
  }
  if (portion != 0) addDistances<T>(z, columns, load<f64>(field(state, FIRST)), portion, state);
  if (label >= first && label - first < columns) {
    const at = z + <usize>(label - first) * sizeof<T>();
    store<f64>(field(state, LABEL), <f64>load<T>(at));
    store<T>(at, <T>-Infinity);
  }
  const before = load<f64>(field(state, A));
  store<T>(TOP, <T>before);
  maxima<T>(z, 0, 1, false);
  const a = <f64>load<T>(TOP);
  aims<T>(1);
  if (a > before) {
    const shift = <f64>load<T>(SHIFT);
    const exponent = exponentOfUnit<T>();
    // of nothing, or of logits at −∞, nothing is left
    const factor = before == -Infinity ? 0 : toUnit(state, shift, exponent);
    store<f64>(field(state, A), a);
    store<f64>(field(state, S), load<f64>(field(state, S)) * factor);
    store<f64>(field(state, LOST), load<f64>(field(state, LOST)) * factor);
    store<f64>(field(state, SHIFTED), shift);
    store<f64>(field(state, EXPONENT), exponent);
  }
  exponentials<T>(z, 0, 0, 1, columns, false, AIM | SUM_UP | FINISH);
  addCompensated(field(state, S), load<f64>(SUM) * headroomInverse<T>());
  if (sizeof<T>() == 8)
    store<f64>(field(state, LOST), load<f64>(field(state, LOST)) + load<f64>(SUM + VECTOR) * headroomInverse<T>());
}

/**
 * Takes in a tile of logits c, [rows, columns], ldc elements apart, of the classes from `first` on; where there is a `bias`, it is
 * added. `portion` is a power of two, at most 1/n, or 0 without smoothing. The tile is left as it is not: biased, and without the labels.
 */
export function addLogits<T>(
  c: usize,
  ldc: usize,
  rows: i32,
  columns: i32,
  bias: usize,
  labels: usize,
  ignore: i32,
  first: i32,
  portion: f64,
  state: usize,
): void {
  temper<T>(1);
  placeAlong<T>(columns);
  for (; rows > 0; rows--) {
    const label = load<i32>(labels);
    if (label != ignore) addRow<T>(c, columns, bias, label, first, portion, state);
    labels += sizeof<i32>();
    c += ldc * sizeof<T>();
    state += STATE_BYTES;
  }
}

/**
 * The gradient of a tile of logits made anew, in its place: `share` is ε/n times the scale that `finishLogits` was given. `room` is
 * for a row of the tile, and a group beyond.
 */
export function logitGradients<T>(
  c: usize,
  ldc: usize,
  rows: i32,
  columns: i32,
  bias: usize,
  labels: usize,
  ignore: i32,
  first: i32,
  share: f64,
  state: usize,
  room: usize,
): void {
  temper<T>(1);
  placeAlong<T>(columns);
  for (; rows > 0; rows--) {
    const label = load<i32>(labels);
    if (label == ignore) memory.fill(c, 0, <usize>columns * sizeof<T>());
    else gradientOfRow<T>(c, columns, bias, label, first, share, state, room);
    labels += sizeof<i32>();
    c += ldc * sizeof<T>();
    state += STATE_BYTES;
  }
}

/** The same of a row. */
function gradientOfRow<T>(
  z: usize,
  columns: i32,
  bias: usize,
  label: i32,
  first: i32,
  share: f64,
  state: usize,
  room: usize,
): void {
  if (bias) addBias<T>(z, bias, columns);
  const isHere = label >= first && label - first < columns;
  const at = z + <usize>(label - first) * sizeof<T>();
  if (isHere) store<T>(at, <T>-Infinity);
  store<T>(TOP, <T>load<f64>(field(state, A)));
  aims<T>(1);
  exponentials<T>(z, room, 0, 1, columns, false, AIM | SUM_UP);
  // one factor after the other: their product may be below the normal numbers of f32, where q is 1e-20, say
  const headroom = splat<T>(<T>headroomInverse<T>());
  const factor = splat<T>(<T>load<f64>(field(state, FACTOR)));
  const less = splat<T>(<T>share);
  let e = room;
  for (let p = z, end = z + <usize>columns * sizeof<T>(); p < end; p += VECTOR) {
    v128.store(p, v128.sub<T>(v128.mul<T>(v128.mul<T>(v128.load(e), headroom), factor), less));
    e += VECTOR;
  }
  if (isHere) store<T>(at, <T>load<f64>(field(state, LABEL_GRADIENT)));
}
