/**
 * The short way of losses of few rows with weights of classes (src/place/few.ts): their bits are those of the ordinary way, which logits
 * that bring their own shape take; and what it is for, it takes.
 */
import { describe, expect, it } from "vitest";
import { uniforms } from "../../examples/support/random.ts";
import { crossEntropy, crossEntropyWithGrad } from "../../src/index.ts";
import { fewLabelled } from "../../src/place/few.ts";
import { pseudorandom } from "../support/fixture.ts";
import { type FloatArray, f32, f64, firstDifference, forEachType } from "../support/variants.ts";

const loss = crossEntropy as (x: unknown, y: unknown, options: object) => number;
const withGrad = crossEntropyWithGrad as (
  x: unknown,
  y: unknown,
  options: object,
) => { value: number; grad: FloatArray };

describe("losses of few rows, with weights of classes,", () => {
  forEachType((dtype) => {
    const classes = (seed: number, rows: number, n: number): Int32Array => {
      const random = uniforms(seed);
      return new Int32Array(rows).map(() => Math.floor(random() * n));
    };

    it("have the bits of the ordinary way", () => {
      let seed = 1;
      const random = uniforms(5);
      const special = [0, -0, -1, Number.NaN, Infinity, dtype.tiny, dtype.max, 2 ** -100];
      for (const [rows, n] of [
        [1, 1],
        [1, 10],
        [4, 3],
        [7, 17],
        [32, 10],
        [63, 16],
        [2, 512],
        [2, 513],
      ] as const) {
        for (const shape of [[rows, n], rows === 1 ? [n] : [rows, 1, n]]) {
          for (const part of [0, 0, 0.3, 1]) {
            const x = pseudorandom(dtype, seed++, rows * n, 16);
            const y = classes(seed++, rows, n);
            const kind = special[Math.floor(random() * special.length)] as number;
            const weight = new dtype.array(n).map(() => (random() < part ? kind : random()));
            for (const more of [{}, { labelSmoothing: 0.1 }, { labelSmoothing: 1, axis: -1 }]) {
              const options = { weight, ...more };
              const about = `${shape} ${JSON.stringify(more)} ${weight}`;
              expect(Object.is(loss(x, y, { ...options, shape }), loss({ data: x, shape }, y, options)), about).toBe(
                true,
              );
              const [short, ordinary] = [
                withGrad(x, y, { ...options, shape }),
                withGrad({ data: x, shape }, y, options),
              ];
              expect(Object.is(short.value, ordinary.value), about).toBe(true);
              expect(firstDifference(short.grad, ordinary.grad), about).toBe("");
            }
          }
        }
      }
    });

    it("may be written over what they are of", () => {
      const [rows, n] = [3, 5];
      for (const out0 of [0, 4, 15, 20]) {
        const buffer = pseudorandom(dtype, 3, 40, 4).map(Math.abs);
        const [x, weight, out] = [buffer.subarray(0, 15), buffer.subarray(15, 20), buffer.subarray(out0, out0 + 15)];
        const y = classes(1, rows, n);
        const wanted = withGrad({ data: x.slice(), shape: [rows, n] }, y, { weight: weight.slice() });
        const got = withGrad(x, y, { weight, shape: [rows, n], out });
        expect(got.grad).toBe(out);
        expect(got.value).toBe(wanted.value);
        expect(firstDifference(out, wanted.grad)).toBe("");
      }
    });

    it("refuse what the ordinary way refuses", () => {
      const [x, y] = [new dtype.array(6), Int32Array.of(0, 2)];
      const other = dtype === f32 ? f64 : f32;
      const call = (options: object) => () => loss(x, y, { shape: [2, 3], ...options });
      expect(call({ weight: new dtype.array(4) })).toThrow('"weight" must be of length 3, the number of classes');
      expect(call({ weight: new other.array(3) })).toThrow('"weight" must be a Float');
      expect(call({ weight: null })).toThrow('"weight" must be a Float');
      expect(() => loss(x, Int32Array.of(0, 3), { shape: [2, 3], weight: new dtype.array(3) })).toThrow(RangeError);
    });

    it("go the short way, where it is for that", () => {
      const took = (weight: unknown, labels: unknown = Int32Array.of(0, 2)): unknown =>
        fewLabelled("crossEntropy", new dtype.array(6), labels, [2, 3], undefined, false, () => undefined, weight)
          ?.over;
      expect(took(undefined)).toBe(2);
      expect(took(new dtype.array([0.5, 4, 2]))).toBe(2.5);
      expect(took([0.5, 4, 2])).toBe(undefined);
      expect(took(new dtype.array(4))).toBe(undefined);
      expect(took(new (dtype === f32 ? f64 : f32).array(3))).toBe(undefined);
      expect(took(new dtype.array(3), Int32Array.of(0, -100))).toBe(undefined);
    });
  });
});
