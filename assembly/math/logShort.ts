/**
 * log(1 + x) of f64 to 10⁻¹¹ of itself, for what is given in f32: half the terms of log.ts.
 *
 *     1 + x = 2ⁿ·(1 + r),   √½ ≤ 1 + r < √2,   r = x where n = 0
 *     log(1 + r) = s·(2 + z·q(z)),   s = r/(2 + r),   z = s²
 *
 * The table is printed by tools/minimax.py.
 */
import { constant, madd, select } from "../lanes";
import { EXP, EXP_ONE } from "./exp";
import { exponentOf, fraction, shifted } from "./log";

// The indices of the table.
const LN2 = 0;
const TWO = 1;
const Q = 2;

const LOG_SHORT_F64 = memory.data<u64>([
  0x3fe62e42fefa39ef, // ln 2 = 0x1.62e42fefa39efp-1
  0x4000000000000000, // 2 = 0x1p+1
  0x3fe55555500a5d9b, // q0 = 0x1.55555500a5d9bp-1
  0x3fd999a76927da31, // q1 = 0x1.999a76927da31p-2
  0x3fd24399f9d425e5, // q2 = 0x1.24399f9d425e5p-2
  0x3fce2ddf36bd5904, // q3 = 0x1.e2ddf36bd5904p-3
]); // 8.3e-05 u

// @ts-ignore: decorator
@inline
function at(i: i32): v128 {
  return constant<f64>(LOG_SHORT_F64, i);
}

/** log(1 + x) for finite x > −½, else NaN. Where n is not 0, the rounding error of 1 + x is too small to matter. */
// @ts-ignore: decorator
@inline
export function log1pShort(x: v128): v128 {
  const bits = shifted<f64>(v128.add<f64>(constant<f64>(EXP<f64>(), EXP_ONE), x));
  const n = exponentOf<f64>(bits);
  const r = select(v128.eq<f64>(n, v128.xor(x, x)), x, fraction<f64>(bits));
  const s = v128.div<f64>(r, v128.add<f64>(r, at(TWO)));
  const z = v128.mul<f64>(s, s);
  const z2 = v128.mul<f64>(z, z);
  const q = madd<f64>(madd<f64>(at(Q + 3), z, at(Q + 2)), z2, madd<f64>(at(Q + 1), z, at(Q)));
  const y = madd<f64>(n, at(LN2), v128.mul<f64>(s, madd<f64>(z, q, at(TWO))));
  return v128.add<f64>(y, v128.sub<f64>(x, x));
}
