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
import { abs, constant, GROUP, madd, maxKeepNaN, nmadd, select, splat, VECTOR } from "../lanes";
import { EXP, EXP_COEFFICIENTS, EXP_MAGIC, expm1Reduced, expm1Rest, expTerms } from "../math/exp";
import { addTo, SUM_BYTES } from "../sum";
import { BIAS, FLOOR, FOUND, NEAR, SHIFT, SUM, TOP } from "./strip";

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
  const LN2 = reinterpret<f64>(0x3FE62E42FEFA39EF); // 0x1.62e42fefa39efp-1
  const LN2_REST = reinterpret<f64>(0x3C7ABC9E3B39803F); // 0x1.abc9e3b39803fp-56
  // t·ln 2 = product + error, exactly (Dekker 1971)
  const SPLIT: f64 = 134217729; // 2^27 + 1
  const product = t * LN2;
  const t1 = t * SPLIT - (t * SPLIT - t);
  const t2 = t - t1;
  const l1 = LN2 * SPLIT - (LN2 * SPLIT - LN2);
  const l2 = LN2 - l1;
  const error = t2 * l2 - (product - t1 * l1 - t2 * l1 - t1 * l2);
  // a head of 13 bits (f32) or 40 (f64), which |n| < 2^11 (2^13) leaves exact
  const head = reinterpret<f64>(reinterpret<u64>(product) & (sizeof<T>() == 4 ? 0xFFFFFF0000000000 : 0xFFFFFFFFFFFFE000));
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

/** The bits of σ = 2^{n + bias}, n in the low bits of `t`. */
// @ts-ignore: decorator
@inline
function powerOfTwo<T>(t: v128, bias: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.add(i32x4.shl(t, 23), bias);
  return i64x2.add(i64x2.shl(t, 52), bias);
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

/** Whether a′ is not 0 in some column. */
export let shifted = false;

/** Chooses a′, the floor and the exponent bias of the column at offset `v` from its maximum. */
export function aim<T>(v: usize): void {
  const table = tempered<T>();
  const top = v128.load(TOP + v);
  const far = v128.gt<T>(abs<T>(top), constant<T>(table, LIMIT));
  const near = v128.andnot(top, far); // a − a′
  v128.store(NEAR + v, near);
  v128.store(SHIFT + v, v128.and(top, far));
  shifted = v128.any_true(far) || (v != 0 && shifted);
  v128.store(FLOOR + v, v128.sub<T>(near, constant<T>(table, DEPTH)));
  const k = madd<T>(near, constant<T>(table, LOG2E), constant<T>(EXP<T>(), EXP_MAGIC));
  v128.store(
    BIAS + v,
    sizeof<T>() == 4
      ? i32x4.shl(i32x4.sub(i32x4.splat(127 + HEADROOM32), k), 23)
      : i64x2.shl(i64x2.sub(i64x2.splat(1023 + HEADROOM64), k), 52),
  );
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

/**
 * Adds a group to the sums: to the one of its `part` along a row (three chains of additions instead of one), each vector to
 * its column's across rows.
 */
// @ts-ignore: decorator
@inline
function addGroup<T>(v0: v128, v1: v128, v2: v128, v3: v128, across: bool, part: usize): void {
  if (across) {
    addTo<T>(SUM, v0);
    addTo<T>(SUM + SUM_BYTES, v1);
    addTo<T>(SUM + 2 * SUM_BYTES, v2);
    addTo<T>(SUM + 3 * SUM_BYTES, v3);
  } else {
    addTo<T>(SUM + part * SUM_BYTES, v128.add<T>(v128.add<T>(v0, v1), v128.add<T>(v2, v3)));
  }
}

/** Along a row: Σ σ + (Σ σ·T·t) / T, in the first of the sums. */
export function foldParts<T>(): void {
  const inverse = f64x2.splat(1 / (sizeof<T>() == 4 ? temperature32 : temperature64));
  for (let part = SUM + SUM_BYTES; part <= SUM + 2 * SUM_BYTES; part += SUM_BYTES) {
    const head = v128.mul<f64>(v128.load(part), inverse);
    const rest = v128.mul<f64>(v128.load(part, VECTOR), inverse);
    if (sizeof<T>() == 8) addTo<T>(SUM, head);
    else v128.store(SUM, v128.add<f64>(v128.load(SUM), head));
    v128.store(SUM, v128.add<f64>(v128.load(SUM, VECTOR), rest), VECTOR);
  }
}

/** The mask of the lanes that are the maximum and the first so in their column; notes that it was found. */
// @ts-ignore: decorator
@inline
function firstMaximum<T>(v: usize, x: v128, near: v128): v128 {
  const found = v128.load(FOUND + v);
  const first = v128.andnot(v128.eq<T>(x, near), found);
  v128.store(FOUND + v, v128.or(found, first));
  return first;
}

/** T·e = σ·(T + T·t) stored at `y` and summed: softmax, in which T cancels. */
const KEEP = 0;
/** σ and σ·t summed apart, which spares them the rounding of 1 + t, and for f64 those of r and t: 0.3 u instead of 1.6 u.
 *  Across rows the first maximum of a column is left out: log-sum-exp, whose log1p wants the others alone. (Along a row
 *  the caller sees to that.) */
const EXACT = 1;
/** The same with a weight to each element. */
const WEIGHTED = 2;

/**
 * Reduces, exponentiates and sums a strip whose maxima are within the limit: the one body of all passes.
 *
 * Four vectors stage by stage, so that their four chains of 50 cycles overlap.
 */
// @ts-ignore: decorator
@inline
function exponentialStrip<T>(x: usize, xStride: usize, y: usize, yStride: usize, count: i32, across: bool, mode: i32): void {
  const table = tempered<T>();
  const q = table + Q * sizeof<T>();
  const log2e = constant<T>(table, LOG2E);
  const head = constant<T>(table, HEAD);
  const rest = constant<T>(table, REST);
  const one = constant<T>(table, TEMPERATURE);
  const inverse = constant<T>(table, INVERSE);
  const magic = constant<T>(EXP<T>(), EXP_MAGIC);
  // biome-ignore-start format: four vectors a line
  const floor0 = v128.load(FLOOR), floor1 = v128.load(FLOOR, 16), floor2 = v128.load(FLOOR, 32), floor3 = v128.load(FLOOR, 48);
  const bias0 = v128.load(BIAS), bias1 = v128.load(BIAS, 16), bias2 = v128.load(BIAS, 32), bias3 = v128.load(BIAS, 48);
  for (; count > 0; count--) {
    let r0 = v128.load(x), r1 = v128.load(x, 16), r2 = v128.load(x, 32), r3 = v128.load(x, 48);
    if (mode == EXACT) {
      if (across) {
        r0 = select(firstMaximum<T>(0, r0, v128.load(NEAR)), floor0, r0);
        r1 = select(firstMaximum<T>(16, r1, v128.load(NEAR, 16)), floor1, r1);
        r2 = select(firstMaximum<T>(32, r2, v128.load(NEAR, 32)), floor2, r2);
        r3 = select(firstMaximum<T>(48, r3, v128.load(NEAR, 48)), floor3, r3);
      }
    }
    r0 = maxKeepNaN<T>(r0, floor0); r1 = maxKeepNaN<T>(r1, floor1); r2 = maxKeepNaN<T>(r2, floor2); r3 = maxKeepNaN<T>(r3, floor3);

    // x = n·T·ln 2 + r, n in the low bits of s
    let s0 = madd<T>(r0, log2e, magic), s1 = madd<T>(r1, log2e, magic), s2 = madd<T>(r2, log2e, magic), s3 = madd<T>(r3, log2e, magic);
    const n0 = v128.sub<T>(s0, magic), n1 = v128.sub<T>(s1, magic), n2 = v128.sub<T>(s2, magic), n3 = v128.sub<T>(s3, magic);
    r0 = nmadd<T>(n0, head, r0); r1 = nmadd<T>(n1, head, r1); r2 = nmadd<T>(n2, head, r2); r3 = nmadd<T>(n3, head, r3);
    const h0 = r0, h1 = r1, h2 = r2, h3 = r3;
    r0 = nmadd<T>(n0, rest, r0); r1 = nmadd<T>(n1, rest, r1); r2 = nmadd<T>(n2, rest, r2); r3 = nmadd<T>(n3, rest, r3);

    s0 = powerOfTwo<T>(s0, bias0); s1 = powerOfTwo<T>(s1, bias1); s2 = powerOfTwo<T>(s2, bias2); s3 = powerOfTwo<T>(s3, bias3);
    if (mode == KEEP) {
      const t0 = expm1Reduced<T>(r0, q), t1 = expm1Reduced<T>(r1, q), t2 = expm1Reduced<T>(r2, q), t3 = expm1Reduced<T>(r3, q);
      const e0 = v128.mul<T>(s0, v128.add<T>(t0, one)), e1 = v128.mul<T>(s1, v128.add<T>(t1, one));
      const e2 = v128.mul<T>(s2, v128.add<T>(t2, one)), e3 = v128.mul<T>(s3, v128.add<T>(t3, one));
      v128.store(y, e0); v128.store(y, e1, 16); v128.store(y, e2, 32); v128.store(y, e3, 48);
      addGroup<T>(e0, e1, e2, e3, across, 0);
      y += yStride;
    } else {
      if (mode == WEIGHTED) {
        s0 = v128.mul<T>(s0, v128.load(y)); s1 = v128.mul<T>(s1, v128.load(y, 16));
        s2 = v128.mul<T>(s2, v128.load(y, 32)); s3 = v128.mul<T>(s3, v128.load(y, 48));
        y += yStride;
      }
      addGroup<T>(s0, s1, s2, s3, across, 0);
      if (across) {
        // from here on T·t; along a row the sums are divided by T, in foldParts
        s0 = v128.mul<T>(s0, inverse); s1 = v128.mul<T>(s1, inverse); s2 = v128.mul<T>(s2, inverse); s3 = v128.mul<T>(s3, inverse);
      }
      if (sizeof<T>() == 8) {
        // t = r + p, p = r²·q(r) + (the rounding error of r)
        addGroup<T>(v128.mul<T>(s0, r0), v128.mul<T>(s1, r1), v128.mul<T>(s2, r2), v128.mul<T>(s3, r3), across, 1);
        const p0 = v128.add<T>(expm1Rest<T>(r0, q), nmadd<T>(n0, rest, v128.sub<T>(h0, r0)));
        const p1 = v128.add<T>(expm1Rest<T>(r1, q), nmadd<T>(n1, rest, v128.sub<T>(h1, r1)));
        const p2 = v128.add<T>(expm1Rest<T>(r2, q), nmadd<T>(n2, rest, v128.sub<T>(h2, r2)));
        const p3 = v128.add<T>(expm1Rest<T>(r3, q), nmadd<T>(n3, rest, v128.sub<T>(h3, r3)));
        addGroup<T>(v128.mul<T>(s0, p0), v128.mul<T>(s1, p1), v128.mul<T>(s2, p2), v128.mul<T>(s3, p3), across, 2);
      } else {
        const t0 = expm1Reduced<T>(r0, q), t1 = expm1Reduced<T>(r1, q), t2 = expm1Reduced<T>(r2, q), t3 = expm1Reduced<T>(r3, q);
        addGroup<T>(v128.mul<T>(s0, t0), v128.mul<T>(s1, t1), v128.mul<T>(s2, t2), v128.mul<T>(s3, t3), across, 1);
      }
    }
    x += xStride;
  }
  // biome-ignore-end format: four vectors a line
}

function keepNear<T>(x: usize, xStride: usize, y: usize, yStride: usize, count: i32, across: bool): void {
  exponentialStrip<T>(x, xStride, y, yStride, count, across, KEEP);
}

function sumNear<T>(x: usize, xStride: usize, count: i32, across: bool): void {
  exponentialStrip<T>(x, xStride, 0, 0, count, across, EXACT);
}

function weighNear(x: usize, w: usize, count: i32): void {
  exponentialStrip<f64>(x, GROUP, w, GROUP, count, false, WEIGHTED);
}

/** Groups of a block of x − a′. */
const BLOCK_GROUPS = 16;
const BLOCK: usize = memory.data(1024, 16);

/** x − a′ of up to a block's groups, to BLOCK. The maximum itself becomes a − a′, an infinite one too. */
function subtractShift<T>(x: usize, stride: usize, count: i32): void {
  for (let y = BLOCK; count > 0; count--) {
    for (let v: usize = 0; v < GROUP; v += VECTOR) {
      const z = v128.load(x + v);
      const isTop = v128.eq<T>(z, v128.load(TOP + v));
      v128.store(y + v, select(isTop, v128.load(NEAR + v), v128.sub<T>(z, v128.load(SHIFT + v))));
    }
    x += stride;
    y += GROUP;
  }
}

/** A strip of T·e^{x/T}, stored at `y` and summed. */
export function keepStrip<T>(x: usize, stride: usize, y: usize, yStride: usize, count: i32, across: bool): void {
  if (!shifted) return keepNear<T>(x, stride, y, yStride, count, across);
  for (; count > 0; count -= BLOCK_GROUPS) {
    const groups = min(count, BLOCK_GROUPS);
    subtractShift<T>(x, stride, groups);
    keepNear<T>(BLOCK, GROUP, y, yStride, groups, across);
    x += stride * BLOCK_GROUPS;
    y += yStride * BLOCK_GROUPS;
  }
}

/** A strip of e^{x/T}, summed exactly; across rows without the first maximum of each. */
export function sumStrip<T>(x: usize, stride: usize, count: i32, across: bool): void {
  if (!shifted) return sumNear<T>(x, stride, count, across);
  for (; count > 0; count -= BLOCK_GROUPS) {
    const groups = min(count, BLOCK_GROUPS);
    subtractShift<T>(x, stride, groups);
    sumNear<T>(BLOCK, GROUP, groups, across);
    x += stride * BLOCK_GROUPS;
  }
}

/** A strip along a row of w·e^x, f64, summed exactly. */
export function weighStrip(x: usize, w: usize, count: i32): void {
  if (!shifted) return weighNear(x, w, count);
  for (; count > 0; count -= BLOCK_GROUPS) {
    const groups = min(count, BLOCK_GROUPS);
    subtractShift<f64>(x, GROUP, groups);
    weighNear(BLOCK, w, groups);
    x += GROUP * BLOCK_GROUPS;
    w += GROUP * BLOCK_GROUPS;
  }
}
