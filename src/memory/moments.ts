/** Exact sums of numbers and of their products, by the kernels (assembly/moments.ts). */
import { CHUNKS, PRODUCT_CHUNKS, U, UU, W, WAITING, WU, WW } from "../../assembly/momentsLayout.ts";
import { type Arena, copyLabels, RESULT_BYTES } from "./arena.ts";
import type { Family } from "./family.ts";

/** Families that have the kernel: a meter takes it from that of the function it measures. */
export type WithMoments = Family<"softmax"> | Family<"losses"> | Family<"divergence">;

/** Each sum: the i32 it begins with, its chunks, and the power of two that is its unit. */
export const SUM_U = { from: 2 * U, chunks: CHUNKS, unit: -1074 } as const;
export const SUM_UU = { from: 2 * UU, chunks: PRODUCT_CHUNKS, unit: -2148 } as const;
export const SUM_W = { from: 2 * W, chunks: CHUNKS, unit: -1074 } as const;
export const SUM_WU = { from: 2 * WU, chunks: PRODUCT_CHUNKS, unit: -2148 } as const;
export const SUM_WW = { from: 2 * WW, chunks: PRODUCT_CHUNKS, unit: -2148 } as const;

/** A sum among them. */
export type Place = typeof SUM_U | typeof SUM_UU | typeof SUM_W | typeof SUM_WU | typeof SUM_WW;

/** The i32 of all sums, without weights and with them. */
export const PLAIN = SUM_W.from;
export const WEIGHTED = SUM_WW.from + 2 * PRODUCT_CHUNKS;

/**
 * Adds the first `count` numbers, at most WAITING, with their weights if there are any, to `sums`. In the last of the arena's lists,
 * which the streamer of rows leaves alone: numbers may be added while it runs.
 */
export function addMoments(
  at: Arena,
  family: WithMoments,
  values: Float64Array,
  weights: Float64Array | undefined,
  count: number,
  sums: Int32Array,
): void {
  const { moments } = at.kernels<WithMoments["name"]>(family);
  const u = at.results + 3 * RESULT_BYTES;
  const w = u + 8 * WAITING;
  const place = w + 8 * WAITING;
  at.copyIn(values, 8, 0, count, u);
  if (weights) at.copyIn(weights, 8, 0, count, w);
  copyLabels(at, sums, 0, sums.length, place);
  // what the kernel works in without weights stands where they would
  moments(u, weights ? w : 0, w, count, place);
  const { integers } = at;
  const from = place >>> 2;
  for (let i = 0; i < sums.length; i++) sums[i] = integers[from + i] as number;
}

/** One of the sums, in its unit. */
export function integerOf(sums: Int32Array, { from, chunks }: Place): bigint {
  let sum = 0n;
  for (let i = chunks - 1; i >= 0; i--) {
    const low = (sums[from + 2 * i] as number) >>> 0;
    const high = sums[from + 2 * i + 1] as number;
    if (low !== 0 || high !== 0 || sum !== 0n) sum = (sum << 32n) + BigInt(high * 2 ** 32 + low);
  }
  return sum;
}

/** Sets one of the sums; false if it has no room for so large a number. */
export function putInteger(sums: Int32Array, { from, chunks }: Place, integer: bigint): boolean {
  let rest = integer;
  for (let i = 0; i < chunks; i++) {
    const last = i === chunks - 1;
    sums[from + 2 * i] = Number(BigInt.asIntN(32, rest));
    sums[from + 2 * i + 1] = last ? Number(BigInt.asIntN(32, rest >> 32n)) : 0;
    rest >>= last ? 64n : 32n;
  }
  return rest === 0n || rest === -1n;
}
