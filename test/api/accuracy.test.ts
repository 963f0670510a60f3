/**
 * The error bounds of the softmax family against the exact values of test/fixtures/softmax.json.
 * The measured maxima are printed with the inputs that reach them, so that drift shows.
 */
import { afterAll, describe, expect, it } from "vitest";
import { longCases, rowCases, unaryCases, weightedCases } from "../support/fixture.ts";
import { record } from "../support/record.ts";
import { ulp32, ulp64, ulpError32, ulpError64 } from "../support/ulp.ts";
import type { DType, FloatArray } from "../support/variants.ts";
import { elementwise, family, forEachType } from "../support/variants.ts";

/** What is promised, in u (relative error) or ULP. */
const PROMISED = {
  softmax: 5,
  logSoftmax: 2,
  /** The log-probability of a maximum that has nearly all of the row, by its lead over the second. */
  confident: (gap: number) => 7 + gap,
  logSumExp: 1,
  elementwise: 3,
};

/** Errors against their bounds: every one beyond, and of each quantity the largest with its witness. */
class Tally {
  readonly beyond: string[] = [];
  readonly maxima = new Map<string, { error: number; witness: string }>();
  note(quantity: string, error: number, bound: number, witness: () => string): void {
    if (!(error <= bound)) this.beyond.push(`${quantity}: ${error.toFixed(3)} > ${bound}, ${witness()}`);
    if (!(error <= (this.maxima.get(quantity)?.error ?? -1))) this.maxima.set(quantity, { error, witness: witness() });
  }
}

/** Rows lie along the last axis, or down the columns: other kernels, the same bounds. */
const COLUMNS = 5;
const layouts = {
  rows: { shape: (n: number) => [n], axis: -1, spread: (x: FloatArray) => x, copies: 1 },
  columns: {
    shape: (n: number) => [n, COLUMNS],
    axis: 0,
    spread: (x: FloatArray, { array }: DType) =>
      new array(Array.from({ length: x.length * COLUMNS }, (_, i) => x[Math.floor(i / COLUMNS)] as number)),
    copies: COLUMNS,
  },
};

forEachType((dtype, variant) => {
  const { array, unit, tiny } = dtype;
  const tally = new Tally();
  const ulp = dtype.name === "f32" ? ulp32 : ulp64;

  /** The same NaN or infinity, also where hi overflows in the type. */
  const same = (got: number, hi: number) => !Number.isFinite(got) && Object.is(new array([hi])[0], got);
  /** A result may underflow to a zero of either sign. */
  const ulps = (got: number, hi: number, lo: number) =>
    same(got, hi)
      ? 0
      : got === 0
        ? Math.abs(hi) / ulp(0)
        : dtype.name === "f32"
          ? ulpError32(got, hi)
          : ulpError64(got, hi, lo);
  const absolute = (got: number, hi: number, lo: number) => (same(got, hi) ? 0 : Math.abs(got - hi - lo));
  /** In ULP of the larger of the result and the row's maximum. */
  const evidence = (got: number, hi: number, lo: number, top: number) =>
    same(got, hi) ? 0 : absolute(got, hi, lo) / ulp(Math.max(Math.abs(top), Math.abs(hi)));
  /** Relative error in u; below the normal numbers relative to the smallest of them. */
  const relative = (got: number, hi: number, lo: number) => absolute(got, hi, lo) / Math.max(Math.abs(hi), tiny) / unit;

  afterAll(() => {
    const lines = [...tally.maxima].map(
      ([quantity, { error, witness }]) => `  ${quantity.padEnd(44)} ${error.toFixed(3)}  ${witness}`,
    );
    console.log([`${dtype.name} ${variant}: measured maxima`, ...lines].join("\n"));
    if (process.env["RECORD"]) record(`${dtype.name} ${variant}`, tally.maxima);
  });

  const check = () => {
    const found = [...new Set(tally.beyond.splice(0))];
    expect(found.slice(0, 6), `${found.length} beyond the bound`).toEqual([]);
  };
  const cases = rowCases.filter((c) => c.dtype === dtype);

  describe.each(Object.entries(layouts))("%s", (_, { shape, axis, spread, copies }) => {
    it.each([...new Set(cases.map((c) => c.group))])("%s", (group) => {
      for (const c of cases.filter((other) => other.group === group)) {
        const { temperature } = c;
        const n = c.x.length;
        const x = spread(c.x, dtype);
        const z = Array.from(c.x, (v) => v / temperature);
        const top = Math.max(...z);
        const first = z.indexOf(top);
        const gap = n > 1 ? top - Math.max(...z.filter((_, i) => i !== first)) : 0;
        const options = { shape: shape(n), axis, temperature };
        const p = family.softmax(x, options);
        const l = family.logSoftmax(x, options);
        const lse = family.logSumExp(x, { shape: shape(n), axis });
        for (let k = 0; k < n * copies; k++) {
          const i = Math.floor(k / copies);
          const at = (got: number, hi: number) => () => `${c.name} [${i}] = ${c.x[i]}: ${got}, exact ${hi}`;
          const note = (name: string, got: number, hi: number, error: number, bound: number) =>
            tally.note(temperature === 1 ? name : `${name} with a temperature`, error, bound, at(got, hi));

          const [ph, pl] = [c.softmax.hi[i] as number, c.softmax.lo[i] as number];
          const got = p[k] as number;
          // (x − a)/T is rounded, unless T is a power of two
          const shift = Math.log2(temperature) % 1 === 0 ? 0 : top - (z[i] as number);
          note("softmax, relative, u", got, ph, relative(got, ph, pl), PROMISED.softmax + shift);

          const [lh, ll] = [c.logSoftmax.hi[i] as number, c.logSoftmax.lo[i] as number];
          const log = l[k] as number;
          if (i === first && ph > 0.9) {
            const bound = PROMISED.confident(Number.isFinite(gap) ? gap : 0);
            const error = relative(log, lh, ll);
            note("logSoftmax, confident maximum, relative, u", log, lh, error, bound);
          } else note("logSoftmax, ULP", log, lh, ulps(log, lh, ll), PROMISED.logSoftmax);
        }
        if (temperature !== 1) continue;
        const [hi, lo] = [c.logSumExp.hi[0] as number, c.logSumExp.lo[0] as number];
        for (let k = 0; k < copies; k++) {
          const got = lse[k] as number;
          const witness = () => `${c.name}: ${got}, exact ${hi}`;
          tally.note(
            "logSumExp, ULP of the larger of result and maximum",
            evidence(got, hi, lo, top),
            PROMISED.logSumExp,
            witness,
          );
        }
      }
      check();
    });

    it("weighted log-sum-exp", () => {
      for (const c of weightedCases.filter((other) => other.dtype === dtype)) {
        const n = c.x.length;
        const got = family.logSumExp(spread(c.x, dtype), {
          shape: shape(n),
          axis,
          weights: spread(c.weights, dtype),
        });
        const [hi, lo] = [c.logSumExp.hi[0] as number, c.logSumExp.lo[0] as number];
        const top = Math.max(...Array.from(c.x).filter((v, i) => v !== -Infinity && c.weights[i] !== 0));
        // cancellation magnifies the rounding of the exponentials, one ULP each
        const magnified = c.condition > 1 ? (2 * c.condition * unit) / ulp(Math.max(Math.abs(top), Math.abs(hi))) : 0;
        for (const value of got)
          tally.note(
            `weighted logSumExp${magnified ? " that cancels" : ""}, ULP`,
            // products and sums with the weights are rounded in f64, whatever the data: a unit of 1 is what f64 promises
            evidence(value, hi, lo, dtype.name === "f64" ? Math.max(Math.abs(top), 1) : top),
            PROMISED.logSumExp + magnified,
            () => `${c.name}: ${value}, exact ${hi}, condition ${c.condition}`,
          );
      }
      check();
    });
  });

  it.each(elementwise)("%s", (name) => {
    for (const c of unaryCases.filter((other) => other.dtype === dtype && other.function === name)) {
      const y = family[name](c.x);
      y.forEach((got: number, i: number) => {
        const [hi, lo] = [c.y.hi[i] as number, c.y.lo[i] as number];
        tally.note(`${name}, ULP`, ulps(got, hi, lo), PROMISED.elementwise, () => `at ${c.x[i]}: ${got}, exact ${hi}`);
      });
    }
    check();
  });

  it("rows of a million elements", () => {
    for (const c of longCases().filter((other) => other.dtype === dtype)) {
      const p = family.softmax(c.x);
      const l = family.logSoftmax(c.x);
      const [lse] = family.logSumExp(c.x) as unknown as [number];
      const [hi, lo] = [c.logSumExp.hi[0] as number, c.logSumExp.lo[0] as number];
      // hi exceeds the maximum here, so it is the larger of the two
      tally.note("logSumExp of 10⁶, ULP", evidence(lse, hi, lo, 0), PROMISED.logSumExp, () => `${lse}, exact ${hi}`);
      c.index.forEach((i, k) => {
        const [ph, pl] = [c.softmax.hi[k] as number, c.softmax.lo[k] as number];
        const [lh, ll] = [c.logSoftmax.hi[k] as number, c.logSoftmax.lo[k] as number];
        const at = (got: number, exact: number) => () => `[${i}] = ${c.x[i]}: ${got}, exact ${exact}`;
        const [pi, li] = [p[i] as number, l[i] as number];
        tally.note("softmax of 10⁶, relative, u", relative(pi, ph, pl), PROMISED.softmax, at(pi, ph));
        tally.note("logSoftmax of 10⁶, ULP", ulps(li, lh, ll), PROMISED.logSoftmax, at(li, lh));
      });
      const total = (p as Float64Array).reduce((sum: number, v: number) => sum + v, 0);
      // every element within 5u; adding 10⁶ of them in f64 errs by less than 10⁶·2⁻⁵³
      expect(Math.abs(total - 1)).toBeLessThan(5 * unit + 1e6 * 2 ** -53);
    }
    check();
  });
});
