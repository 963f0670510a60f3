/** Whether a call is worth dividing, by what it is taken to need. */

/**
 * Nanoseconds that a divided call needs beside its tiles, where threads share memory and where they share nothing: of a quiet call 350 to 400 µs,
 * and 720 (Node 24, 2 cores; `npm run bench -- parallel --only overhead`); the rest is for a machine that has other things to do.
 */
const OVERHEAD = { shared: 500_000, lone: 1_000_000 };

/**
 * Nanoseconds that a byte takes which is copied, mostly into memory that was just made: gram of 2000 × 256 numbers takes 14 ms more with a new
 * array of 16 MB than with a shared one, and 37 ms more where nothing is shared and 36 MB are copied.
 */
const COPY = 1;

/** The part of the time of a call in one thread that it may take when it is divided: two workers divide what takes 2 ms, or 4. */
const WORTH = 0.75;

/** Of a call: nanoseconds in one thread, bytes that are copied, workers. */
export type IsWorth = (alone: number, copied: number, workers: number, shares: boolean) => boolean;

export const isWorth: IsWorth = (alone, copied, workers, shares) =>
  alone / workers + COPY * copied + OVERHEAD[shares ? "shared" : "lone"] < WORTH * alone;
