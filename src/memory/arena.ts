/**
 * One linear memory, and the kernels that see it: those of each family that has been called.
 *
 *     0        1024          STATICS_END         STAGE             + STAGE_BYTES          memoryBytes
 *     │ unused │ static data │ results: a list │ stage: tiles of │ blocks: resident       │
 *     │        │ of families │ of numbers a row│ inputs, outputs │ arrays, first fit      │
 *
 * In a second memory (scratch.ts), which has no residents, the scratch of one call takes the stage and all that is behind it.
 *
 * Inputs are streamed through the stage. Views are kept, and derived anew when memory grows: making one costs 36 ns, setting
 * 64 elements 16 ns. No other module keeps a view of linear memory beyond a call.
 */
import { arrayType, bufferOf, byteOffsetOf, lengthOf, part, put } from "../arrays.ts";
import type { FloatArray, Variant } from "../types.ts";
import type { Kernels, TypedKernels } from "./abi.ts";
import type { Family } from "./family.ts";
import { compiled, instantiated } from "./load.ts";
import { type FamilyName, STATICS_END } from "./statics.ts";

/** Rows up to this size are staged whole; longer ones stream through it piece by piece. Held by L2. */
export const STAGE_BYTES = 1 << 20;

/** One list of results, labels or the like of the rows of a tile; there are four. */
export const RESULT_BYTES = 16384;
const LISTS = 4;

/** The unit of kernels. */
export const GROUP_BYTES = 64;

/** Kernels read whole groups: what is behind a block must be readable. */
export const PAD = GROUP_BYTES;

/** Where a reduction puts one number per row of a tile; the other lists of so many bytes are behind it. */
const RESULTS = STATICS_END;

/** Where the stage begins: at a multiple of 4 KiB, as the statics end. */
const STAGE = RESULTS + LISTS * RESULT_BYTES + 4096;

/** Where blocks begin. */
export const HEAP = STAGE + STAGE_BYTES + PAD;

export const PAGE = 65536;

/** Below this many elements a plain loop beats `set`. */
const FEW = 32;

/** A stretch of linear memory that is in use. */
export interface Block {
  readonly start: number;
  readonly end: number;
}

/** The modules of a variant's families, as far as they have been compiled or were given to `init`. */
export type Modules = { [F in FamilyName]: WebAssembly.Module | undefined };

/** A record of the families, each of which is `undefined` at first; it owns every name that is looked up. */
export function byFamily<T>(): { [F in FamilyName]: T | undefined } {
  return { softmax: undefined, losses: undefined, divergence: undefined, gram: undefined, transport: undefined };
}

/** The kernels of a family in a memory: all, and those of one type by their names without the suffix. */
interface Instance<F extends FamilyName = FamilyName> {
  readonly kernels: Kernels[F];
  readonly f32: TypedKernels<F>;
  readonly f64: TypedKernels<F>;
}

export class Arena {
  readonly variant: Variant;
  /** Where the stage begins, and how many bytes a tile or a row may take of it. */
  readonly stage = STAGE;
  readonly stageBytes = STAGE_BYTES;
  readonly results = RESULTS;
  /** Another memory with the same kernels, for calls whose stage is too small (scratch.ts); undefined while one uses it. */
  spare: Arena | undefined = undefined;
  readonly memory: WebAssembly.Memory;
  readonly modules: Modules;
  /** The blocks in use, ascending. */
  readonly blocks: Block[] = [];
  readonly #instances = byFamily<Instance>();
  /** Linear memory as i32. */
  integers!: Int32Array;
  #f32!: Float32Array;
  #f64!: Float64Array;

  /** For `fn`, which asks for so many bytes. @throws RangeError where there is no memory for it. */
  constructor(fn: string, bytes: number, variant: Variant, modules: Modules) {
    this.variant = variant;
    this.modules = modules;
    try {
      this.memory = new WebAssembly.Memory({ initial: Math.ceil(HEAP / PAGE) });
    } catch (cause) {
      throw new RangeError(`${fn}: not enough memory: ${bytes} bytes were asked for, in a memory of their own`, {
        cause,
      });
    }
    this.renew();
  }

  get memoryBytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** The buffer that views of linear memory are of, until memory grows. */
  get buffer(): ArrayBufferLike {
    return this.memory.buffer;
  }

  /** Derives the views anew, at first and when memory has grown (heap.ts). */
  renew(): void {
    const { buffer } = this.memory;
    this.integers = new Int32Array(buffer);
    this.#f32 = new Float32Array(buffer);
    this.#f64 = new Float64Array(buffer);
  }

  /** The kernels of a family. */
  kernels<F extends FamilyName>(family: Family<F>): Kernels[F] {
    return this.#instance(family).kernels;
  }

  /** Those for elements of so many bytes. */
  typed<F extends FamilyName>(family: Family<F>, bytes: number): TypedKernels<F> {
    const { f32, f64 } = this.#instance(family);
    return bytes === 4 ? f32 : f64;
  }

  /** A family is compiled and instantiated at its first call. */
  #instance<F extends FamilyName>(family: Family<F>): Instance<F> {
    const { name } = family;
    if (this.#instances[name] === undefined) this.adopt(name, this.modules[name] ?? compiled(family, this.variant));
    return this.#instances[name] as Instance<F>;
  }

  /** Takes the module of a family into use. What is there already stays: a second instance would write its static data over the first's. */
  adopt(name: FamilyName, module: WebAssembly.Module): void {
    if (this.#instances[name] !== undefined) return;
    const kernels = instantiated(name, module, this.memory);
    this.#instances[name] = { kernels, f32: suffixed(kernels, "_f32"), f64: suffixed(kernels, "_f64") } as Instance;
    this.modules[name] = module;
  }

  /** Linear memory as elements of so many bytes. The views are renewed wherever memory grows, so that they are right without a look. */
  view(bytes: number): FloatArray {
    return bytes === 4 ? this.#f32 : this.#f64;
  }

  /** Where an array stands in linear memory, in bytes; 0 if it stands elsewhere, or is small: copying is then as fast. */
  locate(array: FloatArray, length = lengthOf(array)): number {
    // only residents can; asking a small array for its buffer moves it off the JavaScript heap, which takes some 200 ns
    if (this.blocks.length === 0 || length <= FEW) return 0;
    return bufferOf(array) === this.memory.buffer ? byteOffsetOf(array) : 0;
  }

  /** A view of `length` elements at `pointer`, right until memory grows. */
  arrayAt(pointer: number, length: number, bytes: number): FloatArray {
    return new (arrayType(bytes))(this.memory.buffer, pointer, length);
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
}

/** Copies labels [from, from + count) to `pointer`, as i32. */
export function copyLabels(at: Arena, labels: Int32Array, from: number, count: number, pointer: number): void {
  const { integers } = at;
  const start = pointer >>> 2;
  if (count > FEW) integers.set(labels.subarray(from, from + count), start);
  else for (let i = 0; i < count; i++) integers[start + i] = labels[from + i] as number;
}

/** Copies the first labels to `pointer`; false if one of them is none of so many classes. */
export function copyClasses(at: Arena, labels: Int32Array, count: number, classes: number, pointer: number): boolean {
  const { integers } = at;
  const start = pointer >>> 2;
  for (let i = 0; i < count; i++) {
    const label = labels[i] as number;
    if (label < 0 || label >= classes) return false;
    integers[start + i] = label;
  }
  return true;
}

/** The exports with a suffix, by their names without it: looking one up by a composed name would cost 300 ns a call. */
function suffixed(kernels: object, suffix: string): object {
  const named = Object.entries(kernels).filter(([name]) => name.endsWith(suffix));
  return Object.fromEntries(named.map(([name, kernel]) => [name.slice(0, -suffix.length), kernel]));
}

/** The index of an element in a view; a division would cost 5 ns a time. */
function index(pointer: number, bytes: number): number {
  return bytes === 4 ? pointer >>> 2 : pointer >>> 3;
}
