/** The module that makes the kernels of what is embedded (assembly/embed/). */

export interface Unpacker {
  readonly memory: WebAssembly.Memory;
  unpack(packed: number, characters: number, output: number): number;
  unfuse(relaxed: number, length: number, output: number): number;
}
