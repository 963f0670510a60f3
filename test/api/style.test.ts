/** styleGram, styleLoss, perceptualLoss and their gradients: against torch's autograd, finite differences, laws, forms, errors. */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { info } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import {
  api,
  expectWrong,
  faults,
  NORMALIZE,
  type Normalize,
  practical,
  type StyleCase,
  styleCases,
  type WrongRow,
} from "../support/gram.ts";
import { planes, styleGrams, styleLossOf } from "../support/matrices.ts";
import { arrayOf, given, numberOf, Tally } from "../support/oracle.ts";
import { sum } from "../support/reference.ts";
import { type FloatArray, f32, f64, firstDifference, forEachType, resident } from "../support/variants.ts";

const { styleGram, styleLoss, styleLossWithGrad, perceptualLoss, perceptualLossWithGrad } = api;
const MiB = 2 ** 20;
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** The arguments of a case as a caller would write them: of one layer, or of lists. */
function argumentsOf({ list, layers, weights }: StyleCase, more: object = {}): [unknown, unknown, object] {
  const [first] = layers;
  const layerWeights = weights;
  if (!list && first) return [first.x, first.y, { shape: first.shape, ...given({ layerWeights, ...more }) }];
  const shape = layers.map((layer) => layer.shape);
  return [layers.map(({ x }) => x), layers.map(({ y }) => y), { shape, ...given({ layerWeights, ...more }) }];
}

forEachType((dtype, variant) => {
  const { array, tiny, unit } = dtype;
  const tally = new Tally();
  afterAll(() => tally.print(`style ${dtype.name} ${variant}`));
  const cases = styleCases.filter((c) => c.dtype === dtype);
  const u = practical(dtype);
  const features = (seed: number, shape: readonly number[]) => pseudorandom(dtype, seed, size(shape), 2);

  /** The gradients of a case, one a layer, of the right form. */
  const gradsOf = (c: StyleCase, grad: unknown): FloatArray[] => {
    expect(Array.isArray(grad)).toBe(c.list);
    const grads = (c.list ? grad : [grad]) as FloatArray[];
    expect(grads).toHaveLength(c.layers.length);
    return grads.map((g, k) => arrayOf(g, dtype, c.layers[k]?.x.length as number));
  };

  describe.each(NORMALIZE)("torch, normalised by %s", (normalize) => {
    it("styleGram", () => {
      for (const { name, layers } of cases)
        for (const { shape, x, gram } of layers) {
          const { value: exact, size: scale } = styleGrams(x, shape, normalize);
          const { n, c } = planes(shape, normalize);
          const got = arrayOf(styleGram(x, { shape, normalize }), dtype, n * c * c);
          got.forEach((v: number, i: number) => {
            const row = Math.floor(i / c);
            const b = Math.floor(row / c);
            const diagonal = (k: number) => Math.sqrt(scale[(b * c + k) * c + k] as number);
            const beside = diagonal(row % c) * diagonal(i % c);
            expect(Math.abs((exact[i] as number) - (gram[normalize][i] as number))).toBeLessThanOrEqual(1e-14 * beside);
            tally.note("styleGram", v, gram[normalize][i] as number, u * beside, `${name} [${i}]`);
            expect(v).toBe(got[(b * c + (i % c)) * c + (row % c)]);
          });
          if (normalize === "elements") expect(styleGram(x, { shape })).toEqual(got);
        }
      tally.check();
    });

    it("styleLoss and its gradient", () => {
      for (const c of cases) {
        const before = c.layers.flatMap(({ x, y }) => [x.slice(), y.slice()]);
        const args = argumentsOf(c, { normalize });
        const parts = c.layers.map(({ x, y, shape }, k) => styleLossOf(x, y, shape, normalize, c.weights?.[k]));
        const scale = parts.reduce((s, part) => s + part.size, 0);
        const value = numberOf(styleLoss(...args));
        tally.note("styleLoss", value, c.loss[normalize], 2 * u * scale, c.name);
        const graded = styleLossWithGrad(...args);
        tally.note("styleLossWithGrad", numberOf(graded.value), c.loss[normalize], 2 * u * scale, c.name);
        for (const [k, grad] of gradsOf(c, graded.grad).entries()) {
          const exact = c.layers[k]?.grad[normalize] as Float64Array;
          const { gradSize } = parts[k] as (typeof parts)[number];
          grad.forEach((v: number, i: number) => {
            const bound = 2 * u * (gradSize[i] as number) + tiny;
            tally.note("gradient of styleLoss", v, exact[i] as number, bound, `${c.name}, layer ${k} [${i}]`);
          });
        }
        expect(c.layers.flatMap(({ x, y }) => [x, y])).toEqual(before);
        if (normalize === "elements") {
          const [x, y, { normalize: _, ...options }] = args as [unknown, unknown, { normalize?: unknown }];
          expect(styleLoss(x, y, options)).toBe(value);
        }
      }
      tally.check();
    });
  });

  it("perceptualLoss and its gradient, torch", () => {
    for (const c of cases) {
      const [x, y, { shape, ...options }] = argumentsOf(c) as [unknown, unknown, { shape: unknown }];
      for (const more of [{ shape }, {}]) {
        const value = numberOf(perceptualLoss(x, y, { ...options, ...more }));
        tally.note("perceptualLoss", value, c.perceptual, 8 * unit * c.perceptual, c.name);
        const graded = perceptualLossWithGrad(x, y, { ...options, ...more });
        tally.note("perceptualLossWithGrad", numberOf(graded.value), c.perceptual, 8 * unit * c.perceptual, c.name);
        for (const [k, grad] of gradsOf(c, graded.grad).entries()) {
          const exact = c.layers[k]?.perceptual as Float64Array;
          grad.forEach((v: number, i: number) => {
            const bound = 8 * unit * Math.abs(exact[i] as number) + tiny;
            tally.note("gradient of perceptualLoss", v, exact[i] as number, bound, `${c.name}, layer ${k} [${i}]`);
          });
        }
      }
    }
    tally.check();
  });

  it("over tile edges, against plain loops", () => {
    for (const [n, c, h, w] of [
      [1, 1, 5, 7],
      [1, 2, 16, 16],
      [1, 7, 3, 43],
      [2, 8, 16, 16],
      [1, 9, 16, 16],
      [3, 17, 5, 5],
      [1, 33, 1, 257],
      [1, 65, 9, 9],
      [1, 130, 4, 4],
      [2, 3, 64, 65],
      [1, 5, 300, 301],
      [300, 2, 2, 2],
    ] as const) {
      const shape = n > 1 ? [n, c, h, w] : [c, h, w];
      const [x, y] = [features(c, shape), features(c + 1, shape)];
      for (const normalize of NORMALIZE) {
        const exact = styleLossOf(x, y, shape, normalize);
        const { value, grad } = styleLossWithGrad(x, y, { shape, normalize });
        tally.note("styleLoss, edges", value, exact.value, 2 * u * exact.size, `[${shape}] ${normalize}`);
        tally.note(
          "styleLoss, edges",
          styleLoss(x, y, { shape, normalize }),
          exact.value,
          2 * u * exact.size,
          `[${shape}]`,
        );
        arrayOf(grad, dtype, x.length).forEach((v: number, i: number) => {
          const bound = 2 * u * (exact.gradSize[i] as number) + tiny;
          tally.note("gradient, edges", v, exact.grad[i] as number, bound, `[${shape}] ${normalize} [${i}]`);
        });
      }
      const difference = x.map((v: number, i: number) => v - (y[i] as number)) as Float64Array;
      const mean = sum(x.length, (i) => (difference[i] as number) ** 2) / x.length;
      tally.note("perceptualLoss, edges", perceptualLoss(x, y, { shape }), mean, 8 * unit * mean, `[${shape}]`);
    }
    tally.check();
  });

  describe("laws", () => {
    const shape = [3, 4, 5];
    const [x, y] = [features(1, shape), features(2, shape)];

    it("equal features: 0, and gradients of 0, exactly", () => {
      for (const s of [shape, [2, 9, 16, 16], [70, 3, 3]]) {
        const f = features(3, s);
        for (const normalize of NORMALIZE) {
          const { value, grad } = styleLossWithGrad(f, f.slice(), { shape: s, normalize });
          expect(value).toBe(0);
          expect(styleLoss(f, f.slice(), { shape: s, normalize })).toBe(0);
          for (const v of grad as FloatArray) expect(v + 0).toBe(0);
        }
        const { value, grad } = perceptualLossWithGrad(f, f.slice(), { shape: s });
        expect(value).toBe(0);
        for (const v of grad as FloatArray) expect(v + 0).toBe(0);
      }
    });

    it("styleGram is the scaled gram, and blind to where in the picture a feature is", () => {
      for (const [normalize, divisor] of [
        ["elements", 60],
        ["spatial", 20],
        ["none", 1],
      ] as const) {
        const got = styleGram(x, { shape, normalize });
        const plain = api.gram(x, { shape: [3, 20] });
        got.forEach((v: number, i: number) => {
          const want = (plain[i] as number) / divisor;
          expect(Math.abs(v - want)).toBeLessThanOrEqual((u * 20) / divisor);
        });
      }
      const order = Array.from({ length: 20 }, (_, i) => (i * 7) % 20);
      const moved = x.map(
        (_: number, i: number) => x[Math.floor(i / 20) * 20 + (order[i % 20] as number)] as number,
      ) as FloatArray;
      const loss = numberOf(styleLoss(moved, x, { shape }));
      expect(loss).toBeLessThanOrEqual((u * 4) ** 2);
      expect(perceptualLoss(moved, x, { shape })).toBeGreaterThan(0.01);
    });

    it("twice the features: 16 times the loss, 8 times the gradient, bit for bit", () => {
      const twice = (v: FloatArray) => v.map((a: number) => 2 * a) as FloatArray;
      const one = styleLossWithGrad(x, y, { shape });
      const two = styleLossWithGrad(twice(x), twice(y), { shape });
      expect(two.value).toBe(16 * one.value);
      expect(two.grad).toEqual((one.grad as FloatArray).map((v: number) => 8 * v));
    });

    it("a batch is the mean of its pictures, layers the weighted sum of theirs", () => {
      const batch = [4, 3, 4, 5];
      const [a, b] = [features(5, batch), features(6, batch)];
      const parts = [0, 1, 2, 3].map(
        (k) => [a, b].map((v) => v.slice(k * 60, k * 60 + 60)) as [FloatArray, FloatArray],
      );
      for (const [loss, graded] of [
        [styleLoss, styleLossWithGrad],
        [perceptualLoss, perceptualLossWithGrad],
      ] as const) {
        const each = parts.map(([p, q]) => graded(p, q, { shape }));
        const grads = each.map(({ grad }) => grad as FloatArray);
        const top = Math.max(...grads.flatMap((g) => Array.from(g, Math.abs)));
        const mean = each.reduce((s, { value }) => s + value / 4, 0);
        const all = graded(a, b, { shape: batch });
        tally.note("batch", all.value, mean, u * mean, "value");
        (all.grad as FloatArray).forEach((v: number, i: number) => {
          const want = (grads[Math.floor(i / 60)]![i % 60] as number) / 4;
          tally.note("batch", v, want, 2 * u * top, `gradient ${i}`);
        });
        const weights = [2, 0.5, 0, 7];
        const lists = [
          parts.map(([p]) => p),
          parts.map(([, q]) => q),
          { shape: parts.map(() => shape), layerWeights: weights },
        ];
        const total = each.reduce((s, { value }, k) => s + value * (weights[k] as number), 0);
        tally.note("layers", numberOf(loss(...lists)), total, u * total, "value");
        for (const [k, grad] of (graded(...lists).grad as FloatArray[]).entries())
          grad.forEach((v: number, i: number) => {
            const want = (grads[k]![i] as number) * (weights[k] as number);
            tally.note("layers", v, want, 2 * u * top * (weights[k] as number), `gradient ${i} of ${k}`);
          });
      }
      tally.check();
    });

    it("a step against the gradient makes the loss smaller", () => {
      let f = x;
      const first = styleLoss(f, y, { shape, normalize: "spatial" });
      for (let step = 0; step < 200; step++) {
        const { grad } = styleLossWithGrad(f, y, { shape, normalize: "spatial" });
        f = f.map((v: number, i: number) => v - 2 * ((grad as FloatArray)[i] as number)) as FloatArray;
      }
      expect(styleLoss(f, y, { shape, normalize: "spatial" })).toBeLessThan(first / 100);
    });
  });

  it("NaN: the loss is, the gradient of its own picture is, that of others is not", () => {
    const shape = [3, 4, 5, 5];
    const [x, y] = [features(1, shape), features(2, shape)];
    const spoilt = x.slice();
    spoilt[137] = NaN;
    for (const graded of [styleLossWithGrad, perceptualLossWithGrad]) {
      const plain = graded(x, y, { shape }).grad as FloatArray;
      const { value, grad } = graded(spoilt, y, { shape });
      expect(value).toBeNaN();
      expect((grad as FloatArray)[137]).toBeNaN();
      for (const k of [0, 2])
        expect(
          firstDifference((grad as FloatArray).slice(k * 100, k * 100 + 100), plain.slice(k * 100, k * 100 + 100)),
        ).toBe("");
    }
    const gram = styleGram(spoilt, { shape });
    const whole = styleGram(x, { shape });
    gram.forEach((v: number, i: number) => {
      const [b, row, column] = [Math.floor(i / 16), Math.floor(i / 4) % 4, i % 4];
      // 137 is in picture 1, channel 1
      if (!Object.is(v, b === 1 && (row === 1 || column === 1) ? NaN : whole[i])) expect.fail(`[${i}]: ${v}`);
    });
  });

  it("nothing to average is NaN, as torch's mse_loss", () => {
    const none = new array(0);
    expect(perceptualLoss(none, none)).toBeNaN();
    expect(styleLoss(none, none, { shape: [0, 3, 2, 2] })).toBeNaN();
    expect(perceptualLossWithGrad(none, none)).toEqual({ value: NaN, grad: none });
    expect(styleGram(none, { shape: [0, 3, 2, 2] })).toEqual(none);
    expect(styleGram(none, { shape: [0, 2, 2] })).toEqual(none);
    expect(styleGram(none, { shape: [2, 0, 3], normalize: "none" })).toEqual(new array(4));
  });

  describe("forms", () => {
    const shape = [2, 6, 9, 8];
    const [x, y] = [features(1, shape), features(2, shape)];
    const within = (values: FloatArray, before: number, buffer: new (bytes: number) => ArrayBufferLike) => {
      const all = new array(new buffer((values.length + before + 3) * array.BYTES_PER_ELEMENT)).fill(7.25);
      const view = all.subarray(before, before + values.length);
      view.set(values);
      return view;
    };
    const forms: [string, (v: FloatArray) => unknown, boolean?][] = [
      ["offset views", (v) => within(v, 16, ArrayBuffer)],
      ["misaligned views of a SharedArrayBuffer", (v) => within(v, 3, SharedArrayBuffer)],
      ["{ data, shape }", (v) => ({ data: v.slice(), shape }), true],
      ["{ data, dims }", (v) => ({ data: v.slice(), dims: shape }), true],
    ];
    it.each(forms)("%s", (_, form, own) => {
      for (const options of own ? [{ shape }, {}] : [{ shape }]) {
        expect(styleGram(form(x), options)).toEqual(styleGram(x, { shape }));
        for (const graded of [styleLossWithGrad, perceptualLossWithGrad]) {
          const [a, b] = [form(x), form(y)];
          expect(graded(a, b, options)).toEqual(graded(x, y, { shape }));
          expect([a, b]).toEqual([form(x), form(y)]);
          const lists = graded(
            [form(x), form(y)],
            [form(y), form(x)],
            "shape" in options ? { shape: [shape, shape] } : {},
          );
          expect(lists).toEqual(graded([x, y], [y, x], { shape: [shape, shape] }));
        }
        expect(styleLoss(form(x), form(y), options)).toBe(styleLoss(x, y, { shape }));
        expect(perceptualLoss(form(x), form(y), options)).toBe(perceptualLoss(x, y, { shape }));
      }
    });

    it("resident arrays", () => {
      const [a, b] = [resident(dtype.name, x.length), resident(dtype.name, x.length)];
      a.set(x);
      b.set(y);
      expect(styleGram(a, { shape })).toEqual(styleGram(x, { shape }));
      for (const graded of [styleLossWithGrad, perceptualLossWithGrad]) {
        expect(graded(a, b, { shape })).toEqual(graded(x, y, { shape }));
        expect(graded(a, y, { shape })).toEqual(graded(x, y, { shape }));
        expect(graded([a, x], [y, b], { shape: [shape, shape] })).toEqual(
          graded([x, x], [y, y], { shape: [shape, shape] }),
        );
      }
      const out = resident(dtype.name, 72);
      styleGram(a, { shape, out });
      expect(out.array).toEqual(styleGram(x, { shape }));
      expect(firstDifference(a.array, x)).toBe("");
      for (const r of [a, b, out]) r.dispose();
    });

    it("number[]: f64, or the type beside it; lists of number[] too", () => {
      const [a, b] = [Array.from(x), Array.from(y)];
      expect(styleGram(a, { shape })).toBeInstanceOf(Float64Array);
      for (const graded of [styleLossWithGrad, perceptualLossWithGrad]) {
        expect(graded(a, b, { shape }).grad).toBeInstanceOf(Float64Array);
        expect(graded(a, y, { shape })).toEqual(graded(x, y, { shape }));
        expect(graded(x, b, { shape })).toEqual(graded(x, y, { shape }));
        expect(graded([a, x], [y, b], { shape: [shape, shape] })).toEqual(
          graded([x, x], [y, y], { shape: [shape, shape] }),
        );
      }
    });

    it("styleGram writes out, a part of the features too", () => {
      const wanted = styleGram(x, { shape });
      const out = within(new array(72), 5, ArrayBuffer);
      expect(styleGram(x, { shape, out })).toBe(out);
      expect(firstDifference(out, wanted)).toBe("");
      expect([new array(out.buffer)[4], new array(out.buffer)[77]]).toEqual([7.25, 7.25]);
      const own = x.slice();
      styleGram(own, { shape, out: own.subarray(3, 75) });
      expect(firstDifference(own.subarray(3, 75), wanted)).toBe("");
    });
  });

  it("large features in at most 64 MiB of linear memory", () => {
    const shape = [64, 256, 250];
    const [x, y] = [features(1, shape), features(2, shape)];
    styleLossWithGrad(x, y, { shape });
    perceptualLossWithGrad(x, y, { shape });
    styleGram(x, { shape });
    expect(info().memoryBytes).toBeLessThanOrEqual(64 * MiB);
  });

  // -------------------------------------------------------------------------------------------- errors

  describe("errors", () => {
    const other = dtype === f32 ? f64 : f32;
    const shape = [2, 3, 1];
    const x = new array([1, 2, 3, 4, 5, 6]);
    const y = new array([6, 5, 4, 3, 2, 1]);
    const out = () => new array(4).fill(7);
    const losses = ["styleLoss", "styleLossWithGrad", "perceptualLoss", "perceptualLossWithGrad"] as const;
    const styles = ["styleLoss", "styleLossWithGrad"] as const;
    const table: WrongRow[] = [
      ["styleGram", [x], RangeError, /shape/],
      ["styleGram", [x, { shape: [2, 3], out: out() }], RangeError, /shape/, /2, 3/],
      ["styleGram", [x, { shape: [1, 1, 2, 3, 1] }], RangeError, /shape/],
      ["styleGram", [x, { shape: [2, 2, 2], out: out() }], RangeError, /shape/, /8/, /\b6\b/],
      [
        "styleGram",
        [x, { shape, normalize: "mean", out: out() }],
        RangeError,
        /normalize/,
        /elements.*spatial.*none/,
        /mean/,
      ],
      ["styleGram", [x, { shape, normalize: true, out: out() }], TypeError, /normalize/, /true/],
      ["styleGram", [x, { shape, out: new array(3).fill(7) }], RangeError, /out/, /4/, /3/],
      ["styleGram", [x, { shape, out: new other.array(4).fill(7) }], TypeError, /out/, new RegExp(array.name)],
      ["styleGram", [undefined, { shape }], TypeError, /features/, /undefined/],
      ...styles.flatMap((fn): WrongRow[] => [
        [fn, [x, y], RangeError, /shape/],
        [fn, [x, y, { shape: [2, 3] }], RangeError, /shape/, /2, 3/],
        [fn, [x, y, { shape, normalize: "mean" }], RangeError, /normalize/, /spatial/, /mean/],
        [fn, [[x], [y], { shape: [[2, 3]] }], RangeError, /shape/, /2, 3/],
        [fn, [[x, x], [y, y], { shape: [shape] }], RangeError, /shape/, /2/, /1/],
      ]),
      ...losses.flatMap((fn): WrongRow[] => [
        [fn, [x, y.slice(1), { shape }], RangeError, /target/, /6/, /5/],
        [fn, [x, new other.array(6), { shape }], TypeError, /target/, new RegExp(array.name)],
        [fn, [x, undefined, { shape }], TypeError, /target/, /undefined/],
        [fn, ["x", y, { shape }], TypeError, /generated/, /"x"/],
        [fn, [x, y, { shape: [2, 2, 2] }], RangeError, /shape/, /8/, /\b6\b/],
        [fn, [x, y, { shape, layerWeights: [1, 2] }], RangeError, /layerWeights/, /1/, /2/],
        [fn, [[x, x], [y, y], { shape: [shape, shape], layerWeights: [1] }], RangeError, /layerWeights/, /2/, /1/],
        [fn, [[x], [y], { shape: [shape], layerWeights: ["1"] }], TypeError, /layerWeights/, /"1"/],
        [fn, [[x], [y], { shape: [shape], layerWeights: [NaN] }], RangeError, /layerWeights/, /NaN/],
        [fn, [[x, x], [y], { shape: [shape, shape] }], RangeError, /target/, /2/, /1/],
        [fn, [[x], y, { shape: [shape] }], TypeError, /target/, /list/i],
        [fn, [[x, x], [y, y.slice(2)], { shape: [shape, shape] }], RangeError, /target/, /6/, /4/],
        [fn, [[x, null], [y, y], { shape: [shape, shape] }], TypeError, /generated/, /null/],
      ]),
    ];
    it.each(faults(table))("%i %s, %s", (_i, _fn, _names, wrong) => expectWrong(wrong));
  });
});

describe("finite differences", () => {
  const shapes = [
    [2, 3, 2],
    [2, 2, 1, 3],
    [3, 1, 1],
  ];
  const sample = fc.constantFrom(...shapes).chain((shape) => {
    const values = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), {
      minLength: size(shape),
      maxLength: size(shape),
    });
    return fc.tuple(fc.constant(shape), values, values, values);
  });
  const compare = (loss: (x: Float64Array) => number, grad: FloatArray, x: Float64Array, direction: number[]) => {
    const at = (h: number) => loss(x.map((v, i) => v + h * (direction[i] as number)));
    const h = 1e-3;
    const numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    const exact = direction.reduce((s, v, i) => s + v * (grad[i] as number), 0);
    const scale = direction.reduce((s, v, i) => s + Math.abs(v * (grad[i] as number)), 1);
    // exact for polynomials of fourth degree but for rounding
    if (!(Math.abs(numeric - exact) <= 1e-9 * scale * (1 + Math.abs(at(0)))))
      expect.fail(`${numeric} by differences, ${exact} by the gradient`);
  };
  it.each([...NORMALIZE, undefined] as (Normalize | undefined)[])("%s", (normalize) => {
    const [loss, graded] = normalize ? [styleLoss, styleLossWithGrad] : [perceptualLoss, perceptualLossWithGrad];
    fc.assert(
      fc.property(sample, fc.double({ min: -2, max: 2, noNaN: true }), ([shape, a, b, direction], w) => {
        const [x, y] = [new Float64Array(a), new Float64Array(b)];
        const options = given({ shape, normalize });
        compare((v) => loss(v, y, options), graded(x, y, options).grad as FloatArray, x, direction);
        const lists = { ...options, shape: [shape, shape], layerWeights: [1, w] };
        const { grad } = graded([x, y], [y, x], lists);
        compare((v) => loss([v, y], [y, x], lists), (grad as FloatArray[])[0] as FloatArray, x, direction);
        compare((v) => loss([x, v], [y, x], lists), (grad as FloatArray[])[1] as FloatArray, y, direction);
      }),
      { numRuns: 60 },
    );
  });
});
