/** Special rows, options, defaults and errors of the softmax family: "What bad input gets" of the contract. */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import * as surprisal from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import type { DType, FloatArray, Name } from "../support/variants.ts";
import {
  elementwise,
  f32,
  f64,
  family,
  firstDifference,
  forEachType,
  forEachVariant,
  hasRelaxed,
  names,
  rowwise,
  variants,
} from "../support/variants.ts";

const { softmax, logSoftmax, logSumExp } = family;

describe("without any set-up call", () => {
  it("the first call works", () => {
    expect(softmax([0, 0])).toEqual(new Float64Array([0.5, 0.5]));
    expect(variants).toContain(surprisal.info().variant);
  });
});

// ------------------------------------------------------------------------------------------ special rows

type Make = (dtype: DType, n: number) => FloatArray;
function fill(value: number): Make {
  return (dtype, n) => new dtype.array(n).fill(value);
}
const normal: Make = (dtype, n) => pseudorandom(dtype, n, n, 8);

/** [what the row holds, the row, the result of each function; "zero" is softmax with allMasked: "zero"] */
const specials: [string, Make, Record<string, number>][] = [
  ["all −∞", fill(-Infinity), { softmax: NaN, zero: 0, logSoftmax: NaN, logSumExp: -Infinity }],
];
for (const [place, at] of [
  ["first", () => 0],
  ["in the middle", (n: number) => n >> 1],
  ["last", (n: number) => n - 1],
] as const) {
  const set =
    (base: Make, value: number): Make =>
    (dtype, n) => {
      const row = base(dtype, n);
      row[at(n)] = value;
      return row;
    };
  const poisoned = { softmax: NaN, zero: NaN, logSoftmax: NaN, logSumExp: NaN };
  const infinite = { ...poisoned, logSumExp: Infinity };
  specials.push(
    [`+∞ ${place}`, set(normal, Infinity), infinite],
    [`+∞ ${place}, the others −∞`, set(fill(-Infinity), Infinity), infinite],
    [`NaN ${place}`, set(normal, NaN), poisoned],
    [`NaN ${place}, the others −∞`, set(fill(-Infinity), NaN), poisoned],
    [`NaN ${place}, the others +∞`, set(fill(Infinity), NaN), poisoned],
  );
}

/** Five rows of n, the third of them special: along the last axis or down the columns. */
const ROWS = 5;
const SPECIAL = 2;
const layouts = {
  rows: (n: number) => ({ shape: [ROWS, n], axis: 1, index: (r: number, i: number) => r * n + i }),
  columns: (n: number) => ({ shape: [n, ROWS], axis: 0, index: (r: number, i: number) => i * ROWS + r }),
};

forEachType((dtype) => {
  const { array, max } = dtype;

  describe.each(Object.entries(layouts))("special rows, %s", (_, layout) => {
    it.each(specials)("%s", (_name, make, expected) => {
      for (const n of [1, 2, 3, 5, 16, 40, 3000]) {
        const { shape, axis, index } = layout(n);
        const plain = pseudorandom(dtype, 1, ROWS * n, 8);
        const x = plain.slice();
        const row = make(dtype, n);
        for (let i = 0; i < n; i++) x[index(SPECIAL, i)] = row[i] as number;
        for (const [key, want] of Object.entries(expected)) {
          const name = (key === "zero" ? "softmax" : key) as Name;
          const options = { shape, axis, ...(key === "zero" && { allMasked: "zero" }) };
          const got = family[name](x, options);
          const before = family[name](plain, options);
          const wanted = before.slice();
          if (name === "logSumExp") wanted[SPECIAL] = want as number;
          else for (let i = 0; i < n; i++) wanted[index(SPECIAL, i)] = want as number;
          expect(firstDifference(got, wanted), `${key}, n = ${n}`).toBe("");
        }
      }
    });

    it("one finite element, wherever it is in the row, takes all of it", () => {
      for (const n of [1, 2, 7, 16, 100, 5000, 70000])
        for (const at of new Set([0, 1, n >> 1, n - 2, n - 1].filter((i) => i >= 0 && i < n))) {
          const { shape, axis, index } = layout(n);
          const x = new array(ROWS * n).fill(-Infinity);
          const one = new array(ROWS * n);
          for (let r = 0; r < ROWS; r++) {
            x[index(r, at)] = r - 2.5;
            one[index(r, at)] = 1;
          }
          const zeroOrMasked = one.map((v: number) => (v ? 0 : -Infinity));
          const where = `n = ${n}, at ${at}`;
          expect(firstDifference(softmax(x, { shape, axis }), one), where).toBe("");
          expect(differs(logSoftmax(x, { shape, axis }), zeroOrMasked), where).toBe("");
          const evidence = logSumExp(x, { shape, axis });
          expect(firstDifference(evidence, new array([-2.5, -1.5, -0.5, 0.5, 1.5])), where).toBe("");
        }
    });

    it("finite extremes do not overflow", () => {
      for (const n of [2, 5, 40, 3000]) {
        const { shape, axis, index } = layout(n);
        const x = new array(ROWS * n).fill(-max);
        const p = new array(ROWS * n);
        for (let r = 0; r < ROWS; r++) {
          x[index(r, 1)] = max;
          p[index(r, 1)] = 1;
        }
        expect(firstDifference(softmax(x, { shape, axis }), p)).toBe("");
        expect(
          differs(
            logSoftmax(x, { shape, axis }),
            p.map((v: number) => (v ? 0 : -Infinity)),
          ),
        ).toBe("");
        expect(firstDifference(logSumExp(x, { shape, axis }), new array(ROWS).fill(max))).toBe("");
      }
    });
  });

  it("a row of one element: 1, 0 and the element itself", () => {
    const x = new array([-max, -3.3, -0, 0, 1e-30, 7, max]);
    const shape = [7, 1];
    expect(softmax(x, { shape })).toEqual(new array(7).fill(1));
    expect(differs(logSoftmax(x, { shape }), new array(7))).toBe("");
    expect(differs(logSumExp(x, { shape }), x)).toBe("");
  });

  it("the elementwise functions at their limits", () => {
    const { tiny } = dtype;
    const table: [Name, [number, number][]][] = [
      [
        "sigmoid",
        [
          [-Infinity, 0],
          [-max, 0],
          [-0, 0.5],
          [0, 0.5],
          [tiny, 0.5],
          [max, 1],
          [Infinity, 1],
          [NaN, NaN],
        ],
      ],
      [
        "logSigmoid",
        [
          [-Infinity, -Infinity],
          [-max, -max],
          [max, 0],
          [Infinity, 0],
          [NaN, NaN],
        ],
      ],
      [
        "softplus",
        [
          [-Infinity, 0],
          [-max, 0],
          [max, max],
          [Infinity, Infinity],
          [NaN, NaN],
        ],
      ],
      [
        "logit",
        [
          [0, -Infinity],
          [-0, -Infinity],
          [1, Infinity],
          [0.5, 0],
          [-tiny, NaN],
          [1.5, NaN],
          [-Infinity, NaN],
          [Infinity, NaN],
          [NaN, NaN],
        ],
      ],
    ];
    for (const [name, points] of table) {
      // alone, and where the lanes around it are special too
      for (const [x, y] of points)
        expect(differs(family[name](new array([x])), new array([y])), `${name}(${x})`).toBe("");
      const x = new array(points.map(([v]) => v));
      expect(differs(family[name](x), new array(points.map(([, v]) => v))), name).toBe("");
    }
  });

  // ------------------------------------------------------------------------------------------- options

  describe("temperature divides the logits", () => {
    const x = [1, 3, 3, -2];
    const sharp = [0, 0.5, 0.5, 0];
    const flat = [0.25, 0.25, 0.25, 0.25];
    // both within 5u of the truth, and 0 exactly where that is 0
    const same = (got: FloatArray, wanted: ArrayLike<number>, what: string) => {
      for (let i = 0; i < got.length; i++)
        if (!(Math.abs((got[i] as number) - (wanted[i] as number)) <= 10 * dtype.unit * (wanted[i] as number)))
          expect.fail(`${what} [${i}]: ${got[i]}, wanted ${wanted[i]}`);
    };
    const extremes: [number, number[]][] = [
      [1e-30, sharp],
      [1e30, flat],
      [1e300, flat],
      [Number.MAX_VALUE, flat],
    ];
    it.each(extremes)("T = %d", (temperature, p) => {
      const got = softmax(new array(x), { temperature });
      same(got, p, "softmax");
      const l = logSoftmax(new array(x), { temperature });
      expect(l).toHaveLength(4);
      for (let i = 0; i < 4; i++) {
        const want = p[i] ? Math.log(p[i] as number) : ((x[i] as number) - 3) / temperature - Math.log(2);
        const [log, limit] = [l[i] as number, new array([want])[0] as number];
        if (log !== limit && !(Math.abs(log - limit) <= 4 * dtype.unit * Math.abs(limit)))
          expect.fail(`logSoftmax [${i}]: ${log}, wanted ${limit}`);
      }
    });

    it("keeps its accuracy where the logits are of its order, from 10⁻³⁰ to 10³⁰", () => {
      const found: string[] = [];
      for (let k = -30; k <= 30; k++) {
        const temperature = 10 ** k;
        const logits = new array([1, 0.6, 0.3, -0.2].map((v) => v * temperature));
        const z = Array.from(logits, (v) => (v - (logits[0] as number)) / temperature);
        const sum = z.reduce((total, v) => total + Math.exp(v), 0);
        const p = softmax(logits, { temperature });
        for (const [i, v] of z.entries()) {
          // 5u, and the rounding of z; in f64 that of the reference as well
          const bound = (5 - v) * dtype.unit + (5 - v) * 2 ** -53;
          const error = Math.abs((p[i] as number) / (Math.exp(v) / sum) - 1);
          if (!(error <= bound)) found.push(`T = 1e${k} [${i}]: ${error / dtype.unit} u`);
        }
      }
      expect(found).toEqual([]);
    });

    it("T = 2 halves them, and an overflow of z/T is no NaN", () => {
      const halved = new array(x.map((v) => v / 2));
      same(softmax(new array(x), { temperature: 2 }), softmax(halved), "T = 2");
      same(softmax(new array([max, max, -max, 0]), { temperature: 0.5 }), [0.5, 0.5, 0, 0], "T = ½");
    });

    it("rows whose quotients overflow, at any T: differences are taken first", () => {
      const rows = [max, max / 2, -max, max, 1e20, 1e20, -Infinity, 0, 1, -1, 1, 2];
      const p = [0.5, 0, 0, 0.5, 0.5, 0.5, 0, 0, 0, 0, 0, 1];
      for (const temperature of [1e-9, 1e-30, 1e-300, Number.MIN_VALUE]) {
        for (const [shape, axis, turned] of [
          [[3, 4], 1, false],
          [[4, 3], 0, true],
        ] as const) {
          const order = (i: number) => (turned ? (i % 3) * 4 + Math.floor(i / 3) : i);
          const x = new array(rows.map((_, i) => rows[order(i)] as number));
          const want = p.map((_, i) => p[order(i)] as number);
          same(softmax(x, { temperature, shape, axis }), want, `T = ${temperature}`);
          const logs = logSoftmax(x, { temperature, shape, axis });
          const half = -Math.fround(Math.LN2);
          want.forEach((v, i) => {
            const log = logs[i] as number;
            if (v === 1) expect(log).toBe(0);
            else if (v === 0.5) expect(Math.fround(log)).toBe(half);
            else expect(log).toBeLessThan(-1e8);
          });
        }
      }
      expect(softmax(new array([NaN, 1e20]), { temperature: 1e-300 })).toEqual(new array([NaN, NaN]));
      expect(softmax(new array([Infinity, 1e20]), { temperature: 1e-300 })).toEqual(new array([NaN, NaN]));
    });
  });

  it("allMasked applies to wholly masked rows alone", () => {
    const M = -Infinity;
    const x = new array([M, M, 0, M, M, M, NaN, M]);
    const shape = [4, 2];
    expect(softmax(x, { shape, allMasked: "nan" })).toEqual(new array([NaN, NaN, 1, 0, NaN, NaN, NaN, NaN]));
    expect(softmax(x, { shape, allMasked: "zero" })).toEqual(new array([0, 0, 1, 0, 0, 0, NaN, NaN]));
    // the logarithm of those zeros
    expect(differs(logSoftmax(x, { shape, allMasked: "zero" }), new array([M, M, 0, M, M, M, NaN, NaN]))).toBe("");
    for (const f of [softmax, logSoftmax])
      expect(differs(f(x, { shape: [2, 4], axis: 0, allMasked: "zero" }), f(x, { shape: [2, 4], axis: 0 }))).not.toBe(
        "",
      );
  });

  describe("weights are SciPy's b", () => {
    const M = -Infinity;
    const cases: [string, number[], number[], number][] = [
      ["a zero weight removes its element", [9, 1], [0, 1], 1],
      ["a zero weight removes +∞ and NaN", [Infinity, NaN, 1], [0, 0, 1], 1],
      ["all weights zero", [1, 2], [0, 0], M],
      ["zero weight beside −∞ only", [1, M], [0, 1], M],
      ["exact cancellation", [2, 2], [1, -1], M],
      ["negative sum", [1, 1], [1, -2], NaN],
      ["NaN", [1, NaN], [1, -2], NaN],
      ["NaN weight", [1, 1], [1, NaN], NaN],
      ["+∞ with a positive weight", [Infinity, 1], [0.5, -1], Infinity],
      ["+∞ with a negative weight", [Infinity, 1], [-0.5, 1], NaN],
      ["+∞ of both signs", [Infinity, Infinity], [1, -1], NaN],
      ["−∞ with a negative weight", [M, 1], [-5, 1], 1],
      ["empty", [], [], M],
    ];
    it.each(cases)("%s", (_, x, w, want) => {
      for (const n of [1, 3, 700]) {
        const wanted = new array(n).fill(want);
        // n equal rows, then n equal columns
        const repeat = (a: number[]) => new array(Array.from({ length: n }, () => a).flat());
        const rows = logSumExp(repeat(x), { shape: [n, x.length], weights: repeat(w) });
        expect(differs(rows, wanted), `${n} rows`).toBe("");
        const stretch = (a: number[]) => new array(a.flatMap((v) => Array.from({ length: n }, () => v)));
        const columns = logSumExp(stretch(x), { shape: [x.length, n], axis: 0, weights: stretch(w) });
        expect(differs(columns, wanted), `${n} columns`).toBe("");
      }
    });
  });

  it("defaults", () => {
    const x = pseudorandom(dtype, 3, 12, 8);
    const given = { shape: [12], axis: -1 };
    for (const f of [softmax, logSoftmax]) expect(f(x)).toEqual(f(x, { ...given, temperature: 1, allMasked: "nan" }));
    expect(logSumExp(x)).toEqual(logSumExp(x, given));
    for (const name of names) {
      expect(family[name](x, {}), name).toEqual(family[name](x));
      const none = {
        shape: undefined,
        axis: undefined,
        temperature: undefined,
        allMasked: undefined,
        weights: undefined,
        out: undefined,
      };
      expect(family[name](x, none), name).toEqual(family[name](x));
    }
    const tensor = { data: x, shape: [3, 4] };
    for (const name of rowwise) {
      expect(family[name](tensor)).toEqual(family[name](x, { shape: [3, 4] }));
      expect(family[name](tensor, { axis: -1 })).toEqual(family[name](tensor, { axis: 1 }));
      expect(family[name](tensor, { axis: -2 })).toEqual(family[name](tensor, { axis: 0 }));
      // an option outranks the tensor's own shape
      expect(family[name](tensor, { shape: [12] })).toEqual(family[name](x));
    }
  });

  it("results are typed and shaped by the input", () => {
    const x = new array(12).fill(0.25);
    for (const name of elementwise) expect(family[name]({ data: x, shape: [3, 4] })).toHaveLength(12);
    for (const [shape, axis, rows] of [
      [[12], 0, 1],
      [[3, 4], 1, 3],
      [[3, 4], 0, 4],
      [[2, 3, 2], 1, 4],
      [[1, 12, 1], 1, 1],
    ] as const) {
      expect(logSumExp(x, { shape, axis }), `${shape} axis ${axis}`).toHaveLength(rows);
      expect(softmax(x, { shape, axis })).toHaveLength(12);
    }
    for (const name of names) {
      expect(family[name](x), name).toBeInstanceOf(dtype.array);
      expect(family[name]([0.5, 0.25]), name).toBeInstanceOf(Float64Array);
    }
  });

  // -------------------------------------------------------------------------------------------- errors

  const other = dtype === f32 ? f64 : f32;
  const x10 = () => new array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const shaped = ["softmax", "logSoftmax", "logSumExp"] as const;
  const tempered = ["softmax", "logSoftmax"] as const;
  const weighed = ["logSumExp"] as const;
  /** Which functions, the input (none: x10), options, class, then what the message names: argument, expected, got. */
  type Fault = [readonly Name[], unknown, unknown, ErrorConstructor, RegExp, RegExp, RegExp];
  const argument = /"?\b(x|p|input)\b"?/;
  const kinds = /array|Float32Array|Float64Array|tensor/i;
  const badInput = (value: unknown, got: RegExp): Fault => [names, value, {}, TypeError, argument, kinds, got];
  const badShape = (shape: unknown, kind: ErrorConstructor, expected: RegExp, got: RegExp): Fault => [
    shaped,
    x10(),
    { shape },
    kind,
    /shape/,
    expected,
    got,
  ];
  const badAxis = (axis: unknown, kind: ErrorConstructor, got: RegExp): Fault => [
    shaped,
    x10(),
    { shape: [2, 5], axis },
    kind,
    /axis/,
    /integer|-2|dimension|between/i,
    got,
  ];
  const badTemperature = (temperature: unknown, kind: ErrorConstructor, got: RegExp): Fault => [
    tempered,
    x10(),
    { temperature },
    kind,
    /temperature/,
    /positive|> 0|number/i,
    got,
  ];
  const badOut = (fns: readonly Name[], out: unknown, kind: ErrorConstructor, expected: RegExp, got: RegExp): Fault => [
    fns,
    x10().map((v: number) => v / 11),
    { out },
    kind,
    /out/,
    expected,
    got,
  ];
  const badWeights = (weights: unknown, kind: ErrorConstructor, expected: RegExp, got: RegExp): Fault => [
    weighed,
    x10(),
    { weights },
    kind,
    /weights/,
    expected,
    got,
  ];
  const whole = names.filter((name) => name !== "logSumExp");

  const faults: Fault[] = [
    badInput(undefined, /undefined/),
    badInput(null, /null/),
    badInput(3, /3|number/),
    badInput("1,2", /string|1,2/),
    badInput(new Int32Array(10), /Int32Array/),
    badInput(new BigInt64Array(10), /BigInt64Array/),
    badInput(new ArrayBuffer(40), /ArrayBuffer/),
    badInput(new DataView(new ArrayBuffer(40)), /DataView/),
    badInput({}, /object/i),
    badInput({ shape: [2] }, /object|undefined/i),
    badInput({ data: new Int32Array(2), shape: [2] }, /Int32Array/),
    badInput({ data: new BigInt64Array(2), dims: [2] }, /BigInt64Array/),
    ...[3, "axis", true].map(
      (options): Fault => [
        names,
        x10(),
        options,
        TypeError,
        /options/,
        /object/,
        new RegExp(`${options}|${typeof options}`),
      ],
    ),
    badShape([3, 4], RangeError, /12/, /\b10\b/),
    badShape([], RangeError, /\b1\b/, /\b10\b/),
    badShape([-2, -5], RangeError, /integer|negative|≥ 0|>= 0/i, /-2/),
    badShape([-1, 10], RangeError, /integer|negative|≥ 0|>= 0/i, /-1/),
    badShape([2.5, 4], RangeError, /integer/i, /2\.5/),
    badShape([Number.NaN], RangeError, /integer/i, /NaN/),
    badShape([Infinity, 0], RangeError, /integer/i, /Infinity/),
    badShape(["2", 5], TypeError, /number|integer/i, /2|string/),
    badShape(10, TypeError, /array/i, /10|number/),
    badShape("10", TypeError, /array/i, /10|string/),
    [shaped, { data: x10(), shape: [3, 4] }, {}, RangeError, /shape/, /12/, /\b10\b/],
    [shaped, { data: x10(), dims: [11] }, {}, RangeError, /shape|dims/, /11/, /\b10\b/],
    badAxis(2, RangeError, /2/),
    badAxis(-3, RangeError, /-3/),
    badAxis(0.5, RangeError, /0\.5/),
    badAxis(Number.NaN, RangeError, /NaN/),
    badAxis(Infinity, RangeError, /Infinity/),
    badAxis("0", TypeError, /0|string/),
    badTemperature(0, RangeError, /got.*0/),
    badTemperature(-1, RangeError, /-1/),
    badTemperature(Number.NaN, RangeError, /NaN/),
    badTemperature(Infinity, RangeError, /Infinity/),
    badTemperature("2", TypeError, /2|string/),
    badTemperature(true, TypeError, /true|boolean/),
    [tempered, x10(), { allMasked: "zeros" }, RangeError, /allMasked/, /nan.*zero/, /zeros/],
    [tempered, x10(), { allMasked: 0 }, TypeError, /allMasked/, /nan.*zero/, /0|number/],
    badOut(names, new other.array(10), TypeError, new RegExp(array.name), new RegExp(other.array.name)),
    badOut(names, new Int32Array(10), TypeError, new RegExp(array.name), /Int32Array/),
    badOut(names, Array.from(x10()), TypeError, new RegExp(array.name), /array/i),
    badOut(names, 10, TypeError, new RegExp(array.name), /10|number/),
    badOut(whole, new array(9).fill(7), RangeError, /10/, /9/),
    badOut(whole, new array(11).fill(7), RangeError, /10/, /11/),
    badOut(whole, new array(0), RangeError, /10/, /\b0\b/),
    badOut(weighed, new array(10).fill(7), RangeError, /\b1\b/, /10/),
    badWeights(new array(7), RangeError, /10/, /7/),
    badWeights(new array(0), RangeError, /10/, /\b0\b/),
    badWeights(new other.array(10), TypeError, new RegExp(array.name), new RegExp(other.array.name)),
    badWeights(new Int32Array(10), TypeError, new RegExp(array.name), /Int32Array/),
    badWeights(2, TypeError, kinds, /2|number/),
  ];

  it.each(
    faults.flatMap(([fns, ...rest]) =>
      fns.map((name) => [name, describeValue(rest[0]), describeValue(rest[1]), rest] as const),
    ),
  )("%s of %s with %s throws", (name, _x, _options, [x, options, kind, argumentName, expected, got]) => {
    const given = (options as { out?: unknown } | undefined)?.out;
    const out = given ?? new array(name === "logSumExp" ? 1 : 10).fill(7);
    const before = describeValue(out);
    const call = () => family[name](x, typeof options === "object" ? { out, ...options } : options);
    let error: unknown;
    try {
      call();
    } catch (e) {
      error = e;
    }
    expect(error, "it returned").toBeInstanceOf(Error);
    const { message } = error as Error;
    expect(error, message).toBeInstanceOf(kind);
    expect(message).toMatch(new RegExp(`^${name}: `));
    const rest = message.slice(name.length + 2);
    for (const part of [argumentName, expected, got]) expect(rest).toMatch(part);
    expect(describeValue(out), "out was written").toBe(before);
    expect(softmax(new array([0, 0]))).toEqual(new array([0.5, 0.5]));
  });
});

// -------------------------------------------------------------------------------------- init and info

describe("init and info", () => {
  afterAll(() => surprisal.initSync());

  it("info names the variant, the memory and the package's version", () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    for (const variant of variants) {
      surprisal.initSync({ variant });
      softmax([1, 2]);
      const info = surprisal.info();
      expect(info).toMatchObject({ variant, version });
      expect(info.memoryBytes).toBeGreaterThan(0);
      expect(info.memoryBytes % 65536).toBe(0);
    }
  });

  it("auto takes relaxed where it can, and switching back and forth works", async () => {
    const best = hasRelaxed ? "relaxed" : "base";
    for (const set of [surprisal.initSync, surprisal.init]) {
      for (const variant of [...variants, "auto", ...variants, undefined] as const) {
        await set(variant === undefined ? undefined : { variant });
        expect(surprisal.info().variant).toBe(variant === "auto" || variant === undefined ? best : variant);
        expect(softmax([0, 0])).toEqual(new Float64Array([0.5, 0.5]));
      }
    }
    expect(surprisal.init()).toBeInstanceOf(Promise);
  });

  it.runIf(!hasRelaxed)("relaxed where the engine has none is an error that says so", async () => {
    surprisal.initSync({ variant: "base" });
    expect(() => surprisal.initSync({ variant: "relaxed" })).toThrow(/initSync: .*relaxed/);
    await expect(surprisal.init({ variant: "relaxed" })).rejects.toThrow(/init: .*relaxed/);
    expect(surprisal.info().variant).toBe("base");
    expect(softmax([0, 0])).toEqual(new Float64Array([0.5, 0.5]));
  });

  const fileOf = (name: string): Buffer => readFileSync(new URL(`../../build/wasm/${name}.wasm`, import.meta.url));

  it("takes modules instead of the embedded ones, in every form", async () => {
    const bytes = fileOf("losses.base");
    const { buffer } = Uint8Array.from(bytes);
    const module = new WebAssembly.Module(buffer);
    const response = () => new Response(buffer, { headers: { "content-type": "application/wasm" } });
    const sources = [bytes, buffer, module];
    const softmaxModule = fileOf("softmax.base");
    const works = () => {
      expect(surprisal.info().variant).toBe("base");
      expect(softmax([0, 0])).toEqual(new Float64Array([0.5, 0.5]));
      expect(surprisal.sigmoid([0])).toEqual(new Float64Array([0.5]));
    };
    for (const losses of sources) {
      surprisal.initSync({ modules: { losses, softmax: softmaxModule, gram: undefined } });
      works();
    }
    for (const losses of [
      ...sources,
      response(),
      Promise.resolve(response()),
      Promise.resolve(module),
      Promise.resolve(buffer),
    ]) {
      await surprisal.init({ modules: { losses, softmax: softmaxModule } });
      works();
    }
    const missing = new Response("<h1>no such file</h1>", { status: 404 });
    await expect(surprisal.init({ modules: { losses: missing } })).rejects.toThrow(/"modules.losses".* status 404/);
    works();
    surprisal.initSync({ modules: {} });
    expect(surprisal.info().variant).toBe(hasRelaxed ? "relaxed" : "base");
    // an asked-for variant that the module is not
    if (hasRelaxed) {
      const relaxed = () => surprisal.initSync({ variant: "relaxed", modules: { losses: module } });
      expect(relaxed).toThrow(/initSync: "modules.losses" holds the base kernels, but "variant" is "relaxed"/);
      const mixed = () => surprisal.initSync({ modules: { losses: module, gram: fileOf("gram.relaxed") } });
      expect(mixed).toThrow(
        /initSync: "modules.(gram|losses)" holds the (\w+) kernels, but "modules.\w+" the (?!\2)\w+ ones/,
      );
    }
  });

  it("a module that is of another family, or none of them, is refused before it sees memory", () => {
    const gram = fileOf("gram.base");
    const call = () => surprisal.initSync({ modules: { softmax: gram } });
    expect(call).toThrow(TypeError);
    expect(call).toThrow(
      'initSync: "modules.softmax" must be surprisal\'s own softmax.base.wasm or softmax.relaxed.wasm, got gram.base.wasm',
    );
    const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
    const another = () => surprisal.initSync({ modules: { softmax: new WebAssembly.Module(empty) } });
    expect(another).toThrow(/^initSync: "modules.softmax" must be surprisal's own .*, got a WebAssembly.Module$/);
    expect(softmax([0, 0])).toEqual(new Float64Array([0.5, 0.5]));
  });

  const wrong: [object, ErrorConstructor, RegExp][] = [
    [{ variant: "fast" }, RangeError, /variant.*fast/],
    [{ variant: 1 }, TypeError, /variant.*(1|number)/],
    [{ modules: 1 }, TypeError, /"modules" must be an object, got 1/],
    [{ modules: [new Uint8Array(8)] }, TypeError, /"modules" must be an object, got an array/],
    [{ modules: { softmax: 1 } }, TypeError, /"modules.softmax" must be .*got 1/],
    [{ modules: { softmax: null } }, TypeError, /"modules.softmax" must be .*got null/],
    [{ modules: { divergances: 1 } }, TypeError, /"modules".*"divergances", did you mean "divergence"\?/],
    [{ modules: { fft: 1 } }, TypeError, /"modules".*"fft"; it takes .*softmax.*transport/],
    [
      { modules: { softmax: new Uint8Array([1, 2, 3]) } },
      Error,
      /the module "modules.softmax" could not be instantiated/,
    ],
    [{ module: new Uint8Array(8) }, TypeError, /unknown option "module", did you mean "modules"\?/],
  ];
  it.each(wrong.map((row) => [describeValue(row[0]), ...row] as const))(
    "%s throws",
    async (_, options, kind, message) => {
      const call = () => surprisal.initSync(options as never);
      expect(call).toThrow(kind);
      expect(call).toThrow(message);
      const promise = surprisal.init(options as never);
      await expect(promise).rejects.toThrow(message);
      await expect(promise).rejects.toThrow(kind);
      expect(softmax([0, 0])).toEqual(new Float64Array([0.5, 0.5]));
    },
  );

  it("a promise is for init, not initSync", () => {
    expect(() => surprisal.initSync({ modules: { softmax: Promise.resolve() } } as never)).toThrow(TypeError);
  });
});

forEachVariant(() => {
  it("the types say what comes back", () => {
    const single: Float32Array = surprisal.softmax(new Float32Array([0, 0]));
    const double: Float64Array = surprisal.logSoftmax([0, 0]);
    const tensor: Float32Array = surprisal.logSumExp({ data: new Float32Array(2), dims: [1, 2] });
    const out: Float64Array = surprisal.softplus(new Float64Array(1), { out: new Float64Array(1) });
    expect([single, double, tensor, out].map((a) => a.length)).toEqual([2, 2, 1, 1]);
  });
});

/** The first place where numbers differ, −0 being 0; "" if nowhere. */
function differs(got: FloatArray, wanted: FloatArray): string {
  const plain = (a: FloatArray) => a.map((v: number) => v + 0);
  return firstDifference(plain(got), plain(wanted));
}

/** A value as a test's title or a message shows it: its constructor and contents. */
function describeValue(value: unknown): string {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return `${value.constructor.name}(${value})`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? String(value);
  if (Object.getPrototypeOf(value) !== Object.prototype && !Array.isArray(value)) return value.constructor.name;
  const show = (v: unknown) =>
    typeof v === "object" ? describeValue(v) : typeof v === "string" ? `"${v}"` : String(v);
  if (Array.isArray(value)) return `[${value.map(show)}]`;
  return `{${Object.entries(value).map(([key, v]) => `${key}: ${show(v)}`)}}`;
}
