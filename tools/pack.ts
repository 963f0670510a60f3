/**
 * The text in which kernels are embedded, of the relaxed module: see assembly/embed/unpack.ts, which makes both variants of it.
 * A function that has fused operations is given two locals more, in both variants.
 */
import { BYTES, CLOSE, FIRST, LOCALS, OPEN, PREFIXES, SINGLE } from "../assembly/embed/codes.ts";

// sections of a module
const TYPES = 1;
const FUNCTIONS = 3;
const CODE = 10;

const V128 = 0x7b;
const VECTOR = 0xfd;
const F32X4_MADD = 0x85; // 0x285, in two bytes

export function pack(relaxed: Uint8Array): string {
  let from = 0;
  let text = "";
  const at = (place: number): number => relaxed[place] as number;

  const put = (symbol: number): void => {
    const prefix = Math.floor(symbol / SINGLE);
    const code = FIRST + (symbol % SINGLE);
    const character = String.fromCharCode(code < 92 ? code : code + 1);
    text += prefix === 0 ? character : String.fromCharCode(PREFIXES + prefix - 1) + character;
  };
  const putByte = (byte: number): void => put(BYTES + ((byte + 4) & 255));
  const putNumber = (value: number): void => {
    for (; value > 127; value >>= 7) putByte((value & 127) | 128);
    putByte(value);
  };
  const copy = (end: number): void => {
    while (from < end) putByte(at(from++));
  };
  const read = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = at(from++);
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };

  /** Where the fused operations of a body are, and which. */
  const fusedIn = (start: number, end: number): Map<number, number> => {
    const found = new Map<number, number>();
    for (let place = start; place < end - 2; place++) {
      const kind = at(place + 1) - F32X4_MADD;
      if (at(place) === VECTOR && kind >= 0 && kind < 4 && at(place + 2) === 2) found.set(place, kind);
    }
    return found;
  };

  const body = (parameters: number): void => {
    const end = read() + from;
    put(OPEN);
    const groups = read();
    const start = from;
    let locals = parameters;
    for (let i = 0; i < groups; i++) {
      locals += read();
      from++; // their type
    }
    const code = from;
    from = start;
    const fused = fusedIn(code, end);
    if (fused.size > 0) {
      if (locals > 255) throw new Error(`a function has ${locals} locals: assembly/embed/codes.ts has a byte for them`);
      put(LOCALS);
      put(BYTES + locals);
    }
    putNumber(groups + Number(fused.size > 0));
    copy(code);
    if (fused.size > 0) for (const byte of [2, V128]) putByte(byte);
    for (const [place, kind] of fused) {
      copy(place);
      put(kind);
      from = place + 3;
    }
    copy(end);
    put(CLOSE);
  };

  const parametersOf: number[] = [];
  const typeOf: number[] = [];
  copy(8);
  while (from < relaxed.length) {
    const start = from;
    const id = at(from++);
    const end = read() + from;
    if (id === TYPES) {
      for (let count = read(); count > 0; count--) {
        from++; // "a function"
        const parameters = read();
        parametersOf.push(parameters);
        from += parameters;
        const results = read();
        from += results;
      }
    } else if (id === FUNCTIONS) {
      for (let count = read(); count > 0; count--) typeOf.push(read());
    } else if (id === CODE) {
      putByte(id);
      put(OPEN);
      const count = read();
      putNumber(count);
      for (const type of typeOf) body(parametersOf[type] as number);
      put(CLOSE);
      continue;
    }
    from = start;
    copy(end);
  }
  put(CLOSE);
  return text;
}
