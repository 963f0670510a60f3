/** Which calls are divided. No time is measured here: `npm run bench -- parallel` does. */
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPool, type Pool } from "../../src/parallel/index.ts";
import { isWorth } from "../../src/parallel/worth.ts";
import { dataOf } from "./calls.ts";

const MS = 1e6;
const MB = 1e6;

describe("what is worth dividing", () => {
  it("takes more than 2 ms with two workers that share memory, and more than 4 where nothing is shared", () => {
    expect(isWorth(1.99 * MS, 0, 2, true)).toBe(false);
    expect(isWorth(2.01 * MS, 0, 2, true)).toBe(true);
    expect(isWorth(3.99 * MS, 0, 2, false)).toBe(false);
    expect(isWorth(4.01 * MS, 0, 2, false)).toBe(true);
  });

  it("takes longer than to copy it", () => {
    expect(isWorth(29 * MS, 16 * MB, 2, true)).toBe(false);
    expect(isWorth(70 * MS, 16 * MB, 2, true)).toBe(true);
    fc.assert(
      fc.property(
        fc.nat(1e9),
        fc.nat(1e9),
        fc.integer({ min: 2, max: 64 }),
        fc.boolean(),
        (alone, bytes, size, shares) => {
          if (bytes >= alone) expect(isWorth(alone, bytes, size, shares)).toBe(false);
        },
      ),
    );
  });

  it("stays so of more work, less to copy, and more workers", () => {
    const times = fc.nat(1e8);
    fc.assert(
      fc.property(
        times,
        times,
        fc.nat(1e7),
        fc.nat(1e7),
        fc.integer({ min: 2, max: 64 }),
        fc.boolean(),
        (work, more, bytes, rest, size, shares) => {
          if (!isWorth(work, bytes + rest, size, shares)) return;
          expect(isWorth(work + more, bytes, size + 1, shares)).toBe(true);
        },
      ),
    );
  });
});

describe("a pool", () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await createPool({
      size: 2,
      worker: () => new Worker(new URL("../../dist/parallel.worker.js", import.meta.url)),
    });
  });
  afterAll(() => pool.close());

  /** In how many tiles a call is done, 1 in the calling thread. */
  async function tilesOf(call: (options: object) => Promise<unknown>): Promise<number> {
    let tiles = 0;
    await call({
      progress: (now: { readonly tiles: number }) => {
        tiles = now.tiles;
      },
    });
    return tiles;
  }
  const numbers = (length: number, shared: boolean): Float32Array =>
    dataOf("f32", 1, shared).positives(length) as Float32Array;

  it("does a millisecond in the calling thread, and divides ten", async () => {
    const [few, many] = [numbers(384 * 256, true), numbers(1000 * 512, true)];
    const outs = [numbers(384 * 384, true), numbers(1000 * 1000, true)] as const;
    expect(await tilesOf((o) => pool.gram(few, { shape: [384, 256], out: outs[0], ...o }))).toBe(1);
    expect(await tilesOf((o) => pool.gram(many, { shape: [1000, 512], out: outs[1], ...o }))).toBeGreaterThan(1);
    expect(await tilesOf((o) => pool.mmd(few, few, { shape: [384, 256], ...o }))).toBeGreaterThan(1);
  });

  it("leaves what costs more to copy than to compute where it is", async () => {
    const shape = [64, 40_000];
    const [own, shared] = [numbers(64 * 40_000, false), numbers(64 * 40_000, true)];
    const out = numbers(64 * 40_000, true);
    expect(await tilesOf((o) => pool.softmax(own, { shape, out: own, ...o }))).toBe(1);
    expect(await tilesOf((o) => pool.softmax(shared, { shape, out, ...o }))).toBeGreaterThan(1);
    expect(await tilesOf((o) => pool.softmax(shared, { shape, ...o }))).toBe(1);
  });
});
