/** The largest error of one elementary function over a set of inputs, and where it occurs. */
import { type Dtype, Probe } from "./probe.ts";
import { ulpError32, ulpError64 } from "./ulp.ts";
import { anywhere, seeded, UNARY, type Unary, type UnaryName } from "./unary.ts";

export interface Worst {
  /** In ULP. */
  error: number;
  at: number;
  got: number;
  want: number;
  /** Inputs tried. */
  inputs: number;
}

export const nothing = (): Worst => ({ error: -1, at: NaN, got: NaN, want: NaN, inputs: 0 });

/** The worse of two, of both their inputs. */
export const worse = (a: Worst, b: Worst): Worst => ({ ...(a.error >= b.error ? a : b), inputs: a.inputs + b.inputs });

/** Every `stride`-th f32, by bit pattern, in [from, to). */
export function measureF32(probe: Probe, name: UnaryName, from: number, to: number, stride: number): Worst {
  const oracle = UNARY[name].f32;
  const x = new Float32Array(Probe.CAPACITY);
  const bits = new Uint32Array(x.buffer);
  const y = new Float32Array(Probe.CAPACITY);
  const worst = nothing();
  for (let start = from; start < to; start += stride * x.length) {
    const count = Math.min(x.length, Math.ceil((to - start) / stride));
    for (let i = 0; i < count; i++) bits[i] = start + i * stride;
    y.set(x);
    probe.apply(name, y);
    for (let i = 0; i < count; i++) {
      const want = oracle(x[i]!);
      const error = ulpError32(y[i]!, want);
      if (error > worst.error) Object.assign(worst, { error, at: x[i], got: y[i], want });
    }
    worst.inputs += count;
  }
  return worst;
}

/** `count` f64 in turn from the strata of the function. */
export function measureF64(probe: Probe, name: UnaryName, count: number, seed: number): Worst {
  const { f64: oracle, strata }: Unary = UNARY[name];
  const random = seeded(seed);
  const x = new Float64Array(Probe.CAPACITY);
  const y = new Float64Array(Probe.CAPACITY);
  const worst = nothing();
  while (worst.inputs < count) {
    for (let i = 0; i < x.length; i++) x[i] = (strata[i % (strata.length + 1)] ?? anywhere)(random);
    y.set(x);
    probe.apply(name, y);
    for (let i = 0; i < x.length; i++) {
      const { hi, lo, exponent } = oracle(x[i]!);
      const error = ulpError64(y[i]!, hi, lo, exponent);
      if (error > worst.error) Object.assign(worst, { error, at: x[i], got: y[i], want: hi * 2 ** exponent });
    }
    worst.inputs += x.length;
  }
  return worst;
}

/** One share of a function's inputs. */
export interface Share {
  readonly name: UnaryName;
  readonly dtype: Dtype;
  /** The share is the `part`-th of `parts`. */
  readonly part: number;
  readonly parts: number;
  readonly stride: number;
}

/** f64 inputs of a run with stride 1. */
export const F64_INPUTS = 1.2e7;

export function measure(probe: Probe, { name, dtype, part, parts, stride }: Share): Worst {
  if (dtype === "f64") return measureF64(probe, name, F64_INPUTS / parts / stride, part + 1);
  return measureF32(
    probe,
    name,
    Math.floor((2 ** 32 * part) / parts),
    Math.floor((2 ** 32 * (part + 1)) / parts),
    stride,
  );
}
