/**
 * Numbers that are sums over pairs of rows: a tile's state is its part of the sums, and parts are added in the order of their indices,
 * which the shapes alone decide. So the bits are those of one process; those of `mmd` and `cka` themselves, which add in another order,
 * are within their rounding errors.
 */
import { cka, mmd } from "surprisal";
import { blocksOf, cellOf, edgeOf, spanOf, triangle } from "./grid.ts";
import {
  type Asked,
  bytesOf,
  type FloatArray,
  highest,
  type Kind,
  type Spec,
  sizeOf,
  stateFile,
  stateName,
  type Tools,
} from "./types.ts";

/** Neumaier's sum: as if in twice the precision. Once it is infinite its error term is NaN; drop it. */
class Sum {
  #sum = 0;
  #rest = 0;

  add(value: number): void {
    const sum = this.#sum + value;
    this.#rest += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }

  get value(): number {
    return Number.isFinite(this.#sum) ? this.#sum + this.#rest : this.#sum;
  }
}

// ------------------------------------------------------------------------------------------------------------------ mmd

/** Which pairs: of x, of y, or of both. */
type Group = "xx" | "yy" | "xy";

interface MmdState {
  readonly group: Group;
  /** Σ k of pairs, both triangles, and of a row and itself. */
  readonly pairs: number | string;
  readonly diagonal: number | string;
}

const GROUPS = ["xx", "yy", "xy"] as const;

function groupSizes(job: Asked, edge: number): readonly [number, number, number] {
  const [n, m] = ["x", "y"].map((name) => blocksOf(sizeOf(job, name)[0], edge)) as [number, number];
  return [triangle(n), triangle(m), n * m];
}

function cellOfMmd(spec: Spec, index: number): { group: Group; names: [string, string]; i: number; j: number } {
  const sizes = groupSizes(spec, spec.grid.edge);
  let [at, rest] = [0, index];
  while (rest >= (sizes[at] as number)) rest -= sizes[at++] as number;
  const group = GROUPS[at] as Group;
  const names = [...group] as [string, string];
  const [i, j] = cellOf(rest, blocksOf(sizeOf(spec, names[1])[0], spec.grid.edge), at < 2);
  return { group, names, i, j };
}

function kernelOptions(options: Readonly<Record<string, unknown>>): { kernel: "rbf" } {
  const { unbiased: _, ...rest } = options;
  return { kernel: "rbf", ...rest };
}

/** Whether no matrix of the kernel gives a negative mmd but by rounding. */
function isPositive({ kernel = "rbf", degree = 3, coef0 = 1 }: Record<string, unknown>): boolean {
  if (kernel === "polynomial") return Number.isInteger(degree) && (coef0 as number) >= 0;
  return kernel !== "sigmoid";
}

/** x and y of the same small size, which the function itself refuses or not. */
function sampleOf(job: Asked, rows: number): readonly [FloatArray, FloatArray, number[], number[]] {
  const made = ["x", "y"].map((name) => {
    const [all, d] = sizeOf(job, name);
    const count = Math.min(rows, all);
    return [new (bytesOf(job, name) === 4 ? Float32Array : Float64Array)(count * d).fill(1), [count, d]] as const;
  });
  const [[x, shape], [y, yShape]] = made as unknown as [[FloatArray, number[]], [FloatArray, number[]]];
  return [x, y, shape, yShape];
}

const mmdJob: Kind = {
  inputs: ["x", "y"],
  optional: [],
  divided: true,
  check: (job) => {
    const [x, y, shape, yShape] = sampleOf(job, 4);
    mmd(x, y, { ...job.options, shape, yShape });
  },
  edge: (job) => edgeOf(sizeOf(job, "x")[1], bytesOf(job, "x")),
  tiles: (job, edge) => groupSizes(job, edge).reduce((sum, one) => sum + one, 0),
  arrays: () => [],
  files: (_, index) => [stateName(index)],
  tile: async (spec, index, { on, room, read }) => {
    const { group, names, i, j } = cellOfMmd(spec, index);
    const [first, second] = names;
    const [n, d] = sizeOf(spec, first);
    const [from, rows] = spanOf(i, spec.grid.edge, n);
    const [start, columns] = spanOf(j, spec.grid.edge, sizeOf(spec, second)[0]);
    const own = group !== "xy" && i === j;
    const x: FloatArray = await read(first, from, rows, "x");
    const y: FloatArray | undefined = own ? undefined : await read(second, start, columns, "y");
    const values = await on.kernelMatrix(x, y, {
      ...kernelOptions(spec.options),
      shape: [rows, d],
      ...(y && { yShape: [columns, d] }),
      out: room.floats("out", bytesOf(spec, "x"), rows * columns),
    });
    const [pairs, diagonal] = [new Sum(), new Sum()];
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      for (let c = 0; c < (own ? r : columns); c++) sum += values[r * columns + c] as number;
      // what is on the other side of the diagonal counts too
      pairs.add(group === "xy" ? sum : 2 * sum);
      if (own) diagonal.add(values[r * columns + r] as number);
    }
    return [stateFile(index, { group, pairs: pairs.value, diagonal: diagonal.value } satisfies MmdState)];
  },
  merge: async (spec, states) => {
    const sums = { xx: [new Sum(), new Sum()], yy: [new Sum(), new Sum()], xy: [new Sum(), new Sum()] } as const;
    for await (const state of states as AsyncIterable<MmdState>) {
      sums[state.group][0].add(Number(state.pairs));
      sums[state.group][1].add(Number(state.diagonal));
    }
    const unbiased = spec.options["unbiased"] === true;
    const [n, m] = [sizeOf(spec, "x")[0], sizeOf(spec, "y")[0]];
    const own = (group: "xx" | "yy", rows: number): number => {
      const [pairs, diagonal] = sums[group];
      return unbiased ? pairs.value / (rows * (rows - 1)) : (pairs.value + diagonal.value) / (rows * rows);
    };
    const value = own("xx", n) + own("yy", m) - 2 * (sums.xy[0].value / (n * m));
    return { value: !unbiased && isPositive(spec.options) && value < 0 ? 0 : value };
  },
  bytes: (spec) => {
    const [, d] = sizeOf(spec, "x");
    const edge = Math.max(highest(spec, "x"), highest(spec, "y"));
    return bytesOf(spec, "x") * (edge * edge + 2 * edge * d);
  },
  pairs: (spec) => {
    const [n, m] = [sizeOf(spec, "x")[0], sizeOf(spec, "y")[0]];
    return (n * (n + 1)) / 2 + (m * (m + 1)) / 2 + n * m;
  },
};

// ------------------------------------------------------------------------------------------------------------------ cka

/** Of K and L, products of rows moved by the means of the first block, without their diagonals: sums, and sums of rows i and j. */
interface CkaState {
  readonly kl: number | string;
  readonly kk: number | string;
  readonly ll: number | string;
  readonly k: readonly (readonly (number | string)[])[];
  readonly l: readonly (readonly (number | string)[])[];
  readonly diagonals: readonly [readonly (number | string)[], readonly (number | string)[]];
}

/** Rows in f64 less the means of the first block, wherever they are: HSIC does not change, and what is subtracted later is small. */
async function movedRows(
  { room, read }: Tools,
  spec: Spec,
  name: string,
  from: number,
  rows: number,
  place: string,
): Promise<FloatArray> {
  const [n, d] = sizeOf(spec, name);
  const means = new Float64Array(d);
  const count = Math.min(spec.grid.edge, n);
  const first = await read(name, 0, count, "raw");
  for (let at = 0; at < count * d; )
    for (let k = 0; k < d; k++, at++) means[k] = (means[k] as number) + (first[at] as number) / count;
  const raw = from === 0 && rows === count ? first : await read(name, from, rows, "raw");
  const moved = room.floats(place, 8, rows * d);
  for (let at = 0; at < rows * d; )
    for (let k = 0; k < d; k++, at++) moved[at] = (raw[at] as number) - (means[k] as number);
  return moved;
}

const ckaJob: Kind = {
  inputs: ["x", "y"],
  optional: [],
  divided: true,
  check: (job) => {
    const [x, y, shape, yShape] = sampleOf(job, 4);
    cka(x, y, { ...job.options, shape, yShape });
    const [n, m] = ["x", "y"].map((name) => sizeOf(job, name)[0]);
    if (n !== m) throw new RangeError(`cka: "y" must have the ${n} rows of "x", got ${m}`);
  },
  // two matrices of f64
  edge: (job) => edgeOf(Math.max(sizeOf(job, "x")[1], sizeOf(job, "y")[1]), 16),
  tiles: (job, edge) => triangle(blocksOf(sizeOf(job, "x")[0], edge)),
  arrays: () => [],
  files: (_, index) => [stateName(index)],
  tile: async (spec, index, tools) => {
    const { edge } = spec.grid;
    const [n] = sizeOf(spec, "x");
    const [i, j] = cellOf(index, blocksOf(n, edge), true);
    const own = i === j;
    const [from, rows] = spanOf(i, edge, n);
    const [start, columns] = spanOf(j, edge, n);
    const product = async (name: string): Promise<FloatArray> => {
      const [, d] = sizeOf(spec, name);
      const a = await movedRows(tools, spec, name, from, rows, "a");
      const out = tools.room.floats(`out of ${name}`, 8, rows * columns);
      if (own) return tools.on.gram(a, { shape: [rows, d], out });
      const b = await movedRows(tools, spec, name, start, columns, "b");
      return tools.on.kernelMatrix(a, b, { kernel: "linear", shape: [rows, d], yShape: [columns, d], out });
    };
    const [a, b] = [await product("x"), await product("y")];
    const [kl, kk, ll] = [new Sum(), new Sum(), new Sum()];
    const sumsOf = (): [Float64Array, Float64Array] => [new Float64Array(rows), new Float64Array(own ? 0 : columns)];
    const [k, l] = [sumsOf(), sumsOf()];
    const diagonals: [number[], number[]] = [[], []];
    // off the diagonal a pair stands for its mirror image too
    const times = own ? 1 : 2;
    for (let r = 0; r < rows; r++) {
      let [skl, skk, sll, sk, sl] = [0, 0, 0, 0, 0];
      for (let c = 0; c < columns; c++) {
        const [p, q] = [a[r * columns + c] as number, b[r * columns + c] as number];
        if (own && c === r) {
          diagonals[0].push(p);
          diagonals[1].push(q);
          continue;
        }
        skl += p * q;
        skk += p * p;
        sll += q * q;
        sk += p;
        sl += q;
        if (!own) {
          k[1][c] = (k[1][c] as number) + p;
          l[1][c] = (l[1][c] as number) + q;
        }
      }
      kl.add(times * skl);
      kk.add(times * skk);
      ll.add(times * sll);
      k[0][r] = sk;
      l[0][r] = sl;
    }
    const lists = (sums: [Float64Array, Float64Array]): number[][] => sums.map((one) => Array.from(one));
    return [
      stateFile(index, {
        kl: kl.value,
        kk: kk.value,
        ll: ll.value,
        k: lists(k),
        l: lists(l),
        diagonals,
      } satisfies CkaState),
    ];
  },
  merge: async (spec, states) => {
    const { edge } = spec.grid;
    const [n] = sizeOf(spec, "x");
    const blocks = blocksOf(n, edge);
    const [kl, kk, ll] = [new Sum(), new Sum(), new Sum()];
    const [k, l] = [new Float64Array(n), new Float64Array(n)];
    const [dk, dl] = [new Float64Array(n), new Float64Array(n)];
    const add = (to: Float64Array, from: number, values: readonly (number | string)[] = []): void => {
      for (const [r, value] of values.entries()) to[from + r] = (to[from + r] as number) + Number(value);
    };
    let index = 0;
    for await (const state of states as AsyncIterable<CkaState>) {
      const [i, j] = cellOf(index++, blocks, true);
      kl.add(Number(state.kl));
      kk.add(Number(state.kk));
      ll.add(Number(state.ll));
      [i, j].forEach((block, side) => {
        add(k, block * edge, state.k[side]);
        add(l, block * edge, state.l[side]);
      });
      add(dk, i * edge, state.diagonals[0]);
      add(dl, i * edge, state.diagonals[1]);
    }
    const unbiased = spec.options["unbiased"] === true;
    const hsic = unbiased ? unbiasedHsic : biasedHsic;
    const [first, second] = [
      { rows: k, diagonal: dk },
      { rows: l, diagonal: dl },
    ];
    const norm = Math.sqrt(hsic(n, kk.value, first, first)) * Math.sqrt(hsic(n, ll.value, second, second));
    return { value: hsic(n, kl.value, first, second) / norm };
  },
  bytes: (spec) => {
    const edge = highest(spec, "x");
    const d = Math.max(sizeOf(spec, "x")[1], sizeOf(spec, "y")[1]);
    return edge * (2 * 8 * edge + (2 * 8 + bytesOf(spec, "x")) * d);
  },
  pairs: (spec) => {
    const [n] = sizeOf(spec, "x");
    return n * (n + 1);
  },
};

/** Of a matrix: the sums of its rows without the diagonal, and the diagonal. */
interface Margins {
  readonly rows: Float64Array;
  readonly diagonal: Float64Array;
}

function total(values: Float64Array, of: (value: number, at: number) => number): number {
  const sum = new Sum();
  values.forEach((value, at) => {
    sum.add(of(value, at));
  });
  return sum.value;
}

/** Σ of the centred K∘L: Σ K∘L − 2/n·Σᵢ (K1)ᵢ(L1)ᵢ + ΣK·ΣL/n². */
function biasedHsic(n: number, off: number, k: Margins, l: Margins): number {
  const [a, b] = [k, l].map(({ rows, diagonal }) => rows.map((sum, i) => sum + (diagonal[i] as number))) as [
    Float64Array,
    Float64Array,
  ];
  const whole = off + total(k.diagonal, (value, i) => value * (l.diagonal[i] as number));
  const [sumK, sumL] = [total(a, (value) => value), total(b, (value) => value)];
  return whole - (2 / n) * total(a, (value, i) => value * (b[i] as number)) + (sumK / n) * (sumL / n);
}

/** Song et al. (2012), equation 5, of matrices without diagonal; the factor 1/(n(n − 3)) cancels. */
function unbiasedHsic(n: number, off: number, k: Margins, l: Margins): number {
  const [sumK, sumL] = [total(k.rows, (value) => value), total(l.rows, (value) => value)];
  const cross = total(k.rows, (value, i) => value * (l.rows[i] as number));
  return off + (sumK * sumL) / ((n - 1) * (n - 2)) - (2 * cross) / (n - 2);
}

export const sums: Readonly<Record<string, Kind>> = { mmd: mmdJob, cka: ckaJob };
