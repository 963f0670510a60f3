/** What functions that iterate are told meanwhile, what they tell, and how far they came. */
import { describe, expect, it } from "vitest";
import { attempt, call, difference, raw, refusal } from "../support/calls.ts";
import type { Values } from "../support/contract.ts";
import { forEachType } from "../support/variants.ts";

forEachType((dtype) => {
  /** n masses to n others at costs without order: more than a few steps of any method. */
  const transport = (n: number): Values => {
    const cost = (k: number) => Math.abs(Math.sin(7 * Math.floor(k / n)) - Math.cos(3 * (k % n)));
    return { a: new Array(n).fill(1), b: new Array(n).fill(1), cost: Array.from({ length: n * n }, (_, k) => cost(k)) };
  };
  const iterative: [name: string, values: Values][] = [
    ["sinkhorn", { ...transport(50), epsilon: 0.05 }],
    ["sinkhornDivergence", { x: [0, 1, 5, 2], y: [2, 4, 3, 9], shape: [4, 1] }],
    ["sinkhornDivergenceWithGrad", { x: [0, 1, 5, 2], y: [2, 4, 3, 9], shape: [4, 1] }],
    ["emd", transport(200)],
    ["pairwiseDistance", { x: [0, 1, 5, 2], y: [2, 4, 3, 9], shape: [4, 1] }],
    ["nearest", { x: [0, 1, 5, 2], y: [2, 4, 3, 9], shape: [4, 1] }],
    ["nearest", { x: [1, 1, 5, 2], y: [2, 4, 3, 9], shape: [2, 2], metric: "js" }],
    ["kernelProduct", { x: [0, 1, 5, 2], y: [2, 4, 3, 9], v: [1, 2, 3, 4], shape: [4, 1] }],
    ["kernelDensity", { points: [0, 1, 5, 2], samples: [2, 4, 3, 9], shape: [4, 1] }],
  ];

  describe.each(iterative)("%s, called back", (name, values) => {
    const run = (changes: Values) => call(name, dtype, { ...values, ...changes });

    it("throws the reason that its signal was aborted with, before it begins", () => {
      const reason = new Error("no longer wanted");
      let told = 0;
      const progress = () => void told++;
      expect(attempt(() => run({ signal: raw(AbortSignal.abort(reason)), progress })).error).toBe(reason);
      expect(attempt(() => run({ signal: raw(AbortSignal.abort("a word")), progress })).error).toBe("a word");
      expect(told).toBe(0);
    });

    it("tells how it gets on, and ends where that aborts it", () => {
      const told: unknown[] = [];
      const wanted = run({});
      expect(difference(run({ progress: (one: unknown) => told.push(one) }), wanted)).toBe("");
      expect(told.length).toBeGreaterThan(0);
      expect(told.every((one) => typeof one === "object" && one !== null)).toBe(true);
      const controller = new AbortController();
      const reason = new Error("enough");
      const stopped = () => run({ progress: () => controller.abort(reason), signal: raw(controller.signal) });
      expect(attempt(stopped).error).toBe(reason);
      expect(difference(run({}), wanted)).toBe("");
    });

    it("passes on what the callback throws", () => {
      const reason = new Error("of the caller");
      const progress = () => {
        throw reason;
      };
      expect(attempt(() => run({ progress })).error).toBe(reason);
    });

    it("lets progress and the signal call the package", () => {
      const wanted = run({});
      const inside = () => {
        call("softmax", dtype);
        call("gram", dtype);
        call(name, dtype);
      };
      expect(difference(run({ progress: inside }), wanted)).toBe("");
      const { signal } = new AbortController();
      Object.defineProperty(signal, "aborted", {
        get: () => {
          inside();
          return false;
        },
      });
      expect(difference(run({ signal: raw(signal) }), wanted)).toBe("");
    });
  });

  it("sinkhornDivergence says how far it came", () => {
    const done = call("sinkhornDivergence", dtype) as Record<string, unknown>;
    expect(Object.keys(done).sort()).toEqual(["converged", "iterations", "marginalError", "value"]);
    expect(done).toMatchObject({ converged: true, iterations: expect.any(Number), marginalError: expect.any(Number) });
    expect(Number.isInteger(done["iterations"])).toBe(true);
    expect(done["marginalError"]).toBeLessThanOrEqual(1e-6);
    const cut = call("sinkhornDivergence", dtype, {
      x: [0, 1, 5, 2],
      y: [2, 4, 3, 9],
      shape: [4, 1],
      maxIterations: 1,
    });
    expect(cut).toMatchObject({ converged: false });
    expect((cut as Record<string, unknown>)["marginalError"]).toBeGreaterThan(1e-6);
    const same = call("sinkhornDivergence", dtype, { y: [0, 1] });
    expect(same).toMatchObject({ value: 0, converged: true });
  });

  it.each([
    ["sinkhorn", { epsilon: 0.05 }],
    ["emd", {}],
  ])("%s: masses of f32 sum up as f32 does", (name, options) => {
    const third = Math.fround(1 / 3);
    const masses = { a: [third, third, third], b: [1], cost: [1, 1, 1] };
    expect(call(name, dtype, { ...masses, ...options })).toMatchObject({ cost: expect.closeTo(1, 6) });
    const tenths = { a: new Array(10).fill(Math.fround(0.1)), b: [0.5, 0.5], cost: new Array(20).fill(2) };
    expect(call(name, dtype, { ...tenths, ...options })).toMatchObject({ cost: expect.closeTo(2, 6) });
    // what is not of rounding
    const says = [/"b"/, /sum|total/];
    expect(refusal(name, dtype, { ...masses, ...options, a: [0.33, 0.33, 0.33] }, RangeError, ...says)).toBe("");
  });
});
