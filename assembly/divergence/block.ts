/** Up to 64 elements of a row at a time, as f64 whatever the type of the data. */

/** Elements of a block. */
export const BLOCK = 64;

/** The elements as given. */
export const GIVEN_P: usize = memory.data(512, 16);
export const GIVEN_Q: usize = memory.data(512, 16);
/** p and q, in one unit; q − p; log(q/p). */
export const P: usize = memory.data(512, 16);
export const Q: usize = memory.data(512, 16);
export const CHANGES: usize = memory.data(512, 16);
export const RATIOS: usize = memory.data(512, 16);
/** The gradient. */
export const SLOPES: usize = memory.data(512, 16);

/** Copies `count` elements of `width` bytes in, and behind an odd number of them one more, `pad`. */
export function widen(from: usize, width: usize, count: i32, pad: f64, to: usize): void {
  const end = from + <usize>count * width;
  if (width == 8) {
    for (; from + 8 < end; from += 16, to += 16) v128.store(to, v128.load(from));
    if (from < end) v128.store(to, f64x2.replace_lane(f64x2.splat(pad), 0, load<f64>(from)));
  } else {
    for (; from + 4 < end; from += 8, to += 16) v128.store(to, f64x2.promote_low_f32x4(v128.load64_zero(from)));
    if (from < end) v128.store(to, f64x2.replace_lane(f64x2.splat(pad), 0, <f64>load<f32>(from)));
  }
}

/** Copies `count` elements out. */
export function narrow(from: usize, to: usize, width: usize, count: i32): void {
  const end = to + <usize>count * width;
  if (width == 8) {
    for (; to + 8 < end; from += 16, to += 16) v128.store(to, v128.load(from));
    if (to < end) store<f64>(to, load<f64>(from));
  } else {
    for (; to + 4 < end; from += 16, to += 8) v128.store64_lane(to, f32x4.demote_f64x2_zero(v128.load(from)), 0);
    if (to < end) store<f32>(to, <f32>load<f64>(from));
  }
}
