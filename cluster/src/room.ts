/**
 * The arrays of a tile, one behind the other in memory that the next tile takes over: a new one of 16 MiB for each tile would stay until the
 * engine collects it, which costs a worker more memory than all that it needs. For a pool it is memory that threads share, where arrays are
 * read and written in place.
 */
import { type Elements, type ElementType, TYPES } from "./inputs/types.ts";
import type { FloatArray } from "./jobs/types.ts";

/** Arrays begin at multiples of so many bytes. */
const ALIGNED = 64;

/** Of arrays as many as there may be beside each other. */
const SLACK = 16 * ALIGNED;

export class Room {
  readonly #shared: boolean;
  readonly #least: number;
  #buffer: ArrayBuffer | SharedArrayBuffer;
  #places = new Map<string, { readonly at: number; readonly bytes: number }>();
  #end = 0;

  /** `least`: bytes that most tiles are content with. The system gives none of it before it is written to. */
  constructor(shared = false, least = 0) {
    this.#shared = shared;
    this.#least = least;
    this.#buffer = new ArrayBuffer(0);
  }

  /** Begins with a tile, whose arrays take so many bytes. */
  begin(bytes: number): this {
    this.#places.clear();
    this.#end = 0;
    const wanted = bytes + SLACK;
    if (this.#buffer.byteLength < wanted)
      this.#buffer = new (this.#shared ? SharedArrayBuffer : ArrayBuffer)(Math.max(wanted, this.#least));
    return this;
  }

  /** The array of a name, with whatever is in it: where it was in this tile, if that is large enough. */
  elements(name: string, type: ElementType, length: number): Elements {
    const { array, bytes } = TYPES[type];
    const wanted = length * bytes;
    let place = this.#places.get(name);
    if (place === undefined || place.bytes < wanted) {
      place = { at: this.#end, bytes: wanted };
      this.#places.set(name, place);
      this.#end += Math.ceil(wanted / ALIGNED) * ALIGNED;
    }
    // what its tile has not reckoned with is in memory of its own
    if (this.#end > this.#buffer.byteLength) return new array(length) as Elements;
    return new array(this.#buffer as ArrayBuffer, place.at, length) as Elements;
  }

  floats(name: string, bytes: 4 | 8, length: number): FloatArray {
    return this.elements(name, bytes === 4 ? "float32" : "float64", length) as FloatArray;
  }
}
