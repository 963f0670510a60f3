/**
 * A module of its own: unpacks LZMA, in which the kernels are embedded. Gzip, which a server would use, leaves 30 % more of them.
 * The format is Igor Pavlov's, as the LZMA specification has it: a range coder whose every bit is predicted from its context,
 * with 3 bits of literal context and 2 of position. tools/embed.ts packs. In JavaScript the 300,000 bits take ten times as long.
 */

// Where the contexts of each kind of bit begin: 16-bit chances from address 0 on.
const IS_MATCH = 0; //           state × position
const IS_REPEATED = 192; //      state
const IS_OLDER = 204; //         state: not the latest distance
const IS_OLDER_STILL = 216; //   state
const IS_OLDEST = 228; //        state
const IS_LONG = 240; //          state × position
const LENGTH = 432; //           of a match: 2 choices, then trees of 3 and 3 bits by position, one of 8
const REPEATED_LENGTH = 754; //  of a repeated match
const DISTANCE = 1076; //        its number of bits: 4 trees of 6 bits
const MIDDLE = 1332; //          the lower bits of distances below 128
const ALIGN = 1447; //           the lowest four of greater ones
const LITERAL = 1463; //         8 trees of 3 × 8 bits
const CONTEXTS = LITERAL + 8 * 768;

let input: usize = 0;
let range: u32 = 0;
let code: u32 = 0;

function normalise(): void {
  if (range >= 0x1000000) return;
  range <<= 8;
  code = (code << 8) | load<u8>(input++);
}

function bit(context: i32): i32 {
  const at = <usize>context << 1;
  const chance: u32 = load<u16>(at);
  const bound = (range >>> 11) * chance;
  const one = code >= bound;
  if (one) {
    range -= bound;
    code -= bound;
    store<u16>(at, chance - (chance >> 5));
  } else {
    range = bound;
    store<u16>(at, chance + ((2048 - chance) >> 5));
  }
  normalise();
  return i32(one);
}

/** A number of so many bits, highest first, each predicted from those before it. */
function tree(context: i32, bits: i32): i32 {
  let node = 1;
  for (let i = 0; i < bits; i++) node = (node << 1) + bit(context + node);
  return node - (1 << bits);
}

/** … lowest first. */
function reversedTree(context: i32, bits: i32): i32 {
  let node = 1, value = 0;
  for (let i = 0; i < bits; i++) {
    const one = bit(context + node);
    node = (node << 1) + one;
    value |= one << i;
  }
  return value;
}

function length(context: i32, position: i32): i32 {
  if (!bit(context)) return 2 + tree(context + 2 + 8 * position, 3);
  if (!bit(context + 1)) return 10 + tree(context + 34 + 8 * position, 3);
  return 18 + tree(context + 66, 8);
}

function distance(length: i32): i32 {
  const slot = tree(DISTANCE + 64 * min(length - 2, 3), 6);
  if (slot < 4) return slot;
  let bits = (slot >> 1) - 1;
  let value = (2 | (slot & 1)) << bits;
  if (slot < 14) return value + reversedTree(MIDDLE + value - slot, bits);
  while (bits > 4) {
    range >>>= 1;
    if (code >= range) {
      code -= range;
      value += 1 << --bits;
    } else bits--;
    normalise();
  }
  return value + reversedTree(ALIGN, 4);
}

/** What follows a byte that ended a match is not what followed it before: that predicts it, until the two part. */
function literal(context: i32, expected: i32): i32 {
  let node = 1;
  while (expected >= 0 && node < 256) {
    const wanted = (expected >> 7) & 1;
    expected <<= 1;
    const got = bit(context + ((1 + wanted) << 8) + node);
    node = (node << 1) + got;
    if (got != wanted) expected = -1;
  }
  while (node < 256) node = (node << 1) + bit(context + node);
  return node;
}

/** A digit of base64. */
function digit(character: i32): i32 {
  if (character > 96) return character - 71; // a to z
  if (character > 64) return character - 65; // A to Z
  if (character > 47) return character + 4; // 0 to 9
  return character == 43 ? 62 : 63; // + and /
}

/** Makes bytes of base64, where it stands: what fills up the last four characters gives bytes that nobody reads. */
function decode(text: usize, length: i32): void {
  let to = text;
  for (const end = text + length; text < end; text += 4) {
    const bits = digit(load<u8>(text)) << 18 | digit(load<u8>(text, 1)) << 12 | digit(load<u8>(text, 2)) << 6 | digit(load<u8>(text, 3));
    store<u8>(to++, bits >> 16);
    store<u8>(to++, bits >> 8);
    store<u8>(to++, bits);
  }
}

/** Unpacks the .lzma file whose base64 is at `packed`, which must be behind the contexts, to `output`; returns the length. */
export function unpack(packed: usize, characters: i32, output: usize): i32 {
  decode(packed, characters);
  for (let i = 0; i < CONTEXTS; i++) store<u16>(<usize>i << 1, 1024);
  const size = load<u32>(packed, 5);
  input = packed + 14; // the header, and a byte of 0
  range = 0xffffffff;
  code = bswap<u32>(load<u32>(input));
  input += 4;
  let state = 0;
  let latest: usize = 0, older: usize = 0, olderStill: usize = 0, oldest: usize = 0;
  const end = output + size;
  for (let to = output; to < end; ) {
    const position = <i32>(to - output) & 3;
    if (!bit(IS_MATCH + 16 * state + position)) {
      const before: i32 = to > output ? load<u8>(to - 1) : 0;
      store<u8>(to, literal(LITERAL + 768 * (before >> 5), state < 7 ? -1 : load<u8>(to - latest - 1)));
      to++;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    const afterLiteral = state < 7;
    let count = 1;
    if (!bit(IS_REPEATED + state)) {
      oldest = olderStill;
      olderStill = older;
      older = latest;
      count = length(LENGTH, position);
      latest = distance(count);
      state = afterLiteral ? 7 : 10;
    } else {
      const isLatest = !bit(IS_OLDER + state);
      if (isLatest && !bit(IS_LONG + 16 * state + position)) state = afterLiteral ? 9 : 11;
      else {
        if (!isLatest) {
          let again = older;
          if (bit(IS_OLDER_STILL + state)) {
            again = olderStill;
            if (bit(IS_OLDEST + state)) {
              again = oldest;
              oldest = olderStill;
            }
            olderStill = older;
          }
          older = latest;
          latest = again;
        }
        count = length(REPEATED_LENGTH, position);
        state = afterLiteral ? 8 : 11;
      }
    }
    for (; count > 0; count--) store<u8>(to, load<u8>(to++ - latest - 1));
  }
  return size;
}
