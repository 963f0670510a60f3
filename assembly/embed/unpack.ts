/**
 * Makes the kernels of a family of the text in which they are embedded, in either variant (tools/pack.ts writes it).
 *
 * The text has a character for each of the bytes that are frequent, and two for any other: so gzip, which a server uses anyway, finds
 * the same repetitions in it as in bytes, where base64 hides most of them. The variants differ in the fused multiply-adds alone:
 *
 *     relaxed_madd   →   local.set c   mul   local.set ab   local.get c   local.get ab   add
 *
 * (relaxed_nmadd likewise, with sub). To an optimising compiler locals are but names: what is left of this are the two operations.
 *
 * Nine characters in ten are a byte each, and these are taken sixteen at a time. One at a time, softmax took 0.5 ms, and as much
 * work as V8 needs to compile this module anew, optimised, which took another 2 ms of a processor.
 */
import { BYTES, CLOSE, FIRST, LOCALS, OPEN, PREFIXES, SINGLE } from "./codes";

const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const VECTOR = 0xfd; // what begins a vector operation
const F32X4_MADD = 0x85; // then f32x4's nmadd, f64x2's madd and nmadd
const F32X4_ADD = 0xe4; // then sub and mul
const F64X2_ADD = 0xf0;

let from: usize = 0;
let to: usize = 0;
let isRelaxed = false;
/** The locals of a function for c and ab, of which this is the first. */
let locals = 0;

/** The next symbol. */
function next(): i32 {
  const prefix: i32 = load<u8>(from++);
  if (prefix >= FIRST) return prefix - FIRST - i32(prefix > 92);
  const character: i32 = load<u8>(from++);
  return SINGLE * (prefix - PREFIXES + 1) + character - FIRST - i32(character > 92);
}

function put(byte: i32): void {
  store<u8>(to++, byte);
}

/** Writes a number of up to 21 bits in three bytes. */
function putWide(value: i32): void {
  put(value | 128);
  put((value >> 7) | 128);
  put(value >> 14);
}

function putLocal(opcode: i32, local: i32): void {
  put(opcode);
  putWide(local);
}

function putVector(operation: i32, page: i32): void {
  put(VECTOR);
  put(operation);
  put(page);
}

/** A fused operation: madd or nmadd of f32x4, then of f64x2. */
function putFused(kind: i32): void {
  if (isRelaxed) return putVector(F32X4_MADD + kind, 2);
  const add = kind < 2 ? F32X4_ADD : F64X2_ADD;
  putLocal(LOCAL_SET, locals);
  putVector(add + 2, 1);
  putLocal(LOCAL_SET, locals + 1);
  putLocal(LOCAL_GET, locals);
  putLocal(LOCAL_GET, locals + 1);
  putVector(add + (kind & 1), 1);
}

/** The bytes that come next of one character each: sixteen are read and written, of which those up to the first that is none count. */
function putBytes(): void {
  let count: i32;
  do {
    const text = v128.load(from);
    // less the place of the backslash, which is left out
    const skipped = i8x16.gt_u(text, i8x16.splat(92));
    v128.store(to, i8x16.add(i8x16.sub(text, i8x16.splat(<i8>(FIRST + BYTES + 4))), skipped));
    count = ctz(i8x16.bitmask(i8x16.lt_u(text, i8x16.splat(<i8>(FIRST + BYTES)))) | (1 << 16));
    from += count;
    to += count;
  } while (count == 16);
}

/** The next symbol that is not a byte of one character; those before it are written. */
function special(): i32 {
  putBytes();
  return next();
}

/** What follows, up to where it closes: a section or a function has its size before it. */
function block(): void {
  for (let symbol = special(); symbol != CLOSE; symbol = special()) {
    if (symbol < BYTES) putFused(symbol);
    else if (symbol == LOCALS) locals = next() - BYTES;
    else if (symbol == OPEN) {
      const start = to;
      to += 3;
      block();
      const end = to;
      to = start;
      putWide(<i32>(end - start - 3));
      to = end;
    } else put(symbol - BYTES - 4);
  }
}

/** Unpacks the text to `output`; returns the end of what it wrote. */
export function unpack(text: usize, output: usize, relaxed: bool): usize {
  from = text;
  to = output;
  isRelaxed = relaxed;
  block();
  return to;
}
