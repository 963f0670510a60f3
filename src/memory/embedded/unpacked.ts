import { unpacker } from "../../../build/embedded/unpacker.ts";
import type { Variant } from "../../types.ts";
import * as AT from "./places.ts";
import type { Unpacker } from "./unpacker.ts";

/** The bytes of a family's kernels, by a module of its own, which is dropped thereafter. */
export function unpacked(kernels: string, variant: Variant): Uint8Array<ArrayBuffer> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes(unpacker)));
  const { memory, unpack, unfuse } = exports as unknown as Unpacker;
  const all = new Uint8Array(memory.buffer);
  // the module makes bytes of it in a tenth of the time
  new TextEncoder().encodeInto(kernels, all.subarray(AT.packed));
  const length = unpack(AT.packed, kernels.length, AT.relaxed);
  if (variant === "relaxed") return all.slice(AT.relaxed, AT.relaxed + length);
  return all.slice(AT.base, AT.base + unfuse(AT.relaxed, length, AT.base));
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
