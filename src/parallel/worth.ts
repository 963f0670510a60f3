/** Whether a call is worth dividing, by what it is taken to need. */

/**
 * Nanoseconds that a divided call needs beside its tiles, where threads share memory and where they share nothing, and for a byte that is copied.
 * Of a quiet call 80 µs pass until the arguments are surveyed, 50 until a worker begins, and 50 until its answer is heard (Node 24, 2 cores);
 * with half as much for a busy machine, none below 1 ms is divided by two. `npm run bench -- parallel --only overhead` measures it.
 */
const OVERHEAD = { shared: 300_000, lone: 900_000 };
const COPY = 0.3;

/** The part of the time of a call in one thread that it may take when it is divided. */
const WORTH = 0.8;

/** Of a call: nanoseconds in one thread, bytes that are copied, workers. */
export type IsWorth = (alone: number, copied: number, workers: number, shares: boolean) => boolean;

export const isWorth: IsWorth = (alone, copied, workers, shares) =>
  alone / workers + COPY * copied + OVERHEAD[shares ? "shared" : "lone"] < WORTH * alone;
