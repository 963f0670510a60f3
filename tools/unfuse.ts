import { readFileSync } from "node:fs";
import * as AT from "../src/memory/embedded/places.ts";
import type { Unpacker } from "../src/memory/embedded/unpacker.ts";

/** A module without its fused multiply-adds, by build/embed.wasm. */
export function unfuse(relaxed: Uint8Array): Uint8Array {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync("build/embed.wasm")));
  const { memory, unfuse } = exports as unknown as Unpacker;
  new Uint8Array(memory.buffer).set(relaxed, AT.relaxed);
  return new Uint8Array(memory.buffer, AT.base, unfuse(AT.relaxed, relaxed.length, AT.base));
}
