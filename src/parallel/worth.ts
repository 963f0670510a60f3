/** Whether a call is worth dividing, by what it is taken to need. */

/**
 * Nanoseconds that a divided call needs beside its tiles, where threads share memory and where they share nothing, and for a byte that is copied.
 */
const OVERHEAD = { shared: 200_000, lone: 600_000 };
const COPY = 0.3;

/** The part of the time of a call in one thread that it may take when it is divided. */
const WORTH = 0.8;

/** Of a call: nanoseconds in one thread, bytes that are copied, workers. */
export type IsWorth = (alone: number, copied: number, workers: number, shares: boolean) => boolean;

export const isWorth: IsWorth = (alone, copied, workers, shares) =>
  alone / workers + COPY * copied + OVERHEAD[shares ? "shared" : "lone"] < WORTH * alone;
