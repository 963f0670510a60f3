/** Identities of the softmax family on random rows. Tolerances follow from the bounds of accuracy.test.ts. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ulp32, ulp64 } from "../support/ulp.ts";
import type { DType, FloatArray } from "../support/variants.ts";
import { family, forEachType } from "../support/variants.ts";

const { softmax, logSoftmax, logSumExp, sigmoid, logSigmoid, softplus, logit } = family;

forEachType((dtype: DType) => {
  const { array, unit: u, tiny } = dtype;
  const least = tiny * 2 * u; // the smallest subnormal
  const ulp = dtype.name === "f32" ? ulp32 : ulp64;
  const UNARY = 3; // ULP

  const number = (limit: number) =>
    dtype.name === "f32"
      ? fc.float({ min: -limit, max: limit, noNaN: true })
      : fc.double({ min: -limit, max: limit, noNaN: true });
  /** Rows of multiples of 1/64, so that shifts by whole numbers and differences are exact. */
  const grid = fc
    .array(fc.integer({ min: -64 * 64, max: 64 * 64 }), { minLength: 1, maxLength: 100 })
    .map((row) => new array(row.map((k) => k / 64)));
  const floats = fc.array(number(1e4), { minLength: 1, maxLength: 100 }).map((row) => new array(row));
  const row = fc.oneof(grid, floats);
  const check = <T extends [unknown, ...unknown[]]>(
    ...args: [...{ [K in keyof T]: fc.Arbitrary<T[K]> }, (...values: T) => void]
  ) => {
    const body = args.pop() as (...values: T) => void;
    fc.assert(fc.property(...(args as never as [fc.Arbitrary<unknown>]), body as never), { numRuns: 300 });
  };
  const near = (got: number, want: number, tolerance: number, what: string) => {
    if (!(got === want || Math.abs(got - want) <= tolerance))
      expect.fail(`${what}: ${got} against ${want}, ${Math.abs(got - want) / tolerance} × the tolerance`);
  };
  /** Two results that are each within 5u of the same truth. */
  const sameProbability = (got: number, want: number, what: string) =>
    near(got, want, 10.001 * u * want + 5 * least, what);
  const sum = (a: FloatArray) => (a as Float64Array).reduce((s, v) => s + v, 0);
  const top = (a: FloatArray) => (a as Float64Array).reduce((m, v) => Math.max(m, v), -Infinity);

  describe("softmax", () => {
    it("is a distribution: no element negative or above 1, the sum 1", () => {
      check(row, (x) => {
        const p = softmax(x);
        for (const v of p) if (!(v >= 0 && v <= 1)) expect.fail(`${v}`);
        near(sum(p), 1, 5.001 * u + x.length * (5 * least + 2 ** -53), "the sum");
      });
    });

    it("does not change when the row is shifted", () => {
      check(grid, fc.integer({ min: -1000, max: 1000 }), (x, shift) => {
        const p = softmax(x);
        const q = softmax(x.map((v: number) => v + shift));
        for (let i = 0; i < p.length; i++) sameProbability(q[i] as number, p[i] as number, `[${i}]`);
      });
    });

    it("permutes with the row", () => {
      check(row, fc.infiniteStream(fc.nat()), (x, stream) => {
        const order = Array.from(x, (_, i) => [stream.next().value as number, i] as const)
          .sort(([a], [b]) => a - b)
          .map(([, i]) => i);
        const p = softmax(x);
        const q = softmax(new array(order.map((i) => x[i] as number)));
        for (const [k, i] of order.entries()) sameProbability(q[k] as number, p[i] as number, `[${i}] at ${k}`);
      });
    });

    it("keeps the order: equal logits equal bits, 1/64 more strictly more", () => {
      check(grid, (x) => {
        const p = softmax(x);
        const l = logSoftmax(x);
        const order = Array.from(x, (_, i) => i).sort((i, j) => (x[i] as number) - (x[j] as number));
        for (let k = 1; k < order.length; k++) {
          const [i, j] = [order[k - 1] as number, order[k] as number];
          const [a, b] = [p[i] as number, p[j] as number];
          const inOrder =
            x[i] === x[j]
              ? a === b && l[i] === l[j]
              : (a < b || (a === b && b < tiny)) && (l[i] as number) < (l[j] as number);
          if (!inOrder) expect.fail(`${x[i]} → ${a}, ${l[i]}; ${x[j]} → ${b}, ${l[j]}`);
        }
      });
    });

    it("at temperature T is the softmax of the row over T", () => {
      check(grid, fc.integer({ min: -3, max: 6 }), (x, k) => {
        const p = softmax(x, { temperature: 2 ** k });
        const q = softmax(x.map((v: number) => v / 2 ** k));
        for (let i = 0; i < p.length; i++) sameProbability(p[i] as number, q[i] as number, `[${i}]`);
      });
    });
  });

  describe("logSoftmax and logSumExp", () => {
    it("exp of the log-probability is the probability", () => {
      check(row, (x) => {
        const p = softmax(x);
        const l = logSoftmax(x);
        l.forEach((v: number, i: number) => {
          const e = Math.exp(v);
          // 2 ULP of the exponent, the 5u of p, and the exponential of the engine
          const tolerance = (2 * ulp(v) * 1.001 + 5.001 * u + 2 * 2 ** -53) * e + 6 * least;
          near(p[i] as number, e, tolerance, `[${i}]`);
        });
      });
    });

    it("no log-probability is positive, and xᵢ − LSE it is", () => {
      check(row, (x) => {
        const [lse] = logSumExp(x) as unknown as [number];
        logSoftmax(x).forEach((v: number, i: number) => {
          if (!(v <= 0)) expect.fail(`${v}`);
          const xi = x[i] as number;
          const scale = Math.max(Math.abs(top(x)), Math.abs(lse));
          // 1 ULP of the LSE, 2 of the log-probability; in f64 the subtraction rounds too
          near(xi - lse, v, ulp(scale) + 2 * ulp(v) + (ulp64(v) + ulp64(xi)) / 2, `[${i}]`);
        });
      });
    });

    it("lies between the maximum and the maximum plus log n", () => {
      check(row, (x) => {
        const [lse] = logSumExp(x) as unknown as [number];
        const a = top(x);
        if (!(lse >= a)) expect.fail(`${lse} below the maximum ${a}`);
        const most = a + Math.log(x.length);
        if (!(lse <= most + ulp(Math.max(Math.abs(a), Math.abs(most)))))
          expect.fail(`${lse} above ${a} + log ${x.length}`);
      });
    });

    it("a whole weight counts an element as often", () => {
      check(
        fc.array(fc.tuple(number(50), fc.integer({ min: 0, max: 5 })), { minLength: 1, maxLength: 30 }),
        (pairs) => {
          const x = new array(pairs.map(([v]) => v));
          const weights = new array(pairs.map(([, w]) => w));
          const repeated = new array(pairs.flatMap(([v, w]) => new Array<number>(w).fill(v)));
          const [got] = logSumExp(x, { weights }) as unknown as [number];
          const [want] = logSumExp(repeated) as unknown as [number];
          near(got, want, 2 * ulp(Math.max(Math.abs(top(repeated)), Math.abs(want))), "LSE");
        },
      );
    });
  });

  describe("elementwise", () => {
    const at = (x: number) => new array([x]);
    const value = (f: (x: FloatArray) => FloatArray, x: number) => f(at(x))[0] as number;

    it("sigmoid(−x) = 1 − sigmoid(x)", () => {
      check(number(200), (x) => {
        const [p, q] = [value(sigmoid, x), value(sigmoid, -x)];
        near(p + q, 1, UNARY * (ulp(p) + ulp(q)) + 2 ** -53, `p + q at ${x}`);
      });
    });

    it("sigmoid is the softmax of [x, 0]", () => {
      check(number(60), (x) => {
        const [p] = softmax(new array([x, 0])) as unknown as [number];
        near(value(sigmoid, x), p, UNARY * ulp(p) + 5 * u * p + 5 * least, `at ${x}`);
      });
    });

    it("logit inverts sigmoid", () => {
      check(number(5), (x) => {
        const p = value(sigmoid, x);
        // logit′(p) = 1/(p(1 − p)) magnifies the rounding of p; above 5 little is left of 1 − p
        const tolerance = UNARY * (ulp(x) + (1.001 * ulp(p)) / (p * (1 - p)));
        near(value(logit, p), x, tolerance, `logit(${p})`);
      });
      check(fc.integer({ min: -80, max: -5 }), (x) => {
        const p = value(sigmoid, x);
        near(value(logit, p), x, UNARY * (ulp(x) + (1.001 * ulp(p)) / (p * (1 - p))), `logit(${p})`);
      });
    });

    it("softplus(x) − softplus(−x) = x", () => {
      check(number(1e3), (x) => {
        const [a, b] = [value(softplus, x), value(softplus, -x)];
        near(a - b, x, UNARY * (ulp(a) + ulp(b)) + ulp64(x), `at ${x}`);
      });
    });

    it("logSigmoid(x) = −softplus(−x) = log sigmoid(x)", () => {
      check(number(1e3), (x) => {
        const l = value(logSigmoid, x);
        near(l, -value(softplus, -x), 2 * UNARY * ulp(l), `at ${x}`);
        const p = value(sigmoid, x);
        if (p >= tiny) near(l, Math.log(p), UNARY * (ulp(l) + ulp(p) / p) * 1.001 + ulp64(l), `log of ${p}`);
      });
    });
  });
});
