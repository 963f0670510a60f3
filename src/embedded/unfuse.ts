/**
 * Makes the base kernels of the relaxed ones. They differ in the fused multiply-adds alone, so that one binary serves for
 * both: relaxed_madd(a, b, c) becomes a·b + c and relaxed_nmadd(a, b, c) becomes c − a·b, with two roundings.
 *
 *     relaxed_madd   →   local.set c   mul   local.set ab   local.get c   local.get ab   add
 *
 * To an optimising compiler locals are but names: what is left of this are the two operations.
 */

/** Sections of a module. */
const TYPES = 1;
const FUNCTIONS = 3;
const CODE = 10;

/** What begins the opcode of a vector operation. */
const VECTOR = 0xfd;

/** What a fused operation stands for, by the second byte of its opcode: f32x4's madd and nmadd, then f64x2's. */
const OPERATIONS: Record<number, readonly [multiply: number, accumulate: number]> = {
  133: [0xe6, 0xe4],
  134: [0xe6, 0xe5],
  135: [0xf2, 0xf0],
  136: [0xf2, 0xf1],
};

/** The body of the kernel isRelaxed, i32.const 1, which no other kernel has. */
const IS_RELAXED = [0, 0x41, 1, 0x0b];

/**
 * The bytes of build/relaxed.wasm to those of build/base.wasm, in 1 ms. Knows what the compiler of assembly/ writes, rather
 * than all of WebAssembly: tools/embed.ts checks that every fused operation is met, and nothing mistaken for one.
 */
export function unfuse(relaxed: Uint8Array): Uint8Array<ArrayBuffer> {
  const base = new Uint8Array(2 * relaxed.length);
  let from = 0;
  let to = 0;

  /** Reads a number. */
  const u32 = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = relaxed[from++] as number;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const copy = (end: number): void => {
    base.set(relaxed.subarray(from, end), to);
    to += end - from;
    from = end;
  };
  const put = (...bytes: number[]): void => {
    for (const byte of bytes) base[to++] = byte;
  };
  /** A number of up to 21 bits in three bytes. */
  const wide = (value: number): [number, number, number] => [
    (value & 127) | 128,
    ((value >> 7) & 127) | 128,
    value >> 14,
  ];
  /** Runs `write`, and puts the number of bytes it wrote before them. */
  const sized = (write: () => void): void => {
    const at = to;
    to += 3;
    write();
    base.set(wide(to - at - 3), at);
  };

  /** The body of a function, up to byte `end`. */
  const body = (end: number, parameters: number): void => {
    const start = from;
    let [locals, groups] = [parameters, u32()];
    const first = from;
    const count = groups;
    for (; groups > 0; groups--) {
      locals += u32();
      from++; // their type
    }
    put(...wide(count + 1));
    base.set(relaxed.subarray(first, from), to);
    to += from - first;
    put(2, 0x7b); // two vectors
    const ab = wide(locals);
    const c = wide(locals + 1);
    for (let at = from; at < end - 2; at++) {
      if (relaxed[at] !== VECTOR || relaxed[at + 2] !== 2) continue;
      const operations = OPERATIONS[relaxed[at + 1] as number];
      if (operations === undefined) continue;
      copy(at);
      put(0x21, ...c, VECTOR, operations[0], 1, 0x21, ...ab, 0x20, ...c, 0x20, ...ab, VECTOR, operations[1], 1);
      from = at + 3;
    }
    copy(end);
    if (IS_RELAXED.every((byte, i) => relaxed[start + i] === byte) && end === start + 4) base[to - 2] = 0;
  };

  let parameters: number[] = []; // of each type
  let types: number[] = []; // of each function
  copy(8);
  while (from < relaxed.length) {
    const start = from;
    const id = relaxed[from++] as number;
    const end = u32() + from;
    if (id === TYPES) {
      parameters = Array.from({ length: u32() }, () => {
        from++; // "a function"
        const count = u32();
        from += count;
        const results = u32();
        from += results;
        return count;
      });
    } else if (id === FUNCTIONS) types = Array.from({ length: u32() }, u32);
    if (id === CODE) {
      put(id);
      sized(() => {
        put(...wide(u32()));
        for (const type of types) {
          const length = u32();
          sized(() => body(from + length, parameters[type] as number));
        }
      });
    } else {
      from = start;
      copy(end);
    }
  }
  return base.slice(0, to);
}
