import { kernels, unpacker } from "../../../build/packed.ts";
import type { Variant } from "../../types.ts";
import * as AT from "./places.ts";
import type { Unpacker } from "./unpacker.ts";

/** The bytes of build/relaxed.wasm or build/base.wasm, by a module of its own, which is dropped thereafter. */
export function unpacked(variant: Variant): Uint8Array<ArrayBuffer> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes(unpacker)));
  const { memory, unpack, unfuse } = exports as unknown as Unpacker;
  new Uint8Array(memory.buffer).set(bytes(kernels), AT.packed);
  const length = unpack(AT.packed, AT.relaxed);
  if (variant === "relaxed") return new Uint8Array(memory.buffer.slice(AT.relaxed, AT.relaxed + length));
  return new Uint8Array(memory.buffer.slice(AT.base, AT.base + unfuse(AT.relaxed, length, AT.base)));
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
