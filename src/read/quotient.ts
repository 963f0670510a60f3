/**
 * Quotients of integers, rounded once: to the nearest f64, and of two equally near ones to the even one.
 *
 *     n/d·2^e = m·2^k,     m an integer of 53 bits, of fewer where the quotient is subnormal
 */

/** The bits of a positive integer. */
function bitsOf(integer: bigint): number {
  const digits = integer.toString(16);
  return 4 * digits.length - Math.clz32(Number.parseInt(digits.charAt(0), 16)) + 28;
}

/** m of `bits` bits, fewer where k would be below `least`, and k; n and d are positive. */
function roundedOf(n: bigint, d: bigint, e: number, bits: number, least: number): { m: number; k: number } {
  // a quotient of 2 or 3 bits more than are kept
  const shift = bits + 2 - bitsOf(n) + bitsOf(d);
  const dividend = shift > 0 ? n << BigInt(shift) : n;
  const divisor = shift < 0 ? d << BigInt(-shift) : d;
  const quotient = dividend / divisor;
  const sticky = quotient * divisor !== dividend;
  const k = Math.max(e - shift + bitsOf(quotient) - bits, least);
  const cut = BigInt(k - (e - shift));
  const half = 1n << (cut - 1n);
  const m = quotient >> cut;
  const rest = quotient - (m << cut);
  const up = rest > half || (rest === half && (sticky || (m & 1n) === 1n));
  return { m: Number(up ? m + 1n : m), k };
}

/** n/d·2^e; d is positive. Beyond the largest number it is infinite. */
export function quotientOf(n: bigint, d: bigint, e: number): number {
  if (n === 0n) return 0;
  const { m, k } = roundedOf(n < 0n ? -n : n, d, e, 53, -1074);
  const value = scaled(m, k);
  return n < 0n ? -value : value;
}

/** √(n/d·2^e) of a quotient that is rounded but neither overflows nor vanishes on the way; n ≥ 0, d > 0. */
export function rootOf(n: bigint, d: bigint, e: number): number {
  if (n === 0n) return 0;
  const { m, k } = roundedOf(n, d, e, 53, -Infinity);
  const odd = k & 1;
  return scaled(Math.sqrt(odd ? 2 * m : m), (k - odd) / 2);
}

/** m·2^k, in steps that are numbers; m below 2^54. */
function scaled(m: number, k: number): number {
  if (k > 971) return m * 2 ** 971 * 2 ** Math.min(k - 971, 1000);
  return k < -1022 ? m * 2 ** (k + 52) * 2 ** -52 : m * 2 ** k;
}
