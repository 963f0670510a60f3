/**
 * A multiple of a power of two as text: its odd part to the base 64, the digits of RFC 4648, and the power of two that is left.
 *
 *     −3·2⁻⁴ = "-D:-4",     0 = "A:0"
 *
 * Of a number there is one text, and 6 bits take a character where hexadecimal digits take 4.
 */
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** The largest power of two that a sum of products of f64 begins with, in its unit, and its digits. */
const MOST_POWER = 4300;
const TEXT = /^(-?)([A-Za-z0-9+/]{1,720}):(-?\d{1,4})$/;

/** integer·2^unit. */
export function textOf(integer: bigint, unit: number): string {
  if (integer === 0n) return "A:0";
  let odd = integer < 0n ? -integer : integer;
  // by hexadecimal digits, and the last of them by bits
  let power = 4 * (/0*$/.exec(odd.toString(16))?.[0].length as number);
  for (odd >>= BigInt(power); (odd & 1n) === 0n; odd >>= 1n) power++;
  const hex = odd.toString(16);
  const thirds = hex.padStart(3 * Math.ceil(hex.length / 3), "0");
  let digits = "";
  for (let i = 0; i < thirds.length; i += 3) {
    const bits = Number.parseInt(thirds.slice(i, i + 3), 16);
    digits += DIGITS.charAt(bits >> 6) + DIGITS.charAt(bits & 63);
  }
  return `${integer < 0n ? "-" : ""}${digits.replace(/^A/, "")}:${power + unit}`;
}

/** The integer of such a text; undefined of what is none, or no multiple of the unit. */
export function integerFrom(text: unknown, unit: number): bigint | undefined {
  const found = typeof text === "string" ? TEXT.exec(text) : null;
  if (!found) return undefined;
  const [, sign, digits, power] = found as unknown as [string, string, string, string];
  let integer = 0n;
  // five digits, 30 bits, at a time
  for (let i = 0; i < digits.length; i += 5) {
    const some = digits.slice(i, i + 5);
    let bits = 0;
    for (const digit of some) bits = 64 * bits + DIGITS.indexOf(digit);
    integer = (integer << BigInt(6 * some.length)) + BigInt(bits);
  }
  const up = Number(power) - unit;
  if (integer === 0n) return integer;
  if (up < 0 || up > MOST_POWER) return undefined;
  return (sign ? -integer : integer) << BigInt(up);
}
