import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { BOUNDS } from "../support/bounds.ts";
import { measure } from "../support/measure.ts";
import { openProbe, type Probe, relaxedSupported } from "../support/probe.ts";
import { scale } from "../support/ulp.ts";
import { UNARY, UNARY_NAMES, type UnaryName } from "../support/unary.ts";

const VARIANTS = relaxedSupported ? (["base", "relaxed"] as const) : (["base"] as const);
const ARRAYS = { f32: Float32Array, f64: Float64Array } as const;
const LARGEST = { f32: 2 ** 128 - 2 ** 104, f64: Number.MAX_VALUE } as const;
const TINY = { f32: 2 ** -149, f64: Number.MIN_VALUE } as const;
const NORMAL = { f32: 2 ** -126, f64: 2 ** -1022 } as const;

/** Arguments at which the result is exact or a special value, and that result. */
const SPECIALS: Record<UnaryName, (dtype: "f32" | "f64") => [x: number, y: number][]> = {
  exp: (dtype) => [
    [0, 1],
    [-0, 1],
    [TINY[dtype], 1],
    [-TINY[dtype], 1],
    [NORMAL[dtype], 1],
    [Infinity, Infinity],
    [-Infinity, 0],
    [NaN, NaN],
    [LARGEST[dtype], Infinity],
    [-LARGEST[dtype], 0],
    ...(dtype === "f32"
      ? ([
          [88.72283935546875, Infinity],
          [-103.97207641601562, TINY.f32],
          [-103.97208404541016, 0],
        ] as [number, number][])
      : ([
          [709.7827128933841, Infinity],
          [-745.1332191019411, TINY.f64],
          [-745.1332191019412, 0],
        ] as [number, number][])),
  ],
  expm1: (dtype) => [
    [0, 0],
    [-0, -0],
    [TINY[dtype], TINY[dtype]],
    [-TINY[dtype], -TINY[dtype]],
    [NORMAL[dtype], NORMAL[dtype]],
    [Infinity, Infinity],
    [-Infinity, -1],
    [NaN, NaN],
    [LARGEST[dtype], Infinity],
    [-LARGEST[dtype], -1],
    [-50, -1],
  ],
  log: (dtype) => [
    [1, 0],
    [0, -Infinity],
    [-0, -Infinity],
    [-1, NaN],
    [-TINY[dtype], NaN],
    [-Infinity, NaN],
    [Infinity, Infinity],
    [NaN, NaN],
  ],
  log1p: (dtype) => [
    [0, 0],
    [-0, -0],
    [TINY[dtype], TINY[dtype]],
    [-TINY[dtype], -TINY[dtype]],
    [NORMAL[dtype], NORMAL[dtype]],
    [-1, -Infinity],
    [-1.5, NaN],
    [-LARGEST[dtype], NaN],
    [-Infinity, NaN],
    [Infinity, Infinity],
    [NaN, NaN],
  ],
};

interface Fixture {
  readonly [name: string]: readonly (readonly [x: number, hi: number, lo: number, exponent: number])[];
}
const fixture = JSON.parse(readFileSync(new URL("../fixtures/unary.json", import.meta.url), "utf8")) as Fixture;

describe("the oracle of f64 against mpmath", () => {
  it.each(UNARY_NAMES)("%s is right to 2^-90", (name) => {
    for (const [x, hi, lo, exponent] of fixture[name]!) {
      const exact = UNARY[name].f64(x);
      const shift = exact.exponent - exponent;
      const error = Math.abs(scale(exact.hi, shift) - hi + (scale(exact.lo, shift) - lo));
      expect(error, `${name}(${x})`).toBeLessThan(2 ** -90);
    }
  });
});

describe.each(VARIANTS)("%s module", (variant) => {
  let probe: Probe;
  beforeAll(async () => {
    probe = await openProbe(variant);
  }, 60_000);

  describe.each(["f32", "f64"] as const)("%s", (dtype) => {
    it.each(UNARY_NAMES)("%s: specials, bit for bit, in every lane", (name) => {
      for (const [x, want] of SPECIALS[name](dtype)) {
        // beside ordinary neighbours, to see that no lane leaks into another
        for (let lane = 0; lane < 4; lane++) {
          const vector = new ARRAYS[dtype](4).fill(0.5);
          vector[lane] = x;
          expect(probe.apply(name, vector)[lane], `${name}(${x})`).toBe(want);
        }
      }
    });

    it.each(UNARY_NAMES)("%s: within its bound on a sample", (name) => {
      const stride = dtype === "f32" ? 2003 : 101;
      const { error, at, got, want } = measure(probe, { name, dtype, part: 0, parts: 1, stride });
      expect(error, `${name}(${at}) = ${got}, want ${want}`).toBeLessThanOrEqual(BOUNDS[name][dtype]);
    });
  });
});
