/** The language model's head of examples/language-model.ts, with fewer words. */
import { describe, expect, it } from "vitest";
import { inWords, SETTINGS, text, train } from "../../examples/language-model.ts";

const few = { ...SETTINGS, vocabulary: 2400, rows: 500, steps: 12 };

describe("a language model's head", () => {
  it("would have logits that do not fit", () => {
    expect(inWords(4 * SETTINGS.rows * SETTINGS.vocabulary)).toBe("1.05 GB");
  });

  it("begins with words that are all alike, and learns which are common and which go together", () => {
    const losses = [...train(few)];
    expect(losses).toHaveLength(few.steps);
    expect(Math.abs((losses[0] as number) - Math.log(few.vocabulary))).toBeLessThan(0.05);
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) - 1);
  });

  it("tells how far a step is, and ends within it", () => {
    const abort = new AbortController();
    const heard: [number, number][] = [];
    const within = (step: number, fraction: number): void => {
      heard.push([step, fraction]);
      if (step === 3) abort.abort("enough");
    };
    const losses: number[] = [];
    expect(() => {
      for (const loss of train(few, { signal: abort.signal, within })) losses.push(loss);
    }).toThrow("enough");
    expect(losses).toHaveLength(2);
    expect(heard.filter(([step]) => step === 1).at(-1)).toEqual([1, 1]);
  });

  it("reads a text of topics, whose common words are many times as common as others", () => {
    let state = 1;
    const words = text(2400, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    });
    const some = Array.from({ length: 20_000 }, () => words.next().value);
    expect(some.every((word) => Number.isInteger(word) && word >= 0 && word < 2400)).toBe(true);
    const stays = some.filter((word, i) => i > 0 && word % 8 === (some[i - 1] as number) % 8).length / some.length;
    expect(stays).toBeGreaterThan(0.9);
    expect(some.filter((word) => word < 8).length).toBeGreaterThan(0.05 * some.length);
  });
});
