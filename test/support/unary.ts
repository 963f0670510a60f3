/** The elementary functions under test: one table for the quick tests and the exhaustive run. */
import { uniforms } from "../../examples/support/random.ts";
import { type Exact, exactExp, exactExpm1, exactLog, exactLog1p } from "./exact.ts";
import { scale } from "./ulp.ts";

/** Uniform numbers in [0, 1). */
export type Random = () => number;

export interface Unary {
  /** The oracle of f32: an f64 function that errs by less than an f64 ULP or so. */
  readonly f32: (x: number) => number;
  /** The oracle of f64. */
  readonly f64: (x: number) => Exact;
  /** Where its f64 inputs are dense; each is drawn as often as the others and as `anywhere`. */
  readonly strata: readonly ((random: Random) => number)[];
}

const sign = (random: Random): number => (random() < 0.5 ? -1 : 1);
const uniform =
  (low: number, high: number) =>
  (random: Random): number =>
    low + (high - low) * random();
/** A random mantissa, a random exponent. */
const scattered = (random: Random, low: number, high: number): number =>
  scale(1 + random(), low + Math.floor((high + 1 - low) * random()));

/** Every binade of both signs alike, subnormals included. */
export const anywhere = (random: Random): number => sign(random) * scattered(random, -1074, 1023);

/** Near the multiples of ln2/2, where r is smallest or largest. */
const nearHalfLn2 = (random: Random): number =>
  Math.round(uniform(-2150, 2048)(random)) * (Math.LN2 / 2) * (1 + sign(random) * scattered(random, -53, -8));

const nearZero = (random: Random): number => sign(random) * scattered(random, -60, -1);
const exponentials = [uniform(-746, 710), uniform(-1.1, 1.1), nearHalfLn2, nearZero];

/** Near 2ⁿ·√½, where log and log1p change over from one n to the next. */
const nearRoot =
  (low: number) =>
  (random: Random): number =>
    scale(Math.SQRT1_2 * (1 + sign(random) * scattered(random, -53, -3)), low + Math.floor((1023 - low) * random()));

export const UNARY = {
  exp: { f32: Math.exp, f64: exactExp, strata: [...exponentials, uniform(-746, -707)] },
  expm1: { f32: Math.expm1, f64: exactExpm1, strata: [...exponentials, uniform(-40, 40)] },
  log: {
    f32: Math.log,
    f64: exactLog,
    strata: [
      uniform(0.5, 2),
      nearRoot(-1074),
      (random) => 1 + nearZero(random),
      (random) => Math.abs(anywhere(random)),
    ],
  },
  log1p: {
    f32: Math.log1p,
    f64: exactLog1p,
    strata: [
      uniform(-1, 1),
      uniform(0, 20),
      nearZero,
      (random) => -1 + scattered(random, -53, -1),
      (random) => nearRoot(-40)(random) - 1,
    ],
  },
} as const satisfies Record<string, Unary>;

export type UnaryName = keyof typeof UNARY;
export const UNARY_NAMES = Object.keys(UNARY) as UnaryName[];

/** Deterministic random numbers of 53 bits, of two draws of 32 each. */
export function seeded(seed: number): Random {
  const draw = uniforms(seed);
  return () => (Math.floor(draw() * 2 ** 27) * 2 ** 26 + Math.floor(draw() * 2 ** 26)) / 2 ** 53;
}
