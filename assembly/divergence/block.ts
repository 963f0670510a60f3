/** Up to 64 elements of a row at a time, as f64 whatever the type of the data. */

/** Elements of a block. */
export const BLOCK = 64;

/** Bytes of eight elements, which are summed before they are added exactly: pieces are multiples of it, so that the bits do not depend on them. */
export const EIGHT: usize = 64;

/** The elements as given. */
export const GIVEN_P: usize = memory.data(512, 16);
export const GIVEN_Q: usize = memory.data(512, 16);
/** The gradient. */
export const SLOPES: usize = memory.data(512, 16);

/** A row of up to so many elements keeps what follows of all its blocks, so that the next pass finds it; a longer one, of a block. */
export const KEPT = 1024;
const ROW: usize = memory.data(35072, 16);
/** From one of a row to the next: not by whole pages of 4 KiB, as a load that is a page from a store not yet done waits for it. */
const ROW_BYTES: usize = 8768;
/** p and q, in one unit, or what they are made of; q − p; log(q/p). */
export let P: usize = ROW;
export let Q: usize = ROW + ROW_BYTES;
export let CHANGES: usize = ROW + 2 * ROW_BYTES;
export let RATIOS: usize = ROW + 3 * ROW_BYTES;

/** Turns to the block of a row that begins with element i. */
export function turnTo(i: i32, kept: bool): void {
  P = ROW + (kept ? (<usize>i) << 3 : 0);
  Q = P + ROW_BYTES;
  CHANGES = Q + ROW_BYTES;
  RATIOS = CHANGES + ROW_BYTES;
}

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
