import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const nodeMajor = Number.parseInt(process.versions.node, 10);
/** The first Node with relaxed SIMD. */
export const RELAXED_SINCE = 22;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean" },
    rounds: { type: "string" },
    only: { type: "string" },
    who: { type: "string" },
    shapes: { type: "string" },
    dist: { type: "string" },
    compare: { type: "string" },
    against: { type: "string" },
    peak: { type: "string" },
  },
});
const pattern = (source = "") => new RegExp(source, "i");
const shapes = values.shapes?.split(",");
/** The package alone is compared, and with more rounds: what matters are a few per cent. */
const comparing = values.compare !== undefined;
const url = (dist: string): string => pathToFileURL(resolve(root, dist)).href;

export const options = {
  families: positionals,
  rounds: (usual: number, quick: number): number =>
    Number(values.rounds ?? (values.quick ? quick : comparing ? Math.max(usual, 15) : usual)),
  /** How long a contestant is timed in one round, in ms. */
  turn: values.quick ? 10 : 40,
  /** How long it runs before, in ms: what is optimised only after thousands of calls must have been. */
  warmUp: values.quick ? 50 : 100,
  /** Of the operation and type: `softmax f32`. */
  only: pattern(values.only),
  /** Of the contestant. */
  who: pattern(values.who ?? (comparing ? "^(base|relaxed|surprisal)" : "")),
  /** Whether a shape, as `128x1000`, is asked for. */
  shape: (shape: string): boolean => shapes?.includes(shape) ?? true,
  /** The built module under test, as a URL. */
  dist: url(values.dist ?? "dist/index.js"),
  /** Whether others than the package may be timed. */
  peers: !comparing || values.who !== undefined,
  /** The commit to compare with, and the module that run.ts built of it. */
  compare: values.compare,
  against: values.against === undefined ? undefined : url(values.against),
  /** The clock in GHz, for fractions of the peak. */
  peak: values.peak === undefined ? undefined : Number(values.peak),
  /** Whether all is run, with the usual care: only such figures are kept. */
  complete: Object.keys(values).every((name) => name === "rounds" || name === "peak"),
};
