/**
 * What every export returns, computed in plain f64 loops that have nothing in common with the kernels: the conventions are
 * those of the table "What bad input gets", and beside each number stands how far from it a result may be.
 */
import * as divergences from "./plain/divergences.ts";
import * as gram from "./plain/gram.ts";
import * as losses from "./plain/losses.ts";
import type { Expected, Given } from "./plain/near.ts";
import * as pairs from "./plain/pairs.ts";
import * as products from "./plain/products.ts";
import * as softmax from "./plain/softmax.ts";
import * as transport from "./plain/transport.ts";

export * from "./plain/near.ts";

const { softplusOf: _, sigmoidOf: __, ...family } = softmax;
const { divergenceOf: ___, pairOf: ____, ...between } = divergences;
const { kernelOf: _____, pointsOf: ______, ...matrices } = gram;

const undefinedOnly: Expected = { meets: (got) => (got === undefined ? "" : `is ${String(got)}, wanted undefined`) };

const info = (): Expected => ({
  fields: {
    variant: { meets: (got) => (got === "base" || got === "relaxed" ? "" : "is no variant") },
    memoryBytes: { meets: (got) => (Number.isInteger(got) ? "" : "is no number of bytes") },
    version: { meets: (got) => (typeof got === "string" ? "" : "is no version") },
  },
});

/** An array of zeros. */
const resident = ({ others = [] }: Given): Expected => ({
  meets: (got) => {
    const { array, length } = got as { array: Float64Array; length: number };
    if (length !== others[1] || array.length !== length) return `is of length ${length}`;
    return array.every((v) => v === 0) ? "" : "is not all zeros";
  },
});

export const PLAIN: Readonly<Record<string, (given: Given) => Expected>> = {
  ...family,
  ...losses,
  ...between,
  ...matrices,
  ...pairs,
  ...transport,
  ...products,
  info,
  init: () => undefinedOnly,
  initSync: () => undefinedOnly,
  resident,
};
