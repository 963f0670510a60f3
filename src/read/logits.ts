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
import { type Arena, copyLabels, RESULT_BYTES } from "../memory/arena.ts";
import { LOSSES } from "../memory/embedded/losses.ts";
import { exponentOf } from "../memory/scalar.ts";
import type { FloatArray } from "../types.ts";

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

/** The classes that logits are of, and what becomes of them. */
export interface LogitTarget {
  /** A class for each row. */
  readonly labels: Int32Array;
  readonly classes: number;
  /** The label of rows that do not count, which lose 0. */
  readonly ignore: number;
  readonly smoothing: number;
  /** What gradients are multiplied by. */
  readonly scale: number;
  /** Takes the loss of a row once all of its tiles have been taken in, row after row of the last tile. */
  take(row: number, loss: number): void;
}

/** Numbers of the logits' type that are kept of a row: a, z_y and k; and when all tiles have been taken in, what the gradient takes. */
export const KEPT = 3;
const BETWEEN = [A, LABEL, EXPONENT] as const;
const AFTER = [A, FACTOR, LABEL_GRADIENT] as const;
type Fields = typeof BETWEEN | typeof AFTER;
/** f64 that are kept of a row between its tiles, the first two of them without smoothing. */
const SUMS = [S, LOST, FIRST, DISTANCE, DISTANCE_LOST] as const;
const widthOf = (smoothing: number): number => (smoothing ? SUMS.length : 2);

/** What is known of rows between tiles that do not follow each other: KEPT numbers of the logits' type of each, and sums. */
export interface Between {
  readonly kept: FloatArray;
  readonly sums: Float64Array;
}

/** How many sums there are of all rows. */
export function sumsOf({ labels, smoothing }: Pick<LogitTarget, "labels" | "smoothing">): number {
  return widthOf(smoothing) * labels.length;
}

/** Where log1p(e^x) is x to the last digit, and e^x far from overflowing. */
const STEEP = 600;

/** The rounding error of sum = a + b; 0 of what is infinite or NaN. */
function errorOf(a: number, b: number, sum: number): number {
  const w = sum - a;
  const error = a - (sum - w) + (b - w);
  return error - error === 0 ? error : 0;
}

/** Σ e^{z_j − u} of the others, and u − z_y of the label in two parts, of the state at an index. */
function sumOf(states: FloatArray, at: number): { readonly s: number; readonly behind: number; readonly lost: number } {
  const s = (states[at + S] as number) + (states[at + LOST] as number);
  const label = states[at + LABEL] as number;
  const exponent = states[at + EXPONENT] as number;
  // the multiple of the head is exact, and one of the two is 0
  const unit = (states[at + SHIFTED] as number) + exponent * LN2_HEAD;
  const behind = unit - label;
  const lost = errorOf(unit, -label, behind) + exponent * LN2_REST;
  // others at −∞ weigh nothing; NaN − NaN is NaN
  return { s: states[at + A] === -Infinity ? s - s : s, behind, lost };
}

/** q = s·e^{u − z_y}, of e to the first part of that. */
function quotientOf(s: number, power: number, lost: number): number {
  return s * (power + power * lost);
}

export class LogitRows {
  readonly #target: LogitTarget;
  /** A power of two, at most 1/classes, that logits are summed in units of; 0 without smoothing. */
  readonly #portion: number;
  readonly #kept: FloatArray;
  readonly #between: readonly Between[];
  /** How many of SUMS there are of a row. */
  readonly #width: number;

  /**
   * `kept`: room for KEPT numbers of each row. `between`: none where the tiles of a row follow each other, with the same places and none of
   * other rows between them, so that nothing else need be known of rows that are not theirs. Of two, turns write one and read the
   * other, so that a turn can be done again.
   */
  constructor(target: LogitTarget, kept: FloatArray, between: readonly Between[]) {
    const { classes, smoothing } = target;
    this.#target = target;
    this.#portion = smoothing && 2 ** -(exponentOf(classes) + 1);
    this.#width = widthOf(smoothing);
    this.#kept = kept;
    this.#between = between;
  }

  /** Takes in a tile, of each row the first classes first; `turn` is one more than that of the tile before. The tile is not left as it was. */
  add(
    at: Arena,
    bytes: number,
    { pointer, stride, i, rows, first, columns }: Tile,
    places: TilePlaces,
    turn = 0,
  ): void {
    const { states, labels, bias } = places;
    const { ignore, classes } = this.#target;
    const { length } = this.#between;
    const [from, to] = [this.#between[(turn + 1) % length], this.#between[turn % length]];
    // the kernel begins those of the first tile
    if (first > 0 && from) this.#placeSums(at, i, rows, states, from);
    copyLabels(at, this.#target.labels, i, rows, labels);
    // biome-ignore format: as the kernel declares them
    at.typed(LOSSES, bytes).addLogits(pointer, stride, rows, columns, bias, labels, ignore, first, this.#portion, states);
    if (first + columns === classes) this.#finish(at, i, rows, states);
    else if (to) this.#keepSums(at, i, rows, states, to);
  }

  /** Then, all tiles having been taken in: a tile made anew becomes the gradient. */
  differentiate(
    at: Arena,
    bytes: number,
    { pointer, stride, i, rows, first, columns }: Tile,
    places: TilePlaces,
  ): void {
    const { states, labels, bias, row } = places;
    const { ignore, smoothing, classes, scale } = this.#target;
    const share = (smoothing / classes) * scale;
    copyLabels(at, this.#target.labels, i, rows, labels);
    this.#place(at, i, rows, states, this.#kept, AFTER);
    // biome-ignore format: as the kernel declares them
    at.typed(LOSSES, bytes).logitGradients(pointer, stride, rows, columns, bias, labels, ignore, first, share, states, row);
  }

  /** What is kept of rows goes to their states. */
  #place(at: Arena, i: number, rows: number, states: number, kept: FloatArray, fields: Fields): void {
    const view = at.view(8);
    for (let r = 0, to = states / 8, from = KEPT * i; r < rows; r++, to += STATE, from += KEPT)
      for (let k = 0; k < KEPT; k++) view[to + (fields[k] as number)] = kept[from + k] as number;
  }

  /** And back. */
  #keep(at: Arena, i: number, rows: number, states: number, kept: FloatArray, fields: Fields): void {
    const view = at.view(8);
    for (let r = 0, from = states / 8, to = KEPT * i; r < rows; r++, from += STATE, to += KEPT)
      for (let k = 0; k < KEPT; k++) kept[to + k] = view[from + (fields[k] as number)] as number;
  }

  #placeSums(at: Arena, i: number, rows: number, states: number, { kept, sums }: Between): void {
    const view = at.view(8);
    this.#place(at, i, rows, states, kept, BETWEEN);
    for (let r = 0, to = states / 8, from = this.#width * i; r < rows; r++, to += STATE, from += this.#width) {
      const a = view[to + A] as number;
      // a′ is a where that is beyond the limit of the exponentials, and so has no k, which an a above 1 has otherwise; else it is 0
      view[to + SHIFTED] = view[to + EXPONENT] === 0 && Math.abs(a) > 1 && a !== -Infinity ? a : 0;
      for (let k = 0; k < this.#width; k++) view[to + (SUMS[k] as number)] = sums[from + k] as number;
    }
  }

  #keepSums(at: Arena, i: number, rows: number, states: number, { kept, sums }: Between): void {
    const view = at.view(8);
    this.#keep(at, i, rows, states, kept, BETWEEN);
    for (let r = 0, from = states / 8, to = this.#width * i; r < rows; r++, from += STATE, to += this.#width)
      for (let k = 0; k < this.#width; k++) sums[to + k] = view[from + (SUMS[k] as number)] as number;
  }

  /**
   * When all tiles of some rows have been taken in: their losses, and what their gradients take. With u − z_y = `behind`,
   *
   *     q = s·e^{u − z_y},     log1p(q) = log(1 + q)·q/((1 + q) − 1), which makes up for the rounding of 1 + q (Kahan),
   *
   * and of a label far behind log1p(q) = u − z_y + log s.
   */
  #finish(at: Arena, i: number, rows: number, states: number): void {
    const { labels, classes, ignore, smoothing, scale, take } = this.#target;
    const { exponential, logarithm } = at.kernels(LOSSES);
    const view = at.view(8);
    const begin = states / 8;
    // a tile has no more rows than a list of results
    const [powers, logs] = [at.results, at.results + RESULT_BYTES];
    const isIgnored = (r: number): boolean => labels[i + r] === ignore;
    for (let r = 0; r < rows; r++) {
      const behind = isIgnored(r) ? 0 : sumOf(view, begin + STATE * r).behind;
      view[powers / 8 + r] = behind < STEEP ? behind : 0;
    }
    exponential(powers, powers, rows);
    for (let r = 0; r < rows; r++) {
      const { s, behind, lost } = sumOf(view, begin + STATE * r);
      const q = quotientOf(s, view[powers / 8 + r] as number, lost);
      view[logs / 8 + r] = isIgnored(r) ? 1 : behind < STEEP ? 1 + q : s;
    }
    logarithm(logs, logs, rows);
    for (let r = 0, state = begin; r < rows; r++, state += STATE) {
      if (isIgnored(r)) {
        take(i + r, 0);
        continue;
      }
      const a = view[state + A] as number;
      const label = view[state + LABEL] as number;
      const { s, behind, lost } = sumOf(view, state);
      const log = view[logs / 8 + r] as number;
      let loss = behind + (log + lost);
      let [own, others] = [0, 1];
      if (s === 0) [loss, own, others] = [label - label, 1, 0];
      else if (behind < STEEP) {
        const q = quotientOf(s, view[powers / 8 + r] as number, lost);
        const sum = 1 + q;
        loss = sum === 1 ? q : log * (q / (sum - 1));
        own = 1 / sum;
        others = q * own;
      }
      if (a === Infinity || label === Infinity) loss = Number.NaN;
      if (smoothing) {
        const top = Math.max(a, label);
        // LSE − a of all logits
        const rest = loss === Infinity ? 0 : Math.max(0, loss - (top - label));
        const mean =
          ((view[state + DISTANCE] as number) + (view[state + DISTANCE_LOST] as number)) / (this.#portion * classes);
        const smooth = smoothing * (top - (view[state + FIRST] as number) - mean + rest);
        loss = smoothing === 1 ? smooth : (1 - smoothing) * loss + smooth;
      }
      const nan = Number.isNaN(loss) ? loss : 0;
      // from 1 − p of the label where that is the smaller
      const kept = smoothing - smoothing / classes;
      const slope = others < 0.5 ? kept - others : own - 1 + kept;
      take(i + r, loss);
      view[state + A] = a === -Infinity ? 0 : a;
      view[state + FACTOR] = (s === 0 ? 0 : (others / s) * scale) + nan;
      view[state + LABEL_GRADIENT] = slope * scale + nan;
    }
    this.#keep(at, i, rows, states, this.#kept, AFTER);
  }
}
