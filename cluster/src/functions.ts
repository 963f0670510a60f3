/** The functions that tiles of pairs are made of, in this thread: those of a pool have the same faces. */
import { gram, kernelMatrix, nearest, pairwiseDistance, pairwiseDivergence } from "surprisal";
import type { Functions } from "./jobs/types.ts";

type Plain = (...args: never[]) => unknown;

/** A promise of what the function returns, or throws. */
const promised =
  (run: Plain) =>
  async (...args: never[]): Promise<unknown> =>
    run(...args);

export const HERE = {
  gram: promised(gram as Plain),
  kernelMatrix: promised(kernelMatrix as Plain),
  nearest: promised(nearest as Plain),
  pairwiseDistance: promised(pairwiseDistance as Plain),
  pairwiseDivergence: promised(pairwiseDivergence as Plain),
} as unknown as Functions;
