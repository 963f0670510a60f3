/** The module that makes the kernels of what is embedded (assembly/embed/). */

/** Where it has what in its memory; the first 32 KiB are its own. */
export const AT = { packed: 0x8000, relaxed: 0x10000, base: 0x30000, end: 0x70000 } as const;

export interface Unpacker {
  readonly memory: WebAssembly.Memory;
  unpack(packed: number, output: number): number;
  unfuse(relaxed: number, length: number, output: number): number;
}
