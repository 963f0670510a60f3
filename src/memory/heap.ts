/** Blocks of linear memory behind the stage, for residents; and memory that reaches as far as is asked for. */
import { type Arena, HEAP, PAD, PAGE } from "./arena.ts";

/** Takes `bytes` of memory, aligned to 64; grows memory if it must. */
export function allocate(arena: Arena, fn: string, bytes: number): number {
  const { blocks } = arena;
  let start = align(HEAP);
  let i = 0;
  for (; i < blocks.length; i++) {
    const { start: next, end } = blocks[i] as (typeof blocks)[number];
    if (next - start >= bytes + PAD) break;
    start = end;
  }
  const end = align(start + bytes + PAD);
  reach(arena, fn, end, bytes);
  blocks.splice(i, 0, { start, end });
  return start;
}

export function free({ blocks }: Arena, pointer: number): void {
  const i = blocks.findIndex((block) => block.start === pointer);
  if (i >= 0) blocks.splice(i, 1);
}

/** Makes memory reach to `end`, for `bytes` that `fn` asks for. It grows here alone. @throws RangeError where it cannot. */
export function reach(arena: Arena, fn: string, end: number, bytes: number): void {
  const missing = Math.ceil((end - arena.memoryBytes) / PAGE);
  if (missing <= 0) return;
  try {
    arena.memory.grow(missing);
  } catch (cause) {
    throw new RangeError(
      `${fn}: not enough memory: ${bytes} bytes were asked for beyond the ${arena.memoryBytes} in use`,
      { cause },
    );
  }
  arena.renew();
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
