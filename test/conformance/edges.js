import { numbers } from "./arithmetic.js";
import { flat, same } from "./compare.js";

/** @typedef {import("./index.js").Surprisal} Surprisal */
/** @typedef {import("./arithmetic.js").Numbers} Numbers */
/** @typedef {import("./compare.js").Value} Value */

/** Special values, and inputs of every kind. @param {Surprisal} s */
export function edges(s) {
  const [inf, nan] = [Infinity, Number.NaN];
  /** @param {Value} got @param {Numbers} want @param {string} what */
  const is = (got, want, what) => {
    numbers(want).forEach((v, i) => {
      same(flat(got)[i] + 0, v, `${what} [${i}]`);
    });
  };
  is(s.softmax([-inf, -inf]), [nan, nan], "softmax of −∞");
  is(s.softmax([-inf, -inf], { allMasked: "zero" }), [0, 0], "softmax of −∞, masked");
  is(s.softmax([0, nan, 0, 0], { shape: [2, 2] }), [nan, nan, 0.5, 0.5], "softmax of a NaN");
  is(s.logSumExp([-inf, -inf, inf, 0], { shape: [2, 2] }), [-inf, inf], "logSumExp of ∞");
  is(s.logSumExp([], { shape: [2, 0] }), [-inf, -inf], "logSumExp of empty rows");
  is(s.entropy([1, 0, -1, 2], { shape: [2, 2], reduction: "none" }), [0, nan], "entropy");
  is(s.klDivergence([0, 1], [0.5, 0.5], { base: 2 }), [1], "KL with p = 0");
  is(s.klDivergence([0.5, 0.5], [0, 1]), [inf], "KL with q = 0");
  is(s.crossEntropy([1, 2], [-100]), [nan], "crossEntropy of ignored rows");
  is(s.kernelMatrix([0, 0, 3, 4], undefined, { shape: [2, 2], kernel: "cosine" }), [0, 0, 0], "cosine of a zero row");
  is(s.wasserstein([0, 1], [2, nan]), [nan], "wasserstein of a NaN");
  is(s.wasserstein([inf, 0], [1, inf]), [0.5], "wasserstein of ∞");
  is(s.wassersteinHistogram([1, 0, 0, 0], [0, 1, 0, 1], { shape: [2, 2], reduction: "none" }), [1, nan], "histograms");
  is(s.sinkhornDivergence([0, 1], [0, 1], { shape: [2, 1], epsilon: 1 }).value, [0], "sinkhornDivergence of itself");
  same(s.softmax(new Float32Array(0)).length, 0, "the length of an empty softmax");
  const want = s.softmax(new Float32Array([1, 2, 4]));
  /** @param {unknown} x @param {string} what */
  const takes = (x, what) => {
    const got = s.softmax(x);
    same(got.constructor.name, "Float32Array", `the type of softmax of ${what}`);
    is(got, numbers(want), `softmax of ${what}`);
  };
  takes(new Float32Array([9, 1, 2, 4]).subarray(1), "a view");
  takes({ data: new Float32Array([1, 2, 4]), shape: [3] }, "a tensor");
  takes({ data: new Float32Array([1, 2, 4]), dims: [1, 3] }, "an ONNX tensor");
  const { Float16Array: Half, SharedArrayBuffer: Shared } = /** @type {any} */ (globalThis);
  if (Half) takes(new Half([1, 2, 4]), "half precision");
  if (Shared) {
    const shared = new Float32Array(new Shared(12));
    shared.set([1, 2, 4]);
    takes(shared, "shared memory");
  }
  const labels = [BigInt64Array.from([1n]), Uint8Array.from([1]), [1]];
  for (const label of labels)
    same(s.crossEntropy([0, 0], label), Math.LN2, `crossEntropy of ${label.constructor.name}`);
}
