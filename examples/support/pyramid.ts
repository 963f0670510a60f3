/**
 * A pyramid of convolutions with fixed random filters: what a style can be read from without learned weights. Each level is
 *
 *     ReLU(filters ∗ maps), no padding,
 *
 * of the picture first, then of the level before at half its size.
 *
 * @see Ustyuzhaninov et al., Texture synthesis using shallow convolutional networks with random filters (2016)
 */
import { normals, uniforms } from "./random.ts";

/** `shape` is [C, H, W]: a tensor as surprisal takes it. */
export interface Maps {
  readonly data: Float32Array;
  readonly shape: readonly [channels: number, height: number, width: number];
}

/** `weights` [to, from, 3, 3]. */
interface Filters {
  readonly from: number;
  readonly to: number;
  readonly weights: Float32Array;
}

export interface Layout {
  readonly channels: readonly number[];
  readonly seed: number;
}

const TAPS = 9;

export class Pyramid {
  private readonly levels: readonly Filters[];

  constructor({ channels, seed }: Layout) {
    const normal = normals(uniforms(seed));
    this.levels = channels.map((to, i) => {
      const from = channels[i - 1] ?? 3;
      return { from, to, weights: randomFilters(to, from * TAPS, normal) };
    });
  }

  /** The picture itself, then every level. */
  features(picture: Maps): Maps[] {
    const all = [picture];
    for (const [i, filters] of this.levels.entries()) {
      const below = all[i] as Maps;
      const level = convolved(i === 0 ? below : halved(below), filters);
      for (const [j, v] of level.data.entries()) level.data[j] = Math.max(v, 0);
      all.push(level);
    }
    return all;
  }

  /** Of a loss by the picture, from those by `features(picture)`. */
  gradient(features: readonly Maps[], gradients: readonly Float32Array[]): Float32Array {
    let above = gradients[this.levels.length] as Float32Array;
    for (let i = this.levels.length - 1; i >= 0; i--) {
      const [level, below] = [features[i + 1] as Maps, features[i] as Maps];
      const past = above.map((g, j) => ((level.data[j] as number) > 0 ? g : 0));
      const by = convolved(padded({ ...level, data: past }), turned(this.levels[i] as Filters));
      const full = i === 0 ? by.data : halvedBack(by, below.shape);
      above = (gradients[i] as Float32Array).map((g, j) => g + (full[j] as number));
    }
    return above;
  }
}

/** Gaussian, each of mean 0, scaled so that ReLU keeps the maps' size. */
function randomFilters(count: number, size: number, normal: () => number): Float32Array {
  const filters = new Float32Array(count * size);
  for (let start = 0; start < filters.length; start += size) {
    const filter = Float32Array.from({ length: size }, normal);
    const mean = filter.reduce((a, b) => a + b, 0) / size;
    filters.set(
      filter.map((v) => (v - mean) * Math.sqrt(2 / size)),
      start,
    );
  }
  return filters;
}

function convolved({ data, shape: [, h, w] }: Maps, { from, to, weights }: Filters): Maps {
  const [height, width] = [h - 2, w - 2];
  const result = new Float32Array(to * height * width);
  for (let o = 0; o < to; o++) {
    for (let y = 0; y < height; y++) {
      const row = result.subarray((o * height + y) * width, (o * height + y + 1) * width);
      for (let c = 0; c < from; c++) addRow(row, data, (c * h + y) * w, w, weights, (o * from + c) * TAPS);
    }
  }
  return { data: result, shape: [to, height, width] };
}

/** Adds to a row what nine weights give of the three rows from `start` on. */
function addRow(
  row: Float32Array,
  maps: Float32Array,
  start: number,
  width: number,
  weights: Float32Array,
  at: number,
): void {
  const [a, b, c, d, e, f, g, h, i] = weights.subarray(at, at + TAPS) as unknown as NineWeights;
  for (let x = 0; x < row.length; x++) {
    const [p, q, r] = [start + x, start + width + x, start + 2 * width + x];
    row[x] =
      (row[x] as number) +
      (a * (maps[p] as number) + b * (maps[p + 1] as number) + c * (maps[p + 2] as number)) +
      (d * (maps[q] as number) + e * (maps[q + 1] as number) + f * (maps[q + 2] as number)) +
      (g * (maps[r] as number) + h * (maps[r + 1] as number) + i * (maps[r + 2] as number));
  }
}

type NineWeights = [number, number, number, number, number, number, number, number, number];

/** With these the padded gradient of a convolution convolves to that of its input. */
function turned({ from, to, weights }: Filters): Filters {
  const turn = new Float32Array(weights.length);
  for (let o = 0; o < to; o++) {
    for (let c = 0; c < from; c++) {
      const filter = weights.subarray((o * from + c) * TAPS, (o * from + c + 1) * TAPS);
      turn.set(filter.slice().reverse(), (c * to + o) * TAPS);
    }
  }
  return { from: to, to: from, weights: turn };
}

/** With two zeros on every side. */
function padded({ data, shape: [c, h, w] }: Maps): Maps {
  const result = new Float32Array(c * (h + 4) * (w + 4));
  for (let y = 0; y < c * h; y++) {
    const at = (Math.floor(y / h) * (h + 4) + (y % h) + 2) * (w + 4) + 2;
    result.set(data.subarray(y * w, (y + 1) * w), at);
  }
  return { data: result, shape: [c, h + 4, w + 4] };
}

/** The means of 2 × 2; of an odd size the last row or column is left out. */
function halved({ data, shape: [c, h, w] }: Maps): Maps {
  const shape = [c, h >> 1, w >> 1] as const;
  const half = new Float32Array(c * shape[1] * shape[2]);
  eachPixel([c, h, w], (at, above) => {
    half[above] = (half[above] as number) + (data[at] as number) / 4;
  });
  return { data: half, shape };
}

function halvedBack({ data }: Maps, shape: Maps["shape"]): Float32Array {
  const full = new Float32Array(shape[0] * shape[1] * shape[2]);
  eachPixel(shape, (at, above) => {
    full[at] = (data[above] as number) / 4;
  });
  return full;
}

/** Every pixel that has one at half the size. */
function eachPixel([c, h, w]: Maps["shape"], visit: (at: number, above: number) => void): void {
  const [hh, ww] = [h >> 1, w >> 1];
  for (let i = 0; i < c; i++) {
    for (let y = 0; y < 2 * hh; y++) {
      for (let x = 0; x < 2 * ww; x++) visit((i * h + y) * w + x, (i * hh + (y >> 1)) * ww + (x >> 1));
    }
  }
}
