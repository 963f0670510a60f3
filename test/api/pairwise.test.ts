/** pairwiseDivergence: every pair of rows, as the row-wise functions have it. */
import { describe, expect, it } from "vitest";
import { info } from "../../src/index.ts";
import { pseudorandom } from "../support/fixture.ts";
import { api, arrayOf, type Divergence, divergenceCases, numberOf, PROMISED, rounded } from "../support/oracle.ts";
import { sum } from "../support/reference.ts";
import { type DType, type FloatArray, forEachType } from "../support/variants.ts";

const { pairwiseDivergence } = api;
const METRICS: Record<string, Divergence> = { kl: "klDivergence", js: "jsDivergence", jsDistance: "jsDistance" };
const FROMS = ["probabilities", "logProbabilities", "logits"] as const;

/** Rows of distributions as a `from` has them. */
function make(dtype: DType, from: (typeof FROMS)[number], rows: number, n: number, seed: number): FloatArray {
  if (from === "logits") return pseudorandom(dtype, seed, rows * n, 8);
  const p = pseudorandom(dtype, seed, rows * n, 1, 0.51);
  if (from === "probabilities") return p;
  for (let r = 0; r < rows; r++) {
    const row = p.subarray(r * n, (r + 1) * n);
    const log = Math.log(sum(n, (i) => row[i] as number));
    row.set(row.map((v: number) => Math.log(v) - log));
  }
  return p;
}

forEachType((dtype) => {
  const { array } = dtype;
  const promised = PROMISED[dtype.name];
  const close = (got: number, want: number, what: string, loose = 0) => {
    if (!(Object.is(got, want) || Math.abs(got - want) <= 2 * promised * Math.abs(want) + loose))
      expect.fail(`${what}: ${got}, row-wise ${want}`);
  };

  describe.each(Object.entries(METRICS))("%s", (metric, name) => {
    it.each(FROMS)("is the row-wise divergence, from %s", (from) => {
      const loose = from === "logProbabilities" ? (metric === "jsDistance" ? Math.sqrt(promised) : promised) : 0;
      for (const [n, m, d] of [
        [1, 1, 1],
        [3, 4, 5],
        [5, 2, 17],
        [2, 9, 64],
        [17, 33, 8],
        [1, 6, 3],
        [6, 1, 130],
        [4, 3, 5000],
        [2, 2, 70_000],
      ] as const) {
        const p = make(dtype, from, n, d, 1);
        const q = make(dtype, from, m, d, 2);
        const options = { shape: [n, d], qShape: [m, d], metric, from };
        const matrix = arrayOf(pairwiseDivergence(p, q, options), dtype, n * m);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < m; j++) {
            const [row, other] = [p.subarray(i * d, (i + 1) * d), q.subarray(j * d, (j + 1) * d)];
            close(
              matrix[i * m + j] as number,
              numberOf(api[name](row, other, { from })),
              `[${i}, ${j}] of ${n}×${m}×${d}`,
              loose,
            );
          }
        const out = new array(n * m);
        expect(pairwiseDivergence(p, q, { ...options, out })).toBe(out);
        expect(out).toEqual(matrix);
        // the tensors' own shapes
        expect(pairwiseDivergence({ data: p, shape: [n, d] }, { data: q, dims: [m, d] }, { metric, from })).toEqual(
          matrix,
        );
        const bits = pairwiseDivergence(p, q, { ...options, base: 2 });
        const unit = metric === "jsDistance" ? Math.sqrt(Math.LN2) : Math.LN2;
        bits.forEach((v: number, k: number) => {
          close(v, (matrix[k] as number) / unit, "in bits", loose);
        });
      }
    });

    it("without Q: of every row from every row, the diagonal exactly 0", () => {
      for (const from of FROMS) {
        const [n, d] = [9, 23];
        const p = make(dtype, from, n, d, 3);
        const options = { shape: [n, d], metric, from };
        const matrix = arrayOf(pairwiseDivergence(p, undefined, options), dtype, n * n);
        const both = pairwiseDivergence(p, p.slice(), { ...options, qShape: [n, d] });
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            const got = matrix[i * n + j] as number;
            if (i === j) expect(got).toBe(0);
            else {
              expect(got).toBeGreaterThan(0);
              close(got, both[i * n + j] as number, `[${i}, ${j}]`);
              if (metric !== "kl") expect(got).toBe(matrix[j * n + i]);
            }
          }
      }
    });
  });

  it("one shape serves both where the numbers of rows are the same", () => {
    const [p, q] = [make(dtype, "probabilities", 4, 6, 1), make(dtype, "probabilities", 4, 6, 2)];
    const got = pairwiseDivergence(p, q, { shape: [4, 6], metric: "js" });
    expect(got).toEqual(pairwiseDivergence(p, q, { shape: [4, 6], qShape: [4, 6], metric: "js" }));
  });

  it("nearly equal rows keep their digits", () => {
    for (const c of divergenceCases.filter(
      (other) => other.dtype === dtype && other.group === "near" && !other.temperature,
    )) {
      const [k, j] = [c.kl[0] as number, c.js[0] as number];
      for (const [metric, exact] of [
        ["kl", k],
        ["js", j],
        ["jsDistance", Math.sqrt(j)],
      ] as const) {
        const [got] = pairwiseDivergence(c.p, c.q, {
          shape: [1, c.p.length],
          qShape: [1, c.p.length],
          metric,
          from: c.from,
        }) as unknown as [number];
        if (!(Math.abs(got - exact) <= (promised + (16 * 2 ** -53) / Math.sqrt(k)) * exact))
          expect.fail(`${metric}, ${c.name}: ${got}, exact ${exact}`);
      }
    }
  });

  it("zeros, disjoint supports, NaN: the conventions of the row-wise functions, each in its own rows", () => {
    const rows = [
      [0.5, 0.5, 0],
      [1, 0, 0],
      [0, 0, 1],
      [0, 0, 0],
      [-0.5, 1, 0.5],
      [Number.NaN, 1, 1],
      [1, 2, 3],
    ];
    const p = new array(rows.flat());
    for (const [metric, name] of Object.entries(METRICS)) {
      const matrix = pairwiseDivergence(p, undefined, { shape: [7, 3], metric });
      rows.forEach((a, i) => {
        rows.forEach((b, j) => {
          const want = rounded(dtype, numberOf(api[name](new array(a), new array(b))));
          close(matrix[i * 7 + j] as number, want, `${metric} [${i}, ${j}]`);
        });
      });
      if (metric === "js") expect(matrix[7 + 2]).toBe(rounded(dtype, Math.LN2));
    }
  });

  it("no rows", () => {
    const none = new array(0);
    const p = new array([0.5, 0.5]);
    for (const metric of Object.keys(METRICS)) {
      expect(pairwiseDivergence(none, p, { shape: [0, 2], qShape: [1, 2], metric })).toEqual(none);
      expect(pairwiseDivergence(p, none, { shape: [1, 2], qShape: [0, 2], metric })).toEqual(none);
      expect(pairwiseDivergence(none, undefined, { shape: [0, 2], metric })).toEqual(none);
    }
  });

  it("thousands by thousands, in bounded memory", () => {
    const [n, m, d] = [3000, 1500, 4];
    const [p, q] = [make(dtype, "probabilities", n, d, 1), make(dtype, "probabilities", m, d, 2)];
    const out = new array(n * m);
    for (const [metric, name] of Object.entries(METRICS)) {
      pairwiseDivergence(p, q, { shape: [n, d], qShape: [m, d], metric, out });
      for (const [i, j] of [
        [0, 0],
        [0, m - 1],
        [n - 1, 0],
        [n - 1, m - 1],
        [1023, 1024],
        [2048, 511],
        [777, 1234],
      ] as const)
        close(
          out[i * m + j] as number,
          numberOf(api[name](p.subarray(i * d, (i + 1) * d), q.subarray(j * d, (j + 1) * d))),
          `[${i}, ${j}]`,
        );
    }
    expect(info().memoryBytes).toBeLessThanOrEqual(16 * 2 ** 20);
  });
});
