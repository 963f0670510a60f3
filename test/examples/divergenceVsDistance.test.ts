/** What examples/divergence-vs-distance.ts claims to show. */
import { describe, expect, it } from "vitest";
import { jumpPlot } from "../../examples/support/jumpPlot.ts";
import { readingAt, THETAS } from "../../examples/support/parallelSegments.ts";

const readings = THETAS.map(readingAt);

describe("two parallel segments", () => {
  it("KL is ∞, JS log 2 and W |θ|; at θ = 0 all are 0", () => {
    expect(THETAS).toHaveLength(65);
    expect([THETAS[0], THETAS[32], THETAS[64]]).toEqual([-1, 0, 1]);
    for (const { theta, kl, js, wasserstein } of readings) {
      expect(wasserstein).toBe(Math.abs(theta));
      expect([kl, js]).toEqual(theta === 0 ? [0, 0] : [Infinity, Math.LN2]);
    }
  });

  it("knows the places of its grid only", () => {
    expect(() => readingAt(0.01)).toThrow(/multiple of 1\/32.*got 0.01/);
  });
});

describe("the plot", () => {
  const svg = jumpPlot(readings);
  const count = (pattern: RegExp) => [...svg.matchAll(pattern)].length;

  it("is well-formed, without a number that is none", () => {
    const open: string[] = [];
    for (const [, end, name, , alone] of svg.matchAll(/<(\/?)(\w+)((?:[^">]|"[^"]*")*?)(\/?)>/g)) {
      if (end) expect(open.pop()).toBe(name);
      else if (!alone) open.push(name as string);
    }
    expect(open).toEqual([]);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("breaks KL and JS at 0, with an open ring where each is not and a point where it is; W is whole", () => {
    for (const [colour, strokes, circles] of [
      ["#d55e00", 2, 2],
      ["#0072b2", 2, 2],
      ["#00805e", 1, 0],
    ] as const) {
      expect(count(new RegExp(`<path [^>]*stroke="${colour}"`, "g"))).toBe(strokes);
      expect(count(new RegExp(`<circle [^>]*stroke="${colour}"`, "g"))).toBe(circles);
    }
    expect(count(/<circle [^>]*fill="white"/g)).toBe(2);
  });

  it("names the curves and the axis", () => {
    for (const words of ["KL(P‖Q) = ∞", "JS(P, Q) = log 2", "W(P, Q) = |θ|", "θ, the place of Q"])
      expect(svg).toContain(words);
  });
});
