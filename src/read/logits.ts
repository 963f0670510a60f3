/** Rows of logits that come tile by tile, against a class each: what is known of every row, from tile to tile. */
import {
  A,
  DISTANCE,
  DISTANCE_LOST,
  EXPONENT,
  FACTOR,
  FIRST,
  LABEL,
  LABEL_GRADIENT,
  LN2_HEAD,
  LN2_REST,
  LOST,
  S,
  SHIFTED,
  STATE,
} from "../../assembly/losses/codes.ts";
import { type Arena, copyLabels } from "../memory/arena.ts";
import { LOSSES } from "../memory/embedded/losses.ts";
import { exponentials, exponentOf, logarithms } from "../memory/scalar.ts";

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

/** Where log1p(e^x) is x to the last digit, and e^x far from overflowing. */
const STEEP = 600;

/** The rounding error of sum = a + b; 0 of what is infinite or NaN. */
function errorOf(a: number, b: number, sum: number): number {
  const w = sum - a;
  const error = a - (sum - w) + (b - w);
  return error - error === 0 ? error : 0;
}

/** Σ e^{z_j − u} of the others, and u − z_y of the label in two parts. */
function sumOf(row: Float64Array): { readonly s: number; readonly behind: number; readonly lost: number } {
  const s = (row[S] as number) + (row[LOST] as number);
  const label = row[LABEL] as number;
  const exponent = row[EXPONENT] as number;
  // the multiple of the head is exact, and one of the two is 0
  const unit = (row[SHIFTED] as number) + exponent * LN2_HEAD;
  const behind = unit - label;
  const lost = errorOf(unit, -label, behind) + exponent * LN2_REST;
  // others at −∞ weigh nothing; NaN − NaN is NaN
  return { s: row[A] === -Infinity ? s - s : s, behind, lost };
}

/** q = s·e^{u − z_y}, of e to the first part of that. */
function quotientOf(row: Float64Array, power: number): number {
  const { s, lost } = sumOf(row);
  return s * (power + power * lost);
}

export class LogitRows {
  readonly #labels: Int32Array;
  readonly #classes: number;
  readonly #ignore: number;
  readonly #smoothing: number;
  /** A power of two, at most 1/classes, that logits are summed in units of; 0 without smoothing. */
  readonly #portion: number;
  readonly #states: Float64Array;
  /** What is left of a state when the row is finished. */
  readonly #finished: Float64Array;
  #scale = 1;

  /**
   * `states`: room for the state of every row, all 0 or cleared before the first tile. What others write or read, too, is left as it is when
   * rows are finished.
   */
  constructor(labels: Int32Array, classes: number, ignore: number, smoothing: number, states?: Float64Array) {
    this.#labels = labels;
    this.#classes = classes;
    this.#ignore = ignore;
    this.#smoothing = smoothing;
    this.#portion = smoothing && 2 ** -(exponentOf(classes) + 1);
    this.#finished = new Float64Array(STATE * labels.length);
    this.#states = states ?? this.#finished;
  }

  /** Nothing is known of some rows. */
  clear(i: number, rows: number): void {
    this.#states.fill(0, STATE * i, STATE * (i + rows));
  }

  /** Takes in a tile, of each row the first classes first. The tile is not left as it was. */
  add(at: Arena, bytes: number, { pointer, stride, i, rows, first, columns }: Tile, places: TilePlaces): void {
    const { states, labels, bias } = places;
    this.#place(at, this.#states, i, rows, places);
    // biome-ignore format: as the kernel declares them
    at.typed(LOSSES, bytes).addLogits(pointer, stride, rows, columns, bias, labels, this.#ignore, first, this.#portion, states);
    at.copyOut(states, STATE * rows, this.#states, 8, STATE * i);
  }

  /**
   * When all tiles of rows [from, to) have been taken in: their losses; `scale` is what gradients will be multiplied by. With u − z_y = `behind`,
   *
   *     q = s·e^{u − z_y},     log1p(q) = log(1 + q)·q/((1 + q) − 1), which makes up for the rounding of 1 + q (Kahan),
   *
   * and of a label far behind log1p(q) = u − z_y + log s.
   */
  finish(at: Arena, scale: number, from = 0, to = this.#labels.length): Float64Array {
    const labels = this.#labels.subarray(from, to);
    const states = this.#finished.subarray(STATE * from, STATE * to);
    if (this.#finished !== this.#states) states.set(this.#states.subarray(STATE * from, STATE * to));
    const each = (visit: (row: Float64Array, i: number) => void): void =>
      labels.forEach((label, i) => {
        if (label !== this.#ignore) visit(states.subarray(STATE * i, STATE * (i + 1)), i);
      });
    const losses = new Float64Array(labels.length);
    const powers = new Float64Array(labels.length);
    const logs = new Float64Array(labels.length);
    this.#scale = scale;
    each((row, i) => {
      const { behind } = sumOf(row);
      powers[i] = behind < STEEP ? behind : 0;
    });
    exponentials(at, LOSSES, powers);
    each((row, i) => {
      const { s, behind } = sumOf(row);
      logs[i] = behind < STEEP ? 1 + quotientOf(row, powers[i] as number) : s;
    });
    logarithms(at, LOSSES, logs);
    each((row, i) => {
      const a = row[A] as number;
      const label = row[LABEL] as number;
      const { s, behind, lost } = sumOf(row);
      const log = logs[i] as number;
      let loss = behind + (log + lost);
      let [own, others] = [0, 1];
      if (s === 0) [loss, own, others] = [label - label, 1, 0];
      else if (behind < STEEP) {
        const q = quotientOf(row, powers[i] as number);
        const sum = 1 + q;
        loss = sum === 1 ? q : log * (q / (sum - 1));
        own = 1 / sum;
        others = q * own;
      }
      if (a === Infinity || label === Infinity) loss = Number.NaN;
      const smoothing = this.#smoothing;
      if (smoothing) {
        const top = Math.max(a, label);
        // LSE − a of all logits
        const rest = loss === Infinity ? 0 : Math.max(0, loss - (top - label));
        const mean = ((row[DISTANCE] as number) + (row[DISTANCE_LOST] as number)) / (this.#portion * this.#classes);
        const smooth = smoothing * (top - (row[FIRST] as number) - mean + rest);
        loss = smoothing === 1 ? smooth : (1 - smoothing) * loss + smooth;
      }
      const nan = Number.isNaN(loss) ? loss : 0;
      // from 1 − p of the label where that is the smaller
      const kept = smoothing - smoothing / this.#classes;
      const slope = others < 0.5 ? kept - others : own - 1 + kept;
      losses[i] = loss;
      row[A] = a === -Infinity ? 0 : a;
      row[FACTOR] = (s === 0 ? 0 : (others / s) * scale) + nan;
      row[LABEL_GRADIENT] = slope * scale + nan;
    });
    return losses;
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
    this.#place(at, this.#finished, i, rows, places);
    // biome-ignore format: as the kernel declares them
    at.typed(LOSSES, bytes).logitGradients(pointer, stride, rows, columns, bias, labels, this.#ignore, first, share, states, row);
  }

  #place(at: Arena, all: Float64Array, i: number, rows: number, { states, labels }: TilePlaces): void {
    at.copyIn(all, 8, STATE * i, STATE * rows, states);
    copyLabels(at, this.#labels, i, rows, labels);
  }
}
