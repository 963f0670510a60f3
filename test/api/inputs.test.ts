/** Every form an input or an `out` may take gives the bits of the plain one, and inputs stay as they were. */

import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { Resident } from "../../src/index.ts";
import * as surprisal from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import type { DType, FloatArray, Name } from "../support/variants.ts";
import {
  elementwise,
  f32,
  f64,
  family,
  firstDifference,
  forEachType,
  forEachVariant,
  hasRelaxed,
  names,
  resident,
  rowwise,
} from "../support/variants.ts";

const { softmax, logSumExp } = family;

/** [title, function, its options at length n (a multiple of 4), whether with weights] */
type Call = [string, Name, (n: number) => object, boolean];
const layouts: [string, (n: number) => object][] = [
  ["of rows", (n) => ({ shape: [4, n / 4] })],
  ["of tiny rows", (n) => ({ shape: [n / 4, 4] })],
  ["of columns", (n) => ({ shape: [n / 4, 4], axis: 0 })],
];
const calls: Call[] = [
  ...names.map((name): Call => [name, name, () => ({}), false]),
  ...rowwise.flatMap((name) => layouts.map(([layout, options]): Call => [`${name} ${layout}`, name, options, false])),
  ...layouts.map(([layout, options]): Call => [`weighted logSumExp ${layout}`, "logSumExp", options, true]),
];

/** Below and above the plain-loop limit, and beyond any tile. */
const LENGTHS = [12, 200, 5000, 100_000];
const input = (dtype: DType, n: number, seed = 7) => pseudorandom(dtype, seed, n, 0.96, 0.5);

/** A view with `before` elements before it and sentinels around it. */
function within(
  values: FloatArray,
  { array }: DType,
  before: number,
  buffer: new (bytes: number) => ArrayBufferLike,
): FloatArray {
  const bytes = array.BYTES_PER_ELEMENT;
  const all = new array(new buffer((values.length + before + 3) * bytes)).fill(7.25);
  const view = new array(all.buffer, before * bytes, values.length);
  view.set(values);
  return view;
}
const intact = (view: FloatArray, { array }: DType) => {
  const all = new array(view.buffer);
  const start = view.byteOffset / view.BYTES_PER_ELEMENT;
  return all.every((v: number, i: number) => (i >= start && i < start + view.length) || v === 7.25);
};
/** ES2024, which the types here do not know. */
const Growable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer;
class Resizable extends Growable {
  constructor(bytes: number) {
    super(bytes, { maxByteLength: 2 * bytes });
  }
}
const views: [string, (values: FloatArray, dtype: DType) => FloatArray][] = [
  ["an offset view", (v, d) => within(v, d, 16, ArrayBuffer)],
  ["a misaligned view", (v, d) => within(v, d, 1, ArrayBuffer)],
  ["a SharedArrayBuffer", (v, d) => within(v, d, 0, SharedArrayBuffer)],
  ["a misaligned view of a SharedArrayBuffer", (v, d) => within(v, d, 3, SharedArrayBuffer)],
  ["a resizable buffer", (v, d) => within(v, d, 5, Resizable)],
];
/** Forms that hold a view, and the view itself. */
const wrapped: [string, (values: FloatArray, dtype: DType) => unknown][] = [
  ["a plain array", (v) => v.slice()],
  ...views,
  ["{ data, shape }", (v) => ({ data: v.slice(), shape: [v.length] })],
  ["{ data, dims }", (v) => ({ data: v.slice(), dims: [v.length], type: "float32", size: v.length })],
  ["{ data: view, shape }", (v, d) => ({ data: within(v, d, 1, ArrayBuffer), shape: [v.length] })],
  ["a tensor class with getters", (v) => new Lazy(v.slice())],
  [
    "an array of another realm",
    (v) => runInNewContext(`${v.constructor.name}.from(values)`, { values: Array.from(v) }),
  ],
];
class Lazy {
  readonly #data: FloatArray;
  constructor(data: FloatArray) {
    this.#data = data;
  }
  get data(): FloatArray {
    return this.#data;
  }
  get dims(): readonly number[] {
    return [this.#data.length];
  }
}
const contents = (value: unknown): FloatArray =>
  ArrayBuffer.isView(value) ? (value as FloatArray) : (value as { data: FloatArray }).data;

forEachType((dtype, variant) => {
  const { array } = dtype;
  const plain = (name: Name, n: number, options: object, weighted: boolean) =>
    family[name](input(dtype, n), { ...options, ...(weighted && { weights: input(dtype, n, 8) }) });

  describe.each(calls)("%s", (_, name, optionsFor, weighted) => {
    const run = (form: (v: FloatArray) => unknown, n: number, more: object = {}) => {
      const x = form(input(dtype, n));
      const weights = form(input(dtype, n, 8));
      const got = family[name](x, { ...optionsFor(n), ...(weighted && { weights }), ...more });
      return { got, x, weights };
    };

    it.each(wrapped)("from %s", (_form, form) => {
      for (const n of LENGTHS) {
        const wanted = plain(name, n, optionsFor(n), weighted);
        const { got, x, weights } = run((v) => form(v, dtype), n);
        expect(firstDifference(got, wanted), `n = ${n}`).toBe("");
        expect(firstDifference(contents(x), input(dtype, n)), "the input").toBe("");
        expect(firstDifference(contents(weights), input(dtype, n, 8)), "the weights").toBe("");
      }
    });

    it.each(views)("into %s", (_form, form) => {
      for (const n of LENGTHS) {
        const wanted = plain(name, n, optionsFor(n), weighted);
        const out = form(
          wanted.map(() => 7.25),
          dtype,
        );
        const { got } = run((v) => v, n, { out });
        expect(got).toBe(out);
        expect(firstDifference(out, wanted), `n = ${n}`).toBe("");
        expect(intact(out, dtype), "memory around out").toBe(true);
      }
    });

    it.each([0, 1, -1, 3, 1000, -1000])("out overlaps the input, shifted by %i", (shift) => {
      for (const n of LENGTHS) {
        const wanted = plain(name, n, optionsFor(n), weighted);
        const before = Math.max(0, -shift);
        for (const buffer of [ArrayBuffer, SharedArrayBuffer]) {
          const all = new array(new buffer((n + 2 * Math.abs(shift)) * array.BYTES_PER_ELEMENT));
          const x = all.subarray(before, before + n);
          x.set(input(dtype, n));
          const out = all.subarray(before + shift, before + shift + wanted.length);
          const weights = input(dtype, n, 8);
          const got = family[name](x, { ...optionsFor(n), ...(weighted && { weights }), out });
          expect(got).toBe(out);
          expect(firstDifference(out, wanted), `n = ${n}`).toBe("");
        }
      }
    });

    it.each(weighted ? ["x", "weights"] : ["x"])("out is the end of %s, which is read last", (which) => {
      for (const n of LENGTHS) {
        const wanted = plain(name, n, optionsFor(n), weighted);
        const x = input(dtype, n);
        const weights = input(dtype, n, 8);
        const out = (which === "x" ? x : weights).subarray(n - wanted.length);
        family[name](x, { ...optionsFor(n), ...(weighted && { weights }), out });
        expect(firstDifference(out, wanted), `n = ${n}`).toBe("");
      }
    });

    it("resident input, weights and out", () => {
      for (const n of LENGTHS) {
        const wanted = plain(name, n, optionsFor(n), weighted);
        const x = resident(dtype.name, n);
        const weights = resident(dtype.name, n);
        const out = resident(dtype.name, wanted.length);
        x.set(input(dtype, n));
        weights.set(input(dtype, n, 8));
        const options = { ...optionsFor(n), ...(weighted && { weights }) };
        expect(firstDifference(family[name](x, options), wanted), "x resident").toBe("");
        family[name](x, { ...options, out });
        expect(firstDifference(out.array, wanted), "x and out resident").toBe("");
        out.array.fill(7.25);
        const values = { ...options, ...(weighted && { weights: input(dtype, n, 8) }) };
        family[name](input(dtype, n), { ...values, out });
        expect(firstDifference(out.array, wanted), "out resident").toBe("");
        const target = new array(wanted.length);
        expect(family[name](x, { ...options, out: target })).toBe(target);
        expect(firstDifference(target, wanted), "x resident, out plain").toBe("");
        // its array is a Float32Array or Float64Array like any other
        expect(firstDifference(family[name](x.array, values), wanted), "x.array").toBe("");
        const view = out.array.fill(7.25);
        family[name](x.array, { ...values, out: view });
        expect(firstDifference(out.array, wanted), "x.array into out.array").toBe("");
        expect(firstDifference(x.array, input(dtype, n)), "the resident input").toBe("");
        expect(firstDifference(weights.array, input(dtype, n, 8)), "the resident weights").toBe("");
        if (name !== "logSumExp") {
          family[name](x, { ...values, out: x });
          expect(firstDifference(x.array, wanted), "in place").toBe("");
          x.set(input(dtype, n));
          family[name](x.array.subarray(0, n - 4), { out: x.array.subarray(3, n - 1) });
          const shifted = family[name](input(dtype, n).subarray(0, n - 4));
          expect(firstDifference(x.array.subarray(3, n - 1), shifted), "shifted within it").toBe("");
        }
        for (const r of [x, weights, out]) r.dispose();
      }
    });

    it("a number[] gives Float64Array, beside weights their type", () => {
      for (const n of LENGTHS) {
        const wanted = plain(name, n, optionsFor(n), weighted);
        const numbers = Object.freeze(Array.from(input(dtype, n)));
        const options = { ...optionsFor(n), ...(weighted && { weights: input(dtype, n, 8) }) };
        const got = family[name](numbers, options);
        if (weighted || dtype === f64) expect(firstDifference(got, wanted), `n = ${n}`).toBe("");
        expect(got).toBeInstanceOf(weighted ? array : Float64Array);
        if (!weighted) continue;
        const list = Array.from(input(dtype, n, 8));
        const adopted = family[name](input(dtype, n), { ...options, weights: list });
        expect(adopted).toBeInstanceOf(array);
        expect(firstDifference(adopted, wanted), "weights as number[]").toBe("");
      }
    });
  });

  it("a number[] of doubles is not rounded to f32", () => {
    const numbers = [0.1, 0.7, 1 / 3];
    for (const name of names) expect(family[name](numbers), name).toEqual(family[name](new Float64Array(numbers)));
  });

  it("zero-length arrays and axes", () => {
    const none = new array(0);
    const M = -Infinity;
    for (const name of elementwise) {
      expect(family[name](none), name).toEqual(none);
      expect(family[name]([])).toEqual(new Float64Array(0));
      expect(family[name](none, { out: none })).toBe(none);
      expect(family[name]({ data: none, shape: [3, 0] })).toEqual(none);
    }
    const table: [number[] | undefined, number, number][] = [
      [undefined, -1, 1],
      [[0], 0, 1],
      [[3, 0], 1, 3],
      [[3, 0], 0, 0],
      [[0, 3], 1, 0],
      [[0, 3], 0, 3],
      [[2, 0, 3], 1, 6],
      [[2, 0, 3], 2, 0],
      [[0, 0], 1, 0],
    ];
    for (const [shape, axis, rows] of table) {
      const options = { ...(shape && { shape }), axis };
      for (const name of ["softmax", "logSoftmax"] as const) expect(family[name](none, options)).toEqual(none);
      const wanted = new array(rows).fill(M);
      expect(logSumExp(none, options), `[${shape}] axis ${axis}`).toEqual(wanted);
      const out = new array(rows);
      expect(logSumExp(none, { ...options, weights: none, out })).toBe(out);
      expect(out).toEqual(wanted);
    }
    const empty = resident(dtype.name, 0);
    expect(empty.array).toEqual(none);
    expect(softmax(empty)).toEqual(none);
    empty.dispose();
  });

  describe("resident", () => {
    const wanted = () => softmax(new array([1, 2, 3]));

    it("holds what is set, at an offset too, and starts as zeros", () => {
      const r = resident(dtype.name, 6);
      expect(r.array).toEqual(new array(6));
      r.set([1, 2, 3], 2);
      r.set(new array([9]));
      r.set(new array([5]), 5);
      expect(r.array).toEqual(new array([9, 0, 1, 2, 3, 5]));
      expect(() => r.set([1, 2], 5)).toThrow(RangeError);
      expect(() => r.set([1], -1)).toThrow(RangeError);
      expect(() => r.set([1], 1.5)).toThrow(RangeError);
      expect(() => r.set("12" as never)).toThrow(TypeError);
      expect(r.array).toEqual(new array([9, 0, 1, 2, 3, 5]));
      r.dispose();
      const again = resident(dtype.name, 6);
      expect(again.array, "memory used before").toEqual(new array(6));
      again.dispose();
    });

    it("takes a shape", () => {
      const r = resident(dtype.name, 12);
      r.set(input(dtype, 12));
      for (const options of [{ shape: [3, 4] }, { shape: [3, 4], axis: 0 }])
        for (const name of rowwise) expect(family[name](r, options)).toEqual(family[name](input(dtype, 12), options));
      expect(() => softmax(r, { shape: [3, 5] })).toThrow(/softmax: .*15.*12/);
      r.dispose();
    });

    it("is disposed once, and then is a clear error", () => {
      const r = resident(dtype.name, 3);
      r.set([1, 2, 3]);
      expect(firstDifference(softmax(r), wanted())).toBe("");
      r.dispose();
      r.dispose();
      r[Symbol.dispose]();
      const uses: (() => unknown)[] = [
        () => softmax(r),
        () => softmax(new array(3), { out: r }),
        () => logSumExp(new array(3), { weights: r }),
        () => r.array,
        () => r.set([1]),
      ];
      for (const use of uses) expect(use, String(use)).toThrow(/disposed/);
      const next = resident(dtype.name, 3);
      r.dispose(); // must not free the memory of its successor
      const third = resident(dtype.name, 3);
      next.set([1, 2, 3]);
      third.set([4, 4, 4]);
      expect(next.array).toEqual(new array([1, 2, 3]));
      next.dispose();
      third.dispose();
    });

    it("is disposed by Symbol.dispose", () => {
      const r = resident(dtype.name, 3);
      r[Symbol.dispose]();
      expect(() => r.array).toThrow(/disposed/);
    });

    it("is never stale after memory has grown", () => {
      const r = resident(dtype.name, 3);
      r.set([1, 2, 3]);
      const before = surprisal.info().memoryBytes;
      const big: Resident[] = [];
      while (surprisal.info().memoryBytes === before || big.length < 3) big.push(resident(dtype.name, 2 ** 20));
      expect(r.array).toEqual(new array([1, 2, 3]));
      expect(firstDifference(softmax(r), wanted())).toBe("");
      r.set([7], 1);
      expect(r.array[1]).toBe(7);
      for (const b of big) b.dispose();
      expect(r.array).toEqual(new array([1, 7, 3]));
      r.dispose();
    });

    it("of the other type is refused", () => {
      const other = resident(dtype === f32 ? "f64" : "f32", 3);
      expect(() => softmax(new array(3), { out: other })).toThrow(TypeError);
      expect(() => logSumExp(new array(3), { weights: other })).toThrow(TypeError);
      other.dispose();
    });

    it("wrong arguments throw", () => {
      const wrong: [unknown, unknown, ErrorConstructor, RegExp][] = [
        ["f16", 3, RangeError, /type.*f32.*f64.*f16/],
        [32, 3, TypeError, /type.*(32|number)/],
        [dtype.name, -1, RangeError, /length.*-1/],
        [dtype.name, 1.5, RangeError, /length.*1\.5/],
        [dtype.name, Number.NaN, RangeError, /length.*NaN/],
        [dtype.name, "3", TypeError, /length.*(3|string)/],
        [dtype.name, undefined, TypeError, /length.*undefined/],
        [dtype.name, 2 ** 40, RangeError, /\d{4,}|GiB|TiB/],
      ];
      for (const [type, length, kind, message] of wrong) {
        const call = () => surprisal.resident(type as never, length as never);
        expect(call, `${type}, ${length}`).toThrow(kind);
        expect(call).toThrow(message);
        expect(call).toThrow(/^resident: /);
      }
      expect(firstDifference(softmax(new array([1, 2, 3])), wanted())).toBe("");
    });

    it.runIf(hasRelaxed)("of another variant stays readable and is a clear error as an argument", () => {
      const other = variant === "base" ? "relaxed" : "base";
      const r = resident(dtype.name, 3);
      r.set([1, 2, 3]);
      surprisal.initSync({ variant: other });
      try {
        expect(r.array).toEqual(new array([1, 2, 3]));
        expect(() => softmax(r)).toThrow(/softmax: "x" .*(base.*relaxed|relaxed.*base)/);
        expect(firstDifference(softmax(r.array), softmax(new array([1, 2, 3])))).toBe("");
        r.dispose();
      } finally {
        surprisal.initSync({ variant });
      }
    });
  });
});

// ------------------------------------------------------------------------------------------ views with strides

describe("a tensor whose elements stand in another order than its shape says", () => {
  const data = Float64Array.of(1, 2, 3, 4, 5, 6);
  const refused = /"x" must be a tensor whose elements stand row by row.*strides \[1, 3\] for the shape \[3, 2\]/;

  it("is refused: a view transposed, in Fortran's order or reversed is not what its data are", () => {
    for (const strides of [{ stride: [1, 3] }, { strides: [1, 3] }, { strides: Int32Array.of(1, 3), offset: 0 }]) {
      const view = { data, shape: [3, 2], ...strides };
      for (const call of [
        () => softmax(view),
        () => surprisal.gram(view),
        () => surprisal.crossEntropy(view, [0, 1, 1]),
        () => surprisal.gram(view, { shape: [2, 3] }),
        () => softmax({ data, dims: [3, 2], ...strides }),
      ])
        expect(call).toThrow(RangeError);
      expect(() => softmax(view)).toThrow(refused);
      expect(() => surprisal.nearest(data, view, { shape: [3, 2] })).toThrow(/nearest: "y" must be a tensor/);
      expect(() => surprisal.crossEntropy(data, view, { shape: [3, 2] })).toThrow(/crossEntropy: "target" must be/);
      expect(() => surprisal.perceptualLoss([data], [view], { shape: [[1, 3, 2]] })).toThrow(/"target\[0\]" must be/);
    }
    expect(() => softmax({ data, shape: [6], stride: [-1], offset: 5 } as never)).toThrow(/strides \[-1\]/);
    const labels = { data: Int32Array.of(0, 1, 1, 0), shape: [2, 2], stride: [1, 2] };
    const ask = { shape: [2, 3, 2], axis: 1 };
    expect(() => surprisal.crossEntropy(new Float64Array(12), labels, ask)).toThrow(/"target" must be a tensor/);
    expect(() => surprisal.tokenScores(new Float64Array(12), labels, ask)).toThrow(/"ids" must be a tensor/);
  });

  it("is taken where strides say what the shape says", () => {
    const wanted = softmax(data, { shape: [3, 2] });
    const row = softmax(data);
    const tensors: [object, FloatArray][] = [
      [{ data, shape: [3, 2], stride: [2, 1], offset: 0 }, wanted],
      [{ data, shape: [3, 2], strides: [2n, 1n] }, wanted],
      // along an axis of one element there are no steps, and of an empty array none at all
      [{ data, shape: [3, 1, 2], strides: [2, 77, 1] }, wanted],
      [{ data, shape: [1, 6], strides: [1, 1] }, row],
      [{ data: new Float64Array(0), shape: [3, 0], strides: [5, 5] }, new Float64Array(0)],
      // tfjs leaves out the last, which is 1; transformers.js has a method; without a shape there are no axes
      [{ data, shape: [3, 2], strides: [2] }, wanted],
      [{ data, dims: [3, 2], stride: () => [1, 3] }, wanted],
      [{ data, strides: [7] }, row],
    ];
    for (const [tensor, result] of tensors) expect(softmax(tensor as never)).toEqual(result);
  });
});

// ------------------------------------------------------------------------------------------ Float16Array

const Float16 = (globalThis as { Float16Array?: Float32ArrayConstructor }).Float16Array;
describe.runIf(Float16)("Float16Array", () => {
  forEachVariant(() => {
    it("is widened to f32", () => {
      for (const n of LENGTHS) {
        const half = new (Float16 as Float32ArrayConstructor)(input(f32, n));
        const wide = Float32Array.from(half);
        for (const name of names)
          for (const x of [half, { data: half, dims: [n] }])
            expect(firstDifference(family[name](x), family[name](wide)), `${name}, n = ${n}`).toBe("");
        expect(logSumExp(wide, { weights: half })).toEqual(logSumExp(wide, { weights: wide }));
      }
    });
  });
});
