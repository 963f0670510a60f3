import { unpacker } from "../../../build/embedded/unpacker.ts";
import type { Variant } from "../../types.ts";

/** The module that makes kernels of a text (assembly/embed/). */
interface Unpacker {
  readonly memory: WebAssembly.Memory;
  /** From one place of its memory to another; returns the end of what it wrote. */
  unpack(text: number, output: number, relaxed: boolean): number;
}

/** Where in its memory it writes, behind the text, which is never longer than this. */
const OUTPUT = 0x20000;

/** The bytes of a family's kernels, by a module of its own, which is dropped thereafter. */
export function unpacked(kernels: string, variant: Variant): Uint8Array<ArrayBuffer> {
  const code = atob(unpacker);
  const bytes = new Uint8Array(code.length);
  for (let i = 0; i < code.length; i++) bytes[i] = code.charCodeAt(i);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { memory, unpack } = exports as unknown as Unpacker;
  const all = new Uint8Array(memory.buffer as ArrayBuffer);
  new TextEncoder().encodeInto(kernels, all);
  return all.subarray(OUTPUT, unpack(0, OUTPUT, variant === "relaxed"));
}
