/** What examples/nearest-digits.ts and examples/tsne.ts claim to show, on a tenth of the digits. */
import { describe, expect, it } from "vitest";
import { allDigits, CLASSES } from "../../examples/support/digits.ts";
import { leaveOneOut } from "../../examples/support/nearestDigits.ts";
import { embed, similarities } from "../../examples/support/tsne.ts";
import { tsnePlot } from "../../examples/support/tsnePlot.ts";

const digits = allDigits(10);
const { count, pixels, labels } = digits;

describe("digits by their neighbours", () => {
  it("are all there, and a tenth of each", () => {
    expect(allDigits().count).toBe(10_000);
    expect(new Set(labels).size).toBe(CLASSES);
    expect(Math.abs(count - 1000)).toBeLessThanOrEqual(CLASSES);
  });

  it("nine of ten are right already among a thousand, and none votes for itself", () => {
    const told: number[] = [];
    const votes = leaveOneOut(digits, 3, (fraction) => told.push(fraction));
    expect(votes.accuracy).toBeGreaterThan(0.87);
    expect(told.at(-1)).toBe(1);
    expect(votes.neighbour.every((j, i) => j !== i)).toBe(true);
    expect(votes.confusions.reduce((sum, times) => sum + times, 0)).toBe(count);
    const right = labels.reduce((sum, is, i) => sum + +(votes.predicted[i] === is), 0);
    expect(votes.accuracy).toBe(right / count);
  });
});

describe("t-SNE", () => {
  const near = similarities(pixels, count, 10);
  it("every row has the perplexity asked for", () => {
    for (let i = 0; i < count; i += 37) {
      let entropy = 0;
      for (let e = i * near.k; e < (i + 1) * near.k; e++) {
        const p = 2 * count * (near.p[e] as number);
        if (p > 0) entropy -= p * Math.log(p);
      }
      expect(Math.exp(entropy)).toBeCloseTo(10, 2);
    }
  });

  it("neighbours stay neighbours: a digit's nearest in the plane is mostly one of its kind", () => {
    const plane = embed(near, count, { iterations: 150 });
    expect(plane.every(Number.isFinite)).toBe(true);
    let alike = 0;
    for (let i = 0; i < count; i++) {
      let [best, at] = [Infinity, 0];
      for (let j = 0; j < count; j++) {
        const [u, v] = [
          (plane[2 * i] as number) - (plane[2 * j] as number),
          (plane[2 * i + 1] as number) - (plane[2 * j + 1] as number),
        ];
        if (j !== i && u * u + v * v < best) [best, at] = [u * u + v * v, j];
      }
      alike += +(labels[at] === labels[i]);
    }
    expect(alike / count).toBeGreaterThan(0.8);
    const svg = tsnePlot(plane, labels);
    expect([...svg.matchAll(/<circle /g)]).toHaveLength(count);
    for (let digit = 0; digit < CLASSES; digit++) expect(svg).toContain(`>${digit}</text>`);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});
