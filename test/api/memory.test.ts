/** Linear memory: bounded whatever the input, and not a page more after many residents. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Resident } from "../../src/index.ts";
import { info } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import type { Name } from "../support/variants.ts";
import { elementwise, family, forEachType, forEachVariant, names, resident, rowwise } from "../support/variants.ts";

const MiB = 2 ** 20;
const memory = () => info().memoryBytes;

describe("a large input", () => {
  forEachType((dtype) => {
    const { array } = dtype;
    const bytes = 32 * MiB;
    const n = bytes / array.BYTES_PER_ELEMENT;
    let x: InstanceType<typeof array>;
    let out: typeof x;
    beforeAll(() => {
      x = pseudorandom(dtype, 1, n, 16);
      out = new array(n);
    });
    const shapes: [string, object][] = [
      ["one row", {}],
      ["rows of 4096", { shape: [n / 4096, 4096] }],
      ["columns", { shape: [1024, n / 1024], axis: 0 }],
      ["two columns", { shape: [n / 2, 2], axis: 0 }],
    ];
    const calls: [Name, string, object][] = [
      ...rowwise.flatMap((name) => shapes.map(([what, options]): [Name, string, object] => [name, what, options])),
      ...elementwise.map((name): [Name, string, object] => [name, "elementwise", {}]),
    ];
    it.each(calls)("%s, %s: 32 MiB pass through 4", (name, _, options) => {
      family[name](x, { ...options, ...(name !== "logSumExp" && { out }) });
      expect(memory()).toBeLessThanOrEqual(4 * MiB);
    });
    it("weights too", () => {
      family.logSumExp(x, { weights: x });
      expect(memory()).toBeLessThanOrEqual(4 * MiB);
    });
  });
});

forEachVariant(() => {
  it("10⁵ calls, failing ones among them, do not grow it", () => {
    const x = new Float32Array(500).fill(0.5);
    const y = new Float64Array(500).fill(0.5);
    const calls: (() => unknown)[] = [
      ...names.flatMap((name) => [() => family[name](x), () => family[name](y), () => family[name]([0.25, 0.5])]),
      ...rowwise.map((name) => () => family[name](x, { shape: [5, 100], axis: 0 })),
      () => family.logSumExp(x, { weights: x }),
    ];
    const failing: (() => unknown)[] = [
      () => family.softmax(x, { shape: [3, 4] }),
      () => family.softmax(x, { out: y }),
      () => family.softmax(x, { temperature: 0 }),
      () => family.logSumExp(x, { weights: y }),
      () => family.logSumExp(y, { axis: 3 }),
      () => family.sigmoid("no"),
      () => resident("f32", 2 ** 40),
      () => resident("f32", -1),
    ];
    for (const call of calls) call();
    for (const call of failing) expect(call).toThrow();
    const before = memory();
    let thrown = 0;
    for (let i = 0; i < 1e5; i++) {
      try {
        (i % 3 ? calls[i % calls.length] : failing[i % failing.length])?.();
      } catch {
        thrown++;
      }
    }
    expect(thrown).toBe(Math.ceil(1e5 / 3));
    expect(memory()).toBe(before);
    expect(family.softmax([0, 0])).toEqual(new Float64Array([0.5, 0.5]));
  });

  it("10⁴ residents allocated and disposed do not grow it", () => {
    const lengths = [1, 3, 1000, 16_384, 100_000, 7];
    const cycle = (i: number) => {
      const r = resident(i % 2 ? "f32" : "f64", lengths[i % lengths.length] as number);
      r.set([i]);
      r.dispose();
    };
    for (let i = 0; i < lengths.length * 2; i++) cycle(i);
    const before = memory();
    for (let i = 0; i < 1e4; i++) cycle(i);
    expect(memory()).toBe(before);
  });

  it.each(["first in, first out", "last in, first out", "every other one, then the rest"])(
    "many residents at a time, disposed %s, leave room for as many",
    (order) => {
      const round = () => {
        const all: Resident[] = Array.from({ length: 100 }, (_, i) => resident("f32", 4096 + 64 * (i % 5)));
        if (order.startsWith("last")) all.reverse();
        if (order.startsWith("every")) all.sort((a, b) => (all.indexOf(a) % 2) - (all.indexOf(b) % 2));
        for (const r of all) r.dispose();
      };
      round();
      const before = memory();
      for (let i = 0; i < 50; i++) round();
      expect(memory()).toBe(before);
    },
  );

  it("the room of small residents serves a large one: free neighbours are joined", () => {
    const small = Array.from({ length: 64 }, () => resident("f32", 16_384));
    const before = memory();
    for (const r of small) r.dispose();
    const large = resident("f32", 60 * 16_384);
    expect(memory()).toBe(before);
    large.dispose();
  });

  it("a failed call with residents leaves them as they were", () => {
    const r = resident("f32", 3);
    r.set([1, 2, 3]);
    expect(() => family.softmax(r, { shape: [7] })).toThrow(RangeError);
    expect(() => family.softmax(r, { out: new Float32Array(2) })).toThrow(RangeError);
    expect(r.array).toEqual(new Float32Array([1, 2, 3]));
    r.dispose();
  });
});
