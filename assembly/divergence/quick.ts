/**
 * The value of a row of probabilities in one pass, in the type:
 *
 *     D = Σ [q − p − p·log(q/p)] ≥ 0,  P = Σp,  C = Σ(q − p)                         (math/gap.ts)
 *     JS:  D of 2p and m, and of 2q and m,  m = p + q
 *
 * Terms, masses and changes are summed in the type a few vectors at a time, and these sums in f64; bound.ts has what comes of the
 * roundings. A row is left to wide.ts where that is too much, and where a number is negative, subnormal, infinite or 0 in q alone.
 */
import { half, join, maxKeepNaN, splat, sumF64, VECTOR } from "../lanes";
import { gap, smallest } from "../math/gap";
import { jsOfSums, klOfSums, nearlyEqual, rawJSOfSums, rawKLOfSums, RUN, RUN_OF_CHANGES } from "./bound";
import { KL } from "./codes";
import { addBothTo, addTo, CHANGE, clearSums, LEAST, MASS, OVERLAP, TERMS_OF_P, TERMS_OF_Q, total } from "./sums";

/** The last, partial vector of p and of q, padded. */
const LAST_P: usize = memory.data(16, 16);
const LAST_Q: usize = memory.data(16, 16);

/** The sums of `vectors` whole vectors, for KL. */
function stripKL<T>(p: usize, q: usize, vectors: i32): void {
  const zero = i32x4.splat(0);
  let least = v128.load(LEAST);
  for (; vectors > 0; vectors -= RUN_OF_CHANGES) {
    const end = p + <usize>min(vectors, RUN_OF_CHANGES) * VECTOR;
    let change = zero;
    while (p < end) {
      const runEnd = min(p + <usize>RUN<T>() * VECTOR, end);
      let terms = zero;
      let mass = zero;
      for (; p < runEnd; p += VECTOR, q += VECTOR) {
        const a = v128.load(p);
        const b = v128.load(q);
        const diff = v128.sub<T>(b, a);
        least = v128.pmin<T>(least, v128.pmin<T>(a, b));
        change = v128.add<T>(change, diff);
        mass = v128.add<T>(mass, a);
        terms = v128.add<T>(
          terms,
          gap<T>(maxKeepNaN<T>(a, smallest<T>()), maxKeepNaN<T>(b, smallest<T>()), diff, true),
        );
      }
      addBothTo<T>(TERMS_OF_P, terms, MASS, mass);
    }
    addTo<T>(CHANGE, change);
  }
  v128.store(LEAST, least);
}

/** C of f32 once more, where it is part of the value: every difference added in f64. */
function changeOf(p: usize, q: usize, vectors: i32): f64 {
  let low = f64x2.splat(0);
  let high = low;
  for (; vectors > 0; vectors--, p += VECTOR, q += VECTOR) {
    const diff = v128.sub<f32>(v128.load(q), v128.load(p));
    low = v128.add<f64>(low, half<f32>(diff, 0));
    high = v128.add<f64>(high, half<f32>(diff, 1));
  }
  return sumF64(v128.add<f64>(low, high));
}

/** q·f − p, where b is q·f rounded: of f32 by way of f64, so that it keeps its digits where it is small. */
// @ts-ignore: decorator
@inline
function scaledChange<T>(p: v128, q: v128, b: v128, f: v128): v128 {
  if (sizeof<T>() == 8) return v128.sub<f64>(b, p);
  const low = v128.sub<f64>(v128.mul<f64>(half<f32>(q, 0), f), half<f32>(p, 0));
  return join<f32>(low, v128.sub<f64>(v128.mul<f64>(half<f32>(q, 1), f), half<f32>(p, 1)));
}

/** q times the factor, and what it is more than p, of a run of JS. */
const FACTORED: usize = memory.data(256, 16);
const DIFFERENCES: usize = memory.data(256, 16);

/** … for JS, q times the factor. First p against m in a run, then q: both at once would not fit the registers (1.25 ×). */
function stripJS<T>(p: usize, q: usize, vectors: i32, factor: f64): void {
  const zero = i32x4.splat(0);
  const wideFactor = f64x2.splat(factor);
  const f = splat<T>(<T>factor);
  const scaled = factor != 1;
  let least = v128.load(LEAST);
  let overlap = v128.load(OVERLAP);
  for (; vectors > 0; vectors -= RUN_OF_CHANGES) {
    const end = p + <usize>min(vectors, RUN_OF_CHANGES) * VECTOR;
    let change = zero;
    while (p < end) {
      const bytes = min(<usize>RUN<T>() * VECTOR, end - p);
      let terms = zero;
      for (let i: usize = 0; i < bytes; i += VECTOR) {
        const a = v128.load(p + i);
        const own = v128.load(q + i);
        let b = own;
        let diff = v128.sub<T>(b, a);
        if (scaled) {
          b = v128.mul<T>(own, f);
          diff = scaledChange<T>(a, own, b, wideFactor);
          least = v128.pmin<T>(least, own); // a product of a negative number may be −0
        }
        v128.store(FACTORED + i, b);
        v128.store(DIFFERENCES + i, diff);
        const low = v128.pmin<T>(a, b);
        least = v128.pmin<T>(least, low);
        overlap = v128.pmax<T>(overlap, low);
        change = v128.add<T>(change, diff);
        const m = maxKeepNaN<T>(v128.add<T>(a, b), smallest<T>());
        terms = v128.add<T>(terms, gap<T>(maxKeepNaN<T>(v128.add<T>(a, a), smallest<T>()), m, diff, false));
      }
      addTo<T>(TERMS_OF_P, terms);
      terms = zero;
      for (let i: usize = 0; i < bytes; i += VECTOR) {
        const b = v128.load(FACTORED + i);
        const m = maxKeepNaN<T>(v128.add<T>(v128.load(p + i), b), smallest<T>());
        const diff = v128.neg<T>(v128.load(DIFFERENCES + i));
        terms = v128.add<T>(terms, gap<T>(maxKeepNaN<T>(v128.add<T>(b, b), smallest<T>()), m, diff, false));
      }
      addTo<T>(TERMS_OF_Q, terms);
      p += bytes;
      q += bytes;
    }
    addTo<T>(CHANGE, change);
  }
  v128.store(LEAST, least);
  v128.store(OVERLAP, overlap);
}

/** Σx of whole vectors, four at a time: one after the other would wait for the sum before. */
function sumOf<T>(x: usize, vectors: i32): f64 {
  let low = f64x2.splat(0);
  let high = low;
  for (; vectors > 3; vectors -= 4, x += 64) {
    const four = v128.add<T>(
      v128.add<T>(v128.load(x), v128.load(x, 16)),
      v128.add<T>(v128.load(x, 32), v128.load(x, 48)),
    );
    low = v128.add<f64>(low, half<T>(four, 0));
    if (sizeof<T>() == 4) high = v128.add<f64>(high, half<T>(four, 1));
  }
  for (; vectors > 0; vectors--, x += VECTOR) {
    low = v128.add<f64>(low, half<T>(v128.load(x), 0));
    if (sizeof<T>() == 4) high = v128.add<f64>(high, half<T>(v128.load(x), 1));
  }
  return sumF64(v128.add<f64>(low, high));
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

/** The number that `gap` takes at least. */
// @ts-ignore: decorator
@inline
function least<T>(): T {
  return leastLane<T>(smallest<T>());
}

/** Whether some p is negative, or some q is too small for `gap` where p is more. */
function suspicious<T>(p: usize, q: usize, n: i32): bool {
  const lanes = <i32>(VECTOR / sizeof<T>());
  let found = i32x4.splat(0);
  for (; n >= lanes; n -= lanes, p += VECTOR, q += VECTOR) {
    const a = v128.load(p);
    const b = v128.load(q);
    found = v128.or(
      found,
      v128.or(v128.lt<T>(a, i32x4.splat(0)), v128.and(v128.lt<T>(b, smallest<T>()), v128.gt<T>(a, b))),
    );
  }
  let rest = v128.any_true(found);
  for (; n > 0; n--, p += sizeof<T>(), q += sizeof<T>()) {
    rest = rest || load<T>(p) < 0 || (load<T>(q) < least<T>() && load<T>(p) > load<T>(q));
  }
  return rest;
}

/** The value of a row, or NaN if it is not exact enough. */
export function quick<T>(p: usize, q: usize, n: i32, kind: i32, normalize: bool): f64 {
  const single = sizeof<T>() == 4;
  const lanes = <i32>(VECTOR / sizeof<T>());
  const vectors = n / lanes;
  const tail = n - vectors * lanes ? 1 : 0;
  const offset = <usize>vectors * VECTOR;
  v128.store(LAST_P, smallest<T>());
  v128.store(LAST_Q, smallest<T>());
  for (let i: usize = 0, bytes = <usize>n * sizeof<T>() - offset; i < bytes; i += sizeof<T>()) {
    store<T>(LAST_P + i, load<T>(p + offset + i));
    store<T>(LAST_Q + i, load<T>(q + offset + i));
  }
  clearSums<T>();
  if (kind == KL) {
    stripKL<T>(p, q, vectors);
    stripKL<T>(LAST_P, LAST_Q, tail);
    if (leastLane<T>(v128.load(LEAST)) < least<T>() && suspicious<T>(p, q, n)) return NaN;
    if (normalize) return klOfSums(single, n);
    return rawKLOfSums(
      single,
      n,
      sizeof<T>() == 4 ? changeOf(p, q, vectors) + changeOf(LAST_P, LAST_Q, tail) : total(CHANGE),
    );
  }
  const a = sumOf<T>(p, vectors) + sumOf<T>(LAST_P, tail);
  const b = sumOf<T>(q, vectors) + sumOf<T>(LAST_Q, tail);
  let masses = a + b;
  let factor: f64 = 1;
  let swapped = false;
  if (normalize && !nearlyEqual(single, a, b)) {
    // the smaller stays as it is, whichever it is: JS is symmetric bit for bit
    factor = min(a, b) / max(a, b);
    if (factor < 1e-30) return NaN; // products would be subnormal
    masses = 2 * min(a, b);
    swapped = a > b;
  }
  if (swapped) {
    stripJS<T>(q, p, vectors, factor);
    stripJS<T>(LAST_Q, LAST_P, tail, factor);
  } else {
    stripJS<T>(p, q, vectors, factor);
    stripJS<T>(LAST_P, LAST_Q, tail, factor);
  }
  if (leastLane<T>(v128.load(LEAST)) < 0) return NaN;
  const disjoint = !v128.any_true(v128.gt<T>(v128.load(OVERLAP), smallest<T>()));
  return normalize ? jsOfSums(single, n, masses, factor != 1, disjoint) : rawJSOfSums(single, n, masses, disjoint);
}
