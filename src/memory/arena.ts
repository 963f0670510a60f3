/**
 * One linear memory with the kernels that see it.
 *
 *     0        1024          heapBase          + STAGE_BYTES                          memoryBytes
 *     │ unused │ static data │ stage: tiles of │ blocks: resident arrays, or the      │
 *     │        │             │ inputs, outputs │ scratch of one call; first fit        │
 *
 * Inputs are streamed through the stage. Views are kept, and derived anew when memory grows: making one costs 36 ns, setting
 * 64 elements 16 ns. No other module keeps a view of linear memory beyond a call.
 */
import { arrayType, bufferOf, byteOffsetOf, lengthOf, part, put } from "../arrays.ts";
import type { FloatArray, Variant } from "../types.ts";
import type { Kernels, TypedKernels } from "./abi.ts";

/** Rows up to this size are staged whole; longer ones stream through it piece by piece. Held by L2. */
export const STAGE_BYTES = 1 << 20;

/** One list of results, labels or the like of the rows of a tile; there are four. */
export const RESULT_BYTES = 16384;
const LISTS = 4;

/** The unit of kernels. */
export const GROUP_BYTES = 64;

/** Kernels read whole groups: what is behind a block must be readable. */
const PAD = GROUP_BYTES;

const PAGE = 65536;

/** Below this many elements a plain loop beats `set`. */
const FEW = 32;

interface Block {
  readonly start: number;
  readonly end: number;
}

export class Arena {
  readonly kernels: Kernels;
  readonly f32: TypedKernels;
  readonly f64: TypedKernels;
  readonly variant: Variant;
  /** Where the stage begins, and how many bytes a tile or a row may take of it. */
  readonly stage: number;
  readonly stageBytes = STAGE_BYTES;
  /** Where a reduction puts one number per row of a tile; the other lists of so many bytes are behind it. */
  readonly results: number;
  /** Another instance, for calls whose stage is too small (scratch.ts); undefined while one uses it. */
  spare: Arena | undefined;
  readonly #memory: WebAssembly.Memory;
  readonly #heap: number;
  /** The blocks in use, ascending. */
  readonly #blocks: Block[] = [];
  #i32!: Int32Array;
  #f32!: Float32Array;
  #f64!: Float64Array;

  constructor(kernels: Kernels, variant: Variant) {
    this.kernels = kernels;
    this.f32 = suffixed(kernels, "_f32");
    this.f64 = suffixed(kernels, "_f64");
    this.variant = variant;
    this.#memory = kernels.memory;
    this.stage = align(kernels.heapBase());
    this.results = this.stage + STAGE_BYTES + PAD;
    this.#heap = this.results + LISTS * RESULT_BYTES + PAD;
    this.#reserve("init", this.#heap, this.#heap);
  }

  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** The buffer that views of linear memory are of, until memory grows. */
  get buffer(): ArrayBufferLike {
    return this.#memory.buffer;
  }

  /** The kernels for elements of so many bytes. */
  typed(bytes: number): TypedKernels {
    return bytes === 4 ? this.f32 : this.f64;
  }

  /** Linear memory as elements of so many bytes. Memory grows here alone, so that the views are right without a look. */
  view(bytes: number): FloatArray {
    return bytes === 4 ? this.#f32 : this.#f64;
  }

  /** Where an array stands in linear memory, in bytes; 0 if it stands elsewhere, or is small: copying is then as fast. */
  locate(array: FloatArray, length = lengthOf(array)): number {
    // only residents can; asking a small array for its buffer moves it off the JavaScript heap, which takes some 200 ns
    if (this.#blocks.length === 0 || length <= FEW) return 0;
    return bufferOf(array) === this.#memory.buffer ? byteOffsetOf(array) : 0;
  }

  /** A view of `length` elements at `pointer`, right until memory grows. */
  arrayAt(pointer: number, length: number, bytes: number): FloatArray {
    return new (arrayType(bytes))(this.#memory.buffer, pointer, length);
  }

  /** Copies `count` elements of `array`, `stride` apart from index `from` on, to `pointer`: as they are, or as f64. */
  copyIn(
    array: FloatArray,
    bytes: number,
    from: number,
    count: number,
    pointer: number,
    stride = 1,
    as: number = bytes,
  ): void {
    const view = this.view(as);
    const at = index(pointer, as);
    if (count <= FEW || stride !== 1) for (let i = 0; i < count; i++) view[at + i] = array[from + i * stride] as number;
    else view.set(from === 0 && count === lengthOf(array) ? array : part(array, bytes, from, count), at);
  }

  /** Copies `count` elements at `pointer` to `array`, `stride` apart from index `to` on. */
  copyOut(pointer: number, count: number, array: FloatArray, bytes: number, to: number, stride = 1): void {
    const view = this.view(bytes);
    const at = index(pointer, bytes);
    if (count <= FEW || stride !== 1) for (let i = 0; i < count; i++) array[to + i * stride] = view[at + i] as number;
    else put(view.subarray(at, at + count), array, to);
  }

  /** Copies labels [from, from + count) to `pointer`, as i32. */
  copyLabels(labels: Int32Array, from: number, count: number, pointer: number): void {
    const at = pointer >>> 2;
    if (count > FEW) this.#i32.set(labels.subarray(from, from + count), at);
    else for (let i = 0; i < count; i++) this.#i32[at + i] = labels[from + i] as number;
  }

  /** Copies the first labels to `pointer`; false if one of them is none of so many classes. */
  copyClasses(labels: Int32Array, count: number, classes: number, pointer: number): boolean {
    const at = pointer >>> 2;
    for (let i = 0; i < count; i++) {
      const label = labels[i] as number;
      if (label < 0 || label >= classes) return false;
      this.#i32[at + i] = label;
    }
    return true;
  }

  /** The f64 at `pointer`. */
  number(pointer: number): number {
    return this.#f64[pointer / 8] as number;
  }

  /** Takes `bytes` of memory, aligned to 64; grows memory if it must. */
  allocate(fn: string, bytes: number): number {
    let start = this.#heap;
    let i = 0;
    for (; i < this.#blocks.length; i++) {
      const block = this.#blocks[i] as Block;
      if (block.start - start >= bytes + PAD) break;
      start = block.end;
    }
    const end = align(start + bytes + PAD);
    this.#reserve(fn, end, bytes);
    this.#blocks.splice(i, 0, { start, end });
    return start;
  }

  free(pointer: number): void {
    const i = this.#blocks.findIndex((block) => block.start === pointer);
    if (i >= 0) this.#blocks.splice(i, 1);
  }

  #reserve(fn: string, end: number, bytes: number): void {
    const missing = Math.ceil((end - this.memoryBytes) / PAGE);
    if (missing > 0) {
      try {
        this.#memory.grow(missing);
      } catch (cause) {
        throw new RangeError(
          `${fn}: not enough memory: ${bytes} bytes were asked for beyond the ${this.memoryBytes} in use`,
          { cause },
        );
      }
    }
    if (missing > 0 || this.#i32 === undefined) {
      this.#i32 = new Int32Array(this.#memory.buffer);
      this.#f32 = new Float32Array(this.#memory.buffer);
      this.#f64 = new Float64Array(this.#memory.buffer);
    }
  }
}

/** The exports with a suffix, by their names without it: looking one up by a composed name would cost 300 ns a call. */
function suffixed(kernels: Kernels, suffix: string): TypedKernels {
  const named = Object.entries(kernels).filter(([name]) => name.endsWith(suffix));
  return Object.fromEntries(named.map(([name, kernel]) => [name.slice(0, -suffix.length), kernel])) as TypedKernels;
}

/** The index of an element in a view; a division would cost 5 ns a time. */
function index(pointer: number, bytes: number): number {
  return bytes === 4 ? pointer >>> 2 : pointer >>> 3;
}

function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
