/**
 * e^{x/T} over a strip, relative to its maximum a, without the rounding error of x − a.
 *
 * The usual softmax rounds x − a and then exponentiates: an error of |x − a|·u in every result. Here x itself is
 * reduced, and the maximum only chooses a power of two:
 *
 *     x = n·T·ln 2 + r,             |r| ≤ T·ln2 / 2,        e^{x/T} = 2ⁿ·(1 + t),   t = e^{r/T} − 1
 *     k = the n of a,               σ = 2^{n − k},          e^{x/T} / 2ᵏ = σ·(1 + t)
 *
 * n·head(T·ln 2) is exact and so is x − n·head: r carries one rounding. 2ᵏ is common to a row and cancels in a softmax,
 * and pieces of a row differ by exponents alone. The temperature costs nothing, for the polynomial gives T·t at once:
 *
 *     T·t = r + r²·q(r),            the coefficients of q divided by T, T², …
 *
 * Where |a| > limit, n would be too large for that. But then every x within `depth` of a is at least a/2, x − a is exact
 * by Sterbenz's lemma, and is taken first, block by block (a′ = a; elsewhere a′ = 0). An element more than `depth` below a
 * is cut off there: its σ is under half the smallest subnormal, and comes out as 0.
 *
 * σ carries a factor 2^64 (f32) or 2^512 (f64), so that subnormal results stay normal until the last multiplication.
 */
import {
  abs,
  broadcast,
  byteMask,
  columnOf,
  constant,
  GROUP,
  half,
  madd,
  maxKeepNaN,
  nmadd,
  select,
  splat,
  VECTOR,
} from "../lanes";
import { EXP, EXP_COEFFICIENTS, EXP_MAGIC, expTerms } from "../math/exp";
import { addTo, SUM_BYTES } from "../sum";
import { FLOOR, groups, MAGIC, NEAR, PARTS, SHIFT, stateOf, step, tail, TOP } from "./batch";

/** What depends on the temperature, a table per type: log2(e)/T, T·ln 2 in two parts, T, 1/T, limit, depth, and q. */
const TEMPERED32: usize = memory.data(64, 16);
const TEMPERED64: usize = memory.data(160, 16);
const LOG2E = 0;
const HEAD = 1;
const REST = 2;
const TEMPERATURE = 3;
const INVERSE = 4;
const LIMIT = 5;
const DEPTH = 6;
const Q = 7;

/** The temperature that the tables are for. */
let temperature32: f64 = 0;
let temperature64: f64 = 0;

// @ts-ignore: decorator
@inline
function tempered<T>(): usize {
  return sizeof<T>() == 4 ? TEMPERED32 : TEMPERED64;
}

// @ts-ignore: decorator
@inline
function put<T>(i: i32, value: f64): void {
  store<T>(tempered<T>() + <usize>i * sizeof<T>(), <T>value);
}

/** Sets the temperature T of the passes that follow: 1e-8 to 1e8, which keeps every entry of the tables normal. */
export function temper<T>(t: f64): void {
  if (t == (sizeof<T>() == 4 ? temperature32 : temperature64)) return;
  if (sizeof<T>() == 4) temperature32 = t;
  else temperature64 = t;
  const LN2 = reinterpret<f64>(0x3fe62e42fefa39ef); // 0x1.62e42fefa39efp-1
  const LN2_REST = reinterpret<f64>(0x3c7abc9e3b39803f); // 0x1.abc9e3b39803fp-56
  // t·ln 2 = product + error, exactly (Dekker 1971)
  const SPLIT: f64 = 134217729; // 2^27 + 1
  const product = t * LN2;
  const t1 = t * SPLIT - (t * SPLIT - t);
  const t2 = t - t1;
  const l1 = LN2 * SPLIT - (LN2 * SPLIT - LN2);
  const l2 = LN2 - l1;
  const error = t2 * l2 - (product - t1 * l1 - t2 * l1 - t1 * l2);
  // a head of 13 bits (f32) or 40 (f64), which |n| < 2^11 (2^13) leaves exact
  const head = reinterpret<f64>(
    reinterpret<u64>(product) & (sizeof<T>() == 4 ? 0xffffff0000000000 : 0xffffffffffffe000),
  );
  put<T>(LOG2E, 1.4426950408889634 / t);
  put<T>(HEAD, head);
  put<T>(REST, product - head + error + t * LN2_REST);
  put<T>(TEMPERATURE, t);
  put<T>(INVERSE, 1.0 / t);
  // e^-120 < 2^-173 and e^-760 < 2^-1096; the limit is more than twice the depth
  put<T>(LIMIT, (sizeof<T>() == 4 ? 256.0 : 1600.0) * t);
  put<T>(DEPTH, (sizeof<T>() == 4 ? 120.0 : 760.0) * t);
  let power: f64 = 1;
  for (let i = 0; i < expTerms<T>(); i++) {
    power /= t;
    put<T>(Q + i, <f64>load<T>(EXP_COEFFICIENTS<T>() + <usize>i * sizeof<T>()) * power);
  }
}

/** σ of n + bias, which stand in the low bits of s. */
// @ts-ignore: decorator
@inline
function powerOfTwo<T>(s: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.shl(s, 23) : i64x2.shl(s, 52);
}

/** Exponents are biased by this much more than the format's own bias. */
const HEADROOM32 = 64;
const HEADROOM64 = 512;

/** 2^-headroom, which takes the factor out of a sum. */
// @ts-ignore: decorator
@inline
export function headroomInverse<T>(): f64 {
  return sizeof<T>() == 4 ? 5.421010862427522e-20 : 7.458340731200207e-155;
}

/**
 * Chooses a′, the floor and the magic number of the rows at offset `v` from their maxima. The magic number m brings n and its bias
 * into the low bits at once: x·log2(e)/T + m = m + n, and m = 1.5·2^23 − k + 127 + 64 (f32) or 1.5·2^52 − k + 1023 + 512 (f64).
 */
// @ts-ignore: decorator
@inline
function aim<T>(v: usize): void {
  const table = tempered<T>();
  const magic = constant<T>(EXP<T>(), EXP_MAGIC);
  const top = v128.load(TOP + v);
  const far = v128.gt<T>(abs<T>(top), constant<T>(table, LIMIT));
  const near = v128.andnot(top, far); // a − a′
  const k = v128.andnot(v128.sub<T>(madd<T>(top, constant<T>(table, LOG2E), magic), magic), far);
  const biased = v128.add<T>(
    magic,
    splat<T>(<T>(sizeof<T>() == 4 ? 127.0 + <f64>HEADROOM32 : 1023.0 + <f64>HEADROOM64)),
  );
  v128.store(MAGIC + v, v128.sub<T>(biased, k));
  v128.store(FLOOR + v, v128.sub<T>(near, constant<T>(table, DEPTH)));
  v128.store(NEAR + v, near);
  v128.store(SHIFT + v, v128.and(top, far));
  // +0 for −0: which of two zeros is met first depends on how the row stands
  v128.store(TOP + v, v128.add<T>(top, splat<T>(0)));
}

/** Aims at the maxima of so many rows. */
export function aims<T>(rows: i32): void {
  for (let v: usize = 0, end = <usize>rows * sizeof<T>(); v < end; v += VECTOR) aim<T>(v);
}

/** The k that a first row's sums are in units of, 2ᵏ·e^{a′/T}; a′ is in SHIFT. */
export function exponentOfUnit<T>(): f64 {
  const magic = load<T>(EXP<T>() + EXP_MAGIC * sizeof<T>());
  const bias = <T>(sizeof<T>() == 4 ? 127.0 + <f64>HEADROOM32 : 1023.0 + <f64>HEADROOM64);
  return <f64>(magic + bias - load<T>(MAGIC)); // all three are integers, below 2^24 (2^53)
}

/** r/T of the maxima themselves: e^{(a − a′)/T} = 2ᵏ·(1 + expm1(r/T)). */
export function reducedTop<T>(v: usize): v128 {
  const table = tempered<T>();
  const magic = constant<T>(EXP<T>(), EXP_MAGIC);
  const near = v128.load(NEAR + v);
  const k = v128.sub<T>(madd<T>(near, constant<T>(table, LOG2E), magic), magic);
  const r = nmadd<T>(k, constant<T>(table, REST), nmadd<T>(k, constant<T>(table, HEAD), near));
  return v128.mul<T>(r, constant<T>(table, INVERSE));
}

/** Of sums taken exactly, Σ σ + (Σ σ·T·t)/T in the first of them. */
export function foldParts<T>(): void {
  const inverse = f64x2.splat(1 / (sizeof<T>() == 4 ? temperature32 : temperature64));
  for (let part = PARTS + SUM_BYTES; part <= PARTS + 2 * SUM_BYTES; part += SUM_BYTES) {
    const head = v128.mul<f64>(v128.load(part), inverse);
    const rest = v128.mul<f64>(v128.load(part, VECTOR), inverse);
    if (sizeof<T>() == 8) addTo<T>(PARTS, head);
    else v128.store(PARTS, v128.add<f64>(v128.load(PARTS), head));
    v128.store(PARTS, v128.add<f64>(v128.load(PARTS, VECTOR), rest), VECTOR);
  }
}

/** Rows of up to so many elements are narrow. */
// @ts-ignore: decorator
@inline
export function narrowest<T>(): i32 {
  return sizeof<T>() == 4 ? 12 : 8;
}

/** How the four vectors of a group are summed: in the type, which is off by 2 u at most, and of many elements by much less. */
export const WIDE = 0;
/** Of a narrow row across: each in f64. */
export const NARROW = 1;
/** Of a narrow row along: the same sums in the same order, of elements 4i to 4i + 3 in lane i. So a row has its bits in any company. */
export const TURNED = 2;

// @ts-ignore: decorator
@inline
function addHalves<T>(v0: v128, v1: v128, v2: v128, v3: v128, h: i32): v128 {
  return v128.add<f64>(v128.add<f64>(half<T>(v0, h), half<T>(v1, h)), v128.add<f64>(half<T>(v2, h), half<T>(v3, h)));
}

/** Adds a group to the sum of its part. */
// @ts-ignore: decorator
@inline
function addGroup<T>(v0: v128, v1: v128, v2: v128, v3: v128, sums: i32, part: usize): void {
  const sum = PARTS + part * SUM_BYTES;
  if (sums != WIDE) {
    let c0 = v0,
      c1 = v1,
      c2 = v2,
      c3 = v3;
    if (sums == TURNED) {
      if (sizeof<T>() == 8) {
        c0 = columnOf<T>(0, v0, v2, v0, v2);
        c1 = columnOf<T>(1, v0, v2, v0, v2);
        c2 = columnOf<T>(0, v1, v3, v1, v3);
        c3 = columnOf<T>(1, v1, v3, v1, v3);
      } else {
        c0 = columnOf<T>(0, v0, v1, v2, v3);
        c1 = columnOf<T>(1, v0, v1, v2, v3);
        c2 = columnOf<T>(2, v0, v1, v2, v3);
        c3 = columnOf<T>(3, v0, v1, v2, v3);
      }
    }
    if (sizeof<T>() == 4) {
      v128.store(sum, v128.add<f64>(v128.load(sum), addHalves<T>(c0, c1, c2, c3, 0)));
      v128.store(sum, v128.add<f64>(v128.load(sum, VECTOR), addHalves<T>(c0, c1, c2, c3, 1)), VECTOR);
      return;
    }
    v0 = c0;
    v1 = c1;
    v2 = c2;
    v3 = c3;
  }
  addTo<T>(sum, v128.add<T>(v128.add<T>(v0, v1), v128.add<T>(v2, v3)));
}

/** T·e = σ·(T + T·t) stored at `y` and summed: softmax, in which T cancels. */
const KEEP = 0;
/** σ and σ·t summed apart, which spares them the rounding of 1 + t, and for f64 those of r and t: 0.3 u instead of 1.6 u. */
const EXACT = 1;
/** The same with a weight to each element, which stands at `y`. */
const WEIGHTED = 2;

/** Whether sums that are EXACT come with Σ e^{x − a}·(a − x), of rows along at T = 1, behind the other parts: the entropy is made of it. */
const SCORING: usize = memory.data(4, 4);

/** Which of the sums of PARTS that is. Families that define SCORES, as softmax does, have the code for it. */
export const SCORE: usize = 3;

/**
 * Reduces, exponentiates and sums a strip whose maxima are within the limit: the one body of all passes.
 *
 * Four vectors stage by stage, from the load to the sum, so that their four chains of 50 cycles overlap: 7.5 cycles a vector, 9.7
 * with a polynomial at a time. Engines keep this order; tools/optimize.ts sees to it that Binaryen does. `cut`: the bytes that
 * count of a last group beyond the whole ones. Four vectors a line.
 */
// prettier-ignore
// @ts-ignore: decorator
@inline
function exponentialStrip<T>(x: usize, xStep: usize, y: usize, yStep: usize, whole: i32, cut: usize, floor: v128, magic: v128, sums: i32, mode: i32): void {
  const table = tempered<T>();
  const log2e = constant<T>(table, LOG2E);
  const head = constant<T>(table, HEAD);
  const rest = constant<T>(table, REST);
  for (let left = whole + <i32>(cut != 0); left > 0; left--) {
    const last = left == 1 && cut != 0;
    let r0 = v128.load(x), r1 = v128.load(x + xStep), r2 = v128.load(x + 2 * xStep), r3 = v128.load(x + 3 * xStep);
    if (last) {
      r0 = select(byteMask(cut, 0), r0, floor); r1 = select(byteMask(cut, 1), r1, floor); r2 = select(byteMask(cut, 2), r2, floor); r3 = select(byteMask(cut, 3), r3, floor);
    }
    r0 = maxKeepNaN<T>(r0, floor); r1 = maxKeepNaN<T>(r1, floor); r2 = maxKeepNaN<T>(r2, floor); r3 = maxKeepNaN<T>(r3, floor);

    // x = n·T·ln 2 + r, n and its bias in the low bits of s
    let s0 = madd<T>(r0, log2e, magic), s1 = madd<T>(r1, log2e, magic), s2 = madd<T>(r2, log2e, magic), s3 = madd<T>(r3, log2e, magic);
    const n0 = v128.sub<T>(s0, magic), n1 = v128.sub<T>(s1, magic), n2 = v128.sub<T>(s2, magic), n3 = v128.sub<T>(s3, magic);
    r0 = nmadd<T>(n0, head, r0); r1 = nmadd<T>(n1, head, r1); r2 = nmadd<T>(n2, head, r2); r3 = nmadd<T>(n3, head, r3);
    const h0 = r0, h1 = r1, h2 = r2, h3 = r3;
    r0 = nmadd<T>(n0, rest, r0); r1 = nmadd<T>(n1, rest, r1); r2 = nmadd<T>(n2, rest, r2); r3 = nmadd<T>(n3, rest, r3);
    s0 = powerOfTwo<T>(s0); s1 = powerOfTwo<T>(s1); s2 = powerOfTwo<T>(s2); s3 = powerOfTwo<T>(s3);
    if (last) {
      // what is masked adds nothing, not even the e^-120 of the floor
      s0 = v128.and(s0, byteMask(cut, 0)); s1 = v128.and(s1, byteMask(cut, 1)); s2 = v128.and(s2, byteMask(cut, 2)); s3 = v128.and(s3, byteMask(cut, 3));
    }

    // q(r), by Horner's scheme
    let c = constant<T>(table, Q + expTerms<T>() - 1);
    const d = constant<T>(table, Q + expTerms<T>() - 2);
    let p0 = madd<T>(c, r0, d), p1 = madd<T>(c, r1, d), p2 = madd<T>(c, r2, d), p3 = madd<T>(c, r3, d);
    if (sizeof<T>() == 8) {
      c = constant<T>(table, Q + 7); p0 = madd<T>(p0, r0, c); p1 = madd<T>(p1, r1, c); p2 = madd<T>(p2, r2, c); p3 = madd<T>(p3, r3, c);
      c = constant<T>(table, Q + 6); p0 = madd<T>(p0, r0, c); p1 = madd<T>(p1, r1, c); p2 = madd<T>(p2, r2, c); p3 = madd<T>(p3, r3, c);
      c = constant<T>(table, Q + 5); p0 = madd<T>(p0, r0, c); p1 = madd<T>(p1, r1, c); p2 = madd<T>(p2, r2, c); p3 = madd<T>(p3, r3, c);
      c = constant<T>(table, Q + 4); p0 = madd<T>(p0, r0, c); p1 = madd<T>(p1, r1, c); p2 = madd<T>(p2, r2, c); p3 = madd<T>(p3, r3, c);
      c = constant<T>(table, Q + 3); p0 = madd<T>(p0, r0, c); p1 = madd<T>(p1, r1, c); p2 = madd<T>(p2, r2, c); p3 = madd<T>(p3, r3, c);
    }
    c = constant<T>(table, Q + 2); p0 = madd<T>(p0, r0, c); p1 = madd<T>(p1, r1, c); p2 = madd<T>(p2, r2, c); p3 = madd<T>(p3, r3, c);
    c = constant<T>(table, Q + 1); p0 = madd<T>(p0, r0, c); p1 = madd<T>(p1, r1, c); p2 = madd<T>(p2, r2, c); p3 = madd<T>(p3, r3, c);
    c = constant<T>(table, Q); p0 = madd<T>(p0, r0, c); p1 = madd<T>(p1, r1, c); p2 = madd<T>(p2, r2, c); p3 = madd<T>(p3, r3, c);

    // T·t = r + r²·q(r); with the rounding error of r, where r itself is summed apart
    const t0 = v128.mul<T>(r0, r0), t1 = v128.mul<T>(r1, r1), t2 = v128.mul<T>(r2, r2), t3 = v128.mul<T>(r3, r3);
    let e0 = r0, e1 = r1, e2 = r2, e3 = r3;
    if (mode != KEEP && sizeof<T>() == 8) {
      e0 = nmadd<T>(n0, rest, v128.sub<T>(h0, r0)); e1 = nmadd<T>(n1, rest, v128.sub<T>(h1, r1));
      e2 = nmadd<T>(n2, rest, v128.sub<T>(h2, r2)); e3 = nmadd<T>(n3, rest, v128.sub<T>(h3, r3));
    }
    p0 = madd<T>(t0, p0, e0); p1 = madd<T>(t1, p1, e1); p2 = madd<T>(t2, p2, e2); p3 = madd<T>(t3, p3, e3);

    if (mode == KEEP) {
      c = constant<T>(table, TEMPERATURE); p0 = v128.add<T>(p0, c); p1 = v128.add<T>(p1, c); p2 = v128.add<T>(p2, c); p3 = v128.add<T>(p3, c);
      p0 = v128.mul<T>(s0, p0); p1 = v128.mul<T>(s1, p1); p2 = v128.mul<T>(s2, p2); p3 = v128.mul<T>(s3, p3);
      addGroup<T>(p0, p1, p2, p3, sums, 0);
      if (last) {
        p0 = select(byteMask(cut, 0), p0, v128.load(y)); p1 = select(byteMask(cut, 1), p1, v128.load(y + yStep));
        p2 = select(byteMask(cut, 2), p2, v128.load(y + 2 * yStep)); p3 = select(byteMask(cut, 3), p3, v128.load(y + 3 * yStep));
      }
      v128.store(y, p0); v128.store(y + yStep, p1); v128.store(y + 2 * yStep, p2); v128.store(y + 3 * yStep, p3);
    } else {
      if (mode == WEIGHTED) {
        s0 = v128.mul<T>(s0, v128.load(y)); s1 = v128.mul<T>(s1, v128.load(y + yStep));
        s2 = v128.mul<T>(s2, v128.load(y + 2 * yStep)); s3 = v128.mul<T>(s3, v128.load(y + 3 * yStep));
      }
      addGroup<T>(s0, s1, s2, s3, sums, 0);
      if (sizeof<T>() == 8)
        addGroup<T>(v128.mul<T>(s0, r0), v128.mul<T>(s1, r1), v128.mul<T>(s2, r2), v128.mul<T>(s3, r3), sums, 2);
      addGroup<T>(v128.mul<T>(s0, p0), v128.mul<T>(s1, p1), v128.mul<T>(s2, p2), v128.mul<T>(s3, p3), sums, 1);
      if (mode == EXACT && isDefined(SCORES) && load<i32>(SCORING)) {
        if (sizeof<T>() == 8) {
          p0 = v128.add<T>(p0, r0); p1 = v128.add<T>(p1, r1); p2 = v128.add<T>(p2, r2); p3 = v128.add<T>(p3, r3);
        }
        // not fused: in f64, relaxed, V8 of Node 24 takes twice as long over the whole loop then
        s0 = v128.add<T>(s0, v128.mul<T>(s0, p0)); s1 = v128.add<T>(s1, v128.mul<T>(s1, p1)); s2 = v128.add<T>(s2, v128.mul<T>(s2, p2)); s3 = v128.add<T>(s3, v128.mul<T>(s3, p3));
        // the elements once more, rather than kept in registers all the while
        r0 = v128.load(x); r1 = v128.load(x + xStep); r2 = v128.load(x + 2 * xStep); r3 = v128.load(x + 3 * xStep);
        if (last) {
          r0 = select(byteMask(cut, 0), r0, floor); r1 = select(byteMask(cut, 1), r1, floor); r2 = select(byteMask(cut, 2), r2, floor); r3 = select(byteMask(cut, 3), r3, floor);
        }
        const near = broadcast<T>(NEAR);
        r0 = v128.sub<T>(near, maxKeepNaN<T>(r0, floor)); r1 = v128.sub<T>(near, maxKeepNaN<T>(r1, floor));
        r2 = v128.sub<T>(near, maxKeepNaN<T>(r2, floor)); r3 = v128.sub<T>(near, maxKeepNaN<T>(r3, floor));
        addGroup<T>(v128.mul<T>(s0, r0), v128.mul<T>(s1, r1), v128.mul<T>(s2, r2), v128.mul<T>(s3, r3), sums, SCORE);
      }
    }
    x += 4 * xStep;
    y += 4 * yStep;
  }
}

function keepNear<T>(
  x: usize,
  xStep: usize,
  y: usize,
  yStep: usize,
  whole: i32,
  cut: usize,
  floor: v128,
  magic: v128,
  sums: i32,
): void {
  exponentialStrip<T>(x, xStep, y, yStep, whole, cut, floor, magic, sums, KEEP);
}

function sumNear<T>(x: usize, xStep: usize, whole: i32, cut: usize, floor: v128, magic: v128, sums: i32): void {
  exponentialStrip<T>(x, xStep, 0, 0, whole, cut, floor, magic, sums, EXACT);
}

function weighNear(x: usize, w: usize, whole: i32, floor: v128, magic: v128): void {
  exponentialStrip<f64>(x, VECTOR, w, VECTOR, whole, 0, floor, magic, WIDE, WEIGHTED);
}

/** Groups of a block of x − a′. */
const BLOCK_GROUPS = 16;
const BLOCK: usize = memory.data(1024, 16);

/** x − a′ of up to a block's groups, to BLOCK. The maximum itself becomes a − a′, an infinite one too. */
function subtractShift<T>(x: usize, xStep: usize, count: i32, unit: i32): void {
  const top = stateOf<T>(TOP, unit);
  const near = stateOf<T>(NEAR, unit);
  const shift = stateOf<T>(SHIFT, unit);
  for (let y = BLOCK, end = BLOCK + <usize>count * GROUP; y < end; y += VECTOR) {
    const z = v128.load(x);
    v128.store(y, select(v128.eq<T>(z, top), near, v128.sub<T>(z, shift)));
    x += xStep;
  }
}

/** Walks a strip of a unit, by way of BLOCK where one of its maxima is beyond the limit. */
// @ts-ignore: decorator
@inline
function walk<T>(
  x: usize,
  xStep: usize,
  y: usize,
  yStep: usize,
  whole: i32,
  cut: usize,
  unit: i32,
  sums: i32,
  mode: i32,
): void {
  const floor = stateOf<T>(FLOOR, unit);
  const magic = stateOf<T>(MAGIC, unit);
  const far = v128.any_true(stateOf<T>(SHIFT, unit));
  for (let left = whole + <i32>(cut != 0); left > 0; left -= BLOCK_GROUPS) {
    const count = far ? min(left, BLOCK_GROUPS) : left;
    const here = count == left ? cut : 0;
    const wholeHere = count - <i32>(here != 0);
    if (far) subtractShift<T>(x, xStep, count, unit);
    const from = far ? BLOCK : x;
    const fromStep = far ? VECTOR : xStep;
    if (mode == KEEP) keepNear<T>(from, fromStep, y, yStep, wholeHere, here, floor, magic, sums);
    else if (mode == EXACT) sumNear<T>(from, fromStep, wholeHere, here, floor, magic, sums);
    else weighNear(from, y, wholeHere, floor, magic);
    if (!far) return;
    x += xStep * 4 * BLOCK_GROUPS;
    y += yStep * 4 * BLOCK_GROUPS;
  }
}

/** T·e^{x/T} of a unit, stored at `y` in vectors `yStep` apart, and summed in PARTS. */
export function keepUnit<T>(x: usize, y: usize, yStep: usize, unit: i32, sums: i32): void {
  walk<T>(x, step, y, yStep, groups, tail, unit, sums, KEEP);
}

/** e^{x/T} of a unit, summed exactly. */
export function sumUnit<T>(x: usize, unit: i32, sums: i32): void {
  walk<T>(x, step, 0, 0, groups, tail, unit, sums, EXACT);
}

/** The same with the part that the entropy is made of. */
export function scoreUnit<T>(x: usize, sums: i32): void {
  store<i32>(SCORING, 1);
  sumUnit<T>(x, 0, sums);
  store<i32>(SCORING, 0);
}

/** T·e^{x/T} of whole groups along the first row of a batch. */
export function keepStrip<T>(x: usize, y: usize, count: i32): void {
  walk<T>(x, VECTOR, y, VECTOR, count, 0, 0, WIDE, KEEP);
}

/** The same of w·e^x, f64, summed exactly. */
export function weighStrip(x: usize, w: usize, count: i32): void {
  walk<f64>(x, VECTOR, w, VECTOR, count, 0, 0, WIDE, WEIGHTED);
}
