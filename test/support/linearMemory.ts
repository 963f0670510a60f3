/**
 * Watches all linear memory, not that alone which info() tells of: a large problem of transport has a memory of its own for a
 * call. To be imported before the first call of the package.
 */
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const { Instance, Memory } = WebAssembly;
const PAGE = 65536;

const memories = new Set<WeakRef<WebAssembly.Memory>>();
let reserved = 0;

function watch(memory: WebAssembly.Memory): void {
  memories.add(new WeakRef(memory));
  reserved += memory.buffer.byteLength;
}

WebAssembly.Instance = class extends Instance {
  constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    super(module, imports);
    for (const value of Object.values(this.exports)) {
      // a memory that was imported is exported again as itself
      if (value instanceof Memory && ![...memories].some((known) => known.deref() === value)) watch(value);
    }
  }
};

WebAssembly.Memory = class extends Memory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    watch(this);
  }
};

const { grow } = Memory.prototype;
Memory.prototype.grow = function (this: WebAssembly.Memory, pages: number): number {
  const before = grow.call(this, pages);
  reserved += pages * PAGE;
  return before;
};

/** The bytes that were ever asked for, of all memories. */
export const reservedBytes = (): number => reserved;

/** The bytes of the memories that something still refers to. */
export async function heldBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // what was referred to in the present turn of the event loop is kept to its end
  await setTimeout(0);
  collect();
  let bytes = 0;
  for (const known of memories) bytes += known.deref()?.buffer.byteLength ?? 0;
  return bytes;
}
