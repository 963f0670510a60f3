/** The kinds of jobs, by the name of the function. */
import { matrices } from "./matrix.ts";
import { meters } from "./meters.ts";
import { nearestRows } from "./nearest.ts";
import { sums } from "./sums.ts";
import type { Kind } from "./types.ts";

export const KINDS: Readonly<Record<string, Kind>> = { ...matrices, nearest: nearestRows, ...sums, ...meters };
