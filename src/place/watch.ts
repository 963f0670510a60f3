/** What a caller sees of a call that takes long, block by block: progress, and a signal that ends it. */
import { callbackOf, signalOf } from "../options.ts";
import type { PairsProgress, Signal } from "../types.ts";

export interface Watch {
  readonly tell: ((progress: PairsProgress) => void) | undefined;
  readonly stop: (() => void) | undefined;
  /** Whether code of the caller's runs meanwhile. */
  readonly alone: boolean;
}

/** The two options of a call, checked. */
export function watchOf(
  fn: string,
  progress: ((progress: PairsProgress) => void) | undefined,
  signal: Signal | undefined,
): Watch {
  const tell = callbackOf(fn, "progress", progress);
  const stop = signalOf(fn, signal);
  return { tell, stop, alone: tell !== undefined || stop !== undefined };
}

export const UNWATCHED: Watch = { tell: undefined, stop: undefined, alone: false };

/** What is to be called after each of `total` tiles. The caller hears of the last, and of those before it every `every` tiles. */
export function turnsOf({ tell, stop, alone }: Watch, total: number, every: number): () => void {
  let tiles = 0;
  let last = 0;
  stop?.();
  return () => {
    tiles++;
    if (!alone || (tiles < total && tiles - last < every)) return;
    last = tiles;
    tell?.({ tiles, fraction: tiles / total });
    stop?.();
  };
}
