/**
 * What a meter adds to the function it is named for: `meter.update` beside the call of the function on the same batch. And the scores
 * of tokens beside the log-sum-exp of the same logits, which reads as much.
 */
import { uniforms } from "./data.ts";
import { bench, type Call, type Case, type Contestants, type Dtype, type FloatArray } from "./harness.ts";
import { baseline, ours, type Surprisal } from "./ours.ts";

const SHAPES = [
  [32, 10],
  [128, 1000],
] as const;
const TYPES = { f32: Float32Array, f64: Float64Array } as const;

interface Data {
  readonly x: FloatArray;
  readonly y: FloatArray;
  readonly labels: Int32Array;
  readonly shape: readonly number[];
}

/** A function, and a meter that has taken a batch once more at each call: its mean stays the batch's. */
interface Pair {
  readonly call: (s: Surprisal, d: Data) => number;
  readonly meter: (s: Surprisal) => { readonly value: number };
  readonly update: (meter: never, d: Data) => unknown;
}
const pair = <M extends { readonly value: number }>(
  call: Pair["call"],
  meter: (s: Surprisal) => M,
  update: (meter: M, d: Data) => unknown,
): Pair => ({ call, meter, update: update as Pair["update"] });

const meanOf = (values: FloatArray): number => (values as Float64Array).reduce((s, v) => s + v, 0) / values.length;

const PAIRS: Readonly<Record<string, Pair>> = {
  crossEntropy: pair(
    (s, { x, labels, shape }) => s.crossEntropy(x, labels, { shape }),
    (s) => s.crossEntropyMeter(),
    (meter, { x, labels, shape }) => meter.update(x, labels, { shape }),
  ),
  entropy: pair(
    (s, { x, shape }) => s.entropy(x, { shape, from: "logits" }),
    (s) => s.entropyMeter({ from: "logits" }),
    (meter, { x, shape }) => meter.update(x, { shape }),
  ),
  logSumExp: pair(
    (s, { x, shape }) => meanOf(s.logSumExp(x, { shape })),
    (s) => s.logSumExpMeter(),
    (meter, { x, shape }) => meter.update(x, { shape }),
  ),
  klDivergence: pair(
    (s, { x, y, shape }) => s.klDivergence(x, y, { shape, from: "logits" }),
    (s) => s.divergenceMeter({ from: "logits" }),
    (meter, { x, y, shape }) => meter.update(x, y, { shape }),
  ),
  "kl and js": pair(
    (s, { x, y, shape }) =>
      s.klDivergence(x, y, { shape, from: "logits" }) + 0 * s.jsDivergence(x, y, { shape, from: "logits" }),
    (s) => {
      const meter = s.agreementMeter({ from: "logits" });
      return {
        get value() {
          return meter.kl.value;
        },
        update: meter.update.bind(meter),
      };
    },
    (meter, { x, y, shape }) => meter.update(x, y, { shape }),
  ),
};

function dataOf(dtype: Dtype, shape: readonly [number, number]): Data {
  const [rows, n] = shape;
  const logits = (seed: number) => new TYPES[dtype](uniforms(rows * n, seed).map((v) => 12 * v - 6));
  const labels = Int32Array.from(uniforms(rows, 3), (v) => Math.floor(v * n));
  return { x: logits(1), y: logits(2), labels, shape };
}

const meters = Object.entries(PAIRS).flatMap(([op, { call, meter, update }]) =>
  (["f32", "f64"] as const).flatMap((dtype) =>
    SHAPES.map((shape): Case => {
      return {
        op,
        dtype,
        shape,
        tolerance: 1e-6,
        floor: 0,
        setup() {
          const d = dataOf(dtype, shape);
          const contestants: Contestants = ours((s) => ({
            "": () => ({ run: () => call(s, d), result: () => [call(s, d)] }),
            meter: (): Call => {
              const mine = meter(s);
              return { run: () => update(mine as never, d), result: () => [mine.value] };
            },
          }));
          const whole = Object.values(ours((s) => ({ "": () => ({ run: () => call(s, d) }) })))[0] as () => Call;
          return { reference: [whole().run() as number], contestants };
        },
      };
    }),
  ),
);

const tokens = (["f32", "f64"] as const).map((dtype): Case => {
  const shape = [64, 128_256] as const;
  return {
    op: "token scores, top 5, beside logSumExp",
    dtype,
    shape,
    // 2 ULP, of either variant
    tolerance: dtype === "f32" ? 2.4e-7 : 4.5e-16,
    floor: 0,
    setup() {
      const d = dataOf(dtype, shape);
      const [rows, n] = shape;
      let reference: number[] = [];
      const contestants = ours((s) => {
        reference = Array.from(
          d.labels,
          (id, r) => (s.logSoftmax(d.x.subarray(r * n, r * n + n)) as FloatArray)[id] as number,
        );
        const own = reference;
        return {
          // it has another result, which is looked at elsewhere
          "": () => ({
            run: () => s.logSumExp(d.x, { shape }),
            result: () => own.map((_, i) => reference[i] as number),
          }),
          scores: () => {
            const of = () => s.tokenScores(d.x, d.labels, { shape, top: 5 });
            return { run: of, result: () => of().logProb };
          },
        };
      });
      if (reference.length !== rows) throw new Error("no reference");
      return { reference, contestants };
    },
  };
});

await bench({ name: "meters", cases: [...meters, ...tokens], baseline });
