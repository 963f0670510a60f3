/** Deterministic random choices: of a seed and the number of a call, whatever was drawn before it. */
import type { Dice } from "../support/exports.ts";

/** A mix of all bits (splitmix32's). */
function mixed(bits: number): number {
  let t = bits ^ (bits >>> 16);
  t = Math.imul(t, 0x21f0aaad);
  t ^= t >>> 15;
  t = Math.imul(t, 0x735a2d97);
  return (t ^ (t >>> 15)) >>> 0;
}

/** How large the arrays of a call are: nearly always small; "large" ones make memory grow that is new. */
export type Extent = "small" | "tile" | "large" | "stage";

/** Elements around which tiles, results and the stage end, in f32 or f64. */
const TILE_EDGES = [256, 512, 2048, 4096] as const;
const STAGE_EDGES = [2 ** 17, 2 ** 18] as const;

export class Random implements Dice {
  #state: number;
  extent: Extent = "small";

  constructor(seed: number, call: number) {
    this.#state = mixed(mixed(seed) + Math.imul(call, 0x9e3779b9));
  }

  /** 32 random bits. */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return mixed(this.#state);
  }

  /** In [0, 1), of 32 bits. */
  uniform(): number {
    return this.bits() / 2 ** 32;
  }

  int(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  of<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)] as T;
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.int(1, times) === 1;
  }

  has(): boolean {
    return this.oneIn(3);
  }

  length(): number {
    if (this.extent === "tile") return this.of(TILE_EDGES) + this.int(-2, 2);
    if (this.extent === "large") return this.int(1, 4) * 5000;
    if (this.extent === "stage") return this.of(STAGE_EDGES) + this.int(-2, 2);
    return this.int(0, this.of([4, 8, 8, 20, 67]));
  }

  count(): number {
    if (this.extent === "large") return 4;
    if (this.extent !== "small") return this.extent === "tile" ? this.int(1, 3) : 1;
    return this.oneIn(40) ? 0 : this.int(1, this.of([1, 3, 5]));
  }
}
