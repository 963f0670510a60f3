/**
 * The value of a row of probabilities in one pass, in the type.
 */
import { maxKeepNaN, splat, VECTOR } from "../lanes";
import { gap, smallest } from "../math/gap";
import { JS, KL } from "./codes";
import { addTo, CHANGE, clearSums, D, LEAST, MASS, OVERLAP, RUN, total } from "./sums";
import { valueOf } from "./value";

/** The last, partial vector of p and of q, padded. */
const LAST: usize = memory.data(32, 16);

/** The sums of `vectors` whole vectors, for KL. */
function stripKL<T>(p: usize, q: usize, vectors: i32): void {
  const zero = i32x4.splat(0);
  let least = v128.load(LEAST);
  for (; vectors > 0; vectors -= RUN) {
    const end = p + <usize>min(vectors, RUN) * VECTOR;
    let sum = zero;
    let mass = zero;
    let change = zero;
    for (; p < end; p += VECTOR, q += VECTOR) {
      const a = v128.load(p);
      const b = v128.load(q);
      const diff = v128.sub<T>(b, a);
      least = v128.pmin<T>(least, v128.pmin<T>(a, b));
      change = v128.add<T>(change, diff);
      mass = v128.add<T>(mass, a);
      sum = v128.add<T>(sum, gap<T>(maxKeepNaN<T>(a, smallest<T>()), maxKeepNaN<T>(b, smallest<T>()), diff, true));
    }
    addTo<T>(D, sum);
    addTo<T>(MASS, mass);
    addTo<T>(CHANGE, change);
  }
  v128.store(LEAST, least);
}

/** … for JS, q times the factor. First p against m in a run, then q: both at once would not fit the registers (1.25 ×). */
function stripJS<T>(p: usize, q: usize, vectors: i32, factor: f64): void {
  const zero = i32x4.splat(0);
  const f = splat<T>(<T>factor);
  let least = v128.load(LEAST);
  let common = v128.load(OVERLAP);
  for (; vectors > 0; vectors -= RUN) {
    const bytes = <usize>min(vectors, RUN) * VECTOR;
    let sum = zero;
    let mass = zero;
    for (let i: usize = 0; i < bytes; i += VECTOR) {
      const a = v128.load(p + i);
      const b = v128.mul<T>(v128.load(q + i), f);
      const low = v128.pmin<T>(a, b);
      least = v128.pmin<T>(least, low);
      common = v128.pmax<T>(common, low);
      const both = v128.add<T>(a, b);
      mass = v128.add<T>(mass, both);
      const m = maxKeepNaN<T>(both, smallest<T>());
      sum = v128.add<T>(sum, gap<T>(maxKeepNaN<T>(v128.add<T>(a, a), smallest<T>()), m, v128.sub<T>(b, a), false));
    }
    let change = zero;
    let other = zero;
    for (let i: usize = 0; i < bytes; i += VECTOR) {
      const a = v128.load(p + i);
      const b = v128.mul<T>(v128.load(q + i), f);
      const diff = v128.sub<T>(a, b);
      change = v128.sub<T>(change, diff);
      const m = maxKeepNaN<T>(v128.add<T>(a, b), smallest<T>());
      other = v128.add<T>(other, gap<T>(maxKeepNaN<T>(v128.add<T>(b, b), smallest<T>()), m, diff, false));
    }
    addTo<T>(D, v128.add<T>(sum, other));
    addTo<T>(MASS, mass);
    addTo<T>(CHANGE, change);
    p += bytes;
    q += bytes;
  }
  v128.store(LEAST, least);
  v128.store(OVERLAP, common);
}

/** Σx of whole vectors, four at a time: one after the other would wait for the sum before. */
function sumOfVectors<T>(x: usize, vectors: i32, sum: usize): void {
  for (; vectors > 0; vectors -= RUN) {
    const end = x + <usize>min(vectors, RUN) * VECTOR;
    let run = i32x4.splat(0);
    for (; x + 48 < end; x += 64) {
      run = v128.add<T>(run, v128.add<T>(v128.add<T>(v128.load(x), v128.load(x, 16)), v128.add<T>(v128.load(x, 32), v128.load(x, 48))));
    }
    for (; x < end; x += VECTOR) run = v128.add<T>(run, v128.load(x));
    addTo<T>(sum, run);
  }
}

/** The smallest of the lanes. */
// @ts-ignore: decorator
@inline
function leastLane<T>(v: v128): T {
  v = v128.pmin<T>(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  if (sizeof<T>() == 4) {
    v = v128.pmin<T>(v, i32x4.shuffle(v, v, 1, 0, 3, 2));
    return <T>f32x4.extract_lane(v, 0);
  }
  return <T>f64x2.extract_lane(v, 0);
}

/** Whether some p is negative, or some q is not a normal number where p is more. */
function suspicious<T>(p: usize, q: usize, n: i32): bool {
  const lanes = <i32>(VECTOR / sizeof<T>());
  let found = i32x4.splat(0);
  for (; n >= lanes; n -= lanes, p += VECTOR, q += VECTOR) {
    const a = v128.load(p);
    const b = v128.load(q);
    found = v128.or(found, v128.or(v128.lt<T>(a, i32x4.splat(0)), v128.and(v128.lt<T>(b, smallest<T>()), v128.gt<T>(a, b))));
  }
  let rest = v128.any_true(found);
  const limit = <T>(sizeof<T>() == 4 ? 1.1754943508222875e-38 : 2.2250738585072014e-308);
  for (; n > 0; n--, p += sizeof<T>(), q += sizeof<T>()) {
    rest = rest || load<T>(p) < 0 || (load<T>(q) < limit && load<T>(p) > load<T>(q));
  }
  return rest;
}

/** The value of a row, or NaN if it is not exact enough. */
export function quick<T>(p: usize, q: usize, n: i32, kind: i32, normalize: bool): f64 {
  const lanes = <i32>(VECTOR / sizeof<T>());
  const vectors = n / lanes;
  const tail = n - vectors * lanes;
  clearSums<T>();
  v128.store(LAST, smallest<T>());
  v128.store(LAST, smallest<T>(), VECTOR);
  const offset = <usize>vectors * VECTOR;
  for (let i: usize = 0; i < <usize>tail * sizeof<T>(); i += sizeof<T>()) {
    store<T>(LAST + i, load<T>(p + offset + i));
    store<T>(LAST + VECTOR + i, load<T>(q + offset + i));
  }
  let factor: f64 = 1;
  let lastP = LAST;
  if (kind == JS && normalize) {
    sumOfVectors<T>(p, vectors, MASS);
    sumOfVectors<T>(q, vectors, CHANGE);
    if (tail) {
      sumOfVectors<T>(LAST, 1, MASS);
      sumOfVectors<T>(LAST + VECTOR, 1, CHANGE);
    }
    const a = total(MASS);
    const b = total(CHANGE);
    if (Math.abs(a - b) > (a + b) * (sizeof<T>() == 4 ? 1.2e-7 : 3e-12)) {
      // the smaller stays as it is, whichever it is: JS is symmetric bit for bit
      factor = min(a, b) / max(a, b);
      if (a > b) {
        const larger = p;
        p = q;
        q = larger;
        lastP = LAST + VECTOR;
      }
    }
    clearSums<T>();
  }
  const lastQ = LAST + LAST + VECTOR - lastP;
  if (kind == KL) stripKL<T>(p, q, vectors);
  else stripJS<T>(p, q, vectors, factor);
  if (tail) {
    if (kind == KL) stripKL<T>(lastP, lastQ, 1);
    else stripJS<T>(lastP, lastQ, 1, factor);
  }
  if (leastLane<T>(v128.load(LEAST)) < least<T>(kind) && (kind == JS || suspicious<T>(p, q, n))) return NaN;
  const disjoint = kind == JS && !v128.any_true(v128.gt<T>(v128.load(OVERLAP), smallest<T>()));
  return valueOf(kind, normalize, disjoint, factor != 1, sizeof<T>() == 4);
}

/** Below this an element is looked at: the smallest normal number, for JS 0. */
// @ts-ignore: decorator
@inline
function least<T>(kind: i32): T {
  return kind == JS ? <T>0 : <T>(sizeof<T>() == 4 ? 1.1754943508222875e-38 : 2.2250738585072014e-308);
}
