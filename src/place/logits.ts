/** Rows of logits that come tile by tile, against a class each: what is known of every row, from tile to tile. */
import { type Arena, copyLabels } from "../memory/arena.ts";
import { LOSSES } from "../memory/embedded/losses.ts";
import { exponentOf } from "../memory/scalar.ts";
import { STATE } from "./tiles.ts";

/** Rows [i, i + rows) of the logits of classes [first, first + columns), `stride` elements apart. */
export interface Tile {
  readonly pointer: number;
  readonly stride: number;
  readonly i: number;
  readonly rows: number;
  readonly first: number;
  readonly columns: number;
}

/** Where, in linear memory, states and labels of a tile's rows go; and its classes' bias, or 0. */
export interface TilePlaces {
  readonly states: number;
  readonly labels: number;
  readonly bias: number;
  /** Room for a row of a tile, and a group. */
  readonly row: number;
}

/** The fields of a state, as the kernels leave them at last. */
const LOSS = 3;

export class LogitRows {
  readonly #labels: Int32Array;
  readonly #classes: number;
  readonly #ignore: number;
  readonly #smoothing: number;
  /** A power of two, at most 1/classes, that logits are summed in units of; 0 without smoothing. */
  readonly #portion: number;
  readonly #states: Float64Array;
  #scale = 1;

  constructor(labels: Int32Array, classes: number, ignore: number, smoothing: number) {
    this.#labels = labels;
    this.#classes = classes;
    this.#ignore = ignore;
    this.#smoothing = smoothing;
    this.#portion = smoothing && 2 ** -(exponentOf(classes) + 1);
    this.#states = new Float64Array(STATE * labels.length);
  }

  /** Takes in a tile, of each row the first classes first. The tile is not left as it was. */
  add(at: Arena, bytes: number, { pointer, stride, i, rows, first, columns }: Tile, places: TilePlaces): void {
    const { states, labels, bias } = places;
    this.#place(at, i, rows, places);
    // biome-ignore format: as the kernel declares them
    at.typed(LOSSES, bytes).addLogits(pointer, stride, rows, columns, bias, labels, this.#ignore, first, this.#portion, states);
    at.copyOut(states, STATE * rows, this.#states, 8, STATE * i);
  }

  /** When all tiles have been taken in: the losses; `scale` is what gradients will be multiplied by. */
  finish(at: Arena, most: number, scale: number, places: TilePlaces): Float64Array {
    const n = this.#labels.length;
    this.#scale = scale;
    for (let i = 0; i < n; i += most) {
      const rows = Math.min(most, n - i);
      this.#place(at, i, rows, places);
      const { states, labels } = places;
      // biome-ignore format: as the kernel declares them
      at.kernels(LOSSES).finishLogits(rows, this.#classes, labels, this.#ignore, this.#smoothing, this.#portion, scale, states);
      at.copyOut(states, STATE * rows, this.#states, 8, STATE * i);
    }
    return Float64Array.from({ length: n }, (_, i) => this.#states[STATE * i + LOSS] as number);
  }

  /** Then: a tile made anew becomes the gradient. */
  differentiate(
    at: Arena,
    bytes: number,
    { pointer, stride, i, rows, first, columns }: Tile,
    places: TilePlaces,
  ): void {
    const { states, labels, bias, row } = places;
    const share = (this.#smoothing / this.#classes) * this.#scale;
    this.#place(at, i, rows, places);
    // biome-ignore format: as the kernel declares them
    at.typed(LOSSES, bytes).logitGradients(pointer, stride, rows, columns, bias, labels, this.#ignore, first, share, states, row);
  }

  #place(at: Arena, i: number, rows: number, { states, labels }: TilePlaces): void {
    at.copyIn(this.#states, 8, STATE * i, STATE * rows, states);
    copyLabels(at, this.#labels, i, rows, labels);
  }
}
