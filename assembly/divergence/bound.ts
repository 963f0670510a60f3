/**
 * The value of a row from the sums of quick.ts, where its rounding errors stay below what is promised: 10⁻⁶ of it (f32) or 10⁻¹⁰
 * (f64), which is 16.7 u or 9·10⁵ u. All errors are bounded to first order, as if every rounding were at its worst:
 *
 *     a term errs by t·u of itself,  a sum of k positive ones by (t + k)·u of itself: k is how often a partial sum is rounded
 *     C = Σ(q − p) errs by (1 + k)·u·S,  S = Σ|q − p|,  and S is bounded by the divergence itself:
 *         KL:  S² ≤ D·(2P + 4Q)/3                 (Pinsker's inequality, as |s − 1|² ≤ (2s + 4)/3·(s·log s − s + 1))
 *         JS:  S² ≤ 4·G·(P + Q)                   (as (p − q)²/(4·(p + q)) is at most the pair's term in G)
 *
 * So a row is accepted for the size of its terms, and nothing depends on how its roundings happen to fall.
 *
 *     KL of distributions = D/P − (ε − log(1 + ε)),  ε = C/P                             exactly
 *     KL as it is = D − C                                                                exactly
 *     JS as it is = G = (D of 2p and m + D of 2q and m)/4                                exactly
 *     JS of distributions = [G − x·C/4 + x·(D of 2p and m − D of 2q and m)/4]·2/(P + Q),  x = C/(P + Q), but for x² of itself at most:
 * G is homogeneous, and the bracket its expansion to x² as p grows by x/(1 − x) and q shrinks by x/(1 + x), whose second derivative
 * Σpq/(p + q) differs from (P + Q)/4 by Σ(p − q)²/(4(p + q)) ≤ G.
 */
import { gap, LN2 } from "../math/gap";
import { CHANGE, MASS, TERMS_OF_P, TERMS_OF_Q, total } from "./sums";

/**
 * Vectors whose terms are summed in the type before they are added in f64. In f32 each rounding counts: four vectors make three, where 16 would
 * make 15 and, at their worst, break the promise.
 */
// @ts-ignore: decorator
@inline
export function RUN<T>(): i32 {
  return sizeof<T>() == 4 ? 4 : 16;
}

/** The same for changes, whose errors count for little where the sums are nearly equal. */
export const RUN_OF_CHANGES = 16;

/** k of the terms of JS, which are added in f64 as they are, in a row of n elements. */
// @ts-ignore: decorator
@inline
function roundingsOfJSTerms(single: bool, n: i32): f64 {
  return single ? 3 : 18 + <f64>n / 32;
}
/** k of the terms and of the masses of KL, which are added in pairs of lanes. */
// @ts-ignore: decorator
@inline
function roundingsOfKLTerms(single: bool, n: i32): f64 {
  return single ? 4 : 18 + <f64>n / 32;
}
// @ts-ignore: decorator
@inline
function roundingsOfChanges(single: bool, n: i32): f64 {
  return single ? 15 : 18 + <f64>n / 32;
}
/** k of P + Q, four elements of which are added as two and two. */
// @ts-ignore: decorator
@inline
function roundingsOfMasses(single: bool, n: i32): f64 {
  return single ? 2 : 8 + <f64>n / 8;
}

/** t of KL and of JS, where q is scaled too: by tools/roundings.py, and half a unit for the polynomial. */
// @ts-ignore: decorator
@inline
function roundingsOfKL(single: bool): f64 {
  return single ? 6.8 : 48;
}
// @ts-ignore: decorator
@inline
function roundingsOfJS(single: bool): f64 {
  return single ? 9.8 : 48;
}

// @ts-ignore: decorator
@inline
function u(single: bool): f64 {
  return single ? 5.960464477539063e-8 : 1.1102230246251565e-16;
}

/**
 * Whether an error of `error` units of a sum over masses of `mass` can be promised for `value`. Beside it an element may err by 180
 * (1500) times `smallest` of math/gap.ts, to which zeros are raised and below which products vanish. Divergences below 10⁻¹³ (10⁻²⁰) of
 * the mass need only be that small.
 */
// @ts-ignore: decorator
@inline
function promised(single: bool, error: f64, value: f64, mass: f64, n: i32): bool {
  const raised: f64 = <f64>n * (single ? 2.2e-36 : 6.7e-305);
  const promise: f64 = single ? 1e-6 : 1e-10;
  const floor: f64 = single ? 1e-13 : 1e-20;
  const most: f64 = single ? 1e36 : 1e300;
  // 5·max(p, q) must not overflow, nor C/P; comparisons with NaN are false
  return (
    value - value == 0 && mass < most && error * u(single) + raised <= promise * max(Math.abs(value), floor * mass)
  );
}

/** ε − log(1 + ε). */
export function gapOfSums(epsilon: f64): f64 {
  return f64x2.extract_lane(
    gap<f64>(f64x2.splat(1), f64x2.splat(max(1 + epsilon, 1e-300)), f64x2.splat(epsilon), false),
    0,
  );
}

/** The bound of S for KL. Two roots, as the product under one may be smaller than any number. */
function changes(d: f64, p: f64, change: f64): f64 {
  return Math.sqrt(d) * Math.sqrt((6 * p + 4 * change) / 3);
}

/** KL of distributions, or NaN. */
export function klOfSums(single: bool, n: i32): f64 {
  const d = total(TERMS_OF_P);
  const p = total(MASS);
  const change = total(CHANGE);
  const epsilon = change / p;
  const value = max(d / p - gapOfSums(epsilon), 0);
  const k = roundingsOfKLTerms(single, n);
  const s = changes(d, p, change) + Math.abs(change);
  // the derivative of ε − log(1 + ε) is ε/(1 + ε); s has the |C| that P's error makes of C/P
  const slope = Math.abs(epsilon) / max(1 + epsilon, 0); // of roundings ε may be below −1
  const error = (roundingsOfKL(single) + 2 * k) * d + slope * (1 + roundingsOfChanges(single, n)) * s + value * p;
  return promised(single, error, value * p, p + Math.abs(change), n) ? value : NaN;
}

/** KL of the numbers as they are, or NaN. */
export function rawKLOfSums(single: bool, n: i32, change: f64): f64 {
  const d = total(TERMS_OF_P);
  const p = total(MASS);
  const value = d - change;
  // f32: C is summed in f64, and a difference is rounded beyond 1/2 < q/p < 2 alone, where it is at most 3.3 terms
  const ofChange = single ? 3.3 * d : (1 + roundingsOfChanges(single, n)) * changes(d, p, change);
  const error = (roundingsOfKL(single) + roundingsOfKLTerms(single, n)) * d + ofChange + Math.abs(value);
  return promised(single, error, value, p + Math.abs(change), n) ? value : NaN;
}

/** Whether the expansion of JS in x = (b − a)/(a + b) is exact enough: x² is below a hundredth of what is promised. */
// @ts-ignore: decorator
@inline
export function nearlyEqual(single: bool, a: f64, b: f64): bool {
  return Math.abs(b - a) <= (a + b) * (single ? 6.1e-5 : 1e-6);
}

/** JS of distributions from P + Q, or NaN; `scaled` where one of them was multiplied by a factor. */
export function jsOfSums(single: bool, n: i32, masses: f64, scaled: bool, disjoint: bool): f64 {
  const ofP = total(TERMS_OF_P);
  const ofQ = total(TERMS_OF_Q);
  const change = total(CHANGE);
  const g = (ofP + ofQ) / 4;
  const x = change / masses;
  const cross = (x * (ofP - ofQ)) / 4;
  const value = min(max(((g - (x * change) / 4 + cross) * 2) / masses, 0), LN2);
  const root = Math.sqrt(g) * Math.sqrt(masses);
  let error =
    (roundingsOfJS(single) + roundingsOfJSTerms(single, n)) * g +
    (roundingsOfMasses(single, n) + 1) * (value / 2) * masses;
  error += Math.abs(x) * (1 + roundingsOfChanges(single, n)) * (root + Math.abs(change));
  error += (x * x * g) / u(single);
  // f64: the product with the factor is rounded, by u·Σ q·|log(q/m)|/2 ≤ 3/8·u·S
  if (scaled && !single) error += root;
  if (!promised(single, error, (value / 2) * masses, masses, n)) return NaN;
  return disjoint ? LN2 : value;
}

/** JS of the numbers as they are from P + Q, or NaN. */
export function rawJSOfSums(single: bool, n: i32, masses: f64, disjoint: bool): f64 {
  const value = disjoint ? (LN2 / 2) * masses : (total(TERMS_OF_P) + total(TERMS_OF_Q)) / 4;
  return promised(single, (roundingsOfJS(single) + roundingsOfJSTerms(single, n) + 1) * value, value, masses, n)
    ? value
    : NaN;
}
