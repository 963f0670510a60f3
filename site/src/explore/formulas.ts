/** The formulas as they are written, every step rounded to f32, and forms of them that keep their digits in f64. */

const f = Math.fround;
export const rounded = (values: readonly number[]): Float32Array => Float32Array.from(values);

const sum32 = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => f(a + b), 0);
const unit32 = (p: Float32Array): Float32Array => {
  const sum = sum32(p);
  return p.map((v) => f(v / sum));
};

/** With the row's maximum subtracted, as everybody does, but for softmax, which is the textbook's. */
export const plain = {
  crossEntropy(z: Float32Array): number {
    const max = Math.max(...z);
    return f(f(max + f(Math.log(sum32(z.map((v) => f(Math.exp(f(v - max)))))))) - (z[0] as number));
  },
  kl: (p: Float32Array, q: Float32Array): number => kl32(unit32(p), unit32(q)),
  js(p: Float32Array, q: Float32Array): number {
    const [a, b] = [unit32(p), unit32(q)];
    const m = a.map((v, i) => f(f(v + (b[i] as number)) / 2));
    return f(f(kl32(a, m) + kl32(b, m)) / 2);
  },
  softmax(z: Float32Array): number {
    const powers = z.map((v) => f(Math.exp(v)));
    return f((powers[0] as number) / sum32(powers));
  },
};

const kl32 = (p: Float32Array, q: Float32Array): number =>
  sum32(p.map((v, i) => f(v * f(Math.log(f(v / (q[i] as number)))))));

/** (1 + d)·log(1 + d) − d, by its series where d is small: Σ (−d)^k / (k·(k − 1)). */
function excess(d: number): number {
  if (Math.abs(d) > 0.02) return (1 + d) * Math.log1p(d) - d;
  let [power, sum] = [d * d, 0];
  for (let k = 2; k < 16; k++, power *= -d) sum += power / (k * (k - 1));
  return sum;
}

/** Of weights: p/Σp relative to q/Σq, without a rounding that counts. */
function gaps(p: ArrayLike<number>, q: ArrayLike<number>): { q: number; d: number }[] {
  const [a, b] = [p, q].map((w) => Array.from(w).reduce((x, y) => x + y, 0)) as [number, number];
  // p/a − q/b = (p·b − q·a)/(a·b), and of numbers of 24 bits with b ≈ a: (p − q)·b + q·(b − a) cancels nothing
  return Array.from(p, (v, i) => {
    const w = q[i] as number;
    return { q: w / b, d: ((v - w) * b + w * (b - a)) / (w * a) };
  });
}

export const exact = {
  /** log(1 + Σ e^{zⱼ − z₀}), of the first class, which leads. */
  crossEntropy(z: Float32Array): number {
    let others = 0;
    for (let i = 1; i < z.length; i++) others += Math.exp((z[i] as number) - (z[0] as number));
    return Math.log1p(others);
  },
  kl: (p: Float32Array, q: Float32Array): number => gaps(p, q).reduce((sum, { q: w, d }) => sum + w * excess(d), 0),
  /** With m = q·(1 + d/2): ½·Σ m·(φ((d/2)/(1 + d/2)) + φ(−(d/2)/(1 + d/2))). */
  js(p: Float32Array, q: Float32Array): number {
    return gaps(p, q).reduce((sum, { q: w, d }) => {
      const half = d / 2;
      const e = half / (1 + half);
      return sum + (w * (1 + half) * (excess(e) + excess(-e))) / 2;
    }, 0);
  },
  softmax(z: Float32Array): number {
    const max = Math.max(...z);
    const powers = Array.from(z, (v) => Math.exp(v - max));
    return (powers[0] as number) / powers.reduce((a, b) => a + b, 0);
  },
};

const SHOWN = 7;

/** A value's seven digits, cut where they stop being those of the truth: within the spacing of f32 all are right. */
export function matching(value: number, truth: number): { right: string; wrong: string; power: string } {
  if (!Number.isFinite(value))
    return Object.is(value, truth)
      ? { right: String(value), wrong: "", power: "" }
      : { right: "", wrong: String(value), power: "" };
  if (value === 0) return truth === 0 ? { right: "0", wrong: "", power: "" } : { right: "", wrong: "0", power: "" };
  const [digits, exponent] = value.toExponential(SHOWN - 1).split("e") as [string, string];
  const sign = value < 0 ? "−" : "";
  const mantissa = digits.replace("-", "");
  const power = exponent === "+0" ? "" : `e${exponent.replace("-", "−").replace("+", "")}`;
  const error = Math.abs(value - truth) / Math.abs(truth);
  // 2⁻²² is 2 ULP at most
  if (error <= 2 ** -22) return { right: sign + mantissa, wrong: "", power };
  const good = Math.max(0, Math.floor(-Math.log10(2 * error)));
  if (good === 0 || value * truth < 0) return { right: "", wrong: sign + mantissa + power, power: "" };
  const cut = good + 1; // and the point
  return { right: sign + mantissa.slice(0, good === 1 ? 1 : cut), wrong: mantissa.slice(good === 1 ? 1 : cut), power };
}
