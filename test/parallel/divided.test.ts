/** Calls whose tiles are done by several parts, in one thread: whoever does which tile, the bits are those of the function. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as library from "../../src/index.ts";
import { FUNCTIONS } from "../../src/parallel/functions.ts";
import {
  BYTES,
  Finish,
  FLAGS,
  Part,
  type Role,
  type Run,
  runAs,
  Survey,
  slabOf,
  takeSlab,
  viewOf,
} from "../../src/parallel/work.ts";
import { SHARED_WORK } from "../../src/place/blocks.ts";
import type { Written } from "../../src/share.ts";
import { type Args, bitsOf, CASES, type Case, dataOf, titleOf } from "./calls.ts";

const run = ({ name }: Case, args: Args, role?: Role): { result: unknown } | undefined => {
  const options = args.at(-1) as object;
  const call = (shared: object): unknown => FUNCTIONS[name].run(...args.slice(0, -1), { ...options, ...shared });
  return role ? runAs(role, call) : { result: call({}) };
};

/**
 * The result of a call whose tiles go to parts as `toWhom` says, one part after the other, and `twice` where those that they wait for are done and none
 * that wait for them; undefined where it has less than two.
 */
function divided(
  call: Case,
  args: Args,
  parts: number,
  toWhom: (tile: number) => number,
  shares: boolean,
  twice: boolean,
): unknown {
  const survey = new Survey(() => true);
  if (run(call, args, survey)) return undefined;
  const { tiles, outputs, barriers } = survey;
  const made = (): Written[] =>
    outputs.map(({ kind, length }) =>
      viewOf({ kind, buffer: new ArrayBuffer(length * BYTES[kind]), byteOffset: 0, length }),
    );
  const known = structuredClone(survey.known);
  const control = new Int32Array(FLAGS + tiles);
  const written = made();
  // of memory that is not shared every part has its own, of which what its tiles wrote is taken
  const owns = Array.from({ length: parts }, () => (shares ? written : made()));
  const once = (from: number, to: number): void =>
    owns.forEach((own, part) => {
      let next = from;
      const claim = (): number => {
        while (next < to && toWhom(next) !== part) next++;
        return next < to ? next++ : to;
      };
      const tell = (runs: () => Run[]): void => {
        if (!shares) takeSlab(written, runs(), slabOf(own, runs()));
      };
      expect(run(call, args, new Part({ control, tiles: to, known }, own, claim, tell))).toBeUndefined();
    });
  const turn = (from: number, to: number): void => {
    for (let k = 0; k < (twice ? 2 : 1); k++) once(from, to);
  };
  let from = 0;
  for (const to of barriers?.tiles ?? []) {
    turn(from, to);
    const runs = (barriers?.outputs ?? []).map(
      (output): Run => ({ output, start: 0, length: (written[output] as Written).length }),
    );
    if (!shares) for (const own of owns) takeSlab(own, runs, slabOf(written, runs));
    from = to;
  }
  turn(from, tiles);
  expect(control.subarray(FLAGS).every((done) => done === 1)).toBe(true);
  return run(call, args, new Finish(outputs, written, known))?.result;
}

/** Around the sides of blocks, and of the tiles of rows. */
const sizes = fc.oneof(fc.integer({ min: 0, max: 67 }), fc.constantFrom(255, 256, 257, 300, 511, 513));

describe.each(CASES.map((one) => [titleOf(one), one] as const))("%s", (_, call) => {
  it("has the bits of the function, whoever does which tile", () => {
    let seen = 0;
    fc.assert(
      fc.property(
        fc.constantFrom("f32" as const, "f64" as const),
        sizes,
        fc.integer({ min: 4, max: 300 }),
        fc.constantFrom(1, 7, 17),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(),
        (type, n, m, d, parts, seed) => {
          // functions of rows are cut where they have many elements
          const width = ["Matrix", "pairwise", "gram", "nearest", "kernel", "linear", "contrastive"].some((word) =>
            call.name.includes(word),
          );
          const isContrastive = call.name.includes("contrastive");
          // of all pairs there are several blocks, whatever the type
          const rows = isContrastive ? n + 400 : Math.max(n, 4);
          // pairs where they have much work: twice that, for of a symmetric product there is half
          const isLinear = call.name.includes("linear");
          const others = isContrastive ? 2 * rows : Math.min(rows, m);
          const pairs = isLinear ? rows * (rows + m) : (rows * others) / 2;
          const isProduct = call.name !== "pairwiseDivergence" && call.how !== "kl";
          const deep = pairs < 2 ** 14 || !isProduct ? d : Math.max(d, Math.ceil(SHARED_WORK / pairs));
          const depth = width ? deep : 200 * d;
          const args = call.of(dataOf(type, seed), rows, m, depth);
          const toWhom = (tile: number): number => ((tile + 1) * 7919 + seed) % parts;
          const got = divided(call, args, parts, toWhom, seed % 2 === 0, seed % 3 === 0);
          if (got === undefined) return;
          seen++;
          expect(bitsOf(got)).toEqual(bitsOf(run(call, args)?.result));
        },
      ),
      {
        numRuns: 6,
        examples: [
          ["f32", 257, 300, 7, 3, 1],
          ["f64", 300, 257, 17, 2, 2],
          ["f64", 300, 257, 17, 2, 3],
          ["f64", 511, 257, 7, 3, 6],
        ],
      },
    );
    expect(seen).toBeGreaterThan(0);
  });
});

describe("a share", () => {
  it("goes with its call alone", () => {
    const survey = new Survey(() => true);
    const x = new Float64Array(400 * 400);
    expect(run(CASES[0] as Case, [x, { shape: [400, 400] }], survey)).toBeUndefined();
    expect(library.softmax(x, { shape: [400, 400] })).toHaveLength(x.length);
    expect(library.gram(x, { shape: [400, 400] })).toHaveLength(x.length);
  });
});
