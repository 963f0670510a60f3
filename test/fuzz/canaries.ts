/** Fixed calls of every family, whose results must not change whatever was called before them. */
import * as surprisal from "../../src/index.ts";
import { unlike } from "../support/outcome.ts";

const row = Float32Array.from({ length: 37 }, (_, i) => ((i * 7) % 11) / 3 - 1);

interface Canary {
  readonly name: string;
  readonly call: () => unknown;
  /** The sum of the numbers of the result, which tells that it was right to begin with. */
  readonly sum: number;
}

const CANARIES: readonly Canary[] = [
  { name: "softplus", call: () => surprisal.softplus([-3.8, 0.5]), sum: 0.996201201 },
  { name: "sigmoid", call: () => surprisal.sigmoid([-3.8, 0.5]), sum: 0.644340602 },
  { name: "logit", call: () => surprisal.logit([0.2, 0.9]), sum: 0.810930216 },
  { name: "softmax", call: () => surprisal.softmax(row), sum: 0.99999996 },
  { name: "logSumExp", call: () => surprisal.logSumExp([0.25, -1, 3], { weights: [1, 2, 0.5] }), sum: 2.49010584 },
  { name: "crossEntropyWithGrad", call: () => surprisal.crossEntropyWithGrad(row, [5]), sum: 5.1358827 },
  { name: "binaryCrossEntropy", call: () => surprisal.binaryCrossEntropy([0.3, -2, 5], [1, 0, 0.5]), sum: 1.0626662 },
  { name: "klDivergence", call: () => surprisal.klDivergence([1, 2, 3], [3, 2, 1]), sum: 0.366204096 },
  { name: "gram", call: () => surprisal.gram(row, { shape: [1, 37] }), sum: 59.5555496 },
  { name: "cka", call: () => surprisal.cka([1, 2, 4, 3], [2, 4, 8, 7], { shape: [4, 1] }), sum: 0.969230769 },
  {
    name: "kernelMatrix",
    call: () => surprisal.kernelMatrix([0, 0, 1, 1], undefined, { shape: [2, 2], kernel: "rbf" }),
    sum: 2.73575888,
  },
  { name: "nearest", call: () => surprisal.nearest([0, 5, 7], undefined, { shape: [3, 1] }).values, sum: 9 },
  { name: "styleLoss", call: () => surprisal.styleLoss([1, 2, 3, 4], [4, 3, 2, 1], { shape: [2, 1, 2] }), sum: 12.5 },
  { name: "perceptualLoss", call: () => surprisal.perceptualLoss([1, 2, 3, 4], [4, 3, 2, 1.5]), sum: 4.3125 },
  { name: "wasserstein", call: () => surprisal.wasserstein([0, 1, 3], [5, 6, 9], { order: 2 }), sum: 5.35412613 },
  { name: "emd", call: () => surprisal.emd([0.25, 0.75], [0.5, 0.5], [0, 1, 2, 0]).cost, sum: 0.5 },
  {
    name: "sinkhorn",
    call: () => surprisal.sinkhorn([0.5, 0.5], [0.5, 0.5], [0, 1, 1, 0], { epsilon: 1 }).cost,
    sum: 0.268941421,
  },
];

const sumOf = (value: unknown): number =>
  typeof value === "number"
    ? value
    : ArrayBuffer.isView(value)
      ? (value as Float64Array).reduce((a, b) => a + b, 0)
      : Object.values(value as object).reduce((total: number, part) => total + sumOf(part), 0);

export class Canaries {
  readonly #first = CANARIES.map(({ name, call, sum }) => {
    const value = call();
    const got = sumOf(value);
    if (!(Math.abs(got - sum) <= 1e-6 * Math.abs(sum)))
      throw new Error(`the canary ${name} sums to ${got}, wanted ${sum}`);
    return value;
  });

  /** What is no longer as it was, in words: of all of them, or of three in turn. */
  spoilt(turn?: number): string {
    const some = turn === undefined ? CANARIES.keys() : [0, 4, 8].map((k) => (turn + k) % CANARIES.length);
    for (const i of some) {
      const { name, call } = CANARIES[i] as Canary;
      const words = unlike(call(), this.#first[i]);
      if (words) return `${name}: ${words}`;
    }
    return "";
  }
}
