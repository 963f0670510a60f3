/** Meters: exact sums in any order, and what each of them measures against the function it is named for. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CrossEntropyBatch, ReliabilityBin, SavedMeter } from "../../src/index.ts";
import * as surprisal from "../../src/index.ts";
import { forEachType } from "../support/variants.ts";

const {
  crossEntropyMeter,
  entropyMeter,
  divergenceMeter,
  logSumExpMeter,
  agreementMeter,
  calibrationMeter,
  meterFrom,
} = surprisal;

// -------------------------------------------------------------------------------------------- exact arithmetic

const BITS = new DataView(new ArrayBuffer(8));

/** A finite f64 in units of 2^-1074. */
function integerOf(value: number): bigint {
  BITS.setFloat64(0, value);
  const bits = BITS.getBigInt64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = exponent ? (fraction | 0x10000000000000n) << BigInt(exponent - 1) : fraction;
  return bits < 0n ? -magnitude : magnitude;
}

/** The f64 after one. */
function after(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  BITS.setFloat64(0, value);
  BITS.setBigInt64(0, BITS.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return BITS.getFloat64(0);
}
const before = (value: number) => -after(-value);

/** Whether a finite f64 is the nearest to n/d in units of 2^-1074; and the even one of two. */
function isNearest(value: number, n: bigint, d: bigint): boolean {
  const distance = (to: number) => {
    const gap = 2n * (integerOf(to) * d - n);
    return gap < 0n ? -gap : gap;
  };
  const own = distance(value);
  return [before(value), after(value)].every((other) => {
    if (!Number.isFinite(other)) return true;
    const rival = distance(other);
    return own < rival || (own === rival && (integerOf(value) & 1n) === 0n) || own === 0n;
  });
}

const sumOf = (values: readonly number[]): bigint => values.reduce((sum, value) => sum + integerOf(value), 0n);

/** Any f64 that is finite, those near 1 as often as those of any exponent. */
const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -20, max: 20, noNaN: true }),
  fc.constantFrom(0, -0, 5e-324, -5e-324, 2 ** -1022, 1e300, -1e300, 1),
);

/** Lists, a permutation of them, and where they are cut. */
const batches = fc.record({
  values: fc.array(numbers, { minLength: 1, maxLength: 60 }),
  seed: fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
  cuts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 60, maxLength: 60 }),
});

const shuffled = (values: readonly number[], seed: readonly number[]): number[] =>
  values
    .map((value, i) => [value, seed[i] as number] as const)
    .sort((a, b) => a[1] - b[1])
    .map(([value]) => value);

function pieces(values: readonly number[], cuts: readonly number[]): number[][] {
  const found: number[][] = [];
  for (let i = 0, from = 0; from < values.length; from += cuts[i++] as number)
    found.push(values.slice(from, from + (cuts[i] as number)));
  return found;
}

/** A meter of plain numbers: the log-sum-exp of one is itself. */
const rowsOf = (values: readonly number[]) => [Float64Array.from(values), { shape: [values.length, 1] }] as const;

forEachType((dtype) => {
  const { name } = dtype;
  const array = dtype.array as unknown as Float64ArrayConstructor;
  const random = (seed: number, length: number, scale = 4) => {
    let state = seed;
    return array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state / 2 ** 31 - 0.5) * 2 * scale;
    });
  };
  const labels = (seed: number, length: number, classes: number) =>
    Int32Array.from(random(seed, length, 0.5), (v) => Math.min(classes - 1, Math.floor((v + 0.5) * classes)));
  const rel = name === "f32" ? 1e-6 : 1e-14;

  describe("sums", () => {
    it("are correctly rounded, in any order, any batches and any tree of merges", () => {
      fc.assert(
        fc.property(batches, ({ values, seed, cuts }) => {
          const whole = logSumExpMeter().update(...rowsOf(values));
          const parts = pieces(shuffled(values, seed), cuts);
          const single = logSumExpMeter();
          for (const part of parts) single.update(...rowsOf(part));
          let meters = parts.map((part) => logSumExpMeter().update(...rowsOf(part)));
          while (meters.length > 1)
            meters = meters.flatMap((meter, i) =>
              i % 2 ? [] : [meters[i + 1] ? meter.merge(meters[i + 1] as typeof meter) : meter],
            );
          const merged = meters[0] as typeof single;
          expect(single.toJSON()).toEqual(whole.toJSON());
          expect(merged.toJSON()).toEqual(whole.toJSON());
          expect(Object.is(single.value, whole.value) && Object.is(merged.value, whole.value)).toBe(true);
          expect(Object.is(single.standardError, whole.standardError)).toBe(true);
          expect(isNearest(whole.value, sumOf(values), BigInt(values.length))).toBe(true);
        }),
        { numRuns: 300 },
      );
    });

    it("have a standard error that is right to an ULP, however little of the numbers is left", () => {
      fc.assert(
        fc.property(
          fc.array(numbers, { minLength: 2, maxLength: 30 }),
          fc.double({ min: -1e9, max: 1e9, noNaN: true }),
          (values, shift) => {
            const near = values.map((v) => shift + (v % 1) / 1024);
            const meter = logSumExpMeter().update(...rowsOf(near));
            const n = BigInt(near.length);
            const squares = near.reduce((sum, v) => sum + integerOf(v) ** 2n, 0n);
            const top = n * squares - sumOf(near) ** 2n;
            // the root of top/(n²(n − 1)) in units of 2^-1074, as an integer with 80 bits more
            const square = (top << 160n) / (n * n * (n - 1n));
            let root = square === 0n ? 0n : 1n << BigInt(Math.ceil(square.toString(2).length / 2));
            for (let next = root; ; root = next) {
              next = root === 0n ? 0n : (root + square / root) >> 1n;
              if (next >= root) break;
            }
            const got = meter.standardError;
            const gap = (integerOf(got) << 80n) - root;
            const ulp = integerOf(after(got)) - integerOf(got);
            expect((gap < 0n ? -gap : gap) <= ulp << 80n).toBe(true);
          },
        ),
        { numRuns: 200 },
      );
      expect(logSumExpMeter().update(...rowsOf(new Array(7).fill(1 / 3))).standardError).toBe(0);
    });

    it("agree with Math.sumPrecise where there is one", () => {
      const { sumPrecise } = Math as { sumPrecise?: (values: Iterable<number>) => number };
      if (!sumPrecise) return;
      fc.assert(
        fc.property(fc.array(numbers, { minLength: 1, maxLength: 64 }), (values) => {
          while (values.length & (values.length - 1)) values.push(0);
          const sum = sumPrecise.call(Math, values) / values.length;
          if (Number.isFinite(sum) && Math.abs(sum) > 1e-290)
            expect(logSumExpMeter().update(...rowsOf(values)).value).toBe(sum);
        }),
      );
    });

    it("hold more numbers than wait at a time", () => {
      const values = Array.from({ length: 5000 }, (_, i) => Math.sin(i) * 10 ** (i % 40));
      const whole = logSumExpMeter().update(...rowsOf(values));
      expect(isNearest(whole.value, sumOf(values), 5000n)).toBe(true);
      for (const size of [1, 511, 512, 513, 1024]) {
        const meter = logSumExpMeter();
        for (let i = 0; i < values.length; i += size) meter.update(...rowsOf(values.slice(i, i + size)));
        expect(meter.toJSON()).toEqual(whole.toJSON());
      }
    });

    it("flow as plain sums do through what is not finite", () => {
      const of = (...values: number[]) => logSumExpMeter().update(...rowsOf(values));
      expect(of(1, Infinity).value).toBe(Infinity);
      expect(of(1, -Infinity, 2).value).toBe(-Infinity);
      expect(of(Infinity, -Infinity).value).toBeNaN();
      expect(of(1, Number.NaN, Infinity).value).toBeNaN();
      expect(of(1, 2).merge(of(Infinity)).value).toBe(Infinity);
      expect(of(Infinity).standardError).toBeNaN();
      expect(of(Number.MAX_VALUE, Number.MAX_VALUE).value).toBe(Number.MAX_VALUE);
      expect(of(-0).value).toBe(0);
      expect(logSumExpMeter().value).toBeNaN();
      expect(logSumExpMeter().count).toBe(0);
      expect(of(5).standardError).toBeNaN();
      const again = meterFrom(JSON.parse(JSON.stringify(of(1, Infinity))) as SavedMeter<"logSumExp">);
      expect(again.value).toBe(Infinity);
    });
  });

  describe("crossEntropyMeter", () => {
    const rows = 37;
    const n = 11;
    const x = random(1, rows * n);
    const y = labels(2, rows, n);
    const soft = random(3, rows * n).map((v: number) => Math.abs(v));
    const factors = random(4, rows).map((v: number) => Math.abs(v));
    const weight = random(5, n).map((v: number) => Math.abs(v));
    const ignored = y.map((label, i) => (i % 5 === 0 ? 3 : label));

    const options = [
      {},
      { base: 2 },
      { weight },
      { labelSmoothing: 0.1 },
      { weight, labelSmoothing: 0.25, ignoreIndex: 3 },
      { ignoreIndex: 3 },
      { from: "probabilities", base: 10 },
      { from: "logProbabilities" },
    ] as const;

    it("is the function's mean over all rows, in batches of any size", () => {
      for (const option of options) {
        const from = "from" in option ? option.from : "logits";
        const z = from === "probabilities" ? x.map((v: number) => Math.abs(v)) : x;
        const softs = from === "logProbabilities" || "ignoreIndex" in option ? [] : [soft];
        for (const target of [y, ignored, ...softs]) {
          for (const sampleWeight of [undefined, factors]) {
            const want = surprisal.crossEntropy(z, target, {
              ...option,
              shape: [rows, n],
              ...(sampleWeight && { sampleWeight }),
            } as never);
            const saved: unknown[] = [];
            for (const size of [1, 5, rows]) {
              const meter = crossEntropyMeter(option);
              for (let row = rows; row > 0; row -= size) {
                const first = Math.max(0, row - size);
                const count = row - first;
                const part =
                  target === soft ? soft.subarray(first * n, row * n) : (target as Int32Array).subarray(first, row);
                meter.update(z.subarray(first * n, row * n), part, {
                  shape: [count, n],
                  ...(sampleWeight && { sampleWeight: sampleWeight.subarray(first, row) }),
                });
              }
              expect(Math.abs(meter.value - (want as number)) / Math.abs(want as number)).toBeLessThan(1e-13);
              saved.push(meter.toJSON());
              const counted =
                target === soft || !("ignoreIndex" in option)
                  ? rows
                  : Array.from(target as Int32Array).filter((l) => l !== 3).length;
              expect(meter.count).toBe(counted);
            }
            expect(saved[1]).toEqual(saved[0]);
            expect(saved[2]).toEqual(saved[0]);
          }
        }
      }
    });

    it("has the standard error of its rows, and of a ratio where they are weighted", () => {
      const losses = surprisal.crossEntropy(x, y, { shape: [rows, n], reduction: "none" }) as Float64Array;
      const mean = losses.reduce((s, v) => s + v, 0) / rows;
      const variance = losses.reduce((s, v) => s + (v - mean) ** 2, 0) / (rows - 1);
      const meter = crossEntropyMeter().update(x, y, { shape: [rows, n] });
      expect(meter.standardError / Math.sqrt(variance / rows)).toBeCloseTo(1, name === "f32" ? 5 : 12);
      const weighted = crossEntropyMeter().update(x, y, { shape: [rows, n], sampleWeight: factors });
      const w = factors.reduce((s: number, v: number) => s + v, 0);
      const center = losses.reduce((s, v, i) => s + v * (factors[i] as number), 0) / w;
      const spread = losses.reduce((s, v, i) => s + ((factors[i] as number) * (v - center)) ** 2, 0);
      expect(weighted.standardError / (Math.sqrt((rows / (rows - 1)) * spread) / w)).toBeCloseTo(
        1,
        name === "f32" ? 5 : 12,
      );
      // equal weights change neither
      const even = crossEntropyMeter().update(x, y, { shape: [rows, n], sampleWeight: new array(rows).fill(1) });
      expect(even.value).toBe(meter.value);
      expect(even.standardError).toBe(meter.standardError);
    });

    it("takes weights at any time, and merges with meters that have none", () => {
      const one = crossEntropyMeter().update(x, y, { shape: [rows, n] });
      const two = crossEntropyMeter().update(x, y, { shape: [rows, n], sampleWeight: factors });
      const all = crossEntropyMeter()
        .update(x, y, { shape: [rows, n] })
        .update(x, y, { shape: [rows, n], sampleWeight: factors });
      const left = crossEntropyMeter().merge(one).merge(two);
      const right = crossEntropyMeter().merge(two).merge(one);
      expect(left.toJSON()).toEqual(all.toJSON());
      expect(right.toJSON()).toEqual(all.toJSON());
      expect(one.toJSON()).toEqual(
        crossEntropyMeter()
          .update(x, y, { shape: [rows, n] })
          .toJSON(),
      );
      const want = new array(rows).fill(1);
      const both = surprisal.crossEntropy(array.from([...x, ...x]), Int32Array.from([...y, ...y]), {
        shape: [2 * rows, n],
        sampleWeight: array.from([...want, ...factors]),
      } as never);
      expect(Math.abs(all.value / (both as unknown as number) - 1)).toBeLessThan(1e-13);
    });

    it("leaves out what is ignored after weights as before them", () => {
      const z = random(15, 4 * n);
      const t = [3, -100, 1, -100];
      const shape = [2, n];
      const halves = [z.subarray(0, 2 * n), z.subarray(2 * n)] as const;
      const sampleWeight = array.of(2, 5);
      const first = crossEntropyMeter()
        .update(halves[0], t.slice(0, 2), { shape, sampleWeight })
        .update(halves[1], t.slice(2), { shape });
      const last = crossEntropyMeter()
        .update(halves[1], t.slice(2), { shape })
        .update(halves[0], t.slice(0, 2), { shape, sampleWeight });
      const want = surprisal.crossEntropy(z, t, { shape: [4, n], sampleWeight: array.of(2, 5, 1, 1) });
      expect(first.toJSON()).toEqual(last.toJSON());
      expect(Math.abs(first.value / want - 1)).toBeLessThan(rel);
    });

    it("writes no weights where they are 1", () => {
      const shape = [rows, n];
      const meter = crossEntropyMeter().update(x, y, { shape });
      const even = crossEntropyMeter().update(x, y, { shape, sampleWeight: new array(rows).fill(1) });
      expect(even.toJSON()).toEqual(meter.toJSON());
      // whose sum and whose squares are as many as they, but not both
      const uneven = crossEntropyMeter().update(x.subarray(0, 2 * n), [0, 0], {
        shape: [2, n],
        sampleWeight: array.of(0.5, 1.5),
      });
      expect(uneven.toJSON()).toHaveProperty("weights");
      const none = crossEntropyMeter().update([], [], { shape: [0, n], sampleWeight: [] });
      expect(none.toJSON()).toEqual(crossEntropyMeter().toJSON());
    });

    it("gives perplexity, nats and bits a token", () => {
      const meter = crossEntropyMeter({ base: 10 }).update(x, y, { shape: [rows, n] });
      const nats = surprisal.crossEntropy(x, y, { shape: [rows, n] });
      expect(Math.abs(meter.nats / nats - 1)).toBeLessThan(1e-14);
      expect(Math.abs(meter.bits / nats / Math.LOG2E - 1)).toBeLessThan(1e-14);
      expect(Math.abs(meter.value / nats / Math.LOG10E - 1)).toBeLessThan(1e-14);
      expect(Math.abs(meter.perplexity / surprisal.perplexity(x, y, { shape: [rows, n] }) - 1)).toBeLessThan(1e-13);
    });

    it("takes segmentation, one axis for all batches or for one", () => {
      const shape = [2, 3, 4];
      const z = random(9, 24);
      const t = labels(8, 8, 3);
      const want = surprisal.crossEntropy(z, t, { shape, axis: 1 });
      expect(Math.abs(crossEntropyMeter({ shape, axis: 1 }).update(z, t).value / want - 1)).toBeLessThan(1e-14);
      expect(Math.abs(crossEntropyMeter().update(z, t, { shape, axis: 1 }).value / want - 1)).toBeLessThan(1e-14);
    });

    it("is NaN where every row is ignored, and does not count them", () => {
      const meter = crossEntropyMeter().update(random(1, 6), [-100, -100], { shape: [2, 3] });
      expect([meter.value, meter.count]).toEqual([Number.NaN, 0]);
    });

    it("is as it was after an update that throws", () => {
      const meter = crossEntropyMeter().update(x, y, { shape: [rows, n] });
      const saved = JSON.stringify(meter);
      const wrong = y.slice();
      wrong[20] = n;
      expect(() => meter.update(x, wrong, { shape: [rows, n] })).toThrow(
        `crossEntropyMeter.update: "target" in row 20 must be a class from 0 to ${n - 1} or ignoreIndex -100, got ${n}`,
      );
      expect(() => meter.update(x, y.subarray(1), { shape: [rows, n] })).toThrow(RangeError);
      expect(() => meter.update(x, y, { shape: [rows, n + 1] })).toThrow(RangeError);
      expect(() => meter.update(x, y, { shape: [rows, n], sampleWeight: factors.subarray(1) })).toThrow(RangeError);
      expect(() => meter.update(x, y, { reduction: "sum" } as never)).toThrow(TypeError);
      expect(JSON.stringify(meter)).toBe(saved);
    });

    it("keeps the weights it was given", () => {
      const own = weight.slice();
      const meter = crossEntropyMeter({ weight: own });
      own.fill(7);
      meter.update(x, y, { shape: [rows, n] });
      const want = surprisal.crossEntropy(x, y, { shape: [rows, n], weight } as never) as unknown as number;
      expect(Math.abs(meter.value / want - 1)).toBeLessThan(1e-13);
      const again = meterFrom(JSON.parse(JSON.stringify(meter)) as SavedMeter<"crossEntropy">);
      expect(again.merge(meter).count).toBe(2 * rows);
      expect(again.value).toBe(meter.value);
    });
  });

  describe("entropyMeter, divergenceMeter, logSumExpMeter", () => {
    const shape = [29, 7] as const;
    const size = 29 * 7;
    const x = random(11, size);
    const y = random(12, size);
    const halves = (meter: { update(...args: never[]): unknown }, ...arrays: (Float32Array | Float64Array)[]) => {
      meter.update(...([...arrays.map((a) => a.subarray(10 * 7)), { shape: [19, 7] }] as never[]));
      meter.update(...([...arrays.map((a) => a.subarray(0, 10 * 7)), { shape: [10, 7] }] as never[]));
    };

    it("are the functions' means", () => {
      for (const option of [
        { from: "logits" },
        { from: "logits", base: 2 },
        { from: "logProbabilities", normalize: false },
      ] as const) {
        const meter = entropyMeter(option);
        halves(meter, x);
        expect(Math.abs(meter.value / surprisal.entropy(x, { ...option, shape }) - 1)).toBeLessThan(1e-13);
        expect(meter.count).toBe(29);
      }
      for (const metric of ["kl", "js"] as const) {
        const meter = divergenceMeter({ metric, from: "logits", temperature: 2, base: 2 });
        halves(meter, x, y);
        const f = metric === "kl" ? surprisal.klDivergence : surprisal.jsDivergence;
        expect(Math.abs(meter.value / f(x, y, { shape, from: "logits", temperature: 2, base: 2 }) - 1)).toBeLessThan(
          1e-13,
        );
      }
      const meter = logSumExpMeter();
      halves(meter, x);
      const each = surprisal.logSumExp(x, { shape }) as Float64Array;
      expect(Math.abs(meter.value / (each.reduce((s, v) => s + v, 0) / 29) - 1)).toBeLessThan(1e-13);
      const weighted = logSumExpMeter().update(x, { shape, weights: [1, 2, 0, 1, 1, 3, 1] });
      const some = surprisal.logSumExp(x, { shape, weights: [1, 2, 0, 1, 1, 3, 1] }) as Float64Array;
      expect(Math.abs(weighted.value / (some.reduce((s, v) => s + v, 0) / 29) - 1)).toBeLessThan(rel);
      // the short way, the ordinary one and columns
      const long = random(5, 2048 * 3);
      expect(
        logSumExpMeter()
          .update(long, { shape: [2048, 3] })
          .toJSON(),
      ).toEqual(
        logSumExpMeter()
          .update(long.subarray(0, 600), { shape: [200, 3] })
          .update(long.subarray(600), { shape: [1848, 3] })
          .toJSON(),
      );
      expect(logSumExpMeter().update(x, { shape, axis: 0 }).count).toBe(7);
    });

    it("count rows of nothing", () => {
      const none = new array(0);
      expect(entropyMeter().update(none, { shape: [5, 0] }).count).toBe(5);
      expect(entropyMeter().update(none, { shape: [5, 0] }).value).toBeNaN();
      expect(logSumExpMeter().update(none, { shape: [4, 0] }).value).toBe(-Infinity);
      const meter = divergenceMeter({ normalize: false }).update(none, none, { shape: [3, 0] });
      expect([meter.count, meter.value, meter.quantile(0.5)]).toEqual([3, 0, 0]);
      expect(entropyMeter().update(none, { shape: [0, 5] }).count).toBe(0);
    });

    it("have quantiles to 1 %, of 0 and 1 the extremes", () => {
      const rows = 3000;
      const p = random(21, rows * 4);
      const q = random(22, rows * 4);
      const meter = divergenceMeter({ from: "logits" });
      for (const [from, to] of [
        [1700, 3000],
        [0, 1700],
      ] as const)
        meter.update(p.subarray(4 * from, 4 * to), q.subarray(4 * from, 4 * to), { shape: [to - from, 4] });
      const each = Float64Array.from(
        surprisal.klDivergence(p, q, { shape: [rows, 4], from: "logits", reduction: "none" }),
      ).sort();
      for (const f of [0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999]) {
        const want = each[Math.ceil(f * rows) - 1] as number;
        expect(Math.abs(meter.quantile(f) / want - 1)).toBeLessThan(0.01);
      }
      expect(Math.abs(meter.quantile(0) / (each[0] as number) - 1)).toBeLessThan(1e-7);
      expect(Math.abs(meter.quantile(1) / (each[rows - 1] as number) - 1)).toBeLessThan(1e-7);
      expect(() => meter.quantile(1.5)).toThrow('divergenceMeter.quantile: "q" must be a number from 0 to 1, got 1.5');
      const again = meterFrom(JSON.parse(JSON.stringify(meter)) as SavedMeter<"divergence">);
      expect(again.quantile(0.3)).toBe(meter.quantile(0.3));
      expect(again.toJSON()).toEqual(meter.toJSON());
      const infinite = divergenceMeter().update(array.of(1, 0, 0.5, 0.5), array.of(0, 1, 0.5, 0.5), { shape: [2, 2] });
      expect([infinite.value, infinite.quantile(0.5), infinite.quantile(1)]).toEqual([Infinity, 0, Infinity]);
      expect(JSON.stringify(meterFrom(JSON.parse(JSON.stringify(infinite))))).toBe(JSON.stringify(infinite));
      expect(divergenceMeter().update(array.of(Number.NaN, 1), array.of(1, 1)).quantile(0.5)).toBeNaN();
      // a base below 1 turns them round
      const turned = divergenceMeter({ base: 0.5 }).update(array.of(1, 0, 1, 1), array.of(1, 3, 1, 1), {
        shape: [2, 2],
      });
      expect([turned.quantile(0), turned.quantile(0.5)].map((v) => Math.round(v * 1e5))).toEqual([-200000, -200000]);
      expect(turned.quantile(1)).toBeCloseTo(0, 10);
      // one NaN is as another
      const signs = [0x7ff80000, 0xfff80000, 0x7fffffff].map((upper) => {
        BITS.setUint32(0, upper);
        const nan = array.of(BITS.getFloat64(0), 1);
        return JSON.stringify(divergenceMeter({ from: "logits" }).update(nan, array.of(1, 1)));
      });
      expect(new Set(signs).size).toBe(1);
      expect(signs[0]).toContain("[131040,1]");
      // negative ones too
      const signed = divergenceMeter({ normalize: false }).update(array.of(1, 1, 1, 1), array.of(8, 1, 2, 4), {
        shape: [4, 1],
      });
      expect(signed.quantile(0)).toBeCloseTo(-Math.log(8), 5);
      expect(Math.abs(signed.quantile(0.5) / -Math.log(4) - 1)).toBeLessThan(0.01);
      expect(signed.quantile(1)).toBe(0);
    });
  });

  describe("agreementMeter", () => {
    const rows = 41;
    const n = 9;
    const p = random(31, rows * n);
    const q = random(32, rows * n).map((v: number, i: number) => (p[i] as number) + v / 2);

    it("counts rows whose arg-max is the same, or among the first", () => {
      const rank = (row: number): number => {
        const [a, b] = [Array.from(p.subarray(row * n, row * n + n)), Array.from(q.subarray(row * n, row * n + n))];
        const first = a.indexOf(Math.max(...a));
        return b.filter((v, j) => v > (b[first] as number) || (v === b[first] && j < first)).length;
      };
      for (const top of [1, 2, n]) {
        const want = Array.from({ length: rows }, (_, row) => rank(row)).filter((r) => r < top).length;
        const meter = agreementMeter({ from: "logits", top }).update(p, q, { shape: [rows, n] });
        expect(meter.value).toBe(want / rows);
        expect(meter.count).toBe(rows);
        const f = want / rows;
        expect(meter.standardError).toBeCloseTo(Math.sqrt((f * (1 - f)) / (rows - 1)), 14);
        expect(
          Math.abs(meter.kl.value / surprisal.klDivergence(p, q, { shape: [rows, n], from: "logits" }) - 1),
        ).toBeLessThan(1e-13);
        expect(
          Math.abs(meter.js.value / surprisal.jsDivergence(p, q, { shape: [rows, n], from: "logits" }) - 1),
        ).toBeLessThan(1e-13);
        expect(meter.js.quantile(1)).toBeLessThanOrEqual(Math.LN2);
        const single = agreementMeter({ from: "logits", top });
        for (let row = rows - 1; row >= 0; row--)
          single.update(p.subarray(row * n, row * n + n), q.subarray(row * n, row * n + n));
        expect(single.toJSON()).toEqual(meter.toJSON());
        const columns = agreementMeter({ from: "logits", top, axis: 0 });
        const turn = (x: Float32Array | Float64Array) =>
          x.map((_: number, i: number) => x[(i % rows) * n + Math.floor(i / rows)] as number);
        expect(columns.update(turn(p), turn(q), { shape: [n, rows] }).value).toBe(meter.value);
      }
    });

    it("takes the first of equal elements for the larger, and no row with a NaN", () => {
      const value = (a: number[], b: number[]) => agreementMeter().update(array.from(a), array.from(b)).value;
      expect(value([1, 1, 0], [1, 1, 0])).toBe(1);
      expect(value([1, 1, 0], [0, 1, 0])).toBe(0);
      expect(value([0, 1, 0], [1, 1, 0])).toBe(0);
      expect(value([Number.NaN, 1], [0, 1])).toBe(0);
      expect(value([0, 1], [Number.NaN, 1])).toBe(0);
    });
  });

  describe("calibrationMeter", () => {
    const rows = 83;
    const n = 6;
    const x = random(41, rows * n, 3);
    const y = labels(42, rows, n).map((label, row) =>
      row % 3 ? label : x.subarray(row * n, row * n + n).indexOf(Math.max(...x.subarray(row * n, row * n + n))),
    );

    function plain(p: Float64Array, classes: number, target: ArrayLike<number>, bins: number) {
      const table = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, correct: 0 }));
      let brier = 0;
      for (let row = 0; row < target.length; row++) {
        const own = Array.from(p.subarray(row * classes, (row + 1) * classes));
        const confidence = Math.max(...own);
        const bin = table[Math.min(bins, Math.ceil(confidence * bins)) - 1] as (typeof table)[number];
        bin.count++;
        bin.confidence += confidence;
        bin.correct += +(own.indexOf(confidence) === target[row]);
        brier += own.reduce((s, v, j) => s + (v - +(j === target[row])) ** 2, 0);
      }
      const gaps = table.map(({ confidence, correct }) => Math.abs(confidence - correct));
      return {
        table,
        ece: gaps.reduce((s, v) => s + v, 0) / target.length,
        mce: Math.max(...gaps.map((gap, i) => (table[i]?.count ? gap / (table[i]?.count as number) : 0))),
        brier: brier / target.length,
        accuracy: table.reduce((s, { correct }) => s + correct, 0) / target.length,
      };
    }

    it("is what the definitions say", () => {
      const p = Float64Array.from(surprisal.softmax(Float64Array.from(x), { shape: [rows, n] }) as Float64Array);
      const digits = name === "f32" ? 6 : 13;
      for (const bins of [1, 10, 15]) {
        const want = plain(p, n, y, bins);
        const inputs = {
          logits: x,
          logProbabilities: surprisal.logSoftmax(x, { shape: [rows, n] }),
          probabilities: surprisal.softmax(x, { shape: [rows, n] }),
        } as const;
        for (const from of ["logits", "logProbabilities", "probabilities"] as const) {
          const meter = calibrationMeter({ bins, from }).update(inputs[from], y, { shape: [rows, n] });
          expect(meter.count).toBe(rows);
          expect(meter.accuracy).toBe(want.accuracy);
          expect(meter.ece).toBeCloseTo(want.ece, digits);
          expect(meter.value).toBe(meter.ece);
          expect(meter.mce).toBeCloseTo(want.mce, digits);
          expect(meter.brier).toBeCloseTo(want.brier, digits);
          meter.table.forEach((bin, i) => {
            const { count, confidence, correct } = want.table[i] as (typeof want.table)[number];
            expect(bin.count).toBe(count);
            if (count) expect(bin.confidence).toBeCloseTo(confidence / count, digits);
            if (count) expect(bin.accuracy).toBeCloseTo(correct / count, digits);
          });
        }
      }
    });

    // of f32 a confidence is rounded before it is counted
    it.runIf(name === "f64")(
      "a confidence on an edge is in the bin that ends there, and one above it in the next",
      () => {
        let count = 0;
        for (let bins = 2; bins <= 100; bins++)
          for (let k = Math.floor(bins / 2) + 1; k < bins; k++)
            for (const next of [-1, 0, 1]) {
              const confidence = (k / bins) * (1 + next * 2 * dtype.unit);
              const row = new array([confidence, 1 - confidence]);
              const [top, other] = row as unknown as [number, number];
              // so that it is the first element itself, not a quotient that is rounded
              if (top + other !== 1 || 1 / (1 + other / top) !== top) continue;
              const { table } = calibrationMeter({ bins, from: "probabilities" }).update(row, [0]);
              const bin = table.find((one) => one.count === 1) as ReliabilityBin;
              expect(
                top > bin.from && top <= bin.to,
                `${top} of ${bins} bins, in that from ${bin.from} to ${bin.to}`,
              ).toBe(true);
              count++;
            }
        expect(count).toBeGreaterThan(1000);
      },
    );

    it("has the same bits in any batches, also of columns and of rows longer than the stage", () => {
      const whole = calibrationMeter().update(x, y, { shape: [rows, n] });
      const single = calibrationMeter();
      for (let row = rows - 1; row >= 0; row--)
        single.update(x.subarray(row * n, row * n + n), y.subarray(row, row + 1));
      expect(single.toJSON()).toEqual(whole.toJSON());
      const turned = x.map((_: number, i: number) => x[(i % rows) * n + Math.floor(i / rows)] as number);
      expect(
        calibrationMeter()
          .update(turned, y, { shape: [n, rows], axis: 0 })
          .toJSON(),
      ).toEqual({ ...whole.toJSON() });
      const length = 2 ** 20 / array.BYTES_PER_ELEMENT + 100;
      const long = random(43, 2 * length, 12);
      const target = [5, length - 3];
      const got = calibrationMeter().update(long, target, { shape: [2, length] });
      const p = surprisal.softmax(Float64Array.from(long), { shape: [2, length] }) as Float64Array;
      const want = plain(p, 1, [], 15) && p;
      const brier = target.map((t, row) =>
        want.subarray(row * length, (row + 1) * length).reduce((s, v, j) => s + (v - +(j === t)) ** 2, 0),
      );
      expect(got.brier).toBeCloseTo(((brier[0] as number) + (brier[1] as number)) / 2, name === "f32" ? 5 : 12);
    });

    it("keeps the digits of a row that is nearly certain", () => {
      const sure = array.of(40, 0, 0);
      const meter = calibrationMeter({ from: "logits" }).update(sure, [0]);
      const q = Math.exp(-40);
      expect(meter.brier / (4 * q * q + 2 * q * q)).toBeCloseTo(1, 5);
    });

    it("leaves out what is ignored, and tells a row that is no distribution", () => {
      const meter = calibrationMeter({ ignoreIndex: 2 }).update(x, y, { shape: [rows, n] });
      expect(meter.count).toBe(Array.from(y).filter((label) => label !== 2).length);
      const none = calibrationMeter().update(array.of(Number.NaN, 1, 0, 1), [0, 1], { shape: [2, 2] });
      expect([none.value, none.mce, none.brier, none.accuracy, none.count]).toEqual([
        Number.NaN,
        Number.NaN,
        Number.NaN,
        Number.NaN,
        2,
      ]);
      expect(calibrationMeter().value).toBeNaN();
      const negative = calibrationMeter({ from: "probabilities" }).update(array.of(-1, 1), [0]);
      expect(negative.value).toBeNaN();
      expect(() => calibrationMeter().update(array.of(1, 2), [2])).toThrow(
        'calibrationMeter.update: "labels" in row 0 must be a class',
      );
      expect(() => calibrationMeter().update(array.of(1, 2), [0.5])).toThrow(TypeError);
    });
  });

  describe("meters", () => {
    const p = random(51, 40).map((v: number) => Math.abs(v) + 0.01);
    const q = random(52, 40).map((v: number) => Math.abs(v) + 0.01);
    const t = labels(53, 10, 4);
    const shape = [10, 4];
    const all = () => ({
      crossEntropy: crossEntropyMeter({ base: 2 }).update(p, t, { shape }),
      entropy: entropyMeter().update(p, { shape }),
      divergence: divergenceMeter().update(p, q, { shape }),
      logSumExp: logSumExpMeter().update(p, { shape }),
      agreement: agreementMeter({ top: 2 }).update(p, q, { shape }),
      calibration: calibrationMeter({ bins: 4 }).update(p, t, { shape }),
    });

    it("are restored from their JSON, and go on", () => {
      for (const meter of Object.values(all())) {
        const again = meterFrom(JSON.parse(JSON.stringify(meter)));
        expect(again.constructor).toBe(meter.constructor);
        expect(JSON.stringify(again)).toBe(JSON.stringify(meter));
        expect(Object.is(again.value, meter.value) && Object.is(again.standardError, meter.standardError)).toBe(true);
        expect(JSON.stringify(again.merge(meter as never))).toBe(JSON.stringify(meter.merge(meter as never)));
      }
      for (const [kind, meter] of Object.entries(all()))
        if (!["divergence", "agreement"].includes(kind)) expect(JSON.stringify(meter).length).toBeLessThan(2048);
    });

    it("are small in JSON however far apart the numbers", () => {
      // every bit of the sums as likely set as not
      const scattered = (seed: number, count: number, least: number, most: number): number[] => {
        const [digits, powers] = [random(seed, count, 0.5), random(seed + 1, count, 0.5)];
        return Array.from(digits, (digit, i) => {
          const exponent = Math.floor(least + (most - least) * ((powers[i] as number) + 0.5));
          return (1.3 + digit + digit * 2 ** -27) * 2 ** exponent;
        });
      };
      // the loss of the label 1 is the difference of two logits, where that is large
      const weighted = (losses: readonly number[], sampleWeight: ArrayLike<number>) => {
        const logits = array.from(losses.flatMap((loss) => [loss, 0]));
        return crossEntropyMeter().update(logits, new Uint8Array(losses.length).fill(1), {
          shape: [losses.length, 2],
          sampleWeight: array.from(sampleWeight),
        });
      };
      const bytesOf = (meter: object): number => Buffer.byteLength(JSON.stringify(meter));
      const comesBack = (meter: { value: number; standardError: number; toJSON(): object }): void => {
        const text = JSON.stringify(meter);
        const again = meterFrom(JSON.parse(text) as SavedMeter<"crossEntropy">);
        expect(JSON.stringify(again)).toBe(text);
        expect(Object.is(again.value, meter.value) && Object.is(again.standardError, meter.standardError)).toBe(true);
      };
      const [least, most] = name === "f32" ? [-149, 127] : [-1074, 1023];
      const all = logSumExpMeter().update(...rowsOf([...scattered(71, 500, -1074, 1023), Number.MAX_VALUE, 5e-324]));
      expect(bytesOf(all)).toBeGreaterThan(1000);
      expect(bytesOf(all)).toBeLessThan(2048);
      comesBack(all);
      // weights of all exponents that f32 has, of f64 300 decades, and losses up to 1e38 or 1e90
      const [from, to] = name === "f32" ? [least, most - 1] : [-500, 500];
      const both = weighted(scattered(73, 500, -30, name === "f32" ? to : 300), scattered(75, 500, from, to));
      expect(both.count).toBe(500);
      expect(bytesOf(both)).toBeLessThan(2048);
      comesBack(both);
      // five sums of all that f64 can be have 2.1 KB of digits that are not to be foreseen
      const most64 = weighted(scattered(77, 800, 0, most - 1), scattered(79, 800, least, most - 1));
      expect(bytesOf(most64)).toBeLessThan(3200);
      comesBack(most64);
    });

    it("have one text, whatever way to the same sums", () => {
      const one = logSumExpMeter().update(...rowsOf([3, 1 / 8]));
      const { sum, squares } = one.toJSON() as unknown as Record<string, string>;
      expect([sum, squares]).toEqual(["Z:-3", "JB:-6"]);
      const none = logSumExpMeter().update(...rowsOf([1e300, -1e300, 0]));
      expect((none.toJSON() as unknown as Record<string, string>)["sum"]).toBe("A:0");
      const negative = logSumExpMeter().update(...rowsOf([-5e-324]));
      expect((negative.toJSON() as unknown as Record<string, string>)["sum"]).toBe("-B:-1074");
    });

    it("merge into meters of the same kind and options alone", () => {
      const one = crossEntropyMeter({ base: 2 });
      expect(() => one.merge(crossEntropyMeter())).toThrow(
        'crossEntropyMeter.merge: "other" must be of the same options: "base" is 2 here, got one with 2.718281828459045',
      );
      expect(() => one.merge(entropyMeter() as never)).toThrow(
        'crossEntropyMeter.merge: "other" must be a crossEntropyMeter',
      );
      expect(() => one.merge({} as never)).toThrow(TypeError);
      expect(() => crossEntropyMeter({ weight: [1, 2] }).merge(crossEntropyMeter())).toThrow(RangeError);
      expect(one.merge(crossEntropyMeter({ base: 2, shape: [3, 4] })).count).toBe(0);
    });

    it("refuse what no meter wrote, with the name of the field", () => {
      const saved = JSON.parse(JSON.stringify(all().crossEntropy)) as Record<string, unknown>;
      const from = (change: object) => () => meterFrom({ ...saved, ...change } as never);
      expect(() => meterFrom("{}" as never)).toThrow('meterFrom: "json" must be an object');
      expect(from({ meter: "entropyy" })).toThrow('meterFrom: "json.meter" must be one of "crossEntropy"');
      expect(from({ version: 2 })).toThrow('meterFrom: "json.version" must be 1, the only one so far, got 2');
      expect(from({ options: undefined })).toThrow('meterFrom: "json.options" must be an object');
      expect(from({ options: { base: 1 } })).toThrow('meterFrom: "base"');
      expect(from({ options: { bases: 1 } })).toThrow('meterFrom: unknown option "bases"');
      expect(from({ count: -1 })).toThrow('meterFrom: "json.count" must be a number of rows, got -1');
      expect(from({ sum: "1" })).toThrow('meterFrom: "json.sum" must be a sum as a meter writes it');
      expect(from({ sum: "B:2000" })).toThrow('meterFrom: "json.sum" must be a sum of numbers that are f64');
      for (const sum of ["B:9000", "B:-1075", "B:", ":4", "B-:4", "B:0.5", "B:1e3", "B".repeat(721), 1, null])
        expect(from({ sum })).toThrow('meterFrom: "json.sum" must be a sum as a meter writes it');
      expect(from({ squares: "-B:0" })).toThrow('meterFrom: "json.squares"');
      expect(from({ nonFinite: 9 })).toThrow('meterFrom: "json.nonFinite"');
      const agreement = JSON.parse(JSON.stringify(all().agreement)) as Record<string, unknown>;
      expect(() => meterFrom({ ...agreement, agreed: 11 } as never)).toThrow('meterFrom: "json.agreed"');
      expect(() => meterFrom({ ...agreement, kl: 1 } as never)).toThrow('meterFrom: "json.kl"');
      const calibration = JSON.parse(JSON.stringify(all().calibration)) as Record<string, unknown>;
      expect(() => meterFrom({ ...calibration, table: [[9, 1, 1, "0"]] } as never)).toThrow(
        'meterFrom: "json.table[0]"',
      );
      const divergence = JSON.parse(JSON.stringify(all().divergence)) as { histogram: object };
      expect(() =>
        meterFrom({ ...divergence, histogram: { ...divergence.histogram, bins: [[1, 1]] } } as never),
      ).toThrow('meterFrom: "json.histogram.bins"');
    });

    it("take an iterable, tell of it, and stop", async () => {
      async function* stream(): AsyncGenerator<CrossEntropyBatch> {
        for (let i = 0; i < 10; i++) yield [p.subarray(4 * i, 4 * i + 4), t.subarray(i, i + 1)];
      }
      const told: number[] = [];
      const meter = crossEntropyMeter({ base: 2 });
      expect(
        await meter.updateFrom(stream(), { progress: ({ batches, count }) => told.push(batches * 100 + count) }),
      ).toBe(meter);
      expect(meter.toJSON()).toEqual(all().crossEntropy.toJSON());
      expect(told).toEqual(Array.from({ length: 10 }, (_, i) => 101 * (i + 1)));
      const controller = new AbortController();
      const stopped = crossEntropyMeter();
      const reason = new Error("enough");
      await expect(
        stopped.updateFrom(stream(), {
          signal: controller.signal,
          progress: ({ batches }) => batches === 3 && controller.abort(reason),
        }),
      ).rejects.toBe(reason);
      expect(stopped.count).toBe(3);
      await expect(stopped.updateFrom([[p, [99]]], {})).rejects.toThrow("crossEntropyMeter.updateFrom");
      await expect(stopped.updateFrom([7] as never)).rejects.toThrow(
        '"batches[0]" must be a list of the arguments of update',
      );
      await expect(stopped.updateFrom(7 as never)).rejects.toThrow('"batches" must be an iterable');
      await stopped.updateFrom([[p, t, { shape }]]);
      expect(stopped.count).toBe(13);
    });

    it("refuse options that are not theirs", () => {
      expect(() => crossEntropyMeter({ reduction: "sum" } as never)).toThrow(
        'crossEntropyMeter: unknown option "reduction"',
      );
      expect(() => crossEntropyMeter({ base: 1 })).toThrow('crossEntropyMeter: "base"');
      expect(() => crossEntropyMeter({ weight: [1, Infinity] })).toThrow(
        'crossEntropyMeter: "weight[1]" must be finite',
      );
      expect(() => divergenceMeter({ metric: "jsDistance" } as never)).toThrow('divergenceMeter: "metric"');
      expect(() => agreementMeter({ top: 0 })).toThrow('agreementMeter: "top"');
      expect(() => calibrationMeter({ bins: 0 })).toThrow('calibrationMeter: "bins"');
      expect(() => entropyMeter({ from: "logit" } as never)).toThrow('entropyMeter: "from"');
      expect(() => logSumExpMeter({ weights: [1] } as never)).toThrow('logSumExpMeter: unknown option "weights"');
    });

    it("do not make memory grow", () => {
      const { memoryBytes } = surprisal.info();
      const big = random(61, 200_000);
      calibrationMeter().update(big, new Int32Array(20), { shape: [20, 10000] });
      agreementMeter({ from: "logits" }).update(big, big, { shape: [20, 10000] });
      expect(surprisal.info().memoryBytes).toBe(memoryBytes);
    });
  });
});
