/**
 * log x of f64 as the sum of two numbers, to 10⁻²⁰ or so: to be compared with a logarithm that was given.
 *
 *     x = 2ⁿ·m,   √½ ≤ m < √2,   r = m − 1
 *     log x = n·ln 2 + 2·artanh s,   s = r/(2 + r),   |s| < 0.172
 *     2·artanh s = 2s + ⅔·s³ + s³·z·S(z),   z = s²,   S(z) = 2/5 + 2/7·z + … + 2/25·z¹⁰
 *
 * n·ln 2, 2s and ⅔·s³ keep their rounding errors; s³·z·S(z) is below 6·10⁻⁵ and errs by 2 u of that.
 */
import { constant, madd, productError, select, sumError } from "../lanes";
import { addBits, EXP, EXP_LN2_HEAD, EXP_LN2_TAIL, EXP_ONE } from "./exp";

// The indices of the table.
const SMALLEST = 0;
const SCALE = 1;
const FIELD = 2;
const BIAS = 3;
const BIAS_SCALED = 4;
const ROOT = 5;
const ROOT_TO_ONE = 6;
const FRACTION = 7;
const INFINITE = 8;
const MINUS_INFINITE = 9;
const TWO_THIRDS = 10;
const TWO_THIRDS_REST = 11;
const S = 12;
const LAST = 22;

const TABLE = memory.data<u64>([
  0x0010000000000000, // the smallest normal number
  0x4340000000000000, // 2^53, to scale subnormals
  0x4330000000000000, // 2^52, or-ed to the exponent field
  0x43300000000003ff, // 2^52 + 1023
  0x4330000000000434, // 2^52 + 1023 + 53
  0x3fe6a09e667f3bcd, // sqrt(1/2)
  0x00095f619980c433, // 1 - sqrt(1/2), of the bit patterns
  0x000fffffffffffff, // the fraction
  0x7ff0000000000000, // +inf
  0xfff0000000000000, // -inf
  0x3fe5555555555555, // 2/3
  0x3c85555555555555, // 2/3, the rest
  0x3fd999999999999a, // 2/5
  0x3fd2492492492492, // 2/7
  0x3fcc71c71c71c71c, // 2/9
  0x3fc745d1745d1746, // 2/11
  0x3fc3b13b13b13b14, // 2/13
  0x3fc1111111111111, // 2/15
  0x3fbe1e1e1e1e1e1e, // 2/17
  0x3fbaf286bca1af28, // 2/19
  0x3fb8618618618618, // 2/21
  0x3fb642c8590b2164, // 2/23
  0x3fb47ae147ae147b, // 2/25
]);

// @ts-ignore: decorator
@inline
function at(i: i32): v128 {
  return constant<f64>(TABLE, i);
}

/** a·b as head + rest: the head is returned, the rest stands at `rest`. */
function product(a: v128, b: v128, rest: usize): v128 {
  const head = v128.mul<f64>(a, b);
  v128.store(rest, productError(a, b, head));
  return head;
}

const REST: usize = memory.data(16, 16);

/** Leaves the head of log x at `to` and the rest 16 bytes behind. 0 → −∞, negative → NaN, +∞ → +∞, NaN → NaN, with a rest of 0. */
export function logPair(x: v128, to: usize): void {
  const one = constant<f64>(EXP<f64>(), EXP_ONE);
  const zero = v128.xor(x, x);
  const subnormal = v128.lt<f64>(x, at(SMALLEST));
  const bits = addBits<f64>(select(subnormal, v128.mul<f64>(x, at(SCALE)), x), at(ROOT_TO_ONE));
  const n = v128.sub<f64>(v128.or(i64x2.shr_u(bits, 52), at(FIELD)), select(subnormal, at(BIAS_SCALED), at(BIAS)));
  const m = addBits<f64>(v128.and(bits, at(FRACTION)), at(ROOT));
  const r = v128.sub<f64>(m, one);
  // s
  const w = v128.add<f64>(m, one);
  const s = v128.div<f64>(r, w);
  const back = product(s, w, REST);
  let remainder = v128.sub<f64>(v128.sub<f64>(r, back), v128.load(REST));
  remainder = v128.sub<f64>(remainder, v128.mul<f64>(s, sumError(m, one, w)));
  const sRest = v128.div<f64>(remainder, w);
  // s³
  const z = product(s, s, REST);
  const zRest = v128.add<f64>(v128.load(REST), v128.mul<f64>(v128.add<f64>(s, s), sRest));
  const cube = product(s, z, REST);
  let cubeRest = v128.add<f64>(v128.load(REST), v128.add<f64>(v128.mul<f64>(s, zRest), v128.mul<f64>(sRest, z)));
  const c = product(cube, at(TWO_THIRDS), REST);
  cubeRest = v128.add<f64>(v128.mul<f64>(cubeRest, at(TWO_THIRDS)), v128.mul<f64>(cube, at(TWO_THIRDS_REST)));
  cubeRest = v128.add<f64>(cubeRest, v128.load(REST));
  let series = at(LAST);
  for (let i = LAST - 1; i >= S; i--) series = madd<f64>(series, z, at(i));
  series = v128.mul<f64>(v128.mul<f64>(cube, z), series);
  // the largest first, and what each sum loses
  const head = v128.mul<f64>(n, constant<f64>(EXP<f64>(), EXP_LN2_HEAD));
  const twice = v128.add<f64>(s, s);
  const first = v128.add<f64>(head, twice);
  const second = v128.add<f64>(first, c);
  const third = v128.add<f64>(second, series);
  let rest = v128.add<f64>(
    v128.add<f64>(sRest, sRest),
    v128.add<f64>(cubeRest, v128.mul<f64>(n, constant<f64>(EXP<f64>(), EXP_LN2_TAIL))),
  );
  rest = v128.add<f64>(
    rest,
    v128.add<f64>(
      sumError(head, twice, first),
      v128.add<f64>(sumError(first, c, second), sumError(second, series, third)),
    ),
  );
  const finite = v128.and(v128.gt<f64>(x, zero), v128.lt<f64>(x, at(INFINITE)));
  const special = select(v128.eq<f64>(x, zero), at(MINUS_INFINITE), v128.or(x, v128.lt<f64>(x, zero)));
  v128.store(to, select(finite, third, special));
  v128.store(to, v128.and(rest, finite), 16);
}
