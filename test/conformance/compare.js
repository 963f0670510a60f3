/** Results as numbers: flattened, hashed, compared with what they should be. */

/** @typedef {import("./arithmetic.js").Numbers} Numbers */
/** @typedef {number | Numbers | readonly any[] | { readonly [key: string]: any }} Value what a function returns */

const { abs, imul, max } = Math;
const { is: identical } = Object;
const { isNaN: isNotANumber } = Number;

/** Every number of a result, in order. @param {Value} value @returns {Float64Array} */
export function flat(value) {
  if (typeof value === "number") return Float64Array.of(value);
  if (ArrayBuffer.isView(value)) return new Float64Array(/** @type {Float64Array} */ (value));
  const members = Array.isArray(value)
    ? value
    : Object.keys(value)
        .sort()
        .map((key) => /** @type {Record<string, Value>} */ (value)[key]);
  if (members.every((member) => typeof member === "number")) return Float64Array.from(members);
  const parts = members.map(flat);
  const result = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** Two chains of multiplications over the words of numbers, every NaN as one: 64 bits, which an accident does not match. */
export function hasher() {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  const word = new DataView(new ArrayBuffer(8));
  return {
    /** @param {Float64Array} values */
    add(values) {
      for (const value of values) {
        word.setFloat64(0, value);
        if (isNotANumber(value)) word.setBigUint64(0, 0x7ff8000000000000n);
        for (const at of [0, 4]) {
          a = imul(a ^ word.getUint32(at), 0x9e3779b1);
          b = imul(b ^ word.getUint32(at), 0x5f356495);
          a ^= a >>> 15;
          b ^= b >>> 13;
        }
      }
    },
    get digest() {
      return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
    },
  };
}

/**
 * Each element is right to `tolerance`, relative to itself or to what `of` has in its place, if that is larger.
 *
 * @param {Numbers} got @param {Numbers} want @param {number} tolerance @param {string} what @param {Numbers} [of]
 */
export function close(got, want, tolerance, what, of = want) {
  for (const { length } of [got, of])
    if (length !== want.length) throw new Error(`${what}: ${length} numbers, expected ${want.length}`);
  for (let i = 0; i < want.length; i++) {
    if (identical(got[i], want[i])) continue;
    const error = abs(got[i] - want[i]);
    const size = max(abs(want[i]), abs(of[i]));
    if (!(error <= tolerance * size && size < Infinity))
      throw new Error(
        `${what}: element ${i} is ${got[i]}, expected ${want[i]}: ${(error / size / tolerance).toPrecision(3)} × the tolerance`,
      );
  }
}

/** @param {unknown} got @param {unknown} want @param {string} what */
export function same(got, want, what) {
  if (!identical(got, want)) throw new Error(`${what} is ${String(got)}, expected ${String(want)}`);
}

/** Throws unless `call` does, as it should. @param {() => unknown} call @param {string} kind @param {string} start */
export function throws(call, kind, start) {
  let result;
  try {
    result = call();
  } catch (error) {
    // by name: an edge sandbox has errors of two realms
    const { name, message } = /** @type {Error} */ (error);
    if (name === kind && message.startsWith(start)) return;
    throw new Error(`threw ${name}: ${message}; expected ${kind}: ${start}…`);
  }
  throw new Error(`returned ${String(result)}; expected ${kind}: ${start}…`);
}
