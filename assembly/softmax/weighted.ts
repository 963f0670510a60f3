/**
 * log Σⱼ wⱼ·e^{zⱼ} along rows: SciPy's logsumexp with b. Weights may be negative; an element of weight 0 is absent.
 *
 *     = a + log(w_a + Σ_{j ≠ argmax} wⱼ·e^{zⱼ − a}),    a the maximum of what is present
 *
 * In f64 for either type: the sum may cancel, and the argument of log may be near 1. The row at x is a copy, in which
 * absent elements become −∞. Steps as in softmax.ts.
 */
import { GROUP, select, sumError, VECTOR } from "../lanes";
import { expm1Reduced } from "../math/exp";
import { addLog } from "../math/log";
import { headroomInverse, reducedTop, temper, weighStrip } from "../rows/exponential";
import { AIM, aimRow, BEGIN, begin, collapseSum, findTop, FINISH, MAXIMUM, SUM_UP, total } from "../rows/passes";
import { loadTailGroup, TAIL, tailLength, TOP, wholeGroups } from "../rows/strip";

/** The padded last group of the weights. */
const WEIGHTS_TAIL: usize = memory.data(64, 16);

/** The weight of the maximum. */
let topWeight: f64 = 0;

/** What is absent becomes −∞; a +∞ of negative weight, whose sum has no value, NaN. TOP: the maximum, NaN if there is one. */
function presentStrip(x: usize, w: usize, count: i32): void {
  const zero = f64x2.splat(0);
  const infinite = f64x2.splat(Infinity);
  let top = v128.load(TOP);
  for (let vectors = 4 * count; vectors > 0; vectors--) {
    const z = v128.load(x);
    const weight = v128.load(w);
    const undefinedSum = v128.and(v128.eq<f64>(z, infinite), v128.lt<f64>(weight, zero));
    const present = select(v128.eq<f64>(weight, zero), v128.neg<f64>(infinite), v128.or(z, undefinedSum));
    v128.store(x, present);
    top = v128.max<f64>(top, present);
    x += VECTOR;
    w += VECTOR;
  }
  v128.store(TOP, top);
}

/** The result; a maximum that is infinite or NaN is the result itself. */
function finishWeighted(): f64 {
  const top = f64x2.extract_lane(v128.load(TOP), 0);
  if (top - top != 0) return top;
  const scaled = v128.mul<f64>(total<f64>(0, 0), f64x2.splat(headroomInverse<f64>()));
  const rest = v128.div<f64>(scaled, v128.add<f64>(f64x2.splat(1), expm1Reduced<f64>(reducedTop<f64>(0))));
  const weight = f64x2.splat(topWeight);
  const sum = v128.add<f64>(weight, rest);
  return f64x2.extract_lane(addLog(f64x2.splat(top), sum, sumError(weight, rest, sum)), 0);
}

export function weightedRows(x: usize, w: usize, y: usize, rows: i32, n: i32, steps: i32): void {
  temper<f64>(1);
  const groups = wholeGroups<f64>(n);
  const tail = tailLength<f64>(n);
  const body = <usize>groups * GROUP;
  const row = <usize>n * sizeof<f64>();
  for (; rows > 0; rows--) {
    if (steps & BEGIN) begin<f64>(false);
    if (steps & (MAXIMUM | SUM_UP)) {
      presentStrip(x, w, groups);
      if (tail) {
        loadTailGroup<f64>(w + body, tail, 0);
        memory.copy(WEIGHTS_TAIL, TAIL, GROUP);
        loadTailGroup<f64>(x + body, tail, -Infinity);
        presentStrip(TAIL, WEIGHTS_TAIL, 1);
        memory.copy(x + body, TAIL, <usize>tail * sizeof<f64>());
      }
    }
    if (steps & AIM) aimRow<f64>();
    if (steps & SUM_UP) {
      const at = findTop<f64>(x, n);
      if (at) {
        topWeight = load<f64>(at - x + w);
        store<f64>(at, -Infinity);
      }
      weighStrip(x, w, groups);
      if (tail) {
        loadTailGroup<f64>(x + body, tail, -Infinity);
        weighStrip(TAIL, WEIGHTS_TAIL, 1);
      }
    }
    if (steps & FINISH) {
      collapseSum<f64>();
      store<f64>(y, finishWeighted());
      y += sizeof<f64>();
    }
    x += row;
    w += row;
  }
}
