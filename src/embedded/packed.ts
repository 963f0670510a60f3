import { kernels, unpacker } from "../../build/packed.ts";

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** What build/relaxed.wasm holds, unpacked by a module of its own (assembly/unpack.ts), which has the first 32 KiB of its memory to itself. */
export function relaxed(): Uint8Array<ArrayBuffer> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes(unpacker)));
  const { memory, unpack } = exports as {
    memory: WebAssembly.Memory;
    unpack: (packed: number, output: number) => number;
  };
  const [packed, output] = [32768, 65536];
  new Uint8Array(memory.buffer).set(bytes(kernels), packed);
  return new Uint8Array(memory.buffer.slice(output, output + unpack(packed, output)));
}
