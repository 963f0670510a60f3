/**
 * Errors in units in the last place: |got − exact| / ulp(exact), where ulp is the spacing of the type's numbers in the
 * binade of the exact value (2^-149, 2^-1074 among the subnormals). An infinity counts as the next power of two after
 * the largest number, so an overflow a hair too early is a small error and not an infinite one; NaN against a number,
 * a zero of the wrong sign and a wrong infinity are infinite errors.
 */
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** e with 2^e ≤ |x| < 2^(e + 1), for finite x ≠ 0. */
function exponentOf(x: number): number {
  double[0] = x;
  const field = (words[1]! >>> 20) & 0x7ff;
  if (field) return field - 1023;
  double[0] = x * 2 ** 54;
  return ((words[1]! >>> 20) & 0x7ff) - 1023 - 54;
}

const POWERS = Float64Array.from({ length: 1074 + 1024 }, (_, i) => 2 ** (i - 1074));

/** 2^e, −1074 ≤ e ≤ 1023. */
export const power2 = (e: number): number => POWERS[e + 1074]!;

/** x·2^e with at most one rounding, for |e| ≤ 1200. */
export function scale(x: number, e: number): number {
  const half = e >> 1;
  return x * power2(half) * power2(e - half);
}

/** The spacing of f32 at x. */
export const ulp32 = (x: number): number =>
  power2((x === 0 ? -126 : Math.min(Math.max(exponentOf(x), -126), 127)) - 23);

/** The spacing of f64 at x. */
export const ulp64 = (x: number): number => power2((x === 0 ? -1022 : Math.max(exponentOf(x), -1022)) - 52);

/** 0 or ∞ where one of the two is no ordinary number; NaN elsewhere. */
function special(got: number, exact: number): number {
  if (Object.is(got, exact)) return 0;
  if (Number.isNaN(got) || !Number.isFinite(exact) || (exact === 0 && got === 0)) return Infinity;
  if ((got === 0 || !Number.isFinite(got)) && Math.sign(1 / got || got) !== Math.sign(exact)) return Infinity;
  return NaN;
}

/** The error of an f32 against a value known far better. */
export function ulpError32(got: number, exact: number): number {
  if (got === 0 || !Number.isFinite(got) || !Number.isFinite(exact)) {
    const error = special(got, Math.abs(exact) >= 2 ** 128 ? Math.sign(exact) * Infinity : exact);
    if (!Number.isNaN(error)) return error;
    if (!Number.isFinite(got)) got = Math.sign(got) * 2 ** 128;
  }
  return Math.abs(got - exact) / ulp32(exact);
}

/** The error of an f64 against (exactHi + exactLo)·2^exponent, |exactLo| ≤ ulp64(exactHi)/2. */
export function ulpError64(got: number, exactHi: number, exactLo: number, exponent = 0): number {
  if (got === 0 || !Number.isFinite(got) || !Number.isFinite(exactHi) || exactHi === 0) {
    const overflows = Number.isFinite(exactHi) && exactHi !== 0 && exponentOf(exactHi) + exponent >= 1024;
    const error = special(got, overflows ? Math.sign(exactHi) * Infinity : exactHi);
    if (!Number.isNaN(error)) return error;
  }
  const scaled = Number.isFinite(got) ? scale(got, -exponent) : Math.sign(got) * power2(1024 - exponent);
  const ulp = exactHi === 0 ? -1074 : Math.max(exponentOf(exactHi) + exponent, -1022) - 52 - exponent;
  return Math.abs(scaled - exactHi - exactLo) / power2(ulp);
}
