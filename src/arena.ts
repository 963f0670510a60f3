/**
 * The one owner of linear memory.
 *
 *     0        1024          heapBase          + STAGE_BYTES                          memoryBytes
 *     │ unused │ static data │ stage: tiles of │ resident arrays and scratch,          │
 *     │        │             │ inputs, outputs │ first fit, 64-byte aligned and padded │
 *
 * Inputs are streamed through the stage, so memory grows for residents only. Views are kept, and derived anew when
 * the buffer changes: making one costs 36 ns, setting 64 elements 16 ns. No other module keeps a view of memory.
 */

import type { Kernels, TypedKernels, Variant } from "./abi.ts";
import { failKind, integerIn } from "./check.ts";
import type { FloatArray, Resident } from "./types.ts";

/** Rows up to this size are staged whole; longer ones stream through it piece by piece. Held by L2. */
const STAGE_BYTES = 1 << 20;

/** One list of results, labels or the like of the rows of a tile; there are three. */
export const RESULT_BYTES = 16384;

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
  /** Where a reduction puts one number per row of a tile. */
  readonly results: number;
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
    this.#heap = this.results + 3 * RESULT_BYTES + PAD;
    this.#reserve(this.#heap);
  }

  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** The kernels for the type of an array. */
  kernelsFor(array: FloatArray): TypedKernels {
    return array.BYTES_PER_ELEMENT === 4 ? this.f32 : this.f64;
  }

  /** Linear memory as elements of so many bytes. Memory grows here alone, so that the views are right without a look. */
  view(bytes: number): FloatArray {
    return bytes === 4 ? this.#f32 : this.#f64;
  }

  /** Where an array stands in linear memory, in bytes; 0 if it stands elsewhere. */
  locate(array: FloatArray): number {
    // only residents can, and small ones are copied: asking a small array for its buffer moves it off the JavaScript
    // heap, which takes some 200 ns
    if (this.#blocks.length === 0 || array.length <= FEW) return 0;
    return array.buffer === this.#memory.buffer ? array.byteOffset : 0;
  }

  /** The elements at `pointer`: what `locate` found, anew after memory has grown. */
  arrayAt(pointer: number, length: number, bytes: number): FloatArray {
    const type = bytes === 4 ? Float32Array : Float64Array;
    return new type(this.#memory.buffer, pointer, length);
  }

  /** Copies `count` elements of `array`, `stride` apart from index `from` on, to `pointer`: as they are, or as f64. */
  copyIn(
    array: FloatArray,
    from: number,
    count: number,
    pointer: number,
    stride = 1,
    bytes = array.BYTES_PER_ELEMENT,
  ): void {
    const view = this.view(bytes);
    const at = index(pointer, bytes);
    if (count <= FEW || stride !== 1) for (let i = 0; i < count; i++) view[at + i] = array[from + i * stride] as number;
    else view.set(from === 0 && count === array.length ? array : array.subarray(from, from + count), at);
  }

  /** Fills up a row of n elements with −∞ to a multiple of the group, which spares a kernel its tail; returns that. */
  pad(pointer: number, n: number, bytes: number): number {
    const group = GROUP_BYTES / bytes;
    if (n % group === 0) return n;
    const view = this.view(bytes);
    const end = n + group - (n % group);
    const at = index(pointer, bytes);
    for (let i = n; i < end; i++) view[at + i] = -Infinity;
    return end;
  }

  /** Copies `count` elements at `pointer` to `array`, `stride` apart from index `to` on. */
  copyOut(pointer: number, count: number, array: FloatArray, to: number, stride = 1): void {
    const view = this.view(array.BYTES_PER_ELEMENT);
    const at = index(pointer, array.BYTES_PER_ELEMENT);
    if (count <= FEW || stride !== 1) for (let i = 0; i < count; i++) array[to + i * stride] = view[at + i] as number;
    else array.set(view.subarray(at, at + count), to);
  }

  /** Copies labels [from, from + count) to `pointer`, as i32. */
  copyLabels(labels: Int32Array, from: number, count: number, pointer: number): void {
    this.#i32.set(labels.subarray(from, from + count), pointer >>> 2);
  }

  /** The f64 at `pointer`. */
  number(pointer: number): number {
    return this.view(8)[pointer / 8] as number;
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
    this.#reserve(end, fn, bytes);
    this.#blocks.splice(i, 0, { start, end });
    return start;
  }

  free(pointer: number): void {
    const i = this.#blocks.findIndex((block) => block.start === pointer);
    if (i >= 0) this.#blocks.splice(i, 1);
  }

  #reserve(end: number, fn = "init", bytes = end): void {
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
    this.#i32 = new Int32Array(this.#memory.buffer);
    this.#f32 = new Float32Array(this.#memory.buffer);
    this.#f64 = new Float64Array(this.#memory.buffer);
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

const CONSTRUCTORS = { f32: Float32Array, f64: Float64Array } as const;

type View<T> = new (buffer: ArrayBufferLike, offset: number, length: number) => T;

/** An array in linear memory. */
export class ResidentArray<T extends FloatArray = FloatArray> implements Resident<T> {
  readonly arena: Arena;
  readonly length: number;
  readonly #type: View<T>;
  #pointer: number;
  #array: T | undefined;

  constructor(arena: Arena, type: "f32" | "f64", length: number) {
    this.arena = arena;
    this.length = length;
    this.#type = CONSTRUCTORS[type] as unknown as View<T>;
    this.#pointer = arena.allocate("resident", length * CONSTRUCTORS[type].BYTES_PER_ELEMENT);
    this.array.fill(0);
  }

  get array(): T {
    if (this.#pointer === 0) throw new TypeError("resident: this array has been disposed of and can no longer be used");
    const { buffer } = this.arena.kernels.memory;
    if (this.#array?.buffer !== buffer) this.#array = new this.#type(buffer, this.#pointer, this.length);
    return this.#array;
  }

  set(values: ArrayLike<number>, offset = 0): void {
    if (typeof values !== "object" || values === null || typeof values.length !== "number")
      failKind("resident.set", "values", "an array", values);
    integerIn("resident.set", "offset", offset, undefined, 0, this.length);
    if (values.length > this.length - offset) {
      throw new RangeError(
        `resident.set: "values" of length ${values.length} at offset ${offset} exceed the length ${this.length}`,
      );
    }
    this.array.set(values, offset);
  }

  dispose(): void {
    if (this.#pointer !== 0) this.arena.free(this.#pointer);
    this.#pointer = 0;
  }

  declare [Symbol.dispose]: () => void;
}

// an older engine has no Symbol.dispose
if (Symbol.dispose) ResidentArray.prototype[Symbol.dispose] = ResidentArray.prototype.dispose;
