/**
 * Makes the base kernels of the relaxed ones. They differ in the fused multiply-adds alone, so that one binary serves for
 * both: relaxed_madd(a, b, c) becomes a·b + c and relaxed_nmadd(a, b, c) becomes c − a·b, with two roundings.
 *
 *     relaxed_madd   →   local.set c   mul   local.set ab   local.get c   local.get ab   add
 *
 * To an optimising compiler locals are but names: what is left of this are the two operations. Knows what the compiler of
 * this folder writes rather than all of WebAssembly: tools/embed.ts checks that every fused operation is met, and nothing
 * mistaken for one. 0.3 ms; in JavaScript, which has yet to be compiled then, 8 ms.
 */

// Sections of a module.
const TYPES = 1;
const FUNCTIONS = 3;
const CODE = 10;

// Opcodes.
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const V128 = 0x7b;
const VECTOR = 0xfd; // what begins a vector operation
const F32X4_MADD = 0x285; // then f32x4's nmadd, f64x2's madd and nmadd
const F32X4_ADD = 0xe4; // then sub and mul
const F64X2_ADD = 0xf0;

// Tables of bytes: the parameters of each type, the type of each function.
const PARAMETERS: usize = 0;
const TYPE_OF: usize = 1024;

let from: usize = 0;
let to: usize = 0;

/** Reads a number. */
function read(): i32 {
  let value = 0, shift = 0, byte: i32;
  do {
    byte = load<u8>(from++);
    value |= (byte & 127) << shift;
    shift += 7;
  } while (byte > 127);
  return value;
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

function putVector(operation: i32): void {
  put(VECTOR);
  put(operation);
  put(1);
}

function copy(end: usize): void {
  memory.copy(to, from, end - from);
  to += end - from;
  from = end;
}

/** Leaves room for the size of what will be written; `close` writes it there. */
function open(): usize {
  to += 3;
  return to;
}

function close(start: usize): void {
  const end = to;
  to = start - 3;
  putWide(<i32>(end - start));
  to = end;
}

/** The body of a function, up to `end`. */
function body(end: usize, parameters: i32): void {
  const groups = read();
  putWide(groups + 1);
  const start = from;
  let ab = parameters;
  for (let i = 0; i < groups; i++) {
    ab += read();
    from++; // their type
  }
  const code = from;
  from = start;
  copy(code);
  put(2);
  put(V128);
  const c = ab + 1;
  for (let at = from; at < end - 2; at++) {
    if (load<u8>(at) != VECTOR) continue;
    const fused = <i32>load<u16>(at, 1) - F32X4_MADD;
    if (<u32>fused > 3) continue;
    copy(at);
    const add = fused < 2 ? F32X4_ADD : F64X2_ADD;
    putLocal(LOCAL_SET, c);
    putVector(add + 2);
    putLocal(LOCAL_SET, ab);
    putLocal(LOCAL_GET, c);
    putLocal(LOCAL_GET, ab);
    putVector(add + (fused & 1));
    from = at + 3;
  }
  copy(end);
}

/** The module of `length` bytes at `relaxed` without fused operations, to `base`, both behind the tables; returns its length. */
export function unfuse(relaxed: usize, length: i32, base: usize): i32 {
  from = relaxed;
  to = base;
  copy(from + 8);
  while (from < relaxed + length) {
    const start = from;
    const id: i32 = load<u8>(from++);
    const size = read();
    const end = from + size;
    if (id == TYPES) {
      const count = read();
      for (let i = 0; i < count; i++) {
        from++; // "a function"
        const parameters = read();
        from += parameters;
        store<u8>(PARAMETERS + i, parameters);
        const results = read();
        from += results;
      }
    } else if (id == FUNCTIONS) {
      const count = read();
      for (let i = 0; i < count; i++) store<u8>(TYPE_OF + i, read());
    } else if (id == CODE) {
      const count = read();
      put(id);
      const section = open();
      putWide(count);
      for (let i = 0; i < count; i++) {
        const bytes = read();
        const code = open();
        body(from + bytes, load<u8>(PARAMETERS + load<u8>(TYPE_OF + i)));
        close(code);
      }
      close(section);
      continue;
    }
    from = start;
    copy(end);
  }
  return <i32>(to - base);
}
